"""The forward passes of many sequences at once: rows join and leave while the others go on.

In: a model; token lists, one per row. Out: the logits after each row's last token. Rows are fed different numbers of tokens in one pass
(forced ones come along with the next drawn one), so a pass may leave holes in a row's cache; they are masked, and when they are
many the caches are packed again. A prompt is read in a pass of its own with the other new prompts, and its cache then joined to the rest:
no row that is decoding pays for its width (continuous batching as in Orca, Yu et al. 2022, with prompts apart).

Rows without a cache of this kind (recurrent states, sliding windows) are run one after the other, `SeparateRows`: right, and no faster
than alone.

Turned down: left-padding every row to the longest prompt for the whole of a batch (a long one makes every step of the others dearer); one
pass for prompts and steps together (the block is as wide as the longest prompt).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from structgen.errors import ModelError
from structgen.generation.models import CachedForward, device_of, takes

# Holes in the caches, as a part of their length, from which on they are packed.
_LOOSE = 0.25

Logits = npt.NDArray[np.float32]


class Rows(Protocol):
    """Sequences of one model that are fed together, in the order in which they were added."""

    def add(self, prompts: Sequence[Sequence[int]]) -> Logits:
        """Read prompts (each of at least one token) and put them behind the other rows; float32 [prompts, logits width]."""

    def step(self, tokens: Sequence[Sequence[int]]) -> Logits:
        """Append tokens to every row (at least one each); float32 [rows, logits width]."""

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all rows but these (numbers, ascending)."""


class SeparateRows:
    """Rows that are run one after the other."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._rows: list[CachedForward] = []

    def add(self, prompts: Sequence[Sequence[int]]) -> Logits:
        new = [CachedForward(self._model) for _ in prompts]
        logits = np.stack([row(prompt) for row, prompt in zip(new, prompts, strict=True)])
        self._rows += new
        return logits

    def step(self, tokens: Sequence[Sequence[int]]) -> Logits:
        return np.stack([row(one) for row, one in zip(self._rows, tokens, strict=True)])

    def keep(self, rows: Sequence[int]) -> None:
        self._rows = [self._rows[i] for i in rows]


class PaddedRows:
    """Rows that share a key-value cache, each with a mask of its own."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._device = device_of(model)
        self._extra = {"logits_to_keep": 1} if takes(type(model), "logits_to_keep") else {}
        self._positions = takes(type(model), "position_ids")
        self._past: Any = None
        self._filled: npt.NDArray[np.bool_] = np.zeros((0, 0), np.bool_)  # [rows, cache length], false: a hole

    def add(self, prompts: Sequence[Sequence[int]]) -> Logits:
        filled = self._block(prompts)
        logits, past = self._forward(prompts, filled, None, np.zeros((len(prompts), 0), np.bool_))
        if self._past is None:
            self._past, self._filled = past, filled
        else:
            self._join(past, filled)
        return logits

    def step(self, tokens: Sequence[Sequence[int]]) -> Logits:
        block = self._block(tokens)
        logits, self._past = self._forward(tokens, block, self._past, self._filled)
        self._filled = np.concatenate([self._filled, block], axis=1)
        longest = int(self._filled.sum(axis=1).max())
        if self._filled.shape[1] > (1 + _LOOSE) * longest + 16:
            self._pack([(self._past, self._filled)])
        return logits

    def keep(self, rows: Sequence[int]) -> None:
        import torch

        if not rows:
            self._past, self._filled = None, np.zeros((0, 0), np.bool_)
            return
        self._filled = self._filled[list(rows)]
        self._past.batch_select_indices(torch.tensor(list(rows), device=self._device))

    @staticmethod
    def _block(tokens: Sequence[Sequence[int]]) -> npt.NDArray[np.bool_]:
        """Which places of a block that ends with each row's last token are tokens, bool [rows, width]."""
        width = max(map(len, tokens))
        places = np.arange(width)
        return np.stack([places >= width - len(one) for one in tokens])

    def _forward(
        self,
        tokens: Sequence[Sequence[int]],
        block: npt.NDArray[np.bool_],
        past: Any,
        filled: npt.NDArray[np.bool_],
    ) -> tuple[Logits, Any]:
        import torch

        ids = np.zeros(block.shape, np.int64)
        for row, one in enumerate(tokens):
            ids[row, block.shape[1] - len(one) :] = one
        # a token's position is the number of the row's own tokens before it
        places = np.where(block, filled.sum(axis=1, keepdims=True) + np.cumsum(block, axis=1) - 1, 0)
        mask = np.concatenate([filled, block], axis=1)
        more: dict[str, Any] = dict(self._extra)
        if self._positions:
            more["position_ids"] = torch.from_numpy(places).to(self._device)
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.from_numpy(ids).to(self._device),
                attention_mask=torch.from_numpy(mask.astype(np.int64)).to(self._device),
                past_key_values=past,
                use_cache=True,
                **more,
            )
            cache = getattr(output, "past_key_values", None)
            if cache is None:
                raise ModelError(f"{type(self._model).__name__} returns no key-value cache, which decoding needs")
            logits: Logits = output.logits[:, -1].float().cpu().numpy()
        return logits, cache

    def _join(self, past: Any, filled: npt.NDArray[np.bool_]) -> None:
        self._pack([(self._past, self._filled), (past, filled)])

    def _pack(self, parts: list[tuple[Any, npt.NDArray[np.bool_]]]) -> None:
        """One cache without holes but for those before each row's first token, made of the rows of some."""
        import torch

        counts = [int(n) for _, filled in parts for n in filled.sum(axis=1)]
        length = max(counts)
        first, _ = parts[0]
        with torch.inference_mode():
            for number, layer in enumerate(first.layers):
                for name in ("keys", "values"):
                    old = getattr(layer, name)
                    new = old.new_zeros((len(counts), old.shape[1], length, old.shape[3]))
                    at = 0
                    for cache, filled in parts:
                        states = getattr(cache.layers[number], name)
                        for row, own in enumerate(filled):
                            index = torch.from_numpy(np.flatnonzero(own)).to(states.device)
                            new[at, :, length - len(index) :] = states[row].index_select(1, index)
                            at += 1
                    setattr(layer, name, new)
        self._past = first
        self._filled = np.arange(length) >= length - np.array(counts)[:, None]


def rows_of(model: Any) -> Rows:
    """The rows of a model: together where its cache can be cut and joined row by row."""
    return PaddedRows(model) if _is_joinable(model) else SeparateRows(model)


def _is_joinable(model: Any) -> bool:
    from transformers.cache_utils import DynamicCache, DynamicLayer

    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config
    if not takes(type(model), "attention_mask"):
        return False
    try:
        cache = DynamicCache(config=config)
    except (TypeError, ValueError, AttributeError):  # a configuration that says nothing of its layers
        return False
    return all(type(layer) is DynamicLayer for layer in cache.layers)
