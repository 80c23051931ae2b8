"""From characters to bytes: how each class of characters is spelled, and the byte automaton that follows from it.

In: a partition of the code points into classes (`bounds`, `classes`) and, in the second step, an automaton over these
classes. Out: an automaton over bytes (classes of bytes, transitions, tags). The work is cut in two because the first
step depends on the partition alone: `spelling_graph` builds a shared, minimal acyclic graph from the first byte of a
character to its class, and `spell` runs that graph once for each state of the automaton, uniting equal results.

Turned down: splitting every interval into UTF-8 byte ranges for each transition of each state (the usual way), which
repeats the same few continuation bytes a thousand times for `.{1,100}`.
"""

from __future__ import annotations

import numpy as np

from .memory import entry, kernel

UTF8, JSON, JSON_ANY = 0, 1, 2

DEAD, CLOSE = -1, -2

_HASH_PRIME = np.uint64(1099511628211)


@kernel
def _clear(row):
    for i in range(256):
        row[i] = DEAD


@kernel
def _hash_row(row):
    value = np.uint64(14695981039346656037)
    for i in range(row.shape[0]):
        value = (value ^ np.uint64(row[i])) * _HASH_PRIME
        value ^= value >> np.uint64(29)
    return value


@kernel
def _intern_row(row, rows, hashes, n_rows):
    """The reference -(node) - 3 to `row` among the first n_rows[0] rows, where it is added if it is new."""
    value = _hash_row(row)
    for i in range(n_rows[0]):
        if hashes[i] == value:
            same = True
            for k in range(row.shape[0]):
                if rows[i, k] != row[k]:
                    same = False
                    break
            if same:
                return -i - 3
    node = n_rows[0]
    for k in range(row.shape[0]):
        rows[node, k] = row[k]
    hashes[node] = value
    n_rows[0] = node + 1
    return -node - 3


@kernel
def _interval_of(bounds, point):
    low, high = 0, bounds.shape[0]
    while high - low > 1:
        middle = (low + high) // 2
        if bounds[middle] <= point:
            low = middle
        else:
            high = middle
    return low


@kernel
def _class_within(bounds, classes, base, size):
    """The class of the code points base..base+size-1, -1 if they are not all of one."""
    interval = _interval_of(bounds, base)
    if interval + 1 < bounds.shape[0] and bounds[interval + 1] < base + size:
        return -1
    return np.int64(classes[interval])


@kernel
def _put(row, radix, digit, value):
    """Write the value of one digit: a continuation byte (radix 64) or a hexadecimal digit of either case (16)."""
    if radix == 64:
        row[0x80 + digit] = value
    elif digit < 10:
        row[0x30 + digit] = value
    else:
        row[0x57 + digit] = value
        row[0x37 + digit] = value


@kernel
def _block_1(bounds, classes, base, radix, uniform, row, rows, hashes, n_rows):
    """The node of `radix` code points from `base`, spelled by one digit. uniform: node per (level, class), 0 for none."""
    c = _class_within(bounds, classes, base, radix)
    if c >= 0 and uniform[1, c] != 0:
        return uniform[1, c]
    _clear(row)
    for digit in range(radix):
        _put(row, radix, digit, _class_within(bounds, classes, base + digit, 1))
    node = _intern_row(row, rows, hashes, n_rows)
    if c >= 0:
        uniform[1, c] = node
    return node


@kernel
def _block_2(bounds, classes, base, radix, low, high, uniform, row, rows, hashes, n_rows):
    """The node of radix**2 code points from `base`, of which only the first digits low..high-1 are allowed."""
    c = _class_within(bounds, classes, base, radix * radix)
    if high - low < radix:
        c = -1
    if c >= 0 and uniform[2, c] != 0:
        return uniform[2, c]
    parts = np.empty(radix, np.int64)
    for digit in range(low, high):
        parts[digit] = _block_1(bounds, classes, base + digit * radix, radix, uniform, row, rows, hashes, n_rows)
    _clear(row)
    for digit in range(low, high):
        _put(row, radix, digit, parts[digit])
    node = _intern_row(row, rows, hashes, n_rows)
    if c >= 0:
        uniform[2, c] = node
    return node


@kernel
def _block_3(bounds, classes, base, radix, low, high, uniform, row, rows, hashes, n_rows):
    """The node of radix**3 code points from `base`, of which only the first digits low..high-1 are allowed."""
    c = _class_within(bounds, classes, base, radix * radix * radix)
    if high - low < radix:
        c = -1
    if c >= 0 and uniform[3, c] != 0:
        return uniform[3, c]
    parts = np.empty(radix, np.int64)
    for digit in range(low, high):
        parts[digit] = _block_2(
            bounds, classes, base + digit * radix * radix, radix, 0, radix, uniform, row, rows, hashes, n_rows
        )
    _clear(row)
    for digit in range(low, high):
        _put(row, radix, digit, parts[digit])
    node = _intern_row(row, rows, hashes, n_rows)
    if c >= 0:
        uniform[3, c] = node
    return node


@kernel
def _surrogate_tails(bounds, classes, tails, row, rows, hashes, n_rows, uniform):
    """tails[h]: the node that reads the low surrogate's escape after the high surrogate U+D800 + h."""
    of_class = np.zeros(uniform.shape[1], np.int64)
    parts = np.empty(4, np.int64)
    for high in range(1024):
        base = 0x10000 + (high << 10)
        c = _class_within(bounds, classes, base, 1024)
        if c >= 0 and of_class[c] != 0:
            tails[high] = of_class[c]
            continue
        for digit in range(4):
            parts[digit] = _block_2(bounds, classes, base + digit * 256, 16, 0, 16, uniform, row, rows, hashes, n_rows)
        _clear(row)
        for digit in range(4):
            _put(row, 16, 12 + digit, parts[digit])
        node = _intern_row(row, rows, hashes, n_rows)
        _clear(row)
        _put(row, 16, 13, node)
        node = _intern_row(row, rows, hashes, n_rows)
        _clear(row)
        row[0x75] = node
        node = _intern_row(row, rows, hashes, n_rows)
        _clear(row)
        row[0x5C] = node
        tails[high] = _intern_row(row, rows, hashes, n_rows)
        if c >= 0:
            of_class[c] = tails[high]


@kernel
def _any_unicode_escape(bounds, classes, n_classes, row, rows, hashes, n_rows):
    """The node that reads XXXX (and, after a high surrogate, the low one's whole escape) behind a backslash and u."""
    uniform = np.zeros((4, n_classes), np.int64)
    first = np.empty(16, np.int64)
    second = np.empty(16, np.int64)
    third = np.empty(16, np.int64)
    for digit in range(16):
        if digit != 13:
            first[digit] = _block_3(bounds, classes, digit << 12, 16, 0, 16, uniform, row, rows, hashes, n_rows)
    tails = np.empty(1024, np.int64)
    _surrogate_tails(bounds, classes, tails, row, rows, hashes, n_rows, uniform)
    for digit in range(12):
        if digit < 8:
            second[digit] = _block_2(
                bounds, classes, 0xD000 + (digit << 8), 16, 0, 16, uniform, row, rows, hashes, n_rows
            )
            continue
        for k in range(16):
            _clear(row)
            for m in range(16):
                _put(row, 16, m, tails[((digit - 8) << 8) + (k << 4) + m])
            third[k] = _intern_row(row, rows, hashes, n_rows)
        _clear(row)
        for k in range(16):
            _put(row, 16, k, third[k])
        second[digit] = _intern_row(row, rows, hashes, n_rows)
    _clear(row)
    for digit in range(12):
        _put(row, 16, digit, second[digit])
    first[13] = _intern_row(row, rows, hashes, n_rows)
    _clear(row)
    for digit in range(16):
        _put(row, 16, digit, first[digit])
    return _intern_row(row, rows, hashes, n_rows)


@kernel
def _control_escape(bounds, classes, row, rows, hashes, n_rows):
    """The node that reads 00xx, lower case, for the control characters without a short escape."""
    parts = np.empty(2, np.int64)
    for k in range(2):
        _clear(row)
        for digit in range(16):
            if k == 1 or not (8 <= digit <= 10 or 12 <= digit <= 13):
                row[0x30 + digit if digit < 10 else 0x57 + digit] = _class_within(bounds, classes, k * 16 + digit, 1)
        parts[k] = _intern_row(row, rows, hashes, n_rows)
    _clear(row)
    row[0x30] = parts[0]
    row[0x31] = parts[1]
    for _ in range(2):
        node = _intern_row(row, rows, hashes, n_rows)
        _clear(row)
        row[0x30] = node
    return _intern_row(row, rows, hashes, n_rows)


@kernel
def _byte_columns(rows, n_rows):
    """Bytes that every node treats alike form one class: (byte_classes int32 [256], graph int32 [n_rows, n_classes])."""
    column_hash = np.zeros(256, np.uint64)
    for i in range(n_rows):
        for byte in range(256):
            column_hash[byte] = (column_hash[byte] ^ np.uint64(rows[i, byte])) * _HASH_PRIME
            column_hash[byte] ^= column_hash[byte] >> np.uint64(31)
    byte_classes = np.zeros(256, np.int32)
    columns = np.zeros(256, np.int64)
    n_columns = 0
    for byte in range(256):
        found = -1
        for k in range(n_columns):
            if column_hash[columns[k]] == column_hash[byte]:
                found = k
                for i in range(n_rows):
                    if rows[i, columns[k]] != rows[i, byte]:
                        found = -1
                        break
                if found >= 0:
                    break
        if found < 0:
            found = n_columns
            columns[n_columns] = byte
            n_columns += 1
        byte_classes[byte] = found
    graph = np.empty((n_rows, n_columns), np.int32)
    for i in range(n_rows):
        for k in range(n_columns):
            graph[i, k] = rows[i, columns[k]]
    return byte_classes, graph


@entry
def spelling_graph(bounds, classes, n_classes, spelling):
    """The graph of all spellings of a partition of the code points.

    bounds, classes: int32 [n_intervals]; spelling: UTF8, JSON (one spelling of each character, see lexemes/dfa.py) or
    JSON_ANY. Returns (byte_classes int32 [256], graph int32 [n_nodes, n_byte_classes]); an entry >= 0 is a class of
    characters, DEAD nothing, CLOSE the closing quote, else -(child) - 3. Children come before parents; the root is last.
    """
    # a boundary between intervals makes at most one mixed node per level and encoding; the rest are fixed or per class
    capacity = 16 * (bounds.shape[0] + n_classes) + 128
    rows = np.empty((capacity, 256), np.int32)
    hashes = np.empty(capacity, np.uint64)
    n_rows = np.zeros(1, np.int64)
    row = np.empty(256, np.int32)
    uniform = np.zeros((4, n_classes), np.int64)
    root = np.full(256, np.int32(DEAD))
    for byte in range(0x80):
        if spelling == UTF8 or (byte >= 0x20 and byte != 0x22 and byte != 0x5C):
            root[byte] = _class_within(bounds, classes, byte, 1)
    for byte in range(0xC2, 0xE0):
        root[byte] = _block_1(bounds, classes, (byte & 0x1F) << 6, 64, uniform, row, rows, hashes, n_rows)
    for byte in range(0xE0, 0xF0):
        low = 32 if byte == 0xE0 else 0
        high = 32 if byte == 0xED else 64
        root[byte] = _block_2(bounds, classes, (byte & 0x0F) << 12, 64, low, high, uniform, row, rows, hashes, n_rows)
    for byte in range(0xF0, 0xF5):
        low = 16 if byte == 0xF0 else 0
        high = 16 if byte == 0xF4 else 64
        root[byte] = _block_3(bounds, classes, (byte & 0x07) << 18, 64, low, high, uniform, row, rows, hashes, n_rows)
    if spelling != UTF8:
        if spelling == JSON:
            unicode_escape = _control_escape(bounds, classes, row, rows, hashes, n_rows)
        else:
            unicode_escape = _any_unicode_escape(bounds, classes, n_classes, row, rows, hashes, n_rows)
        _clear(row)
        row[0x22] = _class_within(bounds, classes, 0x22, 1)
        row[0x5C] = _class_within(bounds, classes, 0x5C, 1)
        row[0x62] = _class_within(bounds, classes, 0x08, 1)
        row[0x66] = _class_within(bounds, classes, 0x0C, 1)
        row[0x6E] = _class_within(bounds, classes, 0x0A, 1)
        row[0x72] = _class_within(bounds, classes, 0x0D, 1)
        row[0x74] = _class_within(bounds, classes, 0x09, 1)
        row[0x75] = unicode_escape
        if spelling == JSON_ANY:
            row[0x2F] = _class_within(bounds, classes, 0x2F, 1)
        root[0x5C] = _intern_row(row, rows, hashes, n_rows)
        root[0x22] = CLOSE
    node = n_rows[0]
    for byte in range(256):
        rows[node, byte] = root[byte]
    return _byte_columns(rows, node + 1)


@kernel
def _within(rows, i, allowed):
    """Whether all live transitions of a row are in allowed columns."""
    for k in range(rows.shape[1]):
        if rows[i, k] != 0 and not allowed[k]:
            return False
    return True


@kernel
def _mixed(number):
    """A well-spread word for an integer (the finalizer of splitmix64)."""
    bits = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@kernel
def _distinct_entries(graph):
    """What a row of the graph holds, each entry once: most nodes have two or three among a hundred columns.

    Returns (entries int32 [n_nodes, 1 + most], slots int32 [n_nodes, n_columns], weights uint64 like entries): entries[node, 0] is their
    number, slots[node, k] the place of column k's entry, weights[node, i] the sum of the weights of the columns that have entry i. So
    the sum over columns of weight times mixed target, which is the hash of a row, takes one term per distinct entry.
    """
    n_nodes, n_columns = graph.shape
    slots = np.zeros((n_nodes, n_columns), np.int32)
    entries = np.zeros((n_nodes, n_columns + 1), np.int32)
    weights = np.zeros((n_nodes, n_columns + 1), np.uint64)
    for node in range(n_nodes):
        count = 0
        for k in range(n_columns):
            slot = 1
            while slot <= count and entries[node, slot] != graph[node, k]:
                slot += 1
            if slot > count:
                count = slot
                entries[node, slot] = graph[node, k]
            slots[node, k] = slot
            weights[node, slot] += _mixed(k + 1)
        entries[node, 0] = count
    return entries, slots, weights


@entry
def spell(trans, tags, start, byte_classes, graph, quoted, max_states):
    """Replace every character of an automaton by its spellings.

    trans, tags, start: an automaton over the classes of `graph`; quoted: with a quote on both sides. Returns
    (n, trans int32 [>= n, n_byte_classes], tags, start, minimal), of which n rows count; n is 0 if there would be more than
    max_states states. Equal intermediate states are united, so a minimal automaton gives a minimal one, unless a state within an
    escape equals the state of a whole character; minimal is False where that may be (only bytes of escapes are live in both).
    """
    n_states = trans.shape[0]
    n_nodes, n_columns = graph.shape
    n_tags = 0
    for state in range(n_states):
        n_tags = max(n_tags, tags[state] + 1)
    out = np.zeros((n_states * 2 + n_tags + 8, n_columns), np.int32)
    count = n_states
    closing = n_states
    first_state = start
    if quoted:
        count += n_tags
        if start != 0:
            first_state = count
            out[count, byte_classes[0x22]] = start
            count += 1
    base = count
    hashes = np.zeros(out.shape[0], np.uint64)
    table = np.zeros(256, np.int32)
    value = np.zeros(n_nodes, np.int32)
    entries, slots, weights = _distinct_entries(graph)
    targets = np.zeros(entries.shape[1], np.int32)
    # nodes within an escape read ASCII bytes, nodes within a UTF-8 character do not
    is_escape = np.zeros(n_nodes, np.bool_)
    of_escape = np.zeros(n_columns, np.bool_)
    for node in range(n_nodes - 1):
        for byte in range(0x80):
            if graph[node, byte_classes[byte]] != DEAD:
                is_escape[node] = True
                of_escape[byte_classes[byte]] = True
    any_escape = False
    for state in range(1, n_states):
        for node in range(n_nodes):
            alive = False
            code = np.uint64(0)
            n_entries = entries[node, 0]
            for i in range(1, n_entries + 1):
                entry = entries[node, i]
                if entry >= 0:
                    target = trans[state, entry]
                elif entry == DEAD:
                    target = 0
                elif entry == CLOSE:
                    target = closing + tags[state] if tags[state] >= 0 else 0
                else:
                    target = value[-entry - 3]
                targets[i] = target
                if target != 0:
                    alive = True
                    code += weights[node, i] * _mixed(target)
            if node == n_nodes - 1:
                for k in range(n_columns):
                    out[state, k] = targets[slots[node, k]]
            elif not alive:
                value[node] = 0
            else:
                code ^= code >> np.uint64(29)
                mask = np.uint64(table.shape[0] - 1)
                slot = code & mask
                while True:
                    found = table[slot]
                    if found == 0:
                        break
                    if hashes[found] == code:
                        same = True
                        for k in range(n_columns):
                            if out[found, k] != targets[slots[node, k]]:
                                same = False
                                break
                        if same:
                            break
                    slot = (slot + np.uint64(1)) & mask
                if found == 0:
                    if count >= max_states + n_states:
                        return 0, out, tags, first_state, False
                    if count + 2 > out.shape[0]:
                        more = np.zeros((out.shape[0] * 2, n_columns), np.int32)
                        for i in range(count):
                            for k in range(n_columns):
                                more[i, k] = out[i, k]
                        out = more
                        more_hashes = np.zeros(out.shape[0], np.uint64)
                        for i in range(count):
                            more_hashes[i] = hashes[i]
                        hashes = more_hashes
                    found = count
                    for k in range(n_columns):
                        out[found, k] = targets[slots[node, k]]
                    hashes[found] = code
                    table[slot] = found
                    count += 1
                    if (count - base) * 2 > table.shape[0]:
                        table = np.zeros(table.shape[0] * 4, np.int32)
                        mask = np.uint64(table.shape[0] - 1)
                        for other in range(base, count):
                            slot = hashes[other] & mask
                            while table[slot] != 0:
                                slot = (slot + np.uint64(1)) & mask
                            table[slot] = other
                value[node] = found
                any_escape = any_escape or is_escape[node]
    minimal = True
    if any_escape:
        for state in range(1, n_states):
            if tags[state] < 0 and _within(out, state, of_escape):
                minimal = False
        for state in range(base, count):
            same = True
            for k in range(n_columns):
                if out[state, k] != out[first_state, k]:
                    same = False
            if same:
                minimal = False
    new_tags = np.full(count, np.int32(-1))
    if quoted:
        for tag in range(n_tags):
            new_tags[closing + tag] = tag
    else:
        for state in range(n_states):
            new_tags[state] = tags[state]
    return count, out, new_tags, first_state, minimal
