"""Context-free grammars by hand: the machine's sequences against a recogniser that knows nothing of it.

A grammar maps rules to alternatives, each a tuple of symbols: `Word(pattern)` is a lexeme, `Ref(rule)` a rule, `Items(rule)` a compact JSON
array of values of a rule, `Pair(rule)` the object `{"a":value}` or `{"a":value,"b":value}`. `RuleGrammar` runs it on the machine,
`Recogniser` decides texts by spans.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from structgen import Limits, Vocabulary
from structgen.kernels import layout
from structgen.lexemes.regex import compile_regex
from structgen.machine.arena import ArenaPool
from structgen.machine.distance import Completions
from structgen.machine.lexicon import Lexicon
from structgen.machine.matcher import Machine, Matcher
from structgen.machine.program import ArrayTables, NodeAlternative, ObjectTables, Program
from structgen.schema.lower import structural_lexemes


@dataclass(frozen=True)
class Word:
    """A lexeme; does not match the empty text."""

    pattern: str


@dataclass(frozen=True)
class Ref:
    """A rule; it may be empty if one of its alternatives is."""

    rule: str


@dataclass(frozen=True)
class Items:
    """A compact JSON array of values of a rule that are not empty."""

    rule: str


@dataclass(frozen=True)
class Pair:
    """`{"a":value}` or `{"a":value,"b":value}`, values of a rule that are not empty."""

    rule: str


Rules = Mapping[str, Sequence[tuple[Any, ...]]]


def nullable_rules(rules: Rules) -> set[str]:
    found: set[str] = set()
    while True:
        more = {
            rule
            for rule, alternatives in rules.items()
            if any(all(isinstance(s, Ref) and s.rule in found for s in symbols) for symbols in alternatives)
        }
        if more == found:
            return found
        found = more


def productive_rules(rules: Rules) -> set[str]:
    """Rules with a finite text that is not empty."""
    empty = nullable_rules(rules)
    found: set[str] = set()

    def has_text(symbol: Any) -> bool:
        return isinstance(symbol, (Word, Items)) or symbol.rule in found

    def is_possible(symbol: Any) -> bool:
        return has_text(symbol) or (isinstance(symbol, Ref) and symbol.rule in empty)

    while True:
        more = {
            rule
            for rule, alternatives in rules.items()
            if any(
                symbols and all(map(is_possible, symbols)) and any(map(has_text, symbols)) for symbols in alternatives
            )
        }
        if more == found:
            return found
        found = more


def begins_with_itself(rules: Rules) -> bool:
    """Whether some rule is left-recursive, also behind parts that may be empty."""
    empty = nullable_rules(rules)
    first: dict[str, set[str]] = {rule: set() for rule in rules}
    for rule, alternatives in rules.items():
        for symbols in alternatives:
            for symbol in symbols:
                if not isinstance(symbol, Ref):
                    break
                first[rule].add(symbol.rule)
                if symbol.rule not in empty:
                    break
    reached = {rule: set(after) for rule, after in first.items()}
    for _ in rules:
        reached = {rule: after.union(*(reached[other] for other in after)) for rule, after in reached.items()}
    return any(rule in after for rule, after in reached.items())


class RuleGrammar:
    """A grammar as `Matcher` needs it. Alternatives that derive nothing are left out, as front-ends must."""

    def __init__(self, vocabulary: Vocabulary, rules: Rules, start: str = "s", limits: Limits | None = None) -> None:
        self.vocabulary, self.rules, self.start, self.limits = vocabulary, rules, start, limits or Limits()
        self.stop_token_ids = frozenset(vocabulary.stop_token_ids)
        self.lexicon = Lexicon(vocabulary, self.limits)
        self.pool = ArenaPool(self.limits, self.lexicon.max_token_length)
        self._machine: Machine | None = None

    def machine(self) -> Machine:
        if self._machine is None:
            front = _FrontEnd(self.lexicon, self.rules)
            program = Program(self.lexicon, self.pool, front.compile_node, self.limits)
            program.set_structural(front.punctuation)
            program.begin(front.node(program, Ref(self.start)), 0, self.start in front.empty)
            self._machine = Machine(program, front, Completions(program))
        return self._machine

    def matcher(self) -> Matcher:
        return Matcher(self)


class _FrontEnd:
    def __init__(self, lexicon: Lexicon, rules: Rules) -> None:
        self.lexicon = lexicon
        (self.brace, self.bracket), self.punctuation = structural_lexemes(lexicon, "compact")
        self.empty, self.productive = nullable_rules(rules), productive_rules(rules)
        self.rules = {
            rule: [symbols for symbols in alternatives if symbols and all(map(self._is_possible, symbols))]
            for rule, alternatives in rules.items()
        }
        self.nodes: dict[Any, int] = {}
        self.symbols: list[Any] = []

    def _is_possible(self, symbol: Any) -> bool:
        if isinstance(symbol, (Word, Items)):
            return True
        return symbol.rule in self.productive or (isinstance(symbol, Ref) and symbol.rule in self.empty)

    def describe(self, program: Program, q: int, k: int) -> str:
        return f"q{q}"

    def node(self, program: Program, symbol: Any) -> int:
        if symbol not in self.nodes:
            self.nodes[symbol] = program.new_node()
            self.symbols.append(symbol)
        return self.nodes[symbol]

    def compile_node(self, program: Program, node: int) -> None:
        symbol = self.symbols[node]
        alternatives = self.rules[symbol.rule] if isinstance(symbol, Ref) else [(symbol,)]
        program.set_node(node, [self._alternative(program, symbols) for symbols in alternatives])

    def _alternative(self, program: Program, symbols: tuple[Any, ...]) -> NodeAlternative:
        first, rest = symbols[0], symbols[1:]
        if isinstance(first, Word):
            start = self.lexicon.start_of(
                first, lambda: compile_regex(first.pattern, dialect="python", anchored=True).to_bytes("utf8")
            )
            if rest:
                return NodeAlternative(start, layout.ALT_SEQUENCE, self._sequence(program, rest))
            return NodeAlternative(start, layout.ALT_SCALAR)
        if isinstance(first, Ref) or rest:
            return NodeAlternative(0, layout.ALT_NODE, self._sequence(program, symbols))
        if isinstance(first, Items):
            items = self.node(program, Ref(first.rule)) if first.rule in self.productive else -1
            array = program.add_array(ArrayTables((), items, 0, None if items >= 0 else 0))
            return NodeAlternative(self.bracket, layout.ALT_ARRAY, array)
        value = self.node(program, Ref(first.rule))
        names = [b'"a"', b'"b"']
        key = program.add_trie(names, [layout.NAMED, layout.NAMED + 1])
        tables = ObjectTables(names, [value, value], [0], [0, 1], [], 0, key, ordered=True)
        return NodeAlternative(self.brace, layout.ALT_OBJECT, program.add_object(tables))

    def _sequence(self, program: Program, symbols: Sequence[Any]) -> int:
        parts = []
        for symbol in symbols:
            if isinstance(symbol, Ref) and symbol.rule not in self.productive:
                continue  # always empty
            parts.append((self.node(program, symbol), isinstance(symbol, Ref) and symbol.rule in self.empty))
        return program.add_sequence(parts)


class Recogniser:
    """Which spans of a text each symbol derives: a least fixed point, whatever the grammar's recursion."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def accepts(self, start: str, text: str) -> bool:
        spans: dict[str, set[tuple[int, int]]] = {rule: set() for rule in self.rules}
        n = len(text)
        changed = True
        while changed:
            changed = False
            for rule, alternatives in self.rules.items():
                for symbols in alternatives:
                    reached = {(i, i) for i in range(n + 1)}
                    for symbol in symbols:
                        steps = self._spans(symbol, text, spans)
                        reached = {(i, end) for i, j in reached for begin, end in steps if begin == j}
                    if not reached <= spans[rule]:
                        spans[rule] |= reached
                        changed = True
        return (0, n) in spans[start]

    def _spans(self, symbol: Any, text: str, spans: dict[str, set[tuple[int, int]]]) -> set[tuple[int, int]]:
        if isinstance(symbol, Ref):
            return spans[symbol.rule]
        if isinstance(symbol, Word):
            return {
                (i, j)
                for i in range(len(text))
                for j in range(i + 1, len(text) + 1)
                if re.fullmatch(symbol.pattern, text[i:j])
            }
        values = {(i, j) for i, j in spans[symbol.rule] if i < j}
        found: set[tuple[int, int]] = set()
        if isinstance(symbol, Pair):
            for i, j in values:
                if text.endswith('{"a":', 0, i):
                    if text.startswith("}", j):
                        found.add((i - 5, j + 1))
                    for k, m in values:
                        if text[j:k] == ',"b":' and text.startswith("}", m):
                            found.add((i - 5, m + 1))
            return found
        for i in range(len(text)):
            if text[i] != "[":
                continue
            if text.startswith("]", i + 1):
                found.add((i, i + 2))
            ends = {j for begin, j in values if begin == i + 1}
            work = list(ends)
            while work:
                j = work.pop()
                if text.startswith("]", j):
                    found.add((i, j + 1))
                if text.startswith(",", j):
                    for begin, end in values:
                        if begin == j + 1 and end not in ends:
                            ends.add(end)
                            work.append(end)
        return found


WORDS = ("a", "b", "ab", "a+", "ba*", "[ab]", "a|bb", "aa", "ab?", "[ab]*c")


def random_rules(random: Random, *, nested: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """A small grammar over a and b (and c, and JSON's punctuation if nested) with the rules s, t, u."""
    names = ["s", "t", "u"][: random.randrange(1, 4)]
    rules: dict[str, list[tuple[Any, ...]]] = {}
    for name in names:
        alternatives: list[tuple[Any, ...]] = []
        for _ in range(random.randrange(1, 4)):
            symbols: list[Any] = []
            for _ in range(random.choice((0, 1, 1, 2, 2, 3))):
                draw = random.random()
                if draw < 0.45:
                    symbols.append(Word(random.choice(WORDS)))
                elif nested and draw < 0.6:
                    symbols.append(random.choice((Items, Pair))(random.choice(names)))
                else:
                    symbols.append(Ref(random.choice(names)))
            alternatives.append(tuple(symbols))
        rules[name] = alternatives
    return rules
