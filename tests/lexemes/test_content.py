"""Content encodings: what encoders write is accepted, what decoders refuse is not."""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Callable

import pytest

from structgen.lexemes.content import CONTENT_ENCODINGS, content_dfa
from structgen.lexemes.dfa import CharDfa
from tests.lexemes.words import mutants, random_words


def _strict_urlsafe(text: bytes) -> bytes:
    if b"+" in text or b"/" in text:
        raise binascii.Error("not of this alphabet")
    return base64.b64decode(text.replace(b"-", b"+").replace(b"_", b"/"), validate=True)


CODECS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "base16": (base64.b16encode, lambda text: base64.b16decode(text, casefold=True)),
    "base32": (base64.b32encode, base64.b32decode),
    "base64": (base64.b64encode, lambda text: base64.b64decode(text, validate=True)),
    "base64url": (base64.urlsafe_b64encode, _strict_urlsafe),
}


def language(encoding: str) -> CharDfa:
    dfa = content_dfa(encoding)
    assert dfa is not None
    return dfa


def is_encoded(encoding: str, text: str) -> bool:
    """Whether decoding and encoding again gives the text back."""
    encode, decode = CODECS[encoding]
    try:
        again = encode(decode(text.encode())).decode()
    except (binascii.Error, ValueError):
        return False
    return again == (text.upper() if encoding == "base16" else text)


@pytest.mark.parametrize("encoding", sorted(CONTENT_ENCODINGS))
def test_encoded_bytes_are_words(encoding: str) -> None:
    rng = random.Random(1)
    for n in range(40):
        assert language(encoding).matches(CODECS[encoding][0](rng.randbytes(n)).decode())


@pytest.mark.parametrize("encoding", sorted(CONTENT_ENCODINGS))
def test_words_and_near_misses_agree_with_the_codec(encoding: str) -> None:
    rng = random.Random(2)
    dfa = language(encoding)
    for word in random_words(dfa, rng, [rng.randrange(40) for _ in range(300)]):
        assert is_encoded(encoding, word)
        for text in mutants(word, rng, 5, "AQgwab09+/-_=\n "):
            assert dfa.matches(text) == is_encoded(encoding, text), text


def test_names_are_read_in_any_case_and_others_do_not_constrain() -> None:
    assert content_dfa("BASE64") is content_dfa("base64")
    assert all(content_dfa(name) is None for name in ("7bit", "8bit", "binary", "quoted-printable", "utf-8", ""))
