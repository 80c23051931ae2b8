"""Languages of string constraints: lengths, patterns and formats together."""

from __future__ import annotations

from itertools import product

import pytest

from structgen.errors import Limits
from structgen.schema.alternatives import String
from structgen.schema.options import JsonOptions
from structgen.schema.strings import (
    EXAMPLES,
    FORMATS,
    pattern_matches,
    string_core,
    string_is_empty,
    string_is_simple,
    string_language,
    string_matches,
)

OPTIONS, LIMITS = JsonOptions(), Limits()
ALTERNATIVES = [
    String(low, high, patterns, formats)
    for low, high in ((0, None), (0, 2), (2, 3), (3, None), (4, 2), (1, 1))
    for patterns in ((), ("^a+$",), ("b",), ("^(aa)*$",), ("^a", "b$"), ("^(a|b{5})$", "."))
    for formats in ((), ("date",), ("ipv4",))
]


@pytest.mark.parametrize("alternative", ALTERNATIVES, ids=repr)
def test_emptiness_language_and_matching_agree(alternative: String) -> None:
    language = string_language(alternative, OPTIONS, LIMITS)
    assert string_is_empty(alternative, OPTIONS, LIMITS) == language.is_empty()
    core = string_core(alternative, OPTIONS, LIMITS)
    texts = ["".join(letters) for length in range(5) for letters in product("ab", repeat=length)]
    for text in (*texts, "2024-02-29", "2023-02-29", "1.2.3.4", "é", "\U0001f600\U0001f600"):
        wanted = string_matches(alternative, text, OPTIONS, LIMITS)
        assert language.matches(text) == wanted, text
        in_length = alternative.min_length <= len(text) and (
            alternative.max_length is None or len(text) <= alternative.max_length
        )
        assert (core.matches(text) and in_length) == wanted, text
    assert string_is_simple(alternative) == (not alternative.patterns and not alternative.formats)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_examples_have_their_format(name: str) -> None:
    assert string_core(String(formats=(name,)), OPTIONS, LIMITS).matches(EXAMPLES[name])


def test_emptiness_needs_no_state_per_length() -> None:
    for alternative in (
        String(1, 65_536, (), ("uri",)),
        String(0, 10**9, (r"^(?:\S+\s+){0,49}\S+$", "^[a-z]"), ()),
        String(0, 10**9, (), ()),
    ):
        assert not string_is_empty(alternative, OPTIONS, LIMITS)


def test_patterns_are_those_of_ecma() -> None:
    assert not pattern_matches("^a$", "a\n", LIMITS)
    assert not pattern_matches(r"^\d$", "٣", LIMITS)
    assert pattern_matches(r"^\s$", "\ufeff", LIMITS)
    assert pattern_matches("b", "abc", LIMITS)
    assert pattern_matches("^.$", "\U0001f600", LIMITS)


def test_cap_on_unbounded_patterns() -> None:
    capped = JsonOptions(max_string_length=5)
    assert string_language(String(patterns=("^a+$",)), capped, LIMITS).max_length() == 5
    assert string_language(String(patterns=("^a{9}$",)), capped, LIMITS).max_length() == 9
    assert string_language(String(patterns=("^a{9}a*$",)), capped, LIMITS).max_length() is None
    assert string_language(String(max_length=7, patterns=("^a+$",)), capped, LIMITS).max_length() == 7
