"""Write the bundled set: schemas of the ten kinds of JSONSchemaBench with instances that two validators agree on.

Usage: python -m structgen.jsonschemabench.make_bundled [--out FILE]
In: the tables of bundled_words and a fixed seed. Out: one object a
line, `id`, `split`, `schema`, `tests: [{valid, data}]`, gzipped; the same text each time. Every schema has at least two valid and two
invalid instances; each was judged by `jsonschema` (formats asserted) and by `jsonschema_rs`, and an instance on which they differ is
not taken. Keys of instances come in the schema's order, so that an engine that fixes the order is not blamed for it.

The kinds follow the published splits in what they use and how large they are; no schema was copied: Glaiveai2K (parameters of
functions), Github_trivial/easy/medium/hard/ultra (data models of five sizes, more keywords in the larger ones), Kubernetes (resources),
Snowplow (self-describing events), WashingtonPost (stories of typed elements with references), JsonSchemaStore (settings of tools).
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from structgen.jsonschemabench import BenchError
from structgen.jsonschemabench.bundled_words import EVENTS, FUNCTIONS, KINDS, MODELS, SETTINGS, STORY_PARTS
from structgen.jsonschemabench.data import BUNDLED_FILE
from structgen.jsonschemabench.nodes import (
    Node,
    described,
    either,
    field,
    items,
    mapping,
    nullable,
    record,
    referred,
)

__all__ = ["KINDS_OF_SCHEMAS", "judges", "main", "make_cases"]

SEED = "structgen-1"
PER_SPLIT = 32
N_EACH = 3  # valid and invalid instances of a schema, at most; two at least
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
PURPOSES = (
    "The {0} of this {1}",
    "{0}, as the {1} states it",
    "Sets the {0}",
    "Which {0} applies to the {1}",
    "Optional {0}",
)


def members_of(text: str) -> tuple[dict[str, Node], list[str]]:
    """(members, required names) of a row of the tables: fields between ` | `."""
    members: dict[str, Node] = {}
    required = []
    for part in filter(None, text.split(" | ")):
        name, _, kind = part.partition(": ")
        if name.endswith("!"):
            required.append(name[:-1])
        members[name.rstrip("!")] = field(kind)
    return members, required


def explained(members: Mapping[str, Node], of: str, random: Random, share: float) -> dict[str, Node]:
    """The members, `share` of them with a description."""
    return {
        name: described(node, random.choice(PURPOSES).format(name.replace("_", " "), of))
        if random.random() < share
        else node
        for name, node in members.items()
    }


def with_head(node: Node, **head: Any) -> Node:
    """The node with keywords before its own; a name with a leading underscore stands for one with `$`."""
    return Node(
        {name.replace("_", "$", 1): value for name, value in head.items()} | node.schema, node.valid, node.wrong
    )


# -- the kinds ------------------------------------------------------------------------------------------------------------------------


def function_call(number: int, random: Random) -> Node:
    """Parameters of one function, or a call of one of several by name."""
    names = list(FUNCTIONS)
    name = names[number % len(names)]
    purpose, _, rest = FUNCTIONS[name].partition(" | ")
    members, required = members_of(rest)
    node = record(explained(members, "call", random, 0.7), required, closed=number % 3 == 0, share=0.6)
    if number % 8 == 7:
        calls = []
        for other in (name, names[(number + 5) % len(names)], names[(number + 11) % len(names)]):
            inner, needed = members_of(FUNCTIONS[other].partition(" | ")[2])
            calls.append(
                record(
                    {"name": field(f"const {other}"), "arguments": record(inner, needed, closed=True)},
                    ["name", "arguments"],
                    closed=True,
                )
            )
        return with_head(either("anyOf", *calls), title="a call of a function")
    return with_head(node, title=name, description=purpose)


def _model(name: str, random: Random, describe: float) -> tuple[dict[str, Node], list[str]]:
    members, required = members_of(MODELS[name])
    return explained(members, name, random, describe), required


def trivial(number: int, random: Random) -> Node:
    """A few fields of one model, at most nine keys."""
    name = list(MODELS)[number % len(MODELS)]
    members, required = _model(name, random, 0.0)
    kept = dict(random.sample(list(members.items()), 2 + number // 16))
    node = record(kept, [key for key in required if key in kept] if number % 2 else [], share=0.7)
    return with_head(node, _schema=DRAFT_7) if number % 4 == 0 else node


def easy(number: int, random: Random) -> Node:
    """One model in full, with descriptions."""
    name = list(MODELS)[(number * 5) % len(MODELS)]
    members, required = _model(name, random, 0.5)
    node = record(members, required, closed=number % 2 == 0, share=0.6)
    return with_head(node, _schema=DRAFT_7 if number % 2 else DRAFT_2020, title=name)


def medium(number: int, random: Random) -> Node:
    """A model that holds two others: as an object, an array, a map or a choice; definitions in half of them."""
    names = list(MODELS)
    name, second, third = (names[(number + step) % len(names)] for step in (0, 3, 7))
    members, required = _model(name, random, 0.3)
    definitions: dict[str, Any] = {}
    for position, other in enumerate((second, third)):
        inner = record(*_model(other, random, 0.2), closed=random.random() < 0.5)
        if number % 2:
            definitions[other] = inner.schema
            inner = referred(other, inner)
        shape = (number + position) % 4
        members[other] = (
            inner
            if shape == 0
            else items(inner, 1, 5)
            if shape == 1
            else mapping(inner, "slug")
            if shape == 2
            else nullable(inner)
        )
    node = record(members, [*required, second], share=0.4)
    schema = node.schema | ({"definitions": definitions} if definitions else {})
    return with_head(Node(schema, node.valid, node.wrong), _schema=DRAFT_7)


def conditional(random: Random) -> Node:
    """An object whose `kind` decides what else it must have, by if/then/else."""
    slug, code = field("pattern slug"), field("pattern code")
    properties = {
        "kind": field("enum remote|local"),
        "url": field("format uri"),
        "path": field("pattern path"),
        "name": slug,
    }
    shut = record(properties, ["kind"], closed=True).schema
    shut |= {
        "if": {"properties": {"kind": {"const": "remote"}}, "required": ["kind"]},
        "then": {"required": ["url"]},
        "else": {"required": ["path"]},
        "dependentRequired": {"name": ["kind"]},
    }

    def valid(r: Random) -> Any:
        kind = r.choice(("remote", "local"))
        extra = {"url": properties["url"].valid(r)} if kind == "remote" else {"path": properties["path"].valid(r)}
        return {"kind": kind, **extra, **({"name": slug.valid(r)} if r.random() < 0.5 else {})}

    def wrong(r: Random) -> Any:
        kind = r.choice(("remote", "local"))
        return r.choice([{"kind": kind}, {"kind": "remote", "path": "/a/b"}, {**valid(r), "kind": code.valid(r)}])

    return Node(shut, valid, wrong)


def tree(name: str, leaf: str) -> Node:
    """A node with children of its own kind, through `$defs`."""
    value = field(leaf)
    schema = record({"label": field("text 1 40"), "value": value}, ["label"], closed=True).schema
    schema["properties"]["children"] = {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, "maxItems": 4}

    def grow(r: Random, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {"label": r.choice(("root", "branch", "leaf")), "value": value.valid(r)}
        if depth:
            made["children"] = [grow(r, depth - 1) for _ in range(r.randint(1, 2))]
        return made

    def wrong(r: Random) -> Any:
        made = grow(r, 1)
        made["children"][-1] = r.choice(({"value": value.valid(r)}, {"label": "x", "value": value.wrong(r)}, "leaf"))
        return made

    return Node(schema, lambda r: grow(r, r.randint(0, 2)), wrong)


def large(number: int, random: Random, n_sections: int) -> Node:
    """Many models under one root, some through `$defs`; combinators, conditions, recursion, maps, tuples."""
    names = list(MODELS)
    definitions: dict[str, Any] = {}
    members: dict[str, Node] = {"version": field("pattern version")}
    for position in range(n_sections):
        model = names[(number + position * 3) % len(names)]
        inner = record(*_model(model, random, 0.6), closed=random.random() < 0.5)
        if position % 3 == 0:
            definitions[model] = inner.schema
            inner = referred(model, inner, "$defs")
        shape = random.randrange(6)
        other = names[(number + position) % len(names)]
        key = f"{model}_{random.choice(('list', 'settings', 'source', 'spec', 'entry'))}_{position}"
        if shape == 0:
            members[key] = items(inner, random.randint(0, 2), random.randint(3, 8))
        elif shape == 1:
            members[key] = mapping(inner, random.choice(("slug", "label", "")))
        elif shape == 2:
            second = record(*_model(other, random, 0.3), closed=True)
            members[key] = either(random.choice(("anyOf", "oneOf")), inner, items(second, 1, 3))
        elif shape == 3:
            members[key] = conditional(random)
        elif shape == 4:
            members[key] = record({"data": inner, "note": field("text 0 80?"), "priority": field("int 0 9")}, ["data"])
        else:
            members[key] = inner
    definitions["tree"] = (grown := tree("tree", random.choice(("int 0 9", "flag", "format date")))).schema
    members["outline"] = referred("tree", grown, "$defs")
    node = record(members, ["version"], share=min(0.5, 4 / n_sections), more={"$defs": definitions})
    return with_head(node, _schema=DRAFT_2020)


def hard(number: int, random: Random) -> Node:
    """Some hundred to five hundred keys."""
    return large(number, random, 9 + number % 6)


def ultra(number: int, random: Random) -> Node:
    """More than five hundred keys."""
    return large(number, random, 26 + number % 16)


def resource(number: int, random: Random) -> Node:
    """A resource with metadata, a spec, and for workloads a list of containers; long descriptions, many nullable fields."""
    kind = list(KINDS)[number % len(KINDS)]
    version, text = KINDS[kind]
    spec, required = members_of(text)
    if version in ("apps/v1", "batch/v1"):
        container = {
            "name": field("pattern label"),
            "image": field("text 1 120"),
            "args": field("list text?"),
            "env": items(record({"name": field("pattern token"), "value": field("text?")}, ["name"]), 0, 20),
            "ports": items(
                record({"containerPort": field("int 1 65535"), "protocol": field("enum TCP|UDP")}, ["containerPort"]),
                0,
                10,
            ),
            "resources": record(
                {"limits": mapping(field("pattern quantity")), "requests": mapping(field("pattern quantity"))}
            ),
            "imagePullPolicy": field("enum Always|IfNotPresent|Never?"),
        }
        shown = explained(container, "container", random, 0.9)
        spec["containers"] = items(record(shown, ["name", "image"], share=0.3), 1)
        spec["selector"] = record({"matchLabels": nullable(mapping(field("text 0 63")))})
    metadata = {
        "name": field("pattern label"),
        "namespace": field("pattern label?"),
        "labels": nullable(mapping(field("text 0 63"))),
        "annotations": nullable(mapping(field("text 0 200"))),
        "creationTimestamp": field("format date-time?"),
        "generation": field("int 0 1000000?"),
    }
    status = {"phase": field("enum Pending|Active|Failed?"), "observedGeneration": field("int 0 1000000?")}
    members = {
        "apiVersion": field(f"enum {version}"),
        "kind": field(f"enum {kind}"),
        "metadata": described(
            record(explained(metadata, "object", random, 0.8), ["name"], share=0.3), "Standard data of the object"
        ),
        "spec": record(explained(spec, kind, random, 0.9), required, share=0.5, closed=number % 2 == 1),
        "status": nullable(record(explained(status, kind, random, 0.5))),
    }
    return with_head(
        record(members, ["apiVersion", "kind", "metadata", "spec"], share=0.3), description=f"A {kind}", _schema=DRAFT_7
    )


def event(number: int, random: Random) -> Node:
    """An event with its vendor and version; nullable fields, lengths, and `minProperties` in some."""
    name = list(EVENTS)[number % len(EVENTS)]
    vendor, _, short = name.partition("/")
    members, required = members_of(EVENTS[name])
    if number % 3 == 1:
        place = record(
            {"latitude": field("num -90 90"), "longitude": field("num -180 180")},
            ["latitude", "longitude"],
            closed=True,
        )
        members["place"] = nullable(place)
    if number % 3 == 2:
        members["contexts"] = items(
            record({"key": field("text 1 30"), "value": field("text 0 60?")}, ["key"], closed=True), 0, 4
        )
    node = record(
        explained(members, "event", random, 0.8),
        required,
        closed=number % 5 != 0,
        more={"minProperties": len(required)},
    )
    stamp = {
        "vendor": vendor,
        "name": short,
        "format": "jsonschema",
        "version": f"{1 + number // len(EVENTS)}-0-{number % 4}",
    }
    return with_head(node, _schema=DRAFT_7, description=f"Schema of the event {short}", self=stamp)


def story(number: int, random: Random) -> Node:
    """A story: typed elements in a list, credits, taxonomy, all through definitions."""
    chosen = random.sample(list(STORY_PARTS), 3 + number % 6)
    definitions: dict[str, Any] = {}
    parts = []
    for name in chosen:
        members, required = members_of(STORY_PARTS[name])
        element = {
            "_id": field("pattern token"),
            "type": field(f"const {name}"),
            **explained(members, "element", random, 0.6),
        }
        node = record(element, ["type", *required], share=0.4, closed=number % 3 == 0)
        definitions[f"element_{name}"] = node.schema
        parts.append(referred(f"element_{name}", node))
    credit = record(
        {"name": field("text 1 80"), "role": field("enum author|editor|photographer"), "url": field("format uri?")},
        ["name"],
    )
    definitions["credit"] = credit.schema
    tag = record({"slug": field("pattern slug"), "text": field("text 1 60")}, ["slug"], closed=True)
    members = {
        "_id": field("pattern token"),
        "type": field("const story"),
        "version": field("pattern version"),
        "headlines": record({"basic": field("text 1 140"), "mobile": field("text 0 80?")}, ["basic"]),
        "created_date": field("format date-time"),
        "content_elements": items(either("anyOf" if number % 2 else "oneOf", *parts), 1),
        "credits": mapping(items(referred("credit", credit)), "slug"),
        "taxonomy": record({"tags": items(tag, 0, 8), "primary": field("pattern slug?")}, closed=True),
        "canonical_url": field("pattern path"),
        "additional_properties": field("any"),
    }
    root = record(explained(members, "story", random, 0.7), ["type", "headlines", "content_elements"], share=0.3)
    return with_head(root, _schema=DRAFT_7, title="story", definitions=definitions)


def settings(number: int, random: Random) -> Node:
    """Settings of a tool: options, overrides for some files, a plugin list of names or objects, comments under `x-` names."""
    name = list(SETTINGS)[number % len(SETTINGS)]
    members, required = members_of(SETTINGS[name])
    plugin = record(
        {"name": field("pattern slug"), "enabled": field("flag"), "options": mapping(field("text 0 60"))},
        ["name"],
        closed=True,
    )
    switch = either(
        "oneOf", field("flag"), field("enum auto|strict"), record({"level": field("int 0 3")}, ["level"], closed=True)
    )
    override = record(
        {"files": items(field("text 1 100"), 1), "options": referred("options", record(dict(members)))},
        ["files"],
        closed=True,
    )
    options = explained(members, name, random, 0.9)
    whole = {
        **options,
        "$schema": field("format uri"),
        "plugins": items(
            either("anyOf", field("pattern slug"), referred("plugin", plugin)), 0, 10, unique=number % 2 == 0
        ),
        "checks": mapping(switch, "slug"),
        "overrides": items(override, 0, 5),
        "extends": either("anyOf", field("text 1 100"), items(field("text 1 100"), 1, 4)),
    }
    kept = {key: node for key, node in whole.items() if key in options or random.random() < 0.75}
    definitions = {"options": record(dict(members)).schema, "plugin": plugin.schema}
    node = record(kept, required, closed=True, share=0.4, more={"definitions": definitions})
    schema = node.schema | ({"patternProperties": {"^x-": {}}} if number % 3 == 0 else {})
    return with_head(Node(schema, node.valid, node.wrong), _schema=DRAFT_7, title=f"{name} settings")


KINDS_OF_SCHEMAS: dict[str, Callable[[int, Random], Node]] = {
    "Glaiveai2K": function_call,
    "Github_trivial": trivial,
    "Github_easy": easy,
    "Github_medium": medium,
    "Github_hard": hard,
    "Github_ultra": ultra,
    "Kubernetes": resource,
    "Snowplow": event,
    "WashingtonPost": story,
    "JsonSchemaStore": settings,
}


# -- judging and writing -----------------------------------------------------------------------------------------------------------------


def judges(schema: Any) -> tuple[Callable[[Any], bool], Callable[[Any], bool]]:
    """(`jsonschema`, `jsonschema_rs`) as functions of an instance, formats asserted. Raises ImportError without `jsonschema_rs`."""
    import jsonschema
    import jsonschema_rs

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    kind.check_schema(schema)
    first = kind(schema, format_checker=kind.FORMAT_CHECKER)
    return first.is_valid, jsonschema_rs.validator_for(schema, validate_formats=True).is_valid


def instances_of(node: Node, random: Random) -> list[dict[str, Any]]:
    """At most N_EACH valid and N_EACH invalid instances, no two of the same text, on which both judges agree."""
    first, second = judges(node.schema)
    found: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for attempt in range(400):
        wanted = attempt % 2 == 0
        value = (node.valid if wanted else node.wrong)(random)
        verdict = first(value)
        text = json.dumps(value, ensure_ascii=False)
        if verdict == second(value) == wanted and len(found[wanted]) < N_EACH:
            found[wanted].setdefault(text, value)
        if min(len(found[True]), len(found[False])) == N_EACH:
            break
    return [{"valid": valid, "data": value} for valid in (True, False) for value in found[valid].values()]


def make_cases() -> list[dict[str, Any]]:
    """Every case, the same ones each time. Raises BenchError for a schema without two valid and two invalid instances."""
    cases = []
    for split, make in KINDS_OF_SCHEMAS.items():
        for number in range(PER_SPLIT):
            node = make(number, Random(f"{SEED}/{split}/{number}"))
            tests = instances_of(node, Random(f"{SEED}/{split}/{number}/instances"))
            case_id = f"{split}---{number:02}"
            n_valid = sum(test["valid"] for test in tests)
            if n_valid < 2 or len(tests) - n_valid < 2:
                raise BenchError(
                    f"{case_id} has {n_valid} valid and {len(tests) - n_valid} invalid instances; 2 of each are needed"
                )
            cases.append({"id": case_id, "split": split, "schema": node.schema, "tests": tests})
    return cases


def main(arguments: list[str] | None = None) -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Write the bundled schemas and instances.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / BUNDLED_FILE)
    options = parser.parse_args(arguments)
    cases = make_cases()
    text = "".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) + "\n" for case in cases)
    options.out.write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))
    print(
        f"{len(cases)} schemas, {sum(len(case['tests']) for case in cases)} instances, {options.out.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
