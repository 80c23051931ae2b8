"""A JSON Schema as TypeScript-like types, for a reader.

In: a schema and the options that say how it is read. Out: `type` declarations, the root's first, then one for each schema that a
reference names, in the order in which they are mentioned; recursion is a name that occurs in its own declaration.

Objects, arrays, tuples, literals, unions and intersections are TypeScript's. What TypeScript has no form for is written as a comment
(bounds, patterns, formats, defaults) or as a type of a telling name: `Not<T>`, `Contains<T>` (an array with such an item),
`Matching<"pattern">` (names), and a condition is a union of its two ways. Descriptions are comments.

Limits: comments give the common constraints and no counts of dependent names. Members that stand where their type says they cannot
(`properties` beside `"type": "string"`) are left out.
"""

from __future__ import annotations

import json
import re
from typing import Any

from structgen.errors import LimitExceeded
from structgen.schema.keywords import check
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document, Location

_MAX_PLACES = 100_000  # subschemas rendered; one that stands in many places of the caller's dicts is rendered for each
_ATOM, _INTERSECTION, _UNION = range(3)  # how tightly a text binds
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_TAKEN = frozenset(
    "any boolean Contains Matching never Not null number object string type undefined unknown void".split()
)
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_OF_OBJECTS = (
    "properties",
    "required",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
)
_OF_ARRAYS = ("prefixItems", "items", "unevaluatedItems", "contains")
_NOTES = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "pattern {}",
    "format": "format {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minContains": "contains at least {}",
    "maxContains": "contains at most {}",
    "minProperties": "at least {} members",
    "maxProperties": "at most {} members",
    "default": "default {}",
}


def typescript(schema: Any, options: JsonOptions | None = None) -> str:
    """The declarations, without a line break at the end.

    schema: a dict, a boolean or JSON text. Raises SchemaError and its kinds for what is no schema, LimitExceeded for one that is too large
    or too deep.
    """
    document = Document(schema, options=options)
    check(document)
    try:
        return _Renderer(document).render()
    except RecursionError as error:
        raise LimitExceeded("the schema's nesting", "what can be rendered", hint="nest it less, or use $ref") from error


class _Renderer:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._names: dict[int, str] = {}  # of the root and of what references name, by location
        self._n_places = 0

    def render(self) -> str:
        root = self._document.root
        source = root.source if isinstance(root.source, dict) else {}
        self._name(root, str(source.get("title") or "Output"))
        blocks: list[str] = []
        while len(blocks) < len(self._names):
            number = list(self._names)[len(blocks)]
            place = self._document.at(number)
            text, _ = self._type(place, "")
            lead = "".join(f"// {line}\n" for line in _description(place).splitlines())
            blocks.append(f"{lead}type {self._names[number]} = {text};")
        return "\n\n".join(blocks)

    def _name(self, place: Location, wanted: str) -> str:
        if place.id not in self._names:
            name = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_") or "Type"
            name = f"_{name}" if name[0].isdigit() else name
            taken, unique, n = {*_TAKEN, *self._names.values()}, name, 2
            while unique in taken:
                unique, n = f"{name}{n}", n + 1
            self._names[place.id] = unique
        return self._names[place.id]

    def _reference(self, place: Location) -> str:
        source = place.source if isinstance(place.source, dict) else {}
        last = place.keys[-1] if place.keys and isinstance(place.keys[-1], str) else source.get("title")
        return self._name(place, str(last or "Type"))

    # -- types: (text, how tightly it binds) ---------------------------------------------------------------------------------------

    def _type(self, place: Location, indent: str) -> tuple[str, int]:
        self._n_places += 1
        if self._n_places > _MAX_PLACES:
            raise LimitExceeded("the schema's subschemas", _MAX_PLACES, hint="use $ref for what occurs often")
        schema, document = place.schema, self._document
        if isinstance(schema, bool):
            return ("any" if schema else "never"), _ATOM
        parts: list[tuple[str, int]] = []
        own = self._own(place, schema, indent)
        for keyword, resolve in (
            ("$ref", document.resolve),
            ("$dynamicRef", document.resolve_dynamic),
            ("$recursiveRef", document.resolve_recursive),
        ):
            if keyword in schema:
                parts.append((self._reference(resolve(place, schema[keyword])), _ATOM))
        parts += [self._inner(place, ("allOf", i), indent) for i in range(len(schema.get("allOf", ())))]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                branches = [self._inner(place, (keyword, i), indent) for i in range(len(schema[keyword]))]
                parts.append(_joined(branches, " | ", _UNION))
        if "if" in schema and ("then" in schema or "else" in schema):
            parts.append(self._condition(place, schema, indent))
        for name in schema.get("dependentSchemas", {}):
            text, level = self._inner(place, ("dependentSchemas", name), indent)
            parts.append((f"/* with {_literal(name)}: */ {_held(text, level, _ATOM)} | /* without: */ any", _UNION))
        if "not" in schema:
            parts.append((f"Not<{self._inner(place, ('not',), indent)[0]}>", _ATOM))
        if own is not None and (own[0] != "object" or not parts):
            parts.insert(0, own)
        text, level = _joined(parts, " & ", _INTERSECTION) if parts else ("any", _ATOM)
        notes = _notes(schema)
        return (f"{_held(text, level, _ATOM) if notes else text}{notes}", _ATOM if notes else level)

    def _inner(self, place: Location, keys: tuple[str | int, ...], indent: str) -> tuple[str, int]:
        """The type of a subschema that is no member: its description is a comment before it."""
        inner = self._document.child(place, *keys)
        text, level = self._type(inner, indent)
        words = " ".join(_description(inner).split())
        return (f"/* {_safe(words)} */ {text}" if words else text), level

    def _condition(self, place: Location, schema: dict[str, Any], indent: str) -> tuple[str, int]:
        condition = self._inner(place, ("if",), indent)
        either = [condition, self._inner(place, ("then",), indent)] if "then" in schema else [condition]
        holds = _joined(either, " & ", _INTERSECTION)
        fails = self._inner(place, ("else",), indent) if "else" in schema else ("any", _ATOM)
        return f"/* if */ {_held(*holds, _INTERSECTION)} | /* else */ {_held(*fails, _INTERSECTION)}", _UNION

    def _own(self, place: Location, schema: dict[str, Any], indent: str) -> tuple[str, int] | None:
        """What type, constants, members and items say; None where they say nothing."""
        given = schema.get("type")
        kinds: list[str] = [given] if isinstance(given, str) else list(given or ())
        has_object = any(_tells(schema, keyword) for keyword in _OF_OBJECTS)
        has_array = any(_tells(schema, keyword) for keyword in _OF_ARRAYS)
        structures = []
        if has_object and (not kinds or "object" in kinds):
            structures.append((self._object(place, schema, indent), _ATOM))
        if has_array and (not kinds or "array" in kinds):
            structures.append(self._array(place, schema, indent))
        if "const" in schema or "enum" in schema:
            values = [schema["const"]] if "const" in schema else schema["enum"]
            constants = _joined([(_literal(value), _ATOM) for value in values] or [("never", _ATOM)], " | ", _UNION)
            return (
                _joined([constants, _joined(structures, " | ", _UNION)], " & ", _INTERSECTION)
                if structures
                else constants
            )
        options = list(structures)
        if "object" in kinds and not has_object:
            options.append(("object", _ATOM))
        if "array" in kinds and not has_array:
            options.append(("any[]", _ATOM))
        scalars = dict.fromkeys(_SCALARS[kind] for kind in kinds if kind in _SCALARS)
        options += [(text, _ATOM) for text in scalars]
        return _joined(options, " | ", _UNION) if options else None

    def _object(self, place: Location, schema: dict[str, Any], indent: str) -> str:
        inside = indent + "  "
        required = schema.get("required", [])
        lines = []
        for name, member in self._document.members(place, "properties"):
            text, _ = self._type(member, inside)
            lines += [f"// {line}" for line in _description(member).splitlines()]
            lines.append(f"{_key(name)}{'' if name in required else '?'}: {text};")
        lines += [f"{_key(name)}: any;" for name in dict.fromkeys(required) if name not in schema.get("properties", {})]
        for pattern in schema.get("patternProperties", {}):
            text, _ = self._inner(place, ("patternProperties", pattern), inside)
            lines.append(f"[key: Matching<{_literal(pattern)}>]: {text};")
        rest = next(
            (
                word
                for word in ("additionalProperties", "unevaluatedProperties")
                if schema.get(word, False) is not False
            ),
            "",
        )
        names = self._inner(place, ("propertyNames",), inside)[0] if "propertyNames" in schema else "string"
        if rest:
            lines.append(f"[key: {names}]: {self._inner(place, (rest,), inside)[0]};")
        elif "propertyNames" in schema and schema.get("additionalProperties") is not False:
            lines.append(f"[key: {names}]: any;")
        return "{\n" + "".join(f"{inside}{line}\n" for line in lines) + indent + "}" if lines else "{}"

    def _array(self, place: Location, schema: dict[str, Any], indent: str) -> tuple[str, int]:
        prefix = [self._inner(place, ("prefixItems", i), indent) for i in range(len(schema.get("prefixItems", ())))]
        word = next((word for word in ("items", "unevaluatedItems") if word in schema), "")
        rest = "any[]"
        if word:
            text, level = self._inner(place, (word,), indent)
            rest = "" if schema[word] is False else f"{_held(text, level, _ATOM)}[]"
        elif schema.get("maxItems", len(prefix) + 1) <= len(prefix):
            rest = ""
        if prefix or not rest:
            needed = schema.get("minItems", 0)
            items = [_held(*item, _ATOM) + ("" if i < needed else "?") for i, item in enumerate(prefix)]
            rest = f"[{', '.join([*items, *([f'...{rest}'] if rest else [])])}]"
        if "contains" not in schema:
            return rest, _ATOM
        return f"{rest} & Contains<{self._inner(place, ('contains',), indent)[0]}>", _INTERSECTION


def _tells(schema: dict[str, Any], keyword: str) -> bool:
    """Whether a keyword adds something to the text."""
    value = schema.get(keyword)
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return keyword in schema  # `false` closes the object: `{}` says so, `object` would not
    return keyword in schema and value not in ([], {})


def _joined(parts: list[tuple[str, int]], separator: str, level: int) -> tuple[str, int]:
    if len(parts) == 1:
        return parts[0]
    return separator.join(_held(text, inner, level) for text, inner in parts), level


def _held(text: str, level: int, most: int) -> str:
    """The text in brackets if it binds more loosely than `most`, or if it begins with a comment that is about all of it."""
    return f"({text})" if level > most or (text.startswith("/*") and most < _UNION) else text


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else _literal(name)


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _description(place: Location) -> str:
    """What the author says of a place; beside a `$ref`, too, which hides its siblings in older drafts."""
    words = place.source.get("description") if isinstance(place.source, dict) else None
    return words.strip() if isinstance(words, str) else ""


def _notes(schema: dict[str, Any]) -> str:
    """The constraints that types do not show, as a comment."""
    types = schema.get("type")
    notes = ["integer"] if types == "integer" or (isinstance(types, list) and "integer" in types) else []
    for keyword, words in _NOTES.items():
        if keyword in schema:
            value = schema[keyword]
            notes.append(words.format(value if keyword == "format" else _literal(value)))
    if schema.get("uniqueItems") is True:
        notes.append("no item twice")
    for name, others in schema.get("dependentRequired", {}).items():
        if others:
            notes.append(f"{_literal(name)} needs {', '.join(map(_literal, others))}")
    return f" /* {_safe(', '.join(notes))} */" if notes else ""


def _safe(comment: str) -> str:
    """Text that does not end a comment; in a JSON string `\\/` is `/`."""
    return comment.replace("*/", "*\\/").replace("\n", " ")
