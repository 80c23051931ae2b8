"""The normal form: a value position (goal) becomes a set of alternatives, lazily.

In: a `Document`. Out: for a goal, the tuple of its `Alternative`s: each of one JSON kind, each with at least one value, together
exactly the values that satisfy every Location of the goal.

How. (1) *Conjunctions*: `$ref` and `allOf` join the conjunction, `anyOf` multiplies it; branches whose types or constants clash
are pruned on the way. (2) *Raw alternatives*: per conjunction and kind the keywords are merged; the goals of properties and items are
named, not looked into. (3) *Inhabitation*: whether a goal has a value at all is the least solution of "some raw alternative has
a value for everything that it requires", found by propagation over the graph of required goals, without recursion; an object that
requires itself for ever has none. (4) `expand` drops what is not inhabited.

Limits: conjunctions per goal are capped by `Limits.max_alternatives` (LimitExceeded). `not`, `oneOf` and `if` are refused before
(see `keywords`), but for forms that need no complement. Negative ids in goals are kept for complements.

Turned down: rewriting the whole schema into disjunctive form beforehand (exponential where nothing is visited), and memoising
emptiness during a depth-first search (a result that leant on an unfinished ancestor must not be kept; the graph below has no such case).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from structgen.errors import LimitExceeded, Limits
from structgen.schema.alternatives import (
    Alternative,
    Array,
    Boolean,
    Goal,
    Null,
    Number,
    NumberEnum,
    Object,
    Property,
    Scope,
    String,
    StringEnum,
)
from structgen.schema.conjunctions import ARRAY_KEYWORDS, OBJECT_KEYWORDS, Conjunction, Conjunctions, has_constants
from structgen.schema.constants import (
    ANY,
    ARRAY,
    BOOLEAN,
    FRACTION,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    exact,
    kind_bit,
)
from structgen.schema.options import JsonOptions
from structgen.schema.plain import is_plainly_inhabited, undemanding_kinds
from structgen.schema.references import Document, Location
from structgen.schema.scalars import (
    NumberBounds,
    number_bounds,
    number_spec,
    string_constraints,
)
from structgen.schema.strings import FORMATS, pattern_matches, string_is_empty, string_matches


@dataclass(slots=True)
class _RawObject:
    """An object alternative whose property goals are not looked into. goals: None = the name is impossible."""

    goals: dict[str, Goal | None]
    required: dict[str, None]
    patterns: tuple[str, ...]
    names: tuple[String | StringEnum, ...] | None
    scopes: tuple[Scope, ...]
    closed: bool
    pointer: str


_Raw = Alternative | _RawObject


class Normalizer:
    """Expands goals of one document. Not thread-safe: one writer at a time, as the program that it feeds."""

    def __init__(self, document: Document, options: JsonOptions | None = None, limits: Limits | None = None) -> None:
        self.document = document
        self.options = options if options is not None else document.options
        self.limits = limits if limits is not None else document.limits
        self._space = Conjunctions(document, self.options, self.limits)
        self._formats = FORMATS if self.options.formats == "assert" else frozenset()
        self._raws: dict[tuple[Goal, int], tuple[_Raw, ...]] = {}
        self._expanded: dict[Goal, tuple[Alternative, ...]] = {}
        self._inhabited: dict[Goal, bool] = {(): True}
        self._plain: dict[int, bool] = {}
        self._undemanding: dict[int, int] = {}
        self._constants: dict[Hashable, Location] = {}
        self._root: Goal | None = None

    # -- public ------------------------------------------------------------------------------------------------------------------

    @property
    def root(self) -> Goal:
        """The goal of the whole document."""
        if self._root is None:
            self._root = self._space.goal_of([self.document.root])
        return self._root

    def expand(self, goal: Goal) -> tuple[Alternative, ...]:
        """The alternatives of a goal; () when nothing matches. Raises LimitExceeded, RegexError, SchemaError (a bad reference)."""
        found = self._expanded.get(goal)
        if found is None:
            found = self._expanded[goal] = tuple(_distinct(self._finished(self._raw(goal, ANY))))
        return found

    def is_empty(self, goal: Goal) -> bool:
        """Whether no JSON value satisfies the goal."""
        known = self._inhabited.get(goal)
        if known is None:
            known = self._is_plain_goal(goal) or self._decide(goal)
        return not known

    def conjunctions(self, goal: Goal) -> list[Conjunction]:
        """The goal as conjunctions without `$ref`, `allOf` and `anyOf`."""
        return self._space.of(goal, ANY)

    def required_goals(self, conjunction: Conjunction) -> list[tuple[str, Goal | None]]:
        """The required names of a conjunction with their goals (None = the name is impossible), for messages."""
        names = [name for leaf in conjunction.leaves for name in _required_of(leaf.schema)]
        made = self._object(conjunction.leaves, (), keep_impossible=True)
        return [] if made is None else [(name, made.goals[name]) for name in dict.fromkeys(names)]

    # -- raw alternatives --------------------------------------------------------------------------------------------------------

    def _raw(self, goal: Goal, kinds: int) -> tuple[_Raw, ...]:
        key = (goal, kinds)
        found = self._raws.get(key)
        if found is None:
            alternatives: list[_Raw] = []
            for conjunction in self._space.of(goal, kinds):
                alternatives += self._alternatives(conjunction, goal)
            found = self._raws[key] = tuple(_merged(alternatives))
        return found

    def _alternatives(self, conjunction: Conjunction, goal: Goal) -> Iterator[_Raw]:
        kinds, leaves = conjunction.kinds, conjunction.leaves
        if any(has_constants(leaf.schema) for leaf in leaves):
            yield from self._enumerated(kinds, leaves)
            return
        if kinds & NULL:
            yield Null()
        if kinds & BOOLEAN:
            yield Boolean((False, True))
        if kinds & NUMBER:
            bounds = number_bounds(leaf.schema for leaf in leaves if isinstance(leaf.schema, dict))
            integer = not kinds & FRACTION
            if not bounds.is_empty(integer):
                yield Number(number_spec(bounds, integer, self.options))
        if kinds & STRING:
            string = self._string(leaves)
            if not string_is_empty(string, self.options, self.limits):
                yield string
        if kinds & ARRAY:
            array = self._array(leaves, goal)
            if array is not None:
                yield array
        if kinds & OBJECT:
            made = self._object(leaves, goal)
            if made is not None:
                yield made

    def _string(self, leaves: tuple[Location, ...]) -> String:
        string = string_constraints((leaf.schema for leaf in leaves if isinstance(leaf.schema, dict)), self._formats)
        cap = self.options.max_string_length
        if cap is not None and string.max_length is None and not string.patterns and not string.formats:
            string = String(string.min_length, max(cap, string.min_length))
        return string

    def _array(self, leaves: tuple[Location, ...], goal: Goal) -> Array | None:
        document = self.document
        low, high = 0, None
        prefixes: list[list[Location]] = []
        rests: list[Location | None] = []
        pointer = ""
        for leaf in leaves:
            schema = leaf.schema
            if not isinstance(schema, dict) or ARRAY_KEYWORDS.isdisjoint(schema):
                continue
            pointer = pointer or leaf.pointer
            low = max(low, int(schema.get("minItems", 0)))
            if "maxItems" in schema:
                high = int(schema["maxItems"]) if high is None else min(high, int(schema["maxItems"]))
            n_prefix = len(schema.get("prefixItems", ()))
            if n_prefix or "items" in schema:
                prefixes.append([document.child(leaf, "prefixItems", index) for index in range(n_prefix)])
                rests.append(document.child(leaf, "items") if "items" in schema else None)
        if high is not None and high < low:
            return None
        length = max(map(len, prefixes), default=0)
        if high is not None:
            length = min(length, high)
        positions = []
        for index in range(length + 1):
            places = []
            for prefix, rest in zip(prefixes, rests, strict=True):
                if index < len(prefix):
                    places.append(prefix[index])
                elif rest is not None:
                    places.append(rest)
            positions.append(self._space.goal_of(places))
        items: Goal | None = None if high is not None and high <= length else positions[-1]
        return Array(tuple(positions[:-1]), items, low, high, pointer or self._pointer(goal))

    def _pointer(self, goal: Goal) -> str:
        return self.document.at(goal[0]).pointer if goal else ""

    def _object(self, leaves: tuple[Location, ...], goal: Goal, *, keep_impossible: bool = False) -> _RawObject | None:
        """The leaves' object keywords merged; None when a required name is impossible (unless they are to be kept)."""
        document = self.document
        places: dict[str, list[Location]] = {}
        required: dict[str, None] = {}
        patterns: dict[str, int] = {}
        scopes: list[Scope] = []
        partial: list[tuple[dict[str, Any], list[tuple[str, Location]], Location | None]] = []
        names_places: list[Location] = []
        says_extra = is_declared = False
        pointer = ""
        for leaf in leaves:
            schema = leaf.schema
            if not isinstance(schema, dict):
                continue
            if OBJECT_KEYWORDS.isdisjoint(schema):
                is_declared = is_declared or "type" in schema
                continue
            pointer = pointer or leaf.pointer
            properties = schema.get("properties", {})
            for name in properties:
                places.setdefault(name, []).append(document.child(leaf, "properties", name))
            if "required" in schema:
                required.update(dict.fromkeys(schema["required"]))
            if "propertyNames" in schema:
                names_places.append(document.child(leaf, "propertyNames"))
            own = [
                (pattern, document.child(leaf, "patternProperties", pattern))
                for pattern in schema.get("patternProperties", ())
            ]
            additional = document.child(leaf, "additionalProperties") if "additionalProperties" in schema else None
            says_extra = says_extra or additional is not None
            is_declared = is_declared or "properties" in schema or "type" in schema
            others = () if additional is None else self._space.goal_of([additional])
            if not others:
                additional = None
            if own or additional is not None:
                partial.append((properties, own, additional))
                numbered = [
                    (patterns.setdefault(pattern, len(patterns)), self._space.goal_of([place]))
                    for pattern, place in own
                ]
                scopes.append(Scope(tuple(numbered), others))
        closed = self.options.extra_properties == "closed" and is_declared and not says_extra
        names = self._names(names_places)
        for name in required:
            places.setdefault(name, [])
        limits = self.limits
        goals: dict[str, Goal | None] = {}
        for name, own_places in places.items():
            if names is not None and not self._name_allowed(names, name):
                goals[name] = None
                continue
            for properties, own, additional in partial:
                is_mine = name in properties
                for pattern, place in own:
                    if pattern_matches(pattern, name, limits):
                        own_places.append(place)
                        is_mine = True
                if not is_mine and additional is not None:
                    own_places.append(additional)
            impossible = any(place.schema is False for place in own_places)
            goals[name] = None if impossible else self._space.goal_of(own_places)
        if not keep_impossible and any(goals[name] is None for name in required):
            return None
        return _RawObject(
            goals, required, tuple(patterns), names, tuple(scopes), closed, pointer or self._pointer(goal)
        )

    def _names(self, places: list[Location]) -> tuple[String | StringEnum, ...] | None:
        """What `propertyNames` allows; None = every name."""
        goal = self._space.goal_of(places) if places else ()
        if not goal:
            return None
        names: list[String | StringEnum] = []
        for alternative in self._raw(goal, STRING):
            if isinstance(alternative, (String, StringEnum)):
                names.append(alternative)
        return None if String() in names else tuple(names)

    def _name_allowed(self, names: tuple[String | StringEnum, ...], name: str) -> bool:
        for alternative in names:
            if isinstance(alternative, StringEnum):
                if name in alternative.values:
                    return True
            elif string_matches(alternative, name, self.options, self.limits):
                return True
        return False

    # -- constants ---------------------------------------------------------------------------------------------------------------

    def _enumerated(self, kinds: int, leaves: tuple[Location, ...]) -> Iterator[_Raw]:
        """Alternatives of a conjunction in which some Location lists its values."""
        listing = [leaf for leaf in leaves if has_constants(leaf.schema)]
        values = self._space.enumeration(listing[0])
        for leaf in listing[1:]:
            other = self._space.enumeration(leaf)
            values = {key: value for key, value in values.items() if key in other}
        strings: list[str] = []
        numbers: list[int | Decimal] = []
        booleans: list[bool] = []
        schemas = [leaf.schema for leaf in leaves if isinstance(leaf.schema, dict)]
        string: String | None = None
        bounds: NumberBounds | None = None
        n_containers = 0
        for key, value in values.items():
            bit = STRING if type(value) is str else kind_bit(value)
            if not bit & kinds:
                continue
            if bit == STRING:
                if string is None:
                    string = string_constraints(schemas, self._formats)
                if string == String() or string_matches(string, value, self.options, self.limits):
                    strings.append(value)
            elif bit & NUMBER:
                if bounds is None:
                    bounds = number_bounds(schemas)
                number = exact(value)
                if bounds.admits(number):
                    numbers.append(number)
            elif bit == BOOLEAN:
                booleans.append(value)
            elif bit == NULL:
                yield Null()
            elif n_containers >= self.limits.max_alternatives:
                raise LimitExceeded(
                    f"more arrays and objects in the enum at #{listing[0].pointer}",
                    self.limits.max_alternatives,
                    "max_alternatives",
                )
            elif bit == ARRAY:
                n_containers += 1
                array = self._array((*leaves, self._constant(key, value, listing[0])), ())
                if array is not None:
                    yield array
            else:
                n_containers += 1
                made = self._object((*leaves, self._constant(key, value, listing[0])), ())
                if made is not None:
                    yield made
        if booleans:
            yield Boolean(tuple(sorted(booleans)))
        if numbers:
            yield NumberEnum(tuple(numbers))
        if strings:
            yield StringEnum(tuple(strings))

    def _constant(self, key: Hashable, value: Any, near: Location) -> Location:
        """A constant array or object as a schema that only it satisfies."""
        found = self._constants.get(key)
        if found is None:
            schema: dict[str, Any]
            if isinstance(value, list):
                schema = {
                    "prefixItems": [{"const": item} for item in value],
                    "items": False,
                    "minItems": len(value),
                }
            else:
                schema = {
                    "properties": {name: {"const": inner} for name, inner in value.items()},
                    "required": list(value),
                    "additionalProperties": False,
                }
            found = self._constants[key] = self.document.synthetic(schema, near)
        return found

    # -- inhabitation ------------------------------------------------------------------------------------------------------------

    def _is_plain_goal(self, goal: Goal) -> bool:
        """Whether the goal is obviously inhabited; if so, that is noted."""
        if len(goal) == 1:
            place_id = goal[0]
            found = self._plain.get(place_id)
            if found is None:
                place = self.document.at(place_id)
                found = self._plain[place_id] = is_plainly_inhabited(self.document, place, self._formats)
        else:
            kinds = ANY
            for place_id in goal:
                bits = self._undemanding.get(place_id)
                if bits is None:
                    bits = self._undemanding[place_id] = undemanding_kinds(self.document.at(place_id))
                kinds &= bits
            found = kinds != 0
        if found:
            self._inhabited[goal] = True
        return found

    def _needs(self, raw: _Raw) -> tuple[Goal, ...]:
        """The goals that must be inhabited for the alternative to be."""
        if isinstance(raw, _RawObject):
            needed = (raw.goals[name] for name in raw.required)
            return tuple({goal: None for goal in needed if goal})
        if isinstance(raw, Array) and raw.min_items:
            goals = raw.prefix[: raw.min_items]
            if raw.min_items > len(raw.prefix) and raw.items is not None:
                goals += (raw.items,)
            return tuple({goal: None for goal in goals if goal})
        return ()

    def _open_needs(self, raw: _Raw) -> list[Goal] | None:
        """The needs that are not known to be inhabited; None if one is known not to be."""
        needs = []
        for goal in self._needs(raw):
            known = self._inhabited.get(goal)
            if known is None and self._is_plain_goal(goal):
                known = True
            if known is False:
                return None
            if known is None:
                needs.append(goal)
        return needs

    def _decide(self, goal: Goal) -> bool:
        """Whether the goal is inhabited: propagation over the graph of needs (a Horn system; its least solution)."""
        inhabited = self._inhabited
        counts: list[int] = []  # per pending alternative: needs that are not proven yet
        owners: list[Goal] = []
        users: dict[Goal, list[int]] = {}
        seen = {goal}
        stack = [goal]
        while stack:
            current = stack.pop()
            if current in inhabited:
                continue
            for raw in self._raw(current, ANY):
                needs = self._open_needs(raw)
                if needs is None:
                    continue
                if not needs:
                    self._prove(current, counts, owners, users)
                    break
                for need in needs:
                    users.setdefault(need, []).append(len(counts))
                    if need not in seen:
                        seen.add(need)
                        stack.append(need)
                counts.append(len(needs))
                owners.append(current)
            if goal in inhabited:
                return True
        for current in seen:
            inhabited.setdefault(current, False)
        return inhabited[goal]

    def _prove(self, goal: Goal, counts: list[int], owners: list[Goal], users: dict[Goal, list[int]]) -> None:
        proven = [goal]
        while proven:
            current = proven.pop()
            if self._inhabited.get(current):
                continue
            self._inhabited[current] = True
            for index in users.get(current, ()):
                counts[index] -= 1
                if counts[index] == 0:
                    proven.append(owners[index])

    # -- final alternatives ------------------------------------------------------------------------------------------------------

    def _finished(self, raws: tuple[_Raw, ...]) -> Iterator[Alternative]:
        for raw in raws:
            if any(self.is_empty(goal) for goal in self._needs(raw)):
                continue
            if isinstance(raw, _RawObject):
                properties = tuple(
                    Property(name, None if goal is None or self.is_empty(goal) else goal, name in raw.required)
                    for name, goal in raw.goals.items()
                )
                yield Object(properties, raw.patterns, raw.names, raw.scopes, raw.closed, raw.pointer, self._class_goal)
            elif isinstance(raw, Array):
                yield self._finished_array(raw)
            else:
                yield raw

    def _finished_array(self, raw: Array) -> Array:
        prefix, items, high = raw.prefix, raw.items, raw.max_items
        for index, goal in enumerate(prefix):
            if self.is_empty(goal):
                prefix, items, high = prefix[:index], None, index
                break
        if items is not None and self.is_empty(items):
            items = None
        if items is None:
            high = len(prefix) if high is None else min(high, len(prefix))
        return Array(prefix, items, raw.min_items, high, raw.pointer)

    def _class_goal(self, made: Object, matched: frozenset[int]) -> Goal | None:
        if made.names == () or (made.closed and not matched):
            return None
        ids: set[int] = set()
        for scope in made.scopes:
            own = [goal for index, goal in scope.patterns if index in matched]
            for goal in own or (scope.additional,):
                ids.update(goal)
        goal = tuple(sorted(ids))
        return None if self.is_empty(goal) else goal


def _required_of(schema: Any) -> list[str]:
    return schema.get("required", []) if isinstance(schema, dict) else []


def _raw_key(raw: _Raw) -> Hashable:
    if isinstance(raw, _RawObject):
        return (
            tuple(raw.goals.items()),
            tuple(raw.required),
            raw.patterns,
            raw.names,
            raw.scopes,
            raw.closed,
        )
    return raw


def _merged(alternatives: list[_Raw]) -> list[_Raw]:
    """Each alternative once; lists of scalars of one kind united; scalars that a free alternative covers left out."""
    if len(alternatives) < 2:
        return alternatives
    result: dict[Hashable, _Raw] = {}
    strings: dict[str, None] = {}
    numbers: dict[int | Decimal, None] = {}
    booleans: set[bool] = set()
    for raw in alternatives:
        if isinstance(raw, StringEnum):
            strings.update(dict.fromkeys(raw.values))
            result.setdefault(StringEnum, raw)
        elif isinstance(raw, NumberEnum):
            numbers.update(dict.fromkeys(raw.values))
            result.setdefault(NumberEnum, raw)
        elif isinstance(raw, Boolean):
            booleans.update(raw.values)
            result.setdefault(Boolean, raw)
        else:
            result.setdefault(_raw_key(raw), raw)
    if strings:
        if String() in result:
            del result[StringEnum]
        else:
            result[StringEnum] = StringEnum(tuple(strings))
    if numbers:
        result[NumberEnum] = NumberEnum(tuple(numbers))
    if booleans:
        result[Boolean] = Boolean(tuple(sorted(booleans)))
    return list(result.values())


def _distinct(alternatives: Iterator[Alternative]) -> list[Alternative]:
    return list(dict.fromkeys(alternatives))


__all__ = ["Normalizer"]
