"""Threads: matchers on one grammar and on many, and batches beside them, see what a single thread sees."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any

import numpy as np
import pytest

import structgen
from structgen import Compiler, Vocabulary
from tests.machine import walks
from tests.machine.schemas import STRESS

N_THREADS = 6


@pytest.fixture(autouse=True)
def often_interrupted() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def _trace(grammar: Any, kinds: walks.Kinds, seed: int) -> list[Any]:
    """What one matcher sees on a walk; nothing in it depends on the numbers of states."""
    random = Random(seed)
    matcher = grammar.matcher()
    out: list[Any] = []
    for mask in walks.walk(matcher, random, kinds, walks.STYLES[seed % 4], 25):
        out.append((mask.tobytes(), matcher.is_accepting(), matcher.next_bytes().tobytes()))
        out.append([matcher.is_token_allowed(random.randrange(kinds.vocabulary.size)) for _ in range(5)])
    out.append((matcher.token_ids, matcher.text, len(matcher.shortest_completion())))
    return out


def _together(jobs: list[Callable[[], Any]]) -> list[Any]:
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        barrier.wait(timeout=60)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(run, job) for job in jobs]]


@pytest.mark.parametrize("shared", [True, False], ids=["one grammar", "many grammars"])
def test_threads_see_what_one_thread_sees(mixed: tuple[Vocabulary, walks.Kinds], shared: bool) -> None:
    vocabulary, kinds = mixed
    for first in range(0, 18, N_THREADS):
        texts = [json.dumps(schema) for _, schema in STRESS[first : first + N_THREADS]]
        if shared:
            texts = [texts[first // N_THREADS]] * N_THREADS
        serial = [
            _trace(Compiler(vocabulary, cache_size=0).compile_json_schema(text), kinds, seed)
            for seed, text in enumerate(texts)
        ]
        compiler = Compiler(vocabulary, cache_size=0)  # cold: the threads build the states
        grammars = {text: compiler.compile_json_schema(text) for text in texts}
        jobs = [lambda g=grammars[text], seed=seed: _trace(g, kinds, seed) for seed, text in enumerate(texts)]
        assert _together(jobs) == serial


def test_threads_compile_and_walk_at_once(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    vocabulary, kinds = mixed
    texts = [json.dumps(schema) for _, schema in STRESS[:24]]
    serial = [_trace(Compiler(vocabulary, cache_size=0).compile_json_schema(text), kinds, 1) for text in texts]
    compiler = Compiler(vocabulary, cache_size=3)

    def all_of_them(thread: int) -> list[Any]:
        order = list(range(len(texts)))
        Random(thread).shuffle(order)
        seen: list[Any] = [None] * len(texts)
        for i in order:
            seen[i] = _trace(compiler.compile_json_schema(texts[i]), kinds, 1)
        return seen

    for seen in _together([lambda t=t: all_of_them(t) for t in range(3)]):
        assert seen == serial


def test_batches_beside_single_calls(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    # the batch call releases the GIL: single calls on the same programs go on meanwhile
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    grammars = [compiler.compile_json_schema(json.dumps(schema)) for _, schema in STRESS[:16]]

    def batches(seed: int) -> bool:
        matchers = [grammar.matcher() for grammar in grammars]
        randoms = [Random(f"{seed} {i}") for i in range(len(matchers))]
        bitmask = structgen.allocate_token_bitmask(len(matchers), vocabulary.size)
        for _ in range(15):
            structgen.fill_next_token_bitmasks(matchers, bitmask)
            for i, matcher in enumerate(matchers):
                mask = np.unpackbits(bitmask[i].view(np.uint8), bitorder="little").astype(bool)
                token = walks.draw(randoms[i], mask, kinds, "spans")
                if token is not None:
                    assert matcher.accept_token(token)
        return True

    def singles(seed: int) -> list[Any]:
        return [_trace(grammar, kinds, seed) for grammar in grammars]

    jobs = [lambda s=s: batches(s) for s in range(3)] + [lambda s=s: singles(s) for s in range(3)]
    results = _together(jobs)
    assert results[:3] == [True] * 3
    assert results[3:] == [singles(s) for s in range(3)]


def test_dropped_grammars_free_nothing_that_is_in_use(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    """Arenas of dropped programs are used again: matchers keep theirs alive."""
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    text = json.dumps(STRESS[1][1])
    expected = _trace(compiler.compile_json_schema(text), kinds, 5)
    matchers = [
        compiler.compile_json_schema(json.dumps(schema)).matcher() for _, schema in STRESS[:12]
    ]  # only the matcher is kept
    before = [walks.mask_of(matcher).tobytes() for matcher in matchers]
    for _ in range(20):
        assert _trace(compiler.compile_json_schema(text), kinds, 5) == expected
    assert [walks.mask_of(matcher).tobytes() for matcher in matchers] == before
