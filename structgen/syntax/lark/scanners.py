"""The contextual lexer of Lark as scanners, and the rules with the states of its parser in them.

In each state of the LALR(1) parser Lark scans with the terminals that the parser has an action for there, and the ignored ones: by
priority, then by the longest possible match, by the length of the expression, by name; the first that matches is taken. A string that
some expression of the same priority would match is left to that expression, and told apart by its text afterwards.

The parser's state after a token is the scanner of the next one. So that the top-down machine knows it, each rule is split by the state
that it begins in, which gives each terminal the state after it; both say the same, as the parser has no choices. Most grammars have
nothing that one state would try and another would not, and so one scanner: then rules stay whole. Else those that are split without
need are put together again (Moore's rounds of refinement).
"""

from __future__ import annotations

from structgen.errors import Limits
from structgen.lexemes.dfa import CharDfa
from structgen.syntax.lark.contexts import followers
from structgen.syntax.lark.lalr import Automaton
from structgen.syntax.lark.lexing import Entry, Lexing, Scanner, Spelled
from structgen.syntax.lark.rules import Rules, Symbols
from structgen.syntax.lark.terminals import Terminal


class ContextualLexing:
    """rules: split; lexing: its scanners; scanner_after, terminal_of: for each terminal of `rules`, by number."""

    def __init__(self, automaton: Automaton, limits: Limits) -> None:
        self.automaton, self.limits = automaton, limits
        self.plain = automaton.rules
        self.terminals: list[Terminal] = [t for t in self.plain.terminals if isinstance(t, Terminal)]
        self.automata: list[CharDfa] = [terminal.preferred for terminal in self.terminals]
        self._derived: dict[tuple[int, tuple[int, ...], bool], int] = {}
        self._taken: dict[tuple[int, int], bool] = {}
        self._ranks = {t: i for i, t in enumerate(sorted(range(len(self.terminals)), key=self._order))}
        self._spelled = Spelled(self.automata)
        self._scanner_of: list[int] = []
        self.scanners: list[Scanner] = []
        self._make_scanners()
        self.scanner_after: list[int] = []
        self.terminal_of: list[int] = []
        if len(self.scanners) > 1:
            self.rules = self._split()
        else:
            self.rules = self.plain
            self.terminal_of = list(range(len(self.plain.terminals)))
            self.scanner_after = [0] * len(self.terminal_of)
        self.lexing = Lexing(self.automata, self.scanners, limits)
        self.lexing.narrow(followers(self.plain, ()), len(self.plain.terminals))

    # -- scanners -----------------------------------------------------------------------------------------------------------------

    def _make_scanners(self) -> None:
        """A scanner for each state; those that try their common terminals alike are one.

        A state never comes to a terminal that its own scanner does not try, so that what others of one scanner try does no harm.
        """
        n = len(self.terminals)
        known: dict[frozenset[int], int] = {}
        for accepted in self.automaton.accepted:
            tried = frozenset(~s for s in accepted if ~s < n)
            number = known.get(tried)
            if number is None:
                number = known[tried] = self._united(self._made(tried))
            self._scanner_of.append(number)

    def _united(self, made: Scanner) -> int:
        for number, other in enumerate(self.scanners):
            if made.ignored == other.ignored and all(
                other.entries.get(t, entries) == entries for t, entries in made.entries.items()
            ):
                other.entries.update(made.entries)
                return number
        self.scanners.append(made)
        return len(self.scanners) - 1

    def _made(self, accepted: frozenset[int]) -> Scanner:
        ignored = set(self.plain.ignored)
        order = sorted(accepted | ignored, key=self._ranks.__getitem__)
        strings = [t for t in order if self.terminals[t].is_string]
        held: dict[int, list[int]] = {}  # the strings that each expression takes
        embedded: set[int] = set()
        for t in order:
            one = self.terminals[t]
            if one.is_string:
                continue
            for s in strings:
                if self._takes(t, s):
                    held.setdefault(t, []).append(s)
                    if set(self.terminals[s].expression.flags) <= set(one.expression.flags):
                        embedded.add(s)
        order = [t for t in order if t not in embedded]
        entries: dict[int, list[Entry]] = {t: [] for t in accepted}  # some of them may never be taken here
        skipped: list[Entry] = []
        for before, t in enumerate(order):
            taken = held.get(t, [])
            earlier = tuple(other for other in order[:before] if self._spelled.interferes(other, t))
            if t in ignored:
                skipped.append(Entry(t, -1, earlier))
                continue
            for i, s in enumerate(taken):
                entries[s].append(Entry(t, self._among(s, tuple(taken[:i]), True), earlier))
            only = self._among(t, tuple(taken), False) if taken else -1
            entries[t].append(Entry(t, only, earlier))
        return Scanner(entries, skipped)

    def _takes(self, expression: int, string: int) -> bool:
        """Whether an expression matches a string of its own priority."""
        found = self._taken.get((expression, string))
        if found is None:
            one, other = self.terminals[expression], self.terminals[string]
            found = other.priority == one.priority and self.automata[expression].matches(other.expression.text)
            self._taken[expression, string] = found
        return found

    def _order(self, number: int) -> tuple[int, int, int, str]:
        terminal = self.terminals[number]
        return -terminal.priority, -terminal.width[1], -terminal.expression.length, terminal.name

    def _among(self, one: int, others: tuple[int, ...], is_string: bool) -> int:
        """The automaton of a terminal's texts that are none of some strings'."""
        key = (one, others, is_string)
        number = self._derived.get(key)
        if number is None:
            language = self.terminals[one].language if is_string else self.automata[one]
            for other in others:
                language = language.subtract(self.terminals[other].language, self.limits)
            number = self._derived[key] = len(self.automata)
            self.automata.append(language)
        return number

    # -- rules --------------------------------------------------------------------------------------------------------------------

    def _split(self) -> Rules:
        plain, gotos = self.plain, self.automaton.gotos
        numbers: dict[tuple[int, int], int] = {}
        terminals: dict[tuple[int, int], int] = {}
        order: list[tuple[int, int]] = []
        split: list[list[Symbols]] = []

        def rule(state: int, name: int) -> int:
            number = numbers.get((state, name))
            if number is None:
                number = numbers[state, name] = len(order)
                order.append((state, name))
            return number

        def terminal(symbol: int, after: int) -> int:
            key = (~symbol, self._scanner_of[after])
            number = terminals.get(key)
            if number is None:
                number = terminals[key] = len(self.terminal_of)
                self.terminal_of.append(key[0])
                self.scanner_after.append(key[1])
            return ~number

        rule(0, plain.start)
        for first, name in order:
            alternatives = []
            for symbols in plain.alternatives[name]:
                state = first
                row = []
                for s in symbols:
                    after = gotos[state][s]
                    row.append(rule(state, s) if s >= 0 else terminal(s, after))
                    state = after
                alternatives.append(tuple(row))
            split.append(alternatives)
        blocks = _alike([name for _, name in order], split)
        out = Rules(ignored=list(plain.ignored), start=blocks[0])
        out.terminals = [plain.terminals[t] for t in self.terminal_of]
        for number, ((_, name), alternatives) in enumerate(zip(order, split, strict=True)):
            if blocks[number] == len(out.names):
                out.names.append(plain.names[name])
                out.places.append(plain.places[name])
                out.is_nullable.append(plain.is_nullable[name])
                out.has_text.append(plain.has_text[name])
                out.alternatives.append(
                    [tuple(blocks[s] if s >= 0 else s for s in symbols) for symbols in alternatives]
                )
        return out


def _alike(names: list[int], alternatives: list[list[Symbols]]) -> list[int]:
    """For each rule the number of those that are like it, by first appearance: of one name, and with alike rules in their alternatives."""
    blocks = names
    n_blocks = len(set(blocks))
    while True:
        known: dict[tuple[int, tuple[Symbols, ...]], int] = {}
        blocks = [
            known.setdefault(
                (block, tuple(tuple([blocks[s] if s >= 0 else s for s in symbols]) for symbols in own)), len(known)
            )
            for block, own in zip(blocks, alternatives, strict=True)
        ]
        if len(known) == n_blocks:
            return blocks
        n_blocks = len(known)
