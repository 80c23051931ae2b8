"""Bounded numbers in scientific notation against Decimal arithmetic, over all short spellings."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from structgen.lexemes.numbers import NumberSpec
from structgen.lexemes.scientific import scientific_dfa

MANTISSAS = [f"{s}{d}{f}" for s in ("", "-") for d in "159" for f in ("", ".0", ".5", ".05", ".50", ".99", ".499")]
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
