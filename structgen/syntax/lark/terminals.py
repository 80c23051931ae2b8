"""Terminals: from their trees to one regular expression each, and from that to an automaton.

A terminal is written out as Lark writes it: parts are joined as text, alternatives are sorted by width, so that its preferred match is
Lark's. `Terminal.preferred` holds the words that a match may be (of those that begin a text, `re.match` takes the longest, see
leftmost.py), `Terminal.language` every text that the expression matches as a whole.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from structgen.errors import GrammarSyntaxError, LimitExceeded, Limits, RegexError
from structgen.lexemes import charclass
from structgen.lexemes.dfa import CharDfa, char_dfa, classify, literal
from structgen.lexemes.regex import compile_regex, compile_tree
from structgen.lexemes.regex_syntax import Atomic, Boundary, Chars, Embedded, Look, Node, Repeat, parse_regex
from structgen.lexemes.regex_syntax import Choice as RegexChoice
from structgen.lexemes.regex_syntax import Sequence as RegexSequence
from structgen.syntax.lark.leftmost import UnorderedError, is_prefix_free, preferred
from structgen.syntax.lark.tree import (
    Choice,
    Definition,
    Expr,
    Literal,
    Pattern,
    Place,
    Ref,
    Sequence,
)
from structgen.syntax.lark.tree import (
    Repeat as Copies,
)

_ANYTHING = Repeat(Chars(charclass.ANY), 0, None, "greedy", 0)
_ENDLESS = 4_294_967_295  # Lark's widths stop here (those of `re`)
_MAX_TEXT = 1_000_000


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression as Lark keeps it. is_string: a plain string, else a regular expression; text: the value without its flags;
    length: that of Lark's spelling, by which equally wide ones are sorted."""

    text: str
    flags: str
    is_string: bool
    length: int

    def to_regex(self) -> str:
        text = re.escape(self.text) if self.is_string else self.text
        for flag in self.flags:
            text = f"(?{flag}:{text})"
        return text


@dataclass(frozen=True, eq=False)
class Terminal:
    """A terminal of a grammar.

    name: as in the grammar, or of Lark's making; shown: for messages. is_string: a plain string (Lark prefers those to expressions).
    """

    name: str
    shown: str
    expression: Expression
    priority: int
    place: Place
    limits: Limits

    @property
    def is_string(self) -> bool:
        return self.expression.is_string

    @functools.cached_property
    def pattern(self) -> str:
        return self.expression.to_regex()

    @functools.cached_property
    def node(self) -> Node:
        try:
            return parse_regex(self.pattern, "python")
        except RegexError as error:
            raise self.place.error(f"terminal {self.shown}: {error.reason} (in {self.pattern!r})") from error

    @functools.cached_property
    def width(self) -> tuple[int, int]:
        """Fewest and most characters, as Lark counts them."""
        return _width(self.node)

    @functools.cached_property
    def language(self) -> CharDfa:
        """The texts that match as a whole."""
        if self.is_string and not self.expression.flags:
            return literal(self.expression.text)
        try:
            return compile_regex(self.pattern, dialect="python", anchored=True, limits=self.limits)
        except RegexError as error:
            raise self.place.error(f"terminal {self.shown}: {error.reason} (in {self.pattern!r})") from error

    @functools.cached_property
    def _guarded(self) -> tuple[Node, list[Node], list[Node]]:
        """The expression without the negative look-ahead before it and after it, and that look-ahead."""
        items = _items(self.node)
        first, last = 0, len(items)
        while first < last and isinstance(items[first], Look) and _is_guard(items[first]):
            first += 1
        while last > first and _is_guard(items[last - 1]):
            last -= 1
        body: Node = self.node if last - first == len(items) else RegexSequence(items[first:last])
        heads = [option for item in items[:first] if isinstance(item, Look) for option in _options(item.body)]
        tails: list[Node] = []
        for item in items[last:]:
            if isinstance(item, Look):
                tails += _options(item.body)
            elif isinstance(item, Boundary):
                self._check_word_end(body, item)
                tails.append(Chars(item.word))
        return body, heads, tails

    def _check_word_end(self, body: Node, boundary: Boundary) -> None:
        ends = RegexSequence([_ANYTHING, Chars(charclass.complement(boundary.word))])
        if _holds(body) or not (self._language_of(body) & self._language_of(ends)).is_empty():
            raise self._unclear()

    def _language_of(self, node: Node) -> CharDfa:
        try:
            return compile_tree(node, self.pattern, True, self.limits)
        except RegexError as error:
            raise self.place.error(f"terminal {self.shown}: {error.reason} (in {self.pattern!r})") from error

    def _unclear(self) -> GrammarSyntaxError:
        return self.place.error(
            f"terminal {self.shown}: no automaton is known to be exact for this look-around, boundary or atomic group; supported are"
            f" (?!...) at the begin, (?!...) and \\b at the end where no match begins another, and what looks at the match itself only"
            f" (in {self.pattern!r})"
        )

    @functools.cached_property
    def preferred(self) -> CharDfa:
        """The words that may be a match in some text, apart from the guards."""
        if self.is_string and not self.expression.flags:
            return literal(self.expression.text)
        body, _, tails = self._guarded
        if not _holds(body):
            try:
                found = preferred(body, self.limits)
                if tails and not is_prefix_free(found):
                    raise self._unclear()
                return found
            except UnorderedError:
                pass  # a possessive quantifier
        if not _looks_within(body, 0, 0):
            raise self._unclear()
        found = self._language_of(body)
        if not is_prefix_free(found):
            raise self._unclear()
        return found

    @functools.cached_property
    def heads(self) -> tuple[CharDfa, ...]:
        """What the text from the match's begin on must not begin with. Tag 0: such a beginning; tag 1: one if the text ends there."""
        return tuple(self._guard(node) for node in self._guarded[1])

    @functools.cached_property
    def tails(self) -> tuple[CharDfa, ...]:
        """As `heads`, for the text after the match."""
        return tuple(self._guard(node) for node in self._guarded[2])

    def _guard(self, node: Node) -> CharDfa:
        items = _items(node)
        if items and isinstance(items[-1], Boundary) and items[-1].kind == "word":
            boundary, body = items[-1], RegexSequence(items[:-1])
            self._check_word_end(body, boundary)
            words = self._language_of(body)
            longer = self._language_of(RegexSequence([Embedded(words), Chars(charclass.complement(boundary.word))]))
            both, subsets = classify([longer, words], self.limits)
            tags = np.array([-1 if not subset else subset[0] for subset in subsets], np.int32)
            found = char_dfa(
                both.bounds, both.cls, both.trans, np.where(both.tags >= 0, tags[both.tags], -1), both.start
            )
        else:
            if not _looks_within(node, 0, 0):
                raise self._unclear()
            found = self._language_of(node)
        if found.start and found.tags[found.start] >= 0:
            raise self.place.error(f"terminal {self.shown} never matches: its look-ahead refuses every text")
        return found


class TerminalBuilder:
    """Makes terminals of the definitions of a grammar; each named one once."""

    def __init__(self, definitions: Mapping[str, Definition], limits: Limits) -> None:
        self.definitions, self.limits = definitions, limits
        self.expressions: dict[str, Expression] = {}
        self.lengths: Mapping[str, int] = {}

    def named(self, name: str, place: Place) -> Expression:
        """The expression of a terminal by name. Raises GrammarSyntaxError for recursion and for what is not defined."""
        found = self.expressions.get(name)
        if found is not None:
            return found
        order: list[str] = []
        open_: set[str] = set()
        work: list[tuple[str, bool]] = [(name, False)]
        while work:
            one, is_done = work.pop()
            definition = self.definitions.get(one)
            if definition is None or definition.body is None:
                known = "only declared, so that it cannot be a part of another" if definition else "not defined"
                raise place.error(f"terminal {one} is {known}")
            if is_done:
                open_.discard(one)
                order.append(one)
                expression = self.of(definition.body)
                length = self.lengths.get(one)
                if length is not None:
                    expression = Expression(expression.text, expression.flags, expression.is_string, length)
                self.expressions[one] = expression
                continue
            if one in self.expressions:
                continue
            if one in open_:
                raise definition.place.error(f"terminal {one} contains itself; only rules may be recursive")
            open_.add(one)
            work.append((one, True))
            work += [(ref, False) for ref in _refs(definition.body) if ref not in self.expressions]
            for ref in _refs(definition.body):
                if ref in open_:
                    raise definition.place.error(f"terminal {ref} contains itself; only rules may be recursive")
        return self.expressions[name]

    def of(self, tree: Expr) -> Expression:
        """The expression of a tree whose terminals are built."""
        if isinstance(tree, Literal):
            return Expression(tree.text, tree.flags, True, len(tree.text))
        if isinstance(tree, Pattern):
            return Expression(tree.text, tree.flags, False, len(tree.raw))
        if isinstance(tree, Ref):
            if not tree.is_terminal:
                raise tree.place.error(
                    f"the rule {tree.name} stands in a terminal; a terminal is made of terminals only"
                )
            return self.named(tree.name, tree.place)
        if isinstance(tree, Sequence):
            parts = [self.of(item) for item in tree.items]
            if len(parts) == 1:
                return parts[0]
            if not parts:
                return Expression("", "", True, 0)
            return self._joined("", "", parts, "")
        if isinstance(tree, Choice):
            parts = [self.of(option) for option in tree.options]
            parts.sort(key=self._by_width)
            return self._joined("(?:", ")", parts, "|")
        if isinstance(tree, Copies):
            body = self.of(tree.body)
            mark = {"[]": "?", "?": "?", "*": "*", "+": "+"}.get(tree.spelling)
            if mark is None:
                mark = f"{{{tree.least}}}" if tree.least == tree.most else f"{{{tree.least},{tree.most}}}"
            inner = self._joined("(?:", ")" + mark, [body], "")
            return Expression(inner.text, body.flags, False, inner.length)
        raise tree.place.error("this cannot stand in a terminal")

    def _joined(self, before: str, after: str, parts: list[Expression], between: str) -> Expression:
        text = before + between.join(part.to_regex() for part in parts) + after
        if len(text) > _MAX_TEXT:
            raise LimitExceeded(len(text), _MAX_TEXT, hint="a terminal is written out from too many others")
        extra = sum(part.length - len(part.text) for part in parts)
        return Expression(text, "", False, len(text) + extra)

    def _by_width(self, part: Expression) -> tuple[int, int, int]:
        least, most = _width(parse_regex(part.to_regex(), "python")) if not part.is_string else (len(part.text),) * 2
        return -most, -least, -part.length


def _refs(tree: Expr) -> list[str]:
    out: list[str] = []
    work: list[Expr] = [tree]
    while work:
        one = work.pop()
        if isinstance(one, Ref):
            if one.is_terminal:
                out.append(one.name)
        elif isinstance(one, Sequence):
            work.extend(one.items)
        elif isinstance(one, Choice):
            work.extend(one.options)
        elif isinstance(one, Copies):
            work.append(one.body)
    return out


def _width(node: Node) -> tuple[int, int]:
    if isinstance(node, Chars):
        return 1, 1
    if isinstance(node, RegexSequence):
        widths = [_width(item) for item in node.items]
        return min(sum(w[0] for w in widths), _ENDLESS - 1), min(sum(w[1] for w in widths), _ENDLESS)
    if isinstance(node, RegexChoice):
        widths = [_width(option) for option in node.options]
        return min(w[0] for w in widths), max(w[1] for w in widths)
    if isinstance(node, Repeat):
        least, most = _width(node.body)
        copies = _ENDLESS if node.most is None else node.most
        return min(least * node.least, _ENDLESS - 1), min(most * copies, _ENDLESS)
    if isinstance(node, Atomic):
        return _width(node.body)
    return 0, 0


def _items(node: Node) -> list[Node]:
    """The parts of a sequence, those of sequences within it included."""
    if not isinstance(node, RegexSequence):
        return [node]
    return [part for item in node.items for part in _items(item)]


def _options(node: Node) -> list[Node]:
    return node.options if isinstance(node, RegexChoice) else [node]


def _is_guard(node: Node) -> bool:
    if isinstance(node, Look):
        return node.ahead and node.negative
    return isinstance(node, Boundary) and node.kind == "word"


def _holds(node: Node) -> bool:
    """Whether a tree holds look-around, a boundary, an atomic group or a possessive quantifier."""
    if isinstance(node, RegexSequence):
        return any(map(_holds, node.items))
    if isinstance(node, RegexChoice):
        return any(map(_holds, node.options))
    if isinstance(node, Repeat):
        return node.mode == "possessive" or _holds(node.body)
    return isinstance(node, (Boundary, Look, Atomic))


def _looks_within(node: Node, before: int, after: int) -> bool:
    """Whether all look-around of a tree sees nothing but its own match. before, after: characters of it that stand around at least."""
    if isinstance(node, RegexSequence):
        widths = [_width(item)[0] for item in node.items]
        return all(
            _looks_within(item, before + sum(widths[:i]), after + sum(widths[i + 1 :]))
            for i, item in enumerate(node.items)
        )
    if isinstance(node, RegexChoice):
        return all(_looks_within(option, before, after) for option in node.options)
    if isinstance(node, Look):
        return not _holds(node.body) and _width(node.body)[1] <= (after if node.ahead else before)
    if isinstance(node, Boundary):
        return node.kind in ("word", "not-word") and before > 0 and after > 0
    if isinstance(node, Repeat):
        return (node.mode != "possessive" or after > 0) and _looks_within(node.body, before, after)
    return not isinstance(node, Atomic) or not _holds(node.body)
