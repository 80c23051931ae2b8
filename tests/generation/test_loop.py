"""The decode loop against brute force: validity at every limit, the exact distribution under the limit, and the order of calls."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from structgen.errors import BudgetError, MatcherError, TokenizerError
from structgen.generation.loop import Decoded
from tests.generation.reference import (
    STOPS,
    TOKENS,
    ReferenceGrammar,
    ReferenceMatcher,
    array_grammar,
    decode,
    digits_grammar,
    list_grammar,
)

SIZE = len(TOKENS)


class HashedLogits:
    """Logits as a fixed function of the whole sequence, however it was cut into calls."""

    def __init__(self, seed: int = 0, scale: float = 2.0) -> None:
        self.seed, self.scale = seed, scale
        self.sequence: list[int] = []
        self.calls: list[list[int]] = []

    def __call__(self, token_ids: Sequence[int], /) -> np.ndarray:
        assert token_ids
        self.calls.append(list(token_ids))
        self.sequence += token_ids
        return self.row(self.sequence)

    def row(self, sequence: Sequence[int]) -> np.ndarray:
        rng = np.random.default_rng([self.seed, *sequence])
        return (rng.normal(size=SIZE) * self.scale).astype(np.float32)


def run(
    grammar: ReferenceGrammar, limit: int, *, model_seed: int = 0, matcher: ReferenceMatcher | None = None, **kwargs
) -> Decoded:
    return decode(HashedLogits(model_seed), [1], matcher or grammar.matcher(), STOPS, SIZE, limit=limit, **kwargs)


def accepts(grammar: ReferenceGrammar, token_ids: Sequence[int]) -> bool:
    matcher = grammar.matcher()
    return all(matcher.accept_token(t) for t in token_ids) and matcher.is_accepting()


@pytest.mark.parametrize("slack", [0, 1, 5])
@pytest.mark.parametrize("temperature", [0.0, 1.0, 30.0])
def test_output_is_valid_at_every_limit(slack: int, temperature: float) -> None:
    for grammar, model_seed in itertools.product((array_grammar(slack), digits_grammar(slack)), range(25)):
        for limit in range(1, 9):
            if limit < grammar.need[0]:
                with pytest.raises(BudgetError) as caught:
                    run(grammar, limit, model_seed=model_seed, temperature=temperature, seed=model_seed)
                assert (caught.value.needed, caught.value.limit) == (grammar.need[0], limit)
                continue
            result = run(grammar, limit, model_seed=model_seed, temperature=temperature, seed=model_seed)
            assert len(result.token_ids) <= limit
            assert accepts(grammar, result.token_ids)
            assert (result.finish_reason == "length") <= (len(result.token_ids) == limit)


def fitting(grammar: ReferenceGrammar, state: int, n_left: int) -> dict[int, int | None]:
    """Token → next state (None: the end) for all tokens after which n_left tokens suffice."""
    found: dict[int, int | None] = {t: end for t, end in grammar.allowed(state).items() if grammar.need[end] <= n_left}
    if state in grammar.accepting:
        found.update(dict.fromkeys(STOPS))
    return found


@pytest.mark.parametrize("slack", [0, 3])
def test_greedy_takes_the_best_token_that_fits(slack: int) -> None:
    grammar = array_grammar(slack)
    for model_seed, limit in itertools.product(range(40), range(2, 8)):
        model, state, sequence, out = HashedLogits(model_seed), 0, [1], []
        while len(out) < limit:
            options = fitting(grammar, state, limit - len(out) - 1)
            row = model.row(sequence)
            best = max(options, key=lambda t, row=row: (row[t], -t))
            if options[best] is None:
                break
            out.append(best)
            sequence.append(best)
            state = options[best]
        assert list(run(grammar, limit, model_seed=model_seed).token_ids) == out


def exact_distribution(grammar: ReferenceGrammar, model: HashedLogits, limit: int) -> dict[tuple[int, ...], float]:
    """P(output) of sampling each token from the model's softmax over the tokens that are allowed and still fit."""
    out: dict[tuple[int, ...], float] = {}

    def visit(state: int, tokens: tuple[int, ...], p: float) -> None:
        if len(tokens) == limit or (state in grammar.accepting and not grammar.allowed(state)):
            out[tokens] = out.get(tokens, 0.0) + p
            return
        options = fitting(grammar, state, limit - len(tokens) - 1)
        row = model.row([1, *tokens]).astype(float)
        weights = {t: float(np.exp(row[t])) for t in options}
        total = sum(weights.values())
        for token_id, following in options.items():
            if following is None:
                out[tokens] = out.get(tokens, 0.0) + p * weights[token_id] / total
            else:
                visit(following, (*tokens, token_id), p * weights[token_id] / total)

    visit(0, (), 1.0)
    return out


@pytest.mark.parametrize(("grammar", "limit"), [(array_grammar(2), 3), (digits_grammar(), 3)])
def test_samples_follow_the_exact_distribution_under_the_limit(grammar: ReferenceGrammar, limit: int) -> None:
    """χ² over the pooled outputs, compared with mean + 5 standard deviations of its law (level below 1e-5)."""
    exact = exact_distribution(grammar, HashedLogits(3), limit)
    assert sum(exact.values()) == pytest.approx(1.0)
    n = 4000
    drawn = Counter(run(grammar, limit, model_seed=3, temperature=1.0, seed=seed).token_ids for seed in range(n))
    assert set(drawn) <= set(exact)
    common = [tokens for tokens, p in exact.items() if p * n >= 5]
    statistic = sum((drawn[tokens] - exact[tokens] * n) ** 2 / (exact[tokens] * n) for tokens in common)
    rest_p = 1 - sum(exact[tokens] for tokens in common)
    if rest_p * n >= 5:
        rest = n - sum(drawn[tokens] for tokens in common)
        statistic += (rest - rest_p * n) ** 2 / (rest_p * n)
    degrees = len(common)
    assert statistic < degrees + 5 * (2 * degrees) ** 0.5


def test_seed_decides_the_sample() -> None:
    outputs = [run(array_grammar(), 12, temperature=1.5, seed=seed).token_ids for seed in (1, 1, 2, 3, 4, 5)]
    assert outputs[0] == outputs[1]
    assert len(set(outputs)) > 2


def test_slack_in_the_bound_changes_nothing() -> None:
    for seed, limit in itertools.product(range(30), range(2, 7)):
        plain, slack = (run(array_grammar(s), limit, temperature=1.0, seed=seed) for s in (0, 9))
        assert plain.token_ids == slack.token_ids
        assert plain.n_redrawn == slack.n_redrawn


def test_exact_searches_are_shared_by_state() -> None:
    """Within one generation each automaton state is searched once at most (and once for the start)."""
    for seed in range(20):
        grammar = array_grammar(9)
        matcher = grammar.matcher()
        run(grammar, 4, matcher=matcher, temperature=5.0, seed=seed)
        assert matcher.searches <= 1 + len(grammar.need)


def test_forced_tokens_cost_no_forward_pass() -> None:
    tokens: list[bytes | None] = [None, b"x", b"y", b"z", b"w"]
    transitions = {0: {ord("x"): 1}, 1: {ord("y"): 2}, 2: {ord("z"): 3, ord("w"): 3}, 3: {ord("x"): 4}, 4: {}}
    grammar = ReferenceGrammar(transitions, {4}, tokens, (0,))
    model = HashedLogits()
    model.row = lambda sequence: np.array([0, 0, 0, 1, 2], dtype=np.float32)  # type: ignore[method-assign]
    result = decode(model, [9, 8], grammar.matcher(), (0,), 5, limit=10)
    assert result.token_ids == (1, 2, 4, 1)
    assert result.finish_reason == "stop"
    assert model.calls == [[9, 8, 1, 2]]
    assert result.n_forwards == 0


def test_the_model_sees_prompt_and_output_in_order() -> None:
    grammar = array_grammar()
    model = HashedLogits(4)
    result = decode(model, [5, 6], grammar.matcher(), STOPS, SIZE, limit=20, temperature=2.0, seed=8)
    fed = [5, 6, *result.token_ids]
    assert model.sequence == fed[: len(model.sequence)]


def test_limit_of_zero_and_too_low_raise_before_the_first_token() -> None:
    for grammar, limit in ((array_grammar(), 0), (digits_grammar(), 0), (list_grammar(), 0), (list_grammar(), 1)):
        model, matcher = HashedLogits(), grammar.matcher()
        with pytest.raises(BudgetError) as caught:
            decode(model, [1], matcher, STOPS, SIZE, limit=limit)
        assert (caught.value.needed, caught.value.limit) == (grammar.need[0], limit)
        assert not model.calls
        assert matcher.history == [0]


def test_length_means_that_the_value_could_have_gone_on() -> None:
    assert run(digits_grammar(), 4, temperature=0.0, model_seed=1).finish_reason in ("stop", "length")
    never_ends = HashedLogits()
    never_ends.row = lambda sequence: np.where(np.isin(np.arange(SIZE), STOPS), -9.0, 0.0).astype(np.float32)  # type: ignore[method-assign]
    result = decode(never_ends, [1], digits_grammar().matcher(), STOPS, SIZE, limit=4)
    assert (len(result.token_ids), result.finish_reason, result.n_redrawn) == (4, "length", 0)
    closed = decode(never_ends, [1], array_grammar().matcher(), STOPS, SIZE, limit=4)
    assert closed.finish_reason == "stop"  # the value ended with the limit, and nothing could have followed


def test_tokens_are_reported_once_and_in_order() -> None:
    seen: list[int] = []
    result = run(array_grammar(4), 5, temperature=4.0, seed=2, on_token=seen.append)
    assert tuple(seen) == result.token_ids


def test_any_end_token_ends() -> None:
    for stop in STOPS:
        model = HashedLogits()
        model.row = lambda sequence, stop=stop: np.where(np.arange(SIZE) == stop, 9.0, 0.0).astype(np.float32)  # type: ignore[method-assign]
        result = decode(model, [1], digits_grammar().matcher(), STOPS, SIZE, limit=9)
        assert (len(result.token_ids), result.finish_reason) == (1, "stop")


def test_bounds_per_step_leave_the_output_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for tries, searches, per_call in ((0, 0, 0), (1, 0, 9), (2, 1, 9), (50, 0, 9), (50, 9, 1)):
        monkeypatch.setattr("structgen.generation.loop._TRIES_PER_STEP", tries)
        monkeypatch.setattr("structgen.generation.loop._SEARCHES_PER_STEP", searches)
        monkeypatch.setattr("structgen.generation.loop._SEARCHES_PER_CALL", per_call)
        for seed, limit, grammar in itertools.product(range(8), range(1, 6), (array_grammar(3), digits_grammar(2))):
            assert accepts(grammar, run(grammar, limit, temperature=3.0, seed=seed).token_ids)


def test_a_vocabulary_without_end_token_is_refused() -> None:
    with pytest.raises(TokenizerError, match="no end token"):
        decode(HashedLogits(), [1], array_grammar().matcher(), (), SIZE, limit=3)


class Contradicting(ReferenceMatcher):
    def accept_token(self, token_id: int) -> bool:
        return False


def test_a_mask_that_the_matcher_contradicts_is_an_error() -> None:
    with pytest.raises(MatcherError, match="not accepted"):
        run(array_grammar(), 5, matcher=Contradicting(array_grammar()))


class Broken(ReferenceMatcher):
    """A deliberately broken engine: its bound promises a completion that there is not."""

    def completion_bound(self) -> int:
        return 0


def test_the_validity_law_fails_on_a_broken_bound() -> None:
    grammar = array_grammar()
    outputs = [run(grammar, 2, matcher=Broken(grammar), temperature=3.0, seed=seed).token_ids for seed in range(30)]
    assert not all(accepts(grammar, tokens) for tokens in outputs)
