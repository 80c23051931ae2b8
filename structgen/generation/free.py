"""Text without a constraint, behind the same door as a matcher: every token that has bytes may come, and the text may end anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from structgen.vocabulary import Vocabulary


class FreeText:
    """What the decode loop needs of a matcher (`loop.Engine`), where nothing is forbidden but tokens without bytes (special ones)."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        allowed = np.zeros((vocabulary.size + 31) // 32 * 32, np.bool_)
        for token_id, data in enumerate(vocabulary.token_bytes):
            allowed[token_id] = bool(data)
        for token_id in vocabulary.stop_token_ids:
            allowed[token_id] = True
        self._row = np.packbits(allowed, bitorder="little").view(np.int32)
        self._allowed = allowed
        self._n = 0

    @property
    def state_id(self) -> tuple[int, int]:
        """Every place is like every other."""
        return 0, 0

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None:
        """Write the allowed tokens into row `index`."""
        bitmask[index] = self._row

    def accept_token(self, token_id: int) -> bool:
        """Whether the token has bytes; it is then part of the text."""
        if not 0 <= token_id < len(self._allowed) or not self._allowed[token_id]:
            return False
        self._n += 1
        return True

    def accept_bytes(self, data: bytes, /) -> bool:
        """Any bytes may come."""
        del data
        self._n += 1
        return True

    def rollback(self, n: int, /) -> None:
        """Take n tokens back. Raises ValueError for more than there are."""
        if not 0 <= n <= self._n:
            raise ValueError(f"cannot take back {n} of {self._n} tokens")
        self._n -= n

    def is_accepting(self) -> bool:
        """A text may end anywhere."""
        return True

    def is_terminated(self) -> bool:
        """A text may go on anywhere."""
        return False

    def completion_bound(self) -> int:
        """No token is needed to complete a text."""
        return 0

    def shortest_completion(self) -> list[int]:
        """No token is needed to complete a text."""
        return []
