"""structgen: a language model's output, made to obey a schema, exactly and fast.

    structgen.generate(model, prompt, schema=...)        text in, typed value out
    structgen.Vocabulary / Compiler / Matcher            the mask engine under it, for serving engines and benchmarks

Names are loaded on first use, so that `import structgen` costs milliseconds and brings in no torch, transformers, numba or
triton.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from structgen.errors import (
    BudgetError,
    ConstraintError,
    GrammarSyntaxError,
    IncompleteError,
    LimitExceeded,
    Limits,
    MatcherError,
    ModelError,
    PromptError,
    RegexError,
    SchemaError,
    StructgenError,
    TokenizerError,
    UnsatisfiableError,
    UnsupportedError,
)
from structgen.startup import collector_paused

if TYPE_CHECKING:
    from structgen import grammars
    from structgen.compiler import (
        CompiledGrammar,
        Compiler,
        Matcher,
        allocate_token_bitmask,
        compile_grammar,
        fill_next_token_bitmasks,
    )
    from structgen.generation.api import generate, stream
    from structgen.generation.batches import RowFailure
    from structgen.generation.controls import Cancel
    from structgen.generation.describe import describe
    from structgen.generation.events import (
        BrokenOff,
        Done,
        Event,
        FieldComplete,
        FieldStarted,
        ItemComplete,
        TextDelta,
        TextDone,
    )
    from structgen.generation.examples import examples
    from structgen.generation.generator import Generator
    from structgen.generation.partial import PartialValue
    from structgen.generation.requests import Request
    from structgen.generation.show import FieldSummary, TokenTrace
    from structgen.generation.tools import ToolCall
    from structgen.generation.typed import AsyncTypedFunction, TypedFunction, typed
    from structgen.generation.values import GenerationResult, ParameterError, Timings
    from structgen.machine.partial import TextMatch
    from structgen.schema.options import JsonOptions, OptionsError
    from structgen.syntax.constraints import (
        Automaton,
        Constraint,
        choice,
        free_text,
        json_schema,
        literal,
        regex,
        special_token,
        text_until,
    )
    from structgen.syntax.lark.grammar import grammar
    from structgen.syntax.lark.loading import GrammarWarning
    from structgen.syntax.tags import TagValue, marker, structural_tags, tag
    from structgen.syntax.template import template
    from structgen.vocabulary import Vocabulary

__version__ = "0.1.0"

__all__ = [
    "AsyncTypedFunction",
    "Automaton",
    "BrokenOff",
    "BudgetError",
    "Cancel",
    "CompiledGrammar",
    "Compiler",
    "Constraint",
    "ConstraintError",
    "Done",
    "Event",
    "FieldComplete",
    "FieldStarted",
    "FieldSummary",
    "GenerationResult",
    "Generator",
    "GrammarSyntaxError",
    "GrammarWarning",
    "IncompleteError",
    "ItemComplete",
    "JsonOptions",
    "LimitExceeded",
    "Limits",
    "Matcher",
    "MatcherError",
    "ModelError",
    "OptionsError",
    "ParameterError",
    "PartialValue",
    "PromptError",
    "RegexError",
    "Request",
    "RowFailure",
    "SchemaError",
    "StructgenError",
    "TagValue",
    "TextDelta",
    "TextDone",
    "TextMatch",
    "Timings",
    "TokenTrace",
    "TokenizerError",
    "ToolCall",
    "TypedFunction",
    "UnsatisfiableError",
    "UnsupportedError",
    "Vocabulary",
    "__version__",
    "allocate_token_bitmask",
    "choice",
    "compile_grammar",
    "describe",
    "examples",
    "fill_next_token_bitmasks",
    "free_text",
    "generate",
    "grammar",
    "grammars",
    "json_schema",
    "literal",
    "marker",
    "regex",
    "special_token",
    "stream",
    "structural_tags",
    "tag",
    "template",
    "text_until",
    "typed",
]

_HOMES = {
    "AsyncTypedFunction": "structgen.generation.typed",
    "Automaton": "structgen.syntax.constraints",
    "BrokenOff": "structgen.generation.events",
    "Cancel": "structgen.generation.controls",
    "CompiledGrammar": "structgen.compiler",
    "Compiler": "structgen.compiler",
    "Constraint": "structgen.syntax.constraints",
    "Done": "structgen.generation.events",
    "Event": "structgen.generation.events",
    "FieldComplete": "structgen.generation.events",
    "FieldStarted": "structgen.generation.events",
    "FieldSummary": "structgen.generation.show",
    "GenerationResult": "structgen.generation.values",
    "Generator": "structgen.generation.generator",
    "ItemComplete": "structgen.generation.events",
    "JsonOptions": "structgen.schema.options",
    "Matcher": "structgen.compiler",
    "OptionsError": "structgen.schema.options",
    "ParameterError": "structgen.generation.values",
    "PartialValue": "structgen.generation.partial",
    "Request": "structgen.generation.requests",
    "RowFailure": "structgen.generation.batches",
    "TagValue": "structgen.syntax.tags",
    "TextDelta": "structgen.generation.events",
    "TextMatch": "structgen.machine.partial",
    "GrammarWarning": "structgen.syntax.lark.loading",
    "TextDone": "structgen.generation.events",
    "Timings": "structgen.generation.values",
    "TokenTrace": "structgen.generation.show",
    "ToolCall": "structgen.generation.tools",
    "TypedFunction": "structgen.generation.typed",
    "Vocabulary": "structgen.vocabulary",
    "allocate_token_bitmask": "structgen.compiler",
    "choice": "structgen.syntax.constraints",
    "compile_grammar": "structgen.compiler",
    "describe": "structgen.generation.describe",
    "examples": "structgen.generation.examples",
    "fill_next_token_bitmasks": "structgen.compiler",
    "free_text": "structgen.syntax.constraints",
    "generate": "structgen.generation.api",
    "grammar": "structgen.syntax.lark.grammar",
    "json_schema": "structgen.syntax.constraints",
    "literal": "structgen.syntax.constraints",
    "marker": "structgen.syntax.tags",
    "regex": "structgen.syntax.constraints",
    "special_token": "structgen.syntax.constraints",
    "stream": "structgen.generation.api",
    "structural_tags": "structgen.syntax.tags",
    "tag": "structgen.syntax.tags",
    "template": "structgen.syntax.template",
    "text_until": "structgen.syntax.constraints",
    "typed": "structgen.generation.typed",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if name == "grammars":
        return importlib.import_module("structgen.grammars")
    if home is None:
        raise AttributeError(f"module 'structgen' has no attribute {name!r}")
    with collector_paused():
        value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
