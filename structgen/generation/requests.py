"""One row: what is asked of the model, made ready to be decoded, and the result of it.

In: a `Request`. Out: a `Row`, which holds the sequence being decoded (`loop.Decoding`), tells of what comes of it (events, hooks), and
makes a `GenerationResult` of it. Used by `generate`, by streams and by batches alike, so that a row of a batch is what a call of its own
would be.

Limits: text without a schema (`schema=None`) is what the model writes up to an end token, a stop string or the token limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from structgen.compiler import CompiledGrammar, CompiledIntersection
from structgen.errors import PromptError
from structgen.generation.asked import Prefixed, after_prefix
from structgen.generation.budgets import FieldBudgets, has_budgets
from structgen.generation.controls import (
    Bounds,
    BreakReason,
    Cancel,
    Hooks,
    OnError,
    OnField,
    OnToken,
    Parameters,
    check_bounds,
    check_least,
    logger,
)
from structgen.generation.events import BrokenOff, Event, FieldComplete, TextDelta, TextDone, ValueEvents
from structgen.generation.free import FreeText
from structgen.generation.healing import Healed, head_of
from structgen.generation.loop import Decoding, decoded
from structgen.generation.models import CachedForward, LoadedModel, check_prompt, evaluation_mode, prompt_tokens
from structgen.generation.partial import PartialValue
from structgen.generation.shapes import Shape
from structgen.generation.show import TokenTrace
from structgen.generation.texts import StopText, TextWriter, check_stop
from structgen.generation.values import (
    DEFAULT_MAX_NEW_TOKENS,
    GenerationResult,
    ParameterError,
    Target,
    Timings,
    check_parameters,
    read_target,
)
from structgen.schema.options import JsonOptions
from structgen.syntax.constraints import Constraint


@dataclass(frozen=True, slots=True)
class Request:
    """What `generate` is asked for, as one row of a batch. Fields: see `structgen.generate`; schema None: free text.

    schema may also be a constraint (`structgen.regex(...)`, `structgen.template(...)`). tools: what the chat template shows as tools.
    cancel, time_limit: for this row alone; its time runs from when it is taken in.
    """

    prompt: str | Sequence[dict[str, Any]]
    schema: Any = None
    max_new_tokens: int | None = None
    temperature: float = 0.0
    seed: int = 0
    options: JsonOptions | None = None
    system: str | None = None
    trace: bool = False
    tools: Sequence[dict[str, Any]] | None = None
    prefix: str | Constraint | None = None
    stop: str | Sequence[str] | None = None
    min_tokens: int = 0
    time_limit: float | None = None
    cancel: Cancel | None = None
    on_token: OnToken | None = None
    on_field: OnField | None = None
    on_error: OnError | None = None
    heal: bool = False

    @property
    def hooks(self) -> Hooks:
        """The request's own hooks. Raises ParameterError for what is no function."""
        return Hooks.of(self.on_token, self.on_field, self.on_error)


def request_of(
    prompt: str | Sequence[dict[str, Any]], schema: Any, parameters: Mapping[str, Any], function: str
) -> Request:
    """A request with parameters by name. Raises TypeError for a name that there is not, as the call of `function` does."""
    unknown = parameters.keys() - _NAMES
    if unknown:
        raise TypeError(
            f"{function}() got an unexpected keyword argument {min(unknown)!r}; it takes {', '.join(sorted(_NAMES))}"
        )
    return Request(prompt, schema, **parameters)


_NAMES = frozenset(Parameters.__annotations__)


def check_request(request: Request, on_text: object = None) -> Target | None:
    """Raise what is wrong with a request as far as that is known without a model; the target of its schema."""
    check_parameters(request.max_new_tokens, request.temperature, request.seed, on_text)
    check_least(request.min_tokens, request.max_new_tokens)
    check_bounds(request.time_limit, request.cancel)
    check_stop(request.stop, request.schema)
    Hooks.of(request.on_token, request.on_field, request.on_error)
    if not isinstance(request.heal, bool):
        raise ParameterError(f"heal must be True or False, not {request.heal!r:.80}")
    check_prompt(request.prompt, request.system)
    if request.prefix is None:
        return None if request.schema is None else read_target(request.schema, request.options)
    if isinstance(request.schema, Constraint):
        read_target(request.schema, request.options)  # refuses options, which a constraint has of its own
    return read_target(after_prefix(request.prefix, request.schema, request.options), None)


class Row:
    """A request made ready for a model: feed `pending`, `take` the logits, until it `is_done`; `tell` after each, then `result`."""

    def __init__(
        self,
        loaded: LoadedModel,
        request: Request,
        target: Target | None,
        hooks: Hooks,
        *,
        started: float | None = None,
        index: int = 0,
        on_text: Callable[[str], object] | None = None,
        events: bool = False,
    ) -> None:
        """target: from `check_request`. hooks: all of them, the request's too. started: when the call began, by `time.perf_counter`; now,
        if None. index: its number in a batch. on_text: called with pieces of text as soon as they are final. events: `tell` gives them.

        The time limit runs from now on. Raises SchemaError and its kinds, LimitExceeded, BudgetError, PromptError, TokenizerError.
        """
        now = perf_counter()
        self.request, self._target, self.hooks, self.index = request, target, hooks, index
        self._started = now if started is None else started
        vocabulary = loaded.vocabulary
        self._constraint: CompiledGrammar | CompiledIntersection | None = None
        self._is_text = target is None or target.constraint is not None  # no JSON, whose members could be told apart
        if target is None:
            matcher: Any = FreeText(vocabulary)
        elif target.constraint is not None:
            self._constraint = loaded.compiler.compile(target.constraint)
            matcher = self._constraint.matcher()
        else:
            matcher = loaded.compiler.compile_json_schema(target.schema, target.options).matcher()
        self._compile_s = perf_counter() - now
        prompt_ids = prompt_tokens(loaded.tokenizer, request.prompt, request.system, request.tools)
        self._n_healed = 0
        self._n_head = 0  # bytes of the prompt that are still to be generated again
        if request.heal and (head := head_of(prompt_ids, vocabulary)):
            self._n_head = self._n_healed = len(head)
            matcher = Healed(matcher, vocabulary, prompt_ids.pop())
        self.n_prompt_tokens = len(prompt_ids)
        self._token_bytes, self._spellings = vocabulary.token_bytes, vocabulary.spellings
        stops = check_stop(request.stop, request.schema)
        self._stop_text = StopText(stops) if stops else None
        self._min_tokens = int(request.min_tokens)
        self._writer = TextWriter(
            on_text,
            self._stop_text,
            strips_space=vocabulary.leading_space and target is not None,
            may_break=target is None,
        )
        self._n_out = self._n_told = self._n_told_pieces = 0
        self._trace: list[TokenTrace] = []
        self._fresh: list[bytes] = []  # of tokens that `tell` has to look at
        self._gives_events = events
        self._values: ValueEvents | None = None
        if target is not None and not self._is_text and (events or hooks.on_field):
            self._values = ValueEvents(_shape_of(target), leading_space=vocabulary.leading_space)
        self._fields: FieldBudgets | None = None
        if target is not None and not self._is_text and has_budgets(target.schema):
            self._fields = FieldBudgets(target, matcher, vocabulary.token_bytes, loaded.compiler.registry)
        self._tells = events or bool(hooks.on_token or hooks.on_field)
        self._bounds: Bounds | None = None
        if request.time_limit is not None or request.cancel is not None:
            self._bounds = Bounds(request.time_limit, request.cancel, now)
        self.prompt_s = self.forward_s = 0.0
        self._decoding = Decoding(
            prompt_ids,
            matcher,
            vocabulary.stop_token_ids,
            vocabulary.size,
            limit=_limit(loaded, len(prompt_ids), request.max_new_tokens, self._min_tokens),
            min_tokens=self._min_tokens,
            temperature=float(request.temperature),
            seed=int(request.seed),
            on_token=self._write,
            on_step=self._note if request.trace or hooks.on_token else None,
            trace=request.trace,
            restriction=self._fields,
        )

    @property
    def is_done(self) -> bool:
        """Whether the text has ended; no more logits are needed."""
        return self._decoding.is_done

    @property
    def pending(self) -> list[int]:
        """Tokens that the model has to be fed with next."""
        return self._decoding.pending

    def check_bounds(self) -> None:
        """End the row if its time is up or it was cancelled."""
        if self._bounds is not None and not self._decoding.is_done:
            reason = self._bounds.reached()
            if reason is not None:
                self.break_off(reason)

    def break_off(self, reason: BreakReason) -> None:
        """End the row where it is."""
        self._decoding.break_off(reason)

    def take(self, logits: Any, forward_s: float) -> None:
        """The logits after the pending tokens, and what they took in seconds. Raises what `Decoding.take` raises, and `on_text`."""
        if self._decoding.n_taken:
            self.forward_s += forward_s
        else:
            self.prompt_s = forward_s
        self._decoding.take(logits)

    def _note(self, token_id: int, n_allowed: int, removed: float | None, mask_s: float) -> None:
        self._trace.append(TokenTrace(token_id, self._token_bytes[token_id] or b"", n_allowed, removed, mask_s))

    def _write(self, token_id: int) -> bool:
        """Whether a stop string has come."""
        self._n_out += 1
        data = self._token_bytes[token_id] or b""
        if self._n_head:
            n = min(self._n_head, len(data))
            self._n_head -= n
            data = data[n:]
            if self._trace:
                self._trace[-1] = replace(self._trace[-1], data=data)
        if self._fields is not None:
            self._fields.accept(data)
        if self._tells:
            self._fresh.append(data)
        self._writer.add(data, may_end=self._n_out >= self._min_tokens)
        return self._stop_text is not None and self._stop_text.found is not None

    def tell(self) -> list[Event]:
        """Call the hooks for what has come since the last call, and give its events, if that was asked for. Raises what hooks raise."""
        if not self._tells:
            return []
        told: list[Event] = []
        fresh = self._fresh[:]
        self._fresh.clear()
        for data in fresh:
            self._n_told += 1
            for on_token in self.hooks.on_token:
                on_token(self._trace[self._n_told - 1], self.index)
            if self._values is not None:
                self._pass_on(self._values.feed(data, self._n_told), told)
        if self._is_text:
            self._tell_text(told)
        return told

    def _pass_on(self, events: list[Event], told: list[Event]) -> None:
        for event in events:
            if isinstance(event, FieldComplete):
                for on_field in self.hooks.on_field:
                    on_field(event, self.index)
        if self._gives_events:
            told += events

    def _tell_text(self, told: list[Event]) -> None:
        """A delta of the pieces of free text that are new."""
        pieces = self._writer.pieces[self._n_told_pieces :]
        self._n_told_pieces += len(pieces)
        if pieces and self._gives_events:
            told.append(TextDelta(self._n_told, "".join(pieces)))

    @property
    def _is_partial(self) -> bool:
        return self._decoding.finish_reason in ("time", "cancelled") and (
            self._target is None or not self._decoding.is_complete
        )

    def _spelled(self, token_ids: Sequence[int]) -> Sequence[int] | bytes:
        """The generated tokens for a constraint to read, or where the prompt was healed, what they spell beyond it."""
        if not self._n_healed:
            return token_ids
        return b"".join(self._spellings[token] or b"" for token in token_ids)[self._n_healed :]

    def end(self) -> list[Event]:
        """The last events of a row that has ended, after `result`. Raises what hooks raise."""
        if not self._tells:
            return []
        told: list[Event] = []
        text = self._writer.finish()
        if self._is_text:
            self._tell_text(told)
        if self._is_partial:
            told.append(BrokenOff(self._n_told, text, str(self._decoding.finish_reason)))
        elif self._values is not None:
            self._pass_on(self._values.finish(), told)
        else:
            told.append(TextDone(self._n_told, text))
        return told if self._gives_events else []

    def result(self) -> GenerationResult[Any]:
        """The result of the row, which has ended. Raises what the type's own validators raise."""
        text, done = self._writer.finish(), decoded(self._decoding, self.prompt_s, self.forward_s)
        is_partial = self._is_partial
        partial: PartialValue | None = None
        value: Any = text
        if self._constraint is not None:
            partial = PartialValue(None) if is_partial else None
            value = None if is_partial else self._constraint.value(self._spelled(done.token_ids))
        elif self._target is not None:
            partial = parts_of(text, len(done.token_ids), self._target) if is_partial else None
            value = None if is_partial else self._target.validate(text)
        timings = Timings(
            compile_s=self._compile_s,
            prompt_s=done.prompt_s,
            forward_s=done.forward_s,
            mask_s=done.mask_s,
            sample_s=done.sample_s,
            total_s=perf_counter() - self._started,
            n_tokens=len(done.token_ids),
            n_forwards=done.n_forwards,
        )
        prefix = ""
        if isinstance(value, Prefixed):
            prefix, value = value.prefix, value.value
        logger.debug(
            "row %d: %d tokens after %d of the prompt in %.3f s, finish reason %s",
            self.index, timings.n_tokens, self.n_prompt_tokens, timings.total_s, done.finish_reason,
        )  # fmt: skip
        return GenerationResult(
            text,
            value,
            done.token_ids,
            done.finish_reason,
            done.n_redrawn,
            self.n_prompt_tokens,
            timings,
            tuple(self._trace) if self.request.trace else (),
            None if self._stop_text is None else self._stop_text.found,
            is_partial,
            partial,
            () if self._fields is None else tuple(self._fields.closed),
            self._is_text,
            prefix,
        )


def _shape_of(target: Target) -> Shape | None:
    return None if target.adapter is None else Shape.of(target.adapter)


def parts_of(text: str, n_tokens: int, target: Target) -> PartialValue:
    """The finished parts of a text that was broken off."""
    shape = _shape_of(target)
    values, partial = ValueEvents(shape), PartialValue(shape)
    partial.extend(values.feed(text.encode("utf-8"), n_tokens))
    return partial


def generate_one(
    loaded: LoadedModel,
    request: Request,
    target: Target | None,
    on_text: Callable[[str], object] | None,
    started: float,
    lock: AbstractContextManager[Any] | None = None,
) -> GenerationResult[Any]:
    """A request by itself. started: when the call began, by `time.perf_counter`; lock: held while the model or its
    tokenizer works. Raises as `structgen.generate`."""
    running = _Running(loaded, request, target, started, lock, on_text=on_text)
    for _ in running.events():
        pass
    assert running.result is not None
    return running.result


def stream_one(
    loaded: LoadedModel, request: Request, target: Target | None, lock: AbstractContextManager[Any] | None = None
) -> Iterator[Event]:
    """The events of a request by itself. Raises as `structgen.generate`, when the first is asked for."""
    return _Running(loaded, request, target, None, lock, gives_events=True).events()


class _Running:
    """One request under way."""

    def __init__(
        self,
        loaded: LoadedModel,
        request: Request,
        target: Target | None,
        started: float | None,
        lock: AbstractContextManager[Any] | None,
        *,
        on_text: Callable[[str], object] | None = None,
        gives_events: bool = False,
    ) -> None:
        self._loaded, self._request, self._target, self._started = loaded, request, target, started
        self._lock: AbstractContextManager[Any] = nullcontext() if lock is None else lock
        self._on_text, self._gives_events = on_text, gives_events
        self.result: GenerationResult[Any] | None = None

    def events(self) -> Iterator[Event]:
        """The events, if they were asked for; it generates as they are taken. `result` is there before the last ones are."""
        hooks = self._request.hooks
        try:
            with self._lock:  # tokenizers are not safe to use from several threads
                row = Row(
                    self._loaded,
                    self._request,
                    self._target,
                    hooks,
                    started=self._started,
                    on_text=self._on_text,
                    events=self._gives_events,
                )
            forward = CachedForward(self._loaded.model)
            yield from row.tell()
            while True:
                row.check_bounds()
                if row.is_done:
                    break
                step(row, forward, self._loaded.model, self._lock)
                yield from row.tell()
            self.result = row.result()
            last = row.end()
        except Exception as error:
            hooks.error(error)
            raise
        yield from last


def step(row: Row, forward: CachedForward, model: Any, lock: AbstractContextManager[Any]) -> None:
    """One forward pass for a row, and the tokens that it decides."""
    with lock, evaluation_mode(model):
        before = perf_counter()
        logits = forward(row.pending)
        took = perf_counter() - before
    row.take(logits, took)


def _limit(loaded: LoadedModel, n_prompt: int, max_new_tokens: int | None, min_tokens: int) -> int:
    """The token limit in force; PromptError if prompt and limits do not fit the context."""
    default = max(DEFAULT_MAX_NEW_TOKENS, int(min_tokens))
    if loaded.context is None:
        return default if max_new_tokens is None else int(max_new_tokens)
    left = loaded.context - n_prompt
    if left <= 0:
        raise PromptError(
            f"the prompt has {n_prompt} tokens, the model's context only {loaded.context}: nothing is left to write"
        )
    if min_tokens > left:
        raise PromptError(
            f"the prompt ({n_prompt} tokens) and min_tokens ({min_tokens}) do not fit the model's context of {loaded.context}:"
            f" shorten the prompt, or lower min_tokens to {left}"
        )
    if max_new_tokens is None:
        return min(left, default)
    if max_new_tokens > left:
        raise PromptError(
            f"the prompt ({n_prompt} tokens) and max_new_tokens ({max_new_tokens}) do not fit the model's context of"
            f" {loaded.context}: shorten the prompt, or lower max_new_tokens to {left}"
        )
    return int(max_new_tokens)
