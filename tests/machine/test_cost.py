"""Counts of `structgen check`: against counts by hand for objects and arrays, and the same on every run."""

from __future__ import annotations

from typing import Any

import pytest

from structgen import Compiler, JsonOptions, Vocabulary
from structgen.machine.cost import MAX_TOP_STATES, Cost, cost_of
from tests.machine import walks

CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in "abcde"},
    "additionalProperties": False,
}
ANY = JsonOptions(property_order="any")


def cost(vocabulary: Vocabulary, schema: Any, options: JsonOptions | None = None) -> Cost:
    return cost_of(Compiler(vocabulary, cache_size=0).compile_json_schema(schema, options).matcher())


@pytest.mark.parametrize(
    ("schema", "options", "count"),
    [
        ({"type": "string", "maxLength": 7}, None, 1),
        ({"type": ["string", "integer", "null"]}, None, 3),
        (CLOSED, None, 6),  # a position in the order
        (CLOSED, ANY, 32),  # a set of names
        ({**CLOSED, "required": ["a", "b"]}, ANY, 32),
        ({**CLOSED, "minProperties": 2}, ANY, 32),
        ({**CLOSED, "additionalProperties": {"type": "null"}}, ANY, 32),
        ({"type": "array", "prefixItems": [{}, {}], "items": False}, None, 3),
        ({"type": "array", "minItems": 3}, None, 4),
        ({"type": "array", "contains": {"type": "null"}, "maxContains": 2}, None, 3),
        ({"$defs": {"n": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}, None, 3),
    ],
)  # fmt: skip
def test_states_of_the_outermost_value(mixed: Any, schema: Any, options: JsonOptions | None, count: int) -> None:
    found = cost(mixed[0], schema, options)
    assert (found.top_states, found.is_capped) == (count, False)


def test_sets_of_many_names_are_capped(mixed: Any) -> None:
    many = {"type": "object", "properties": {f"p{i}": {} for i in range(20)}}
    found = cost(mixed[0], many, ANY)
    assert (found.top_states, found.is_capped) == (MAX_TOP_STATES, True)


def test_counts_repeat_and_leave_the_matcher_alone(mixed: Any) -> None:
    for schema in (CLOSED, {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"type": "integer"}}):
        matcher = Compiler(mixed[0], cache_size=0).compile_json_schema(schema).matcher()
        before = walks.mask_of(matcher).copy()
        first = cost_of(matcher)
        assert first == cost(mixed[0], schema)
        assert (walks.mask_of(matcher) == before).all()
        assert first.mask_steps > 0


def test_many_alternatives_are_heavier_than_one(mixed: Any) -> None:
    branches = [{**CLOSED, "properties": {f"name{i}": {"minLength": i}}, "required": [f"name{i}"]} for i in range(60)]
    one, many = cost(mixed[0], branches[0]), cost(mixed[0], {"anyOf": branches})
    assert one.mask_class == "light"
    assert many.mask_steps > 5 * one.mask_steps
    assert many.mask_class != "light"
