"""Building the mask of a state.

For each configuration: the record of its lexeme state where there is one (shared or permissive lexemes), else a walk of the vocabulary
trie with all such configurations together. Where a lexeme may end inside a token, the suffix tries of its record are walked from what
follows. A token whose verdict depends on the text of a key that the walk does not know is checked on its own at the end.
"""

from __future__ import annotations

import numpy as np

from .advance import REFUSED, UNIQUE_FROM, close, push_state, read_bytes
from .alphabet import BACKSLASH, FAR, N_KINDS, ODD, QUOTE, kind_word
from .frames import follow
from .intern import G_RECHECK, G_STACK, need_grow, need_steps, push, unique
from .layout import *  # noqa: F403
from .lexeme import alive, is_final, key_alive, step, tag_of
from .memory import i32, i64, kernel, u8
from .records import counted_records, counted_row, record_of


@kernel
def _set(out, token):  # type: ignore[no-untyped-def]
    out[token >> 5] |= 1 << (token & 31)


@kernel
def _clear(out, token):  # type: ignore[no-untyped-def]
    out[token >> 5] &= ~(1 << (token & 31))


@kernel
def _later(P, L, begin, end):  # type: ignore[no-untyped-def]
    """Put the tokens of trie nodes [begin, end) on the list of those to check one by one. Returns 0 or NEED."""
    tokens, n_tokens, token = i32(L, TN_TOKENS), i32(L, TN_N), i32(L, TT)
    for i in range(begin, end):
        for t in range(tokens[i], tokens[i] + n_tokens[i]):
            n = P[R_COUNT]
            if n >= P[R_CAP]:
                return need_grow(P, G_RECHECK)
            i32(P, R_TOKEN)[n] = token[t]
            P[R_COUNT] = n + 1
    return 0


@kernel
def _may_leave(P, L, node, low):  # type: ignore[no-untyped-def]
    """Whether the lexeme of some stack entry from `low` may end at a trie node and what follows it go on as the trie does."""
    qs = i64(P, X_Q)
    byte, ends, tags, q_class, may_follow = u8(L, TN_BYTE), i32(L, TN_END), i32(L, Q_TAG), i32(L, Q_CLASS), u8(L, CL)
    for c in range(low, P[X_TOP]):
        q = qs[c] & LOW
        if q >= LOCAL:
            if tag_of(P, L, qs[c]) >= 0:
                return True
            continue
        if tags[q] < 0:
            continue
        follow_map = q_class[q] + FOLLOW
        child = node + 1
        while child < ends[node]:
            if may_follow[follow_map + byte[child]] != 0:
                return True
            child = ends[child]
    return False


@kernel
def walk(P, L, begin, end, low, out):  # type: ignore[no-untyped-def]
    """Set the tokens of trie nodes [begin, end) that the stack entries from `low` allow.

    The entries must be closed (`close`). Returns 0 or NEED; X_TOP is restored. Depth-first: the entries of each depth stay on the stack
    while its subtree is walked.
    """
    byte, ends, depth, tokens, n_tokens = (
        u8(L, TN_BYTE),
        i32(L, TN_END),
        i32(L, TN_DEPTH),
        i32(L, TN_TOKENS),
        i32(L, TN_N),
    )
    token = i32(L, TT)
    qs, ks = i64(P, X_Q), i32(P, X_K)
    levels = i32(P, P_LEVELS)
    base = P[X_TOP]
    if begin >= end:
        return 0
    shift = depth[begin] - 1
    levels[0], levels[1] = low, base
    capacity = P[X_CAP]
    i = begin
    while i < end:
        d = depth[i] - shift
        first, last = levels[2 * d - 2], levels[2 * d - 1]
        P[STEPS] += last - first
        b = byte[i]
        top = last
        uncertain = False
        for c in range(first, last):
            q = step(P, L, qs[c], b)
            if q != 0:
                verdict = alive(P, L, q, ks[c])
                if verdict == 1:
                    if top >= capacity:
                        P[X_TOP] = base
                        return need_grow(P, G_STACK)
                    qs[top], ks[top] = q, ks[c]
                    top += 1
                elif verdict == 2:
                    uncertain = True
        if uncertain:
            if _later(P, L, i, ends[i]) < 0:
                P[X_TOP] = base
                return NEED
            i = ends[i]
            continue
        if top == last:
            if P[STEPS] > P[MAX_STEPS]:
                P[X_TOP] = base
                return need_steps(P)
            i = ends[i]
            continue
        t = tokens[i]
        for j in range(t, t + n_tokens[i]):
            _set(out, token[j])
        if ends[i] == i + 1:
            i += 1
            continue
        P[X_TOP] = top
        if top - last >= UNIQUE_FROM:
            P[X_TOP] = unique(P, last, top)
        if not _may_leave(P, L, i, last):
            levels[2 * d], levels[2 * d + 1] = last, P[X_TOP]
            i += 1
            continue
        status = close(P, L, last, ANONYMOUS)
        if status == UNCERTAIN:
            if _later(P, L, i + 1, ends[i]) < 0:
                P[X_TOP] = base
                return NEED
            i = ends[i]
            continue
        if status < 0:
            P[X_TOP] = base
            return NEED
        levels[2 * d], levels[2 * d + 1] = last, P[X_TOP]
        i += 1
    P[X_TOP] = base
    return 0


@kernel
def _walk_after(P, L, k, tag, begin, end, out):  # type: ignore[no-untyped-def]
    """Walk trie nodes from the state that follows (k, tag). Returns 0 or NEED."""
    s = follow(P, L, k, tag, ANONYMOUS)
    if s == UNCERTAIN:
        return _later(P, L, begin, end)
    if s < 0:
        return NEED
    low = P[X_TOP]
    if push_state(P, s) < 0:
        return NEED
    status = close(P, L, low, ANONYMOUS)
    if status == UNCERTAIN:
        status = _later(P, L, begin, end)
    elif status >= 0:
        status = walk(P, L, begin, end, low, out)
    P[X_TOP] = low
    return status


@kernel
def _merge_inside(L, record, out):  # type: ignore[no-untyped-def]
    row = i32(L, RE_ROW)[record]
    if row >= 0:
        bits = i32(L, ROW_WORD)
        for w in range(L[L_WORDS]):
            out[w] |= bits[row + w]
    else:
        tokens = i32(L, LI_TOKEN)
        first = i32(L, RE_LIST)[record]
        for t in range(first, first + i32(L, RE_N)[record]):
            _set(out, tokens[t])


@kernel
def _merge_exits(P, L, record, k, out):  # type: ignore[no-untyped-def]
    first = i32(L, RE_EXITS)[record]
    for e in range(first, first + i32(L, RE_N_EXITS)[record]):
        if _walk_after(P, L, k, i32(L, EX_TAG)[e], i32(L, EX_BEGIN)[e], i32(L, EX_END)[e], out) < 0:
            return NEED
    return 0


@kernel
def _merge_record(P, L, low, k, out):  # type: ignore[no-untyped-def]
    """Set what table state `low` allows with k after it. Returns 0 or NEED."""
    ends = k >= 0 and i32(P, FR_KIND)[k] == F_END  # nothing follows: the exits are not needed
    record = record_of(P, L, low, 0 if ends else 1)
    if record < 0:
        return NEED
    _merge_inside(L, record, out)
    return 0 if ends else _merge_exits(P, L, record, k, out)


@kernel
def _merge_counted(P, L, low, count, k, out):  # type: ignore[no-untyped-def]
    """Set what a counted string allows between two characters, `count` of them read. Returns 0 or NEED."""
    counted = i32(L, C_ROW)
    c = (-2 - i32(L, Q_ROW)[low]) * COUNT_WIDTH
    minimum, maximum = counted[c + C_MIN], counted[c + C_MAX]
    longest = L[L_MAX_LENGTH]
    need = max(0, minimum - count)
    room = longest if maximum < 0 else min(longest, maximum - count)
    record = counted_records(P, L, c)
    if record < 0 or counted_row(P, L, c, record, room) < 0:
        return NEED
    _merge_inside(L, record + room, out)
    for r in range(need, room + 1):
        _merge_inside(L, record + longest + 1 + r, out)
        # every exit of these records has the string's one tag
        first = i32(L, RE_EXITS)[record + longest + 1 + r]
        for e in range(first, first + i32(L, RE_N_EXITS)[record + longest + 1 + r]):
            if _walk_after(P, L, k, 0, i32(L, EX_BEGIN)[e], i32(L, EX_END)[e], out) < 0:
                return NEED
    return 0


@kernel
def _far_from_bound(L, low, count):  # type: ignore[no-untyped-def]
    """Whether no token can reach the bounds of a counted string: its mask is then that of the automaton without them."""
    counted = i32(L, C_ROW)
    c = (-2 - i32(L, Q_ROW)[low]) * COUNT_WIDTH
    return count >= counted[c + C_MIN] and (
        counted[c + C_MAX] < 0 or count + L[L_MAX_LENGTH] + counted[c + C_SLACK] <= counted[c + C_MAX]
    )


@kernel
def _is_bounded(L, low):  # type: ignore[no-untyped-def]
    """Whether a counted state belongs to a constrained string with a maximum."""
    c = (-2 - i32(L, Q_ROW)[low]) * COUNT_WIDTH
    return i32(L, C_ROW)[c + C_BOUNDED] == 1


@kernel
def _merge_bounded(P, L, q, k, out):  # type: ignore[no-untyped-def]
    """Set what a bounded string allows near its end: its automaton's mask, less the tokens with too many characters. Returns 0 or NEED.

    A token of so few characters that any state can still end the string after it is taken at once; one with more characters than are
    left is not. Those between, and those with quotes or escapes, are stepped as far as the string goes: what follows it allows them.
    """
    low, count = q & LOW, q >> 32
    counted = i32(L, C_ROW)
    c = (-2 - i32(L, Q_ROW)[low]) * COUNT_WIDTH
    room = counted[c + C_MAX] - count
    sure = room - counted[c + C_SLACK]
    scratch = i32(L, L_SCRATCH)
    words = L[L_WORDS]
    for w in range(words):
        scratch[w] = 0
    if _merge_record(P, L, i32(L, Q_PLAIN)[low], k, scratch) < 0:
        return NEED
    starts, data = i32(L, L_TOKEN_START), u8(L, L_TOKEN_BYTES)
    for w in range(words):
        word = scratch[w] & LOW
        if word == 0:
            continue
        plain = ~(kind_word(L, QUOTE, w) | kind_word(L, BACKSLASH, w) | kind_word(L, ODD, w))
        taken = 0
        if sure > 0:
            taken = word & plain & ~kind_word(L, N_KINDS + min(sure, FAR), w)
        left = word & ~taken
        if room <= 0:
            left &= ~plain
        elif room <= FAR:
            left &= ~(plain & kind_word(L, N_KINDS + room, w))
        while left != 0:
            bit = 0
            lowest = left & -left
            while (lowest >> bit) != 1:
                bit += 1
            left ^= lowest
            token = w * 32 + bit
            at = q
            for position in range(starts[token], starts[token + 1]):
                at = step(P, L, at, data[position])
                if at == 0 or i32(L, Q_FLAGS)[at & LOW] & Q_FINAL:
                    break
            if at != 0:
                taken |= lowest
        out[w] |= taken
    return 0


@kernel
def _key_frames_allow(P, q, k):  # type: ignore[no-untyped-def]
    """Whether some frame of k allows a name that trie state q can end in (frames that read no key always do)."""
    kinds, as_ = i32(P, FR_KIND), i32(P, FR_A)
    if k >= 0:
        return kinds[k] != F_KEY or key_alive(P, q, as_[k])
    items = i32(P, FSI)
    start = i32(P, FS_PTR)[~k]
    for j in range(start, start + i32(P, FS_LEN)[~k]):
        if kinds[items[j]] != F_KEY or key_alive(P, q, as_[items[j]]):
            return True
    return False


@kernel
def _walk_names(P, L, q, k, out):  # type: ignore[no-untyped-def]
    """Correct the mask of an open key lexeme along its named keys. Returns 0 or NEED.

    `out` holds what the default automaton allows. Along each path of the trie that is also a path of the vocabulary the verdict is the
    trie's: subtrees under the end of a name are cleared and walked again with what follows that name.
    """
    byte, ends, depth, tokens, n_tokens = (
        u8(L, TN_BYTE),
        i32(L, TN_END),
        i32(L, TN_DEPTH),
        i32(L, TN_TOKENS),
        i32(L, TN_N),
    )
    token = i32(L, TT)
    edges, n_edges, default = i32(P, LT_EDGES), i32(P, LT_N), i32(P, LT_DEFAULT)
    edge_byte, edge_target = i32(P, LE_BYTE), i32(P, LE_TARGET)
    last_token = L[L_N_TOKENS]
    n = L[L_N_NODES]
    levels = i64(L, L_LEVELS)
    levels[0] = q
    i = 0
    while i < n:
        d = depth[i]
        parent = levels[d - 1] - LOCAL
        b = byte[i]
        target = -1
        for e in range(edges[parent], edges[parent] + n_edges[parent]):
            if edge_byte[e] == b:
                target = edge_target[e]
                break
        if target < 0:
            i = ends[i]
            continue
        first = tokens[i]
        living = target != 0 and _key_frames_allow(P, target, k)
        tag = i32(P, LT_TAG)[target - LOCAL] if target != 0 else -1
        if tag >= 0 or not living:
            last = last_token if ends[i] >= n else tokens[ends[i]]
            for t in range(first, last):
                _clear(out, token[t])
            if living:
                for t in range(first, first + n_tokens[i]):
                    _set(out, token[t])
                if _walk_after(P, L, k, tag, i + 1, ends[i], out) < 0:
                    return NEED
            i = ends[i]
            continue
        for t in range(first, first + n_tokens[i]):
            _set(out, token[t])
        if default[target - LOCAL] == 0 and n_edges[target - LOCAL] == 0:
            i = ends[i]
            continue
        levels[d] = target
        i += 1
    return 0


@kernel
def _merge_open(P, L, q, k, out):  # type: ignore[no-untyped-def]
    """Set what an open key lexeme allows, in a row that is empty or may lose bits along the names. Returns 0 or NEED."""
    low, count = i32(P, LT_DEFAULT)[q - LOCAL], np.int64(i32(P, LT_LOW)[q - LOCAL])
    if i32(L, Q_ROW)[low] >= 0:
        status = _merge_record(P, L, low, k, out)
    elif _far_from_bound(L, low, count):
        status = _merge_record(P, L, i32(L, Q_PLAIN)[low], k, out)
    else:
        status = _merge_counted(P, L, low, count, k, out)
    return status if status < 0 else _walk_names(P, L, q, k, out)


@kernel
def _fill(P, L, s, tid, out):  # type: ignore[no-untyped-def]
    """Write the mask of state s; returns 1 if it may be cached, 0 if it depends on the captured text, or NEED."""
    words = L[L_WORDS]
    scratch = i32(L, L_SCRATCH)
    for w in range(words):
        out[w] = 0
    P[X_TOP] = P[STEPS] = 0
    P[R_COUNT] = P[P_USED] = 0
    if push_state(P, s) < 0:
        return NEED
    flags = close(P, L, 0, tid)
    if flags < 0:
        return NEED
    flags |= i32(P, S_FLAGS)[s]
    if flags & S_END:
        stops = i32(L, L_STOPS)
        for i in range(L[L_N_STOPS]):
            _set(out, stops[i])
    qs, ks = i64(P, X_Q), i32(P, X_K)
    n = P[X_TOP]
    q_flags = i32(L, Q_FLAGS)
    # Open tries clear bits along their names: the first works on the empty row, others on a row of their own that is merged.
    n_open = 0
    for i in range(n):
        q, k = qs[i], ks[i]
        if (
            q >= LOCAL
            and q <= LOW
            and i32(P, LT_DEFAULT)[q - LOCAL] != 0
            and i32(P, LT_FLAGS)[q - LOCAL] & LT_WALK == 0
        ):
            if n_open == 0:
                if _merge_open(P, L, q, k, out) < 0:
                    return NEED
            else:
                for w in range(words):
                    scratch[w] = 0
                if _merge_open(P, L, q, k, scratch) < 0:
                    return NEED
                for w in range(words):
                    out[w] |= scratch[w]
            n_open += 1
    direct = P[X_TOP]
    for i in range(n):
        q, k = qs[i], ks[i]
        low = q & LOW
        if low >= LOCAL:
            walked = i32(P, LT_DEFAULT)[low - LOCAL] == 0 or i32(P, LT_FLAGS)[low - LOCAL] & LT_WALK != 0
            if walked and push(P, q, k) < 0:
                return NEED
        elif q_flags[low] & Q_RECORDED:
            if _merge_record(P, L, low, k, out) < 0:
                return NEED
        elif i32(L, Q_ROW)[low] < -1 and _far_from_bound(L, low, q >> 32):
            if _merge_record(P, L, i32(L, Q_PLAIN)[low], k, out) < 0:
                return NEED
        elif i32(L, Q_ROW)[low] < -1 and q_flags[low] & (Q_BODY | Q_WITHIN | Q_FINAL) == 0 and _is_bounded(L, low):
            if _merge_bounded(P, L, q, k, out) < 0:
                return NEED
        elif q_flags[low] & Q_BODY:
            if _merge_counted(P, L, low, q >> 32, k, out) < 0:
                return NEED
        elif not is_final(P, L, q) and push(P, q, k) < 0:
            return NEED
    # what may follow the entries above `direct` at once was closed in the beginning
    if P[X_TOP] > direct and walk(P, L, 0, L[L_N_NODES], direct, out) < 0:
        return NEED
    late = P[R_COUNT]
    if late == 0:
        return 1 if P[P_USED] == 0 else 0
    starts, recheck = i32(L, L_TOKEN_START), i32(P, R_TOKEN)
    for i in range(late):
        P[X_TOP] = 0
        verdict = read_bytes(P, L, s, tid, u8(L, L_TOKEN_BYTES), starts[recheck[i]], starts[recheck[i] + 1])
        if verdict >= 0:
            _set(out, recheck[i])
        elif verdict == REFUSED:
            _clear(out, recheck[i])
        else:
            return NEED
    return 0


@kernel
def fill_row(P, L, s, tid, out):  # type: ignore[no-untyped-def]
    """Write the mask of state s; returns 0 or NEED.

    A finished mask is kept in a ring of rows that all programs of the vocabulary share; the owner's number tells stale rows.
    """
    words = L[L_WORDS]
    owner = (P[P_SERIAL] << 32) | s
    slot = i32(P, S_ROW)[s]
    cache = i32(L, L_CACHE)
    owners = i64(L, L_CACHE_OWNER)
    if slot >= 0 and owners[slot] == owner:
        first = slot * words
        for w in range(words):
            out[w] = cache[first + w]
        return 0
    status = _fill(P, L, s, tid, out)
    if status < 0:
        return NEED
    if status == 1:
        slot = L[L_CACHE_NEXT]
        L[L_CACHE_NEXT] = 0 if slot + 1 >= L[L_N_CACHE] else slot + 1
        owners[slot] = owner
        i32(P, S_ROW)[s] = slot
        first = slot * words
        for w in range(words):
            cache[first + w] = out[w]
    return 0
