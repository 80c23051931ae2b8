"""Scalar alternatives without some values: what is left of each when a few constants are taken out.

In: an alternative of a goal and an enumeration (`value_key` -> value). Out: the alternative without those values, None if nothing is left.
Used for goals that are another goal and the complement of constants: what the goal itself says is read once, however many sets of
constants are taken out of it (`uniqueItems` makes one more set with each item).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from structgen.errors import Limits
from structgen.schema.alternatives import Boolean, Null, Number, NumberEnum, String, StringEnum
from structgen.schema.constants import NUMBER, exact, kind_bit
from structgen.schema.options import JsonOptions
from structgen.schema.scalars import folded_number, number_is_empty
from structgen.schema.strings import folded_string, string_is_empty

# So many digits are as good as any number of them.
_MANY_DIGITS = 12

Scalar = Null | Boolean | Number | NumberEnum | String | StringEnum


def without_values(
    scalar: Scalar, values: Mapping[Hashable, Any], options: JsonOptions, limits: Limits
) -> Scalar | None:
    """The alternative without these values; None if none are left. Raises RegexError, LimitExceeded."""
    if isinstance(scalar, Null):
        return None if None in values else scalar
    if isinstance(scalar, Boolean):
        kept = tuple(value for value in scalar.values if ("boolean", value) not in values)
        return Boolean(kept) if kept else None
    if isinstance(scalar, StringEnum):
        texts = tuple(text for text in scalar.values if text not in values)
        return StringEnum(texts) if texts else None
    if isinstance(scalar, NumberEnum):
        numbers = tuple(number for number in scalar.values if number not in values)
        return replace(scalar, values=numbers) if numbers else None
    if isinstance(scalar, String):
        taken = {value for value in values.values() if isinstance(value, str)}
        return _string_without(scalar, taken, options, limits) if taken else scalar
    spoken = [exact(value) for value in values.values() if kind_bit(value) & NUMBER]
    if not spoken:
        return scalar
    folded = folded_number(replace(scalar, without=scalar.without.union(spoken)))
    return None if folded is None or number_is_empty(folded) else folded


def _string_without(string: String, texts: set[str], options: JsonOptions, limits: Limits) -> String | None:
    if string.max_length is None and not (string.patterns or string.formats or string.excluded):
        # nothing but a least length: infinitely many are left
        low = string.min_length
        kept = string.without.union(text for text in texts if len(text) >= low)
        while low <= 1 and "" in kept:
            low, kept = 1, kept - {""}
        return replace(string, min_length=low, without=kept)
    folded = folded_string(replace(string, without=string.without.union(texts)), options, limits)
    return None if folded is None or string_is_empty(folded, options, limits) else folded


def is_plentiful(scalar: Scalar) -> bool:
    """Whether there are obviously more such values than any text can hold: no bound, or no other than the options' on digits."""
    if isinstance(scalar, String):
        return scalar.max_length is None and not (scalar.patterns or scalar.formats or scalar.excluded)
    if isinstance(scalar, Number):
        spec = scalar.spec
        bounded = spec.lower is not None and spec.upper is not None
        digits = spec.max_integer_digits
        return not (bounded or spec.multiples or scalar.excluded or (digits is not None and digits < _MANY_DIGITS))
    return False


__all__ = ["Scalar", "is_plentiful", "without_values"]
