"""Object alternatives: what the leaves of a conjunction say of members, merged, and the cells that a member's values fall into.

In: leaves. Out: `RawObject`, the merged keywords with the goals of members named, not looked into. What depends on several members is in
`member_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from structgen.errors import Limits
from structgen.schema.alternatives import Goal, Scope, String, StringEnum
from structgen.schema.constants import value_key

NameSet = tuple[String | StringEnum, ...]
Empty = Callable[[Goal], bool]

_NONE: frozenset[int] = frozenset()


class _Keyed(Protocol):
    def key(self) -> Hashable:
        """Equal for equal ones."""


Raw = TypeVar("Raw", bound=_Keyed)
Value = TypeVar("Value")


class Surroundings(NamedTuple):
    """What the rules need of the normal form."""

    both: Callable[..., Goal]
    deny: Callable[[Goal], Goal]
    one_of: Callable[[tuple[Goal, ...]], Goal]
    constants: Callable[[dict[Hashable, Any]], Goal]  # the goal of values by their keys
    matches: Callable[[str, str], bool]  # (pattern, name)
    name_allowed: Callable[[NameSet, str], bool]
    limits: Limits
    spend: Callable[..., None]


def goal_by_scopes(scopes: Sequence[Scope], matched: frozenset[int]) -> Goal:
    """The goal of an undeclared name in which exactly these patterns (indices) are found."""
    ids: set[int] = set()
    for scope in scopes:
        own = [goal for index, goal in scope.patterns if index in matched]
        for goal in own or (scope.additional,):
            ids.update(goal)
    return tuple(sorted(ids))


@dataclass(slots=True)
class RawObject:
    """The object keywords of some leaves, merged. goals: None = the name is impossible.

    scopes: what each leaf says of names that it does not declare; names: what `propertyNames` allows, None = anything;
    implied: names that a name brings with it; conditions: what the object must be besides if it has a name.
    """

    goals: dict[str, Goal | None]
    required: dict[str, None]
    patterns: tuple[str, ...]
    names: NameSet | None
    scopes: tuple[Scope, ...]
    closed: bool
    pointer: str
    low: int = 0
    high: int | None = None
    implied: dict[str, tuple[str, ...]] = field(default_factory=dict)
    denials: tuple[DeniedShape[RawObject] | DeniedValues[dict[str, Any]], ...] = ()
    conditions: tuple[tuple[str, RawObject], ...] = ()
    others: dict[frozenset[int], Goal | None] = field(default_factory=dict)  # memo of `other_goal`
    rules: Any = None  # `member_rules.MemberRules` where tables do not say everything

    @property
    def is_tabular(self) -> bool:
        """Whether tables of names and goals say everything."""
        return not (self.denials or self.conditions or self.implied or self.low or self.high is not None)

    def other_goal(self, matched: frozenset[int]) -> Goal | None:
        """The goal of a name that is not declared and in which exactly these patterns (indices) are found; None: not allowed."""
        if self.names == () or (self.closed and not matched):
            return None
        found = self.others.get(matched)
        if found is None:
            found = self.others[matched] = goal_by_scopes(self.scopes, matched)
        return found

    def goal_of(self, name: str, around: Surroundings) -> Goal | None:
        """The goal of any name; None: not allowed."""
        if name in self.goals:
            return self.goals[name]
        if self.names is not None and not around.name_allowed(self.names, name):
            return None
        if not self.patterns:
            return self.other_goal(_NONE)
        found = frozenset(i for i, pattern in enumerate(self.patterns) if around.matches(pattern, name))
        return self.other_goal(found)

    def key(self) -> Hashable:
        """Equal for equal objects."""
        return (
            tuple(self.goals.items()),
            tuple(self.required),
            self.patterns,
            self.names,
            self.scopes,
            self.closed,
            self.low,
            self.high,
            tuple(self.implied.items()),
            tuple(denial.key() for denial in self.denials),
            tuple((name, described.key()) for name, described in self.conditions),
        )


@dataclass(slots=True)
class DeniedShape(Generic[Raw]):
    """A description that the value must not satisfy."""

    raw: Raw

    def key(self) -> Hashable:
        return self.raw.key()


@dataclass(slots=True)
class DeniedValues(Generic[Value]):
    """Values that the value must not equal."""

    values: tuple[Value, ...]

    def key(self) -> Hashable:
        return tuple(map(value_key, self.values))


class Cell(NamedTuple):
    """Possible values of a member: their goal, the denials that they refute, the constants that they agree with."""

    goal: Goal
    refuted: int
    equal: int


def cells_by_constants(goal: Goal, inner: Sequence[tuple[int, Any]], around: Surroundings, empty: Empty) -> list[Cell]:
    """The values of a goal, told apart by which constants they agree with. inner: (bit of a constant, its value at this place)."""
    groups: dict[Hashable, tuple[Any, int]] = {}
    for bit, value in inner:
        key = value_key(value)
        groups[key] = (value, groups.get(key, (None, 0))[1] | bit)
    if not groups:
        return [Cell(goal, 0, 0)]
    cells = []
    for key, (value, bits) in groups.items():
        same = around.both(goal, around.constants({key: value}))
        if not empty(same):
            cells.append(Cell(same, 0, bits))
    listed = around.constants({key: value for key, (value, _) in groups.items()})
    cells.append(Cell(around.both(goal, around.deny(listed)), 0, 0))
    return cells


class State(NamedTuple):
    """open: denials not refuted and conditions not broken (bits); equal: constants that agree so far (bits); seen: names that matter
    (bits by index); members: their number, as far as it matters; position: names before it may not come any more (0 unless the order is
    fixed)."""

    open: int
    equal: int
    seen: int
    members: int
    position: int


# Names come once and required ones come, else nothing matters any more: for users that see to both themselves.
FREE = State(0, 0, 0, 0, -1)


def bits_of(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
