"""Entering nodes: the configurations that a value begins with, of one node or of many at one place of the text.

A sequence of nodes becomes one F_ENTER frame for each part, the last of them with the caller's own frames behind it: a tail call adds
nothing to the stack, so right recursion stays in finitely many states. Nodes that begin with other nodes are entered together with these,
each once, as are all nodes that several frames expect: stacks are merged as in Tomita's graph-structured stack.
"""

from __future__ import annotations

from .intern import G_VISITS, intern_frame, need_grow, need_steps, push, unite
from .layout import *  # noqa: F403
from .memory import i32, i64, kernel


@kernel
def _rest(P, sequence, first, k):  # type: ignore[no-untyped-def]
    """What follows where the parts of a sequence from `first` on are still to come, and k after them: returns (ok, k)."""
    pool = i32(P, POOL)
    for part in range(pool[sequence] - 1, first - 1, -1):
        k = intern_frame(P, F_ENTER, pool[sequence + 1 + 2 * part], pool[sequence + 2 + 2 * part], k)
        if k < 0:
            return False, k
    return True, k


@kernel
def _start(P, alternative, k):  # type: ignore[no-untyped-def]
    """Push one alternative that begins with a lexeme, with k after its value; returns 0 or NEED."""
    kind, arg = i32(P, A_KIND)[alternative], i32(P, A_ARG)[alternative]
    ok = True
    if kind == ALT_OBJECT:
        k = intern_frame(P, F_OPEN, arg, 0, k)
        ok = k >= 0
    elif kind == ALT_ARRAY:
        k = intern_frame(P, F_ARRAY, arg, 0, k)
        ok = k >= 0
    elif kind == ALT_SEQUENCE:
        ok, k = _rest(P, arg, 0, k)
    return push(P, i64(P, A_Q)[alternative], k) if ok else NEED


@kernel
def need_node(P, node):  # type: ignore[no-untyped-def]
    """0 if the node is compiled, else NEED."""
    if i32(P, N_PTR)[node] >= 0:
        return 0
    P[NEED_KIND], P[NEED_ARG] = NEED_NODE, node
    return NEED


@kernel
def enter(P, node, k):  # type: ignore[no-untyped-def]
    """Push the configurations that start a value of `node` with k after it; returns 0 or NEED."""
    if need_node(P, node) < 0:
        return NEED
    ptr = i32(P, N_PTR)[node]
    kinds, qs = i32(P, A_KIND), i64(P, A_Q)
    nested = False
    for i in range(ptr, ptr + i32(P, N_LEN)[node]):
        if kinds[i] == ALT_SCALAR:
            if push(P, qs[i], k) < 0:
                return NEED
        elif kinds[i] == ALT_NODE:
            nested = True
        elif _start(P, i, k) < 0:
            return NEED
    return enter_nested(P, node, k, False) if nested else 0


@kernel
def _gather(P, node, head):  # type: ignore[no-untyped-def]
    """List the nodes that a value of `node` may begin with, each before those that it may begin with itself: N_FOLLOWING leads from one to
    the next (-1: the end). The list goes on with `head`, what other nodes of this gathering lead to (-1: nothing).

    Depth first; the list is made from its end, a node when all that it leads to are in it. Returns the new head, which is `node` unless it
    was in the list, or NEED - 1 (the list may be empty: -1); a node that may begin with itself is refused (NEED_CYCLE).
    """
    ptr, length, marks, following = i32(P, N_PTR), i32(P, N_LEN), i64(P, N_MARK), i32(P, N_FOLLOWING)
    kinds, args, pool = i32(P, A_KIND), i32(P, A_ARG), i32(P, POOL)
    nodes, alternatives, parts = i32(P, V_NODE), i32(P, V_ALTERNATIVE), i32(P, V_PART)
    mark = P[N_GATHERED] * MARK_WIDTH
    if marks[node] == mark + MARK_LEFT:
        return head
    nodes[0], alternatives[0], parts[0] = node, ptr[node], 0
    marks[node] = mark + MARK_OPEN
    top = 1
    while top > 0:
        n, a, part = nodes[top - 1], alternatives[top - 1], parts[top - 1]
        if a >= ptr[n] + length[n]:
            marks[n], following[n] = mark + MARK_LEFT, head
            head = n
            top -= 1
            continue
        sequence = args[a]
        # the value may begin with a part if all parts before it may be empty
        if kinds[a] != ALT_NODE or part >= pool[sequence] or (part > 0 and pool[sequence + 2 * part] == 0):
            alternatives[top - 1], parts[top - 1] = a + 1, 0
            continue
        parts[top - 1] = part + 1
        child = pool[sequence + 1 + 2 * part]
        if need_node(P, child) < 0:
            return NEED - 1
        if marks[child] == mark + MARK_OPEN:
            P[NEED_KIND], P[NEED_ARG] = NEED_CYCLE, child
            return NEED - 1
        if marks[child] != mark + MARK_LEFT:
            if top >= P[V_CAP]:
                need_grow(P, G_VISITS)
                return NEED - 1
            nodes[top], alternatives[top], parts[top] = child, ptr[child], 0
            marks[child] = mark + MARK_OPEN
            top += 1
    return head


@kernel
def enter_nested(P, node, k, look):  # type: ignore[no-untyped-def]
    """Push what the nested alternatives of `node` start with; its other alternatives are pushed already. Returns 0 or NEED.

    look: k comes after every lexeme, whatever follows it in its node (`_look_ahead`).
    """
    P[N_GATHERED] += 1
    if _gather(P, node, -1) < NEED:
        return NEED
    i64(P, N_MARK)[node], i32(P, N_K)[node] = P[N_GATHERED] * MARK_WIDTH + MARK_REACHED, k
    return _enter_gathered(P, node, node, k, look)


@kernel
def enter_all(P, first):  # type: ignore[no-untyped-def]
    """Push what the nodes of a list (N_ROOT leads from one to the next, -1: the end) start with, each with N_ROOT_K after it.

    Where several frames expect values at one place of the text, their nodes are entered together, once each, or an ambiguous grammar would
    have exponentially many frames: this is the merging of stacks in Tomita's graph-structured stack. Returns 0 or NEED.
    """
    following, root_ks = i32(P, N_ROOT), i32(P, N_ROOT_K)
    if following[first] < 0:
        return enter(P, first, root_ks[first])
    marks, ks = i64(P, N_MARK), i32(P, N_K)
    P[N_GATHERED] += 1
    head = -1
    node = first
    while node >= 0:
        if need_node(P, node) < 0:
            return NEED
        head = _gather(P, node, head)
        if head < NEED:
            return NEED
        node = following[node]
    node = first
    while node >= 0:
        marks[node], ks[node] = P[N_GATHERED] * MARK_WIDTH + MARK_REACHED, root_ks[node]
        node = following[node]
    return _enter_gathered(P, head, -1, 0, False)


@kernel
def expect(P, node, k, first):  # type: ignore[no-untyped-def]
    """Add a value of `node`, then k, to the list of `enter_all` that begins with `first` (-1: empty). Returns the first, or NEED - 1."""
    following, root_ks, stamps = i32(P, N_ROOT), i32(P, N_ROOT_K), i64(P, N_STAMP)
    if first < 0:
        P[N_LISTS] += 1
    elif stamps[node] == P[N_LISTS]:
        ok, root_ks[node] = unite(P, root_ks[node], k)
        return first if ok else NEED - 1
    stamps[node], root_ks[node], following[node] = P[N_LISTS], k, first
    return node


@kernel
def _enter_gathered(P, head, node, k, look):  # type: ignore[no-untyped-def]
    """Push what the gathered nodes start with, a list from `head`; of `node` (-1: none) the nested alternatives only. Returns 0 or NEED.

    Each node is entered once, with all that may follow it in one set: otherwise a chain of n nodes with two ways from each to the next
    would have 2^n ways. Those that are entered from without are marked MARK_REACHED. look, k: see `enter_nested`.
    """
    ptr, length, marks, following, ks = i32(P, N_PTR), i32(P, N_LEN), i64(P, N_MARK), i32(P, N_FOLLOWING), i32(P, N_K)
    kinds, args, qs, pool = i32(P, A_KIND), i32(P, A_ARG), i64(P, A_Q), i32(P, POOL)
    reached = P[N_GATHERED] * MARK_WIDTH + MARK_REACHED
    n = head
    while n >= 0:
        for i in range(ptr[n], ptr[n] + length[n]):
            P[STEPS] += 1
            if kinds[i] != ALT_NODE:
                if n != node and (push(P, qs[i], k) if look else _start(P, i, ks[n])) < 0:
                    return NEED
                continue
            sequence = args[i]
            n_parts = pool[sequence]
            if n_parts == 0:
                continue  # always empty
            first = 0  # the part before which all may be empty, and that may not; or the last one
            while first < n_parts - 1 and pool[sequence + 2 + 2 * first] == 1:
                first += 1
            ok, after = True, k
            if not look:
                ok, after = _rest(P, sequence, first + 1, ks[n])
            for part in range(first, -1, -1):
                if not ok:
                    return NEED
                child = pool[sequence + 1 + 2 * part]
                if marks[child] != reached:
                    marks[child], ks[child] = reached, after
                else:
                    done, united = unite(P, ks[child], after)
                    if not done:
                        return NEED
                    ks[child] = united
                if part > 0 and not look:
                    after = intern_frame(P, F_ENTER, child, pool[sequence + 2 + 2 * part], after)
                    ok = after >= 0
        n = following[n]
    return need_steps(P) if P[STEPS] > P[MAX_STEPS] else 0
