"""From constraints to nodes of a program: the front-end of the algebra.

In: a `Constraint`. Out: nodes of a `Program`, each compiled when a text first reaches it. A part of a constraint becomes a lexeme (fixed
text, pattern, choice, free text), nodes in sequence, or the root of another front-end (a schema, a grammar), which then owns its nodes.

Values of a node are never empty: whether a part may also be empty is told where it is used (`node_of`). An intersection inside of other
constraints is one automaton, and so possible for regular constraints only; the outermost one runs two machines (intersection.py).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from structgen.errors import (
    ConstraintError,
    LimitExceeded,
    Limits,
    SchemaError,
    StructgenError,
    UnsatisfiableError,
    UnsupportedError,
)
from structgen.kernels import layout
from structgen.lexemes.dfa import (
    ByteDfa,
    CharDfa,
    any_string,
    byte_dfa,
    intersection,
    length_between,
    literal,
    literals,
)
from structgen.lexemes.regex import compile_regex, compile_tree
from structgen.lexemes.regex_syntax import Choice as ChoiceTree
from structgen.lexemes.regex_syntax import Embedded, Node, parse_regex
from structgen.lexemes.regex_syntax import Repeat as RepeatTree
from structgen.lexemes.regex_syntax import Sequence as SequenceTree
from structgen.machine.fronts import FrontEnds
from structgen.machine.lexicon import Lexicon, one_word
from structgen.machine.program import NodeAlternative, Program
from structgen.syntax.constraints import (
    Both,
    Constraint,
    Extension,
    Followed,
    FreeText,
    InSequence,
    JsonValue,
    Named,
    OneOf,
    Pattern,
    Repeated,
    SpecialToken,
    Text,
    Tree,
    Words,
)
from structgen.syntax.counted import decomposed
from structgen.vocabulary import Vocabulary, spell_special

_SHOWN = 6
_MAX_OWN_STATES = 20_000  # of a user's automaton: each takes 256 calls of Python
Embed = Callable[[Program, JsonValue], int]  # makes the node of a schema, under the schema's own front-end


def language(one: Constraint, limits: Limits) -> CharDfa | None:
    """The automaton of a regular constraint over characters, None for others. Raises RegexError, LimitExceeded."""
    tree = _tree(one, limits)
    if tree is None:
        return None
    return tree.dfa if isinstance(tree, Embedded) else compile_tree(tree, "", True, limits)


def _tree(one: Constraint, limits: Limits) -> Node | None:
    if isinstance(one, Text):
        return Embedded(literal(one.text))
    if isinstance(one, Pattern):
        return Embedded(compile_regex(one.pattern, dialect=one.dialect, anchored=True, flags=one.flags, limits=limits))
    if isinstance(one, Tree):
        return one.node
    if isinstance(one, Words):
        return Embedded(literals(one.texts, limits))
    if isinstance(one, FreeText):
        return Embedded(free_language(one, limits))
    if isinstance(one, Named):
        return _tree(one.body, limits)
    if isinstance(one, InSequence | OneOf):
        parts = [_tree(part, limits) for part in (one.parts if isinstance(one, InSequence) else one.options)]
        if any(part is None for part in parts):
            return None
        return (SequenceTree if isinstance(one, InSequence) else ChoiceTree)(
            [part for part in parts if part is not None]
        )
    if isinstance(one, Repeated):
        body = _tree(one.body, limits)
        gap = None if one.separator is None else _tree(one.separator, limits)
        if body is None or (one.separator is not None and gap is None):
            return None
        if gap is None or one.most == 0:
            return RepeatTree(body, one.least, one.most, "greedy", 0)
        more = RepeatTree(
            SequenceTree([gap, body]), max(0, one.least - 1), None if one.most is None else one.most - 1, "greedy", 0
        )
        some = SequenceTree([body, more])
        return some if one.least else ChoiceTree([some, SequenceTree([])])
    if isinstance(one, Both):
        left, right = language(one.left, limits), language(one.right, limits)
        return None if left is None or right is None else Embedded(left.intersect(right, limits))
    return None


def free_language(one: FreeText, limits: Limits) -> CharDfa:
    """The automaton of free text."""

    def of(pattern: str) -> CharDfa:
        return compile_regex(pattern, dialect="python", anchored=True, limits=limits)

    characters = r"[^\r\n]" if one.one_line else r"[\s\S]"
    before = of(f"{characters}*") if one.least == 0 else of(f"{characters}{{{one.least},}}")
    any_trigger = "|".join(map(re.escape, one.triggers))
    if one.ends is None:
        return before.subtract(of(rf"[\s\S]*(?:{any_trigger})[\s\S]*"), limits) if one.triggers else before
    tree = SequenceTree([Embedded(before), Embedded(literal(one.ends))])
    return compile_tree(tree, "", True, limits).subtract(of(rf"[\s\S]*(?:{any_trigger})[\s\S]+"), limits)


def token_of(vocabulary: Vocabulary, one: SpecialToken) -> int:
    """The id of a special token. Raises ConstraintError where the vocabulary has none of this name or id."""
    names = vocabulary.special_tokens
    found = names.get(one.token) if isinstance(one.token, str) else one.token
    if found is None or found not in names.values():
        shown = ", ".join(list(names)[:_SHOWN]) or "none"
        raise ConstraintError(
            f"the vocabulary has no special token {one.token!r} (end tokens excepted); it has {shown}"
        )
    return found


def followed(one: Followed, limits: Limits) -> ByteDfa:
    """A user's automaton, followed through all its states. Raises ConstraintError for what it does wrong, LimitExceeded."""
    automaton = one.automaton
    most = min(limits.max_dfa_states, _MAX_OWN_STATES)
    try:
        start = automaton.start()
        numbers: dict[Hashable, int] = {start: 1}
        order = [start]
        rows: list[list[int]] = [[0] * 256]
        tags = [-1]
        for state in order:
            row = [0] * 256
            for byte in range(256):
                after = automaton.advance(state, byte)
                if after is None:
                    continue
                number = numbers.get(after)
                if number is None:
                    number = numbers[after] = len(numbers) + 1
                    order.append(after)
                row[byte] = number
            rows.append(row)
            tags.append(0 if automaton.is_accepting(state) else -1)
            if len(numbers) > most:
                raise LimitExceeded(
                    len(numbers), most, "max_dfa_states", "a constraint of your own must have finitely many states"
                )
    except StructgenError:
        raise
    except Exception as error:
        raise ConstraintError(f"{type(automaton).__name__} failed: {type(error).__name__}: {error}") from error
    found = byte_dfa(np.arange(256), rows, tags, 1)
    # special tokens are spelled with bytes that no UTF-8 text has; a user's automaton is about text
    return intersection(found, any_string().to_bytes("utf8", limits), limits)


class SyntaxFrontEnd:
    """Compiles one constraint into one program, and is the front-end of the nodes that it makes.

    fronts: all front-ends of the program. embed: binds schemas.
    """

    def __init__(self, lexicon: Lexicon, limits: Limits, fronts: FrontEnds, embed: Embed) -> None:
        self.lexicon, self.limits, self.fronts, self._embed = lexicon, limits, fronts, embed
        self._nodes: dict[
            Hashable, tuple[int, bool]
        ] = {}  # of a constraint (by identity), or of the rest of a repetition
        self._made: dict[int, Any] = {}  # by node: what it stands for
        self._kept: list[Any] = []  # what is known by identity must not go
        self._words: dict[int, str] = {}  # lexeme start, and words for it
        self.whole: Constraint | None = None  # the constraint that nothing comes after

    def root(self, program: Program, one: Constraint) -> tuple[int, bool]:
        """The node of the whole constraint and whether the whole text may be empty."""
        self.whole = one
        while isinstance(self.whole, Named):
            self.whole = self.whole.body
        with self.fronts.made_by(program, self):
            return self.node_of(program, one)

    # -- nodes --------------------------------------------------------------------------------------------------------------------

    def node_of(self, program: Program, one: Constraint) -> tuple[int, bool]:
        """The node of a constraint, and whether its text may also be empty; -1 where only the empty text is possible."""
        known = self._nodes.get(id(one))
        if known is None:
            with self.fronts.made_by(program, self):
                known = self._nodes[id(one)] = self._node_of(program, one)
            self._kept.append(one)
        return known

    def _node_of(self, program: Program, one: Constraint) -> tuple[int, bool]:
        if isinstance(one, Named):
            return self.node_of(program, one.body)
        if isinstance(one, JsonValue):
            return self._embed(program, one), False
        if isinstance(one, Extension):
            rules = one.bind(self)
            with self.fronts.made_by(program, rules):
                return rules.root(program)
        if isinstance(one, Repeated):
            return self._copies(program, one)
        if isinstance(one, InSequence):
            return self._of_parts(program, [self.node_of(program, part) for part in one.parts])
        if isinstance(one, OneOf):
            options = [self.node_of(program, option) for option in one.options]
            nodes = [node for node, _ in options if node >= 0]
            empty = any(nullable for _, nullable in options)
            return (self._made_of(program, ("options", nodes)) if nodes else -1), empty
        try:
            start, empty = self._lexeme(program, one)
        except LimitExceeded:
            pieces = self._pieces_of(one)
            if pieces is None:
                raise
            return self.node_of(program, pieces)
        return (self._made_of(program, ("lexeme", start)) if start else -1), empty

    @staticmethod
    def _pieces_of(one: Constraint) -> Constraint | None:
        """A pattern that is too large for one automaton, in pieces; None where it cannot be taken apart."""
        return decomposed(parse_regex(one.pattern, one.dialect, one.flags)) if isinstance(one, Pattern) else None

    def _made_of(self, program: Program, what: Any) -> int:
        node = program.new_node()
        self._made[node] = what
        return node

    def _copies(self, program: Program, one: Repeated) -> tuple[int, bool]:
        """The node of a repetition: the first copy, those that must come after it, those that may."""
        body, body_empty = self.node_of(program, one.body)
        gap, gap_empty = (-1, True) if one.separator is None else self.node_of(program, one.separator)
        least, most = one.least, one.most
        if most == 0 or (body < 0 and (gap < 0 or most == 1)):
            return -1, True
        if gap < 0 and body_empty:
            least = 0  # copies may be empty
        elif body_empty and gap_empty:
            raise UnsupportedError("a repetition whose body and separator may both be empty")
        # without separators empty copies are left out, or the rest of the copies could begin with itself
        own = (body, body_empty and gap >= 0)
        further = own if gap < 0 else self._of_parts(program, [(gap, gap_empty), own])
        must = self._exactly(program, one, further, max(least, 1) - 1)
        may = self._at_most(program, one, further, None if most is None else most - max(least, 1))
        node, _ = self._of_parts(program, [own, must, may])
        return node, least == 0 or (body_empty and least == 1)

    def _of_parts(self, program: Program, parts: list[tuple[int, bool]]) -> tuple[int, bool]:
        """A sequence of nodes as one; -1 among them is the empty text."""
        there = [part for part in parts if part[0] >= 0]
        if len(there) < 2:
            return there[0] if there else (-1, True)
        return self._made_of(program, ("sequence", there)), all(nullable for _, nullable in there)

    def _exactly(self, program: Program, one: Repeated, unit: tuple[int, bool], n: int) -> tuple[int, bool]:
        """n copies, halved again and again: few nodes, and texts of them are put together quickly."""
        if n < 2:
            return unit if n else (-1, True)
        key = (id(one), "exactly", n)
        if key not in self._nodes:
            halves = [self._exactly(program, one, unit, half) for half in (n // 2, n - n // 2)]
            self._nodes[key] = self._of_parts(program, halves)
        return self._nodes[key]

    def _at_most(self, program: Program, one: Repeated, unit: tuple[int, bool], n: int | None) -> tuple[int, bool]:
        """Up to n copies (None: any number); further ones are made when the first is compiled."""
        if n == 0:
            return -1, True
        key = (id(one), "at most", n)
        if key not in self._nodes:
            self._nodes[key] = self._made_of(program, ("copies", one, unit, n)), True
        return self._nodes[key]

    def compile_node(self, program: Program, node: int) -> None:
        what = self._made[node]
        if what[0] == "lexeme":
            alternatives = [NodeAlternative(what[1], layout.ALT_SCALAR)]
        elif what[0] == "sequence":
            alternatives = [self._in_sequence(program, what[1])]
        elif what[0] == "options":
            alternatives = [self._in_sequence(program, [(option, False)]) for option in what[1]]
        else:
            _, one, unit, n = what
            rest = self._at_most(program, one, unit, None if n is None else n - 1)
            alternatives = [self._in_sequence(program, [unit, rest] if rest[0] >= 0 else [unit])]
        program.set_node(node, alternatives)

    def _in_sequence(self, program: Program, parts: list[tuple[int, bool]]) -> NodeAlternative:
        head, nullable = parts[0]
        what = self._made.get(head)
        if nullable or what is None or what[0] != "lexeme":
            return NodeAlternative(0, layout.ALT_NODE, program.add_sequence(parts))
        if len(parts) == 1:
            return NodeAlternative(what[1], layout.ALT_SCALAR)
        return NodeAlternative(what[1], layout.ALT_SEQUENCE, program.add_sequence(parts[1:]))

    # -- lexemes ------------------------------------------------------------------------------------------------------------------

    def _lexeme(self, program: Program, one: Constraint) -> tuple[int, bool]:
        """The start of the lexeme of the texts that are not empty (0: there are none), and whether the empty text belongs to it."""
        if isinstance(one, Text):
            start = self._start(("literal", one.text), lambda: literal(one.text), recorded=False) if one.text else 0
            return self._said(start, repr(one.text)), not one.text
        if isinstance(one, SpecialToken):
            token = token_of(self.lexicon.vocabulary, one)
            return self._said(self.lexicon.special(token), f"the special token {one.token!r}"), False
        if isinstance(one, Words):
            spelled = [text.encode() for text in one.texts if text]
            start = program.add_trie(spelled, [0] * len(spelled)) if spelled else 0
            shown = ", ".join(map(repr, one.texts[:_SHOWN])) + (", ..." if len(one.texts) > _SHOWN else "")
            return self._said(start, f"one of {shown}"), "" in one.texts
        if isinstance(one, Followed):
            own = followed(one, self.limits)
            return self._of_bytes(("automaton", own.key()), own, f"text of {type(one.automaton).__name__}")
        if isinstance(one, Pattern):
            key: Hashable = ("text", one.dialect, one.pattern, one.flags)
            words = f"text that matches {one.pattern!r}"
        elif isinstance(one, FreeText):
            key = ("free text", one.triggers, one.ends, one.least, one.one_line)
            words = "free text" + (f" up to {one.ends!r}" if one.ends else "")
        else:
            key, words = None, "text that two constraints accept"
        dfa = language(one, self.limits)
        if dfa is None:
            raise UnsupportedError(
                f"an intersection of constraints that are not regular ({_kinds(one)}) may only be the outermost of a constraint"
            )
        if dfa.is_empty():
            raise UnsatisfiableError(f"there is no {words}")
        empty = dfa.matches("")
        dfa = dfa.subtract(literal(""), self.limits) if empty else dfa
        if dfa.is_empty():
            return 0, True
        return self._said(self._start(dfa.key() if key is None else key, functools.partial(_same, dfa)), words), empty

    def _of_bytes(self, key: Hashable, dfa: ByteDfa, words: str) -> tuple[int, bool]:
        if dfa.is_empty():
            raise UnsatisfiableError(f"there is no {words}")
        empty = dfa.matches(b"")
        if empty:
            dfa = intersection(dfa, length_between(1, None).to_bytes("utf8"), self.limits)
            if dfa.is_empty():
                return 0, True
        return self._said(self.lexicon.start_of(key, functools.partial(_same, dfa)), words), empty

    def _start(self, key: Hashable, build: Callable[[], CharDfa], *, recorded: bool = True) -> int:
        return self.lexicon.start_of(key, lambda: build().to_bytes("utf8", self.limits), recorded=recorded)

    def _said(self, start: int, words: str) -> int:
        if start:
            self._words[start & layout.LOW] = words
        return start

    def describe(self, program: Program, q: int, k: int) -> str:  # noqa: ARG002 (what follows is no part of it)
        """The words of the lexeme that q is in, if this front-end made it."""
        low = q & layout.LOW
        if low in self._words:
            return self._words[low]
        if low >= layout.LOCAL:
            return next((words for start, words in self._words.items() if layout.LOCAL <= start <= low), "")
        key = self.lexicon.key_of(low)
        for start, words in self._words.items():
            if start < layout.LOCAL and self.lexicon.key_of(start) == key:
                return words
        return ""


def _same(dfa: Any) -> Any:
    return dfa


def _kinds(one: Constraint) -> str:
    if isinstance(one, Both):
        return f"{_kinds(one.left)} & {_kinds(one.right)}"
    return type(one).__name__


def text_automaton(one: Constraint, vocabulary: Vocabulary, limits: Limits) -> ByteDfa | None:
    """The automaton over bytes of a part that is a lexeme, None for other constraints."""
    if isinstance(one, SpecialToken):
        return one_word(spell_special(token_of(vocabulary, one)))
    if isinstance(one, Followed):
        return followed(one, limits)
    try:
        found = language(one, limits)
    except LimitExceeded:
        if isinstance(one, Pattern):
            return None  # it was compiled in pieces
        raise
    return None if found is None else found.to_bytes("utf8", limits)


def check_names(one: Constraint) -> None:
    """Raise SchemaError for names that come twice in one sequence, where one value would hide the other."""
    _names(one)


def _names(one: Constraint) -> set[str]:
    if isinstance(one, Named):
        inner = _names(one.body)
        return {one.name} if one.name else inner
    if isinstance(one, InSequence):
        found: set[str] = set()
        for part in one.parts:
            own = _names(part)
            if own & found:
                raise SchemaError(f"two parts of a sequence have the name {min(own & found)!r}")
            found |= own
        return found
    if isinstance(one, OneOf):
        return set().union(*map(_names, one.options))
    if isinstance(one, Both):
        return _names(one.left)
    if isinstance(one, Repeated):
        _names(one.body)
    return set()
