"""Places in a schema document and what references between them mean.

In: a schema as dict, bool or JSON text. Out: `Location`s, interned by the identity of the subschema and numbered from 1, so that a
value position can be a tuple of small integers and a negative number stays free for "must not hold"; and `$ref` targets, by JSON
Pointer, `$id`/`id` base URIs, `$anchor`, embedded resources and the caller's `referencing.Registry`.

Locations appear when they are first asked for: a large document costs what is visited of it. Schema objects are not copied and must
not change while a grammar lives.

`$dynamicRef` and `$recursiveRef` mean what the *dynamic scope* says: the resources that evaluation came through. All that matters of it
is, per dynamic anchor, the outermost resource that defines it; so a `Resource` exists once per such `Scope`, and a Location, which is
interned by subschema and resource, is one place in one scope. Equal scopes are one object: recursion stays finite. Documents that use
neither keyword have no scopes and pay nothing.

Limits: reference URIs are resolved by RFC 3986 as `urllib` does it. Nothing is ever fetched from a network. Dynamic scopes can be
exponentially many; `MAX_SCOPED_ANCHORS` bounds what they hold.
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
Target = tuple[Schema, "Resource", Keys]  # a schema, its base-URI context, its path from the root of its document

# where subschemas stand in a schema, in the vocabulary of every draft
SINGLE_SUBSCHEMA = frozenset(
    "items additionalItems additionalProperties contains propertyNames not if then else unevaluatedItems "
    "unevaluatedProperties contentSchema".split()
)
_IDENTIFIERS = frozenset({"$id", "id"})
SUBSCHEMA_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
SUBSCHEMA_MAPS = frozenset("properties patternProperties definitions $defs dependentSchemas dependencies".split())
MAX_SCOPED_ANCHORS = 150_000  # dynamic anchors in all scopes of a document together
_RECURSIVE = ""  # the name under which `$recursiveAnchor` stands among dynamic anchors; no anchor is called so


class Scope:
    """A dynamic scope: for every dynamic anchor, its target in the outermost resource that defines it. Compared by identity."""

    __slots__ = ("anchors",)

    def __init__(self, anchors: dict[str, Target]) -> None:
        self.anchors = anchors


class Resource:
    """A base-URI context: a schema document or an embedded schema with an identifier of its own.

    uri: absolute without fragment, "" if it has none; root: the schema as written; keys: path of `root` from the root of its document;
    anchors: every name for a fragment; dynamic_anchors: those of `$dynamicAnchor`, and `$recursiveAnchor` of the root.
    scope: what `$dynamicRef` sees here, None where nothing asks; base: this resource without a scope.
    """

    __slots__ = (
        "anchors", "base", "dialect", "document_root", "dynamic_anchors", "keys", "root", "scope", "scoped", "uri"
    )  # fmt: skip

    def __init__(self, uri: str, root: Schema, dialect: Dialect, keys: Keys, document_root: Resource | None) -> None:
        self.uri, self.root, self.dialect, self.keys = uri, root, dialect, keys
        self.document_root: Resource = document_root if document_root is not None else self
        self.anchors: dict[str, Target] = {}
        self.dynamic_anchors: dict[str, Target] = {}
        self.base: Resource = self
        self.scope: Scope | None = None
        self.scoped: dict[Scope, Resource] = {}

    def under(self, scope: Scope) -> Resource:
        """This resource in a dynamic scope that it is part of already; one object per scope."""
        base = self.base
        found = base.scoped.get(scope)
        if found is None:
            found = Resource(base.uri, base.root, base.dialect, base.keys, base.document_root)
            found.anchors, found.dynamic_anchors, found.base, found.scope = (
                base.anchors, base.dynamic_anchors, base, scope
            )  # fmt: skip
            base.scoped[scope] = found
        return found


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
        self._targets: dict[tuple[int, str], Target] = {}
        self._dynamic_targets: dict[tuple[int, str], Target] = {}
        self._scopes: dict[frozenset[tuple[str, int]], Scope] = {}
        self._n_scoped_anchors = 0
        self._within_scope: dict[tuple[Scope, Resource], Resource] = {}
        self._resources: dict[str, Resource] = {}  # by URI; complete for every document that is indexed
        self._indexed: set[int] = set()
        self._dialects: dict[str, Dialect] = {}  # by the value of `$schema`
        self._alive: list[Any] = []  # objects whose identity is a key above
        self.collects_evaluated = False  # whether `unevaluated*` occurs: set when the keywords are checked
        default = self._with_options(self.options.dialect or LENIENT)
        self._chosen_dialect = None if self.options.dialect is None else default
        dialect = self._dialect(schema, default)
        self.root_resource = Resource("", schema, dialect, (), None)
        if isinstance(schema, dict):
            name = _identifier(schema, dialect)
            if name:
                self.root_resource.uri = _absolute("", name)
            self._entered[id(schema)] = self.root_resource
        self.root = self.intern(schema, self.root_resource, ())

    def _dialect(self, schema: Schema, default: Dialect) -> Dialect:
        """The dialect that a schema names, else `default`."""
        named = schema.get("$schema") if isinstance(schema, dict) else None
        if not isinstance(named, str):
            return default
        found = self._dialects.get(named)
        if found is None:
            found = self._with_options(dialect_by_uri(named) or self._custom_dialect(named, default))
            self._dialects[named] = found
        return found

    def _with_options(self, dialect: Dialect) -> Dialect:
        return dialect.with_options(openapi=self.options.openapi, content=self.options.content == "assert")

    def _custom_dialect(self, uri: str, default: Dialect) -> Dialect:
        """The dialect of a metaschema that the registry holds, which may leave vocabularies out; without one, `default`.

        Raises UnsupportedError for a vocabulary that it requires and nobody here knows.
        """
        self._dialects[uri] = default  # for metaschemas that name each other
        metaschema = self._held_by(self.registry, uri.partition("#")[0])
        if not isinstance(metaschema, dict):
            return default
        base = self._dialect(metaschema, default)
        vocabularies = metaschema.get("$vocabulary")
        if isinstance(vocabularies, dict) and "$vocabulary" not in base.unknown:
            base, strange = dialect_of_metaschema(base, vocabularies)
            if strange is not None:
                raise UnsupportedError(f"the metaschema {uri!r} requires {strange!r}", "/$schema", "$schema")
        return base

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

    def members(self, location: Location, keyword: str) -> Iterator[tuple[str, Location]]:
        """(name, `child`) of each subschema in the object under `keyword` of `location.schema`, if it has one."""
        resource, base, interned = location.resource, location.keys, self._interned
        locations, telling = self.locations, resource.dialect.telling
        context = id(resource)
        for name, source in location.schema.get(keyword, {}).items():  # type: ignore[union-attr]
            key = (id(source), context)  # those with an identifier are interned with their own resource
            found = interned.get(key)
            if found is None:
                keys = base + written_keys(location.source, (keyword, name))
                if type(source) is dict and telling.isdisjoint(source) and _IDENTIFIERS.isdisjoint(source):
                    # what `intern` does, for most of the subschemas there are
                    found = interned[key] = Location(len(locations), source, source, resource, keys)
                    locations.append(found)
                else:
                    found = self.intern(source, resource, keys)
            yield name, found

    def synthetic(self, schema: dict[str, Any], near: Location) -> Location:
        """A Location for a schema made by the normal form, not interned; its view is itself.

        References in it, and in what stands below it, are resolved as at `near`; subschemas that the author wrote keep their Locations
        if they stand in the same resource as `near`.
        """
        return self._added(schema, schema, near)

    def _added(self, source: Schema, schema: Schema, near: Location) -> Location:
        location = Location(len(self.locations), source, schema, near.resource, near.keys)
        self.locations.append(location)
        return location

    def part(self, place: Location, keywords: frozenset[str]) -> Location:
        """A Location with only some keywords of `place`, at the same pointer; not interned, but its subschemas are those of `place`."""
        schema = place.schema
        if not isinstance(schema, dict):
            return place
        return self._added(place.source, {key: value for key, value in schema.items() if key in keywords}, place)

    # -- resources ---------------------------------------------------------------------------------------------------------------

    def enter(self, schema: dict[str, Any], resource: Resource, keys: Keys) -> Resource:
        """The base-URI context inside `schema`: its own if it has an identifier, else `resource`."""
        if "$id" not in schema and "id" not in schema:
            return resource
        found = self._entered.get(id(schema))
        if found is None:
            dialect = self._dialect(schema, resource.dialect)
            name = _identifier(schema, dialect)
            if not name or name.startswith("#"):
                return resource
            found = Resource(_absolute(resource.uri, name), schema, dialect, keys, resource.document_root)
            self._entered[id(schema)] = found
            self._alive.append(schema)
        return found if resource.scope is None else self._within(found, resource.scope)

    def follow_scopes(self) -> None:
        """From now on Locations know their dynamic scope, as `resolve_dynamic` and `resolve_recursive` need it.

        `keywords.check` and `keywords.report` call it where a reachable subschema has one of these keywords, before any Location but
        the root's is made. The root's Location is made anew.
        """
        if self.root_resource.scope is None:
            self.root_resource = self._within(self.root_resource, self._scope({}))
            self.root = self.intern(self.root_resource.root, self.root_resource, ())

    def _within(self, resource: Resource, scope: Scope) -> Resource:
        """`resource` as it is entered from `scope`, which its own dynamic anchors extend."""
        key = (scope, resource.base)
        found = self._within_scope.get(key)
        if found is None:
            base = resource.base
            self._index(base.document_root)
            more = {name: target for name, target in base.dynamic_anchors.items() if name not in scope.anchors}
            found = base.under(self._scope({**scope.anchors, **more}) if more else scope)
            self._within_scope[key] = found
        return found

    def _scope(self, anchors: dict[str, Target]) -> Scope:
        key = frozenset((name, id(target[1])) for name, target in anchors.items())
        found = self._scopes.get(key)
        if found is None:
            self._n_scoped_anchors += len(anchors) + 1
            if self._n_scoped_anchors > MAX_SCOPED_ANCHORS:
                raise LimitExceeded(
                    f"{len(self._scopes)} dynamic scopes of up to {len(anchors)} anchors",
                    f"{MAX_SCOPED_ANCHORS} anchors in all",
                    hint="give dynamic anchors fewer names, or define them in fewer resources",
                )
            found = self._scopes[key] = Scope(anchors)
        return found

    # -- references --------------------------------------------------------------------------------------------------------------

    def resolve(self, location: Location, reference: str) -> Location:
        """The Location that `reference`, the value of a `$ref` at `location`, names.

        Raises SchemaError when there is none, or when it is in a document that neither this one nor the registry holds.
        """
        return self.intern(*self.resolve_in(location.resource, reference, location.keys))

    def resolve_dynamic(self, location: Location, reference: str) -> Location:
        """The Location that `reference`, the value of a `$dynamicRef` at `location`, names in the dynamic scope of the location.

        Raises SchemaError as `resolve`, RuntimeError when `follow_scopes` was not called.
        """
        return self.intern(*self.resolve_dynamic_in(location.resource, reference, location.keys))

    def resolve_recursive(self, location: Location, reference: str = "#") -> Location:
        """The Location that a `$recursiveRef` at `location` names; its value can only be "#". Raises as `resolve_dynamic`."""
        return self.intern(*self.resolve_recursive_in(location.resource, reference, location.keys))

    def resolve_in(self, resource: Resource, reference: str, where: Keys, keyword: str = "$ref") -> Target:
        """What `reference` means inside `resource`: the schema, its base-URI context and its path. where, keyword: for the error."""
        key = (id(resource), reference)
        found = self._targets.get(key)
        if found is None:
            try:
                found = self._find(resource.base, reference)
            except SchemaError as error:
                raise SchemaError(error.reason, pointer_of((*where, keyword)), keyword) from error
            if not isinstance(found[0], (dict, bool)):
                raise SchemaError(
                    f"reference {reference!r} leads to {kind_name(found[0])}, not to a schema",
                    pointer_of((*where, keyword)),
                    keyword,
                )
            if resource.scope is not None:
                # a pointer may cross resources: only the one that it ends in is entered
                source, base, keys = found
                base = self.enter(source, base, keys) if isinstance(source, dict) else base
                found = (source, self._within(base, resource.scope), keys)
            self._targets[key] = found
        return found

    def resolve_dynamic_in(self, resource: Resource, reference: str, where: Keys) -> Target:
        """What a `$dynamicRef` means inside `resource` (JSON Schema 2020-12, core, 8.2.3.2); otherwise as `resolve_in`."""
        key = (id(resource), reference)
        found = self._dynamic_targets.get(key)
        if found is None:
            found = self.resolve_in(resource, reference, where, "$dynamicRef")
            name = unquote(reference.partition("#")[2])
            found = self._outermost(found, resource, name) if name else found
            self._dynamic_targets[key] = found
        return found

    def resolve_recursive_in(self, resource: Resource, reference: str, where: Keys) -> Target:
        """What a `$recursiveRef` means inside `resource` (JSON Schema 2019-09, core, 8.2.4.2.1); otherwise as `resolve_in`.

        The outermost resource with `$recursiveAnchor` counts, whether or not those between have one too.
        """
        if reference != "#":
            reason = f"$recursiveRef must be '#', not {reference!r}"
            raise SchemaError(reason, pointer_of((*where, "$recursiveRef")), "$recursiveRef")
        return self._outermost(self.resolve_in(resource, "#", where, "$recursiveRef"), resource, _RECURSIVE)

    def _outermost(self, target: Target, resource: Resource, name: str) -> Target:
        """`target`, or if it is a dynamic anchor, what the scope of `resource` has for its name."""
        scope = resource.scope
        if scope is None:
            raise RuntimeError("a dynamic reference is resolved before Document.follow_scopes() or keywords.check()")
        own = target[1].dynamic_anchors.get(name)
        if own is None or own[0] is not target[0]:
            return target
        source, outer, keys = scope.anchors.get(name, own)
        return source, self._within(outer, scope), keys

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
        for document in (referrer.document_root, self.root_resource.base):
            if uri == document.uri:
                return document
            self._index(document)
        found = self._resources.get(uri)
        if found is None:
            contents = self._retrieve(uri)
            found = Resource(uri, contents, self._dialect(contents, self._chosen_dialect or referrer.dialect), (), None)
            self._resources[uri] = found
            if isinstance(contents, dict):
                self._entered[id(contents)] = found
                self._alive.append(contents)
        return found

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
            dynamic = _dynamic_anchor(schema, inner)
            if dynamic is not None:
                inner.dynamic_anchors.setdefault(dynamic, (schema, inner, keys))
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


def _dynamic_anchor(schema: dict[str, Any], resource: Resource) -> str | None:
    """The name that this schema takes in the dynamic scope, or None."""
    unknown = resource.dialect.unknown
    name = schema.get("$dynamicAnchor")
    if isinstance(name, str) and name and "$dynamicAnchor" not in unknown:
        return name
    is_recursive = schema is resource.root and schema.get("$recursiveAnchor") is True
    return _RECURSIVE if is_recursive and "$recursiveAnchor" not in unknown else None


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
