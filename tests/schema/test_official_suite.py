"""The official JSON Schema Test Suite through the engine, and the judge of the fuzzer through the suite.

Each instance of ../shared/data/json-schema-test-suite, as JSON text, is accepted byte by byte exactly when it is valid; a schema
refused as unsatisfiable accepts none of its instances. Drafts whose folder is absent are skipped; for those, the cases of the
nearest draft that is there are read in their dialect, with jsonschema's class of that dialect as the judge.

`PENDING` is the share of tests that may meet an `UnsupportedError`; `EXCEPTIONS` names single tests with the reason why they are not
as the suite has them. Any other outcome fails.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema.exceptions import SchemaError
from jsonschema_specifications import REGISTRY
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012

from structgen import Compiler, JsonOptions, UnsatisfiableError, UnsupportedError, Vocabulary
from tests.schema.judge import CLASSES, Judge, dumps, loads

SUITE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "json-schema-test-suite"
SPECIFICATIONS = {
    "draft4": DRAFT4,
    "draft6": DRAFT6,
    "draft7": DRAFT7,
    "draft2019-09": DRAFT201909,
    "draft2020-12": DRAFT202012,
}
DRAFTS = tuple(SPECIFICATIONS)
# The share of a draft's tests that may meet an UnsupportedError.
PENDING = 0.0
# (draft, file, case, test) -> why the outcome is not the suite's; "*" as the test: all tests of the case.
EXCEPTIONS: dict[tuple[str, str, str, str], str] = {
    (draft, "multipleOf", case, "*"): "an automaton of 123,456,789 remainders is beyond Limits.max_dfa_states"
    for draft in DRAFTS
    for case in ("float division = inf", "invalid instance should not raise error when float division = inf")
} | {
    (
        "draft4",
        "type",
        "integer type matches integers",
        "a float with zero fractional part is an integer",
    ): "in draft 4 a number with a fraction is no integer, whatever its value"
}
JUDGE_EXCEPTIONS = {
    (
        "draft2020-12",
        "vocabulary",
        "schema that uses custom metaschema with with no validation vocabulary",
        "no validation: invalid number, but it still validates",
    ): "jsonschema does not read $vocabulary",
}

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="the shared data is not beside the repository")


def remotes(draft: str) -> Registry[Any]:
    """The suite's remote schemas of a draft under the addresses that its tests use."""
    resources = []
    for path in sorted((SUITE / "remotes").rglob("*.json")):
        name = path.relative_to(SUITE / "remotes")
        if name.parts[0].startswith(("draft", "v1")) and name.parts[0] != draft:
            continue
        resource = Resource.from_contents(
            json.loads(path.read_text(encoding="utf-8")), default_specification=SPECIFICATIONS[draft]
        )
        resources.append((f"http://localhost:1234/{name.as_posix()}", resource))
    return REGISTRY.with_resources(resources)


def cases(draft: str, folder: str = ".") -> Iterator[tuple[str, dict[str, Any]]]:
    """(name of the file, case) with exact numbers."""
    for path in sorted((SUITE / draft / folder).glob("*.json")):
        for case in loads(path.read_text(encoding="utf-8")):
            yield path.stem, case


def texts(value: Any) -> tuple[str, ...]:
    """The spellings in which an instance is tried: as `json.dumps` and as the suite's file have it."""
    as_floats = json.dumps(json.loads(dumps(value)), ensure_ascii=False)
    spelled = dumps(value, (", ", ": "))
    return (as_floats,) if as_floats == spelled else (as_floats, spelled)


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """All bytes: whether a text is accepted does not depend on how it is cut into tokens."""
    return Vocabulary.from_bytes([*(bytes([byte]) for byte in range(256)), None], [256])


class Outcomes:
    """Counts, and what differs from the suite without being a named exception."""

    def __init__(self, compiler: Compiler, options: JsonOptions, draft: str) -> None:
        self.compiler, self.options, self.draft = compiler, options, draft
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.refused: Counter[str] = Counter()

    def add(self, name: str, case: dict[str, Any]) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                grammar = self.compiler.compile_json_schema(case["schema"], self.options)
        except UnsupportedError as error:
            self.counts["refused"] += len(case["tests"])
            self.refused[error.keyword] += len(case["tests"])
            return
        except UnsatisfiableError:
            grammar = None
        except Exception as error:
            self._note(name, case, "*", f"{type(error).__name__}: {error}")
            return
        for test in case["tests"]:
            outcome = self._outcome(grammar, test)
            self._note(name, case, test["description"], outcome)

    def _outcome(self, grammar: Any, test: dict[str, Any]) -> str:
        for text in filter(_is_text, texts(test["data"])):
            accepted = False
            if grammar is not None:
                matcher = grammar.matcher()
                try:
                    accepted = matcher.accept_bytes(text.encode()) and matcher.is_accepting()
                except UnsupportedError:
                    return "refused"
                except Exception as error:
                    return f"{type(error).__name__}: {error}"
            if accepted != test["valid"]:
                return f"{text!r} is {'valid, refused' if test['valid'] else 'invalid, accepted'}"
        return "right"

    def _note(self, name: str, case: dict[str, Any], test: str, outcome: str) -> None:
        n = len(case["tests"]) if test == "*" else 1
        where = (self.draft, name, case["description"], test)
        excepted = where in EXCEPTIONS or (*where[:3], "*") in EXCEPTIONS
        if outcome in ("right", "refused"):
            self.counts[outcome] += n
        elif excepted:
            self.counts["excepted"] += n
        else:
            self.counts["wrong"] += n
            self.wrong.append(f"{' / '.join(where[1:])}: {outcome[:300]}")

    def check(self, pending: float = PENDING) -> None:
        shown = "\n".join(self.wrong[:60])
        assert not self.wrong, f"{self.draft}: {dict(self.counts)}, refused {dict(self.refused)}\n{shown}"
        assert self.counts["refused"] <= pending * self.counts.total(), (self.counts, self.refused)


def _options(draft: str, formats: Any = "annotate") -> JsonOptions:
    return JsonOptions(property_order="any", whitespace="any", integers="spec", formats=formats, draft=draft)


@pytest.mark.parametrize("draft", DRAFTS)
def test_required_tests(vocabulary: Vocabulary, draft: str) -> None:
    if not (SUITE / draft).is_dir():
        pytest.skip(f"{draft} is not in ../shared/data/json-schema-test-suite")
    outcomes = Outcomes(Compiler(vocabulary, cache_size=0, registry=remotes(draft)), _options(draft), draft)
    for name, case in cases(draft):
        outcomes.add(name, case)
    assert outcomes.counts.total() > 500
    outcomes.check()


@pytest.mark.parametrize("draft", DRAFTS)
def test_optional_formats(vocabulary: Vocabulary, draft: str) -> None:
    if not (SUITE / draft / "optional" / "format").is_dir():
        pytest.skip(f"{draft}/optional/format is not in ../shared/data/json-schema-test-suite")
    outcomes = Outcomes(Compiler(vocabulary, cache_size=0, registry=remotes(draft)), _options(draft, "assert"), draft)
    for name, case in cases(draft, "optional/format"):
        outcomes.add(f"optional/format/{name}", case)
    outcomes.check()


@pytest.mark.parametrize("draft", DRAFTS)
def test_a_real_tokenizer_makes_no_difference(mixed_tokens: Vocabulary, draft: str) -> None:
    """The same through masks, token by token, on a sample: longest tokens first, as a tokenizer cuts."""
    if not (SUITE / draft).is_dir():
        pytest.skip(f"{draft} is not in ../shared/data/json-schema-test-suite")
    import numpy as np

    from structgen import allocate_token_bitmask

    compiler = Compiler(mixed_tokens, cache_size=0, registry=remotes(draft))
    bitmask = allocate_token_bitmask(1, mixed_tokens.size)
    tried = 0
    for number, (name, case) in enumerate(cases(draft)):
        if number % 5:
            continue
        try:
            grammar = compiler.compile_json_schema(case["schema"], _options(draft))
        except (UnsupportedError, UnsatisfiableError):
            continue
        for test in case["tests"]:
            text = json.dumps(json.loads(dumps(test["data"])), ensure_ascii=False)
            where = (draft, name, case["description"], test["description"])
            if where in EXCEPTIONS or not _is_text(text) or len(text) > 2000:
                continue
            matcher = grammar.matcher()
            ended = True
            for token in mixed_tokens.encode(text.encode()):
                matcher.fill_next_token_bitmask(bitmask)
                bits = np.unpackbits(bitmask[0].view(np.uint8), bitorder="little")
                taken = matcher.accept_token(token)
                assert taken == bits[token], (where, text, token)
                if not taken:
                    ended = False
                    break
            assert (ended and matcher.is_accepting()) == test["valid"], (where, text)
            tried += 1
    assert tried > 50


@pytest.fixture(scope="module")
def mixed_tokens() -> Vocabulary:
    """All bytes and pieces that span lexemes."""
    from tests.machine import walks

    return walks.mixed_vocabulary()


# -- drafts that are absent -----------------------------------------------------------------------------------------------------------


def in_draft(schema: Any, draft: str) -> Any:
    """A subschema of a later draft with its keywords renamed to the forms of `draft`; raises KeyError where there is no such form."""
    if isinstance(schema, bool):
        if draft == "draft4":
            return {} if schema else {"not": {}}
        return schema
    if not isinstance(schema, dict):
        raise KeyError("not a schema")
    out: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "$schema":
            if value not in (CLASSES["draft2020-12"].META_SCHEMA["$id"], "http://json-schema.org/draft-07/schema#"):
                raise KeyError(keyword)
        elif keyword in ("$anchor", "$dynamicAnchor", "$dynamicRef", "$vocabulary"):
            raise KeyError(keyword)
        elif draft == "draft4" and keyword in ("exclusiveMinimum", "exclusiveMaximum"):
            out[keyword], out[keyword.removeprefix("exclusive").lower()] = True, value
        elif draft == "draft4" and keyword == "$id":
            out["id"] = value
        elif draft == "draft4" and keyword == "const":
            out["enum"] = [value]
        elif keyword == "prefixItems":
            out["items"] = [in_draft(inner, draft) for inner in value]
        elif keyword == "items" and "prefixItems" in schema:
            out["additionalItems"] = in_draft(value, draft)
        elif keyword in ("allOf", "anyOf", "oneOf") or (keyword == "items" and isinstance(value, list)):
            out[keyword] = [in_draft(inner, draft) for inner in value]
        elif keyword in ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"):
            out[keyword] = {name: in_draft(inner, draft) for name, inner in value.items()}
        elif keyword == "dependencies":
            out[keyword] = {
                name: inner if isinstance(inner, list) else in_draft(inner, draft) for name, inner in value.items()
            }
        elif keyword in (
            *("additionalProperties", "propertyNames", "additionalItems", "items", "contains", "not", "if", "then"),
            *("else", "unevaluatedItems", "unevaluatedProperties"),
        ):
            out[keyword] = in_draft(value, draft)
        else:
            out[keyword] = value
    return out


@pytest.mark.parametrize(
    ("draft", "source"), [("draft4", "draft7"), ("draft6", "draft7"), ("draft2019-09", "draft2020-12")]
)
def test_cases_of_a_neighbouring_draft(vocabulary: Vocabulary, draft: str, source: str) -> None:
    """Where a draft's own folder is absent: schemas of its neighbour in its dialect, judged by jsonschema's class for the draft."""
    if (SUITE / draft).is_dir() or not (SUITE / source).is_dir():
        pytest.skip(f"{draft} itself is there, or {source} is not")
    registry = remotes(draft)
    outcomes = Outcomes(Compiler(vocabulary, cache_size=0, registry=registry), _options(draft), draft)
    for name, case in cases(source):
        try:
            schema = in_draft(case["schema"], draft)
            CLASSES[draft].check_schema(json.loads(dumps(schema)))
            judge = Judge(schema, draft, formats=False, registry=registry)
            tests = [{**test, "valid": judge.valid(test["data"])} for test in case["tests"]]
        except KeyError:
            continue
        except (SchemaError, Unresolvable):  # no schema of this draft, or a reference that leads nowhere in it
            continue
        outcomes.add(name, {**case, "schema": schema, "tests": tests})
    assert outcomes.counts.total() > 400, outcomes.counts
    outcomes.check()


# -- the judge ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_judge_of_the_fuzzer_judges_as_the_suite(draft: str) -> None:
    if not (SUITE / draft).is_dir():
        pytest.skip(f"{draft} is not in ../shared/data/json-schema-test-suite")
    registry = remotes(draft)
    for name, case in cases(draft):
        judge = Judge(case["schema"], draft, formats=False, registry=registry)
        for test in case["tests"]:
            where = (draft, name, case["description"], test["description"])
            if where not in JUDGE_EXCEPTIONS:
                assert judge.valid(test["data"]) == test["valid"], where


def test_an_outcome_that_differs_is_seen(vocabulary: Vocabulary) -> None:
    """The harness itself: a wrong label, a schema that is none, and an instance of an unsatisfiable schema each count."""
    outcomes = Outcomes(Compiler(vocabulary, cache_size=0), _options("draft2020-12"), "draft2020-12")
    tests = [
        {"description": "one", "data": Decimal("1.0"), "valid": True},
        {"description": "two", "data": "a", "valid": True},
    ]
    for schema in ({"type": "integer"}, {"type": "no type"}, False):
        outcomes.add("made", {"description": str(schema), "schema": schema, "tests": tests})
    assert outcomes.counts == {"right": 1, "wrong": 5}
    assert len(outcomes.wrong) == 4
