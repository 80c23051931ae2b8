"""Many calls of `generate` with the embedded model on real schemas: every output parses and validates, or no valid output fits."""

from __future__ import annotations

import gzip
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

import structgen
from structgen.errors import BudgetError, UnsatisfiableError, UnsupportedError
from structgen.generation.models import load_model

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "maskbench"
PROMPTS = ("Ada Lovelace, 36, lives in London.", "Order 12 of 2024-01-02: three lamps", "x")


def schemas(n: int, seed: int) -> list[tuple[str, Any]]:
    """n random schemas of the folder, with their ids."""
    if not DATA.is_dir():
        pytest.skip(f"no schemas at {DATA}")
    found = []
    for path in sorted(DATA.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [(case["id"], case["schema"]) for case in map(json.loads, lines)]
    return random.Random(seed).sample(found, n)


def errors_of(schema: Any, text: str) -> list[str]:
    """What `jsonschema` says of the text, formats asserted, numbers exact."""
    cls = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    value = json.loads(text, parse_float=Decimal)
    return [error.message for error in cls(schema, format_checker=cls.FORMAT_CHECKER).iter_errors(value)]


def test_every_call_is_valid_or_refused_before_the_first_token() -> None:
    torch.set_num_threads(1)
    rng = random.Random(20)
    finished = 0
    for case_id, schema in schemas(40, seed=4):
        limit, temperature = rng.randrange(8, 60), rng.choice((0.0, 0.7, 1.3))
        pieces: list[str] = []
        try:
            result = structgen.generate(
                "tiny",
                rng.choice(PROMPTS),
                schema=schema,
                max_new_tokens=limit,
                temperature=temperature,
                seed=limit,
                on_text=pieces.append,
            )
        except (UnsupportedError, UnsatisfiableError, BudgetError):
            assert not pieces
            continue
        assert "".join(pieces) == result.text
        assert len(result.token_ids) <= limit, case_id
        assert not errors_of(schema, result.text), (case_id, result.text)
        finished += 1
    assert finished > 15


def test_the_embedded_model_is_loaded_once() -> None:
    assert load_model("tiny").model is load_model("tiny").model
