"""Kinds of characters: what tokens are made of, and on which kinds a lexeme state lives on.

Most states of patterns and formats are permissive: a walk of the whole vocabulary (1.3 ms for 128k tokens) finds that nearly every token
stays inside. Here the characters are cut into some 60 kinds (each punctuation mark, digits, letters by case and by whether they are
hexadecimal, ranges of UTF-8 lead bytes), and one word per token says which kinds it has. `survey` then finds kinds on which a state and
all states after it live on, for some number of characters: tokens of those kinds are a scan of one array (50 us), and a walk leaves out
every subtree that has no other kinds (one word per node of the vocabulary trie). What is left to walk are tokens with quotes,
backslashes, control bytes and cut characters.

Exact whatever `survey` chooses: kinds that it leaves out are walked. A kind counts as alive in a state only if *every* character of the
kind is (and so every beginning of one). Tokens that are not cut at the start of a character, or are no UTF-8, have the kind ODD, which
no state lives on.

Alternatives turned down: rows of tokens by set of bytes, kept (each pattern has its own set); bisimulation with the free string's
automaton (does nothing for classes, and a partition refinement for each pattern).
"""

from __future__ import annotations

import numpy as np

from .layout import *  # noqa: F403
from .memory import entry, i32, i64, kernel, u8

# Kinds are rectangles, ascending: first byte from .. to, second byte from .. to (0 .. 255 for characters of one byte). Where blocks with
# white space lie among letters (U+00A0, U+1680, U+2000, U+3000, U+FEFF) the second byte tells them apart.
_CONTROL = [(0x00, 0x08), (0x09, 0x09), (0x0A, 0x0A), (0x0B, 0x1F)]
_PRINTABLE = [
    *((b, b) for b in range(0x20, 0x30)), (0x30, 0x39), *((b, b) for b in range(0x3A, 0x41)), (0x41, 0x46), (0x47, 0x5A),
    *((b, b) for b in range(0x5B, 0x61)), (0x61, 0x66), (0x67, 0x7A), *((b, b) for b in range(0x7B, 0x80)),
]  # fmt: skip
_LEADS = [
    (0xC2, 0xC2, 0x80, 0xA0), (0xC2, 0xC2, 0xA1, 0xBF), (0xC3, 0xCD, 0x80, 0xBF), (0xCE, 0xCF, 0x80, 0xBF), (0xD0, 0xD3, 0x80, 0xBF),
    (0xD4, 0xDF, 0x80, 0xBF), (0xE0, 0xE0, 0x80, 0xBF), (0xE1, 0xE1, 0x80, 0x9A), (0xE1, 0xE1, 0x9B, 0xBF), (0xE2, 0xE2, 0x80, 0x81),
    (0xE2, 0xE2, 0x82, 0xBF), (0xE3, 0xE3, 0x80, 0x80), (0xE3, 0xE3, 0x81, 0xBF), (0xE4, 0xE9, 0x80, 0xBF), (0xEA, 0xEE, 0x80, 0xBF),
    (0xEF, 0xEF, 0x80, 0xBB), (0xEF, 0xEF, 0xBC, 0xBF), (0xF0, 0xF4, 0x80, 0xBF),
]  # fmt: skip
KINDS = [*((first, last, 0, 255) for first, last in [*_CONTROL, *_PRINTABLE]), *_LEADS]
N_KINDS = len(KINDS)
ODD = N_KINDS  # bytes that begin in the middle of a character or belong to none
_KINDS = np.array(KINDS, np.int64)
_KIND = np.full(256, ODD, np.int64)  # the first kind of a first byte
for _number, _rectangle in reversed(list(enumerate(KINDS))):
    _KIND[_rectangle[0] : _rectangle[1] + 1] = _number
QUOTE, BACKSLASH = _KIND[ord('"')], _KIND[ord("\\")]
ENDLESS = 255  # tokens have fewer characters, or count as that many
FAR = 16  # characters to which a survey looks: few tokens have more
N_ROWS = N_KINDS + FAR + 1  # see `token_rows`
_TARGETS = 256  # different targets of one kind that are looked at
_STATES = 128  # states that a survey looks at
_VIEW = 4  # different targets by all kinds that are kept for a state
_WIDE = 8  # kinds are looked for where they cover at least one token in so many
_HEAVY = 16  # losing kinds of fewer than one token in so many is better than looking at few characters


@entry
def describe_tokens(data, starts, kinds, chars, weights):  # type: ignore[no-untyped-def]
    """Kinds and number of characters of every token.

    data: uint8, starts: int32 [n + 1]; kinds: int64 [n], a bit for each kind (an empty token is odd); chars: uint8 [n], at most ENDLESS;
    weights: int64 [64], tokens with a character of the kind. All overwritten.
    """
    weights[:] = 0
    for t in range(len(kinds)):
        i, stop = starts[t], starts[t + 1]
        found = np.int64(0) if stop > i else np.int64(1) << ODD
        n = 0
        while i < stop:
            lead = data[i]
            kind = _KIND[lead]
            left = 0 if lead < 0x80 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
            i += 1
            n += 1
            if kind == ODD or left == 0:
                found |= np.int64(1) << kind
                continue
            if i >= stop:  # cut after the first byte: all kinds that it begins
                while kind < N_KINDS and _KINDS[kind, 0] <= lead:
                    found |= np.int64(1) << kind
                    kind += 1
                break
            low, high = _continuation(lead)
            while data[i] > _KINDS[kind, 3] and kind + 1 < N_KINDS and _KINDS[kind + 1, 0] <= lead:
                kind += 1
            found |= np.int64(1) << kind
            while left > 0 and i < stop:
                if data[i] < low or data[i] > high:
                    found |= np.int64(1) << ODD
                    break
                low, high = 0x80, 0xBF
                i += 1
                left -= 1
        kinds[t], chars[t] = found, min(n, ENDLESS)
        for kind in range(N_KINDS):
            weights[kind] += (found >> kind) & 1


@kernel
def _continuation(lead):  # type: ignore[no-untyped-def]
    """The range of the byte after a lead byte in well-formed UTF-8 (Unicode 15, table 3-7)."""
    low, high = 0x80, 0xBF
    if lead == 0xE0:
        low = 0xA0
    elif lead == 0xED:
        high = 0x9F
    elif lead == 0xF0:
        low = 0x90
    elif lead == 0xF4:
        high = 0x8F
    return low, high


@entry
def token_rows(kinds, chars, rows):  # type: ignore[no-untyped-def]
    """Bit rows of tokens. kinds, chars: from `describe_tokens`; rows: int64 [N_ROWS, ceil(words / 2)], overwritten; token t is bit t % 64
    of word t // 64. Row k: tokens with a character of kind k (row ODD has also the bits that are no token); row N_KINDS + n, for
    n = 1 .. FAR: tokens of more than n characters."""
    rows[:] = 0
    for t in range(len(kinds)):
        bit = np.int64(1) << (t & 63)
        for kind in range(ODD + 1):
            if (kinds[t] >> kind) & 1:
                rows[kind, t >> 6] |= bit
        for n in range(1, min(chars[t], FAR + 1)):
            rows[N_KINDS + n, t >> 6] |= bit
    for t in range(len(kinds), 64 * rows.shape[1]):
        rows[ODD, t >> 6] |= np.int64(1) << (t & 63)


@entry
def describe_nodes(depth, tokens, n_tokens, token, token_kinds, token_chars, kinds, chars):  # type: ignore[no-untyped-def]
    """For every trie node the kinds of all tokens at and below it (whole tokens, from their first byte) and their most characters.

    depth, tokens, n_tokens: columns of the trie; token: its tokens; token_kinds, token_chars: from `describe_tokens`. kinds: int64
    [nodes], chars: uint8 [nodes], overwritten.
    """
    deepest = 0
    for i in range(len(kinds)):
        deepest = max(deepest, depth[i])
    below, most = np.zeros(deepest + 2, np.int64), np.zeros(deepest + 2, np.uint8)
    for i in range(len(kinds) - 1, -1, -1):
        d = depth[i]
        found, n = below[d + 1], most[d + 1]
        for t in range(tokens[i], tokens[i] + n_tokens[i]):
            found |= token_kinds[token[t]]
            n = max(n, token_chars[token[t]])
        kinds[i], chars[i] = found, n
        below[d + 1], most[d + 1] = 0, 0
        below[d] |= found
        most[d] = max(most[d], n)


@kernel
def _find_runs(L, q, runs):  # type: ignore[no-untyped-def]
    """runs[b] = the first byte after b that the automaton of q tells apart from it (int64 [256])."""
    cls, first = u8(L, CL), i32(L, Q_CLASS)[q]
    runs[255] = 256
    for byte in range(254, -1, -1):
        runs[byte] = byte + 1 if cls[first + byte] != cls[first + byte + 1] else runs[byte + 1]


@kernel
def _after_1(L, q, low, high, runs, out, n):  # type: ignore[no-untyped-def]
    """Append the states after q by bytes low .. high to out, which has n; returns the new number, -1 if one is dead or one too many."""
    row, first = i32(L, Q_ROW)[q], i32(L, Q_CLASS)[q]
    trs, cls = i32(L, TR), u8(L, CL)
    byte = low
    while byte <= high:
        target = trs[row + cls[first + byte]]
        if target == 0:
            return -1
        if n == 0 or out[n - 1] != target:
            if n >= _TARGETS:
                return -1
            out[n] = target
            n += 1
        byte = runs[byte]
    return n


@kernel
def _after_2(L, q, low, high, runs, out, n):  # type: ignore[no-untyped-def]
    """The same with one continuation byte after them."""
    row, first = i32(L, Q_ROW)[q], i32(L, Q_CLASS)[q]
    trs, cls = i32(L, TR), u8(L, CL)
    byte = low
    while byte <= high and n >= 0:
        target = trs[row + cls[first + byte]]
        if target == 0:
            return -1
        n = _after_1(L, target, 0x80, 0xBF, runs, out, n)
        byte = runs[byte]
    return n


@kernel
def _after_3(L, q, low, high, runs, out, n):  # type: ignore[no-untyped-def]
    """The same with two continuation bytes after them."""
    row, first = i32(L, Q_ROW)[q], i32(L, Q_CLASS)[q]
    trs, cls = i32(L, TR), u8(L, CL)
    byte = low
    while byte <= high and n >= 0:
        target = trs[row + cls[first + byte]]
        if target == 0:
            return -1
        n = _after_2(L, target, 0x80, 0xBF, runs, out, n)
        byte = runs[byte]
    return n


@kernel
def _targets(L, q, kind, runs, out):  # type: ignore[no-untyped-def]
    """The states after one character of a kind, some perhaps repeatedly; returns their number, -1 if some character is dead."""
    first, last = _KINDS[kind, 0], _KINDS[kind, 1]
    if first < 0x80:
        return _after_1(L, q, first, last, runs, out, 0)
    row, classes = i32(L, Q_ROW)[q], i32(L, Q_CLASS)[q]
    trs, cls = i32(L, TR), u8(L, CL)
    n = 0
    previous, previous_low, previous_high = -1, 0, 0
    for lead in range(first, last + 1):
        c = cls[classes + lead]
        low, high = _continuation(lead)
        low, high = max(low, _KINDS[kind, 2]), min(high, _KINDS[kind, 3])
        if c != previous or low != previous_low or high != previous_high:
            target = trs[row + c]
            if target == 0:
                return -1
            if lead < 0xE0:
                n = _after_1(L, target, low, high, runs, out, n)
            elif lead < 0xF0:
                n = _after_2(L, target, low, high, runs, out, n)
            else:
                n = _after_3(L, target, low, high, runs, out, n)
            if n < 0:
                return n
        previous, previous_low, previous_high = c, low, high
    return n


@kernel
def _live(L, q, runs, out):  # type: ignore[no-untyped-def]
    """The kinds all of whose characters lead somewhere from table state q; kept."""
    kept = i64(L, Q_KINDS)[q]
    if kept >= 0:
        return kept
    found = 0
    for kind in range(N_KINDS):
        if _targets(L, q, kind, runs, out) >= 0:
            found |= 1 << kind
    i64(L, Q_KINDS)[q] = found
    return found


@kernel
def _weight(L, kinds):  # type: ignore[no-untyped-def]
    """About how many tokens have a character of one of these kinds."""
    weights = i64(L, L_KIND_WEIGHTS)
    total = 0
    for kind in range(N_KINDS):
        if (kinds >> kind) & 1:
            total += weights[kind]
    return total


@kernel
def _is_in(items, n, x):  # type: ignore[no-untyped-def]
    for i in range(n):
        if items[i] == x:
            return True
    return False


@kernel
def survey(L, q, exits):  # type: ignore[no-untyped-def]
    """Kinds C and a number n: from table state q every text of at most n characters of C stays alive, n = ENDLESS for any number.

    Returns C (0: not worth it) and sets L[SURVEY_CHARS] to n. exits: 1 if no state before the end of such a text may have a tag.

    A breadth-first search by characters. Where a state lacks some of C, either the kind that led to it leaves C, or what it lacks does,
    or the search ends at its depth: whichever loses fewer tokens. Kinds only ever leave C, so what was checked before stays true.
    The targets of each state are kept for the next survey, with the kinds that they are of.
    """
    runs, scratch = np.empty(256, np.int64), np.empty(_TARGETS, np.int64)
    _find_runs(L, q, runs)
    C = _live(L, q, runs, scratch)
    n_tokens = L[L_N_TOKENS]
    if _weight(L, C) * _WIDE < n_tokens:
        return 0
    targets = np.empty(_TARGETS, np.int64)
    states, levels, view = np.empty(_STATES, np.int64), np.empty(_STATES, np.int64), np.empty(_VIEW, np.int64)
    tags, views, view_kinds = i32(L, Q_TAG), i32(L, Q_VIEW), i64(L, Q_VIEW_KINDS)
    states[0], levels[0] = q, 0
    count, n = 1, ENDLESS
    i = 0
    while i < count and levels[i] < n:
        s, level = states[i], levels[i] + 1
        if C & ~view_kinds[s] == 0:  # seen before: nothing to decide where all targets will do
            fits = True
            old = count
            for j in range(s * _VIEW, s * _VIEW + _VIEW):
                t = views[j]
                if t == 0:
                    break
                if not _is_in(states, count, t):
                    if (
                        count >= _STATES
                        or level >= FAR
                        or (exits == 1 and tags[t] >= 0)
                        or C & ~_live(L, t, runs, scratch) != 0
                    ):
                        fits = False
                        break
                    states[count], levels[count] = t, level
                    count += 1
            if fits:
                i += 1
                continue
            count = old
        n_view = 0
        for kind in range(N_KINDS):
            if (C >> kind) & 1 == 0:
                continue
            found = _targets(L, s, kind, runs, targets)
            for j in range(found):
                t = targets[j]
                if n_view <= _VIEW and not _is_in(view, n_view, t):
                    if n_view < _VIEW:
                        view[n_view] = t
                    n_view += 1
                if level >= n or _is_in(states, count, t):
                    continue
                missing = C if exits == 1 and tags[t] >= 0 else C & ~_live(L, t, runs, scratch)
                if missing != 0:
                    cost, lost = _weight(L, 1 << kind), _weight(L, missing)
                    if 4 * cost < lost and cost * _HEAVY < n_tokens:
                        C &= ~(1 << kind)
                        break
                    if lost * _HEAVY >= n_tokens:
                        n = level
                        continue
                    C &= ~missing
                    if (C >> kind) & 1 == 0:
                        break
                if count >= _STATES or level >= FAR:
                    n = level
                    continue
                states[count], levels[count] = t, level
                count += 1
        if n_view <= _VIEW:
            view_kinds[s] = C
            for j in range(_VIEW):
                views[s * _VIEW + j] = view[j] if j < n_view else 0
        i += 1
    L[SURVEY_CHARS] = n
    if n < 2 or _weight(L, C) * _WIDE < n_tokens:
        return 0
    return C


@kernel
def mark_kinds(L, kinds, n, row):  # type: ignore[no-untyped-def]
    """Overwrite the mask words from `row` on with the tokens of at most n characters, all of the given kinds. Returns their number."""
    rows, others, bits = i64(L, L_KIND_ROWS), i64(L, L_KIND_SCRATCH), i32(L, ROW_WORD)
    words = L[L_WORDS]
    if kinds == 0:
        for w in range(words):
            bits[row + w] = 0
        return 0
    pairs = (words + 1) >> 1
    first = ODD * pairs
    for w in range(pairs):
        others[w] = rows[first + w]
    for kind in range(N_KINDS):
        if (kinds >> kind) & 1 == 0:
            first = kind * pairs
            for w in range(pairs):
                others[w] |= rows[first + w]
    if n <= FAR:
        first = (N_KINDS + n) * pairs
        for w in range(pairs):
            others[w] |= rows[first + w]
    count = 0
    for w in range(words):
        word = ~(others[w >> 1] >> (32 * (w & 1))) & 0xFFFFFFFF
        bits[row + w] = word
        twos = word - ((word >> 1) & 0x55555555)
        fours = (twos & 0x33333333) + ((twos >> 2) & 0x33333333)
        count += ((((fours + (fours >> 4)) & 0x0F0F0F0F) * 0x01010101) >> 24) & 0xFF
    return count


@kernel
def kind_word(L, row, w):  # type: ignore[no-untyped-def]
    """Word w (32 tokens, unsigned) of a row of `token_rows`."""
    pairs = (L[L_WORDS] + 1) >> 1
    return (i64(L, L_KIND_ROWS)[row * pairs + (w >> 1)] >> (32 * (w & 1))) & 0xFFFFFFFF
