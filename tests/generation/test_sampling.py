"""Keyed Gumbel noise and drawing without replacement: against plain integers, and against exact probabilities."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from structgen.errors import ModelError
from structgen.generation.sampling import allowed_tokens, candidates, gumbel_noise, stream_key

MASK = (1 << 64) - 1


def plain_noise(seed: int, position: int, token_id: int) -> float:
    def mix(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    key = stream_key(seed, position)
    u = ((mix((key + (token_id + 1) * 0x9E3779B97F4A7C15) & MASK) >> 11) + 0.5) * 2.0**-53
    return -math.log(-math.log(min(u, 1 - 2.0**-53)))


def test_noise_equals_the_formula_in_plain_integers() -> None:
    ids = np.array([0, 1, 5, 127_999, 2**31], dtype=np.int64)
    for seed, position in itertools.product((0, 1, -1, 2**70 + 3), (0, 1, 500)):
        wanted = [plain_noise(seed, position, int(t)) for t in ids]
        assert gumbel_noise(seed, position, ids) == pytest.approx(wanted, rel=1e-12)


def test_noise_of_a_token_does_not_depend_on_the_others() -> None:
    every = gumbel_noise(7, 3, np.arange(1000))
    some = np.array([3, 500, 999])
    assert np.array_equal(gumbel_noise(7, 3, some), every[some])


def test_noise_is_standard_gumbel_and_independent() -> None:
    noise = np.stack([gumbel_noise(seed, position, np.arange(2000)) for seed in range(5) for position in range(5)])
    assert noise.mean() == pytest.approx(0.5772, abs=0.02)
    assert noise.var() == pytest.approx(math.pi**2 / 6, abs=0.05)
    correlations = np.corrcoef(noise) - np.eye(len(noise))
    assert np.abs(correlations).max() < 0.1
    # Kolmogorov-Smirnov: 50,000 draws, level 1e-4
    ordered = np.sort(np.exp(-np.exp(-noise.ravel())))
    distance = np.abs(ordered - (np.arange(ordered.size) + 0.5) / ordered.size).max()
    assert distance < 2.2 / math.sqrt(ordered.size)


def test_allowed_tokens_are_the_set_bits() -> None:
    rng = np.random.default_rng(1)
    for share in (0.0, 0.01, 0.5, 1.0):
        bits = rng.random(320) < share
        words = np.packbits(bits, bitorder="little").view(np.int32)
        assert np.array_equal(allowed_tokens(words), np.flatnonzero(bits))


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_candidates_come_best_first_and_once(temperature: float) -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(size=50).astype(np.float32)
    ids = np.flatnonzero(rng.random(50) < 0.5)
    keys = logits[ids].astype(np.float64)
    if temperature:
        keys = keys / temperature + gumbel_noise(11, 4, ids)
    found = candidates(logits, ids.copy(), temperature, 11, 4)
    taken = list(iter(found.take, None))
    assert taken == [int(t) for t in ids[np.argsort(-keys, kind="stable")]]
    assert found.take() is None


def test_greedy_ties_go_to_the_lower_id() -> None:
    found = candidates(np.zeros(9, dtype=np.float32), np.arange(9), 0.0, 0, 0)
    assert list(iter(found.take, None)) == list(range(9))


def test_draws_follow_the_softmax() -> None:
    """χ² with 5 degrees of freedom at level 1e-4 (25.7), for the first draw and for the second after refusing token 0."""
    logits = np.array([2.0, 1.0, 0.5, 0.0, -1.0, -1.0, 9.0], dtype=np.float32)
    ids, n = np.arange(6), 20_000
    first, second = np.zeros(6), np.zeros(6)
    for position in range(n):
        found = candidates(logits, ids.copy(), 0.8, 5, position)
        token = found.take()
        assert token is not None
        first[token] += 1
        if token == 0:
            token = found.take()
            assert token is not None
        second[token] += 1
    p = np.exp(logits[:6].astype(float) / 0.8)
    expected = n * p / p.sum()
    assert ((first - expected) ** 2 / expected).sum() < 25.7
    p[0] = 0
    expected = n * p / p.sum()
    assert second[0] == 0
    assert ((second - expected)[1:] ** 2 / expected[1:]).sum() < 25.7


@pytest.mark.parametrize("temperature", [0.0, 1.0, 1e-300, 1e300])
def test_probability_zero_comes_last(temperature: float) -> None:
    logits = np.array([-np.inf, -3e38, 0.0, -np.inf, 5.0], dtype=np.float32)
    found = candidates(logits, np.arange(5), temperature, 3, 0)
    taken = list(iter(found.take, None))
    assert set(taken[:3]) == {1, 2, 4}
    assert set(taken) == set(range(5))


def test_nothing_but_probability_zero_is_uniform() -> None:
    logits = np.full(4, -np.inf, dtype=np.float32)
    drawn = {candidates(logits, np.arange(4), 1.0, 3, position).take() for position in range(60)}
    assert drawn == {0, 1, 2, 3}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_not_finite_are_refused(bad: float) -> None:
    logits = np.array([0.0, bad, 1.0], dtype=np.float32)
    with pytest.raises(ModelError, match="token 6"):
        candidates(logits, np.arange(3), 0.0, 0, 6)
    assert candidates(logits, np.array([0, 2]), 0.0, 0, 6).take() == 2
