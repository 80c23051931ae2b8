"""A model that is loaded once and asked many times: one at a time, in batches, from threads and coroutines.

In: a model and, per call or per row, a prompt, a schema (or none: free text) and parameters. Out: `GenerationResult`s, in the order of the
rows. A batch keeps `in_flight` rows in the model at once and refills from its iterator as rows finish, so a million rows take the
memory of a few; each row has its own schema, limit, temperature and seed, and gives what a call of its own would give (but where two tokens
tie within the rounding of the forward pass, whose sums run in another order).

Limits: one process. Rows whose model keeps no joinable cache run one after the other (see `batching`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeVar, overload

from structgen.generation.asked import after_prefix
from structgen.generation.batching import Rows, rows_of
from structgen.generation.events import Event, TextDelta, TextDone, ValueEvents
from structgen.generation.loop import decoded
from structgen.generation.models import CachedForward, evaluation_mode, load_model, shows_tools
from structgen.generation.requests import Request, Row, check_request, generate_one
from structgen.generation.shapes import Shape
from structgen.generation.tools import Format, Toolbox, ToolCalls, check_format
from structgen.generation.values import GenerationResult, ParameterError, Target
from structgen.schema.options import JsonOptions

T = TypeVar("T")
_WINDOW = 16  # rows for each one in flight that may be finished and wait for an earlier one


@dataclass(frozen=True, slots=True)
class RowFailure:
    """A row of a batch that has no result. index: its number; error: what a call of its own would have raised."""

    index: int
    error: Exception


class Generator:
    """A model with its tokenizer, vocabulary and compiled grammars.

    model: "tiny", a hub name, a local path, or a loaded causal language model; tokenizer: None (the model's own), a name, path or object.
    Safe to use from several threads. Raises ModelError and TokenizerError.
    """

    def __init__(self, model: Any, tokenizer: Any = None) -> None:
        self._loaded = load_model(model, tokenizer)
        self._busy = threading.RLock()  # a model computes one pass at a time, and is put into evaluation mode for it

    @property
    def model(self) -> Any:
        """The loaded model."""
        return self._loaded.model

    @property
    def tokenizer(self) -> Any:
        """The loaded tokenizer."""
        return self._loaded.tokenizer

    # -- one at a time ------------------------------------------------------------------------------------------------------------

    @overload
    def generate(
        self,
        prompt: str | Sequence[dict[str, Any]],
        schema: type[T],
        *,
        max_new_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        options: JsonOptions | None = None,
        system: str | None = None,
        on_text: Callable[[str], object] | None = None,
        trace: bool = False,
    ) -> GenerationResult[T]: ...

    @overload
    def generate(
        self,
        prompt: str | Sequence[dict[str, Any]],
        schema: Any = None,
        *,
        max_new_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        options: JsonOptions | None = None,
        system: str | None = None,
        on_text: Callable[[str], object] | None = None,
        trace: bool = False,
    ) -> GenerationResult[Any]: ...

    def generate(
        self,
        prompt: str | Sequence[dict[str, Any]],
        schema: Any = None,
        *,
        max_new_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        options: JsonOptions | None = None,
        system: str | None = None,
        on_text: Callable[[str], object] | None = None,
        trace: bool = False,
    ) -> GenerationResult[Any]:
        """`structgen.generate` with this model; schema None: free text. Raises what it raises.

        trace: keep what the constraint did to each token, for `result.show()`; takes a pass over all logits for each.
        """
        started = perf_counter()
        request = Request(prompt, schema, max_new_tokens, temperature, seed, options, system, trace)
        target = check_request(request, on_text)
        with self._busy:
            return generate_one(self._loaded, request, target, on_text, started)

    async def agenerate(
        self, prompt: str | Sequence[dict[str, Any]], schema: Any = None, **parameters: Any
    ) -> GenerationResult[Any]:
        """`generate` in a worker thread."""
        return await asyncio.to_thread(lambda: self.generate(prompt, schema, **parameters))

    def stream(
        self,
        prompt: str | Sequence[dict[str, Any]],
        schema: Any = None,
        *,
        max_new_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        options: JsonOptions | None = None,
        system: str | None = None,
    ) -> Iterator[Event]:
        """`generate` as events, each as soon as the token that shows it is out: `TextDelta`, `FieldStarted`, `FieldComplete`,
        `ItemComplete`, and `Done` with the finished value (of free text: `TextDelta`s and `TextDone`).

        Values of fields are made when they are read, and typed as the finished value is (see `events`); a `PartialValue` collects them.
        The model computes while the next event is asked for. Raises what `generate` raises, when the first event is asked for.
        """
        request = Request(prompt, schema, max_new_tokens, temperature, seed, options, system)
        target = check_request(request)
        shape = None if target is None or target.adapter is None else Shape.of(target.adapter)
        return self._streamed(request, target, shape)

    def _streamed(self, request: Request, target: Target | None, shape: Shape | None) -> Iterator[Event]:
        started = perf_counter()
        tokens: list[int] = []
        pieces: list[str] = []
        vocabulary = self._loaded.vocabulary
        row = Row(self._loaded, request, target, pieces.append, tokens.append)
        is_json = target is not None and target.constraint is None
        values = None if not is_json else ValueEvents(shape, leading_space=vocabulary.leading_space)
        forward = CachedForward(self._loaded.model)
        n_out, prompt_s, forward_s = 0, 0.0, 0.0
        while True:
            for token in tokens:
                n_out += 1
                if values is not None:
                    yield from values.feed(vocabulary.token_bytes[token] or b"", n_out)
            if values is None and pieces:
                yield TextDelta(n_out, "".join(pieces))
            tokens.clear()
            pieces.clear()
            if row.decoding.is_done:
                break
            with self._busy, evaluation_mode(self._loaded.model):
                before = perf_counter()
                logits = forward(row.decoding.pending)
                took = perf_counter() - before
                if row.decoding.n_taken:
                    forward_s += took
                else:
                    prompt_s = took
                row.decoding.take(logits)
        finished = decoded(row.decoding, prompt_s, forward_s)
        result = row.result(finished, perf_counter() - started)
        if values is None:
            if pieces:  # the end of a character that the text stopped in
                yield TextDelta(n_out, "".join(pieces))
            yield TextDone(n_out, result.text)
        else:
            yield from values.finish()

    async def astream(
        self, prompt: str | Sequence[dict[str, Any]], schema: Any = None, **parameters: Any
    ) -> AsyncIterator[Event]:
        """`stream` in a worker thread, an event at a time."""
        events = self.stream(prompt, schema, **parameters)
        while True:
            event = await asyncio.to_thread(next, events, None)
            if event is None:
                return
            yield event

    def call(
        self,
        prompt: str | Sequence[dict[str, Any]],
        tools: Sequence[Callable[..., Any]],
        *,
        most: int | None = None,
        format: Format = "json",  # noqa: A002 (the name that users look for)
        required: bool = True,
        prefix: str | None = None,
        **parameters: Any,
    ) -> ToolCalls:
        """Let the model choose among functions and fill in their arguments; the calls are ready to `run()`.

        prompt: text or messages. tools: functions with annotations; their docstrings say what they are for. They are shown by the chat
        template where it can, else described in front of the prompt's last part. most: None for one call, else one to that many. format:
        how the model's family writes calls (see `tools`). required: False lets the model answer in words instead, `calls.text`. prefix:
        free text that comes first, up to and with this text or special token (`"</think>"`); `calls.prefix` is it. parameters: as for
        `generate`.

        Raises what `generate` raises; ParameterError and SchemaError for functions that cannot be called with JSON arguments;
        pydantic.ValidationError where a type's own validators refuse an argument.
        """
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            raise ParameterError(f"most must be None or an integer of at least 1, not {most!r}")
        box = Toolbox(tools)
        options = parameters.pop("options", None)
        asked = box.constraint(check_format(format), most=most, is_required=bool(required), options=options)
        if prefix is not None:
            asked = after_prefix(prefix, asked, None)
        by_template = shows_tools(self._loaded.tokenizer)
        shown = box.shown() if by_template else None
        request = Request(prompt if by_template else box.described(prompt), asked, **parameters, tools=shown)
        target, started = check_request(request), perf_counter()
        with self._busy:
            result = generate_one(self._loaded, request, target, None, started)
        calls = box.read(result.value)
        calls.prefix = result.prefix
        return calls

    # -- batches ------------------------------------------------------------------------------------------------------------------

    def batch(
        self,
        rows: Iterable[Any],
        schema: Any = None,
        *,
        in_flight: int = 8,
        progress: bool = False,
        **parameters: Any,
    ) -> Iterator[GenerationResult[Any] | RowFailure]:
        """Generate for every row; results in the order of the rows, as soon as those before them are there.

        rows: any iterable, read as far as is needed only: prompts, `Request`s, or mappings with the fields of one. schema and
        parameters (max_new_tokens, temperature, seed, options, system, trace): for rows that do not say otherwise. in_flight: rows in
        the model at once. progress: a progress bar on standard error.

        What goes wrong with a row is that row's `RowFailure`; where the iterable itself raises, the rows before are finished first.
        Raises ParameterError for wrong arguments, at once.
        """
        if isinstance(in_flight, bool) or not isinstance(in_flight, int) or in_flight < 1:
            raise ParameterError(f"in_flight must be an integer of at least 1, not {in_flight!r}")
        unknown = set(parameters) - _SHARED
        if unknown:
            raise ParameterError(
                f"batch has no parameter {sorted(unknown)[0]!r}; rows share {', '.join(sorted(_SHARED))}"
            )
        if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
            raise ParameterError(f"rows must be an iterable of prompts or requests, not {type(rows).__name__}")
        common = Request("", schema, **parameters)
        results = _Batch(self, iter(rows), common, in_flight).results()
        return _with_progress(results, rows) if progress else results

    async def abatch(
        self, rows: Iterable[Any], schema: Any = None, **parameters: Any
    ) -> AsyncIterator[GenerationResult[Any] | RowFailure]:
        """`batch` in a worker thread, a result at a time."""
        results = self.batch(rows, schema, **parameters)
        while True:
            found = await asyncio.to_thread(next, results, None)
            if found is None:
                return
            yield found


_SHARED = frozenset({"max_new_tokens", "temperature", "seed", "options", "system", "trace"})


class _Active:
    """A row in the model."""

    __slots__ = ("forward_s", "index", "prompt_s", "row", "started")

    def __init__(self, index: int, row: Row) -> None:
        self.index, self.row, self.started = index, row, perf_counter()
        self.prompt_s = self.forward_s = 0.0


class _Batch:
    """One batch under way. Results wait in `_done` for those of earlier rows, at most `_WINDOW` times the rows in flight."""

    def __init__(self, generator: Generator, rows: Iterator[Any], common: Request, in_flight: int) -> None:
        self._generator, self._rows, self._common, self._in_flight = generator, rows, common, in_flight
        self._model = generator._loaded.model
        self._forward: Rows = rows_of(self._model)
        self._active: list[_Active] = []
        self._done: dict[int, GenerationResult[Any] | RowFailure] = {}
        self._n_read = self._n_given = 0
        self._is_exhausted = False
        self._broken: BaseException | None = None  # what the iterable raised

    def results(self) -> Iterator[GenerationResult[Any] | RowFailure]:
        while True:
            new = self._refill()
            if new or self._active:
                with self._generator._busy, evaluation_mode(self._model):
                    self._pass(new)
            while self._n_given in self._done:
                found = self._done.pop(self._n_given)
                self._n_given += 1
                yield found
            if self._is_exhausted and not self._active:
                if self._broken is not None:
                    raise self._broken
                return

    def _refill(self) -> list[_Active]:
        """Rows that are read while there is room for them; those that need no logits are done at once."""
        new: list[_Active] = []
        while not self._is_exhausted and len(self._active) + len(new) < self._in_flight:
            if self._n_read - self._n_given >= _WINDOW * self._in_flight:
                break
            try:
                given = next(self._rows)
            except StopIteration:
                self._is_exhausted = True
                break
            except Exception as error:  # the caller's own: the rows before it are finished first
                self._is_exhausted, self._broken = True, error
                break
            index = self._n_read
            self._n_read += 1
            try:
                request = _request_of(given, self._common)
                active = _Active(index, Row(self._generator._loaded, request, check_request(request)))
            except Exception as error:
                self._done[index] = RowFailure(index, error)
                continue
            if active.row.decoding.is_done:
                self._finish(active)
            else:
                new.append(active)
        return new

    def _pass(self, new: list[_Active]) -> None:
        """One forward pass: of the new rows' prompts, if there are any, else a step of all rows."""
        started = perf_counter()
        rows = new or self._active
        if new:
            logits = self._forward.add([one.row.decoding.pending for one in new])
            self._active += new
        else:
            logits = self._forward.step([one.row.decoding.pending for one in rows])
        took = (perf_counter() - started) / len(rows)
        for one, row_logits in zip(rows, logits, strict=True):
            if new:
                one.prompt_s = took
            else:
                one.forward_s += took
            try:
                one.row.decoding.take(row_logits)
            except Exception as error:
                self._done[one.index] = RowFailure(one.index, error)
                continue
            if one.row.decoding.is_done:
                self._finish(one)
        kept = [i for i, one in enumerate(self._active) if one.index not in self._done]
        if len(kept) < len(self._active):
            self._active = [self._active[i] for i in kept]
            self._forward.keep(kept)

    def _finish(self, one: _Active) -> None:
        try:
            finished = decoded(one.row.decoding, one.prompt_s, one.forward_s)
            self._done[one.index] = one.row.result(finished, perf_counter() - one.started)
        except Exception as error:  # a validator of the row's type, which may raise anything
            self._done[one.index] = RowFailure(one.index, error)


def _request_of(given: Any, common: Request) -> Request:
    """A row as a Request, with what all rows share where it says nothing."""
    if isinstance(given, Request):
        return given if given.schema is not None or common.schema is None else replace(given, schema=common.schema)
    if isinstance(given, Mapping):
        unknown = set(given) - set(Request.__dataclass_fields__)
        if unknown or "prompt" not in given:
            wrong = f"has no field {sorted(map(str, unknown))[0]!r}" if unknown else 'needs "prompt"'
            raise ParameterError(f"a row that is a mapping {wrong}")
        return replace(common, **given)
    return replace(common, prompt=given)


def _with_progress(results: Iterator[Any], rows: Iterable[Any]) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import Progress

    total = len(rows) if isinstance(rows, Sized) else None
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=total)
        for found in results:
            bar.advance(task)
            yield found


__all__ = ["Generator", "Request", "RowFailure"]
