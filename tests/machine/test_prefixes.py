# ruff: noqa: E501 - tables, one case a line
"""The machine against brute force: which prefixes of texts can become valid, decided by enumeration and jsonschema alone.

For each schema a *domain* of JSON texts is enumerated: a few keys in every order, also repeated, a few values, some depth, two styles of white
space. Valid ones are told by jsonschema (and, where properties have an order, by that order). A text is alive if it is a prefix of a
valid text of the domain. Tiny vocabularies with tokens that span whole members then read every prefix of the domain in every way in which
their tokens can spell it, and `accept_token`, `is_token_allowed` and the mask must each say what the enumeration says.

The domains are closed in the sense needed: a prefix of the domain that some JSON text completes is completed by a text of the domain
(objects that need more members have room for them), with *endings* for names that may always go on.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from structgen import Compiler, JsonOptions, Vocabulary
from tests.machine import walks
from tests.machine.oracle import Oracle

SPANS = (
    b'{"a":1,"b":', b'":1,"b":2}', b'":1,"', b'a":1,"', b'"a":', b',"a":1', b'{"a', b'{"ab":1', b'b":2', b'":1', b'":{"', b'"}', b'","', b'"a"', b'":2,"a',
    b'ab"', b'"b', b'1,"', b"},", b'{"a":{"a":1', b'1},"', b'", "', b'": ', b': 1, "', b'{"', b'1}', b"1,", b'abb":1,"abb', b"[1,", b",1]", b'"a":1,"a":', b'a":1,"b":1,"a',
)  # fmt: skip


def _vocabulary(pieces: Iterable[bytes]) -> Vocabulary:
    singles = [bytes([b]) for b in b'{}[]":, ab12c']
    tokens = list(dict.fromkeys([*singles, *pieces]))
    return Vocabulary.from_bytes([*tokens, tokens[0], tokens[-1], None, None], [len(tokens) + 3])


def _objects(keys: Sequence[str], values: Sequence[str], n: int, comma: str, colon: str) -> Iterable[str]:
    """Every object text of up to n members over the keys (repetition included)."""
    members = [f'"{key}"{colon}{value}' for key in keys for value in values]
    for count in range(n + 1):
        for chosen in itertools.product(members, repeat=count):
            yield "{" + comma.join(chosen) + "}"


def _endings(
    domain: Iterable[str], keys: Sequence[str], values: Sequence[str], comma: str, colon: str
) -> Iterable[str]:
    """The domain's objects with one more member whose name is longer than all others (what an open name may become), and one after that."""
    for text in domain:
        for name, value in itertools.product(("abbc", "bc", "cc"), values):
            longer = f'{text[:-1]}{comma if len(text) > 2 else ""}"{name}"{colon}{value}'
            yield longer + "}"
            for last, value_of_last in itertools.product(keys, values):
                if f'"{last}"' not in text:
                    yield f'{longer}{comma}"{last}"{colon}{value_of_last}}}'


def _in_order(value: Any, order: Sequence[str]) -> bool:
    """Declared names in their order, then the others: what property_order="schema" admits of a flat object."""
    if not isinstance(value, dict):
        return True
    ranks = [order.index(key) if key in order else len(order) for key in value]
    return ranks == sorted(ranks)


A1 = {"type": "integer", "enum": [1, 2]}
OPEN = {"properties": {"a": {"enum": [1]}, "ab": {"enum": [1, 2]}}, "type": "object"}
# name: (schema, keys, values, members, order or None)
FLAT: dict[str, tuple[dict[str, Any], list[str], list[str], int, list[str]]] = {
    "closed": ({**OPEN, "additionalProperties": False}, ["a", "ab", "b"], ["1", "2"], 3, ["a", "ab"]),
    "closed, one required": ({**OPEN, "required": ["ab"], "additionalProperties": False}, ["a", "ab", "b"], ["1", "2"], 3, ["a", "ab"]),
    "open": ({**OPEN, "additionalProperties": {"enum": [1]}}, ["a", "ab", "b", "abb"], ["1"], 4, ["a", "ab"]),
    "open, required later": ({**OPEN, "required": ["ab"], "additionalProperties": {"enum": [2]}}, ["a", "ab", "abb"], ["1", "2"], 3, ["a", "ab"]),
    "only extras": ({"type": "object", "additionalProperties": {"enum": [1]}}, ["a", "ab", "b", "abb"], ["1"], 4, []),
    "finite extras": ({"type": "object", "propertyNames": {"enum": ["a", "ab"]}, "additionalProperties": {"enum": [1]}}, ["a", "ab", "b"], ["1"], 4, []),
    "finite extras by pattern": ({"type": "object", "patternProperties": {"^(a|ab|b)$": {"enum": [1]}}, "additionalProperties": False}, ["a", "ab", "b", "c"], ["1"], 4, []),
    "finite extras and a declared name": ({**OPEN, "propertyNames": {"enum": ["a", "b", "ab"]}, "additionalProperties": {"enum": [1]}}, ["a", "ab", "b"], ["1", "2"], 3, ["a", "ab"]),
    "patterns that overlap": ({"type": "object", "patternProperties": {"^a": {"enum": [1, 2]}, "b$": {"enum": [2]}}, "additionalProperties": {"enum": [1]}}, ["a", "ab", "b", "c"], ["1", "2"], 3, []),
    "required among extras": ({"type": "object", "required": ["b"], "additionalProperties": {"enum": [1]}}, ["a", "b", "ab"], ["1"], 4, ["b"]),
    "branches with shared keys": ({"anyOf": [
        {"type": "object", "properties": {"a": {"enum": [1]}, "b": {"enum": [1]}}, "required": ["b"], "additionalProperties": False},
        {"type": "object", "properties": {"a": {"enum": [1]}, "ab": {"enum": [2]}}, "required": ["ab"], "additionalProperties": False},
    ]}, ["a", "ab", "b"], ["1", "2"], 3, ["a", "b"]),
    "branches of maps": ({"anyOf": [
        {"type": "object", "additionalProperties": {"enum": [1]}, "propertyNames": {"pattern": "^[ab]$"}},
        {"type": "object", "additionalProperties": {"enum": [2]}, "propertyNames": {"enum": ["a", "ab"]}},
    ]}, ["a", "ab", "b"], ["1", "2"], 3, []),
    "branches, one open": ({"anyOf": [
        {"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"], "additionalProperties": {"enum": [1]}},
        {"type": "object", "properties": {"a": {"enum": [2]}}, "additionalProperties": False},
    ]}, ["a", "ab", "abb"], ["1", "2"], 3, ["a"]),
}  # fmt: skip


def _check(
    schema: dict[str, Any],
    options: JsonOptions,
    domain: Iterable[str],
    keep: Any,
    vocabulary: Vocabulary,
    endings: Iterable[str] = (),
) -> int:
    """Read every prefix of the domain in every tokenisation; returns the number of (prefix, token) pairs compared.

    endings: texts outside the domain that may also complete its prefixes.
    """
    oracle = Oracle(json.dumps(schema))
    known: set[bytes] = set()
    live: set[bytes] = set()
    whole: set[bytes] = set()
    texts = dict.fromkeys(domain)
    for text in dict.fromkeys([*texts, *endings]):
        data = text.encode()
        prefixes = [data[:i] for i in range(len(data) + 1)]
        if text in texts:
            known.update(prefixes)
        if oracle.accepts(text) and keep(json.loads(text)):
            live.update(prefixes)
            whole.add(data)
    whole &= known
    live &= known
    matcher = Compiler(vocabulary, cache_size=0).compile_json_schema(schema, options).matcher()
    work = [(b"", matcher)]
    seen = {(b"", matcher.state_id)}
    compared = 0
    while work:
        text, at = work.pop()
        assert at.is_accepting() == (text in whole), text
        mask = walks.mask_of(at)
        for token, entry in enumerate(vocabulary.token_bytes):
            if entry is None or text + entry not in known:
                continue
            compared += 1
            expected = text + entry in live
            said = (bool(mask[token]), at.is_token_allowed(token))
            assert said == (expected, expected), (
                f"{entry!r} after {text!r}: mask, single = {said}, by enumeration {expected}"
            )
            fork = at.fork()
            assert fork.accept_token(token) == expected, f"{entry!r} after {text!r}"
            if expected and (text + entry, fork.state_id) not in seen:
                seen.add((text + entry, fork.state_id))
                work.append((text + entry, fork))
    assert {text for text, _ in seen} <= live
    assert whole <= {text for text, _ in seen}, "a valid text was not reached"
    return compared


@pytest.mark.parametrize("order", ["schema", "any"])
@pytest.mark.parametrize("name", FLAT)
def test_flat_objects_as_enumerated(name: str, order: str) -> None:
    schema, keys, values, n, declared = FLAT[name]
    if order == "schema" and name == "branches with shared keys":
        declared = ["a", "b", "ab"]  # no instance has both b and ab
    domain = list(_objects(keys, values, n, ",", ":"))
    endings = _endings(domain, keys, values, ",", ":")
    keep = (lambda value: _in_order(value, declared)) if order == "schema" else (lambda value: True)
    options = JsonOptions(property_order=order, whitespace="compact")
    assert _check(schema, options, domain, keep, _vocabulary(SPANS), endings) > 50


@pytest.mark.parametrize("name", ["open", "finite extras", "branches of maps"])
def test_spaced_objects_as_enumerated(name: str) -> None:
    schema, keys, values, n, _ = FLAT[name]
    domain = [*_objects(keys, values, min(n, 3), ", ", ": "), *_objects(keys, values, min(n, 3), ",", ":")]
    endings = [*_endings(domain, keys, values, ", ", ": "), *_endings(domain, keys, values, ",", ":")]
    assert (
        _check(schema, JsonOptions(property_order="any"), domain, lambda value: True, _vocabulary(SPANS), endings) > 50
    )


def test_nested_objects_as_enumerated() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"a": {"enum": [1]}}, "additionalProperties": {"enum": [2]}}
        },
        "additionalProperties": {
            "type": "object",
            "propertyNames": {"enum": ["a", "b"]},
            "additionalProperties": {"enum": [1]},
        },
    }
    inner = list(_objects(["a", "b", "abb"], ["1", "2"], 2, ",", ":"))
    domain = [text for n in (0, 1) for text in _objects(["a", "ab"], inner, n, ",", ":")]
    domain += [
        f'{{"{k}":{v},"{k2}":{v2}}}' for k in ("a", "ab", "b") for k2 in ("a", "ab", "b") for v in inner for v2 in inner
    ]
    options = JsonOptions(property_order="any", whitespace="compact")
    longer = [text for text in _objects(["a", "b", "abb", "bc", "abbc"], ["1", "2"], 2, ",", ":") if 'bc"' in text]
    endings = [f'{{"a":{v}}}' for v in longer] + [
        f'{{"{k}":{v},"a":{w}}}' for k in ("ab", "b") for v in inner for w in longer
    ]
    endings += [f'{{"{k}":{v},"{long}":{{}}}}' for k in ("a", "ab", "b") for v in inner for long in ("abb", "bc")]
    assert _check(schema, options, domain, lambda value: True, _vocabulary(SPANS), endings) > 50


def test_recursive_objects_as_enumerated() -> None:
    schema = {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "additionalProperties": {"$ref": "#"}}
    level = ["{}"]
    for _ in range(2):
        level = list(dict.fromkeys(_objects(["a", "b"], level, 2, ",", ":")))
    options = JsonOptions(property_order="any", whitespace="compact")
    pieces = (
        b'{"a":{',
        b'}},"',
        b'":{},"',
        b'"a":{},"b":{}',
        b"{}}",
        b'"b":{"a',
        b'},"a"',
        b'{"b":{"b":{},"',
        b'}},"a":{"a":{}',
    )
    assert _check(schema, options, level, lambda value: True, _vocabulary(pieces)) > 50


@pytest.mark.parametrize("bounds", [(0, 2), (1, 3), (2, 2), (0, None)])
def test_arrays_as_enumerated(bounds: tuple[int, int | None]) -> None:
    low, high = bounds
    schema: dict[str, Any] = {
        "type": "array",
        "prefixItems": [{"enum": [1, 12]}, {"enum": ["a", "ab"]}],
        "items": {"enum": [1, [], [1]]},
        "minItems": low,
    }
    if high is not None:
        schema["maxItems"] = high
    values = ["1", "12", '"a"', '"ab"', "[]", "[1]", "2"]
    domain = [
        "[" + ",".join(chosen) + "]"
        for n in range(5)
        for chosen in itertools.product(values[: 7 if n < 4 else 5], repeat=n)
    ]
    options = JsonOptions(whitespace="compact")
    pieces = (
        b'[1,"a',
        b'",[',
        b"],[",
        b'2,"ab"',
        b"]]",
        b'","',
        b"[1]",
        b",1,",
        b"[[",
        b",[],",
        b"[1,",
        b'"ab",1]',
        b"[]",
    )
    # with four items the domain ends: prefixes of five are not in it, so a comma after the fourth is never asked
    assert _check(schema, options, domain, lambda value: True, _vocabulary(pieces)) > 50


@pytest.mark.parametrize("bounds", [(0, 2), (2, 3), (3, 3), (1, None)])
def test_strings_as_enumerated(bounds: tuple[int, int | None]) -> None:
    low, high = bounds
    alphabet = ["a", "é", "😀", "\\n", '\\"', "\\u001f"]
    schema: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": low}, "maxItems": 2}
    if high is not None:
        schema["items"]["maxLength"] = high
    strings = [
        '"' + "".join(chosen) + '"'
        for n in range(5)
        for chosen in itertools.product(alphabet[: 6 if n < 4 else 3], repeat=n)
    ]
    domain = [f"[{s}]" for s in strings] + [
        f"[{s},{t}]" for s in [*strings[:9], *strings[50:259:20]] for t in strings[:259]
    ]
    singles = [bytes([b]) for b in sorted({b for s in alphabet for b in s.encode()} | set(b'[]",'))]
    pieces = [
        b'"a',
        b'a"',
        b'","',
        b'["',
        b'"]',
        b"aa",
        b"aaa",
        b"a\xc3",
        b"\xa9a",
        b"\xf0\x9f",
        b"\x98\x80",
        b'\xf0\x9f\x98\x80"',
        b'\\"',
        b'\\"a',
        b"\\u00",
        b'\\u001f"',
        b'a","a',
        b'aa"]',
        b'"",',
        "éé".encode(),
        'é"'.encode(),
        b"n\\",
        b"\\na",
    ]
    vocabulary = Vocabulary.from_bytes([*singles, *pieces, None], [len(singles) + len(pieces)])
    if high is None:
        # unbounded strings go on beyond the domain's four characters; prefixes are compared only inside it
        domain = [text for text in domain if len(text) < 30]
    assert _check(schema, JsonOptions(whitespace="compact"), domain, lambda value: True, vocabulary) > 500


def test_the_check_finds_a_broken_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    # a machine that forgets extra names would allow them twice
    schema, keys, values, n, _ = FLAT["only extras"]
    domain = [text for text in _objects(keys, values, n, ",", ":") if "abb" not in text]
    options = JsonOptions(property_order="any", whitespace="compact")
    with pytest.raises(AssertionError):
        _check(
            {**schema, "propertyNames": {"enum": ["a", "ab"]}},
            options,
            [t.replace('"b"', '"ab"') for t in domain],
            lambda value: "ab" not in value,
            _vocabulary(SPANS),
        )
