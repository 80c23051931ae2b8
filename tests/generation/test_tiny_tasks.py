"""Laws of the embedded model's tasks, tokenizer, loss weights and scoring."""

from __future__ import annotations

import json
import random
import re
from itertools import islice

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.tiny import path, tasks_families, tasks_words
from structgen.tiny.evaluate import leaves, same, score
from structgen.tiny.tasks import ASIDES, CHATTER, GENERIC, QUESTIONS, Example, TaskMaker, dump
from structgen.tiny.tasks_calls import OPINION_CLAIMS, OPINION_FRAMES, TOOL_NOTES, TOOLS
from structgen.tiny.tasks_things import ALL_FAMILIES
from structgen.tiny.tasks_values import CURRENCIES, ENUMS
from structgen.tiny.tokenizer import train_tokenizer
from structgen.tiny.train import encode, key_spans


def draw(count: int, seed: int, held: bool) -> list[Example]:
    return list(islice(iter(TaskMaker(seed, held)), count))


def phrase_lists() -> list[tuple[str, ...]]:
    lists = [
        tasks_families.INSTRUCTIONS,
        tasks_families.FIELD_NOTES,
        ASIDES,
        CHATTER,
        GENERIC,
        QUESTIONS,
        OPINION_FRAMES,
        TOOL_NOTES,
    ]
    lists += [*OPINION_CLAIMS.values()]
    lists += [tool.requests for tool in TOOLS]
    for family in ALL_FAMILIES:
        lists += [family.subjects, family.openers]
        lists += [options for field in family.fields for options in (field.preds, field.negatives) if options]
    return lists


@pytest.mark.parametrize("held", [False, True])
def test_answers_validate_against_their_schemas(held: bool) -> None:
    for example in draw(1000, 5, held):
        jsonschema.validate(example.answer, example.schema, cls=jsonschema.Draft202012Validator)
        assert json.loads(dump(example.answer)) == example.answer


def test_stream_is_a_function_of_seed_and_half() -> None:
    assert draw(200, 3, False) == draw(200, 3, False)
    assert draw(200, 3, False) != draw(200, 4, False)
    assert not {e.prompt for e in draw(600, 3, False)} & {e.prompt for e in draw(600, 3, True)}


def test_every_family_occurs_and_key_names_are_mostly_known() -> None:
    made = draw(2500, 9, False)
    families = {family.name for family in ALL_FAMILIES} | {"call", "generic", "value", "several", "opinion"}
    assert {e.family for e in made} == families
    assert 0.6 < sum(e.keys_known for e in made) / len(made) < 0.95


def test_every_phrase_list_has_both_halves_and_they_are_disjoint() -> None:
    for options in phrase_lists():
        seen = set(tasks_families.phrases(options, False))
        held = set(tasks_families.phrases(options, True))
        assert seen
        assert held
        assert not seen & held, options
        assert not any(text.startswith("~") for text in seen | held)


def test_training_prompts_hold_no_held_out_opener_or_instruction() -> None:
    prompts = [e.prompt for e in draw(1000, 2, False)]
    openers = [opener for family in ALL_FAMILIES for opener in tasks_families.phrases(family.openers, True)]
    notes = tasks_families.phrases(tasks_families.INSTRUCTIONS, True) + tasks_families.phrases(
        tasks_families.FIELD_NOTES, True
    )
    for opener in openers:
        fixed = max(re.split(r"\{\w+\}", opener), key=len)
        if len(fixed) > 16:
            assert not any(fixed in prompt for prompt in prompts), opener
    for note in notes:
        fixed = note.split("{")[0].strip()
        assert not any(fixed in prompt for prompt in prompts), note


@pytest.mark.parametrize("held", [False, True])
def test_drawn_words_belong_to_their_half(held: bool) -> None:
    words = tasks_words.Words(random.Random(1), held)
    for _ in range(500):
        assert tasks_words.is_held_word(words.invented()) == held
        assert tasks_words.is_held_word(words.listed(tasks_words.CITIES)) == held
    assert 0.05 < sum(map(tasks_words.is_held_word, tasks_words.FIRST)) / len(tasks_words.FIRST) < 0.25


def test_strings_of_known_answers_can_be_copied_from_the_prompt() -> None:
    closed = {value for options in ENUMS.values() for value, _ in options} | set(CURRENCIES)
    closed |= {"positive", "negative", "neutral"}
    n = right = 0
    for example in draw(1000, 8, True):
        names = {tool.name for tool in TOOLS}
        for _, value in leaves(example.answer):
            if (
                not isinstance(value, str)
                or value in closed
                or value in names
                or re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d:\d\d", value)
            ):
                continue
            n += 1
            # A spelled number under a string-typed field is the one kind of string that the text may write otherwise.
            right += value in example.prompt or value.isdigit()
    assert n > 1000
    assert right == n


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_key_spans_are_the_keys_in_order(value: object) -> None:
    keys: list[str] = []

    def hook(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys.extend(key for key, _ in pairs)
        return dict(pairs)

    text = dump(value)
    json.loads(text, object_pairs_hook=hook)
    spans = [json.loads(text[low:high]) for low, high in key_spans(text)]
    assert sorted(spans) == sorted(keys)


@pytest.fixture(scope="module")
def small_tokenizer():  # type: ignore[no-untyped-def]
    examples = draw(600, 11, False)
    return train_tokenizer((text for e in examples for text in (e.prompt, dump(e.answer))), vocab_size=700)


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_tokenizer_spells_every_text(small_tokenizer, text: str) -> None:  # type: ignore[no-untyped-def]
    ids = small_tokenizer.encode(text, add_special_tokens=False).ids
    assert small_tokenizer.decode(ids, skip_special_tokens=False) == text


def test_words_have_the_same_tokens_after_a_blank_and_after_a_quote(small_tokenizer) -> None:  # type: ignore[no-untyped-def]
    words = tasks_words.Words(random.Random(4), True)
    for _ in range(300):
        word = words.invented()
        alone = small_tokenizer.encode(word).tokens
        assert small_tokenizer.encode("of " + word).tokens[-len(alone) :] == alone
        assert small_tokenizer.encode('{"name": "' + word).tokens[-len(alone) :] == alone


def test_loss_weights_leave_out_keys_that_the_prompt_does_not_tell(small_tokenizer) -> None:  # type: ignore[no-untyped-def]
    examples = draw(300, 12, False)
    for example, one in zip(examples, encode(small_tokenizer, examples), strict=True):
        assert len(one.ids) == len(one.weights)
        learned = small_tokenizer.decode(
            [i for i, w in zip(one.ids, one.weights, strict=True) if w >= 1], skip_special_tokens=True
        )
        if example.keys_known:
            assert learned == dump(example.answer)
        elif isinstance(example.answer, dict):
            assert not key_spans(learned)


def test_score_of_the_expected_answer_is_full_and_of_another_is_not() -> None:
    for example in draw(300, 13, True):
        full = score(example, dump(example.answer))
        assert (full.right, full.exact, full.extra) == (full.expected, 1, 0)
        broken = score(example, dump(example.answer)[:-1] + "\x00")
        assert (broken.right, broken.exact, broken.invalid) == (0, 0, 1)
        assert score(example, '{"zzz": 1}').right == 0
    assert same(1, 1.0)
    assert not same(True, 1)
    assert not same("1", 1)


def test_model_files_load_and_fit() -> None:
    folder = path()
    if not (folder / "model.safetensors").exists():
        pytest.skip("the model has not been trained in this checkout")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert (folder / "model.safetensors").stat().st_size <= 16 * 2**20
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.num_parameters() <= 8_000_000
    assert model.config.vocab_size == len(tokenizer) == 4096
    assert model.config.eos_token_id == tokenizer.eos_token_id
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Ada is 36."}], add_generation_prompt=True, tokenize=False
    )
    assert chat == "<|begin|><|user|>Ada is 36.<|assistant|>"
    text = "Zoë 李娜 👩‍🚀\n\t{}"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
