"""The tokens of a grammar text in Lark's language.

In: the text. Out: tokens with their positions. A line that begins with `|` goes on with the rule before it, whatever blank lines and
comments stand between; every other end of a line ends a statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from structgen.syntax.lark.tree import Source

_TOKENS = [
    ("BLANK", r"(?:[ \t\f\r]|\\[ \t]*\r?\n)+"),
    ("COMMENT", r"(?://|#)[^\n]*"),
    ("STRING", r'"(?:\\.|[^"\\\n])*"i?'),
    ("REGEXP", r"/(?!/)(?:\\.|[^/\\])*/[imslux]*"),
    ("DIRECTIVE", r"%[a-z_]+"),
    ("TERMINAL", r"_*[A-Z][_A-Z0-9]*"),
    ("RULE", r"_*[a-z][_a-z0-9]*"),
    ("NUMBER", r"[+-]?[0-9]+"),
    ("TO", r"->"),
    ("DOTDOT", r"\.\."),
    ("PUNCTUATION", r"[:,.|(){}\[\]~+*?!]"),
]
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _TOKENS), re.DOTALL)
# Blank lines and comments: where a line ends, and whether the next one goes on.
_LINES = re.compile(r"(?:[ \t\f\r]*(?:(?://|#)[^\n]*)?\n)+(?:[ \t\f\r]*(?:(?://|#)[^\n]*)$)?[ \t\f\r]*")


@dataclass(frozen=True, slots=True)
class Token:
    """kind: the name of its pattern, the character itself for punctuation, "NL" for the end of a statement, "END" for that of the text."""

    kind: str
    text: str
    position: int


def scan(source: Source) -> list[Token]:
    """The tokens of a grammar text. Raises GrammarSyntaxError for what is no token.

    What follows `%json` is left to `Reader`, which reads it from the text: see `skip_to`.
    """
    text, position = source.text, 0
    out: list[Token] = []
    n = len(text)
    while position < n:
        c = text[position]
        if c == "\n":
            match = _LINES.match(text, position)
            after = match.end() if match else position + 1
            if not text.startswith("|", after) and out and out[-1].kind != "NL":
                out.append(Token("NL", "\n", position))
            position = after
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise _no_token(source, position)
        kind = match.lastgroup or ""
        if kind in ("BLANK", "COMMENT"):
            position = match.end()
            continue
        token = Token(match.group() if kind == "PUNCTUATION" else kind, match.group(), position)
        position = match.end()
        if kind in ("TERMINAL", "RULE"):
            following = text[position : position + 1]
            if following.isalnum() or following == "_":
                raise source.error(
                    f"{token.text + following!r}: a name is either all lower case (a rule) or all upper case (a terminal)",
                    token.position,
                )
        out.append(token)
        if token.text == "%json":
            end = _end_of_json(source, position)
            out.append(Token("JSON", text[position:end].strip(), position))
            position = end
    if out and out[-1].kind != "NL":
        out.append(Token("NL", "\n", n))
    out.append(Token("END", "", n))
    return out


def _end_of_json(source: Source, position: int) -> int:
    """Where the JSON value ends that begins at or after a position; braces in its strings do not count."""
    import json

    text = source.text
    while position < len(text) and text[position].isspace():
        position += 1
    try:
        return json.JSONDecoder().raw_decode(text, position)[1]
    except (ValueError, RecursionError) as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else position
        raise source.error(f"%json needs a JSON Schema: {error}", at) from error


def _no_token(source: Source, position: int) -> Exception:
    c = source.text[position]
    if c == '"':
        return source.error("this string is not closed on its line", position)
    if c == "/":
        return source.error("this regular expression is not closed", position)
    if c == "'":
        return source.error("strings stand in double quotes", position)
    return source.error(f"unexpected character {c!r}", position)
