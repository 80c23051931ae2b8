"""One cheap pass over everything that a schema reaches: what is wrong with it, and what cannot be enforced.

In: a `Document`. Out: nothing, or the first error: `SchemaError` (not a schema, a keyword of the wrong type, an unknown reference, a
loop of references), `RegexError` for a pattern, `UnsupportedError` (a keyword that constrains and is not enforced), `LimitExceeded`
(nesting). `report` lists every keyword with what is done with it.

The pass runs before the first mask of every grammar, so it makes no objects per subschema but a stack entry: one dictionary look-up
per keyword, pointers only for errors. Subschemas under `$defs` count only if something refers to them. Values (`const`, `enum`,
`default`, `examples`) are data and not looked into as schemas.

Turned down: validating against the metaschema (100 times slower, and it knows nothing of references and patterns).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import Any

from structgen.errors import LimitExceeded, RegexError, SchemaError, UnsupportedError
from structgen.schema.constants import MAX_VALUE_DEPTH, TYPE_BITS, exact
from structgen.schema.dialects import view, written_keys
from structgen.schema.normal import Normalizer
from structgen.schema.reasons import unsatisfiable
from structgen.schema.references import Document, Keys, Resource, kind_name, pointer_of
from structgen.schema.strings import FORMATS, check_pattern

# a place on the stack: parent place (None at the root), path from the parent, depth
_Place = tuple[Any, Keys, int]
Row = tuple[str, str, str, str]
_PLAIN_KEYWORDS = frozenset({"type", "title", "description", "default", "examples"})
_warned_formats: set[str] = set()


class _Pass:
    """State of one pass; `schema` and what follows it describe the subschema at hand."""

    __slots__ = (
        "document",
        "edges",
        "has_references",
        "key",
        "place",
        "resource",
        "schema",
        "source",
        "stack",
        "thorough",
    )

    def __init__(self, document: Document, *, thorough: bool = False) -> None:
        self.document = document
        self.stack: list[tuple[Any, Resource, _Place]] = []
        # subschemas that apply to the same value: place, and the identities of the subschemas
        self.edges: dict[int, tuple[_Place, list[int]]] = {}
        self.has_references = False
        self.thorough = thorough  # visit even the plainest subschemas
        self.schema: dict[str, Any] = {}
        self.source: dict[str, Any] = {}
        self.resource = document.root_resource
        self.place: _Place = (None, (), 0)

    def push(self, value: Any, *keys: str | int) -> None:
        """Look at a subschema later; at once, if it is of the plainest kind."""
        if not self.thorough and _is_plain(value):
            return
        place = self.place
        if self.source is not self.schema:
            keys = written_keys(self.source, keys)
        self.stack.append((value, self.resource, (place, keys, place[2] + 1)))

    def joins(self, target: Any) -> None:
        """Note that a subschema applies to the same value as the one at hand."""
        self.edges.setdefault(id(self.source), (self.place, []))[1].append(id(target))

    def path(self) -> Keys:
        return _path(self.place)

    def pointer(self, *keys: str | int) -> str:
        return pointer_of(_path(self.place) + written_keys(self.source, keys))

    def wrong(self, keyword: str, wanted: str) -> SchemaError:
        value = self.schema[keyword]
        shown = f": {value!r}" if isinstance(value, (str, int, float, Decimal)) else ""
        return SchemaError(
            f"{keyword} must be {wanted}, not {kind_name(value)}{shown[:80]}", self.pointer(keyword), keyword
        )

    def unsupported(self, keyword: str, reason: str = "") -> UnsupportedError:
        reason = reason or f"keyword {keyword!r} constrains here and is not supported yet"
        return UnsupportedError(reason, self.pointer(keyword), keyword)

    def lacks(self, kind: str) -> bool:
        """Whether the `type` beside excludes a kind, so that its keywords say nothing."""
        types = self.schema.get("type")
        return types is not None and types != kind and (isinstance(types, str) or kind not in types)


def _path(place: _Place) -> Keys:
    parts: list[Keys] = []
    current: _Place | None = place
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


Handler = Callable[[_Pass, Any], None]


def check(document: Document, normalizer: Normalizer | None = None) -> None:
    """Find what can be known at compile time. normalizer: also find out whether the root has any instance.

    Raises SchemaError, RegexError, UnsupportedError, UnsatisfiableError, LimitExceeded.
    """
    run = _Pass(document)
    handlers = _HANDLERS
    for _ in _visited(run):
        for keyword, value in run.schema.items():
            handler = handlers.get(keyword)
            if handler is not None:
                handler(run, value)
    if run.has_references:
        _refuse_loops(run)
    if normalizer is not None and normalizer.is_empty(normalizer.root):
        raise unsatisfiable(normalizer)


def report(document: Document) -> list[Row]:
    """Every keyword of every subschema that the root reaches: (JSON Pointer, keyword, what is done, note).

    What is done: "enforced", "annotation" or "refused". Raises SchemaError and LimitExceeded as `check`.
    """
    rows: list[Row] = []
    run = _Pass(document, thorough=True)
    for _ in _visited(run):
        pointer = run.pointer()
        n_before = len(run.stack)
        for keyword, value in run.source.items():
            if keyword not in run.schema:
                hidden = keyword not in (
                    "additionalItems",
                    "exclusiveMinimum",
                    "exclusiveMaximum",
                    "minimum",
                    "maximum",
                )
                rows.append(
                    (pointer, keyword, "annotation", f"without meaning in {run.resource.dialect.name}")
                    if hidden
                    else (pointer, keyword, "enforced", "older form")
                )
                continue
            handler = _HANDLERS.get(keyword)
            if handler is None:
                rows.append((pointer, keyword, "annotation", "" if keyword in _ANNOTATIONS else "unknown keyword"))
                continue
            n_waiting = len(run.stack)
            try:
                handler(run, run.schema[keyword])
            except (UnsupportedError, RegexError) as error:
                rows.append((pointer, keyword, "refused", str(error).splitlines()[0]))
                del run.stack[n_waiting:]
            else:
                rows.append((pointer, keyword, *_standing(run, keyword, value)))
        for keyword in run.schema.keys() - run.source.keys():  # prefixItems of an older form
            _HANDLERS[keyword](run, run.schema[keyword])
        run.stack[n_before:] = reversed(run.stack[n_before:])  # the last one is visited first
    return rows


def _standing(run: _Pass, keyword: str, value: Any) -> tuple[str, str]:
    """What is done with a keyword whose handler did not object."""
    if keyword == "format" and (run.document.options.formats != "assert" or value not in FORMATS):
        return "annotation", f"format {value!r} is not asserted"
    if keyword in _LATER:
        return "annotation", "without effect here"
    if keyword in _NAMING:
        return "annotation", ""
    return "enforced", ""


def _visited(run: _Pass) -> Iterable[None]:
    """Set `run` on every reachable subschema in turn. Subschemas that a handler pushes are visited later."""
    document, stack = run.document, run.stack
    root, enter, max_depth = document.root_resource, document.enter, document.limits.max_depth
    seen: set[Hashable] = set()
    stack.append((root.root, root, (None, (), 0)))
    while stack:
        source, resource, place = stack.pop()
        if source is True or source is False:
            continue
        if not isinstance(source, dict):
            raise SchemaError(f"a schema is an object or a boolean, not {kind_name(source)}", pointer_of(_path(place)))
        if "$id" in source or "id" in source:
            resource = enter(source, resource, _path(place))
        key = id(source) if resource is root else (id(source), id(resource))
        if key in seen:
            continue
        seen.add(key)
        if place[2] > max_depth:
            raise LimitExceeded(f"{place[2]} levels of subschemas", max_depth, "max_depth")
        run.schema, run.source = view(source, resource.dialect), source
        run.resource, run.place = resource, place
        yield


def _refuse_loops(run: _Pass) -> None:
    """A subschema that applies to the same value as itself, through `$ref`, `allOf` or `anyOf`, has no meaning."""
    edges = run.edges
    done: set[int] = set()
    for start in edges:
        if start in done:
            continue
        active = {start}
        stack = [(start, iter(edges[start][1]))]
        while stack:
            current, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                stack.pop()
                active.discard(current)
                done.add(current)
            elif target in active:
                pointer = pointer_of(_path(edges[target][0]))
                raise SchemaError("reference loop: the schema refers back to itself without consuming a value", pointer)
            elif target in edges and target not in done:
                active.add(target)
                stack.append((target, iter(edges[target][1])))


# -- values ----------------------------------------------------------------------------------------------------------------------


def _has_surrogates(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _check_names(run: _Pass, names: Iterable[Any], keyword: str) -> None:
    """Names are strings without lone surrogates."""
    try:
        joined = "".join(names)
    except TypeError as error:
        raise SchemaError(f"{keyword} must hold strings", run.pointer(keyword), keyword) from error
    if not joined.isascii() and any(map(_has_surrogates, names)):
        raise SchemaError(f"{keyword} holds a lone surrogate, which no UTF-8 text has", run.pointer(keyword), keyword)


def _exact_number(run: _Pass, value: float | Decimal, keyword: str) -> None:
    """A number is finite and has a sane number of digits."""
    try:
        exact(value)
    except SchemaError as error:
        raise SchemaError(error.reason, run.pointer(keyword), keyword) from error


def _check_value(run: _Pass, value: Any, keyword: str) -> None:
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


def _type(run: _Pass, value: Any) -> None:
    if isinstance(value, str):
        if value not in TYPE_BITS:
            raise SchemaError(f"type {value!r} does not exist", run.pointer("type"), "type")
    elif isinstance(value, list) and value:
        for name in value:
            if not isinstance(name, str) or name not in TYPE_BITS:
                raise SchemaError(f"type {name!r} does not exist", run.pointer("type"), "type")
    else:
        raise run.wrong("type", "the name of a type or a list of names")


def _properties(run: _Pass, value: Any) -> None:
    if not isinstance(value, dict):
        raise run.wrong("properties", "an object of schemas")
    _check_names(run, value, "properties")
    # the same as push(), once per property of the document: worth its lines
    resource, place, stack, thorough = run.resource, run.place, run.stack, run.thorough
    depth = place[2] + 1
    for name, inner in value.items():
        if thorough or not _is_plain(inner):
            stack.append((inner, resource, (place, ("properties", name), depth)))


def _pattern_properties(run: _Pass, value: Any) -> None:
    if not isinstance(value, dict):
        raise run.wrong("patternProperties", "an object of schemas")
    _check_names(run, value, "patternProperties")
    for pattern, inner in value.items():
        _check_regex(run, pattern, "patternProperties", pattern)
        run.push(inner, "patternProperties", pattern)


def _subschema(keyword: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        run.push(value, keyword)

    return handler


def _prefix_items(run: _Pass, value: Any) -> None:
    if not isinstance(value, list):
        raise run.wrong("prefixItems", "an array of schemas")
    for index, inner in enumerate(value):
        run.push(inner, "prefixItems", index)


def _required(run: _Pass, value: Any) -> None:
    if not isinstance(value, list):
        raise run.wrong("required", "an array of names")
    _check_names(run, value, "required")


def _count(keyword: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        if type(value) is int and value >= 0:
            return
        if isinstance(value, (float, Decimal)) and 0 <= value < 10**15 and value == int(value):
            return
        raise run.wrong(keyword, "an integer of at least 0")

    return handler


def _number(keyword: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise run.wrong(keyword, "a number")
        if not isinstance(value, int):
            _exact_number(run, value, keyword)
        if keyword == "multipleOf" and value <= 0:
            raise run.wrong(keyword, "a number above 0")

    return handler


def _check_regex(run: _Pass, pattern: str, keyword: str, *more: str) -> None:
    try:
        check_pattern(pattern, run.document.limits)
    except RegexError as error:
        where = run.pointer(keyword, *more)
        raise RegexError(f"{error.reason} (in the pattern at #{where})", *_text_and_position(error, pattern)) from error


def _text_and_position(error: RegexError, pattern: str) -> tuple[str, int]:
    return pattern, getattr(error, "position", 0)


def _pattern(run: _Pass, value: Any) -> None:
    if not isinstance(value, str):
        raise run.wrong("pattern", "a regex")
    if not run.lacks("string"):
        _check_regex(run, value, "pattern")


def _format(run: _Pass, value: Any) -> None:
    if not isinstance(value, str):
        raise run.wrong("format", "a name")
    if value in FORMATS or run.document.options.formats != "assert" or run.lacks("string"):
        return
    if value not in _warned_formats:
        _warned_formats.add(value)
        warnings.warn(f"format {value!r} is unknown and not enforced", stacklevel=5)


def _enum(run: _Pass, value: Any) -> None:
    if not isinstance(value, list):
        raise run.wrong("enum", "an array")
    if set(map(type, value)) == {str}:
        _check_names(run, value, "enum")
    else:
        _check_value(run, value, "enum")


def _const(run: _Pass, value: Any) -> None:
    if type(value) is not str or not value.isascii():
        _check_value(run, value, "const")


def _ref(run: _Pass, value: Any) -> None:
    if not isinstance(value, str):
        raise run.wrong("$ref", "a URI reference")
    run.has_references = True
    try:
        source, resource, keys = run.document.resolve_in(run.resource, value, ())
    except SchemaError as error:
        raise SchemaError(error.reason, run.pointer("$ref"), "$ref") from error
    run.joins(source)
    run.stack.append((source, resource, (None, keys, len(keys) // 2)))


def _list_of_schemas(keyword: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        if not isinstance(value, list) or not value:
            raise run.wrong(keyword, "an array of at least one schema")
        if keyword == "oneOf" and len(value) > 1:
            raise run.unsupported(keyword)
        for index, inner in enumerate(value):
            run.joins(inner)
            run.push(inner, keyword, index)

    return handler


def _map(keyword: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        if not isinstance(value, dict):
            raise run.wrong(keyword, "an object")

    return handler


def _text(keyword: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        if not isinstance(value, str):
            raise run.wrong(keyword, "a string")

    return handler


def _not(run: _Pass, value: Any) -> None:
    if isinstance(value, bool) or value == {}:
        return  # the normal form knows these two
    raise run.unsupported("not")


def _if(run: _Pass, value: Any) -> None:
    for keyword in ("then", "else"):
        if run.schema.get(keyword, True) not in (True, {}):
            raise run.unsupported(keyword if value is not None else "if")


def _dependencies(keyword: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        if not isinstance(value, dict):
            raise run.wrong(keyword, "an object")
        if run.lacks("object") or all(inner in ([], {}, True) for inner in value.values()):
            return
        raise run.unsupported(keyword)

    return handler


def _unique_items(run: _Pass, value: Any) -> None:
    if not isinstance(value, bool):
        raise run.wrong("uniqueItems", "a boolean")
    if value and not run.lacks("array") and not _at_most(run.schema.get("maxItems"), 1):
        raise run.unsupported("uniqueItems")


def _at_most(value: Any, bound: int) -> bool:
    return isinstance(value, (int, float, Decimal)) and value <= bound


def _contains(run: _Pass, _: Any) -> None:
    if not run.lacks("array"):
        raise run.unsupported("contains")


def _min_properties(run: _Pass, value: Any) -> None:
    _count("minProperties")(run, value)
    required = run.schema.get("required")
    n_required = len(set(map(str, required))) if isinstance(required, list) else 0
    if value > n_required and not run.lacks("object"):
        raise run.unsupported("minProperties")


def _max_properties(run: _Pass, value: Any) -> None:
    _count("maxProperties")(run, value)
    schema = run.schema
    is_closed = schema.get("additionalProperties") is False and not schema.get("patternProperties")
    if not (is_closed and len(schema.get("properties", {})) <= value) and not run.lacks("object"):
        raise run.unsupported("maxProperties")


def _unevaluated(keyword: str, kind: str, beside: str) -> Handler:
    def handler(run: _Pass, value: Any) -> None:
        # everything is evaluated already where `additionalProperties` or `items` stands beside
        if value is not True and value != {} and beside not in run.schema and not run.lacks(kind):
            raise run.unsupported(keyword)

    return handler


def _unsupported(keyword: str) -> Handler:
    def handler(run: _Pass, _: Any) -> None:
        raise run.unsupported(keyword)

    return handler


_HANDLERS: dict[str, Handler] = {
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
    "not": _not,
    "if": _if,
    "dependentRequired": _dependencies("dependentRequired"),
    "dependentSchemas": _dependencies("dependentSchemas"),
    "dependencies": _dependencies("dependencies"),
    "uniqueItems": _unique_items,
    "contains": _contains,
    "minProperties": _min_properties,
    "maxProperties": _max_properties,
    "unevaluatedProperties": _unevaluated("unevaluatedProperties", "object", "additionalProperties"),
    "unevaluatedItems": _unevaluated("unevaluatedItems", "array", "items"),
    "$dynamicRef": _unsupported("$dynamicRef"),
    "$recursiveRef": _unsupported("$recursiveRef"),
    "$id": _text("$id"),
    "$anchor": _text("$anchor"),
    "$defs": _map("$defs"),
    "definitions": _map("definitions"),
}
_NAMING = frozenset({"$id", "$anchor", "$defs", "definitions"})
_LATER = frozenset(
    "not if dependentRequired dependentSchemas dependencies uniqueItems contains minProperties maxProperties "
    "unevaluatedProperties unevaluatedItems".split()
)
_ANNOTATIONS = frozenset(
    "$schema $comment $dynamicAnchor $recursiveAnchor $vocabulary id title description default examples deprecated readOnly "
    "writeOnly contentEncoding contentMediaType contentSchema then else additionalItems minContains maxContains".split()
)
