"""A cheap sufficient test that a subschema has an instance, from its syntax alone.

In: a Location. Out: True when a value surely exists, False when that is not obvious (which says nothing).
It is asked for every property of every object that is compiled, so it must not build automata or alternatives; what it cannot see,
the normal form decides exactly.
"""

from __future__ import annotations

from typing import Any

from structgen.schema.constants import ANY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, TYPE_BITS, exact, kinds_of_type
from structgen.schema.references import Document, Location
from structgen.schema.shapes import shape_of

_EVERY_KIND = frozenset("$ref $dynamicRef $recursiveRef allOf anyOf oneOf not if const enum".split())
_STRINGS = frozenset({"pattern", "format", "minLength"})
_NUMBERS = frozenset({"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
# Without these a schema holds for the least value of each of its types, and names no other schema for the same value.
DOUBTFUL = _EVERY_KIND | _STRINGS | _NUMBERS | {"required", "propertyNames", "minItems", "minProperties", "contains"}
# What may clash with what stands beside it, though it is satisfied by "", 0, [] and {} alone.
_DEPENDENT = frozenset(
    "maxProperties dependentRequired dependentSchemas unevaluatedProperties unevaluatedItems uniqueItems".split()
)
_FUEL = 6


def is_plainly_inhabited(document: Document, location: Location, formats: frozenset[str], fuel: int = _FUEL) -> bool:
    """True only if some value satisfies the subschema. formats: those that constrain. fuel: levels still looked into."""
    schema = location.schema
    if not isinstance(schema, dict):
        return schema
    if DOUBTFUL.isdisjoint(schema):
        return True
    if fuel == 0:
        return False
    if not _EVERY_KIND.isdisjoint(schema):
        return _one_applicator(document, location, schema, formats, fuel - 1)
    kinds = kinds_of_type(schema)
    if kinds & (NULL | BOOLEAN):
        return True
    if kinds & STRING and _plain_string(schema, formats):
        return True
    if kinds & NUMBER and _plain_number(schema, integer=kinds & NUMBER != NUMBER):
        return True
    if kinds & OBJECT and _plain_object(document, location, schema, formats, fuel - 1):
        return True
    return bool(kinds & TYPE_BITS["array"]) and schema.keys().isdisjoint(("minItems", "contains"))


def undemanding_kinds(location: Location) -> int:
    """The kinds (bits) whose least value satisfies the subschema: "", [], {}, 0, null, false; 0 when it may demand more.

    Locations whose undemanding kinds have one in common have a value in common.
    """
    schema = location.schema
    if not isinstance(schema, dict):
        return ANY if schema else 0
    return kinds_of_type(schema) if DOUBTFUL.isdisjoint(schema) else 0


def _one_applicator(
    document: Document, location: Location, schema: dict[str, Any], formats: frozenset[str], fuel: int
) -> bool:
    """A schema whose only constraint is a `$ref`, an `anyOf`, or a list of strings beside a fitting type."""
    doubts = [key for key in schema if key in DOUBTFUL]
    if len(doubts) != 1:
        return False
    keyword = doubts[0]
    if keyword == "enum":
        values = schema["enum"]
        first = values[0] if values else None
        return type(first) is str and "maxLength" not in schema and bool(kinds_of_type(schema) & STRING)
    if keyword == "const":
        return type(schema["const"]) is str and "maxLength" not in schema and bool(kinds_of_type(schema) & STRING)
    if not schema.keys().isdisjoint(("type", "properties", "patternProperties", "items", "prefixItems")):
        return False
    if not schema.keys().isdisjoint(("additionalProperties", "maxItems", "maxLength", *_DEPENDENT)):
        return False
    if keyword == "$ref":
        return is_plainly_inhabited(document, document.resolve(location, schema["$ref"]), formats, fuel)
    if keyword == "anyOf":
        return any(
            is_plainly_inhabited(document, document.child(location, keyword, index), formats, fuel)
            for index in range(min(len(schema[keyword]), 3))
        )
    return False


def _plain_string(schema: dict[str, Any], formats: frozenset[str]) -> bool:
    low, high = int(schema.get("minLength", 0)), schema.get("maxLength")
    if high is not None and high < low:
        return False
    is_formatted = schema.get("format") in formats
    if "pattern" in schema:
        shape = shape_of(schema["pattern"])
        return not is_formatted and shape is not None and shape.allows_length(low, high) is True
    return not is_formatted or (low == 0 and high is None)


def _plain_number(schema: dict[str, Any], *, integer: bool) -> bool:
    low = [exact(schema[key]) for key in ("minimum", "exclusiveMinimum") if key in schema]
    high = [exact(schema[key]) for key in ("maximum", "exclusiveMaximum") if key in schema]
    if not low or not high:
        return True
    return "multipleOf" not in schema and max(low) + integer < min(high)


def _plain_object(
    document: Document, location: Location, schema: dict[str, Any], formats: frozenset[str], fuel: int
) -> bool:
    if "minProperties" in schema:
        return False
    if "required" not in schema:
        return True
    if "propertyNames" in schema or schema.get("patternProperties") or not _DEPENDENT.isdisjoint(schema):
        return False
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name in schema["required"]:
        if name in properties:
            if not is_plainly_inhabited(document, document.child(location, "properties", name), formats, fuel):
                return False
        elif others is not True:
            place = document.child(location, "additionalProperties")
            if not is_plainly_inhabited(document, place, formats, fuel):
                return False
    return True
