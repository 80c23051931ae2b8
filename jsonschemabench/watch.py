"""The watchdog: an engine's process seen from outside, with its limits on time and memory.

In: items for the worker. Out: a record for each, whatever the engine does: where it crashes, hangs or eats memory, the process is killed,
the record says so with the stage and what was measured before, and the next item gets a fresh process.

    status "timeout"    no answer within the time limit and the grace for code that does not hear the worker's own timer
    status "memory"     more resident memory than start-up took plus the limit
    status "crash"      the process ended by itself: its exit code or signal, and its last line on standard error

Limits: Linux (/proc). Memory is looked at every 50 ms; what is taken faster meets RLIMIT_DATA in the worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from structgen.jsonschemabench.worker import memory_of, timed_out

__all__ = ["EngineProcess", "StartError"]

POLL_S = 0.05
GRACE_S = 0.5
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class StartError(Exception):
    """The engine's process did not come up; the text says why."""


class EngineProcess:
    """A worker that is started when it is needed and again after it was killed. Use it in a `with` block.

    settings: what `worker.main` reads first. start_limit_s: for imports, the model and the engine's start-up.
    """

    def __init__(self, settings: dict[str, Any], start_limit_s: float) -> None:
        self.settings, self.start_limit_s = settings, start_limit_s
        self.ready: dict[str, Any] = {}  # what the worker said when it was ready: start_s, rss, width
        self.n_starts = 0
        self.start_took_s = 0.0  # the last start, with imports and warm-up
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._buffer = b""

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the process if there is none. Raises StartError."""
        if self._process is not None:
            return
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._buffer = b""
        # The package may be a checkout that is run in place, and an engine the user's own: the worker finds both where this process does.
        paths = [path or str(Path.cwd()) for path in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "structgen.jsonschemabench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | ONE_THREAD | {"TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for the parent, which ends the worker itself
        )
        self.n_starts += 1
        self._send(self.settings)
        begun = time.monotonic()
        deadline = begun + self.start_limit_s
        while True:
            event = self._event(deadline, 0)
            if isinstance(event, str):
                raise StartError(self._ending(event, self.start_limit_s)["reason"])
            if event["event"] == "failed":
                self.close()
                raise StartError(event["reason"])
            if event["event"] == "ready":
                self.ready = event
                self.start_took_s = time.monotonic() - begun
                return

    def is_alive(self) -> bool:
        """Whether there is a process; after a kill there is none until the next start."""
        return self._process is not None

    def measure(self, item: dict[str, Any]) -> dict[str, Any]:
        """The record of an item. Raises StartError where the process does not come up, KeyboardInterrupt as it comes."""
        self.start()
        limit = float(self.settings["time_limit_s"])
        record: dict[str, Any] = {"status": "ok", "stage": "compile"}
        started = time.monotonic()
        self._send(item)
        while True:
            event = self._event(started + limit + GRACE_S, int(self.ready["rss"]) + int(self.settings["memory_bytes"]))
            if isinstance(event, str):
                seconds = time.monotonic() - started
                if event == "timeout":
                    self.close()
                    return timed_out(record, limit) | {"seconds": seconds}
                return record | self._ending(event, limit) | {"seconds": seconds}
            record = dict(event.get("record", record))
            if event["event"] == "done":
                return record

    def close(self) -> None:
        """Kill the process, if there is one, with all that it started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._process = None

    def _send(self, value: dict[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise RuntimeError("send without a process")
        with contextlib.suppress(BrokenPipeError):  # it died: the next event is the end of its output
            process.stdin.write(json.dumps(value).encode("utf-8") + b"\n")
            process.stdin.flush()

    def _event(self, deadline: float, most_memory: int) -> dict[str, Any] | str:
        """The next event, or "timeout", "memory" or "end". most_memory: bytes, 0 for no limit."""
        process = self._process
        if process is None or process.stdout is None:
            raise RuntimeError("no process")
        descriptor = process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if selector.select(POLL_S):
                    data = os.read(descriptor, 1 << 20)
                    if not data:
                        return "end"
                    self._buffer += data
                elif time.monotonic() > deadline:
                    return "timeout"
                if most_memory and memory_of(process.pid, "VmRSS") > most_memory:
                    return "memory"
        line, _, self._buffer = self._buffer.partition(b"\n")
        event: dict[str, Any] = json.loads(line)
        return event

    def _ending(self, how: str, limit_s: float) -> dict[str, Any]:
        """Status and reason of a process that is at its end, which is closed."""
        process = self._process
        if process is None or self._errors is None:
            raise RuntimeError("no process")
        code: int | None = None
        if how == "end":
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=2)
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 4000))
        lines = [line for line in self._errors.read().decode("utf-8", "replace").splitlines() if line.strip()]
        self.close()
        if how == "timeout":
            return {"status": "timeout", "reason": f"more than {limit_s:g} s"}
        if how == "memory":
            return {"status": "memory", "reason": f"more than {int(self.settings['memory_bytes']) >> 20} MiB"}
        last = f": {lines[-1].strip()}" if lines else ""
        ended = f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        return {"status": "crash", "reason": f"{ended}{last}"[:300]}
