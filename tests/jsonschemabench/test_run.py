"""Whole runs with an engine that crashes, hangs and eats memory: each is a row, and every run can be resumed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from structgen import cli
from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.report import write_report
from structgen.jsonschemabench.run import Outcome, Progress, Settings, run

# Behaves as the schema's `title` says; otherwise it allows every token and every end.
FAKE = """
import ctypes, mmap, os, signal, sys, time
import numpy as np
held = []

class Fake:
    constrains = True

    def __init__(self, tokenizer, width):
        if os.environ.get("FAKE_STARTS") == "no":
            raise RuntimeError("no licence for today")
        self.bitmask = np.full((1, (width + 31) // 32), -1, dtype=np.int32)

    def compile(self, schema):
        self.title = schema.get("title", "")
        print("engines may print", self.title)
        if self.title == "refuse":
            raise ValueError("unknown keyword\\nand more")
        if self.title == "segfault":
            print("last words", file=sys.stderr, flush=True)
            ctypes.string_at(0)
        if self.title == "exit":
            os._exit(3)
        if self.title == "slow":
            while True:
                time.sleep(0.01)
        if self.title == "hang":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGTERM])
            time.sleep(1000)
        if self.title == "heap":
            while True:
                held.append(bytearray(1 << 24))
        if self.title == "shared":  # not counted by RLIMIT_DATA
            area = mmap.mmap(-1, 1 << 33)
            for at in range(0, 1 << 33, 4096):
                area[at] = 1

    def reset(self):
        held.clear()
        if self.title == "error":
            self.n = 0

    def fill(self):
        if self.title == "error":
            self.n += 1
            if self.n == 3:
                raise KeyError("lost")

    def commit(self, token_id):
        return True

    def may_end(self):
        return True
"""
TITLES = ["fine", "refuse", "slow", "heap", "error", "exit", "hang", "shared", "segfault", "last"]
EXPECTED = {
    "fine": ("ok", ""),
    "refuse": ("refused", "compile"),
    "slow": ("timeout", "compile"),
    "heap": ("memory", "compile"),
    "error": ("error", "instances"),
    "exit": ("crash", "compile"),
    "hang": ("timeout", "compile"),
    "shared": ("memory", "compile"),
    "segfault": ("crash", "compile"),
    "last": ("ok", ""),
}
ENGINE = "bench_fake:Fake"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "engines"
    folder.mkdir()
    (folder / "bench_fake.py").write_text(FAKE)
    monkeypatch.syspath_prepend(str(folder))


def data_of(folder: Path, titles: Sequence[str]) -> str:
    tests = [{"valid": True, "data": {"a": "some text"}}, {"valid": False, "data": 1}]
    path = folder / "cases.jsonl"
    path.write_text("".join(json.dumps({"id": t, "schema": {"title": t}, "tests": tests}) + "\n" for t in titles))
    return str(path)


def settings(tmp_path: Path, titles: Sequence[str], **more: Any) -> Settings:
    given: dict[str, Any] = {"time_limit_s": 1.0, "memory_mib": 256, "model": None, "engines": (ENGINE,)}
    return Settings(**({"out": tmp_path / "out", "data": data_of(tmp_path, titles)} | given | more))


def by_id(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in outcome.records if record["kind"] == "case"}


@pytest.mark.usefixtures("fake")
def test_every_failure_is_a_row(tmp_path: Path) -> None:
    outcome = run(settings(tmp_path, TITLES, memory_mib=192))
    rows = by_id(outcome)
    assert {title: (row["status"], row["stage"]) for title, row in rows.items()} == EXPECTED
    assert list(rows) == TITLES
    assert rows["segfault"]["reason"] == "killed by SIGSEGV: last words"
    assert rows["exit"]["reason"].startswith("exit code 3")
    assert rows["refuse"]["reason"] == "unknown keyword"
    assert rows["error"]["reason"] == "KeyError: 'lost'"
    assert rows["error"]["first_mask_ms"] > 0  # what was measured before stays
    assert rows["hang"]["reason"] == "more than 1 s"
    assert rows["shared"]["reason"] == "more than 192 MiB"
    assert (rows["fine"]["over"], rows["fine"]["under"]) == ([], [1])
    assert len(rows["last"]["mask_us"]) > 3
    write_report(tmp_path / "out")
    text = (tmp_path / "out" / "report.md").read_text()
    assert all(f"| {status} |" in text for status in ("crash", "memory", "timeout", "error", "refused"))


@pytest.mark.usefixtures("fake")
def test_interrupted_and_cut_runs_resume(tmp_path: Path) -> None:
    titles = ["a", "refuse", "c", "d"]

    def interrupt(rows: Sequence[Progress]) -> None:
        if rows[0].done == 2:
            raise KeyboardInterrupt

    first = run(settings(tmp_path, titles), interrupt)
    assert first.interrupted
    assert list(by_id(first)) == titles[:2]
    path = tmp_path / "out" / "results.jsonl"
    whole = path.read_bytes()
    assert whole.endswith(b"\n")
    path.write_bytes(whole[:-7])  # as a kill leaves it
    with pytest.raises(BenchError, match="go on with --resume"):
        run(settings(tmp_path, titles))
    second = run(settings(tmp_path, titles, resume=True))
    assert not second.interrupted
    assert list(by_id(second)) == titles
    assert path.read_bytes().startswith(whole.rpartition(b"\n")[0].rpartition(b"\n")[0])
    before = path.read_bytes()
    third = run(settings(tmp_path, titles, resume=True))  # nothing is left: no process starts, nothing is written
    assert path.read_bytes() == before
    assert by_id(third) == by_id(second)
    assert third.progress[0].done == 4
    with pytest.raises(BenchError, match=r"other settings: time_limit_s 1\.0 \(now 9\.0\)"):
        run(settings(tmp_path, titles, resume=True, time_limit_s=9.0))


@pytest.mark.usefixtures("fake")
def test_what_is_skipped_is_done_by_a_resumed_run(tmp_path: Path) -> None:
    titles = ["a", "b", "c"]
    first = run(settings(tmp_path, titles, total_seconds=1e-3))
    statuses = [row["status"] for row in by_id(first).values()]
    assert statuses == ["ok", "skipped", "skipped"]
    second = run(settings(tmp_path, titles, resume=True))
    assert [row["status"] for row in by_id(second).values()] == ["ok"] * 3


@pytest.mark.usefixtures("fake")
def test_an_engine_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_STARTS", "no")
    outcome = run(settings(tmp_path, ["a", "b"]))
    rows = list(by_id(outcome).values())
    assert [row["status"] for row in rows] == ["crash", "skipped"]
    assert rows[0]["stage"] == "start"
    assert "no licence for today" in rows[0]["reason"]


def test_engines_that_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "structgen.jsonschemabench.run.missing_packages", lambda name: "" if name == ENGINE else f"lib-{name}"
    )
    with pytest.raises(BenchError, match=r"none of the engines is installed; pip install lib-xgrammar"):
        run(settings(tmp_path, ["a"], engines=("xgrammar",)))


def test_settings_that_make_no_sense(tmp_path: Path) -> None:
    for more, message in [
        ({"engines": ("vllm",)}, "no engine 'vllm'; choose among structgen"),
        ({"engines": ()}, "no engine is named"),
        ({"limit": 0}, "limit must be above 0"),
        ({"time_limit_s": -1.0}, "time_limit_s must be above 0"),
        ({"n_tasks": -1}, "n_tasks must not be negative"),
    ]:
        with pytest.raises(BenchError, match=message):
            Settings(out=tmp_path, **more)


def test_a_full_disk_keeps_whole_records(tmp_path: Path) -> None:
    """A file size limit stands for the disk: the write that meets it stops in the middle of a record."""
    program = f"""
import json, resource, signal
from pathlib import Path
from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.records import RecordFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
file = RecordFile(Path({str(tmp_path / "results.jsonl")!r}), {{"a": 1}}, {{}}, False)
try:
    for number in range(100):
        file.add({{"kind": "case", "engine": "e", "id": str(number), "text": "x" * 900}})
except BenchError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "10 whole records are kept: make room and go on with --resume" in done.stdout
    lines = (tmp_path / "results.jsonl").read_text().splitlines(keepends=True)
    assert len(lines) == 11
    assert all(line.endswith("\n") and json.loads(line) for line in lines)


def test_a_results_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for text in ('{"kind": "case"}\n', "no JSON\n", "[]\n"):
        (tmp_path / "out" / "results.jsonl").write_text(text)
        with pytest.raises(BenchError, match="line 1 is no record of a benchmark"):
            run(settings(tmp_path, ["a"], resume=True))


@pytest.mark.usefixtures("fake")
def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = [
        "bench",
        "--engines",
        ENGINE,
        "--data",
        data_of(tmp_path, ["a", "refuse"]),
        "--model",
        "none",
        "--out",
        str(out),
    ]
    assert cli.run(words) == 0
    printed = capfd.readouterr()
    assert printed.out.splitlines()[1].split("\t")[:5] == [ENGINE, "2", "50.0 %", "–", "0.0 %"]
    assert "1 ok, 1 refused" in printed.err
    assert (out / "report.html").is_file()
    assert cli.run(words) == 2
    assert "--resume" in capfd.readouterr().err
    assert cli.run([*words, "--resume"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engines", "vllm"], "no engine 'vllm'"),
        (["--data", "nowhere"], "no file or folder 'nowhere'"),
        (["--splits", "nothing"], "no split 'nothing'"),
        (["--time-limit", "0"], "time_limit_s must be above 0"),
        (["--limit", "0"], "limit"),
    ],
)
def test_bad_words(tmp_path: Path, capfd: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert cli.run(["bench", "--out", str(tmp_path / "out"), *words]) == 2
    assert message in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
