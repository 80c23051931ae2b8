"""The JSONSchemaBench suite: how fast and how right structgen is on real schemas, beside the other engines.

    structgen bench --quick --engines structgen,llguidance,xgrammar,outlines --out DIR
    python -m structgen.jsonschemabench ...         the same

It follows Geng et al. 2025, "Generating Structured Outputs from Language Models: Benchmark and Studies", and takes the mask times from
MaskBench. The way of the data: data (cases) -> worker (one process for each engine: engines, measures) -> watch (its limits, seen from
outside) -> records (JSONL that a later run resumes) -> summary (the figures) -> report and plots (Markdown, HTML, PNG). `run` puts
these in order.

The package uses the public API of structgen and the embedded model's tasks, nothing else.
"""

from __future__ import annotations

from structgen.errors import StructgenError

__all__ = ["BenchError"]


class BenchError(StructgenError):
    """A benchmark that cannot start or go on: wrong settings, unreadable data, results of another run, a full disk."""
