"""JSON numbers within bounds and multiples, decided digit by digit.

In: a `NumberSpec`. Out: a `ByteDfa` over the spellings `-?(0|[1-9][0-9]*)(\\.[0-9]+)?` (and exponents where nothing has to be
compared) whose values satisfy it; its language is empty exactly when no spelling does. `-0` is a spelling of 0.

How: a state holds how the digits read so far compare with the same digits of either bound, and their remainder. Two remainders
are one state when the same digits complete them, so `multipleOf: 1000000` takes 8 states, not a million. All
arithmetic is on Python integers and Decimals, exact; binary floating point would be wrong for 0.01.
Turned down: building a pattern for a range (a long alternation that needs determinising), and checking values afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import Literal

import numpy as np

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.cache import cached_by_cells
from structgen.lexemes.dfa import DEFAULT_LIMITS, ByteDfa, byte_dfa

_SYMBOLS = "0123456789-.eE+"
# fraction digits that an integer with a non-negative exponent may have in spelling "spec" (1.5e1)
_MAX_SHIFTED_DIGITS = 20


@dataclass(frozen=True, slots=True)
class NumberSpec:
    """What numbers are wanted.

    integer: only integers. lower, upper: bounds (None: none), exclusive or not. multiples: positive Decimals; the value must be a
    multiple of each. spelling: "plain" (integers have no fraction) or "spec" (an integer may be spelled 1.0, 1.00).
    max_integer_digits, max_fraction_digits: most digits before and after the point (None: no bound). exponents: whether
    exponents (one to three digits, sign optional) may be used; heeded only without bounds and multiples. With
    integer=True, exponents need spelling "spec", must not be negative, and may undo at most 20 fraction digits: `1.5e1` but
    not `10e-1` (deciding the latter takes a count of trailing zeros without bound, which no finite automaton has).
    """

    integer: bool = False
    lower: Decimal | None = None
    lower_exclusive: bool = False
    upper: Decimal | None = None
    upper_exclusive: bool = False
    multiples: tuple[Decimal, ...] = ()
    spelling: Literal["plain", "spec"] = "plain"
    max_integer_digits: int | None = None
    max_fraction_digits: int | None = None
    exponents: bool = False


def common_multiple(multiples: tuple[Decimal, ...]) -> Fraction | None:
    """The least common multiple of positive decimals; None for none. Raises ValueError for what is not positive."""
    result: Fraction | None = None
    for multiple in multiples:
        if not multiple.is_finite() or multiple <= 0:
            raise ValueError(f"a multiple must be positive and finite: {multiple}")
        value = Fraction(multiple)
        if result is None:
            result = value
        else:
            result = Fraction(lcm(result.numerator, value.numerator), gcd(result.denominator, value.denominator))
    return result


class _Bound:
    """The digits of a bound on magnitudes; `digit(i)` of the integer part, `fraction(j)` behind the point."""

    __slots__ = ("exclusive", "fraction", "integer")

    def __init__(self, value: Decimal, exclusive: bool) -> None:
        text = format(value.copy_abs(), "f")
        integer, _, fraction = text.partition(".")
        self.integer = [int(c) for c in integer.lstrip("0") or "0"]
        self.fraction = [int(c) for c in fraction.rstrip("0")]
        self.exclusive = exclusive


State = tuple[int, ...]
# the first entry of a state: before the sign, behind it, within the digits, within the exponent
_START, _MINUS, _DIGITS, _EXPONENT = 0, 1, 2, 3


class _Remainders:
    """Remainders of digit strings modulo m / 10**scale, up to the same completions."""

    def __init__(self, multiple: Fraction) -> None:
        scale = 0
        while (multiple * 10**scale).denominator != 1:
            scale += 1
            if scale > 10_000:
                raise LimitExceeded(scale, 10_000, hint="a multiple has too many fraction digits")
        self.scale = scale
        self.modulus = (multiple * 10**scale).numerator
        odd, self.settled = self.modulus, 0
        while (common := gcd(odd, 10)) > 1:
            odd //= common
            self.settled += 1
        self.odd = odd
        self.representative: dict[tuple[object, ...], int] = {}

    def key(self, remainder: int) -> int:
        """The representative of an integer part's remainder: same completions by further digits, same representative."""
        modulus = self.modulus
        parts: list[object] = [remainder % self.odd]
        for t in range(self.scale, max(self.settled, self.scale) + 1):
            missing = -remainder * 10**t % modulus
            parts.append(missing if missing < 10**t else None)
        return self.representative.setdefault(tuple(parts), remainder)


class _Machine:
    """The automaton of one sign, as a function from state and digit to state."""

    def __init__(
        self, spec: NumberSpec, low: _Bound | None, high: _Bound | None, remainders: _Remainders | None
    ) -> None:
        self.low, self.high, self.remainders = low, high, remainders
        self.max_integer, self.max_fraction = spec.max_integer_digits, spec.max_fraction_digits
        self.fractions = not (spec.integer and spec.spelling == "plain") and spec.max_fraction_digits != 0
        self.count_cap = (
            max(len(low.integer) if low else 0, len(high.integer) if high else 0, self.max_integer or 0) + 1
        )
        self.fraction_cap = max(
            len(low.fraction) if low else 0, len(high.fraction) if high else 0,
            (self.max_fraction or 0), remainders.scale if remainders else 0, 1,
        )  # fmt: skip

    def first(self, digit: int) -> State | None:
        """The state after the first digit. An integer state: (0, digits, against low, against high, remainder, is zero)."""
        return self._integer((0, 0, 0 if self.low else 1, 0 if self.high else -1, 0, 0), digit)

    def _integer(self, state: tuple[int, ...], digit: int) -> State | None:
        _, count, to_low, to_high, remainder, is_zero = state
        if is_zero:
            return None
        if self.max_integer is not None and count >= self.max_integer:
            return None
        low, high = self.low, self.high
        if low is not None:
            if count >= len(low.integer):
                to_low = 1
            elif to_low == 0:
                to_low = (digit > low.integer[count]) - (digit < low.integer[count])
        if high is not None:
            if count >= len(high.integer):
                return None
            if to_high == 0:
                to_high = (digit > high.integer[count]) - (digit < high.integer[count])
            if count + 1 == len(high.integer) and to_high > 0:
                return None
        if self.remainders is not None:
            remainder = self.remainders.key((remainder * 10 + digit) % self.remainders.modulus)
        return (0, min(count + 1, self.count_cap), to_low, to_high, remainder, int(count == 0 and digit == 0))

    def _settled(self, state: State) -> tuple[int, int] | None:
        """How the whole integer part compares with the integer parts of the bounds; None if it is out of them."""
        _, count, to_low, to_high, _, _ = state
        if self.low is not None:
            if count < len(self.low.integer) or to_low < 0:
                return None
        if self.high is not None and count < len(self.high.integer):
            to_high = -1
        return to_low, to_high

    def _fraction(self, state: tuple[int, ...], digit: int) -> State | None:
        """A fraction state: (1, digits, against low, against high, remainder)."""
        _, count, to_low, to_high, remainder = state
        if self.max_fraction is not None and count >= self.max_fraction:
            return None
        low, high = self.low, self.high
        if low is not None and to_low == 0:
            want = low.fraction[count] if count < len(low.fraction) else 0
            if digit < want:
                return None
            to_low = int(digit > want)
        if high is not None and to_high == 0:
            want = high.fraction[count] if count < len(high.fraction) else 0
            if digit > want:
                return None
            to_high = -int(digit < want)
        if self.remainders is not None:
            if count < self.remainders.scale:
                remainder = (remainder * 10 + digit) % self.remainders.modulus
            elif digit:
                return None
            if count + 1 >= self.remainders.scale and remainder % self.remainders.modulus:
                return None  # only zeros may follow, and they change nothing
        return (1, min(count + 1, self.fraction_cap), to_low, to_high, remainder)

    def step(self, state: tuple[int, ...], symbol: str) -> State | None:
        """The next state on a symbol of `_SYMBOLS`, None if the number ends there or is out of bounds."""
        if symbol.isdigit():
            return self._integer(state, int(symbol)) if state[0] == 0 else self._fraction(state, int(symbol))
        if symbol == "." and state[0] == 0 and self.fractions:
            settled = self._settled(state)
            if self.remainders is not None and not self.remainders.scale and state[4] % self.remainders.modulus:
                return None
            if settled is not None:
                return (1, 0, *settled, state[4])
        return None

    def settled(self, state: State) -> bool:
        """Whether the digits read already decide how the number compares with the bounds, however it goes on."""
        to_low, to_high = state[2], state[3]
        return (self.low is None or to_low != 0) and (self.high is None or to_high != 0)

    def accepts(self, state: State) -> bool:
        """Whether the digits so far are a wanted number."""
        count = 0
        if state[0] == 0:
            settled = self._settled(state)
            if settled is None:
                return False
            to_low, to_high = settled
        else:
            _, count, to_low, to_high, _ = state
            if count == 0:
                return False
        low, high = self.low, self.high
        if low is not None and to_low == 0 and (low.exclusive or any(low.fraction[count:])):
            return False
        if high is not None and to_high == 0 and high.exclusive and not any(high.fraction[count:]):
            return False
        if self.remainders is not None:
            left = max(self.remainders.scale - count, 0)
            return bool(state[4] * 10**left % self.remainders.modulus == 0)
        return True


def _explore(
    start: State,
    step: Callable[[State, str], State | None],
    accepts: Callable[[State], bool],
    limits: Limits,
    uniform: Callable[[State], bool] | None = None,
) -> ByteDfa:
    """The automaton of a transition function over `_SYMBOLS`, explored from `start`.

    uniform: says of a state that all digits act alike there, which most states of a bounded number do; one of them is tried.
    """
    number = {start: 1}
    order = [start]
    rows = [[0] * (len(_SYMBOLS) + 1)]
    tags = [-1]
    for state in order:
        row = [0] * (len(_SYMBOLS) + 1)
        alike = uniform is not None and uniform(state)
        for c, symbol in enumerate(_SYMBOLS):
            if alike and 0 < c < 10:
                row[c] = row[0]
                continue
            target = step(state, symbol)
            if target is not None:
                known = number.get(target)
                if known is None:
                    known = number[target] = len(order) + 1
                    order.append(target)
                    if known > limits.max_dfa_states:
                        raise LimitExceeded(known, limits.max_dfa_states, "max_dfa_states")
                row[c] = known
        rows.append(row)
        tags.append(0 if accepts(state) else -1)
    classes = np.full(256, len(_SYMBOLS))
    for c, symbol in enumerate(_SYMBOLS):
        classes[ord(symbol)] = c
    return byte_dfa(classes, rows, tags, 1)


def _sided(spec: NumberSpec, negative: bool) -> tuple[bool, _Bound | None, _Bound | None]:
    """(whether the sign has numbers, bounds on the magnitude). Unary minus would round to the context's precision."""
    if negative:
        low, low_exclusive = (None if spec.upper is None else spec.upper.copy_negate()), spec.upper_exclusive
        high, high_exclusive = (None if spec.lower is None else spec.lower.copy_negate()), spec.lower_exclusive
    else:
        low, low_exclusive = spec.lower, spec.lower_exclusive
        high, high_exclusive = spec.upper, spec.upper_exclusive
    if high is not None and high < 0:
        return False, None, None
    lower = None if low is None or low < 0 or (low == 0 and not low_exclusive) else _Bound(low, low_exclusive)
    return True, lower, None if high is None else _Bound(high, high_exclusive)


@cached_by_cells(4_000_000)
def number_dfa(spec: NumberSpec, limits: Limits = DEFAULT_LIMITS) -> ByteDfa:
    """The spellings of the numbers of a `NumberSpec`, as a minimal automaton over bytes (tag 0). Cached.

    Raises LimitExceeded if more than limits.max_dfa_states states are needed (a multiple with a large factor other
    than 2 and 5), ValueError for a bound that is not finite or a multiple that is not positive.
    """
    for bound in (spec.lower, spec.upper):
        if bound is not None:
            if not bound.is_finite():
                raise ValueError(f"a bound must be finite: {bound}")
            digits = abs(bound.adjusted()) + len(bound.as_tuple().digits)
            if digits > limits.max_dfa_states // 8:
                raise LimitExceeded(digits, limits.max_dfa_states // 8, hint="a bound has too many digits")
    multiples = spec.multiples + ((Decimal(1),) if spec.integer and (spec.multiples or spec.spelling == "spec") else ())
    bounded = spec.lower is not None or spec.upper is not None or bool(spec.multiples)
    for multiple in spec.multiples:
        if multiple.is_finite() and abs(multiple.adjusted()) > 5_000:
            raise LimitExceeded(abs(multiple.adjusted()), 5_000, hint="a multiple has too many digits")
    common = common_multiple(multiples)
    remainders = None if common is None else _Remainders(common)
    machines = []
    for negative in (False, True):
        some, low, high = _sided(spec, negative)
        machines.append(_Machine(spec, low, high, remainders) if some else None)
    exponents = spec.exponents and not bounded and not (spec.integer and spec.spelling == "plain")

    def step(state: State, symbol: str) -> State | None:
        kind = state[0]
        if kind in (_START, _MINUS):
            if symbol == "-":
                return (_MINUS,) if kind == _START and machines[1] is not None else None
            machine = machines[kind]
            if machine is None or not symbol.isdigit():
                return None
            first = machine.first(int(symbol))
            return None if first is None else (_DIGITS, kind, *first)
        if kind == _EXPONENT:
            return _exponent_step(state, symbol)
        machine = machines[state[1]]
        if machine is None:
            return None
        if symbol in "eE" and exponents and machine.accepts(state[2:]):
            return (_EXPONENT, 0, 0)
        target = machine.step(state[2:], symbol)
        return None if target is None else (_DIGITS, state[1], *target)

    def accepts(state: State) -> bool:
        if state[0] == _EXPONENT:
            return state[2] > 0
        machine = machines[state[1]] if state[0] == _DIGITS else None
        return machine is not None and machine.accepts(state[2:])

    def uniform(state: State) -> bool:
        if state[0] != _DIGITS:
            return state[0] == _EXPONENT
        machine = machines[state[1]]
        return machine is None or (remainders is None and machine.settled(state[2:]))

    if exponents and spec.integer:
        return _integers_with_exponents(spec, limits)
    return _explore((_START,), step, accepts, limits, uniform)


def _exponent_step(state: State, symbol: str) -> State | None:
    """An exponent state: (_EXPONENT, sign or digit read, digits read); one to three digits."""
    _, begun, count = state
    if symbol in "+-":
        return None if begun else (_EXPONENT, 1, 0)
    return (_EXPONENT, 1, count + 1) if symbol.isdigit() and count < 3 else None


def _integers_with_exponents(spec: NumberSpec, limits: Limits) -> ByteDfa:
    """Integers in spelling "spec" with exponents: the exponent is at least the number of fraction digits that matter.

    States: (_START,), (_MINUS,), (_DIGITS, 0, digits, leading zero), (_DIGITS, 1, fraction digits, of these up to the last
    that is not 0), (_EXPONENT, least value, sign or digit read, digits read, value so far up to the least).
    """
    most_integer, most_fraction = spec.max_integer_digits, spec.max_fraction_digits
    count_cap = max(_MAX_SHIFTED_DIGITS, most_fraction or 0) + 1

    def digits_step(state: State, digit: int) -> State | None:
        _, in_fraction, count, last = state
        if in_fraction:
            if most_fraction is not None and count >= most_fraction:
                return None
            if digit and count + 1 > _MAX_SHIFTED_DIGITS:
                return None
            count = min(count + 1, count_cap)
            return (_DIGITS, 1, count, count if digit else last)
        if last or (most_integer is not None and count >= most_integer):
            return None
        return (_DIGITS, 0, count + 1 if most_integer is not None else 0, 0)

    def step(state: State, symbol: str) -> State | None:
        kind = state[0]
        digit = int(symbol) if symbol.isdigit() else None
        if kind in (_START, _MINUS):
            if symbol == "-" and kind == _START:
                return (_MINUS,)
            if digit is None or most_integer == 0:
                return None
            return (_DIGITS, 0, 1 if most_integer is not None else 0, int(digit == 0))
        if kind == _EXPONENT:
            _, least, begun, count, value = state
            if symbol == "+" and not begun:
                return (_EXPONENT, least, 1, 0, 0)
            if digit is None or count >= 3:
                return None
            return (_EXPONENT, least, 1, count + 1, min(value * 10 + digit, least))
        if digit is not None:
            return digits_step(state, digit)
        _, in_fraction, count, last = state
        if symbol == "." and not in_fraction and most_fraction != 0:
            return (_DIGITS, 1, 0, 0)
        if symbol in "eE" and (count or not in_fraction):
            return (_EXPONENT, last if in_fraction else 0, 0, 0, 0)
        return None

    def accepts(state: State) -> bool:
        if state[0] == _EXPONENT:
            _, least, _, count, value = state
            return count > 0 and value >= least
        if state[0] != _DIGITS:
            return False
        _, in_fraction, count, last = state
        return not in_fraction or (count > 0 and last == 0)

    return _explore((_START,), step, accepts, limits)
