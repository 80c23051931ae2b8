"""What a finished text says: its parts, found by the automata that accepted it.

In: a constraint and a whole text as bytes (special tokens as `spell_special` spells them). Out: the constraint's value.

    text, special token, choice, free text    the text (free text: without the trigger at its end)
    pattern                                   the text, or the dict of its named groups
    schema                                    what the type or schema makes of it
    sequence                                  the dict of its named parts; without names the list of the values of parts that are no plain
                                              text, the one value if there is one, the text if there is none
    alternatives                              the value of the first one that fits
    repetition                                the list of the values of its copies; of plain text the text
    intersection                              the value of the left constraint

Every part is asked where it can end when it begins at a place (`ends`), each pair once; then places are chosen, for each part the last
place from which the rest fits. Time and memory: parts times places; a schema is followed byte by byte from each place where it can begin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from structgen.errors import ConstraintError
from structgen.lexemes.dfa import ByteDfa
from structgen.syntax.constraints import (
    Both,
    Constraint,
    FreeText,
    InSequence,
    JsonValue,
    Named,
    OneOf,
    Pattern,
    Repeated,
    Text,
    Words,
)

Ends = Callable[[Constraint, bytes, int], list[int]]


class Tools(Protocol):
    """What reading needs of the compiler."""

    def automaton(self, one: Constraint) -> ByteDfa | None:
        """The automaton of fixed text, a pattern, a choice, free text, a user's automaton; None for other constraints."""

    def followed(self, one: Constraint, text: bytes, start: int) -> list[int]:
        """Where a schema or a grammar can end that begins at `start`, ascending."""

    def json_value(self, one: JsonValue, text: str) -> Any:
        """The value of a JSON text."""


def read(one: Constraint, text: bytes, tools: Tools) -> Any:
    """The value of a whole text. Raises ConstraintError if the constraint does not accept it."""
    reader = _Reader(text, tools)
    if len(text) not in reader.ends(one, 0):
        raise ConstraintError(f"the text {text[:80]!r} does not obey the constraint")
    return reader.value(one, 0, len(text))


def is_plain(one: Constraint) -> bool:
    """Whether the value of a constraint is its text, which says nothing that is not in the text of the whole."""
    if isinstance(one, Named | JsonValue):
        return False
    if isinstance(one, Pattern):
        return not one.groups
    if isinstance(one, FreeText):
        return one.ends is None
    if isinstance(one, InSequence):
        return all(map(is_plain, one.parts))
    if isinstance(one, OneOf):
        return all(map(is_plain, one.options))
    if isinstance(one, Repeated):
        return is_plain(one.body)
    return is_plain(one.left) if isinstance(one, Both) else True


class _Reader:
    def __init__(self, text: bytes, tools: Tools) -> None:
        self._text, self._tools = text, tools
        self._ends: dict[tuple[int, int], list[int]] = {}

    # -- where a part can end -----------------------------------------------------------------------------------------------------

    def ends(self, one: Constraint, start: int) -> list[int]:
        key = (id(one), start)
        found = self._ends.get(key)
        if found is None:
            found = self._ends[key] = self._find_ends(one, start)
        return found

    def _find_ends(self, one: Constraint, start: int) -> list[int]:
        if isinstance(one, Text):
            data = one.text.encode()
            return [start + len(data)] if self._text.startswith(data, start) else []
        if isinstance(one, Words):
            return sorted(start + len(w) for w in {t.encode() for t in one.texts} if self._text.startswith(w, start))
        if isinstance(one, Named):
            return self.ends(one.body, start)
        if isinstance(one, Both):
            right = set(self.ends(one.right, start))
            return [end for end in self.ends(one.left, start) if end in right]
        if isinstance(one, OneOf):
            return sorted({end for option in one.options for end in self.ends(option, start)})
        if isinstance(one, InSequence):
            reached = {start}
            for part in one.parts:
                reached = {end for place in reached for end in self.ends(part, place)}
            return sorted(reached)
        if isinstance(one, Repeated):
            return sorted(set().union(*self._levels(one, start)))
        dfa = self._tools.automaton(one)
        if dfa is None:
            return self._tools.followed(one, self._text, start)
        found = [start] if dfa.tags[dfa.start] >= 0 else []
        state = dfa.start
        for place in range(start, len(self._text)):
            state = int(dfa.trans[state, dfa.classes[self._text[place]]])
            if state == 0:
                break
            if dfa.tags[state] >= 0:
                found.append(place + 1)
        return found

    def _levels(self, one: Repeated, start: int) -> list[set[int]]:
        """The places after `least` copies, `least + 1`, ... that were not reached with fewer."""
        out: list[set[int]] = []
        reached = {start}
        seen: set[int] = set()
        n = 0
        while reached and (one.most is None or n <= one.most):
            if n >= one.least:
                fresh = reached - seen
                if not fresh:
                    break
                out.append(fresh)
                if n:  # the first copy has no separator before it: the same place may lead elsewhere later
                    seen |= fresh
            reached = {end for place in reached for end in self._copy_ends(one, place, first=n == 0)}
            n += 1
        return out

    def _copy_ends(self, one: Repeated, place: int, *, first: bool) -> set[int]:
        begins = [place] if first or one.separator is None else self.ends(one.separator, place)
        return {end for begin in begins for end in self.ends(one.body, begin)}

    # -- values -------------------------------------------------------------------------------------------------------------------

    def value(self, one: Constraint, start: int, end: int) -> Any:
        """The value of a part that spans [start, end)."""
        if isinstance(one, Named):
            found = self.value(one.body, start, end)
            return found if one.convert is None else one.convert(found)
        if isinstance(one, Both):
            return self.value(one.left, start, end)
        if isinstance(one, OneOf):
            return self.value(next(option for option in one.options if end in self.ends(option, start)), start, end)
        if isinstance(one, InSequence) and not is_plain(one):
            return self._joined(one, start, end)
        if isinstance(one, Repeated) and not is_plain(one):
            values = [self.value(one.body, *span) for span in self._copies(one, start, end)]
            return values if one.is_list else values[0] if values else None
        text = self._text[start:end].decode(errors="replace")
        if isinstance(one, JsonValue):
            return self._tools.json_value(one, text)
        if isinstance(one, FreeText) and one.ends is not None:
            return text.removesuffix(one.ends)
        if isinstance(one, Pattern) and one.reader is not None:
            match = one.reader.fullmatch(text)
            if match is None:
                raise ConstraintError(f"the groups of {one.pattern!r} cannot be read from {text[:80]!r}")
            return match.groupdict()
        return text

    def _joined(self, one: InSequence, start: int, end: int) -> Any:
        names: dict[str, Any] = {}
        values = []
        for part, span in zip(one.parts, self._spans(one, start, end), strict=True):
            if is_plain(part):
                continue
            found = self.value(part, *span)
            if isinstance(part, Named) and part.name:
                names[part.name] = found
            elif has_names(part) and isinstance(found, dict):
                names.update(found)
            else:
                values.append(found)
        if names:
            return names
        return values[0] if len(values) == 1 else values

    def _spans(self, one: InSequence, start: int, end: int) -> list[tuple[int, int]]:
        """Where each part stands: every part as long as the rest lets it be."""
        reached = [{start}]
        for part in one.parts:
            reached.append({after for place in reached[-1] for after in self.ends(part, place)})
        useful = [{end}]  # of the places reached, those from which the end is
        for part, places in zip(reversed(one.parts), reversed(reached[:-1]), strict=True):
            useful.append({place for place in places if not useful[-1].isdisjoint(self.ends(part, place))})
        useful.reverse()
        spans = []
        place = start
        for part, good in zip(one.parts, useful[1:], strict=True):
            after = max(e for e in self.ends(part, place) if e in good)
            spans.append((place, after))
            place = after
        return spans

    def _copies(self, one: Repeated, start: int, end: int) -> list[tuple[int, int]]:
        """Where each copy stands, of as few copies as there can be."""
        steps: list[dict[int, tuple[int, int, int]]] = []  # by copy: place after it -> (place before it, its own span)
        reached = {start}
        while not (end in reached and len(steps) >= one.least):
            step: dict[int, tuple[int, int, int]] = {}
            for place in sorted(reached):
                begins = [place] if not steps or one.separator is None else self.ends(one.separator, place)
                for begin in begins:
                    for after in self.ends(one.body, begin):
                        step.setdefault(after, (place, begin, after))
            steps.append(step)
            reached = set(step)
        spans = []
        place = end
        for step in reversed(steps):
            place, begin, after = step[place]
            spans.append((begin, after))
        return spans[::-1]


def has_names(one: Constraint) -> bool:
    """Whether the value of a constraint is a dict of named parts of it."""
    if isinstance(one, InSequence):
        return any((isinstance(part, Named) and part.name) or has_names(part) for part in one.parts)
    if isinstance(one, OneOf):
        return any(map(has_names, one.options))
    if isinstance(one, Pattern):
        return bool(one.groups)
    if isinstance(one, Repeated):
        return not one.is_list and has_names(one.body)
    return has_names(one.left) if isinstance(one, Both) else isinstance(one, Named) and bool(one.name)
