"""The laws of the language on random schemas, and a fuzzer that runs them for long.

    python -m tests.schema.fuzz --minutes 30 --seed 1 [--state FILE] [--keywords oneOf,not,...] [--without format,...]
        [--drafts draft7,...]

In: schemas of `tests/schema/strategies.py`. For each, with the judge of `tests/schema/judge.py`:

    language    an instance's text, in any spelling, is accepted byte by byte and may end there exactly when the instance is valid;
                a text with a name twice in one object never is
    walks       in random walks over the masks of two vocabularies, the mask's bits are what `is_token_allowed` says for every token,
                every state completes by `shortest_completion`, and what comes out is valid
    order       with the declared order of properties (the default options) the same, and there is an output
    errors      `UnsatisfiableError` only where no small value and no value near the schema is valid; `LimitExceeded` is counted;
                `UnsupportedError` is counted; anything else is a finding

A violated law raises `Finding`. The command line makes it small, prints it with schema and instance, goes on, and keeps counts,
findings and the next seed in a state file, so that a run can be stopped and resumed.

Turned down: coverage-guided fuzzing (the kernels are compiled, and what matters is how keywords meet).
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from structgen import (
    Compiler,
    JsonOptions,
    LimitExceeded,
    StructgenError,
    UnsatisfiableError,
    UnsupportedError,
    Vocabulary,
)
from tests.machine import walks
from tests.schema import strategies
from tests.schema.judge import CLASSES, Judge, dumps, loads, spelled

ANY = JsonOptions(property_order="any", whitespace="any", integers="spec", escapes="any")
ANY_COMPACT = replace(ANY, whitespace="compact", escapes="minimal")
DEFAULT = JsonOptions()
_WHOLE_FRACTION = re.compile(r"[0-9]\.0+(?![0-9])|[0-9][eE]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _is_date(text: str) -> bool:
    import datetime

    try:
        return _DATE.fullmatch(text) is not None and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(re.fullmatch("0|[1-9][0-9]{0,2}", part) and int(part) < 256 for part in parts)


FORMATS = {
    "date": _is_date,
    "ipv4": _is_ipv4,
    "uuid": lambda text: re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None,
}


@dataclass(eq=False)
class Finding(AssertionError):
    """A law that a schema breaks. law: its name; text: the instance's text, or what was generated so far."""

    law: str
    schema: str
    draft: str
    text: str
    expected: str
    got: str
    seed: int = 0
    about: str = ""

    def __str__(self) -> str:
        return (
            f"{self.law}\n  schema   {self.schema}\n  draft    {self.draft}\n  text     {self.text}\n"
            f"  expected {self.expected}\n  got      {self.got}"
        )

    def signature(self) -> str:
        """What findings of one cause have in common, roughly: the law, the outcome, the keywords of the smallest schema."""
        outcome = re.sub(r"[0-9]+|'[^']*'|\"[^\"]*\"", "*", self.got)[:60]
        return f"{self.law}: {outcome}: {' '.join(sorted(keywords_in(loads(self.schema))))}"


def keywords_in(schema: Any) -> set[str]:
    """The keywords that a schema uses (roughly: member names that are keywords)."""
    if isinstance(schema, list):
        return set().union(*map(keywords_in, schema))
    if not isinstance(schema, dict):
        return set()
    out = set().union(*(keywords_in(value) for key, value in schema.items() if key not in ("const", "enum")))
    return out | (schema.keys() & (strategies.KEYWORDS | {"additionalItems", "then", "else", "maxContains"}))


def made_bpe(n_merges: int = 180) -> Vocabulary:
    """All bytes and the merges that byte-pair encoding finds in small JSON texts of this alphabet."""
    random = Random(5)
    corpus = []
    for value in strategies.SMALL_VALUES * 2:
        text = dumps(value, random.choice(((",", ":"), (", ", ": "))))
        corpus.append([bytes([byte]) for byte in text.encode()])
    merges: list[bytes] = []
    for _ in range(n_merges):
        pairs = Counter(pair for text in corpus for pair in itertools.pairwise(text))
        (left, right), count = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if count < 2:
            break
        merges.append(left + right)
        for text in corpus:
            i = 0
            while i < len(text) - 1:
                if text[i] == left and text[i + 1] == right:
                    text[i : i + 2] = [left + right]
                i += 1
    return walks.byte_vocabulary(
        *dict.fromkeys(merges), None, b"\\u", "é".encode(), b"\\u00e9", b"1.0", b"e0", b".5", padding=3
    )


_FIXED = {
    about: tuple((value, dumps(value)) for value in values)
    for about, values in (("", strategies.SMALL_VALUES), *strategies.DENSE_VALUES.items())
}
_Verdicts = list[tuple[Any, str, bool]]  # a value, its compact text, whether it is valid


@dataclass
class Laws:
    """The vocabularies, compilers and counts of one run."""

    slow_seconds: float = 3.0
    only_language: bool = False  # neither walks nor completions
    counts: Counter[str] = field(default_factory=Counter)
    slow: list[tuple[float, str, str]] = field(default_factory=list)  # process time, draft, schema: reported, no law

    def __post_init__(self) -> None:
        self.vocabularies = (walks.byte_vocabulary(), made_bpe())
        self.kinds = tuple(map(walks.Kinds, self.vocabularies))
        self.compilers = tuple(Compiler(vocabulary, cache_size=0) for vocabulary in self.vocabularies)

    # -- one schema

    def check(self, schema: Any, draft: str, seed: int, about: str = "") -> None:
        """Every law on one schema; raises Finding. The seed decides on values, spellings and walks.

        about: "object" or "array" if the schema speaks of nothing else.
        """
        self.counts["schemas"] += 1
        started = time.process_time()
        text = dumps(schema)
        try:
            self._check(schema, text, draft, Random(seed), about)
        except Finding as finding:
            finding.seed, finding.about = seed, about
            raise
        except hypothesis.errors.HypothesisException:
            raise
        except UnsupportedError as error:
            self.counts["unsupported"] += 1
            self.counts[f"unsupported {error.keyword}"] += 1
        except LimitExceeded as error:
            self.counts["LimitExceeded"] += 1
            self.counts[f"LimitExceeded {error.name}"] += 1
        except (Exception, RecursionError) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            got = f"{type(error).__name__}: {error} ({Path(where.filename).name}, {where.name})"
            wanted = "an answer, or an error that is documented"
            raise Finding("errors", text, draft, "", wanted, got, seed, about) from error
        took = time.process_time() - started
        if took > self.slow_seconds:
            self.slow = sorted([*self.slow, (round(took, 1), draft, text)], reverse=True)[:20]

    def _compile(self, which: int, text: str, options: JsonOptions) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.compilers[which].compile_json_schema(text, options)

    def _check(self, schema: Any, text: str, draft: str, random: Random, about: str) -> None:
        options = replace(ANY, draft=draft)
        unsatisfiable, grammar = None, None
        try:  # first, since a judge does not come back from a loop of references, which is refused
            grammar = self._compile(0, text, options)
        except UnsatisfiableError as error:
            unsatisfiable = error
        judge = Judge(schema, draft, FORMATS)
        texts = map(dumps, strategies.values_near(schema, random, 30))
        near = [(loads(compact), compact) for compact in texts]  # what is judged is what the text says
        verdicts = [(value, compact, judge.valid(value)) for value, compact in (*_FIXED[about], *near)]
        if unsatisfiable is not None:
            self._no_instance(text, draft, verdicts, unsatisfiable)
            return
        self.counts["compiled"] += 1
        self.counts["valid instances"] += sum(valid for *_, valid in verdicts)
        self.counts["invalid instances"] += sum(not valid for *_, valid in verdicts)
        self._language(grammar, judge, text, draft, verdicts, random)
        compact = self._compile(0, text, replace(ANY_COMPACT, draft=draft))
        for _, small, valid in verdicts[:: random.randrange(3, 9)]:
            self._instance(compact, text, draft, small, valid, "compact")
        if self.only_language:
            return
        which = random.randrange(2)
        walked = grammar if which == 0 else self._compile(1, text, options)
        self._walk(walked, which, judge, text, draft, random, "any order")
        default = replace(DEFAULT, draft=draft, whitespace=random.choice(("flexible", "compact")))
        which = random.randrange(2)
        try:
            ordered = self._compile(which, text, default)
        except UnsatisfiableError as error:
            got = f"UnsatisfiableError: {error}"
            raise Finding("order", text, draft, "", "an output: with any order there is one", got) from error
        self._walk(ordered, which, judge, text, draft, random, "declared order")

    def _no_instance(self, text: str, draft: str, verdicts: _Verdicts, error: StructgenError) -> None:
        self.counts["unsatisfiable"] += 1
        valid = [compact for _, compact, verdict in verdicts if verdict]
        if valid:
            raise Finding("errors", text, draft, min(valid, key=len), "valid", f"UnsatisfiableError: {error}")

    def _language(self, grammar: Any, judge: Judge, text: str, draft: str, verdicts: _Verdicts, random: Random) -> None:
        for _, compact, valid in verdicts:
            self._instance(grammar, text, draft, compact, valid, "compact")
        for value, _, valid in verdicts[:: random.randrange(1, 6)]:
            self._instance(grammar, text, draft, dumps(value, (", ", ": ")), valid, "spaces")
            for freely in (False, True):
                other = spelled(random, value, freely=freely)
                # in draft 4 another spelling may be another value: 1.0 is no integer
                still = valid if draft != "draft4" else judge.valid_text(other)
                if (
                    not freely or not still
                ):  # which exponents and escapes are admitted is up to the engine, but not for what is invalid
                    self._instance(grammar, text, draft, other, still, "spelled freely" if freely else "spelled")
        for value, compact, _ in verdicts:
            if isinstance(value, dict) and value and random.random() < 0.1:
                name = random.choice(list(value))
                doubled = compact[:-1] + f",{json.dumps(name, ensure_ascii=False)}:{dumps(value[name])}}}"
                self._instance(grammar, text, draft, doubled, False, "a name twice")

    def _instance(self, grammar: Any, schema: str, draft: str, text: str, valid: bool, spelling: str) -> None:
        if draft == "draft4" and valid and _WHOLE_FRACTION.search(text):
            return  # such a number is no integer there, but what is no integer is not spelled so either
        matcher = grammar.matcher()
        data = text.encode()
        accepted = matcher.accept_bytes(data) and matcher.is_accepting()
        self.counts["instances"] += 1
        if accepted != valid:
            got = "accepted" if accepted else f"refused {self._where_refused(grammar, data)}"
            raise Finding(f"language ({spelling})", schema, draft, text, "accepted" if valid else "refused", got)

    def _where_refused(self, grammar: Any, data: bytes) -> str:
        matcher = grammar.matcher()
        for i in range(len(data)):
            if not matcher.accept_bytes(data[i : i + 1]):
                return f"at {data[i:].decode(errors='replace')!r}"
        return "at the end"

    def _walk(self, grammar: Any, which: int, judge: Judge, schema: str, draft: str, random: Random, name: str) -> None:
        kinds = self.kinds[which]
        matcher = grammar.matcher()
        law = f"walks ({name}, {'bytes' if which == 0 else 'made BPE'})"
        try:
            self._valid(judge, walks.complete(matcher), schema, draft, f"{law}: shortest")
            style = random.choice(walks.STYLES)
            length = random.choice((4, 12, 30))
            for mask in walks.walk(matcher, random, kinds, style, length):
                self.counts["states"] += 1
                if not (mask.any() or matcher.is_accepting()):
                    raise AssertionError(f"a dead end after {walks.text_of(matcher)!r}")
                if random.random() < 0.3:
                    walks.check_mask(matcher, mask)
                if random.random() < 0.2:
                    self._valid(judge, walks.complete(matcher), schema, draft, f"{law}: completed")
            if matcher.is_accepting():
                self._valid(judge, walks.text_of(matcher), schema, draft, f"{law}: ended")
            self._valid(judge, walks.complete(matcher), schema, draft, f"{law}: completed")
        except Finding:
            raise
        except AssertionError as error:
            text = walks.text_of(matcher).decode(errors="replace")
            raise Finding(law, schema, draft, text, "the laws of masks", str(error)[:500]) from error
        except LimitExceeded as error:
            if error.name != "max_search" and error.name != "max_completion_bytes":
                raise
            text = walks.text_of(matcher).decode(errors="replace")
            raise Finding(law, schema, draft, text, "a completion", f"LimitExceeded: {error}") from error

    def _valid(self, judge: Judge, data: bytes, schema: str, draft: str, law: str) -> None:
        text = data.decode()
        self.counts["outputs"] += 1
        reason = judge.reason(text)
        if reason is not None:
            raise Finding(law, schema, draft, text, "a valid instance", f"generated, but {reason}")


def drawn(keywords: frozenset[str] = strategies.KEYWORDS, drafts: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """(draft, schema, what it is about): 2020-12 more often than the others; dense ones; `$dynamicRef` over two resources now and then."""
    weights = drafts or ("draft2020-12",) * 5 + strategies.DRAFTS

    @st.composite
    def made(draw: Any) -> tuple[str, Any, str]:
        number = draw(st.integers(0, 24))
        if number == 24 and "$dynamicRef" in keywords and "draft2020-12" in weights:
            return "draft2020-12", draw(strategies.dynamic_schemas(keywords)), ""
        draft = draw(st.sampled_from(weights))
        about = "object" if 8 < number < 15 else "array" if 14 < number < 21 else ""
        if about and strategies.keywords_of(draft, keywords).intersection(strategies.KINDS[about]):
            return draft, draw(strategies.dense_schemas(about, draft, keywords)), about
        return draft, draw(strategies.schemas(draft, keywords)), ""

    return made()


def run(
    laws: Laws,
    seed: int,
    examples: int,
    keywords: frozenset[str] = strategies.KEYWORDS,
    drafts: tuple[str, ...] = (),
) -> None:
    """Check so many drawn schemas; raises the first Finding."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(drawn(keywords, drafts), st.integers(0, 2**20))
    def check(case: tuple[str, Any, str], number: int) -> None:
        draft, schema, about = case
        laws.check(schema, draft, number, about)

    check()


def made_small(laws: Laws, finding: Finding, seconds: float = 40.0) -> Finding:
    """The finding with parts of its schema left out, as long as the same law stays broken; stops after some seconds.

    hypothesis makes findings smaller still, but its time cannot be bounded below five minutes.
    """
    stop = time.monotonic() + seconds
    done = False
    while not done:
        done = True
        for candidate in _smaller(loads(finding.schema)):
            if time.monotonic() > stop:
                return finding
            again = _again(laws, finding, candidate)
            if again is not None and len(again.schema) < len(finding.schema):
                finding, done = again, False
                break
    return finding


def _smaller(schema: Any) -> Iterator[Any]:
    """Schemas with one part left out or put in the place of the whole, the greatest cuts first; and members of constants likewise."""
    if isinstance(schema, list):
        for i in range(len(schema)):
            yield schema[:i] + schema[i + 1 :]
        for i, item in enumerate(schema):
            yield from ([*schema[:i], inner, *schema[i + 1 :]] for inner in _smaller(item))
    elif isinstance(schema, dict):
        yield True
        for value in schema.values():
            yield from (inner for inner in (value if isinstance(value, list) else [value]) if isinstance(inner, dict))
        for key in schema:
            yield {name: value for name, value in schema.items() if name != key}
        for key, value in schema.items():
            yield from ({**schema, key: inner} for inner in _smaller(value))
    elif isinstance(schema, str) and len(schema) > 1:
        yield schema[:1]


def _again(laws: Laws, finding: Finding, schema: Any) -> Finding | None:
    """A finding of the same law on another schema, with the same seed; of the language, with the same text."""
    try:
        CLASSES[finding.draft].check_schema(json.loads(dumps(schema)))
        if not finding.law.startswith("language"):
            laws.check(schema, finding.draft, finding.seed, finding.about)
            return None
        valid = Judge(schema, finding.draft, FORMATS).valid_text(finding.text)
        grammar = laws._compile(0, dumps(schema), replace(ANY, draft=finding.draft))
        matcher = grammar.matcher()
        if (matcher.accept_bytes(finding.text.encode()) and matcher.is_accepting()) == valid:
            return None
        laws._instance(grammar, dumps(schema), finding.draft, finding.text, valid, "made small")
    except Finding as again:
        return again if again.law.partition(" ")[0] == finding.law.partition(" ")[0] else None
    except Exception:  # no schema any more (a reference without its target), or another defect: not this one
        return None
    return None


# -- the command line ---------------------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run for some minutes; print and keep every finding. Exit status 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m tests.schema.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="first seed; without it, where the state file stopped")
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "structgen-fuzz-language.json")
    parser.add_argument("--batch", type=int, default=200, help="schemas drawn with one seed")
    parser.add_argument("--keywords", default="", help="draw only these keywords (comma separated)")
    parser.add_argument("--without", default="", help="draw none of these keywords")
    parser.add_argument("--only-language", action="store_true", help="neither walks nor the declared order")
    parser.add_argument("--drafts", default="", help="only these drafts (comma separated)")
    given_arguments = parser.parse_args(arguments)
    keywords = frozenset(filter(None, given_arguments.keywords.split(","))) or strategies.KEYWORDS
    keywords -= frozenset(given_arguments.without.split(","))
    drafts = tuple(filter(None, given_arguments.drafts.split(",")))
    unknown = (keywords - strategies.KEYWORDS) | (set(drafts) - set(strategies.DRAFTS))
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    path: Path = given_arguments.state
    state: dict[str, Any] = {"next_seed": 1, "minutes": 0.0, "counts": {}, "findings": {}}
    if path.exists():
        state = json.loads(path.read_text(encoding="utf-8"))
    if given_arguments.seed is not None:
        state["next_seed"] = given_arguments.seed
    laws = Laws(only_language=given_arguments.only_language)
    total = Counter(state["counts"])
    started = last = time.monotonic()
    fresh = 0
    while time.monotonic() - started < 60 * given_arguments.minutes:
        laws.counts = Counter()
        try:
            run(laws, state["next_seed"], given_arguments.batch, keywords, drafts)
        except Finding as finding:
            fresh += _keep(state, made_small(laws, finding))
        except (hypothesis.errors.Flaky, ExceptionGroup) as error:
            inner = getattr(error, "exceptions", ())
            first = next((one for one in inner if isinstance(one, Finding)), None)
            if first is None:
                first = Finding("", "true", "", "", "the same every time", str(error)[:400])
            fresh += _keep(state, replace(first, law=f"not every time: {first.law}"))
        total += laws.counts
        state["next_seed"] += 1
        now = time.monotonic()
        state["minutes"], last = state["minutes"] + (now - last) / 60, now
        state["counts"] = dict(total)
        path.write_text(json.dumps(state, indent=1), encoding="utf-8")
    print(f"{state['minutes']:.1f} minutes in all, next seed {state['next_seed']}, {fresh} new findings")
    print(", ".join(f"{name} {count}" for name, count in sorted(total.items(), key=lambda item: -item[1])))
    reached = max(1, total["schemas"])
    for took, draft, text in laws.slow:
        print(f"slow: {took} s for all laws, {draft}, {text}")
    print(f"LimitExceeded: {100 * total['LimitExceeded'] / reached:.2f} % of the schemas")
    return 1 if fresh else 0


def _keep(state: dict[str, Any], finding: Finding) -> int:
    """Keep a finding unless one of its kind is known; 1 if it is new."""
    signature = finding.signature()
    known = state["findings"].setdefault(signature, {"count": 0})
    known["count"] += 1
    if known["count"] > 1:
        return 0
    known.update(asdict(finding), batch=state["next_seed"])
    print(f"\n[seed {state['next_seed']}] {finding}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
