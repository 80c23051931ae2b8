"""Sets of numbers, exactly: bounds and a step, less other such sets, less single numbers.

In: `Number` alternatives. Out: does it admit this value, is it empty, its values (up to a cap), and its canonical form. Everything is
by value: the caps on digits of a NumberSpec say how numbers are spelled, not which are meant (`spelled_spec` widens them until what
is left has a spelling). Arithmetic on Fractions.

How. Every set is a *part*: an interval, and a step of which its numbers are multiples (None: every decimal number). Taking a part
away leaves a hole. What a hole with a step covers of a part with another step is the multiples of their least common multiple, so that:
a part without a step is never used up by holes that have one (its pieces go on being dense), and of the multiples of s in an interval
those of s*m, m > 1, never cover all but short runs. Hence emptiness is decided by looking at the first few numbers of each piece.
Turned down: automata (no answer without a limit on states, and nothing to count with).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm

from structgen.errors import LimitExceeded
from structgen.lexemes.numbers import NumberSpec, common_multiple
from structgen.schema.alternatives import Number, NumberEnum

_MAX_POINTS = 10_000
# Remainders times digits from which on digits are not counted.
_MANY_REMAINDERS = 20_000


@dataclass(frozen=True, slots=True)
class _Part:
    """The multiples of `step` (None: all decimal numbers) between two bounds (None: no bound; then not open)."""

    low: Fraction | None = None
    low_open: bool = False
    high: Fraction | None = None
    high_open: bool = False
    step: Fraction | None = None

    def spans(self, value: Fraction) -> bool:
        """Whether a value is between the bounds."""
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        return self.high is None or value < self.high or (value == self.high and not self.high_open)

    def holds(self, value: Fraction) -> bool:
        """Whether a value is in the part."""
        return self.spans(value) and (self.step is None or (value / self.step).denominator == 1)

    def snapped(self) -> _Part | None:
        """The same numbers with bounds that are among them where there is a step; None if there are no numbers."""
        low, low_open, high, high_open = self.low, self.low_open, self.high, self.high_open
        step = self.step
        if step is not None:
            if low is not None:
                first = -(-low // step) * step
                low, low_open = (first + step if low_open and first == low else first), False
            if high is not None:
                last = high // step * step
                high, high_open = (last - step if high_open and last == high else last), False
        if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
            return None
        return _Part(low, low_open, high, high_open, step)

    def meet(self, other: _Part) -> _Part | None:
        """The numbers in both; None if there are none."""
        low, high = self, self
        if other.low is not None and (self.low is None or (other.low, other.low_open) > (self.low, self.low_open)):
            low = other
        if other.high is not None and (
            self.high is None or (other.high, not other.high_open) < (self.high, not self.high_open)
        ):
            high = other
        return _Part(low.low, low.low_open, high.high, high.high_open, _common(self.step, other.step)).snapped()

    def reaches_low(self, other: _Part) -> bool:
        """Whether the interval begins no later than the other's."""
        if self.low is None or other.low is None:
            return self.low is None
        return (self.low, self.low_open) <= (other.low, other.low_open)

    def reaches_high(self, other: _Part) -> bool:
        """Whether the interval ends no earlier than the other's."""
        if self.high is None or other.high is None:
            return self.high is None
        return (self.high, not self.high_open) >= (other.high, not other.high_open)

    def covers(self, other: _Part) -> bool:
        """Whether all of the other's numbers are in this part (where both are holes of one part)."""
        if not (self.reaches_low(other) and self.reaches_high(other)):
            return False
        return self.step is None or (other.step is not None and (other.step / self.step).denominator == 1)


def _common(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    if a is None or b is None:
        return a if b is None else b
    return Fraction(lcm(a.numerator, b.numerator), gcd(a.denominator, b.denominator))


def _part_of(spec: NumberSpec) -> _Part | None:
    """The numbers of a spec, by value."""
    return _Part(
        None if spec.lower is None else Fraction(spec.lower),
        spec.lower is not None and spec.lower_exclusive,
        None if spec.upper is None else Fraction(spec.upper),
        spec.upper is not None and spec.upper_exclusive,
        common_multiple(spec.multiples + ((Decimal(1),) if spec.integer else ())),
    ).snapped()


def decimal_of(value: Fraction) -> Decimal | int:
    """A decimal fraction as an int or a Decimal, exactly. Raises ValueError for other fractions."""
    if value.denominator == 1:
        return value.numerator
    places = _places(value)
    digits = Decimal(abs(value.numerator) * 10**places // value.denominator).as_tuple().digits
    return Decimal((int(value < 0), digits, -places))


def _places(value: Fraction) -> int:
    """Digits behind the point."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        raise ValueError(f"{value} is no decimal number")
    return max(twos, fives)


def _whole_digits(value: Fraction) -> int:
    """Digits before the point."""
    return Decimal(abs(value.numerator) // value.denominator).adjusted() + 1


@dataclass(slots=True)
class _Set:
    """A part less holes less points. Holes are snapped to what they cover of the part: their step is None, or a proper multiple of
    the part's; a side without a bound goes at least as far as the part."""

    part: _Part
    holes: list[_Part]
    points: set[Fraction]

    def excludes(self, value: Fraction) -> bool:
        """Whether a value of the part is taken away."""
        return value in self.points or any(hole.holds(value) for hole in self.holes)

    def nicks(self, value: Fraction) -> bool:
        """Whether it is taken away by something else than an interval."""
        return value in self.points or any(hole.holds(value) for hole in self.holes if hole.step is not None)


def _hole(part: _Part, given: _Part) -> _Part | Fraction | None:
    """What a given set takes from a part: a hole of `_Set`, a single number, or None for nothing."""
    common = part.meet(given)
    if common is None:
        return None
    if common.low is not None and common.low == common.high:
        return common.low
    step = None if common.step == part.step else common.step
    whole = replace(part, step=common.step).snapped()
    first, last = (None, None) if whole is None or common.step is None else (whole.low, whole.high)
    low = None if given.reaches_low(part) or (first is not None and first == common.low) else common.low
    high = None if given.reaches_high(part) or (last is not None and last == common.high) else common.high
    return _Part(low, low is not None and common.low_open, high, high is not None and common.high_open, step)


def _set_of(number: Number) -> _Set | None:
    """The canonical set of an alternative; None if it is empty by its bounds alone."""
    if len(number.without) > _MAX_POINTS:
        raise LimitExceeded(len(number.without), _MAX_POINTS, hint="so many numbers of one place cannot be excluded")
    part = _part_of(number.spec)
    given = [hole for spec in number.excluded if (hole := _part_of(spec)) is not None]
    points = {Fraction(value) for value in number.without}
    while part is not None:
        holes: list[_Part] = []
        for one in given:
            taken = _hole(part, one)
            if isinstance(taken, _Part):
                holes.append(taken)
            elif taken is not None:
                points.add(taken)
        current = _Set(part, _united(holes, part.step, points), points)
        moved = _moved(current)
        if moved is part:
            current.points = {p for p in points if part.holds(p) and not any(hole.holds(p) for hole in current.holes)}
            return current
        part = moved
    return None


def _moved(current: _Set) -> _Part | None:
    """The part with its bounds moved past what holes and points take away at either end; itself if nothing moves; None if all goes."""
    part = current.part
    for hole in current.holes:
        if hole.step is not None:
            continue
        if hole.low is None:
            if hole.high is None:
                return None
            return replace(part, low=hole.high, low_open=not hole.high_open).snapped()
        if hole.high is None:
            return replace(part, high=hole.low, high_open=not hole.low_open).snapped()
    low, high, step = part.low, part.high, part.step
    if step is None:
        if low is not None and not part.low_open and current.nicks(low):
            return replace(part, low_open=True).snapped()
        if high is not None and not part.high_open and current.nicks(high):
            return replace(part, high_open=True).snapped()
        return part
    while low is not None and current.nicks(low) and (high is None or low <= high):
        low += step
    while high is not None and current.nicks(high) and (low is None or low <= high):
        high -= step
    return part if (low, high) == (part.low, part.high) else replace(part, low=low, high=high).snapped()


def _united(holes: list[_Part], step: Fraction | None, points: set[Fraction]) -> list[_Part]:
    """Holes without a step joined where they touch, then those that another covers left out; in a fixed order."""
    plain = [hole for hole in holes if hole.step is None]
    plain = sorted((_closed(hole, points) if step is None else hole for hole in plain), key=_order)
    joined: list[_Part] = []
    for hole in plain:
        last = joined[-1] if joined else None
        if last is not None and _touch(last, hole, step):
            if not last.reaches_high(hole):
                joined[-1] = replace(last, high=hole.high, high_open=hole.high_open)
        else:
            joined.append(hole)
    result = list(joined)
    stepped = dict.fromkeys(hole for hole in holes if hole.step is not None)
    for hole in stepped:
        if not any(other.covers(hole) for other in (*joined, *stepped) if other != hole):
            result.append(hole)
    return sorted(result, key=_order)


def _closed(hole: _Part, points: set[Fraction]) -> _Part:
    """A hole with the points at its ends."""
    return replace(
        hole, low_open=hole.low_open and hole.low not in points, high_open=hole.high_open and hole.high not in points
    )


def _touch(first: _Part, second: _Part, step: Fraction | None) -> bool:
    """Whether no number of the part lies between two holes, of which the first begins first."""
    if first.high is None or second.low is None or second.low < first.high:
        return True
    if step is not None:
        return second.low - first.high <= step
    return second.low == first.high and not (first.high_open and second.low_open)


def _order(part: _Part) -> tuple[object, ...]:
    """A sort key: by lower bound, then by upper bound, then by step."""
    return (
        part.low is not None, part.low or 0, part.low_open,
        part.high is None, part.high or 0, not part.high_open, part.step or 0,
    )  # fmt: skip


def _pieces(current: _Set) -> Iterator[_Part]:
    """What holes without a step leave of the part."""
    rest: _Part | None = current.part
    for hole in current.holes:
        if hole.step is not None or rest is None:
            continue
        if hole.low is not None:
            piece = replace(rest, high=hole.low, high_open=not hole.low_open).snapped()
            if piece is not None:
                yield piece
        rest = None if hole.high is None else replace(rest, low=hole.high, low_open=not hole.high_open).snapped()
    if rest is not None:
        yield rest


def _multiples(piece: _Part, step: Fraction) -> Iterator[Fraction]:
    """The multiples of a step in an interval: away from 0 where there is no bound."""
    inside = replace(piece, step=step).snapped()
    if inside is None:
        return
    if inside.low is not None:
        first = int(inside.low / step)
        last = None if inside.high is None else int(inside.high / step)
        numbers: Iterable[int] = itertools.count(first) if last is None else range(first, last + 1)
    elif inside.high is not None:
        numbers = itertools.count(int(inside.high / step), -1)
    else:
        numbers = (k if sign else -k for k in itertools.count() for sign in ((1, 0) if k else (1,)))
    for k in numbers:
        yield k * step


def _dense(piece: _Part, places: int) -> Iterator[Fraction]:
    """Numbers of an interval with at least so many digits behind the point, without end; no two equal."""
    for digits in itertools.count(places):
        step = Fraction(1, 10**digits)
        for value in _multiples(piece, step):
            if digits == places or (value * 10 ** (digits - 1)).denominator != 1:
                yield value


def _values(current: _Set) -> Iterator[Fraction]:
    """Every number of the set if they are finitely many, else numbers of it without end; no two equal."""
    pieces = list(_pieces(current))
    pieces.sort(key=lambda piece: piece.low is None or piece.high is None)  # those that may end come first
    # a number with more digits behind the point than every step has is a multiple of none of them
    stepped = [_places(hole.step) for hole in current.holes if hole.step is not None]
    places = max(stepped) + 1 if stepped else 0
    for piece in pieces:
        if piece.step is not None:
            found = _multiples(piece, piece.step)
        elif piece.low is not None and piece.low == piece.high:
            found = iter((piece.low,))
        else:
            found = _dense(piece, places)
        for value in found:
            if not current.excludes(value):
                yield value


def number_matches(alternative: Number | NumberEnum, value: Decimal | int) -> bool:
    """Whether a number is one of the alternative's, by value (caps on digits do not apply)."""
    if isinstance(alternative, NumberEnum):
        return value in alternative.values
    if value in alternative.without:
        return False
    fraction = Fraction(value)
    part = _part_of(alternative.spec)
    if part is None or not part.holds(fraction):
        return False
    holes = (_part_of(spec) for spec in alternative.excluded)
    return not any(hole is not None and hole.holds(fraction) for hole in holes)


def number_is_empty(alternative: Number) -> bool:
    """Whether no number is admitted. Exact, and cheap: no automaton."""
    current = _set_of(alternative)
    return current is None or next(_values(current), None) is None


def number_values(alternative: Number | NumberEnum, cap: int) -> tuple[list[Decimal | int], bool]:
    """(values, complete): at most `cap` distinct admitted numbers, and whether these are all."""
    if isinstance(alternative, NumberEnum):
        return list(alternative.values[:cap]), len(alternative.values) <= cap
    current = _set_of(alternative)
    if current is None:
        return [], True
    found = [decimal_of(value) for value in itertools.islice(_values(current), cap + 1)]
    return found[:cap], len(found) <= cap


def folded_number(alternative: Number) -> Number | None:
    """The canonical form: the same numbers with as few exclusions as possible; None if there are none.

    Excluded half lines become bounds, holes that touch are joined, those that take nothing or that another covers are left out, and
    bounds lie on numbers of the set where it has a step. What is left in `excluded` has integer=False and at most one multiple
    (`not integer` is a multiple of 1). An alternative without exclusions is returned as it is.
    """
    if not alternative.excluded and not alternative.without:
        return None if _part_of(alternative.spec) is None else alternative
    current = _set_of(alternative)
    if current is None or next(_values(current), None) is None:
        return None
    spec, part = alternative.spec, current.part
    multiples = spec.multiples
    if multiples and part.step is not None:
        multiples = () if spec.integer and part.step == 1 else (Decimal(decimal_of(part.step)),)
    bounded = replace(_bounded(part), multiples=())
    return Number(
        replace(
            spec,
            lower=bounded.lower,
            lower_exclusive=bounded.lower_exclusive,
            upper=bounded.upper,
            upper_exclusive=bounded.upper_exclusive,
            multiples=multiples,
            exponents=spec.exponents and bounded == NumberSpec() and not current.holes,
        ),
        tuple(_bounded(hole) for hole in current.holes),
        frozenset(decimal_of(point) for point in current.points),
    )


def _bounded(part: _Part) -> NumberSpec:
    """A part as a spec."""
    return NumberSpec(
        lower=None if part.low is None else Decimal(decimal_of(part.low)),
        lower_exclusive=part.low_open,
        upper=None if part.high is None else Decimal(decimal_of(part.high)),
        upper_exclusive=part.high_open,
        multiples=() if part.step is None else (Decimal(decimal_of(part.step)),),
    )


def _remainders(multiple: Fraction) -> int:
    """How many remainders digits before the point can leave, about: those of factors of ten are few."""
    modulus = multiple.numerator
    while modulus % 10 == 0:
        modulus //= 10
    return modulus


def spelled_spec(alternative: Number) -> NumberSpec:
    """The spec with caps on digits that leave what the alternative admits a spelling.

    A cap grows with the digits of bounds, steps and exclusions. A bound that lies beyond what the cap admits is dropped: it says nothing
    more (and 1.8e308 would need 309 digits). The cap on digits before the point is dropped for multiples that leave many remainders: an
    automaton that counts digits has all of them for each digit.
    """
    spec = alternative.spec
    whole, fraction = spec.max_integer_digits, spec.max_fraction_digits
    lower, upper = spec.lower, spec.upper
    if whole is not None and not spec.multiples:
        limit = 10**whole
        if upper is not None and upper >= limit and (lower is None or lower < limit // 10):
            upper = None
        if lower is not None and lower <= -limit and (upper is None or upper > -limit // 10):
            lower = None
        spec = replace(
            spec,
            lower=lower,
            lower_exclusive=spec.lower_exclusive and lower is not None,
            upper=upper,
            upper_exclusive=spec.upper_exclusive and upper is not None,
        )
    values = [Fraction(value) for value in (lower, upper, *spec.multiples) if value is not None]
    if len(spec.multiples) > 1 and (common := common_multiple(spec.multiples)) is not None:
        values.append(common)
    if alternative.excluded or alternative.without:
        current = _set_of(alternative)
        if current is not None:
            values += itertools.islice(_values(current), 1)
            values += [Fraction(point) for point in current.points]
            for hole in current.holes:
                values += [value for value in (hole.low, hole.high, hole.step) if value is not None]
    if values:
        need_whole, need_fraction = max(map(_whole_digits, values)), max(map(_places, values))
        if whole is not None:
            whole = max(whole, need_whole + (need_whole >= whole))
        if fraction is not None:
            fraction = max(fraction, need_fraction + (need_fraction >= fraction))
    if whole is not None:
        steps = (*spec.multiples, *(step for hole in alternative.excluded for step in hole.multiples))
        common = common_multiple(steps)
        if common is not None and _remainders(common) * whole > _MANY_REMAINDERS:
            whole = None
    return replace(spec, max_integer_digits=whole, max_fraction_digits=fraction)


__all__ = [
    "decimal_of",
    "folded_number",
    "number_is_empty",
    "number_matches",
    "number_values",
    "spelled_spec",
]
