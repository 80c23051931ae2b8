"""Bounds on length inside patterns, and counts that such bounds make idle.

In: an ECMA-262 pattern. Out: an equal pattern beside bounds on the length (`split_lengths`), or a pattern that matches the same texts up
to a length and has fewer counts (`within`). Both are rewritings of the text, so that a pattern stays what the author can read.

Why: names of hosts are described as `^(?=.{1,253}$)([a-z0-9-]{1,63}\\.){1,127}[a-z]{2,63}$`. An automaton would need a state for every
length and every number of labels and every place in a label; characters are counted by the machine, and 127 labels do not fit into 253
characters in any other way than by being at most 127.
"""

from __future__ import annotations

import re
from functools import lru_cache

from structgen.errors import StructgenError
from structgen.lexemes.nfa import count_positions
from structgen.lexemes.regex_syntax import Atomic, Choice, Look, Node, Repeat, Sequence, parse_regex, width

# Patterns of fewer characters, with counts multiplied out, have an automaton soon enough.
_MANY = 2_000
_LENGTH = re.compile(r"\(\?=\.(?:\{(\d{1,9})(,?)(\d{0,9})\}|(\+))\$\)")
_GROUP = re.compile(r"\(\?[=!][^()\\\[\]]*\)")  # a look-ahead without groups, escapes and classes
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)
_COUNT = re.compile(r"\{\d+,\d+\}")


@lru_cache(maxsize=4096)
def split_lengths(pattern: str) -> tuple[str, int, int | None]:
    """(pattern, least, most): the same texts, `least` to `most` (None: any number) characters long.

    Taken out are look-aheads as `(?=.{1,255}$)` at the start of a pattern; `(?=.*$)` stays for what `.` does not match.
    """
    least, most = 0, None
    if not pattern.startswith("^") or "(?=." not in pattern or _has_branches(pattern):
        return pattern, least, most
    at, parts = 1, ["^"]
    while (group := _GROUP.match(pattern, at)) is not None:
        at = group.end()
        bounds = _LENGTH.fullmatch(group.group())
        if bounds is None or pattern[at : at + 1] in ("*", "+", "?", "{"):
            parts.append(group.group())
            continue
        low, comma, high, plus = bounds.groups()
        least = max(least, 1 if plus else int(low))
        limit = None if plus or (comma and not high) else int(high or low)
        most = limit if most is None else most if limit is None else min(most, limit)
        parts.append("(?=.*$)")
    return "".join(parts) + pattern[at:], least, most


def _has_branches(pattern: str) -> bool:
    """Whether there is a `|` outside of all groups."""
    depth = 0
    for token in _TOKEN.findall(pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and depth == 0:
            return True
    return False


@lru_cache(maxsize=4096)
def within(pattern: str, longest: int) -> str:
    """A pattern that is found in the same texts of at most `longest` characters; of longer ones it may be found in more.

    The highest count of a repetition goes where more copies would not fit. Only patterns with large counts are looked at.
    """
    if _COUNT.search(pattern) is None:
        return pattern
    try:
        node = parse_regex(pattern, "ecma")
    except StructgenError:
        return pattern  # said where the pattern is checked
    if count_positions(node) < _MANY:
        return pattern
    for position in sorted(_idle(node, longest), reverse=True):
        count = _COUNT.match(pattern, position)
        if count is not None:
            pattern = f"{pattern[:position]}{count.group().partition(',')[0]},}}{pattern[count.end() :]}"
    return pattern


def _idle(node: Node, longest: int) -> set[int]:
    """The positions of the quantifiers whose highest count no text of `longest` characters reaches."""
    if isinstance(node, Sequence):
        return {position for item in node.items for position in _idle(item, longest)}
    if isinstance(node, Choice):
        return {position for option in node.options for position in _idle(option, longest)}
    if isinstance(node, (Look, Atomic)):
        return _idle(node.body, longest)
    if not isinstance(node, Repeat):
        return set()
    found = _idle(node.body, longest)
    shortest, _ = width(node.body)
    if node.most is not None and shortest * (node.most + 1) > longest:
        found.add(node.position)
    return found
