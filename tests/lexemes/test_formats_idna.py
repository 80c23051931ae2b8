"""Internationalised host names: characters, rules of a label and lengths against the `idna` package, which `jsonschema` asks."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Iterator

import idna
import numba
import numpy as np
import pytest
from idna import idnadata

from structgen.lexemes import formats_idna, idna_tables
from structgen.lexemes.charclass import pairs_of
from structgen.lexemes.dfa import CharDfa
from structgen.lexemes.formats import format_dfa
from structgen.lexemes.formats_notes import LATIN_LETTER, LATIN_WEIGHT, MOST, MOST_OF_BLOCK, MOST_RIGHT_TO_LEFT
from tests.lexemes.words import mutants, random_words

SAMPLES = [
    "example.com", "Example.COM", "node-3.cluster.eu-west-1.compute.amazonaws.com", "a.b.c.d.e.f.g.h", "a" * 63,
    "\u5b9f\u4f8b.\u30c6\u30b9\u30c8", "\uc2e4\ub840.\ud14c\uc2a4\ud2b8", "www.\u5b50.\u4f8b\u3048.jp", "\u4f8b\u3048\u3002jp",
    "m\u00fcller-l\u00fcdenscheidt-stra\u00dfe.de", "p\u00e0l\u00b7lid.cat", "ti\u1ebfng-vi\u1ec7t.vn",
    "\u043f\u0440\u0430\u0432\u0438\u0442\u0435\u043b\u044c\u0441\u0442\u0432\u043e.\u0440\u0444", "\u03b1\u03b8\u03ae\u03bd\u03b1.gr",
    "\u0627\u0644\u0633\u0639\u0648\u062f\u064a\u0629", "\u05d9\u05e9\u05e8\u05d0\u05dc", "\u0628\u064a\u200c\u0628\u064a",
    "\u09ac\u09be\u0982\u09b2\u09be.\u09ad\u09be\u09b0\u09a4", "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd", "\u0915\u094d\u200d\u0937",
    "\u0e1b\u0e23\u0e30\u0e40\u0e17\u0e28\u0e44\u0e17\u0e22.\u0e44\u0e17\u0e22", "\u00df\u03c2\u0f0b\u3007", "\u06fd\u06fe",
    "l\u00b7l", "\u03b1\u0375\u03b2", "\u05d0\u05f3\u05d1", "\u05d0\u05f4\u05d1", "\u30fb\u3041", "\u30fb\u30a1", "\u30fb\u4e08",
    "\u0628\u0660\u0628", "\u06f00",
]  # fmt: skip
# one or two of each kind, those that no neighbour makes invalid for a reason that is named
LETTERS = (
    "ab9-Ll\u00e9\u00df\u03b1\u044f\u4e2d\u304b\u30a2\u10d0\u00b7\u0375\u30fb\u05d0\u05f3\u0628\u0660\u06f0\u0627"
    "\u200c\u0640\u0e01\u0915._ "
)
SCRIPTS = {
    "devanagari": "\u0915\u0916\u093e\u093c\u094d\u200d\u200ca",
    "thai": "\u0e01\u0e02\u0e32\u0e34\u0e48\u0e3a1",
    "lao": "\u0e81\u0eb8\u0ec8\u0eb2\u0ec9b",
    "bengali": "\u0995\u09be\u09bc\u09cd\u0982\u200d",
    "tamil": "\u0b95\u0bbe\u0bcd\u0bbf\u0b9fl",
}


@pytest.fixture(scope="module")
def names() -> CharDfa:
    dfa = format_dfa("idn-hostname")
    assert dfa is not None
    return dfa


def is_valid(text: str) -> bool:
    """What `jsonschema` asks."""
    try:
        idna.encode(text)
    except UnicodeError:
        return False
    return True


def in_table(table: tuple[int, ...]) -> set[int]:
    """The code points of one of the package's tables that this Python's Unicode version knows."""
    points = (point for entry in table for point in range(entry >> 32, entry & 0xFFFFFFFF))
    return {point for point in points if unicodedata.category(chr(point)) != "Cn"}


def points_of(ranges: tuple[int, ...]) -> Iterator[int]:
    for first, last in pairs_of(ranges):
        yield from range(first, last + 1)


def test_permitted_characters_are_those_of_the_tables() -> None:
    expected = {point for point in in_table(idnadata.codepoint_classes["PVALID"]) if point >= 0x80}
    assert set(points_of(idna_tables.permitted_beyond_ascii())) == expected
    in_context = in_table(idnadata.codepoint_classes["CONTEXTJ"]) | in_table(idnadata.codepoint_classes["CONTEXTO"])
    assert {point for ranges in idna_tables.IN_CONTEXT.values() for point in points_of(ranges)} == in_context


def test_kinds_part_the_permitted_characters_and_keep_within_their_script() -> None:
    kinds = idna_tables.characters_by_kind()
    seen = [point for ranges in kinds.values() for point in points_of(ranges)]
    assert len(seen) == len(set(seen))
    for kind, scripts in {
        "greek": ["Greek"], "greek extended": ["Greek"], "kana": ["Hiragana", "Katakana"], "han": ["Han"], "hebrew letter": ["Hebrew"],
    }.items():  # fmt: skip
        allowed = set().union(*(in_table(idnadata.scripts[script]) for script in scripts))
        assert set(points_of(kinds[kind])) <= allowed
    both, before = idna_tables.joining_letters()
    assert both <= in_table(idnadata.joining_types["D"])
    assert before <= in_table(idnadata.joining_types["D"]) | in_table(idnadata.joining_types["R"])


def test_samples_are_names(names: CharDfa) -> None:
    assert [text for text in SAMPLES if not names.matches(text)] == []


def test_every_word_is_valid(names: CharDfa) -> None:
    rng = random.Random(11)
    lengths = [rng.choice((2, 3, 5, 8, 13, 30, 300)) for _ in range(6000)]
    assert [word for word in random_words(names, rng, lengths) if not is_valid(word)] == []


def test_near_misses_of_names_are_refused_rightly(names: CharDfa) -> None:
    rng = random.Random(12)
    for sample in SAMPLES:
        for text in mutants(sample, rng, 60, LETTERS + "\u0301\u094d\u064e"):
            assert is_valid(text) or not names.matches(text), ascii(text)


def test_short_names_are_exact_without_marks(names: CharDfa) -> None:
    for n in (1, 2, 3):
        for characters in itertools.product(LETTERS, repeat=n):
            text = "".join(characters)
            if not text.endswith("."):  # the checker takes a dot at the end
                left_out = is_valid(text) and _is_left_out(text)
                assert names.matches(text) == is_valid(text) or left_out, ascii(text)


@pytest.mark.parametrize("script", SCRIPTS)
def test_marks_of_one_script_are_exact(names: CharDfa, script: str) -> None:
    for n in (1, 2, 3, 4):
        for characters in itertools.product(SCRIPTS[script], repeat=n):
            text = "".join(characters)
            left_out = is_valid(text) and _is_left_out(text)
            assert names.matches(text) == is_valid(text) or left_out, ascii(text)


def _is_left_out(text: str) -> bool:
    """What the module's docstring names: upper case beside other characters, a middle dot away from Japanese ones, some marks."""
    if any("A" <= c <= "Z" for c in text) and not text.isascii():
        return True
    for a, b in itertools.pairwise(text):
        is_mark = unicodedata.category(b)[0] == "M"
        if is_mark and (a < "\x80" or a in "\u200c\u200d"):
            return True
        if unicodedata.combining(a) and unicodedata.combining(a) == unicodedata.combining(b):
            return True
    dots = [i for i, c in enumerate(text) if c == "\u30fb"]
    return bool(dots) and not all(any(c in "\u30fb\u4e2d\u304b\u30a2" for c in text[max(i - 1, 0) : i]) for i in dots)


def test_hyphens_and_a_labels() -> None:
    names = format_dfa("idn-hostname")
    assert names is not None
    for text in (
        "-a",
        "a-",
        "ab--c",
        "xn--bcher-kva",
        "XN--A",
        "\u00e9-",
        "-\u00e9",
        "\u00e9\u00e9--a",
        "a..b",
        ".a",
        "a.",
        "",
    ):
        assert not names.matches(text), text
    assert names.matches("a--b")


def test_lengths_of_names(names: CharDfa) -> None:
    longest = names.max_length()
    assert longest is not None
    assert longest <= 253
    wide = "\u4e00\u9fa0" * (MOST // 2)
    assert names.matches(".".join([wide] * 4))
    assert not names.matches(".".join([wide] * 5))
    assert names.matches(".".join(["abc"] * 4 + [wide]))
    assert not names.matches("a" * 64)


# -- the length of Punycode (RFC 3492) --------------------------------------------------------------------------------------------


@numba.njit(cache=True)
def adapted(delta: int, first: bool, n_points: int) -> int:
    delta = delta // 700 if first else delta // 2
    delta += delta // n_points
    k = 0
    while delta > 455:
        delta //= 35
        k += 36
    return k + 36 * delta // (delta + 38)


@numba.njit(cache=True)
def least_deltas(bias: int) -> np.ndarray:
    """The least delta that takes one digit, two digits, ... under a bias."""
    out = np.zeros(9, np.int64)
    weight = 1
    for j in range(8):
        k = 36 * (j + 1)
        threshold = min(max(k - bias, 1), 26)
        out[j + 1] = out[j] + threshold * weight
        weight *= 36 - threshold
    return out


@numba.njit(cache=True)
def changes_of_bias(n_points: int, first: bool, top: int) -> list:
    """The least delta for each bias that a delta of at most `top` can lead to."""
    out = [0]
    bias, last, low = adapted(0, first, n_points), adapted(top, first, n_points), 0
    while bias < last:
        a, b = low, top
        while b - a > 1:
            middle = (a + b) // 2
            if adapted(middle, first, n_points) > bias:
                b = middle
            else:
                a = middle
        low = b
        bias = adapted(b, first, n_points)
        out.append(b)
    return out


@numba.njit(cache=True)
def most_digits(n_basic: int, n_others: int, first_top: int, sum_of_rest: int, prices: np.ndarray) -> float:
    """An upper bound of the digits that `n_others` deltas take, the first at most `first_top`, the others together `sum_of_rest`.

    For any price, no choice of deltas has more digits than the best path of (digits - price * delta) plus price * sum_of_rest
    (Lagrange); the paths are over the biases, with the least delta for each pair of digits and following bias.
    """
    best = 1e9
    for price in prices:
        value = np.full(400, -1e9)
        steps = least_deltas(72)
        for delta in changes_of_bias(n_basic + 1, True, first_top) + [int(s) for s in steps if s <= first_top]:
            value_here = (steps <= delta).sum()
            bias = adapted(delta, True, n_basic + 1)
            value[bias] = max(value[bias], value_here)
        for n in range(n_basic + 1, n_basic + n_others):
            changes = changes_of_bias(n + 1, False, sum_of_rest)
            following = np.full(400, -1e9)
            for bias in range(400):
                if value[bias] == -1e9:
                    continue
                steps = least_deltas(bias)
                for i in range(len(changes) + steps.shape[0]):
                    delta = changes[i] if i < len(changes) else steps[i - len(changes)]
                    if delta > sum_of_rest:
                        continue
                    digits = 0
                    for s in steps:
                        digits += s <= delta
                    after = adapted(delta, False, n + 1)
                    following[after] = max(following[after], value[bias] + digits - price * delta)
            value = following
        best = min(best, value.max() + price * sum_of_rest)
    return best


PRICES = np.array([10.0**-e for e in (1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5)])


def most_octets(n_basic: int, n_others: int, first: int, last: int) -> float:
    """An upper bound of an A-label's length; the characters beyond ASCII are within `first` and `last`.

    A delta is the gap between two code points times the places so far, plus the way from one place to the next, so all but the
    first add up to at most (last - first + 1) * n.
    """
    n = n_basic + n_others
    digits = most_digits(
        n_basic,
        n_others,
        (last - 128) * (n_basic + 1) + n_basic,
        (last - first) * n + n,
        PRICES if n_others > 1 else np.zeros(1),
    )
    return 4 + (n_basic + 1 if n_basic else 0) + digits


def test_bound_of_punycode_is_one() -> None:
    rng = random.Random(13)
    for _ in range(60):
        first = rng.choice((0xE0, 0x430, 0x5D0, 0x4E00))
        last = first + rng.choice((20, 100, 1000))
        n_basic, n_others = rng.randrange(6), rng.randrange(1, 9)
        label = [chr(rng.randint(first, last)) for _ in range(n_others)] + ["a"] * n_basic
        rng.shuffle(label)
        assert len("".join(label).encode("punycode")) + 4 <= most_octets(n_basic, n_others, first, last)


@pytest.mark.parametrize(
    ("n", "first", "last"),
    [(MOST, 0x80, 0x33FFF), (MOST_RIGHT_TO_LEFT, *idna_tables.RIGHT_TO_LEFT)]
    + [(n, min(idna_tables.BLOCKS[name]), max(idna_tables.BLOCKS[name])) for name, n in MOST_OF_BLOCK.items()],
)
def test_labels_of_the_greatest_length_fit(n: int, first: int, last: int) -> None:
    assert max(most_octets(n_basic, n - n_basic, first, last) for n_basic in (0, 1, 2, 4, n - 1)) < 63


def test_latin_labels_of_the_greatest_weight_fit() -> None:
    first, last = 0xB7, max(idna_tables.BLOCKS["latin"])
    for n_others in (1, 2, 4, 7, 10, 12, LATIN_WEIGHT // LATIN_LETTER):
        assert most_octets(LATIN_WEIGHT - LATIN_LETTER * n_others, n_others, first, last) < 63


def test_label_states_are_few() -> None:
    """The automaton must stay small: its states are copied for each length of a name."""
    assert formats_idna._Label(formats_idna._kinds()[0]).trans.shape[0] < 1500
