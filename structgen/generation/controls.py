"""What a caller may do to a generation from outside: break it off (a time limit, cancellation) and look on (hooks, a log).

In: the parameters of a request. Out: `Bounds`, which says between two forward passes whether a row is to be broken off; `Hooks`, the
caller's functions; `logger`, which says nothing until a program gives the logger "structgen" a handler.

None of this is there for a row that did not ask for it: a row without bounds pays one comparison for each forward pass.

Turned down: a thread that interrupts the forward pass (no device can be interrupted in the middle of one).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

from structgen.generation.events import FieldComplete
from structgen.generation.show import TokenTrace
from structgen.generation.values import ParameterError, is_integer
from structgen.schema.options import JsonOptions
from structgen.syntax.constraints import Constraint

OnToken = Callable[[TokenTrace, int], object]
OnField = Callable[[FieldComplete, int], object]
OnError = Callable[[Exception, int], object]
BreakReason = Literal["time", "cancelled"]

logging.getLogger("structgen").addHandler(logging.NullHandler())  # a library writes nowhere on its own
logger = logging.getLogger("structgen.generation")


@runtime_checkable
class Cancel(Protocol):
    """What tells a generation to stop: a `threading.Event`, an `asyncio.Event`, a `multiprocessing.Event`, or anything like them."""

    def is_set(self) -> bool:
        """Whether to stop; asked from the thread that generates, before each forward pass."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Functions of the caller, each called with a thing and the number of the row in its batch (0 outside of batches).

    on_token: each token as soon as it is out (`TokenTrace.removed` is known with `trace=True` only); on_field: each finished member of an
    object; on_error: each exception that ends a call or a row, or that a retry answers, before it is raised or becomes the row's result.
    What a hook raises goes to the caller as it is, and ends the call or the whole batch.
    """

    on_token: tuple[OnToken, ...] = ()
    on_field: tuple[OnField, ...] = ()
    on_error: tuple[OnError, ...] = ()

    @classmethod
    def of(cls, on_token: Any = None, on_field: Any = None, on_error: Any = None) -> Hooks:
        """Raises ParameterError for what is no function."""
        found = []
        for name, hook in (("on_token", on_token), ("on_field", on_field), ("on_error", on_error)):
            if hook is not None and not callable(hook):
                raise ParameterError(f"{name} must be a function of two arguments, not {hook!r:.80}")
            found.append(() if hook is None else (hook,))
        return cls(*found)

    def and_then(self, others: Hooks) -> Hooks:
        """These, then others."""
        return Hooks(self.on_token + others.on_token, self.on_field + others.on_field, self.on_error + others.on_error)

    def error(self, error: Exception, row: int = 0) -> None:
        """Tell of an error."""
        for hook in self.on_error:
            hook(error, row)


class Shared(TypedDict, total=False):
    """What every way to generate takes, by name; see `structgen.generate`."""

    max_new_tokens: int | None
    min_tokens: int
    temperature: float
    seed: int
    options: JsonOptions | None
    system: str | None
    heal: bool
    time_limit: float | None
    cancel: Cancel | None
    trace: bool
    on_token: OnToken | None
    on_field: OnField | None
    on_error: OnError | None


class Parameters(Shared, total=False):
    """`Shared`, and what is no matter of one finished JSON value: stop strings of free text, and free text before the value."""

    stop: str | Sequence[str] | None
    prefix: str | Constraint | None


class Bounds:
    """Whether a row has to be broken off."""

    __slots__ = ("_cancel", "_deadline")

    def __init__(self, time_limit: float | None, cancel: Cancel | None, started: float) -> None:
        """started: when the time began to run, by `time.perf_counter`."""
        self._deadline = None if time_limit is None else started + time_limit
        self._cancel = cancel

    def reached(self) -> BreakReason | None:
        """Why to break off now, None to go on."""
        if self._cancel is not None and self._cancel.is_set():
            return "cancelled"
        if self._deadline is not None and perf_counter() >= self._deadline:
            return "time"
        return None


def check_bounds(time_limit: Any, cancel: Any) -> None:
    """Raises ParameterError for a time limit that is no finite number of seconds from 0, and a `cancel` without `is_set`."""
    if time_limit is not None and (
        isinstance(time_limit, bool)
        or not isinstance(time_limit, int | float)
        or not math.isfinite(time_limit)
        or time_limit < 0
    ):
        raise ParameterError(f"time_limit must be None or a finite number of seconds of at least 0, not {time_limit!r}")
    if cancel is not None and (isinstance(cancel, type) or not isinstance(cancel, Cancel)):
        raise ParameterError(f"cancel must have a method is_set, as a threading.Event has, not be {cancel!r:.80}")


def check_least(min_tokens: Any, max_new_tokens: int | None) -> None:
    """Raises ParameterError for a minimum that is no integer from 0, or above the maximum."""
    if not is_integer(min_tokens) or int(min_tokens) < 0:
        raise ParameterError(f"min_tokens must be an integer of at least 0, not {min_tokens!r}")
    if max_new_tokens is not None and int(min_tokens) > int(max_new_tokens):
        raise ParameterError(f"min_tokens ({min_tokens}) is above max_new_tokens ({max_new_tokens})")
