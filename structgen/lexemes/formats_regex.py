"""The format `regex`: what both ECMA-262 (with its Annex B) and Python read alike.

No look-behind, names, back-references or property escapes; groups nested up to `REGEX_DEPTH`; counts below 1,000, and in `{n,m}` m has
more digits or a greater first one; ranges in classes of letters, of digits, of hexadecimal escapes likewise.

Regular expressions are not a regular language: one automaton for what stands between two brackets is copied for each depth.
"""

from __future__ import annotations

import numpy as np

from structgen.lexemes.dfa import CharDfa, char_dfa, partition
from structgen.lexemes.formats_grammar import LIMITS, any_of, whole
from structgen.lexemes.formats_notes import REGEX_DEPTH
from structgen.lexemes.lookaround import language
from structgen.lexemes.regex_syntax import Choice, Embedded, Repeat, Sequence

# a noncharacter that stands for the inside of a group while the automaton of regexes is built
_GROUP = "\U0010ffff"

_HEX4 = "(?:[0-9A-CE-Fa-ce-f][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2})"
_ESCAPE = f"\\\\(?:[dDwWsSfnrtv]|[!-/:-@\\[-`{{-~ ]|x[0-9A-Fa-f]{{2}}|u{_HEX4})"
# ^ ] \ - have a meaning in a class
_CLASS_CHARACTER = "[ -,.-\\[_-~\\x80-\\U0010ffff]"


def _ascending(prefix: str, digits: str, tail: str) -> str:
    """Ranges whose ends differ in one hexadecimal digit that is greater at the end, whatever follows it."""
    folded = [d if d.isdigit() else d + d.upper() for d in digits]
    return any_of(
        *(f"{prefix}[{folded[i]}]{tail}-{prefix}[{''.join(folded[i + 1 :])}]{tail}" for i in range(len(digits) - 1))
    )


def _regex_class() -> CharDfa:
    """Bracketed classes; the ends of a range must ascend, so each low end has its own choice of high ends."""
    ranges = ["[ !]-~"]
    for run in ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"):
        ranges += [f"{low}-[{run[i:]}]" for i, low in enumerate(run)]
    hexadecimal = "0123456789abcdef"
    ranges.append(_ascending("\\\\x", hexadecimal, "[0-9A-Fa-f]"))
    ranges.append(_ascending("\\\\u", hexadecimal[:13], "[0-9A-Fa-f]{3}"))
    ranges.append(_ascending("\\\\u00", hexadecimal, "[0-9A-Fa-f]"))
    item = any_of(*ranges, _CLASS_CHARACTER, _ESCAPE)
    return whole(f"\\[\\^?(?:-?{item}+-?|-)\\]")


def _regex_quantifier() -> CharDfa:
    """The optional quantifier; in {n,m} either m has more digits, or its first digit is greater, or both have one digit."""
    ordered = [f"{n},[{n}-9]" for n in range(10)]
    ordered += [f"{n}[0-9],[{n + 1}-9][0-9]" for n in range(1, 9)]
    ordered += ["[0-9],[1-9][0-9]{1,2}", "[1-9][0-9],[1-9][0-9]{2}"]
    return whole(f"(?:(?:[*+?]|\\{{(?:(?:0|[1-9][0-9]{{0,2}}),?|{any_of(*ordered)})\\}})\\??)?")


def _regex_level() -> CharDfa:
    """What stands between two brackets, with a group written as `(` and `_GROUP`."""
    atom = whole("[^\\\\^$.*+?()\\[{|" + _GROUP + "]|\\.|" + _ESCAPE).unite(_regex_class(), LIMITS)
    group = whole("\\(" + _GROUP)
    quantified = Sequence([Embedded(atom.unite(group, LIMITS)), Embedded(_regex_quantifier())])
    other = whole(r"[$^|]|\\[bB]")
    return language(Repeat(Choice([quantified, Embedded(other)]), 0, None, "greedy", 0), "", LIMITS)


def regex() -> CharDfa:
    """One copy of the level's automaton for each depth; `(` goes down to the next one, `)` comes back up."""
    level = _regex_level()
    bounds, classes, members = partition(
        [*level.class_ranges(), *((ord(c), ord(c)) for c in ("(", ")", "?", ":", "=", "!", _GROUP))]
    )
    points = [bounds[classes.index(c)] for c in range(len(members))]
    column = {c: classes[bounds.index(ord(c))] for c in ("(", ")", "?", ":", "=", "!", _GROUP)}
    table = level.trans[:, [level.class_of(point) for point in points]]
    n = level.n_states
    group_begun = int(table[level.start, column["("]])
    group_read = int(table[group_begun, column[_GROUP]])
    n_levels = REGEX_DEPTH + 1
    # states: level d has those of its copy at d * n, and two behind all copies: after `(` and after `(?`
    trans = np.zeros((n_levels * (n + 2), table.shape[1]), np.int32)
    accepts = level.accept
    for depth in range(n_levels):
        base, opened = depth * n, n_levels * n + 2 * depth
        copy = np.where(table != 0, table + base, 0)
        copy[:, column[_GROUP]] = 0
        # brackets in a class or behind a backslash are characters, and stay in the copy
        down = opened + 2 if depth < REGEX_DEPTH else 0
        copy[:, column["("]] = np.where(table[:, column["("]] == group_begun, down, copy[:, column["("]])
        if depth:
            copy[:, column[")"]] = np.where(accepts, base - n + group_read, copy[:, column[")"]])
        trans[base : base + n] = copy
        trans[opened] = copy[level.start]
        trans[opened, column["?"]] = opened + 1
        for c in (":", "=", "!"):
            trans[opened + 1, column[c]] = base + level.start
    trans[0] = 0
    tags = np.full(trans.shape[0], -1, np.int32)
    tags[:n] = level.tags
    return char_dfa(bounds, classes, trans, tags, level.start)
