"""The laws of the engine on random walks: real schemas of ../shared and stress schemas, three real tokenizers and a hand-made one.

In every state visited: the mask's bits are what `is_token_allowed` says (all tokens in some states, a sample in the others) and what
`accept_token` does; end tokens are set exactly where the value may end; the state completes, and the text so completed validates with
jsonschema. Walks that are ended validate too.

The normal run takes a sample. `STRUCTGEN_ALL_LAWS=1 pytest tests/machine/test_laws.py` takes over 300 real schemas with every tokenizer
(about twenty minutes).
"""

from __future__ import annotations

import itertools
import json
import os
import re
import warnings
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from structgen import Compiler, JsonOptions, Vocabulary
from structgen.errors import LimitExceeded, UnsatisfiableError, UnsupportedError
from tests.machine import walks
from tests.machine.oracle import Oracle
from tests.machine.schemas import STRESS

ALL = os.environ.get("STRUCTGEN_ALL_LAWS") == "1"
EVERY = 13 if ALL else 240
WALKS = 3 if ALL else 2
OPTIONS: dict[str, JsonOptions] = {
    "default": JsonOptions(),
    "any order": JsonOptions(property_order="any"),
    "compact, spec": JsonOptions(property_order="any", whitespace="compact", integers="spec"),
    "any white space and escapes": JsonOptions(whitespace="any", escapes="any"),
    "own white space, closed": JsonOptions(whitespace="[ ]{0,2}", extra_properties="closed"),
    "all at once": JsonOptions(
        property_order="any", integers="spec", escapes="any", whitespace="any", max_string_length=6
    ),
}
COMBINING = re.compile(
    r'"(?:oneOf|not|if|dependentRequired|dependentSchemas|dependencies|uniqueItems|contains|minProperties|maxProperties|'
    r'unevaluated\w+|\$dynamicRef|\$recursiveRef)":'
)
# Where the text of a label or of a format is judged otherwise by jsonschema's own checkers; walks through these are not validated.
CONTESTED: dict[str, str] = {}


def _walk(
    grammar: Any, kinds: walks.Kinds, oracle: Oracle | None, random: Random, style: str, every_state: bool
) -> int:
    """One walk with all checks on the way; returns the number of states."""
    matcher = grammar.matcher()
    size = kinds.vocabulary.size
    length = random.choice((5, 20, 50))
    full = random.randrange(length)
    states = 0
    for i, mask in enumerate(walks.walk(matcher, random, kinds, style, length)):
        states += 1
        if every_state or i == full:
            walks.check_mask(matcher, mask)
        else:
            allowed = mask[:size].nonzero()[0]
            sample = [random.randrange(size) for _ in range(40)]
            walks.check_mask(matcher, mask, sample + [int(allowed[random.randrange(len(allowed))]) for _ in range(20)])
        if random.random() < 0.1:
            walks.check_accepts(matcher, mask, [random.randrange(size) for _ in range(20)])
        if random.random() < 0.08:
            _judge(oracle, walks.complete(matcher), grammar)
    _judge(oracle, walks.complete(matcher), grammar)
    return states


def _judge(oracle: Oracle | None, text: bytes, grammar: Any) -> None:
    decoded = text.decode("utf-8")
    if oracle is not None:
        reason = oracle.reason(decoded)
        assert reason is None, f"{decoded!r} is not valid: {reason}"


def _compile(compiler: Compiler, text: str, options: JsonOptions) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compiler.compile_json_schema(text, options)


@pytest.mark.skipif(not walks.MASKBENCH.is_dir(), reason="the shared data is not beside the repository")
def test_laws_on_real_schemas(each: tuple[str, Vocabulary, walks.Kinds]) -> None:
    name, vocabulary, kinds = each
    compiler = Compiler(vocabulary, cache_size=0)
    counts: Counter[str] = Counter()
    names = list(OPTIONS)
    for number, (case, text, _) in enumerate(walks.maskbench_cases(EVERY, first=7)):
        options = OPTIONS["default" if number % 2 else names[number // 2 % len(names)]]
        try:
            grammar = _compile(compiler, text, options)
        except (UnsupportedError, UnsatisfiableError):
            counts["refused"] += 1
            continue
        counts["compiled"] += 1
        oracle = None if case in CONTESTED else Oracle(text)
        for number_of_walk in range(WALKS):
            random = Random(f"{case} {name} {number_of_walk}")
            style = walks.STYLES[(number + number_of_walk) % len(walks.STYLES)]
            try:
                counts["states"] += _walk(grammar, kinds, oracle, random, style, every_state=vocabulary.size < 1000)
            except AssertionError as error:
                raise AssertionError(f"schema {case}, {options}, style {style}: {error}") from error
    assert counts["compiled"] > (300 if ALL else 15), counts


@pytest.mark.skipif(not walks.MASKBENCH.is_dir(), reason="the shared data is not beside the repository")
def test_laws_on_schemas_that_combine_and_count(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    """Choices, complements, conditions, counts and unique items in real schemas: all of these (over 1,000) in the long run."""
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    counts: Counter[str] = Counter()
    names = list(OPTIONS)
    cases = (case for case in walks.maskbench_cases(1) if COMBINING.search(case[1]))
    for number, (case, text, _) in enumerate(itertools.islice(cases, 3, None, 1 if ALL else 45)):
        options = OPTIONS[names[number % len(names)]]
        try:
            grammar = _compile(compiler, text, options)
        except (UnsupportedError, UnsatisfiableError, LimitExceeded) as error:
            counts[type(error).__name__] += 1
            continue
        counts["compiled"] += 1
        random = Random(f"{case} combining")
        style = walks.STYLES[number % len(walks.STYLES)]
        try:
            counts["states"] += _walk(grammar, kinds, Oracle(text), random, style, every_state=True)
        except LimitExceeded:  # of a subschema that the walk reached
            counts["LimitExceeded"] += 1
        except AssertionError as error:
            raise AssertionError(f"schema {case}, {options}, style {style}: {error}") from error
    assert counts["compiled"] > (1_000 if ALL else 20), counts
    assert counts["LimitExceeded"] <= 0.01 * counts["compiled"], counts


@pytest.mark.parametrize("option", OPTIONS)
def test_laws_on_stress_schemas(mixed: tuple[Vocabulary, walks.Kinds], option: str) -> None:
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    options = OPTIONS[option]
    for number, (name, schema) in enumerate(STRESS):
        text = json.dumps(schema)
        grammar = _compile(compiler, text, options)
        oracle = Oracle(text)
        for number_of_walk in range(8 if ALL else 1):
            random = Random(f"{name} {option} {number_of_walk}")
            style = walks.STYLES[(number + number_of_walk) % len(walks.STYLES)]
            try:
                _walk(grammar, kinds, oracle, random, style, every_state=True)
            except AssertionError as error:
                raise AssertionError(f"schema {name}, {options}, style {style}: {error}") from error


STYLES_OF_TEXT: tuple[dict[str, Any], ...] = (
    {"separators": (",", ":")},
    {},
    {"indent": 2},
    {"indent": "\t"},
    {"ensure_ascii": False},
    {"ensure_ascii": False, "indent": 4},
)


def _spelled(value: Any, style: dict[str, Any]) -> str:
    """json.dumps with minimal escapes; ensure_ascii spells what the default spelling of strings has not."""
    return json.dumps(value, **{**style, "ensure_ascii": False})


@pytest.mark.skipif(not walks.MASKBENCH.is_dir(), reason="the shared data is not beside the repository")
def test_instances_are_accepted_in_every_usual_style(each: tuple[str, Vocabulary, walks.Kinds]) -> None:
    """Valid instances are read token by token in canonical tokenisation, invalid ones are not; every prefix is allowed by its mask."""
    _, vocabulary, _ = each
    compiler = Compiler(vocabulary, cache_size=0)
    options = JsonOptions(property_order="any", integers="spec")
    counts: Counter[str] = Counter()
    for case, text, tests in walks.maskbench_cases(12 if ALL else 60, first=5):
        try:
            grammar = _compile(compiler, text, options)
        except (UnsupportedError, UnsatisfiableError):
            continue
        oracle = Oracle(text)
        for test in tests:
            value = json.loads(json.dumps(test["data"]))
            spelled = json.dumps(value, ensure_ascii=False)
            if "\\u" in spelled or not spelled.isprintable():
                continue  # other controls and lone surrogates have spellings of their own
            valid = oracle.reason(spelled) is None
            if valid != test["valid"]:
                counts["contested"] += 1
                continue
            for style in STYLES_OF_TEXT:
                data = _spelled(value, style).encode()
                matcher = grammar.matcher()
                tokens = vocabulary.encode(data)
                taken = matcher.count_accepted(tokens)
                accepted = all(matcher.accept_token(token) for token in tokens) and matcher.is_accepting()
                counts["valid" if valid else "invalid"] += 1
                assert accepted == valid, f"{case}: {data!r} is {'' if valid else 'not '}valid; accepted {accepted}"
                if valid:
                    assert taken == len(tokens)
                else:
                    assert not grammar.matcher().accept_bytes(data) or not matcher.is_accepting()
    assert counts["valid"] > 50, counts
    assert counts["invalid"] > 50, counts
    assert counts["contested"] <= 0.01 * counts.total(), counts


@pytest.mark.parametrize("order", ["schema", "any"])
def test_no_key_comes_twice(mixed: tuple[Vocabulary, walks.Kinds], order: str) -> None:
    """After any members, no spelling of a used name can be finished: token by token, and as one token that holds it whole or in part."""
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    tokens = vocabulary.token_bytes
    tried = 0
    for name, schema in STRESS:
        grammar = _compile(
            compiler, json.dumps(schema), JsonOptions(property_order=order, escapes="any", whitespace="compact")
        )
        for seed in range(3):
            random = Random(f"{name} {seed}")
            matcher = grammar.matcher()
            for mask in walks.walk(matcher, random, kinds, "spans", 40):
                text = walks.text_of(matcher).decode(errors="replace")
                keys = _keys_of_open_object(text)
                if not keys or not text.endswith(","):
                    continue
                tried += 1
                for key in keys:
                    spelled = json.dumps(key, ensure_ascii=False).encode()
                    assert not matcher.fork().accept_bytes(spelled), f"{spelled!r} again after {text!r}"
                    for token in mask.nonzero()[0]:
                        entry = tokens[token] if token < len(tokens) else None
                        assert entry is None or not entry.startswith(spelled), f"{entry!r} after {text!r}"
    assert tried > 30, tried


def _keys_of_open_object(text: str) -> list[str]:
    """The names of the members so far of the innermost object, if the text ends after a comma of it (else [])."""
    stack: list[list[str] | None] = []
    i, expect_key = 0, False
    while i < len(text):
        c = text[i]
        if c == '"':
            j = i + 1
            while j < len(text) and text[j] != '"':
                j += 2 if text[j] == "\\" else 1
            if j >= len(text):
                return []
            if expect_key and stack and stack[-1] is not None:
                stack[-1].append(json.loads(text[i : j + 1], strict=False))
                expect_key = False
            i = j
        elif c == "{":
            stack.append([])
            expect_key = True
        elif c == "[":
            stack.append(None)
            expect_key = False
        elif c in "}]":
            stack.pop()
            expect_key = False
        elif c == ",":
            expect_key = bool(stack) and stack[-1] is not None
        i += 1
    return list(stack[-1]) if stack and stack[-1] is not None and expect_key else []


@pytest.mark.parametrize("seed", range(4 if ALL else 1))
def test_laws_on_random_schemas(mixed: tuple[Vocabulary, walks.Kinds], seed: int) -> None:
    """Schemas drawn over the whole keyword language; half have no instance, which must be seen when they are compiled."""
    from tests.schema import random_schemas

    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    base = JsonOptions(property_order="any", integers="spec")
    counts: Counter[str] = Counter()
    for number in range(400 if ALL else 120):
        random = Random(1000 * seed + number)
        text = json.dumps(random_schemas.schema(random), default=float)
        try:
            grammar = _compile(compiler, text, replace(base, whitespace="compact" if number % 2 else "flexible"))
        except (UnsupportedError, UnsatisfiableError) as error:
            counts[type(error).__name__] += 1
            continue
        counts["compiled"] += 1
        oracle = Oracle(text)
        try:
            _walk(grammar, kinds, oracle, random, walks.STYLES[number % 4], every_state=True)
        except (AssertionError, RecursionError) as error:
            raise AssertionError(f"schema {text}: {error}") from error
    assert counts["compiled"] > 40, counts
