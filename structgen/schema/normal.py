"""The normal form: a value position (goal) becomes a set of alternatives, lazily.

In: a `Document`. Out: for a goal, the tuple of its `Alternative`s: each of one JSON kind, each with at least one value, together
exactly the values that satisfy the goal.

How. (1) *Conjunctions* (`conjunctions`): references and `allOf` join, the other applicators are choices, complements are denials.
(2) *Raw alternatives*: per conjunction and kind the keywords are merged, in `objects` and `arrays` for containers; the goals of properties
and items are named, not looked into. Denials narrow scalars by exclusion, containers by rules. (3) *Inhabitation*: whether a goal has
a value at all is the least solution of "some raw alternative has a value for everything that it requires", found by propagation over the
graph of needs, without recursion; an object that requires itself for ever has none. (4) `expand` drops what is not inhabited.

Limits: conjunctions per goal are capped by `Limits.max_alternatives` (LimitExceeded).
Turned down: rewriting the whole schema into disjunctive form beforehand (exponential where nothing is visited), and memoising
emptiness during a depth-first search (a result that leant on an unfinished ancestor must not be kept; the graph below has no such case).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes.numbers import NumberSpec
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
from structgen.schema.arrays import ItemRules, RawArray
from structgen.schema.closures import (
    CONSTRAINING,
    Conjunction,
    Denial,
    Enumeration,
    Leaf,
    has_constants,
    is_plain_object,
    lists_values,
)
from structgen.schema.conjunctions import Conjunctions
from structgen.schema.constants import (
    ANY,
    ARRAY,
    BOOLEAN,
    FRACTION,
    INTEGER,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    exact,
    kind_bit,
    value_key,
)
from structgen.schema.differences import is_plentiful, without_values
from structgen.schema.evaluate import Evaluator
from structgen.schema.instances import Instances
from structgen.schema.member_rules import MemberRules
from structgen.schema.merging import Merging
from structgen.schema.objects import DeniedShape, DeniedValues, RawObject, goal_by_scopes
from structgen.schema.options import JsonOptions
from structgen.schema.plain import DOUBTFUL, is_plainly_inhabited, undemanding_kinds
from structgen.schema.references import Document, Location
from structgen.schema.scalars import (
    NumberBounds,
    folded_number,
    number_bounds,
    number_is_empty,
    number_spec,
    string_constraints,
)
from structgen.schema.strings import FORMATS, folded_string, string_is_empty, string_matches

if TYPE_CHECKING:
    from structgen.lexemes.dfa import CharDfa

_Raw = Null | Boolean | Number | NumberEnum | String | StringEnum | RawObject | RawArray


# Decisions inside each other: the values of one goal may ask for another, and so on through goals without end.
_NESTED = 40
_RAW_STEPS = 10  # of the budget, for the alternatives of one goal


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
        self._plentiful: dict[Goal, bool] = {}
        self._denied_objects: dict[tuple[Leaf, ...], DeniedShape[RawObject]] = {}
        self._root: Goal | None = None
        self._deciding = 0

    # Helpers that most schemas never need are made when they are.

    @cached_property
    def _merging(self) -> Merging:
        return Merging(self._space, self.document, self.options, self.limits, self._names)

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self._space, self._merging, self.options, self.limits, self._formats)

    @cached_property
    def _instances(self) -> Instances:
        return Instances(self.expand, self.is_empty, self.options, self.limits)

    # -- public ------------------------------------------------------------------------------------------------------------------

    @property
    def root(self) -> Goal:
        """The goal of the whole document."""
        if self._root is None:
            self._root = self._space.goal_at(self.document.root)
        return self._root

    def begin(self) -> None:
        """A new operation begins (a node or a state is compiled): its budget of steps is whole."""
        self._space.begin()

    def expand(self, goal: Goal) -> tuple[Alternative, ...]:
        """The alternatives of a goal; () when nothing matches. Raises LimitExceeded, RegexError, SchemaError (a bad reference)."""
        found = self._expanded.get(goal)
        if found is None:
            plain = self._plain_object(self.document.at(goal[0])) if len(goal) == 1 and goal[0] > 0 else None
            if plain is not None:
                found = (plain,)
            else:
                found = tuple(_distinct(self._finished(self._raw(goal, ANY))))
            self._expanded[goal] = found
        return found

    def _plain_object(self, place: Location) -> Object | None:
        """The only alternative of a subschema that is an object with properties, required ones and others, and says nothing else.

        What the general way finds, in a third of the time, for most of the objects there are. None: go that way.
        """
        schema = place.schema
        if not isinstance(schema, dict) or schema.get("type") != "object" or not is_plain_object(schema):
            return None
        goal_at, inhabited = self._space.goal_at, self._inhabited
        required = frozenset(schema.get("required", ()))
        if not required.issubset(schema.get("properties", ())):
            return None
        properties = []
        for name, below in self.document.members(place, "properties"):
            said = below.schema
            if type(said) is dict and DOUBTFUL.isdisjoint(said):  # goal_at and undemanding_kinds, without the calls
                goal: Goal = () if CONSTRAINING.isdisjoint(said) else (below.id,)
                properties.append(Property(name, goal, name in required))
                continue
            goal = goal_at(below)
            if inhabited.get(goal) or not self.is_empty(goal):
                properties.append(Property(name, goal, name in required))
            elif name in required:
                return None
            else:
                properties.append(Property(name, None, False))
        says_extra = "additionalProperties" in schema
        others = goal_at(self.document.child(place, "additionalProperties")) if says_extra else ()
        closed = self.options.extra_properties == "closed" and not says_extra
        scopes = (Scope((), others),) if others else ()
        return Object(tuple(properties), (), None, scopes, closed, place.pointer, self._class_goal)

    def is_empty(self, goal: Goal) -> bool:
        """Whether no JSON value satisfies the goal."""
        known = self._inhabited.get(goal)
        if known is None:
            if self._space.is_false(goal):
                known = self._inhabited[goal] = False
            else:
                known = self._is_plain_goal(goal) or self._decide(goal)
        return not known

    def of_kinds(self, goal: Goal, kinds: int) -> Goal:
        """The goal of those values of a goal that are of some kinds (bits)."""
        return self._space.both(goal, self._space.of_kinds(kinds))

    def names_language(self, names: tuple[String | StringEnum, ...]) -> CharDfa:
        """The automaton of a set of names."""
        return self._merging.names_language(names)

    def place_of(self, goal: Goal) -> Location:
        """A Location to name in messages about a goal."""
        return self._space.place_of(goal)

    # -- raw alternatives --------------------------------------------------------------------------------------------------------

    def _raw(self, goal: Goal, kinds: int) -> tuple[_Raw, ...]:
        key = (goal, kinds)
        found = self._raws.get(key)
        if found is None:
            self._space.spend(_RAW_STEPS)
            alternatives: list[_Raw] = []
            apart = self._space.apart_from_constants(goal)
            if apart is None:
                for conjunction in self._space.of(goal, kinds):
                    alternatives += self._alternatives(conjunction, goal)
            else:
                rest, values = apart
                for raw in self._raw(rest, kinds):
                    kept = self._without(raw, values)
                    if kept is not None:
                        alternatives.append(kept)
            found = self._raws[key] = tuple(_merged(alternatives))
        return found

    def _without(self, raw: _Raw, values: Enumeration) -> _Raw | None:
        """The alternative without some values; None if none are left."""
        if isinstance(raw, RawObject):
            objects = tuple(value for value in values.values() if isinstance(value, dict))
            if not objects:
                return raw
            denials = (*raw.denials, DeniedValues(objects))
            return self._with_member_rules(replace(raw, goals=dict(raw.goals), denials=denials, rules=None))
        if isinstance(raw, RawArray):
            arrays = tuple(value for value in values.values() if isinstance(value, list))
            if not arrays:
                return raw
            return self._with_item_rules(replace(raw, denials=(*raw.denials, DeniedValues(arrays)), rules=None))
        return without_values(raw, values, self.options, self.limits)

    def _alternatives(self, conjunction: Conjunction, goal: Goal) -> Iterator[_Raw]:
        kinds, leaves, denials = conjunction.kinds, conjunction.leaves, conjunction.denials
        if any(has_constants(leaf.schema) for leaf in leaves):
            yield from self._enumerated(kinds, leaves, denials)
            return
        if kinds & NULL and not self._is_denied(denials, None):
            yield Null()
        if kinds & BOOLEAN:
            values = tuple(value for value in (False, True) if not self._is_denied(denials, value))
            if values:
                yield Boolean(values)
        if kinds & NUMBER:
            yield from self._numbers(kinds & NUMBER, leaves, denials)
        if kinds & STRING:
            string = self._string(leaves, denials)
            if string is not None:
                yield string
        if kinds & ARRAY:
            array = self._array(leaves, denials, goal)
            if array is not None:
                yield array
        if kinds & OBJECT:
            made = self._object(leaves, denials, goal)
            if made is not None:
                yield made

    def _is_denied(self, denials: tuple[Denial, ...], value: Any) -> bool:
        return any(self._evaluator.is_denied(denial, value) for denial in denials)

    def _listed(self, denial: Denial, kinds: int) -> list[Any] | None:
        """The values of these kinds that a denial lists; None if it lists none but describes them."""
        listing = [leaf for leaf in denial.leaves if has_constants(leaf.schema)]
        if not listing:
            return None
        values = self._space.enumeration(listing[0]).values()
        return [value for value in values if kind_bit(value) & kinds and self._evaluator.is_denied(denial, value)]

    def _numbers(self, kinds: int, leaves: tuple[Leaf, ...], denials: tuple[Denial, ...]) -> Iterator[Number]:
        denials = tuple(denial for denial in denials if denial.kinds & kinds)
        if kinds == NUMBER and any(
            denial.kinds & NUMBER == FRACTION and self._listed(denial, NUMBER) is None for denial in denials
        ):
            # the integers are not concerned
            yield from self._numbers(INTEGER, leaves, denials)
            yield from self._numbers(FRACTION, leaves, denials)
            return
        bounds = number_bounds(_schemas(leaves))
        integer = kinds == INTEGER
        if bounds.is_empty(integer):
            return
        excluded: list[NumberSpec] = []
        without: set[Decimal | int] = set()
        if kinds == FRACTION:
            excluded.append(NumberSpec(integer=True))
        for denial in denials:
            listed = self._listed(denial, NUMBER)
            if listed is not None:
                without.update(map(exact, listed))
                continue
            denied = number_bounds(_schemas(denial.leaves))
            if not denied.is_empty(not denial.kinds & FRACTION):
                excluded.append(self._number_spec(denied, not denial.kinds & FRACTION))
        number = Number(self._number_spec(bounds, integer), tuple(excluded), frozenset(without))
        if not excluded and not without:
            yield number
            return
        folded = folded_number(number)
        if folded is not None and not number_is_empty(folded):
            yield folded

    def _number_spec(self, bounds: NumberBounds, integer: bool) -> NumberSpec:
        """The specification of numbers; in draft 4 an integer has no fraction, not even .0."""
        options = self.options
        if integer and options.integers != "plain" and self.document.root.draft == "draft4":
            options = replace(options, integers="plain")
        return number_spec(bounds, integer, options)

    def _string(self, leaves: tuple[Leaf, ...], denials: tuple[Denial, ...]) -> String | None:
        string = string_constraints(_schemas(leaves), self._formats)
        cap = self.options.max_string_length
        if cap is not None and string.max_length is None and not string.patterns and not string.formats:
            string = String(string.min_length, max(cap, string.min_length))
        excluded: list[String] = []
        without: set[str] = set()
        for denial in denials:
            if not denial.kinds & STRING:
                continue
            listed = self._listed(denial, STRING)
            if listed is not None:
                without.update(listed)
                continue
            denied = string_constraints(_schemas(denial.leaves), self._formats)
            if denied == String():
                return None
            excluded.append(denied)
        if excluded or without:
            folded = folded_string(
                replace(string, excluded=tuple(excluded), without=frozenset(without)), self.options, self.limits
            )
            if folded is None:
                return None
            string = folded
        return None if string_is_empty(string, self.options, self.limits) else string

    def _array(self, leaves: tuple[Leaf, ...], denials: tuple[Denial, ...], goal: Goal) -> RawArray | None:
        raw = self._merging.merge_array(leaves, self._pointer(goal))
        if raw.high is not None and raw.high < raw.low:
            return None
        denied: list[DeniedShape[RawArray] | DeniedValues[list[Any]]] = []
        for denial in denials:
            if denial.kinds & ARRAY:
                listed = self._listed(denial, ARRAY)
                if listed is None:
                    denied.append(DeniedShape(self._merging.merge_array(denial.leaves, raw.pointer)))
                elif listed:
                    denied.append(DeniedValues(tuple(listed)))
        raw.denials = tuple(denied)
        return self._with_item_rules(raw)

    def _with_item_rules(self, raw: RawArray) -> RawArray:
        if not raw.is_tabular:
            raw.rules = ItemRules(raw, self._merging.around, self._instances.of)
        return raw

    def _pointer(self, goal: Goal) -> str:
        return self.place_of(goal).pointer if goal else ""

    def _object(self, leaves: tuple[Leaf, ...], denials: tuple[Denial, ...], goal: Goal) -> RawObject | None:
        """The leaves' object keywords merged; None when a required name is impossible."""
        raw = self._merging.merge_object(leaves, self._pointer(goal))
        if denials or not raw.is_tabular:
            denied: list[DeniedShape[RawObject] | DeniedValues[dict[str, Any]]] = []
            for denial in denials:
                if denial.kinds & OBJECT:
                    listed = self._listed(denial, OBJECT)
                    if listed is None:
                        denied.append(self._denied_object(denial.leaves))
                    elif listed:
                        denied.append(DeniedValues(tuple(listed)))
            raw.denials = tuple(denied)
        if any(raw.goals[name] is None for name in raw.required):
            return None
        return self._with_member_rules(raw)

    def _with_member_rules(self, raw: RawObject) -> RawObject | None:
        """The object with rules if tables do not say everything; None when these are impossible for sure."""
        if not raw.is_tabular:
            naming = self._merging.naming(raw)
            ordered = self.options.property_order == "schema"
            raw.rules = MemberRules(raw, self._merging.around, self._is_plentiful, ordered=ordered)
            naming.classify(raw.rules)
            if raw.rules.impossible:
                return None
        return raw

    def _is_plentiful(self, goal: Goal) -> bool:
        """Whether a goal has obviously more values than any text can hold. Looks into no goal of members or items."""
        if not goal:
            return True
        found = self._plentiful.get(goal)
        if found is None:
            found = self._plentiful[goal] = any(map(_is_plentiful, self._raw(goal, ANY)))
        return found

    def _denied_object(self, leaves: tuple[Leaf, ...]) -> DeniedShape[RawObject]:
        """What a denial says of objects; the same for every alternative that it narrows."""
        found = self._denied_objects.get(leaves)
        if found is None:
            found = self._denied_objects[leaves] = DeniedShape(self._merging.merge_object(leaves, "", closing=False))
        return found

    def _names(self, goal: Goal) -> tuple[String | StringEnum, ...] | None:
        """What `propertyNames` allows; None = every name."""
        if not goal:
            return None
        names: list[String | StringEnum] = []
        for alternative in self._raw(goal, STRING):
            if isinstance(alternative, (String, StringEnum)):
                names.append(alternative)
        return None if String() in names else tuple(names)

    # -- constants ---------------------------------------------------------------------------------------------------------------

    def _enumerated(self, kinds: int, leaves: tuple[Leaf, ...], denials: tuple[Denial, ...]) -> Iterator[_Raw]:
        """Alternatives of a conjunction in which some Location lists its values."""
        listing = [leaf for leaf in leaves if has_constants(leaf.schema)]
        values = self._space.enumeration(listing[0])
        for leaf in listing[1:]:
            other = self._space.enumeration(leaf)
            values = {key: value for key, value in values.items() if key in other}
        others = []
        for denial in denials:
            if len(denial.leaves) == 1 and lists_values(denial.leaves[0].schema) and denial.kinds & kinds == kinds:
                listed = self._space.enumeration(denial.leaves[0])
                values = {key: value for key, value in values.items() if key not in listed}
            else:
                others.append(denial)
        denials = tuple(others)
        strings: list[str] = []
        numbers: list[int | Decimal] = []
        booleans: list[bool] = []
        schemas = _schemas(leaves)
        string: String | None = None
        bounds: NumberBounds | None = None
        n_containers = 0
        for value in values.values():
            bit = kind_bit(value)
            if not bit & kinds or (denials and self._is_denied(denials, value)):
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
            elif self._evaluator.satisfies(leaves, value):
                n_containers += 1
                yield self._constant(value, listing[0].pointer)
        if booleans:
            yield Boolean(tuple(sorted(booleans)))
        if numbers:
            # in draft 4 an integer has no fraction, not even .0
            yield NumberEnum(tuple(numbers), not kinds & FRACTION and self.document.root.draft == "draft4")
        if strings:
            yield StringEnum(tuple(strings))

    def _constant(self, value: list[Any] | dict[str, Any], pointer: str) -> RawArray | RawObject:
        """A constant array or object as an alternative that only it satisfies."""
        if isinstance(value, list):
            items = tuple(self._space.constants({value_key(item): item}) for item in value)
            return RawArray(items, None, len(value), len(value), pointer)
        goals: dict[str, Goal | None] = {
            name: self._space.constants({value_key(inner): inner}) for name, inner in value.items()
        }
        return RawObject(goals, dict.fromkeys(value), (), (), (), False, pointer)

    # -- inhabitation ------------------------------------------------------------------------------------------------------------

    def _is_plain_goal(self, goal: Goal) -> bool:
        """Whether the goal is obviously inhabited; if so, that is noted."""
        if len(goal) == 1:
            place_id = goal[0]
            found = self._plain.get(place_id)
            if found is None:
                found = place_id > 0 and is_plainly_inhabited(self.document, self.document.at(place_id), self._formats)
                self._plain[place_id] = found
        else:
            kinds = ANY
            for place_id in goal:
                bits = self._undemanding.get(place_id)
                if bits is None:
                    bits = 0 if place_id < 0 else undemanding_kinds(self.document.at(place_id))
                    self._undemanding[place_id] = bits
                kinds &= bits
            found = kinds != 0
        if found:
            self._inhabited[goal] = True
        return found

    def _needs(self, raw: _Raw) -> tuple[Goal, ...]:
        """The goals that must be inhabited for the alternative to be; with rules there are others besides."""
        if isinstance(raw, RawObject):
            needed = (raw.goals[name] for name in raw.required)
            return tuple({goal: None for goal in needed if goal})
        if isinstance(raw, RawArray) and raw.low and raw.rules is None:
            goals = raw.prefix[: raw.low]
            if raw.low > len(raw.prefix) and raw.items is not None:
                goals += (raw.items,)
            return tuple({goal: None for goal in goals if goal})
        return ()

    def _open_needs(self, raw: _Raw) -> list[Goal] | None:
        """The needs that are not known to be inhabited; None if one is known not to be."""
        needs = []
        for goal in self._needs(raw):
            known = self._known(goal)
            if known is False:
                return None
            if known is None:
                needs.append(goal)
        return needs

    def _known(self, goal: Goal) -> bool | None:
        """Whether the goal is inhabited, as far as that is known."""
        known = self._inhabited.get(goal)
        if known is None:
            if self._is_plain_goal(goal):
                return True
            apart = self._space.apart_from_constants(goal)
            if not self._space.together(apart[0] if apart else goal).kinds & (ARRAY | OBJECT):  # scalars need nothing
                known = self._inhabited[goal] = bool(self._raw(goal, ANY))
        return known

    def _attempt(self, rules: MemberRules | ItemRules) -> list[Goal] | None:
        """None if the rules can be satisfied by goals that are known to be inhabited; else the goals that may change that."""
        unknown: dict[Goal, None] = {}

        def empty(goal: Goal) -> bool:
            known = self._known(goal)
            if known is None:
                unknown[goal] = None
            return not known

        return None if rules.is_satisfiable(empty) else list(unknown)

    def _decide(self, goal: Goal) -> bool:
        """Whether the goal is inhabited: propagation over the graph of needs (a Horn system; its least solution).

        A pending alternative waits for all its needs; one with rules is tried again when goals that it asked for turn out inhabited:
        after one, two, four, ... of them, and when nothing else is left to look at.
        """
        self._deciding += 1
        try:
            if self._deciding > _NESTED:
                raise LimitExceeded(
                    f"{_NESTED} decisions that wait for each other at #{self._pointer(goal)}", f"{_NESTED} of them"
                )
            return self._decided(goal)
        finally:
            self._deciding -= 1

    def _decided(self, goal: Goal) -> bool:
        inhabited = self._inhabited
        counts: list[int] = []  # per pending alternative: needs that are not proven yet
        owners: list[Goal] = []
        users: dict[Goal, list[int]] = {}
        trials: list[tuple[MemberRules | ItemRules, Goal]] = []
        askers: dict[Goal, set[int]] = {}  # trials that asked for a goal
        again: dict[int, int] = {}  # trials to repeat: goals that they asked for and that turned out inhabited since
        due: list[int] = []
        patience: list[int] = []
        seen = {goal}
        stack = [goal]

        def wait(needs: list[Goal]) -> None:
            for need in reversed(needs):  # the first is looked at first
                if need not in seen:
                    seen.add(need)
                    stack.append(need)

        def wanted(need: Goal) -> bool:
            """Whether something still waits for a goal."""
            return any(trials[trial][1] not in inhabited for trial in askers.get(need, ())) or any(
                owners[index] not in inhabited for index in users.get(need, ())
            )

        def prove(first: Goal) -> None:
            proven = [first]
            while proven:
                current = proven.pop()
                if inhabited.get(current):
                    continue
                inhabited[current] = True
                for trial in askers.pop(current, ()):
                    again[trial] = again.get(trial, 0) + 1
                    if again[trial] >= patience[trial]:
                        due.append(trial)
                for index in users.get(current, ()):
                    counts[index] -= 1
                    if counts[index] == 0:
                        proven.append(owners[index])

        def attempt(trial: int) -> bool:
            rules, owner = trials[trial]
            patience[trial] *= 2
            unknown = self._attempt(rules)
            if unknown is None:
                prove(owner)
                return True
            for need in unknown:
                askers.setdefault(need, set()).add(trial)
            wait(unknown)
            return False

        while (stack or again) and goal not in inhabited:
            if due or not stack:
                trial = due.pop() if due else next(iter(again))
                if again.pop(trial, 0) and not inhabited.get(trials[trial][1]):
                    attempt(trial)
                continue
            current = stack.pop()
            if current in inhabited:
                continue
            if current != goal and not wanted(current):
                seen.discard(current)
                continue
            for raw in self._raw(current, ANY):
                needs = self._open_needs(raw)
                if needs is None:
                    continue
                rules = raw.rules if isinstance(raw, (RawObject, RawArray)) else None
                if rules is not None:
                    trials.append((rules, current))
                    patience.append(1)
                    if attempt(len(trials) - 1):
                        break
                    continue
                if not needs:
                    prove(current)
                    break
                for need in needs:
                    users.setdefault(need, []).append(len(counts))
                counts.append(len(needs))
                owners.append(current)
                wait(needs)
        if goal in inhabited:
            return inhabited[goal]
        for current in seen:
            inhabited.setdefault(current, False)
        return inhabited[goal]

    # -- final alternatives ------------------------------------------------------------------------------------------------------

    def _finished(self, raws: tuple[_Raw, ...]) -> Iterator[Alternative]:
        for raw in raws:
            if any(self.is_empty(goal) for goal in self._needs(raw)):
                continue
            if isinstance(raw, RawObject):
                made = self._finished_object(raw)
                if made is not None:
                    yield made
            elif isinstance(raw, RawArray):
                array = self._finished_array(raw)
                if array is not None:
                    yield array
            else:
                yield raw

    def _finished_object(self, raw: RawObject) -> Object | None:
        rules = raw.rules
        if rules is None:
            inhabited, required = self._inhabited, raw.required
            properties = tuple(
                [
                    Property(
                        name,
                        goal if goal is not None and (inhabited.get(goal) or not self.is_empty(goal)) else None,
                        name in required,
                    )
                    for name, goal in raw.goals.items()
                ]
            )
        else:
            rules.remember(self.is_empty)
            if not rules.is_live(rules.start(), self.is_empty):
                return None
            bits = rules.inhabited_bits(self.is_empty)
            properties = tuple(
                [
                    Property(name, goal if bits >> i & 1 else None, is_required)
                    for i, (name, goal, is_required) in enumerate(
                        zip(rules.names, rules.goals, rules.required, strict=True)
                    )
                ]
            )
        return Object(properties, raw.patterns, raw.names, raw.scopes, raw.closed, raw.pointer, self._class_goal, rules)

    def _finished_array(self, raw: RawArray) -> Array | None:
        prefix, items, high = raw.prefix, raw.items, raw.high
        if raw.rules is not None:
            raw.rules.remember(self.is_empty)
            if not raw.rules.is_live(raw.rules.start(), self.is_empty):
                return None
            return Array(prefix, items, raw.low, high, raw.pointer, raw.rules)
        for index, goal in enumerate(prefix):
            if self.is_empty(goal):
                prefix, items, high = prefix[:index], None, index
                break
        if items is not None and self.is_empty(items):
            items = None
        if items is None:
            high = len(prefix) if high is None else min(high, len(prefix))
        return Array(prefix, items, raw.low, high, raw.pointer)

    def _class_goal(self, made: Object, matched: frozenset[int]) -> Goal | None:
        if made.names == () or (made.closed and not matched):
            return None
        goal = goal_by_scopes(made.scopes, matched)
        return None if self.is_empty(goal) else goal


def _is_plentiful(raw: _Raw) -> bool:
    """`Normalizer._is_plentiful` of one alternative."""
    if isinstance(raw, RawObject):
        is_open = raw.names is None and not (raw.patterns or raw.closed or raw.required)
        return is_open and raw.rules is None and raw.other_goal(frozenset()) == ()
    if isinstance(raw, RawArray):
        return raw.rules is None and raw.low == 0 and raw.high is None and not raw.prefix and raw.items == ()
    return is_plentiful(raw)


def _schemas(leaves: tuple[Leaf, ...]) -> list[dict[str, Any]]:
    return [leaf.schema for leaf in leaves if isinstance(leaf.schema, dict)]


def _merged(alternatives: list[_Raw]) -> list[_Raw]:
    """Each alternative once; lists of scalars of one kind united; scalars that a free alternative covers left out."""
    if len(alternatives) < 2:
        return alternatives
    result: dict[Hashable, _Raw] = {}
    strings: dict[str, None] = {}
    numbers: dict[bool, dict[int | Decimal, None]] = {}
    booleans: set[bool] = set()
    for raw in alternatives:
        if isinstance(raw, StringEnum):
            strings.update(dict.fromkeys(raw.values))
            result.setdefault(StringEnum, raw)
        elif isinstance(raw, NumberEnum):
            numbers.setdefault(raw.plain, {}).update(dict.fromkeys(raw.values))
            result.setdefault((NumberEnum, raw.plain), raw)
        elif isinstance(raw, Boolean):
            booleans.update(raw.values)
            result.setdefault(Boolean, raw)
        else:
            result.setdefault(raw.key() if isinstance(raw, (RawObject, RawArray)) else raw, raw)
    if strings:
        if String() in result:
            del result[StringEnum]
        else:
            result[StringEnum] = StringEnum(tuple(strings))
    for plain, values in numbers.items():
        result[(NumberEnum, plain)] = NumberEnum(tuple(values), plain)
    if booleans:
        result[Boolean] = Boolean(tuple(sorted(booleans)))
    return list(result.values())


def _distinct(alternatives: Iterator[Alternative]) -> list[Alternative]:
    found = list(alternatives)
    return found if len(found) < 2 else list(dict.fromkeys(found))


__all__ = ["Normalizer"]
