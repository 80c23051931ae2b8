"""Shapes of patterns against the automata of the same patterns."""

from __future__ import annotations

from random import Random

import pytest

from structgen.errors import Limits
from structgen.lexemes.dfa import length_between
from structgen.lexemes.regex import compile_regex
from structgen.schema.shapes import shape_of

ATOMS = (
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    r"\d",
    r"\w",
    r"\s",
    r"\S",
    r"\.",
    "(?:a|bb)",
    "(ab)",
    "[a-c1-]",
    "(a|bbb)",
    "(|aa)",
)
QUANTIFIERS = ("", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "{0}", "*?", "{2,4}")
TEXTS = ("", "a", "b", "ab", "aab", "bb", "1", "a1", " ", "\n", "é", "\U0001f600", ".", "abab", "aabb", "c-", "\u2028")


def _pattern(random: Random) -> str:
    body = "".join(random.choice(ATOMS) + random.choice(QUANTIFIERS) for _ in range(random.randrange(4)))
    pattern = random.choice(("", "^")) + body + random.choice(("", "$"))
    if random.random() < 0.2:
        pattern = f"({pattern})"
    return f"{pattern}|{_pattern(random)}" if random.random() < 0.3 else pattern


@pytest.mark.parametrize("seed", range(6))
def test_shapes_agree_with_automata(seed: int) -> None:
    random = Random(seed)
    n_known = 0
    for _ in range(120):
        pattern = _pattern(random)
        shape = shape_of(pattern)
        if shape is None:
            continue
        n_known += 1
        language = compile_regex(pattern, dialect="ecma", anchored=False, limits=Limits())
        for text in TEXTS:
            assert shape.found_in(text) == language.matches(text), (pattern, text)
        assert shape.shortest == language.min_length(), pattern
        assert shape.longest == language.max_length(), pattern
        for low in range(6):
            for high in (low, low + 1, None):
                verdict = shape.allows_length(low, high)
                if verdict is not None:
                    wanted = not (language & length_between(low, high)).is_empty()
                    assert verdict == wanted, (pattern, low, high)
    assert n_known >= 90


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)b", r"(a)\1", "a^b", "a$b", r"\bword", "[", "a{", "[]", "[^]", r"[\b]", r"\u0041", r"\p{L}", "(?<n>a)",
     "a**", "[z-a]", r"[\d-x]", "a{3,1}", "^*", "(?i)a", "(^a)b", "((" * 60, r"[a-\d]", r"\$$|^*", "x" * 3000],
)  # fmt: skip
def test_patterns_outside_the_subset_are_left_to_the_automaton(pattern: str) -> None:
    shape = shape_of(pattern)
    assert shape is None


def test_dollar_is_not_before_a_newline() -> None:
    shape = shape_of("^a$")
    assert shape is not None
    assert not shape.found_in("a\n")
    escaped = shape_of(r"a\$")
    assert escaped is not None
    assert escaped.found_in("xa$y")
