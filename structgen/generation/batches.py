"""A batch under way: rows join the model, are told of, and leave, while an iterable of any length is read as far as there is room.

In: rows of any kind that `row_request` reads, the parameters they share, hooks and bounds of the whole batch. Out: results in the order of
the rows (`Batch.results`), or the events of all of them as they happen (`Batch.events`).

Limits: one batch is one iterator; it is not safe to use from several threads at once. Turned down: a thread that reads the iterable ahead
(its errors and its end would come at another time in every run).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from structgen.generation.batching import Rows
from structgen.generation.controls import Bounds, Hooks, logger
from structgen.generation.events import Event
from structgen.generation.models import LoadedModel, evaluation_mode
from structgen.generation.requests import Request, Row, check_request
from structgen.generation.values import GenerationResult, ParameterError

_WINDOW = 16  # rows for each one in flight that may be finished and wait for an earlier one


@dataclass(frozen=True, slots=True)
class RowFailure:
    """A row of a batch that has no result. index: its number; error: what a call of its own would have raised."""

    index: int
    error: Exception


class Batch:
    """One batch. Results wait in `_done` for those of earlier rows, at most `_WINDOW` times the rows in flight."""

    def __init__(
        self,
        loaded: LoadedModel,
        forward: Rows,
        lock: AbstractContextManager[Any],
        rows: Iterator[Any],
        common: Request,
        in_flight: int,
        hooks: Hooks,
        bounds: Bounds,
    ) -> None:
        """lock: held while the model or its tokenizer works. common: what rows share that do not say otherwise. hooks,
        bounds: of the whole batch."""
        self._loaded, self._forward, self._lock = loaded, forward, lock
        self._rows, self._common, self._in_flight = rows, common, in_flight
        self._hooks, self._bounds = hooks, bounds
        self._active: list[Row] = []
        self._over: set[int] = set()  # rows in `_active` that have ended
        self._done: dict[int, GenerationResult[Any] | RowFailure] = {}
        self._told: list[tuple[int, Event | RowFailure]] = []
        self._gives_events = False
        self._n_read = self._n_given = 0
        self._is_exhausted = False
        self._broken: Exception | None = None  # what the iterable raised

    def results(self) -> Iterator[GenerationResult[Any] | RowFailure]:
        """Each row's, in their order, as soon as those before it are there."""
        while self._goes_on():
            while self._n_given in self._done:
                found = self._done.pop(self._n_given)
                self._n_given += 1
                yield found

    def events(self) -> Iterator[tuple[int, Event | RowFailure]]:
        """(row, event) as they happen; a row's are in order, and its last one is `Done`, `TextDone`, `BrokenOff` or a `RowFailure`."""
        self._gives_events = True
        while self._goes_on():
            self._n_given += len(self._done)
            self._done.clear()
            told, self._told = self._told, []
            yield from told

    def _goes_on(self) -> bool:
        """A step of the batch; False, and nothing is done, after the last one. Raises what the iterable or a hook raised."""
        if self._is_exhausted and not self._active and not self._done and not self._told:
            if self._broken is not None:
                raise self._broken
            return False
        self._check_bounds()
        new = self._refill()
        if new or self._active:
            self._pass(new)
        return True

    def _check_bounds(self) -> None:
        reason = self._bounds.reached()
        for row in self._active:
            if reason is not None:
                row.break_off(reason)
            else:
                row.check_bounds()
            if row.is_done:
                self._finish(row)
        if reason is not None:
            self._is_exhausted = True
        self._drop()

    def _refill(self) -> list[Row]:
        """Rows that are read while there is room for them; those that need no logits are done at once."""
        new: list[Row] = []
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
            hooks = self._hooks
            try:
                request = row_request(given, self._common)
                hooks = hooks.and_then(request.hooks)
                target = check_request(request)
                with self._lock:  # tokenizers are not safe to use from several threads
                    row = Row(self._loaded, request, target, hooks, index=index, events=self._gives_events)
            except Exception as error:
                self._fail(index, error, hooks)
                continue
            self._tell(row, row.tell())
            row.check_bounds()
            if row.is_done:
                self._finish(row)
                self._over.discard(index)  # it never was in the model
            else:
                new.append(row)
        return new

    def _pass(self, new: list[Row]) -> None:
        """One forward pass: of the new rows' prompts, if there are any, else a step of all rows."""
        rows = new or self._active
        with self._lock, evaluation_mode(self._loaded.model):
            started = perf_counter()
            tokens = [row.pending for row in rows]
            logits = self._forward.add(tokens) if new else self._forward.step(tokens)
            took = (perf_counter() - started) / len(rows)
        if new:
            self._active = [*self._active, *new]
        for row, row_logits in zip(rows, logits, strict=True):
            try:
                row.take(row_logits, took)
            except Exception as error:
                self._over.add(row.index)
                self._fail(row.index, error, row.hooks)
                continue
            self._tell(row, row.tell())
            if row.is_done:
                self._finish(row)
        self._drop()

    def _drop(self) -> None:
        """Take the rows that have ended out of the model."""
        if self._over:
            kept = [i for i, row in enumerate(self._active) if row.index not in self._over]
            self._active = [self._active[i] for i in kept]
            self._forward.keep(kept)
            self._over.clear()

    def _finish(self, row: Row) -> None:
        self._over.add(row.index)
        try:
            result = row.result()
        except Exception as error:  # a validator of the row's type, which may raise anything
            self._fail(row.index, error, row.hooks)
            return
        self._done[row.index] = result
        self._tell(row, row.end())

    def _fail(self, index: int, error: Exception, hooks: Hooks) -> None:
        logger.info("row %d has failed: %s", index, error)
        failure = RowFailure(index, error)
        self._done[index] = failure
        if self._gives_events:
            self._told.append((index, failure))
        hooks.error(error, index)

    def _tell(self, row: Row, events: list[Event]) -> None:
        self._told += [(row.index, event) for event in events]


def row_request(given: Any, common: Request) -> Request:
    """A row as a Request, with what all rows share where it says nothing. Raises ParameterError for a mapping that is none."""
    if isinstance(given, Request):
        return given if given.schema is not None or common.schema is None else replace(given, schema=common.schema)
    if isinstance(given, Mapping):
        unknown = set(given) - set(Request.__dataclass_fields__)
        if unknown or "prompt" not in given:
            wrong = f"has no field {sorted(map(str, unknown))[0]!r}" if unknown else 'needs "prompt"'
            raise ParameterError(f"a row that is a mapping {wrong}")
        return replace(common, **given)
    return replace(common, prompt=given)


def with_progress(results: Iterator[Any], rows: Iterable[Any]) -> Iterator[Any]:
    """The results, with a progress bar on standard error. rows: says how many there are, where it knows."""
    from rich.console import Console
    from rich.progress import Progress

    total = len(rows) if isinstance(rows, Sized) else None
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=total)
        for found in results:
            bar.advance(task)
            yield found
