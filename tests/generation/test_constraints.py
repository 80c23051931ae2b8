"""`generate` with constraints: patterns, choices, templates, free text before them; calls in the ways of model families."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import structgen
from structgen import Generator, ParameterError, SchemaError, Vocabulary
from structgen.generation.models import prompt_tokens, shows_tools
from structgen.generation.tools import FORMATS, Toolbox, ToolCall
from tests.generation.small_models import byte_level_tokenizer, small_llama


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


def add(a: int, b: int = 0) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(small_llama(context=2048), byte_level_tokenizer())


def test_one_of_schema_regex_choice_and_constraint() -> None:
    result = structgen.generate("tiny", "hi", regex=r"(?P<y>\d{4})-(?P<m>\d\d)")
    assert result.value == {"y": result.text[:4], "m": result.text[5:]}
    assert structgen.generate("tiny", "hi", choice=["yes", "no"]).value in ("yes", "no")
    one = structgen.template("age {age}", age=int)
    result = structgen.generate("tiny", "hi", constraint=one, max_new_tokens=20)
    assert result.text == f"age {result.value['age']}"
    with pytest.raises(ParameterError, match="regex and choice"):
        structgen.generate("tiny", "hi", regex="a", choice=["b"])
    with pytest.raises(ParameterError, match="json_schema"):
        structgen.generate("tiny", "hi", regex="a", options=structgen.JsonOptions())
    assert isinstance(structgen.generate("tiny", "hi", max_new_tokens=3).value, str)  # nothing asked for: free text


def test_free_text_before_a_value() -> None:
    result = structgen.generate("tiny", "hi", int, prefix="</think>", max_new_tokens=30)
    assert result.text == f"{result.prefix}</think>{result.value}"
    assert isinstance(result.value, int)
    assert "</think>" not in result.prefix
    with pytest.raises(SchemaError, match="prefix"):
        structgen.generate("tiny", "hi", prefix="</think>")
    with pytest.raises(SchemaError, match="not empty"):
        structgen.generate("tiny", "hi", int, prefix="")


def test_rows_of_a_batch_have_constraints_of_their_own(generator: Generator) -> None:
    rows = [
        structgen.Request("a", structgen.regex("[ab]{3}"), 20),
        structgen.Request("b", {"type": "boolean"}, 20),
        structgen.Request("c", structgen.choice(["x", "yy"]), 20),
    ]
    results = list(generator.batch(rows))
    assert [type(r.value) for r in results if isinstance(r, structgen.GenerationResult)] == [str, bool, str]
    events = list(generator.stream("a", structgen.regex("[ab]{3}")))
    assert isinstance(events[-1], structgen.TextDone)
    assert len(events[-1].text) == 3


def test_an_intersection_is_generated_within_its_limit() -> None:
    both = structgen.json_schema(list[int]) & structgen.regex(r"\[1.*7\]")
    for limit in (6, 40):
        result = structgen.generate("tiny", "numbers", constraint=both, max_new_tokens=limit)
        assert result.value[0] // 10 ** (len(str(result.value[0])) - 1) == 1
        assert result.text.endswith("7]")
        assert len(result.token_ids) <= limit


def test_special_tokens_of_a_tokenizer_have_names() -> None:
    tokenizer = copy.deepcopy(byte_level_tokenizer())
    tokenizer.add_special_tokens({"additional_special_tokens": ["<call>"]})
    vocabulary = Vocabulary.from_tokenizer(tokenizer)
    token = tokenizer.convert_tokens_to_ids("<call>")
    assert vocabulary.special_tokens["<call>"] == token
    assert vocabulary.token_bytes[token] is None
    assert not set(vocabulary.special_tokens.values()) & set(vocabulary.stop_token_ids)
    assert vocabulary.encode(b"a" + (vocabulary.spellings[token] or b"") + b"b")[1] == token
    whole = structgen.text_until(structgen.special_token("<call>")) + structgen.json_schema(int)
    matcher = structgen.Compiler(vocabulary).compile(whole).matcher()
    assert matcher.accept_bytes(b"so ")
    assert matcher.accept_token(token)
    assert not matcher.accept_token(token)


# -- calls ----------------------------------------------------------------------------------------------------------------------

TOKENS: list[bytes | None] = [*(bytes([b]) for b in range(256)), None, None, None]
PLAIN = structgen.Compiler(Vocabulary.from_bytes(TOKENS, [256]))
SPECIAL = structgen.Compiler(
    Vocabulary.from_bytes(TOKENS, [256], special_tokens={"[TOOL_CALLS]": 257, "<|python_tag|>": 258})
)
WEATHER = {"name": "get_weather", "arguments": {"city": "Rome"}}
SUM = {"name": "add", "arguments": {"a": 1, "b": 2}}


def spelled(form: str, calls: list[Any]) -> str:
    if form == "hermes":
        return "\n".join(f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in calls)
    if form == "mistral":
        return f"[TOOL_CALLS]{json.dumps(calls)}"
    if form == "llama3":
        return "; ".join(json.dumps({"name": call["name"], "parameters": call["arguments"]}) for call in calls)
    return json.dumps(calls)


@pytest.mark.parametrize("form", FORMATS)
def test_calls_are_read_as_their_family_writes_them(form: Any) -> None:
    box = Toolbox([get_weather, add])
    grammar = PLAIN.compile(box.constraint(form, most=3, is_required=True))
    found = box.read(grammar.value(spelled(form, [WEATHER, SUM])))
    assert [(call.name, call.arguments) for call in found] == [
        ("get_weather", {"city": "Rome"}),
        ("add", {"a": 1, "b": 2}),
    ]
    assert found.run() == ["sunny in Rome", 3]
    for wrong in ([], [WEATHER] * 4, [{**WEATHER, "name": "other"}], [{"name": "add", "arguments": {"a": "1"}}]):
        with pytest.raises(structgen.ConstraintError):
            grammar.value(spelled(form, wrong))
    matcher = grammar.matcher()
    assert not matcher.is_accepting()
    (call,) = box.read(grammar.value(matcher.shortest_text()))
    assert isinstance(call, ToolCall)


@pytest.mark.parametrize("form", FORMATS)
def test_an_answer_in_words_where_no_call_is_required(form: Any) -> None:
    box = Toolbox([get_weather, add])
    grammar = PLAIN.compile(box.constraint(form, most=None, is_required=False))
    words = box.read(grammar.value("It is sunny."))
    assert list(words) == []
    assert words.text == "It is sunny."
    one = box.constraint(form, most=2, is_required=False)
    assert [call.name for call in box.read(PLAIN.compile(one).value(spelled(form, [SUM, WEATHER])))] == [
        "add",
        "get_weather",
    ]


def test_special_tokens_mark_calls() -> None:
    box = Toolbox([get_weather, add])
    grammar = SPECIAL.compile(box.constraint("mistral", most=2, is_required=True))
    text = [*b"Well: ", 257, *json.dumps([SUM]).encode()]
    found = box.read(grammar.value(text))
    assert found.text == "Well: "
    assert found.run() == [3]
    assert not SPECIAL.compile(box.constraint("mistral", most=2, is_required=False)).matcher().accept_token(258)
    grammar = SPECIAL.compile(box.constraint("llama3", most=None, is_required=True))
    assert grammar.matcher().is_token_allowed(258)
    assert box.read(grammar.value([258, *spelled("llama3", [SUM]).encode()])).run() == [3]


@pytest.mark.parametrize("form", FORMATS)
def test_a_random_model_writes_calls_that_run(generator: Generator, form: Any) -> None:
    for seed in range(3):
        calls = generator.call(
            "na",
            [add],
            most=2,
            format=form,
            max_new_tokens=150,
            temperature=1.0,
            seed=seed,
            prefix="." if seed else None,
        )
        assert 1 <= len(calls) <= 2
        assert all(isinstance(value, int) for value in calls.run())
    with pytest.raises(ParameterError, match="format"):
        generator.call("na", [add], format="other")  # type: ignore[arg-type]


def test_the_chat_template_shows_the_tools() -> None:
    tokenizer = copy.deepcopy(byte_level_tokenizer())  # others use it as it is
    tokenizer.chat_template = "{% for t in tools or [] %}[{{ t.function.name }}]{% endfor %}{{ messages[0].content }}"
    assert shows_tools(tokenizer)
    shown = tokenizer.decode(prompt_tokens(tokenizer, "hi", None, Toolbox([add]).shown()))
    assert shown == "[add]hi"
    (call,) = Generator(small_llama(context=512), tokenizer).call("hi", [add], format="hermes", max_new_tokens=120)
    assert call.name == "add"
