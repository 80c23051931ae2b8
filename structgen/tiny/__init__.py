"""The embedded model `tiny`: model files, and the scripts that made them (tasks, tokenizer, training, evaluation).

`path()` is all that the rest of the package uses; nothing here imports torch at the top.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["path"]


def path() -> Path:
    """The folder of the model files, loadable with `transformers`."""
    return Path(__file__).resolve().parent / "model"
