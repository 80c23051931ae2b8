"""A program: the lazily built state machine of one compiled grammar.

A front-end hands over a root node and a function that compiles nodes; the kernels ask for a node when a token first reaches it. One
writer at a time: every kernel call runs under the lexicon's lock (a batch call releases the GIL, so the GIL alone does not suffice).
"""

from __future__ import annotations

import itertools
import operator
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from structgen.errors import LimitExceeded, Limits
from structgen.kernels import layout, machine
from structgen.kernels.memory import address_of
from structgen.machine.arena import COUNTED_GROUPS, ArenaPool, ProgramArena
from structgen.machine.lexicon import Lexicon
from structgen.startup import collector_paused

_serials = itertools.count(1)
_MANY = 2**31 - 1  # a count that no text reaches


class NodeAlternative(NamedTuple):
    """One way to make a value: the start state of a lexeme, and what follows it: nothing (ALT_SCALAR), the object or array number `arg`
    (ALT_OBJECT, ALT_ARRAY), or a sequence of nodes (ALT_SEQUENCE, arg from `Program.add_sequence`). ALT_NODE: the sequence alone, without
    a lexeme before it (`start` does not matter).
    """

    start: int
    kind: int
    arg: int = -1


class ObjectTables(NamedTuple):
    """An object for the machine; names are numbered in their final order.

    names: spelled bytes per name; values: node per name, -1 for names that must not come; required: names; sorted_names: names by
    their spelled bytes; classes: node per class of other names; free: every beginning of another name goes on in infinitely many;
    key_open, key_closed: start of the key lexeme with and without other names (0: none; an object with a core and declared names
    needs the latter wherever a core state admits no other names); ordered: names come in their order.
    core: the first core state, or -1; relevant: the names that only the moves of its states admit (`Program.set_core`).
    """

    names: Sequence[bytes]
    values: Sequence[int]
    required: Sequence[int]
    sorted_names: Sequence[int]
    classes: Sequence[int]
    key_open: int
    key_closed: int
    ordered: bool
    free: bool = True
    core: int = -1
    relevant: Sequence[int] = ()


class ArrayTables(NamedTuple):
    """An array for the machine: nodes of the first positions, node of later ones (-1: none), and counts (maximum None: any number).

    core: the first core state, which then says everything (`Program.set_core`), or -1.
    """

    prefix: Sequence[int]
    items: int
    minimum: int
    maximum: int | None
    core: int = -1


@dataclass(frozen=True, slots=True)
class CoreState:
    """A compiled core state, as given to `Program.set_core`."""

    can_close: bool
    moves: tuple[tuple[int, int, int], ...]
    default: int
    key: int
    captures: bool


@dataclass(frozen=True, slots=True)
class CoreObjectState:
    """An object state with a core: the declared names that may come next, the required ones that are missing, the start of the key lexeme
    if other names may come (else 0), whether the object may close."""

    tables: ObjectTables
    core: int
    names: Sequence[int]
    missing: Sequence[int]
    others: int
    can_close: bool


class Program:
    """State machine over one vocabulary.

    `compile_node(program, node)` must call `set_node`, `compile_core(program, core)` must call `set_core`;
    `item_read(program, pending, text)` returns the core state after an item with this JSON text where the state `pending` was reached.
    `compile_moves(program, core, tag)` must call `set_moves`.
    They may raise StructgenError; the latter three may be None where no object or array has a core, where no core captures items, and where
    no moves are left for later.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        pool: ArenaPool,
        compile_node: Callable[[Program, int], None],
        limits: Limits,
        compile_core: Callable[[Program, int], None] | None = None,
        item_read: Callable[[Program, int, bytes], int] | None = None,
        compile_moves: Callable[[Program, int, int], None] | None = None,
    ) -> None:
        self.lexicon, self.limits = lexicon, limits
        self._compile_node, self._compile_core, self._item_read = compile_node, compile_core, item_read
        self._compile_moves = compile_moves
        self.arena: ProgramArena = pool.lend(self)
        self.context, self.address = self.arena.context, self.arena.address
        self.lock = lexicon.lock
        numbers = self.arena.numbers
        numbers[layout.P_LEX], numbers[layout.P_SERIAL] = lexicon.arena.address, next(_serials)
        self.start_state = self.root = 0
        self.objects: list[ObjectTables] = []
        self.arrays: list[ArrayTables] = []
        self.cores: list[CoreState | None] = []
        self._sequences: dict[tuple[tuple[int, bool], ...], int] = {}
        self._parts: dict[int, tuple[tuple[int, bool], ...]] = {}

    # -- building -----------------------------------------------------------------------------------------------------------------

    def set_structural(self, lexemes: Iterable[tuple[int, int]]) -> None:
        """The (context slot, start state) of each lexeme between the values of objects and arrays; before `begin`, if there are any."""
        numbers = self.arena.numbers
        for slot, start in lexemes:
            numbers[slot] = start

    def new_node(self, count: int = 1) -> int:
        """A node that is compiled when it is first reached; the first of `count` consecutive ones."""
        node = self.arena.take("nodes", count)
        views = self.arena.views
        views[layout.N_PTR][node : node + count] = array("i", (-1,)) * count
        views[layout.N_LEN][node : node + count] = array("i", (0,)) * count
        return node

    def set_node(self, node: int, alternatives: Sequence[NodeAlternative]) -> None:
        first = self.arena.take("alternatives", len(alternatives))
        views = self.arena.views
        starts, kinds, args = views[layout.A_Q], views[layout.A_KIND], views[layout.A_ARG]
        for i, (start, kind, arg) in enumerate(alternatives, first):
            starts[i], kinds[i], args[i] = start, kind, arg
        views[layout.N_LEN][node] = len(alternatives)
        views[layout.N_PTR][node] = first

    def add_sequence(self, parts: Sequence[tuple[int, bool]]) -> int:
        """Values of nodes one after the other: (node, whether it may also be empty) for each. Equal sequences are one.

        A node that may be empty is marked where it is used; its alternatives need not tell. A value must not begin with itself (through
        ALT_NODE and parts that may be empty): left recursion is removed by the front-end, and refused with ValueError when it is reached.
        """
        key = tuple((node, bool(nullable)) for node, nullable in parts)
        found = self._sequences.get(key)
        if found is None:
            found = self._sequences[key] = self._pool([len(key), *itertools.chain.from_iterable(key)])
            self._parts[found] = key
        return found

    def sequence(self, number: int) -> tuple[tuple[int, bool], ...]:
        """The parts of a sequence."""
        return self._parts[number]

    def new_core(self) -> int:
        """A core state that is compiled when it is first reached."""
        core = self.arena.take("cores", 1)
        row = self.arena.table("cores", "row")[core * layout.CORE_WIDTH : (core + 1) * layout.CORE_WIDTH]
        row[:] = 0
        row[layout.CORE_PTR] = -1
        self.cores.append(None)
        return core

    def new_pending(self, can_close: bool, more: bool, lookahead: int = -1) -> int:
        """A core state that stands for one that `item_read` names, when it is known whether the array may close and go on there.

        Masks then look at the item's text only for tokens that reach beyond the comma after it. A state from `new_core` may be used where
        that is not known. lookahead: a core state whose items begin just as those after this item do, whatever its text is; masks then look
        at the text only for tokens that reach the end of a further item or go into its brackets. For unique items that is the state before
        the item, where the nodes of its moves are strings or numbers that go on in infinitely many ways from every beginning (no bound
        on length or value, no pattern), lists of values (`add_trie`), objects and arrays; not booleans or null.
        """
        core = self.new_core()
        flags = layout.CORE_SURE | (layout.CORE_CLOSES if can_close else 0) | (layout.CORE_MORE if more else 0)
        row = self.arena.table("cores", "row")[core * layout.CORE_WIDTH : (core + 1) * layout.CORE_WIDTH]
        row[layout.CORE_FLAGS], row[layout.CORE_DEFAULT] = flags, lookahead
        return core

    def set_core(
        self,
        core: int,
        can_close: bool,
        moves: Sequence[tuple[int, int, int]],
        default: int = -1,
        key: int = 0,
        captures: bool = False,
    ) -> None:
        """Compile a core state: whether the object or array may close in it, and how it goes on.

        moves: (tag, node, next core state). Of an object, tag layout.NAMED + i is its declared name i if that is relevant, a smaller tag
        a class of other names; of an array the tag is 0. Several moves may have one tag: each is tried. default: the core state after a
        declared name that is not relevant, -1 if none may come. key: 0 if no other names may come, 1 if those of the object's own key
        lexeme may, else the start of a key lexeme of this state's own; each class of names in it needs a move. captures, of an array:
        the next core states of the moves are pending: `item_read` tells the state when the item has ended, from its text.
        A single move (tag, layout.LATER, -1) of a declared name stands for its moves, of which there are some: `compile_moves` gives them
        when the name is first read.

        The state must be live (some sequence of moves closes it, with what the object requires natively), and each node must have a value.
        """
        moves = tuple(sorted(moves, key=operator.itemgetter(0)))
        first = self._add_moves(moves)
        self.cores[core] = CoreState(bool(can_close), moves, default, key, captures)
        flags = (layout.CORE_CLOSES if can_close else 0) | (layout.CORE_OTHERS if key else 0)
        flags |= layout.CORE_CAPTURES if captures else 0
        row = self.arena.table("cores", "row")[core * layout.CORE_WIDTH : (core + 1) * layout.CORE_WIDTH]
        row[layout.CORE_N], row[layout.CORE_FLAGS], row[layout.CORE_DEFAULT] = len(moves), flags, default
        row[layout.CORE_KEY] = key if key > 1 else 0
        row[layout.CORE_PTR] = first

    def _add_moves(self, moves: Sequence[tuple[int, int, int]]) -> int:
        first = self.arena.take("core_moves", len(moves))
        if moves:
            table = np.array(moves, np.int32)
            for column, name in enumerate(("tag", "node", "next")):
                self.arena.table("core_moves", name)[first : first + len(moves)] = table[:, column]
        return first

    def set_moves(self, core: int, tag: int, moves: Sequence[tuple[int, int]]) -> None:
        """Give the moves (node, next core state) with one tag of a core state, where they were left for later."""
        old = self.cores[core]
        if old is None or (tag, layout.LATER, -1) not in old.moves:
            raise ValueError(f"core state {core} has no moves left for later with tag {tag}")
        at = old.moves.index((tag, layout.LATER, -1))
        own = tuple((tag, node, after) for node, after in moves)
        self.cores[core] = replace(old, moves=old.moves[:at] + own + old.moves[at + 1 :])
        row = self.arena.table("cores", "row")[core * layout.CORE_WIDTH : (core + 1) * layout.CORE_WIDTH]
        if len(own) == 1:
            place = int(row[layout.CORE_PTR]) + at
            for name, value in zip(("node", "next"), own[0][1:], strict=True):
                self.arena.table("core_moves", name)[place] = value
            return
        first = self._add_moves(self.cores[core].moves)  # type: ignore[union-attr]
        row = self.arena.table("cores", "row")[core * layout.CORE_WIDTH : (core + 1) * layout.CORE_WIDTH]
        row[layout.CORE_N], row[layout.CORE_PTR] = len(old.moves) + len(own) - 1, first

    def core(self, core: int) -> CoreState:
        """A core state, which is compiled if need be, with all its moves."""
        found = self.outlined_core(core)
        later = [tag for tag, node, _ in found.moves if node == layout.LATER]
        if later:
            with self.lock:
                for tag in later:
                    self._give_moves(core, tag)
            found = self.outlined_core(core)
        return found

    def outlined_core(self, core: int) -> CoreState:
        """A core state, which is compiled if need be; moves may be left for later."""
        found = self.cores[core]
        if found is None:
            with self.lock:
                found = self._compiled_core(core)
        return found

    def _give_moves(self, core: int, tag: int) -> None:
        if self._compile_moves is None:
            raise ValueError("a program with moves left for later needs compile_moves")
        self._compile_moves(self, core, tag)
        state = self.cores[core]
        if state is None or (tag, layout.LATER, -1) in state.moves:
            raise ValueError(f"compile_moves did not set the moves of core state {core} with tag {tag}")

    def _compiled_core(self, core: int) -> CoreState:
        if self._compile_core is None:
            raise ValueError("a program with core states needs compile_core")
        self._compile_core(self, core)
        found = self.cores[core]
        if found is None:
            raise ValueError(f"compile_core did not set core state {core}")
        return found

    def core_after(self, pending: int, text: bytes) -> int:
        """The core state after an item of this text where `pending` was reached."""
        if self._item_read is None:
            raise ValueError("a program with captured items needs item_read")
        core = self._item_read(self, pending, text)
        if not 0 <= core < len(self.cores):
            raise ValueError(f"item_read returned {core}, which is no core state")
        return core

    def _item_text(self, tid: int) -> bytes:
        out = np.empty(self.call(machine.item_text, tid, np.empty(0, np.uint8)), np.uint8)
        self.call(machine.item_text, tid, out)
        return out.tobytes()

    def _pool(self, values: Sequence[int]) -> int:
        first = self.arena.take("pool", len(values))
        self.arena.views[layout.POOL][first : first + len(values)] = array("i", values)
        return first

    def add_object(self, tables: ObjectTables) -> int:
        n = len(tables.values)
        required = sorted(tables.required)
        next_required: list[int] = []
        if tables.ordered:  # at position p the names p .. next_required[p] may come
            following = n
            pending = list(required)
            for position in range(n, -1, -1):
                while pending and pending[-1] >= position:
                    following = pending.pop()
                next_required.append(following)
            next_required.reverse()
        relevant = [0] * n if tables.core >= 0 else []
        for name in tables.relevant:
            relevant[name] = 1
        pool = array("i", tables.values)
        starts = [len(pool)]
        for part in (next_required, required, tables.sorted_names, tables.classes, relevant):
            pool.extend(part)
            starts.append(len(pool))
        at = self.arena.take("pool", len(pool))
        self.arena.views[layout.POOL][at : at + len(pool)] = pool
        fields = array("i", (0,)) * layout.OBJ_WIDTH
        fields[layout.O_NAMES], fields[layout.O_FREE] = n, tables.free
        fields[layout.O_VALUES], fields[layout.O_NEXT_REQUIRED], fields[layout.O_REQUIRED] = (
            at,
            at + starts[0],
            at + starts[1],
        )
        fields[layout.O_SORTED], fields[layout.O_CLASSES] = at + starts[2], at + starts[3]
        fields[layout.O_CORE], fields[layout.O_RELEVANT] = tables.core, at + starts[4]
        fields[layout.O_KEY_OPEN], fields[layout.O_KEY_CLOSED] = tables.key_open, tables.key_closed
        fields[layout.O_ORDERED], fields[layout.O_WORDS] = tables.ordered, 0 if tables.ordered else (n + 63) // 64
        fields[layout.O_N_REQUIRED] = len(required)
        fields[layout.O_LAST_REQUIRED] = required[-1] if required else -1
        row = self.arena.take("objects", 1)
        self.objects.append(tables)
        self.arena.views[layout.O_ROW][row * layout.OBJ_WIDTH : (row + 1) * layout.OBJ_WIDTH] = fields
        return row

    def add_array(self, tables: ArrayTables) -> int:
        maximum = tables.maximum
        fields = array("i", (0,)) * layout.ARR_WIDTH
        fields[layout.A_N_PREFIX], fields[layout.A_PREFIX] = len(tables.prefix), self._pool(tables.prefix)
        fields[layout.A_ITEMS] = tables.items
        fields[layout.A_MIN] = min(tables.minimum, _MANY)
        fields[layout.A_MAX] = -1 if maximum is None else min(maximum, _MANY)
        fields[layout.A_SATURATE] = max(len(tables.prefix), min(tables.minimum, _MANY)) if maximum is None else -1
        fields[layout.A_CORE] = tables.core
        row = self.arena.take("arrays", 1)
        self.arrays.append(tables)
        self.arena.views[layout.AR_ROW][row * layout.ARR_WIDTH : (row + 1) * layout.ARR_WIDTH] = fields
        return row

    def add_trie(self, strings: Sequence[bytes], tags: Sequence[int], default: int = 0) -> int:
        """The start state of a trie over byte strings (unique, sorted); other strings go on in the table state `default` (0: none)."""
        # the arrays live until the call returns; addresses are taken apart much sooner than numpy arrays
        data = array("B", b"".join(strings))
        starts = array("i", itertools.accumulate(map(len, strings), initial=0))
        tag_of = array("i", tags)
        addresses = data.buffer_info()[0], starts.buffer_info()[0], tag_of.buffer_info()[0]
        return self.call(machine.make_trie, *addresses, len(tag_of), default)

    def begin(self, node: int, leading_space: int, nullable: bool = False) -> None:
        """Set the start state: a value of `node`, after an optional lexeme `leading_space` (0: none). nullable: or the empty text."""
        self.root = node
        with self.lock:
            if self.arena.views[layout.N_PTR][node] < 0:  # else the kernel would ask for it and have to be called again
                self._compile_node(self, node)
        self.start_state = self.call(machine.initial_state, node, leading_space, int(nullable))

    # -- running ------------------------------------------------------------------------------------------------------------------

    def call(self, kernel: Callable[..., int], *arguments: Any) -> int:
        """Run a kernel on this program under the lock, provide what it asks for, and return its result (>= 0).

        Raises LimitExceeded, or what compiling a node raises; tables stay consistent and the call may be repeated.
        """
        flushed = False
        steps = 0
        with self.lock:
            result = kernel(self.address, *arguments)
            if result != layout.NEED:
                return result
            with (
                collector_paused()
            ):  # a collection would be most of the time of many a slow mask; it comes when the mask is there
                while True:
                    steps += int(self.context[layout.STEPS])
                    self.context[layout.STEPS] = 0  # not every kernel counts
                    if steps > 2 * self.limits.max_steps:  # a call that is repeated does part of its work again
                        limit = self.limits.max_steps
                        raise LimitExceeded(f"more than {2 * limit} steps for one mask or token", limit, "max_steps")
                    flushed = self.provide(flushed)
                    result = kernel(self.address, *arguments)
                    if result != layout.NEED:
                        return result

    def provide(self, flushed: bool) -> bool:
        """Provide what the last kernel call asked for; the caller holds the lock and repeats the call.

        flushed: whether records were flushed for this call already; returns whether they are now. Raises LimitExceeded (also where one
        call needs more records than the limit lets be kept: it would flush for ever), or what compiling a node raises.
        """
        kind, argument = int(self.context[layout.NEED_KIND]), int(self.context[layout.NEED_ARG])
        if kind == layout.NEED_NODE:
            self._compile_node(self, argument)
        elif kind == layout.NEED_CORE:
            self._compiled_core(argument)
        elif kind == layout.NEED_MOVES:
            self._give_moves(argument, int(self.context[layout.NEED_TEXT]))
        elif kind == layout.NEED_ITEM:
            tid = int(self.context[layout.NEED_TEXT])
            self.call(machine.set_item, argument, tid, self.core_after(argument, self._item_text(tid)))
        elif kind == layout.NEED_GROW:
            self._grow(argument)
        elif kind == layout.NEED_LEXICON:
            self.lexicon.grow(argument)
        elif kind == layout.NEED_CYCLE:
            raise ValueError(
                f"a value of node {argument} may begin with itself: the front-end must remove left recursion"
            )
        elif kind == layout.NEED_STEPS:
            limit = self.limits.max_steps
            raise LimitExceeded(f"more than {limit} steps for one mask or token", limit, "max_steps")
        elif flushed:
            limit = self.limits.max_record_bytes
            raise LimitExceeded(f"more than {limit} bytes of records for one state", limit, "max_record_bytes")
        else:
            self.lexicon.flush()
            return True
        return flushed

    def _grow(self, group: int) -> None:
        name, slot, rows = COUNTED_GROUPS.get(group, ("", 0, 0))
        limit = rows * getattr(self.limits, name) if name else _MANY
        if name and self.context[slot] >= limit:
            raise LimitExceeded(limit + 1, limit, name)
        self.arena.grow(group)

    @property
    def is_full(self) -> bool:
        """Whether half of some limit is taken, by states that texts have left behind: a new text had better start in a new program."""
        n_bytes = self.arena.n_bytes
        if n_bytes > self.limits.max_arena_bytes // 2 and n_bytes >= 2 * self.arena.first_bytes:
            return True
        return 2 * self.n_states > self.limits.max_states or 2 * self.arena.count("frames") > self.limits.max_frames

    def allowed_tokens(self, state: int, tid: int) -> list[int]:
        """The tokens of a state's mask (end tokens included), ascending."""
        row = np.empty(self.lexicon.n_words, np.int32)
        self.call(machine.fill, state, tid, address_of(row))
        allowed = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little"))
        return [int(token) for token in allowed]

    def advance_all(self, state: int, tid: int, tokens: np.ndarray) -> np.ndarray:
        """State and captured text after each of some tokens (int64 [n]), packed as text << 32 | state; 0 where a token is refused."""
        out = np.zeros(len(tokens), np.int64)
        done, asking, flushed = 0, -1, False
        with self.lock:
            while True:
                done = machine.advance_many(self.address, state, tid, tokens, out, done)
                if done == len(tokens):
                    return out
                if done != asking:
                    asking, flushed = done, False
                flushed = self.provide(flushed)

    def frame(self, number: int) -> tuple[int, int, int, int]:
        """(kind, a, b, parents) of a frame."""
        table = self.arena.table
        return tuple(int(table("frames", column)[number]) for column in ("kind", "a", "b", "parents"))  # type: ignore[return-value]

    def bits_of(self, k: int) -> int:
        """The bits (layout.B_*) of a frame or a set of frames."""
        group, number = ("frames", k) if k >= 0 else ("frame_sets", ~k)
        return int(self.arena.table(group, "bits")[number])

    def object_core(self, os: int) -> int:
        """The core state of an object state, or -1."""
        return int(self.arena.table("object_states", "row")[os * layout.OS_WIDTH + layout.OS_CORE])

    def key_lexeme(self, os: int) -> int:
        """The start of the key lexeme of an object state."""
        return int(self.arena.table("object_states", "row")[os * layout.OS_WIDTH + layout.OS_READ])

    def text(self, tid: int) -> bytes:
        """A captured text."""
        parents, bytes_ = self.arena.table("texts", "parent"), self.arena.table("texts", "byte")
        out = bytearray()
        while tid > 0:
            out.append(int(bytes_[tid]))
            tid = int(parents[tid])
        return bytes(reversed(out))

    def frames_of(self, k: int) -> list[int]:
        """The frames of a frame or a set of frames."""
        if k >= 0:
            return [k]
        first = int(self.arena.table("frame_sets", "ptr")[~k])
        frames = self.arena.table("frame_set_items", "frame")[
            first : first + int(self.arena.table("frame_sets", "len")[~k])
        ]
        return [int(f) for f in frames]

    def configurations(self, state: int) -> list[tuple[int, int]]:
        """The (q, k) pairs of a state."""
        first, n = int(self.arena.table("states", "ptr")[state]), int(self.arena.table("states", "len")[state])
        q = self.arena.table("configurations", "q")[first : first + n].tolist()
        return list(zip(q, self.arena.table("configurations", "k")[first : first + n].tolist(), strict=True))

    def closed_configurations(self, state: int, tid: int) -> list[tuple[int, int]]:
        """The configurations of a state and of what follows those that may end here."""
        out: list[tuple[int, int]] = []
        work = self.configurations(state)
        while work:
            q, k = work.pop(0)
            if (q, k) in out:
                continue
            out.append((q, k))
            tag = self.call(machine.tag_at, q)
            if tag:
                work.extend(self.configurations(self.call(machine.follow_at, k, tag - 1, tid)))
        return out

    def alternatives(self, node: int) -> list[tuple[int, int, int]]:
        """The (start, kind, arg) triples of a node, which is compiled if need be."""
        with self.lock:
            if self.arena.table("nodes", "ptr")[node] < 0:
                self._compile_node(self, node)
        first, n = int(self.arena.table("nodes", "ptr")[node]), int(self.arena.table("nodes", "len")[node])
        columns = (
            self.arena.table("alternatives", column)[first : first + n].tolist() for column in ("q", "kind", "arg")
        )
        return list(zip(*columns, strict=True))

    def forget_masks(self) -> None:
        """Build finished masks again when they are next asked for."""
        with self.lock:
            self.arena.table("states", "row")[: self.n_states] = -1

    def object_number(self, os: int) -> int:
        """The object that an object state belongs to."""
        return int(self.arena.table("object_states", "row")[os * layout.OS_WIDTH + layout.OS_OBJECT])

    def object_state(self, os: int) -> tuple[ObjectTables, list[int], int]:
        """Of an object state: its tables, the names that may still come (by number), and the start of its key lexeme."""
        row = self.arena.table("object_states", "row")[os * layout.OS_WIDTH : (os + 1) * layout.OS_WIDTH].tolist()
        tables = self.objects[row[layout.OS_OBJECT]]
        left = self._unused(tables, row)
        if row[layout.OS_CORE] >= 0:
            core = self.outlined_core(row[layout.OS_CORE])
            admitted = {tag - layout.NAMED for tag, _, _ in core.moves}
            if core.default >= 0:
                admitted.update({i for i, node in enumerate(tables.values) if node >= 0}.difference(tables.relevant))
            return tables, [i for i in left if i in admitted], row[layout.OS_READ]
        return tables, [i for i in left if tables.values[i] >= 0], row[layout.OS_READ]

    def _unused(self, tables: ObjectTables, row: list[int]) -> list[int]:
        n = len(tables.values)
        if tables.ordered:
            return list(range(row[layout.OS_POSITION], n))
        first = row[layout.OS_SEEN]
        words = self.arena.table("seen", "word")[first : first + (n + 63) // 64].tolist()
        return [i for i in range(n) if not words[i >> 6] >> (i & 63) & 1]

    def core_object_state(self, os: int) -> CoreObjectState:
        """What the state of an object with a core allows next."""
        row = self.arena.table("object_states", "row")[os * layout.OS_WIDTH : (os + 1) * layout.OS_WIDTH].tolist()
        tables, names, read = self.object_state(os)
        unused = set(self._unused(tables, row))
        missing = [name for name in sorted(tables.required) if name in unused]
        if tables.ordered and missing:
            names = [name for name in names if name <= missing[0]]
        flags = row[layout.OS_FLAGS]
        others = read if flags & layout.OS_OTHER else 0
        return CoreObjectState(tables, row[layout.OS_CORE], names, missing, others, bool(flags & layout.OS_CAN_CLOSE))

    @property
    def n_states(self) -> int:
        """States built so far."""
        return self.arena.count("states")
