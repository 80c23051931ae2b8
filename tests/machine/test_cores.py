# ruff: noqa: E501 - tables of specs
"""Objects and arrays with core automata, made by hand: the language by enumeration, and the laws of masks and completions on walks."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Hashable
from random import Random
from typing import Any

import numpy as np
import pytest

import structgen
from structgen import LimitExceeded, Limits, Vocabulary
from structgen.machine.cores import last_item
from tests.machine import walks
from tests.machine.handmade import (
    AnyString,
    Array,
    Core,
    HandMade,
    Later,
    Object,
    Step,
    Union,
    Words,
    json_texts,
    matches,
)

ONE, TWO, BOTH = Words(("1",)), Words(("2",)), Words(("1", "2"))
NUMBERS = Words(("1", "2", "12", "21"))


def counting(name: str, least: int, most: int, spec: Any = BOTH) -> Core:
    """At least and at most so many members; `b` is named in moves, other names are of class 0."""

    def step(n: int) -> Step:
        moves = (("b", spec, n + 1), (0, spec, n + 1)) if n < most else ()
        return Step(n >= least, moves, n + 1 if n < most else None, n < most)

    return Core(f"counting {name} {least} {most}", 0, step)


def some_member(spec: Any, failing: Any) -> Core:
    """Some member of class 0 is `failing`; the others are `spec`, which may overlap."""
    return Core(f"some {spec} {failing}", 0, lambda s: Step(s == 1, ((0, spec, s), (0, failing, 1)), s, True))


def unique(texts: tuple[str, ...], least: int, sure: bool) -> Core:
    """Different items out of a list; the next item's spec leaves out those that came."""

    def step(seen: frozenset[str]) -> Step:
        left = tuple(text for text in texts if text not in seen)
        n = len(seen) + 1
        return Step(
            n > least,
            ((0, Words(left), seen),) if left else (),
            captures=True,
            sure=(n >= least, len(left) > 1) if sure else None,
        )

    return Core(f"unique {texts} {least} {sure}", frozenset(), step, lambda seen, text: seen | {text})


def repeated(spec: Any) -> Core:
    """Some item comes twice: the counterpart of unique items, with two moves for one text."""

    def step(seen: Any) -> Step:
        if seen == "done":
            return Step(True, ((0, spec, seen),), captures=True, sure=(True, True))
        again = (((0, Words((text,)), "again")) for text in sorted(seen))
        return Step(False, ((0, spec, seen), *again), captures=True)

    def read(seen: Any, text: str) -> Hashable:
        return "done" if seen in ("again", "done") else seen | {text}

    return Core(f"repeated {spec}", frozenset(), step, read)


def in_pairs(spec: Any) -> Core:
    """Every text comes an even number of times or the lengths of those that do not add up to an even number; for masks only."""

    def step(odd: frozenset[str]) -> Step:
        return Step(sum(map(len, odd)) % 2 == 0, ((0, spec, odd),), captures=True)

    return Core(f"pairs {spec}", frozenset(), step, lambda odd, text: odd ^ {text})


EVEN = Core("even", 0, lambda s: Step(s == 0, ((0, BOTH, 1 - s),)))
OVERLAPPING = Core("a two", 0, lambda s: Step(s == 1, ((0, BOTH, s), (0, TWO, 1))))
TREE = Later(
    "tree", lambda: Union((ONE, Array(Core("pair", 0, lambda n: Step(n == 2, ((0, TREE, n + 1),) if n < 2 else ())))))
)
LIST = Later("list", lambda: Array(Core("list", 0, lambda n: Step(n >= 1, ((0, LIST, 0), (0, BOTH, min(n + 1, 2)))))))


def unlike_the_last(others: tuple[Any, ...]) -> Core:
    """No two equal scalars side by side, numbers out of a list and any strings; items begin alike whatever came before."""

    def step(last: str) -> Step:
        numbers = Words(tuple(text for text in ("1", "12", "2") if text != last))
        items = Union((numbers, AnyString((last,) if last[:1] == '"' else ()), *others))
        return Step(True, ((0, items, last),), captures=True, sure=(True, True, last))

    return Core(f"unlike {others}", "", step, lambda last, text: text)


UNIQUE = Array(unique(("1", "2", "12"), 0, True))
RECORD = Object((("a", NUMBERS),), other=ONE)

SPECS: dict[str, Any] = {
    "even number of items": Array(EVEN),
    "two moves for one item": Array(OVERLAPPING),
    "two trees": Array(Core("two trees", 0, lambda n: Step(n == 2, ((0, TREE, n + 1),) if n < 2 else ()))),
    "list of lists": LIST,
    "two or three members": Object((("a", BOTH), ("b", None)), counting("free", 2, 3), other=BOTH),
    "members of a closed object": Object((("a", BOTH), ("b", None), ("c", ONE)), Core(
        "closed", 0, lambda n: Step(n == 2, (("b", ONE, n + 1), ("b", TWO, n)) if n < 2 else (), n + 1 if n < 2 else None)
    )),
    "required and some other": Object((("a", ONE),), some_member(BOTH, TWO), frozenset("a"), BOTH),
    "in order": Object((("a", ONE), ("b", None), ("c", BOTH)), counting("order", 1, 4), frozenset("c"), BOTH, ordered=True),
    "others only after b": Object((("a", ONE), ("b", None)), Core(
        "after b", 0, lambda s: Step(s == 1, (("b", ONE, 1), *(((0, TWO, 1),) if s else ())), s, s == 1)
    ), other=BOTH),
    "unique": Array(unique(("1", "2", "12", "21", '"a"', '"b"'), 2, False)),
    "unique, sure": Array(unique(("1", "2", "12", "21", '"a"', '"b"'), 2, True)),
    "unlike the last": Array(unlike_the_last((Array(EVEN),))),
    "unlike the last, inside": Array(unlike_the_last((Array(unlike_the_last(())), RECORD))),
    "repeated numbers": Array(repeated(NUMBERS)),
    "repeated arrays": Array(repeated(UNIQUE)),
    "repeated strings": Array(repeated(AnyString())),
    "repeated objects": Array(repeated(RECORD)),
    "repeated in repeated": Union((
        Array(repeated(Array(repeated(BOTH)))),
        Array(Core("plain", 0, lambda s: Step(s == 0, ((0, Union((BOTH, Array(repeated(BOTH)), RECORD)), 1 - s),)))),
    )),
    "repeated with cores inside": Object((("b", Array(repeated(Object((("a", BOTH), ("b", None)), counting("in", 2, 3), other=ONE)))),),
        counting("out", 1, 2, Array(repeated(ONE))), other=Array(repeated(ONE))),
}  # fmt: skip
MASKS_ONLY: dict[str, Any] = {
    "pairs": Array(in_pairs(Union((NUMBERS, UNIQUE, AnyString())))),
    "pairs of objects": Array(in_pairs(RECORD)),
}

PIECES = (
    b'",', b'"]', b"1,", b"2]", b"1,2", b'{"a":', b'"a"', b'":1', b"1}", b'1,"', b'"b":2', b'"a":1,"b":', b'","', b"],[", b"[[", b"[1", b"1]", b"],[1]",
    b'","b"', b"},{", b'{"a":1},{"a":1', b"2],[1", b'\\"', b'\\\\"', b'":[',
)  # fmt: skip


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return walks.byte_vocabulary(*PIECES)


def _candidates(spec: Any) -> tuple[str, ...]:
    return _texts_over("Object" in repr(spec), "AnyString" in repr(spec) or '"a"' in repr(spec))


@functools.cache
def _texts_over(objects: bool, strings: bool) -> tuple[str, ...]:
    scalars = ["1", "2", "12", *(['"a"', '"b"'] if strings else [])]
    return tuple(json_texts(scalars, ["a", "b", "c"] if objects else [], 13 if objects else 9))


@pytest.mark.parametrize("name", [*SPECS, *MASKS_ONLY])
def test_language_by_enumeration(vocabulary: Vocabulary, name: str) -> None:
    """Exactly the texts of the language are accepted, byte by byte and token by token."""
    spec = (SPECS | MASKS_ONLY)[name]
    grammar = HandMade(vocabulary, spec)
    matcher = grammar.matcher()
    random = Random(name)
    members = 0
    for text in _candidates(spec):
        expected = matches(spec, text)
        data = text.encode()
        start = matcher.fork()
        assert (start.accept_bytes(data) and start.is_accepting()) == expected, text
        if expected or random.random() < 0.05:
            members += expected
            tokens = _random_tokens(vocabulary, data, random)
            taken = matcher.count_accepted(tokens)
            fork = matcher.fork()
            assert sum(itertools.takewhile(bool, map(fork.accept_token, tokens))) == taken, text
            assert (taken == len(tokens) and fork.is_accepting()) == expected, (text, tokens)
    assert members or "cores inside" in name, "no text of the language is among the candidates"


def _random_tokens(vocabulary: Vocabulary, data: bytes, random: Random) -> list[int]:
    """A random way to spell data in tokens."""
    table = vocabulary.token_bytes
    tokens = []
    while data:
        fitting = [i for i, entry in enumerate(table) if entry and data.startswith(entry)]
        tokens.append(random.choice(fitting))
        data = data[len(table[tokens[-1]] or b"") :]
    return tokens


@pytest.mark.parametrize("name", [*SPECS, *MASKS_ONLY])
def test_masks_on_walks(vocabulary: Vocabulary, name: str) -> None:
    """Every mask is what `is_token_allowed` says, has a token, and comes back after a rollback; walks share one program and its cache."""
    kinds = walks.Kinds(vocabulary)
    grammar = HandMade(vocabulary, (SPECS | MASKS_ONLY)[name])
    bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
    for seed in range(4):
        random = Random(f"{name} {seed}")
        matcher = grammar.matcher()
        before: list[np.ndarray] = []
        for mask in walks.walk(matcher, random, kinds, walks.STYLES[seed], 30):
            assert mask.any(), f"a dead end after {matcher.text!r}"
            walks.check_mask(matcher, mask)
            walks.check_accepts(matcher, mask, random.sample(range(vocabulary.size), 20))
            before.append(mask)
        while len(matcher.token_ids):
            matcher.rollback(1)
            assert np.array_equal(walks.mask_of(matcher, bitmask), before[len(matcher.token_ids)])


@pytest.mark.parametrize("name", SPECS)
def test_completions_on_walks(vocabulary: Vocabulary, name: str) -> None:
    """What `shortest_completion` gives is in the language, from every state."""
    kinds = walks.Kinds(vocabulary)
    grammar = HandMade(vocabulary, SPECS[name], Limits(max_search=500))
    for seed in range(2):
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, Random(f"{name} {seed}"), kinds, walks.STYLES[2 * seed], 14):
            whole = walks.complete(matcher)
            assert matches(SPECS[name], whole.decode()), (matcher.text, whole)


@pytest.mark.parametrize(
    "name", [name for name in SPECS if not any(word in name for word in ("strings", "objects", "unlike"))]
)
def test_fewest_tokens_by_brute_force(name: str) -> None:
    singles = [bytes([byte]) for byte in sorted({*b'{}[]":,abc0123456789'})]
    pieces = [b'{"a":', b'"b":1}', b'":', b'","', b'"a', b"12", b"]]", b"}}", b"[[", b'":1', b",1", b"2,1", b"1,2"]
    vocabulary = Vocabulary.from_bytes([*singles, *pieces, None], [len(singles) + len(pieces)])
    kinds = walks.Kinds(vocabulary)
    grammar = HandMade(vocabulary, SPECS[name], Limits(max_search=3000))
    matcher = grammar.matcher()
    for i, _ in enumerate(walks.walk(matcher, Random(name), kinds, "spans", 9)):
        if i % 2 == 0:
            found = len(matcher.shortest_completion())
            fewest = walks.fewest_by_brute_force(matcher, found, 120)
            assert fewest in (found, None), matcher.text


def test_mask_of_a_number_that_may_end_depends_on_the_items_before(vocabulary: Vocabulary) -> None:
    """The same state with different captured texts: a mask that was made for one must not be given for the other."""
    spec = Array(repeated(Words(("1", "12", "121", "2"))))
    grammar = HandMade(vocabulary, spec)
    for _ in range(2):
        for text in (b"[1,12,1", b"[12,1,12", b"[12,12,1", b"[1,1", b"[1,12", b"[1"):
            matcher = grammar.matcher()
            assert matcher.accept_bytes(text)
            walks.check_mask(matcher, walks.mask_of(matcher))


def test_many_members_and_items(vocabulary: Vocabulary) -> None:
    names = tuple((f"n{i}", BOTH) for i in range(40))
    spec: Any = Object(
        names, Core("70", 0, lambda n: Step(n >= 70, ((0, ONE, n + 1),), n + 1, True)), frozenset(["n7", "n9"]), ONE
    )
    whole = walks.complete(HandMade(vocabulary, spec, Limits(max_search=100)).matcher())
    assert matches(spec, whole.decode())
    assert len(json.loads(whole)) == 70
    spec = Array(unique(tuple(map(str, range(300))), 200, True))
    whole = walks.complete(HandMade(vocabulary, spec, Limits(max_search=100)).matcher())
    assert len(set(json.loads(whole))) == 200


def test_nondeterministic_moves_over_other_names_stay_few(vocabulary: Vocabulary) -> None:
    """Two moves for each of 24 members: without shared key lexemes there would be 2^24 configurations."""
    core = Core("at least 3 twos", 0, lambda n: Step(n == 3, ((0, BOTH, n), (0, TWO, min(n + 1, 3))), n, True))
    grammar = HandMade(vocabulary, Object((), core, other=BOTH))
    members = ",".join(f'"k{i}":2' for i in range(24))
    matcher = grammar.matcher()
    assert matcher.accept_bytes(("{" + members + "}").encode())
    assert matcher.is_accepting()
    assert matcher.program.n_states < 3000


def test_a_core_without_end_meets_a_limit(vocabulary: Vocabulary) -> None:
    spec = Array(Core("endless", 0, lambda n: Step(False, ((0, BOTH, n + 1),))))
    with pytest.raises(LimitExceeded):
        HandMade(vocabulary, spec).matcher().shortest_completion()


def _random_value(random: Random, depth: int) -> Any:
    kind = random.randrange(6 if depth else 4)
    if kind < 4:
        return random.choice([1, -25, True, None, "", "a", 'q"', "\\", '\\"', "]", '"[{,', "é\\", " ,:", "}"])
    items = [_random_value(random, depth - 1) for _ in range(random.randrange(4))]
    return items if kind == 4 else {str(i) + '"\\'[: i % 3]: item for i, item in enumerate(items)}


def test_item_texts_are_the_items(vocabulary: Vocabulary) -> None:
    """In nested captured arrays and objects with captured keys, each item is read as it stands in the text; masks agree within it."""
    texts: list[str] = []

    def read(state: Any, text: str) -> Hashable:
        texts.append(text)
        return state

    scalars = Words(("1", "-25", "true", "null"))
    value = Later("value", lambda: Union((scalars, AnyString(), Array(captured), Object((), other=value))))
    captured = Core("captured", 0, lambda s: Step(True, ((0, value, 0),), captures=True), read)
    random = Random(5)
    for number in range(40):
        grammar = HandMade(vocabulary, value)
        document = [_random_value(random, 3), _random_value(random, 2)]
        spelled = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        texts.clear()
        matcher = grammar.matcher()
        tokens = _random_tokens(vocabulary, spelled.encode(), random)
        for i, token in enumerate(tokens):
            if number < 4 and i % 4 == 0:
                walks.check_mask(matcher, walks.mask_of(matcher))
                texts.clear()
            assert matcher.accept_token(token)
        assert matcher.is_accepting()
        if number >= 4:
            assert set(texts) == set(_items(document)), spelled


def _items(value: Any) -> list[str]:
    """The texts of all items of arrays inside a value."""
    out = []
    if isinstance(value, list):
        out = [json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in value]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        out += _items(inner)
    return out


def test_last_item_of_a_text() -> None:
    """The value that a text ends with is found wherever the text begins."""
    random = Random(3)
    for _ in range(300):
        last = json.dumps(_random_value(random, 3), ensure_ascii=False).encode()
        before = json.dumps([_random_value(random, 2), _random_value(random, 2)], ensure_ascii=False).encode()
        assert last_item(before[random.choice([0, 1]) : -1] + b"," + last) == last
        assert last_item(last) == last


def test_programs_without_what_cores_need(vocabulary: Vocabulary) -> None:
    matcher = HandMade(vocabulary, Array(unique(("1", "2"), 1, False))).matcher()
    matcher.program._item_read = lambda program, pending, text: 1 << 20
    with pytest.raises(ValueError, match="no core state"):
        matcher.accept_bytes(b"[1,")
    matcher.program._item_read = None
    with pytest.raises(ValueError, match="item_read"):
        matcher.accept_bytes(b"[1,")
    assert matcher.token_ids == []
    matcher = HandMade(vocabulary, Array(EVEN)).matcher()
    matcher.program._compile_core = None
    with pytest.raises(ValueError, match="compile_core"):
        matcher.accept_bytes(b"[1")
