# ruff: noqa: E501 - a table, one case a line
"""Bad input to the compiler: each a named exception that says where, and a compiler that works on.

Wrong calls on matchers and bitmasks are in tests/machine/test_matcher.py and test_batches.py, hostile schemas in tests/machine/test_limits.py.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

import structgen
from structgen import Compiler, JsonOptions, Vocabulary
from structgen.errors import (
    LimitExceeded,
    RegexError,
    SchemaError,
    StructgenError,
    TokenizerError,
    UnsatisfiableError,
    UnsupportedError,
)


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return Compiler(Vocabulary.from_bytes([*(bytes([b]) for b in range(256)), None], [256]))


def _use(compiler: Compiler, schema: Any, options: JsonOptions | None = None) -> Any:
    """Compile, and reach every place of a small schema: what is built lazily must not fail later with another exception."""
    matcher = compiler.compile_json_schema(schema, options).matcher()
    matcher.shortest_completion()
    matcher.fill_next_token_bitmask(structgen.allocate_token_bitmask(1, compiler.vocabulary.size))
    return matcher


def _works(compiler: Compiler) -> None:
    matcher = _use(compiler, {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
    assert matcher.accept_bytes(b'{"a":1}')
    assert matcher.is_accepting()


DEEP: Any = []
for _ in range(10_000):
    DEEP = [DEEP]
LOOP: dict[str, Any] = {"type": "object"}
LOOP["properties"] = {"a": LOOP}

BAD: list[tuple[str, Any, type[StructgenError] | tuple[type[StructgenError], ...]]] = [
    ("no schema: None", None, StructgenError),
    ("no schema: a number", 5, StructgenError),
    ("no schema: a list", [{"type": "integer"}], StructgenError),
    ("text of no JSON", "{'type': 'integer'}", SchemaError),
    ("empty text", "", SchemaError),
    ("text of a number", "5", SchemaError),
    ("text with more after it", '{"type": "integer"} {}', SchemaError),
    ("bytes of no UTF-8", b'{"const": "\xff"}', SchemaError),
    ("unknown type", {"type": "float"}, SchemaError),
    ("type of no name", {"type": 5}, SchemaError),
    ("properties as a list", {"properties": ["a"]}, SchemaError),
    ("a subschema that is none", {"properties": {"a": 5}}, SchemaError),
    ("required as text", {"required": "a"}, SchemaError),
    ("required with a number", {"required": [1]}, SchemaError),
    ("minLength negative", {"minLength": -1}, SchemaError),
    ("minLength as text", {"minLength": "1"}, SchemaError),
    ("minLength 1.5", {"minLength": 1.5}, SchemaError),
    ("maxItems as a boolean", {"maxItems": True}, SchemaError),
    ("minimum as text", {"minimum": "1"}, SchemaError),
    ("minimum NaN", {"type": "number", "minimum": math.nan}, SchemaError),
    ("maximum infinite", {"type": "number", "maximum": math.inf}, SchemaError),
    ("multipleOf NaN", {"type": "number", "multipleOf": math.nan}, SchemaError),
    ("NaN in text", '{"type": "number", "minimum": NaN}', SchemaError),
    ("Infinity in text", '{"type": "number", "maximum": -Infinity}', SchemaError),
    ("NaN in an enum", {"enum": [1, math.nan]}, SchemaError),
    ("infinity as const", {"const": -math.inf}, SchemaError),
    ("Decimal NaN", {"type": "number", "minimum": Decimal("NaN")}, SchemaError),
    ("multipleOf 0", {"multipleOf": 0}, SchemaError),
    ("multipleOf negative", {"multipleOf": -2}, SchemaError),
    ("enum of nothing", {"enum": []}, SchemaError),
    ("enum as an object", {"enum": {"a": 1}}, SchemaError),
    ("enum of what JSON has not", {"enum": [{1, 2}]}, StructgenError),
    ("const of what JSON has not", {"const": object()}, StructgenError),
    ("anyOf of nothing", {"anyOf": []}, SchemaError),
    ("allOf as an object", {"allOf": {"type": "integer"}}, SchemaError),
    ("minItems above maxItems", {"type": "array", "minItems": 3, "maxItems": 2}, UnsatisfiableError),
    ("minLength above maxLength", {"type": "string", "minLength": 3, "maxLength": 2}, UnsatisfiableError),
    ("minimum above maximum", {"type": "number", "minimum": 3, "maximum": 2}, UnsatisfiableError),
    ("an integer between two", {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, UnsatisfiableError),
    ("false", False, UnsatisfiableError),
    ("text of false", "false", UnsatisfiableError),
    ("a required name that is forbidden", {"type": "object", "required": ["a"], "properties": {"a": False}}, UnsatisfiableError),
    ("const of another type", {"type": "string", "const": 5}, UnsatisfiableError),
    ("a pattern that nothing matches", {"type": "string", "pattern": "^a$", "minLength": 2}, UnsatisfiableError),
    ("lone surrogate as const", {"const": "a\ud800"}, StructgenError),
    ("lone surrogates in an enum", {"enum": ["\udc00", "\ud800\ud800"]}, StructgenError),
    ("lone surrogate in an enum beside others", {"enum": [{"a": ["\udfff"]}, 1]}, StructgenError),
    ("lone surrogate as a property name", {"type": "object", "properties": {"\ud83d": {"type": "integer"}}, "required": ["\ud83d"]}, StructgenError),
    ("lone surrogate in required", {"type": "object", "required": ["\ud83d"]}, StructgenError),
    ("lone surrogate in text", '{"const": "\\ud800"}', StructgenError),
    ("unknown reference", {"$ref": "#/$defs/a"}, SchemaError),
    ("unknown anchor", {"$ref": "#a"}, SchemaError),
    ("reference that is no text", {"$ref": 5}, SchemaError),
    ("reference into no schema", {"$ref": "#/type", "type": "integer"}, SchemaError),
    ("remote reference without a registry", {"$ref": "https://example.com/schema.json"}, SchemaError),
    ("remote reference in a branch", {"anyOf": [{"type": "integer"}, {"$ref": "other.json#/a"}]}, SchemaError),
    ("reference loop", {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}, SchemaError),
    ("a value of 10,000 levels", {"const": DEEP}, LimitExceeded),
    ("invalid pattern", {"type": "string", "pattern": "(a"}, RegexError),
    ("invalid range in a pattern", {"type": "string", "pattern": "[b-a]"}, RegexError),
    ("back-reference", {"type": "string", "pattern": "(a)\\1"}, (RegexError, UnsupportedError)),
    ("invalid pattern of names", {"patternProperties": {"*": {}}}, RegexError),
    ("pattern that is no text", {"pattern": 5}, SchemaError),
    ("a flag that is none", {"type": "array", "uniqueItems": "yes"}, SchemaError),
    ("not of no schema", {"properties": {"a": {"not": "integer"}}}, SchemaError),
    ("not of itself", {"not": {"$ref": "#"}}, SchemaError),
    ("each the complement of the other", {"$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, SchemaError),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "error"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_schema_is_a_named_error(compiler: Compiler, schema: Any, error: Any) -> None:
    for _ in range(2):  # nothing half-done is kept and given back
        with pytest.raises(error) as caught:
            _use(compiler, schema)
        assert str(caught.value)
    _works(compiler)


POINTERS = [
    ({"properties": {"a/b": {"items": {"type": "float"}}}}, "/properties/a~1b/items", "type"),
    ({"$defs": {"x": {"enum": []}}, "$ref": "#/$defs/x"}, "/$defs/x", "enum"),
    ({"anyOf": [{"type": "string"}, {"minLength": -1}]}, "/anyOf/1", "minLength"),
    ({"prefixItems": [{}, {"$ref": "#/nowhere"}]}, "/prefixItems/1", "$ref"),
    ({"properties": {"a": {"uniqueItems": 1}}}, "/properties/a", "uniqueItems"),
]


@pytest.mark.parametrize(("schema", "pointer", "keyword"), POINTERS)
def test_an_error_names_its_place(compiler: Compiler, schema: Any, pointer: str, keyword: str) -> None:
    with pytest.raises(SchemaError) as caught:
        _use(compiler, schema)
    assert caught.value.pointer.startswith(pointer)
    assert keyword in (caught.value.keyword, caught.value.pointer.rsplit("/", 1)[-1])
    assert pointer in str(caught.value)


def test_unsatisfiable_says_so(compiler: Compiler) -> None:
    with pytest.raises(UnsatisfiableError, match="unsatisfiable"):
        compiler.compile_json_schema({"type": "array", "minItems": 2, "maxItems": 1})


def test_branches_without_instances_do_not_matter(compiler: Compiler) -> None:
    matcher = _use(compiler, {"anyOf": [{"type": "array", "minItems": 2, "maxItems": 1}, {"const": 7}, False]})
    assert matcher.shortest_completion() == [ord("7")]


@pytest.mark.parametrize(
    "options",
    [
        {"property_order": "random"},
        {"whitespace": "["},
        {"whitespace": 5},
        {"integers": "float"},
        {"formats": True},
        {"draft": "draft99"},
        {"max_integer_digits": 0},
        {"max_fraction_digits": -1},
        {"max_string_length": -1},
        {"max_string_length": 1.5},
        {"escapes": "all"},
        {"extra_properties": None},
    ],
)
def test_a_wrong_option_is_a_named_error(options: dict[str, Any]) -> None:
    with pytest.raises(StructgenError):
        JsonOptions(**options)


@pytest.mark.parametrize("whitespace", ["a", "[ x]*", "\\S", '"', "[^a]", ".", " |,", "(?!)"])
def test_white_space_that_is_none_is_refused(compiler: Compiler, whitespace: str) -> None:
    with pytest.raises(StructgenError):
        _use(compiler, {"type": "object"}, JsonOptions(whitespace=whitespace))
    _works(compiler)


@pytest.mark.parametrize(
    "arguments",
    [
        ([b"a", "b"], [0]),
        ([b"a", 5], [0]),
        ([b"a"], [1]),
        ([b"a"], [-1]),
        ([b"a"], [0.0]),
        ([b"a"], [True]),
        ([b"a"], ["a"]),
    ],
)
def test_a_wrong_vocabulary_is_a_tokenizer_error(arguments: Any) -> None:
    with pytest.raises(TokenizerError):
        Vocabulary.from_bytes(*arguments)


def test_a_schema_that_holds_itself_ends(compiler: Compiler) -> None:
    # a cyclic dict has no JSON text: an error or, read as recursion, an answer; never a hang
    try:
        matcher = _use(compiler, LOOP)
    except StructgenError:
        pass
    else:
        assert matcher.accept_bytes(b'{"a":{"a":{}}}')
        assert matcher.is_accepting()
    _works(compiler)


@pytest.mark.parametrize("size", [-1, 0, 1, 2**70])
def test_every_cache_size_works(compiler: Compiler, size: int) -> None:
    other = Compiler(compiler.vocabulary, cache_size=size)
    _works(other)
    _works(other)
