"""Advancing a state by bytes and tokens.

The configurations under way lie on the stack (X_Q, X_K). `close` adds what follows lexemes that may end, one step per byte keeps what
lives, `settle` replaces finished lexemes by what follows them, and the result is interned as a state.
"""

from __future__ import annotations

from .frames import follow
from .intern import G_STACK, bits_of, intern_state, intern_text, need_grow, need_steps, unique
from .layout import *  # noqa: F403
from .lexeme import alive, is_final, step, tag_of
from .memory import at_i64, i32, i64, kernel, u8

UNIQUE_FROM = 4  # configurations side by side from which repeated ones are looked for
REFUSED = -3  # result of `read_bytes`: the bytes are not allowed


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
                P[STEPS] += (top - low) >> 3  # comparing is that much cheaper than stepping
                for t in range(low, top):  # a nullable lexeme may lead back to itself
                    if qs[t] == q and ks[t] == k:
                        known = True
                        break
                if not known:
                    qs[top], ks[top] = q, k
                    top += 1
            P[X_TOP] = top
            if P[STEPS] > P[MAX_STEPS]:
                return need_steps(P)
        i += 1
    P[STEPS] += i - low
    return need_steps(P) if P[STEPS] > P[MAX_STEPS] else flags


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

    Returns the captured text's number (>= 0), NEED, or REFUSED when the bytes are not allowed. The caller restores X_TOP.
    """
    base = P[X_TOP]
    if push_state(P, s) < 0:
        return NEED
    return read_on(P, L, base, tid, data, start, stop)


@kernel
def read_on(P, L, low, tid, data, start, stop):  # type: ignore[no-untyped-def]
    """`read_bytes` from the configurations that lie on the stack from `low` on."""
    qs, ks = i64(P, X_Q), i32(P, X_K)
    for position in range(start, stop):
        byte = data[position]
        running = P[X_TOP]  # entries below go on in their lexeme, those above enter a new one
        if close(P, L, low, tid) < 0:
            return NEED
        top = P[X_TOP]
        captured, inside = -1, False
        out = top
        for i in range(low, top):
            q = step(P, L, qs[i], byte)
            if q == 0 or alive(P, L, q, ks[i]) == 0:
                continue
            if out >= P[X_CAP]:
                return need_grow(P, G_STACK)
            bits = bits_of(P, ks[i])
            if bits & B_INSIDE:
                inside = True
            elif bits & B_KEY:
                # a key that goes on keeps its beginning, also where another one begins with this byte
                captured = tid if i < running else max(captured, 0)
            qs[out], ks[out] = q, ks[i]
            out += 1
        n = out - top
        if n == 0:
            return REFUSED
        for i in range(n):
            qs[low + i], ks[low + i] = qs[top + i], ks[top + i]
        P[X_TOP] = low + n
        if n >= UNIQUE_FROM:
            P[X_TOP] = unique(P, low, low + n)
        if inside:
            captured = tid
        tid = 0
        if captured >= 0:
            tid = intern_text(P, captured, byte)
            if tid < 0:
                return NEED
    return tid


@kernel
def advance_state(P, L, s, tid, token):  # type: ignore[no-untyped-def]
    """The state after a token, 0 if it is not allowed, or NEED; the captured text goes to P[OUT_TID]."""
    starts = i32(L, L_TOKEN_START)
    start, stop = starts[token], starts[token + 1]
    if start == stop:
        return 0
    base = P[X_TOP]
    tid = read_bytes(P, L, s, tid, u8(L, L_TOKEN_BYTES), start, stop)
    if tid < 0:
        P[X_TOP] = base
        return 0 if tid == REFUSED else NEED
    flags = settle(P, L, base, tid)
    if flags < 0:
        P[X_TOP] = base
        return NEED
    out = intern_state(P, base, P[X_TOP], flags)
    P[X_TOP] = base
    if out < 0:
        return NEED
    P[OUT_TID] = tid if i32(P, S_FLAGS)[out] & S_TEXT else 0
    return out


@kernel
def lexicon(P):  # type: ignore[no-untyped-def]
    return at_i64(P[P_LEX])
