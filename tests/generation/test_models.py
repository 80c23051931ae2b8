"""Models: loading by object and by path, what belongs to them, the cached forward pass, prompts."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from structgen.errors import ModelError, PromptError, TokenizerError
from structgen.generation import models
from structgen.generation.models import (
    CachedForward,
    check_prompt,
    evaluation_mode,
    load_model,
    prompt_tokens,
)
from tests.generation.small_models import byte_level_tokenizer, small_llama


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    models.clear_models()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    small_llama().save_pretrained(path)
    byte_level_tokenizer().save_pretrained(path)
    return path


def test_cached_forward_equals_one_pass_however_it_is_cut() -> None:
    model = small_llama()
    ids = [5, 17, 100, 250, 3, 3, 66, 9]
    with torch.inference_mode():
        wanted = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    for cuts in ([8], [1] * 8, [3, 1, 4], [2, 6]):
        forward, at = CachedForward(model), 0
        for length in cuts:
            row = forward(ids[at : at + length])
            at += length
            assert row.dtype == np.float32
            assert row == pytest.approx(wanted[at - 1], abs=1e-4)


def test_loaded_object_is_derived_from_once() -> None:
    model, tokenizer = small_llama(), byte_level_tokenizer()
    first, second = load_model(model, tokenizer), load_model(model, tokenizer)
    assert first.vocabulary is second.vocabulary
    assert first.compiler is second.compiler
    assert first.vocabulary.size == model.config.vocab_size > len(tokenizer)
    assert first.vocabulary.stop_token_ids == (tokenizer.eos_token_id,)
    assert first.context == 512
    assert load_model(model, byte_level_tokenizer(chat=True)).vocabulary is not first.vocabulary


def test_tokens_added_later_are_seen() -> None:
    import copy

    model, tokenizer = small_llama(), copy.deepcopy(byte_level_tokenizer())
    before = load_model(model, tokenizer).vocabulary
    tokenizer.add_tokens(["<new>"])
    after = load_model(model, tokenizer).vocabulary
    assert b"<new>" in after.token_bytes
    assert b"<new>" not in before.token_bytes


def test_nothing_keeps_a_loaded_object_alive() -> None:
    model = small_llama.__wrapped__(9)
    load_model(model, byte_level_tokenizer())
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_models_by_path_are_loaded_once_and_few_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_model(str(folder))
    assert load_model(folder).model is first.model
    assert not first.model.training
    assert first.vocabulary.token_bytes == load_model(small_llama(), byte_level_tokenizer()).vocabulary.token_bytes
    assert load_model(folder, byte_level_tokenizer(chat=True)).tokenizer.chat_template
    assert load_model(folder, str(folder)).tokenizer is first.tokenizer
    monkeypatch.setattr(models, "_pretrained_model", lambda name: small_llama.__wrapped__(len(name)))
    for n in range(models._MAX_NAMED + 2):
        load_model("x" * (n + 1), byte_level_tokenizer())
    assert len(models._named) == models._MAX_NAMED


def test_a_model_from_a_folder_brings_its_tokenizer(folder: Path) -> None:
    from transformers import AutoModelForCausalLM

    loaded = load_model(AutoModelForCausalLM.from_pretrained(folder))
    assert len(loaded.tokenizer) == len(byte_level_tokenizer())


def test_end_tokens_come_from_tokenizer_and_configurations() -> None:
    model = small_llama.__wrapped__(4)
    turn = byte_level_tokenizer().convert_tokens_to_ids("<turn>")
    model.generation_config.eos_token_id = [turn, 999_999]
    vocabulary = load_model(model, byte_level_tokenizer()).vocabulary
    assert vocabulary.stop_token_ids == (byte_level_tokenizer().eos_token_id, turn)


def test_evaluation_mode_is_undone() -> None:
    model = small_llama.__wrapped__(5).train()
    with evaluation_mode(model):
        assert not model.training
    assert model.training
    with pytest.raises(KeyError), evaluation_mode(model):
        raise KeyError
    assert model.training


class NoCache(torch.nn.Module):
    """A causal model that returns logits alone."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = small_llama()
        self.config = self.inner.config

    def get_output_embeddings(self) -> Any:
        return self.inner.get_output_embeddings()

    def forward(self, input_ids: Any, past_key_values: Any = None, use_cache: bool = True) -> Any:
        output = self.inner(input_ids=input_ids, use_cache=False)
        return type("Output", (), {"logits": output.logits, "past_key_values": None})()


def test_a_model_without_cache_is_refused() -> None:
    with pytest.raises(ModelError, match="cache"):
        CachedForward(NoCache())([1, 2])


@pytest.mark.parametrize(
    ("model", "tokenizer", "error", "reason"),
    [
        (3, None, ModelError, "got int"),
        (torch.nn.Linear(2, 2), None, ModelError, "got Linear"),
        ("", None, ModelError, "empty"),
        ("/no/such/folder", None, ModelError, "no such folder"),
        (small_llama(), None, ModelError, "give tokenizer="),
        (small_llama(), "/no/such/folder", TokenizerError, "no such folder"),
        (small_llama(), 3, TokenizerError, "got int"),
        (small_llama(1, width=100), byte_level_tokenizer(), ModelError, "smaller than the tokenizer's"),
    ],
)
def test_bad_models_and_tokenizers_are_named(model: Any, tokenizer: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        load_model(model, tokenizer)


def test_a_folder_without_a_model_or_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot load the model"):
        load_model(tmp_path)
    small_llama().save_pretrained(tmp_path)
    with pytest.raises(TokenizerError, match="cannot load the tokenizer"):
        load_model(tmp_path)


def test_encoder_decoder_models_are_refused() -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=300, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    with pytest.raises(ModelError, match="encoder-decoder"):
        load_model(T5ForConditionalGeneration(config), byte_level_tokenizer())


def test_chat_template_is_applied_to_text_and_messages() -> None:
    chat = byte_level_tokenizer(chat=True)
    rendered = prompt_tokens(chat, "hi", None)
    assert chat.decode(rendered) == "<turn>user: hi<turn>"
    assert rendered == prompt_tokens(chat, [{"role": "user", "content": "hi"}], None)
    assert chat.decode(prompt_tokens(chat, "hi", "be brief")) == "<turn>system: be brief<turn>user: hi<turn>"
    plain = byte_level_tokenizer()
    assert prompt_tokens(plain, "hi", None) == plain("hi")["input_ids"]


def test_messages_need_a_template_that_takes_them() -> None:
    with pytest.raises(PromptError, match="no chat template"):
        prompt_tokens(byte_level_tokenizer(), [{"role": "user", "content": "hi"}], None)
    with pytest.raises(PromptError, match="no chat template"):
        prompt_tokens(byte_level_tokenizer(), "hi", "system")
    with pytest.raises(PromptError, match="no tools here"):
        prompt_tokens(byte_level_tokenizer(chat=True), [{"role": "tool", "content": "hi"}], None)


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ([], "empty"),
        (None, "not NoneType"),
        (b"bytes", "not bytes"),
        (3, "not int"),
        ([{"role": "user"}], "message 0"),
        ([{"role": "user", "content": "x"}, "text"], "message 1"),
        ("a\ud800b", r"U\+D800 at character 1"),
        ([{"role": "user", "content": "\udfff"}], "lone surrogate"),
    ],
)
def test_bad_prompts_are_named(prompt: Any, reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        check_prompt(prompt, None)


def test_bad_system_texts_are_named() -> None:
    with pytest.raises(PromptError, match="system must be"):
        check_prompt("hi", 3)
    with pytest.raises(PromptError, match="lone surrogate"):
        check_prompt("hi", "\ud800")
