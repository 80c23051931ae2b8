"""Speed on context-free grammars: structgen with both lexings, and llguidance, side by side on the same texts.

In: a tokenizer and the names of grammars of `grammar_texts`. Out: for each grammar and engine the time to compile, the time of the first
mask, and mask + commit for each step of the same walks, cold (a fresh compiler, which has seen neither the grammar nor its lexemes) and
warm (the same walks again). The walks are made first, in a process of their own, so that nothing of a grammar is known when it is timed:
they take random tokens that all engines allow, with every first byte equally likely half of the time, which leads through many rules
instead of through one long string. A walk whose text can only end goes on with a new text.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from structgen import grammars
from structgen.errors import StructgenError
from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.engines import Engine, LlguidanceEngine, StructgenEngine
from structgen.jsonschemabench.grammar_texts import TEXTS
from structgen.jsonschemabench.summary import percentile

__all__ = ["GRAMMAR_ENGINES", "GrammarSpeed", "as_json", "as_table", "run_grammars"]

_BUNDLED = "bundled "  # before the name of a bundled grammar: structgen reads it, and others may not
_RESTART = -1  # in a walk: a new text begins
_WARM_UP = 'start: /[a-c]/ ("," start)? | "(" start ")"'


class _Structgen(StructgenEngine):
    """structgen with one of its lexings."""

    lexer = "dynamic"

    def compile(self, schema: Any) -> None:
        self._grammar = self._compiler.compile_grammar(schema, lexer=self.lexer)


class _Contextual(_Structgen):
    """The other one."""

    lexer = "contextual"


class _Llguidance(LlguidanceEngine):
    """llguidance with a grammar in its dialect of Lark's language."""

    def compile(self, schema: Any) -> None:
        self._first = self._matcher_of(self._tokenizer, json.dumps({"grammars": [{"lark_grammar": schema}]}))
        self._check(self._first)


GRAMMAR_ENGINES: dict[str, type[Engine]] = {
    "structgen dynamic": _Structgen,
    "structgen contextual": _Contextual,
    "llguidance": _Llguidance,
}


@dataclass(frozen=True, slots=True)
class GrammarSpeed:
    """What one engine did on one grammar; times of mask + commit in µs. error: why it did nothing, else "" (the times are then 0)."""

    grammar: str
    engine: str
    steps: int = 0
    compile_ms: float = 0.0
    first_us: float = 0.0
    cold_us: float = 0.0
    cold_p99_us: float = 0.0
    warm_us: float = 0.0
    warm_p99_us: float = 0.0
    error: str = ""


def run_grammars(
    tokenizer: str,
    names: Sequence[str] = (),
    engines: Sequence[str] = (),
    steps: int = 200,
    walks: int = 1,
    seed: int = 0,
) -> list[GrammarSpeed]:
    """Measure; names, engines: of TEXTS and GRAMMAR_ENGINES, all if there are none; "bundled NAME" is a bundled grammar.

    steps: of each walk. Raises BenchError for an unknown name and for an engine that is not installed.
    """
    bundled = {_BUNDLED + name for name in grammars.names()}
    names, engines = (
        tuple(names) or (*TEXTS, _BUNDLED + "sql", _BUNDLED + "python"),
        tuple(engines) or tuple(GRAMMAR_ENGINES),
    )
    for given, known, what in (
        (names, {**TEXTS, **dict.fromkeys(sorted(bundled))}, "grammar"),
        (engines, GRAMMAR_ENGINES, "engine"),
    ):
        for name in given:
            if name not in known:
                raise BenchError(f"there is no {what} {name!r}; there are {', '.join(known)}")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        made = pool.submit(_walks, tokenizer, names, engines, steps, walks, seed).result()
    loaded, width = _load(tokenizer)
    out = []
    for engine in engines:
        timed = _made(engine, loaded, width)
        timed.compile(_WARM_UP)
        _timed(timed, [])
        for name in names:
            timed = _made(engine, loaded, width)  # a fresh compiler
            out.append(_measure(timed, engine, name, made[name]))
    return sorted(out, key=lambda row: names.index(row.grammar))


def _text(name: str) -> str:
    return grammars.text(name.removeprefix(_BUNDLED)) if name.startswith(_BUNDLED) else TEXTS[name]


def _load(tokenizer: str) -> tuple[Any, int]:
    from transformers import AutoTokenizer

    import structgen.tiny

    loaded: Any = AutoTokenizer.from_pretrained(structgen.tiny.path() if tokenizer == "tiny" else tokenizer)
    return loaded, len(loaded)


def _made(engine: str, tokenizer: Any, width: int) -> Engine:
    try:
        return GRAMMAR_ENGINES[engine](tokenizer, width)
    except ModuleNotFoundError as error:
        raise BenchError(f"{engine} is not installed: pip install {error.name}") from error


def _measure(timed: Engine, engine: str, name: str, walks: list[list[int]]) -> GrammarSpeed:
    started = time.perf_counter()
    try:
        timed.compile(_text(name))
    except (StructgenError, ValueError) as error:
        return GrammarSpeed(name, engine, error=str(error).splitlines()[0])
    compile_ms = (time.perf_counter() - started) * 1e3
    cold = [t for walk in walks for t in _timed(timed, walk)]
    warm = [t for walk in walks for t in _timed(timed, walk)]
    if not cold:
        return GrammarSpeed(name, engine, compile_ms=compile_ms, error="no walk: the engines agree on no token")
    ordered = sorted(cold), sorted(warm)
    return GrammarSpeed(
        name, engine, len(cold), compile_ms, cold[0],
        sum(cold) / len(cold), percentile(ordered[0], 99), sum(warm) / len(warm), percentile(ordered[1], 99),
    )  # fmt: skip


def _timed(engine: Engine, walk: list[int]) -> list[float]:
    """Mask + commit of each token of a walk, µs."""
    out = []
    engine.reset()
    if not walk:
        engine.fill()
    clock = time.perf_counter_ns
    for token in walk:
        if token == _RESTART:
            engine.reset()
            continue
        started = clock()
        engine.fill()
        taken = engine.commit(token)
        out.append((clock() - started) / 1e3)
        if not taken:
            raise BenchError(f"an engine refuses token {token}, which it allowed before")
    return out


def _walks(
    tokenizer: str, names: Sequence[str], engines: Sequence[str], steps: int, walks: int, seed: int
) -> dict[str, list[list[int]]]:
    """The walks of each grammar: tokens that all engines allow that read the grammar."""
    from structgen import Vocabulary

    loaded, width = _load(tokenizer)
    vocabulary = Vocabulary.from_tokenizer(loaded, vocab_size=width)
    firsts = np.array([spelling[0] if spelling else 0 for spelling in vocabulary.token_bytes], np.uint8)
    stops = np.zeros(width, np.bool_)
    stops[list(vocabulary.stop_token_ids)] = True
    stops |= np.array([not spelling for spelling in vocabulary.token_bytes])
    out: dict[str, list[list[int]]] = {}
    side_by_side = [_made(engine, loaded, width) for engine in engines]
    for number, name in enumerate(names):
        rng = np.random.default_rng([seed, number])
        reading = []
        for engine in side_by_side:
            try:
                engine.compile(_text(name))
            except (StructgenError, ValueError):
                continue  # the table says so
            reading.append(engine)
        out[name] = [_walk(reading, steps, rng, firsts, stops) for _ in range(walks if reading else 0)]
    return out


def _walk(
    engines: Sequence[Engine], steps: int, rng: np.random.Generator, firsts: np.ndarray, stops: np.ndarray
) -> list[int]:
    out: list[int] = []
    taken = 0
    for engine in engines:
        engine.reset()
    while taken < steps:
        mask = np.full_like(engines[0].bitmask, -1)
        for engine in engines:
            engine.fill()
            mask &= engine.bitmask
        bits = np.unpackbits(mask.view(np.uint8).reshape(-1), bitorder="little")[: len(stops)].astype(np.bool_)
        allowed = np.flatnonzero(bits & ~stops)
        if not len(allowed):
            if not out or out[-1] == _RESTART:
                break  # nothing can be said at all
            out.append(_RESTART)
            for engine in engines:
                engine.reset()
            continue
        if rng.random() < 0.5:
            allowed = allowed[firsts[allowed] == rng.choice(np.unique(firsts[allowed]))]
        token = int(rng.choice(allowed))
        for engine in engines:
            if not engine.commit(token):
                raise BenchError(f"an engine refuses token {token}, which its mask allows")
        out.append(token)
        taken += 1
    return out


# -- results -----------------------------------------------------------------------------------------------------------------------------


def as_table(rows: Sequence[GrammarSpeed]) -> list[tuple[str, ...]]:
    """Head and rows of figures."""
    head = (
        "grammar", "engine", "compile (ms)", "first mask (µs)", "cold mean (µs)", "cold p99", "warm mean (µs)", "warm p99",
    )  # fmt: skip
    out: list[tuple[str, ...]] = [head]
    for row in rows:
        if row.error:
            out.append((row.grammar, row.engine, row.error, *[""] * 5))
            continue
        figures = (row.first_us, row.cold_us, row.cold_p99_us, row.warm_us, row.warm_p99_us)
        out.append((row.grammar, row.engine, f"{row.compile_ms:.1f}", *(f"{x:,.1f}" for x in figures)))
    return out


def as_json(rows: Sequence[GrammarSpeed]) -> str:
    """The rows as a JSON array."""
    return json.dumps([asdict(row) for row in rows], indent=2)
