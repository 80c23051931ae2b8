"""A model that is loaded once and asked many times: one at a time, in batches, from threads and coroutines.

In: a model and, per call or per row, a prompt, a schema (or none: free text) and parameters. Out: `GenerationResult`s, in the order of the
rows, or the events of what is generated. A batch keeps `in_flight` rows in the model at once and refills from its iterator as rows finish
(see `batches`), so a million rows take the memory of a few; each row has its own schema, limit, temperature and seed, and gives what a call
of its own would give (but where two tokens tie within the rounding of the forward pass, whose sums run in another order).

Limits: one process. Rows whose model keeps no joinable cache run one after the other (see `batching`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeVar, Unpack, overload

from structgen.generation.batches import Batch, RowFailure, with_progress
from structgen.generation.batching import rows_of
from structgen.generation.controls import Bounds, Parameters, Shared, check_bounds
from structgen.generation.events import Event
from structgen.generation.models import load_model, shows_tools
from structgen.generation.requests import Request, check_request, generate_one, request_of, stream_one
from structgen.generation.tools import Format, Toolbox, ToolCalls, check_format
from structgen.generation.values import GenerationResult, ParameterError

T = TypeVar("T")


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
        on_text: Callable[[str], object] | None = None,
        **parameters: Unpack[Shared],
    ) -> GenerationResult[T]: ...

    @overload
    def generate(
        self,
        prompt: str | Sequence[dict[str, Any]],
        schema: Any = None,
        *,
        on_text: Callable[[str], object] | None = None,
        **parameters: Unpack[Parameters],
    ) -> GenerationResult[Any]: ...

    def generate(
        self,
        prompt: str | Sequence[dict[str, Any]],
        schema: Any = None,
        *,
        on_text: Callable[[str], object] | None = None,
        **parameters: Any,
    ) -> GenerationResult[Any]:
        """`structgen.generate` with this model; schema None: free text. Takes the same parameters, and raises what it raises."""
        started = perf_counter()
        request = request_of(prompt, schema, parameters, "generate")
        target = check_request(request, on_text)
        return generate_one(self._loaded, request, target, on_text, started, self._busy)

    async def agenerate(
        self,
        prompt: str | Sequence[dict[str, Any]],
        schema: Any = None,
        *,
        on_text: Callable[[str], object] | None = None,
        **parameters: Unpack[Parameters],
    ) -> GenerationResult[Any]:
        """`generate` in a worker thread, which also calls `on_text` and the hooks. `cancel=` ends it; cancelling the task does not."""
        return await asyncio.to_thread(lambda: self.generate(prompt, schema, on_text=on_text, **parameters))

    def stream(
        self, prompt: str | Sequence[dict[str, Any]], schema: Any = None, **parameters: Unpack[Parameters]
    ) -> Iterator[Event]:
        """`generate` as events, each as soon as the token that shows it is out: `TextDelta`, `FieldStarted`, `FieldComplete`,
        `ItemComplete`, and `Done` with the finished value (of free text: `TextDelta`s and `TextDone`; of an output that was broken off
        before it was complete: `BrokenOff`).

        Values of fields are made when they are read, and typed as the finished value is (see `events`); a `PartialValue` collects them.
        The model computes while the next event is asked for. Raises what `generate` raises: for wrong arguments at once, all else when
        the first event is asked for.
        """
        request = request_of(prompt, schema, parameters, "stream")
        return stream_one(self._loaded, request, check_request(request), self._busy)

    async def astream(
        self, prompt: str | Sequence[dict[str, Any]], schema: Any = None, **parameters: Unpack[Parameters]
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
        started = perf_counter()
        options = parameters.pop("options", None)
        asked = box.constraint(check_format(format), most=most, is_required=bool(required), options=options)
        by_template = shows_tools(self._loaded.tokenizer)
        request = request_of(prompt if by_template else box.described(prompt), asked, parameters, "call")
        request = replace(request, tools=box.shown() if by_template else None, prefix=prefix)
        result = generate_one(self._loaded, request, check_request(request), None, started, self._busy)
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
        **parameters: Unpack[Parameters],
    ) -> Iterator[GenerationResult[Any] | RowFailure]:
        """Generate for every row; results in the order of the rows, as soon as those before them are there.

        rows: any iterable, read as far as is needed only: prompts, `Request`s, or mappings with the fields of one. schema and
        parameters: those of `generate`, for rows that do not say otherwise (a `Request` says everything but the schema). in_flight: rows
        in the model at once. progress: a progress bar on standard error.
        time_limit, cancel: of the whole batch; once they are reached, the rows in the model end as they are and no more are read. Hooks:
        called for all rows, before those of the row itself.

        What goes wrong with a row is that row's `RowFailure`; where the iterable itself raises, the rows before are finished first.
        Raises ParameterError for wrong arguments, at once.
        """
        results = self._batch(rows, schema, in_flight, parameters, "batch").results()
        return with_progress(results, rows) if progress else results

    def stream_batch(
        self, rows: Iterable[Any], schema: Any = None, *, in_flight: int = 8, **parameters: Unpack[Parameters]
    ) -> Iterator[tuple[int, Event | RowFailure]]:
        """`batch` as (number of the row, event), each as it happens; rows interleave, the events of one row are those of `stream`.

        A row's last one is `Done`, `TextDone`, `BrokenOff` or a `RowFailure`. Arguments and errors: as for `batch`.
        """
        return self._batch(rows, schema, in_flight, parameters, "stream_batch").events()

    def _batch(
        self, rows: Iterable[Any], schema: Any, in_flight: int, parameters: Mapping[str, Any], function: str
    ) -> Batch:
        if isinstance(in_flight, bool) or not isinstance(in_flight, int) or in_flight < 1:
            raise ParameterError(f"in_flight must be an integer of at least 1, not {in_flight!r}")
        if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
            raise ParameterError(f"rows must be an iterable of prompts or requests, not {type(rows).__name__}")
        whole = request_of("", schema, parameters, function)
        check_bounds(whole.time_limit, whole.cancel)
        bounds = Bounds(whole.time_limit, whole.cancel, perf_counter())
        common = replace(whole, time_limit=None, cancel=None, on_token=None, on_field=None, on_error=None)
        forward = rows_of(self._loaded.model)
        return Batch(self._loaded, forward, self._busy, iter(rows), common, in_flight, whole.hooks, bounds)

    async def abatch(
        self,
        rows: Iterable[Any],
        schema: Any = None,
        *,
        in_flight: int = 8,
        progress: bool = False,
        **parameters: Unpack[Parameters],
    ) -> AsyncIterator[GenerationResult[Any] | RowFailure]:
        """`batch` in a worker thread, a result at a time."""
        results = self.batch(rows, schema, in_flight=in_flight, progress=progress, **parameters)
        while True:
            found = await asyncio.to_thread(next, results, None)
            if found is None:
                return
            yield found

    async def astream_batch(
        self, rows: Iterable[Any], schema: Any = None, *, in_flight: int = 8, **parameters: Unpack[Parameters]
    ) -> AsyncIterator[tuple[int, Event | RowFailure]]:
        """`stream_batch` in a worker thread, an event at a time."""
        events = self.stream_batch(rows, schema, in_flight=in_flight, **parameters)
        while True:
            found = await asyncio.to_thread(next, events, None)
            if found is None:
                return
            yield found


__all__ = ["Generator", "Request", "RowFailure"]
