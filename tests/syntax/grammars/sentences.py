"""Random sentences of a grammar in Lark's notation, made from Lark's own compiled rules and nothing of structgen.

A sentence is a random derivation: rules that were used little so far are preferred, and once a budget of expansions is spent, the
shallowest way out is taken. Terminals are sampled from the syntax tree that `re` makes of their pattern; ignored terminals are put
between tokens at random. The same seed makes the same sentences.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from re import _constants as op
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from lark import Lark
from lark.grammar import NonTerminal, Rule, Symbol

# What a negated class or a dot is sampled from, if it matches: ASCII, and characters of two, three and four bytes.
POOL = [chr(c) for c in (9, 10, *range(32, 127))] + ["é", "ß", "Ω", "漢", "…", "😀"]
# What readers treat each in their own way: control characters, other line breaks, blanks and digits, characters that cannot stand alone.
UNUSUAL = [*"\0\r\v\f\x1c\x7f\x85\xa0\u0301\u0663\u200b\u2028\u2029\u2212\u3000\ufeff\uff11\uffff"]
CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}


class PatternSampler:
    """Strings that a pattern matches in full. Look-around is not steered by, only checked: a sample that fails it is drawn again."""

    def __init__(self, pattern: str, longest: int = 8) -> None:
        self.compiled, self.tree, self.longest = re.compile(pattern), parser.parse(pattern), longest
        self.candidates: dict[int, list[str]] = {}  # of negated classes and categories, by the identity of their items

    def sample(self, rng: Random) -> str:
        for _ in range(1000):
            text = self._sequence(self.tree, rng, bool(self.tree.state.flags & re.IGNORECASE))
            if self.compiled.fullmatch(text):
                return text
        raise ValueError(f"no sample of {self.compiled.pattern!r} in 1000 draws")

    def _sequence(self, items: Any, rng: Random, any_case: bool) -> str:
        return "".join(self._item(kind, value, rng, any_case) for kind, value in items)

    def _item(self, kind: Any, value: Any, rng: Random, any_case: bool) -> str:
        if kind is op.LITERAL:
            return rng.choice([chr(value).lower(), chr(value).upper()]) if any_case else chr(value)
        if kind is op.NOT_LITERAL:
            return rng.choice([c for c in POOL if ord(c) != value])
        if kind is op.ANY:
            return rng.choice([c for c in POOL if c != "\n"])
        if kind is op.IN:
            return self._member(value, rng)
        if kind is op.BRANCH:
            return self._sequence(rng.choice(value[1]), rng, any_case)
        if kind is op.SUBPATTERN:
            _, added, removed, items = value
            return self._sequence(items, rng, (any_case or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE)
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            low, high, items = value
            count = rng.randint(low, max(low, min(int(high), low + rng.choice([0, 1, 1, 2, 3, self.longest]))))
            return "".join(self._sequence(items, rng, any_case) for _ in range(count))
        if kind in (op.ASSERT, op.ASSERT_NOT, op.AT):
            return ""
        raise NotImplementedError(f"{kind} in {self.compiled.pattern!r}")

    def _member(self, items: list[tuple[Any, Any]], rng: Random) -> str:
        if items[0][0] is op.NEGATE:
            if id(items) not in self.candidates:
                self.candidates[id(items)] = [c for c in POOL if not any(in_class(item, c) for item in items[1:])]
            return rng.choice(self.candidates[id(items)])
        kind, value = rng.choice(items)
        if kind is op.LITERAL:
            return chr(value)
        if kind is op.RANGE:
            # Wide ranges reach beyond the pool, but never to a surrogate, which no text holds.
            return next(c for c in iter(lambda: chr(rng.randint(*value)), "") if not "\ud800" <= c <= "\udfff")
        return rng.choice([c for c in POOL if in_class((kind, value), c)])


def in_class(item: tuple[Any, Any], character: str) -> bool:
    """Whether one item of a character class (a literal, a range, a category) matches."""
    kind, value = item
    if kind is op.LITERAL:
        return ord(character) == value
    if kind is op.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    return re.match(CATEGORIES[value], character) is not None


@dataclass(slots=True)
class Node:
    """A symbol of a derivation; `children` is None until it is expanded, and stays None for terminals."""

    symbol: Symbol
    children: list[Node] | None = field(default=None)


class Sentences:
    """The sentences of one grammar. `used` counts how often each rule was applied, over all sentences."""

    def __init__(self, grammar: Lark, seed: int) -> None:
        self.rng = Random(seed)
        self.used: Counter[Rule] = Counter()
        self.start = grammar.options.start[0]
        self.rules: dict[str, list[Rule]] = defaultdict(list)
        for rule in grammar.rules:
            self.rules[rule.origin.name].append(rule)
        self.terminals = {t.name: PatternSampler(t.pattern.to_regexp()) for t in grammar.terminals}
        self.ignored = [self.terminals[name] for name in grammar.ignore_tokens]
        heights = self._heights()
        self.shallowest: dict[str, list[Rule]] = {}
        for name, rules in self.rules.items():
            self.shallowest[name] = [rule for rule in rules if rule_height(rule, heights) == heights[name]]

    def _heights(self) -> dict[str, int]:
        """The least height of a derivation of each nonterminal."""
        heights: dict[str, int] = {}
        while True:
            found = {
                name: min(height for rule in rules if (height := rule_height(rule, heights)) is not None)
                for name, rules in self.rules.items()
                if any(rule_height(rule, heights) is not None for rule in rules)
            }
            if found == heights:
                return heights
            heights = found

    def sentence(self, budget: int) -> str:
        """One sentence; about `budget` expansions, then the shortest way to the end."""
        root = Node(NonTerminal(self.start))
        frontier = [root]
        while frontier:
            # A random order of expansion spreads the budget over the whole sentence.
            index = self.rng.randrange(len(frontier))
            frontier[index], frontier[-1] = frontier[-1], frontier[index]
            node = frontier.pop()
            rule = self._choose(node.symbol.name, budget, last=not frontier)
            budget -= 1
            self.used[rule] += 1
            node.children = [Node(symbol) for symbol in rule.expansion]
            frontier += [child for child in node.children if not child.symbol.is_term]
        return self._text(root)

    def _choose(self, name: str, budget: int, last: bool) -> Rule:
        """A rule for one nonterminal; the last one open does not end the sentence while there is budget, where it has the choice."""
        rules = self.rules[name] if budget > 0 else self.shallowest[name]
        if budget > 0 and last and self.rng.random() < 0.95:
            rules = [rule for rule in rules if not all(symbol.is_term for symbol in rule.expansion)] or rules
        return self.rng.choices(rules, [1 / (1 + self.used[rule]) ** 2 + 0.01 for rule in rules])[0]

    def _text(self, root: Node) -> str:
        pieces: list[str] = []
        stack = [root]
        while stack:
            node = stack.pop()
            if node.children is not None:
                stack.extend(reversed(node.children))
                continue
            pieces += [self._between(), self.terminals[node.symbol.name].sample(self.rng)]
        return "".join([*pieces, self._between()])

    def _between(self) -> str:
        if not self.ignored or self.rng.random() < 0.6:
            return ""
        return "".join(self.rng.choice(self.ignored).sample(self.rng) for _ in range(self.rng.choice([1, 1, 2])))


def rule_height(rule: Rule, heights: dict[str, int]) -> int | None:
    """One more than the highest of its symbols, or None while one of them has no known derivation."""
    below = [0 if symbol.is_term else heights.get(symbol.name) for symbol in rule.expansion]
    known = [height for height in below if height is not None]
    return 1 + max(known, default=0) if len(known) == len(below) else None


def mutated(text: str, other: str, rng: Random) -> str:
    """The text after one to three small edits: pieces dropped, doubled, moved, or put in from another text."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice([0, 1, 1, 2, 5]))
        at = rng.randint(0, max(0, len(other) - 1))
        piece = rng.choice(
            ["", "", text[start:end] * 2, other[at : at + rng.choice([1, 2, 6])], rng.choice(POOL), rng.choice(UNUSUAL)]
        )
        text = text[:start] + piece + text[end:]
    return text
