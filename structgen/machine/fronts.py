"""Several front-ends in one program: whatever is made while a front-end is at work belongs to it.

A JSON Schema inside a grammar, a grammar inside a template: each of them makes nodes, core states, objects and arrays of one `Program`, and
the program asks for them by number. `FrontEnds` keeps, for each kind of number, where the front-end at work changed, and so whose it is.
A front-end that makes the root of another one does so under `made_by`:

    with fronts.made_by(program, other):
        node, nullable = other.root(program)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from structgen.kernels import layout

if TYPE_CHECKING:
    from structgen.machine.program import Program

_KINDS = ("nodes", "cores", "objects", "arrays")
_NODE, _CORE, _OBJECT, _ARRAY = range(4)
_OF_OBJECT = {layout.F_OPEN: False, layout.F_KEY: True, layout.F_COLON: True, layout.F_NEXT: True, layout.F_SEP: True}
_OF_ARRAY = (layout.F_ARRAY, layout.F_ITEM, layout.F_ASEP, layout.F_CAPTURE, layout.F_LOOK)


class FrontEnd(Protocol):
    """What makes nodes of a program. It keeps no reference to the program, or the two would be a cycle."""

    def compile_node(self, program: Program, node: int) -> None:
        """Call `program.set_node` for a node of this front-end."""

    def describe(self, program: Program, q: int, k: int) -> str:
        """What lexeme state q before frames k stands for, in words; "" where this front-end cannot say."""


class CoreFrontEnd(FrontEnd, Protocol):
    """A front-end that has objects or arrays with a core; see `Program`."""

    def compile_core(self, program: Program, core: int) -> None: ...
    def item_read(self, program: Program, pending: int, text: bytes) -> int: ...
    def compile_moves(self, program: Program, core: int, tag: int) -> None: ...


class FrontEnds:
    """The front-ends of one program as one front-end."""

    def __init__(self) -> None:
        self._all: list[FrontEnd] = []
        self._current: FrontEnd | None = None
        # by kind: the first numbers made since a change of the front-end at work, and who that was
        self._firsts: list[list[int]] = [[] for _ in _KINDS]
        self._owners: list[list[FrontEnd | None]] = [[] for _ in _KINDS]

    @contextmanager
    def made_by(self, program: Program, front: FrontEnd) -> Iterator[None]:
        """What is made within belongs to `front`."""
        before = self._current
        if not any(front is known for known in self._all):
            self._all.append(front)
        self._switch(program, front)
        try:
            yield
        finally:
            self._switch(program, before)

    def _switch(self, program: Program, front: FrontEnd | None) -> None:
        self._current = front
        for kind, name in enumerate(_KINDS):
            first = program.arena.count(name)
            firsts, owners = self._firsts[kind], self._owners[kind]
            if firsts and firsts[-1] == first:
                owners[-1] = front
            elif not owners or owners[-1] is not front:
                firsts.append(first)
                owners.append(front)

    def _owner(self, kind: int, number: int) -> FrontEnd:
        place = bisect_right(self._firsts[kind], number) - 1
        owner = self._owners[kind][place] if place >= 0 else None
        if owner is None:
            raise RuntimeError(f"number {number} of the {_KINDS[kind]} was made by no front-end")
        return owner

    def _core_owner(self, core: int) -> CoreFrontEnd:
        return self._owner(_CORE, core)  # type: ignore[return-value]

    def compile_node(self, program: Program, node: int) -> None:
        front = self._owner(_NODE, node)
        with self.made_by(program, front):
            front.compile_node(program, node)

    def compile_core(self, program: Program, core: int) -> None:
        front = self._core_owner(core)
        with self.made_by(program, front):
            front.compile_core(program, core)

    def item_read(self, program: Program, pending: int, text: bytes) -> int:
        front = self._core_owner(pending)
        with self.made_by(program, front):
            return front.item_read(program, pending, text)

    def compile_moves(self, program: Program, core: int, tag: int) -> None:
        front = self._core_owner(core)
        with self.made_by(program, front):
            front.compile_moves(program, core, tag)

    def describe(self, program: Program, q: int, k: int) -> str:
        """The words of the front-end that the innermost object or array belongs to; elsewhere of the first that has some."""
        kind, a, _, _ = program.frame(program.frames_of(k)[0])
        if kind in _OF_OBJECT:
            number = program.object_number(a) if _OF_OBJECT[kind] else a
            return self._owner(_OBJECT, number).describe(program, q, k)
        if kind in _OF_ARRAY:
            return self._owner(_ARRAY, a).describe(program, q, k)
        return next((words for front in self._all if (words := front.describe(program, q, k))), "")
