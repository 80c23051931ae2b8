"""Tool calls: Python functions that the model chooses from and fills in, returned as calls that are ready to run.

In: functions with annotations. Out: a type whose values are calls (`{"name": ..., "arguments": {...}}`, one of several functions, or a list
of them), the text that tells the model of the functions, and `ToolCall`s with typed arguments.

The arguments of a function are the fields of a Pydantic model made from its signature, so they are validated and converted as fields are
(dates, enums, nested models, constraints in `Annotated`). What has a default may be left out.

Calls are written in the way of the model's family (`FORMATS`), which the constraint enforces, so that they are read by its automata:

    "json"      {"name": ..., "arguments": {...}}, or a list of such
    "hermes"    <tool_call>\\n{"name": ..., "arguments": {...}}\\n</tool_call>, as often as there are calls (Hermes, Qwen)
    "llama3"    {"name": ..., "parameters": {...}}, further ones after "; ", <|python_tag|> may come first (Llama 3.1 and later)
    "mistral"   [TOOL_CALLS][{"name": ..., "arguments": {...}}, ...] (Mistral, up to version 11 of its tokenizer)

Limits: functions with `*args`, `**kwargs` or positional-only parameters are refused.
"""

from __future__ import annotations

import functools
import inspect
import operator
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from structgen.errors import PromptError, SchemaError
from structgen.generation.values import ParameterError
from structgen.schema.options import JsonOptions
from structgen.syntax.constraints import Constraint, JsonValue, Late, Named, OneOf, Pattern, SpecialToken, constraint
from structgen.syntax.tags import TagValue, marker, structural_tags, tag

Format = Literal["json", "hermes", "llama3", "mistral"]
FORMATS: tuple[Format, ...] = ("json", "hermes", "llama3", "mistral")
_NO_JSON = r"(?:[^\s{\[][\s\S]*)?"  # an answer in words
_CALLS = operator.itemgetter("calls")
_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model wrote. name: of the function; arguments: by name, typed, those that were left out not among them."""

    name: str
    arguments: dict[str, Any]
    function: Callable[..., Any]

    def run(self) -> Any:
        """Call the function with the arguments; returns what it returns (an awaitable for an `async def`)."""
        return self.function(**self.arguments)


class ToolCalls(list[ToolCall]):
    """The calls that the model wrote, in order. text: what it wrote besides; prefix: the free text before the trigger, where one was asked
    for."""

    def __init__(self, calls: Iterable[ToolCall], text: str = "", prefix: str = "") -> None:
        super().__init__(calls)
        self.text, self.prefix = text, prefix

    def run(self) -> list[Any]:
        """Run all calls, in order; returns what they return."""
        return [call.run() for call in self]


def check_format(form: object) -> Format:
    """Raise ParameterError for a format that there is not."""
    if form not in FORMATS:
        raise ParameterError(f"format must be one of {', '.join(map(repr, FORMATS))}, not {form!r}")
    return form


def _llama_calls(call: Constraint, most: int, has_tag: bool) -> Constraint:
    calls = call.repeated(1, most, separator="; ")
    return Named("", SpecialToken("<|python_tag|>").optional() + calls.named("calls"), _CALLS) if has_tag else calls


class Toolbox:
    """Functions to choose from. Raises ParameterError and SchemaError for what cannot be called with JSON arguments."""

    def __init__(self, tools: Sequence[Callable[..., Any]]) -> None:
        if not isinstance(tools, list | tuple) or not tools:
            raise ParameterError("tools must be a list of at least one function")
        self._functions: dict[str, Callable[..., Any]] = {}
        self._arguments: dict[str, Any] = {}
        for tool in tools:
            name = getattr(tool, "__name__", None)
            if not callable(tool) or not isinstance(name, str) or inspect.isclass(tool):
                raise ParameterError(f"a tool is a function, not {tool!r:.80}")
            if name in self._functions:
                raise ParameterError(f"two tools are called {name!r}: the model could not tell them apart")
            self._functions[name], self._arguments[name] = tool, _arguments_model(tool, name)

    def calls(self, *, most: int | None, key: str = "arguments") -> Any:
        """The type of a call, or (most: at least 1) of a list of one to `most` calls. key: the name of the arguments' member."""
        import pydantic

        kinds: list[Any] = []
        field = ... if key == "arguments" else pydantic.Field(alias=key)
        for name, arguments in self._arguments.items():
            fields: dict[str, Any] = {"name": (typing.Literal[name], ...), "arguments": (arguments, field)}
            kinds.append(pydantic.create_model(f"Call_{name}", **fields))
        one: Any = functools.reduce(operator.or_, kinds)
        if most is None:
            return one
        return typing.Annotated[list[one], pydantic.Field(min_length=1, max_length=most)]

    def bound(self, call: Any) -> ToolCall:
        """A validated call as a `ToolCall`."""
        arguments = {name: getattr(call.arguments, name) for name in call.arguments.model_fields_set}
        return ToolCall(call.name, arguments, self._functions[call.name])

    def constraint(
        self, form: Format, *, most: int | None, is_required: bool, options: JsonOptions | None = None
    ) -> Constraint:
        """What the model may write: from one call to `most` (None: one), after free text or without it; its value is a list of `str` (free
        text) and validated calls.

        is_required: at least one call must come, and for formats without a mark of their own ("json", "llama3") nothing but calls; else
        the model may answer in text only. options: how the JSON of the calls is spelled.
        """
        count = 1 if most is None else most
        if form == "hermes":
            call = JsonValue(self.calls(most=None), options)
            one = tag(marker("<tool_call>") + "\n", call, constraint("\n") + marker("</tool_call>"))
            return structural_tags([one], least=int(is_required), most=count)
        if form == "mistral":
            calls = tag(marker("[TOOL_CALLS]"), JsonValue(self.calls(most=count), options))
            return structural_tags([calls], least=int(is_required), most=1)
        if form == "llama3":
            call = JsonValue(self.calls(most=None, key="parameters"), options)
            calls_alone = Late(
                lambda vocabulary: _llama_calls(call, count, "<|python_tag|>" in vocabulary.special_tokens)
            )
            return calls_alone if is_required else OneOf((calls_alone, Pattern(_NO_JSON, 0, "python")))
        alone: Constraint = JsonValue(self.calls(most=most), options)
        return alone if is_required else OneOf((alone, Pattern(_NO_JSON, 0, "python")))

    def shown(self) -> list[dict[str, Any]]:
        """The functions as chat templates take them. Raises SchemaError for arguments that have no schema."""
        from structgen.schema.types import schema_of

        out = []
        for name, function in self._functions.items():
            parameters = {
                key: value for key, value in schema_of(self._arguments[name]).schema.items() if key != "title"
            }
            about = inspect.getdoc(function) or ""
            out.append({"type": "function", "function": {"name": name, "description": about, "parameters": parameters}})
        return out

    def read(self, value: Any) -> ToolCalls:
        """The value of `constraint` as calls."""
        calls, text = [], []
        for piece in value if isinstance(value, list) else [value]:
            found = piece.value if isinstance(piece, TagValue) else piece
            if isinstance(found, str):
                text.append(found)
            else:
                calls += [self.bound(call) for call in (found if isinstance(found, list) else [found])]
        return ToolCalls(calls, "".join(text))

    def described(self, prompt: Any) -> Any:
        """The prompt, text or messages, with what the functions are for in front of the last request."""
        lines = ["Functions:"]
        for name, function in self._functions.items():
            signature = ", ".join(self._arguments[name].model_fields)
            about = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
            lines.append(f"{name}({signature}){': ' + about if about else ''}")
        text = "\n".join(lines)
        if isinstance(prompt, str):
            return f"{text}\n{prompt}"
        if not isinstance(prompt, Sequence) or not prompt or not isinstance(prompt[-1], dict):
            raise PromptError(f"the prompt must be a string or a list of messages, not {type(prompt).__name__}")
        *earlier, last = prompt
        return [*earlier, {**last, "content": f"{text}\n{last.get('content', '')}"}]


def _arguments_model(function: Callable[..., Any], name: str) -> Any:
    import pydantic

    try:
        signature = inspect.signature(function)
        hints = typing.get_type_hints(function, include_extras=True)
    except (TypeError, ValueError, NameError) as error:
        raise SchemaError(f"the signature of the tool {name!r} cannot be read: {error}") from error
    fields: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.kind not in _KINDS:
            raise ParameterError(f"the tool {name!r} has {parameter}: arguments are given by name, one by one")
        if parameter.name not in hints:
            raise SchemaError(f"the argument {parameter.name!r} of the tool {name!r} has no annotation")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    try:
        return pydantic.create_model(f"{name}_arguments", **fields)
    except (NameError, TypeError, pydantic.errors.PydanticUserError) as error:
        raise SchemaError(f"the arguments of the tool {name!r} have no schema: {error}") from error
