"""The type of every part of a typed value: what pydantic makes of one field alone, found along the field's JSON Pointer.

In: a `pydantic.TypeAdapter`. Out: a tree of `Shape` (the types that a value at one place may have, with the validator for the text of
that value alone) and `Container` (what the members of an object or the items of an array there are). It is made as far as
values reach, each place once; a tree may serve any number of values and threads.

The tree is read from pydantic's core schema (`TypeAdapter.core_schema`), as that is what validates: annotations alone would miss field
validators and the model's configuration. A field's validator sees in `info.data` what pydantic would show it: the fields that
the model declares before it, as far as they are finished.

Unions: the members of an object of a union are read by the branches that are still possible. A finished member rules out the branches that
do not declare it, whose tag is another one, or whose `Literal` does not hold it. Where more than one is left, a part is read as
the union of what it is in each, so its value may differ from the one that the whole would give it.

Limits: no type is known below a plain validator function, `Json[...]`, `Any` and aliases that are paths of more than one step; members
there are plain JSON. Turned down: `validate_assignment` (it runs the model's validators, and needs an instance), and
`experimental_allow_partial` (it reads the whole text again for every part).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, Protocol

Schema = Mapping[str, Any]  # one node of pydantic's core schema
Config = Mapping[str, Any] | None
_MAX_NUMBER = 1000  # characters; Python refuses to read integers of more than 4300 digits


class Typed(Protocol):
    """What is needed of a `pydantic.TypeAdapter`."""

    @property
    def core_schema(self) -> Any: ...

    def validate_json(self, data: str | bytes, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Slot:
    """One type of a value: its schema, the configuration of the model around it, and the field that it fills ("" for an item)."""

    schema: Schema
    config: Config
    field_name: str = ""

    @property
    def looks_around(self) -> bool:
        """True if a validator of this field may look at the fields before it."""
        return bool(self.field_name) and _is_told(self.schema)


@dataclass(frozen=True, slots=True)
class Branch:
    """One way to read a container.

    fields: the declared members of an object by their names in JSON, or of a named tuple by index; rest: all others (None: not
    declared; an empty tuple: anything). tags: the values of the discriminator that lead here, if there is one. cls: the Pydantic
    model, if it is one. kind: the Python type that takes the items.
    """

    bracket: Literal["{", "["]
    fields: Mapping[str | int, _Slot]
    rest: tuple[_Slot, ...] | None
    cls: type | None = None
    kind: type = dict
    discriminator: str | None = None
    tags: tuple[Any, ...] = ()

    def declares(self, key: str | int) -> bool:
        """True if the type speaks of this member."""
        return key in self.fields or self.rest is not None

    def admits(self, key: str | int, text: str) -> bool:
        """False if a finished member shows that the value is of another branch."""
        if not self.declares(key):
            return False
        if key == self.discriminator:
            return _scalar(text) in self.tags
        slot = self.fields.get(key)
        expected = None if slot is None else _literals(slot.schema)
        return expected is None or _scalar(text) in expected


class Container:
    """What an object or an array at one place may hold."""

    __slots__ = ("_children", "_definitions", "_narrowed", "_others", "branches", "looks_around")

    def __init__(self, branches: tuple[Branch, ...], definitions: Mapping[str, Schema]) -> None:
        self.branches = branches
        self.looks_around = any(slot.looks_around for branch in branches for slot in branch.fields.values())
        self._definitions = definitions
        self._children: dict[str | int, Shape] = {}
        self._others: dict[bool, Shape | None] = {}  # undeclared members (False) and items (True) share one shape
        self._narrowed: dict[tuple[int, ...], Container] = {}

    def child(self, key: str | int) -> Shape | None:
        """The shape of a member or an item; None where no type is known."""
        if key in self._children:
            return self._children[key]
        if any(key in branch.fields for branch in self.branches):
            self._children[key] = Shape(self._slots(key), self._definitions, str(key))
            return self._children[key]
        is_item = isinstance(key, int)
        if is_item not in self._others:
            slots = self._slots(key)
            label = "item" if is_item else "value"
            self._others[is_item] = Shape(slots, self._definitions, label) if slots else None
        return self._others[is_item]

    def _slots(self, key: str | int) -> tuple[_Slot, ...]:
        found: list[_Slot] = []
        for branch in self.branches:
            slot = branch.fields.get(key)
            found += (branch.rest or ()) if slot is None else (slot,)
        return tuple(found)

    def earlier(self, key: str | int) -> list[tuple[str | int, str]]:
        """The members that the object's type declares before this one, as (name in JSON, field)."""
        found: list[tuple[str | int, str]] = []
        for branch in self.branches:
            if key in branch.fields:
                for name, slot in branch.fields.items():
                    if slot.field_name == branch.fields[key].field_name:
                        break
                    found.append((name, slot.field_name))
        return found

    def narrowed(self, key: str | int, text: str) -> Container:
        """What is left once a member without members of its own is known."""
        if len(self.branches) == 1:
            return self
        kept = tuple(i for i, branch in enumerate(self.branches) if branch.admits(key, text))
        if not kept or len(kept) == len(self.branches):
            return self
        if kept not in self._narrowed:
            self._narrowed[kept] = Container(tuple(self.branches[i] for i in kept), self._definitions)
        return self._narrowed[kept]


class Shape:
    """The types that a value at one place may have; more than one only below a union whose branch is not known."""

    __slots__ = ("_containers", "_definitions", "_label", "_slots", "_validate", "looks_around")

    def __init__(self, slots: tuple[_Slot, ...], definitions: Mapping[str, Schema], label: str) -> None:
        self._slots = slots
        self.looks_around = any(slot.looks_around for slot in slots)
        self._definitions = definitions
        self._label = label
        self._containers: dict[str, Container | None] = {}
        self._validate: Callable[[str], Any] | None = None

    @classmethod
    def of(cls, typed: Typed) -> Shape:
        """The shape of a whole value. typed: a `pydantic.TypeAdapter`."""
        schema: Schema = typed.core_schema
        definitions: dict[str, Schema] = {}
        while schema["type"] == "definitions":
            definitions |= {definition["ref"]: definition for definition in schema["definitions"]}
            schema = schema["schema"]
        shape = cls((_Slot(schema, None),), definitions, "")
        shape._validate = typed.validate_json
        return shape

    def container(self, bracket: str) -> Container | None:
        """What the object ("{") or the array ("[") that begins here may hold; None where no type is known."""
        if bracket not in self._containers:
            branches = tuple(
                branch
                for slot in self._slots
                for branch in _branches(slot.schema, slot.config, self._definitions, None, frozenset())
                if branch.bracket == bracket
            )
            self._containers[bracket] = Container(branches, self._definitions) if branches else None
        return self._containers[bracket]

    def validate(self, text: str, earlier: Mapping[str, Any] | None = None) -> Any:
        """What pydantic makes of the JSON text of a value here. Raises pydantic.ValidationError for what a validator objects to.

        earlier: fields of the same object and their values, for `info.data`; needed only of a shape that `looks_around`.
        """
        if earlier:
            return self._validator(earlier)(text)
        if self._validate is None:
            self._validate = self._validator({})
        return self._validate(text)

    def _validator(self, earlier: Mapping[str, Any]) -> Callable[[str], Any]:
        """The value is read as the one member of an object, so that field validators are told the field's name.

        The other fields are absent from that object and have their values as defaults, which is how they get into `info.data`.
        """
        from pydantic_core import SchemaValidator

        choices = [_alone(slot, self._label, earlier) for slot in self._slots]
        schema: Any = choices[0] if len(choices) == 1 else {"type": "union", "choices": choices}
        if self._definitions:
            schema = {"type": "definitions", "schema": schema, "definitions": list(self._definitions.values())}
        read = SchemaValidator(schema).validate_json
        head = f"{{{json.dumps(self._label)}:"

        def validate(text: str) -> Any:
            _, value = read(f"{head}{text}}}").popitem()  # the last field
            return value

        return validate


def _alone(slot: _Slot, label: str, earlier: Mapping[str, Any]) -> dict[str, Any]:
    name = slot.field_name or label
    fields: dict[str, Any] = {}
    for other, value in earlier.items():
        if other != name:
            known = {"type": "default", "schema": {"type": "any"}, "default": value}
            absent = f"\0{other}"  # under no name of the text: its only one is the label
            fields[other] = {"type": "typed-dict-field", "schema": known, "required": False, "validation_alias": absent}
    fields[name] = {
        "type": "typed-dict-field",
        "schema": slot.schema,
        "required": False,
        "validation_alias": label,
    }
    config = {
        **(slot.config or {}),
        "extra_fields_behavior": "ignore",
        "populate_by_name": False,
        "validate_by_name": False,
    }
    return {"type": "typed-dict", "fields": fields, "config": config}


_INNER = {  # wrappers: the schema that the JSON value goes to next
    "default": "schema",
    "nullable": "schema",
    "custom-error": "schema",
    "function-before": "schema",
    "function-after": "schema",
    "function-wrap": "schema",
    "json-or-python": "json_schema",
    "lax-or-strict": "lax_schema",
}
_ITEMS = {"list": list, "set": set, "frozenset": frozenset, "generator": list, "deque": list}
_MAPPINGS = ("dict", "defaultdict", "ordered-dict", "counter")


def _branches(
    schema: Schema, config: Config, definitions: Mapping[str, Schema], cls: type | None, seen: frozenset[str]
) -> Iterator[Branch]:
    """Every container that a schema admits, in the order of its choices. seen: the definitions on the way here."""
    kind = schema["type"]
    if kind in _INNER:
        yield from _branches(schema[_INNER[kind]], config, definitions, cls, seen)
    elif kind == "definition-ref":
        ref = schema["schema_ref"]
        if ref not in seen and ref in definitions:
            yield from _branches(definitions[ref], config, definitions, cls, seen | {ref})
    elif kind == "chain":
        yield from _branches(schema["steps"][0], config, definitions, cls, seen)
    elif kind == "union":
        for choice in schema["choices"]:
            inner = choice[0] if isinstance(choice, tuple) else choice
            yield from _branches(inner, config, definitions, None, seen)
    elif kind == "tagged-union":
        yield from _tagged(schema, config, definitions, seen)
    elif kind == "model":
        is_object = not schema.get("root_model")
        yield from _branches(
            schema["schema"], schema.get("config"), definitions, schema["cls"] if is_object else None, seen
        )
    elif kind == "dataclass":
        yield from _branches(schema["schema"], schema.get("config"), definitions, None, seen)
    elif kind == "model-fields":
        yield Branch("{", _members(schema["fields"].items(), config), _extras(schema, config), cls)
    elif kind == "typed-dict":
        own = schema.get("config", config)
        yield Branch("{", _members(schema["fields"].items(), own), _extras(schema, own))
    elif kind == "dataclass-args":
        fields = ((member["name"], member) for member in schema["fields"])
        yield Branch("{", _members(fields, config), _extras(schema, config))
    elif kind in _MAPPINGS:
        yield Branch("{", {}, _slots(schema.get("values_schema"), config))
    elif kind in _ITEMS:
        yield Branch("[", {}, _slots(schema.get("items_schema"), config), None, _ITEMS[kind])
    elif kind == "tuple":
        yield _tuple(schema["items_schema"], schema.get("variadic_item_index"), config)
    elif kind == "named-tuple":
        yield _positional(schema["fields"], schema.get("config", config))
    elif kind == "call":  # how pydantic before 2.14 reads a named tuple
        arguments = schema["arguments_schema"]
        if arguments["type"] == "arguments":
            yield _positional(arguments["arguments_schema"], config)


_NO_SCHEMAS = ("default", "metadata", "serialization", "expected", "cls")  # keys that hold values of the user


def _is_told(schema: Any) -> bool:
    """True if a validator function of this value is told about the validation (`info`); those of models inside it are their own matter."""
    if isinstance(schema, Mapping):
        kind = schema.get("type")
        if kind in ("model", "dataclass", "typed-dict", "with-info"):
            return bool(kind == "with-info")
        return any(_is_told(inner) for key, inner in schema.items() if key not in _NO_SCHEMAS)
    return isinstance(schema, list | tuple) and any(_is_told(inner) for inner in schema)


def _tagged(
    schema: Schema, config: Config, definitions: Mapping[str, Schema], seen: frozenset[str]
) -> Iterator[Branch]:
    discriminator = schema["discriminator"]
    if isinstance(discriminator, list):  # aliases: paths of which one step is a member of this object
        names = {path[0] for path in discriminator if len(path) == 1}
        discriminator = names.pop() if len(names) == 1 else None
    choices: Mapping[Any, Any] = schema["choices"]
    tags: dict[int, list[Any]] = {}
    by_id: dict[int, Schema] = {}
    for tag, choice in choices.items():
        while not isinstance(choice, Mapping):  # a tag that stands for another one
            choice = choices[choice]
        by_id[id(choice)] = choice
        tags.setdefault(id(choice), []).append(_plain(tag))
    for found, choice in by_id.items():
        for branch in _branches(choice, config, definitions, None, seen):
            if branch.bracket == "{" and isinstance(discriminator, str) and branch.discriminator is None:
                yield Branch(
                    "{", branch.fields, branch.rest, branch.cls, branch.kind, discriminator, tuple(tags[found])
                )
            else:
                yield branch


def _members(fields: Any, config: Config) -> dict[str | int, _Slot]:
    """Declared members by the names that they have in JSON."""
    settings = config or {}
    found: dict[str | int, _Slot] = {}
    by_name: dict[str | int, _Slot] = {}
    for name, member in fields:
        slot = _Slot(member["schema"], config, name)
        alias = member.get("validation_alias")
        if alias is None:
            found[name] = slot
            continue
        if settings.get("populate_by_name") or settings.get("validate_by_name"):
            by_name[name] = slot
        if settings.get("validate_by_alias", True):
            paths = [[alias]] if isinstance(alias, str) else [alias] if not isinstance(alias[0], list) else alias
            found |= {path[0]: slot for path in paths if len(path) == 1}
    return by_name | found


def _extras(schema: Schema, config: Config) -> tuple[_Slot, ...] | None:
    behaviour = schema.get("extra_behavior") or (config or {}).get("extra_fields_behavior")
    return _slots(schema.get("extras_schema"), config) if behaviour == "allow" else None


def _slots(schema: Schema | None, config: Config) -> tuple[_Slot, ...]:
    return () if schema is None else (_Slot(schema, config),)


def _tuple(items: Sequence[Schema], variadic: int | None, config: Config) -> Branch:
    """Before the item that repeats, the index says which item it is; from there on it may be that one or a later one."""
    slots = [_Slot(item, config) for item in items]
    fixed = len(slots) if variadic is None else variadic
    rest = None if variadic is None else tuple(slots[fixed:])
    return Branch("[", dict(enumerate(slots[:fixed])), rest, None, tuple)


def _positional(fields: Sequence[Schema], config: Config) -> Branch:
    slots: dict[str | int, _Slot] = {}
    for i, member in enumerate(fields):
        slots[i] = _Slot(member["schema"], config, member["name"])
    return Branch("[", slots, None, None, tuple)


def _literals(schema: Schema) -> tuple[Any, ...] | None:
    """The values of a `Literal`; None for any other schema."""
    while schema["type"] == "default":
        schema = schema["schema"]
    return tuple(_plain(value) for value in schema["expected"]) if schema["type"] == "literal" else None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _scalar(text: str) -> Any:
    """The value of a JSON text; None for what no `Literal` holds (containers, very long numbers).

    It is compared as Python does: 1 is 1.0 and True, for which pydantic may take it.
    """
    if text[0] in "{[" or (text[0] != '"' and len(text) > _MAX_NUMBER):
        return None
    return json.loads(text)


__all__ = ["Branch", "Container", "Shape", "Typed"]
