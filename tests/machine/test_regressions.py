"""One test for each defect that a review of the machine found; the laws in the other files did not reach these."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from structgen import (
    CompiledGrammar,
    Compiler,
    JsonOptions,
    LimitExceeded,
    Limits,
    Matcher,
    Vocabulary,
    allocate_token_bitmask,
    fill_next_token_bitmasks,
)
from structgen.kernels import layout, machine
from structgen.kernels.memory import address_of

_BYTES = [bytes([byte]) for byte in range(256)]


def _vocabulary(*tokens: bytes) -> Vocabulary:
    """All bytes, some longer tokens, an end token."""
    return Vocabulary.from_bytes([*_BYTES, *tokens, None], [256 + len(tokens)])


def _grammar(vocabulary: Vocabulary, schema: Any, limits: Limits | None = None, **options: Any) -> CompiledGrammar:
    return Compiler(vocabulary, limits=limits).compile_json_schema(schema, JsonOptions(**options))


def _mask(matcher: Matcher, vocabulary: Vocabulary) -> set[int]:
    bitmask = allocate_token_bitmask(1, vocabulary.size)
    matcher.fill_next_token_bitmask(bitmask)
    return set(np.flatnonzero(np.unpackbits(bitmask.view(np.uint8), bitorder="little")).tolist())


def _assert_exact(matcher: Matcher, vocabulary: Vocabulary) -> None:
    allowed = {token for token in range(vocabulary.size) if matcher.is_token_allowed(token)}
    assert _mask(matcher, vocabulary) == allowed


# One token reads a whole name whose text a walk of the vocabulary does not know, and goes on behind it.
_ACROSS_NAMES = (
    b'b":1,',
    b'":1,',
    b'a":1,"a',
    b'":1,"a',
    b'a":1,"b',
    b'":1,"a"',
    b'a":1,"b1":2,"b1"',
    b'":1}',
    b'":{"x":1,"x"',
)
_NAMES = {
    "finitely many": {"type": "object", "patternProperties": {"^[ab]$": {}}, "additionalProperties": False},
    "finitely many of one beginning": {
        "type": "object",
        "patternProperties": {"^(a|b[0-9]*)$": {}},
        "additionalProperties": False,
    },
    "listed": {"type": "object", "propertyNames": {"enum": ["a", "b"]}},
    "any": {"type": "object", "properties": {"q": {"type": "integer"}}},
    "any after a required one": {"type": "object", "properties": {"q": {"type": "integer"}}, "required": ["q"]},
}
_BEFORE = (b"", b"{", b'{"', b'{"a', b'{"a":1,', b'{"a":1,"', b'{"a":1,"b', b'{"q":1,"a', b'{"q":1,"a":1,"')


@pytest.mark.parametrize("order", ["schema", "any"])
@pytest.mark.parametrize("names", list(_NAMES))
def test_mask_is_exact_where_a_token_reads_the_last_name(names: str, order: str) -> None:
    vocabulary = _vocabulary(*_ACROSS_NAMES)
    grammar = _grammar(vocabulary, _NAMES[names], property_order=order, whitespace="compact")
    reached = 0
    for text in _BEFORE:
        matcher = grammar.matcher()
        if matcher.accept_bytes(text):
            reached += 1
            _assert_exact(matcher, vocabulary)
    assert reached >= 3


def test_tokens_of_any_length_have_room_in_the_trie() -> None:
    vocabulary = _vocabulary(b"x" * 5_000, b"y" * 100_000)
    matcher = _grammar(vocabulary, {"type": "string"}).matcher()
    assert matcher.accept_bytes(b'"')
    assert {256, 257} <= _mask(matcher, vocabulary)
    _assert_exact(matcher, vocabulary)


def test_trie_without_strings_reads_nothing_behind_its_columns() -> None:
    program = _grammar(_vocabulary(), {"type": "object"}).program
    default = program.configurations(program.start_state)[0][0]
    data, starts, tags = np.zeros(1, np.uint8), np.zeros(4, np.int32), np.full(4, 7, np.int32)
    root = program.call(machine.make_trie, address_of(data), address_of(starts), address_of(tags), 0, default)
    assert program.arena.table("trie", "tag")[root - layout.LOCAL] == -1
    assert program.arena.table("trie", "default")[root - layout.LOCAL] == default


def test_schema_is_the_callers_no_longer() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    compiler = Compiler(_vocabulary())
    grammar = compiler.compile_json_schema(schema)
    schema["properties"]["a"]["type"] = "string"
    assert grammar.matcher().accept_bytes(b'{"a":1}')
    assert not grammar.matcher().accept_bytes(b'{"a":"x"}')
    schema["properties"]["a"]["type"] = "integer"
    assert compiler.compile_json_schema(schema).matcher().accept_bytes(b'{"a":1}')


_TWO_RECORDS = {"anyOf": [{"type": "string", "pattern": "a"}, {"type": "number"}]}


def test_records_of_one_state_above_the_limit_end_in_an_error() -> None:
    vocabulary = _vocabulary()
    matcher = _grammar(vocabulary, _TWO_RECORDS, Limits(max_record_bytes=0)).matcher()
    for _ in range(2):
        bitmask = np.full((2, (vocabulary.size + 31) // 32), -1, np.int32)
        with pytest.raises(LimitExceeded, match="max_record_bytes"):
            matcher.fill_next_token_bitmask(bitmask, 1)
        assert (bitmask[0] == -1).all()
        assert (bitmask[1] == 0).all()
    assert matcher.accept_bytes(b"12")


def test_batch_goes_on_after_a_row_that_fails() -> None:
    vocabulary = _vocabulary()
    compiler = Compiler(vocabulary, limits=Limits(max_record_bytes=0))
    schemas: list[Any] = [{"type": "null"}, _TWO_RECORDS, {"type": "boolean"}]
    matchers = [compiler.compile_json_schema(schema).matcher() for schema in schemas]
    bitmask = np.full((3, (vocabulary.size + 31) // 32), -1, np.int32)
    with pytest.raises(LimitExceeded, match="max_record_bytes"):
        fill_next_token_bitmasks(matchers, bitmask)
    rows = np.unpackbits(bitmask.view(np.uint8), axis=1, bitorder="little")
    assert [np.flatnonzero(row).tolist() for row in rows] == [[ord("n")], [], sorted(b"tf")]


def test_limits_hold_for_patterns_that_are_compiled_when_they_are_checked() -> None:
    schema = {"type": "string", "pattern": "^(?=.*a.{10}b)x"}
    with pytest.raises(LimitExceeded, match="max_dfa_states"):
        _grammar(_vocabulary(), schema, Limits(max_dfa_states=1_000))
    _grammar(_vocabulary(), schema).matcher()


def test_limits_hold_for_numbers() -> None:
    schema = {"type": "integer", "multipleOf": 101}
    vocabulary = _vocabulary()
    assert _grammar(vocabulary, schema).matcher().accept_bytes(b"1010")
    with pytest.raises(LimitExceeded, match="max_dfa_states"):
        _grammar(vocabulary, schema, Limits(max_dfa_states=500))


@pytest.mark.parametrize(("field", "limit"), [("max_states", 5), ("max_frames", 3), ("max_configurations", 1)])
def test_small_limits_are_kept(field: str, limit: int) -> None:
    properties = {
        name: {"anyOf": [{"type": "string", "pattern": f"{c}$"} for c in "abcdefghijklmnopq"]} for name in "ab"
    }
    schema = {"type": "object", "properties": properties}
    compiler = Compiler(_vocabulary(), limits=Limits(**{field: limit}))
    with pytest.raises(LimitExceeded, match=field):
        compiler.compile_json_schema(schema).matcher().accept_bytes(b'{"a":"a","b":"b"}')


def test_grammar_outlives_the_texts_that_fill_its_machine() -> None:
    vocabulary = _vocabulary()
    grammar = _grammar(vocabulary, {"type": "object"}, Limits(max_arena_bytes=2_000_000))
    kept, reused = grammar.matcher(), grammar.matcher()
    assert kept.accept_bytes(b'{"kept":[1')
    programs = set()
    for i in range(3_000):
        matcher = grammar.matcher()
        programs.add(matcher.program.address)
        reused.reset()
        for one in (matcher, reused):
            assert one.accept_bytes(b'{"name %06d":1,"other":{"%d":2}}' % (i, i))
    assert len(programs) > 1
    assert kept.accept_bytes(b'],"kep')
    assert kept.fork().accept_bytes(b't2":1}')
    assert not kept.accept_bytes(b't":1}')
    _assert_exact(kept, vocabulary)


@pytest.mark.parametrize(
    "schema", [{"pattern": "a"}, {"pattern": "^(ab|c)*$"}, {"pattern": "^[ab]*$"}, {"format": "uri"}]
)
def test_grammars_of_one_compiler_keep_their_own_cap_on_strings(schema: dict[str, str]) -> None:
    text = b'"a:%s"' % (b"ab" * 10) if "format" in schema else b'"%s"' % (b"ab" * 10)
    caps = (None, 5, 40)
    for order in (caps, caps[::-1]):
        compiler = Compiler(_vocabulary())
        for cap in order:
            grammar = compiler.compile_json_schema({"type": "string", **schema}, JsonOptions(max_string_length=cap))
            assert grammar.matcher().accept_bytes(text) == (cap != 5)
