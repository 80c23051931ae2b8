"""Why a document has no instance: the smallest set of constraints that clash, by JSON Pointer.

In: a Normalizer whose root is empty. Out: an `UnsatisfiableError`. Asked once, when compilation fails.

How. The constraints that must hold together are collected through `$ref` and `allOf`, one *part* per keyword (keywords that only mean
something together stay together). Parts are left out one after the other as long as the rest has no instance; what remains clashes, and
without any one of it does not. Where an object or an array clashes only because of a value inside it, the search goes on there.

Limits: each trial runs under small `Limits`; a part whose trial meets them stays in, so the set is then not the smallest, but still true.
Turned down: a rule per pair of keywords (it knew a dozen pairs and fell silent for the rest, and for every three).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from structgen.errors import LimitExceeded, Limits, UnsatisfiableError
from structgen.schema.dialects import written_keys
from structgen.schema.normal import Normalizer
from structgen.schema.references import Document, Location, pointer_of
from structgen.schema.strings import pattern_matches

_MAX_STEPS = 30  # values inside values that are looked into
_MAX_PIECES = 128  # trials of one round
_TRIAL_LIMITS = Limits(max_alternatives=200, max_dfa_states=2_000, max_dfa_steps=100_000)
_TOGETHER = (
    ("properties", "patternProperties", "additionalProperties"),
    ("prefixItems", "items"),
    ("contains", "minContains", "maxContains"),
    ("if", "then", "else"),
)
_PAIRS = (
    ("minItems", "maxItems"),
    ("minLength", "maxLength"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
    ("minimum", "maximum"),
)
_SILENT = frozenset(
    "$id $schema $anchor $dynamicAnchor $recursiveAnchor $vocabulary $defs definitions $comment title description default examples "
    "id deprecated readOnly writeOnly contentEncoding contentMediaType contentSchema nullable discriminator".split()
)
Reason = tuple[str, str, str]  # reason, pointer, keyword


@dataclass(frozen=True, slots=True)
class _Part:
    """Some keywords of one place, as a Location of their own. keyword: the first of them, "" for a boolean schema."""

    place: Location
    keyword: str

    @property
    def value(self) -> Any:
        schema = self.place.schema
        return schema[self.keyword] if isinstance(schema, dict) else schema

    @property
    def pointer(self) -> str:
        """Where the keyword stands in the author's text."""
        if not self.keyword:
            return self.place.pointer
        return pointer_of((*self.place.keys, *written_keys(self.place.source, (self.keyword,))))


def unsatisfiable(normalizer: Normalizer) -> UnsatisfiableError:
    """The error for a root without instances."""
    search = _Search(normalizer)
    places = [normalizer.document.root]
    prefix = ""
    seen: set[frozenset[int]] = set()
    for _ in range(_MAX_STEPS):
        parts = search.parts(places)
        key = frozenset(part.place.id for part in parts)
        if key in seen:
            pointer = normalizer.document.root.pointer
            return UnsatisfiableError(f"{_short(prefix)}every instance would have to contain itself", pointer)
        seen.add(key)
        parts = search.clash(parts)
        inside = search.inside(parts)
        if inside is None:
            reason, pointer, keyword = search.reason(parts)
            return UnsatisfiableError(_short(prefix) + reason, pointer, keyword)
        what, places = inside
        prefix += what
    reason, pointer, keyword = search.reason(parts)
    return UnsatisfiableError(_short(prefix) + reason, pointer, keyword)


def _short(prefix: str) -> str:
    return prefix if len(prefix) <= 300 else prefix[:300] + "...: "


class _Search:
    """Trials on the places of one document."""

    def __init__(self, normalizer: Normalizer) -> None:
        self.document: Document = normalizer.document
        self.limits = normalizer.limits
        self.normalizer = normalizer
        self.trial = Normalizer(normalizer.document, normalizer.options, _TRIAL_LIMITS)
        self._parts: dict[tuple[int, frozenset[str]], Location] = {}

    def is_empty(self, places: list[Location], normalizer: Normalizer | None = None) -> bool:
        """Whether places have no common instance, as far as a trial can tell."""
        if not places:
            return False
        try:
            return (normalizer or self.trial).is_empty(tuple(sorted({place.id for place in places})))
        except LimitExceeded:
            return False  # unknown, and so never the ground of a claim

    # -- what must hold together --------------------------------------------------------------------------------------------------

    def parts(self, places: list[Location]) -> list[_Part]:
        """Everything that places demand of one value, in the order of the text."""
        parts: list[_Part] = []
        seen: set[int] = set()
        stack = list(reversed(places))
        while stack:
            place = stack.pop()
            if place.id in seen:
                continue
            seen.add(place.id)
            schema = place.schema
            if not isinstance(schema, dict):
                if not schema:
                    parts.append(_Part(place, ""))
            elif "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
                # what is evaluated depends on everything beside it
                parts.append(_Part(place, next(keyword for keyword in schema if keyword.startswith("unevaluated"))))
            else:
                parts += self._own_parts(place, schema)
                stack += reversed(list(self._joined(place, schema)))
        return parts

    def _joined(self, place: Location, schema: dict[str, Any]) -> Iterator[Location]:
        document = self.document
        if "$ref" in schema:
            yield document.resolve(place, schema["$ref"])
        if "$dynamicRef" in schema:
            yield document.resolve_dynamic(place, schema["$dynamicRef"])
        if "$recursiveRef" in schema:
            yield document.resolve_recursive(place, schema["$recursiveRef"])
        for index in range(len(schema.get("allOf", ()))):
            yield document.child(place, "allOf", index)

    def _own_parts(self, place: Location, schema: dict[str, Any]) -> Iterator[_Part]:
        done = _SILENT | {"$ref", "$dynamicRef", "$recursiveRef", "allOf"}
        for keyword in schema:
            if keyword not in done:
                group = next((group for group in _TOGETHER if keyword in group), (keyword,))
                done = done.union(group)
                key = (place.id, frozenset(group))
                found = self._parts.get(key)
                if found is None:
                    found = self._parts[key] = self.document.part(place, key[1])
                yield _Part(found, next(name for name in group if name in schema))

    def clash(self, parts: list[_Part]) -> list[_Part]:
        """Parts that clash, of which none can be left out, unless a trial meets its limits or too many take part.

        Halves are tried first, then smaller pieces: when few parts clash, their number costs little.
        """
        kept = parts
        n_out = max(1, len(kept) // 2)
        while len(kept) <= _MAX_PIECES * n_out:
            start = 0
            while start < len(kept):
                rest = kept[:start] + kept[start + n_out :]
                if self.is_empty([part.place for part in rest]):
                    kept = rest
                else:
                    start += n_out
            if n_out == 1:
                break
            n_out //= 2
        return kept

    # -- inside a value -----------------------------------------------------------------------------------------------------------

    def inside(self, parts: list[_Part]) -> tuple[str, list[Location]] | None:
        """A value that every instance must hold and that cannot exist: what it is, and the places for it. None if there is none."""
        for part in parts:
            if part.keyword == "required":
                for name in part.value:
                    places = self._property(parts, name)
                    if self._has_no_value(places):
                        return f"required property {name!r} has no value: ", places
            elif part.keyword in ("minItems", "contains"):
                items = self._items(parts, part)
                for index, places in enumerate(items):
                    if self._has_no_value(places):
                        what = f"item {index}" if part.keyword == "minItems" else "the item that contains asks for"
                        return f"{what} has no value: ", places
        return None

    def _has_no_value(self, places: list[Location]) -> bool:
        is_plain_false = any(place.schema is False for place in places)
        return not is_plain_false and self.is_empty(places, self.normalizer)

    def _property(self, parts: list[_Part], name: str) -> list[Location]:
        """What the value of a property must satisfy."""
        document = self.document
        places = []
        for part in parts:
            schema = part.place.schema
            if part.keyword not in _TOGETHER[0] or not isinstance(schema, dict):
                continue
            own = [("properties", name)] if name in schema.get("properties", {}) else []
            own += [
                ("patternProperties", pattern)
                for pattern in schema.get("patternProperties", {})
                if pattern_matches(pattern, name, self.limits)
            ]
            places += [document.child(part.place, *keys) for keys in own]
            if not own and "additionalProperties" in schema:
                places.append(document.child(part.place, "additionalProperties"))
        return places

    def _items(self, parts: list[_Part], asking: _Part) -> Iterator[list[Location]]:
        """What the first items must satisfy, or any item that `contains` counts."""
        document = self.document
        lists = [part.place for part in parts if part.keyword in _TOGETHER[1]]
        schemas = [place.schema for place in lists if isinstance(place.schema, dict)]
        longest = max((len(schema.get("prefixItems", ())) for schema in schemas), default=0)
        if asking.keyword == "contains":
            first = [document.child(asking.place, "contains")]
            positions = range(longest, longest + 1)
        else:
            first = []
            positions = range(min(int(asking.value), longest + 1))
        for index in positions:
            places = list(first)
            for place, schema in zip(lists, schemas, strict=True):
                if index < len(schema.get("prefixItems", ())):
                    places.append(document.child(place, "prefixItems", index))
                elif "items" in schema:
                    places.append(document.child(place, "items"))
            yield places

    # -- the sentence -------------------------------------------------------------------------------------------------------------

    def reason(self, parts: list[_Part]) -> Reason:
        """The clash of parts in one sentence."""
        if not parts:
            return "no value satisfies all constraints", self.document.root.pointer, ""
        telling = [part for part in parts if part.keyword != "type"] or parts
        by_keyword = {part.keyword: part for part in telling}
        for keyword, sentence in (
            ("", "the schema is false"),
            ("enum", "no value of enum satisfies {others}"),
            ("const", "const {value} does not satisfy {others}"),
            ("anyOf", "no branch of anyOf agrees with {others}"),
            ("oneOf", "no value satisfies exactly one branch of oneOf and {others}"),
        ):
            if keyword in by_keyword:
                return self._about(by_keyword[keyword], parts, sentence)
        if len(parts) == 1:
            part = parts[0]
            alone = (
                f"{part.keyword} excludes every value" if part.keyword == "not" else f"{_shown(part)} admits no value"
            )
            return alone, part.pointer, part.keyword
        if "required" in by_keyword:
            forbidden = self._forbidden(parts, by_keyword["required"])
            if forbidden is not None:
                return forbidden
        for low, high in _PAIRS:
            if low in by_keyword and high in by_keyword and len(telling) == 2:
                least, most = by_keyword[low], by_keyword[high]
                if least.value > most.value:
                    where = "" if least.place.keys == most.place.keys else f" of #{most.place.pointer}"
                    return f"{low} {least.value} is above {high} {most.value}{where}", least.pointer, low
        first = telling[0]
        return f"{_listed(parts, first)} exclude each other", first.pointer, first.keyword

    def _about(self, part: _Part, parts: list[_Part], sentence: str) -> Reason:
        others = [other for other in parts if other is not part]
        if not others and part.keyword:
            alone = {
                "enum": "enum lists no value" if part.value == [] else "no value of enum is possible",
                "anyOf": "no branch of anyOf has a value",
                "oneOf": "no value satisfies exactly one branch of oneOf",
                "const": "the value of const is impossible",
            }
            return alone[part.keyword], part.pointer, part.keyword
        filled = sentence.format(value=_value(part.value), others=_listed(others, part)) if part.keyword else sentence
        return filled, part.pointer, part.keyword

    def _forbidden(self, parts: list[_Part], required: _Part) -> Reason | None:
        """A required name that the other parts do not allow."""
        for name in required.value:
            for place in self._property(parts, name):
                if place.schema is False:
                    return (
                        f"required property {name!r} is not allowed by #{place.pointer}",
                        required.pointer,
                        "required",
                    )
        return None


def _listed(parts: list[_Part], near: _Part) -> str:
    """The parts with their values; the pointer of those that stand elsewhere than `near`."""
    shown = [_shown(part) + ("" if part.place.keys == near.place.keys else f" (#{part.pointer})") for part in parts[:6]]
    if len(parts) > 6:
        shown.append(f"{len(parts) - 6} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _shown(part: _Part) -> str:
    """A keyword with its value if that is short."""
    if not part.keyword:
        return "false"
    value = part.value
    is_short = not isinstance(value, dict) and not (isinstance(value, list) and any(isinstance(v, dict) for v in value))
    return f"{part.keyword} {_value(value)}" if is_short else part.keyword


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
