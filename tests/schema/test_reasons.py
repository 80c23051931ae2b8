"""Why a schema is unsatisfiable: the constraints that clash are named by JSON Pointer, and none that does not take part."""

from __future__ import annotations

from typing import Any

import pytest

from structgen.errors import UnsatisfiableError
from structgen.schema.keywords import check
from structgen.schema.normal import Normalizer
from structgen.schema.reasons import _Search
from structgen.schema.references import Document

# schema, pointer of the error, texts that its reason holds
CLASHES: list[tuple[Any, str, tuple[str, ...]]] = [
    (False, "", ("the schema is false",)),
    ({"enum": []}, "/enum", ("lists no value",)),
    ({"const": "a", "type": ["null", "integer"]}, "/const", ('const "a"', 'type ["null", "integer"]')),
    (
        {"title": "t", "allOf": [{"type": "string"}, {"type": "null", "maxItems": 3}]},
        "/allOf/0/type",
        ("#/allOf/1/type",),
    ),
    (
        {
            "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}, {"type": "integer", "maximum": 100}],
            "$defs": {"a": {"minimum": 3, "maxItems": 1}, "b": {"exclusiveMaximum": 3, "minLength": 3}},
        },
        "/$defs/a/minimum",
        ("exclusiveMaximum 3 (#/$defs/b/exclusiveMaximum)", "(#/allOf/2/type)"),
    ),
    (
        {"type": "array", "allOf": [{"minItems": 2}, {"maxItems": 1}]},
        "/allOf/0/minItems",
        ("is above maxItems 1 of #/allOf/1",),
    ),
    (
        {"type": "object", "properties": {"b": {}}, "additionalProperties": False, "required": ["b", "a"]},
        "/required",
        ("'a' is not allowed by #/additionalProperties",),
    ),
    (
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "object", "required": ["b"], "properties": {"b": {"type": "null"}}}},
            "patternProperties": {"a": {"properties": {"b": {"const": 1}}}},
        },
        "/patternProperties/a/properties/b/const",
        ("'a' has no value", "'b' has no value", "#/properties/a/properties/b/type"),
    ),
    ({"type": "array", "minItems": 2, "items": [True, {"enum": []}]}, "/items/1/enum", ("item 1 has no value",)),
    (
        {"type": "array", "minItems": 3, "items": {"type": "array", "minItems": 1, "items": {"$ref": "#"}}},
        "",
        ("itself",),
    ),
    ({"type": "string", "anyOf": [{"type": "null"}, {"const": 1}]}, "/anyOf", ('agrees with type "string"',)),
    ({"type": "object", "required": ["abc"], "propertyNames": {"maxLength": 2}}, "/required", ("propertyNames",)),
    (
        {"$ref": "#/definitions/x", "definitions": {"x": {"not": {}}}},
        "/definitions/x/not",
        ("not excludes every value",),
    ),
]


@pytest.mark.parametrize(("schema", "pointer", "texts"), CLASHES)
def test_the_constraints_that_clash_are_named(schema: Any, pointer: str, texts: tuple[str, ...]) -> None:
    document = Document(schema)
    with pytest.raises(UnsatisfiableError) as caught:
        check(document, Normalizer(document))
    assert caught.value.pointer == pointer
    for text in texts:
        assert text in caught.value.reason
    if caught.value.keyword:
        assert pointer.endswith("/" + caught.value.keyword)


@pytest.mark.parametrize("schema", [schema for schema, _, _ in CLASHES if isinstance(schema, dict)])
def test_none_of_the_constraints_can_be_left_out(schema: dict[str, Any]) -> None:
    document = Document(
        {**schema, "minProperties": 0, "maxLength": 10**6, "multipleOf": 1, "propertyNames": True, **schema}
    )
    check(document)
    search = _Search(Normalizer(document))
    parts = search.clash(search.parts([document.root]))
    places = [part.place for part in parts]
    assert search.is_empty(places)
    for place in places:
        assert not search.is_empty([other for other in places if other is not place])


def test_a_reason_is_found_among_many_constraints() -> None:
    schema = {
        "type": "array",
        "allOf": [{"minItems": index, "maxItems": 5000} for index in range(2000)],
        "maxItems": 1998,
    }
    document = Document(schema)
    with pytest.raises(UnsatisfiableError, match="minItems 1999 is above maxItems 1998"):
        check(document, Normalizer(document))


def test_values_inside_values_have_an_end() -> None:
    schema: dict[str, Any] = {"type": "integer", "minimum": 2, "maximum": 1}
    for _ in range(100):
        schema = {"type": "object", "required": ["a"], "properties": {"a": schema}}
    document = Document(schema)
    with pytest.raises(UnsatisfiableError) as caught:
        check(document, Normalizer(document))
    assert len(str(caught.value)) < 3000
