# ruff: noqa: E501 - tables, one case a line
"""Walks through grammars: how tokens are drawn, and what must hold in every state on the way. Shared by the tests of the machine.

A walk draws tokens under the mask in one of several styles and is ended by `shortest_completion`. Tokens are drawn from *kinds* (quotes, escapes,
parts of characters, digits, white space, tokens that span several lexemes), because a uniform draw from 100,000 tokens rarely leaves a string.
"""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import structgen
from structgen import Vocabulary

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MASKBENCH = SHARED / "maskbench"
TOKENIZERS = SHARED / "tokenizers"

STYLES = ("uniform", "closing", "rare", "spans")


# -- vocabularies -----------------------------------------------------------------------------------------------------------------


def byte_vocabulary(*extra: bytes | None, padding: int = 7, leading_space: bool = False) -> Vocabulary:
    """All 256 bytes, `extra` tokens (None: a special token), two end tokens in the middle, and padding at the end."""
    tokens: list[bytes | None] = [bytes([b]) for b in range(256)]
    half = len(extra) // 2
    tokens += extra[:half]
    stops = [len(tokens), len(tokens) + 1]
    tokens += [None, None, *extra[half:], *[None] * padding]
    return Vocabulary.from_bytes(tokens, stops, leading_space=leading_space)


# Pieces that JSON text is made of, duplicates, parts of characters and escapes, and tokens that span many lexemes.
MIXED: tuple[bytes | None, ...] = (
    b'{"', b'"}', b'":', b'": ', b'","', b'", "', b'":"', b'": "', b'"],', b"[]", b"{}", b"[{", b"}]", b"},{", b'"', b'":[', b'":{"', b'"},"',
    b"true", b"false", b"null", b"tr", b"ue", b"nul", b"12", b"0.", b"00", b"-1", b".5", b"1e", b"e+", b"1,", b"1}", b"0]", b"5, ", b"123456",
    b"ab", b"abc", b"aa", b"aaaa", b'a"', b'ab":', b'a","b', b'a":1,"', b'"a":', b'{"a":1,"b":', b'":1,"b":2}', b'b":true}', b'"a"', b'"b"',
    None, b"", b"\xc3\xa9", b"\xf0\x9f", b"\x98\x80", b"\xf0\x9f\x98\x80", b"a\xc3", b"\xa9b", b"\\u", b"\\u00", b"00e", b"\\n", b"\\\\", b'\\"',
    b'\\"a', b"\\ud83d", b"\\ude00", b"  ", b"\n", b"\n  ", b"\n    ", b" \t", b", ", b": ", b" }", b"\r\n", b"{\n  \"", b"-", b"T", b"Z\"", b"2024-",
    b"@", b".com", b"http://", b"x", b"xx", b"_", b"id", b'id"', b"name", b'name":', b"ty", b"pe", b'type": "',
)  # fmt: skip


def mixed_vocabulary(**options: Any) -> Vocabulary:
    return byte_vocabulary(*MIXED, **options)


def load_vocabulary(name: str) -> Vocabulary:
    """One of the real tokenizers ("llama3", "mistral", "gpt2")."""
    from transformers import AutoTokenizer

    return Vocabulary.from_tokenizer(AutoTokenizer.from_pretrained(str(TOKENIZERS / name)))


# -- schemas ----------------------------------------------------------------------------------------------------------------------


def maskbench_cases(every: int = 1, first: int = 0) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """(id, schema as JSON text, tests) of every n-th case; the text keeps the spelling of numbers."""
    number = 0
    for path in sorted(MASKBENCH.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                if number % every == first:
                    case = json.loads(line, parse_float=_Spelled)
                    yield case["id"], _text(case["schema"]), case["tests"]
                number += 1


class _Spelled(float):
    """A float that remembers its spelling."""

    def __new__(cls, text: str) -> _Spelled:
        made = super().__new__(cls, text)
        made.text = text  # type: ignore[attr-defined]
        return made

    def __repr__(self) -> str:
        return str(self.text)  # type: ignore[attr-defined]


class _Encoder(json.JSONEncoder):
    def iterencode(self, o: Any, _one_shot: bool = False) -> Iterator[str]:
        return json.encoder._make_iterencode(  # type: ignore[attr-defined]
            {}, self.default, json.encoder.py_encode_basestring_ascii, None, repr, ": ", ", ", False, False, False
        )(o, 0)


def _text(schema: Any) -> str:
    return json.dumps(schema, cls=_Encoder)


# -- masks ------------------------------------------------------------------------------------------------------------------------


def mask_of(matcher: Any, bitmask: np.ndarray | None = None) -> np.ndarray:
    """bool [words * 32] of the matcher's mask."""
    if bitmask is None:
        bitmask = structgen.allocate_token_bitmask(1, matcher._grammar.vocabulary.size)
    bitmask.fill(-1 if bitmask[0, 0] == 0 else 0x55555555)  # what stood there must not matter
    matcher.fill_next_token_bitmask(bitmask, 0)
    return np.unpackbits(bitmask[0].view(np.uint8), bitorder="little").astype(bool)


class Kinds:
    """Token ids by kind, as bool arrays over the vocabulary (padded to whole words)."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        n = (vocabulary.size + 31) // 32 * 32
        table = vocabulary.token_bytes
        self.vocabulary = vocabulary
        self.stops = np.zeros(n, bool)
        self.stops[list(vocabulary.stop_token_ids)] = True

        def where(test: Any) -> np.ndarray:
            out = np.zeros(n, bool)
            out[[i for i, entry in enumerate(table) if entry and test(entry)]] = True
            return out

        self.closing = where(lambda b: b[:1] in b'"}],' or b[-1:] in b'"}]')
        self.quotes = where(lambda b: b'"' in b)
        self.escapes = where(lambda b: b"\\" in b)
        self.partial = where(_is_partial)
        self.digits = where(lambda b: b[:1].isdigit() or b[:1] in b"-.eE+")
        self.blanks = where(lambda b: not b.strip(b" \t\r\n"))
        self.spans = where(lambda b: len(b) > 1 and sum(b.count(c) for c in b'"{}[]:,') >= 2)
        self.rare = (self.quotes, self.escapes, self.partial, self.digits, self.blanks, self.spans)


def _is_partial(entry: bytes) -> bool:
    try:
        entry.decode()
    except UnicodeDecodeError:
        return True
    return False


def draw(random: Random, mask: np.ndarray, kinds: Kinds, style: str) -> int | None:
    """A token under the mask that is no end token, by style; None if only end tokens are allowed."""
    allowed = mask & ~kinds.stops
    prefer: list[np.ndarray] = []
    if style == "closing" and random.random() < 0.7:
        prefer = [kinds.closing]
    elif style == "rare" and random.random() < 0.75:
        prefer = random.sample(kinds.rare, len(kinds.rare))
    elif style == "spans" and random.random() < 0.8:
        prefer = [kinds.spans, kinds.quotes]
    for kind in prefer:
        some = np.flatnonzero(allowed & kind)
        if len(some):
            return int(some[random.randrange(len(some))])
    ids = np.flatnonzero(allowed)
    return int(ids[random.randrange(len(ids))]) if len(ids) else None


# -- laws -------------------------------------------------------------------------------------------------------------------------


def check_mask(matcher: Any, mask: np.ndarray, token_ids: Any = None) -> None:
    """The mask's bits are what `is_token_allowed` says, for all tokens (or those given); end tokens where the value may end; none in the padding."""
    size = matcher._grammar.vocabulary.size
    stops = matcher._grammar.stop_token_ids
    accepting = matcher.is_accepting()
    allowed = matcher.is_token_allowed
    ids = range(size) if token_ids is None else token_ids
    single = np.fromiter((allowed(t) for t in ids), bool, len(ids))
    bits = mask[:size] if token_ids is None else mask[np.asarray(ids, int)]
    if not np.array_equal(single, bits):
        wrong = [t for t, a, b in zip(ids, single, bits, strict=True) if a != b]
        table = matcher._grammar.vocabulary.token_bytes
        shown = [(t, table[t], "mask sets" if mask[t] else "mask lacks") for t in wrong[:6]]
        raise AssertionError(f"{len(wrong)} tokens differ from is_token_allowed: {shown}; text {text_of(matcher)!r}")
    assert not mask[size:].any(), "bits beyond the vocabulary"
    for stop in stops:
        assert mask[stop] == accepting, f"end token {stop}: mask {mask[stop]}, accepting {accepting}"


def check_accepts(matcher: Any, mask: np.ndarray, token_ids: Any) -> None:
    """`accept_token` on a fork agrees with the mask, and leaves a refused fork where it was."""
    for token in token_ids:
        fork = matcher.fork()
        before = fork.state_id, fork.token_ids
        taken = fork.accept_token(token)
        assert taken == mask[token], f"accept_token({token}) is {taken}, mask {mask[token]}; text {text_of(matcher)!r}"
        if not taken:
            assert (fork.state_id, fork.token_ids) == before


def text_of(matcher: Any) -> bytes:
    """The bytes accepted so far."""
    return bytes(matcher.text)


def complete(matcher: Any) -> bytes:
    """Follow `shortest_completion` on a fork; returns the whole text. Each token must be allowed, and the value whole at the end, not before."""
    fork = matcher.fork()
    tokens = fork.shortest_completion()
    assert matcher.completion_bound() >= len(tokens), f"bound {matcher.completion_bound()} below {len(tokens)}"
    for i, token in enumerate(tokens):
        assert not fork.is_accepting(), "a shortest completion goes on although the value may end"
        assert fork.accept_token(token), (
            f"shortest_completion's token {i} of {tokens} is refused after {text_of(fork)!r}"
        )
    assert fork.is_accepting(), f"shortest_completion does not complete: {text_of(fork)!r}"
    return text_of(fork)


def fewest_by_brute_force(matcher: Any, at_most: int, budget: int) -> int | None:
    """The fewest tokens to an accepting state, breadth first over all allowed tokens; None when more than `budget` states are met."""
    if matcher.is_accepting():
        return 0
    size = matcher._grammar.vocabulary.size
    seen = {matcher.state_id}
    queue = deque([(matcher.fork(), 0)])
    while queue:
        at, depth = queue.popleft()
        if depth + 1 > at_most:
            return at_most + 1
        for token in range(size):
            fork = at.fork()
            if not fork.accept_token(token) or fork.state_id in seen:
                continue
            if fork.is_accepting():
                return depth + 1
            seen.add(fork.state_id)
            if len(seen) > budget:
                return None
            queue.append((fork, depth + 1))
    raise AssertionError(f"a dead end: nothing completes {text_of(matcher)!r}")


def walk(matcher: Any, random: Random, kinds: Kinds, style: str, max_tokens: int) -> Iterator[np.ndarray]:
    """Move the matcher by drawn tokens, with the mask of every state yielded before its token is drawn."""
    bitmask = structgen.allocate_token_bitmask(1, kinds.vocabulary.size)
    for _ in range(max_tokens):
        mask = mask_of(matcher, bitmask)
        yield mask
        token = draw(random, mask, kinds, style)
        if token is None or (matcher.is_accepting() and random.random() < 0.2):
            return
        assert matcher.accept_token(token), f"token {token} is in the mask but refused after {text_of(matcher)!r}"
