"""Sets of numbers with exclusions against brute force over a grid of decimals, and against `jsonschema` given Decimals."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from structgen.errors import Limits
from structgen.lexemes.numbers import NumberSpec
from structgen.lexemes.scientific import number_language
from structgen.schema.alternatives import Number, NumberEnum
from structgen.schema.number_sets import (
    decimal_of,
    folded_number,
    number_is_empty,
    number_matches,
    number_values,
    spelled_spec,
)
from structgen.schema.options import JsonOptions
from structgen.schema.scalars import number_bounds, number_spec

GRID = [Fraction(k, 20) for k in range(-280, 281)]
BOUNDS = [*map(Decimal, "-3 -2.5 -1 0 0.5 1 1.1 2 3 4 7 9.9 10".split()), *[None] * 12]
STEPS = [Decimal(text) for text in "1 2 3 0.5 0.25 0.1 5 6 1.5".split()]


def random_spec(rng: Random) -> NumberSpec:
    return NumberSpec(
        integer=rng.random() < 0.3,
        lower=rng.choice(BOUNDS),
        lower_exclusive=rng.random() < 0.5,
        upper=rng.choice(BOUNDS),
        upper_exclusive=rng.random() < 0.5,
        multiples=tuple(rng.sample(STEPS, rng.choice((0, 0, 0, 1, 1, 2)))),
        max_integer_digits=3,
        max_fraction_digits=2,
    )


def random_number(rng: Random) -> Number:
    points = (
        decimal_of(rng.choice(GRID)) if rng.random() < 0.6 else rng.randrange(-3, 11) for _ in range(rng.randrange(4))
    )
    return Number(random_spec(rng), tuple(random_spec(rng) for _ in range(rng.randrange(4))), frozenset(points))


def is_in(spec: NumberSpec, value: Fraction) -> bool:
    """The meaning of a spec, written as the keywords are."""
    if spec.lower is not None and (value < spec.lower or (spec.lower_exclusive and value == spec.lower)):
        return False
    if spec.upper is not None and (value > spec.upper or (spec.upper_exclusive and value == spec.upper)):
        return False
    if spec.integer and value.denominator != 1:
        return False
    return all((value / Fraction(step)).denominator == 1 for step in spec.multiples)


def admitted(number: Number) -> list[Fraction]:
    return [
        value
        for value in GRID
        if is_in(number.spec, value)
        and not any(is_in(hole, value) for hole in number.excluded)
        and decimal_of(value) not in number.without
    ]


@pytest.mark.parametrize("seed", range(8))
def test_folding_emptiness_matching_and_values_agree_with_brute_force(seed: int) -> None:
    rng = Random(seed)
    for _ in range(30):
        number = random_number(rng)
        wanted = admitted(number)
        assert [value for value in GRID if number_matches(number, decimal_of(value))] == wanted
        folded = folded_number(number)
        assert number_is_empty(number) == (folded is None)
        if folded is None:
            assert not wanted
            assert number_values(number, 5) == ([], True)
            continue
        assert [value for value in GRID if number_matches(folded, decimal_of(value))] == wanted
        assert folded_number(folded) == folded
        values, complete = number_values(number, 300)
        assert values
        assert len(set(values)) == len(values)
        assert all(number_matches(number, value) for value in values)
        if complete:
            assert {Fraction(value) for value in values} >= set(wanted)
        assert number_values(folded, 300) == (values, complete)
        few, all_of_them = number_values(number, 2)
        assert (len(few), all_of_them) == (min(2, len(values)), complete and len(values) <= 2)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_not_empty_has_a_spelling(seed: int) -> None:
    rng = Random(1000 + seed)
    for _ in range(8):
        folded = folded_number(random_number(rng))
        if folded is None:
            continue
        language = number_language(spelled_spec(folded), folded.excluded, Limits(), spelled_out=True)
        assert not language.is_empty()
        for value in GRID[::9]:
            text = format(Decimal(decimal_of(value)), "f")
            if decimal_of(value) not in folded.without and (value.denominator == 1 or not folded.spec.integer):
                assert language.matches(text.encode()) == number_matches(folded, decimal_of(value)), (text, folded)


@pytest.mark.parametrize(
    ("given", "folded"),
    [
        (Number(NumberSpec(), (NumberSpec(lower=Decimal(5)),)), Number(NumberSpec(upper=Decimal(5), upper_exclusive=True))),
        (Number(NumberSpec(), (NumberSpec(upper=Decimal(5)),)), Number(NumberSpec(lower=Decimal(5), lower_exclusive=True))),
        (
            Number(NumberSpec(integer=True), (NumberSpec(lower=Decimal(5), lower_exclusive=True),)),
            Number(NumberSpec(integer=True, upper=Decimal(5))),
        ),
        (Number(NumberSpec(), (NumberSpec(integer=True),)), Number(NumberSpec(), (NumberSpec(multiples=(Decimal(1),)),))),
        (Number(NumberSpec(integer=True), (NumberSpec(integer=True),)), None),
        (Number(NumberSpec(integer=True), (NumberSpec(multiples=(Decimal("0.5"),)),)), None),
        (
            Number(NumberSpec(integer=True, lower=Decimal(0), upper=Decimal(9)), without=frozenset({0, 9, Decimal("1.5"), 20})),
            Number(NumberSpec(integer=True, lower=Decimal(1), upper=Decimal(8))),
        ),
        (
            Number(NumberSpec(), (NumberSpec(upper=Decimal(3)), NumberSpec(lower=Decimal(3)))),
            None,
        ),
        (
            Number(NumberSpec(), (NumberSpec(upper=Decimal(3), upper_exclusive=True), NumberSpec(lower=Decimal(3), lower_exclusive=True))),
            Number(NumberSpec(lower=Decimal(3), upper=Decimal(3))),
        ),
        (
            Number(NumberSpec(), (NumberSpec(lower=Decimal(1), upper=Decimal(3)), NumberSpec(lower=Decimal(2), upper=Decimal(4)))),
            Number(NumberSpec(), (NumberSpec(lower=Decimal(1), upper=Decimal(4)),)),
        ),
        (
            Number(NumberSpec(), (NumberSpec(lower=Decimal(7), upper=Decimal(7)), *(NumberSpec(multiples=(Decimal(n),)) for n in (2, 4)))),
            Number(NumberSpec(), (NumberSpec(multiples=(Decimal(2),)),), frozenset({7})),
        ),
    ],
)  # fmt: skip
def test_canonical_forms(given: Number, folded: Number | None) -> None:
    assert folded_number(given) == folded


def test_exact_far_beyond_floats() -> None:
    tiny = Decimal("1e-400")
    number = Number(NumberSpec(lower=Decimal(0), lower_exclusive=True, upper=tiny), without=frozenset({tiny}))
    assert not number_is_empty(number)
    values, complete = number_values(number, 3)
    assert len(values) == 3
    assert not complete
    assert all(0 < value < tiny for value in values)
    big = 10**400
    assert number_values(
        Number(NumberSpec(integer=True, lower=Decimal(big), upper=Decimal(big + 2)), without=frozenset({big})), 9
    ) == (
        [big + 1, big + 2],
        True,
    )
    assert number_is_empty(Number(NumberSpec(lower=Decimal(big), upper=Decimal(big)), without=frozenset({big})))
    spec = spelled_spec(
        Number(NumberSpec(integer=True, max_integer_digits=40, max_fraction_digits=40), (), frozenset({big}))
    )
    assert spec.max_integer_digits is not None
    assert spec.max_integer_digits > 400


def test_many_exclusions_are_decided_without_enumeration() -> None:
    primes = [n for n in range(2, 60) if all(n % d for d in range(2, n))]
    holes = tuple(NumberSpec(multiples=(Decimal(prime),)) for prime in primes)
    number = Number(NumberSpec(integer=True, lower=Decimal(2), upper=Decimal(3599)), holes)
    values, complete = number_values(number, 10_000)
    assert complete
    assert values == [n for n in range(2, 3600) if all(n % prime for prime in primes)]
    assert not number_is_empty(
        Number(NumberSpec(integer=True, lower=Decimal(10) ** 30, upper=Decimal(10) ** 31), holes)
    )
    assert number_is_empty(Number(NumberSpec(integer=True, lower=Decimal(2), upper=Decimal(58)), holes))


def test_values_of_an_enumeration() -> None:
    assert number_values(NumberEnum((1, Decimal("0.5"))), 5) == ([1, Decimal("0.5")], True)
    assert number_values(NumberEnum((1, Decimal("0.5"))), 1) == ([1], False)
    assert number_matches(NumberEnum((1, Decimal("0.5"))), Decimal("1.0"))


SCHEMAS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"type": "number"}, [{"multipleOf": Decimal("0.3")}]),
    ({"type": "number"}, [{"type": "integer"}]),
    ({"type": "integer"}, [{"multipleOf": 3}, {"minimum": 100}]),
    ({"type": "number", "multipleOf": Decimal("0.01")}, [{"multipleOf": Decimal("0.1")}]),
    ({"type": "number", "minimum": 0}, [{"minimum": Decimal("0.5"), "exclusiveMaximum": 7}]),
    ({"type": "number", "minimum": -5, "maximum": 5}, [{"exclusiveMinimum": 0}, {"multipleOf": 1}]),
    ({"type": "integer", "minimum": -20, "maximum": 20}, [{"multipleOf": 2}, {"multipleOf": 3}]),
    ({"type": "number", "exclusiveMinimum": Decimal("-0.3"), "maximum": 1}, [{"multipleOf": Decimal("0.07")}]),
]


@pytest.mark.parametrize("integers", ["plain", "spec"])
@pytest.mark.parametrize(("schema", "negated"), SCHEMAS)
def test_jsonschema_agrees(schema: dict[str, Any], negated: list[dict[str, Any]], integers: Any) -> None:
    options = JsonOptions(integers=integers)
    excluded = tuple(number_spec(number_bounds([one]), one.get("type") == "integer", options) for one in negated)
    number = folded_number(Number(number_spec(number_bounds([schema]), schema["type"] == "integer", options), excluded))
    assert number is not None
    language = number_language(spelled_spec(number), number.excluded, Limits())
    validator = Draft202012Validator({"allOf": [schema, *({"not": one} for one in negated)]})
    for value in [*GRID, *(Fraction(k, 100) for k in range(-130, 130)), *map(Fraction, range(-150, 150, 7))]:
        decimal = decimal_of(value)
        right = validator.is_valid(decimal)
        assert number_matches(number, decimal) == right, decimal
        text = format(Decimal(decimal), "f")
        assert language.matches(text.encode()) == right, text
        if value:
            mantissa = format(Decimal(decimal).normalize(), "e").lower()
            if language.matches(mantissa.encode()):
                assert right, mantissa
