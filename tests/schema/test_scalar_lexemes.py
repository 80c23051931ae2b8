"""Lexemes of scalars with exclusions in the machine: masks, completions and language against `string_matches` and `number_matches`.

Alternatives are given to the lowering directly, as the items of an array, so that what follows a scalar is in the masks too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from structgen import Compiler, JsonOptions, Vocabulary
from structgen.compiler import CompiledGrammar, _builder
from structgen.errors import LimitExceeded, Limits
from structgen.kernels import machine
from structgen.lexemes.numbers import NumberSpec
from structgen.schema.alternatives import Alternative, Array, Number, String
from structgen.schema.constants import exact
from structgen.schema.lower import Lowering
from structgen.schema.number_sets import folded_number, number_matches
from structgen.schema.scalars import NumberBounds, number_spec
from structgen.schema.strings import folded_string, string_matches
from tests.machine import walks

LIMITS = Limits()
MINIMAL, ANY = JsonOptions(), JsonOptions(escapes="any", integers="spec")


class Given:
    """In place of a normal form: an array of one to three values of given alternatives."""

    root = (0,)

    def __init__(self, alternatives: Sequence[Alternative]) -> None:
        self.of: dict[tuple[int, ...], list[Alternative]] = {
            (0,): [Array((), (1,), 1, 3, "")],
            (1,): list(alternatives),
        }

    def begin(self) -> None:
        """Nothing is counted here."""

    def expand(self, goal: tuple[int, ...]) -> list[Alternative]:
        return self.of[goal]


class Grammars:
    """Compiles alternatives for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self.compiler = vocabulary, Compiler(vocabulary)

    def of(self, alternatives: Sequence[Alternative], options: JsonOptions) -> CompiledGrammar:
        compiler = self.compiler
        lexicon = compiler._current_lexicon()

        def front_end() -> Any:
            return Lowering(Given(alternatives), options, lexicon, LIMITS)  # type: ignore[arg-type]

        build = _builder(self.vocabulary, lexicon, compiler._pool, LIMITS, front_end)
        return CompiledGrammar(self.vocabulary, build, list)


@pytest.fixture(scope="module")
def grammars() -> Grammars:
    return Grammars(walks.mixed_vocabulary())


@pytest.fixture(scope="module")
def kinds(grammars: Grammars) -> walks.Kinds:
    return walks.Kinds(grammars.vocabulary)


def admits(alternative: Alternative, value: Any, options: JsonOptions) -> bool:
    if isinstance(value, str):
        return isinstance(alternative, String) and string_matches(alternative, value, options, LIMITS)
    return isinstance(alternative, Number) and number_matches(alternative, exact(value))


def takes(grammar: CompiledGrammar, text: bytes) -> bool:
    """Whether the array of one value with this text is in the language; byte by byte."""
    matcher = grammar.matcher()
    return all(matcher.accept_token(byte) for byte in b"[" + text + b"]") and matcher.is_accepting()


def check_walks(
    grammar: CompiledGrammar, kinds: walks.Kinds, alternatives: Sequence[Alternative], options: JsonOptions, seed: int
) -> None:
    """Masks are `is_token_allowed`, every state completes, and what comes out is admitted."""
    for number, style in enumerate(walks.STYLES):
        random = Random(100 * seed + number)
        matcher = grammar.matcher()
        for step, mask in enumerate(walks.walk(matcher, random, kinds, style, 12)):
            if step < 4 or step % 3 == 0:
                walks.check_mask(matcher, mask)
            values = json.loads(walks.complete(matcher), parse_float=Decimal)
            for value in values:
                assert any(admits(alternative, value, options) for alternative in alternatives), (value, alternatives)


STRINGS = [
    String(without=frozenset({"a", "ab", "abc", "é", "\x01", '"', ""})),
    String(1, None, without=frozenset({"a", "aa"})),
    String(3, None, without=frozenset({"abc", "aaaa", "ab\U0001f600"})),
    String(0, 2, without=frozenset({"", "a", "aa", "ab", "aé", "\x01\x02"})),
    String(2, 40, without=frozenset({"aa", "a" * 40, "a" * 39 + "b", "abc"})),
    String(2, 2, ("^[ab]*$",), without=frozenset({"aa", "ab", "ba"})),
    String(patterns=("^[ab]+$",), without=frozenset({"a", "b", "aa", "ab", "abab"})),
    String(0, 50, ("^a",), without=frozenset({"a", "aa", "a" * 50, "a" * 49 + "b"})),
    String(0, 50, ("^a*$",), without=frozenset({"a" * n for n in range(40, 51)})),
    String(excluded=(String(patterns=("^a",)),), without=frozenset({"", "ba"})),
    String(excluded=(String(patterns=("b$",)), String(2, 3)), without=frozenset({"aaaa"})),
    String(0, 3, excluded=(String(patterns=("^[ab]*$",)),)),
    String(formats=("date",), without=frozenset({"2000-01-01"})),
    String(formats=("date",), excluded=(String(patterns=("^2",)),)),
]
TEXTS = [
    *("".join(letters) for letters in ("", "a", "b", "é", '"', "\x01", "\\", "aa", "ab", "ba", "aé", "abc", "aaaa", "abab")),
    "\x01\x02", "ab\U0001f600", "aba", *("a" * n for n in (38, 39, 40, 41, 49, 50, 51)), "a" * 39 + "b", "a" * 49 + "b",
    "2000-01-01", "2000-01-02", "1999-12-31",
]  # fmt: skip


@pytest.mark.parametrize("options", [MINIMAL, ANY], ids=["minimal", "any"])
@pytest.mark.parametrize("number", range(len(STRINGS)))
def test_strings_with_exclusions(grammars: Grammars, kinds: walks.Kinds, number: int, options: JsonOptions) -> None:
    alternative = folded_string(STRINGS[number], options, LIMITS)
    assert alternative is not None
    grammar = grammars.of([alternative], options)
    for text in TEXTS:
        spelled = json.dumps(text, ensure_ascii=False).encode()
        assert takes(grammar, spelled) == string_matches(STRINGS[number], text, options, LIMITS), text
        if options.escapes == "any":
            escaped = "".join(f"\\u{ord(c):04x}" if c < "\U00010000" else c for c in text)
            assert takes(grammar, f'"{escaped}"'.encode()) == takes(grammar, spelled)
    check_walks(grammar, kinds, [alternative], options, number)


def test_many_strings_are_excluded_together(grammars: Grammars, kinds: walks.Kinds) -> None:
    rng = Random(7)
    texts = {"".join(rng.choice('ab"é\x01\U0001f600') for _ in range(rng.randrange(6))) for _ in range(3000)}
    assert len(texts) > 1000
    for taken in (texts, texts | {"c", "ca"}):
        alternative = String(without=frozenset(taken))
        grammar = grammars.of([alternative], MINIMAL)
        for text in [*sorted(taken)[::40], "c", "ca", "aaaaaaa", "abc", "é\x01é\x01é\x01"]:
            assert takes(grammar, json.dumps(text, ensure_ascii=False).encode()) == (text not in taken), text
        check_walks(grammar, kinds, [alternative], MINIMAL, 1)


def test_exclusions_grow_one_by_one(grammars: Grammars) -> None:
    """What `uniqueItems` does: the same lexeme, less one value more each time."""
    lexicon = grammars.compiler._current_lexicon()
    texts = ["b", "a", "ab", "", "é", "aé", "abc", "b\n"]
    values = [5, Decimal("0.5"), 50, 0, Decimal("-1.25")]
    for options in (MINIMAL, ANY):
        program = grammars.of([String()], options).program
        lowering = Lowering(Given([]), options, lexicon, LIMITS)  # type: ignore[arg-type]
        for n in range(len(texts) + 1):
            with lexicon.lock:
                start = lowering._scalar(program, String(0, 20, without=frozenset(texts[:n])))
                again = lowering._scalar(program, String(0, 20, without=frozenset(texts[:n])))
            assert start == again
            for i, text in enumerate(texts):
                assert ends(program, start, json.dumps(text, ensure_ascii=False).encode()) == (i >= n)
        for n in range(len(values) + 1):
            alternative = Number(number(None, None, options=options), without=frozenset(values[:n]))
            with lexicon.lock:
                start = lowering._scalar(program, alternative)
            for i, value in enumerate(values):
                for text in (format(Decimal(value), "f"), format(Decimal(value), ".4f")):
                    assert ends(program, start, text.encode()) == (i >= n)


def ends(program: Any, q: int, text: bytes) -> bool:
    """Whether a lexeme ends with a text."""
    for byte in text:
        q = program.call(machine.step_once, q, byte) if q else 0
    return bool(q and program.call(machine.tag_at, q))


def test_too_many_exclusions_meet_a_limit(grammars: Grammars) -> None:
    lexicon = grammars.compiler._current_lexicon()
    program = grammars.of([String()], MINIMAL).program
    lowering = Lowering(Given([]), MINIMAL, lexicon, LIMITS)  # type: ignore[arg-type]
    with lexicon.lock:
        assert lowering._scalar(program, String(without=frozenset(map(str, range(60_000)))))
        with pytest.raises(LimitExceeded):
            lowering._scalar(program, String(patterns=("^[0-9]*$",), without=frozenset(map(str, range(60_000)))))
        with pytest.raises(LimitExceeded):
            lowering._scalar(program, Number(number(None, None), without=frozenset(range(60_000))))


def number(
    low: str | None, high: str | None, *steps: str, integer: bool = False, options: JsonOptions = MINIMAL
) -> NumberSpec:
    lower, upper = (None if bound is None else exact(Decimal(bound)) for bound in (low, high))
    return number_spec(
        NumberBounds(lower=lower, upper=upper, multiples=tuple(exact(Decimal(step)) for step in steps)),
        integer,
        options,
    )


def numbers(options: JsonOptions) -> list[Number]:
    def spec(low: str | None = None, high: str | None = None, *steps: str, integer: bool = False) -> NumberSpec:
        return number(low, high, *steps, integer=integer, options=options)

    return [
        Number(spec(), without=frozenset({0, 5, Decimal("0.5"), 12, -1, 123456})),
        Number(spec("0", "100"), without=frozenset({1, 12, Decimal("0.05"), 100})),
        Number(spec(integer=True), without=frozenset({0, 1, 12, 5, -1})),
        Number(spec("0", "12", integer=True), without=frozenset(range(11))),
        Number(spec(), (spec(integer=True),)),
        Number(spec(), (spec(None, None, "0.3"),)),
        Number(spec("-5", "5"), (spec("0", "1"), spec(None, None, "0.25")), frozenset({Decimal("1.1")})),
        Number(spec(None, None, "0.01"), (spec(None, None, "0.1"),), frozenset({Decimal("0.01")})),
        Number(spec(), (spec("0", "1"), spec("10", "1000000"))),
        Number(spec(integer=True), (spec(None, None, "2"), spec(None, None, "3")), frozenset({1, -1})),
        Number(spec("0", "1"), without=frozenset({0, 1})),
    ]


NUMBER_TEXTS = [
    sign + text
    for sign in ("", "-")
    for text in (
        "0 1 2 3 5 6 7 9 10 11 12 13 15 25 100 123456 1234567 0.0 0.00 5.0 5.00 0.5 0.50 0.05 0.25 0.250 0.01 0.010 0.02 0.1 0.3 0.30 "
        "0.33 0.6 0.9 1.1 1.10 1.2 2.5 5.5 100.0 1e0 5e0 5.0e0 5E+0 50e-1 0.5e1 5e-1 5.0e-01 1.2e1 1.20E+01 1e2 1e5 1.23456e5 2e-3 3e-1 "
        "1e1 1e-2 1e-3 12e0 1.1e0 1.5e0 2e0 2.5e-1"
    ).split()
]  # fmt: skip


@pytest.mark.parametrize("options", [MINIMAL, ANY], ids=["plain", "spec"])
@pytest.mark.parametrize("index", range(11))
def test_numbers_with_exclusions(grammars: Grammars, kinds: walks.Kinds, index: int, options: JsonOptions) -> None:
    given = numbers(options)[index]
    alternative = folded_number(given)
    assert alternative is not None
    grammar = grammars.of([alternative], options)
    taken = 0
    for text in NUMBER_TEXTS:
        right = number_matches(given, exact(Decimal(text)))
        found = takes(grammar, text.encode())
        if found or right:
            assert right, text
            # a number has its plain spellings at least, without fraction where integers have none
            plain = "e" not in text.lower() and not (given.spec.integer and options.integers == "plain" and "." in text)
            assert found or not plain, text
        taken += found
    assert taken
    check_walks(grammar, kinds, [alternative], options, index)
