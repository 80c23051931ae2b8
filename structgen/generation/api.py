"""`structgen.generate`: a model, a prompt and a schema in, valid typed JSON out; `structgen.stream`: the same as events.

In: see `generate`. Out: a `GenerationResult`. This file only puts the parts in order: check the request (requests), load the model
(models), compile the target (the compiler's cache answers for a schema seen before), tokenise the prompt, decode (loop), make the value.

Limits: one sequence at a time; `structgen.Generator` runs batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, TypeVar, Unpack, overload

from structgen.generation.asked import asked_for
from structgen.generation.controls import Parameters, Shared
from structgen.generation.events import Event
from structgen.generation.models import load_model
from structgen.generation.requests import check_request, generate_one, request_of, stream_one
from structgen.generation.values import GenerationResult

T = TypeVar("T")


@overload
def generate(
    model: Any,
    prompt: str | Sequence[dict[str, Any]],
    schema: type[T],
    *,
    tokenizer: Any = None,
    on_text: Callable[[str], object] | None = None,
    **parameters: Unpack[Shared],
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
    tokenizer: Any = None,
    on_text: Callable[[str], object] | None = None,
    **parameters: Unpack[Parameters],
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
    tokenizer: Any = None,
    on_text: Callable[[str], object] | None = None,
    **parameters: Any,
) -> GenerationResult[Any]:
    """Generate a JSON value that obeys the schema, complete and valid unless it is broken off from outside.

    model: "tiny" (the embedded model), a hub name, a local path, or a loaded `transformers` causal language model.
    prompt: text, or a list of messages for the tokenizer's chat template (which is applied to text as well, where there is one).
    schema: a JSON Schema (dict, boolean or JSON text), a Pydantic model, dataclass, TypedDict, Enum, Literal or builtin type; objects of
        Python types are closed unless the type says otherwise. `"x-structgen": {"max_tokens": n}` in a subschema is a budget for the values
        that it describes (see `budgets`). None: free text, up to an end token, a stop string or the token limit.
    regex, choice, constraint: instead of a schema: a pattern of `re` that the whole text matches (the value is the dict of its named
        groups, or the text), texts to choose from, any constraint (`structgen.template(...)`, see `structgen.syntax.constraints`).
    grammar: instead of a schema: a context-free grammar in Lark's language or in GBNF, read with lexer="dynamic"; for another start or
        lexer give `constraint=structgen.grammar(...)`. The value is the text.
    tokenizer: a tokenizer object, name or path; None: the model's own.
    on_text: called with each piece of text as soon as it is final; the pieces joined are the result's text.

    parameters, all by name:
    max_new_tokens: limit on the generated tokens, the end token not counted; as it comes near, only tokens from which a valid output
        still fits are drawn. None: what the model's context leaves after the prompt, at most 1024.
    min_tokens: the text does not end before so many tokens, as long as the schema and the limit let it go on. Default 0.
    temperature: 0 (the default) takes the most likely allowed token; above 0 samples from softmax(logits / temperature) over the allowed
        ones.
    seed: any integer; the same seed gives the same output for the same logits.
    options: how JSON is spelled and the schema read (`JsonOptions`). system: a system message for the chat template.
    heal: take the last token of the prompt back and generate its bytes again, so that the text may share a token with the end of the
        prompt (see `healing`); tokens that spell these bytes are among the generated ones. A prompt that ends in a special token, as
        most chat templates do, is left as it is.
    prefix: free text that comes first, up to and with this text or special token (`"</think>"`); `result.prefix` is it without that.
    stop: free text only: a string or several; the text ends before the first one that comes, and `result.stop_string` says which.
    time_limit: seconds, from when the model is loaded; cancel: any object with `is_set()`, such as a `threading.Event`. Both are looked at
        between two forward passes, and end the output where it is: `result.finish_reason` is then "time" or "cancelled". If it was not
        complete, `result.is_partial` is true, `result.partial` holds its finished parts, and `result.value` raises IncompleteError.
    trace: keep what the constraint did to each token, for `result.show()` and `result.fields()`; takes a pass over all logits for each.
    on_token, on_field, on_error: hooks, each called with a thing and the row's number in its batch (here 0): a `TokenTrace` for each
        token, a `FieldComplete` for each finished member of an object, an exception before it is raised.

    Raises, before the first token: SchemaError and its kinds, RegexError, LimitExceeded, BudgetError (no valid output fits the limit),
    PromptError (also where prompt and limit do not fit the model's context), ModelError, TokenizerError, ParameterError. Later: ModelError
    for logits that are not finite, whatever `on_text` or a hook raises, and what the type's own validators raise for the finished value.
    """
    started = perf_counter()
    asked = asked_for(schema, regex, choice, constraint, grammar)
    request = request_of(prompt, asked, parameters, "generate")
    target = check_request(request, on_text)
    return generate_one(load_model(model, tokenizer), request, target, on_text, started)


def stream(
    model: Any,
    prompt: str | Sequence[dict[str, Any]],
    schema: Any = None,
    *,
    regex: str | None = None,
    choice: Sequence[str] | None = None,
    constraint: Any = None,
    grammar: str | None = None,
    tokenizer: Any = None,
    **parameters: Any,
) -> Iterator[Event]:
    """`generate` as events, see `Generator.stream`. Arguments and errors: as for `generate`; wrong arguments and models raise at once.

    What is no JSON by itself (a pattern, a choice, a constraint, a grammar, anything after a prefix) comes as text.
    """
    asked = asked_for(schema, regex, choice, constraint, grammar)
    request = request_of(prompt, asked, parameters, "stream")
    target = check_request(request)
    return stream_one(load_model(model, tokenizer), request, target)
