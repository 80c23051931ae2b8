"""What is measured of one case by one engine, inside the engine's process.

In: an `Engine`, a `Case` or a task, a `Writer` (model and tokenizer). Out: a record, a flat JSON object. Before each stage the record so
far goes to `progress`, so that a crash in the stage loses nothing of what was measured before.

Times are of `time.perf_counter_ns`, one thread. The figures of a record:

    compile_ms      grammar compile time (GCT): `compile(schema)`
    first_mask_ms   time to first mask (TTFM, MaskBench): compile, a matcher, and its first mask
    mask_us         time per mask (TBM, MaskBench), one for each token of every instance: fill the mask, then take the token (for a
                    token that is not allowed, find that out). Building masks only; nothing of the model
    ttft_ms         time to first token: compile_ms, then from the start of the text to the first token chosen: reset, prefill of
                    the prompt, mask, argmax, take
    tpot_ms         time per output token: from the first token to the last, over the tokens after the first; model included
    model_ms        of the generation, the time in the model's forward passes
    over, under     numbers of the instances that are valid and refused, and invalid and accepted. An instance is accepted when every
                    token of its text (json.dumps, real Unicode characters) is allowed and the text may end after the last
    finish          of the generation: "stop" (the model ended the text where it may end), "length" (cut at the token limit),
                    "dead end" (no token allowed and the text may not end), "refused" (the engine does not take what its mask allows)
    compliant       whether the generated text is JSON that `jsonschema` finds valid, formats asserted; null where it cannot tell

Limits: one prompt form for every model: the schema's text, cut to `max_prompt_tokens`, through the chat template where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np

from structgen.errors import LimitExceeded, StructgenError
from structgen.jsonschemabench.data import Case

__all__ = ["Generated", "Writer", "generate", "is_compliant", "measure_case", "measure_task"]

Record = dict[str, Any]
Progress = Callable[[Record], object]
MAX_REASON = 300  # characters of an engine's message in a record
MAX_PROMPT_TOKENS = 256  # of a schema as a prompt


@dataclass(slots=True)
class Generated:
    """A generated text. times in ms from the start of the text: the first token, the last one; model_ms: in forward passes."""

    text: str
    finish: str
    n_tokens: int
    first_ms: float
    last_ms: float
    model_ms: float

    def tpot_ms(self) -> float | None:
        """Time per output token after the first, None for a text of fewer than two."""
        return (self.last_ms - self.first_ms) / (self.n_tokens - 1) if self.n_tokens > 1 else None


class Writer:
    """A loaded causal language model and its tokenizer; `forward` continues from a KV cache.

    width: of the logits. max_new_tokens, max_prompt_tokens: limits of a generation.
    """

    def __init__(self, model: Any, tokenizer: Any, max_new_tokens: int, max_prompt_tokens: int) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.max_new_tokens, self.max_prompt_tokens = max_new_tokens, max_prompt_tokens
        configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
        ends = configured if isinstance(configured, list | tuple) else [configured]
        self.end_ids = frozenset(int(i) for i in (*ends, tokenizer.eos_token_id) if i is not None)

    def prompt_ids(self, prompt: str) -> list[int]:
        """The prompt's tokens: its text cut to the limit, in the chat template where the tokenizer has one."""
        ids = self.tokenizer.encode(prompt, add_special_tokens=False)
        if len(ids) > self.max_prompt_tokens:
            prompt = self.tokenizer.decode(ids[: self.max_prompt_tokens])
        if getattr(self.tokenizer, "chat_template", None):
            chat = [{"role": "user", "content": prompt}]
            return list(
                self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"]
            )
        return list(self.tokenizer.encode(prompt))

    def forward(self, token_ids: Sequence[int], cache: Any) -> tuple[np.ndarray, Any]:
        """(logits of the last position, float32 [width]; the grown cache)."""
        import torch

        with torch.inference_mode():
            out = self.model(
                input_ids=torch.tensor([list(token_ids)], device=self.model.device),
                past_key_values=cache,
                use_cache=True,
            )
            return out.logits[0, -1].float().cpu().numpy(), out.past_key_values


def generate(engine: Any, writer: Writer, prompt: str) -> Generated:
    """Greedy generation under the engine's current grammar: forward pass, mask, the likeliest allowed token, take it.

    One loop for every engine. Raises what the engine raises.
    """
    ids = writer.prompt_ids(prompt)
    made: list[int] = []
    cache: Any = None
    finish = "length"
    model_ns = first_ns = last_ns = 0
    started = perf_counter_ns()
    engine.reset()
    while len(made) < writer.max_new_tokens:
        begun = perf_counter_ns()
        logits, cache = writer.forward(ids, cache)
        model_ns += perf_counter_ns() - begun
        engine.fill()
        token_id = _likeliest(engine, logits)
        if token_id is None:
            finish = "stop" if engine.may_end() else "dead end"
            break
        if token_id in writer.end_ids:
            finish = "stop"
            break
        taken = engine.take(token_id, writer.max_new_tokens - len(made) - 1)
        if taken is None:
            finish = "refused"
            break
        made.append(taken)
        last_ns = perf_counter_ns() - started
        first_ns = first_ns or last_ns
        ids = [taken]
    else:
        if engine.constrains and engine.may_end():
            finish = "stop"
    return Generated(
        writer.tokenizer.decode(made, skip_special_tokens=True),
        finish,
        len(made),
        first_ns / 1e6,
        last_ns / 1e6,
        model_ns / 1e6,
    )


def _likeliest(engine: Any, logits: np.ndarray) -> int | None:
    """The allowed token with the highest logit; None where no token is allowed."""
    if not engine.constrains:
        return int(logits.argmax())
    bits = np.unpackbits(engine.bitmask[0].view(np.uint8), bitorder="little")[: len(logits)].astype(bool)
    if not bits.any():
        return None
    return int(np.where(bits, logits, -np.inf).argmax())


def measure_case(engine: Any, case: Case, tokenizer: Any, writer: Writer | None, progress: Progress) -> Record:
    """Compile, first mask, every instance, one generation; see the module for the record's figures.

    writer: None where there is no model: the record then has no generation. An exception of the engine ends the case, with `status`
    "refused" (raised while compiling or for the first mask) or "error" (later), and the stage.
    """
    record: Record = {"status": "ok", "stage": "compile", "n_tests": len(case.tests)}

    def enter(stage: str) -> None:
        record["stage"] = stage
        progress(record)

    try:
        enter("compile")
        started = perf_counter_ns()
        engine.compile(case.schema)
        compiled = perf_counter_ns()
        record["compile_ms"] = (compiled - started) / 1e6
        enter("first mask")
        begun = perf_counter_ns()
        engine.reset()
        engine.fill()
        record["first_mask_ms"] = record["compile_ms"] + (perf_counter_ns() - begun) / 1e6
        enter("instances")
        times, record["over"], record["under"] = replay(engine, case, tokenizer)
        record["mask_us"] = [round(us, 2) for us in times]
        if writer is not None:
            enter("generation")
            made = generate(engine, writer, json.dumps(case.schema, ensure_ascii=False))
            record |= _generation_figures(made, record["compile_ms"])
            enter("validation")
            record["compliant"] = is_compliant(made.text, case.schema) if made.finish == "stop" else False
        record["stage"] = ""
    except MemoryError as error:
        record |= {"status": "memory", "reason": f"MemoryError: {error}"[:MAX_REASON]}
    except Exception as error:  # an engine may raise anything; each is a row
        early = record["stage"] in ("compile", "first mask")
        record |= {"status": "refused" if early else "error", "reason": _reason(error)}
        if isinstance(error, LimitExceeded):
            record["limit"] = error.name
    return record


def replay(engine: Any, case: Case, tokenizer: Any) -> tuple[list[float], list[int], list[int]]:
    """(µs of every mask and its token, numbers of the valid instances refused, of the invalid ones accepted)."""
    times: list[float] = []
    over: list[int] = []
    under: list[int] = []
    for number, test in enumerate(case.tests):
        ids = tokenizer.encode(json.dumps(test.data, ensure_ascii=False), add_special_tokens=False)
        engine.reset()
        accepted = True
        for token_id in ids:
            begun = perf_counter_ns()
            engine.fill()
            accepted = engine.commit(token_id)
            times.append((perf_counter_ns() - begun) / 1e3)
            if not accepted:
                break
        accepted = accepted and engine.may_end()
        if accepted != test.valid:
            (under if accepted else over).append(number)
    return times if engine.constrains else [], over, under


def measure_task(engine: Any, task: Any, writer: Writer, progress: Progress) -> Record:
    """A task with a known answer: generate from its prompt under its schema, count the fields that are right.

    task: `structgen.tiny.tasks.Example`. The record has the counts of `structgen.tiny.evaluate.score`: `right` leaves of `expected`,
    `exact` answers, `invalid` ones that are not JSON.
    """
    from structgen.tiny.evaluate import score

    record: Record = {"status": "ok", "stage": "compile"}
    try:
        progress(record)
        started = perf_counter_ns()
        engine.compile(task.schema)
        compile_ms = (perf_counter_ns() - started) / 1e6
        record |= {"stage": "generation", "compile_ms": compile_ms}
        progress(record)
        made = generate(engine, writer, task.prompt)
        record |= _generation_figures(made, compile_ms)
        counts = score(task, made.text)
        record |= {"right": counts.right, "expected": counts.expected, "exact": counts.exact, "invalid": counts.invalid}
        record["stage"] = ""
    except MemoryError as error:
        record |= {"status": "memory", "reason": f"MemoryError: {error}"[:MAX_REASON]}
    except Exception as error:
        record |= {"status": "refused" if record["stage"] == "compile" else "error", "reason": _reason(error)}
    if "right" not in record:
        empty = score(task, "")
        record |= {"right": 0, "expected": empty.expected, "exact": 0, "invalid": 1}
    return record


def _generation_figures(made: Generated, compile_ms: float) -> Record:
    return {
        "text": made.text,
        "finish": made.finish,
        "n_tokens": made.n_tokens,
        "ttft_ms": compile_ms + made.first_ms if made.n_tokens else None,
        "tpot_ms": made.tpot_ms(),
        "model_ms": made.model_ms,
    }


def is_compliant(text: str, schema: Any) -> bool | None:
    """Whether a text is one JSON value that is valid under the schema, formats asserted; None where `jsonschema` cannot tell.

    It cannot where the schema refers to a document that is not there, or has a pattern that Python's `re` does not read.
    """
    import jsonschema
    import referencing

    try:
        value = json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return False
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        validator = kind(schema, format_checker=kind.FORMAT_CHECKER, registry=referencing.Registry())
        return bool(validator.is_valid(value))
    except Exception as error:  # references, patterns and recursion fail in many ways; the record then has no verdict
        if isinstance(error, MemoryError):
            raise
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    origin = "" if isinstance(error, StructgenError | ValueError) else f"{type(error).__name__}: "
    return f"{origin}{first}"[:MAX_REASON]
