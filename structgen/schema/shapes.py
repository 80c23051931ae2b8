"""Cheap facts about an ECMA-262 pattern, without an automaton.

In: a pattern. Out: a `Shape` (the lengths its matches can have, and an equivalent Python regex to test a name with), or None for
patterns outside the small subset that is decided here; the caller then builds the automaton.

The subset: literals, `.`, ASCII classes, `\\d \\w \\s`, groups, alternation, greedy or lazy quantifiers, `^` only at the start and
`$` only at the end. Every schema has dozens of patterns, and nearly all of them are of this kind: asking only "can this be satisfied
at all?" must not cost an automaton each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_ESCAPED_CLASS = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACE}
_NEGATED_CLASS = {"D": "[^0-9]", "W": "[^A-Za-z0-9_]", "S": f"[^{_SPACE}]"}
_PUNCTUATION = frozenset("^$\\.*+?()[]{}|/-_@#%&,:;<>=~!'\"` ")
_CONTROL = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f", "v": r"\v"}
_SPECIAL = frozenset("^$\\.*+?()[]{}|")
_MAX_NESTING = 50


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a pattern (search semantics). The lengths, in characters, of the strings in which it is found lie in
    [shortest, longest] (longest None: no bound); every length between occurs if gapless. source: an equivalent Python regex."""

    shortest: int
    longest: int | None
    gapless: bool
    source: str

    def found_in(self, text: str) -> bool:
        """Whether the pattern is found in the text."""
        return _compiled(self.source).search(text) is not None

    def allows_length(self, low: int, high: int | None) -> bool | None:
        """Whether a match has a length in [low, high]; None = not known."""
        if (high is not None and self.shortest > high) or (self.longest is not None and self.longest < low):
            return False
        if self.gapless or (low <= self.shortest and (high is None or self.shortest <= high)):
            return True
        return None


class _Outside(Exception):
    """The pattern is not in the subset."""


Lengths = tuple[int, "int | None", bool]


@lru_cache(maxsize=4096)
def shape_of(pattern: str) -> Shape | None:
    """The shape of a pattern, or None when it is not in the subset (which says nothing about its validity)."""
    if len(pattern) > 2_000:
        return None
    parser = _Parser(pattern)
    try:
        (shortest, longest, gapless), source = parser.choice(0)
        if parser.position != len(pattern):
            raise _Outside
    except _Outside:
        return None
    return Shape(shortest, longest, gapless, source)


@lru_cache(maxsize=1024)
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)


class _Parser:
    def __init__(self, body: str) -> None:
        self.body, self.position = body, 0

    def peek(self) -> str:
        return self.body[self.position] if self.position < len(self.body) else ""

    def choice(self, depth: int) -> tuple[Lengths, str]:
        """Alternatives that are searched for, each with its own anchors: the whole pattern, or a group that is a whole alternative."""
        if depth > _MAX_NESTING:
            raise _Outside
        lengths, source = self.searched(depth)
        while self.peek() == "|":
            self.position += 1
            other, text = self.searched(depth)
            lengths = _either(lengths, other)
            source = f"{source}|{text}"
        return lengths, source

    def searched(self, depth: int) -> tuple[Lengths, str]:
        start = self.position
        if self.opens_group():
            try:
                lengths, text = self.choice(depth + 1)
            except _Outside:
                self.position = start
            else:
                self.position += 1
                if self.body[self.position - 1 : self.position] == ")" and self.peek() in ("", "|", ")"):
                    return lengths, f"(?:{text})"
                self.position = start
        at_start = self.peek() == "^"
        self.position += at_start
        lengths, text = self.sequence(depth)
        at_end = self.peek() == "$"
        self.position += at_end
        if not (at_start and at_end):
            lengths = (lengths[0], None, True)  # anything may stand around it
        return lengths, (r"\A" if at_start else "") + text + (r"\Z" if at_end else "")

    def opens_group(self) -> bool:
        """Step into a group, if one starts here."""
        for opening in ("(?:", "("):
            if self.body.startswith(opening, self.position) and not self.body.startswith(
                "(?", self.position + len(opening) - 1
            ):
                self.position += len(opening)
                return True
        return False

    def alternation(self, depth: int) -> tuple[Lengths, str]:
        if depth > _MAX_NESTING:
            raise _Outside
        lengths, source = self.sequence(depth)
        while self.peek() == "|":
            self.position += 1
            other, text = self.sequence(depth)
            lengths = _either(lengths, other)
            source = f"{source}|{text}"
        return lengths, source

    def sequence(self, depth: int) -> tuple[Lengths, str]:
        lengths: Lengths = (0, 0, True)
        parts: list[str] = []
        while (char := self.peek()) and char not in "|)$":
            one, text = self.atom(depth)
            low, high, quantifier = self.quantifier()
            if quantifier:
                one = _repeated(one, low, high)
                text = f"(?:{text}){quantifier}"
            parts.append(text)
            longest = None if lengths[1] is None or one[1] is None else lengths[1] + one[1]
            lengths = (lengths[0] + one[0], longest, lengths[2] and one[2])
        return lengths, "".join(parts)

    def atom(self, depth: int) -> tuple[Lengths, str]:
        char = self.peek()
        self.position += 1
        if char == "(":
            self.position -= 1
            if not self.opens_group():
                raise _Outside
            lengths, text = self.alternation(depth + 1)
            if self.peek() != ")":
                raise _Outside
            self.position += 1
            return lengths, f"(?:{text})"
        if char == "[":
            return (1, 1, True), self.char_class()
        if char == ".":
            return (1, 1, True), "[^\\n\\r\u2028\u2029]"
        if char == "\\":
            escaped = self.peek()
            self.position += 1
            if escaped in _ESCAPED_CLASS:
                return (1, 1, True), f"[{_ESCAPED_CLASS[escaped]}]"
            if escaped in _NEGATED_CLASS:
                return (1, 1, True), _NEGATED_CLASS[escaped]
            return (1, 1, True), self.escaped(escaped)
        if char in _SPECIAL:
            raise _Outside
        return (1, 1, True), re.escape(char)

    def escaped(self, char: str) -> str:
        if char in _CONTROL:
            return _CONTROL[char]
        if not char or char not in _PUNCTUATION:
            raise _Outside
        return re.escape(char)

    def char_class(self) -> str:
        negated = self.peek() == "^"
        if negated:
            self.position += 1
        parts: list[str] = []
        low = ""  # the last single character, which a range may start from
        while True:
            char = self.peek()
            self.position += 1
            if not char:
                raise _Outside
            if char == "]":
                break
            if char == "\\":
                escaped = self.peek()
                self.position += 1
                if escaped in _ESCAPED_CLASS:
                    parts.append(_ESCAPED_CLASS[escaped])
                    if self.peek() == "-" and self.body[self.position + 1 : self.position + 2] != "]":
                        raise _Outside
                    continue
                low = self.escaped(escaped)
            else:
                low = re.escape(char)
            following = self.body[self.position + 1 : self.position + 2]
            if self.peek() == "-" and following and following != "]":
                if following in "\\[" or not following.isascii() or len(low.lstrip("\\")) != 1:
                    raise _Outside
                self.position += 2
                if low.lstrip("\\") > following:
                    raise _Outside
                parts.append(f"{low}-{re.escape(following)}")
            else:
                parts.append(low)
        if not parts:
            raise _Outside  # [] matches nothing, [^] anything: left to the automaton
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def quantifier(self) -> tuple[int, int | None, str]:
        char = self.peek()
        if char and char in "*+?":
            self.position += 1
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
            text = char
        elif char == "{":
            found = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}").match(self.body, self.position)
            if found is None:
                raise _Outside
            self.position = found.end()
            low = int(found[1])
            high = low if found[2] is None else int(found[3]) if found[3] else None
            if high is not None and high < low:
                raise _Outside
            text = found[0]
        else:
            return 1, 1, ""
        if self.peek() == "?":
            self.position += 1
        if self.peek() and self.peek() in "*+?{":
            raise _Outside
        return low, high, text


def _either(a: Lengths, b: Lengths) -> Lengths:
    first, second = (a, b) if a[0] <= b[0] else (b, a)
    touching = first[1] is None or second[0] <= first[1] + 1
    longest = None if a[1] is None or b[1] is None else max(a[1], b[1])
    return first[0], longest, a[2] and b[2] and touching


def _repeated(one: Lengths, low: int, high: int | None) -> Lengths:
    """Lengths of `low` to `high` copies. k copies span [k·s, k·l]; k+1 copies follow without a gap when (k+1)·s <= k·l + 1."""
    shortest, longest, gapless = one
    if high == 0 or longest == 0:
        return 0, 0, True
    total = None if high is None or longest is None else longest * high
    if low != high and longest is not None:
        gapless = gapless and (low + 1) * shortest <= low * longest + 1
    elif low == 0 and longest is None:
        gapless = gapless and shortest <= 1
    return shortest * low, total, gapless
