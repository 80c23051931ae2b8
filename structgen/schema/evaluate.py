"""Whether a given JSON value satisfies a goal: the schema language on values, exactly.

In: goals and Python values (numbers as int, float or Decimal). Out: a verdict. Used where a schema lists its values, so that `enum` and
`const` meet the other constraints value by value, in complements too.
Limits: the nesting of constants (`constants.MAX_VALUE_DEPTH`).
"""

from __future__ import annotations

from typing import Any

from structgen.errors import Limits
from structgen.schema.alternatives import Goal
from structgen.schema.arrays import RawArray
from structgen.schema.closures import Denial, Leaf, has_constants, lists_values
from structgen.schema.conjunctions import Conjunctions
from structgen.schema.constants import ARRAY, NUMBER, OBJECT, STRING, exact, kind_bit, value_key
from structgen.schema.merging import Merging
from structgen.schema.objects import RawObject
from structgen.schema.options import JsonOptions
from structgen.schema.scalars import number_bounds, string_constraints
from structgen.schema.strings import string_matches


class Evaluator:
    """Judges values by the conjunctions of a document."""

    def __init__(
        self, space: Conjunctions, merging: Merging, options: JsonOptions, limits: Limits, formats: frozenset[str]
    ) -> None:
        self._space, self._merging, self._options, self._limits, self._formats = (
            space,
            merging,
            options,
            limits,
            formats,
        )

    def admits(self, goal: Goal, value: Any) -> bool:
        """Whether the value satisfies the goal."""
        if not goal:
            return True
        bit = kind_bit(value)
        return any(
            self.satisfies(conjunction.leaves, value)
            and not any(self.is_denied(denial, value) for denial in conjunction.denials)
            for conjunction in self._space.of(goal, bit)
        )

    def is_denied(self, denial: Denial, value: Any) -> bool:
        """Whether the value is what a denial excludes."""
        return bool(kind_bit(value) & denial.kinds) and self.satisfies(denial.leaves, value)

    def satisfies(self, leaves: tuple[Leaf, ...], value: Any) -> bool:
        """Whether the value satisfies the leaves' own keywords, types apart."""
        listing = [leaf for leaf in leaves if has_constants(leaf.schema)]
        if listing:
            key = value_key(value)
            if any(key not in self._space.enumeration(leaf) for leaf in listing):
                return False
            if all(lists_values(leaf.schema) for leaf in leaves):
                return True
        bit = kind_bit(value)
        schemas = [leaf.schema for leaf in leaves if isinstance(leaf.schema, dict)]
        if bit == STRING:
            string = string_constraints(schemas, self._formats)
            return string_matches(string, value, self._options, self._limits)
        if bit & NUMBER:
            return number_bounds(schemas).admits(exact(value))
        if bit == ARRAY:
            return self._array(self._merging.merge_array(leaves, ""), value)
        if bit == OBJECT:
            return self._object(self._merging.merge_object(leaves, "", closing=False), value)
        return True

    def _array(self, raw: RawArray, value: list[Any]) -> bool:
        if len(value) < raw.low or (raw.high is not None and len(value) > raw.high):
            return False
        for position, item in enumerate(value):
            goal = raw.goal_at(position)
            if goal is None or not self.admits(goal, item):
                return False
        if raw.unique and len({value_key(item) for item in value}) < len(value):
            return False
        for wanted in raw.contains:
            count = sum(self.admits(wanted.goal, item) for item in value)
            if count < wanted.low or (wanted.high is not None and count > wanted.high):
                return False
        return True

    def _object(self, raw: RawObject, value: dict[str, Any]) -> bool:
        if len(value) < raw.low or (raw.high is not None and len(value) > raw.high):
            return False
        if any(name not in value for name in raw.required):
            return False
        for name, inner in value.items():
            goal = raw.goal_of(name, self._merging.around)
            if goal is None or not self.admits(goal, inner):
                return False
        if any(name in value and not self._object(described, value) for name, described in raw.conditions):
            return False
        return all(other in value for name, brought in raw.implied.items() if name in value for other in brought)
