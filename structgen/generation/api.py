"""`structgen.generate`: a model, a prompt and a schema in, valid typed JSON out.

In: see `generate`. Out: a `GenerationResult`. This file only puts the parts in order: check the parameters, read the target
(values), load the model (models), compile the target (the compiler's cache answers for a schema seen before), tokenise the
prompt, decode (loop), make the value.

Limits: one sequence at a time, no free text around the value.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, TypeVar, overload

from structgen.errors import PromptError
from structgen.generation.loop import decode
from structgen.generation.models import (
    CachedForward,
    LoadedModel,
    check_prompt,
    evaluation_mode,
    load_model,
    prompt_tokens,
)
from structgen.generation.values import (
    DEFAULT_MAX_NEW_TOKENS,
    GenerationResult,
    Timings,
    check_parameters,
    read_target,
)
from structgen.schema.options import JsonOptions
from structgen.vocabulary import Vocabulary

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
    schema: Any,
    *,
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
    schema: Any,
    *,
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
    check_parameters(max_new_tokens, temperature, seed, on_text)
    check_prompt(prompt, system)
    target = read_target(schema, options)
    loaded = load_model(model, tokenizer)
    compiling = perf_counter()
    grammar = loaded.compiler.compile_json_schema(target.schema, target.options)
    compile_s = perf_counter() - compiling
    prompt_ids = prompt_tokens(loaded.tokenizer, prompt, system)
    limit = _limit(loaded, len(prompt_ids), max_new_tokens)
    writer = _TextWriter(loaded.vocabulary, on_text)
    with evaluation_mode(loaded.model):
        decoded = decode(
            CachedForward(loaded.model),
            prompt_ids,
            grammar.matcher(),
            loaded.vocabulary.stop_token_ids,
            loaded.vocabulary.size,
            limit=limit,
            temperature=float(temperature),
            seed=int(seed),
            on_token=writer.add,
        )
    text = writer.finish()
    value = target.validate(text)
    timings = Timings(
        compile_s=compile_s,
        prompt_s=decoded.prompt_s,
        forward_s=decoded.forward_s,
        mask_s=decoded.mask_s,
        sample_s=decoded.sample_s,
        total_s=perf_counter() - started,
        n_tokens=len(decoded.token_ids),
        n_forwards=decoded.n_forwards,
    )
    return GenerationResult(
        text, value, decoded.token_ids, decoded.finish_reason, decoded.n_redrawn, len(prompt_ids), timings
    )


def _limit(loaded: LoadedModel, n_prompt: int, max_new_tokens: int | None) -> int:
    """The token limit in force; PromptError if prompt and limit do not fit the context."""
    if loaded.context is None:
        return DEFAULT_MAX_NEW_TOKENS if max_new_tokens is None else int(max_new_tokens)
    left = loaded.context - n_prompt
    if left <= 0:
        raise PromptError(
            f"the prompt has {n_prompt} tokens, the model's context only {loaded.context}: nothing is left to write"
        )
    if max_new_tokens is None:
        return min(left, DEFAULT_MAX_NEW_TOKENS)
    if max_new_tokens > left:
        raise PromptError(
            f"the prompt ({n_prompt} tokens) and max_new_tokens ({max_new_tokens}) do not fit the model's context of"
            f" {loaded.context}: shorten the prompt, or lower max_new_tokens to {left}"
        )
    return int(max_new_tokens)


class _TextWriter:
    """Token bytes to text, piece by piece; the space that a SentencePiece tokenizer puts before a text is taken off."""

    __slots__ = ("_at_start", "_decoder", "_on_text", "_pieces", "_token_bytes")

    def __init__(self, vocabulary: Vocabulary, on_text: Callable[[str], object] | None) -> None:
        self._token_bytes = vocabulary.token_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._at_start = vocabulary.leading_space
        self._on_text = on_text
        self._pieces: list[str] = []

    def add(self, token_id: int) -> None:
        piece = self._decoder.decode(self._token_bytes[token_id] or b"")
        if self._at_start and piece:
            self._at_start = False
            piece = piece.removeprefix(" ")  # no JSON value starts with a space of its own
        if piece:
            self._pieces.append(piece)
            if self._on_text is not None:
                self._on_text(piece)

    def finish(self) -> str:
        self._decoder.decode(b"", final=True)
        return "".join(self._pieces)
