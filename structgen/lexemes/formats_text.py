"""Formats whose grammar is short: dates and times, mail addresses, host names, network addresses, UUIDs, JSON Pointers.

Out: one builder per format, called by `formats.format_dfa`, which says in its docstring what each follows.
"""

from __future__ import annotations

from structgen.lexemes.dfa import CharDfa, length_between
from structgen.lexemes.formats_grammar import DIGIT as _D
from structgen.lexemes.formats_grammar import LIMITS, any_of, whole

_YEAR = any_of("000[1-9]", f"00[1-9]{_D}", f"0[1-9]{_D}{{2}}", f"[1-9]{_D}{{3}}")
_LEAP_YEAR = any_of(f"{_D}{{2}}(?:0[48]|[2468][048]|[13579][26])", "(?:0[48]|[2468][048]|[13579][26])00")
_DATE = any_of(
    f"{_YEAR}-(?:0[13578]|1[02])-(?:0[1-9]|[12]{_D}|3[01])",
    f"{_YEAR}-(?:0[469]|11)-(?:0[1-9]|[12]{_D}|30)",
    f"{_YEAR}-02-(?:0[1-9]|1{_D}|2[0-8])",
    f"{_LEAP_YEAR}-02-29",
)
_HOUR_MINUTE = f"(?:[01]{_D}|2[0-3]):[0-5]{_D}"
_TIME = f"{_HOUR_MINUTE}:[0-5]{_D}(?:\\.{_D}+)?(?:[Zz]|[+-]{_HOUR_MINUTE})"
# also the year 0000 and leap seconds, which RFC 3339 has, and a newline at the end, which the checker takes
DATE_OR_YEAR_0 = any_of(_DATE, f"0000-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]{_D}|3[01])")
WIDE_TIME = f"{_HOUR_MINUTE}:(?:[0-5]{_D}|60)(?:\\.{_D}+)?(?:[Zz]|[+-]{_HOUR_MINUTE})\\n?"

_TIME_UNITS = any_of(f"{_D}+H(?:{_D}+M)?(?:{_D}+S)?", f"{_D}+M(?:{_D}+S)?", f"{_D}+S")
_DATE_UNITS = any_of(f"{_D}+Y(?:{_D}+M)?(?:{_D}+D)?", f"{_D}+M(?:{_D}+D)?", f"{_D}+D")
_DURATION = f"P(?:{_DATE_UNITS}(?:T{_TIME_UNITS})?|T{_TIME_UNITS}|{_D}+W)"

_OCTET = any_of("25[0-5]", f"2[0-4]{_D}", f"1{_D}{{2}}", f"[1-9]?{_D}")
IPV4 = f"{_OCTET}(?:\\.{_OCTET}){{3}}"
_H16 = "[0-9A-Fa-f]{1,4}"
_LS32 = any_of(f"{_H16}:{_H16}", IPV4)
IPV6 = any_of(
    f"(?:{_H16}:){{6}}{_LS32}",
    *(
        # `before` groups at most, then `::`, then exactly `after` groups of which the last two may be an IPv4 address
        (f"(?:{_H16}(?::{_H16}){{0,{before - 1}}})?" if before else "")
        + "::"
        + (f"(?:{_H16}:){{{after - 2}}}{_LS32}" if after >= 2 else _H16 if after == 1 else "")
        for before, after in ((7 - k, k) for k in range(8))
    ),
)

_ATEXT = "-A-Za-z0-9!#$%&'*+/=?^_`{|}~"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_LABEL_63 = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS_LITERAL = f"\\[(?:{IPV4}|IPv6:{IPV6})\\]"

_UUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_JSON_POINTER = "(?:/(?:[^~/]|~[01])*)*"
# the checker takes no digit after a zero, wherever it stands (it rejects 100), and the number is seldom above 9
_STEPS_UP = "(?:0|[1-9]+0?)"


def local_part(beyond_ascii: str = "") -> str:
    """What stands before the @ (RFC 5321; with a range of characters beyond ASCII: RFC 6531)."""
    atom = f"[{_ATEXT}{beyond_ascii}]+"
    return any_of(f"{atom}(?:\\.{atom})*", f'"(?:[ !#-\\[\\]-~{beyond_ascii}]|\\\\[ -~])*"')


def date() -> CharDfa:
    return whole(_DATE)


def time() -> CharDfa:
    return whole(_TIME)


def date_time() -> CharDfa:
    return whole(f"{_DATE}[Tt]{_TIME}")


def duration() -> CharDfa:
    return whole(_DURATION)


def email() -> CharDfa:
    return whole(f"{local_part()}@(?:{_LABEL}(?:\\.{_LABEL})*|{ADDRESS_LITERAL})")


def hostname() -> CharDfa:
    return whole(f"{_LABEL_63}(?:\\.{_LABEL_63})*").intersect(length_between(1, 253), LIMITS)


def ipv4() -> CharDfa:
    return whole(IPV4)


def ipv6() -> CharDfa:
    return whole(IPV6)


def uuid() -> CharDfa:
    return whole(_UUID)


def json_pointer() -> CharDfa:
    return whole(_JSON_POINTER)


def relative_json_pointer() -> CharDfa:
    return whole(f"{_STEPS_UP}(?:#|{_JSON_POINTER})")
