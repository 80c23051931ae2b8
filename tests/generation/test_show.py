"""Traces: they say what the masks and the logits say, and are shown without driving the terminal or the page."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from structgen import Generator, ParameterError, Request
from structgen.generation.sampling import removed_mass
from structgen.generation.show import FieldSummary, TokenTrace, by_field, fragment, page, print_trace, summary
from tests.generation.small_models import byte_level_tokenizer, small_llama

SCHEMA = {
    "type": "object",
    "properties": {"name": {"enum": ["na<b>", "ab"]}, "n": {"type": "integer"}},
    "required": ["name", "n"],
}


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(), byte_level_tokenizer())


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_trace_is_of_every_token(generator: Generator) -> None:
    for seed in range(6):
        parameters = {"max_new_tokens": 60, "temperature": 1.0, "seed": seed}
        plain = generator.generate("na", SCHEMA, **parameters)
        traced = generator.generate("na", SCHEMA, trace=True, **parameters)
        assert plain.trace == ()
        assert traced.token_ids == plain.token_ids == tuple(token.token_id for token in traced.trace)
        assert b"".join(token.data for token in traced.trace).decode() == traced.text
        for token in traced.trace:
            assert token.is_forced == (token.removed is None)
            assert token.removed is None or 0.0 <= token.removed <= 1.0
            assert token.mask_s >= 0
        (batched,) = generator.batch([Request("na", SCHEMA, trace=True, **parameters)])
        assert [(t.token_id, t.n_allowed) for t in batched.trace] == [(t.token_id, t.n_allowed) for t in traced.trace]  # type: ignore[union-attr]


def test_removed_mass_is_that_of_the_softmax() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        logits = rng.normal(0, 5, 40).astype(np.float32)
        ids = np.sort(rng.choice(40, rng.integers(1, 41), replace=False)).astype(np.int64)
        shares = np.exp(logits.astype(np.float64)) / np.exp(logits.astype(np.float64)).sum()
        assert removed_mass(logits, ids) == pytest.approx(1 - shares[ids].sum(), abs=1e-9)
    assert removed_mass(np.full(4, -np.inf, np.float32), np.array([1])) == 1.0  # no distribution


def test_pages_load_nothing_and_escape_everything() -> None:
    trace = (
        TokenTrace(1, b"<script>alert(1)</script>", 5, 0.5, 1e-5),
        TokenTrace(2, b"\xc3", 1, None, 1e-6),
        TokenTrace(3, b'"&', 9, 1.0, 1e-6),
    )
    reader = _Page()
    reader.feed(page(trace, "a <title>"))
    assert reader.tags.count("script") == 1, "the data of the page, and nothing of the text"
    assert not reader.loads
    assert "<script>alert(1)</script>" in reader.text
    assert "a <title>" in reader.text
    assert len(re.findall("<span", fragment(trace))) == 3
    assert summary(trace).startswith("3 tokens, 1 forced, 75.0%")
    assert summary(()) == "no tokens"


def test_a_terminal_is_not_driven_by_the_text() -> None:
    out = io.StringIO()
    print_trace((TokenTrace(1, b"a\x1b[31mb", 2, 0.1, 0.0),), out)
    assert "\x1b" not in out.getvalue()
    assert "\\x1b[31m" in out.getvalue()


def test_results_show_themselves(generator: Generator) -> None:
    traced = generator.generate("na", SCHEMA, max_new_tokens=60, trace=True)
    out = io.StringIO()
    traced.show(out)
    assert traced.text.replace("\n", "") in out.getvalue().replace("\n", "")
    assert traced._repr_html_() is not None
    assert traced.to_html("T").startswith("<!doctype html>")
    plain = generator.generate("na", SCHEMA, max_new_tokens=60)
    assert plain._repr_html_() is None
    for method in (plain.show, plain.to_html):
        with pytest.raises(ParameterError, match="trace=True"):
            method()


def test_a_summary_is_of_the_deepest_value_that_a_token_is_in() -> None:
    tokens = ['{"', 'a":', " 1", '2,"b/~', '": [', '"x', '","y"', "]", ', "c":{"', 'd":tru', "e}}"]
    trace = [
        TokenTrace(n, text.encode(), 1 if n % 3 == 0 else 7, None if n % 3 == 0 else n / 20, 1e-6)
        for n, text in enumerate(tokens)
    ]
    found = {field.pointer: field for field in by_field(trace)}
    expected = {"": [0, 1], "/a": [2, 3], "/b~1~0": [4, 7], "/b~1~0/0": [5, 6], "/c": [8], "/c/d": [9, 10]}
    assert list(found) == list(expected)
    for pointer, numbers in expected.items():
        field = found[pointer]
        asked = [n / 20 for n in numbers if n % 3]
        assert (field.n_tokens, field.n_forced) == (len(numbers), len(numbers) - len(asked))
        assert field.removed == pytest.approx(sum(asked) / len(asked))
        assert field.mask_s == pytest.approx(len(numbers) * 1e-6)


def test_summaries_add_up_to_the_trace(generator: Generator) -> None:
    for seed in range(6):
        for schema in (SCHEMA, None, {"type": "array", "items": {"type": "integer"}}, {"const": 7}):
            result = generator.generate("na", schema, max_new_tokens=60, temperature=1.0, seed=seed, trace=True)
            fields = result.fields()
            assert sum(field.n_tokens for field in fields) == len(result.trace)
            assert sum(field.n_forced for field in fields) == sum(token.is_forced for token in result.trace)
            assert sum(field.mask_s for field in fields) == pytest.approx(sum(token.mask_s for token in result.trace))
            if schema is SCHEMA:
                assert [field.pointer for field in fields][:2] == ["", "/name"]
            if schema is None:
                assert [field.pointer for field in fields] == [""]
    with pytest.raises(ParameterError, match="trace=True"):
        generator.generate("na", SCHEMA, max_new_tokens=60).fields()


def test_the_table_is_cut_and_drives_no_terminal() -> None:
    fields = [FieldSummary(f"/\x1b[31m{n}", 2, 1, None if n % 2 else 0.5, 1e-5) for n in range(100)]
    out = io.StringIO()
    print_trace((TokenTrace(1, b"1", 2, 0.1, 0.0),), out, fields)
    assert "\x1b" not in out.getvalue()
    assert "and 40 more" in out.getvalue()
    reader = _Page()
    reader.feed(page((TokenTrace(1, b"1", 2, 0.1, 0.0),), "t", [FieldSummary("/<b>", 1, 0, 0.5, 1e-5)]))
    assert "/<b>" in reader.text
    assert reader.tags.count("table") == 1
