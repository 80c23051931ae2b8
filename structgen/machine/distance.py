"""How far a state is from a whole value: shortest texts, and the fewest tokens.

`Distances.text(state)` is a completion of few bytes, put together from shortest lexemes: the rest of the current lexeme, then for each
frame what it still requires. It is the shortest one up to the spelling of fillers (a string that needs 100 characters gets long tokens,
not 100 letters). Every token of one byte or more makes progress, so its length bounds the tokens that are needed.

`Completions.fewest_tokens` searches token by token (best first, with the bound ceil(bytes left / longest token)) and is exact when it
finishes; when the search is cut by `Limits.max_search` the best tokenisation of the shortest texts is returned, an upper bound.

Objects and arrays with a core are completed by `CoreWays`. Where the text of an item that has begun decides what may follow it
(`captures`), or that of a key, the item is completed in its shortest way first, whatever that means for the items after it: then the
text is a completion, but there may be a shorter one.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from structgen.errors import LimitExceeded
from structgen.kernels import layout, machine
from structgen.machine.cores import CoreWays, Style, Way, last_item

if TYPE_CHECKING:
    from structgen.machine.program import ObjectTables, Program

Words = dict[int, bytes]  # shortest word by tag
_FAR = 1 << 60
_LONG_PLAN = 1024  # tokens above which a search has no hope to finish
_SUCCESSOR, _BYTES_A_UNIT = 4, 16  # what a new state of a search costs in units of `Limits.max_search`, and its text
_CORE_STATE = 100
_KEPT = 2048  # results of searches
_TEXTS = 16384  # texts by state
_STATE = (1 << 32) - 1
_EMPTY = np.empty(0, np.uint8)


# Order in which bytes are tried: letters and digits first, control bytes last.
_BYTES = sorted(range(256), key=lambda byte: (not (byte < 128 and chr(byte).isalnum()), byte))
_ORDER = {byte: i for i, byte in enumerate(_BYTES)}


def _order_of_byte(step: tuple[int, int]) -> int:
    return _ORDER[step[0]]


class Distances:
    """Shortest completions in one program; bounded caches by state and frame, one by node. Call under the program's lock.

    blank: put a blank after colons and commas where the white space of the program allows it: a longer text, but often fewer tokens.
    """

    def __init__(self, program: Program, *, blank: bool = False) -> None:
        # the program owns this object: no cycle
        self.program: Program = program if type(program) in weakref.ProxyTypes else weakref.proxy(program)
        self.lexicon = program.lexicon
        self._blank = blank
        self._words: dict[int, Words] = {}
        self._nodes: dict[int, bytes | None] = {}
        self._after: dict[tuple[int, int], bytes] = {}
        self._texts: dict[tuple[int, int], bytes] = {}
        self._members_after: dict[tuple[int, bool, bool], Way] = {}
        self._items_after: dict[tuple[int, bool, bool], Way] = {}
        # Of the text that was put together last: whether it depends on the captured text, and names with which that must not be continued.
        self._text_used = False
        self._other_names: set[bytes] = set()
        self._unless: dict[int, frozenset[bytes]] = {}  # by state: such names
        self._asked: dict[int, bytes | None] = {}  # values that the alternatives of a node were made of

    @functools.cached_property
    def style(self) -> Style:
        """The shortest punctuation of the program."""
        context = self.program.context
        colon = self._spelled(int(context[layout.P_COLON]), 0)
        members, items = int(context[layout.P_OBJ_SEP_BOTH]), int(context[layout.P_ARR_SEP_BOTH])
        return Style(
            colon, self._spelled(members, 0), self.words(members)[1], self._spelled(items, 0), self.words(items)[1]
        )

    @functools.cached_property
    def _ways(self) -> CoreWays:
        return CoreWays(self.program, self.style, self.words)

    @property
    def work(self) -> int:
        """Core states looked at so far, each about as much work as a hundred tokens."""
        return (
            self._ways.work if "_ways" in self.__dict__ else 0
        )  # where no object or array has a core there are no ways

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
        seen: set[int] = set()

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
            unbounded = (
                self.words(int(counts[i]) << 32 | default) if default else {}
            )  # words that may be taken out here
            if any(tag not in others or depth + len(word) < len(others[tag]) for tag, word in unbounded.items()):
                for byte, target in sorted(self._steps(default, int(counts[i])), key=_order_of_byte):
                    if byte not in own:
                        for tag, word in self.words(target).items():
                            if tag not in others or depth + 1 + len(word) < len(others[tag]):
                                others[tag] = path(position) + bytes([byte]) + word
            for byte, target in own.items():
                if target >= layout.LOCAL and target not in seen:
                    seen.add(target)  # the spellings of a value meet again
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
        """Shortest values of a node and of what it requires, by relaxation until nothing improves (recursive types need it).

        What a core needs is not known beforehand: nodes that were asked for and have no value yet join in. A node is looked at again
        when a value has changed that it was made of.
        """
        order: list[int] = []
        seen: set[int] = set()
        made_of: dict[int, dict[int, bytes | None]] = {}
        self._discover(node, order, seen)
        changed = True
        while changed:
            changed = False
            for n in order[::-1]:
                asked = made_of.get(n)
                if asked is not None and all(self._nodes.get(child) is text for child, text in asked.items()):
                    continue
                self._asked = made_of[n] = {}
                best = self._nodes.get(n)
                for start, kind, arg in self.program.alternatives(n):
                    text = self._alternative(start, kind, arg)
                    if text is not None and (best is None or len(text) < len(best)):
                        best = text
                        changed = True
                if best is not None:
                    self._nodes[n] = best
                for child, text in made_of[n].items():
                    if text is None and child not in seen:
                        changed = True
                        self._discover(child, order, seen)

    def _discover(self, node: int, order: list[int], seen: set[int]) -> None:
        """Append a node without a value and those that it requires natively."""
        seen.add(node)
        work = [node]
        while work:
            n = work.pop()
            if self._nodes.get(n) is not None:
                continue
            order.append(n)
            for _, kind, arg in self.program.alternatives(n):
                for child in self._required(kind, arg):
                    if child not in seen:
                        seen.add(child)
                        work.append(child)

    def _known(self, node: int) -> bytes | None:
        """The value of a node as far as `_solve` knows it."""
        text = self._asked[node] = self._nodes.get(node)
        return text

    def _required(self, kind: int, arg: int) -> list[int]:
        if kind == layout.ALT_OBJECT:
            tables = self.program.objects[arg]
            return [] if tables.core >= 0 else [tables.values[i] for i in tables.required]
        if kind == layout.ALT_ARRAY:
            array = self.program.arrays[arg]
            if array.core >= 0:
                return []
            return [*array.prefix[: array.minimum], *([array.items] if array.minimum > len(array.prefix) else [])]
        if kind in (layout.ALT_SEQUENCE, layout.ALT_NODE):
            return [node for node, nullable in self.program.sequence(arg) if not nullable]
        return []

    def _alternative(self, start: int, kind: int, arg: int) -> bytes | None:
        if kind == layout.ALT_OBJECT:
            opening = self.words(start)[0]
            if self.program.objects[arg].core >= 0:
                rest = self._ways.members(self.program.call(machine.open_object, arg), self._known, after_value=False)
                return None if rest is None else opening + rest.text
            return self._members(opening, self.program.objects[arg], self.program.objects[arg].required)
        if kind == layout.ALT_ARRAY:
            array = self.program.arrays[arg]
            if array.core >= 0:
                rest = self._ways.items(array.core, self._known, after_value=False)
                return None if rest is None else self.words(start)[0] + rest.text
            self._check_length(array.minimum)
            items = [
                self._known(array.prefix[i] if i < len(array.prefix) else array.items) for i in range(array.minimum)
            ]
            if None in items:
                return None
            self._check_length(sum(map(len, items)))  # type: ignore[arg-type]
            return self.words(start)[0] + self.style.item_comma.join(items) + self.style.item_closing  # type: ignore[arg-type]
        if kind == layout.ALT_NODE:
            parts = self.program.sequence(arg)
            if all(nullable for _, nullable in parts):  # one of them is there
                known = [text for node, _ in parts if (text := self._known(node)) is not None]
                return min(known, key=len, default=None)
            return self._sequence(b"", arg)
        word = min(self.words(start).values(), key=len, default=None)
        return word if kind == layout.ALT_SCALAR or word is None else self._sequence(word, arg)

    def _sequence(self, opening: bytes, number: int) -> bytes | None:
        """An opening and the shortest values of the parts of a sequence that must not be empty."""
        pieces = [opening]
        length = len(opening)
        for node, nullable in self.program.sequence(number):
            if nullable:
                continue
            text = self._known(node)
            if text is None:
                return None
            pieces.append(text)
            length += len(text)
            self._check_length(length)
        return b"".join(pieces)

    def _check_length(self, n: int) -> None:
        limit = self.program.limits.max_completion_bytes
        if n > limit:
            raise LimitExceeded(n, limit, "max_completion_bytes")

    def _members(self, opening: bytes, tables: ObjectTables, names: object) -> bytes | None:
        members: list[bytes] = []
        length = 0
        for i in names:  # type: ignore[attr-defined]
            value = self._known(tables.values[i])
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
        for key in sorted(
            chain, key=lambda key: max(self.program.frames_of(key[0]))
        ):  # frames are younger than their parents
            if key not in self._after:
                best: bytes | None = None
                for f in self.program.frames_of(key[0]):
                    kind, _, _, parents = self.program.frame(f)
                    tail = b"" if kind == layout.F_END else self._after.get((parents, 0))
                    own = None if tail is None else self._after_frame(f, key[1], b"")
                    if own is not None and tail is not None and (best is None or len(own) + len(tail) < len(best)):
                        best = own + tail
                if best is not None:
                    self._after[key] = best
        return self._after[(k, tag)]

    def _after_text(self, k: int, tag: int, text: bytes) -> bytes:
        """`after` where what follows depends on the text so far (as `Program.text`): frames inside captured items, keys of cores.

        Shortest first over the frames that the item may be inside; outside of captured items `after` goes on.
        """
        heap = [(0, 0, b"", k, tag, False)]
        ties = itertools.count(1)
        seen: set[tuple[int, bytes]] = set()
        while heap:
            _, _, rest, k, tag, whole = heapq.heappop(heap)
            if whole:
                return rest
            if (k, rest) in seen:
                continue
            seen.add((k, rest))
            for f in self.program.frames_of(k):
                own = self._after_frame(f, tag, text + rest)
                if own is None:
                    continue
                parents = self.program.frame(f)[3]
                done = rest + own
                inside = self.program.bits_of(parents) & layout.B_INSIDE
                if not inside:
                    done += self.after(parents, 0)
                heapq.heappush(heap, (len(done), next(ties), done, parents, 0, not inside))
        raise AssertionError("a captured item was allowed after which nothing can follow")

    def _after_frame(self, f: int, tag: int, text: bytes) -> bytes | None:
        """What frame f still needs after its lexeme, None if it does not take the tag. text: the captured text, where it matters."""
        kind, a, b, _ = self.program.frame(f)
        if kind == layout.F_END or (kind in (layout.F_SEP, layout.F_ASEP) and tag == 1):
            return b""
        if kind == layout.F_ENTER:
            return b"" if b else self.value(a)
        if kind == layout.F_CAPTURE:
            self._text_used = True
            return self._core_items(self.program.core_after(b, last_item(text)), after_value=True)
        if kind in (layout.F_ARRAY, layout.F_ITEM, layout.F_ASEP):
            return self._after_item(kind, a, b)
        if kind == layout.F_OPEN:
            tables = self.program.objects[a]
            if tables.core >= 0:
                return self._core_members(self.program.call(machine.open_object, a), after_value=False)
            return self._rest(tables, tables.required, b"")
        if self.program.object_core(a) >= 0:
            return self._after_core_frame(kind, a, b, tag, text)
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
            return self.style.colon + value + self._rest(tables, left, self.style.comma)
        if kind == layout.F_COLON:
            return self.value(b) + self._rest(tables, left, self.style.comma)
        if kind == layout.F_NEXT:
            return self._rest(tables, left, self.style.comma)
        return self._after_comma(tables, left, key)

    def _after_core_frame(self, kind: int, os: int, node: int, tag: int, text: bytes) -> bytes | None:
        """`_after_frame` of an object with a core."""
        if kind == layout.F_SEP:
            return self._core_members(os, after_value=False, must=True)
        if kind != layout.F_KEY:
            return (self.value(node) if kind == layout.F_COLON else b"") + self._core_members(os, after_value=True)
        at = self.program.core_object_state(os)
        core = self.program.core(at.core)
        if tag >= layout.NAMED and tag - layout.NAMED not in at.names:
            return None
        if tag < layout.NAMED or tag - layout.NAMED in at.tables.relevant:
            moves = [(node, after) for move, node, after in core.moves if move == tag]
        else:
            moves = [(at.tables.values[tag - layout.NAMED], core.default)]
        key = last_item(text) if tag < layout.NAMED else b""
        return min(
            (self.style.colon + self.value(node) + self._after_key(os, tag, after, key) for node, after in moves),
            key=len,
            default=None,
        )

    def _after_key(self, os: int, tag: int, core: int, key: bytes) -> bytes:
        """What the object in state `os` still needs after a key and its value."""
        following = self.program.call(machine.add_key, os, tag, core, _EMPTY)
        if tag >= layout.NAMED:
            return self._core_members(following, after_value=True)
        # as if the key were not known: nearly always the rest has no other names, and is the same for all keys
        way = self._way_of(self.program.call(machine.forget_extras, following), True, False)
        if not way.other_names:
            return way.text
        if key not in way.other_names and self._may_come(os, way.other_names):
            self._other_names.update(way.other_names)
            return way.text
        self._text_used = True
        following = self.program.call(machine.add_key, os, tag, core, np.frombuffer(key, np.uint8))
        return self._core_members(following, after_value=True)

    def _core_members(self, os: int, *, after_value: bool, must: bool = False) -> bytes:
        """What an object in state `os` still needs. Names that were used matter only where the way without them would use them again."""
        way = self._way_of(self.program.call(machine.forget_extras, os), after_value, must)
        if not self._may_come(os, way.other_names):
            way = self._way_of(os, after_value, must)
        return way.text

    def _way_of(self, os: int, after_value: bool, must: bool) -> Way:
        found = self._members_after.get((os, after_value, must))
        if found is None:
            found = self._ways.members(os, self.value, after_value=after_value, must=must)
            if found is None:
                raise AssertionError("an object cannot be completed although it was not pruned")
            self._members_after[(os, after_value, must)] = found
        return found

    def _may_come(self, os: int, names: tuple[bytes, ...]) -> bool:
        """Whether none of these other names was used in the object."""
        start = self.program.key_lexeme(os)
        for name in names:
            q = start
            for byte in name:
                q = self.program.call(machine.step_once, q, byte)
            if not 0 < self.program.call(machine.tag_at, q) <= layout.NAMED:
                return False
        return True

    def _core_items(self, core: int, *, after_value: bool, must: bool = False) -> bytes:
        key = (core, after_value, must)
        found = self._items_after.get(key)
        if found is None:
            found = self._ways.items(core, self.value, after_value=after_value, must=must)
            if found is None:
                raise AssertionError("an array cannot be completed although it was not pruned")
            self._items_after[key] = found
        return found.text

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

    def _after_item(self, kind: int, a: int, b: int) -> bytes:
        array = self.program.arrays[a]
        if array.core >= 0:
            core = array.core if kind == layout.F_ARRAY else b
            return self._core_items(core, after_value=kind == layout.F_ITEM, must=kind == layout.F_ASEP)
        n = 0 if kind == layout.F_ARRAY else b
        self._check_length(array.minimum - n)
        least = max(array.minimum, n + 1) if kind == layout.F_ASEP else array.minimum
        values = [self.value(array.prefix[i] if i < len(array.prefix) else array.items) for i in range(n, least)]
        separator = self.style.item_comma if values and kind == layout.F_ITEM else b""
        return separator + self.style.item_comma.join(values) + self.style.item_closing

    # -- states -------------------------------------------------------------------------------------------------------------------

    def text(self, state: int, tid: int = 0) -> bytes:
        """A shortest text that completes a state; b"" when the value may end there."""
        found = self._texts.get((state, 0))
        if found is not None and state in self._unless:
            key = self.program.text(tid)
            if not key.startswith(b'"') or any(name.startswith(key) for name in self._unless[state]):
                found = None
        if found is None and tid:
            found = self._texts.get((state, tid))
        if found is not None:
            return found
        caches: tuple[dict[Any, Any], ...] = (
            self._texts, self._unless, self._after, self._words, self._members_after, self._items_after
        )  # fmt: skip
        if max(map(len, caches)) >= _TEXTS:
            for cache in caches:
                cache.clear()
        self._text_used = False
        self._other_names = set()
        if self.program.call(machine.can_end, state, tid):
            found = b""
        else:
            text: bytes | None = None
            candidates = []
            for q, k in self.program.configurations(state):
                by_text = self._uses_text(k)
                if by_text and text is None:
                    text = self.program.text(tid)
                for tag, word in self.words(q).items():
                    if self._allowed(k, tag):
                        rest = self._after_text(k, tag, (text or b"") + word) if by_text else self.after(k, tag)
                        candidates.append(word + rest)
            found = min(candidates, key=len)
        if self._text_used:
            self._texts[(state, tid)] = found
        else:
            self._texts[(state, 0)] = found
            if self._other_names:
                self._unless[state] = frozenset(self._other_names)
        return found

    def _uses_text(self, k: int) -> bool:
        """Whether what follows k depends on the captured text: inside a captured item, or in a key of an object with a core."""
        bits = self.program.bits_of(k)
        if bits & layout.B_INSIDE or not bits & layout.B_KEY:
            return bool(bits & layout.B_INSIDE)
        return any(
            kind == layout.F_KEY and self.program.object_core(a) >= 0
            for kind, a, _, _ in map(self.program.frame, self.program.frames_of(k))
        )

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
            if self.program.object_core(a) >= 0:
                if name in self.program.core_object_state(a).names:
                    return True
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
        self._fewest: dict[tuple[int, int], list[int]] = {}

    @functools.cached_property
    def styles(self) -> tuple[Distances, Distances]:
        return Distances(self.program), Distances(self.program, blank=True)

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
                    work = self.styles[0].work
                    length = len(text(*to))
                    budget -= _SUCCESSOR + length // _BYTES_A_UNIT + _CORE_STATE * (self.styles[0].work - work)
                    if budget < 0:
                        return best
                    bound = done + 1 + -(-length // longest)
                    if bound < len(best):
                        cost[to] = done + 1
                        parents[to] = (at, token)
                        heapq.heappush(queue, (bound, done + 1, to))
        return best
