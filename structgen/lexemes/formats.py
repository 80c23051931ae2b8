"""The formats of JSON Schema as automata over the decoded string.

In: a format's name. Out: a `CharDfa`, built on first use and kept for the process. Each language follows its RFC and is a subset of
what `jsonschema`'s format checker accepts, so that what is generated validates; where the two differ the notes say how.

    date, time, date-time   RFC 3339 with real month lengths and leap years; `T` and `Z` in either case; no year 0000 and no leap
                            second (Python's dates and the checker know neither)
    duration                ISO 8601 as in RFC 3339 appendix A, integers only; a unit may be left out between two others
    email                   RFC 5321 mailbox: dot-string or quoted string, domain or address literal; lengths are not limited
    hostname                RFC 1123 with labels of 1-63 and a whole of at most 253 characters, no trailing dot
    ipv4, ipv6              RFC 2673 dotted quad without leading zeros; RFC 4291 with every place of `::`, no zone
    uri, uri-reference      RFC 3986 (in an address of a future version the v is lower case, as the checker wants it)
    uuid                    RFC 4122, either case
    json-pointer            RFC 6901
    regex                   what both ECMA-262 (with its Annex B) and Python read alike: no look-behind, names, back-references or
                            property escapes; groups nested up to `REGEX_DEPTH`; counts below 1,000, and in `{n,m}` m has more digits
                            or a greater first one; ranges in classes of letters, of digits, of hexadecimal escapes likewise

Turned down: checking formats after the fact (a mask must not lead into a dead end).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from structgen.errors import Limits
from structgen.lexemes.dfa import CharDfa, char_dfa, length_between, partition
from structgen.lexemes.lookaround import language
from structgen.lexemes.regex import compile_regex
from structgen.lexemes.regex_syntax import Choice, Embedded, Repeat, Sequence

FORMATS_LATER = frozenset(
    {"idn-email", "idn-hostname", "iri", "iri-reference", "relative-json-pointer", "uri-template"}
)
REGEX_DEPTH = 4

# a noncharacter that stands for the inside of a group while the automaton of regexes is built
_GROUP = "\U0010ffff"

# the formats are fixed, so their automata are bounded by their own size and not by a user's limits
_LIMITS = Limits(max_dfa_steps=50_000_000)
_DRAFT3_NAMES = {"ip-address": "ipv4", "host-name": "hostname"}


def _compile(pattern: str) -> CharDfa:
    return compile_regex(pattern, dialect="python", anchored=True, limits=_LIMITS)


def _any_of(*options: str) -> str:
    return "(?:" + "|".join(options) + ")"


_D = "[0-9]"
_YEAR = _any_of("000[1-9]", f"00[1-9]{_D}", f"0[1-9]{_D}{{2}}", f"[1-9]{_D}{{3}}")
_LEAP_YEAR = _any_of(f"{_D}{{2}}(?:0[48]|[2468][048]|[13579][26])", "(?:0[48]|[2468][048]|[13579][26])00")
_DATE = _any_of(
    f"{_YEAR}-(?:0[13578]|1[02])-(?:0[1-9]|[12]{_D}|3[01])",
    f"{_YEAR}-(?:0[469]|11)-(?:0[1-9]|[12]{_D}|30)",
    f"{_YEAR}-02-(?:0[1-9]|1{_D}|2[0-8])",
    f"{_LEAP_YEAR}-02-29",
)
_HOUR_MINUTE = f"(?:[01]{_D}|2[0-3]):[0-5]{_D}"
_TIME = f"{_HOUR_MINUTE}:[0-5]{_D}(?:\\.{_D}+)?(?:[Zz]|[+-]{_HOUR_MINUTE})"

_TIME_UNITS = _any_of(f"{_D}+H(?:{_D}+M)?(?:{_D}+S)?", f"{_D}+M(?:{_D}+S)?", f"{_D}+S")
_DATE_UNITS = _any_of(f"{_D}+Y(?:{_D}+M)?(?:{_D}+D)?", f"{_D}+M(?:{_D}+D)?", f"{_D}+D")
_DURATION = f"P(?:{_DATE_UNITS}(?:T{_TIME_UNITS})?|T{_TIME_UNITS}|{_D}+W)"

_OCTET = _any_of("25[0-5]", f"2[0-4]{_D}", f"1{_D}{{2}}", f"[1-9]?{_D}")
_IPV4 = f"{_OCTET}(?:\\.{_OCTET}){{3}}"
_H16 = "[0-9A-Fa-f]{1,4}"
_LS32 = _any_of(f"{_H16}:{_H16}", _IPV4)
_IPV6 = _any_of(
    f"(?:{_H16}:){{6}}{_LS32}",
    *(
        # `before` groups at most, then `::`, then exactly `after` groups of which the last two may be an IPv4 address
        (f"(?:{_H16}(?::{_H16}){{0,{before - 1}}})?" if before else "")
        + "::"
        + (f"(?:{_H16}:){{{after - 2}}}{_LS32}" if after >= 2 else _H16 if after == 1 else "")
        for before, after in ((7 - k, k) for k in range(8))
    ),
)

_ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_QUOTED = '"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"'
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS_LITERAL = f"\\[(?:{_IPV4}|IPv6:{_IPV6})\\]"
_EMAIL = f"(?:{_ATEXT}+(?:\\.{_ATEXT}+)*|{_QUOTED})@(?:{_LABEL}(?:\\.{_LABEL})*|{_ADDRESS_LITERAL})"

_LABEL_63 = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

_UNRESERVED, _SUB_DELIMS = "A-Za-z0-9._~-", "!$&'()*+,;="
_PERCENT = "%[0-9A-Fa-f]{2}"


def _uri_characters(extra: str) -> str:
    return f"(?:[{extra}{_SUB_DELIMS}{_UNRESERVED}]|{_PERCENT})"


_PCHAR = _uri_characters(":@")
_IP_LITERAL = f"\\[(?:{_IPV6}|v[0-9A-Fa-f]+\\.[:{_SUB_DELIMS}{_UNRESERVED}]+)\\]"
_AUTHORITY = f"(?:{_uri_characters(':')}*@)?(?:{_IP_LITERAL}|{_uri_characters('')}*)(?::[0-9]*)?"
_ABSOLUTE_PATH = f"/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?"
_AFTER_SCHEME = _any_of(f"//{_AUTHORITY}(?:/{_PCHAR}*)*", _ABSOLUTE_PATH, f"{_PCHAR}+(?:/{_PCHAR}*)*", "")
_AFTER_NOTHING = _any_of(
    f"//{_AUTHORITY}(?:/{_PCHAR}*)*", _ABSOLUTE_PATH, f"{_uri_characters('@')}+(?:/{_PCHAR}*)*", ""
)
_QUERY_AND_FRAGMENT = f"(?:\\?{_uri_characters('/?:@')}*)?(?:#{_uri_characters('/?:@')}*)?"
_SCHEME = "[A-Za-z][A-Za-z0-9+.-]*"
_URI = f"{_SCHEME}:{_AFTER_SCHEME}{_QUERY_AND_FRAGMENT}"
_URI_REFERENCE = f"(?:{_SCHEME}:{_AFTER_SCHEME}|{_AFTER_NOTHING}){_QUERY_AND_FRAGMENT}"

_UUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_JSON_POINTER = "(?:/(?:[^~/]|~[01])*)*"


def _hostname() -> CharDfa:
    return _compile(f"{_LABEL_63}(?:\\.{_LABEL_63})*").intersect(length_between(1, 253), _LIMITS)


_HEX4 = "(?:[0-9A-CE-Fa-ce-f][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2})"
_ESCAPE = f"\\\\(?:[dDwWsSfnrtv]|[!-/:-@\\[-`{{-~ ]|x[0-9A-Fa-f]{{2}}|u{_HEX4})"
# ^ ] \ - have a meaning in a class
_CLASS_CHARACTER = "[ -,.-\\[_-~\\x80-\\U0010ffff]"


def _ascending(prefix: str, digits: str, tail: str) -> str:
    """Ranges whose ends differ in one hexadecimal digit that is greater at the end, whatever follows it."""
    folded = [d if d.isdigit() else d + d.upper() for d in digits]
    return _any_of(
        *(f"{prefix}[{folded[i]}]{tail}-{prefix}[{''.join(folded[i + 1 :])}]{tail}" for i in range(len(digits) - 1))
    )


def _regex_class() -> CharDfa:
    """Bracketed classes; the ends of a range must ascend, so each low end has its own choice of high ends."""
    ranges = ["[ !]-~"]
    for run in ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"):
        ranges += [f"{low}-[{run[i:]}]" for i, low in enumerate(run)]
    hexadecimal = "0123456789abcdef"
    ranges.append(_ascending("\\\\x", hexadecimal, "[0-9A-Fa-f]"))
    ranges.append(_ascending("\\\\u", hexadecimal[:13], "[0-9A-Fa-f]{3}"))
    ranges.append(_ascending("\\\\u00", hexadecimal, "[0-9A-Fa-f]"))
    item = _any_of(*ranges, _CLASS_CHARACTER, _ESCAPE)
    return _compile(f"\\[\\^?(?:-?{item}+-?|-)\\]")


def _regex_quantifier() -> CharDfa:
    """The optional quantifier; in {n,m} either m has more digits, or its first digit is greater, or both have one digit."""
    ordered = [f"{n},[{n}-9]" for n in range(10)]
    ordered += [f"{n}[0-9],[{n + 1}-9][0-9]" for n in range(1, 9)]
    ordered += ["[0-9],[1-9][0-9]{1,2}", "[1-9][0-9],[1-9][0-9]{2}"]
    return _compile(f"(?:(?:[*+?]|\\{{(?:(?:0|[1-9][0-9]{{0,2}}),?|{_any_of(*ordered)})\\}})\\??)?")


def _regex_level() -> CharDfa:
    """What stands between two brackets, with a group written as `(` and `_GROUP`."""
    atom = _compile("[^\\\\^$.*+?()\\[{|" + _GROUP + "]|\\.|" + _ESCAPE).unite(_regex_class(), _LIMITS)
    group = _compile("\\(" + _GROUP)
    quantified = Sequence([Embedded(atom.unite(group, _LIMITS)), Embedded(_regex_quantifier())])
    other = _compile(r"[$^|]|\\[bB]")
    return language(Repeat(Choice([quantified, Embedded(other)]), 0, None, "greedy", 0), "", _LIMITS)


def _regex() -> CharDfa:
    """One copy of the level's automaton for each depth; `(` goes down to the next one, `)` comes back up."""
    level = _regex_level()
    bounds, classes, members = partition(
        [*level.class_ranges(), *((ord(c), ord(c)) for c in ("(", ")", "?", ":", "=", "!", _GROUP))]
    )
    points = [bounds[classes.index(c)] for c in range(len(members))]
    column = {c: classes[bounds.index(ord(c))] for c in ("(", ")", "?", ":", "=", "!", _GROUP)}
    table = level.trans[:, [level.class_of(point) for point in points]]
    n = level.n_states
    group_begun = int(table[level.start, column["("]])
    group_read = int(table[group_begun, column[_GROUP]])
    n_levels = REGEX_DEPTH + 1
    # states: level d has those of its copy at d * n, and two behind all copies: after `(` and after `(?`
    trans = np.zeros((n_levels * (n + 2), table.shape[1]), np.int32)
    accepts = level.accept
    for depth in range(n_levels):
        base, opened = depth * n, n_levels * n + 2 * depth
        copy = np.where(table != 0, table + base, 0)
        copy[:, column[_GROUP]] = 0
        # brackets in a class or behind a backslash are characters, and stay in the copy
        down = opened + 2 if depth < REGEX_DEPTH else 0
        copy[:, column["("]] = np.where(table[:, column["("]] == group_begun, down, copy[:, column["("]])
        if depth:
            copy[:, column[")"]] = np.where(accepts, base - n + group_read, copy[:, column[")"]])
        trans[base : base + n] = copy
        trans[opened] = copy[level.start]
        trans[opened, column["?"]] = opened + 1
        for c in (":", "=", "!"):
            trans[opened + 1, column[c]] = base + level.start
    trans[0] = 0
    tags = np.full(trans.shape[0], -1, np.int32)
    tags[:n] = level.tags
    return char_dfa(bounds, classes, trans, tags, level.start)


_BUILDERS: dict[str, Callable[[], CharDfa]] = {
    "date": lambda: _compile(_DATE),
    "time": lambda: _compile(_TIME),
    "date-time": lambda: _compile(f"{_DATE}[Tt]{_TIME}"),
    "duration": lambda: _compile(_DURATION),
    "email": lambda: _compile(_EMAIL),
    "hostname": _hostname,
    "ipv4": lambda: _compile(_IPV4),
    "ipv6": lambda: _compile(_IPV6),
    "uri": lambda: _compile(_URI),
    "uri-reference": lambda: _compile(_URI_REFERENCE),
    "uuid": lambda: _compile(_UUID),
    "json-pointer": lambda: _compile(_JSON_POINTER),
    "regex": _regex,
}


@lru_cache(maxsize=64)
def _build(name: str) -> CharDfa:
    return _BUILDERS[name]()


def format_dfa(name: str, draft: str = "draft2020-12") -> CharDfa | None:
    """The strings of a format, None if the format is not enforced here (unknown, or one of `FORMATS_LATER`).

    draft: the name of the schema's dialect. A format is enforced whichever draft introduced it (schemas use `uuid` under draft 4);
    "draft3" adds its own names `ip-address` and `host-name`.
    """
    if draft == "draft3":
        name = _DRAFT3_NAMES.get(name, name)
    return _build(name) if name in _BUILDERS else None
