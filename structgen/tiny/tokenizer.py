"""The tokenizer of the embedded model: byte-level BPE of 4,096 tokens.

Purpose: train it on generated tasks and write `tokenizer.json` and `tokenizer_config.json` for transformers.
In: an iterable of texts; out: a `tokenizers.Tokenizer`.
Choices that help a small model to copy: a blank is always a token of its own, so that a word has the same tokens after a blank in
the prompt and after a quote in the answer; digits stand alone; camelCase splits; the glue of JSON (`": "`, `", "`, `"}`) may
become single tokens. All 256 bytes are in the vocabulary, so every text has a spelling.
Turned down: GPT-2's split, where " Ada" and "Ada" are unrelated tokens and copying has to be learned for each pair.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["ASSISTANT", "BEGIN", "END", "PAD", "USER", "VOCABULARY_SIZE", "train_tokenizer", "write_tokenizer"]

VOCABULARY_SIZE = 4096
PAD, BEGIN, END, USER, ASSISTANT = "<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"
SPECIAL = (PAD, BEGIN, END, USER, ASSISTANT)

SPLIT_PATTERN = "|".join(
    (
        r"[0-9]",
        r"\p{Lu}?[\p{Ll}\p{M}]+",
        r"\p{Lu}+(?![\p{Ll}])",
        r"[\p{Lo}\p{Lm}\p{M}]+",
        r'["\]}]*[,:] ["\[{]*',
        r'[{\[]+"?',
        r'"?[\]}]+',
        r"[\s\S]",
    )
)

CHAT_TEMPLATE = (
    "<|begin|>{% for message in messages %}{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
    "{% else %}<|user|>{{ message['content'] }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocab_size: int = VOCABULARY_SIZE) -> Tokenizer:
    """Byte-level BPE over `texts`; the special tokens have the ids 0 to 4 in the order of `SPECIAL`."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` (with the chat template) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BEGIN,
        "eos_token": END,
        "pad_token": PAD,
        "additional_special_tokens": [USER, ASSISTANT],
        "model_max_length": context,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
