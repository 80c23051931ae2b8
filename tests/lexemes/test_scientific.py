"""Constrained numbers in scientific notation against exact arithmetic, over all short spellings; exclusions by value."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from fractions import Fraction

import pytest

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.numbers import NumberSpec
from structgen.lexemes.scientific import has_scientific, number_language, scientific_dfa

MANTISSAS = [f"{s}{d}{f}" for s in ("", "-") for d in "159" for f in ("", ".0", ".5", ".05", ".50", ".99", ".499")]
STEP_MANTISSAS = [
    f"{s}{d}{f}" for s in ("", "-") for d in "12346" for f in ("", ".0", ".5", ".25", ".125", ".500", ".600")
]
EXPONENTS = [
    f"{e}{s}{d}"
    for e in "eE"
    for s in ("", "+", "-")
    for d in ("0", "1", "2", "3", "01", "02", "007", "10", "99", "100")
]
SPELLINGS = ["".join(pair) for pair in itertools.product(MANTISSAS, EXPONENTS)]
BOUNDS = [
    (None, None), ("0", None), (None, "0"), ("0", "1"), ("-1", "1"), ("1", "1"), ("1.5e2", None), ("-150", "-0.0015"),
    ("0.5", "1e10"), ("1e-2", "1.05e-2"), ("100", "99"), ("5", "5.5"), ("-1e99", "1e99"), ("9.99e2", "1e3"),
]  # fmt: skip


@pytest.mark.parametrize(("lower", "upper"), BOUNDS)
@pytest.mark.parametrize("lower_exclusive", [False, True])
@pytest.mark.parametrize("upper_exclusive", [False, True])
def test_scientific_is_decided_by_value(
    lower: str | None, upper: str | None, lower_exclusive: bool, upper_exclusive: bool
) -> None:
    low, high = (None if b is None else Decimal(b) for b in (lower, upper))
    dfa = scientific_dfa(
        NumberSpec(lower=low, lower_exclusive=lower_exclusive, upper=high, upper_exclusive=upper_exclusive)
    )
    for text in SPELLINGS:
        value = Decimal(text)
        right = (low is None or value > low or (value == low and not lower_exclusive)) and (
            high is None or value < high or (value == high and not upper_exclusive)
        )
        assert dfa.matches(text.encode()) == right, text


@pytest.mark.parametrize(
    "text", ["1", "1.5", "0e1", "0.5e1", "10e1", "1.e5", "1e", "1e+", "1e1234", "e5", "--1e5", "1e5.0", "01e5"]
)
def test_scientific_takes_the_normalised_form_only(text: str) -> None:
    assert not scientific_dfa(NumberSpec()).matches(text.encode())


STEPS = ["1", "2", "0.5", "0.25", "0.01", "5", "10", "0.3", "7", "16", "100", "1.5", "12", "1e6"]


def is_wanted(spec: NumberSpec, value: Fraction) -> bool:
    """The meaning of bounds and multiples, on exact fractions."""
    low, high = spec.lower, spec.upper
    if low is not None and (value < Fraction(low) or (spec.lower_exclusive and value == Fraction(low))):
        return False
    if high is not None and (value > Fraction(high) or (spec.upper_exclusive and value == Fraction(high))):
        return False
    steps = [Fraction(step) for step in spec.multiples] + ([Fraction(1)] if spec.integer else [])
    return all((value / step).denominator == 1 for step in steps)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("lower", "upper"), [(None, None), ("0", None), ("-3", "50"), (None, "0.5")])
def test_multiples_are_decided_by_value(step: str, lower: str | None, upper: str | None) -> None:
    low, high = (None if b is None else Decimal(b) for b in (lower, upper))
    for integer in (False, True):
        multiple = Decimal(step)
        spec = NumberSpec(integer=integer, lower=low, upper=high, lower_exclusive=True, multiples=(multiple,))
        dfa = scientific_dfa(spec)
        for text in map("".join, itertools.product(STEP_MANTISSAS, EXPONENTS)):
            if abs(Decimal(text).adjusted()) < 20:
                assert dfa.matches(text.encode()) == is_wanted(spec, Fraction(Decimal(text))), text


def test_multiples_with_many_remainders_have_no_exponents() -> None:
    spec = NumberSpec(multiples=(Decimal("0.079"),), spelling="spec", max_integer_digits=3, max_fraction_digits=3)
    assert not has_scientific(spec)
    assert not number_language(spec, (), Limits()).matches(b"7.9e0")
    assert number_language(spec, (), Limits()).matches(b"7.9")
    with pytest.raises(LimitExceeded):
        scientific_dfa(spec)


def _random_spec(rng: random.Random, **options: object) -> NumberSpec:
    bounds = [None, None, None, *map(Decimal, ("-3", "-0.5", "0", "0.05", "1", "5", "12", "1e3", "1.5e16"))]
    steps = [
        Decimal(text) for text in rng.sample(["1", "2", "3", "0.5", "0.01", "0.3", "10"], rng.choice((0, 0, 0, 1, 2)))
    ]
    return NumberSpec(
        integer=rng.random() < 0.2, lower=rng.choice(bounds), lower_exclusive=rng.random() < 0.5, upper=rng.choice(bounds),
        upper_exclusive=rng.random() < 0.5, multiples=tuple(steps), **options,  # type: ignore[arg-type]
    )  # fmt: skip


TEXTS = [
    sign + text
    for sign in ("", "-")
    for text in (
        "0 1 2 3 4 5 6 10 12 15 100 1000 1200 1500 12000000000000000 16000000000000000 0.0 1.0 5.0 12.00 0.5 0.50 0.05 0.01 0.010 0.02 "
        "0.3 0.6 0.33 1.5 2.5 5.5 1e0 1E0 1.0e0 5e0 1.2e1 1.20e+01 1e1 1e2 1e3 1.5e3 1.5e16 1.50E+16 1.6e16 5e-1 5.0e-01 3e-1 3.3e-1 5e-2 "
        "1e-2 1e-3 1.5e0 2.5e0 1.25e1"
    ).split()
]  # fmt: skip


@pytest.mark.parametrize("seed", range(24))
def test_exclusions_hold_for_every_spelling(seed: int) -> None:
    """Excluded numbers have no spelling left; all others have a plain one, and with "spec" those in scientific notation."""
    rng = random.Random(seed)
    for spelling in ("plain", "spec"):
        spec = _random_spec(rng, spelling=spelling, max_integer_digits=20, max_fraction_digits=5)
        excluded = tuple(_random_spec(rng) for _ in range(rng.randrange(1, 4)))
        language = number_language(spec, excluded, Limits())
        for text in TEXTS:
            value = Fraction(Decimal(text))
            right = is_wanted(spec, value) and not any(is_wanted(hole, value) for hole in excluded)
            found = language.matches(text.encode())
            if "e" in text.lower():
                assert found == (right and has_scientific(spec, excluded)), (text, spec, excluded)
            elif spec.integer and spelling == "plain":
                assert found == (right and "." not in text), (text, spec, excluded)
            else:
                assert found == right, (text, spec, excluded)


def test_limits_hold_for_exclusions() -> None:
    holes = tuple(NumberSpec(multiples=(Decimal(prime),)) for prime in (997, 991, 983))
    with pytest.raises(LimitExceeded):
        number_language(NumberSpec(integer=True), holes, Limits(max_dfa_states=5_000))
