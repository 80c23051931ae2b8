"""llama.cpp's grammar language (GBNF) as text to statements (tree.py), by recursive descent.

    root ::= item ("," item)*        # `::=`, rules only, `{2,3}` for counts
    item ::= [a-z_]+ | "\\x41" | .

Terminals are single characters and strings, with no lexer: every split is meant (lexer "dynamic_complete"). Raises GrammarSyntaxError with
line, column and caret, LimitExceeded for deep nesting. Tokens of a vocabulary (`<...>`) are refused.
"""

from __future__ import annotations

import re

from structgen.errors import GrammarSyntaxError, LimitExceeded
from structgen.syntax.lark.reader import MAX_COUNT, MAX_DEPTH
from structgen.syntax.lark.tree import (
    Choice,
    Definition,
    Expr,
    Literal,
    Pattern,
    Place,
    Ref,
    Repeat,
    Sequence,
    Source,
    Statement,
)

_IS_GBNF = re.compile(r"(?:\s|#[^\n]*(?:\n|$))*[A-Za-z][A-Za-z0-9_-]*\s*::=")
_SPACE = re.compile(r"(?:[ \t\r]|#[^\n]*)+")
_LINES = re.compile(r"(?:\s|#[^\n]*)+")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([ntr\\\"\[\]^-]))")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}
_COUNTS = re.compile(r"\{\s*([0-9]+)\s*(?:(,)\s*([0-9]*)\s*)?\}")


def is_gbnf(text: str) -> bool:
    """Whether a grammar begins as one in GBNF does."""
    return _IS_GBNF.match(text) is not None


def read_gbnf(source: Source) -> list[Statement]:
    """The statements of a grammar text: definitions of rules."""
    return _Reader(source).statements()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source, self.text, self.position = source, source.text, 0
        self.opened: list[int] = []

    def error(self, reason: str, position: int | None = None) -> GrammarSyntaxError:
        return self.source.error(reason, self.position if position is None else position)

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()

    def next(self) -> str:
        """The next character, "" at the end of a rule. Within parentheses, and before a `|`, lines do not matter."""
        self.skip(_LINES if self.opened else _SPACE)
        c = self.text[self.position : self.position + 1]
        if c == "\n":
            match = _LINES.match(self.text, self.position)
            after = match.end() if match else self.position
            if self.text.startswith("|", after):
                self.position = after
                return "|"
            return ""
        return c

    def statements(self) -> list[Statement]:
        out: list[Statement] = []
        while True:
            self.skip(_LINES)
            if self.position >= len(self.text):
                return out
            place = Place(self.source, self.position)
            name = _NAME.match(self.text, self.position)
            if not name:
                raise self.error("expected the name of a rule")
            self.position = name.end()
            self.skip(_SPACE)
            if not self.text.startswith("::=", self.position):
                raise self.error("expected `::=`")
            self.position += 3
            self.skip(_LINES)
            body = self.choice()
            if self.next():
                raise self.error(f"unexpected {self.next()!r}")
            out.append(Statement("define", place, definition=Definition(name.group(), False, body, place)))

    def choice(self) -> Expr:
        options = [self.sequence()]
        while self.next() == "|":
            self.position += 1
            self.skip(_LINES)
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Expr:
        items: list[Expr] = []
        while (c := self.next()) and c not in "|)":
            place = Place(self.source, self.position)
            item = self.atom(c, place)
            while (mark := self.next()) and mark in "*+?{":
                item = self.repeated(item, mark, place)
            items.append(item)
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def repeated(self, item: Expr, mark: str, place: Place) -> Expr:
        if mark != "{":
            self.position += 1
            least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[mark]
            return Repeat(item, least, most, mark, place)
        match = _COUNTS.match(self.text, self.position)
        if not match:
            raise self.error("expected counts, such as {2}, {2,} or {2,3}")
        low, comma, high = match.groups()
        least = int(low[:12])
        most = least if comma is None else int(high[:12]) if high else None
        if max(least, most or 0) > MAX_COUNT:
            raise LimitExceeded(max(least, most or 0), MAX_COUNT, hint="a repetition is counted too high")
        if most is not None and most < least:
            raise self.error(f"{match.group()} is no range of counts")
        self.position = match.end()
        return Repeat(item, least, most, "~", place)

    def atom(self, c: str, place: Place) -> Expr:
        if c == "(":
            self.opened.append(self.position)
            if len(self.opened) > MAX_DEPTH:
                raise LimitExceeded(len(self.opened), MAX_DEPTH, hint="parentheses are nested too deeply in a grammar")
            self.position += 1
            body = self.choice()
            if self.next() != ")":
                raise self.error("this ( is not closed", self.opened[-1])
            self.opened.pop()
            self.position += 1
            return body
        if c == '"':
            text = self.characters('"')
            return (
                Literal("".join(text), "", place, self.text[place.position : self.position]) if text else Sequence(())
            )
        if c == "[":
            return self.characters_of(place)
        if c == ".":
            self.position += 1
            return Pattern(r"[\s\S]", "", place, ".")
        name = _NAME.match(self.text, self.position)
        if not name:
            raise self.error(f"unexpected {c!r}")
        self.position = name.end()
        return Ref(name.group(), False, place)

    def characters(self, end: str) -> list[str]:
        """The characters up to a closing mark; the position is at the opening one."""
        opening = self.position
        self.position += 1
        out: list[str] = []
        while True:
            c = self.text[self.position : self.position + 1]
            if c in ("", "\n"):
                raise self.error(f"this {self.text[opening]} is not closed on its line", opening)
            if c == end:
                self.position += 1
                return out
            out.append(self.character())

    def character(self) -> str:
        c = self.text[self.position]
        if c != "\\":
            self.position += 1
            return c
        match = _ESCAPE.match(self.text, self.position)
        if not match:
            raise self.error("unknown escape")
        self.position = match.end()
        *points, plain = match.groups()
        if plain:
            return _CONTROLS.get(plain, plain)
        point = int(next(p for p in points if p), 16)
        if point > 0x10FFFF:
            raise self.error(f"{match.group()} is no character", match.start())
        return chr(point)

    def characters_of(self, place: Place) -> Expr:
        """A set of characters, as a pattern."""
        self.position += 1
        negated = self.text.startswith("^", self.position)
        self.position += negated
        pieces: list[str] = []
        while True:
            c = self.text[self.position : self.position + 1]
            if c in ("", "\n"):
                raise self.error("this [ is not closed on its line", place.position)
            if c == "]":
                break
            first = self.character()
            piece = _escaped(first)
            following = self.text[self.position : self.position + 2]
            if following.startswith("-") and following != "-]" and len(following) == 2:
                self.position += 1
                last = self.character()
                if last < first:
                    raise self.error(f"{first!r} comes after {last!r}", place.position)
                piece += "-" + _escaped(last)
            pieces.append(piece)
        self.position += 1
        if not pieces:
            if negated:
                return Pattern(r"[\s\S]", "", place, "[^]")
            raise self.error("an empty set of characters", place.position)
        raw = self.text[place.position : self.position]
        return Pattern(f"[{'^' if negated else ''}{''.join(pieces)}]", "", place, raw)


def _escaped(character: str) -> str:
    return "\\" + character if character in "\\]^-[&~|" else character
