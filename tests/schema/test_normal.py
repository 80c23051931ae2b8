"""The normal form against `jsonschema`: the same values, no alternative without a value, no emptiness that is not."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from structgen.errors import LimitExceeded, Limits, SchemaError
from structgen.schema.alternatives import (
    Array,
    Boolean,
    Null,
    Number,
    NumberEnum,
    Object,
    Property,
    String,
    StringEnum,
)
from structgen.schema.keywords import check
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document
from tests.schema import interpreter, random_schemas

SPEC = JsonOptions(property_order="any", integers="spec", formats="annotate")


def normalizer_of(schema: Any, options: JsonOptions = SPEC, **more: Any) -> Normalizer:
    return Normalizer(Document(schema, options=options, **more))


def expand(schema: Any, options: JsonOptions = SPEC) -> tuple[Any, ...]:
    normalizer = normalizer_of(schema, options)
    return normalizer.expand(normalizer.root)


def _loops(normalizer: Normalizer) -> bool:
    """Whether a random schema refers back to the same value; nothing else may be wrong with it."""
    try:
        check(normalizer.document)
    except SchemaError as error:
        if "loop" not in error.reason:
            raise
        return True
    return False


@pytest.mark.parametrize("seed", range(12))
def test_random_schemas_agree_with_jsonschema(seed: int) -> None:
    random = Random(seed)
    n_checked = 0
    for _ in range(60):
        schema = random_schemas.schema(random)
        normalizer = normalizer_of(schema)
        if _loops(normalizer):
            continue
        validator = Draft202012Validator(schema)
        values = [random_schemas.value(random) for _ in range(40)]
        for value in values:
            n_checked += 1
            assert interpreter.matches(normalizer, value) == validator.is_valid(value), (schema, value)
        if normalizer.is_empty(normalizer.root):
            assert normalizer.expand(normalizer.root) == ()
            continue
        for alternative in normalizer.expand(normalizer.root):
            value = interpreter.sample_of(normalizer, alternative)
            assert value is not interpreter.NO_VALUE, (schema, alternative)
            assert validator.is_valid(value), (schema, alternative, value)
    assert n_checked > 1500


def test_goals_of_references_are_those_of_their_targets() -> None:
    normalizer = normalizer_of({"type": "object", "properties": {"next": {"$ref": "#"}, "any": {"title": "x"}}})
    (made,) = normalizer.expand(normalizer.root)
    assert made.properties == (Property("next", normalizer.root, False), Property("any", (), False))


def test_any_value_has_one_alternative_of_each_kind() -> None:
    kinds = [type(alternative) for alternative in normalizer_of(True).expand(())]
    assert kinds == [Null, Boolean, Number, String, Array, Object]


def test_constants_of_branches_unite() -> None:
    schema = {
        "anyOf": [
            {"const": "a"},
            {"type": "null"},
            {"enum": ["b", "a"]},
            {"const": 2},
            {"type": "number", "const": 1.0},
        ]
    }
    assert set(expand(schema)) == {StringEnum(("a", "b")), Null(), NumberEnum((2, 1))}


def test_branches_that_differ_in_nothing_are_one_alternative() -> None:
    assert expand({"type": "null", "anyOf": [{"minLength": 1}, {"required": ["a"]}]}) == (Null(),)


def test_numbers_are_exact() -> None:
    assert expand({"type": "number", "multipleOf": 0.01, "minimum": 0.001, "exclusiveMaximum": 0.01}) == ()
    assert expand({"type": "integer", "multipleOf": 2.5, "minimum": 1, "maximum": 4}) == ()
    assert expand({"enum": [0.1, 0.3, 1e2, 7], "multipleOf": 0.1}) == expand({"enum": [0.1, 0.3, 100, 7]})


def test_true_is_not_one() -> None:
    assert expand({"enum": [1, True, 0, False], "type": "boolean"}) == (Boolean((False, True)),)
    assert expand({"allOf": [{"enum": [[1]]}, {"enum": [[True]]}]}) == ()
    assert expand({"allOf": [{"const": {"a": 1, "b": 2}}, {"const": {"b": 2.0, "a": 1}}]}) != ()


def test_an_object_that_needs_itself_has_no_value() -> None:
    chain = {f"d{index}": {"type": "object", "required": ["n"], "properties": {"n": {"$ref": f"#/$defs/d{index + 1}"}}}
             for index in range(3000)}  # fmt: skip
    chain["d3000"] = {"$ref": "#/$defs/d0"}
    normalizer = normalizer_of({"$ref": "#/$defs/d0", "$defs": chain})
    assert normalizer.is_empty(normalizer.root)
    chain["d3000"] = {"type": "null"}
    normalizer = normalizer_of({"$ref": "#/$defs/d0", "$defs": chain})
    assert not normalizer.is_empty(normalizer.root)


def test_emptiness_does_not_depend_on_the_order_of_questions() -> None:
    tree = {
        "$defs": {
            "a": {"type": "object", "required": ["b"], "properties": {"b": {"$ref": "#/$defs/b"}}},
            "b": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 1}, True]},
        },
    }  # fmt: skip
    for order in (("a", "b"), ("b", "a")):
        document = Document(tree, options=SPEC)
        normalizer = Normalizer(document)
        goals = [(document.resolve(document.root, f"#/$defs/{name}").id,) for name in order]
        assert [normalizer.is_empty(goal) for goal in goals] == [False, False]


def test_impossible_names_are_named() -> None:
    (made,) = expand({"type": "object", "properties": {"a": False, "b": {"enum": []}, "c": {}}})
    assert made.properties == (Property("a", None, False), Property("b", None, False), Property("c", (), False))


def test_items_without_value_shorten_the_array() -> None:
    assert expand({"type": "array", "items": {"enum": []}}) == (Array((), None, 0, 0, ""),)
    assert expand({"type": "array", "prefixItems": [True, False, True]}) == (Array(((),), None, 0, 1, ""),)
    assert expand({"type": "array", "prefixItems": [True, False], "minItems": 2}) == ()


def test_order_of_properties_is_the_order_of_the_text() -> None:
    (made,) = expand(
        {
            "type": "object",
            "allOf": [{"properties": {"first": {}}}, {"$ref": "#/$defs/base"}],
            "properties": {"third": {}, "first": {"type": "null"}},
            "required": ["last", "third"],
            "$defs": {"base": {"properties": {"second": {}}}},
        }
    )
    assert [entry.name for entry in made.properties] == ["first", "second", "third", "last"]


def test_patterns_are_scoped_by_their_own_schema() -> None:
    normalizer = normalizer_of(
        {
            "type": "object",
            "allOf": [
                {"patternProperties": {"^a": {"type": "string"}}, "additionalProperties": False},
                {"patternProperties": {"b$": {"minLength": 2}}},
            ],
        }
    )
    (made,) = normalizer.expand(normalizer.root)
    assert made.patterns == ("^a", "b$")
    assert made.class_goal(frozenset()) is None
    assert made.class_goal(frozenset({1})) is None
    only, both = made.class_goal(frozenset({0})), made.class_goal(frozenset({0, 1}))
    assert normalizer.expand(only) == (String(),)
    assert normalizer.expand(both) == (String(min_length=2),)


def test_closed_objects_admit_declared_names_only() -> None:
    closed = JsonOptions(extra_properties="closed")
    for schema, is_open in (
        ({"type": "object", "properties": {"a": {}}}, False),
        ({"type": "object"}, False),
        ({}, True),
        ({"type": "object", "additionalProperties": {}}, True),
        ({"properties": {"a": {}}, "patternProperties": {"^x": {}}, "type": "object"}, False),
    ):
        made = next(one for one in expand(schema, closed) if isinstance(one, Object))
        assert (made.class_goal(frozenset()) is not None) == is_open, schema
    assert made.class_goal(frozenset({0})) == ()


def test_repeated_choices_do_not_multiply() -> None:
    choice = {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    schema = {"type": "object", "allOf": [{"$ref": "#/$defs/c"}] * 40, "$defs": {"c": choice}}
    assert len(expand(schema)) == 2


def test_choices_that_multiply_meet_the_limit() -> None:
    schema = {"allOf": [{"anyOf": [{"required": [f"{i}{j}"]} for j in range(3)]} for i in range(12)]}
    normalizer = normalizer_of(schema, limits=Limits(max_alternatives=1000))
    with pytest.raises(LimitExceeded) as caught:
        normalizer.expand(normalizer.root)
    assert caught.value.name == "max_alternatives"


def test_large_enumerations_and_many_conjuncts_are_no_trouble() -> None:
    values = [f"value {index}" for index in range(100_000)]
    for schema in ({"enum": values}, {"anyOf": [{"const": value} for value in values]}):
        (made,) = expand(schema)
        assert made == StringEnum(tuple(values))
    with pytest.raises(LimitExceeded):
        expand({"enum": [[index] for index in range(10_000)]})
    (made,) = expand(
        {"type": "object", "allOf": [{"properties": {f"p{i}": {}, "x": {"minLength": i}}} for i in range(200)]}
    )
    assert len(made.properties) == 201


def test_max_string_length_bounds_only_unbounded_strings() -> None:
    options = JsonOptions(max_string_length=10)
    assert expand({"type": "string"}, options) == (String(0, 10),)
    assert expand({"type": "string", "minLength": 20}, options) == (String(20, 20),)
    assert expand({"type": "string", "maxLength": 50}, options) == (String(0, 50),)


@pytest.mark.parametrize("extra", ["schema", "closed"])
def test_plain_objects_are_what_the_general_way_finds(extra: str) -> None:
    """`expand` goes a shorter way for most objects: the same alternative, goal for goal."""
    random = Random(11)
    options = JsonOptions(property_order="any", extra_properties=extra)
    inner = [True, False, {}, {"type": "string"}, {"enum": []}, {"allOf": [{"type": "null"}]}, {"$ref": "#"}, {"not": {}},
             {"minimum": 3, "maximum": 2, "type": "number"}, {"$ref": "#/properties/a"}, {"type": "array", "minItems": 1}]  # fmt: skip

    def copy(choices: list[Any]) -> Any:  # each place has an object of its own
        return deepcopy(random.choice(choices))

    n_plain = 0
    for _ in range(400):
        names = random.sample("abcde", random.randrange(5))
        schema: dict[str, Any] = {"type": "object", "properties": {name: copy(inner) for name in names}}
        schema["properties"]["a"] = copy(inner[:5])
        if random.random() < 0.7:
            schema["required"] = random.choices([*names, "a", "f"], k=random.randrange(3))
        if random.random() < 0.6:
            schema["additionalProperties"] = copy(inner[:6])
        found, expected = [], []
        for is_plain, out in ((True, found), (False, expected)):
            normalizer = normalizer_of(schema, options)
            if not is_plain:
                normalizer._plain_object = lambda place: None  # type: ignore[method-assign]
            elif normalizer._plain_object(normalizer.document.root) is not None:
                n_plain += 1
            for alternative in normalizer.expand(normalizer.root):
                out.append(_with_places(normalizer, alternative))
        assert found == expected, schema
    assert n_plain > 150


def _with_places(normalizer: Normalizer, made: Object) -> tuple[Any, ...]:
    """An object whose goals are places: ids depend on the order of visits."""

    def places(goal: Any) -> Any:
        return None if goal is None else tuple(normalizer.document.at(number).pointer for number in goal)

    return (
        [(one.name, places(one.goal), one.required) for one in made.properties],
        made.patterns,
        made.names,
        [(scope.patterns, places(scope.additional)) for scope in made.scopes],
        made.closed,
        made.pointer,
        places(made.class_goal(frozenset())),
    )
