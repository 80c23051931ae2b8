"""From rules to the machine's nodes: the last stage of the grammar front-end.

In: rules in the form of greibach.py and the lexing of their terminals. Out: nodes and lexemes of a `Program`, one node at a time, when the
machine first reaches it. A node of the program is a node of the grammar between two contexts; a grammar with one context has
one program node for each.
"""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from structgen.errors import Limits
from structgen.kernels import layout
from structgen.lexemes.dfa import CharDfa, union_tagged
from structgen.machine.program import NodeAlternative, Program
from structgen.syntax.constraints import Constraint
from structgen.syntax.lark.contexts import Contexts
from structgen.syntax.lark.greibach import Alternative, Greibach, Node, Part
from structgen.syntax.lark.lexing import Lexing
from structgen.syntax.lark.rules import Rules

_ROOT, _NODE, _REST, _IGNORED = range(4)
Key = tuple[int, Node | Alternative, int, int]  # what it is; a node or parts; the contexts before and after it
Parts = list[tuple[int, bool]]
_AHEAD = 32  # nodes that are compiled before they are asked for, at a time
# Lexemes with more states than this are worth records of their own; others are walked.
_RESTRICTIVE = 12


@dataclass(frozen=True, slots=True)
class LoweredGrammar:
    """What all programs of a grammar share.

    exits: for a terminal and a context the contexts after it, and the texts that lead there. terminal_of: the lexing's number of each
    terminal. embedded: the constraints that some terminals stand for.
    """

    rules: Rules
    greibach: Greibach
    lexing: Lexing
    contexts: Contexts
    exits: Callable[[int, int], dict[int, CharDfa]]
    terminal_of: Sequence[int]
    embedded: dict[int, Constraint]
    limits: Limits


class _Opening(NamedTuple):
    """One alternative of a node. lexeme None: a sequence alone; name: of its terminal; tail: the number of the sequence, None for none;
    first: the node that a sequence alone begins with, -1 for one of another front-end; followers: see `Lexicon.start_of`.
    """

    lexeme: CharDfa | None
    name: str
    tail: int | None
    first: int = -1
    followers: int | None = None


class Host(Protocol):
    """The front-end of the program that a grammar is a part of. whole: the constraint that nothing comes after."""

    whole: Constraint | None

    def node_of(self, program: Program, one: Constraint) -> tuple[int, bool]:
        """The node of another constraint, -1 if it is always empty, and whether it may be."""


class GrammarFrontEnd:
    """The nodes of one program. is_whole: nothing comes after the grammar's text."""

    def __init__(self, grammar: LoweredGrammar, host: Host, *, is_whole: bool) -> None:
        self.grammar, self.host, self.is_whole = grammar, host, is_whole
        self.contexts, self.lexing, self.rules = grammar.contexts, grammar.lexing, grammar.rules
        self.nodes: dict[Key, int] = {}
        self.keys: dict[int, Key] = {}
        self.names: dict[int, dict[str, None]] = {}
        # by followers and the identities of automata, which the lexing keeps
        self._starts: dict[tuple[int | None, ...], int] = {}
        self._compiled: set[int] = set()
        self._later: deque[int] = deque()  # nodes that were made and may not be compiled, in this order

    # -- nodes --------------------------------------------------------------------------------------------------------------------

    def root(self, program: Program) -> tuple[int, bool]:
        """(root node, whether the whole text may be empty)."""
        return self._node(program, (_ROOT, 0, 0, 0)), self.rules.is_nullable[self.rules.start]

    def _between(self, program: Program, what: Node, before: int, after: int) -> int:
        """The node of the program for a node of the grammar between two contexts."""
        before = before if self.contexts.is_single else self.contexts.narrowed(what, before)
        return self._node(program, (_NODE, what, before, after))

    def _node(self, program: Program, key: Key) -> int:
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = program.new_node()
            self._later.append(node)
            self.keys[node] = key
        return node

    def compile_node(self, program: Program, node: int) -> None:
        """Compile a node and those that its values begin with, and some of those that come next.

        Each one that is asked for costs a call of the machine its work so far, and most tokens reach into what comes next.
        """
        work, later = [node], self._later
        n_more = _AHEAD
        while work or (later and n_more > 0):
            if work:
                one = work.pop()
            else:
                one = later.popleft()
                n_more -= one not in self._compiled
            if one not in self._compiled:
                self._compiled.add(one)
                work += self._compile_one(program, one)

    def _compile_one(self, program: Program, node: int) -> list[int]:
        """Compile one node; returns the nodes of this grammar that its values begin with."""
        kind, what, before, after = self.keys[node]
        out: list[_Opening] = []
        if kind == _ROOT:
            self._compile_root(program, out)
        elif kind == _IGNORED:
            out.append(_Opening(self.lexing.leading(0)[after], "ignored text", None))
        elif kind == _REST:
            self._beginnings(program, what, before, after, out)  # type: ignore[arg-type]
        elif isinstance(what, int) and ~what in self.grammar.embedded:
            self._compile_embedded(program, what, after, out)
        elif isinstance(what, int) and what < 0:
            out.append(self._opening(what, before, after, None))
        else:
            for parts in self.grammar.greibach.alternatives(what):  # type: ignore[arg-type]
                self._alternative(program, parts, before, after, out)
        program.set_node(node, self._united(program, out))
        firsts = (one.first for one in out if one.first >= 0)
        return list(dict.fromkeys(firsts))

    def _united(self, program: Program, openings: list[_Opening]) -> list[NodeAlternative]:
        """The alternatives, with one lexeme for all terminals before the same parts: each is a configuration of its own."""
        by_tail: dict[tuple[bool, int | None], list[_Opening]] = {}
        for one in openings:
            by_tail.setdefault((one.lexeme is None, one.tail), []).append(one)
        out: list[NodeAlternative] = []
        for (is_node, tail), group in by_tail.items():
            if is_node:
                out.append(NodeAlternative(0, layout.ALT_NODE, tail if tail is not None else -1))
                continue
            start = self._register(program, group)
            if tail is None:
                out.append(NodeAlternative(start, layout.ALT_SCALAR))
            else:
                out.append(NodeAlternative(start, layout.ALT_SEQUENCE, tail))
        return out

    def _compile_embedded(self, program: Program, symbol: int, after: int, out: list[_Opening]) -> None:
        """Another constraint, and the ignored text after it; no rule about the ends of tokens reaches into it."""
        node, _ = self.host.node_of(program, self.grammar.embedded[~symbol])
        if after == 0:
            out.append(_Opening(None, "", program.add_sequence([(node, False)])))
        if after in self.lexing.leading(0):
            ignored = self._node(program, (_IGNORED, 0, 0, after))
            out.append(_Opening(None, "", program.add_sequence([(node, False), (ignored, False)])))

    def _compile_root(self, program: Program, out: list[_Opening]) -> None:
        start, textual = self.rules.start, self.rules.has_text[self.rules.start]
        nullable = self.rules.is_nullable[start]
        if textual:
            for end in filter(self.lexing.may_end, self.contexts.ends_list(start, 0)):
                node = self._between(program, start, 0, end)
                out.append(_Opening(None, "", program.add_sequence([(node, False)]), node))
        for context, dfa in self.lexing.leading(0).items():
            following = self.lexing.following(-1, self.is_whole)
            if nullable and self.lexing.may_end(context):
                out.append(_Opening(dfa, "ignored text", None, followers=following))
            for end in filter(self.lexing.may_end, self.contexts.ends_list(start, context) if textual else ()):
                parts = [(self._between(program, start, context, end), False)]
                out.append(_Opening(dfa, "ignored text", program.add_sequence(parts), followers=following))

    def _beginnings(self, program: Program, parts: Alternative, before: int, after: int, out: list[_Opening]) -> None:
        for i, part in enumerate(parts):
            self._alternative(program, (Part(part.node, False), *parts[i + 1 :]), before, after, out)
            if not part.nullable:
                break

    def _alternative(self, program: Program, parts: Alternative, before: int, after: int, out: list[_Opening]) -> None:
        """Append what an alternative means between two contexts: one for each context after its first part."""
        first, rest = parts[0].node, parts[1:]
        for middle in self.contexts.ends_list(first, before):
            tail = self._tail(program, rest, middle, after)
            if tail is None:
                continue
            if isinstance(first, int) and first < 0 and ~first not in self.grammar.embedded:
                out.append(self._opening(first, before, middle, program.add_sequence(tail) if tail else None))
            else:
                node = self._between(program, first, before, middle)
                out.append(_Opening(None, "", program.add_sequence([(node, False), *tail]), node))

    def _tail(self, program: Program, parts: Alternative, before: int, after: int) -> Parts | None:
        """The parts of a sequence between two contexts; None if no text of theirs leads from one to the other."""
        if self.contexts.is_single:
            return [(self._node(program, (_NODE, part.node, 0, 0)), part.nullable) for part in parts]
        may_be_empty = before == after and all(part.nullable for part in parts)
        if not parts:
            return [] if may_be_empty else None
        if not self.contexts.ends(parts if len(parts) > 1 else parts[0].node, before) >> after & 1:
            return [] if may_be_empty else None
        if len(parts) == 1:
            return [(self._between(program, parts[0].node, before, after), may_be_empty)]
        return [(self._node(program, (_REST, parts, self.contexts.narrowed(parts, before), after)), may_be_empty)]

    # -- lexemes ------------------------------------------------------------------------------------------------------------------

    def _opening(self, symbol: int, before: int, after: int, tail: int | None) -> _Opening:
        lexeme = self.grammar.exits(symbol, self.contexts.narrowed(symbol, before))[after]
        following = self.lexing.following(self.grammar.terminal_of[~symbol], self.is_whole)
        return _Opening(lexeme, self.rules.name_of(symbol), tail, followers=following)

    def _register(self, program: Program, group: list[_Opening]) -> int:
        """The start of the lexeme of what some openings begin with."""
        limits = self.grammar.limits
        names = dict.fromkeys(one.name for one in group)
        lexemes = {id(one.lexeme): one.lexeme for one in group if one.lexeme is not None}
        followers = None
        if all(one.followers is not None for one in group):
            followers = functools.reduce(operator.or_, (one.followers or 0 for one in group))
        key = (followers, *lexemes)
        start = self._starts.get(key)
        if start is None:
            parts = [dfa.to_bytes("utf8", limits) for dfa in lexemes.values()]
            spelled = parts[0] if len(parts) == 1 else union_tagged([(part, 0) for part in parts], limits)
            # what many texts go through is worth records of its own; masks walk the vocabulary with other lexemes
            recorded = spelled.n_states > _RESTRICTIVE or not all(dfa.is_finite() for dfa in lexemes.values())
            start = program.lexicon.start_of(
                ("terminal", spelled.key(), followers), lambda: spelled, recorded=recorded, followers=followers
            )
            self._starts[key] = start
        self.names.setdefault(start, {}).update(names)
        return start

    def describe(self, program: Program, q: int, k: int) -> str:  # noqa: ARG002 (the lexeme says it)
        """The terminals that a lexeme state belongs to."""
        low = q & layout.LOW
        if low >= layout.LOCAL:
            return ""
        key = program.lexicon.key_of(low)
        for start, names in self.names.items():
            if program.lexicon.key_of(start) == key:
                return " or ".join(names)
        return ""
