"""The decode loop: logits in, a finished and valid token sequence out, within a token limit.

In: an engine matcher, a limit, temperature and seed, and the logits after the tokens that it asks to be fed. Out: `Decoded`. Nothing here
knows models or schemas.

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
from structgen.generation.sampling import Candidates, allowed_tokens, candidates, removed_mass
from structgen.generation.values import FinishReason

# A search looks at up to Limits.max_search tokens, some 90 ms; a try takes microseconds but may leave captured text in the program.
_SEARCHES_PER_STEP = 3
_SEARCHES_PER_CALL = 24
_TRIES_PER_STEP = 4096


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


class Restriction(Protocol):
    """Refuses tokens for other reasons than the limit, as long as the shortest completion is never refused for good."""

    def may_fit(self, token_id: int, /) -> bool:
        """Whether it is worth trying a token; cheap."""

    def fits(self, token_id: int, /) -> bool:
        """Whether the token that the matcher has just accepted may be kept; the matcher stays where it is."""


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


class Decoding:
    """One sequence being decoded: says which tokens the model has to be fed with, takes logits, and ends.

    So that one forward pass can serve many of them: `pending` is fed, then `take` gets the logits after it, until `is_done`.
    """

    def __init__(
        self,
        prompt_ids: Sequence[int],
        matcher: Engine,
        stop_token_ids: Sequence[int],
        vocabulary_size: int,
        *,
        limit: int,
        min_tokens: int = 0,
        temperature: float = 0.0,
        seed: int = 0,
        on_token: Callable[[int], object] | None = None,
        on_step: Callable[[int, int, float | None, float], object] | None = None,
        trace: bool = False,
        restriction: Restriction | None = None,
    ) -> None:
        """min_tokens: no end token is drawn before so many are out, where anything else may come and fits the limit.
        on_token: may return True to end the sequence with the token. on_step: called with (token, tokens allowed, probability removed,
        seconds for the mask) of each token before `on_token`; the probability is None for forced tokens and without trace, for it takes a
        pass over all logits. restriction: asked for each token that fits the limit and is not forced.

        prompt_ids: at least one. stop_token_ids: at least one. limit: counts every token but the end token. temperature: 0 is greedy.
        Tokens that come before any logits are needed are out already when this returns. The matcher ends where the text does.

        Raises TokenizerError without end tokens and BudgetError if no output fits, both before the first token.
        """
        if not stop_token_ids:
            raise TokenizerError("the vocabulary has no end token, so an output that may go on could never end")
        self._matcher, self._limit, self._temperature, self._seed = matcher, limit, temperature, seed
        self._budget = Budget(matcher)
        self._budget.check_start(limit)
        self._stops, self._min_tokens = frozenset(stop_token_ids), min_tokens
        self._bitmask = np.zeros((1, (vocabulary_size + 31) // 32), dtype=np.int32)
        self._on_token, self._on_step, self._trace, self._restriction = on_token, on_step, trace, restriction
        self._allowed: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._out: list[int] = []
        self.pending: list[int] = list(prompt_ids)
        self.finish_reason: FinishReason | None = None
        self.n_redrawn = self.n_taken = 0
        self.mask_s = self.sample_s = self._mask_before = 0.0
        self._width = vocabulary_size
        self._run()

    @property
    def is_done(self) -> bool:
        """Whether the sequence has ended; no more logits are needed."""
        return self.finish_reason is not None

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The tokens that are out, the end token not among them."""
        return tuple(self._out)

    def take(self, logits: npt.NDArray[np.float32]) -> None:
        """The logits after the pending tokens, float32 [at least vocabulary size]: draw a token, and go on as far as none are needed.

        Raises ModelError for logits that are not finite, ValueError when the sequence has ended.
        """
        if self.is_done:
            raise ValueError("the sequence has ended")
        self.pending = []
        self.n_taken += 1
        started = perf_counter()
        found = candidates(logits, self._allowed, self._temperature, self._seed, len(self._out))
        n_left = self._limit - len(self._out) - 1
        token_id, refused = _choose(found, self._matcher, self._budget, self._stops, n_left, self._restriction)
        self.n_redrawn += refused
        self.sample_s += perf_counter() - started
        removed = removed_mass(logits[: self._width], self._allowed) if self._trace else None
        if self._keep(token_id, removed):
            self._run()

    def _keep(self, token_id: int, removed: float | None) -> bool:
        """Put a token out; False if it ends the sequence. removed: see `on_step`."""
        if token_id in self._stops:
            self.finish_reason = "stop"
            return False
        self._out.append(token_id)
        self.pending.append(token_id)
        if self._on_step is not None:
            self._on_step(token_id, len(self._allowed), removed, self.mask_s - self._mask_before)
            self._mask_before = self.mask_s
        if self._on_token is not None and self._on_token(token_id) is True:
            self.finish_reason = "stop"
            return False
        return True

    def break_off(self, reason: FinishReason) -> None:
        """End the sequence where it is, complete or not."""
        if not self.is_done:
            self.finish_reason = reason

    @property
    def is_complete(self) -> bool:
        """Whether the text may end where it is."""
        return self._matcher.is_accepting()

    def _run(self) -> None:
        """Put out the tokens that the mask forces, up to where logits are needed or the sequence ends."""
        matcher = self._matcher
        while True:
            if matcher.is_terminated():
                self.finish_reason = "stop"
                return
            if len(self._out) == self._limit:
                self.finish_reason = "length"
                return
            started = perf_counter()
            matcher.fill_next_token_bitmask(self._bitmask, 0)
            self._allowed = allowed_tokens(self._bitmask[0])
            n_allowed = len(self._allowed)
            if n_allowed == 0:
                raise MatcherError(
                    f"no token is allowed after {len(self._out)} tokens, although the text is not complete"
                )
            if n_allowed > 1:
                if len(self._out) < self._min_tokens:
                    going_on = self._allowed[~np.isin(self._allowed, list(self._stops))]
                    # One that is left may lead beyond the limit, so it is drawn like any other, not forced.
                    self._allowed = going_on if len(going_on) else self._allowed
                self.mask_s += perf_counter() - started
                return
            token_id = int(self._allowed[0])
            if token_id not in self._stops and not matcher.accept_token(token_id):
                raise MatcherError(f"token {token_id} is set in the mask but not accepted")
            self.mask_s += perf_counter() - started
            if not self._keep(token_id, None):
                return


def decoded(decoding: Decoding, prompt_s: float, forward_s: float) -> Decoded:
    """What came of a sequence that has ended, with the seconds of its forward passes."""
    if decoding.finish_reason is None:
        raise ValueError("the sequence has not ended")
    return Decoded(
        decoding.token_ids,
        decoding.finish_reason,
        decoding.n_redrawn,
        prompt_s,
        forward_s,
        decoding.mask_s,
        decoding.sample_s,
        max(0, decoding.n_taken - 1),
    )


def _choose(
    found: Candidates,
    matcher: Engine,
    budget: Budget,
    stops: frozenset[int],
    n_left: int,
    restriction: Restriction | None,
) -> tuple[int, int]:
    """The best candidate that is an end token or after which a completion fits n_left tokens; it is accepted. And how many were refused.

    Those that the restriction refuses are not counted."""
    refused = tried = 0
    budget.begin_step()
    before = matcher.state_id
    while tried < _TRIES_PER_STEP and (token_id := found.take()) is not None:
        if token_id in stops:
            return token_id, refused
        if restriction is not None and not restriction.may_fit(token_id):
            continue
        tried += 1
        if not matcher.accept_token(token_id):
            raise MatcherError(f"token {token_id} is set in the mask but not accepted")
        if not budget.fits(n_left, before, token_id):
            refused += 1
        elif restriction is None or restriction.fits(token_id):
            return token_id, refused
        matcher.rollback(1)
    # What fits was not found within the bounds on tries and searches: the way of the shortest completion is known to fit.
    token_id = budget.follow()
    return min(stops) if token_id is None else token_id, refused
