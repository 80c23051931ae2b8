"""Intersections of constraints that are not regular: their machines run side by side, a token must please all of them.

The mask is what all masks have in common, without the tokens after which no text could please all: whether one could is decided by a
search for a common completion, byte by byte, guided by the sides' own shortest completions. What was found is kept by state. Where the
search would look at more states than `Limits.max_search` allows, LimitExceeded is raised: whether two context-free languages have a common
word cannot be decided.

`shortest_completion` gives the fewest tokens of a short common text, an upper bound of the fewest tokens.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from structgen.errors import LimitExceeded, Limits, MatcherError, UnsatisfiableError
from structgen.kernels import layout
from structgen.machine.explain import forced_text, keep_unspanned
from structgen.machine.matcher import Matcher, as_index, check_bitmask
from structgen.vocabulary import Vocabulary

_KEPT_MASKS = 256
_KEPT_STATES = 200_000
_STATE = 4  # of a search: a new state of all machines, in units of `Limits.max_search`
Key = tuple[tuple[int, int, int], ...]


class Side(Protocol):
    """What is needed of the grammar of one side."""

    def matcher(self) -> Matcher: ...


class SideBySide:
    """What matchers of one intersection share: completions and masks by state."""

    def __init__(self, vocabulary: Vocabulary, sides: Sequence[Side], limits: Limits) -> None:
        self.vocabulary, self.sides, self.limits = vocabulary, tuple(sides), limits
        self.stop_token_ids = frozenset(vocabulary.stop_token_ids)
        self.numbers: dict[Key, int] = {}
        self.completions: dict[Key, bytes | None] = {}
        self.masks: dict[Key, np.ndarray] = {}

    def begin(self) -> tuple[Matcher, ...]:
        """The sides at the start of a text. Raises UnsatisfiableError if no text pleases all, LimitExceeded if that is not known."""
        sides = tuple(side.matcher() for side in self.sides)
        if self.completion(sides) is None:
            raise UnsatisfiableError("no text obeys all sides of an intersection")
        return sides

    def completion(self, sides: tuple[Matcher, ...]) -> bytes | None:
        """A short text that completes all sides, None if there is none."""
        key = _key(sides)
        if key not in self.completions:
            if len(self.completions) > _KEPT_STATES:
                self.completions.clear()
            self._search(sides, key)
        return self.completions[key]

    def _search(self, sides: tuple[Matcher, ...], start: Key) -> None:
        """Best first, by the length so far and what all sides need at least: together, since what serves one rarely serves the others."""
        budget = self.limits.max_search
        order = itertools.count()
        heap: list[tuple[int, int, Key, tuple[Matcher, ...]]] = [(0, 0, start, sides)]
        length: dict[Key, int] = {start: 0}
        origin: dict[Key, tuple[Key, bytes]] = {}
        while heap:
            _, _, key, at = heapq.heappop(heap)
            known = self.completions.get(key)
            if known is None and key in self.completions:
                continue
            known = _common(at) if known is None else known
            if known is not None:
                self.completions[key] = known
                while key != start:
                    key, byte = origin[key]
                    known = byte + known
                    self.completions[key] = known
                return
            for value in np.flatnonzero(np.bitwise_and.reduce([side.next_bytes() for side in at])):
                byte = bytes((int(value),))
                after = tuple(side.fork() for side in at)
                if not all(side.accept_bytes(byte) for side in after):
                    continue
                following = _key(after)
                if following in length:
                    continue
                budget -= _STATE
                if budget < 0:
                    raise LimitExceeded(
                        self.limits.max_search + 1, self.limits.max_search, "max_search", "whether any text obeys all sides of an"
                        " intersection is not decided within it",
                    )  # fmt: skip
                length[following], origin[following] = length[key] + 1, (key, byte)
                ahead = sum(len(side.shortest_text()) for side in after)
                heapq.heappush(heap, (length[following] + ahead, next(order), following, after))
        for key in length:
            self.completions[key] = None  # all that leads anywhere from here was looked at

    def mask(self, sides: tuple[Matcher, ...]) -> np.ndarray:
        """The allowed tokens, int32 [words]."""
        key = _key(sides)
        found = self.masks.get(key)
        if found is None:
            rows = np.zeros((len(sides), (self.vocabulary.size + 31) // 32), np.int32)
            for i, side in enumerate(sides):
                side.fill_next_token_bitmask(rows, i)
            found = np.bitwise_and.reduce(rows)
            allowed = np.flatnonzero(np.unpackbits(found.view(np.uint8), bitorder="little"))
            tokens = allowed[~np.isin(allowed, list(self.stop_token_ids))]
            places, inverse = np.unique(
                np.stack([side.after_tokens(tokens) for side in sides]), axis=1, return_inverse=True
            )
            is_dead = np.zeros(places.shape[1], np.bool_)
            for i, pair in enumerate(places.T.tolist()):
                after = tuple(side.at(place) for side, place in zip(sides, pair, strict=True))
                is_dead[i] = self.completion(after) is None
            dead = tokens[is_dead[inverse.reshape(-1)]]
            np.bitwise_and.at(found.view(np.uint32), dead >> 5, ~(np.uint32(1) << (dead & 31).astype(np.uint32)))
            if len(self.masks) >= _KEPT_MASKS:
                self.masks.pop(next(iter(self.masks)))
            self.masks[key] = found
        return found


def _key(sides: Sequence[Matcher]) -> Key:
    """The sides' states; a grammar in use for long begins new programs, whose states have other meanings."""
    return tuple((side.program.context.item(layout.P_SERIAL), *side.state_id) for side in sides)


def _common(sides: Sequence[Matcher]) -> bytes | None:
    """A shortest completion of one side that completes all of them, if there is one."""
    for text in sorted((side.shortest_text() for side in sides), key=len, reverse=True):
        if all(_completes(side, text) for side in sides):
            return text
    return None


def _completes(side: Matcher, text: bytes) -> bool:
    probe = side.fork()
    return probe.accept_bytes(text) and probe.is_accepting()


def _take(data: bytes, side: Matcher) -> bool:
    return side.accept_bytes(data)


class SideBySideMatcher:
    """A matcher of an intersection, with the engine API of `Matcher`."""

    __slots__ = ("_ended", "_history", "_shared", "_sides")

    def __init__(self, shared: SideBySide) -> None:
        self._shared = shared
        self._sides = shared.begin()
        self._history: Any = None  # (history, sides, token or text), a persistent list
        self._ended = False

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None:
        """As `Matcher.fill_next_token_bitmask`."""
        array = check_bitmask(bitmask, self._words)
        index = as_index(index, "a row")
        if not 0 <= index < array.shape[0]:
            raise MatcherError(f"row {index} is out of range for a bitmask of {array.shape[0]} rows")
        array[index] = 0
        if not self._ended:
            array[index] = self._shared.mask(self._sides)

    def _moved(self, move: Callable[[Matcher], bool]) -> tuple[Matcher, ...] | None:
        after = tuple(side.fork() for side in self._sides)
        if all(move(side) for side in after) and self._shared.completion(after) is not None:
            return after
        return None

    def accept_token(self, token_id: int) -> bool:
        """As `Matcher.accept_token`."""
        token_id = self._checked(token_id)
        if self._ended:
            return False
        if token_id in self._shared.stop_token_ids:
            if not self.is_accepting():
                return False
            self._history = (self._history, self._sides, token_id)
            self._ended = True
            return True
        after = self._moved(lambda side: side.accept_token(token_id))
        if after is None:
            return False
        self._history, self._sides = (self._history, self._sides, token_id), after
        return True

    def accept_bytes(self, data: bytes) -> bool:
        """As `Matcher.accept_bytes`."""
        if self._ended:
            return False
        after = self._moved(lambda side: side.accept_bytes(data))
        if after is None:
            return False
        if data:
            self._history, self._sides = (self._history, self._sides, bytes(data)), after
        return True

    def is_token_allowed(self, token_id: int) -> bool:
        """As `Matcher.is_token_allowed`."""
        token_id = self._checked(token_id)
        if self._ended:
            return False
        if token_id in self._shared.stop_token_ids:
            return self.is_accepting()
        return self._moved(lambda side: side.accept_token(token_id)) is not None

    def count_accepted(self, token_ids: Sequence[int]) -> int:
        """As `Matcher.count_accepted`."""
        probe = self.fork()
        for n, token in enumerate(token_ids):
            token = as_index(token, "a token id")
            if not 0 <= token < self._shared.vocabulary.size or not probe.accept_token(token):
                return n
        return len(token_ids)

    def _checked(self, token_id: Any) -> int:
        found: int = as_index(token_id, "a token id")
        if not 0 <= found < self._shared.vocabulary.size:
            raise MatcherError(
                f"token id {found} is out of range: the vocabulary has {self._shared.vocabulary.size} tokens"
            )
        return found

    def is_accepting(self) -> bool:
        """Whether the text so far pleases all sides."""
        return all(side.is_accepting() for side in self._sides)

    def is_terminated(self) -> bool:
        """Whether nothing can follow."""
        if self._ended:
            return True
        return self.is_accepting() and not self.next_bytes().any()

    def completion_bound(self) -> int:
        """An upper bound on the tokens of a completion."""
        return len(self.shortest_completion())

    def shortest_completion(self) -> list[int]:
        """The fewest tokens of a short text that completes all sides."""
        if self._ended or self.is_accepting():
            return []
        return list(self._sides[0].lexicon.fewest_for(self._completion()))

    def shortest_text(self) -> bytes:
        """A short text that completes all sides."""
        return b"" if self._ended or self.is_accepting() else self._completion()

    def _completion(self) -> bytes:
        text = self._shared.completion(self._sides)
        if text is None:
            raise AssertionError("a state without a completion was entered")
        return text

    def next_bytes(self) -> np.ndarray:
        """uint8 [256]: 1 for every byte that may come next."""
        out = np.zeros(256, np.uint8)
        if not self._ended:
            possible = np.bitwise_and.reduce([side.next_bytes() for side in self._sides])
            for value in np.flatnonzero(possible):
                byte = bytes((int(value),))
                out[value] = self._moved(functools.partial(_take, byte)) is not None
        return out

    def forced_tokens(self) -> list[int]:
        """As `Matcher.forced_tokens`, tokenised without what stands before."""
        text = forced_text(self)
        vocabulary = self._shared.vocabulary
        return keep_unspanned(self, text, vocabulary.encode(text), vocabulary.spellings) if text else []

    def explain(self, token_id: int) -> str:
        """The words of the first side that refuses the token."""
        token_id = self._checked(token_id)
        for side in self._sides:
            if not side.is_token_allowed(token_id):
                return side.explain(token_id)
        if self.is_token_allowed(token_id):
            return self._sides[0].explain(token_id)
        return f"token {token_id} is refused: each side of the intersection allows it, but no text after it would please all of them"

    def rollback(self, n: int) -> None:
        """Undo the last n accepted tokens. Raises MatcherError beyond the start."""
        n = as_index(n, "the number of tokens to roll back")
        if n < 0:
            raise MatcherError(f"cannot roll back {n} tokens")
        history, sides = self._history, self._sides
        for done in range(n):
            if history is None:
                raise MatcherError(f"cannot roll back {n} tokens: only {done} were accepted")
            history, sides, _ = history
        self._history, self._sides = history, sides
        self._ended = self._ended and n == 0

    def fork(self) -> SideBySideMatcher:
        """An independent matcher at the same place."""
        other = object.__new__(SideBySideMatcher)
        for name in SideBySideMatcher.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def reset(self) -> None:
        """To the start of a text, with no history."""
        self._sides, self._history, self._ended = self._shared.begin(), None, False

    @property
    def _words(self) -> int:
        """Words of a mask."""
        return (self._shared.vocabulary.size + 31) // 32

    @property
    def lexicon(self) -> Any:
        """The lexemes of the first side."""
        return self._sides[0].lexicon

    @property
    def program(self) -> Any:
        """The program of the first side."""
        return self._sides[0].program

    @property
    def stop_token_ids(self) -> frozenset[int]:
        """The end tokens."""
        return self._shared.stop_token_ids

    @property
    def state_id(self) -> tuple[int, int]:
        """Where the matcher stands; equal ids have equal futures."""
        numbers = self._shared.numbers
        return numbers.setdefault(_key(self._sides), len(numbers)), 0

    @property
    def token_ids(self) -> list[int]:
        """The accepted tokens; text accepted by `accept_bytes` counts as one -1."""
        return [-1 if isinstance(step, bytes) else step for step in self._steps()]

    @property
    def text(self) -> bytes:
        """The accepted text."""
        token_bytes = self._shared.vocabulary.token_bytes
        return b"".join(step if isinstance(step, bytes) else token_bytes[step] or b"" for step in self._steps())

    def _steps(self) -> list[int | bytes]:
        out = []
        history = self._history
        while history is not None:
            history, _, step = history
            out.append(step)
        return out[::-1]
