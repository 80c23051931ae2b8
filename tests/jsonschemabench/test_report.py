"""Figures and reports from fixed records: shares, percentiles, Markdown, HTML that loads nothing, pictures with axes."""

from __future__ import annotations

import importlib.util
import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.jsonschemabench.records import RecordFile
from structgen.jsonschemabench.report import summaries_of, write_report
from structgen.jsonschemabench.summary import Spread, common_ids, percentile, summarise

SETTINGS = {
    "data": "bundled",
    "tokenizer": "tiny",
    "model": "tiny",
    "time_limit_s": 5.0,
    "memory_mib": 64,
    "max_new_tokens": 9,
}
ABOUT = {"machine": "a machine", "python": "3", "structgen": "0", "started": "today"}
HEADER = {"kind": "header", "format": 1, "settings": SETTINGS, "about": ABOUT}


def case(engine: str, number: int, **more: Any) -> dict[str, Any]:
    whole = {
        "kind": "case",
        "engine": engine,
        "id": f"c{number}",
        "split": f"split_{number % 2}",
        "bytes": 100 * 10 ** (number % 3),
        "n_tests": 2,
        "status": "ok",
        "stage": "",
        "compile_ms": 1.0 + number,
        "first_mask_ms": 1.5 + number,
        "over": [],
        "under": [],
        "mask_us": [1.0, 10.0, 100.0 + number],
        "finish": "stop",
        "compliant": True,
        "ttft_ms": 20.0,
        "tpot_ms": 2.0,
        "n_tokens": 5,
    }
    return whole | more


def refused(engine: str, number: int, reason: str) -> dict[str, Any]:
    names = ("kind", "engine", "id", "split", "bytes", "n_tests")
    return {name: case(engine, number)[name] for name in names} | {
        "status": "refused",
        "stage": "compile",
        "reason": reason,
    }


NASTY = "<script>alert('x')</script> | `a` *b* [c](d)"
RECORDS = [
    {"kind": "engine", "engine": "one", "version": "1.2", "start_s": 0.5, "start_rss": 1},
    case("one", 0),
    case("one", 1, over=[0]),
    case("one", 2, under=[1], compliant=False),
    case("one", 3, finish="length", compliant=False),
    case("one", 4, compliant=None),
    refused("one", 5, NASTY),
    {"kind": "case", "engine": "one", "id": "c6", "split": "split_0", "bytes": 9, "n_tests": 2, "status": "skipped"}
    | {"stage": "", "reason": "the engine's share of the time is over"},
    {"kind": "task", "engine": "one", "id": "t", "status": "ok", "stage": "", "right": 3, "expected": 4, "exact": 0}
    | {"invalid": 0},
    case("two", 0),
    refused("two", 1, "no"),
    case("unconstrained", 0, mask_us=[], under=[1]),
]


def test_the_shares() -> None:
    one = summarise(RECORDS, "one", has_model=True)
    c = one.coverage
    assert (c.n, c.n_declared, c.n_with_tests, c.n_true) == (6, 5, 6, 3)
    assert (c.n_judged, c.n_judged_declared, c.n_empirical) == (5, 4, 2)
    assert (c.declared(), c.true(), c.empirical(), c.compliance()) == (5 / 6, 3 / 6, 2 / 5, 2 / 4)
    assert (one.n_over, one.n_under, one.n_cut, one.n_skipped) == (1, 1, 1, 1)
    assert one.n_whole == 3
    assert sum(split.n for split in one.by_split.values()) == c.n
    assert one.field_accuracy() == 0.75
    assert one.mask_us.n == 15
    assert one.compile_ms.most == 5.0
    without = summarise(RECORDS, "one", has_model=False).coverage
    assert (without.empirical(), without.compliance(), without.declared()) == (None, None, 5 / 6)
    assert common_ids(RECORDS, ["one", "two"]) == {"c0"}
    assert summarise(RECORDS, "one", has_model=True, ids={"c0"}).compile_ms == Spread(1, *[1.0] * 6)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.sampled_from([1.0, 50.0, 90.0, 99.0, 99.9, 100.0]))
def test_percentiles_are_nearest_ranks(values: list[float], percent: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, percent)
    n_below = sum(value < found for value in ordered)
    n_up_to = sum(value <= found for value in ordered)
    assert n_up_to * 100 >= percent * len(ordered) - 1e-6
    assert n_below * 100 < percent * len(ordered) or math.isclose(n_below * 100, percent * len(ordered))


class Page(HTMLParser):
    """Collects what a page would load and the tags that it opens and closes."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = RecordFile(tmp_path / "results.jsonl", SETTINGS, ABOUT, False)
    for record in RECORDS:
        file.add(record)
    file.close()
    return tmp_path


def test_the_files(folder: Path) -> None:
    files = write_report(folder, {"xgrammar": "xgrammar"})
    assert all(path.stat().st_size for path in files)
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert "| one | 6 | 83.3 % | 40.0 % | 50.0 % | 50.0 % |" in markdown
    assert "xgrammar (pip install xgrammar)" in markdown
    assert "\\<script>" in markdown
    lines = markdown.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("| ---"):  # every row of a table is as wide as its head
            width = line.count("|")
            row = number - 1
            while row < len(lines) and lines[row].startswith("|"):
                assert lines[row].replace("\\|", "").count("|") == width, lines[row]
                row += 1
    page = Page()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    assert not page.open
    assert "script" not in page.tags
    assert NASTY in page.text
    assert all(value.startswith("data:image/png;base64,") for value in page.loads)
    if importlib.util.find_spec("matplotlib") is None:
        assert "No pictures: matplotlib is not installed" in markdown
        pytest.skip("needs matplotlib (extra `bench`) for the pictures")
    assert {path.name for path in files} >= {"masks.png", "coverage.png", "compile.png"}
    assert len(page.loads) == 3
    for path in files:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")


def test_axes_have_names_and_scales(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib (extra `bench`) for the pictures")
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from structgen.jsonschemabench.plots import draw

    figures: dict[str, Any] = {}
    monkeypatch.setattr(FigureCanvasAgg, "print_png", lambda self, path: figures.setdefault(path.name, self.figure))
    draw(tmp_path, RECORDS, summaries_of(HEADER, RECORDS), 5.0)
    masks, tail = figures["masks.png"].axes
    assert masks.get_xscale() == tail.get_xscale() == tail.get_yscale() == "log"
    assert "µs" in masks.get_xlabel()
    assert {line.get_label() for line in masks.lines} == {"one (15 tokens)", "two (3 tokens)"}
    (compiled,) = figures["compile.png"].axes
    assert (compiled.get_xscale(), compiled.get_yscale()) == ("log", "log")
    assert "bytes" in compiled.get_xlabel()
    assert "ms" in compiled.get_ylabel()
    for axes in figures["coverage.png"].axes:
        assert "%" in axes.get_ylabel()
        assert axes.get_ylim()[1] >= 100


def test_records_without_a_generation(folder: Path) -> None:
    """No model, and an engine that refuses everything: the report has dashes, no division by nothing."""
    path = folder / "bare" / "results.jsonl"
    file = RecordFile(path, SETTINGS | {"model": None}, ABOUT, False)
    file.add(refused("two", 1, "no"))
    file.close()
    write_report(path.parent)
    assert "| two | 1 | 0.0 % | – | 0.0 % | – | – |" in (path.parent / "report.md").read_text(encoding="utf-8")
    assert "No model was given" in (path.parent / "report.html").read_text(encoding="utf-8")


def test_a_records_text_may_hold_anything(tmp_path: Path) -> None:
    """Lone surrogates come out of models and schemas; a record with one is written and read."""
    file = RecordFile(tmp_path / "results.jsonl", SETTINGS, ABOUT, False)
    file.add(case("one", 0, text="\ud800 \u2028\n"))
    file.close()
    assert len((tmp_path / "results.jsonl").read_bytes().splitlines()) == 2
    again = RecordFile(tmp_path / "results.jsonl", SETTINGS, ABOUT, True)
    assert again.records[("case", "one", "c0")]["text"] == "\ud800 \u2028\n"
    again.close()
    assert json.loads((tmp_path / "results.jsonl").read_text().splitlines()[0])["settings"] == SETTINGS
