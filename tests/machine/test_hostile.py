# ruff: noqa: E501 - tables, one case a line
"""Hostile schemas: each in a process of its own, under limits on address space and processor time, ends in an answer or a named error.

An answer is a compiled grammar, its first mask and some tokens with their masks. The limits are far above what a case may take (1 s and
500 MB above the vocabulary): they catch hangs and explosions, they measure nothing. What was there before the error works on.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import structgen
from structgen import Compiler, LimitExceeded, Limits
from tests.machine import walks

ROOT = Path(__file__).resolve().parents[2]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
HOSTILE: dict[str, str] = {
    "1,000 patterns side by side": "{'anyOf': [{'type': 'string', 'pattern': f'^{c(i)}.*{c(i // 26)}{i}$'} for i in range(1000)]}",
    "1,000 bounded patterns": "{'anyOf': [{'type': 'string', 'pattern': f'{c(i)}.*{i}', 'maxLength': 300 + i} for i in range(1000)]}",
    "1,000 overlapping patternProperties": "{'type': 'object', 'patternProperties': {f'{c(i)}.*{c(i // 26)}{i}': {'minLength': i} for i in range(1000)}}",
    "one exploding pattern": "{'type': 'string', 'pattern': '.*a.{24}'}",
    "exploding patterns": "{'type': 'string', 'allOf': [{'pattern': f'{c(i)}.{{{i + 5}}}z'} for i in range(9)]}",
    "exploding names": "{'type': 'object', 'patternProperties': {f'{c(i)}.{{{i + 6}}}z': {'minLength': i} for i in range(9)}}",
    "nested counts": "{'type': 'string', 'pattern': '^((x+x+)+y|z{1,300}){1,300}$'}",
    "100,000 strings": "{'enum': [f'v{i}x' for i in range(100_000)]}",
    "2,000 objects with their own patterns": "{'anyOf': [{'type': 'object', 'properties': {f'p{i}': {'type': 'string'}}, 'patternProperties': {f'^x{i}_': {'type': 'integer'}}} for i in range(2000)]}",
    "2,000 optional properties": "{'type': 'object', 'properties': {f'p{i}': {'type': 'string'} for i in range(2000)}}",
    "allOf of 200 objects": "{'allOf': [{'type': 'object', 'properties': {f'p{i}': {'type': 'string'}}} for i in range(200)]}",
    "allOf of 200 objects with patterns": "{'allOf': [{'type': 'object', 'patternProperties': {f'^p{i}': {'minLength': 1}, f'x{i}$': {'maxLength': 9}}} for i in range(200)]}",
    "oneOf of depth 16, kinds": "nested(lambda s, i: {'oneOf': [s, {'type': 'integer', 'minimum': i}]}, {'type': 'string'})",
    "oneOf of depth 16, objects": "nested(lambda s, i: {'oneOf': [s, {'type': 'object', 'properties': {f'p{i}': {'type': 'string'}}}]}, {'type': 'object'})",
    "oneOf of depth 16, twice in itself": "nested(lambda s, i: {'oneOf': [s, {'type': 'object', 'properties': {f'p{i}': s}, 'required': [f'p{i}']}]}, {'type': 'string'})",
    "oneOf of depth 16, in properties": "nested(lambda s, i: {'type': 'object', 'oneOf': [{'properties': {'a': s}}, {'properties': {'b': s}}]}, {'type': 'string'})",
    "oneOf of depth 16, in items": "nested(lambda s, i: {'oneOf': [{'type': 'array', 'items': s}, {'type': 'array', 'items': s, 'maxItems': 3}, s]}, {'type': 'string'})",
    "members that are not each other": "{'$defs': {'a': {'properties': {'x': {'not': {'$ref': '#/$defs/b'}}}, 'required': ['x']}, 'b': {'properties': {'x': {'not': {'$ref': '#/$defs/a'}}}, 'required': ['x']}}, '$ref': '#/$defs/a'}",
    "items that are not each other": "{'$defs': {'a': {'type': 'array', 'items': {'not': {'$ref': '#/$defs/b'}}}, 'b': {'type': 'array', 'contains': {'not': {'$ref': '#/$defs/a'}}}}, '$ref': '#/$defs/a'}",
    "not one of 100,000 strings": "{'type': 'string', 'not': {'enum': [f'v{i}x' for i in range(100_000)]}}",
    "2,000 optional properties, counted": "{'type': 'object', 'minProperties': 3, 'properties': {f'p{i}': {'type': 'string'} for i in range(2000)}}",
    "a chain of 2,000 dependents": "{'type': 'object', 'dependentRequired': {f'p{i}': [f'p{i + 1}'] for i in range(2000)}}",
    "30 conditions": "{'type': 'object', 'allOf': [{'if': {'required': [f'p{i}']}, 'then': {'required': [f'q{i}']}} for i in range(30)]}",
    "200 denied objects": "{'type': 'object', 'allOf': [{'not': {'properties': {f'p{i}': {'type': 'string'}, 'q': {'const': i}}, 'required': [f'p{i}']}} for i in range(200)]}",
    "a million unique items": "{'type': 'array', 'uniqueItems': True, 'minItems': 1_000_000, 'items': {'type': 'integer'}}",
    "64 of 65 unique items": "{'type': 'array', 'uniqueItems': True, 'minItems': 64, 'items': {'enum': list(range(65))}}",
    "ten counts at once": "{'type': 'array', 'allOf': [{'contains': {'multipleOf': i + 2}} for i in range(10)], 'maxItems': 5}",
    "12 branches beside unevaluatedProperties": "{'anyOf': [{'properties': {f'p{i}': {'type': 'string'}}, 'required': [f'p{i}']} for i in range(12)], 'unevaluatedProperties': False}",
    "a large prime": "{'type': 'integer', 'multipleOf': 48_611}",
}  # fmt: skip

SCRIPT = """
import resource, sys, time
from random import Random
import structgen

def c(i):
    return chr(97 + i % 26)

def nested(wrap, schema):
    for i in range(16):
        schema = wrap(schema, i)
    return schema

random = Random(5)
words = {"".join(random.choices("abcdefghij_ \\"{}:,é", k=random.randint(2, 12))).encode() for _ in range(5000)}
vocabulary = structgen.Vocabulary.from_bytes([*(bytes([b]) for b in range(256)), *sorted(words), None], [256 + len(words)])
compiler = structgen.Compiler(vocabulary, cache_size=0)
mask = structgen.allocate_token_bitmask(1, vocabulary.size)

def use(schema, texts=(b'{', b'"', b'p1', b'x1_', b'v', b'1', b'"', b':', b'"', b'abab', b'"', b'}')):
    grammar = compiler.compile_json_schema(schema, structgen.JsonOptions(property_order="any"))
    matcher = grammar.matcher()
    matcher.fill_next_token_bitmask(mask)
    for text in texts:
        if matcher.accept_bytes(text):
            matcher.fill_next_token_bitmask(mask)

GOOD = {"type": "object", "properties": {"p1": {"type": "string", "pattern": "^a+$", "maxLength": 50}}}
use(GOOD)
size = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize:"))
resource.setrlimit(resource.RLIMIT_AS, (size * 1024 + 700 * 2**20, resource.getrlimit(resource.RLIMIT_AS)[1]))
resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 20, resource.getrlimit(resource.RLIMIT_CPU)[1]))
schema = eval(sys.argv[1])
started = time.process_time()
try:
    use(schema)
    print("answer")
except structgen.StructgenError as error:
    print(type(error).__name__)
print(round(time.process_time() - started, 2), "s", file=sys.stderr)  # for who looks: no timing decides here
use(GOOD)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_schema_ends_in_an_answer_or_a_limit(name: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, HOSTILE[name]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() in ("answer", "LimitExceeded"), done.stdout


def test_steps_of_a_mask_are_limited_and_the_text_goes_on() -> None:
    """A mask above max_steps raises and leaves an empty row; the same text, and other programs of the compiler, work on."""
    schema = {"anyOf": [{"enum": [f"{c}{d}{i}" for d in LETTERS]} for i, c in enumerate(LETTERS)]}
    vocabulary = walks.mixed_vocabulary()
    free = Compiler(vocabulary, cache_size=0).compile_json_schema(schema).matcher()
    compiler = Compiler(vocabulary, cache_size=0, limits=Limits(max_steps=275))
    matcher = compiler.compile_json_schema(schema).matcher()
    mask, expected = (structgen.allocate_token_bitmask(1, vocabulary.size) for _ in range(2))
    mask.fill(-1)
    assert matcher.accept_bytes(b'"')
    assert free.accept_bytes(b'"')
    with pytest.raises(LimitExceeded) as error:
        matcher.fill_next_token_bitmask(mask)
    assert error.value.name == "max_steps"
    assert not mask.any()
    for text in (b"c", b"d"):
        assert matcher.accept_bytes(text)
        assert free.accept_bytes(text)
    matcher.fill_next_token_bitmask(mask)
    free.fill_next_token_bitmask(expected)
    assert (mask == expected).all()
    assert expected.any()
    other = compiler.compile_json_schema({"type": "boolean"}).matcher()
    other.fill_next_token_bitmask(mask)
    assert mask.any()


def test_steps_of_one_call_do_not_count_for_the_next() -> None:
    vocabulary = walks.mixed_vocabulary()
    grammar = Compiler(vocabulary, cache_size=0, limits=Limits(max_steps=20_000)).compile_json_schema({"type": "array"})
    kinds = walks.Kinds(vocabulary)
    for seed in range(20):
        matcher = grammar.matcher()
        for _ in walks.walk(matcher, Random(seed), kinds, walks.STYLES[seed % 4], 40):
            for token in range(0, vocabulary.size, 7):
                matcher.is_token_allowed(token)
