"""Matchers: history, forks, drafts, ends, and what a wrong call gets."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest

import structgen
from structgen import Compiler, JsonOptions, MatcherError, Vocabulary
from tests.machine import walks
from tests.machine.schemas import STRESS

OBJECT = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "ab": {"type": "string", "maxLength": 4}},
    "required": ["a"],
    "additionalProperties": {"type": "boolean"},
}


def _walked(
    vocabulary: Vocabulary, kinds: walks.Kinds, schema: Any, seed: int, style: str = "spans", n: int = 30
) -> Any:
    matcher = Compiler(vocabulary, cache_size=0).compile_json_schema(schema).matcher()
    for _ in walks.walk(matcher, Random(seed), kinds, style, n):
        pass
    return matcher


def _sees(matcher: Any) -> tuple[Any, ...]:
    """All that can be observed of a matcher, cheaply."""
    mask = walks.mask_of(matcher)
    return (
        matcher.state_id,
        matcher.token_ids,
        matcher.is_accepting(),
        matcher.is_terminated(),
        mask.tobytes(),
        matcher.next_bytes().tobytes(),
    )


@pytest.fixture(scope="module")
def grammars(mixed: tuple[Vocabulary, walks.Kinds]) -> list[Any]:
    compiler = Compiler(mixed[0], cache_size=0)
    return [compiler.compile_json_schema(json.dumps(schema)) for _, schema in STRESS]


def test_rollback_is_replay(mixed: tuple[Vocabulary, walks.Kinds], grammars: list[Any]) -> None:
    _, kinds = mixed
    for number, grammar in enumerate(grammars):
        random = Random(number)
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, random, kinds, walks.STYLES[number % 4], 25):
            pass
        tokens = matcher.token_ids
        for _ in range(4):
            keep = random.randrange(len(tokens) + 1)
            matcher.rollback(len(matcher.token_ids) - keep)
            replayed = grammar.matcher()
            for token in tokens[:keep]:
                assert replayed.accept_token(token)
            assert _sees(matcher) == _sees(replayed)
            for token in tokens[keep:]:
                assert matcher.accept_token(token)
            assert matcher.token_ids == tokens


def test_rollback_undoes_an_end_token(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    vocabulary, _ = mixed
    matcher = Compiler(vocabulary).compile_json_schema({"type": "integer"}).matcher()
    assert matcher.accept_token(ord("1"))
    before = _sees(matcher)
    for stop in vocabulary.stop_token_ids:
        assert matcher.accept_token(stop)
        assert matcher.is_terminated()
        assert matcher.shortest_completion() == []
        assert matcher.completion_bound() == 0
        assert not walks.mask_of(matcher).any()
        assert not any(matcher.is_token_allowed(t) or matcher.accept_token(t) for t in range(vocabulary.size))
        matcher.rollback(1)
        assert _sees(matcher) == before
    assert matcher.accept_token(ord("2"))


def test_fork_is_independent(mixed: tuple[Vocabulary, walks.Kinds], grammars: list[Any]) -> None:
    _, kinds = mixed
    for number, grammar in enumerate(grammars):
        random = Random(number)
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, random, kinds, "rare", random.randrange(1, 15)):
            pass
        before = _sees(matcher)
        fork = matcher.fork()
        assert _sees(fork) == before
        for _ in walks.walk(fork, random, kinds, "spans", 15):
            pass
        assert _sees(matcher) == before
        after = _sees(fork)
        matcher.reset()
        assert matcher.token_ids == []
        assert matcher.state_id == grammar.matcher().state_id
        assert _sees(fork) == after
        fork.rollback(len(fork.token_ids))
        assert _sees(fork) == _sees(grammar.matcher())


def test_a_fork_has_its_own_bitmask(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    # the matcher remembers the bitmask that it checked last: a fork and a fresh bitmask must not be confused
    vocabulary, kinds = mixed
    matcher = _walked(vocabulary, kinds, OBJECT, 1)
    first, second = (structgen.allocate_token_bitmask(2, vocabulary.size) for _ in range(2))
    matcher.fill_next_token_bitmask(first, 1)
    fork = matcher.fork()
    fork.fill_next_token_bitmask(second, 0)
    assert not first[0].any()
    assert not second[1].any()
    assert np.array_equal(first[1], second[0])
    del first
    third = structgen.allocate_token_bitmask(2, vocabulary.size)
    matcher.fill_next_token_bitmask(third, 0)
    assert np.array_equal(third[0], second[0])


def test_count_accepted_is_the_longest_prefix(mixed: tuple[Vocabulary, walks.Kinds], grammars: list[Any]) -> None:
    vocabulary, kinds = mixed
    seen_whole = seen_cut = 0
    for number, grammar in enumerate(grammars):
        random = Random(number)
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, random, kinds, "closing", random.randrange(12)):
            pass
        ahead = matcher.fork()
        start = len(ahead.token_ids)
        for _ in walks.walk(ahead, random, kinds, "spans", 12):
            pass
        draft = ahead.token_ids[start:]
        stop = vocabulary.stop_token_ids[number % 2]
        for tail in (
            [],
            [stop],
            [stop, stop],
            [stop, 65],
            [random.randrange(vocabulary.size) for _ in range(3)],
            [vocabulary.size - 1],
        ):
            for cut in {0, len(draft) // 2, len(draft)}:
                tokens = [*draft[:cut], *tail]
                before = _sees(matcher)
                fork = matcher.fork()
                expected = 0
                for token in tokens:
                    if not fork.accept_token(token):
                        break
                    expected += 1
                assert matcher.count_accepted(tokens) == expected, (number, tokens)
                assert matcher.count_accepted(np.array(tokens, np.int64)) == expected
                assert matcher.count_accepted(tuple(tokens)) == expected
                assert _sees(matcher) == before
                seen_whole += expected == len(tokens)
                seen_cut += expected < len(tokens)
    assert seen_whole > 50
    assert seen_cut > 50


def test_count_accepted_knows_every_token(each: tuple[str, Vocabulary, walks.Kinds]) -> None:
    # also the last ids of a vocabulary in which many ids before them have no bytes
    name, vocabulary, kinds = each
    matcher = Compiler(vocabulary, cache_size=0).compile_json_schema(True).matcher()
    for mask in walks.walk(matcher, Random(name), kinds, "spans", 6):
        ids = (
            range(vocabulary.size)
            if vocabulary.size < 1000
            else [*range(vocabulary.size - 2000, vocabulary.size), *range(0, vocabulary.size, 97)]
        )
        for token in ids:
            assert matcher.count_accepted([token]) == mask[token], token


def test_tokens_and_bytes_lead_to_the_same_place(mixed: tuple[Vocabulary, walks.Kinds], grammars: list[Any]) -> None:
    """One text in several tokenisations, and as bytes: one state; also where a key is cut in the middle."""
    vocabulary, kinds = mixed
    by_bytes: dict[bytes, list[int]] = {}
    for token, entry in enumerate(vocabulary.token_bytes):
        if entry:
            by_bytes.setdefault(entry, []).append(token)
    for number, grammar in enumerate(grammars):
        random = Random(number)
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, random, kinds, walks.STYLES[number % 4], 20):
            pass
        text = walks.text_of(matcher)
        expected = matcher.state_id, matcher.is_accepting(), walks.mask_of(matcher).tobytes()
        for _ in range(3):
            other = grammar.matcher()
            position = 0
            while position < len(text):
                choices = [
                    text[position:end]
                    for end in range(position + 1, min(len(text), position + 16) + 1)
                    if text[position:end] in by_bytes
                ]
                piece = random.choice(choices)
                if random.random() < 0.3:
                    assert other.accept_bytes(piece)
                else:
                    assert other.accept_token(random.choice(by_bytes[piece]))
                position += len(piece)
            assert (other.state_id, other.is_accepting(), walks.mask_of(other).tobytes()) == expected
        whole = grammar.matcher()
        assert whole.accept_bytes(text)
        assert whole.state_id == expected[0]


def test_next_bytes_are_the_tokens_of_one_byte(mixed: tuple[Vocabulary, walks.Kinds], grammars: list[Any]) -> None:
    _, kinds = mixed
    for number, grammar in enumerate(grammars):
        matcher = grammar.matcher()
        for mask in walks.walk(matcher, Random(number), kinds, "uniform", 8):
            assert np.array_equal(matcher.next_bytes().astype(bool), mask[:256])


def test_terminated_means_that_nothing_may_follow(mixed: tuple[Vocabulary, walks.Kinds], grammars: list[Any]) -> None:
    _, kinds = mixed
    ended = 0
    for number, grammar in enumerate(grammars):
        matcher = grammar.matcher()
        for token in matcher.shortest_completion():
            assert not matcher.is_terminated()
            assert matcher.accept_token(token)
        others = walks.mask_of(matcher) & ~kinds.stops
        assert matcher.is_accepting(), number
        assert matcher.is_terminated() == (not others.any()), number
        ended += matcher.is_terminated()
    assert ended > 10


def test_equal_states_have_equal_masks(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    """Hash-consing: within a grammar the same place is the same number, and a number has one mask however it was reached."""
    vocabulary, kinds = mixed
    grammar = Compiler(vocabulary).compile_json_schema(OBJECT, JsonOptions(property_order="any"))
    masks: dict[tuple[int, int], bytes] = {}
    for seed in range(25):
        matcher = grammar.matcher()
        for mask in walks.walk(matcher, Random(seed), kinds, walks.STYLES[seed % 4], 30):
            assert masks.setdefault(matcher.state_id, mask.tobytes()) == mask.tobytes()


def test_special_padding_and_empty_tokens_are_never_allowed(each: tuple[str, Vocabulary, walks.Kinds]) -> None:
    _, vocabulary, kinds = each
    none = [t for t, entry in enumerate(vocabulary.token_bytes) if entry is None and t not in vocabulary.stop_token_ids]
    matcher = Compiler(vocabulary, cache_size=0).compile_json_schema(True).matcher()
    for mask in walks.walk(matcher, Random(4), kinds, "rare", 25):
        assert not mask[none].any()
        assert not any(matcher.is_token_allowed(t) for t in none[:50])


def test_duplicate_tokens_are_alike(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    vocabulary, kinds = mixed
    twins = [(t, entry[0]) for t, entry in enumerate(vocabulary.token_bytes) if t > 255 and entry and len(entry) == 1]
    assert twins
    matcher = _walked(vocabulary, kinds, OBJECT, 3, n=0)
    for mask in walks.walk(matcher, Random(2), kinds, "rare", 40):
        for twin, byte in twins:
            assert mask[twin] == mask[byte]
            if mask[twin]:
                one, other = matcher.fork(), matcher.fork()
                assert one.accept_token(twin)
                assert other.accept_token(byte)
                assert one.state_id == other.state_id


def test_leading_space_only_where_the_tokenizer_brings_one() -> None:
    plain, marked = walks.byte_vocabulary(b" {", b" 1"), walks.byte_vocabulary(b" {", b" 1", leading_space=True)
    for vocabulary, allowed in ((plain, False), (marked, True)):
        matcher = Compiler(vocabulary).compile_json_schema(True).matcher()
        mask = walks.mask_of(matcher)
        walks.check_mask(matcher, mask)
        assert mask[ord("{")]
        assert mask[ord(" ")] == allowed
        assert mask[vocabulary.token_bytes.index(b" {")] == allowed
        if allowed:
            assert matcher.accept_token(ord(" "))
            assert not matcher.is_token_allowed(ord(" "))
            assert matcher.accept_token(ord("1"))
            assert matcher.is_accepting()


# -- wrong calls ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def midway(mixed: tuple[Vocabulary, walks.Kinds]) -> Any:
    vocabulary, _ = mixed
    matcher = Compiler(vocabulary).compile_json_schema(OBJECT).matcher()
    assert matcher.accept_bytes(b'{"a":')
    assert matcher.accept_token(ord("1"))
    return matcher


@pytest.mark.parametrize("n", [3, 100, -1, -(2**40), 2**70])
def test_rollback_beyond_the_start_changes_nothing(midway: Any, n: int) -> None:
    before = _sees(midway)
    with pytest.raises(MatcherError):
        midway.rollback(n)
    assert _sees(midway) == before


@pytest.mark.parametrize("n", [1.0, "1", None, [1]])
def test_rollback_by_no_integer_is_refused(midway: Any, n: Any) -> None:
    before = _sees(midway)
    with pytest.raises(MatcherError):
        midway.rollback(n)
    assert _sees(midway) == before


@pytest.mark.parametrize(
    "token",
    [
        -1,
        -(2**31),
        -(2**63),
        2**31,
        2**32 + 49,
        2**63,
        2**64 + 49,
        10**30,
        1.0,
        49.0,
        "49",
        None,
        b"1",
        [49],
        float("nan"),
        True,
    ],
)
@pytest.mark.parametrize("method", ["accept_token", "is_token_allowed"])
def test_token_ids_out_of_range_or_no_integers_are_refused(midway: Any, method: str, token: Any) -> None:
    before = _sees(midway)
    with pytest.raises(MatcherError):
        getattr(midway, method)(token)
    assert _sees(midway) == before


def test_the_first_id_beyond_the_vocabulary_is_refused(midway: Any, mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    size = mixed[0].size
    before = _sees(midway)
    for method in (midway.accept_token, midway.is_token_allowed):
        assert not method(size - 1)  # padding
        with pytest.raises(MatcherError):
            method(size)
    assert _sees(midway) == before


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.int8])
def test_numpy_integers_are_token_ids(midway: Any, kind: Any) -> None:
    token = kind(ord("2"))
    assert midway.is_token_allowed(token)
    assert midway.count_accepted([token, token]) == 2
    assert midway.accept_token(token)
    assert midway.token_ids[-1] == ord("2")


@pytest.mark.parametrize("draft", [[1.5], ["a"], [None], 5, None, [[1]], [49, 2**80], [49, "x"], [49.0]])
def test_a_draft_of_no_token_ids_is_refused(midway: Any, draft: Any) -> None:
    before = _sees(midway)
    with pytest.raises(MatcherError):
        midway.count_accepted(draft)
    assert _sees(midway) == before


def test_ids_out_of_range_end_a_draft(midway: Any, mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    # a drafter may have another vocabulary: such tokens are not allowed, and nothing more
    assert midway.count_accepted([50, 51, -1, 50]) == 2
    assert midway.count_accepted([50, mixed[0].size]) == 1
    assert midway.count_accepted([2**31 + 50]) == 0
    assert midway.count_accepted(np.array([50, 2**64 - 1], np.uint64)) == 1
    assert midway.count_accepted([]) == 0


@pytest.mark.parametrize("index", [-1, 2, 10**9])
def test_a_row_out_of_range_is_refused(midway: Any, mixed: tuple[Vocabulary, walks.Kinds], index: int) -> None:
    bitmask = structgen.allocate_token_bitmask(2, mixed[0].size)
    with pytest.raises(MatcherError):
        midway.fill_next_token_bitmask(bitmask, index)
    midway.fill_next_token_bitmask(bitmask, 1)
    with pytest.raises(MatcherError):
        midway.fill_next_token_bitmask(bitmask, index)
    assert not bitmask[0].any()


@pytest.mark.parametrize(
    "broken",
    [
        lambda words: np.zeros((1, words + 1), np.int32),
        lambda words: np.zeros((1, words - 1), np.int32),
        lambda words: np.zeros(words, np.int32),
        lambda words: np.zeros((1, 1, words), np.int32),
        lambda words: np.zeros((1, words), np.int64),
        lambda words: np.zeros((1, words), np.uint32),
        lambda words: np.zeros((1, words), np.float32),
        lambda words: np.zeros((1, words), ">i4"),
        lambda words: np.zeros((words, 1), np.int32),
        lambda words: np.zeros((4, words), np.int32, order="F"),
        lambda words: np.zeros((2, 2 * words), np.int32)[:, :words],
        lambda words: _read_only(np.zeros((1, words), np.int32)),
        lambda words: [[0] * words],
        lambda words: b"\0" * (4 * words),
        lambda words: None,
    ],
)
def test_a_wrong_bitmask_is_refused(midway: Any, mixed: tuple[Vocabulary, walks.Kinds], broken: Any) -> None:
    words = (mixed[0].size + 31) // 32
    before = _sees(midway)
    for _ in range(2):  # a refused bitmask must not be remembered as a checked one
        with pytest.raises(MatcherError):
            midway.fill_next_token_bitmask(broken(words), 0)
    bitmask = broken(words)
    with pytest.raises(MatcherError):
        midway.fill_next_token_bitmask(bitmask)
    with pytest.raises(MatcherError):
        midway.fill_next_token_bitmask(bitmask)
    assert _sees(midway) == before


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def test_torch_bitmasks_are_accepted_and_checked(midway: Any, mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    torch = pytest.importorskip("torch")
    words = (mixed[0].size + 31) // 32
    array = structgen.allocate_token_bitmask(2, mixed[0].size)
    tensor = torch.zeros((2, words), dtype=torch.int32)
    midway.fill_next_token_bitmask(array, 1)
    midway.fill_next_token_bitmask(tensor, 1)
    assert np.array_equal(array, tensor.numpy())
    for wrong in (
        torch.zeros((2, words), dtype=torch.int64),
        torch.zeros((2, words), dtype=torch.float32),
        torch.zeros((words, 2), dtype=torch.int32).T,
        torch.zeros((2, words), dtype=torch.int32, device="meta"),
        torch.zeros((2, words), dtype=torch.float32, requires_grad=True),
    ):
        with pytest.raises(MatcherError):
            midway.fill_next_token_bitmask(wrong)


@pytest.mark.parametrize(
    "arguments", [(-1, 10), (1, 0), (1, -5), (1.5, 10), ("1", 10), (1, None), (None, 10), (1, 10.0)]
)
def test_a_bitmask_of_no_size_is_refused(arguments: Any) -> None:
    with pytest.raises(MatcherError):
        structgen.allocate_token_bitmask(*arguments)


@pytest.mark.parametrize("data", ["text", None, 5, [49], [b"1"]])
def test_text_that_is_not_bytes_is_refused(midway: Any, data: Any) -> None:
    before = _sees(midway)
    with pytest.raises(MatcherError):
        midway.accept_bytes(data)
    assert _sees(midway) == before
