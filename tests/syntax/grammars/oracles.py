"""The outside oracles of the bundled grammars: for each name, whether the language's own reader accepts a text."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Callable


def json_accepts(text: str) -> bool:
    """json.loads, without the NaN and Infinity that it also reads."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


def arithmetic_accepts(text: str) -> bool:
    """An expression of Python made of numbers, names, operators and calls."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    kinds = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant, ast.operator, ast.unaryop, ast.Load)
    return all(isinstance(node, kinds) for node in ast.walk(tree))


def csv_accepts(text: str) -> bool:
    """csv.reader reads it, and no record is empty."""
    try:
        return all(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return False


ORACLES: dict[str, Callable[[str], bool]] = {
    "arithmetic": arithmetic_accepts,
    "csv": csv_accepts,
    "json": json_accepts,
}
