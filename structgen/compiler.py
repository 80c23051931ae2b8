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
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from structgen.errors import LimitExceeded, Limits, MatcherError, StructgenError, UnsupportedError
from structgen.kernels import machine
from structgen.kernels.memory import address_of
from structgen.lexemes.dfa import ByteDfa, literal
from structgen.machine.arena import ArenaPool
from structgen.machine.distance import Completions
from structgen.machine.fronts import FrontEnds
from structgen.machine.lexicon import Lexicon
from structgen.machine.matcher import Machine, Matcher, as_index, check_bitmask
from structgen.machine.partial import TextMatch, match_text
from structgen.machine.program import Program
from structgen.schema.describe import SchemaDescriber
from structgen.schema.keywords import check, report
from structgen.schema.lower import Lowering
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document
from structgen.syntax.constraints import Both, Constraint, JsonValue, Named, choice, constraint, regex, walk
from structgen.syntax.lark.grammar import LarkGrammar
from structgen.syntax.lower import SyntaxFrontEnd, check_names, language, text_automaton
from structgen.syntax.reading import read
from structgen.syntax.side_by_side import SideBySide, SideBySideMatcher
from structgen.syntax.tags import resolved
from structgen.vocabulary import Vocabulary

if TYPE_CHECKING:
    import referencing

_HUGE = 2_000_000  # values in a schema above which its text is not made to look it up

__all__ = [
    "CompiledGrammar",
    "CompiledIntersection",
    "Compiler",
    "Matcher",
    "allocate_token_bitmask",
    "compile_grammar",
    "fill_next_token_bitmasks",
]


class CompiledGrammar:
    """A constraint over a vocabulary; makes matchers. Safe to share between threads.

    stop_token_ids: frozenset of end tokens. The state machine grows as matchers reach new places; free names and numbers give each
    text its own, so that a grammar in use would some day reach its limits: texts that start when half of them is taken get a fresh
    machine, and the old one goes when its last matcher does.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        build: Callable[[], Machine],
        make_report: Callable[[], Any],
        read_value: Callable[[bytes], Any] = json.loads,
    ) -> None:
        self.vocabulary = vocabulary
        self.stop_token_ids = frozenset(vocabulary.stop_token_ids)
        self._build, self._make_report, self._read_value = build, make_report, read_value
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

    def match(self, text: str) -> TextMatch:
        """How far a text goes: accepted or not, its longest valid beginning, what may come there. Raises LimitExceeded."""
        machine = self.machine()
        return match_text(self.matcher(), machine, text)

    def report(self) -> Any:
        """What is done with every keyword: rows (pointer, keyword, "enforced" | "annotation" | "refused", note)."""
        return self._make_report()

    def value(self, text: str | bytes | Sequence[int]) -> Any:
        """What a finished text says, or its tokens (end tokens may stand at the end): see `structgen.syntax.reading`.

        Raises ConstraintError for a text that the constraint does not accept, and what the validators of types raise.
        """
        return _value_of(self.vocabulary, self._read_value, text)


class CompiledIntersection:
    """An intersection of constraints over a vocabulary that run side by side; makes matchers, as `CompiledGrammar` does."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        sides: Sequence[CompiledGrammar],
        limits: Limits,
        read_value: Callable[[bytes], Any],
    ) -> None:
        self.vocabulary = vocabulary
        self.stop_token_ids = frozenset(vocabulary.stop_token_ids)
        self.sides = tuple(sides)
        self._read_value = read_value
        self._shared = SideBySide(vocabulary, sides, limits)
        self._shared.begin()

    def matcher(self) -> SideBySideMatcher:
        """A new matcher at the start of the text."""
        return SideBySideMatcher(self._shared)

    def report(self) -> Any:
        """The reports of all sides."""
        return [row for side in self.sides for row in side.report()]

    def value(self, text: str | bytes | Sequence[int]) -> Any:
        """As `CompiledGrammar.value`; the value of the first side."""
        return _value_of(self.vocabulary, self._read_value, text)


def _value_of(vocabulary: Vocabulary, read_value: Callable[[bytes], Any], text: str | bytes | Sequence[int]) -> Any:
    if isinstance(text, str):
        data = text.encode()
    elif isinstance(text, bytes):
        data = text
    else:
        data = b"".join(vocabulary.spellings[token] or b"" for token in text)
    if vocabulary.leading_space and data.startswith(b" ") and not isinstance(text, str):
        data = data[1:]  # the tokenizer put it there
    return read_value(data)


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
        self._keep(key, grammar)
        return grammar

    def compile_regex(
        self, pattern: str, flags: int = 0, dialect: Literal["python", "ecma"] = "python"
    ) -> CompiledGrammar:
        """Compile a pattern that the whole text matches, as `re.fullmatch`; `CompiledGrammar.value` gives its named groups.

        flags: those of `re`. dialect: "python" (`re` on str) or "ecma" (ECMA-262). Raises RegexError, LimitExceeded, UnsatisfiableError.
        """
        return self._compile(regex(pattern, int(flags), dialect), [("", "pattern", "enforced", "")])

    def compile_choice(self, choices: Sequence[str]) -> CompiledGrammar:
        """Compile a choice: the whole text is one of the given ones. Raises SchemaError, UnsatisfiableError, LimitExceeded."""
        return self._compile(choice(choices), [("", "choice", "enforced", "")])

    def compile_grammar(
        self,
        text: str,
        start: str = "start",
        lexer: str = "dynamic",
        *,
        folder: str | None = None,
        tokens: Mapping[str, str | int] | None = None,
    ) -> CompiledGrammar:
        """Compile a context-free grammar in Lark's language (or in llama.cpp's GBNF); see `structgen.syntax.lark.grammar.LarkGrammar`.

        Raises GrammarSyntaxError with line, column and caret; UnsatisfiableError for a grammar without a finite text; ConstraintError for
        tokens that the vocabulary lacks; LimitExceeded.
        """
        key = None if folder is not None or tokens else ("grammar", text, start, lexer)
        with self._lock:
            if key in self._programs:
                self._programs.move_to_end(key)
                return self._programs[key]
        whole = LarkGrammar(text, start, lexer, folder=folder, tokens=tokens, limits=self.limits)
        grammar = self._compile(whole, whole.report())
        if key is not None:
            self._keep(key, grammar)
        return grammar

    def _keep(self, key: Hashable, grammar: CompiledGrammar) -> None:
        with self._lock:
            self._programs[key] = grammar
            while len(self._programs) > self.cache_size:
                self._programs.popitem(last=False)

    def compile(self, one: Any) -> CompiledGrammar | CompiledIntersection:
        """Compile a constraint: see `structgen.syntax.constraints`. A string is a literal.

        Raises ConstraintError for what is no constraint or asks for a special token that the vocabulary lacks, and what its parts raise:
        SchemaError and its kinds, RegexError, LimitExceeded.
        """
        try:
            return self._compile_sides(resolved(constraint(one), self.vocabulary))
        except RecursionError as error:
            raise LimitExceeded("the nesting of a constraint", "what Python's stack holds") from error

    def _compile_sides(self, whole: Constraint) -> CompiledGrammar | CompiledIntersection:
        check_names(whole)
        sides, rows = _sides(whole), [("", "constraint", "enforced", "")]
        if len(sides) == 1 or language(whole, self.limits) is not None:
            return self._compile(whole, rows)
        grammars = [self._compile(side, rows) for side in sides]
        reading = _Reading(self, whole, _schemas_of(self, whole))
        return CompiledIntersection(self.vocabulary, grammars, self.limits, reading.read)

    def _compile(
        self, whole: Constraint, rows: list[tuple[str, str, str, str]], *, leads: bool = True
    ) -> CompiledGrammar:
        """leads: the tokenizer's leading space may come first."""
        schemas = _schemas_of(self, whole)
        lexicon, limits, vocabulary = self._current_lexicon(), self.limits, self.vocabulary
        pool = self._pool

        def build() -> Machine:
            with lexicon.lock:
                fronts = FrontEnds()
                front = SyntaxFrontEnd(lexicon, limits, fronts, _Embedding(schemas, lexicon, limits, fronts))
                program = Program(
                    lexicon,
                    pool,
                    fronts.compile_node,
                    limits,
                    fronts.compile_core,
                    fronts.item_read,
                    fronts.compile_moves,
                )
                node, nullable = front.root(program, whole)
                _begin(program, vocabulary, node, nullable, leads)
            return Machine(program, fronts, Completions(program))

        return CompiledGrammar(vocabulary, build, lambda: rows, _Reading(self, whole, schemas).read)

    def _compile_json_schema(self, schema: Any, options: JsonOptions) -> CompiledGrammar:
        if isinstance(schema, dict):
            schema = _copied(schema)
        document = Document(schema, options=options, registry=self.registry, limits=self.limits)
        normalizer = Normalizer(document, options, self.limits)
        check(document, normalizer)
        lexicon, limits = self._current_lexicon(), self.limits
        build = _builder(
            self.vocabulary, lexicon, self._pool, limits, lambda: Lowering(normalizer, options, lexicon, limits)
        )
        return CompiledGrammar(self.vocabulary, build, lambda: report(document))

    def _current_lexicon(self) -> Lexicon:
        with self._lock:
            if self._lexicon.is_full:
                self._lexicon = Lexicon(self.vocabulary, self.limits)
            return self._lexicon


def _builder(
    vocabulary: Vocabulary, lexicon: Lexicon, pool: ArenaPool, limits: Limits, make_lowering: Callable[[], Lowering]
) -> Callable[[], Machine]:
    """What makes a schema's machine. It refers to no compiler, which may keep the grammar: no cycle."""

    def build() -> Machine:
        with lexicon.lock:
            lowering = make_lowering()
            program = Program(
                lexicon,
                pool,
                lowering.compile_node,
                limits,
                lowering.compile_core,
                lowering.item_read,
                lowering.compile_moves,
            )
            lowering.attach(program)
            _begin(program, vocabulary, lowering.node_of(program, lowering.normalizer.root))
        return Machine(program, SchemaDescriber(lowering), Completions(program))

    return build


def _begin(program: Program, vocabulary: Vocabulary, node: int, nullable: bool = False, leads: bool = True) -> None:
    leading = 0
    if vocabulary.leading_space and leads:
        leading = program.lexicon.start_of("leading space", lambda: literal(" ").to_bytes("utf8"), recorded=False)
    if node < 0:  # nothing but the empty text
        node = program.new_node()
        program.set_node(node, [])
    program.begin(node, leading, nullable)


def _sides(one: Constraint) -> list[Constraint]:
    """The constraints of an outermost intersection, one if it is none."""
    if isinstance(one, Named) and isinstance(one.body, Both):
        return _sides(one.body)
    return [*_sides(one.left), *_sides(one.right)] if isinstance(one, Both) else [one]


@dataclass(frozen=True, slots=True)
class _Schema:
    """A schema within a constraint, checked and ready to be lowered. validate: JSON text to value."""

    normalizer: Normalizer
    options: JsonOptions
    validate: Callable[[str], Any]


def _schemas_of(compiler: Compiler, whole: Constraint) -> dict[int, _Schema]:
    """The schemas within a constraint, by the constraint's identity. Raises UnsupportedError where their white space differs."""
    found: dict[int, _Schema] = {}
    for one in walk(whole):
        if isinstance(one, JsonValue) and id(one) not in found:
            found[id(one)] = _read_schema(compiler, one)
    styles = {schema.options.whitespace for schema in found.values()}
    if len(styles) > 1:
        raise UnsupportedError(
            f"the schemas of one constraint must have the same JsonOptions.whitespace, not {sorted(styles)}"
        )
    return found


def _read_schema(compiler: Compiler, one: JsonValue) -> _Schema:
    options = one.options if one.options is not None else JsonOptions()
    schema = one.target
    validate: Callable[[str], Any] = json.loads
    if not isinstance(schema, (dict, bool, str, bytes, bytearray)):
        from structgen.schema.types import schema_of

        typed = schema_of(schema)
        schema, validate = typed.schema, typed.validate
        if typed.closed and options.extra_properties == "schema":
            options = replace(options, extra_properties="closed")
    if isinstance(schema, dict):
        schema = _copied(schema)
    document = Document(schema, options=options, registry=compiler.registry, limits=compiler.limits)
    normalizer = Normalizer(document, options, compiler.limits)
    check(document, normalizer)
    return _Schema(normalizer, options, validate)


class _JsonFrontEnd:
    """A schema's lowering and its words as one front-end among others."""

    def __init__(self, lowering: Lowering) -> None:
        self.compile_node, self.compile_core = lowering.compile_node, lowering.compile_core
        self.item_read, self.compile_moves = lowering.item_read, lowering.compile_moves
        self.describe = SchemaDescriber(lowering).describe


class _Embedding:
    """Binds the schemas of a constraint to one program."""

    def __init__(self, schemas: dict[int, _Schema], lexicon: Lexicon, limits: Limits, fronts: FrontEnds) -> None:
        self._schemas, self._lexicon, self._limits, self._fronts = schemas, lexicon, limits, fronts

    def __call__(self, program: Program, one: JsonValue) -> int:
        schema = self._schemas[id(one)]
        lowering = Lowering(schema.normalizer, schema.options, self._lexicon, self._limits)
        with self._fronts.made_by(program, _JsonFrontEnd(lowering)):
            lowering.attach(program)
            return lowering.node_of(program, schema.normalizer.root)


class _Reading:
    """The values of finished texts of one constraint (`reading.Tools`)."""

    def __init__(self, compiler: Compiler, whole: Constraint, schemas: dict[int, _Schema]) -> None:
        self._compiler, self._whole, self._schemas = compiler, whole, schemas
        self._automata: dict[int, ByteDfa | None] = {}
        self._grammars: dict[int, CompiledGrammar] = {}

    def read(self, text: bytes) -> Any:
        try:
            return read(self._whole, text, self)
        except RecursionError as error:
            raise LimitExceeded("the nesting of a constraint", "what Python's stack holds") from error

    def automaton(self, one: Constraint) -> ByteDfa | None:
        if id(one) not in self._automata:
            self._automata[id(one)] = text_automaton(one, self._compiler.vocabulary, self._compiler.limits)
        return self._automata[id(one)]

    def followed(self, one: Constraint, text: bytes, start: int) -> list[int]:
        grammar = self._grammars.get(id(one))
        if grammar is None:
            grammar = self._grammars[id(one)] = self._compiler._compile(one, [], leads=False)
        matcher = grammar.matcher()
        found = [start] if matcher.is_accepting() else []
        for place in range(start, len(text)):
            if not matcher.accept_bytes(text[place : place + 1]):
                break
            if matcher.is_accepting():
                found.append(place + 1)
        return found

    def json_value(self, one: JsonValue, text: str) -> Any:
        return self._schemas[id(one)].validate(text)


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


def compile_grammar(
    text: str,
    start: str = "start",
    lexer: str = "dynamic",
    *,
    folder: str | None = None,
    tokens: Mapping[str, str | int] | None = None,
    vocabulary: Vocabulary | None = None,
) -> CompiledGrammar:
    """As `Compiler.compile_grammar`, by itself. vocabulary None: one of single bytes, to try texts with (`CompiledGrammar.match`)."""
    if vocabulary is None:
        vocabulary = Vocabulary.from_bytes([*(bytes((byte,)) for byte in range(256)), None], [256])
    return Compiler(vocabulary).compile_grammar(text, start, lexer, folder=folder, tokens=tokens)


def allocate_token_bitmask(batch_size: int, vocab_size: int) -> np.ndarray:
    """A zeroed bitmask: int32 [batch_size, ceil(vocab_size / 32)]; token t is bit t % 32 of word t // 32.

    Raises MatcherError for sizes that are no integers or too small.
    """
    batch_size, vocab_size = as_index(batch_size, "batch_size"), as_index(vocab_size, "vocab_size")
    if batch_size < 0 or vocab_size <= 0:
        raise MatcherError(f"a bitmask needs batch_size >= 0 and vocab_size > 0, not {batch_size} and {vocab_size}")
    return np.zeros((batch_size, (vocab_size + 31) // 32), np.int32)


def fill_next_token_bitmasks(matchers: Sequence[Matcher | SideBySideMatcher], bitmask: Any) -> None:
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
    live: dict[int, list[tuple[int, Matcher]]] = {}
    error: StructgenError | None = None
    for i, matcher in enumerate(matchers):
        if isinstance(matcher, SideBySideMatcher):
            try:
                matcher.fill_next_token_bitmask(array, i)
            except StructgenError as failure:
                error = error or failure
        elif matcher._at[4]:
            array[i] = 0
        else:
            live.setdefault(id(matcher._lexicon), []).append((i, matcher))
    for members in live.values():
        rows, group = [i for i, _ in members], [matcher for _, matcher in members]
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
