"""Whether a state of member rules can be completed: decided exactly, depth first over the few names that matter.

In: rules and a state. Out: a verdict. Names that bring each other, and least numbers, are weighed without a search (`_by_closure`), so is
an object that only has to differ from constants (`_by_plenty`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from structgen.errors import LimitExceeded
from structgen.schema.objects import Empty, State, bits_of

Rules = Any  # `MemberRules`, whose module imports this one
# Names that a search weighs against each other at most: it goes one call deeper for each.
_MANY_NAMES = 300


class Search:
    """Whether a state can be completed: depth first over the names that matter, each absent or in one of its cells."""

    def __init__(self, rules: Rules, empty: Empty) -> None:
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
        for i in bits_of(absent):
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
        for i in bits_of(state.seen | rules.required_bits):
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
        if not rules.is_free(State(state.open, 0, 0, rules.counted_up(state.members), 0)):
            return None
        if rules.required_bits & ~state.seen & rules.possible_bits & ~free:
            return None
        return True if self.classes or free & rules.plentiful_bits() else None

    def _without(self, equal: int, i: int) -> int:
        for v in bits_of(equal):
            if self.rules.has[v] >> i & 1:
                equal &= ~(1 << v)
        return equal

    def _visit(self, at: int, opened: int, equal: int, seen: int, count: int) -> bool:
        rules = self.rules
        denials = opened & rules.denied_bits
        if not (denials or equal or rules.implied or rules.counted or rules.forced):
            here = State(opened, 0, seen, 0, 0)
            return all(not rules.required[i] or rules.cells_of(i, here, self.empty) for i in self.names[at:])
        if at == len(self.names):
            return self._ends(opened, equal, seen, count)
        key = (at, opened, equal, seen & rules.hot_bits if rules.needs_seen else 0, count)
        if key in self.failed:
            return False
        rules.around.spend()
        i = self.names[at]
        # a name that may refute all that is open is tried as present first
        hopeful = all(rules.refuting[i][j] is not None for j in bits_of(denials))
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
        cells = rules.cells_of(i, State(opened, equal, seen, count, 0), self.empty)
        return any(
            self._visit(at + 1, opened & ~cell.refuted, cell.equal, seen | 1 << i, rules.counted_up(count))
            for cell in cells
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
                if all(rules.refuted_at_end(j, seen, 0) for j in bits_of(still_open)):
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
                if all(rules.refuted_at_end(j, seen, total) for j in bits_of(still_open)):
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
                    for cell in rules.split(("class", c), goal, refuting, state, None, self.empty):
                        after = mask & ~cell.refuted
                        if after not in reached:
                            reached[after] = extra
                            following.append(after)
                            yield extra, after
            frontier = following
