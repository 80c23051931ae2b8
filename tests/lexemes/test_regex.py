"""Patterns: `re` (python dialect) and interegular as oracles, tables for ECMA-262, positions of errors, limits."""

from __future__ import annotations

import random
import re

import interegular
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.errors import LimitExceeded, Limits, RegexError
from structgen.lexemes.regex import check_regex, compile_regex
from structgen.lexemes.regex_syntax import MAX_DEPTH, parse_regex

TEXT = "aabbc-.1 \né_K\u212aſs"


def patterns(atoms: list[str], looks: list[str], quantifiers: list[str]) -> st.SearchStrategy[str]:
    """Patterns over few characters, so that random texts meet them."""

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds(lambda a, b: a + b, inner, inner),
            st.builds(lambda a, b: f"(?:{a}|{b})", inner, inner),
            st.builds(lambda a, q: f"(?:{a}){q}", inner, st.sampled_from(quantifiers)),
            st.builds(lambda a: f"({a})", inner),
            *([st.builds(lambda k, a, b: f"{k}{a}){b}", st.sampled_from(looks), inner, inner)] if looks else []),
        )

    return st.recursive(st.sampled_from(atoms), grow, max_leaves=7)


ATOMS = [
    "a",
    "b",
    "c",
    "-",
    ".",
    "[ab]",
    "[^a]",
    r"\w",
    r"\d",
    " ",
    r"\n",
    r"\W",
    "é",
    "[a-c]",
    r"\s",
    r"[^\W\d]",
    "",
    r"\x61",
]
ANCHORS = ["^", "$", r"\b", r"\B", "(?m:^)", "(?m:$)", r"\A", r"\Z", "(?s:.)", "(?i:K)", "(?i:[s-t])", "(?a:\\w)"]
QUANTIFIERS = ["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??", "{1,2}?", "{,2}"]


def agree(pattern: str, seed: int) -> None:
    try:
        expected = re.compile(pattern)
    except re.error:
        with pytest.raises(RegexError):
            compile_regex(pattern, dialect="python", anchored=True)
        return
    rng = random.Random(seed)
    for anchored in (True, False):
        try:
            dfa = compile_regex(pattern, dialect="python", anchored=anchored)
        except RegexError as error:
            if not re.search("look-behind|atomic", error.reason):
                raise
            return
        run = expected.fullmatch if anchored else expected.search
        for _ in range(40):
            text = "".join(rng.choice(TEXT) for _ in range(rng.randrange(6)))
            assert dfa.matches(text) == bool(run(text)), (pattern, anchored, text)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(patterns(ATOMS + ANCHORS, [], QUANTIFIERS), st.integers(0, 1000))
def test_python_dialect_agrees_with_re(pattern: str, seed: int) -> None:
    agree(pattern, seed)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    patterns(
        ["a", "b", ".", "[ab]", r"\w", " ", "^", "$", r"\b"],
        ["(?=", "(?!", "(?<=", "(?<!", "(?>"],
        ["*", "+", "?", "{1,2}", "*+", "?+", "{1,2}+"],
    ),
    st.integers(0, 1000),
)
def test_lookaround_and_atomic_groups_agree_with_re(pattern: str, seed: int) -> None:
    agree(pattern, seed)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    patterns(["a", "b", "[ab]", "[^a]", "c", "(?=a)[ab]", "(?!b)."], [], ["*", "+", "?", "{1,3}"]), st.integers(0, 1000)
)
def test_agrees_with_interegular(pattern: str, seed: int) -> None:
    fsm = interegular.parse_pattern(pattern).to_fsm()
    dfa = compile_regex(pattern, dialect="python", anchored=True)
    rng = random.Random(seed)
    for _ in range(40):
        text = "".join(rng.choice("abcd") for _ in range(rng.randrange(6)))
        assert dfa.matches(text) == fsm.accepts(text)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"^\d+$", ["0", "19"], ["٣", "", "1\n"]),
        (r"^\w$", ["a", "_", "Z", "5"], ["é", "-"]),
        (r"^\s$", [" ", "\ufeff", "\u2028", "\xa0", "\u3000"], ["\x85", "\x1c", "a"]),
        ("^.$", ["a", "\x85", "\U0001f600"], ["\n", "\r", "\u2028", "\u2029"]),
        ("a$", ["ba"], ["a\n"]),
        (r"\ud83d\ude00", ["x\U0001f600"], ["\ufffd"]),
        (r"^\u{1f600}$", ["\U0001f600"], ["u"]),
        (r"^[\ud83d\ude00-\ud83d\ude4f]$", ["\U0001f610"], ["\U0001f680"]),
        (r"^[\w-]+$", ["a-b", "-"], ["a.b"]),
        (r"^[\w-.]+$", ["a-b.c"], ["a b"]),
        (r"^\-\_\@\ $", ["-_@ "], ["\\-_@ "]),
        ("^a{$", ["a{"], ["a"]),
        ("^{a}$", ["{a}"], ["a"]),
        ("^a{,2}$", ["a{,2}"], ["aa"]),
        ("^]$", ["]"], [""]),
        ("^[^]$", ["a", "\n"], ["", "ab"]),
        (r"^\cJ$", ["\n"], ["J"]),
        (r"^\0$", ["\0"], ["0"]),
        (r"^\x4a\u004B$", ["JK"], ["xu"]),
        (r"\Aab\Z", ["ab"], ["ab\n", "xab"]),
        ("(?i)^straSSe$", ["STRASSE", "straſse", "ſtraSſe"], ["straße"]),
        ("(?i)^k$", ["K", "k", "\u212a"], ["x"]),
        ("^(?P<year>\\d{4})-(?<month>\\d\\d)$", ["2020-01"], ["20-1"]),
        (r"^\p{L}+$", ["aéλ字"], ["a1", ""]),
        (r"^\P{L}$", ["1"], ["a"]),
        (r"^[\p{Lu}\p{Nd}]$", ["A", "٣"], ["a"]),
        (r"^\p{General_Category=Uppercase_Letter}\p{Script_Extensions}", [], None),
        (r"^\pL$", ["é"], ["1"]),
        ("foo", ["a foo b"], ["fo o"]),
        ("^(?!.*--)[a-z-]+$", ["a-b"], ["a--b", ""]),
        ("^(?=.*[0-9])(?=.*[a-z]).{3,5}$", ["ab1", "1xxxx"], ["abc", "123", "a1"]),
        ("^(?:(?!foo).)*$", ["fo of", ""], ["a foo", "foo"]),
        ("(?<!a)b", ["b", "cb", "abb"], ["ab", "aab"]),
        ("^a(?=b|$)", ["a", "ab"], ["ac"]),
        ("(?m)^b$", ["a\nb\nc", "b", "a\u2028b"], ["ab"]),
        ("^a|b$", ["ax", "xb"], ["xax"]),
        ("", ["", "x"], []),
        ("^$", [""], ["a", "\n"]),
        ("(?:)*", ["", "a"], []),
        ("[]", [], ["", "a"]),
    ],
)
def test_ecma_dialect(pattern: str, yes: list[str], no: list[str] | None) -> None:
    if no is None:
        with pytest.raises(RegexError, match="property"):
            compile_regex(pattern, dialect="ecma", anchored=False)
        return
    dfa = compile_regex(pattern, dialect="ecma", anchored=False)
    assert [t for t in yes if not dfa.matches(t)] == []
    assert [t for t in no if dfa.matches(t)] == []


@pytest.mark.parametrize(
    ("pattern", "dialect", "position"),
    [
        ("a(b", "ecma", 1),
        ("ab)", "ecma", 2),
        ("a[b", "ecma", 1),
        ("a**", "ecma", 2),
        ("*a", "ecma", 0),
        ("a|+", "ecma", 2),
        ("[b-a]", "ecma", 2),
        ("a{2,1}", "ecma", 1),
        ("ab\\", "ecma", 2),
        (r"(a)\1", "ecma", 3),
        (r"(?<n>a)\k<n>", "ecma", 7),
        (r"(?P<n>a)(?P=n)", "ecma", 8),
        ("(a)?(?(1)b|c)", "python", 4),
        (r"\p{Klingon}", "ecma", 0),
        ("(?<=a+)b", "python", 0),
        (r"\q", "python", 0),
        ("a(?i)b", "python", 1),
        ("(?Z)", "ecma", 2),
        ("^*", "ecma", 1),
        (r"\u{110000}", "ecma", 0),
        ("(?>a|ab)c", "python", None),
        ("(?:aa|a)*+", "python", 8),
        ("(?<=(?=a))b", "ecma", 4),
    ],
)
def test_errors_have_positions(pattern: str, dialect: str, position: int | None) -> None:
    if position is None:  # exact, by priorities: a choice of groups none of whose words begins another
        dfa = compile_regex(pattern, dialect=dialect, anchored=True)  # type: ignore[arg-type]
        assert dfa.matches("ac")
        assert not dfa.matches("abc")
        return
    for attempt in (check_regex, lambda p, d: compile_regex(p, dialect=d, anchored=True)):
        with pytest.raises(RegexError) as caught:
            attempt(pattern, dialect)
        assert caught.value.position == position
        assert "^" in str(caught.value).splitlines()[-1]


HOSTILE = [
    "a{0,1000000}",
    ".*a.{100000}",
    ".*a.{30}",
    "((a{0,100}){0,100}){0,100}",
    "(a|a)*b",
    "((((a*)*)*)*)*b",
    "(a?){3000}",
    "(?:a?){0,1000}(?:a{1,200}){1,200}",
    "[a-z]{1,1000}",
    "(?:(?=.*a.{12}).)*",
    "(" * 10_000 + ")" * 10_000,
    "(?=" * 60 + ")" * 60,
    "a{99999999999999999999}",
    "(.{1,63}\\.){1,127}",
    "|" * 5000,
    "(?:a|b|c|d){1,300}e{1,300}",
]


@pytest.mark.parametrize("pattern", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_patterns_answer_or_reach_a_limit(pattern: str) -> None:
    for anchored in (True, False):
        try:
            dfa = compile_regex(pattern, dialect="ecma", anchored=anchored)
        except LimitExceeded:
            continue
        else:
            assert dfa.n_states <= Limits().max_dfa_states + 1


def test_counted_repetition_is_linear() -> None:
    assert compile_regex("[a-z]{1,1000}", dialect="ecma", anchored=True).n_states == 1002
    assert compile_regex("^.{1,100}$", dialect="ecma", anchored=False).n_states == 102
    assert compile_regex("(?:ab?){200}", dialect="ecma", anchored=True).n_states == 402


def test_lower_limits_are_heeded_after_a_cached_result() -> None:
    compile_regex("a{90}", dialect="ecma", anchored=True)
    for limits in (Limits(max_dfa_states=50), Limits(max_dfa_states=89)):
        with pytest.raises(LimitExceeded):
            compile_regex("a{90}", dialect="ecma", anchored=True, limits=limits)
        with pytest.raises(LimitExceeded):
            check_regex("a{90}", "ecma", limits)


def test_depth_is_limited() -> None:
    check_regex("(" * MAX_DEPTH + ")" * MAX_DEPTH, "ecma")
    with pytest.raises(LimitExceeded, match="nested"):
        check_regex("(" * (MAX_DEPTH + 1) + ")" * (MAX_DEPTH + 1), "ecma")


def test_unknown_dialect_is_refused() -> None:
    with pytest.raises(ValueError, match="dialect"):
        parse_regex("a", "perl")  # type: ignore[arg-type]


@pytest.mark.parametrize("flags", [re.IGNORECASE, re.MULTILINE, re.DOTALL, re.VERBOSE, re.ASCII, re.I | re.S])
def test_flags_agree_with_re(flags: int) -> None:
    pattern = "^k . \\w [a-s]$ | b # comment"
    rng = random.Random(flags)
    dfa = compile_regex(pattern, dialect="python", anchored=False, flags=flags)
    expected = re.compile(pattern, flags)
    for _ in range(400):
        text = "".join(rng.choice("kK\u212a és \nb#S") for _ in range(rng.randrange(9)))
        assert dfa.matches(text) == bool(expected.search(text)), text
