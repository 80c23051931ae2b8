"""Kinds of characters: every token and node described as by a plain reading, and masks of permissive strings equal to single verdicts."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest

import structgen
from structgen import Compiler, JsonOptions, Vocabulary
from structgen.kernels import alphabet
from tests.machine import walks

PIECES = [
    *'aAzZ09 gG_-/.:@"\\\n\t\x7f',
    *"éßñλжաกế€か漢한，😀",
    *"\u00a0\u1680\u2003\u3000\ufeff",
]
PATTERNS: list[dict[str, Any]] = [
    {"pattern": r"\d{2}"}, {"pattern": r"^\S+@\S+$"}, {"pattern": r"^(?:\S+\s+){0,9}\S+$", "maxLength": 14}, {"pattern": r"^[a-z\d./-]+$"},
    {"pattern": r"^[^/#]+$", "maxLength": 40}, {"pattern": r"^[A-Z].*$"}, {"pattern": r"^.{3,40}x$"}, {"pattern": r"^\w{2,20}$"},
    {"pattern": r"^.*[a-z]{3}$", "maxLength": 12}, {"pattern": "^[^é]*$"}, {"minLength": 2, "maxLength": 9}, {"format": "uri"},
    {"pattern": r"^a.{0,6}-.*[0-9]{2}$", "maxLength": 11}, {"pattern": r"^[\u0400-\u04ff ]+$"}, {"maxLength": 0}, {"maxLength": 1},
]  # fmt: skip


def _vocabulary() -> Vocabulary:
    """Tokens of up to 300 characters over all kinds, many cut in the middle of a character, besides single bytes."""
    random = Random(7)
    tokens = {b"a" * 300, b" " * 90, b"a" * 254, b"a" * 255, b"a" * 256}
    while len(tokens) < 1_500:
        some = random.sample(PIECES, random.randint(1, 4))
        token = "".join(random.choices(some, k=random.choice((1, 2, 3, 4, 8, 15, 16, 17, 18, 30)))).encode()
        if random.random() < 0.3:
            token = token[random.randint(0, 2) :]
        if random.random() < 0.3:
            token = token[: len(token) - random.randint(0, 3)]
        if random.random() < 0.05:
            token += bytes([random.randrange(0x80, 0x100)])
        tokens.add(token)
    tokens.discard(b"")
    return walks.byte_vocabulary(*sorted(tokens), b"", None)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return _vocabulary()


def _kind(character: str) -> int:
    first = character.encode()[0]
    second = character.encode()[1] if first >= 0x80 else 0
    (found,) = (i for i, (a, b, c, d) in enumerate(alphabet.KINDS) if a <= first <= b and c <= second <= d)
    return found


def test_tokens_are_described_as_by_a_plain_reading(vocabulary: Vocabulary) -> None:
    pieces = [entry or b"" for entry in vocabulary.token_bytes]
    data = np.frombuffer(b"".join(pieces), np.uint8)
    starts = np.zeros(len(pieces) + 1, np.int32)
    np.cumsum([len(p) for p in pieces], out=starts[1:])
    kinds, chars, weights = np.empty(len(pieces), np.int64), np.empty(len(pieces), np.uint8), np.empty(64, np.int64)
    alphabet.describe_tokens(data, starts, kinds, chars, weights)
    whole = 0
    for piece, found, n in zip(pieces, kinds.tolist(), chars.tolist(), strict=True):
        try:
            text = piece.decode()
        except UnicodeDecodeError:
            continue
        if not text:
            assert found == 1 << alphabet.ODD
            continue
        whole += 1
        assert found == sum({1 << _kind(character) for character in text}), piece
        assert n == min(len(text), alphabet.ENDLESS)
    assert whole > 500
    for kind in range(alphabet.N_KINDS):
        assert weights[kind] == np.count_nonzero(kinds >> kind & 1)


@pytest.mark.parametrize("number", range(len(PATTERNS)))
def test_masks_are_exact(vocabulary: Vocabulary, number: int) -> None:
    """Mask = is_token_allowed for every token, in states along random texts."""
    schema = {"type": "array", "items": {"type": "string", **PATTERNS[number]}}
    grammar = Compiler(vocabulary, cache_size=0).compile_json_schema(
        json.dumps(schema), JsonOptions(escapes="any" if number % 2 else "minimal", formats="assert")
    )
    mask = structgen.allocate_token_bitmask(1, vocabulary.size)
    random = Random(number)
    for _ in range(3):
        matcher = grammar.matcher()
        matcher.accept_bytes(b"[")
        for _ in range(6):
            matcher.fill_next_token_bitmask(mask)
            allowed = np.flatnonzero(np.unpackbits(mask[0].view(np.uint8), bitorder="little")).tolist()
            assert allowed == [t for t in range(vocabulary.size) if matcher.is_token_allowed(t)], matcher.text
            going_on = [t for t in allowed if t not in grammar.stop_token_ids]
            # short tokens half of the time: a long one uses a bound up
            short = [t for t in going_on if len(vocabulary.token_bytes[t] or b"") < 4]
            if not going_on:
                break
            matcher.accept_token(random.choice(short if short and random.random() < 0.5 else going_on))
