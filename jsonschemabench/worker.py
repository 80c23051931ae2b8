"""One engine in one process: settings and items in on standard input, events out on standard output, one JSON object a line.

In: first the settings (engine, tokenizer, model, limits), then items: {"kind": "case", ...} or {"kind": "task", ...}. Out:
{"event": "ready"} after start-up and warm-up or {"event": "failed"}, then for each item {"event": "progress"} before each stage and
{"event": "done"} with the record.
Standard output belongs to this protocol: what engines print goes to standard error.

Limits that hold in here: an interval timer ends a case in Python code (the process lives on), RLIMIT_DATA bounds the memory that the
process may take beyond what start-up took. Code that neither reaches is ended from outside, see watch. The process dies with its parent.

Turned down: a fork for each case from a loaded process. Thread pools of Rust and OpenMP do not survive it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from structgen.jsonschemabench.data import Case, Instance

__all__ = ["main", "memory_of"]

PR_SET_PDEATHSIG = 1
# One at a time, so that an engine that refuses one is warmed up by the others.
WARM: tuple[tuple[dict[str, Any], Any], ...] = (
    ({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}}, {"a": "xyz", "b": 1.5}),
    ({"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 1}, {"on": True}),
    ({"type": "array", "items": {"type": "integer", "minimum": 3}, "uniqueItems": True}, [3, 17]),
    ({"anyOf": [{"enum": ["red", 1]}, {"type": "string", "pattern": "^[a-z]{2}$"}, {"type": ["array", "null"]}]}, "ab"),
    ({"type": "string", "format": "date-time"}, "2024-02-29T10:00:00Z"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}}, [[], [[]]]),
)


class TimeIsUp(BaseException):
    """The time of a case is over. A BaseException, so that an engine's `except Exception` does not hold it up."""


def memory_of(pid: int | str, field: str) -> int:
    """A field of /proc/PID/status in bytes ("VmRSS", "VmData"); 0 where the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp in the block when its time is over."""

    def ring(*_: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Worker:
    """The loaded engine, and the channel to the parent."""

    def __init__(self, settings: dict[str, Any], out: int) -> None:
        self.settings, self._out = settings, out
        self._loaded: tuple[Any, Any, Any] | None = None

    def send(self, event: str, **content: Any) -> None:
        data = json.dumps({"event": event, **content}).encode("utf-8") + b"\n"
        while data:
            data = data[os.write(self._out, data) :]

    def start(self) -> None:
        """Load tokenizer, model and engine, warm them up, bound the memory, say "ready"."""
        from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        from structgen.jsonschemabench.engines import load_engine
        from structgen.jsonschemabench.measures import Writer, generate, measure_case

        logging.disable_progress_bar()
        settings = self.settings
        tokenizer: Any = AutoTokenizer.from_pretrained(settings["tokenizer"])
        writer: Writer | None = None
        width = len(tokenizer)
        if settings["model"]:
            import torch

            torch.set_num_threads(1)
            config: Any = AutoConfig.from_pretrained(settings["model"])
            width = int(config.get_text_config().vocab_size)
            model: Any = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=torch.float32).eval()
            context = getattr(config.get_text_config(), "max_position_embeddings", None) or 1 << 30
            new = min(int(settings["max_new_tokens"]), context // 2)
            # 32 tokens of room for the chat template
            writer = Writer(model, tokenizer, new, max(1, min(int(settings["max_prompt_tokens"]), context - new - 32)))
        started = time.perf_counter()
        engine = load_engine(settings["engine"], tokenizer, width)
        start_s = time.perf_counter() - started
        # Compiled code, page faults, lazy imports: once, before anything is measured.
        for schema, value in WARM * 2:
            measure_case(
                engine, Case("warm", "warm", schema, (Instance(value, True),)), tokenizer, None, lambda record: None
            )
        if writer is not None:
            import jsonschema  # noqa: F401  # the validator's import is no part of a case's time

            short = Writer(writer.model, tokenizer, 8, 16)
            engine.compile(WARM[0][0])
            generate(engine, short, "warm")
        self._loaded = engine, tokenizer, writer
        limit = memory_of("self", "VmData") + int(settings["memory_bytes"])
        resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))
        self.send("ready", start_s=start_s, rss=memory_of("self", "VmRSS"), width=width)

    def measure(self, item: dict[str, Any]) -> None:
        """Measure an item within its time and send the record."""
        from structgen.jsonschemabench.measures import measure_case, measure_task

        if self._loaded is None:
            raise RuntimeError("measure before start")
        engine, tokenizer, writer = self._loaded
        latest: dict[str, Any] = {}

        def progress(record: dict[str, Any]) -> None:
            latest.update(record)
            self.send("progress", record=record)

        started = time.perf_counter()
        try:
            with _time_limit(float(self.settings["time_limit_s"])):
                if item["kind"] == "case":
                    tests = tuple(Instance(data, valid) for data, valid in item["tests"])
                    case = Case(item["id"], item["split"], item["schema"], tests)
                    record = measure_case(engine, case, tokenizer, writer, progress)
                else:
                    from structgen.tiny.tasks import Example

                    task = Example(item["prompt"], item["schema"], item["answer"], item["family"], True)
                    record = measure_task(engine, task, writer, progress)
        except TimeIsUp:
            record = timed_out(latest, float(self.settings["time_limit_s"]))
        record["seconds"] = time.perf_counter() - started
        record["peak_rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.send("done", record=record)


def timed_out(record: dict[str, Any], limit_s: float) -> dict[str, Any]:
    """The record of a case whose time ended. The validator's time is not the engine's: then the case only has no verdict."""
    if record.get("stage") == "validation":
        return {**record, "compliant": None, "stage": "", "reason": "the validator took too long"}
    return {**record, "status": "timeout", "reason": f"more than {limit_s:g} s"}


def main() -> None:
    """Serve one engine until standard input ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.dup(1)
    os.dup2(2, 1)
    worker = _Worker(json.loads(sys.stdin.readline()), out)
    try:
        worker.start()
    except Exception as error:  # the parent makes rows of it
        worker.send(
            "failed", reason=f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"[:300]
        )
        return
    for line in sys.stdin:
        worker.measure(json.loads(line))


if __name__ == "__main__":
    main()
