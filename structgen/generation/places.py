"""Where in a JSON value a byte lies: a scanner that says when values open and close.

In: the bytes of a valid JSON text, one after the other. Out: for each byte whether a value opens with it, or has ended (`Scanner.step`),
and the name or index of the value that opens. `Scanner.copy` is cheap, so that a token can be tried.

Limits: nothing is checked; `events.ValueEvents` does that, and gives values. Turned down: `ValueEvents` for this as well (it keeps the text
and makes events, five times the work, and cannot be copied).
"""

from __future__ import annotations

import json

OPENED, CLOSED, SCALAR_ENDED = 1, 2, 4

_VALUE, _NAME, _IN_NAME, _IN_STRING, _IN_SCALAR = range(5)
_QUOTE, _BACKSLASH, _COMMA = b'"\\,'
_BLANKS = frozenset(b" \t\r\n:")
_OPENING, _CLOSING = frozenset(b"{["), frozenset(b"}]")
_AFTER_SCALAR = frozenset(b",]} \t\r\n")


class Scanner:
    """Reads one JSON value. key: the name or index of the value that opened last, or that comes next ("" for the whole)."""

    __slots__ = ("_containers", "_escaped", "_name", "_state", "key")

    def __init__(self) -> None:
        self._containers: list[int] = []  # open ones: -1 for an object, else the index of the array's item
        self._state = _VALUE
        self._escaped = False
        self._name = bytearray()
        self.key: str | int = ""

    def copy(self) -> Scanner:
        """Another one at the same place."""
        other = Scanner.__new__(Scanner)
        other._containers, other._name = self._containers[:], self._name[:]
        other._state, other._escaped, other.key = self._state, self._escaped, self.key
        return other

    def step(self, byte: int) -> int:
        """Read a byte. Some of SCALAR_ENDED (a number or word ended before the byte), OPENED (a value begins with it), CLOSED (the
        innermost open value ends with it)."""
        state = self._state
        if state in (_IN_STRING, _IN_NAME):
            return self._step_string(byte, state == _IN_NAME)
        event = 0
        if state == _IN_SCALAR:
            if byte not in _AFTER_SCALAR:
                return 0
            event = SCALAR_ENDED
            self._state = _VALUE
        if byte in _BLANKS:
            return event
        if byte == _COMMA:
            self._next()
            return event
        if byte in _CLOSING:
            self._containers.pop()
            self._state = _VALUE
            return event | CLOSED
        if self._state == _NAME:
            self._state = _IN_NAME
            self._name.clear()
            return event
        self._open(byte)
        return event | OPENED

    def _step_string(self, byte: int, is_name: bool) -> int:
        if self._escaped:
            self._escaped = False
        elif byte == _BACKSLASH:
            self._escaped = True
        elif byte == _QUOTE:
            self._state = _VALUE
            if not is_name:
                return CLOSED
            self.key = json.loads(b'"%s"' % self._name)
            return 0
        if is_name:
            self._name.append(byte)
        return 0

    def _next(self) -> None:
        if self._containers[-1] < 0:
            self._state = _NAME
        else:
            self._containers[-1] += 1
            self._state = _VALUE

    def _open(self, byte: int) -> None:
        if self._containers and self._containers[-1] >= 0:
            self.key = self._containers[-1]
        if byte in _OPENING:
            is_object = byte == b"{"[0]
            self._containers.append(-1 if is_object else 0)
            self._state = _NAME if is_object else _VALUE
        else:
            self._state = _IN_STRING if byte == _QUOTE else _IN_SCALAR
