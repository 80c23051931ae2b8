"""Bounded numbers in scientific notation: `1e-06` where a schema says `minimum: 0`.

In: a `NumberSpec` with bounds. Out: a `ByteDfa` of the spellings `-?[1-9](\\.[0-9]+)?[eE][+-]?[0-9]{1,3}` whose values lie within them.

With one digit before the point the exponent is the order of magnitude, so a bound b * 10**k (1 <= b < 10) is decided regularly: the digits
of the mantissa are compared with those of b as they are read, and that says whether the exponent may be k itself or must be on one
side of it. Other mantissas (`0.5e3`, `10e2`) are left out: how far their exponents may go depends on a count of digits without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from structgen.errors import Limits
from structgen.lexemes.cache import cached_by_cells
from structgen.lexemes.dfa import ByteDfa, byte_dfa, difference, union_tagged
from structgen.lexemes.numbers import NumberSpec, number_dfa

_SYMBOLS = "0123456789-.eE+"
# Digits after the point: what the shortest spelling of a double needs.
MAX_FRACTION = 17
MAX_EXPONENT, EXPONENT_DIGITS = 999, 3
_START, _MINUS, _MANTISSA, _POINT, _EXPONENT, _FREE = range(6)

State = tuple[int, ...]


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


@cached_by_cells(1_000_000)
def scientific_dfa(spec: NumberSpec) -> ByteDfa:
    """The numbers of a spec in normalised scientific notation, by value (tag 0). Only its bounds are read. Cached."""
    lower, upper = spec.lower, spec.upper
    sides = (
        _Side(lower, spec.lower_exclusive, upper, spec.upper_exclusive),
        _Side(
            None if upper is None else upper.copy_negate(), spec.upper_exclusive,
            None if lower is None else lower.copy_negate(), spec.lower_exclusive,
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
        if kind == _FREE:
            return (_FREE, state[1] + 1) if digit is not None and state[1] < EXPONENT_DIGITS else None
        _, least, most, digits, value = state
        if symbol in "+-" and digits == -1:
            bounds = (-most, -least) if symbol == "-" else (least, most)
            return _exponent_state(*bounds, 0, 0)
        if digit is None or digits == EXPONENT_DIGITS:
            return None
        return _exponent_state(least, most, max(digits, 0) + 1, value * 10 + digit)

    def accepts(state: State) -> bool:
        if state[0] == _FREE:
            return True
        return state[0] == _EXPONENT and state[3] > 0 and state[1] <= state[4] <= state[2]

    return _explored(step, accepts)


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

    Of an excluded spec only integer, bounds and multiples are read. With spelling "spec" bounded numbers may have an exponent too.
    spelled_out: give each number finitely many spellings, those of `words.number_words`. Raises LimitExceeded.
    """
    bounded = spec.lower is not None or spec.upper is not None
    if not excluded and (
        not (spelled_out and spec.exponents)
        and (spec.spelling == "plain" or spec.integer or spec.multiples or not bounded)
    ):
        return number_dfa(spec, limits)
    holes = tuple(
        replace(hole, spelling="spec", max_integer_digits=None, max_fraction_digits=None, exponents=False)
        for hole in excluded
    )
    plain = difference(
        number_dfa(replace(spec, exponents=False), limits), [number_dfa(hole, limits) for hole in holes], limits
    )
    if not _has_scientific(spec, excluded):
        return plain
    scientific = difference(scientific_dfa(spec), [scientific_dfa(hole) for hole in holes], limits)
    return union_tagged([(plain, 0), (scientific, 0)], limits)


def _has_scientific(spec: NumberSpec, excluded: Sequence[NumberSpec]) -> bool:
    if spec.integer or spec.multiples or any(hole.integer or hole.multiples for hole in excluded):
        return False
    bounded = spec.lower is not None or spec.upper is not None or bool(excluded)
    return spec.exponents or (spec.spelling == "spec" and bounded)
