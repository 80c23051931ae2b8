# ruff: noqa: E501 - tables, one case a line
"""Limits: a hostile schema ends in an answer or a named error, within bounds on time and memory; what was there before works on.

Hostile schemas run in one subprocess with bounds on address space and processor time that are far above what they may take; they catch a
hang or an explosion, they measure nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from structgen import Compiler, JsonOptions, LimitExceeded, Limits, Vocabulary
from structgen.errors import StructgenError
from tests.machine import walks

ROOT = Path(__file__).resolve().parents[2]

# Python expressions, built in the subprocess: (name, schema, what must happen: None = an answer or a named error, else the error's name)
HOSTILE: list[tuple[str, str, str | None]] = [
    ("10,000-deep dict", "nest(10_000)", "LimitExceeded"),
    ("10,000-deep text", """'{"properties":{"a":' * 10_000 + '{}' + '}}' * 10_000""", "LimitExceeded"),
    ("10,000-deep anyOf", """'{"anyOf":[' * 10_000 + '{}' + ']}' * 10_000""", "LimitExceeded"),
    ("10,000-deep enum value", """'{"enum":[' + '[' * 10_000 + ']' * 10_000 + ']}'""", "LimitExceeded"),
    ("unclosed brackets", "'[' * 100_000", None),
    ("1,000-deep dict", "nest(1_000)", None),
    ("arrays that require arrays", """loads('{"type":"array","minItems":1,"items":' * 300 + '{"type":"integer"}' + '}' * 300)""", None),
    ("a{0,1000000}", "{'type': 'string', 'pattern': 'a{0,1000000}'}", None),
    ("^a{0,1000000}$", "{'type': 'string', 'pattern': '^a{0,1000000}$'}", None),
    ("nested counts", "{'type': 'string', 'pattern': '^(a{0,1000}){0,1000}$'}", None),
    (".*a.{100000}", "{'type': 'string', 'pattern': '.*a.{100000}'}", None),
    ("exponential automaton", "{'type': 'string', 'pattern': '^.*a.{18}$'}", "LimitExceeded"),
    ("nested groups", "{'type': 'string', 'pattern': '(' * 10_000 + 'a' + ')' * 10_000}", None),
    ("nested stars", "{'type': 'string', 'pattern': '(' * 500 + 'a' + ')*' * 500}", None),
    ("unclosed group", "{'type': 'string', 'pattern': '(' * 10_000}", None),
    ("look-aheads", "{'type': 'string', 'pattern': '^' + ''.join(f'(?=.*{c}.{{12}})' for c in 'abcdefghij')}", None),
    ("reference to itself", "{'$ref': '#'}", "UnsupportedError"),
    ("reference loop", "{'$defs': {'a': {'$ref': '#/$defs/b'}, 'b': {'$ref': '#/$defs/a'}}, '$ref': '#/$defs/a'}", "UnsupportedError"),
    ("loop through anyOf", "{'anyOf': [{'$ref': '#'}, {'type': 'integer'}]}", "UnsupportedError"),
    ("loop through allOf", "{'allOf': [{'$ref': '#'}]}", "UnsupportedError"),
    ("5,000 references in a row", "{'$defs': {f'd{i}': {'$ref': f'#/$defs/d{i + 1}'} for i in range(5000)} | {'d5000': {}}, '$ref': '#/$defs/d0'}", None),
    ("a value that requires itself", "{'type': 'object', 'properties': {'a': {'$ref': '#'}}, 'required': ['a']}", "UnsatisfiableError"),
    ("an array that requires itself", "{'type': 'array', 'items': {'$ref': '#'}, 'minItems': 1}", "UnsatisfiableError"),
    ("100,000 strings", "{'enum': [f'value number {i}' for i in range(100_000)]}", None),
    ("100,000 integers", "{'enum': list(range(100_000))}", None),
    ("100,000 numbers", "{'enum': [i + 0.5 for i in range(100_000)]}", None),
    ("100,000 objects", "{'enum': [{'a': i} for i in range(100_000)]}", None),
    ("5 MB of long strings", "dumps({'enum': ['x' * 1000 + str(i) for i in range(5000)]})", None),
    ("5 MB of properties", "dumps({'properties': {f'property number {i}': {'type': 'string', 'description': 'd' * 40} for i in range(50_000)}})", None),
    ("a text above the limit", "dumps({'description': 'x' * 9_000_000})", "LimitExceeded"),
    ("20,000 branches", "{'anyOf': [{'properties': {'a': {'const': i}}, 'required': ['a']} for i in range(20_000)]}", None),
    ("two to the twenty combinations", "{'allOf': [{'anyOf': [{'required': [f'a{i}']}, {'required': [f'b{i}']}]} for i in range(20)]}", None),
    ("many combinations of types", "{'allOf': [{'anyOf': [{'minLength': i}, {'minimum': i}, {'maxItems': i + 1}]} for i in range(12)]}", None),
    ("overlapping key patterns", "{'type': 'object', 'patternProperties': {f'{c}.*{d}': {'minimum': ord(c)} for c in 'abcdefgh' for d in 'ijklm'}}", None),
    ("multiples of a tiny number", "{'type': 'number', 'multipleOf': 1e-30}", None),
    ("multiples of a prime", "{'type': 'integer', 'multipleOf': 1000003}", None),
    ("multiples of a huge number", "{'type': 'integer', 'multipleOf': 10**30 + 57}", None),
    ("huge bounds", "{'type': 'integer', 'minimum': 10**300, 'maximum': 10**301}", None),
    ("bounds of floats", "{'type': 'number', 'minimum': -1e308, 'maximum': 1e308}", None),
    ("minLength 1,000,000", "{'type': 'string', 'minLength': 10**6}", None),
    ("minLength 2**40", "{'type': 'string', 'minLength': 2**40}", None),
    ("maxLength 2**40", "{'type': 'string', 'maxLength': 2**40}", None),
    ("names of at most 2**40 characters", "{'type': 'object', 'propertyNames': {'maxLength': 2**40, 'minLength': 1}}", None),
    ("names of at least 2**40 characters", "{'type': 'object', 'propertyNames': {'minLength': 2**40}}", None),
    ("maxLength 2**31 and a pattern", "{'type': 'string', 'pattern': '^[ab]*$', 'maxLength': 2**31}", None),
    ("maxLength 2**40 and a pattern", "{'type': 'string', 'pattern': '^(ab|c)*$', 'maxLength': 2**40}", None),
    ("minLength 1,000,000 and a pattern", "{'type': 'string', 'pattern': '^(ab|c)*$', 'minLength': 10**6}", None),
    ("minItems 1,000,000", "{'type': 'array', 'minItems': 10**6, 'items': {'type': 'integer'}}", None),
    ("minItems 2**40", "{'type': 'array', 'minItems': 2**40}", None),
    ("maxItems 2**40", "{'type': 'array', 'maxItems': 2**40}", None),
    ("100,000 prefixItems", "{'type': 'array', 'prefixItems': [{'type': 'integer'}] * 100_000}", None),
    ("a key of 100,000 characters", "{'properties': {'k' * 100_000: {'type': 'integer'}}, 'required': ['k' * 100_000]}", None),
    ("two to the forty required values", "{'$defs': {f'n{i}': {'type': 'object', 'properties': {c: {'$ref': f'#/$defs/n{i + 1}'} for c in 'lr'}, 'required': ['l', 'r']} for i in range(40)} | {'n40': {'type': 'null'}}, '$ref': '#/$defs/n0'}", None),
]  # fmt: skip

SCRIPT = """
import json, resource, signal, sys, warnings
from json import dumps, loads
warnings.simplefilter("ignore")
import numpy as np
import structgen
from structgen.errors import StructgenError

def nest(n):
    schema = {"type": "integer"}
    for _ in range(n):
        schema = {"properties": {"a": schema}}
    return schema

vocabulary = structgen.Vocabulary.from_bytes([*(bytes([b]) for b in range(256)), b'{"a', b'":', b'"}', b"aaaa", None], [260])
compiler = structgen.Compiler(vocabulary, cache_size=0)
mask = structgen.allocate_token_bitmask(1, vocabulary.size)

def use(schema):
    matcher = compiler.compile_json_schema(schema).matcher()
    for byte in b'{"a":[1,':
        matcher.fill_next_token_bitmask(mask)
        matcher.accept_token(byte)
    matcher.fill_next_token_bitmask(mask)
    if COMPLETE:
        matcher.completion_bound()
        matcher.shortest_completion()

GOOD = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^a+$", "maxLength": 50}}}
use(GOOD)
status = {line.split()[0]: line.split()[1] for line in open("/proc/self/status") if line.startswith("Vm")}
_, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (int(status["VmSize:"]) * 1024 + 700 * 2**20, hard))

class Hang(BaseException):
    pass

def alarm(number, frame):
    raise Hang

signal.signal(signal.SIGVTALRM, alarm)
results = {}
for name, expression, _ in CASES:
    schema = eval(expression)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        use(schema)
        results[name] = "answer"
    except StructgenError as error:
        results[name] = type(error).__name__
    except Hang:
        results[name] = "hang"
    except BaseException as error:
        results[name] = "!" + type(error).__name__ + ": " + str(error)[:200]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    del schema
    use(GOOD)
    print(json.dumps({name: results[name]}), flush=True)
"""


def _run(cases: list[tuple[str, str, str | None]], complete: bool) -> dict[str, str]:
    # a hang is told by 20 seconds of processor time; schemas may take a hundredth of that
    script = f"COMPLETE = {complete}\nSECONDS = 20\nCASES = {cases!r}\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=600, cwd=ROOT, check=False
    )
    results: dict[str, str] = {}
    for line in done.stdout.splitlines():
        results.update(json.loads(line))
    assert done.returncode == 0, f"after {list(results)[-1:]}: {done.stderr[-2000:]}"
    return results


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bounds on memory are read from /proc")
@pytest.mark.parametrize("complete", [False, True], ids=["masks", "completions"])
def test_hostile_schemas_end_in_an_answer_or_a_named_error(complete: bool) -> None:
    results = _run(HOSTILE, complete)
    named = {"answer", "LimitExceeded", "SchemaError", "UnsatisfiableError", "RegexError", "UnsupportedError"}
    assert {name: result for name, result in results.items() if result not in named} == {}
    assert {name: results[name] for name, _, error in HOSTILE if error is not None and results[name] != error} == {}


@pytest.fixture
def vocabulary() -> Vocabulary:
    return walks.byte_vocabulary(b'{"a', b'":', b'"}', b"aaaa")


def _reaches_a_limit(grammar: Any, kinds: walks.Kinds) -> tuple[Any, LimitExceeded] | None:
    matcher = grammar.matcher()
    random = Random(0)
    for _ in range(3000):
        before = matcher.state_id, matcher.token_ids
        try:
            mask = walks.mask_of(matcher)
            token = walks.draw(random, mask, kinds, "spans")
            if token is None:
                return None
            matcher.accept_token(token)
        except LimitExceeded as error:
            assert (matcher.state_id, matcher.token_ids) == before
            return matcher, error
    return None


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(max_states=300), "max_states"),
        (Limits(max_frames=300), "max_frames"),
        (Limits(max_arena_bytes=600_000), "max_arena_bytes"),
    ],
)
def test_a_full_arena_raises_and_the_matcher_stays(vocabulary: Vocabulary, limits: Limits, name: str) -> None:
    kinds = walks.Kinds(vocabulary)
    compiler = Compiler(vocabulary, cache_size=0, limits=limits)
    endless = {"type": "array", "minItems": 10_000, "items": True}
    grammar = compiler.compile_json_schema(endless, JsonOptions(property_order="any"))
    reached = _reaches_a_limit(grammar, kinds)
    assert reached is not None
    matcher, error = reached
    assert error.name == name
    assert error.limit is not None
    assert name in str(error)
    # what is built already goes on working, here, in other matchers and in other grammars of the compiler
    tokens = matcher.token_ids
    matcher.rollback(len(tokens))
    for token in tokens:
        assert matcher.accept_token(token)
    fresh = compiler.compile_json_schema({"type": "integer"}).matcher()
    assert fresh.accept_token(ord("7"))
    assert fresh.is_accepting()
    roomy = Compiler(vocabulary, cache_size=0).compile_json_schema(endless, JsonOptions(property_order="any")).matcher()
    for token in tokens:
        assert roomy.accept_token(token)
    walks.check_mask(roomy, walks.mask_of(roomy))


def test_records_are_dropped_and_built_again_within_their_limit(vocabulary: Vocabulary) -> None:
    kinds = walks.Kinds(vocabulary)
    tight = Compiler(vocabulary, cache_size=0, limits=Limits(max_record_bytes=4_000))
    roomy = Compiler(vocabulary, cache_size=0)
    schemas = [
        True,
        {"type": "string", "pattern": "^[a-f]{3,9}x*$"},
        {"type": "string", "maxLength": 9},
        {"type": "number"},
    ] * 2
    for n, schema in enumerate(schemas):
        one, other = (compiler.compile_json_schema(schema).matcher() for compiler in (tight, roomy))
        for mask in walks.walk(one, Random(n), kinds, walks.STYLES[n % 4], 20):
            for token in one.token_ids[len(other.token_ids) :]:
                assert other.accept_token(token)
            assert (mask == walks.mask_of(other)).all()
            walks.check_mask(one, mask)


@pytest.mark.parametrize(
    ("limits", "schema", "name"),
    [
        (Limits(max_schema_bytes=50), '{"description": "' + "x" * 60 + '"}', "max_schema_bytes"),
        (Limits(max_depth=5), json.loads('{"items":' * 8 + "{}" + "}" * 8), "max_depth"),
        (
            Limits(max_alternatives=10),
            {"anyOf": [{"required": [f"a{i}"], "type": "object"} for i in range(20)]},
            "max_alternatives",
        ),
        (Limits(max_dfa_states=20), {"type": "string", "pattern": "^(abc|xyz){9,12}$"}, "max_dfa_states"),
        (Limits(max_dfa_steps=50), {"type": "string", "pattern": "^(abc|xyz|[a-f]+q)*$"}, "max_dfa_steps"),
    ],
)
def test_every_limit_of_compilation_names_itself(
    vocabulary: Vocabulary, limits: Limits, schema: Any, name: str
) -> None:
    compiler = Compiler(vocabulary, limits=limits)
    with pytest.raises(LimitExceeded) as caught:
        walks.mask_of(compiler.compile_json_schema(schema).matcher())
    assert caught.value.name == name
    assert isinstance(caught.value, StructgenError)
    assert compiler.compile_json_schema({"type": "null"}).matcher().is_token_allowed(ord("n"))
