"""One adapter for each engine: compile a schema, fill a mask, take a token, say whether the text may end.

In: a `transformers` tokenizer and the width of the model's logits. Out: an `Engine`, which measures drives. All of them write the same
bitmask, int32 [1, ceil(width / 32)], where bit t % 32 of word t // 32 is token t. Each runs in one thread, with its caches of compiled
grammars off, so that every schema pays for itself.

`structgen` reads schemas as they are meant: properties in any order, 1.0 is an integer, formats constrain; its white space is the
default. XGrammar runs with `strict_mode=False`, which is what the schemas mean (extra properties are allowed where not denied), and
any white space. llguidance and outlines-core run with their defaults.

Another engine joins the run as `module:name`, where `module.name(tokenizer, width)` makes an object with this interface.

Limits: outlines-core has no mask for a token that spells several byte forms; its vocabulary is the tokenizer's bytes.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
from typing import Any

import numpy as np

import structgen
from structgen.jsonschemabench import BenchError

__all__ = ["ENGINES", "Engine", "distribution_of", "load_engine", "missing_packages", "version_of"]


class Engine:
    """What measures needs of an engine; every method works on the grammar that was compiled last.

    bitmask: int32 [1, ceil(width / 32)], written by `fill`. constrains: False for an engine without masks.
    Whatever a method raises makes the case a row of the table, never the end of the run.
    """

    constrains = True

    def __init__(self, tokenizer: Any, width: int) -> None:
        self.width = width
        self.bitmask = np.full((1, (width + 31) // 32), -1, dtype=np.int32)

    def compile(self, schema: Any) -> None:
        """Make the grammar of a schema the current one. Raises where the engine refuses it."""
        raise NotImplementedError

    def reset(self) -> None:
        """Go to the start of a text under the current grammar."""
        raise NotImplementedError

    def fill(self) -> None:
        """Write the tokens that may come next into `bitmask`."""
        raise NotImplementedError

    def commit(self, token_id: int) -> bool:
        """Take a token after `fill`; False where it is not allowed."""
        raise NotImplementedError

    def may_end(self) -> bool:
        """Whether the text so far may be the whole value."""
        raise NotImplementedError

    def take(self, token_id: int, n_left: int) -> int | None:
        """Take a token of a generation that has room for `n_left` more after it; the token that was taken, None if it is not allowed.

        An engine that knows how short the rest can be takes another one where no valid text would fit any more.
        """
        return token_id if self.commit(token_id) else None

    def is_set(self, token_id: int) -> bool:
        """Whether the mask that was filled last allows a token."""
        return bool((int(self.bitmask[0, token_id >> 5]) >> (token_id & 31)) & 1)


class StructgenEngine(Engine):
    """structgen through its engine API. Near the token limit it takes only tokens from which a valid text still fits."""

    def __init__(self, tokenizer: Any, width: int) -> None:
        super().__init__(tokenizer, width)
        vocabulary = structgen.Vocabulary.from_tokenizer(tokenizer, vocab_size=width)
        self._compiler = structgen.Compiler(vocabulary, cache_size=0)
        self._options = structgen.JsonOptions(property_order="any", integers="spec", formats="assert")
        self._grammar: Any = None
        self._matcher: Any = None
        self._plan: list[int] | None = None  # the shortest completion from here, where it was searched for

    def compile(self, schema: Any) -> None:
        self._grammar = self._compiler.compile_json_schema(schema, options=self._options)

    def reset(self) -> None:
        self._matcher = self._grammar.matcher()
        self._plan = None

    def fill(self) -> None:
        self._matcher.fill_next_token_bitmask(self.bitmask, 0)

    def commit(self, token_id: int) -> bool:
        return bool(self._matcher.accept_token(token_id))

    def may_end(self) -> bool:
        return bool(self._matcher.is_accepting())

    def take(self, token_id: int, n_left: int) -> int | None:
        plan, self._plan = self._plan, None
        if not self.commit(token_id):
            return None
        if self._matcher.completion_bound() <= n_left:  # cheap, and nearly always true
            return token_id
        if plan is None or (len(plan) <= n_left and plan[0] != token_id):
            rest = self._matcher.shortest_completion()
        else:
            rest = plan[1:] if plan[0] == token_id else None  # None: only the way that is known to fit is left
        if rest is not None and len(rest) <= n_left:
            self._plan = rest or None
            return token_id
        self._matcher.rollback(1)
        plan = plan or self._matcher.shortest_completion()
        if not plan or len(plan) > n_left + 1:  # the limit was too small from the start
            plan = [token_id]
        self._plan = plan[1:] or None
        return int(plan[0]) if self.commit(plan[0]) else None


class LlguidanceEngine(Engine):
    """llguidance's matcher and numpy masks."""

    def __init__(self, tokenizer: Any, width: int) -> None:
        super().__init__(tokenizer, width)
        import llguidance
        import llguidance.hf
        from llguidance.numpy import fill_next_token_bitmask

        self._matcher_of, self._fill = llguidance.LLMatcher, fill_next_token_bitmask
        self._tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=width)
        self._first: Any = None
        self._matcher: Any = None

    def compile(self, schema: Any) -> None:
        self._first = self._matcher_of(self._tokenizer, json.dumps({"grammars": [{"json_schema": schema}]}))
        self._check(self._first)

    def reset(self) -> None:
        self._matcher = self._first.deep_copy()

    def fill(self) -> None:
        self._fill(self._matcher, self.bitmask, 0)

    def commit(self, token_id: int) -> bool:
        if self.is_set(token_id):
            self._matcher.consume_token(token_id)
            return True
        self._check(self._matcher)
        return False

    def may_end(self) -> bool:
        return bool(self._matcher.is_accepting())

    @staticmethod
    def _check(matcher: Any) -> None:
        if matcher.is_error():
            raise ValueError(matcher.get_error())


class XgrammarEngine(Engine):
    """XGrammar's compiler (one thread, no cache) and matcher."""

    def __init__(self, tokenizer: Any, width: int) -> None:
        super().__init__(tokenizer, width)
        import torch
        import xgrammar

        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=width)
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self._matcher_of = xgrammar.GrammarMatcher
        self._tensor = torch.from_numpy(self.bitmask)  # the same memory: XGrammar fills tensors
        self._grammar: Any = None
        self._matcher: Any = None

    def compile(self, schema: Any) -> None:
        self._grammar = self._compiler.compile_json_schema(json.dumps(schema), any_whitespace=True, strict_mode=False)

    def reset(self) -> None:
        self._matcher = self._matcher_of(self._grammar)

    def fill(self) -> None:
        if not self._matcher.is_terminated():
            self._matcher.fill_next_token_bitmask(self._tensor)
        else:
            self.bitmask.fill(0)

    def commit(self, token_id: int) -> bool:
        return bool(self._matcher.accept_token(token_id))

    def may_end(self) -> bool:
        if self._matcher.is_terminated():
            return True
        self.fill()
        return any(self.is_set(token_id) for token_id in self._matcher.stop_token_ids)


class OutlinesEngine(Engine):
    """outlines-core: the schema as one regular expression, its automaton over the whole vocabulary, one guide for each text."""

    def __init__(self, tokenizer: Any, width: int) -> None:
        super().__init__(tokenizer, width)
        from outlines_core import Vocabulary

        spelled: dict[bytes, list[int]] = {}
        special = set(tokenizer.all_special_ids)
        known = structgen.Vocabulary.from_tokenizer(tokenizer, vocab_size=width)
        for token_id, text in enumerate(known.token_bytes):
            if text and token_id not in special and token_id not in known.stop_token_ids:
                spelled.setdefault(text, []).append(token_id)
        self._end = int(tokenizer.eos_token_id)
        self._vocabulary = Vocabulary(self._end, spelled)
        self._index: Any = None
        self._guide: Any = None

    def compile(self, schema: Any) -> None:
        from outlines_core import Index
        from outlines_core.json_schema import build_regex_from_schema

        self._index = Index(build_regex_from_schema(json.dumps(schema)), self._vocabulary)

    def reset(self) -> None:
        from outlines_core import Guide

        self._guide = Guide(self._index)

    def fill(self) -> None:
        self._guide.write_mask_into(self.bitmask.ctypes.data, self.bitmask.size, self.bitmask.itemsize)

    def commit(self, token_id: int) -> bool:
        if not self.is_set(token_id):
            return False
        self._guide.advance(token_id, return_tokens=False)
        return True

    def may_end(self) -> bool:
        if self._guide.is_finished():
            return True
        self.fill()
        return self.is_set(self._end)


class UnconstrainedEngine(Engine):
    """No mask at all: what the model writes by itself. It declares every schema and refuses no text."""

    constrains = False

    def compile(self, schema: Any) -> None:
        pass

    def reset(self) -> None:
        pass

    def fill(self) -> None:
        pass

    def commit(self, token_id: int) -> bool:
        return 0 <= token_id < self.width

    def may_end(self) -> bool:
        return True


# name: (adapter, the package that it imports, the distribution that installs it)
ENGINES: dict[str, tuple[type[Engine], str, str]] = {
    "structgen": (StructgenEngine, "structgen", "structgen"),
    "llguidance": (LlguidanceEngine, "llguidance", "llguidance"),
    "xgrammar": (XgrammarEngine, "xgrammar", "xgrammar"),
    "outlines": (OutlinesEngine, "outlines_core", "outlines-core"),
    "unconstrained": (UnconstrainedEngine, "structgen", "structgen"),
}


def check_name(name: str) -> None:
    """Raises BenchError for an engine that is neither known nor written `module:name`."""
    if name not in ENGINES and not all(name.partition(":")):
        raise BenchError(
            f"there is no engine {name!r}; choose among {', '.join(ENGINES)}, or give your own as module:name"
        )


def missing_packages(name: str) -> str:
    """What has to be installed for an engine, as a distribution's name; "" where nothing is missing."""
    if name not in ENGINES:
        return ""
    _, package, distribution = ENGINES[name]
    return "" if importlib.util.find_spec(package) is not None else distribution


def distribution_of(name: str) -> str:
    """The distribution that an engine comes from, "" for the user's own."""
    return ENGINES[name][2] if name in ENGINES else ""


def version_of(name: str) -> str:
    """The installed version of an engine, "" where there is none to know (the user's own, a checkout that is run in place)."""
    if name == "unconstrained":
        return ""
    if name == "structgen":
        return str(structgen.__version__)
    try:
        return importlib.metadata.version(distribution_of(name)) if name in ENGINES else ""
    except importlib.metadata.PackageNotFoundError:
        return ""


def load_engine(name: str, tokenizer: Any, width: int) -> Any:
    """Make an engine; the user's own as `module:name`. Raises BenchError, and what the engine raises."""
    check_name(name)
    if name in ENGINES:
        return ENGINES[name][0](tokenizer, width)
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)(tokenizer, width)
