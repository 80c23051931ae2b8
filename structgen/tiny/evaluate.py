"""Field accuracy of the embedded model on held-out tasks.

Usage: python -m structgen.tiny.evaluate [--count 400] [--seed 20] [--constrained] [--model FOLDER] [--show 5] [--seen]
In: a model folder; out: field accuracy and exact answers, per family and in all, as a table (and JSON with `--json`).
What is counted: the leaves of the expected answer (objects and lists are opened, lists by position; an empty list, null and a
bare top-level value are one leaf). A leaf is right when the answer holds an equal value at the same path (numbers by value, true
is not 1). Field accuracy is right leaves over all expected leaves; extra leaves are counted separately as `extra`.
Unconstrained: greedy decoding, `json.loads` of the text; text that does not parse has no right leaf. These runs use only examples
whose prompt determines the key names. Constrained: greedy decoding under each example's own schema through structgen's matcher;
all examples take part.
Held-out means phrases and values that training never sees: see tasks_families.py and tasks_words.py. `--seen` measures on fresh
examples of the training distribution instead.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structgen.tiny import path
from structgen.tiny.tasks import Example, TaskMaker, dump

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

__all__ = ["Score", "examples", "generate_free", "leaves", "main", "score"]

MISSING = object()


@dataclass(slots=True)
class Score:
    """Counts over examples."""

    right: int = 0
    expected: int = 0
    extra: int = 0
    exact: int = 0
    invalid: int = 0
    n: int = 0

    def add(self, other: Score) -> None:
        """Add the counts of `other`."""
        for name in ("right", "expected", "extra", "exact", "invalid", "n"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def field_accuracy(self) -> float:
        """Right leaves over expected leaves."""
        return self.right / max(1, self.expected)


def leaves(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """(path, value) of every leaf; empty containers are leaves."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*place, key))
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from leaves(item, (*place, number))
    else:
        yield place, value


def same(a: Any, b: Any) -> bool:
    """JSON equality of two leaves: numbers by value, booleans are no numbers."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b
    return type(a) is type(b) and bool(a == b)


def score(example: Example, text: str) -> Score:
    """Compare the text of an answer with the expected answer."""
    wanted = dict(leaves(example.answer))
    try:
        found = dict(leaves(json.loads(text)))
    except json.JSONDecodeError:
        return Score(expected=len(wanted), invalid=1, n=1)
    right = sum(same(value, found.get(place, MISSING)) for place, value in wanted.items())
    extra = sum(place not in wanted for place in found)
    return Score(right, len(wanted), extra, int(right == len(wanted) and extra == 0), 0, 1)


def examples(count: int, seed: int, held: bool = True, constrained: bool = False) -> list[Example]:
    """`count` examples; without the constraint only those whose prompt determines the keys."""
    stream = iter(TaskMaker(seed, held=held))
    return list(islice((e for e in stream if constrained or e.keys_known), count))


def generate_free(model: LlamaForCausalLM, tokenizer: Any, prompts: list[str], max_new_tokens: int = 256) -> list[str]:
    """Greedy answers without a constraint, in one left-padded batch."""
    import torch

    chats = [[{"role": "user", "content": prompt}] for prompt in prompts]
    inputs = tokenizer.apply_chat_template(
        chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        out = model.generate(  # type: ignore[misc]
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
    return [str(t) for t in tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)]


def generate_constrained(
    model: LlamaForCausalLM, tokenizer: Any, tasks: list[Example], max_new_tokens: int = 256, forced: bool = False
) -> list[str]:
    """Greedy answers, each under its own schema, with structgen's masks and a KV cache.

    forced: text that the schema forces is taken in its canonical tokens, without asking the model.
    """
    import numpy as np
    import torch

    import structgen

    width = int(model.config.vocab_size)
    vocabulary = structgen.Vocabulary.from_tokenizer(tokenizer, vocab_size=width)
    compiler = structgen.Compiler(vocabulary)
    bitmask = structgen.allocate_token_bitmask(1, vocabulary.size)
    end = int(tokenizer.eos_token_id)
    texts = []
    for task in tasks:
        matcher = compiler.compile_json_schema(task.schema).matcher()
        chat = [{"role": "user", "content": task.prompt}]
        ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)[
            "input_ids"
        ]
        cache: Any = None
        made: list[int] = []
        with torch.inference_mode():
            while len(made) < max_new_tokens:
                sure = matcher.forced_tokens() if forced else []
                for token in sure:
                    matcher.accept_token(token)
                if sure:
                    made += sure
                    ids = torch.cat([ids, torch.tensor([sure])], dim=1)
                out = model(input_ids=ids, past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                logits = out.logits[0, -1].float().numpy()
                matcher.fill_next_token_bitmask(bitmask, 0)
                bits = np.unpackbits(bitmask[0].view(np.uint8), bitorder="little")[:width].astype(bool)
                token = int(np.where(bits, logits, -np.inf).argmax())
                if token == end:
                    break
                if not matcher.accept_token(token):
                    raise structgen.StructgenError(f"the mask allowed token {token}, the matcher did not")
                made.append(token)
                ids = torch.tensor([[token]])
        texts.append(str(tokenizer.decode(made, skip_special_tokens=True)))
    return texts


def main(arguments: list[str] | None = None) -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(description="Measure the embedded model on held-out tasks.")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--constrained", action="store_true", help="decode under each example's schema")
    parser.add_argument("--forced", action="store_true", help="with --constrained: forced text in its canonical tokens")
    parser.add_argument(
        "--all", action="store_true", help="without the constraint too: every example, also those with unknowable keys"
    )
    parser.add_argument(
        "--seen", action="store_true", help="fresh examples of the training half instead of the held-out half"
    )
    parser.add_argument("--model", type=Path, default=path())
    parser.add_argument("--show", type=int, default=0, help="print this many examples that are not exact")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args(arguments)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    tasks = examples(options.count, options.seed, held=not options.seen, constrained=options.constrained or options.all)
    begun = time.perf_counter()
    if options.constrained:
        texts = generate_constrained(model, tokenizer, tasks, forced=options.forced)
    else:
        order = sorted(range(len(tasks)), key=lambda i: len(tasks[i].prompt))
        texts = [""] * len(tasks)
        for start in range(0, len(order), 40):
            part = order[start : start + 40]
            for i, text in zip(part, generate_free(model, tokenizer, [tasks[i].prompt for i in part]), strict=True):
                texts[i] = text
    seconds = time.perf_counter() - begun
    table: dict[str, Score] = defaultdict(Score)
    shown = 0
    for task, text in zip(tasks, texts, strict=True):
        one = score(task, text)
        table[task.family].add(one)
        table["all"].add(one)
        if not one.exact and shown < options.show:
            shown += 1
            print(f"--- {task.family}\n{task.prompt}\n  wanted {dump(task.answer)}\n  got    {text}")
    print(f"{'family':10} {'n':>5} {'fields':>7} {'accuracy':>9} {'exact':>7} {'extra':>6} {'invalid':>8}")
    for name, total in sorted(table.items(), key=lambda pair: pair[0] == "all"):
        exact = total.exact / max(1, total.n)
        print(
            f"{name:10} {total.n:5d} {total.expected:7d} {total.field_accuracy():9.4f} {exact:7.3f} {total.extra:6d} {total.invalid:8d}"
        )
    print(f"{seconds:.1f} s")
    if options.json is not None:
        options.json.write_text(
            json.dumps({name: vars_of(total) for name, total in table.items()}, indent=1) + "\n", encoding="utf-8"
        )


def vars_of(total: Score) -> dict[str, float]:
    """The counts of a score and its field accuracy."""
    counts: dict[str, float] = {name: getattr(total, name) for name in Score.__slots__}
    return {**counts, "field_accuracy": total.field_accuracy()}


if __name__ == "__main__":
    main()
