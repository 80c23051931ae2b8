"""Array alternatives: what the leaves of a conjunction say of items, merged, and the rules that counts alone cannot say.

In: leaves. Out: `RawArray`, the merged keywords; and `ItemRules`, a lazily built automaton over what was said so far of the items, for
`contains`, `uniqueItems` and *denials* (arrays that the value must not be one of).

The state of `ItemRules` is (position, counts of matching items, denials not yet refuted, constants still equal, values so far). An item's
possible values are split into cells by whether they match each `contains` and fail in each denied array. Positions and counts stop where
they no longer matter. A state is entered only if it can be completed: decided over the finite graph of states without values, and
for unique items by a matching between the positions that are still needed and the values that are left (a system of distinct
representatives; positions with enough values of their own need none).

Limits: `Limits.max_alternatives` cells per item and states per search times 16 (LimitExceeded).
Turned down: `contains` as an alternative per position of the matching item (no end without `maxItems`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from structgen.errors import LimitExceeded
from structgen.schema.alternatives import Goal
from structgen.schema.constants import value_key
from structgen.schema.objects import Cell, DeniedShape, DeniedValues, Empty, Surroundings, cells_by_constants

_SEARCH = 16
# Items up to which it is told whether distinct values are left for them, where the fewest items do not do.
_MANY_ITEMS = 1_000

Values = Callable[[Goal, int], tuple[list[Any], bool]]  # (goal, cap) -> values, whether these are all


@dataclass(frozen=True, slots=True)
class Contains:
    """How many items match a goal. high None: any number."""

    goal: Goal
    low: int
    high: int | None


@dataclass(slots=True)
class RawArray:
    """The array keywords of some leaves, merged. items: goal of the positions after `prefix`, None: there are none."""

    prefix: tuple[Goal, ...]
    items: Goal | None
    low: int
    high: int | None
    pointer: str
    contains: tuple[Contains, ...] = ()
    unique: bool = False
    denials: tuple[DeniedShape[RawArray] | DeniedValues[list[Any]], ...] = ()
    rules: ItemRules | None = None

    @property
    def is_tabular(self) -> bool:
        """Whether goals by position and two counts say everything."""
        return not (self.contains or self.denials or (self.unique and (self.high is None or self.high > 1)))

    def goal_at(self, position: int) -> Goal | None:
        """The goal of an item; None: there is no such position."""
        if self.high is not None and position >= self.high:
            return None
        return self.prefix[position] if position < len(self.prefix) else self.items

    def key(self) -> Hashable:
        """Equal for equal arrays."""
        return (
            self.prefix,
            self.items,
            self.low,
            self.high,
            self.contains,
            self.unique,
            tuple(denial.key() for denial in self.denials),
        )


class ArrayState(NamedTuple):
    """position, counts, open: as far as they matter (see the module); equal: constants that agree so far (bits).

    values: keys of the items so far where items must differ, else None; repeated: whether two were equal.
    """

    position: int
    counts: tuple[int, ...]
    open: int
    equal: int
    values: frozenset[Hashable] | None
    repeated: bool


class ArrayMoves(NamedTuple):
    """What may come in a state: (goal, next); with `captures` the next state is had from `ItemRules.read`."""

    can_close: bool
    items: tuple[tuple[Goal, ArrayState], ...]
    captures: bool


class ItemRules:
    """The automaton of one array."""

    def __init__(self, raw: RawArray, around: Surroundings, values: Values) -> None:
        self.raw, self.around, self._values_of = raw, around, values
        self.arrays = [denial.raw for denial in raw.denials if isinstance(denial, DeniedShape)]
        listed = [denial for denial in raw.denials if isinstance(denial, DeniedValues)]
        self.values = [value for denial in listed for value in denial.values]
        self.counted: list[Contains] = []
        self._counters: list[list[int]] = []  # per denied array the counters of its `contains`
        for wanted in raw.contains:
            self._counter(wanted.goal)
        for denied in self.arrays:
            self._counters.append([self._counter(wanted.goal) for wanted in denied.contains])
        self._wanted = [(self._counter(wanted.goal), wanted.low, wanted.high) for wanted in raw.contains]
        n = len(self.counted)
        self._caps = [0] * n
        for number, low, high in self._wanted:
            self._caps[number] = max(self._caps[number], low, (high or 0) + (high is not None))
        for denied, numbers in zip(self.arrays, self._counters, strict=True):
            for number, wanted in zip(numbers, denied.contains, strict=True):
                self._caps[number] = max(self._caps[number], wanted.low, (wanted.high or 0) + (wanted.high is not None))
        self.tracks_values = raw.unique or any(denied.unique for denied in self.arrays)
        lengths = [len(raw.prefix), raw.low]
        for denied in self.arrays:
            lengths += [len(denied.prefix), denied.low, (denied.high or 0) + (denied.high is not None)]
        lengths += [len(value) for value in self.values]
        if self.tracks_values:
            lengths.append(1)  # a first item cannot repeat another
        self._cap = max(lengths) if raw.high is None else raw.high
        self._cells: dict[Hashable, tuple[tuple[Goal, ArrayState], ...]] = {}
        self._live: dict[Hashable, bool] = {}
        self._moves: dict[ArrayState, ArrayMoves] = {}
        self._empty_memo: Empty | None = None
        self._keys: dict[Hashable, tuple[int, Any]] = {}  # of items that came: (number, value)

    def _counter(self, goal: Goal) -> int:
        for number, known in enumerate(self.counted):
            if known.goal == goal:
                return number
        self.counted.append(Contains(goal, 0, None))
        return len(self.counted) - 1

    def remember(self, empty: Empty) -> None:
        """From now on results for this oracle are kept (it must give final answers)."""
        self._empty_memo = empty
        self._cells.clear()
        self._live.clear()

    def start(self) -> ArrayState:
        """The state before the first item."""
        return ArrayState(
            0,
            (0,) * len(self.counted),
            (1 << len(self.arrays)) - 1,
            (1 << len(self.values)) - 1,
            frozenset() if self.tracks_values else None,
            False,
        )

    # -- cells -------------------------------------------------------------------------------------------------------------------

    def _steps(self, state: ArrayState, empty: Empty) -> tuple[tuple[Goal, ArrayState], ...]:
        """The cells of the next item and the states after them, values left out of account."""
        plain = state._replace(values=None, repeated=False)
        keep = empty == self._empty_memo
        found = self._cells.get(plain) if keep else None
        if found is None:
            found = tuple(self._split(plain, empty))
            if keep:
                self._cells[plain] = found
        return found

    def _check(self, n_cells: int) -> None:
        self.around.spend(n_cells)
        limit = self.around.limits.max_alternatives
        if n_cells > limit:
            raise LimitExceeded(f"{n_cells} cases of an item at #{self.raw.pointer}", limit, "max_alternatives")

    def _split(self, state: ArrayState, empty: Empty) -> Iterable[tuple[Goal, ArrayState]]:
        raw, around = self.raw, self.around
        position = state.position
        goal = raw.goal_at(position)
        if goal is None or empty(goal):
            return
        inner = [
            (1 << v, value[position])
            for v, value in enumerate(self.values)
            if state.equal >> v & 1 and len(value) > position
        ]
        cells: list[tuple[Cell, int]] = [(cell, 0) for cell in cells_by_constants(goal, inner, around, empty)]
        is_final = empty == self._empty_memo  # else "empty" may mean "not known yet"
        for number, wanted in enumerate(self.counted):
            if state.counts[number] >= self._caps[number]:
                continue  # one more does not matter
            split = []
            for cell, matched in cells:
                inside = around.both(cell.goal, wanted.goal)
                outside = around.both(cell.goal, around.deny(wanted.goal))
                if not empty(inside):
                    split.append((cell._replace(goal=inside), matched | 1 << number))
                elif is_final:
                    split.append((cell, matched))  # none matches, for sure
                    continue
                if not empty(outside):
                    split.append((cell._replace(goal=outside), matched))
            cells = split
            self._check(len(cells))
        for j, denied in enumerate(self.arrays):
            bit = 1 << j
            if not state.open & bit:
                continue
            there = denied.goal_at(position)
            if there is None:  # the denied array has no such position: its length refutes it
                cells = [(cell._replace(refuted=cell.refuted | bit), matched) for cell, matched in cells]
                continue
            if not there or set(there) <= set(goal):
                continue
            split = []
            for cell, matched in cells:
                fails = around.both(cell.goal, around.deny(there))
                if empty(fails):
                    split.append((cell, matched))
                    continue
                split.append((cell._replace(goal=fails, refuted=cell.refuted | bit), matched))
                holds = around.both(cell.goal, there)
                if not empty(holds):
                    split.append((cell._replace(goal=holds), matched))
            cells = split
            self._check(len(cells))
        after_position = min(position + 1, self._cap)
        for cell, matched in cells:
            if empty(cell.goal):
                continue
            counts = tuple(
                min(count + (matched >> number & 1), self._caps[number]) for number, count in enumerate(state.counts)
            )
            yield (
                cell.goal,
                ArrayState(
                    after_position, counts, state.open & ~cell.refuted, cell.equal, state.values, state.repeated
                ),
            )

    # -- states ------------------------------------------------------------------------------------------------------------------

    def can_close(self, state: ArrayState) -> bool:
        """Whether the array may end here."""
        raw = self.raw
        if state.position < raw.low or (raw.unique and state.repeated):
            return False
        for number, low, high in self._wanted:
            if state.counts[number] < low or (high is not None and state.counts[number] > high):
                return False
        for v, value in enumerate(self.values):
            if state.equal >> v & 1 and len(value) == state.position:
                return False
        for j, denied in enumerate(self.arrays):
            if state.open >> j & 1 and not self._refuted_at_end(denied, self._counters[j], state):
                return False
        return True

    def _refuted_at_end(self, denied: RawArray, counters: list[int], state: ArrayState) -> bool:
        n = state.position
        if n < denied.low or (denied.high is not None and n > denied.high):
            return True
        if denied.unique and state.repeated:
            return True
        for number, wanted in zip(counters, denied.contains, strict=True):
            count = state.counts[number]
            if count < wanted.low or (wanted.high is not None and count > wanted.high):
                return True
        return False

    def is_live(self, state: ArrayState, empty: Empty) -> bool:
        """Whether items can follow that complete the array."""
        if self.can_close(state):
            return True
        if self.tracks_values:
            return self._values_complete(state, empty)
        return self._completes(state, empty)

    def is_satisfiable(self, empty: Empty) -> bool:
        """Whether anything satisfies the rules."""
        return self.is_live(self.start(), empty)

    def _completes(self, state: ArrayState, empty: Empty) -> bool:
        keep = empty == self._empty_memo
        known = self._live if keep else {}
        found = known.get(state)
        if found is not None:
            return found
        # forward to all states, then backward from those that may close
        limit = self.around.limits.max_alternatives * _SEARCH
        sources: dict[ArrayState, list[ArrayState]] = {state: []}
        work = [state]
        ends: list[ArrayState] = []
        while work:
            at = work.pop()
            if self.can_close(at) or known.get(at):
                ends.append(at)
                continue
            self.around.spend()
            for _, after in self._steps(at, empty):
                if after not in sources:
                    sources[after] = []
                    work.append(after)
                sources[after].append(at)
            if len(sources) > limit:
                raise LimitExceeded(
                    f"{len(sources)} states of an array at #{self.raw.pointer}", limit, "max_alternatives"
                )
            if ends and not keep:
                break
        live = set(ends)
        while ends:
            for before in sources[ends.pop()]:
                if before not in live:
                    live.add(before)
                    ends.append(before)
        if keep:
            for one in sources:
                known[one] = one in live
        return state in live

    def _values_complete(self, state: ArrayState, empty: Empty) -> bool:
        """Whether items that differ complete the array (or, for a denied `uniqueItems`, items of which two are equal)."""
        if not self.raw.unique:
            return self._shortest_plan(state, empty) is not None
        return self._differ(state, state.values or frozenset(), 0, empty)

    def _differ(self, state: ArrayState, used: frozenset[Hashable], spare: int, empty: Empty) -> bool:
        """Whether items that differ from each other, from the used values and from `spare` unknown ones complete the array."""
        plan = self._shortest_plan(state, empty)
        if plan is None:
            return False
        if len(plan) < 2 and not used and not spare:
            return True
        need = len(used) + spare + len(plan)
        if _distinct_representatives([self._values_of(goal, need) for goal in plan], used, spare):
            return True
        return self._differ_by_detours(state, used, spare, empty)

    def _differ_by_detours(self, state: ArrayState, used: frozenset[Hashable], spare: int, empty: Empty) -> bool:
        """`_differ` over all ways to complete the array, told apart by the goals with few values that they took."""
        limit = self.around.limits.max_alternatives * _SEARCH
        cap = len(used) + spare + _MANY_ITEMS
        start: tuple[ArrayState, tuple[Goal, ...]] = (state._replace(values=None), ())
        queue = [(*start, 0)]
        seen = {start}
        for at, scarce, length in queue:
            self.around.spend()
            if self.can_close(at):
                return True
            if length > _MANY_ITEMS or len(queue) > limit:
                raise LimitExceeded(
                    f"unique items at #{self.raw.pointer} that compete for few values", f"{_MANY_ITEMS} items"
                )
            for goal, after in self._steps(at, empty):
                taken = scarce
                if self._values_of(goal, cap)[1]:
                    taken = tuple(sorted((*scarce, goal)))
                    if not _distinct_representatives([self._values_of(one, cap) for one in taken], used, spare):
                        continue
                to = (after._replace(repeated=at.repeated), taken)
                if to not in seen:
                    seen.add(to)
                    queue.append((*to, length + 1))
        return False

    def _shortest_plan(self, state: ArrayState, empty: Empty) -> list[Goal] | None:
        """The goals of the fewest items that complete the array; a repeated item is one of a goal met before."""
        limit = self.around.limits.max_alternatives * _SEARCH
        start = state._replace(values=None)
        before: dict[ArrayState, tuple[ArrayState, Goal] | None] = {start: None}
        queue = [start]
        for at in queue:
            self.around.spend()
            if self.can_close(at):
                plan: list[Goal] = []
                step = before[at]
                while step is not None:
                    plan.append(step[1])
                    step = before[step[0]]
                return plan[::-1]
            for goal, after in self._steps(at, empty):
                targets = [after._replace(repeated=at.repeated)]
                is_later = (
                    at != start or after._replace(repeated=at.repeated) == at
                )  # where positions do not count any more
                if not self.raw.unique and not at.repeated and self._may_repeat(goal, state, at, is_later, empty):
                    targets.append(after._replace(repeated=True))
                for target in targets:
                    if target not in before:
                        before[target] = (at, goal)
                        queue.append(target)
            if len(before) > limit:
                raise LimitExceeded(
                    f"{len(before)} states of an array at #{self.raw.pointer}", limit, "max_alternatives"
                )
        return None

    def _may_repeat(self, goal: Goal, start: ArrayState, at: ArrayState, is_later: bool, empty: Empty) -> bool:
        """Whether an item of `goal` at `at` may equal one before it: one of those that came before `start`, or (as far as the goals of
        their positions tell) one that follows there. is_later: whether some item follows `start` before `at`."""
        before = {self.raw.goal_at(position) for position in range(start.position, at.position)}
        if is_later and at.position == start.position:  # positions are counted as far as they matter
            before.add(self.raw.goal_at(at.position))
        if start.values:
            before.add(self.around.constants(self._used(start)))
        return any(one is not None and not empty(self.around.both(goal, one)) for one in before)

    def moves(self, state: ArrayState, empty: Empty) -> ArrayMoves:
        """What may come next in a live state; every move leads to a live state.

        With values, the state in a move says what is known before the item is read; `read` gives the state after it.
        """
        found = self._moves.get(state)
        if found is not None:
            return found
        items = []
        for goal, plain in self._steps(state, empty):
            after = plain._replace(values=state.values, repeated=state.repeated)
            if not self.tracks_values:
                if self.is_live(after, empty):
                    items.append((goal, after))
                continue
            if not self.raw.unique:
                items += self._repeating(goal, state, after, empty)
                continue
            own = self._fresh(goal, state)
            fitting = None if empty(own) else self._fitting(own, after, empty)
            if fitting is not None:
                items.append((fitting, after))
        found = self._moves[state] = ArrayMoves(self.can_close(state), tuple(items), self.tracks_values)
        return found

    def outlook(self, after: ArrayState, empty: Empty) -> tuple[bool, bool] | None:
        """Whether the array may close, and go on, after an item whose value is not known yet; None if that depends on the value."""
        if not self.raw.unique or self.counted or self.arrays or self.values:
            return None
        goal = self.raw.goal_at(after.position)
        if goal is None or empty(goal):
            return self.can_close(after), False
        _, complete = self._values_of(goal, len(after.values or ()) + self.raw.low + 2)
        if complete or any(self._values_of(one, self.raw.low + 2)[1] for one in self.raw.prefix if one != goal):
            return None
        return self.can_close(after), True

    def _repeating(
        self, goal: Goal, state: ArrayState, after: ArrayState, empty: Empty
    ) -> list[tuple[Goal, ArrayState]]:
        """The moves where an item may repeat another: both ways to go on, each if it can be completed."""
        used = self._used(state)
        if state.repeated:
            return [(goal, after)] if self.is_live(after, empty) else []
        moves = []
        other = goal
        if used:
            listed = self.around.constants(used)
            again, other = self.around.both(goal, listed), self.around.both(goal, self.around.deny(listed))
            if not empty(again) and self.is_live(after._replace(repeated=True), empty):
                moves.append((again, after))
        if not self.is_live(after, empty):  # unless this item is the one that comes again
            other = self.around.both(other, self._returning(after, empty))
        if not empty(other):
            moves.append((other, after))
        return moves

    def _returning(self, after: ArrayState, empty: Empty) -> Goal:
        """The goal of those items before `after` that complete the array if they come again somewhere behind it."""
        limit = self.around.limits.max_alternatives * _SEARCH
        wanted: dict[Goal, None] = {}
        queue = [after._replace(values=None)]
        seen = set(queue)
        for at in queue:
            self.around.spend()
            for goal, plain in self._steps(at, empty):
                following = plain._replace(repeated=False)
                if goal not in wanted and self.is_live(following._replace(repeated=True), empty):
                    wanted[goal] = None
                if following not in seen:
                    seen.add(following)
                    queue.append(following)
            if len(queue) > limit:
                raise LimitExceeded(
                    f"{len(queue)} states of an array at #{self.raw.pointer}", limit, "max_alternatives"
                )
        return self.around.one_of(tuple(wanted)) if wanted else self.around.deny(())

    def _fresh(self, goal: Goal, state: ArrayState) -> Goal:
        """The goal without the values that came already."""
        used = self._used(state)
        return self.around.both(goal, self.around.deny(self.around.constants(used))) if used else goal

    def _used(self, state: ArrayState) -> dict[Hashable, Any]:
        """The values that came already by their keys, in a fixed order."""
        came = state.values or ()
        if len(came) * 4 < len(self._keys):
            return {key: self._keys[key][1] for key in sorted(came, key=lambda key: self._keys[key][0])}
        return {key: value for key, (_, value) in self._keys.items() if key in came}

    def _fitting(self, goal: Goal, after: ArrayState, empty: Empty) -> Goal | None:
        """Those values of `goal` after which the array can be completed; None if there are none."""
        if self.can_close(after):
            return goal
        used = after.values or frozenset()
        plan = self._shortest_plan(after, empty)
        if plan is None:
            return None
        values, complete = self._values_of(goal, len(plan) + len(used) + 1)
        if not complete:  # there are values that no later place needs
            if not self._differ(after, used, 1, empty):
                return None
            few = [self._values_of(one, len(plan) + len(used) + 1) for one in plan]
            wanted = {value_key(value): value for found, is_all in few if is_all for value in found}
            missed = {
                key: value
                for key, value in wanted.items()
                if key not in used and not self._differ(after, used | {key}, 0, empty)
            }
            return self.around.both(goal, self.around.deny(self.around.constants(missed))) if missed else goal
        keys = {value_key(value): value for value in values}
        need = len(used) + 1 + len(plan)
        matching = _Matching([self._values_of(one, need) for one in plan], used, 1)
        fitting = {
            key: value
            for key, value in keys.items()
            if (matching.is_complete and matching.can_spare(key)) or self._differ(after, used | {key}, 0, empty)
        }
        if len(fitting) == len(keys):
            return goal
        return self.around.both(goal, self.around.constants(fitting)) if fitting else None

    def read(self, pending: ArrayState, value: Any) -> ArrayState:
        """The state after an item with this value."""
        key = value_key(value)
        values = pending.values or frozenset()
        if key in values:
            return pending._replace(repeated=True)
        self._keys.setdefault(key, (len(self._keys), value))
        return pending._replace(values=values | {key})


class _Matching:
    """Different values for positions (Kuhn's augmenting paths): each one of its options that is not in `used`.

    options: per position (values, whether these are all). A position with more values than there are positions and used values (plus
    `spare`) always finds one.
    """

    def __init__(self, options: list[tuple[list[Any], bool]], used: frozenset[Hashable], spare: int = 0) -> None:
        n = len(options) + len(used) + spare
        self._options = [
            [key for key in map(value_key, values) if key not in used]
            for values, complete in options
            if complete and len(values) < n
        ]
        self._owner: dict[Hashable, int] = {}
        self.is_complete = all(self._place(i, set()) for i in range(len(self._options)))

    def _place(self, i: int, tried: set[Hashable]) -> bool:
        keys = [key for key in self._options[i] if key not in tried]
        for key in keys:
            if key not in self._owner:
                self._owner[key] = i
                return True
        for key in keys:
            if key not in tried:
                tried.add(key)
                if self._place(self._owner[key], tried):
                    self._owner[key] = i
                    return True
        return False

    def can_spare(self, key: Hashable) -> bool:
        """Whether the positions (which have values) do without this one too."""
        owner = self._owner.pop(key, None)
        if owner is None or self._place(owner, {key}):
            return True
        self._owner[key] = owner
        return False


def _distinct_representatives(options: list[tuple[list[Any], bool]], used: frozenset[Hashable], spare: int = 0) -> bool:
    """Whether each position can have a value of its own."""
    return _Matching(options, used, spare).is_complete


__all__ = ["ArrayMoves", "ArrayState", "Contains", "ItemRules", "RawArray"]
