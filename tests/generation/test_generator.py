"""`Generator`: a batch gives what its rows give alone, in order, whatever is in flight and whatever fails."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pydantic
import pytest

import structgen
from structgen import GenerationResult, Generator, ParameterError, PromptError, Request, RowFailure, SchemaError
from structgen.generation.batching import PaddedRows, SeparateRows, rows_of
from structgen.generation.models import CachedForward
from tests.generation.small_models import byte_level_tokenizer, small_llama

SCHEMAS: list[Any] = [
    {"type": "object", "properties": {"name": {"type": "string", "maxLength": 8}, "tags": {"enum": ["ab", "na"]}}},
    {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 999}, "minItems": 2, "maxItems": 6},
    {"enum": ["true story", "tru", 12, {"name": "a long constant that is forced for many tokens", "x": [1, 2, 3]}]},
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}, "required": ["a", "b"]},
    {"const": {"name": "forced from the first byte to the last"}},
    None,
]


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(), byte_level_tokenizer())


def requests(count: int, seed: int = 3) -> list[Request]:
    random = Random(seed)
    rows = []
    for number in range(count):
        prompt = "".join(random.choices("ab 12naé{}", k=random.choice((1, 3, 40, 150))))
        rows.append(
            Request(
                prompt if prompt.strip() else "a",
                random.choice(SCHEMAS),
                max_new_tokens=random.choice((70, 80, 100)),
                temperature=random.choice((0.0, 0.7, 1.3)),
                seed=number,
            )
        )
    return rows


def alone(generator: Generator, request: Request) -> GenerationResult[Any]:
    return generator.generate(
        request.prompt,
        request.schema,
        max_new_tokens=request.max_new_tokens,
        temperature=request.temperature,
        seed=request.seed,
    )


@pytest.mark.parametrize("in_flight", [1, 3, 8])
def test_a_batch_gives_what_its_rows_give_alone(generator: Generator, in_flight: int) -> None:
    rows = requests(40)
    results = list(generator.batch(rows, in_flight=in_flight))
    assert len(results) == len(rows)
    for row, result in zip(rows, results, strict=True):
        assert isinstance(result, GenerationResult), result
        expected = alone(generator, row)
        assert result.token_ids == expected.token_ids, row
        assert (result.text, result.value, result.finish_reason) == (
            expected.text,
            expected.value,
            expected.finish_reason,
        )
        assert result.n_prompt_tokens == expected.n_prompt_tokens


def test_logits_of_rows_are_those_of_sequences_alone() -> None:
    """Rows join, leave and are fed different numbers of tokens, so that holes come and are packed; against one sequence each."""
    model, random = small_llama(), Random(8)
    rows = PaddedRows(model)
    assert isinstance(rows_of(model), PaddedRows)
    lone: list[CachedForward] = []
    packed = 0
    for _ in range(60):
        if not lone or (len(lone) < 5 and random.random() < 0.3):
            prompts = [random.choices(range(250), k=random.randrange(1, 30)) for _ in range(random.randrange(1, 3))]
            new = [CachedForward(model) for _ in prompts]
            found, expected = rows.add(prompts), np.stack([one(p) for one, p in zip(new, prompts, strict=True)])
            lone += new
        else:
            tokens = [random.choices(range(250), k=random.choice((1, 1, 1, 9))) for _ in lone]
            before = rows._filled.shape[1]
            found, expected = rows.step(tokens), np.stack([one(t) for one, t in zip(lone, tokens, strict=True)])
            packed += rows._filled.shape[1] < before + max(map(len, tokens))
        np.testing.assert_allclose(found, expected, atol=2e-4)
        if random.random() < 0.15 and len(lone) > 1:
            kept = sorted(random.sample(range(len(lone)), len(lone) - 1))
            rows.keep(kept)
            lone = [lone[i] for i in kept]
    assert packed


def test_a_cache_that_cannot_be_joined_is_not_joined(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(
        vocab_size=288, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, sliding_window=16, eos_token_id=2, bos_token_id=1,
    )  # fmt: skip
    assert isinstance(rows_of(MistralForCausalLM(config).eval()), SeparateRows)
    monkeypatch.setattr("structgen.generation.generator.rows_of", SeparateRows)
    rows = requests(9, seed=5)
    for row, result in zip(rows, generator.batch(rows, in_flight=4), strict=True):
        assert isinstance(result, GenerationResult)
        assert result.token_ids == alone(generator, row).token_ids


def test_a_failure_is_its_rows_own(generator: Generator) -> None:
    class Even(pydantic.BaseModel):
        n: int

        @pydantic.field_validator("n")
        @classmethod
        def check(cls, n: int) -> int:
            raise ValueError("never right")

    rows: list[Any] = [
        "a",
        {"prompt": ""},
        {"prompt": "a", "schema": {"type": "no such type"}},
        {"prompt": "a", "max_new_tokens": 10_000},
        {"prompt": "a", "colour": "red"},
        Request("a", Even, max_new_tokens=40),
        17,
        {"prompt": "b", "temperature": -1.0},
        Request("b", {"const": "xyz"}, max_new_tokens=2),
        "na",
    ]
    results = list(generator.batch(rows, {"type": "boolean"}, in_flight=4))
    assert [isinstance(result, RowFailure) for result in results] == [False, *[True] * 8, False]
    errors = [type(result.error) for result in results if isinstance(result, RowFailure)]
    assert errors[:4] == [PromptError, SchemaError, PromptError, ParameterError]
    assert errors[4:] == [pydantic.ValidationError, PromptError, ParameterError, structgen.BudgetError]
    assert [result.index for result in results if isinstance(result, RowFailure)] == list(range(1, 9))


def test_an_iterable_that_raises_has_its_rows_finished_first(generator: Generator) -> None:
    def rows() -> Iterator[str]:
        yield from ("a", "b", "na")
        raise OSError("the file ended in the middle")

    found: list[Any] = []
    with pytest.raises(OSError, match="in the middle"):
        found.extend(generator.batch(rows(), {"type": "boolean"}, in_flight=2))
    assert [isinstance(result, GenerationResult) for result in found] == [True] * 3


def test_rows_are_read_as_they_are_needed(generator: Generator) -> None:
    read = itertools.count()
    n_read = 0

    def rows() -> Iterator[Request]:
        nonlocal n_read
        while True:
            n_read = next(read) + 1
            yield Request("a", {"enum": [True, "tru"]}, max_new_tokens=20, seed=n_read)

    results = generator.batch(rows(), in_flight=3)
    for n_given in range(1, 30):
        next(results)
        assert n_read <= n_given + 3 * 17
    results.close()  # type: ignore[attr-defined]


def test_wrong_arguments_are_named_at_once(generator: Generator) -> None:
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(ParameterError, match="in_flight"):
            generator.batch(["a"], in_flight=wrong)  # type: ignore[arg-type]
    for rows in ("a prompt", {"prompt": "a"}, 17):
        with pytest.raises(ParameterError, match="iterable"):
            generator.batch(rows)  # type: ignore[arg-type]


def test_free_text_has_no_special_tokens_and_ends(generator: Generator) -> None:
    for seed in range(6):
        result = generator.generate("na", max_new_tokens=30, temperature=2.0, seed=seed)
        assert result.value == result.text
        assert len(result.token_ids) <= 30
        assert "<turn>" not in result.text


def test_threads_and_coroutines_give_what_calls_give(generator: Generator) -> None:
    rows = requests(8, seed=9)
    expected = [alone(generator, row).token_ids for row in rows]
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda i=i, row=row: found.update({i: alone(generator, row).token_ids}))
        for i, row in enumerate(rows)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(len(rows))] == expected

    async def gathered() -> tuple[list[Any], list[Any]]:
        one = [generator.agenerate(row.prompt, row.schema, max_new_tokens=row.max_new_tokens,
                                   temperature=row.temperature, seed=row.seed) for row in rows]  # fmt: skip
        return list(await asyncio.gather(*one)), [result async for result in generator.abatch(rows, in_flight=3)]

    single, batched = asyncio.run(gathered())
    assert [result.token_ids for result in single] == expected
    assert [result.token_ids for result in batched] == expected
