"""The characters of internationalised host names (RFC 5892), sorted into the kinds that the rules of a label tell apart.

In: Python's `unicodedata`, so that its Unicode version decides and nothing else need be installed. Out: `characters_by_kind()`, once
per process. A character is permitted if RFC 5892 derives PVALID for it, or if it is one of those that need a context (CONTEXTJ, CONTEXTO).

What `unicodedata` lacks is taken from what it has, and never too wide: the script of a character from its block, and how an Arabic
letter joins from the presentation forms that decompose to it (so letters of Syriac, N'Ko or Mongolian join with nothing here).

Kinds: "letter" a letter, digit or mark of combining class 0 that composes with nothing; "composing" one that some mark composes with
(in normalisation form C) or that is itself composed; "vowel sign" a mark of class 0 that composes with a character before it; with "m-"
before them marks of class 0, which cannot begin a label; ("mark", n) marks of other classes, n the place of the class in `MARK_ORDER`,
("joining mark", n) those of them that compose. Scripts that get longer labels have kinds of their own, see `BLOCKS`; right-to-left letters
and marks too. Turned down: the tables of the `idna` package (not a dependency; a mask must not depend on what is installed).
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from structgen.lexemes import charclass
from structgen.lexemes.charclass import Ranges, pairs_of

Kind = str | tuple[str, int]

# blocks whose characters get a kind of their own
BLOCKS: dict[str, Ranges] = {
    "latin": (0xDF, 0x24F, 0x1E00, 0x1EFF),
    "greek": (0x37B, 0x3E1, 0x3F0, 0x3FF),
    "greek extended": (0x1F00, 0x1FFF),
    "cyrillic": (0x430, 0x4FF),
    "georgian": (0x10D0, 0x10FF),
    "kana": (0x3041, 0x3096, 0x309D, 0x309E, 0x30A1, 0x30FA, 0x30FD, 0x30FE),
    "han": (0x3005, 0x3005, 0x3007, 0x3007, 0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0x20000, 0x323AF),
}
HEBREW_LETTERS: Ranges = (0x5D0, 0x5EA, 0x5EF, 0x5F2)
# the right-to-left scripts of the basic plane; those above it are left out
RIGHT_TO_LEFT: Ranges = (0x590, 0x8FF)

# Canonical order, coarsened: between two starters the places must rise, and may repeat where a place is one class alone. Exact for what
# one script combines (a nukta before a virama; vowel, then tone in Thai and Lao; vowel, then shadda in Arabic).
MARK_ORDER: tuple[tuple[int, int], ...] = ((1, 8), (9, 9), (84, 103), (107, 118), (122, 129), (130, 132), (202, 218), (220, 220),
                                           (222, 228), (230, 230), (232, 240))  # fmt: skip
RIGHT_TO_LEFT_MARK_ORDER: tuple[tuple[int, int], ...] = ((10, 26), (27, 32), (33, 33), (34, 36), (220, 220), (230, 230))

_LETTER_DIGITS = ("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc")
_SOFT_HYPHENS: Ranges = (0x34F, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180F, 0x3164, 0x3164, 0xFE00, 0xFE0F, 0xFFA0, 0xFFA0,
                         0xE0100, 0xE01EF)  # fmt: skip
# Combining Marks for Symbols, Musical Symbols, Ancient Greek Musical Notation; Hangul Jamo; RFC 5892 section 2.6 (DISALLOWED)
_BLOCKS_LEFT_OUT: Ranges = (0x20D0, 0x20FF, 0x1D100, 0x1D24F)
_OLD_JAMO: Ranges = (0x1100, 0x11FF, 0xA960, 0xA97C, 0xD7B0, 0xD7FB)
_DISALLOWED: Ranges = (0x640, 0x640, 0x7FA, 0x7FA, 0x302E, 0x302F, 0x3031, 0x3035, 0x303B, 0x303B)
_PERMITTED_BY_NAME: Ranges = (0xDF, 0xDF, 0x3C2, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0xF0B, 0x3007, 0x3007)
IN_CONTEXT: dict[str, Ranges] = {
    "middle dot": (0xB7, 0xB7),
    "keraia": (0x375, 0x375),
    "geresh": (0x5F3, 0x5F4),
    "arabic digit": (0x660, 0x669),
    "extended arabic digit": (0x6F0, 0x6F9),
    "katakana middle dot": (0x30FB, 0x30FB),
    "non-joiner": (0x200C, 0x200C),
    "joiner": (0x200D, 0x200D),
}
# nothing outside of these has a canonical decomposition that is not excluded from composition
_COMPOSED = (0xC0, 0x33FF, 0x10000, 0x16FFF)
_ARABIC_FORMS = (0xFB50, 0xFDFF, 0xFE70, 0xFEFC)
_CHUNK = 128


def _points(ranges: Ranges) -> Iterator[int]:
    for first, last in pairs_of(ranges):
        yield from range(first, last + 1)


def _chunks(ranges: Ranges) -> Iterator[tuple[int, int]]:
    for first, last in pairs_of(ranges):
        for start in range(first, last + 1, _CHUNK):
            yield start, min(start + _CHUNK - 1, last)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _stable(ranges: Ranges) -> Ranges:
    """The characters that folding and compatibility normalisation leave as they are (RFC 5892 section 2.2)."""
    pairs: list[tuple[int, int]] = []
    for first, last in _chunks(ranges):
        # a newline between them, so that they cannot compose
        together = "\n".join(map(chr, range(first, last + 1)))
        if _folded(together) == together:
            pairs.append((first, last))
        else:
            pairs += [(point, point) for point in range(first, last + 1) if _folded(chr(point)) == chr(point)]
    return charclass.normalise(pairs)


@lru_cache(maxsize=1)
def permitted_beyond_ascii() -> Ranges:
    """The PVALID characters beyond ASCII, as RFC 5892 derives them."""
    letters = charclass.union(*(charclass.category(name) for name in _LETTER_DIGITS))
    letters = charclass.intersection(letters, (0x80, charclass.LAST))
    left_out = charclass.union(
        _SOFT_HYPHENS, _BLOCKS_LEFT_OUT, _OLD_JAMO, _DISALLOWED, _PERMITTED_BY_NAME, *IN_CONTEXT.values()
    )
    derived = _stable(charclass.difference(letters, left_out))
    return charclass.union(derived, charclass.difference(_PERMITTED_BY_NAME, charclass.category("Cn")))


@lru_cache(maxsize=1)
def _compositions() -> tuple[frozenset[int], frozenset[int]]:
    """(characters that compose with one before them, characters that compose with one after them or are composed)."""
    seconds, others = set(), set()
    for point in _points(_COMPOSED):
        decomposed = unicodedata.decomposition(chr(point))
        if not decomposed or decomposed[0] == "<":
            continue
        others.add(point)
        parts = [int(part, 16) for part in decomposed.split()]
        if len(parts) == 2 and unicodedata.normalize("NFC", chr(parts[0]) + chr(parts[1])) == chr(point):
            others.add(parts[0])
            seconds.add(parts[1])
    return frozenset(seconds), frozenset(others)


@lru_cache(maxsize=1)
def joining_letters() -> tuple[frozenset[int], frozenset[int]]:
    """(letters that join on both sides, letters that join with the one before): Arabic ones that have presentation forms."""
    both, before = set(), set()
    for point in _points(_ARABIC_FORMS):
        form, _, rest = unicodedata.decomposition(chr(point)).partition(" ")
        if rest and " " not in rest:
            if form in ("<initial>", "<medial>"):
                both.add(int(rest, 16))
            elif form == "<final>":
                before.add(int(rest, 16))
    return frozenset(both), frozenset(before | both)


def _place(order: tuple[tuple[int, int], ...], combining: int) -> int | None:
    return next((i for i, (least, most) in enumerate(order) if least <= combining <= most), None)


_BY_START = sorted((first, last, name) for name, ranges in BLOCKS.items() for first, last in pairs_of(ranges))
_STARTS = [first for first, _, _ in _BY_START]


def _block_of(point: int) -> str | None:
    at = bisect_right(_STARTS, point) - 1
    return _BY_START[at][2] if at >= 0 and point <= _BY_START[at][1] else None


def _kind(point: int) -> Kind | None:
    """The kind of a permitted character, None if it is left out."""
    seconds, composing = _compositions()
    character = chr(point)
    combining, direction = unicodedata.combining(character), unicodedata.bidirectional(character)
    right_to_left = RIGHT_TO_LEFT[0] <= point <= RIGHT_TO_LEFT[1]
    if combining:
        place = _place(RIGHT_TO_LEFT_MARK_ORDER if right_to_left else MARK_ORDER, combining)
        name = ("right-to-left " if right_to_left else "") + ("joining mark" if point in seconds else "mark")
        return None if place is None else (name, place)
    if direction in ("R", "AL"):
        if not right_to_left:
            return None
        if charclass.contains(HEBREW_LETTERS, point):
            return "hebrew letter"
        both, before = joining_letters()
        joins = "dual-joining" if point in both else "right-joining" if point in before else "right-to-left"
        return f"{joins} composing" if point in composing else f"{joins} letter"
    if direction not in ("L", "EN", "ON", "NSM") or right_to_left:
        return None
    if point in seconds:
        return "vowel sign"
    kind = "composing" if point in composing else "letter"
    if unicodedata.category(character)[0] == "M":
        return f"m-{kind}"
    return _block_of(point) or kind


@lru_cache(maxsize=1)
def characters_by_kind() -> dict[Kind, Ranges]:
    """The permitted characters beyond ASCII by kind, those in `IN_CONTEXT` under its names."""
    _, composing = _compositions()
    pairs: dict[Kind, list[tuple[int, int]]] = {}
    for first, last in _chunks(permitted_beyond_ascii()):
        points = range(first, last + 1)
        text = "".join(map(chr, points))
        if (
            set(map(unicodedata.bidirectional, text)) == {"L"}
            and set(map(unicodedata.category, text)) == {"Lo"}
            and composing.isdisjoint(points)
            and _block_of(first) == _block_of(last)
        ):  # a piece of one of the large scripts; no block begins and ends within such a piece
            pairs.setdefault(_block_of(first) or "letter", []).append((first, last))
            continue
        for point in points:
            kind = _kind(point)
            if kind is not None:
                pairs.setdefault(kind, []).append((point, point))
    return {kind: charclass.normalise(found) for kind, found in pairs.items()} | dict(IN_CONTEXT)
