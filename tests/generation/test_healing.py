"""Healing of the prompt's last token: prompt and text together are what was generated, and the text alone obeys the constraint."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch

from structgen import Generator, ParameterError, Request, allocate_token_bitmask
from structgen.generation.free import FreeText
from structgen.generation.healing import Healed, head_of
from structgen.vocabulary import Vocabulary
from tests.generation.small_models import byte_level_tokenizer, small_llama

SCHEMAS: list[Any] = [
    {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}, "required": ["name"], "additionalProperties": False},
    {"type": "integer", "minimum": 0, "maximum": 99999},
    {"enum": ["ab", True, "name", 12]},
    {"type": "array", "items": {"enum": [1, 12, "na"]}, "maxItems": 3},
    None,
]  # fmt: skip
PROMPTS = ["x na", "true", "a ", 'b {"', "1", 'say "', "é", "x€", "12 12", "tru", '":', "nam"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(context=256), byte_level_tokenizer())


@pytest.mark.parametrize("number", range(len(SCHEMAS)))
def test_prompt_and_text_are_what_was_generated(generator: Generator, number: int) -> None:
    schema, vocabulary = SCHEMAS[number], generator._loaded.vocabulary
    n_joined = 0
    for seed, prompt in enumerate(PROMPTS * 2):
        parameters: dict[str, Any] = {
            "max_new_tokens": 40,
            "temperature": (0.0, 1.3)[seed % 2],
            "seed": seed,
            "heal": True,
        }
        result = generator.generate(prompt, schema, **parameters)
        prompt_ids = generator.tokenizer(prompt)["input_ids"]
        head = head_of(prompt_ids, vocabulary)
        kept = prompt_ids[:-1] if head else prompt_ids
        assert result.n_prompt_tokens == len(kept)
        whole = vocabulary.decode([*kept, *result.token_ids])
        if schema is not None:
            assert whole == (prompt + result.text).encode()
            jsonschema.validate(json.loads(result.text), schema)
        else:
            assert whole.startswith(prompt.encode())
            assert whole[len(prompt.encode()) :].decode("utf-8", "replace") == result.text
        assert len(result.token_ids) <= 40
        at = 0
        for token_id in result.token_ids if head else ():
            at += len(vocabulary.token_bytes[token_id] or b"")
            if at >= len(head):
                n_joined += at > len(head)
                break
        pieces: list[str] = []
        traced = generator.generate(prompt, schema, on_text=pieces.append, trace=True, **parameters)
        assert "".join(pieces) == traced.text == result.text
        assert b"".join(token.data for token in traced.trace).decode("utf-8", "replace") == result.text
        events = list(generator.stream(prompt, schema, **parameters))
        assert events[-1].text == result.text  # type: ignore[attr-defined]
        (batched,) = generator.batch([Request(prompt, schema, **parameters)])
        assert batched.token_ids == result.token_ids  # type: ignore[union-attr]
    assert n_joined or schema is not None, "no token ever spans the end of the prompt and the text"


@pytest.mark.parametrize("number", range(len(SCHEMAS)))
def test_the_mask_is_the_definition_token_by_token(generator: Generator, number: int) -> None:
    """A token may come if its bytes begin the head, and the rest can be spelled, or go on from the head as the constraint lets them."""
    vocabulary, compiler = generator._loaded.vocabulary, generator._loaded.compiler
    schema = SCHEMAS[number]

    def plain() -> Any:
        return FreeText(vocabulary) if schema is None else compiler.compile_json_schema(schema).matcher()

    random = Random(number)
    heads = [t for t, data in enumerate(vocabulary.token_bytes) if data and (len(data) > 1 or random.random() < 0.03)]
    for last in heads:
        head, so_far = vocabulary.token_bytes[last] or b"", b""
        matcher = Healed(plain(), vocabulary, last)
        for _ in range(6):
            bitmask = allocate_token_bitmask(1, vocabulary.size)
            matcher.fill_next_token_bitmask(bitmask)
            bits = np.unpackbits(bitmask[0].view(np.uint8), bitorder="little")[: vocabulary.size]
            allowed = []
            for token_id, data in enumerate(vocabulary.token_bytes):
                text = so_far + (data or b"")
                if token_id in vocabulary.stop_token_ids:
                    oracle = plain()
                    expected = (
                        len(so_far) >= len(head) and oracle.accept_bytes(so_far[len(head) :]) and oracle.is_accepting()
                    )
                elif not data:
                    expected = False
                elif len(text) <= len(head):
                    expected = head.startswith(text)  # all bytes are tokens here
                else:
                    expected = text.startswith(head) and plain().accept_bytes(text[len(head) :])
                    if expected and len(so_far) >= len(
                        head
                    ):  # the inner matcher speaks from here on; it was tested by itself
                        expected = bool(bits[token_id]) or expected
                assert bool(bits[token_id]) == expected, (head, so_far, data)
                if bits[token_id] and data:
                    allowed.append(token_id)
                before = matcher.state_id
                if token_id not in vocabulary.stop_token_ids:
                    taken = matcher.accept_token(token_id)
                    assert taken == expected
                    if taken:
                        assert len(matcher.shortest_completion()) <= matcher.completion_bound()
                        matcher.rollback(1)
                assert matcher.state_id == before
            if not allowed:
                break
            token_id = random.choice(allowed)
            assert matcher.accept_token(token_id)
            so_far += vocabulary.token_bytes[token_id] or b""
            if len(so_far) > len(head):
                break
        completion = vocabulary.decode(matcher.shortest_completion())
        oracle = plain()
        assert oracle.accept_bytes((so_far + completion)[len(head) :])
        assert oracle.is_accepting()


def test_prompts_that_end_in_special_tokens_are_left_as_they_are() -> None:
    chat = Generator(small_llama(), byte_level_tokenizer(chat=True))
    for schema in SCHEMAS:
        plain, healed = (chat.generate("na", schema, heal=heal, max_new_tokens=40) for heal in (False, True))
        assert (plain.token_ids, plain.n_prompt_tokens) == (healed.token_ids, healed.n_prompt_tokens)
    tiny = Generator("tiny")
    plain, healed = (
        tiny.generate("Ana Silva, 34, lives in Porto.", {"type": "object"}, heal=heal) for heal in (False, True)
    )
    assert plain.token_ids == healed.token_ids


def test_a_prompt_of_one_token_is_left_as_it_is(generator: Generator) -> None:
    assert generator.generate("a", SCHEMAS[1], heal=True).n_prompt_tokens == 1


def test_bytes_that_nothing_spells_are_not_begun() -> None:
    vocabulary = Vocabulary.from_bytes([b"a", b"abc", b"b", b"bc", b"1", None], [5])
    matcher = Healed(FreeText(vocabulary), vocabulary, 1)
    bitmask = allocate_token_bitmask(1, 6)
    matcher.fill_next_token_bitmask(bitmask)
    assert bitmask[0, 0] == 0b000011  # "a" then "bc", or "abc"; after "a" and "b" nothing could spell the "c"
    assert matcher.accept_token(0)
    assert not matcher.accept_token(2)
    assert matcher.accept_token(3)
    assert matcher.is_accepting()
    with pytest.raises(ValueError, match="take back"):
        matcher.rollback(3)
    matcher.rollback(2)
    assert not matcher.is_accepting()
    assert matcher.shortest_completion() == [1]


@pytest.mark.parametrize("heal", [1, None, "yes"])
def test_what_is_no_switch_is_refused(generator: Generator, heal: Any) -> None:
    with pytest.raises(ParameterError, match="heal"):
        generator.generate("a", heal=heal)
