"""Merging the constraints of a conjunction on numbers and on strings.

In: the schemas (views) that must all hold. Out: one NumberSpec or String, or None when no value is left; and tests of given values.
Arithmetic is exact: ints, Decimals and Fractions, never binary floating point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd
from typing import Any

from structgen.lexemes.numbers import NumberSpec
from structgen.schema.alternatives import String
from structgen.schema.constants import exact
from structgen.schema.number_sets import folded_number, number_is_empty, number_matches, number_values
from structgen.schema.options import JsonOptions
from structgen.schema.pattern_bounds import split_lengths, within

Schemas = Iterable[dict[str, Any]]
NUMBER_KEYWORDS = frozenset("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split())
STRING_KEYWORDS = frozenset("minLength maxLength pattern format".split())


@dataclass(slots=True)
class NumberBounds:
    """The numeric constraints of a conjunction; None = no bound."""

    lower: int | Decimal | None = None
    lower_exclusive: bool = False
    upper: int | Decimal | None = None
    upper_exclusive: bool = False
    multiples: tuple[int | Decimal, ...] = ()

    def admits(self, value: int | Decimal) -> bool:
        """Whether a number satisfies them all."""
        if self.lower is not None and (value < self.lower or (self.lower_exclusive and value == self.lower)):
            return False
        if self.upper is not None and (value > self.upper or (self.upper_exclusive and value == self.upper)):
            return False
        return all(Fraction(value) % Fraction(step) == 0 for step in self.multiples)

    def is_empty(self, integer: bool) -> bool:
        """Whether no number (no integer, if `integer`) satisfies them all."""
        low, high = self.lower, self.upper
        if low is None or high is None:
            return False  # multiples go on without end in both directions
        if low > high or (low == high and (self.lower_exclusive or self.upper_exclusive)):
            return True
        steps = [Fraction(step) for step in self.multiples]
        if integer:
            steps.append(Fraction(1))
        if not steps:
            return False
        step = steps[0]
        for other in steps[1:]:
            step = _common_multiple(step, other)
        first = -(-Fraction(low) // step) * step
        if self.lower_exclusive and first == low:
            first += step
        return first > high or (self.upper_exclusive and first == high)


def _common_multiple(a: Fraction, b: Fraction) -> Fraction:
    denominator = a.denominator * b.denominator
    x, y = a.numerator * b.denominator, b.numerator * a.denominator
    return Fraction(x * y // gcd(x, y), denominator)


def number_bounds(schemas: Schemas) -> NumberBounds:
    """The tightest bounds and all distinct `multipleOf` of a conjunction."""
    bounds = NumberBounds()
    multiples: list[int | Decimal] = []
    for schema in schemas:
        for keyword, exclusive in (("minimum", False), ("exclusiveMinimum", True)):
            if keyword in schema:
                value = exact(schema[keyword])
                if bounds.lower is None or value > bounds.lower or (value == bounds.lower and exclusive):
                    bounds.lower, bounds.lower_exclusive = value, exclusive
        for keyword, exclusive in (("maximum", False), ("exclusiveMaximum", True)):
            if keyword in schema:
                value = exact(schema[keyword])
                if bounds.upper is None or value < bounds.upper or (value == bounds.upper and exclusive):
                    bounds.upper, bounds.upper_exclusive = value, exclusive
        if "multipleOf" in schema:
            step = exact(schema["multipleOf"])
            if step not in multiples:
                multiples.append(step)
    bounds.multiples = tuple(multiples)
    return bounds


def number_spec(bounds: NumberBounds, integer: bool, options: JsonOptions) -> NumberSpec:
    """The specification of the numbers, with the options' spelling and caps on digits (`spelled_spec` widens those where needed)."""
    lower, upper = bounds.lower, bounds.upper
    return NumberSpec(
        integer=integer,
        lower=None if lower is None else Decimal(lower),
        lower_exclusive=lower is not None and bounds.lower_exclusive,
        upper=None if upper is None else Decimal(upper),
        upper_exclusive=upper is not None and bounds.upper_exclusive,
        multiples=tuple(Decimal(step) for step in bounds.multiples),
        spelling=options.integers,
        max_integer_digits=options.max_integer_digits,
        max_fraction_digits=options.max_fraction_digits,
        exponents=lower is None and upper is None and not bounds.multiples,
    )


def string_constraints(schemas: Schemas, assert_formats: frozenset[str]) -> String:
    """Lengths, patterns and formats of a conjunction. assert_formats: the formats that constrain."""
    low, high = 0, None
    patterns: list[str] = []
    formats: list[str] = []
    for schema in schemas:
        if "minLength" in schema:
            low = max(low, int(schema["minLength"]))
        if "maxLength" in schema:
            length = int(schema["maxLength"])
            high = length if high is None else min(high, length)
        if "pattern" in schema:
            pattern, least, most = split_lengths(schema["pattern"])
            low = max(low, least)
            if most is not None:
                high = most if high is None else min(high, most)
            if pattern not in patterns:
                patterns.append(pattern)
        name = schema.get("format")
        if isinstance(name, str) and name in assert_formats and name not in formats:
            formats.append(name)
    if high is not None and patterns:
        patterns = list(dict.fromkeys(within(pattern, high) for pattern in patterns))
    return String(low, high, tuple(patterns), tuple(formats))


__all__ = [
    "NUMBER_KEYWORDS",
    "STRING_KEYWORDS",
    "NumberBounds",
    "folded_number",
    "number_bounds",
    "number_is_empty",
    "number_matches",
    "number_spec",
    "number_values",
    "string_constraints",
]
