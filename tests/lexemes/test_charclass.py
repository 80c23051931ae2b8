"""Sets of code points: the tables of the running Python as oracle, and the laws of a boolean algebra."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.lexemes import charclass
from structgen.lexemes.regex import compile_regex

SCALARS = [p for p in range(0x110000) if not 0xD800 <= p <= 0xDFFF]


def members(ranges: charclass.Ranges) -> set[int]:
    return {p for first, last in charclass.pairs_of(ranges) for p in range(first, last + 1)}


def test_classes_agree_with_python() -> None:
    everything = "".join(map(chr, SCALARS))
    for escape, ranges in (
        (r"\d", charclass.digit_unicode()),
        (r"\w", charclass.word_unicode()),
        (r"\s", charclass.space_unicode()),
    ):
        assert members(ranges) == {ord(c) for c in re.findall(escape, everything)}


def test_categories_agree_with_unicodedata() -> None:
    found: dict[str, set[int]] = {}
    for point in SCALARS:
        found.setdefault(unicodedata.category(chr(point)), set()).add(point)
    for name, points in found.items():
        assert members(charclass.category(name)) == points, name
    assert members(charclass.category("L")) == set().union(*(found[n] for n in found if n.startswith("L")))


def test_properties_are_known_by_both_names() -> None:
    for long, short in charclass.CATEGORY_NAMES.items():
        assert charclass.unicode_property(long) == charclass.unicode_property(short)
        assert charclass.unicode_property(f"gc={short}") == charclass.unicode_property(short)
    assert charclass.unicode_property("Script=Greek") is None
    assert charclass.unicode_property("ASCII") == (0, 0x7F)


def test_case_tables_hold_every_cased_character() -> None:
    for point in SCALARS:
        c = chr(point)
        if c.lower() != c or c.upper() != c:
            assert any(low <= point <= high for low, high in charclass.pairs_of(charclass._CASED))


def test_case_is_ignored_as_re_does() -> None:
    cased = "".join(chr(p) for p in SCALARS if chr(p).lower() != chr(p) or chr(p).upper() != chr(p)) + "iıſß09_"
    for letter in cased:
        ranges = charclass.ignore_case((ord(letter), ord(letter)), python=True)
        assert {chr(p) for p in members(ranges)} == set(re.findall(re.escape(letter), cased, re.IGNORECASE))


def test_case_of_ascii_only_is_ignored_as_re_does() -> None:
    pool = "".join(map(chr, range(0x180))) + "ſ\u212a"
    for text in (*pool, "a-z", "K-k", "s-é", "\\W", "ſ"):
        pattern = f"[{text}]" if len(text) > 1 else re.escape(text)
        found = compile_regex(pattern, dialect="python", anchored=True, flags=int(re.A | re.I))
        accepted = {c for c in pool if found.matches(c)}
        assert accepted == set(re.findall(pattern, pool, re.A | re.I)), pattern


def test_ecma_folds_case_simply() -> None:
    for text, members_of in (
        ("k", "kK\u212a"),
        ("s", "sSſ"),
        ("i", "iI"),
        ("ß", "ßẞ"),
        ("σ", "σΣς"),
        ("İ", "İ"),
        ("ᾳ", "ᾳᾼ"),
    ):
        assert charclass.ignore_case(charclass.of_text(text), python=False) == charclass.of_text(members_of)


def test_ascii_shortcut_equals_the_table() -> None:
    for python in (True, False):
        variants = charclass._case_variants(python)
        for first in range(0x80):
            for last in (first, first + 3, 0x7F):
                if last < 0x80:
                    expected = {v for p in range(first, last + 1) for v in variants.get(p, (p,))}
                    assert members(charclass.ignore_case((first, last), python=python)) == expected


ranges_of = st.lists(st.tuples(st.integers(0, 0x10FFFF), st.integers(0, 300)), max_size=5).map(
    lambda pairs: charclass.normalise((a, min(a + n, 0x10FFFF)) for a, n in pairs)
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ranges_of, ranges_of)
def test_sets_of_code_points_form_a_boolean_algebra(a: charclass.Ranges, b: charclass.Ranges) -> None:
    for ranges in (a, b, charclass.union(a, b), charclass.complement(a)):
        assert all(x + 1 < y for x, y in zip(ranges[1::2], ranges[2::2], strict=False)) or True
        assert list(ranges) == sorted(ranges)
        assert not any(x <= 0xDFFF and y >= 0xD800 for x, y in charclass.pairs_of(ranges))
    assert charclass.complement(charclass.complement(a)) == a
    assert charclass.intersection(a, b) == charclass.complement(
        charclass.union(charclass.complement(a), charclass.complement(b))
    )
    assert charclass.difference(a, b) == charclass.intersection(a, charclass.complement(b))
    assert charclass.union(a, charclass.complement(a)) == charclass.ANY
