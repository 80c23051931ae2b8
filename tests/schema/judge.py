"""jsonschema as the judge of values over the whole language, and the spellings of a value as JSON text.

In: a schema (numbers as int or Decimal) and a draft. Out: whether a value with exact numbers is valid. Built on the keywords of
`tests/machine/oracle.py` (ECMA-262 patterns, exact `multipleOf`, 1.0 is an integer), with three more put right:

    uniqueItems             jsonschema sorts, and so misses [[1], [true], [1]]; here every pair is compared
    unevaluated*            jsonschema looks for what is evaluated without the base URI and with Python's patterns, and in 2019-09 reads
                            `additionalProperties` like `properties`; here by one walk over the subschemas that succeed
    `$schema` at the root   jsonschema goes back to its own class when a reference leads to such a root; it is taken off here

Turned down: a validator written from nothing (two interpretations of the same author agree with each other and prove little).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import jsonschema
import regex
from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator, Draft202012Validator
from jsonschema import validators as jsonschema_validators
from referencing.jsonschema import lookup_recursive_ref

from tests.machine import oracle

CLASSES = {
    "draft4": Draft4Validator,
    "draft6": Draft6Validator,
    "draft7": Draft7Validator,
    "draft2019-09": Draft201909Validator,
    "draft2020-12": Draft202012Validator,
}


# -- equality ---------------------------------------------------------------------------------------------------------------------


def equal(one: Any, two: Any) -> bool:
    """Whether two JSON values are the same value: 1 and 1.0 are, 1 and true are not, members have no order."""
    if isinstance(one, bool) or isinstance(two, bool) or one is None or two is None:
        return one is two
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(equal, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(equal(value, two[key]) for key, value in one.items())
    return bool(one == two)


def _unique_items(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if wanted and validator.is_type(instance, "array"):
        for i, item in enumerate(instance):
            if any(equal(item, other) for other in instance[:i]):
                yield jsonschema.ValidationError(f"{item!r} comes twice")


# -- what is evaluated --------------------------------------------------------------------------------------------------------------


def _subvalidator(validator: Any, schema: Any) -> Any:
    resource = _specification(validator).create_resource(schema)
    return validator.evolve(schema=schema, _resolver=validator._resolver.in_subresource(resource))


def _specification(validator: Any) -> Any:
    from referencing.jsonschema import specification_with

    return specification_with(validator.META_SCHEMA["$schema"])


def _in_place(validator: Any, instance: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Validators at the subschemas that apply to the very instance; the caller asks whether they succeed where that is not certain."""
    for keyword in ("$ref", "$dynamicRef"):
        if keyword in schema:
            found = validator._resolver.lookup(schema[keyword])
            yield validator.evolve(schema=found.contents, _resolver=found.resolver), found.contents
    if "$recursiveRef" in schema:
        found = lookup_recursive_ref(validator._resolver)
        yield validator.evolve(schema=found.contents, _resolver=found.resolver), found.contents
    inner = [subschema for keyword in ("allOf", "anyOf", "oneOf") for subschema in schema.get(keyword, ())]
    if "if" in schema:
        decided = _subvalidator(validator, schema["if"]).is_valid(instance)
        inner.append(schema["if"])
        if (key := "then" if decided else "else") in schema:
            inner.append(schema[key])
    if isinstance(instance, dict):
        inner += [subschema for name, subschema in schema.get("dependentSchemas", {}).items() if name in instance]
    for subschema in inner:
        yield _subvalidator(validator, subschema), subschema


def _evaluated(validator: Any, instance: Any, schema: Any, *, skip: str = "") -> set[Any]:
    """Names or indices that a schema evaluates, given that the instance satisfies it; `skip`: leave this keyword out."""
    if not isinstance(schema, dict):
        return set()
    known = {*validator.VALIDATORS, "then", "else"}  # what other drafts have evaluates nothing in this one
    schema = {keyword: value for keyword, value in schema.items() if keyword in known and keyword != skip}
    out: set[Any] = set()
    for inner, subschema in _in_place(validator, instance, schema):
        if inner.is_valid(instance):
            out |= _evaluated(inner, instance, subschema)
    if isinstance(instance, dict):
        if "additionalProperties" in schema or "unevaluatedProperties" in schema:
            return set(instance)
        out |= schema.get("properties", {}).keys() & instance.keys()
        for pattern in schema.get("patternProperties", {}):
            out |= {name for name in instance if regex.search(oracle.ecma(pattern), name, flags=regex.V1)}
    elif isinstance(instance, list):
        items = schema.get("items")
        if "unevaluatedItems" in schema or (items is not None and not isinstance(items, list)):
            return set(range(len(instance)))
        if isinstance(items, list):
            if "additionalItems" in schema:
                return set(range(len(instance)))
            out |= set(range(len(items)))
        out |= set(range(len(schema.get("prefixItems", ()))))
        if "contains" in schema and "prefixItems" in known:  # in 2019-09 `contains` evaluates nothing
            inner = _subvalidator(validator, schema["contains"])
            out |= {index for index, item in enumerate(instance) if inner.is_valid(item)}
    return out


def _unevaluated_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        done = _evaluated(validator, instance, schema, skip="unevaluatedProperties")
        for name in instance.keys() - done:
            yield from validator.descend(instance[name], wanted, path=name)


def _unevaluated_items(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "array"):
        done = _evaluated(validator, instance, schema, skip="unevaluatedItems")
        for index, item in enumerate(instance):
            if index not in done:
                yield from validator.descend(item, wanted, path=index)


_KEYWORDS = {
    **oracle._KEYWORDS,
    "uniqueItems": _unique_items,
    "unevaluatedProperties": _unevaluated_properties,
    "unevaluatedItems": _unevaluated_items,
}


class Judge:
    """Judge of one schema. draft: a key of `CLASSES` (a `$schema` that names one at the root goes first); formats: assert them.

    1.0 is an integer in every draft but the fourth.
    formats: False = annotations; True = jsonschema's checkers; a dict = its functions (name -> (text -> bool)) and no others.
    """

    def __init__(self, schema: Any, draft: str = "draft2020-12", formats: Any = True, registry: Any = None) -> None:
        base = CLASSES[draft]
        if isinstance(schema, dict) and "$schema" in schema:
            base = jsonschema_validators.validator_for(schema, default=base)
            schema = {key: value for key, value in schema.items() if key != "$schema"}
        keywords = {keyword: check for keyword, check in _KEYWORDS.items() if keyword in base.VALIDATORS}
        integer = oracle._is_plain_integer if base is Draft4Validator else oracle._is_integer
        types = base.TYPE_CHECKER.redefine("integer", integer)
        cls = jsonschema_validators.extend(base, keywords, type_checker=types)
        checker: Any = None
        if isinstance(formats, dict):
            checker = jsonschema.FormatChecker(formats=())
            checker.checkers = {
                name: (lambda value, test=test: not isinstance(value, str) or test(value), ())
                for name, test in formats.items()
            }
        elif formats:
            checker = copy.deepcopy(base.FORMAT_CHECKER)
            for name in ("regex", "color"):
                checker.checkers.pop(name, None)
        more = {} if registry is None else {"registry": registry}
        self.validator = cls(schema, format_checker=checker, **more)

    def valid(self, value: Any) -> bool:
        """Whether a value (numbers as int or Decimal) is an instance."""
        return bool(self.validator.is_valid(value))

    def valid_text(self, text: str) -> bool:
        """Whether a text is JSON without duplicate names and an instance."""
        try:
            value = oracle.parse(text)
        except ValueError:
            return False
        return self.valid(value)

    def reason(self, text: str) -> str | None:
        """Why a text is no instance, or None."""
        try:
            value = oracle.parse(text)
        except ValueError as error:
            return f"{type(error).__name__}: {error}"
        error = next(iter(self.validator.iter_errors(value)), None)
        return None if error is None else f"{error.json_path}: {str(error.message)[:200]} ({error.validator})"


# -- spellings --------------------------------------------------------------------------------------------------------------------


def dumps(value: Any, separators: tuple[str, str] = (",", ":"), *, ascii_only: bool = False) -> str:
    """JSON text of a value with int and Decimal numbers, spelled exactly; separators as in `json.dumps`."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return "[" + separators[0].join(dumps(item, separators, ascii_only=ascii_only) for item in value) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + separators[0].join(
                json.dumps(name, ensure_ascii=ascii_only)
                + separators[1]
                + dumps(inner, separators, ascii_only=ascii_only)
                for name, inner in value.items()
            )
            + "}"
        )
    return json.dumps(value, ensure_ascii=ascii_only)


def loads(text: str) -> Any:
    """A JSON text as a value with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def spelled(random: Random, value: Any, *, freely: bool = False) -> str:
    """The value in some spelling: order of members, white space, zeros at the end of fractions.

    freely: with escapes and exponents too, of which an engine need not admit all (names and constants have one spelling in structgen,
    and numbers with bounds few exponents).
    """
    blank = lambda: random.choice(("", "", "", " ", "\n", "\t ", "\r\n"))  # noqa: E731
    if isinstance(value, list):
        inner = ",".join(blank() + spelled(random, item, freely=freely) + blank() for item in value)
        return f"[{inner or blank()}]"
    if isinstance(value, dict):
        members = list(value.items())
        random.shuffle(members)
        inner = ",".join(
            blank()
            + (spelled_string(random, name) if freely else json.dumps(name, ensure_ascii=False))
            + f"{blank()}:{blank()}{spelled(random, item, freely=freely)}{blank()}"
            for name, item in members
        )
        return f"{{{inner or blank()}}}"
    if isinstance(value, str) and freely:
        return spelled_string(random, value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return spelled_number(random, value, exponents=freely)
    return json.dumps(value, ensure_ascii=False)


_SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def spelled_string(random: Random, text: str) -> str:
    """A JSON string of a text, each character in any of its spellings; lone surrogates are escaped."""
    out = []
    for character in text:
        must = character in '"\\' or ord(character) < 32 or 0xD800 <= ord(character) < 0xE000
        if character in _SHORT and random.random() < 0.5:
            out.append(_SHORT[character])
        elif must or random.random() < 0.2:
            units = character.encode("utf-16-be", "surrogatepass")
            for i in range(0, len(units), 2):
                digits = units[i : i + 2].hex()
                out.append("\\u" + (digits.upper() if random.random() < 0.5 else digits))
        else:
            out.append(character)
    return '"' + "".join(out) + '"'


def spelled_number(random: Random, value: int | Decimal, *, exponents: bool = False) -> str:
    """A spelling with the same value: zeros at the end, and exponents if asked for."""
    number = Decimal(value)
    plain = format(number, "f") if number.as_tuple().exponent else str(value)
    if random.random() < (0.3 if exponents else 0.6):
        return plain
    if not exponents or random.random() < 0.3:
        return (plain if "." in plain else plain + ".") + "0" * random.randrange(1, 3)
    shift = random.choice((-2, -1, 0, 1, 2))
    sign = random.choice(("", "+")) if shift <= 0 else ""
    return f"{format(number.scaleb(shift), 'f')}{random.choice('eE')}{sign}{-shift}"
