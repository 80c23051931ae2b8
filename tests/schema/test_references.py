"""Where references lead: pointers, identifiers, anchors, embedded resources, registries, dialects."""

from __future__ import annotations

from typing import Any

import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from structgen.errors import SchemaError, UnsupportedError
from structgen.schema.dialects import DIALECTS, LENIENT, dialect_by_name, view
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document

OLD = "http://json-schema.org/draft-07/schema#"
OLDEST = "http://json-schema.org/draft-04/schema#"


def target(schema: Any, *path: str, **more: Any) -> Any:
    """What the `$ref` at a path of the document means."""
    document = Document(schema, **more)
    place = document.root
    for index in range(0, len(path), 2):
        place = document.child(place, *path[index : index + 2])
    return document.resolve(place, place.schema["$ref"])


@pytest.mark.parametrize(
    "reference",
    ["#/$defs/a~1b%20~0c/items", "#/$defs/a~1b ~0c/items", "http://example.com/root.json#/$defs/a~1b%20~0c/items", "#mark",
     "root.json#mark", "inner.json", "http://example.com/inner.json#", "inner.json#/$defs/x/../x"],
)  # fmt: skip
def test_every_kind_of_reference(reference: str) -> None:
    wanted = {"type": "null", "$anchor": "mark"}
    inner = {"$id": "inner.json", "$defs": {"x": True}}
    schema = {
        "$id": "http://example.com/root.json",
        "$defs": {"a/b ~c": {"items": wanted}, "inner": inner},
        "properties": {"p": {"$ref": reference}},
    }
    if ".." in reference:
        with pytest.raises(SchemaError, match="unknown reference"):
            target(schema, "properties", "p")
        return
    found = target(schema, "properties", "p")
    assert found.source is (inner if "inner" in reference else wanted)
    assert found.pointer == ("/$defs/inner" if "inner" in reference else "/$defs/a~1b ~0c/items")


def test_array_indices_are_canonical() -> None:
    schema = {"allOf": [{"type": "null"}], "$ref": "#/allOf/0"}
    assert target(schema).source == {"type": "null"}
    for bad in ("#/allOf/00", "#/allOf/1", "#/allOf/-1", "#/allOf/²", "#/allOf/99999999999999"):
        with pytest.raises(SchemaError, match="unknown reference"):
            target({**schema, "$ref": bad})


def test_locations_are_interned_by_identity() -> None:
    shared = {"type": "string"}
    document = Document({"properties": {"a": shared, "b": {"$ref": "#/properties/a"}, "c": {"type": "string"}}})
    root = document.root
    a, b, c = (document.child(root, "properties", name) for name in "abc")
    assert root.id == 1
    assert document.resolve(b, "#/properties/a") is a
    assert a is document.child(root, "properties", "a")
    assert c is not a
    assert document.at(a.id) is a


def test_embedded_resources_have_their_own_base() -> None:
    schema = {
        "$id": "http://example.com/a/root",
        "$defs": {
            "dir": {"$id": "dir/", "properties": {"x": {"$ref": "leaf"}, "y": {"$ref": "#/properties/x"}}},
            "leaf": {"$id": "dir/leaf", "type": "null"},
        },
    }
    document = Document(schema)
    directory = document.child(document.root, "$defs", "dir")
    assert directory.resource.uri == "http://example.com/a/dir/"
    x, y = (document.child(directory, "properties", name) for name in "xy")
    assert document.resolve(x, "leaf").source == {"$id": "dir/leaf", "type": "null"}
    assert document.resolve(y, "#/properties/x") is x


def test_identifiers_in_constants_are_data() -> None:
    schema = {"enum": [{"$id": "http://example.com/x"}], "$ref": "http://example.com/x"}
    with pytest.raises(SchemaError, match="registry="):
        target(schema)


def test_registries_and_metaschemas() -> None:
    remote = {"$defs": {"a": {"type": "null"}}, "properties": {"b": {"$ref": "#/$defs/a"}}}
    registry = Registry().with_resource("https://example.com/r.json", Resource.from_contents(remote, DRAFT202012))
    found = target({"$ref": "https://example.com/r.json#/properties/b"}, registry=registry)
    assert found.source is remote["properties"]["b"]
    with pytest.raises(SchemaError, match="does not hold"):
        target({"$ref": "https://example.com/other.json"}, registry=registry)
    assert target({"$ref": OLD}).source["title"] == "Core schema meta-schema"


def test_fragments_as_identifiers_of_older_drafts() -> None:
    for keyword, dialect in (("$id", OLD), ("id", OLDEST)):
        wanted = {keyword: "#name", "type": "null"}
        schema = {"$schema": dialect, "definitions": {"x": wanted}, "properties": {"p": {"$ref": "#name"}}}
        assert target(schema, "properties", "p").source is wanted
    with pytest.raises(SchemaError):
        target({"$schema": OLD, "definitions": {"x": {"id": "#name"}}, "allOf": [{"$ref": "#name"}]}, "allOf", 0)  # type: ignore[arg-type]


def test_identifiers_that_are_only_names_do_not_hide_the_root() -> None:
    schema = {
        "$schema": OLDEST,
        "definitions": {"x": {"type": "null"}},
        "properties": {"p": {"id": "/properties/p", "properties": {"q": {"$ref": "#/definitions/x"}}}},
    }
    assert target(schema, "properties", "p", "properties", "q").source is schema["definitions"]["x"]


def test_metaschemas_may_leave_vocabularies_out() -> None:
    base = "https://json-schema.org/draft/2020-12/"
    meta = {
        "$schema": base + "schema",
        "$id": "http://example.com/meta",
        "$vocabulary": {base + "vocab/core": True, base + "vocab/applicator": True},
    }
    registry = Registry().with_resource("http://example.com/meta", Resource.from_contents(meta))
    document = Document({"$schema": "http://example.com/meta", "type": "null", "items": True}, registry=registry)
    assert document.root.schema == {"$schema": "http://example.com/meta", "items": True}
    strange = {**meta, "$vocabulary": {**meta["$vocabulary"], "http://example.com/vocab/own": True}}
    registry = Registry().with_resource("http://example.com/meta", Resource.from_contents(strange))
    with pytest.raises(UnsupportedError, match="own"):
        Document({"$schema": "http://example.com/meta"}, registry=registry)


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("draft4", "draft-04"),
        ("draft-04", "draft-04"),
        ("Draft7", "draft-07"),
        ("2019-09", "2019-09"),
        ("draft2020-12", "2020-12"),
        (OLD, "draft-07"),
        ("https://json-schema.org/draft/2020-12/schema", "2020-12"),
    ],
)
def test_names_of_dialects(name: str, uri: str) -> None:
    assert uri in dialect_by_name(name).uri


def test_views_translate_older_forms() -> None:
    schema = {"items": [True, {"type": "null"}], "additionalItems": False, "exclusiveMinimum": True, "minimum": 3}
    assert view(schema, LENIENT) == {"prefixItems": [True, {"type": "null"}], "items": False, "exclusiveMinimum": 3}
    assert view({"items": {}, "additionalItems": False, "title": "t"}, LENIENT)["items"] == {}
    assert view({"exclusiveMaximum": False, "maximum": 3}, LENIENT) == {"maximum": 3}
    plain = {"type": "null", "title": "t", "properties": {}}
    for dialect in (*DIALECTS, LENIENT):
        assert view(plain, dialect) is plain
        alone = view({"$ref": "#", "type": "null"}, dialect)
        assert ("type" in alone) == (not dialect.ref_is_alone)


def test_dialects_ignore_what_they_do_not_know() -> None:
    schema = {"const": 1, "if": {}, "prefixItems": [], "$anchor": "a", "dependentRequired": {"a": ["b"]}}
    schema["dependencies"] = {"a": ["c"], "b": True}
    seen = {dialect.name: set(view(schema, dialect)) for dialect in DIALECTS}
    split = {"dependentRequired", "dependentSchemas"}
    assert seen["draft4"] == split
    assert seen["draft6"] == {"const", *split}
    assert seen["draft7"] == {"const", "if", *split}
    assert seen["draft2019-09"] == {"const", "if", "$anchor", "dependentRequired"}
    assert seen["draft2020-12"] == {"const", "if", "$anchor", "dependentRequired", "prefixItems"}
    assert view(schema, DIALECTS[2])["dependentRequired"] == {"a": ["c"]}
    assert view(schema, LENIENT)["dependentRequired"] == {"a": ["b", "c"]}
    assert view(schema, LENIENT)["dependentSchemas"] == {"b": True}


def test_options_choose_the_dialect_only_where_the_schema_does_not() -> None:
    options = JsonOptions(draft="draft-04")
    assert Document({"const": 1}, options=options).root.schema == {}
    assert Document({"$schema": OLD, "const": 1}, options=options).root.schema["const"] == 1


def test_pointers_are_those_of_the_text() -> None:
    document = Document({"items": [{"x": {}}], "additionalItems": {"properties": {"a/b": {}}}})
    assert document.child(document.root, "prefixItems", 0).pointer == "/items/0"
    rest = document.child(document.root, "items")
    assert document.child(rest, "properties", "a/b").pointer == "/additionalItems/properties/a~1b"
