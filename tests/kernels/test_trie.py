"""Tries against plain references: the vocabulary's, and those of keys and enum values inside a program."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from structgen import Compiler, Vocabulary
from structgen.kernels import layout, machine, trie
from structgen.lexemes.regex import compile_regex

ALPHABETS = (b"ab", bytes(range(256)), b"a", b"\x00\xff\x80")


def _strings(random: Random, n: int) -> list[bytes]:
    """Random strings: empty ones, duplicates, one a prefix of another, and some that differ only after the first eight bytes."""
    alphabet = random.choice(ALPHABETS)
    stems = [b"", b"abcdefgh", b"abcdefghabcdefgh", bytes(random.choice(alphabet) for _ in range(12))]
    out = [random.choice(stems) + bytes(random.choice(alphabet) for _ in range(random.randrange(5))) for _ in range(n)]
    return out + random.choices(out, k=n // 4) if out else out


def _reference(strings: list[bytes]) -> list[tuple[int, int, int, set[int]]]:
    """Depth-first nodes of the trie as (byte, end, depth, ids that end there)."""
    nodes: list[tuple[int, int, int, set[int]]] = []

    def visit(prefix: bytes, ids: list[int]) -> None:
        for byte in sorted({strings[i][len(prefix)] for i in ids if len(strings[i]) > len(prefix)}):
            longer = prefix + bytes([byte])
            below = [i for i in ids if strings[i].startswith(longer)]
            at = len(nodes)
            nodes.append((byte, 0, len(longer), {i for i in below if strings[i] == longer}))
            visit(longer, below)
            nodes[at] = (byte, len(nodes), *nodes[at][2:])

    visit(b"", list(range(len(strings))))
    return nodes


@pytest.mark.parametrize("seed", range(40))
def test_vocabulary_trie_by_definition(seed: int) -> None:
    random = Random(seed)
    strings = _strings(random, random.choice((0, 1, 2, 30, 200)))
    data = np.frombuffer(b"".join(strings) or b"\0", np.uint8)
    lengths = np.array([len(s) for s in strings], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
    room = int(lengths.sum()) + 1
    byte = np.zeros(room, np.uint8)
    end, depth, first, count = (np.zeros(room, np.int32) for _ in range(4))
    ids = np.zeros(len(strings) + 1, np.int32)
    nodes, n_tokens = trie.build_vocabulary_trie(
        data, starts, lengths, np.arange(len(strings), dtype=np.int32), byte, end, depth, first, count, ids
    )
    expected = _reference(strings)
    found = [
        (int(byte[i]), int(end[i]), int(depth[i]), set(ids[first[i] : first[i] + count[i]].tolist()))
        for i in range(nodes)
    ]
    assert found == expected
    assert n_tokens == sum(1 for s in strings if s)
    # tokens of a subtree are consecutive: masks clear and set whole subtrees by range
    for i in range(nodes):
        last = first[end[i]] if end[i] < nodes else n_tokens
        below = set().union(*(expected[j][3] for j in range(i, end[i])))
        assert set(ids[first[i] : last].tolist()) == below


@pytest.fixture(scope="module")
def program() -> Any:
    vocabulary = Vocabulary.from_bytes([*(bytes([b]) for b in range(256)), None], [256])
    return Compiler(vocabulary, cache_size=0).compile_json_schema({"type": "object"}).program


def _read(program: Any, q: int, text: bytes) -> int:
    """The tag with which a lexeme ends after a text, or -1."""
    for byte in text:
        q = program.call(machine.step_once, q, byte)
        if q == 0:
            return -1
    return int(program.call(machine.tag_at, q)) - 1


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("pattern", [None, '[ab]*"', '[a-c]{0,3}x?"', '[^"]*"'])
def test_trie_of_strings_over_a_default(program: Any, seed: int, pattern: str | None) -> None:
    """Strings of the trie have their tags, every other text is the default automaton's."""
    random = Random(seed)
    # as keys do, each string ends with a quote that is nowhere else: none is a prefix of another
    strings = sorted(
        {
            bytes(random.choice(b"abx") for _ in range(random.randrange(6))) + b'"'
            for _ in range(random.choice((1, 3, 25)))
        }
    )
    tags = [layout.NAMED + random.randrange(5) for _ in strings]
    default, dfa = 0, None
    if pattern is not None:
        dfa = compile_regex(pattern, dialect="python", anchored=True)
        default = program.lexicon.start_of(("test", pattern), lambda: dfa.to_bytes("utf8"))
    root = program.add_trie(strings, tags, default)
    texts = {*strings, *(s[:-1] for s in strings), *(s + b"a" for s in strings), *(s[:-1] + b'a"' for s in strings)}
    texts |= {
        bytes(random.choice(b"abxc") for _ in range(random.randrange(7))) + random.choice((b"", b'"'))
        for _ in range(60)
    }
    for text in sorted(texts):
        if text in strings:
            expected = tags[strings.index(text)]
        else:
            expected = 0 if dfa is not None and text and dfa.matches(text.decode()) else -1
        if text:
            assert _read(program, root, text) == expected, text


@pytest.mark.parametrize("seed", range(10))
def test_fewest_tokens_by_dynamic_programming(seed: int) -> None:
    random = Random(seed)
    pieces = {bytes(random.choice(b"abc") for _ in range(random.randrange(2, 6))) for _ in range(25)}
    vocabulary = Vocabulary.from_bytes([b"a", b"b", b"c", *sorted(pieces), None], [3 + len(pieces)])
    lexicon = Compiler(vocabulary, cache_size=0).compile_json_schema({"type": "object"}).program.lexicon
    known = {entry for entry in vocabulary.token_bytes if entry}
    for _ in range(30):
        text = bytes(random.choice(b"abc") for _ in range(random.randrange(40)))
        best = [0] * (len(text) + 1)
        for i in range(len(text) - 1, -1, -1):
            best[i] = 1 + min(best[j] for j in range(i + 1, len(text) + 1) if text[i:j] in known)
        tokens = lexicon.fewest_for(text)
        assert vocabulary.decode(tokens) == text
        assert len(tokens) == best[0]
