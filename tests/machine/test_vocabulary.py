"""Vocabulary: the bytes of every token against the tokenizer's own decoder, canonical tokenisation, and refusals with reasons."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers

from structgen.errors import ModelError, TokenizerError
from structgen.vocabulary import Vocabulary

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "tokenizers"
NAMES = ("gpt2", "mistral", "llama3")
TEXTS = [
    '{"a": 1, "b": [true, null], "text": "x  y\\n"}',
    "The quick brown fox\n\n\tjumps 12345 times.",
    "日本語 Ω café 😀",
    "<|eot_id|> <s> </s> [INST] <|endoftext|>",
    " leading and trailing ",
]
_loaded: dict[str, tuple[Any, Vocabulary]] = {}


def load(name: str) -> tuple[Any, Vocabulary]:
    if name not in _loaded:
        if not (SHARED / name / "tokenizer.json").exists():
            pytest.skip(f"no tokenizer at {SHARED / name}")
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(SHARED / name))
        _loaded[name] = tokenizer, Vocabulary.from_tokenizer(tokenizer)
    return _loaded[name]


def byte_level(alphabet: list[str], merges: list[tuple[str, str]], **normal: Any) -> tokenizers.Tokenizer:
    tokens = [*alphabet, *("".join(pair) for pair in merges), "<eos>"]
    tokenizer = tokenizers.Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<eos>"])
    for name, part in normal.items():
        setattr(tokenizer, name, part)
    return tokenizer


ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


def sentence_piece(*, fallback: bool = True, prepend: str = "first") -> tokenizers.Tokenizer:
    tokens = ["<unk>", "</s>"]
    tokens += [f"<0x{value:02X}>" for value in range(256)] if fallback else []
    tokens += ["▁", *(chr(value) for value in range(33, 127)), "\n", "ab", "▁{"]
    merges = [("a", "b"), ("▁", "{")]
    tokenizer = tokenizers.Tokenizer(
        models.BPE({t: i for i, t in enumerate(tokens)}, merges, unk_token="<unk>", byte_fallback=fallback)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend, split=False)
    steps = [
        decoders.Replace("▁", " "),
        *([decoders.ByteFallback()] if fallback else []),
        decoders.Fuse(),
        decoders.Strip(" ", 1, 0),
    ]
    tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.add_special_tokens(["<unk>", "</s>"])
    return tokenizer


@pytest.mark.parametrize("name", NAMES)
def test_token_bytes_equal_the_decoders(name: str) -> None:
    """Every token between two fixed ones, decoded by the tokenizer itself, is the fixed text with the token's bytes inside."""
    tokenizer, vocabulary = load(name)
    fence = tokenizer.backend_tokenizer.token_to_id("x")
    rng = random.Random(3)
    checked = 0
    for token_id in rng.sample(range(vocabulary.size), 4000):
        entry = vocabulary.token_bytes[token_id]
        if entry is None:
            continue
        decoded = tokenizer.backend_tokenizer.decode([fence, token_id, fence], skip_special_tokens=False)
        # A run of byte-fallback tokens becomes one replacement character per byte, a cut character one altogether: both hold U+FFFD.
        if "\ufffd" in decoded:
            with pytest.raises(UnicodeDecodeError):
                entry.decode("utf-8")
        else:
            assert decoded == "x" + entry.decode("utf-8") + "x"
        checked += 1
    assert checked > 3000


@pytest.mark.parametrize("name", NAMES)
def test_special_tokens_have_no_bytes(name: str) -> None:
    tokenizer, vocabulary = load(name)
    assert all(vocabulary.token_bytes[i] is None for i in tokenizer.all_special_ids)
    assert vocabulary.stop_token_ids == (tokenizer.eos_token_id,)
    assert all(entry != b"" for entry in vocabulary.token_bytes)


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_is_a_token(name: str) -> None:
    _, vocabulary = load(name)
    single = {entry[0] for entry in vocabulary.token_bytes if entry is not None and len(entry) == 1}
    assert len(single) == 256


@pytest.mark.parametrize("name", NAMES)
def test_encode_round_trips_and_is_canonical(name: str) -> None:
    tokenizer, vocabulary = load(name)
    for text in TEXTS:
        data = text.encode()
        assert vocabulary.decode(vocabulary.encode(data)) == data
    # Canonical: with the leading space that the tokenizer adds by itself, the tokens are the tokenizer's own.
    for text in TEXTS[:3]:
        own = tokenizer.encode(text, add_special_tokens=False)
        assert vocabulary.encode((" " if vocabulary.leading_space else "").encode() + text.encode()) == own
    assert vocabulary.leading_space == (name == "mistral")


@pytest.mark.parametrize("name", NAMES)
def test_encode_of_broken_utf8_round_trips(name: str) -> None:
    _, vocabulary = load(name)
    rng = random.Random(5)
    for _ in range(200):
        data = bytes(rng.choice((rng.randrange(256), 0x61, 0xC3, 0xA9, 0x20)) for _ in range(rng.randrange(12)))
        assert vocabulary.decode(vocabulary.encode(data)) == data


def test_the_users_tokenizer_is_unchanged() -> None:
    tokenizer = sentence_piece()
    before = tokenizer.to_str()
    tokenizer.add_tokens(["<tool>"])
    after = tokenizer.to_str()
    vocabulary = Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[1])
    vocabulary.encode(b"<tool> {ab")
    assert tokenizer.to_str() == after != before


def test_settings_of_an_earlier_call_do_not_matter() -> None:
    tokenizer = sentence_piece()
    fresh = Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[1])
    tokenizer.enable_truncation(max_length=3)
    tokenizer.enable_padding(length=500)
    vocabulary = Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[1])
    assert vocabulary.fingerprint == fresh.fingerprint
    assert vocabulary.decode(vocabulary.encode(b"abcdef")) == b"abcdef"


def test_padding_and_several_end_tokens() -> None:
    tokenizer = byte_level(ALPHABET, [("{", '"')])
    eos = tokenizer.token_to_id("<eos>")
    vocabulary = Vocabulary.from_tokenizer(tokenizer, vocab_size=300, stop_token_ids=[eos, 299, eos])
    assert vocabulary.size == 300 == len(vocabulary.token_bytes)
    assert vocabulary.stop_token_ids == (eos, 299)
    assert vocabulary.token_bytes[eos:] == [None] * (300 - eos)


def test_added_tokens_are_text_unless_special() -> None:
    tokenizer = byte_level(ALPHABET, [])
    tokenizer.add_tokens(["<tool_call>", "näher"])
    tokenizer.add_special_tokens(["<|image|>"])
    vocabulary = Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[tokenizer.token_to_id("<eos>")])
    tool, word, image = (tokenizer.token_to_id(text) for text in ("<tool_call>", "näher", "<|image|>"))
    assert vocabulary.token_bytes[tool] == b"<tool_call>"
    assert vocabulary.token_bytes[word] == "näher".encode()
    assert vocabulary.token_bytes[image] is None
    assert vocabulary.encode("a<tool_call>näher".encode())[1:] == [tool, word]
    assert image not in vocabulary.encode(b"<|image|>")
    assert vocabulary.decode(vocabulary.encode(b"<|image|>")) == b"<|image|>"


def test_byte_level_tokens_outside_the_alphabet_are_their_own_text() -> None:
    odd = ["a b", "x😀", "\u00ad", "日本", "z\n"]
    tokenizer = byte_level([*ALPHABET, *odd], [("Ġ", "a"), ("Ã", "©")])
    vocabulary = Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[tokenizer.token_to_id("<eos>")])
    for text in odd:
        assert vocabulary.token_bytes[tokenizer.token_to_id(text)] == text.encode()
        decoded = tokenizer.decode([tokenizer.token_to_id(text)])
        assert decoded == text
    assert vocabulary.token_bytes[tokenizer.token_to_id("Ġa")] == b" a"
    assert vocabulary.token_bytes[tokenizer.token_to_id("Ã©")] == "é".encode()


def test_sentence_piece_bytes_and_marker() -> None:
    tokenizer = sentence_piece()
    vocabulary = Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[1])
    of = {text: vocabulary.token_bytes[tokenizer.token_to_id(text)] for text in ("▁{", "<0x0A>", "\n", "ab")}
    assert of == {"▁{": b" {", "<0x0A>": b"\n", "\n": b"\n", "ab": b"ab"}
    assert vocabulary.leading_space
    assert vocabulary.encode(b"{ab") == [tokenizer.token_to_id("{"), tokenizer.token_to_id("ab")]
    assert vocabulary.token_bytes[0] is None is vocabulary.token_bytes[1]


def test_sentence_piece_without_prefix_has_no_leading_space() -> None:
    assert not Vocabulary.from_tokenizer(sentence_piece(prepend="never"), stop_token_ids=[1]).leading_space


def test_sentence_piece_without_byte_fallback_keeps_what_it_can_write() -> None:
    vocabulary = Vocabulary.from_tokenizer(sentence_piece(fallback=False), stop_token_ids=[1])
    with pytest.raises(TokenizerError, match="spell"):
        vocabulary.encode("日".encode())


def test_legacy_prefix_by_normalizer_is_a_leading_space() -> None:
    tokenizer = sentence_piece()
    tokenizer.pre_tokenizer = None
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    vocabulary = Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[1])
    assert vocabulary.leading_space
    assert vocabulary.decode(vocabulary.encode(b"x {")) == b"x {"
    assert vocabulary.encode(b"ab") == [tokenizer.token_to_id("ab")]


def test_tokenizer_that_composes_unicode_is_taken() -> None:
    vocabulary = Vocabulary.from_tokenizer(byte_level(ALPHABET, [], normalizer=normalizers.NFC()), stop_token_ids=[256])
    decomposed = "e\u0301".encode()
    assert vocabulary.decode(vocabulary.encode(decomposed)) == decomposed


@pytest.mark.parametrize(
    ("tokenizer", "reason"),
    [
        (byte_level(ALPHABET, [], normalizer=normalizers.Lowercase()), "Lowercase"),
        (byte_level(ALPHABET, [], normalizer=normalizers.NFKC()), "NFKC"),
        (byte_level(ALPHABET, [], pre_tokenizer=pre_tokenizers.Whitespace()), "comes back as|unknown"),
        (byte_level(ALPHABET, [], decoder=decoders.BPEDecoder()), "BPEDecoder"),
        (byte_level([c for c in ALPHABET if c != "{"], []), "comes back as|unknown"),
        (tokenizers.Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "##b": 2}, unk_token="[UNK]")), "WordPiece"),
        (tokenizers.Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]")), "WordLevel"),
        (tokenizers.Tokenizer(models.BPE({"a": 0, "b</w>": 1}, [], end_of_word_suffix="</w>")), "end_of_word_suffix"),
        (tokenizers.Tokenizer(models.BPE({"a": 0}, [])), "no decoder"),
    ],
)
def test_tokenizers_without_byte_form_are_refused_with_the_reason(tokenizer: Any, reason: str) -> None:
    with pytest.raises(TokenizerError, match=reason):
        Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[0])


def test_unigram_without_byte_fallback_is_refused() -> None:
    tokenizer = tokenizers.Tokenizer(models.Unigram([("<unk>", 0.0), ("▁a", -1.0), ("a", -2.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    with pytest.raises(TokenizerError, match="exact byte form"):
        Vocabulary.from_tokenizer(tokenizer, stop_token_ids=[0])


class SlowTokenizer:
    def encode(self, text: str) -> list[int]:
        return [len(text)]

    def get_vocab(self) -> dict[str, int]:
        return {"a": 0}


def test_slow_tokenizers_and_other_objects_are_refused() -> None:
    with pytest.raises(TokenizerError, match="slow"):
        Vocabulary.from_tokenizer(SlowTokenizer())
    with pytest.raises(TokenizerError, match="expected a Hugging Face tokenizer"):
        Vocabulary.from_tokenizer("gpt2")


def test_bad_sizes_and_stop_ids_are_named() -> None:
    tokenizer = byte_level(ALPHABET, [])
    with pytest.raises(ModelError, match="smaller"):
        Vocabulary.from_tokenizer(tokenizer, vocab_size=100, stop_token_ids=[0])
    with pytest.raises(TokenizerError, match="end-of-sequence"):
        Vocabulary.from_tokenizer(tokenizer)
    for bad in ([-1], [257], [1.5], [True], ["a"]):
        with pytest.raises(TokenizerError):
            Vocabulary.from_tokenizer(tokenizer, stop_token_ids=bad)  # type: ignore[arg-type]
    with pytest.raises(TokenizerError):
        Vocabulary.from_tokenizer(tokenizer, vocab_size="300", stop_token_ids=[0])  # type: ignore[arg-type]
    with pytest.raises(TokenizerError, match="token 1"):
        Vocabulary.from_bytes([b"a", "b"], [0])  # type: ignore[list-item]
    with pytest.raises(TokenizerError, match="outside"):
        Vocabulary.from_bytes([b"a"], [0]).decode([3])


def test_greedy_backs_up_where_the_longest_match_leads_nowhere() -> None:
    vocabulary = Vocabulary.from_bytes([b"a", b"ab", b"bc", b"", None, b"ab"], [4])
    assert vocabulary.encode(b"abc") == [0, 2]
    assert vocabulary.encode(b"abab") == [1, 1]
    assert vocabulary.token_bytes[3] is None
    with pytest.raises(TokenizerError, match="spell"):
        vocabulary.encode(b"abz")
    assert vocabulary.encode(b"") == []


def test_greedy_is_linear_on_hostile_input() -> None:
    vocabulary = Vocabulary.from_bytes([b"a" * n for n in range(1, 20)], [])
    with pytest.raises(TokenizerError):
        vocabulary.encode(b"a" * 2000 + b"!")


def test_fingerprints_differ_where_vocabularies_do() -> None:
    base = Vocabulary.from_bytes([b"a", b"bc", None], [2])
    same = Vocabulary.from_bytes([b"a", b"bc", b"gone"], [2])
    others = [
        Vocabulary.from_bytes([b"ab", b"c", None], [2]),
        Vocabulary.from_bytes([b"a", b"bc", None, None], [2]),
        Vocabulary.from_bytes([b"a", b"bc", None], []),
        Vocabulary.from_bytes([b"a", b"bc", None], [2], leading_space=True),
    ]
    assert base.fingerprint == same.fingerprint
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 5
