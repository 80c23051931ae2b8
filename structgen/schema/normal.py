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
from structgen.schema.constants import (
    ANY,
    ARRAY,
    BOOLEAN,
    FRACTION,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    TYPE_BITS,
    exact,
    kind_bit,
    value_key,
)
from structgen.schema.options import JsonOptions
from structgen.schema.plain import is_plainly_inhabited
from structgen.schema.references import Document, Location
from structgen.schema.scalars import (
    NUMBER_KEYWORDS,
    STRING_KEYWORDS,
    NumberBounds,
    number_bounds,
    number_spec,
    string_constraints,
)
from structgen.schema.strings import FORMATS, pattern_matches, string_is_empty, string_matches

_OBJECT_KEYWORDS = frozenset("properties patternProperties additionalProperties required propertyNames".split())
_ARRAY_KEYWORDS = frozenset("prefixItems items minItems maxItems".split())
_LEAF_KEYWORDS = _OBJECT_KEYWORDS | _ARRAY_KEYWORDS | NUMBER_KEYWORDS | STRING_KEYWORDS | {"const", "enum"}
_CONSTRAINING = _LEAF_KEYWORDS | {"type", "$ref", "allOf", "anyOf", "oneOf", "not"}

Enumeration = dict[Hashable, Any]  # value_key -> value


@dataclass(frozen=True, slots=True)
class _Closure:
    """A Location with everything that `$ref` and `allOf` bring in. kinds: bits; leaves: Locations whose own keywords constrain;
    choices: the branches of each `anyOf`."""

    kinds: int
    leaves: tuple[Location, ...]
    choices: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Locations that must hold together, free of `$ref`, `allOf` and `anyOf`. kinds: bits of the JSON kinds left."""

    kinds: int
    leaves: tuple[Location, ...]


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
        self._formats = FORMATS if self.options.formats == "assert" else frozenset()
        self._closures: dict[int, _Closure] = {}
        self._raws: dict[tuple[Goal, int], tuple[_Raw, ...]] = {}
        self._expanded: dict[Goal, tuple[Alternative, ...]] = {}
        self._inhabited: dict[Goal, bool] = {(): True}
        self._plain: dict[int, bool] = {}
        self._enumerations: dict[int, Enumeration] = {}
        self._constants: dict[Hashable, Location] = {}
        self._targets: dict[int, Location] = {}
        self.root: Goal = self._goal([document.root])

    # -- public ------------------------------------------------------------------------------------------------------------------

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
            if len(goal) == 1 and self._is_plain(goal[0]):
                known = self._inhabited[goal] = True
            else:
                known = self._decide(goal)
        return not known

    def required_goals(self, conjunction: Conjunction) -> list[tuple[str, Goal | None]]:
        """The required names of a conjunction with their goals (None = the name is impossible), for messages."""
        names = [name for leaf in conjunction.leaves for name in _required_of(leaf.schema)]
        made = self._object(conjunction.leaves, (), keep_impossible=True)
        return [] if made is None else [(name, made.goals[name]) for name in dict.fromkeys(names)]

    # -- conjunctions ------------------------------------------------------------------------------------------------------------

    def _goal(self, locations: list[Location]) -> Goal:
        """The goal of a list of Locations; those that admit everything are left out."""
        ids = set()
        for location in locations:
            place = self._target(location)
            if _constrains(place.schema):
                ids.add(place.id)
        return tuple(sorted(ids))

    def _target(self, place: Location) -> Location:
        """The place that a Location which is nothing but a `$ref` stands for, so that one position has one goal."""
        schema = place.schema
        if not isinstance(schema, dict) or "$ref" not in schema:
            return place
        found = self._targets.get(place.id)
        if found is None:
            found = place
            seen = {place.id}
            while isinstance(schema, dict) and "$ref" in schema and len(_CONSTRAINING.intersection(schema)) == 1:
                found = self.document.resolve(found, schema["$ref"])
                if found.id in seen:
                    break  # a loop, which `keywords.check` refuses
                seen.add(found.id)
                schema = found.schema
            self._targets[place.id] = found
        return found

    def _closure(self, place_id: int) -> _Closure:
        found = self._closures.get(place_id)
        if found is not None:
            return found
        document = self.document
        kinds = ANY
        leaves: list[Location] = []
        choices: list[tuple[int, ...]] = []
        seen: set[int] = set()
        # (location, None) = visit it; (location, True) = its own keywords stand here in the order of the text
        stack: list[tuple[Location, bool]] = [(document.at(place_id), False)]
        while stack:
            place, is_leaf = stack.pop()
            if is_leaf:
                leaves.append(place)
                continue
            if place.id in seen:
                continue
            seen.add(place.id)
            schema = place.schema
            if not isinstance(schema, dict):
                kinds = kinds if schema else 0
                continue
            kinds &= _kinds(schema)
            steps: list[tuple[Location, bool]] = []
            own = False
            for key, value in schema.items():
                if key == "$ref":
                    steps.append((document.resolve(place, value), False))
                elif key == "allOf" or (key == "oneOf" and len(value) == 1):
                    steps += [(document.child(place, key, index), False) for index in range(len(value))]
                elif key == "anyOf":
                    choices.append(tuple(document.child(place, key, index).id for index in range(len(value))))
                elif key == "not":
                    kinds = 0 if value is True or value == {} else kinds
                elif not own and (key in _LEAF_KEYWORDS or (key == "type" and self._is_closed(value))):
                    own = True
                    steps.append((place, True))
            stack += reversed(steps)
        found = self._closures[place_id] = _Closure(kinds, tuple(leaves), tuple(choices))
        return found

    def _is_closed(self, types: Any) -> bool:
        """Whether a `type` makes extra names a matter of the option `extra_properties`."""
        return self.options.extra_properties == "closed" and (types == "object" or "object" in types)

    def conjunctions(self, goal: Goal, kinds: int) -> list[Conjunction]:
        """The goal as conjunctions without `$ref`, `allOf` and `anyOf`; their kinds within `kinds`."""
        start = Conjunction(kinds, ())
        pending: tuple[tuple[int, ...], ...] = ()
        for place_id in goal:
            joined = self._join(start, self._closure(place_id))
            if joined is None:
                return []
            start = joined
            pending += self._closure(place_id).choices
        if not pending:
            return [start]
        limit = self.limits.max_alternatives
        result: list[Conjunction] = []
        stack = [(start, pending)]
        seen: set[tuple[Conjunction, tuple[tuple[int, ...], ...]]] = set()
        while stack:
            conjunction, pending = stack.pop()
            if not pending:
                result.append(conjunction)
                continue
            steps = []
            for branch in pending[0]:
                closure = self._closure(branch)
                joined = self._join(conjunction, closure)
                if joined is None:
                    continue
                step = (joined, pending[1:] + closure.choices)
                if step not in seen:
                    seen.add(step)
                    steps.append(step)
            if len(seen) > limit:
                raise LimitExceeded(
                    f"{len(seen)} combinations of anyOf branches at #{self.document.at(goal[0]).pointer}",
                    limit,
                    "max_alternatives",
                )
            stack += reversed(steps)
        return result

    def _join(self, conjunction: Conjunction, closure: _Closure) -> Conjunction | None:
        """Both together; None when their types or constants clash."""
        kinds = conjunction.kinds & closure.kinds
        if kinds == 0:
            return None
        if not closure.leaves:
            return Conjunction(kinds, conjunction.leaves)
        known = set(map(id, conjunction.leaves))
        new = tuple(leaf for leaf in closure.leaves if id(leaf) not in known)
        if conjunction.leaves and not self._constants_agree(conjunction.leaves, new):
            return None
        return Conjunction(kinds, conjunction.leaves + new)

    def _constants_agree(self, old: tuple[Location, ...], new: tuple[Location, ...]) -> bool:
        first = next((leaf for leaf in old if has_constants(leaf.schema)), None)
        if first is None:
            return True
        values = self._enumeration(first)
        return not any(has_constants(leaf.schema) and self._enumeration(leaf).keys().isdisjoint(values) for leaf in new)

    # -- raw alternatives --------------------------------------------------------------------------------------------------------

    def _raw(self, goal: Goal, kinds: int) -> tuple[_Raw, ...]:
        key = (goal, kinds)
        found = self._raws.get(key)
        if found is None:
            alternatives: list[_Raw] = []
            for conjunction in self.conjunctions(goal, kinds):
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
            if not isinstance(schema, dict) or _ARRAY_KEYWORDS.isdisjoint(schema):
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
            positions.append(self._goal(places))
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
            if _OBJECT_KEYWORDS.isdisjoint(schema):
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
            if additional is not None and not self._goal([additional]):
                additional = None
            if own or additional is not None:
                partial.append((properties, own, additional))
                numbered = tuple(
                    (patterns.setdefault(pattern, len(patterns)), self._scope_id(place)) for pattern, place in own
                )
                scopes.append(Scope(numbered, self._scope_id(additional) if additional is not None else 0))
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
            goals[name] = None if impossible else self._goal(own_places)
        if not keep_impossible and any(goals[name] is None for name in required):
            return None
        return _RawObject(
            goals, required, tuple(patterns), names, tuple(scopes), closed, pointer or self._pointer(goal)
        )

    def _scope_id(self, place: Location) -> int:
        return place.id if self._goal([place]) else 0

    def _names(self, places: list[Location]) -> tuple[String | StringEnum, ...] | None:
        """What `propertyNames` allows; None = every name."""
        goal = self._goal(places) if places else ()
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

    def _enumeration(self, leaf: Location) -> Enumeration:
        """The values that `const` and `enum` of one Location leave, by key."""
        found = self._enumerations.get(leaf.id)
        if found is None:
            schema = leaf.schema
            if not isinstance(schema, dict):
                return {}
            found = {}
            if "enum" in schema:
                for value in schema["enum"]:
                    found.setdefault(value_key(value), value)
            if "const" in schema:
                key = value_key(schema["const"])
                found = {key: schema["const"]} if "enum" not in schema or key in found else {}
            self._enumerations[leaf.id] = found
        return found

    def _enumerated(self, kinds: int, leaves: tuple[Location, ...]) -> Iterator[_Raw]:
        """Alternatives of a conjunction in which some Location lists its values."""
        listing = [leaf for leaf in leaves if has_constants(leaf.schema)]
        values = self._enumeration(listing[0])
        for leaf in listing[1:]:
            other = self._enumeration(leaf)
            values = {key: value for key, value in values.items() if key in other}
        strings: list[str] = []
        numbers: list[int | Decimal] = []
        booleans: list[bool] = []
        schemas = [leaf.schema for leaf in leaves if isinstance(leaf.schema, dict)]
        string: String | None = None
        bounds: NumberBounds | None = None
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
            elif bit == ARRAY:
                array = self._array((*leaves, self._constant(key, value, listing[0])), ())
                if array is not None:
                    yield array
            else:
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

    def _is_plain(self, place_id: int) -> bool:
        found = self._plain.get(place_id)
        if found is None:
            place = self.document.at(place_id)
            found = self._plain[place_id] = is_plainly_inhabited(self.document, place, self._formats)
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
            if known is None and len(goal) == 1 and self._is_plain(goal[0]):
                known = self._inhabited[goal] = True
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
            own = [place_id for index, place_id in scope.patterns if index in matched]
            ids.update(own or (scope.additional,))
        ids.discard(0)
        goal = tuple(sorted(ids))
        return None if self.is_empty(goal) else goal


def _constrains(schema: dict[str, Any] | bool) -> bool:
    return not _CONSTRAINING.isdisjoint(schema) if isinstance(schema, dict) else not schema


def _kinds(schema: dict[str, Any]) -> int:
    types = schema.get("type")
    if types is None:
        return ANY
    if isinstance(types, str):
        return TYPE_BITS[types]
    bits = 0
    for name in types:
        bits |= TYPE_BITS[name]
    return bits


def has_constants(schema: Any) -> bool:
    """Whether a schema lists its values."""
    return isinstance(schema, dict) and ("enum" in schema or "const" in schema)


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
