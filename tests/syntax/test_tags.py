"""Templates and structural tags: values round-trip, triggers switch constraints on wherever they come."""

from __future__ import annotations

import enum
import itertools
import re
from random import Random
from typing import Any, Literal

import numpy as np
import pytest

import structgen
from structgen import TagValue, Vocabulary, json_schema, marker, regex, special_token, structural_tags, tag, template
from structgen.errors import SchemaError
from tests.syntax.test_algebra import accepts, mask_of

TOKENS = [*(bytes([b]) for b in range(256)), b"ab", b"<t>", b"x<", b"</", b'{"', None, None]
WIDE = Vocabulary.from_bytes(TOKENS, [len(TOKENS) - 2], special_tokens={"<x>": len(TOKENS) - 1})
X = WIDE.special_tokens["<x>"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@pytest.fixture(scope="module")
def compiler() -> structgen.Compiler:
    return structgen.Compiler(WIDE)


def walk(grammar: Any, random: Random, n: int) -> list[int]:
    """The tokens of a random whole text."""
    matcher = grammar.matcher()
    for _ in range(n):
        allowed = np.flatnonzero(mask_of(matcher)[: WIDE.size])
        letters = [t for t in allowed if t not in WIDE.stop_token_ids and (t >= 256 or 32 <= t < 127)]
        if not letters:
            break
        assert matcher.accept_token(int(random.choice(letters)))
    for token in matcher.shortest_completion():
        assert matcher.accept_token(token)
    assert matcher.is_accepting()
    return list(matcher.token_ids)


# -- templates ------------------------------------------------------------------------------------------------------------------


def test_what_is_filled_in_is_what_is_read(compiler: structgen.Compiler) -> None:
    one = template(
        "Name: {name}, age {age} {{{c}}} {s} {tail}", name=str, age=int, c=Colour, s=Literal["a", "b"], tail=str
    )
    grammar = compiler.compile(one)
    random = Random(1)
    for _ in range(60):
        name = "".join(random.choices("ab ,a", k=random.randrange(1, 6)))
        values = {
            "name": name,
            "age": random.randrange(-5, 500),
            "c": random.choice(list(Colour)),
            "s": random.choice("ab"),
            "tail": "".join(random.choices("xyz {", k=random.randrange(1, 4))),
        }
        text = f"Name: {name}, age {values['age']} {{{values['c'].value}}} {values['s']} {values['tail']}"
        is_first = f"{name}, age ".index(", age ") == len(name)
        assert accepts(grammar, text) == is_first, text
        if is_first:
            assert grammar.value(text) == values


def test_random_texts_of_a_template_can_be_read(compiler: structgen.Compiler) -> None:
    grammar = compiler.compile(
        template("{a}-{b};{c}", a=str, b=regex(r"(?P<d>\d)|x"), c={"type": "array", "items": {"type": "integer"}})
    )
    for seed in range(25):
        tokens = walk(grammar, Random(seed), 6)
        value = grammar.value(tokens)
        text = WIDE.decode(tokens).decode()
        assert text.startswith(value["a"] + "-")
        assert "-" not in value["a"]
        assert isinstance(value["c"], list)


@pytest.mark.parametrize(
    ("text", "holes", "message"),
    [
        ("{a}", {}, "no constraint"),
        ("{a}", {"a": int, "b": int}, "no hole"),
        ("{a}{a}", {"a": int}, "comes twice"),
        ("{a}{b}", {"a": str, "b": int}, "no end"),
        ("{a", {"a": int}, "cannot be read"),
        ("{a:5}", {"a": int}, "name in braces"),
        ("{}", {}, "name in braces"),
        (5, {}, "string"),
    ],
)
def test_templates_that_are_none(text: Any, holes: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        template(text, **holes)


# -- tags -----------------------------------------------------------------------------------------------------------------------


def test_tags_in_text(compiler: structgen.Compiler) -> None:
    tags = [
        tag("<f=a>", json_schema(int), "</f>", trigger="<f="),
        tag("<f=b>", json_schema(bool), "</f>", trigger="<f="),
        tag(special_token("<x>"), "hey"),
        tag(marker("<m>"), regex("z+"), marker("</m>")),
    ]
    grammar = compiler.compile(structural_tags(tags))
    text = "hello <f=a>5</f><f=b>true</f> and <m>zz</m> end"
    assert grammar.value(text) == [
        "hello ",
        TagValue("<f=a>", 5),
        TagValue("<f=b>", True),
        " and ",
        TagValue("<m>", "zz"),
        " end",
    ]
    assert grammar.value([*b"hi", X, *b"hey you"]) == ["hi", TagValue("<x>", "hey"), " you"]
    assert grammar.value("") == []
    assert not accepts(grammar, "a <f=c>")
    assert accepts(grammar, "a <f> b < m")
    matcher = grammar.matcher()
    assert matcher.accept_bytes(b"abc <f=")
    assert not matcher.is_accepting()
    assert matcher.shortest_text() == b"a>0</f>"


def test_texts_with_tags_by_brute_force(compiler: structgen.Compiler) -> None:
    """Over a small alphabet: a text is accepted exactly if cutting it at the first trigger, again and again, leaves whole tags."""
    grammar = compiler.compile(
        structural_tags([tag("ab", regex("c+"), "a"), tag("aab", regex("b?"), "", trigger="aa")], most=2)
    )

    def is_right(text: str, n: int = 2) -> bool:
        first = re.search("ab|aa", text)
        if first is None:
            return True
        if n == 0:
            return False
        rest = text[first.start() :]
        ends = [m.end() for k in range(len(rest) + 1) if (m := re.fullmatch("abc+a|aabb?", rest[:k]))]
        return any(is_right(rest[end:], n - 1) for end in ends)

    for n in range(9):
        for text in map("".join, itertools.product("abc", repeat=n)):
            if n < 7 or Random(text).random() < 0.15:
                assert accepts(grammar, text) == is_right(text), text


def test_random_texts_with_tags_can_be_read(compiler: structgen.Compiler) -> None:
    grammar = compiler.compile(
        structural_tags([tag("<t>", json_schema({"enum": [1, 23]}), "</t>"), tag(special_token("<x>"), "y")], least=1)
    )
    for seed in range(25):
        tokens = walk(grammar, Random(seed), 8)
        pieces = grammar.value(tokens)
        found = [p for p in pieces if isinstance(p, TagValue)]
        assert found
        back = "".join(p if isinstance(p, str) else {"<t>": f"<t>{p.value}</t>", "<x>": "y"}[p.begin] for p in pieces)
        assert back == WIDE.decode(tokens).decode()


def test_a_marker_is_a_special_token_where_there_is_one(compiler: structgen.Compiler) -> None:
    grammar = compiler.compile(structural_tags([tag(marker("<x>") + "\n", "y", "")], least=1, text=False))
    assert grammar.matcher().is_token_allowed(X)
    assert not grammar.matcher().is_token_allowed(ord("<"))
    assert grammar.value([X, *b"\ny"]) == [TagValue("<x>\n", "y")]
    lists = compiler.compile(structural_tags([tag("[", json_schema(int), "]")], least=1, text=False, between=", "))
    assert lists.value("[4], [5]") == [TagValue("[", 4), TagValue("[", 5)]


def test_tags_that_are_none() -> None:
    for wrong, message in (
        (lambda: structural_tags([]), "at least one"),
        (lambda: tag("", "a"), "begins with"),
        (lambda: tag(regex("a"), "a"), "begins with"),
        (lambda: tag("<a>", "a", trigger="b"), "no beginning"),
        (lambda: structural_tags([tag("a", "b")], least=-1), "bounds"),
        (lambda: structgen.Compiler(WIDE).compile(structural_tags([tag("<a", "b"), tag("x<a>", "b")])), "never come"),
    ):
        with pytest.raises(SchemaError, match=message):
            wrong()
