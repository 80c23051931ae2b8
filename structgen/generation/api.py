"""`structgen.generate`: a model, a prompt and a schema in, valid typed JSON out.

In: see `generate`. Out: a `GenerationResult`. This file only puts the parts in order: check the request (requests), load the model
(models), compile the target (the compiler's cache answers for a schema seen before), tokenise the prompt, decode (loop), make the value.

Limits: one sequence at a time, no free text around the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, TypeVar, overload

from structgen.errors import SchemaError
from structgen.generation.asked import asked_for
from structgen.generation.models import load_model
from structgen.generation.requests import Request, check_request, generate_one
from structgen.generation.values import GenerationResult
from structgen.schema.options import JsonOptions
from structgen.syntax.constraints import Constraint

T = TypeVar("T")


@overload
def generate(
    model: Any,
    prompt: str | Sequence[dict[str, Any]],
    schema: type[T],
    *,
    tokenizer: Any = None,
    max_new_tokens: int | None = None,
    temperature: float = 0.0,
    seed: int = 0,
    options: JsonOptions | None = None,
    system: str | None = None,
    on_text: Callable[[str], object] | None = None,
) -> GenerationResult[T]: ...


@overload
def generate(
    model: Any,
    prompt: str | Sequence[dict[str, Any]],
    schema: Any = None,
    *,
    regex: str | None = None,
    choice: Sequence[str] | None = None,
    constraint: Any = None,
    grammar: str | None = None,
    prefix: str | Constraint | None = None,
    tokenizer: Any = None,
    max_new_tokens: int | None = None,
    temperature: float = 0.0,
    seed: int = 0,
    options: JsonOptions | None = None,
    system: str | None = None,
    on_text: Callable[[str], object] | None = None,
) -> GenerationResult[Any]: ...


def generate(
    model: Any,
    prompt: str | Sequence[dict[str, Any]],
    schema: Any = None,
    *,
    regex: str | None = None,
    choice: Sequence[str] | None = None,
    constraint: Any = None,
    grammar: str | None = None,
    prefix: str | Constraint | None = None,
    tokenizer: Any = None,
    max_new_tokens: int | None = None,
    temperature: float = 0.0,
    seed: int = 0,
    options: JsonOptions | None = None,
    system: str | None = None,
    on_text: Callable[[str], object] | None = None,
) -> GenerationResult[Any]:
    """Generate a JSON value that obeys the schema, always complete and valid.

    model: "tiny" (the embedded model), a hub name, a local path, or a loaded `transformers` causal language model.
    prompt: text, or a list of messages for the tokenizer's chat template (which is applied to text as well, where there is one).
    schema: a JSON Schema (dict, boolean or JSON text), a Pydantic model, dataclass, TypedDict, Enum, Literal or builtin type; objects of
        Python types are closed unless the type says otherwise.
    regex, choice, constraint: instead of a schema: a pattern of `re` that the whole text matches (the value is the dict of its named
        groups, or the text), texts to choose from, any constraint (`structgen.template(...)`, see `structgen.syntax.constraints`).
    grammar: instead of a schema: a context-free grammar in Lark's language or in GBNF, read with lexer="dynamic"; for another start or
        lexer give `constraint=structgen.grammar(...)`. The value is the text.
    prefix: free text that comes first, up to and with this text or special token (`"</think>"`); `result.prefix` is it without that.
    tokenizer: a tokenizer object, name or path; None: the model's own.
    max_new_tokens: limit on the generated tokens, the end token not counted; as it comes near, only tokens from which a valid output
        still fits are drawn. None: what the model's context leaves after the prompt, at most 1024.
    temperature: 0 takes the most likely allowed token; above 0 samples from softmax(logits / temperature) over the allowed ones.
    seed: any integer; the same seed gives the same output for the same logits.
    options: how JSON is spelled and the schema read. system: a system message for the chat template.
    on_text: called with each piece of text as soon as it is final; the pieces joined are the result's text.

    Raises, before the first token: SchemaError and its kinds, RegexError, LimitExceeded, BudgetError (no valid output fits the limit),
    PromptError (also where prompt and limit do not fit the model's context), ModelError, TokenizerError, ParameterError. Later: ModelError
    for logits that are not finite, whatever `on_text` raises, and what the type's own validators raise for the finished value.
    """
    started = perf_counter()
    asked = asked_for(schema, regex, choice, constraint, prefix, options, grammar)
    if prefix is not None and schema is not None:
        options = None  # they are in what is asked for
    request = Request(prompt, asked, max_new_tokens, temperature, seed, options, system)
    target = check_request(request, on_text)
    if target is None:
        raise SchemaError("None is no schema; `structgen.Generator` takes it for free text, `type(None)` means null")
    return generate_one(load_model(model, tokenizer), request, target, on_text, started)
