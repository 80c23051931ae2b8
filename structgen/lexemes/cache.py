"""A cache of automata that is bounded by what it holds.

An automaton has between 2 and 200,000 states, so a bound on the number of entries bounds nothing. In: hashable keys, values with a
number of table cells (4 bytes each). Thread-safe. Turned down: weak references (the same pattern comes again in the next schema).
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Generic, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np

Key = TypeVar("Key")
Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")
_OVERHEAD = 512  # cells for what an automaton has besides its transitions, about


class Automaton(Protocol):
    """What has a table of transitions."""

    @property
    def trans(self) -> np.ndarray: ...


Built = TypeVar("Built", bound=Automaton)


class CellCache(Generic[Key, Value]):
    """A cache bounded by the table cells that it holds; the entries used longest ago go first."""

    def __init__(self, max_cells: int) -> None:
        self.max_cells, self.cells = max_cells, 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The value stored under a key, None if there is none."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: Key, value: Value, cells: int) -> None:
        """Store a value of so many cells, unless it alone would fill an eighth of the cache."""
        if cells * 8 > self.max_cells:
            return
        with self._lock:
            replaced = self._entries.pop(key, None)
            self.cells += cells - (replaced[1] if replaced else 0)
            self._entries[key] = value, cells
            while self.cells > self.max_cells:
                _, (_, dropped) = self._entries.popitem(last=False)
                self.cells -= dropped


def cached_by_cells(max_cells: int) -> Callable[[Callable[Arguments, Built]], Callable[Arguments, Built]]:
    """Decorator: keep the automata that a function of hashable arguments makes, so many cells of them in all."""

    def decorate(function: Callable[Arguments, Built]) -> Callable[Arguments, Built]:
        cache: CellCache[Hashable, Built] = CellCache(max_cells)

        @functools.wraps(function)
        def cached(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Built:
            key = args, tuple(kwargs.items())
            found = cache.get(key)
            if found is None:
                found = function(*args, **kwargs)
                cache.put(key, found, found.trans.size + _OVERHEAD)
            return found

        return cached

    return decorate
