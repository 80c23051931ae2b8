"""For each format a language that surely holds every string of it, by its RFC or by `jsonschema`'s checker, whichever is wider.

Under `not` (and in `oneOf`, `if`) what counts is that a string is surely *not* of a format, and the automata of formats.py leave out
strings that a reader may take. Out: one builder per format; a wide language is fine here, a narrow one would let invalid values
through. Where the two agree (ipv4, ipv6, json-pointer) there is no builder, and the format's own automaton serves.

Turned down: the checker's exact languages (its `uuid` takes braces in odd places, its `duration` dates).
"""

from __future__ import annotations

from collections.abc import Callable

from structgen.lexemes import charclass, formats_text, formats_uri
from structgen.lexemes.dfa import CharDfa, strings_over
from structgen.lexemes.formats_grammar import LIMITS, whole

_ANY = "[\\s\\S]"


def _mail() -> CharDfa:
    # the checker asks for no more
    return whole(f"{_ANY}*@{_ANY}*")


def _hostname() -> CharDfa:
    # the checker ignores case (which adds the dotless i, the long s and the kelvin sign) and takes all decimal digits
    letters = charclass.of_text("-.\n\u0131\u017f\u212a")
    return strings_over(charclass.union(letters, charclass.WORD_ASCII, charclass.digit_unicode()))


def _idn_hostname() -> CharDfa:
    # whatever Unicode version the reader has: anything beyond ASCII
    ascii_characters = charclass.union(charclass.of_text("-."), charclass.WORD_ASCII)
    return strings_over(charclass.union(ascii_characters, (0x80, charclass.LAST)))


def _uuid() -> CharDfa:
    # the checker takes out `urn:`, `uuid:`, braces at the ends and further dashes, and counts what is left
    dashes = f"{_ANY}{{8}}-{_ANY}{{4}}-{_ANY}{{4}}-{_ANY}{{4}}-"
    longer = whole(f"{dashes}{_ANY}*").intersect(whole(f"{_ANY}*[u{{}}]{_ANY}*|(?:{_ANY}*-){{5}}{_ANY}*"), LIMITS)
    return whole(f"{dashes}{_ANY}{{12}}").unite(longer, LIMITS)


def _relative_json_pointer() -> CharDfa:
    return whole(f"[0-9\\x80-\\U0010ffff]{_ANY}*")


def _regex() -> CharDfa:
    # surely wrong: nothing to repeat, nothing to close, nothing behind the only backslash
    return whole(f"[*+?)]{_ANY}*|[^\\\\]*\\\\").complement(LIMITS)


SUPERSETS: dict[str, Callable[[], CharDfa]] = {
    "date": lambda: whole(formats_text.DATE_OR_YEAR_0),
    "time": lambda: whole(formats_text.WIDE_TIME),
    "date-time": lambda: whole(f"{formats_text.DATE_OR_YEAR_0}[Tt]{formats_text.WIDE_TIME}"),
    "duration": lambda: whole(f"[+-]?P{_ANY}*"),
    "email": _mail,
    "idn-email": _mail,
    "hostname": _hostname,
    "idn-hostname": _idn_hostname,
    "uri": formats_uri.wide_uri,
    "uri-reference": formats_uri.wide_uri_reference,
    "uri-template": lambda: whole("(?:[^{}]|\\{[^}]*\\})*"),
    "iri": formats_uri.wide_iri,
    "iri-reference": formats_uri.wide_iri_reference,
    "uuid": _uuid,
    "relative-json-pointer": _relative_json_pointer,
    "regex": _regex,
}
