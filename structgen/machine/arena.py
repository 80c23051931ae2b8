"""Tables of the machine: allocated from the kernels' memory map, grown on request, reused between programs.

An `Arena` owns the numpy arrays of one context and keeps them alive. Fresh memory is slow to touch, so programs that are dropped give
their arena back to a small pool and the next program resets only what was used.
"""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any, Literal

import numpy as np

from structgen.errors import LimitExceeded, Limits
from structgen.kernels import intern, layout
from structgen.kernels.memory import address_of

_ITEM_BYTES = {"i4": 4, "i8": 8, "u1": 1}
_VIEW_FORMATS: dict[str, Literal["i", "q", "B"]] = {"i4": "i", "i8": "q", "u1": "B"}
# Groups (by number) whose rows a limit counts: its field, the slot of the capacity, and rows for each unit (the stack has an entry for
# each configuration of each byte of the longest branch of a walk).
_PROGRAM_GROUPS: dict[str, dict[str, Any]] = layout.PROGRAM.groups
COUNTED_GROUPS: dict[int, tuple[str, int, int]] = {
    _PROGRAM_GROUPS[group]["index"]: (limit, _PROGRAM_GROUPS[group]["slots"]["cap"], rows)
    for group, limit, rows in (
        ("states", "max_states", 1),
        ("frames", "max_frames", 1),
        ("stack", "max_configurations", 16),
    )
}


class Arena:
    """The tables of one memory map (`layout.PROGRAM` or `layout.LEXICON`) behind one int64 context array.

    context: int64 [slots], addresses, counts, capacities. tables, views: by slot of the address; a view is the same memory for
    writing a few numbers from Python (a numpy array takes 2 µs for what a memoryview does in 0.2). Both change when the group grows.
    Raises LimitExceeded when the tables would take more than max_bytes.
    """

    def __init__(self, slots: Any, max_bytes: int, limit_name: str) -> None:
        self.max_bytes, self.limit_name = max_bytes, limit_name
        self.n_bytes = 0
        self.context = np.zeros(slots.size, np.int64)
        self.groups: list[dict[str, Any]] = list(slots.groups.values())
        self.tables: dict[int, np.ndarray] = {}
        self.views: dict[int, memoryview[int]] = {}
        self.address = address_of(self.context)
        self.numbers: memoryview[int] = memoryview(self.context.data).cast("B").cast("q")
        self._places = {name: (g["slots"]["count"], g["slots"]["cap"]) for name, g in slots.groups.items()}
        self.names = {group["index"]: name for name, group in slots.groups.items()}
        self.by_name = slots.groups
        for group in self.groups:
            self._allocate(group, group["capacity"])

    def _allocate(self, group: dict[str, Any], capacity: int) -> None:
        slots, context = group["slots"], self.context
        count = int(context[slots["count"]])
        growth = sum(_ITEM_BYTES[dtype] * width for dtype, width in group["tables"].values())
        growth = growth * capacity - sum(
            self.tables[slots[t]].nbytes for t in group["tables"] if slots[t] in self.tables
        )
        if self.n_bytes + growth > self.max_bytes:
            raise LimitExceeded(self.n_bytes + growth, self.max_bytes, self.limit_name)
        for table, (dtype, width) in group["tables"].items():
            # marks of nodes are compared with numbers of the present before they are set
            make = np.zeros if table in layout.ZEROED else np.empty
            new = make(max(1, capacity * width), dtype)
            old = self.tables.get(slots[table])
            if old is not None:
                new[: count * width] = old[: count * width]
            self.tables[slots[table]] = new
            self.views[slots[table]] = memoryview(new.data).cast("B").cast(_VIEW_FORMATS[dtype])
            context[slots[table]] = address_of(new)
        context[slots["cap"]] = capacity
        self.n_bytes += growth
        if group["hashed"]:
            buckets = 64
            while buckets < 2 * capacity:
                buckets *= 2
            head = np.empty(buckets, np.int32)
            self.tables[slots["head"]] = head
            context[slots["head"]] = address_of(head)
            context[slots["mask"]] = buckets - 1
            intern.rebuild(buckets - 1, head, self.tables[slots["next"]], self.tables[slots["hash"]], count)

    def grow(self, index: int, at_least: int = 0) -> None:
        """Double a group (by its index in the memory map), or more if `at_least` rows are needed."""
        group = self.groups[index]
        capacity = int(self.context[group["slots"]["cap"]])
        wanted = max(64, 2 * capacity)
        while wanted < at_least:
            wanted *= 2
        self._allocate(group, wanted)

    def take(self, name: str, rows: int) -> int:
        """Make room for `rows` more rows of a group and raise its count; returns the first of them."""
        numbers = self.numbers
        count, capacity = self._places[name]
        first: int = numbers[count]
        if first + rows > numbers[capacity]:
            self.grow(self.by_name[name]["index"], first + rows)
        numbers[count] = first + rows
        return first

    def table(self, name: str, column: str) -> np.ndarray:
        """A group's column; the array changes when the group grows."""
        return self.tables[self.by_name[name]["slots"][column]]

    def count(self, name: str) -> int:
        count: int = self.numbers[self._places[name][0]]
        return count


class ProgramArena(Arena):
    """The tables of one program, with the rows and settings in place that every program of a vocabulary and limits begins with.

    longest_token: bytes. State 0 is dead, text 0 is empty.
    """

    def __init__(self, limits: Limits, longest_token: int) -> None:
        super().__init__(layout.PROGRAM, limits.max_arena_bytes, "max_arena_bytes")
        self.limits = limits
        self._levels = np.empty(2 * (longest_token + 4), np.int32)
        hashed = [group["slots"] for group in self.groups if group["hashed"]]
        self._hashed = np.array([(slots["count"], slots["head"], slots["mask"]) for slots in hashed], np.int64)
        c = self.context
        c[layout.MAX_STEPS] = limits.max_steps
        c[layout.P_LEVELS] = address_of(self._levels)
        for name, slot, rows in COUNTED_GROUPS.values():
            c[slot] = min(c.item(slot), rows * getattr(limits, name))
        for group, first_row in (
            ("states", {"ptr": 0, "len": 0, "flags": 0, "row": -1, "hash": 0, "next": -1}),
            ("texts", {"parent": 0, "byte": 0, "hash": 0, "next": -1}),
        ):
            self.take(group, 1)
            for column, value in first_row.items():
                self.table(group, column)[0] = value
        self.first_bytes = self.n_bytes
        self._fresh = c.copy()
        self._restoring = (
            self.address, address_of(self._fresh), len(c), address_of(self._hashed), len(self._hashed)
        )  # fmt: skip

    def grow(self, index: int, at_least: int = 0) -> None:
        super().grow(index, at_least)
        name, slot, rows = COUNTED_GROUPS.get(index, ("", 0, 0))
        if name:
            self.context[slot] = min(int(self.context[slot]), rows * getattr(self.limits, name))
        places = [slot for slot_name, slot in self.groups[index]["slots"].items() if slot_name != "count"]
        self._fresh[places] = self.context[places]

    def reset(self) -> None:
        """Forget all rows but the first ones; the memory stays."""
        numbers = self.numbers
        clocks = [numbers[slot] for slot in layout.CLOCKS]
        intern.restore(*self._restoring)
        for slot, time in zip(layout.CLOCKS, clocks, strict=True):
            numbers[slot] = time  # marks of before must not be taken for those to come


class ArenaPool:
    """Program arenas for reuse; keeps a few small ones. Safe to use from several threads."""

    def __init__(self, limits: Limits, longest_token: int, keep: int = 4, keep_bytes: int = 4_000_000) -> None:
        # a large one would leave a new program little room before its limit
        self._keep, self._keep_bytes = keep, min(keep_bytes, limits.max_arena_bytes // 4)
        self._limits, self._longest_token = limits, longest_token
        self._free: list[ProgramArena] = []
        self._lent: dict[weakref.ref[object], ProgramArena] = {}
        self._lock = threading.RLock()  # a finaliser may run in the middle of `acquire`, in the same thread

    def acquire(self) -> ProgramArena:
        with self._lock:
            if self._free:
                return self._free.pop()
        return ProgramArena(self._limits, self._longest_token)

    def lend(self, owner: object) -> ProgramArena:
        """An arena for as long as `owner` lives."""
        arena = self.acquire()
        self._lent[weakref.ref(owner, self._owner_died)] = arena
        return arena

    def _owner_died(self, owner: weakref.ref[object]) -> None:
        arena = self._lent.pop(owner)
        if not sys.is_finalizing():  # kernels cannot be called any more
            self.release(arena)

    def release(self, arena: ProgramArena) -> None:
        if arena.n_bytes > self._keep_bytes:
            return
        arena.reset()
        with self._lock:
            if len(self._free) < self._keep:
                self._free.append(arena)
