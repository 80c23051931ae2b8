"""The vocabulary of a model by name, without its weights: what `structgen check` and `structgen mask` need of a model.

In: "tiny", a hub name or a local folder. Out: a `Vocabulary` as wide as the model's logits, where its configuration says how wide they are.

Limits: a folder that holds a tokenizer and no configuration gives the tokenizer's own width and end tokens. Turned down: loading the
model as `generate` does (gigabytes, to look at one mask).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from structgen.errors import TokenizerError
from structgen.vocabulary import Vocabulary


def load_vocabulary(name: str) -> Vocabulary:
    """Read the tokenizer and the configurations. Raises TokenizerError and ModelError."""
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    if not name.strip():
        raise TokenizerError("the model's name is empty")
    folder = _tiny_folder() if name == "tiny" else name
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # transformers raises OSError, ValueError, KeyError, ... for what holds no tokenizer
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TokenizerError(f"cannot load the tokenizer of {name!r}: {reason}") from error
    config = _optional(AutoConfig, folder)
    width = getattr(config.get_text_config(), "vocab_size", None) if config is not None else None
    if not isinstance(width, int):
        width = None
    return vocabulary_for(tokenizer, width, (_optional(GenerationConfig, folder), config))


def vocabulary_for(tokenizer: Any, width: int | None, configurations: Iterable[Any]) -> Vocabulary:
    """The vocabulary of a tokenizer beside a model whose logits are `width` wide; the configurations may name more end tokens."""
    stops: list[int] = []
    for source in configurations:
        eos = getattr(source, "eos_token_id", None)
        for token_id in eos if isinstance(eos, list | tuple) else (eos,):
            # Configurations of fine-tuned models may name ids that the model does not have.
            if isinstance(token_id, int) and width is not None and 0 <= token_id < width:
                stops.append(token_id)
    return Vocabulary.from_tokenizer(tokenizer, vocab_size=width, stop_token_ids=stops)


def _optional(kind: Any, folder: str) -> Any:
    """The configuration, or None where there is none."""
    try:
        return kind.from_pretrained(folder)
    except (OSError, ValueError):
        return None


def _tiny_folder() -> str:
    import structgen.tiny

    return str(structgen.tiny.path())
