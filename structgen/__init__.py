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
    from structgen.compiler import (
        CompiledGrammar,
        Compiler,
        Matcher,
        allocate_token_bitmask,
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
    from structgen.schema.options import JsonOptions, OptionsError
    from structgen.vocabulary import Vocabulary

__version__ = "0.1.0"

__all__ = [
    "AsyncTypedFunction",
    "BrokenOff",
    "BudgetError",
    "Cancel",
    "CompiledGrammar",
    "Compiler",
    "ConstraintError",
    "Done",
    "Event",
    "FieldComplete",
    "FieldStarted",
    "FieldSummary",
    "GenerationResult",
    "Generator",
    "GrammarSyntaxError",
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
    "TextDelta",
    "TextDone",
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
    "describe",
    "examples",
    "fill_next_token_bitmasks",
    "generate",
    "stream",
    "typed",
]

_HOMES = {
    "AsyncTypedFunction": "structgen.generation.typed",
    "BrokenOff": "structgen.generation.events",
    "Cancel": "structgen.generation.controls",
    "CompiledGrammar": "structgen.compiler",
    "Compiler": "structgen.compiler",
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
    "TextDelta": "structgen.generation.events",
    "TextDone": "structgen.generation.events",
    "Timings": "structgen.generation.values",
    "TokenTrace": "structgen.generation.show",
    "ToolCall": "structgen.generation.tools",
    "TypedFunction": "structgen.generation.typed",
    "Vocabulary": "structgen.vocabulary",
    "allocate_token_bitmask": "structgen.compiler",
    "describe": "structgen.generation.describe",
    "examples": "structgen.generation.examples",
    "fill_next_token_bitmasks": "structgen.compiler",
    "generate": "structgen.generation.api",
    "stream": "structgen.generation.api",
    "typed": "structgen.generation.typed",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'structgen' has no attribute {name!r}")
    with collector_paused():
        value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
