"""From definitions to plain rules: every rule a list of alternatives, every alternative a list of symbols.

Symbols are integers: rule r is r, terminal t is ~t. Repetitions, options and choices become rules of their own, shared where they are
written alike. Two ways to write them:

    "nested"  right-recursive and never distributed, for the machine: linear in the grammar
    "lark"    as Lark's own expansion: left-recursive repetitions, options and choices multiplied out. Its LALR(1) table decides what the
              contextual lexer does, so it is made from the same rules.

Raises GrammarSyntaxError for what is wrong with a grammar as a whole, UnsatisfiableError for one without a finite text, LimitExceeded.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal as OneOf

from structgen.errors import LimitExceeded, Limits, UnsatisfiableError
from structgen.lexemes.regex_syntax import Chars, Node
from structgen.lexemes.regex_syntax import Choice as RegexChoice
from structgen.lexemes.regex_syntax import Repeat as RegexRepeat
from structgen.lexemes.regex_syntax import Sequence as RegexSequence
from structgen.syntax.lark.loading import (
    MAX_TEMPLATES,
    GrammarDefinitions,
    GrammarWarning,
    substitute,
    walk,
    warn_of_unused,
)
from structgen.syntax.lark.terminals import Expression, Terminal, TerminalBuilder
from structgen.syntax.lark.tree import (
    Call,
    Choice,
    Expr,
    JsonSchema,
    Literal,
    Pattern,
    Place,
    Ref,
    Repeat,
    Sequence,
)

Style = OneOf["nested", "lark"]
Symbols = tuple[int, ...]
_MAX_RULES = 1_000_000  # rules and alternatives that are made of a grammar
_MAX_ARGUMENT = 100  # parts of a template's argument, those of templates within it included
_MAX_PARTS = 12  # symbols of one alternative
_MAX_SPELLED = 50  # copies that Lark writes out; above it factorises
_NAMES = {
    ".": "DOT", ",": "COMMA", ":": "COLON", ";": "SEMICOLON", "+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH",
    "\\": "BACKSLASH", "|": "VBAR", "?": "QMARK", "!": "BANG", "@": "AT", "#": "HASH", "$": "DOLLAR", "%": "PERCENT",
    "^": "CIRCUMFLEX", "&": "AMPERSAND", "_": "UNDERSCORE", "<": "LESSTHAN", ">": "MORETHAN", "=": "EQUAL",
    '"': "DBLQUOTE", "'": "QUOTE", "`": "BACKQUOTE", "~": "TILDE", "(": "LPAR", ")": "RPAR", "{": "LBRACE",
    "}": "RBRACE", "[": "LSQB", "]": "RSQB", "\n": "NEWLINE", "\r\n": "CRLF", "\t": "TAB", " ": "SPACE",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A value of a JSON Schema in a grammar."""

    schema: str
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """A terminal that `%declare` names."""

    name: str
    place: Place


@dataclass(slots=True)
class Rules:
    """Plain rules.

    names, places: of each rule (helpers have the place of the rule that they were first made for); alternatives: of each rule;
    terminals: what ~t stands for; ignored: numbers of terminals; start: a rule. is_nullable, has_text: whether a rule derives the empty
    text, and any other.
    """

    names: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    alternatives: list[list[Symbols]] = field(default_factory=list)
    terminals: list[Terminal | Embedded | Declared] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)
    start: int = 0
    is_nullable: list[bool] = field(default_factory=list)
    has_text: list[bool] = field(default_factory=list)

    def nullable(self, symbol: int) -> bool:
        return symbol >= 0 and self.is_nullable[symbol]

    def textual(self, symbol: int) -> bool:
        return symbol < 0 or self.has_text[symbol]

    def name_of(self, symbol: int) -> str:
        if symbol >= 0:
            return self.names[symbol]
        terminal = self.terminals[~symbol]
        if isinstance(terminal, Terminal):
            return terminal.shown
        return terminal.name if isinstance(terminal, Declared) else "%json"


def plain_rules(loaded: GrammarDefinitions, start: str, style: Style, limits: Limits) -> Rules:
    """The plain rules of a grammar."""
    if start not in loaded.definitions or loaded.definitions[start].is_terminal:
        known = [name for name, d in loaded.definitions.items() if not d.is_terminal and not d.parameters]
        raise loaded.source.error(f"there is no rule {start!r} to start with; the rules are {', '.join(known[:8])}", 0)
    warn_of_unused(loaded, start)
    rules = _Expansion(loaded, style, limits).run(start)
    _keep_productive(rules, style)
    return rules


class _Expansion:
    def __init__(self, loaded: GrammarDefinitions, style: Style, limits: Limits) -> None:
        self.loaded, self.style, self.limits = loaded, style, limits
        self.builder = TerminalBuilder(loaded.definitions, limits)
        self.builder.lengths = loaded.lengths
        self.out = Rules()
        self.rule_numbers: dict[object, int] = {}
        self.terminal_numbers: dict[str, int] = {}
        self.work: list[tuple[int, Expr]] = []
        self.n_made = 0
        self.n_anonymous = 0
        self.named: dict[tuple[str, str, bool], str] = {}
        self.names: set[str] = set()

    def run(self, start: str) -> Rules:
        definitions = self.loaded.definitions
        for name, definition in definitions.items():
            if definition.is_terminal:
                self.names.add(name)
                if definition.body is not None:
                    expression = self.builder.named(name, definition.place)
                    self.named[_key(expression)] = name
        place = definitions[start].place
        self.out.start = self.rule(start, place)
        while self.work:
            number, tree = self.work.pop()
            alternatives = self.alternatives(tree, self.out.places[number])
            self.out.alternatives[number] = list(dict.fromkeys(alternatives))
            self.count(1 + len(alternatives))
        for name in self.loaded.ignored:
            number = ~self.terminal(name, definitions[name].place)
            if number not in self.out.ignored:
                self.out.ignored.append(number)
        return self.out

    def count(self, n: int) -> None:
        self.n_made += n
        if self.n_made > _MAX_RULES:
            raise LimitExceeded(self.n_made, _MAX_RULES, hint="a grammar expands to too many rules")

    # -- symbols ------------------------------------------------------------------------------------------------------------------

    def rule(self, name: str, place: Place) -> int:
        definition = self.loaded.definitions[name]
        found = self.rule_numbers.get(name)
        if found is None:
            body = definition.body
            if body is None:
                raise place.error(f"the rule {name} is only declared")
            found = self.new_rule(name, name, definition.place, body)
        return found

    def new_rule(self, key: object, name: str, place: Place, body: Expr) -> int:
        number = self.rule_numbers[key] = len(self.out.names)
        self.out.names.append(name)
        self.out.places.append(place)
        self.out.alternatives.append([])
        self.work.append((number, body))
        return number

    def called(self, call: Call) -> int:
        definition = self.loaded.definitions[call.name]
        for argument in call.arguments:
            if sum(1 for _ in itertools.islice(walk(argument), _MAX_ARGUMENT + 1)) > _MAX_ARGUMENT:
                raise LimitExceeded(
                    _MAX_ARGUMENT + 1, _MAX_ARGUMENT, hint=f"an argument of the template {call.name} grows too large"
                )
        key = (call.name, call.arguments)
        found = self.rule_numbers.get(key)
        if found is not None:
            return found
        if (
            len(self.rule_numbers) > MAX_TEMPLATES
            and sum(isinstance(k, tuple) for k in self.rule_numbers) > MAX_TEMPLATES
        ):
            raise LimitExceeded(MAX_TEMPLATES + 1, MAX_TEMPLATES, hint=f"the template {call.name} never ends")
        if definition.body is None:
            raise call.place.error(f"the template {call.name} is only declared")
        body = substitute(definition.body, dict(zip(definition.parameters, call.arguments, strict=True)))
        shown = ",".join(a.name if isinstance(a, Ref) else "..." for a in call.arguments)
        return self.new_rule(key, f"{call.name}{{{shown}}}", definition.place, body)

    def terminal(self, name: str, place: Place) -> int:
        number = self.terminal_numbers.get(name)
        if number is None:
            definition = self.loaded.definitions[name]
            number = self.terminal_numbers[name] = len(self.out.terminals)
            if definition.body is None:
                self.out.terminals.append(Declared(name, definition.place))
            else:
                expression = self.builder.named(name, place)
                self.add_terminal(name, name, expression, definition.priority, definition.place)
        return ~number

    def add_terminal(self, name: str, shown: str, expression: Expression, priority: int, place: Place) -> None:
        terminal = Terminal(name, shown, expression, priority, place, self.limits)
        least = len(expression.text) if expression.is_string else terminal.width[0]
        if least == 0:
            raise place.error(f"the terminal {shown} matches the empty text; make it optional where it is used instead")
        self.out.terminals.append(terminal)

    def anonymous(self, tree: Literal | Pattern) -> int:
        expression = self.builder.of(tree)
        key = _key(expression)
        name = self.named.get(key)
        if name is not None and name in self.loaded.definitions:
            return self.terminal(name, tree.place)
        if name is None:
            name = self.name_for(expression)
            self.named[key] = name
            self.names.add(name)
            self.terminal_numbers[name] = len(self.out.terminals)
            shown = tree.raw if isinstance(tree, Literal) else f"/{tree.raw}/{tree.flags}"
            self.add_terminal(name, shown or repr(tree.text), expression, 0, tree.place)
        return ~self.terminal_numbers[name]

    def name_for(self, expression: Expression) -> str:
        """Lark's name for a terminal without one: the last thing that its contextual lexer sorts by."""
        text = expression.text
        if expression.is_string:
            name = _NAMES.get(text)
            if name is None and text.isidentifier() and text.upper() not in self.names:
                name = text.upper()
            if name is not None and name not in self.names:
                return name
        self.n_anonymous += 1
        return f"__ANON_{self.n_anonymous - 1}"

    def symbol(self, tree: Expr, place: Place) -> int:
        """One symbol for a tree: a helper rule if it is no name."""
        if isinstance(tree, Ref):
            return self.terminal(tree.name, tree.place) if tree.is_terminal else self.rule(tree.name, tree.place)
        if isinstance(tree, (Literal, Pattern)):
            return self.anonymous(tree)
        if isinstance(tree, Call):
            return self.called(tree)
        if isinstance(tree, JsonSchema):
            self.out.terminals.append(Embedded(tree.text, tree.place))
            return ~(len(self.out.terminals) - 1)
        found = self.rule_numbers.get(tree)
        if found is None:
            found = self.new_rule(tree, f"part {len(self.out.names)}", place, tree)
        return found

    # -- alternatives -------------------------------------------------------------------------------------------------------------

    def alternatives(self, tree: Expr, place: Place) -> list[Symbols]:
        """What a tree derives in one step."""
        if isinstance(tree, Choice):
            return [symbols for option in tree.options for symbols in self.alternatives(option, place)]
        if self.style == "lark":
            return self.multiplied(tree, place)
        if isinstance(tree, Sequence):
            items = tree.items
            if len(items) <= _MAX_PARTS:
                return [tuple(self.symbol(item, place) for item in items)]
            # a chain, so that what may be left out of it is not multiplied out
            rest = self.new_rule(object(), f"part {len(self.out.names)}", place, Sequence(items[_MAX_PARTS - 1 :]))
            return [(*(self.symbol(item, place) for item in items[: _MAX_PARTS - 1]), rest)]
        if isinstance(tree, Repeat):
            return self.nested(tree, place)
        return [(self.symbol(tree, place),)]

    def nested(self, tree: Repeat, place: Place) -> list[Symbols]:
        least, most = tree.least, tree.most
        if most == 0:
            return [()]
        body = self.symbol(tree.body, place)
        if most == 1:
            return [(body,)] if least else [(), (body,)]
        rest: Expr = Repeat(tree.body, max(least - 1, 0), None if most is None else most - 1, "~", tree.place)
        if most is None and least == 0:
            rest = tree
        after = self.symbol(rest, place)
        return [(body, after)] if least else [(), (body, after)]

    def multiplied(self, tree: Expr, place: Place) -> list[Symbols]:
        if isinstance(tree, Choice):
            return list(dict.fromkeys(s for option in tree.options for s in self.multiplied(option, place)))
        if isinstance(tree, Sequence):
            out: list[Symbols] = [()]
            for item in tree.items:
                options = self.multiplied(item, place)
                self.count(len(out) * len(options) if len(options) > 1 else 0)
                out = [before + option for before in out for option in options]
            return list(dict.fromkeys(out))
        if isinstance(tree, Repeat):
            return self.repeated(tree, place)
        return [(self.symbol(tree, place),)]

    def repeated(self, tree: Repeat, place: Place) -> list[Symbols]:
        if tree.most is None:
            key = ("plus", tree.body)
            many = self.rule_numbers.get(key)
            if many is None:
                many = self.new_rule(key, f"part {len(self.out.names)}", place, Sequence(()))
                self.work.pop()
                bodies = self.multiplied(tree.body, place)
                self.count(2 * len(bodies))
                self.out.alternatives[many] = [*bodies, *((many, *body) for body in bodies)]
            return [(many,)] if tree.least == 1 else [(many,), ()]
        if tree.most >= _MAX_SPELLED:
            raise LimitExceeded(tree.most, _MAX_SPELLED - 1, hint='counts are written out with lexer="contextual"')
        bodies = self.multiplied(tree.body, place)
        levels: list[list[Symbols]] = [[()]]
        for _ in range(tree.most):
            self.count(len(levels[-1]) * len(bodies))
            levels.append([before + body for before in levels[-1] for body in bodies])
        return list(dict.fromkeys(s for level in levels[tree.least :] for s in level))


def _key(expression: Expression) -> tuple[str, str, bool]:
    return expression.text, expression.flags, expression.is_string


def _keep_productive(rules: Rules, style: Style) -> None:
    """Drop the alternatives that derive no finite text, with a warning for rules that are left with none, and note what derives what."""
    n = len(rules.names)
    dead = {~t for t, terminal in enumerate(rules.terminals) if isinstance(terminal, Terminal) and _is_empty(terminal)}
    if dead:
        rules.alternatives = [[s for s in a if dead.isdisjoint(s)] for a in rules.alternatives]
        rules.ignored = [t for t in rules.ignored if ~t not in dead]
    productive = _fixed_point(rules, n, lambda symbols: (s for s in symbols if s >= 0))
    for r in range(n):
        if not productive[r]:
            if r == rules.start:
                raise UnsatisfiableError(f"the grammar has no finite text: the rule {rules.names[r]} never ends")
            if style == "lark":  # Lark's table has such rules in it
                raise rules.places[r].error(f"the rule {rules.names[r]} derives no finite text")
            if not rules.names[r].startswith("part "):
                warnings.warn(
                    f"the rule {rules.names[r]} derives no finite text: what needs it is left out",
                    GrammarWarning,
                    stacklevel=4,
                )
        rules.alternatives[r] = [s for s in rules.alternatives[r] if all(x < 0 or productive[x] for x in s)]
    empty_only = [[s for s in a if all(x >= 0 for x in s)] for a in rules.alternatives]
    kept, rules.alternatives = rules.alternatives, empty_only
    rules.is_nullable = _fixed_point(rules, n, lambda symbols: symbols)
    rules.alternatives = kept
    rules.has_text = _textual(rules, n)


def _fixed_point(rules: Rules, n: int, needs: Callable[[Symbols], Iterable[int]]) -> list[bool]:
    """The rules of which some alternative needs nothing but such rules (needs: its rules)."""
    users: list[list[int]] = [[] for _ in range(n)]
    missing: list[int] = []
    owners: list[int] = []
    done = [False] * n
    work: list[int] = []
    for r, alternatives in enumerate(rules.alternatives):
        for symbols in alternatives:
            wanted = set(needs(symbols))
            owners.append(r)
            missing.append(len(wanted))
            for x in wanted:
                users[x].append(len(missing) - 1)
            if not wanted and not done[r]:
                done[r] = True
                work.append(r)
    while work:
        for a in users[work.pop()]:
            missing[a] -= 1
            if missing[a] == 0 and not done[owners[a]]:
                done[owners[a]] = True
                work.append(owners[a])
    return done


def _textual(rules: Rules, n: int) -> list[bool]:
    """The rules (all alternatives productive) that derive a text which is not empty: those that reach a terminal."""
    users: list[list[int]] = [[] for _ in range(n)]
    done = [False] * n
    work: list[int] = []
    for r, alternatives in enumerate(rules.alternatives):
        for symbols in alternatives:
            for x in symbols:
                if x >= 0:
                    users[x].append(r)
                elif not done[r]:
                    done[r] = True
                    work.append(r)
    while work:
        for r in users[work.pop()]:
            if not done[r]:
                done[r] = True
                work.append(r)
    return done


def _is_empty(terminal: Terminal) -> bool:
    """Whether no text matches; the automaton is built only where the tree does not say so."""
    if terminal.is_string:
        return any(0xD800 <= ord(c) <= 0xDFFF for c in terminal.expression.text)
    return not _is_plainly_full(terminal.node) and terminal.language.is_empty()


def _is_plainly_full(node: Node) -> bool:
    if isinstance(node, Chars):
        return bool(node.ranges)
    if isinstance(node, RegexSequence):
        return all(map(_is_plainly_full, node.items))
    if isinstance(node, RegexChoice):
        return any(map(_is_plainly_full, node.options))
    return isinstance(node, RegexRepeat) and (node.least == 0 or _is_plainly_full(node.body))
