"""Object alternatives: what the leaves of a conjunction say of members, merged, and the rules that tables cannot say.

In: leaves. Out: `RawObject`, the merged keywords with the goals of members named, not looked into; and `MemberRules`, a lazily built
automaton over what was said so far of the members, for everything that depends on several of them: counts, `dependentRequired`, and
*denials* (objects that the value must not be one of) and conditions (`dependentSchemas`).

The state of `MemberRules` is (denials not yet refuted, constants still equal, names seen, members counted, position in a fixed order). A
denied object is refuted by a member that fails in it, by a name that it requires and that stays away, or by the number of members.
A condition is broken by a member that fails in it; from then on its name may not come, and once the name came no member may break it.
A member's possible values are split into *cells*, so that each cell says which denials it refutes; cells are goals like all others.
No dead ends: a state is entered only if it can be completed, which a depth-first search over the few names that matter decides exactly.

Limits: `Limits.max_alternatives` cells per member, and the steps of searches (`Limits.max_schema_steps`). Other names are taken to be
inexhaustible where infinitely many are admitted; names of small finite patterns are declared names before they come here.
Turned down: an alternative per way to refute a denial (n properties in each of k denied objects are n^k alternatives).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from structgen.errors import LimitExceeded, Limits
from structgen.schema.alternatives import Goal, Scope, String, StringEnum
from structgen.schema.constants import value_key

NameSet = tuple[String | StringEnum, ...]
Empty = Callable[[Goal], bool]

# Names that a search weighs against each other at most: it goes one call deeper for each.
_MANY_NAMES = 300
# Names of which the rules have to keep track at most: each state says of each name what follows it.
_WIDE = 500
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
    rules: MemberRules | None = None

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


class Outline(NamedTuple):
    """What may come in a state. names: declared names that matter (`MemberRules.moves_of` says how each goes on); others: (class
    index, goal, next); rest: the state after a name that does not matter, None if none may come."""

    can_close: bool
    names: tuple[int, ...]
    others: tuple[tuple[int, Goal, State], ...]
    rest: State | None


class Moves(NamedTuple):
    """An `Outline` with every way to go on: named: (name index, goal, next)."""

    can_close: bool
    named: tuple[tuple[int, Goal, State], ...]
    others: tuple[tuple[int, Goal, State], ...]
    rest: State | None


ALWAYS: Goal = ()  # in `refuting`: every value of the member refutes the denial


class MemberRules:
    """The automaton of one object. names: declared names in their order, `goals` theirs (None: impossible).

    classes: signatures of other names (`add_class`); each has infinitely many names.
    """

    def __init__(
        self, raw: RawObject, around: Surroundings, is_plentiful: Callable[[Goal], bool], *, ordered: bool
    ) -> None:
        self.raw, self.around, self.ordered = raw, around, ordered
        self._is_plentiful = is_plentiful
        self.naming: Any = None  # how other names are told apart (merging.Naming)
        self.impossible = False
        self.objects = [denial.raw for denial in raw.denials if isinstance(denial, DeniedShape)]
        listed = [denial for denial in raw.denials if isinstance(denial, DeniedValues)]
        self.values = [value for denial in listed for value in denial.values]
        names: dict[str, None] = dict.fromkeys(raw.goals)
        for denied in self.objects:
            names.update(dict.fromkeys(denied.goals))
            names.update(dict.fromkeys(denied.required))
        for trigger, described in raw.conditions:
            names.update(dict.fromkeys((trigger, *described.goals, *described.required)))
        for described in (raw, *self.objects):
            for name, brought in described.implied.items():
                names.update(dict.fromkeys((name, *brought)))
        for value in self.values:
            names.update(dict.fromkeys(value))
        self.names = list(names)
        self.goals: list[Goal | None] = list(raw.goals.values())
        self.goals += [raw.goal_of(name, around) for name in self.names[len(self.goals) :]]
        self.index = {name: i for i, name in enumerate(self.names)}
        self.required = [name in raw.required for name in self.names]
        self._fold()
        self._n_denied = len(self.objects)
        self.denied_bits = (1 << self._n_denied) - 1
        self.triggers = [self.index[name] for name, _ in raw.conditions]  # of the objects after the denied ones
        self.objects += [described for _, described in raw.conditions]
        self.low, self.high = raw.low, raw.high
        self.classes: list[tuple[Goal, tuple[Goal | None, ...]]] = []
        self._class_numbers: dict[Hashable, int] = {}
        self._prepare()
        self._cells: dict[Hashable, tuple[Cell, ...]] = {}
        self._live: dict[State, bool] = {}
        self._outlines: dict[State, Outline] = {}
        self._moves: dict[tuple[State, int], tuple[tuple[Goal, State], ...]] = {}
        self._plentiful: int | None = None
        self._inhabited: int | None = None
        self._empty_memo: Empty | None = None

    # -- preparation -------------------------------------------------------------------------------------------------------------

    def _violation(self, denied: RawObject, name: str, goal: Goal | None) -> Goal | None:
        """The goal of values of a member that fail in a denied object: ALWAYS = all fail, None = none can."""
        if goal is None:
            return None
        there = denied.goal_of(name, self.around)
        if there is None:
            return ALWAYS
        if not there or set(there) <= set(goal):
            return None
        return self.around.deny(there)

    def _fold(self) -> None:
        """Denials that speak of one name only become part of that name's goal; satisfied ones go; contradictions are noted."""
        again = True
        while again:
            again = False
            kept = []
            for denied in self.objects:
                verdict = self._folded(denied)
                if verdict is None:
                    kept.append(denied)
                elif verdict:
                    again = True
            self.objects = kept

    def _folded(self, denied: RawObject) -> bool | None:
        """None: the denial stays; True: folded into a goal; False: it holds anyway."""
        if denied.low or denied.high is not None or denied.implied or self._denies_others(denied):
            return None
        absent = []
        for name in denied.required:
            i = self.index[name]
            if self.goals[i] is None:
                return False  # required there, impossible here
            if not self.required[i]:
                absent.append(name)
        failing = {}
        for name in denied.goals:  # nothing is denied of others
            i = self.index[name]
            violation = self._violation(denied, name, self.goals[i])
            if violation is not None:
                failing[name] = violation
                if violation == ALWAYS and self.required[i]:
                    return False
        concerned = {*absent, *failing}
        if not concerned:
            self.impossible = True
            return False
        if len(concerned) > 1:
            return None
        name = concerned.pop()
        i = self.index[name]
        if name in failing:
            if failing[name] != ALWAYS:
                self.goals[i] = self.around.both(self.goals[i], failing[name])
            if not absent:
                self.required[i] = True
        else:
            self.goals[i] = None
        return True

    def _denies_others(self, denied: RawObject) -> bool:
        """Whether names that nobody declares may fail in a denied object."""
        return bool(denied.scopes) or denied.names is not None or denied.closed

    def _prepare(self) -> None:
        n = len(self.names)
        self.around.spend(n * len(self.objects) // 4)
        for i in range(n):
            if self.required[i] and self.goals[i] is None:
                self.impossible = True
        columns = [self._violations(denied) for denied in self.objects]
        self.refuting: list[tuple[Goal | None, ...]] = list(zip(*columns, strict=True)) if columns else [()] * n
        hot = 0
        for i, row in enumerate(self.refuting):
            if any(violation is not None for violation in row):
                hot |= 1 << i
        self.missing = [0] * n  # denials that are refuted when the name stays away
        for j, denied in enumerate(self.objects[: self._n_denied]):
            for name in denied.required:
                self.missing[self.index[name]] |= 1 << j
                hot |= 1 << self.index[name]
        self.implied = [
            (self.index[name], sum(1 << self.index[other] for other in dict.fromkeys(brought)))
            for name, brought in self.raw.implied.items()
        ]
        for trigger, described in zip(self.triggers, self.objects[self._n_denied :], strict=True):
            brought_bits = sum(1 << self.index[name] for name in described.required) & ~(1 << trigger)
            if brought_bits:
                self.implied.append((trigger, brought_bits))
        self.has = [sum(1 << self.index[name] for name in value) for value in self.values]
        self.counted = bool(self.low or self.high is not None) or any(
            denied.low or denied.high is not None for denied in self.objects
        )
        tops = [bound + 1 for denied in self.objects for bound in (denied.low, denied.high or 0)]
        self.count_cap = max([self.low, self.high or 0, *tops])
        for bits in self.has:
            hot |= bits
        for described in (self.raw, *self.objects):
            for name, names in described.implied.items():
                for other in (name, *names):
                    hot |= 1 << self.index[other]
        for trigger, brought_bits in self.implied:
            hot |= 1 << trigger | brought_bits
        for trigger in self.triggers:
            hot |= 1 << trigger
        self.brings = self._closed_implications()
        self.needs_seen = bool(self.triggers) or any(described.implied for described in (self.raw, *self.objects))
        self.hot = list(_bits(hot))
        self.hot_bits = hot
        self.relevant_bits = (1 << n) - 1 if self.counted or self.ordered else hot
        self.forced = any(self.required[trigger] for trigger in self.triggers)
        if self.relevant_bits.bit_count() > _WIDE:
            raise LimitExceeded(
                f"counts or dependencies over {self.relevant_bits.bit_count()} names at #{self.raw.pointer}",
                f"{_WIDE} names",
            )
        self.required_bits = sum(1 << i for i in range(n) if self.required[i])
        self.possible_bits = sum(1 << i for i in range(n) if self.goals[i] is not None)

    def _violations(self, denied: RawObject) -> list[Goal | None]:
        """`_violation` of every name. The names that a denied object does not declare are mostly alike."""
        if denied.patterns or denied.names is not None:
            return [self._violation(denied, name, goal) for name, goal in zip(self.names, self.goals, strict=True)]
        others = denied.other_goal(_NONE)
        column: list[Goal | None] = [None] * len(self.names)
        if others is None:
            column = [None if goal is None else ALWAYS for goal in self.goals]
        elif others:
            failing, first = self.around.deny(others), others[0]
            column = [
                None if goal is None or (first in goal and set(others) <= set(goal)) else failing for goal in self.goals
            ]
        for name in denied.goals:
            i = self.index[name]
            column[i] = self._violation(denied, name, self.goals[i])
        return column

    def _closed_implications(self) -> list[int]:
        """Per name all names that it brings, directly or not (bits)."""
        brings = [0] * len(self.names)
        for name, brought in self.implied:
            brings[name] |= brought
        again = True
        while again:
            again = False
            for name, _ in reversed(self.implied):  # a chain is mostly written forwards
                bits = brings[name]
                for other in _bits(bits):
                    bits |= brings[other]
                if bits != brings[name]:
                    brings[name], again = bits, True
            self.around.spend(len(self.implied))
        return brings

    def add_class(self, goal: Goal, violations: tuple[Goal | None, ...]) -> int:
        """The number of a class of other names: the goal of its values and, per denied object, of those that fail there."""
        key = (goal, violations)
        number = self._class_numbers.get(key)
        if number is None:
            number = self._class_numbers[key] = len(self.classes)
            self.classes.append(key)
        return number

    def inhabited_bits(self, empty: Empty) -> int:
        """The names that have a value (bits)."""
        if empty == self._empty_memo and self._inhabited is not None:
            return self._inhabited
        bits = 0
        for i, goal in enumerate(self.goals):
            if goal is not None and not empty(goal):
                bits |= 1 << i
        if empty == self._empty_memo:
            self._inhabited = bits
        return bits

    def open_classes(self, empty: Empty) -> list[tuple[int, Goal, tuple[Goal | None, ...]]]:
        """(number, goal, violations) of the classes of other names that have values."""
        return [(c, goal, refuting) for c, (goal, refuting) in enumerate(self.classes) if not empty(goal)]

    def violations_of(self, goal: Goal, denied: Sequence[Goal | None]) -> tuple[Goal | None, ...]:
        """Per denied object the goal of failing values of other names. denied: its own goal for these names."""
        out: list[Goal | None] = []
        for there in denied:
            if there is None:
                out.append(ALWAYS)
            elif not there or set(there) <= set(goal):
                out.append(None)
            else:
                out.append(self.around.deny(there))
        return tuple(out)

    # -- cells -------------------------------------------------------------------------------------------------------------------

    def start(self) -> State:
        """The state before the first member."""
        return State((1 << len(self.objects)) - 1, (1 << len(self.values)) - 1, 0, 0, 0)

    def _cells_of(self, i: int, state: State, empty: Empty) -> tuple[Cell, ...]:
        goal = self.goals[i]
        if goal is None or (self.triggers and self._is_barred(i, state.open)):
            return ()
        return self._split(("name", i), goal, self.refuting[i], state, self.names[i], empty)

    def _split(
        self, who: Hashable, goal: Goal, refuting: tuple[Goal | None, ...], state: State, name: str | None, empty: Empty
    ) -> tuple[Cell, ...]:
        active = self._active(state.seen, who)
        key = (who, state.open, state.equal, active)
        found = self._cells.get(key) if empty == self._empty_memo else None
        if found is not None:
            return found
        inner = [
            (1 << v, value[name])
            for v, value in enumerate(self.values)
            if state.equal >> v & 1 and name is not None and name in value
        ]
        cells = cells_by_constants(goal, inner, self.around, empty)
        limit = self.around.limits.max_alternatives
        is_final = empty == self._empty_memo  # else "empty" may mean "not known yet"
        for j, violation in enumerate(refuting):
            bit = 1 << j
            if violation is None or not state.open & bit:
                continue
            if violation == ALWAYS:
                cells = [] if active & bit else [Cell(cell.goal, cell.refuted | bit, cell.equal) for cell in cells]
                continue
            kept = self.around.deny(violation)
            self.around.spend(len(cells))
            split = []
            for cell in cells:
                fails, holds = self.around.both(cell.goal, violation), self.around.both(cell.goal, kept)
                if active & bit:
                    split.append(Cell(holds, cell.refuted, cell.equal))
                elif not empty(fails):
                    split.append(Cell(fails, cell.refuted | bit, cell.equal))
                    if not empty(holds):
                        split.append(Cell(holds, cell.refuted, cell.equal))
                elif is_final or self.denied_bits & bit:
                    split.append(cell)  # to leave a denial open promises nothing
                else:
                    split.append(Cell(holds, cell.refuted, cell.equal))
            cells = split
            if len(cells) > limit:
                raise LimitExceeded(f"{len(cells)} cases of a member at #{self.raw.pointer}", limit, "max_alternatives")
        result = tuple(cell for cell in cells if not empty(cell.goal))
        if empty == self._empty_memo:
            self._cells[key] = result
        return result

    def _active(self, seen: int, who: Hashable) -> int:
        """The conditions (bits) whose name came, or is the member in question."""
        return sum(
            1 << self._n_denied + number
            for number, trigger in enumerate(self.triggers)
            if seen >> trigger & 1 or who == ("name", trigger)
        )

    def _is_barred(self, i: int, opened: int) -> bool:
        """Whether a name brings in a condition that is broken already."""
        return any(
            trigger == i and not opened >> self._n_denied + number & 1 for number, trigger in enumerate(self.triggers)
        )

    def remember(self, empty: Empty) -> None:
        """From now on results for this oracle are kept (it must give final answers)."""
        self._empty_memo = empty
        self._inhabited = None
        self._cells.clear()
        self._live.clear()

    # -- states ------------------------------------------------------------------------------------------------------------------

    def _counted_up(self, members: int) -> int:
        """One member more, as far as that matters."""
        return min(members + 1, self.count_cap + 1) if self.counted else 0

    def _after(self, state: State, i: int, cell: Cell) -> State:
        return State(
            state.open & ~cell.refuted,
            cell.equal,
            state.seen | 1 << i,
            self._counted_up(state.members),
            i + 1 if self.ordered else 0,
        )

    def _after_other(self, state: State, cell: Cell) -> State:
        return State(
            state.open & ~cell.refuted,
            0,
            state.seen,
            self._counted_up(state.members),
            len(self.names) if self.ordered else 0,
        )

    def can_close(self, state: State) -> bool:
        """Whether the object may end, apart from required names that do not matter here."""
        if state == FREE:
            return True
        seen = state.seen
        if self.required_bits & self.relevant_bits & ~seen:
            return False
        if self.counted and (state.members < self.low or (self.high is not None and state.members > self.high)):
            return False
        for name, brought in self.implied:
            if seen >> name & 1 and brought & ~seen:
                return False
        for v in _bits(state.equal):
            if not self.has[v] & ~seen:
                return False
        return all(self._refuted_at_end(j, seen, state.members) for j in _bits(state.open & self.denied_bits))

    def _refuted_at_end(self, j: int, seen: int, count: int) -> bool:
        denied = self.objects[j]
        if any(not seen >> self.index[name] & 1 for name in denied.required):
            return True
        if count < denied.low or (denied.high is not None and count > denied.high):
            return True
        return any(
            seen >> self.index[name] & 1
            and any(other not in self.index or not seen >> self.index[other] & 1 for other in brought)
            for name, brought in denied.implied.items()
            if name in self.index
        )

    def is_live(self, state: State, empty: Empty) -> bool:
        """Whether members can follow that complete the object."""
        if state == FREE:
            return True
        keep = empty == self._empty_memo
        found = self._live.get(state) if keep else None
        if found is None:
            found = _Search(self, empty).completes(state)
            if keep:
                self._live[state] = found
        return found

    def is_satisfiable(self, empty: Empty) -> bool:
        """Whether anything satisfies the rules."""
        return self.is_live(self.start(), empty)

    def is_free(self, state: State) -> bool:
        """Whether from a live state on nothing matters but that names come once and required ones come."""
        if state == FREE:
            return True
        if state.open or state.equal or self.implied or self.triggers:
            return False
        return not self.counted or (self.high is None and state.members >= self.low)

    def outline(self, state: State, empty: Empty) -> Outline:
        """What may come next in a live state; every move leads to a live state."""
        found = self._outlines.get(state)
        if found is not None:
            return found
        names = tuple(self._admitted(state, empty))
        others = []
        for c, goal, refuting in self.open_classes(empty):
            if state == FREE:
                others.append((c, goal, FREE))
                continue
            for cell in self._split(("class", c), goal, refuting, state, None, empty):
                after = self._after_other(state, cell)
                if self.is_live(after, empty):
                    others.append((c, cell.goal, after))
        rest: State | None = None
        if self.possible_bits & ~self.relevant_bits:
            after = FREE if state == FREE else State(state.open, 0, state.seen, state.members, 0)
            rest = after if self.is_live(after, empty) else None
        found = self._outlines[state] = Outline(self.can_close(state), names, tuple(others), rest)
        return found

    def _admitted(self, state: State, empty: Empty) -> Iterable[int]:
        """The names that matter and that may come in a live state."""
        free = self.relevant_bits & self.inhabited_bits(empty) & ~state.seen
        if state == FREE:
            yield from _bits(free)
            return
        if self.ordered:
            free &= ~((1 << state.position) - 1)
            required = free & self.required_bits
            if required:
                free &= 2 * (required & -required) - 1  # none after the first required one
        # a member that agrees with no constant makes the rest free, and that can be completed since this state can
        sure = 0
        if self.is_free(State(state.open, 0, 0, self._counted_up(state.members), 0)):
            compared = 0
            for v in _bits(state.equal):
                compared |= self.has[v]
            sure = free & (~compared | self.plentiful_bits())
        for i in _bits(free):
            if sure >> i & 1 or self.moves_of(state, i, empty):
                yield i

    def plentiful_bits(self) -> int:
        """The names whose values are never used up (bits)."""
        if self._plentiful is None:
            self._plentiful = 0
            for i, goal in enumerate(self.goals):
                if goal is not None and self._is_plentiful(goal):
                    self._plentiful |= 1 << i
        return self._plentiful

    def moves_of(self, state: State, i: int, empty: Empty) -> tuple[tuple[Goal, State], ...]:
        """(goal, next) of each way to go on with a name that matters."""
        key = (state, i)
        found = self._moves.get(key)
        if found is None:
            if state == FREE:
                goal = self.goals[i]
                found = () if goal is None or empty(goal) else ((goal, FREE),)
            else:
                steps = ((cell.goal, self._after(state, i, cell)) for cell in self._cells_of(i, state, empty))
                found = tuple((goal, after) for goal, after in steps if self.is_live(after, empty))
            self._moves[key] = found
        return found

    def moves(self, state: State, empty: Empty) -> Moves:
        """What may come next in a live state, with every way to go on."""
        outline = self.outline(state, empty)
        named = tuple((i, goal, after) for i in outline.names for goal, after in self.moves_of(state, i, empty))
        return Moves(outline.can_close, named, outline.others, outline.rest)


class _Search:
    """Whether a state can be completed: depth first over the names that matter, each absent or in one of its cells."""

    def __init__(self, rules: MemberRules, empty: Empty) -> None:
        self.rules, self.empty = rules, empty
        self.failed: set[Hashable] = set()
        self.classes = rules.open_classes(empty)

    def completes(self, state: State) -> bool:
        rules = self.rules
        if rules.impossible:
            return False
        hot = rules.hot_bits
        n = len(rules.names)
        free = ((1 << n) - 1) & ~state.seen & ~((1 << state.position) - 1)
        if rules.required_bits & rules.relevant_bits & ~state.seen & ~free:
            return False  # a required name was skipped
        free &= rules.possible_bits
        # names that do not matter but for their number; those that are not relevant are required natively
        inhabited = rules.inhabited_bits(self.empty)
        if free & ~hot & rules.required_bits & ~inhabited:
            return False
        verdict = self._by_closure(state, free & inhabited)
        if verdict is None:
            verdict = self._by_plenty(state, free & inhabited)
        if verdict is not None:
            return verdict
        cold = free & ~hot & rules.relevant_bits
        self.cold_required = (cold & rules.required_bits).bit_count()
        self.cold_others = (cold & ~rules.required_bits & inhabited).bit_count()
        self.any_cold = bool((free | rules.possible_bits & ~rules.relevant_bits) & ~hot & inhabited)
        if len(rules.hot) > _MANY_NAMES:
            raise LimitExceeded(
                f"{len(rules.hot)} names that depend on each other at #{rules.raw.pointer}", f"{_MANY_NAMES} names"
            )
        self.names = [i for i in rules.hot if free >> i & 1]
        absent = hot & ~state.seen & ~free
        opened = state.open
        equal = state.equal
        for i in _bits(absent):
            if rules.required[i]:
                return False
            opened &= ~rules.missing[i]
            equal = self._without(equal, i)
        return self._visit(0, opened, equal, state.seen, state.members)

    def _by_closure(self, state: State, free: int) -> bool | None:
        """The verdict where only what names bring with them, and a least number of members, has to be weighed; None elsewhere.

        The fewest names that complete the object are the required ones with all that they bring, since implications have one
        consequence each (Horn clauses have a least model).
        """
        rules = self.rules
        if state.open & rules.denied_bits or state.equal or rules.triggers:
            return None
        need = rules.required_bits
        for i in _bits(state.seen | rules.required_bits):
            need |= rules.brings[i]
        need &= ~state.seen & (rules.relevant_bits | rules.hot_bits | ~rules.possible_bits)
        if need & ~free:
            return False
        if not rules.counted:
            return True
        total = state.members + need.bit_count()
        if rules.high is not None and max(total, rules.low) > rules.high:
            return False
        if total >= rules.low or self.classes:
            return True
        return None if rules.hot else total + (free & ~need).bit_count() >= rules.low

    def _by_plenty(self, state: State, free: int) -> bool | None:
        """True where a member that agrees with no constant may come and all else is settled; None elsewhere."""
        rules = self.rules
        if not rules.is_free(State(state.open, 0, 0, rules._counted_up(state.members), 0)):
            return None
        if rules.required_bits & ~state.seen & rules.possible_bits & ~free:
            return None
        return True if self.classes or free & rules.plentiful_bits() else None

    def _without(self, equal: int, i: int) -> int:
        for v in _bits(equal):
            if self.rules.has[v] >> i & 1:
                equal &= ~(1 << v)
        return equal

    def _visit(self, at: int, opened: int, equal: int, seen: int, count: int) -> bool:
        rules = self.rules
        denials = opened & rules.denied_bits
        if not (denials or equal or rules.implied or rules.counted or rules.forced):
            here = State(opened, 0, seen, 0, 0)
            return all(not rules.required[i] or rules._cells_of(i, here, self.empty) for i in self.names[at:])
        if at == len(self.names):
            return self._ends(opened, equal, seen, count)
        key = (at, opened, equal, seen & rules.hot_bits if rules.needs_seen else 0, count)
        if key in self.failed:
            return False
        rules.around.spend()
        i = self.names[at]
        # a name that may refute all that is open is tried as present first
        hopeful = all(rules.refuting[i][j] is not None for j in _bits(denials))
        for is_present in (hopeful, not hopeful):
            if is_present:
                found = self._visit_present(at, opened, equal, seen, count)
            else:
                rest = self._without(equal, i)
                found = not rules.required[i] and self._visit(at + 1, opened & ~rules.missing[i], rest, seen, count)
            if found:
                return True
        self.failed.add(key)
        return False

    def _visit_present(self, at: int, opened: int, equal: int, seen: int, count: int) -> bool:
        rules, i = self.rules, self.names[at]
        cells = rules._cells_of(i, State(opened, equal, seen, count, 0), self.empty)
        return any(
            self._visit(at + 1, opened & ~cell.refuted, cell.equal, seen | 1 << i, rules._counted_up(count))
            for cell in sorted(cells, key=lambda cell: (cell.equal != 0, -cell.refuted.bit_count()))
        )

    def _ends(self, opened: int, equal: int, seen: int, count: int) -> bool:
        """Every name that matters is decided; other names and the number of members are left."""
        rules = self.rules
        for name, brought in rules.implied:
            if seen >> name & 1 and brought & ~seen:
                return False
        least = count + self.cold_required if rules.counted else 0
        for extra, still_open in self._by_others(opened, seen):
            still_open &= rules.denied_bits
            if equal and not extra and not self.any_cold:
                if not self.classes:
                    continue
                extra = 1
            if not rules.counted:
                if all(rules._refuted_at_end(j, seen, 0) for j in _bits(still_open)):
                    return True
                continue
            low = least + extra
            if equal and not extra and not self.cold_required:
                low = max(low, count + 1)
            high = None if self.classes else count + self.cold_required + self.cold_others + extra
            tops = {low, rules.low, *(denied.low for denied in rules.objects)}
            tops |= {denied.high + 1 for denied in rules.objects if denied.high is not None}
            for total in sorted(tops):
                if total < low or (high is not None and total > high) or total < rules.low:
                    continue
                if rules.high is not None and total > rules.high:
                    continue
                if all(rules._refuted_at_end(j, seen, total) for j in _bits(still_open)):
                    return True
        return False

    def _by_others(self, opened: int, seen: int) -> Iterable[tuple[int, int]]:
        """(members with other names, denials still open) that a few such members lead to; none first."""
        yield 0, opened
        rules = self.rules
        reached = {opened: 0}
        frontier = [opened]
        extra = 0
        while frontier:
            extra += 1
            following = []
            for mask in frontier:
                state = State(mask, 0, seen, 0, 0)
                for c, goal, refuting in self.classes:
                    for cell in rules._split(("class", c), goal, refuting, state, None, self.empty):
                        after = mask & ~cell.refuted
                        if after not in reached:
                            reached[after] = extra
                            following.append(after)
                            yield extra, after
            frontier = following


def _bits(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
