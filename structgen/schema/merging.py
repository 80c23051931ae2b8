"""Merging the object and array keywords of leaves that must hold together.

In: leaves (Locations and rules of the normal form). Out: `RawObject` and `RawArray`, and the *naming* of an object with rules: into which
classes its undeclared names fall, by the patterns and name constraints of the object and of what it denies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from structgen.errors import Limits
from structgen.schema.alternatives import Goal, Scope, String, StringEnum
from structgen.schema.arrays import Contains, RawArray
from structgen.schema.closures import ARRAY_KEYWORDS, OBJECT_KEYWORDS, Condition, ItemRule, Leaf, MemberRule
from structgen.schema.conjunctions import Conjunctions
from structgen.schema.member_rules import MemberRules
from structgen.schema.objects import DeniedShape, NameSet, RawObject, Surroundings
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document, Location
from structgen.schema.strings import pattern_language, pattern_matches, string_language, string_matches

if TYPE_CHECKING:
    from structgen.lexemes.dfa import CharDfa

# A pattern of at most so many names declares them (they can run out).
_FEW_NAMES = 64


class Merging:
    """Merges leaves of one document. names: what a goal of `propertyNames` allows (None: every name)."""

    def __init__(
        self,
        space: Conjunctions,
        document: Document,
        options: JsonOptions,
        limits: Limits,
        names: Callable[[Goal], NameSet | None],
    ) -> None:
        self._space, self._document, self._options, self._limits, self._names = space, document, options, limits, names
        self.around = Surroundings(
            both=space.both,
            deny=space.deny,
            one_of=space.one_of,
            constants=space.constants,
            matches=lambda pattern, name: pattern_matches(pattern, name, limits),
            name_allowed=self.name_allowed,
            limits=limits,
            spend=space.spend,
        )

    def name_allowed(self, names: NameSet, name: str) -> bool:
        """Whether a name is in a set of names."""
        for alternative in names:
            if isinstance(alternative, StringEnum):
                if name in alternative.values:
                    return True
            elif string_matches(alternative, name, self._options, self._limits):
                return True
        return False

    def names_language(self, names: Iterable[String | StringEnum]) -> CharDfa:
        """The automaton of a set of names."""
        from structgen.lexemes.dfa import literal

        languages: list[CharDfa] = []
        for name in names:
            if isinstance(name, String):
                languages.append(string_language(name, self._options, self._limits))
            else:
                languages.extend(literal(value) for value in name.values)
        united = languages[0]
        for language in languages[1:]:
            united = united.unite(language, self._limits)
        return united

    def merge_array(self, leaves: tuple[Leaf, ...], pointer: str) -> RawArray:
        """The leaves' array keywords merged. pointer: the place to name if no leaf has one."""
        document, goal_at = self._document, self._space.goal_at
        low, high = 0, None
        unique = False
        contains: list[Contains] = []
        prefixes: list[list[Goal]] = []
        rests: list[Goal] = []
        found = ""
        for leaf in leaves:
            if isinstance(leaf, ItemRule):
                prefixes.append([()] * leaf.start)
                rests.append(leaf.goal)
                continue
            schema = leaf.schema
            if not isinstance(leaf, Location) or not isinstance(schema, dict) or ARRAY_KEYWORDS.isdisjoint(schema):
                continue
            found = found or leaf.pointer
            low = max(low, int(schema.get("minItems", 0)))
            if "maxItems" in schema:
                high = int(schema["maxItems"]) if high is None else min(high, int(schema["maxItems"]))
            unique = unique or schema.get("uniqueItems") is True
            if "contains" in schema:
                most = schema.get("maxContains")
                wanted = goal_at(document.child(leaf, "contains"))
                least = int(schema.get("minContains", 1))
                if least or most is not None:
                    contains.append(Contains(wanted, least, None if most is None else int(most)))
            n_prefix = len(schema.get("prefixItems", ()))
            if n_prefix or "items" in schema:
                prefixes.append([goal_at(document.child(leaf, "prefixItems", index)) for index in range(n_prefix)])
                rests.append(goal_at(document.child(leaf, "items")) if "items" in schema else ())
        length = max(map(len, prefixes), default=0)
        if high is not None:
            length = min(length, high)
        positions = []
        for index in range(length + 1):
            places = [
                prefix[index] if index < len(prefix) else rest for prefix, rest in zip(prefixes, rests, strict=True)
            ]
            positions.append(self._space.both(*places))
        items: Goal | None = None if high is not None and high <= length else positions[-1]
        everything = [count for count in contains if not count.goal]
        for count in everything:  # a count of all items
            low = max(low, count.low)
            if count.high is not None:
                high = count.high if high is None else min(high, count.high)
        contains = [count for count in contains if count.goal]
        return RawArray(
            tuple(positions[:-1]), items, low, high, found or pointer, tuple(dict.fromkeys(contains)), unique
        )

    def merge_object(self, leaves: tuple[Leaf, ...], pointer: str, *, closing: bool = True) -> RawObject:
        """The leaves' object keywords merged. pointer: the place to name if no leaf has one.

        closing: heed the option `extra_properties`. What is denied, or given, is what the schema says without it.
        """
        document, goal_at = self._document, self._space.goal_at
        leaves, conditions = _with_conditions(leaves)
        places: dict[str, list[Goal]] = {}
        required: dict[str, None] = {}
        patterns: dict[str, int] = {}
        implied: dict[str, dict[str, None]] = {}
        scopes: list[Scope] = []
        partial: list[tuple[Iterable[str], list[tuple[str, Goal]], Goal]] = []
        names_places: list[Location] = []
        low, high = 0, None
        says_extra = is_declared = False
        found = ""
        for leaf in leaves:
            if isinstance(leaf, MemberRule):
                says_extra = True
                own: list[tuple[str, Goal]] = [(pattern, ()) for pattern in leaf.patterns]
                declared: Iterable[str] = leaf.names
                others = leaf.goal
                for name in declared:
                    places.setdefault(name, [])
            else:
                schema = leaf.schema
                if not isinstance(leaf, Location) or not isinstance(schema, dict):
                    continue
                if OBJECT_KEYWORDS.isdisjoint(schema):
                    is_declared = is_declared or "type" in schema
                    continue
                found = found or leaf.pointer
                declared = schema.get("properties", {})
                for name, place in document.members(leaf, "properties"):
                    goal = goal_at(place)
                    if name in places:
                        places[name].append(goal)
                    else:
                        places[name] = [goal]
                if "required" in schema:
                    required.update(dict.fromkeys(schema["required"]))
                if "propertyNames" in schema:
                    names_places.append(document.child(leaf, "propertyNames"))
                if "minProperties" in schema:
                    low = max(low, int(schema["minProperties"]))
                if "maxProperties" in schema:
                    high = int(schema["maxProperties"]) if high is None else min(high, int(schema["maxProperties"]))
                for name, brought in schema.get("dependentRequired", {}).items():
                    implied.setdefault(name, {}).update((other, None) for other in brought if other != name)
                own = [
                    (pattern, goal_at(document.child(leaf, "patternProperties", pattern)))
                    for pattern in schema.get("patternProperties", ())
                ]
                has_additional = "additionalProperties" in schema
                says_extra = says_extra or has_additional
                is_declared = is_declared or "properties" in schema or "type" in schema
                others = goal_at(document.child(leaf, "additionalProperties")) if has_additional else ()
            if own or others:
                partial.append((declared, own, others))
                numbered = [(patterns.setdefault(pattern, len(patterns)), goal) for pattern, goal in own]
                scopes.append(Scope(tuple(numbered), others))
        closed = closing and self._options.extra_properties == "closed" and is_declared and not says_extra
        names = self._names(self._space.goal_of(names_places)) if names_places else None
        for name in required:
            places.setdefault(name, [])
        limits, is_false = self._limits, self._space.is_false
        goals: dict[str, Goal | None] = {}
        if not partial and names is None:  # the usual case: nothing but properties
            for name, own_goals in places.items():
                united = own_goals[0] if len(own_goals) == 1 else self._space.both(*own_goals)
                goals[name] = None if is_false(united) else united
            places = {}
        for name, own_goals in places.items():
            if names is not None and not self.name_allowed(names, name):
                goals[name] = None
                continue
            for declared, own, additional in partial:
                is_mine = name in declared
                for pattern, goal in own:
                    if pattern_matches(pattern, name, limits):
                        own_goals.append(goal)
                        is_mine = True
                if not is_mine and additional:
                    own_goals.append(additional)
            united = own_goals[0] if len(own_goals) == 1 else self._space.both(*own_goals)
            goals[name] = None if is_false(united) else united
        bringing = {name: tuple(brought) for name, brought in implied.items() if brought}
        if low <= len(required):
            low = 0
        made = RawObject(
            goals, required, tuple(patterns), names, tuple(scopes), closed, found or pointer, low, high, bringing
        )
        if conditions:
            made.conditions = tuple(
                (one.name, self.merge_object(one.leaves, one.pointer, closing=closing)) for one in conditions
            )
        return made

    def naming(self, raw: RawObject) -> Naming:
        """The classes of names that `raw` does not declare; names of small finite classes become declared ones."""
        return Naming(self, raw, self._limits)


def _with_conditions(leaves: tuple[Leaf, ...]) -> tuple[tuple[Leaf, ...], list[Condition]]:
    """The leaves with those of every condition on a required name, and the conditions that are left."""
    waiting = [leaf for leaf in leaves if isinstance(leaf, Condition)]
    if not waiting:
        return leaves, waiting
    result: list[Leaf] = [leaf for leaf in leaves if not isinstance(leaf, Condition)]
    at = 0
    while at < len(result):
        schema = result[at].schema
        at += 1
        for name in schema.get("required", ()) if isinstance(schema, dict) else ():
            for one in [one for one in waiting if one.name == name]:
                waiting.remove(one)
                result += [leaf for leaf in one.leaves if leaf not in result]
    return tuple(result), waiting


class Naming:
    """How the undeclared names of an object with rules are told apart.

    dfa: an automaton whose tags number the subsets of languages that a name is in, None where all names are alike; class_of: per tag the
    class of `MemberRules`, -1 for names that are not allowed.
    """

    def __init__(self, merging: Merging, raw: RawObject, limits: Limits) -> None:
        self.raw = raw
        denied = [denial.raw for denial in raw.denials if isinstance(denial, DeniedShape)]
        described = [raw, *denied, *(one for _, one in raw.conditions)]
        self._patterns = list(dict.fromkeys(pattern for one in described for pattern in one.patterns))
        self._name_sets = list(dict.fromkeys(one.names for one in described if one.names is not None))
        self.dfa: CharDfa | None = None
        self._subsets: list[tuple[int, ...]] = [()]
        self.class_of: list[int] = []
        self._declared: set[int] = set()  # tags of which every name is declared
        self._around = merging.around
        if self._patterns or self._name_sets:
            from structgen.lexemes.dfa import classify, literal

            languages = [pattern_language(pattern, limits) for pattern in self._patterns]
            languages += [
                merging.names_language(names) if names else literal("").subtract(literal(""), limits)
                for names in self._name_sets
            ]
            self.dfa, self._subsets = classify(languages, limits)
            self._declare_few()

    def _declare_few(self) -> None:
        """Names of classes with few names are declared."""
        import numpy as np

        from structgen.lexemes.dfa import char_dfa

        dfa = self.dfa
        if dfa is None:
            return
        for tag in range(len(self._subsets)):
            one = char_dfa(dfa.bounds, dfa.cls, dfa.trans, np.where(dfa.tags == tag, 0, -1), dfa.start)
            if one.is_empty() or not one.is_finite():
                continue
            words = list(one.words(_FEW_NAMES + 1))
            if len(words) <= _FEW_NAMES:
                self._declared.add(tag)
                for word in words:
                    if word not in self.raw.goals:
                        self.raw.goals[word] = self.raw.goal_of(word, self._around)

    def classify(self, rules: MemberRules) -> None:
        """Give the rules their classes."""
        rules.naming = self
        raws = [self.raw, *rules.objects]
        for tag, subset in enumerate(self._subsets):
            if tag in self._declared:
                self.class_of.append(-1)
                continue
            found = frozenset(subset)
            goals = [self._goal(one, found) for one in raws]
            if goals[0] is None:
                self.class_of.append(-1)
                continue
            self.class_of.append(rules.add_class(goals[0], rules.violations_of(goals[0], goals[1:])))

    def _goal(self, raw: RawObject, found: frozenset[int]) -> Goal | None:
        if raw.names is not None and len(self._patterns) + self._name_sets.index(raw.names) not in found:
            return None
        return raw.other_goal(
            frozenset(i for i, pattern in enumerate(raw.patterns) if self._patterns.index(pattern) in found)
        )


__all__ = ["Merging", "Naming"]
