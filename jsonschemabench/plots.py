"""The pictures of a report: PNG files by matplotlib, without a display.

In: records and summaries. Out: file names. Colours stay with the engine in every picture (a palette that the colour-blind can tell apart);
line styles differ as well, so that the pictures can be read without colour.

    masks.png       ECDF of the mask times, µs on a log scale, and the tail on its own axes, both logarithmic
    coverage.png    declared, empirical and true coverage per split, one panel for each
    compile.png     compile time against the size of the schema, both on log scales, one point a schema; the time limit as a line
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from structgen.jsonschemabench.summary import Summary, is_declared

__all__ = ["draw"]

Record = dict[str, Any]
# Okabe and Ito's palette, without yellow, which is pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7f7f7f", "#56B4E9", "#E69F00", "#000000")
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "x", "v", "P", "*")
MEASURES = ("declared", "empirical", "true")


def draw(
    folder: Path, records: Sequence[Record], summaries: Sequence[Summary], time_limit_s: float
) -> list[tuple[str, str]]:
    """Write the pictures that the records have data for; (file name, caption) of each. Raises ImportError without matplotlib, OSError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made: list[tuple[str, str]] = []

    def save(figure: Any, name: str, caption: str) -> None:
        canvas: Any = FigureCanvasAgg(figure)  # not pyplot: that keeps figures alive and looks for a display
        canvas.print_png(folder / name)
        made.append((name, caption))

    masks = _masks(Figure(figsize=(9, 4.2), dpi=140, layout="constrained"), records, summaries)
    if masks is not None:
        save(masks, "masks.png", "Mask and commit time of every token of every instance: share of the tokens that take no longer (left), "
             "and share that takes longer, on a log scale (right).")  # fmt: skip
    splits = list(dict.fromkeys(split for summary in summaries for split in summary.by_split))
    if splits:
        wide = max(7.0, 1.6 + 0.75 * len(splits))
        coverage = _coverage(Figure(figsize=(wide, 8.4), dpi=140, layout="constrained"), summaries, splits)
        save(
            coverage,
            "coverage.png",
            "Coverage per split, with the number of schemas; a cross on the axis: nothing measured.",
        )
    compiled = _compile(Figure(figsize=(7.5, 4.6), dpi=140, layout="constrained"), records, summaries, time_limit_s)
    if compiled is not None:
        save(
            compiled,
            "compile.png",
            "Grammar compile time against the size of the schema; one point a schema that compiled.",
        )
    return made


def _masks(figure: Any, records: Sequence[Record], summaries: Sequence[Summary]) -> Any:
    """The ECDF and its tail, or None without times."""
    body, tail = figure.subplots(1, 2)
    largest = 0
    for number, summary in enumerate(summaries):
        times = sorted(us for r in records if r["engine"] == summary.engine for us in r.get("mask_us", ()))
        if not times:
            continue
        n = len(times)
        largest = max(largest, n)
        looks = {"color": COLOURS[number % len(COLOURS)], "linestyle": STYLES[number % len(STYLES)], "linewidth": 1.6}
        floor = [max(us, 0.05) for us in times]
        body.plot(
            floor,
            [(i + 1) / n for i in range(n)],
            drawstyle="steps-post",
            label=f"{summary.engine} ({n:,} tokens)",
            **looks,
        )
        tail.plot(floor, [(n - i) / n for i in range(n)], drawstyle="steps-pre", **looks)
    if not largest:
        return None
    for axes in (body, tail):
        axes.set_xscale("log")
        axes.set_xlabel("time of one mask and commit (µs)")
        axes.grid(True, which="major", alpha=0.35)
    body.set_ylabel("share of tokens ≤ time")
    body.set_ylim(0, 1.01)
    body.set_title("ECDF")
    body.legend(fontsize=8, loc="lower right")
    tail.set_yscale("log")
    tail.set_ylim(0.8 / largest, 1.2)
    tail.set_ylabel("share of tokens ≥ time (log)")
    tail.set_title("the tail")
    for share, name in ((0.01, "p99"), (0.001, "p99.9")):
        if share * largest >= 1:
            tail.axhline(share, color="black", linewidth=0.6, alpha=0.6)
            tail.annotate(name, (1, share), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8)
    return figure


def _coverage(figure: Any, summaries: Sequence[Summary], splits: Sequence[str]) -> Any:
    panels = figure.subplots(3, 1, sharex=True)
    width = 0.8 / len(summaries)
    sizes = {split: max((s.by_split[split].n for s in summaries if split in s.by_split), default=0) for split in splits}
    for axes, measure in zip(panels, MEASURES, strict=True):
        for number, summary in enumerate(summaries):
            places = [i - 0.4 + (number + 0.5) * width for i in range(len(splits))]
            shares = [getattr(summary.by_split[s], measure)() if s in summary.by_split else None for s in splits]
            axes.bar(
                places,
                [100 * (share or 0.0) for share in shares],
                width * 0.92,
                color=COLOURS[number % len(COLOURS)],
                label=summary.engine,
            )
            empty = [place for place, share in zip(places, shares, strict=True) if share is None]
            axes.plot(empty, [2.0] * len(empty), "x", color=COLOURS[number % len(COLOURS)], markersize=4)
        axes.set_ylim(0, 105)
        axes.set_ylabel(f"{measure} (% of schemas)")
        axes.grid(True, axis="y", alpha=0.35)
        axes.set_axisbelow(True)
    panels[-1].set_xticks(
        range(len(splits)), [f"{s}\n(n = {sizes[s]})" for s in splits], rotation=30, ha="right", fontsize=8
    )
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=max(1, min(6, len(summaries))),
        fontsize=9,
    )
    return figure


def _compile(figure: Any, records: Sequence[Record], summaries: Sequence[Summary], time_limit_s: float) -> Any:
    axes = figure.subplots()
    found = False
    slowest = 0.0
    for number, summary in enumerate(summaries):
        points = [
            (r["bytes"], r["compile_ms"])
            for r in records
            if r["kind"] == "case"
            and r["engine"] == summary.engine
            and is_declared(r)
            and summary.engine != "unconstrained"
        ]
        if not points:
            continue
        found = True
        slowest = max(slowest, *(ms for _, ms in points))
        looks = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
        axes.scatter(
            *zip(*points, strict=True),
            s=16,
            alpha=0.75,
            linewidths=1.0,
            label=f"{summary.engine} ({len(points)})",
            **looks,
        )
    if not found:
        return None
    axes.set_xscale("log")
    axes.set_yscale("log")
    if slowest > time_limit_s * 100:
        axes.axhline(time_limit_s * 1e3, color="black", linewidth=0.8, linestyle="--")
        axes.annotate(
            f"time limit, {time_limit_s:g} s",
            (0.01, time_limit_s * 1e3),
            xycoords=("axes fraction", "data"),
            va="bottom",
            fontsize=8,
        )
    axes.set_xlabel("size of the schema (bytes of compact JSON, log)")
    axes.set_ylabel("compile time (ms, log)")
    axes.grid(True, which="major", alpha=0.35)
    axes.legend(fontsize=8, loc="best")
    return figure
