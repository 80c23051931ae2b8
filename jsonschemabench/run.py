"""A whole run: data, one process for each engine in turn, results as they come, the report at the end.

In: `Settings`. Out: in the folder `out`, results.jsonl, report.md, report.html and the pictures. A run that was interrupted, killed
or met a full disk goes on with `resume`: what is in results.jsonl is not measured again, but for cases that were skipped.

Engines run one after another, so that they do not take the processor from each other. Tasks come before cases, cases go round the splits:
whatever ends a run early leaves something of each.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structgen
from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.data import Case, load_cases, pick
from structgen.jsonschemabench.engines import check_name, missing_packages, version_of
from structgen.jsonschemabench.measures import MAX_PROMPT_TOKENS
from structgen.jsonschemabench.records import RecordFile
from structgen.jsonschemabench.watch import EngineProcess, StartError

__all__ = ["DEFAULT_ENGINES", "Outcome", "Progress", "Settings", "run"]

DEFAULT_ENGINES = ("structgen", "llguidance", "xgrammar", "outlines", "unconstrained")
BASELINE = "unconstrained"  # takes part wherever there is a model: what a constraint does to quality is a comparison
RESULTS = "results.jsonl"
TASK_SEED = 20
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What to run. Raises BenchError for values that make no sense.

    engines: names of `ENGINES`, or module:name. data: see `data`. limit: cases of each split. tokenizer: "tiny", a hub name or a path.
    model: the same, or None for no generations (the measures that need one are then empty); "auto" is `tiny` beside its own tokenizer and
    None beside another. time_limit_s: of one case. memory_mib: of a process, beyond what its start-up took. total_seconds: of
    the run; what an engine has not done when its share of the time is over is skipped. n_tasks: of the quality measure.
    """

    out: Path
    engines: tuple[str, ...] = DEFAULT_ENGINES
    data: str = "bundled"
    splits: tuple[str, ...] = ()
    limit: int | None = None
    tokenizer: str = "tiny"
    model: str | None = "auto"
    resume: bool = False
    time_limit_s: float = 60.0
    memory_mib: int = 4096
    total_seconds: float | None = None
    start_limit_s: float = 300.0
    max_new_tokens: int = 400
    n_tasks: int = 200

    def __post_init__(self) -> None:
        if not self.engines:
            raise BenchError("no engine is named")
        for name in self.engines:
            check_name(name)
        for name in ("limit", "total_seconds", "time_limit_s", "memory_mib", "start_limit_s", "max_new_tokens"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise BenchError(f"{name} must be above 0, not {value}")
        if self.n_tasks < 0:
            raise BenchError(f"n_tasks must not be negative, not {self.n_tasks}")

    @classmethod
    def quick(cls, **given: Any) -> Settings:
        """Settings of a small part that takes less than two minutes on two cores; what is given comes first."""
        small: dict[str, Any] = {
            "limit": 2,
            "time_limit_s": 4.0,
            "memory_mib": 2048,
            "total_seconds": 105.0,  # the last case and the report come on top
            "max_new_tokens": 96,
            "n_tasks": 16,
        }
        return cls(**(small | given))

    def model_name(self) -> str | None:
        """The model's name with "auto" resolved."""
        if self.model == "auto":
            return "tiny" if self.tokenizer == "tiny" else None
        return self.model


@dataclass(slots=True)
class Progress:
    """How far an engine is; `show` is called with all of them after every record."""

    engine: str
    total: int
    done: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    state: str = "waiting"
    seconds: float = 0.0

    def count(self, status: str) -> None:
        """Count a record."""
        self.done += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves. missing: engines that are not installed, with the distribution to install; interrupted: by Ctrl-C."""

    header: Record
    records: list[Record]
    progress: list[Progress]
    missing: dict[str, str]
    interrupted: bool
    seconds: float


def run(settings: Settings, show: Callable[[Sequence[Progress]], object] = lambda progress: None) -> Outcome:
    """Measure every case with every engine; Ctrl-C ends it cleanly, with whole records.

    Raises BenchError: data, settings, a results file that does not fit, a full disk, no engine installed.
    """
    started = time.monotonic()
    missing = {name: missing_packages(name) for name in settings.engines if missing_packages(name)}
    engines = [name for name in dict.fromkeys(settings.engines) if name not in missing]
    model = settings.model_name()
    if engines and model and BASELINE not in engines:
        engines.insert(0, BASELINE)  # it is soon done, and leaves its share of the time to the others
    if not engines:
        wanted = " ".join(missing.values())
        raise BenchError(f"none of the engines is installed; pip install {wanted}, or structgen[bench] for all of them")
    cases = pick(load_cases(settings.data), settings.splits, settings.limit)
    items = [*(_tasks(settings.n_tasks) if model else ()), *map(_item_of, cases)]
    sizes = {case.id: case.n_bytes() for case in cases}
    file = RecordFile(settings.out / RESULTS, _decisive(settings), _about(), settings.resume)
    progress = [Progress(name, len(items)) for name in engines]
    interrupted = False
    try:
        for number, row in enumerate(progress):
            share = None
            if settings.total_seconds is not None:  # what one engine leaves goes to the next ones
                share = (settings.total_seconds - (time.monotonic() - started)) / (len(progress) - number)
            _run_engine(settings, row, items, sizes, file, share, lambda: show(progress))
    except KeyboardInterrupt:
        interrupted = True
    finally:
        file.close()
    return Outcome(file.header, list(file.records.values()), progress, missing, interrupted, time.monotonic() - started)


def _run_engine(
    settings: Settings,
    row: Progress,
    items: list[Record],
    sizes: dict[str, int],
    file: RecordFile,
    share_s: float | None,
    show: Callable[[], object],
) -> None:
    """Measure what is not measured yet, within `share_s` seconds, start-up included; each failure is a record."""
    version = version_of(row.engine)
    before = file.records.get(("engine", row.engine, ""))
    if before is not None and before["version"] != version:
        raise BenchError(
            f"{file.path} has results of {row.engine} {before['version']}, installed is {version}; choose another --out"
        )
    left = []
    for item in items:
        known = file.records.get((item["kind"], row.engine, item["id"]))
        if known is None or known["status"] == "skipped":
            left.append(item)
        else:
            row.count(known["status"])
    row.state = "done" if not left else "starting"
    show()
    failed = ""
    begun = time.monotonic()
    try:
        with EngineProcess(_worker_settings(settings, row.engine), settings.start_limit_s) as process:
            for item in left:
                spent = time.monotonic() - begun + (0.0 if process.is_alive() else process.start_took_s)
                if share_s is not None and spent > share_s and process.n_starts:
                    failed = failed or "the engine's share of the time is over"
                about = {"kind": item["kind"], "engine": row.engine, "id": item["id"]}
                if item["kind"] == "case":
                    about |= {"split": item["split"], "bytes": sizes[item["id"]], "n_tests": len(item["tests"])}
                if failed:
                    outcome: Record = {"status": "skipped", "stage": "", "reason": failed}
                else:
                    try:
                        process.start()
                        if ("engine", row.engine, "") not in file.records:
                            ready = {"start_s": process.ready["start_s"], "start_rss": process.ready["rss"]}
                            file.add({"kind": "engine", "engine": row.engine, "version": version} | ready)
                        row.state = "running"
                        outcome = process.measure(item)
                    except StartError as error:
                        failed = f"the engine does not start: {error}"
                        outcome = {"status": "crash", "stage": "start", "reason": str(error)}
                file.add(about | outcome)
                row.count(str(outcome["status"]))
                row.seconds = time.monotonic() - begun
                show()
    except KeyboardInterrupt:
        row.state = "interrupted"
        show()
        raise
    row.state = failed or "done"
    show()


def _item_of(case: Case) -> Record:
    tests = [[test.data, test.valid] for test in case.tests]
    return {"kind": "case", "id": case.id, "split": case.split, "schema": case.schema, "tests": tests}


def _tasks(count: int) -> Iterator[Record]:
    """Held-out tasks of the embedded model whose prompt names the keys, so that they can be solved without a constraint too."""
    if not count:
        return
    from structgen.tiny.evaluate import examples

    for number, task in enumerate(examples(count, TASK_SEED)):
        what = {"prompt": task.prompt, "schema": task.schema, "answer": task.answer, "family": task.family}
        yield {"kind": "task", "id": f"task-{number:04}", **what}


def _worker_settings(settings: Settings, engine: str) -> Record:
    return {
        "engine": engine,
        "tokenizer": _folder_of(settings.tokenizer),
        "model": _folder_of(settings.model_name()),
        "time_limit_s": settings.time_limit_s,
        "memory_bytes": settings.memory_mib << 20,
        "max_new_tokens": settings.max_new_tokens,
        "max_prompt_tokens": MAX_PROMPT_TOKENS,
    }


def _folder_of(name: str | None) -> str | None:
    if name != "tiny":
        return name
    import structgen.tiny

    return str(structgen.tiny.path())


def _decisive(settings: Settings) -> Record:
    """The settings that the figures depend on: a run is resumed with the same ones."""
    return {
        "data": settings.data,
        "tokenizer": settings.tokenizer,
        "model": settings.model_name(),
        "time_limit_s": settings.time_limit_s,
        "memory_mib": settings.memory_mib,
        "max_new_tokens": settings.max_new_tokens,
    }


def _about() -> Record:
    """Where the run took place."""
    return {
        "structgen": structgen.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {_processor()}",
        "started": time.strftime("%Y-%m-%d %H:%M:%S%z"),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown processor"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown processor"
