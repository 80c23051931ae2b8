"""How far a text goes under a constraint: whether it is whole, its longest valid beginning, and what may come there.

In: a matcher at the start of a text, and the text. Out: a `TextMatch`. Nothing is generated; tokens do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from structgen.machine.matcher import Machine, Matcher

_SHOWN = 12
_EXAMPLE = 40  # characters of an example that are shown
_CONTEXT = 60


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that may come. what: the terminal, or what else the front-end calls it; example: a shortest text of it from here on."""

    what: str
    example: str


@dataclass(frozen=True, slots=True)
class TextMatch:
    """How far a text goes.

    accepted: the whole text is in the language. is_prefix: it is, or may become so. valid: its longest beginning that is or may become
    so; may_end: whether `valid` is in the language itself. expected: what may come after `valid`. line, column: of its end, from 1.
    """

    text: str
    accepted: bool
    is_prefix: bool
    valid: str
    may_end: bool
    expected: tuple[Expectation, ...]

    @property
    def position(self) -> int:
        """Characters of the longest valid beginning."""
        return len(self.valid)

    @property
    def line(self) -> int:
        return self.valid.count("\n") + 1

    @property
    def column(self) -> int:
        return len(self.valid) - (self.valid.rfind("\n") + 1) + 1

    def __bool__(self) -> bool:
        return self.accepted

    def __str__(self) -> str:
        if self.accepted:
            return "accepted"
        first = self.valid.rfind("\n") + 1
        last = self.text.find("\n", self.position)
        line = self.text[first : last if last >= 0 else len(self.text)]
        column = self.position - first
        cut = max(0, column - _CONTEXT)
        head = "the text ends too early" if self.is_prefix else f"{self.text[self.position]!r} cannot stand here"
        names = [f"{e.what} such as {e.example!r}" if e.example else e.what for e in self.expected[:_SHOWN]]
        names += ["the end of the text"] if self.may_end else []
        more = f", or {len(self.expected) - _SHOWN} more" if len(self.expected) > _SHOWN else ""
        expected = f"; expected {' or '.join(names)}{more}" if names else ""
        shown = line[cut : cut + 2 * _CONTEXT]
        return f"{head} (line {self.line}, column {self.column}){expected}\n  {shown}\n  {' ' * (column - cut)}^"


def match_text(matcher: Matcher, machine: Machine, text: str) -> TextMatch:
    """How far a text goes. matcher: at the start of a text of `machine`. Raises LimitExceeded, and ValueError for a lone surrogate."""
    data = text.encode()
    good = len(data)
    if not matcher.accept_bytes(data):
        good = _longest(matcher, data)
        while good and good < len(data) and data[good] & 0xC0 == 0x80:
            good -= 1  # not within a character
        if good:
            matcher.accept_bytes(data[:good])
    is_prefix = good == len(data)
    may_end = matcher.is_accepting()
    return TextMatch(text, is_prefix and may_end, is_prefix, data[:good].decode(), may_end, _expected(matcher, machine))


def _longest(matcher: Matcher, data: bytes) -> int:
    """Bytes of the longest beginning that is accepted; the matcher does not move."""
    low, high = 0, len(data)  # low is accepted, high is not
    probe = matcher.fork()
    step = 1
    while low + step < high:  # in growing steps, so that a long valid text is read about twice
        if not probe.accept_bytes(data[low : low + step]):
            high = low + step
            break
        low += step
        step *= 2
    while high - low > 1:
        middle = (low + high) // 2
        fork = probe.fork()
        if fork.accept_bytes(data[low:middle]):
            low, probe = middle, fork
        else:
            high = middle
    return low


def _expected(matcher: Matcher, machine: Machine) -> tuple[Expectation, ...]:
    program = machine.program
    found: dict[str, str] = {}
    for q, k in program.closed_configurations(*matcher.state_id):
        words = machine.completions.styles[0].words(q)
        example = min(words.values(), key=len, default=b"")
        if not example:
            continue  # it may end here: what follows it is among the others
        what = machine.describer.describe(program, q, k)
        shown = example.decode(errors="backslashreplace")[:_EXAMPLE]
        if what not in found or len(shown) < len(found[what]):
            found[what] = shown
    if not found:
        following = np.flatnonzero(matcher.next_bytes())
        return tuple(Expectation("", chr(byte)) for byte in following.tolist() if 32 <= byte < 127)
    return tuple(Expectation(what, example) for what, example in found.items())
