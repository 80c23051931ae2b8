"""Dynamic scopes, leaves and views, judged by a plain evaluation of Locations: against the official suite and `jsonschema`."""

from __future__ import annotations

import base64
import json
import random
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft201909Validator, Draft202012Validator
from jsonschema_specifications import REGISTRY
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from structgen.errors import LimitExceeded, SchemaError
from structgen.schema.keywords import check, report
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document
from tests.schema.evaluator import is_valid
from tests.schema.test_suite import SUITE, _remotes

NEW = "https://json-schema.org/draft/2020-12/schema"
BEFORE = "https://json-schema.org/draft/2019-09/schema"


def checked(schema: Any, **more: Any) -> Document:
    document = Document(schema, **more)
    check(document)
    return document


@pytest.mark.skipif(not SUITE.is_dir(), reason="the shared data is not beside the repository")
@pytest.mark.parametrize("draft", ["draft2020-12", "draft7"])
def test_official_suite_by_plain_evaluation(draft: str) -> None:
    registry, options = _remotes(draft), JsonOptions(draft=draft, formats="annotate")
    for path in sorted((SUITE / draft).glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal):
            document = checked(case["schema"], options=options, registry=registry)
            for test in case["tests"]:
                where = (path.name, case["description"], test["description"])
                assert is_valid(document, test["data"]) == test["valid"], where


class Maker:
    """Random documents of a few resources that refer to each other, and values for them."""

    def __init__(self, seed: int, draft: str) -> None:
        self.random = random.Random(seed)
        self.draft = draft
        self.names = [f"r{index}" for index in range(self.random.randint(2, 5))]

    def plain(self) -> dict[str, Any]:
        return dict(
            self.random.choice(
                [{"type": "integer"}, {"type": "string"}, {"const": 1}, {"maximum": 3}, {"minLength": 1}]
            )
        )

    def schema(self, depth: int, *, is_anchored: bool = False) -> dict[str, Any]:
        """is_anchored: it may be the target of a dynamic reference, after which jsonschema keeps the base URI of the first target."""
        pick, chance = self.random.choice, self.random.random()
        if depth == 0 or chance < 0.15:
            return self.plain()
        if chance < 0.4:
            if self.draft == BEFORE:
                return {"$recursiveRef": "#"}
            resources = [pick(self.names), *([] if is_anchored else ["", ""])]
            return {"$dynamicRef": pick(resources) + "#" + pick("ab")}
        if chance < 0.6:  # never by the name of a dynamic anchor: jsonschema takes that for a dynamic reference
            return {"$ref": pick(self.names) + pick(["", "", "#/$defs/a"])}
        if chance < 0.75:
            return {"items": self.schema(depth - 1, is_anchored=is_anchored)}
        if chance < 0.9:
            return {"properties": {pick("pq"): self.schema(depth - 1, is_anchored=is_anchored)}}
        return {
            pick(["anyOf", "allOf"]): [
                self.schema(depth - 1, is_anchored=is_anchored),
                self.schema(depth - 1, is_anchored=is_anchored),
            ]
        }

    def document(self) -> dict[str, Any]:
        pick, chance = self.random.choice, self.random.random
        resources: dict[str, Any] = {}
        # with some anchors left out, jsonschema looks for the outermost in one unbroken run of them, the specification does not
        all_recursive = chance() < 0.5
        for name in self.names:
            anchored = {anchor: self.schema(1, is_anchored=True) for anchor in "ab"}
            resource: dict[str, Any] = {"$id": name, **self.schema(2), "$defs": anchored}
            if self.draft == BEFORE:
                if all_recursive:
                    resource["$recursiveAnchor"] = True
            else:
                for anchor, inner in anchored.items():
                    inner["$dynamicAnchor" if chance() < 0.6 else "$anchor"] = anchor
            resources[name] = resource
        root: dict[str, Any] = {
            "$schema": self.draft,
            "$id": "http://example.com/root",
            "$ref": self.names[0],
            "$defs": resources,
        }
        if self.draft == BEFORE and all_recursive:
            root["$recursiveAnchor"] = True
        if self.draft == NEW:
            resources["own"] = {**self.plain(), "$dynamicAnchor": pick("abc")}
            outer, inner = self.random.sample(self.names, 2)
            resources[outer]["$defs"]["nested"] = resources.pop(inner)
        return root

    def value(self, depth: int) -> Any:
        chance, pick = self.random.random(), self.random.choice
        if depth == 0 or chance < 0.4:
            return pick([1, 2, 5, "", "x", None])
        if chance < 0.7:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 2))]
        return {name: self.value(depth - 1) for name in self.random.sample("pq", self.random.randint(0, 2))}


@pytest.mark.parametrize("draft", [NEW, BEFORE])
def test_random_documents_agree_with_jsonschema(draft: str) -> None:
    validator_class = Draft202012Validator if draft == NEW else Draft201909Validator
    n_scoped = n_valid = n_invalid = 0
    for seed in range(150):
        maker = Maker(seed, draft)
        schema = maker.document()
        document = Document(schema)
        try:
            check(document)
        except SchemaError as error:
            if "loop" not in str(error):
                raise
            continue
        n_scoped += document.root_resource.scope is not None
        validator = validator_class(schema)
        for _ in range(12):
            value = maker.value(3)
            verdict = is_valid(document, value)
            assert verdict == validator.is_valid(value), (schema, value)
            n_valid += verdict
            n_invalid += not verdict
    assert n_scoped > 15
    assert min(n_valid, n_invalid) > 100


def test_the_outermost_recursive_anchor_counts_even_across_a_gap() -> None:
    schema = {
        "$schema": BEFORE,
        "$id": "http://example.com/root",
        "$recursiveAnchor": True,
        "$ref": "middle",
        "minProperties": 1,
        "$defs": {
            "middle": {"$id": "middle", "$ref": "inner"},
            "inner": {"$id": "inner", "$recursiveAnchor": True, "additionalProperties": {"$recursiveRef": "#"}},
        },
    }
    document = checked(schema)
    assert is_valid(document, {"a": {"b": 1}})
    assert not is_valid(document, {"a": {}})
    schema["$defs"]["inner"]["$recursiveAnchor"] = False  # type: ignore[index]
    assert is_valid(checked(schema), {"a": {}})


def test_an_unknown_keyword_of_another_draft_is_no_dynamic_reference() -> None:
    for draft, keyword in (
        (BEFORE, "$dynamicRef"),
        (NEW, "$recursiveRef"),
        ("http://json-schema.org/draft-07/schema", "$dynamicRef"),
    ):
        document = checked({"$schema": draft, "items": {keyword: "#"}, "type": "array"})
        assert document.root_resource.scope is None
        assert is_valid(document, [1])


def test_scopes_are_shared_and_finite() -> None:
    """The metaschema refers to itself in eight resources; each place exists once per scope, however deep the value."""
    value: Any = {"type": "string"}
    for _ in range(30):
        value = {"properties": {"a": value}, "items": value if not isinstance(value, dict) else {"allOf": [True]}}
    document = checked({"$ref": NEW})
    assert is_valid(document, value)
    n_locations = len(document.locations)
    assert is_valid(document, {"$defs": {"x": value}})
    assert not is_valid(document, {"$defs": {"x": {"items": {"not": {"minLength": -1}}}}})
    assert len(document.locations) < n_locations + 100
    assert len({place.id for place in document.locations if place is not None}) == len(document.locations) - 1


def test_an_extended_metaschema_applies_to_what_its_parts_refer_to() -> None:
    strict = {
        "$schema": NEW,
        "$id": "http://example.com/strict",
        "$dynamicAnchor": "meta",
        "$ref": NEW,
        "unevaluatedProperties": False,
    }
    document = checked(strict)
    assert is_valid(document, {"properties": {"a": {"type": "string"}}})
    assert not is_valid(document, {"properties": {"a": {"typ": "string"}}})
    assert is_valid(checked({"$ref": NEW}), {"properties": {"a": {"typ": "string"}}})


def test_metaschemas_of_every_draft_are_built_in() -> None:
    for uri in REGISTRY:
        if uri.rstrip("#").endswith("schema") and "draft-03" not in uri and "vocab" not in uri:
            document = checked({"$ref": uri})
            assert is_valid(document, {"type": "string", "minLength": 3}), uri
            assert not is_valid(document, {"type": "strin"}), uri


def test_remote_documents_belong_to_the_dynamic_scope() -> None:
    remote = {
        "$schema": NEW,
        "items": {"$dynamicRef": "#x"},
        "$defs": {"x": {"$dynamicAnchor": "x", "type": "integer"}},
    }
    registry = Registry().with_resource("http://example.com/list", Resource.from_contents(remote))
    schema = {"$ref": "http://example.com/list", "$defs": {"mine": {"$dynamicAnchor": "x", "type": "string"}}}
    assert is_valid(checked(schema, registry=registry), ["a"])
    assert not is_valid(checked(schema, registry=registry), [1])
    assert is_valid(checked({"$ref": "http://example.com/list"}, registry=registry), [1])


def test_dynamic_references_need_scopes() -> None:
    document = Document({"items": {"$dynamicRef": "#x", "$dynamicAnchor": "x"}})
    with pytest.raises(RuntimeError, match="follow_scopes"):
        document.resolve_dynamic(document.child(document.root, "items"), "#x")
    assert (
        checked({"$id": "http://example.com/a", "$dynamicAnchor": "x", "items": {"$ref": "#"}}).root_resource.scope
        is None
    )


# -- leaves and made Locations ------------------------------------------------------------------------------------------------------


def test_a_part_keeps_its_keywords_and_their_subschemas() -> None:
    schema = {
        "$id": "http://example.com/a/",
        "items": [{"$ref": "b"}],
        "minItems": 1,
        "allOf": [True],
        "if": True,
        "then": True,
        "unevaluatedItems": False,
    }
    document = Document(schema)
    part = document.part(document.root, frozenset({"prefixItems", "minItems"}))
    assert part is not document.root
    assert document.at(part.id) is part
    assert part.pointer == document.root.pointer
    assert isinstance(part.schema, dict)
    assert set(part.schema) == {"prefixItems", "minItems"}
    assert part.schema["minItems"] == 1
    item = document.child(part, "prefixItems", 0)
    assert item is document.child(document.root, "prefixItems", 0)
    assert item.pointer == "/items/0"
    plain = document.child(document.root, "unevaluatedItems")
    assert document.part(plain, frozenset({"minItems"})) is plain


def test_made_schemas_resolve_where_they_stand() -> None:
    inner = {"$id": "inner/", "properties": {"p": {"$ref": "leaf"}}}
    schema = {"$id": "http://example.com/", "$defs": {"i": inner, "l": {"$id": "inner/leaf", "type": "null"}}}
    document = Document(schema)
    place = document.child(document.root, "$defs", "i")
    own = inner["properties"]["p"]  # type: ignore[index]
    made = document.synthetic({"anyOf": [{"items": {"$ref": "leaf"}}, own]}, place)
    below = document.child(document.child(made, "anyOf", 0), "items")
    assert document.resolve(below, "leaf").source == {"$id": "inner/leaf", "type": "null"}
    assert document.child(made, "anyOf", 1) is document.child(place, "properties", "p")


# -- views --------------------------------------------------------------------------------------------------------------------------


def test_dependencies_in_both_spellings_hold_together() -> None:
    schema = {
        "dependencies": {"a": {"required": ["b"]}, "c": ["d"]},
        "dependentSchemas": {"a": {"required": ["e"]}},
        "dependentRequired": {"c": ["f"]},
    }
    for _ in range(2):  # subschemas made on the way must not lose their identity
        document = checked(schema)
        assert is_valid(document, {"a": 1, "b": 1, "e": 1})
        assert not is_valid(document, {"a": 1, "b": 1})
        assert not is_valid(document, {"a": 1, "e": 1})
        assert not is_valid(document, {"c": 1, "d": 1})
        assert is_valid(document, {"c": 1, "d": 1, "f": 1})


def test_nullable_adds_null_to_the_type_beside_it() -> None:
    options = JsonOptions(openapi=True)
    for schema, admits_null in (
        ({"type": "string", "nullable": True}, True),
        ({"type": "string", "nullable": False}, False),
        ({"type": "string", "nullable": True, "enum": ["a"]}, False),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, True),
        ({"$ref": "#/x", "nullable": True, "x": {"type": "string"}}, False),
    ):
        document = checked(schema, options=options)
        assert is_valid(document, "a")
        assert is_valid(document, None) == admits_null, schema
    assert not is_valid(checked({"type": "string", "nullable": True}), None)


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_discriminator_chooses_the_branch(keyword: str) -> None:
    schema = {
        keyword: [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}, {"type": "null"}],
        "discriminator": {"propertyName": "kind", "mapping": {"hound": "#/components/schemas/Dog", "d": "Dog"}},
        "components": {
            "schemas": {
                "Cat": {"type": "object", "properties": {"lives": {"maximum": 9}}},
                "Dog": {"type": "object", "required": ["name"]},
            }
        },
    }
    document = checked(schema, options=JsonOptions(openapi=True))
    for value, verdict in (
        ({"kind": "Cat"}, True),
        ({"kind": "Cat", "lives": 10}, False),
        ({"kind": "Cat", "name": 1}, True),
        ({"kind": "hound"}, False),
        ({"kind": "hound", "name": 1, "lives": 10}, True),
        ({"kind": "d", "name": 1}, True),
        ({"kind": "Dog", "name": 1}, False),
        ({"name": 1}, False),
        (None, True),
    ):
        assert is_valid(document, value) == verdict, value
    assert is_valid(checked(schema), {"name": 1}) == (keyword == "anyOf")


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("base64", base64.b64encode),
        ("base64url", base64.urlsafe_b64encode),
        ("base32", base64.b32encode),
        ("base32hex", base64.b32hexencode),
        ("base16", base64.b16encode),
    ],
)
def test_content_encodings_are_what_python_encodes(name: str, encode: Any) -> None:
    document = checked({"contentEncoding": name.upper()}, options=JsonOptions(content="assert"))
    source = random.Random(name)
    texts = [encode(source.randbytes(n_bytes)).decode() for n_bytes in range(24) for _ in range(3)]
    valid = set(texts)
    for text in texts:
        assert is_valid(document, text), text
        if name != "base64url" and "=" in text:
            assert not is_valid(document, text.rstrip("=")), text
        for wrong in (text + "*", text + "=", text[:-1] + "\n" if text else "\n", "=" + text):
            assert wrong in valid or not is_valid(document, wrong), wrong
        if "=" not in text and text and name != "base16":
            assert is_valid(document, text[:-1]) == (name == "base64url" and _is_canonical(text[:-1]))
    assert is_valid(document, 3)
    assert is_valid(checked({"contentEncoding": name}), "*")


def _is_canonical(text: str) -> bool:
    padded = text + "=" * (-len(text) % 4)
    return base64.urlsafe_b64encode(base64.urlsafe_b64decode(padded)).decode() == padded


def test_other_content_encodings() -> None:
    options = JsonOptions(content="assert")
    for name, right, wrong in (
        ("7bit", "a\x00\x7f", "\x80"),
        ("quoted-printable", "a=3D=\r\nb c\r\n", "="),
        ("quoted-printable", "", "é"),
        ("quoted-printable", "=FF", "a \r\n"),
        ("quoted-printable", " a", "=ff"),
    ):
        document = checked({"contentEncoding": name, "allOf": [True]}, options=options)
        assert is_valid(document, right)
        assert not is_valid(document, wrong)
    assert is_valid(checked({"contentEncoding": "8bit"}, options=options), "é")


# -- limits and vocabularies --------------------------------------------------------------------------------------------------------


def _interwoven(n_anchors: int, n_resources: int) -> dict[str, Any]:
    """Resources that define different anchors and refer to each other: a scope for every order in which they can be entered."""
    source = random.Random(7)
    resources: dict[str, Any] = {}
    for index in range(n_resources):
        anchors = [anchor for anchor in range(n_anchors) if source.random() < 0.3]
        resources[f"r{index}"] = {
            "$id": f"r{index}",
            "properties": {str(link): {"$ref": f"r{source.randrange(n_resources)}"} for link in range(4)},
            "items": {"$dynamicRef": f"r{index}#own"},
            "$defs": {
                "own": {"$dynamicAnchor": "own"},
                **{str(anchor): {"$dynamicAnchor": f"a{anchor}", "type": "null"} for anchor in anchors},
            },
        }
    return {"$id": "http://example.com/", "$ref": "r0", "$defs": resources}


def test_scopes_meet_a_limit() -> None:
    checked(_interwoven(3, 4))
    with pytest.raises(LimitExceeded, match="dynamic scope"):
        checked(_interwoven(20, 30))
    chain = {
        f"a{index}": {"$id": f"r{index}", "$dynamicAnchor": f"a{index}", "items": {"$ref": f"r{(index + 1) % 2000}"}}
        for index in range(2000)
    }
    with pytest.raises(LimitExceeded, match="dynamic scopes"):
        checked(
            {"$id": "http://example.com/", "$defs": chain, "$ref": "r1", "not": {"items": {"$dynamicRef": "r3#a3"}}}
        )


def test_metaschemas_may_build_on_metaschemas() -> None:
    vocabularies = "https://json-schema.org/draft/2020-12/vocab/"
    first = {
        "$schema": NEW,
        "$vocabulary": {
            vocabularies + "core": True,
            vocabularies + "applicator": True,
            "http://example.com/mine": False,
        },
    }
    second = {"$schema": "http://example.com/first", "$id": "http://example.com/second"}
    circular = {"$schema": "http://example.com/circular"}
    registry = Registry().with_resources(
        (f"http://example.com/{name}", Resource.from_contents(contents, default_specification=DRAFT202012))
        for name, contents in (("first", first), ("second", second), ("circular", circular))
    )
    schema = {"items": {"type": "null"}, "minItems": 3, "$defs": {"x": {"$id": "x", "$schema": NEW, "maxItems": 1}}}
    for name in ("first", "second"):
        document = checked(
            {"$schema": f"http://example.com/{name}", **schema, "allOf": [{"$ref": "x"}]}, registry=registry
        )
        assert is_valid(document, [1])
        assert not is_valid(document, [1, 1])
        rows = {row[:2]: row[2:] for row in report(document)}
        assert rows["", "minItems"] == ("annotation", "the metaschema leaves its vocabulary out")
        assert rows["/$defs/x", "maxItems"] == ("enforced", "")
    assert not is_valid(checked({"$schema": "http://example.com/circular", **schema}, registry=registry), [1])
    assert not is_valid(checked({"$schema": "http://example.com/unknown", **schema}), [1])
