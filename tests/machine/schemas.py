# ruff: noqa: E501 - tables, one case a line
"""Schemas that stress the machine: shared prefixes of keys, overlapping patterns, recursion, counts, odd strings, exact numbers.

`STRESS` is a list of (name, schema); all of them compile. None depends on formats.
"""

from __future__ import annotations

from typing import Any

_TREE = {
    "$defs": {
        "tree": {
            "type": "object",
            "properties": {
                "v": {"type": "integer"},
                "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2},
            },
            "required": ["v"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/tree",
}
_LIST = {
    "$defs": {
        "list": {
            "anyOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "properties": {"head": {"type": "string"}, "tail": {"$ref": "#/$defs/list"}},
                    "required": ["head", "tail"],
                    "additionalProperties": False,
                },
            ]
        }
    },
    "$ref": "#/$defs/list",
}


def _object(properties: dict[str, Any], required: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or [], **more}


STRESS: list[tuple[str, Any]] = [
    ("anything", True),
    ("keys with shared prefixes", _object({"a": {"type": "integer"}, "ab": {"type": "string"}, "abc": {"type": "null"}, "b": {"type": "boolean"}}, ["ab"])),
    ("the same, closed", _object({"a": {"type": "integer"}, "ab": {"type": "string"}, "abc": {"type": "null"}, "b": {"type": "boolean"}}, ["abc"], additionalProperties=False)),
    ("empty key and escaped keys", _object({"": {"type": "integer"}, '"': {"type": "integer"}, "\\": {"type": "integer"}, "é": {"type": "integer"}, "\n": {"type": "integer"}}, [""], additionalProperties={"type": "null"})),
    ("overlapping patternProperties", {"type": "object", "patternProperties": {"^a": {"type": "integer", "maximum": 20}, "b$": {"type": "integer", "minimum": 5}, "^ab$": {"multipleOf": 2}}, "additionalProperties": False}),
    ("patterns and additional", {"type": "object", "properties": {"ab": {"type": "integer"}}, "patternProperties": {"^a+$": {"type": "string"}}, "additionalProperties": {"type": "boolean"}}),
    ("patterns that forbid", {"type": "object", "patternProperties": {"^_": False, "x": {"type": "null"}}, "additionalProperties": {"type": "integer"}}),
    ("propertyNames with a pattern", {"type": "object", "propertyNames": {"pattern": "^[a-c]{1,2}$"}, "additionalProperties": {"type": "integer"}}),
    ("propertyNames with few names", {"type": "object", "propertyNames": {"enum": ["a", "ab", "b"]}, "additionalProperties": {"enum": [1, 12]}}),
    ("propertyNames of bounded length", {"type": "object", "propertyNames": {"maxLength": 1, "pattern": "^[ab]*$"}, "additionalProperties": {"type": "boolean"}}),
    ("required but not declared", {"type": "object", "required": ["b", "a", "id"], "additionalProperties": {"type": "integer"}}),
    ("recursive tree", _TREE),
    ("recursive list", _LIST),
    ("recursion through patterns", {"$defs": {"n": {"type": "object", "patternProperties": {"^[ab]$": {"$ref": "#/$defs/n"}}, "additionalProperties": False}}, "$ref": "#/$defs/n"}),
    ("recursion through the root", _object({"a": {"$ref": "#"}, "ab": {"type": "array", "items": {"$ref": "#"}, "maxItems": 1}}, additionalProperties=False)),
    ("anyOf of similar objects", {"anyOf": [
        _object({"type": {"const": "a"}, "name": {"type": "string"}}, ["type", "name"], additionalProperties=False),
        _object({"type": {"const": "ab"}, "name": {"type": "integer"}, "names": {"type": "null"}}, ["type", "names"], additionalProperties=False),
        _object({"type": {"enum": ["b", "a"]}, "id": {"type": "integer"}}, ["type"]),
    ]}),
    ("anyOf of objects that differ in extras", {"anyOf": [
        {"type": "object", "additionalProperties": {"type": "integer"}, "required": ["a"]},
        {"type": "object", "additionalProperties": {"type": "string"}, "required": ["b"]},
        {"type": "object", "propertyNames": {"maxLength": 2}, "additionalProperties": {"type": "null"}},
    ]}),
    ("anyOf nested in arrays", {"type": "array", "items": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "string"}}, {"type": "object", "maxLength": 3}]}, "minItems": 1}),
    ("enum of nested values", {"enum": [{"a": {"b": [1, 2]}}, {"a": {"b": [1]}}, {"a": {}}, [[], [1]], [[]], "a", 1.5, None, False, {}, []]}),
    ("const object", {"const": {"a": 1, "ab": [True, {"x": "é\n\""}], "b": "😀"}}),
    ("tuples", {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string", "maxLength": 2}, {"type": "boolean"}], "items": {"type": "null"}, "minItems": 2, "maxItems": 5}),
    ("closed tuple", {"type": "array", "prefixItems": [{"enum": [1, 12, 123]}, {"enum": ["a", "ab"]}], "items": False, "minItems": 1}),
    ("nested arrays with counts", {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer", "minimum": 0, "maximum": 12}}}),
    ("minItems on a long array", {"type": "array", "minItems": 7, "items": {"enum": [0, "", None]}}),
    ("short strings", {"type": "string", "minLength": 2, "maxLength": 4}),
    ("long strings", {"type": "string", "minLength": 17, "maxLength": 40}),
    ("array of bounded strings", {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1}),
    ("pattern and maxLength", {"type": "string", "pattern": "^[aé😀\"\\\\\n]+$", "maxLength": 5, "minLength": 2}),
    ("pattern and a long maxLength", {"type": "string", "pattern": "^(ab|x)*$", "maxLength": 50}),
    ("pattern with a long need and a bound", {"type": "string", "pattern": "^a{3,}\\n?b{2}$", "maxLength": 45}),
    ("unanchored pattern and maxLength", {"type": "string", "pattern": "id", "maxLength": 60}),
    ("pattern of escapes", {"type": "string", "pattern": "^[\\u0000-\\u001f\"\\\\]{1,3}$"}),
    ("surrogate pairs", {"type": "string", "pattern": "^[\\u{1f600}-\\u{1f64f}x]{1,2}$".replace("\\u{1f600}", "😀").replace("\\u{1f64f}", "🙏")}),
    ("two patterns", {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "^.{3,6}$"}, {"pattern": "[0-9]$"}]}),
    ("big string enum", {"enum": [f"name{i * 37 % 1000}" + "ab" * (i % 3) for i in range(400)]}),
    ("big number enum", {"enum": [i * 7 for i in range(100)]}),
    ("integer range", {"type": "integer", "minimum": -12, "maximum": 1234}),
    ("number range", {"type": "number", "exclusiveMinimum": -0.5, "maximum": 12.25}),
    ("multipleOf an integer", {"type": "integer", "multipleOf": 7, "minimum": 1}),
    ("multipleOf a decimal", {"type": "number", "multipleOf": 0.25, "minimum": -1, "maximum": 1}),
    ("unbounded numbers", {"type": "array", "items": {"type": "number"}, "minItems": 1}),
    ("type list", {"type": ["integer", "string", "null", "array"], "items": {"type": "integer"}, "maxLength": 2}),
    ("object with counted strings", _object({"id": {"type": "string", "minLength": 3, "maxLength": 3}, "name": {"type": "string", "maxLength": 2}}, ["id", "name"], additionalProperties=False)),
    ("object of objects", _object({"a": _object({"a": {"type": "integer"}}, ["a"]), "b": _object({"b": {"type": "integer"}}, ["b"], additionalProperties=False)}, ["b"])),
    ("false members", _object({"a": False, "ab": {"type": "integer"}, "abc": False}, ["ab"])),
    ("allOf merges", {"allOf": [_object({"a": {"minimum": 1}}, ["a"]), _object({"a": {"type": "integer", "maximum": 3}, "b": {"type": "string"}}), {"additionalProperties": {"maxLength": 3}}]}),
    ("map of maps", {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}}}),
    ("twenty members", _object({f"id{i}": {"type": "integer"} for i in range(20)}, [f"id{i}" for i in range(0, 20, 3)])),
    ("seventy members", _object({f"name{i}": {"enum": [i]} for i in range(70)}, [f"name{i}" for i in range(0, 70, 9)], additionalProperties=False)),
]  # fmt: skip
