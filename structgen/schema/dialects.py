"""The drafts of JSON Schema, and the translation of older forms into the vocabulary of 2020-12.

In: the value of `$schema` or of `JsonOptions.draft`, and subschemas as written. Out: a `Dialect`, and *views* of subschemas that
later stages read without knowing drafts: `items` as an array becomes `prefixItems` and `items`, `dependencies` becomes
`dependentRequired` and `dependentSchemas`, a boolean `exclusiveMinimum` becomes a number, keywords that a draft does not know
disappear, and where `$ref` hides its siblings they are gone. On request the views also spell out what `nullable` and `discriminator`
of OpenAPI 3.0 and `contentEncoding` demand.

A schema that names no dialect is read as 2020-12 with the older forms understood (`LENIENT`). An array under `items`, invalid in
2020-12, is read as it was meant in every draft.

Turned down: one validator class per draft (the drafts differ in a dozen places; five copies of the rest would drift apart).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    stand, in order of preference; lenient: no draft was named; left_out: those of `unknown` whose vocabulary a custom metaschema leaves
    out; openapi, content: `nullable`, `discriminator` and `contentEncoding` constrain.
    """

    name: str
    uri: str
    unknown: frozenset[str]
    ref_is_alone: bool
    id_keywords: tuple[str, ...]
    lenient: bool = False
    left_out: frozenset[str] = frozenset()
    openapi: bool = False
    content: bool = False
    telling: frozenset[str] = field(init=False)  # without any of these, a subschema is its own view

    def __post_init__(self) -> None:
        telling = self.unknown | {"items", "exclusiveMinimum", "exclusiveMaximum", "dependencies"}
        if self.ref_is_alone:
            telling |= {"$ref"}
        if self.openapi:
            telling |= {"nullable", "discriminator"}
        if self.content:
            telling |= {"contentEncoding"}
        object.__setattr__(self, "telling", telling)

    def with_options(self, *, openapi: bool, content: bool) -> Dialect:
        """This dialect with `nullable` and `discriminator`, or with `contentEncoding`, constraining."""
        return replace(self, openapi=openapi, content=content) if openapi or content else self


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
    if "applicator" in present and base.name == DRAFT2019.name:
        present.add("unevaluated")
    missing = frozenset().union(*(keywords for name, keywords in _VOCABULARIES.items() if name not in present))
    return replace(base, unknown=base.unknown | missing, left_out=missing - base.unknown), strange


class Derived(dict[str, Any]):
    """A subschema that this module made: no author wrote it, so no report lists its keywords."""


def view(schema: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """`schema` in the vocabulary of 2020-12: the same object when nothing needs translating, else a shallow copy.

    The subschemas in it are the original objects, so that their identity survives; those that this module makes (for `discriminator`,
    or for a name under both `dependencies` and `dependentSchemas`) live as long as the view.
    """
    if dialect.telling.isdisjoint(schema):
        return schema
    if dialect.ref_is_alone and "$ref" in schema:
        return {"$ref": schema["$ref"]} if len(schema) > 1 else schema
    result = schema
    if not dialect.unknown.isdisjoint(schema):
        result = {key: value for key, value in schema.items() if key not in dialect.unknown}
    if isinstance(result.get("items"), list):
        result = dict(result)
        result["prefixItems"] = result["items"]
        if "additionalItems" in result:
            result["items"] = result.pop("additionalItems")
        else:
            del result["items"]
    elif "additionalItems" in result:
        result = {key: value for key, value in result.items() if key != "additionalItems"}
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(result.get(exclusive), bool):
            result = dict(result)
            if result.pop(exclusive) and inclusive in result:
                result[exclusive] = result.pop(inclusive)
    if isinstance(result.get("dependencies"), dict):
        result = _with_dependencies_split(result)
    if dialect.openapi:
        result = _with_openapi(result)
    if dialect.content:
        pattern = CONTENT_PATTERNS.get(str(result.get("contentEncoding")).lower())
        if pattern is not None and isinstance(result.get("allOf", []), list):
            result = {**result, "allOf": [*result.get("allOf", ()), pattern]}
    return result


def _with_dependencies_split(schema: dict[str, Any]) -> dict[str, Any]:
    """`dependencies` as `dependentRequired` (arrays) and `dependentSchemas` (anything else), added to what is there."""
    result = {key: value for key, value in schema.items() if key != "dependencies"}
    names, schemas = result.get("dependentRequired", {}), result.get("dependentSchemas", {})
    if not isinstance(names, dict) or not isinstance(schemas, dict):
        return result  # an error that `keywords.check` finds
    names, schemas = dict(names), dict(schemas)
    for name, value in schema["dependencies"].items():
        if isinstance(value, list):
            names[name] = [*names[name], *value] if name in names else value
        else:
            schemas[name] = Derived(allOf=[value, schemas[name]]) if name in schemas else value
    for keyword, value in (("dependentRequired", names), ("dependentSchemas", schemas)):
        if value:
            result[keyword] = value
    return result


def _with_openapi(schema: dict[str, Any]) -> dict[str, Any]:
    """`nullable` and `discriminator` (OpenAPI 3.0.3, Schema Object) spelt out.

    nullable: adds null to the `type` beside it and says nothing without one; an `enum` beside it must list null itself.
    discriminator: beside `oneOf` or `anyOf`, an object chooses its branch by the value of the property: one of the keys that `mapping`
    has for the branch's `$ref`, else the last part of the `$ref`. Branches without `$ref` have no name and stay as they are.
    """
    types = schema.get("type")
    if schema.get("nullable") is True and types is not None:
        listed = list(types) if isinstance(types, list) else [types]
        schema = {**schema, "type": listed if "null" in listed else [*listed, "null"]}
    given = schema.get("discriminator")
    name = given.get("propertyName") if isinstance(given, dict) else None
    if isinstance(given, dict) and isinstance(name, str):
        mapping = given.get("mapping", {})
        for keyword in ("oneOf", "anyOf"):
            branches = schema.get(keyword)
            if isinstance(branches, list) and isinstance(mapping, dict):
                chosen = [_discriminated(branch, name, mapping) for branch in branches]
                schema = {**schema, keyword: chosen}
    return schema


def _discriminated(branch: Any, name: str, mapping: dict[str, Any]) -> Any:
    """A branch that holds only where the property `name` chooses it."""
    reference = branch.get("$ref") if isinstance(branch, dict) else None
    if not isinstance(reference, str):
        return branch
    implied = reference.rpartition("/")[2]
    values = [key for key, target in mapping.items() if target in (reference, implied)] or [implied]
    # the choice is about objects; what else a branch admits is left to it
    return Derived(allOf=[branch], required=[name], properties={name: Derived(enum=values)})


def _base64(extra: str, padding: str) -> str:
    """RFC 4648, canonical: stray bits of the last group are 0. extra: digits 62 and 63; padding: follows "=" and "==" ("" or "?")."""
    digit = f"[A-Za-z0-9{extra}]"
    one, two = f"{digit}[AQgw](?:==){padding}", f"{digit}{{2}}[AEIMQUYcgkosw048]={padding}"
    return f"^(?:{digit}{{4}})*(?:{one}|{two})?$"


def _base32(digits: str) -> str:
    """digits: the 32 digits in order."""
    digit = f"[{digits}]"
    # 8, 16, 24 or 32 bits in 2, 4, 5 or 7 digits: the last of them has 2, 4, 1 or 3 stray bits, which are 0
    ends = "|".join(
        f"{digit}{{{n_digits - 1}}}[{digits[:: 1 << n_stray]}]={{{8 - n_digits}}}"
        for n_digits, n_stray in ((2, 2), (4, 4), (5, 1), (7, 3))
    )
    return f"^(?:{digit}{{8}})*(?:{ends})?$"


# what `contentEncoding` demands of a string; the objects are shared, so that each has one Location
CONTENT_PATTERNS = {
    "base64": Derived(pattern=_base64("+/", "")),
    "base64url": Derived(pattern=_base64("_-", "?")),
    "base32": Derived(pattern=_base32("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
    "base32hex": Derived(pattern=_base32("0123456789ABCDEFGHIJKLMNOPQRSTUV")),
    "base16": Derived(pattern="^(?:[0-9A-Fa-f]{2})*$"),
    "7bit": Derived(pattern="^[\\x00-\\x7f]*$"),
    "quoted-printable": Derived(pattern="^(?:[!-<>-~]|=[0-9A-F]{2}|[ \\t](?![\\r\\n]|$)|=?\\r\\n)*$"),
}


def written_keys(schema: Any, keys: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path as the schema's author wrote it, for a path into its view (`prefixItems/0` may be written `items/0`)."""
    if not keys or not isinstance(schema, dict):
        return keys
    first = keys[0]
    if first == "prefixItems" or first == "items":
        if isinstance(schema.get("items"), list):
            return ("items" if first == "prefixItems" else "additionalItems", *keys[1:])
    elif first == "dependentRequired" or first == "dependentSchemas":
        if "dependencies" in schema and (first not in schema or (len(keys) > 1 and keys[1] not in schema[first])):
            return ("dependencies", *keys[1:])
    elif first == "allOf" and len(keys) > 1 and keys[1] == len(schema.get("allOf", ())):
        return ("contentEncoding",)
    return keys
