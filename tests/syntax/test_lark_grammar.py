"""The reader of grammars: the language itself, its library, GBNF, what is embedded, `match`, and bad input."""

from __future__ import annotations

import contextlib
import itertools
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import lark
import pytest

import structgen
from structgen import (
    ConstraintError,
    GrammarSyntaxError,
    GrammarWarning,
    LimitExceeded,
    SchemaError,
    UnsatisfiableError,
    Vocabulary,
    compile_grammar,
)
from structgen.errors import Limits
from structgen.syntax.lark.common import MODULES
from structgen.syntax.lark.loading import load_grammar
from structgen.syntax.lark.rules import plain_rules
from structgen.syntax.lark.terminals import Terminal
from tests.syntax.lark_oracle import VOCABULARY, compiler, oracle, parses, texts


def accepted(grammar: str, *words: str, **options: str) -> list[bool]:
    compiled = compile_grammar(grammar, **options)  # type: ignore[arg-type]
    return [compiled.match(word).accepted for word in words]


# -- the language --------------------------------------------------------------------------------------------------------------------


def test_aliases_modifiers_comments_and_continued_lines() -> None:
    grammar = (
        """
    // a comment
    start: a   # another
        | b -> bee

        // between alternatives
        | !c
    """.replace("!c", "c")
        + '?a.2: "a" \\\n "a"\n!b: ["b"] "c"\n?!c: "d"i\n'
    )
    assert accepted(grammar, "aa", "c", "bc", "D", "a", "b") == [True, True, True, True, False, False]


def test_escapes_in_strings_and_patterns_are_larks() -> None:
    for literal in (
        r'"\n"',
        r'"\x41\""',
        r'"\\"',
        r'"\d"',
        r'"é\u00e9"',
        r"/\n/",
        r"/[\x41-\x43]/",
        r"/\//",
        r"/\d\./",
        r"/\"/",
        r'"A"i',
    ):
        grammar = f"start: {literal}"
        parser = oracle(grammar, "dynamic")
        compiled = compile_grammar(grammar)
        for word in ("\n", 'A"', "\\", "\\d", "éé", "A", "a", "C", "/", "1.", '"', "d"):
            assert compiled.match(word).accepted == parses(parser, word), (literal, word)


def test_templates_repeat_and_call_each_other() -> None:
    grammar = 'start: list{pair{"a"}}\nlist{x}: x ("," x)*\npair{y}: y "=" y\n'
    assert accepted(grammar, "a=a", "a=a,a=a", "a", "a=a,") == [True, True, False, False]


def test_extend_override_and_relative_imports(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "words.lark").write_text(
        'word: LETTER+ | other\nother: "!" suffix\nsuffix: "?"\nLETTER: "a".."c"\n'
    )
    grammar = 'start: word\n%import .parts.words.word\n%import .parts.words (suffix)\n%extend suffix: "#"\n%override word: "w" suffix\n'
    folder = str(tmp_path)
    assert accepted(grammar, "w?", "w#", "abc", "!?", folder=folder) == [True, True, False, False]
    grammar = "start: parola\n%import .parts.words.word -> parola\n"
    assert accepted(grammar, "abc", "!?", "w", folder=folder) == [True, True, False]
    with pytest.raises(GrammarSyntaxError, match=r"words\.lark.* cannot be read|defines no"):
        compile_grammar("start: x\n%import .parts.words.x\n", folder=folder)
    with pytest.raises(GrammarSyntaxError, match="cannot be read"):
        compile_grammar("start: x\n%import .nowhere.x\n", folder=folder)


@pytest.mark.parametrize("module", MODULES)
def test_library_matches_what_larks_does(module: tuple[str, ...]) -> None:
    """Each terminal of the library takes the same match at the begin of every short text, and sorts like Lark's."""
    for name in re.findall(r"^(\w+):", MODULES[module], re.MULTILINE):
        grammar = f'start: {name} | Q{name}\nQ{name}: "\'" {name} "\'"\n%import {module[0]}.{name}\n'
        wanted = f"Q{name}" if name.startswith("_STRING") else name
        theirs = {
            t.name: t for t in lark.Lark(grammar.replace(f"{name} | Q", "Q") if wanted[0] == "Q" else grammar).terminals
        }[wanted]
        if wanted[0] == "Q":
            grammar = grammar.replace(f"{name} | Q", "Q")
        terminals = plain_rules(load_grammar(grammar), "start", "nested", Limits()).terminals
        ours = next(t for t in terminals if isinstance(t, Terminal) and t.name == wanted)
        assert ours.expression.length == len(theirs.pattern.value), name
        assert ours.width[0] == theirs.pattern.min_width, name
        letters = "\"'\\a\n" if "STRING" in name else "/*-#\n" if "COMMENT" in name else "1.eE+_a \t\xa0\n"
        expression = re.compile(theirs.pattern.to_regexp())
        for word in texts(letters, 4 if len(letters) < 6 else 3):
            match = expression.match(word)
            assert preferred_end(ours, word) == (match.end() if match else 0), (name, word)


def preferred_end(terminal: Terminal, word: str) -> int:
    dfa, state, end = terminal.preferred, terminal.preferred.start, 0
    for i, c in enumerate(word):
        state = int(dfa.trans[state, dfa.class_of(ord(c))])
        if dfa.tags[state] >= 0:
            end = i + 1
    return end


@pytest.mark.parametrize("pattern", [
    "a*?b|ab", "(a|ab)(c|bcd)?", "(?:a|b)*?ab", "a??b", "(ab|a)+b?", "[ab]{1,3}?b", "(a*)*b", "(a|b){2,3}c?", "(?i:aB)|a", "(?:a+?|b)+c??",
])  # fmt: skip
def test_preferred_matches_are_those_of_re(pattern: str) -> None:
    terminals = plain_rules(load_grammar(f'start: T\nT: /{pattern}/ "x"?'), "start", "nested", Limits()).terminals
    expression = re.compile(f"{pattern}(?:x)?")
    assert isinstance(terminals[0], Terminal)
    for word in texts("abcx", 6):
        match = expression.match(word)
        assert preferred_end(terminals[0], word) == (match.end() if match else 0), word


LOOKING = [
    ('start: (/a(?!b)/ | "b")+', "ab"),
    ('start: (N|"+")+\nN: /(?!ab\\b)[ab1]+/', "ab1+"),
    ('start: (N|"+")+\nN: /(?!ab)[ab1]+/', "ab1+"),
    ('start: (K|N|" ")+\nN: /(?!(?:ab|b)\\b)[ab]+/\nK: /ab\\b/', "ab "),
    ('start: N* M?\nN: /a(?!ab\\b)/\nM: "ab" "1"?', "ab1"),
    ("start: K N?\nK: /a(?=b)b/\nN: /b[ab](?<!a)b/", "ab"),
]


@pytest.mark.parametrize(("grammar", "letters"), LOOKING)
@pytest.mark.parametrize("lexer", ["dynamic", "dynamic_complete"])
def test_look_around_sees_beyond_its_terminal(grammar: str, letters: str, lexer: str) -> None:
    compiled = compiler().compile_grammar(grammar, lexer=lexer)
    parser = oracle(grammar, lexer)
    for word in texts(letters, 5):
        assert compiled.match(word).accepted == parses(parser, word), word


@pytest.mark.parametrize("pattern", [r"a\b1?", r"1?\ba", "^a", "a$", "a(?!ab)|b", "a+(?!b)", "(?<=b)a"])
def test_look_around_that_is_not_exact_is_refused(pattern: str) -> None:
    with pytest.raises(GrammarSyntaxError, match="no automaton is known to be exact"):
        compile_grammar(f'start: (T | "b")+\nT: /{pattern}/')


# -- GBNF, schemas, special tokens ---------------------------------------------------------------------------------------------------

GBNF = r"""
# lists of things
root  ::= "[" ws (thing ("," ws thing)*)? "]" ws
thing ::= Word | num{1,2} | "\"" [^"\\\x00-\x1f]* "\"" | ( "é" |
    "\u00e8" )
Word  ::= [a-c] [-a-c]{0,2}
num   ::= [0-9]
ws    ::= " "?
"""


def test_gbnf() -> None:
    words = ["[]", "[ a,b-c,12]", '["x y", é]', "[è]", "[abcd]", "[123]", "[a", "[-a]"]
    assert accepted(GBNF, *words) == [True, True, True, True, False, False, False, False]
    assert accepted('a ::= "x" b\n b::=[^]', "xy", start="a") == [True]


@pytest.mark.parametrize(("text", "message"), [
    ("root ::= (a", r"this \( is not closed"), ("root ::= [a", "not closed on its line"), ('root ::= "a" }', "unexpected '}'"),
    ("root ::= b", "b is not defined"), ('root ::= "a"{3,2}', "no range"), ('root ::= "\\q"', "unknown escape"),
    ("root ::= [b-a]", "comes after"), ("root ::= []", "empty set"), ('root ::= "a"\nb c', "expected `::=`"),
])  # fmt: skip
def test_bad_gbnf_is_shown_with_a_caret(text: str, message: str) -> None:
    with pytest.raises(GrammarSyntaxError, match=rf"(?s){message}.*line \d+, column \d+.*\^"):
        compile_grammar(text)


def test_json_schemas_in_grammars() -> None:
    grammar = 'start: NAME "(" %json {"type": "array", "items": {"type": "integer"}} ")"\nNAME: /[a-z]+/\n%ignore " "\n'
    assert accepted(grammar, "f([1, 2] )", "f ( [] )", 'f(["a"])', "f([1]") == [True, True, False, False]
    with pytest.raises(SchemaError):
        compile_grammar('start: %json {"type": "nonsense"}')


def test_declared_terminals_are_special_tokens() -> None:
    vocabulary = Vocabulary.from_bytes([None, b"a", b"b", None], [0], special_tokens={"<|call|>": 3})
    grammar = compile_grammar(
        'start: "a" CALL "b"\n%declare CALL\n', vocabulary=vocabulary, tokens={"CALL": "<|call|>"}
    )
    matcher = grammar.matcher()
    assert [matcher.accept_token(t) for t in (3, 1, 1, 3, 2)] == [False, True, False, True, True]
    assert matcher.is_accepting()
    with pytest.raises(GrammarSyntaxError, match="only declared"):
        compile_grammar("start: CALL\n%declare CALL\n")
    with pytest.raises(ConstraintError):
        compile_grammar("start: CALL\n%declare CALL\n", tokens={"CALL": "<|other|>"})


def test_grammars_are_constraints() -> None:
    number = structgen.grammar("start: /[0-9]+/")
    compiled = compiler().compile(structgen.literal("(") + number + ")" + number.repeated(1, 2, separator=","))
    matcher = compiled.matcher()
    assert matcher.accept_bytes(b"(1)1,11")
    assert matcher.is_accepting()
    assert not matcher.accept_bytes(b",,")


def test_generate_with_a_grammar() -> None:
    grammar = 'start: "yes" | "no" /[a-c]{2}/'
    result = structgen.generate("tiny", "Well?", grammar=grammar, max_new_tokens=20)
    assert re.fullmatch("yes|no[a-c]{2}", result.text)


# -- match ---------------------------------------------------------------------------------------------------------------------------

SUM = 'start: NUMBER (("+" | "-") NUMBER)*\n%import common.NUMBER\n%import common.WS\n%ignore WS\n'


def test_match_says_where_and_what() -> None:
    grammar = compile_grammar(SUM)
    whole = grammar.match("1 + 2")
    assert whole.accepted
    assert whole.is_prefix
    assert bool(whole)
    assert str(whole) == "accepted"
    early = grammar.match("1 +\n")
    assert not early.accepted
    assert early.is_prefix
    assert (early.valid, early.line, early.column, early.may_end) == ("1 +\n", 2, 1, False)
    assert any(e.what == "NUMBER" and re.fullmatch(r"\s*\d", e.example) for e in early.expected)
    wrong = grammar.match("1 + 2\n  é 3")
    assert (wrong.position, wrong.line, wrong.column, wrong.may_end) == (8, 2, 3, True)
    assert wrong.valid == "1 + 2\n  "
    assert "'é' cannot stand here (line 2, column 3)" in str(wrong)
    assert '"+" or "-"' in str(wrong)
    assert str(wrong).endswith("\n    é 3\n    ^")


def test_longest_valid_prefix_is_the_longest() -> None:
    grammar = compile_grammar('start: ("ab" | "é" "1")*')
    for word in map("".join, itertools.product("abé1", repeat=5)):
        found = grammar.match(word)
        matcher = grammar.matcher()
        n = 0
        while n < len(word) and matcher.accept_bytes(word[n].encode()):
            n += 1
        assert found.valid == word[:n]
        assert found.is_prefix == (n == len(word))


def test_explain_names_terminals() -> None:
    grammar = compiler().compile_grammar('start: N "+" N\nN: /1+/')
    matcher = grammar.matcher()
    assert matcher.accept_bytes(b"1")
    token = next(i for i, b in enumerate(VOCABULARY.token_bytes) if b == b"(")
    assert '"+"' in matcher.explain(token)


# -- bad input -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "message"), [
    ("start: b", r"the rule b is not defined \(line 1, column 8\)"), ("start: B", "the terminal B is not defined"),
    ("start: b{start}", "the template b is not defined"), ('start: "a" (', r"this \( is not closed"), ('start: ["a" | \n', "not closed"),
    ('start: "a', "not closed on its line"), ("start: /a", "not closed"), ("start: 'a'", "double quotes"), ('Start: "a"', "all lower case"),
    ('start "a"', "expected `:`"), ('start: "a" ]', "expected a value, `|` or the end"), ('start: "a"??', "two repetitions"),
    ('start: "b".."a"', "comes after"), ('start: "ab".."c"', "single characters"), ('start: "a"~3..2', "no range"), ('start: ""', "empty"),
    ("start: A\nA: /a*/", "matches the empty text"), ("start: A\nA: B\nB: A", "contains itself"),
    ("start: A\nA: start", "stands in a terminal"),
    ("start: A\nA: /(/", "terminal A: missing"), ("start: /(a)\\1/", "back-reference"), ('start: "a"\nstart: "b"', "a second time"),
    ('start: "a"\n%override b: "c"', "no rule b to %override"), ('start: "a"\n%extend b: "c"', "no rule b to %extend"),
    ("%import common.NOPE\nstart: NOPE", "defines no NOPE"), ("%import nope.X\nstart: X", "no grammar nope"),
    ("%frobnicate", "unknown directive"),
    ("start: x{start}\nx{a, b}: a b", "takes 2 arguments, not 1"), ("start: x\nx{a, a}: a", "listed twice"), ('__a: "b"', "reserved"),
    ('start: %json {"a": }', "needs a JSON Schema"), ('start: "a" -> B', "lower case"), ("start: /a/l", "locale"),
    ('%ignore WS\nstart: "a"', "WS"),
    ('a: "a"', "no rule 'start'"), ("", "no rule 'start'"), ("start: @", "unexpected character"), ("%declare\n", "name of a terminal"),
])  # fmt: skip
def test_bad_grammars_are_shown_with_line_column_and_caret(text: str, message: str) -> None:
    with pytest.raises(GrammarSyntaxError, match=rf"(?s){re.escape(message) if '|' in message else message}") as caught:
        compile_grammar(text)
    shown = str(caught.value)
    assert re.search(r"line \d+, column \d+", shown)
    if text:
        assert shown.endswith("^")


def test_errors_after_a_rebuild_leave_nothing_behind() -> None:
    own = compiler()
    with pytest.raises(GrammarSyntaxError):
        own.compile_grammar("start: (")
    assert own.compile_grammar('start: "a"').match("a")


@pytest.mark.filterwarnings("ignore::structgen.GrammarWarning")
def test_grammars_without_a_text_are_refused() -> None:
    for text in ('start: start "a"', "start: a\na: b\nb: a", 'start: a b\na: "x"\nb: b', "start: /[^\\s\\S]/"):
        with pytest.raises(UnsatisfiableError, match="no finite text"):
            compile_grammar(text)
    # each terminal has a text, but the first always takes what the second one needs
    with pytest.raises(UnsatisfiableError, match="no finite text"):
        compile_grammar("start: A B\nA: /a+/\nB: /a/")
    assert compile_grammar("start: A B\nA: /a+/\nB: /a/", lexer="dynamic_complete").match("aa")


def test_warnings_for_what_is_probably_not_meant() -> None:
    with pytest.warns(GrammarWarning, match=r"the rule b \(line 2\) is never used"):
        compile_grammar('start: "a"\nb: "c"')
    with pytest.warns(GrammarWarning, match="the rule b derives no finite text"):
        assert accepted('start: "a" | b\nb: b "c"', "a", "c") == [True, False]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_grammar('start: a\na: b | "x"\nb: a')  # rules in a circle are harmless


def test_contextual_refuses_conflicts_by_name() -> None:
    with pytest.raises(GrammarSyntaxError, match=r'after e comes "\+".*shift/reduce'):
        compile_grammar('start: e\ne: e "+" e | "1"', lexer="contextual")
    with pytest.raises(GrammarSyntaxError, match="reduce/reduce"):
        compile_grammar('start: a | b\na: "x"\nb: "x"', lexer="contextual")
    with pytest.raises(GrammarSyntaxError, match="lexer must be one of"):
        compile_grammar('start: "x"', lexer="basic")


def long_chain(n: int) -> str:
    return "start: r0\n" + "".join(f'r{i}: "a" r{i + 1} | r{i + 1}? "b"\n' for i in range(n)) + f'r{n}: "z"\n'


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "rules in a chain": (lambda: long_chain(2000), "a"),
    "optional parts": (lambda: "start: " + '"a"? ' * 2000, "aaa"),
    "left recursion through many rules": (
        lambda: "start: r0\n" + "".join(f'r{i}: r{(i + 1) % 500} "a" | "b"\n' for i in range(500)), "ba"),
    "two ways at each of many rules": (
        lambda: "start: r0\n" + "".join(f"r{i}: r{i + 1} | r{i + 1} r{i + 1}\n" for i in range(60)) + 'r60: "a"\n', "a"),
    "nothing at each of many rules": (
        lambda: "start: r0\n" + "".join(f"r{i}: r{i + 1}? r{i + 1}?\n" for i in range(60)) + 'r60: "a"?\n', ""),
    "high counts": (lambda: 'start: "a"~0..20000', "aaa"),
    "counts of counts": (lambda: 'start: (("a"~1000)~1000)~1000', "a"),
    "a terminal that explodes": (lambda: "start: /.*a.{40}/", "a"),
    "(a|a)*b": (lambda: "start: /(a|a)*b/ (/a/ | /a/)*", "aaba"),
    "ambiguity": (lambda: 'start: start start start | start start | "a" | ', "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    "deep parentheses": (lambda: "start: " + "(" * 5000 + '"a"' + ")" * 5000, "a"),
    "a template without end": (lambda: 'start: t{"a"}\nt{x}: x | t{u{x}}\nu{x}: x x\n', "a"),
    "doubling terminals": (
        lambda: "".join(f"A{'I' * i}: A{'I' * (i + 1)} A{'I' * (i + 1)}\n" for i in range(40)) + f'A{"I" * 40}: "a"\nstart: A', "a"),
}  # fmt: skip


@pytest.mark.parametrize("lexer", ["dynamic", "dynamic_complete", "contextual"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_grammars_end_in_an_answer_or_a_named_error(name: str, lexer: str) -> None:
    make, text = HOSTILE[name]
    with contextlib.suppress(LimitExceeded, GrammarSyntaxError, UnsatisfiableError):
        assert compile_grammar(make(), lexer=lexer).match(text).is_prefix
