"""What follows when a lexeme ends: the transition function of the stack machine.

A frame is (kind, a, b, parents); `follow(k, tag, tid)` is the state entered when the lexeme in front of k ended with that tag. Objects
and arrays keep their position in the frame, so a document of any size needs no grammar expansion. An object state (OS row) is the
position in the declared order, or the set of declared names seen, plus the start state of its key lexeme, from which extra names that
were used already are excluded.

Objects and arrays with a *core* also carry a state of an automaton that the front-end gives, one core state at a time (`Program.set_core`):
it says what no count and no set of names can say. Several moves with one tag become several configurations.

How the nodes of values are entered stands in entering.py.
"""

from __future__ import annotations

from .entering import enter, enter_all, enter_nested, expect, need_node
from .intern import (
    G_OBJECT_STATES,
    G_SEEN,
    G_WORK,
    bits_of,
    find_follow,
    intern_frame,
    intern_state,
    intern_text,
    keep_follow,
    mix,
    need_grow,
    need_steps,
    push,
)
from .layout import *  # noqa: F403
from .lexeme import core_admits, end_of_moves, exclude_text, find_move, name_allowed
from .memory import i32, i64, kernel

_USED = 256  # beyond every byte: marks the entries of lists of used names among the texts
_ITEM_TAG = TAKEN + 1  # memo of core states: (pending state, _ITEM_TAG, text); no other memo has this tag and a text


@kernel
def _describe(P, o, position, seen, flags, key, core):  # type: ignore[no-untyped-def]
    """Flags and key lexemes of an object state: whether it may close, may go on, may have other names."""
    objects, pool = i32(P, O_ROW), i32(P, POOL)
    n = objects[o + O_NAMES]
    values, required = objects[o + O_VALUES], objects[o + O_REQUIRED]
    words = i64(P, SEEN)
    can_close = True
    named = False
    if objects[o + O_ORDERED]:
        last = objects[o + O_LAST_REQUIRED]
        can_close = position > last
        limit = pool[objects[o + O_NEXT_REQUIRED] + position]
        for i in range(position, min(n, limit + 1)):
            if (core < 0 and pool[values + i] >= 0) or (core >= 0 and core_admits(P, o, core, i)):
                named = True
                break
        other = objects[o + O_KEY_OPEN] != 0 and can_close
    else:
        for i in range(objects[o + O_N_REQUIRED]):
            name = pool[required + i]
            if ((words[seen + (name >> 6)] >> (name & 63)) & 1) == 0:
                can_close = False
                break
        for i in range(n):
            if ((words[seen + (i >> 6)] >> (i & 63)) & 1) == 0 and (
                (core < 0 and pool[values + i] >= 0) or (core >= 0 and core_admits(P, o, core, i))
            ):
                named = True
                break
        other = objects[o + O_KEY_OPEN] != 0
    if core >= 0:
        core_flags = i32(P, CORE_ROW)[core * CORE_WIDTH + CORE_FLAGS]
        can_close = can_close and (core_flags & CORE_CLOSES) != 0
        other = other and (core_flags & CORE_OTHERS) != 0
    if key == 0:
        key = open_key(P, o, core) if other else objects[o + O_KEY_CLOSED]
        read = key
    elif other:  # names were excluded: are others left?
        other = (i32(P, LT_FLAGS)[key - LOCAL] & LT_OPEN) != 0
        read = key
    else:
        read = key if core < 0 else objects[o + O_KEY_CLOSED]
    flags |= (OS_CAN_CLOSE if can_close else 0) | (OS_CAN_MORE if named or other else 0) | (OS_OTHER if other else 0)
    return flags, key, read


@kernel
def open_key(P, o, core):  # type: ignore[no-untyped-def]
    """The key lexeme of the object with row offset `o` where other names may come, none of them used: a core state may have its own."""
    own = 0 if core < 0 else i32(P, CORE_ROW)[core * CORE_WIDTH + CORE_KEY]
    return own if own != 0 else i32(P, O_ROW)[o + O_KEY_OPEN]


@kernel
def _without(P, L, key, tid):  # type: ignore[no-untyped-def]
    """The key lexeme without one more used name, or NEED. Memoised: moves of a core and equal keys of several parents share it."""
    found = find_follow(P, key, TAKEN, tid)  # no other memo has this tag and a text
    if found < 0:
        found = exclude_text(P, L, key, tid)
        if found < 0 or keep_follow(P, key, TAKEN, tid, found) < 0:
            return NEED
    return found


@kernel
def _without_all(P, L, key, used):  # type: ignore[no-untyped-def]
    """The key lexeme without every used name of a list (`used`, see `after_key`), or NEED."""
    parents, bytes_ = i32(P, T_PARENT), i32(P, T_BYTE)
    while used > 0:
        key = _without(P, L, key, bytes_[used] - _USED)
        if key < 0:
            return key
        used = parents[used]
    return key


@kernel
def need_core(P, core):  # type: ignore[no-untyped-def]
    """0 if the core state is compiled, else NEED."""
    if i32(P, CORE_ROW)[core * CORE_WIDTH + CORE_PTR] >= 0:
        return 0
    P[NEED_KIND], P[NEED_ARG] = NEED_CORE, core
    return NEED


@kernel
def intern_object_state(P, obj, position, seen, n_words, extras, key, anonymous, core):  # type: ignore[no-untyped-def]
    """The number of an object state, or NEED. seen: offset of its words, which are kept (the caller pops them if not new).

    extras: 0 while no other names were used; then `key` is the key lexeme that excludes them, and tells such states apart. With a core
    it is the list of their texts: an entry of the texts (previous list, _USED + text), since core states may differ in key lexemes.
    core: the state of the object's core, or -1.
    """
    words = i64(P, SEEN)
    h = mix(mix(mix(mix(61, obj), position), key if extras else 0), anonymous + 2 * core)
    for i in range(n_words):
        h = mix(h, words[seen + i])
    head, following, hashes = i32(P, OS_HEAD), i32(P, OS_NEXT), i64(P, OS_HASH)
    row = i32(P, OS_ROW)
    bucket = h & P[OS_MASK]
    s = head[bucket]
    while s >= 0:
        r = s * OS_WIDTH
        if (
            hashes[s] == h
            and row[r + OS_OBJECT] == obj
            and row[r + OS_POSITION] == position
            and row[r + OS_EXTRAS] == extras
            and row[r + OS_CORE] == core
            and (extras == 0 or row[r + OS_KEY] == key)
            and ((row[r + OS_FLAGS] & OS_ANONYMOUS) != 0) == anonymous
        ):
            same = True
            for i in range(n_words):
                if words[row[r + OS_SEEN] + i] != words[seen + i]:
                    same = False
                    break
            if same:
                return s
        s = following[s]
    s = P[OS_COUNT]
    if s >= P[OS_CAP]:
        return need_grow(P, G_OBJECT_STATES)
    if core >= 0 and need_core(P, core) < 0:
        return NEED
    flags, key, read = _describe(P, obj * OBJ_WIDTH, position, seen, OS_ANONYMOUS if anonymous else 0, key, core)
    r = s * OS_WIDTH
    row[r + OS_OBJECT], row[r + OS_POSITION], row[r + OS_SEEN] = obj, position, seen
    row[r + OS_KEY], row[r + OS_FLAGS], row[r + OS_EXTRAS] = key, flags, extras
    row[r + OS_CORE], row[r + OS_READ] = core, read
    hashes[s] = h
    following[s] = head[bucket]
    head[bucket] = s
    P[OS_COUNT] = s + 1
    P[SEEN_COUNT] = max(P[SEEN_COUNT], seen + n_words)
    return s


@kernel
def first_object_state(P, obj):  # type: ignore[no-untyped-def]
    """The state of object `obj` before its first key, or NEED."""
    n_words = i32(P, O_ROW)[obj * OBJ_WIDTH + O_WORDS]
    seen = P[SEEN_COUNT]
    if seen + n_words > P[SEEN_CAP]:
        return need_grow(P, G_SEEN)
    words = i64(P, SEEN)
    for i in range(n_words):
        words[seen + i] = 0
    return intern_object_state(P, obj, 0, seen, n_words, 0, 0, False, i32(P, O_ROW)[obj * OBJ_WIDTH + O_CORE])


@kernel
def bare_object_state(P, os):  # type: ignore[no-untyped-def]
    """The object state like `os` in which no other names were used, or NEED."""
    row = i32(P, OS_ROW)
    r = os * OS_WIDTH
    obj = row[r + OS_OBJECT]
    n_words = i32(P, O_ROW)[obj * OBJ_WIDTH + O_WORDS]
    return intern_object_state(P, obj, row[r + OS_POSITION], row[r + OS_SEEN], n_words, 0, 0, False, row[r + OS_CORE])


@kernel
def after_key(P, L, os, tag, tid, core):  # type: ignore[no-untyped-def]
    """The object state after a key with this tag, or NEED. tid: the key's text, or ANONYMOUS; core: the core state after it, or -1."""
    r = os * OS_WIDTH
    row = i32(P, OS_ROW)
    obj = row[r + OS_OBJECT]
    o = obj * OBJ_WIDTH
    objects = i32(P, O_ROW)
    n_words = objects[o + O_WORDS]
    position, extras, old = row[r + OS_POSITION], row[r + OS_EXTRAS], row[r + OS_SEEN]
    anonymous = (row[r + OS_FLAGS] & OS_ANONYMOUS) != 0
    key = 0
    if extras != 0:
        key = row[r + OS_KEY]
    moved = False  # to a core state with another key lexeme
    if core >= 0:
        if need_core(P, core) < 0:
            return NEED
        moved = open_key(P, o, core) != open_key(P, o, row[r + OS_CORE])
    seen = P[SEEN_COUNT]
    if seen + n_words > P[SEEN_CAP]:
        return need_grow(P, G_SEEN)
    words = i64(P, SEEN)
    for i in range(n_words):
        words[seen + i] = words[old + i]
    if tag >= NAMED:
        name = tag - NAMED
        if objects[o + O_ORDERED]:
            position = name + 1
        else:
            words[seen + (name >> 6)] |= 1 << (name & 63)
    else:
        if objects[o + O_ORDERED]:
            position = objects[o + O_NAMES]  # extras come last
        if tid == ANONYMOUS:
            anonymous = True
        else:
            if core < 0:
                extras = 1
            else:
                extras = intern_text(P, extras, _USED + tid)
                if extras < 0:
                    return NEED
            if not moved:
                key = _without(P, L, row[r + OS_KEY], tid)
                if key < 0:
                    return NEED
    if moved and extras != 0:
        key = _without_all(P, L, open_key(P, o, core), extras)
        if key < 0:
            return NEED
    return intern_object_state(P, obj, position, seen, n_words, extras, key, anonymous, core)


@kernel
def _item_node(P, arr, index):  # type: ignore[no-untyped-def]
    """The node of item `index` of an array, or -1 if there may be none."""
    arrays = i32(P, AR_ROW)
    a = arr * ARR_WIDTH
    if arrays[a + A_MAX] >= 0 and index >= arrays[a + A_MAX]:
        return -1
    if index < arrays[a + A_N_PREFIX]:
        return i32(P, POOL)[arrays[a + A_PREFIX] + index]
    return arrays[a + A_ITEMS]


@kernel
def _enter_core_items(P, arr, core, parents):  # type: ignore[no-untyped-def]
    """Push the starts of the items that a core state (compiled) admits. Returns 0 or NEED."""
    row, nodes, nexts = i32(P, CORE_ROW), i32(P, CM_NODE), i32(P, CM_NEXT)
    first = row[core * CORE_WIDTH + CORE_PTR]
    kind = F_CAPTURE if row[core * CORE_WIDTH + CORE_FLAGS] & CORE_CAPTURES else F_ITEM
    for m in range(first, first + row[core * CORE_WIDTH + CORE_N]):
        after = intern_frame(P, kind, arr, nexts[m], parents)
        if after < 0 or enter(P, nodes[m], after) < 0:
            return NEED
    return 0


@kernel
def keep_item(P, pending, tid, core):  # type: ignore[no-untyped-def]
    """Note that `core` is the state after an item with the text `tid` where `pending` is reached. Returns 0 or NEED."""
    return keep_follow(P, pending, _ITEM_TAG, tid, core)


@kernel
def _look_ahead(P, arr, core, parents):  # type: ignore[no-untyped-def]
    """Push the lexemes that the items of a core state start with, for a mask walk. Returns 0, NEED, or UNCERTAIN if core is -1."""
    if core < 0:
        return UNCERTAIN
    if need_core(P, core) < 0:
        return NEED
    after = intern_frame(P, F_LOOK, arr, 0, parents)
    if after < 0:
        return NEED
    row, nodes = i32(P, CORE_ROW), i32(P, CM_NODE)
    ptr, length, kinds, qs = i32(P, N_PTR), i32(P, N_LEN), i32(P, A_KIND), i64(P, A_Q)
    first = row[core * CORE_WIDTH + CORE_PTR]
    for m in range(first, first + row[core * CORE_WIDTH + CORE_N]):
        if need_node(P, nodes[m]) < 0:
            return NEED
        nested = False
        for i in range(ptr[nodes[m]], ptr[nodes[m]] + length[nodes[m]]):
            if kinds[i] == ALT_NODE:
                nested = True
            elif push(P, qs[i], after) < 0:
                return NEED
        if nested and enter_nested(P, nodes[m], after, True) < 0:
            return NEED
    return 0


@kernel
def _follow_core_array(P, kind, arr, core, tid, parents):  # type: ignore[no-untyped-def]
    """`_follow_frame` for a frame of an array with a core, in state `core`. Returns 0, NEED or UNCERTAIN."""
    row = i32(P, CORE_ROW)
    flags = row[core * CORE_WIDTH + CORE_FLAGS]
    if kind == F_CAPTURE and tid == ANONYMOUS:
        if flags & CORE_SURE == 0:
            return UNCERTAIN
        closes, more = (flags & CORE_CLOSES) != 0, (flags & CORE_MORE) != 0
        kind = F_ITEM  # what may come after a comma is not known: see below
    elif kind != F_CAPTURE and flags & CORE_SURE:
        return _look_ahead(P, arr, row[core * CORE_WIDTH + CORE_DEFAULT], parents)
    else:
        if kind == F_CAPTURE:
            pending = core
            core = find_follow(P, pending, _ITEM_TAG, tid)
            if core < 0:
                P[NEED_KIND], P[NEED_ARG], P[NEED_TEXT] = NEED_ITEM, pending, tid
                return NEED
            kind = F_ITEM
        if need_core(P, core) < 0:
            return NEED
        closes = (row[core * CORE_WIDTH + CORE_FLAGS] & CORE_CLOSES) != 0
        more = row[core * CORE_WIDTH + CORE_N] > 0
    if kind == F_ITEM:
        if not more and not closes:
            return 0
        after = intern_frame(P, F_ASEP, arr, core, parents)
        if after < 0:
            return NEED
        slot = P_ARR_SEP_BOTH if more and closes else (P_ARR_SEP_MORE if more else P_ARR_SEP_CLOSE)
        return push(P, P[slot], after)
    if kind == F_ARRAY and closes and push(P, P[P_BRACKET], parents) < 0:
        return NEED
    return _enter_core_items(P, arr, core, parents)


@kernel
def _follow_core_key(P, L, os, tag, tid, parents):  # type: ignore[no-untyped-def]
    """`_follow_frame` for a key of an object with a core: a colon for each move that takes it. Returns 0, NEED or UNCERTAIN."""
    row = i32(P, OS_ROW)
    objects, pool = i32(P, O_ROW), i32(P, POOL)
    o = row[os * OS_WIDTH + OS_OBJECT] * OBJ_WIDTH
    core = row[os * OS_WIDTH + OS_CORE]
    if tag < NAMED:
        if row[os * OS_WIDTH + OS_FLAGS] & OS_ANONYMOUS and tid == ANONYMOUS:
            return UNCERTAIN
    elif pool[objects[o + O_RELEVANT] + tag - NAMED] == 0:
        if not core_admits(P, o, core, tag - NAMED):
            return 0
        after = after_key(P, L, os, tag, tid, i32(P, CORE_ROW)[core * CORE_WIDTH + CORE_DEFAULT])
        return _push_colon(P, after, pool[objects[o + O_VALUES] + tag - NAMED], parents)
    nodes, nexts = i32(P, CM_NODE), i32(P, CM_NEXT)
    first = find_move(P, core, tag)
    for m in range(first, end_of_moves(P, core, first)):
        if nodes[m] == LATER:
            P[NEED_KIND], P[NEED_ARG], P[NEED_TEXT] = NEED_MOVES, core, tag
            return NEED
        if _push_colon(P, after_key(P, L, os, tag, tid, nexts[m]), nodes[m], parents) < 0:
            return NEED
    return 0


@kernel
def _push_colon(P, os, node, parents):  # type: ignore[no-untyped-def]
    """Push the colon between a key, after which the object is in state `os` (or NEED), and a value of `node`. Returns 0 or NEED."""
    if os < 0:
        return NEED
    after = intern_frame(P, F_COLON, os, node, parents)
    if after < 0:
        return NEED
    return push(P, P[P_COLON], after)


@kernel
def _enter_item(P, arr, index, parents):  # type: ignore[no-untyped-def]
    arrays = i32(P, AR_ROW)
    node = _item_node(P, arr, index)
    if node < 0:
        return 0
    count = index + 1
    saturate = arrays[arr * ARR_WIDTH + A_SATURATE]
    if saturate >= 0:
        count = min(count, saturate)
    after = intern_frame(P, F_ITEM, arr, count, parents)
    if after < 0:
        return NEED
    return enter(P, node, after)


@kernel
def _follow_frame(P, L, f, tag, tid):  # type: ignore[no-untyped-def]
    """Push what follows one frame other than those that `follow` treats itself. Returns 0, NEED or UNCERTAIN."""
    kind, a, b, parents = i32(P, FR_KIND)[f], i32(P, FR_A)[f], i32(P, FR_B)[f], i32(P, FR_PARENTS)[f]
    if kind == F_LOOK:
        return UNCERTAIN
    if kind == F_OPEN:
        os = first_object_state(P, a)
        if os < 0:
            return NEED
        flags = i32(P, OS_ROW)[os * OS_WIDTH + OS_FLAGS]
        if flags & OS_CAN_MORE:
            after = intern_frame(P, F_KEY, os, 0, parents)
            if after < 0 or push(P, i32(P, OS_ROW)[os * OS_WIDTH + OS_READ], after) < 0:
                return NEED
        if flags & OS_CAN_CLOSE:
            return push(P, P[P_BRACE], parents)
        return 0
    if kind == F_KEY:
        # objects with the same names share key lexemes: not each of them need allow the name
        if tag >= TAKEN or (tag >= NAMED and not name_allowed(P, a, tag - NAMED)):
            return 0
        objects, pool = i32(P, O_ROW), i32(P, POOL)
        row = i32(P, OS_ROW)
        if row[a * OS_WIDTH + OS_CORE] >= 0:
            return _follow_core_key(P, L, a, tag, tid, parents)
        o = row[a * OS_WIDTH + OS_OBJECT] * OBJ_WIDTH
        if tag < NAMED:
            if row[a * OS_WIDTH + OS_FLAGS] & OS_ANONYMOUS and tid == ANONYMOUS:
                return UNCERTAIN
            node = pool[objects[o + O_CLASSES] + tag]
        else:
            node = pool[objects[o + O_VALUES] + tag - NAMED]
        return _push_colon(P, after_key(P, L, a, tag, tid, -1), node, parents)
    if kind == F_COLON:
        after = intern_frame(P, F_NEXT, a, b, parents)
        if after < 0:
            return NEED
        return enter(P, b, after)
    if kind == F_NEXT:
        row = i32(P, OS_ROW)
        flags = row[a * OS_WIDTH + OS_FLAGS]
        if flags & OS_ANONYMOUS and not i32(P, O_ROW)[row[a * OS_WIDTH + OS_OBJECT] * OBJ_WIDTH + O_FREE]:
            return UNCERTAIN  # the name just read may have been the last one, or the last with some beginning
        after = intern_frame(P, F_SEP, a, 0, parents)
        if after < 0:
            return NEED
        both = OS_CAN_CLOSE | OS_CAN_MORE
        if flags & both == 0:
            return 0
        slot = P_OBJ_SEP_BOTH if flags & both == both else (P_OBJ_SEP_MORE if flags & OS_CAN_MORE else P_OBJ_SEP_CLOSE)
        return push(P, P[slot], after)
    if kind == F_SEP:
        after = intern_frame(P, F_KEY, a, 0, parents)
        if after < 0:
            return NEED
        return push(P, i32(P, OS_ROW)[a * OS_WIDTH + OS_READ], after)
    core = i32(P, AR_ROW)[a * ARR_WIDTH + A_CORE]
    if core >= 0:
        return _follow_core_array(P, kind, a, core if kind == F_ARRAY else b, tid, parents)
    if kind == F_ARRAY:
        if i32(P, AR_ROW)[a * ARR_WIDTH + A_MIN] == 0 and push(P, P[P_BRACKET], parents) < 0:
            return NEED
        return _enter_item(P, a, 0, parents)
    if kind == F_ITEM:
        after = intern_frame(P, F_ASEP, a, b, parents)
        if after < 0:
            return NEED
        more = _item_node(P, a, b) >= 0
        close = b >= i32(P, AR_ROW)[a * ARR_WIDTH + A_MIN]
        slot = P_ARR_SEP_BOTH if more and close else (P_ARR_SEP_MORE if more else P_ARR_SEP_CLOSE)
        return push(P, P[slot], after)
    return _enter_item(P, a, b, parents)  # F_ASEP, after a comma


@kernel
def follow(P, L, k, tag, tid):  # type: ignore[no-untyped-def]
    """The state entered when the lexeme before k ended with `tag` (and the captured text `tid`): >= 0, NEED or UNCERTAIN.

    Memoised. A `}` or `]` ends a value of the parents, so their frames join a work list, and so do those behind a node that may be empty;
    this is a loop, not recursion.
    """
    kinds, parents = i32(P, FR_KIND), i32(P, FR_PARENTS)
    bits = bits_of(P, k)
    captured = 0  # a declared name needs no text
    if (bits & (B_KEY | B_CAPTURE) and tag < NAMED) or (bits & B_POPS and tag == 1):
        captured = tid
        if tid > 0:
            P[P_USED] = 1
    s = find_follow(P, k, tag, captured)
    if s >= 0:
        return s
    base = P[X_TOP]
    sets, set_ptr, set_len = i32(P, FSI), i32(P, FS_PTR), i32(P, FS_LEN)
    work, work_tag = i64(P, W_A), i32(P, W_C)
    low, top = 0, 0
    P[FR_STAMPS] += 1
    stamps, stamp = i64(P, FR_STAMP), P[FR_STAMPS]
    expected = -1  # nodes of which a value may come
    flags = 0
    pending, pending_tag = k, tag
    while True:
        n = 1 if pending >= 0 else set_len[~pending]
        if top + n > P[W_CAP]:
            P[X_TOP] = base
            return need_grow(P, G_WORK)
        for j in range(n):
            f = pending if pending >= 0 else sets[set_ptr[~pending] + j]
            if pending_tag == 0:  # several ways through empty nodes may lead to one frame
                if stamps[f] == stamp:
                    continue
                stamps[f] = stamp
            work[top], work_tag[top] = f, pending_tag
            top += 1
        P[STEPS] += n - 1
        if P[STEPS] > P[MAX_STEPS]:
            P[X_TOP] = base
            return need_steps(P)
        closed = False
        while low < top and not closed:
            f, t = work[low], work_tag[low]
            low += 1
            kind = kinds[f]
            if kind == F_END:
                flags = S_END
            elif (kind == F_SEP or kind == F_ASEP) and t == 1:
                pending, pending_tag = parents[f], 0
                closed = True
            elif kind == F_ENTER:
                expected = expect(P, i32(P, FR_A)[f], parents[f], expected)
                if expected < NEED:
                    P[X_TOP] = base
                    return NEED
                if i32(P, FR_B)[f] == 1:
                    pending, pending_tag = parents[f], 0
                    closed = True
            else:
                # exclude_text uses the work table from 0: entries still waiting are moved to the stack first
                if kind == F_KEY and t < NAMED and low < top:
                    status = _follow_key_aside(P, L, f, t, captured, low, top)
                else:
                    status = _follow_frame(P, L, f, t, captured)
                if status < 0:
                    P[X_TOP] = base
                    return status
        if not closed and low >= top:
            break
    if expected >= 0 and enter_all(P, expected) < 0:
        P[X_TOP] = base
        return NEED
    s = intern_state(P, base, P[X_TOP], flags)
    P[X_TOP] = base
    if s < 0:
        return NEED
    if keep_follow(P, k, tag, captured, s) < 0:
        return NEED
    return s


@kernel
def _follow_key_aside(P, L, f, tag, tid, low, top):  # type: ignore[no-untyped-def]
    """`_follow_frame` for a key while other frames wait in the work table, which `exclude_text` overwrites: they are saved on the stack."""
    work, work_tag = i64(P, W_A), i32(P, W_C)
    base = P[X_TOP]
    n = top - low
    for i in range(low, top):
        if push(P, work[i], work_tag[i]) < 0:
            P[X_TOP] = base
            return NEED
    status = _follow_frame(P, L, f, tag, tid)
    qs, ks = i64(P, X_Q), i32(P, X_K)
    for i in range(n):
        work[low + i], work_tag[low + i] = qs[base + i], ks[base + i]
    if status < 0:
        P[X_TOP] = base
        return status
    new_top = P[X_TOP]
    for i in range(base + n, new_top):
        qs[i - n], ks[i - n] = qs[i], ks[i]
    P[X_TOP] = new_top - n
    return status
