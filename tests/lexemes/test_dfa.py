"""Automata: the operations against brute-force enumeration, minimality against a plain reference, spellings against `json`."""

from __future__ import annotations

import itertools
import json
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.errors import LimitExceeded, Limits
from structgen.kernels import determinize, minimise, spelling
from structgen.lexemes.cache import CellCache
from structgen.lexemes.dfa import (
    ByteDfa,
    CharDfa,
    any_string,
    char_dfa,
    classify,
    length_between,
    literal,
    load_kernels,
    union_tagged,
)
from structgen.lexemes.regex import compile_regex
from structgen.lexemes.text import spell_json, string_dfa

ALPHABET = 'aé"\\\n\U0001f600'
WORDS = ["".join(w) for n in range(4) for w in itertools.product(ALPHABET, repeat=n)]
QUICK = settings(max_examples=60, deadline=None, derandomize=True)


def automaton(seed: int) -> CharDfa:
    """A random automaton over classes that cut the alphabet."""
    rng = random.Random(seed)
    bounds = sorted({0, *(ord(c) for c in ALPHABET), *(ord(c) + 1 for c in ALPHABET), 0xD800, 0xE000})
    classes = [rng.randrange(1, 4) for _ in bounds]
    classes[bounds.index(0xD800)] = 0
    n_states = rng.randrange(2, 8)
    trans = [[0] * 4] + [[0] + [rng.randrange(n_states) for _ in range(3)] for _ in range(n_states - 1)]
    return char_dfa(bounds, classes, trans, [-1] + [rng.choice((-1, 0)) for _ in range(n_states - 1)], 1)


def distinguishable(trans: np.ndarray, tags: np.ndarray) -> int:
    """The number of states that some word tells apart, by rounds of refinement."""
    block = list(tags)
    while True:
        names: dict[tuple[int, ...], int] = {}
        following = [
            names.setdefault((block[s], *(block[t] for t in trans[s])), len(names)) for s in range(trans.shape[0])
        ]
        if len(set(following)) == len(set(block)):
            return len(set(following))
        block = following


seeds = st.integers(0, 10_000)


@QUICK
@given(seeds, seeds)
def test_boolean_operations_agree_with_enumeration(first: int, second: int) -> None:
    a, b = automaton(first), automaton(second)
    for word in WORDS[:160]:
        x, y = a.matches(word), b.matches(word)
        assert (a & b).matches(word) == (x and y)
        assert (a | b).matches(word) == (x or y)
        assert (a - b).matches(word) == (x and not y)
        assert (~a).matches(word) != x


@QUICK
@given(seeds, seeds)
def test_algebra_gives_identical_arrays(first: int, second: int) -> None:
    a, b = automaton(first), automaton(second)
    assert (a & b).key() == (b & a).key()
    assert (~(a & b)).key() == (~a | ~b).key()
    assert (a - b).key() == (a & ~b).key()
    assert (a & ~a).is_empty()
    assert (a | ~a).key() == any_string().key()
    assert (~~a).key() == a.key()


@QUICK
@given(seeds)
def test_automata_are_trimmed_and_minimal(seed: int) -> None:
    a = automaton(seed)
    for dfa in (a, a.to_bytes("utf8"), a.to_bytes("json"), a.to_bytes("json-any")):
        assert not dfa.trans[0].any()
        assert dfa.tags[0] == -1
        assert distinguishable(dfa.trans, dfa.tags) == dfa.n_states
        if not dfa.is_empty():
            assert len({tuple(c) for c in dfa.trans.T}) == dfa.trans.shape[1]
            reached = set(dfa.trans.ravel().tolist()) | {dfa.start}
            assert reached | {0} == set(range(dfa.n_states))


@QUICK
@given(seeds)
def test_words_and_lengths_agree_with_enumeration(seed: int) -> None:
    cut = (
        automaton(seed)
        & length_between(0, 3)
        & compile_regex(f"[{re.escape(ALPHABET)}]*", dialect="python", anchored=True)
    )
    expected = [w for w in WORDS if cut.matches(w)]
    assert list(cut.words(10**6)) == sorted(expected, key=lambda w: (len(w), w))
    assert list(cut.words(5)) == sorted(expected, key=lambda w: (len(w), w))[:5]
    assert cut.n_words() == len(expected)
    assert cut.n_words(7) == min(7, len(expected))
    assert cut.is_finite()
    assert cut.is_empty() == (not expected)
    if expected:
        assert cut.shortest() == min(expected, key=lambda w: (len(w), w))
        assert (cut.min_length(), cut.max_length()) == (min(map(len, expected)), max(map(len, expected)))
    else:
        with pytest.raises(ValueError, match="empty"):
            cut.shortest()


def test_infinite_language_has_no_longest_word() -> None:
    dfa = compile_regex("ab*", dialect="python", anchored=True)
    assert not dfa.is_finite()
    assert dfa.max_length() is None
    assert dfa.n_words() is None
    assert dfa.n_words(9) == 9
    assert list(itertools.islice(dfa.words(3), 3)) == ["a", "ab", "abb"]


def utf16_escape(character: str, upper: bool) -> str:
    units = memoryview(character.encode("utf-16-le")).cast("H")
    return "".join(f"\\u{unit:04X}" if upper else f"\\u{unit:04x}" for unit in units)


def value_of(text: bytes) -> str | None:
    """What a JSON string means to Python's `json`; None if it is no JSON string, or holds a lone surrogate."""
    try:
        value = json.loads(text.decode("utf-8")) if text[:1] == text[-1:] == b'"' else None
    except ValueError:
        return None
    lone = isinstance(value, str) and any(0xD800 <= ord(c) <= 0xDFFF for c in value)
    return value if isinstance(value, str) and not lone else None


@QUICK
@given(seeds)
def test_spellings_agree_with_json(seed: int) -> None:
    dfa = automaton(seed)
    rng = random.Random(seed)
    for word in rng.sample(WORDS, 25):
        wanted = dfa.matches(word)
        assert dfa.to_bytes("utf8").matches(word.encode()) == wanted
        assert dfa.to_bytes("json").matches(spell_json(word)) == wanted
        parts = [
            rng.choice((json.dumps(c, ensure_ascii=False)[1:-1], utf16_escape(c, True), utf16_escape(c, False)))
            for c in word
        ]
        text = f'"{"".join(parts)}"'.encode()
        assert dfa.to_bytes("json-any").matches(text) == wanted
        for _ in range(4):
            mutant = bytearray(text)
            mutant[rng.randrange(len(mutant))] = rng.choice(b'"\\/bfnrtu0dDcC89aE\xc3\xa9\xf0\x1f ')
            value = value_of(bytes(mutant))
            assert dfa.to_bytes("json-any").matches(bytes(mutant)) == (value is not None and dfa.matches(value))


def test_every_character_has_one_json_spelling() -> None:
    free, any_spelling = string_dfa("json"), string_dfa("json-any")
    points = [*range(0x300), *range(0xD000, 0xD800, 97), *range(0xE000, 0x110000, 4999), 0xFFFF, 0x10000, 0x10FFFF]
    for point in points:
        c = chr(point)
        raw = json.dumps(c, ensure_ascii=False).encode()
        assert spell_json(c) == raw
        spellings = {raw, *(f'"{utf16_escape(c, upper)}"'.encode() for upper in (True, False))}
        assert {text for text in spellings if free.matches(text)} == {raw}
        assert all(any_spelling.matches(text) for text in spellings)
    assert any_spelling.matches(b'"\\/"')
    assert not free.matches(b'"\\/"')
    for wrong in (b'"a', b'a"', b'""a', b'"\x1f"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\x80"'):
        assert not any_spelling.matches(wrong)
    for wrong in (b'"\\ud800"', b'"\\udc00"', b'"\\ud800\\u0041"', b'"\\x41"', b'"\\u41"', b'"\\B"'):
        assert not any_spelling.matches(wrong)


def test_escape_may_meet_a_whole_character() -> None:
    # after `\\` and after `x` the same is to follow, so minimality joins a state within an escape with a whole one
    dfa = (literal('"') | compile_regex("x[n]", dialect="python", anchored=True)).to_bytes("json")
    assert distinguishable(dfa.trans, dfa.tags) == dfa.n_states
    looping = compile_regex('"*', dialect="python", anchored=True).to_bytes("json")
    assert distinguishable(looping.trans, looping.tags) == looping.n_states


@QUICK
@given(st.lists(st.text(alphabet='ab"\n', max_size=3), min_size=1, max_size=6))
def test_tagged_union_prefers_the_first(words: list[str]) -> None:
    parts = [(literal(word).to_bytes("json"), 10 + i) for i, word in enumerate(words)] + [(string_dfa("json"), 3)]
    union = union_tagged(parts)
    for word in [*words, "zz", ""]:
        expected = next((10 + i for i, w in enumerate(words) if w == word), 3)
        assert union.tag_of(spell_json(word)) == expected
    assert distinguishable(union.trans, union.tags) == union.n_states


def test_union_of_nothing_is_empty() -> None:
    assert union_tagged([]).is_empty()
    assert union_tagged([(literal("\ud800").to_bytes("json"), 1)]).is_empty()


@QUICK
@given(st.lists(seeds, max_size=4))
def test_classify_names_the_subset_of_each_string(chosen: list[int]) -> None:
    dfas = [automaton(seed) for seed in chosen]
    combined, subsets = classify(dfas)
    for word in WORDS[:120]:
        assert subsets[combined.tag_of(word)] == tuple(i for i, dfa in enumerate(dfas) if dfa.matches(word))
    for word in WORDS[:20]:
        assert combined.to_bytes("json").tag_of(spell_json(word)) == combined.tag_of(word)
    assert combined.tag_of("\ud800") == -1


def test_surrogates_are_no_characters() -> None:
    assert literal("\ud800").is_empty()
    assert not any_string().matches("\udfff")
    assert not (~literal("a")).matches("\ud800")


def test_lengths_count_characters() -> None:
    dfa = length_between(1, 2)
    assert [dfa.matches(w) for w in ("", "é", "\U0001f600a", "abc")] == [False, True, True, False]
    assert length_between(3, 2).is_empty()
    assert length_between(2, None).matches("abcdef")
    with pytest.raises(ValueError, match="negative"):
        length_between(-1, None)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[a-c]{2,5}", (2, 5)),
        ("[a-c]*", (0, None)),
        ("[a-c]{3,}", (3, None)),
        ("[a-c]?", (0, 1)),
        ("", (0, 0)),
        ("[a-c]{2}|[a-c]{4}", None),
        ("a[a-c]*", None),
        ("(?:[a-c]{2})*", None),
        ("[^\\s\\S]", None),
    ],
)
def test_counted_languages_are_seen(pattern: str, expected: tuple[int, int | None] | None) -> None:
    counted = compile_regex(pattern, dialect="ecma", anchored=True).as_counted()
    if expected is None:
        assert counted is None
    else:
        assert counted is not None
        assert counted[1:] == expected
        assert counted[0] == ((0x61, 0x63) if pattern else ())


@QUICK
@given(seeds)
def test_counted_languages_are_what_they_say(seed: int) -> None:
    dfa = automaton(seed)
    counted = dfa.as_counted()
    if counted is not None:
        ranges, least, most = counted
        for word in WORDS[:400]:
            inside = all(any(a <= ord(c) <= b for a, b in zip(ranges[::2], ranges[1::2], strict=True)) for c in word)
            assert dfa.matches(word) == (inside and least <= len(word) and (most is None or len(word) <= most))


def test_limits_are_named() -> None:
    small = Limits(max_dfa_states=10)
    with pytest.raises(LimitExceeded, match="max_dfa_states"):
        length_between(0, 100, small)
    with pytest.raises(LimitExceeded, match="byte states"):
        length_between(0, 8).to_bytes("json", small)
    long = compile_regex("(?:ab){5}|c{9}", dialect="python", anchored=True)
    with pytest.raises(LimitExceeded, match="max_dfa_states"):
        long.unite(compile_regex("d{9}", dialect="python", anchored=True), small)
    with pytest.raises(LimitExceeded, match="max_dfa_steps"):
        long.intersect(any_string(), Limits(max_dfa_steps=5))


def test_cache_is_bounded_by_cells() -> None:
    cache: CellCache[int, str] = CellCache(100)
    for i in range(30):
        cache.put(i, str(i), 10)
        assert cache.get(0) == "0"
        assert cache.cells <= 100
    assert cache.get(29) == "29"
    assert cache.get(1) is None
    cache.put(50, "large", 13)
    assert cache.get(50) is None
    cache.put(29, "again", 12)
    assert (cache.get(29), cache.cells) == ("again", 92)


def test_unknown_spelling_is_refused() -> None:
    with pytest.raises(ValueError, match="spelling"):
        literal("a").to_bytes("latin1")  # type: ignore[arg-type]


def test_byte_automata_have_the_stated_types() -> None:
    dfa = string_dfa("json")
    assert isinstance(dfa, ByteDfa)
    assert (dfa.trans.dtype, dfa.classes.dtype, dfa.tags.dtype) == (np.int32, np.uint8, np.int32)
    assert dfa.classes.shape == (256,)


def test_kernels_are_compiled_for_one_signature() -> None:
    """A second signature (another memory order, a read-only array) would be compiled while a request waits."""
    load_kernels()
    parts = [automaton(seed) for seed in range(6)]
    classify(parts)
    union_tagged([(dfa.to_bytes("json"), i) for i, dfa in enumerate(parts)])
    compile_regex(r"^\b(?=a)(?:b|c)*", dialect="ecma", anchored=False).to_bytes("json-any")
    entries = (
        minimise.canonical,
        determinize.subset_construction,
        determinize.union_construction,
        determinize.product,
        spelling.spelling_graph,
        spelling.spell,
    )
    assert [len(entry.signatures) for entry in entries] == [1] * len(entries)
