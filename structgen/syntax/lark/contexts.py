"""Which contexts a node may end in: the analysis that keeps a grammar under a lexing semantics free of dead ends.

A node (greibach.py) that begins in a context (lexing.py) ends in one of several; only those that some finite text reaches are used. A
least fixed point, computed for what is asked for: nodes and contexts are discovered as they are needed, depth first, so that most of them
are looked at once. Sets of contexts are integers, bit c for context c.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from structgen.errors import LimitExceeded, Limits
from structgen.syntax.lark.greibach import Alternative, Greibach, Node
from structgen.syntax.lark.lalr import digraph
from structgen.syntax.lark.lexing import Lexing
from structgen.syntax.lark.rules import Rules

What = Node | Alternative  # a node, or parts in a row
Key = tuple[What, int]
_MOST_BITS = 100_000_000  # of the sets of terminals that may follow rules; nothing is known of larger grammars


@dataclass(slots=True)
class Contexts:
    """ends_of_terminal(symbol, context): the contexts that a terminal may end in. begins(symbol, scanner): the characters that it may
    begin with, as `Lexing.begins`. is_single: there is one context only.
    """

    greibach: Greibach
    ends_of_terminal: Callable[[int, int], Iterable[int]]
    lexing: Lexing
    begins: Callable[[int, int], int]
    is_single: bool
    limits: Limits
    _ends: dict[Key, int] = field(default_factory=dict)
    _users: dict[Key, dict[Key, None]] = field(default_factory=dict)
    _firsts: dict[tuple[Node, int], int] = field(default_factory=dict)
    _narrowed: dict[Key, int] = field(default_factory=dict)
    _bits: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _results: dict[Key, int] = field(default_factory=dict)  # of `_relax`

    def ends(self, what: What, context: int) -> int:
        """The contexts that a text of a node or of parts in a row may end in which begins in a context and is not empty."""
        if self.is_single:
            return 1
        key = (what, self.narrowed(what, context))
        found = self._ends.get(key)
        if found is None:
            self._solve(key)
            found = self._ends[key]
        return found

    def ends_list(self, what: What, context: int) -> tuple[int, ...]:
        """`ends` as numbers, ascending."""
        return self.numbers(self.ends(what, context))

    def numbers(self, contexts: int) -> tuple[int, ...]:
        """The contexts of a set, ascending."""
        found = self._bits.get(contexts)
        if found is None:
            out = []
            rest = contexts
            while rest:
                low = rest & -rest
                out.append(low.bit_length() - 1)
                rest ^= low
            found = self._bits[contexts] = tuple(out)
        return found

    def narrowed(self, what: What, context: int) -> int:
        """A context without the shadows that no text of a node or of parts meets: it begins in both alike, and there are fewer of these."""
        key = (what, context)
        found = self._narrowed.get(key)
        if found is None:
            found = context
            scanner, shadows = self.lexing.contexts[context]
            if shadows:
                begins = self._begins_of(what, scanner)
                kept = frozenset(shadow for shadow in shadows if self.lexing.going(shadow) & begins)
                found = self.lexing.context(scanner, kept)
            self._narrowed[key] = found
        return found

    def _begins_of(self, what: What, scanner: int) -> int:
        """The characters that a text of a node or of parts may begin with."""
        if _is_parts(what):
            out = 0
            for part in what:
                out |= self._first(part.node, scanner)
                if not part.nullable:
                    break
            return out
        return self._first(what, scanner)  # type: ignore[arg-type]

    def _first(self, node: Node, scanner: int) -> int:
        known = self._firsts
        found = known.get((node, scanner))
        if found is not None:
            return found
        stack = [node]
        while stack:  # no node begins with itself
            one = stack[-1]
            if isinstance(one, int) and one < 0:
                known[one, scanner] = self.begins(one, scanner)
                stack.pop()
                continue
            out = 0
            missing = False
            for parts in self.greibach.alternatives(one):
                first = known.get((parts[0].node, scanner))
                if first is None:
                    stack.append(parts[0].node)
                    missing = True
                elif not missing:
                    out |= first
            if not missing:
                known[one, scanner] = out
                stack.pop()
        return known[node, scanner]

    # -- the fixed point ----------------------------------------------------------------------------------------------------------

    def _solve(self, key: Key) -> None:
        """Discover what a key needs, depth first, then relax what changed afterwards until nothing changes."""
        self._ends[key] = 0
        stack = [(key, self._relax(key))]
        changed: dict[Key, None] = {}
        steps = 0
        try:
            while stack:
                steps = self._count(steps)
                one, run = stack[-1]
                needed = next(run, None)
                if needed is not None:
                    self._ends[needed] = 0
                    stack.append((needed, self._relax(needed)))
                    continue
                stack.pop()
                self._settle(one, changed)
            while changed:
                steps = self._count(steps)
                one, _ = changed.popitem()
                for needed in self._relax(one):
                    self._ends[needed] = 0
                    changed[one] = None  # after what it needs
                    changed[needed] = None
                self._settle(one, changed)
        except LimitExceeded:
            self._ends.clear()  # what is known is not all
            self._users.clear()
            raise
        self._users.clear()

    def _count(self, steps: int) -> int:
        if steps > self.limits.max_schema_steps:
            raise LimitExceeded(steps, self.limits.max_schema_steps, "max_schema_steps")
        return steps + 1

    def _settle(self, key: Key, changed: dict[Key, None]) -> None:
        """Note the new ends of a key and who used the old ones. `_relax` left them in `_results`."""
        new = self._results.pop(key)
        if new != self._ends[key]:
            self._ends[key] = new
            changed.update(self._users.get(key, {}))

    def _relax(self, key: Key) -> Iterator[Key]:
        """Compute the ends of a key from those of others, into `_results`; yields the keys that have none yet before it uses them."""
        what, context = key
        ends, users, narrowed = self._ends, self._users, self.narrowed
        out = 0
        if _is_parts(what):
            for i, part in enumerate(what):
                first = (part.node, narrowed(part.node, context))
                if first not in ends:
                    yield first
                users.setdefault(first, {})[key] = None
                middles = ends[first]
                rest: Alternative = what[i + 1 :]
                if not rest or all(p.nullable for p in rest):
                    out |= middles
                if rest:
                    follower: What = rest if len(rest) > 1 else rest[0].node
                    for middle in self.numbers(middles):
                        two = (follower, narrowed(follower, middle))
                        if two not in ends:
                            yield two
                        users.setdefault(two, {})[key] = None
                        out |= ends[two]
                if not part.nullable:
                    break
            self._results[key] = out
            return
        if isinstance(what, int) and what < 0:
            for end in self.ends_of_terminal(what, context):
                out |= 1 << end
            self._results[key] = out
            return
        for parts in self.greibach.alternatives(what):  # type: ignore[arg-type]
            option: What = parts if len(parts) > 1 else parts[0].node
            one = (option, narrowed(option, context))
            if one not in ends:
                yield one
            users.setdefault(one, {})[key] = None
            out |= ends[one]
        self._results[key] = out


def followers(rules: Rules, unknown: Container[int]) -> dict[int, int]:
    """For each terminal (by its number; -1: before the text) the terminals that may come next, bit t for terminal t.

    The FIRST and FOLLOW sets of parsing; ignored text is not counted. With n terminals, bit n stands for the end of the text, and bit n + 1
    for the terminals in `unknown`. Empty where the grammar is too large for it.
    """
    n, n_terminals = len(rules.names), len(rules.terminals)
    if n * n_terminals > _MOST_BITS:
        return {}
    end = 1 << n_terminals
    of_terminal = [end << 1 if t in unknown else 1 << t for t in range(n_terminals)]
    begin_with: list[dict[int, None]] = [{} for _ in range(n)]
    direct = [0] * n
    for rule, alternatives in enumerate(rules.alternatives):
        for symbols in alternatives:
            for s in symbols:
                if s >= 0:
                    begin_with[rule][s] = None
                else:
                    direct[rule] |= of_terminal[~s]
                if not rules.nullable(s):
                    break
    first = digraph([list(found) for found in begin_with], direct)
    follow = [0] * n
    follow[rules.start] = end
    after_terminal = [0] * n_terminals
    end_with: list[dict[int, None]] = [{} for _ in range(n)]  # the rules that end with each rule
    last_in: list[dict[int, None]] = [{} for _ in range(n_terminals)]  # and with each terminal
    for rule, alternatives in enumerate(rules.alternatives):
        for symbols in alternatives:
            behind, is_last = 0, True
            for s in reversed(symbols):
                if s >= 0:
                    follow[s] |= behind
                else:
                    after_terminal[~s] |= behind
                if is_last:
                    (end_with[s] if s >= 0 else last_in[~s])[rule] = None
                nullable = rules.nullable(s)
                is_last = is_last and nullable
                own = first[s] if s >= 0 else of_terminal[~s]
                behind = own | behind if nullable else own
    follow = digraph([list(found) for found in end_with], follow)
    for t, owners in enumerate(last_in):
        for rule in owners:
            after_terminal[t] |= follow[rule]
    before = first[rules.start] | (end if rules.is_nullable[rules.start] else 0)
    return {-1: before, **dict(enumerate(after_terminal))}


def _is_parts(what: What) -> TypeGuard[Alternative]:
    """Whether it is parts in a row; a slashed node is a pair of numbers."""
    return isinstance(what, tuple) and isinstance(what[0], tuple)
