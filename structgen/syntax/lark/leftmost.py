"""The match that a backtracking regular expression prefers, as an automaton.

`re.match` does not look for the longest match: it takes the first one in the order of its alternatives and of its lazy and greedy
quantifiers. Here threads are kept in that order, and those behind a match are cut off (the leftmost-first determinisation of regular
expression engines that do not backtrack). Of the automaton's words that begin a text, the *longest* is then the one that `re.match` takes.

In: a syntax tree of lexemes/regex_syntax.py. Out: a `CharDfa`. Raises LimitExceeded; `UnorderedError` for look-around, boundaries and
atomic groups, which have no threads of their own.
"""

from __future__ import annotations

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.charclass import Ranges
from structgen.lexemes.dfa import CharDfa, char_dfa, partition
from structgen.lexemes.regex_syntax import Chars, Choice, Node, Repeat, Sequence

_MATCH = 0


class UnorderedError(Exception):
    """The tree holds something that cannot be put in order."""


class _Threads:
    """A non-deterministic automaton: state 0 is the match; others take a character of a set, or try others in order."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.sets: list[Ranges | None] = [None]
        self.nexts: list[list[int]] = [[]]

    def add(self, ranges: Ranges | None, nexts: list[int]) -> int:
        if len(self.sets) > self.limits.max_dfa_states:
            raise LimitExceeded(len(self.sets), self.limits.max_dfa_states, "max_dfa_states")
        self.sets.append(ranges)
        self.nexts.append(nexts)
        return len(self.sets) - 1

    def build(self, node: Node, following: int) -> int:
        if isinstance(node, Chars):
            return self.add(node.ranges, [following])
        if isinstance(node, Sequence):
            for item in reversed(node.items):
                following = self.build(item, following)
            return following
        if isinstance(node, Choice):
            return self.add(None, [self.build(option, following) for option in node.options])
        if isinstance(node, Repeat) and node.mode in ("greedy", "lazy"):
            return self.repeat(node, following)
        raise UnorderedError

    def repeat(self, node: Repeat, following: int) -> int:
        def tried(body: int) -> list[int]:
            return [body, following] if node.mode == "greedy" else [following, body]

        entry = following
        if node.most is None:
            entry = self.add(None, [])
            self.nexts[entry] = tried(self.build(node.body, entry))
        else:
            for _ in range(node.most - node.least):
                entry = self.add(None, tried(self.build(node.body, entry)))
        for _ in range(node.least):
            entry = self.build(node.body, entry)
        return entry

    def closure(self, state: int, seen: set[int], out: list[int]) -> bool:
        """Append the states that read a character, in order; True once the match was met, which cuts off all others."""
        stack = [state]
        while stack:
            one = stack.pop()
            if one in seen:
                continue
            seen.add(one)
            if one == _MATCH:
                return True
            if self.sets[one] is None:
                stack.extend(reversed(self.nexts[one]))
            else:
                out.append(one)
        return False


def preferred(node: Node, limits: Limits) -> CharDfa:
    """The automaton of the match that `re.match` prefers; see above."""
    threads = _Threads(limits)
    start = threads.build(node, _MATCH)
    sets = sorted({ranges for ranges in threads.sets if ranges is not None})
    bounds, classes, members = partition(sets)
    columns = {ranges: [c for c, member in enumerate(members) if member >> i & 1] for i, ranges in enumerate(sets)}
    numbers: dict[tuple[tuple[int, ...], bool], int] = {}
    order: list[tuple[tuple[int, ...], bool]] = []

    def number(state: tuple[tuple[int, ...], bool]) -> int:
        if not state[0] and not state[1]:
            return 0
        found = numbers.get(state)
        if found is None:
            found = numbers[state] = len(order) + 1
            order.append(state)
            if found > limits.max_dfa_states:
                raise LimitExceeded(found, limits.max_dfa_states, "max_dfa_states")
        return found

    first: list[int] = []
    matched = threads.closure(start, set(), first)
    number((tuple(first), matched))
    rows = [[0] * len(members)]
    steps = 0
    for state, _ in order:
        reading: list[list[int]] = [[] for _ in members]  # the threads that go on with each class
        for thread in state:
            for c in columns[threads.sets[thread]]:  # type: ignore[index]  # a state that reads has a set
                reading[c].append(thread)
        targets: dict[tuple[int, ...], int] = {(): 0}
        row = []
        for readers in map(tuple, reading):
            target = targets.get(readers)
            if target is None:
                out: list[int] = []
                seen: set[int] = set()
                over = False
                for thread in readers:
                    over = threads.closure(threads.nexts[thread][0], seen, out)
                    steps += 1 + len(out)
                    if over:
                        break
                target = targets[readers] = number((tuple(out), over))
            row.append(target)
        steps += len(members)
        if steps > limits.max_dfa_steps:
            raise LimitExceeded(steps, limits.max_dfa_steps, "max_dfa_steps")
        rows.append(row)
    tags = [-1] + [0 if accepts else -1 for _, accepts in order]
    return char_dfa(bounds, classes, rows, tags, 1 if order else 0)


def is_prefix_free(dfa: CharDfa) -> bool:
    """Whether no word of the language begins another."""
    accepting = dfa.accept
    return not (dfa.trans[accepting] != 0).any()
