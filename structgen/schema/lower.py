"""From alternatives to the machine's tables: the last stage of the JSON Schema front-end.

In: a `Normalizer`, whose goals are value positions. Out: nodes, objects, arrays and lexemes of a `Program`, one goal at a time, when the
machine first reaches it. Property names are spelled in the one minimal way whatever `JsonOptions.escapes` says for values, so that equal
names are equal bytes and no name can come twice.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np

from structgen.errors import LimitExceeded, Limits
from structgen.kernels import layout
from structgen.lexemes.dfa import (
    ByteDfa,
    CharDfa,
    Spelling,
    char_dfa,
    classify,
    literal,
    literals,
    strings_over,
    union_tagged,
)
from structgen.lexemes.numbers import NumberSpec
from structgen.lexemes.regex import compile_regex
from structgen.lexemes.scientific import number_language
from structgen.lexemes.text import spell_json, string_dfa
from structgen.lexemes.words import WordGraph, number_words, string_words
from structgen.machine.exceptions import exclude_many, exclude_words
from structgen.machine.lexicon import Lexicon
from structgen.machine.program import ArrayTables, NodeAlternative, ObjectTables, Program
from structgen.schema.alternatives import (
    Alternative,
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
from structgen.schema.arrays import ArrayState, ItemRules
from structgen.schema.constants import ANY, BOOLEAN, NULL
from structgen.schema.member_rules import MemberRules
from structgen.schema.normal import Normalizer
from structgen.schema.number_sets import spelled_spec
from structgen.schema.objects import FREE
from structgen.schema.options import JsonOptions, OptionsError
from structgen.schema.strings import pattern_language, string_core, string_is_simple, string_language

# One blank, or a line break and an indentation: every usual style, and an end in sight (the field's most reported failure is blanks
# until the token limit).
_FLEXIBLE = r"(?: |\r?\n[ \t]{0,128})?"
_WHITESPACE = {"flexible": _FLEXIBLE, "compact": "", "any": r"[ \t\r\n]*"}
_MANY_NUMBERS = 64
# More characters than any text has: the machine counts in 32 bits.
_UNREACHABLE = 2**31 - 2**20
# From so many excluded strings on they are taken out together; so many other values at once are too many.
_MANY_STRINGS, _MANY_EXCLUDED = 500, 5_000
# Sets of excluded values that are kept for each lexeme, to be added to.
_KEPT_SETS = 16
# Characters that are left at least for strings to differ in.
_FREE_END = 3
# Up to this length a bound is multiplied into the automaton; above it characters are counted.
_SHORT = 32


Value = TypeVar("Value", bound=Hashable)


def structural_lexemes(lexicon: Lexicon, whitespace: str) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """Punctuation with its white space: the start states of `{` and `[`, and the context slot and start state of each of the others."""
    found = lexicon.derived.get(("structural", whitespace))
    if found is None:
        found = lexicon.derived[("structural", whitespace)] = _make_structural(lexicon, whitespace)
    return found  # type: ignore[return-value]


def _check_blank(whitespace: str) -> None:
    """Raise OptionsError unless the regex matches some text and nothing but JSON's white space."""
    own = compile_regex(whitespace, dialect="python", anchored=True)
    blank = compile_regex(_WHITESPACE["any"], dialect="python", anchored=True)
    if own.is_empty() or not (own - blank).is_empty():
        example = "nothing" if own.is_empty() else repr((own - blank).shortest())
        raise OptionsError(f"JsonOptions.whitespace {whitespace!r} matches {example}, which is no white space of JSON")


def _make_structural(lexicon: Lexicon, whitespace: str) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    ws = _WHITESPACE.get(whitespace, f"(?:{whitespace})")
    if whitespace not in _WHITESPACE:
        _check_blank(whitespace)

    def dfa(pattern: str) -> ByteDfa:
        return compile_regex(pattern, dialect="python", anchored=True).to_bytes("utf8")

    def start(name: str, build: Callable[[], ByteDfa], recorded: bool = True) -> int:
        return lexicon.start_of(("structural", name, ws), build, recorded=recorded)

    slots: dict[int, int] = {
        layout.P_COLON: start(":", lambda: dfa(f"{ws}:{ws}")),
        layout.P_BRACE: start("}", lambda: dfa(r"\}"), recorded=False),
        layout.P_BRACKET: start("]", lambda: dfa(r"\]"), recorded=False),
    }
    openings = start("{", lambda: dfa(rf"\{{{ws}")), start("[", lambda: dfa(rf"\[{ws}"))
    comma = dfa(f"{ws},{ws}")
    for more, close, both, end in (
        (layout.P_OBJ_SEP_MORE, layout.P_OBJ_SEP_CLOSE, layout.P_OBJ_SEP_BOTH, r"\}"),
        (layout.P_ARR_SEP_MORE, layout.P_ARR_SEP_CLOSE, layout.P_ARR_SEP_BOTH, r"\]"),
    ):
        closing = dfa(f"{ws}{end}")
        only_close, either = union_tagged([(closing, 1)]), union_tagged([(comma, 0), (closing, 1)])
        slots[more] = start(",", functools.partial(_same, comma))
        slots[close] = start(end, functools.partial(_same, only_close))
        slots[both] = start("," + end, functools.partial(_same, either))
    return openings, list(slots.items())


def _same(dfa: ByteDfa) -> ByteDfa:
    return dfa


class Lowering:
    """Compiles the goals of one schema into one program."""

    def __init__(self, normalizer: Normalizer, options: JsonOptions, lexicon: Lexicon, limits: Limits) -> None:
        self.normalizer, self.options, self.lexicon, self.limits = normalizer, options, lexicon, limits
        self.structural, self._punctuation = structural_lexemes(lexicon, options.whitespace)
        self.spelling: Spelling = "json-any" if options.escapes == "any" else "json"
        self.nodes: dict[Goal, int] = {}
        self.goals: dict[int, Goal] = {}  # by node: other front-ends may have nodes in the program as well
        self.object_pointers: dict[int, str] = {}
        self.array_pointers: dict[int, str] = {}
        self._objects: dict[Hashable, int] = {}  # by alternative, or by its rules, which are one alternative's own
        self._key_lexemes: dict[tuple[tuple[str, ...], int, bool], tuple[list[bytes], list[int], int, int]] = {}
        self._cores: dict[tuple[MemberRules | ItemRules, Hashable], int] = {}  # -> core state of the program
        self._states: dict[int, tuple[MemberRules | ItemRules, Any]] = {}  # by core state
        self._partial_keys: dict[tuple[MemberRules, frozenset[int]], int] = {}
        self._class_tags: dict[MemberRules, list[int]] = {}  # of rules: tag by class, -1 where no name has a value
        self._free_goals: dict[Goal, bool] = {}
        self._exclusions: dict[int, dict[frozenset[Any], int]] = {}

    # The program is an argument everywhere: a reference to it would make a cycle, and its arena would wait for the cycle collector.

    def attach(self, program: Program) -> None:
        """Set the program's structural lexemes; must come before anything else."""
        program.set_structural(self._punctuation)

    def node_of(self, program: Program, goal: Goal) -> int:
        """The node of a goal; made on first use, compiled when it is reached."""
        node = self.nodes.get(goal)
        if node is None:
            node = self.nodes[goal] = program.new_node()
            self.goals[node] = goal
        return node

    def _nodes_of(self, program: Program, goals: Iterable[Goal | None]) -> list[int]:
        """`node_of` of many goals; -1 for None."""
        nodes = self.nodes
        wanted = list(goals)
        fresh = [goal for goal in dict.fromkeys(wanted) if goal is not None and goal not in nodes]
        if fresh:
            numbers = range(first := program.new_node(len(fresh)), first + len(fresh))
            nodes.update(zip(fresh, numbers, strict=True))
            self.goals.update(zip(numbers, fresh, strict=True))
        return [-1 if goal is None else nodes[goal] for goal in wanted]

    def compile_node(self, program: Program, node: int) -> None:
        """Expand the node's goal and hand its alternatives to the program."""
        self.normalizer.begin()
        alternatives = self.normalizer.expand(self.goals[node])
        program.set_node(node, [self._lower(program, alternative) for alternative in alternatives])

    # -- rules --------------------------------------------------------------------------------------------------------------------

    def _core_of(self, program: Program, rules: MemberRules | ItemRules, state: Hashable) -> int:
        """The core state of a state of rules; made on first use, compiled when it is reached."""
        if isinstance(rules, MemberRules) and rules.is_free(state):  # type: ignore[arg-type]
            state = FREE
        key = (rules, state)
        core = self._cores.get(key)
        if core is None:
            core = self._cores[key] = program.new_core()
            self._states[core] = (rules, state)
        return core

    def _captured(
        self, program: Program, rules: ItemRules, goal: Goal, after: ArrayState, core: int
    ) -> Iterator[tuple[int, int, int]]:
        """The moves of a core state with an item whose text tells what follows.

        The few values of null and Booleans are read apart: what begins behind them depends on which came, behind others it hardly does.
        """
        is_few = [isinstance(alternative, (Null, Boolean)) for alternative in self.normalizer.expand(goal)]
        parts = [(goal, all(is_few))]
        if any(is_few) and not all(is_few):
            few = NULL | BOOLEAN
            parts = [(self.normalizer.of_kinds(goal, ANY & ~few), False), (self.normalizer.of_kinds(goal, few), True)]
        for part, few_values in parts:
            yield 0, self.node_of(program, part), self._pending(program, rules, after, core, ahead=not few_values)

    def _pending(self, program: Program, rules: ItemRules, state: ArrayState, core: int, *, ahead: bool) -> int:
        """The core state that stands for those after a captured item of `core`.

        ahead: whether that item's value may be of no account to the beginning of the next one.
        """
        key = (rules, ("pending", state, ahead))
        found = self._cores.get(key)
        if found is None:
            outlook = rules.outlook(state, self.normalizer.is_empty)
            if outlook is None:
                found = program.new_core()
            else:
                can_close, more = outlook
                goal = rules.raw.goal_at(state.position)
                alike = more and goal is not None and goal == rules.raw.goal_at(max(0, state.position - 1))
                ahead = ahead and alike and self._begins_freely(goal or ())
                found = program.new_pending(can_close, more, core if ahead else -1)
            self._cores[key] = found
            self._states[found] = (rules, state)
        return found

    def _begins_freely(self, goal: Goal) -> bool:
        """Whether no value that came before, but for null and Booleans, can matter to the beginning of another one."""
        found = self._free_goals.get(goal)
        if found is None:
            found = self._free_goals[goal] = all(map(self._is_free, self.normalizer.expand(goal)))
        return found

    def _is_free(self, alternative: Alternative) -> bool:
        """`_begins_freely` of one alternative: what a token may begin of its values goes on in more of them than can have come."""
        if isinstance(alternative, (Object, Array, Null, Boolean, StringEnum)):
            return True
        if isinstance(alternative, Number) and not alternative.excluded and not alternative.without:
            spec = alternative.spec
            return spec.lower is None and spec.upper is None and not spec.multiples
        if not isinstance(alternative, String):
            return False
        if alternative.max_length is not None and alternative.max_length <= self.lexicon.longest_beginning + _FREE_END:
            return False
        if string_is_simple(replace(alternative, without=frozenset())):
            return True
        if alternative.max_length is not None or self.options.max_string_length is not None:
            return False
        language = string_core(replace(alternative, min_length=0), self.options, self.limits)
        return bool((language.trans[1:] != 0).any(axis=1).all())

    def compile_core(self, program: Program, core: int) -> None:
        """Hand the moves of a core state to the program."""
        rules, state = self._states[core]
        self.normalizer.begin()
        empty = self.normalizer.is_empty
        if isinstance(rules, ItemRules):
            items = rules.moves(state, empty)
            steps: list[tuple[int, int, int]] = []
            for goal, after in items.items:
                if items.captures:
                    steps += self._captured(program, rules, goal, after, core)
                else:
                    steps.append((0, self.node_of(program, goal), self._core_of(program, rules, after)))
            program.set_core(core, items.can_close, steps, captures=items.captures)
            return
        moves = rules.outline(state, empty)
        steps = [(layout.NAMED + i, layout.LATER, -1) for i in moves.names]
        tags = self._class_tags[rules]
        steps += [
            (tags[c], self.node_of(program, goal), self._core_of(program, rules, after))
            for c, goal, after in moves.others
        ]
        reached = frozenset(tags[c] for c, _, _ in moves.others)
        key = 1 if reached else 0
        if reached and len(reached) < sum(tag >= 0 for tag in tags):
            key = self._partial_key(program, rules, reached)
        rest = -1 if moves.rest is None else self._core_of(program, rules, moves.rest)
        program.set_core(core, moves.can_close, steps, rest, key)

    def compile_moves(self, program: Program, core: int, tag: int) -> None:
        """Hand the moves with one tag of a core state to the program."""
        rules, state = self._states[core]
        if not isinstance(rules, MemberRules):
            raise RuntimeError(f"core state {core} has no names")
        self.normalizer.begin()
        moves = rules.moves_of(state, tag - layout.NAMED, self.normalizer.is_empty)
        if not moves:
            raise RuntimeError(f"name {rules.names[tag - layout.NAMED]!r} was said to be possible in {state}")
        program.set_moves(
            core, tag, [(self.node_of(program, goal), self._core_of(program, rules, after)) for goal, after in moves]
        )

    def _partial_key(self, program: Program, rules: MemberRules, reached: frozenset[int]) -> int:
        """The key lexeme of a state in which only some classes of other names may come."""
        found = self._partial_keys.get((rules, reached))
        if found is None:
            dfa, tags = rules.naming.dfa, self._class_tags[rules]
            lookup = [-1 if c < 0 or tags[c] not in reached else tags[c] for c in rules.naming.class_of]
            base, _ = self._names_automaton(dfa, np.array([*lookup, -1], np.int32), rules.names)
            spelled = [spell_json(name) for name in rules.names]
            order = sorted(range(len(spelled)), key=spelled.__getitem__)
            found = program.add_trie([spelled[i] for i in order], [layout.NAMED + i for i in order], base)
            self._partial_keys[(rules, reached)] = found
        return found

    def item_read(self, program: Program, core: int, text: bytes) -> int:
        """The core state after an item with this text, which only `core` was waiting for."""
        rules, state = self._states[core]
        if not isinstance(rules, ItemRules):
            raise RuntimeError(f"core state {core} reads no items")
        value = json.loads(text, parse_float=Decimal)
        return self._core_of(program, rules, rules.read(state, value))

    def _lower(self, program: Program, alternative: Alternative) -> NodeAlternative:
        if isinstance(alternative, Object):
            return NodeAlternative(self.structural[0], layout.ALT_OBJECT, self._object(program, alternative))
        if isinstance(alternative, Array):
            return NodeAlternative(self.structural[1], layout.ALT_ARRAY, self._array(program, alternative))
        return NodeAlternative(self._scalar(program, alternative), layout.ALT_SCALAR)

    # -- scalars ------------------------------------------------------------------------------------------------------------------

    def _scalar(self, program: Program, alternative: Null | Boolean | Number | NumberEnum | String | StringEnum) -> int:
        lexicon = self.lexicon
        if isinstance(alternative, String):
            return self._string_without(program, alternative) if alternative.without else self._string(alternative)
        if isinstance(alternative, StringEnum):
            return program.add_trie(sorted(map(spell_json, alternative.values)), [0] * len(alternative.values))
        if isinstance(alternative, Number):
            return self._number(program, alternative)
        if isinstance(alternative, NumberEnum):
            return self._number_enum(program, alternative)
        words = ["null"] if isinstance(alternative, Null) else [str(value).lower() for value in alternative.values]
        return lexicon.start_of(
            ("words", tuple(words)),
            lambda: union_tagged([(literal(word).to_bytes("utf8"), 0) for word in words]),
            recorded=False,
        )

    def _string(self, alternative: String) -> int:
        spelling = self.spelling
        if alternative.min_length > _UNREACHABLE:
            raise LimitExceeded(alternative.min_length, _UNREACHABLE, hint="no text has so many characters")
        if alternative.max_length is not None and alternative.max_length > _UNREACHABLE:
            alternative = replace(alternative, max_length=None)
        if string_is_simple(alternative):
            return self.lexicon.counted_string(
                ("string", spelling), lambda: string_dfa(spelling), alternative.min_length, alternative.max_length
            )
        least, most = alternative.min_length, alternative.max_length
        free = replace(alternative, min_length=0, max_length=None)
        language = string_core(free, self.options, self.limits)
        counted = language.as_counted()
        if counted is not None:
            characters, shortest, longest = counted
            least = max(least, shortest)
            bounds = [bound for bound in (most, longest) if bound is not None]
            most = min(bounds) if bounds else _capped(self.options, least)
            if most is None or most > _SHORT:
                return self.lexicon.counted_string(
                    ("string", spelling, free, self.options.draft),
                    lambda: strings_over(characters).to_bytes(spelling, self.limits),
                    least,
                    most,
                )
        elif most is not None and most > _SHORT and least <= language.min_length():
            longest = language.max_length()
            if longest is None or longest > most:
                return self.lexicon.bounded_string(
                    ("string", spelling, free, self.options.draft),
                    lambda: language.to_bytes(spelling, self.limits),
                    most,
                )
        return self.lexicon.start_of(
            ("string", spelling, alternative, self.options.draft, self.options.max_string_length),
            lambda: string_language(alternative, self.options, self.limits).to_bytes(spelling, self.limits),
        )

    def _string_without(self, program: Program, alternative: String) -> int:
        """The strings in `without` are taken out of the lexeme of the others one by one (`uniqueItems` adds one with each item)."""
        rest, without = replace(alternative, without=frozenset()), alternative.without
        if rest.min_length == 1 and string_is_simple(rest) and rest.max_length is None:
            rest, without = String(), without | {""}  # the plain lexeme, without the empty string
        texts = [text for text in without if not _has_surrogate(text)]
        if len(texts) > _MANY_STRINGS and not self._is_close(start := self._string(rest), texts):
            if self.spelling != "json" or rest != String():
                return self._string(alternative)  # one automaton, within the limits
            words = sorted(map(spell_json, texts))
            self._exclusions.setdefault(start, {})[frozenset(texts)] = found = exclude_many(program, start, words)
            return found
        start = self._exclude(
            program, self._string(rest), texts, lambda text: string_words(text, self.spelling), prefix_free=True
        )
        # nothing is left below the cap on lengths, which is for want of others only
        return start or self._string(alternative)

    def _is_close(self, start: int, values: Iterable[Any]) -> bool:
        """Whether most of the values were taken out of a lexeme lately."""
        wanted = frozenset(values)
        return any(one <= wanted and len(wanted) - len(one) <= _MANY_STRINGS for one in self._exclusions.get(start, ()))

    def _exclude(
        self,
        program: Program,
        start: int,
        values: Iterable[Value],
        words: Callable[[Value], WordGraph],
        *,
        prefix_free: bool,
    ) -> int:
        """A lexeme without some values; goes on from the largest set of them that was taken out lately."""
        wanted = frozenset(values)
        known = self._exclusions.setdefault(start, {})
        found = known.pop(wanted, None)
        if found is None:
            smaller = max((one for one in known if one < wanted), key=len, default=frozenset())
            found = known.get(smaller, start)
            if len(wanted) - len(smaller) > _MANY_EXCLUDED:
                raise LimitExceeded(len(wanted), _MANY_EXCLUDED, hint="so many values of one place cannot be excluded")
            for value in wanted - smaller:
                found = exclude_words(program, found, words(value), prefix_free=prefix_free)
        known[wanted] = found
        if len(known) > _KEPT_SETS:
            del known[next(iter(known))]
        return found

    def _number(self, program: Program, alternative: Number) -> int:
        spec, excluded, without = spelled_spec(alternative), alternative.excluded, alternative.without
        start = self.lexicon.start_of(
            ("number", spec, excluded, bool(without)),
            lambda: number_language(spec, excluded, self.limits, spelled_out=bool(without)),
        )
        digits = spec.max_fraction_digits or 0
        return self._exclude(program, start, without, lambda value: number_words(value, digits), prefix_free=False)

    def _number_enum(self, program: Program, alternative: NumberEnum) -> int:
        spelling = "plain" if alternative.plain else self.options.integers
        values = alternative.values
        if len(values) > _MANY_NUMBERS or spelling == "plain":
            spelled = {_plain(value) for value in values}
            if spelling == "spec":
                spelled |= {_plain(value) + b".0" for value in values if isinstance(value, int)}
            return program.add_trie(sorted(spelled), [0] * len(spelled))

        def build() -> ByteDfa:
            return union_tagged(
                [(number_language(_exactly(value, spelling), (), self.limits), 0) for value in values], self.limits
            )

        return self.lexicon.start_of(("numbers", values, spelling), build)

    # -- objects and arrays -------------------------------------------------------------------------------------------------------

    def _object(self, program: Program, alternative: Object) -> int:
        key: Hashable = alternative if alternative.rules is None else alternative.rules
        found = self._objects.get(key)
        if found is not None:
            return found
        rules = alternative.rules if isinstance(alternative.rules, MemberRules) else None
        if rules is None:
            base, classes, free = self._other_names(program, alternative)
        else:
            base, free = self._classified_names(rules)
            classes = []
        ordered = self.options.property_order == "schema"
        required = [i for i, p in enumerate(alternative.properties) if p.required]
        # with other names allowed, the closed set is for the places before a required name of a fixed order
        is_closed_somewhere = not base or (ordered and bool(required)) or rules is not None
        names = tuple([p.name for p in alternative.properties])
        spelled, order, key_open, key_closed = self._keys(program, names, base, is_closed_somewhere)
        row = program.add_object(
            ObjectTables(
                names=spelled,
                values=self._nodes_of(program, [p.goal for p in alternative.properties]),
                required=required,
                sorted_names=order,
                classes=classes,
                key_open=key_open,
                key_closed=key_closed,
                ordered=ordered,
                free=free,
                core=-1 if rules is None else self._core_of(program, rules, rules.start()),
                relevant=() if rules is None else [i for i in order if rules.relevant_bits >> i & 1],
            )
        )
        self._objects[key] = row
        self.object_pointers[row] = alternative.pointer
        return row

    def _keys(
        self, program: Program, names: tuple[str, ...], base: int, is_closed_somewhere: bool
    ) -> tuple[list[bytes], list[int], int, int]:
        """The spelled names, their numbers in the order of their bytes, and the key lexemes with and without other names (`base`)."""
        key = (names, base, is_closed_somewhere)
        found = self._key_lexemes.get(key)
        if found is None:
            spelled = [spell_json(name) for name in names]
            order = sorted(range(len(spelled)), key=spelled.__getitem__)
            tags = [layout.NAMED + i for i in order]
            strings = [spelled[i] for i in order]
            key_open = program.add_trie(strings, tags, base) if base else 0
            key_closed = program.add_trie(strings, tags) if strings and is_closed_somewhere else 0
            found = self._key_lexemes[key] = spelled, order, key_open, key_closed
        return found

    def _classified_names(self, rules: MemberRules) -> tuple[int, bool]:
        """The automaton of names that rules do not declare, its tags numbering those of their classes that have values."""
        empty = self.normalizer.is_empty
        tags: list[int] = []
        for goal, _ in rules.classes:
            tags.append(-1 if empty(goal) else len([tag for tag in tags if tag >= 0]))
        self._class_tags[rules] = tags
        dfa = rules.naming.dfa
        if not any(tag >= 0 for tag in tags):
            return 0, True
        if dfa is None:
            return self.lexicon.start_of(("string", "json"), lambda: string_dfa("json")), True
        lookup = np.array([*(-1 if c < 0 else tags[c] for c in rules.naming.class_of), -1], np.int32)
        start, free = self._names_automaton(dfa, lookup, rules.names)
        # a state that admits some classes only may leave few names to a beginning
        return start, free and sum(tag >= 0 for tag in tags) == 1

    def _names_automaton(self, dfa: CharDfa, lookup: np.ndarray, declared: Sequence[str]) -> tuple[int, bool]:
        """The start state of the spelled names of an automaton, their tags looked up (the last entry serves tag -1); 0 if there are
        none. Second: whether they are free (see `_other_names`)."""
        allowed = char_dfa(dfa.bounds, dfa.cls, dfa.trans, lookup[dfa.tags], dfa.start)
        free = bool((allowed.trans[1:] != 0).any(axis=1).all())
        if declared and not free:  # else a beginning might be left of which every name is declared
            allowed = self._without_declared(allowed, declared)
            free = bool((allowed.trans[1:] != 0).any(axis=1).all())
        if allowed.is_empty():
            return 0, True
        byte_dfa = allowed.to_bytes("json", self.limits)
        return self.lexicon.start_of(("names", byte_dfa.key()), lambda: byte_dfa), free

    def _without_declared(self, names: CharDfa, declared: Sequence[str]) -> CharDfa:
        """An automaton of names, with its tags, without some names."""
        tags = sorted(set(names.tags.tolist()) - {-1})
        languages = [
            char_dfa(names.bounds, names.cls, names.trans, np.where(names.tags == tag, 0, -1), names.start)
            for tag in tags
        ]
        dfa, subsets = classify([*languages, literals(sorted(declared))], self.limits)
        kept = [tags[min(subset)] if subset and len(tags) not in subset else -1 for subset in subsets]
        return char_dfa(dfa.bounds, dfa.cls, dfa.trans, np.array([*kept, -1], np.int32)[dfa.tags], dfa.start)

    def _other_names(self, program: Program, alternative: Object) -> tuple[int, list[int], bool]:
        """The automaton of names that are not declared: its start state (0: none), a node per tag, and whether they are free.

        Free: every beginning of such a name goes on in infinitely many, so that no used name can be the last one.
        """
        if alternative.names is None and not alternative.patterns:
            goal = alternative.class_goal(frozenset())
            if goal is None:
                return 0, [], True
            return (
                self.lexicon.start_of(("string", "json"), lambda: string_dfa("json")),
                [self.node_of(program, goal)],
                True,
            )
        if alternative.names == ():
            return 0, [], True
        languages = [pattern_language(pattern, self.limits) for pattern in alternative.patterns]
        if alternative.names is not None:
            languages.append(self.normalizer.names_language(alternative.names))
        n_patterns = len(alternative.patterns)
        dfa, subsets = classify(languages, self.limits)
        tag_of_subset: list[int] = []
        nodes: list[int] = []
        for subset in subsets:
            goal = None
            if alternative.names is None or n_patterns in subset:
                goal = alternative.class_goal(frozenset(i for i in subset if i < n_patterns))
            if goal is None:
                tag_of_subset.append(-1)
            else:
                node = self.node_of(program, goal)
                if node not in nodes:
                    nodes.append(node)
                tag_of_subset.append(nodes.index(node))
        if not nodes:
            return 0, [], True
        declared = [one.name for one in alternative.properties]
        start, free = self._names_automaton(dfa, np.array([*tag_of_subset, -1], np.int32), declared)
        return (start, nodes, free) if start else (0, [], True)

    def _array(self, program: Program, alternative: Array) -> int:
        rules = alternative.rules
        if isinstance(rules, ItemRules):
            core = self._core_of(program, rules, rules.start())
            row = program.add_array(ArrayTables((), -1, 0, None, core=core))
            self.array_pointers[row] = alternative.pointer
            return row
        prefix = [self.node_of(program, goal) for goal in alternative.prefix]
        items = -1 if alternative.items is None else self.node_of(program, alternative.items)
        maximum = alternative.max_items
        if items < 0:
            maximum = len(prefix) if maximum is None else min(maximum, len(prefix))
        row = program.add_array(ArrayTables(prefix, items, alternative.min_items, maximum))
        self.array_pointers[row] = alternative.pointer
        return row


def _capped(options: JsonOptions, least: int) -> int | None:
    """The length that `JsonOptions.max_string_length` allows where the schema gives no bound."""
    return None if options.max_string_length is None else max(options.max_string_length, least)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _plain(value: Decimal | int) -> bytes:
    """The shortest plain decimal spelling."""
    if isinstance(value, int):
        return str(value).encode()
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).encode()


def _exactly(value: Decimal | int, spelling: str) -> NumberSpec:
    number = Decimal(value)
    return NumberSpec(integer=False, lower=number, upper=number, spelling="spec" if spelling == "spec" else "plain")
