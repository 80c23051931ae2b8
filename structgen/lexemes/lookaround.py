"""Look-ahead, look-behind, atomic groups: what the subset construction alone does not know.

In: a syntax tree. Out: its language as a `CharDfa`. Three ways, the cheapest that applies:

1. `X(?=B)Y` where nothing repeats around it is X followed by the intersection of Y with B-then-anything; `(?!B)` by difference.
   Most real patterns end here (`^(?!.*--)[a-z-]+$`), on compiled kernels.
2. Elsewhere (a look-ahead in a loop, a look-behind, Python's `$` before other text) each thread of the automaton carries
   *obligations*, states of the automata of its open look-aheads, which must all accept in the end. A look-behind is an
   automaton that has read the whole text so far. This is the construction for alternating automata, lazily.
3. An atomic group or a possessive quantifier is replaced by an equal tree with look-ahead where that is exact: sets of characters,
   groups none of whose words begins another, choices of such groups. Any other is refused with its position.

Refused: look-behind within look-around, look-behind that ends in a boundary (it would look ahead of its end).
Turned down: refusing look-around altogether, as most engines do, or ignoring it.
"""

from __future__ import annotations

from itertools import pairwise

from structgen.errors import LimitExceeded, Limits, RegexError
from structgen.kernels.determinize import ASSERT, CHAR, NEWLINE, OTHER, SPLIT, START_OR_END, WORD
from structgen.lexemes import charclass
from structgen.lexemes.charclass import Ranges
from structgen.lexemes.dfa import CharDfa, any_string, char_dfa, literals, partition
from structgen.lexemes.nfa import MATCH_ROW, NfaBuilder, build_nfa, determinise
from structgen.lexemes.regex_syntax import Atomic, Boundary, Chars, Choice, Embedded, Look, Node, Repeat, Sequence

ANYTHING = Repeat(Chars(charclass.ANY), 0, None, "greedy", 0)
_SOMETHING = Repeat(Chars(charclass.ANY), 1, None, "greedy", 0)

_LOOK = 4
# a step in Python is about twenty times as dear as one in a kernel, and so is a transition of an intermediate result, which is
# minimised each time
_STEP_COST = 20

Obligations = tuple[tuple[int, int], ...]


# -- questions about trees --------------------------------------------------------------------------------------------


def _parts(node: Node) -> list[Node]:
    if isinstance(node, Sequence):
        return node.items
    if isinstance(node, Choice):
        return node.options
    if isinstance(node, (Repeat, Look, Atomic)):
        return [node.body]
    return []


def needs_lookaround(node: Node) -> bool:
    """Whether a tree holds look-around, or Python's `$` that may stand before a newline."""
    if isinstance(node, Look) or (isinstance(node, Boundary) and node.kind == "end-or-newline"):
        return True
    return any(needs_lookaround(part) for part in _parts(node))


def has_atomic(node: Node) -> bool:
    """Whether a tree holds an atomic group or a possessive quantifier."""
    if isinstance(node, Atomic) or (isinstance(node, Repeat) and node.mode == "possessive"):
        return True
    return any(has_atomic(part) for part in _parts(node))


def _looks_back(node: Node) -> bool:
    """Whether the meaning depends on what stands before (so that it is not a language by itself)."""
    if isinstance(node, Boundary):
        return node.kind not in ("end", "end-or-newline")
    if isinstance(node, Look) and not node.ahead:
        return True
    return any(_looks_back(part) for part in _parts(node))


def _looks_ahead(node: Node) -> bool:
    if isinstance(node, (Boundary, Look)):
        return not (isinstance(node, Boundary) and node.kind in ("start", "line-start"))
    return any(_looks_ahead(part) for part in _parts(node))


# -- atomic groups ----------------------------------------------------------------------------------------------------


def without_atomic(node: Node, pattern: str, limits: Limits) -> Node:
    """An equal tree without atomic groups and possessive quantifiers; RegexError where there is no exact one known."""
    if not has_atomic(node):
        return node
    if isinstance(node, Sequence):
        return Sequence([without_atomic(item, pattern, limits) for item in node.items])
    if isinstance(node, Choice):
        return Choice([without_atomic(option, pattern, limits) for option in node.options])
    if isinstance(node, Look):
        return Look(without_atomic(node.body, pattern, limits), node.ahead, node.negative, node.position)
    if isinstance(node, Atomic):
        return _atomic(without_atomic(node.body, pattern, limits), node.position, pattern, limits)
    if not isinstance(node, Repeat):
        return node
    body = without_atomic(node.body, pattern, limits)
    plain = Repeat(body, node.least, node.most, "greedy", node.position)
    return _atomic(plain, node.position, pattern, limits) if node.mode == "possessive" else plain


def _atomic(body: Node, position: int, pattern: str, limits: Limits) -> Node:
    if isinstance(body, Repeat) and isinstance(body.body, Chars) and body.mode == "greedy":
        # as many as there are: fewer than the most only where no more follow
        stop = Look(body.body, True, True, position)
        if body.most is None:
            return Sequence([body, stop])
        if body.most == body.least:
            return body
        fewer = Repeat(body.body, body.least, body.most - 1, "greedy", position)
        full = Repeat(body.body, body.most, body.most, "greedy", position)
        return Choice([full, Sequence([fewer, stop])])
    options: list[Node] = body.options if isinstance(body, Choice) else [body]
    for option in options:
        if _looks_back(option) or _looks_ahead(option) or not _prefix_free(option, pattern, limits):
            raise RegexError(
                "this atomic group or possessive quantifier has no automaton known to be exact", pattern, position
            )
    out: list[Node] = []
    for i, option in enumerate(options):
        out.append(Sequence([Look(Choice(options[:i]), True, True, position), option]) if i else option)
    return Choice(out) if len(out) > 1 else out[0]


def _prefix_free(node: Node, pattern: str, limits: Limits) -> bool:
    """Whether no word of the tree is the beginning of another, so that there is one way to match it."""
    words = language(node, pattern, limits)
    if words.is_empty():
        return True
    longer = language(Sequence([Embedded(words), _SOMETHING]), pattern, limits)
    return words.intersect(longer, limits).is_empty()


class _Spent:
    """The transitions of all intermediate results of one pattern, so that a chain of look-aheads has one budget."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.transitions = 0

    def on(self, dfa: CharDfa) -> CharDfa:
        """The automaton, counted; raises LimitExceeded."""
        self.transitions += int(dfa.trans.size) * _STEP_COST
        if self.transitions > self.limits.max_dfa_steps:
            raise LimitExceeded(self.transitions, self.limits.max_dfa_steps, "max_dfa_steps")
        return dfa


# -- the language of a tree -------------------------------------------------------------------------------------------


def language(node: Node, pattern: str, limits: Limits, *, absorbs: bool = False) -> CharDfa:
    """The strings that a tree without atomic groups matches as a whole, from the start of the string to its end.

    absorbs: whether the tree ends with `ANYTHING` as the last item of a sequence.
    """
    if needs_lookaround(node):
        node = _absorbed(_flat(node), pattern, _Spent(limits))
        absorbs = False
    if needs_lookaround(node):
        return _Alternating(node, pattern, START_OR_END, limits).dfa()
    # rows 1 (SPLIT) and 2 (CHAR) of an automaton built backwards are its final loop
    return determinise(build_nfa(node, pattern, limits), 2 if absorbs else -1, limits)


def _flat(node: Node) -> Node:
    """The same tree without sequences in sequences."""
    if isinstance(node, Choice):
        return Choice([_flat(option) for option in node.options])
    if not isinstance(node, Sequence):
        return node
    items: list[Node] = []
    for item in node.items:
        inner = _flat(item)
        items += inner.items if isinstance(inner, Sequence) else [inner]
    return Sequence(items)


def _absorbed(node: Node, pattern: str, spent: _Spent) -> Node:
    """Replace the last look-aheads of a sequence, with all that follows, by one automaton; as far as that goes."""
    limits = spent.limits
    items: list[Node] = list(node.items) if isinstance(node, Sequence) else [node]
    last = next((i for i in range(len(items) - 1, -1, -1) if needs_lookaround(items[i])), None)
    if last is None or any(_looks_back(item) for item in items[last + 1 :]):
        return node
    item, rest = items[last], items[last + 1 :]
    if isinstance(item, Boundary):
        after = language(Sequence(rest), pattern, limits)
        absorbed = Embedded(spent.on(after.intersect(literals(("", "\n")), limits)))
    elif isinstance(item, Look) and item.ahead and not _looks_back(item.body):
        body = language(Sequence([item.body, ANYTHING]), pattern, limits, absorbs=True)
        after = language(Sequence(rest), pattern, limits)
        absorbed = Embedded(spent.on(after.subtract(body, limits) if item.negative else after.intersect(body, limits)))
    elif isinstance(item, Choice):
        tail = language(Sequence(rest), pattern, limits)
        options = [_absorbed(_flat(Sequence([option, Embedded(tail)])), pattern, spent) for option in item.options]
        if any(needs_lookaround(option) for option in options):
            return node
        return _absorbed(Sequence([*items[:last], Choice(options)]), pattern, spent)
    else:
        return node
    return _absorbed(Sequence([*items[:last], absorbed]), pattern, spent)


# -- threads with obligations -----------------------------------------------------------------------------------------


class _LookBuilder(NfaBuilder):
    """Also makes rows (_LOOK, index) for look-around, and for every boundary of this tree."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.looks: list[Look | Boundary] = []

    def look(self, node: Look | Atomic | Boundary, following: int) -> int:
        if isinstance(node, Atomic):
            raise RegexError("an atomic group cannot be used here", self.pattern, node.position)
        self.looks.append(node)
        return self.add(_LOOK, len(self.looks) - 1, following)

    def boundary(self, node: Boundary, following: int) -> int:
        if node.kind == "end-or-newline":
            return self.look(node, following)
        return super().boundary(node, following)


class _Alternating:
    """The determinisation of one tree; `before` is the kind of the character before its first one."""

    def __init__(self, node: Node, pattern: str, before: int, limits: Limits) -> None:
        self.pattern, self.limits, self.before = pattern, limits, before
        builder = _LookBuilder(pattern)
        start = builder.build(node, MATCH_ROW)
        self.start = start
        self.rows = [tuple(builder.nodes[i : i + 4]) for i in range(0, len(builder.nodes), 4)]
        self.sets = list(builder.set_ids)
        self.word, self.newline = _context_sets(node)
        self.looks = builder.looks
        self.automata: list[CharDfa] = []
        self.universal: list[int] = []
        self.numbers: dict[object, int] = {}
        self.trackers: list[CharDfa] = []
        self.tracker_of: dict[int, int] = {}
        self.steps = 0
        self._prepare()

    # the automata of all obligations, for each kind of character that may stand before them; True and False where it is plain

    def _prepare(self) -> None:
        for index, look in enumerate(self.looks):
            if isinstance(look, Boundary):
                self._number(("look", index), literals(("", "\n")))
            elif look.ahead:
                kinds = (START_OR_END, WORD, NEWLINE, OTHER) if _looks_back(look.body) else (OTHER,)
                self._refuse_within(look.body, look)
                for kind in kinds:
                    body = self._body_language(look.body, kind)
                    self._number(("look", index, kind) if len(kinds) > 1 else ("look", index),
                                 body.complement(self.limits) if look.negative else body)  # fmt: skip
            else:
                self._refuse_within(look.body, look)
                if self.before != START_OR_END or _ends_ahead(look.body):
                    raise RegexError(
                        "this look-behind cannot be decided from what stands before it", self.pattern, look.position
                    )
                self.tracker_of[index] = len(self.trackers)
                self.trackers.append(language(Sequence([ANYTHING, look.body]), self.pattern, self.limits))
        for row in self.rows:
            if row[0] == ASSERT:
                for kind in (START_OR_END, WORD, NEWLINE, OTHER):
                    allowed = row[1] >> (4 * kind) & 15
                    if allowed not in (0, 15) and ("after", allowed) not in self.numbers:
                        self._number(("after", allowed), self._next_is(allowed))
        sets = [*self.sets, self.word, self.newline]
        for dfa in [*self.automata, *self.trackers]:
            sets += dfa.class_ranges()
        self.bounds, self.classes, members = partition(sets)
        representative = [0] * len(members)
        for point, c in zip(self.bounds, self.classes, strict=True):
            representative[c] = point
        self.has = [[bool(m >> k & 1) for m in members] for k in range(len(self.sets))]
        n = len(self.sets)
        self.kind = [WORD if m >> n & 1 else NEWLINE if m >> (n + 1) & 1 else OTHER for m in members]
        self.columns = [[dfa.class_of(point) for point in representative] for dfa in self.automata]
        self.tables = [dfa.trans.tolist() for dfa in self.automata]
        self.tracker_columns = [[dfa.class_of(point) for point in representative] for dfa in self.trackers]
        self.tracker_tables = [dfa.trans.tolist() for dfa in self.trackers]

    def _refuse_within(self, body: Node, look: Look) -> None:
        if isinstance(body, Look) and (not body.ahead or not look.ahead):
            raise RegexError(
                "look-around within look-behind, or look-behind within look-around", self.pattern, body.position
            )
        for part in _parts(body):
            self._refuse_within(part, look)

    def _body_language(self, body: Node, kind: int) -> CharDfa:
        node = Sequence([body, ANYTHING])
        if not _looks_back(body):
            return language(node, self.pattern, self.limits, absorbs=True)
        return _Alternating(_flat(node), self.pattern, kind, self.limits).dfa()

    def _next_is(self, allowed: int) -> CharDfa:
        """The strings whose first character is of an allowed kind; bit 0: or that are empty."""
        other = charclass.complement(charclass.union(self.word, self.newline))
        sets = ((WORD, self.word), (NEWLINE, self.newline), (OTHER, other))
        first = charclass.union(*(ranges for kind, ranges in sets if allowed >> kind & 1), charclass.EMPTY)
        options: list[Node] = [Sequence([Chars(first), ANYTHING])]
        if allowed & 1:
            options.append(Sequence([]))
        return language(Choice(options), self.pattern, self.limits)

    def _number(self, key: object, dfa: CharDfa) -> None:
        self.numbers[key] = len(self.automata)
        self.automata.append(dfa)
        everything = any_string()
        # the state of a minimal automaton from which all strings are accepted, if there is one
        found = 0
        for state in range(1, dfa.n_states):
            if dfa.tags[state] >= 0 and all(
                t == state or not r for t, r in zip(dfa.trans[state].tolist(), dfa.class_ranges(), strict=True)
            ):
                found = state
        if dfa.key() == everything.key():
            found = dfa.start
        self.universal.append(found)

    def _with(self, obligations: Obligations, key: object) -> Obligations | None:
        """The obligations and one more; None if that one cannot be met."""
        number = self.numbers[key]
        state = self.automata[number].start
        if state == 0:
            return None
        if state == self.universal[number] or (number, state) in obligations:
            return obligations
        return tuple(sorted((*obligations, (number, state))))

    def _close(
        self,
        threads: set[tuple[int, Obligations]],
        row: int,
        obligations: Obligations,
        before: int,
        trackers: tuple[int, ...],
    ) -> None:
        """Add the threads that stand at CHAR and MATCH rows, reached from `row`."""
        stack = [(row, obligations)]
        seen = set(stack)
        while stack:
            row, obligations = stack.pop()
            self.steps += 1
            op, argument, following, other = self.rows[row]
            after: Obligations | None = obligations
            if op == SPLIT:
                if (other, obligations) not in seen:
                    seen.add((other, obligations))
                    stack.append((other, obligations))
            elif op == ASSERT:
                allowed = argument >> (4 * before) & 15
                after = (
                    None
                    if allowed == 0
                    else obligations
                    if allowed == 15
                    else self._with(obligations, ("after", allowed))
                )
            elif op == _LOOK:
                look = self.looks[argument]
                if isinstance(look, Look) and not look.ahead:
                    tracker = self.tracker_of[argument]
                    holds = bool(self.trackers[tracker].tags[trackers[tracker]] >= 0)
                    after = obligations if holds != look.negative else None
                else:
                    key = ("look", argument, before)
                    after = self._with(obligations, key if key in self.numbers else ("look", argument))
            else:
                threads.add((row, obligations))
                continue
            if after is not None and (following, after) not in seen:
                seen.add((following, after))
                stack.append((following, after))

    @staticmethod
    def _pruned(threads: set[tuple[int, Obligations]]) -> frozenset[tuple[int, Obligations]]:
        """Without threads that have the obligations of another at the same row and more."""
        by_row: dict[int, list[Obligations]] = {}
        for row, obligations in threads:
            by_row.setdefault(row, []).append(obligations)
        if all(len(group) == 1 for group in by_row.values()):
            return frozenset(threads)
        kept = []
        for row, group in by_row.items():
            group.sort(key=len)
            least: list[frozenset[tuple[int, int]]] = []
            for obligations in group:
                some = frozenset(obligations)
                if not any(less <= some for less in least):
                    least.append(some)
                    kept.append((row, obligations))
        return frozenset(kept)

    def _stepped(self, obligations: Obligations, c: int) -> Obligations | None:
        out = set()
        for number, state in obligations:
            target = self.tables[number][state][self.columns[number][c]]
            if target == 0:
                return None
            if target != self.universal[number]:
                out.add((number, target))
        return tuple(sorted(out))

    def dfa(self) -> CharDfa:
        """Explore all reachable sets of threads."""
        limits = self.limits
        n_classes = len(self.kind)
        trackers = tuple(dfa.start for dfa in self.trackers)
        threads: set[tuple[int, Obligations]] = set()
        self._close(threads, self.start, (), self.before, trackers)
        first = (trackers, self._pruned(threads))
        number = {first: 1}
        order = [first]
        table = [[0] * n_classes]
        tags = [-1]
        for trackers, frozen in order:
            row = [0] * n_classes
            for c in range(n_classes):
                moved = tuple(
                    t[state][columns[c]]
                    for t, state, columns in zip(self.tracker_tables, trackers, self.tracker_columns, strict=True)
                )
                threads = set()
                for at, obligations in frozen:
                    op, argument, following, _ = self.rows[at]
                    if op == CHAR and self.has[argument][c]:
                        after = self._stepped(obligations, c)
                        if after is not None:
                            self._close(threads, following, after, self.kind[c], moved)
                self.steps += len(frozen)
                if threads:
                    key = (moved, self._pruned(threads))
                    known = number.get(key)
                    if known is None:
                        known = number[key] = len(order) + 1
                        order.append(key)
                        if known > limits.max_dfa_states:
                            raise LimitExceeded(known, limits.max_dfa_states, "max_dfa_states")
                    row[c] = known
            if self.steps * _STEP_COST > limits.max_dfa_steps:
                raise LimitExceeded(self.steps * _STEP_COST, limits.max_dfa_steps, "max_dfa_steps")
            table.append(row)
            tags.append(0 if any(at == MATCH_ROW and self._met(obligations) for at, obligations in frozen) else -1)
        return char_dfa(self.bounds, self.classes, table, tags, 1)

    def _met(self, obligations: Obligations) -> bool:
        return all(self.automata[number].tags[state] >= 0 for number, state in obligations)


def _context_sets(node: Node) -> tuple[Ranges, Ranges]:
    """The word and newline characters that the boundaries of a tree speak of, those within look-around included."""
    if isinstance(node, Boundary):
        return (node.word, node.newline) if node.kind not in ("start", "end", "end-or-newline") else ((), ())
    word: Ranges = ()
    newline: Ranges = ()
    for part in _parts(node):
        some_word, some_newline = _context_sets(part)
        word, newline = word or some_word, newline or some_newline
    return word, newline


def _ends_ahead(node: Node) -> bool:
    """Whether a boundary that looks at the next character may stand at the end of a tree."""
    if isinstance(node, Boundary):
        return node.kind not in ("start", "line-start")
    if isinstance(node, Sequence):
        for item, following in pairwise([*node.items, None]):
            if item is not None and _ends_ahead(item) and (following is None or not _takes_one(following)):
                return True
        return False
    return any(_ends_ahead(part) for part in _parts(node))


def _takes_one(node: Node) -> bool:
    """Whether a tree plainly begins with a character of its own."""
    if isinstance(node, Chars):
        return True
    if isinstance(node, Sequence):
        return bool(node.items) and _takes_one(node.items[0])
    return isinstance(node, Repeat) and node.least > 0 and _takes_one(node.body)
