"""How the command line shows things: tables for a terminal, tab-separated lines or JSON for a pipe, errors for both.

In: reports, costs, masks, errors. Out: text on standard output (results) and standard error (errors, timings). On a pipe nothing is
coloured, wrapped or framed. What comes from a schema, a model or a prompt is shown with its control characters escaped, so that no
input drives the terminal.

Rich is loaded for a table on a terminal and for nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

REPORT_COLUMNS = ("pointer", "keyword", "status", "note")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a schema costs. load_ms: Python's packages and the tokenizer; start_up_ms: trie and machine code; both once per process.

    The other times are the schema's own. n_first_tokens: tokens allowed at the start; shortest_tokens: tokens of the shortest
    output; n_states: states built so far.
    top_states and what follows: see `structgen.machine.cost.Cost`; by_text: JSON Pointers of the keywords that are decided by the texts of
    earlier items, when an item ends.
    """

    vocabulary_size: int
    load_ms: float
    start_up_ms: float
    compile_ms: float
    first_mask_ms: float
    n_first_tokens: int
    shortest_tokens: int
    n_states: int
    top_states: int
    top_states_capped: bool
    mask_steps: int
    mask_class: str
    mask_time: str
    by_text: list[str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A text, the byte offset of the token that was refused, and why."""

    data: bytes
    position: int
    reason: str

    def caret(self) -> str:
        """The text as one line, cut to a readable width, with a caret below the refused token."""
        before = printable(self.data[: self.position].decode("utf-8", "replace"), newlines=True)[-60:]
        after = printable(self.data[self.position :].decode("utf-8", "replace"), newlines=True)[:60]
        return f"  {before}{after}\n  {' ' * len(before)}^"


@dataclass(slots=True)
class MaskView:
    """What `structgen mask` shows."""

    text: str
    vocabulary_size: int
    allowed: Sequence[int]
    sample: list[tuple[int, bytes]]
    may_end: bool
    forced: bytes
    shortest: bytes
    then: str | None = None
    then_refusal: Refusal | None = None


def printable(text: str, *, newlines: bool = False) -> str:
    r"""Control characters as escapes (`\x1b`); newlines and tabs stay unless `newlines`, which escapes them too."""
    if text.isprintable():
        return text
    keep = "" if newlines else "\n\t"
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode("ascii") for c in text)


def show_bytes(data: bytes) -> str:
    """A token's bytes as a quoted string; bytes that are no UTF-8 as escapes."""
    try:
        return json.dumps(data.decode("utf-8"), ensure_ascii=False)
    except UnicodeDecodeError:
        return repr(data)[1:]


def tokens_of(row: Any, size: int) -> list[int]:
    """The ids whose bits are set. row: int32 [ceil(size / 32)], bit t % 32 of word t // 32."""
    found: list[int] = []
    for index, word in enumerate(row.tolist()):
        bits = word & 0xFFFFFFFF
        while bits:
            lowest = bits & -bits
            found.append(index * 32 + lowest.bit_length() - 1)
            bits ^= lowest
    return [token_id for token_id in found if token_id < size]


def sample_of(allowed: Iterable[int], token_bytes: Sequence[bytes | None], n_tokens: int) -> list[tuple[int, bytes]]:
    """Some of the allowed tokens, shortest first: those say most about what may come next."""
    spelled = [(token_id, token_bytes[token_id] or b"") for token_id in allowed]
    return sorted((pair for pair in spelled if pair[1]), key=lambda pair: (len(pair[1]), pair[1]))[:n_tokens]


def refusal_line(refusal: Refusal) -> str:
    return f"byte {refusal.position}: {refusal.reason}"


def print_error(message: str, hint: str = "") -> None:
    """`error: ...` on standard error; red on a terminal."""
    text = printable(message) + (f" ({hint})" if hint else "")
    label = "\x1b[1;31merror:\x1b[0m" if sys.stderr.isatty() else "error:"
    sys.stderr.write(f"{label} {text}\n")
    sys.stderr.flush()


def print_warning(message: str) -> None:
    """`warning: ...` on standard error; yellow on a terminal."""
    label = "\x1b[1;33mwarning:\x1b[0m" if sys.stderr.isatty() else "warning:"
    sys.stderr.write(f"{label} {printable(message)}\n")
    sys.stderr.flush()


def print_check(rows: Iterable[Any], cost: Cost | None, *, as_json: bool) -> None:
    """The enforcement report, and the cost where the schema compiles. rows: (pointer, keyword, status, note)."""
    cells = [[f"#{pointer}", *map(str, rest)] for pointer, *rest in rows]
    if as_json:
        report = [dict(zip(REPORT_COLUMNS, row, strict=True)) for row in cells]
        _print_json({"report": report, "cost": None if cost is None else asdict(cost)})
    elif sys.stdout.isatty():
        _print_check_table(cells, cost)
    else:
        lines = [
            "\t".join(REPORT_COLUMNS),
            *("\t".join(printable(cell, newlines=True) for cell in row) for row in cells),
        ]
        if cost is not None:
            lines += ["", *("\t".join(pair) for pair in _cost_lines(cost))]
        sys.stdout.write("\n".join(lines) + "\n")


def _print_check_table(cells: list[list[str]], cost: Cost | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    styles = {"enforced": "green", "annotation": "dim", "refused": "red"}
    table = Table(box=None, pad_edge=False)
    for name in REPORT_COLUMNS:
        table.add_column(name, overflow="fold")
    for row in cells:
        style = styles.get(row[2], "")
        table.add_row(
            *(Text(printable(cell, newlines=True), style=style if i == 2 else "") for i, cell in enumerate(row))
        )
    console = Console()
    console.print(table)
    if cost is None:
        return
    console.print()
    costs = Table(box=None, pad_edge=False, show_header=False)
    costs.add_column(style="dim")
    costs.add_column(justify="right")
    for name, value in _cost_lines(cost):
        costs.add_row(name, value)
    console.print(costs)


def _cost_lines(cost: Cost) -> list[tuple[str, str]]:
    return [
        ("tokenizer and packages, once", f"{cost.load_ms:.0f} ms"),
        ("start of the engine, once", f"{cost.start_up_ms:.0f} ms"),
        ("compile", f"{cost.compile_ms:.3f} ms"),
        ("first mask", f"{cost.first_mask_ms:.3f} ms"),
        ("states so far", str(cost.n_states)),
        ("states at the top level", f"{'more than ' if cost.top_states_capped else ''}{cost.top_states}"),
        ("a new mask", f"{cost.mask_class}: {cost.mask_steps} steps, {cost.mask_time}"),
        ("decided when an item ends", ", ".join(f"uniqueItems at #{p}" for p in cost.by_text) or "nothing"),
        ("tokens allowed first", f"{cost.n_first_tokens} of {cost.vocabulary_size}"),
        ("shortest output", f"{cost.shortest_tokens} tokens"),
    ]


def print_mask(view: MaskView, *, as_json: bool) -> None:
    """What may come next, and what became of `--then`."""
    if as_json:
        _print_json(_mask_object(view))
        return
    lines = [
        f"after     {show_bytes(view.text.encode('utf-8'))}",
        f"allowed   {len(view.allowed)} of {view.vocabulary_size} tokens",
        f"may end   {'yes' if view.may_end else 'no'}",
        f"forced    {show_bytes(view.forced) if view.forced else 'nothing'}",
        f"shortest  {show_bytes(view.shortest)}",
    ]
    if view.sample:
        shown = "  ".join(show_bytes(data) for _, data in view.sample)
        rest = len(view.allowed) - len(view.sample)
        lines.append(f"tokens    {shown}{f'  and {rest} more' if rest > 0 else ''}")
    if view.then is not None:
        quoted = show_bytes(view.then.encode("utf-8"))
        if view.then_refusal is None:
            lines.append(f"then      {quoted} is allowed")
        else:
            lines.append(f"then      {quoted} is refused at {refusal_line(view.then_refusal)}")
            lines.append(view.then_refusal.caret())
    sys.stdout.write(printable("\n".join(lines)) + "\n")


def _mask_object(view: MaskView) -> dict[str, Any]:
    out: dict[str, Any] = {
        "text": view.text,
        "n_allowed": len(view.allowed),
        "vocabulary_size": view.vocabulary_size,
        "may_end": view.may_end,
        "forced": view.forced.decode("utf-8", "replace"),
        "shortest": view.shortest.decode("utf-8", "replace"),
        "tokens": [{"id": token_id, "text": data.decode("utf-8", "replace")} for token_id, data in view.sample],
    }
    if view.then is not None:
        out["then"] = {"text": view.then, "allowed": view.then_refusal is None}
        if view.then_refusal is not None:
            out["then"] |= {"refused_at_byte": view.then_refusal.position, "reason": view.then_refusal.reason}
    return out


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_timings(result: Any) -> None:
    """One dim line on standard error: what was generated and where the time went; a second where the token limit shaped the output.

    result: a `structgen.GenerationResult`.
    """
    timings = result.timings
    line = (
        f"{timings.n_tokens} tokens ({timings.n_forwards} forward passes, {result.n_prompt_tokens} prompt tokens)"
        f" in {timings.total_s:.2f} s; "
        f"compile {timings.compile_s * 1e3:.2f} ms, mask {timings.mask_step_s * 1e6:.0f} \u00b5s per token"
    )
    if result.finish_reason == "length" or result.n_redrawn:
        line += "\nthe token limit shaped the output; a higher --max-new-tokens may give a better one"
    sys.stderr.write(f"\x1b[2m{line}\x1b[0m\n")
