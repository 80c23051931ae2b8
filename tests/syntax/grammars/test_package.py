"""The package of grammars: names, texts, head comments."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import structgen.grammars
from structgen.errors import StructgenError
from tests.syntax.grammars.recognisers import lexings

BUNDLED = "arithmetic csv gbnf html iso_date json json5 markdown_table python regex smiles sql toml xml yaml".split()


def test_names_are_the_bundled_grammars() -> None:
    assert structgen.grammars.names() == BUNDLED


@pytest.mark.parametrize("name", BUNDLED)
def test_head_comment_says_purpose_lexing_subset_and_oracle(name: str) -> None:
    text = structgen.grammars.text(name)
    head = text[: text.index("\n\n")].split("\n")
    assert all(line.startswith("//") for line in head)
    for part in ("// Lexing: ", "// Subset: ", "// Oracle: "):
        assert sum(line.startswith(part) for line in head) == 1, part
    assert set(lexings(name)) <= {"dynamic", "contextual"}
    assert lexings(name)
    assert "\nstart: " in text
    assert text.endswith("\n")
    assert max(map(len, text.split("\n"))) <= 180
    assert not [line for line in text.split("\n") if line != line.rstrip()]


def test_package_is_there_without_an_import_of_its_own() -> None:
    code = "import structgen, sys; assert 'structgen.grammars' not in sys.modules; print(structgen.grammars.text('json')[:2])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "//\n"


def test_readme_lists_every_grammar_and_no_other() -> None:
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| Grammar \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", readme, re.MULTILINE)
    rows = [row.split("|")[1] for row in table.splitlines()]
    assert [name for row in rows for name in re.findall("`(.*?)`", row)] == BUNDLED


@pytest.mark.parametrize("name", ["", "cobol", "json.lark", "../errors", "__init__", "JSON"])
def test_unknown_name_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(StructgenError, match=r"no bundled grammar .* there are: arithmetic, csv, .*, yaml"):
        structgen.grammars.text(name)


def test_name_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match="a string, not int"):
        structgen.grammars.text(3)  # type: ignore[arg-type]
