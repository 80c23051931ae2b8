"""Lark's grammar language as text to statements (tree.py), by recursive descent.

In: a `Source`. Out: its statements in order; nothing is looked up. Raises GrammarSyntaxError with line, column and caret for what cannot
be read, LimitExceeded for parentheses nested more than `MAX_DEPTH` deep.

Read beyond Lark's own language: `%json {...}` where a rule's name may stand, `%regex /.../` or `%regex "..."` where a terminal's may.
"""

from __future__ import annotations

import re

from structgen.errors import GrammarSyntaxError, LimitExceeded
from structgen.syntax.lark.scanner import Token, scan
from structgen.syntax.lark.tree import (
    Call,
    Choice,
    Definition,
    Expr,
    Import,
    JsonSchema,
    Literal,
    Pattern,
    Place,
    Ref,
    Repeat,
    Sequence,
    Source,
    Statement,
)

MAX_DEPTH = 80
MAX_COUNT = 1_000_000
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "\\": "\\", '"': '"'}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


def read_grammar(source: Source) -> list[Statement]:
    """The statements of a grammar text."""
    return _Reader(source).statements()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = scan(source)
        self.at = 0
        self.opened: list[Token] = []

    # -- tokens -------------------------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def place(self, token: Token) -> Place:
        return Place(self.source, token.position)

    def error(self, reason: str, token: Token | None = None) -> GrammarSyntaxError:
        return self.source.error(reason, (token or self.token).position)

    def take(self, *kinds: str) -> Token | None:
        token = self.token
        if token.kind in kinds:
            self.at += 1
            return token
        return None

    def need(self, what: str, *kinds: str) -> Token:
        found = self.take(*kinds)
        if found is None:
            if self.opened and self.token.kind in ("NL", "END", ":"):
                opened = self.opened[-1]
                raise self.error(f"this {opened.text} is not closed", opened)
            raise self.error(f"expected {what}, found {_shown(self.token)}")
        return found

    # -- statements ---------------------------------------------------------------------------------------------------------------

    def statements(self) -> list[Statement]:
        out: list[Statement] = []
        while True:
            while self.take("NL"):
                pass
            if self.token.kind == "END":
                return out
            out.append(self.statement())

    def statement(self) -> Statement:
        token = self.token
        place = self.place(token)
        if token.kind != "DIRECTIVE":
            return Statement("define", place, definition=self.definition())
        self.at += 1
        if token.text in ("%override", "%extend"):
            return Statement(token.text[1:], place, definition=self.definition())
        if token.text == "%ignore":
            ignored = self.choice()
            self.need("the end of the line", "NL")
            return Statement("ignore", place, ignored=ignored)
        if token.text == "%declare":
            declared: list[Ref] = []
            while name := self.take("TERMINAL", "RULE"):
                declared.append(Ref(name.text, name.kind == "TERMINAL", self.place(name)))
            if not declared:
                raise self.error(f"expected the name of a terminal, found {_shown(self.token)}")
            self.need("the name of a terminal or the end of the line", "NL")
            return Statement("declare", place, declared=tuple(declared))
        if token.text == "%import":
            return Statement("import", place, imported=self.imported(place))
        raise self.error(f"unknown directive {token.text}", token)

    def imported(self, place: Place) -> Import:
        is_relative = self.take(".") is not None
        path = [self.need("the name of a grammar", "RULE", "TERMINAL")]
        while self.take("."):
            path.append(self.need("a name", "RULE", "TERMINAL"))
        names: list[tuple[str, str]] = []
        if self.take("("):
            while True:
                name = self.need("a name", "RULE", "TERMINAL").text
                names.append((name, name))
                if not self.take(","):
                    break
            self.need("`,` or `)`", ")")
        else:
            if len(path) < 2:
                raise self.error("nothing is imported: %import grammar.NAME or %import grammar (NAME, ...)", path[0])
            last = path.pop()
            new = last
            if self.take("TO"):
                new = self.need("a name", "RULE", "TERMINAL")
                if new.kind != last.kind:
                    raise self.error("a terminal stays a terminal (upper case), a rule a rule (lower case)", new)
            names.append((last.text, new.text))
        self.need("the end of the line", "NL")
        return Import(tuple(token.text for token in path), tuple(names), is_relative, place)

    def definition(self) -> Definition:
        is_inlined = False
        while self.take("?", "!"):
            is_inlined = True
        name = self.need("the name of a rule or a terminal", "RULE", "TERMINAL")
        is_terminal = name.kind == "TERMINAL"
        if is_terminal and is_inlined:
            raise self.error("`?` and `!` are for rules", name)
        if name.text.startswith("__"):
            raise self.error("names that begin with two underscores are reserved", name)
        parameters: list[str] = []
        if not is_terminal and self.take("{"):
            while True:
                parameter = self.need("the name of a parameter", "RULE", "TERMINAL")
                if parameter.text in parameters:
                    raise self.error(f"the parameter {parameter.text} is listed twice", parameter)
                parameters.append(parameter.text)
                if not self.take(","):
                    break
            self.need("`,` or `}`", "}")
        priority = 0
        if self.take("."):
            priority = int(self.need("a priority, such as .2", "NUMBER").text)
        self.need("`:`", ":")
        body = self.choice()
        self.need("a value, `|` or the end of the rule", "NL")
        return Definition(name.text, is_terminal, body, self.place(name), tuple(parameters), priority)

    # -- expressions --------------------------------------------------------------------------------------------------------------

    def choice(self) -> Expr:
        options = [self.sequence()]
        while self.take("|"):
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Expr:
        items: list[Expr] = []
        while self.token.kind in _STARTS or self.token.text in ("%json", "%regex"):
            items.append(self.repeated())
        if self.take("TO"):
            self.need("a name of lower case letters", "RULE")
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def repeated(self) -> Expr:
        first = self.token
        body = self.atom()
        mark = self.take("?", "*", "+", "~")
        if mark is None:
            return body
        place = self.place(first)
        if mark.kind == "~":
            least = self.count()
            most = self.count() if self.take("DOTDOT") else least
            if most < least or least < 0:
                raise self.error(f"{least}..{most} is no range of counts", mark)
            return Repeat(body, least, most, "~", place)
        again = self.token
        if again.kind in ("?", "*", "+", "~") and not (again.kind == "?" and self.tokens[self.at + 1].kind == "RULE"):
            raise self.error("two repetitions in a row: put the first in parentheses", again)
        bounds = {"?": (0, 1), "*": (0, None), "+": (1, None)}[mark.kind]
        return Repeat(body, bounds[0], bounds[1], mark.kind, place)

    def count(self) -> int:
        token = self.need("a count", "NUMBER")
        value = int(token.text) if len(token.text) < 12 else MAX_COUNT + 1
        if value > MAX_COUNT:
            raise LimitExceeded(token.text, MAX_COUNT, hint="a repetition is counted too high")
        return value

    def atom(self) -> Expr:
        token = self.token
        if token.kind in ("(", "["):
            self.at += 1
            self.opened.append(token)
            if len(self.opened) > MAX_DEPTH:
                raise LimitExceeded(len(self.opened), MAX_DEPTH, hint="parentheses are nested too deeply in a grammar")
            body = self.choice()
            self.need("a value or `)`" if token.kind == "(" else "a value or `]`", ")" if token.kind == "(" else "]")
            self.opened.pop()
            return body if token.kind == "(" else Repeat(body, 0, 1, "[]", self.place(token))
        return self.value()

    def value(self) -> Expr:
        token = self.need("a value", "STRING", "REGEXP", "TERMINAL", "RULE", "DIRECTIVE")
        place = self.place(token)
        if token.kind == "STRING":
            literal = self.literal(token)
            if self.take("DOTDOT"):
                return self.range(literal, token, self.need("the last character of a range", "STRING"))
            return literal
        if token.kind == "REGEXP":
            return self.pattern(token, token)
        if token.kind == "DIRECTIVE":
            if token.text == "%json":
                return JsonSchema(self.need("a JSON Schema", "JSON").text, place)
            if token.text == "%regex":
                return self.pattern(token, self.need('a pattern, /.../ or "..."', "REGEXP", "STRING"))
            raise self.error(f"{token.text} cannot stand here", token)
        if token.kind == "RULE" and self.take("{"):
            arguments: list[Expr] = [self.value()]
            while self.take(","):
                arguments.append(self.value())
            self.need("`,` or `}`", "}")
            return Call(token.text, tuple(arguments), place)
        return Ref(token.text, token.kind == "TERMINAL", place)

    def literal(self, token: Token) -> Literal:
        flags = "i" if token.text.endswith("i") else ""
        written = token.text[1 : len(token.text) - 1 - len(flags)]
        text = _ESCAPE.sub(lambda match: self.escaped(match, token), written)
        if not text:
            raise self.error("an empty string matches nothing that a terminal could be", token)
        return Literal(text, flags, self.place(token), token.text)

    def escaped(self, match: re.Match[str], token: Token) -> str:
        what = match.group(1)
        if what in _ESCAPES:
            return _ESCAPES[what]
        if what[0] in "xuU" and len(what) > 1:
            point = int(what[1:], 16)
            if point > 0x10FFFF:
                raise self.error(f"\\{what} is no character", token)
            return chr(point)
        if what in ("x", "u", "U"):
            raise self.error(f"\\{what} needs hexadecimal digits", token)
        return "\\" + what  # Lark keeps the backslash of what is no escape

    def pattern(self, first: Token, token: Token) -> Pattern:
        if token.kind == "STRING":
            literal = self.literal(token)
            return Pattern(literal.text, literal.flags, self.place(first), literal.text)
        end = token.text.rindex("/")
        flags, written = token.text[end + 1 :], token.text[1:end]
        if "l" in flags:
            raise self.error("the flag l (locale) has no meaning for text", token)
        if "\n" in written and "x" not in flags:
            raise self.error("a regular expression over several lines needs the flag x", token)
        # As in Lark the escapes of control characters and code points are read here, before the regular expression is.
        text = _ESCAPE.sub(lambda match: self.escaped_in_pattern(match, token), written)
        if not text:
            raise self.error("an empty regular expression", token)
        return Pattern(text, flags, self.place(first), text)

    def escaped_in_pattern(self, match: re.Match[str], token: Token) -> str:
        what = match.group(1)
        if what == '"':
            return what
        if what in "ntrf" or (what[0] in "xuU" and (len(what) > 1 or what in "xuU")):
            return self.escaped(match, token)
        return match.group()

    def range(self, first: Literal, opening: Token, closing: Token) -> Pattern:
        last = self.literal(closing)
        if first.flags or last.flags:
            raise self.error("the ends of a range have no flags", opening)
        if len(first.text) != 1 or len(last.text) != 1:
            raise self.error("the ends of a range are single characters", opening)
        if first.text > last.text:
            raise self.error(f"{first.text!r} comes after {last.text!r}", opening)
        raw = f"[{opening.text[1:-1]}-{closing.text[1:-1]}]"
        return Pattern(f"[{_in_class(first.text)}-{_in_class(last.text)}]", "", first.place, raw)


def _in_class(character: str) -> str:
    return "\\" + character if character in "\\]^-[" else character


_STARTS = frozenset(("STRING", "REGEXP", "TERMINAL", "RULE", "(", "["))


def _shown(token: Token) -> str:
    if token.kind == "NL":
        return "the end of the line"
    if token.kind == "END":
        return "the end of the grammar"
    return f"`{token.text}`"
