"""Regular expressions to automata over characters.

`compile_regex` is the whole interface; `check_regex` only reads a pattern. In: a pattern in one of the dialects of
regex_syntax. Out: a minimal `CharDfa`. Anchors and word boundaries are decided inside the subset construction.

Recognition only: lazy and greedy quantifiers mean the same. Look-around and atomic groups are the business of lookaround.py.
"""

from __future__ import annotations

from structgen.errors import LimitExceeded, Limits
from structgen.lexemes import charclass
from structgen.lexemes.cache import CellCache
from structgen.lexemes.dfa import DEFAULT_LIMITS, CharDfa
from structgen.lexemes.lookaround import ANYTHING, has_atomic, language, needs_lookaround, without_atomic
from structgen.lexemes.nfa import count_positions, simplified
from structgen.lexemes.regex_syntax import Boundary, Chars, Choice, Dialect, Node, Repeat, Sequence, parse_regex

_COMPILED: CellCache[tuple[str, str, bool, int], CharDfa] = CellCache(4_000_000)


def check_regex(pattern: str, dialect: Dialect, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise what `compile_regex` would raise, without compiling (but for look-around and atomic groups, which decides it).

    RegexError with the position if the pattern is invalid or unsupported, LimitExceeded if its counts alone are too large. About
    10 us for a typical pattern, less when it was seen before.
    """
    node = parse_regex(pattern, dialect)
    if needs_lookaround(node) or has_atomic(node):
        compile_regex(pattern, dialect=dialect, anchored=False, limits=limits)
        return
    positions = count_positions(node)
    if positions > limits.max_dfa_states:
        positions = count_positions(simplified(node))
        if positions > limits.max_dfa_states:
            raise LimitExceeded(positions, limits.max_dfa_states, "max_dfa_states")


def _with_python_end(node: Node, anchored: bool) -> Node:
    """Rewrite Python's `$` where it ends a branch: the end of the string, or one newline before it."""
    if isinstance(node, Boundary) and node.kind == "end-or-newline":
        end = Boundary("end", node.word, node.newline, node.position)
        if anchored:
            return end
        return Sequence([Repeat(Chars(charclass.NEWLINE), 0, 1, "greedy", node.position), end])
    if isinstance(node, Sequence) and node.items:
        last = _with_python_end(node.items[-1], anchored)
        return node if last is node.items[-1] else Sequence([*node.items[:-1], last])
    if isinstance(node, Choice):
        options = [_with_python_end(option, anchored) for option in node.options]
        return Choice(options)
    return node


def _begins_at_start(node: Node) -> bool:
    """Whether every match begins with `^`, so that a search need not try later places."""
    if isinstance(node, Boundary):
        return node.kind == "start"
    if isinstance(node, Sequence):
        return bool(node.items) and _begins_at_start(node.items[0])
    if isinstance(node, Choice):
        return all(_begins_at_start(option) for option in node.options)
    return False


def _ends_at_end(node: Node) -> bool:
    if isinstance(node, Boundary):
        return node.kind == "end"
    if isinstance(node, Sequence):
        return bool(node.items) and _ends_at_end(node.items[-1])
    if isinstance(node, Choice):
        return all(_ends_at_end(option) for option in node.options)
    return False


def _without_first(node: Node) -> Node:
    """Drop the `^` that `_begins_at_start` found (true there, as nothing stands before)."""
    if isinstance(node, Sequence):
        return Sequence([_without_first(node.items[0]), *node.items[1:]])
    if isinstance(node, Choice):
        return Choice([_without_first(option) for option in node.options])
    return Sequence([])


def _without_last(node: Node) -> Node:
    if isinstance(node, Sequence):
        return Sequence([*node.items[:-1], _without_last(node.items[-1])])
    if isinstance(node, Choice):
        return Choice([_without_last(option) for option in node.options])
    return Sequence([])


def compile_tree(node: Node, pattern: str, anchored: bool, limits: Limits) -> CharDfa:
    """The automaton of a syntax tree; see `compile_regex`."""
    node = _with_python_end(without_atomic(node, pattern, limits), anchored)
    before = after = not anchored
    if _begins_at_start(node):
        node, before = _without_first(node), False
    if _ends_at_end(node):
        node, after = _without_last(node), False
    node = simplified(node)
    if before or after:
        node = Sequence(([ANYTHING] if before else []) + [node] + ([ANYTHING] if after else []))
    return language(node, pattern, limits, absorbs=after)


def compile_regex(
    pattern: str, *, dialect: Dialect, anchored: bool, flags: int = 0, limits: Limits = DEFAULT_LIMITS
) -> CharDfa:
    """The strings that a pattern matches, as a minimal automaton.

    dialect: "python" (`re` on str) or "ecma" (ECMA-262, see regex_syntax). anchored: True for a match of the whole string
    (`re.fullmatch`), False for a match anywhere (`re.search`; JSON Schema's `pattern`), where `^`, `$`, `\\b` assert. flags:
    those of `re`. Raises RegexError with the position, LimitExceeded if the automaton is too large or too costly.
    """
    key = (pattern, dialect, anchored, int(flags))
    done = _COMPILED.get(key)
    if done is not None and done.n_states <= limits.max_dfa_states + 1:
        return done
    node = parse_regex(pattern, dialect, int(flags))
    positions = count_positions(node)
    if positions > limits.max_dfa_states and (positions := count_positions(simplified(node))) > limits.max_dfa_states:
        raise LimitExceeded(positions, limits.max_dfa_states, "max_dfa_states")
    result = compile_tree(node, pattern, anchored, limits)
    _COMPILED.put(key, result, result.trans.size + len(pattern) + 256)
    return result
