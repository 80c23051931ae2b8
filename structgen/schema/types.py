"""Python types as schemas: Pydantic models, dataclasses, TypedDicts, named tuples, Enums, Literals, unions and builtins.

In: a type. Out: a `TypedSchema`: the JSON Schema of what `pydantic` accepts for it, and the function that turns JSON text into a
value of that type. Objects of such schemas are closed (a model must not invent fields) unless the type says otherwise, as
`model_config = ConfigDict(extra="allow")` or `dict[str, int]` do.

pydantic is imported when the first type arrives. Turned down: reading annotations ourselves (pydantic is what users validate with;
two readings of one type would differ).
"""

from __future__ import annotations

import functools
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from structgen.errors import SchemaError

_NAMES_OF_TYPES = frozenset({"binary", "directory-path", "file-path", "password", "path"})


@dataclass(frozen=True, slots=True)
class TypedSchema:
    """schema: JSON Schema 2020-12; validate: JSON text to a value of the type (raises pydantic.ValidationError when validators of
    the type object); closed: objects admit declared names only, where the schema does not say otherwise; adapter: the type's
    `pydantic.TypeAdapter`."""

    schema: dict[str, Any]
    validate: Callable[[str | bytes], Any]
    closed: bool
    adapter: Any


def schema_of(tp: Any) -> TypedSchema:
    """The schema of a Python type. Raises SchemaError for what is no type, or a type that JSON cannot express."""
    if tp is None:
        raise SchemaError("None is not a type; pass a schema, or type(None) for null")
    if isinstance(tp, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
        raise SchemaError(f"{_name(tp)} is a function, not a type")
    import pydantic
    from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation

    if isinstance(tp, pydantic.BaseModel):
        raise SchemaError(f"an instance of {_name(type(tp))} is not a type; pass the class")
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(_readable(tp))
        schema = adapter.json_schema(mode="validation", schema_generator=_schema_generator())
    except (PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation, pydantic.errors.PydanticUserError) as error:
        raise SchemaError(f"no JSON Schema for {_name(tp)}: {error.message}") from error
    except (TypeError, ValueError, NameError) as error:
        raise SchemaError(f"no JSON Schema for {_name(tp)}: {error}") from error
    return TypedSchema(_without_discriminators(schema), adapter.validate_json, closed=True, adapter=adapter)


@functools.cache
def _schema_generator() -> Any:
    """pydantic's generator of JSON Schema, nearer to what its validators take.

    A Decimal is a number within its digits (pydantic admits any string beside it), and the keys of a `dict[int, ...]` are spelled as
    integers. Formats that only name pydantic's own types are left out: they say nothing of the text. `max_digits` without `decimal_places`,
    and bounds of keys, are left to the validators.
    """
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        def generate_inner(self, schema: Any) -> dict[str, Any]:
            made: dict[str, Any] = super().generate_inner(schema)
            if made.get("type") == "string" and made.get("format") in _NAMES_OF_TYPES:
                del made["format"]
            return made

        def decimal_schema(self, schema: Any) -> dict[str, Any]:
            made: dict[str, Any] = super().decimal_schema(schema)
            number = next((dict(one) for one in made.get("anyOf", ()) if one.get("type") == "number"), None)
            if number is None:
                return made
            places, digits = schema.get("decimal_places"), schema.get("max_digits")
            if places is not None:
                number.setdefault("multipleOf", 1 if places <= 0 else float(f"1e-{places}"))
            if digits is not None:
                bound = 10 ** max(0, digits - max(0, places or 0))
                if number.get("maximum", bound) >= bound:
                    number["exclusiveMaximum"] = min(number.get("exclusiveMaximum", bound), bound)
                if number.get("minimum", -bound) <= -bound:
                    number["exclusiveMinimum"] = max(number.get("exclusiveMinimum", -bound), -bound)
            return number

        def dict_schema(self, schema: Any) -> dict[str, Any]:
            made: dict[str, Any] = super().dict_schema(schema)
            if schema.get("keys_schema", {}).get("type") == "int" and "propertyNames" not in made:
                made["propertyNames"] = {"pattern": "^(0|-?[1-9][0-9]{0,17})$"}
            return made

    return Generator


def _name(tp: Any) -> str:
    return str(getattr(tp, "__qualname__", None) or repr(tp)[:100])


def _readable(tp: Any) -> Any:
    """The type with every `typing.TypedDict` replaced by one that pydantic reads (before Python 3.12 it needs typing_extensions')."""
    if sys.version_info >= (3, 12):
        return tp
    return _modern(tp, {})


def _modern(tp: Any, done: dict[int, Any]) -> Any:
    if id(tp) in done:
        return done[id(tp)]
    if typing.is_typeddict(tp) and type(tp).__module__ == "typing":
        import typing_extensions

        hints = typing.get_type_hints(tp, include_extras=True)
        done[id(tp)] = typing.ForwardRef(tp.__name__)  # a TypedDict that contains itself is not rebuilt
        fields = {}
        for name, hint in hints.items():
            inner = _modern(hint, done)
            is_required = name in tp.__required_keys__
            fields[name] = typing_extensions.Required[inner] if is_required else typing_extensions.NotRequired[inner]
        if any(_mentions(hint, tp) for hint in hints.values()):
            raise SchemaError(f"{tp.__name__} contains itself: derive it from typing_extensions.TypedDict")
        made: Any = typing_extensions.TypedDict(tp.__name__, fields)  # type: ignore[misc]
        made.__doc__ = tp.__doc__
        done[id(tp)] = made
        return made
    origin, arguments = typing.get_origin(tp), typing.get_args(tp)
    if origin is None or not arguments or origin is typing.Literal:
        return tp
    inner = tuple(_modern(argument, done) for argument in arguments)
    if all(new is old for new, old in zip(inner, arguments, strict=True)):
        return tp
    if origin in (typing.Required, typing.NotRequired):
        return inner[0]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[inner]  # noqa: UP007 - built at run time
    if origin is typing.Annotated:
        return typing.Annotated[(inner[0], *tp.__metadata__)]
    return origin[inner]


def _mentions(hint: Any, tp: Any) -> bool:
    return hint is tp or any(_mentions(inner, tp) for inner in typing.get_args(hint))


def _without_discriminators(schema: dict[str, Any]) -> dict[str, Any]:
    """pydantic's tagged unions as `anyOf` whose branches require the tag.

    Their `oneOf` means the same: the tag is a constant that differs from branch to branch, and a value without it is refused.
    """
    stack: list[Any] = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            discriminator = node.get("discriminator")
            if (
                isinstance(discriminator, dict)
                and isinstance(discriminator.get("propertyName"), str)
                and "oneOf" in node
            ):
                tag = discriminator["propertyName"]
                node["anyOf"] = [{"allOf": [branch], "required": [tag]} for branch in node.pop("oneOf")]
                del node["discriminator"]
            stack += node.values()
    return schema


__all__ = ["TypedSchema", "schema_of"]
