"""What a constraint costs, counted on its machine: for `structgen check`, so that a schema can be judged before it serves requests.

In: a matcher at the start of a text. Out: a `Cost`: the states of the outermost object or array, the work of the masks on the way to the
shortest output, and whether masks there depend on texts. Counts, not timings: the same on every machine. Values inside the outermost one
are not entered, or a recursive schema would have no count.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from structgen.kernels import layout, machine

if TYPE_CHECKING:
    from structgen.machine.matcher import Matcher
    from structgen.machine.program import Program

MAX_TOP_STATES = 1_000
# Steps of a new mask, and how long that takes (9 of 10 masks over 128k tokens, on a core of 2024; a mask that was built before is copied
# in about a microsecond)
CLASSES = ((1_000, "light", "under 50 µs"), (20_000, "medium", "under 0.2 ms"))
HEAVY = ("heavy", "above 0.2 ms")
_EMPTY = np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Cost:
    """top_states: states of the outermost value (of an object: what may still come and what must; at most `MAX_TOP_STATES` are counted,
    then is_capped). mask_steps: the most configurations that one mask looks at on the way to the shortest output; mask_class: "light",
    "medium" or "heavy"; mask_time: what that means."""

    top_states: int
    is_capped: bool
    mask_steps: int
    mask_class: str
    mask_time: str


def cost_of(matcher: Matcher) -> Cost:
    """The cost of a matcher's constraint. The matcher stands at the start; it is not moved. Raises LimitExceeded as masks do."""
    program = matcher.program
    count = sum(1 for _ in itertools.islice(_top_states(program, program.root), MAX_TOP_STATES + 1))
    steps = _most_steps(matcher)
    name, time = next(((name, time) for most, name, time in CLASSES if steps <= most), HEAVY)
    return Cost(min(count, MAX_TOP_STATES), count > MAX_TOP_STATES, steps, name, time)


def _most_steps(matcher: Matcher) -> int:
    program = matcher.program
    row = np.empty((1, program.lexicon.n_words), np.int32)
    tokens = matcher.shortest_completion()
    most = 0
    for is_counted in (False, True):  # first what masks share is built, which belongs to none of them
        walker = matcher.fork()
        program.forget_masks()
        for token in [*tokens, None]:
            program.context[layout.STEPS] = 0
            walker.fill_next_token_bitmask(row, 0)
            if is_counted:
                most = max(most, int(program.context[layout.STEPS]))
            if token is not None and not walker.accept_token(token):
                raise RuntimeError(f"token {token} of the shortest completion was refused")
    return most


def _top_states(program: Program, node: int) -> Iterator[int]:
    for kind, number in _first_alternatives(program, node):
        if kind == layout.ALT_OBJECT:
            yield from _reached(program.call(machine.open_object, number), lambda os: _after_members(program, os))
        elif kind == layout.ALT_ARRAY and program.arrays[number].core >= 0:
            yield from _reached(program.arrays[number].core, lambda core: _after_items(program, core))
        elif kind == layout.ALT_ARRAY:
            tables = program.arrays[number]
            most = max(len(tables.prefix), tables.minimum) if tables.maximum is None else tables.maximum
            yield from range(most + 1)
        else:
            yield 0


def _first_alternatives(program: Program, node: int) -> Iterator[tuple[int, int]]:
    """(kind, arg) of the alternatives of a node and of those that its values may begin with, nested ones replaced by these."""
    seen = {node}
    work = [node]
    while work:
        for _, kind, number in program.alternatives(work.pop()):
            if kind != layout.ALT_NODE:
                yield kind, number
                continue
            for child, nullable in program.sequence(number):
                if child not in seen:
                    seen.add(child)
                    work.append(child)
                if not nullable:
                    break


def _reached(start: int, following: Callable[[int], Iterator[int]]) -> Iterator[int]:
    seen = {start}
    work = [start]
    while work:
        state = work.pop()
        yield state
        for after in following(state):
            if after not in seen:
                seen.add(after)
                work.append(after)


def _after_members(program: Program, os: int) -> Iterator[int]:
    """The object states after one more member."""
    core = program.object_core(os)
    tables, names, _ = program.object_state(os)
    moves = program.core(core).moves if core >= 0 else ()
    relevant = set(tables.relevant)
    for name in names:
        tag = layout.NAMED + name
        if core < 0:
            yield program.call(machine.add_key, os, tag, -1, _EMPTY)
        elif name not in relevant:
            yield program.call(machine.add_key, os, tag, program.core(core).default, _EMPTY)
    for tag, _, after in moves:
        if tag < layout.NAMED or tag - layout.NAMED in names:
            yield program.call(machine.add_key, os, tag, after, _EMPTY)
    if core < 0 and tables.key_open:
        yield program.call(machine.forget_extras, program.call(machine.add_key, os, 0, -1, _EMPTY))


def _after_items(program: Program, core: int) -> Iterator[int]:
    """The core states after one more item, as far as no text of an item decides on them."""
    state = program.core(core)
    if not state.captures:
        for _, _, after in state.moves:
            yield after
