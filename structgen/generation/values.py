"""What goes into a generation and what comes out: the target type, checked parameters, the result.

In: whatever the user calls a schema (a dict, JSON text, a Python type) and the plain parameters of `generate`. Out: a `Target` (the
schema for the compiler and the function from JSON text to a value) and, at the end, a frozen `GenerationResult`.

Limits: a value is made from the finished text only; of a text that was broken off there are the finished parts (`PartialValue`). Turned
down: returning the bare value (no room for the text, the tokens and the timings), a subclass of the user's type that carries them (it
breaks `type(value) is Model`), and None as the value of a broken-off text (None is a value of some schemas, and a type checker would have
to be told of it at every call, also where nothing is broken off).
"""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from structgen.errors import IncompleteError, LimitExceeded, StructgenError
from structgen.generation.partial import PartialValue
from structgen.generation.show import FieldSummary, TokenTrace, by_field, fragment, page, print_trace
from structgen.schema.options import JsonOptions
from structgen.syntax.constraints import Constraint

T = TypeVar("T")
FinishReason = Literal["stop", "length", "time", "cancelled"]

DEFAULT_MAX_NEW_TOKENS = 1024
_MAX_TYPES = 256  # JSON Schemas of Python types kept; Pydantic takes a millisecond or more to make one


class ParameterError(StructgenError, ValueError):
    """A parameter of `generate` (a token limit, a temperature, a seed, ...) has a value that it cannot have."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one call went, in seconds.

    compile_s: from the schema to a grammar (near 0 when it was cached); prompt_s: the forward pass over the prompt; forward_s: all later
    forward passes; mask_s: building masks and advancing the matcher; sample_s: drawing tokens and keeping within the limit; total_s: the
    whole call, model loading included. n_forwards: forward passes after the prompt's; tokens that the constraint forces take none.
    """

    compile_s: float
    prompt_s: float
    forward_s: float
    mask_s: float
    sample_s: float
    total_s: float
    n_tokens: int
    n_forwards: int

    @property
    def tokens_per_s(self) -> float:
        """Generated tokens per second of decoding: prompt, forward passes, masks and sampling, without loading and compiling."""
        seconds = self.prompt_s + self.forward_s + self.mask_s + self.sample_s
        return self.n_tokens / seconds if seconds > 0 else 0.0

    @property
    def forward_step_s(self) -> float:
        """Mean of one forward pass after the prompt's."""
        return self.forward_s / self.n_forwards if self.n_forwards else 0.0

    @property
    def mask_step_s(self) -> float:
        """Mean per token of building the mask and advancing the matcher."""
        return self.mask_s / self.n_tokens if self.n_tokens else 0.0

    @property
    def sample_step_s(self) -> float:
        """Mean per token of drawing it."""
        return self.sample_s / self.n_tokens if self.n_tokens else 0.0


@dataclass(frozen=True, slots=True, repr=False)
class GenerationResult(Generic[T]):
    """An output. It is complete and valid, whatever the finish reason, unless `is_partial` says otherwise.

    text: the text (JSON where there is a schema). value: what the schema's Python type makes of it; the parsed JSON for a schema given as
    such; the text itself without a schema.
    token_ids: the generated tokens without the end token; their bytes are the text (after a leading space, where the tokenizer adds one,
    or the bytes of the prompt's last token, where it was healed; with what a stop string cut off, where one was found).
    finish_reason: "stop" = the model ended the text, nothing could follow it, or a stop string came; "length" = the token limit ended it at
    a point where it was complete but might have gone on; "time" = the time limit ended it; "cancelled" = the caller did.
    n_redrawn: tokens that were drawn and refused because no valid output would have fitted the limit after them; above 0 the limit has
    shaped the output, and a higher one may give a better one.
    n_prompt_tokens: length of the prompt after the chat template, without a token that was taken back. timings: see `Timings`.
    trace: what the constraint did to each token, on request (`Request.trace`). stop_string: the stop string that ended the text, which is
    not part of it.
    is_partial: the text was broken off (finish reason "time" or "cancelled") where it was not complete; text without a schema is never
    known to be. partial: the finished parts of a value that was broken off, None for all other outputs.
    closed_fields: JSON Pointers of the values that their own budgets have closed (see `budgets`).
    prefix: the free text before the trigger, where a prefix was asked for; part of the text, not of the value.
    """

    text: str
    _value: T | None
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    n_redrawn: int
    n_prompt_tokens: int
    timings: Timings
    trace: tuple[TokenTrace, ...] = ()
    stop_string: str | None = None
    is_partial: bool = False
    partial: PartialValue | None = None
    closed_fields: tuple[str, ...] = ()
    _is_text: bool = False  # no JSON
    prefix: str = ""

    @property
    def value(self) -> T:
        """The finished value. Raises IncompleteError where there is none because the output was broken off."""
        if self.partial is not None:
            raise IncompleteError(self.finish_reason, self.text)
        return self._value  # type: ignore[return-value]  # it is set wherever `partial` is not

    def with_value(self, value: Any) -> GenerationResult[Any]:
        """The same result with another value made of its text."""
        return replace(self, _value=value)

    def __repr__(self) -> str:
        of = f"partial={self.partial.value!r}" if self.partial is not None else f"value={self._value!r}"
        return (
            f"GenerationResult(text={self.text!r}, {of}, finish_reason={self.finish_reason!r},"
            f" n_tokens={len(self.token_ids)}, n_redrawn={self.n_redrawn})"
        )

    def show(self, file: Any = None) -> None:
        """Print the text with colours for what the constraint did to each token, and a table of the fields (see `show`); needs
        `trace=True`.

        file: where to, None for standard output. Raises ParameterError for a result without a trace.
        """
        print_trace(self._traced(), file, self.fields())

    def to_html(self, title: str = "structgen") -> str:
        """A standalone HTML page of the same. Raises ParameterError for a result without a trace."""
        return page(self._traced(), title, self.fields())

    def fields(self) -> tuple[FieldSummary, ...]:
        """What the constraint did, summed up for each field by its JSON Pointer. Raises ParameterError for a result without a trace."""
        return by_field(self._traced(), is_json=not self._is_text)

    def _repr_html_(self) -> str | None:
        return fragment(self.trace) if self.trace else None

    def _traced(self) -> tuple[TokenTrace, ...]:
        if not self.trace and self.token_ids:
            raise ParameterError("the result has no trace of its tokens: generate it with trace=True")
        return self.trace


@dataclass(frozen=True, slots=True)
class Target:
    """The schema as the compiler takes it, the options in force, the way from JSON text to the value, and a type's TypeAdapter.

    constraint: what is asked for instead of a schema (see `structgen.syntax`); the compiled constraint then reads the value.
    """

    schema: Any
    options: JsonOptions
    validate: Callable[[str], Any]
    adapter: Any = None
    constraint: Constraint | None = None


_types_lock = threading.Lock()
_types: OrderedDict[Any, Any] = OrderedDict()


def read_target(schema: Any, options: JsonOptions | None) -> Target:
    """A dict, a boolean or JSON text is a JSON Schema, a `Constraint` stands for itself; anything else must be a Python type with a schema.

    Objects of Python types are closed (`extra_properties="closed"`) unless the type says otherwise. Raises SchemaError (no schema for the
    type) and ParameterError (options of the wrong type).
    """
    if options is not None and isinstance(schema, Constraint):
        raise ParameterError("options say how a schema is spelled: give them to structgen.json_schema(schema, options)")
    if options is None:
        options = JsonOptions()
    elif not isinstance(options, JsonOptions):
        raise ParameterError(f"options must be a structgen.JsonOptions, not {type(options).__name__}")
    if isinstance(schema, dict | bool | str):
        return Target(schema, options, parse_json)
    if isinstance(schema, Constraint):
        return Target(True, options, str, constraint=schema)
    typed = _typed_schema(schema)
    if typed.closed:
        options = replace(options, extra_properties="closed")
    return Target(typed.schema, options, typed.validate, typed.adapter)


def _typed_schema(tp: Any) -> Any:
    from structgen.schema.types import schema_of

    try:
        with _types_lock:
            known = _types.get(tp)
            if known is not None:
                _types.move_to_end(tp)
                return known
    except TypeError:  # an unhashable annotation (Literal of a list, say): schema_of judges it, nothing is kept
        return schema_of(tp)
    typed = schema_of(tp)
    with _types_lock:
        _types[tp] = typed
        while len(_types) > _MAX_TYPES:
            _types.popitem(last=False)
    return typed


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises LimitExceeded where it is nested more deeply than Python's parser goes."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise LimitExceeded(
            "the output's nesting", "what Python's json can parse", "", "lower max_new_tokens"
        ) from error


def check_parameters(max_new_tokens: object, temperature: object, seed: object, on_text: object) -> None:
    """Raise ParameterError for anything but a limit of None or an int, a finite temperature from 0, an int seed, a callable."""
    if max_new_tokens is not None and (not is_integer(max_new_tokens) or int(max_new_tokens) < 0):  # type: ignore[call-overload]
        raise ParameterError(f"max_new_tokens must be None or an integer of at least 0, not {max_new_tokens!r}")
    if (
        isinstance(temperature, bool)
        or not isinstance(temperature, int | float)
        or not math.isfinite(temperature)
        or temperature < 0
    ):
        raise ParameterError(f"temperature must be a finite number of at least 0, not {temperature!r}")
    if not is_integer(seed):
        raise ParameterError(f"seed must be an integer, not {seed!r}")
    if on_text is not None and not callable(on_text):
        raise ParameterError(f"on_text must be a function of one string, not {on_text!r}")


def is_integer(value: object) -> bool:
    """Whether a value is an integer of any type, booleans excluded."""
    return hasattr(value, "__index__") and not isinstance(value, bool)
