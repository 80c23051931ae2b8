"""The narrow waist: constraints are compiled here for a vocabulary. Above nobody knows schemas or grammars, below nobody knows models.

    compiler = Compiler(Vocabulary.from_tokenizer(tokenizer))
    grammar = compiler.compile_json_schema(schema)
    matcher = grammar.matcher()

A compiler keeps the lexemes of its vocabulary (automata and mask records, shared by all grammars) and the most recent programs.
Grammars are shared between threads and matchers; their states are built when a matcher first reaches them.
"""

from __future__ import annotations

import json
import marshal
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from structgen.errors import Limits, MatcherError, StructgenError
from structgen.kernels import machine
from structgen.kernels.memory import address_of
from structgen.lexemes.dfa import literal
from structgen.machine.arena import ArenaPool
from structgen.machine.distance import Completions
from structgen.machine.explain import Describer
from structgen.machine.lexicon import Lexicon
from structgen.machine.matcher import Machine, Matcher, as_index, check_bitmask
from structgen.machine.program import Program
from structgen.schema.describe import SchemaDescriber
from structgen.schema.keywords import check, report
from structgen.schema.lower import Lowering
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document
from structgen.syntax.texts import ChoiceText, PatternText
from structgen.vocabulary import Vocabulary

if TYPE_CHECKING:
    import referencing

# A node compiler, what explains its places, and a schema's lowering (None for constraints of one lexeme).
_HUGE = 2_000_000  # values in a schema above which its text is not made to look it up
_FrontEnd = tuple[Callable[[Program, int], None], Describer, Lowering | None]

__all__ = ["CompiledGrammar", "Compiler", "Matcher", "allocate_token_bitmask", "fill_next_token_bitmasks"]


class CompiledGrammar:
    """A constraint over a vocabulary; makes matchers. Safe to share between threads.

    stop_token_ids: frozenset of end tokens. The state machine grows as matchers reach new places; free names and numbers give each
    text its own, so that a grammar in use would some day reach its limits: texts that start when half of them is taken get a fresh
    machine, and the old one goes when its last matcher does.
    """

    def __init__(self, vocabulary: Vocabulary, build: Callable[[], Machine], make_report: Callable[[], Any]) -> None:
        self.vocabulary = vocabulary
        self.stop_token_ids = frozenset(vocabulary.stop_token_ids)
        self._build, self._make_report = build, make_report
        self._lock = threading.Lock()
        self._machine = build()

    @property
    def program(self) -> Program:
        """The state machine of texts that start now."""
        return self._machine.program

    def machine(self) -> Machine:
        """What a matcher at the start of a text walks through."""
        if self._machine.program.is_full:
            with self._lock:
                if self._machine.program.is_full:
                    self._machine = self._build()
        return self._machine

    def matcher(self) -> Matcher:
        """A new matcher at the start of the text."""
        return Matcher(self)

    def report(self) -> Any:
        """What is done with every keyword: rows (pointer, keyword, "enforced" | "annotation" | "refused", note)."""
        return self._make_report()


class Compiler:
    """Compiles constraints for one vocabulary.

    cache_size: programs kept by (schema, options), the least recently used is dropped; 0 keeps none (lexeme records are kept).
    limits: bounds on time and memory. registry: a `referencing.Registry` that resolves remote `$ref`s.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        cache_size: int = 64,
        limits: Limits | None = None,
        registry: referencing.Registry[Any] | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.limits = limits if limits is not None else Limits()
        self.registry, self.cache_size = registry, cache_size
        self._lexicon = Lexicon(vocabulary, self.limits)
        self._pool = ArenaPool(self.limits, self._lexicon.max_token_length)
        self._programs: OrderedDict[Hashable, CompiledGrammar] = OrderedDict()
        self._lock = threading.RLock()

    def compile_json_schema(self, schema: Any, options: JsonOptions | None = None) -> CompiledGrammar:
        """Compile a JSON Schema: dict, bool, JSON text, Pydantic model or other Python type.

        Raises SchemaError, UnsupportedError, UnsatisfiableError, RegexError, LimitExceeded; nothing is left half-done.
        """
        options = options if options is not None else JsonOptions()
        if not isinstance(schema, (dict, bool, str, bytes, bytearray)):
            from structgen.schema.types import schema_of

            typed = schema_of(schema)
            schema = typed.schema
            if typed.closed and options.extra_properties == "schema":
                options = replace(options, extra_properties="closed")
        if self.cache_size <= 0:
            return self._compile_json_schema(schema, options)
        key = _cache_key(schema, options)
        if key is None:
            return self._compile_json_schema(schema, options)
        with self._lock:
            grammar = self._programs.get(key)
            if grammar is not None:
                self._programs.move_to_end(key)
                return grammar
        grammar = self._compile_json_schema(schema, options)
        with self._lock:
            self._programs[key] = grammar
            while len(self._programs) > self.cache_size:
                self._programs.popitem(last=False)
        return grammar

    def compile_regex(self, pattern: str, flags: int = 0) -> CompiledGrammar:
        """Compile a pattern of Python's `re` (with its flags) that the whole text matches, as `re.fullmatch`.

        Raises RegexError, LimitExceeded, UnsatisfiableError.
        """
        text = PatternText(pattern, int(flags), self.limits)
        return self._of_one_lexeme(text, [("", "pattern", "enforced", "")])

    def compile_choice(self, choices: Sequence[str]) -> CompiledGrammar:
        """Compile a choice: the whole text is one of the given ones. Raises SchemaError, UnsatisfiableError, LimitExceeded."""
        return self._of_one_lexeme(ChoiceText(choices), [("", "choice", "enforced", "")])

    def _of_one_lexeme(self, text: PatternText | ChoiceText, rows: list[tuple[str, str, str, str]]) -> CompiledGrammar:
        build = _builder(
            self.vocabulary, self._current_lexicon(), self._pool, self.limits, lambda: (text.compile_node, text, None)
        )
        return CompiledGrammar(self.vocabulary, build, lambda: rows)

    def _compile_json_schema(self, schema: Any, options: JsonOptions) -> CompiledGrammar:
        if isinstance(schema, dict):
            schema = _copied(schema)
        document = Document(schema, options=options, registry=self.registry, limits=self.limits)
        normalizer = Normalizer(document, options, self.limits)
        check(document, normalizer)
        lexicon, limits = self._current_lexicon(), self.limits

        def front_end() -> _FrontEnd:
            lowering = Lowering(normalizer, options, lexicon, limits)
            return lowering.compile_node, SchemaDescriber(lowering), lowering

        build = _builder(self.vocabulary, lexicon, self._pool, limits, front_end)
        return CompiledGrammar(self.vocabulary, build, lambda: report(document))

    def _current_lexicon(self) -> Lexicon:
        with self._lock:
            if self._lexicon.is_full:
                self._lexicon = Lexicon(self.vocabulary, self.limits)
            return self._lexicon


def _builder(
    vocabulary: Vocabulary, lexicon: Lexicon, pool: ArenaPool, limits: Limits, front_end: Callable[[], _FrontEnd]
) -> Callable[[], Machine]:
    """What makes a grammar's machine. It refers to no compiler, which may keep the grammar: no cycle."""

    def build() -> Machine:
        with lexicon.lock:
            compile_node, describer, lowering = front_end()
            if lowering is None:
                program = Program(lexicon, pool, compile_node, limits)
            else:
                program = Program(
                    lexicon,
                    pool,
                    compile_node,
                    limits,
                    lowering.compile_core,
                    lowering.item_read,
                    lowering.compile_moves,
                )
            if lowering is None:
                node = program.new_node()
            else:
                lowering.attach(program)
                node = lowering.node_of(program, lowering.normalizer.root)
            leading = 0
            if vocabulary.leading_space:
                leading = lexicon.start_of("leading space", lambda: literal(" ").to_bytes("utf8"), recorded=False)
            program.begin(node, leading)
        return Machine(program, describer, Completions(program))

    return build


def _copied(root: Any) -> Any:
    """A copy of the caller's dicts and lists: subschemas are read when they are first reached, which may be after the caller changed them.

    Without recursion, and a container that stands in several places (or in itself) is copied once: what is wrong with it is said later.
    """
    try:
        return marshal.loads(marshal.dumps(root))  # twice as fast, and keeps what stands in several places
    except ValueError:  # it holds something else than JSON values, as Decimal or a subclass of dict, or is very deep
        pass
    out: list[Any] = [root]
    copies: dict[int, Any] = {}
    work: list[Any] = [out]
    while work:
        target = work.pop()
        for key, value in target.items() if isinstance(target, dict) else enumerate(target):
            if isinstance(value, (dict, list)):
                copy = copies.get(id(value))
                if copy is None:
                    copy = copies[id(value)] = dict(value) if isinstance(value, dict) else list(value)
                    work.append(copy)
                target[key] = copy
    return out[0]


def _written_size(root: Any) -> int:
    """Containers and values in the text of dicts and lists, which may stand in several places; at least `_HUGE` if one holds itself."""
    sizes: dict[int, int] = {}
    work = [(root, False)]
    while work:
        one, is_done = work.pop()
        inner = [value for value in (one.values() if isinstance(one, dict) else one) if isinstance(value, (dict, list))]
        if is_done:
            sizes[id(one)] = len(one) + 1 + sum(sizes[id(value)] for value in inner)
        elif id(one) not in sizes:
            sizes[id(one)] = _HUGE
            work.append((one, True))
            work += [(value, False) for value in inner]
    return sizes[id(root)]


def _cache_key(schema: Any, options: JsonOptions) -> Hashable | None:
    """A key for equal schemas, None for one that has no JSON text (too deep, cyclic, not JSON): compiling it says what is wrong."""
    if isinstance(schema, (str, bytes)):
        return schema, options
    if isinstance(schema, (dict, list)) and _written_size(schema) >= _HUGE:
        return None  # parts that stand in several places may make the text exponentially longer than the schema
    try:
        return json.dumps(schema), options
    except (TypeError, ValueError, RecursionError):
        return None


def allocate_token_bitmask(batch_size: int, vocab_size: int) -> np.ndarray:
    """A zeroed bitmask: int32 [batch_size, ceil(vocab_size / 32)]; token t is bit t % 32 of word t // 32.

    Raises MatcherError for sizes that are no integers or too small.
    """
    batch_size, vocab_size = as_index(batch_size, "batch_size"), as_index(vocab_size, "vocab_size")
    if batch_size < 0 or vocab_size <= 0:
        raise MatcherError(f"a bitmask needs batch_size >= 0 and vocab_size > 0, not {batch_size} and {vocab_size}")
    return np.zeros((batch_size, (vocab_size + 31) // 32), np.int32)


def fill_next_token_bitmasks(matchers: Sequence[Matcher], bitmask: Any) -> None:
    """Fill row i of the bitmask for matcher i, in one call that releases the GIL.

    bitmask: as for `Matcher.fill_next_token_bitmask`, at least len(matchers) rows. Matchers may belong to different grammars. Raises
    MatcherError before anything is written. Where a matcher's mask fails (LimitExceeded, or what compiling a subschema raises) its row
    is zeroed, the other rows are filled, and the first such error is raised.
    """
    if not matchers:
        return
    words = matchers[0]._words
    array = check_bitmask(bitmask, words)
    if array.shape[0] < len(matchers):
        raise MatcherError(f"the bitmask has {array.shape[0]} rows for {len(matchers)} matchers")
    if any(matcher._words != words for matcher in matchers):
        raise MatcherError("all matchers of a batch must have the same vocabulary size")
    live: dict[int, list[int]] = {}
    for i, matcher in enumerate(matchers):
        if matcher._at[4]:
            array[i] = 0
        else:
            live.setdefault(id(matcher._lexicon), []).append(i)
    error: StructgenError | None = None
    for rows in live.values():
        group = [matchers[i] for i in rows]
        contexts = np.array([m._context for m in group], np.int64)
        states = np.array([m._at[0] for m in group], np.int64)
        tids = np.array([m._at[1] for m in group], np.int64)
        addresses = np.array(rows, np.int64) * (4 * words) + address_of(array)
        done, asking, flushed = 0, -1, False
        with group[0]._lock:
            while done < len(group):
                done = machine.fill_batch(contexts, states, tids, addresses, done)
                if done == len(group):
                    break
                if done != asking:
                    asking, flushed = done, False
                try:
                    flushed = group[done].program.provide(flushed)
                except StructgenError as failure:
                    array[rows[done]] = 0
                    error = error or failure
                    done += 1
    if error is not None:
        raise error
