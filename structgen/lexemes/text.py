"""Strings as JSON text: one string's spelling, and the free string.

In: Python strings. Out: bytes or a `ByteDfa`. The spellings are those of `lexemes/dfa.py`.
"""

from __future__ import annotations

from functools import lru_cache
from json.encoder import encode_basestring

from structgen.lexemes.dfa import ByteDfa, Spelling, any_string


def spell_json(text: str) -> bytes:
    """The one spelling of a string in "json": UTF-8 with both quotes, minimal escapes.

    Raises ValueError (UnicodeEncodeError) if the string holds a lone surrogate.
    """
    return encode_basestring(text).encode()


@lru_cache(maxsize=8)
def string_dfa(spelling: Spelling) -> ByteDfa:
    """The free string: all strings in a spelling."""
    return any_string().to_bytes(spelling)
