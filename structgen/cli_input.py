"""What the command line reads: a schema, a Python type, a prompt.

In: the words of the command. Out: what `structgen.generate` and `Compiler.compile_json_schema` take. Everything that is wrong with
the words themselves raises `InputError` (exit code 2) with one readable line, or three where a caret helps.

Limits: a schema file is read whole, and is UTF-8 (a byte-order mark is taken off). The JSON text is handed on as text, so that
limits on its size and depth hold in one place, the compiler; here it is only parsed to point at a syntax error, which `json` does in C.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from structgen.errors import StructgenError


class InputError(StructgenError):
    """The command's words or files cannot be used."""


def read_schema(schema: str | None, type_name: str | None) -> Any:
    """A JSON text, or the Python type that `type_name` (`module:Model`) names. Exactly one of the two must be given.

    schema: a file's path, `-` for standard input, or the schema itself if it starts like JSON (`{`, `true` or `false`).
    """
    if (schema is None) == (type_name is None):
        raise InputError(
            "give either --schema or --pydantic" if schema is None else "--schema and --pydantic exclude each other"
        )
    if type_name is not None:
        return import_type(type_name)
    text, source = _schema_text(str(schema))
    _check_json(text, source)
    return text


def _schema_text(schema: str) -> tuple[str, str]:
    """(text, what to call it in messages)."""
    stripped = schema.strip()
    if stripped.startswith("{") or stripped in ("true", "false"):
        return schema, "the schema"
    if schema == "-":
        return _decode(sys.stdin.buffer.read(), "standard input"), "standard input"
    return _decode(read_file(schema), schema), schema


def read_file(path: str) -> bytes:
    """The file's bytes; InputError says why it cannot be read."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"cannot read {path}: {reason}") from error


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from error


def _check_json(text: str, source: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{source} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})\n{_caret(text, error.pos)}"
        ) from error
    except RecursionError:
        return  # too deep for `json`: the compiler has the limit and the message


def _caret(text: str, position: int) -> str:
    """The line of the position, cut to a readable width, and a caret below it."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)].replace("\t", " ")
    column = position - start
    first = max(0, column - 60)
    return f"  {line[first : first + 120]}\n  {' ' * (column - first)}^"


def import_type(name: str) -> Any:
    """The object that `module:Model` (or `module:Outer.Inner`) names; the current directory is searched last.

    Last, because a folder there could hide an installed package of the same name.
    """
    module_name, colon, path = name.partition(":")
    if not colon or not module_name or not path:
        raise InputError(f"--pydantic takes module:Model, not {name!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise InputError(f"no module {error.name!r} to take {path} from") from error
        raise InputError(f"cannot import {module_name}: {error}") from error
    except Exception as error:  # any code may run when a user's module is imported, and its error is the user's to see
        raise InputError(f"cannot import {module_name}: {type(error).__name__}: {error}") from error
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise InputError(f"module {module_name} has no {path}") from error
    return found


def read_prompt(prompt: str | None) -> str:
    """The argument, or standard input when there is none (a final newline is taken off)."""
    if prompt is not None:
        return prompt
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("give a prompt: as an argument, or on standard input")
    text = _decode(sys.stdin.buffer.read(), "standard input")
    return text.removesuffix("\n").removesuffix("\r")
