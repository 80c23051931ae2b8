"""How the fixed languages of the formats are written: as patterns of Python's dialect that match the whole string.

In: pieces of patterns. Out: `CharDfa`. Turned down: a combinator notation of its own (the RFCs' grammars are short as patterns).
"""

from __future__ import annotations

from structgen.errors import Limits
from structgen.lexemes.dfa import CharDfa
from structgen.lexemes.regex import compile_regex

# the formats are fixed, so their automata are bounded by their own size and not by a user's limits
LIMITS = Limits(max_dfa_steps=50_000_000)

DIGIT = "[0-9]"
HEX_DIGIT = "[0-9A-Fa-f]"


def whole(pattern: str) -> CharDfa:
    """The strings that a pattern (Python's dialect) matches from end to end."""
    return compile_regex(pattern, dialect="python", anchored=True, limits=LIMITS)


def any_of(*options: str) -> str:
    """One of several patterns."""
    return "(?:" + "|".join(options) + ")"
