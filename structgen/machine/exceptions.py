"""Words taken out of a lexeme, one at a time and cheaply: `const` under `not`, and the items that `uniqueItems` has already seen.

In: the start state of a lexeme (a table state, a counted string, or a trie) and the spellings of a value. Out: the start state of the
same language without them: a trie over their bytes that leaves everything else to the lexeme's own states, whose records it shares.
The states on the way of a word are copied and all others shared, so taking out one value more costs its length. An edge behind which
nothing is left is dead (0), so that nothing that can be reached is without an end.

Turned down: the difference of automata (a new lexeme with its own records for every set of values: 60 times slower).
"""

from __future__ import annotations

from collections.abc import Sequence

from structgen.kernels import layout, machine
from structgen.lexemes.words import WordGraph
from structgen.machine.program import Program

# printable bytes first: the first one tried is nearly always alive
_BYTES = [*range(97, 123), *range(48, 58), *range(32, 48), *range(58, 97), *range(123, 256), *range(32)]


def exclude_words(program: Program, start: int, words: WordGraph, *, prefix_free: bool) -> int:
    """The start state of a lexeme without some words; 0 if none are left, `start` if it has none of them.

    prefix_free: no word of the lexeme begins another (strings, with their quotes, but not numbers). Raises LimitExceeded.
    """
    reached: list[dict[int, list[tuple[int, int, int]]]] = [
        {} for _ in words.edges
    ]  # by node: q -> (byte, next q, next node)
    reached[-1][start] = []
    for node in range(len(words.edges) - 1, -1, -1):  # edges lead to smaller numbers
        for q, steps in reached[node].items():
            for byte, target in words.edges[node].items():
                after = program.call(machine.step_once, q, byte)
                if after:
                    steps.append((byte, after, target))
                    reached[target].setdefault(after, [])
    made: list[dict[int, int]] = []  # by node: q -> the state without the words
    for node, accepts in enumerate(words.accepts):
        found: dict[int, int] = {}
        for q, steps in reached[node].items():
            changed = {byte: made[target][after] for byte, after, target in steps if made[target][after] != after}
            if changed or (accepts and program.call(machine.tag_at, q)):
                default, tag, edges = _opened(program, q)
                found[q] = _new_state(program, default, -1 if accepts else tag, edges | changed, prefix_free)
            else:
                found[q] = q
        made.append(found)
    return made[-1][start]


def exclude_many(program: Program, start: int, words: Sequence[bytes]) -> int:
    """As `exclude_words` for many words of the string without constraints (table states; sorted, unique), in one pass over their bytes.

    Every beginning of such a string goes on in infinitely many, so that only the closing quotes of the words are dead.
    """
    arena = program.arena
    first_state, first_edge = arena.count("trie"), arena.count("trie_edges")
    root = program.add_trie(words, [layout.TAKEN] * len(words), start)
    targets = arena.table("trie_edges", "target")[first_edge : arena.count("trie_edges")]
    taken = arena.table("trie", "tag")[targets - layout.LOCAL] == layout.TAKEN
    targets[taken] = 0
    arena.table("trie", "low")[first_state : arena.count("trie")] = 0  # the count of the default, see kernels/lexeme.py
    return root


def _opened(program: Program, q: int) -> tuple[int, int, dict[int, int]]:
    """(default, tag, edges) of a state; the default is a whole q, with its count."""
    low = q & layout.LOW
    if low < layout.LOCAL:
        return q, program.call(machine.tag_at, q) - 1, {}
    i = low - layout.LOCAL
    table = program.arena.table
    first, n, default, tag, count = (
        int(table("trie", column)[i]) for column in ("edges", "n", "default", "tag", "low")
    )
    bytes_, targets = (table("trie_edges", column)[first : first + n].tolist() for column in ("byte", "target"))
    return (count << 32 | default) if default else 0, tag, dict(zip(bytes_, targets, strict=True))


def _new_state(program: Program, default: int, tag: int, edges: dict[int, int], prefix_free: bool) -> int:
    """A trie state; 0 if nothing is left behind it."""
    if tag < 0 and not any(edges.values()) and not _goes_on(program, default, edges):
        return 0
    i, first = program.arena.take("trie", 1), program.arena.take("trie_edges", len(edges))
    program.arena.table("trie_edges", "byte")[first : first + len(edges)] = list(edges)
    program.arena.table("trie_edges", "target")[first : first + len(edges)] = list(edges.values())
    low, count = default & layout.LOW, default >> 32
    flags = 0 if prefix_free and _has_record(program, low, count) else layout.LT_WALK
    for column, value in (
        ("edges", first), ("n", len(edges)), ("default", low), ("tag", tag), ("low", count), ("high", 0), ("flags", flags),
    ):  # fmt: skip
        program.arena.table("trie", column)[i] = value
    return layout.LOCAL + i


def _goes_on(program: Program, default: int, edges: dict[int, int]) -> bool:
    """Whether the lexeme's own state goes on with a byte that has no edge."""
    if not default or program.lexicon.arena.table("states", "flags")[default & layout.LOW] & layout.Q_FINAL:
        return False
    return any(byte not in edges and program.call(machine.step_once, default, byte) for byte in _BYTES)


def _has_record(program: Program, low: int, count: int) -> bool:
    """Whether the mask of a lexeme's own state is put together from records (see `kernels/masks.py`), so that it can be corrected."""
    lexicon = program.lexicon
    states = lexicon.arena.table
    row, flags = int(states("states", "row")[low]), int(states("states", "flags")[low])
    if row >= 0:
        return bool(flags & layout.Q_RECORDED)
    if row == -1:
        return False
    c = (-2 - row) * layout.COUNT_WIDTH
    counted = states("counted", "row")[c : c + layout.COUNT_WIDTH].tolist()
    if flags & layout.Q_BODY and not counted[layout.C_BOUNDED]:
        return True
    room = counted[layout.C_MAX] - count
    far = counted[layout.C_MAX] < 0 or room >= lexicon.max_token_length + counted[layout.C_SLACK]
    return bool(count >= counted[layout.C_MIN] and far)
