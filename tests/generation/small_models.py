"""Small random models with byte-level tokenizers, made in memory."""

from __future__ import annotations

import functools
from typing import Any

MERGES = ['{"', '":', '",', '"}', "ab", "12", "tr", "tru", "true", "}}", "na", "nam", "name", "],", "Ġ1"]


@functools.cache
def byte_level_tokenizer(*, chat: bool = False) -> Any:
    """All bytes, a few merges, `<end>` (the end token) and `<turn>` (special)."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    pairs = []
    for text in MERGES:
        left, right = _split(text.replace(" ", "Ġ"), vocabulary)
        pairs.append((left, right))
        vocabulary[left + right] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<end>", "<turn>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>")
    if chat:
        tokenizer.chat_template = (
            "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
            "<turn>{{ m.role }}: {{ m.content }}{% endfor %}{% if add_generation_prompt %}<turn>{% endif %}"
        )
    return tokenizer


def _split(text: str, vocabulary: dict[str, int]) -> tuple[str, str]:
    for at in range(len(text) - 1, 0, -1):
        if text[:at] in vocabulary and text[at:] in vocabulary:
            return text[:at], text[at:]
    raise ValueError(f"add the parts of {text!r} before it")


@functools.cache
def small_llama(seed: int = 0, *, width: int = 0, context: int = 512) -> Any:
    """A Llama of random weights. width: of the logits; 0: the tokenizer's size rounded up to 32 (so there is padding)."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    size = len(byte_level_tokenizer())
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=width or (size + 31) // 32 * 32,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.4,
        eos_token_id=byte_level_tokenizer().eos_token_id,
        bos_token_id=None,
        pad_token_id=None,
    )
    return LlamaForCausalLM(config).eval()
