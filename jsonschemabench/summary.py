"""The figures of a run: coverage, efficiency, quality, for each engine and each split.

In: records (see measures for what one holds). Out: `Summary`s. The definitions follow Geng et al. 2025 and MaskBench:

    declared    share of the cases whose grammar compiled and gave a first mask: no refusal, exception, crash, limit
    empirical   share of the cases for which the engine let the model write a whole text that is valid under the schema
    true        share of the cases with instances for which every valid instance was accepted and every invalid one refused, which is
                what the suite's instances can tell of "the constraint means what the schema means"
    compliance  empirical over declared: of what the engine claims, how much comes out right. Cases that the validator cannot judge count in
                neither. A text that the token limit cut is not valid; `cut` counts them, since a longer limit would save some, and `whole`
                leaves them out: valid texts over texts that ended by themselves

    compile     grammar compile time, each case that compiled counts once
    first mask  compile and first mask, the same cases
    mask        mask and commit, every token of every instance of every case
    TTFT, TPOT  time to first token (compile included) and per output token, each generation counts once

An engine is timed over what it compiles, which is more for one and less for another; `common_ids` gives the cases that several have
in common. Cases that ended at a limit have no times, so the times of an engine with many of these look better than it is. Cases that were
skipped (the engine's share of the time was over) count nowhere but in `n_skipped`.

    quality     right fields over expected fields, and exact answers over tasks (`structgen.tiny.evaluate`); a failed task has none right
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Coverage", "Spread", "Summary", "common_ids", "percentile", "summarise"]

Record = dict[str, Any]
PERCENTILES = (50.0, 90.0, 99.0, 99.9)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Nearest rank: the smallest value that at least `percent` of all do not exceed. ordered: ascending, not empty."""
    rank = max(1, -int(-len(ordered) * percent // 100))  # the ceiling
    return ordered[min(len(ordered), rank) - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and percentiles of `n` times; all None where there are none."""

    n: int = 0
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    most: float | None = None

    @staticmethod
    def of(values: Iterable[float | None]) -> Spread:
        """The spread of the values that are there."""
        ordered = sorted(value for value in values if value is not None)
        if not ordered:
            return Spread()
        p50, p90, p99, p999 = (percentile(ordered, p) for p in PERCENTILES)
        return Spread(len(ordered), sum(ordered) / len(ordered), p50, p90, p99, p999, ordered[-1])


@dataclass(slots=True)
class Coverage:
    """Counts of cases; the shares are None where there is nothing to divide by."""

    n: int = 0
    n_declared: int = 0
    n_with_tests: int = 0
    n_true: int = 0
    n_judged: int = 0  # a model was there to write, and the validator could tell
    n_judged_declared: int = 0
    n_empirical: int = 0

    def add(self, record: Record, has_model: bool) -> None:
        """Count a case."""
        declared = is_declared(record)
        self.n += 1
        self.n_declared += declared
        if record.get("n_tests"):
            self.n_with_tests += 1
            self.n_true += is_true(record)
        if has_model and not (declared and "compliant" in record and record["compliant"] is None):
            self.n_judged += 1
            self.n_judged_declared += declared
            self.n_empirical += bool(record.get("compliant"))

    def declared(self) -> float | None:
        """Declared coverage."""
        return _share(self.n_declared, self.n)

    def true(self) -> float | None:
        """True coverage."""
        return _share(self.n_true, self.n_with_tests)

    def empirical(self) -> float | None:
        """Empirical coverage."""
        return _share(self.n_empirical, self.n_judged)

    def compliance(self) -> float | None:
        """Compliance rate."""
        return _share(self.n_empirical, self.n_judged_declared)


@dataclass(slots=True)
class Summary:
    """The figures of one engine. times: compile, first mask, TTFT and TPOT in ms, masks in µs."""

    engine: str
    version: str = ""
    start_s: float | None = None
    peak_rss: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    by_split: dict[str, Coverage] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    n_skipped: int = 0
    n_over: int = 0
    n_under: int = 0
    n_cut: int = 0
    n_whole: int = 0  # texts that ended by themselves and that the validator can judge
    compile_ms: Spread = field(default_factory=Spread)
    first_mask_ms: Spread = field(default_factory=Spread)
    mask_us: Spread = field(default_factory=Spread)
    ttft_ms: Spread = field(default_factory=Spread)
    tpot_ms: Spread = field(default_factory=Spread)
    n_tasks: int = 0
    n_exact: int = 0
    n_invalid: int = 0
    n_right: int = 0
    n_expected: int = 0

    def field_accuracy(self) -> float | None:
        """Right fields over expected fields of the tasks."""
        return _share(self.n_right, self.n_expected)

    def exact(self) -> float | None:
        """Tasks whose answer is right as a whole."""
        return _share(self.n_exact, self.n_tasks)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def is_declared(record: Record) -> bool:
    """Whether the schema compiled and gave a first mask."""
    return "first_mask_ms" in record


def is_true(record: Record) -> bool:
    """Whether every instance was judged right."""
    return record.get("over") == [] and record.get("under") == []


def common_ids(records: Iterable[Record], engines: Collection[str]) -> set[str]:
    """The cases whose masks every one of these engines was timed on."""
    seen = Counter(r["id"] for r in records if r["kind"] == "case" and r["engine"] in engines and r.get("mask_us"))
    return {case_id for case_id, n in seen.items() if n == len(engines)}


def summarise(
    records: Iterable[Record], engine: str, *, has_model: bool, ids: Collection[str] | None = None
) -> Summary:
    """The figures of an engine, over the cases of `ids` or over all."""
    summary = Summary(engine)
    cases = []
    for record in records:
        if record["engine"] != engine:
            continue
        if record["kind"] == "engine":
            summary.version, summary.start_s = record.get("version", ""), record.get("start_s")
            continue
        summary.peak_rss = max(summary.peak_rss, record.get("peak_rss", 0))
        if record["status"] == "skipped":
            summary.n_skipped += 1
        elif record["kind"] == "task":
            summary.n_tasks += 1
            summary.n_exact += record.get("exact", 0)
            summary.n_invalid += record.get("invalid", 0)
            summary.n_right += record.get("right", 0)
            summary.n_expected += record.get("expected", 0)
        elif ids is None or record["id"] in ids:
            cases.append(record)
    for record in cases:
        summary.coverage.add(record, has_model)
        summary.by_split.setdefault(record["split"], Coverage()).add(record, has_model)
        summary.statuses[record["status"]] += 1
        summary.n_over += len(record.get("over", ()))
        summary.n_under += len(record.get("under", ()))
        summary.n_cut += record.get("finish") == "length"
        summary.n_whole += record.get("finish") == "stop" and record.get("compliant") is not None
    summary.compile_ms = Spread.of(r.get("compile_ms") for r in cases if is_declared(r))
    summary.first_mask_ms = Spread.of(r.get("first_mask_ms") for r in cases)
    summary.mask_us = Spread.of(us for r in cases for us in r.get("mask_us", ()))
    summary.ttft_ms = Spread.of(r.get("ttft_ms") for r in cases)
    summary.tpot_ms = Spread.of(r.get("tpot_ms") for r in cases)
    return summary
