"""Budgets of fields: `"x-structgen": {"max_tokens": n}` in a subschema bounds the tokens of every value that it describes.

In: a schema, a matcher, and the tokens as they come. Out: whether a token may be kept (`FieldBudgets.fits`), asked by the decode loop as it
asks about the limit of the whole text.

A token counts for a value if a byte of the value is in it. When a value has begun, the shortest completion of the text shows how many of
its tokens still belong to the value, and so how many follow it. From then on a token is kept only if it ends the value, or if the shortest
completion after it is no longer than what is left of the budget and that rest. The first time that the model's choice is refused, the value
is closed: the rest of its text is that of the shortest completion from there (of a string the quotation mark alone), in tokens that the
model chooses, and what comes after it is the model's choice again. So the text stays valid whatever the budget, and a value takes no more
than its budget, or, if that is more, than its first token and the fewest that complete it after that. Where the rest of the text depends on
the value, which makes the rest an estimate, it may be a few tokens more.

Which subschemas describe a value is decided without looking at its text: of `anyOf`, `oneOf`, `if`, `then` and `else` all branches count,
and of several budgets the lowest. A `$dynamicRef` is read as a `$ref`.

Turned down: the next best token that ends the value (of all that happen to end it the likeliest, which puts nonsense into most strings);
the shortest completion of the whole text (it would leave out members that may follow); budgets in the machine's states (every count would
make another state, and no mask could be shared); an error where a budget is below the shortest value (a budget is about cost, the schema
about validity).
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from structgen.errors import SchemaError
from structgen.generation.places import CLOSED, OPENED, SCALAR_ENDED, Scanner
from structgen.generation.values import Target, is_integer
from structgen.schema.references import (
    SINGLE_SUBSCHEMA,
    SUBSCHEMA_LISTS,
    SUBSCHEMA_MAPS,
    Document,
    Location,
    pointer_of,
)

EXTENSION = "x-structgen"
_BRANCHES = ("allOf", "anyOf", "oneOf")
_INNER = ("if", "then", "else")


class Engine(Protocol):
    """What budgets need of a matcher, see `loop.Engine`."""

    def accept_token(self, token_id: int) -> bool: ...

    def rollback(self, n: int, /) -> None: ...

    def completion_bound(self) -> int: ...

    def shortest_completion(self) -> list[int]: ...


@dataclass(slots=True)
class _Running:
    """A budget of a value that is open. depth: how many values are open around it; rest: tokens after it, by the matcher's bound."""

    depth: int
    n_left: int
    rest: int = -1  # not known before the token with which the value began is over


class FieldBudgets:
    """The budgets of one text."""

    def __init__(
        self, target: Target, matcher: Engine, token_bytes: Sequence[bytes | None], registry: Any = None
    ) -> None:
        """token_bytes: by id. registry: for remote references. Raises SchemaError for budgets that are none."""
        self._document = Document(target.schema, options=target.options, registry=registry)
        check_budgets(self._document.root.source)
        self._matcher, self._token_bytes = matcher, token_bytes
        self._scanner = Scanner()
        self._open: list[list[Location]] = []  # subschemas of each open value, from the outside in
        self._keys: list[str | int] = []  # name or index of each
        self.closed: list[str] = []  # JSON Pointers of the values that their budgets have closed
        self._running: list[_Running] = []
        self._closing: tuple[int, bytes] | None = None  # the depth of a value that is closed, and the rest of its text

    def may_fit(self, token_id: int) -> bool:
        """Whether it is worth trying a token; cheap."""
        if self._closing is None:
            return True
        data, rest = self._token_bytes[token_id] or b"", self._closing[1]
        n = min(len(data), len(rest))
        return data[:n] == rest[:n]

    def fits(self, token_id: int) -> bool:
        """Whether the token that the matcher has just accepted may be kept."""
        if not self._running:
            return True
        data = self._token_bytes[token_id] or b""
        if self._closing is not None:
            depth, rest = self._closing
            n = self._n_inside(data, depth)
            if n > len(rest) or data[:n] != rest[:n]:
                return False
        bound = self._matcher.completion_bound()
        n_open: int | None = None
        for one in self._running:
            if bound > one.n_left - 1 + one.rest:
                if n_open is None:
                    n_open = self._n_open_after(data)
                if n_open > one.depth:
                    if self._closing is None:
                        self._begin_to_close(one.depth, token_id)
                    return False
        return True

    def _begin_to_close(self, depth: int, token_id: int) -> None:
        """token_id: the one that was refused; the matcher is behind it."""
        self._matcher.rollback(1)
        plan = b"".join(self._token_bytes[t] or b"" for t in self._matcher.shortest_completion())
        self._matcher.accept_token(token_id)
        self._closing = (depth, plan[: self._n_inside(plan, depth)])
        pointer = pointer_of(tuple(self._keys[1 : depth + 1]))
        if pointer not in self.closed:
            self.closed.append(pointer)

    def _n_inside(self, data: bytes, depth: int) -> int:
        """How many of the bytes that come next belong to the open value at a depth."""
        scanner, n_open = self._scanner.copy(), len(self._open)
        for i, byte in enumerate(data):
            event = scanner.step(byte)
            n_open -= bool(event & SCALAR_ENDED)
            if n_open <= depth:
                return i
            n_open += bool(event & OPENED) - bool(event & CLOSED)
            if n_open <= depth:
                return i + 1
        return len(data)

    def accept(self, data: bytes) -> None:
        """A token is out; data: its bytes in the text. The matcher is behind it."""
        if self._closing is not None:
            depth, rest = self._closing
            n = self._n_inside(data, depth)
            self._closing = (depth, rest[n:]) if data[:n] == rest[:n] else None
        for byte in data:
            event = self._scanner.step(byte)
            if event & SCALAR_ENDED:
                self._close()
            if event & OPENED:
                self._begin()
            if event & CLOSED:
                self._close()
        n_new = 0
        for one in self._running:
            if one.rest >= 0:
                one.n_left -= 1
            else:
                n_new += 1
        if n_new:
            self._measure()

    def _begin(self) -> None:
        if self._open:
            places = [found for place in self._open[-1] for found in self._children(place, self._scanner.key)]
        else:
            places = [self._document.root]
        self._keys.append(self._scanner.key)
        self._open.append(self._same_place(places))
        budgets = [n for place in self._open[-1] if (n := _budget_of(place)) is not None]
        if budgets:
            self._running.append(_Running(len(self._open) - 1, min(budgets)))

    def _close(self) -> None:
        self._open.pop()
        self._keys.pop()
        if self._running and self._running[-1].depth == len(self._open):
            self._running.pop()
            if self._closing is not None and self._closing[0] == len(self._open):
                self._closing = None

    def _measure(self) -> None:
        """How many tokens are needed in the values that have just begun, and after them."""
        plan, bound = self._matcher.shortest_completion(), self._matcher.completion_bound()
        scanner, n_open = self._scanner.copy(), len(self._open)
        needed = {one.depth: len(plan) for one in self._running}  # those that the plan does not close end with it
        for n, token_id in enumerate(plan):
            for i, byte in enumerate(self._token_bytes[token_id] or b""):
                event = scanner.step(byte)
                if event & SCALAR_ENDED:
                    n_open -= 1
                    if needed.get(n_open) == len(plan):
                        needed[n_open] = n + (i > 0)
                if event & OPENED:
                    n_open += 1
                if event & CLOSED:
                    n_open -= 1
                    if needed.get(n_open) == len(plan):
                        needed[n_open] = n + 1
        for one in self._running:
            if one.rest < 0:
                one.n_left = max(one.n_left - 1, needed[one.depth])
                one.rest = bound - needed[one.depth]

    def _n_open_after(self, data: bytes) -> int:
        """How many of the values that are open now still are after a token; a value that it opens is not counted."""
        scanner, n_open = self._scanner.copy(), len(self._open)
        least = n_open
        for byte in data:
            event = scanner.step(byte)
            n_open += bool(event & OPENED) - bool(event & CLOSED) - bool(event & SCALAR_ENDED)
            least = min(least, n_open)
        return least

    # -- subschemas ---------------------------------------------------------------------------------------------------------------

    def _same_place(self, places: list[Location]) -> list[Location]:
        """The places, and all that describe the same value."""
        found: dict[int, Location] = {}
        waiting = places[::-1]
        while waiting:
            place = waiting.pop()
            if place.id not in found:
                found[place.id] = place
                waiting += self._beside(place)
        return list(found.values())

    def _beside(self, place: Location) -> Iterator[Location]:
        schema = place.schema
        if not isinstance(schema, dict):
            return
        for keyword in ("$ref", "$dynamicRef"):
            if isinstance(schema.get(keyword), str):
                yield self._document.resolve(place, schema[keyword])
        for keyword in _BRANCHES:
            for i in range(len(schema.get(keyword, ()))):
                yield self._document.child(place, keyword, i)
        for keyword in _INNER:
            if keyword in schema:
                yield self._document.child(place, keyword)
        for name in schema.get("dependentSchemas", ()):
            yield self._document.child(place, "dependentSchemas", name)

    def _children(self, place: Location, key: str | int) -> Iterator[Location]:
        schema, child = place.schema, self._document.child
        if not isinstance(schema, dict):
            return
        if isinstance(key, int):
            if key < len(schema.get("prefixItems", ())):
                yield child(place, "prefixItems", key)
            elif "items" in schema:
                yield child(place, "items")
            for keyword in ("contains", "unevaluatedItems"):
                if keyword in schema:
                    yield child(place, keyword)
            return
        is_declared = key in schema.get("properties", ())
        if is_declared:
            yield child(place, "properties", key)
        for pattern in schema.get("patternProperties", ()):
            if _may_match(pattern, key):
                is_declared = True
                yield child(place, "patternProperties", pattern)
        if not is_declared:
            for keyword in ("additionalProperties", "unevaluatedProperties"):
                if keyword in schema:
                    yield child(place, keyword)


def has_budgets(schema: Any) -> bool:
    """Whether a schema, as the compiler takes it, may have any budget."""
    if not isinstance(schema, dict):
        return isinstance(schema, str) and EXTENSION in schema
    try:
        return EXTENSION.encode() in marshal.dumps(schema)
    except ValueError:  # it holds something that marshal does not know, or is very deep: it is looked through
        return True


def _budget_of(place: Location) -> int | None:
    if not isinstance(place.source, dict) or EXTENSION not in place.source:
        return None
    given = place.source[EXTENSION]
    _check_extension(given, f"{place.pointer}/{EXTENSION}")  # those of remote documents were not looked at before
    most: int | None = given.get("max_tokens")
    return most


def check_budgets(schema: Any) -> None:
    """Raises SchemaError for an extension that is not {"max_tokens": an integer above 0}, wherever a subschema may stand."""
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(schema, ())]
    seen: set[int] = set()
    while waiting:
        one, keys = waiting.pop()
        if not isinstance(one, dict) or id(one) in seen:
            continue
        seen.add(id(one))
        if EXTENSION in one:
            _check_extension(one[EXTENSION], pointer_of((*keys, EXTENSION)))
        for key, value in one.items():
            if key in SUBSCHEMA_MAPS and isinstance(value, dict):
                waiting += [(inner, (*keys, key, name)) for name, inner in value.items()]
            elif key in SUBSCHEMA_LISTS and isinstance(value, list):
                waiting += [(inner, (*keys, key, i)) for i, inner in enumerate(value)]
            elif key in SINGLE_SUBSCHEMA:
                waiting.append((value, (*keys, key)))


def _check_extension(given: Any, pointer: str) -> None:
    if not isinstance(given, dict):
        raise SchemaError(f'{EXTENSION} must be an object such as {{"max_tokens": 20}}', pointer, EXTENSION)
    unknown = sorted(map(str, given.keys() - {"max_tokens"}))
    if unknown:
        raise SchemaError(f"{EXTENSION} has no {unknown[0]!r}; there is max_tokens", pointer, EXTENSION)
    n = given.get("max_tokens", 1)
    if not is_integer(n) or n < 1:
        raise SchemaError(f"max_tokens must be an integer of at least 1, not {n!r}", pointer, EXTENSION)


def _may_match(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # a pattern that only ECMA knows: its budget counts, for it may match
        return True
