"""Byte tries in depth-first arrays: of the vocabulary, and of the suffixes that leave a lexeme.

A trie of n nodes is five columns: the byte that leads to the node, the index after its subtree, its depth (1 for the first byte), and
the range of tokens that end there. A walk runs through the arrays and jumps to `end` where an automaton dies, so that it touches
consecutive memory only. Several tokens may end at one node (duplicate byte strings; merged suffixes).
"""

from __future__ import annotations

import numpy as np

from .memory import entry, kernel

# Bytes compared at once while sorting: one big-endian word.
_WORD = 8


@kernel
def _prefix(data, start, length, skip):  # type: ignore[no-untyped-def]
    key = np.uint64(0)
    for j in range(_WORD):
        key = key << np.uint64(8)
        if skip + j < length:
            key |= np.uint64(data[start + skip + j])
    return key


@kernel
def _less(data, a_start, a_length, b_start, b_length):  # type: ignore[no-untyped-def]
    n = min(a_length, b_length)
    for j in range(n):
        x, y = data[a_start + j], data[b_start + j]
        if x != y:
            return x < y
    return a_length < b_length


@kernel
def sort_strings(data, starts, lengths):  # type: ignore[no-untyped-def]
    """Order of byte strings, as indices: by the first eight bytes, then ties by merge sort of the rest. Shorter strings come first."""
    n = len(starts)
    keys = np.empty(n, np.uint64)
    for i in range(n):
        keys[i] = _prefix(data, starts[i], lengths[i], 0)
    order = np.argsort(keys)
    scratch = np.empty(n, order.dtype)
    i = 0
    while i < n:
        j = i + 1
        while j < n and keys[order[j]] == keys[order[i]]:
            j += 1
        if j - i > 1:
            width = 1
            while width < j - i:
                left = i
                while left < j:
                    middle, right = min(left + width, j), min(left + 2 * width, j)
                    a, b, out = left, middle, left
                    while a < middle or b < right:
                        x = order[a] if a < middle else 0
                        y = order[b] if b < right else 0
                        take_right = a >= middle or (
                            b < right and _less(data, starts[y], lengths[y], starts[x], lengths[x])
                        )
                        if take_right:
                            scratch[out] = y
                            b += 1
                        else:
                            scratch[out] = x
                            a += 1
                        out += 1
                    for k in range(left, right):
                        order[k] = scratch[k]
                    left += 2 * width
                width *= 2
        i = j
    return order


@kernel
def build(
    data, starts, lengths, tokens, order, first_node, first_token, byte, end, depth, node_tokens, n_tokens, out_tokens
):  # type: ignore[no-untyped-def]
    """Append the trie of sorted strings to depth-first columns; returns (nodes, tokens) written. Empty strings are left out.

    The columns must have room for the sum of all lengths from first_node on. Indices written are absolute.
    """
    node = first_node
    token = first_token
    longest = 0
    for i in range(len(lengths)):
        longest = max(longest, lengths[i])
    path = np.empty(longest + 1, np.int32)  # node of each depth on the current path
    level = 0
    previous_start, previous_length = 0, 0
    for position in range(len(order)):
        i = order[position]
        start, length = starts[i], lengths[i]
        if length == 0:
            continue
        common = 0
        top = min(previous_length, length)
        while common < top and data[start + common] == data[previous_start + common]:
            common += 1
        while level > common:
            end[path[level]] = node
            level -= 1
        for j in range(common, length):
            byte[node] = data[start + j]
            depth[node] = j + 1
            node_tokens[node] = token
            n_tokens[node] = 0
            level += 1
            path[level] = node
            node += 1
        out_tokens[token] = tokens[i]
        token += 1
        n_tokens[path[level]] += 1
        previous_start, previous_length = start, length
    while level > 0:
        end[path[level]] = node
        level -= 1
    return node - first_node, token - first_token


@entry
def build_vocabulary_trie(data, starts, lengths, tokens, byte, end, depth, node_tokens, n_tokens, out_tokens):  # type: ignore[no-untyped-def]
    """Sort the tokens' byte strings and write their trie at the start of the columns. Returns (nodes, tokens)."""
    order = sort_strings(data, starts, lengths)
    return build(data, starts, lengths, tokens, order, 0, 0, byte, end, depth, node_tokens, n_tokens, out_tokens)
