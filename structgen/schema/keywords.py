"""One cheap pass over everything that a schema reaches: what is wrong with it, and what is done with its keywords.

In: a `Document`. Out: nothing, or the first error: `SchemaError` (not a schema, a keyword of the wrong type, an unknown reference, a
loop of references), `RegexError` for a pattern, `LimitExceeded` (nesting). `report` lists every keyword with what is done with it.

The pass runs before the first mask of every grammar, so it makes no objects per subschema but a stack entry: one dictionary look-up
per keyword (see `handlers`), pointers only for errors. Subschemas under `$defs` count only if something refers to them.
Where `$dynamicRef` or `$recursiveRef` is reached, the pass starts again with dynamic scopes (see `references`), and then visits each
subschema once per scope, with at most `MAX_REPEATED_PLACES` repetitions.

Turned down: validating against the metaschema (100 times slower, and it knows nothing of references and patterns).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from structgen.errors import LimitExceeded, RegexError, SchemaError, UnsupportedError
from structgen.schema.dialects import CONTENT_PATTERNS, Derived, view
from structgen.schema.handlers import HANDLERS, Pass, ScopesNeeded, path_of
from structgen.schema.normal import Normalizer
from structgen.schema.reasons import unsatisfiable
from structgen.schema.references import Document, kind_name, pointer_of
from structgen.schema.strings import FORMATS

Row = tuple[str, str, str, str]
MAX_REPEATED_PLACES = 5_000  # subschemas that come again in another dynamic scope
_NAMING = frozenset(
    "$id $anchor $dynamicAnchor $recursiveAnchor $vocabulary $defs definitions contentMediaType contentSchema".split()
)
# keywords that do nothing alone, and values that constrain nothing
_NEEDS = {"then": ("if",), "else": ("if",), "minContains": ("contains",), "maxContains": ("contains",)}
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "uniqueItems": (False,),
    "minLength": (0,),
    "minItems": (0,),
    "minProperties": (0,),
    "required": ([],),
    "dependentRequired": ({},),
    "dependentSchemas": ({},),
}
_ANNOTATIONS = frozenset(
    "$schema $comment id title description default examples deprecated readOnly writeOnly additionalItems example xml "
    "externalDocs x-structgen".split()
)


def check(document: Document, normalizer: Normalizer | None = None) -> None:
    """Find what can be known at compile time. normalizer: also find out whether the root has any instance.

    Raises SchemaError, RegexError, UnsatisfiableError, LimitExceeded.
    """
    try:
        _check(document)
    except ScopesNeeded:
        document.follow_scopes()
        _check(document)
    if normalizer is not None and normalizer.is_empty(normalizer.root):
        raise unsatisfiable(normalizer)


def _check(document: Document) -> None:
    run = Pass(document)
    handlers = HANDLERS
    for _ in _visited(run):
        for keyword, value in run.schema.items():
            handler = handlers.get(keyword)
            if handler is not None:
                handler(run, value)
    if run.has_references:
        _refuse_loops(run)


def report(document: Document) -> list[Row]:
    """Every keyword of every subschema that the root reaches: (JSON Pointer, keyword, what is done, note).

    What is done: "enforced", "annotation" (it does not constrain, here or anywhere), "ignored" (a keyword of another draft) or
    "refused" (a pattern without automaton). Raises SchemaError and LimitExceeded as `check`.
    """
    try:
        return _report(document)
    except ScopesNeeded:
        document.follow_scopes()
        return _report(document)


def _report(document: Document) -> list[Row]:
    rows: dict[Row, None] = {}  # a subschema that is reached in several scopes is listed once
    run = Pass(document, thorough=True)
    for _ in _visited(run):
        pointer = run.pointer()
        n_before = len(run.stack)
        derived = set(run.schema)  # keywords of the view that do not stand for themselves
        for keyword, value in run.source.items() if not isinstance(run.source, Derived) else ():
            if keyword not in run.schema or keyword in run.resource.dialect.unknown:
                rows[(pointer, keyword, *_fate(run, keyword))] = None
                continue
            derived.discard(keyword)
            handler = HANDLERS.get(keyword)
            if handler is None:
                rows[(pointer, keyword, "annotation", "" if keyword in _ANNOTATIONS else "unknown keyword")] = None
                continue
            n_waiting = len(run.stack)
            try:
                handler(run, run.schema[keyword])
            except RegexError as error:
                rows[(pointer, keyword, "refused", str(error).splitlines()[0])] = None
                del run.stack[n_waiting:]
            else:
                rows[(pointer, keyword, *_standing(run, keyword, value))] = None
        for keyword in run.schema:
            if keyword in derived:
                HANDLERS[keyword](run, run.schema[keyword])
        run.stack[n_before:] = reversed(run.stack[n_before:])  # the last one is visited first
    return list(rows)


def _fate(run: Pass, keyword: str) -> tuple[str, str]:
    """What became of a keyword that the view of its subschema does not have."""
    dialect = run.resource.dialect
    if keyword in dialect.left_out:
        return "annotation", "the metaschema leaves its vocabulary out"
    if dialect.ref_is_alone and "$ref" in run.source:
        return "ignored", f"stands beside $ref in {dialect.name}"
    if keyword in dialect.unknown:
        return "ignored", f"unknown in {dialect.name}"
    if keyword == "additionalItems" and not isinstance(run.source.get("items"), list):
        return "annotation", "without effect: it needs an array under items"
    return "enforced", "older form"


def _standing(run: Pass, keyword: str, value: Any) -> tuple[str, str]:
    """What is done with a keyword whose handler did not object."""
    options, schema = run.document.options, run.schema
    if keyword == "format" and (options.formats != "assert" or value not in FORMATS):
        return "annotation", f"format {value!r} is not asserted"
    if keyword == "format":
        from structgen.lexemes.formats_notes import format_notes

        return "enforced", format_notes(value) or ""
    if keyword == "contentEncoding":
        if options.content != "assert":
            return "annotation", "contentEncoding is not asserted"
        is_known = value.lower() in CONTENT_PATTERNS
        return ("enforced", "") if is_known else ("annotation", f"nothing is known to check {value!r} by")
    if keyword in ("nullable", "discriminator"):
        return _openapi_standing(run, keyword, value)
    if keyword in _NAMING:
        return "annotation", ""
    needs = _NEEDS.get(keyword, ())
    if needs and not any(other in schema for other in needs):
        return "annotation", f"without effect: it needs {' or '.join(needs)} beside it"
    if keyword in _NEUTRAL and value in _NEUTRAL[keyword]:
        return "annotation", "without effect: it admits everything"
    return "enforced", ""


def _openapi_standing(run: Pass, keyword: str, value: Any) -> tuple[str, str]:
    if not run.document.options.openapi:
        return "annotation", "a keyword of OpenAPI 3.0, see JsonOptions.openapi"
    if keyword == "nullable":
        if "type" not in run.source:
            return "annotation", "without effect: it needs type beside it"
        return ("enforced", "") if value else ("annotation", "without effect: it is false")
    if "oneOf" not in run.source and "anyOf" not in run.source:
        return "annotation", "without effect: it needs oneOf or anyOf beside it"
    return "enforced", ""


def _visited(run: Pass) -> Iterable[None]:
    """Set `run` on every reachable subschema in turn. Subschemas that a handler pushes are visited later."""
    document, stack = run.document, run.stack
    root, enter, max_depth = document.root_resource, document.enter, document.limits.max_depth
    seen: set[Hashable] = set()
    sources: set[int] = set()
    stack.append((root.root, root, (None, (), 0)))
    while stack:
        source, resource, place = stack.pop()
        if source is True or source is False:
            continue
        if not isinstance(source, dict):
            raise SchemaError(
                f"a schema is an object or a boolean, not {kind_name(source)}", pointer_of(path_of(place))
            )
        if "$id" in source or "id" in source:
            resource = enter(source, resource, path_of(place))
        key = id(source) if resource is root else (id(source), id(resource))
        if key in seen:
            continue
        seen.add(key)
        if resource.scope is not None:
            sources.add(id(source))
            if len(seen) - len(sources) > MAX_REPEATED_PLACES:
                raise LimitExceeded(
                    f"{len(seen)} subschemas where each dynamic scope counts, of {len(sources)} in all",
                    MAX_REPEATED_PLACES,
                    hint="give dynamic anchors fewer names, or define them in fewer resources",
                )
        if place[2] > max_depth:
            raise LimitExceeded(f"{place[2]} levels of subschemas", max_depth, "max_depth")
        schema = view(source, resource.dialect)
        if schema is not source:
            run.views.append(schema)
        run.schema, run.source = schema, source
        run.resource, run.place = resource, place
        yield


def _refuse_loops(run: Pass) -> None:
    """A subschema that applies to the same value as itself, through `$ref`, `allOf`, `not` and their like, has no meaning."""
    edges = run.edges
    done: set[Hashable] = set()
    for start in edges:
        if start in done:
            continue
        active = {start}
        stack = [(start, iter(edges[start][1]))]
        while stack:
            current, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                stack.pop()
                active.discard(current)
                done.add(current)
            elif target in active:
                pointer = pointer_of(path_of(edges[target][0]))
                raise UnsupportedError(
                    "reference loop: the schema refers back to itself without consuming a value", pointer
                )
            elif target in edges and target not in done:
                active.add(target)
                stack.append((target, iter(edges[target][1])))
