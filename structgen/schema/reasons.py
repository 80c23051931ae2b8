"""Why a goal has no value: which constraints clash, as far as one sentence can say it.

In: a Normalizer and a goal that is empty. Out: an `UnsatisfiableError` with the JSON Pointer. Asked once, when compilation fails.
"""

from __future__ import annotations

from typing import Any

from structgen.errors import UnsatisfiableError
from structgen.schema.alternatives import Goal
from structgen.schema.conjunctions import Conjunction, has_constants
from structgen.schema.constants import ARRAY, FRACTION, NUMBER, OBJECT, STRING
from structgen.schema.normal import Normalizer
from structgen.schema.scalars import number_bounds

_MAX_STEPS = 30
Reason = tuple[str, str, str]  # reason, pointer, keyword


def unsatisfiable(normalizer: Normalizer) -> UnsatisfiableError:
    """The error for a root without instances."""
    goal = normalizer.root
    names: list[str] = []
    for _ in range(_MAX_STEPS):
        found = _required_without_value(normalizer, goal)
        if found is None:
            break
        name, following = found
        if following is None:
            place = normalizer.place_of(goal)
            return UnsatisfiableError(
                _prefix(names) + f"required property {name!r} is not allowed", place.pointer, "required"
            )
        names.append(name)
        goal = following
    else:
        place = normalizer.document.root
        return UnsatisfiableError(f"{_prefix(names[:3])}every instance would have to contain itself", place.pointer)
    reason, pointer, keyword = _clash(normalizer, goal)
    return UnsatisfiableError(_prefix(names) + reason, pointer, keyword)


def _prefix(names: list[str]) -> str:
    return "".join(f"required property {name!r} has no value: " for name in names)


def _required_without_value(normalizer: Normalizer, goal: Goal) -> tuple[str, Goal | None] | None:
    """The first required property without a value, where the goal is one conjunction that admits only objects."""
    conjunctions = normalizer.conjunctions(goal)
    if len(conjunctions) != 1 or conjunctions[0].kinds != OBJECT:
        return None
    if any(has_constants(leaf.schema) for leaf in conjunctions[0].leaves):
        return None
    for name, following in normalizer.required_goals(conjunctions[0]):
        if following is None or normalizer.is_empty(following):
            return name, following
    return None


def _clash(normalizer: Normalizer, goal: Goal) -> Reason:
    place = normalizer.place_of(goal)
    conjunctions = normalizer.conjunctions(goal)
    if not conjunctions:
        if place.schema is False:
            return "the schema is false", place.pointer, ""
        others = ", ".join(f"#{normalizer.place_of((other,)).pointer}" for other in goal[1:] if other > 0)
        beside = f" together with {others}" if others else ""
        return f"the types or constants that must hold together{beside} exclude each other", place.pointer, ""
    if len(conjunctions) > 1:
        return f"none of {len(conjunctions)} combinations of branches has a value", place.pointer, "anyOf"
    return _clash_in(conjunctions[0]) or ("no value satisfies all constraints", place.pointer, "")


def _clash_in(conjunction: Conjunction) -> Reason | None:
    """The clash within one conjunction, looked for kind by kind."""
    kinds = conjunction.kinds
    leaves = [(leaf, leaf.schema) for leaf in conjunction.leaves if isinstance(leaf.schema, dict)]
    for leaf, schema in leaves:
        if has_constants(schema):
            keyword = "enum" if "enum" in schema else "const"
            if schema.get("enum") == []:
                return "enum lists no value", f"{leaf.pointer}/enum", "enum"
            return f"no value of {keyword} satisfies the other constraints", f"{leaf.pointer}/{keyword}", keyword
    schemas = [schema for _, schema in leaves]
    for kind, low, high in ((ARRAY, "minItems", "maxItems"), (STRING, "minLength", "maxLength")):
        if kinds & kind:
            found = _counts(leaves, low, high)
            if found is not None:
                return found
    if kinds & NUMBER:
        bounds = number_bounds(schemas)
        if bounds.is_empty(not kinds & FRACTION):
            pointer = next(
                leaf.pointer for leaf, schema in leaves if "minimum" in schema or "exclusiveMinimum" in schema
            )
            what = "integer" if not kinds & FRACTION else "number"
            of = f" that is a multiple of {' and '.join(map(str, bounds.multiples))}" if bounds.multiples else ""
            low_bracket, high_bracket = "]" if bounds.lower_exclusive else "[", "[" if bounds.upper_exclusive else "]"
            span = f"{low_bracket}{bounds.lower}, {bounds.upper}{high_bracket}"
            return f"there is no {what}{of} in {span}", pointer, "minimum"
    if kinds & STRING:
        patterns = [schema["pattern"] for schema in schemas if "pattern" in schema]
        if patterns:
            leaf = next(leaf for leaf, schema in leaves if "pattern" in schema)
            return (
                f"no string satisfies {' and '.join(map(repr, patterns))} and the other constraints",
                leaf.pointer,
                "pattern",
            )
    if kinds & ARRAY:
        place = next((leaf for leaf, schema in leaves if "minItems" in schema), None)
        if place is not None:
            return "an item that minItems asks for has no value", place.pointer, "minItems"
    return None


def _counts(leaves: list[tuple[Any, dict[str, Any]]], low: str, high: str) -> Reason | None:
    lows = [(schema[low], leaf.pointer) for leaf, schema in leaves if low in schema]
    highs = [(schema[high], leaf.pointer) for leaf, schema in leaves if high in schema]
    if lows and highs:
        most, least = max(lows), min(highs)
        if most[0] > least[0]:
            elsewhere = "" if least[1] == most[1] else f" of #{least[1]}"
            return f"{low} {most[0]} is above {high} {least[0]}{elsewhere}", f"{most[1]}/{low}", low
    return None
