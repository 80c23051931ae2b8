"""Records of lexeme states against brute force over the vocabulary: what stays inside, and what leaves with which tag and suffix."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import pytest

from structgen import Compiler, JsonOptions
from structgen.kernels import layout
from tests.machine import walks

SCHEMAS: list[Any] = [
    {"type": "array"},
    {"type": "array", "items": {"type": "string", "pattern": "^[a-c]+(x|\\n)?$"}},
    {"type": "array", "items": {"type": "number"}},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"type": "object", "patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 3}}},
    {"type": "array", "items": {"type": "string", "format": "date"}},
]


def _bits(row: Any) -> set[int]:
    return {32 * w + b for w, word in enumerate(row.tolist()) for b in range(32) if word >> b & 1}


def _paths(table: Any, begin: int, end: int) -> dict[bytes, list[int]]:
    """Suffix -> sorted tokens of the trie nodes [begin, end)."""
    bytes_, depths, firsts, counts = (table("tries", name) for name in ("byte", "depth", "tokens", "n"))
    tokens = table("trie_tokens", "token")
    shift = int(depths[begin]) - 1 if end > begin else 0
    path = bytearray()
    out: dict[bytes, list[int]] = {}
    for i in range(begin, end):
        del path[int(depths[i]) - 1 - shift :]
        path.append(int(bytes_[i]))
        if counts[i]:
            out[bytes(path)] = sorted(tokens[firsts[i] : firsts[i] + counts[i]].tolist())
    return out


def _step(lexicon: Any, low: int, byte: int) -> int:
    table = lexicon.arena.table
    row = int(table("states", "row")[low])
    return int(
        table("transitions", "target")[row + int(table("classes", "class")[int(table("states", "class")[low]) + byte])]
    )


@pytest.mark.parametrize("number", range(len(SCHEMAS)))
def test_records_by_brute_force(number: int) -> None:
    vocabulary = walks.mixed_vocabulary()
    kinds = walks.Kinds(vocabulary)
    grammar = Compiler(vocabulary, cache_size=0).compile_json_schema(
        SCHEMAS[number], JsonOptions(escapes="any" if number % 2 else "minimal")
    )
    for seed in range(4):
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, Random(seed), kinds, walks.STYLES[seed], 30):
            pass
    lexicon = grammar.program.lexicon
    table = lexicon.arena.table
    n_states = lexicon.arena.count("states")
    recorded = [
        low for low in range(1, n_states)
        if table("states", "record")[low] >= 0 and table("states", "row")[low] >= 0 and table("states", "flags")[low] & layout.Q_RECORDED
    ]  # fmt: skip
    assert len(recorded) > 3
    with_exits = 0
    for low in recorded:
        inside: set[int] = set()
        exits: dict[int, dict[bytes, list[int]]] = defaultdict(lambda: defaultdict(list))
        for token, entry in enumerate(vocabulary.token_bytes):
            q = low
            for position, byte in enumerate(entry or b""):
                q = _step(lexicon, q, byte)
                if q == 0:
                    break
                tag = int(table("states", "tag")[q])
                if tag >= 0 and position + 1 < len(entry):
                    exits[tag][entry[position + 1 :]].append(token)
            else:
                if entry:
                    inside.add(token)
        record = int(table("states", "record")[low])
        row, first, n = (int(table("records", name)[record]) for name in ("row", "list", "n"))
        if row >= 0:
            found = _bits(table("rows", "word")[row : row + lexicon.n_words])
        else:
            found = set(table("lists", "token")[first : first + n].tolist())
        assert found == inside, low
        e, n_exits = int(table("records", "exits")[record]), int(table("records", "n_exits")[record])
        if n_exits < 0:
            continue  # nothing follows: not built
        with_exits += 1
        groups = {
            int(table("exits", "tag")[x]): _paths(table, int(table("exits", "begin")[x]), int(table("exits", "end")[x]))
            for x in range(e, e + n_exits)
        }
        assert groups == {
            tag: {suffix: sorted(ids) for suffix, ids in group.items()} for tag, group in exits.items()
        }, low
    assert with_exits > 0


def _rows(program: Any, group: str, columns: tuple[str, ...]) -> list[tuple[int, ...]]:
    n = program.arena.count(group)
    return list(zip(*(program.arena.table(group, column)[:n].tolist() for column in columns), strict=True))


def test_nothing_is_interned_twice() -> None:
    """Hash-consing: frames, states, memoised transitions, texts and object states are unique, also after their tables grew."""
    vocabulary = walks.mixed_vocabulary()
    kinds = walks.Kinds(vocabulary)
    grammar = Compiler(vocabulary, cache_size=0).compile_json_schema(
        {"anyOf": [{"type": "object", "additionalProperties": {"type": "array"}}, {"type": "array", "items": True}]},
        JsonOptions(property_order="any"),
    )
    for seed in range(40):
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, Random(seed), kinds, walks.STYLES[seed % 4], 40):
            pass
    program = grammar.program
    frames = _rows(program, "frames", ("kind", "a", "b", "parents"))
    assert len(frames) > 256
    assert len(set(frames)) == len(frames)
    states = [tuple(program.configurations(s)) for s in range(1, program.n_states)]
    flags = program.arena.table("states", "flags")[1 : program.n_states].tolist()
    assert len(states) > 256
    assert len(set(zip(states, flags, strict=True))) == len(states)
    assert all(list(state) == sorted(set(state)) for state in states)
    for group, columns in (("follows", ("k", "tag", "tid")), ("texts", ("parent", "byte"))):
        rows = _rows(program, group, columns)[1 if group == "texts" else 0 :]
        assert len(set(rows)) == len(rows) > 10, group
    sets = [tuple(program.frames_of(~i)) for i in range(program.arena.count("frame_sets"))]
    assert len(set(sets)) == len(sets)
    assert all(len(s) > 1 and list(s) == sorted(set(s)) for s in sets)
