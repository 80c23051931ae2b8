# ruff: noqa: E501 - sets of characters in one piece
"""jsonschema as a judge of texts: exact decimal numbers, patterns read as ECMA-262, duplicate keys seen.

`Oracle(schema_text).accepts(text)` parses with `Decimal`, refuses duplicate keys, and validates with the class of the schema's dialect and
its format checker. Patterns are rewritten to the `regex` module's syntax with the meaning of ECMA-262 (`$` is the end of the
text, `\\d`, `\\w` are ASCII, `\\s` is the wide set, `.` stops at four line ends).

What jsonschema does otherwise, and is put right here: `1.0` is an integer also as a Decimal (drafts from 6 on), `multipleOf` is exact,
the `regex` format is Python's (dropped), a schema without `$schema` is read by the keywords that it uses.
"""

from __future__ import annotations

import copy
import decimal
import json
from decimal import Decimal
from typing import Any

import jsonschema
import regex
from jsonschema import Draft4Validator, Draft7Validator, Draft202012Validator, validators

_ESCAPES = {
    "d": "[0-9]", "D": "[^0-9]", "w": "[A-Za-z0-9_]", "W": "[^A-Za-z0-9_]",
    "s": r"[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]",
    "S": r"[^\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]",
    "b": r"(?:(?<=[A-Za-z0-9_])(?![A-Za-z0-9_])|(?<![A-Za-z0-9_])(?=[A-Za-z0-9_]))",
    "B": r"(?:(?<=[A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<![A-Za-z0-9_])(?![A-Za-z0-9_]))",
}  # fmt: skip
_NEGATED = {  # inside a class
    "D": r"\x00-/:-\U0010ffff",
    "W": r"\x00-/:-@\[-\^`{-\U0010ffff",
    "S": r"\x00-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\U0010ffff",
}
_INSIDE = {name: body[1:-1] for name, body in _ESCAPES.items() if name in "dws"}


def ecma(pattern: str) -> str:
    """The pattern in the syntax of the `regex` module (version 1), with the meaning of ECMA-262."""
    out: list[str] = []
    i, in_class = 0, False
    while i < len(pattern):
        c = pattern[i]
        if c == "\\" and i + 1 < len(pattern):
            e = pattern[i + 1]
            i += 2
            if e in "DWS" and in_class:
                out.append(_NEGATED[e])
            elif in_class and e == "b":
                out.append(r"\x08")
            elif in_class and e in _INSIDE:
                out.append(_INSIDE[e])
            elif e in _ESCAPES and not in_class:
                out.append(_ESCAPES[e])
            elif e in "pPuxtnvfr0123456789kc":
                out.append("\\" + e)
            else:
                out.append("\\" + e if not e.isalnum() and e.isascii() else e)
            continue
        i += 1
        if in_class:
            if c == "]":
                in_class = False
            elif c in "[&|~":
                c = "\\" + c
            out.append(c)
        elif c == "[":
            in_class = True
            if pattern.startswith("[]", i - 1):
                out.append("(?!)")
                i, in_class = i + 1, False
            elif pattern.startswith("[^]", i - 1):
                out.append(r"[\s\S]")
                i, in_class = i + 2, False
            else:
                out.append("[")
                if pattern[i : i + 1] == "^":
                    out.append("^")
                    i += 1
        elif c == "$":
            out.append(r"\Z")
        elif c == "^":
            out.append(r"\A")
        elif c == ".":
            out.append(r"[^\n\r\u2028\u2029]")
        else:
            out.append(c)
    return "".join(out)


class DuplicateKeyError(ValueError):
    """A text with a key that comes twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise DuplicateKeyError(f"duplicate keys: {[k for k, _ in pairs]}")
    return out


def parse(text: str) -> Any:
    """A JSON text as a value with exact numbers. Raises ValueError for text that is not JSON, DuplicateKeyError for double keys."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_float=Decimal, object_pairs_hook=_unique, parse_constant=refuse)


def _is_integer(_: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, Decimal) and value == value.to_integral_value())


def _is_plain_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(validator: Any, patrn: str, instance: Any, schema: Any) -> Any:
    if validator.is_type(instance, "string") and not regex.search(ecma(patrn), instance, flags=regex.V1):
        yield jsonschema.ValidationError(f"{instance!r} does not match {patrn!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], instance: Any, schema: Any) -> Any:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for key, value in instance.items():
            if regex.search(ecma(pattern), key, flags=regex.V1):
                yield from validator.descend(value, subschema, path=key, schema_path=pattern)


def _additional_properties(validator: Any, additional: Any, instance: Any, schema: dict[str, Any]) -> Any:
    if not validator.is_type(instance, "object"):
        return
    patterns = [ecma(p) for p in schema.get("patternProperties", {})]
    for key, value in instance.items():
        if key in schema.get("properties", {}) or any(regex.search(p, key, flags=regex.V1) for p in patterns):
            continue
        if additional is False:
            yield jsonschema.ValidationError(f"additional property {key!r}")
        else:
            yield from validator.descend(value, additional, path=key)


def _multiple_of(validator: Any, factor: Any, instance: Any, schema: Any) -> Any:
    if validator.is_type(instance, "number"):
        with decimal.localcontext() as context:
            context.prec = 3000
            if Decimal(instance) % Decimal(factor) != 0:
                yield jsonschema.ValidationError(f"{instance!r} is not a multiple of {factor!r}")


_KEYWORDS = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "multipleOf": _multiple_of,
}


def _dialect(schema: Any) -> Any:
    """The validator class: `$schema`, else the oldest dialect whose own keyword forms the schema uses."""
    if isinstance(schema, dict) and "$schema" in schema:
        return validators.validator_for(schema, default=Draft202012Validator)
    text = json.dumps(schema, default=str)
    if '"exclusiveMinimum": true' in text or '"exclusiveMaximum": true' in text:
        return Draft4Validator
    if '"items": [' in text or '"additionalItems"' in text:
        return Draft7Validator
    return Draft202012Validator


class Oracle:
    """Judge of one schema. schema_text: JSON text; integers: "plain" refuses 1.0 as an integer, as structgen's default does."""

    def __init__(self, schema_text: str, formats: bool = True) -> None:
        schema = json.loads(schema_text, parse_float=Decimal)
        base = _dialect(schema)
        checker = copy.deepcopy(base.FORMAT_CHECKER)
        for name in ("regex", "color"):
            checker.checkers.pop(name, None)
        # draft 4's own class lists 1.0 as no integer
        integer = _is_plain_integer if base is Draft4Validator else _is_integer
        types = base.TYPE_CHECKER.redefine("integer", integer)
        cls = validators.extend(base, _KEYWORDS, type_checker=types)
        self.validator = cls(schema, format_checker=checker if formats else None)

    def reason(self, text: str) -> str | None:
        """Why a text is not a valid instance, or None."""
        try:
            value = parse(text)
        except ValueError as error:
            return f"{type(error).__name__}: {error}"
        return self.reason_of_value(value)

    def reason_of_value(self, value: Any) -> str | None:
        error = next(iter(self.validator.iter_errors(value)), None)
        return None if error is None else f"{error.json_path}: {str(error.message)[:200]} ({error.validator})"

    def accepts(self, text: str) -> bool:
        return self.reason(text) is None
