"""The lexemes of one vocabulary: its byte trie, lexeme automata, their records, and a ring of finished masks.

Shared by every grammar that is compiled for the vocabulary. A `ByteDfa` becomes a block of table states; equal lexemes (by key) are
registered once. Record memory is bounded: past the limit all records are dropped and built again on demand.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from structgen.errors import LimitExceeded, Limits, TokenizerError
from structgen.kernels import alphabet, layout, machine, trie
from structgen.kernels.memory import address_of, is_cached
from structgen.lexemes.dfa import ByteDfa, load_kernels
from structgen.machine.arena import Arena
from structgen.startup import collector_paused
from structgen.vocabulary import SPECIAL

if TYPE_CHECKING:
    from structgen.vocabulary import Vocabulary

_FAR = 1 << 30
# Rows of finished masks kept for all programs: 256 rows of 128k bits are 4 MB.
_CACHE_ROWS = 256
# Lexeme tables (not records) above this size make the compiler start a new lexicon; programs keep theirs.
_TABLE_BYTES = 200_000_000
_LEXEME_BYTES = 2_000  # of Python objects and byte classes for each lexeme, about
_WORDS = 65_536  # states and automata whose shortest words are kept


class Lexicon:
    """Lexeme tables and records for one vocabulary.

    lock: held by every call that may write (kernels release the GIL in batch calls). Raises LimitExceeded from its arena.
    """

    def __init__(self, vocabulary: Vocabulary, limits: Limits) -> None:
        with collector_paused():  # the first one of a process loads the kernels
            self._start(vocabulary, limits)

    def _start(self, vocabulary: Vocabulary, limits: Limits) -> None:
        _compile_kernels()
        self.vocabulary, self.limits = vocabulary, limits
        self.lock = threading.RLock()
        self.arena = Arena(
            layout.LEXICON, max_bytes=limits.max_record_bytes * 2 + 600_000_000, limit_name="max_record_bytes"
        )
        self._starts: dict[Hashable, int] = {}
        self._counted: dict[Hashable, int] = {}
        self._bases: list[int] = [0]
        self._keys: list[Hashable] = [None]
        self._sizes: list[tuple[int, int, int, int]] = [(1, 0, 0, 0)]  # states, classes, first transition, first class
        self._steps: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self.derived: dict[Hashable, object] = {}  # what front-ends keep per vocabulary
        self._words: dict[int, dict[int, bytes]] = {}
        self._fillers: dict[int, list[tuple[int, bytes]]] = {}
        self._sorted: list[tuple[bytes, int]] | None = None
        self._fewest: dict[bytes, list[int]] = {}
        self.n_words = (vocabulary.size + 31) // 32
        self.scratch = np.zeros(self.n_words, np.int32)
        self._load_tokens(vocabulary.spellings)
        stops = np.array(vocabulary.stop_token_ids, np.int32)
        cache, owner = np.zeros((_CACHE_ROWS, self.n_words), np.int32), np.full(_CACHE_ROWS, -1, np.int64)
        cache.fill(0)  # touched now, not in the middle of a request
        self._levels = np.zeros(self.max_token_length + 2, np.int64)
        self._kept = [stops, cache, owner]
        c = self.context
        c[layout.L_WORDS] = self.n_words
        c[layout.L_STOPS], c[layout.L_N_STOPS] = address_of(stops), len(stops)
        c[layout.L_CACHE], c[layout.L_CACHE_OWNER], c[layout.L_N_CACHE] = (
            address_of(cache),
            address_of(owner),
            _CACHE_ROWS,
        )
        c[layout.L_N_IDS] = vocabulary.size
        c[layout.L_SCRATCH] = address_of(self.scratch)
        c[layout.L_LEVELS] = address_of(self._levels)
        c[layout.L_RECORD_LIMIT] = limits.max_record_bytes
        self.arena.take("states", 1)  # state 0 is dead
        for column in ("row", "class", "tag", "flags"):
            self.arena.table("states", column)[0] = 0
        self.arena.table("states", "tag")[0] = self.arena.table("states", "record")[0] = -1
        self.arena.take("transitions", 1)
        self.arena.table("transitions", "target")[0] = 0
        self.arena.take("classes", 2 * layout.FOLLOW)
        self.arena.table("classes", "class")[: 2 * layout.FOLLOW] = 0

    @property
    def context(self) -> np.ndarray:
        return self.arena.context

    @functools.cached_property
    def longest_beginning(self) -> int:
        """Most bytes of a further item that a token holds which goes beyond the comma before it."""
        tokens = (b for b in self.vocabulary.token_bytes if b and b"," in b)
        return max((len(b) - b.index(b",") - 1 for b in tokens if b.strip(b", \t\r\n")), default=0)

    @property
    def is_full(self) -> bool:
        """Whether a compiler should start a new lexicon: the tables of many different lexemes have piled up."""
        n_bytes = self.arena.count("transitions") * 4 + self.arena.count("classes") + len(self._bases) * _LEXEME_BYTES
        return n_bytes > _TABLE_BYTES

    def _load_tokens(self, token_bytes: list[bytes | None]) -> None:
        pieces = [b or b"" for b in token_bytes]
        data = np.frombuffer(b"".join(pieces) or b"\0", np.uint8)
        lengths = np.fromiter(map(len, pieces), np.int32, len(pieces))
        starts = np.zeros(len(pieces) + 1, np.int32)
        np.cumsum(lengths, out=starts[1:])
        ids = np.arange(len(pieces), dtype=np.int32)
        n_bytes = int(starts[-1])
        # room for records as well: one that finds too little of it is made again from its beginning
        for group, n in (("tries", 2 * n_bytes + 1), ("trie_tokens", 3 * len(pieces) + 1), ("suffixes", len(pieces))):
            self.arena.grow(self.arena.by_name[group]["index"], n)
        table = self.arena.table
        n_nodes, n_tokens = trie.build_vocabulary_trie(
            data, starts[:-1], lengths, ids,
            table("tries", "byte"), table("tries", "end"), table("tries", "depth"), table("tries", "tokens"), table("tries", "n"),
            table("trie_tokens", "token"),
        )  # fmt: skip
        self.arena.take("tries", n_nodes)
        self.arena.take("trie_tokens", n_tokens)
        self._n_nodes, self._n_tokens = n_nodes, n_tokens
        self.max_token_length = int(lengths.max(initial=0))
        self.token_data, self.token_starts = data, starts
        c = self.context
        c[layout.L_N_NODES], c[layout.L_MAX_LENGTH], c[layout.L_N_TOKENS] = n_nodes, self.max_token_length, n_tokens
        c[layout.L_TOKEN_START], c[layout.L_TOKEN_BYTES] = address_of(starts), address_of(data)
        kinds, chars, weights = np.empty(len(pieces), np.int64), np.empty(len(pieces), np.uint8), np.empty(64, np.int64)
        alphabet.describe_tokens(data, starts, kinds, chars, weights)
        n_pairs = (self.n_words + 1) // 2
        rows, scratch = np.empty((alphabet.N_ROWS, n_pairs), np.int64), np.zeros(n_pairs, np.int64)
        alphabet.token_rows(kinds, chars, rows)
        node_kinds, node_chars = np.empty(n_nodes, np.int64), np.empty(n_nodes, np.uint8)
        alphabet.describe_nodes(
            *(table("tries", column)[:n_nodes] for column in ("depth", "tokens", "n")),
            table("trie_tokens", "token"), kinds, chars, node_kinds, node_chars,
        )  # fmt: skip
        self._described = {
            layout.L_KIND_ROWS: rows,
            layout.L_KIND_SCRATCH: scratch,
            layout.L_KIND_WEIGHTS: weights,
            layout.L_NODE_KINDS: node_kinds,
            layout.L_NODE_CHARS: node_chars,
        }
        for slot, array in self._described.items():
            c[slot] = address_of(array)

    # -- lexemes ------------------------------------------------------------------------------------------------------------------

    def start_of(
        self, key: Hashable, build: Callable[[], ByteDfa], *, recorded: bool = True, followers: int | None = None
    ) -> int:
        """The start state of a lexeme; `build` makes its automaton when the key is new.

        recorded: keep records of its states (shared or permissive lexemes); otherwise masks walk the vocabulary with it, which is
        cheaper for literals. followers: the pairs of bytes that what comes after the lexeme may begin with, bit 256 a + b for bytes a and b
        (all b where one byte may be all of it; None: any), which must be part of the key: all other exits are left out.
        """
        start = self._starts.get(key)
        if start is None:
            with self.lock:
                start = self._starts.get(key)
                if start is None:
                    start = self._starts[key] = self._register(key, build(), recorded, followers)
        return start

    def special(self, token_id: int) -> int:
        """The start state of the lexeme that is one special token. Raises KeyError for a token that is none."""
        spelling = self.vocabulary.spellings[token_id]
        if spelling is None or not spelling.startswith(SPECIAL):
            raise KeyError(token_id)
        return self.start_of(("special", token_id), functools.partial(one_word, spelling), recorded=False)

    def _register(self, key: Hashable, dfa: ByteDfa, recorded: bool, followers: int | None) -> int:
        n_states = len(dfa.trans)
        base, rows = self._new_states(key, dfa)
        if followers is not None:
            self._limit_followers(followers, recorded)
        flags = self.arena.table("states", "flags")
        self.arena.table("states", "row")[base : base + n_states] = rows
        self.arena.table("states", "alt")[base : base + n_states] = -1
        dead_ends = ~(dfa.trans != 0).any(axis=1)
        flags[base : base + n_states] = np.where(dead_ends, layout.Q_FINAL, layout.Q_RECORDED if recorded else 0)
        return base + int(dfa.start)

    def _limit_followers(self, followers: int, recorded: bool) -> None:
        """Write what may follow the lexeme whose states were made last. Records use pairs of bytes, walks first bytes only."""
        n_bytes = layout.FOLLOW * layout.FOLLOW // 8
        pairs = np.frombuffer(followers.to_bytes(n_bytes, "little"), np.uint8)
        seconds = pairs.reshape(layout.FOLLOW, -1)
        if recorded:
            behind = self.arena.take("classes", n_bytes)  # behind the map of first bytes
            self.arena.table("classes", "class")[behind : behind + n_bytes] = pairs
        on_second = layout.FOLLOWS_IN_PAIRS if recorded else layout.FOLLOWS
        first = self._sizes[-1][3] + layout.FOLLOW
        self.arena.table("classes", "class")[first : first + layout.FOLLOW] = np.where(
            (seconds == 255).all(axis=1), layout.FOLLOWS, np.where(seconds.any(axis=1), on_second, 0)
        )

    def _new_states(self, key: Hashable, dfa: ByteDfa | SplitDfa) -> tuple[int, np.ndarray]:
        """Copy an automaton's tables; returns its first state and the offset of each state's transitions."""
        n_states, n_classes = dfa.trans.shape
        arena = self.arena
        base = arena.take("states", n_states)
        self._bases.append(base)
        self._keys.append(key)
        first = arena.take("transitions", n_states * n_classes)
        self._sizes.append((n_states, n_classes, first, arena.count("classes")))
        targets = np.where(dfa.trans != 0, dfa.trans + base, 0)
        arena.table("transitions", "target")[first : first + n_states * n_classes] = targets.reshape(-1)
        classes = arena.take("classes", 2 * layout.FOLLOW)
        map_ = arena.table("classes", "class")[classes : classes + 2 * layout.FOLLOW]
        map_[: layout.FOLLOW], map_[layout.FOLLOW :] = dfa.classes, 1
        arena.table("states", "class")[base : base + n_states] = classes
        arena.table("states", "tag")[base : base + n_states] = dfa.tags
        arena.table("states", "record")[base : base + n_states] = -1
        arena.table("states", "kinds")[base : base + n_states] = -1
        arena.table("states", "view_kinds")[base : base + n_states] = 0
        return base, first + n_classes * np.arange(n_states)

    def counted_string(self, key: Hashable, build: Callable[[], ByteDfa], minimum: int, maximum: int | None) -> int:
        """The start state of a JSON string of `minimum` to `maximum` characters (None: any number).

        key, build: the lexeme of the plain string, an automaton with quotes at both ends. One small block of states for each pair of
        bounds; the count itself is part of q.
        """
        plain = self.start_of(key, build)
        if minimum == 0 and maximum is None:
            return plain
        counted_key = (key, minimum, maximum)
        start = self._counted.get(counted_key)
        if start is None:
            with self.lock:
                dfa = build()
                n_states = len(dfa.trans)
                base, rows = self._new_states(counted_key, dfa)
                row = self.arena.take("counted", 1)
                body = base + int(dfa.trans[dfa.start, dfa.classes[ord('"')]])
                values = self.arena.table("counted", "row")
                at = row * layout.COUNT_WIDTH
                values[at : at + layout.COUNT_WIDTH] = 0
                values[at + layout.C_MIN], values[at + layout.C_MAX] = minimum, -1 if maximum is None else maximum
                values[at + layout.C_BODY], values[at + layout.C_SHIFT] = body, plain - int(dfa.start) - base
                self.arena.table("states", "row")[base : base + n_states] = -2 - row
                self.arena.table("states", "alt")[base : base + n_states] = rows
                flags = self.arena.table("states", "flags")
                flags[base : base + n_states] = np.where((dfa.trans != 0).any(axis=1), 0, layout.Q_FINAL)
                flags[body] = layout.Q_BODY
                self.arena.table("states", "plain")[base : base + n_states] = (
                    np.arange(n_states) + plain - int(dfa.start)
                )
                start = self._counted[counted_key] = base + int(dfa.start)
        return start

    def bounded_string(self, key: Hashable, build: Callable[[], ByteDfa], maximum: int) -> int:
        """The start state of a constrained JSON string (an automaton with quotes at both ends) of at most `maximum` characters.

        The product with a counter would have a state for each length; here the count is part of q, and each state knows the fewest
        characters that it still needs. 0 when no word is short enough.
        """
        plain = self.start_of(key, build)
        counted_key = (key, "bounded", maximum)
        start = self._counted.get(counted_key)
        if start is None:
            with self.lock:
                start = self._counted[counted_key] = self._register_bounded(counted_key, build(), plain, maximum)
        return start

    def _register_bounded(self, key: Hashable, dfa: ByteDfa, plain: int, maximum: int) -> int:
        # States are told apart by where they are in a character (0: between two), so that a transition knows whether it begins one.
        numbers: dict[tuple[int, int], int] = {(int(dfa.start), 0): 1}
        order = [(int(dfa.start), 0)]
        edges: list[list[tuple[int, int, int]]] = [[]]
        transitions, classes = dfa.trans, dfa.classes
        refined: dict[int, int] = {}  # byte -> class: classes are split by what an escape does with the byte
        signatures: dict[tuple[int, int], int] = {}
        for byte in range(256):
            signature = (int(classes[byte]), _role(byte))
            refined[byte] = signatures.setdefault(signature, len(signatures))
        samples = {c: byte for byte, c in reversed(refined.items())}
        columns = [(c, int(classes[byte]), byte) for c, byte in samples.items()]
        phases = (*range(5), _IN_ESCAPE)
        after = {phase: [_next_phase(phase, byte) for _, _, byte in columns] for phase in phases}
        begins = {phase: [int(phase == 0 and byte != ord('"')) for _, _, byte in columns] for phase in phases}
        most = self.limits.max_dfa_steps // (8 * len(samples))
        for state, phase in order:
            if len(order) > most:  # a step here takes as long as eight compiled ones, or more
                raise LimitExceeded(f"more than {most} states with a maximum length", most, "max_dfa_steps")
            row: list[tuple[int, int, int]] = []
            targets = transitions[state].tolist()
            for (c, column, _), following, begun in zip(columns, after[phase], begins[phase], strict=True):
                target = targets[column]
                if target:
                    to = (target, following)
                    number = numbers.get(to)
                    if number is None:
                        number = numbers[to] = len(numbers) + 1
                        order.append(to)
                    row.append((c, number, begun))
            edges.append(row)
        n_states = len(order) + 1
        tags = np.array([-1] + [int(dfa.tags[state]) for state, _ in order], np.int32)
        rest = _fewest_characters(edges, tags)
        if rest[1] > maximum:
            return 0
        table = np.zeros((n_states, len(samples)), np.int32)
        for state, row in enumerate(edges):
            for c, target, _ in row:
                table[state, c] = target
        byte_classes = np.array([refined[byte] for byte in range(256)], np.uint8)
        base, rows = self._new_states(key, SplitDfa(table, byte_classes, tags))
        bound = self.arena.take("counted", 1)
        values = self.arena.table("counted", "row")
        at = bound * layout.COUNT_WIDTH
        values[at : at + layout.COUNT_WIDTH] = 0
        values[at + layout.C_MAX], values[at + layout.C_BOUNDED], values[at + layout.C_SLACK] = (
            maximum,
            1,
            int(rest.max()),
        )
        states = {
            name: self.arena.table("states", name)[base : base + n_states]
            for name in ("row", "alt", "flags", "rest", "plain")
        }
        states["row"][:] = -2 - bound
        states["alt"][:] = rows
        states["rest"][:] = rest
        states["plain"][1:] = [plain - int(dfa.start) + state for state, _ in order]
        dead_ends = ~(table != 0).any(axis=1)
        within = np.array([False] + [phase != 0 for _, phase in order])
        states["flags"][:] = np.where(dead_ends, layout.Q_FINAL, 0) | np.where(within, layout.Q_WITHIN, 0)
        return base + 1

    def key_of(self, low: int) -> Hashable:
        """The key under which the lexeme of a table state was registered."""
        return self._keys[bisect.bisect_right(self._bases, low) - 1]

    # -- what kernels ask for -----------------------------------------------------------------------------------------------------

    def grow(self, index: int) -> None:
        """Enlarge a group after a kernel asked for it. Row memory grows in smaller steps: it is the largest table."""
        if self.arena.names[index] == "rows":
            capacity = int(self.context[layout.ROW_CAP])
            self.arena.grow(index, max(32 * self.n_words, capacity + capacity // 2))
        else:
            self.arena.grow(index)

    def flush(self) -> None:
        """Drop all records; they are built again when needed."""
        arena, c = self.arena, self.context
        n = arena.count("states")
        arena.table("states", "record")[:n] = -1
        plain = arena.table("states", "row")[:n] >= 0
        arena.table("states", "alt")[:n][plain] = -1
        for name in ("records", "exits", "rows", "lists"):
            c[arena.by_name[name]["slots"]["count"]] = 0
        c[layout.TN_COUNT], c[layout.TT_COUNT] = self._n_nodes, self._n_tokens
        c[layout.L_RECORD_BYTES] = 0

    def longer_tokens(self, text: bytes) -> list[int]:
        """The tokens that begin with `text` and go on."""
        if not text or len(text) >= self.max_token_length:
            return []
        if self._sorted is None:
            self._sorted = sorted((b, i) for i, b in enumerate(self.vocabulary.spellings) if b)
        first = bisect.bisect_left(self._sorted, (text, -1))
        out = []
        for b, i in itertools.islice(self._sorted, first, None):
            if not b.startswith(text):
                break
            if len(b) > len(text):
                out.append(i)
        return out

    # -- shortest words -----------------------------------------------------------------------------------------------------------

    def steps(self, low: int) -> list[tuple[int, int]]:
        """(byte, target) of every living transition of a table state."""
        table = self.arena.table
        row = int(table("states", "row")[low])
        first = int(table("states", "class")[low])
        classes = table("classes", "class")[first : first + 256]
        targets = table("transitions", "target")[row + classes.astype(np.int64)]
        living = np.flatnonzero(targets)
        return list(zip(living.tolist(), targets[living].tolist(), strict=True))

    def shortest_words(self, low: int) -> dict[int, bytes]:
        """The shortest words from a table state to each tag; of equally short ones, plain bytes are preferred."""
        found = self._words.get(low)
        if found is not None:
            return found
        if len(self._words) >= _WORDS:
            self._words.clear()
            self._steps.clear()
        number = bisect.bisect_right(self._bases, low) - 1
        base = self._bases[number]
        tags = self.arena.table("states", "tag")[base : base + self._sizes[number][0]]
        out: dict[int, bytes] = {}
        for tag in np.unique(tags[tags >= 0]).tolist():
            step = self._steps.get((number, tag))
            if step is None:
                step = self._steps[(number, tag)] = self._relax(number, tags == tag)
            distance, byte, target = step
            at = low - base
            if distance[at] >= _FAR:
                continue
            word = bytearray()
            while distance[at]:
                word.append(byte[at])
                at = target[at]
            out[tag] = bytes(word)
        self._words[low] = out
        return out

    def _relax(self, number: int, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For every state of a lexeme: bytes to the nearest goal state, the first byte of such a word, and the state after it."""
        base, (n_states, n_classes, first, classes_at) = self._bases[number], self._sizes[number]
        table = self.arena.table
        targets = table("transitions", "target")[first : first + n_states * n_classes].reshape(n_states, n_classes)
        classes = table("classes", "class")[classes_at : classes_at + 256]
        plainest: dict[int, int] = {}
        for byte in sorted(range(256), key=_plainness):
            plainest.setdefault(int(classes[byte]), byte)
        order = [c for c in plainest if c < n_classes]  # classes by their plainest byte
        local = np.where(targets[:, order] > 0, targets[:, order] - base, n_states)  # n_states: dead
        bytes_ = np.array([plainest[c] for c in order], np.uint8)
        # breadth first from the goal over reversed edges: a long literal has as many levels as states
        edges = np.argsort(local, axis=None, kind="stable")
        origins = edges // len(order)
        firsts = np.searchsorted(local.reshape(-1)[edges], np.arange(n_states + 1))
        distance = np.full(n_states + 1, _FAR, np.int64)
        reached, level = np.flatnonzero(goal), 0
        while len(reached):
            distance[reached] = level
            level += 1
            counts = firsts[reached + 1] - firsts[reached]
            at = np.repeat(firsts[reached] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            before = origins[at]
            reached = np.unique(before[distance[before] == _FAR])
        choice = distance[local].argmin(axis=1)
        return distance, bytes_[choice], local[np.arange(n_states), choice]

    def filler(self, n: int, body: int) -> bytes:
        """n characters that lead from a string's body state back to it, from tokens of as many characters as possible."""
        if n == 0:
            return b""
        if n > self.limits.max_completion_bytes:
            raise LimitExceeded(n, self.limits.max_completion_bytes, "max_completion_bytes")
        pieces = self._fillers.get(body)
        if pieces is None:
            loops = frozenset(byte for byte, target in self.steps(body) if target == body)  # characters of one byte
            best: dict[int, bytes] = {1: bytes([min(loops, key=_plainness)]) if loops else self._shortest_cycle(body)}
            for token in self.vocabulary.token_bytes if loops else ():
                if token and len(token) > 1 and loops.issuperset(token):
                    old = best.get(len(token))
                    if old is None or (token.isalnum() and not old.isalnum()):
                        best[len(token)] = token
            pieces = self._fillers[body] = sorted(best.items(), reverse=True)
        out = []
        for length, piece in pieces:
            out.append(piece * (n // length))
            n %= length
        return b"".join(out)

    def _shortest_cycle(self, body: int) -> bytes:
        """The bytes of one character of a string none of whose characters has a single byte."""
        queue: deque[tuple[int, bytes]] = deque([(body, b"")])
        seen = {body}
        while queue:
            state, path = queue.popleft()
            for byte, target in self.steps(state):
                if target == body and byte != ord('"'):
                    return path + bytes([byte])
                if target not in seen:
                    seen.add(target)
                    queue.append((target, path + bytes([byte])))
        return b""  # no character at all: only the empty string is left, and no filler is asked for

    def fewest_for(self, text: bytes) -> list[int]:
        """The fewest tokens that spell a text. Raises TokenizerError if none do, LimitExceeded for a text that is too long."""
        found = self._fewest.get(text)
        if found is None:
            n = len(text)
            if n > self.limits.max_completion_bytes:
                raise LimitExceeded(n, self.limits.max_completion_bytes, "max_completion_bytes")
            needed, taken = np.empty(n + 1, np.int32), np.empty(n, np.int32)
            with self.lock:
                count = machine.fewest_tokens(address_of(self.context), np.frombuffer(text, np.uint8), needed, taken)
            if count < 0:
                raise TokenizerError(f"no tokens of this vocabulary spell {text[:80]!r}")
            found, i = [], 0
            while i < n:
                token = int(taken[i])
                found.append(token)
                i += int(self.token_starts[token + 1] - self.token_starts[token])
            if len(self._fewest) > 4096:
                self._fewest.clear()
            self._fewest[text] = found
        return found


def one_word(word: bytes) -> ByteDfa:
    """The automaton of one byte string."""
    values = sorted(set(word))
    classes = np.zeros(256, np.uint8)
    classes[values] = np.arange(1, len(values) + 1)
    trans = np.zeros((len(word) + 2, len(values) + 1), np.int32)
    for i, byte in enumerate(word, 1):
        trans[i, classes[byte]] = i + 1
    tags = np.full(len(word) + 2, -1, np.int32)
    tags[-1] = 0
    return ByteDfa(trans, classes, 1, tags)


def _compile_kernels() -> None:
    """Compile the kernels if this installation never did; says so on a terminal, since it takes a while."""
    if is_cached(machine.fill):
        return
    show = sys.stderr is not None and sys.stderr.isatty()
    if show:
        print("structgen: compiling its kernels for this machine, once (15 to 30 s) ...", file=sys.stderr, flush=True)
    machine.warm_up()
    load_kernels()
    if show:
        print("structgen: kernels are ready and cached.", file=sys.stderr, flush=True)


class SplitDfa(NamedTuple):
    """The columns of an automaton that `_new_states` reads."""

    trans: np.ndarray
    classes: np.ndarray
    tags: np.ndarray


_BACKSLASH, _U, _QUOTE, _CONTINUATION, _LEAD = range(1, 6)
_IN_ESCAPE = 8  # phase after a backslash; phases 1 to 4 are the hexadecimal digits or continuation bytes that are left


def _role(byte: int) -> int:
    """Bytes of one role move the phase alike."""
    if byte >= 0xC0:
        return _LEAD + (1 if byte < 0xE0 else 2 if byte < 0xF0 else 3)
    return {92: _BACKSLASH, 117: _U, 34: _QUOTE}.get(byte, _CONTINUATION if byte >= 0x80 else 0)


def _next_phase(phase: int, byte: int) -> int:
    if phase == 0:
        role = _role(byte)
        return role - _LEAD if role > _LEAD else _IN_ESCAPE if role == _BACKSLASH else 0
    if phase == _IN_ESCAPE:
        return 4 if byte == 117 else 0
    return phase - 1


def _fewest_characters(edges: list[list[tuple[int, int, int]]], tags: np.ndarray) -> np.ndarray:
    """For every state the fewest characters begun on a way to acceptance: a 0-1 breadth-first search on reversed edges."""
    back: list[list[tuple[int, int]]] = [[] for _ in edges]
    for state, row in enumerate(edges):
        for _, target, begins in row:
            back[target].append((state, begins))
    rest = np.full(len(edges), 1 << 30, np.int64)
    queue = deque(np.flatnonzero(tags >= 0).tolist())
    rest[list(queue)] = 0
    while queue:
        state = queue.popleft()
        for origin, begins in back[state]:
            if rest[state] + begins < rest[origin]:
                rest[origin] = rest[state] + begins
                if begins:
                    queue.append(origin)
                else:
                    queue.appendleft(origin)
    rest[0] = 0
    return rest


def _plainness(byte: int) -> int:
    """Sort key of a byte: digits and letters first, control bytes last."""
    return byte if chr(byte).isalnum() and byte < 128 else byte + 256
