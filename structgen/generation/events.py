"""Events of the values inside a JSON text while it is being generated.

In: the bytes of one token after the other. Out: `TextDelta` (text that is final), `FieldStarted` (the name of a member is there),
`FieldComplete` and `ItemComplete` (a member or an item is finished, at any depth) and, at the end, `Done`. Each says how many tokens
there were when the text showed it. A number ends where the next character, or the end, shows that it does.

The text is scanned once: every character is looked at once, and a token may end anywhere, also inside a character or an
escape. What would cost more than that is made when it is read: an event holds its place and its span of the text, and its pointer, text
and value are made of these. Reading the value of every container at every depth reads nested text again for each; that is the reader's
choice. State: one frame for every open container, and the text so far, which is kept once (the spans of all events are in it).

Limits: one JSON value, strictly as RFC 8259 spells it. Turned down: parsing the text so far after each token (quadratic), and
following the matcher's own stack (lexemes of a grammar are not the members of a value, and forced tokens may span several).
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any

from structgen.errors import StructgenError
from structgen.generation.parts import Part, Place, Siblings, Text
from structgen.generation.shapes import Container, Shape, Typed


class EventsError(StructgenError, ValueError):
    """Bytes that are no JSON value, or a wrong call.

    position: index in the bytes (where they are no UTF-8) or in the text (all else); None where the text is not at fault.
    """

    def __init__(self, reason: str, position: int | None = None, unit: str = "character") -> None:
        self.reason, self.position = reason, position
        super().__init__(reason if position is None else f"{reason} (at {unit} {position} of the value's text)")


@dataclass(frozen=True, slots=True)
class Event:
    """n_tokens: how many tokens there were when it happened."""

    n_tokens: int


@dataclass(frozen=True, slots=True)
class TextDelta(Event):
    """The text that a token made final; it comes before the other events of that token. All deltas joined are the text."""

    text: str


@dataclass(frozen=True, slots=True, repr=False)
class FieldStarted(Event):
    """The name of an object's member is complete; its value follows."""

    place: Place

    @property
    def pointer(self) -> str:
        """JSON Pointer of the member."""
        return self.place.pointer

    def __repr__(self) -> str:
        return f"FieldStarted({self.n_tokens}, {self.pointer!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Complete(Event):
    """A value is finished. Base of `FieldComplete`, `ItemComplete` and `Done`."""

    part: Part

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.part.place

    @property
    def pointer(self) -> str:
        """JSON Pointer of the value."""
        return self.part.place.pointer

    @property
    def text(self) -> str:
        """The value's own text."""
        return self.part.text

    @property
    def value(self) -> Any:
        """What pydantic makes of this value alone; the plain JSON where no type is known. Made at the first reading, then kept.

        Raises what the type's own validators raise for it (pydantic.ValidationError), and LimitExceeded as `plain` does.
        """
        return self.part.value

    @property
    def plain(self) -> Any:
        """The value as Python's json gives it, made anew by every reading. Raises LimitExceeded for integers too long for Python."""
        return self.part.plain

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n_tokens}, {self.pointer!r}, {self.text!r})"


@dataclass(frozen=True, slots=True, repr=False)
class FieldComplete(Complete):
    """A member of an object is finished."""


@dataclass(frozen=True, slots=True, repr=False)
class ItemComplete(Complete):
    """An item of an array is finished."""


@dataclass(frozen=True, slots=True, repr=False)
class Done(Complete):
    """The whole value is finished and nothing follows. text: the whole text, white space around the value included."""

    whole: str

    @property
    def text(self) -> str:
        """All of the text."""
        return self.whole


@dataclass(frozen=True, slots=True)
class TextDone(Event):
    """Free text is finished. text: all of it."""

    text: str


@dataclass(frozen=True, slots=True)
class BrokenOff(Event):
    """The output was ended from outside, by its time limit or by cancellation ("time" or "cancelled"); it is the last event.

    text: as far as it went; a part of it that might have become a stop string, or a character that had only begun, comes in a last
    `TextDelta` before it.
    """

    text: str
    reason: str


class _Frame:
    """An open container."""

    __slots__ = ("container", "is_object", "members", "n_items", "place", "start")

    def __init__(self, place: Place, start: int, is_object: bool) -> None:
        self.place, self.start, self.is_object = place, start, is_object
        self.container: Container | None = (
            None if place.shape is None else place.shape.container("{" if is_object else "[")
        )
        self.n_items = 0
        self.members: list[Part] = []  # finished ones; only where a validator may look at them


# What the scanner expects next, or is in.
_VALUE, _FIRST_ITEM, _FIRST_NAME, _NAME, _COLON, _AFTER, _STRING, _NUMBER, _WORD = range(9)
_EXPECTED = {
    _VALUE: "a value",
    _FIRST_ITEM: "a value or ]",
    _FIRST_NAME: 'a name or "}"',
    _NAME: "a name",
    _COLON: '":"',
}
_BLANKS = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')  # characters of a string that stand for themselves
_HEX = frozenset("0123456789abcdefABCDEF")
_WORDS = {"t": "true", "f": "false", "n": "null"}


def _digits(state: str, **others: str) -> dict[str, str]:
    return {**dict.fromkeys("0123456789", state), **others}


# RFC 8259, section 6: state → next character → state. A number may end in the states of _ENDS.
_NUMBERS: dict[str, dict[str, str]] = {
    "start": {**_digits("digits"), "0": "zero", "-": "minus"},
    "minus": {**_digits("digits"), "0": "zero"},
    "zero": {".": "point", "e": "e", "E": "e"},
    "digits": {**_digits("digits"), ".": "point", "e": "e", "E": "e"},
    "point": _digits("fraction"),
    "fraction": {**_digits("fraction"), "e": "e", "E": "e"},
    "e": {**_digits("exponent"), "+": "sign", "-": "sign"},
    "sign": _digits("exponent"),
    "exponent": _digits("exponent"),
}
_ENDS = frozenset(("zero", "digits", "fraction", "exponent"))


class ValueEvents:
    """The events of one JSON value, token by token.

    typed: the value's type, a `pydantic.TypeAdapter` or a `Shape` made of one (which many values may share); None: plain JSON.
    leading_space: the tokenizer puts a space before the text, which is taken off.
    Not to be used by several threads at once. After an error it takes nothing more.
    """

    def __init__(self, typed: Typed | Shape | None = None, *, leading_space: bool = False) -> None:
        shape = typed if typed is None or isinstance(typed, Shape) else Shape.of(typed)
        self._text = Text()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._n_bytes = 0
        self._strip = leading_space
        self._n_tokens = 0
        self._place = Place(None, "", 0, shape)  # of the value that comes next or is open
        self._frames: list[_Frame] = []
        self._state = _VALUE
        self._start = 0  # of the leaf or the name that is open
        self._is_name = False
        self._escape = 0  # in a string: -1 after a backslash, above 0 hexadecimal digits to come
        self._inner = ""  # the number's state, or what is left of a word
        self._root: Part | None = None
        self._error: EventsError | None = None
        self._finished = False

    @property
    def is_complete(self) -> bool:
        """True if the text so far is a complete value (a number may still go on)."""
        return self._root is not None or (
            self._state == _NUMBER and not self._frames and self._inner in _ENDS and not self._decoder.getstate()[0]
        )

    @property
    def text(self) -> str:
        """The text so far; made anew by every reading."""
        return self._text.whole()

    def feed(self, data: bytes, n_tokens: int) -> list[Event]:
        """The events that the bytes of one token show, in the order of the text.

        n_tokens: tokens so far, this one included. Raises EventsError for bytes that cannot go on a JSON value, or no bytes.
        """
        self._check_open()
        if not isinstance(data, bytes):
            raise EventsError(f"a token must be given as bytes, not {type(data).__name__}")
        self._n_tokens = n_tokens
        try:
            piece = self._decode(data, False)
            if self._strip and piece:
                self._strip = False
                piece = piece.removeprefix(" ")
            if not piece:
                return []
            events: list[Event] = [TextDelta(n_tokens, piece)]
            base = self._text.length
            self._text.append(piece)
            self._scan(piece, base, events)
        except EventsError as error:
            self._error = error
            raise
        return events

    def finish(self) -> list[Event]:
        """The last event, `Done`. Raises EventsError if the value is not complete. A value that was broken off is not to be finished."""
        self._check_open()
        events: list[Event] = []
        try:
            self._decode(b"", True)
            if self._state == _NUMBER and not self._frames:
                self._end_number(self._text.length, events)
            if self._root is None:
                raise EventsError("the text ends before the value does", self._text.length)
        except EventsError as error:
            self._error = error
            raise
        self._finished = True
        return [*events, Done(self._n_tokens, self._root, self._text.whole())]

    def _check_open(self) -> None:
        if self._error is not None:
            raise self._error
        if self._finished:
            raise EventsError("the value was finished: make another ValueEvents for another one")

    def _decode(self, data: bytes, final: bool) -> str:
        pending = len(self._decoder.getstate()[0])
        try:
            piece = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            at = self._n_bytes - pending + error.start
            raise EventsError(f"no UTF-8 ({error.reason})", at, "byte") from error
        self._n_bytes += len(data)
        return piece

    def _scan(self, piece: str, base: int, events: list[Event]) -> None:
        """Read every character of a piece; base: the position of its first one."""
        i, n = 0, len(piece)
        while i < n:
            state = self._state
            if state == _STRING:
                i = self._scan_string(piece, i, base, events)
            elif state == _NUMBER:
                next_state = _NUMBERS[self._inner].get(piece[i])
                if next_state is None:
                    self._end_number(base + i, events)  # the character is read again
                else:
                    self._inner = next_state
                    i += 1
            elif state == _WORD:
                if piece[i] != self._inner[0]:
                    self._refuse(f'"{self._inner[0]}"', piece[i], base + i)
                self._inner = self._inner[1:]
                i += 1
                if not self._inner:
                    self._complete_leaf(base + i, events)
            else:
                i = _BLANKS.match(piece, i).end()  # type: ignore[union-attr]  # it matches the empty text
                if i < n:
                    self._structure(piece[i], base + i, events)
                    i += 1

    def _scan_string(self, piece: str, i: int, base: int, events: list[Event]) -> int:
        """Read characters of a string from i to its end, an escape's step, or the end of the piece; where that is."""
        if self._escape == 0:
            i = _PLAIN.match(piece, i).end()  # type: ignore[union-attr]  # it matches the empty text
            if i == len(piece):
                return i
            character = piece[i]
            if character == '"':
                self._end_string(base + i + 1, events)
            elif character == "\\":
                self._escape = -1
            else:
                self._refuse("an escape (control characters have no other form in a string)", character, base + i)
        elif self._escape < 0:
            if piece[i] == "u":
                self._escape = 4
            elif piece[i] in '"\\/bfnrt':
                self._escape = 0
            else:
                self._refuse('one of "\\/bfnrtu after the backslash', piece[i], base + i)
        else:
            if piece[i] not in _HEX:
                self._refuse("a hexadecimal digit", piece[i], base + i)
            self._escape -= 1
        return i + 1

    def _structure(self, character: str, at: int, events: list[Event]) -> None:
        """Read a character that belongs to no leaf, or begins one."""
        state = self._state
        if state == _AFTER:
            self._separator(character, at, events)
        elif state == _COLON:
            if character != ":":
                self._refuse('":"', character, at)
            self._state = _VALUE
        elif state in (_NAME, _FIRST_NAME):
            if character == '"':
                self._begin_string(at, True)
            elif character == "}" and state == _FIRST_NAME:
                self._close(at, events)
            else:
                self._refuse(_EXPECTED[state], character, at)
        elif character == "]" and state == _FIRST_ITEM:
            self._close(at, events)
        else:
            self._begin_value(character, at)

    def _begin_value(self, character: str, at: int) -> None:
        expected = _EXPECTED[self._state]
        frame = self._frames[-1] if self._frames else None
        if frame is not None and not frame.is_object:
            self._place = _inside(frame, frame.n_items)
            frame.n_items += 1
        if character in "{[":
            is_object = character == "{"
            self._frames.append(_Frame(self._place, at, is_object))
            self._state = _FIRST_NAME if is_object else _FIRST_ITEM
        elif character == '"':
            self._begin_string(at, False)
        elif character in _NUMBERS["start"]:
            self._state, self._inner, self._start = _NUMBER, _NUMBERS["start"][character], at
        elif character in _WORDS:
            self._state, self._inner, self._start = _WORD, _WORDS[character][1:], at
        else:
            self._refuse(expected, character, at)

    def _separator(self, character: str, at: int, events: list[Event]) -> None:
        if not self._frames:
            self._refuse("nothing after the value", character, at)
        frame = self._frames[-1]
        if character == ",":
            self._state = _NAME if frame.is_object else _VALUE
        elif character == ("}" if frame.is_object else "]"):
            self._close(at, events)
        else:
            self._refuse('"," or "}"' if frame.is_object else '"," or "]"', character, at)

    def _begin_string(self, at: int, is_name: bool) -> None:
        self._state, self._start, self._is_name = _STRING, at, is_name

    def _end_string(self, end: int, events: list[Event]) -> None:
        if not self._is_name:
            self._complete_leaf(end, events)
            return
        self._place = _inside(self._frames[-1], json.loads(self._text.span(self._start, end)))
        self._state = _COLON
        events.append(FieldStarted(self._n_tokens, self._place))

    def _end_number(self, end: int, events: list[Event]) -> None:
        if self._inner not in _ENDS:
            raise EventsError("a number ends before its digits do", end)
        self._complete_leaf(end, events)

    def _complete_leaf(self, end: int, events: list[Event]) -> None:
        place = self._place
        if self._frames:
            frame = self._frames[-1]
            # Only where a union is open does it matter what the member is; its text is read once more then.
            if frame.is_object and frame.container is not None and len(frame.container.branches) > 1:
                frame.container = frame.container.narrowed(place.key, self._text.span(self._start, end))
        self._complete(place, self._start, end, events)

    def _close(self, at: int, events: list[Event]) -> None:
        frame = self._frames.pop()
        self._complete(frame.place, frame.start, at + 1, events)

    def _complete(self, place: Place, start: int, end: int, events: list[Event]) -> None:
        self._state = _AFTER
        if not self._frames:
            self._root = Part(place, self._text, start, end)
            return
        frame = self._frames[-1]
        siblings = None
        if place.shape is not None and place.shape.looks_around and frame.container is not None:
            siblings = Siblings(frame.container, frame.members)
        part = Part(place, self._text, start, end, siblings)
        if frame.container is not None and frame.container.looks_around:
            frame.members.append(part)
        events.append((FieldComplete if frame.is_object else ItemComplete)(self._n_tokens, part))

    def _refuse(self, expected: str, character: str, at: int) -> None:
        raise EventsError(f"no JSON: {expected} expected, not {character!r}", at)


def _inside(frame: _Frame, key: str | int) -> Place:
    shape = None if frame.container is None else frame.container.child(key)
    return Place(frame.place, key, frame.place.depth + 1, shape)


__all__ = [
    "BrokenOff",
    "Complete",
    "Done",
    "Event",
    "EventsError",
    "FieldComplete",
    "FieldStarted",
    "ItemComplete",
    "Part",
    "Place",
    "TextDelta",
    "ValueEvents",
]
