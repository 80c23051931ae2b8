"""A reader of JSON5 by the productions of its specification (spec.json5.org 1.0.0): an oracle for the bundled grammar.

`accepts(text)` decides; nothing is built. Identifiers follow ECMAScript 5.1: Unicode letters, digits, marks, and escapes.
"""

from __future__ import annotations

import re
import unicodedata

LINE_TERMINATORS = "\n\r\u2028\u2029"
BLANKS = "\t\v\f \xa0\ufeff"
NUMBER = re.compile(
    r"[+-]?(?:Infinity|NaN|0[xX][0-9a-fA-F]+|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
ESCAPE = re.compile(r"\\(?:\r\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|0(?![0-9])|[^0-9xu])", re.DOTALL)
UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


class Refused(Exception):
    """The text is no JSON5."""


def accepts(text: str) -> bool:
    """Whether the text is a JSON5 document."""
    reader = Reader(text)
    try:
        reader.skip()
        reader.value()
        reader.skip()
    except Refused:
        return False
    return reader.at == len(text)


class Reader:
    """A position in the text; each method reads one production or raises Refused."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, literal: str) -> bool:
        found = self.text.startswith(literal, self.at)
        self.at += len(literal) * found
        return found

    def expect(self, literal: str) -> None:
        if not self.take(literal):
            raise Refused(literal)

    def skip(self) -> None:
        """White space and comments."""
        while character := self.peek():
            if character in BLANKS + LINE_TERMINATORS or unicodedata.category(character) == "Zs":
                self.at += 1
            elif self.take("//"):
                while self.peek() and self.peek() not in LINE_TERMINATORS:
                    self.at += 1
            elif self.take("/*"):
                end = self.text.find("*/", self.at)
                if end < 0:
                    raise Refused("*/")
                self.at = end + 2
            else:
                return

    def value(self) -> None:
        character = self.peek()
        if character == "{":
            self.members("{", "}", self.member)
        elif character == "[":
            self.members("[", "]", self.value)
        elif character and character in "\"'":
            self.string()
        elif not any(self.take(word) for word in ("true", "false", "null")):
            found = NUMBER.match(self.text, self.at)
            if not found:
                raise Refused("a value")
            self.at = found.end()
            if self.peek() and (identifier_part(self.peek()) or self.peek() == "\\"):
                raise Refused("nothing behind a number")

    def members(self, opening: str, closing: str, member: object) -> None:
        self.expect(opening)
        self.skip()
        while not self.take(closing):
            assert callable(member)
            member()
            self.skip()
            if not self.take(","):
                self.expect(closing)
                return
            self.skip()

    def member(self) -> None:
        if self.peek() and self.peek() in "\"'":
            self.string()
        else:
            self.identifier()
        self.skip()
        self.expect(":")
        self.skip()
        self.value()

    def identifier(self) -> None:
        start = self.at
        while character := self.peek():
            length, meant = 1, character
            if found := UNICODE_ESCAPE.match(self.text, self.at):
                length, meant = 6, chr(int(found[1], 16))
            if not (identifier_start(meant) or (self.at > start and identifier_part(meant))):
                break
            self.at += length
        if self.at == start:
            raise Refused("a name")

    def string(self) -> None:
        quote = self.peek()
        self.at += 1
        while (character := self.peek()) != quote:
            if character == "\\":
                found = ESCAPE.match(self.text, self.at)
                if not found:
                    raise Refused("an escape")
                self.at = found.end()
            elif not character or character in "\n\r":
                raise Refused("the end of a string")
            else:
                self.at += 1
        self.at += 1


def identifier_start(character: str) -> bool:
    return character in "$_" or unicodedata.category(character) in ("Lu", "Ll", "Lt", "Lm", "Lo", "Nl")


def identifier_part(character: str) -> bool:
    return (
        identifier_start(character)
        or unicodedata.category(character) in ("Mn", "Mc", "Nd", "Pc")
        or character in "\u200c\u200d"
    )
