"""Hash-consing: frames, frame sets, states, memo entries, object states and texts get one number each.

Every group is a chained hash table over its columns (`head` by bucket, `next` and `hash` by item). A full table makes the
function return NEED with NEED_GROW and the group's number; Python grows it and repeats the call. What was interned stays.
"""

from __future__ import annotations

from .layout import *  # noqa: F403
from .memory import at_i64, entry, i32, i64, kernel

_GROUP = {name: group["index"] for name, group in PROGRAM.groups.items()}
G_FRAMES, G_SETS, G_SET_ITEMS, G_STATES = (
    _GROUP["frames"],
    _GROUP["frame_sets"],
    _GROUP["frame_set_items"],
    _GROUP["states"],
)
G_CONFIGURATIONS, G_FOLLOWS, G_TEXTS, G_STACK = (
    _GROUP["configurations"],
    _GROUP["follows"],
    _GROUP["texts"],
    _GROUP["stack"],
)
G_OBJECT_STATES, G_SEEN, G_TRIE, G_EDGES = _GROUP["object_states"], _GROUP["seen"], _GROUP["trie"], _GROUP["trie_edges"]
G_WORK, G_RECHECK, G_VISITS = _GROUP["work"], _GROUP["recheck"], _GROUP["visits"]


@kernel
def need_grow(P, group):  # type: ignore[no-untyped-def]
    P[NEED_KIND] = NEED_GROW
    P[NEED_ARG] = group
    return NEED


@kernel
def need_steps(P):  # type: ignore[no-untyped-def]
    P[NEED_KIND] = NEED_STEPS
    return NEED


@kernel
def mix(h, x):  # type: ignore[no-untyped-def]
    """One round of a 64-bit multiplicative hash (constant of Knuth's golden ratio method)."""
    h = (h ^ x) * -7046029254386353131
    return h ^ (h >> 29)


@entry
def rebuild(mask, head, following, hashes, count):  # type: ignore[no-untyped-def]
    """Chain `count` items again after the table grew. head: int32 [mask + 1]."""
    for i in range(mask + 1):
        head[i] = -1
    for i in range(count):
        bucket = hashes[i] & mask
        following[i] = head[bucket]
        head[bucket] = i


@entry
def restore(context, fresh, n, hashed, n_hashed):  # type: ignore[no-untyped-def]
    """Put the `n` slots of a context back to those at the address `fresh`, its hash tables emptied.

    hashed: address of int64 [n_hashed, 3], the slots of each hashed group's count, table and mask.
    """
    P, values, slots = at_i64(context), at_i64(fresh), at_i64(hashed)
    for i in range(n_hashed):
        if P[slots[3 * i]] != 0:
            head = i32(P, slots[3 * i + 1])
            for bucket in range(P[slots[3 * i + 2]] + 1):
                head[bucket] = -1
    for slot in range(n):
        P[slot] = values[slot]
    return 0


@kernel
def bits_of(P, k):  # type: ignore[no-untyped-def]
    """The bits (B_*) of a frame or a set of frames."""
    return i32(P, FR_BITS)[k] if k >= 0 else i32(P, FS_BITS)[~k]


@kernel
def intern_frame(P, kind, a, b, parents):  # type: ignore[no-untyped-def]
    """The number of a frame (>= 0), or NEED."""
    h = mix(mix(mix(mix(17, kind), a), b), parents)
    head, following, hashes = i32(P, FR_HEAD), i32(P, FR_NEXT), i64(P, FR_HASH)
    kinds, as_, bs, ps = i32(P, FR_KIND), i32(P, FR_A), i32(P, FR_B), i32(P, FR_PARENTS)
    bucket = h & P[FR_MASK]
    f = head[bucket]
    while f >= 0:
        if hashes[f] == h and kinds[f] == kind and as_[f] == a and bs[f] == b and ps[f] == parents:
            return f
        f = following[f]
    f = P[FR_COUNT]
    if f >= P[FR_CAP]:
        return need_grow(P, G_FRAMES)
    kinds[f], as_[f], bs[f], ps[f] = kind, a, b, parents
    outer = 0 if kind == F_END else bits_of(P, parents)
    bits = outer & B_INSIDE
    if kind == F_KEY:
        bits |= B_KEY
    elif kind == F_CAPTURE or kind == F_LOOK:
        bits |= B_CAPTURE | B_INSIDE
    elif (kind == F_SEP or kind == F_ASEP) and outer & B_CAPTURE:
        bits |= B_POPS
    elif kind == F_ENTER and b == 1:
        bits |= outer & B_CAPTURE  # the item may end with what stands before this
    i32(P, FR_BITS)[f] = bits
    hashes[f] = h
    following[f] = head[bucket]
    head[bucket] = f
    P[FR_COUNT] = f + 1
    return f


@kernel
def unite(P, k1, k2):  # type: ignore[no-untyped-def]
    """What follows when k1 or k2 may: returns (ok, k). Both are merged as sorted sets of frames."""
    if k1 == k2:
        return True, k1
    items = i32(P, FSI)
    ptr, length = i32(P, FS_PTR), i32(P, FS_LEN)
    start = P[FSI_COUNT]
    n1 = length[~k1] if k1 < 0 else 1
    n2 = length[~k2] if k2 < 0 else 1
    if start + n1 + n2 > P[FSI_CAP]:
        need_grow(P, G_SET_ITEMS)
        return False, 0
    i, j, n = 0, 0, 0
    bits = 0
    h = 23
    while i < n1 or j < n2:
        x = (items[ptr[~k1] + i] if k1 < 0 else k1) if i < n1 else 0x7FFFFFFF
        y = (items[ptr[~k2] + j] if k2 < 0 else k2) if j < n2 else 0x7FFFFFFF
        f = min(x, y)
        if x == f:
            i += 1
        if y == f:
            j += 1
        items[start + n] = f
        bits |= i32(P, FR_BITS)[f]
        h = mix(h, f)
        n += 1
    head, following, hashes = i32(P, FS_HEAD), i32(P, FS_NEXT), i64(P, FS_HASH)
    bucket = h & P[FS_MASK]
    s = head[bucket]
    while s >= 0:
        if hashes[s] == h and length[s] == n:
            same = True
            for t in range(n):
                if items[ptr[s] + t] != items[start + t]:
                    same = False
                    break
            if same:
                return True, ~s
        s = following[s]
    s = P[FS_COUNT]
    if s >= P[FS_CAP]:
        need_grow(P, G_SETS)
        return False, 0
    ptr[s], length[s], i32(P, FS_BITS)[s] = start, n, bits
    hashes[s] = h
    following[s] = head[bucket]
    head[bucket] = s
    P[FS_COUNT] = s + 1
    P[FSI_COUNT] = start + n
    return True, ~s


@kernel
def _sort(qs, ks, low, high):  # type: ignore[no-untyped-def]
    """Shell sort of configurations by (q, k), in place; lists are short and often sorted already."""
    n = high - low
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap >= 1:
        for i in range(low + gap, high):
            q, k = qs[i], ks[i]
            j = i
            while j >= low + gap and (qs[j - gap] > q or (qs[j - gap] == q and ks[j - gap] > k)):
                qs[j], ks[j] = qs[j - gap], ks[j - gap]
                j -= gap
            qs[j], ks[j] = q, k
        gap //= 3


@kernel
def unique(P, low, high):  # type: ignore[no-untyped-def]
    """Sort stack entries [low, high) and drop repeated ones; returns the new end."""
    qs, ks = i64(P, X_Q), i32(P, X_K)
    if high - low <= 1:
        return high
    _sort(qs, ks, low, high)
    out = low + 1
    for i in range(low + 1, high):
        if qs[i] != qs[out - 1] or ks[i] != ks[out - 1]:
            qs[out], ks[out] = qs[i], ks[i]
            out += 1
    return out


@kernel
def intern_state(P, low, high, flags):  # type: ignore[no-untyped-def]
    """The number of the state made of stack entries [low, high), or NEED. Configurations that share q unite their frames. 0 is dead."""
    if high == low and flags == 0:
        return 0
    qs, ks = i64(P, X_Q), i32(P, X_K)
    if high - low > 1:
        _sort(qs, ks, low, high)
        out = low
        i = low
        while i < high:
            q, k = qs[i], ks[i]
            i += 1
            while i < high and qs[i] == q:
                ok, k = unite(P, k, ks[i])
                if not ok:
                    return NEED
                i += 1
            qs[out], ks[out] = q, k
            out += 1
        high = out
    n = high - low
    h = mix(31, flags)
    for i in range(low, high):
        h = mix(mix(h, qs[i]), ks[i])
    head, following, hashes = i32(P, S_HEAD), i32(P, S_NEXT), i64(P, S_HASH)
    ptr, length, state_flags = i32(P, S_PTR), i32(P, S_LEN), i32(P, S_FLAGS)
    sq, sk = i64(P, SC_Q), i32(P, SC_K)
    bucket = h & P[S_MASK]
    s = head[bucket]
    while s >= 0:
        if hashes[s] == h and length[s] == n and (state_flags[s] & S_END) == flags:
            p = ptr[s]
            same = True
            for i in range(n):
                if sq[p + i] != qs[low + i] or sk[p + i] != ks[low + i]:
                    same = False
                    break
            if same:
                return s
        s = following[s]
    s = P[S_COUNT]
    p = P[SC_COUNT]
    if s >= P[S_CAP]:
        return need_grow(P, G_STATES)
    if p + n > P[SC_CAP]:
        return need_grow(P, G_CONFIGURATIONS)
    for i in range(n):
        sq[p + i], sk[p + i] = qs[low + i], ks[low + i]
        if bits_of(P, ks[low + i]) & (B_KEY | B_INSIDE):
            flags |= S_TEXT
    ptr[s], length[s], state_flags[s] = p, n, flags
    i32(P, S_ROW)[s] = -1
    hashes[s] = h
    following[s] = head[bucket]
    head[bucket] = s
    P[S_COUNT] = s + 1
    P[SC_COUNT] = p + n
    return s


@kernel
def find_follow(P, k, tag, tid):  # type: ignore[no-untyped-def]
    """The memoised state after (k, tag, tid), or NEED when it is not known yet (no request is made)."""
    h = mix(mix(mix(41, k), tag), tid)
    hashes, following = i64(P, M_HASH), i32(P, M_NEXT)
    ks, tags, tids = i32(P, M_K), i32(P, M_TAG), i32(P, M_TID)
    m = i32(P, M_HEAD)[h & P[M_MASK]]
    while m >= 0:
        if hashes[m] == h and ks[m] == k and tags[m] == tag and tids[m] == tid:
            return i32(P, M_STATE)[m]
        m = following[m]
    return NEED


@kernel
def keep_follow(P, k, tag, tid, state):  # type: ignore[no-untyped-def]
    """Memoise a state; returns 0 or NEED."""
    m = P[M_COUNT]
    if m >= P[M_CAP]:
        return need_grow(P, G_FOLLOWS)
    h = mix(mix(mix(41, k), tag), tid)
    head = i32(P, M_HEAD)
    bucket = h & P[M_MASK]
    i32(P, M_K)[m], i32(P, M_TAG)[m], i32(P, M_TID)[m], i32(P, M_STATE)[m] = k, tag, tid, state
    i64(P, M_HASH)[m] = h
    i32(P, M_NEXT)[m] = head[bucket]
    head[bucket] = m
    P[M_COUNT] = m + 1
    return 0


@kernel
def intern_text(P, parent, byte):  # type: ignore[no-untyped-def]
    """The number of the text `parent` + byte, or NEED. Text 0 is empty."""
    h = mix(mix(53, parent), byte)
    head, following, hashes = i32(P, T_HEAD), i32(P, T_NEXT), i64(P, T_HASH)
    parents, bytes_ = i32(P, T_PARENT), i32(P, T_BYTE)
    bucket = h & P[T_MASK]
    t = head[bucket]
    while t >= 0:
        if parents[t] == parent and bytes_[t] == byte:
            return t
        t = following[t]
    t = P[T_COUNT]
    if t >= P[T_CAP]:
        return need_grow(P, G_TEXTS)
    parents[t], bytes_[t] = parent, byte
    hashes[t] = h
    following[t] = head[bucket]
    head[bucket] = t
    P[T_COUNT] = t + 1
    return t


@kernel
def push(P, q, k):  # type: ignore[no-untyped-def]
    """Push a configuration on the stack; returns 0 or NEED."""
    top = P[X_TOP]
    if top >= P[X_CAP]:
        return need_grow(P, G_STACK)
    i64(P, X_Q)[top] = q
    i32(P, X_K)[top] = k
    P[X_TOP] = top + 1
    return 0
