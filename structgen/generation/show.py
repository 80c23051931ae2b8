"""What the constraint did to each token, for people: in a terminal, in a notebook, as a page.

In: a `GenerationResult` that was made with `trace=True`. Out: coloured text (rich), an HTML fragment, a standalone HTML page.

Grey: forced, the constraint left one token and the model was not asked. Otherwise the deeper the blue, the more of the model's probability
was on tokens that the constraint removed: a deep blue token was written against the model's wish.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


def page(trace: Sequence[TokenTrace], title: str) -> str:
    """A standalone HTML page; it loads nothing."""
    data = json.dumps([[token.token_id, token.n_allowed, token.removed] for token in trace])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
        f'<body style="max-width:60em;margin:2em auto;font-family:sans-serif"><h1>{html.escape(title)}</h1>'
        f"<p>{html.escape(summary(trace))}. Grey: forced; blue: against the model.</p>{fragment(trace)}"
        f'<script type="application/json" id="trace">{data}</script></body></html>\n'
    )


def print_trace(trace: Sequence[TokenTrace], file: Any = None) -> None:
    """The coloured text and the summary on a terminal; without colours where `file` (None: standard output) is none."""
    from rich.console import Console
    from rich.text import Text

    text = Text()
    for token in trace:
        red, green, blue = _colour(token)
        visible = "".join(
            c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in token.text
        )
        text.append(visible, style=f"#111111 on rgb({red},{green},{blue})")
    console = Console(file=file, highlight=False)
    console.print(text, soft_wrap=True)
    console.print(Text(summary(trace), style="dim"))
