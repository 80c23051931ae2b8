"""Rules over the members of an object that tables of names and goals cannot say.

In: a `RawObject`. Out: `MemberRules`, a lazily built automaton over what was said so far of the members, for everything that depends on
several of them: counts, `dependentRequired`, *denials* (objects that the value must not be one of) and conditions (`dependentSchemas`).

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

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from structgen.errors import LimitExceeded
from structgen.schema.alternatives import Goal
from structgen.schema.member_search import Search
from structgen.schema.objects import (
    FREE,
    Cell,
    DeniedShape,
    DeniedValues,
    Empty,
    RawObject,
    State,
    Surroundings,
    bits_of,
    cells_by_constants,
)

# Names of which the rules have to keep track at most: each state says of each name what follows it.
_WIDE = 500
_NONE: frozenset[int] = frozenset()


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


class Cells:
    """The cells of a member, made as far as they are asked for. make: makes them all, always in the same order."""

    __slots__ = ("_made", "_make", "_rest")

    def __init__(self, make: Callable[[], Iterator[Cell]]) -> None:
        self._make = make
        self._made: list[Cell] = []
        self._rest: Iterator[Cell] | None = make()

    def __iter__(self) -> Iterator[Cell]:
        at = 0
        while True:
            while at < len(self._made):
                yield self._made[at]
                at += 1
            if self._rest is None:  # a limit was met there: another operation may get further
                self._rest = itertools.islice(self._make(), len(self._made), None)
            rest, self._rest = self._rest, None
            cell = next(rest, None)
            self._rest = rest
            if cell is None:
                return
            self._made.append(cell)

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None


_NO_CELLS = Cells(lambda: iter(()))


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
        self._cells: dict[Hashable, Cells] = {}
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
        self.hot = list(bits_of(hot))
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
                for other in bits_of(bits):
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

    def cells_of(self, i: int, state: State, empty: Empty) -> Cells:
        """The cells of a declared name."""
        goal = self.goals[i]
        if goal is None or (self.triggers and self._is_barred(i, state.open)):
            return _NO_CELLS
        return self.split(("name", i), goal, self.refuting[i], state, self.names[i], empty)

    def split(
        self, who: Hashable, goal: Goal, refuting: tuple[Goal | None, ...], state: State, name: str | None, empty: Empty
    ) -> Cells:
        """The values of a member, told apart by the denials that they refute and the constants that they agree with."""
        active = self._active(state.seen, who)
        key = (who, state.open, state.equal, active)
        found = self._cells.get(key) if empty == self._empty_memo else None
        if found is not None:
            return found
        cells = Cells(lambda: self._made_cells(goal, refuting, state, active, name, empty))
        if empty == self._empty_memo:
            self._cells[key] = cells
        return cells

    def _made_cells(
        self,
        goal: Goal,
        refuting: tuple[Goal | None, ...],
        state: State,
        active: int,
        name: str | None,
        empty: Empty,
    ) -> Iterator[Cell]:
        """The cells one by one, depth first over the denials.

        Those that refute as many as they can come first, since one that completes the object is often all that is asked for.
        """
        inner = [
            (1 << v, value[name])
            for v, value in enumerate(self.values)
            if state.equal >> v & 1 and name is not None and name in value
        ]
        limit = self.around.limits.max_alternatives
        is_final = empty == self._empty_memo  # else "empty" may mean "not known yet"
        concerned = [j for j, violation in enumerate(refuting) if violation is not None and state.open >> j & 1]
        stack = [(cell, 0) for cell in cells_by_constants(goal, inner, self.around, empty)]
        n_cells = 0
        while stack:
            cell, at = stack.pop()
            if at == len(concerned):
                if not empty(cell.goal):
                    n_cells += 1
                    yield cell
                continue
            j = concerned[at]
            bit, violation = 1 << j, refuting[j]
            if violation is None:
                raise RuntimeError("only denials that the member may refute are asked about")
            refutes = Cell(cell.goal, cell.refuted | bit, cell.equal)
            if violation == ALWAYS:
                if not active & bit:
                    stack.append((refutes, at + 1))
                continue
            self.around.spend(1 + len(cell.goal) ** 2 // 64)  # every part is compared with every other below
            fails = self.around.both(cell.goal, violation)
            holds = cell._replace(goal=self.around.both(cell.goal, self.around.deny(violation)))
            if active & bit:
                stack.append((holds, at + 1))
            elif not empty(fails):
                if not empty(holds.goal):
                    stack.append((holds, at + 1))
                stack.append((refutes._replace(goal=fails), at + 1))
            elif is_final or self.denied_bits & bit:
                stack.append((cell, at + 1))  # to leave a denial open promises nothing
            else:
                stack.append((holds, at + 1))
            if n_cells + len(stack) > limit:
                raise LimitExceeded(
                    f"{n_cells + len(stack)} cases of a member at #{self.raw.pointer}", limit, "max_alternatives"
                )

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

    def counted_up(self, members: int) -> int:
        """One member more, as far as that matters."""
        return min(members + 1, self.count_cap + 1) if self.counted else 0

    def _after(self, state: State, i: int, cell: Cell) -> State:
        return State(
            state.open & ~cell.refuted,
            cell.equal,
            state.seen | 1 << i,
            self.counted_up(state.members),
            i + 1 if self.ordered else 0,
        )

    def _after_other(self, state: State, cell: Cell) -> State:
        return State(
            state.open & ~cell.refuted,
            0,
            state.seen,
            self.counted_up(state.members),
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
        for v in bits_of(state.equal):
            if not self.has[v] & ~seen:
                return False
        return all(self.refuted_at_end(j, seen, state.members) for j in bits_of(state.open & self.denied_bits))

    def refuted_at_end(self, j: int, seen: int, count: int) -> bool:
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
            found = Search(self, empty).completes(state)
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
            for cell in self.split(("class", c), goal, refuting, state, None, empty):
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
            yield from bits_of(free)
            return
        if self.ordered:
            free &= ~((1 << state.position) - 1)
            required = free & self.required_bits
            if required:
                free &= 2 * (required & -required) - 1  # none after the first required one
        # a member that agrees with no constant makes the rest free, and that can be completed since this state can
        sure = 0
        if self.is_free(State(state.open, 0, 0, self.counted_up(state.members), 0)):
            compared = 0
            for v in bits_of(state.equal):
                compared |= self.has[v]
            sure = free & (~compared | self.plentiful_bits())
        for i in bits_of(free):
            if sure >> i & 1 or any(
                self.is_live(self._after(state, i, cell), empty) for cell in self.cells_of(i, state, empty)
            ):
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
                steps = ((cell.goal, self._after(state, i, cell)) for cell in self.cells_of(i, state, empty))
                found = tuple((goal, after) for goal, after in steps if self.is_live(after, empty))
            self._moves[key] = found
        return found

    def moves(self, state: State, empty: Empty) -> Moves:
        """What may come next in a live state, with every way to go on."""
        outline = self.outline(state, empty)
        named = tuple((i, goal, after) for i in outline.names for goal, after in self.moves_of(state, i, empty))
        return Moves(outline.can_close, named, outline.others, outline.rest)
