"""Which contexts a node may end in: the analysis that keeps a grammar under a lexing semantics free of dead ends.

A node (greibach.py) that begins in a context (lexing.py) ends in one of several; only those that some finite text reaches are used. A
least fixed point, computed for what is asked for: nodes and contexts are discovered as they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from structgen.errors import LimitExceeded, Limits
from structgen.syntax.lark.greibach import Alternative, Greibach, Node
from structgen.syntax.lark.lexing import Lexing, Shadow

Key = tuple[Node, int]


@dataclass(slots=True)
class Contexts:
    """ends_of_terminal(symbol, context): the contexts that a terminal may end in. met_by(symbol, context, shadow): whether the terminal may
    begin as a shadow goes on. is_single: there is one context only.
    """

    greibach: Greibach
    ends_of_terminal: Callable[[int, int], Iterable[int]]
    lexing: Lexing
    met_by: Callable[[int, int, Shadow], bool]
    is_single: bool
    limits: Limits
    _ends: dict[Key, set[int]] = field(default_factory=dict)
    _users: dict[Key, set[Key]] = field(default_factory=dict)
    _done: set[Key] = field(default_factory=set)
    _apart: dict[tuple[int, Shadow], set[Node]] = field(default_factory=dict)  # nodes that do not meet a shadow
    _narrowed: dict[Key, int] = field(default_factory=dict)

    def ends(self, node: Node, context: int) -> frozenset[int]:
        """The contexts that a text of the node may end in which begins in a context and is not empty."""
        if self.is_single:
            return frozenset((0,))
        key = (node, self.narrowed(node, context))
        if key not in self._done:
            self._solve(key)
        return frozenset(self._ends[key])

    def narrowed(self, node: Node, context: int) -> int:
        """A context without the shadows that no text of the node meets: it begins in both alike, and there are fewer of these."""
        key = (node, context)
        found = self._narrowed.get(key)
        if found is None:
            scanner, shadows = self.lexing.contexts[context]
            kept = frozenset(shadow for shadow in shadows if self._meets(node, context, shadow))
            found = self._narrowed[key] = self.lexing.context(scanner, kept)
        return found

    def _meets(self, node: Node, context: int, shadow: Shadow) -> bool:
        """Whether some terminal that a text of the node may begin with begins as a shadow goes on."""
        scanner = self.lexing.contexts[context][0]
        apart = self._apart.setdefault((scanner, shadow), set())
        seen = {node}
        work = [node]
        while work:
            one = work.pop()
            if one in apart:
                continue
            if isinstance(one, int) and one < 0:
                if self.met_by(one, context, shadow):
                    return True
                continue
            for parts in self.greibach.alternatives(one):
                first = parts[0].node
                if first not in seen:
                    seen.add(first)
                    work.append(first)
        apart |= seen
        return False

    def after(self, parts: Alternative, contexts: Iterable[int]) -> frozenset[int]:
        """The contexts after parts of which those that may be empty are left out or not."""
        reached = set(contexts)
        for part in parts:
            ends = {end for context in reached for end in self.ends(part.node, context)}
            reached = ends | reached if part.nullable else ends
        return frozenset(reached)

    def _solve(self, key: Key) -> None:
        """Discover what a key needs, then relax until nothing changes."""
        work = [key]
        steps = 0
        queued = {key}
        while work:
            one = work.pop()
            queued.discard(one)
            steps += 1
            if steps > self.limits.max_schema_steps:
                raise LimitExceeded(steps, self.limits.max_schema_steps, "max_schema_steps")
            known = self._ends.get(one)
            new = self._relax(one, work, queued)
            if known is None or new != known:
                self._ends[one] = new
                for user in self._users.get(one, ()):
                    if user not in queued:
                        queued.add(user)
                        work.append(user)
        self._done.update(self._ends)

    def _relax(self, key: Key, work: list[Key], queued: set[Key]) -> set[int]:
        node, context = key
        if isinstance(node, int) and node < 0:
            return set(self.ends_of_terminal(node, context))
        out = set(self._ends.get(key, ()))
        for parts in self.greibach.alternatives(node):
            reached = {context}
            for part in parts:
                ends: set[int] = set()
                for one in reached:
                    needed = (part.node, self.narrowed(part.node, one))
                    known = self._ends.get(needed)
                    if needed not in self._done:
                        self._users.setdefault(needed, set()).add(key)
                        if known is None and needed not in queued:
                            self._ends[needed] = set()
                            queued.add(needed)
                            work.append(needed)
                    ends.update(known or ())
                reached = ends | reached if part.nullable else ends
                if not reached:
                    break
            out |= reached
        return out
