"""A matcher: where one request stands in a program.

It is a state number, the number of the text being captured (while an object's key is read) and a linked history, so a fork is O(1) and
shares everything with its origin. All methods leave the matcher unchanged when they raise.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from structgen.errors import MatcherError, StructgenError
from structgen.kernels import machine
from structgen.kernels.memory import address_of
from structgen.machine.explain import Describer, explain, forced_text, keep_unspanned

if TYPE_CHECKING:
    from structgen.machine.distance import Completions
    from structgen.machine.lexicon import Lexicon
    from structgen.machine.program import Program
    from structgen.vocabulary import Vocabulary

_STATE = (1 << 32) - 1
_SLICE = 1024  # bytes of a text that are read in one call
_LOOK_BACK = 4  # tokens before a forced text that decide how it is cut
_fill, _advance = machine.fill, machine.advance


@dataclass(frozen=True, slots=True)
class Machine:
    """A program and what explains and completes its texts."""

    program: Program
    describer: Describer
    completions: Completions


class Grammar(Protocol):
    """What a matcher needs of a compiled grammar."""

    vocabulary: Vocabulary
    stop_token_ids: frozenset[int]

    def machine(self) -> Machine:
        """The machine for a text that starts now."""


class Matcher:
    """The engine API of one request; made by `CompiledGrammar.matcher()`."""

    __slots__ = (
        "_at",
        "_context",
        "_grammar",
        "_lexicon",
        "_lock",
        "_machine",
        "_n_tokens",
        "_program",
        "_row",
        "_rows",
        "_seen",
        "_words",
    )

    # (state, captured text, previous, token or bytes, terminated): a persistent list
    _at: tuple[int, int, Any, int | bytes, bool]

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._n_tokens = grammar.vocabulary.size
        self._words = (self._n_tokens + 31) // 32
        self._seen: object = None  # the array that was checked last, its rows and its address
        self._rows = self._row = 0
        self.reset()

    # -- masks --------------------------------------------------------------------------------------------------------------------

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None:
        """Write the allowed tokens into row `index`.

        bitmask: int32 [batch, ceil(vocabulary.size / 32)], C-contiguous numpy array or torch CPU tensor; token t is bit t % 32 of word
        t // 32; the row is overwritten. Raises MatcherError for a wrong shape, dtype or index; LimitExceeded, or what compiling a
        subschema raises: the row is then zero.
        """
        if bitmask is not self._seen:
            array = check_bitmask(bitmask, self._words)
            # a tensor may get other memory in place, an array may not while it is referred to
            self._row, self._rows, self._seen = address_of(array), array.shape[0], array
        if type(index) is not int:
            index = as_index(index, "a row")
        if not 0 <= index < self._rows:
            raise MatcherError(f"row {index} is out of range for a bitmask of {self._rows} rows")
        at = self._at
        if at[4]:
            check_bitmask(bitmask, self._words)[index] = 0
            return
        row = self._row + 4 * self._words * index
        with self._lock:
            if _fill(self._context, at[0], at[1], row) == 0:
                return
        try:
            self._program.call(_fill, at[0], at[1], row)
        except StructgenError:
            check_bitmask(bitmask, self._words)[index] = 0
            raise

    # -- tokens -------------------------------------------------------------------------------------------------------------------

    def accept_token(self, token_id: int) -> bool:
        """Advance by a token; False, and unchanged, if it is not allowed. An end token is allowed where the value may end.

        Raises MatcherError for an id outside the vocabulary.
        """
        if type(token_id) is not int:
            token_id = as_index(token_id, "a token id")
        if not 0 <= token_id < self._n_tokens:
            raise MatcherError(f"token id {token_id} is out of range: the vocabulary has {self._n_tokens} tokens")
        at = self._at
        if at[4]:
            return False
        with self._lock:
            packed = _advance(self._context, at[0], at[1], token_id)
        if packed == -1:
            packed = self._program.call(_advance, at[0], at[1], token_id)
        if packed > 0:
            self._at = (packed & _STATE, packed >> 32, at, token_id, False)
            return True
        if token_id in self._grammar.stop_token_ids and self.is_accepting():
            self._at = (at[0], at[1], at, token_id, True)
            return True
        return False

    def is_token_allowed(self, token_id: int) -> bool:
        """Whether `accept_token` would take the token; builds no mask. Raises MatcherError for an id outside the vocabulary."""
        if type(token_id) is not int:
            token_id = as_index(token_id, "a token id")
        if not 0 <= token_id < self._n_tokens:
            raise MatcherError(f"token id {token_id} is out of range: the vocabulary has {self._n_tokens} tokens")
        at = self._at
        if at[4]:
            return False
        if self._program.call(machine.token_allowed, at[0], at[1], token_id):
            return True
        return token_id in self._grammar.stop_token_ids and self.is_accepting()

    def count_accepted(self, token_ids: Sequence[int]) -> int:
        """Length of the longest prefix of a draft that is allowed, end tokens included; the matcher does not move.

        An id outside the vocabulary ends the prefix (a drafter may have another vocabulary). Raises MatcherError for what is no integer.
        """
        try:
            ids = list(token_ids)
            array = np.array(ids)
        except (OverflowError, ValueError, TypeError) as error:
            raise MatcherError(f"a draft must be a sequence of token ids: {error}") from error
        if not ids:
            return 0
        if array.dtype.kind not in "iu" or array.ndim != 1:
            raise MatcherError("a draft must be a sequence of token ids, integers of at most 64 bits")
        if self._at[4]:
            return 0
        known = (array >= 0) & (array < self._n_tokens)
        array = np.where(known, array.astype(np.int32), np.int32(-1))
        at = self._at
        n = self._program.call(machine.count_accepted, at[0], at[1], array)
        if n < len(ids) and ids[n] in self._grammar.stop_token_ids:
            fork = self.fork()
            for token in ids[:n]:
                fork.accept_token(token)
            if fork.is_accepting():
                n += 1
        return n

    def accept_bytes(self, data: bytes) -> bool:
        """Advance by text that is not cut into tokens; False, and unchanged, if it is not allowed.

        Raises MatcherError for what is not bytes.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise MatcherError(f"text must be bytes, not {type(data).__name__}")
        at = self._at
        if at[4]:
            return False
        if not data:
            return True
        packed = at[1] << 32 | at[0]
        whole = np.frombuffer(data, np.uint8)
        for start in range(0, len(data), _SLICE):  # a call that needs something is made again from its beginning
            part = whole[start : start + _SLICE]
            packed = self._program.call(machine.advance_bytes, packed & _STATE, packed >> 32, part)
            if packed <= 0:
                return False
        self._at = (packed & _STATE, packed >> 32, at, bytes(data), False)
        return True

    # -- ends ---------------------------------------------------------------------------------------------------------------------

    def is_accepting(self) -> bool:
        """Whether the text so far is a whole value."""
        at = self._at
        return bool(self._program.call(machine.can_end, at[0], at[1]))

    def is_terminated(self) -> bool:
        """Whether nothing can follow: an end token was accepted, or the value is whole and no byte may come."""
        at = self._at
        if at[4]:
            return True
        return bool(self._program.arena.table("states", "len")[at[0]] == 0)

    # -- completions --------------------------------------------------------------------------------------------------------------

    def completion_bound(self) -> int:
        """An upper bound on the tokens of the shortest completion, cheaper than that; 0 when the value may end here."""
        at = self._at
        if at[4]:
            return 0
        with self._lock:
            return len(self._machine.completions.plan(at[0], at[1]))

    def shortest_completion(self) -> list[int]:
        """The fewest tokens that complete the value from here, without an end token; [] when it may end here.

        Exact when the search finishes within `Limits.max_search` tokens looked at (it always does on small vocabularies); beyond that
        the fewest tokens of a shortest text, an upper bound.
        """
        at = self._at
        if at[4]:
            return []
        with self._lock:
            return list(self._machine.completions.fewest_tokens(at[0], at[1]))

    def shortest_text(self) -> bytes:
        """A shortest text that completes the value from here; b"" when it may end here."""
        at = self._at
        if at[4]:
            return b""
        with self._lock:
            return self._machine.completions.styles[0].text(at[0], at[1])

    # -- what must come, and why not ----------------------------------------------------------------------------------------------

    def forced_tokens(self) -> list[int]:
        """The canonical tokens of the text that must come next, without those that a longer token could span; [] if nothing is forced.

        Forced text is tokenised as the tokenizer would after the last accepted tokens. The matcher does not move.
        """
        text = forced_text(self)
        if not text:
            return []
        vocabulary = self._grammar.vocabulary
        before: list[int] = []
        for token in reversed(self.token_ids[-_LOOK_BACK:]):
            if token < 0 or not vocabulary.token_bytes[token]:
                break  # also at a special token, which splits the text
            before.insert(0, token)
        context = vocabulary.decode(before)
        tokens = vocabulary.encode(context + text)
        tokens = tokens[len(before) :] if tokens[: len(before)] == before else vocabulary.encode(text)
        return keep_unspanned(self, text, tokens, vocabulary.spellings)

    def explain(self, token_id: int) -> str:
        """Why a token is refused: the rule, its place in the schema, the bytes so far; or that it is allowed.

        Raises MatcherError for an id outside the vocabulary.
        """
        if type(token_id) is not int:
            token_id = as_index(token_id, "a token id")
        if not 0 <= token_id < self._n_tokens:
            raise MatcherError(f"token id {token_id} is out of range: the vocabulary has {self._n_tokens} tokens")
        vocabulary = self._grammar.vocabulary
        return explain(self, self._machine.describer, token_id, vocabulary.spellings[token_id], self.text)

    @property
    def program(self) -> Program:
        """The state machine behind the grammar."""
        return self._program

    @property
    def lexicon(self) -> Lexicon:
        """The lexemes of the vocabulary."""
        return self._lexicon

    @property
    def stop_token_ids(self) -> frozenset[int]:
        """The end tokens."""
        return self._grammar.stop_token_ids

    # -- history ------------------------------------------------------------------------------------------------------------------

    def rollback(self, n: int) -> None:
        """Undo the last n accepted tokens. Raises MatcherError beyond the start."""
        if type(n) is not int:
            n = as_index(n, "the number of tokens to roll back")
        if n < 0:
            raise MatcherError(f"cannot roll back {n} tokens")
        at = self._at
        for done in range(n):
            if at[2] is None:
                raise MatcherError(f"cannot roll back {n} tokens: only {done} were accepted")
            at = at[2]
        self._at = at

    def fork(self) -> Matcher:
        """An independent matcher at the same place, in O(1)."""
        other = object.__new__(Matcher)
        for name in Matcher.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def reset(self) -> None:
        """To the start of a text, with no history."""
        self._machine = self._grammar.machine()
        self._program = program = self._machine.program
        self._lexicon, self._context, self._lock = program.lexicon, program.address, program.lock
        self._at = (program.start_state, 0, None, -1, False)

    @property
    def state_id(self) -> tuple[int, int]:
        """Where the matcher stands: it and its forks allow the same texts from here on where their ids are equal, until a `reset`."""
        return self._at[0], self._at[1]

    def after_tokens(self, tokens: np.ndarray) -> np.ndarray:
        """Where each of some tokens (int64 [n], no end tokens) leads: a number for `at`, 0 where it is refused."""
        if self._at[4]:
            return np.zeros(len(tokens), np.int64)
        return self._program.advance_all(self._at[0], self._at[1], tokens)

    def at(self, place: int) -> Matcher:
        """A matcher at a place that `after_tokens` gave, without a history."""
        other = self.fork()
        other._at = (place & _STATE, place >> 32, None, -1, False)
        return other

    def _history(self) -> list[int | bytes]:
        steps = []
        at = self._at
        while at[2] is not None:
            steps.append(at[3])
            at = at[2]
        return steps[::-1]

    @property
    def token_ids(self) -> list[int]:
        """The accepted tokens; text accepted by `accept_bytes` counts as one -1."""
        return [-1 if isinstance(step, bytes) else step for step in self._history()]

    @property
    def text(self) -> bytes:
        """The accepted text."""
        token_bytes = self._grammar.vocabulary.token_bytes
        return b"".join(step if isinstance(step, bytes) else token_bytes[step] or b"" for step in self._history())

    def next_bytes(self) -> np.ndarray:
        """uint8 [256]: 1 for every byte that may come next."""
        out = np.zeros(256, np.uint8)
        if not self._at[4]:
            self._program.call(machine.next_bytes, self._at[0], self._at[1], out)
        return out


def as_index(value: Any, what: str) -> int:
    """The plain int of an integer of any type (numpy's, torch's): kernels are compiled for each type that they are given.

    Raises MatcherError for what is no integer, booleans included.
    """
    try:
        if isinstance(value, bool):
            raise TypeError("a boolean")
        return operator.index(value)
    except TypeError as error:
        raise MatcherError(f"{what} must be an integer, not {value!r}") from error


def check_bitmask(bitmask: Any, words: int) -> np.ndarray:
    """The bitmask as a numpy array that shares its memory. Raises MatcherError for a wrong type, dtype, shape or layout."""
    array: Any = bitmask
    if type(array) is not np.ndarray:
        if not hasattr(bitmask, "numpy"):
            raise MatcherError(f"a bitmask must be a numpy array or a torch CPU tensor, not {type(bitmask).__name__}")
        device = getattr(getattr(bitmask, "device", None), "type", "cpu")
        if device != "cpu":
            raise MatcherError(f"a bitmask must be on the CPU, not on {device}")
        try:
            array = bitmask.numpy()
        except (RuntimeError, TypeError) as error:
            raise MatcherError(f"the bitmask has no numpy view: {error}") from error
    if type(array) is not np.ndarray:
        raise MatcherError(f"a bitmask must be a numpy array or a torch CPU tensor, not {type(bitmask).__name__}")
    if array.dtype != np.int32:
        raise MatcherError(f"a bitmask must be of dtype int32, not {array.dtype}")
    if array.ndim != 2 or array.shape[1] != words:
        raise MatcherError(
            f"a bitmask must have shape [batch, {words}], not {list(array.shape)}; see allocate_token_bitmask"
        )
    if not array.flags.c_contiguous or not array.flags.writeable:
        raise MatcherError("a bitmask must be C-contiguous and writeable")
    return array
