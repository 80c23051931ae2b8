"""The command line with the real engine and the embedded model: what comes out validates, and every error has its code and its place."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import structgen
from structgen import cli

PERSON: dict[str, Any] = {
    "type": "object",
    "title": "Person",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["new", "old"]}, "maxItems": 2},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
PROMPT = "Ana Silva, 34, lives in Porto."
TYPES = """
import dataclasses, pydantic

class Person(pydantic.BaseModel):
    name: str
    age: int

@dataclasses.dataclass
class Point:
    x: int
    y: int

class Picky(pydantic.BaseModel):
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def never(cls, value: str) -> str:
        raise ValueError("never good enough")
"""


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = cli.run(args)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("temperature", ["0", "1.5"])
def test_generate_prints_one_line_that_validates(capsys: pytest.CaptureFixture[str], temperature: str) -> None:
    words = ["generate", PROMPT, "--schema", json.dumps(PERSON), "--temperature", temperature, "--seed", "3"]
    code, out, err = run(capsys, *words, "--max-new-tokens", "60")
    assert (code, err) == (0, "")
    assert out.endswith("\n")
    assert "\n" not in out[:-1]
    value = json.loads(out)
    jsonschema.validate(value, PERSON)
    expected = structgen.generate(
        "tiny", PROMPT, schema=PERSON, temperature=float(temperature), seed=3, max_new_tokens=60
    )
    assert out == expected.text + "\n"


def test_generate_explains_and_keeps_time(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", PROMPT, "--schema", json.dumps(PERSON)]
    expected = run(capsys, *words)[1]
    code, out, err = run(capsys, *words, "--explain", "--time-limit", "1000", "--heal")
    assert (code, out) == (0, expected)
    assert expected.strip() in err
    for pointer in ("(whole)", *(f"/{name}" for name in PERSON["properties"])):
        assert f" {pointer}" in err
    code, out, err = run(capsys, *words, "--time-limit", "0")
    assert (code, out) == (4, "")
    assert "the time limit was reached" in err
    assert err.count("\n") == 1


def test_generate_with_python_types(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cli_models.py").write_text(TYPES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    code, out, _ = run(capsys, "generate", PROMPT, "--pydantic", "cli_models:Person")
    assert code == 0
    assert set(json.loads(out)) == {"name", "age"}
    code, out, _ = run(capsys, "generate", PROMPT, "--pydantic", "cli_models:Point", "--file", "out.json")
    assert (code, out) == (0, "")
    assert set(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))) == {"x", "y"}
    code, _, err = run(capsys, "generate", PROMPT, "--pydantic", "cli_models:Picky", "--max-new-tokens", "20")
    assert code == 2
    assert "never good enough" in err


@pytest.mark.parametrize(
    ("schema", "code", "words"),
    [
        ({"properties": {"a/b": {"uniqueItems": 1}}}, 2, ["uniqueItems", "#/properties/a~1b"]),
        ({"type": "strng"}, 2, ["type", "#"]),
        ({"properties": 5}, 2, ["properties"]),
        ({"$ref": "#/$defs/absent"}, 2, ["absent"]),
        ({"properties": {"a": {"pattern": "a**"}}}, 2, ["^"]),
        ({"type": "integer", "minimum": 5, "maximum": 4}, 2, ["unsatisfiable"]),
        ({"type": "string", "pattern": "^(a{0,30000}b){1,30000}$"}, 4, ["limit"]),
    ],
)
def test_schema_errors_have_their_code_and_their_place(
    capsys: pytest.CaptureFixture[str], schema: dict[str, Any], code: int, words: list[str]
) -> None:
    for command in (["check"], ["mask", ""], ["generate", PROMPT]):
        got, out, err = run(capsys, *command, "--schema", json.dumps(schema))
        assert got == code, err
        assert ("refused" in out) == (command == ["check"] and code == 3)
        assert err.startswith("error: ")
        for word in words:
            assert word in err


def test_unknown_format_is_one_line_of_warning() -> None:
    words = [sys.executable, "-m", "structgen", "check", "--schema", '{"format": "no-such-format"}']
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert done.stderr == "warning: format 'no-such-format' is unknown and not enforced\n"


def test_generation_errors_have_their_code(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.dumps(PERSON)
    code, out, err = run(capsys, "generate", PROMPT, "--schema", schema, "--max-new-tokens", "2")
    assert (code, out) == (4, "")
    assert "no valid output fits" in err
    code, out, err = run(capsys, "generate", " ", "--schema", schema)
    assert (code, out) == (2, "")
    assert "prompt is empty" in err
    code, _, err = run(capsys, "generate", "word " * 20_000, "--schema", schema)
    assert code == 2
    assert "context" in err
    code, _, err = run(capsys, "generate", PROMPT, "--schema", schema, "--model", "no/such/model/here")
    assert code == 2
    assert err.count("\n") == 1


def test_check_reports_every_keyword_and_the_cost(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "check", "--schema", json.dumps(PERSON), "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    rows = {(row["pointer"], row["keyword"]): row["status"] for row in found["report"]}
    assert rows["#", "title"] == "annotation"
    assert {place for place, status in rows.items() if status == "enforced"} == {
        ("#", "type"),
        ("#", "properties"),
        ("#", "required"),
        ("#", "additionalProperties"),
        ("#/properties/name", "type"),
        ("#/properties/name", "minLength"),
        ("#/properties/name", "maxLength"),
        ("#/properties/age", "type"),
        ("#/properties/age", "minimum"),
        ("#/properties/age", "maximum"),
        ("#/properties/tags", "type"),
        ("#/properties/tags", "items"),
        ("#/properties/tags", "maxItems"),
        ("#/properties/tags/items", "enum"),
    }
    assert found["cost"]["n_first_tokens"] > 0
    assert found["cost"]["n_states"] > 0


def test_check_reports_every_keyword(capsys: pytest.CaptureFixture[str]) -> None:
    schema = {"not": {"type": "string"}, "properties": {"a": {"uniqueItems": True, "type": "array", "title": "A"}}}
    code, out, _ = run(capsys, "check", "--schema", json.dumps(schema), "--json")
    found = json.loads(out)
    assert code == 0
    rows = {(row["pointer"], row["keyword"]): row["status"] for row in found["report"]}
    assert rows["#", "not"] == rows["#/not", "type"] == rows["#/properties/a", "uniqueItems"] == "enforced"
    assert rows["#/properties/a", "title"] == "annotation"
    assert found["cost"] is not None


def test_mask_walks_a_text_and_explains_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.dumps(PERSON)
    code, out, _ = run(capsys, "mask", '{"name": "Ana", "age": 3', "--schema", schema, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["may_end"] is False
    assert json.loads(found["text"] + found["shortest"])
    code, out, _ = run(capsys, "mask", '{"name": "Ana"', "--then", ', "age": 151', "--schema", schema, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["then"]["allowed"] is False
    assert found["then"]["refused_at_byte"] == len(', "age": 15')
    assert "/properties/age" in found["then"]["reason"]
    code, out, _ = run(capsys, "mask", "{", "--schema", schema, "--whitespace", "compact", "--json")
    assert code == 0
    assert json.loads(out)["forced"].startswith('"name"')
    code, out, err = run(capsys, "mask", '{"nome"', "--schema", schema)
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[-2][lines[-1].index("^")] == "o"


def test_terminal_gets_the_text_as_it_comes_and_the_timings() -> None:
    master, slave = pty.openpty()
    words = [sys.executable, "-m", "structgen", "generate", PROMPT, "--schema", json.dumps(PERSON)]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.PIPE)
    os.close(slave)
    pieces = []
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(master)
    _, err = process.communicate()
    assert process.returncode == 0, err
    text = b"".join(pieces).decode("utf-8").replace("\r\n", "\n")
    jsonschema.validate(json.loads(text), PERSON)
