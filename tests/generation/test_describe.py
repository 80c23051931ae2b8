"""The schema in the prompt: TypeScript-like types that show every member where it is declared, examples that validate."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import jsonschema
import pydantic
import pytest

from structgen.errors import LimitExceeded, SchemaError, StructgenError, UnsatisfiableError
from structgen.generation.describe import describe, described
from structgen.generation.examples import example, examples
from structgen.generation.typescript import typescript
from structgen.generation.values import ParameterError, read_target
from structgen.schema.options import JsonOptions
from tests.generation.test_calls import schemas

# -- the law of the types: every object literal has the members of one declaring place, in its order ----------------------------------

_TOKEN = re.compile(r'\s+|//[^\n]*|/\*.*?\*/|(?P<token>"(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z0-9_$.+-]+|.)', re.S)
Members = tuple[tuple[str, bool], ...]


class Reader:
    """A parser of what `typescript` writes: gives the members (name, optional) of each object literal; ValueError for anything else."""

    def __init__(self, text: str) -> None:
        self.tokens = [found["token"] for found in _TOKEN.finditer(text) if found["token"]]
        self.at = 0
        self.objects: list[Members] = []
        self.declared: list[str] = []
        self.used: set[str] = set()
        while self.at < len(self.tokens):
            self.take("type")
            self.declared.append(self.next())
            self.take("=")
            self.type()
            self.take(";")

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, *wanted: str) -> None:
        for one in wanted:
            if (token := self.next()) != one:
                raise ValueError(f"{one!r} wanted, {token!r} found after {self.tokens[max(0, self.at - 12) : self.at]}")

    def type(self) -> None:
        self.atom()
        while self.peek() in ("|", "&"):
            self.next()
            self.atom()

    def atom(self) -> None:
        token = self.next()
        if token == "(":
            self.type()
            self.take(")")
        elif token == "{":
            self.object()
        elif token == "[":
            while self.peek() != "]":
                if self.peek() == "...":
                    self.next()
                self.type()
                if self.peek() == "?":
                    self.next()
                if self.peek() != "]":
                    self.take(",")
            self.take("]")
        elif self.peek() == "<":
            self.take("<")
            self.type()
            self.take(">")
        elif not token.startswith('"') and not re.match(r"[A-Za-z_$0-9.-]", token):
            raise ValueError(f"no type begins with {token!r}")
        elif not token.startswith('"'):
            self.used.add(token)
        while self.peek() == "[" and self.tokens[self.at + 1] == "]":
            self.take("[", "]")

    def object(self) -> None:
        members, is_constant = [], False
        while self.peek() != "}":
            token = self.next()
            if token == "[":
                self.take("key", ":")
                self.type()
                self.take("]")
            else:
                name = json.loads(token) if token.startswith('"') else token
                optional = self.peek() == "?"
                if optional:
                    self.next()
                members.append((name, optional))
            self.take(":")
            self.type()
            if self.peek() != ";":  # a constant, as JSON writes it
                is_constant = True
                if self.peek() != "}":
                    self.take(",")
                continue
            self.take(";")
        self.take("}")
        if members and not is_constant:
            self.objects.append(tuple(members))


_HIDING = re.compile(r"draft-0[467]")
_UNHANDLED = {"$id", "id", "$anchor", "$dynamicRef", "$recursiveRef", "$dynamicAnchor"}


def declared_members(root: Any) -> Counter[Members]:
    """The members that each place of a schema declares, by a reading of its own: local pointers, each target once."""
    hides = isinstance(root, dict) and bool(_HIDING.search(str(root.get("$schema"))))
    old = isinstance(root, dict) and bool(re.search(r"draft-0[46]", str(root.get("$schema"))))  # without conditions
    found: Counter[Members] = Counter()
    targets: dict[str, Any] = {"#": root}
    queue = ["#"]

    def visit(schema: Any) -> None:
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if not reference.startswith("#"):
                pytest.skip("a remote reference")
            if reference not in targets:
                targets[reference] = pointed(root, reference)
                queue.append(reference)
            if hides:
                return
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        properties, required = schema.get("properties", {}), schema.get("required", [])
        required = required if isinstance(required, list) else []
        if not types or "object" in types:
            names = [(name, name not in required) for name in properties]
            names += [(name, False) for name in dict.fromkeys(required) if name not in properties]
            if names:
                found[tuple(names)] += 1
            for keyword in ("properties", "patternProperties"):
                for inner in schema.get(keyword, {}).values():
                    visit(inner)
            for keyword in ("additionalProperties", "unevaluatedProperties"):
                if schema.get(keyword, False) is not False:
                    visit(schema[keyword])
                    break
            if "propertyNames" in schema and (
                schema.get("additionalProperties") is not False
                or schema.get("unevaluatedProperties", False) is not False
            ):
                visit(schema["propertyNames"])
        if not types or "array" in types:
            items = schema.get("items")
            for inner in [*schema.get("prefixItems", []), *(items if isinstance(items, list) else [])]:
                visit(inner)
            rest = schema.get("additionalItems") if isinstance(items, list) else items
            visit(rest if rest is not None else schema.get("unevaluatedItems"))
            visit(schema.get("contains"))
        for keyword in ("allOf", "anyOf", "oneOf"):
            for inner in schema.get(keyword, []):
                visit(inner)
        if not old and "if" in schema and ("then" in schema or "else" in schema):
            for keyword in ("if", "then", "else"):
                visit(schema.get(keyword))
        visit(schema.get("not"))
        for inner in {**schema.get("dependencies", {}), **schema.get("dependentSchemas", {})}.values():
            visit(inner)

    for key in queue:
        visit(targets[key])
    return found


def pointed(root: Any, reference: str) -> Any:
    for part in unquote(reference).lstrip("#").split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        root = root[int(part)] if isinstance(root, list) else root[part]
    return root


def mentions(schema: Any, words: set[str]) -> bool:
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if not words.isdisjoint(node):
                return True
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return False


def check_types(schema: Any) -> None:
    text = typescript(schema)
    reader = Reader(text)
    assert len(set(reader.declared)) == len(reader.declared)
    assert Counter(reader.objects) == declared_members(schema), text


SCHEMAS: list[Any] = [
    True,
    False,
    {"type": "object"},
    {"type": "object", "additionalProperties": False},
    {"title": "a title!", "type": ["object", "null"], "properties": {"a-b": {}, "c": True, "": {"type": "null"}}, "required": ["c", "z"]},
    {"description": "x */ y\n// z", "properties": {"a": {"description": "one\n*/ two", "pattern": "a*/b"}, '"q"': {"const": "*/"}}},
    {"$defs": {"a": {"properties": {"next": {"$ref": "#/$defs/a"}, "b": {"$ref": "#"}}}}, "$ref": "#/$defs/a"},
    {"$defs": {"any": {"type": "string"}, "1/x": {"type": "null"}, "1.x": {"type": "null"}},
     "items": {"anyOf": [{"$ref": "#/$defs/any"}, {"$ref": "#/$defs/1~1x"}, {"$ref": "#/$defs/1.x"}]}},
    {"allOf": [{"properties": {"a": True}}, {"anyOf": [{"required": ["b"]}, {"required": ["c"]}]}], "type": "object"},
    {"if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["v"]}, "else": {"not": {"required": ["w"]}}},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"enum": ["a", None]}], "items": {"properties": {"z": True}}, "minItems": 1},
    {"type": "array", "prefixItems": [{"type": "integer"}], "items": False},
    {"type": "array", "items": {"type": ["string", "integer"]}, "contains": {"properties": {"c": {}}}, "uniqueItems": True},
    {"patternProperties": {"^x\"/*": {"properties": {"p": {}}}}, "propertyNames": {"enum": ["x", "y"]}},
    {"propertyNames": {"maxLength": 3}, "additionalProperties": { "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
    {"dependentSchemas": {"a": {"properties": {"b": {}}}}, "dependentRequired": {"a": ["c", "d"]}},
    {"enum": [{"a": 1}, [1, "x"], 2.5, None, "é\u2028"], "type": ["object", "array"], "properties": {"a": {"type": "integer"}}},
    {"type": "string", "properties": {"never": {}}},
    {"$schema": "http://json-schema.org/draft-04/schema#", "if": {"properties": {"a": {}}}, "then": {"required": ["b"]}},
    {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"d": {"type": "string"}},
     "properties": {"a": {"$ref": "#/definitions/d", "description": "beside", "properties": {"hidden": {}}}},
     "dependencies": {"a": ["b"], "c": {"properties": {"e": {}}}}, "items": [{"properties": {"i": {}}}], "additionalItems": False},
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "multipleOf": 5, "default": 10}, "t": {"format": "date"}}},
]  # fmt: skip


@pytest.mark.parametrize("n", range(len(SCHEMAS)))
def test_types_show_every_member_where_it_is_declared(n: int) -> None:
    check_types(SCHEMAS[n])


def test_the_law_fails_where_a_member_is_missing_or_elsewhere() -> None:
    text = typescript(SCHEMAS[6])
    for broken in (text.replace("next?", "next"), text.replace("  b?: Output;\n", ""), text.replace("next", "nex")):
        assert broken != text
        assert Counter(Reader(broken).objects) != declared_members(SCHEMAS[6])


def test_types_of_real_schemas_show_every_member() -> None:
    checked = 0
    for case_id, schema in schemas(200, seed=7):
        try:
            text = typescript(schema)
        except SchemaError:
            with pytest.raises(StructgenError):  # only what the compiler refuses as well
                examples(schema, 0)
            continue
        reader = Reader(text)
        if mentions(schema, _UNHANDLED):
            continue
        assert Counter(reader.objects) == declared_members(schema), case_id
        checked += 1
    assert checked > 120


class Node(pydantic.BaseModel):
    """A node of a tree."""

    name: str = pydantic.Field(description="what it is called", max_length=5)
    kind: int | None = None
    kids: list[Node] = []


def test_types_as_they_are_read() -> None:
    assert describe(Node, "typescript") == "\n".join(
        [
            "type Output = Node;",
            "",
            "// A node of a tree.",
            "type Node = {",
            "  // what it is called",
            "  name: string /* at most 5 characters */;",
            "  kind?: (number | null) /* default null */;".replace("(number", "(number /* integer */"),
            "  kids?: Node[] /* default [] */;",
            "};",
        ]
    )


def test_descriptions_and_notes_never_end_a_comment() -> None:
    text = typescript(SCHEMAS[5])
    assert text.startswith("// x */ y\n// // z\n")
    assert '/* pattern "a*\\/b" */' in text
    assert text.endswith(";")


def test_what_is_too_deep_or_too_large_is_a_limit() -> None:
    deep: Any = {}
    for _ in range(1500):
        deep = {"items": deep}
    with pytest.raises(LimitExceeded):
        typescript(deep)
    wide: Any = {"type": "string"}
    for n in range(20):
        wide = {"type": "object", "properties": {f"a{n}": wide, f"b{n}": wide}}
    with pytest.raises(LimitExceeded):
        typescript(wide)


# -- examples -----------------------------------------------------------------------------------------------------------------------


def errors_of(schema: Any, text: str) -> list[str]:
    cls = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    schema, value = (json.loads(one, parse_float=Decimal) for one in (json.dumps(schema), text))
    return [error.message for error in cls(schema, format_checker=cls.FORMAT_CHECKER).iter_errors(value)]


MORE: list[Any] = [
    {"type": "string", "pattern": "^[a-f]{3}-\\d+$"},
    {"type": "integer", "multipleOf": 7, "minimum": 100, "maximum": 200},
    {"type": "number", "exclusiveMinimum": 0.25, "maximum": 0.26},
    {"type": "object", "minProperties": 3, "additionalProperties": {"type": "boolean"}},
    {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 3},
    {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 3}], "not": {"const": 1}},
    {"type": "object", "properties": {"a": {"examples": ["shown", 3]}, "b": {"default": {"x": 1}, "type": "string"}}, "required": ["b"]},
    {"type": "string", "minLength": 40, "maxLength": 41},
    {"enum": [{"a": [1, 2.5]}, "x", None]},
    {"type": "string", "format": "email", "maxLength": 8},
    {"type": "object", "oneOf": [{"patternProperties": {"a|b": {"maximum": 35}}}, {"patternProperties": {"a": {"maximum": 35}}}]},
    {"type": "array", "minItems": 900, "items": {"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 10000}]}},
    {"type": "array", "contains": {"const": "c"}, "items": {"type": "string"}, "maxItems": 2},
    {"$defs": {"t": {"properties": {"l": {"$ref": "#/$defs/t"}, "r": {"$ref": "#/$defs/t"}},
                     "required": ["l"], "type": ["object", "null"]}},
     "$ref": "#/$defs/t"},
    {"type": "object", "properties": {"\"\\/é\n": {"const": "\"\\\n\u2028"}}, "required": ["\"\\/é\n"]},
]  # fmt: skip


@pytest.mark.parametrize("n", range(len(SCHEMAS) + len(MORE)))
def test_examples_validate(n: int) -> None:
    schema = [*SCHEMAS, *MORE][n]
    if schema is False:
        for make in (example, lambda s: examples(s, 1)):
            with pytest.raises(UnsatisfiableError):
                make(schema)
        return
    for text in (example(schema), *examples(schema, 12, seed=n)):
        assert not errors_of(schema, text), text


def test_examples_of_real_schemas_validate() -> None:
    made = 0
    for case_id, schema in schemas(60, seed=8):
        try:
            texts = [example(schema), *examples(schema, 3, seed=1)]
        except StructgenError:
            continue
        for text in texts:
            if text.isascii():  # Python's `re` knows fewer blanks than ECMA-262
                assert not errors_of(schema, text), (case_id, text)
        made += 1
    assert made > 45


def test_the_same_seed_gives_the_same_examples_and_all_are_different() -> None:
    schema = SCHEMAS[4]
    runs = [examples(schema, 8, seed=seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert all(len(set(run)) == len(run) == 8 for run in runs)
    assert len(examples({"enum": [1, 2, 3]}, 10)) == 3
    assert examples(True, 0) == []


def test_an_example_shows_what_the_schema_names() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "examples": [7, "first", "second"]},
            "b": {"type": ["null", "integer"], "default": 5},
            "c": {"enum": ["x", "y"]},
            "d": {"type": "string", "format": "date"},
            "e": {"type": "array", "items": {"type": "string"}},
            "f": {"type": "object", "additionalProperties": {"type": "integer"}},
            "g": {"type": "string", "examples": ["too long"], "maxLength": 3},
        },
    }
    assert json.loads(example(schema)) == {
        "a": "first", "b": 5, "c": "x", "d": "2024-05-17", "e": ["..."], "f": {"key": 1}, "g": "...",
    }  # fmt: skip


def test_recursion_ends() -> None:
    target = read_target(Node, None)
    text = example(target.schema, target.options)
    assert [len(kid["kids"]) if "kids" in kid else 0 for kid in json.loads(text)["kids"]] == [0]
    for text in examples(target.schema, 20, 3, target.options):
        target.validate(text)


def test_objects_of_types_are_closed_in_examples() -> None:
    target = read_target(pydantic.create_model("M", n=(int, ...)), None)
    assert all(set(json.loads(text)) == {"n"} for text in examples(target.schema, 20, 1, target.options))


# -- the prompt -----------------------------------------------------------------------------------------------------------------------


def test_json_schema_is_the_schema_itself() -> None:
    for schema in SCHEMAS:
        assert json.loads(describe(schema, "json-schema")) == schema
        assert json.loads(describe(json.dumps(schema), "json-schema")) == schema
    assert describe(SCHEMAS[4], None) == ""


def test_schema_text_and_dict_are_described_alike() -> None:
    for how in ("typescript", "example"):
        assert describe(json.dumps(SCHEMAS[4]), how) == describe(SCHEMAS[4], how)  # type: ignore[arg-type]


def test_messages_get_the_description_in_the_users_last_turn() -> None:
    user, assistant = {"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}
    added = described("p", True, "typescript").removeprefix("p")
    assert described([assistant, user], True, "typescript") == [assistant, {"role": "user", "content": "p" + added}]
    last = described([user, assistant], True, "typescript")
    assert last[:2] == [user, assistant]
    assert last[2] == {"role": "user", "content": added.strip()}
    assert user["content"] == "p"
    for prompt in ("", [], "p", [user]):
        assert described(prompt, True, None) == prompt
    assert described("", True, "typescript") == ""  # still empty, and refused where it is used


@pytest.mark.parametrize("how", ["xml", "", 3, ["typescript"], True])
def test_an_unknown_way_is_refused(how: Any) -> None:
    with pytest.raises(ParameterError, match="describe must be"):
        describe(True, how)
    with pytest.raises(ParameterError):
        described("p", True, how)


def test_bad_schemas_are_schema_errors() -> None:
    for how in ("typescript", "example"):
        for schema in ({"type": "nothing"}, "{no json", {"$ref": "#/nowhere"}, {"properties": 3}):
            with pytest.raises(SchemaError):
                describe(schema, how)  # type: ignore[arg-type]
    with pytest.raises(SchemaError):
        describe({"const": object()}, "json-schema")


@pytest.mark.parametrize("n", [-1, True, 1.5, "3", None])
def test_a_wrong_number_of_examples_is_refused(n: Any) -> None:
    with pytest.raises(ParameterError):
        examples(True, n)


def test_options_say_how_the_schema_is_read() -> None:
    closed = JsonOptions(extra_properties="closed")
    schema = {"properties": {"a": {"type": "integer"}}, "type": "object", "required": ["a", "b"]}
    assert all(set(json.loads(text)) == {"a", "b"} for text in examples(schema, 20, 1, closed))
    assert any(set(json.loads(text)) > {"a", "b"} for text in examples({**schema, "minProperties": 3}, 3))
    assert json.loads(describe(schema, "example", closed)).keys() == {"a", "b"}
