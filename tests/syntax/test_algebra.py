"""The algebra of constraints: languages by brute force, masks, no dead ends, values, errors."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Hashable
from random import Random
from typing import Any

import numpy as np
import pytest

import structgen
from structgen import Vocabulary
from structgen.errors import (
    ConstraintError,
    LimitExceeded,
    RegexError,
    SchemaError,
    StructgenError,
    UnsatisfiableError,
    UnsupportedError,
)
from structgen.kernels import layout
from structgen.lexemes.dfa import literal
from structgen.machine.program import NodeAlternative, Program
from structgen.syntax import constraints as c
from tests.syntax.algebra import ALPHABET, Meaning, random_constraint

PIECES = [b"0", b"ab", b"a,", b',"', b'"a"', b"11", b"1,1", b"aab", b'b,"', b"aa", b"bbb"]
SMALL = Vocabulary.from_bytes(
    [*(ch.encode() for ch in ALPHABET), *PIECES, None, None, None],
    [len(ALPHABET) + len(PIECES)],
    special_tokens={"<x>": len(ALPHABET) + len(PIECES) + 1, "<y>": len(ALPHABET) + len(PIECES) + 2},
)
X = SMALL.special_tokens["<x>"]
WIDE = Vocabulary.from_bytes(
    [*(bytes([b]) for b in range(256)), b"ab", b'": ', b"</", None, None], [259], special_tokens={"<x>": 260}
)


@pytest.fixture(scope="module")
def compiler() -> structgen.Compiler:
    return structgen.Compiler(SMALL)


@pytest.fixture(scope="module")
def wide() -> structgen.Compiler:
    return structgen.Compiler(WIDE)


def mask_of(matcher: Any) -> np.ndarray:
    """bool [words * 32] of a matcher's mask."""
    rows = structgen.allocate_token_bitmask(1, matcher.lexicon.vocabulary.size)
    matcher.fill_next_token_bitmask(rows)
    return np.unpackbits(rows.view(np.uint8), bitorder="little").astype(bool)


def accepts(grammar: Any, text: str | bytes) -> bool:
    matcher = grammar.matcher()
    data = text.encode() if isinstance(text, str) else text
    return bool(matcher.accept_bytes(data)) and bool(matcher.is_accepting())


def check_language(grammar: Any, one: c.Constraint, at_most: int) -> int:
    """Every text of the alphabet: reached and accepted exactly where the oracle accepts it; masks, ends and completions on the way."""
    accepted = {
        text: Meaning(text).accepts(one)
        for n in range(at_most + 1)
        for text in map("".join, itertools.product(ALPHABET, repeat=n))
    }
    missing = {text[:n] for text, yes in accepted.items() if yes for n in range(1, len(text) + 1)}
    work = [("", grammar.matcher())]
    while work:
        text, matcher = work.pop()
        assert matcher.is_accepting() == accepted[text], text
        rest = matcher.shortest_text()
        whole = text.encode() + rest
        if b"\xff" not in whole:
            assert accepts(grammar, whole), whole
            assert Meaning(whole.decode()).accepts(one), whole
        mask = mask_of(matcher)
        if len(text) == at_most:
            continue
        for token in range(SMALL.size):
            fork = matcher.fork()
            data = SMALL.token_bytes[token]
            by_bytes = data is not None and fork.accept_bytes(data)
            if data is not None:
                assert bool(mask[token]) == by_bytes == matcher.is_token_allowed(token), (text, data)
            if by_bytes and len(data or b"") == 1:
                longer = text + (data or b"").decode()
                missing.discard(longer)
                if longer in accepted:
                    work.append((longer, fork))
    assert not missing, sorted(missing)[:5]
    return sum(accepted.values())


def test_languages_of_random_constraints(compiler: structgen.Compiler) -> None:
    n = texts = 0
    for seed in range(120):
        one = random_constraint(Random(seed))
        try:
            grammar = compiler.compile(one)
        except (UnsatisfiableError, UnsupportedError):
            continue
        n += 1
        try:
            texts += check_language(grammar, one, 4)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert n > 90, n
    assert texts > 500, texts


@pytest.mark.parametrize("regular", [True, False])
def test_intersections_accept_what_both_accept(compiler: structgen.Compiler, regular: bool) -> None:
    n = undecided = 0
    for seed in range(60):
        random = Random(f"{seed} {regular}")
        left, right = (random_constraint(random, 2, regular=regular) for _ in range(2))
        both = left & right
        try:
            grammar = compiler.compile(both)
        except UnsatisfiableError:
            texts = (t for k in range(5) for t in map("".join, itertools.product(ALPHABET, repeat=k)))
            assert not any(Meaning(text).accepts(both) for text in texts), seed
            continue
        except (UnsupportedError, LimitExceeded) as error:
            undecided += isinstance(error, LimitExceeded)
            continue
        n += 1
        try:
            check_language(grammar, both, 4)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert n > 10, n
    assert undecided <= 3


def test_walks_over_long_tokens(compiler: structgen.Compiler) -> None:
    """What a random walk under the mask ends with is in the language, and its value can be read from its tokens."""
    n = 0
    for seed in range(150):
        random = Random(f"walk {seed}")
        one = random_constraint(random)
        try:
            grammar = compiler.compile(one)
        except (UnsatisfiableError, UnsupportedError):
            continue
        matcher = grammar.matcher()
        for _ in range(random.randrange(6)):
            allowed = [t for t in np.flatnonzero(mask_of(matcher)[: SMALL.size]) if t not in SMALL.stop_token_ids]
            if not allowed:
                break
            assert matcher.accept_token(int(random.choice(allowed)))
        for token in matcher.shortest_completion():
            assert matcher.accept_token(token)
        assert matcher.is_accepting()
        text = matcher.text.decode()
        assert Meaning(text).accepts(one), text
        assert grammar.value(matcher.token_ids) == grammar.value(text)
        n += 1
    assert n > 100, n


def test_values_of_parts(wide: structgen.Compiler) -> None:
    number = c.json_schema({"type": "integer"})
    line = (
        "x="
        + number.named("x")
        + c.regex(r"(?P<unit>cm|m)?").optional()
        + number.repeated(0, 3, separator=";").named("more")
    )
    grammar = wide.compile(line)
    assert grammar.value("x=5m1;2;3") == {"x": 5, "unit": "m", "more": [1, 2, 3]}
    assert wide.compile(number | "none").value("none") == "none"
    assert wide.compile(number.repeated(separator=",")).value("1,2") == [1, 2]
    assert wide.compile(c.literal("a") + "b").value("ab") == "ab"
    assert wide.compile(c.text_until("</t>") + number).value("hi</t>7") == ["hi", 7]
    with pytest.raises(ConstraintError, match="does not obey"):
        grammar.value("x=")


@pytest.mark.parametrize(
    ("pattern", "dialect", "text"),
    [
        (r"(?P<year>\d{4})-(?P<month>\d\d)", "python", "2024-05"),
        (r"(?<year>\d{4})-(?<month>\d\d)$", "ecma", "2024-05"),
        (r"(?P<a>a|ab)(?P<b>c|bcd)(?P<d>d*)", "python", "abcd"),
    ],
)
def test_named_groups_are_those_of_re(wide: structgen.Compiler, pattern: str, dialect: Any, text: str) -> None:
    right = re.fullmatch(pattern.replace("(?<", "(?P<"), text)
    assert wide.compile_regex(pattern, dialect=dialect).value(text) == right.groupdict()


def test_the_dialect_matters(wide: structgen.Compiler) -> None:
    assert accepts(wide.compile_regex(r"\d"), "٣")
    assert not accepts(wide.compile_regex(r"\d", dialect="ecma"), "٣")
    assert accepts(wide.compile_regex("A", re.IGNORECASE), "a")


def test_random_patterns_are_re_fullmatch(wide: structgen.Compiler) -> None:
    random = Random(5)

    def pattern(depth: int) -> str:
        if depth == 0:
            return random.choice(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$", "é"])
        inner = pattern(depth - 1)
        kind = random.randrange(5)
        if kind == 0:
            return inner + pattern(depth - 1)
        if kind == 1:
            return f"(?:{inner}|{pattern(depth - 1)})"
        return f"(?:{inner})" + random.choice(["*", "+", "?", "{1,2}", "{2}", "*?"])

    for _ in range(80):
        text = pattern(3)
        try:
            grammar = wide.compile_regex(text)
        except (UnsatisfiableError, RegexError):
            continue
        for _ in range(40):
            word = "".join(random.choices("abé \n", k=random.randrange(5)))
            assert accepts(grammar, word) == bool(re.fullmatch(text, word)), (text, word)
            if grammar.matcher().accept_bytes(word.encode()):
                matcher = grammar.matcher()
                matcher.accept_bytes(word.encode())
                assert re.fullmatch(text, word + matcher.shortest_text().decode()), (text, word)


# -- free text and special tokens -----------------------------------------------------------------------------------------


def test_special_tokens_are_no_text(compiler: structgen.Compiler) -> None:
    grammar = compiler.compile(c.text_until(c.special_token("<x>"), "ab") + "a")
    matcher = grammar.matcher()
    mask = mask_of(matcher)
    assert mask[X]
    assert not mask[X + 1]
    assert matcher.accept_token(X)
    assert matcher.shortest_completion() == [0]
    assert matcher.accept_token(0)
    assert matcher.is_accepting()
    assert grammar.value(matcher.token_ids) == ""
    assert "special token '<x>'" in compiler.compile(c.special_token("<x>") + "a").matcher().explain(0)
    assert compiler.compile(c.special_token(X)).matcher().forced_tokens() == [X]
    for schema in ({}, {"type": "string"}):
        json_mask = mask_of(compiler.compile_json_schema(schema).matcher())
        assert not json_mask[X : X + 2].any()
    with pytest.raises(ConstraintError, match="<z>"):
        compiler.compile(c.special_token("<z>"))
    with pytest.raises(ConstraintError, match="no special token"):
        compiler.compile(c.special_token(0))


def test_masks_of_text_do_not_depend_on_special_tokens() -> None:
    """A vocabulary with every byte as a token: special ones change nothing for schemas and patterns."""
    tokens: list[bytes | None] = [*(bytes([b]) for b in range(256)), b"\xff\xff", b'a"', b", ", None, None]
    plain = structgen.Compiler(Vocabulary.from_bytes(tokens, [260]))
    special = structgen.Compiler(Vocabulary.from_bytes(tokens, [260], special_tokens={"<s>": 259}))
    for make in (
        lambda k: k.compile_json_schema({"type": "object", "properties": {"a": {"type": "string"}}}),
        lambda k: k.compile_regex("[^x]*é?"),
    ):
        pair = [make(k).matcher() for k in (plain, special)]
        for _ in range(8):
            masks = [mask_of(m) for m in pair]
            assert np.array_equal(*masks)
            token = int(np.flatnonzero(masks[0])[0])
            if token == 260:
                break
            assert all(m.accept_token(token) for m in pair)


def test_a_trigger_is_found_wherever_it_comes_first(wide: structgen.Compiler) -> None:
    grammar = wide.compile(c.text_until("aab", "aac"))
    for n in range(8):
        for text in map("".join, itertools.product("abc", repeat=n)):
            first = min((i + 3 for i in range(len(text)) if text[i : i + 3] in ("aab", "aac")), default=None)
            assert accepts(grammar, text) == (first == len(text)), text


# -- users' own constraints -----------------------------------------------------------------------------------------------


class Balanced:
    """Brackets that nest at most three deep: a user's own constraint."""

    def start(self) -> Hashable:
        return 0

    def advance(self, state: int, byte: int) -> Hashable | None:
        after = state + {ord("("): 1, ord(")"): -1}.get(byte, 9)
        return after if 0 <= after <= 3 else None

    def is_accepting(self, state: int) -> bool:
        return state == 0


class Endless(Balanced):
    def advance(self, state: int, byte: int) -> Hashable | None:
        return state + 1


class Broken(Balanced):
    def advance(self, state: int, byte: int) -> Hashable | None:
        raise KeyError("oops")


def test_a_constraint_in_python_is_one_among_others(wide: structgen.Compiler) -> None:
    grammar = wide.compile("<" + c.constraint(Balanced()) + ">")
    for n in range(7):
        for text in map("".join, itertools.product("()", repeat=n)):
            depths = list(itertools.accumulate((1 if ch == "(" else -1 for ch in text), initial=0))
            right = min(depths) >= 0 and max(depths) <= 3 and depths[-1] == 0
            assert accepts(grammar, f"<{text}>") == right, text
    assert wide.compile(Balanced()).value("()") == "()"
    with pytest.raises(LimitExceeded, match="finitely many"):
        wide.compile(Endless())
    with pytest.raises(ConstraintError, match="KeyError"):
        wide.compile(Broken())


class Brackets(c.Extension):
    """`s: "(" s ")" s | value | nothing`: a front-end of its own, with a schema within it."""

    def __init__(self) -> None:
        self.inner = c.json_schema({"type": "integer"})

    def bind(self, host: Any) -> Any:
        return _BracketRules(host, self.inner)

    def embedded(self) -> list[c.Constraint]:
        return [self.inner]


class _BracketRules:
    def __init__(self, host: Any, inner: c.Constraint) -> None:
        self.host, self.inner = host, inner

    def root(self, program: Program) -> tuple[int, bool]:
        self.s, self.close = program.new_node(), program.new_node()
        return self.s, True

    def compile_node(self, program: Program, node: int) -> None:
        def start(text: str) -> int:
            return self.host.lexicon.start_of(("bracket", text), lambda: literal(text).to_bytes("utf8"), recorded=False)

        if node == self.close:
            program.set_node(node, [NodeAlternative(start(")"), layout.ALT_SCALAR)])
            return
        parts = [(self.s, True), (self.close, False), (self.s, True)]
        value = program.add_sequence([self.host.node_of(program, self.inner)])
        program.set_node(
            node,
            [
                NodeAlternative(start("("), layout.ALT_SEQUENCE, program.add_sequence(parts)),
                NodeAlternative(0, layout.ALT_NODE, value),
            ],
        )

    def describe(self, program: Program, q: int, k: int) -> str:
        key = program.lexicon.key_of(q & layout.LOW)
        return f"a bracket {key[1]}" if isinstance(key, tuple) and key[0] == "bracket" else ""


def test_a_front_end_of_its_own_is_a_constraint(wide: structgen.Compiler) -> None:
    whole = (
        "<"
        + Brackets().named("b")
        + "|"
        + c.json_schema({"type": "array", "items": {"type": "boolean"}}).named("j")
        + ">"
    )
    grammar = wide.compile(whole)

    def ends(text: str, i: int) -> set[int]:
        found = {i, *(m.end() for k in range(len(text) + 1) if (m := re.compile("1+").fullmatch(text, i, k)))}
        if text.startswith("(", i):
            for j in ends(text, i + 1):
                if text.startswith(")", j):
                    found |= ends(text, j + 1)
        return found

    for n in range(7):
        for text in map("".join, itertools.product("()1", repeat=n)):
            assert accepts(grammar, f"<{text}|[true]>") == (n in ends(text, 0)), text
    assert grammar.value("<(1)()2|[true, false]>") == {"b": "(1)()2", "j": [True, False]}
    matcher = grammar.matcher()
    assert matcher.accept_bytes(b"<(")
    assert "a bracket (" in matcher.explain(ord("x"))
    assert "an integer" in matcher.explain(ord("x"))
    assert matcher.shortest_text() == b")|[]>"


# -- intersections --------------------------------------------------------------------------------------------------------


def test_an_intersection_of_schemas_runs_side_by_side(wide: structgen.Compiler) -> None:
    array = c.json_schema(
        {"type": "array", "items": {"type": "integer"}, "minItems": 2}, structgen.JsonOptions(whitespace="compact")
    )
    grammar = wide.compile(array & c.regex(r"\[1.*5\]"))
    matcher = grammar.matcher()
    assert matcher.shortest_text() == b"[1,5]"
    assert matcher.next_bytes().nonzero()[0].tolist() == [ord("[")]
    for text in ("[1,5]", "[1,2,35]", "[15]", "[2,5]", "[1,5"):
        try:
            value = json.loads(text)
            right = len(value) > 1 and text.startswith("[1") and text.endswith("5]")
        except ValueError:
            right = False
        assert accepts(grammar, text) == right, text
    assert grammar.value("[1,5]") == [1, 5]
    assert matcher.accept_bytes(b"[1")
    before = matcher.state_id
    token = ord(",")
    assert matcher.accept_token(token)
    matcher.rollback(1)
    assert matcher.state_id == before
    assert matcher.count_accepted([token, ord("5"), ord("]"), 259]) == 4
    assert "refused" in matcher.explain(ord("x"))
    rows = structgen.allocate_token_bitmask(2, WIDE.size)
    other = wide.compile_choice(["a"]).matcher()
    structgen.fill_next_token_bitmasks([matcher, other], rows)
    assert rows[0].any()
    assert rows[1].any()


def test_an_empty_intersection_is_refused(wide: structgen.Compiler) -> None:
    with pytest.raises(UnsatisfiableError):
        wide.compile(c.regex("a+") & c.regex("b+"))
    with pytest.raises(UnsatisfiableError):
        wide.compile(c.json_schema({"type": "integer"}) & c.regex('".*"'))
    with pytest.raises(UnsupportedError, match="outermost"):
        wide.compile("x" + (c.json_schema({"type": "array"}) & c.regex(".*")))


# -- errors ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: c.constraint(5), ConstraintError, "int is no constraint"),
        (lambda: c.literal(5), SchemaError, "string"),  # type: ignore[arg-type]
        (lambda: c.literal("\ud800"), SchemaError, "surrogate"),
        (lambda: c.regex("a("), RegexError, "missing"),
        (lambda: c.regex("a", 0, "perl"), SchemaError, "dialect"),  # type: ignore[arg-type]
        (lambda: c.choice([]), UnsatisfiableError, "nothing"),
        (lambda: c.choice("abc"), SchemaError, "list"),
        (lambda: c.text_until(), SchemaError, "at least one"),
        (lambda: c.text_until(""), SchemaError, "not empty"),
        (lambda: c.text_until("<a>", "x<a>y"), SchemaError, "can never come"),
        (lambda: c.literal("a").repeated(-1), SchemaError, "bounds"),
        (lambda: c.literal("a").repeated(2, 1), UnsatisfiableError, "at least 2"),
        (lambda: c.literal("a").named(""), SchemaError, "name"),
        (lambda: c.special_token(None), SchemaError, "name or id"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_said(make: Any, error: type[StructgenError], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_what_is_wrong_within_is_said_by_compile(wide: structgen.Compiler) -> None:
    number = c.json_schema({"type": "integer"})
    with pytest.raises(SchemaError, match="two parts"):
        wide.compile(number.named("n") + number.named("n"))
    with pytest.raises(SchemaError):
        wide.compile("a" + c.json_schema({"type": "nonsense"}))
    with pytest.raises(UnsupportedError, match="whitespace"):
        wide.compile(number + c.json_schema({}, structgen.JsonOptions(whitespace="compact")))
    with pytest.raises(UnsupportedError, match="both be empty"):
        wide.compile(c.regex("a*").repeated(separator=c.regex("b*")))


def test_two_schemas_keep_their_own_rules(wide: structgen.Compiler) -> None:
    """Objects with cores, unique items and named places of two schemas in one program."""
    one = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "minProperties": 1,
        "additionalProperties": {"type": "null"},
    }
    two = {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 2}
    grammar = wide.compile(c.json_schema(one) + "|" + c.json_schema(two) + "|" + c.json_schema(one))
    assert accepts(grammar, '{"b":null}|[1,3]|{"a":2,"x":null}')
    assert not accepts(grammar, '{"b":null}|[1,1]|{"a":2}')
    assert not accepts(grammar, '{}|[1,2]|{"a":2}')
    matcher = grammar.matcher()
    assert matcher.accept_bytes(b'{"a":4}|[2,')
    assert "listed values" in matcher.explain(ord("x")) or "numbers" in matcher.explain(ord("x"))
    assert matcher.accept_bytes(b'3]|{"a":')
    assert "#/properties/a" in matcher.explain(ord("x"))
    assert grammar.value('{"b":null}|[1,3]|{"a":2}') == [{"b": None}, [1, 3], {"a": 2}]


# -- limits ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "shortest", "yes", "no"),
    [
        ("a{100000}", 100_000, "a" * 100_000, "a" * 100_001),
        ("[a-z]{1,100000}", 1, "q" * 100_000, "q" * 100_001),
        ("x(?:ab|c){3,70000}y?", 4, "x" + "abc" * 2_000 + "y", "xabab"),
        ("(?:a{300}){2,200}", 600, "a" * 6_000, "a" * 6_001),
    ],
)
def test_large_counts_are_taken_apart(wide: structgen.Compiler, pattern: str, shortest: int, yes: str, no: str) -> None:
    grammar = wide.compile_regex(pattern)
    assert len(grammar.matcher().shortest_text()) == shortest
    assert accepts(grammar, yes)
    assert not accepts(grammar, no)


def test_pieces_of_patterns_are_the_patterns(wide: structgen.Compiler) -> None:
    """With small limits every count is large."""
    compiler = structgen.Compiler(WIDE, limits=structgen.Limits(max_dfa_states=1500))
    for least, most in ((0, 1600), (5, 3000), (1700, None), (1600, 1650), (1281, 2562)):
        pattern = f"b?(?:a|cc){{{least},{'' if most is None else most}}}d?"
        grammar = compiler.compile_regex(pattern)
        for n in {
            0,
            1,
            least - 1,
            least,
            least + 1,
            128,
            1279,
            1280,
            1281,
            2000,
            (most or 0) - 1,
            most or 0,
            (most or 0) + 1,
        }:
            if n >= 0:
                for text in ("a" * n, "b" + "cc" * n + "d"):
                    assert accepts(grammar, text) == bool(re.fullmatch(pattern, text)), (pattern, n)
        assert re.fullmatch(pattern, grammar.matcher().shortest_text().decode())
        assert grammar.value("a" * max(least, 7)) == "a" * max(least, 7)
    with pytest.raises(LimitExceeded):
        compiler.compile_regex(r"(?:\ba){2000}")


def test_deep_and_wide_constraints_end_in_an_answer(wide: structgen.Compiler) -> None:
    one: c.Constraint = c.literal("a")
    for i in range(3_000):
        one = (one | "b").named(f"n{i}")
    with pytest.raises(LimitExceeded, match="nesting"):
        wide.compile(one)
    many = wide.compile(c.regex("a").repeated(100_000, 100_000))
    assert len(many.matcher().shortest_completion()) == 100_000
    ambiguous = wide.compile(c.regex("a|aa").repeated())
    assert accepts(ambiguous, "a" * 2_000)
    assert accepts(wide.compile(""), "")
