"""A plain evaluation of Locations, keyword by keyword, as the specification words it: no normal form, no automaton.

In: a Document (after `check` or `report`), a JSON value with numbers as int or Decimal. Out: valid or not. It reads nothing but views
and asks the Document for every reference, so it judges dialects and references alone. Formats are not asserted. Recursive: for small
values and schemas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from structgen.errors import Limits
from structgen.schema.constants import TYPE_BITS, kind_bit, value_key
from structgen.schema.references import Document, Location
from structgen.schema.strings import pattern_matches


@dataclass
class Outcome:
    """valid, and what was evaluated on the way: names of properties, indices of items."""

    valid: bool = True
    names: set[str] = field(default_factory=set)
    indices: set[int] = field(default_factory=set)

    def take(self, other: Outcome, *, applies: bool = True) -> None:
        """Another schema applied to the same value; applies: it must hold."""
        if applies:
            self.valid = self.valid and other.valid
        if other.valid:
            self.names |= other.names
            self.indices |= other.indices


def is_valid(document: Document, value: Any) -> bool:
    """Whether the document's root admits a value."""
    return _evaluate(document, document.root, value).valid


def _evaluate(document: Document, place: Location, value: Any) -> Outcome:
    schema = place.schema
    if not isinstance(schema, dict):
        return Outcome(schema)
    out = Outcome(_scalars_fit(schema, value))
    _apply_in_place(document, place, schema, value, out)
    if isinstance(value, dict):
        _apply_to_properties(document, place, schema, value, out)
    elif isinstance(value, list):
        _apply_to_items(document, place, schema, value, out)
    return out


def _scalars_fit(schema: dict[str, Any], value: Any) -> bool:
    """The keywords that need no subschema."""
    types = schema.get("type")
    if types is not None:
        names = [types] if isinstance(types, str) else types
        if not any(TYPE_BITS[name] & kind_bit(value) for name in names):
            return False
    if "const" in schema and value_key(schema["const"]) != value_key(value):
        return False
    if "enum" in schema and value_key(value) not in map(value_key, schema["enum"]):
        return False
    if isinstance(value, str):
        return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)) and _found(
            schema.get("pattern", ""), value
        )
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = Fraction(value)
        bounds = {key: _fraction(schema[key]) for key in _BOUNDS if key in schema}
        return all(_BOUNDS[key](number, bound) for key, bound in bounds.items())
    if isinstance(value, list):
        if schema.get("uniqueItems") and len({value_key(item) for item in value}) < len(value):
            return False
        return bool(schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)))
    if isinstance(value, dict):
        required = set(schema.get("required", ()))
        for name, others in schema.get("dependentRequired", {}).items():
            required |= set(others) if name in value else set()
        count_fits = schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value))
        return bool(count_fits and required <= value.keys())
    return True


def _found(pattern: str, text: str) -> bool:
    return pattern_matches(pattern, text, Limits())


def _fraction(value: Any) -> Fraction:
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


_BOUNDS = {
    "minimum": lambda number, bound: number >= bound,
    "maximum": lambda number, bound: number <= bound,
    "exclusiveMinimum": lambda number, bound: number > bound,
    "exclusiveMaximum": lambda number, bound: number < bound,
    "multipleOf": lambda number, bound: number % bound == 0,
}


def _apply_in_place(document: Document, place: Location, schema: dict[str, Any], value: Any, out: Outcome) -> None:
    """Schemas for the same value."""

    def below(*keys: str | int) -> Outcome:
        return _evaluate(document, document.child(place, *keys), value)

    for keyword, resolve in (
        ("$ref", document.resolve),
        ("$dynamicRef", document.resolve_dynamic),
        ("$recursiveRef", document.resolve_recursive),
    ):
        if keyword in schema:
            out.take(_evaluate(document, resolve(place, schema[keyword]), value))
    for index in range(len(schema.get("allOf", ()))):
        out.take(below("allOf", index))
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            branches = [below(keyword, index) for index in range(len(schema[keyword]))]
            n_valid = sum(branch.valid for branch in branches)
            out.valid = out.valid and (n_valid >= 1 if keyword == "anyOf" else n_valid == 1)
            for branch in branches:
                out.take(branch, applies=False)
    if "not" in schema:
        out.valid = out.valid and not below("not").valid
    if "if" in schema:
        condition = below("if")
        out.take(condition, applies=False)
        chosen = "then" if condition.valid else "else"
        if chosen in schema:
            out.take(below(chosen))
    if isinstance(value, dict):
        for name in schema.get("dependentSchemas", {}):
            if name in value:
                out.take(below("dependentSchemas", name))


def _apply_to_properties(
    document: Document, place: Location, schema: dict[str, Any], value: dict[str, Any], out: Outcome
) -> None:
    own: set[str] = set()
    for name, inner in value.items():
        matching: list[tuple[str | int, ...]] = [("properties", name)] if name in schema.get("properties", {}) else []
        matching += [
            ("patternProperties", pattern) for pattern in schema.get("patternProperties", {}) if _found(pattern, name)
        ]
        if matching:
            own.add(name)
        elif "additionalProperties" in schema:
            own.add(name)
            matching = [("additionalProperties",)]
        for keys in matching:
            out.valid = out.valid and _evaluate(document, document.child(place, *keys), inner).valid
        if "propertyNames" in schema:
            out.valid = out.valid and _evaluate(document, document.child(place, "propertyNames"), name).valid
    out.names |= own
    if "unevaluatedProperties" in schema:
        rest = document.child(place, "unevaluatedProperties")
        for name in value.keys() - out.names:
            out.valid = out.valid and _evaluate(document, rest, value[name]).valid
        out.names |= value.keys()


def _apply_to_items(
    document: Document, place: Location, schema: dict[str, Any], value: list[Any], out: Outcome
) -> None:
    n_prefix = len(schema.get("prefixItems", ()))
    for index, item in enumerate(value):
        if index < n_prefix:
            keys: tuple[str | int, ...] = ("prefixItems", index)
        elif "items" in schema:
            keys = ("items",)
        else:
            break
        out.indices.add(index)
        out.valid = out.valid and _evaluate(document, document.child(place, *keys), item).valid
    if "contains" in schema:
        wanted = document.child(place, "contains")
        found = {index for index, item in enumerate(value) if _evaluate(document, wanted, item).valid}
        out.valid = out.valid and schema.get("minContains", 1) <= len(found) <= schema.get("maxContains", len(found))
        if place.draft == "draft2020-12":
            out.indices |= found
    if "unevaluatedItems" in schema:
        rest = document.child(place, "unevaluatedItems")
        for index in set(range(len(value))) - out.indices:
            out.valid = out.valid and _evaluate(document, rest, value[index]).valid
        out.indices |= set(range(len(value)))
