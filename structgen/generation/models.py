"""Models: from a name or a loaded object to logits, with the tokenizer, the vocabulary and the compiler that belong to it.

In: a hub name, a local path, "tiny", or a loaded causal language model, and perhaps a tokenizer. Out: a `LoadedModel`, and
`CachedForward`, one sequence's way through the model with its key-value cache.

Kept between calls, bounded and under a lock: the last few models loaded by name, and for each model object (weakly) what was
derived from its tokenizer; so the second call with the same model neither loads nor compiles again.

Limits: decoder-only models of `transformers` with a key-value cache, one sequence at a time. Turned down: `model.generate`
with a logits processor (it copies the mask through the host's float logits at every step, and cannot refuse a token after
drawing it).
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from structgen.compiler import Compiler
from structgen.errors import ModelError, PromptError, StructgenError, TokenizerError
from structgen.generation.vocabularies import vocabulary_for
from structgen.vocabulary import Vocabulary

_SINGLE_PRECISION_PARAMETERS = 500_000_000  # models loaded by name, up to this size, run in float32 on a CPU
_MAX_NAMED = 2  # models loaded by name that stay in memory
_MAX_TOKENIZERS = 4  # tokenizers loaded by name, and tokenizers per model object whose vocabulary and grammars are kept


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with what belongs to it. context: the most tokens of prompt and output together, None if the model names no bound."""

    model: Any
    tokenizer: Any
    vocabulary: Vocabulary
    compiler: Compiler
    context: int | None


_lock = threading.RLock()
_tokenizers: OrderedDict[str, Any] = OrderedDict()
_named: OrderedDict[str, Any] = OrderedDict()
_derived: weakref.WeakKeyDictionary[Any, OrderedDict[tuple[int, int, int | None], tuple[Any, Vocabulary, Compiler]]] = (
    weakref.WeakKeyDictionary()
)


def load_model(model: Any, tokenizer: Any = None) -> LoadedModel:
    """Load what is a name, check what is an object, and derive the vocabulary.

    model: "tiny", a hub name, a local path, or a loaded causal language model. tokenizer: None (the model's own), a name or path, or an
    object. Models loaded by name go to the GPU where there is one. Raises ModelError and TokenizerError.
    """
    with _lock:
        if isinstance(model, str | Path):
            name = str(model)
            model = _named_model(name)
        else:
            name = getattr(model, "name_or_path", "") or ""
        _check_causal(model)
        if tokenizer is None:
            if not name:
                raise ModelError("the model does not say where its tokenizer is: give tokenizer=")
            tokenizer = name
        if isinstance(tokenizer, str | Path):
            tokenizer = _named_tokenizer(str(tokenizer))
    # tokens may have been added to either since the last call
    key = (id(tokenizer), len(tokenizer) if hasattr(tokenizer, "__len__") else 0, _logits_width(model))
    with _lock:
        try:
            kept = _derived.setdefault(model, OrderedDict())
        except TypeError as error:
            raise ModelError(f"{type(model).__name__} is not a model: it cannot be referred to weakly") from error
        entry = kept.get(key)
        if entry is None:
            configurations = (getattr(model, "generation_config", None), model.config)
            vocabulary = vocabulary_for(tokenizer, _logits_width(model), configurations)
            entry = kept[key] = (
                tokenizer,
                vocabulary,
                Compiler(vocabulary),
            )  # the tokenizer is kept so that its id stays its own
            while len(kept) > _MAX_TOKENIZERS:
                kept.popitem(last=False)
        else:
            kept.move_to_end(key)
    return LoadedModel(model, entry[0], entry[1], entry[2], _context_of(model))


def clear_models() -> None:
    """Forget the models that were loaded by name and everything derived from any model."""
    with _lock:
        _named.clear()
        _tokenizers.clear()
        _derived.clear()


class CachedForward:
    """One sequence in a causal language model: feed tokens, get the logits after the last one."""

    __slots__ = ("_device", "_extra", "_model", "_past")

    def __init__(self, model: Any) -> None:
        self._model = model
        self._device = device_of(model)
        self._past: Any = None
        # Logits of the last position only, where the model can be told so: a prompt's logits are its largest tensor.
        self._extra = {"logits_to_keep": 1} if takes(type(model), "logits_to_keep") else {}

    def __call__(self, token_ids: Sequence[int], /) -> npt.NDArray[np.float32]:
        """Append the tokens; float32 [logits width]. Raises ModelError if the model keeps no key-value cache."""
        import torch

        with torch.inference_mode():
            ids = torch.tensor([list(token_ids)], dtype=torch.long, device=self._device)
            output = self._model(input_ids=ids, past_key_values=self._past, use_cache=True, **self._extra)
            self._past = getattr(output, "past_key_values", None)
            if self._past is None:
                raise ModelError(f"{type(self._model).__name__} returns no key-value cache, which decoding needs")
            row: npt.NDArray[np.float32] = output.logits[0, -1].float().cpu().numpy()
        return row


@contextmanager
def evaluation_mode(model: Any) -> Iterator[None]:
    """The model without dropout, and as it was afterwards."""
    if not getattr(model, "training", False):
        yield
        return
    model.eval()
    try:
        yield
    finally:
        model.train()


def prompt_tokens(
    tokenizer: Any, prompt: Any, system: str | None, tools: Sequence[dict[str, Any]] | None = None
) -> list[int]:
    """The prompt's tokens, through the chat template where the tokenizer has one.

    tools: functions as the template takes them (`{"type": "function", "function": {...}}`).
    prompt, system: as `check_prompt` passes them. Raises PromptError (messages without a template, a template that refuses them).
    """
    if getattr(tokenizer, "chat_template", None):
        text = _rendered(tokenizer, _messages(prompt, system), tools)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    elif isinstance(prompt, str) and system is None:
        ids = tokenizer(prompt)["input_ids"]
    else:
        raise PromptError(
            "the tokenizer has no chat template: give the prompt as one string, without messages or system text"
        )
    if not ids:
        raise PromptError("the prompt has no tokens")
    return [int(token_id) for token_id in ids]


def check_prompt(prompt: Any, system: Any) -> None:
    """Raise PromptError for anything but a text or a list of messages {"role": ..., "content": ...}; nothing is loaded for it."""
    if system is not None and not isinstance(system, str):
        raise PromptError(f"system must be a string, not {type(system).__name__}")
    if not isinstance(prompt, str | list | tuple):
        raise PromptError(f"the prompt must be a string or a list of messages, not {type(prompt).__name__}")
    if not prompt or (isinstance(prompt, str) and not prompt.strip()):
        raise PromptError("the prompt is empty")
    texts = [system or ""]
    for n, message in enumerate(_messages(prompt, None)):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str) or "content" not in message:
            raise PromptError(f'message {n} of the prompt must be {{"role": ..., "content": ...}}, not {message!r:.80}')
        texts += [value for value in message.values() if isinstance(value, str)]
    for text in texts:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            code = ord(text[error.start])
            raise PromptError(
                f"the prompt is not Unicode text: lone surrogate U+{code:04X} at character {error.start}"
            ) from error


def _messages(prompt: Any, system: str | None) -> list[dict[str, Any]]:
    head = [] if system is None else [{"role": "system", "content": system}]
    return [*head, *([{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt)]


def shows_tools(tokenizer: Any) -> bool:
    """Whether the tokenizer's chat template says how tools are shown."""
    return "tools" in str(getattr(tokenizer, "chat_template", None) or "")


def _rendered(tokenizer: Any, messages: list[dict[str, Any]], tools: Sequence[dict[str, Any]] | None) -> str:
    shown = {} if tools is None else {"tools": list(tools)}
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **shown)
    except (
        Exception
    ) as error:  # a template may raise anything about roles it does not know; it is the prompt that does not fit
        raise PromptError(f"the tokenizer's chat template refuses the prompt: {error}") from error
    if not isinstance(text, str):
        raise PromptError("the tokenizer's chat template gave no text")
    return text


def _named_model(name: str) -> Any:
    """Called under the lock."""
    if not name.strip():
        raise ModelError("the model's name is empty")
    model = _named.get(name)
    if model is None:
        model = _named[name] = _pretrained_model(name)
        while len(_named) > _MAX_NAMED:
            _named.popitem(last=False)
    _named.move_to_end(name)
    return model


def _named_tokenizer(name: str) -> Any:
    """Called under the lock."""
    tokenizer = _tokenizers.get(name)
    if tokenizer is None:
        tokenizer = _tokenizers[name] = _pretrained_tokenizer(name)
        while len(_tokenizers) > _MAX_TOKENIZERS:
            _tokenizers.popitem(last=False)
    _tokenizers.move_to_end(name)
    return tokenizer


def _folder_of(name: str) -> str:
    return _tiny_path() if name == "tiny" else name


def _reason(name: str, error: BaseException) -> str:
    """Why a name could not be loaded. transformers takes a missing folder for a bad hub name; say what it is."""
    path = Path(name).expanduser()
    if (path.is_absolute() or name.startswith((".", "~"))) and not path.exists():
        return "no such folder"
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _tiny_path() -> str:
    import structgen.tiny

    return str(structgen.tiny.path())


def _pretrained_model(name: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    try:
        with _quiet_loading():
            model: Any = AutoModelForCausalLM.from_pretrained(_folder_of(name), dtype="auto")
    except StructgenError:
        raise
    except (
        Exception
    ) as error:  # transformers raises OSError, ValueError, KeyError, ... for names and folders that hold no model
        raise ModelError(f"cannot load the model {name!r}: {_reason(name, error)}") from error
    model.eval()
    if torch.cuda.is_available():
        return model.to("cuda")
    # Half precision saves memory, but many CPUs only emulate it; small models are faster and more exact in single precision.
    return model.float() if model.num_parameters() <= _SINGLE_PRECISION_PARAMETERS else model


def _pretrained_tokenizer(name: str) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(_folder_of(name))
    except Exception as error:
        raise TokenizerError(f"cannot load the tokenizer {name!r}: {_reason(name, error)}") from error


@contextmanager
def _quiet_loading() -> Iterator[None]:
    """No progress bar of weights, and the setting as it was afterwards."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _check_causal(model: Any) -> None:
    config = getattr(model, "config", None)
    if config is None or not callable(model) or not hasattr(model, "parameters"):
        raise ModelError(f"expected a model's name, path or a loaded causal language model, got {type(model).__name__}")
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{type(model).__name__} is an encoder-decoder model; structgen decodes causal language models"
        )
    if _logits_width(model) is None:
        raise ModelError(f"{type(model).__name__} has no output over a vocabulary: it is not a causal language model")


def _logits_width(model: Any) -> int | None:
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    weight = getattr(head, "weight", None)
    if weight is not None:
        return int(weight.shape[0])
    return getattr(_text_config(model), "vocab_size", None)


def _context_of(model: Any) -> int | None:
    context = getattr(_text_config(model), "max_position_embeddings", None)
    return context if isinstance(context, int) and context > 0 else None


def _text_config(model: Any) -> Any:
    return model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config


def device_of(model: Any) -> Any:
    """Where a model's inputs go."""
    embeddings = model.get_input_embeddings() if hasattr(model, "get_input_embeddings") else None
    weight = getattr(embeddings, "weight", None)
    return weight.device if weight is not None else next(model.parameters()).device


_taken: dict[tuple[type, str], bool] = {}


def takes(cls: type, name: str) -> bool:
    """Whether the forward pass of a model class has a parameter of this name."""
    key = (cls, name)
    if key not in _taken:
        _taken[key] = name in inspect.signature(cls.forward).parameters  # type: ignore[attr-defined]
    return _taken[key]
