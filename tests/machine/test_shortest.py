# ruff: noqa: E501 - tables, one case a line
"""Shortest completions: complete, valid, and the fewest tokens by a breadth-first search over all tokens."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from structgen import Compiler, JsonOptions, Vocabulary
from tests.machine import walks
from tests.machine.oracle import Oracle
from tests.machine.schemas import STRESS


def _small() -> Vocabulary:
    """Few bytes, so that the search by brute force is small; they spell what the schemas below require."""
    singles = sorted({*b'{}[]":,ab1204.-\\ \ntruefalsnd'})
    pieces = [
        b'{"a":',
        b'"b":1}',
        b'":',
        b'","',
        b'"a',
        b"12",
        b"]]",
        b"}}",
        b"[[",
        b"aa",
        b'a"',
        b"true",
        b",1",
        b'{"',
        "é".encode(),
        b"null",
        b'":"',
        b'b":',
    ]
    return Vocabulary.from_bytes([*(bytes([b]) for b in singles), *pieces, None, None], [len(singles) + len(pieces)])


SCHEMAS: dict[str, Any] = {
    "integer": {"type": "integer"},
    "range": {"type": "integer", "minimum": 12, "maximum": 240},
    "object": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"enum": [1]}}, "required": ["a", "b"]},
    "closed": {"type": "object", "properties": {"a": {"type": "boolean"}, "ab": {"type": "null"}}, "required": ["ab"], "additionalProperties": False},
    "nested": {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"const": 1}}, "required": ["b"]}}, "required": ["a"]},
    "array": {"type": "array", "minItems": 3, "items": {"enum": [1, 12, True]}},
    "arrays": {"type": "array", "minItems": 1, "items": {"type": "array", "minItems": 1, "items": {"type": "array"}}},
    "strings": {"type": "array", "items": {"type": "string", "minLength": 3, "maxLength": 5}, "minItems": 1},
    "pattern": {"type": "string", "pattern": "^(ab|ba){2,3}é?$"},
    "extra names": {"type": "object", "propertyNames": {"enum": ["a", "ab", "ba"]}, "additionalProperties": {"type": "array"}},
    "branches": {"anyOf": [{"const": {"a": {"a": 1}}}, {"type": "array", "minItems": 4, "items": {"const": 1}}, {"enum": ["aaaaaaaa"]}]},
    "recursive": {"$defs": {"t": {"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#/$defs/t"}, {"type": "null"}]}}, "required": ["a"], "additionalProperties": False}}, "$ref": "#/$defs/t"},
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize(
    "options",
    [JsonOptions(), JsonOptions(property_order="any", whitespace="compact", integers="spec")],
    ids=["default", "any"],
)
def test_shortest_by_brute_force(name: str, options: JsonOptions) -> None:
    vocabulary = _small()
    kinds = walks.Kinds(vocabulary)
    text = json.dumps(SCHEMAS[name])
    grammar = Compiler(vocabulary, cache_size=0).compile_json_schema(text, options)
    oracle = Oracle(text)
    compared = 0
    for seed in range(3):
        matcher = grammar.matcher()
        for i, _ in enumerate(walks.walk(matcher, Random(f"{name} {seed}"), kinds, walks.STYLES[seed], 8)):
            if i and seed and i % 3:
                continue
            whole = walks.complete(matcher)
            assert oracle.accepts(whole.decode()), whole
            found = len(matcher.shortest_completion())
            fewest = walks.fewest_by_brute_force(matcher, found, budget=400)
            if fewest is not None:
                compared += 1
                assert found == fewest, (
                    f"after {walks.text_of(matcher)!r}: {found} tokens, brute force {fewest}; {whole!r}"
                )
    assert compared >= 1, compared


def test_every_state_completes_without_moving(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    for number, (name, schema) in enumerate(STRESS):
        text = json.dumps(schema)
        oracle = Oracle(text)
        matcher = compiler.compile_json_schema(text).matcher()
        for _ in walks.walk(matcher, Random(name), kinds, walks.STYLES[number % 4], 10):
            pass
        before = matcher.state_id, matcher.token_ids
        whole = walks.complete(matcher)
        assert oracle.accepts(whole.decode()), (name, whole)
        assert matcher.shortest_completion() == matcher.shortest_completion()
        assert (matcher.state_id, matcher.token_ids) == before


def test_each_token_of_a_completion_leaves_one_less(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    for name in SCHEMAS:
        matcher = compiler.compile_json_schema(SCHEMAS[name]).matcher()
        for _ in walks.walk(matcher, Random(name), kinds, "rare", 4):
            pass
        tokens = matcher.shortest_completion()
        for i, token in enumerate(tokens):
            assert len(matcher.shortest_completion()) == len(tokens) - i
            assert matcher.completion_bound() >= len(tokens) - i
            assert matcher.accept_token(token)
        assert matcher.shortest_completion() == []
        assert matcher.completion_bound() == 0


def test_a_vocabulary_without_needed_bytes_is_an_error_not_a_loop() -> None:
    from structgen import TokenizerError

    vocabulary = Vocabulary.from_bytes([b"{", b"}", b'"', b"a", b":", None], [5])
    matcher = (
        Compiler(vocabulary)
        .compile_json_schema({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
        .matcher()
    )
    with pytest.raises(TokenizerError):
        matcher.shortest_completion()
    assert matcher.token_ids == []
