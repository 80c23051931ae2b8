"""Stepping lexeme automata: tables, counted strings, and tries of keys and enum values.

A *table* state has a row of transitions over byte classes. A *counted* state is a table state of the JSON string automaton and a number
of characters in the high half of q; one row describes each pair of bounds. It comes in two kinds: the string without other constraints
(characters are counted at its body state), and *bounded*: any string automaton with a maximum, whose states know the fewest characters
to acceptance and whether they are within a character. A *trie* state belongs to one
program: a few edges, and a default state that every other byte goes on from; default 0 is a closed set. In a trie that takes words out of
a value's lexeme (see `structgen.machine.exceptions`) an edge to 0 is dead, and a default may be a counted state, its count in LT_LOW.
"""

from __future__ import annotations

import numpy as np

from .intern import G_EDGES, G_TRIE, G_WORK, need_grow
from .layout import *  # noqa: F403
from .memory import i32, i64, kernel, u8

_QUOTE, _BACKSLASH = 34, 92


@kernel
def counted_step(L, low, count, row, byte):  # type: ignore[no-untyped-def]
    """One byte in a counted string. Characters are counted where they begin."""
    counted = i32(L, C_ROW)
    c = (-2 - row) * COUNT_WIDTH
    alt = i32(L, Q_ALT)
    target = i32(L, TR)[alt[low] + u8(L, CL)[i32(L, Q_CLASS)[low] + byte]]
    if target == 0:
        return 0
    if counted[c + C_BOUNDED]:
        flags = i32(L, Q_FLAGS)
        if flags[low] & Q_WITHIN == 0 and byte != _QUOTE:
            count += 1
        if count + i32(L, Q_REST)[target] > counted[c + C_MAX]:
            return 0  # too few characters are left to end the string
        return target if flags[target] & Q_FINAL else (count << 32) | target
    if low != counted[c + C_BODY]:
        return (count << 32) | target
    minimum, maximum = counted[c + C_MIN], counted[c + C_MAX]
    if byte == _QUOTE:
        return target if count >= minimum else 0
    if maximum >= 0:
        if count >= maximum:
            return 0
        return ((count + 1) << 32) | target
    if count + 1 >= minimum:
        return target + counted[c + C_SHIFT]  # no bound is left: the plain string's own state
    return ((count + 1) << 32) | target


@kernel
def step(P, L, q, byte):  # type: ignore[no-untyped-def]
    """The lexeme state after one byte; 0 is dead."""
    low = q & LOW
    if low >= LOCAL:
        i = low - LOCAL
        first = i32(P, LT_EDGES)[i]
        bytes_ = i32(P, LE_BYTE)
        for e in range(first, first + i32(P, LT_N)[i]):
            if bytes_[e] == byte:
                return i32(P, LE_TARGET)[e]
        low = i32(P, LT_DEFAULT)[i]
        if low == 0:
            return low
        row = i32(L, Q_ROW)[low]
        if row < 0:
            return counted_step(L, low, np.int64(i32(P, LT_LOW)[i]), row, byte)
        return i32(L, TR)[row + u8(L, CL)[i32(L, Q_CLASS)[low] + byte]]
    row = i32(L, Q_ROW)[low]
    if row >= 0:
        return i32(L, TR)[row + u8(L, CL)[i32(L, Q_CLASS)[low] + byte]]
    return counted_step(L, low, q >> 32, row, byte)


@kernel
def tag_of(P, L, q):  # type: ignore[no-untyped-def]
    """The tag with which the lexeme may end in q, or -1."""
    low = q & LOW
    if low >= LOCAL:
        return i32(P, LT_TAG)[low - LOCAL]
    return i32(L, Q_TAG)[low]


@kernel
def is_final(P, L, q):  # type: ignore[no-untyped-def]
    """Whether q accepts and no byte leads on."""
    low = q & LOW
    if low >= LOCAL:
        i = low - LOCAL
        return i32(P, LT_TAG)[i] >= 0 and i32(P, LT_N)[i] == 0 and i32(P, LT_DEFAULT)[i] == 0
    return (i32(L, Q_FLAGS)[low] & Q_FINAL) != 0


@kernel
def find_move(P, core, tag):  # type: ignore[no-untyped-def]
    """The first move of a core state with this tag, or -1; others with it follow (`end_of_moves`)."""
    row = i32(P, CORE_ROW)
    tags = i32(P, CM_TAG)
    low = row[core * CORE_WIDTH + CORE_PTR]
    high = end = low + row[core * CORE_WIDTH + CORE_N]
    while low < high:
        middle = (low + high) >> 1
        if tags[middle] < tag:
            low = middle + 1
        else:
            high = middle
    return low if low < end and tags[low] == tag else -1


@kernel
def end_of_moves(P, core, move):  # type: ignore[no-untyped-def]
    """The move after the last one with the tag of `move`, which is the first one with it (-1: the result is -1)."""
    if move < 0:
        return move
    row = i32(P, CORE_ROW)
    tags = i32(P, CM_TAG)
    end = row[core * CORE_WIDTH + CORE_PTR] + row[core * CORE_WIDTH + CORE_N]
    last = move + 1
    while last < end and tags[last] == tags[move]:
        last += 1
    return last


@kernel
def core_admits(P, o, core, name):  # type: ignore[no-untyped-def]
    """Whether a core state of the object with row offset `o` admits its declared name number `name`, whatever names came before."""
    objects, pool = i32(P, O_ROW), i32(P, POOL)
    if pool[objects[o + O_RELEVANT] + name] != 0:
        return find_move(P, core, NAMED + name) >= 0
    return pool[objects[o + O_VALUES] + name] >= 0 and i32(P, CORE_ROW)[core * CORE_WIDTH + CORE_DEFAULT] >= 0


@kernel
def name_allowed(P, os, name):  # type: ignore[no-untyped-def]
    """Whether an object in state `os` may have its declared name number `name` next."""
    row = i32(P, OS_ROW)
    o = row[os * OS_WIDTH + OS_OBJECT] * OBJ_WIDTH
    objects, pool = i32(P, O_ROW), i32(P, POOL)
    core = row[os * OS_WIDTH + OS_CORE]
    if core < 0:
        if pool[objects[o + O_VALUES] + name] < 0:
            return False
    elif not core_admits(P, o, core, name):
        return False
    if objects[o + O_ORDERED]:
        position = row[os * OS_WIDTH + OS_POSITION]
        return position <= name and name <= pool[objects[o + O_NEXT_REQUIRED] + position]
    word = i64(P, SEEN)[row[os * OS_WIDTH + OS_SEEN] + (name >> 6)]
    return ((word >> (name & 63)) & 1) == 0


@kernel
def key_alive(P, q, os):  # type: ignore[no-untyped-def]
    """Whether a trie state of a key lexeme can still end in a name that `os` allows."""
    i = (q & LOW) - LOCAL
    tag = i32(P, LT_TAG)[i]
    if tag >= 0:
        return tag >= NAMED and tag < TAKEN and name_allowed(P, os, tag - NAMED)
    if i32(P, LT_FLAGS)[i] & LT_OPEN:
        return True
    o = i32(P, OS_ROW)[os * OS_WIDTH + OS_OBJECT] * OBJ_WIDTH
    pool = i32(P, POOL)
    order = i32(P, O_ROW)[o + O_SORTED]
    for j in range(i32(P, LT_LOW)[i], i32(P, LT_HIGH)[i]):
        if name_allowed(P, os, pool[order + j]):
            return True
    return False


@kernel
def alive(P, L, q, k):  # type: ignore[no-untyped-def]
    """1 if the configuration (q, k) can go on, 0 if not, 2 if that depends on a text that a mask walk does not know.

    Only keys are filtered: everything else that a step reaches has a completion because empty values are pruned before. An item after one
    whose text is not known may turn out to be equal to it when it ends, and in a list of values (a trie without default) before.
    """
    low = q & LOW
    kinds, as_ = i32(P, FR_KIND), i32(P, FR_A)
    local = low >= LOCAL
    if not local and (i32(L, Q_FLAGS)[low] & Q_FINAL) == 0:
        return 1
    if k >= 0:
        if kinds[k] != F_KEY:
            return 2 if kinds[k] == F_LOOK and not (local and i32(P, LT_DEFAULT)[low - LOCAL] != 0) else 1
        if local:
            return 1 if key_alive(P, q, as_[k]) else 0
        return 2 if i32(P, OS_ROW)[as_[k] * OS_WIDTH + OS_FLAGS] & OS_ANONYMOUS else 1
    items = i32(P, FSI)
    start = i32(P, FS_PTR)[~k]
    verdict = 0
    for j in range(start, start + i32(P, FS_LEN)[~k]):
        f = items[j]
        if kinds[f] == F_LOOK and not (local and i32(P, LT_DEFAULT)[low - LOCAL] != 0):
            verdict = 2
            continue
        if kinds[f] != F_KEY:
            return 1
        if local:
            if key_alive(P, q, as_[f]):
                return 1
        elif i32(P, OS_ROW)[as_[f] * OS_WIDTH + OS_FLAGS] & OS_ANONYMOUS:
            verdict = 2
        else:
            return 1
    return verdict


@kernel
def new_trie_state(P, default, tag, low, high, flags, n_edges):  # type: ignore[no-untyped-def]
    """A trie state with room for n_edges edges that the caller fills; returns its q, or NEED."""
    i, e = P[LT_COUNT], P[LE_COUNT]
    if i >= P[LT_CAP]:
        return need_grow(P, G_TRIE)
    if e + n_edges > P[LE_CAP]:
        return need_grow(P, G_EDGES)
    i32(P, LT_EDGES)[i], i32(P, LT_N)[i], i32(P, LT_DEFAULT)[i] = e, n_edges, default
    i32(P, LT_TAG)[i], i32(P, LT_LOW)[i], i32(P, LT_HIGH)[i], i32(P, LT_FLAGS)[i] = tag, low, high, flags
    P[LT_COUNT], P[LE_COUNT] = i + 1, e + n_edges
    return LOCAL + i


@kernel
def _default_step(L, low, byte):  # type: ignore[no-untyped-def]
    if low == 0:
        return 0
    return i32(L, TR)[i32(L, Q_ROW)[low] + u8(L, CL)[i32(L, Q_CLASS)[low] + byte]]


@kernel
def open_at(P, L, i):  # type: ignore[no-untyped-def]
    """Whether a name that is not in the trie passes through trie state i: a default step that no edge hides, or an open child."""
    default = i32(P, LT_DEFAULT)[i]
    first, n = i32(P, LT_EDGES)[i], i32(P, LT_N)[i]
    bytes_, targets = i32(P, LE_BYTE), i32(P, LE_TARGET)
    for e in range(first, first + n):
        t = targets[e]
        if i32(P, LT_FLAGS)[t - LOCAL] & LT_OPEN:
            return True
    if default == 0:
        return False
    for byte in range(32, 288):  # printable bytes first: the answer comes at once for free strings
        b = byte & 255
        if _default_step(L, default, b) != 0:
            hidden = False
            for e in range(first, first + n):
                if bytes_[e] == b:
                    hidden = True
                    break
            if not hidden:
                return True
    return False


@kernel
def build_trie(P, L, data, starts, tags, low, high, depth, default):  # type: ignore[no-untyped-def]
    """Trie over sorted byte strings [low, high) from `depth` on; returns the q of its root, or NEED.

    data: uint8, starts: int32 [n + 1], tags: int32 [n] (given to end states; children of one state are contiguous since the strings
    are sorted). default: table state that other strings go on from, 0 for a closed set. A state's children are reserved when it is
    visited; whether states are open to other strings is found afterwards, from the last to the first. An explicit stack of (state and
    low, high, depth), not recursion: keys may be long. On NEED what was built is given back.
    """
    work_low, work_high, work_depth = i64(P, W_A), i32(P, W_B), i32(P, W_C)
    first_state = P[LT_COUNT]
    first_edge = P[LE_COUNT]
    root = new_trie_state(P, default, -1, low, high, 0, 0)
    if root < 0:
        return root
    top = 0
    work_low[top], work_high[top], work_depth[top] = ((root - LOCAL) << 32) | low, high, depth
    top = 1
    while top > 0:
        top -= 1
        state = work_low[top] >> 32
        a, b, d = work_low[top] & LOW, work_high[top], work_depth[top]
        # the one string that ends here (strings are unique; its successors are longer); a trie of no strings has none
        if a < b and starts[a + 1] - starts[a] == d:
            i32(P, LT_TAG)[state] = tags[a]
            a += 1
        n = 0
        i = a
        while i < b:
            n += 1
            byte = data[starts[i] + d]
            while i < b and data[starts[i] + d] == byte:
                i += 1
        e = P[LE_COUNT]
        if e + n > P[LE_CAP] or top + n > P[W_CAP]:
            P[LT_COUNT], P[LE_COUNT] = first_state, first_edge
            return need_grow(P, G_EDGES if e + n > P[LE_CAP] else G_WORK)
        P[LE_COUNT] = e + n
        i32(P, LT_EDGES)[state], i32(P, LT_N)[state] = e, n
        state_default = i32(P, LT_DEFAULT)[state]
        i = a
        while i < b:
            byte = data[starts[i] + d]
            j = i
            while j < b and data[starts[j] + d] == byte:
                j += 1
            child = new_trie_state(P, _default_step(L, state_default, byte), -1, i, j, 0, 0)
            if child < 0:
                P[LT_COUNT], P[LE_COUNT] = first_state, first_edge
                return child
            i32(P, LE_BYTE)[e], i32(P, LE_TARGET)[e] = byte, child
            e += 1
            work_low[top], work_high[top], work_depth[top] = ((child - LOCAL) << 32) | i, j, d + 1
            top += 1
            i = j
    if default != 0:  # children have higher numbers than their parents
        for state in range(P[LT_COUNT] - 1, first_state - 1, -1):
            if i32(P, LT_TAG)[state] >= 0:
                i32(P, LT_DEFAULT)[state] = 0
            elif open_at(P, L, state):
                i32(P, LT_FLAGS)[state] = LT_OPEN
    return root


@kernel
def string_start(P, tid):  # type: ignore[no-untyped-def]
    """The text before the JSON string that the text `tid` ends with, and the string's bytes.

    Its opening quote is the first one, going back from the closing quote, before which the number of backslashes is even.
    """
    parents, bytes_ = i32(P, T_PARENT), i32(P, T_BYTE)
    t, n = parents[tid], 1
    while t > 0:
        byte = bytes_[t]
        t = parents[t]
        n += 1
        if byte == _QUOTE:
            escape, even = t, True
            while escape > 0 and bytes_[escape] == _BACKSLASH:
                escape = parents[escape]
                even = not even
            if even:
                break
    return t, n


@kernel
def item_length(P, tid):  # type: ignore[no-untyped-def]
    """Bytes of the JSON value that the text `tid` ends with; the text may begin in the middle of what stands before it."""
    parents, bytes_ = i32(P, T_PARENT), i32(P, T_BYTE)
    t, n, depth = tid, 0, 0
    while t > 0:
        byte = bytes_[t]
        if byte == _QUOTE:
            t, length = string_start(P, t)
            n += length
            if depth == 0:
                break
            continue
        if byte == 91 or byte == 123:  # [ {
            depth -= 1
            if depth < 0:
                break
        elif byte == 93 or byte == 125:  # ] }
            depth += 1
        elif depth == 0 and (byte == 44 or byte == 58 or byte <= 32):  # , : white space
            break
        n += 1
        t = parents[t]
        if depth == 0 and (byte == 91 or byte == 123):
            break
    return n


@kernel
def exclude_text(P, L, root, tid):  # type: ignore[no-untyped-def]
    """A copy of the trie `root` (a q) in which the captured key `tid` is taken; returns its root, or NEED.

    Only the states on the text's path are copied. The key is the string, with both quotes, that the text ends with; one of more than
    W_CAP bytes grows the work table.
    """
    parents, bytes_ = i32(P, T_PARENT), i32(P, T_BYTE)
    path = i32(P, W_B)
    states = i64(P, W_A)
    _, n = string_start(P, tid)
    if n >= P[W_CAP]:
        return need_grow(P, G_WORK)
    t = tid
    for j in range(n):
        path[j] = bytes_[t]
        t = parents[t]
    # path is reversed: byte j of the text is path[n - 1 - j]
    q = root
    for j in range(n):
        states[j] = q
        q = step(P, L, q, path[n - 1 - j])
    child = new_trie_state(P, 0, TAKEN, 0, 0, 0, 0)
    if child < 0:
        return child
    for j in range(n - 1, -1, -1):
        q = states[j]
        byte = path[n - 1 - j]
        if q >= LOCAL:
            i = q - LOCAL
            default, tag, low, high = i32(P, LT_DEFAULT)[i], i32(P, LT_TAG)[i], i32(P, LT_LOW)[i], i32(P, LT_HIGH)[i]
            first, n_edges = i32(P, LT_EDGES)[i], i32(P, LT_N)[i]
        else:
            default, tag, low, high, first, n_edges = q, -1, 0, 0, 0, 0
        present = False
        for e in range(first, first + n_edges):
            if i32(P, LE_BYTE)[e] == byte:
                present = True
        copy = new_trie_state(P, default, tag, low, high, 0, n_edges + (0 if present else 1))
        if copy < 0:
            return copy
        e_out = i32(P, LT_EDGES)[copy - LOCAL]
        for e in range(first, first + n_edges):
            target = i32(P, LE_TARGET)[e]
            i32(P, LE_BYTE)[e_out] = i32(P, LE_BYTE)[e]
            i32(P, LE_TARGET)[e_out] = child if i32(P, LE_BYTE)[e] == byte else target
            e_out += 1
        if not present:
            i32(P, LE_BYTE)[e_out], i32(P, LE_TARGET)[e_out] = byte, child
        if open_at(P, L, copy - LOCAL):
            i32(P, LT_FLAGS)[copy - LOCAL] = LT_OPEN
        child = copy
    return child
