"""`structgen bench`: the JSONSchemaBench suite on the command line, and with --grammars the speed on context-free grammars.

In: options. Out: a folder with results.jsonl, the report and its pictures; on standard output the overview; on standard error a live table
where it is a terminal, a line for each engine where it is not. Exit codes as in cli; 130 after Ctrl-C, with the command that goes on.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from structgen.jsonschemabench.run import Progress

__all__ = ["bench"]

EXIT_INTERRUPTED = 130


def bench(
    engines: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="Separated by commas; your own as module:name.", show_default="all that are known"
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where results and report go.")] = Path(
        "bench"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="A small part in less than two minutes.")] = False,
    data: Annotated[
        str,
        typer.Option(
            metavar="SOURCE", help="bundled, a folder or file (MaskBench, schemas, parquet), or a name on the hub."
        ),
    ] = "bundled",
    splits: Annotated[str | None, typer.Option(metavar="NAMES", help="Only these splits, separated by commas.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Schemas of each split.", show_default="all; 2 with --quick")
    ] = None,
    tokenizer: Annotated[
        str, typer.Option(metavar="NAME", help="'tiny' (embedded), a hub name or a local path.")
    ] = "tiny",
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The model that writes; 'none' leaves out what needs one.",
            show_default="tiny beside its tokenizer",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the results in DIR.")] = False,
    time_limit: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="For one schema.", show_default="60; 4 with --quick")
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            metavar="MIB", help="For one engine, beyond its start-up.", show_default="4096; 2048 with --quick"
        ),
    ] = None,
    grammars: Annotated[
        bool, typer.Option("--grammars", help="Speed on context-free grammars instead, in DIR/grammars.json too.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Run the JSONSchemaBench suite: coverage, speed and quality of structgen beside other engines."""
    del debug  # read by `cli.main`
    if grammars:
        _run_grammars(tokenizer, out, _names(engines or ""), 50 if quick else 200)
        return
    from structgen.jsonschemabench.report import overview, summaries_of, write_report
    from structgen.jsonschemabench.run import DEFAULT_ENGINES, Settings, run

    named = _names(engines) if engines is not None else DEFAULT_ENGINES
    given: dict[str, Any] = {
        "limit": limit,
        "time_limit_s": time_limit,
        "memory_mib": memory,
        "model": None if model == "none" else model or ("auto" if tokenizer == "tiny" else None),
    }
    chosen = {name: value for name, value in given.items() if value is not None or name == "model"}
    common: dict[str, Any] = {
        "out": out,
        "engines": named,
        "data": data,
        "splits": _names(splits or ""),
        "tokenizer": tokenizer,
    }
    make = Settings.quick if quick else Settings
    settings = make(**common, resume=resume, **chosen)
    with _Shown() as shown:
        outcome = run(settings, shown.update)
    for name, what in outcome.missing.items():
        _say(f"{name} is not installed and was left out: pip install {what}")
    files = write_report(out, outcome.missing) if outcome.records else []
    if outcome.records:
        _print_table(overview(summaries_of(outcome.header, outcome.records)))
    if outcome.interrupted:
        again = shlex.join(["structgen", "bench", *_again(sys.argv[1:]), "--resume"])
        _say(f"interrupted; the whole records are kept in {out}. To go on: {again}")
        raise typer.Exit(EXIT_INTERRUPTED)
    _say(f"{outcome.seconds:.0f} s; " + ", ".join(str(path) for path in files))


def _run_grammars(tokenizer: str, out: Path, engines: tuple[str, ...], steps: int) -> None:
    from structgen.jsonschemabench import BenchError
    from structgen.jsonschemabench.grammar_run import as_json, as_table, run_grammars

    rows = run_grammars(tokenizer, engines=engines, steps=steps)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "grammars.json").write_text(as_json(rows) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"cannot write in {out}: {error.strerror or error}") from error
    head, *cells = as_table(rows)
    if not sys.stdout.isatty():
        for row in (head, *cells):
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table()
    for i, name in enumerate(head):
        drawn.add_column(name, justify="left" if i < 2 else "right")
    for before, row in zip([head, *cells], cells, strict=False):
        if before[0] not in (row[0], head[0]):
            drawn.add_section()
        drawn.add_row(*row)
    Console().print(drawn)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _again(words: Sequence[str]) -> list[str]:
    """The words of this run without the command's name and `--resume`."""
    rest = list(words[1:]) if words[:1] == ["bench"] else list(words)
    return [word for word in rest if word != "--resume"]


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _print_table(table: Any) -> None:
    """A table of the report on standard output: a drawn one in a terminal, tabs between the cells in a pipe."""
    if not sys.stdout.isatty():
        for row in (table.head, *table.rows):
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    # Turned, since there are more measures than engines: the engines' names stay whole in a narrow terminal.
    drawn = Table("")
    for row in table.rows:
        drawn.add_column(row[0], justify="right", no_wrap=True)
    for name, *cells in list(zip(table.head, *table.rows, strict=True))[1:]:
        drawn.add_row(name, *cells)
    Console().print(drawn)


class _Shown:
    """The live table, or one line for each engine that has ended."""

    def __init__(self) -> None:
        self._live: Any = None
        self._told: set[str] = set()

    def __enter__(self) -> _Shown:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, rows: Sequence[Progress]) -> None:
        """Show how far the engines are."""
        if self._live is not None:
            self._live.update(_progress_table(rows))
            return
        for row in rows:
            if row.state not in ("waiting", "starting", "running") and row.engine not in self._told:
                self._told.add(row.engine)
                what = ", ".join(f"{n} {status}" for status, n in sorted(row.statuses.items()))
                _say(f"{row.engine}: {row.done} of {row.total} in {row.seconds:.0f} s ({what}); {row.state}")


def _progress_table(rows: Sequence[Progress]) -> Any:
    from rich.table import Table
    from rich.text import Text

    kinds = ("ok", "refused", "error", "timeout", "memory", "crash", "skipped")
    table = Table()
    table.add_column("engine", no_wrap=True)
    table.add_column("state")
    for name in ("done", "of", *kinds, "s"):
        table.add_column(name, justify="right")
    for row in rows:
        counts = [str(row.statuses.get(kind, 0) or "") for kind in kinds]
        table.add_row(row.engine, Text(row.state), str(row.done), str(row.total), *counts, f"{row.seconds:.0f}")
    return table
