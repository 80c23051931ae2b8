"""The corpora of texts: one TOML file for each bundled grammar, in `corpora/`.

`accepted` are texts of the grammar; `refused` are texts that the whole language refuses as well; `outside` maps a reason to texts of the
language that the grammar leaves out, as its head comment says.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpora"


@dataclass(frozen=True, slots=True)
class Corpus:
    accepted: list[str]
    refused: list[str]
    outside: dict[str, list[str]]

    @property
    def beyond(self) -> list[str]:
        """The texts outside of the subset, whatever the reason."""
        return [text for texts in self.outside.values() for text in texts]


def corpus(name: str) -> Corpus:
    """The corpus of one grammar."""
    read = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Corpus(read.pop("accepted"), read.pop("refused"), read.pop("outside", {}), **read)
