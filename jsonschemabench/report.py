"""The report of a run: Markdown, HTML and pictures from its records.

In: the header and the records of a results file. Out: report.md, report.html (one file, pictures and style inside, nothing loaded from
elsewhere) and the PNG files of plots. Both texts are made of the same blocks, so that they say the same.

What a figure means stands beside the tables; how it is computed, in measures and summary.
"""

from __future__ import annotations

import base64
import html
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.measures import MAX_PROMPT_TOKENS
from structgen.jsonschemabench.plots import draw
from structgen.jsonschemabench.records import read_records
from structgen.jsonschemabench.summary import Spread, Summary, common_ids, summarise

__all__ = ["overview", "summaries_of", "write_report"]

Record = dict[str, Any]
NONE = "–"
MAX_FAILURES = 60


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 or 2."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column is text, the others are aligned to the right unless `is_text`."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file with its caption."""

    name: str
    caption: str


Block = Heading | Text | Table | Picture


def write_report(folder: Path, missing: dict[str, str] | None = None) -> list[Path]:
    """Write the report beside results.jsonl; the files. missing: engines that were not installed, with what to install.

    Without matplotlib the report says so and has no pictures. Raises BenchError: no results, or a folder that cannot be written.
    """
    header, by_key, _ = read_records(folder / "results.jsonl")
    if not header:
        raise BenchError(f"{folder / 'results.jsonl'} holds no results")
    records = list(by_key.values())
    summaries = summaries_of(header, records)
    pictures: list[tuple[str, str]] = []
    try:
        has_matplotlib = importlib.util.find_spec("matplotlib") is not None
        if has_matplotlib:
            pictures = draw(folder, records, summaries, float(header["settings"]["time_limit_s"]))
        blocks = list(_blocks(header, records, summaries, missing or {}))
        if not has_matplotlib:
            blocks.append(Text("No pictures: matplotlib is not installed (pip install 'structgen[bench]')."))
        if pictures:
            blocks += [Heading("Pictures"), *(Picture(name, caption) for name, caption in pictures)]
        (folder / "report.md").write_text(_markdown(blocks), encoding="utf-8")
        (folder / "report.html").write_text(_html(blocks, folder), encoding="utf-8")
    except OSError as error:
        raise BenchError(
            f"cannot write the report in {folder}: {error.strerror or error}; the results are kept"
        ) from error
    return [folder / name for name in ("report.md", "report.html", *(name for name, _ in pictures))]


def summaries_of(header: Record, records: Sequence[Record]) -> list[Summary]:
    """A summary for each engine that has records, in the order of the file, the model without a constraint last."""
    engines = sorted(
        dict.fromkeys(str(record["engine"]) for record in records), key=lambda name: name == "unconstrained"
    )
    return [summarise(records, engine, has_model=header["settings"]["model"] is not None) for engine in engines]


# -- figures as text ---------------------------------------------------------------------------------------------------------------------


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f} %"


def _figure(value: float | None) -> str:
    """Three significant digits, with commas; as many decimals as that takes."""
    if value is None:
        return NONE
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _of(spread: Spread, *names: str) -> tuple[str, ...]:
    return tuple(_figure(getattr(spread, name)) for name in names)


def overview(summaries: Sequence[Summary]) -> Table:
    """The table that comes first: every measure in one line for each engine."""
    head = (
        "engine",
        "cases",
        "declared",
        "empirical",
        "true",
        "compliance",
        "compile p50 (ms)",
        "first mask p50 (ms)",
        "mask mean (µs)",
        "mask p50 (µs)",
        "mask p99 (µs)",
        "TTFT p50 (ms)",
        "TPOT p50 (ms)",
        "fields right",
    )
    rows = []
    for s in summaries:
        c = s.coverage
        efficiency = (*_of(s.compile_ms, "p50"), *_of(s.first_mask_ms, "p50"), *_of(s.mask_us, "mean", "p50", "p99"))
        if s.engine == "unconstrained":
            efficiency = (NONE,) * 5  # there is no grammar and no mask
        rows.append(
            (
                s.engine,
                str(c.n),
                _percent(c.declared()),
                _percent(c.empirical()),
                _percent(c.true()),
                _percent(c.compliance()),
                *efficiency,
                *_of(s.ttft_ms, "p50"),
                *_of(s.tpot_ms, "p50"),
                _percent(s.field_accuracy()),
            )
        )
    return Table(head, tuple(rows))


def _blocks(
    header: Record, records: Sequence[Record], summaries: Sequence[Summary], missing: dict[str, str]
) -> Sequence[Block]:
    settings, about = header["settings"], header["about"]
    blocks: list[Block] = [
        Heading("structgen bench", 1),
        Text(
            f"Data: {settings['data']}. Tokenizer: {settings['tokenizer']}. Model: {settings['model'] or 'none'}. Limits of a case: "
            f"{settings['time_limit_s']:g} s, {settings['memory_mib']} MiB, {settings['max_new_tokens']} new tokens. {about['machine']}; "
            f"Python {about['python']}, structgen {about['structgen']}; started {about['started']}. One thread, one engine after another."
        ),
    ]
    if missing:
        names = ", ".join(f"{name} (pip install {what})" for name, what in missing.items())
        blocks.append(Text(f"Not installed, and so left out: {names}."))
    skipped = {s.engine: s.n_skipped for s in summaries if s.n_skipped}
    if skipped:
        what = ", ".join(f"{n} of {engine}" for engine, n in skipped.items())
        blocks.append(Text(f"Skipped when the engine's share of the time was over, and counted nowhere: {what}."))
    if settings["model"] is None:
        blocks.append(
            Text("No model was given: empirical coverage, compliance, TTFT, TPOT and quality were not measured.")
        )
    blocks += [
        Heading("Overview"),
        overview(summaries),
        Text(
            "Declared: the schema compiles and gives a first mask. Empirical: the model's text under the constraint is whole and valid. "
            "True: every valid instance is accepted and every invalid one refused, token by token. Compliance: empirical over declared. "
            "Engines are timed over the schemas that they compile: more for one, less for another. "
            "The unconstrained model refuses no schema and no text. Texts are greedy; the prompt is the schema itself, cut to "
            f"{MAX_PROMPT_TOKENS} tokens."
        ),
        Heading("Coverage"),
        _coverage(summaries),
        Text(
            "Over: valid instances refused; under: invalid instances accepted. Cut: texts that the token limit ended before they were "
            "whole, which count as not compliant; structgen ends within the limit by itself, the other engines do not try to. "
            "Whole: valid texts over those that were not cut."
        ),
        *_split_tables(summaries),
        Heading("Efficiency"),
        _times("grammar compile time (ms)", summaries, lambda s: s.compile_ms),
        _times("time to first mask, compile included (ms)", summaries, lambda s: s.first_mask_ms),
        _times("time per mask and commit (µs)", summaries, lambda s: s.mask_us),
    ]
    blocks += _common(header, records, summaries)
    if settings["model"] is not None:
        blocks += [
            _times("time to first token, compile and prompt included (ms)", summaries, lambda s: s.ttft_ms),
            _times("time per output token, model included (ms)", summaries, lambda s: s.tpot_ms),
            Heading("Quality"),
            _quality(summaries),
            Text(
                "Bundled tasks with known answers: texts whose fields the model has to copy out. The same prompts with and without the "
                "constraint; each prompt names the fields that it wants."
            ),
        ]
    blocks += [Heading("Processes"), _processes(summaries), *_failures(records)]
    return blocks


def _coverage(summaries: Sequence[Summary]) -> Table:
    kinds = ("refused", "error", "timeout", "memory", "crash")
    rows = []
    for s in summaries:
        c = s.coverage
        shares = [
            f"{part} / {whole}" if whole else NONE
            for part, whole in (
                (c.n_declared, c.n),
                (c.n_empirical, c.n_judged),
                (c.n_true, c.n_with_tests),
                (c.n_empirical, c.n_judged_declared),
                (c.n_empirical, s.n_whole),
            )
        ]
        rows.append(
            (s.engine, *shares, str(s.n_over), str(s.n_under), str(s.n_cut), *(str(s.statuses[kind]) for kind in kinds))
        )
    return Table(
        ("engine", "declared", "empirical", "true", "compliant", "whole", "over", "under", "cut", *kinds), tuple(rows)
    )


def _split_tables(summaries: Sequence[Summary]) -> list[Block]:
    splits = list(dict.fromkeys(split for s in summaries for split in s.by_split))
    if len(splits) < 2:
        return []
    rows = []
    for split in splits:
        n = max(s.by_split[split].n for s in summaries if split in s.by_split)
        cells = []
        for s in summaries:
            c = s.by_split.get(split)
            shares = (c.declared(), c.empirical(), c.true()) if c is not None else (None, None, None)
            cells.append(" / ".join(NONE if share is None else f"{100 * share:.0f}" for share in shares))
        rows.append((split, str(n), *cells))
    head = ("split", "n", *(s.engine for s in summaries))
    return [Text("Per split, in per cent: declared / empirical / true."), Table(head, tuple(rows))]


def _times(title: str, summaries: Sequence[Summary], spread_of: Callable[[Summary], Spread]) -> Table:
    rows = []
    for s in summaries:
        spread = spread_of(s)
        if spread.n and not (s.engine == "unconstrained" and "token" not in title):
            rows.append((s.engine, f"{spread.n:,}", *_of(spread, "mean", "p50", "p90", "p99", "p999", "most")))
    return Table((title, "n", "mean", "p50", "p90", "p99", "p99.9", "max"), tuple(rows))


def _common(header: Record, records: Sequence[Record], summaries: Sequence[Summary]) -> list[Block]:
    """Times over the schemas that all engines with masks have been timed on: the fair comparison, on easier schemas."""
    timed = [s.engine for s in summaries if s.mask_us.n]
    ids = common_ids(records, timed)
    if len(timed) < 2 or not ids:
        return []
    has_model = header["settings"]["model"] is not None
    common = [summarise(records, engine, has_model=has_model, ids=ids) for engine in timed]
    return [
        Text(f"Schemas that every one of {', '.join(timed)} was timed on, {len(ids)} in number:"),
        _times("time to first mask, common schemas (ms)", common, lambda s: s.first_mask_ms),
        _times("time per mask and commit, common schemas (µs)", common, lambda s: s.mask_us),
    ]


def _quality(summaries: Sequence[Summary]) -> Table:
    rows = [
        (
            s.engine,
            f"{s.n_right} / {s.n_expected}",
            _percent(s.field_accuracy()),
            f"{s.n_exact} / {s.n_tasks}",
            _percent(s.exact()),
            str(s.n_invalid),
        )
        for s in summaries
        if s.n_tasks
    ]
    return Table(("engine", "fields right", "share", "answers exact", "share", "not JSON"), tuple(rows))


def _processes(summaries: Sequence[Summary]) -> Table:
    rows = [
        (s.engine, s.version or NONE, _figure(s.start_s), f"{s.peak_rss / 2**20:,.0f}" if s.peak_rss else NONE)
        for s in summaries
    ]
    return Table(("engine", "version", "engine start-up (s)", "peak memory (MiB)"), tuple(rows))


def _failures(records: Sequence[Record]) -> list[Block]:
    """Everything that is not "ok", grouped by what it was."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for r in records:
        status = r.get("status", "ok")
        if status != "ok":
            groups.setdefault((r["engine"], status, r["stage"], r.get("reason", "")), []).append(r["id"])
    if not groups:
        return []
    largest = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    rows = tuple(
        (engine, status, stage or NONE, str(len(ids)), reason, ids[0])
        for (engine, status, stage, reason), ids in largest[:MAX_FAILURES]
    )
    blocks: list[Block] = [
        Heading("Refusals and failures"),
        Table(("engine", "status", "stage", "cases", "reason", "for example"), rows, is_text=True),
    ]
    if len(largest) > MAX_FAILURES:
        blocks.append(Text(f"and {len(largest) - MAX_FAILURES} more kinds; results.jsonl has all."))
    return blocks


# -- the two forms -----------------------------------------------------------------------------------------------------------------------


def _markdown(blocks: Sequence[Block]) -> str:
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"{'#' * block.level} {block.text}")
        elif isinstance(block, Text):
            parts.append(_escaped(block.text))
        elif isinstance(block, Picture):
            parts.append(f"![{_escaped(block.caption)}]({block.name})\n\n{_escaped(block.caption)}")
        else:
            marks = ["---", *("---" if block.is_text else "---:" for _ in block.head[1:])]
            lines = [block.head, marks, *block.rows]
            parts.append("\n".join(f"| {' | '.join(_escaped(cell) for cell in line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    """Text for Markdown: schemas and messages may hold anything."""
    out = " ".join(text.split())
    for mark in ("\\", "|", "`", "*", "_", "<", "["):
        out = out.replace(mark, "\\" + mark)
    return out


STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
div.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.7rem; border-bottom: 1px solid #8885; text-align: right; vertical-align: top; }
th { border-bottom: 2px solid #888; vertical-align: bottom; }
th:first-child, td:first-child, table.text th, table.text td { text-align: left; }
table:not(.text) td { white-space: nowrap; }
table.text td:nth-child(5) { overflow-wrap: anywhere; }
tbody tr:hover { background: #8882; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; height: auto; background: white; }
figcaption { font-size: 0.9rem; opacity: 0.8; }
"""


def _html(blocks: Sequence[Block], folder: Path) -> str:
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"<h{block.level}>{html.escape(block.text)}</h{block.level}>")
        elif isinstance(block, Text):
            parts.append(f"<p>{html.escape(block.text)}</p>")
        elif isinstance(block, Picture):
            data = base64.b64encode((folder / block.name).read_bytes()).decode("ascii")
            caption = html.escape(block.caption)
            parts.append(
                f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
            )
        else:
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in block.head)
            body = "".join(
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n" for row in block.rows
            )
            kind = ' class="text"' if block.is_text else ""
            parts.append(
                f'<div class="table"><table{kind}><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'
            )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">\n'
        f"<title>structgen bench</title><style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )
