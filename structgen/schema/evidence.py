"""Evidence at a glance: what conjunctions of objects say of single properties, by constants and presence alone.

In: leaves and denials. Out: whether they surely clash, and the tags that tell the branches of a `oneOf` apart. Never wrong, often silent:
what it does not see is found later, by the rules of objects.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from structgen.schema.alternatives import Goal
from structgen.schema.closures import (
    JOINING,
    LEAF_KEYWORDS,
    OBJECT_KEYWORDS,
    Closure,
    Denial,
    Enumeration,
    Leaf,
    has_constants,
    lists_values,
)
from structgen.schema.constants import OBJECT
from structgen.schema.references import Document, Location


@dataclass(slots=True)
class _Fact:
    """What a conjunction says of one property at a glance. allowed: keys of the values (None = any)."""

    allowed: frozenset[Hashable] | None = None
    excluded: frozenset[Hashable] = frozenset()
    required: bool = False
    forbidden: bool = False


class Evidence:
    """Reads the properties of one document's objects. enumeration: the values that a Location lists; goal_at: its goal."""

    def __init__(
        self, document: Document, enumeration: Callable[[Leaf], Enumeration], goal_at: Callable[[Location], Goal]
    ) -> None:
        self.document, self.enumeration, self.goal_at = document, enumeration, goal_at
        self._facts: dict[int, dict[str, _Fact]] = {}

    def tags(self, closure: Closure) -> dict[str, frozenset[Hashable]]:
        """The required properties of an object closure that are constants: their keys."""
        if closure.kinds != OBJECT:
            return {}
        facts: dict[str, _Fact] = {}
        for leaf in closure.leaves:
            if isinstance(leaf, Location):
                for name, fact in self._facts_of(leaf).items():
                    _add(facts, name, fact)
        return {name: fact.allowed for name, fact in facts.items() if fact.required and fact.allowed is not None}

    def objects_clash(self, leaves: tuple[Leaf, ...], denials: list[Denial]) -> bool:
        """Whether some property is required and has no value that all allow, judged by constants alone."""
        facts: dict[str, _Fact] = {}
        closing: list[Location] = []
        for leaf in leaves:
            if isinstance(leaf, Location) and isinstance(leaf.schema, dict):
                for name, fact in self._facts_of(leaf).items():
                    _add(facts, name, fact)
                if leaf.schema.get("additionalProperties") is False and not leaf.schema.get("patternProperties"):
                    closing.append(leaf)
        for leaf in closing:
            declared = leaf.schema.get("properties", {})  # type: ignore[union-attr]
            for name, fact in facts.items():
                if name not in declared:
                    fact.forbidden = True
        for denial in denials:
            if denial.kinds & OBJECT:
                denied = self._fact_of_denial(denial)
                if denied is not None:
                    _add(facts, *denied)
        return any(
            fact.required and (fact.forbidden or (fact.allowed is not None and not fact.allowed - fact.excluded))
            for fact in facts.values()
        )

    def _facts_of(self, leaf: Location) -> dict[str, _Fact]:
        found = self._facts.get(leaf.id)
        if found is None:
            found = {}
            schema: dict[str, Any] = leaf.schema if isinstance(leaf.schema, dict) else {}
            if not OBJECT_KEYWORDS.isdisjoint(schema):
                for name, value in schema.get("properties", {}).items():
                    if value is False:
                        found[name] = _Fact(forbidden=True)
                    elif isinstance(value, dict) and (has_constants(value) or not JOINING.isdisjoint(value)):
                        allowed = self._allowed(self.document.child(leaf, "properties", name))
                        if allowed is not None:
                            found[name] = _Fact(allowed=allowed)
                for name in schema.get("required", ()):
                    found.setdefault(name, _Fact()).required = True
            self._facts[leaf.id] = found
        return found

    def _allowed(self, place: Location) -> frozenset[Hashable] | None:
        goal = self.goal_at(place)
        allowed: frozenset[Hashable] | None = None
        for number in goal:
            schema = self.document.at(number).schema if number > 0 else None
            if has_constants(schema):
                keys = frozenset(self.enumeration(self.document.at(number)))
                allowed = keys if allowed is None else allowed & keys
        return allowed

    def _fact_of_denial(self, denial: Denial) -> tuple[str, _Fact] | None:
        """A denial that speaks of one property only, by its constants or its presence."""
        if len(denial.leaves) != 1:
            return None
        leaf = denial.leaves[0]
        if not isinstance(leaf, Location) or not isinstance(leaf.schema, dict):
            return None
        keywords = LEAF_KEYWORDS.intersection(leaf.schema)
        if not keywords <= {"required", "properties"}:
            return None
        properties = leaf.schema.get("properties", {})
        required = leaf.schema.get("required", ())
        names = {*properties, *required}
        if len(names) != 1:
            return None
        name = names.pop()
        if not properties:
            return name, _Fact(forbidden=True)
        place = self.document.child(leaf, "properties", name)
        if not lists_values(place.schema):
            return None
        return name, _Fact(excluded=frozenset(self.enumeration(place)), required=not required)


def _add(facts: dict[str, _Fact], name: str, fact: _Fact) -> None:
    known = facts.get(name)
    if known is None:
        facts[name] = _Fact(fact.allowed, fact.excluded, fact.required, fact.forbidden)
        return
    if fact.allowed is not None:
        known.allowed = fact.allowed if known.allowed is None else known.allowed & fact.allowed
    known.excluded |= fact.excluded
    known.required |= fact.required
    known.forbidden |= fact.forbidden
