"""The contextual lexer of Lark as scanners, and the rules with the states of its parser in them.

In each state of the LALR(1) parser Lark scans with the terminals that the parser has an action for there, and the ignored ones: by
priority, then by the longest possible match, by the length of the expression, by name; the first that matches is taken. A string that
some expression of the same priority would match is left to that expression, and told apart by its text afterwards.

The parser's state after a token is the scanner of the next one. So that the top-down machine knows it, each rule is split by the state
that it begins in, which gives each terminal the state after it; both say the same, as the parser has no choices.
"""

from __future__ import annotations

from structgen.errors import Limits
from structgen.lexemes.dfa import CharDfa
from structgen.syntax.lark.lalr import Automaton
from structgen.syntax.lark.lexing import Entry, Lexing, Scanner
from structgen.syntax.lark.rules import Rules
from structgen.syntax.lark.terminals import Terminal


class ContextualLexing:
    """rules: split; lexing: its scanners; scanner_after, terminal_of: for each terminal of `rules`, by number."""

    def __init__(self, automaton: Automaton, limits: Limits) -> None:
        self.automaton, self.limits = automaton, limits
        self.plain = automaton.rules
        self.terminals: list[Terminal] = [t for t in self.plain.terminals if isinstance(t, Terminal)]
        self.automata: list[CharDfa] = [terminal.preferred for terminal in self.terminals]
        self._derived: dict[tuple[int, tuple[int, ...], bool], int] = {}
        self._scanner_numbers: dict[frozenset[int], int] = {}
        self.scanners: list[Scanner] = []
        self.scanner_after: list[int] = []
        self.terminal_of: list[int] = []
        self._scanner(0)
        self.rules = self._split()
        self.lexing = Lexing(self.automata, self.scanners, limits)

    # -- scanners -----------------------------------------------------------------------------------------------------------------

    def _scanner(self, state: int) -> int:
        tried = frozenset(~s for s in self.automaton.accepted[state] if ~s < len(self.terminals))
        number = self._scanner_numbers.get(tried)
        if number is None:
            number = self._scanner_numbers[tried] = len(self.scanners)
            self.scanners.append(self._made(tried))
        return number

    def _made(self, accepted: frozenset[int]) -> Scanner:
        ignored = set(self.plain.ignored)
        order = sorted(accepted | ignored, key=self._order)
        strings = [t for t in order if self.terminals[t].is_string]
        held: dict[int, list[int]] = {}  # the strings that each expression takes
        embedded: set[int] = set()
        for t in order:
            one = self.terminals[t]
            if one.is_string:
                continue
            for s in strings:
                other = self.terminals[s]
                if other.priority == one.priority and self.automata[t].matches(other.expression.text):
                    held.setdefault(t, []).append(s)
                    if set(other.expression.flags) <= set(one.expression.flags):
                        embedded.add(s)
        order = [t for t in order if t not in embedded]
        entries: dict[int, list[Entry]] = {}
        skipped: list[Entry] = []
        for before, t in enumerate(order):
            taken = held.get(t, [])
            if t in ignored:
                skipped.append(Entry(t, -1, before))
                continue
            for i, s in enumerate(taken):
                entries.setdefault(s, []).append(Entry(t, self._among(s, tuple(taken[:i]), True), before))
            only = self._among(t, tuple(taken), False) if taken else -1
            entries.setdefault(t, []).append(Entry(t, only, before))
        return Scanner(tuple(order), entries, skipped)

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
        out = Rules(ignored=list(plain.ignored))
        numbers: dict[tuple[int, int], int] = {}
        terminals: dict[tuple[int, int], int] = {}
        order: list[tuple[int, int]] = []

        def rule(state: int, name: int) -> int:
            number = numbers.get((state, name))
            if number is None:
                number = numbers[state, name] = len(order)
                order.append((state, name))
                out.names.append(plain.names[name])
                out.places.append(plain.places[name])
                out.is_nullable.append(plain.is_nullable[name])
                out.has_text.append(plain.has_text[name])
            return number

        def terminal(symbol: int, after: int) -> int:
            key = (~symbol, self._scanner(after))
            number = terminals.get(key)
            if number is None:
                number = terminals[key] = len(out.terminals)
                out.terminals.append(plain.terminals[key[0]])
                self.terminal_of.append(key[0])
                self.scanner_after.append(key[1])
            return ~number

        out.start = rule(0, plain.start)
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
            out.alternatives.append(alternatives)
        return out
