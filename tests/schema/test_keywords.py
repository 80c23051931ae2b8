"""What the check pass finds: bad schemas, unsupported keywords, loops, limits; and what it leaves alone."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import pytest

from structgen.errors import (
    LimitExceeded,
    Limits,
    RegexError,
    SchemaError,
    UnsatisfiableError,
    UnsupportedError,
)
from structgen.schema import keywords
from structgen.schema.keywords import check, report
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document


def run(schema: Any, options: JsonOptions | None = None, **more: Any) -> None:
    document = Document(schema, options=options or JsonOptions(), **more)
    check(document, Normalizer(document))


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "strin"}, "/type"),
        ({"type": []}, "/type"),
        ({"type": ["string", 3]}, "/type"),
        ({"properties": {"a": {"minLength": "3"}}}, "/properties/a/minLength"),
        ({"properties": []}, "/properties"),
        ({"properties": {"a": 3}}, "/properties/a"),
        ({"properties": {"a": None}}, "/properties/a"),
        ({"properties": {"a": {"anyOf": [True, [1]]}}}, "/properties/a/anyOf/1"),
        ({"items": [{"type": 5}]}, "/items/0/type"),
        ({"items": [True], "additionalItems": {"type": 5}}, "/additionalItems/type"),
        ({"required": "a"}, "/required"),
        ({"required": [1]}, "/required"),
        ({"minItems": -1}, "/minItems"),
        ({"maxItems": 1.5}, "/maxItems"),
        ({"maxLength": True}, "/maxLength"),
        ({"minimum": "1"}, "/minimum"),
        ({"minimum": float("nan")}, "/minimum"),
        ({"multipleOf": 0}, "/multipleOf"),
        ({"pattern": 3}, "/pattern"),
        ({"format": 3}, "/format"),
        ({"enum": "a"}, "/enum"),
        ({"enum": [object()]}, "/enum"),
        ({"enum": [float("inf")]}, "/enum"),
        ({"anyOf": []}, "/anyOf"),
        ({"allOf": {"a": 1}}, "/allOf"),
        ({"$ref": 3}, "/$ref"),
        ({"$ref": "#/$defs/none"}, "/$ref"),
        ({"properties": {"a/b~c": {"$ref": "#/nowhere"}}}, "/properties/a~1b~0c/$ref"),
        ({"$ref": "#/title", "title": "t"}, "/$ref"),
        ({"$ref": "https://example.com/other.json"}, "/$ref"),
        ({"$defs": []}, "/$defs"),
        ({"patternProperties": 1}, "/patternProperties"),
        ({"uniqueItems": "yes"}, "/uniqueItems"),
        ({"dependencies": []}, "/dependencies"),
        ({"properties": {"\ud800": {}}}, "/properties"),
        ({"const": "\udfff"}, "/const"),
        ({"enum": [{"a": ["\ud800"]}]}, "/enum"),
        ({"$id": 5}, "/$id"),
    ],
)
def test_wrong_schemas_name_the_place(schema: Any, pointer: str) -> None:
    with pytest.raises(SchemaError) as caught:
        run(schema)
    assert caught.value.pointer == pointer
    assert type(caught.value) is SchemaError


@pytest.mark.parametrize(
    "schema", [None, 3, "", "[1]", "nul", b"\xff", '{"a": NaN}', ["object"], '{"const": 1e999999999}', "1"]
)
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    with pytest.raises((SchemaError, LimitExceeded)):
        run(schema)


def test_invalid_json_is_located() -> None:
    with pytest.raises(SchemaError, match="line 2 column"):
        run('{"type":\n oops}')


def test_remote_references_ask_for_a_registry() -> None:
    with pytest.raises(SchemaError, match="registry="):
        run({"$ref": "https://example.com/other.json#/a"})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"properties": {"a": {"$ref": "#/properties/a"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [True, {"$ref": "#/$defs/a"}]}}},
        {"anyOf": [{"type": "null"}, {"$ref": "#"}]},
        {
            "$defs": {"a": {"$id": "http://x/a", "$ref": "b"}, "b": {"$id": "http://x/b", "$ref": "a"}},
            "$ref": "#/$defs/a",
        },
    ],
)
def test_reference_loops_are_refused(schema: Any) -> None:
    with pytest.raises(SchemaError, match="loop"):
        run(schema)


def test_recursion_through_a_value_is_no_loop() -> None:
    run({"type": "object", "properties": {"a": {"$ref": "#"}}, "items": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}})


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "/oneOf"),
        ({"properties": {"a": {"not": {"type": "string"}}}}, "/properties/a/not"),
        ({"if": {"type": "string"}, "then": {"minLength": 1}}, "/then"),
        ({"if": {"type": "string"}, "else": {"minLength": 1}}, "/else"),
        ({"dependentRequired": {"a": ["b"]}}, "/dependentRequired"),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, "/dependentSchemas"),
        ({"dependencies": {"a": ["b"]}}, "/dependencies"),
        ({"uniqueItems": True}, "/uniqueItems"),
        ({"contains": {"type": "string"}}, "/contains"),
        ({"minProperties": 1}, "/minProperties"),
        ({"maxProperties": 1}, "/maxProperties"),
        ({"unevaluatedProperties": False}, "/unevaluatedProperties"),
        ({"unevaluatedItems": False}, "/unevaluatedItems"),
        ({"$dynamicRef": "#a"}, "/$dynamicRef"),
        ({"$recursiveRef": "#"}, "/$recursiveRef"),
        ({"$defs": {"a": {"not": {"minimum": 1}}}, "items": {"$ref": "#/$defs/a"}}, "/$defs/a/not"),
    ],
)
def test_keywords_that_would_not_be_enforced_are_refused(schema: Any, pointer: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        run(schema)
    assert caught.value.pointer == pointer
    assert caught.value.keyword == pointer.rpartition("/")[2]


@pytest.mark.parametrize(
    "schema",
    [
        {"uniqueItems": False, "minProperties": 0, "dependencies": {}, "not": False, "then": {"not": {"minLength": 1}}},
        {"if": {"type": "string"}},
        {"oneOf": [{"type": "string"}]},
        {"type": "object", "minProperties": 2, "required": ["a", "b"]},
        {"type": "object", "maxProperties": 2, "properties": {"a": {}, "b": {}}, "additionalProperties": False},
        {"type": "string", "uniqueItems": True, "contains": {"type": "null"}, "dependentRequired": {"a": ["b"]}},
        {"type": "array", "uniqueItems": True, "maxItems": 1},
        {"enum": [{"not": {}, "oneOf": 3}], "default": {"$ref": "#/nowhere"}, "examples": [{"uniqueItems": True}]},
        {"properties": {"not": {"type": "string"}, "oneOf": {}, "$ref": {"type": "string"}, "$id": {}}},
        {"$defs": {"unused": {"not": {"type": "string"}}}, "definitions": {"unused": 3}},
        {"$schema": "http://json-schema.org/draft-04/schema#", "contains": {"type": "null"}, "if": 3, "const": 3},
        {"$schema": "http://json-schema.org/draft-07/schema#", "unevaluatedProperties": False, "minContains": 2},
        {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "not": {"type": "null"},
         "definitions": {"a": {"type": "null"}}},
        {"type": "integer", "format": "colour"},
        {"unevaluatedProperties": False, "additionalProperties": {"type": "null"}},
    ],
)  # fmt: skip
def test_harmless_forms_are_left_alone(schema: Any) -> None:
    run(schema)


def test_formats_constrain_only_when_asserted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run({"type": "string", "format": "iri"})
        run({"type": "string", "format": "colour"}, JsonOptions(formats="annotate"))


def test_unknown_formats_warn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keywords, "_warned_formats", set())
    with pytest.warns(UserWarning, match="'colour'"):
        run({"format": "colour"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run({"format": "colour"})


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "*a", "(?<x>a)(?<x>b)", "\\"])
def test_invalid_patterns_are_found(pattern: str) -> None:
    with pytest.raises(RegexError, match="/properties/a/pattern"):
        run({"properties": {"a": {"pattern": pattern}}})
    with pytest.raises(RegexError):
        run({"patternProperties": {pattern: True}})


@pytest.mark.parametrize(
    ("schema", "match"),
    [
        (False, "false"),
        ({"enum": []}, "no value"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "minItems 3 is above maxItems 2"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "minLength 3 is above maxLength 2"),
        ({"type": "integer", "minimum": 1.2, "maximum": 1.8}, "no integer"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "'a'"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "minItems": 2, "maxItems": 1}}}, "minItems"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}, "itself"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "exclude each other"),
        ({"const": 1, "enum": [2]}, "other constraints"),
        ({"type": "string", "pattern": "^a$", "minLength": 2}, "pattern|string"),
        ({"anyOf": [{"type": "string", "const": 1}, False]}, "no value of const"),
        ({"type": "array", "items": False, "minItems": 1}, "minItems"),
        ({"not": {}}, "exclude"),
    ],
)  # fmt: skip
def test_contradictions_at_the_root_are_unsatisfiable(schema: Any, match: str) -> None:
    with pytest.raises(UnsatisfiableError, match=match) as caught:
        run(schema)
    assert "unsatisfiable" in str(caught.value)


def test_contradictions_elsewhere_are_not_errors() -> None:
    run({"properties": {"a": {"type": "array", "minItems": 3, "maxItems": 2}, "b": {"enum": []}}})


def _deep(levels: int, keyword: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {keyword: [schema]} if keyword in ("allOf", "anyOf", "prefixItems") else (
            {keyword: {"a": schema}} if keyword == "properties" else {keyword: schema}
        )  # fmt: skip
    return schema


@pytest.mark.parametrize("keyword", ["properties", "items", "allOf", "anyOf", "prefixItems", "additionalProperties"])
def test_deep_nesting_meets_the_limit(keyword: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        run(_deep(10_000, keyword))
    assert caught.value.name == "max_depth"
    run(_deep(1_900, keyword))


def test_deep_texts_and_constants_meet_a_limit() -> None:
    text = '{"items":' * 50_000 + "{}" + "}" * 50_000
    with pytest.raises(LimitExceeded):
        run(text)
    value: Any = 1
    for _ in range(10_000):
        value = [value]
    for schema in ({"const": value}, {"enum": [value]}, {"default": value}):
        if "default" in schema:
            run(schema)
        else:
            with pytest.raises(LimitExceeded):
                run(schema)
    assert sys.getrecursionlimit() <= 3000  # nobody raised it to get here


def test_long_chains_of_references_are_no_trouble() -> None:
    chain: dict[str, Any] = {f"d{index}": {"$ref": f"#/$defs/d{index + 1}"} for index in range(5_000)}
    chain["d5000"] = {"type": "null"}
    run({"$ref": "#/$defs/d0", "$defs": chain})


def test_size_limits() -> None:
    names = {f"p{index}": {"type": "string", "description": "x" * 60} for index in range(50_000)}
    text = json.dumps({"type": "object", "properties": names})
    assert len(text) > 5_000_000
    run(text)
    with pytest.raises(LimitExceeded) as caught:
        run(text, limits=Limits(max_schema_bytes=1_000_000))
    assert caught.value.name == "max_schema_bytes"


def test_schemas_that_contain_themselves_as_objects() -> None:
    schema: dict[str, Any] = {"type": "object"}
    schema["properties"] = {"a": schema}
    run(schema)


@pytest.mark.filterwarnings("ignore:format 'colour'")
def test_report_says_what_is_done_with_every_keyword() -> None:
    schema = {
        "title": "t",
        "type": "object",
        "properties": {"a": {"not": {"type": "null"}}, "b": {"format": "colour"}, "c": {"$ref": "#/$defs/x"}},
        "$defs": {"x": {"items": [True], "x-own": 1, "uniqueItems": False}, "unused": {"type": "null"}},
    }
    rows = {(pointer, keyword): status for pointer, keyword, status, _ in report(Document(schema))}
    assert rows == {
        ("", "title"): "annotation",
        ("", "type"): "enforced",
        ("", "properties"): "enforced",
        ("", "$defs"): "annotation",
        ("/properties/a", "not"): "refused",
        ("/properties/b", "format"): "annotation",
        ("/properties/c", "$ref"): "enforced",
        ("/$defs/x", "items"): "enforced",
        ("/$defs/x", "x-own"): "annotation",
        ("/$defs/x", "uniqueItems"): "annotation",
    }
