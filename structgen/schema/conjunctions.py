"""Goals as conjunctions: `$ref`, `allOf` and `anyOf` taken apart, before any keyword of one kind is looked at.

In: goals. Out: `Conjunction`s: Locations that must hold together and whose own keywords are all that is left to satisfy.
`$ref` and `allOf` join the conjunction, `anyOf` multiplies it; a branch whose types or constants clash with what is already there is
dropped at once, and equal partial combinations are followed once, so that repeated choices do not multiply.

Limits: `Limits.max_alternatives` combinations of branches per goal.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from structgen.errors import LimitExceeded, Limits
from structgen.schema.alternatives import Goal
from structgen.schema.constants import ANY, TYPE_BITS, value_key
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document, Location
from structgen.schema.scalars import NUMBER_KEYWORDS, STRING_KEYWORDS

OBJECT_KEYWORDS = frozenset("properties patternProperties additionalProperties required propertyNames".split())
ARRAY_KEYWORDS = frozenset("prefixItems items minItems maxItems".split())
LEAF_KEYWORDS = OBJECT_KEYWORDS | ARRAY_KEYWORDS | NUMBER_KEYWORDS | STRING_KEYWORDS | {"const", "enum"}
_CONSTRAINING = LEAF_KEYWORDS | {"type", "$ref", "allOf", "anyOf", "oneOf", "not"}
_JOINING = frozenset({"$ref", "allOf"})

Enumeration = dict[Hashable, Any]  # value_key -> value


@dataclass(frozen=True, slots=True)
class Closure:
    """A Location with everything that `$ref` and `allOf` bring in. kinds: bits; leaves: Locations whose own keywords constrain;
    choices: the branches of each `anyOf`."""

    kinds: int
    leaves: tuple[Location, ...]
    choices: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Locations that must hold together, free of `$ref`, `allOf` and `anyOf`. kinds: bits of the JSON kinds left."""

    kinds: int
    leaves: tuple[Location, ...]


class Conjunctions:
    """Takes the goals of one document apart; everything is memoised."""

    def __init__(self, document: Document, options: JsonOptions, limits: Limits) -> None:
        self.document, self.options, self.limits = document, options, limits
        self._closures: dict[int, Closure] = {}
        self._enumerations: dict[int, Enumeration] = {}
        self._joins: dict[int, Goal] = {}

    def goal_of(self, locations: list[Location]) -> Goal:
        """The goal of a list of Locations, in its shortest form: those that admit everything are left out, and those that are
        nothing but `$ref` or `allOf` stand for what they name, so that one position has one goal."""
        if len(locations) == 1:
            return self._joined(locations[0])
        ids: set[int] = set()
        for place in locations:
            ids.update(self._joined(place))
        return tuple(sorted(ids))

    def _joined(self, place: Location) -> Goal:
        schema = place.schema
        if not isinstance(schema, dict):
            return () if schema else (place.id,)
        if _JOINING.isdisjoint(schema):
            return () if _CONSTRAINING.isdisjoint(schema) else (place.id,)
        found = self._joins.get(place.id)
        if found is None:
            document = self.document
            ids: set[int] = set()
            seen: set[int] = set()
            stack = [place]
            while stack:
                place_below = stack.pop()
                if place_below.id in seen:
                    continue  # said twice, or a loop, which `keywords.check` refuses
                seen.add(place_below.id)
                schema = place_below.schema
                if not isinstance(schema, dict):
                    if not schema:
                        ids.add(place_below.id)
                elif _JOINING.issuperset(_CONSTRAINING.intersection(schema)):
                    if "$ref" in schema:
                        stack.append(document.resolve(place_below, schema["$ref"]))
                    n_joined = len(schema.get("allOf", ()))
                    stack += [document.child(place_below, "allOf", index) for index in range(n_joined)]
                else:
                    ids.add(place_below.id)
            found = self._joins[place.id] = tuple(sorted(ids))
        return found

    def closure(self, place_id: int) -> Closure:
        found = self._closures.get(place_id)
        if found is not None:
            return found
        document = self.document
        kinds = ANY
        leaves: list[Location] = []
        choices: list[tuple[int, ...]] = []
        seen: set[int] = set()
        # (location, False) = visit it; (location, True) = its own keywords stand here in the order of the text
        stack: list[tuple[Location, bool]] = [(document.at(place_id), False)]
        while stack:
            place, is_leaf = stack.pop()
            if is_leaf:
                leaves.append(place)
                continue
            if place.id in seen:
                continue
            seen.add(place.id)
            schema = place.schema
            if not isinstance(schema, dict):
                kinds = kinds if schema else 0
                continue
            kinds &= _kinds(schema)
            steps: list[tuple[Location, bool]] = []
            own = False
            for key, value in schema.items():
                if key == "$ref":
                    steps.append((document.resolve(place, value), False))
                elif key == "allOf" or (key == "oneOf" and len(value) == 1):
                    steps += [(document.child(place, key, index), False) for index in range(len(value))]
                elif key == "anyOf":
                    choices.append(self._branches(place))
                elif key == "not":
                    kinds = 0 if value is True or value == {} else kinds
                elif not own and (key in LEAF_KEYWORDS or (key == "type" and self._is_closed(value))):
                    own = True
                    steps.append((place, True))
            stack += reversed(steps)
        found = self._closures[place_id] = Closure(kinds, tuple(leaves), tuple(choices))
        return found

    def _branches(self, place: Location) -> tuple[int, ...]:
        """The branches of an `anyOf`; those that only list values are united into one."""
        document = self.document
        places = [document.child(place, "anyOf", index) for index in range(len(place.schema["anyOf"]))]  # type: ignore[index]
        listing = [branch for branch in places if _lists_values(branch.schema)]
        if len(listing) < 2:
            return tuple(branch.id for branch in places)
        values = [value for branch in listing for value in self.enumeration(branch).values()]
        united = document.synthetic({"enum": values}, place)
        rest = [branch.id for branch in places if not _lists_values(branch.schema)]
        first = places.index(listing[0])
        return (*rest[:first], united.id, *rest[first:])

    def _is_closed(self, types: Any) -> bool:
        """Whether a `type` makes extra names a matter of the option `extra_properties`."""
        return self.options.extra_properties == "closed" and (types == "object" or "object" in types)

    def of(self, goal: Goal, kinds: int) -> list[Conjunction]:
        """The goal as conjunctions without `$ref`, `allOf` and `anyOf`; their kinds within `kinds`."""
        if len(goal) == 1:
            closure = self.closure(goal[0])
            if not kinds & closure.kinds:
                return []
            start, pending = Conjunction(kinds & closure.kinds, closure.leaves), closure.choices
        else:
            closures = [self.closure(place_id) for place_id in goal]
            for closure in closures:
                kinds &= closure.kinds
            leaves = tuple({leaf: None for closure in closures for leaf in closure.leaves})
            if not kinds or not self._constants_agree(leaves):
                return []
            start = Conjunction(kinds, leaves)
            pending = tuple({choice: None for closure in closures for choice in closure.choices})
        if not pending:
            return [start]
        limit = self.limits.max_alternatives
        result: list[Conjunction] = []
        stack = [(start, pending)]
        seen: set[tuple[Conjunction, tuple[tuple[int, ...], ...]]] = set()
        while stack:
            conjunction, pending = stack.pop()
            if not pending:
                result.append(conjunction)
                continue
            steps = []
            for branch in pending[0]:
                closure = self.closure(branch)
                joined = self._join(conjunction, closure)
                if joined is None:
                    continue
                more = tuple(choice for choice in closure.choices if choice not in pending)
                step = (joined, pending[1:] + more)
                if step not in seen:
                    seen.add(step)
                    steps.append(step)
            if len(seen) > limit:
                raise LimitExceeded(
                    f"{len(seen)} combinations of anyOf branches at #{self.document.at(goal[0]).pointer}",
                    limit,
                    "max_alternatives",
                )
            stack += reversed(steps)
        return result

    def _join(self, conjunction: Conjunction, closure: Closure) -> Conjunction | None:
        """Both together; None when their types or constants clash."""
        kinds = conjunction.kinds & closure.kinds
        if kinds == 0:
            return None
        if not closure.leaves:
            return Conjunction(kinds, conjunction.leaves)
        if not conjunction.leaves:
            return Conjunction(kinds, closure.leaves)
        leaves = tuple(dict.fromkeys(conjunction.leaves + closure.leaves))
        return Conjunction(kinds, leaves) if self._constants_agree(leaves) else None

    def _constants_agree(self, leaves: tuple[Location, ...]) -> bool:
        """Whether the first list of values has one in common with every other."""
        listing = [leaf for leaf in leaves if has_constants(leaf.schema)]
        if len(listing) < 2:
            return True
        values = self.enumeration(listing[0])
        return not any(self.enumeration(leaf).keys().isdisjoint(values) for leaf in listing[1:])

    def enumeration(self, leaf: Location) -> Enumeration:
        """The values that `const` and `enum` of one Location leave, by key."""
        found = self._enumerations.get(leaf.id)
        if found is None:
            schema = leaf.schema
            if not isinstance(schema, dict):
                return {}
            found = {}
            if "enum" in schema:
                for value in schema["enum"]:
                    found.setdefault(value_key(value), value)
            if "const" in schema:
                key = value_key(schema["const"])
                found = {key: schema["const"]} if "enum" not in schema or key in found else {}
            self._enumerations[leaf.id] = found
        return found


def _kinds(schema: dict[str, Any]) -> int:
    types = schema.get("type")
    if types is None:
        return ANY
    if isinstance(types, str):
        return TYPE_BITS[types]
    bits = 0
    for name in types:
        bits |= TYPE_BITS[name]
    return bits


def _lists_values(schema: Any) -> bool:
    """Whether `const` or `enum` is all that constrains."""
    return has_constants(schema) and len(_CONSTRAINING.intersection(schema)) == 1


def has_constants(schema: Any) -> bool:
    """Whether a schema lists its values."""
    return isinstance(schema, dict) and ("enum" in schema or "const" in schema)
