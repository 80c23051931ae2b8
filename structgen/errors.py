"""The exception tree and the limits of structgen.

Every error that a user can cause is a `StructgenError` whose message says what is wrong, where, and what to do.
Nothing here imports anything of structgen, so that every floor can raise these.
"""

from __future__ import annotations

from dataclasses import dataclass


class StructgenError(Exception):
    """Base class of every error that structgen raises on purpose."""


class SchemaError(StructgenError):
    """A schema that is not a valid JSON Schema.

    pointer: JSON Pointer (URI fragment form without `#`, "" is the root) of the offending place; keyword: the keyword's name or "".
    """

    def __init__(self, reason: str, pointer: str = "", keyword: str = "") -> None:
        self.reason, self.pointer, self.keyword = reason, pointer, keyword
        super().__init__(f"{reason} (at #{pointer})")


class UnsatisfiableError(SchemaError):
    """A schema without any instance."""

    def __init__(self, reason: str, pointer: str = "", keyword: str = "") -> None:
        super().__init__(f"unsatisfiable: {reason}", pointer, keyword)


class UnsupportedError(SchemaError):
    """A keyword, format or pattern feature that constrains and that structgen cannot enforce."""


class _PositionedError(StructgenError):
    """An error in a text, shown with a caret under the offending position (a 0-based character index)."""

    def __init__(self, reason: str, text: str = "", position: int = 0) -> None:
        self.reason, self.text, self.position = reason, text, position
        message = reason
        if text:
            line_start = text.rfind("\n", 0, position) + 1
            line_end = text.find("\n", position)
            line = text[line_start : line_end if line_end >= 0 else len(text)]
            column = position - line_start
            first = max(0, column - 60)
            line = line[first : first + 120]
            message = f"{reason} (position {position})\n  {line}\n  {' ' * (column - first)}^"
        super().__init__(message)


class RegexError(_PositionedError):
    """A pattern that is invalid or uses a feature without a finite automaton (such as a back-reference)."""


class GrammarSyntaxError(_PositionedError):
    """A grammar text that cannot be read."""


class LimitExceeded(StructgenError):
    """A limit on states, steps or memory was reached.

    given: what was asked for or counted; limit: the bound in force; name: the field of `Limits` that raises it.
    """

    def __init__(self, given: int | float | str, limit: int | float | str, name: str = "", hint: str = "") -> None:
        self.given, self.limit, self.name = given, limit, name
        what = f" on {name}" if name else ""
        tail = f"; {hint}" if hint else (f"; raise it with Limits({name}=...)" if name else "")
        super().__init__(f"limit{what} exceeded: {given} is above {limit}{tail}")


class TokenizerError(StructgenError):
    """A tokenizer whose tokens cannot be mapped to bytes, or that does not fit the model."""


class ModelError(StructgenError):
    """A model that cannot be loaded or does not fit its tokenizer."""


class MatcherError(StructgenError):
    """A wrong call on a matcher: a token id out of range, a rollback beyond the start, a bitmask of the wrong shape."""


class BudgetError(StructgenError):
    """No valid output fits the token limit. needed: the fewest tokens; limit: the tokens that were allowed."""

    def __init__(self, needed: int, limit: int) -> None:
        self.needed, self.limit = needed, limit
        super().__init__(
            f"no valid output fits {limit} tokens: the shortest needs {needed}; raise max_new_tokens to at least {needed}"
        )


class PromptError(StructgenError):
    """A prompt that the model cannot take (empty, of the wrong type, or longer than its context)."""


class IncompleteError(StructgenError):
    """The value of an output that was broken off before it was complete. reason: "time" or "cancelled"; text: as far as it went."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason, self.text = reason, text
        why = "the time limit was reached" if reason == "time" else "it was cancelled"
        super().__init__(
            f"the output was broken off after {len(text)} characters ({why}), so it has no value; result.text is the text so far,"
            " result.partial its finished parts"
        )


class ConstraintError(StructgenError):
    """A predicate, monitor or drafter of the user's misbehaved."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on time and memory; reaching one raises `LimitExceeded`, never aborts the process.

    max_schema_bytes: size of a schema's JSON text. max_depth: nesting of a schema's subschemas. max_alternatives: alternatives of
    one value position after merging. max_schema_steps: work on the normal form for one node or state, about 10 µs a step.
    max_dfa_states and max_dfa_steps: one lexeme's automaton and the work to build it.
    max_states, max_frames: arenas of one program. max_configurations: configurations that run side by side; a step or
    a mask may hold sixteen times as many on its stack, which is what is counted.
    max_steps: work of one mask or step of a text, about 20 ns for each configuration at each node of the vocabulary.
    max_arena_bytes: memory of one program. max_record_bytes: memory of a vocabulary's lexeme records (bounded cache).
    max_search: work of `shortest_completion`, about one for each token looked at.
    max_completion_bytes: length of the shortest completion of a value.
    """

    max_schema_bytes: int = 8_000_000
    max_depth: int = 2_000
    max_alternatives: int = 5_000
    max_schema_steps: int = 200_000
    max_dfa_states: int = 50_000
    max_dfa_steps: int = 3_000_000
    max_states: int = 2_000_000
    max_frames: int = 2_000_000
    max_configurations: int = 20_000
    max_steps: int = 20_000_000
    max_arena_bytes: int = 400_000_000
    max_record_bytes: int = 300_000_000
    max_search: int = 20_000
    max_completion_bytes: int = 1_000_000
