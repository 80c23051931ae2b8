"""What the fuzzer and the suites found: a schema, texts, and whether each is an instance. One row for each finding, made small.

The verdicts are the judge's too (`test_the_judge_agrees`), so that a row cannot say what JSON Schema does not.
"""

from __future__ import annotations

import json
import warnings
from random import Random
from typing import Any

import pytest

from structgen import Compiler, JsonOptions, LimitExceeded, UnsatisfiableError, UnsupportedError
from tests.machine import walks
from tests.schema.fuzz import FORMATS
from tests.schema.judge import Judge

ANY = {"property_order": "any", "whitespace": "any", "integers": "spec"}
# (what went wrong, draft, schema as JSON text, valid texts, invalid texts)
FINDINGS: list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]] = [
    (
        "draft 4 read the containers of enum as if they were anything",
        "draft4",
        '{"enum":[[1],{"a":false}]}',
        ("[1]", "[1.0]", '{"a":false}'),
        ("[2]", "[true]", "[]", '{"a":0}', "{}"),
    ),
    (
        "2019-09: a list of items evaluated all items",
        "draft2019-09",
        '{"items":[{"type":"string"}],"unevaluatedItems":false}',
        ("[]", '["a"]', "1"),
        ('["a","b"]', "[1]"),
    ),
    (
        "the complement of uniqueItems was empty",
        "draft2020-12",
        '{"not":{"uniqueItems":true}}',
        ("[1,1]", "[1,1.0]", '[{"a":1,"b":[]},2,{"b":[],"a":1.0}]'),
        ("1", "[]", "[1,2]", "[1,true]", '[{"a":1},{"a":true}]'),
    ),
    (
        "oneOf with uniqueItems refused what comes twice",
        "draft6",
        '{"oneOf":[{"uniqueItems":true},{"contains":{"type":"string"}}]}',
        ('["a","a"]', "[1]", "[]"),
        ('["a","b"]', "[1,1]"),
    ),
    (
        "no object has three members and none",
        "draft2020-12",
        '{"minProperties":3,"maxProperties":0}',
        ("0", "[]"),
        ("{}", '{"a":1}'),
    ),
    (
        "the shortest name of a class was not found behind a declared name",
        "draft6",
        '{"not":{"properties":{"a":true},"patternProperties":{"^a":false}}}',
        ('{"a":1}', '{"ab":1}', '{"b":1,"ab":2}'),
        ("1", "{}", '{"b":1}'),
    ),
    (
        "the same in an item after one whose value is not what is contained",
        "draft2020-12",
        '{"type":"array","contains":{"type":"object","patternProperties":{"^a":{"exclusiveMinimum":0}}}}',
        ("[{}]", '["a",{"b":0}]', '[{"a":0},{"ab":1}]'),
        ("[]", '["a"]', '["a",{"a":0}]'),
    ),
    (
        "a string of the wrong length is no UUID",
        "draft7",
        '{"type":"string","not":{"format":"uuid"}}',
        ('"01234567-89ab-cdef-0123-456789abcdefa"', '"01234567-89ab-cdef-0123"', '""'),
        ('"01234567-89ab-cdef-0123-456789abcdef"', "1"),
    ),
    (
        "what follows a unique item is seen without its text: bounded strings, null and Booleans",
        "draft2020-12",
        '{"type":"array","uniqueItems":true,"items":{"type":["string","null","boolean"],"minLength":1,"maxLength":40}}',
        ("[]", '["a",null,"b",true,false]', '["null",null]', '["a","aa"]'),
        ('["a",null,"a"]', "[null,null]", "[true,false,true]", '[""]'),
    ),
    (
        "the same with patterns, lists and free objects",
        "draft2020-12",
        '{"uniqueItems":true,"items":{"anyOf":[{"type":"string","pattern":"^[a-z]+$"},{"enum":[1,"B","Bb"]},{"type":"object"}]}}',
        ('["a","B","Bb",1]', '[{},{"a":1},{"a":[]}]', "1"),
        ('["a","B","a"]', "[1,1.0]", '[{"a":1},{"a":1.0}]', '["A"]'),
    ),
    (
        "a comma led nowhere where every allowed name is declared and used",
        "draft7",
        '{"type":"object","properties":{"a":{}},"propertyNames":{"enum":["a"]}}',
        ("{}", '{"a":1}'),
        ('{"b":1}', '{"a":1,"b":2}', "1"),
    ),
    (
        "the same for the names of some beginning",
        "draft7",
        '{"type":"object","properties":{"ab":{},"b":{}},"propertyNames":{"pattern":"^(ab|cd.*|b)$"},"minProperties":1}',
        ('{"ab":1,"b":1}', '{"cdc":1}'),
        ("{}", '{"aa":1}', '{"a":1}'),
    ),
    (
        "the same with a rule for other names",
        "draft2020-12",
        '{"propertyNames":{"enum":["a"]},"not":{"dependentSchemas":{"a":false}}}',
        ('{"a":1}',),
        ("{}", '{"b":1}', "1"),
    ),
    (
        "the complement of unevaluatedProperties held for values that are no objects",
        "draft2020-12",
        '{"not":{"properties":{"a":{}},"unevaluatedProperties":{"multipleOf":1}}}',
        ('{"b":0.5}', '{"a":1,"b":1.5}'),
        ("1", '"a"', "[]", "{}", '{"b":1}', '{"a":0.5}'),
    ),
    (
        "the same below a name that brings it in",
        "draft2020-12",
        '{"dependentSchemas":{"c":{"propertyNames":{"not":{"$ref":"#"}}}},"unevaluatedProperties":{"multipleOf":1}}',
        ("{}", '{"a":1}', "[]"),
        ('{"c":[]}', '{"c":1}', '{"a":0.5}'),
    ),
    (
        "unique items that are not what they stand in were looked into without end",
        "draft2020-12",
        '{"items":{"uniqueItems":true,"not":{"$ref":"#"}}}',
        ("[]", "1", "[[[]]]", "[[[[[]]],[]]]"),
        ("[1]", "[[]]", "[[1,1],[]]"),
    ),
    (
        "in draft 4 a listed integer has no fraction",
        "draft4",
        '{"properties":{"b":{"type":["integer"],"enum":[3]}}}',
        ('{"b":3}', "{}"),
        ('{"b":3.0}', '{"b":4}'),
    ),
    (
        "an item came that had to come again and could not",
        "draft4",
        '{"type":"array","not":{"uniqueItems":true},"maxItems":2,"items":[{},{"enum":["a"]}]}',
        ('["a","a"]',),
        ("[]", "[1]", '["b","a"]', '["a"]', '["a","a","a"]'),
    ),
    (
        "the same with more places",
        "draft2020-12",
        '{"type":"array","not":{"uniqueItems":true},"prefixItems":[{"type":"integer"},{},{"enum":["a",1]}],"items":false}',
        ("[1,1]", '[2,"a","a"]', '[1,"b",1]', "[3,3]", "[2,2,1]"),
        ("[]", "[1]", '["a","a"]', '[2,"b","a"]', "[1,1,1,1]"),
    ),
    (
        "objects with the same names shared keys that not all of them allow",
        "draft4",
        '{"anyOf":[{"type":"object","additionalProperties":{"enum":[1]}},{"type":"object","not":{"enum":[1]}}],"required":["a"],"additionalProperties":{"enum":[1]},"properties":{"ab":{"multipleOf":2}}}',
        ('{"a":1}', '{"a":1,"ab":2}', '{"ab":4,"a":1}'),
        ("{}", '{"a":2}', '{"a":1,"ab":3}', "1"),
    ),
    (
        "the same with a name that one of them forbids",
        "draft2020-12",
        '{"properties":{"a":true,"ab":true},"required":["b"],"anyOf":[{"type":"object"},{"required":[],"properties":{"ab":false}}]}',
        ('{"ab":1,"b":2}', '{"b":1,"a":0}', "1"),
        ("{}", '{"ab":1}'),
    ),
    (
        "the same where what comes again has to be something else besides",
        "draft4",
        '{"type":"array","maxItems":3,"oneOf":[{"items":{"multipleOf":2}},{"uniqueItems":true},{}]}',
        ("[1,1]", "[2,2,1]", "[2,1,2]", "[3,4,3]", "[4,3,3]"),
        ("[]", "[1]", "[2,4]", "[2,2]", "[2,4,1]", "[1,2,3]", "[1,1,1,1]"),
    ),
    (
        "unique items that are enough only if one more comes between them",
        "draft2020-12",
        '{"type":"array","uniqueItems":true,"contains":{"enum":[1,"a"]},"minContains":2,"prefixItems":[{"const":1},{"not":{"const":"a"}}]}',
        ('[1,2,"a"]', '[1,[],"b","a"]'),
        ("[]", "[1]", '[1,"a"]', "[1,2]", '[1,2,1,"a"]'),
    ),
    (
        "a value that a later place needs did not have to be left for it",
        "draft2020-12",
        '{"type":"array","uniqueItems":true,"minItems":2,"maxItems":2,"prefixItems":[{"enum":[1,2]},{"enum":[2]}]}',
        ("[1,2]",),
        ("[2,2]", "[2,1]", "[1]", "[1,2,3]"),
    ),
    (
        "a first item that a later place needs, among infinitely many",
        "draft2020-12",
        '{"type":"array","prefixItems":[true,{"const":1}],"uniqueItems":true,"contains":{"type":"string"}}',
        ('["a"]', '["a",1]', '[2,1,"b"]', '[[],1,{},"b"]'),
        ("[1]", '[1,1,"a"]', "[]", '["a",2]', '[1,"a"]'),
    ),
    (
        "items that come again behind the places that count",
        "draft4",
        '{"type":"array","not":{"uniqueItems":true},"items":[{}],"additionalItems":{"enum":[1]}}',
        ("[2,1,1]", "[1,1]", "[1,1,1]"),
        ("[]", "[2]", "[2,1]", "[1]", "[2,2]"),
    ),
    (
        "multiples that are no other multiples take few states",
        "draft2020-12",
        '{"type":"number","multipleOf":4004,"not":{"anyOf":[{"multipleOf":8008},{"multipleOf":12012}]}}',
        ("4004", "-4004.0", "20020"),
        ("0", "8008", "12012", "1"),
    ),
]
_IDS = [finding[0] for finding in FINDINGS]


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return Compiler(walks.mixed_vocabulary(), cache_size=0)


# schemas without an instance for which something else than UnsatisfiableError was raised
UNSATISFIABLE = ('{"contains":{"not":{"const":"a"}},"not":{"contains":{"not":{"const":"a"}}}}',)


@pytest.mark.parametrize("schema", UNSATISFIABLE)
def test_no_instance(compiler: Compiler, schema: str) -> None:
    for options in (JsonOptions(**ANY), JsonOptions()):
        try:
            matcher = compiler.compile_json_schema(schema, options).matcher()
        except (UnsatisfiableError, LimitExceeded):
            continue
        # a state without tokens is an answer too
        assert not walks.mask_of(matcher).any()
        assert not matcher.is_accepting()


@pytest.mark.parametrize(("_", "draft", "schema", "valid", "invalid"), FINDINGS, ids=_IDS)
def test_finding(compiler: Compiler, _: str, draft: str, schema: str, valid: Any, invalid: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            grammar = compiler.compile_json_schema(schema, JsonOptions(draft=draft, **ANY))
            ordered = compiler.compile_json_schema(schema, JsonOptions(draft=draft))
        except UnsupportedError as error:
            pytest.skip(f"not supported yet: {error}")
    for text in (*valid, *invalid):
        matcher = grammar.matcher()
        accepted = matcher.accept_bytes(text.encode()) and matcher.is_accepting()
        assert accepted == (text in valid), text
    judge = Judge(json.loads(schema), draft, FORMATS)
    kinds = walks.Kinds(compiler.vocabulary)
    for seed in range(12):
        matcher = (ordered if seed % 2 else grammar).matcher()
        random = Random(seed)
        for mask in walks.walk(matcher, random, kinds, walks.STYLES[seed % 4], 4 + 2 * seed):
            assert mask.any(), walks.text_of(matcher)
            walks.check_mask(matcher, mask)
        text = walks.complete(matcher).decode()
        assert judge.reason(text) is None, text


@pytest.mark.parametrize(("_", "draft", "schema", "valid", "invalid"), FINDINGS, ids=_IDS)
def test_the_judge_agrees(_: str, draft: str, schema: str, valid: Any, invalid: Any) -> None:
    judge = Judge(json.loads(schema), draft, FORMATS)
    for text in (*valid, *invalid):
        assert judge.valid_text(text) == (text in valid), text
