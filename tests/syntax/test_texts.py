"""Patterns and choices: masks against `re` and sets, completions, errors."""

from __future__ import annotations

import random
import re

import pytest

import structgen
from structgen.errors import RegexError, SchemaError, UnsatisfiableError

PATTERNS = [
    r"a+b?",
    r"(foo|bar){1,3}",
    r"\d{2,4}-\d\d",
    r"[^x]*x",
    r"(?i)yes|no",
    r"",
    r"(?=.*b)[ab]{3}",
    "é+",
    r"a{2,40}",
]
TEXTS = [
    "",
    "a",
    "aab",
    "foo",
    "foobar",
    "foofoofoofoo",
    "12-34",
    "1-22",
    "axx",
    "yx",
    "YES",
    "No",
    "aab",
    "aba",
    "aaa",
    "éé",
    "a" * 40,
    "a" * 41,
]


@pytest.fixture(scope="module")
def compiler() -> structgen.Compiler:
    tokens: list[bytes | None] = [bytes([b]) for b in range(256)]
    tokens += [b"foo", b"oba", b"aa", b"aaaa", b"12", b"-3", b"YE", "é".encode(), None]
    return structgen.Compiler(structgen.Vocabulary.from_bytes(tokens, [len(tokens) - 1]))


def accepts(grammar: structgen.CompiledGrammar, text: str) -> bool:
    matcher = grammar.matcher()
    return matcher.accept_bytes(text.encode()) and matcher.is_accepting()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_accepts_what_re_does(compiler: structgen.Compiler, pattern: str) -> None:
    grammar = compiler.compile_regex(pattern)
    for text in TEXTS:
        assert accepts(grammar, text) == bool(re.fullmatch(pattern, text)), text


def test_flags_are_those_of_re(compiler: structgen.Compiler) -> None:
    assert accepts(compiler.compile_regex("abc", re.IGNORECASE), "aBC")


@pytest.mark.parametrize("choices", [["a", "ab", "abc"], ["foo", "bar", "foobar"], [""], ["", "x"], ["é", "e"]])
def test_choice_accepts_its_texts_only(compiler: structgen.Compiler, choices: list[str]) -> None:
    grammar = compiler.compile_choice(choices)
    for text in [*TEXTS, *choices, "ab", "abcd", "fo", "e"]:
        assert accepts(grammar, text) == (text in choices), text


@pytest.mark.parametrize("seed", range(4))
def test_walks_under_the_mask_end_in_a_match(compiler: structgen.Compiler, seed: int) -> None:
    rng = random.Random(seed)
    vocabulary = compiler.vocabulary
    bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
    choices = ["foo", "foobar", "aa", "aaaa", "é"]
    grammars = [(compiler.compile_regex(p), lambda t, p=p: bool(re.fullmatch(p, t))) for p in PATTERNS]
    for grammar, right in [*grammars, (compiler.compile_choice(choices), choices.__contains__)]:
        matcher = grammar.matcher()
        for _ in range(12):
            matcher.fill_next_token_bitmask(bitmask)
            allowed = [t for t in range(vocabulary.size) if bitmask[0, t >> 5] >> (t & 31) & 1]
            assert allowed == [t for t in range(vocabulary.size) if matcher.is_token_allowed(t)]
            if not allowed or not matcher.accept_token(rng.choice(allowed)) or matcher.is_terminated():
                break
        for token in matcher.shortest_completion():
            assert matcher.accept_token(token)
        assert right(matcher.text.decode())


def test_refusals_are_explained(compiler: structgen.Compiler) -> None:
    assert "matches 'a+b?'" in compiler.compile_regex("a+b?").matcher().explain(ord("z"))
    assert "one of 'x', 'y'" in compiler.compile_choice(["y", "x"]).matcher().explain(ord("z"))


def test_bad_input_is_named(compiler: structgen.Compiler) -> None:
    with pytest.raises(RegexError, match="position"):
        compiler.compile_regex("a(b")
    with pytest.raises(UnsatisfiableError):
        compiler.compile_regex("(?!)")
    with pytest.raises(UnsatisfiableError):
        compiler.compile_choice([])
    for wrong in ("abc", [1], ["\ud800"]):
        with pytest.raises(SchemaError):
            compiler.compile_choice(wrong)  # type: ignore[arg-type]
