"""Where terminals end: the lexemes of a grammar under a lexing semantics, with what one token's end forbids the text after it.

`re.match` takes the longest of the words that it prefers, and a scanner takes the first terminal in its order that matches at all. So the
end of a token says something about the text to come: no longer match of the token may follow, nor, from where it began, any match of a
terminal that is tried before it. Such a duty is a *shadow*: an automaton that runs on beside the text and must never accept; a *context*
is what a token leaves to the next one: the number of its scanner and its living shadows. Lexemes are made for a terminal between two
contexts, ignored text after it included, so that the rules above need to know contexts only.

    dynamic           as `lark.Lark(parser="earley")`: each terminal takes its own preferred match wherever it is tried
    dynamic_complete  as Lark's lexer of that name: any split into words that are preferred matches of themselves (ignored text
                      in its preferred matches, though)
    contextual        as `lark.Lark(parser="lalr")`: see scanners.py for the order of the terminals in each state

In: terminals. Out: `Lexing.exits`: for (terminal, context, scanner after it) the contexts that it may end in, each with the automaton of
the texts that do. Raises LimitExceeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.dfa import CharDfa, char_dfa

Shadow = tuple[int, int]  # automaton, state
Shadows = frozenset[Shadow]
_NONE: Shadows = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a scanner tries.

    match: its automaton; only: an automaton that the matched text must be in as well, or -1; before: how many entries of its scanner are
    tried before it; longest: whether a match ends only where no longer one does. heads, tails: automata of what must not come from its
    begin on, and after its end.
    """

    match: int
    only: int = -1
    before: int = 0
    longest: bool = True
    heads: tuple[int, ...] = ()
    tails: tuple[int, ...] = ()


@dataclass(slots=True)
class Scanner:
    """What is tried at a place: automata in their order, and for each terminal the entries that make one. ignored: entries."""

    order: tuple[int, ...]
    entries: dict[int, list[Entry]]
    ignored: list[Entry]


@dataclass(frozen=True, slots=True)
class _Item:
    """A token that is being read. ignores: it is one to ignore."""

    ignores: bool
    entry: Entry
    state: int
    only: int
    shadows: Shadows


@dataclass(slots=True)
class Lexing:
    """automata: of the entries; scanners: by number."""

    automata: list[CharDfa]
    scanners: list[Scanner]
    limits: Limits
    contexts: list[tuple[int, Shadows]] = field(default_factory=list)
    _numbers: dict[tuple[int, Shadows], int] = field(default_factory=dict)
    _exits: dict[tuple[int, int, int], dict[int, CharDfa]] = field(default_factory=dict)
    _living: dict[int, list[bool]] = field(default_factory=dict)
    _relevant: dict[Shadow, bool] = field(default_factory=dict)
    _meetings: dict[tuple[Shadow, int], bool] = field(default_factory=dict)
    _starts: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.context(0, _NONE)
        for scanner in self.scanners:
            for entries in scanner.entries.values():
                self._starts.update(entry.match for entry in entries)

    @property
    def is_single(self) -> bool:
        """Whether all tokens end in one context, as far as their automata tell."""
        if len(self.scanners) > 1:
            return False
        scanner = self.scanners[0]
        entries = [entry for entries in scanner.entries.values() for entry in entries] + scanner.ignored
        return not any(
            entry.before or entry.heads or entry.tails or (entry.longest and self._leaves_shadows(entry.match))
            for entry in entries
        )

    def _leaves_shadows(self, automaton: int) -> bool:
        return any(self._meets((automaton, q)) for q in np.flatnonzero(self.automata[automaton].accept).tolist())

    # -- contexts -----------------------------------------------------------------------------------------------------------------

    def context(self, scanner: int, shadows: Shadows) -> int:
        """The number of a context."""
        key = scanner, shadows
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.contexts)
            self.contexts.append(key)
            if found > self.limits.max_alternatives:
                raise LimitExceeded(found, self.limits.max_alternatives, "max_alternatives")
        return found

    def _goes_on(self, automaton: int, state: int) -> bool:
        living = self._living.get(automaton)
        if living is None:
            living = self._living[automaton] = (self.automata[automaton].trans != 0).any(axis=1).tolist()
        return living[state]

    def _kept(self, shadows: Shadows) -> Shadows:
        """The shadows that the next terminal may meet: those that go on with a character that some terminal begins with."""
        return frozenset(s for s in shadows if self._meets(s) or self._at_end(s))

    def _at_end(self, shadow: Shadow) -> bool:
        """Whether a shadow accepts if the text ends here."""
        return int(self.automata[shadow[0]].tags[shadow[1]]) == 1

    def may_end(self, context: int) -> bool:
        """Whether the whole text may end in a context."""
        return not any(map(self._at_end, self.contexts[context][1]))

    def _meets(self, shadow: Shadow) -> bool:
        found = self._relevant.get(shadow)
        if found is None:
            found = self._relevant[shadow] = any(self._meet(shadow, other) for other in self._starts)
        return found

    def _meet(self, shadow: Shadow, automaton: int) -> bool:
        """Whether a shadow goes on with a character that an automaton's words begin with."""
        key = (shadow, automaton)
        found = self._meetings.get(key)
        if found is None:
            mine, theirs = self.automata[shadow[0]], self.automata[automaton]
            _, (a, b) = common_classes((mine, theirs))
            both = (mine.trans[shadow[1]][a] != 0) & (theirs.trans[theirs.start][b] != 0)
            found = self._meetings[key] = bool(both.any())
        return found

    def met_by(self, terminal: int, context: int, shadow: Shadow) -> bool:
        """Whether a terminal may begin, in a context, as a shadow goes on."""
        scanner = self.scanners[self.contexts[context][0]]
        return any(self._meet(shadow, entry.match) for entry in scanner.entries.get(terminal, ()))

    # -- lexemes ------------------------------------------------------------------------------------------------------------------

    def exits(self, terminal: int, context: int, after: int) -> dict[int, CharDfa]:
        """The contexts that a terminal may end in, and the texts that do, ignored text after it included.

        after: the scanner after it. Empty if the terminal cannot come in this context.
        """
        key = terminal, context, after
        found = self._exits.get(key)
        if found is None:
            number, shadows = self.contexts[context]
            scanner = self.scanners[number]
            items = [self._begun(scanner, entry, shadows, False) for entry in scanner.entries.get(terminal, ())]
            found = self._exits[key] = self._build(items, after)
        return found

    def leading(self, after: int) -> dict[int, CharDfa]:
        """As `exits`, for the ignored text that a text may begin with; not empty."""
        key = -1, 0, after
        found = self._exits.get(key)
        if found is None:
            items: list[_Item] = []
            self._ignoring(after, _NONE, items)
            found = self._exits[key] = self._build(items, after)
        return found

    def _begun(self, scanner: Scanner, entry: Entry, shadows: Shadows, ignores: bool) -> _Item:
        if entry.before:
            earlier = ((other, self.automata[other].start) for other in scanner.order[: entry.before])
            shadows = shadows.union(s for s in earlier if s[1])
        if entry.heads:
            shadows = shadows.union((head, self.automata[head].start) for head in entry.heads)
        only = self.automata[entry.only].start if entry.only >= 0 else 0
        return _Item(ignores, entry, self.automata[entry.match].start, only, shadows)

    def _ignoring(self, number: int, shadows: Shadows, out: list[_Item]) -> None:
        scanner = self.scanners[number]
        out += [self._begun(scanner, entry, shadows, True) for entry in scanner.ignored]

    def _build(self, begun: list[_Item], after: int) -> dict[int, CharDfa]:
        """The subset construction over items; one automaton for each context at the end."""
        if not begun:
            return {}
        involved = sorted(self._involved(begun, after))
        bounds_classes, columns = common_classes([self.automata[a] for a in involved])
        bounds, classes = bounds_classes
        n_classes = int(classes.max()) + 1
        tables = {a: self.automata[a].trans[:, column].tolist() for a, column in zip(involved, columns, strict=True)}
        accepts = {a: (self.automata[a].tags == 0).tolist() for a in involved}
        numbers: dict[frozenset[_Item], int] = {}
        order: list[frozenset[_Item]] = []
        exits: list[list[int]] = [[]]

        def number(items: frozenset[_Item], ends: list[int]) -> int:
            found = numbers.get(items)
            if found is None:
                found = numbers[items] = len(order) + 1
                order.append(items)
                exits.append(ends)
                if found > self.limits.max_dfa_states:
                    raise LimitExceeded(found, self.limits.max_dfa_states, "max_dfa_states")
            return found

        def stepped(item: _Item, c: int) -> _Item | None:
            entry = item.entry
            state = tables[entry.match][item.state][c]
            if state == 0:
                return None
            only = 0
            if entry.only >= 0:
                only = tables[entry.only][item.only][c]
                if only == 0:
                    return None
            shadows = []
            for a, q in item.shadows:
                q = tables[a][q][c]
                if q:
                    if accepts[a][q]:
                        return None
                    shadows.append((a, q))
            return _Item(item.ignores, entry, state, only, frozenset(shadows))

        def ended(items: frozenset[_Item]) -> tuple[list[int], set[_Item]]:
            """The contexts in which the lexeme may end after these items, and the items that begin there (they have read nothing)."""
            ends: dict[int, None] = {}
            begin: list[_Item] = []
            for item in items:
                entry = item.entry
                if not accepts[entry.match][item.state] or (entry.only >= 0 and not accepts[entry.only][item.only]):
                    continue
                shadows = item.shadows
                if not entry.longest and any(a in entry.heads and self._at_end((a, q)) for a, q in shadows):
                    continue  # Lark tries the shorter matches by themselves
                if entry.tails:
                    shadows = shadows.union((tail, self.automata[tail].start) for tail in entry.tails)
                if entry.longest and self._goes_on(entry.match, item.state):
                    shadows = shadows | {(entry.match, item.state)}
                ends[self.context(after, self._kept(shadows))] = None
                self._ignoring(after, shadows, begin)
            return list(ends), set(begin)

        first = frozenset(begun)
        number(first, [])
        fresh: list[set[_Item]] = [set()]
        rows = [[0] * n_classes]
        steps = 0
        for i, state in enumerate(order):
            row = []
            reading = [*state, *fresh[i]]
            cache: dict[frozenset[_Item], int] = {}
            for c in range(n_classes):
                moved = {new for item in reading if (new := stepped(item, c)) is not None}
                steps += len(reading)
                if not moved:
                    row.append(0)
                    continue
                key = frozenset(moved)
                target = cache.get(key)
                if target is None:
                    target = cache[key] = numbers.get(key, 0)
                if target == 0:
                    ends, begin = ended(key)
                    target = cache[key] = number(key, ends)
                    fresh.append(begin)
                row.append(target)
            rows.append(row)
            if steps > self.limits.max_dfa_steps:
                raise LimitExceeded(steps, self.limits.max_dfa_steps, "max_dfa_steps")
        out: dict[int, CharDfa] = {}
        for context in sorted({end for ends in exits for end in ends}):
            tags = [0 if context in ends else -1 for ends in exits]
            out[context] = char_dfa(bounds, classes, rows, tags, 1)
        return out

    def _involved(self, begun: list[_Item], after: int) -> set[int]:
        involved: set[int] = set()
        for item in begun:
            involved.add(item.entry.match)
            involved.add(item.entry.only)
            involved.update(item.entry.tails)
            involved.update(a for a, _ in item.shadows)
        scanner = self.scanners[after]
        for entry in scanner.ignored:
            involved.add(entry.match)
            involved.update(entry.heads)
            involved.update(entry.tails)
            involved.update(scanner.order[: entry.before])
        involved.discard(-1)
        return involved


def common_classes(automata: Sequence[CharDfa]) -> tuple[tuple[np.ndarray, np.ndarray], list[np.ndarray]]:
    """Classes of characters that none of some automata tells apart: (bounds, classes), and for each automaton the column of each class."""
    bounds = automata[0].bounds
    for automaton in automata[1:]:
        bounds = np.union1d(bounds, automaton.bounds)
    columns = [a.cls[np.searchsorted(a.bounds, bounds, side="right") - 1] for a in automata]
    if len(columns) == 1:
        return (bounds, columns[0]), [np.arange(automata[0].trans.shape[1])]
    _, first, classes = np.unique(np.stack(columns), axis=1, return_index=True, return_inverse=True)
    return (bounds, classes.reshape(-1)), [column[first] for column in columns]
