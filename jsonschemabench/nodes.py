"""Parts of schemas that know their own values: a `Node` is a schema, a maker of valid values and a maker of wrong ones.

In: small descriptions of fields (`field`) and combinators (`record`, `items`, `either`, ...). Out: nodes, from which make_bundled
builds the bundled set. A wrong value differs from a valid one in one place; whether it is wrong indeed is for the validators to say,
since a value that breaks one branch of `anyOf` may fit another.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

__all__ = ["Node", "described", "either", "field", "items", "mapping", "nullable", "record", "referred"]

Maker = Callable[[Random], Any]

WORDS = tuple(
    """amber basin cedar delta ember fjord grove harbour inlet juniper kettle lantern meadow nectar orchard pebble quarry river
    saddle timber umbrella valley willow yarrow zephyr anchor bridge canyon drift engine falcon garden hollow island""".split()
)
SURNAMES = tuple(
    "Abara Bergström Castell Dupont Eriksen Farrow Göğüş Hálek Ivanova Jansen Kovač Łukasik Moreau Nakata".split()
)

# name: (pattern, maker of a text that fits, a text that does not)
PATTERNS: dict[str, tuple[str, Maker, str]] = {
    "slug": ("^[a-z0-9]+(-[a-z0-9]+)*$", lambda r: f"{r.choice(WORDS)}-{r.randint(1, 99)}", "Not A Slug"),
    "code": ("^[A-Z]{3}-[0-9]{4}$", lambda r: f"{''.join(r.choices(string.ascii_uppercase, k=3))}-{r.randint(0, 9999):04}", "AB-12"),
    "version": (r"^\d+\.\d+\.\d+$", lambda r: f"{r.randint(0, 9)}.{r.randint(0, 20)}.{r.randint(0, 9)}", "v1"),
    "colour": ("^#[0-9a-fA-F]{6}$", lambda r: f"#{r.randrange(1 << 24):06x}", "#12345g"),
    "quantity": ("^[0-9]+(m|Mi|Gi)?$", lambda r: f"{r.randint(1, 900)}{r.choice(('m', 'Mi', 'Gi', ''))}", "1.5 GB"),
    "clock": ("^([01][0-9]|2[0-3]):[0-5][0-9]$", lambda r: f"{r.randint(0, 23):02}:{r.randint(0, 59):02}", "24:00"),
    "duration": ("^[0-9]+(ms|s|m|h)$", lambda r: f"{r.randint(1, 600)}{r.choice(('ms', 's', 'm', 'h'))}", "ten seconds"),
    "label": ("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", lambda r: f"{r.choice(WORDS)}-{r.choice(WORDS)}", "-edge-"),
    "path": ("^(/[A-Za-z0-9._-]+)+$", lambda r: f"/{r.choice(WORDS)}/{r.choice(WORDS)}.txt", "no/leading"),
    "phone": (r"^\+[1-9][0-9]{7,14}$", lambda r: f"+{r.randint(10**9, 10**12)}", "0800 CALL"),
    "token": ("^[A-Za-z0-9_]{8,24}$", lambda r: "".join(r.choices(string.ascii_letters, k=r.randint(8, 20))), "short"),
}  # fmt: skip
FORMATS: dict[str, tuple[Maker, str]] = {
    "date": (lambda r: f"{r.randint(1970, 2035)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}", "2024-13-01"),
    "date-time": (
        lambda r: (
            f"20{r.randint(10, 35)}-0{r.randint(1, 9)}-1{r.randint(0, 9)}T{r.randint(10, 23)}:{r.randint(10, 59)}:00Z"
        ),
        "yesterday",
    ),
    "time": (lambda r: f"{r.randint(10, 23)}:{r.randint(10, 59)}:{r.randint(10, 59)}Z", "25:00:00Z"),
    "email": (lambda r: f"{r.choice(WORDS)}.{r.choice(WORDS)}@example.org", "nobody at example"),
    "uuid": (
        lambda r: (
            f"{r.randrange(1 << 32):08x}-{r.randrange(1 << 16):04x}-4{r.randrange(1 << 12):03x}-a{r.randrange(1 << 12):03x}"
            f"-{r.randrange(1 << 48):012x}"
        ),
        "1234-5678",
    ),
    "uri": (lambda r: f"https://example.org/{r.choice(WORDS)}/{r.randint(1, 999)}", "not a uri"),
    "ipv4": (lambda r: ".".join(str(r.randint(1, 254)) for _ in range(4)), "10.0.0.256"),
    "hostname": (lambda r: f"{r.choice(WORDS)}.example.org", "-bad-.example"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A schema with makers of values: `valid` ones fit it, `wrong` ones break it in one place."""

    schema: dict[str, Any]
    valid: Maker
    wrong: Maker


def described(node: Node, text: str) -> Node:
    """The same values with a description."""
    return Node({**node.schema, "description": text}, node.valid, node.wrong)


def _other_type(schema: Mapping[str, Any], random: Random) -> Any:
    """A value of a type that the schema does not name."""
    kinds = schema.get("type", [])
    named = [kinds] if isinstance(kinds, str) else list(kinds)
    samples: list[tuple[str, Any]] = [
        ("string", "wrong"),
        ("integer", 7),
        ("boolean", True),
        ("array", []),
        ("object", {}),
    ]
    free = [v for kind, v in samples if kind not in named and not (kind == "integer" and "number" in named)]
    return random.choice(free)


def field(text: str) -> Node:
    """A leaf from a description of one line; a `?` at the end lets it be null.

    text [MIN MAX]      words            int LO HI [STEP]    num LO HI        flag
    enum A|B|C          pattern NAME     format NAME         const VALUE      any
    list LEAF           an array of leaves               set LEAF      the same without repetition
    """
    if text.endswith("?"):
        return nullable(field(text[:-1].rstrip()))
    kind, _, rest = text.partition(" ")
    words = rest.split()
    if kind == "text":
        return _text(*(int(word) for word in words))
    if kind == "int":
        return _integer(*(int(word) for word in words))
    if kind == "num":
        return _number(float(words[0]), float(words[1]))
    if kind == "flag":
        return Node({"type": "boolean"}, lambda r: r.random() < 0.5, lambda r: r.choice(("yes", 1, "true")))
    if kind == "enum":
        values = rest.split("|")
        return Node({"type": "string", "enum": values}, lambda r: r.choice(values), lambda r: r.choice(values) + "X")
    if kind == "const":
        return Node({"const": rest}, lambda r: rest, lambda r: rest + "2")
    if kind == "pattern":
        pattern, maker, bad = PATTERNS[rest]
        return Node({"type": "string", "pattern": pattern}, maker, lambda r: r.choice((bad, 5)))
    if kind == "format":
        maker, bad = FORMATS[rest]
        return Node({"type": "string", "format": rest}, maker, lambda r: r.choice((bad, 12)))
    if kind == "any":
        return Node({}, lambda r: r.choice((r.choice(WORDS), r.randint(0, 9), None, [1, 2])), lambda r: None)
    if kind in ("list", "set"):
        return items(field(rest), 0, 3, unique=kind == "set")
    raise ValueError(f"no kind of field {kind!r} in {text!r}")


def _text(least: int = 0, most: int = 0) -> Node:
    schema: dict[str, Any] = {"type": "string"}
    if least:
        schema["minLength"] = least
    if most:
        schema["maxLength"] = most

    def valid(random: Random) -> str:
        made = " ".join(random.choice((*WORDS, *SURNAMES)) for _ in range(random.randint(1, 3))).capitalize()
        return (made[:most].rstrip() if most else made).ljust(least, "x")

    def wrong(random: Random) -> Any:
        if most and random.random() < 0.5:
            return "x" * (most + 1)
        return "" if least else random.choice((3, False, ["text"]))

    return Node(schema, valid, wrong)


def _integer(low: int, high: int, step: int = 1) -> Node:
    schema: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": high}
    if step > 1:
        schema["multipleOf"] = step
    first = -(-low // step)

    def wrong(random: Random) -> Any:
        return random.choice([high + step, low - step, "12", low + 0.5, *([first * step + 1] if step > 1 else [])])

    return Node(schema, lambda r: r.randint(first, high // step) * step, wrong)


def _number(low: float, high: float) -> Node:
    plain = [int(x) if x == int(x) else x for x in (low, high)]
    schema = {"type": "number", "minimum": plain[0], "maximum": plain[1]}
    return Node(schema, lambda r: round(r.uniform(low, high), 2), lambda r: r.choice((high + 0.5, low - 1, "1.0")))


def nullable(node: Node) -> Node:
    """The node's values or null."""
    kind = node.schema.get("type")
    if isinstance(kind, str) and "enum" not in node.schema:
        schema = {**node.schema, "type": [kind, "null"]}
    else:
        schema = {"anyOf": [node.schema, {"type": "null"}]}
    return Node(schema, lambda r: None if r.random() < 0.3 else node.valid(r), node.wrong)


def items(node: Node, low: int = 0, high: int | None = None, *, unique: bool = False) -> Node:
    """An array of `low` to `high` values of a node; None: no bound in the schema, and few in the values."""
    schema: dict[str, Any] = {"type": "array", "items": node.schema}
    if low:
        schema["minItems"] = low
    if high is not None:
        schema["maxItems"] = high
    if unique:
        schema["uniqueItems"] = True
    most = min(3, high) if high is not None else 3

    def valid(random: Random) -> list[Any]:
        made: list[Any] = []
        for _ in range(random.randint(low, max(low, most)) * (4 if unique else 1)):
            value = node.valid(random)
            if not unique or value not in made:
                made.append(value)
        return made[: max(low, most)] if unique else made

    def wrong(random: Random) -> Any:
        made = [node.valid(random) for _ in range(max(low, 1))]
        if unique and random.random() < 0.4:
            return [made[0], made[0]]
        if low and random.random() < 0.3:
            return made[: low - 1]
        if high is not None and random.random() < 0.2:
            return (made * (high + 1))[: high + 1]
        return _other_type(schema, random) if random.random() < 0.2 else [*made[:-1], node.wrong(random)]

    return Node(schema, valid, wrong)


def record(
    members: Mapping[str, Node],
    required: Sequence[str] = (),
    *,
    closed: bool = False,
    share: float = 0.5,
    more: Mapping[str, Any] | None = None,
) -> Node:
    """An object. Keys of its values come in the schema's order; `share` of the optional ones are there.

    closed: `additionalProperties` is false. more: further keywords; the values must fit them without help.
    """
    schema: dict[str, Any] = {"type": "object", "properties": {name: node.schema for name, node in members.items()}}
    if required:
        schema["required"] = [name for name in members if name in required]
    if closed:
        schema["additionalProperties"] = False
    schema |= more or {}

    def valid(random: Random) -> dict[str, Any]:
        return {
            name: node.valid(random) for name, node in members.items() if name in required or random.random() < share
        }

    def wrong(random: Random) -> Any:
        made = valid(random)
        roll = random.random()
        if roll < 0.1:
            return _other_type(schema, random)
        if required and roll < 0.3:
            made.pop(random.choice(list(required)))
            return made
        if closed and roll < 0.45:
            return {**made, "unexpected_key": 1}
        broken = random.choice(list(made) or list(members))
        return {**made, broken: members[broken].wrong(random)}

    return Node(schema, valid, wrong)


def mapping(node: Node, keys: str = "", low: int = 0) -> Node:
    """An object with free names. keys: a name of PATTERNS that the names fit, "" for any name."""
    schema: dict[str, Any] = {"type": "object"}
    if keys:
        schema |= {"patternProperties": {PATTERNS[keys][0]: node.schema}, "additionalProperties": False}
    else:
        schema["additionalProperties"] = node.schema
    if low:
        schema["minProperties"] = low
    name = PATTERNS[keys][1] if keys else (lambda r: f"{r.choice(WORDS)}_{r.randint(1, 99)}")

    def wrong(random: Random) -> Any:
        if keys and random.random() < 0.5:
            return {PATTERNS[keys][2]: node.valid(random)}
        return {name(random): node.wrong(random)}

    return Node(schema, lambda r: {name(r): node.valid(r) for _ in range(r.randint(max(1, low), 3))}, wrong)


def either(keyword: str, *nodes: Node) -> Node:
    """`anyOf` or `oneOf` of nodes."""
    return Node(
        {keyword: [n.schema for n in nodes]}, lambda r: r.choice(nodes).valid(r), lambda r: r.choice(nodes).wrong(r)
    )


def referred(name: str, node: Node, place: str = "definitions") -> Node:
    """A reference to a node that the root keeps under `place`."""
    return Node({"$ref": f"#/{place}/{name}"}, node.valid, node.wrong)
