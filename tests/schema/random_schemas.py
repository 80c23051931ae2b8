"""Random schemas over the language that the normal form covers, and random small values to judge them with."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

NAMES = ("a", "b", "ab", "x1", "")
STRINGS = ("", "a", "b", "ab", "aab", "x1", "\U0001f600", "é1")
NUMBERS = (0, 1, -1, 2, 3, 6, Decimal("0.5"), Decimal("1.5"), Decimal("0.01"), Decimal("-2.25"), 10)
PATTERNS = (
    "^a",
    "b$",
    "^[ab]+$",
    "[0-9]",
    "^.$",
    "^(a|ab)*$",
    "a{2}",
    "^x",
    "^$",
    "(^|x)b",
    "^(?!ab)",
    "a(?=b)",
    "^a?b?$",
)
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def value(random: Random, depth: int = 2) -> Any:
    """A small JSON value."""
    kind = random.randrange(7 if depth else 5)
    if kind == 0:
        return random.choice((None, True, False))
    if kind in (1, 2):
        return random.choice(NUMBERS)
    if kind in (3, 4):
        return random.choice(STRINGS)
    if kind == 5:
        return [value(random, depth - 1) for _ in range(random.randrange(4))]
    return {name: value(random, depth - 1) for name in random.sample(NAMES, random.randrange(4))}


def schema(random: Random) -> dict[str, Any]:
    """A schema with `$defs` that may refer to each other, but not back to the same value."""
    definitions = {f"d{index}": _subschema(random, 2, ()) for index in range(2)}
    root = _subschema(random, 3, ("d0", "d1", ""))
    if isinstance(root, bool):
        root = {"allOf": [root]}
    return {**root, "$defs": definitions}


def _subschema(random: Random, depth: int, references: tuple[str, ...]) -> Any:
    """references: what a `$ref` at this very value may name; below a value everything may be named."""
    if random.random() < 0.08:
        return random.random() < 0.7
    made: dict[str, Any] = {}
    if random.random() < 0.6:
        made["type"] = random.choice(TYPES) if random.random() < 0.7 else random.sample(TYPES, 2)
    every = ("d0", "d1", "")
    for _ in range(random.randrange(1, 4)):
        inner = lambda: _subschema(random, depth - 1, every)  # noqa: E731
        match random.randrange(17 if depth > 0 else 9):
            case 0:
                made["const"] = value(random)
            case 1:
                made["enum"] = [value(random) for _ in range(random.randrange(1, 5))]
            case 2:
                made["minLength"], made["maxLength"] = random.randrange(3), random.randrange(4)
            case 3 | 4:
                made["pattern"] = random.choice(PATTERNS)
            case 5:
                made[random.choice(("minimum", "exclusiveMinimum"))] = random.choice(NUMBERS)
            case 6:
                made[random.choice(("maximum", "exclusiveMaximum"))] = random.choice(NUMBERS)
            case 7:
                made["multipleOf"] = random.choice((1, 2, 3, Decimal("0.5"), Decimal("0.01"), Decimal("1.5")))
            case 8:
                made["required"] = random.sample(NAMES, random.randrange(3))
            case 9 | 10:
                made["properties"] = {name: inner() for name in random.sample(NAMES, random.randrange(1, 4))}
            case 11:
                made["patternProperties"] = {pattern: inner() for pattern in random.sample(PATTERNS, 2)}
            case 12:
                made["additionalProperties"] = inner()
            case 13:
                made["propertyNames"] = inner()
            case 14:
                made["items"] = inner()
                if random.random() < 0.5:
                    made["prefixItems"] = [inner() for _ in range(random.randrange(1, 3))]
            case 15:
                made["minItems"] = random.randrange(3)
                if random.random() < 0.5:
                    made["maxItems"] = random.randrange(4)
            case 16:
                key = random.choice(("anyOf", "allOf"))
                made[key] = [_subschema(random, depth - 1, references[:0]) for _ in range(random.randrange(1, 4))]
    if references and random.random() < 0.15:
        # at the root only `$defs` may be named, and they name nothing that applies to the same value
        made["$ref"] = f"#/$defs/{random.choice(every[:2])}" if depth == 3 else _reference(random.choice(references))
    return made


def _reference(name: str) -> str:
    return f"#/$defs/{name}" if name else "#"
