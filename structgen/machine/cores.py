"""Shortest ways through core automata: the members or items that an object or array with a core still needs.

In: an object state or a core state, and the values of nodes (bytes, or None where none is known yet). Out: a `Way`, the text up to the
end of the object or array. A best-first search (A*): its states are the object states of the machine itself, so names, order and required
names mean what they mean there; an edge is a member or an item. Its bound is what the core automaton alone still needs if every value took
one byte. The value of an edge's node is asked for only when the edge is the most promising one: nodes off the way are never compiled.

Limits: other names and captured items are taken in their shortest spelling, so the text is the shortest one that is made of those; after
_EXACT states the search goes for any completion, and after _STATES it gives up with LimitExceeded.

Turned down: the product of the core with the sets of names as a table (2^names), and relaxation over the whole core automaton (uniqueItems
has a state for each set of items).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from structgen.errors import LimitExceeded
from structgen.kernels import layout, machine

if TYPE_CHECKING:
    from structgen.machine.program import CoreObjectState, Program

_EXACT, _STATES = 1_500, 20_000
_EXPLORED = 512  # core states looked at for a bound
_MOVES = 16  # moves that count as one more state
_OPTIONAL = 16  # optional names of one kind tried from a state
_FAR = 1 << 60
_EMPTY = np.empty(0, np.uint8)

Value = Callable[[int], "bytes | None"]


@dataclass(frozen=True, slots=True)
class Style:
    """How punctuation is spelled in completions, white space included."""

    colon: bytes
    comma: bytes
    closing: bytes
    item_comma: bytes
    item_closing: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """The rest of an object or array, its end included, and the names (as spelled) in it that are not declared."""

    text: bytes
    other_names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Edge:
    """A member or item: the fewest bytes that it takes, the bound of what follows, what makes its text and the next state, and its name if
    that is not declared."""

    least: int
    bound: int
    make: Callable[[], tuple[bytes, int] | None]
    other_name: bytes = b""


# Priority, tie, bytes so far, bound of the rest, path, and a state or the edge that leads on
_Entry = tuple[tuple[int, int], int, int, int, int, "int | _Edge"]


class CoreWays:
    """Shortest ways through the core automata of one program (a proxy of it: the program owns this object).

    words: the shortest words of a lexeme state by tag.
    """

    def __init__(self, program: Program, style: Style, words: Callable[[int], dict[int, bytes]]) -> None:
        self.program, self.style, self._words = program, style, words
        self._bounds: dict[tuple[int, int], int] = {}  # by core state and object (-1: array)
        self._to_explore = 0
        self.work = 0  # core states and members or items looked at so far

    def members(self, os: int, value: Value, *, after_value: bool, must: bool = False) -> Way | None:
        """The members that the object in state `os` still needs, and its end; None if that takes a value that is not known.

        after_value: a comma comes before the first of them; must: at least one has to come.
        """
        start = os
        states: dict[int, CoreObjectState] = {}

        def state(os: int) -> CoreObjectState:
            if os not in states:
                states[os] = self.program.core_object_state(os)
            return states[os]

        def bound(os: int) -> int:
            at = state(os)
            missing = sum(self._member_bytes(at.tables.names[name]) for name in at.missing)
            return max(missing, self._bound(at.core, self.program.object_number(os)))

        return self._search(
            start,
            lambda os: self._member_edges(os, state(os), value, must and os == start),
            lambda os: state(os).can_close and not (must and os == start),
            bound,
            self.style.comma,
            self.style.closing,
            after_value,
        )

    def items(self, core: int, value: Value, *, after_value: bool, must: bool = False) -> Way | None:
        """The items that an array in core state `core` still needs, and its end; as `members`."""
        start = ~core if must else core  # the array may come back to the state that it may not close in now

        def state(at: int) -> int:
            return at if at >= 0 else ~at

        return self._search(
            start,
            lambda at: self._item_edges(state(at), value, at < 0),
            lambda at: at >= 0 and self.program.core(at).can_close,
            lambda at: self._bound(state(at), -1),
            self.style.item_comma,
            self.style.item_closing,
            after_value,
        )

    # -- edges --------------------------------------------------------------------------------------------------------------------

    def _member_bytes(self, name: bytes) -> int:
        return len(name) + len(self.style.colon) + 1

    def _member_edges(self, os: int, at: CoreObjectState, value: Value, any_move: bool) -> Iterator[_Edge]:
        """The members worth trying. One that changes neither the core state nor what is required helps nothing (unless any_move).

        Names that are not relevant are alike for the core, so required ones are taken in one order.
        """
        tables, core = at.tables, self.program.core(at.core)
        obj = self.program.object_number(os)
        relevant = set(tables.relevant)
        for tag, node, after in core.moves:
            name = tag - layout.NAMED
            if name in at.names and (after != at.core or name in at.missing or any_move):
                yield self._member(os, obj, tables.names[name], tag, node, after, value)
        own = [name for name in at.names if name not in relevant]
        required = [name for name in own if name in at.missing]
        optional = [name for name in own if name not in at.missing] if core.default != at.core or any_move else []
        if len(optional) > 2 * _OPTIONAL:
            shortest = sorted(optional, key=lambda name: len(tables.names[name]))[:_OPTIONAL]
            optional = list(dict.fromkeys(optional[:_OPTIONAL] + shortest))
        for name in (*required[:1], *optional):
            yield self._member(
                os, obj, tables.names[name], layout.NAMED + name, tables.values[name], core.default, value
            )
        if at.others:
            for tag, word in self._words(at.others).items():
                if tag < layout.NAMED:
                    for move, node, after in core.moves:
                        if move == tag and (after != at.core or any_move):
                            yield self._member(os, obj, word, tag, node, after, value)

    def _member(self, os: int, obj: int, name: bytes, tag: int, node: int, core: int, value: Value) -> _Edge:
        def make() -> tuple[bytes, int] | None:
            text = value(node)
            if text is None:
                return None
            data = _EMPTY if tag >= layout.NAMED else np.frombuffer(name, np.uint8)
            return name + self.style.colon + text, self.program.call(machine.add_key, os, tag, core, data)

        other_name = b"" if tag >= layout.NAMED else name
        return _Edge(self._member_bytes(name), self._bound(core, obj), make, other_name)

    def _item_edges(self, number: int, value: Value, any_move: bool) -> Iterator[_Edge]:
        core = self.program.core(number)
        for _, node, after in core.moves:
            if core.captures:
                yield _Edge(1, 0, self._captured(node, after, value))
            elif after != number or any_move:
                yield _Edge(1, self._bound(after, -1), self._item(node, after, value))

    def _item(self, node: int, after: int, value: Value) -> Callable[[], tuple[bytes, int] | None]:
        def make() -> tuple[bytes, int] | None:
            text = value(node)
            return None if text is None else (text, after)

        return make

    def _captured(self, node: int, pending: int, value: Value) -> Callable[[], tuple[bytes, int] | None]:
        def make() -> tuple[bytes, int] | None:
            text = value(node)
            return None if text is None else (text, self.program.core_after(pending, text))

        return make

    # -- search -------------------------------------------------------------------------------------------------------------------

    def _search(
        self,
        start: int,
        edges: Callable[[int], Iterator[_Edge]],
        closes: Callable[[int], bool],
        bound: Callable[[int], int],
        separator: bytes,
        closing: bytes,
        after_value: bool,
    ) -> Way | None:
        ties = itertools.count()
        greedy = False
        paths: list[tuple[int, bytes, bytes]] = [(-1, b"", b"")]  # path before, member or item, other name
        best: dict[int, int] = {}
        n_states = 0
        limit = self.program.limits.max_completion_bytes

        heap: list[_Entry] = []
        self._to_explore = _EXPLORED

        def put(done: int, rest: int, path: int, what: int | _Edge) -> None:
            priority = (rest, done) if greedy else (done + rest, -done)
            heapq.heappush(heap, (priority, next(ties), done, rest, path, what))

        put(0, bound(start), 0, start)
        while heap:
            _, _, done, _, path, what = heapq.heappop(heap)
            if isinstance(what, _Edge):
                made = what.make()
                if made is not None:
                    text, after = made
                    done += len(text) - what.least
                    if done > limit:
                        raise LimitExceeded(done, limit, "max_completion_bytes")
                    if done < best.get(after, _FAR):
                        paths.append((path, text, what.other_name))
                        put(done, bound(after), len(paths) - 1, after)
                continue
            if done >= best.get(what, _FAR):
                continue
            best[what] = done
            if closes(what):
                texts, names = [], []
                while path > 0:
                    path, text, name = paths[path]
                    texts.append(text)
                    names.append(name)
                head = separator if texts and after_value else b""
                return Way(head + separator.join(reversed(texts)) + closing, tuple(filter(None, names)))
            n_states += 1
            self.work += 1
            if n_states > _STATES:
                raise LimitExceeded(n_states, _STATES, hint="no completion of an object or array is found within them")
            if n_states == _EXACT:
                greedy = True
                heap = [((entry[3], entry[2]), *entry[1:]) for entry in heap]
                heapq.heapify(heap)
            n_edges = 0
            for edge in edges(what):
                put(done + edge.least + len(separator), edge.bound, path, edge)
                n_edges += 1
            if n_states < _EXACT:  # wide states use up the exact part sooner
                n_states = min(n_states + n_edges // _MOVES, _EXACT - 1)
        return None

    def _bound(self, core: int, obj: int) -> int:
        """Bytes that the core automaton needs from a state on, at least: values of one byte, names that may come again."""
        if (core, obj) not in self._bounds and self._to_explore > 0:
            self._explore(core, obj)
        return self._bounds.get((core, obj), 0)

    def _explore(self, first: int, obj: int) -> None:
        """Bounds of the core states that are reached from `first`, as if those beyond _EXPLORED and pending ones could close."""
        order = [first]
        known = {first}
        beyond: set[int] = set()
        back: dict[int, list[tuple[int, int]]] = {}
        heap: list[tuple[int, int]] = []
        for core in order:
            if (core, obj) in self._bounds:
                heap.append((self._bounds[(core, obj)], core))
                continue
            self._to_explore -= 1
            self.work += 1
            if self._to_explore < 0:
                beyond.add(core)
                heap.append((0, core))
                continue
            if self.program.core(core).can_close:
                heap.append((0, core))
                continue
            self._to_explore -= len(self.program.core(core).moves) // _MOVES
            for cost, after in self._core_edges(core, obj):
                if after < 0:
                    heap.append((cost, core))
                    continue
                back.setdefault(after, []).append((cost, core))
                if after not in known:
                    known.add(after)
                    order.append(after)
        heapq.heapify(heap)
        done: set[int] = set()
        while heap:
            cost, core = heapq.heappop(heap)
            if core in done:
                continue
            done.add(core)
            if core not in beyond:
                self._bounds[(core, obj)] = cost
            for more, before in back.get(core, ()):
                if before not in done:
                    heapq.heappush(heap, (cost + more, before))

    def _core_edges(self, core: int, obj: int) -> Iterator[tuple[int, int]]:
        """(bytes, next core state) of the moves of a core state, -1 for a pending one."""
        state = self.program.core(core)
        if obj < 0:
            for _, _, after in state.moves:
                yield 1 + len(self.style.item_comma), -1 if state.captures else after
            return
        names = self.program.objects[obj].names
        for tag, _, after in state.moves:
            name = names[tag - layout.NAMED] if tag >= layout.NAMED else b'""'
            yield self._member_bytes(name) + len(self.style.comma), after
        if state.default >= 0:
            yield self._member_bytes(b'""') + len(self.style.comma), state.default


def last_item(text: bytes) -> bytes:
    """The JSON value that a text ends with; the text may begin in the middle of what stands before it."""
    depth = 0
    at = len(text)
    while at > 0:
        byte = text[at - 1]
        if byte == ord('"'):
            at = _opening_quote(text, at - 1)
            if depth == 0:
                break
            continue
        if byte in b"[{":
            if depth == 0:
                break
            depth -= 1
        elif byte in b"]}":
            depth += 1
        elif depth == 0 and byte in b",: \t\r\n":
            break
        at -= 1
        if depth == 0 and byte in b"[{":
            break
    return text[at:]


def _opening_quote(text: bytes, closing: int) -> int:
    """Where the string begins whose closing quote stands at `closing`: an even number of backslashes is before its opening quote."""
    at = closing
    while at > 0:
        at -= 1
        if text[at] == ord('"'):
            n = at
            while n > 0 and text[n - 1] == ord("\\"):
                n -= 1
            if (at - n) % 2 == 0:
                break
    return at
