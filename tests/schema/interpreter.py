"""The plainest reading of the normal form: does a value satisfy a goal? The judge of `jsonschema` compares with it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from structgen.schema.alternatives import (
    Array,
    Boolean,
    Goal,
    Null,
    Number,
    NumberEnum,
    Object,
    String,
    StringEnum,
)
from structgen.schema.arrays import ItemRules
from structgen.schema.constants import exact
from structgen.schema.member_rules import MemberRules
from structgen.schema.normal import Normalizer
from structgen.schema.number_sets import number_values
from structgen.schema.strings import pattern_matches, string_language, string_matches


def matches(normalizer: Normalizer, value: Any, goal: Goal | None = None) -> bool:
    """Whether a value (numbers as int or Decimal) satisfies a goal, by its alternatives; goal None = the root."""
    if goal is None:
        goal = normalizer.root
    return any(_fits(normalizer, value, alternative) for alternative in normalizer.expand(goal))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _fits(normalizer: Normalizer, value: Any, alternative: Any) -> bool:
    options, limits = normalizer.options, normalizer.limits
    match alternative:
        case Null():
            return value is None
        case Boolean(values):
            return isinstance(value, bool) and value in values
        case NumberEnum(values):
            return _is_number(value) and exact(value) in values
        case Number(spec, excluded, without):
            if not _is_number(value) or not _in_spec(exact(value), spec) or exact(value) in without:
                return False
            return not any(_in_spec(exact(value), hole) for hole in excluded)
        case StringEnum(values):
            return isinstance(value, str) and value in values
        case String():
            return isinstance(value, str) and string_matches(alternative, value, options, limits)
        case Array(rules=ItemRules() as rules):
            return isinstance(value, list) and _by_items(normalizer, rules, value)
        case Object(rules=MemberRules() as rules):
            return isinstance(value, dict) and _by_members(normalizer, rules, value)
        case Array(prefix, items, low, high):
            if not isinstance(value, list) or len(value) < low or (high is not None and len(value) > high):
                return False
            goals = [*prefix[: len(value)], *[items] * (len(value) - len(prefix))]
            return all(
                goal is not None and matches(normalizer, item, goal) for item, goal in zip(value, goals, strict=True)
            )
        case Object():
            return isinstance(value, dict) and _is_object(normalizer, value, alternative)
    raise TypeError(f"unknown alternative {alternative!r}")


def _by_items(normalizer: Normalizer, rules: ItemRules, value: list[Any]) -> bool:
    states = {rules.start()}
    for item in value:
        after = set()
        for state in states:
            moves = rules.moves(state, normalizer.is_empty)
            for goal, following in moves.items:
                if matches(normalizer, item, goal):
                    after.add(rules.read(following, item) if moves.captures else following)
        states = after
    return any(rules.moves(state, normalizer.is_empty).can_close for state in states)


def _by_members(normalizer: Normalizer, rules: MemberRules, value: dict[str, Any]) -> bool:
    """Members in the order of the rules' names, others last, so that a fixed order is no obstacle."""
    if any(required and name not in value for name, required in zip(rules.names, rules.required, strict=True)):
        return False
    states = {rules.start()}
    for name in sorted(value, key=lambda name: rules.index.get(name, len(rules.names))):
        after = set()
        for state in states:
            moves = rules.moves(state, normalizer.is_empty)
            if name in rules.index:
                i = rules.index[name]
                if rules.relevant_bits >> i & 1:
                    steps = [(goal, following) for j, goal, following in moves.named if i == j]
                else:
                    goal = rules.goals[i]
                    steps = [] if goal is None or moves.rest is None else [(goal, moves.rest)]
            else:
                number = _class_of(normalizer, rules, name)
                steps = [(goal, following) for c, goal, following in moves.others if c == number]
            after |= {following for goal, following in steps if matches(normalizer, value[name], goal)}
        states = after
    return any(rules.moves(state, normalizer.is_empty).can_close for state in states)


def _class_of(normalizer: Normalizer, rules: MemberRules, name: str) -> int:
    naming = rules.naming
    if naming.dfa is None:
        return int(naming.class_of[0])
    state = naming.dfa.start
    for char in name:
        c = max(i for i, bound in enumerate(naming.dfa.bounds) if bound <= ord(char))
        state = naming.dfa.trans[state, naming.dfa.cls[c]]
    return int(naming.class_of[naming.dfa.tags[state]])


def _in_spec(value: int | Decimal, spec: Any) -> bool:
    if spec.integer and not isinstance(value, int):
        return False
    if spec.lower is not None and (value < spec.lower or (spec.lower_exclusive and value == spec.lower)):
        return False
    if spec.upper is not None and (value > spec.upper or (spec.upper_exclusive and value == spec.upper)):
        return False
    return all(Fraction(value) % Fraction(step) == 0 for step in spec.multiples)


def _is_object(normalizer: Normalizer, value: dict[str, Any], alternative: Object) -> bool:
    named = {entry.name: entry for entry in alternative.properties}
    if any(entry.required and name not in value for name, entry in named.items()):
        return False
    for name, inner in value.items():
        if name in named:
            goal = named[name].goal
        else:
            if alternative.names is not None and not any(
                name in names.values
                if isinstance(names, StringEnum)
                else string_matches(names, name, normalizer.options, normalizer.limits)
                for names in alternative.names
            ):
                return False
            found = frozenset(
                index
                for index, pattern in enumerate(alternative.patterns)
                if pattern_matches(pattern, name, normalizer.limits)
            )
            goal = alternative.class_goal(found)
        if goal is None or not matches(normalizer, inner, goal):
            return False
    return True


def sample(normalizer: Normalizer, goal: Goal, depth: int = 12) -> Any:
    """Some value of a goal, `NO_VALUE` if none nests at most `depth` levels; takes no alternative on trust."""
    if depth < 0:
        return NO_VALUE
    for alternative in normalizer.expand(goal):
        value = _sample(normalizer, alternative, depth)
        if value is not NO_VALUE:
            return value
    return NO_VALUE


NO_VALUE = object()


def _sample(normalizer: Normalizer, alternative: Any, depth: int) -> Any:
    match alternative:
        case Null():
            return None
        case Boolean(values) | NumberEnum(values) | StringEnum(values):
            return values[-1]
        case Number(spec, excluded, without):
            return number_values(alternative, 1)[0][0] if excluded or without else _number(spec)
        case String():
            return string_language(alternative, normalizer.options, normalizer.limits).shortest()
        case Array(prefix, items, low, _):
            result = []
            for index in range(low):
                goal = prefix[index] if index < len(prefix) else items
                value = NO_VALUE if goal is None else sample(normalizer, goal, depth - 1)
                if value is NO_VALUE:
                    return NO_VALUE
                result.append(value)
            return result
        case Object():
            made = {}
            for entry in alternative.properties:
                if entry.required:
                    value = NO_VALUE if entry.goal is None else sample(normalizer, entry.goal, depth - 1)
                    if value is NO_VALUE:
                        return NO_VALUE
                    made[entry.name] = value
            return made
    raise TypeError(f"unknown alternative {alternative!r}")


def _number(spec: Any) -> Any:
    """The smallest number at or above the lower bound, or the largest below the upper one, on the grid of the multiples."""
    steps = [Fraction(step) for step in spec.multiples] + ([Fraction(1)] if spec.integer else [])
    low = None if spec.lower is None else Fraction(spec.lower)
    high = None if spec.upper is None else Fraction(spec.upper)
    if not steps:
        if low is None or high is None:
            chosen = low + 1 if low is not None else high - 1 if high is not None else Fraction(0)
        else:
            chosen = (low + high) / 2
    else:
        step = steps[0]
        for other in steps[1:]:
            denominator = step.denominator * other.denominator
            step = Fraction(lcm(int(step * denominator), int(other * denominator)), denominator)
        if low is None and high is None:
            return 0
        if low is not None:
            chosen = -(-low // step) * step
            chosen += step if spec.lower_exclusive and chosen == low else 0
        else:
            chosen = high // step * step
            chosen -= step if spec.upper_exclusive and chosen == high else 0
    return int(chosen) if chosen.denominator == 1 else Decimal(chosen.numerator) / Decimal(chosen.denominator)


def sample_of(normalizer: Normalizer, alternative: Any) -> Any:
    """Some value of one alternative."""
    return _sample(normalizer, alternative, 12)
