"""Deterministic automata over characters and over bytes, and the operations on them.

`CharDfa` recognises sets of strings (of Unicode scalar values), `ByteDfa` sets of byte strings whose accepting states
carry a tag. Patterns, formats and key sets are combined as `CharDfa` (intersection, union, difference, complement) and
turned into bytes once, at the end, by `CharDfa.to_bytes`. All automata are trimmed and minimal, state 0 is dead, other
states are numbered breadth-first from the start (1), so equal languages over equal partitions have equal arrays.

Spellings of `to_bytes`:
    "utf8"      the raw UTF-8 text
    "json"      a JSON string with both quotes whose decoded value is in the language; each character has one spelling:
                raw UTF-8, but `\\"` `\\\\` `\\b` `\\f` `\\n` `\\r` `\\t`, and `\\u00xx` (lower case) for the other controls
    "json-any"  every JSON spelling: also `\\/`, and `\\uXXXX` in either case for any character, surrogate pairs included

Every construction takes `limits` and raises `LimitExceeded` rather than taking long. Turned down: automata over bytes
from the start (a complement or an intersection would then have to deal with ill-formed UTF-8 and with escapes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from structgen.errors import LimitExceeded, Limits
from structgen.kernels import determinize, minimise
from structgen.kernels import spelling as spelling_kernels
from structgen.lexemes import charclass
from structgen.lexemes.cache import CellCache
from structgen.lexemes.charclass import Ranges

Spelling = Literal["utf8", "json", "json-any"]
Int32Array = npt.NDArray[np.int32]

DEFAULT_LIMITS = Limits()
BYTE_STATES_PER_STATE = 4
CELLS_PER_STEP = 2
_SPELLINGS = {"utf8": spelling_kernels.UTF8, "json": spelling_kernels.JSON, "json-any": spelling_kernels.JSON_ANY}
_SURROGATES = (0xD800, 0xDFFF)


def check_status(status: int, limits: Limits) -> None:
    """Raise the `LimitExceeded` that a kernel's status stands for."""
    if status == determinize.STATES_EXCEEDED:
        raise LimitExceeded(limits.max_dfa_states + 1, limits.max_dfa_states, "max_dfa_states")
    if status == determinize.STEPS_EXCEEDED:
        raise LimitExceeded(limits.max_dfa_steps + 1, limits.max_dfa_steps, "max_dfa_steps")


@dataclass(frozen=True, slots=True, eq=False)
class ByteDfa:
    """A minimal automaton over bytes.

    trans: int32 [n_states, n_classes]; classes: uint8 [256], the class of each byte; start: state (0: empty language);
    tags: int32 [n_states], -1 where it does not accept, else the tag.
    """

    trans: Int32Array
    classes: npt.NDArray[np.uint8]
    start: int
    tags: Int32Array

    @property
    def n_states(self) -> int:
        """Number of states, the dead one included."""
        return int(self.trans.shape[0])

    def is_empty(self) -> bool:
        """Whether no byte string is accepted."""
        return self.start == 0

    def tag_of(self, text: bytes) -> int:
        """The tag of a byte string, -1 if it is not accepted."""
        state = self.start
        for byte in text:
            state = int(self.trans[state, self.classes[byte]])
        return int(self.tags[state])

    def matches(self, text: bytes) -> bool:
        """Whether a byte string is accepted."""
        return self.tag_of(text) >= 0

    def key(self) -> bytes:
        """Bytes that are equal exactly for equal automata (minimal and canonical: for equal tagged languages)."""
        return b"".join(
            (np.int32(self.trans.shape[1]).tobytes(), self.trans.tobytes(), self.classes.tobytes(), self.tags.tobytes())
        )


def byte_dfa(
    classes: npt.ArrayLike, trans: npt.ArrayLike, tags: npt.ArrayLike, start: int, is_minimal: bool = False
) -> ByteDfa:
    """A `ByteDfa` from any complete automaton (classes [256], trans [n, k], tags [n]); trims and minimises if need be."""
    new_classes, new_trans, new_tags, new_start = minimise.canonical(
        np.ascontiguousarray(classes, np.int32),
        np.ascontiguousarray(trans, np.int32),
        np.ascontiguousarray(tags, np.int32),
        int(start),
        bool(is_minimal),
    )
    return ByteDfa(new_trans, new_classes.astype(np.uint8), int(new_start), new_tags)


@dataclass(frozen=True, slots=True, eq=False)
class CharDfa:
    """A minimal automaton over code points.

    bounds: int32 [n_intervals], ascending starts of intervals of code points, bounds[0] = 0; cls: int32 [n_intervals],
    the class of each interval; trans: int32 [n_states, n_classes]; start: state (0: empty language); tags: int32
    [n_states], -1 where it does not accept (0 elsewhere, but for the results of `classify`).
    """

    bounds: Int32Array
    cls: Int32Array
    trans: Int32Array
    start: int
    tags: Int32Array

    @property
    def accept(self) -> npt.NDArray[np.bool_]:
        """bool [n_states]: which states accept."""
        return self.tags >= 0

    @property
    def n_states(self) -> int:
        """Number of states, the dead one included."""
        return int(self.trans.shape[0])

    # -- questions --------------------------------------------------------------------------------------------------

    def class_of(self, point: int) -> int:
        """The class of a code point."""
        return int(self.cls[int(np.searchsorted(self.bounds, point, side="right")) - 1])

    def tag_of(self, text: str) -> int:
        """The tag of a string, -1 if it is not accepted (nor is any string with a lone surrogate)."""
        state = self.start
        for character in text:
            state = int(self.trans[state, self.class_of(ord(character))])
            if state == 0:
                return -1
        return int(self.tags[state])

    def matches(self, text: str) -> bool:
        """Whether a string is in the language."""
        return self.tag_of(text) >= 0

    def is_empty(self) -> bool:
        """Whether the language has no word."""
        return self.start == 0

    def key(self) -> bytes:
        """Bytes that are equal exactly for equal languages (and tags)."""
        return b"".join((np.int32(self.trans.shape[1]).tobytes(), self.bounds.tobytes(), self.cls.tobytes(),
                         self.trans.tobytes(), self.tags.tobytes()))  # fmt: skip

    def class_ranges(self) -> list[Ranges]:
        """The set of code points of each class."""
        pairs: list[list[tuple[int, int]]] = [[] for _ in range(self.trans.shape[1])]
        bounds = [*self.bounds.tolist(), charclass.LAST + 1]
        for i, c in enumerate(self.cls.tolist()):
            pairs[c].append((bounds[i], bounds[i + 1] - 1))
        return [charclass.normalise(p) for p in pairs]

    def _order(self) -> list[int] | None:
        """The live states, each before those it leads to; None if there is a cycle."""
        rows = [set(row) - {0} for row in self.trans.tolist()]
        incoming = [0] * len(rows)
        for row in rows:
            for target in row:
                incoming[target] += 1
        ready = [s for s in range(1, len(rows)) if incoming[s] == 0]
        out: list[int] = []
        while ready:
            state = ready.pop()
            out.append(state)
            for target in rows[state]:
                incoming[target] -= 1
                if incoming[target] == 0:
                    ready.append(target)
        return out if len(out) == len(rows) - 1 else None

    def is_finite(self) -> bool:
        """Whether the language is finite."""
        return self._order() is not None

    def n_words(self, cap: int | None = None) -> int | None:
        """The number of words; `cap` if it is at least that; None if it is infinite and no cap is given."""
        order = self._order()
        if order is None:
            return cap
        sizes = [sum(last - first + 1 for first, last in charclass.pairs_of(r)) for r in self.class_ranges()]
        counts = [0] * self.n_states
        for state in reversed(order):
            total = int(self.tags[state] >= 0)
            for c, target in enumerate(self.trans[state].tolist()):
                total += sizes[c] * counts[target]
            counts[state] = total
        total = counts[self.start]
        return total if cap is None else min(total, cap)

    def words(self, cap: int) -> Iterator[str]:
        """At most `cap` words, shortest first, by code point among equal lengths."""
        ranges = self.class_ranges()
        live = [
            [
                (first, last, target)
                for c, target in enumerate(row)
                if target
                for first, last in charclass.pairs_of(ranges[c])
            ]
            for row in self.trans.tolist()
        ]
        for row in live:
            row.sort()
        if self.start == 0 or cap <= 0:
            return
        least = self._least_lengths()
        length, longest = least[self.start], self.max_length()
        given = 0
        while longest is None or length <= longest:
            # states from which a word of exactly k characters exists, k = 0..length
            exact = [self.tags >= 0]
            for _ in range(length):
                exact.append((exact[-1][self.trans] & (self.trans != 0)).any(axis=1))
            prefix: list[str] = []
            stack: list[Iterator[tuple[str, int]]] = [iter([("", self.start)])]
            while stack:
                step = next(stack[-1], None)
                if step is None:
                    stack.pop()
                    if prefix:
                        prefix.pop()
                    continue
                character, state = step
                remaining = length - len(stack) + 1
                if not exact[remaining][state]:
                    continue
                if remaining == 0:
                    yield "".join(prefix) + character
                    given += 1
                    if given >= cap:
                        return
                    continue
                prefix.append(character)
                ends = exact[remaining - 1]  # ranges of a million characters are not tried one by one
                steps = [step for step in live[state] if ends[step[2]]]
                stack.append(
                    ((chr(point), target) for first, last, target in steps for point in range(first, last + 1))
                )
            length += 1

    def _least_lengths(self) -> list[int]:
        """Characters from each state to the nearest accepting one; -1 for the dead state."""
        rows = self.trans.tolist()
        before: list[list[int]] = [[] for _ in rows]
        for state, row in enumerate(rows):
            for target in set(row):
                if target:
                    before[target].append(state)
        least = [-1] * len(rows)
        level = [s for s in range(1, len(rows)) if self.tags[s] >= 0]
        for s in level:
            least[s] = 0
        distance = 0
        while level:
            distance += 1
            following = []
            for s in level:
                for p in before[s]:
                    if least[p] < 0:
                        least[p] = distance
                        following.append(p)
            level = following
        return least

    def shortest(self) -> str:
        """The shortest word, the first by code point; raises ValueError if the language is empty."""
        if self.start == 0:
            raise ValueError("an empty language has no shortest word")
        least = self._least_lengths()
        firsts = [r[0] if r else 0 for r in self.class_ranges()]
        out = []
        state = self.start
        while least[state] > 0:
            row = self.trans[state].tolist()
            point, state = min((firsts[c], t) for c, t in enumerate(row) if t and least[t] == least[state] - 1)
            out.append(chr(point))
        return "".join(out)

    def min_length(self) -> int:
        """Characters of the shortest word; raises ValueError if the language is empty."""
        return len(self.shortest())

    def max_length(self) -> int | None:
        """Characters of the longest word, None if there is no bound; raises ValueError if the language is empty."""
        if self.start == 0:
            raise ValueError("an empty language has no longest word")
        order = self._order()
        if order is None:
            return None
        rows = self.trans.tolist()
        longest = [0] * self.n_states
        longest[0] = -1
        for state in reversed(order):
            longest[state] = max([longest[target] for target in set(rows[state])]) + 1
        return longest[self.start]

    def as_counted(self) -> tuple[Ranges, int, int | None] | None:
        """(set, least, most) if the language is all strings over one set of characters with a length in least..most.

        most is None where there is no bound. None if the language is not of that form. So a machine that counts needs no
        automaton with a state per count for `^[a-z]{1,5000}$`.
        """
        if self.start == 0:
            return None
        table = self.trans
        if table.shape[0] == 2 and not table[1].any():
            return (), 0, 0
        live = np.flatnonzero(table[self.start])
        if live.shape[0] != 1:
            return None
        c = int(live[0])
        column = table[:, c]
        n = table.shape[0]
        # numbered breadth-first, so a chain goes up by one; its last state ends or loops
        chain = np.arange(2, n, dtype=np.int32)
        if np.count_nonzero(table) != np.count_nonzero(column) or not np.array_equal(column[1:-1], chain):
            return None
        accept = self.accept
        least = int(np.argmax(accept)) - 1
        if not accept[least + 1 :].all() or int(column[-1]) not in (0, n - 1):
            return None
        return self.class_ranges()[c], least, None if column[-1] else n - 2

    # -- operations -------------------------------------------------------------------------------------------------

    def intersect(self, other: CharDfa, limits: Limits = DEFAULT_LIMITS) -> CharDfa:
        """The strings in both languages."""
        return _product(self, other, determinize.AND, limits)

    def unite(self, other: CharDfa, limits: Limits = DEFAULT_LIMITS) -> CharDfa:
        """The strings in either language."""
        return _product(self, other, determinize.OR, limits)

    def subtract(self, other: CharDfa, limits: Limits = DEFAULT_LIMITS) -> CharDfa:
        """The strings of this language that are not in the other."""
        return _product(self, other, determinize.MINUS, limits)

    def complement(self, limits: Limits = DEFAULT_LIMITS) -> CharDfa:
        """All strings that are not in the language."""
        return _product(any_string(), self, determinize.MINUS, limits)

    def __and__(self, other: CharDfa) -> CharDfa:
        return self.intersect(other)

    def __or__(self, other: CharDfa) -> CharDfa:
        return self.unite(other)

    def __sub__(self, other: CharDfa) -> CharDfa:
        return self.subtract(other)

    def __invert__(self) -> CharDfa:
        return self.complement()

    def to_bytes(self, spelling: Spelling, limits: Limits = DEFAULT_LIMITS) -> ByteDfa:
        """The byte automaton of the language in a spelling (see the module's docstring); tags are kept.

        Raises ValueError on an unknown spelling, LimitExceeded if the result has more than `BYTE_STATES_PER_STATE` times
        limits.max_dfa_states states (those within a character or an escape are many and cheap), or its table more than
        `CELLS_PER_STEP` times limits.max_dfa_steps cells.
        """
        code = _SPELLINGS.get(spelling)
        if code is None:
            raise ValueError(f"spelling must be one of {sorted(_SPELLINGS)}, not {spelling!r}")
        most = BYTE_STATES_PER_STATE * limits.max_dfa_states
        key = (self.key(), code)
        done = _SPELLED.get(key)
        if done is not None and done.n_states <= most + 1:
            return done
        graph_key = (self.bounds.tobytes(), self.cls.tobytes(), code)
        graph = _GRAPHS.get(graph_key)
        if graph is None:
            graph = spelling_kernels.spelling_graph(self.bounds, self.cls, self.trans.shape[1], code)
            _GRAPHS.put(graph_key, graph, graph[1].size + 512)
        byte_classes, rows = graph
        most = min(most, CELLS_PER_STEP * limits.max_dfa_steps // rows.shape[1])
        n_states, trans, tags, start, minimal = spelling_kernels.spell(
            self.trans, self.tags, self.start, byte_classes, rows, spelling != "utf8", most
        )
        if not n_states:
            raise LimitExceeded(f"more than {most} byte states", most, "max_dfa_states")
        result = byte_dfa(byte_classes, trans[:n_states], tags, start, minimal)
        _SPELLED.put(key, result, result.trans.size + self.trans.size + 512)
        return result


_GRAPHS: CellCache[tuple[bytes, bytes, int], tuple[Int32Array, Int32Array]] = CellCache(2_000_000)
_SPELLED: CellCache[tuple[bytes, int], ByteDfa] = CellCache(8_000_000)


def char_dfa(
    bounds: npt.ArrayLike, cls: npt.ArrayLike, trans: npt.ArrayLike, tags: npt.ArrayLike, start: int
) -> CharDfa:
    """A `CharDfa` from any complete automaton over intervals of code points; trims and minimises."""
    starts = np.ascontiguousarray(bounds, np.int32)
    new_cls, new_trans, new_tags, new_start = minimise.canonical(
        np.ascontiguousarray(cls, np.int32),
        np.ascontiguousarray(trans, np.int32),
        np.ascontiguousarray(tags, np.int32),
        int(start),
        False,
    )
    if new_cls.shape[0] > 1:
        keep = np.empty(new_cls.shape[0], np.bool_)
        keep[0] = True
        np.not_equal(new_cls[1:], new_cls[:-1], out=keep[1:])
        starts, new_cls = starts[keep], new_cls[keep]
    return CharDfa(starts, new_cls, new_trans, int(new_start), new_tags)


def partition(sets: Sequence[Ranges]) -> tuple[list[int], list[int], list[int]]:
    """Cut the code points so that every set is a union of classes.

    Returns (bounds, classes, members): the ascending starts of intervals, the class of each, and per class the bit set
    of the sets that contain it.
    """
    points = {0}
    for ranges in sets:
        points.update(ranges[::2])
        points.update([last + 1 for last in ranges[1::2]])
    points.discard(charclass.LAST + 1)
    bounds = sorted(points)
    position = {point: i for i, point in enumerate(bounds)}
    position[charclass.LAST + 1] = len(bounds)
    signatures = [0] * len(bounds)
    for k, ranges in enumerate(sets):
        bit = 1 << k
        for i in range(0, len(ranges), 2):
            for j in range(position[ranges[i]], position[ranges[i + 1] + 1]):
                signatures[j] |= bit
    number: dict[int, int] = {}
    classes = [number.setdefault(signature, len(number)) for signature in signatures]
    return bounds, classes, list(number)


def _common(dfas: Sequence[CharDfa]) -> tuple[Int32Array, Int32Array, list[Int32Array]]:
    """A common refinement of partitions: (bounds, classes, for each automaton the column of each common class)."""
    bounds = dfas[0].bounds
    for dfa in dfas[1:]:
        if dfa.bounds is not bounds:
            bounds = np.union1d(bounds, dfa.bounds)
    code = np.zeros(bounds.shape[0], np.int64)
    columns = []
    for dfa in dfas:
        column = dfa.cls[np.searchsorted(dfa.bounds, bounds, side="right") - 1]
        columns.append(column)
        code = code * dfa.trans.shape[1] + column
        if len(dfas) > 2:
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    _, first, classes = np.unique(code, return_index=True, return_inverse=True)
    return bounds.astype(np.int32), classes.astype(np.int32), [c[first].astype(np.int32) for c in columns]


def _product(a: CharDfa, b: CharDfa, operation: int, limits: Limits) -> CharDfa:
    bounds, classes, (columns_a, columns_b) = _common((a, b))
    status, n_states, trans, tags = determinize.product(
        a.trans, a.accept, a.start, columns_a, b.trans, b.accept, b.start, columns_b, operation,
        limits.max_dfa_states, limits.max_dfa_steps,
    )  # fmt: skip
    check_status(status, limits)
    return char_dfa(bounds, classes, trans[:n_states], tags, 1)


def literal(text: str) -> CharDfa:
    """The language of one string; empty if the string holds a lone surrogate."""
    return literals((text,))


def literals(texts: Iterable[str], limits: Limits = DEFAULT_LIMITS) -> CharDfa:
    """The language of the given strings; those with a lone surrogate are left out."""
    words = [t for t in texts if not any(_SURROGATES[0] <= ord(c) <= _SURROGATES[1] for c in t)]
    points = sorted({ord(c) for word in words for c in word})
    bounds = [0]
    classes = [0]
    for number, point in enumerate(points, 1):
        if bounds[-1] == point:
            classes[-1] = number
        else:
            bounds.append(point)
            classes.append(number)
        if point < charclass.LAST:
            bounds.append(point + 1)
            classes.append(0)
    trans, tags = _trie(words, {chr(p): i for i, p in enumerate(points, 1)}, limits)
    return char_dfa(bounds, classes, trans, tags, 1)


def _trie(words: Iterable[str], columns: Mapping[str, int], limits: Limits) -> tuple[Int32Array, list[int]]:
    """(trans, tags) of a trie from state 1, its words with tag 0; column 0 is for all that no word holds."""
    tags = [-1, -1]
    edges: dict[tuple[int, str], int] = {}
    for word in words:
        state = 1
        for symbol in word:
            following = edges.get((state, symbol))
            if following is None:
                following = edges[state, symbol] = len(tags)
                tags.append(-1)
            state = following
        tags[state] = 0
        if len(tags) > limits.max_dfa_states:
            raise LimitExceeded(len(tags), limits.max_dfa_states, "max_dfa_states")
    trans = np.zeros((len(tags), len(columns) + 1), np.int32)
    if edges:
        keys = list(edges)
        trans[[k[0] for k in keys], [columns[k[1]] for k in keys]] = list(edges.values())
    return trans, tags


def length_between(least: int, most: int | None, limits: Limits = DEFAULT_LIMITS) -> CharDfa:
    """All strings of at least `least` and at most `most` characters (None: no bound)."""
    if least < 0:
        raise ValueError(f"a length cannot be negative: {least}")
    if most is not None and most < least:
        return char_dfa([0], [0], [[0]], [-1], 0)
    n_states = (least if most is None else most) + 1
    if n_states > limits.max_dfa_states:
        raise LimitExceeded(n_states, limits.max_dfa_states, "max_dfa_states")
    trans = np.zeros((n_states + 1, 2), np.int32)
    trans[1:-1, 0] = np.arange(2, n_states + 1)
    if most is None:
        trans[-1, 0] = n_states
    tags = np.zeros(n_states + 1, np.int32)
    tags[: least + 1] = -1
    return char_dfa([0, _SURROGATES[0], _SURROGATES[1] + 1], [0, 1, 0], trans, tags, 1)


_ANY_STRING: list[CharDfa] = []


def strings_over(characters: Ranges) -> CharDfa:
    """All strings over one set of characters."""
    bounds, classes, members = partition([characters])
    return char_dfa(bounds, classes, [[0] * len(members), [member & 1 for member in members]], [-1, 0], 1)


def any_string() -> CharDfa:
    """All strings of Unicode scalar values."""
    if not _ANY_STRING:
        _ANY_STRING.append(length_between(0, None))
    return _ANY_STRING[0]


def union_tagged(parts: Sequence[tuple[ByteDfa, int]], limits: Limits = DEFAULT_LIMITS) -> ByteDfa:
    """One automaton for several languages; a byte string that is in several gets the tag of the first of them.

    The tags of the parts themselves do not matter, only whether they accept.
    """
    if not parts:
        return byte_dfa(np.zeros(256), [[0]], [-1], 0)
    code = np.zeros(256, np.int64)
    for dfa, _ in parts:
        code = np.unique(code * dfa.trans.shape[1] + dfa.classes, return_inverse=True)[1].astype(np.int64)
    _, first = np.unique(code, return_index=True)
    tables, starts, owner_tags = [np.zeros((1, first.shape[0]), np.int32)], [], [np.full(1, -1, np.int32)]
    offset = 0
    for rank, (dfa, _) in enumerate(parts):
        table = dfa.trans[1:, dfa.classes[first]]
        tables.append(np.where(table != 0, table + offset, 0))
        starts.append(dfa.start + offset if dfa.start else 0)
        owner_tags.append(np.where(dfa.tags[1:] >= 0, rank, -1))
        offset += table.shape[0]
    status, n_states, trans, members, offsets = determinize.union_construction(
        np.ascontiguousarray(np.concatenate(tables), np.int32),
        np.array(starts, np.int32),
        limits.max_dfa_states,
        limits.max_dfa_steps,
    )
    check_status(status, limits)
    trans, offsets = trans[:n_states], offsets[: n_states + 1]
    # the members of a state are in the order of the parts, so the first that accepts decides
    ranks = np.concatenate(owner_tags)[members[: offsets[-1]]]
    ranks = np.where(ranks < 0, len(parts), ranks)
    best = np.full(trans.shape[0], len(parts), np.int64)
    np.minimum.at(best, np.repeat(np.arange(trans.shape[0]), np.diff(offsets)), ranks)
    of_rank = np.array([tag for _, tag in parts] + [-1], np.int32)
    return byte_dfa(code, trans, of_rank[best], 1)


def difference(dfa: ByteDfa, excluded: Sequence[ByteDfa], limits: Limits = DEFAULT_LIMITS) -> ByteDfa:
    """The byte strings of one automaton (tag 0) that no other accepts."""
    if not excluded:
        return dfa
    both = union_tagged([*((other, 1) for other in excluded), (dfa, 0)], limits)
    return byte_dfa(both.classes, both.trans, np.where(both.tags == 0, 0, -1), both.start)


def intersection(a: ByteDfa, b: ByteDfa, limits: Limits = DEFAULT_LIMITS) -> ByteDfa:
    """The byte strings that both automata accept (tag 0)."""
    code = a.classes.astype(np.int64) * b.trans.shape[1] + b.classes
    _, first, classes = np.unique(code, return_index=True, return_inverse=True)
    columns_a, columns_b = a.classes[first].astype(np.int32), b.classes[first].astype(np.int32)
    status, n_states, trans, tags = determinize.product(
        a.trans, a.tags >= 0, a.start, columns_a, b.trans, b.tags >= 0, b.start, columns_b, determinize.AND,
        limits.max_dfa_states, limits.max_dfa_steps,
    )  # fmt: skip
    check_status(status, limits)
    return byte_dfa(classes, trans[:n_states], tags, 1)


def classify(dfas: Sequence[CharDfa], limits: Limits = DEFAULT_LIMITS) -> tuple[CharDfa, list[tuple[int, ...]]]:
    """Which of several languages a string is in.

    Returns (dfa, subsets): every string is accepted by `dfa`, with the tag t such that it is in exactly the languages
    whose indices are in subsets[t] (ascending; the empty tuple: in none).
    """
    everything = [*dfas, any_string()]
    bounds, classes, columns = _common(everything)
    n_classes = int(classes.max()) + 1
    tables, starts, owners = [np.zeros((1, n_classes), np.int32)], [], [np.full(1, -1, np.int32)]
    offset = 0
    for index, (dfa, column) in enumerate(zip(everything, columns, strict=True)):
        table = dfa.trans[1:, column]
        tables.append(np.where(table != 0, table + offset, 0))
        starts.append(dfa.start + offset if dfa.start else 0)
        owners.append(np.where(dfa.tags[1:] >= 0, index, -1))
        offset += table.shape[0]
    status, n_states, trans, members, offsets = determinize.union_construction(
        np.ascontiguousarray(np.concatenate(tables), np.int32),
        np.array(starts, np.int32),
        limits.max_dfa_states,
        limits.max_dfa_steps,
    )
    check_status(status, limits)
    accepted = np.concatenate(owners)[members[: offsets[n_states]]].tolist()
    cuts = offsets.tolist()
    number: dict[tuple[int, ...], int] = {}
    tags = [-1] * n_states
    for state in range(1, n_states):
        subset = tuple(i for i in accepted[cuts[state] : cuts[state + 1]] if 0 <= i < len(dfas))
        tags[state] = number.setdefault(subset, len(number))
    return char_dfa(bounds, classes, trans[:n_states], tags, 1), list(number)


def load_kernels() -> None:
    """Load every compiled kernel of this floor (or compile it, on the first run ever), so that no first use has to wait."""
    two = length_between(0, 1)
    for spelling in _SPELLINGS:
        length_between(0, 1).to_bytes(spelling)  # type: ignore[arg-type]
    two.intersect(two)
    union_tagged([(two.to_bytes("utf8"), 0)])
    nodes = np.array([[determinize.MATCH, 0, 0, 0]], np.int32)
    determinize.subset_construction(nodes, 0, -1, np.zeros((1, 1), np.bool_), np.zeros(1, np.int32), 2, 2)
