"""The machine: advance a state by a token, build a state's mask, check drafts. Entry points called from structgen.machine.

All entry points return >= 0, or NEED with a request in P[NEED_KIND], P[NEED_ARG]: Python provides what is missing (a compiled node, a
larger table, room for records) and repeats the call. What was memoised stays, so a repeated call is cheap.
"""

from __future__ import annotations

from numba import types

from .frames import enter, follow
from .intern import G_RECHECK, G_STACK, intern_frame, intern_state, intern_text, need_grow, push, reads_key, unique
from .layout import *  # noqa: F403
from .lexeme import alive, build_trie, is_final, key_alive, step, tag_of
from .memory import at_i32, at_i64, entry, i32, i64, is_cached, kernel, u8, view_i32, view_u8
from .records import counted_records, counted_row, record_of

_UNIQUE_FROM = 4  # configurations side by side from which repeated ones are looked for


@kernel
def close(P, L, low, tid):  # type: ignore[no-untyped-def]
    """Extend the stack entries from `low` by what follows those that may end here; returns the END flag seen, NEED or UNCERTAIN."""
    flags = 0
    qs, ks = i64(P, X_Q), i32(P, X_K)
    i = low
    while i < P[X_TOP]:
        tag = tag_of(P, L, qs[i])
        if tag >= 0:
            s = follow(P, L, ks[i], tag, tid)
            if s < 0:
                return s
            flags |= i32(P, S_FLAGS)[s] & S_END
            p, n = i32(P, S_PTR)[s], i32(P, S_LEN)[s]
            top = P[X_TOP]
            if top + n > P[X_CAP]:
                return need_grow(P, G_STACK)
            sq, sk = i64(P, SC_Q), i32(P, SC_K)
            for j in range(n):
                q, k = sq[p + j], sk[p + j]
                known = False
                for t in range(low, top):  # a nullable lexeme may lead back to itself
                    if qs[t] == q and ks[t] == k:
                        known = True
                        break
                if not known:
                    qs[top], ks[top] = q, k
                    top += 1
            P[X_TOP] = top
        i += 1
    return flags


@kernel
def push_state(P, s):  # type: ignore[no-untyped-def]
    """Push a state's configurations on the stack; returns 0 or NEED."""
    p, n = i32(P, S_PTR)[s], i32(P, S_LEN)[s]
    top = P[X_TOP]
    if top + n > P[X_CAP]:
        return need_grow(P, G_STACK)
    qs, ks, sq, sk = i64(P, X_Q), i32(P, X_K), i64(P, SC_Q), i32(P, SC_K)
    for i in range(n):
        qs[top + i], ks[top + i] = sq[p + i], sk[p + i]
    P[X_TOP] = top + n
    return 0


@kernel
def settle(P, L, low, tid):  # type: ignore[no-untyped-def]
    """Replace finished lexemes (accepting, nothing leads on) from `low` by what follows them; returns the END flag, NEED or UNCERTAIN."""
    flags = 0
    qs, ks = i64(P, X_Q), i32(P, X_K)
    i = low
    while i < P[X_TOP]:
        if is_final(P, L, qs[i]):
            s = follow(P, L, ks[i], tag_of(P, L, qs[i]), tid)
            if s < 0:
                return s
            flags |= i32(P, S_FLAGS)[s] & S_END
            top = P[X_TOP] - 1
            qs[i], ks[i] = qs[top], ks[top]
            P[X_TOP] = top
            if push_state(P, s) < 0:
                return NEED
        else:
            i += 1
    return flags


@kernel
def read_bytes(P, L, s, tid, data, start, stop):  # type: ignore[no-untyped-def]
    """Advance state s by bytes data[start:stop]; leaves the configurations on the stack from the old top.

    Returns the captured text's number (>= 0), NEED, or -3 when the bytes are not allowed. The caller restores X_TOP.
    """
    base = P[X_TOP]
    if push_state(P, s) < 0:
        return NEED
    qs, ks = i64(P, X_Q), i32(P, X_K)
    low = base
    for position in range(start, stop):
        byte = data[position]
        running = P[X_TOP]  # entries below go on in their lexeme, those above enter a new one
        if close(P, L, low, tid) < 0:
            return NEED
        top = P[X_TOP]
        captured = -1
        out = top
        for i in range(low, top):
            q = step(P, L, qs[i], byte)
            if q == 0 or alive(P, L, q, ks[i]) == 0:
                continue
            if out >= P[X_CAP]:
                return need_grow(P, G_STACK)
            if reads_key(P, ks[i]):
                captured = tid if i < running else 0
            qs[out], ks[out] = q, ks[i]
            out += 1
        n = out - top
        if n == 0:
            return -3
        for i in range(n):
            qs[low + i], ks[low + i] = qs[top + i], ks[top + i]
        P[X_TOP] = low + n
        if n >= _UNIQUE_FROM:
            P[X_TOP] = unique(P, low, low + n)
        tid = 0
        if captured >= 0:
            tid = intern_text(P, captured, byte)
            if tid < 0:
                return NEED
    return tid


@kernel
def _advance(P, L, s, tid, token):  # type: ignore[no-untyped-def]
    """The state after a token, 0 if it is not allowed, or NEED; the captured text goes to P[OUT_TID]."""
    starts = i32(L, L_TOKEN_START)
    start, stop = starts[token], starts[token + 1]
    if start == stop:
        return 0
    base = P[X_TOP]
    tid = read_bytes(P, L, s, tid, u8(L, L_TOKEN_BYTES), start, stop)
    if tid < 0:
        P[X_TOP] = base
        return 0 if tid == -3 else NEED
    flags = settle(P, L, base, tid)
    if flags < 0:
        P[X_TOP] = base
        return NEED
    out = intern_state(P, base, P[X_TOP], flags)
    P[X_TOP] = base
    if out < 0:
        return NEED
    P[OUT_TID] = tid if i32(P, S_FLAGS)[out] & S_KEY else 0
    return out


@entry
def advance(context, s, tid, token):  # type: ignore[no-untyped-def]
    """State and captured text after a token, packed as tid << 32 | state; 0 if the token is not allowed; or NEED."""
    P = at_i64(context)
    L = _lexicon(P)
    P[X_TOP] = 0
    out = _advance(P, L, s, tid, token)
    if out <= 0:
        return out
    return (P[OUT_TID] << 32) | out


@kernel
def _lexicon(P):  # type: ignore[no-untyped-def]
    return at_i64(P[P_LEX])


@entry
def advance_bytes(context, s, tid, data):  # type: ignore[no-untyped-def]
    """Like `advance` for the bytes of any text (uint8 array)."""
    P = at_i64(context)
    L = _lexicon(P)
    P[X_TOP] = 0
    tid = read_bytes(P, L, s, tid, view_u8(data), 0, len(data))
    if tid < 0:
        return 0 if tid == -3 else NEED
    flags = settle(P, L, 0, tid)
    if flags < 0:
        return NEED
    out = intern_state(P, 0, P[X_TOP], flags)
    if out < 0:
        return NEED
    return ((tid if i32(P, S_FLAGS)[out] & S_KEY else 0) << 32) | out


@entry
def token_allowed(context, s, tid, token):  # type: ignore[no-untyped-def]
    """1 if state s allows the token, 0 if not, or NEED. Builds no state."""
    P = at_i64(context)
    L = _lexicon(P)
    P[X_TOP] = 0
    starts = i32(L, L_TOKEN_START)
    if starts[token] == starts[token + 1]:
        return 0
    out = read_bytes(P, L, s, tid, u8(L, L_TOKEN_BYTES), starts[token], starts[token + 1])
    return 1 if out >= 0 else (0 if out == -3 else NEED)


@entry
def count_accepted(context, s, tid, tokens):  # type: ignore[no-untyped-def]
    """How many tokens (int32 array) of a draft are allowed one after the other, or NEED."""
    P = at_i64(context)
    L = _lexicon(P)
    n_tokens = L[L_N_TOKENS]
    for i in range(len(tokens)):
        P[X_TOP] = 0
        if tokens[i] < 0 or tokens[i] >= n_tokens:
            return i
        s = _advance(P, L, s, tid, tokens[i])
        if s < 0:
            return NEED
        if s == 0:
            return i
        tid = P[OUT_TID]
    return len(tokens)


@entry
def can_end(context, s, tid):  # type: ignore[no-untyped-def]
    """1 if the text may end in state s, 0 if not, or NEED."""
    P = at_i64(context)
    if i32(P, S_FLAGS)[s] & S_END:
        return 1
    L = _lexicon(P)
    P[X_TOP] = 0
    if push_state(P, s) < 0:
        return NEED
    flags = close(P, L, 0, tid)
    if flags < 0:
        return NEED
    return 1 if flags & S_END else 0


@entry
def next_bytes(context, s, tid, out):  # type: ignore[no-untyped-def]
    """out[b] = 1 for every byte that may come next (uint8 [256], overwritten). Returns how many, or NEED."""
    P = at_i64(context)
    L = _lexicon(P)
    P[X_TOP] = 0
    if push_state(P, s) < 0:
        return NEED
    if close(P, L, 0, tid) < 0:
        return NEED
    qs, ks = i64(P, X_Q), i32(P, X_K)
    count = 0
    for byte in range(256):
        out[byte] = 0
        for i in range(P[X_TOP]):
            q = step(P, L, qs[i], byte)
            if q != 0 and alive(P, L, q, ks[i]) != 0:
                out[byte] = 1
                count += 1
                break
    return count


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
            i = ends[i]
            continue
        t = tokens[i]
        for j in range(t, t + n_tokens[i]):
            _set(out, token[j])
        if ends[i] == i + 1:
            i += 1
            continue
        P[X_TOP] = top
        if top - last >= _UNIQUE_FROM:
            P[X_TOP] = unique(P, last, top)
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
    if push_state(P, s) < 0 or close(P, L, low, ANONYMOUS) < 0:
        P[X_TOP] = low
        return NEED
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
        if target < LOCAL:  # an edge into the default automaton or to nowhere
            last = last_token if ends[i] >= n else tokens[ends[i]]
            if target == 0:
                for t in range(first, last):
                    _clear(out, token[t])
            i = ends[i]
            continue
        living = _key_frames_allow(P, target, k)
        tag = i32(P, LT_TAG)[target - LOCAL]
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
    if _merge_record(P, L, i32(P, LT_DEFAULT)[q - LOCAL], k, out) < 0:
        return NEED
    return _walk_names(P, L, q, k, out)


@kernel
def _fill(P, L, s, tid, out):  # type: ignore[no-untyped-def]
    """Write the mask of state s; returns 1 if it may be cached, 0 if it depends on the captured text, or NEED."""
    words = L[L_WORDS]
    scratch = i32(L, L_SCRATCH)
    for w in range(words):
        out[w] = 0
    P[X_TOP] = 0
    P[R_COUNT] = 0
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
        if q >= LOCAL and q <= LOW and i32(P, LT_DEFAULT)[q - LOCAL] != 0:
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
            if i32(P, LT_DEFAULT)[low - LOCAL] == 0 and push(P, q, k) < 0:
                return NEED
        elif q_flags[low] & Q_RECORDED:
            if _merge_record(P, L, low, k, out) < 0:
                return NEED
        elif i32(L, Q_ROW)[low] < -1 and _far_from_bound(L, low, q >> 32):
            if _merge_record(P, L, i32(L, Q_PLAIN)[low], k, out) < 0:
                return NEED
        elif q_flags[low] & Q_BODY:
            if _merge_counted(P, L, low, q >> 32, k, out) < 0:
                return NEED
        elif not is_final(P, L, q) and push(P, q, k) < 0:
            return NEED
    if P[X_TOP] > direct and _walk_direct(P, L, direct, out) < 0:
        return NEED
    late = P[R_COUNT]
    if late == 0:
        return 1
    starts, recheck = i32(L, L_TOKEN_START), i32(P, R_TOKEN)
    for i in range(late):
        P[X_TOP] = 0
        verdict = read_bytes(P, L, s, tid, u8(L, L_TOKEN_BYTES), starts[recheck[i]], starts[recheck[i] + 1])
        if verdict >= 0:
            _set(out, recheck[i])
        elif verdict == -3:
            _clear(out, recheck[i])
        else:
            return NEED
    return 0


@kernel
def _walk_direct(P, L, low, out):  # type: ignore[no-untyped-def]
    """Walk the vocabulary with the stack entries from `low`. Entries that may end here were closed by the caller."""
    return walk(P, L, 0, L[L_N_NODES], low, out)


@kernel
def _fill_or_copy(P, L, s, tid, out):  # type: ignore[no-untyped-def]
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


@entry
def fill(context, s, tid, row):  # type: ignore[no-untyped-def]
    """Write the mask of state s to the address `row` (int32 [words], overwritten); returns 0 or NEED."""
    P = at_i64(context)
    return _fill_or_copy(P, _lexicon(P), s, tid, at_i32(row))


@entry
def fill_batch(contexts, states, tids, rows, first):  # type: ignore[no-untyped-def]
    """`fill` for many matchers: int64 arrays of context addresses, states, texts and row addresses, from entry `first` on.

    Returns the number done; fewer than there are means that entry `done` needs something (a request stands in its context).
    """
    for i in range(first, len(states)):
        P = at_i64(contexts[i])
        if _fill_or_copy(P, _lexicon(P), states[i], tids[i], at_i32(rows[i])) < 0:
            return i
    return len(states)


@entry
def initial_state(context, node, spaces):  # type: ignore[no-untyped-def]
    """The state before a value of `node` after which the text ends, or NEED. spaces: q of a lexeme that may come first, or 0.

    Frame 0 (ROOT_FRAME) is the end of the text; with a leading-space marker the value may be preceded by that lexeme.
    """
    P = at_i64(context)
    from_frames = _push_initial(P, node, spaces)
    if from_frames < 0:
        P[X_TOP] = 0
        return NEED
    s = intern_state(P, 0, P[X_TOP], 0)
    P[X_TOP] = 0
    return s


@kernel
def _push_initial(P, node, spaces):  # type: ignore[no-untyped-def]
    P[X_TOP] = 0
    end = intern_frame(P, F_END, 0, 0, 0)
    if end < 0 or enter(P, node, end) < 0:
        return NEED
    if spaces != 0:
        after = intern_frame(P, F_ENTER, node, 0, end)
        if after < 0 or push(P, spaces, after) < 0:
            return NEED
    return 0


@entry
def step_once(context, q, byte):  # type: ignore[no-untyped-def]
    """The lexeme state after one byte; 0 is dead."""
    P = at_i64(context)
    return step(P, _lexicon(P), q, byte)


@entry
def tag_at(context, q):  # type: ignore[no-untyped-def]
    """The tag with which the lexeme may end in q plus 1, or 0."""
    P = at_i64(context)
    return tag_of(P, _lexicon(P), q) + 1


@entry
def follow_at(context, k, tag, tid):  # type: ignore[no-untyped-def]
    """The state after the lexeme before k ended with `tag`, or NEED."""
    P = at_i64(context)
    P[X_TOP] = 0
    return follow(P, _lexicon(P), k, tag, tid)


@entry
def make_trie(context, data, starts, tags, default):  # type: ignore[no-untyped-def]
    """Trie of sorted, unique byte strings (uint8 data, int32 starts [n + 1], int32 tags [n]); returns its q, or NEED."""
    P = at_i64(context)
    return build_trie(P, _lexicon(P), view_u8(data), view_i32(starts), view_i32(tags), 0, len(tags), 0, default)


def warm_up() -> None:
    """Compile the entry points of every request; a no-op where they are cached. Takes 15 to 25 s once per installation."""
    for dispatcher, n_arguments in ((fill, 4), (advance, 4), (token_allowed, 4), (can_end, 3), (initial_state, 3), (step_once, 3)):
        if not is_cached(dispatcher):
            dispatcher.compile((types.int64,) * n_arguments)
