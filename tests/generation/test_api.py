"""`structgen.generate` end to end on random models: always valid, equal to a plain decoder without cache, typed, streamed."""

from __future__ import annotations

import enum
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import jsonschema
import numpy as np
import pydantic
import pytest
import torch

import structgen
from structgen.errors import BudgetError, LimitExceeded, ModelError, PromptError, SchemaError, UnsatisfiableError
from structgen.generation.models import load_model
from structgen.generation.sampling import gumbel_noise
from structgen.generation.values import ParameterError, parse_json
from tests.generation.small_models import byte_level_tokenizer, small_llama

SCHEMAS: list[Any] = [
    True,
    {"type": "object"},
    {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 6},
    {"type": "string", "minLength": 3, "maxLength": 12},
    {"type": "string", "pattern": "^(ab|true)+é?$"},
    {"type": "number", "minimum": -5, "exclusiveMaximum": 1000},
    {"enum": ["name", {"name": 12}, [True, None], 12.5]},
    {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "tags": {"type": "array", "items": {"enum": ["a", "b", "ab"]}},
        },
        "required": ["name", "age"],
        "additionalProperties": False,
    },
    {
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {"v": {"type": "boolean"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/tree",
        "required": ["v"],
    },
    {"anyOf": [{"type": "null"}, {"type": "array", "prefixItems": [{"type": "boolean"}, {"const": "x"}], "items": False}]},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def generate(schema: Any, **kwargs: Any) -> Any:
    kwargs.setdefault("tokenizer", byte_level_tokenizer())
    model = kwargs.pop("model", None) or small_llama()
    return structgen.generate(model, kwargs.pop("prompt", "Write: "), schema=schema, **kwargs)


@pytest.mark.parametrize("n", range(len(SCHEMAS)))
def test_output_is_valid_at_every_limit_or_refused_before_the_first_token(n: int) -> None:
    schema = SCHEMAS[n]
    validator = jsonschema.Draft202012Validator(schema)
    rng = random.Random(n)
    lowest_valid, highest_refused = 10**9, -1
    for limit in [*range(7), *(rng.randrange(7, 60) for _ in range(7))]:
        temperature = rng.choice((0.0, 0.5, 1.0, 3.0))
        pieces: list[str] = []
        model = small_llama(rng.randrange(3))
        try:
            result = generate(
                schema, model=model, max_new_tokens=limit, temperature=temperature, seed=limit, on_text=pieces.append
            )
        except BudgetError:
            assert not pieces
            highest_refused = max(highest_refused, limit)
            continue
        lowest_valid = min(lowest_valid, limit)
        assert "".join(pieces) == result.text
        assert len(result.token_ids) <= limit
        value = json.loads(result.text)
        assert result.value == value
        validator.validate(value)
        tokens = load_model(model, byte_level_tokenizer()).vocabulary
        assert tokens.decode(result.token_ids).decode() == result.text
        assert result.timings.n_tokens == len(result.token_ids)
    assert highest_refused < lowest_valid < 10**9


def test_the_shortest_output_fits_the_limit_that_the_error_names() -> None:
    for schema in SCHEMAS[1:]:
        with pytest.raises(BudgetError) as caught:
            generate(schema, max_new_tokens=0)
        result = generate(schema, max_new_tokens=caught.value.needed, temperature=1.0)
        assert len(result.token_ids) == caught.value.needed
        if caught.value.needed > 1:
            with pytest.raises(BudgetError):
                generate(schema, max_new_tokens=caught.value.needed - 1)


def plain_decode(schema: Any, limit: int, temperature: float, seed: int) -> list[int]:
    """The same by other means: no cache, no mask, every token asked for one by one, all completions searched."""
    model, loaded = small_llama(), load_model(small_llama(), byte_level_tokenizer())
    matcher = loaded.compiler.compile_json_schema(schema).matcher()
    sequence = byte_level_tokenizer()("Write: ")["input_ids"]
    out: list[int] = []
    every = np.arange(loaded.vocabulary.size)
    while len(out) < limit and not matcher.is_terminated():
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([sequence]), use_cache=False).logits[0, -1].numpy().astype(float)
        keys = logits / temperature + gumbel_noise(seed, len(out), every) if temperature else logits
        for token_id in sorted(every.tolist(), key=lambda t, keys=keys: -keys[t]):
            if not matcher.is_token_allowed(token_id):
                continue
            if token_id in loaded.vocabulary.stop_token_ids:
                return out
            fork = matcher.fork()
            assert fork.accept_token(token_id)
            if len(fork.shortest_completion()) <= limit - len(out) - 1:
                matcher = fork
                break
        out.append(token_id)
        sequence.append(token_id)
    return out


@pytest.mark.parametrize("temperature", [0.0, 1.2])
@pytest.mark.parametrize("n", [2, 3, 7, 8])
def test_tokens_equal_those_of_a_plain_decoder(n: int, temperature: float) -> None:
    for seed, limit in enumerate((14, 18, 30)):
        result = generate(SCHEMAS[n], max_new_tokens=limit, temperature=temperature, seed=seed)
        assert list(result.token_ids) == plain_decode(SCHEMAS[n], limit, temperature, seed)


def test_seed_and_temperature_decide_the_output() -> None:
    schema = {"type": "string"}
    runs = [generate(schema, max_new_tokens=20, temperature=1.0, seed=seed).text for seed in (5, 5, 6, 7)]
    assert runs[0] == runs[1]
    assert len(set(runs)) == 3
    greedy = {generate(schema, max_new_tokens=20, seed=seed).text for seed in range(3)}
    assert len(greedy) == 1


class Person(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=5)
    age: int = pydantic.Field(ge=0, le=120)


@dataclass
class Point:
    x: bool
    y: Literal["a", "b"]


class Movie(TypedDict):
    year: int


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize("tp", [Person, Point, Colour, int, bool])
def test_python_types_give_their_values(tp: Any) -> None:
    result = generate(tp, max_new_tokens=60, temperature=0.7)
    assert type(result.value) is tp


def test_typed_dicts_literals_and_lists_give_their_values() -> None:
    movie = generate(Movie, max_new_tokens=60).value
    assert set(movie) == {"year"}
    assert isinstance(movie["year"], int)
    assert generate(Literal["x", 3], max_new_tokens=60).value in ("x", 3)
    people = generate(list[Person], max_new_tokens=60, temperature=1.0).value
    assert all(type(person) is Person for person in people)


def test_objects_of_python_types_are_closed() -> None:
    for seed in range(5):
        text = generate(Person, max_new_tokens=80, temperature=2.0, seed=seed).text
        assert set(json.loads(text)) == {"name", "age"}


def test_schema_as_text_equals_the_dict() -> None:
    schema = SCHEMAS[7]
    assert generate(json.dumps(schema), max_new_tokens=40).text == generate(schema, max_new_tokens=40).text


def test_options_are_used() -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": 4}
    result = generate(schema, max_new_tokens=40, temperature=3.0, options=structgen.JsonOptions(whitespace="compact"))
    assert not any(c in result.text for c in " \n\t")


def test_a_model_by_path_gives_the_same(tmp_path: Path) -> None:
    small_llama().save_pretrained(tmp_path)
    byte_level_tokenizer().save_pretrained(tmp_path)
    by_path = generate(SCHEMAS[7], model=str(tmp_path), tokenizer=None, max_new_tokens=40)
    assert by_path.token_ids == generate(SCHEMAS[7], max_new_tokens=40).token_ids


def test_chat_prompts_reach_the_model() -> None:
    chat = byte_level_tokenizer(chat=True)
    result = generate(
        SCHEMAS[3], tokenizer=chat, prompt=[{"role": "user", "content": "hi"}], system="be brief", max_new_tokens=30
    )
    assert result.n_prompt_tokens == len(chat("<turn>system: be brief<turn>user: hi<turn>")["input_ids"])


def test_limit_without_a_number_is_what_the_context_leaves() -> None:
    prompt = "x" * 490
    result = generate({"type": "array", "items": {"type": "integer"}, "minItems": 8}, prompt=prompt, temperature=2.0)
    assert len(result.token_ids) <= 512 - 490


def test_prompt_and_limit_must_fit_the_context() -> None:
    with pytest.raises(PromptError, match="nothing is left"):
        generate(True, prompt="x" * 512)
    with pytest.raises(PromptError, match="lower max_new_tokens to 12"):
        generate(True, prompt="x" * 500, max_new_tokens=13)
    assert generate(True, prompt="x" * 500, max_new_tokens=12).value is not Ellipsis


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"temperature": -0.1}, ParameterError),
        ({"temperature": float("nan")}, ParameterError),
        ({"temperature": float("inf")}, ParameterError),
        ({"temperature": "1"}, ParameterError),
        ({"max_new_tokens": -1}, ParameterError),
        ({"max_new_tokens": 2.5}, ParameterError),
        ({"max_new_tokens": True}, ParameterError),
        ({"seed": None}, ParameterError),
        ({"seed": 0.5}, ParameterError),
        ({"on_text": "print"}, ParameterError),
        ({"options": {"whitespace": "compact"}}, ParameterError),
        ({"prompt": ""}, PromptError),
        ({"model": object()}, ModelError),
    ],
)
def test_bad_parameters_are_named(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        generate(True, **change)


def test_bad_schemas_are_named() -> None:
    with pytest.raises(SchemaError):
        generate({"type": "no such type"})
    with pytest.raises(UnsatisfiableError):
        generate({"type": "integer", "minimum": 3, "maximum": 2})
    with pytest.raises(SchemaError):
        generate("{not json")
    with pytest.raises(structgen.StructgenError):
        generate(3)


class NanModel(torch.nn.Module):
    """Gives logits that are not numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = small_llama()
        self.config = self.inner.config

    def get_output_embeddings(self) -> Any:
        return self.inner.get_output_embeddings()

    def forward(self, input_ids: Any, past_key_values: Any = None, use_cache: bool = True) -> Any:
        output = self.inner(input_ids=input_ids, past_key_values=past_key_values, use_cache=use_cache)
        output.logits = output.logits * float("nan")
        return output


def test_logits_that_are_not_finite_are_a_model_error() -> None:
    with pytest.raises(ModelError, match="not finite"):
        generate({"type": "string"}, model=NanModel())


def test_an_error_of_the_callback_is_the_users() -> None:
    def stop(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate({"type": "string"}, on_text=stop)


def test_json_nested_beyond_the_parser_is_a_limit() -> None:
    with pytest.raises(LimitExceeded):
        parse_json("[" * 200_000 + "]" * 200_000)
