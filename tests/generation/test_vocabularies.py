"""Vocabularies by name: width and end tokens from the configuration files, no weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from structgen.errors import ModelError, TokenizerError
from structgen.generation.vocabularies import load_vocabulary

N_TOKENS = 258


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A byte-level tokenizer of all bytes and two special tokens, saved as transformers does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<end>", "<turn>"])
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>").save_pretrained(tmp_path)
    return tmp_path


def test_tokenizer_alone_has_its_own_width(folder: Path) -> None:
    vocabulary = load_vocabulary(str(folder))
    assert vocabulary.size == N_TOKENS
    assert vocabulary.stop_token_ids == (256,)


def test_configurations_add_padding_and_end_tokens(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "vocab_size": 320, "eos_token_id": 256}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [256, 257, 5000]}))
    vocabulary = load_vocabulary(str(folder))
    assert vocabulary.size == 320
    assert vocabulary.stop_token_ids == (256, 257)
    assert vocabulary.token_bytes[257:] == [None] * 63


def test_model_narrower_than_its_tokenizer_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "vocab_size": 100}))
    with pytest.raises(ModelError, match="smaller"):
        load_vocabulary(str(folder))


@pytest.mark.parametrize("name", ["", "  "])
def test_empty_name_is_refused(name: str) -> None:
    with pytest.raises(TokenizerError, match="empty"):
        load_vocabulary(name)


def test_folder_without_a_tokenizer_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="cannot load the tokenizer") as raised:
        load_vocabulary(str(tmp_path))
    assert "\n" not in str(raised.value)
