"""The strings of a `contentEncoding` (RFC 4648) as automata over the decoded string.

In: the keyword's value. Out: a `CharDfa`, kept for the process. Each word is what an encoder writes: full groups, padding, unused
bits zero, no line breaks; so every decoder takes it.

    base16      pairs of hexadecimal digits, either case
    base32      the alphabet A-Z 2-7 in upper case, padded to eight
    base64      the alphabet with + and /, padded to four
    base64url   the alphabet with - and _, padded to four

Not regular constraints, hence None: `7bit`, `8bit`, `binary` (they say how bytes travel) and `quoted-printable`. What the bytes mean
(`contentMediaType`) stays an annotation. Turned down: base64 of MIME (RFC 2045) with line breaks, which strict decoders refuse.
"""

from __future__ import annotations

from functools import lru_cache

from structgen.lexemes.dfa import CharDfa
from structgen.lexemes.formats_grammar import HEX_DIGIT, any_of, whole

_LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ALPHABETS = {
    "base32": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "base64": _LETTERS_AND_DIGITS + "+/",
    "base64url": _LETTERS_AND_DIGITS + "-_",
}
CONTENT_ENCODINGS = frozenset({"base16", *_ALPHABETS})


def _padded(alphabet: str) -> str:
    """Groups of `size` characters; the last may hold fewer bytes: `=` for what is missing, and its unused bits are zero."""
    bits = len(alphabet).bit_length() - 1
    size = {5: 8, 6: 4}[bits]
    one = f"[{alphabet.replace('-', chr(92) + '-')}]"
    ends = []
    for n_bytes in range(1, size * bits // 8):
        n_characters = -(-8 * n_bytes // bits)
        unused = n_characters * bits - 8 * n_bytes
        last = "".join(alphabet[:: 1 << unused]).replace("-", "\\-")
        ends.append(f"{one}{{{n_characters - 1}}}[{last}]={{{size - n_characters}}}")
    return f"(?:{one}{{{size}}})*{any_of(*ends)}?"


@lru_cache(maxsize=8)
def _build(encoding: str) -> CharDfa:
    if encoding == "base16":
        return whole(f"(?:{HEX_DIGIT}{{2}})*")
    return whole(_padded(_ALPHABETS[encoding]))


def content_dfa(encoding: str) -> CharDfa | None:
    """The strings of an encoding (its name in any case, as in RFC 2045), None if it is unknown or does not constrain."""
    name = encoding.lower()
    return _build(name) if name in CONTENT_ENCODINGS else None
