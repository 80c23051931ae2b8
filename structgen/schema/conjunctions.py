"""Goals as conjunctions: references and in-place applicators taken apart, before any keyword of one kind is looked at.

In: goals. Out: `Conjunction`s: *leaves* (Locations whose own keywords must hold) and *denials* (sets of leaves that must not all hold).
`$ref`, `allOf` and their kin join the conjunction; `anyOf`, `oneOf`, `if` and `dependentSchemas` are choices between goals; `not` joins a
denied goal. Ids below zero stand for goals that the normal form makes itself: the complement of a goal, one of several goals, or
given leaves.

Complements follow De Morgan: a goal whose closure is nothing but leaves becomes one denial, however many keywords it has; what is a
choice inside it becomes a choice of what fails. `oneOf` is "this branch and none of the others", where a branch that shallow evidence
(types, constants, required keys) shows to be disjoint is not denied again. `unevaluated*` is a choice between the exact outcomes of the
applicators beside it, each with the rule for the members or items that this outcome leaves unevaluated.

A branch that clashes with what is already there (types, constants, the constants of a required property) is dropped at once, and equal
partial combinations are followed once. Limits: `Limits.max_alternatives` combinations of branches per goal.
Turned down: writing complements out as JSON Schemas (one keyword's complement is a disjunction: a denied object with ten properties would
be ten alternatives, and three such objects a thousand).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from itertools import combinations
from typing import Any

from structgen.errors import LimitExceeded, Limits, SchemaError
from structgen.schema.alternatives import Goal
from structgen.schema.closures import (
    CONSTRAINING,
    JOINING,
    LEAF_KEYWORDS,
    NOT_IN_CONDITIONS,
    NOTHING,
    REFERENCES,
    UNEVALUATED,
    Choice,
    Closure,
    Condition,
    Conjunction,
    Denial,
    Enumeration,
    ItemRule,
    Leaf,
    MemberRule,
    has_constants,
    kinds_said,
    lists_values,
    normal_denial,
)
from structgen.schema.constants import ANY, OBJECT, kind_bit, kinds_of_type, value_key
from structgen.schema.evidence import Evidence
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document, Location


class Conjunctions:
    """Takes the goals of one document apart; everything is memoised."""

    def __init__(self, document: Document, options: JsonOptions, limits: Limits) -> None:
        self.document, self.options, self.limits = document, options, limits
        self._closures: dict[int, Closure] = {}
        self._together: dict[Goal, Closure] = {}
        self._under_way: set[int] = set()
        self._enumerations: dict[int, Enumeration] = {}
        self._joins: dict[int, Goal] = {}
        self._false_ids: set[int] = set()  # Locations of the schema `false`
        self._made: dict[tuple[Any, ...], int] = {}
        self._makers: list[Callable[[], Closure]] = []
        self._origins: list[tuple[Any, ...]] = []
        self._values: dict[tuple[Hashable, ...], Enumeration] = {}  # what `constants` was asked for
        self._spent = 0
        self._silent_leaves: dict[int, Location] = {}
        self._silent_ids: set[int] = set()

    @cached_property
    def _evidence(self) -> Evidence:
        return Evidence(self.document, self.enumeration, self.goal_at)

    def begin(self) -> None:
        """A new operation begins: its budget is whole."""
        self._spent = 0

    def spend(self, steps: int = 1) -> None:
        """Note work on the normal form. Raises LimitExceeded when the budget of the operation is used up."""
        self._spent += steps
        limit = self.limits.max_schema_steps
        if self._spent > limit:
            raise LimitExceeded(f"more than {limit} steps to tell what may come next", limit, "max_schema_steps")

    # -- goals -------------------------------------------------------------------------------------------------------------------

    def goal_of(self, locations: Iterable[Location]) -> Goal:
        """The goal of Locations, in its shortest form: those that admit everything are left out, and those that are nothing but
        references or `allOf` stand for what they name, so that one position has one goal."""
        ids: set[int] = set()
        for place in locations:
            ids.update(self.goal_at(place))
        return tuple(sorted(ids))

    def both(self, *goals: Goal) -> Goal:
        """The goal that holds where all of these do."""
        parts = {goal for goal in goals if goal}
        if len(parts) < 2:
            return parts.pop() if parts else ()
        return tuple(sorted({number for goal in parts for number in goal}))

    def is_false(self, goal: Goal) -> bool:
        """Whether the schema `false` is part of a goal."""
        return bool(self._false_ids) and not self._false_ids.isdisjoint(goal)

    def deny(self, goal: Goal) -> Goal:
        """The complement of a goal."""
        if len(goal) == 1 and goal[0] < 0:
            origin = self._origins[~goal[0]]
            if origin[0] == "deny":
                return origin[1]  # type: ignore[no-any-return]
        if self.is_false(goal):
            return ()
        return self._make(("deny", goal), lambda: self._denied(goal))

    def one_of(self, goals: tuple[Goal, ...]) -> Goal:
        """The goal that holds where at least one of these does."""
        if () in goals:
            return ()
        if len(goals) == 1:
            return goals[0]

        def make() -> Closure:
            failing = (self.both(*map(self.deny, goals)),)
            return Closure(choices=(Choice(goals, failing, overlapping=True),))

        return self._make(("any", goals), make)

    def constants(self, values: Enumeration) -> Goal:
        """The goal that exactly these values satisfy."""
        keys = tuple(values)
        near = self.document.root

        def make() -> Closure:
            return Closure(leaves=(self.document.synthetic({"enum": list(values.values())}, near),))

        self._values.setdefault(keys, values)
        return self._make(("values", keys), make)

    def of_kinds(self, kinds: int) -> Goal:
        """The goal of all values of some kinds (bits)."""
        return self._given(Closure(kinds))

    def apart_from_constants(self, goal: Goal) -> tuple[Goal, Enumeration] | None:
        """The goal without the constants that it denies, and those; None if it denies none."""
        rest: list[int] = []
        values: Enumeration = {}
        for number in goal:
            listed = self._denied_constants(number) if number < 0 else None
            if listed is None:
                rest.append(number)
            else:
                values.update(listed)
        return (tuple(rest), values) if values else None

    def _denied_constants(self, number: int) -> Enumeration | None:
        origin = self._origins[~number]
        if origin[0] != "deny" or len(origin[1]) != 1 or origin[1][0] >= 0:
            return None
        listed = self._origins[~origin[1][0]]
        return self._values[listed[1]] if listed[0] == "values" else None

    def place_of(self, goal: Goal) -> Location:
        """A Location to name in messages about a goal."""
        return next((self.document.at(number) for number in goal if number > 0), self.document.root)

    def _make(self, key: tuple[Any, ...], maker: Callable[[], Closure]) -> Goal:
        number = self._made.get(key)
        if number is None:
            number = self._made[key] = ~len(self._makers)
            self._makers.append(maker)
            self._origins.append(key)
        return (number,)

    def _given(self, closure: Closure) -> Goal:
        """The goal of a closure."""
        if closure == Closure():
            return ()
        return self._make(("given", closure), lambda: closure)

    def goal_at(self, place: Location) -> Goal:
        """`goal_of` of one Location."""
        schema = place.schema
        if not isinstance(schema, dict):
            if schema:
                return ()
            self._false_ids.add(place.id)
            return (place.id,)
        if JOINING.isdisjoint(schema):
            return () if CONSTRAINING.isdisjoint(schema) else (place.id,)
        found = self._joins.get(place.id)
        if found is None:
            document = self.document
            ids: set[int] = set()
            seen: set[int] = set()
            stack = [place]
            while stack:
                place_below = stack.pop()
                if place_below.id in seen:
                    continue  # said twice, or a loop, which `keywords.check` refuses
                seen.add(place_below.id)
                schema = place_below.schema
                if not isinstance(schema, dict):
                    if not schema:
                        self._false_ids.add(place_below.id)
                        ids.add(place_below.id)
                elif JOINING.issuperset(CONSTRAINING.intersection(schema)):
                    stack += [self._target(place_below, key) for key in REFERENCES.intersection(schema)]
                    n_joined = len(schema.get("allOf", ()))
                    stack += [document.child(place_below, "allOf", index) for index in range(n_joined)]
                else:
                    ids.add(place_below.id)
            found = self._joins[place.id] = tuple(sorted(ids))
        return found

    def _target(self, place: Location, keyword: str) -> Location:
        """Where a reference leads."""
        reference = place.schema[keyword]  # type: ignore[index]
        if keyword == "$ref":
            return self.document.resolve(place, reference)
        if keyword == "$dynamicRef":
            return self.document.resolve_dynamic(place, reference)
        return self.document.resolve_recursive(place, reference)

    # -- closures ----------------------------------------------------------------------------------------------------------------

    def closure(self, number: int) -> Closure:
        """The closure of one id. Raises SchemaError where a schema leads back to itself in place."""
        found = self._closures.get(number)
        if found is not None:
            return found
        if number in self._under_way:
            place = self.document.at(number).pointer if number > 0 else ""
            raise SchemaError("the schema leads back to itself without entering a property or an item", place)
        self._under_way.add(number)
        try:
            found = self._makers[~number]() if number < 0 else self._of_location(self.document.at(number))
        finally:
            self._under_way.discard(number)
        self._closures[number] = found
        return found

    def together(self, goal: Goal) -> Closure:
        """The closure of a whole goal."""
        if len(goal) == 1:
            return self.closure(goal[0])
        found = self._together.get(goal)
        if found is None:
            found = self._together[goal] = self._merged([self.closure(number) for number in goal])
        return found

    def _merged(self, closures: list[Closure]) -> Closure:
        kinds = ANY
        for closure in closures:
            kinds &= closure.kinds
        leaves = tuple({leaf: None for closure in closures for leaf in closure.leaves})
        denials = tuple({denial: None for closure in closures for denial in closure.denials})
        joined = self._consistent(kinds, leaves, denials)
        if joined is None:
            return NOTHING
        choices = tuple({choice: None for closure in closures for choice in closure.choices})
        return Closure(joined.kinds, joined.leaves, joined.denials, choices)

    def _of_location(self, top: Location) -> Closure:
        document = self.document
        kinds = ANY
        leaves: list[Leaf] = []
        joined: list[Closure] = []
        choices: list[Choice] = []
        seen: set[int] = set()
        # (location, False) = visit it; (location, True) = its own keywords stand here in the order of the text
        stack: list[tuple[Location, bool]] = [(top, False)]
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
            if not UNEVALUATED.isdisjoint(schema):
                joined.append(self._unevaluated(place, schema))
                continue
            kinds &= kinds_of_type(schema)
            steps: list[tuple[Location, bool]] = []
            own = False
            for key, value in schema.items():
                if key in REFERENCES:
                    steps.append((self._target(place, key), False))
                elif key == "allOf" or (key == "oneOf" and len(value) == 1):
                    steps += [(document.child(place, key, index), False) for index in range(len(value))]
                elif key == "anyOf":
                    branches = self._branches(place)
                    choices.append(Choice(branches, (self.both(*map(self.deny, branches)),), overlapping=True))
                elif key == "oneOf":
                    choices.append(self._exactly_one(place))
                elif key == "not":
                    denied = self._silent(self.deny(self.goal_at(document.child(place, "not"))))
                    joined.append(self.together(denied))
                elif key == "if":
                    choices.append(self._conditional(place, schema))
                elif key == "dependentSchemas":
                    for name in value:
                        condition = self._condition(place, name)
                        if condition is None:
                            choices.append(self._dependent(place, name))
                        elif condition.goal:
                            leaves.append(condition)
                elif not own and (key in LEAF_KEYWORDS or (key == "type" and self._is_closed(value))):
                    own = True
                    steps.append((place, True))
            stack += reversed(steps)
        base = Closure(kinds, tuple(leaves), (), tuple(choices))
        return self._merged([base, *joined]) if joined or len(leaves) > 1 else base

    def _branches(self, place: Location) -> tuple[Goal, ...]:
        """The branches of an `anyOf`; those that only list values are united into one."""
        document = self.document
        places = [document.child(place, "anyOf", index) for index in range(len(place.schema["anyOf"]))]  # type: ignore[index]
        listing = [branch for branch in places if lists_values(branch.schema)]
        if len(listing) < 2:
            return tuple(dict.fromkeys(self.goal_at(branch) for branch in places))
        values = [value for branch in listing for value in self.enumeration(branch).values()]
        united = document.synthetic({"enum": values}, place)
        rest = [self.goal_at(branch) for branch in places if not lists_values(branch.schema)]
        first = places.index(listing[0])
        return tuple(dict.fromkeys((*rest[:first], (united.id,), *rest[first:])))

    def _exactly_one(self, place: Location) -> Choice:
        document = self.document
        count = len(place.schema["oneOf"])  # type: ignore[index]
        if count > self.limits.max_alternatives:
            raise LimitExceeded(f"{count} branches of oneOf at #{place.pointer}", self.limits.max_alternatives,
                                "max_alternatives")  # fmt: skip
        goals = [self.goal_at(document.child(place, "oneOf", index)) for index in range(count)]
        closures = [self.together(goal) if self._is_ready(goal) else Closure() for goal in goals]
        denied = [self._silent(self.deny(goal)) for goal in goals]
        meeting: list[list[int]] = [[] for _ in goals]
        pairs: list[Goal] = []
        tags = [self._evidence.tags(closure) for closure in closures]
        for i, j in combinations(range(count), 2):
            if any(name in tags[j] and tags[j][name].isdisjoint(keys) for name, keys in tags[i].items()):
                continue  # the usual case: a required property of constants tells the branches apart
            self.spend(2)
            if goals[i] == goals[j] or not self._disjoint(closures[i], closures[j]):
                meeting[i].append(j)
                meeting[j].append(i)
                pairs.append(self.both(goals[i], goals[j]))
        options = tuple(self.both(goals[i], *(denied[j] for j in meeting[i])) for i in range(count))
        return Choice(options, (self.both(*denied), *dict.fromkeys(pairs)))

    def _conditional(self, place: Location, schema: dict[str, Any]) -> Choice:
        """if ∧ then, or not if ∧ else. Without both it still matters to `unevaluated*` whether `if` holds."""
        condition = self.goal_at(self.document.child(place, "if"))
        otherwise = self._silent(self.deny(condition))
        then, other = (
            self.goal_at(self.document.child(place, key)) if key in schema else () for key in ("then", "else")
        )
        options = (self.both(condition, then), self.both(otherwise, other))
        failing = [self.both(condition, self.deny(then))] if then else []
        failing += [self.both(otherwise, self.deny(other))] if other else []
        return Choice(options, tuple(failing))

    def _condition(self, place: Location, name: str) -> Condition | None:
        """A dependent schema as one leaf; None where it has to be a choice."""
        goal = self.goal_at(self.document.child(place, "dependentSchemas", name))
        if self.document.collects_evaluated or not self._is_ready(goal):
            return None
        closure = self.together(goal) if goal else Closure()
        if closure.choices or closure.denials or not closure.kinds & OBJECT:
            return None
        for leaf in closure.leaves:
            if not isinstance(leaf, Location) or not isinstance(leaf.schema, dict):
                return None
            if not NOT_IN_CONDITIONS.isdisjoint(leaf.schema):
                return None
        return Condition(name, closure.leaves, goal, place.pointer)

    def _present(self, name: str) -> Goal:
        """Objects with this member."""
        near = self.document.root
        return self._make(
            ("present", name),
            lambda: Closure(OBJECT, (self.document.synthetic({"required": [name]}, near),)),
        )

    def _dependent(self, place: Location, name: str) -> Choice:
        goal = self.goal_at(self.document.child(place, "dependentSchemas", name))
        present = self._present(name)
        return Choice(
            (self.both(present, goal), self.deny(present)), (self.both(present, self.deny(goal)),) if goal else ()
        )

    def _is_ready(self, goal: Goal) -> bool:
        """Whether the closure of a goal can be asked for now (it may be the very thing that is being built)."""
        return self._under_way.isdisjoint(goal)

    def _is_closed(self, types: Any) -> bool:
        """Whether a `type` makes extra names a matter of the option `extra_properties`."""
        return self.options.extra_properties == "closed" and (types == "object" or "object" in types)

    # -- complements -------------------------------------------------------------------------------------------------------------

    def _denied(self, goal: Goal) -> Closure:
        if not goal:
            return NOTHING
        closure = self.together(goal)
        if closure.kinds == 0:
            return Closure()
        options: list[Goal] = []
        conditions = [leaf for leaf in closure.leaves if isinstance(leaf, Condition)]
        leaves = tuple(leaf for leaf in closure.leaves if not isinstance(leaf, Condition))
        if closure.kinds != ANY or leaves:
            if not closure.denials and not closure.choices and not conditions:
                return normal_denial(Denial(closure.kinds, leaves))
            options.append(self._given(normal_denial(Denial(closure.kinds, leaves))))
        options += [self.both(self._present(one.name), self.deny(one.goal)) for one in conditions]
        options += [self._given(Closure(denial.kinds, denial.leaves)) for denial in closure.denials]
        for choice in closure.choices:
            options += choice.failing
        options = list(dict.fromkeys(options))
        if not options:
            return NOTHING
        if len(options) == 1:
            return self.together(options[0]) if options[0] else Closure()
        return Closure(choices=(Choice(tuple(options), (goal,)),))

    def _silent(self, goal: Goal) -> Goal:
        """The goal with leaves that count as evaluating nothing: what stands under `not` yields no annotations."""
        if not goal or not self.document.collects_evaluated:
            return goal

        def make() -> Closure:
            closure = self.together(goal)
            choices = tuple(
                Choice(
                    tuple(map(self._silent, choice.options)),
                    tuple(map(self._silent, choice.failing)),
                    choice.overlapping,
                )
                for choice in closure.choices
            )
            return Closure(closure.kinds, tuple(map(self._silent_leaf, closure.leaves)), closure.denials, choices)

        return self._make(("silent", goal), make)

    def _silent_leaf(self, leaf: Leaf) -> Leaf:
        if not isinstance(leaf, Location):
            return leaf
        found = self._silent_leaves.get(leaf.id)
        if found is None:
            found = self._silent_leaves[leaf.id] = self.document.part(leaf, frozenset(leaf.schema))  # type: ignore[arg-type]
            self._silent_ids.add(found.id)
        return found

    def _evaluates(self, leaf: Leaf) -> bool:
        return not (isinstance(leaf, Location) and leaf.id in self._silent_ids)

    def _unevaluated(self, place: Location, schema: dict[str, Any]) -> Closure:
        """`unevaluatedProperties` and `unevaluatedItems`: per exact outcome of what stands beside them, the rule for the rest."""
        base = self.document.part(place, frozenset(schema) - UNEVALUATED)
        goals = {key: self.goal_at(self.document.child(place, key)) for key in UNEVALUATED if key in schema}
        if not any(goals.values()):  # the rest is evaluated and free
            free: list[Leaf] = []
            if "unevaluatedProperties" in goals:
                free.append(MemberRule((), (), (), place.pointer))
            if "unevaluatedItems" in goals:
                free.append(ItemRule(0, (), place.pointer))
            return self._merged([self.closure(base.id), Closure(leaves=tuple(free))])
        options: list[Goal] = []
        failing: list[Goal] = [self.deny((base.id,))]
        for outcome in self.of((base.id,), ANY, exact=True):
            rules: list[MemberRule | ItemRule] = []
            if "unevaluatedProperties" in goals:
                rules.append(self._other_members(outcome.leaves, goals["unevaluatedProperties"], place))
            if "unevaluatedItems" in goals:
                rules.append(self._other_items(outcome.leaves, goals["unevaluatedItems"], place))
            options.append(self._given(Closure(outcome.kinds, (*outcome.leaves, *rules), outcome.denials)))
            denied = tuple(Denial(kinds_said(rule), (rule,)) for rule in rules if rule.goal)
            failing += [
                self._given(Closure(outcome.kinds & denial.kinds, outcome.leaves, (*outcome.denials, denial)))
                for denial in denied
            ]
        if not options:
            return NOTHING
        if len(options) == 1 and not self.closure(options[0][0]).choices:
            return self.closure(options[0][0])
        return Closure(choices=(Choice(tuple(options), tuple(failing)),))

    def _other_members(self, leaves: tuple[Leaf, ...], goal: Goal, place: Location) -> MemberRule:
        names: dict[str, None] = {}
        patterns: dict[str, None] = {}
        for leaf in filter(self._evaluates, leaves):
            if isinstance(leaf, MemberRule) or "additionalProperties" in leaf.schema:  # type: ignore[operator]
                goal = ()
            schema = leaf.schema if isinstance(leaf.schema, dict) else {}
            names.update(dict.fromkeys(schema.get("properties", ())))
            patterns.update(dict.fromkeys(schema.get("patternProperties", ())))
        return MemberRule(tuple(names), tuple(patterns), goal, place.pointer)

    def _other_items(self, leaves: tuple[Leaf, ...], goal: Goal, place: Location) -> ItemRule:
        start = 0
        contained: list[Goal] = []
        for leaf in filter(self._evaluates, leaves):
            schema = leaf.schema if isinstance(leaf.schema, dict) else {}
            if isinstance(leaf, ItemRule) or "items" in schema:
                goal = ()
            start = max(start, len(schema.get("prefixItems", ())))
            if "contains" in schema and isinstance(leaf, Location) and leaf.draft != "draft2019-09":
                contained.append(self.goal_at(self.document.child(leaf, "contains")))
        if contained and goal:
            goal = self.one_of((*contained, goal))
        return ItemRule(start, goal, place.pointer)

    # -- conjunctions ------------------------------------------------------------------------------------------------------------

    def of(self, goal: Goal, kinds: int, *, exact: bool = False) -> list[Conjunction]:
        """The goal as conjunctions whose kinds lie within `kinds`. exact: each says of every branch whether it holds, so that
        they are disjoint. Raises LimitExceeded."""
        closure = self.together(goal) if goal else Closure()
        if not kinds & closure.kinds:
            return []
        pending = closure.choices
        if not pending and not closure.denials and len(closure.leaves) < 2:  # nothing can clash
            return [Conjunction(kinds & closure.kinds, closure.leaves)]
        start = self._consistent(kinds & closure.kinds, closure.leaves, closure.denials)
        if start is None:
            return []
        if not pending:
            return [start]
        limit = self.limits.max_alternatives
        result: dict[Conjunction, None] = {}
        stack = [(start, pending)]
        seen: set[tuple[Conjunction, tuple[Choice, ...]]] = set()
        while stack:
            conjunction, pending = stack.pop()
            if not pending:
                result[conjunction] = None
                continue
            steps = []
            choice = pending[0]
            for option in self._outcomes(choice) if exact and choice.overlapping else choice.options:
                closure = self.together(option) if option else Closure()
                joined = self._join(conjunction, closure)
                self.spend(1 + (len(conjunction.leaves) + len(conjunction.denials)) // 4)
                if joined is None:
                    continue
                more = tuple(other for other in closure.choices if other not in pending)
                step = (joined, pending[1:] + more)
                if step not in seen:
                    seen.add(step)
                    steps.append(step)
            if len(seen) > limit:
                raise LimitExceeded(
                    f"{len(seen)} combinations of branches at #{self.place_of(goal).pointer}",
                    limit,
                    "max_alternatives",
                )
            stack += reversed(steps)
        return list(result)

    def _outcomes(self, choice: Choice) -> list[Goal]:
        """Which branches of an `anyOf` hold and which do not."""
        n = len(choice.options)
        if 2**n > self.limits.max_alternatives:
            raise LimitExceeded(f"2^{n} outcomes of an anyOf beside unevaluated*", self.limits.max_alternatives,
                                "max_alternatives")  # fmt: skip
        denied = [self._silent(self.deny(option)) for option in choice.options]
        return [
            self.both(*(choice.options[i] if bits >> i & 1 else denied[i] for i in range(n))) for bits in range(1, 2**n)
        ]

    def _join(self, conjunction: Conjunction, closure: Closure) -> Conjunction | None:
        """Both together; None when they clash."""
        kinds = conjunction.kinds & closure.kinds
        if kinds == 0:
            return None
        if not closure.leaves and not closure.denials:
            return self._consistent(kinds, conjunction.leaves, conjunction.denials)
        if not conjunction.leaves and not conjunction.denials:
            return self._consistent(kinds, closure.leaves, closure.denials)
        leaves = tuple(dict.fromkeys(conjunction.leaves + closure.leaves))
        denials = tuple(dict.fromkeys(conjunction.denials + closure.denials))
        return self._consistent(kinds, leaves, denials)

    def _consistent(self, kinds: int, leaves: tuple[Leaf, ...], denials: tuple[Denial, ...]) -> Conjunction | None:
        """The conjunction without what holds anyway; None when types, constants or single properties clash."""
        if not self._constants_agree(leaves):
            return None
        kept = []
        for denial in denials:
            if denial.kinds & kinds == 0:
                continue
            if set(denial.leaves) <= set(leaves):  # what is denied is demanded
                kinds &= ~denial.kinds
                continue
            kept.append(denial)
        if kinds & OBJECT and (len(leaves) > 1 or kept) and self._evidence.objects_clash(leaves, kept):
            kinds &= ~OBJECT
        if kinds == 0:
            return None
        return Conjunction(kinds, leaves, tuple(denial for denial in kept if denial.kinds & kinds))

    def _constants_agree(self, leaves: tuple[Leaf, ...]) -> bool:
        """Whether the first list of values has one in common with every other."""
        listing = [leaf for leaf in leaves if has_constants(leaf.schema)]
        if len(listing) < 2:
            return True
        values = self.enumeration(listing[0])
        return not any(self.enumeration(leaf).keys().isdisjoint(values) for leaf in listing[1:])

    def enumeration(self, leaf: Leaf) -> Enumeration:
        """The values that `const` and `enum` of one Location leave, by key."""
        if not isinstance(leaf, Location):
            return {}
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

    def _disjoint(self, a: Closure, b: Closure) -> bool:
        """Whether two closures have surely no value in common."""
        if a.kinds & b.kinds == 0:
            return True
        joined = self._consistent(
            a.kinds & b.kinds, tuple(dict.fromkeys(a.leaves + b.leaves)), (*a.denials, *b.denials)
        )
        if joined is None:
            return True
        for one, other in ((a, b), (b, a)):
            listing = [leaf for leaf in one.leaves if has_constants(leaf.schema)]
            if listing and not any(kind_bit(value) & other.kinds for value in self.enumeration(listing[0]).values()):
                return True
        return False
