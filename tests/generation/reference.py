"""A plain-Python engine over a hand-written byte automaton: the oracle that the decode loop is tested against.

Everything is by brute force: a token is allowed if its bytes walk the automaton and some sequence of tokens completes from there; shortest
completions are found breadth first over tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from structgen.generation.loop import Decoded, Decoding, decoded


class ReferenceGrammar:
    """transitions: {state: {byte: state}}; accepting: states; tokens: bytes or None by id; stops: ids of end tokens.

    slack is added to every completion bound above 0, as an engine with a cheaper bound would.
    """

    def __init__(
        self,
        transitions: dict[int, dict[int, int]],
        accepting: set[int],
        tokens: list[bytes | None],
        stops: tuple[int, ...],
        slack: int = 0,
    ) -> None:
        self.tokens, self.stops, self.slack = tokens, stops, slack
        self.accepting = accepting
        self._walk = {
            (state, token_id): end
            for state in transitions
            for token_id, data in enumerate(tokens)
            if data is not None and (end := self._end(transitions, state, data)) is not None
        }
        self.need = self._needs()

    @staticmethod
    def _end(transitions: dict[int, dict[int, int]], state: int, data: bytes) -> int | None:
        for byte in data:
            following = transitions.get(state, {}).get(byte)
            if following is None:
                return None
            state = following
        return state

    def _needs(self) -> dict[int, int]:
        need = dict.fromkeys(self.accepting, 0)
        queue = deque(self.accepting)
        while queue:
            state = queue.popleft()
            for (start, _), end in self._walk.items():
                if end == state and start not in need:
                    need[start] = need[state] + 1
                    queue.append(start)
        return need

    def allowed(self, state: int) -> dict[int, int]:
        """Token id → the state it leads to, for tokens from which a completion exists."""
        return {t: end for (start, t), end in self._walk.items() if start == state and end in self.need}

    def matcher(self) -> ReferenceMatcher:
        return ReferenceMatcher(self)


class ReferenceMatcher:
    def __init__(self, grammar: ReferenceGrammar) -> None:
        self.grammar = grammar
        self.history = [0]
        self.searches = 0

    @property
    def state(self) -> int:
        return self.history[-1]

    @property
    def state_id(self) -> tuple[int, int]:
        return self.state, 0

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None:
        row = bitmask[index]
        row[:] = 0
        ids = list(self.grammar.allowed(self.state)) + (list(self.grammar.stops) if self.is_accepting() else [])
        for token_id in ids:
            row.view(np.uint32)[token_id // 32] |= np.uint32(1 << (token_id % 32))

    def accept_token(self, token_id: int) -> bool:
        end = self.grammar.allowed(self.state).get(token_id)
        if end is None:
            return False
        self.history.append(end)
        return True

    def rollback(self, n_tokens: int) -> None:
        assert n_tokens < len(self.history)
        del self.history[len(self.history) - n_tokens :]

    def is_accepting(self) -> bool:
        return self.state in self.grammar.accepting

    def is_terminated(self) -> bool:
        return self.is_accepting() and not self.grammar.allowed(self.state)

    def completion_bound(self) -> int:
        need = self.grammar.need[self.state]
        return need + self.grammar.slack if need else 0

    def shortest_completion(self) -> list[int]:
        self.searches += 1
        out: list[int] = []
        state = self.state
        while self.grammar.need[state]:
            token_id, state = next(
                (t, end)
                for t, end in self.grammar.allowed(state).items()
                if self.grammar.need[end] == self.grammar.need[state] - 1
            )
            out.append(token_id)
        return out


# A JSON array of numbers of at most three digits, or a short string: [], [1], [12,3], "ab".
DIGITS, LETTERS = b"0123456789", b"abc"
TRANSITIONS: dict[int, dict[int, int]] = {
    0: {ord("["): 1, ord('"'): 6},
    1: {ord("]"): 5, **dict.fromkeys(DIGITS, 2)},
    2: {ord("]"): 5, ord(","): 4, **dict.fromkeys(DIGITS, 3)},
    3: {ord("]"): 5, ord(","): 4},
    4: dict.fromkeys(DIGITS, 2),
    5: {},
    6: {ord('"'): 5, **dict.fromkeys(LETTERS, 6)},
}
TOKENS: list[bytes | None] = [
    None, b"[", b"]", b",", b'"', b"1", b"2", b"37", b"a", b"b", b"cab", b"],", b"1]", b"[1", b",2", b'"a"', b'b"', None, b"a",
]  # fmt: skip
STOPS = (0, 17)


def array_grammar(slack: int = 0) -> ReferenceGrammar:
    return ReferenceGrammar(TRANSITIONS, {5}, TOKENS, STOPS, slack)


def list_grammar() -> ReferenceGrammar:
    """The arrays only: the shortest takes two tokens."""
    transitions = {**TRANSITIONS, 0: {ord("["): 1}}
    return ReferenceGrammar(transitions, {5}, TOKENS, STOPS)


def digits_grammar(slack: int = 0) -> ReferenceGrammar:
    """One digit or more, without end: every state after the first is accepting."""
    transitions = {0: dict.fromkeys(DIGITS, 1), 1: dict.fromkeys(DIGITS, 1)}
    return ReferenceGrammar(transitions, {1}, TOKENS, STOPS, slack)


def decode(
    forward: Any,
    prompt_ids: Sequence[int],
    matcher: Any,
    stop_token_ids: Sequence[int],
    vocabulary_size: int,
    *,
    limit: int,
    temperature: float = 0.0,
    seed: int = 0,
    on_token: Callable[[int], object] | None = None,
) -> Decoded:
    """One sequence to its end. forward: takes tokens, gives the logits after the last; all else as for `Decoding`."""
    decoding = Decoding(
        prompt_ids, matcher, stop_token_ids, vocabulary_size,
        limit=limit, temperature=temperature, seed=seed, on_token=on_token,
    )  # fmt: skip
    while not decoding.is_done:
        decoding.take(forward(decoding.pending))
    return decoded(decoding, 0.0, 0.0)
