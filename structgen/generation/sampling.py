"""Drawing one token under a mask, reproducibly: Gumbel-max with noise that depends on (seed, position, token) alone.

In: a row of logits, the words of its mask, temperature, seed, position. Out: `Candidates`, the allowed tokens with their keys, from which
tokens are taken best first.

Sampling from softmax(logits / T) over a set is argmax of logits / T + Gumbel noise over it (Gumbel 1954; Maddison et al.
2014). Because the noise belongs to the token and not to the draw, taking the next best after a refusal is an exact draw from
the renormalised rest, the result does not depend on which other tokens were looked at, and a speculative decoder that keys
its noise the same way gives the same tokens.

The uniform numbers come from SplitMix64's output function (Steele, Lea and Flood 2014) on a counter: 64-bit integer
arithmetic that any backend can repeat bit by bit. Turned down: torch generators (their stream depends on how many numbers were
drawn before, and on the device).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from structgen.errors import ModelError

_MASK64 = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIX1, _MIX2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * _MIX1) & _MASK64
    value = ((value ^ (value >> 27)) * _MIX2) & _MASK64
    return value ^ (value >> 31)


def stream_key(seed: int, position: int) -> int:
    """The 64-bit key of one position's noise. seed: any integer (taken modulo 2**64); position: generated tokens before this one."""
    return _mix((_mix((seed + _GOLDEN) & _MASK64) + (position + 1) * _GOLDEN) & _MASK64)


def gumbel_noise(seed: int, position: int, token_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Standard Gumbel noise of each token, float64, a function of (seed, position, token) only.

    u = (h + 1/2) / 2**53 with h the top 53 bits of mix(key + (token + 1) · golden); g = -log(-log u), from -3.6 to 37.
    """
    z = token_ids.astype(np.uint64)
    z += np.uint64(1)
    z *= np.uint64(_GOLDEN)
    z += np.uint64(stream_key(seed, position))
    z ^= z >> np.uint64(30)
    z *= np.uint64(_MIX1)
    z ^= z >> np.uint64(27)
    z *= np.uint64(_MIX2)
    z ^= z >> np.uint64(31)
    u = (z >> np.uint64(11)).astype(np.float64)
    u += 0.5
    u *= 2.0**-53
    # u rounds to 1 for the topmost h: log gives -0.0 there, and the noise would be infinite
    np.minimum(u, 1.0 - 2.0**-53, out=u)
    noise: npt.NDArray[np.float64] = -np.log(-np.log(u))
    return noise


def allowed_tokens(words: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The ids of the set bits of one mask row (int32 [ceil(size / 32)], bit t % 32 of word t // 32), ascending."""
    filled = np.flatnonzero(words)
    bits = np.unpackbits(words[filled].view(np.uint8), bitorder="little").view(np.bool_)
    at = np.flatnonzero(bits)
    if len(filled) == len(words):
        return at
    ids: npt.NDArray[np.int64] = (filled * 32)[at >> 5] + (at & 31)
    return ids


def removed_mass(logits: npt.NDArray[np.float32], ids: npt.NDArray[np.int64]) -> float:
    """The probability, by softmax over all logits (float32 [vocabulary]), of the tokens that are not in `ids`; 1 where the logits give
    none to any token, or are no numbers."""
    shares = logits.astype(np.float64)
    top = shares.max()
    if not np.isfinite(top):
        return 1.0
    shares -= top
    np.exp(shares, out=shares)
    return max(0.0, 1.0 - float(shares[ids].sum() / shares.sum()))


class Candidates:
    """The allowed tokens of one step, taken best first, each at most once.

    Greedy (temperature 0): by logit; sampled: by logit / temperature + noise. Ties go to the lower id.
    """

    __slots__ = ("_keys", "_order", "_taken", "ids")

    def __init__(self, ids: npt.NDArray[np.int64], keys: npt.NDArray[np.float64]) -> None:
        """ids: int64 [n], ascending; keys: float64 [n], finite; the arrays are kept and changed."""
        self.ids = ids
        self._keys = keys
        self._order: npt.NDArray[np.int64] | None = None
        self._taken = 0

    def take(self) -> int | None:
        """The best token not taken yet, or None."""
        if self._taken == len(self.ids):
            return None
        # The first is nearly always kept: a maximum is cheaper than a sort until several were refused.
        if self._order is None:
            if self._taken < 4:
                at = int(np.argmax(self._keys))
                self._keys[at] = -np.inf
                self._taken += 1
                return int(self.ids[at])
            self._order = np.argsort(-self._keys, kind="stable")
            self._taken = 0
            self.ids = self.ids[self._order[: int(np.count_nonzero(self._keys != -np.inf))]]
            return self.take()
        self._taken += 1
        return int(self.ids[self._taken - 1])


def candidates(
    logits: npt.NDArray[np.float32], ids: npt.NDArray[np.int64], temperature: float, seed: int, position: int
) -> Candidates:
    """The candidates among `ids`. logits: float32 [vocabulary]; NaN or +inf among the allowed raises ModelError.

    -inf is a probability of zero: such tokens come last, and if the model rules out all that is allowed they are equally likely.
    """
    keys = logits[ids].astype(np.float64)
    top = keys.max()
    if not top < np.inf:  # also true for NaN, which max propagates
        raise ModelError(f"the model's logits are not finite at generated token {position}")
    zero = keys == -np.inf
    if temperature > 0:
        keys -= top if top > -np.inf else 0.0  # relative to the best, so that a tiny temperature cannot overflow
        with np.errstate(over="ignore"):  # to -inf, which the floor below catches
            keys /= temperature
        # Floors instead of infinities: every key stays ordered by its noise, and probability zero below everything else.
        np.maximum(keys, -1e9, out=keys)
        keys[zero] = -2e9
        keys += gumbel_noise(seed, position, ids)
    else:
        keys[zero] = -1e300
    return Candidates(ids, keys)
