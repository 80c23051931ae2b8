"""Hypothesis strategies for schemas over the whole language, and values near a schema.

The alphabets are small, so that keywords meet: names a, b, c, ab; numbers from -1 to 6 and a few decimals; strings of at most three
characters; three levels of subschemas. References never lead back to the same value without going into it (such schemas are errors).

`schemas(draft, keywords)` draws a schema in the forms of a draft, with only the given keywords; `dense_schemas` draws one whose
keywords all speak of one object or array, and `DENSE_VALUES` are all objects or arrays that matter to it. `values_near(schema, random)`
gives values that the schema may be about: built along it, then changed in one place. `SMALL_VALUES` is a fixed list of small values
of every kind, shortest text first.

Turned down: a third-party generator of schemas (they avoid what is hard: references, `not`, what is unevaluated).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.schema.judge import dumps, equal

NAMES = ("a", "b", "c", "ab")
NUMBERS = (0, 1, 2, 3, -1, 6, Decimal("0.5"), Decimal("1.5"), Decimal("1.0"), Decimal("-0.25"), Decimal("0.01"))
STRINGS = ("", "a", "b", "ab", "c", "aa", "ba", "abc", "é", "\U0001f600", "2024-02-29", "1.2.3.4")
PATTERNS = ("^a", "b$", "^a*$", "^[ab]$", "^.$", "b", "^(ab|c)$", "^$", "^[^a]", "a.?", "^(?!a)", "..")
STEPS = (1, 2, 3, Decimal("0.5"), Decimal("1.5"), Decimal("0.01"))
FORMATS = ("date", "ipv4", "uuid", "no-such-format")
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")

DRAFTS = ("draft4", "draft6", "draft7", "draft2019-09", "draft2020-12")
_ORDER = {draft: number for number, draft in enumerate(DRAFTS)}
# keyword -> (first draft, last draft); the others are in all of them
_SINCE = {
    **dict.fromkeys(("const", "contains", "propertyNames"), ("draft6", "draft2020-12")),
    "if": ("draft7", "draft2020-12"),
    "dependencies": ("draft4", "draft7"),
    **dict.fromkeys(
        (
            "dependentRequired",
            "dependentSchemas",
            "minContains",
            "unevaluatedItems",
            "unevaluatedProperties",
            "$anchor",
        ),
        ("draft2019-09", "draft2020-12"),
    ),
    "$recursiveRef": ("draft2019-09", "draft2019-09"),
    **dict.fromkeys(("$dynamicRef",), ("draft2020-12", "draft2020-12")),
}
KINDS: dict[str, tuple[str, ...]] = {
    "any": ("const", "enum", "type"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": ("items", "prefixItems", "contains", "minContains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"),
    "object": (
        *("properties", "required", "patternProperties", "additionalProperties", "propertyNames", "minProperties"),
        *("maxProperties", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties"),
    ),
    "logic": ("allOf", "anyOf", "oneOf", "not", "if"),
    "references": ("$ref", "$anchor", "$dynamicRef", "$recursiveRef"),
}  # fmt: skip
KEYWORDS = frozenset(itertools.chain.from_iterable(KINDS.values()))


def keywords_of(draft: str, keywords: frozenset[str] = KEYWORDS) -> frozenset[str]:
    """Those of the keywords that a draft has."""
    here = _ORDER[draft]

    def known(keyword: str) -> bool:
        first, last = _SINCE.get(keyword, ("draft4", "draft2020-12"))
        return _ORDER[first] <= here <= _ORDER[last]

    return frozenset(filter(known, keywords))


# -- values -----------------------------------------------------------------------------------------------------------------------

scalars: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from((0, "a", 1, None, True, False)), st.sampled_from(NUMBERS), st.sampled_from(STRINGS)
)


@lru_cache(None)
def values(depth: int = 2) -> st.SearchStrategy[Any]:
    """Small JSON values with exact numbers."""
    if not depth:
        return scalars
    inner = values(depth - 1)
    return st.one_of(
        scalars,
        scalars,
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    )


def _small_values() -> tuple[Any, ...]:
    scalar = [None, True, False, 0, 1, 2, 3, -1, 6, Decimal("0.5"), Decimal("1.0"), Decimal("1.5"), *STRINGS[:8]]
    few = [None, True, 0, 1, Decimal("1.0"), "a", "", [], {}]
    lists: list[Any] = [[], *([one] for one in scalar), *([one, two] for one in few for two in few[:8])]
    lists += [[[]], [[1]], [{"a": 1}], [{"a": 1}, {"a": 1}], [1, 2, 3], [1, 2, 1], ["a", "b", "ab"], [0, 0, 0, 0]]
    lists += [[1, True, "a"], ["a", 1, None], [[1], [True], [1]], [1, 2, 3, "a"], [0, 1, 2, 3, 6], [[0], [0]]]
    objects: list[Any] = [{}, *({name: one} for name in NAMES for one in (*few, "ab", 2, Decimal("0.5")))]
    for names in itertools.combinations(NAMES, 2):
        objects += [
            dict(zip(names, pair, strict=True)) for pair in ((0, 0), (1, "a"), ("a", 1), (True, None), ([], {}))
        ]
    for names in itertools.combinations(NAMES, 3):
        objects += [dict(zip(names, three, strict=True)) for three in ((0, 1, 2), ("a", 1, "b"), (1, 1, 1))]
    objects += [dict.fromkeys(NAMES, 1), {"a": {"a": 1}}, {"a": [1, "a"]}, {"a": {"b": {}}}, {"": 1}, {"ba": 1, "x": 1}]
    objects += [
        {"a": {"a": {"a": {}}}},
        {"b": {"a": 1, "b": 1}},
        {"a": 1, "b": 1, "c": 1, "ab": 1, "x": 1},
        {"c": [[]]},
    ]
    return tuple(sorted([*scalar, *lists, *objects], key=lambda value: len(dumps(value))))


SMALL_VALUES = _small_values()


# -- schemas ----------------------------------------------------------------------------------------------------------------------


# strategies are made once: making them costs more than drawing from them
_integers = lru_cache(None)(st.integers)
_sampled = lru_cache(None)(st.sampled_from)


@lru_cache(None)
def _several(choices: tuple[Any, ...], low: int, high: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(_sampled(choices), min_size=low, max_size=high, unique=True)


_LISTED = st.lists(values(), min_size=1, max_size=4)


class _Maker:
    """Draws one schema; `here` names what a reference at the very value may lead to, below a value every definition may be named."""

    def __init__(self, draw: Callable[..., Any], draft: str, keywords: frozenset[str]) -> None:
        self.draw, self.draft = draw, draft
        self.keywords = keywords_of(draft, keywords)
        self.modern = _ORDER[draft] >= _ORDER["draft2019-09"]
        self.kinds = {kind: tuple(name for name in names if name in self.keywords) for kind, names in KINDS.items()}
        self.definitions = 0
        self.anchors = False
        self.dynamic = False

    def integer(self, low: int, high: int) -> int:
        return int(self.draw(_integers(low, high)))

    def one(self, choices: tuple[Any, ...]) -> Any:
        return self.draw(_sampled(choices))

    def some(self, choices: tuple[Any, ...], low: int, high: int) -> list[Any]:
        return list(self.draw(_several(choices, low, high)))

    # -- the whole

    def root(self) -> Any:
        if "$ref" in self.keywords:
            self.definitions = self.integer(0, 2)
            self.anchors = "$anchor" in self.keywords and self.integer(0, 3) == 0
            self.dynamic = "$dynamicRef" in self.keywords and self.integer(0, 5) == 0
        every = tuple(range(self.definitions))
        made = self.schema(3, every, root=True)
        if not self.definitions and not self.dynamic:
            return made
        if isinstance(made, bool) or (not self.modern and "$ref" in made):
            made = {"allOf": [made]} if made is not False or self.draft != "draft4" else {"not": {}}
        definitions = {}
        for number in every:
            inner = self.schema(2, every[number + 1 :])
            if self.anchors and isinstance(inner, dict):
                inner = {**inner, "$anchor": f"D{number}"}
            elif self.anchors:
                inner = {"$anchor": f"D{number}", "allOf": [inner]}
            definitions[f"d{number}"] = inner
        if self.definitions:
            made["$defs" if self.modern else "definitions"] = definitions
        if self.dynamic:
            made["$dynamicAnchor"] = "node"
        return made

    def schema(self, depth: int, here: tuple[int, ...], root: bool = False, kind: str = "") -> Any:
        if not kind and self.integer(0, 11) == 11:
            verdict = self.integer(0, 2) > 0
            return verdict if self.draft != "draft4" else ({} if verdict else {"not": {}})
        available = [name for name in ("any", "number", "string", "array", "object", "logic") if self.kinds[name]]
        if depth <= 0:
            available = [name for name in available if name not in ("array", "object", "logic")]
        if self.kinds["references"] and "$ref" in self.keywords and (here or not root) and (here or depth < 3):
            available.append("references")
        if not available:
            return True if self.draft != "draft4" else {}
        if not kind or kind not in available:
            kind = self.one(tuple(available))
        made: dict[str, Any] = {}
        if kind in ("number", "string", "array", "object") and "type" in self.keywords and self.integer(0, 2):
            made["type"] = kind if kind != "number" else self.one(("number", "integer"))
        for _ in range(self.integer(1, 3)):
            self.add(made, kind, depth, here, root)
        if kind != "references" and self.integer(0, 3) == 0:
            self.add(made, self.one(tuple(available)), depth, here, root)
        return made

    def add(self, made: dict[str, Any], kind: str, depth: int, here: tuple[int, ...], root: bool) -> None:
        """Add one keyword of a kind (or a few that belong together)."""
        if kind == "references":
            self.reference(made, here, root)
            return
        keyword = self.one(self.kinds[kind])
        below = lambda: self.below(depth)  # noqa: E731
        beside = lambda: self.schema(depth - 1, here, root, self.one(("", "", kind if kind != "logic" else "")))  # noqa: E731
        match keyword:
            case "const":
                made["const"] = self.draw(values())
            case "enum":
                listed = list(self.draw(_LISTED))
                if self.draft in ("draft4", "draft6"):  # no value twice there
                    listed = [one for i, one in enumerate(listed) if not any(equal(one, two) for two in listed[:i])]
                made["enum"] = listed
            case "type":
                made["type"] = self.one(TYPES) if self.integer(0, 2) else self.some(TYPES, 1, 3)
            case "minimum" | "maximum":
                made[keyword] = self.one(NUMBERS)
                if (
                    self.draft == "draft4"
                    and f"exclusive{keyword.title()}" in self.keywords
                    and self.integer(0, 2) == 0
                ):
                    made[f"exclusive{keyword.title()}"] = self.one((True, False))
            case "exclusiveMinimum" | "exclusiveMaximum":
                if self.draft == "draft4":
                    made[keyword] = True
                    made[keyword.removeprefix("exclusive").lower()] = self.one(NUMBERS)
                else:
                    made[keyword] = self.one(NUMBERS)
            case "multipleOf":
                made["multipleOf"] = self.one(STEPS)
            case "minLength" | "minItems" | "minProperties":
                made[keyword] = self.integer(0, 3)
            case "maxLength" | "maxItems" | "maxProperties":
                made[keyword] = self.integer(0, 3)
            case "pattern":
                made["pattern"] = self.one(PATTERNS)
            case "format":
                made["format"] = self.one(FORMATS)
            case "items":
                made["items"] = below()
                made.pop("additionalItems", None)
            case "prefixItems":
                prefix = [below() for _ in range(self.integer(1, 2))]
                if self.draft == "draft2020-12":
                    made["prefixItems"] = prefix
                else:
                    made["items"] = prefix
                    if self.integer(0, 1):
                        made["additionalItems"] = below()
            case "contains" | "minContains":
                made["contains"] = below()
                if "minContains" in self.keywords and self.integer(0, 2) == 0:
                    made["minContains"] = self.integer(0, 2)
                if "minContains" in self.keywords and self.integer(0, 2) == 0:
                    made["maxContains"] = self.integer(0, 2)
            case "uniqueItems":
                made["uniqueItems"] = self.integer(0, 4) > 0
            case "properties":
                made["properties"] = {name: below() for name in self.some(NAMES, 1, 3)}
            case "required":
                made["required"] = self.some(NAMES, 0 if self.draft != "draft4" else 1, 2)
            case "patternProperties":
                made["patternProperties"] = {pattern: below() for pattern in self.some(PATTERNS, 1, 2)}
            case "dependentRequired":
                made["dependentRequired"] = {name: self.some(NAMES, 0, 2) for name in self.some(NAMES, 1, 2)}
            case "dependentSchemas":
                made["dependentSchemas"] = {name: beside() for name in self.some(NAMES, 1, 2)}
            case "dependencies":
                low = 0 if self.draft != "draft4" else 1
                made["dependencies"] = {
                    name: self.some(NAMES, low, 2) if self.integer(0, 1) else beside()
                    for name in self.some(NAMES, 1, 2)
                }
            case "unevaluatedItems" | "unevaluatedProperties":
                made[keyword] = False if self.integer(0, 2) else below()
            case "additionalProperties" | "propertyNames":
                made[keyword] = below()
            case "allOf" | "anyOf" | "oneOf":
                made[keyword] = [beside() for _ in range(self.integer(1, 3))]
            case "not":
                made["not"] = beside()
            case "if":
                made["if"] = beside()
                if self.integer(0, 3):
                    made["then"] = beside()
                if self.integer(0, 1):
                    made["else"] = beside()

    def below(self, depth: int) -> Any:
        """A subschema for a member or an item."""
        return self.schema(depth - 1, tuple(range(self.definitions)))

    def reference(self, made: dict[str, Any], here: tuple[int, ...], root: bool) -> None:
        """A reference to a definition of `here`, or (below the root's value) to the root."""
        if not here or (not root and self.integer(0, 4) == 0 and len(here) == self.definitions):
            if root or len(here) != self.definitions:
                return  # it might lead back to the same value
            if self.dynamic:
                made["$dynamicRef"] = "#node"
            elif "$recursiveRef" in self.keywords and self.integer(0, 1):
                made["$recursiveRef"] = "#"
            else:
                made["$ref"] = "#"
            return
        number = self.one(here)
        place = f"/$defs/d{number}" if self.modern else f"/definitions/d{number}"
        made["$ref"] = f"#D{number}" if self.anchors and self.integer(0, 1) else f"#{place}"


@st.composite
def schemas(draw: Callable[..., Any], draft: str = "draft2020-12", keywords: frozenset[str] = KEYWORDS) -> Any:
    """A schema of a draft, of the given keywords (those of `KINDS`); numbers are ints and Decimals."""
    return _Maker(draw, draft, keywords).root()


@st.composite
def dynamic_schemas(draw: Callable[..., Any], keywords: frozenset[str] = KEYWORDS) -> Any:
    """2020-12: a list whose items are what `$dynamicRef` says, which the outer resource may define anew."""
    inner = draw(schemas("draft2020-12", keywords - set(KINDS["references"])))
    outer = draw(schemas("draft2020-12", keywords - set(KINDS["references"])))
    one_level = draw(st.booleans())
    default = {"$dynamicAnchor": "item", **(inner if isinstance(inner, dict) else {"allOf": [inner]})}
    override = {"$dynamicAnchor": "item", **(outer if isinstance(outer, dict) else {"allOf": [outer]})}
    if draw(st.integers(0, 3)) == 0:
        override.pop("$dynamicAnchor")
    lists = {
        "$id": "https://example.test/list",
        "items": {"$dynamicRef": "#item"},
        "minItems": 1,
        "$defs": {"item": default},
    }
    return {
        "$id": "https://example.test/root",
        **({"$ref": "list"} if one_level else {"properties": {"a": {"$ref": "list"}}, "required": ["a"]}),
        "$defs": {"list": lists, "item": override},
    }


_LEAVES: tuple[dict[str, Any], ...] = (
    {"const": 1},
    {"type": "string"},
    {"minimum": 2},
    {"enum": [1, "a"]},
    {"not": {"const": "a"}},
    {"maxLength": 0},
    {"multipleOf": 2},
)
_DENSE = {
    "object": (*KINDS["object"], "properties", "required", *KINDS["logic"], "anyOf", "oneOf", "not"),
    "array": (*KINDS["array"], "contains", "prefixItems", *KINDS["logic"], "anyOf", "oneOf", "not"),
}


class _DenseMaker(_Maker):
    """Draws schemas that all speak of one value, an object or an array of scalars: many keywords at once, and logic over them."""

    def __init__(self, draw: Callable[..., Any], draft: str, keywords: frozenset[str], kind: str) -> None:
        super().__init__(draw, draft, keywords)
        self.kind = kind
        dense = tuple(name for name in _DENSE[kind] if name in self.keywords)
        self.kinds = {**self.kinds, kind: dense, "logic": (), "references": ()}

    def schema(self, depth: int, here: tuple[int, ...], root: bool = False, kind: str = "") -> Any:
        if depth <= 1:
            return self.leaf()
        made: dict[str, Any] = {"type": self.kind} if root or self.integer(0, 3) else {}
        for _ in range(self.integer(1, 4)):
            self.add(made, self.kind, depth, here, False)
        return made

    def leaf(self) -> Any:
        if self.integer(0, 3) == 0 and self.draft != "draft4":
            return self.integer(0, 1) == 1
        leaf = _LEAVES[self.integer(0, len(_LEAVES) - 1)]
        return leaf if self.draft != "draft4" or "const" not in dumps(leaf) else {"enum": [1]}

    def below(self, depth: int) -> Any:
        return self.leaf()


@st.composite
def dense_schemas(
    draw: Callable[..., Any], kind: str, draft: str = "draft2020-12", keywords: frozenset[str] = KEYWORDS
) -> Any:
    """A schema of many keywords that meet on one value of a kind, "object" or "array"; its members or items are scalars."""
    return _DenseMaker(draw, draft, keywords, kind).schema(3, (), root=True)


def _dense_values(kind: str) -> tuple[Any, ...]:
    if kind == "array":
        return tuple(list(items) for size in range(5) for items in itertools.product((1, "a", 2), repeat=size))
    choices = itertools.product((None, 1, "a", 2), repeat=4)
    return tuple({name: value for name, value in zip(NAMES, row, strict=True) if value is not None} for row in choices)


# every object of the names with few scalars, every array of them up to four items
DENSE_VALUES = {kind: _dense_values(kind) for kind in ("object", "array")}


# -- values near a schema -----------------------------------------------------------------------------------------------------------

_EXAMPLES = {"date": "2024-02-29", "ipv4": "1.2.3.4", "uuid": "01234567-89ab-cdef-0123-456789abcdef"}
_WORDS = {
    "^a": "ab", "b$": "ab", "^a*$": "aa", "^[ab]$": "b", "^.$": "c", "b": "abc", "^(ab|c)$": "ab", "^$": "", "^[^a]": "ba", "a.?": "a",
    "^(?!a)": "b", "..": "ab",
}  # fmt: skip


def constants(schema: Any) -> Iterator[Any]:
    """Every value that stands in a schema: of `const` and `enum`, and the numbers and strings near others."""
    if isinstance(schema, list):
        for inner in schema:
            yield from constants(inner)
    elif isinstance(schema, dict):
        for keyword, value in schema.items():
            if keyword == "const":
                yield value
            elif keyword == "enum":
                yield from value
            elif keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
                if not isinstance(value, bool):
                    yield from (value, value + 1, value - 1, value * 2, value + Decimal("0.5"))
            elif keyword == "format":
                yield _EXAMPLES.get(value, "a")
            elif keyword == "pattern":
                yield _WORDS.get(value, "a")
            elif keyword not in ("required", "type"):
                yield from constants(list(value.values()) if isinstance(value, dict) else value)
                yield from constants(value)


class _Builder:
    """Builds values along a schema: most satisfy much of it."""

    def __init__(self, schema: Any, random: Random) -> None:
        self.root, self.random = schema, random
        self.pool = list(constants(schema)) or [0]

    def value(self, schema: Any, depth: int) -> Any:
        random = self.random
        if isinstance(schema, bool) or depth <= 0 or not schema:
            return random.choice(self.pool) if random.random() < 0.5 else random.choice(SMALL_VALUES[:40])
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return random.choice(schema["enum"])
        parts = [schema]
        for part in parts:  # which grows meanwhile
            if len(parts) < 30:
                parts += self.beside(part)
        parts = [part for part in parts if isinstance(part, dict)]
        fixed = [part["const"] for part in parts if "const" in part]
        fixed += [random.choice(part["enum"]) for part in parts if "enum" in part]
        if fixed and random.random() < 0.7:
            return random.choice(fixed)
        types = [name for part in parts for name in _types(part)]
        kind = random.choice(types or list(TYPES))
        match kind:
            case "object":
                return self.object(parts, depth)
            case "array":
                return self.array(parts, depth)
            case "string":
                words = [value for value in self.pool if isinstance(value, str)]
                words += [_WORDS[part["pattern"]] for part in parts if part.get("pattern") in _WORDS]
                words += [_EXAMPLES[part["format"]] for part in parts if part.get("format") in _EXAMPLES]
                return random.choice([*words, *STRINGS])
            case "null":
                return None
            case "boolean":
                return random.random() < 0.5
        near = [value for value in self.pool if isinstance(value, (int, Decimal)) and not isinstance(value, bool)]
        return random.choice([*near, *NUMBERS])

    def beside(self, schema: Any) -> list[Any]:
        """Some of the subschemas that apply to the same value."""
        random = self.random
        if not isinstance(schema, dict):
            return []
        out = list(schema.get("allOf", ()))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                out.append(random.choice(schema[keyword]))
        if "if" in schema and random.random() < 0.7:
            out += [schema["if"], schema.get("then", True)] if random.random() < 0.6 else [schema.get("else", True)]
        out += [inner for inner in schema.get("dependentSchemas", {}).values() if random.random() < 0.5]
        reference = schema.get("$ref")
        if reference is not None and random.random() < 0.9:
            out.append(self.target(reference))
        return out

    def target(self, reference: str) -> Any:
        if reference == "#":
            return self.root
        name = "d" + reference[-1]
        root = self.root if isinstance(self.root, dict) else {}
        return (root.get("$defs") or root.get("definitions") or {}).get(name, True)

    def object(self, parts: list[dict[str, Any]], depth: int) -> Any:
        random = self.random
        wanted = [name for part in parts for name in part.get("required", ())]
        wanted += [name for part in parts for name in part.get("properties", {}) if random.random() < 0.6]
        least = max((part.get("minProperties", 0) for part in parts), default=0)
        for part in parts:
            for name, more in part.get("dependentRequired", {}).items():
                if name in wanted and random.random() < 0.8:
                    wanted += more
        while len(set(wanted)) < least or random.random() < 0.2:
            wanted.append(random.choice((*NAMES, "ba", "x", "")))
        random.shuffle(wanted)
        made = {}
        for name in wanted:
            inner = [part["properties"][name] for part in parts if name in part.get("properties", {})]
            inner += [value for part in parts for value in part.get("patternProperties", {}).values() if not inner]
            inner += [part[key] for part in parts for key in _REST if key in part and not inner]
            made[name] = self.value(random.choice(inner) if inner else True, depth - 1)
        return made

    def array(self, parts: list[dict[str, Any]], depth: int) -> Any:
        random = self.random
        least = max((part.get("minItems", 0) for part in parts), default=0)
        most = min((part.get("maxItems", 3) for part in parts), default=3)
        length = random.randint(least, max(least, most))
        prefix = next((part["prefixItems"] for part in parts if "prefixItems" in part), [])
        items: list[Any] = [part["items"] for part in parts if "items" in part]
        for listed in [part for part in items if isinstance(part, list)]:
            prefix, items = listed, [part["additionalItems"] for part in parts if "additionalItems" in part]
        items += [part["contains"] for part in parts if "contains" in part]
        items += [part["unevaluatedItems"] for part in parts if "unevaluatedItems" in part]
        return [
            self.value(prefix[i] if i < len(prefix) else random.choice(items) if items else True, depth - 1)
            for i in range(length)
        ]


_REST = ("additionalProperties", "unevaluatedProperties")


def _types(part: dict[str, Any]) -> list[str]:
    """The kinds of value that a subschema is about, by its type or by its keywords."""
    if "type" in part:
        return [part["type"]] * 3 if isinstance(part["type"], str) else list(part["type"])
    return [kind for kind in ("number", "string", "array", "object") for keyword in KINDS[kind] if keyword in part]


def mutated(value: Any, random: Random, pool: list[Any]) -> Any:
    """The value with one change somewhere."""
    other = lambda: random.choice(pool) if pool and random.random() < 0.5 else random.choice(SMALL_VALUES[:60])  # noqa: E731
    if isinstance(value, list) and value and random.random() < 0.8:
        index = random.randrange(len(value))
        match random.randrange(5):
            case 0:
                return [*value[:index], *value[index + 1 :]]
            case 1:
                return [*value, random.choice(value)]
            case 2:
                return [*value, other()]
            case 3:
                return value[::-1]
        return [*value[:index], mutated(value[index], random, pool), *value[index + 1 :]]
    if isinstance(value, dict) and value and random.random() < 0.8:
        name = random.choice(list(value))
        match random.randrange(4):
            case 0:
                return {key: inner for key, inner in value.items() if key != name}
            case 1:
                return {**value, random.choice((*NAMES, "ba", "", "x")): other()}
            case 2:
                fresh = random.choice((*NAMES, "ba"))
                return {fresh if key == name else key: inner for key, inner in value.items()}
        return {**value, name: mutated(value[name], random, pool)}
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and random.random() < 0.6:
        return random.choice((value + 1, value - 1, -value, Decimal(value) / 2, Decimal(value) + Decimal("0.01")))
    if isinstance(value, str) and random.random() < 0.6:
        return random.choice((value + "a", value[1:], value + "b", value[:-1], "b" + value))
    return other()


def values_near(schema: Any, random: Random, count: int) -> list[Any]:
    """Values built along a schema, half of them changed in one place."""
    builder = _Builder(schema, random)
    out = []
    for number in range(count):
        value = builder.value(schema, 4)
        out.append(mutated(value, random, builder.pool) if number % 2 else value)
    return out
