"""Formats: what is generated passes `jsonschema`'s checker, and what the checker accepts is generated, but for named differences."""

from __future__ import annotations

import calendar
import gzip
import json
import random
import re
from pathlib import Path

import pytest
import rfc3987
from fqdn import FQDN
from jsonschema import Draft202012Validator, validators
from rfc3339_validator import RFC3339_REGEX

from structgen.errors import Limits
from structgen.lexemes.dfa import CharDfa, length_between
from structgen.lexemes.formats import format_dfa, format_superset
from structgen.lexemes.formats_notes import REGEX_DEPTH, format_notes
from structgen.lexemes.regex import compile_regex
from structgen.schema.strings import FORMATS
from tests.lexemes.words import MISSES, mutants, random_words

CHECKER = Draft202012Validator.FORMAT_CHECKER
NAMES = sorted(FORMATS)
MASKBENCH = Path(__file__).parents[3] / "shared" / "data" / "maskbench"

SAMPLES = {
    "date": ["2024-02-29", "1900-02-28", "2000-02-29", "9999-12-31", "0001-01-01", "2023-04-30"],
    "time": ["12:00:00Z", "23:59:59.123+05:30", "00:00:00z", "10:20:30-00:00"],
    "date-time": ["2024-02-29T23:59:59Z", "1999-12-31t00:00:00.5-08:00"],
    "duration": ["P1Y2M3DT4H5M6S", "P4W", "PT36H", "P1Y", "PT5S", "P1DT1S"],
    "email": ["a.b+c@example.com", '"a b"@example.org', "x@[127.0.0.1]", "x@[IPv6:::1]", "user@host"],
    "idn-email": ["a.b+c@example.com", "j\u00f6rg@b\u00fccher.example", '"\u00e9 x"@\u4f8b\u3048.jp', "\u30e6\u30fc\u30b6@[127.0.0.1]"],
    "hostname": ["example.com", "a", "xn--bcher-kva.example", "1.2.3.4", "a-b.c-d"],
    "ipv4": ["127.0.0.1", "0.0.0.0", "255.255.255.255"],
    "ipv6": ["::", "::1", "1::", "2001:db8::8:800:200c:417a", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::"],
    "uri": ["http://u:p@example.com:80/a/b;c?q=1#f", "urn:isbn:0451450523", "mailto:a@b.c", "file:///x", "http://[::1]/", "a:"],
    "uri-reference": ["", "/a/b", "../c", "#f", "?q", "//host/p", "http://example.com/%20", "a/b:c"],
    "iri": ["http://\u00fc@ex\u00e4mple.com:80/\u00e9/b;c?q=\ue000#\u4e00", "urn:\U00010300", "//".join(("x:", "[::1]/\u00e9"))],
    "iri-reference": ["", "/\u00e9/b", "../\u4e00", "#\u00e9", "?\ue000", "//h\u00f6st/p", "\u00e9:".replace(":", "/")],
    "uri-template": ["", "/a/{b}", "http://x/{+path:6}/here{?q*,l%20a.b}{#f}", "/P('{id}')", "\u00e9{/a,b}%20{&c}{;d}{.e}"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
    "json-pointer": ["", "/", "/a~0b/~1/0", "//", "/\u00e9\n"],
    "relative-json-pointer": ["0", "1#", "0/a~0b/~1", "120/", "3/\u00e9\n"],
    "regex": ["^a+$", "[a-z0-9_-]{1,63}", r"^\(\d{3}\)?$", "(a|b)*?c", "(?:x(?=y))|[^\\]]", r"\u4e00-\u9fa5", "a{2,5}b{0,10}"],
}  # fmt: skip


_VARIABLE = r"(?:\w|%[0-9A-Fa-f]{2})(?:\.?(?:\w|%[0-9A-Fa-f]{2}))*(?::[1-9][0-9]{0,3}|\*)?"
# RFC 6570 with erratum 6937, for texts with few characters beyond ASCII
URI_TEMPLATE = re.compile(
    rf"(?:[!#$&-;=?-\[\]_a-z~\xa0-\u1fff]|%[0-9A-Fa-f]{{2}}|\{{[+#./;?&]?{_VARIABLE}(?:,{_VARIABLE})*\}})*", re.ASCII
)


def language(name: str) -> CharDfa:
    dfa = format_dfa(name)
    assert dfa is not None
    return dfa


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_word_passes_the_checker(name: str) -> None:
    dfa = language(name)
    rng = random.Random(5)
    for word in random_words(dfa, rng, [rng.choice((3, 12, 30, 80)) if i % 50 else 300 for i in range(1200)]):
        assert CHECKER.conforms(word, name), word


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_words(name: str) -> None:
    assert [text for text in SAMPLES[name] if not language(name).matches(text)] == []


def strict(name: str, text: str) -> bool:
    """Whether the RFC refuses a string that the checker lets pass."""
    if text.endswith("\n"):  # the checkers' `$`
        return True
    if name == "duration":  # fractions, signs, decimal commas, empty parts
        return re.fullmatch(r"P(?:\d+[YMD])*(?:T(?:\d+[HMS])+)?|P\d+W", text, re.ASCII) is None or text == "P"
    if name in ("email", "idn-email"):
        return True  # the checker asks for an @ only
    if name == "uri-template":  # the checker reads no literals, and has extensions
        return re.fullmatch(URI_TEMPLATE, text) is None
    if name == "hostname":
        return text.endswith(".")
    if name == "uuid":  # Python's UUID also takes braces and hyphens elsewhere
        return re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is None
    if name in ("uri", "uri-reference", "iri", "iri-reference"):
        return re.search(r"\.0\d|:0\d\d?\.|\[.*\b0\d+\.", text) is not None
    if name == "ipv6":
        return re.search(r"\.0\d|:0\d+\.", text) is not None
    return False


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("email", "idn-email", "idn-hostname", "regex")])
def test_near_misses_agree_with_the_checker(name: str) -> None:
    dfa = language(name)
    rng = random.Random(9)
    agreed = 0
    for sample in SAMPLES[name]:
        for text in mutants(sample, rng, 250):
            got, expected = dfa.matches(text), CHECKER.conforms(text, name)
            if got != expected and not (expected and strict(name, text)):
                pytest.fail(f"{name}: {text!r} is {got} here and {expected} there")
            agreed += got == expected
    assert agreed > 100


@pytest.mark.parametrize(
    ("name", "theirs", "flags", "only_theirs"),
    [
        # octets with leading zeros in the IPv4 end of an IPv6 address
        ("uri", rfc3987.upatterns_no_names["URI"], 0, r".*[:.]0[0-9].*"),
        ("uri-reference", rfc3987.upatterns_no_names["URI_reference"], 0, r".*[:.]0[0-9].*"),
        # and the marks of direction
        ("iri", rfc3987.upatterns_no_names["IRI"], 0, r".*[:.]0[0-9].*|.*[\u200e\u200f\u202a-\u202e].*"),
        (
            "iri-reference",
            rfc3987.upatterns_no_names["IRI_reference"],
            0,
            r".*[:.]0[0-9].*|.*[\u200e\u200f\u202a-\u202e].*",
        ),
        # a final dot; letters that ignoring case adds
        ("hostname", FQDN.PREFERRED_NAME_SYNTAX_REGEXSTR, re.IGNORECASE | re.ASCII, r".*\.|.*[^\x00-\x7f].*"),
        # days that do not exist, which the checker looks at afterwards
        ("date-time", RFC3339_REGEX.pattern, re.VERBOSE | re.ASCII | re.IGNORECASE, r"0000.*|.{8}(?:00|29|[3-9]).*"),
    ],
)
def test_language_equals_the_pattern_of_the_checker(name: str, theirs: str, flags: int, only_theirs: str) -> None:
    limits = Limits(max_dfa_steps=10**8)
    checker = compile_regex(theirs, dialect="python", anchored=True, flags=flags, limits=limits)
    if name == "hostname":
        checker = checker & length_between(1, 253)
    ours = language(name)
    assert list((ours - checker).words(1)) == []
    known = compile_regex(only_theirs, dialect="python", anchored=True)
    assert list((checker - ours - known).words(1)) == []


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_regex_is_a_subset_of_what_python_compiles() -> None:
    dfa = language("regex")
    rng = random.Random(3)
    for sample in SAMPLES["regex"]:
        for text in mutants(sample, rng, 400):
            if dfa.matches(text):
                re.compile(text)
    nested = "(" * REGEX_DEPTH + "a" + ")" * REGEX_DEPTH
    assert dfa.matches(nested)
    assert not dfa.matches(f"({nested})")
    for wrong in (
        "[",
        "(",
        ")",
        "a**",
        "*",
        "[z-a]",
        "a{2,1}",
        "\\",
        "(?",
        "[]",
        "[^]",
        "(?<a>b)",
        r"\1",
        r"\p{L}",
        "a{1",
        "^*",
    ):
        assert not dfa.matches(wrong), wrong


def test_dates_follow_the_calendar() -> None:
    dfa = language("date")
    for year in (1, 4, 100, 400, 1900, 1999, 2000, 2023, 2024, 2100, 9999):
        for month in range(14):
            for day in range(33):
                exists = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
                assert dfa.matches(f"{year:04}-{month:02}-{day:02}") == exists
    assert not dfa.matches("0000-01-01")


def test_email_follows_the_rfc() -> None:
    dfa = language("email")
    for text in ("te~st@example.com", '"joe..bloggs"@example.com', '"a@b"@example.com', '"\\""@x.y', "a/b@x"):
        assert dfa.matches(text), text
    for text in (
        "2962",
        ".a@b.c",
        "a.@b.c",
        "a..b@c.d",
        "a@b=c.d",
        "a@[127.0.0.300]",
        "a b@c.d",
        "a@-b.c",
        "a@b-.c",
        "@b",
        "a@",
        '"a@b',
    ):
        assert not dfa.matches(text), text


def test_hostname_lengths() -> None:
    dfa = language("hostname")
    label = "a" * 63
    assert dfa.matches(".".join([label] * 3 + ["a" * 61]))
    assert not dfa.matches(".".join([label] * 3 + ["a" * 62]))
    assert not dfa.matches(label + "a")
    for text in ("-a", "a-", "a..b", ".a", "a.", "a_b", "", "é.com"):
        assert not dfa.matches(text), text


def test_unknown_formats_have_no_automaton() -> None:
    assert all(format_dfa(name) is None for name in ("color", "Date", "", "phone", "base64"))
    assert format_dfa("host-name") is None
    assert format_dfa("host-name", "draft3") is format_dfa("hostname")


def test_notes_say_where_a_format_is_not_its_specification() -> None:
    assert {name for name in NAMES if format_notes(name) is None} == {
        "ipv4", "ipv6", "json-pointer", "uri", "uri-reference", "uuid"
    }  # fmt: skip
    assert format_notes("color") is None


@pytest.mark.skipif(not MASKBENCH.is_dir(), reason="the MaskBench data is not beside the repository")
def test_strings_of_maskbench_are_judged_as_the_checker_does() -> None:
    judged = set()

    def collect(_validator: object, name: object, instance: object, _schema: object) -> list[object]:
        if isinstance(instance, str) and name in FORMATS:
            judged.add((name, instance))
        return []

    validator = validators.extend(Draft202012Validator, {"format": collect, "pattern": lambda *_: []})
    for path in sorted(MASKBENCH.glob("*.jsonl.gz")):
        with gzip.open(path) as lines:
            for line in lines:
                if b'"format"' not in line or len(line) > 200_000:
                    continue
                case = json.loads(line)
                if "$ref" in line.decode():
                    continue
                for test in case["tests"]:
                    list(validator(case["schema"]).iter_errors(test["data"]))
    assert len(judged) > 300
    # an address with a space needs quotes in RFC 5321; the checker asks for an @ only
    known = {("email", "john doe@example.com")}
    wrong = {(n, t) for n, t in judged if language(n).matches(t) != CHECKER.conforms(t, n)} - known
    assert not wrong


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", NAMES)
def test_superset_holds_the_format_and_all_that_the_checker_takes(name: str) -> None:
    wide = format_superset(name)
    assert wide is not None
    assert language(name).subtract(wide, Limits(max_dfa_steps=10**8)).is_empty()
    assert not wide.complement().is_empty()
    rng = random.Random(21)
    # what the checker takes beyond the RFCs
    odd = [
        "a\n",
        "1.2.3.4\n",
        "\u212a.\u0131\u0663",
        "urn:uuid:{0}",
        "P1,5Y",
        "-P1D",
        "P0001-01-01T00:00:00S",
        "\u00b2#",
        "[V1.a]",
    ]
    for sample in [*SAMPLES.get(name, ["a.b", "\u4f8b.jp"]), *odd]:
        for text in [sample, sample + "\n", *mutants(sample, rng, 120, MISSES + "\u0131\u212a\u0663\u200e{}V")]:
            try:
                conforms = CHECKER.conforms(text, name)
            except (ValueError, OverflowError):  # defects of the checker's packages: it answers with neither yes nor no
                continue
            assert not conforms or wide.matches(text), text
