"""Rules in the form that the machine takes: every alternative of a node begins with a lexeme or with another node, no node with itself.

A node is a symbol of the rules, or a *slashed* one (A, X): what is still missing of an A whose first part was an X (the left-corner
transform of Rosenkrantz and Lewis). Slashed nodes are made for left-recursive rules only, on demand: A becomes "a first part X of A that
is no left-recursive part of A itself, then (A, X)", and (A, X) becomes, for each rule B: X rest of that kind, "rest, then (A, B)". That
covers direct, indirect and hidden left recursion (behind parts that may be empty); rules that derive themselves add nothing.

A node stands for its texts that are not empty; whether it may also be empty is said where it is used, in `Part`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from structgen.syntax.lark.rules import Rules

Slashed = tuple[int, int]
Node = int | Slashed


class Part(NamedTuple):
    """One part of an alternative. nullable: it may be left out."""

    node: Node
    nullable: bool


Alternative = tuple[Part, ...]


@dataclass(slots=True)
class Greibach:
    """The nodes of some rules. The first part of an alternative is never empty and no slashed node."""

    rules: Rules
    component: list[int] = field(default_factory=list)
    members: dict[int, list[int]] = field(default_factory=dict)
    _alternatives: dict[Node, tuple[Alternative, ...]] = field(default_factory=dict)
    _climbs: dict[int, bool] = field(default_factory=dict)
    _ups: dict[int, dict[int, list[tuple[int, tuple[int, ...]]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.component = _left_recursive(self.rules)
        for rule, number in enumerate(self.component):
            if number >= 0:
                self.members.setdefault(number, []).append(rule)

    def alternatives(self, node: Node) -> tuple[Alternative, ...]:
        """The alternatives of a rule or a slashed node (terminals have none: they are lexemes)."""
        found = self._alternatives.get(node)
        if found is None:
            found = tuple(dict.fromkeys(self._slashed(*node) if isinstance(node, tuple) else self._of_rule(node)))
            self._alternatives[node] = found
        return found

    def part(self, symbol: int) -> Part:
        return Part(symbol, self.rules.nullable(symbol))

    def parts(self, symbols: tuple[int, ...]) -> Alternative:
        """Symbols as parts, without those that are always empty."""
        return tuple(self.part(s) for s in symbols if self.rules.textual(s))

    def _of_rule(self, rule: int) -> list[Alternative]:
        out: list[Alternative] = []
        component = self.component[rule]
        if component < 0:
            for symbols in self.rules.alternatives[rule]:
                out += _beginnings(self.parts(symbols))
            return out
        for member in self.members[component]:
            for symbols in self.rules.alternatives[member]:
                for beginning in _beginnings(self.parts(symbols)):
                    first = beginning[0].node
                    if isinstance(first, int) and (first < 0 or self.component[first] != component):
                        out.append((*beginning, *self._missing(rule, member)))
        return out

    def _missing(self, rule: int, reached: int) -> Alternative:
        """The part (rule, reached), if it has any text.

        From every rule of a left-recursive set each step up of that set can be reached, and from there `rule`: so either all or none of
        its slashed nodes have texts.
        """
        component = self.component[rule]
        has_text = self._climbs.get(component)
        if has_text is None:
            ups = self._ups_of(component)
            textual = self.rules.textual
            has_text = any(textual(s) for steps in ups.values() for _, rest in steps for s in rest)
            self._climbs[component] = has_text
        return (Part((rule, reached), self._may_end(rule, reached)),) if has_text else ()

    def _ups_of(self, component: int) -> dict[int, list[tuple[int, tuple[int, ...]]]]:
        """For each rule X of a left-recursive set: the (B, rest) of alternatives `B: (empty) X rest`."""
        ups = self._ups.get(component)
        if ups is None:
            ups = self._ups[component] = {}
            for member in self.members[component]:
                for symbols in self.rules.alternatives[member]:
                    for i, s in enumerate(symbols):
                        if s >= 0 and self.component[s] == component:
                            ups.setdefault(s, []).append((member, symbols[i + 1 :]))
                        if not self.rules.nullable(s):
                            break
        return ups

    def _silent(self, reached: int) -> dict[int, None]:
        """The rules that a `reached` may be the whole of, itself included: steps whose rest may be empty."""
        ups = self._ups_of(self.component[reached])
        found = {reached: None}
        work = [reached]
        while work:
            for parent, rest in ups.get(work.pop(), ()):
                if parent not in found and all(map(self.rules.nullable, rest)):
                    found[parent] = None
                    work.append(parent)
        return found

    def _may_end(self, rule: int, reached: int) -> bool:
        return rule in self._silent(reached)

    def _slashed(self, rule: int, reached: int) -> list[Alternative]:
        ups = self._ups_of(self.component[rule])
        return [
            (*beginning, *self._missing(rule, parent))
            for one in self._silent(reached)
            for parent, rest in ups.get(one, ())
            for beginning in _beginnings(self.parts(rest))
        ]


def _beginnings(parts: Alternative) -> list[Alternative]:
    """The alternatives that parts stand for, by the first part that is not empty."""
    out: list[Alternative] = []
    for i, part in enumerate(parts):
        out.append((Part(part.node, False), *parts[i + 1 :]))
        if not part.nullable:
            break
    return out


def _left_recursive(rules: Rules) -> list[int]:
    """For each rule the number of its set of mutually left-recursive rules, -1 if it is not left-recursive (Tarjan's algorithm)."""
    n = len(rules.names)
    edges: list[list[int]] = []
    for alternatives in rules.alternatives:
        out: dict[int, None] = {}
        for symbols in alternatives:
            for s in symbols:
                if s >= 0:
                    out[s] = None
                if not rules.nullable(s):
                    break
        edges.append(list(out))
    index = [-1] * n
    low = [0] * n
    on_stack = [False] * n
    component = [-1] * n
    stack: list[int] = []
    counter = n_components = 0
    for root in range(n):
        if index[root] >= 0:
            continue
        work = [(root, 0)]
        while work:
            v, i = work.pop()
            if i == 0:
                index[v] = low[v] = counter
                counter += 1
                stack.append(v)
                on_stack[v] = True
            for j in range(i, len(edges[v])):
                w = edges[v][j]
                if index[w] < 0:
                    work.append((v, j + 1))
                    work.append((w, 0))
                    break
                if on_stack[w]:
                    low[v] = min(low[v], index[w])
            else:
                members = []
                if low[v] == index[v]:
                    while True:
                        w = stack.pop()
                        on_stack[w] = False
                        members.append(w)
                        if w == v:
                            break
                    if len(members) > 1 or v in edges[v]:
                        for w in members:
                            component[w] = n_components
                        n_components += 1
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[v])
    return component
