"""Budgets of fields: the output stays valid, a value keeps to its budget or to the fewest tokens that complete it, the rest is free."""

from __future__ import annotations

import contextlib
import json
import os
from random import Random
from typing import Any

import jsonschema
import pydantic
import pytest
import torch

from structgen import Generator, Request, SchemaError, StructgenError
from structgen.generation.budgets import check_budgets, has_budgets
from structgen.generation.events import Complete, ValueEvents
from structgen.generation.places import CLOSED, OPENED, SCALAR_ENDED, Scanner
from structgen.jsonschemabench.data import load_cases, pick
from structgen.schema.references import SINGLE_SUBSCHEMA, SUBSCHEMA_LISTS, SUBSCHEMA_MAPS
from tests.generation.small_models import byte_level_tokenizer, small_llama

N_SCHEMAS = 300 if os.environ.get("STRUCTGEN_ALL_LAWS") == "1" else 40


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # a small model is no faster on more, and much slower beside other processes


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(context=1024), byte_level_tokenizer())


def n(most: int, **schema: Any) -> dict[str, Any]:
    return {**schema, "x-structgen": {"max_tokens": most}}


TEXT = {"type": "string"}
OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": False}
# (schema, {pointer: budget})
CASES: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({**OBJECT, "properties": {"a": n(5, **TEXT), "b": n(3, **TEXT)}, "required": ["a", "b"]}, {"/a": 5, "/b": 3}),
    ({**OBJECT, "properties": {"a": n(4, type="integer", minimum=0), "b": {"type": "boolean"}}, "required": ["a", "b"]}, {"/a": 4}),
    (n(8, type="array", items=n(3, **TEXT), minItems=2, maxItems=30), {"": 8, "/0": 3, "/1": 3, "/2": 3}),
    (n(6, type="string"), {"": 6}),
    (n(3, type="integer", minimum=0), {"": 3}),
    ({**OBJECT, "properties": {"o": n(12, **OBJECT, properties={"s": TEXT, "t": TEXT}, required=["s", "t"])}, "required": ["o"]},
     {"/o": 12}),
    ({**OBJECT, "properties": {"a": n(2, type="string", minLength=9)}, "required": ["a"]}, {"/a": 2}),
    ({"$defs": {"s": n(4, **TEXT)}, "type": "array", "prefixItems": [{"$ref": "#/$defs/s"}, n(6, **TEXT)], "items": False, "minItems": 2},
     {"/0": 4, "/1": 6}),
    ({**OBJECT, "properties": {"u": {"anyOf": [n(7, **TEXT), n(5, type="array", items=TEXT)]}}, "required": ["u"]}, {"/u": 5}),
    ({"type": "object", "patternProperties": {"^a": n(4, **TEXT)}, "properties": {"ab": True, "n": TEXT}, "required": ["ab", "n"],
      "additionalProperties": False}, {"/ab": 4}),
]  # fmt: skip


def spans(data: bytes) -> dict[str, tuple[int, int]]:
    """First byte and end of each finished value, by its pointer; by other means than the scanner."""
    values = ValueEvents()
    events = values.feed(data, 1)
    with contextlib.suppress(ValueError):  # the text is not complete
        events += values.finish()
    text, found = values.text, {}
    for event in events:
        if isinstance(event, Complete):
            start, end = (len(text[:at].encode()) for at in (event.part._start, event.part._end))
            found[event.pointer] = (start, end)
    return found


def touching(tokens: list[bytes], span: tuple[int, int]) -> tuple[int, int]:
    """Number of the first token with a byte in the span, and how many have one."""
    at, found = 0, []
    for number, data in enumerate(tokens):
        if at < span[1] and at + len(data) > span[0]:
            found.append(number)
        at += len(data)
    return found[0], len(found)


def n_allowed(generator: Generator, schema: Any, token_ids: tuple[int, ...], pointer: str, budget: int) -> int:
    """What the docstring promises: the budget, or the first token and the fewest that complete the value after it."""
    loaded = generator._loaded
    tokens = [loaded.vocabulary.token_bytes[t] or b"" for t in token_ids]
    first, _ = touching(tokens, spans(b"".join(tokens))[pointer])
    matcher = loaded.compiler.compile_json_schema(schema).matcher()
    for token_id in token_ids[: first + 1]:
        assert matcher.accept_token(token_id)
    plan = [loaded.vocabulary.token_bytes[t] or b"" for t in matcher.shortest_completion()]
    shortest = [*tokens[: first + 1], *plan]
    return max(budget, touching(shortest, spans(b"".join(shortest))[pointer])[1])


@pytest.mark.parametrize("case", range(len(CASES)))
def test_values_keep_to_their_budgets_and_texts_stay_valid(generator: Generator, case: int) -> None:
    schema, budgets = CASES[case]
    shaped = 0
    for seed in range(12):
        parameters: dict[str, Any] = {
            "max_new_tokens": (150, 60, 40)[seed % 3],
            "temperature": (0.0, 1.0, 2.0)[seed % 3],
            "seed": seed,
        }
        result = generator.generate("na ab", schema, **parameters)
        jsonschema.validate(result.value, schema)
        tokens = [generator._loaded.vocabulary.token_bytes[t] or b"" for t in result.token_ids]
        places = spans(b"".join(tokens))
        for pointer, budget in budgets.items():
            if pointer in places:
                _, count = touching(tokens, places[pointer])
                allowed = n_allowed(generator, schema, result.token_ids, pointer, budget)
                assert count <= allowed, (result.text, pointer, count, allowed)
        free = generator.generate(
            "na ab", json.loads(json.dumps(schema).replace("x-structgen", "x-other")), **parameters
        )
        assert bool(result.closed_fields) >= (free.token_ids != result.token_ids)
        assert set(result.closed_fields) <= places.keys()
        assert free.closed_fields == ()
        shaped += free.token_ids != result.token_ids
    assert shaped or "minimum" in str(schema), "the budgets of this case are never reached"


def test_a_budget_that_is_not_reached_changes_nothing(generator: Generator) -> None:
    for schema, _ in CASES:
        wide = json.loads(json.dumps(schema).replace('"max_tokens": ', '"max_tokens": 1000'))
        plain = json.loads(json.dumps(schema).replace("x-structgen", "x-other"))
        for seed in range(3):
            parameters: dict[str, Any] = {"max_new_tokens": 60, "temperature": 1.0, "seed": seed}
            expected = generator.generate("na", plain, **parameters)
            result = generator.generate("na", wide, **parameters)
            assert (result.token_ids, result.closed_fields) == (expected.token_ids, ())


def test_a_text_is_the_same_up_to_the_token_that_the_budget_refuses(generator: Generator) -> None:
    schema = CASES[0][0]
    plain = json.loads(json.dumps(schema).replace("x-structgen", "x-other"))
    for seed in range(8):
        parameters: dict[str, Any] = {"max_new_tokens": 100, "temperature": 1.0, "seed": seed}
        limited, free = (generator.generate("na", one, **parameters) for one in (schema, plain))
        same = next(
            (i for i, (a, b) in enumerate(zip(limited.token_ids, free.token_ids, strict=False)) if a != b), None
        )
        if same is not None:
            assert limited.closed_fields
            first, _ = touching(
                [generator._loaded.vocabulary.token_bytes[t] or b"" for t in limited.token_ids],
                spans(limited.text.encode())["/a"],
            )
            assert same > first


def test_a_string_is_closed_where_it_is(generator: Generator) -> None:
    """Nothing is put before the quotation mark, but for the end of a character or an escape that had begun."""
    plain = json.loads(json.dumps(CASES[0][0]).replace("x-structgen", "x-other"))
    n_cut = 0
    for most in (2, 4, 7):
        schema = {**plain, "properties": {**plain["properties"], "a": n(most, **TEXT)}}
        for seed in range(8):
            parameters: dict[str, Any] = {"max_new_tokens": 100, "temperature": 1.0, "seed": seed}
            limited, free = (generator.generate("na", one, **parameters).value["a"] for one in (schema, plain))
            assert free.startswith(limited[:-1])
            assert limited == free or len(limited) <= len(free)
            n_cut += free.startswith(limited) and limited != free
    assert n_cut > 6


def test_what_follows_a_closed_field_is_the_models_choice(generator: Generator) -> None:
    """Optional members still come: the shortest completion of the whole text would leave all of them out."""
    schema = {
        "type": "object",
        "properties": {"a": n(3, **TEXT), **{name: {"type": "boolean"} for name in "bcde"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    lengths = {
        len(generator.generate("na", schema, max_new_tokens=200, temperature=1.5, seed=seed).value)
        for seed in range(12)
    }
    assert len(lengths) > 1


def sprinkled(schema: Any, random: Random) -> Any:
    """A copy with budgets on some of the subschemas that are objects."""
    if not isinstance(schema, dict):
        return schema
    out = dict(schema)
    for key, value in schema.items():
        if key in SUBSCHEMA_MAPS and isinstance(value, dict):
            out[key] = {name: sprinkled(inner, random) for name, inner in value.items()}
        elif key in SUBSCHEMA_LISTS and isinstance(value, list):
            out[key] = [sprinkled(inner, random) for inner in value]
        elif key in SINGLE_SUBSCHEMA:
            out[key] = sprinkled(value, random)
    if random.random() < 0.4:
        out["x-structgen"] = {"max_tokens": random.choice((1, 3, 8, 20))}
    return out


def test_outputs_of_any_schema_stay_valid_under_any_budgets(generator: Generator) -> None:
    n_checked = n_closed = 0
    for seed, case in enumerate(pick(load_cases("bundled"), limit=N_SCHEMAS)):
        kind = jsonschema.validators.validator_for(case.schema, default=jsonschema.Draft202012Validator)
        schema = sprinkled(case.schema, Random(seed))
        try:
            result = generator.generate("na", schema, max_new_tokens=300, temperature=0.9, seed=seed)
        except StructgenError:  # no output fits, or structgen refuses the schema: with or without budgets
            with pytest.raises(StructgenError):
                generator.generate("na", case.schema, max_new_tokens=300, temperature=0.9, seed=seed)
            continue
        kind(case.schema).validate(result.value)
        n_checked += 1
        n_closed += len(result.closed_fields)
    assert n_checked > 0.8 * N_SCHEMAS
    assert n_closed > n_checked / 4


def test_fields_of_models_have_budgets(generator: Generator) -> None:
    class Note(pydantic.BaseModel):
        title: str = pydantic.Field(json_schema_extra={"x-structgen": {"max_tokens": 4}})
        done: bool

    rows = [Request("na", Note, max_new_tokens=200, temperature=1.5, seed=seed) for seed in range(6)]
    for row, result in zip(rows, generator.batch(rows), strict=True):
        assert isinstance(result.value, Note)  # type: ignore[union-attr]
        tokens = [generator._loaded.vocabulary.token_bytes[t] or b"" for t in result.token_ids]  # type: ignore[union-attr]
        assert touching(tokens, spans(b"".join(tokens))["/title"])[1] <= 4, row


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        (5, "must be an object"),
        ([], "must be an object"),
        ({"max_tokens": 0}, "at least 1"),
        ({"max_tokens": -3}, "at least 1"),
        ({"max_tokens": 2.5}, "at least 1"),
        ({"max_tokens": True}, "at least 1"),
        ({"max_tokens": None}, "at least 1"),
        ({"max_token": 3}, "max_token'"),
    ],
)
def test_a_budget_that_is_none_is_a_schema_error(generator: Generator, extension: Any, reason: str) -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [True, {"type": "string", "x-structgen": extension}]}}}
    for given in (schema, json.dumps(schema)):
        with pytest.raises(SchemaError, match=reason) as caught:
            generator.generate("a", given)
        assert caught.value.pointer == "/properties/a/anyOf/1/x-structgen"


def test_names_and_constants_are_no_budgets(generator: Generator) -> None:
    schema = {
        "type": "object",
        "properties": {"x-structgen": {"const": {"x-structgen": 5}}},
        "required": ["x-structgen"],
        "additionalProperties": False,
    }
    assert has_budgets(schema)
    check_budgets(schema)
    assert generator.generate("a", schema).value == {"x-structgen": {"x-structgen": 5}}
    assert not has_budgets({"type": "object"})


def test_the_report_calls_it_an_annotation(generator: Generator) -> None:
    rows = generator._loaded.compiler.compile_json_schema(n(3, **TEXT)).report()
    assert ("", "x-structgen", "annotation", "") in [tuple(row) for row in rows]


# -- the scanner --------------------------------------------------------------------------------------------------------------------


def spelled(value: Any, random: Random) -> tuple[str, list[tuple[int, int, tuple[Any, ...]]]]:
    """A text of the value and the span of every value in it with its keys, in the order in which they open."""
    out: list[str] = []
    found: list[Any] = []

    def blank() -> None:
        out.append(random.choice(("", "", " ", "\n\t")))

    def length() -> int:
        return len("".join(out).encode())

    def write(one: Any, keys: tuple[Any, ...]) -> None:
        blank()
        start, number = length(), len(found)
        found.append(None)
        if isinstance(one, dict | list):
            items = list(one.items() if isinstance(one, dict) else enumerate(one))
            out.append("{" if isinstance(one, dict) else "[")
            for i, (key, inner) in enumerate(items):
                out.append("," if i else "")
                if isinstance(one, dict):
                    blank()
                    out.append(json.dumps(key, ensure_ascii=random.random() < 0.5))
                    blank()
                    out.append(":")
                write(inner, (*keys, key))
            blank()
            out.append("}" if isinstance(one, dict) else "]")
        else:
            out.append(json.dumps(one, ensure_ascii=random.random() < 0.5))
        found[number] = (start, length(), keys)
        blank()

    write(value, ())
    return "".join(out), found


def random_value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(7 if depth < 4 else 5)
    if kind < 5:
        return random.choice(([0, -1.5e9, True, None], ['a"b', "\\", "é{[", "", "]}:,"])[kind % 2])
    size = random.randrange(4)
    if kind == 5:
        return [random_value(random, depth + 1) for _ in range(size)]
    return {random.choice('abé"\\{') * random.randrange(1, 3): random_value(random, depth + 1) for _ in range(size)}


def test_the_scanner_finds_every_value() -> None:
    for seed in range(400):
        random = Random(seed)
        text, expected = spelled(random_value(random), random)
        scanner, stack, found = Scanner(), [], []
        for at, byte in enumerate(text.encode()):
            if random.random() < 0.1:
                scanner = scanner.copy()
            event = scanner.step(byte)
            if event & SCALAR_ENDED:
                found.append((*stack.pop(), at))
            if event & OPENED:
                keys = (*stack[-1][1], scanner.key) if stack else ()
                stack.append((at, keys))
            if event & CLOSED:
                found.append((*stack.pop(), at + 1))
        found += [(*one, len(text.encode().rstrip())) for one in stack]
        assert sorted((start, end, keys) for start, keys, end in found) == sorted(expected), text
