"""Places in a schema document and what references between them mean.

In: a schema as dict, bool or JSON text. Out: `Location`s, interned by the identity of the subschema and numbered from 1, so that a
value position can be a tuple of small integers and a negative number stays free for "must not hold"; and `$ref` targets, by JSON
Pointer, `$id`/`id` base URIs, `$anchor`, embedded resources and the caller's `referencing.Registry`.

Locations appear when they are first asked for: a large document costs what is visited of it. Schema objects are not copied and must
not change while a grammar lives.

Limits: reference URIs are resolved by RFC 3986 as `urllib` does it. Nothing is ever fetched from a network.
Turned down: `referencing.Resolver` for everything (it rebuilds its own resource objects per step and knows no identity of
subschemas; 10 to 20 times the cost of the walk below on local pointers, which are nearly all references there are).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

from structgen.errors import LimitExceeded, Limits, SchemaError, UnsupportedError
from structgen.schema.dialects import (
    DRAFT2019,
    DRAFT2020,
    LENIENT,
    Dialect,
    dialect_by_uri,
    dialect_of_metaschema,
    view,
    written_keys,
)
from structgen.schema.options import JsonOptions

if TYPE_CHECKING:
    import referencing

Schema = dict[str, Any] | bool
Keys = tuple[str | int, ...]

# where subschemas stand in a schema, in the vocabulary of every draft
SINGLE_SUBSCHEMA = frozenset(
    "items additionalItems additionalProperties contains propertyNames not if then else unevaluatedItems "
    "unevaluatedProperties contentSchema".split()
)
SUBSCHEMA_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
SUBSCHEMA_MAPS = frozenset("properties patternProperties definitions $defs dependentSchemas dependencies".split())


class Resource:
    """A base-URI context: a schema document or an embedded schema with an identifier of its own.

    uri: absolute without fragment, "" if it has none; root: the schema as written; keys: path of `root` from the root of its document.
    """

    __slots__ = ("anchors", "dialect", "document_root", "keys", "root", "uri")

    def __init__(self, uri: str, root: Schema, dialect: Dialect, keys: Keys, document_root: Resource | None) -> None:
        self.uri, self.root, self.dialect, self.keys = uri, root, dialect, keys
        self.document_root: Resource = document_root if document_root is not None else self
        self.anchors: dict[str, tuple[Schema, Resource, Keys]] = {}


class Location:
    """One subschema. id: 1, 2, ... in order of first visit; schema: its view in the vocabulary of 2020-12 (see `dialects.view`).

    source: the object as the author wrote it; keys: its path from the root of its document.
    """

    __slots__ = ("id", "keys", "resource", "schema", "source")

    def __init__(self, number: int, source: Schema, schema: Schema, resource: Resource, keys: Keys) -> None:
        self.id, self.source, self.schema, self.resource, self.keys = number, source, schema, resource, keys

    @property
    def pointer(self) -> str:
        """JSON Pointer of the place in its document."""
        return pointer_of(self.keys)

    @property
    def draft(self) -> str:
        """Name of the dialect in force here."""
        return self.resource.dialect.name

    def __repr__(self) -> str:
        return f"Location({self.id}, #{self.pointer})"


def pointer_of(keys: Keys) -> str:
    """The JSON Pointer (RFC 6901) of a path."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


class Document:
    """A schema with everything that its references reach.

    schema: dict, bool or JSON text (str or bytes); registry: a `referencing.Registry` for remote references.
    Raises SchemaError for what is no schema and invalid JSON (line and column in the message), LimitExceeded for a text that is too
    long or too deep.
    """

    def __init__(
        self,
        schema: Schema | str | bytes,
        *,
        options: JsonOptions | None = None,
        registry: referencing.Registry[Any] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.options = options if options is not None else JsonOptions()
        self.limits = limits if limits is not None else Limits()
        self.registry = registry
        if isinstance(schema, (str, bytes, bytearray)):
            schema = parse_schema(schema, self.limits)
        if not isinstance(schema, (dict, bool)):
            raise SchemaError(f"a schema is an object or a boolean, not {type(schema).__name__}")
        self.locations: list[Location | None] = [None]  # ids start at 1
        self._interned: dict[tuple[int, int], Location] = {}
        self._entered: dict[int, Resource] = {}  # schemas with an identifier of their own, by identity
        self._targets: dict[tuple[int, str], tuple[Schema, Resource, Keys]] = {}
        self._resources: dict[str, Resource] = {}  # by URI; complete for every document that is indexed
        self._indexed: set[int] = set()
        self._custom_dialects: dict[str, Dialect] = {}
        self._alive: list[Any] = []  # objects whose identity is a key above
        dialect = self._dialect(schema, self.options.dialect or LENIENT)
        self.root_resource = Resource("", schema, dialect, (), None)
        if isinstance(schema, dict):
            name = _identifier(schema, dialect)
            if name:
                self.root_resource.uri = _absolute("", name)
            self._entered[id(schema)] = self.root_resource
        self.root = self.intern(schema, self.root_resource, ())

    def _dialect(self, schema: Schema, default: Dialect) -> Dialect:
        named = schema.get("$schema") if isinstance(schema, dict) else None
        if not isinstance(named, str):
            return default
        return dialect_by_uri(named) or self._custom_dialect(named, default)

    def _custom_dialect(self, uri: str, default: Dialect) -> Dialect:
        """The dialect of a metaschema that the registry holds, which may leave vocabularies out; without one, `default`."""
        found = self._custom_dialects.get(uri)
        if found is None:
            found = default
            metaschema = self._held_by(self.registry, uri.partition("#")[0])
            if isinstance(metaschema, dict):
                base = dialect_by_uri(str(metaschema.get("$schema", ""))) or default
                vocabularies = metaschema.get("$vocabulary")
                if isinstance(vocabularies, dict) and base in (DRAFT2019, DRAFT2020):
                    base, strange = dialect_of_metaschema(base, vocabularies)
                    if strange is not None:
                        raise UnsupportedError(f"the metaschema {uri!r} requires {strange!r}", "/$schema", "$schema")
                found = base
            self._custom_dialects[uri] = found
        return found

    def intern(self, source: Any, resource: Resource, keys: Keys) -> Location:
        """The Location of a subschema as written; keys: its path from the root of its document."""
        if isinstance(source, dict):
            resource = self.enter(source, resource, keys)
        elif not isinstance(source, bool):
            raise SchemaError(f"a schema is an object or a boolean, not {kind_name(source)}", pointer_of(keys))
        key = (id(source), id(resource))
        found = self._interned.get(key)
        if found is None:
            schema = view(source, resource.dialect) if isinstance(source, dict) else source
            found = Location(len(self.locations), source, schema, resource, keys)
            self.locations.append(found)
            self._interned[key] = found
        return found

    def at(self, number: int) -> Location:
        """The Location with this id."""
        found = self.locations[number]
        if found is None:
            raise IndexError("location ids start at 1")
        return found

    def child(self, location: Location, *keys: str | int) -> Location:
        """The subschema at `location.schema[keys[0]][keys[1]]...`."""
        source: Any = location.schema
        for key in keys:
            source = source[key]
        return self.intern(source, location.resource, location.keys + written_keys(location.source, keys))

    def synthetic(self, schema: dict[str, Any], near: Location) -> Location:
        """A Location for a schema made by the normal form, not interned; its view is itself."""
        location = Location(len(self.locations), schema, schema, near.resource, near.keys)
        self.locations.append(location)
        return location

    # -- resources ---------------------------------------------------------------------------------------------------------------

    def enter(self, schema: dict[str, Any], resource: Resource, keys: Keys) -> Resource:
        """The base-URI context inside `schema`: its own if it has an identifier, else `resource`."""
        if "$id" not in schema and "id" not in schema:
            return resource
        found = self._entered.get(id(schema))
        if found is not None:
            return found
        dialect = self._dialect(schema, resource.dialect)
        name = _identifier(schema, dialect)
        if not name or name.startswith("#"):
            return resource
        found = Resource(_absolute(resource.uri, name), schema, dialect, keys, resource.document_root)
        self._entered[id(schema)] = found
        self._alive.append(schema)
        return found

    def resolve(self, location: Location, reference: str) -> Location:
        """The Location that `reference`, the value of a `$ref` at `location`, names.

        Raises SchemaError when there is none, or when it is in a document that neither this one nor the registry holds.
        """
        source, resource, keys = self.resolve_in(location.resource, reference, location.keys)
        return self.intern(source, resource, keys)

    def resolve_in(self, resource: Resource, reference: str, where: Keys) -> tuple[Schema, Resource, Keys]:
        """What `reference` means inside `resource`: the schema, its base-URI context and its path. where: for the error."""
        key = (id(resource), reference)
        found = self._targets.get(key)
        if found is None:
            try:
                found = self._find(resource, reference)
            except SchemaError as error:
                raise SchemaError(error.reason, pointer_of((*where, "$ref")), "$ref") from error
            if not isinstance(found[0], (dict, bool)):
                raise SchemaError(
                    f"reference {reference!r} leads to {kind_name(found[0])}, not to a schema",
                    pointer_of((*where, "$ref")),
                    "$ref",
                )
            self._targets[key] = found
        return found

    def _find(self, resource: Resource, reference: str) -> tuple[Any, Resource, Keys]:
        uri, _, fragment = reference.partition("#")
        if not uri:
            target = resource
        else:
            target = self._resource(_absolute(resource.uri, uri), resource)
        if not fragment:
            return target.root, target, target.keys
        fragment = unquote(fragment)
        if fragment.startswith("/"):
            found = self._walk(target, fragment)
            if found is None and target.document_root is not target and not uri:
                # an embedded `id` is often only a name: the author's pointer starts at the document's root
                found = self._walk(target.document_root, fragment)
        else:
            self._index(target.document_root)
            found = target.anchors.get(fragment)
        if found is None:
            raise SchemaError(f"unknown reference {reference!r}")
        return found

    def _walk(self, resource: Resource, pointer: str) -> tuple[Any, Resource, Keys] | None:
        node: Any = resource.root
        keys = resource.keys
        for token in pointer.split("/")[1:]:
            if isinstance(node, dict):
                if node is not resource.root:
                    resource = self.enter(node, resource, keys)
                name = token.replace("~1", "/").replace("~0", "~") if "~" in token else token
                if name not in node:
                    return None
                node = node[name]
                keys = (*keys, name)
            elif isinstance(node, list):
                if not token.isdecimal() or not token.isascii() or (token != "0" and token[0] == "0"):
                    return None
                if len(token) > 9 or int(token) >= len(node):
                    return None
                node = node[int(token)]
                keys = (*keys, int(token))
            else:
                return None
        return node, resource, keys

    def _resource(self, uri: str, referrer: Resource) -> Resource:
        for document in (referrer.document_root, self.root_resource):
            if uri == document.uri:
                return document
            self._index(document)
        found = self._resources.get(uri)
        if found is None:
            contents = self._retrieve(uri)
            found = Resource(uri, contents, self._dialect(contents, self._default_dialect(referrer)), (), None)
            self._resources[uri] = found
            if isinstance(contents, dict):
                self._entered[id(contents)] = found
                self._alive.append(contents)
        return found

    def _default_dialect(self, referrer: Resource) -> Dialect:
        return self.options.dialect or referrer.dialect

    def _retrieve(self, uri: str) -> Schema:
        """A document from the caller's registry, or one of the metaschemas."""
        from jsonschema_specifications import REGISTRY

        for registry in (self.registry, REGISTRY):
            contents = self._held_by(registry, uri)
            if contents is not None:
                return contents
        if self.registry is None:
            raise SchemaError(f"remote reference to {uri!r}: pass registry= (a referencing.Registry that holds it)")
        raise SchemaError(f"remote reference to {uri!r}, which the registry does not hold")

    @staticmethod
    def _held_by(registry: referencing.Registry[Any] | None, uri: str) -> Schema | None:
        """The registry's document of this name, or None."""
        if registry is None:
            return None
        import referencing.exceptions

        for name in (uri, uri + "#"):
            try:
                contents = registry.get_or_retrieve(name).value.contents
            except (referencing.exceptions.Unretrievable, referencing.exceptions.NoSuchResource):
                continue
            if not isinstance(contents, (dict, bool)):
                raise SchemaError(f"the registry's document {uri!r} is {kind_name(contents)}, not a schema")
            return contents
        return None

    def _index(self, document: Resource) -> None:
        """Find every identifier and anchor of a document; once per document."""
        if id(document) in self._indexed:
            return
        self._indexed.add(id(document))
        if document.uri:
            self._resources.setdefault(document.uri, document)
        stack: list[tuple[Any, Resource, Keys]] = [(document.root, document, ())]
        seen: set[int] = set()
        while stack:
            schema, resource, keys = stack.pop()
            if not isinstance(schema, dict) or id(schema) in seen:
                continue
            seen.add(id(schema))
            inner = self.enter(schema, resource, keys)
            if inner is not resource:
                self._resources.setdefault(inner.uri, inner)
            for name in _anchors(schema, inner.dialect):
                inner.anchors.setdefault(name, (schema, inner, keys))
            for key, value, path in _subschemas(schema):
                stack.append((value, inner, keys + path if key else keys))


def _subschemas(schema: dict[str, Any]) -> Iterator[tuple[str, Any, Keys]]:
    """Every place directly inside `schema` where a subschema stands, in any draft."""
    for key, value in schema.items():
        if isinstance(value, dict):
            if key in SUBSCHEMA_MAPS:
                for name, inner in value.items():
                    yield key, inner, (key, name)
            elif key in SINGLE_SUBSCHEMA:
                yield key, value, (key,)
        elif isinstance(value, list) and key in SUBSCHEMA_LISTS:
            for index, inner in enumerate(value):
                yield key, inner, (key, index)


def _identifier(schema: dict[str, Any], dialect: Dialect) -> str | None:
    if dialect.ref_is_alone and "$ref" in schema:
        return None
    for keyword in dialect.id_keywords:
        value = schema.get(keyword)
        if isinstance(value, str):
            return value
    return None


def _anchors(schema: dict[str, Any], dialect: Dialect) -> list[str]:
    """Names for fragments that this schema takes."""
    if dialect.ref_is_alone and "$ref" in schema:
        return []
    names = []
    for keyword in ("$anchor", "$dynamicAnchor"):
        value = schema.get(keyword)
        if isinstance(value, str) and keyword not in dialect.unknown:
            names.append(value)
    identifier = _identifier(schema, dialect)
    if identifier and "#" in identifier:
        fragment = identifier.partition("#")[2]
        if fragment and not fragment.startswith("/"):
            names.append(fragment)
    return names


def _absolute(base: str, reference: str) -> str:
    """`reference` against `base` (RFC 3986), without its fragment."""
    reference = reference.partition("#")[0]
    if not reference:
        return base
    return urljoin(base, reference) if base else reference


def kind_name(value: Any) -> str:
    """What a Python value is called in JSON, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float, Decimal)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "an object"
    return type(value).__name__


def parse_schema(text: str | bytes | bytearray, limits: Limits) -> Any:
    """JSON text to Python, numbers with a fraction or exponent as Decimal.

    Raises SchemaError with line and column for invalid JSON, LimitExceeded for a text that is too long or too deep.
    """
    if len(text) > limits.max_schema_bytes:
        raise LimitExceeded(f"{len(text)} bytes of schema", limits.max_schema_bytes, "max_schema_bytes")
    try:
        if not isinstance(text, str):
            text = bytes(text).decode("utf-8-sig")
        return json.loads(text, parse_float=Decimal, parse_constant=_reject_constant)
    except UnicodeDecodeError as error:
        raise SchemaError(f"the schema is not UTF-8: {error}") from error
    except json.JSONDecodeError as error:
        raise SchemaError(
            f"the schema is not valid JSON: {error.msg}, line {error.lineno} column {error.colno}"
        ) from error
    except RecursionError as error:
        raise LimitExceeded(
            "the nesting of the schema's text", "what the JSON parser reads", hint="pass a flatter schema"
        ) from error
    except ValueError as error:  # an integer with thousands of digits
        raise SchemaError(f"the schema is not valid JSON: {error}") from error


def _reject_constant(name: str) -> None:
    raise SchemaError(f"the schema is not valid JSON: {name} is no JSON value")
