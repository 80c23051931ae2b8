"""Constraints of one lexeme: the text matches a pattern, or is one of some texts.

In: a pattern or a list of texts. Out: the one node of a `Program`, whose automaton is the whole constraint.
"""

from __future__ import annotations

from collections.abc import Sequence

from structgen.errors import Limits, SchemaError, UnsatisfiableError
from structgen.kernels import layout
from structgen.lexemes.dfa import CharDfa
from structgen.lexemes.regex import compile_regex
from structgen.machine.program import NodeAlternative, Program


class PatternText:
    """Text that matches a pattern as a whole. Raises RegexError, LimitExceeded, UnsatisfiableError (nothing matches)."""

    def __init__(self, pattern: str, flags: int, limits: Limits) -> None:
        self.pattern, self.flags, self.limits = pattern, flags, limits
        self._language: CharDfa = compile_regex(pattern, dialect="python", anchored=True, flags=flags, limits=limits)
        if self._language.is_empty():
            raise UnsatisfiableError(f"no text matches the pattern {pattern!r}")

    def compile_node(self, program: Program, node: int) -> None:
        start = program.lexicon.start_of(
            ("text", self.pattern, self.flags), lambda: self._language.to_bytes("utf8", self.limits)
        )
        program.set_node(node, [NodeAlternative(start, layout.ALT_SCALAR)])

    def describe(self, program: Program, q: int, k: int) -> str:  # noqa: ARG002 (one place, one answer)
        return f"text that matches {self.pattern!r}"


class ChoiceText:
    """One of some texts. Raises SchemaError for what is no list of strings, UnsatisfiableError for an empty list."""

    def __init__(self, choices: Sequence[str]) -> None:
        if isinstance(choices, (str, bytes)) or not all(isinstance(choice, str) for choice in choices):
            raise SchemaError("a choice is a list of strings")
        if not choices:
            raise UnsatisfiableError("a choice of nothing")
        try:
            self._spelled = sorted({choice.encode() for choice in choices})
        except UnicodeEncodeError as error:
            raise SchemaError(f"a choice holds a lone surrogate: {error.object!r}") from error

    def compile_node(self, program: Program, node: int) -> None:
        start = program.add_trie(self._spelled, [0] * len(self._spelled))
        program.set_node(node, [NodeAlternative(start, layout.ALT_SCALAR)])

    def describe(self, program: Program, q: int, k: int) -> str:  # noqa: ARG002 (one place, one answer)
        shown = ", ".join(repr(choice.decode()) for choice in self._spelled[:6])
        return f"one of {shown}{', ...' if len(self._spelled) > 6 else ''}"
