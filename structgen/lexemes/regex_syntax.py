"""Regular expressions as text to a syntax tree, in two dialects.

    "ecma"    ECMA-262 with the u flag where that parses, else the leniency of its Annex B (identity escapes such as `\\-`,
              a literal `{`), because real schemas hold both; and the Python forms whose meaning is clear: `(?i)`, `(?P<n>..)`,
              `\\A`, `\\Z`, possessive quantifiers, atomic groups.
    "python"  the syntax of `re` on str.

In: a pattern. Out: a tree of `Chars`, `Sequence`, `Choice`, `Repeat`, `Boundary`, `Look`, `Atomic`; what depends on flags
(case, `.`, the meaning of `^` and `$`) is already resolved, so that the tree alone says what is matched. Raises `RegexError`
with the position for what is invalid or has no finite automaton (back-references, conditionals), `LimitExceeded` for
groups nested more than `MAX_DEPTH` deep. Turned down: Python's own `re._parser` (another dialect, and not public).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from structgen.errors import LimitExceeded, RegexError
from structgen.lexemes import charclass
from structgen.lexemes.charclass import Ranges

if TYPE_CHECKING:
    from structgen.lexemes.dfa import CharDfa

Dialect = Literal["python", "ecma"]

MAX_DEPTH = 80
MAX_COUNT = 2**31
FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "a": re.ASCII, "u": re.UNICODE}
_I, _M, _S, _X, _A = (int(f) for f in (re.IGNORECASE, re.MULTILINE, re.DOTALL, re.VERBOSE, re.ASCII))


class Chars:
    """One character of a set."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges


class Sequence:
    """Items one after the other; no items: the empty string."""

    __slots__ = ("items",)

    def __init__(self, items: list[Node]) -> None:
        self.items = items


class Choice:
    """One of several options, in order of priority (which matters inside `Atomic` only)."""

    __slots__ = ("options",)

    def __init__(self, options: list[Node]) -> None:
        self.options = options


class Repeat:
    """least..most copies of the body (most None: no bound). mode: "greedy", "lazy" or "possessive"."""

    __slots__ = ("body", "least", "mode", "most", "position")

    def __init__(self, body: Node, least: int, most: int | None, mode: str, position: int) -> None:
        self.body, self.least, self.most, self.mode, self.position = body, least, most, mode, position


class Boundary:
    """An assertion on the characters before and after.

    kind: "start", "end", "line-start", "line-end", "word", "not-word", or "end-or-newline" (Python's `$`: the end, or before
    a newline that ends the string). word, newline: the sets that count as word characters and as line ends.
    """

    __slots__ = ("kind", "newline", "position", "word")

    def __init__(self, kind: str, word: Ranges, newline: Ranges, position: int) -> None:
        self.kind, self.word, self.newline, self.position = kind, word, newline, position


class Look:
    """Look-ahead or look-behind."""

    __slots__ = ("ahead", "body", "negative", "position")

    def __init__(self, body: Node, ahead: bool, negative: bool, position: int) -> None:
        self.body, self.ahead, self.negative, self.position = body, ahead, negative, position


class Atomic:
    """A group that does not backtrack."""

    __slots__ = ("body", "position")

    def __init__(self, body: Node, position: int) -> None:
        self.body, self.position = body, position


class Embedded:
    """A language that is already an automaton (a `CharDfa` of lexemes/dfa.py); no pattern is parsed to it."""

    __slots__ = ("dfa",)

    def __init__(self, dfa: CharDfa) -> None:
        self.dfa = dfa


Node = Chars | Sequence | Choice | Repeat | Boundary | Look | Atomic | Embedded

_EMPTY = Sequence([])
_DOT_PYTHON = charclass.complement(charclass.NEWLINE)
_DOT_ECMA = charclass.complement(charclass.NEWLINE_ECMA)
_CHARS: list[Chars] = [Chars((i, i)) for i in range(0x180)]
_ANY = Chars(charclass.ANY)
_DOTS = {"python": Chars(_DOT_PYTHON), "ecma": Chars(_DOT_ECMA)}
_CONTROL = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SPECIAL = frozenset("\\^$.|?*+()[{")
_HEX = frozenset("0123456789abcdefABCDEF")
_NAME = re.compile(r"[^\W\d]\w*")
_COUNTS = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_COUNTS_PYTHON = re.compile(r"\{([0-9]*)(?:(,)([0-9]*))?\}")


@lru_cache(maxsize=256)
def _shorthand(letter: str, ascii_only: bool, python: bool) -> Ranges:
    kind = letter.lower()
    if kind == "d":
        ranges = charclass.digit_unicode() if python and not ascii_only else charclass.DIGIT_ASCII
    elif kind == "w":
        ranges = charclass.word_unicode() if python and not ascii_only else charclass.WORD_ASCII
    elif python:
        ranges = charclass.SPACE_ASCII if ascii_only else charclass.space_unicode()
    else:
        ranges = charclass.SPACE_ECMA
    return charclass.complement(ranges) if letter.isupper() else ranges


class _Frame:
    """An open group: what was read of it, and what to do when it closes."""

    __slots__ = ("flags", "items", "kind", "options", "position")

    def __init__(self, kind: str, flags: int, position: int) -> None:
        self.kind, self.flags, self.position = kind, flags, position
        self.options: list[Node] = []
        self.items: list[Node] = []


class _Parser:
    def __init__(self, pattern: str, dialect: Dialect, flags: int) -> None:
        self.pattern = pattern
        self.python = dialect == "python"
        self.dialect = dialect
        self.flags = flags
        self.position = 0
        self.names: set[str] = set()
        self.n_groups = 0
        self.quantifiable = False

    def error(self, reason: str, position: int | None = None) -> RegexError:
        return RegexError(reason, self.pattern, self.position if position is None else position)

    # -- the main loop ----------------------------------------------------------------------------------------------

    def parse(self) -> Node:
        pattern, n = self.pattern, len(self.pattern)
        frame = _Frame("root", self.flags, 0)
        stack: list[_Frame] = []
        items = frame.items
        self.quantifiable = False
        while self.position < n:
            i = self.position
            c = pattern[i]
            if c not in _SPECIAL:
                if self.flags & _X and (c in " \t\n\r\f\v" or c == "#"):
                    self.skip_verbose(c)
                    continue
                self.position = i + 1
                items.append(self.character(ord(c)))
                self.quantifiable = True
            elif c == "\\":
                items.append(self.escape())
            elif c == "[":
                items.append(Chars(self.bracket()))
                self.quantifiable = True
            elif c == ".":
                self.position = i + 1
                items.append(_ANY if self.flags & _S else _DOTS[self.dialect])
                self.quantifiable = True
            elif c in "*+?{":
                self.quantify(items, c)
            elif c == "^":
                self.position = i + 1
                items.append(self.boundary("line-start" if self.flags & _M else "start", i))
            elif c == "$":
                self.position = i + 1
                kind = "line-end" if self.flags & _M else "end-or-newline" if self.python else "end"
                items.append(self.boundary(kind, i))
            elif c == "|":
                self.position = i + 1
                frame.options.append(_sequence(items))
                items = frame.items = []
                self.quantifiable = False
            elif c == "(":
                opened = self.open_group(bool(stack or items or frame.options))
                if opened is not None:
                    if len(stack) >= MAX_DEPTH:
                        raise LimitExceeded(len(stack) + 1, MAX_DEPTH, hint="groups are nested too deeply in a pattern")
                    stack.append(frame)
                    frame = opened
                    items = frame.items
                    self.quantifiable = False
            else:  # ")"
                if not stack:
                    raise self.error("unmatched )")
                self.position = i + 1
                node = self.close_group(frame)
                frame = stack.pop()
                items = frame.items
                items.append(node)
        if stack:
            raise self.error("missing ) for this (", frame.position)
        return _choice(frame)

    def skip_verbose(self, c: str) -> None:
        if c == "#":
            end = self.pattern.find("\n", self.position)
            self.position = len(self.pattern) if end < 0 else end + 1
        else:
            self.position += 1

    def character(self, point: int) -> Chars:
        if self.flags & _I:
            return Chars(self.any_case((point, point)))
        if point < 0x180:
            return _CHARS[point]
        if 0xD800 <= point <= 0xDFFF:
            return Chars(charclass.EMPTY)
        return Chars((point, point))

    def set_of(self, ranges: Ranges) -> Chars:
        self.quantifiable = True
        return Chars(self.any_case(ranges) if self.flags & _I else ranges)

    def any_case(self, ranges: Ranges) -> Ranges:
        return charclass.ignore_case(ranges, python=self.python, ascii_only=bool(self.flags & _A))

    def boundary(self, kind: str, position: int) -> Boundary:
        self.quantifiable = False
        word = _shorthand("w", bool(self.flags & _A), self.python) if kind in ("word", "not-word") else charclass.EMPTY
        newline = charclass.NEWLINE if self.python else charclass.NEWLINE_ECMA
        return Boundary(kind, word, newline, position)

    # -- groups -----------------------------------------------------------------------------------------------------

    def open_group(self, not_first: bool) -> _Frame | None:
        """Read from `(` to the begin of its contents; None for what has no contents (flags, comments)."""
        pattern, start = self.pattern, self.position
        self.position = start + 1
        if not pattern.startswith("?", start + 1):
            if pattern.startswith("*", start + 1):
                raise self.error("nothing to repeat", start + 1)
            self.n_groups += 1
            return _Frame("group", self.flags, start)
        for mark, kind in (("?:", "group"), ("?=", "=ahead"), ("?!", "!ahead"), ("?<=", "=behind"), ("?<!", "!behind"),
                           ("?>", "atomic")):  # fmt: skip
            if pattern.startswith(mark, start + 1):
                self.position = start + 1 + len(mark)
                return _Frame(kind, self.flags, start)
        if pattern.startswith("?#", start + 1):
            end = pattern.find(")", start)
            if end < 0:
                raise self.error("missing ) of a comment", start)
            self.position = end + 1
            return None
        if pattern.startswith("?P=", start + 1):
            raise self.error("a back-reference has no finite automaton", start)
        if pattern.startswith("?(", start + 1):
            raise self.error("a conditional group has no finite automaton", start)
        named = "?P<" if pattern.startswith("?P<", start + 1) else "?<"
        if pattern.startswith(named, start + 1) and (named == "?P<" or not self.python):
            self.position = start + 1 + len(named)
            end = pattern.find(">", self.position)
            name = pattern[self.position : end] if end >= 0 else ""
            if not _NAME.fullmatch(name.replace("$", "_")):
                raise self.error("a group needs a name and >")
            if name in self.names:
                raise self.error(f"group name {name!r} is used twice")
            self.names.add(name)
            self.n_groups += 1
            self.position = end + 1
            return _Frame("group", self.flags, start)
        return self.flag_group(start, not_first)

    def flag_group(self, start: int, not_first: bool) -> _Frame | None:
        on = off = 0
        negative = False
        i = start + 2
        pattern = self.pattern
        while i < len(pattern) and pattern[i] not in ":)":
            c = pattern[i]
            if c == "-" and not negative:
                negative = True
            elif c in FLAGS:
                if negative:
                    off |= int(FLAGS[c])
                else:
                    on |= int(FLAGS[c])
            else:
                raise self.error("unknown group or flag", i)
            i += 1
        if i >= len(pattern) or i == start + 2:
            raise self.error("unknown group", start)
        if off & (_A | int(re.UNICODE)) or on & off:
            raise self.error("these flags cannot be turned off here", start)
        saved = self.flags
        flags = (saved | on) & ~off
        if on & int(re.UNICODE):
            flags &= ~_A
        self.position = i + 1
        if pattern[i] == ")":
            if negative:
                raise self.error("flags can be turned off for a group only", start)
            if self.python and not_first:
                raise self.error("global flags must stand at the start of the pattern", start)
            self.flags = flags
            return None
        self.flags = flags
        return _Frame("group", saved, start)

    def close_group(self, frame: _Frame) -> Node:
        self.flags = frame.flags if frame.kind != "root" else self.flags
        body = _choice(frame)
        self.quantifiable = True
        if frame.kind == "group":
            return body
        if frame.kind == "atomic":
            return Atomic(body, frame.position)
        ahead = frame.kind.endswith("ahead")
        if self.python and not ahead:
            least, most = width(body)
            if least != most:
                raise self.error("look-behind requires a fixed width", frame.position)
        # Annex B lets look-aheads be quantified, Python lets all of them
        self.quantifiable = self.python or ahead
        return Look(body, ahead, frame.kind[0] == "!", frame.position)

    # -- quantifiers ------------------------------------------------------------------------------------------------

    def quantify(self, items: list[Node], c: str) -> None:
        pattern, i = self.pattern, self.position
        least: int
        most: int | None
        if c == "{":
            m = (_COUNTS_PYTHON if self.python else _COUNTS).match(pattern, i)
            if m is None or (m.group() in ("{}", "{,}") and not (self.python and m.group() == "{,}")):
                self.position = i + 1
                items.append(self.character(0x7B))
                self.quantifiable = True
                return
            low, comma, high = m.groups()
            least = int(low[:12] if low else 0) if len(low) <= 12 else MAX_COUNT
            most = least if comma is None else None if not high else int(high) if len(high) <= 12 else MAX_COUNT
            end = m.end()
        else:
            least, most = (1 if c == "+" else 0), (1 if c == "?" else None)
            end = i + 1
        if not self.quantifiable or not items:
            raise self.error("nothing to repeat", i)
        if most is not None and most < least:
            raise self.error("the numbers of a quantifier are out of order", i)
        mode = "greedy"
        if end < len(pattern):
            if pattern[end] == "?":
                mode, end = "lazy", end + 1
            elif pattern[end] == "+":
                mode, end = "possessive", end + 1
        self.position = end
        self.quantifiable = False
        items[-1] = Repeat(items[-1], least, most, mode, i)

    # -- escapes ----------------------------------------------------------------------------------------------------

    def escape(self) -> Node:
        """An escape outside of brackets; the position is on the backslash."""
        pattern, start = self.pattern, self.position
        if start + 1 >= len(pattern):
            raise self.error("a backslash at the end")
        c = pattern[start + 1]
        self.position = start + 2
        if c in "dDwWsS":
            self.quantifiable = True
            return Chars(_shorthand(c, bool(self.flags & _A), self.python))
        if c == "b" or c == "B":
            return self.boundary("word" if c == "b" else "not-word", start)
        if c == "A" or c == "Z" or c == "z":
            # in ECMA these are identity escapes of Annex B, but nobody who writes them means the letter
            if c == "z" and self.python:
                raise self.error("unknown escape \\z", start)
            return self.boundary("start" if c == "A" else "end", start)
        if c in "123456789":
            self.digits(start)
            raise self.error("a back-reference has no finite automaton", start)
        if c == "k" and (self.names or not self.python) and pattern.startswith("<", start + 2):
            raise self.error("a back-reference has no finite automaton", start)
        if c in "pP" and not self.python:
            ranges = self.property(c, start)
            if ranges is not None:
                return self.set_of(ranges)
        point = self.escaped_point(start, c, False)
        self.quantifiable = True
        return self.character(point)

    def digits(self, start: int) -> None:
        """A number above the count of groups is an octal or identity escape in Annex B; refuse it with the reason."""
        m = re.compile(r"[0-9]+").match(self.pattern, start + 1)
        number = m.group() if m else ""
        opened = len(re.findall(r"\((?!\?)|\(\?P?<[^=!]", self.pattern))
        if int(number[:6]) > opened:
            raise self.error(f"no group {number} to refer to", start)

    def escaped_point(self, start: int, c: str, in_bracket: bool) -> int:
        """The code point of an escape that stands for one; the position is behind its letter."""
        if c in _CONTROL:
            return _CONTROL[c]
        if c == "x":
            point = self.hexadecimal(2)
            if point is not None:
                return point
            if self.python:
                raise self.error("\\x needs two hexadecimal digits", start)
            return 0x78
        if c == "u":
            return self.unicode_escape(start)
        if c == "0":
            return self.octal(start)
        if self.python:
            if c == "a":
                return 7
            if c == "U":
                point = self.hexadecimal(8)
                if point is None or point > charclass.LAST:
                    raise self.error("\\U needs eight hexadecimal digits of a code point", start)
                return point
            if c == "N":
                return self.named_character(start)
            if c in "1234567":
                return self.octal(start)
            if c.isascii() and c.isalnum():
                raise self.error(f"unknown escape \\{c}", start)
            return ord(c)
        if c == "c":
            letter = self.pattern[self.position : self.position + 1]
            if letter.isascii() and letter.isalpha():
                self.position += 1
                return ord(letter) % 32
            self.position = start + 1
            return 0x5C
        if c == "a":
            return 7
        if in_bracket and c in "1234567":
            return self.octal(start)
        return ord(c)

    def octal(self, start: int) -> int:
        """`\\0` and the legacy octal escapes; the position is moved behind the digits."""
        m = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?").match(self.pattern, start + 1)
        if m is None:
            return 0
        self.position = m.end()
        return int(m.group(), 8)

    def hexadecimal(self, n: int) -> int | None:
        text = self.pattern[self.position : self.position + n]
        if len(text) < n or not _HEX.issuperset(text):
            return None
        self.position += n
        return int(text, 16)

    def unicode_escape(self, start: int) -> int:
        pattern = self.pattern
        if not self.python and pattern.startswith("{", self.position):
            end = pattern.find("}", self.position)
            text = pattern[self.position + 1 : end] if end >= 0 else ""
            if text and _HEX.issuperset(text):
                if int(text, 16) > charclass.LAST:
                    raise self.error("a code point above U+10FFFF", start)
                self.position = end + 1
                return int(text, 16)
            return 0x75
        point = self.hexadecimal(4)
        if point is None:
            if self.python:
                raise self.error("\\u needs four hexadecimal digits", start)
            return 0x75
        if not self.python and 0xD800 <= point <= 0xDBFF and pattern.startswith("\\u", self.position):
            before = self.position
            self.position += 2
            low = self.hexadecimal(4)
            if low is not None and 0xDC00 <= low <= 0xDFFF:
                return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00)
            self.position = before
        return point

    def named_character(self, start: int) -> int:
        import unicodedata

        end = self.pattern.find("}", self.position)
        if not self.pattern.startswith("{", self.position) or end < 0:
            raise self.error("\\N needs a character name in braces", start)
        try:
            character = unicodedata.lookup(self.pattern[self.position + 1 : end])
        except KeyError:
            raise self.error("unknown character name", start) from None
        if len(character) != 1:
            raise self.error("this name stands for several characters", start)
        self.position = end + 1
        return ord(character)

    def property(self, c: str, start: int) -> Ranges | None:
        """`\\p{..}` or `\\P{..}`; None if it is an identity escape (Annex B)."""
        pattern = self.pattern
        if not pattern.startswith("{", self.position):
            # \pL is how Perl, Java and Go write it; nobody means the letters p and L
            name = pattern[self.position : self.position + 1]
            if name not in charclass.CATEGORY_NAMES.values() or not name:
                return None
            end = self.position
        else:
            end = pattern.find("}", self.position)
            if end < 0:
                raise self.error(f"missing }} of \\{c}", start)
            name = pattern[self.position + 1 : end]
        ranges = charclass.unicode_property(name.removeprefix("^"))
        if ranges is None:
            raise self.error(f"unknown or unsupported Unicode property {name!r}", start)
        self.position = end + 1
        return charclass.complement(ranges) if (c == "P") != name.startswith("^") else ranges

    # -- brackets ---------------------------------------------------------------------------------------------------

    def bracket(self) -> Ranges:
        """A character class; the position is on `[`."""
        pattern, start, n = self.pattern, self.position, len(self.pattern)
        i = start + 1
        negative = pattern.startswith("^", i)
        if negative:
            i += 1
        first = i
        pairs: list[tuple[int, int]] = []
        while True:
            if i >= n:
                raise self.error("missing ] for this [", start)
            c = pattern[i]
            if c == "]" and not (self.python and i == first):
                i += 1
                break
            low: int | Ranges
            if c == "\\":
                self.position = i
                low = self.class_escape()
                i = self.position
            else:
                low, i = ord(c), i + 1
            if pattern.startswith("-", i) and i + 1 < n and pattern[i + 1] != "]":
                at = i
                high: int | Ranges
                if pattern[i + 1] == "\\":
                    self.position = i + 1
                    high = self.class_escape()
                    i = self.position
                else:
                    high, i = ord(pattern[i + 1]), i + 2
                if isinstance(low, tuple) or isinstance(high, tuple):
                    if self.python:
                        raise self.error("a class cannot be the end of a range", at)
                    # Annex B: the hyphen is itself
                    pairs.append((0x2D, 0x2D))
                    for part in (low, high):
                        pairs += charclass.pairs_of(part) if isinstance(part, tuple) else [(part, part)]
                    continue
                if high < low:
                    raise self.error("a range whose ends are out of order", at)
                pairs.append((low, high))
            elif isinstance(low, tuple):
                pairs += charclass.pairs_of(low)
            else:
                pairs.append((low, low))
        self.position = i
        ranges = charclass.normalise(pairs)
        if self.flags & _I:
            ranges = self.any_case(ranges)
        return charclass.complement(ranges) if negative else ranges

    def class_escape(self) -> int | Ranges:
        pattern, start = self.pattern, self.position
        if start + 1 >= len(pattern):
            raise self.error("a backslash at the end", start)
        c = pattern[start + 1]
        self.position = start + 2
        if c in "dDwWsS":
            return _shorthand(c, bool(self.flags & _A), self.python)
        if c == "b":
            return 8
        if c in "pP" and not self.python:
            ranges = self.property(c, start)
            if ranges is not None:
                return ranges
        return self.escaped_point(start, c, True)


def width(node: Node) -> tuple[int, int | None]:
    """The least and the greatest number of characters that a tree matches (None: no bound)."""
    if isinstance(node, Chars):
        return 1, 1
    if isinstance(node, Sequence):
        parts = [width(item) for item in node.items]
        return sum(p[0] for p in parts), None if any(p[1] is None for p in parts) else sum(p[1] or 0 for p in parts)
    if isinstance(node, Choice):
        parts = [width(option) for option in node.options]
        return min(p[0] for p in parts), None if any(p[1] is None for p in parts) else max(p[1] or 0 for p in parts)
    if isinstance(node, Repeat):
        low, high = width(node.body)
        if high == 0 or node.most == 0:
            return low * node.least, 0
        return low * node.least, None if high is None or node.most is None else high * node.most
    if isinstance(node, Atomic):
        return width(node.body)
    if isinstance(node, Embedded):
        return (0, 0) if node.dfa.is_empty() else (node.dfa.min_length(), node.dfa.max_length())
    return 0, 0


def _sequence(items: list[Node]) -> Node:
    if len(items) == 1:
        return items[0]
    return Sequence(items) if items else _EMPTY


def _choice(frame: _Frame) -> Node:
    last = _sequence(frame.items)
    if not frame.options:
        return last
    return Choice([*frame.options, last])


@lru_cache(maxsize=4096)
def parse_regex(pattern: str, dialect: Dialect, flags: int = 0) -> Node:
    """The syntax tree of a pattern; `flags` as those of `re` (I, M, S, X, A), on top of inline ones. Cached; do not change it.

    Raises RegexError (with the position) or LimitExceeded (nesting).
    """
    if dialect not in ("python", "ecma"):
        raise ValueError(f"dialect must be 'python' or 'ecma', not {dialect!r}")
    return _Parser(pattern, dialect, int(flags)).parse()
