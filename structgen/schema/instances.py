"""Values of a goal, counted as far as it matters: for constraints that need several distinct ones.

In: a goal and a cap. Out: (values, complete): with `complete` these are all values; without, there are at least `cap` of them.
Objects with other names and arrays without a maximum have infinitely many values, which needs no list.
Limits: values nested deeper than `_DEPTH` are taken to be as many as are asked for (only a recursive type nests so deep).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from structgen.errors import Limits
from structgen.schema.alternatives import (
    Alternative,
    Array,
    Boolean,
    Goal,
    Null,
    Number,
    NumberEnum,
    Object,
    StringEnum,
)
from structgen.schema.arrays import ArrayState, ItemRules
from structgen.schema.constants import value_key
from structgen.schema.differences import is_plentiful
from structgen.schema.member_rules import MemberRules
from structgen.schema.objects import Empty, State
from structgen.schema.options import JsonOptions
from structgen.schema.scalars import number_values
from structgen.schema.strings import string_values

_DEPTH = 24
Found = tuple[list[Any], bool]


class _Many(Exception):
    """There are more values than are asked for."""


class Instances:
    """Lists values of the goals of one document."""

    def __init__(
        self, expand: Callable[[Goal], tuple[Alternative, ...]], is_empty: Empty, options: JsonOptions, limits: Limits
    ) -> None:
        self._expand, self._is_empty, self._options, self._limits = expand, is_empty, options, limits
        self._depth = 0  # of values inside each other, also where rules ask for values on the way
        self._complete: dict[Goal, list[Any]] = {}  # goals all of whose values were listed

    def of(self, goal: Goal, cap: int) -> Found:
        """At most `cap` + 1 values of a goal, and whether these are all."""
        if self._depth > _DEPTH or not goal:
            return [], False
        self._depth += 1
        try:
            return self._of(goal, cap)
        finally:
            self._depth -= 1

    def _of(self, goal: Goal, cap: int) -> Found:
        known = self._complete.get(goal)
        if known is not None:
            return known, len(known) <= cap
        found: dict[Any, Any] = {}
        complete = True
        alternatives = self._expand(goal)
        if any(is_plentiful(one) for one in alternatives if not isinstance(one, (Object, Array))):
            return [], False
        for alternative in alternatives:
            values, all_of_it = self._of_alternative(alternative, cap)
            complete = complete and all_of_it
            for value in values:
                found.setdefault(value_key(value), value)
            if len(found) > cap:
                return list(found.values()), False
        listed = list(found.values())
        if complete:
            self._complete[goal] = listed
        return listed, complete

    def _of_alternative(self, alternative: Alternative, cap: int) -> Found:
        if isinstance(alternative, Null):
            return [None], True
        if isinstance(alternative, Boolean):
            return list(alternative.values), True
        if isinstance(alternative, (Number, NumberEnum)):
            numbers, complete = number_values(alternative, cap + 1)
            return list(numbers), complete
        if isinstance(alternative, Object):
            return self._listed(self._objects(alternative, cap), cap)
        if isinstance(alternative, Array):
            return self._listed(self._arrays(alternative, cap), cap)
        if isinstance(alternative, StringEnum):
            return list(alternative.values), True
        strings, complete = string_values(alternative, cap + 1, self._options, self._limits)
        return list(strings), complete

    def _listed(self, values: Iterator[Any], cap: int) -> Found:
        try:
            found = list(islice(values, cap + 2))
        except _Many:
            return [], False
        return found, len(found) <= cap + 1

    def _values(self, goal: Goal, cap: int) -> list[Any]:
        values, complete = self.of(goal, cap)
        if not complete:
            raise _Many
        return values

    def _objects(self, made: Object, cap: int) -> Iterator[dict[str, Any]]:
        if isinstance(made.rules, MemberRules):
            yield from self._by_members(made.rules, made.rules.start(), {}, cap)
            return
        if made.names != () and not (made.closed and not made.patterns):
            if made.patterns or made.class_goal(frozenset()) is not None:
                raise _Many
        partial: list[dict[str, Any]] = [{}]
        for one in made.properties:
            if one.goal is None:
                continue
            values = self._values(one.goal, cap)
            grown = [] if one.required else list(partial)
            grown += [{**value, one.name: inner} for value in partial for inner in values]
            partial = grown
            if len(partial) > cap * 4 + 64:
                raise _Many
        yield from partial

    def _by_members(
        self, rules: MemberRules, state: State, value: dict[str, Any], cap: int
    ) -> Iterator[dict[str, Any]]:
        moves = rules.moves(state, self._is_empty)
        if moves.others or moves.rest is not None:
            raise _Many
        if moves.can_close:
            yield value
        for i, goal, after in moves.named:
            for inner in self._values(goal, cap):
                yield from self._by_members(rules, after, {**value, rules.names[i]: inner}, cap)

    def _arrays(self, made: Array, cap: int) -> Iterator[list[Any]]:
        if isinstance(made.rules, ItemRules):
            yield from self._by_items(made.rules, made.rules.start(), [], cap)
            return
        if made.items is not None and made.max_items is None:
            raise _Many
        partial: list[list[Any]] = [[]]
        n = 0
        while True:
            if n >= made.min_items:
                yield from partial
            goal = made.prefix[n] if n < len(made.prefix) else made.items
            if goal is None or n == made.max_items:
                return
            values = self._values(goal, cap)
            partial = [[*value, inner] for value in partial for inner in values]
            n += 1
            if len(partial) > cap * 4 + 64:
                raise _Many

    def _by_items(self, rules: ItemRules, state: ArrayState, value: list[Any], cap: int) -> Iterator[list[Any]]:
        moves = rules.moves(state, self._is_empty)
        if len(value) > cap + 64:
            raise _Many
        if moves.can_close:
            yield value
        for goal, after in moves.items:
            for inner in self._values(goal, cap):
                following = rules.read(after, inner) if moves.captures else after
                yield from self._by_items(rules, following, [*value, inner], cap)
