"""Parts of a text: the place of a value, its span, and the value that is made of them when it is asked for.

In: a `Text` that grows, spans of it, the `Shape` of each place. Out: `Part`: pointer, text, plain and typed value.

Limits: texts are valid JSON; nothing here checks them. Turned down: values made as soon as they end (a container's text would be read
once for every level of nesting, and most are never looked at).
"""

from __future__ import annotations

import contextlib
import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from structgen.errors import LimitExceeded
from structgen.generation.shapes import Container, Shape

_UNREAD = object()


class Text:
    """A text that grows, and its spans."""

    __slots__ = ("_pieces", "_starts", "length")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self.length = 0

    def append(self, piece: str) -> None:
        self._pieces.append(piece)
        self._starts.append(self.length)
        self.length += len(piece)

    def span(self, start: int, end: int) -> str:
        """Characters start to end (exclusive, above start), in time of their number."""
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, end - 1) - 1
        if first == last:
            base = self._starts[first]
            return self._pieces[first][start - base : end - base]
        head = self._pieces[first][start - self._starts[first] :]
        tail = self._pieces[last][: end - self._starts[last]]
        return "".join((head, *self._pieces[first + 1 : last], tail))

    def whole(self) -> str:
        return "".join(self._pieces)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Place:
    """Where a value stands: in which place, under which name or index. parent is None for the whole value."""

    parent: Place | None
    key: str | int
    depth: int
    shape: Shape | None

    @property
    def keys(self) -> tuple[str | int, ...]:
        """Names and indices from the outside in."""
        found: list[str | int] = []
        place = self
        while place.parent is not None:
            found.append(place.key)
            place = place.parent
        return tuple(reversed(found))

    @property
    def pointer(self) -> str:
        """JSON Pointer (RFC 6901); "" is the whole value."""
        return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in self.keys)

    def __repr__(self) -> str:
        return f"Place({self.pointer!r})"


class Part:
    """A finished value inside a text: its place, and its span in the text. siblings: what was finished before it in the same object."""

    __slots__ = ("_end", "_siblings", "_source", "_start", "_value", "place")

    def __init__(self, place: Place, source: Text, start: int, end: int, siblings: Siblings | None = None) -> None:
        self.place, self._source, self._start, self._end, self._siblings = place, source, start, end, siblings
        self._value: Any = _UNREAD

    @property
    def is_container(self) -> bool:
        return self._source.span(self._start, self._start + 1) in ("{", "[")

    @property
    def text(self) -> str:
        return self._source.span(self._start, self._end)

    @property
    def value(self) -> Any:
        if self._value is _UNREAD:
            shape = self.place.shape
            if shape is None:
                self._value = read_plain(self.text)
            else:
                earlier = None if self._siblings is None else self._siblings.values_before(self.place.key)
                self._value = shape.validate(self.text, earlier)
        return self._value

    @property
    def plain(self) -> Any:
        return read_plain(self.text)


class Siblings:
    """The members of an object that were finished before one of them: the first n of a list that grows."""

    __slots__ = ("_container", "_n", "_parts")

    def __init__(self, container: Container, parts: list[Part]) -> None:
        self._container, self._parts, self._n = container, parts, len(parts)

    def values_before(self, key: str | int) -> dict[str, Any]:
        """The fields that a validator of this one sees. As in pydantic, those that their own validators refuse are not among them."""
        from pydantic import ValidationError

        parts = {part.place.key: part for part in self._parts[: self._n]}
        found: dict[str, Any] = {}
        for name, field_name in self._container.earlier(key):
            if name in parts:
                with contextlib.suppress(ValidationError):  # raised to whoever reads that field
                    found[field_name] = parts[name].value
        return found


def read_plain(text: str) -> Any:
    """The value of a valid JSON text of any depth. Raises LimitExceeded for integers that are longer than Python reads."""
    try:
        try:
            return json.loads(text)
        except RecursionError:
            return _read_deep(text)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise LimitExceeded(
            "the digits of an integer", "what Python reads", "", "see sys.set_int_max_str_digits"
        ) from error


_LEXEMES = re.compile(r'[{}\[\]]|"(?:[^"\\]|\\.)*"|[^\s,:{}\[\]"]+')


def _read_deep(text: str) -> Any:
    """json.loads of a valid text, without recursion."""
    top: list[Any] = []
    open_containers: list[Any] = [top]
    names: list[str | None] = [None]  # of the member that comes next, one for each open container
    for match in _LEXEMES.finditer(text):
        lexeme = match.group()
        container = open_containers[-1]
        if lexeme in "}]":
            open_containers.pop()
            names.pop()
            continue
        value: Any = {} if lexeme == "{" else [] if lexeme == "[" else json.loads(lexeme)
        if isinstance(container, list):
            container.append(value)
        elif names[-1] is None:
            names[-1] = value
            continue
        else:
            container[names[-1]] = value
            names[-1] = None
        if lexeme in "{[":
            open_containers.append(value)
            names.append(None)
    return top[0]


__all__ = ["Part", "Place", "Siblings", "Text", "read_plain"]
