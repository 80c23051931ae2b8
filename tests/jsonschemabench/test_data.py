"""The bundled schemas and the loaders: every instance by two validators and by structgen, every layout, bad input."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.data import Case, load_cases, pick

SPLITS = {
    "Glaiveai2K",
    "Github_trivial",
    "Github_easy",
    "Github_medium",
    "Github_hard",
    "Github_ultra",
    "Kubernetes",
    "Snowplow",
    "WashingtonPost",
    "JsonSchemaStore",
}
BUNDLED = load_cases("bundled")
needs_second_judge = pytest.mark.skipif(
    importlib.util.find_spec("jsonschema_rs") is None,
    reason="needs jsonschema-rs (extra `bench`), the second validator",
)
needs_formats = pytest.mark.skipif(
    importlib.util.find_spec("rfc3987") is None, reason="needs jsonschema[format] (extras `test` and `bench`)"
)


def texts(cases: list[Case]) -> list[str]:
    return [json.dumps(case.schema, sort_keys=True) for case in cases]


def test_bundled_set_has_every_kind() -> None:
    sizes = Counter(case.split for case in BUNDLED)
    assert set(sizes) == SPLITS
    assert len(BUNDLED) >= 300
    assert len(set(texts(BUNDLED))) == len(BUNDLED)
    n_keys = {split: [keys_of(case.schema) for case in BUNDLED if case.split == split] for split in SPLITS}
    order = ["Github_trivial", "Github_easy", "Github_medium", "Github_hard", "Github_ultra"]
    for smaller, larger in pairwise(order):
        assert max(n_keys[smaller]) < min(n_keys[larger]), (smaller, larger)


def keys_of(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(keys_of(item) for item in value.values())
    return sum(keys_of(item) for item in value) if isinstance(value, list) else 0


@needs_formats
def test_bundled_instances_by_jsonschema() -> None:
    for case in BUNDLED:
        kind = jsonschema.validators.validator_for(case.schema, default=jsonschema.Draft202012Validator)
        kind.check_schema(case.schema)
        validator = kind(case.schema, format_checker=kind.FORMAT_CHECKER)
        verdicts = Counter(test.valid for test in case.tests)
        assert min(verdicts[True], verdicts[False]) >= 2, case.id
        for test in case.tests:
            assert validator.is_valid(test.data) == test.valid, (case.id, test)


@needs_second_judge
def test_bundled_instances_by_the_second_validator() -> None:
    import jsonschema_rs

    for case in BUNDLED:
        validator = jsonschema_rs.validator_for(case.schema, validate_formats=True)
        for test in case.tests:
            assert validator.is_valid(test.data) == test.valid, (case.id, test)


@needs_second_judge
@needs_formats
def test_the_script_makes_the_file() -> None:
    from structgen.jsonschemabench import make_bundled

    made = make_bundled.make_cases()
    assert [case["id"] for case in made] == [case.id for case in BUNDLED]
    for case, stored in zip(made, BUNDLED, strict=True):
        assert json.dumps(case["schema"]) == json.dumps(stored.schema), case["id"]
        assert [(t["data"], t["valid"]) for t in case["tests"]] == [(t.data, t.valid) for t in stored.tests], case["id"]


SCHEMA = {"type": "object", "properties": {"schema": {"type": "string"}, "id": True}}


def test_a_folder_of_schemas(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "a.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "b.json").write_text("true")
    (tmp_path / "notes.txt").write_text("no schema")
    found = load_cases(str(tmp_path))
    assert [(case.id, case.split, case.schema, case.tests) for case in found] == [
        ("b", "schemas", True, ()),
        ("kinds/a", "kinds", SCHEMA, ()),
    ]


def test_maskbench_files(tmp_path: Path) -> None:
    rows = [{"id": f"Snowplow---{i}", "schema": SCHEMA, "tests": [{"valid": True, "data": {}}]} for i in range(2)]
    with gzip.open(tmp_path / "Snowplow.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "one.json").write_text(json.dumps({**rows[0], "id": "Kubernetes---7"}))
    found = load_cases(str(tmp_path))
    assert [(case.id, case.split) for case in found] == [
        ("Snowplow---0", "Snowplow"),
        ("Snowplow---1", "Snowplow"),
        ("Kubernetes---7", "Kubernetes"),
    ]
    assert all(case.tests[0].valid and case.tests[0].data == {} for case in found)
    assert load_cases(str(tmp_path / "Snowplow.jsonl.gz")) == found[:2]


def hub_rows() -> list[dict[str, str]]:
    return [{"json_schema": json.dumps(SCHEMA), "unique_id": f"Github_easy---o{i}"} for i in range(3)]


def test_the_hubs_rows_as_lines(tmp_path: Path) -> None:
    (tmp_path / "Github_easy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in hub_rows()))
    found = load_cases(str(tmp_path))
    assert [(case.id, case.split, case.schema) for case in found] == [
        (f"Github_easy---o{i}", "Github_easy", SCHEMA) for i in range(3)
    ]


def test_the_hubs_parquet_layout(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow to read the hub's files")
    from pyarrow import parquet

    (tmp_path / "Github_easy").mkdir()
    path = tmp_path / "Github_easy" / "test-00000-of-00001.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(hub_rows()), path)
    assert {(case.split, case.id) for case in load_cases(str(tmp_path))} == {
        ("Github_easy", row["unique_id"]) for row in hub_rows()
    }


def test_the_hub_through_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that stand in the union of the splits as well come once."""
    import huggingface_hub

    if importlib.util.find_spec("datasets") is not None:
        pytest.skip("`datasets` is installed and comes first")
    for name in ("Github_easy", "default"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in hub_rows()))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **options: str(tmp_path))
    assert [case.id for case in load_cases("epfl-dlab/JSONSchemaBench")] == [row["unique_id"] for row in hub_rows()]


def test_the_hub_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    if importlib.util.find_spec("datasets") is not None:
        pytest.skip("`datasets` is installed and comes first")

    def fail(*args: object, **options: object) -> str:
        raise OSError("no route to the hub")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(BenchError, match="cannot load 'epfl-dlab/JSONSchemaBench' from the hub: no route"):
        load_cases("epfl-dlab/JSONSchemaBench")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "is not JSON"),
        ("a.json", "3", "a schema is an object or a boolean, not int"),
        ("a.jsonl", '{"id": "a", "schema": {}, "tests": [{"data": 1}]}', "line 1: `tests` must be a list"),
        ("a.jsonl", '{"id": "a", "schema": {}}\n' * 2, "two cases with the id 'a'"),
        ("a.jsonl", '{"json_schema": "{", "unique_id": "a"}', "json_schema is not JSON"),
        ("a.jsonl.gz", "not gzip", "cannot read"),
        ("a.txt", "", "holds no schemas"),
    ],
)
def test_bad_data(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BenchError, match=message):
        load_cases(str(tmp_path))


def test_a_source_that_is_not_there() -> None:
    with pytest.raises(BenchError, match="no file or folder"):
        load_cases("nowhere")


def test_pick_goes_round_the_splits() -> None:
    chosen = pick(BUNDLED, ["github-easy", "snowPlow"], 3)
    assert [case.split for case in chosen] == ["Github_easy", "Snowplow"] * 3
    assert len({case.id for case in chosen}) == 6
    assert sorted(case.id for case in pick(BUNDLED)) == sorted(case.id for case in BUNDLED)
    assert len(pick(BUNDLED, (), 10**6)) == len(BUNDLED)
    with pytest.raises(BenchError, match="no split 'nothing'"):
        pick(BUNDLED, ["Nothing"])
