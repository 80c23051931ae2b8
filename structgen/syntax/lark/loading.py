"""From statements to a grammar's definitions: imports, `%override` and `%extend`, declared names, templates, and what is left to ignore.

In: a grammar text. Out: a `GrammarDefinitions` in which every name that is used is defined. Names that an import brings along keep the
import's path before them, as in Lark (`common__INT`), so that they meet no name of the grammar.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from pathlib import Path

from structgen.errors import LimitExceeded
from structgen.syntax.lark.common import LENGTHS, MODULES
from structgen.syntax.lark.gbnf import is_gbnf, read_gbnf
from structgen.syntax.lark.reader import read_grammar
from structgen.syntax.lark.tree import (
    Call,
    Choice,
    Definition,
    Expr,
    Import,
    Place,
    Ref,
    Repeat,
    Sequence,
    Source,
    Statement,
)

_MAX_IMPORTS = 30
MAX_TEMPLATES = 10_000


class GrammarWarning(UserWarning):
    """Something in a grammar that is legal and probably not meant, such as a rule that nothing uses."""


@dataclass(slots=True)
class GrammarDefinitions:
    """ignored: names of terminals; lengths: of terminals of the library, see common.py; own: the names that the text itself defines."""

    source: Source
    definitions: dict[str, Definition] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    lengths: dict[str, int] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)


def load_grammar(text: str, folder: str | None = None) -> GrammarDefinitions:
    """The definitions of a grammar. folder: where relative imports are looked for (None: the current folder)."""
    source = Source(text, "", folder)
    loaded = _Loader(source, None, 0).load()
    _check_names(loaded)
    return loaded


class _Loader:
    def __init__(self, source: Source, rename: Callable[[str], str] | None, depth: int) -> None:
        self.source, self.rename, self.depth = source, rename, depth
        self.out = GrammarDefinitions(source)

    def load(self) -> GrammarDefinitions:
        statements = read_gbnf(self.source) if is_gbnf(self.source.text) else read_grammar(self.source)
        # imports first, those of one grammar together: they bring its terminals once
        imports: dict[tuple[tuple[str, ...], bool], dict[str, str]] = {}
        places: dict[tuple[tuple[str, ...], bool], Import] = {}
        for statement in statements:
            if statement.imported is not None:
                key = statement.imported.path, statement.imported.is_relative
                imports.setdefault(key, {}).update(dict(statement.imported.names))
                places.setdefault(key, statement.imported)
        for key, names in imports.items():
            self.bring(places[key], names)
        for statement in statements:
            self.take(statement)
        return self.out

    def name(self, name: str) -> str:
        return name if self.rename is None else self.rename(name)

    def take(self, statement: Statement) -> None:
        if statement.kind == "ignore":
            if self.rename is None and statement.ignored is not None:
                self.ignore(statement.ignored, statement.place)
        elif statement.kind == "declare":
            for ref in statement.declared:
                self.define(Definition(ref.name, ref.is_terminal, None, ref.place), "define")
        elif statement.definition is not None:
            self.define(statement.definition, statement.kind)

    def define(self, definition: Definition, kind: str) -> None:
        name = self.name(definition.name)
        body = definition.body
        if self.rename is not None:
            keep = set(definition.parameters)
            body = None if body is None else map_refs(body, lambda n: n if n in keep else self.name(n))
        definition = Definition(
            name, definition.is_terminal, body, definition.place, definition.parameters, definition.priority
        )
        known = self.out.definitions.get(name)
        what = "terminal" if definition.is_terminal else "rule"
        if kind == "define":
            if known is not None:
                raise definition.place.error(
                    f"the {what} {name} is defined a second time; %override replaces, %extend adds"
                )
        elif known is None:
            raise definition.place.error(f"there is no {what} {name} to %{kind}")
        if kind == "extend" and known is not None:
            if known.body is None:
                raise definition.place.error(f"the {what} {name} is only declared: there is nothing to extend")
            if known.parameters != definition.parameters:
                raise definition.place.error(f"the {what} {name} has other parameters")
            added = definition.body if definition.body is not None else Sequence(())
            known.body = Choice((added, *_options(known.body)))
            return
        self.out.definitions[name] = definition
        if self.rename is None:
            self.out.own.add(name)

    def ignore(self, tree: Expr, place: Place) -> None:
        if isinstance(tree, Ref) and tree.is_terminal:
            self.out.ignored.append(tree.name)
            return
        name = f"__IGNORE_{len(self.out.ignored)}"
        self.out.ignored.append(name)
        self.out.definitions[name] = Definition(name, True, tree, place)

    def bring(self, wanted: Import, names: dict[str, str]) -> None:
        path = wanted.path
        prefix = "__".join(path)

        def renamed(name: str) -> str:
            if name in names:
                name = names[name]
            else:
                name = f"_{prefix}__{name[1:]}" if name.startswith("_") else f"{prefix}__{name}"
            return self.name(name)

        if self.depth >= _MAX_IMPORTS:
            raise LimitExceeded(self.depth + 1, _MAX_IMPORTS, hint="grammars import each other too deeply")
        source = self.find(wanted)
        other = _Loader(source, renamed, self.depth + 1).load()
        for name in names:
            if renamed(name) not in other.definitions:
                raise wanted.place.error(f"{'.'.join(path)} defines no {name}")
        used = _reachable(other.definitions, [renamed(name) for name in names])
        for name in used:
            if name in self.out.definitions:
                raise wanted.place.error(
                    f"{name} is defined already, so that it cannot be imported from {'.'.join(path)}"
                )
            self.out.definitions[name] = other.definitions[name]
        if not wanted.is_relative and path in MODULES:
            self.out.lengths.update({renamed(name): n for (module, name), n in LENGTHS.items() if module == path})
        self.out.lengths.update(other.lengths)

    def find(self, wanted: Import) -> Source:
        if not wanted.is_relative and wanted.path in MODULES:
            return Source(MODULES[wanted.path], ".".join(wanted.path), None)
        path = Path(self.source.folder or ".").joinpath(*wanted.path).with_suffix(".lark")
        if not wanted.is_relative and not path.is_file():
            known = ", ".join(".".join(module) for module in MODULES)
            raise wanted.place.error(
                f"no grammar {'.'.join(wanted.path)}: neither one of the library ({known}) nor a file {path}"
            )
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise wanted.place.error(f"the grammar {path} cannot be read: {error}") from error
        return Source(text, str(path), str(path.parent))


def _options(tree: Expr) -> tuple[Expr, ...]:
    return tree.options if isinstance(tree, Choice) else (tree,)


def children(tree: Expr) -> Seq[Expr]:
    """The parts of a tree."""
    if isinstance(tree, Sequence):
        return tree.items
    if isinstance(tree, Choice):
        return tree.options
    if isinstance(tree, Repeat):
        return (tree.body,)
    return tree.arguments if isinstance(tree, Call) else ()


def walk(tree: Expr) -> Iterator[Expr]:
    """A tree and all its parts."""
    work = [tree]
    while work:
        one = work.pop()
        yield one
        work.extend(reversed(children(one)))


def rebuilt(tree: Expr, parts: Seq[Expr]) -> Expr:
    """A tree with other parts."""
    if isinstance(tree, Sequence):
        return Sequence(tuple(parts))
    if isinstance(tree, Choice):
        return Choice(tuple(parts))
    if isinstance(tree, Repeat):
        return Repeat(parts[0], tree.least, tree.most, tree.spelling, tree.place)
    if isinstance(tree, Call):
        return Call(tree.name, tuple(parts), tree.place)
    return tree


def map_refs(tree: Expr, change: Callable[[str], str]) -> Expr:
    """A tree with other names."""
    if isinstance(tree, Ref):
        return Ref(change(tree.name), tree.is_terminal, tree.place)
    new = rebuilt(tree, [map_refs(part, change) for part in children(tree)])
    return Call(change(new.name), new.arguments, new.place) if isinstance(new, Call) else new


def substitute(tree: Expr, arguments: dict[str, Expr]) -> Expr:
    """A template's body with its arguments."""
    if isinstance(tree, Ref):
        return arguments.get(tree.name, tree)
    new = rebuilt(tree, [substitute(part, arguments) for part in children(tree)])
    if isinstance(new, Call) and new.name in arguments:
        called = arguments[new.name]
        if not isinstance(called, Ref):
            raise new.place.error(f"the parameter {new.name} is used as a template, but what is given for it is none")
        return Call(called.name, new.arguments, new.place)
    return new


def _used(definition: Definition) -> Iterator[Ref | Call]:
    if definition.body is not None:
        for part in walk(definition.body):
            if isinstance(part, (Ref, Call)):
                yield part


def _reachable(definitions: dict[str, Definition], names: Seq[str]) -> list[str]:
    found: dict[str, None] = {}
    work = list(reversed(names))
    while work:
        name = work.pop()
        if name in definitions and name not in found:
            found[name] = None
            work += [part.name for part in _used(definitions[name])]
    return list(found)


def _check_names(loaded: GrammarDefinitions) -> None:
    """Raise GrammarSyntaxError for names that nothing defines and for templates with the wrong number of arguments."""
    definitions = loaded.definitions
    for definition in definitions.values():
        for parameter in definition.parameters:
            if parameter in definitions:
                raise definition.place.error(f"the parameter {parameter} has the name of a rule")
        for part in _used(definition):
            if part.name in definition.parameters:
                continue
            known = definitions.get(part.name)
            if known is None:
                what = "terminal" if part.name.isupper() else "template" if isinstance(part, Call) else "rule"
                raise part.place.error(f"the {what} {part.name} is not defined")
            given = len(part.arguments) if isinstance(part, Call) else 0
            if given != len(known.parameters):
                raise part.place.error(f"{part.name} takes {len(known.parameters)} arguments, not {given}")
    for name in loaded.ignored:
        if name not in definitions:
            raise loaded.source.error(f"the terminal {name}, which is to be ignored, is not defined", 0)


def warn_of_unused(loaded: GrammarDefinitions, start: str) -> None:
    """Warn of the rules and terminals of the text itself that the start rule does not lead to."""
    used = set(_reachable(loaded.definitions, [start, *loaded.ignored]))
    for name in sorted(loaded.own - used):
        definition = loaded.definitions[name]
        what = "terminal" if definition.is_terminal else "rule"
        line = definition.place.source.text.count("\n", 0, definition.place.position) + 1
        warnings.warn(f"the {what} {name} (line {line}) is never used", GrammarWarning, stacklevel=4)
