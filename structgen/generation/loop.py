"""The decode loop: logits in, a finished and valid token sequence out, within a token limit.

In: a `Forward` (feeds tokens to a model with its key-value cache, gives the next logits), an engine matcher, a limit,
temperature and seed. Out: `Decoded`. Nothing here knows models or schemas.

The limit. Before a token is kept, the shortest completion after it must fit into what is left; a token for which it does not
is refused and the next best is taken. With keyed noise that is an exact draw from the model's distribution over the tokens
that are allowed *and* from which a valid output still fits, so the output is valid at every limit at which any output is. The
cheap test is `completion_bound()` (the tokens of a shortest text), which is rarely above the truth; only when it fails is the exact
search asked, once per state (tokens that lead to the same state share the verdict), and a bounded number of times. What lies
beyond the bounds counts as refused, and the last resort is the way of the shortest completion; only there is the draw not exact,
the output is valid all the same.

Tokens that the mask forces (one bit set) are not looked up in any logits: they are fed together with the next token that
needs them.

Turned down: masking on the device (the row is needed on the host for the noise, and the allowed set is mostly small), and
closing the text by force when the limit is near (it overrules the model where a token that fits was the likelier one).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from structgen.errors import BudgetError, MatcherError, TokenizerError
from structgen.generation.sampling import Candidates, allowed_tokens, candidates
from structgen.generation.values import FinishReason

# A search looks at up to Limits.max_search tokens, some 90 ms; a try takes microseconds but may leave captured text in the program.
_SEARCHES_PER_STEP = 3
_SEARCHES_PER_CALL = 24
_TRIES_PER_STEP = 4096


class Forward(Protocol):
    """One sequence's model state."""

    def __call__(self, token_ids: Sequence[int], /) -> npt.NDArray[np.float32]:
        """Append the tokens (at least one); the logits after the last one, float32 [at least vocabulary size]."""


class Engine(Protocol):
    """What the loop needs of a matcher."""

    @property
    def state_id(self) -> tuple[int, int]:
        """(state, captured text). Equal ids: equal futures."""

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
    """Whether the shortest completion from the matcher's state fits a number of tokens. Remembers the searches by state.

    States that differ in captured text only (the name of an extra property being written) have nearly always the same
    completions, but there are as many of them as names; what one of them needs is taken for all as far as refusing goes.
    """

    __slots__ = ("_call_searches", "_known", "_matcher", "_plans", "_step_searches")

    def __init__(self, matcher: Engine) -> None:
        self._matcher = matcher
        self._plans: dict[tuple[int, int], list[int]] = {}
        self._known: dict[int, int] = {}  # state without captured text → the most tokens that a search found necessary
        self._call_searches = _SEARCHES_PER_CALL
        self._step_searches = 0

    def check_start(self, limit: int) -> None:
        """Raise BudgetError if no output of at most `limit` tokens exists."""
        if self._matcher.completion_bound() > limit:
            plan = self._search()
            if len(plan) > limit:
                raise BudgetError(len(plan), limit)

    def begin_step(self) -> None:
        """Allow a step's number of searches anew."""
        self._step_searches = min(_SEARCHES_PER_STEP, self._call_searches)

    def fits(self, n_tokens: int, before: tuple[int, int], token_id: int) -> bool:
        """True if at most n_tokens more tokens complete the text from where the matcher is, as far as the bounds let us know.

        before, token_id: the state that the matcher came from, and by which token.
        """
        if self._matcher.completion_bound() <= n_tokens:
            return True
        if n_tokens == 0:
            return False  # a bound above 0 says that the text is not complete
        state = self._matcher.state_id
        plan = self._plans.get(state)
        if plan is None and (known := self._plans.get(before)) and known[0] == token_id:
            plan = self._plans[state] = known[1:]
        if plan is None:
            if self._step_searches == 0 or self._known.get(state[0], 0) > n_tokens:
                return False
            self._step_searches -= 1
            self._call_searches -= 1
            plan = self._search()
        return len(plan) <= n_tokens

    def follow(self) -> int | None:
        """Accept the first token of the shortest completion and return it; None where the text is complete.

        What was found earlier is used again, so the way out does not change while it is gone.
        """
        if self._matcher.is_accepting():
            return None
        plan = self._plans.get(self._matcher.state_id) or self._matcher.shortest_completion()
        if not self._matcher.accept_token(plan[0]):
            raise MatcherError(f"token {plan[0]} of the shortest completion is not accepted")
        self._plans.setdefault(self._matcher.state_id, plan[1:])
        return plan[0]

    def _search(self) -> list[int]:
        plan = self._matcher.shortest_completion()
        state = self._matcher.state_id
        self._plans[state] = plan
        self._known[state[0]] = max(self._known.get(state[0], 0), len(plan))
        return plan


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
    before = matcher.state_id
    while refused < _TRIES_PER_STEP and (token_id := found.take()) is not None:
        if token_id in stops:
            return token_id, refused
        if not matcher.accept_token(token_id):
            raise MatcherError(f"token {token_id} is set in the mask but not accepted")
        if budget.fits(n_left, before, token_id):
            return token_id, refused
        matcher.rollback(1)
        refused += 1
    # What fits was not found within the bounds on tries and searches: the way of the shortest completion is known to fit.
    token_id = budget.follow()
    return min(stops) if token_id is None else token_id, refused
