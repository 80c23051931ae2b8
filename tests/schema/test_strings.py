"""Languages of string constraints: lengths, patterns, formats and exclusions together."""

from __future__ import annotations

import re
from itertools import product
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from structgen.errors import LimitExceeded, Limits
from structgen.schema.alternatives import String, StringEnum
from structgen.schema.options import JsonOptions
from structgen.schema.scalars import string_constraints
from structgen.schema.strings import (
    EXAMPLES,
    FORMATS,
    folded_string,
    pattern_matches,
    string_core,
    string_is_empty,
    string_is_simple,
    string_language,
    string_matches,
    string_values,
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


TEXTS = ["".join(letters) for n in range(6) for letters in product("ab", repeat=n)] + ["2000-01-01", "0.0.0.0", "é"]
PATTERNS = ["^a", "b$", "^[ab]*$", "^a*$", "^(aa)*$", "ab", "^.{2}$", "^$", "^[^a]"]
CHECKS = {"date": r"\d{4}-\d\d-\d\d", "ipv4": r"\d\.\d\.\d\.\d"}


def random_string(rng: Random) -> String:
    return String(
        rng.choice((0, 0, 0, 1, 2, 3)),
        rng.choice((None, None, None, 0, 1, 2, 3, 5)),
        tuple(rng.sample(PATTERNS, rng.choice((0, 0, 1, 1, 2)))),
        tuple(rng.sample(sorted(CHECKS), rng.choice((0, 0, 0, 0, 1)))),
    )


def is_in(alternative: String, text: str) -> bool:
    """The meaning of the constraints on TEXTS, by `re`."""
    if len(text) < alternative.min_length:
        return False
    if alternative.max_length is not None and len(text) > alternative.max_length:
        return False
    return all(re.search(pattern.replace("$", r"\Z"), text) for pattern in alternative.patterns) and all(
        re.fullmatch(CHECKS[name], text) for name in alternative.formats
    )


@pytest.mark.parametrize("seed", range(6))
def test_exclusions_agree_with_brute_force(seed: int) -> None:
    rng = Random(seed)
    for _ in range(15):
        own = random_string(rng)
        excluded = tuple(random_string(rng) for _ in range(rng.randrange(4)))
        without = frozenset(rng.sample(TEXTS, rng.choice((0, 0, 1, 3, 8))))
        given = String(own.min_length, own.max_length, own.patterns, own.formats, excluded, without)
        wanted = [
            text
            for text in TEXTS
            if is_in(own, text) and text not in without and not any(is_in(e, text) for e in excluded)
        ]
        assert [text for text in TEXTS if string_matches(given, text, OPTIONS, LIMITS)] == wanted
        language = string_language(given, OPTIONS, LIMITS)
        assert [text for text in TEXTS if language.matches(text)] == wanted
        assert string_is_empty(given, OPTIONS, LIMITS) == language.is_empty()
        folded = folded_string(given, OPTIONS, LIMITS)
        if folded is None:
            assert language.is_empty()
            continue
        assert string_language(folded, OPTIONS, LIMITS).key() == language.key()
        assert folded_string(folded, OPTIONS, LIMITS) == folded
        values, complete = string_values(given, 30, OPTIONS, LIMITS)
        n_words = language.n_words(31)
        assert n_words is not None
        assert len(set(values)) == len(values) == min(n_words, 30)
        assert all(language.matches(value) for value in values)
        assert complete == (n_words <= 30)


@pytest.mark.parametrize(
    ("given", "folded"),
    [
        (String(excluded=(String(5),)), String(0, 4)),
        (String(excluded=(String(0, 5),)), String(6)),
        (String(3, 10, excluded=(String(2, 5), String(9, 20))), String(6, 8)),
        (String(excluded=(String(),)), None),
        (String(0, 4, excluded=(String(0, 4),)), None),
        (String(patterns=("^a",), excluded=(String(patterns=("^a",)),)), None),
        (String(patterns=("^a",), excluded=(String(5, patterns=("^a",)),)), String(0, 4, ("^a",))),
        (String(without=frozenset({""})), String(1)),
        (String(2, without=frozenset({"a", "ab"})), String(2, without=frozenset({"ab"}))),
        (
            String(excluded=(String(patterns=("b", "a")), String(patterns=("a",)), String(2, patterns=("a",)))),
            String(excluded=(String(patterns=("a",)),)),
        ),
        (String(0, 9, excluded=(String(0, 20, ("a",)),)), String(0, 9, excluded=(String(patterns=("a",)),))),
    ],
)
def test_canonical_forms(given: String, folded: String | None) -> None:
    assert folded_string(given, OPTIONS, LIMITS) == folded


def test_values_of_strings() -> None:
    assert string_values(StringEnum(("a", "b")), 3, OPTIONS, LIMITS) == (["a", "b"], True)
    assert string_values(StringEnum(("a", "b")), 1, OPTIONS, LIMITS) == (["a"], False)
    assert string_values(String(0, 0), 3, OPTIONS, LIMITS) == ([""], True)
    assert string_values(String(3, 2), 3, OPTIONS, LIMITS) == ([], True)
    values, complete = string_values(String(7, 7, without=frozenset({"!aaaaaa"})), 500, OPTIONS, LIMITS)
    assert not complete
    assert len(set(values)) == 500
    assert all(len(value) == 7 and value != "!aaaaaa" for value in values)
    with pytest.raises(LimitExceeded):
        string_values(String(10**8), 2, OPTIONS, LIMITS)


def test_one_character_less_than_all_are_excluded() -> None:
    characters = [chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]
    some = frozenset(characters[::40])
    assert not string_is_empty(String(1, 1, without=some), OPTIONS, LIMITS)
    assert string_is_empty(String(1, 1, ("^[ab]$",), without=frozenset("ab")), OPTIONS, LIMITS)
    assert not string_is_empty(String(1, 2, ("^[ab]*$",), without=frozenset("ab")), OPTIONS, LIMITS)


@pytest.mark.parametrize(
    ("schema", "negated"),
    [
        ({}, [{"pattern": "^a"}]),
        ({"minLength": 1}, [{"pattern": "a$"}, {"minLength": 4}]),
        ({"pattern": "b"}, [{"pattern": "^[ab]{3}$", "minLength": 2}, {"maxLength": 1}]),
        ({"maxLength": 3}, [{"pattern": "a", "maxLength": 2}]),
        ({}, [{"format": "date"}, {"pattern": "^b"}]),
    ],
)
def test_jsonschema_agrees(schema: dict[str, Any], negated: list[dict[str, Any]]) -> None:
    formats = frozenset({"date"})
    given = String(
        **{
            field: getattr(string_constraints([schema], formats), field)
            for field in ("min_length", "max_length", "patterns")
        },
        excluded=tuple(string_constraints([one], formats) for one in negated),
    )
    folded = folded_string(given, OPTIONS, LIMITS)
    assert folded is not None
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator({"allOf": [schema, *({"not": one} for one in negated)]}, format_checker=checker)
    language = string_language(folded, OPTIONS, LIMITS)
    for text in TEXTS:
        right = validator.is_valid(text)
        assert string_matches(folded, text, OPTIONS, LIMITS) == right, text
        assert language.matches(text) == right, text
