"""What goals are taken apart into: leaves, denials, choices, and the closures and conjunctions that hold them.

Data and what can be read off it; `conjunctions` makes it. A *leaf* is a Location whose own keywords must hold, or a rule that the normal
form makes itself; a *denial* is a set of leaves that must not all hold.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from structgen.schema.alternatives import Goal
from structgen.schema.constants import ANY, ARRAY, NUMBER, OBJECT, STRING
from structgen.schema.references import Location
from structgen.schema.scalars import NUMBER_KEYWORDS, STRING_KEYWORDS

OBJECT_KEYWORDS = frozenset(
    "properties patternProperties additionalProperties required propertyNames minProperties maxProperties "
    "dependentRequired".split()
)
ARRAY_KEYWORDS = frozenset("prefixItems items minItems maxItems contains uniqueItems".split())
CONSTANT_KEYWORDS = frozenset({"const", "enum"})
LEAF_KEYWORDS = OBJECT_KEYWORDS | ARRAY_KEYWORDS | NUMBER_KEYWORDS | STRING_KEYWORDS | CONSTANT_KEYWORDS
REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
APPLICATORS = REFERENCES | UNEVALUATED | {"allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas"}
CONSTRAINING = LEAF_KEYWORDS | APPLICATORS | {"type"}
_PLAIN_OBJECT = frozenset({"type", "properties", "required", "additionalProperties"})
JOINING = REFERENCES | {"allOf"}
NOT_IN_CONDITIONS = CONSTANT_KEYWORDS | {"minProperties", "maxProperties", "dependentRequired"}

Enumeration = dict[Hashable, Any]  # value_key -> value


@dataclass(frozen=True, slots=True)
class MemberRule:
    """A leaf made by the normal form: members with other names than these (and in which no pattern is found) satisfy `goal`."""

    names: tuple[str, ...]
    patterns: tuple[str, ...]
    goal: Goal
    pointer: str = field(compare=False, default="")
    schema: dict[str, Any] = field(compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemRule:
    """A leaf made by the normal form: items from position `start` on satisfy `goal`."""

    start: int
    goal: Goal
    pointer: str = field(compare=False, default="")
    schema: dict[str, Any] = field(compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """A leaf made by the normal form: an object with the member `name` satisfies these leaves, which are all that `goal` says."""

    name: str
    leaves: tuple[Leaf, ...]
    goal: Goal
    pointer: str = field(compare=False, default="")
    schema: dict[str, Any] = field(compare=False, default_factory=dict)


Leaf = Location | MemberRule | ItemRule | Condition


class Denial(NamedTuple):
    """Not all of it: the value has none of the `kinds` (bits), or some leaf does not hold."""

    kinds: int
    leaves: tuple[Leaf, ...]


class Choice(NamedTuple):
    """One of the options holds. failing: one of these holds exactly when no option does. overlapping: the options are the
    branches of an `anyOf`, which may hold together (those of a complement may too, but evaluate nothing)."""

    options: tuple[Goal, ...]
    failing: tuple[Goal, ...]
    overlapping: bool = False


class Closure(NamedTuple):
    """A goal with everything that joins it."""

    kinds: int = ANY
    leaves: tuple[Leaf, ...] = ()
    denials: tuple[Denial, ...] = ()
    choices: tuple[Choice, ...] = ()


NOTHING = Closure(0)


class Conjunction(NamedTuple):
    """What must hold together, free of applicators. kinds: bits of the JSON kinds left."""

    kinds: int
    leaves: tuple[Leaf, ...]
    denials: tuple[Denial, ...] = ()


def normal_denial(denial: Denial) -> Closure:
    """A denial as a closure: kinds of which the leaves say nothing are denied as a whole."""
    said = 0
    for leaf in denial.leaves:
        said |= kinds_said(leaf)
    kinds = ANY & ~(denial.kinds & ~said)
    if denial.kinds & said == 0:
        return Closure(kinds)
    return Closure(kinds, (), (Denial(denial.kinds & said, denial.leaves),))


def kinds_said(leaf: Leaf) -> int:
    """The kinds (bits) of which a leaf's keywords say anything."""
    if isinstance(leaf, MemberRule):
        return OBJECT if leaf.goal else 0
    if isinstance(leaf, ItemRule):
        return ARRAY if leaf.goal else 0
    if isinstance(leaf, Condition):
        return OBJECT
    schema = leaf.schema
    if not isinstance(schema, dict):
        return ANY
    if not CONSTANT_KEYWORDS.isdisjoint(schema):
        return ANY
    bits = 0
    for keywords, kind in (
        (OBJECT_KEYWORDS, OBJECT), (ARRAY_KEYWORDS, ARRAY), (NUMBER_KEYWORDS, NUMBER), (STRING_KEYWORDS, STRING)
    ):  # fmt: skip
        if not keywords.isdisjoint(schema):
            bits |= kind
    return bits


def lists_values(schema: Any) -> bool:
    """Whether `const` or `enum` is all that constrains."""
    return has_constants(schema) and len(CONSTRAINING.intersection(schema)) == 1


def is_plain_object(schema: dict[str, Any]) -> bool:
    """Whether nothing but these constrains: the type, the properties, which of them are required, and what others are."""
    return _PLAIN_OBJECT.issuperset(CONSTRAINING.intersection(schema))


def has_constants(schema: Any) -> bool:
    """Whether a schema lists its values."""
    return isinstance(schema, dict) and ("enum" in schema or "const" in schema)
