"""What ends a generation from outside, and what looks on: stop strings, time limits, cancellation, minimum lengths, hooks, the log."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from random import Random
from typing import Any, Literal

import jsonschema
import pydantic
import pytest
import torch

import structgen
from structgen import (
    BrokenOff,
    FieldComplete,
    GenerationResult,
    Generator,
    IncompleteError,
    ParameterError,
    PartialValue,
    PromptError,
    Request,
    RowFailure,
    TextDelta,
    TextDone,
    TokenTrace,
)
from structgen.generation.texts import StopText, TextWriter
from tests.generation.small_models import byte_level_tokenizer, small_llama

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "tags": {"type": "array", "items": {"enum": ["ab", "na"]}, "minItems": 2, "maxItems": 4},
        "inner": {"type": "object", "properties": {"n": {"type": "integer"}, "b": {"type": "boolean"}}, "required": ["n", "b"]},
    },
    "required": ["name", "tags", "inner"],
    "additionalProperties": False,
}  # fmt: skip


class Inner(pydantic.BaseModel):
    n: int
    b: bool


class Outer(pydantic.BaseModel):
    name: Literal["ab", "na12"]
    inner: Inner


class After:
    """Set from the n-th time on that it is asked."""

    def __init__(self, n: int) -> None:
        self.left = n

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # a small model is no faster on more, and much slower beside other processes


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(context=1024), byte_level_tokenizer())


# -- stop strings -------------------------------------------------------------------------------------------------------------------


def cut(text: str, stops: list[str]) -> tuple[str, str | None]:
    """The definition: the prefix of the text at whose end a stop string is complete for the first time, without that string."""
    for end in range(len(text) + 1):
        found = [stop for stop in stops if text[:end].endswith(stop)]
        if found:
            stop = max(found, key=len)
            return text[: end - len(stop)], stop
    return text, None


def test_a_text_is_cut_as_defined_however_it_comes() -> None:
    random = Random(5)
    for _ in range(3000):
        text = "".join(random.choices("abc", k=random.randrange(14)))
        stops = ["".join(random.choices("abc", k=random.randrange(1, 5))) for _ in range(random.randrange(1, 4))]
        expected, stop = cut(text, stops)
        reader, out, fed = StopText(stops), "", ""
        while len(fed) < len(text) and reader.found is None:
            piece = text[len(fed) : len(fed) + random.randrange(1, 4)]
            fed += piece
            out += reader.add(piece)
            assert expected.startswith(out), "what was given out is final"
            if reader.found is None:
                held = fed[len(out) :]
                assert not held or any(s.startswith(held) and s != held for s in stops), (
                    "no more is held back than must be"
                )
        if reader.found is None:
            out += reader.finish()
        assert (out, reader.found) == (expected, stop), (text, stops)


def test_a_stop_string_that_is_passed_over_stays_passed_over() -> None:
    reader = StopText(["ab"])
    assert reader.add("xa", may_end=False) == "x"
    assert reader.add("b", may_end=False) == "ab"
    assert reader.add("ya") == "y"
    assert reader.add("b") == ""
    assert reader.found == "ab"


def test_half_a_character_may_not_hide_a_stop_string() -> None:
    writer = TextWriter(None, StopText(["\ufffd"]), strips_space=False, may_break=True)
    writer.add(b"a\xc3", may_end=True)
    assert writer.finish() == "a"


def test_with_stop_strings_the_text_is_a_prefix_without_them(generator: Generator) -> None:
    n_stopped = n_straddled = 0
    random = Random(2)
    for seed in range(12):
        parameters: dict[str, Any] = {"max_new_tokens": 24, "temperature": 1.5, "seed": seed}
        free = generator.generate("na", **parameters)
        if len(free.text) < 4:
            continue
        at = random.randrange(len(free.text) - 3)
        stops = [free.text[at : at + random.randrange(1, 4)], "tru"]
        result = generator.generate("na", stop=stops, **parameters)
        assert (result.text, result.stop_string) == cut(free.text, stops)
        assert free.token_ids[: len(result.token_ids)] == result.token_ids
        assert not any(stop in result.text for stop in stops)
        assert result.finish_reason == ("stop" if result.stop_string else free.finish_reason)
        n_stopped += result.stop_string is not None
        n_straddled += len(result.token_ids) > 1 and len(str(result.stop_string)) > 1
        pieces: list[str] = []
        generator.generate("na", stop=stops, on_text=pieces.append, **parameters)
        *deltas, done = generator.stream("na", stop=stops, **parameters)
        assert isinstance(done, TextDone)
        assert (
            "".join(pieces) == "".join(d.text for d in deltas if isinstance(d, TextDelta)) == done.text == result.text
        )
        (batched,) = generator.batch(["na"], stop=stops, **parameters)
        assert (batched.text, batched.stop_string) == (result.text, result.stop_string)
    assert n_stopped > 6
    assert n_straddled > 2


@pytest.mark.parametrize(
    "parameters",
    [
        {"stop": ""},
        {"stop": 7},
        {"stop": ["a", ""]},
        {"stop": [b"a"]},
        {"stop": b"a"},
        {"stop": "a", "schema": {"type": "string"}},
        {"min_tokens": -1},
        {"min_tokens": 1.5},
        {"min_tokens": True},
        {"min_tokens": 9, "max_new_tokens": 8},
        {"time_limit": -0.1},
        {"time_limit": float("nan")},
        {"time_limit": "1"},
        {"time_limit": True},
        {"cancel": True},
        {"cancel": threading.Event},
        {"on_token": "print"},
        {"on_field": 1},
        {"on_error": []},
    ],
    ids=repr,
)
def test_bad_parameters_are_named_everywhere(generator: Generator, parameters: dict[str, Any]) -> None:
    (name, *_) = parameters
    for ask in (generator.generate, generator.stream):
        with pytest.raises(ParameterError, match=name):
            ask("a", **parameters)
    if name in ("time_limit", "cancel", "on_token", "on_field", "on_error"):
        with pytest.raises(ParameterError, match=name):
            generator.batch(["a"], **parameters)
        with pytest.raises(ParameterError, match=name):
            structgen.typed(**parameters)
    for row in ({"prompt": "a", **parameters}, Request("a", **parameters)):
        (failure,) = generator.batch([row])
        assert isinstance(failure, RowFailure)
        assert isinstance(failure.error, ParameterError)


def test_an_unknown_parameter_is_a_type_error(generator: Generator) -> None:
    for ask in (generator.generate, generator.stream, generator.batch, generator.stream_batch):
        with pytest.raises(TypeError, match="top_q"):
            ask(["a"], top_q=1)
    with pytest.raises(TypeError, match="top_q"):
        structgen.generate("tiny", "a", None, top_q=1)


# -- at least so many tokens --------------------------------------------------------------------------------------------------------


def test_a_minimum_is_kept_where_the_schema_and_the_limit_allow_it(generator: Generator) -> None:
    number = {"type": "integer", "minimum": 0}
    n_longer = 0
    for seed in range(5):
        for schema in (None, number, {"type": "integer", "minimum": 0, "maximum": 99}):
            parameters: dict[str, Any] = {"max_new_tokens": 9, "temperature": 1.0, "seed": seed}
            plain = generator.generate("12", schema, **parameters)
            longer = generator.generate("12", schema, min_tokens=9, **parameters)
            if schema is None or schema is number:
                assert len(longer.token_ids) == 9
            assert longer.token_ids[: len(plain.token_ids)] == plain.token_ids, "only the end is put off"
            n_longer += len(longer.token_ids) > len(plain.token_ids)
            if schema is not None:
                jsonschema.validate(longer.value, schema)
            if len(plain.token_ids) >= 4:
                assert generator.generate("12", schema, min_tokens=4, **parameters).token_ids == plain.token_ids
    assert n_longer
    with pytest.raises(PromptError, match="min_tokens"):
        generator.generate("a", min_tokens=5000)
    assert len(generator.generate("a", min_tokens=1020).token_ids) >= 1020, (
        "a minimum above the default limit raises that"
    )


def test_a_stop_string_before_the_minimum_is_passed_over(generator: Generator) -> None:
    for seed in range(10):
        parameters: dict[str, Any] = {"max_new_tokens": 30, "temperature": 1.5, "seed": seed, "min_tokens": 30}
        free = generator.generate("na", **parameters)
        result = generator.generate("na", stop=[free.text[:2]], **parameters)
        assert len(result.token_ids) == 30


# -- broken off ---------------------------------------------------------------------------------------------------------------------


def at_pointer(value: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def leaves(value: Any, pointer: str = "") -> Iterator[str]:
    """Pointers of what is no container."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{pointer}/{key}")
    else:
        yield pointer


def test_what_is_cancelled_is_a_prefix_and_says_so(generator: Generator) -> None:
    for schema in (SCHEMA, Outer, None):
        parameters: dict[str, Any] = {"max_new_tokens": 90, "temperature": 1.0, "seed": 3}
        whole = generator.generate("na", schema, **parameters)
        n_partial = 0
        for n in range(0, whole.timings.n_forwards + 3, 3):
            result = generator.generate("na", schema, cancel=After(n), **parameters)
            assert whole.token_ids[: len(result.token_ids)] == result.token_ids
            assert whole.text.startswith(result.text.rstrip("\ufffd"))
            if result.finish_reason != "cancelled":
                assert result.text == whole.text
                assert not result.is_partial
                continue
            n_partial += 1
            assert result.is_partial
            if schema is None:
                assert result.value == result.text
                assert result.partial is None
                continue
            assert isinstance(result.partial, PartialValue)
            with pytest.raises(IncompleteError, match="cancelled"):
                _ = result.value
            found = result.partial.value
            for pointer in () if found is None else leaves(found):
                assert at_pointer(found, pointer) == at_pointer(json.loads(whole.text), pointer)
            assert "partial=" in repr(result)
            *deltas, last = generator.stream("na", schema, cancel=After(n), **parameters)
            assert isinstance(last, BrokenOff)
            assert (last.text, last.reason) == (result.text, "cancelled")
            assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == result.text
            (batched,) = generator.batch([{"prompt": "na", "schema": schema, "cancel": After(n), **parameters}])
            assert isinstance(batched, GenerationResult)
            assert batched.text == result.text
        assert n_partial > 3


def test_a_partial_model_has_its_finished_fields_only(generator: Generator) -> None:
    seen: set[frozenset[str]] = set()
    for n in range(30):
        result = generator.generate("na", Outer, cancel=After(n), max_new_tokens=90, temperature=1.0, seed=3)
        if result.partial is not None:
            model = result.partial.model()
            assert isinstance(model, Outer)
            seen.add(frozenset(model.model_fields_set))
    assert {frozenset(), frozenset({"name"})} <= seen


def test_a_time_limit_ends_a_call_a_stream_and_a_batch(generator: Generator) -> None:
    parameters: dict[str, Any] = {"max_new_tokens": 90, "temperature": 1.0}
    whole = generator.generate("na", SCHEMA, **parameters)
    result = generator.generate("na", SCHEMA, time_limit=0, **parameters)
    assert result.finish_reason == "time"
    assert result.is_partial
    assert whole.text.startswith(result.text)
    with pytest.raises(IncompleteError, match="time limit"):
        _ = result.value
    *_, last = generator.stream("na", SCHEMA, time_limit=0.0, **parameters)
    assert isinstance(last, BrokenOff)
    assert last.reason == "time"
    assert list(generator.batch(["na"] * 5, SCHEMA, time_limit=0, **parameters)) == []
    rows = [Request("na", SCHEMA, time_limit=n % 2 * 1000.0, **parameters) for n in range(6)]
    reasons = [result.finish_reason for result in generator.batch(rows)]
    assert reasons == ["time", whole.finish_reason] * 3
    unlimited = generator.generate("na", SCHEMA, time_limit=1000.0, **parameters)
    assert unlimited.token_ids == whole.token_ids


def test_what_is_complete_when_it_is_broken_off_has_a_value(generator: Generator) -> None:
    result = generator.generate("12", {"const": 7}, time_limit=0)
    assert (result.value, result.finish_reason, result.is_partial) == (7, "stop", False), "forced: no time was needed"
    digits = {"type": "integer", "minimum": 0}
    found = [generator.generate("12", digits, cancel=After(n), min_tokens=20, max_new_tokens=30) for n in range(1, 9)]
    for result in found:
        assert (result.finish_reason, result.is_partial, result.partial) == ("cancelled", False, None)
        assert result.value == int(result.text)


def test_cancelling_a_batch_ends_its_rows_and_reads_no_more(generator: Generator) -> None:
    cancel, n_read = threading.Event(), 0

    def rows() -> Iterator[Request]:
        nonlocal n_read
        while True:
            n_read += 1
            yield Request("na", {"type": "integer", "minimum": 0}, min_tokens=10 * n_read, max_new_tokens=400)

    found: list[Any] = []
    for result in generator.batch(rows(), in_flight=4, cancel=cancel):
        found.append(result)
        if len(found) == 6:
            cancel.set()
    assert len(found) == n_read
    assert {result.finish_reason for result in found[:6]} <= {"stop", "length"}
    assert found[-1].finish_reason == "cancelled"


def test_a_typed_function_says_what_is_partial(generator: Generator) -> None:
    @structgen.typed(model=generator.model, tokenizer=generator.tokenizer, max_new_tokens=90, temperature=1.0, seed=3)
    def outer(text: str) -> Outer:
        """{text}"""

    assert isinstance(outer.result("na").value, Outer)
    limited = structgen.typed(
        model=generator.model, tokenizer=generator.tokenizer, max_new_tokens=90, temperature=1.0, seed=3, time_limit=0
    )(outer.__wrapped__)
    result = limited.result("na")
    assert isinstance(result.partial.model(), Outer)
    with pytest.raises(IncompleteError):
        limited("na")
    with pytest.raises(IncompleteError):
        limited.batch([("na",)] * 3)
    assert [type(e) for e in limited.batch([("na",)] * 3, on_error="return")] == [IncompleteError] * 3


# -- hooks and the log --------------------------------------------------------------------------------------------------------------


def _into(seen: list[Any]) -> Any:
    return lambda thing, index: seen.append((thing, index))


def test_hooks_see_every_token_and_field_in_order(generator: Generator) -> None:
    for seed in range(4):
        parameters: dict[str, Any] = {"max_new_tokens": 90, "temperature": 1.0, "seed": seed}
        tokens: list[tuple[TokenTrace, int]] = []
        fields: list[tuple[FieldComplete, int]] = []
        on_token, on_field = _into(tokens), _into(fields)
        result = generator.generate("na", Outer, on_token=on_token, on_field=on_field, **parameters)
        assert tuple(t.token_id for t, _ in tokens) == result.token_ids
        assert result.trace == ()
        assert all(token.removed is None for token, _ in tokens)
        assert [field.pointer for field, _ in fields] == ["/name", "/inner/n", "/inner/b", "/inner"]
        assert fields[0][0].value == result.value.name
        expected = [event for event in generator.stream("na", Outer, **parameters) if isinstance(event, FieldComplete)]
        assert [repr(field) for field, _ in fields] == [repr(event) for event in expected]
        assert {index for _, index in [*tokens, *fields]} == {0}


def test_hooks_of_a_batch_and_of_its_rows(generator: Generator) -> None:
    seen: dict[int, list[int]] = {}
    own: list[int] = []
    errors: list[tuple[str, int]] = []
    rows = [
        Request("na", SCHEMA, max_new_tokens=90, on_token=lambda t, i: own.append(t.token_id)),
        Request("na", {"type": "no such type"}),
        Request("", SCHEMA),
        Request("ab", max_new_tokens=12),
    ]
    found = list(
        generator.batch(
            rows,
            on_token=lambda token, index: seen.setdefault(index, []).append(token.token_id),
            on_error=lambda error, index: errors.append((type(error).__name__, index)),
        )
    )
    assert seen == {i: list(found[i].token_ids) for i in (0, 3)}
    assert tuple(own) == found[0].token_ids
    assert sorted(errors) == [("PromptError", 2), ("SchemaError", 1)]


def test_what_a_hook_raises_is_the_callers(generator: Generator) -> None:
    def hook(thing: Any, index: int) -> None:
        raise KeyError("mine")

    for name in ("on_token", "on_field"):
        for ask in (generator.generate, lambda *a, **k: list(generator.stream(*a, **k))):
            with pytest.raises(KeyError, match="mine"):
                ask("na", SCHEMA, max_new_tokens=90, **{name: hook})
        with pytest.raises(KeyError, match="mine"):
            list(generator.batch(["na"], SCHEMA, max_new_tokens=90, **{name: hook}))
    assert generator.generate("na", SCHEMA, max_new_tokens=90).text, "the generator is as it was"


def test_errors_are_told_before_they_are_raised(generator: Generator) -> None:
    class Never(pydantic.BaseModel):
        n: bool

        @pydantic.field_validator("n")
        @classmethod
        def _never(cls, n: bool) -> bool:
            raise ValueError("never right")

    told: list[Exception] = []
    with pytest.raises(pydantic.ValidationError) as caught:
        generator.generate("a", Never, max_new_tokens=40, on_error=lambda error, index: told.append(error))
    assert told == [caught.value]
    told.clear()

    @structgen.typed(
        model=generator.model, tokenizer=generator.tokenizer, retries=2, on_error=lambda error, index: told.append(error)
    )  # fmt: skip
    def never() -> Never:
        """a"""

    with pytest.raises(pydantic.ValidationError):
        never()
    assert len(told) == 3, "each answer that a retry follows, and the last"


def test_the_log_is_silent_until_it_is_wanted(
    generator: Generator, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("structgen").handlers)
    rows = ["na", ""]
    list(generator.batch(rows, {"type": "boolean"}))
    assert capfd.readouterr() == ("", "")
    with caplog.at_level(logging.DEBUG, "structgen"):
        list(generator.batch(rows, {"type": "boolean"}))
    assert {record.name.partition(".")[0] for record in caplog.records} == {"structgen"}
    text = caplog.text
    assert "row 1 has failed: the prompt is empty" in text
    assert "row 0: " in text


# -- the events of a batch ----------------------------------------------------------------------------------------------------------


def test_the_events_of_a_batch_are_those_of_its_rows(generator: Generator) -> None:
    rows = [
        Request(prompt, schema, max_new_tokens=90, temperature=0.9, seed=n)
        for n, (prompt, schema) in enumerate([("na", SCHEMA), ("ab", Outer), ("12", None), ("a", {"const": "abc"})] * 3)
    ]
    rows.insert(5, Request("", SCHEMA))
    found: dict[int, list[Any]] = {}
    order: list[int] = []
    for index, event in generator.stream_batch(rows, in_flight=4):
        found.setdefault(index, []).append(event)
        order.append(index)
    assert sorted(found) == list(range(len(rows)))
    assert order != sorted(order), "rows interleave"
    for index, row in enumerate(rows):
        if index == 5:
            (failure,) = found[index]
            assert isinstance(failure, RowFailure)
            assert isinstance(failure.error, PromptError)
            continue
        alone = generator.stream(row.prompt, row.schema, max_new_tokens=90, temperature=0.9, seed=row.seed)
        assert [repr(event) for event in found[index]] == [repr(event) for event in alone]


def test_the_stream_of_an_iterable_that_raises_gives_what_came_before(generator: Generator) -> None:
    def rows() -> Iterator[str]:
        yield from ("a", "b")
        raise OSError("the file ended in the middle")

    ended = []
    events = generator.stream_batch(rows(), {"type": "boolean"})
    with pytest.raises(OSError, match="in the middle"):
        ended.extend(index for index, event in events if isinstance(event, structgen.Done))
    assert sorted(ended) == [0, 1]


def test_the_whole_package_streams() -> None:
    events = list(structgen.stream("tiny", "Ana Silva, 34, lives in Porto.", Inner))
    assert isinstance(events[-1], structgen.Done)
    assert events[-1].value == structgen.generate("tiny", "Ana Silva, 34, lives in Porto.", Inner, trace=True).value
