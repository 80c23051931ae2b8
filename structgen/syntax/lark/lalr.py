"""The LALR(1) automaton of plain rules: what the contextual lexer's scanners depend on.

In: rules as Lark expands them. Out: the LR(0) states and, for each, the terminals that a parser would accept there, reductions included
(DeRemer and Pennello, "Efficient computation of LALR(1) look-ahead sets", 1982). Raises GrammarSyntaxError where a state would have to
choose: Lark resolves such conflicts by leaving derivations out, which no grammar without them says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from structgen.errors import GrammarSyntaxError, LimitExceeded, Limits
from structgen.syntax.lark.rules import Rules, Symbols

END = -(1 << 40)  # the end of the text, as a terminal
Item = tuple[int, int, int]  # rule (-1: the start), number of its alternative, position


@dataclass(slots=True)
class Automaton:
    """LR(0) states with LALR(1) look-ahead. gotos: of each state; accepted: the terminals that each state has an action for."""

    rules: Rules
    limits: Limits
    kernels: list[tuple[Item, ...]] = field(default_factory=list)
    gotos: list[dict[int, int]] = field(default_factory=list)
    accepted: list[set[int]] = field(default_factory=list)

    def symbols(self, rule: int, alternative: int) -> Symbols:
        return (self.rules.start,) if rule < 0 else self.rules.alternatives[rule][alternative]


def lalr(rules: Rules, limits: Limits) -> Automaton:
    """The automaton of rules that are all productive."""
    made = Automaton(rules, limits)
    _states(made)
    _look_ahead(made)
    return made


def _closure(made: Automaton, kernel: tuple[Item, ...]) -> list[Item]:
    out = list(kernel)
    seen: set[int] = set()
    for rule, alternative, position in out:
        symbols = made.symbols(rule, alternative)
        if position < len(symbols):
            s = symbols[position]
            if s >= 0 and s not in seen:
                seen.add(s)
                out += [(s, i, 0) for i in range(len(made.rules.alternatives[s]))]
    return out


def _states(made: Automaton) -> None:
    first: tuple[Item, ...] = ((-1, 0, 0),)
    numbers = {first: 0}
    made.kernels.append(first)
    steps = 0
    for kernel in made.kernels:
        moves: dict[int, list[Item]] = {}
        items = _closure(made, kernel)
        steps += len(items)
        if steps > made.limits.max_dfa_steps:
            raise LimitExceeded(steps, made.limits.max_dfa_steps, "max_dfa_steps")
        for rule, alternative, position in items:
            symbols = made.symbols(rule, alternative)
            if position < len(symbols):
                moves.setdefault(symbols[position], []).append((rule, alternative, position + 1))
        row: dict[int, int] = {}
        for symbol, moved in moves.items():
            key = tuple(sorted(moved))
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(made.kernels)
                made.kernels.append(key)
                if number > made.limits.max_dfa_states:
                    raise LimitExceeded(number, made.limits.max_dfa_states, "max_dfa_states")
            row[symbol] = number
        made.gotos.append(row)


def _look_ahead(made: Automaton) -> None:
    rules, gotos = made.rules, made.gotos
    transitions = [(p, a) for p, row in enumerate(gotos) for a in row if a >= 0]
    numbers = {transition: i for i, transition in enumerate(transitions)}
    reads: list[list[int]] = []
    direct: list[set[int]] = []
    for p, a in transitions:
        row = gotos[gotos[p][a]]
        direct.append({s for s in row if s < 0})
        reads.append([numbers[gotos[p][a], s] for s in row if s >= 0 and rules.is_nullable[s]])
    if (0, rules.start) in numbers:
        direct[numbers[0, rules.start]].add(END)
    read = digraph(reads, [set(s) for s in direct])
    includes: list[list[int]] = [[] for _ in transitions]
    reductions: dict[
        tuple[int, int, int], list[int]
    ] = {}  # (state, rule, alternative): transitions that it may go back to
    for i, (p, a) in enumerate(transitions):
        for alternative, symbols in enumerate(rules.alternatives[a]):
            state = p
            for position, s in enumerate(symbols):
                if s >= 0 and all(map(rules.nullable, symbols[position + 1 :])):
                    includes[numbers[state, s]].append(i)
                state = gotos[state][s]
            reductions.setdefault((state, a, alternative), []).append(i)
    follow = digraph(includes, [set(s) for s in read])
    made.accepted = [{s for s in row if s < 0} for row in gotos]
    taken: dict[tuple[int, int], tuple[int, int]] = {}
    for (state, rule, alternative), back in reductions.items():
        for terminal in set().union(*(follow[i] for i in back)):
            if terminal in gotos[state]:
                raise _conflict(made, terminal, rule, None)
            other = taken.setdefault((state, terminal), (rule, alternative))
            if other != (rule, alternative):
                raise _conflict(made, terminal, rule, other[0])
            made.accepted[state].add(terminal)


Members = TypeVar("Members", set[int], int)


def digraph(edges: Sequence[Sequence[int]], out: list[Members]) -> list[Members]:
    """For each node the union of the sets of all nodes that it reaches, by strong components; without recursion.

    out: the sets of the nodes alone (sets, or integers as sets of bits), which are overwritten and returned.
    """
    n = len(edges)
    depth = [0] * n
    stack: list[int] = []
    done = n + 1
    for root in range(n):
        if depth[root]:
            continue
        work = [(root, 0)]
        while work:
            v, i = work.pop()
            if i == 0:
                stack.append(v)
                depth[v] = len(stack)
            else:
                w = edges[v][i - 1]
                depth[v] = min(depth[v], depth[w])
                out[v] |= out[w]
            if i < len(edges[v]):
                work.append((v, i + 1))
                if not depth[edges[v][i]]:
                    work.append((edges[v][i], 0))
                continue
            if stack[depth[v] - 1 if depth[v] <= len(stack) else -1] == v and depth[v] != done:
                while True:
                    w = stack.pop()
                    depth[w] = done
                    if w == v:
                        break
                    out[w] = out[v]
    return out


def _conflict(made: Automaton, terminal: int, rule: int, other: int | None) -> GrammarSyntaxError:
    rules = made.rules
    shown = "the end of the text" if terminal == END else rules.name_of(terminal)
    name = _shown(rules, rule)
    if other is None:
        what = f"after {name} comes {shown}, which may also go on with it (a shift/reduce conflict)"
    else:
        what = f"before {shown} a text is both {name} and {_shown(rules, other)} (a reduce/reduce conflict)"
    return rules.places[rule].error(
        f'the grammar is not LALR(1), which lexer="contextual" needs: {what}; use lexer="dynamic", or rewrite the rule'
    )


def _shown(rules: Rules, rule: int, depth: int = 0) -> str:
    """A rule's name, or what a helper rule stands for."""
    name = rules.names[rule]
    if not name.startswith("part "):
        return name
    symbols = [s for s in rules.alternatives[rule][0] if s != rule]
    shown = (_shown(rules, s, depth + 1) if s >= 0 and depth < 3 else rules.name_of(s) for s in symbols)
    return f"({' '.join(shown)})+"
