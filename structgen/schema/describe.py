"""Lexemes and frames of a JSON Schema in words, with the place in the schema: for `Matcher.explain`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from structgen.kernels import layout
from structgen.lexemes.numbers import NumberSpec
from structgen.machine.distance import Distances
from structgen.machine.program import Program
from structgen.schema.alternatives import String

if TYPE_CHECKING:
    from structgen.schema.lower import Lowering

_NAMES_SHOWN = 6


class SchemaDescriber:
    """Describes configurations of one schema's program."""

    def __init__(self, lowering: Lowering) -> None:
        self._lowering = lowering
        self._distances: Distances | None = None

    def _words(self, program: Program, q: int) -> dict[int, bytes]:
        if self._distances is None:
            self._distances = Distances(program)
        return self._distances.words(q)

    def describe(self, program: Program, q: int, k: int) -> str:
        """An expectation such as "a number of at least 0 (#/properties/age)"."""
        kind, a, b, _ = program.frame(program.frames_of(k)[0])
        low = q & layout.LOW
        key = program.lexicon.key_of(low) if low < layout.LOCAL else None
        if kind == layout.F_KEY:
            return self._names(program, a, q)
        place = self._place(program, kind, a, b)
        default = self._default(program, low) if key is None else 0
        if default:
            key = program.lexicon.key_of(default)
        what = self._value(program, q) if key is None else _lexeme(key)
        what += " other than those that are excluded" if default else ""
        return f"{what} ({place})" if place else what

    @staticmethod
    def _default(program: Program, low: int) -> int:
        """The state of a lexeme that a state of a trie goes on in, 0 if there is none."""
        return int(program.arena.table("trie", "default")[low - layout.LOCAL])

    def _value(self, program: Program, q: int) -> str:
        text = min(self._words(program, q).values(), key=len, default=b"")
        return f"one of the listed values, such as one that goes on with {text.decode(errors='backslashreplace')}"

    def _names(self, program: Program, os: int, q: int) -> str:
        tables, left, _ = program.object_state(os)
        reachable = {tag - layout.NAMED for tag in self._words(program, q) if tag >= layout.NAMED}
        names = [tables.names[i].decode() for i in left if i in reachable or not reachable]
        if tables.ordered:
            required = [i for i in left if i in set(tables.required)]
            names = [
                tables.names[i].decode()
                for i in left
                if (not required or i <= required[0]) and (i in reachable or not reachable)
            ]
        other = "" if not tables.classes else ", or another name" if names else "a name"
        shown = ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")
        what = f"a name that was not used yet: {shown}{other}" if names else other or "no further name"
        pointers = self._lowering.object_pointers
        number = program.object_number(os)
        return f"{what} (#{pointers[number]}/properties)" if number in pointers else what

    def _place(self, program: Program, kind: int, a: int, b: int) -> str:
        lowering = self._lowering
        if kind == layout.F_END:
            return "#"
        if kind in (layout.F_NEXT, layout.F_COLON):
            return self._of_node(b)
        if kind == layout.F_ITEM:
            array = program.arrays[a]
            node = array.prefix[b - 1] if 0 < b <= len(array.prefix) else array.items
            return self._of_node(node) if node >= 0 else f"#{lowering.array_pointers[a]}"
        if kind in (layout.F_ARRAY, layout.F_ASEP, layout.F_CAPTURE):
            return f"#{lowering.array_pointers[a]}"
        if kind == layout.F_OPEN:
            return f"#{lowering.object_pointers[a]}"
        if kind == layout.F_SEP:
            return f"#{lowering.object_pointers[program.object_number(a)]}"
        return ""

    def _of_node(self, node: int) -> str:
        document = self._lowering.normalizer.document
        pointers = [document.at(abs(location)).pointer for location in self._lowering.goals[node]]
        return ", ".join(f"#{pointer}" for pointer in pointers)


def _lexeme(key: Hashable) -> str:
    if not isinstance(key, tuple):
        return str(key)
    if len(key) == 3 and isinstance(
        key[0], tuple
    ):  # counted: (plain key, minimum, maximum) or (plain key, "bounded", maximum)
        plain, minimum, maximum = key
        if minimum == "bounded":
            return f"{_lexeme(plain)} of at most {maximum} characters"
        most = "" if maximum is None else f" and at most {maximum}"
        return f"a string of at least {minimum}{most} characters"
    head = key[0]
    if head == "structural":
        return f"`{str(key[1]).replace(chr(92), '')}`"
    if head == "words":
        return " or ".join(key[1])
    if head == "number" and isinstance(key[1], NumberSpec):
        return " and not ".join(map(_number, (key[1], *key[2])))
    if head == "numbers":
        return "one of the numbers " + ", ".join(str(value) for value in key[1][:_NAMES_SHOWN])
    if head == "string":
        return _string(key[2]) if len(key) > 2 and isinstance(key[2], String) else "a string"
    return "a name" if head == "names" else str(head)


def _number(spec: NumberSpec) -> str:
    text = "an integer" if spec.integer else "a number"
    if spec.lower is not None:
        text += f" {'above' if spec.lower_exclusive else 'of at least'} {spec.lower}"
    if spec.upper is not None:
        text += f" {'below' if spec.upper_exclusive else 'of at most'} {spec.upper}"
    for multiple in spec.multiples:
        text += f", a multiple of {multiple}"
    return text


def _string(alternative: String) -> str:
    parts = [f"format {name}" for name in alternative.formats] + [
        f"pattern {pattern}" for pattern in alternative.patterns
    ]
    if alternative.min_length:
        parts.append(f"at least {alternative.min_length} characters")
    if alternative.max_length is not None:
        parts.append(f"at most {alternative.max_length} characters")
    text = "a string (" + ", ".join(parts) + ")" if parts else "a string"
    return " and not ".join((text, *map(_string, alternative.excluded)))
