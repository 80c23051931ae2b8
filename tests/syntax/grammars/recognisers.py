"""Who decides whether a grammar accepts a text: one function for each engine, by name.

A recogniser takes a grammar's text and a lexing ("dynamic" or "contextual", as in the grammars' head comments), and returns the test
for texts. Every test of the corpora and sentences runs with every entry of RECOGNISERS.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from lark import Lark, UnexpectedInput
from lark.exceptions import UnexpectedEOF

import structgen.grammars
from structgen.compiler import CompiledGrammar

Accepts = Callable[[str], bool]


@functools.cache
def lark_parser(name: str, lexing: str) -> Lark:
    """Lark set to a lexing, for a bundled grammar."""
    grammar = structgen.grammars.text(name)
    if lexing == "dynamic":
        return Lark(grammar, parser="earley", lexer="dynamic")
    return Lark(grammar, parser="lalr", lexer="contextual")


def lark(name: str, lexing: str) -> Accepts:
    """Lark as it is."""
    return functools.partial(parses, lark_parser(name, lexing))


def parses(parser: Lark, text: str) -> bool:
    """Whether Lark parses the whole text."""
    try:
        parser.parse(text)
    except (UnexpectedInput, UnexpectedEOF):
        return False
    return True


@functools.cache
def compiled(name: str, lexing: str) -> CompiledGrammar:
    """A bundled grammar in structgen's engine, over single bytes."""
    return structgen.compile_grammar(structgen.grammars.text(name), lexer=lexing)


def engine(name: str, lexing: str) -> Accepts:
    """structgen's engine."""
    grammar = compiled(name, lexing)

    def accepts(text: str) -> bool:
        matcher = grammar.matcher()
        return matcher.accept_bytes(text.encode()) and matcher.is_accepting()

    return accepts


RECOGNISERS: dict[str, Callable[[str, str], Accepts]] = {"lark": lark, "structgen": engine}


def lexings(name: str) -> list[str]:
    """The lexings that the head comment of a bundled grammar promises."""
    found = re.search(r"^// Lexing: (.+)$", structgen.grammars.text(name), re.MULTILINE)
    return found[1].split(", ") if found else []
