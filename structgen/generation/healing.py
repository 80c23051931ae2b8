"""Healing of the prompt's last token: it is taken back, and the text begins with its bytes.

A prompt that ends in the middle of what its tokenizer would write as one token (`... "name":` before ` "`) puts the model where it never
was in training. So the last token of the prompt is not fed; the tokens that are generated spell its bytes first, as one token that goes on
into the text or as any other tokens. What comes after these bytes is the text, and that alone obeys the constraint.

In: a matcher and the prompt's tokens. Out: `Healed`, which the decode loop takes for the matcher, and the prompt without its last token.

A prompt that ends in a token without bytes (a special one, as most chat templates end) or has one token only is left as it is.

Limits: one token is taken back. Of tokens that end in the middle of these bytes only those are allowed after which other tokens can spell
the rest. The shortest completion is one that spells the bytes on their own, so a limit that only just admits an output may be refused.
Turned down: allowing only tokens that begin with all of the bytes (the model may know the text in other pieces, and where no such token
fits the constraint there would be none).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from structgen.errors import TokenizerError
from structgen.generation.loop import Engine
from structgen.vocabulary import Vocabulary


class Inner(Engine, Protocol):
    """A matcher that also takes text that is not cut into tokens."""

    def accept_bytes(self, data: bytes, /) -> bool:
        """As `accept_token`; `rollback(1)` takes it back."""


def head_of(prompt_ids: Sequence[int], vocabulary: Vocabulary) -> bytes:
    """The bytes of the last token, b"" if it is not to be taken back."""
    if len(prompt_ids) < 2 or not 0 <= prompt_ids[-1] < vocabulary.size:
        return b""
    return vocabulary.token_bytes[prompt_ids[-1]] or b""


class Healed:
    """A matcher of texts that begin with given bytes and go on as another matcher says, which must be at its start."""

    def __init__(self, inner: Inner, vocabulary: Vocabulary, last_token: int) -> None:
        """last_token: the one that was taken back."""
        self._inner, self._vocabulary = inner, vocabulary
        self._left = vocabulary.token_bytes[last_token] or b""  # of the bytes, still to come
        self._past: list[
            tuple[bytes, bool]
        ] = []  # for each token: what was left before it, whether the inner matcher moved
        self._spellings: dict[bytes, list[int] | None] = {b"": [], self._left: [last_token]}
        self._rows: dict[bytes, npt.NDArray[np.int32]] = {}

    @property
    def state_id(self) -> tuple[int, int]:
        """That of the inner matcher; below zero while bytes are left."""
        return (-len(self._left), 0) if self._left else self._inner.state_id

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None:
        """Write the allowed tokens into row `index`."""
        if not self._left:
            self._inner.fill_next_token_bitmask(bitmask, index)
            return
        row = self._rows.get(self._left)
        if row is None:
            row = self._rows[self._left] = self._row(bitmask.shape[1])
        bitmask[index] = row

    def _row(self, n_words: int) -> npt.NDArray[np.int32]:
        left = self._left
        allowed = np.zeros(n_words * 32, np.bool_)
        first = [self._try(bytes((byte,))) for byte in range(256)]  # most tokens are ruled out by one byte
        for token_id, data in enumerate(self._vocabulary.token_bytes):
            if not data or data[0] != left[0]:
                continue
            if data.startswith(left):
                rest = data[len(left) :]
                allowed[token_id] = not rest or (first[rest[0]] and (len(rest) == 1 or self._try(rest)))
            elif left.startswith(data):
                allowed[token_id] = self._spelled(left[len(data) :]) is not None
        return np.packbits(allowed, bitorder="little").view(np.int32)

    def _try(self, data: bytes) -> bool:
        if not self._inner.accept_bytes(data):
            return False
        self._inner.rollback(1)
        return True

    def _spelled(self, data: bytes) -> list[int] | None:
        """Tokens that spell bytes, None if none do."""
        if data not in self._spellings:
            try:
                self._spellings[data] = self._vocabulary.encode(data)
            except TokenizerError:
                self._spellings[data] = None
        return self._spellings[data]

    def accept_token(self, token_id: int) -> bool:
        """Advance by a token; False, and unchanged, if it is not allowed."""
        left = self._left
        if not left:
            if not self._inner.accept_token(token_id):
                return False
            self._past.append((left, True))
            return True
        data = self._vocabulary.token_bytes[token_id] or b""
        if data and left.startswith(data) and self._spelled(left[len(data) :]) is not None:
            self._past.append((left, False))
            self._left = left[len(data) :]
            return True
        if len(data) > len(left) and data.startswith(left) and self._inner.accept_bytes(data[len(left) :]):
            self._past.append((left, True))
            self._left = b""
            return True
        return False

    def rollback(self, n: int, /) -> None:
        """Take n tokens back. Raises ValueError for more than there are."""
        if not 0 <= n <= len(self._past):
            raise ValueError(f"cannot take back {n} of {len(self._past)} tokens")
        for _ in range(n):
            self._left, moved = self._past.pop()
            if moved:
                self._inner.rollback(1)

    def is_accepting(self) -> bool:
        """Whether the text may end here."""
        return not self._left and self._inner.is_accepting()

    def is_terminated(self) -> bool:
        """Whether nothing but an end token can follow."""
        return not self._left and self._inner.is_terminated()

    def completion_bound(self) -> int:
        """Upper bound on the tokens of the shortest completion."""
        return len(self._spelled(self._left) or ()) + self._inner.completion_bound()

    def shortest_completion(self) -> list[int]:
        """A completion of few tokens: what is left, then the inner matcher's shortest."""
        return [*(self._spelled(self._left) or ()), *self._inner.shortest_completion()]
