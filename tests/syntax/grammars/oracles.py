"""The oracles of the bundled grammars: for each name, whether a reader of the whole language accepts a text.

Where Python has a reader, or a package that structgen needs anyway, it is that one; the others are written here, in *_reference.py.
"""

from __future__ import annotations

import ast
import csv
import functools
import io
import json
import re
import sqlite3
import tomllib
import warnings
from collections.abc import Callable
from datetime import datetime
from xml.etree import ElementTree

import yaml
from markdown_it import MarkdownIt

from tests.syntax.grammars import gbnf_reference, html_reference, json5_reference, smiles_reference


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
    kinds = (
        ast.Expression,
        ast.BinOp,
        ast.UnaryOp,
        ast.Call,
        ast.Name,
        ast.Constant,
        ast.operator,
        ast.unaryop,
        ast.Load,
    )
    return all(isinstance(node, kinds) for node in ast.walk(tree))


def csv_accepts(text: str) -> bool:
    """csv.reader reads it, and no record is empty."""
    try:
        return all(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return False


def iso_date_accepts(text: str) -> bool:
    """datetime.fromisoformat reads it, and it is in the extended format (fromisoformat also takes any character between date and time)."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "-" in text[4:5] and text[10:11] in ("", "T", " ")


def markdown_table_accepts(text: str) -> bool:
    """GitHub's dialect makes one table of it, with a cell of the text for each cell of the table, and nothing else."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = [line for line in text.split("\n") if line]
    cells = sum(token.type in ("th_open", "td_open") for token in tokens)
    columns = sum(token.type == "th_open" for token in tokens)
    bars = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    return (
        [token.type for token in tokens if token.level == 0] == ["table_open", "table_close"]
        and all(row.startswith("|") and row.endswith("|") for row in rows)
        and cells == columns * (len(rows) - 1)
        and set(bars) == {columns + 1}
    )


def python_accepts(text: str) -> bool:
    """ast.parse takes it: places of return and break, and names of parameters, are checked by the compiler behind it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as "is" with a literal
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True


def regex_accepts(text: str) -> bool:
    """re.compile takes it without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(text)
        except (re.error, Warning, OverflowError):
            return False
    return True


def toml_accepts(text: str) -> bool:
    """tomllib reads it."""
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True


def xml_accepts(text: str) -> bool:
    """ElementTree reads it."""
    try:
        ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return False
    return True


@functools.cache
def database() -> sqlite3.Connection:
    """The schema that the head comment of `sql` documents, with a few rows."""
    made = sqlite3.connect(":memory:")
    made.executescript("""
        CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
        CREATE TABLE orders (number INTEGER PRIMARY KEY, buyer INTEGER, price REAL);
        INSERT INTO people VALUES (1, 'Ada', 36), (2, 'Grace', 85), (3, NULL, NULL);
        INSERT INTO orders VALUES (10, 1, 9.5), (11, 1, 20), (12, 2, NULL);
    """)
    return made


def sql_accepts(text: str) -> bool:
    """sqlite3 compiles it as one statement, and runs it."""
    try:
        database().execute("EXPLAIN " + text)
        database().execute(text).fetchall()
    except (sqlite3.Error, sqlite3.Warning, ValueError):
        return False
    return True


def yaml_accepts(text: str) -> bool:
    """PyYAML loads it, and no mapping has two keys of one spelling (the specification forbids it, PyYAML does not)."""
    try:
        nodes = [yaml.compose(text, yaml.SafeLoader)]
        yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return False
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            if len(set(keys)) < len(keys):
                return False
            nodes += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value
    return True


ORACLES: dict[str, Callable[[str], bool]] = {
    "arithmetic": arithmetic_accepts,
    "csv": csv_accepts,
    "gbnf": gbnf_reference.accepts,
    "html": html_reference.accepts,
    "iso_date": iso_date_accepts,
    "json": json_accepts,
    "json5": json5_reference.accepts,
    "markdown_table": markdown_table_accepts,
    "python": python_accepts,
    "regex": regex_accepts,
    "smiles": smiles_reference.accepts,
    "sql": sql_accepts,
    "toml": toml_accepts,
    "xml": xml_accepts,
    "yaml": yaml_accepts,
}
