"""The syntax tree of a grammar text: what its reader makes and the later stages take.

Every node knows its place (`position`, a 0-based character index, and `source`, the text it stands in), so that errors found late can
still show a caret.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from structgen.errors import GrammarSyntaxError


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A text that definitions come from. name: a file name, "" for the grammar itself."""

    text: str
    name: str = ""
    folder: str | None = None

    def error(self, reason: str, position: int) -> GrammarSyntaxError:
        """The error at a place of this text, with line and column (both from 1)."""
        position = min(position, len(self.text))
        line = self.text.count("\n", 0, position) + 1
        column = position - (self.text.rfind("\n", 0, position) + 1) + 1
        where = f"{self.name}, " if self.name else ""
        return GrammarSyntaxError(f"{reason} ({where}line {line}, column {column})", self.text, position)


@dataclass(frozen=True, slots=True)
class Place:
    """A character of a source; equal for all purposes of comparing trees."""

    source: Source = field(compare=False, hash=False)
    position: int = field(compare=False, hash=False)

    def error(self, reason: str) -> GrammarSyntaxError:
        return self.source.error(reason, self.position)


@dataclass(frozen=True, slots=True)
class Ref:
    """A rule or a terminal by name."""

    name: str
    is_terminal: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Literal:
    """A string: the text that it stands for. flags: "i" or "". raw: as it is written."""

    text: str
    flags: str
    place: Place
    raw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression of Python's `re`."""

    text: str
    flags: str
    place: Place
    raw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A template with its arguments."""

    name: str
    arguments: tuple[Expr, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A value of a JSON Schema, as its text."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other; none: the empty text."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some options."""

    options: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """least..most copies (most None: no bound). spelling: how Lark's terminals write it: "?", "*", "+", "~", or "[]"."""

    body: Expr
    least: int
    most: int | None
    spelling: str
    place: Place


Expr = Ref | Literal | Pattern | Call | JsonSchema | Sequence | Choice | Repeat


@dataclass(slots=True)
class Definition:
    """A rule or a terminal. body None: only declared. priority: 0 unless given."""

    name: str
    is_terminal: bool
    body: Expr | None
    place: Place
    parameters: tuple[str, ...] = ()
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """`%import path.name` and its forms. path: of the module; names: (name there, name here); is_relative: it began with a dot."""

    path: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    is_relative: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a grammar text. kind: "define", "override", "extend", "ignore", "declare", "import"."""

    kind: str
    place: Place
    definition: Definition | None = None
    ignored: Expr | None = None
    declared: tuple[Ref, ...] = ()
    imported: Import | None = None
