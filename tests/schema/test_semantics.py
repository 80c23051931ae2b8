# ruff: noqa: E501 - tables, one case a line
"""What users meet: the order of properties, numbers beyond floats, lengths and escapes of strings; each against the judge.

Every table is a list of (schema, texts). A text is accepted exactly when the judge finds its value valid, unless the option at hand
narrows the spelling; then the table says what is accepted.
"""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pytest

from structgen import Compiler, JsonOptions, Vocabulary, allocate_token_bitmask
from tests.machine import walks
from tests.schema.judge import Judge, dumps, spelled_number, spelled_string

ANY = JsonOptions(property_order="any", whitespace="any", integers="spec", escapes="any")
COMPACT = JsonOptions(property_order="any", whitespace="compact")


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return Compiler(walks.byte_vocabulary())


def accepts(compiler: Compiler, schema: Any, text: str, options: JsonOptions = ANY) -> bool:
    matcher = compiler.compile_json_schema(dumps(schema), options).matcher()
    return bool(matcher.accept_bytes(text.encode("utf-8")) and matcher.is_accepting())


def outputs(compiler: Compiler, schema: Any, options: JsonOptions, n: int) -> list[str]:
    """Texts of random walks, ended by the shortest completion."""
    kinds = walks.Kinds(compiler.vocabulary)
    out = []
    for seed in range(n):
        matcher = compiler.compile_json_schema(dumps(schema), options).matcher()
        for _ in walks.walk(matcher, Random(seed), kinds, walks.STYLES[seed % 4], 5 + seed % 25):
            pass
        out.append(walks.complete(matcher).decode())
    return out


# -- numbers --------------------------------------------------------------------------------------------------------------------------

D = Decimal
NUMBER_SCHEMAS: list[Any] = [
    {"multipleOf": D("0.01")},
    {"type": "number", "multipleOf": D("0.01"), "minimum": D("0.1"), "maximum": D("0.3")},
    {"multipleOf": D("0.1"), "exclusiveMinimum": D("-0.3")},
    {"multipleOf": D("0.0001")},
    {"allOf": [{"multipleOf": D("0.06")}, {"multipleOf": D("0.04")}]},
    {"type": "integer", "multipleOf": D("1.5")},
    {"minimum": D("0.1"), "maximum": D("0.1")},
    {"minimum": D("0.30000000000000001"), "maximum": D("0.30000000000000003")},
    {"exclusiveMinimum": 9007199254740992, "exclusiveMaximum": 9007199254740994},
    {"type": "integer", "minimum": 10**30, "maximum": 10**30 + 10},
    {"const": 123456789012345678901234567890},
    {"const": D("0.1")},
    {"enum": [D("1.10"), D("100"), D("-0.0"), D("1E+2"), D("1.5E-3")]},
    {"type": "integer"},
    {"type": "number"},
    {"minimum": 0},
    {"maximum": 0},
    {"exclusiveMinimum": 0},
    {"exclusiveMaximum": 0},
    {"type": "integer", "minimum": D("0.5"), "maximum": D("1.5")},
    {"type": "integer", "minimum": D("-0.5"), "maximum": D("0.5")},
]  # fmt: skip
NUMBERS: list[str] = [
    *(
        "0",
        "-0",
        "0.0",
        "-0.0",
        "-0.00",
        "1",
        "-1",
        "1.0",
        "1.00",
        "1.5",
        "-1.5",
        "3",
        "6",
        "0.12",
        "0.06",
        "0.04",
        "0.24",
        "100",
        "1000",
    ),
    *(
        "0.1",
        "0.10",
        "0.3",
        "0.29",
        "0.30",
        "0.300",
        "0.31",
        "0.2",
        "0.15",
        "0.105",
        "-0.3",
        "-0.2",
        "-0.31",
        "19.99",
        "19.999",
        "4.35",
        "1.1",
    ),
    *(
        "0.30000000000000001",
        "0.300000000000000020",
        "0.30000000000000004",
        "0.29999999999999999",
        "0.1000000000000000055511151231257827",
    ),
    *(
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        "9007199254740993.0",
        "9007199254740992.5",
        "0.0015",
        "0.0001",
        "0.00015",
    ),
    *(
        "1000000000000000000000000000000",
        "1000000000000000000000000000005",
        "1000000000000000000000000000011",
        "999999999999999999999999999999",
    ),
    *(
        "123456789012345678901234567890",
        "123456789012345678901234567891",
        "123456789012345678901234567890.0",
        "123456789012345678901234567890.5",
    ),
]
NOT_NUMBERS = (
    "01",
    "-",
    "+1",
    ".5",
    "1.",
    "--1",
    "1e",
    "0x1",
    "NaN",
    "Infinity",
    "-Infinity",
    "1_000",
    "1,5",
    "00",
    "-01",
    "1.5.2",
    "",
)


@pytest.mark.parametrize("schema", NUMBER_SCHEMAS, ids=dumps)
def test_numbers_are_judged_by_their_exact_value(compiler: Compiler, schema: Any) -> None:
    judge = Judge(schema)
    for text in NUMBERS:
        assert accepts(compiler, schema, text) == judge.valid_text(text), text
    for text in NOT_NUMBERS:
        assert not accepts(compiler, schema, text), text
    random = Random(dumps(schema))
    for text in NUMBERS:
        spelled = spelled_number(random, D(text), exponents=True)
        if not judge.valid_text(spelled):
            assert not accepts(compiler, schema, spelled), spelled
    for text in outputs(compiler, schema, ANY, 8):
        assert judge.valid_text(text), text


@pytest.mark.parametrize("schema", NUMBER_SCHEMAS, ids=dumps)
def test_numbers_in_containers_and_under_not(compiler: Compiler, schema: Any) -> None:
    """The same values where the number is an item, a member, or what must not be."""
    for around, outer in (
        ("[{}]", {"items": schema}),
        ('{{"a":{}}}', {"properties": {"a": schema}}),
        ("{}", {"type": "number", "not": schema}),
        ("[1,{}]", {"type": "array", "contains": {"allOf": [schema, {"not": {"const": 1}}]}}),
    ):
        if "not" in dumps(outer) and _refused(compiler, outer):
            continue
        judge = Judge(outer)
        for text in NUMBERS:
            whole = around.format(text)
            assert accepts(compiler, outer, whole) == judge.valid_text(whole), whole


def _refused(compiler: Compiler, schema: Any, options: JsonOptions = ANY) -> bool:
    """Whether a schema has no grammar (an unsupported keyword, or no instance)."""
    from structgen import UnsatisfiableError, UnsupportedError

    try:
        compiler.compile_json_schema(dumps(schema), options)
    except (UnsupportedError, UnsatisfiableError):
        return True
    return False


@pytest.mark.parametrize("step", ["0.01", "0.05", "0.1", "0.25", "0.07", "0.001"])
def test_multiples_of_decimals_over_a_range(compiler: Compiler, step: str) -> None:
    """Where binary floats are wrong for every seventh value: all thousandths from -1.2 to 1.2."""
    schema = {"type": "number", "multipleOf": D(step), "minimum": -1, "maximum": 1}
    for thousandths in range(-1200, 1201, 1 if step == "0.01" else 7):
        value = D(thousandths) / 1000
        valid = -1 <= value <= 1 and value % D(step) == 0
        assert accepts(compiler, schema, f"{value:f}") == valid, value


def test_integers_plain_and_spec(compiler: Compiler) -> None:
    texts = ("1", "1.0", "1e0", "10e-1", "1.5", "-0", "0", "100", "1E2", "-3.000")
    for schema in ({"type": "integer"}, {"type": "integer", "minimum": -5}, {"type": "integer", "multipleOf": 1}):
        plain = [text for text in texts if accepts(compiler, schema, text, JsonOptions(whitespace="compact"))]
        assert plain == ["1", "-0", "0", "100"], schema
        spec = [text for text in texts if accepts(compiler, schema, text)]
        assert {"1", "1.0", "-0", "0", "100", "-3.000"} <= set(spec)
        assert "1.5" not in spec
    # a number is no integer: its fraction may be there in both
    assert accepts(compiler, {"type": "number"}, "1.0", JsonOptions())


def test_equal_numbers_are_one_value(compiler: Compiler) -> None:
    """`const` and `enum` compare by value, members and items of constants included; true is not 1."""
    for schema, valid, invalid in (
        ({"const": 1}, ["1", "1.0"], ["true", "1.5", "10", '"1"']),
        ({"const": D("1.0")}, ["1", "1.0", "1.00"], ["true", "0"]),
        ({"const": True}, ["true"], ["1", "1.0"]),
        ({"const": [1, {"a": D("2.50")}]}, ['[1,{"a":2.5}]', '[1.0,{"a":2.500}]'], ['[true,{"a":2.5}]', '[1,{"a":2.05}]']),
        ({"enum": [[0], [False]]}, ["[0]", "[0.0]", "[-0]", "[false]"], ["[null]", "[]", "[0,0]"]),
        ({"enum": [0, False]}, ["0", "-0", "0.0", "false"], ["true", "1", "null", '""']),
    ):  # fmt: skip
        judge = Judge(schema)
        for text in valid:
            assert judge.valid_text(text)
            assert accepts(compiler, schema, text), (schema, text)
        for text in invalid:
            assert not judge.valid_text(text)
            assert not accepts(compiler, schema, text), (schema, text)


# -- strings --------------------------------------------------------------------------------------------------------------------------

STRING_SCHEMAS: list[Any] = [
    {"type": "string"},
    {"type": "string", "minLength": 2},
    {"type": "string", "maxLength": 1},
    {"type": "string", "minLength": 2, "maxLength": 2},
    {"type": "string", "maxLength": 0},
    {"type": "string", "pattern": "^.$"},
    {"type": "string", "pattern": "^..$"},
    {"type": "string", "pattern": "^\\w$"},
    {"type": "string", "pattern": "^[^a]$"},
    {"type": "string", "pattern": "\\s"},
    {"type": "string", "pattern": '^[\\u0000-\\u001f"\\\\/]+$'},
    {"type": "string", "pattern": "^\\p{L}+$"},
    {"type": "string", "pattern": "^[\U0001f600-\U0001f64f]{2}$"},
    {"type": "string", "pattern": "^.$", "maxLength": 1, "minLength": 1},
    {"type": "string", "pattern": "a$"},
]
STRINGS = (
    "", "a", "ab", "abc", "é", "e\u0301", "\U0001f600", "\U0001f600a", "\U0001f600\U0001f64f", "\U0001f468\u200d\U0001f469", "\ufeff", "\u2028", "\n", "a\n",
    '"', "\\", '"\\', "/", "\t", "\x00", "\x1f", "\x7f", "\u00a0", " ", "_", "9", "ß", "١", "\uffff", "\U0010ffff", "\\u0061", "中", "\u0800", "ÿ", "\x80",
)  # fmt: skip


@pytest.mark.parametrize("schema", STRING_SCHEMAS, ids=dumps)
def test_strings_are_judged_by_their_code_points_in_every_spelling(compiler: Compiler, schema: Any) -> None:
    judge = Judge(schema)
    random = Random(dumps(schema))
    for value in STRINGS:
        valid = judge.valid(value)
        for text in {
            json.dumps(value),
            json.dumps(value, ensure_ascii=False),
            *(spelled_string(random, value) for _ in range(4)),
        }:
            assert accepts(compiler, schema, text) == valid, (text, valid)
        minimal = json.dumps(value, ensure_ascii=False)
        assert accepts(compiler, schema, minimal, COMPACT) == valid, minimal
    for text in outputs(compiler, schema, ANY, 8):
        assert judge.valid_text(text), text


NOT_STRINGS = (
    '"', '"a', 'a"', "'a'", '"\n"', '"\t"', '"\\x41"', '"\\u12"', '"\\u12g4"', '"\\', '"\\"', '"a""', '"\\U0061"', '"\\a"', '"\\0"', '"\\\n"', '"\\u{61}"',
)  # fmt: skip
NOT_UTF8 = (
    b'"\xff"',
    b'"\xc3"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\xf0\x9f\x98"',
    b'"\x80"',
    b'"\xe2\x28\xa1"',
)


@pytest.mark.parametrize("escapes", ["minimal", "any"])
def test_what_is_no_json_string_is_refused(compiler: Compiler, escapes: Any) -> None:
    options = JsonOptions(escapes=escapes, whitespace="any", property_order="any")
    for schema in ({"type": "string"}, True, {"pattern": "^[^b]*$"}, {"type": "string", "maxLength": 5}):
        for text in NOT_STRINGS:
            assert not accepts(compiler, schema, text, options), (schema, text)
        for data in NOT_UTF8:
            matcher = compiler.compile_json_schema(dumps(schema), options).matcher()
            assert not (matcher.accept_bytes(data) and matcher.is_accepting()), (schema, data)


def test_minimal_escapes_are_one_spelling_and_any_are_all(compiler: Compiler) -> None:
    schema = {"type": "string"}
    minimal = {
        "A": '"A"',
        "é": '"é"',
        "\n": '"\\n"',
        "\x01": '"\\u0001"',
        "\U0001f600": '"\U0001f600"',
        "/": '"/"',
        '"': '"\\""',
        "\x7f": '"\x7f"',
    }
    others = {
        "A": ['"\\u0041"'],
        "é": ['"\\u00e9"', '"\\u00E9"'],
        "\n": ['"\\u000a"', '"\\u000A"'],
        "\x01": [],
        "\U0001f600": ['"\\ud83d\\ude00"', '"\\uD83D\\uDE00"', '"\\ud83D\\uDe00"'],
        "/": ['"\\/"', '"\\u002f"'],
        '"': ['"\\u0022"'],
        "\x7f": ['"\\u007f"'],
    }
    for value, text in minimal.items():
        assert json.loads(text) == value
        assert accepts(compiler, schema, text, COMPACT), text
        for other in others[value]:
            assert json.loads(other) == value
            assert not accepts(compiler, schema, other, COMPACT), other
            assert accepts(compiler, schema, other), other


def test_surrogates_alone_are_no_text(compiler: Compiler) -> None:
    """A lone surrogate is no character: a string that has one cannot be written as UTF-8, so neither spelling lets it in."""
    for text in (
        '"\\ud83d"',
        '"\\ude00"',
        '"\\ude00\\ud83d"',
        '"\\ud83d\\ud83d"',
        '"\\ud83da"',
        '"\\uDBFF\\u0061"',
        '"a\\udc00"',
    ):
        for schema in ({"type": "string"}, {"type": "string", "maxLength": 3}, {"pattern": "."}):
            assert not accepts(compiler, schema, text), (schema, text)
            assert not accepts(compiler, schema, text, COMPACT), (schema, text)


def test_a_surrogate_pair_counts_as_one_character(compiler: Compiler) -> None:
    for schema in (
        {"type": "string", "maxLength": 2},
        {"type": "string", "pattern": "^.{0,2}$"},
        {"type": "string", "maxLength": 2, "pattern": "."},
    ):
        assert accepts(compiler, schema, '"\\ud83d\\ude00\\uD83D\\uDE4F"')
        assert accepts(compiler, schema, '"\U0001f600\\ud83d\\ude4f"')
        assert not accepts(compiler, schema, '"\\ud83d\\ude00\U0001f64fa"')


# -- members --------------------------------------------------------------------------------------------------------------------------

FOUR = {
    "type": "object",
    "properties": {"b": {"type": "integer"}, "a": {"type": "string"}, "ab": {"type": "null"}},
    "required": ["ab", "z"],
}
MEMBERS = {"b": "1", "a": '"x"', "ab": "null", "z": "true", "q": "[]"}


def _object(names: Any) -> str:
    return "{" + ",".join(f'"{name}":{MEMBERS[name]}' for name in names) + "}"


def test_any_order_takes_every_permutation_and_nothing_invalid(compiler: Compiler) -> None:
    judge = Judge(FOUR)
    for size in range(6):
        for names in itertools.permutations(MEMBERS, size):
            text = _object(names)
            assert accepts(compiler, FOUR, text, COMPACT) == judge.valid_text(text), text


def test_declared_order_takes_one_order(compiler: Compiler) -> None:
    """Declared properties in their order, then required ones that are not declared, then others."""
    options = JsonOptions(whitespace="compact")
    judge = Judge(FOUR)
    order = ("b", "a", "ab", "z", "q")
    for size in range(6):
        for names in itertools.permutations(MEMBERS, size):
            text = _object(names)
            wanted = judge.valid_text(text) and list(names) == [name for name in order if name in names]
            assert accepts(compiler, FOUR, text, options) == wanted, text


@pytest.mark.parametrize("order", ["any", "schema"])
def test_no_name_comes_twice_in_any_spelling(compiler: Compiler, order: Any) -> None:
    options = JsonOptions(property_order=order, whitespace="compact", escapes="any")
    for schema in (
        True,
        {"type": "object"},
        {"properties": {"a": {}}},
        {"patternProperties": {"a": {}}},
        {"required": ["a"]},
    ):
        assert accepts(compiler, schema, '{"a":1,"b":2}', options)
        for text in (
            '{"a":1,"a":1}',
            '{"a":1,"\\u0061":1}',
            '{"a":1,"b":2,"a":3}',
            '{"b":1,"a":1,"b":1}',
            '{"a":{"c":1,"c":1}}',
        ):
            assert not accepts(compiler, schema, text, options), (schema, text)
        # in another object the name is free again
        assert accepts(compiler, schema, '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}', options)


DEPENDENT: list[Any] = [
    {"dependentRequired": {"a": ["b"]}},
    {"dependentRequired": {"a": ["b"], "b": ["c"]}},
    {"dependentRequired": {"a": ["b"], "b": ["a"]}, "required": ["c"]},
    {"properties": {"b": False}, "dependentRequired": {"a": ["b"]}},
    {"dependentSchemas": {"a": {"properties": {"b": {"type": "integer"}}}, "b": {"maxProperties": 2}}},
    {"minProperties": 2, "maxProperties": 2, "required": ["a"]},
    {"minProperties": 2, "properties": {"a": {}, "b": {"type": "integer"}}, "additionalProperties": False},
    {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {"not": {"required": ["a", "b"]}, "minProperties": 1},
    {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
    {"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"properties": {"b": {"type": "string"}}}, "else": {"maxProperties": 1}},
    {"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}, "required": ["b"]}, {"properties": {"c": {}}}], "unevaluatedProperties": False},
]  # fmt: skip


@pytest.mark.parametrize("schema", DEPENDENT, ids=dumps)
@pytest.mark.parametrize("order", ["any", "schema"])
def test_dependents_in_whatever_order(compiler: Compiler, schema: Any, order: Any) -> None:
    """With any order every permutation of every valid object is accepted; with the declared order at least one of each is not needed,
    but what comes out is valid."""
    whole = {"type": "object", **schema}
    options = JsonOptions(property_order=order, whitespace="compact")
    if _refused(compiler, whole, options):
        pytest.skip("not supported yet")
    judge = Judge(whole)
    for names in itertools.chain.from_iterable(itertools.permutations("abcd", size) for size in range(4)):
        for values in itertools.product(("1", '"x"'), repeat=min(2, len(names))):
            text = (
                "{"
                + ",".join(
                    f'"{name}":{value}'
                    for name, value in itertools.zip_longest(names, values, fillvalue="0")
                    if name != "0"
                )
                + "}"
            )
            valid = judge.valid_text(text)
            accepted = accepts(compiler, whole, text, options)
            assert accepted <= valid if order == "schema" else accepted == valid, text
    for text in outputs(compiler, whole, options, 12):
        assert judge.valid_text(text), text


UNIQUE = [
    ("[1,1]", False), ("[1,1.0]", False), ("[1,true]", True), ("[0,false]", True), ('["a","a"]', False), ('["a","\\u0061"]', False),
    ("[[1],[1.0]]", False), ('[{"a":1,"b":2},{"b":2.0,"a":1}]', False), ('[{"a":1},{"a":true}]', True), ("[[],{}]", True), ("[null,0,false,\"\"]", True),
    ("[0,-0]", False), ("[0.0,-0.0]", False), ("[1.5,1.50]", False), ("[100,1e2]", False), ('["\\u00e9","é"]', False), ('["\\ud83d\\ude00","\U0001f600"]', False),
    ("[]", True), ("[[[]],[[[]]]]", True), ("[1,2,3,1]", False), ("[12,1,2]", True), ('["1",1]', True), ("[ 1 , 1 ]", False), ("[[1, 2],[1,2]]", False),
]  # fmt: skip


def test_unique_items_compare_values_not_spellings(compiler: Compiler) -> None:
    schema = {"type": "array", "uniqueItems": True}
    if _refused(compiler, schema):
        pytest.skip("uniqueItems is not supported yet")
    judge = Judge(schema)
    for text, valid in UNIQUE:
        assert judge.valid_text(text) == valid, text
        assert accepts(compiler, schema, text) == valid, text
        nested = {"properties": {"a": schema}}
        assert accepts(compiler, nested, f'{{"a":{text}}}') == valid, text


def test_masks_agree_where_values_meet(compiler: Compiler) -> None:
    """Tokens that span several lexemes, at places where a value decides: the mask is what `is_token_allowed` says."""
    tokens = [bytes([byte]) for byte in range(256)]
    tokens += [
        b"1,1]",
        b",1",
        b'"a":1,"a"',
        b'","',
        b'":1,"b":1}',
        b"1.0",
        b"0,-0]",
        b'\\u0061"',
        b"]]",
        b"[1],[1]",
        b'"a","a"]',
        b"true,1]",
        b".50]",
    ]
    vocabulary = Vocabulary.from_bytes([*tokens, None], [len(tokens)])
    spanning = Compiler(vocabulary)
    bitmask = allocate_token_bitmask(1, vocabulary.size)
    schemas: list[Any] = [
        {"type": "array", "uniqueItems": True},
        {"multipleOf": D("0.25")},
        {"type": "object", "maxProperties": 2},
        {"const": [D("1.50"), 1]},
        True,
    ]
    for schema, prefix in itertools.product(
        schemas,
        ("", "[", "[1", "[1,", "[1.5", "[1.5,", "[0,", '["a"', '["a",', "[[1],", '{"a":1', '{"a":1,', "0.", "[true,"),
    ):
        if _refused(spanning, schema):
            continue
        matcher = spanning.compile_json_schema(dumps(schema), ANY).matcher()
        if not matcher.accept_bytes(prefix.encode()):
            continue
        matcher.fill_next_token_bitmask(bitmask)
        bits = np.unpackbits(bitmask[0].view(np.uint8), bitorder="little")
        wrong = [token for token in range(vocabulary.size) if bits[token] != matcher.is_token_allowed(token)]
        assert not wrong, (schema, prefix, [tokens[token] for token in wrong if token < len(tokens)])
