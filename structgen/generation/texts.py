"""A text as it comes: tokens to characters, cut at the first stop string.

In: the bytes of one token after the other. Out: `TextWriter.pieces`, text that is final. `StopText` holds back what may become a stop
string.

Turned down: stop strings as a constraint of the machine (they would have to be compiled for every request, and a text may end in the
middle of a token).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import Any

from structgen.generation.values import ParameterError


class StopText:
    """Cuts a text before the stop string that is complete first (of several that end at the same character, the longest).

    So the cut does not depend on how the text comes in pieces. The end of the text that may still become a stop string is held back: it
    is as long as the longest beginning of a stop string that the text ends with.
    """

    __slots__ = ("_held", "_stops", "found")

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found: str | None = None

    def add(self, piece: str, *, may_end: bool = True) -> str:
        """What is final now that a piece has come. may_end: False: stop strings that the piece completes are passed over."""
        text = self._held + piece
        if may_end:
            first: tuple[int, int, str] | None = None
            for stop in self._stops:
                at = text.find(stop, max(0, len(self._held) - len(stop) + 1))  # one that was passed over stays so
                if at >= 0 and (first is None or (at + len(stop), at) < first[:2]):
                    first = (at + len(stop), at, stop)
            if first is not None:
                self._held, self.found = "", first[2]
                return text[: first[1]]
        kept = max(map(self._begun, [text] * len(self._stops), self._stops))
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def finish(self) -> str:
        """What was held back when the text ended otherwise."""
        rest, self._held = self._held, ""
        return rest

    @staticmethod
    def _begun(text: str, stop: str) -> int:
        """Length of the longest end of the text with which a stop string begins, the whole string excluded."""
        for length in range(min(len(stop) - 1, len(text)), 0, -1):
            if text.endswith(stop[:length]):
                return length
        return 0


def check_stop(stop: Any, schema: Any) -> tuple[str, ...]:
    """The stop strings of a request. Raises ParameterError for what is none, and for any beside a schema."""
    if stop is None:
        return ()
    stops = (stop,) if isinstance(stop, str) else stop
    if not isinstance(stops, Sequence) or isinstance(stops, bytes | bytearray):
        raise ParameterError(f"stop must be a string or a sequence of strings, not {stop!r:.80}")
    for one in stops:
        if not isinstance(one, str) or not one:
            raise ParameterError(f"a stop string must be a string of at least one character, not {one!r:.80}")
    if stops and schema is not None:
        raise ParameterError(
            "stop strings are for free text (schema=None): a schema says itself where its text ends, and a text that is cut"
            " before that would not be valid"
        )
    return tuple(stops)


class TextWriter:
    """Bytes to text, piece by piece; the space that a SentencePiece tokenizer puts before a text is taken off."""

    __slots__ = ("_at_start", "_decoder", "_is_finished", "_on_text", "_stop", "pieces")

    def __init__(
        self,
        on_text: Callable[[str], object] | None,
        stop: StopText | None,
        *,
        strips_space: bool,
        may_break: bool,
    ) -> None:
        """strips_space: take one space off the front. may_break: the text may end in the middle of a character (free text does)."""
        # JSON never ends in the middle of a character, unless it is broken off: then the bytes of that character are no text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace" if may_break else "strict")
        self._at_start = strips_space
        self._on_text, self._stop = on_text, stop
        self._is_finished = False
        self.pieces: list[str] = []

    def add(self, data: bytes, *, may_end: bool) -> None:
        """The bytes of one token. may_end: whether a stop string that they complete ends the text."""
        piece = self._decoder.decode(data)
        if piece and self._stop is not None:
            piece = self._stop.add(piece, may_end=may_end)
        self._put(piece)

    def _put(self, piece: str) -> None:
        if self._at_start and piece:
            self._at_start = False
            piece = piece.removeprefix(" ")  # no JSON value starts with a space of its own
        if piece:
            self.pieces.append(piece)
            if self._on_text is not None:
                self._on_text(piece)

    def finish(self) -> str:
        """The whole text; what is held back, or of a character that has begun, is put out before the first time."""
        if not self._is_finished:
            self._is_finished = True
            rest = self._decoder.decode(b"", final=True) if self._decoder.errors == "replace" else ""
            if self._stop is None:
                self._put(rest)
            elif self._stop.found is None:
                self._put(self._stop.add(rest) + self._stop.finish())
        return "".join(self.pieces)
