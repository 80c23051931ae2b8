"""The algebra of constraints: small descriptions that are put together with operators and compiled for a vocabulary later.

    name = regex(r"[A-Z][a-z]+")
    line = "Name: " + name + " is " + (literal("well") | "ill") + json_schema({"type": "integer"}).repeated(1, 3, separator=", ")
    compiler.compile(line).matcher()

    a + b       one after the other            a | b               one of the two
    a & b       texts that both accept         a.repeated(1, 3)    copies one after the other

Strings stand for themselves. Constraints are immutable and know no vocabulary; `Compiler.compile` makes automata of them. After a text is
finished, `CompiledGrammar.value` reads it by the same automata: what `named` parts, schemas and groups of patterns say is its value.

A user's own constraint is any object with the three functions of `Automaton`; `constraint` takes it where a constraint is expected.

Where a text can be read in several ways, reading takes the first alternative that fits, and of what comes first the longest that fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from typing import Literal as Only

from structgen.errors import ConstraintError, SchemaError, UnsatisfiableError
from structgen.lexemes.regex_syntax import Node, parse_regex

if TYPE_CHECKING:
    from structgen.machine.program import Program
    from structgen.vocabulary import Vocabulary

Dialect = Only["python", "ecma"]


@runtime_checkable
class Automaton(Protocol):
    """A constraint of the user's own, in Python: states are hashable and are not changed, equal states have equal futures.

    It is followed through all its states when it is compiled, so there must be finitely many (`Limits.max_dfa_states`); a few thousand
    take a second.
    """

    def start(self) -> Hashable:
        """The state before the text."""

    def advance(self, state: Any, byte: int) -> Hashable | None:
        """The state after one more byte of the UTF-8 text, None where that is not allowed."""

    def is_accepting(self, state: Any) -> bool:
        """Whether the text may end here."""


class Rules(Protocol):
    """A front-end that is bound to one program: what `Extension.bind` gives."""

    def root(self, program: Program) -> tuple[int, bool]:
        """Make the node that everything begins with, and say whether its text may also be empty."""

    def compile_node(self, program: Program, node: int) -> None: ...
    def describe(self, program: Program, q: int, k: int) -> str: ...


class Constraint:
    """Base of all constraints; carries the operators. Made by the functions of this module."""

    __slots__ = ()

    def __add__(self, other: Any) -> Constraint:
        return InSequence((*_parts(self, InSequence), *_parts(constraint(other), InSequence)))

    def __radd__(self, other: Any) -> Constraint:
        return InSequence((*_parts(constraint(other), InSequence), *_parts(self, InSequence)))

    def __or__(self, other: Any) -> Constraint:
        return OneOf((*_parts(self, OneOf), *_parts(constraint(other), OneOf)))

    def __ror__(self, other: Any) -> Constraint:
        return OneOf((*_parts(constraint(other), OneOf), *_parts(self, OneOf)))

    def __and__(self, other: Any) -> Constraint:
        return Both(self, constraint(other))

    def __rand__(self, other: Any) -> Constraint:
        return Both(constraint(other), self)

    def repeated(self, least: int = 0, most: int | None = None, *, separator: Any = None) -> Constraint:
        """From `least` to `most` copies (None: any number), with a separator between them. Its value is the list of theirs.

        Raises SchemaError for bounds that are no counts.
        """
        Repeated.check(least, most)
        return Repeated(self, least, most, None if separator is None else constraint(separator))

    def optional(self) -> Constraint:
        """This, or nothing."""
        return Repeated(self, 0, 1, None, is_list=False)

    def named(self, name: str) -> Constraint:
        """The same constraint; its value becomes an entry of the dict that is the value of the whole. Raises SchemaError for no name."""
        if not isinstance(name, str) or not name:
            raise SchemaError(f"a name is a string, not {name!r}")
        return Named(name, self)


class Text(Constraint):
    """A fixed text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise SchemaError(f"a literal is a string, not {type(text).__name__}")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise SchemaError(f"a literal holds a lone surrogate: {text!r}") from error
        self.text = text


class SpecialToken(Constraint):
    """One special token of the vocabulary, by name or id."""

    __slots__ = ("token",)

    def __init__(self, token: str | int) -> None:
        if isinstance(token, bool) or not isinstance(token, str | int):
            raise SchemaError(f"a special token is given by its name or id, not {token!r}")
        self.token = token


class Pattern(Constraint):
    """Text that a pattern matches as a whole. groups: the names of its groups."""

    __slots__ = ("dialect", "flags", "groups", "pattern", "reader")

    def __init__(self, pattern: str, flags: int, dialect: Dialect) -> None:
        if not isinstance(pattern, str):
            raise SchemaError(f"a pattern is a string, not {type(pattern).__name__}")
        if dialect not in ("python", "ecma"):
            raise SchemaError(f'a dialect is "python" or "ecma", not {dialect!r}')
        parse_regex(pattern, dialect, int(flags))
        self.pattern, self.flags, self.dialect = pattern, int(flags), dialect
        self.reader = group_reader(pattern, int(flags), dialect)
        self.groups: tuple[str, ...] = () if self.reader is None else tuple(self.reader.groupindex)


class Tree(Constraint):
    """Text that the syntax tree of a pattern matches: a piece of a pattern."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node


class Words(Constraint):
    """One of some texts."""

    __slots__ = ("texts",)

    def __init__(self, texts: Sequence[str]) -> None:
        if isinstance(texts, str | bytes) or not all(isinstance(text, str) for text in texts):
            raise SchemaError("a choice is a list of strings")
        if not texts:
            raise UnsatisfiableError("a choice of nothing")
        try:
            self.texts = tuple(sorted(set(texts), key=str.encode))
        except UnicodeEncodeError as error:
            raise SchemaError(f"a choice holds a lone surrogate: {error.object!r}") from error


class FreeText(Constraint):
    """Any text without line breaks (or with) that ends with the first occurrence of a trigger; without triggers it ends anywhere.

    triggers: texts that do not occur but for the end. ends: the one of them that stands at the end, None for none of them.
    least: characters that stand at least before the end.
    """

    __slots__ = ("ends", "least", "one_line", "triggers")

    def __init__(self, triggers: tuple[str, ...], ends: str | None, least: int, one_line: bool) -> None:
        self.triggers, self.ends, self.least, self.one_line = triggers, ends, least, one_line


class JsonValue(Constraint):
    """A JSON value. target: a JSON Schema or a Python type; options: a JsonOptions, or None."""

    __slots__ = ("options", "target")

    def __init__(self, target: Any, options: Any) -> None:
        self.target, self.options = target, options


class InSequence(Constraint):
    """Parts one after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Constraint, ...]) -> None:
        self.parts = parts


class OneOf(Constraint):
    """One of several constraints, the first that fits."""

    __slots__ = ("options",)

    def __init__(self, options: tuple[Constraint, ...]) -> None:
        self.options = options


class Both(Constraint):
    """What both accept; its value is the left one's."""

    __slots__ = ("left", "right")

    def __init__(self, left: Constraint, right: Constraint) -> None:
        self.left, self.right = left, right


class Repeated(Constraint):
    """Copies of a constraint. is_list: its value is a list, else that of the copy or None."""

    __slots__ = ("body", "is_list", "least", "most", "separator")

    def __init__(
        self, body: Constraint, least: int, most: int | None, separator: Constraint | None, *, is_list: bool = True
    ) -> None:
        self.body, self.least, self.most, self.separator, self.is_list = body, least, most, separator, is_list

    @staticmethod
    def check(least: object, most: object) -> None:
        """Raise SchemaError for bounds that are no counts, UnsatisfiableError where none lies between them."""
        for bound in (least, 0 if most is None else most):
            if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0:
                raise SchemaError(f"a repetition has bounds from 0, not {bound!r}")
        if isinstance(most, int) and isinstance(least, int) and most < least:
            raise UnsatisfiableError(f"at least {least} and at most {most} copies")


class Named(Constraint):
    """A constraint whose value has a name. convert: makes the value of its text or value."""

    __slots__ = ("body", "convert", "name")

    def __init__(self, name: str, body: Constraint, convert: Callable[[Any], Any] | None = None) -> None:
        self.name, self.body, self.convert = name, body, convert


class Followed(Constraint):
    """A user's automaton."""

    __slots__ = ("automaton",)

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton


class Late(Constraint):
    """A constraint that depends on the vocabulary; it is made when it is compiled (`tags.resolved`)."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[Vocabulary], Constraint]) -> None:
        self.make = make


class Extension(Constraint):
    """Base for constraints with a front-end of their own, grammars for instance."""

    __slots__ = ()

    def bind(self, host: Any) -> Rules:
        """The front-end for one program; called under the lexicon's lock. host: the `structgen.syntax.lower.SyntaxFrontEnd` of the
        program: `host.lexicon`, `host.limits`, and `host.node_of(program, constraint)` for constraints within this one.
        """
        raise NotImplementedError

    def embedded(self) -> Sequence[Constraint]:
        """The constraints within this one that `host.node_of` will get, the same objects: what is wrong with them is said early."""
        return ()


def constraint(value: Any) -> Constraint:
    """A constraint as it is, a string as a literal, a user's `Automaton`. Raises ConstraintError for all else."""
    if isinstance(value, Constraint):
        return value
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, Automaton) and not isinstance(value, type):
        return Followed(value)
    raise ConstraintError(
        f"{type(value).__name__} is no constraint: give a string, a constraint (regex, choice, json_schema, ...), or an object with the"
        " functions start, advance and is_accepting"
    )


def literal(text: str) -> Constraint:
    """Exactly this text. Raises SchemaError for what is no text."""
    return Text(text)


def special_token(token: str | int) -> Constraint:
    """Exactly this special token (`"<|python_tag|>"`, or its id). The vocabulary must have it when the constraint is compiled."""
    return SpecialToken(token)


def regex(pattern: str, flags: int = 0, dialect: Dialect = "python") -> Constraint:
    """Text that a pattern matches as a whole, as `re.fullmatch`. Its value is the text, or the dict of its named groups if it has some.

    flags: those of `re`. dialect: "python" or "ecma" (ECMA-262). Raises RegexError, SchemaError.
    """
    return Pattern(pattern, flags, dialect)


def choice(texts: Sequence[str]) -> Constraint:
    """One of these texts. Raises SchemaError, UnsatisfiableError."""
    return Words(texts)


def json_schema(target: Any, options: Any = None) -> Constraint:
    """A JSON value that obeys a JSON Schema (dict, bool or JSON text) or a Python type. Its value is what the type makes of it.

    options: a JsonOptions. All schemas of one constraint must have the same `whitespace`. What is wrong with it is raised by `compile`.
    """
    return JsonValue(target, options)


def free_text(*, without: Sequence[str] = (), one_line: bool = False, least: int = 0) -> Constraint:
    """Any text in which none of some texts occurs. one_line: without line breaks. least: of so many characters."""
    return FreeText(_triggers(without), None, least, one_line)


def text_until(*triggers: str | Constraint, one_line: bool = False, least: int = 0) -> Constraint:
    """Any text up to and with the first occurrence of one of the triggers: texts, or special tokens (`special_token(...)`).

    Its value is the text before the trigger. least: characters before the trigger, at least. Raises SchemaError without triggers, for
    empty ones, and where one contains another in its middle (it could never come).
    """
    if not triggers:
        raise SchemaError("text_until needs at least one trigger")
    texts = _triggers([t.text if isinstance(t, Text) else t for t in triggers if isinstance(t, str | Text)])
    options: list[Constraint] = [FreeText(texts, text, least, one_line) for text in texts]
    for trigger in triggers:
        if isinstance(trigger, SpecialToken):
            options.append(InSequence((Named("", FreeText(texts, None, least, one_line)), trigger)))
        elif not isinstance(trigger, str | Text):
            raise SchemaError(f"a trigger is a text or a special token, not {type(trigger).__name__}")
    return options[0] if len(options) == 1 else OneOf(tuple(options))


def _triggers(texts: Sequence[Any]) -> tuple[str, ...]:
    if isinstance(texts, str) or not all(isinstance(text, str) and text for text in texts):
        raise SchemaError(f"triggers are texts that are not empty, not {texts!r}")
    found = tuple(dict.fromkeys(texts))
    shadowing(found)
    return found


def shadowing(triggers: Sequence[str]) -> None:
    """Raise SchemaError for a trigger that can never come since another one within it comes first."""
    for text in triggers:
        for other in triggers:
            if other != text and other in text[:-1]:
                raise SchemaError(f"the trigger {text!r} can never come: {other!r} within it comes first")


def _parts(one: Constraint, kind: Any) -> tuple[Constraint, ...]:
    if not isinstance(one, kind):
        return (one,)
    return one.parts if kind is InSequence else one.options  # type: ignore[no-any-return]


_ECMA_NAME = re.compile(r"\\.|\(\?<([^=!>][^>]*)>|\[(?:\\.|[^\]\\])*\]|[\s\S]")


def group_reader(pattern: str, flags: int, dialect: Dialect) -> re.Pattern[str] | None:
    """A pattern of `re` that finds the named groups in a text that matches, None where there are none.

    An ECMA pattern is rewritten; raises SchemaError for what has no counterpart in `re`.
    """
    if "(?P<" not in pattern and "(?<" not in pattern:
        return None
    if dialect == "python":
        found = re.compile(pattern, flags)
        return found if found.groupindex else None
    pieces = []
    for match in _ECMA_NAME.finditer(pattern):
        piece = match.group()
        if match.group(1):
            piece = f"(?P<{match.group(1)}>"
        elif piece == "$":
            piece = r"\Z"
        elif piece == r"\/":
            piece = "/"
        elif piece == r"\d":
            piece = "[0-9]"
        elif piece == r"\w":
            piece = "[A-Za-z0-9_]"
        elif piece == ".":
            piece = r"[^\n\r\u2028\u2029]"
        elif (
            piece in ("[^]", "[]")
            or re.match(r"\\[pPkcWDBbsS]|\\u\{", piece)
            or (piece[0] == "[" and re.search(r"\\[pPcwWdDsSu]", piece))
        ):
            raise SchemaError(
                f'named groups of an ECMA pattern with {piece!r} cannot be read; use dialect="python", or no names'
            )
        pieces.append(piece)
    found = re.compile("".join(pieces), flags)
    return found if found.groupindex else None


def walk(whole: Constraint) -> Iterator[Constraint]:
    """A constraint and all that it is made of."""
    work = [whole]
    while work:
        one = work.pop()
        yield one
        if isinstance(one, InSequence | OneOf):
            work += one.parts if isinstance(one, InSequence) else one.options
        elif isinstance(one, Extension):
            work += one.embedded()
        elif isinstance(one, Both):
            work += (one.left, one.right)
        elif isinstance(one, Named | Repeated):
            work.append(one.body)
            if isinstance(one, Repeated) and one.separator is not None:
                work.append(one.separator)
