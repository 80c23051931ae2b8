"""What is asked for: a schema, a pattern, a choice or a constraint, after free text or at once.

In: the arguments of `generate`. Out: a schema or a `Constraint` for `Request.schema`. With a prefix the value is a `Prefixed`, which the
result takes apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from structgen.errors import SchemaError
from structgen.generation.values import ParameterError
from structgen.schema.options import JsonOptions
from structgen.syntax.constraints import (
    Constraint,
    InSequence,
    JsonValue,
    Late,
    Named,
    SpecialToken,
    Text,
    text_until,
)
from structgen.syntax.constraints import (
    choice as choice_of,
)
from structgen.syntax.constraints import (
    constraint as constraint_of,
)
from structgen.syntax.constraints import (
    regex as regex_of,
)
from structgen.syntax.lark.grammar import LarkGrammar
from structgen.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Prefixed:
    """prefix: the free text before the trigger; value: of what came after it."""

    prefix: str
    value: Any


def asked_for(
    schema: Any,
    regex: str | None,
    choice: Sequence[str] | None,
    constraint: Any,
    grammar: str | None,
) -> Any:
    """The one thing that is asked for, None if nothing is. Raises ParameterError for several, and what making a constraint raises."""
    given = {
        name: value
        for name, value in (
            ("schema", schema),
            ("regex", regex),
            ("choice", choice),
            ("constraint", constraint),
            ("grammar", grammar),
        )
        if value is not None
    }
    if len(given) > 1:
        raise ParameterError(f"give one of schema, regex, choice, constraint and grammar, not {' and '.join(given)}")
    if regex is not None:
        return regex_of(regex)
    if choice is not None:
        return choice_of(choice)
    if grammar is not None:
        return LarkGrammar(grammar)
    if constraint is not None:
        return constraint_of(constraint)
    return schema


def after_prefix(prefix: str | Constraint, whole: Any, options: JsonOptions | None) -> Constraint:
    """Free text up to and with a trigger, then what is asked for. Raises SchemaError where nothing is."""
    if whole is None:
        raise SchemaError("a prefix comes before a schema or a constraint: give one")
    body = whole if isinstance(whole, Constraint) else JsonValue(whole, options)
    if isinstance(prefix, Text):
        prefix = prefix.text
    if isinstance(prefix, str):
        name = prefix
        text_until(name)  # says what is wrong with it

        def make(vocabulary: Vocabulary) -> Constraint:
            return text_until(SpecialToken(name) if name in vocabulary.special_tokens else name)

        before: Constraint = Late(make)
    else:
        before = text_until(prefix)
    parts = InSequence((Named("prefix", before), Named("value", body)))
    return Named("", parts, lambda values: Prefixed(values["prefix"], values["value"]))
