"""Vocabularies for the machine's tests: hand-made ones, and the real tokenizers of ../shared where they are."""

from __future__ import annotations

import pytest

from structgen import Vocabulary
from tests.machine import walks


@pytest.fixture(scope="session")
def mixed() -> tuple[Vocabulary, walks.Kinds]:
    """All bytes and 100 longer tokens (duplicates, special, parts of characters, tokens over many lexemes), two end tokens, padding."""
    vocabulary = walks.mixed_vocabulary()
    return vocabulary, walks.Kinds(vocabulary)


@pytest.fixture(scope="session", params=["mixed", "leading space", "llama3", "mistral", "gpt2"])
def each(request: pytest.FixtureRequest) -> tuple[str, Vocabulary, walks.Kinds]:
    """Every vocabulary in turn, with its name; the real ones are skipped where they are absent."""
    name = str(request.param)
    if name in ("mixed", "leading space"):
        vocabulary = walks.mixed_vocabulary(leading_space=name != "mixed")
    else:
        if not (walks.TOKENIZERS / name).is_dir():
            pytest.skip(f"the tokenizer {name} is not in ../shared/data/tokenizers")
        vocabulary = walks.load_vocabulary(name)
    return name, vocabulary, walks.Kinds(vocabulary)
