"""Minimisation and canonical numbering of deterministic automata.

In: a complete automaton as int32 arrays (the conventions of determinize.py: state 0 is dead, tags -1 where it does not accept).
Out: the minimal, trimmed one, its states and classes numbered by order of appearance, so that equal languages give equal arrays.

Turned down: Moore's rounds of refinement, which are quadratic on the long chains that counted repetitions make.
"""

from __future__ import annotations

import numpy as np

from .memory import entry, kernel

_HASH_PRIME = np.uint64(1099511628211)


@kernel
def _live_states(trans, tags, start):
    """Which states are reachable from `start` and can reach acceptance; bool [n_states]."""
    n_states, n_classes = trans.shape
    forward = np.zeros(n_states, np.bool_)
    order = np.zeros(n_states, np.int32)
    count = 0
    if start != 0:
        forward[start] = True
        order[0] = start
        count = 1
    position = 0
    n_edges = 0
    while position < count:
        state = order[position]
        position += 1
        for c in range(n_classes):
            target = trans[state, c]
            if target != 0:
                n_edges += 1
                if not forward[target]:
                    forward[target] = True
                    order[count] = target
                    count += 1
    heads = np.zeros(n_states + 1, np.int64)
    for i in range(count):
        for c in range(n_classes):
            heads[trans[order[i], c] + 1] += 1
    for state in range(n_states):
        heads[state + 1] += heads[state]
    fill = heads.copy()
    tails = np.zeros(count * n_classes, np.int32)
    for i in range(count):
        for c in range(n_classes):
            target = trans[order[i], c]
            tails[fill[target]] = order[i]
            fill[target] += 1
    live = np.zeros(n_states, np.bool_)
    queue = np.zeros(n_states, np.int32)
    n_queue = 0
    for i in range(count):
        if tags[order[i]] >= 0:
            live[order[i]] = True
            queue[n_queue] = order[i]
            n_queue += 1
    while n_queue > 0:
        n_queue -= 1
        state = queue[n_queue]
        for e in range(heads[state], heads[state + 1]):
            if not live[tails[e]]:
                live[tails[e]] = True
                queue[n_queue] = tails[e]
                n_queue += 1
    return live


@kernel
def _mark(element, elements, location, set_of, first, marked, touched, n_touched):
    group = set_of[element]
    i = location[element]
    j = first[group] + marked[group]
    other = elements[j]
    elements[i], location[other] = other, i
    elements[j], location[element] = element, j
    if marked[group] == 0:
        touched[n_touched] = group
        n_touched += 1
    marked[group] += 1
    return n_touched


@kernel
def _split_marked(n_touched, n_sets, elements, set_of, first, past, marked, touched):
    while n_touched > 0:
        n_touched -= 1
        group = touched[n_touched]
        middle = first[group] + marked[group]
        if middle == past[group]:
            marked[group] = 0
            continue
        if marked[group] <= past[group] - middle:
            first[n_sets], past[n_sets] = first[group], middle
            first[group] = middle
        else:
            first[n_sets], past[n_sets] = middle, past[group]
            past[group] = middle
        for i in range(first[n_sets], past[n_sets]):
            set_of[elements[i]] = n_sets
        marked[group] = 0
        marked[n_sets] = 0
        n_sets += 1
    return n_sets


@kernel
def _equivalence(trans, tags, live):
    """The coarsest partition of the live states that respects tags and transitions; int32 [n_states], 0 for dead.

    Partition refinement over states and transitions together (A. Valmari, "Fast brief practical DFA minimization", 2012):
    O(m log n) for m transitions between live states, which suits automata with few live transitions per state.
    """
    n_states, n_classes = trans.shape
    n_live = 0
    live_of = np.zeros(n_states, np.int32)
    state_of = np.zeros(n_states, np.int32)
    n_edges = 0
    for state in range(1, n_states):
        if live[state]:
            live_of[state] = n_live
            state_of[n_live] = state
            n_live += 1
            for c in range(n_classes):
                if live[trans[state, c]]:
                    n_edges += 1
    block = np.zeros(n_states, np.int32)
    if n_live == 0:
        return block
    # initial blocks: one per tag
    highest = 0
    for i in range(n_live):
        highest = max(highest, tags[state_of[i]])
    tag_start = np.zeros(highest + 3, np.int32)
    for i in range(n_live):
        tag_start[tags[state_of[i]] + 2] += 1
    for tag in range(highest + 2):
        tag_start[tag + 1] += tag_start[tag]
    order = np.zeros(n_live, np.int32)
    for i in range(n_live):
        tag = tags[state_of[i]] + 1
        order[tag_start[tag]] = i
        tag_start[tag] += 1
    elements = np.zeros(n_live, np.int32)
    location = np.zeros(n_live, np.int32)
    set_of = np.zeros(n_live, np.int32)
    first = np.zeros(n_live + 1, np.int32)
    past = np.zeros(n_live + 1, np.int32)
    marked = np.zeros(n_live + 1, np.int32)
    touched = np.zeros(n_live + 1, np.int32)
    n_blocks = 0
    for i in range(n_live):
        element = order[i]
        if i > 0 and tags[state_of[element]] != tags[state_of[order[i - 1]]]:
            past[n_blocks] = i
            n_blocks += 1
            first[n_blocks] = i
        elements[i] = element
        location[element] = i
        set_of[element] = n_blocks
    past[n_blocks] = n_live
    n_blocks += 1
    # transitions, first grouped by class
    edge_tail = np.zeros(n_edges, np.int32)
    edge_head = np.zeros(n_edges, np.int32)
    e_elements = np.zeros(n_edges, np.int32)
    e_location = np.zeros(n_edges, np.int32)
    e_set = np.zeros(n_edges, np.int32)
    e_first = np.zeros(n_edges + 1, np.int32)
    e_past = np.zeros(n_edges + 1, np.int32)
    e_marked = np.zeros(n_edges + 1, np.int32)
    e_touched = np.zeros(n_edges + 1, np.int32)
    edge = 0
    n_groups = 0
    for c in range(n_classes):
        before = edge
        for i in range(n_live):
            target = trans[state_of[i], c]
            if live[target]:
                edge_tail[edge] = i
                edge_head[edge] = live_of[target]
                e_elements[edge] = edge
                e_location[edge] = edge
                e_set[edge] = n_groups
                edge += 1
        if edge > before:
            e_first[n_groups] = before
            e_past[n_groups] = edge
            n_groups += 1
    incoming_start = np.zeros(n_live + 1, np.int32)
    for e in range(n_edges):
        incoming_start[edge_head[e] + 1] += 1
    for i in range(n_live):
        incoming_start[i + 1] += incoming_start[i]
    fill = incoming_start.copy()
    incoming = np.zeros(n_edges, np.int32)
    for e in range(n_edges):
        incoming[fill[edge_head[e]]] = e
        fill[edge_head[e]] += 1
    next_block, next_group = 1, 0
    while next_group < n_groups:
        n_touched = 0
        for i in range(e_first[next_group], e_past[next_group]):
            n_touched = _mark(edge_tail[e_elements[i]], elements, location, set_of, first, marked, touched, n_touched)
        n_blocks = _split_marked(n_touched, n_blocks, elements, set_of, first, past, marked, touched)
        next_group += 1
        while next_block < n_blocks:
            n_touched = 0
            for i in range(first[next_block], past[next_block]):
                element = elements[i]
                for k in range(incoming_start[element], incoming_start[element + 1]):
                    n_touched = _mark(
                        incoming[k], e_elements, e_location, e_set, e_first, e_marked, e_touched, n_touched
                    )
            n_groups = _split_marked(n_touched, n_groups, e_elements, e_set, e_first, e_past, e_marked, e_touched)
            next_block += 1
    for i in range(n_live):
        block[state_of[i]] = set_of[i] + 1
    return block


@entry
def canonical(classes, trans, tags, start, is_minimal):
    """The minimal, trimmed automaton with canonical numbering. is_minimal: it is minimal and trimmed, only number it.

    classes: int32 [n], the class of each interval (or byte) in ascending order. Returns (classes, trans, tags, start)
    where classes with equal columns are merged and numbered by first appearance, states are numbered breadth-first from
    the start (1; 0 when the language is empty), so equal languages over equal intervals give equal arrays.
    """
    n_states, n_classes = trans.shape
    block = np.zeros(n_states, np.int32)
    if is_minimal:
        for state in range(n_states):
            block[state] = state
    elif start != 0:
        live = _live_states(trans, tags, start)
        if live[start]:
            block = _equivalence(trans, tags, live)
    if start == 0 or block[start] == 0:
        new_tags = np.zeros(1, np.int32)
        new_tags[0] = -1
        return np.zeros(classes.shape[0], np.int32), np.zeros((1, 1), np.int32), new_tags, 0
    n_blocks = 0
    for state in range(n_states):
        n_blocks = max(n_blocks, block[state])
    representative = np.zeros(n_blocks + 1, np.int32)
    for state in range(1, n_states):
        if block[state] != 0 and representative[block[state]] == 0:
            representative[block[state]] = state
    # merge equal columns, compared by hash and then by value
    hashes = np.zeros(n_classes, np.uint64)
    for b in range(1, n_blocks + 1):
        state = representative[b]
        for c in range(n_classes):
            hashes[c] = (hashes[c] ^ np.uint64(block[trans[state, c]])) * _HASH_PRIME
            hashes[c] ^= hashes[c] >> np.uint64(31)
    merged = np.zeros(n_classes, np.int32)
    for c in range(n_classes):
        merged[c] = -1
    columns = np.zeros(n_classes, np.int32)
    n_columns = 0
    new_classes = np.zeros(classes.shape[0], np.int32)
    for i in range(classes.shape[0]):
        c = classes[i]
        if merged[c] < 0:
            for k in range(n_columns):
                if hashes[columns[k]] == hashes[c]:
                    same = True
                    for b in range(1, n_blocks + 1):
                        state = representative[b]
                        if block[trans[state, c]] != block[trans[state, columns[k]]]:
                            same = False
                            break
                    if same:
                        merged[c] = k
                        break
            if merged[c] < 0:
                merged[c] = n_columns
                columns[n_columns] = c
                n_columns += 1
        new_classes[i] = merged[c]
    number = np.zeros(n_blocks + 1, np.int32)
    order = np.zeros(n_blocks + 1, np.int32)
    number[block[start]] = 1
    order[1] = block[start]
    count = 1
    new_trans = np.zeros((n_blocks + 1, n_columns), np.int32)
    new_tags = np.zeros(n_blocks + 1, np.int32)
    new_tags[0] = -1
    position = 1
    while position <= count:
        state = representative[order[position]]
        new_tags[position] = tags[state]
        for k in range(n_columns):
            target = block[trans[state, columns[k]]]
            if target != 0:
                if number[target] == 0:
                    count += 1
                    number[target] = count
                    order[count] = target
                new_trans[position, k] = number[target]
        position += 1
    return new_classes, new_trans, new_tags, 1
