"""Tables of the machine: allocated from the kernels' memory map, grown on request, reused between programs.

An `Arena` owns the numpy arrays of one context and keeps them alive. Fresh memory is slow to touch, so programs that are dropped give
their arena back to a small pool and the next program resets only what was used.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

from structgen.errors import LimitExceeded
from structgen.kernels import intern, layout
from structgen.kernels.memory import address_of

_ITEM_BYTES = {"i4": 4, "i8": 8, "u1": 1}


class Arena:
    """The tables of one memory map (`layout.PROGRAM` or `layout.LEXICON`) behind one int64 context array.

    context: int64 [slots], addresses, counts, capacities. Raises LimitExceeded when the tables would take more than max_bytes.
    """

    def __init__(self, slots: Any, max_bytes: int, limit_name: str) -> None:
        self.max_bytes, self.limit_name = max_bytes, limit_name
        self.n_bytes = 0
        self.context = np.zeros(slots.size, np.int64)
        self.groups: list[dict[str, Any]] = list(slots.groups.values())
        self.tables: dict[int, np.ndarray] = {}
        self.names = {group["index"]: name for name, group in slots.groups.items()}
        self.by_name = slots.groups
        self._counts = np.array([group["slots"]["count"] for group in self.groups])
        self._hashed = [(group["slots"]["count"], group["slots"]["head"]) for group in self.groups if group["hashed"]]
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
            new = np.empty(max(1, capacity * width), dtype)
            old = self.tables.get(slots[table])
            if old is not None:
                new[: count * width] = old[: count * width]
            self.tables[slots[table]] = new
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

    def reserve(self, name: str, rows: int) -> int:
        """Make room for `rows` more rows of a group; returns the first free row. The caller raises the count with `take`."""
        group = self.by_name[name]
        slots = group["slots"]
        count = self.context.item(slots["count"])
        if count + rows > self.context.item(slots["cap"]):
            self.grow(group["index"], count + rows)
        return count  # type: ignore[no-any-return]

    def take(self, name: str, rows: int) -> int:
        """Reserve rows and raise the count; returns the first of them."""
        first = self.reserve(name, rows)
        self.context[self.by_name[name]["slots"]["count"]] = first + rows
        return first

    def table(self, name: str, column: str) -> np.ndarray:
        """A group's column; the array changes when the group grows."""
        return self.tables[self.by_name[name]["slots"][column]]

    def count(self, name: str) -> int:
        return int(self.context[self.by_name[name]["slots"]["count"]])

    def reset(self) -> None:
        """Forget all rows; the memory stays."""
        for count, head in self._hashed:
            if self.context[count]:
                self.tables[head].fill(-1)
        self.context[self._counts] = 0


class ArenaPool:
    """Program arenas for reuse; keeps a few small ones. Safe to use from several threads."""

    def __init__(self, max_bytes: int, keep: int = 4, keep_bytes: int = 4_000_000) -> None:
        # a large one would leave a new program little room before its limit
        self._max_bytes, self._keep, self._keep_bytes = max_bytes, keep, min(keep_bytes, max_bytes // 4)
        self._free: list[Arena] = []
        self._lent: dict[weakref.ref[object], Arena] = {}
        self._lock = threading.RLock()  # a finaliser may run in the middle of `acquire`, in the same thread

    def acquire(self) -> Arena:
        with self._lock:
            if self._free:
                return self._free.pop()
        return Arena(layout.PROGRAM, self._max_bytes, "max_arena_bytes")

    def lend(self, owner: object) -> Arena:
        """An arena for as long as `owner` lives."""
        arena = self.acquire()
        self._lent[weakref.ref(owner, self._owner_died)] = arena
        return arena

    def _owner_died(self, owner: weakref.ref[object]) -> None:
        self.release(self._lent.pop(owner))

    def release(self, arena: Arena) -> None:
        if arena.n_bytes > self._keep_bytes:
            return
        arena.reset()
        with self._lock:
            if len(self._free) < self._keep:
                self._free.append(arena)
