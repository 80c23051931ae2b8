"""Walks under the mask of every bundled grammar: no dead ends, and whatever comes of a walk is a text of the whole language."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable
from random import Random

import numpy as np
import pytest

import structgen.grammars
from structgen import Compiler, Vocabulary, allocate_token_bitmask
from structgen.compiler import CompiledGrammar
from tests.syntax.grammars.corpora import corpus
from tests.syntax.grammars.oracles import ORACLES
from tests.syntax.grammars.recognisers import RECOGNISERS, lexings

NAMES = structgen.grammars.names()
WALKS = int(os.environ.get("STRUCTGEN_WALKS", "20"))
STEPS = 50


BYTES: list[bytes | None] = [None, *(bytes((byte,)) for byte in range(256))]


def tiny(name: str) -> Vocabulary:
    """Single bytes: each step ends somewhere within a terminal."""
    return Vocabulary.from_bytes(BYTES, [0])


def realistic(name: str) -> Vocabulary:
    """All bytes, and frequent pieces of texts: they cross the ends of terminals, as a tokenizer's do."""
    pieces: Counter[str] = Counter()
    for text in corpus(name).accepted:
        pieces.update(text[i : i + n] for n in range(2, 9) for i in range(len(text) - n + 1))
    frequent = sorted(pieces, key=lambda piece: (-pieces[piece] * len(piece), piece))[:400]
    return Vocabulary.from_bytes([*BYTES, *(piece.encode() for piece in frequent)], [0])


VOCABULARIES: dict[str, Callable[[str], Vocabulary]] = {"tiny": tiny, "realistic": realistic}


@functools.cache
def compiled(name: str, vocabulary: str, lexing: str) -> CompiledGrammar:
    return Compiler(VOCABULARIES[vocabulary](name)).compile_grammar(structgen.grammars.text(name), lexer=lexing)


def weight(token: bytes) -> int:
    """Long pieces are preferred, and bytes of no ASCII character come rarely."""
    return 1 if len(token) == 1 and token >= b"\x80" else 20 * len(token)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize(("name", "lexing"), [(name, lexing) for name in NAMES for lexing in lexings(name)])
def test_walks_have_no_dead_end_and_end_in_texts_of_the_language(name: str, lexing: str, vocabulary: str) -> None:
    """A random token of the mask at each step, a shortest completion from each state on the way of some walks, and from the last."""
    grammar, oracle, lark = compiled(name, vocabulary, lexing), ORACLES[name], RECOGNISERS["lark"](name, "contextual")
    tokens = [token or b"" for token in grammar.vocabulary.token_bytes]
    bitmask = allocate_token_bitmask(1, len(tokens))
    for seed in range(WALKS):
        rng = Random(f"{name} {lexing} {seed}")
        matcher = grammar.matcher()
        for step in range(rng.randrange(STEPS)):
            matcher.fill_next_token_bitmask(bitmask)
            allowed = np.flatnonzero(np.unpackbits(bitmask.view(np.uint8), bitorder="little")).tolist()
            assert allowed, matcher.text
            assert (0 in allowed) == matcher.is_accepting(), matcher.text
            going = [token for token in allowed if token]
            if not going:
                break
            if seed < 2 or step % 10 == 0:
                completed(matcher.fork(), oracle, lark)
            assert matcher.accept_token(rng.choices(going, [weight(tokens[token]) for token in going])[0])
        completed(matcher, oracle, lark)


def completed(matcher: structgen.Matcher, *accept: Callable[[str], bool]) -> None:
    """Take a shortest completion; the text is one of the language."""
    for token in matcher.shortest_completion():
        assert matcher.accept_token(token), matcher.text
    assert matcher.is_accepting(), matcher.text
    text = matcher.text.decode()
    assert all(accepts(text) for accepts in accept), text
