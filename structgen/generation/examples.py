"""Instances of a JSON Schema, made by walking its automaton: valid by construction.

In: a schema, the options that say how it is read, perhaps a seed. Out: JSON texts, spaced as `json.dumps` does.

The engine compiles the schema for a vocabulary of single bytes. A walk writes one value after the other; what it writes is only a
proposal, and the matcher decides: text that it does not accept never enters the example, and since nothing that it accepts is a
dead end, a walk can stop anywhere and let `shortest_completion` write the rest. What is proposed comes from the schema's places that the
value stands for (references and branches followed): `examples`, constants, `default`, names of members, and usual values of formats.

Limits: places guide only, so a member that the schema hides behind conditions may be missing. Numbers and strings that nobody gave
an example for are arbitrary. Turned down: building values from the keywords and testing them (with `not`, `oneOf` or patterns most tests
fail).
"""

from __future__ import annotations

import functools
import json
import random
import re
from dataclasses import replace
from typing import Any

from structgen.compiler import CompiledGrammar, Compiler, Matcher
from structgen.generation.values import ParameterError
from structgen.schema.keywords import check
from structgen.schema.options import JsonOptions
from structgen.schema.references import Document, Location
from structgen.vocabulary import Vocabulary

_MAX_BYTES = 4_000  # of an example; the shortest completion comes on top
_MAX_DEPTH = 6  # of containers that hold more than they must
_MAX_PLACES = 64  # followed for one value
_SCALAR_BYTES = 12  # of a number or string that nobody proposed, before its shortest end is taken
_MAX_ITEMS = 8  # of an array that need not hold more
_ALL = bytes(range(256))
_ENDS = b",]}"
_FIRST = {  # bytes that a value of a type begins with
    "object": b"{",
    "array": b"[",
    "string": b'"',
    "integer": b"-0123456789",
    "number": b"-0123456789",
    "boolean": b"tf",
    "null": b"n",
}
_FORMATS = {
    "date": "2024-05-17",
    "date-time": "2024-05-17T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "P3DT4H",
    "email": "ana@example.org",
    "idn-email": "ana@example.org",
    "hostname": "example.org",
    "idn-hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/a",
    "uri-reference": "/a/b",
    "iri": "https://example.org/a",
    "iri-reference": "/a/b",
    "uri-template": "https://example.org/{a}",
    "uuid": "6f1c0c9e-2a2b-4d0e-9f0e-3b5b1b7a4c11",
    "json-pointer": "/a/0",
    "relative-json-pointer": "1/a",
    "regex": "a+",
}
_WORDS = "alpha beta gamma delta lamp river stone Ana Porto green seven note 12b".split()
_PLAIN = ("...", "text", "a")
_NUMBERS = (1, 0, 10, 0.5)


def example(schema: Any, options: JsonOptions | None = None) -> str:
    """One small instance that shows every declared member which the schema lets stand, recursion apart.

    schema: a dict, a boolean or JSON text. Raises what compiling the schema raises.
    """
    return _Source(schema, options).walk(None)


def examples(schema: Any, n: int, seed: int = 0, options: JsonOptions | None = None) -> list[str]:
    """At most n different instances, fewer where the walks find no more; the same for the same seed.

    schema: a dict, a boolean or JSON text. Raises ParameterError for an n below 0, and what compiling the schema raises.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ParameterError(f"the number of examples must be an integer of at least 0, not {n!r}")
    source, rng = _Source(schema, options), random.Random(seed)
    found: dict[str, None] = {}
    for _ in range(4 * n):
        if len(found) == n:
            break
        found[source.walk(rng)] = None
    return list(found)


@functools.cache
def _byte_compiler() -> Compiler:
    """For all bytes and an end token. Kept: its lexemes serve every schema."""
    return Compiler(Vocabulary.from_bytes([*(bytes([value]) for value in range(256)), b"<end>"], [256]))


class _Source:
    """A schema to walk through."""

    def __init__(self, schema: Any, options: JsonOptions | None) -> None:
        plain = JsonOptions() if options is None else options
        spelling = replace(plain, whitespace="compact", escapes="minimal", integers="plain")
        self._grammar: CompiledGrammar = _byte_compiler().compile_json_schema(schema, spelling)
        self._document = Document(schema, options=spelling)
        check(self._document)

    def walk(self, rng: random.Random | None) -> str:
        """A new instance; without a random generator the one that shows most."""
        walk = _Walk(self._document, self._grammar.matcher(), rng)
        try:
            walk.value([self._document.root], frozenset(), 0)
        except _Full:
            walk.finish()
        return _spaced(walk.text())


class _Full(Exception):
    """The example is long enough."""


class _Walk:
    """One text. Without `rng` everything is shown and the first proposal taken; with it, chance decides."""

    def __init__(self, document: Document, matcher: Matcher, rng: random.Random | None) -> None:
        self._document, self._matcher, self._rng = document, matcher, rng
        self._n_bytes = 0

    def text(self) -> str:
        return self._matcher.text.decode("utf-8")

    def finish(self) -> None:
        """Write the shortest rest."""
        for token in self._matcher.shortest_completion():
            self._matcher.accept_token(token)

    def _write(self, text: bytes) -> bool:
        """Append if that is allowed."""
        if not self._matcher.accept_bytes(text):
            return False
        self._n_bytes += len(text)
        if self._n_bytes > _MAX_BYTES:
            raise _Full
        return True

    def _may(self, text: bytes) -> bytes:
        """The bytes of `text` that may come next."""
        allowed = self._matcher.next_bytes()
        return bytes(value for value in text if allowed[value])

    def _is_whole(self) -> bool:
        """Whether a number may end here; other values end with their last byte."""
        return self._matcher.is_accepting() or bool(self._may(_ENDS))

    # -- values --------------------------------------------------------------------------------------------------------------------

    def value(self, places: list[Location], above: frozenset[int], depth: int) -> None:
        """Write one value. above: locations of the containers around it; depth: their number."""
        if self._n_bytes > _MAX_BYTES - _SCALAR_BYTES:
            raise _Full
        places = self._followed(places)
        own = {place.id for place in places}
        is_repeated = bool(above & own) or depth >= _MAX_DEPTH
        for proposal in self._proposals(places):
            if self._propose(proposal):
                return
        allowed = self._may(b'{["-0123456789tfn')
        kinds = [kind for kind in _kinds(places) if any(first in allowed for first in _FIRST[kind])]
        if is_repeated:  # the way out of recursion
            kinds = [kind for kind in kinds if kind not in ("object", "array")] or kinds
        kind = kinds[0] if self._rng is None else self._rng.choice(kinds)
        if kind == "object":
            self._object(places, above | own, depth + 1, is_repeated)
        elif kind == "array":
            self._array(places, above | own, depth + 1, is_repeated)
        elif self._usual(places, kind):
            return
        elif kind == "string":
            self._string()
        elif kind in ("integer", "number"):
            self._number()
        else:  # a word that does not fit the schema's other demands
            raise _Full

    def _propose(self, proposal: Any) -> bool:
        """Write a value if it is one in full."""
        try:
            text = json.dumps(proposal, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
        except (TypeError, ValueError, RecursionError):
            return False  # an author's example that is no JSON (a date that YAML made, say)
        if len(text) + self._n_bytes > _MAX_BYTES or not self._matcher.accept_bytes(text):
            return False
        if text[-1:].isdigit() and not self._is_whole():
            self._matcher.rollback(1)
            return False
        self._n_bytes += len(text)
        return True

    def _proposals(self, places: list[Location]) -> list[Any]:
        """What the schema itself names as values."""
        given: list[Any] = []
        listed: list[Any] = []
        late: list[Any] = []
        for place in places:
            source = place.source if isinstance(place.source, dict) else {}
            more = source.get("examples")
            given += list(more) if isinstance(more, list) else []
            given += [source["example"]] if "example" in source else []
            listed += [source["const"]] if "const" in source else []
            enum = source.get("enum")
            listed += enum if isinstance(enum, list) else []
            # an empty default says nothing about the form
            late += [source["default"]] if source.get("default") not in (None, "", [], {}) else []
        if self._rng is None:
            return [*given, *listed, *late]
        self._rng.shuffle(listed)
        named = [*given, *late]
        return ([self._rng.choice(named)] if named and self._rng.random() < 0.4 else []) + listed

    def _usual(self, places: list[Location], kind: str) -> bool:
        """Write a string of a known format, a word, or a small number, if one is allowed."""
        rng = self._rng
        words: list[Any]
        if kind in ("boolean", "null"):
            words = [True, False] if kind == "boolean" else [None]
        elif kind == "string":
            formats = [place.schema.get("format") for place in places if isinstance(place.schema, dict)]
            words = [_FORMATS[name] for name in formats if isinstance(name, str) and name in _FORMATS]
            words += _PLAIN if rng is None else rng.sample(_WORDS, 3)
        else:
            words = list(_NUMBERS) if rng is None else [rng.randrange(100), round(rng.uniform(-9, 9), 1)]
        if rng is not None and kind != "null":
            if kind in ("string", "integer", "number") and rng.random() < 0.3:
                return False
            rng.shuffle(words)
        return any(self._propose(word) for word in words)

    def _string(self, opening: bytes = b'"') -> None:
        """Write a string byte by byte; its shortest end once it is long, or at once without chance."""
        self._write(opening)
        rng, escaped = self._rng, False
        for _ in range(_SCALAR_BYTES if rng is not None else 0):
            assert rng is not None
            allowed = self._may(_ALL)
            if not escaped and b'"' in allowed and rng.random() < 0.25:
                self._write(b'"')
                return
            letters = bytes(value for value in allowed if bytes([value]).isalnum())
            byte = bytes([rng.choice(letters if letters and rng.random() < 0.9 else allowed)])
            self._write(byte)
            if byte == b'"' and not escaped:
                return
            escaped = byte == b"\\" and not escaped
        rest = bytearray()
        for value in self._matcher.shortest_completion():
            rest.append(value)
            if value == ord('"') and not escaped:
                break
            escaped = value == ord("\\") and not escaped
        self._write(bytes(rest))

    def _number(self) -> None:
        """Write a number digit by digit; its shortest end once it is long, or after the first digit without chance."""
        rng = self._rng
        first = self._may(b"123456789-0")
        self._write(bytes([first[0] if rng is None else rng.choice(first)]))
        for _ in range(_SCALAR_BYTES if rng is not None else 0):
            assert rng is not None
            more = self._may(b".0123456789")
            if not more or (rng.random() < 0.4 and self._is_whole()):
                break
            self._write(bytes([rng.choice(more)]))
        if not self._is_whole():
            rest = bytes(self._matcher.shortest_completion())
            self._write(re.split(rb"[,\]}]", rest, maxsplit=1)[0])

    # -- containers ----------------------------------------------------------------------------------------------------------------

    def _object(self, places: list[Location], above: frozenset[int], depth: int, is_repeated: bool) -> None:
        self._write(b"{")
        schemas = [place.schema for place in places if isinstance(place.schema, dict)]
        names = list(dict.fromkeys(name for schema in schemas for name in schema.get("properties", {})))
        required = {name for schema in schemas for name in schema.get("required", ())}
        names += sorted(required.difference(names))
        wanted = [name for name in names if name in required or (not is_repeated and self._chance(0.6))]
        is_map = any(isinstance(schema.get("additionalProperties"), dict) for schema in schemas)
        n_free = 1 if is_map and not names and not is_repeated else 0  # a map shows an entry
        separator, unused, n_unknown = b"", dict.fromkeys(names), 0
        while True:
            name = next((name for name in wanted if self._write(separator + _written(name))), None)
            if name is not None:
                wanted = wanted[wanted.index(name) + 1 :]
            elif n_free and self._may(b'"'):
                n_free -= 1
                name = "key" if self._write(separator + _written("key")) else None
            elif self._write(b"}"):
                return
            else:  # more is demanded than was chosen
                name = next((name for name in unused if self._write(separator + _written(name))), None)
            if name is None:
                if (n_unknown := n_unknown + 1) > _MAX_ITEMS:
                    raise _Full  # names of one's own do not lead out: the shortest way does
                start = self._n_bytes + len(separator)
                self._string(separator + b'"')
                name = json.loads(self._matcher.text[start:])
                self._write(b":")
            unused.pop(name, None)
            separator = b","
            self.value(self._member(places, name), above, depth)

    def _array(self, places: list[Location], above: frozenset[int], depth: int, is_repeated: bool) -> None:
        self._write(b"[")
        schemas = [place.schema for place in places if isinstance(place.schema, dict)]
        shown = max([1, *(len(schema.get("prefixItems", ())) for schema in schemas)])
        n = 0
        while True:
            wanted = not is_repeated and n < _MAX_ITEMS and (n < shown if self._rng is None else self._chance(0.55))
            if not wanted and self._write(b"]"):
                return
            if not (self._may(b'{["-0123456789tfn') if n == 0 else self._write(b",")):
                self._write(b"]")
                return
            self.value(self._item(places, n), above, depth)
            n += 1

    def _chance(self, probability: float) -> bool:
        return self._rng is None or self._rng.random() < probability

    # -- places --------------------------------------------------------------------------------------------------------------------

    def _followed(self, places: list[Location]) -> list[Location]:
        """The places and what they refer to; of alternatives one, by chance or the first that is not null."""
        document, found = self._document, dict[int, Location]()
        work = places[::-1]
        while work and len(found) < _MAX_PLACES:
            place = work.pop()
            schema = place.schema
            if place.id in found or not isinstance(schema, dict):
                continue
            found[place.id] = place
            more = [
                resolve(place, schema[keyword])
                for keyword, resolve in (
                    ("$ref", document.resolve),
                    ("$dynamicRef", document.resolve_dynamic),
                    ("$recursiveRef", document.resolve_recursive),
                )
                if keyword in schema
            ]
            more += [document.child(place, "allOf", i) for i in range(len(schema.get("allOf", ())))]
            for keyword in ("anyOf", "oneOf"):
                branches = [document.child(place, keyword, i) for i in range(len(schema.get(keyword, ())))]
                telling = [branch for branch in branches if not _is_null(branch)] or branches
                if branches:
                    more.append(telling[0] if self._rng is None else self._rng.choice(branches))
            more += [document.child(place, keyword) for keyword in ("then", "else", "if") if keyword in schema]
            work += more[::-1]
        return list(found.values())

    def _member(self, places: list[Location], name: str) -> list[Location]:
        document, found = self._document, []
        for place in places:
            schema = place.schema
            if not isinstance(schema, dict):
                continue
            keys: list[tuple[str, ...]] = [("properties", name)] if name in schema.get("properties", {}) else []
            keys += [
                ("patternProperties", pattern)
                for pattern in schema.get("patternProperties", {})
                if _is_found(pattern, name)
            ]
            rest = [(word,) for word in ("additionalProperties", "unevaluatedProperties") if word in schema]
            found += [document.child(place, *path) for path in keys or rest]
        return found

    def _item(self, places: list[Location], position: int) -> list[Location]:
        document, found = self._document, []
        for place in places:
            schema = place.schema
            if not isinstance(schema, dict):
                continue
            if position < len(schema.get("prefixItems", ())):
                found.append(document.child(place, "prefixItems", position))
            else:
                found += [
                    document.child(place, word) for word in ("items", "unevaluatedItems", "contains") if word in schema
                ]
        return found


def _is_null(place: Location) -> bool:
    return isinstance(place.schema, dict) and place.schema.get("type") == "null"


def _is_found(pattern: str, name: str) -> bool:
    """Whether a name matches, as far as Python's `re` reads the pattern as JSON Schema does; a wrong guess only costs a proposal."""
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _kinds(places: list[Location]) -> list[str]:
    """The types of JSON, those that the places name or imply first, null last of them."""
    named: list[str] = []
    for place in places:
        schema = place.schema
        if not isinstance(schema, dict):
            continue
        types = schema.get("type", [])
        named += [types] if isinstance(types, str) else types
        if not types:
            named += ["object"] if "properties" in schema else []
            named += ["array"] if "items" in schema or "prefixItems" in schema else []
    named.sort(key=lambda kind: kind == "null")
    return list(dict.fromkeys([*named, "string", "integer", "boolean", "object", "array", "null"]))


def _written(name: str) -> bytes:
    return json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogatepass") + b":"


def _spaced(text: str) -> str:
    """Compact JSON with a space after each comma and colon."""
    return re.sub(r'"(?:[^"\\]|\\.)*"|[,:]', lambda found: found[0] + " " if found[0] in ",:" else found[0], text)
