"""More sentence patterns for training, from the TOML files in `phrases/`.

Purpose: breadth of wording. The held-out figures ask for phrasings that training never saw, so the number of different ones decides.
In: `phrases/*.toml`: a table per family (subjects, openers, fields.KEY.preds / frags / negatives), and `other_tasks.toml` with the lists of the
other tasks. `[a|b|]` in a pattern stands for one of its options, drawn each time. Out: families, tools and lists for `TaskMaker`.
The files were written without sight of the held-out patterns; a drawn text that equals one of its list, or
shares a long fixed part with it, is drawn again.
Limits: training only; the held-out half never reads this module's patterns.
"""

from __future__ import annotations

import functools
import random
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from structgen.tiny.tasks_calls import TOOLS, Tool
from structgen.tiny.tasks_families import FIELD_NOTES, INSTRUCTIONS, Family, Field
from structgen.tiny.tasks_things import ALL_FAMILIES

__all__ = ["expand", "more", "repeats_held_out", "training_families", "training_tools"]

_FOLDER = Path(__file__).parent / "phrases"
_LONG_PART = 16  # characters
_OPTIONS = re.compile(r"\[([^\[\]]*)\]")


@functools.cache
def _tables() -> dict[str, Any]:
    """Every table of every file by name."""
    tables: dict[str, Any] = {}
    for file in sorted(_FOLDER.glob("*.toml")):
        tables |= tomllib.loads(file.read_text("utf-8"))
    return tables


def more(name: str) -> list[str]:
    """The patterns of a list (`questions`, `opinion_claims.positive`, ...). Raises KeyError for an unknown name."""
    found = _tables()
    for part in name.split("."):
        found = found[part]
    return list(found)


def expand(pattern: str, rng: random.Random) -> str:
    """`pattern` with each `[a|b]` replaced by one of its options."""
    if "[" not in pattern:
        return pattern
    text = _OPTIONS.sub(lambda match: rng.choice(match[1].split("|")), pattern)
    return re.sub(" {2,}", " ", text).strip(" ") if "\n" not in text else text


@functools.cache
def training_families() -> tuple[Family, ...]:
    """The families with the additional patterns."""
    return tuple(_with_more(family, _tables()[family.name]) for family in ALL_FAMILIES)


def _with_more(family: Family, table: dict[str, Any]) -> Family:
    fields = tuple(_field_with_more(field, table["fields"].get(field.key, {})) for field in family.fields)
    return replace(
        family,
        fields=fields,
        subjects=(*family.subjects, *table["subjects"]),
        openers=(*family.openers, *table["openers"]),
    )


def _field_with_more(field: Field, table: dict[str, list[str]]) -> Field:
    return replace(
        field,
        preds=(*field.preds, *table.get("preds", ())),
        frags=(*field.frags, *table.get("frags", ())),
        negatives=(*field.negatives, *table.get("negatives", ())),
    )


@functools.cache
def training_tools() -> tuple[Tool, ...]:
    """The tools with the additional requests."""
    return tuple(replace(tool, requests=(*tool.requests, *more(f"tools.{tool.name}"))) for tool in TOOLS)


def normal(text: str) -> str:
    """Letters, digits and placeholders in lower case, without punctuation."""
    return " ".join(re.findall(r"[\w{}']+", text.lower()))


def _held(options: tuple[str, ...]) -> list[str]:
    return [text.removeprefix("~") for text in options if text.startswith("~")]


@functools.cache
def _held_out(options: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normal, _held(options)))


@functools.cache
def _long_parts() -> re.Pattern[str]:
    """Finds the long fixed parts of held-out openers and instructions."""
    lists = [INSTRUCTIONS, FIELD_NOTES, *(family.openers for family in ALL_FAMILIES)]
    parts = [max(re.split(r"\{\w+\}", text), key=len) for options in lists for text in _held(options)]
    return re.compile("|".join(re.escape(part) for part in parts if len(part) >= _LONG_PART))


def repeats_held_out(text: str, options: tuple[str, ...]) -> bool:
    """Whether an expanded pattern says what a held-out one of its list says, or holds a long fixed part of any opener."""
    return normal(text) in _held_out(options) or _long_parts().search(text) is not None
