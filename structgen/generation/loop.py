"""The decode loop: logits in, a finished and valid token sequence out, within a token limit.

In: a `Forward` (feeds tokens to a model with its key-value cache, gives the next logits), an engine matcher, a limit,
temperature and seed. Out: `Decoded`. Nothing here knows models or schemas.

The limit. Before a token is kept, the shortest completion after it must fit into what is left; a token for which it does not
is refused and the next best is taken. With keyed noise that is an exact draw from the model's distribution over the tokens
that are allowed *and* from which a valid output still fits, so the output is valid at every limit at which any output is. The
cheap test is `completion_bound()`; only when it fails is the exact search asked, once per state (tokens that lead to the same
state share the verdict). Both are bounded per step: where most of a large vocabulary is refused and every token leads to a state of
its own (the name of an extra property), what lies beyond the bounds counts as refused, and the last resort is the way of the
shortest completion. Only there is the draw not exact; the output is valid all the same.

Tokens that the mask forces (one bit set) are not looked up in any logits: they are fed together with the next token that
needs them.

Turned down: masking on the device (the row is needed on the host for the noise, and the allowed set is mostly small), and
closing the text by force when the limit is near (it overrules the model where a token that fits was the likelier one).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from structgen.errors import BudgetError, LimitExceeded, MatcherError, TokenizerError
from structgen.generation.sampling import Candidates, allowed_tokens, candidates
from structgen.generation.values import FinishReason

_SEARCHES_PER_STEP = 256  # about 0.1 s
_TRIES_PER_STEP = 32_768  # about 0.1 s


class Forward(Protocol):
    """One sequence's model state."""

    def __call__(self, token_ids: Sequence[int], /) -> npt.NDArray[np.float32]:
        """Append the tokens (at least one); the logits after the last one, float32 [at least vocabulary size]."""


class Engine(Protocol):
    """What the loop needs of a matcher."""

    @property
    def state_id(self) -> Hashable:
        """Equal ids: equal futures."""

    def fill_next_token_bitmask(self, bitmask: Any, index: int = 0) -> None: ...

    def accept_token(self, token_id: int) -> bool: ...

    def rollback(self, n: int, /) -> None: ...

    def is_accepting(self) -> bool: ...

    def is_terminated(self) -> bool:
        """Nothing but an end token can follow."""

    def completion_bound(self) -> int:
        """Upper bound on the tokens of the shortest completion, cheap; 0 when accepting."""

    def shortest_completion(self) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """token_ids: without the end token. finish_reason, n_redrawn: as in GenerationResult. The rest: seconds and a count, as in Timings."""

    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    n_redrawn: int
    prompt_s: float
    forward_s: float
    mask_s: float
    sample_s: float
    n_forwards: int


class Budget:
    """Whether the shortest completion from the matcher's state fits a number of tokens. Remembers the searches by state."""

    __slots__ = ("_matcher", "_plans", "_searches_left")

    def __init__(self, matcher: Engine) -> None:
        self._matcher = matcher
        self._plans: dict[Hashable, list[int] | None] = {}  # None: the search gave up
        self._searches_left = 0

    def check_start(self, limit: int) -> None:
        """Raise BudgetError if no output of at most `limit` tokens exists (LimitExceeded if the search cannot tell)."""
        if self._matcher.completion_bound() > limit:
            plan = self._matcher.shortest_completion()
            if len(plan) > limit:
                raise BudgetError(len(plan), limit)
            self._plans[self._matcher.state_id] = plan

    def begin_step(self) -> None:
        """Allow a step's number of searches anew."""
        self._searches_left = _SEARCHES_PER_STEP

    def fits(self, n_tokens: int) -> bool:
        """True if at most n_tokens more tokens complete the text from where the matcher is, as far as the bounds let us know."""
        if self._matcher.completion_bound() <= n_tokens:
            return True
        state = self._matcher.state_id
        if state in self._plans:
            plan = self._plans[state]
        elif self._searches_left == 0:
            return False
        else:
            self._searches_left -= 1
            try:
                plan = self._matcher.shortest_completion()
            except LimitExceeded:
                # Not known to fit, so the token is not kept: the state before is known to have a completion that fits.
                plan = None
            self._plans[state] = plan
        return plan is not None and len(plan) <= n_tokens

    def follow(self) -> int | None:
        """Accept the first token of the shortest completion and return it; None where the text is complete.

        What was found earlier is used again, so a search that succeeded once cannot fail on the way.
        """
        if self._matcher.is_accepting():
            return None
        plan = self._plans.get(self._matcher.state_id) or self._matcher.shortest_completion()
        if not self._matcher.accept_token(plan[0]):
            raise MatcherError(f"token {plan[0]} of the shortest completion is not accepted")
        if self._plans.get(self._matcher.state_id) is None:
            self._plans[self._matcher.state_id] = plan[1:]
        return plan[0]


def decode(
    forward: Forward,
    prompt_ids: Sequence[int],
    matcher: Engine,
    stop_token_ids: Sequence[int],
    vocabulary_size: int,
    *,
    limit: int,
    temperature: float = 0.0,
    seed: int = 0,
    on_token: Callable[[int], object] | None = None,
) -> Decoded:
    """Generate until an end token is drawn, nothing but the end can follow, or `limit` tokens are out.

    prompt_ids: at least one. stop_token_ids: at least one. limit: counts every token but the end token. temperature: 0 is greedy.
    on_token: called with each token once it is final. The matcher ends where the text does.

    Raises TokenizerError without end tokens and BudgetError if no output fits, both before the first token; ModelError for logits that
    are not finite.
    """
    if not stop_token_ids:
        raise TokenizerError("the vocabulary has no end token, so an output that may go on could never end")
    budget = Budget(matcher)
    budget.check_start(limit)
    stops = frozenset(stop_token_ids)
    bitmask = np.zeros((1, (vocabulary_size + 31) // 32), dtype=np.int32)
    pending: list[int] = list(prompt_ids)
    out: list[int] = []
    reason: FinishReason
    n_redrawn = n_forwards = 0
    prompt_s = forward_s = mask_s = sample_s = 0.0
    while True:
        if matcher.is_terminated():
            reason = "stop"
            break
        if len(out) == limit:
            reason = "length"
            break
        started = perf_counter()
        matcher.fill_next_token_bitmask(bitmask, 0)
        ids = allowed_tokens(bitmask[0])
        masked = perf_counter()
        mask_s += masked - started
        if len(ids) == 0:
            raise MatcherError(f"no token is allowed after {len(out)} tokens, although the text is not complete")
        if len(ids) == 1:
            token_id, refused = int(ids[0]), 0
            if token_id not in stops and not matcher.accept_token(token_id):
                raise MatcherError(f"token {token_id} is set in the mask but not accepted")
            mask_s += perf_counter() - masked
        else:
            logits = forward(pending)
            pending.clear()
            ready = perf_counter()
            if prompt_s:
                forward_s += ready - masked
                n_forwards += 1
            else:
                prompt_s = ready - masked
            found = candidates(logits, ids, temperature, seed, len(out))
            token_id, refused = _choose(found, matcher, budget, stops, limit - len(out) - 1)
            sample_s += perf_counter() - ready
        n_redrawn += refused
        if token_id in stops:
            reason = "stop"
            break
        out.append(token_id)
        pending.append(token_id)
        if on_token is not None:
            on_token(token_id)
    return Decoded(tuple(out), reason, n_redrawn, prompt_s, forward_s, mask_s, sample_s, n_forwards)


def _choose(found: Candidates, matcher: Engine, budget: Budget, stops: frozenset[int], n_left: int) -> tuple[int, int]:
    """The best candidate that is an end token or after which a completion fits n_left tokens; it is accepted. And how many were refused."""
    refused = 0
    budget.begin_step()
    while refused < _TRIES_PER_STEP and (token_id := found.take()) is not None:
        if token_id in stops:
            return token_id, refused
        if not matcher.accept_token(token_id):
            raise MatcherError(f"token {token_id} is set in the mask but not accepted")
        if budget.fits(n_left):
            return token_id, refused
        matcher.rollback(1)
        refused += 1
    # What fits was not found within the bounds on tries and searches: the way of the shortest completion is known to fit.
    token_id = budget.follow()
    return min(stops) if token_id is None else token_id, refused
