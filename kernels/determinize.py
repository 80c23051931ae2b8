"""Automata kernels: subset construction, union and product.

In: automata as plain int32 arrays (the layouts are in each docstring). Out: arrays of the same layouts. Every loop that
can blow up counts its states and its steps against a budget and returns a status instead of raising, because the
caller knows the name of the limit; `STATES_EXCEEDED` and `STEPS_EXCEEDED` are those statuses.

Conventions shared by all kernels: state 0 is dead (all its transitions lead to 0), `trans` is [n_states, n_classes],
`tags` is int32 [n_states] with -1 for a state that does not accept.

Why numba: a real schema compiles dozens of patterns before its first mask, and `^.{1,100}$` alone has about a thousand
byte states; plain Python needs 10-50 ms for that, these kernels about 0.2 ms. Turned down: derivatives of regular
expressions (elegant, but every step allocates terms). minimise.py makes the results minimal.
"""

from __future__ import annotations

import numpy as np

from .memory import entry, kernel

CHAR, SPLIT, ASSERT, MATCH = 0, 1, 2, 3
START_OR_END, WORD, NEWLINE, OTHER = 0, 1, 2, 3

OK, STATES_EXCEEDED, STEPS_EXCEEDED = 0, 1, 2

_HASH_SEED = np.uint64(1469598103934665603)
_HASH_PRIME = np.uint64(1099511628211)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@kernel
def _hash_items(items, first, past, seed):
    value = _HASH_SEED ^ np.uint64(seed)
    for i in range(first, past):
        value = (value ^ np.uint64(items[i])) * _HASH_PRIME
        value ^= value >> np.uint64(29)
    return np.int32(value >> np.uint64(33))


@kernel
def _grown(array, needed):
    size = array.shape[0]
    while size < needed:
        size *= 2
    bigger = np.zeros(size, np.int32)
    for i in range(array.shape[0]):
        bigger[i] = array[i]
    return bigger


@kernel
def _grown_rows(array, needed):
    size = array.shape[0]
    while size < needed:
        size *= 2
    bigger = np.zeros((size, array.shape[1]), np.int32)
    for i in range(array.shape[0]):
        for c in range(array.shape[1]):
            bigger[i, c] = array[i, c]
    return bigger


@kernel
def _sort(items, first, past):
    """Shell sort with halving-like gaps: short and quick to compile, and lists of states are short or nearly sorted."""
    gap = 1
    while gap < (past - first) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(first + gap, past):
            value = items[i]
            j = i - gap
            while j >= first and items[j] > value:
                items[j + gap] = items[j]
                j -= gap
            items[j + gap] = value
        gap //= 3


@kernel
def _intern(items, first, past, extra, arena, offsets, extras, hashes, table):
    """The id of items[first:past] (with `extra`) among the states of `table`, or -slot-1 if it is new."""
    value = _hash_items(items, first, past, extra)
    mask = table.shape[0] - 1
    slot = value & mask
    length = past - first
    while True:
        state = table[slot]
        if state == 0:
            return -slot - 1, value
        if hashes[state] == value and extras[state] == extra and offsets[state + 1] - offsets[state] == length:
            base = offsets[state]
            same = True
            for i in range(length):
                if arena[base + i] != items[first + i]:
                    same = False
                    break
            if same:
                return state, value
        slot = (slot + 1) & mask


@kernel
def _rehash(table, hashes, n_states):
    bigger = np.zeros(table.shape[0] * 4, np.int32)
    mask = bigger.shape[0] - 1
    for state in range(1, n_states + 1):
        slot = hashes[state] & mask
        while bigger[slot] != 0:
            slot = (slot + 1) & mask
        bigger[slot] = state
    return bigger


@kernel
def _close(nodes, node, mark, generation, stack, out, n_out):
    """Append to `out` the CHAR, ASSERT and MATCH nodes reachable from `node` through SPLIT nodes, once each."""
    if mark[node] == generation:
        return n_out
    mark[node] = generation
    stack[0] = node
    depth = 1
    while depth > 0:
        depth -= 1
        node = stack[depth]
        while nodes[node, 0] == SPLIT:
            other = nodes[node, 3]
            if mark[other] != generation:
                mark[other] = generation
                stack[depth] = other
                depth += 1
            node = nodes[node, 2]
            if mark[node] == generation:
                node = -1
                break
            mark[node] = generation
        if node >= 0:
            out[n_out] = node
            n_out += 1
    return n_out


@kernel
def _prune(nodes, out, n_out, latest, latest_mark, generation):
    """Keep of the CHAR nodes of each chain the one with the highest number; returns the new length. `generation`: of these nodes."""
    chained = False
    for i in range(n_out):
        chain = nodes[out[i], 3]
        if chain != 0 and nodes[out[i], 0] == CHAR:
            if latest_mark[chain] != generation:
                latest_mark[chain] = generation
                latest[chain] = out[i]
            else:
                chained = True
                if out[i] > latest[chain]:
                    latest[chain] = out[i]
    if not chained:
        return n_out
    n_kept = 0
    for i in range(n_out):
        node = out[i]
        chain = nodes[node, 3]
        if chain == 0 or nodes[node, 0] != CHAR or latest[chain] == node:
            out[n_kept] = node
            n_kept += 1
    return n_kept


@entry
def subset_construction(nodes, start_node, absorbing, set_has, class_kind, max_states, max_steps):
    """Determinise a Thompson automaton whose assertions look at the characters on both sides. Row 0 is the MATCH row.

    nodes: int32 [n, 4] of (op, argument, next, other next): CHAR consumes a character of set `argument`, its last number is
    that of its chain or 0 (of a chain, what is matched from a node is matched from those with higher numbers as well);
    SPLIT goes to both; ASSERT passes if bit `4 * before + after` of `argument` is set, where before and after are kinds
    (START_OR_END, WORD, NEWLINE, OTHER); MATCH accepts. absorbing: the CHAR node of a final loop over all characters, or -1:
    a state that holds it accepts whatever follows, and needs no other node. set_has: bool [n_sets, n_classes]; class_kind:
    int32 [n_classes]. Returns (status, n, trans int32 [>= n, n_classes], tags int32 [>= n]), of which the first n rows
    count; the start is state 1. A state is the set of CHAR, ASSERT and MATCH nodes, and the kind of the character before it
    if an ASSERT is among them: the assertions of a state are decided when the next character (or the end) is known.
    """
    n_nodes = nodes.shape[0]
    n_classes = set_has.shape[1]
    mark = np.zeros(n_nodes, np.int32)
    generation = np.int32(0)
    stack = np.zeros(2 * n_nodes + 2, np.int32)
    out = np.zeros(n_nodes + 1, np.int32)
    active = np.zeros((4, n_nodes + 1), np.int32)
    n_active = np.zeros(4, np.int64)
    seen = np.zeros(n_nodes, np.int32)
    seen_generation = np.int32(0)
    n_chains = 0
    for i in range(n_nodes):
        if nodes[i, 0] == CHAR and nodes[i, 3] > n_chains:
            n_chains = nodes[i, 3]
    latest = np.zeros(n_chains + 1, np.int32)
    latest_mark = np.zeros(n_chains + 1, np.int32)

    arena = np.zeros(256, np.int32)
    offsets = np.zeros(66, np.int32)
    extras = np.zeros(66, np.int32)
    hashes = np.zeros(66, np.int32)
    trans = np.zeros((66, n_classes), np.int32)
    tags = np.full(66, np.int32(-1))
    table = np.zeros(256, np.int32)
    n_states = 0
    steps = 0

    generation += 1
    n_out = _close(nodes, start_node, mark, generation, stack, out, 0)
    if absorbing >= 0 and mark[absorbing] == generation:
        out[0] = 0
        out[1] = absorbing
        n_out = 2
    n_out = _prune(nodes, out, n_out, latest, latest_mark, generation)
    _sort(out, 0, n_out)
    if n_out > arena.shape[0]:
        arena = _grown(arena, n_out)
    for i in range(n_out):
        arena[i] = out[i]
    n_states = 1
    offsets[1] = 0
    offsets[2] = n_out
    slot, value = _intern(out, 0, n_out, np.int32(0), arena, offsets, extras, hashes, table)
    hashes[1] = value
    table[-slot - 1] = 1

    current = 1
    while current <= n_states:
        first, past = offsets[current], offsets[current + 1]
        before = extras[current]
        has_assert = False
        matched = False
        for i in range(first, past):
            op = nodes[arena[i], 0]
            if op == ASSERT:
                has_assert = True
            elif op == MATCH:
                matched = True
        if has_assert:
            for after in range(4):
                seen_generation += 1
                count = 0
                depth = 0
                for i in range(first, past):
                    stack[depth] = arena[i]
                    seen[arena[i]] = seen_generation
                    depth += 1
                while depth > 0:
                    depth -= 1
                    node = stack[depth]
                    steps += 1
                    if nodes[node, 0] != ASSERT:
                        active[after, count] = node
                        count += 1
                        if after == START_OR_END and nodes[node, 0] == MATCH:
                            matched = True
                    elif (nodes[node, 1] >> (4 * before + after)) & 1:
                        generation += 1
                        n_out = _close(nodes, nodes[node, 2], mark, generation, stack[depth:], out, 0)
                        for i in range(n_out):
                            if seen[out[i]] != seen_generation:
                                seen[out[i]] = seen_generation
                                stack[depth] = out[i]
                                depth += 1
                n_active[after] = count
        if matched:
            tags[current] = 0
        for c in range(n_classes):
            generation += 1
            n_out = 0
            after = class_kind[c]
            if has_assert:
                for i in range(n_active[after]):
                    node = active[after, i]
                    if nodes[node, 0] == CHAR and set_has[nodes[node, 1], c]:
                        n_out = _close(nodes, nodes[node, 2], mark, generation, stack, out, n_out)
                steps += n_active[after]
            else:
                for i in range(first, past):
                    node = arena[i]
                    if nodes[node, 0] == CHAR and set_has[nodes[node, 1], c]:
                        n_out = _close(nodes, nodes[node, 2], mark, generation, stack, out, n_out)
                steps += past - first
            if n_out == 0:
                continue
            steps += n_out
            if absorbing >= 0 and mark[absorbing] == generation:
                out[0] = 0
                out[1] = absorbing
                n_out = 2
            n_out = _prune(nodes, out, n_out, latest, latest_mark, generation)
            _sort(out, 0, n_out)
            kind = np.int32(0)
            for i in range(n_out):
                if nodes[out[i], 0] == ASSERT:
                    kind = np.int32(after)
                    break
            target, value = _intern(out, 0, n_out, kind, arena, offsets, extras, hashes, table)
            if target < 0:
                if n_states >= max_states:
                    return STATES_EXCEEDED, 0, trans, tags
                n_states += 1
                if n_states + 2 > offsets.shape[0]:
                    offsets = _grown(offsets, n_states + 2)
                    extras = _grown(extras, n_states + 2)
                    hashes = _grown(hashes, n_states + 2)
                    trans = _grown_rows(trans, n_states + 2)
                    filled = tags.shape[0]
                    tags = _grown(tags, n_states + 2)
                    for i in range(filled, tags.shape[0]):
                        tags[i] = -1
                base = offsets[n_states]
                if base + n_out > arena.shape[0]:
                    arena = _grown(arena, base + n_out)
                for i in range(n_out):
                    arena[base + i] = out[i]
                offsets[n_states + 1] = base + n_out
                extras[n_states] = kind
                hashes[n_states] = value
                table[-target - 1] = n_states
                if n_states * 2 > table.shape[0]:
                    table = _rehash(table, hashes, n_states)
                target = n_states
            trans[current, c] = target
        if steps > max_steps:
            return STEPS_EXCEEDED, 0, trans, tags
        current += 1
    return OK, n_states + 1, trans, tags


@entry
def union_construction(trans, starts, max_states, max_steps):
    """Run several automata at once.

    trans: int32 [N, n_classes], the automata one below the other over common classes, state 0 dead for all. starts:
    int32 [m]. Returns (status, n, trans int32 [>= n, n_classes], members int32, offsets int32 [> n]): state s < n stands for
    the live states members[offsets[s]:offsets[s + 1]], ascending; the start is state 1.
    """
    n_classes = trans.shape[1]
    n_items = starts.shape[0]
    out = np.zeros(n_items + 1, np.int32)
    arena = np.zeros(max(256, n_items), np.int32)
    offsets = np.zeros(66, np.int32)
    extras = np.zeros(66, np.int32)
    hashes = np.zeros(66, np.int32)
    result = np.zeros((66, n_classes), np.int32)
    table = np.zeros(256, np.int32)
    n_out = 0
    for i in range(n_items):
        if starts[i] != 0:
            out[n_out] = starts[i]
            n_out += 1
    for i in range(n_out):
        arena[i] = out[i]
    n_states = 1
    offsets[2] = n_out
    slot, value = _intern(out, 0, n_out, np.int32(0), arena, offsets, extras, hashes, table)
    hashes[1] = value
    table[-slot - 1] = 1
    steps = 0
    current = 1
    while current <= n_states:
        for c in range(n_classes):
            n_out = 0
            for i in range(offsets[current], offsets[current + 1]):
                target = trans[arena[i], c]
                if target != 0:
                    out[n_out] = target
                    n_out += 1
            if n_out == 0:
                continue
            found, value = _intern(out, 0, n_out, np.int32(0), arena, offsets, extras, hashes, table)
            if found < 0:
                if n_states >= max_states:
                    return STATES_EXCEEDED, 0, result, arena, offsets
                n_states += 1
                if n_states + 2 > offsets.shape[0]:
                    offsets = _grown(offsets, n_states + 2)
                    extras = _grown(extras, n_states + 2)
                    hashes = _grown(hashes, n_states + 2)
                    result = _grown_rows(result, n_states + 2)
                base = offsets[n_states]
                if base + n_out > arena.shape[0]:
                    arena = _grown(arena, base + n_out)
                for i in range(n_out):
                    arena[base + i] = out[i]
                offsets[n_states + 1] = base + n_out
                hashes[n_states] = value
                table[-found - 1] = n_states
                if n_states * 2 > table.shape[0]:
                    table = _rehash(table, hashes, n_states)
                found = n_states
            result[current, c] = found
        steps += (offsets[current + 1] - offsets[current]) * n_classes
        if steps > max_steps:
            return STEPS_EXCEEDED, 0, result, arena, offsets
        current += 1
    return OK, n_states + 1, result, arena, offsets


AND, OR, MINUS = 0, 1, 2


@entry
def product(
    trans_a, accept_a, start_a, columns_a, trans_b, accept_b, start_b, columns_b, operation, max_states, max_steps
):
    """Intersection, union or difference of two automata over common classes.

    columns_a, columns_b: int32 [n_classes], the column of each automaton that a common class stands for. operation:
    AND, OR or MINUS. Returns (status, n, trans, tags), of which the first n rows count; the start is state 1.
    """
    n_classes = columns_a.shape[0]
    left = np.zeros(66, np.int32)
    right = np.zeros(66, np.int32)
    trans = np.zeros((66, n_classes), np.int32)
    table = np.zeros(256, np.int32)
    left[1], right[1] = start_a, start_b
    n_states = 1
    width = np.uint64(trans_b.shape[0])
    key = np.uint64(start_a) * width + np.uint64(start_b)
    table[((key * _GOLDEN) >> np.uint64(32)) & np.uint64(255)] = 1
    steps = 0
    current = 1
    while current <= n_states:
        p, q = left[current], right[current]
        for c in range(n_classes):
            pt = trans_a[p, columns_a[c]]
            qt = trans_b[q, columns_b[c]]
            if (pt == 0 and (operation != OR or qt == 0)) or (qt == 0 and operation == AND):
                continue
            key = np.uint64(pt) * width + np.uint64(qt)
            mask = np.uint64(table.shape[0] - 1)
            slot = ((key * _GOLDEN) >> np.uint64(32)) & mask
            while True:
                found = table[slot]
                if found == 0 or (left[found] == pt and right[found] == qt):
                    break
                slot = (slot + np.uint64(1)) & mask
            if found == 0:
                if n_states >= max_states:
                    return STATES_EXCEEDED, 0, trans, left
                n_states += 1
                if n_states + 1 > left.shape[0]:
                    left = _grown(left, n_states + 1)
                    right = _grown(right, n_states + 1)
                    trans = _grown_rows(trans, n_states + 1)
                left[n_states], right[n_states] = pt, qt
                table[slot] = n_states
                found = n_states
                if n_states * 2 > table.shape[0]:
                    table = np.zeros(table.shape[0] * 4, np.int32)
                    mask = np.uint64(table.shape[0] - 1)
                    for state in range(1, n_states + 1):
                        key = np.uint64(left[state]) * width + np.uint64(right[state])
                        slot = ((key * _GOLDEN) >> np.uint64(32)) & mask
                        while table[slot] != 0:
                            slot = (slot + np.uint64(1)) & mask
                        table[slot] = state
            trans[current, c] = found
        steps += n_classes
        if steps > max_steps:
            return STEPS_EXCEEDED, 0, trans, left
        current += 1
    tags = np.full(n_states + 1, np.int32(-1))
    for state in range(1, n_states + 1):
        in_a, in_b = accept_a[left[state]], accept_b[right[state]]
        if (
            (operation == AND and in_a and in_b)
            or (operation == OR and (in_a or in_b))
            or (operation == MINUS and in_a and not in_b)
        ):
            tags[state] = 0
    return OK, n_states + 1, trans, tags
