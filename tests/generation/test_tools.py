"""Tool calls: what the model may write is what the functions take, and a call runs the function that it names."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal

import pydantic
import pytest

from structgen import Generator, ParameterError, PromptError, SchemaError, ToolCall
from structgen.generation.tools import Toolbox
from structgen.generation.values import read_target
from tests.generation.small_models import byte_level_tokenizer, small_llama

CALLED: list[Any] = []


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Point(pydantic.BaseModel):
    x: int
    y: int = 0


def paint(at: Point, colour: Colour, day: datetime.date | None = None) -> str:
    """Paint a point.

    More about painting that the model need not know.
    """
    CALLED.append((at, colour, day))
    return "painted"


def wait(seconds: Annotated[int, pydantic.Field(ge=1, le=60)], *, mode: Literal["soft", "hard"] = "soft") -> int:
    CALLED.append((seconds, mode))
    return seconds


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


def set_timer(minutes: int, label: str = "") -> str:
    """Start a timer."""
    return f"{minutes} minutes {label}".strip()


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(context=2048), byte_level_tokenizer())


def test_calls_of_a_random_model_run(generator: Generator) -> None:
    names = set()
    for seed in range(12):
        (call,) = generator.call("na", [paint, wait], max_new_tokens=200, temperature=1.2, seed=seed)
        assert isinstance(call, ToolCall)
        names.add(call.name)
        CALLED.clear()
        result = call.run()
        if call.name == "paint":
            at, colour, day = CALLED[0]
            assert result == "painted"
            assert isinstance(at, Point)
            assert isinstance(colour, Colour)
            assert day is None or isinstance(day, datetime.date)
        else:
            assert 1 <= result <= 60
            assert CALLED[0][1] in ("soft", "hard")
    assert names == {"paint", "wait"}


def test_several_calls(generator: Generator) -> None:
    for seed in range(4):
        calls = generator.call("na", [wait], most=3, max_new_tokens=200, temperature=1.0, seed=seed)
        assert 1 <= len(calls) <= 3
        assert all(call.name == "wait" for call in calls)


def test_the_embedded_model_chooses() -> None:
    tiny = Generator("tiny")
    (weather,) = tiny.call("What is the weather in Porto?", [get_weather, set_timer])
    assert (weather.name, weather.arguments, weather.run()) == ("get_weather", {"city": "Porto"}, "sunny in Porto")
    (timer,) = tiny.call([{"role": "user", "content": "Set a timer for 12 minutes."}], [get_weather, set_timer])
    assert (timer.name, timer.arguments) == ("set_timer", {"minutes": 12})


def test_the_prompt_names_the_functions() -> None:
    box = Toolbox([paint, wait])
    text = box.described("Do it.")
    assert text == "Functions:\npaint(at, colour, day): Paint a point.\nwait(seconds, mode)\nDo it."
    first, last = box.described([{"role": "system", "content": "s"}, {"role": "user", "content": "Do it."}])
    assert first == {"role": "system", "content": "s"}
    assert last == {"role": "user", "content": text}
    with pytest.raises(PromptError):
        box.described(17)


def test_arguments_that_were_left_out_are_not_given() -> None:
    box = Toolbox([wait])
    target = read_target(box.calls(most=None), None)
    call = box.bound(target.validate('{"name": "wait", "arguments": {"seconds": 3}}'))
    assert call.arguments == {"seconds": 3}
    with pytest.raises(pydantic.ValidationError):
        target.validate('{"name": "wait", "arguments": {"seconds": 61}}')


def no_annotation(a) -> None:  # type: ignore[no-untyped-def]
    """None."""


def unknown_name(a: NoSuchThing) -> None:  # type: ignore[name-defined] # noqa: F821
    """None."""


def no_schema(a: Callable[[], int]) -> None:
    """None."""


def many(*a: int) -> None:
    """None."""


def any_names(**a: int) -> None:
    """None."""


def by_place(a: int, /) -> None:
    """None."""


@pytest.mark.parametrize("tool", [no_annotation, unknown_name])
def test_functions_without_a_readable_signature_are_refused(tool: Any) -> None:
    with pytest.raises(SchemaError, match=tool.__name__):
        Toolbox([tool])


def test_arguments_without_a_schema_are_refused(generator: Generator) -> None:
    with pytest.raises(SchemaError):
        generator.call("na", [no_schema])


@pytest.mark.parametrize("tools", [[many], [any_names], [by_place], [], "wait", wait, [3], [Point], [wait, wait]])
def test_what_is_no_list_of_functions_is_refused(tools: Any) -> None:
    with pytest.raises(ParameterError):
        Toolbox(tools)


@pytest.mark.parametrize("most", [0, -1, 1.5, True])
def test_a_wrong_number_of_calls_is_refused(generator: Generator, most: Any) -> None:
    with pytest.raises(ParameterError, match="most"):
        generator.call("na", [wait], most=most)
