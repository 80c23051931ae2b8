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

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.dfa import ByteDfa, CharDfa, char_dfa

Shadow = tuple[int, int]  # automaton, state
Shadows = frozenset[Shadow]
_NONE: Shadows = frozenset()
_MOST_CELLS = 400_000  # of the table in which shadows are compared
_ROUNDS = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a scanner tries.

    match: its automaton; only: an automaton that the matched text must be in as well, or -1; earlier: the automata that its scanner tries
    before it; longest: whether a match ends only where no longer one does. heads, tails: automata of what must not come from its
    begin on, and after its end.
    """

    match: int
    only: int = -1
    earlier: tuple[int, ...] = ()
    longest: bool = True
    heads: tuple[int, ...] = ()
    tails: tuple[int, ...] = ()


@dataclass(slots=True)
class Scanner:
    """What is tried at a place: for each terminal the entries that make one. ignored: entries."""

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
    _spelled: Spelled = field(init=False)
    _next: Mapping[int, int] = field(default_factory=dict)
    _n_terminals: int = 0
    _pairs: dict[int, int] = field(default_factory=dict)  # by sets of terminals
    _pairs_of: dict[int, int] = field(default_factory=dict)
    _followers: dict[int, int] = field(default_factory=dict)  # characters that what follows a terminal begins with
    _begins: list[int] = field(default_factory=list)  # of the terminals of each scanner

    def __post_init__(self) -> None:
        self._spelled = Spelled(self.automata)
        self.context(0, _NONE)
        for number, scanner in enumerate(self.scanners):
            begins = 0
            for terminal in scanner.entries:
                begins |= self.begins(terminal, number)
            self._begins.append(begins)

    def narrow(self, followers: Mapping[int, int], n_terminals: int) -> None:
        """What may follow each terminal, as `contexts.followers` says: shadows that it does not meet are no part of a context."""
        self._next, self._n_terminals = followers, n_terminals
        begins = [
            functools.reduce(operator.or_, (self.begins(t, number) for number in range(len(self.scanners))), 0)
            for t in range(n_terminals)
        ]
        sets: dict[int, int] = {}
        for terminal, following in followers.items():
            found = sets.get(following)
            if found is None:
                found = 0
                for t in _bits(following & ((1 << n_terminals) - 1)):
                    found |= begins[t]
                sets[following] = found
            self._followers[terminal] = found

    @property
    def is_single(self) -> bool:
        """Whether all tokens end in one context, as far as their automata tell."""
        if len(self.scanners) > 1:
            return False
        scanner = self.scanners[0]
        skipped = 0  # what ignored text begins with
        for entry in scanner.ignored:
            skipped |= self._spelled.going(entry.match, self.automata[entry.match].start)
        if scanner.ignored and not self.leading(0).keys() <= {0}:
            return False
        for terminal, entries in scanner.entries.items():
            follow = self._followers.get(terminal, self._begins[0]) | skipped
            is_plain = entries and not any(e.only >= 0 or self._leaves_shadows(e, follow) for e in entries)
            if not is_plain and self.exits(terminal, 0, 0).keys() != {0}:
                return False
        return True

    def _leaves_shadows(self, entry: Entry, follow: int) -> bool:
        """Whether what follows may meet a shadow of a match, as far as its first character tells."""
        if entry.earlier or entry.heads or entry.tails:
            return True
        if not entry.longest:
            return False
        accepting = np.flatnonzero(self.automata[entry.match].accept).tolist()
        return any(self._spelled.going(entry.match, q) & follow for q in accepting)

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
        return self._spelled.going(automaton, state) != 0

    def _kept(self, shadows: Shadows, next_: int) -> Shadows:
        """The shadows that what comes next may meet: those that go on with a character that it may begin with."""
        spelled = self._spelled
        return frozenset(spelled.like(s) for s in shadows if spelled.going(*s) & next_ or self._at_end(s))

    def _at_end(self, shadow: Shadow) -> bool:
        """Whether a shadow accepts if the text ends here."""
        tag: int = self._spelled.tags[shadow[0]][shadow[1]]
        return tag == 1

    def may_end(self, context: int) -> bool:
        """Whether the whole text may end in a context."""
        return not any(map(self._at_end, self.contexts[context][1]))

    def going(self, shadow: Shadow) -> int:
        """The characters that a shadow goes on with, as bits."""
        return self._spelled.going(*shadow)

    def begins(self, terminal: int, scanner: int) -> int:
        """The characters that a terminal may begin with where a scanner tries it, as bits like those of `going`."""
        out = 0
        for entry in self.scanners[scanner].entries.get(terminal, ()):
            out |= self._spelled.going(entry.match, self.automata[entry.match].start)
        return out

    def following(self, terminal: int, is_whole: bool) -> int | None:
        """The pairs of bytes (in UTF-8) that what follows a terminal (-1: the ignored text before all) may begin with, see
        `Lexicon.start_of`; None where that is not known.

        is_whole: nothing comes after the text.
        """
        follow = self._next.get(terminal)
        if follow is None:
            return None
        known = follow & ((1 << self._n_terminals) - 1)
        outside = follow >> self._n_terminals
        if outside > 1 or (outside and not is_whole):
            return None
        found = self._pairs.get(known)
        if found is None:
            found = 0
            for t in _bits(known):
                pairs = self._pairs_of.get(t)
                if pairs is None:
                    pairs = self._pairs_of[t] = _first_pairs(self.automata[t].to_bytes("utf8", self.limits))
                found |= pairs
            self._pairs[known] = found
        return found

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
            items = [self._begun(entry, shadows, False) for entry in scanner.entries.get(terminal, ())]
            found = self._exits[key] = self._build(items, after, self._followers.get(terminal, self._begins[after]))
        return found

    def leading(self, after: int) -> dict[int, CharDfa]:
        """As `exits`, for the ignored text that a text may begin with; not empty."""
        key = -1, 0, after
        found = self._exits.get(key)
        if found is None:
            items: list[_Item] = []
            self._ignoring(after, _NONE, items)
            found = self._exits[key] = self._build(items, after, self._begins[after])
        return found

    def _begun(self, entry: Entry, shadows: Shadows, ignores: bool) -> _Item:
        if entry.earlier:
            earlier = ((other, self.automata[other].start) for other in entry.earlier)
            shadows = shadows.union(s for s in earlier if s[1])
        if entry.heads:
            shadows = shadows.union((head, self.automata[head].start) for head in entry.heads)
        if shadows:  # those that the match does not meet end with its first character
            going, begins = self._spelled.going, self._spelled.going(entry.match, self.automata[entry.match].start)
            shadows = frozenset(s for s in shadows if going(*s) & begins)
        only = self.automata[entry.only].start if entry.only >= 0 else 0
        return _Item(ignores, entry, self.automata[entry.match].start, only, shadows)

    def _ignoring(self, number: int, shadows: Shadows, out: list[_Item]) -> None:
        scanner = self.scanners[number]
        out += [self._begun(entry, shadows, True) for entry in scanner.ignored]

    def _build(self, begun: list[_Item], after: int, next_: int) -> dict[int, CharDfa]:
        """The subset construction over items; one automaton for each context at the end. next_: what may come then."""
        if not begun:
            return {}
        if len(begun) == 1 and not begun[0].shadows and not self.scanners[after].ignored:
            entry = begun[0].entry
            if entry.only < 0 and not entry.tails and not begun[0].ignores:
                return self._plain(begun[0], after, next_)
        spelled = self._spelled
        bounds = spelled.bounds
        classes, samples = spelled.coarser(frozenset(self._involved(begun, after)))
        tags = spelled.tags
        n_classes = len(samples)
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

        def ended(items: frozenset[_Item]) -> tuple[list[int], set[_Item]]:
            """The contexts in which the lexeme may end after these items, and the items that begin there (they have read nothing)."""
            ends: dict[int, None] = {}
            begin: list[_Item] = []
            for item in items:
                entry = item.entry
                if tags[entry.match][item.state] != 0 or (entry.only >= 0 and tags[entry.only][item.only] != 0):
                    continue
                shadows = item.shadows
                if not entry.longest and any(a in entry.heads and self._at_end((a, q)) for a, q in shadows):
                    continue  # Lark tries the shorter matches by themselves
                if entry.tails:
                    shadows = shadows.union((tail, self.automata[tail].start) for tail in entry.tails)
                if entry.longest and self._goes_on(entry.match, item.state):
                    shadows = shadows | {spelled.like((entry.match, item.state))}
                ends[self.context(after, self._kept(shadows, next_))] = None
                self._ignoring(after, shadows, begin)
            return list(ends), set(begin)

        first = frozenset(begun)
        number(first, [])
        fresh: list[set[_Item]] = [set()]
        rows = [[0] * n_classes]
        steps = 0
        for i, state in enumerate(order):
            reading = [*state, *fresh[i]]
            moved: list[set[_Item]] = [set() for _ in samples]
            for item in reading:
                self._step(item, samples, moved)
            steps += len(reading) * n_classes
            row = []
            for items in moved:
                if not items:
                    row.append(0)
                    continue
                key = frozenset(items)
                target = numbers.get(key, 0)
                if target == 0:
                    ends, begin = ended(key)
                    target = number(key, ends)
                    fresh.append(begin)
                row.append(target)
            rows.append(row)
            if steps > self.limits.max_dfa_steps:
                raise LimitExceeded(steps, self.limits.max_dfa_steps, "max_dfa_steps")
        out: dict[int, CharDfa] = {}
        for context in sorted({end for ends in exits for end in ends}):
            marks = [0 if context in ends else -1 for ends in exits]
            out[context] = char_dfa(bounds, classes, rows, marks, 1)
        return out

    def _step(self, item: _Item, samples: Sequence[int], moved: Sequence[set[_Item]]) -> None:
        """Add the item after a character of each class to the sets of these, where it goes on."""
        spelled = self._spelled
        tags = spelled.tags
        entry, state, only = item.entry, item.state, item.only
        targets = spelled.targets(entry.match, state)
        others = spelled.targets(entry.only, only) if entry.only >= 0 else None
        followed = [(a, spelled.targets(a, q)) for a, q in item.shadows]
        for sample, items in zip(samples, moved, strict=True):
            target = targets[sample]
            if target == 0:
                continue
            other = 0
            if others is not None:
                other = others[sample]
                if other == 0:
                    continue
            shadows = []
            for a, row in followed:
                q = row[sample]
                if q:
                    if tags[a][q] == 0:
                        break
                    shadows.append(spelled.like((a, q)))
            else:
                items.add(_Item(item.ignores, entry, target, other, frozenset(shadows) if shadows else _NONE))

    def _plain(self, item: _Item, after: int, next_: int) -> dict[int, CharDfa]:
        """`_build` of one item that no other duty or ignored text goes with: its own automaton, split by the contexts after it."""
        entry = item.entry
        automaton = self.automata[entry.match]
        by_context: dict[int, list[int]] = {}
        for state, tag in enumerate(self._spelled.tags[entry.match]):
            if tag == 0:
                goes_on = entry.longest and self._goes_on(entry.match, state)
                shadows = self._kept(frozenset(((entry.match, state),)), next_) if goes_on else _NONE
                by_context.setdefault(self.context(after, shadows), []).append(state)
        if len(by_context) == 1:
            return dict.fromkeys(by_context, automaton)
        out = {}
        for context in sorted(by_context):
            marks = np.full(automaton.n_states, -1, np.int32)
            marks[by_context[context]] = 0
            out[context] = char_dfa(automaton.bounds, automaton.cls, automaton.trans, marks, automaton.start)
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
            involved.update(entry.earlier)
        involved.discard(-1)
        return involved


def _bits(numbers: int) -> Iterator[int]:
    while numbers:
        low = numbers & -numbers
        yield low.bit_length() - 1
        numbers ^= low


def _first_pairs(dfa: ByteDfa) -> int:
    """The first two bytes of an automaton's words, bit 256 a + b for bytes a and b; where a word ends after one, any second."""
    if not dfa.start:
        return 0
    seconds = dfa.trans[:, dfa.classes] != 0
    seconds[dfa.tags >= 0] = True
    seconds[0] = False
    rows = np.packbits(seconds, axis=1, bitorder="little")
    return int.from_bytes(rows[dfa.trans[dfa.start][dfa.classes]].tobytes(), "little")


class Spelled:
    """Automata over one partition of the characters, and which of their states are alike as shadows.

    bounds: the partition's intervals; tags: of each automaton's states.
    """

    def __init__(self, automata: Sequence[CharDfa]) -> None:
        self.bounds = np.unique(np.concatenate([a.bounds for a in automata])) if automata else np.zeros(1, np.int32)
        self.columns = [a.cls[np.searchsorted(a.bounds, self.bounds, side="right") - 1] for a in automata]
        self.automata = automata
        self.tags = [a.tags.tolist() for a in automata]
        self._going: dict[Shadow, int] = {}
        self._edges: dict[Shadow, dict[int, int]] = {}
        self._classes: dict[int, list[int]] = {}  # the intervals of each class
        self._interference: dict[tuple[int, int], bool] = {}
        self._targets: dict[Shadow, list[int]] = {}
        self._coarser: dict[frozenset[int], tuple[np.ndarray, list[int]]] = {}
        self._alike: dict[Shadow, Shadow] | None = None

    def going(self, automaton: int, state: int) -> int:
        """The set of intervals with which a state goes on, as bits."""
        found = self._going.get((automaton, state))
        if found is None:
            found = 0
            for characters in self._edges_of(automaton, state).values():
                found |= characters
            self._going[automaton, state] = found
        return found

    def _edges_of(self, automaton: int, state: int) -> dict[int, int]:
        """For each state that comes next the intervals that lead to it, as bits."""
        found = self._edges.get((automaton, state))
        if found is None:
            classes = self._classes.get(automaton)
            trans = self.automata[automaton].trans
            if classes is None:
                members = self.columns[automaton] == np.arange(trans.shape[1])[:, None]
                rows = np.packbits(members, axis=1, bitorder="little")
                classes = self._classes[automaton] = [int.from_bytes(row.tobytes(), "little") for row in rows]
            found = self._edges[automaton, state] = {}
            for target, characters in zip(trans[state].tolist(), classes, strict=True):
                if target:
                    found[target] = found.get(target, 0) | characters
        return found

    def interferes(self, shadow: int, match: int) -> bool:
        """Whether a shadow that begins where a match does may end the match, or outlive it."""
        found = self._interference.get((shadow, match))
        if found is not None:
            return found
        found = False
        start = (self.automata[shadow].start, self.automata[match].start)
        seen = {start}
        work = [start]
        while work and not found:
            p, q = work.pop()
            for p2, mine in self._edges_of(shadow, p).items():
                for q2, theirs in self._edges_of(match, q).items():
                    if mine & theirs and (p2, q2) not in seen:
                        seen.add((p2, q2))
                        work.append((p2, q2))
                        if self.tags[shadow][p2] >= 0 or (self.tags[match][q2] >= 0 and self.going(shadow, p2)):
                            found = True
        self._interference[shadow, match] = found
        return found

    def targets(self, automaton: int, state: int) -> list[int]:
        """The state after each interval."""
        found = self._targets.get((automaton, state))
        if found is None:
            found = self.automata[automaton].trans[state][self.columns[automaton]].tolist()
            self._targets[automaton, state] = found
        return found

    def coarser(self, automata: frozenset[int]) -> tuple[np.ndarray, list[int]]:
        """Classes of intervals that none of some automata tells apart: the class of each, and an interval of each class."""
        found = self._coarser.get(automata)
        if found is None:
            code = np.zeros(len(self.bounds), np.int64)
            for a in automata:
                code = np.unique(code * self.automata[a].trans.shape[1] + self.columns[a], return_inverse=True)[1]
            _, first, classes = np.unique(code, return_index=True, return_inverse=True)
            found = self._coarser[automata] = classes.reshape(-1).astype(np.int32), first.tolist()
        return found

    def like(self, shadow: Shadow) -> Shadow:
        """The one that stands for all shadows that forbid the same texts."""
        if self._alike is None:
            self._alike = self._equivalent()
        return self._alike.get(shadow, shadow)

    def _equivalent(self) -> dict[Shadow, Shadow]:
        """States as shadows: what comes after an accepting state does not matter, and whether the first one accepts neither.

        Rounds of refinement (Moore's), with rows compared by a hash first; left alone where automata are too large for it. Those that
        accept where the text ends (tag 1) are looked at as what they are.
        """
        owners = [a for a, tags in enumerate(self.tags) if 1 not in tags and self.automata[a].start]
        n_states = sum(self.automata[a].n_states for a in owners)
        if not owners or n_states * len(self.bounds) > _MOST_CELLS:
            return {}
        table = np.zeros((n_states, len(self.bounds)), np.int64)  # 0: gone; 1: accepted; else a state
        offset, shadows = 2, []
        for a in owners:
            automaton = self.automata[a]
            target = automaton.trans[:, self.columns[a]]
            accepted = automaton.tags[target] == 0
            table[offset - 2 : offset - 2 + automaton.n_states] = np.where(
                accepted, 1, np.where(target != 0, target + offset, 0)
            )
            shadows += [(a, q) for q in range(automaton.n_states)]
            offset += automaton.n_states
        weights = np.random.default_rng(5).integers(1, 1 << 62, len(self.bounds), np.int64)
        blocks = np.full(n_states + 2, 2, np.int64)
        blocks[:2] = 0, 1
        n_blocks, first = 0, np.zeros(1, np.int64)
        for _ in range(_ROUNDS):
            _, first, block = np.unique(_scattered(blocks)[table] @ weights, return_index=True, return_inverse=True)
            blocks[2:] = block.reshape(-1) + 2
            if len(first) == n_blocks:
                break
            n_blocks = len(first)
        else:
            return {}
        rows = blocks[table]
        if (rows != rows[first[blocks[2:] - 2]]).any():  # two hashes were equal
            return {}
        leaders = first[blocks[2:] - 2].tolist()
        return {shadow: shadows[leader] for shadow, leader in zip(shadows, leaders, strict=True) if leader >= 0}


def _scattered(numbers: np.ndarray) -> np.ndarray:
    """Numbers spread over all bits, so that weighted sums of them tell rows apart."""
    x = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(32)
    return x.view(np.int64)
