"""Grammars made by hand: values are specs, and objects and arrays may have a core automaton given as a Python function.

`HandMade(vocabulary, spec)` is a grammar that a `Matcher` runs on; `matches(spec, text)` is the judge of texts that knows nothing of the
machine. `json_texts` lists candidates for brute force. Texts are compact.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from structgen import Limits, Vocabulary
from structgen.kernels import layout
from structgen.lexemes.text import string_dfa
from structgen.machine.arena import ArenaPool
from structgen.machine.distance import Completions
from structgen.machine.exceptions import exclude_many
from structgen.machine.lexicon import Lexicon
from structgen.machine.matcher import Machine, Matcher
from structgen.machine.program import ArrayTables, NodeAlternative, ObjectTables, Program
from structgen.schema.lower import structural_lexemes


@dataclass(frozen=True)
class Words:
    """One of the given texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class AnyString:
    """Any string but some, given with quotes."""

    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Union:
    """One of several specs."""

    specs: tuple[Any, ...]


@dataclass(frozen=True)
class Later:
    """A spec that is made when it is needed: recursion."""

    name: str
    make: Callable[[], Any] = field(compare=False)


@dataclass(frozen=True)
class Step:
    """A core state: moves are (name, class number, or 0 for items; spec; next state).

    captures: next states go through `Core.read` with the item's text; sure: whether the array may close and go on then, if that is known,
    and perhaps the state to look ahead with.
    """

    can_close: bool
    moves: tuple[tuple[str | int, Any, Hashable], ...] = ()
    default: Hashable = None
    others: bool = False
    captures: bool = False
    sure: tuple[bool, bool] | tuple[bool, bool, Hashable] | None = None


@dataclass(frozen=True)
class Core:
    """An automaton: `step(state)` describes a state, `read(state, text)` is the state after an item that moves to `state`."""

    name: str
    start: Hashable
    step: Callable[[Any], Step] = field(compare=False)
    read: Callable[[Any, str], Hashable] = field(compare=False, default=lambda state, text: state)


@dataclass(frozen=True)
class Array:
    core: Core


@dataclass(frozen=True)
class Object:
    """values: spec by declared name (None: only the core's moves admit it); other: spec of other names, None if there are none."""

    values: tuple[tuple[str, Any], ...]
    core: Core | None = None
    required: frozenset[str] = frozenset()
    other: Any = None
    ordered: bool = False

    @property
    def relevant(self) -> list[str]:
        return [name for name, spec in self.values if spec is None]


class HandMade:
    """A grammar, as `Matcher` needs it."""

    def __init__(self, vocabulary: Vocabulary, spec: Any, limits: Limits | None = None) -> None:
        self.vocabulary, self.spec, self.limits = vocabulary, spec, limits or Limits()
        self.stop_token_ids = frozenset(vocabulary.stop_token_ids)
        self.lexicon = Lexicon(vocabulary, self.limits)
        self.pool = ArenaPool(self.limits, self.lexicon.max_token_length)
        self._machine: Machine | None = None

    def machine(self) -> Machine:
        if self._machine is None:
            self._machine = self._build()
        return self._machine

    def matcher(self) -> Matcher:
        return Matcher(self)

    def _build(self) -> Machine:
        front = _FrontEnd(self.lexicon)
        program = Program(self.lexicon, self.pool, front.compile_node, self.limits, front.compile_core, front.item_read)
        program.set_structural(front.punctuation)
        program.begin(front.node(program, self.spec), 0)
        return Machine(program, front, Completions(program))


class _FrontEnd:
    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        (self.brace, self.bracket), self.punctuation = structural_lexemes(lexicon, "compact")
        self.nodes: dict[Any, int] = {}
        self.specs: list[Any] = []
        self.cores: dict[tuple[Core, Any, Hashable], int] = {}
        self.core_states: list[tuple[Core, Any, Hashable]] = []  # by core state
        self.pending: dict[tuple[Core, Any, Hashable, tuple[Any, ...] | None], int] = {}

    def describe(self, program: Program, q: int, k: int) -> str:
        return f"q{q}"

    def node(self, program: Program, spec: Any) -> int:
        if spec not in self.nodes:
            self.nodes[spec] = program.new_node()
            self.specs.append(spec)
        return self.nodes[spec]

    def core(self, program: Program, core: Core, owner: Any, state: Hashable) -> int:
        key = (core, owner, state)
        if key not in self.cores:
            self.cores[key] = program.new_core()
            self.core_states.append(key)
        return self.cores[key]

    def pending_core(
        self, program: Program, core: Core, owner: Any, state: Hashable, sure: tuple[Any, ...] | None
    ) -> int:
        key = (core, owner, state, sure)
        if key not in self.pending:
            lookahead = [self.core(program, core, owner, look) for look in (sure or ())[2:]]
            self.pending[key] = (
                program.new_core() if sure is None else program.new_pending(sure[0], sure[1], *lookahead)
            )
            self.core_states.append((core, owner, state))
        return self.pending[key]

    def item_read(self, program: Program, pending: int, text: bytes) -> int:
        core, owner, state = self.core_states[pending]
        return self.core(program, core, owner, core.read(state, text.decode()))

    def compile_node(self, program: Program, node: int) -> None:
        program.set_node(node, list(self._alternatives(program, self.specs[node])))

    def _alternatives(self, program: Program, spec: Any) -> Iterator[NodeAlternative]:
        if isinstance(spec, Later):
            yield from self._alternatives(program, spec.make())
        elif isinstance(spec, Union):
            for one in spec.specs:
                yield from self._alternatives(program, one)
        elif isinstance(spec, Words):
            texts = sorted(text.encode() for text in spec.texts)
            yield NodeAlternative(program.add_trie(texts, [0] * len(texts)), layout.ALT_SCALAR)
        elif isinstance(spec, AnyString):
            words = [text.encode() for text in sorted(spec.without)]
            start = exclude_many(program, self._any_string(), words) if words else self._any_string()
            yield NodeAlternative(start, layout.ALT_SCALAR)
        elif isinstance(spec, Array):
            core = self.core(program, spec.core, spec, spec.core.start)
            row = program.add_array(ArrayTables((), -1, 0, None, core=core))
            yield NodeAlternative(self.bracket, layout.ALT_ARRAY, row)
        else:
            yield NodeAlternative(self.brace, layout.ALT_OBJECT, self._object(program, spec))

    def _any_string(self) -> int:
        return self.lexicon.start_of(("string", "json"), lambda: string_dfa("json"))

    def _object(self, program: Program, spec: Object) -> int:
        names = [json.dumps(name).encode() for name, _ in spec.values]
        order = sorted(range(len(names)), key=names.__getitem__)
        strings, tags = [names[i] for i in order], [layout.NAMED + i for i in order]
        number = {name: i for i, (name, _) in enumerate(spec.values)}
        return program.add_object(
            ObjectTables(
                names=names,
                values=[-1 if value is None else self.node(program, value) for _, value in spec.values],
                required=sorted(number[name] for name in spec.required),
                sorted_names=order,
                classes=[] if spec.other is None else [self.node(program, spec.other)],
                key_open=0 if spec.other is None else program.add_trie(strings, tags, self._any_string()),
                key_closed=program.add_trie(strings, tags) if strings else 0,
                ordered=spec.ordered,
                core=-1 if spec.core is None else self.core(program, spec.core, spec, spec.core.start),
                relevant=[number[name] for name in spec.relevant] if spec.core else (),
            )
        )

    def compile_core(self, program: Program, number: int) -> None:
        core, owner, state = self.core_states[number]
        step = core.step(state)
        names = {name: layout.NAMED + i for i, (name, _) in enumerate(getattr(owner, "values", ()))}
        moves = [
            (
                names[tag] if isinstance(tag, str) else tag,
                self.node(program, spec),
                self.pending_core(program, core, owner, after, step.sure)
                if step.captures
                else self.core(program, core, owner, after),
            )
            for tag, spec, after in step.moves
        ]
        default = -1 if step.default is None else self.core(program, core, owner, step.default)
        program.set_core(number, step.can_close, moves, default, int(step.others), step.captures)


# -- the judge --------------------------------------------------------------------------------------------------------------------


def matches(spec: Any, text: str) -> bool:
    """Whether a compact JSON text is in the language of a spec."""
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, parse_int=_Spelled, parse_float=_Spelled)
    except ValueError:
        return False
    return _spell(value) == text and _matches(spec, value)


class _Pairs(list):  # type: ignore[type-arg]
    """The members of an object, in order."""


class _Spelled(str):
    """A number as it was written."""


def _spell(value: Any) -> str:
    if isinstance(value, _Spelled):
        return str(value)
    if isinstance(value, _Pairs):
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_spell(v)}" for name, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_spell, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _matches(spec: Any, value: Any) -> bool:
    if isinstance(spec, Later):
        return _matches(spec.make(), value)
    if isinstance(spec, Union):
        return any(_matches(one, value) for one in spec.specs)
    if isinstance(spec, Words):
        return _spell(value) in spec.texts
    if isinstance(spec, AnyString):
        return isinstance(value, str) and not isinstance(value, _Spelled) and _spell(value) not in spec.without
    if isinstance(spec, Array):
        return isinstance(value, list) and not isinstance(value, _Pairs) and _array_matches(spec, value)
    return isinstance(value, _Pairs) and _object_matches(spec, value)


def _array_matches(spec: Array, items: Sequence[Any]) -> bool:
    states: set[Hashable] = {spec.core.start}
    for item in items:
        following: set[Hashable] = set()
        for state in states:
            step = spec.core.step(state)
            for _, one, after in step.moves:
                if _matches(one, item):
                    following.add(spec.core.read(after, _spell(item)) if step.captures else after)
        states = following
    return any(spec.core.step(state).can_close for state in states)


def _object_matches(spec: Object, members: Sequence[tuple[str, Any]]) -> bool:
    names = [name for name, _ in members]
    declared: Mapping[str, Any] = dict(spec.values)
    if len(set(names)) < len(names) or not spec.required.issubset(names):
        return False
    if spec.ordered:
        order = {name: i for i, name in enumerate(declared)}
        positions = [order.get(name, len(order)) for name in names]
        if positions != sorted(positions):
            return False
    states: set[Hashable] = {spec.core.start if spec.core else None}
    for name, value in members:
        following: set[Hashable] = set()
        for state in states:
            step = spec.core.step(state) if spec.core else Step(True, default=None)
            if name in declared and declared[name] is not None:
                if (spec.core is None or step.default is not None) and _matches(declared[name], value):
                    following.add(step.default)
            elif spec.core is None:
                if name not in declared and spec.other is not None and _matches(spec.other, value):
                    following.add(None)
            elif name in declared or (step.others and spec.other is not None):
                tag = name if name in declared else 0
                following |= {after for t, one, after in step.moves if t == tag and _matches(one, value)}
        states = following
    return any(spec.core is None or spec.core.step(state).can_close for state in states)


def json_texts(scalars: Sequence[str], names: Sequence[str], at_most: int) -> Iterator[str]:
    """Every compact text of values over these scalars and names, of at most so many characters."""
    by_length: dict[int, list[str]] = {}
    for length in range(1, at_most + 1):
        found = [text for text in scalars if len(text) == length]
        found += [f"[{body}]" for body in _rows(by_length, length - 2, [""])]
        found += [f"{{{body}}}" for body in _rows(by_length, length - 2, [json.dumps(name) + ":" for name in names])]
        by_length[length] = found
        yield from found


def _rows(by_length: Mapping[int, list[str]], length: int, prefixes: Sequence[str]) -> Iterator[str]:
    """Sequences of values, each after one of the prefixes, separated by commas, of exactly so many characters."""
    if length == 0:
        yield ""
        return
    for prefix in prefixes:
        for n in range(1, length - len(prefix) + 1):
            rest = length - len(prefix) - n
            if rest == 1:
                continue
            tails = [""] if rest == 0 else ["," + tail for tail in _rows(by_length, rest - 1, prefixes) if tail]
            for value, tail in itertools.product(by_length.get(n, []), tails):
                yield prefix + value + tail
