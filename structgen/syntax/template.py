"""Templates: literal text with holes, each hole a constraint; the result says what stands in each of them.

    template("Name: {name}, age {age}", name=str, age=int)        value: {"name": "Ada", "age": 36}

A hole is any constraint, or a Python type: `str` is text in one line up to the first place where the template's next text can stand, an
Enum or a Literal of strings one of its texts without quotes; any other type is written as JSON.
"""

from __future__ import annotations

import enum
import string
import typing
from typing import Any

from structgen.errors import ConstraintError, SchemaError
from structgen.syntax.constraints import (
    Automaton,
    Constraint,
    FreeText,
    InSequence,
    JsonValue,
    Named,
    Text,
    Words,
    constraint,
)


def template(text: str, /, **holes: Any) -> Constraint:
    """Text with holes in braces (`{{` and `}}` are braces). Its value is the dict of the holes' values.

    holes: by name, constraints or types. Raises SchemaError for a text that is no template, holes without a constraint, constraints without
    a hole, a hole that comes twice, and a `str` that nothing separates from the hole after it.
    """
    pieces = _pieces(text)
    names = [name for _, name in pieces if name is not None]
    for name in names:
        if name not in holes:
            raise SchemaError(f"the template's hole {{{name}}} has no constraint: give {name}=...")
        if names.count(name) > 1:
            raise SchemaError(f"the template's hole {{{name}}} comes twice; its value could not be both")
    unused = [name for name in holes if name not in names]
    if unused:
        raise SchemaError(f"the template has no hole {{{unused[0]}}}")
    parts: list[Constraint] = []
    is_taken = False  # the text before a hole, by the hole before it
    for i, (before, hole) in enumerate(pieces):
        if before and not is_taken:
            parts.append(Text(before))
        is_taken = False
        if hole is None:
            continue
        if holes[hole] is str:
            end, following = pieces[i + 1] if i + 1 < len(pieces) else ("", None)
            if not end and following is not None:
                raise SchemaError(f"the text of {{{hole}}} would have no end: put text between it and {{{following}}}")
            is_taken = bool(end)
            parts.append(Named(hole, FreeText((end,) if end else (), end or None, 1, True)))
        else:
            parts.append(_hole(hole, holes[hole]))
    return InSequence(tuple(parts))


def _pieces(text: str) -> list[tuple[str, str | None]]:
    """(text before, name of the hole) of each hole, at last the text behind them all."""
    if not isinstance(text, str):
        raise SchemaError(f"a template is a string, not {type(text).__name__}")
    out: list[tuple[str, str | None]] = []
    before = ""
    try:
        for piece, name, spec, conversion in string.Formatter().parse(text):
            before += piece
            if name is None:
                continue
            if spec or conversion or not name.isidentifier():
                raise SchemaError(f"a hole is a name in braces, without a format: {text!r}")
            out.append((before, name))
            before = ""
    except ValueError as error:
        raise SchemaError(
            f"the template {text!r} cannot be read: {error}; a brace of the text is written twice"
        ) from error
    return [*out, (before, None)] if before or not out else out


def _hole(name: str, what: Any) -> Named:
    if isinstance(what, Constraint | str) or (isinstance(what, Automaton) and not isinstance(what, type)):
        return Named(name, constraint(what))
    texts = _texts_of(what)
    if texts is not None:
        return Named(name, Words(list(texts)), texts.__getitem__)
    if isinstance(what, type) or typing.get_origin(what) is not None or isinstance(what, dict | bool):
        return Named(name, JsonValue(what, None))
    raise ConstraintError(f"the hole {{{name}}} needs a constraint or a type, not {what!r:.80}")


def _texts_of(what: Any) -> dict[str, Any] | None:
    """The values of an Enum or Literal of strings by their text."""
    if isinstance(what, type) and issubclass(what, enum.Enum):
        members = {member.value: member for member in what}
        return members if members and all(isinstance(text, str) for text in members) else None
    if typing.get_origin(what) is typing.Literal:
        values = typing.get_args(what)
        return dict(zip(values, values, strict=True)) if all(isinstance(value, str) for value in values) else None
    return None
