"""Strings as JSON text: one string's spellings, and the free string.

In: Python strings or automata over characters. Out: bytes or `ByteDfa`. The spellings are those of `lexemes/dfa.py`; this module
holds what does not need an automaton to be built first. Lone surrogates have no UTF-8 form and are refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

from structgen.lexemes.dfa import ByteDfa, Spelling, any_string, literal

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NEEDS_ESCAPE = re.compile(r'["\\\x00-\x1f]')


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"


def spell_json(text: str) -> bytes:
    """The one spelling of a string in "json": UTF-8 with both quotes, minimal escapes.

    Raises ValueError (UnicodeEncodeError) if the string holds a lone surrogate.
    """
    return ('"' + _NEEDS_ESCAPE.sub(_escape, text) + '"').encode("utf-8")


@lru_cache(maxsize=8)
def string_dfa(spelling: Spelling) -> ByteDfa:
    """The free string: all strings in a spelling."""
    return any_string().to_bytes(spelling)


def literal_dfa(text: str, spelling: Spelling) -> ByteDfa:
    """One string in a spelling; empty if it holds a lone surrogate."""
    return literal(text).to_bytes(spelling)
