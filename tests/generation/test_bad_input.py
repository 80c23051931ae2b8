"""Bad input to generation: each a named exception before the model runs, and everything works on afterwards.

Tested elsewhere: types, annotations and placeholders that `typed` refuses when it decorates (test_typed); wrong parameters (test_api,
test_controls); rows that fail alone, an iterable that raises (test_generator, test_controls); a full disk and Ctrl-C during a bench, and
its resumption (tests/jsonschemabench/test_run).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional

import pydantic
import pytest
import torch

import structgen
from structgen import Generator, PromptError, Request, RowFailure, SchemaError
from tests.generation.small_models import byte_level_tokenizer, small_llama


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(), byte_level_tokenizer())


class Dangling(pydantic.BaseModel):
    other: Optional[Missing] = None  # type: ignore[name-defined] # noqa: F821, UP045 - the missing name is the point


class Tree(pydantic.BaseModel):
    n: bool
    kids: Annotated[list[Tree], pydantic.Field(max_length=2)] = []


@dataclass
class Chain:
    n: bool
    rest: Optional[Chain] = None  # noqa: UP045


WRONG: list[tuple[str, Any, Any, type[Exception], str]] = [
    ("a type without a schema", "na", threading.Thread, SchemaError, "Thread"),
    ("a callable", "na", Callable[[int], str], SchemaError, "Callable"),
    ("a forward reference to nothing", "na", Dangling, SchemaError, "Dangling"),
    ("a value for a type", "na", 3, SchemaError, "3|int"),
    ("a list for a schema", "na", [{"type": "integer"}], SchemaError, "list|type"),
    ("messages without a template", [{"role": "user", "content": "hi"}], bool, PromptError, "no chat template"),
    ("a prompt beyond the context", "x" * 600, bool, PromptError, "600 tokens"),
    ("an empty prompt", "", bool, PromptError, "empty"),
]


@pytest.mark.parametrize(("what", "prompt", "schema", "error", "reason"), WRONG, ids=[row[0] for row in WRONG])
def test_each_way_to_generate_names_it(
    generator: Generator, what: str, prompt: Any, schema: Any, error: type[Exception], reason: str
) -> None:
    for ask in (generator.generate, lambda *a: list(generator.stream(*a))):
        with pytest.raises(error, match=reason):
            ask(prompt, schema)
    rows = ["na", Request(prompt, schema), "ab"]
    found = list(generator.batch(rows, bool))
    assert [isinstance(result, RowFailure) for result in found] == [False, True, False]
    assert isinstance(found[1].error, error)  # type: ignore[union-attr]
    events = [event for index, event in generator.stream_batch(rows, bool) if index == 1]
    assert [type(event) for event in events] == [RowFailure]


def test_unhashable_and_recursive_types_are_types(generator: Generator) -> None:
    unhashable: Any = Literal[["a"], ["b"]]
    assert generator.generate("na", unhashable, max_new_tokens=30).value in (["a"], ["b"])
    noted = Annotated[bool, {"note": []}]
    assert isinstance(generator.generate("na", noted, max_new_tokens=30).value, bool)
    for seed in range(4):
        for tp in (Tree, Chain):
            result = generator.generate("na", tp, max_new_tokens=120, temperature=1.0, seed=seed)
            assert isinstance(result.value, tp)
            assert pydantic.TypeAdapter(tp).validate_json(result.text) == result.value


def test_a_type_that_holds_itself_without_end_is_refused(generator: Generator) -> None:
    @dataclass
    class Endless:
        rest: "Endless"  # noqa: UP037

    Endless.__annotations__["rest"] = Endless
    with pytest.raises(SchemaError):
        generator.generate("na", Endless)


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, SystemExit])
def test_ctrl_c_leaves_everything_usable(generator: Generator, stopped: type[BaseException]) -> None:
    """Also a model in training mode is as it was, and the rows that were given stay given; who goes on asks for the others."""
    model = generator.model
    rows = [
        Request("na", {"type": "integer", "minimum": 0}, max_new_tokens=6, min_tokens=4, temperature=1.0, seed=n)
        for n in range(12)
    ]
    expected = [result.text for result in generator.batch(rows, in_flight=2)]  # type: ignore[union-attr]
    seen = 0

    def on_token(token: Any, index: int) -> None:
        nonlocal seen
        seen += 1
        if seen == 25:
            raise stopped

    model.train()
    try:
        found: list[str] = []
        batch = generator.batch(rows, in_flight=2, on_token=on_token)
        with pytest.raises(stopped):
            found.extend(result.text for result in batch)  # type: ignore[union-attr]
        assert model.training
        assert list(batch) == []
        with pytest.raises(stopped):
            generator.generate("na", max_new_tokens=50, min_tokens=30, on_text=_raiser(stopped))
        assert model.training
    finally:
        model.eval()
    assert 0 < len(found) < len(rows)
    rest = [result.text for result in generator.batch(rows[len(found) :], in_flight=2)]  # type: ignore[union-attr]
    assert [*found, *rest] == expected


def _raiser(error: type[BaseException]) -> Callable[[str], None]:
    def raise_it(text: str) -> None:
        raise error

    return raise_it


def test_an_iterable_that_raises_keeps_the_rows_before_it_everywhere(generator: Generator) -> None:
    def rows() -> Iterator[Any]:
        yield from ("a", {"prompt": ""}, "b")
        raise RuntimeError("no more")

    kept: list[Any] = []
    with pytest.raises(RuntimeError, match="no more"):
        kept.extend(generator.batch(rows(), bool, in_flight=8, progress=True))
    assert [isinstance(result, RowFailure) for result in kept] == [False, True, False]
    with pytest.raises(RuntimeError, match="no more"):
        list(generator.batch((_fail() for _ in range(3)), bool))


def _fail() -> str:
    raise RuntimeError("no more")


def test_typed_functions_name_what_is_wrong_when_they_are_called(generator: Generator) -> None:
    @structgen.typed(model=generator.model, tokenizer=generator.tokenizer)
    def dangling(text: str) -> Dangling:
        """{text}"""

    with pytest.raises(SchemaError, match="Dangling"):
        dangling("na")

    @structgen.typed(model=generator.model, tokenizer=generator.tokenizer)
    def flag(text: str) -> bool:
        """{text}"""

    with pytest.raises(PromptError, match="600 tokens"):
        flag("x" * 600)
    with pytest.raises(PromptError):
        flag.batch([("na",), ("x" * 600,)])
    good, bad = flag.batch([("na",), ("x" * 600,)], on_error="return")
    assert isinstance(good, bool)
    assert isinstance(bad, PromptError)
