"""Streaming: what comes piece by piece is what the call gives whole, at the tokens that show it."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from typing import Any

import pydantic
import pytest

from structgen import Generator, PromptError, StructgenError
from structgen.generation.events import (
    Complete,
    Done,
    Event,
    FieldComplete,
    FieldStarted,
    ItemComplete,
    TextDelta,
    TextDone,
)
from structgen.generation.partial import PartialValue
from tests.generation.small_models import byte_level_tokenizer, small_llama
from tests.machine import walks

N_SCHEMAS = 300 if os.environ.get("STRUCTGEN_ALL_LAWS") == "1" else 25
PERSON = "Ana Silva, 34, lives in Porto."


class Person(pydantic.BaseModel):
    name: str
    age: int
    city: str


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(context=2048), byte_level_tokenizer())


def at_pointer(value: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def check(generator: Generator, prompt: str, schema: Any, **parameters: Any) -> list[Event]:
    expected = generator.generate(prompt, schema, **parameters)
    events = list(generator.stream(prompt, schema, **parameters))
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == expected.text
    done = events[-1]
    assert isinstance(done, Done)
    assert [type(event) for event in events].count(Done) == 1
    assert (done.text, done.value) == (expected.text, expected.value)
    n_tokens = [event.n_tokens for event in events]
    assert n_tokens == sorted(n_tokens)
    assert n_tokens[-1] == len(expected.token_ids)
    whole = json.loads(expected.text)
    started: list[str] = []
    for event in events:
        if isinstance(event, FieldStarted):
            started.append(event.pointer)
        elif isinstance(event, FieldComplete | ItemComplete):
            assert event.plain == at_pointer(whole, event.pointer), event.pointer
            if isinstance(event, FieldComplete):
                assert event.pointer in started
    assert len(set(started)) == len(started)
    return events


def test_fields_of_a_person_come_one_by_one() -> None:
    tiny = Generator("tiny")
    events = check(tiny, PERSON, Person)
    complete = [event for event in events if isinstance(event, FieldComplete)]
    assert [(event.pointer, event.value) for event in complete] == [
        ("/name", "Ana Silva"),
        ("/age", 34),
        ("/city", "Porto"),
    ]
    assert len({event.n_tokens for event in complete}) == 3, "each field comes at a token of its own"


def test_a_partial_value_grows_to_the_whole() -> None:
    tiny = Generator("tiny")
    from structgen.generation.values import read_target

    partial = PartialValue(read_target(Person, None).adapter)
    seen = []
    for event in tiny.stream(PERSON, Person):
        partial.add(event)
        if isinstance(event, FieldComplete):
            seen.append(dict(partial.value))
    assert seen[0] == {"name": "Ana Silva"}
    assert seen[-1] == {"name": "Ana Silva", "age": 34, "city": "Porto"}
    assert partial.is_complete
    assert partial.model() == Person(name="Ana Silva", age=34, city="Porto")


@pytest.mark.skipif(not walks.MASKBENCH.is_dir(), reason="the shared data is not beside the repository")
def test_streams_of_real_schemas_are_their_outputs(generator: Generator) -> None:
    n_checked = n_fields = 0
    for number, (_, text, _) in enumerate(walks.maskbench_cases(5)):
        if n_checked == N_SCHEMAS:
            break
        parameters = {"max_new_tokens": 220, "temperature": (0.0, 0.8, 1.2)[number % 3], "seed": number}
        try:
            events = check(generator, "na ab", text, **parameters)
        except StructgenError:  # no output fits, or a schema without any
            continue
        n_checked += 1
        n_fields += sum(isinstance(event, Complete) for event in events)
    assert n_checked == N_SCHEMAS
    assert n_fields > N_SCHEMAS


def test_free_text_is_streamed(generator: Generator) -> None:
    for seed in range(4):
        parameters: dict[str, Any] = {"max_new_tokens": 25, "temperature": 1.5, "seed": seed}
        expected = generator.generate("na", **parameters)
        *deltas, done = generator.stream("na", **parameters)
        assert all(isinstance(event, TextDelta) for event in deltas)
        assert "".join(event.text for event in deltas if isinstance(event, TextDelta)) == expected.text
        assert isinstance(done, TextDone)
        assert done.text == expected.text


def test_a_stream_that_is_left_lets_others_go_on(generator: Generator) -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": 5, "maxItems": 9}
    left = generator.stream("a", schema, max_new_tokens=60, temperature=1.0)
    next(left)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(generator.generate("b", schema, max_new_tokens=60)))
    thread.start()
    thread.join(timeout=60)
    assert found
    assert isinstance(list(left)[-1], Done)


def test_what_is_wrong_is_said_at_once_or_at_the_first_event(generator: Generator) -> None:
    with pytest.raises(PromptError):
        generator.stream("", {"type": "boolean"})
    with pytest.raises(StructgenError, match="no valid output"):
        next(generator.stream("a", {"const": "a long constant"}, max_new_tokens=1))


def test_coroutines_stream(generator: Generator) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}
    expected = [repr(event) for event in generator.stream("a", schema, max_new_tokens=40)]

    async def collected() -> list[str]:
        return [repr(event) async for event in generator.astream("a", schema, max_new_tokens=40)]

    assert asyncio.run(collected()) == expected
