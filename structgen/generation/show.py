"""What the constraint did to each token, for people: in a terminal, in a notebook, as a page.

In: a `GenerationResult` that was made with `trace=True`. Out: coloured text (rich), an HTML fragment, a standalone HTML page.

`by_field` sums the same up for every field. A token counts for the deepest value that any of its bytes is in, the first of these if
there are several; so what stands under an object's own pointer is its braces, names and punctuation.

Grey: forced, the constraint left one token and the model was not asked. Otherwise the deeper the blue, the more of the model's probability
was on tokens that the constraint removed: a deep blue token was written against the model's wish.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from structgen.generation.places import CLOSED, OPENED, SCALAR_ENDED, Scanner

_HEADINGS = ("field", "tokens", "forced", "removed", "\u00b5s per mask")
_MAX_ROWS = 60
_FORCED = (210, 210, 210)
_FREE, _AGAINST = (255, 255, 255), (70, 130, 230)


@dataclass(frozen=True, slots=True)
class TokenTrace:
    """One generated token. data: its bytes; n_allowed: tokens that the constraint allowed; removed: probability that the model had given to
    the others, 0 to 1 (at temperature 1; None where it was not asked); mask_s: seconds to build the mask."""

    token_id: int
    data: bytes
    n_allowed: int
    removed: float | None
    mask_s: float

    @property
    def is_forced(self) -> bool:
        """Whether the constraint left this token only."""
        return self.n_allowed == 1

    @property
    def text(self) -> str:
        """The token's text; bytes that are no whole characters as escapes."""
        return self.data.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """What the constraint did to the tokens of one value, those of the values in it not counted.

    pointer: JSON Pointer ("" for the whole, also of free text); n_tokens, n_forced: counts; removed: probability that the constraint
    removed, on average over the tokens that the model was asked for, None if there are none; mask_s: seconds for all of its masks.
    """

    pointer: str
    n_tokens: int
    n_forced: int
    removed: float | None
    mask_s: float


def by_field(trace: Sequence[TokenTrace], *, is_json: bool = True) -> tuple[FieldSummary, ...]:
    """The summary of each field that has tokens, in the order of their first ones. is_json: the text is the beginning of a JSON value."""
    tokens: dict[str, list[TokenTrace]] = {}
    scanner, pointers = Scanner(), [""]
    for token in trace:
        deepest, pointer = 0, ""
        for byte in token.data if is_json else b"":
            event = scanner.step(byte)
            if event & SCALAR_ENDED:
                pointers.pop()
            if event & OPENED:
                step = str(scanner.key).replace("~", "~0").replace("/", "~1")
                pointers.append(f"{pointers[-1]}/{step}" if len(pointers) > 1 else "")
            if len(pointers) > deepest:
                deepest, pointer = len(pointers), pointers[-1]
            if event & CLOSED:
                pointers.pop()
        tokens.setdefault(pointer, []).append(token)
    return tuple(_field(pointer, own) for pointer, own in tokens.items())


def _field(pointer: str, tokens: Sequence[TokenTrace]) -> FieldSummary:
    asked = [token.removed for token in tokens if token.removed is not None]
    return FieldSummary(
        pointer,
        len(tokens),
        len(tokens) - len(asked),
        sum(asked) / len(asked) if asked else None,
        sum(token.mask_s for token in tokens),
    )


def _cells(fields: Sequence[FieldSummary]) -> list[tuple[str, str, str, str, str]]:
    """Rows of the table: pointer, tokens, forced, removed, microseconds for a mask; the last says how many were left out."""
    rows = [
        (
            field.pointer or "(whole)",
            str(field.n_tokens),
            str(field.n_forced),
            "" if field.removed is None else f"{field.removed:.1%}",
            f"{field.mask_s / field.n_tokens * 1e6:.0f}",
        )
        for field in fields[:_MAX_ROWS]
    ]
    if len(fields) > _MAX_ROWS:
        rows.append((f"and {len(fields) - _MAX_ROWS} more", "", "", "", ""))
    return rows


def _colour(token: TokenTrace) -> tuple[int, int, int]:
    if token.removed is None:
        return _FORCED
    part = min(1.0, max(0.0, token.removed))
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(_FREE, _AGAINST, strict=True))
    return red, green, blue


def _about(token: TokenTrace) -> str:
    if token.removed is None:
        return f"token {token.token_id}, forced"
    return f"token {token.token_id}, {token.n_allowed} allowed, {token.removed:.1%} of the probability removed"


def fragment(trace: Sequence[TokenTrace]) -> str:
    """The text as an HTML `<pre>` with a coloured span for each token; hovering over one says what was allowed."""
    spans = [
        f'<span style="background:rgb{_colour(token)};color:#111" title="{html.escape(_about(token))}">'
        f"{html.escape(token.text)}</span>"
        for token in trace
    ]
    return f'<pre style="white-space:pre-wrap;font-family:monospace;line-height:1.6">{"".join(spans)}</pre>'


def summary(trace: Sequence[TokenTrace]) -> str:
    """One line: how many tokens, how many forced, how much was removed on average, the time of a mask."""
    if not trace:
        return "no tokens"
    asked = [token.removed for token in trace if token.removed is not None]
    removed = (
        f"{sum(asked) / len(asked):.1%} of the probability removed on average" if asked else "the model was never asked"
    )
    mask_us = sum(token.mask_s for token in trace) / len(trace) * 1e6
    return f"{len(trace)} tokens, {len(trace) - len(asked)} forced, {removed}, {mask_us:.0f} \u00b5s for a mask"


def _table(fields: Sequence[FieldSummary]) -> str:
    rows = [f"<tr>{''.join(f'<th>{html.escape(name)}</th>' for name in _HEADINGS)}</tr>"]
    for first, *numbers in _cells(fields):
        cells = "".join(f'<td style="text-align:right;padding-left:1em">{html.escape(cell)}</td>' for cell in numbers)
        rows.append(f"<tr><td>{html.escape(first)}</td>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"


def page(trace: Sequence[TokenTrace], title: str, fields: Sequence[FieldSummary] = ()) -> str:
    """A standalone HTML page with the text and a table of the fields; it loads nothing."""
    data = json.dumps([[token.token_id, token.n_allowed, token.removed] for token in trace])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
        f'<body style="max-width:60em;margin:2em auto;font-family:sans-serif"><h1>{html.escape(title)}</h1>'
        f"<p>{html.escape(summary(trace))}. Grey: forced; blue: against the model.</p>{fragment(trace)}"
        f"{_table(fields) if fields else ''}"
        f'<script type="application/json" id="trace">{data}</script></body></html>\n'
    )


def print_trace(trace: Sequence[TokenTrace], file: Any = None, fields: Sequence[FieldSummary] = ()) -> None:
    """The coloured text, the summary and a table of the fields; no colours where `file` (None: standard output) is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    text = Text()
    for token in trace:
        red, green, blue = _colour(token)
        text.append(_visible(token.text, "\n\t"), style=f"#111111 on rgb({red},{green},{blue})")
    console = Console(file=file, highlight=False)
    console.print(text, soft_wrap=True)
    console.print(Text(summary(trace), style="dim"))
    if fields:
        table = Table(*_HEADINGS, box=box.SIMPLE)
        for column in table.columns[1:]:
            column.justify = "right"
        for cells in _cells(fields):
            table.add_row(*(Text(_visible(cell, "")) for cell in cells))
        console.print(table)


def _visible(text: str, kept: str) -> str:
    """The text without what would drive a terminal. kept: control characters that stay."""
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)
