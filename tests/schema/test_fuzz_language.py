"""The laws of the language (`tests/schema/fuzz.py`) on a fixed sample of random schemas; and the sample itself: is it worth anything?

`STRUCTGEN_ALL_LAWS=1` takes ten times as many; `python -m tests.schema.fuzz` runs for as long as it is told.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.schema import fuzz, strategies
from tests.schema.judge import CLASSES, Judge, dumps, loads

ALL = os.environ.get("STRUCTGEN_ALL_LAWS") == "1"
# The share of the schemas that may meet an UnsupportedError.
PENDING = 0.02


@pytest.fixture(scope="module")
def laws() -> fuzz.Laws:
    return fuzz.Laws()


@pytest.mark.parametrize("seed", range(20 if ALL else 2))
def test_laws_on_random_schemas(laws: fuzz.Laws, seed: int) -> None:
    laws.counts.clear()
    fuzz.run(laws, seed, 75)
    counts = laws.counts
    print(dict(counts))
    assert counts["LimitExceeded"] <= 0.03 * counts["schemas"] + 1, counts
    assert counts["unsupported"] <= PENDING * counts["schemas"], counts
    assert counts["valid instances"] > 20 * counts["compiled"], counts
    assert counts["invalid instances"] > 20 * counts["compiled"], counts
    assert counts["outputs"] > 3 * counts["compiled"], counts


@pytest.mark.parametrize("kind", [kind for kind in strategies.KINDS if kind not in ("any", "references")])
def test_laws_on_random_schemas_of_one_kind(laws: fuzz.Laws, kind: str) -> None:
    """Few keywords at a time, so that they meet."""
    laws.counts.clear()
    keywords = frozenset({*strategies.KINDS[kind], "type", "const", "enum", "$ref", "anyOf"})
    if kind == "logic":
        keywords |= {"minimum", "maximum", "minLength", "properties", "required", "items"}
    fuzz.run(laws, 7, 150 if ALL else 20, keywords)
    assert laws.counts["LimitExceeded"] <= 0.03 * laws.counts["schemas"] + 1, laws.counts


# -- the harness ----------------------------------------------------------------------------------------------------------------------


class _Broken(fuzz.Laws):
    """Laws of an engine that leaves a keyword out."""

    keyword = ""

    def _compile(self, which: int, text: str, options: Any) -> Any:
        return super()._compile(which, dumps(_without(loads(text), self.keyword)), options)


def _without(schema: Any, keyword: str) -> Any:
    if isinstance(schema, list):
        return [_without(inner, keyword) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in ("const", "enum") else _without(value, keyword)
        for key, value in schema.items()
        if key != keyword
    }


@pytest.mark.parametrize(
    ("keyword", "kind"),
    [
        (keyword, kind)
        for kind, names in strategies.KINDS.items()
        for keyword in names
        if kind != "references" and keyword not in ("if", "dependencies", "minContains")
    ],
)
def test_an_engine_that_ignores_a_keyword_is_found_out(laws: fuzz.Laws, keyword: str, kind: str) -> None:
    broken = _Broken.__new__(_Broken)
    vars(broken).update(vars(laws), counts=Counter(), keyword=keyword)
    more = (
        {"minimum", "required", "properties", "items"} if kind == "logic" or keyword.startswith("uneval") else {"type"}
    )
    if keyword in ("items", "contains", "additionalProperties", "propertyNames", "patternProperties", "properties"):
        more = {"type", "const"}
    if keyword.startswith("dependent"):
        more |= {"required"}
    drawn = fuzz.drawn(frozenset({keyword, *more}), ("draft2020-12",))
    found = []

    @hypothesis.seed(3)
    @settings(
        max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(drawn, st.integers(0, 2**20))
    def check(case: tuple[str, Any, str], number: int) -> None:
        draft, schema, about = case
        if not found and keyword in fuzz.keywords_in(schema):
            try:
                broken.check(schema, draft, number, about)
            except fuzz.Finding as finding:
                found.append(finding)

    check()
    if not found and broken.counts["unsupported"]:
        pytest.skip(f"{keyword} comes with keywords that are not supported yet")
    assert found, broken.counts


@pytest.mark.parametrize("draft", strategies.DRAFTS)
def test_the_drawn_schemas_are_schemas_of_their_draft_and_most_have_instances(draft: str) -> None:
    counts: Counter[str] = Counter()
    seen: set[str] = set()

    @hypothesis.seed(11)
    @settings(
        max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(strategies.schemas(draft))
    def check(schema: Any) -> None:
        CLASSES[draft].check_schema(json.loads(dumps(schema)))
        assert loads(dumps(schema)) == schema
        seen.update(fuzz.keywords_in(schema))
        judge = Judge(schema, draft, fuzz.FORMATS)
        counts["schemas"] += 1
        counts["with small instances"] += any(map(judge.valid, strategies.SMALL_VALUES))
        near = strategies.values_near(schema, Random(1), 20)
        counts["near"] += len(near)
        counts["near and valid"] += sum(map(judge.valid, near))

    check()
    assert counts["with small instances"] > 0.5 * counts["schemas"], counts
    assert 0.2 * counts["near"] < counts["near and valid"] < 0.8 * counts["near"], counts
    assert len(seen) > 0.6 * len(strategies.keywords_of(draft)), seen


def test_spellings_of_a_value_have_its_value(laws: fuzz.Laws) -> None:
    random = Random(4)
    for value in strategies.SMALL_VALUES * 3:
        assert fuzz.loads(fuzz.spelled(random, value)) == value
        assert fuzz.loads(fuzz.spelled(random, value, freely=True)) == value


def test_a_finding_is_made_small(laws: fuzz.Laws) -> None:
    broken = _Broken.__new__(_Broken)
    vars(broken).update(vars(laws), counts=Counter(), keyword="maximum")
    with pytest.raises(fuzz.Finding) as caught:
        fuzz.run(broken, 1, 200, frozenset({"type", "maximum", "minimum", "properties"}))
    small = fuzz.made_small(broken, caught.value, 60.0)
    assert len(small.schema) < 60, small
    assert "maximum" in small.signature()


def test_the_command_line_resumes(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.json"
    arguments = ["--minutes", "0.0001", "--batch", "5", "--state", str(state), "--keywords", "type,minimum"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fuzz.main([*arguments, "--seed", "9"]) == 0
        assert fuzz.main(arguments) == 0
    kept = json.loads(state.read_text())
    assert kept["next_seed"] == 11
    assert kept["counts"]["schemas"] >= 10
    assert "next seed 11" in capsys.readouterr().out
