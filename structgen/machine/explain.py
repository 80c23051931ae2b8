"""Why a token is refused, in words: the rule, its place in the schema, the bytes so far.

The machine knows lexemes and frames; the front-end that made them says what they mean (`Describer`). The answer names the first byte of
the token that nothing allows and what was possible there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from structgen.machine.lexicon import Lexicon
    from structgen.machine.program import Program

_SHOWN = 4  # expectations listed
_CONTEXT = 60  # bytes of text shown before the token


class Probe(Protocol):
    """What these functions need of a matcher."""

    @property
    def program(self) -> Program: ...
    @property
    def lexicon(self) -> Lexicon: ...
    @property
    def stop_token_ids(self) -> frozenset[int]: ...
    @property
    def state_id(self) -> tuple[int, int]: ...
    def fork(self) -> Probe: ...
    def accept_token(self, token_id: int) -> bool: ...
    def accept_bytes(self, data: bytes) -> bool: ...
    def is_token_allowed(self, token_id: int) -> bool: ...
    def is_accepting(self) -> bool: ...
    def is_terminated(self) -> bool: ...
    def next_bytes(self) -> np.ndarray: ...


class Describer(Protocol):
    """What a front-end can say about a configuration: an expectation such as "a number of at least 0 (#/properties/age)"."""

    def describe(self, program: Program, q: int, k: int) -> str: ...


def explain(matcher: Probe, describer: Describer, token_id: int, token: bytes | None, so_far: bytes) -> str:
    """The sentence of `Matcher.explain`. token: its bytes, None if it has no text; so_far: the text accepted before."""
    shown = (
        "end of text"
        if token_id in matcher.stop_token_ids
        else repr(token.decode(errors="backslashreplace"))
        if token
        else "no text"
    )
    where = so_far[-_CONTEXT:].decode(errors="backslashreplace")
    head = f"token {token_id} ({shown}) after {where!r}"
    if matcher.is_token_allowed(token_id):
        return f"{head} is allowed"
    if matcher.is_terminated():
        return f"{head} is refused: the value is complete and nothing may follow"
    probe = matcher.fork()
    good = 0
    if token_id in matcher.stop_token_ids:
        reason = "the value is not complete"
    elif not token:
        reason = "the token is special or padding and stands for no text"
    else:
        while good < len(token) and probe.accept_bytes(token[good : good + 1]):
            good += 1
        reason = (
            f"byte {good} of the token, {token[good : good + 1].decode(errors='backslashreplace')!r}, is not possible"
        )
        if good:
            reason += f" after {token[:good].decode(errors='backslashreplace')!r}"
    return f"{head} is refused: {reason}; expected {_expected(probe, describer)}"


def _expected(matcher: Probe, describer: Describer) -> str:
    program = matcher.program
    sentences: list[str] = []
    for q, k in program.closed_configurations(*matcher.state_id):
        sentence = describer.describe(program, q, k)
        if sentence and sentence not in sentences:
            sentences.append(sentence)
    following = "".join(chr(b) if 32 <= b < 127 else "" for b in np.flatnonzero(matcher.next_bytes()))
    if not sentences:
        return f"one of the bytes {following!r}" if following else "the end of the text"
    more = len(sentences) - _SHOWN
    tail = f", or {more} more" if more > 0 else ""
    hint = f"; possible next: {following}" if 0 < len(following) <= 24 else ""
    return " or ".join(sentences[:_SHOWN]) + tail + hint


def forced_text(matcher: Probe, limit: int = 4096) -> bytes:
    """The bytes that must come next: as long as exactly one byte is possible and the value may not end."""
    probe = matcher.fork()
    out = bytearray()
    while len(out) < limit and not probe.is_accepting():
        possible = np.flatnonzero(probe.next_bytes())
        if len(possible) != 1:
            break
        byte = bytes(possible.astype(np.uint8))
        probe.accept_bytes(byte)
        out += byte
    return bytes(out)


def keep_unspanned(
    matcher: Probe, text: bytes, tokens: Sequence[int], token_bytes: Sequence[bytes | None]
) -> list[int]:
    """Drop trailing tokens of a forced text that a longer allowed token could span: the model may prefer that one.

    A token that starts with the rest of the text from some boundary on, goes beyond it and is allowed there, makes the cut at that
    boundary uncertain.
    """
    probe = matcher.fork()
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token_bytes[token] or b""))
    kept = len(tokens)
    for i, token in enumerate(tokens):
        if any(probe.is_token_allowed(t) for t in matcher.lexicon.longer_tokens(text[starts[i] :])):
            kept = i
            break
        if not probe.accept_token(token):
            kept = i
            break
    return list(tokens[:kept])
