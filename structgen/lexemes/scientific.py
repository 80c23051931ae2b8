"""Constrained numbers in scientific notation: `1e-06` where a schema says `minimum: 0`.

In: a `NumberSpec`. Out: a `ByteDfa` of the spellings `-?[1-9](\\.[0-9]+)?[eE][+-]?[0-9]{1,3}` whose values satisfy it.

With one digit before the point the exponent is the order of magnitude, so a bound b * 10**k (1 <= b < 10) is decided regularly: the digits
of the mantissa are compared with those of b as they are read, and that says whether the exponent may be k itself or must be on one
side of it. With multiples: let M be the mantissa's digits up to the last that is not 0, n of them behind the point, and m * 10**g the least
common multiple, 10 no factor of m. M * 10**(k-n) is a multiple of it exactly when k is at least n + g + t, where t is the least number
for which m divides M * 10**t: the digits decide a least exponent once more (steps with a large m are left out: too many remainders).
Other mantissas (`0.5e3`, `10e2`) are left out: how far their exponents may go depends on a count of digits without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import gcd

import numpy as np

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.cache import cached_by_cells
from structgen.lexemes.dfa import DEFAULT_LIMITS, ByteDfa, byte_dfa, difference, intersection, union_tagged
from structgen.lexemes.numbers import NumberSpec, common_multiple, number_dfa

_SYMBOLS = "0123456789-.eE+"
# Digits after the point: what the shortest spelling of a double needs.
MAX_FRACTION = 17
MAX_EXPONENT, EXPONENT_DIGITS = 999, 3
# Up to this modulus remainders are tracked.
_MAX_MODULUS = 25
_START, _MINUS, _MANTISSA, _POINT, _EXPONENT, _FREE = range(6)

State = tuple[int, ...]


class _Step:
    """A multiple as modulus * 10**power, 10 no factor of the modulus, and remainders of digits.

    Remainders that the same further digits complete are one, as in `numbers`.
    """

    def __init__(self, multiple: Fraction) -> None:
        self.power = 0
        self._known: dict[tuple[int | None, ...], int] = {}
        while multiple.denominator != 1:
            multiple, self.power = multiple * 10, self.power - 1
        self.modulus = multiple.numerator
        while self.modulus % 10 == 0:
            self.modulus, self.power = self.modulus // 10, self.power + 1
        self._odd, self._settled = self.modulus, 0
        while (common := gcd(self._odd, 10)) > 1:
            self._odd, self._settled = self._odd // common, self._settled + 1

    def after(self, remainder: int, places: int, digit: int) -> int:
        """The remainder with a digit so many places further on."""
        remainder = (remainder * 10**places + digit) % self.modulus
        parts: list[int | None] = [remainder % self._odd]
        for t in range(self._settled + 1):
            missing = -remainder * 10**t % self.modulus
            parts.append(missing if missing < 10**t else None)
        return self._known.setdefault(tuple(parts), remainder)

    def needed(self, remainder: int) -> int | None:
        """How many zeros complete the digits to a multiple; None if none do."""
        for t in range(self._settled + 1):
            if remainder * 10**t % self.modulus == 0:
                return t
        return None


class _Side:
    """The bounds on the magnitude of one sign: orders of magnitude, digits, and whether the bounds themselves are excluded."""

    def __init__(self, low: Decimal | None, low_exclusive: bool, high: Decimal | None, high_exclusive: bool) -> None:
        self.exists = high is None or high > 0
        self.low = None if low is None or low <= 0 else (low.adjusted(), low.as_tuple().digits, low_exclusive)
        self.high = None if high is None or high <= 0 else (high.adjusted(), high.as_tuple().digits, high_exclusive)

    def compare(self, state: State, digit: int) -> State:
        """The mantissa state (kind, sign, fraction digits, against low, against high) after one more digit."""
        _, sign, count, to_low, to_high = state
        position = count + 1
        for bound, index in ((self.low, 0), (self.high, 1)):
            if bound is not None and (to_low, to_high)[index] == 0:
                want = bound[1][position] if position < len(bound[1]) else 0
                order = (digit > want) - (digit < want)
                to_low, to_high = (order, to_high) if index == 0 else (to_low, order)
        return (_MANTISSA, sign, position, to_low, to_high)

    def exponents(self, state: State) -> tuple[int, int]:
        """The least and the largest exponent that the mantissa may have."""
        _, _, count, to_low, to_high = state
        least, most = -MAX_EXPONENT, MAX_EXPONENT
        if self.low is not None:
            order, digits, exclusive = self.low
            if to_low == 0 and any(digits[count + 1 :]):
                to_low = -1
            least = max(least, order if to_low > 0 or (to_low == 0 and not exclusive) else order + 1)
        if self.high is not None:
            order, digits, exclusive = self.high
            if to_high == 0 and any(digits[count + 1 :]):
                to_high = -1
            most = min(most, order if to_high < 0 or (to_high == 0 and not exclusive) else order - 1)
        return least, most


def _exponent_state(least: int, most: int, digits: int, value: int) -> State | None:
    """A state within the exponent's digits; those whose completions are all alike become one."""
    inside = outside = True
    for more in range(EXPONENT_DIGITS - digits + 1):
        first, last = value * 10**more, (value + 1) * 10**more - 1
        inside = inside and least <= first and last <= most
        outside = outside and (last < least or first > most)
    if outside:
        return None
    return (_FREE, digits) if inside and digits else (_EXPONENT, least, most, digits, value)


def scientific_dfa(spec: NumberSpec, limits: Limits = DEFAULT_LIMITS) -> ByteDfa:
    """The numbers of a spec in normalised scientific notation, by value (tag 0). Spelling and caps on digits are not read.

    Raises LimitExceeded for a multiple of which `has_scientific` says no.
    """
    within = _within(spec.lower, spec.lower_exclusive, spec.upper, spec.upper_exclusive)
    step = common_multiple(spec.multiples + ((Decimal(1),) if spec.integer else ()))
    return within if step is None else intersection(within, _multiples(step), limits)


@cached_by_cells(1_000_000)
def _within(lower: Decimal | None, lower_exclusive: bool, upper: Decimal | None, upper_exclusive: bool) -> ByteDfa:
    """The numbers between bounds."""
    sides = (
        _Side(lower, lower_exclusive, upper, upper_exclusive),
        _Side(
            None if upper is None else upper.copy_negate(), upper_exclusive,
            None if lower is None else lower.copy_negate(), lower_exclusive,
        ),
    )  # fmt: skip

    def step(state: State, symbol: str) -> State | None:
        kind = state[0]
        digit = int(symbol) if symbol.isdigit() else None
        if kind in (_START, _MINUS):
            if symbol == "-":
                return (_MINUS,) if kind == _START and sides[1].exists else None
            if not digit or not sides[kind].exists:
                return None
            return sides[kind].compare((_MANTISSA, kind, -1, 0, 0), digit)
        if kind in (_MANTISSA, _POINT):
            return _mantissa_step(sides[state[1]], state, symbol, digit)
        return _exponent_step(state, symbol, digit)

    return _explored(step, _accepts)


def _exponent_step(state: State, symbol: str, digit: int | None) -> State | None:
    if state[0] == _FREE:
        return (_FREE, state[1] + 1) if digit is not None and state[1] < EXPONENT_DIGITS else None
    _, least, most, digits, value = state
    if symbol in "+-" and digits == -1:
        bounds = (-most, -least) if symbol == "-" else (least, most)
        return _exponent_state(*bounds, 0, 0)
    if digit is None or digits == EXPONENT_DIGITS:
        return None
    return _exponent_state(least, most, max(digits, 0) + 1, value * 10 + digit)


def _accepts(state: State) -> bool:
    if state[0] == _FREE:
        return True
    return state[0] == _EXPONENT and state[3] > 0 and state[1] <= state[4] <= state[2]


@cached_by_cells(1_000_000)
def _multiples(multiple: Fraction) -> ByteDfa:
    """The multiples of a number. A mantissa state: (kind, digits behind the point, of these up to the last that is not 0, the remainder
    of the digits up to it)."""
    steps = _Step(multiple)
    if steps.modulus > _MAX_MODULUS:
        raise LimitExceeded(steps.modulus, _MAX_MODULUS, hint="exponents are not decided for such a multiple")

    def step(state: State, symbol: str) -> State | None:
        kind = state[0]
        digit = int(symbol) if symbol.isdigit() else None
        if kind in (_START, _MINUS):
            if symbol == "-" and kind == _START:
                return (_MINUS,)
            return (_MANTISSA, 0, 0, steps.after(0, 0, digit)) if digit else None
        if kind not in (_MANTISSA, _POINT):
            return _exponent_step(state, symbol, digit)
        _, count, last, remainder = state
        if digit is not None:
            if not (kind == _POINT or 0 < count < MAX_FRACTION):
                return None
            count += 1
            return (
                _MANTISSA,
                count,
                *((count, steps.after(remainder, count - last, digit)) if digit else (last, remainder)),
            )
        if kind == _POINT:
            return None
        if symbol == ".":
            return (_POINT, *state[1:]) if count == 0 else None
        more = steps.needed(remainder) if symbol in "eE" else None
        return None if more is None else (_EXPONENT, last + steps.power + more, MAX_EXPONENT, -1, 0)

    return _explored(step, _accepts)


def _mantissa_step(side: _Side, state: State, symbol: str, digit: int | None) -> State | None:
    kind, sign, count, to_low, to_high = state
    if kind == _POINT:
        return None if digit is None else side.compare((_MANTISSA, sign, count, to_low, to_high), digit)
    if symbol == "." and count == 0:
        return (_POINT, sign, count, to_low, to_high)
    if digit is not None:  # one digit stands before the point
        return side.compare(state, digit) if 0 < count < MAX_FRACTION else None
    if symbol in "eE":
        least, most = side.exponents(state)
        return (_EXPONENT, least, most, -1, 0) if least <= most else None
    return None


def _explored(step: Callable[[State, str], State | None], accepts: Callable[[State], bool]) -> ByteDfa:
    number: dict[State, int] = {(_START,): 1}
    order: list[State] = [(_START,)]
    rows, tags = [[0] * (len(_SYMBOLS) + 1)], [-1]
    for state in order:
        row = [0] * (len(_SYMBOLS) + 1)
        for c, symbol in enumerate(_SYMBOLS):
            target = step(state, symbol)
            if target is not None:
                if target not in number:
                    number[target] = len(order) + 1
                    order.append(target)
                row[c] = number[target]
        rows.append(row)
        tags.append(0 if accepts(state) else -1)
    classes = np.full(256, len(_SYMBOLS))
    for c, symbol in enumerate(_SYMBOLS):
        classes[ord(symbol)] = c
    return byte_dfa(classes, rows, tags, 1)


def number_language(
    spec: NumberSpec, excluded: Sequence[NumberSpec], limits: Limits, *, spelled_out: bool = False
) -> ByteDfa:
    """The spellings of the numbers of a spec that are in no excluded one, by value (tag 0).

    Of an excluded spec only integer, bounds and multiples are read. With spelling "spec" constrained numbers may have an exponent too,
    but for multiples with which that takes a large automaton. spelled_out: give each number finitely many spellings, those of
    `words.number_words`. Raises LimitExceeded.
    """
    plain_only = not has_scientific(spec, excluded)
    if not excluded and (plain_only or (spec.exponents and not spelled_out)):
        return number_dfa(replace(spec, exponents=False) if spelled_out else spec, limits)
    holes = tuple(
        replace(hole, spelling="spec", max_integer_digits=None, max_fraction_digits=None, exponents=False)
        for hole in excluded
    )
    plain = difference(
        number_dfa(replace(spec, exponents=False), limits), [number_dfa(hole, limits) for hole in holes], limits
    )
    if plain_only:
        return plain
    meant = replace(spec, spelling="spec", max_integer_digits=None, max_fraction_digits=None, exponents=False)
    scientific = difference(scientific_dfa(meant, limits), [scientific_dfa(hole, limits) for hole in holes], limits)
    return union_tagged([(plain, 0), (scientific, 0)], limits)


def has_scientific(spec: NumberSpec, excluded: Sequence[NumberSpec] = ()) -> bool:
    """Whether numbers may have an exponent that is decided by value.

    With a step, only with spelling "spec" and for steps of few digits.
    """
    steps = [common_multiple(one.multiples + ((Decimal(1),) if one.integer else ())) for one in (spec, *excluded)]
    if any(step is not None for step in steps):
        small = all(step is None or _Step(step).modulus <= _MAX_MODULUS for step in steps)
        return spec.spelling == "spec" and small
    bounded = spec.lower is not None or spec.upper is not None or bool(excluded)
    return spec.exponents or (spec.spelling == "spec" and bounded)
