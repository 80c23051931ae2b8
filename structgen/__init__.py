"""structgen: a JSON Schema or a Python type in, valid typed JSON out of any language model.

    structgen.generate(model, prompt, schema=...)      text in, typed value out
    structgen.Compiler(structgen.Vocabulary.from_tokenizer(tokenizer)).compile_json_schema(schema).matcher()

Importing this module loads the errors and nothing else: torch, transformers, numba and triton come in with the first attribute
that needs them (tests/test_architecture.py holds it to that).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from structgen.errors import (
    BudgetError,
    ConstraintError,
    GrammarSyntaxError,
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

if TYPE_CHECKING:
    from structgen.compiler import Compiler, Grammar, JsonOptions, allocate_token_bitmask, fill_next_token_bitmasks
    from structgen.generation.api import Generation, generate
    from structgen.machine.matcher import Matcher
    from structgen.vocabulary import Vocabulary

__version__ = "0.1.0"

_HOMES = {
    "Compiler": "structgen.compiler",
    "Generation": "structgen.generation.api",
    "Grammar": "structgen.compiler",
    "JsonOptions": "structgen.compiler",
    "Matcher": "structgen.machine.matcher",
    "Vocabulary": "structgen.vocabulary",
    "allocate_token_bitmask": "structgen.compiler",
    "fill_next_token_bitmasks": "structgen.compiler",
    "generate": "structgen.generation.api",
}

__all__ = [
    "BudgetError",
    "Compiler",
    "ConstraintError",
    "Generation",
    "Grammar",
    "GrammarSyntaxError",
    "JsonOptions",
    "LimitExceeded",
    "Limits",
    "Matcher",
    "MatcherError",
    "ModelError",
    "PromptError",
    "RegexError",
    "SchemaError",
    "StructgenError",
    "TokenizerError",
    "UnsatisfiableError",
    "UnsupportedError",
    "Vocabulary",
    "allocate_token_bitmask",
    "fill_next_token_bitmasks",
    "generate",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'structgen' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
