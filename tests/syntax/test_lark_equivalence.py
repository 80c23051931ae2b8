"""Grammars mean what they mean to Lark with the same lexer: all short texts, random walks under the mask, texts of a separate generator."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np
import pytest

from structgen import (
    Compiler,
    GrammarSyntaxError,
    StructgenError,
    UnsatisfiableError,
    Vocabulary,
    allocate_token_bitmask,
)
from structgen.compiler import CompiledGrammar
from tests.syntax.lark_oracle import (
    ALPHABET,
    GRAMMARS,
    LEXERS,
    TALKATIVE,
    compiler,
    oracle,
    parses,
    random_grammar,
    texts,
)


@pytest.fixture(autouse=True)
def _no_grammar_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_language(text: str, lexer: str, letters: str, length: int) -> None:
    """Every text over some letters is accepted exactly if Lark parses it, and every text that may be gone on with can be completed."""
    parser = oracle(text, lexer)
    try:
        grammar = compiler().compile_grammar(text, lexer=lexer)
    except UnsatisfiableError:
        assert parser is None or not any(parses(parser, word) for word in texts(letters, length))
        return
    except GrammarSyntaxError as error:
        # Lark resolves the former by leaving derivations out, and refuses the latter
        if parser is not None and "shift/reduce" not in str(error):
            raise
        return
    assert parser is not None, "Lark refuses the grammar"
    alive = [""]
    for word in texts(letters, length):
        matcher = grammar.matcher()
        is_alive = matcher.accept_bytes(word.encode())
        assert (is_alive and matcher.is_accepting()) == parses(parser, word), word
        if is_alive:
            alive.append(word)
    for word in Random(text).sample(alive, min(20, len(alive))):
        matcher = grammar.matcher()
        assert matcher.accept_bytes(word.encode())
        for token in matcher.shortest_completion():
            assert matcher.accept_token(token)
        assert matcher.is_accepting()
        assert parses(parser, matcher.text.decode()), word


@pytest.mark.parametrize("lexer", LEXERS)
@pytest.mark.parametrize(("text", "letters", "length"), GRAMMARS)
def test_language_is_larks(text: str, letters: str, length: int, lexer: str) -> None:
    check_language(text, lexer, letters, length if lexer == "contextual" else min(length, 6))


@pytest.mark.parametrize("seed", range(40))
def test_language_of_random_grammars_is_larks(seed: int) -> None:
    text = random_grammar(Random(seed))
    letters = "ab1+ " if "%ignore" in text else "ab1+"
    for lexer in LEXERS:
        check_language(text, lexer, letters, 4)


def test_grammars_are_many_and_mostly_accepted() -> None:
    assert len(GRAMMARS) >= 45
    accepted = 0
    for text, _, _ in GRAMMARS:
        try:
            compiler().compile_grammar(text, lexer="contextual")
            accepted += 1
        except StructgenError:
            pass
    assert accepted >= 30


# -- larger grammars -----------------------------------------------------------------------------------------------------------------


def vocabulary_of(pieces: str) -> Vocabulary:
    tokens = [
        None,
        *(bytes([b]) for b in range(256)),
        *(p.encode() for p in re.split("(?<! ) | (?! )", pieces) if len(p) > 1),
    ]
    return Vocabulary.from_bytes(tokens, [0])


@pytest.fixture(scope="module")
def talkative() -> Callable[[str, str], CompiledGrammar]:
    @functools.cache
    def compiled(name: str, lexer: str) -> CompiledGrammar:
        text, pieces = TALKATIVE[name]
        return Compiler(vocabulary_of(pieces)).compile_grammar(text, lexer=lexer)

    return compiled


@pytest.mark.parametrize("lexer", LEXERS)
@pytest.mark.parametrize("name", TALKATIVE)
def test_random_walks_are_parsed(name: str, lexer: str, talkative: Callable[[str, str], CompiledGrammar]) -> None:
    """Walk under the mask with readable tokens, complete, and let Lark parse the result."""
    parser = oracle(TALKATIVE[name][0], lexer)
    assert parser is not None
    grammar = talkative(name, lexer)
    vocabulary = grammar.vocabulary
    bitmask = allocate_token_bitmask(1, vocabulary.size)
    for seed in range(12):
        random = Random(seed)
        matcher = grammar.matcher()
        for _ in range(random.randrange(5, 30)):
            matcher.fill_next_token_bitmask(bitmask)
            allowed = np.flatnonzero(np.unpackbits(bitmask.view(np.uint8), bitorder="little")).tolist()
            assert allowed, matcher.text
            shown = [t for t in allowed if t and (vocabulary.token_bytes[t] or b"").isascii()]
            token = random.choice([t for t in shown if t > 256] * 3 + shown or allowed)
            if token == 0:
                break
            assert matcher.accept_token(token)
        for token in matcher.shortest_completion():
            assert matcher.accept_token(token)
        assert matcher.is_accepting()
        assert parses(parser, matcher.text.decode()), matcher.text


def derived(parser: Any, random: Random, samples: dict[str, list[str]]) -> list[str]:
    """The terminals' texts of a random derivation by Lark's own rules; it stops growing after some steps."""
    rules: dict[str, list[list[Any]]] = {}
    for rule in parser.rules:
        rules.setdefault(rule.origin.name, []).append(rule.expansion)
    heights: dict[str, int] = {}
    changed = True
    while changed:
        changed = False
        for name, expansions in rules.items():
            for expansion in expansions:
                parts = [0 if s.is_term else heights.get(s.name, 1 << 30) for s in expansion]
                height = max(parts, default=0) + 1
                if height < heights.get(name, 1 << 30):
                    heights[name] = height
                    changed = True
    out: list[str] = []
    stack: list[Any] = [None]
    budget = 60
    while stack:
        symbol = stack.pop()
        if symbol is not None and symbol.is_term:
            out.append(random.choice(samples[symbol.name]))
            continue
        budget -= 1
        expansions = rules["start" if symbol is None else symbol.name]
        if budget < 0:
            expansions = [
                min(expansions, key=lambda e: max((0 if s.is_term else heights[s.name] for s in e), default=0))
            ]
        stack.extend(reversed(random.choice(expansions)))
    return out


@pytest.mark.parametrize("lexer", LEXERS)
@pytest.mark.parametrize("name", TALKATIVE)
def test_generated_texts_are_accepted(name: str, lexer: str, talkative: Callable[[str, str], CompiledGrammar]) -> None:
    """Texts made by expanding Lark's rules, joined with and without blanks: accepted exactly if Lark parses them."""
    text, pieces = TALKATIVE[name]
    parser = oracle(text, lexer)
    grammar = talkative(name, lexer)
    candidates = [
        *texts("a1.", 3),
        *pieces.split(),
        *ALPHABET,
        "\n",
        "'x'",
        '"a b"',
        "ab",
        "-7",
        "1.5",
        "<",
        ";",
        "*",
        "/",
        "/* */",
        "]",
        "{",
    ]
    samples: dict[str, list[str]] = {}
    for terminal in parser.terminals:
        expression = re.compile(terminal.pattern.to_regexp())
        samples[terminal.name] = [c for c in candidates if expression.fullmatch(c)] or [terminal.pattern.value]
    random = Random(f"{name} {lexer}")
    n_parsed = 0
    for _ in range(60):
        words = derived(parser, random, samples)
        sentence = "".join(word + random.choice(("", " ", " ")) for word in words)[:400]
        expected = parses(parser, sentence)
        n_parsed += expected
        assert grammar.match(sentence).accepted == expected, sentence
        broken = sentence[: random.randrange(len(sentence) + 1)] + random.choice("a1 (") if sentence else "("
        assert grammar.match(broken).accepted == parses(parser, broken), broken
    assert n_parsed >= 20
