"""Batch fills equal single fills, whatever the mixture of grammars, states, vocabulary sizes of rows and ended matchers."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

import structgen
from structgen import Compiler, MatcherError
from tests.machine import walks
from tests.machine.schemas import STRESS


def _matchers(compiler: Compiler, kinds: walks.Kinds, random: Random, n: int, schemas: list[Any]) -> list[Any]:
    grammars = [compiler.compile_json_schema(schema) for schema in schemas]
    matchers = []
    for i in range(n):
        matcher = grammars[i % len(grammars)].matcher()
        for _ in walks.walk(matcher, random, kinds, walks.STYLES[i % 4], random.randrange(25)):
            pass
        if i % 7 == 6 and matcher.is_accepting():
            assert matcher.accept_token(kinds.vocabulary.stop_token_ids[0])
        matchers.append(matcher)
    return matchers


def test_batch_equals_one_by_one_for_many_grammars(mixed: Any) -> None:
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary)
    random = Random(3)
    matchers = _matchers(compiler, kinds, random, 60, [schema for _, schema in STRESS[:20]])
    single = structgen.allocate_token_bitmask(len(matchers), vocabulary.size)
    batch = structgen.allocate_token_bitmask(len(matchers) + 2, vocabulary.size)
    batch.fill(0x0F0F0F0F)
    for order in range(3):
        for i, matcher in enumerate(matchers):
            matcher.fill_next_token_bitmask(single, i)
        structgen.fill_next_token_bitmasks(matchers, batch)
        assert np.array_equal(single, batch[: len(matchers)]), order
        assert (batch[len(matchers) :] == 0x0F0F0F0F).all(), "rows beyond the batch were written"
        pairs = list(zip(matchers, single.copy(), strict=True))
        random.shuffle(pairs)
        matchers = [m for m, _ in pairs]


def test_batch_compiles_what_it_reaches_first(mixed: Any) -> None:
    # fresh grammars: every row needs nodes and tables while the batch call runs
    vocabulary, _ = mixed
    fresh, other = Compiler(vocabulary, cache_size=0), Compiler(vocabulary, cache_size=0)
    schemas = [schema for _, schema in STRESS]
    matchers = [fresh.compile_json_schema(schema).matcher() for schema in schemas]
    batch = structgen.allocate_token_bitmask(len(matchers), vocabulary.size)
    structgen.fill_next_token_bitmasks(matchers, batch)
    for i, schema in enumerate(schemas):
        single = structgen.allocate_token_bitmask(1, vocabulary.size)
        other.compile_json_schema(schema).matcher().fill_next_token_bitmask(single)
        assert np.array_equal(single[0], batch[i]), schema


def test_batch_takes_a_torch_bitmask(mixed: Any) -> None:
    torch = pytest.importorskip("torch")
    vocabulary, kinds = mixed
    matchers = _matchers(Compiler(vocabulary), kinds, Random(5), 8, [{"type": "array"}, {"type": "object"}])
    array = structgen.allocate_token_bitmask(8, vocabulary.size)
    tensor = torch.zeros(array.shape, dtype=torch.int32)
    structgen.fill_next_token_bitmasks(matchers, array)
    structgen.fill_next_token_bitmasks(matchers, tensor)
    assert np.array_equal(array, tensor.numpy())


def test_batch_of_nothing_writes_nothing(mixed: Any) -> None:
    vocabulary, _ = mixed
    bitmask = structgen.allocate_token_bitmask(2, vocabulary.size)
    bitmask.fill(5)
    structgen.fill_next_token_bitmasks([], bitmask)
    assert (bitmask == 5).all()


def test_batch_over_compilers_of_one_vocabulary(mixed: Any) -> None:
    # records and locks belong to a compiler: a batch may mix them
    vocabulary, kinds = mixed
    random = Random(9)
    matchers = [
        matcher
        for seed in range(3)
        for matcher in _matchers(
            Compiler(vocabulary), kinds, random, 4, [schema for _, schema in STRESS[seed : seed + 4]]
        )
    ]
    random.shuffle(matchers)
    batch = structgen.allocate_token_bitmask(len(matchers), vocabulary.size)
    single = batch.copy()
    structgen.fill_next_token_bitmasks(matchers, batch)
    for i, matcher in enumerate(matchers):
        matcher.fill_next_token_bitmask(single, i)
    assert np.array_equal(single, batch)


@pytest.mark.parametrize(
    "broken",
    [
        lambda words: np.zeros((2, words), np.int32),  # too few rows
        lambda words: np.zeros((3, words + 1), np.int32),
        lambda words: np.zeros((3, words), np.int64),
        lambda words: np.zeros((3, words), np.uint32),
        lambda words: np.zeros((3 * words,), np.int32),
        lambda words: np.zeros((words, 3), np.int32).T,
        lambda words: np.zeros((3, 2 * words), np.int32)[:, ::2],
        lambda words: [[0] * words] * 3,
        lambda words: None,
    ],
)
def test_batch_refuses_a_wrong_bitmask(mixed: Any, broken: Any) -> None:
    vocabulary, _ = mixed
    matchers = [Compiler(vocabulary).compile_json_schema({"type": "integer"}).matcher() for _ in range(3)]
    with pytest.raises(MatcherError):
        structgen.fill_next_token_bitmasks(matchers, broken((vocabulary.size + 31) // 32))


def test_batch_refuses_matchers_of_other_vocabularies(mixed: Any) -> None:
    vocabulary, _ = mixed
    other = walks.byte_vocabulary(padding=500)
    matchers = [Compiler(v).compile_json_schema({"type": "integer"}).matcher() for v in (vocabulary, other)]
    with pytest.raises(MatcherError):
        structgen.fill_next_token_bitmasks(matchers, structgen.allocate_token_bitmask(2, vocabulary.size))


def test_batch_error_in_one_row_leaves_matchers_usable(mixed: Any) -> None:
    vocabulary, kinds = mixed
    matchers = _matchers(Compiler(vocabulary), kinds, Random(1), 6, [{"type": "array"}])
    before = [m.state_id for m in matchers]
    with pytest.raises(MatcherError):
        structgen.fill_next_token_bitmasks(matchers, structgen.allocate_token_bitmask(5, vocabulary.size))
    assert [m.state_id for m in matchers] == before
    good = structgen.allocate_token_bitmask(6, vocabulary.size)
    structgen.fill_next_token_bitmasks(matchers, good)
    for i, matcher in enumerate(matchers):
        assert np.array_equal(
            walks.mask_of(matcher), np.unpackbits(good[i].view(np.uint8), bitorder="little").astype(bool)
        )
