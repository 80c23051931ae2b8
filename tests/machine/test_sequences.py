"""Sequences of nodes: the language of random grammars by brute force, and the laws of the machine over them."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import numpy as np
import pytest

from structgen import Limits, Vocabulary
from structgen.errors import LimitExceeded
from structgen.kernels import layout
from structgen.lexemes.regex import compile_regex
from structgen.machine.arena import ArenaPool
from structgen.machine.distance import Completions
from structgen.machine.lexicon import Lexicon
from structgen.machine.matcher import Machine, Matcher
from structgen.machine.program import ArrayTables, NodeAlternative, Program
from tests.machine import walks
from tests.machine.rules import (
    Items,
    Pair,
    Recogniser,
    Ref,
    RuleGrammar,
    Rules,
    Word,
    begins_with_itself,
    nullable_rules,
    productive_rules,
    random_rules,
)

SINGLE = Vocabulary.from_bytes([*(bytes([b]) for b in b'abc[],{}":'), None], [10])
PIECES = [
    *(b"ab", b"ba", b"aa", b"aab", b"bab", b"abc", b"[a", b"a]", b"],", b",a", b'{"', b'{"a":', b'":', b"a}", b"},{"),
    *(b"a", b"bb", b"bbbb", b"aaaa"),
]
MANY = Vocabulary.from_bytes([*(bytes([b]) for b in b'abc[],{}":'), *PIECES, None, None], [10 + len(PIECES)])

EXAMPLES: dict[str, Rules] = {
    "nested": {"s": [(Word("a"), Ref("s"), Word("b")), (Word("c"),)]},
    "two ways back": {"s": [(Word("a"), Ref("s"), Word("b")), (Word("a"), Ref("s"), Word("c")), ()]},
    "empty": {"s": [(Ref("t"), Ref("t"))], "t": [(Word("a"),), ()]},
    "empty ends": {"s": [(Word("a"), Ref("s"), Ref("t"))], "t": [(Word("b"),), ()]},
    "right recursion": {"s": [(Word("a"), Ref("s")), (Word("b"),)]},
    "nodes first": {"s": [(Ref("t"), Ref("u"))], "t": [(Ref("u"), Word("a")), (Word("c"),)], "u": [(Word("b"),), ()]},
    "only empty parts": {"s": [(Ref("t"), Ref("u"))], "t": [(Word("a"),), ()], "u": [(Word("bb"),), ()]},
    "palindromes": {"s": [(Word("a"), Ref("s"), Word("a")), (Word("b"), Ref("s"), Word("b")), (Word("c"),)]},
    "long words": {"s": [(Word("a+"), Ref("t"))], "t": [(Word("[ab]*c"), Ref("s")), (Word("b+"),), ()]},
    "arrays": {"s": [(Items("t"), Word("a")), (Items("s"),)], "t": [(Word("a"), Ref("t")), (Word("b"),)]},
    "objects": {"s": [(Pair("t"), Ref("t"))], "t": [(Word("a"), Pair("t")), (Word("b"),), ()]},
    "array items with tails": {"s": [(Items("t"),)], "t": [(Items("t"), Ref("u")), (Word("a"), Ref("u"))], "u": [(Word("b"),), ()]},
}  # fmt: skip
EXAMPLES["empty ends"]["s"].append((Word("c"),))  # type: ignore[attr-defined]


def _texts(alphabet: str, at_most: int) -> Any:
    for n in range(at_most + 1):
        for letters in itertools.product(alphabet, repeat=n):
            yield "".join(letters)


def _check_language(rules: Rules, alphabet: str, at_most: int) -> None:
    """Every text: accepted in bytes, and by the masks of its prefixes, exactly where the recogniser accepts it."""
    grammar = RuleGrammar(SINGLE, rules)
    recogniser = Recogniser(rules)
    start = grammar.matcher()
    size = SINGLE.size
    accepted: dict[str, bool] = {text: recogniser.accepts("s", text) for text in _texts(alphabet, at_most)}
    prefixes = {text[:n] for text, yes in accepted.items() if yes for n in range(len(text) + 1)}
    work = [("", start)]
    while work:
        text, matcher = work.pop()
        assert matcher.is_accepting() == accepted[text], text
        mask = walks.mask_of(matcher)
        walks.check_mask(matcher, mask)
        walks.complete(matcher)  # no dead ends
        if len(text) == at_most:
            continue
        for token in np.flatnonzero(mask[:size]):
            if token in SINGLE.stop_token_ids:
                continue
            fork = matcher.fork()
            assert fork.accept_token(int(token))
            longer = text + (SINGLE.token_bytes[int(token)] or b"").decode()
            if longer in accepted:
                work.append((longer, fork))
                prefixes.discard(longer)
    prefixes.discard("")
    assert not prefixes, f"texts that the machine lacks begin with {sorted(prefixes)[:5]}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_language_of_examples(name: str) -> None:
    if name in ("arrays", "array items with tails"):
        _check_language(EXAMPLES[name], "ab[],", 6)
    elif name == "objects":
        _check_language(EXAMPLES[name], 'ab{":}', 6)
    else:
        _check_language(EXAMPLES[name], "abc", 6)


def _usable(random: Random, *, nested: bool = False) -> Rules | None:
    rules = random_rules(random, nested=nested)
    if begins_with_itself(rules) or "s" not in productive_rules(rules):
        return None
    return rules


def test_language_of_random_grammars() -> None:
    n = 0
    for seed in range(260):
        random = Random(seed)
        rules = _usable(random)
        if rules is not None:
            n += 1
            try:
                _check_language(rules, "ab", 6)
            except AssertionError as error:
                raise AssertionError(f"{rules}: {error}") from error
    assert n > 40, n


def test_laws_on_walks_with_long_tokens() -> None:
    kinds = walks.Kinds(MANY)
    compared = n = 0
    for seed in range(400):
        random = Random(f"walk {seed}")
        rules = _usable(random, nested=seed % 2 == 1)
        if rules is None:
            continue
        n += 1
        matcher = RuleGrammar(MANY, rules).matcher()
        recogniser = Recogniser(rules)
        try:
            for i, mask in enumerate(walks.walk(matcher, random, kinds, walks.STYLES[seed % 4], 8)):
                walks.check_mask(matcher, mask)
                walks.check_accepts(matcher, mask, range(MANY.size))
                before = matcher.state_id, matcher.token_ids
                whole = walks.complete(matcher)
                assert recogniser.accepts("s", whole.decode()), whole
                if i < 3:
                    found = len(matcher.shortest_completion())
                    fewest = walks.fewest_by_brute_force(matcher, found, budget=150)
                    if fewest is not None:
                        compared += 1
                        assert found == fewest, f"{found} tokens, brute force {fewest}, after {matcher.text!r}"
                forced = matcher.forced_tokens()
                assert matcher.count_accepted(forced) == len(forced)
                assert (matcher.state_id, matcher.token_ids) == before
            tokens = matcher.token_ids
            state = matcher.state_id
            matcher.rollback(len(tokens))
            assert matcher.count_accepted(tokens) == len(tokens)
            assert all(matcher.accept_token(token) for token in tokens)
            assert matcher.state_id == state
        except AssertionError as error:
            raise AssertionError(f"{rules}: {error}") from error
    assert n > 100, n
    assert compared > 150, compared


def test_a_value_that_begins_with_itself_is_refused() -> None:
    for rules in (
        {"s": [(Ref("s"), Word("a")), (Word("b"),)]},
        {"s": [(Ref("t"), Word("a")), (Word("b"),)], "t": [(Ref("s"), Word("b"))]},
        {"s": [(Ref("u"), Ref("s"), Word("a")), (Word("b"),)], "u": [(Word("c"),), ()]},
    ):
        with pytest.raises(ValueError, match="left recursion"):
            RuleGrammar(SINGLE, rules).matcher()


def test_many_ways_through_nodes_stay_few_configurations() -> None:
    """2^60 ways to begin, through nodes alone and through parts that may be empty: one set of what may follow for each node."""
    depth = 60
    rules: dict[str, list[tuple[Any, ...]]] = {
        f"r{i}": [(Ref(f"r{i + 1}"), Word("a")), (Ref(f"r{i + 1}"), Word("b"))] for i in range(depth)
    }
    rules[f"r{depth}"] = [(Word("c"),)]
    limits = Limits(max_states=2_000, max_frames=2_000, max_steps=200_000)
    matcher = RuleGrammar(SINGLE, rules, start="r0", limits=limits).matcher()
    assert matcher.accept_bytes(b"c" + b"ab" * (depth // 2))
    assert matcher.is_accepting()
    empty: dict[str, list[tuple[Any, ...]]] = {
        f"r{i}": [(Word("a"), Ref(f"r{i + 1}"), Ref(f"r{i + 1}")), ()] for i in range(depth)
    }
    empty[f"r{depth}"] = [(Word("c"),)]
    matcher = RuleGrammar(SINGLE, empty, start="r0", limits=limits).matcher()
    assert matcher.accept_bytes(b"a" * 12)


def test_ambiguous_stacks_are_merged() -> None:
    """`s: s s | "a"` without left recursion has exponentially many derivations of a row of letters; frames grow with its length only."""
    rules: Rules = {"s": [(Word("a"), Ref("t"))], "t": [(Ref("s"), Ref("t")), ()]}
    limits = Limits(max_states=2_000, max_frames=4_000, max_steps=100_000)
    matcher = RuleGrammar(SINGLE, rules, limits=limits).matcher()
    for _ in range(200):
        assert matcher.accept_token(0)
    assert matcher.is_accepting()
    deep: Rules = {"s": [(Word("a"), Ref("s"), Ref("s")), (Word("b"),)]}
    matcher = RuleGrammar(SINGLE, deep, limits=limits).matcher()
    assert matcher.accept_bytes(b"a" * 40 + b"b" * 41)
    assert matcher.is_accepting()
    assert matcher.is_terminated()


def test_right_recursion_needs_finitely_many_states() -> None:
    rules: Rules = {"s": [(Word("a"), Ref("t"))], "t": [(Word("b"), Ref("s")), ()]}
    grammar = RuleGrammar(SINGLE, rules)
    matcher = grammar.matcher()
    for _ in range(4):
        assert matcher.accept_bytes(b"ab")
    states = matcher.program.n_states
    for _ in range(200):
        assert matcher.accept_bytes(b"ab")
    assert matcher.program.n_states == states
    assert not matcher.is_accepting()
    assert matcher.shortest_completion() == [0]


def test_an_empty_text_is_allowed_where_the_grammar_says_so() -> None:
    rules: Rules = {"s": [(Word("a"), Word("b")), ()]}
    assert nullable_rules(rules) == {"s"}
    matcher = RuleGrammar(SINGLE, rules).matcher()
    assert matcher.is_accepting()
    assert matcher.shortest_completion() == []
    assert matcher.accept_token(0)
    assert not matcher.is_accepting()


def test_items_that_are_captured_may_be_sequences() -> None:
    """An array with a core that reads each item's text, items of two parts of which the second may be empty: no item twice."""
    vocabulary = MANY
    limits = Limits()
    lexicon = Lexicon(vocabulary, limits)
    words = ["a", "b", "ab", "aab", "abb"]
    seen: list[frozenset[str]] = [frozenset()]
    program_nodes: dict[str, int] = {}

    def lexeme(pattern: str) -> int:
        return lexicon.start_of(
            pattern, lambda: compile_regex(pattern, dialect="python", anchored=True).to_bytes("utf8")
        )

    def compile_node(program: Program, node: int) -> None:
        if node == program_nodes["root"]:
            array = program.add_array(ArrayTables((), -1, 0, None, core=program_nodes["core"]))
            bracket = lexicon.start_of(
                "[", lambda: compile_regex(r"\[", dialect="python", anchored=True).to_bytes("utf8")
            )
            program.set_node(node, [NodeAlternative(bracket, layout.ALT_ARRAY, array)])
        elif node == program_nodes["item"]:
            tail = program.add_sequence([(program_nodes["tail"], True)])
            program.set_node(node, [NodeAlternative(lexeme("a|b|aa"), layout.ALT_SEQUENCE, tail)])
        else:
            program.set_node(node, [NodeAlternative(lexeme("b{1,2}"), layout.ALT_SCALAR)])

    def compile_core(program: Program, core: int) -> None:
        pending = program.new_core()
        seen.append(seen[core])
        program.set_core(core, True, [(0, program_nodes["item"], pending)], captures=True)

    def item_read(program: Program, pending: int, text: bytes) -> int:
        core = program.new_core()
        seen.append(seen[pending] | {text.decode()})
        return core

    from structgen.schema.lower import structural_lexemes

    _, punctuation = structural_lexemes(lexicon, "compact")
    pool = ArenaPool(limits, lexicon.max_token_length)
    program = Program(lexicon, pool, compile_node, limits, compile_core, item_read)
    program.set_structural(punctuation)
    for name in ("root", "item", "tail"):
        program_nodes[name] = program.new_node()
    program_nodes["core"] = program.new_core()
    program.begin(program_nodes["root"], 0)

    class _Grammar:
        stop_token_ids = frozenset(vocabulary.stop_token_ids)

        def __init__(self) -> None:
            self.vocabulary = vocabulary

        def machine(self) -> Machine:
            class _Words:
                def describe(self, program: Program, q: int, k: int) -> str:
                    return ""

            return Machine(program, _Words(), Completions(program))

    for items in itertools.product(words, repeat=2):
        matcher = Matcher(_Grammar())
        assert matcher.accept_bytes(("[" + ",".join(items) + "]").encode())
        assert matcher.is_accepting()
    # which items came is known to the states that follow them
    assert {frozenset(items) for items in itertools.product(words, repeat=2)} <= set(seen)


def test_a_limit_stops_a_lexeme_that_may_be_empty_and_recurs() -> None:
    rules: Rules = {"s": [(Word("a*"), Ref("s"), Word("b")), (Word("c"),)]}
    grammar = RuleGrammar(SINGLE, rules, limits=Limits(max_steps=20_000, max_frames=5_000))
    with pytest.raises(LimitExceeded):
        walks.mask_of(grammar.matcher())
