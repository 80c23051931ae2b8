"""How far a state is from a whole value: shortest texts, and the fewest tokens.

`Distances.text(state)` is a completion of few bytes, put together from shortest lexemes: the rest of the current lexeme, then for each
frame what it still requires. It is the shortest one up to the spelling of fillers (a string that needs 100 characters gets long tokens,
not 100 letters). Every token of one byte or more makes progress, so its length bounds the tokens that are needed.

`Completions.fewest_tokens` searches token by token (best first, with the bound ceil(bytes left / longest token)) and is exact when it
finishes; when the search is cut by `Limits.max_search` the best tokenisation of the shortest texts is returned, an upper bound.
"""

from __future__ import annotations

import functools
import heapq
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from structgen.errors import LimitExceeded
from structgen.kernels import layout, machine

if TYPE_CHECKING:
    from structgen.machine.program import ObjectTables, Program

Words = dict[int, bytes]  # shortest word by tag
_FAR = 1 << 60
_LONG_PLAN = 1024  # tokens above which a search has no hope to finish
_SUCCESSOR, _BYTES_A_UNIT = 4, 16  # what a new state of a search costs in units of `Limits.max_search`, and its text
_KEPT = 2048  # results of searches
_TEXTS = 16384  # texts by state
_STATE = (1 << 32) - 1
# Order in which bytes are tried: letters and digits first, control bytes last.
_BYTES = sorted(range(256), key=lambda byte: (not (byte < 128 and chr(byte).isalnum()), byte))


@dataclass(frozen=True, slots=True)
class Style:
    """How punctuation is spelled in completions, white space included."""

    colon: bytes
    comma: bytes
    closing: bytes
    item_comma: bytes
    item_closing: bytes


class Distances:
    """Shortest completions in one program; bounded caches by state and frame, one by node. Call under the program's lock.

    blank: put a blank after colons and commas where the white space of the program allows it: a longer text, but often fewer tokens.
    """

    def __init__(self, program: Program, *, blank: bool = False) -> None:
        self.program: Program = weakref.proxy(program)  # the program owns this object: no cycle
        self.lexicon = program.lexicon
        self._blank = blank
        self._words: dict[int, Words] = {}
        self._nodes: dict[int, bytes | None] = {}
        self._after: dict[tuple[int, int], bytes] = {}
        self._texts: dict[int, bytes] = {}

    @functools.cached_property
    def style(self) -> Style:
        """The shortest punctuation of the program."""
        context = self.program.context
        colon = self._spelled(int(context[layout.P_COLON]), 0)
        members, items = int(context[layout.P_OBJ_SEP_BOTH]), int(context[layout.P_ARR_SEP_BOTH])
        return Style(
            colon, self._spelled(members, 0), self.words(members)[1], self._spelled(items, 0), self.words(items)[1]
        )

    def _spelled(self, start: int, tag: int) -> bytes:
        word = self.words(start)[tag]
        if self._blank:
            q = start
            for byte in word + b" ":
                q = self.program.call(machine.step_once, q, byte)
            if q and self.program.call(machine.tag_at, q) == tag + 1:
                return word + b" "
        return word

    # -- lexemes ------------------------------------------------------------------------------------------------------------------

    def words(self, q: int) -> Words:
        """The shortest words from lexeme state q to each tag."""
        found = self._words.get(q)
        if found is None:
            found = self._words[q] = self._search_words(q)
        return found

    def _search_words(self, q: int) -> Words:
        lexicon = self.lexicon
        low, count = q & layout.LOW, q >> 32
        if low >= layout.LOCAL:
            return self._trie_words(low - layout.LOCAL)
        row = int(lexicon.arena.table("states", "row")[low])
        if row < 0:
            return self._counted_words(low, count, row)
        return lexicon.shortest_words(low)

    def _trie_words(self, root: int) -> Words:
        """Breadth first with back pointers: names may be long, and many."""
        table = self.program.arena.table
        edges, n_edges, tags, defaults, counts = (
            table("trie", column) for column in ("edges", "n", "tag", "default", "low")
        )
        bytes_, targets = table("trie_edges", "byte"), table("trie_edges", "target")
        out: Words = {}
        others: Words = {}
        origin: list[tuple[int, int]] = [(-1, 0)]  # by position in the queue: position of the parent, byte
        queue = [(root, 0)]  # trie state, depth

        def path(position: int) -> bytes:
            word = bytearray()
            while position > 0:
                position, byte = origin[position]
                word.append(byte)
            return bytes(reversed(word))

        for position, (i, depth) in enumerate(queue):
            tag = int(tags[i])
            if tag >= 0:
                if tag < layout.TAKEN and tag not in out:
                    out[tag] = path(position)
                if tag < layout.NAMED:
                    break  # a list of values: this is the shortest
                continue
            first = int(edges[i])
            own = {int(bytes_[e]): int(targets[e]) for e in range(first, first + int(n_edges[i]))}
            default = int(defaults[i])
            if default and (not others or depth + 1 < max(map(len, others.values()))):
                for byte, target in self._steps(default, int(counts[i])):
                    if byte not in own:
                        for tag, word in self.words(target).items():
                            if tag not in others or depth + 1 + len(word) < len(others[tag]):
                                others[tag] = path(position) + bytes([byte]) + word
            for byte, target in own.items():
                if target >= layout.LOCAL:
                    origin.append((position, byte))
                    queue.append((target - layout.LOCAL, depth + 1))
        for tag, word in others.items():
            if tag not in out or len(word) < len(out[tag]):
                out[tag] = word
        return out

    def _steps(self, low: int, count: int) -> list[tuple[int, int]]:
        """(byte, q) of every living transition of a table state or a counted state."""
        if int(self.lexicon.arena.table("states", "row")[low]) >= 0:
            return self.lexicon.steps(low)
        found = ((byte, self.program.call(machine.step_once, count << 32 | low, byte)) for byte in _BYTES)
        return [(byte, q) for byte, q in found if q]

    def _counted_words(self, low: int, count: int, row: int) -> Words:
        c = (-2 - row) * layout.COUNT_WIDTH
        values = self.lexicon.arena.table("counted", "row")[c : c + layout.COUNT_WIDTH].tolist()
        if values[layout.C_BOUNDED]:
            return self._bounded_words(low, count)
        body, plain = values[layout.C_BODY], low + values[layout.C_SHIFT]
        word = self.words(plain)[0]
        if not word.endswith(b'"'):
            return {0: word}  # the end state: nothing is left
        filler = self.lexicon.filler(max(0, values[layout.C_MIN] - count), body + values[layout.C_SHIFT])
        if low == body:
            return {0: filler + b'"'}
        # before the body: the shortest way there ends where the shortest word has its closing quote
        return {0: word[:-1] + filler + b'"'}

    def _bounded_words(self, low: int, count: int) -> Words:
        """Breadth first over (state, count), so that the bound is kept."""
        start = count << 32 | low
        origin: dict[int, tuple[int, int]] = {start: (-1, 0)}
        queue = deque([start])
        tags = self.lexicon.arena.table("states", "tag")
        while queue:
            q = queue.popleft()
            if tags[q & layout.LOW] >= 0:
                path = bytearray()
                while q != start:
                    q, byte = origin[q]
                    path.append(byte)
                return {0: bytes(reversed(path))}
            for byte in _BYTES:
                target = self.program.call(machine.step_once, q, byte)
                if target and target not in origin:
                    origin[target] = (q, byte)
                    queue.append(target)
        return {}

    # -- values -------------------------------------------------------------------------------------------------------------------

    def value(self, node: int) -> bytes:
        """A shortest value of a node."""
        found = self._nodes.get(node)
        if found is None:
            self._solve(node)
            found = self._nodes[node]
            if found is None:
                raise AssertionError(f"node {node} has no finite value although it was not pruned")
        return found

    def _solve(self, node: int) -> None:
        """Shortest values of a node and of what it requires, by relaxation until nothing improves (recursive types need it)."""
        order: list[int] = []
        seen = {node}
        work = [node]
        while work:
            n = work.pop()
            if self._nodes.get(n) is not None:
                continue
            order.append(n)
            for start, kind, arg in self.program.alternatives(n):
                del start
                for child in self._required(kind, arg):
                    if child not in seen:
                        seen.add(child)
                        work.append(child)
        changed = True
        while changed:
            changed = False
            for n in reversed(order):
                best = self._nodes.get(n)
                for start, kind, arg in self.program.alternatives(n):
                    text = self._alternative(start, kind, arg)
                    if text is not None and (best is None or len(text) < len(best)):
                        best = text
                        changed = True
                if best is not None:
                    self._nodes[n] = best

    def _required(self, kind: int, arg: int) -> list[int]:
        if kind == layout.ALT_OBJECT:
            tables = self.program.objects[arg]
            return [tables.values[i] for i in tables.required]
        if kind == layout.ALT_ARRAY:
            array = self.program.arrays[arg]
            return [*array.prefix[: array.minimum], *([array.items] if array.minimum > len(array.prefix) else [])]
        return []

    def _alternative(self, start: int, kind: int, arg: int) -> bytes | None:
        if kind == layout.ALT_OBJECT:
            opening = self.words(start)[0]
            return self._members(opening, self.program.objects[arg], self.program.objects[arg].required)
        if kind == layout.ALT_ARRAY:
            array = self.program.arrays[arg]
            self._check_length(array.minimum)
            items = [
                self._nodes.get(array.prefix[i] if i < len(array.prefix) else array.items) for i in range(array.minimum)
            ]
            if None in items:
                return None
            self._check_length(sum(map(len, items)))  # type: ignore[arg-type]
            return self.words(start)[0] + self.style.item_comma.join(items) + self.style.item_closing  # type: ignore[arg-type]
        return min(self.words(start).values(), key=len, default=None)

    def _check_length(self, n: int) -> None:
        limit = self.program.limits.max_completion_bytes
        if n > limit:
            raise LimitExceeded(n, limit, "max_completion_bytes")

    def _members(self, opening: bytes, tables: ObjectTables, names: object) -> bytes | None:
        members: list[bytes] = []
        length = 0
        for i in names:  # type: ignore[attr-defined]
            value = self._nodes.get(tables.values[i])
            if value is None:
                return None
            members.append(tables.names[i] + self.style.colon + value)
            length += len(members[-1])
            self._check_length(length)
        return opening + self.style.comma.join(members) + self.style.closing

    # -- frames -------------------------------------------------------------------------------------------------------------------

    def after(self, k: int, tag: int) -> bytes:
        """A shortest text from the end of the lexeme before k (with `tag`) to the end of the whole value."""
        found = self._after.get((k, tag))
        if found is not None:
            return found
        # the chain of parents may be deep: walk it first, innermost values later
        chain: dict[tuple[int, int], None] = {}
        work = [(k, tag)]
        while work:
            key = work.pop()
            if key in self._after or key in chain:
                continue
            chain[key] = None
            for f in self.program.frames_of(key[0]):
                kind, _, _, parents = self.program.frame(f)
                if kind != layout.F_END:
                    work.append((parents, 0))
        for key in reversed(chain):
            if key not in self._after:
                texts = (self._after_frame(f, key[1]) for f in self.program.frames_of(key[0]))
                best = min((text for text in texts if text is not None), key=len, default=None)
                if best is not None:
                    self._after[key] = best
        return self._after[(k, tag)]

    def _after_frame(self, f: int, tag: int) -> bytes | None:
        kind, a, b, parents = self.program.frame(f)
        if kind == layout.F_END:
            return b""
        tail = self._after.get((parents, 0))
        if tail is None:
            return None
        if kind == layout.F_ENTER:
            return self.value(a) + tail
        if kind in (layout.F_ARRAY, layout.F_ITEM, layout.F_ASEP):
            return self._after_item(kind, a, b, tag, tail)
        if kind == layout.F_OPEN:
            tables = self.program.objects[a]
            return self._rest(tables, tables.required, b"") + tail
        if kind == layout.F_SEP and tag == 1:
            return tail
        tables, left, key = self.program.object_state(a)
        if kind == layout.F_KEY:
            if tag >= layout.NAMED:
                name = tag - layout.NAMED
                if name not in left:
                    return None
                left = [i for i in left if (i > name if tables.ordered else i != name)]
                value = self.value(tables.values[name])
            else:
                value = self.value(tables.classes[tag])
                left = [] if tables.ordered else left
            return self.style.colon + value + self._rest(tables, left, self.style.comma) + tail
        if kind == layout.F_COLON:
            return self.value(b) + self._rest(tables, left, self.style.comma) + tail
        if kind == layout.F_NEXT:
            return self._rest(tables, left, self.style.comma) + tail
        return self._after_comma(tables, left, key) + tail

    def _rest(self, tables: ObjectTables, left: object, separator: bytes) -> bytes:
        """What an object still requires, and its end."""
        required = set(tables.required)
        members = [i for i in left if i in required]  # type: ignore[attr-defined]
        for i in members:
            self.value(tables.values[i])
        text = self._members(separator if members else b"", tables, members)
        if text is None:
            raise AssertionError("a required member has no value although it was not pruned")
        return text

    def _after_comma(self, tables: ObjectTables, left: list[int], key: int) -> bytes:
        """A member must follow a comma: a required one, else the shortest that may come."""
        required = set(tables.required)
        if any(i in required for i in left):
            return self._rest(tables, left, b"")
        allowed = set(left)
        best: bytes | None = None
        for tag, word in self.words(key).items():
            if tag >= layout.NAMED:
                if tag - layout.NAMED not in allowed:
                    continue
                node = tables.values[tag - layout.NAMED]
            else:
                node = tables.classes[tag]
            text = word + self.style.colon + self.value(node) + self.style.closing
            if best is None or len(text) < len(best):
                best = text
        if best is None:
            raise AssertionError("nothing can follow a comma that was allowed")
        return best

    def _after_item(self, kind: int, a: int, b: int, tag: int, tail: bytes) -> bytes:
        if kind == layout.F_ASEP and tag == 1:
            return tail
        array = self.program.arrays[a]
        n = 0 if kind == layout.F_ARRAY else b
        self._check_length(array.minimum - n)
        least = max(array.minimum, n + 1) if kind == layout.F_ASEP else array.minimum
        values = [self.value(array.prefix[i] if i < len(array.prefix) else array.items) for i in range(n, least)]
        separator = self.style.item_comma if values and kind == layout.F_ITEM else b""
        return separator + self.style.item_comma.join(values) + self.style.item_closing + tail

    # -- states -------------------------------------------------------------------------------------------------------------------

    def text(self, state: int, tid: int = 0) -> bytes:
        """A shortest text that completes a state; b"" when the value may end there."""
        found = self._texts.get(state)
        if found is None:
            if max(len(self._texts), len(self._after), len(self._words)) >= _TEXTS:
                for cache in (self._texts, self._after, self._words):
                    cache.clear()
            if self.program.call(machine.can_end, state, tid):
                found = b""
            else:
                candidates = []
                for q, k in self.program.configurations(state):
                    for tag, word in self.words(q).items():
                        if self._allowed(k, tag):
                            candidates.append(word + self.after(k, tag))
                found = min(candidates, key=len)
            self._texts[state] = found
        return found

    def _allowed(self, k: int, tag: int) -> bool:
        """Whether some frame of k takes the tag: names of keys may be used up."""
        for f in self.program.frames_of(k):
            kind, a, _, _ = self.program.frame(f)
            if kind != layout.F_KEY or tag < layout.NAMED:
                return True
            name = tag - layout.NAMED
            tables, left, _ = self.program.object_state(a)
            if name not in left:
                continue
            if not tables.ordered or not any(left[0] <= i < name for i in tables.required):
                return True
        return False

    def tokens(self, state: int, tid: int) -> list[int]:
        """The fewest tokens that spell `text`."""
        return self.lexicon.fewest_for(self.text(state, tid))


class Completions:
    """Token counts of completions: a quick bound and the search. Caches are bounded."""

    def __init__(self, program: Program) -> None:
        self.program: Program = weakref.proxy(program)
        self.lexicon = program.lexicon
        self.styles = (Distances(program), Distances(program, blank=True))
        self._fewest: dict[tuple[int, int], list[int]] = {}

    def plan(self, state: int, tid: int = 0) -> list[int]:
        """Tokens of a short completion: an upper bound of the fewest."""
        return min((style.tokens(state, tid) for style in self.styles), key=len)

    def fewest_tokens(self, state: int, tid: int) -> list[int]:
        """The fewest tokens that complete a state (see the module's notes on when that is exact)."""
        key = (state, tid)
        found = self._fewest.get(key)
        if found is None:
            if len(self._fewest) >= _KEPT:
                self._fewest.clear()
            found = self._fewest[key] = self._search(state, tid)
        return found

    def _search(self, state: int, tid: int) -> list[int]:
        best = self.plan(state, tid)
        text = self.styles[0].text
        if len(best) <= 1 or len(best) > _LONG_PLAN:
            return best
        longest = max(1, self.lexicon.max_token_length)
        budget = self.program.limits.max_search
        start = (state, tid)
        cost = {start: 0}
        parents: dict[tuple[int, int], tuple[tuple[int, int], int]] = {}
        queue = [(-(-len(text(state, tid)) // longest), 0, start)]
        while queue:
            estimate, done, at = heapq.heappop(queue)
            if estimate >= len(best):
                break
            if done > cost[at]:
                continue
            tail = self.plan(*at)
            if done + len(tail) < len(best):
                path = list(tail)
                step = at
                while step != start:
                    step, token = parents[step]
                    path.insert(0, token)
                best = path
            tokens = self.program.allowed_tokens(*at)
            budget -= len(tokens) + len(tail)
            if budget < 0:
                break
            for token in tokens:
                packed = self.program.call(machine.advance, at[0], at[1], token)
                if packed <= 0:
                    continue  # an end token
                to = (packed & _STATE, packed >> 32)
                if done + 1 < cost.get(to, _FAR):
                    length = len(text(*to))
                    budget -= _SUCCESSOR + length // _BYTES_A_UNIT
                    if budget < 0:
                        return best
                    bound = done + 1 + -(-length // longest)
                    if bound < len(best):
                        cost[to] = done + 1
                        parents[to] = (at, token)
                        heapq.heappush(queue, (bound, done + 1, to))
        return best
