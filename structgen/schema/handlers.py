"""What every keyword must look like, and which subschemas it brings in: one function per keyword.

In: a `Pass` set on a subschema, and the value of a keyword in its view. Out: nothing, or a `SchemaError` or `RegexError` that names the
place; the subschemas to visit are left on the stack of the pass. `keywords` runs the pass.

Subschemas that apply to the same value as the one at hand are noted as well, so that loops can be found. Values (`const`, `enum`,
`default`, `examples`) are data and not looked into as schemas.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import Any

from structgen.errors import LimitExceeded, RegexError, SchemaError
from structgen.schema.constants import MAX_VALUE_DEPTH, TYPE_BITS, exact
from structgen.schema.dialects import CONTENT_PATTERNS, written_keys
from structgen.schema.references import Document, Keys, Resource, Target, kind_name, pointer_of
from structgen.schema.strings import FORMATS, check_pattern

# a place on the stack: parent place (None at the root), path from the parent, depth
Place = tuple[Any, Keys, int]
_PLAIN_KEYWORDS = frozenset({"type", "title", "description", "default", "examples"})
_warned: set[tuple[str, str]] = set()


class ScopesNeeded(Exception):
    """A dynamic reference is reached and the document does not follow scopes yet."""


class Pass:
    """State of one pass; `schema` and what follows it describe the subschema at hand."""

    __slots__ = (
        "document",
        "edges",
        "has_references",
        "place",
        "resource",
        "schema",
        "source",
        "stack",
        "thorough",
        "views",
    )

    def __init__(self, document: Document, *, thorough: bool = False) -> None:
        self.document = document
        self.stack: list[tuple[Any, Resource, Place]] = []
        # subschemas that apply to the same value: place, and the identities of the subschemas
        self.edges: dict[Hashable, tuple[Place, list[Hashable]]] = {}
        self.has_references = False
        self.views: list[dict[str, Any]] = []  # kept, as subschemas are known by their identity
        self.thorough = thorough  # visit even the plainest subschemas
        self.schema: dict[str, Any] = {}
        self.source: dict[str, Any] = {}
        self.resource = document.root_resource
        self.place: Place = (None, (), 0)

    def push(self, value: Any, *keys: str | int) -> None:
        """Look at a subschema later; at once, if it is of the plainest kind."""
        if not self.thorough and _is_plain(value):
            return
        place = self.place
        if self.source is not self.schema:
            keys = written_keys(self.source, keys)
        self.stack.append((value, self.resource, (place, keys, place[2] + 1)))

    def joins(self, target: Any, resource: Resource | None = None) -> None:
        """Note that a subschema applies to the same value as the one at hand. resource: where it stands, None = here."""
        own, other = id(self.source), id(target)
        if self.resource.scope is None:
            self.edges.setdefault(own, (self.place, []))[1].append(other)
            return
        if resource is None:
            resource = self.resource
        if isinstance(target, dict):
            resource = self.document.enter(target, resource, self.path())
        self.edges.setdefault((own, id(self.resource)), (self.place, []))[1].append((other, id(resource)))

    def push_joined(self, value: Any, *keys: str | int) -> None:
        """Look later at a subschema that applies to the same value as the one at hand."""
        self.joins(value)
        self.push(value, *keys)

    def path(self) -> Keys:
        return path_of(self.place)

    def pointer(self, *keys: str | int) -> str:
        return pointer_of(path_of(self.place) + written_keys(self.source, keys))

    def wrong(self, keyword: str, wanted: str) -> SchemaError:
        value = self.schema[keyword]
        shown = f": {value!r}" if isinstance(value, (str, int, float, Decimal)) else ""
        return self.error(f"{keyword} must be {wanted}, not {kind_name(value)}{shown[:80]}", keyword)

    def error(self, reason: str, *keys: str | int) -> SchemaError:
        """A SchemaError at a path in the subschema at hand, whose first part is the keyword."""
        written = written_keys(self.source, keys)
        return SchemaError(reason, pointer_of(path_of(self.place) + written), str(written[0]))

    def lacks(self, kind: str) -> bool:
        """Whether the `type` beside excludes a kind, so that its keywords say nothing."""
        types = self.schema.get("type")
        return types is not None and types != kind and (isinstance(types, str) or kind not in types)


def path_of(place: Place) -> Keys:
    parts: list[Keys] = []
    current: Place | None = place
    while current is not None:
        parts.append(current[1])
        current = current[0]
    return tuple(key for part in reversed(parts) for key in part)


def _is_plain(schema: Any) -> bool:
    """Whether a subschema has at most a type, rightly spelt, and annotations. Most have: this halves the time of the pass."""
    if type(schema) is not dict or not _PLAIN_KEYWORDS.issuperset(schema):
        return False
    name = schema.get("type", "null")
    return type(name) is str and name in TYPE_BITS


Handler = Callable[[Pass, Any], None]


# -- values ----------------------------------------------------------------------------------------------------------------------


def _has_surrogates(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _check_names(run: Pass, names: Iterable[Any], keyword: str) -> None:
    """Names are strings without lone surrogates."""
    try:
        joined = "".join(names)
    except TypeError as error:
        raise run.error(f"{keyword} must hold strings", keyword) from error
    if not joined.isascii() and any(map(_has_surrogates, names)):
        raise run.error(f"{keyword} holds a lone surrogate, which no UTF-8 text has", keyword)


def _exact_number(run: Pass, value: float | Decimal, keyword: str) -> None:
    """A number is finite and has a sane number of digits."""
    try:
        exact(value)
    except SchemaError as error:
        raise SchemaError(error.reason, run.pointer(keyword), keyword) from error


def _check_value(run: Pass, value: Any, keyword: str) -> None:
    """A constant is a JSON value that UTF-8 text can hold."""
    level = [value]
    for _ in range(MAX_VALUE_DEPTH):
        following: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if _has_surrogates(item):
                    raise SchemaError(
                        f"{keyword} holds a lone surrogate, which no UTF-8 text has", run.pointer(keyword), keyword
                    )
            elif isinstance(item, list):
                following += item
            elif isinstance(item, dict):
                _check_names(run, item, keyword)
                following += item.values()
            elif item is not None and not isinstance(item, (int, float, Decimal)):
                raise SchemaError(
                    f"{keyword} holds {type(item).__name__}, which is no JSON value", run.pointer(keyword), keyword
                )
            elif isinstance(item, (float, Decimal)):
                _exact_number(run, item, keyword)
        if not following:
            return
        level = following
    raise LimitExceeded("the nesting of a constant", MAX_VALUE_DEPTH, hint="use a flatter const or enum")


# -- one function per keyword -----------------------------------------------------------------------------------------------------


def _type(run: Pass, value: Any) -> None:
    if isinstance(value, str):
        if value not in TYPE_BITS:
            raise SchemaError(f"type {value!r} does not exist", run.pointer("type"), "type")
    elif isinstance(value, list) and value:
        for name in value:
            if not isinstance(name, str) or name not in TYPE_BITS:
                raise SchemaError(f"type {name!r} does not exist", run.pointer("type"), "type")
    else:
        raise run.wrong("type", "the name of a type or a list of names")


def _properties(run: Pass, value: Any) -> None:
    if not isinstance(value, dict):
        raise run.wrong("properties", "an object of schemas")
    _check_names(run, value, "properties")
    # the same as push(), once per property of the document: worth its lines
    resource, place, stack, thorough = run.resource, run.place, run.stack, run.thorough
    depth = place[2] + 1
    plain, types = _PLAIN_KEYWORDS, TYPE_BITS
    for name, inner in value.items():
        if thorough or not (
            type(inner) is dict
            and plain.issuperset(inner)
            and type(kind := inner.get("type", "null")) is str
            and kind in types
        ):  # _is_plain, without the call
            stack.append((inner, resource, (place, ("properties", name), depth)))


def _pattern_properties(run: Pass, value: Any) -> None:
    if not isinstance(value, dict):
        raise run.wrong("patternProperties", "an object of schemas")
    _check_names(run, value, "patternProperties")
    for pattern, inner in value.items():
        _check_regex(run, pattern, "patternProperties", pattern)
        run.push(inner, "patternProperties", pattern)


def _subschema(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        run.push(value, keyword)

    return handler


def _unevaluated(keyword: str) -> Handler:
    subschema = _subschema(keyword)

    def handler(run: Pass, value: Any) -> None:
        run.document.collects_evaluated = True
        subschema(run, value)

    return handler


def _prefix_items(run: Pass, value: Any) -> None:
    if not isinstance(value, list):
        raise run.wrong("prefixItems", "an array of schemas")
    for index, inner in enumerate(value):
        run.push(inner, "prefixItems", index)


def _required(run: Pass, value: Any) -> None:
    if not isinstance(value, list):
        raise run.wrong("required", "an array of names")
    _check_names(run, value, "required")


def _count(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        if type(value) is int and value >= 0:
            return
        if isinstance(value, (float, Decimal)) and 0 <= value < 10**15 and value == int(value):
            return
        raise run.wrong(keyword, "an integer of at least 0")

    return handler


def _number(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise run.wrong(keyword, "a number")
        if not isinstance(value, int):
            _exact_number(run, value, keyword)
        if keyword == "multipleOf" and value <= 0:
            raise run.wrong(keyword, "a number above 0")

    return handler


def _check_regex(run: Pass, pattern: str, keyword: str, *more: str) -> None:
    try:
        check_pattern(pattern, run.document.limits, of_values=keyword == "pattern")
    except RegexError as error:
        where = run.pointer(keyword, *more)
        raise RegexError(f"{error.reason} (in the pattern at #{where})", *_text_and_position(error, pattern)) from error


def _text_and_position(error: RegexError, pattern: str) -> tuple[str, int]:
    return pattern, getattr(error, "position", 0)


def _pattern(run: Pass, value: Any) -> None:
    if not isinstance(value, str):
        raise run.wrong("pattern", "a regex")
    if not run.lacks("string"):
        _check_regex(run, value, "pattern")


def _format(run: Pass, value: Any) -> None:
    if not isinstance(value, str):
        raise run.wrong("format", "a name")
    if value not in FORMATS and run.document.options.formats == "assert" and not run.lacks("string"):
        _warn_once("format", value)


def _warn_once(keyword: str, value: str) -> None:
    """Say that a value of a keyword is unknown, the first time that it is met."""
    if (keyword, value) not in _warned:
        _warned.add((keyword, value))
        warnings.warn(f"{keyword} {value!r} is unknown and not enforced", stacklevel=6)


def _enum(run: Pass, value: Any) -> None:
    if not isinstance(value, list):
        raise run.wrong("enum", "an array")
    if set(map(type, value)) == {str}:
        _check_names(run, value, "enum")
    else:
        _check_value(run, value, "enum")


def _const(run: Pass, value: Any) -> None:
    if type(value) is not str or not value.isascii():
        _check_value(run, value, "const")


def _ref(run: Pass, value: Any) -> None:
    if not isinstance(value, str):
        raise run.wrong("$ref", "a URI reference")
    try:
        target = run.document.resolve_in(run.resource, value, ())
    except SchemaError as error:
        raise run.error(error.reason, "$ref") from error
    _follow(run, target)


def _dynamic_reference(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        if not isinstance(value, str):
            raise run.wrong(keyword, "a URI reference")
        if run.resource.scope is None:
            raise ScopesNeeded
        document = run.document
        resolve = document.resolve_dynamic_in if keyword == "$dynamicRef" else document.resolve_recursive_in
        try:
            target = resolve(run.resource, value, ())
        except SchemaError as error:
            raise run.error(error.reason, keyword) from error
        _follow(run, target)

    return handler


def _follow(run: Pass, target: Target) -> None:
    """Look later at what a reference names."""
    source, resource, keys = target
    run.has_references = True
    run.joins(source, resource)
    run.stack.append((source, resource, (None, keys, len(keys) // 2)))


def _list_of_schemas(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        if not isinstance(value, list) or not value:
            raise run.wrong(keyword, "an array of at least one schema")
        for index, inner in enumerate(value):
            run.push_joined(inner, keyword, index)

    return handler


def _map(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        if not isinstance(value, dict):
            raise run.wrong(keyword, "an object")

    return handler


def _text(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        if not isinstance(value, str):
            raise run.wrong(keyword, "a string")

    return handler


def _boolean(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        if not isinstance(value, bool):
            raise run.wrong(keyword, "a boolean")

    return handler


def _same_value(keyword: str) -> Handler:
    def handler(run: Pass, value: Any) -> None:
        run.push_joined(value, keyword)

    return handler


def _branch(keyword: str) -> Handler:
    """`then` and `else`: without `if` they are never applied, and need only look like schemas."""

    def handler(run: Pass, value: Any) -> None:
        if "if" in run.schema:
            run.push_joined(value, keyword)
        elif not isinstance(value, (dict, bool)):
            raise run.wrong(keyword, "a schema")

    return handler


def _dependent_required(run: Pass, value: Any) -> None:
    if not isinstance(value, dict):
        raise run.wrong("dependentRequired", "an object of arrays of names")
    _check_names(run, value, "dependentRequired")
    for name, names in value.items():
        if not isinstance(names, list):
            reason = f"dependentRequired must hold arrays of names, not {kind_name(names)}"
            raise run.error(reason, "dependentRequired", name)
        _check_names(run, names, "dependentRequired")


def _dependent_schemas(run: Pass, value: Any) -> None:
    if not isinstance(value, dict):
        raise run.wrong("dependentSchemas", "an object of schemas")
    _check_names(run, value, "dependentSchemas")
    for name, inner in value.items():
        run.push_joined(inner, "dependentSchemas", name)


def _content_encoding(run: Pass, value: Any) -> None:
    if not isinstance(value, str):
        raise run.wrong("contentEncoding", "a name")
    known = value.lower()
    if run.resource.dialect.content and known not in CONTENT_PATTERNS and known not in ("8bit", "binary"):
        _warn_once("contentEncoding", value)


def _content_schema(run: Pass, value: Any) -> None:
    if not isinstance(value, (dict, bool)):
        raise run.wrong("contentSchema", "a schema")


def _nullable(run: Pass, value: Any) -> None:
    if run.resource.dialect.openapi and not isinstance(value, bool):
        raise run.wrong("nullable", "a boolean")


def _discriminator(run: Pass, value: Any) -> None:
    if not run.resource.dialect.openapi:
        return
    if not isinstance(value, dict) or not isinstance(value.get("propertyName"), str):
        raise run.wrong("discriminator", "an object with the string propertyName")
    mapping = value.get("mapping", {})
    if not isinstance(mapping, dict) or not all(isinstance(target, str) for target in mapping.values()):
        raise run.error("mapping must be an object of strings", "discriminator", "mapping")


HANDLERS: dict[str, Handler] = {
    "type": _type,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _subschema("additionalProperties"),
    "propertyNames": _subschema("propertyNames"),
    "items": _subschema("items"),
    "prefixItems": _prefix_items,
    "required": _required,
    "minLength": _count("minLength"),
    "maxLength": _count("maxLength"),
    "minItems": _count("minItems"),
    "maxItems": _count("maxItems"),
    "minimum": _number("minimum"),
    "maximum": _number("maximum"),
    "exclusiveMinimum": _number("exclusiveMinimum"),
    "exclusiveMaximum": _number("exclusiveMaximum"),
    "multipleOf": _number("multipleOf"),
    "pattern": _pattern,
    "format": _format,
    "enum": _enum,
    "const": _const,
    "$ref": _ref,
    "allOf": _list_of_schemas("allOf"),
    "anyOf": _list_of_schemas("anyOf"),
    "oneOf": _list_of_schemas("oneOf"),
    "not": _same_value("not"),
    "if": _same_value("if"),
    "then": _branch("then"),
    "else": _branch("else"),
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "dependencies": _map("dependencies"),  # still in a view only where it is no object
    "uniqueItems": _boolean("uniqueItems"),
    "contains": _subschema("contains"),
    "minContains": _count("minContains"),
    "maxContains": _count("maxContains"),
    "minProperties": _count("minProperties"),
    "maxProperties": _count("maxProperties"),
    "unevaluatedProperties": _unevaluated("unevaluatedProperties"),
    "unevaluatedItems": _unevaluated("unevaluatedItems"),
    "$dynamicRef": _dynamic_reference("$dynamicRef"),
    "$recursiveRef": _dynamic_reference("$recursiveRef"),
    "contentEncoding": _content_encoding,
    "contentMediaType": _text("contentMediaType"),
    "contentSchema": _content_schema,
    "nullable": _nullable,
    "discriminator": _discriminator,
    "$id": _text("$id"),
    "$anchor": _text("$anchor"),
    "$dynamicAnchor": _text("$dynamicAnchor"),
    "$recursiveAnchor": _boolean("$recursiveAnchor"),
    "$vocabulary": _map("$vocabulary"),
    "$defs": _map("$defs"),
    "definitions": _map("definitions"),
}
