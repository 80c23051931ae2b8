"""Every bundled grammar, under every lexing that it promises, by every recogniser and its oracle: the corpora of texts."""

from __future__ import annotations

import pytest

import structgen.grammars
from tests.syntax.grammars.corpora import FOLDER, corpus
from tests.syntax.grammars.oracles import ORACLES
from tests.syntax.grammars.recognisers import RECOGNISERS, lexings

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
