"""README.md says what is true: its commands, its exit codes, its Python."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import subprocess
import types
from pathlib import Path
from typing import Any

import pytest

import structgen
import structgen.tiny
from structgen import cli, errors

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command(name: str) -> str:
    found = re.search(rf"^<!-- command: {name} -->\n```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no command {name}"
    return found[1]


@pytest.mark.parametrize("name", ["main", "tests"])
def test_commands_set_themselves_up(name: str) -> None:
    text = command(name)
    assert text.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert "-c constraints.txt" in text
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_there_are_exactly_two_commands() -> None:
    assert re.findall(r"<!-- command: (\w+) -->", README) == ["main", "tests"]


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert text.index("run_command tests") < text.index("run_command main")
    for check in ("ruff check", "ruff format --check", "mypy"):
        assert check in text
    body = text[text.index("command_of() {") : text.index("run_command() {")]
    for name in ("main", "tests"):
        done = subprocess.run(
            ["bash", "-c", f"{body}\ncommand_of {name}"], capture_output=True, text=True, check=True, cwd=ROOT
        )
        assert done.stdout == command(name)


def test_exit_codes_of_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \| .* \| (.*) \|$", README, re.MULTILINE)
    codes = {int(code): re.findall(r"`(\w+)`", named) for code, named in rows}
    assert set(codes) == {
        0,
        cli.EXIT_INTERNAL,
        cli.EXIT_BAD_INPUT,
        cli.EXIT_UNSUPPORTED,
        cli.EXIT_LIMIT,
        cli.EXIT_INTERRUPTED,
    }
    for code, names in codes.items():
        for name in names:
            kind = getattr(errors, name)
            assert cli.exit_code_of(kind.__new__(kind)) == code, name


def test_shown_output_fits_the_shown_schema() -> None:
    import jsonschema

    (schema,) = re.findall(r"--schema '(\{.*?^\})'$", command("main"), re.MULTILINE | re.DOTALL)
    (output,) = re.findall(r"^prints\n\n```json\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)
    jsonschema.validate(json.loads(output), json.loads(schema))


def test_python_blocks_parse_and_name_what_exists() -> None:
    for block in re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "structgen":
                assert node.attr in structgen.__all__


def test_python_blocks_run() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(structgen.tiny.path())
    model = types.SimpleNamespace(config=types.SimpleNamespace(vocab_size=len(tokenizer)))
    (token_id,) = tokenizer.encode("{", add_special_tokens=False)
    names = {"tokenizer": tokenizer, "model": model, "schema": {"type": "object"}, "token_id": token_id}
    blocks = re.findall(
        r"^```python\n(.*?)^```$(?:\n\nprints\n\n```\w*\n(.*?)^```$)?", README, re.MULTILINE | re.DOTALL
    )
    shown = 0
    for block, output in blocks:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(block, names)
        if output:
            assert printed.getvalue() == output
            shown += 1
    assert shown
    result: Any = names["result"]
    assert type(result.value) is names["Person"]
    matcher: Any = names["matcher"]
    assert matcher.token_ids == [token_id]


def test_folders_of_the_layout_exist() -> None:
    (layout,) = re.findall(r"^## Layout\n\n```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for line in layout.splitlines():
        name = line.split()[0]
        folder = ROOT / "structgen" if line.startswith("  ") else ROOT
        assert list(folder.glob(name)), f"{name} is in README's layout and not in the repository"


def test_names_that_are_stable_are_there() -> None:
    """The page says that `structgen.__all__` is stable: every name has a home, and a home's names are not forgotten in it."""
    for name in structgen.__all__:
        assert getattr(structgen, name) is not None
    assert set(structgen._HOMES) <= set(structgen.__all__)
    assert len(set(structgen.__all__)) == len(structgen.__all__)
