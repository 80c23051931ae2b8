"""Records: what a lexeme state allows, whatever comes after the lexeme.

The record of q holds (a) *inside*: the tokens that are consumed without leaving the lexeme, a dense bit row or, if few, a list, and
(b) *exits*: for each tag the tokens that end the lexeme after some bytes and go on, their remaining suffixes merged into one trie with
token lists. Records depend on the vocabulary only and are shared by all grammars. They are built by one walk of the vocabulary trie
(1 ms for a JSON string with 128k tokens, microseconds for restrictive states); exits are built when something can follow at all.

Counted strings have records by number of characters, from which the mask of any count is put together (`counted_records`).
"""

from __future__ import annotations

import numpy as np

from .alphabet import FAR, QUOTE, mark_kinds, survey
from .intern import mix, need_steps
from .layout import *  # noqa: F403
from .memory import i32, i64, kernel, u8
from .trie import build, sort_strings

_GROUP = {name: group["index"] for name, group in LEXICON.groups.items()}
G_L_RECORDS, G_L_EXITS, G_L_ROWS, G_L_LISTS = _GROUP["records"], _GROUP["exits"], _GROUP["rows"], _GROUP["lists"]
G_L_SUFFIXES, G_L_TRIES, G_L_TRIE_TOKENS = _GROUP["suffixes"], _GROUP["tries"], _GROUP["trie_tokens"]
# Up to this many tokens a list is shorter to merge than a row of 128k bits.
_LIST_LIMIT = 512


@kernel
def need_lexicon(P, group):  # type: ignore[no-untyped-def]
    P[NEED_KIND] = NEED_LEXICON
    P[NEED_ARG] = group
    return NEED


@kernel
def _table_step(L, low, byte):  # type: ignore[no-untyped-def]
    """A step of a table state, or of a counted state without its count."""
    row = i32(L, Q_ROW)[low]
    if row < 0:
        row = i32(L, Q_ALT)[low]
    return i32(L, TR)[row + u8(L, CL)[i32(L, Q_CLASS)[low] + byte]]


@kernel
def _finish_inside(P, L, record, row, count):  # type: ignore[no-untyped-def]
    """Keep the row just filled as the record's inside, or turn it into a list if few bits are set. Returns 0 or NEED."""
    words = L[L_WORDS]
    if count > _LIST_LIMIT:
        i32(L, RE_ROW)[record] = row
        i32(L, RE_LIST)[record], i32(L, RE_N)[record] = 0, 0
        L[ROW_COUNT] = row + words
        L[L_RECORD_BYTES] += words * 4
        return 0
    first = L[LI_COUNT]
    if first + count > L[LI_CAP]:
        return need_lexicon(P, G_L_LISTS)
    tokens, bits = i32(L, LI_TOKEN), i32(L, ROW_WORD)
    n = 0
    for w in range(words):
        word = np.uint32(bits[row + w])
        while word != 0:
            low = word & (~word + np.uint32(1))
            bit = 0
            while (low >> np.uint32(bit)) != 1:
                bit += 1
            tokens[first + n] = w * 32 + bit
            n += 1
            word ^= low
    i32(L, RE_ROW)[record], i32(L, RE_LIST)[record], i32(L, RE_N)[record] = -1, first, n
    L[LI_COUNT] = first + n
    L[L_RECORD_BYTES] += n * 4
    return 0


@kernel
def _new_row(P, L):  # type: ignore[no-untyped-def]
    """Room for a row after the kept ones; returns its offset, or NEED."""
    row = L[ROW_COUNT]
    if row + L[L_WORDS] > L[ROW_CAP]:
        return need_lexicon(P, G_L_ROWS)
    return row


@kernel
def record_of(P, L, low, exits):  # type: ignore[no-untyped-def]
    """The record number of table state `low`, its inside filled, and its exits if `exits` is 1; or NEED."""
    record = i32(L, Q_RECORD)[low]
    if record >= 0:
        if exits == 1 and i32(L, RE_N_EXITS)[record] < 0 and _late_exits(P, L, low, record) < 0:
            return NEED
        return record
    P[STEPS] += L[L_WORDS]
    if P[STEPS] > P[MAX_STEPS]:
        return need_steps(P)
    if L[L_RECORD_BYTES] > L[L_RECORD_LIMIT]:
        P[NEED_KIND] = NEED_FLUSH
        return NEED
    record = L[RE_COUNT]
    if record >= L[RE_CAP]:
        return need_lexicon(P, G_L_RECORDS)
    row = _new_row(P, L)
    if row < 0:
        return NEED
    n_suffixes = _walk_inside(P, L, low, row, exits)
    if n_suffixes < 0 or _finish_inside(P, L, record, row, L[WALK_COUNT]) < 0:
        return NEED
    i32(L, RE_EXITS)[record], i32(L, RE_N_EXITS)[record] = 0, -1
    i64(L, RE_KEY_1)[record] = i64(L, RE_KEY_2)[record] = 0
    if exits == 1 and _build_exits(P, L, record, n_suffixes) < 0:
        return NEED
    L[RE_COUNT] = record + 1
    i32(L, Q_RECORD)[low] = record
    return record


@kernel
def _walk_inside(P, L, low, row, exits):  # type: ignore[no-untyped-def]
    """Fill the mask words from `row` on (unless row < 0) with the tokens that stay inside from table state `low`; L[WALK_COUNT] = how many.

    exits: 1 to gather the suffixes that leave the lexeme. Returns their number, or NEED. Tokens of kinds of characters that `low` lives on
    are taken together, and only the rest of the vocabulary is walked.
    """
    bits, token = i32(L, ROW_WORD), i32(L, TT)
    byte, end, depth, tokens, n_tokens = (
        u8(L, TN_BYTE),
        i32(L, TN_END),
        i32(L, TN_DEPTH),
        i32(L, TN_TOKENS),
        i32(L, TN_N),
    )
    node_kinds, node_chars = i64(L, L_NODE_KINDS), u8(L, L_NODE_CHARS)
    states = i64(L, L_LEVELS)
    trs, cls = i32(L, TR), u8(L, CL)
    q_row, q_tag = i32(L, Q_ROW), i32(L, Q_TAG)
    classes = i32(L, Q_CLASS)[low]  # one map for all states of a lexeme
    states[0] = q_row[low]
    count = 0
    n_suffixes = 0
    kinds = survey(L, low, exits)
    limit = L[SURVEY_CHARS]
    if row >= 0:
        if kinds != 0:
            count = mark_kinds(L, kinds, limit, row)
        else:
            for w in range(L[L_WORDS]):
                bits[row + w] = 0
    other = ~kinds
    i, n = 0, L[L_N_NODES]
    while i < n:
        P[STEPS] += 1
        if (node_kinds[i] & other) == 0 and node_chars[i] <= limit:
            i = end[i]  # set already
            continue
        d = depth[i]
        target = trs[states[d - 1] + cls[classes + byte[i]]]
        if target == 0:
            i = end[i]
            continue
        states[d] = q_row[target]
        if exits == 1 and q_tag[target] >= 0 and end[i] > i + 1:
            n_suffixes = _add_followed(P, L, i, q_tag[target], classes + FOLLOW, n_suffixes)
            if n_suffixes < 0:
                return NEED
        if row >= 0:
            first = tokens[i]
            for t in range(first, first + n_tokens[i]):
                x = token[t]
                old = bits[row + (x >> 5)]
                bits[row + (x >> 5)] = old | (1 << (x & 31))
                count += 1 - ((old >> (x & 31)) & 1)
        i += 1
    L[WALK_COUNT] = count
    return n_suffixes


@kernel
def _add_followed(P, L, node, tag, follow, count):  # type: ignore[no-untyped-def]
    """`_add_suffixes` for those that begin with a byte that may follow the lexeme (its classes from `follow` on say which)."""
    tokens, n_tokens, end, depth = i32(L, TN_TOKENS), i32(L, TN_N), i32(L, TN_END), i32(L, TN_DEPTH)
    byte, may_follow = u8(L, TN_BYTE), u8(L, CL)
    child = node + 1
    while child < end[node] and count >= 0:
        follows = may_follow[follow + byte[child]]
        if follows == FOLLOWS:
            count = _add_tokens(P, L, tokens[child], _past(L, child), depth[node], tag, count)
        elif follows == FOLLOWS_IN_PAIRS:
            first = tokens[child]
            count = _add_tokens(P, L, first, first + n_tokens[child], depth[node], tag, count)
            row = follow + FOLLOW + byte[child] * (FOLLOW >> 3)
            second = child + 1
            while second < end[child] and count >= 0:
                b = byte[second]
                if (may_follow[row + (b >> 3)] >> (b & 7)) & 1:
                    count = _add_tokens(P, L, tokens[second], _past(L, second), depth[node], tag, count)
                second = end[second]
        child = end[child]
    return count


@kernel
def _past(L, node):  # type: ignore[no-untyped-def]
    """Where the tokens of a vocabulary node and of those below it end in the list of tokens."""
    after = i32(L, TN_END)[node]
    return L[L_N_TOKENS] if after >= L[L_N_NODES] else i32(L, TN_TOKENS)[after]


@kernel
def _add_suffixes(P, L, node, tag, count):  # type: ignore[no-untyped-def]
    """Append the tokens strictly below a vocabulary node as suffixes that begin after it; returns the new count, or NEED."""
    first = i32(L, TN_TOKENS)[node] + i32(L, TN_N)[node]
    return _add_tokens(P, L, first, _past(L, node), i32(L, TN_DEPTH)[node], tag, count)


@kernel
def _add_tokens(P, L, first, last, d, tag, count):  # type: ignore[no-untyped-def]
    """Append the tokens first .. last - 1 of the trie's list as suffixes that begin at byte d; returns the new count, or NEED."""
    if count + last - first > L[SU_CAP]:
        return need_lexicon(P, G_L_SUFFIXES)
    starts, lengths, out, tags = i32(L, SU_START), i32(L, SU_LENGTH), i32(L, SU_TOKEN), i32(L, SU_TAG)
    token, token_start = i32(L, TT), i32(L, L_TOKEN_START)
    for t in range(first, last):
        x = token[t]
        starts[count] = token_start[x] + d
        lengths[count] = token_start[x + 1] - token_start[x] - d
        out[count], tags[count] = x, tag
        count += 1
    return count


@kernel
def _build_exits(P, L, record, count):  # type: ignore[no-untyped-def]
    """Turn `count` suffixes into one trie per tag, the exits of a record. Returns 0 or NEED.

    States of one pattern often have the same exits: they are shared by a 128-bit key over the suffixes and tags.
    """
    starts, lengths, out, tags = i32(L, SU_START), i32(L, SU_LENGTH), i32(L, SU_TOKEN), i32(L, SU_TAG)
    key_1, key_2 = 97, 101
    for i in range(count):
        key_1 = mix(mix(key_1, starts[i]), tags[i])
        key_2 = mix(key_2 + tags[i], starts[i] * 3 + out[i])
    keys_1, keys_2 = i64(L, RE_KEY_1), i64(L, RE_KEY_2)
    for other in range(L[RE_COUNT]):
        if keys_1[other] == key_1 and keys_2[other] == key_2 and i32(L, RE_N_EXITS)[other] >= 0:
            keys_1[record], keys_2[record] = key_1, key_2
            i32(L, RE_EXITS)[record], i32(L, RE_N_EXITS)[record] = i32(L, RE_EXITS)[other], i32(L, RE_N_EXITS)[other]
            return 0
    data = u8(L, L_TOKEN_BYTES)
    done = np.zeros(count, np.uint8)
    first_exit = L[EX_COUNT]
    exits = first_exit
    room = 0
    for i in range(count):
        room += lengths[i]
    if L[TN_COUNT] + room + 1 > L[TN_CAP]:
        return need_lexicon(P, G_L_TRIES)
    if L[TT_COUNT] + count > L[TT_CAP]:
        return need_lexicon(P, G_L_TRIE_TOKENS)
    for i in range(count):
        if done[i]:
            continue
        tag = tags[i]
        n = 0
        for j in range(i, count):
            if tags[j] == tag:
                n += 1
        group_start, group_length, group_token = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int32)
        n = 0
        for j in range(i, count):
            if tags[j] == tag:
                group_start[n], group_length[n], group_token[n] = starts[j], lengths[j], out[j]
                done[j] = 1
                n += 1
        if exits >= L[EX_CAP]:
            return need_lexicon(P, G_L_EXITS)
        order = sort_strings(data, group_start, group_length)
        node, token = L[TN_COUNT], L[TT_COUNT]
        nodes, n_out = build(
            data, group_start, group_length, group_token, order, node, token,
            u8(L, TN_BYTE), i32(L, TN_END), i32(L, TN_DEPTH), i32(L, TN_TOKENS), i32(L, TN_N), i32(L, TT),
        )  # fmt: skip
        i32(L, EX_TAG)[exits], i32(L, EX_BEGIN)[exits], i32(L, EX_END)[exits] = tag, node, node + nodes
        exits += 1
        L[TN_COUNT], L[TT_COUNT] = node + nodes, token + n_out
        L[L_RECORD_BYTES] += nodes * 17 + n_out * 4
    L[EX_COUNT] = exits
    keys_1[record], keys_2[record] = key_1, key_2
    i32(L, RE_EXITS)[record], i32(L, RE_N_EXITS)[record] = first_exit, exits - first_exit
    return 0


@kernel
def _late_exits(P, L, low, record):  # type: ignore[no-untyped-def]
    """Fill the exits of a record that was made without; returns 0 or NEED."""
    count = _walk_inside(P, L, low, -1, 1)
    if count < 0:
        return NEED
    return _build_exits(P, L, record, count)


@kernel
def counted_records(P, L, c):  # type: ignore[no-untyped-def]
    """The first of the records by number of characters of a counted string, or NEED.

    With m = longest token + 1: record r (r < m) holds the tokens of at most r characters that stay inside, filled by `counted_row`;
    record m + r the tokens that end the string exactly after r characters (a list) and the exits after exactly r characters.
    They are the same for all bounds and kept at the plain string's body state.
    """
    counted = i32(L, C_ROW)
    body = counted[c + C_BODY] + counted[c + C_SHIFT]
    first = i32(L, Q_ALT)[body]
    if first >= 0:
        return first
    m = L[L_MAX_LENGTH] + 1
    first = L[RE_COUNT]
    if first + 2 * m > L[RE_CAP]:
        return need_lexicon(P, G_L_RECORDS)
    byte, end, depth, tokens, n_tokens = (
        u8(L, TN_BYTE),
        i32(L, TN_END),
        i32(L, TN_DEPTH),
        i32(L, TN_TOKENS),
        i32(L, TN_N),
    )
    token, lists = i32(L, TT), i32(L, LI_TOKEN)
    closer_chars = i32(L, SU_LENGTH)
    tags, node_kinds = i32(L, Q_TAG), i64(L, L_NODE_KINDS)
    states = i64(L, L_LEVELS)
    n = L[L_N_NODES]
    for gather in range(2):  # closers first, then suffixes: both use the suffix columns
        states[0] = body
        count = 0
        i = 0
        while i < n:
            if (node_kinds[i] >> QUOTE) & 1 == 0:  # no token here can end the string
                i = end[i]
                continue
            d = depth[i]
            low, chars = states[d - 1] & LOW, states[d - 1] >> 32
            target = _table_step(L, low, byte[i])
            if target == 0:
                i = end[i]
                continue
            if low == body and byte[i] != 34:
                chars += 1
            states[d] = (chars << 32) | target
            if tags[target] >= 0:
                if gather == 1:
                    count = _add_suffixes(P, L, i, chars, count)
                    if count < 0:
                        return NEED
                else:
                    if count + n_tokens[i] > L[SU_CAP]:
                        return need_lexicon(P, G_L_SUFFIXES)
                    for t in range(tokens[i], tokens[i] + n_tokens[i]):
                        i32(L, SU_TOKEN)[count], closer_chars[count] = token[t], chars
                        count += 1
                if gather == 0:
                    i = end[i]
                    continue
            i += 1
        if gather == 0:
            out = L[LI_COUNT]
            if out + count > L[LI_CAP]:
                return need_lexicon(P, G_L_LISTS)
            for r in range(m):
                i32(L, RE_ROW)[first + r], i32(L, RE_N)[first + r], i32(L, RE_LIST)[first + r] = -2, 0, 0
                i32(L, RE_EXITS)[first + r], i32(L, RE_N_EXITS)[first + r] = 0, 0
                i64(L, RE_KEY_1)[first + r] = i64(L, RE_KEY_2)[first + r] = 0
                i64(L, RE_KEY_1)[first + m + r] = i64(L, RE_KEY_2)[first + m + r] = 0
                i32(L, RE_ROW)[first + m + r], i32(L, RE_LIST)[first + m + r] = -1, out
                for t in range(count):
                    if closer_chars[t] == r:
                        lists[out] = i32(L, SU_TOKEN)[t]
                        out += 1
                i32(L, RE_N)[first + m + r] = out - i32(L, RE_LIST)[first + m + r]
            kept_list = out
        else:
            if _build_exits(P, L, first + m, count) < 0:
                return NEED
            i64(L, RE_KEY_1)[first + m] = i64(L, RE_KEY_2)[first + m] = 0  # its exits are split below
            e, e_n = i32(L, RE_EXITS)[first + m], i32(L, RE_N_EXITS)[first + m]
            for r in range(m):
                i32(L, RE_EXITS)[first + m + r], i32(L, RE_N_EXITS)[first + m + r] = 0, 0
                for x in range(e, e + e_n):
                    if i32(L, EX_TAG)[x] == r:
                        i32(L, RE_EXITS)[first + m + r], i32(L, RE_N_EXITS)[first + m + r] = x, 1
                        break
    L[LI_COUNT] = kept_list
    L[RE_COUNT] = first + 2 * m
    i32(L, Q_ALT)[body] = first
    return first


@kernel
def counted_row(P, L, c, record, r):  # type: ignore[no-untyped-def]
    """Fill the inside of record r of a counted string: the tokens of at most r characters that stay in it. Returns 0 or NEED."""
    if i32(L, RE_ROW)[record + r] != -2:
        return 0
    counted = i32(L, C_ROW)
    body = counted[c + C_BODY] + counted[c + C_SHIFT]
    row = _new_row(P, L)
    if row < 0:
        return NEED
    byte, end, depth, tokens, n_tokens = (
        u8(L, TN_BYTE),
        i32(L, TN_END),
        i32(L, TN_DEPTH),
        i32(L, TN_TOKENS),
        i32(L, TN_N),
    )
    node_kinds, node_chars = i64(L, L_NODE_KINDS), u8(L, L_NODE_CHARS)
    token, tags, bits = i32(L, TT), i32(L, Q_TAG), i32(L, ROW_WORD)
    states = i64(L, L_LEVELS)
    # the same way as in `_walk_inside`, but that quotes end the string and that characters are counted
    kinds = survey(L, body, 0) & ~(1 << QUOTE) if r > 0 else 0
    limit = L[SURVEY_CHARS]
    if r < L[L_MAX_LENGTH]:
        limit = min(limit, min(r, FAR))
    count = mark_kinds(L, kinds, limit, row)
    other = ~kinds
    states[0] = body
    i, n = 0, L[L_N_NODES]
    while i < n:
        if (node_kinds[i] & other) == 0 and node_chars[i] <= limit:
            i = end[i]
            continue
        d = depth[i]
        low, chars = states[d - 1] & LOW, states[d - 1] >> 32
        target = _table_step(L, low, byte[i])
        if low == body:
            chars += 1
        if target == 0 or tags[target] >= 0 or chars > r:
            i = end[i]
            continue
        states[d] = (chars << 32) | target
        for t in range(tokens[i], tokens[i] + n_tokens[i]):
            x = token[t]
            old = bits[row + (x >> 5)]
            bits[row + (x >> 5)] = old | (1 << (x & 31))
            count += 1 - ((old >> (x & 31)) & 1)
        i += 1
    return _finish_inside(P, L, record + r, row, count)
