"""A sample of the real schemas and instances in ../shared: the normal form judges them as their labels do."""

from __future__ import annotations

import gzip
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from structgen.errors import UnsatisfiableError, UnsupportedError
from structgen.schema.keywords import check
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document
from tests.schema import interpreter

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MASKBENCH = DATA / "maskbench"
OPTIONS = JsonOptions(property_order="any", whitespace="any", integers="spec", formats="assert")


def _cases(every: int) -> Iterator[dict[str, Any]]:
    number = 0
    for path in sorted(MASKBENCH.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                number += 1
                if number % every == 0:
                    yield json.loads(line, parse_float=Decimal)


@pytest.mark.skipif(not MASKBENCH.is_dir(), reason="the shared data is not beside the repository")
def test_real_schemas_are_judged_as_labelled() -> None:
    counts: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in _cases(every=9):
            document = Document(case["schema"], options=OPTIONS)
            normalizer = Normalizer(document)
            try:
                check(document, normalizer)
            except (UnsupportedError, UnsatisfiableError):
                counts["refused"] += 1
                continue
            for test in case["tests"]:
                assert interpreter.matches(normalizer, test["data"]) == test["valid"], case["id"]
            counts["right"] += 1
    assert counts["right"] > 0.99 * counts.total()
