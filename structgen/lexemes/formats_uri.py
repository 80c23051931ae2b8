"""URIs (RFC 3986), IRIs (RFC 3987) and URI templates (RFC 6570), each by its RFC's grammar.

Out: one builder per format, called by `formats.format_dfa`, which says where they are narrower than the RFC. URIs and IRIs share one
grammar: an IRI has characters beyond ASCII wherever a URI has unreserved ones, and those for private use in its query.
"""

from __future__ import annotations

from structgen.lexemes.dfa import CharDfa
from structgen.lexemes.formats_grammar import HEX_DIGIT, any_of, whole
from structgen.lexemes.formats_text import IPV6

_UNRESERVED, _SUB_DELIMS = "A-Za-z0-9._~-", "!$&'()*+,;="
_PERCENT = f"%{HEX_DIGIT}{{2}}"
# `ucschar` of RFC 3987 without the marks of direction that its section 4.1 forbids (U+200E-200F, U+202A-202E)
_BEYOND_ASCII = "\\xa0-\\u200d\\u2010-\\u2029\\u202f-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\uffef" + "".join(
    f"\\U{plane:04x}{0x1000 if plane == 14 else 0:04x}-\\U{plane:04x}fffd" for plane in range(1, 15)
)
_MARKS_OF_DIRECTION = "\\u200e-\\u200f\\u202a-\\u202e"
_PRIVATE = "\\ue000-\\uf8ff\\U000f0000-\\U000ffffd\\U00100000-\\U0010fffd"
_VARIABLE = f"[A-Za-z0-9_](?:\\.?(?:[A-Za-z0-9_]|{_PERCENT}))*(?::[1-9][0-9]{{0,2}}|\\*)?"


def _grammar(beyond_ascii: str, private: str, ip_literal: str) -> tuple[str, str]:
    """(absolute or with a fragment, any reference): the RFC's `URI` and `URI-reference`, or `IRI` and `IRI-reference`."""

    def characters(extra: str) -> str:
        return f"(?:[{extra}{_SUB_DELIMS}{beyond_ascii}{_UNRESERVED}]|{_PERCENT})"

    segment = characters(":@")
    authority = f"(?:{characters(':')}*@)?(?:{ip_literal}|{characters('')}*)(?::[0-9]*)?"
    with_authority = f"//{authority}(?:/{segment}*)*"
    absolute_path = f"/(?:{segment}+(?:/{segment}*)*)?"
    after_scheme = any_of(with_authority, absolute_path, f"{segment}+(?:/{segment}*)*", "")
    relative = any_of(with_authority, absolute_path, f"{characters('@')}+(?:/{segment}*)*", "")
    end = f"(?:\\?{characters('/?:@' + private)}*)?(?:#{characters('/?:@')}*)?"
    scheme = "[A-Za-z][A-Za-z0-9+.-]*:"
    return f"{scheme}{after_scheme}{end}", f"(?:{scheme}{after_scheme}|{relative}){end}"


# the v of an address of a future version is lower case, as the checker wants it
_LITERAL = f"\\[(?:{IPV6}|v{HEX_DIGIT}+\\.[:{_SUB_DELIMS}{_UNRESERVED}]+)\\]"
_URI, _URI_REFERENCE = _grammar("", "", _LITERAL)
_IRI, _IRI_REFERENCE = _grammar(_BEYOND_ASCII, _PRIVATE, _LITERAL)
# leading zeros in the decimal end of an address (the checker takes them), an upper-case V (the RFC does), marks of direction (the
# grammar does), a newline at the end (the checker's `$`)
_WIDE_LITERAL = f"\\[[:.{_SUB_DELIMS}{_UNRESERVED}]+\\]"
_WIDE_URI, _WIDE_URI_REFERENCE = _grammar("", "", _WIDE_LITERAL)
_WIDE_IRI, _WIDE_IRI_REFERENCE = _grammar(_BEYOND_ASCII + _MARKS_OF_DIRECTION, _PRIVATE, _WIDE_LITERAL)


def uri() -> CharDfa:
    return whole(_URI)


def uri_reference() -> CharDfa:
    return whole(_URI_REFERENCE)


def iri() -> CharDfa:
    return whole(_IRI)


def iri_reference() -> CharDfa:
    return whole(_IRI_REFERENCE)


def wide_uri() -> CharDfa:
    return whole(f"(?:{_WIDE_URI})\\n?")


def wide_uri_reference() -> CharDfa:
    return whole(f"(?:{_WIDE_URI_REFERENCE})\\n?")


def wide_iri() -> CharDfa:
    return whole(f"(?:{_WIDE_IRI})\\n?")


def wide_iri_reference() -> CharDfa:
    return whole(f"(?:{_WIDE_IRI_REFERENCE})\\n?")


def uri_template() -> CharDfa:
    # the apostrophe is by erratum 6937; operators that the RFC only reserves are left out
    literal = f"[!#$&-;=?-\\[\\]_a-z~{_BEYOND_ASCII}{_PRIVATE}]"
    expression = f"\\{{[+#./;?&]?{_VARIABLE}(?:,{_VARIABLE})*\\}}"
    return whole(f"(?:{literal}|{_PERCENT}|{expression})*")
