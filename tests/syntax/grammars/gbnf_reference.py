"""A reader of GBNF, llama.cpp's notation for grammars: an oracle for the bundled grammar.

`accepts(text)` decides: the syntax is right, `root` and every name in use are defined, no name twice, and no rule is left-recursive.
Ranges run upwards and bounds of repetitions are in order.
"""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z0-9-]+")
CHARACTER = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\"\\nrt\[\]]))|([^\\\n\r])")
REPEAT = re.compile(r"[*+?]|\{(\d+)(?:(,)(\d*))?\}")

# What a rule's alternative is: a sequence of (names it may begin with, whether it may be empty).
Sequence = list[tuple[set[str], bool]]


class Refused(Exception):
    """The text is no grammar."""


def accepts(text: str) -> bool:
    """Whether the text is a grammar that llama.cpp could use."""
    try:
        rules, used = Reader(text).grammar()
    except Refused:
        return False
    return "root" in rules and used <= set(rules) and not left_recursive(rules)


def left_recursive(rules: dict[str, list[Sequence]]) -> bool:
    """Whether some rule can begin with itself."""
    empty: set[str] = set()
    while True:
        more = {
            name
            for name, alternatives in rules.items()
            if any(all(may or bool(names & empty) for names, may in sequence) for sequence in alternatives)
        }
        if more <= empty:
            break
        empty |= more
    first: dict[str, set[str]] = {name: set() for name in rules}
    for name, alternatives in rules.items():
        for sequence in alternatives:
            for names, may in sequence:
                first[name] |= names
                if not (may or names & empty):
                    break
    for _ in rules:
        for name in rules:
            first[name] |= set().union(*(first[other] for other in first[name]))
    return any(name in first[name] for name in rules)


class Reader:
    """A position in the text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.used: set[str] = set()

    def space(self, newlines: bool) -> None:
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "#":
                while self.at < len(self.text) and self.text[self.at] not in "\r\n":
                    self.at += 1
            elif character in " \t" or (newlines and character in "\r\n"):
                self.at += 1
            else:
                return

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise Refused(pattern.pattern)
        self.at = found.end()
        return found

    def take(self, literal: str) -> bool:
        found = self.text.startswith(literal, self.at)
        self.at += len(literal) * found
        return found

    def grammar(self) -> tuple[dict[str, list[Sequence]], set[str]]:
        rules: dict[str, list[Sequence]] = {}
        self.space(newlines=True)
        while self.at < len(self.text):
            name = self.match(NAME)[0]
            self.space(newlines=False)
            if name in rules or not self.take("::="):
                raise Refused(name)
            self.space(newlines=True)
            rules[name] = self.alternatives(nested=False)
            if self.at < len(self.text) and self.text[self.at] not in "\r\n":
                raise Refused("the end of the rule")
            self.space(newlines=True)
        return rules, self.used

    def alternatives(self, nested: bool) -> list[Sequence]:
        found = [self.sequence(nested)]
        while self.take("|"):
            self.space(newlines=True)
            found.append(self.sequence(nested))
        return found

    def sequence(self, nested: bool) -> Sequence:
        items: Sequence = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == '"':
                start = self.at
                self.at += 1
                while not self.take('"'):
                    self.match(CHARACTER)
                item: tuple[set[str], bool] = (set(), self.at == start + 2)
            elif character == "[":
                self.char_class()
                item = (set(), False)
            elif character == "(":
                self.at += 1
                self.space(newlines=True)
                inner = self.alternatives(nested=True)
                if not self.take(")"):
                    raise Refused(")")
                # A group begins with any name of it, at the least; more than that only refuses too much.
                names: set[str] = set().union(*(names for sequence in inner for names, _ in sequence))
                item = (names, any(all(may for _, may in sequence) for sequence in inner))
            elif character == ".":
                self.at += 1
                item = (set(), False)
            elif NAME.match(character):
                name = self.match(NAME)[0]
                self.used.add(name)
                item = ({name}, False)
            else:
                break
            items.append(self.repeated(item))
            self.space(newlines=nested)
        return items

    def repeated(self, item: tuple[set[str], bool]) -> tuple[set[str], bool]:
        self.space(newlines=False)
        found = REPEAT.match(self.text, self.at)
        if found is None:
            return item
        self.at = found.end()
        if found[3] and int(found[1]) > int(found[3]):
            raise Refused("bounds in order")
        return item[0], item[1] or found[0] in "*?" or found[1] == "0"

    def char_class(self) -> None:
        self.at += 1
        self.take("^")
        while not self.take("]"):
            low = code(self.match(CHARACTER))
            if self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at):
                self.at += 1
                if code(self.match(CHARACTER)) < low:
                    raise Refused("a range upwards")


def code(found: re.Match[str]) -> int:
    """The character that a match of CHARACTER means."""
    digits = found[1] or found[2] or found[3]
    if digits:
        return int(digits, 16)
    return ord({"n": "\n", "r": "\r", "t": "\t"}.get(found[4], found[4]) if found[4] else found[5])
