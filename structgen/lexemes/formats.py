"""The formats of JSON Schema as automata over the decoded string.

In: a format's name. Out: a `CharDfa`, built on first use and kept for the process. Each language follows its RFC and is a subset of
what `jsonschema`'s format checker accepts, so that what is generated validates; where valid strings are left out, `formats_notes` says
which and why.

    date, time, date-time   RFC 3339 with real month lengths and leap years; `T` and `Z` in either case; no year 0000 and no leap
                            second (Python's dates and the checker know neither)
    duration                ISO 8601 as in RFC 3339 appendix A, integers only; a unit may be left out between two others
    email                   RFC 5321 mailbox: dot-string or quoted string, domain or address literal; lengths are not limited
    idn-email               RFC 6531: also characters beyond ASCII, in the domain as `idn-hostname` has them
    hostname                RFC 1123 with labels of 1-63 and a whole of at most 253 characters, no trailing dot
    idn-hostname            RFC 5890-5893; see formats_idna.py for what an automaton can know of it
    ipv4, ipv6              RFC 2673 dotted quad without leading zeros; RFC 4291 with every place of `::`, no zone
    uri, uri-reference      RFC 3986 (in an address of a future version the v is lower case, as the checker wants it)
    iri, iri-reference      RFC 3987, without the marks of direction that its section 4.1 forbids
    uri-template            RFC 6570 with erratum 6937; as the checker wants it, prefixes below 1,000 and no variable that begins
                            with a percent sign
    uuid                    RFC 4122, either case
    json-pointer            RFC 6901
    relative-json-pointer   draft-handrews-relative-json-pointer-01; as the checker wants it, no digit after a zero
    regex                   what both ECMA-262 (with its Annex B) and Python read alike, to a depth; see formats_regex.py

Drafts differ in which of these they name, not in what a name means; draft 3 has names of its own. `color`, `phone` and `style` of draft 3
are in no later draft and are not offered. Turned down: checking formats after the fact (a mask must not lead into a dead end).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from structgen.lexemes import formats_idna, formats_regex, formats_text, formats_uri
from structgen.lexemes.dfa import CharDfa
from structgen.lexemes.formats_superset import SUPERSETS

_BUILDERS: dict[str, Callable[[], CharDfa]] = {
    "date": formats_text.date,
    "time": formats_text.time,
    "date-time": formats_text.date_time,
    "duration": formats_text.duration,
    "email": formats_text.email,
    "idn-email": formats_idna.idn_email,
    "hostname": formats_text.hostname,
    "idn-hostname": formats_idna.idn_hostname,
    "ipv4": formats_text.ipv4,
    "ipv6": formats_text.ipv6,
    "uri": formats_uri.uri,
    "uri-reference": formats_uri.uri_reference,
    "uri-template": formats_uri.uri_template,
    "iri": formats_uri.iri,
    "iri-reference": formats_uri.iri_reference,
    "uuid": formats_text.uuid,
    "json-pointer": formats_text.json_pointer,
    "relative-json-pointer": formats_text.relative_json_pointer,
    "regex": formats_regex.regex,
}
_DRAFT3_NAMES = {"ip-address": "ipv4", "host-name": "hostname"}


@lru_cache(maxsize=64)
def _build(name: str) -> CharDfa:
    return _BUILDERS[name]()


def format_dfa(name: str, draft: str = "draft2020-12") -> CharDfa | None:
    """The strings of a format, None if the format is unknown.

    draft: the name of the schema's dialect. A format is enforced whichever draft introduced it (schemas use `uuid` under draft 4);
    "draft3" adds its own names `ip-address` and `host-name`.
    """
    if draft == "draft3":
        name = _DRAFT3_NAMES.get(name, name)
    return _build(name) if name in _BUILDERS else None


@lru_cache(maxsize=64)
def _build_superset(name: str) -> CharDfa:
    return SUPERSETS[name]() if name in SUPERSETS else _build(name)


def format_superset(name: str, draft: str = "draft2020-12") -> CharDfa | None:
    """A language that holds every string that is of a format for any reader, so that outside of it are those that surely are not.

    For what is negated; `format_dfa` is within it. Arguments as for `format_dfa`.
    """
    if draft == "draft3":
        name = _DRAFT3_NAMES.get(name, name)
    return _build_superset(name) if name in _BUILDERS else None
