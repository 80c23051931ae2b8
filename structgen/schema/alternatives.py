"""What the normal form gives to the machine: goals and alternatives.

A **goal** is a value position: the sorted tuple of the ids of the Locations that must all hold there; `()` is any JSON value. (Ids
below zero are made by `conjunctions`: complements and their kin.) A goal expands to **alternatives**, each of one JSON kind; a value
is right for the goal exactly when it is right for at least one of them, and every alternative has at least one value. Equal
alternatives compare equal whatever place they came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from structgen.lexemes.numbers import NumberSpec

Goal = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Null:
    """null"""


@dataclass(frozen=True, slots=True)
class Boolean:
    """true, false or both (in this order)."""

    values: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """Every number of a NumberSpec that is in none of the `excluded` ones and is none of `without`.

    All by value: 5 in `without` keeps out 5.0 and 0.5e1 too. Of an excluded spec only integer, bounds and multiples are read.
    """

    spec: NumberSpec
    excluded: tuple[NumberSpec, ...] = ()
    without: frozenset[Decimal | int] = frozenset()


@dataclass(frozen=True, slots=True)
class NumberEnum:
    """Exactly these numbers; int when integral, no two equal. plain: without a fraction or an exponent whatever the options say."""

    values: tuple[Decimal | int, ...]
    plain: bool = False


@dataclass(frozen=True, slots=True)
class String:
    """Strings by length in code points, ECMA-262 patterns (each found somewhere in the string) and formats, all together.

    excluded: strings of any of these are not admitted (they have no `excluded` and no `without` of their own).
    without: decoded strings that are not admitted.
    """

    min_length: int = 0
    max_length: int | None = None
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    excluded: tuple[String, ...] = ()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StringEnum:
    """Exactly these strings."""

    values: tuple[str, ...]


class Property(NamedTuple):
    """A named property. goal None: the name must never be produced."""

    name: str
    goal: Goal | None
    required: bool


class Scope(NamedTuple):
    """What one schema object says of names that it does not declare. patterns: (index into Object.patterns, goal) per own
    pattern; additional: the goal of names that match none of them; () = anything."""

    patterns: tuple[tuple[int, Goal], ...]
    additional: Goal


@dataclass(frozen=True, slots=True)
class Object:
    """Objects.

    properties: declared names by first appearance, then required undeclared ones.
    patterns: every `patternProperties` regex in force (ECMA-262, found anywhere in the name).
    names: what other names may be (`propertyNames`), None = anything, () = there are no other names; already applied to
        `properties`.
    closed: names that match no pattern and that no `additionalProperties` mentions are not admitted.
    pointer: JSON Pointer of the schema that says most about it, for messages.
    rules: what depends on several members (`objects.MemberRules`); its names and goals are then those of `properties`, and its classes
        say what other names may be.
    """

    properties: tuple[Property, ...]
    patterns: tuple[str, ...]
    names: tuple[String | StringEnum, ...] | None
    scopes: tuple[Scope, ...]
    closed: bool
    pointer: str = field(compare=False)
    classify: Callable[[Object, frozenset[int]], Goal | None] = field(compare=False, repr=False)
    rules: object | None = None

    def __hash__(self) -> int:
        # objects that are alike at both ends are rare; to hash every property takes as long as to compile it
        ends = self.properties[:1], self.properties[-1:]
        return hash((len(self.properties), ends, self.scopes, self.closed))

    def class_goal(self, matched: frozenset[int]) -> Goal | None:
        """The goal of a name that is not among `properties` and in which exactly these `patterns` (indices) are found.

        None: such a name is not allowed.
        """
        return self.classify(self, matched)


@dataclass(frozen=True, slots=True)
class Array:
    """Arrays: the goals of the first positions, the goal of all later ones (None = there are none), and the counts.

    rules: what depends on several items (`arrays.ItemRules`); it then says everything.
    """

    prefix: tuple[Goal, ...]
    items: Goal | None
    min_items: int
    max_items: int | None
    pointer: str = field(compare=False)
    rules: object | None = None


Alternative = Null | Boolean | Number | NumberEnum | String | StringEnum | Object | Array
