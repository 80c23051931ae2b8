"""The vocabulary: what each token id means in bytes, which ids end a text, and how a text is tokenised canonically.

In: a fast Hugging Face tokenizer (`transformers`, or a bare `tokenizers.Tokenizer`), or a list of byte strings. Out: a
`Vocabulary`, the only thing the engine knows of a tokenizer. The trie and the masks are built from `token_bytes` elsewhere.

How the bytes are found. A token's bytes are what the tokenizer's *decoder* makes of it, applied to all tokens at once:

- byte-level (GPT-2, tiktoken conversions): each character of a token stands for one byte, so the whole vocabulary is one
  array of characters, looked up in one table and cut at the tokens' lengths (`str.translate` takes 40 times as long);
- SentencePiece: a marker character stands for a space, and `<0x0A>` for a byte where the decoder has a byte fallback.

The tokenizer's JSON (17 MB for Llama 3) is never read again: only the states of its small parts are, which hold no
vocabulary. CPU time on the reference machine: 90 to 100 ms for Llama 3 (128,256 tokens), 33 for GPT-2, 24 for Mistral.

Limits: decoders that look at neighbouring tokens (WordPiece, BPE with end-of-word suffixes, CTC), unigram models that
cannot write ASCII and tokenizers that change the text (lower-casing, collapsing of spaces) are refused with a reason,
because no byte string can be given to their tokens. Tokenizers that only compose Unicode (NFC) are taken: their tokens
have bytes.

Turned down: decoding every id by itself with `tokenizer.decode` (slow, and wrong for tokens that hold a part of a
character), and changing a copy of the tokenizer through its JSON (it writes and parses the vocabulary);
`tokenizers.Tokenizer(model)` shares the model and takes microseconds.
"""

from __future__ import annotations

import copy
import hashlib
import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from structgen.errors import ModelError, TokenizerError
from structgen.startup import collector_paused

# Round-tripped once per tokenizer. The first holds every printable ASCII character, both cases and white space as JSON uses it.
_ASCII_SAMPLE = (
    '{"Name": "Ada  Lovelace",\n    "n": [0, -1.5e+10, 2024], "ok": true, "s": "!#$%&\'()*+./:;<=>?@[\\\\]^_`{|}~"}\n'
    "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"
)
_UNICODE_SAMPLE = "caf\u00e9 \u03b1\u03b2 \u0416 \u65e5\u672c\u8a9e \U0001f600 \u2192 \u00a0\u200b"


SPECIAL = b"\xff"  # no byte of UTF-8
SPECIAL_BYTES = 5


def spell_special(token_id: int) -> bytes:
    """The bytes that stand for a special token in the machine: no text has them."""
    return SPECIAL + token_id.to_bytes(SPECIAL_BYTES - 1, "big")


class Vocabulary:
    """Tokens as bytes. Immutable after construction and safe to share between threads.

    size: number of token ids, padding up to the model's logits width included.
    token_bytes: one entry per id; None for special tokens, end tokens, padding, and tokens without a byte form, none of which a text
    constraint ever allows. Several ids may have the same bytes; no entry is empty.
    stop_token_ids: the tokens that may end a text, in the order given, without repetition.
    leading_space: the tokenizer puts a space before the text's first character (SentencePiece's marker), so a first token may bring one.
    special_tokens: ids of special tokens by name (`"<|python_tag|>"`), end tokens excepted: a constraint may ask for them by name.
    spellings: as token_bytes, but special tokens are spelled `spell_special(id)`, bytes that no text has: the machine's view of them.
    """

    __slots__ = (
        "__weakref__", "_by_bytes", "_encode", "_fingerprint", "_longest", "leading_space", "size", "special_tokens", "spellings",
        "stop_token_ids", "token_bytes",
    )  # fmt: skip

    size: int
    token_bytes: list[bytes | None]
    stop_token_ids: tuple[int, ...]
    leading_space: bool
    special_tokens: dict[str, int]
    spellings: list[bytes | None]

    def __init__(
        self,
        token_bytes: list[bytes | None],
        stop_token_ids: tuple[int, ...],
        leading_space: bool,
        encode: Callable[[bytes], list[int]] | None,
        special_tokens: Mapping[str, int] | None = None,
    ) -> None:
        """Use `from_tokenizer` or `from_bytes`, which check what they are given."""
        self.special_tokens = dict(special_tokens or {})
        self.spellings = token_bytes
        if self.special_tokens:
            # no UTF-8 text has this byte: tokens with it stand for no text either, and would only begin the spellings of others
            self.spellings = [None if b is not None and SPECIAL in b else b for b in token_bytes]
            for token_id in self.special_tokens.values():
                self.spellings[token_id] = spell_special(token_id)
        self.token_bytes = token_bytes
        self.size = len(token_bytes)
        self.stop_token_ids = stop_token_ids
        self.leading_space = leading_space
        self._encode = encode
        self._by_bytes: dict[bytes, int] | None = None
        self._longest = 0
        self._fingerprint: str | None = None

    @classmethod
    def from_tokenizer(
        cls, tokenizer: Any, vocab_size: int | None = None, stop_token_ids: Iterable[int] | None = None
    ) -> Vocabulary:
        """Read a fast tokenizer.

        tokenizer: a `transformers` tokenizer with a `tokenizers` backend, or a `tokenizers.Tokenizer`.
        vocab_size: the model's logits width; ids from the tokenizer's size up to it are padding. None: the tokenizer's size.
        stop_token_ids: end tokens besides the tokenizer's own (a chat model's end of turn, say).

        Raises TokenizerError (no byte form, text changed, no end token, a bad stop id) and ModelError (`vocab_size` too small).
        """
        with collector_paused():
            return cls._read(tokenizer, vocab_size, stop_token_ids)

    @classmethod
    def _read(cls, tokenizer: Any, vocab_size: int | None, stop_token_ids: Iterable[int] | None) -> Vocabulary:
        backend = _backend(tokenizer)
        tokens, added = _tokens_and_added(backend, getattr(tokenizer, "all_special_ids", None) or ())
        if vocab_size is not None:
            _check_int("vocab_size", vocab_size)
            if vocab_size < len(tokens):
                raise ModelError(
                    f"the model's vocabulary ({vocab_size}) is smaller than the tokenizer's ({len(tokens)}): they do not belong together"
                )
        stops = _stop_ids(_eos_ids(tokenizer), stop_token_ids, vocab_size or len(tokens))
        if not stops:
            raise TokenizerError("the tokenizer names no end-of-sequence token; give stop_token_ids")

        steps = _decoder_steps(backend)
        for token_id in added:
            tokens[token_id] = None
        table = steps.bytes_of(tokens)
        for token_id, (token, special) in added.items():
            table[token_id] = None if special else (steps.bytes_of_added(token.content) or None)
        unknown = getattr(backend.model, "unk_token", None)
        unknown_id = backend.token_to_id(unknown) if isinstance(unknown, str) else None
        for token_id in (*stops, *(() if unknown_id is None else (unknown_id,))):
            if token_id < len(table):
                table[token_id] = None

        ordinary = {token_id: token for token_id, (token, special) in added.items() if not special}
        canonical = _TextEncoder(
            backend, ordinary, _without_prefix(backend.normalizer), _without_prefix(backend.pre_tokenizer)
        )
        whole = _TextEncoder(backend, ordinary, backend.normalizer, backend.pre_tokenizer)
        _check_round_trip(backend, canonical, whole, table)
        leading_space = (_join(table, whole(b"{")) or b"").startswith(b" ")
        if vocab_size is not None:
            table.extend([None] * (vocab_size - len(table)))
        names = {
            token.content: token_id
            for token_id, (token, special) in added.items()
            if special and token_id not in stops and token_id != unknown_id
        }
        return cls(table, stops, leading_space, canonical, names)

    @classmethod
    def from_bytes(
        cls,
        token_bytes: Sequence[bytes | None],
        stop_token_ids: Iterable[int],
        *,
        leading_space: bool = False,
        encode: Callable[[bytes], list[int]] | None = None,
        special_tokens: Mapping[str, int] | None = None,
    ) -> Vocabulary:
        """Make a vocabulary from the bytes of its tokens (empty ones count as None).

        special_tokens: ids by name of tokens without bytes that constraints may ask for; no end tokens.

        encode: canonical tokenisation of bytes in the middle of an output; None: greedy longest match.
        Raises TokenizerError for entries that are not bytes and for stop ids out of range.
        """
        table: list[bytes | None] = []
        for token_id, entry in enumerate(token_bytes):
            if entry is not None and not isinstance(entry, bytes):
                raise TokenizerError(f"token {token_id} must be bytes or None, not {type(entry).__name__}")
            table.append(entry or None)
        stops = _stop_ids((), stop_token_ids, len(table))
        for token_id in stops:
            table[token_id] = None
        for name, token_id in (special_tokens or {}).items():
            if not isinstance(name, str) or not 0 <= token_id < len(table) or table[token_id] or token_id in stops:
                raise TokenizerError(
                    f"special token {name!r} must be the id of a token without bytes, not {token_id!r}"
                )
        return cls(table, stops, bool(leading_space), encode, special_tokens)

    def encode(self, data: bytes) -> list[int]:
        """The canonical tokens of `data` as it would stand in the middle of an output.

        No special token and no leading space is added, and text that looks like a special token stays text. Where the data is not valid
        UTF-8, or the tokenizer would change it, the greedy longest match is used. Raises TokenizerError if no tokens spell the data.
        """
        if not data:
            return []
        if SPECIAL in data and self.special_tokens:
            at = data.index(SPECIAL)
            special = data[at : at + SPECIAL_BYTES]
            own = int.from_bytes(special[1:], "big")
            if own < self.size and self.spellings[own] == special:
                return [*self.encode(data[:at]), own, *self.encode(data[at + SPECIAL_BYTES :])]
        if self._encode is None:
            return self._greedy(data)
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            # What is text before and after the damage is still tokenised canonically; a cut-off tail is the usual case.
            start, end = error.start, error.end
            return self.encode(data[:start]) + self._greedy(data[start:end]) + self.encode(data[end:])
        ids = self._encode(data)
        if _join(self.token_bytes, ids) != data:
            return self._greedy(data)
        return ids

    def decode(self, token_ids: Iterable[int]) -> bytes:
        """The bytes of the tokens in a row; tokens without bytes count as nothing. Raises TokenizerError for ids out of range."""
        parts = []
        for token_id in token_ids:
            if not 0 <= token_id < self.size:
                raise TokenizerError(f"token id {token_id} is outside the vocabulary of {self.size}")
            part = self.token_bytes[token_id]
            if part is not None:
                parts.append(part)
        return b"".join(parts)

    @property
    def fingerprint(self) -> str:
        """A stable hash of bytes, stop tokens and leading-space rule: equal for equal vocabularies in every process."""
        if self._fingerprint is None:
            lengths = array("i", [-1 if entry is None else len(entry) for entry in self.token_bytes])
            digest = hashlib.blake2b(digest_size=16)
            digest.update(repr((self.size, self.stop_token_ids, self.leading_space)).encode())
            if self.special_tokens:
                digest.update(repr(sorted(self.special_tokens.items())).encode())
            digest.update(lengths.tobytes())
            digest.update(b"".join([entry for entry in self.token_bytes if entry is not None]))
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __repr__(self) -> str:
        return f"Vocabulary(size={self.size}, stop_token_ids={self.stop_token_ids}, leading_space={self.leading_space})"

    def _greedy(self, data: bytes) -> list[int]:
        """Longest match from the left; of several ids with the same bytes, the lowest. Backs up where a longest match leads nowhere."""
        by_bytes = self._by_bytes
        if by_bytes is None:
            by_bytes = {}
            for token_id, entry in enumerate(self.token_bytes):
                if entry is not None:
                    by_bytes.setdefault(entry, token_id)
            self._longest = max(map(len, by_bytes), default=0)
            self._by_bytes = by_bytes
        longest = self._longest
        out: list[int] = []
        starts: list[int] = []
        dead: set[int] = set()
        position, upto = 0, longest
        while position < len(data):
            for length in range(min(upto, len(data) - position), 0, -1):
                found = by_bytes.get(data[position : position + length])
                if found is not None and position + length not in dead:
                    out.append(found)
                    starts.append(position)
                    position, upto = position + length, longest
                    break
            else:
                dead.add(position)
                if not starts:
                    raise TokenizerError(f"no tokens of the vocabulary spell {data[:40]!r}")
                out.pop()
                position, upto = starts.pop(), longest
        return out


class _TextEncoder:
    """Tokenises text with the model of a tokenizer, but without its special tokens, post-processing, truncation and padding.

    Given the tokenizer's own normalizer and pre-tokenizer it tokenises as at the start of a text; given ones that add no leading space,
    as in the middle. Truncation matters: `transformers` leaves the setting of the last call on the tokenizer.
    """

    __slots__ = ("_renumbered", "_tokenizer")

    def __init__(self, backend: Any, added: dict[int, Any], normalizer: Any, pre_tokenizer: Any) -> None:
        tokenizer = type(backend)(backend.model)  # shares the model: microseconds, no copy of the vocabulary
        tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre_tokenizer
        self._renumbered: dict[int, int] = {}
        if added:
            tokenizer.add_tokens(list(added.values()))
            for token_id, token in added.items():
                new_id = tokenizer.token_to_id(token.content)
                if new_id is not None and new_id != token_id:
                    self._renumbered[new_id] = token_id
        self._tokenizer = tokenizer

    def __call__(self, data: bytes) -> list[int]:
        ids: list[int] = self._tokenizer.encode(data.decode("utf-8"), add_special_tokens=False).ids
        if self._renumbered:
            renumbered = self._renumbered
            ids = [renumbered.get(token_id, token_id) for token_id in ids]
        return ids


class _DecoderSteps:
    """What a tokenizer's decoder does to one token: `replacements` in order, then a byte fallback; or the byte-level table."""

    __slots__ = ("byte_fallback", "byte_level", "replacements")

    def __init__(self) -> None:
        self.byte_level = False
        self.byte_fallback = False
        self.replacements: list[tuple[str, str]] = []

    def bytes_of(self, tokens: Sequence[str | None]) -> list[bytes | None]:
        return self._byte_level(tokens) if self.byte_level else self._sentence_piece(tokens)

    def bytes_of_added(self, text: str) -> bytes:
        """Added tokens are plain text; SentencePiece's own (runs of spaces in Gemma) are spelled with the marker."""
        for old, new in () if self.byte_level else self.replacements:
            text = text.replace(old, new)
        return text.encode("utf-8", "surrogatepass")

    def _byte_level(self, tokens: Sequence[str | None]) -> list[bytes | None]:
        """All tokens as one array of code points, looked up at once: one byte per character, so the tokens' lengths cut it."""
        import numpy as np

        table = _byte_level_table()
        present = [token or "" for token in tokens]
        points = np.frombuffer("".join(present).encode("utf-32-le", "surrogatepass"), np.uint32)
        values = np.array(table, np.int16)[np.minimum(points, len(table) - 1)]
        data = values.astype(np.uint8).tobytes()
        ends = list(accumulate(map(len, present)))
        out = [data[start:end] or None for start, end in zip([0, *ends], ends, strict=False)]
        # A token with a character outside the alphabet stands for its own text: so does the decoder take it.
        for at in np.unique(np.searchsorted(np.array(ends), np.flatnonzero(values < 0), side="right")):
            out[at] = present[at].encode("utf-8", "surrogatepass")
        return out

    def _sentence_piece(self, tokens: Sequence[str | None]) -> list[bytes | None]:
        out: list[bytes | None] = []
        fallback = {f"<0x{value:02X}>": bytes([value]) for value in range(256)} if self.byte_fallback else {}
        single = self.replacements[0] if len(self.replacements) == 1 else None
        for token in tokens:
            if not token:
                out.append(None)
                continue
            entry = fallback.get(token)
            if entry is None:
                if single is not None:
                    token = token.replace(*single)
                else:
                    for old, new in self.replacements:
                        token = token.replace(old, new)
                entry = token.encode("utf-8", "surrogatepass")
            out.append(entry or None)
        return out


def _backend(tokenizer: Any) -> Any:
    """The `tokenizers.Tokenizer` inside; TokenizerError with the way out if there is none."""
    candidate = getattr(tokenizer, "backend_tokenizer", None) or getattr(tokenizer, "_tokenizer", None) or tokenizer
    needed = (
        "model",
        "decoder",
        "pre_tokenizer",
        "normalizer",
        "id_to_token",
        "get_vocab_size",
        "get_added_tokens_decoder",
        "encode",
    )
    if all(hasattr(candidate, name) for name in needed):
        return candidate
    if hasattr(tokenizer, "encode") and hasattr(tokenizer, "get_vocab"):
        raise TokenizerError(
            f"{type(tokenizer).__name__} is a slow tokenizer: the bytes of its tokens cannot be read; load the fast one"
            " (AutoTokenizer.from_pretrained(...), a tokenizer.json) or give the bytes to Vocabulary.from_bytes"
        )
    raise TokenizerError(f"expected a Hugging Face tokenizer, got {type(tokenizer).__name__}")


def _tokens_and_added(backend: Any, special_ids: Iterable[int]) -> tuple[list[str | None], dict[int, tuple[Any, bool]]]:
    """The token strings by id (None for a hole), and the added tokens as {id: (AddedToken, special)}."""
    # transformers knows special tokens that the backend does not (Mistral's [REFERENCE_DOC_n]); but an ordinary token that
    # some fine-tune made its padding token remains text.
    special = set(special_ids)
    added = {
        token_id: (token, bool(token.special) or token_id in special)
        for token_id, token in backend.get_added_tokens_decoder().items()
    }
    count = backend.get_vocab_size(with_added_tokens=True)
    top = max(count, max(added, default=-1) + 1)
    tokens: list[str | None] = list(map(backend.id_to_token, range(top)))
    if top - tokens.count(None) < count:  # the ids have holes and go beyond the count
        by_text = backend.get_vocab(with_added_tokens=True)
        tokens = [None] * (max(by_text.values()) + 1)
        for text, token_id in by_text.items():
            tokens[token_id] = text
    return tokens, added


def _eos_ids(tokenizer: Any) -> tuple[int, ...]:
    eos: Any = getattr(tokenizer, "eos_token_id", None)
    if eos is None:
        return ()
    return tuple(eos) if isinstance(eos, list | tuple) else (eos,)


def _stop_ids(own: Iterable[int], given: Iterable[int] | None, size: int) -> tuple[int, ...]:
    stops: list[int] = []
    for token_id in (*own, *(given or ())):
        _check_int("a stop token id", token_id)
        if not 0 <= token_id < size:
            raise TokenizerError(f"stop token id {token_id} is outside the vocabulary of {size}")
        if token_id not in stops:
            stops.append(int(token_id))
    return tuple(stops)


def _check_int(what: str, value: object) -> None:
    # numpy integers pass through __index__; booleans are ints that nobody means
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TokenizerError(f"{what} must be an integer, not {value!r}")


def _state(part: Any) -> dict[str, Any]:
    """The JSON state of one small part of a tokenizer (never the model: that one holds the vocabulary)."""
    if part is None:
        return {}
    try:
        state = json.loads(part.__getstate__())
    except (
        Exception
    ) as error:  # custom parts written in Python have no state; tokenizers raises a bare Exception for them
        raise TokenizerError(f"the tokenizer's {type(part).__name__} cannot be read ({error})") from error
    return state if isinstance(state, dict) else {}


def _decoder_steps(backend: Any) -> _DecoderSteps:
    model_kind = type(backend.model).__name__
    if model_kind in ("WordPiece", "WordLevel"):
        raise TokenizerError(
            f"{model_kind} tokens have no byte form: the tokenizer drops the white space between words, so no text can be spelled exactly"
        )
    for name in ("end_of_word_suffix", "continuing_subword_prefix"):
        if getattr(backend.model, name, None):
            raise TokenizerError(
                f"tokens have no byte form: the tokenizer marks parts of words with {getattr(backend.model, name)!r} ({name}), so a token's"
                " bytes depend on its neighbours"
            )
    steps = _DecoderSteps()
    if backend.decoder is None:
        if not any(part.get("type") == "ByteLevel" for part in _flatten(_state(backend.pre_tokenizer))):
            raise TokenizerError("the tokenizer has no decoder: it joins tokens by spaces, so they have no byte form")
        steps.byte_level = True
        return steps
    for part in _flatten(_state(backend.decoder)):
        kind = part.get("type")
        if kind == "ByteLevel":
            steps.byte_level = True
        elif kind == "ByteFallback":
            steps.byte_fallback = True
        elif kind == "Metaspace":
            steps.replacements.append((part.get("replacement", "\u2581"), " "))
        elif kind == "Replace" and isinstance(part.get("pattern"), dict) and part["pattern"].get("String"):
            steps.replacements.append((part["pattern"]["String"], part.get("content", "")))
        elif kind == "Fuse" or (kind == "Strip" and part.get("content") == " " and not part.get("stop")):
            continue  # Fuse joins; Strip takes off the leading space of a whole text, which `leading_space` stands for
        else:
            raise TokenizerError(
                f"tokens have no byte form: the decoder {kind} makes a token's text depend on its neighbours"
            )
    return steps


def _flatten(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a (possibly nested) Sequence, in order."""
    if state.get("type") != "Sequence":
        return [state] if state else []
    children = state.get("decoders") or state.get("pretokenizers") or state.get("normalizers") or []
    return [part for child in children for part in _flatten(child)]


def _without_prefix(part: Any) -> Any:
    """A copy of a normalizer or pre-tokenizer that adds no leading space; None if nothing is left of it."""
    if part is None:
        return None
    state = _strip_prefix(_state(part))
    if state is None:
        return None
    clone = copy.deepcopy(part)
    clone.__setstate__(json.dumps(state).encode("utf-8"))
    return clone


def _strip_prefix(state: dict[str, Any]) -> dict[str, Any] | None:
    kind = state.get("type")
    if kind == "Prepend":
        return None
    if kind == "Sequence":
        for name in ("pretokenizers", "normalizers"):
            if name in state:
                children = [_strip_prefix(child) for child in state[name]]
                return {**state, name: [child for child in children if child is not None]}
    if kind == "Metaspace":
        return {
            **state,
            "prepend_scheme": "never",
            **({"add_prefix_space": False} if "add_prefix_space" in state else {}),
        }
    if kind == "ByteLevel":
        return {**state, "add_prefix_space": False}
    return state


def _check_round_trip(backend: Any, canonical: _TextEncoder, whole: _TextEncoder, table: list[bytes | None]) -> None:
    """Refuse a tokenizer that does not give back what it was given: its tokens' bytes would be a fiction."""
    # A vocabulary with every byte of UTF-8 can write any text; one without needs no more than ASCII, the rest its users know to be missing.
    single = {entry[0] for entry in table if entry is not None and len(entry) == 1}
    complete = single.issuperset((*range(0xC0), *range(0xC2, 0xF5)))
    for sample in (_ASCII_SAMPLE, _UNICODE_SAMPLE) if complete else (_ASCII_SAMPLE,):
        wanted = sample.encode("utf-8")
        inside = _join(table, canonical(wanted))
        at_start = _join(table, whole(wanted))
        if inside == wanted and at_start in (wanted, b" " + wanted):
            continue
        given = inside if inside != wanted else at_start
        if given is None:
            reason = "some characters become unknown or special tokens"
        else:
            at = next(
                (i for i, (a, b) in enumerate(zip(wanted, given, strict=False)) if a != b), min(len(wanted), len(given))
            )
            near = slice(max(0, at - 8), at + 12)
            reason = (
                f"{wanted[near].decode('utf-8', 'replace')!r} comes back as {given[near].decode('utf-8', 'replace')!r}"
            )
        kinds = [str(part.get("type")) for part in _flatten(_state(backend.normalizer))]
        cause = f" (its normalizer: {', '.join(kinds)})" if kinds else ""
        raise TokenizerError(
            f"the tokenizer changes the text it encodes: {reason}{cause}; its tokens have no exact byte form"
        )


def _join(table: Sequence[bytes | None], token_ids: Iterable[int]) -> bytes | None:
    """The tokens' bytes joined; None if one of them has none."""
    parts = []
    for token_id in token_ids:
        part = table[token_id] if token_id < len(table) else None
        if part is None:
            return None
        parts.append(part)
    return b"".join(parts)


def _byte_level_table() -> list[int]:
    """Code point → byte of the byte-level alphabet (GPT-2's bytes_to_unicode), -1 outside it; the last entry stands for all above.

    Printable bytes stand for themselves, the other 68 are U+0100 and up in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [value for value in range(256) if value not in printable]
    return [value if value in printable else -1 for value in range(256)] + others + [-1]
