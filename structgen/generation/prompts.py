"""The prompt of a typed function: its docstring, or what its body returns.

In: a function. Out: whether it has a body, and its docstring as a format string.

A function *without a body* (nothing but a docstring, `...`, `pass` or `raise NotImplementedError`, which mypy calls a trivial body) has its
docstring as the prompt: cleaned of its indentation, then `str.format` with the arguments by name, defaults included. A function *with a
body* is called and returns its prompt; its docstring is documentation then, and may hold any braces. Which of the two a function is
follows from its code alone, so that a wrong prompt is reported where the function is written and not when it is called.

Turned down: the docstring as the prompt whenever the body returns None (a misspelt placeholder would wait for the first call, and a
docstring with braces would be an error although a body makes the prompt); reading the source (there is none in an interpreter session).
"""

from __future__ import annotations

import dis
import inspect
import re
import string
import sys
import types
from collections.abc import Iterator
from typing import Any

from structgen.errors import PromptError

# What stands in a trivial body besides its end; a jump or any other work is a body.
_BOOKKEEPING = frozenset({"RESUME", "NOP", "CACHE", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "POP_TOP"})
_ENDS = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS")


def has_no_body(function: types.FunctionType) -> bool:
    """Whether a function has no body: it returns None, or raises NotImplementedError, and does nothing before that."""
    work = []
    for step in dis.get_instructions(function):
        if step.opname in _BOOKKEEPING:
            continue
        work.append(step)
        if step.opname in _ENDS:
            break
    *before, end = work
    if end.opname == "RETURN_CONST":
        return not before and end.argval is None
    if end.opname == "RETURN_VALUE":
        return [(step.opname, step.argval) for step in before] == [("LOAD_CONST", None)]
    raised, *message = [step for step in before if step.opname not in ("PUSH_NULL", "PRECALL", "CALL")] or [end]
    return (
        (raised.opname, raised.argval) == ("LOAD_GLOBAL", "NotImplementedError")
        and len(message) <= 1
        and all(step.opname == "LOAD_CONST" for step in message)
    )


def template_of(function: types.FunctionType, signature: inspect.Signature) -> str:
    """The docstring as a format string. Raises PromptError for one that no arguments, or not all of them, could fill."""
    name = name_of(function)
    template = inspect.cleandoc(function.__doc__ or "")
    if not template:
        stripped = " (python -OO takes docstrings away)" if sys.flags.optimize >= 2 else ""
        raise PromptError(f"{name} has neither a docstring nor a body: one of them makes the prompt{stripped}")
    names = list(signature.parameters)
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise PromptError(
                f"{name} takes {parameter}, which no placeholder of a docstring can name: give the arguments names, or"
                " return the prompt from a body"
            )
    used = set()
    for place in _placeholders(template, name):
        argument = re.split(r"[.\[]", place, maxsplit=1)[0]
        if argument not in names:
            has = f"it takes {', '.join(names)}" if names else "it takes no arguments"
            raise PromptError(
                f"the prompt of {name} has the placeholder {{{place}}}, but no argument {argument!r}: {has}"
                " (a brace that stands for itself is written twice)"
            )
        used.add(argument)
    is_method = "." in function.__qualname__ and not function.__qualname__.rpartition(".")[0].endswith("<locals>")
    for argument in names[is_method:]:
        if argument not in used:
            raise PromptError(
                f"the prompt of {name} does not use its argument {argument!r}: write {{{argument}}} where it belongs in the docstring"
            )
    return template


def _placeholders(template: str, name: str) -> Iterator[str]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise PromptError(
            f"the docstring of {name} is its prompt and no format string: {error} (a brace that stands for itself is written twice)"
        ) from error
    for _, place, specification, _ in parsed:
        if place is not None:
            yield place
            yield from _placeholders(specification or "", name)


def name_of(function: Any) -> str:
    """The name of a function or class, for errors."""
    return str(getattr(function, "__qualname__", None) or repr(function)[:100])
