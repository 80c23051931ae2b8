"""The official JSON Schema Test Suite (in ../shared): every test whose schema is not refused is judged right."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema_specifications import REGISTRY
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7, DRAFT202012

from structgen.errors import UnsatisfiableError, UnsupportedError
from structgen.schema.keywords import check
from structgen.schema.normal import Normalizer
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document
from tests.schema import interpreter

SUITE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "json-schema-test-suite"
SPECIFICATIONS = {"draft7": DRAFT7, "draft2020-12": DRAFT202012}
OTHER_DRAFTS = ("draft3", "draft4", "draft6", "draft7", "draft2019-09", "draft2020-12", "v1")


def _remotes(draft: str) -> Registry[Any]:
    resources = []
    for path in (SUITE / "remotes").rglob("*.json"):
        name = path.relative_to(SUITE / "remotes")
        if name.parts[0] in OTHER_DRAFTS and name.parts[0] != draft:
            continue
        contents = json.loads(path.read_text(encoding="utf-8"))
        resource = Resource.from_contents(contents, default_specification=SPECIFICATIONS[draft])
        resources.append((f"http://localhost:1234/{name.as_posix()}", resource))
    return REGISTRY.with_resources(resources)


@pytest.mark.skipif(not SUITE.is_dir(), reason="the shared data is not beside the repository")
@pytest.mark.parametrize(("draft", "share"), [("draft2020-12", 0.65), ("draft7", 0.8)])
def test_suite(draft: str, share: float) -> None:
    registry = _remotes(draft)
    options = JsonOptions(property_order="any", whitespace="any", integers="spec", formats="annotate", draft=draft)
    counts: Counter[str] = Counter()
    for path in sorted((SUITE / draft).glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal):
            document = Document(case["schema"], options=options, registry=registry)
            normalizer = Normalizer(document)
            try:
                check(document, normalizer)
            except UnsupportedError:
                counts["refused"] += len(case["tests"])
                continue
            except UnsatisfiableError:
                assert not any(test["valid"] for test in case["tests"]), case["description"]
                counts["right"] += len(case["tests"])
                continue
            for test in case["tests"]:
                where = (path.name, case["description"], test["description"])
                assert interpreter.matches(normalizer, test["data"]) == test["valid"], where
                counts["right"] += 1
    assert counts["right"] > share * counts.total(), counts
