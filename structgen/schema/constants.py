"""JSON values exactly: what `const` and `enum` compare.

In: Python values from a schema (dict, list, str, int, float, Decimal, bool, None). Out: exact numbers, hashable keys that are equal
exactly for equal JSON values (1 and 1.0 are equal, true and 1 are not, the order of keys is nothing), and kinds as bits.

Limits: values nest at most `MAX_VALUE_DEPTH` levels; numbers have at most `MAX_DIGITS` digits before or after the point.
"""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from structgen.errors import LimitExceeded, SchemaError

NULL, BOOLEAN, INTEGER, FRACTION, STRING, ARRAY, OBJECT = 1, 2, 4, 8, 16, 32, 64
NUMBER = INTEGER | FRACTION
ANY = 127
TYPE_BITS = {
    "null": NULL,
    "boolean": BOOLEAN,
    "integer": INTEGER,
    "number": NUMBER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}
MAX_VALUE_DEPTH = 300
MAX_DIGITS = 5_000


def exact(value: int | float | Decimal) -> int | Decimal:
    """The number that a schema means: an int when it is integral, else a Decimal without trailing zeros.

    A Python float means its shortest decimal form (0.1 is a tenth). Raises SchemaError for NaN and infinities, LimitExceeded for
    more than `MAX_DIGITS` digits.
    """
    if type(value) is int:
        return value
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite():
        raise SchemaError(f"{value} is no JSON number")
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or abs(exponent) + len(digits) > MAX_DIGITS:
        raise LimitExceeded(
            f"a number of about 10^{number.adjusted()}", f"{MAX_DIGITS} digits", hint="use smaller numbers"
        )
    kept = len(digits)
    while kept > 1 and digits[kept - 1] == 0:
        kept -= 1
    exponent += len(digits) - kept
    if exponent >= 0 or digits == (0,):
        return int(number)
    return Decimal((sign, digits[:kept], exponent))


def kinds_of_type(schema: dict[str, Any]) -> int:
    """The kinds (bits) that the `type` of a schema leaves."""
    types = schema.get("type")
    if types is None:
        return ANY
    if isinstance(types, str):
        return TYPE_BITS[types]
    bits = 0
    for name in types:
        bits |= TYPE_BITS[name]
    return bits


def kind_bit(value: Any) -> int:
    """The kind of a JSON value, one bit. Raises SchemaError for what is no JSON value."""
    if type(value) is str:  # the usual case in long lists
        return STRING
    if value is None:
        return NULL
    if value is True or value is False:
        return BOOLEAN
    if isinstance(value, str):
        return STRING
    if isinstance(value, (int, float, Decimal)):
        return INTEGER if isinstance(exact(value), int) else FRACTION
    if isinstance(value, list):
        return ARRAY
    if isinstance(value, dict):
        return OBJECT
    raise SchemaError(f"{type(value).__name__} is no JSON value")


def value_key(value: Any, depth: int = 0) -> Hashable:
    """A hashable form: two values are equal JSON values exactly when their keys are equal."""
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if value is True or value is False:
        return ("boolean", value)
    if isinstance(value, (int, float, Decimal)):
        return exact(value)
    if depth > MAX_VALUE_DEPTH:
        raise LimitExceeded("the nesting of a constant", MAX_VALUE_DEPTH, hint="use a flatter const or enum")
    if isinstance(value, list):
        return ("array", tuple(value_key(item, depth + 1) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, value_key(inner, depth + 1)) for name, inner in value.items()))
    raise SchemaError(f"{type(value).__name__} is no JSON value")
