"""The schema in the prompt: as JSON Schema, as TypeScript-like types, or as an example.

In: what a user calls a schema (a dict, JSON text, a Python type). Out: text. A constraint makes the output valid whether or not the model
knows the schema; a model that has read it also puts the right things into the right places.

"json-schema" is the schema as it is. "typescript" has a third of its length and is what models have read most of (`typescript`).
"example" is one small valid instance (`examples`).

Limits: a description is for a reader, and says less than the schema: what it leaves out still holds in the output.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any, Literal

from structgen.errors import SchemaError
from structgen.generation.values import ParameterError, read_target
from structgen.schema.options import JsonOptions

How = Literal["json-schema", "typescript", "example"] | None

_INTRODUCTIONS = {
    "json-schema": "Answer with JSON that is valid under this JSON Schema:",
    "typescript": "Answer with JSON of this type:",
    "example": "Answer with JSON of the same form as this example:",
}


def describe(schema: Any, how: How, options: JsonOptions | None = None) -> str:
    """The schema in words for a prompt; "" for None.

    schema: as for `structgen.generate`. how: "json-schema", "typescript" or "example". options: how the schema is read.
    Raises ParameterError for another `how`, SchemaError and its kinds for what is no schema, LimitExceeded.
    """
    check_how(how)
    if how is None:
        return ""
    target = read_target(schema, options)
    try:
        text = target.schema if isinstance(target.schema, str) else json.dumps(target.schema, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"the schema has no JSON text: {error}") from error
    return _rendered(text, how, target.options)


def described(prompt: str | Sequence[dict[str, Any]], schema: Any, how: How, options: JsonOptions | None = None) -> Any:
    """The prompt with the description after it; chat messages get it at the end of the last one if that is the user's, else in one more."""
    check_how(how)
    if how is None or not isinstance(prompt, Sequence) or not prompt:
        return prompt  # what is wrong with a prompt is said where it is used
    addition = f"{_INTRODUCTIONS[how]}\n{describe(schema, how, options)}"
    if isinstance(prompt, str):
        return f"{prompt}\n\n{addition}"
    *before, last = prompt
    if isinstance(last, dict) and last.get("role") == "user" and isinstance(last.get("content"), str):
        return [*before, {**last, "content": f"{last['content']}\n\n{addition}"}]
    return [*prompt, {"role": "user", "content": addition}]


def check_how(how: object) -> None:
    """Raise ParameterError for what is no way to describe a schema."""
    if how is not None and (not isinstance(how, str) or how not in _INTRODUCTIONS):
        names = ", ".join(map(repr, _INTRODUCTIONS))
        raise ParameterError(f"describe must be {names} or None, not {how!r}")


@functools.lru_cache(maxsize=64)
def _rendered(text: str, how: str, options: JsonOptions) -> str:
    if how == "json-schema":
        return text
    if how == "typescript":
        from structgen.generation.typescript import (
            typescript,
        )  # this and the next load numba, which a decorator need not

        return typescript(text, options)
    from structgen.generation.examples import example

    return example(text, options)
