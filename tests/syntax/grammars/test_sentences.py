"""Laws of the bundled grammars on generated texts: what a grammar derives or accepts, its language's own reader accepts.

STRUCTGEN_SENTENCES=3000 makes longer runs.
"""

from __future__ import annotations

import functools
import os
from random import Random

import pytest
from lark import Lark

import structgen.grammars
from tests.syntax.grammars.corpora import corpus
from tests.syntax.grammars.oracles import ORACLES
from tests.syntax.grammars.recognisers import RECOGNISERS, lark_parser, lexings, parses
from tests.syntax.grammars.sentences import PatternSampler, Sentences, mutated

NAMES = structgen.grammars.names()
COUNT = int(os.environ.get("STRUCTGEN_SENTENCES", "300"))
# Earley parsers take milliseconds for each character, so only shorter sentences go there.
LONGEST = {"dynamic": 150, "contextual": 100_000}


@functools.cache
def generated(name: str) -> tuple[Sentences, list[str]]:
    """COUNT sentences of a bundled grammar, and their source."""
    source = Sentences(lark_parser(name, "contextual"), seed=5)
    return source, [source.sentence(source.rng.choice([5, 20, 60, 150])) for _ in range(COUNT)]


@pytest.mark.parametrize("name", NAMES)
def test_sentences_are_accepted_by_the_oracle_and_every_recogniser(name: str) -> None:
    _, texts = generated(name)
    assert len(set(texts)) > COUNT // 2, "the sentences hardly differ"
    assert [text for text in texts if not ORACLES[name](text)] == []
    for lexing in lexings(name):
        short = [text for text in texts if len(text) <= LONGEST[lexing]]
        for engine, make in RECOGNISERS.items():
            accepts = make(name, lexing)
            assert [text for text in short if not accepts(text)] == [], (engine, lexing)


@pytest.mark.parametrize("name", NAMES)
def test_sentences_use_nearly_every_rule(name: str) -> None:
    source, _ = generated(name)
    rules = {rule for rules in source.rules.values() for rule in rules}
    # Python's statements are copies of the same rules, for each depth.
    assert len(rules - set(source.used)) <= len(rules) * (0.2 if name == "python" else 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_texts_with_small_edits_are_accepted_only_if_the_oracle_accepts_them(name: str) -> None:
    """Lark decides, both lexings of structgen's engine decide alike, and what is accepted is a text of the language."""
    texts = corpus(name)
    pool = texts.accepted * 3 + texts.refused + texts.beyond + generated(name)[1][:50]
    accepts, rng, found = RECOGNISERS["lark"](name, "contextual"), Random(7), 0
    engines = {lexing: RECOGNISERS["structgen"](name, lexing) for lexing in lexings(name)}
    for _ in range(5 * COUNT):
        text = mutated(rng.choice(pool), rng.choice(pool), rng)
        expected = accepts(text)
        assert {lexing: test(text) for lexing, test in engines.items()} == dict.fromkeys(engines, expected), text
        if expected:
            found += 1
            assert ORACLES[name](text), text
    assert found > COUNT // 10, "the edits leave too little to decide"


@pytest.mark.parametrize("name", NAMES)
def test_lexings_agree_on_short_texts_with_edits(name: str) -> None:
    """Longest matches, the terminals that the place allows, or any split into terminals: the grammars are written to mean one language."""
    texts, rng = corpus(name), Random(9)
    every_split = Lark(structgen.grammars.text(name), parser="earley", lexer="dynamic_complete")
    tests = [make(name, lexing) for make in RECOGNISERS.values() for lexing in lexings(name)]
    tests += [lambda text: parses(every_split, text), RECOGNISERS["structgen"](name, "dynamic_complete")]
    pool = sorted(texts.accepted + texts.refused + texts.beyond, key=len)[:60]
    for text in {mutated(rng.choice(pool), rng.choice(pool), rng) for _ in range(COUNT // 3)}:
        assert len({accepts(text) for accepts in tests}) == 1, text


@pytest.mark.parametrize("name", NAMES)
def test_contextual_grammar_has_no_conflict(name: str) -> None:
    """No shift-reduce conflict, which Lark would decide in silence, and no two terminals of one priority for one text in one place."""
    Lark(structgen.grammars.text(name), parser="lalr", lexer="contextual", strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_first_match_of_each_terminal_is_its_longest(name: str) -> None:
    """Python's `re` takes the first alternative that matches, an automaton the longest match: the terminals mean the same to both."""
    rng = Random(8)
    for terminal in lark_parser(name, "contextual").terminals:
        sampler = PatternSampler(terminal.pattern.to_regexp())
        assert sampler.compiled.match("") is None, f"{terminal.name} matches the empty text"
        for text in {sampler.sample(rng) for _ in range(40)}:
            found = sampler.compiled.match(text)
            assert found is not None, terminal.name
            assert found[0] == text, terminal.name


def test_generator_reaches_every_sentence_of_a_small_grammar() -> None:
    grammar = Lark('start: "a" [b] | c\nb: "b" | "b" b\nc: /[x-z]|(?i:k)/ d~2 | "q"\nd: "d"?', parser="lalr")
    source = Sentences(grammar, seed=1)
    texts = {source.sentence(8) for _ in range(600)}
    assert {"a", "ab", "abb", "q", "x", "yd", "zdd", "k", "Kd"} <= texts


@pytest.mark.parametrize(
    "pattern", [r"[^a-y\d]x+?", r"(?i:ab|c{2,3})\d", r"(?!aa)[ab]{2}", r"a*(b|[c-e])\.", r"\w\W\s\S"]
)
def test_pattern_sampler_draws_matches(pattern: str) -> None:
    sampler, rng = PatternSampler(pattern), Random(2)
    texts = {sampler.sample(rng) for _ in range(50)}
    assert len(texts) > 2
    assert all(sampler.compiled.fullmatch(text) for text in texts)
