"""The drafts of JSON Schema, and the translation of older forms into the vocabulary of 2020-12.

In: the value of `$schema` or of `JsonOptions.draft`, and subschemas as written. Out: a `Dialect`, and *views* of subschemas that
later stages read without knowing drafts: `items` as an array becomes `prefixItems` and `items`, a boolean `exclusiveMinimum`
becomes a number, keywords that a draft does not know disappear, and where `$ref` hides its siblings they are gone.

A schema that names no dialect is read as 2020-12 with the older forms understood (`LENIENT`).

Turned down: one validator class per draft (the drafts differ in a dozen places; five copies of the rest would drift apart).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_SINCE_6 = frozenset({"$id", "const", "contains", "propertyNames", "examples"})
_SINCE_7 = frozenset({"if", "then", "else", "contentMediaType", "contentEncoding", "readOnly", "writeOnly", "$comment"})
_SINCE_2019 = frozenset(
    {
        "$anchor",
        "$recursiveRef",
        "$recursiveAnchor",
        "$vocabulary",
        "dependentRequired",
        "dependentSchemas",
        "maxContains",
        "minContains",
        "unevaluatedItems",
        "unevaluatedProperties",
        "contentSchema",
    }
)
_SINCE_2020 = frozenset({"prefixItems", "$dynamicRef", "$dynamicAnchor"})
_GONE_2020 = frozenset({"$recursiveRef", "$recursiveAnchor", "dependencies", "id"})


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One draft. name: as in `JsonOptions.draft`; uri: its metaschema without the final `#`.

    unknown: keywords of other drafts, ignored here; ref_is_alone: `$ref` hides its siblings; id_keywords: where a base URI may
    stand, in order of preference; lenient: no draft was named.
    """

    name: str
    uri: str
    unknown: frozenset[str]
    ref_is_alone: bool
    id_keywords: tuple[str, ...]
    lenient: bool = False
    telling: frozenset[str] = field(init=False)  # without any of these, a subschema is its own view

    def __post_init__(self) -> None:
        telling = self.unknown | {"items", "exclusiveMinimum", "exclusiveMaximum"}
        object.__setattr__(self, "telling", telling | {"$ref"} if self.ref_is_alone else telling)


DRAFT4 = Dialect(
    "draft4", "http://json-schema.org/draft-04/schema", _SINCE_6 | _SINCE_7 | _SINCE_2019 | _SINCE_2020, True, ("id",)
)
DRAFT6 = Dialect(
    "draft6",
    "http://json-schema.org/draft-06/schema",
    _SINCE_7 | _SINCE_2019 | _SINCE_2020 | {"id"},
    True,
    ("$id",),
)
DRAFT7 = Dialect("draft7", "http://json-schema.org/draft-07/schema", _SINCE_2019 | _SINCE_2020 | {"id"}, True, ("$id",))
DRAFT2019 = Dialect(
    "draft2019-09",
    "https://json-schema.org/draft/2019-09/schema",
    _SINCE_2020 | {"dependencies", "id"},
    False,
    ("$id",),
)
DRAFT2020 = Dialect("draft2020-12", "https://json-schema.org/draft/2020-12/schema", _GONE_2020, False, ("$id",))
LENIENT = Dialect(
    "draft2020-12", "https://json-schema.org/draft/2020-12/schema", frozenset(), False, ("$id", "id"), lenient=True
)
# the keywords of each vocabulary of 2019-09 and 2020-12 that constrain; `core` cannot be left out
_VOCABULARIES = {
    "applicator": frozenset(
        "properties patternProperties additionalProperties propertyNames items prefixItems additionalItems contains allOf anyOf "
        "oneOf not if then else dependentSchemas".split()
    ),
    "unevaluated": frozenset({"unevaluatedItems", "unevaluatedProperties"}),
    "validation": frozenset(
        "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems "
        "minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired".split()
    ),
}
_SILENT_VOCABULARIES = frozenset("core meta-data format format-annotation format-assertion content".split())
DIALECTS = (DRAFT4, DRAFT6, DRAFT7, DRAFT2019, DRAFT2020)
_BY_URI = {dialect.uri.partition("://")[2]: dialect for dialect in DIALECTS}
_BY_NAME = {dialect.name: dialect for dialect in DIALECTS}


def dialect_by_name(name: str) -> Dialect:
    """The dialect of a name such as "draft2020-12", "draft-07", "draft7", "2019-09" or a metaschema's URI.

    Raises ValueError with the list of names when there is none.
    """
    if isinstance(name, str):
        by_uri = dialect_by_uri(name)
        if by_uri is not None:
            return by_uri
        plain = name.lower().removeprefix("draft").lstrip("-")
        found = _BY_NAME.get("draft" + (plain.lstrip("0") if len(plain) <= 2 else plain))
        if found is not None:
            return found
    raise ValueError(f"unknown draft {name!r}; known are {', '.join(_BY_NAME)}")


def dialect_by_uri(uri: str) -> Dialect | None:
    """The dialect whose metaschema has this URI (http or https, with or without a final `#`), or None."""
    return _BY_URI.get(uri.partition("://")[2].rstrip("#"))


def dialect_of_metaschema(base: Dialect, vocabularies: dict[str, bool]) -> tuple[Dialect, str | None]:
    """`base` restricted to the `$vocabulary` of a custom metaschema; and the URI of a required vocabulary that is unknown, or None."""
    present = set()
    strange = None
    for uri, is_required in vocabularies.items():
        name = uri.rpartition("/vocab/")[2]
        if "json-schema.org/draft/" in uri and (name in _VOCABULARIES or name in _SILENT_VOCABULARIES):
            present.add(name)
        elif is_required:
            strange = uri
    # in 2019-09 the keywords for what is unevaluated belong to `applicator`
    if "applicator" in present and base is DRAFT2019:
        present.add("unevaluated")
    missing = frozenset().union(*(keywords for name, keywords in _VOCABULARIES.items() if name not in present))
    return Dialect(base.name, base.uri, base.unknown | missing, base.ref_is_alone, base.id_keywords), strange


def view(schema: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """`schema` in the vocabulary of 2020-12: the same object when nothing needs translating, else a shallow copy.

    The subschemas in it are the original objects, so that their identity survives.
    """
    if dialect.telling.isdisjoint(schema):
        return schema
    if dialect.ref_is_alone and "$ref" in schema:
        return {"$ref": schema["$ref"]} if len(schema) > 1 else schema
    items = schema.get("items")
    old_items = isinstance(items, list)
    old_bounds = isinstance(schema.get("exclusiveMinimum"), bool) or isinstance(schema.get("exclusiveMaximum"), bool)
    if not old_items and not old_bounds and dialect.unknown.isdisjoint(schema):
        return schema
    result = {key: value for key, value in schema.items() if key not in dialect.unknown}
    if old_items:
        result["prefixItems"] = items
        rest = schema.get("additionalItems", True)
        result["items"] = rest
    result.pop("additionalItems", None)
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(result.get(exclusive), bool):
            if result.pop(exclusive) and inclusive in result:
                result[exclusive] = result.pop(inclusive)
    return result


def written_keys(schema: Any, keys: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path as the schema's author wrote it, for a path into its view (`prefixItems/0` may be written `items/0`)."""
    if keys and isinstance(schema, dict) and isinstance(schema.get("items"), list):
        if keys[0] == "prefixItems":
            return ("items", *keys[1:])
        if keys[0] == "items":
            return ("additionalItems", *keys[1:])
    return keys
