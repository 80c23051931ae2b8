"""Train the embedded model from scratch on generated tasks.

Usage: python -m structgen.tiny.train --minutes 90 --work runs/tiny [--seed 1] [--export structgen/tiny/model]
In: nothing but the seed; out: checkpoints in `--work` (a later call with the same folder resumes) and, with `--export`, the model
files that `AutoModelForCausalLM.from_pretrained` and `AutoTokenizer.from_pretrained` read.
Method: a Llama of a few million parameters; matrices by Muon (momentum, then an orthogonal update by Newton-Schulz iteration,
after K. Jordan's description, 2024), embeddings and norms by AdamW; warm-up, constant, linear decay by wall-clock time, so that
any budget ends with a decayed rate; loss on answers, lightly on
prompts (a random share, since the output layer is costly), none on keys that the prompt does not tell.
Batches hold examples of similar length, right-padded: with causal attention padding needs no mask.
The data stream is a function of the seed and the chunk number, so a resumed run sees the same examples; the number of steps in a
time budget depends on the machine, so weights are not bit-for-bit reproducible.
Turned down: packing with block masks (slower on a CPU than buckets), full AdamW (about twice the steps to the same loss).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structgen.tiny.tasks import Example, TaskMaker, dump
from structgen.tiny.tokenizer import ASSISTANT, BEGIN, END, PAD, USER, train_tokenizer, write_tokenizer

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaForCausalLM

__all__ = ["Encoded", "encode", "main", "make_model"]

CONTEXT = 1024
CHUNK = 8192
TOKENIZER_EXAMPLES = 60_000
PROMPT_WEIGHT = 0.3
SPLIT_SHARE = 0.12


@dataclass(slots=True)
class Encoded:
    """Token ids of prompt and answer, and the loss weight of predicting each of them."""

    ids: list[int]
    weights: list[float]


def key_spans(text: str) -> list[tuple[int, int]]:
    """Character ranges of the object keys in a `json.dumps` text, quotes included."""
    spans: list[tuple[int, int]] = []
    start = -1
    place = 0
    while place < len(text):
        char = text[place]
        if char == "\\" and start >= 0:
            place += 2
            continue
        if char == '"':
            if start < 0:
                start = place
            else:
                if text[place + 1 : place + 2] == ":":
                    spans.append((start, place + 1))
                start = -1
        place += 1
    return spans


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of the special tokens by name."""
    vocabulary = tokenizer.get_vocab()
    return {name: vocabulary[name] for name in (PAD, BEGIN, END, USER, ASSISTANT)}


def glue_splits(tokenizer: Tokenizer) -> dict[int, tuple[int, int]]:
    """Tokens such as `": "` and `": [` to the pair of `": ` and the rest, where both are tokens."""
    vocabulary = tokenizer.get_vocab()
    head = '":\u0120'  # the blank of byte-level BPE
    return {
        token_id: (vocabulary[head], vocabulary[token[len(head) :]])
        for token, token_id in vocabulary.items()
        if token.startswith(head) and token[len(head) :] in vocabulary and head in vocabulary
    }


def split_glue(one: Encoded, splits: dict[int, tuple[int, int]], rng: random.Random) -> Encoded:
    """`one` with a few colons parted from the opening of the value.

    Under a constraint the model may take `": ` (a number is coming) where the schema wants a string: it has to have seen what
    follows then. The parted colon has no loss, so that it is not chosen more often.
    """
    ids: list[int] = []
    weights: list[float] = []
    for token, weight in zip(one.ids, one.weights, strict=True):
        if token in splits and rng.random() < SPLIT_SHARE:
            ids += splits[token]
            weights += [0.0, weight]
        else:
            ids.append(token)
            weights.append(weight)
    return Encoded(ids, weights)


def encode(tokenizer: Tokenizer, examples: list[Example]) -> list[Encoded]:
    """Chat form of each example with loss weights: 1 on the answer, PROMPT_WEIGHT on the prompt, 0 on keys nobody can know."""
    special = special_ids(tokenizer)
    prompts = tokenizer.encode_batch_fast([e.prompt for e in examples], add_special_tokens=False)
    answers = tokenizer.encode_batch([dump(e.answer) for e in examples], add_special_tokens=False)
    out = []
    for example, prompt, answer in zip(examples, prompts, answers, strict=True):
        ids = [special[BEGIN], special[USER], *prompt.ids, special[ASSISTANT], *answer.ids, special[END]]
        answer_weights = [1.0] * len(answer.ids)
        end_weight = 1.0
        if not example.keys_known:
            spans = key_spans(dump(example.answer))
            last = len(answer.ids) - 1
            for number, (start, stop) in enumerate(answer.offsets):
                touches = any(start < high and stop > low for low, high in spans)
                # The bracket that closes the object is as unknowable as the next key.
                if touches or number == last:
                    answer_weights[number] = 0.0
        weights = [0.0, 0.0, *[PROMPT_WEIGHT] * len(prompt.ids), 0.0, *answer_weights, end_weight]
        out.append(Encoded(ids, weights))
    return out


def make_model(
    vocab_size: int, hidden: int, layers: int, heads: int, intermediate: int, ids: dict[str, int]
) -> LlamaForCausalLM:
    """A Llama with tied embeddings; `ids` gives the special tokens' ids by name."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=ids[BEGIN],
        eos_token_id=ids[END],
        pad_token_id=ids[PAD],
        attention_dropout=0.0,
    )
    # On a CPU the backward pass of the fused attention takes a third of a step at these lengths; plain matrix products take less.
    model: LlamaForCausalLM = LlamaForCausalLM._from_config(config, attn_implementation="eager")
    return model


def orthogonal(update: torch.Tensor, n_steps: int = 5) -> torch.Tensor:
    """Newton-Schulz iteration towards the nearest orthogonal matrix of `update` (quintic, coefficients of K. Jordan)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = (update / (update.norm() + 1e-7)).bfloat16()
    tall = x.size(0) > x.size(1)
    x = x.T if tall else x
    for _ in range(n_steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    result: torch.Tensor = (x.T if tall else x).float()
    return result


class Muon:
    """Momentum with orthogonalised updates for the matrices of the blocks."""

    def __init__(self, parameters: Sequence[torch.Tensor], momentum: float = 0.95, decay: float = 0.01) -> None:
        import torch

        self.parameters = parameters
        self.momentum = momentum
        self.decay = decay
        self.buffers = [torch.zeros_like(p) for p in parameters]

    def step(self, rate: float) -> None:
        import torch

        with torch.no_grad():
            for parameter, buffer in zip(self.parameters, self.buffers, strict=True):
                gradient = parameter.grad
                if gradient is None:
                    continue
                buffer.lerp_(gradient, 1 - self.momentum)
                update = orthogonal(gradient.lerp(buffer, self.momentum))
                parameter.mul_(1 - rate * self.decay)
                parameter.add_(update, alpha=-rate * max(1.0, parameter.size(0) / parameter.size(1)) ** 0.5)
                parameter.grad = None


def rate_at(fraction: float, step: int, warm_up: int, decay_from: float) -> float:
    """Share of the peak rate: linear warm-up by steps; constant until `decay_from` of the time; linear decay to 2 %."""
    ramp = min(1.0, (step + 1) / warm_up)
    return ramp * max(0.02, min(1.0, (1.0 - fraction) / (1.0 - decay_from)))


def average(parameters: Sequence[torch.Tensor], seconds: float, together: bool) -> float:
    """Replace the gradients by their mean over the processes; returns the `seconds` of rank 0, so that all stop together."""
    if not together:
        return seconds
    import torch
    from torch import distributed

    own = seconds if distributed.get_rank() == 0 else 0.0
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([*(g.reshape(-1) for g in gradients), torch.tensor([own])])
    distributed.all_reduce(flat)
    flat[:-1] /= distributed.get_world_size()
    place = 0
    for gradient in gradients:
        gradient.copy_(flat[place : place + gradient.numel()].view_as(gradient))
        place += gradient.numel()
    return float(flat[-1])


def batches(
    tokenizer: Tokenizer, seed: int, chunks: Iterable[int], limits: tuple[int, int], pieces: list[str]
) -> Iterator[tuple[int, list[Encoded]]]:
    """(chunk number, examples of similar length); limits: padded tokens of a batch, tokens of an example."""
    n_tokens, max_length = limits
    splits = glue_splits(tokenizer)
    for chunk in chunks:
        maker = TaskMaker(seed * 1_000_003 + chunk, held=False, pieces=pieces)
        rng = random.Random(chunk)
        made = encode(tokenizer, list(islice(iter(maker), CHUNK)))
        encoded = [split_glue(e, splits, rng) for e in made if len(e.ids) <= max_length]
        encoded.sort(key=lambda e: len(e.ids) + rng.random() * 6)
        groups: list[list[Encoded]] = []
        group: list[Encoded] = []
        for item in encoded:
            if group and (len(group) + 1) * len(item.ids) > n_tokens:
                groups.append(group)
                group = []
            group.append(item)
        rng.shuffle(groups)
        for one in groups:
            yield chunk, one


def collate(group: list[Encoded], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """inputs, targets: int64 [batch, length]; weights: float32 [batch, length]."""
    import torch

    length = max(len(e.ids) for e in group) - 1
    inputs = torch.full((len(group), length), pad)
    targets = torch.zeros((len(group), length), dtype=torch.long)
    weights = torch.zeros((len(group), length))
    for row, item in enumerate(group):
        ids = torch.tensor(item.ids)
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, : len(ids) - 1] = ids[1:]
        weights[row, : len(ids) - 1] = torch.tensor(item.weights[1:])
    return inputs, targets, weights


def save_atomically(write: Any, path: Path) -> None:
    """Call `write(temporary path)` and move the result to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    write(temporary)
    temporary.replace(path)


def export(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files of a Hugging Face model, bfloat16 weights without the tied copy of the embeddings."""
    import torch
    from safetensors.torch import save_file

    tensors = {
        name: tensor.detach().to(torch.bfloat16).contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"
    }
    save_atomically(lambda p: save_file(tensors, str(p), metadata={"format": "pt"}), folder / "model.safetensors")
    config = model.config.to_dict()
    config.update(architectures=["LlamaForCausalLM"], dtype="bfloat16")
    config.pop("_name_or_path", None)
    ids = {
        "bos_token_id": config["bos_token_id"],
        "eos_token_id": config["eos_token_id"],
        "pad_token_id": config["pad_token_id"],
    }
    for name, content in (("config.json", config), ("generation_config.json", {**ids, "do_sample": False})):
        text = json.dumps(content, indent=2, sort_keys=True) + "\n"
        save_atomically(lambda p, text=text: p.write_text(text, encoding="utf-8"), folder / name)
    write_tokenizer(tokenizer, folder, CONTEXT)


def load_tokenizer(work: Path, seed: int) -> Tokenizer:
    """The tokenizer of the run, trained on the first call."""
    from tokenizers import Tokenizer

    path = work / "tokenizer.json"
    if not path.exists():
        maker = TaskMaker(seed * 7919, held=False)
        texts = (text for e in islice(iter(maker), TOKENIZER_EXAMPLES) for text in (e.prompt, dump(e.answer)))
        tokenizer = train_tokenizer(texts)
        save_atomically(lambda p: tokenizer.save(str(p)), path)
    return Tokenizer.from_file(str(path))


def letter_pieces(tokenizer: Tokenizer) -> list[str]:
    """Tokens of ASCII letters, longer than one: raw material for invented words."""
    return sorted(token for token in tokenizer.get_vocab() if token.isascii() and token.isalpha() and len(token) > 1)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Command-line options."""
    parser = argparse.ArgumentParser(description="Train the embedded model of structgen.")
    parser.add_argument(
        "--minutes", type=float, default=90.0, help="wall-clock budget of this and earlier calls together"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoint and the tokenizer")
    parser.add_argument(
        "--export", type=Path, default=None, help="folder for the finished model, also written at checkpoints"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--intermediate", type=int, default=512)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument(
        "--prompt-share", type=float, default=0.15, help="share of the prompt's tokens that enter the loss"
    )
    parser.add_argument("--max-length", type=int, default=400, help="longer examples are left out")
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=0.003)
    parser.add_argument("--decay-from", type=float, default=0.3, help="share of the budget after which the rate falls")
    parser.add_argument(
        "--compile", action="store_true", help="compile the blocks (a minute once, then 1.3 times faster)"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that share a batch (better than threads on a busy machine)"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpoint-minutes", type=float, default=5.0)
    parser.add_argument(
        "--float32", action="store_true", help="no bfloat16 autocast (it is 1.3 to 1.6 times faster on AVX-512 BF16)"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Train until the budget is used up, with `--workers` processes that average their gradients."""
    options = parse(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    load_tokenizer(options.work, options.seed)
    if options.workers == 1:
        work(0, options)
        return
    from torch.multiprocessing.spawn import spawn

    with tempfile.TemporaryDirectory() as folder:
        spawn(work, args=(options, f"file://{folder}/meeting"), nprocs=options.workers)  # type: ignore[no-untyped-call]


def work(rank: int, options: argparse.Namespace, meeting: str = "") -> None:
    """The training loop of one process; rank 0 keeps the time, prints and saves."""
    import torch
    from torch import distributed
    from torch.nn import functional

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    if meeting:
        distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=options.workers)
    tokenizer = load_tokenizer(options.work, options.seed)
    ids = special_ids(tokenizer)
    model = make_model(
        tokenizer.get_vocab_size(), options.hidden, options.layers, options.heads, options.intermediate, ids
    )
    if rank == 0:
        print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    matrices = [
        p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name and "lm_head" not in name
    ]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, lr=options.adam_rate, betas=(0.9, 0.98), weight_decay=0.0)
    step, chunk, used = 0, 0, 0.0
    path = options.work / "checkpoint.pt"
    if path.exists():
        state = torch.load(path)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        for buffer, saved in zip(muon.buffers, state["muon"], strict=True):
            buffer.copy_(saved)
        step, chunk, used = state["step"], state["chunk"] + options.workers, state["seconds"]
        if rank == 0:
            print(f"resumed at step {step}, {used / 60:.1f} minutes used", flush=True)

    if options.compile:
        torch._dynamo.config.recompile_limit = 64
        for block in model.model.layers:
            block.compile(dynamic=True)

    def checkpoint() -> None:
        if rank > 0:
            return
        state = {
            "model": model.state_dict(),
            "adam": adam.state_dict(),
            "muon": muon.buffers,
            "step": step,
            "chunk": chunk,
            "seconds": used + time.monotonic() - begun,
        }
        save_atomically(lambda p: torch.save(state, p), path)
        if options.export is not None:
            export(model, tokenizer, options.export)

    begun = time.monotonic()
    if options.export is not None and step == 0 and rank == 0:
        export(model, tokenizer, options.export)
    budget = options.minutes * 60
    last_saved = last_shown = begun
    sums = [0.0, 0.0, 0.0, 0.0]
    parameters = [*matrices, *others]
    pieces = letter_pieces(tokenizer)
    limits = (options.batch_tokens // options.workers, options.max_length)
    torch.manual_seed(options.seed * 1000 + step * options.workers + rank)
    for number, group in batches(
        tokenizer, options.seed, range(chunk + rank, sys.maxsize, options.workers), limits, pieces
    ):
        chunk = number - rank
        inputs, targets, weights = collate(group, ids[PAD])
        picked = (weights >= 1) | ((weights > 0) & (torch.rand_like(weights) < options.prompt_share))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not options.float32):
            hidden = model.model(inputs, use_cache=False).last_hidden_state
            logits = model.lm_head(hidden[picked])
        losses = functional.cross_entropy(logits.float(), targets[picked], reduction="none")
        marks = weights[picked]
        loss = (losses * marks).sum() / marks.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        elapsed = average(parameters, used + time.monotonic() - begun, meeting != "")
        if elapsed >= budget:
            break
        scale = rate_at(elapsed / budget, step, 80, options.decay_from)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for part in adam.param_groups:
            part["lr"] = options.adam_rate * scale
        adam.step()
        adam.zero_grad(set_to_none=True)
        muon.step(options.muon_rate * scale)
        step += 1
        answers = marks >= 1
        sums[0] += float(losses.detach()[answers].sum())
        sums[1] += float(answers.sum())
        sums[2] += float((logits.detach()[answers].argmax(-1) == targets[picked][answers]).sum())
        sums[3] += inputs.numel()
        now = time.monotonic()
        if rank == 0 and now - last_shown > 30:
            print(
                f"{elapsed / 60:6.1f} min  step {step:6d}  chunk {chunk:4d}  answer loss {sums[0] / sums[1]:.4f}  "
                f"token accuracy {sums[2] / sums[1]:.4f}  {options.workers * sums[3] / (now - last_shown):.0f} tokens/s  rate {scale:.3f}",
                flush=True,
            )
            sums, last_shown = [0.0, 0.0, 0.0, 0.0], now
        if now - last_saved > options.checkpoint_minutes * 60:
            checkpoint()
            last_saved = time.monotonic()
    checkpoint()
    if rank == 0:
        print(f"finished: {step} steps, {(used + time.monotonic() - begun) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
