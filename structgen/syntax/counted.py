"""Patterns with large counts, `[a-z]{1,100000}`: taken apart into pieces that are small automata, one after the other.

In: the syntax tree of a pattern that is too large for one automaton. Out: a constraint of the same language, whose pieces are compiled on
their own; None where a piece would have to know what stands beside it (`\\b`, look-around, atomic groups).

A body that is repeated n times becomes n // B copies of one automaton for B copies, and the rest. From `least` to `most` copies:
`least`, then up to k = most - least more, Q = k // B: (B copies){0, Q-1} and up to B - 1 more (0 to QB - 1), or QB and up to k % B more.
"""

from __future__ import annotations

from structgen.lexemes.nfa import count_positions
from structgen.lexemes.regex_syntax import Chars, Choice, Embedded, Node, Repeat, Sequence
from structgen.syntax.constraints import Constraint, InSequence, OneOf, Repeated, Tree

_PIECE = 1_000  # positions of a piece
_BLOCK = 128  # copies in a block, at most


def decomposed(tree: Node) -> Constraint | None:
    """A constraint of pieces for the tree of a whole pattern."""
    return _pieces(tree) if _is_plain(tree) else None


def _is_plain(tree: Node) -> bool:
    work = [tree]
    while work:
        node = work.pop()
        if isinstance(node, Sequence):
            work += node.items
        elif isinstance(node, Choice):
            work += node.options
        elif isinstance(node, Repeat):
            if node.mode == "possessive":
                return False
            work.append(node.body)
        elif not isinstance(node, Chars | Embedded):
            return False
    return True


def _pieces(node: Node) -> Constraint:
    if count_positions(node) <= _PIECE:
        return Tree(node)
    if isinstance(node, Sequence):
        parts: list[Constraint] = []
        small: list[Node] = []
        for item in node.items:
            if count_positions(Sequence([*small, item])) <= _PIECE:
                small.append(item)
                continue
            if small:
                parts.append(Tree(Sequence(small)))
            small = []
            parts.append(_pieces(item))
        return InSequence((*parts, Tree(Sequence(small))) if small else tuple(parts))
    if isinstance(node, Choice):
        return OneOf(tuple(map(_pieces, node.options)))
    if isinstance(node, Repeat):
        return _repeated(node)
    return Tree(node)


def _repeated(node: Repeat) -> Constraint:
    body = node.body
    size = max(1, count_positions(body))
    if size > _PIECE // 2:
        return Repeated(_pieces(body), node.least, node.most, None)
    block = min(_BLOCK, _PIECE // size)

    def some(least: int, most: int | None) -> Constraint:
        return Tree(Repeat(body, least, most, "greedy", node.position))

    def exactly(n: int) -> list[Constraint]:
        blocks: list[Constraint] = [Repeated(some(block, block), n // block, n // block, None)] if n >= block else []
        return [*blocks, some(n % block, n % block)] if n % block else blocks

    head = exactly(node.least)
    if node.most is None:
        return InSequence((*head, some(0, None)))
    more = node.most - node.least
    if more < block:
        return InSequence((*head, some(0, more)))
    n = more // block
    fewer = InSequence((Repeated(some(block, block), 0, n - 1, None), some(0, block - 1)))
    most = InSequence((*exactly(n * block), some(0, more % block)))
    return InSequence((*head, OneOf((fewer, most))))
