"""Forced tokens spell what must come, and explanations say allowed exactly of what is allowed: laws on walks."""

from __future__ import annotations

import json
from random import Random

from structgen import Compiler, Vocabulary
from tests.machine import walks
from tests.machine.schemas import STRESS


def test_forced_tokens_spell_the_only_text(each: tuple[str, Vocabulary, walks.Kinds]) -> None:
    """Every byte of the forced tokens is the only one that may come; no token that goes on from them is hidden by them; nothing moves."""
    name, vocabulary, kinds = each
    compiler = Compiler(vocabulary, cache_size=0)
    forced_states = 0
    for number, (case, schema) in enumerate(STRESS):
        random = Random(f"{case} {name}")
        matcher = compiler.compile_json_schema(json.dumps(schema)).matcher()
        for _ in walks.walk(matcher, random, kinds, walks.STYLES[number % 4], 12):
            before = matcher.state_id, matcher.token_ids
            forced = matcher.forced_tokens()
            assert (matcher.state_id, matcher.token_ids) == before
            fork = matcher.fork()
            for byte in vocabulary.decode(forced):
                following = fork.next_bytes().nonzero()[0].tolist()
                assert following == [byte], (case, matcher.text, forced, following)
                assert not fork.is_accepting()
                assert fork.accept_bytes(bytes([byte]))
            assert matcher.count_accepted(forced) == len(forced)
            forced_states += bool(forced)
    assert forced_states > 10, forced_states


def test_explanations_agree_with_the_mask(mixed: tuple[Vocabulary, walks.Kinds]) -> None:
    vocabulary, kinds = mixed
    compiler = Compiler(vocabulary, cache_size=0)
    for number, (case, schema) in enumerate(STRESS[:25]):
        random = Random(case)
        matcher = compiler.compile_json_schema(json.dumps(schema)).matcher()
        said: dict[bool, set[str]] = {True: set(), False: set()}
        for mask in walks.walk(matcher, random, kinds, walks.STYLES[number % 4], 6):
            before = matcher.state_id, matcher.token_ids
            for token in random.sample(range(vocabulary.size), 25):
                text = matcher.explain(token)
                assert text.strip()
                said[bool(mask[token])].add(text)
            assert (matcher.state_id, matcher.token_ids) == before
        assert not said[True] & said[False], said[True] & said[False]
