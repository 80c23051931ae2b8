"""From a syntax tree to a Thompson automaton, as the table that the subset construction reads.

In: a tree of regex_syntax. Out: `Nfa` with rows (op, argument, next, other next) and the character sets of its CHAR rows.
The automaton is built backwards (each part is told where to go next), so it has no empty transitions but SPLIT, and a
counted repetition of n copies costs n times its body: `[a-z]{1,1000}` has 2,000 rows. The rows of its optional copies that
stand for one place of the body form a *chain*: from an earlier copy everything is matched that is matched from a later one,
so the subset construction keeps the earliest row of a chain alone (an antichain, as De Wulf et al. 2006 use it for
inclusion): `(.{1,63}\\.)+` has 67 states, and would have as many as there are sets of 63 places. What is bound to be too
large is refused from the counts alone, before anything is built. Turned down: position (Glushkov) automata, whose follow
sets are quadratic for `(a?b?c?){100}`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from structgen.errors import LimitExceeded, Limits, RegexError
from structgen.kernels.determinize import ASSERT, CHAR, MATCH, NEWLINE, OTHER, SPLIT, WORD, subset_construction
from structgen.lexemes import charclass
from structgen.lexemes.charclass import Ranges
from structgen.lexemes.dfa import CharDfa, char_dfa, check_status, partition
from structgen.lexemes.regex_syntax import Atomic, Boundary, Chars, Choice, Embedded, Look, Node, Repeat, Sequence

# every builder begins with its MATCH row
MATCH_ROW = 0


def _mask(test: str) -> int:
    """The bit set of (before, after) pairs of an assertion; kinds: 0 start or end, 1 word, 2 newline, 3 other."""
    out = 0
    for before in range(4):
        for after in range(4):
            holds = {
                "start": before == 0,
                "end": after == 0,
                "line-start": before in (0, 2),
                "line-end": after in (0, 2),
                "word": (before == 1) != (after == 1),
                "not-word": (before == 1) == (after == 1),
                "not-word-python": (before == 1) == (after == 1)
                and (charclass.EMPTY_IS_NO_BOUNDARY or before != 0 or after != 0),
            }[test]
            out |= holds << (4 * before + after)
    return out


MASKS = {k: _mask(k) for k in ("start", "end", "line-start", "line-end", "word", "not-word", "not-word-python")}


@dataclass(slots=True)
class Nfa:
    """nodes: list of rows (op, argument, next, other next), flat; start: row; sets: the character sets of CHAR rows."""

    nodes: list[int]
    start: int
    sets: list[Ranges]
    word: Ranges
    newline: Ranges
    has_kinds: bool

    def arrays(
        self,
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_], npt.NDArray[np.int32], list[int], list[int]]:
        """(nodes int32 [n, 4], set_has bool [n_sets, n_classes], class_kind int32 [n_classes], bounds, classes)."""
        sets = self.sets
        n_sets = len(sets)
        extra = [self.word, self.newline] if self.has_kinds else []
        bounds, classes, members = partition([*sets, *extra])
        set_has = np.array([[m >> k & 1 for m in members] for k in range(n_sets)], np.bool_).reshape(
            n_sets, len(members)
        )
        kinds = [OTHER] * len(members)
        if extra:
            for c, m in enumerate(members):
                if m >> n_sets & 1:
                    kinds[c] = WORD
                elif m >> (n_sets + 1) & 1:
                    kinds[c] = NEWLINE
        nodes = np.array(self.nodes, np.int32).reshape(-1, 4)
        return nodes, set_has, np.array(kinds, np.int32), bounds, classes


def count_positions(node: Node) -> int:
    """The number of CHAR rows that a tree needs, without building them."""
    if isinstance(node, Chars):
        return 1
    if isinstance(node, Sequence):
        return sum(count_positions(item) for item in node.items)
    if isinstance(node, Choice):
        return sum(count_positions(option) for option in node.options)
    if isinstance(node, Repeat):
        copies = node.most if node.most is not None else max(node.least, 1)
        return count_positions(node.body) * copies
    if isinstance(node, (Look, Atomic)):
        return count_positions(node.body)
    if isinstance(node, Embedded):
        return node.dfa.n_states
    return 0


def simplified(node: Node) -> Node:
    """The same language with fewer rows: nested stars and options are united, so that `(a*){1000}` is `a*`."""
    if isinstance(node, Sequence):
        items = [simplified(item) for item in node.items]
        return node if all(a is b for a, b in zip(items, node.items, strict=True)) else Sequence(items)
    if isinstance(node, Choice):
        options = [simplified(option) for option in node.options]
        sets = [option.ranges for option in options if isinstance(option, Chars)]
        if len(sets) == len(options):
            return Chars(charclass.union(*sets))
        return Choice(options)
    if not isinstance(node, Repeat) or node.mode == "possessive":
        return node
    body = simplified(node.body)
    least, most = node.least, node.most
    if most == 0:
        return Sequence([])
    while isinstance(body, Repeat) and body.mode != "possessive" and not _asserts(body.body):
        if body.least == 0 and body.most is None:
            least, most = 0, None
        elif body.least <= 1 and body.most is None and least <= 1:
            least, most = min(least, body.least), None
        elif body.least == 0 and body.most == 1:
            least = 0
        elif body.least == 1 and body.most == 1:
            pass
        elif least == 1 and most == 1:
            least, most = body.least, body.most
        elif body.least == 0 and body.most is not None and most is None:
            least = 0
        else:
            break
        body = body.body
    return Repeat(body, least, most, "greedy", node.position)


def _asserts(node: Node) -> bool:
    if isinstance(node, Chars):
        return False
    if isinstance(node, Sequence):
        return any(_asserts(item) for item in node.items)
    if isinstance(node, Choice):
        return any(_asserts(option) for option in node.options)
    if isinstance(node, Repeat):
        return _asserts(node.body)
    return not isinstance(node, Embedded)


class NfaBuilder:
    """The rows of an automaton under construction; row 0 is MATCH."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.nodes: list[int] = [MATCH, 0, 0, 0]
        self.set_ids: dict[Ranges, int] = {}
        self.n_chains = 0
        self.word: Ranges = charclass.EMPTY
        self.newline: Ranges = charclass.EMPTY
        self.has_kinds = False

    def add(self, op: int, argument: int, following: int, other: int = 0) -> int:
        """Append a row; returns its number."""
        nodes = self.nodes
        nodes += (op, argument, following, other)
        return len(nodes) // 4 - 1

    def build(self, node: Node, following: int) -> int:
        """The entry row of a tree that goes on to `following`."""
        if isinstance(node, Chars):
            ranges = node.ranges
            set_id = self.set_ids.setdefault(ranges, len(self.set_ids))
            nodes = self.nodes
            nodes += (CHAR, set_id, following, 0)
            return len(nodes) // 4 - 1
        if isinstance(node, Sequence):
            for item in reversed(node.items):
                following = self.build(item, following)
            return following
        if isinstance(node, Choice):
            entry = self.build(node.options[-1], following)
            for option in reversed(node.options[:-1]):
                entry = self.add(SPLIT, 0, self.build(option, following), entry)
            return entry
        if isinstance(node, Repeat):
            return self.repeat(node, following)
        if isinstance(node, Boundary):
            return self.boundary(node, following)
        if isinstance(node, Embedded):
            return self.nothing() if node.dfa.is_empty() else self.embed(node.dfa, following)
        return self.look(node, following)

    def nothing(self) -> int:
        """A row from which nothing is matched."""
        return self.build(Chars(charclass.EMPTY), 0)

    def look(self, node: Look | Atomic, following: int) -> int:
        """The entry row of a look-around that goes on to `following`; only the builder of lexemes/lookaround.py can."""
        what = "look-around" if isinstance(node, Look) else "an atomic group"
        raise RegexError(f"{what} cannot lead to row {following} here", self.pattern, node.position)

    def split(self, options: list[int], row: int | None = None) -> int:
        """A row that goes to each of at least one option; `row` (a SPLIT made before) is filled if it is given."""
        rest = options[-1]
        for option in reversed(options[1:-1]):
            rest = self.add(SPLIT, 0, option, rest)
        if row is None:
            return self.add(SPLIT, 0, options[0], rest)
        self.nodes[4 * row + 2], self.nodes[4 * row + 3] = options[0], rest
        return row

    def embed(self, dfa: CharDfa, following: int) -> int:
        """The entry row of a copy of an automaton that is not empty and goes on to `following` where it accepts."""
        ranges = dfa.class_ranges()
        rows = dfa.trans.tolist()
        entries = [0] + [self.add(SPLIT, 0, 0, 0) for _ in rows[1:]]
        for state in range(1, len(rows)):
            sets: dict[int, list[Ranges]] = {}
            for c, target in enumerate(rows[state]):
                if target:
                    sets.setdefault(target, []).append(ranges[c])
            options = [self.build(Chars(charclass.union(*parts)), entries[t]) for t, parts in sets.items()]
            if dfa.tags[state] >= 0:
                options.append(following)
            self.split(options, entries[state])
        return entries[dfa.start]

    def finish(self, start: int) -> Nfa:
        """The automaton with its start row."""
        return Nfa(self.nodes, start, list(self.set_ids) or [charclass.EMPTY], self.word, self.newline, self.has_kinds)

    def _new_chains(self, count: int) -> int:
        """The first of `count` new chains."""
        self.n_chains += count
        return self.n_chains - count + 1

    def _chain(self, first: int, chain: int) -> None:
        """Put the rows from `first` on, an optional copy of a repeated body, into chains, one for each place in the body."""
        nodes = self.nodes
        for i in range(4 * first, len(nodes), 4):
            if nodes[i] == CHAR and nodes[i + 3] == 0:
                nodes[i + 3] = chain + i // 4 - first

    def repeat(self, node: Repeat, following: int) -> int:
        body, least, most = node.body, node.least, node.most
        entry = following
        if most is None:
            loop = self.add(SPLIT, 0, 0, following)
            first = self.build(body, loop)
            self.nodes[4 * loop + 2] = first
            # one or more: enter through the body's copy that the loop uses anyway
            if least > 0 and not _nullable(body):
                entry, least = first, least - 1
            else:
                entry = loop
        elif isinstance(body, Chars):
            set_id = self.set_ids.setdefault(body.ranges, len(self.set_ids))
            nodes = self.nodes
            size = len(nodes) // 4
            chain = self._new_chains(1) if most - least > 1 else 0
            for _ in range(most - least):
                nodes += (CHAR, set_id, entry, chain, SPLIT, 0, size, following)
                entry = size + 1
                size += 2
            for _ in range(least):
                nodes += (CHAR, set_id, entry, 0)
                entry = size
                size += 1
            return entry
        else:
            chain = 0
            for _ in range(most - least):
                first = len(self.nodes) // 4
                entry = self.add(SPLIT, 0, self.build(body, entry), following)
                if most - least > 1:
                    chain = chain or self._new_chains(len(self.nodes) // 4 - first)
                    self._chain(first, chain)
        for _ in range(least):
            entry = self.build(body, entry)
        return entry

    def boundary(self, node: Boundary, following: int) -> int:
        kind = node.kind
        if kind == "end-or-newline":
            raise RegexError("this `$` looks two characters ahead", self.pattern, node.position)
        if kind in ("word", "not-word", "line-start", "line-end"):
            self.has_kinds = True
            self.newline = node.newline
            if node.word:
                if self.word and self.word != node.word:
                    raise RegexError("\\b under different flags in one pattern", self.pattern, node.position)
                self.word = node.word
            if kind == "not-word" and node.newline == charclass.NEWLINE:
                kind = "not-word-python"
        return self.add(ASSERT, MASKS[kind], following)


def _nullable(node: Node) -> bool:
    if isinstance(node, Chars):
        return False
    if isinstance(node, Sequence):
        return all(_nullable(item) for item in node.items)
    if isinstance(node, Choice):
        return any(_nullable(option) for option in node.options)
    if isinstance(node, Repeat):
        return node.least == 0 or _nullable(node.body)
    if isinstance(node, Embedded):
        return node.dfa.matches("")
    return True


def build_nfa(node: Node, pattern: str, limits: Limits) -> Nfa:
    """The Thompson automaton of a tree without look-around; `pattern` is for error messages.

    Raises LimitExceeded if it would have more than limits.max_dfa_states character positions.
    """
    positions = count_positions(node)
    if positions > limits.max_dfa_states:
        raise LimitExceeded(positions, limits.max_dfa_states, "max_dfa_states")
    builder = NfaBuilder(pattern)
    start = builder.build(node, 0)
    return builder.finish(start)


def determinise(nfa: Nfa, absorbing: int, limits: Limits) -> CharDfa:
    """The minimal automaton of a Thompson automaton; `absorbing`: the CHAR row of a final loop over everything, or -1."""
    nodes, set_has, class_kind, bounds, classes = nfa.arrays()
    status, n_states, trans, tags = subset_construction(
        nodes, nfa.start, absorbing, set_has, class_kind, limits.max_dfa_states, limits.max_dfa_steps
    )
    check_status(status, limits)
    return char_dfa(bounds, classes, trans[:n_states], tags[:n_states], 1)
