"""The machine's entry points, called from structgen.machine: advance a state, build masks, check drafts.

`context` is the address of a program context. All entry points return >= 0, or NEED with a request in P[NEED_KIND], P[NEED_ARG]: Python
provides what is missing (a compiled node, a larger table, room for records) and repeats the call. What was memoised stays, so a repeated
call is cheap.
"""

from __future__ import annotations

from numba import types

from .advance import REFUSED, advance_state, close, lexicon, push_state, read_bytes, settle
from .entering import enter
from .frames import after_key, bare_object_state, first_object_state, follow, keep_item
from .intern import intern_frame, intern_state, intern_text, push
from .layout import *  # noqa: F403
from .lexeme import alive, build_trie, item_length, step, tag_of
from .masks import fill_row
from .memory import at_i32, at_i64, at_u8, entry, i32, i64, is_cached, kernel, u8, view_u8

_NONE = 1 << 30  # no tokens spell a text


@entry
def advance(context, s, tid, token):  # type: ignore[no-untyped-def]
    """State and captured text after a token, packed as tid << 32 | state; 0 if the token is not allowed; or NEED."""
    P = at_i64(context)
    L = lexicon(P)
    P[X_TOP] = P[STEPS] = 0
    out = advance_state(P, L, s, tid, token)
    if out <= 0:
        return out
    return (P[OUT_TID] << 32) | out


@entry
def advance_bytes(context, s, tid, data):  # type: ignore[no-untyped-def]
    """Like `advance` for the bytes of any text (uint8 array)."""
    P = at_i64(context)
    L = lexicon(P)
    P[X_TOP] = P[STEPS] = 0
    tid = read_bytes(P, L, s, tid, view_u8(data), 0, len(data))
    if tid < 0:
        return 0 if tid == REFUSED else NEED
    flags = settle(P, L, 0, tid)
    if flags < 0:
        return NEED
    out = intern_state(P, 0, P[X_TOP], flags)
    if out < 0:
        return NEED
    return ((tid if i32(P, S_FLAGS)[out] & S_TEXT else 0) << 32) | out


@entry
def token_allowed(context, s, tid, token):  # type: ignore[no-untyped-def]
    """1 if state s allows the token, 0 if not, or NEED. Builds no state."""
    P = at_i64(context)
    L = lexicon(P)
    P[X_TOP] = P[STEPS] = 0
    starts = i32(L, L_TOKEN_START)
    if starts[token] == starts[token + 1]:
        return 0
    out = read_bytes(P, L, s, tid, u8(L, L_TOKEN_BYTES), starts[token], starts[token + 1])
    return 1 if out >= 0 else (0 if out == REFUSED else NEED)


@entry
def count_accepted(context, s, tid, tokens):  # type: ignore[no-untyped-def]
    """How many tokens (int32 array; -1 for what is no token) of a draft are allowed one after the other, or NEED."""
    P = at_i64(context)
    L = lexicon(P)
    P[STEPS] = 0
    for i in range(len(tokens)):
        P[X_TOP] = 0
        if tokens[i] < 0:
            return i
        s = advance_state(P, L, s, tid, tokens[i])
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
    L = lexicon(P)
    P[X_TOP] = P[STEPS] = 0
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
    L = lexicon(P)
    P[X_TOP] = P[STEPS] = 0
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


@entry
def fill(context, s, tid, row):  # type: ignore[no-untyped-def]
    """Write the mask of state s to the address `row` (int32 [words], overwritten); returns 0 or NEED."""
    P = at_i64(context)
    return fill_row(P, lexicon(P), s, tid, at_i32(row))


@entry
def fill_batch(contexts, states, tids, rows, first):  # type: ignore[no-untyped-def]
    """`fill` for many matchers: int64 arrays of context addresses, states, texts and row addresses, from entry `first` on.

    Returns the number done; fewer than there are means that entry `done` needs something (a request stands in its context).
    """
    for i in range(first, len(states)):
        P = at_i64(contexts[i])
        if fill_row(P, lexicon(P), states[i], tids[i], at_i32(rows[i])) < 0:
            return i
    return len(states)


@entry
def advance_many(context, s, tid, tokens, out, first):  # type: ignore[no-untyped-def]
    """`advance` by each of some tokens (int64 [n]) from one state, from number `first` on; the results go to `out` (int64 [n]).

    Returns the number done; fewer than there are means that token `done` needs something.
    """
    P = at_i64(context)
    L = lexicon(P)
    for i in range(first, len(tokens)):
        P[X_TOP] = P[STEPS] = 0
        after = advance_state(P, L, s, tid, tokens[i])
        if after < 0:
            return i
        out[i] = (P[OUT_TID] << 32) | after if after > 0 else 0
    return len(tokens)


@entry
def initial_state(context, node, spaces, nullable):  # type: ignore[no-untyped-def]
    """The state before a value of `node` after which the text ends, or NEED. spaces: q of a lexeme that may come first, or 0.
    nullable: 1 if the value may be empty.

    Frame 0 is the end of the text; with a leading-space marker the value may be preceded by that lexeme.
    """
    P = at_i64(context)
    from_frames = _push_initial(P, node, spaces, nullable)
    if from_frames < 0:
        P[X_TOP] = 0
        return NEED
    s = intern_state(P, 0, P[X_TOP], S_END if nullable else 0)
    P[X_TOP] = 0
    return s


@kernel
def _push_initial(P, node, spaces, nullable):  # type: ignore[no-untyped-def]
    P[X_TOP] = P[STEPS] = 0
    end = intern_frame(P, F_END, 0, 0, 0)
    if end < 0 or enter(P, node, end) < 0:
        return NEED
    if spaces != 0:
        after = intern_frame(P, F_ENTER, node, nullable, end)
        if after < 0 or push(P, spaces, after) < 0:
            return NEED
    return 0


@entry
def step_once(context, q, byte):  # type: ignore[no-untyped-def]
    """The lexeme state after one byte; 0 is dead."""
    P = at_i64(context)
    return step(P, lexicon(P), q, byte)


@entry
def tag_at(context, q):  # type: ignore[no-untyped-def]
    """The tag with which the lexeme may end in q plus 1, or 0."""
    P = at_i64(context)
    return tag_of(P, lexicon(P), q) + 1


@entry
def follow_at(context, k, tag, tid):  # type: ignore[no-untyped-def]
    """The state after the lexeme before k ended with `tag`, or NEED."""
    P = at_i64(context)
    P[X_TOP] = P[STEPS] = 0
    return follow(P, lexicon(P), k, tag, tid)


@entry
def open_object(context, obj):  # type: ignore[no-untyped-def]
    """The object state before the first key of an object, or NEED."""
    return first_object_state(at_i64(context), obj)


@entry
def add_key(context, os, tag, core, data):  # type: ignore[no-untyped-def]
    """The object state after a key with this tag and text (uint8; empty where it is not known), in this core state; or NEED."""
    P = at_i64(context)
    text = view_u8(data)
    tid = 0 if len(data) else ANONYMOUS
    for i in range(len(data)):
        tid = intern_text(P, tid, text[i])
        if tid < 0:
            return NEED
    return after_key(P, lexicon(P), os, tag, tid, core)


@entry
def forget_extras(context, os):  # type: ignore[no-untyped-def]
    """The object state that differs from `os` in that no other names were used, or NEED."""
    return bare_object_state(at_i64(context), os)


@entry
def item_text(context, tid, out):  # type: ignore[no-untyped-def]
    """Bytes of the JSON value that the captured text `tid` ends with; they are written to out (uint8) if it is that long."""
    P = at_i64(context)
    n = item_length(P, tid)
    if len(out) >= n:
        parents, bytes_ = i32(P, T_PARENT), i32(P, T_BYTE)
        t = tid
        for i in range(n - 1, -1, -1):
            out[i] = bytes_[t]
            t = parents[t]
    return n


@entry
def set_item(context, pending, tid, core):  # type: ignore[no-untyped-def]
    """Note the core state after an item with the captured text `tid`, where `pending` is reached; returns 0 or NEED."""
    return keep_item(at_i64(context), pending, tid, core)


@entry
def fewest_tokens(lexicon_context, data, needed, taken):  # type: ignore[no-untyped-def]
    """The fewest tokens that spell data (uint8 [n]), by dynamic programming from its end; returns their number, or -1 if none do.

    needed: int32 [n + 1], tokens from each position on, overwritten; taken: int32 [n], first token from each position.
    """
    L = at_i64(lexicon_context)
    byte, ends, tokens, n_tokens = u8(L, TN_BYTE), i32(L, TN_END), i32(L, TN_TOKENS), i32(L, TN_N)
    token = i32(L, TT)
    n = len(data)
    needed[n] = 0
    for start in range(n - 1, -1, -1):
        best, choice = _NONE, -1
        first, last = 0, L[L_N_NODES]
        for position in range(start, n):
            node = first
            while node < last and byte[node] != data[position]:
                node = ends[node]
            if node >= last:
                break
            if n_tokens[node] > 0 and needed[position + 1] + 1 < best:
                best, choice = needed[position + 1] + 1, token[tokens[node]]
            first, last = node + 1, ends[node]
        needed[start], taken[start] = best, choice
    return -1 if n > 0 and needed[0] >= _NONE else needed[0]


@entry
def make_trie(context, data, starts, tags, n, default):  # type: ignore[no-untyped-def]
    """Trie of sorted, unique byte strings (addresses of uint8 data, int32 starts [n + 1], int32 tags [n]); returns its q, or NEED."""
    P = at_i64(context)
    return build_trie(P, lexicon(P), at_u8(data), at_i32(starts), at_i32(tags), 0, n, 0, default)


def warm_up() -> None:
    """Compile the entry points of every request; a no-op where they are cached. Takes 15 to 25 s once per installation."""
    for dispatcher, n_arguments in (
        (fill, 4),
        (advance, 4),
        (token_allowed, 4),
        (can_end, 3),
        (initial_state, 4),
        (step_once, 3),
        (make_trie, 6),
    ):
        if not is_cached(dispatcher):
            dispatcher.compile((types.int64,) * n_arguments)
