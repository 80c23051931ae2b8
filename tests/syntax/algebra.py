"""Random constraints and what they mean: an oracle by spans of a text, with `re` and `json`, that knows nothing of automata."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from structgen.syntax import constraints as c

ALPHABET = 'ab,"1'
SCHEMAS: list[Any] = [{"type": "integer", "minimum": 1}, {"enum": ["a", "b,"]}, {"type": "string", "maxLength": 1}]
PATTERNS = ["a+", "b?a", "[ab]*,", "1|11", "(?:ab)*", "a{1,2}b?"]


def _is_json(schema: Any, text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    if "enum" in schema:
        return value in schema["enum"] and json.dumps(value) == text
    if schema["type"] == "string":
        return isinstance(value, str) and len(value) <= 1
    return isinstance(value, int) and str(value) == text and value >= 1


class Meaning:
    """Where each part of a constraint can end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.known: dict[tuple[int, int], set[int]] = {}

    def accepts(self, one: c.Constraint) -> bool:
        return len(self.text) in self.ends(one, 0)

    def ends(self, one: c.Constraint, i: int) -> set[int]:
        key = (id(one), i)
        if key not in self.known:
            self.known[key] = self._ends(one, i)
        return self.known[key]

    def _ends(self, one: c.Constraint, i: int) -> set[int]:
        text = self.text
        places = range(i, len(text) + 1)
        if isinstance(one, c.Text):
            return {j for j in places if text[i:j] == one.text}
        if isinstance(one, c.Words):
            return {j for j in places if text[i:j] in one.texts}
        if isinstance(one, c.Pattern):
            return {j for j in places if re.fullmatch(one.pattern, text[i:j])}
        if isinstance(one, c.JsonValue):
            return {j for j in places if _is_json(one.target, text[i:j])}
        if isinstance(one, c.FreeText):
            return {j for j in places if _is_free(one, text[i:j])}
        if isinstance(one, c.Named):
            return self.ends(one.body, i)
        if isinstance(one, c.Both):
            return self.ends(one.left, i) & self.ends(one.right, i)
        if isinstance(one, c.OneOf):
            return set().union(*(self.ends(option, i) for option in one.options))
        if isinstance(one, c.InSequence):
            reached = {i}
            for part in one.parts:
                reached = set().union(*(self.ends(part, j) for j in reached))
            return reached
        assert isinstance(one, c.Repeated)
        found: set[int] = set()
        reached = {i}
        for n in range(len(text) + one.least + 2):
            if n >= one.least:
                found |= reached
            if n == one.most:
                break
            if n and one.separator is not None:
                reached = set().union(*(self.ends(one.separator, j) for j in reached))
            reached = set().union(*(self.ends(one.body, j) for j in reached))
        return found


def _is_free(one: c.FreeText, text: str) -> bool:
    before = text.removesuffix(one.ends) if one.ends else text
    if one.ends and not text.endswith(one.ends):
        return False
    if any(trigger in (text[:-1] if one.ends else text) for trigger in one.triggers):
        return False
    return len(before) >= one.least


def random_constraint(random: Random, depth: int = 3, *, regular: bool = False) -> c.Constraint:
    draw = random.random()
    if depth == 0 or draw < 0.3:
        kind = random.randrange(4 if regular else 5)
        if kind == 0:
            return c.literal("".join(random.choices(ALPHABET, k=random.randrange(3))))
        if kind == 1:
            return c.regex(random.choice(PATTERNS))
        if kind == 2:
            return c.choice(["".join(random.choices(ALPHABET, k=random.randrange(3))) for _ in range(3)])
        if kind == 3:
            trigger = random.choice(["a", ",", "ab", "aa", "1,"])
            least = random.randrange(2)
            return random.choice(
                [lambda: c.text_until(trigger, least=least), lambda: c.free_text(without=[trigger], least=least)]
            )()
        return c.json_schema(random.choice(SCHEMAS))
    inner = [random_constraint(random, depth - 1, regular=regular) for _ in range(2)]
    if draw < 0.6:
        return inner[0] + inner[1]
    if draw < 0.8:
        return inner[0] | inner[1]
    least = random.randrange(3)
    most = random.choice([None, least, least + 1, least + 3])
    separator = random.choice([None, ",", c.literal("a") | "b"])
    return inner[0].repeated(least, most, separator=separator)
