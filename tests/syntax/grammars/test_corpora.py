"""Every bundled grammar, under every lexing that it promises, by every recogniser and its oracle: the corpora of texts."""

from __future__ import annotations

import itertools
import keyword
import re
import string

import pytest

import structgen.grammars
from tests.syntax.grammars.corpora import FOLDER, corpus
from tests.syntax.grammars.oracles import ORACLES
from tests.syntax.grammars.recognisers import RECOGNISERS, lark_parser, lexings

NAMES = structgen.grammars.names()
CASES = [(name, lexing, engine) for name in NAMES for lexing in lexings(name) for engine in RECOGNISERS]


def test_every_grammar_has_a_corpus_and_an_oracle() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == NAMES
    assert sorted(ORACLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_corpus_is_large_and_agrees_with_the_oracle(name: str) -> None:
    texts = corpus(name)
    assert len(set(texts.accepted)) >= 20
    assert len(set(texts.refused)) >= 20
    oracle = ORACLES[name]
    assert [text for text in texts.accepted if not oracle(text)] == []
    assert [text for text in texts.refused if oracle(text)] == []
    assert [text for text in texts.beyond if not oracle(text)] == []


@pytest.mark.parametrize(("name", "lexing", "engine"), CASES)
def test_grammar_decides_the_corpus(name: str, lexing: str, engine: str) -> None:
    texts, accepts = corpus(name), RECOGNISERS[engine](name, lexing)
    assert [text for text in texts.accepted if not accepts(text)] == []
    assert [text for text in texts.refused + texts.beyond if accepts(text)] == []


def test_names_of_python_are_identifiers_but_keywords() -> None:
    """All beginnings of keywords, with characters behind them; without the words of which the head comment says that no name begins so."""
    (pattern,) = (t.pattern.to_regexp() for t in lark_parser("python", "contextual").terminals if t.name == "NAME")
    name = re.compile(pattern)
    begins = {word[:n] for word in keyword.kwlist for n in range(len(word) + 1)}
    alone = tuple("break continue lambda pass raise return None True False".split())
    for begin, first, last in itertools.product(begins, ["", "é", *string.ascii_letters, "_", "0"], ["", "x", "9"]):
        word = begin + first + last
        found = name.match(word)
        expected = word.isidentifier() and word.isascii() and not keyword.iskeyword(word) and not word.startswith(alone)
        assert (found is not None and found[0] == word) == expected, word
