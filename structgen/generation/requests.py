"""One row: what is asked of the model, made ready to be decoded, and the result of it.

In: a `Request`. Out: a `Row`, which holds the sequence being decoded (`loop.Decoding`) and turns what came of it into a
`GenerationResult`. Used by `generate` and by batches alike, so that a row of a batch is what a call of its own would be.

Limits: text without a schema (`schema=None`) is what the model writes up to an end token; it has no stop strings.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from structgen.compiler import CompiledGrammar, CompiledIntersection
from structgen.errors import PromptError
from structgen.generation.asked import Prefixed
from structgen.generation.free import FreeText
from structgen.generation.loop import Decoded, Decoding, run
from structgen.generation.models import CachedForward, LoadedModel, check_prompt, evaluation_mode, prompt_tokens
from structgen.generation.show import TokenTrace
from structgen.generation.values import (
    DEFAULT_MAX_NEW_TOKENS,
    GenerationResult,
    Target,
    Timings,
    check_parameters,
    read_target,
)
from structgen.schema.options import JsonOptions
from structgen.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Request:
    """What `generate` is asked for, as one row of a batch. Fields: see `structgen.generate`; schema None: free text.

    schema may also be a constraint (`structgen.regex(...)`, `structgen.template(...)`). tools: what the chat template shows as tools.
    trace: keep what the constraint did to each token (`GenerationResult.trace`, `show()`).
    """

    prompt: str | Sequence[dict[str, Any]]
    schema: Any = None
    max_new_tokens: int | None = None
    temperature: float = 0.0
    seed: int = 0
    options: JsonOptions | None = None
    system: str | None = None
    trace: bool = False
    tools: Sequence[dict[str, Any]] | None = None


def check_request(request: Request, on_text: object = None) -> Target | None:
    """Raise what is wrong with a request as far as that is known without a model; the target of its schema."""
    check_parameters(request.max_new_tokens, request.temperature, request.seed, on_text)
    check_prompt(request.prompt, request.system)
    return None if request.schema is None else read_target(request.schema, request.options)


class Row:
    """A request made ready for a model. decoding: the sequence; it may have ended already."""

    def __init__(
        self,
        loaded: LoadedModel,
        request: Request,
        target: Target | None,
        on_text: Callable[[str], object] | None = None,
        on_token: Callable[[int], object] | None = None,
    ) -> None:
        """target: from `check_request`. on_text, on_token: called with pieces of text and with tokens as soon as they are final.

        Raises SchemaError and its kinds, LimitExceeded, BudgetError, PromptError, TokenizerError.
        """
        self.request, self._target = request, target
        started = perf_counter()
        vocabulary = loaded.vocabulary
        self._constraint: CompiledGrammar | CompiledIntersection | None = None
        if target is None:
            matcher: Any = FreeText(vocabulary)
        elif target.constraint is not None:
            self._constraint = loaded.compiler.compile(target.constraint)
            matcher = self._constraint.matcher()
        else:
            matcher = loaded.compiler.compile_json_schema(target.schema, target.options).matcher()
        self._compile_s = perf_counter() - started
        prompt_ids = prompt_tokens(loaded.tokenizer, request.prompt, request.system, request.tools)
        self.n_prompt_tokens = len(prompt_ids)
        self._token_bytes = vocabulary.token_bytes
        self._trace: list[TokenTrace] = []
        limit = _limit(loaded, len(prompt_ids), request.max_new_tokens)
        self._writer = _TextWriter(vocabulary, on_text, keeps_space=target is None)
        self._on_token = on_token
        self.decoding = Decoding(
            prompt_ids,
            matcher,
            vocabulary.stop_token_ids,
            vocabulary.size,
            limit=limit,
            temperature=float(request.temperature),
            seed=int(request.seed),
            on_token=self._write,
            on_step=self._note if request.trace else None,
        )

    def _note(self, token_id: int, n_allowed: int, removed: float | None, mask_s: float) -> None:
        self._trace.append(TokenTrace(token_id, self._token_bytes[token_id] or b"", n_allowed, removed, mask_s))

    def _write(self, token_id: int) -> None:
        self._writer.add(token_id)
        if self._on_token is not None:
            self._on_token(token_id)

    def result(self, decoded: Decoded, total_s: float) -> GenerationResult[Any]:
        """The result of the sequence, which has ended. Raises what the type's own validators raise."""
        text = self._writer.finish()
        if self._constraint is not None:
            value = self._constraint.value(decoded.token_ids)
        else:
            value = text if self._target is None else self._target.validate(text)
        timings = Timings(
            compile_s=self._compile_s,
            prompt_s=decoded.prompt_s,
            forward_s=decoded.forward_s,
            mask_s=decoded.mask_s,
            sample_s=decoded.sample_s,
            total_s=total_s,
            n_tokens=len(decoded.token_ids),
            n_forwards=decoded.n_forwards,
        )
        prefix = ""
        if isinstance(value, Prefixed):
            prefix, value = value.prefix, value.value
        return GenerationResult(
            text,
            value,
            decoded.token_ids,
            decoded.finish_reason,
            decoded.n_redrawn,
            self.n_prompt_tokens,
            timings,
            tuple(self._trace),
            prefix,
        )


def generate_one(
    loaded: LoadedModel,
    request: Request,
    target: Target | None,
    on_text: Callable[[str], object] | None,
    started: float,
) -> GenerationResult[Any]:
    """A request by itself. started: when the call began, by `time.perf_counter`. Raises as `structgen.generate`."""
    row = Row(loaded, request, target, on_text)
    with evaluation_mode(loaded.model):
        finished = run(CachedForward(loaded.model), row.decoding)
    return row.result(finished, perf_counter() - started)


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

    def __init__(
        self, vocabulary: Vocabulary, on_text: Callable[[str], object] | None, *, keeps_space: bool = False
    ) -> None:
        self._token_bytes = vocabulary.token_bytes
        # free text may stop in the middle of a character; a JSON text never does
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace" if keeps_space else "strict")
        self._at_start = vocabulary.leading_space and not keeps_space
        self._on_text = on_text
        self._pieces: list[str] = []

    def add(self, token_id: int) -> None:
        self._put(self._decoder.decode(self._token_bytes[token_id] or b""))

    def _put(self, piece: str) -> None:
        if self._at_start and piece:
            self._at_start = False
            piece = piece.removeprefix(" ")  # no JSON value starts with a space of its own
        if piece:
            self._pieces.append(piece)
            if self._on_text is not None:
                self._on_text(piece)

    def finish(self) -> str:
        self._put(self._decoder.decode(b"", final=True))
        return "".join(self._pieces)
