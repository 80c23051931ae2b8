"""Sets of code points, as flat tuples of inclusive ranges.

A set is a tuple (first, last, first, last, ...) in ascending order, ranges neither overlapping nor adjacent, surrogates
(U+D800..U+DFFF) never in it: a string is a sequence of Unicode scalar values. Tuples are hashable, so that equal sets
are united and the partition of the code points into classes is computed on few of them.

Turned down: Python sets of code points (1.1 million members for `.`) and numpy arrays (slower below about 50 ranges, and
nearly all sets of real patterns have fewer than 10).
"""

from __future__ import annotations

import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

Ranges = tuple[int, ...]

LAST = 0x10FFFF
EMPTY: Ranges = ()
ANY: Ranges = (0, 0xD7FF, 0xE000, LAST)


def normalise(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """The set that unites inclusive (first, last) pairs in any order; surrogates are dropped."""
    out: list[int] = []
    for first, last in sorted(pairs):
        if last < first:
            continue
        if out and first <= out[-1] + 1:
            if last > out[-1]:
                out[-1] = last
        else:
            out += (first, last)
    merged = tuple(out)
    for i in range(0, len(out), 2):
        if out[i] <= 0xDFFF and out[i + 1] >= 0xD800:
            return intersection(merged, ANY)
    return merged


def pairs_of(ranges: Ranges) -> Iterable[tuple[int, int]]:
    """The (first, last) pairs of a set."""
    return zip(ranges[::2], ranges[1::2], strict=True)


def union(*sets: Ranges) -> Ranges:
    """The union of sets."""
    return normalise(pair for ranges in sets for pair in pairs_of(ranges))


def intersection(a: Ranges, b: Ranges) -> Ranges:
    """The code points in both sets."""
    out: list[int] = []
    i = j = 0
    while i < len(a) and j < len(b):
        first, last = max(a[i], b[j]), min(a[i + 1], b[j + 1])
        if first <= last:
            out += (first, last)
        if a[i + 1] < b[j + 1]:
            i += 2
        else:
            j += 2
    return tuple(out)


def complement(ranges: Ranges) -> Ranges:
    """All code points but these (and but surrogates)."""
    out: list[int] = []
    following = 0
    for first, last in pairs_of(ranges):
        if first > following:
            out += (following, first - 1)
        following = last + 1
    if following <= LAST:
        out += (following, LAST)
    return intersection(tuple(out), ANY)


def difference(a: Ranges, b: Ranges) -> Ranges:
    """The code points of `a` that are not in `b`."""
    return intersection(a, complement(b))


def contains(ranges: Ranges, point: int) -> bool:
    """Whether a code point is in the set."""
    return any(first <= point <= last for first, last in pairs_of(ranges))


def of_text(characters: str) -> Ranges:
    """The set of the characters of a string."""
    return normalise((ord(c), ord(c)) for c in characters)


DIGIT_ASCII: Ranges = (0x30, 0x39)
WORD_ASCII: Ranges = (0x30, 0x39, 0x41, 0x5A, 0x5F, 0x5F, 0x61, 0x7A)
SPACE_ASCII: Ranges = (0x09, 0x0D, 0x20, 0x20)
# WhiteSpace and LineTerminator of ECMA-262: TAB VT FF SP NBSP ZWNBSP, category Zs, LF CR LS PS
SPACE_ECMA: Ranges = (0x09, 0x0D, 0x20, 0x20, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F,
                      0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF)  # fmt: skip
NEWLINE: Ranges = (0x0A, 0x0A)
NEWLINE_ECMA: Ranges = (0x0A, 0x0A, 0x0D, 0x0D, 0x2028, 0x2029)


# Reading all 1.1 million code points takes 70 ms, these 10: outside of them nothing is assigned but private use, and no character
# with case is above _CASED. test_charclass.py holds the running Python's tables against both.
_ASSIGNED = (0, 0x33FFF, 0xE0000, 0xE01FF)
_CASED = (0, 0x33FF, 0xA000, 0x1FFFF)


@lru_cache(maxsize=1)
def _category_runs() -> tuple[tuple[int, str], ...]:
    """(first code point, category) of each maximal run of one general category; once per process."""
    category = unicodedata.category
    runs: list[tuple[int, str]] = []
    previous = ""
    for low, high in pairs_of(_ASSIGNED):
        for point in range(low, high + 1):
            current = category(chr(point))
            if current != previous:
                runs.append((point, current))
                previous = current
    previous = runs[-1][1]
    for point in (0xE0200, 0xF0000, 0xFFFFE, 0x100000, 0x10FFFE):
        current = category(chr(point))
        if current != previous:
            runs.append((point, current))
            previous = current
    return tuple(runs)


@lru_cache(maxsize=64)
def category(name: str) -> Ranges:
    """The code points of a general category: two letters, or one letter for a group. Unicode version: that of Python."""
    runs = _category_runs()
    pairs = []
    for i, (first, current) in enumerate(runs):
        if current.startswith(name):
            pairs.append((first, (runs[i + 1][0] if i + 1 < len(runs) else LAST + 1) - 1))
    return normalise(pairs)


@lru_cache(maxsize=1)
def digit_unicode() -> Ranges:
    """`\\d` of Python's `re` on str: category Nd."""
    return category("Nd")


@lru_cache(maxsize=1)
def word_unicode() -> Ranges:
    """`\\w` of Python's `re` on str: str.isalnum (letters and numbers) or the underscore."""
    return union(category("L"), category("N"), (0x5F, 0x5F))


@lru_cache(maxsize=1)
def space_unicode() -> Ranges:
    """`\\s` of Python's `re` on str: str.isspace (no such character is above U+3000)."""
    return normalise((point, point) for point in range(0x3001) if chr(point).isspace())


@lru_cache(maxsize=2)
def _case_variants(python: bool) -> dict[int, tuple[int, ...]]:
    """For each code point with case variants, all code points that match it when case is ignored (itself included).

    ECMA-262 with the u flag: equal simple case folding. Python: equal simple lower case, or lower cases that share
    an upper case (as the tables of `re` pair them).
    """
    groups: dict[int, set[int]] = {}
    key_of: dict[int, int] = {}

    def unite(a: int, b: int) -> None:
        ka, kb = key_of.get(a, a), key_of.get(b, b)
        if ka == kb:
            return
        ga = groups.setdefault(ka, {ka})
        gb = groups.pop(kb, {kb})
        ga |= gb
        for member in gb:
            key_of[member] = ka

    for point in chain(*(range(low, high + 1) for low, high in pairs_of(_CASED))):
        c = chr(point)
        folded = c.casefold() if not python else c.lower()
        if len(folded) != 1:
            # a full mapping to several characters: the simple one is the lower case if that is one character
            folded = c.lower() if not python else "i"
            if len(folded) != 1:
                continue
        if folded != c and not (not python and point == 0x130):
            unite(ord(folded), point)
        elif python and c.islower():
            upper = c.upper()
            if len(upper) == 1 and upper != c and len(upper.lower()) == 1 and upper.lower() != c:
                unite(ord(upper.lower()), point)
    if python:
        # pairs of lower-case letters whose upper cases coincide only in the full mapping
        for a, b in ((0x390, 0x1FD3), (0x3B0, 0x1FE3), (0xFB05, 0xFB06)):
            unite(a, b)
    return {member: tuple(sorted(group)) for group in groups.values() for member in group}


@lru_cache(maxsize=1024)
def ignore_case(ranges: Ranges, *, python: bool, ascii_only: bool = False) -> Ranges:
    """The set closed under simple case variants. ascii_only: of the letters of ASCII, among themselves."""
    pairs = list(pairs_of(ranges))
    if ascii_only or not ranges or ranges[-1] < 0x80:
        # in ASCII only these letters have variants outside of it: kelvin sign, long s, dotted and dotless i
        for low, other in ((0x6B, (0x212A,)), (0x73, (0x17F,)), (0x69, (0x130, 0x131) if python else ())):
            if not ascii_only and (contains(ranges, low) or contains(ranges, low - 32)):
                pairs += [(point, point) for point in other]
        pairs += [(max(first, 0x41) + 32, min(last, 0x5A) + 32) for first, last in pairs_of(ranges)]
        pairs += [(max(first, 0x61) - 32, min(last, 0x7A) - 32) for first, last in pairs_of(ranges)]
        return normalise(pairs)
    firsts = ranges[::2]
    for point, group in _case_variants(python).items():
        at = bisect_right(firsts, point) - 1
        if at >= 0 and point <= ranges[2 * at + 1]:
            pairs += [(other, other) for other in group]
    return normalise(pairs)


# \p{L}, \p{Letter}, \p{gc=L}, \p{General_Category=Letter}: the long names of the general categories
CATEGORY_NAMES = {
    "Other": "C", "Control": "Cc", "cntrl": "Cc", "Format": "Cf", "Unassigned": "Cn", "Private_Use": "Co", "Surrogate": "Cs",
    "Letter": "L", "Cased_Letter": "LC", "Lowercase_Letter": "Ll", "Modifier_Letter": "Lm", "Other_Letter": "Lo",
    "Titlecase_Letter": "Lt", "Uppercase_Letter": "Lu", "Mark": "M", "Combining_Mark": "M", "Spacing_Mark": "Mc",
    "Enclosing_Mark": "Me", "Nonspacing_Mark": "Mn", "Number": "N", "Decimal_Number": "Nd", "digit": "Nd",
    "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc",
    "Dash_Punctuation": "Pd", "Close_Punctuation": "Pe", "Final_Punctuation": "Pf", "Initial_Punctuation": "Pi",
    "Other_Punctuation": "Po", "Open_Punctuation": "Ps", "Symbol": "S", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk",
    "Math_Symbol": "Sm", "Other_Symbol": "So", "Separator": "Z", "Line_Separator": "Zl", "Paragraph_Separator": "Zp",
    "Space_Separator": "Zs",
}  # fmt: skip
_SHORT_CATEGORIES = frozenset(CATEGORY_NAMES.values())


def unicode_property(name: str) -> Ranges | None:
    """The set of `\\p{name}`, or None if the property is not known here.

    Known: general categories (short and long names, `gc=`), Any, ASCII, ASCII_Hex_Digit, White_Space, Alphabetic-like
    Python tests are not offered, because Python's tables hold no such property; neither are scripts.
    """
    key, equals, value = name.partition("=")
    if equals:
        if key not in ("gc", "General_Category"):
            return None
        name = value
    elif name == "Any":
        return ANY
    elif name == "ASCII":
        return (0, 0x7F)
    elif name in ("ASCII_Hex_Digit", "AHex"):
        return (0x30, 0x39, 0x41, 0x46, 0x61, 0x66)
    elif name in ("White_Space", "space"):
        return union(difference(SPACE_ECMA, (0xFEFF, 0xFEFF)), (0x85, 0x85))
    elif name == "Assigned":
        return complement(category("Cn"))
    short = CATEGORY_NAMES.get(name, name)
    if short not in _SHORT_CATEGORIES:
        return None
    if short == "LC":
        return union(category("Lu"), category("Ll"), category("Lt"))
    return category(short)


# Python 3.14 changed `\B`: it now matches in the empty string
EMPTY_IS_NO_BOUNDARY = sys.version_info >= (3, 14)
