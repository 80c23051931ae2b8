"""`structgen.typed`: prompts, types, retries, what is refused when decorated, and what a type checker sees."""

from __future__ import annotations

import asyncio
import enum
import importlib.util
import inspect
import json
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, Optional, TypedDict, TypeVar
from uuid import UUID

import annotated_types
import pydantic
import pytest
import torch

from structgen.errors import LimitExceeded, PromptError, SchemaError, StructgenError
from structgen.generation import api, generator
from structgen.generation import typed as typed_module
from structgen.generation.controls import Parameters
from structgen.generation.describe import described
from structgen.generation.events import Done, FieldComplete
from structgen.generation.examples import examples
from structgen.generation.typed import AsyncTypedFunction, Settings, TypedFunction, typed
from structgen.generation.values import GenerationResult, ParameterError, Timings, parse_json, read_target

ROOT = Path(__file__).resolve().parents[2]


class Fake:
    """Stands in for the model: answers from a list (the last one again and again), or with an example of the schema."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.calls: list[tuple[Any, Any, Any, dict[str, Any]]] = []
        self.threads: set[int] = set()

    def __call__(self, model: Any, prompt: Any, schema: Any, **parameters: Any) -> GenerationResult[Any]:
        self.calls.append((model, prompt, schema, parameters))
        self.threads.add(threading.get_ident())
        if self.answers:
            text = self.answers[min(len(self.calls), len(self.answers)) - 1]
        else:
            text = examples(schema, 1, len(self.calls), parameters["options"])[0]
        return GenerationResult(text, parse_json(text), (), "stop", 0, 0, Timings(0, 0, 0, 0, 0, 0, 0, 0))

    @property
    def prompts(self) -> list[Any]:
        return [prompt for _, prompt, _, _ in self.calls]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(api, "generate", made)

    class FakeGenerator:
        def __init__(self, model: Any, tokenizer: Any) -> None:
            self.model = model

        def batch(self, rows: Any, schema: Any, *, in_flight: int, **parameters: Any) -> Any:
            for index, prompt in enumerate(rows):
                try:
                    yield made(self.model, prompt, schema, **parameters)
                except LimitExceeded as error:
                    yield generator.RowFailure(index, error)

    monkeypatch.setattr(generator, "Generator", FakeGenerator)
    return made


class Person(pydantic.BaseModel):
    name: str
    age: int = pydantic.Field(ge=0, le=150)


class Even(pydantic.BaseModel):
    n: int = pydantic.Field(ge=0, le=99)

    @pydantic.field_validator("n")
    @classmethod
    def _even(cls, n: int) -> int:
        if n % 2:
            raise ValueError(f"{n} is odd")
        return n


# -- the prompt ---------------------------------------------------------------------------------------------------------------------


@typed
def ask(text: str, n: int = 3) -> Person:
    """Find the person.

    Text: {text!r:>8}, {n:02d} words; {{braces}} stay.
    """


def test_the_docstring_with_the_arguments_is_the_prompt() -> None:
    expected = "Find the person.\n\nText:     'ab', 03 words; {braces} stay."
    assert ask.prompt("ab") == ask.prompt(text="ab") == ask.prompt("ab", 3) == expected
    assert "07 words" in ask.prompt("ab", n=7)


def test_attributes_and_items_of_arguments_are_placeholders() -> None:
    @typed
    def f(person: Person, pair: tuple[int, int], width: int) -> int:
        """{person.name} {pair[1]:>{width}}"""

    assert f.prompt(Person(name="Ada", age=3), (1, 2), 4) == "Ada    2"
    with pytest.raises(PromptError, match="cannot be filled"):
        f.prompt("no person", (1, 2), 4)  # type: ignore[arg-type]


def test_a_body_returns_the_prompt_and_the_docstring_is_documentation() -> None:
    @typed
    def f(*words: str, **more: int) -> int:
        """Braces { mean nothing here."""
        return " ".join([*words, *map(str, more.values())])  # type: ignore[return-value]

    assert f.prompt("a", "b", x=1) == "a b 1"

    @typed
    def g(x: int) -> int:
        """{x}"""
        return f"not {x}" if x else None  # type: ignore[return-value]

    assert g.prompt(1) == "not 1"
    with pytest.raises(PromptError, match="returned NoneType"):
        g.prompt(0)


def _docstring_only(x: int) -> int:
    """p {x}"""


def _ellipsis(x: int) -> int:
    """p {x}"""
    ...  # noqa: PIE790


def _pass(x: int) -> int:
    """p {x}"""
    pass  # noqa: PIE790


def _not_implemented(x: int) -> int:
    """p {x}"""
    raise NotImplementedError


def _not_implemented_because(x: int) -> int:
    """p {x}"""
    raise NotImplementedError("the model does it")


async def _async(x: int) -> int:
    """p {x}"""
    raise NotImplementedError


@pytest.mark.parametrize(
    "function", [_docstring_only, _ellipsis, _pass, _not_implemented, _not_implemented_because, _async]
)
def test_trivial_bodies_are_no_bodies(function: Any) -> None:
    prompt = typed(function).prompt(4)
    assert (asyncio.run(prompt) if inspect.iscoroutine(prompt) else prompt) == "p 4"


def test_an_error_of_the_body_is_the_users() -> None:
    @typed
    def f(x: int) -> int:
        """{nothing}"""
        raise KeyError(x)

    with pytest.raises(KeyError):
        f(1)


def test_wrong_arguments_are_a_type_error_as_in_any_call() -> None:
    with pytest.raises(TypeError, match="text"):
        ask()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="nope"):
        ask("a", nope=1)  # type: ignore[call-arg]


# -- calls --------------------------------------------------------------------------------------------------------------------------


def test_a_call_gives_the_value_and_result_gives_everything(fake: Fake) -> None:
    fake.answers = ['{"name": "Ada", "age": 36}']
    assert ask("x") == Person(name="Ada", age=36)
    result = ask.result("x")
    assert type(result.value) is Person
    assert result.text == fake.answers[0]
    assert fake.prompts == [ask.prompt("x")] * 2


def test_settings_reach_the_model(fake: Fake) -> None:
    settings: Settings = {"max_new_tokens": 9, "temperature": 0.5, "seed": 7, "system": "s", "tokenizer": "t"}

    @typed(model="some", **settings)
    def f() -> int:
        """p"""

    f()
    model, _, schema, parameters = fake.calls[0]
    assert (model, schema) == ("some", {"type": "integer"})
    assert parameters.pop("options").extra_properties == "closed"
    assert parameters == settings


def test_settings_are_those_of_generate() -> None:
    """A parameter that `generate` gets or loses must be one here, or be left out on purpose."""
    instead = {"regex", "choice", "constraint", "grammar"}  # of a type
    taken = set(inspect.signature(api.generate).parameters) - {"prompt", "schema", "on_text", "parameters", *instead}
    taken |= Parameters.__annotations__.keys() - {"stop", "prefix"}
    assert set(Settings.__annotations__) - {"retries", "describe"} == taken


def test_batch_gives_values_in_order(fake: Fake) -> None:
    @typed
    def f(a: int, b: int = 0) -> int:
        """{a} {b}"""

    fake.answers = ["1", "2", "3"]
    assert f.batch([(5,), {"b": 6, "a": 7}, (8, 9)]) == [1, 2, 3]
    assert fake.prompts == ["5 0", "7 6", "8 9"]
    assert f.batch([]) == []


def test_a_row_of_a_batch_fails_alone_and_is_asked_again(fake: Fake) -> None:
    @typed(retries=1)
    def f(a: str) -> Even:
        """{a}"""

    fake.answers = ['{"n": 2}', '{"n": 3}', '{"n": 5}', '{"n": 8}']
    found = f.batch([("x",), ("y",), ("z",)], on_error="return")
    assert found[0] == Even(n=2)
    assert isinstance(found[1], pydantic.ValidationError)
    assert found[2] == Even(n=8)
    assert "3 is odd" in fake.prompts[2]
    fake.calls.clear()
    with pytest.raises(pydantic.ValidationError, match="5 is odd"):
        f.batch([("x",), ("y",)])
    with pytest.raises(ParameterError, match="on_error"):
        f.batch([("x",)], on_error="ignore")  # type: ignore[call-overload]


def test_batches_and_streams_of_the_embedded_model() -> None:
    class Home(pydantic.BaseModel):
        name: str
        age: int
        city: str

    @typed
    def person_in(text: str) -> Home:
        """{text}"""

    ana, bob = "Ana Silva, 34, lives in Porto.", "Bob Stone, 51, lives in Leeds."
    assert person_in.batch([(ana,), (bob,)]) == [person_in(ana), person_in(bob)]
    events = list(person_in.stream(ana))
    fields = [(event.pointer, event.value) for event in events if isinstance(event, FieldComplete)]
    assert fields == [("/name", "Ana Silva"), ("/age", 34), ("/city", "Porto")]
    assert isinstance(events[-1], Done)
    assert events[-1].value == person_in(ana)

    @typed
    async def person_later(text: str) -> Home:
        """{text}"""

    async def collected() -> Any:
        return await person_later.batch([(ana,)]), [event async for event in person_later.stream(ana)]

    values, later = asyncio.run(collected())
    assert values == [person_in(ana)]
    assert list(map(repr, later)) == list(map(repr, events))


@pytest.mark.parametrize("row", ["text", 3, [1], (), (1, 2, 3), {"c": 1}, None])
def test_a_row_that_does_not_fit_is_named_before_anything_is_generated(fake: Fake, row: Any) -> None:
    @typed
    def f(a: int, b: int = 0) -> int:
        """{a} {b}"""

    with pytest.raises(ParameterError, match="row 1"):
        f.batch([(1,), row])
    assert not fake.calls


def test_async_functions_are_awaited_and_run_in_a_thread(fake: Fake) -> None:
    @typed
    async def f(x: int) -> int:
        """{x}"""

    @typed
    async def g(x: int) -> int:
        await asyncio.sleep(0)
        return f"made {x}"  # type: ignore[return-value]

    fake.answers = ["1"]

    async def run() -> None:
        assert await asyncio.gather(f(1), g(2)) == [1, 1]
        assert await g.prompt(3) == "made 3"
        assert (await f.result(4)).text == "1"
        assert await f.batch([(5,), {"x": 6}]) == [1, 1]

    asyncio.run(run())
    assert isinstance(f, AsyncTypedFunction)
    assert sorted(fake.prompts) == ["1", "4", "5", "6", "made 2"]
    assert threading.get_ident() not in fake.threads


class Reader:
    language = "English"

    @typed
    def age(self, text: str) -> int:
        """In {self.language}: {text}"""

    @typed
    async def later(self, text: str) -> int:
        """Later: {text}"""

    @staticmethod
    @typed
    def name(text: str) -> str:
        """{text}"""

    @classmethod
    @typed
    def of_class(cls, text: str) -> str:
        """{cls.language} {text}"""


def test_methods_are_bound_to_their_instance(fake: Fake) -> None:
    fake.answers = ["5"]
    reader = Reader()
    assert reader.age("x") == Reader.age(reader, "x") == 5
    assert fake.prompts == ["In English: x"] * 2
    assert reader.age.batch([("y",), {"text": "z"}]) == [5, 5]
    assert reader.age.prompt(text="q") == "In English: q"
    assert asyncio.run(reader.later.prompt("x")) == "Later: x"
    assert Reader.name.prompt("a") == reader.name.prompt("a") == "a"
    assert list(inspect.signature(reader.age).parameters) == ["text"]
    fake.answers = ['"s"']
    assert Reader.of_class("x") == "s"
    assert fake.prompts[-1] == "English x"


def test_signature_name_and_documentation_are_the_functions() -> None:
    assert ask.__name__ == "ask"
    assert ask.__doc__ is not None
    assert ask.__doc__.startswith("Find the person.")
    assert str(inspect.signature(ask)) == "(text: 'str', n: 'int' = 3) -> 'Person'"
    assert ask.__module__ == __name__
    assert isinstance(ask, TypedFunction)
    assert "ask -> Person" in repr(ask)


def test_pickling_is_by_name() -> None:
    assert pickle.dumps(ask).count(b"ask") >= 1
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(typed(_docstring_only))  # its name means the undecorated function


# -- types --------------------------------------------------------------------------------------------------------------------------

X = TypeVar("X")


class Aliased(pydantic.BaseModel):
    own: int = pydantic.Field(alias="their own", default=3)
    many: list[float] = pydantic.Field(default_factory=list, max_length=4)

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return 2 * self.own


class Cat(pydantic.BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = pydantic.Field(ge=1, le=9)


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    bark: str | None = None


class Box(pydantic.BaseModel, Generic[X]):
    content: X
    label: str = pydantic.Field(default="", pattern="^[a-z]{0,5}$")


class Tree(pydantic.BaseModel):
    value: int
    kids: list[Tree] = []


@dataclass
class Point:
    shared: ClassVar[int] = 3
    x: Annotated[int, annotated_types.Interval(ge=0, lt=5)]
    y: list[str] = field(default_factory=list)


@dataclass
class Chain:
    n: int
    rest: Optional[Chain] = None  # noqa: UP045 - this spelling is to be read as well


class Movie(TypedDict):
    year: int


class Pair(NamedTuple):
    a: int
    b: str = "b"


class Colour(enum.Enum):
    RED = "red"
    ONE = 1


TYPES: list[Any] = [
    Person, Aliased, Annotated[Cat | Dog, pydantic.Field(discriminator="kind")], Box[int], Box[Box[Person]], Tree,
    Point, Chain, Movie, Pair, Colour, Literal["a", 3, None], int | str, Optional[Point], None | bool,  # noqa: UP045
    list[Person], dict[str, Point], dict[int, str], tuple[int, str, bool], tuple[int, ...], set[int], frozenset[str],
    date, datetime, UUID, Decimal, Path, float, bool, str, Any,
    Annotated[Decimal, pydantic.Field(ge=0, max_digits=5, decimal_places=2)],
    Annotated[str, pydantic.Field(min_length=2, max_length=4)], Annotated[list[int], annotated_types.Len(1, 3)],
    Annotated[int, annotated_types.MultipleOf(3)], Annotated[int, pydantic.Field(gt=3), pydantic.Field(lt=6)],
]  # fmt: skip


@pytest.mark.parametrize("tp", TYPES, ids=lambda tp: getattr(tp, "__name__", None) or str(tp)[:40])
def test_every_value_of_a_types_schema_is_one_of_the_type(fake: Fake, tp: Any) -> None:
    """Whatever the constraint admits the type takes, and the value is what pydantic makes of the text."""

    def f() -> Any:
        """p"""

    f.__annotations__["return"] = tp
    made = typed(f)
    adapter: Any = pydantic.TypeAdapter(tp) if tp is not Movie else None
    for _ in range(15):
        result = made.result()
        if adapter is None:
            assert result.value == json.loads(result.text)
        else:
            expected = adapter.validate_json(result.text)
            assert type(result.value) is type(expected)
            assert result.value == expected


def test_unhashable_types_are_types(fake: Fake) -> None:
    @typed
    def f() -> Literal[["a"]]:  # type: ignore[valid-type]
        """p"""

    @typed
    def g() -> Annotated[int, {"note": []}]:
        """p"""

    fake.answers = ['["a"]', "3"]
    assert f() == ["a"]
    assert g() == 3


def test_names_of_the_module_and_of_the_scopes_around_are_resolved(fake: Fake) -> None:
    class Local(pydantic.BaseModel):
        n: int

    @typed
    def f() -> list[Local]:
        """p"""

    class Holder:
        class Inner(pydantic.BaseModel):
            m: int

        @typed(model="m")
        def g(self) -> Inner | Local:
            """p"""

    fake.answers = ['[{"n": 2}]', '{"m": 3}']
    assert f() == [Local(n=2)]
    assert Holder().g() == Holder.Inner(m=3)


@typed
def early() -> dict[str, Later]:
    """p"""


@typed
def never_resolved() -> Nowhere:  # type: ignore[name-defined] # noqa: F821 - the name that is missing is the point
    """p"""


@typed
class First(pydantic.BaseModel):
    second: Second


class Second(pydantic.BaseModel):
    n: int


class Later(pydantic.BaseModel):
    n: int


def test_names_that_are_defined_later_are_resolved_at_the_first_call(fake: Fake) -> None:
    fake.answers = ['{"a": {"n": 2}}']
    assert early() == {"a": Later(n=2)}
    fake.answers = ['{"second": {"n": 2}}']
    assert First.generate("p") == First(second=Second(n=2))  # type: ignore[attr-defined]


def test_a_name_that_is_never_defined_is_named() -> None:
    with pytest.raises(SchemaError, match=r"never_resolved cannot be resolved: name 'Nowhere' is not defined"):
        never_resolved()


# -- retries ------------------------------------------------------------------------------------------------------------------------


def test_a_validator_that_refuses_is_told_to_the_model(fake: Fake) -> None:
    @typed(retries=2, seed=10)
    def f() -> Even:
        """an even number"""

    fake.answers = ['{"n": 3}', '{"n": 5}', '{"n": 4}']
    assert f() == Even(n=4)
    assert [parameters["seed"] for *_, parameters in fake.calls] == [10, 11, 12]
    assert fake.prompts[0] == "an even number"
    for prompt, answer in zip(fake.prompts[1:], fake.answers, strict=False):
        assert prompt.startswith("an even number\n")
        assert answer in prompt
        assert f"n: Value error, {json.loads(answer)['n']} is odd" in prompt
    assert '{"n": 3}' not in fake.prompts[2]  # only the last answer


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_after_n_retries_the_last_error_is_raised_as_it_is(fake: Fake, retries: int) -> None:
    @typed(retries=retries)
    def f() -> Even:
        """p"""

    fake.answers = [f'{{"n": {2 * i + 1}}}' for i in range(5)]
    with pytest.raises(pydantic.ValidationError, match=f"{2 * retries + 1} is odd"):
        f()
    assert len(fake.calls) == retries + 1


def test_chat_messages_are_answered_by_messages(fake: Fake) -> None:
    made = typed(retries=1)(type("Odd", (Even,), {}))
    fake.answers = ['{"n": 3}', '{"n": 4}']
    assert made.generate([{"role": "user", "content": "p"}]).n == 4  # type: ignore[attr-defined]
    assert [message["role"] for message in fake.prompts[1]] == ["user", "assistant", "user"]
    assert "3 is odd" in fake.prompts[1][2]["content"]


def test_other_errors_are_not_retried(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    @typed(retries=3)
    def f() -> Even:
        """p"""

    def fail(*args: Any, **kwargs: Any) -> Any:
        fake.calls.append((None, None, None, {}))
        raise PromptError("too long")

    monkeypatch.setattr(api, "generate", fail)
    with pytest.raises(PromptError):
        f()
    assert len(fake.calls) == 1


# -- describe -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["json-schema", "typescript", "example"])
def test_the_description_follows_the_prompt(fake: Fake, how: Any) -> None:
    @typed(describe=how)
    def f() -> Person:
        """p"""

    f()
    target = read_target(Person, None)
    assert fake.prompts == [described("p", target.schema, how, target.options)]
    assert fake.prompts[0].startswith("p\n\nAnswer with JSON ")
    assert '"name' in fake.prompts[0] or "name: string" in fake.prompts[0]
    assert f.prompt() == "p"


# -- types that generate themselves ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ["model", "dataclass", "typeddict", "namedtuple", "enum"])
def test_classes_get_generate_and_stay_what_they_were(fake: Fake, make: str) -> None:
    made: Any = {
        "model": lambda: pydantic.create_model("M", n=(int, ...)),
        "dataclass": lambda: dataclass(type("D", (), {"__annotations__": {"n": int}})),
        "typeddict": lambda: TypedDict("T", {"n": int}),  # type: ignore[operator]
        "namedtuple": lambda: NamedTuple("N", [("n", int)]),
        "enum": lambda: enum.Enum("E", {"A": "a", "B": "b"}),
    }[make]()
    before = read_target(made, None).schema
    assert typed(made) is made
    assert read_target(made, None).schema == before
    text = '"a"' if make == "enum" else "[3]" if make == "namedtuple" else '{"n": 3}'
    fake.answers = [text]
    value = made.generate("p")
    assert type(value) is (dict if make == "typeddict" else made)
    if make == "enum":
        assert list(made) == [made.A, made.B]


def test_generate_of_subclasses_and_parametrised_generics_is_theirs(fake: Fake) -> None:
    @typed(model="m", seed=3)
    class Base(pydantic.BaseModel, Generic[X]):
        n: X

    class Derived(Base[int]):
        extra: bool

    made: Any = Derived
    fake.answers = ['{"n": 1, "extra": true}']
    assert made.generate("p") == Derived(n=1, extra=True)
    assert fake.calls[0][0] == "m"
    fake.answers = ['{"n": 1}']
    generic: Any = Base
    assert generic[int].generate("p", model="other", seed=4).n == 1
    assert (fake.calls[1][0], fake.calls[1][3]["seed"]) == ("other", 4)
    assert typed(made) is made  # decorated again in a subclass
    with pytest.raises(ParameterError, match="unknown setting 'sed'"):
        made.generate("p", sed=4)


# -- what is refused when it is decorated ---------------------------------------------------------------------------------------------


def _no_annotation():  # type: ignore[no-untyped-def]
    """p"""


def _returns_none() -> None:
    """p"""


def _plain_class() -> threading.Thread:
    """p"""


def _callable() -> Callable[[int], str]:
    """p"""


def _bad_syntax() -> "int int":  # type: ignore[valid-type] # noqa: F722
    """p"""


def _a_value() -> 3:  # type: ignore[valid-type]
    """p"""


def _a_dict() -> Any:
    """p"""


_a_dict.__annotations__["return"] = {"type": "integer"}


def _unhashable_in_union() -> Literal[["a"]] | int:  # type: ignore[valid-type]
    """p"""


def _bad_attribute() -> json.Nope:  # type: ignore[name-defined]
    """p"""


def _generator() -> Iterator[int]:
    """p"""
    yield 1


async def _async_generator() -> Any:
    """p"""
    yield 1


def _no_prompt(x: int) -> int: ...


def _unknown_placeholder(x: int) -> int:
    """{x} {y}"""


def _numbered(x: int) -> int:
    """{0}"""


def _unnamed(x: int) -> int:
    """{}"""


def _nested_placeholder(x: int) -> int:
    """{x:{width}}"""


def _braces(x: int) -> int:
    """{x} {"a": 1}"""


def _open_brace(x: int) -> int:
    """{x} {"""


def _unused(x: int, y: int) -> int:
    """{x}"""


def _star(*x: int) -> int:
    """{x}"""


def _star_star(**x: int) -> int:
    """{x}"""


REFUSED: list[tuple[Any, type[StructgenError]]] = [
    (_no_annotation, SchemaError), (_returns_none, SchemaError), (_plain_class, SchemaError), (_callable, SchemaError),
    (_bad_syntax, SchemaError), (_a_value, SchemaError), (_a_dict, SchemaError), (_unhashable_in_union, SchemaError),
    (_bad_attribute, SchemaError),
    (_generator, ParameterError), (_async_generator, ParameterError), (_no_prompt, PromptError),
    (_unknown_placeholder, PromptError), (_numbered, PromptError), (_unnamed, PromptError), (_nested_placeholder, PromptError),
    (_braces, PromptError), (_open_brace, PromptError), (_unused, PromptError), (_star, PromptError), (_star_star, PromptError),
    (lambda: 1, SchemaError), (len, ParameterError), (3, ParameterError), (None, ParameterError), (ask, ParameterError),
    (staticmethod(_docstring_only), ParameterError), (list[int], ParameterError), (threading.Thread, SchemaError),
    (int, ParameterError),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "error"), REFUSED, ids=lambda part: getattr(part, "__name__", None) or str(part)[:20]
)
def test_bad_input_is_refused_when_it_is_decorated(target: Any, error: type[StructgenError]) -> None:
    for decorator in (typed, typed(model="m")):
        with pytest.raises(error) as caught:
            decorator(target)
        assert type(caught.value).__module__.startswith("structgen.")
        name = "" if isinstance(target, staticmethod) else getattr(target, "__qualname__", "")
        assert not name.startswith("_") or name in str(caught.value)


def test_a_member_called_generate_is_not_replaced() -> None:
    class Attribute(pydantic.BaseModel):
        generate: int = 3

    class Field(pydantic.BaseModel):
        generate: int

    class Method(pydantic.BaseModel):
        n: int

        def generate(self) -> int:
            return self.n

    for tp in (Attribute, Field, Method):
        with pytest.raises(ParameterError, match="has a member 'generate'"):
            typed(tp)  # type: ignore[type-var]


@pytest.mark.parametrize(
    "settings",
    [
        {"retries": -1}, {"retries": True}, {"retries": 1.5}, {"describe": "xml"}, {"describe": ["typescript"]}, {"temperature": -1},
        {"max_new_tokens": "3"}, {"seed": None}, {"options": {}}, {"on_text": print}, {"modell": "tiny"},
        {"heal": 1}, {"min_tokens": -1}, {"time_limit": -1}, {"cancel": 1}, {"on_error": 1}, {"stop": "a"},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        typed(**settings)


def test_wrong_uses_of_the_decorator_are_refused() -> None:
    with pytest.raises(ParameterError, match="by name"):
        typed(_docstring_only, "tiny")  # type: ignore[call-overload]
    with pytest.raises(ParameterError, match="not both"):
        typed(_docstring_only, model="tiny")  # type: ignore[call-overload]


def test_an_empty_prompt_is_refused_when_it_is_made() -> None:
    @typed
    def f(x: str) -> int:
        """{x}"""

    with pytest.raises(PromptError, match="empty"):
        f(" ")


# -- the embedded model, and a type checker -----------------------------------------------------------------------------------------


def test_with_the_embedded_model() -> None:
    torch.set_num_threads(1)

    class Home(pydantic.BaseModel):
        name: str
        age: int
        city: str

    @typed
    def home(text: str) -> Home:
        """{text}"""

    text = "Ana Silva, 34, lives in Porto."
    expected = Home(name="Ana Silva", age=34, city="Porto")
    assert home(text) == expected
    assert home.batch([(text,), {"text": text}]) == [expected] * 2
    assert typed(Home).generate(text) == expected  # type: ignore[attr-defined]


CHECKED = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from structgen.generation.typed import typed


@dataclass
class Person:
    name: str


@typed
def person(text: str, n: int = 1) -> Person:
    """{text} {n}"""
    raise NotImplementedError


@typed(model="tiny", retries=2, describe="typescript")
def word(text: str) -> Literal["a", "b"]:
    """{text}"""
    raise NotImplementedError


@typed
async def people(text: str) -> list[Person]:
    """{text}"""
    raise NotImplementedError


class Reader:
    @typed
    def age(self, text: str) -> int:
        """{self} {text}"""
        raise NotImplementedError


@typed
@dataclass
class Point:
    x: int


async def main() -> None:
    reveal_type(await people("x"))  # list[Person]
    reveal_type(await people.batch([("x",)]))  # list[list[Person]]


reveal_type(person("x"))  # Person
reveal_type(person("x", n=2))  # Person
reveal_type(person.batch([("x",)]))  # list[Person]
reveal_type(person.result("x").value)  # Person
reveal_type(person.prompt("x"))  # str
reveal_type(word("x"))  # Literal['a'] | Literal['b']
reveal_type(Reader().age("x"))  # int
reveal_type(Reader().age.batch([]))  # list[int]
reveal_type(Point(x=1))  # Point
person(3)  # error: arg-type
person()  # error: call-arg
word("x", more=1)  # error: call-arg
Reader().age(3)  # error: arg-type
typed(retries="2")  # error: call-overload
'''


def test_mypy_sees_the_annotated_types(tmp_path: Path) -> None:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    path = tmp_path / "checked.py"
    path.write_text(textwrap.dedent(CHECKED))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--no-pretty", "--hide-error-context"]
    # Only what the decorator's types need is read (5 seconds); everything with numpy, torch and pydantic in it would take a minute.
    needed = ["generation/typed.py", "generation/controls.py", "generation/describe.py", "generation/values.py"]
    needed += ["schema/options.py", "errors.py"]
    command += ["--follow-imports=skip", str(path), *(f"structgen/{name}" for name in needed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    said: dict[int, str] = {}
    for line in done.stdout.splitlines():
        if line.startswith(str(path)) and (": error:" in line or "Revealed type" in line):
            said[int(line.split(":")[1])] = line
    for number, line in enumerate(path.read_text().splitlines(), 1):
        code, _, comment = line.partition("  # ")
        if comment.startswith("error: "):
            assert f"[{comment.removeprefix('error: ')}]" in said.pop(number, ""), (line, done.stdout)
        elif "reveal_type" in code:
            revealed = said.pop(number, "").partition('Revealed type is "')[2].rstrip('"')
            short = revealed.replace("checked.", "").replace("builtins.", "")
            assert short == comment, (line, done.stdout)
    assert not {number: line for number, line in said.items() if ": error:" in line}, done.stdout


def test_decorating_loads_neither_numba_nor_torch() -> None:
    program = (
        "from structgen.generation.typed import typed\n"
        "@typed(describe='typescript')\ndef f(x: int) -> list[int]:\n    '{x}'\n"
        "import sys; print([name for name in ('numba', 'torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_module_is_what_it_says() -> None:
    assert all(hasattr(typed_module, name) for name in typed_module.__all__)
