"""Spellings of one value: the whole graph against what the lexemes admit, and against Python's readers of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from structgen.errors import Limits
from structgen.lexemes.dfa import any_string, literal
from structgen.lexemes.numbers import NumberSpec
from structgen.lexemes.scientific import number_language
from structgen.lexemes.text import spell_json
from structgen.lexemes.words import WordGraph, number_words, string_words

TEXTS = ["", "a", "ab", "é", "/", '"\\', "\n\x01", "\U0001f600", "\uffff"]
NUMBERS = [
    Decimal(text) for text in "0 1 -1 5 12 120 -12.5 0.5 0.05 1.25 -0.00012 123456789012345678901 1e20 1.5e-7".split()
]


def words(graph: WordGraph) -> Iterator[bytes]:
    stack = [(len(graph.edges) - 1, b"")]
    while stack:
        node, word = stack.pop()
        if graph.accepts[node]:
            yield word
        for byte, target in graph.edges[node].items():
            assert target < node
            stack.append((target, word + bytes([byte])))


def accepts(graph: WordGraph, word: bytes) -> bool:
    node = len(graph.edges) - 1
    for byte in word:
        if byte not in graph.edges[node]:
            return False
        node = graph.edges[node][byte]
    return graph.accepts[node]


@pytest.mark.parametrize("text", TEXTS)
def test_strings_have_one_minimal_spelling(text: str) -> None:
    assert list(words(string_words(text, "json"))) == [spell_json(text)]


@pytest.mark.parametrize("text", TEXTS)
def test_strings_have_the_escapes_of_the_lexeme(text: str) -> None:
    found = list(words(string_words(text, "json-any")))
    dfa = literal(text).to_bytes("json-any")
    assert len(found) == len(set(found))
    assert all(dfa.matches(word) and json.loads(word) == text for word in found)
    assert not any(any_string().subtract(literal(text)).to_bytes("json-any").matches(word) for word in found)
    escaped = "".join(f"\\u{ord(c):04X}" for c in text if ord(c) < 65536)
    assert len(escaped) != 6 * len(text) or f'"{escaped}"'.encode() in found
    if len(text) < 2:  # the automaton has no other: every spelling of a character is tried
        spelled = {
            json.dumps(text).encode(),
            spell_json(text),
            b'"\\/"',
            *(f'"\\u{i:04x}"'.encode() for i in range(128)),
        }
        assert {word for word in spelled if dfa.matches(word)} <= set(found)


@pytest.mark.parametrize("value", NUMBERS, ids=str)
def test_numbers_have_the_spellings_of_their_lexemes(value: Decimal) -> None:
    graph = number_words(value, 12)
    found = list(words(graph))
    assert len(found) == len(set(found))
    assert all(json.loads(word, parse_float=Decimal, parse_int=Decimal) == value for word in found)
    exactly = NumberSpec(lower=value, upper=value, spelling="spec", max_integer_digits=25, max_fraction_digits=12)
    language = number_language(exactly, (), Limits())
    assert all(language.matches(word) for word in found)
    # and no other: taking the graph's words out leaves nothing up to the longest of them
    state_words = [(language.start, b"")]
    while state_words:
        state, word = state_words.pop()
        assert language.tags[state] < 0 or accepts(graph, word), word
        for byte in b"0123456789-+.eE":
            target = int(language.trans[state, language.classes[byte]])
            if target:
                state_words.append((target, word + bytes([byte])))
