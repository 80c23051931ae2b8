"""What is measured of a case: structgen on every bundled instance, generations that fit their limit, the verdict on a text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from structgen import tiny
from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.data import Case, Instance, load_cases, pick
from structgen.jsonschemabench.engines import ENGINES, load_engine, missing_packages
from structgen.jsonschemabench.measures import Writer, generate, is_compliant, measure_case, measure_task
from structgen.tiny.evaluate import examples

SIMPLE = Case(
    "simple",
    "s",
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False},
    (Instance({"a": 1}, True), Instance({"a": "1"}, False), Instance({}, False)),
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny.path())


@pytest.fixture(scope="module")
def model() -> Iterator[Any]:
    import torch
    from transformers import AutoModelForCausalLM

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the model is too small for more: on a busy machine threads wait for each other
    yield AutoModelForCausalLM.from_pretrained(tiny.path(), dtype=torch.float32).eval()
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def structgen_engine(tokenizer: Any) -> Any:
    return load_engine("structgen", tokenizer, len(tokenizer))


def test_structgen_judges_every_bundled_instance(structgen_engine: Any, tokenizer: Any) -> None:
    for case in load_cases("bundled"):
        record = measure_case(structgen_engine, case, tokenizer, None, lambda record: None)
        assert (record["status"], record["over"], record["under"]) == ("ok", [], []), case.id
        assert len(record["mask_us"]) > 0
        assert record["first_mask_ms"] >= record["compile_ms"] > 0


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_on_a_simple_schema(name: str, tokenizer: Any, model: Any) -> None:
    if missing_packages(name):
        pytest.skip(f"{missing_packages(name)} is not installed (extra `bench`)")
    engine = load_engine(name, tokenizer, len(tokenizer))
    seen = []
    writer = Writer(model, tokenizer, 24, 32)
    record = measure_case(engine, SIMPLE, tokenizer, writer, lambda record: seen.append(record["stage"]))
    assert record["status"] == "ok"
    assert seen == ["compile", "first mask", "instances", "generation", "validation"]
    if name == "unconstrained":
        assert (record["over"], record["under"], record["mask_us"]) == ([], [1, 2], [])
        return
    assert (record["over"], record["under"]) == ([], [])
    assert record["compliant"] is (record["finish"] == "stop")
    assert record["n_tokens"] <= 24
    assert record["ttft_ms"] > record["compile_ms"]
    assert record["model_ms"] > 0


@pytest.mark.parametrize("limit", [24, 64])
def test_structgen_ends_within_the_limit(structgen_engine: Any, tokenizer: Any, model: Any, limit: int) -> None:
    writer = Writer(model, tokenizer, limit, 64)
    n_fitting = 0
    for case in pick(load_cases("bundled"), ["Glaiveai2K", "Github_easy", "Github_medium", "Snowplow"], 2):
        structgen_engine.compile(case.schema)
        structgen_engine.reset()
        shortest = len(structgen_engine._matcher.shortest_completion())
        made = generate(structgen_engine, writer, json.dumps(case.schema))
        assert made.n_tokens <= limit
        if shortest <= limit:
            n_fitting += 1
            assert made.finish == "stop", case.id
            assert is_compliant(made.text, case.schema) is True, (case.id, made.text)
        else:
            assert made.finish == "length"
    assert n_fitting >= 3


def test_tasks_are_easier_under_the_constraint(structgen_engine: Any, tokenizer: Any, model: Any) -> None:
    writer = Writer(model, tokenizer, 96, 128)
    free = load_engine("unconstrained", tokenizer, len(tokenizer))
    right = {"constrained": 0, "free": 0}
    for task in examples(8, 20):
        held = measure_task(structgen_engine, task, writer, lambda record: None)
        loose = measure_task(free, task, writer, lambda record: None)
        assert held["status"] == loose["status"] == "ok"
        assert held["invalid"] == 0
        assert held["expected"] == loose["expected"] > 0
        right["constrained"] += held["right"]
        right["free"] += loose["right"]
    assert right["constrained"] >= right["free"] > 0


def test_a_task_that_fails_has_no_field_right(tokenizer: Any, model: Any) -> None:
    engine = load_engine("structgen", tokenizer, len(tokenizer))
    (task,) = examples(1, 20)
    task.schema = {"type": "nothing"}
    record = measure_task(engine, task, Writer(model, tokenizer, 8, 8), lambda record: None)
    assert (record["status"], record["right"], record["invalid"]) == ("refused", 0, 1)
    assert record["expected"] > 0


@pytest.mark.parametrize(
    ("text", "schema", "verdict"),
    [
        ("1", {"type": "integer"}, True),
        ("NaN", {}, False),
        ('{"a": 1', {}, False),
        ('"x"', {"format": "date", "type": "string"}, False),
        ("1", {"$ref": "https://example.invalid/nowhere.json"}, None),
        ('"a"', {"pattern": "\\p{L}"}, None),
    ],
)
def test_the_verdict_on_a_text(text: str, schema: Any, verdict: bool | None) -> None:
    assert is_compliant(text, schema) is verdict


def test_a_prompt_is_cut_to_its_limit(tokenizer: Any, model: Any) -> None:
    writer = Writer(model, tokenizer, 8, 16)
    assert len(writer.prompt_ids("word " * 400)) < 32


def test_an_engine_of_ones_own_has_module_and_name(tokenizer: Any) -> None:
    for name in ("vllm", "module:", ":name"):
        with pytest.raises(BenchError, match="there is no engine"):
            load_engine(name, tokenizer, 8)
    engine = load_engine("structgen.jsonschemabench.engines:UnconstrainedEngine", tokenizer, 40)
    assert engine.bitmask.shape == (1, 2)
