"""Tool calls: Python functions that the model chooses from and fills in, returned as calls that are ready to run.

In: functions with annotations. Out: a type whose values are calls (`{"name": ..., "arguments": {...}}`, one of several functions, or a list
of them), the text that tells the model of the functions, and `ToolCall`s with typed arguments.

The arguments of a function are the fields of a Pydantic model made from its signature, so they are validated and converted as fields are
(dates, enums, nested models, constraints in `Annotated`). What has a default may be left out.

Limits: plain JSON calls. The wrappings of model families (`<tool_call>`, `[TOOL_CALLS]`) need text around the value, which a JSON schema
does not say; functions with `*args`, `**kwargs` or positional-only parameters are refused.
"""

from __future__ import annotations

import functools
import inspect
import operator
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from structgen.errors import PromptError, SchemaError
from structgen.generation.values import ParameterError

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

    def calls(self, *, most: int | None) -> Any:
        """The type of a call, or (most: at least 1) of a list of one to `most` calls."""
        import pydantic

        kinds: list[Any] = []
        for name, arguments in self._arguments.items():
            fields: dict[str, Any] = {"name": (typing.Literal[name], ...), "arguments": (arguments, ...)}
            kinds.append(pydantic.create_model(f"Call_{name}", **fields))
        one: Any = functools.reduce(operator.or_, kinds)
        if most is None:
            return one
        return typing.Annotated[list[one], pydantic.Field(min_length=1, max_length=most)]

    def bound(self, call: Any) -> ToolCall:
        """A validated call as a `ToolCall`."""
        arguments = {name: getattr(call.arguments, name) for name in call.arguments.model_fields_set}
        return ToolCall(call.name, arguments, self._functions[call.name])

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
