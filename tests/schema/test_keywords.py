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
)
from structgen.schema import handlers
from structgen.schema.keywords import check, report
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document

OLD = "http://json-schema.org/draft-07/schema#"
OLDEST = "http://json-schema.org/draft-04/schema#"
NEW = "https://json-schema.org/draft/2020-12/schema"


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
        {"not": {"$ref": "#"}},
        {"oneOf": [{"type": "null"}, {"$ref": "#"}]},
        {"if": {"$ref": "#"}, "then": False},
        {"if": True, "then": {"not": {"$ref": "#"}}},
        {"if": True, "else": {"$ref": "#"}},
        {"dependentSchemas": {"a": {"$ref": "#"}}},
        {"dependencies": {"a": {"$ref": "#"}}},
        {"$dynamicAnchor": "a", "allOf": [{"$dynamicRef": "#a"}]},
        {"anyOf": [{"$recursiveRef": "#"}]},
    ],
)
def test_reference_loops_are_refused(schema: Any) -> None:
    with pytest.raises(SchemaError, match="loop"):
        run(schema)


def test_recursion_through_a_value_is_no_loop() -> None:
    run({"type": "object", "properties": {"a": {"$ref": "#"}}, "items": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}})
    run({"items": {"not": {"$ref": "#"}}, "contains": {"oneOf": [{"$ref": "#"}]}, "then": {"$ref": "#"}})


def test_the_same_place_in_two_scopes_is_no_loop() -> None:
    schema = {
        "$id": "http://example.com/r",
        "$ref": "a",
        "$defs": {
            "a": {"$id": "a", "allOf": [{"$ref": "b"}], "$defs": {"x": {"$dynamicAnchor": "x", "type": "null"}}},
            "b": {"$id": "b", "$dynamicRef": "#x", "$defs": {"x": {"$dynamicAnchor": "x", "$ref": "a"}}},
        },
    }
    run(schema)
    with pytest.raises(SchemaError, match="loop"):
        run({**schema, "$ref": "b"})


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"oneOf": [{"type": "string"}, {"type": 5}]}, "/oneOf/1/type"),
        ({"oneOf": []}, "/oneOf"),
        ({"properties": {"a": {"not": {"type": "strin"}}}}, "/properties/a/not/type"),
        ({"not": 3}, "/not"),
        ({"if": {"type": "strin"}}, "/if/type"),
        ({"if": True, "then": {"minLength": -1}}, "/then/minLength"),
        ({"if": True, "else": {"minLength": -1}}, "/else/minLength"),
        ({"then": 3}, "/then"),
        ({"dependentRequired": []}, "/dependentRequired"),
        ({"dependentRequired": {"a": "b"}}, "/dependentRequired/a"),
        ({"dependentRequired": {"a": [1]}}, "/dependentRequired"),
        ({"dependentSchemas": {"a": ["b"]}}, "/dependentSchemas/a"),
        ({"dependentSchemas": {"a": {"required": [1]}}}, "/dependentSchemas/a/required"),
        ({"dependencies": {"a": 3}}, "/dependencies/a"),
        ({"dependencies": {"a": [1]}}, "/dependencies"),
        ({"dependencies": {"a": {"type": 5}}}, "/dependencies/a/type"),
        ({"dependencies": {"a": {"type": 5}}, "dependentSchemas": {"b": True}}, "/dependencies/a/type"),
        ({"dependencies": {"b": True}, "dependentSchemas": {"a": {"type": 5}}}, "/dependentSchemas/a/type"),
        ({"contains": {"type": 5}}, "/contains/type"),
        ({"contains": [True]}, "/contains"),
        ({"minContains": -1}, "/minContains"),
        ({"maxContains": 1.5}, "/maxContains"),
        ({"minProperties": "1"}, "/minProperties"),
        ({"maxProperties": None}, "/maxProperties"),
        ({"unevaluatedProperties": {"type": 5}}, "/unevaluatedProperties/type"),
        ({"unevaluatedItems": {"type": 5}}, "/unevaluatedItems/type"),
        ({"$dynamicRef": 3}, "/$dynamicRef"),
        ({"$dynamicRef": "#a"}, "/$dynamicRef"),
        ({"items": {"$recursiveRef": "#/items"}}, "/items/$recursiveRef"),
        ({"$recursiveAnchor": "yes"}, "/$recursiveAnchor"),
        ({"$dynamicAnchor": 3}, "/$dynamicAnchor"),
        ({"$vocabulary": []}, "/$vocabulary"),
        ({"contentEncoding": 3}, "/contentEncoding"),
        ({"contentMediaType": 3}, "/contentMediaType"),
        ({"contentSchema": 3}, "/contentSchema"),
        ({"$defs": {"a": {"not": {"minimum": "1"}}}, "items": {"$ref": "#/$defs/a"}}, "/$defs/a/not/minimum"),
    ],
)
def test_wrong_values_of_applicators_name_the_place(schema: Any, pointer: str) -> None:
    with pytest.raises(SchemaError) as caught:
        run(schema)
    assert caught.value.pointer == pointer
    assert type(caught.value) is SchemaError


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": OLDEST, "contains": {"type": "null"}, "if": 3, "const": 3, "$ref": "#/x", "x": {"propertyNames": 3}},
        {"$schema": OLD, "unevaluatedProperties": 3, "minContains": "2", "dependentRequired": 5, "$dynamicRef": "#nowhere"},
        {"$schema": OLD, "$ref": "#/definitions/a", "not": 3, "definitions": {"a": {"type": "null"}}},
        {"$schema": NEW, "dependencies": 3, "$recursiveRef": "nowhere"},
        {"enum": [{"not": {}, "oneOf": 3}], "default": {"$ref": "#/nowhere"}, "examples": [{"uniqueItems": 3}]},
        {"properties": {"not": {"type": "string"}, "oneOf": {}, "$ref": {"type": "string"}, "$id": {}}},
        {"$defs": {"unused": {"not": {"type": 5}}}, "definitions": {"unused": 3}, "then": {"not": {"minLength": -1}}},
        {"type": "integer", "format": "colour", "nullable": 3, "discriminator": 3},
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_left_alone(schema: Any) -> None:
    run(schema)


def test_formats_constrain_only_when_asserted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run({"type": "string", "format": "shade"}, JsonOptions(formats="annotate"))
        run({"type": "integer", "format": "shade"})


@pytest.mark.parametrize(
    ("schema", "options"),
    [({"format": "colour"}, JsonOptions()), ({"contentEncoding": "colour"}, JsonOptions(content="assert"))],
)
def test_unknown_names_warn_once(monkeypatch: pytest.MonkeyPatch, schema: Any, options: JsonOptions) -> None:
    monkeypatch.setattr(handlers, "_warned", set())
    with pytest.warns(UserWarning, match="'colour'"):
        run(schema, options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(schema, options)


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
        ({"type": "integer", "minimum": 1.2, "maximum": 1.8}, "minimum 1.2 and maximum 1.8"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "'a'"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "minItems": 2, "maxItems": 1}}}, "minItems"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}, "itself"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "exclude each other"),
        ({"const": 1, "enum": [2]}, "no value of enum satisfies const 1"),
        ({"type": "string", "pattern": "^a$", "minLength": 2}, "pattern|string"),
        ({"anyOf": [{"type": "string", "const": 1}, False]}, "no branch of anyOf"),
        ({"type": "array", "items": False, "minItems": 1}, "minItems"),
        ({"not": {}}, "not excludes every value"),
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


def rows_of(schema: Any, options: JsonOptions | None = None) -> dict[tuple[str, str], str]:
    """What the report says of each keyword."""
    rows = report(Document(schema, options=options))
    found = {(pointer, keyword): status for pointer, keyword, status, _ in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.filterwarnings("ignore:format 'colour'")
def test_report_says_what_is_done_with_every_keyword() -> None:
    schema = {
        "title": "t",
        "type": "object",
        "properties": {"a": {"not": {"type": "null"}}, "b": {"format": "colour"}, "c": {"$ref": "#/$defs/x"}},
        "$defs": {"x": {"items": [True], "x-own": 1, "uniqueItems": False}, "unused": {"type": "null"}},
    }
    assert rows_of(schema) == {
        ("", "title"): "annotation",
        ("", "type"): "enforced",
        ("", "properties"): "enforced",
        ("", "$defs"): "annotation",
        ("/properties/a", "not"): "enforced",
        ("/properties/a/not", "type"): "enforced",
        ("/properties/b", "format"): "annotation",
        ("/properties/c", "$ref"): "enforced",
        ("/$defs/x", "items"): "enforced",
        ("/$defs/x", "x-own"): "annotation",
        ("/$defs/x", "uniqueItems"): "annotation",
    }


# a value of every keyword that any draft has, with which it constrains wherever its draft knows it
FULL: dict[str, Any] = {
    "type": ["object", "array", "string", "number"], "enum": [1, "a"], "const": 1, "multipleOf": 1, "maximum": 1,
    "exclusiveMaximum": 2, "minimum": 1, "exclusiveMinimum": 0, "maxLength": 3, "minLength": 1, "pattern": "a", "items": [True],
    "additionalItems": False, "maxItems": 3, "minItems": 1, "uniqueItems": True, "contains": {"const": 1}, "maxContains": 2,
    "minContains": 2, "maxProperties": 2, "minProperties": 1, "required": ["a"], "properties": {"a": True},
    "patternProperties": {"b": False}, "additionalProperties": False, "propertyNames": {"maxLength": 3},
    "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"a": {"minProperties": 1}}, "dependencies": {"c": ["b"]},
    "allOf": [{"minItems": 1}], "anyOf": [{"minItems": 1}], "oneOf": [{"minItems": 1}], "not": {"minItems": 9}, "if": {"minItems": 1},
    "then": {"minItems": 1}, "else": False, "unevaluatedItems": False, "unevaluatedProperties": False, "format": "date",
}  # fmt: skip
SINCE = {
    "draft6": {"const", "contains", "propertyNames"},
    "draft7": {"if", "then", "else"},
    "draft2019-09": {
        "maxContains", "minContains", "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties"
    },
}  # fmt: skip


@pytest.mark.parametrize("draft", ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12", None])
def test_every_keyword_is_enforced_in_the_drafts_that_know_it(draft: str | None) -> None:
    rows = rows_of(FULL, JsonOptions(draft=draft))
    order = ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"]
    unknown = {"dependencies"} if draft in order[3:] else set()
    if draft is not None:
        unknown = unknown.union(*(SINCE.get(later, set()) for later in order[order.index(draft) + 1 :]))
    for keyword in FULL:
        assert rows["", keyword] == ("ignored" if keyword in unknown else "enforced"), keyword


@pytest.mark.parametrize(
    ("schema", "status"),
    [
        ({"$schema": OLD, "$ref": "#/x", "x": True, "type": "null"}, "ignored"),
        ({"$ref": "#/x", "x": True, "type": "null"}, "enforced"),
        ({"prefixItems": [False]}, "enforced"),
        ({"$schema": OLD, "prefixItems": [False]}, "ignored"),
        ({"$schema": NEW, "items": {}, "additionalItems": False}, "annotation"),
        ({"$schema": NEW, "items": [True], "additionalItems": False}, "enforced"),
        ({"$schema": OLD, "$ref": "#/x", "x": True, "dependencies": {"a": ["b"]}}, "ignored"),
        ({"then": False}, "annotation"),
        ({"minContains": 3}, "annotation"),
        ({"not": {}}, "enforced"),
        ({"minProperties": 0}, "annotation"),
        ({"type": "string", "nullable": True}, "annotation"),
        ({"contentEncoding": "base64"}, "annotation"),
        ({"contentMediaType": "application/json", "contentSchema": False}, "annotation"),
        ({"$dynamicAnchor": "a"}, "annotation"),
        ({"items": {"$dynamicRef": "#"}}, "enforced"),
    ],
)
def test_report_on_the_last_keyword(schema: Any, status: str) -> None:
    assert list(rows_of(schema).items())[len(schema) - 1][1] == status


def test_report_on_openapi_and_content() -> None:
    options = JsonOptions(openapi=True, content="assert")
    schema = {"anyOf": [True], "discriminator": {"propertyName": "a"}, "type": "string", "nullable": True}
    assert set(rows_of(schema, options).values()) == {"enforced"}
    assert rows_of({"nullable": True, "discriminator": {"propertyName": "a"}}, options) == {
        ("", "nullable"): "annotation",
        ("", "discriminator"): "annotation",
    }
    assert rows_of({"contentEncoding": "base64"}, options) == {("", "contentEncoding"): "enforced"}
    for wrong in (
        {"nullable": 1},
        {"discriminator": {}},
        {"discriminator": {"propertyName": "a", "mapping": {"b": 1}}},
    ):
        with pytest.raises(SchemaError):
            run(wrong, options)
        run(wrong)


def test_report_lists_a_place_once_however_many_scopes_it_has() -> None:
    from jsonschema_specifications import REGISTRY

    uri = "https://json-schema.org/draft/2020-12/schema"
    schema = REGISTRY.contents(uri)
    assert isinstance(schema, dict)
    rows = rows_of({"$id": "http://example.com/own", "$dynamicAnchor": "meta", "$ref": uri})
    assert rows["/properties/additionalProperties", "$dynamicRef"] == "enforced"
