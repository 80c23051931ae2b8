"""Python types as schemas, and values of those types."""

from __future__ import annotations

import dataclasses
import enum
import typing
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import pydantic
import pytest

from structgen.errors import SchemaError
from structgen.schema.alternatives import Array, Object, StringEnum
from structgen.schema.keywords import check
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document
from structgen.schema.types import schema_of
from tests.schema import interpreter


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(NamedTuple):
    x: int
    label: str = "p"


class Address(TypedDict):
    street: str
    zip: NotRequired[int]


class Wide(typing.TypedDict, total=False):
    addresses: list[Address]
    by_name: dict[str, Address | None]


@dataclasses.dataclass
class Person:
    name: str
    born: date
    friend: Person | None = None
    colours: list[Colour] = dataclasses.field(default_factory=list)


class Cat(pydantic.BaseModel):
    kind: Literal["cat"] = "cat"
    lives: Annotated[int, pydantic.Field(ge=0, le=9)]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = pydantic.Field(alias="dogName")


class Owner(pydantic.BaseModel):
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    a: int


CASES: list[tuple[Any, list[Any], list[Any]]] = [
    (int, [1, -3], ["1", True, None]),
    (str, ["", "é"], [1]),
    (list[int], [[], [1, 2]], [[1, "2"], {}]),
    (dict[str, int], [{}, {"a": 1}], [{"a": "b"}]),
    (Literal["a", 1, None], ["a", 1, None], ["b", 2]),
    (int | None, [3, None], ["3"]),
    (tuple[int, str], [[1, "a"]], [[1], [1, "a", 2], ["a", 1]]),
    (Colour, ["red"], ["green", 1]),
    (Point, [[1, "a"], [1]], [[], ["a"], [1, "a", 2]]),
    (Address, [{"street": "s"}, {"street": "s", "zip": 1}], [{}, {"street": "s", "town": "t"}]),
    (Wide, [{}, {"addresses": [{"street": "s"}]}, {"by_name": {"a": None}}], [{"addresses": [{}]}, {"other": 1}]),
    (list[Address], [[{"street": "s"}]], [[{"street": "s", "x": 1}]]),
    (
        Person,
        [{"name": "n", "born": "2024-02-29"}, {"name": "n", "born": "2024-01-01", "friend": None, "colours": ["red"]},
         {"name": "n", "born": "2024-01-01", "friend": {"name": "m", "born": "2024-01-02"}}],
        [{"name": "n"}, {"name": "n", "born": "soon"}, {"name": "n", "born": "2024-01-01", "age": 3}],
    ),
    (Owner, [{"pet": {"kind": "cat", "lives": 3}}, {"pet": {"kind": "dog", "dogName": "d"}}],
     [{"pet": {"lives": 3}}, {"pet": {"kind": "cat", "lives": 10}}, {"pet": {"kind": "dog", "lives": 1}}]),
    (Open, [{"a": 1}, {"a": 1, "b": [None]}], [{"b": 1}]),
    (dict, [{}, {"a": [1]}], [[]]),
]  # fmt: skip


@pytest.mark.parametrize(("tp", "right", "wrong"), CASES, ids=lambda value: str(value)[:40])
def test_schemas_of_types_admit_what_the_type_admits(tp: Any, right: list[Any], wrong: list[Any]) -> None:
    import json

    typed = schema_of(tp)
    assert typed.closed
    document = Document(typed.schema, options=JsonOptions(extra_properties="closed"))
    normalizer = Normalizer(document)
    check(document, normalizer)
    for value in right:
        assert interpreter.matches(normalizer, value), value
        typed.validate(json.dumps(value))
    for value in wrong:
        assert not interpreter.matches(normalizer, value), value


def test_values_have_the_type() -> None:
    person = schema_of(Person).validate('{"name": "n", "born": "2024-02-29", "colours": ["red"]}')
    assert person == Person("n", date(2024, 2, 29), None, [Colour.RED])
    assert schema_of(Point).validate("[1, \"b\"]") == Point(1, "b")  # fmt: skip
    assert schema_of(Owner).validate('{"pet": {"kind": "dog", "dogName": "d"}}').pet.name == "d"


def test_alternatives_of_types() -> None:
    normalizer = Normalizer(Document(schema_of(Colour).schema))
    assert normalizer.expand(normalizer.root) == (StringEnum(("red", "blue")),)
    normalizer = Normalizer(Document(schema_of(Point).schema))
    assert isinstance(normalizer.expand(normalizer.root)[0], Array)
    normalizer = Normalizer(Document(schema_of(Open).schema, options=JsonOptions(extra_properties="closed")))
    (made,) = normalizer.expand(normalizer.root)
    assert isinstance(made, Object)
    assert made.class_goal(frozenset()) == ()


class NoSchema:
    pass


@pytest.mark.parametrize(
    "wrong",
    [5, object(), lambda: 1, None, len, Cat(lives=3), typing.Callable, NoSchema, list[NoSchema], "Nowhere"],
    ids=repr,
)
def test_what_has_no_schema_is_refused(wrong: Any) -> None:
    with pytest.raises(SchemaError):
        schema_of(wrong)
