"""Numbers: every spelling up to some length against exact arithmetic, and against `jsonschema` given Decimals."""

from __future__ import annotations

import itertools
import json
import random
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.numbers import NumberSpec, common_multiple, number_dfa

SPELLING = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


def spellings(digits: str, length: int) -> list[str]:
    """All numbers of JSON up to a length over some digits."""
    out = []
    for n in range(1, length + 1):
        for text in itertools.product(digits + "-.", repeat=n):
            word = "".join(text)
            if SPELLING.fullmatch(word):
                out.append(word)
    return out


# more digits than the default precision of decimal arithmetic
MANY = Decimal("12345678901234567890123456789012345678901234567890.123456789")
PLAIN = [*spellings("0159", 4), *spellings("05", 6)]


def wanted(spec: NumberSpec, text: str) -> bool:
    """The meaning of a spec, on exact fractions."""
    match = re.fullmatch(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?", text)
    if not match:
        return False
    integer, fraction, exponent = match.groups()
    value = Fraction(text) if exponent is None or abs(int(exponent)) < 100 else None
    if spec.max_integer_digits is not None and len(integer) > spec.max_integer_digits:
        return False
    if spec.max_fraction_digits is not None and len(fraction or "") > spec.max_fraction_digits:
        return False
    constrained = spec.lower is not None or spec.upper is not None or spec.multiples
    if exponent is not None:
        if not spec.exponents or constrained or (spec.integer and spec.spelling == "plain"):
            return False
        if spec.integer:
            shifted = len((fraction or "").rstrip("0"))
            return not exponent.startswith("-") and int(exponent) >= shifted
        return True
    assert value is not None
    if spec.integer and (value.denominator != 1 or (spec.spelling == "plain" and fraction is not None)):
        return False
    if spec.lower is not None and (
        value < Fraction(spec.lower) or (spec.lower_exclusive and value == Fraction(spec.lower))
    ):
        return False
    if spec.upper is not None and (
        value > Fraction(spec.upper) or (spec.upper_exclusive and value == Fraction(spec.upper))
    ):
        return False
    return all((value / Fraction(m)).denominator == 1 for m in spec.multiples)


def check(spec: NumberSpec, words: list[str]) -> None:
    dfa = number_dfa(spec)
    for word in words:
        assert dfa.matches(word.encode()) == wanted(spec, word), (spec, word)


BOUNDS = "0 -0 1 -1 5 -5 0.5 -0.5 9.9 10 -10 1e2 0.05 -0.051 51 1e-7 99.99 -150.5 1e6".split()
bound = st.one_of(st.none(), st.sampled_from([Decimal(x) for x in BOUNDS]))
multiple = st.sampled_from(
    [Decimal(x) for x in ("1", "2", "3", "5", "10", "0.5", "0.01", "0.1", "0.3", "2.5", "1e2", "7", "0.05", "50")]
)
specs = st.builds(
    NumberSpec,
    integer=st.booleans(),
    lower=bound,
    lower_exclusive=st.booleans(),
    upper=bound,
    upper_exclusive=st.booleans(),
    multiples=st.lists(multiple, max_size=2).map(tuple),
    spelling=st.sampled_from(["plain", "spec"]),
    max_integer_digits=st.sampled_from([None, None, 1, 2, 4]),
    max_fraction_digits=st.sampled_from([None, None, 0, 1, 3]),
    exponents=st.booleans(),
)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(specs)
def test_agrees_with_exact_arithmetic_on_all_short_spellings(spec: NumberSpec) -> None:
    check(spec, PLAIN)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(specs, st.integers(0, 10**6))
def test_agrees_with_exact_arithmetic_on_long_spellings(spec: NumberSpec, seed: int) -> None:
    rng = random.Random(seed)
    words = []
    for _ in range(60):
        near = rng.choice([spec.lower, spec.upper, *spec.multiples, None]) or Decimal(rng.randrange(-200, 200))
        value = near * rng.choice([1, 1, 2, 3, 17, -1]) + rng.choice(
            [0, 0, Decimal("0.01"), Decimal("-0.01"), 1, -1, Decimal("1e-8")]
        )
        words.append(
            format(value, "f")
            + rng.choice(["", "", "0" if value != value.to_integral_value() else ".0", "e1", "E+02", "e-1"])
        )
    check(spec, [w for w in words if SPELLING.fullmatch(w)])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(specs)
def test_agrees_with_jsonschema(spec: NumberSpec) -> None:
    schema: dict[str, object] = {
        "type": "integer" if spec.integer else "number",
        "allOf": [{"multipleOf": m} for m in spec.multiples],
    }
    if spec.lower is not None:
        schema["exclusiveMinimum" if spec.lower_exclusive else "minimum"] = spec.lower
    if spec.upper is not None:
        schema["exclusiveMaximum" if spec.upper_exclusive else "maximum"] = spec.upper
    validator = Draft202012Validator(schema)
    dfa = number_dfa(spec)
    for word in PLAIN[::7]:
        if dfa.matches(word.encode()):
            value = json.loads(word, parse_float=Decimal)
            # jsonschema's own integer check knows floats, not Decimals
            if isinstance(value, Decimal) and value == value.to_integral_value():
                value = int(value)
            assert validator.is_valid(value), (spec, word)


@pytest.mark.parametrize(
    "spec",
    [
        NumberSpec(lower=Decimal(2), upper=Decimal(1)),
        NumberSpec(lower=Decimal(1), upper=Decimal(1), upper_exclusive=True),
        NumberSpec(integer=True, lower=Decimal("0.2"), upper=Decimal("0.8")),
        NumberSpec(lower=Decimal("0.5"), upper=Decimal("0.7"), multiples=(Decimal(1),)),
        NumberSpec(lower=Decimal("0.001"), upper=Decimal("0.002"), max_fraction_digits=2),
        NumberSpec(lower=Decimal(100), max_integer_digits=2),
        NumberSpec(integer=True, lower=Decimal(1), upper=Decimal(5), multiples=(Decimal(3), Decimal(2))),
        NumberSpec(max_integer_digits=0),
    ],
)
def test_empty_language_is_detected(spec: NumberSpec) -> None:
    assert number_dfa(spec).is_empty()


@pytest.mark.parametrize(
    ("spec", "yes", "no"),
    [
        (NumberSpec(lower=Decimal(0)), "0 -0 -0.0 0.1 12345678901234567890", "-1 -0.1 01 1. .5 +1 1e1"),
        (NumberSpec(lower=Decimal(0), lower_exclusive=True), "0.0001 5", "0 -0 0.0 -5"),
        (NumberSpec(lower=Decimal(0), upper=Decimal("1e6")), "1000000 1000000.0 999999.9", "1000000.1 1000001 10000000"),
        (NumberSpec(lower=Decimal("0.5"), lower_exclusive=True), "0.51 0.5001 1", "0.5 0.50 0.4"),
        (NumberSpec(lower=Decimal("-5"), upper=Decimal("-1")), "-5 -1 -1.0 -3.3", "-5.1 -0.9 0 1"),
        (NumberSpec(multiples=(Decimal("0.01"),)), "0.01 19.99 1.500 7", "0.001 1.005"),
        (NumberSpec(integer=True, multiples=(Decimal(1000000),)), "0 1000000 123000000", "100000 1500000"),
        (NumberSpec(integer=True, upper=Decimal(2) ** 63 - 1), "9223372036854775807 -1", "9223372036854775808"),
        (NumberSpec(lower=MANY.copy_negate(), upper=MANY), f"{MANY} -{MANY} {MANY}0", f"{MANY}1 -{MANY}1"),
        (NumberSpec(integer=True, spelling="spec"), "1 1.0 1.00 -0.0", "1.5 1.05"),
        (NumberSpec(integer=True, spelling="spec", exponents=True), "1e5 1.5e1 1.50E+01 0e0 1e+16", "1e-1 1.5e0 15.25e1 1e0001"),
        (NumberSpec(exponents=True), "1e5 1.5e-300 0E+0 1", "1e 1e1234 e5 1e+"),
        (NumberSpec(lower=Decimal(10) ** -30, upper=Decimal(10) ** -29), f"0.{0:029}5", f"0.{0:030}5 0"),
    ],
)  # fmt: skip
def test_known_cases(spec: NumberSpec, yes: str, no: str) -> None:
    dfa = number_dfa(spec)
    assert [w for w in yes.split() if not dfa.matches(w.encode())] == []
    assert [w for w in no.split() if dfa.matches(w.encode())] == []


def test_states_follow_the_remainders_that_matter() -> None:
    assert number_dfa(NumberSpec(integer=True, multiples=(Decimal(10) ** 6,))).n_states < 20
    assert number_dfa(NumberSpec(multiples=(Decimal("0.01"),))).n_states < 20
    assert number_dfa(NumberSpec(integer=True, multiples=(Decimal(1024),))).n_states < 300


def test_limits_and_bad_values() -> None:
    with pytest.raises(LimitExceeded):
        number_dfa(NumberSpec(integer=True, multiples=(Decimal(999_983),)), Limits(max_dfa_states=5000))
    with pytest.raises(LimitExceeded):
        number_dfa(NumberSpec(lower=Decimal("1e-99999999")))
    with pytest.raises(LimitExceeded):
        number_dfa(NumberSpec(upper=Decimal("1e99999999")))
    with pytest.raises(LimitExceeded):
        number_dfa(NumberSpec(multiples=(Decimal("1e-99999999"),)))
    for multiple in (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(ValueError, match="multiple"):
            number_dfa(NumberSpec(multiples=(multiple,)))
    with pytest.raises(ValueError, match="finite"):
        number_dfa(NumberSpec(lower=Decimal("-Infinity")))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(multiple, min_size=1, max_size=3))
def test_common_multiple_is_the_least(multiples: list[Decimal]) -> None:
    common = common_multiple(tuple(multiples))
    assert common is not None
    assert all((common / Fraction(m)).denominator == 1 for m in multiples)
    step = Fraction(1, 100)
    smaller = Fraction(max(multiples))
    while smaller < common and smaller < 200:
        assert not all((smaller / Fraction(m)).denominator == 1 for m in multiples)
        smaller += step
