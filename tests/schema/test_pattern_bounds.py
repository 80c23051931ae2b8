"""Lengths taken out of patterns, counts that they make idle, and the chains that keep counted repetitions small."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest

from structgen import Compiler, Limits, Vocabulary
from structgen.kernels.determinize import CHAR
from structgen.lexemes.nfa import build_nfa, determinise
from structgen.lexemes.regex import compile_regex
from structgen.lexemes.regex_syntax import parse_regex
from structgen.schema import pattern_bounds
from structgen.schema.pattern_bounds import split_lengths, within

HOST = r"^(?!.*://)(?=.{1,255}$)((.{1,63}\.){1,127}(?![0-9]*$)[a-z0-9-]+\.?)$"
BYTES = Vocabulary.from_bytes([*(bytes([b]) for b in range(256)), None], [256])


def _texts(random: Random, n: int, alphabet: str = "ab.1\n") -> list[str]:
    return ["".join(random.choices(alphabet, k=random.randrange(12))) for _ in range(n)]


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(?=.{2,5}$)[ab.]+$",
        r"^(?=.{3}$)a",
        r"^(?=.{2,}$)(?!.*1).*$",
        r"^(?!b)(?=.{1,4}$)(?=.{2,9}$)[^1]*",
        r"^(?=.+$)[ab]*$",
        r"^(?=.{1,3}$)(a|b|\|)+$",
        r"^(?=.{1,3}$)[|a]+$",
        # nothing is taken out of these
        r"^(?=.{1,3}$)a|b",
        r"^(?=.{1,3})a",
        r"(?=.{1,3}$)a",
        r"^a(?=.{1,3}$)",
        r"^((?=.{1,3}$)a)?.*$",
    ],
)
def test_split_lengths_is_the_same_language(pattern: str) -> None:
    rest, least, most = split_lengths(pattern)
    changed = 0
    for text in _texts(Random(pattern), 3_000):
        fits = least <= len(text) and (most is None or len(text) <= most)
        found = re.search(pattern.replace("$", r"\Z"), text) is not None
        assert (fits and re.search(rest.replace("$", r"\Z"), text) is not None) == found, text
        changed += found
    assert changed
    assert (rest == pattern) == ((least, most) == (0, None))


def test_what_is_taken_out() -> None:
    assert split_lengths(r"^(?!a)(?=.{1,255}$)(?=b).{3}$") == (r"^(?!a)(?=.*$)(?=b).{3}$", 1, 255)
    assert split_lengths(r"^(?=.{1,3}$)a|b") == (r"^(?=.{1,3}$)a|b", 0, None)
    assert within(HOST, 255) == HOST.replace("{1,127}", "{1,}").replace("{1,255}", "{1,}")
    assert within(HOST, 256) == HOST  # 128 labels of a character and a dot


def test_within_is_the_same_language_up_to_the_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_bounds, "_MANY", 0)
    random = Random(3)
    n_changed = 0
    for _ in range(300):
        body = random.choice(["a", "ab", "[ab]", "a?b", "(?:ab|1)", "(a{1,2}b)", "[ab]{1,2}1"])
        low, high = random.randrange(3), random.randrange(2, 6)
        pattern = f"^{random.choice(['', 'b', '(?=a)'])}(?:{body}){{{low},{high}}}{random.choice(['', '1', '[ab]*'])}$"
        longest = random.randrange(9)
        within.cache_clear()
        other = within(pattern, longest)
        n_changed += other != pattern
        for text in _texts(random, 100, "ab1"):
            if len(text) <= longest:
                assert (re.search(pattern, text) is None) == (re.search(other, text) is None), (pattern, other, text)
    within.cache_clear()
    assert n_changed > 50


def test_chains_leave_the_language_as_it_is() -> None:
    random = Random(5)

    def part(depth: int) -> str:
        kind = random.randrange(6 if depth else 2)
        if kind < 2:
            return random.choice("abc.")
        if kind == 2:
            return part(depth - 1) + part(depth - 1)
        if kind == 3:
            return f"(?:{part(depth - 1)}|{part(depth - 1)})"
        low = random.randrange(3)
        count = random.choice([f"{{{low},{low + random.randrange(1, 4)}}}", "*", "+", "?"])
        return f"(?:{part(depth - 1)}){count}"

    n_chained = n_smaller = 0
    for _ in range(400):
        pattern = part(4)
        nfa = build_nfa(parse_regex(pattern, "ecma"), pattern, Limits())
        found = determinise(nfa, -1, Limits())
        n_chained += any(nfa.nodes[i] == CHAR and nfa.nodes[i + 3] for i in range(0, len(nfa.nodes), 4))
        for i in range(0, len(nfa.nodes), 4):
            if nfa.nodes[i] == CHAR:
                nfa.nodes[i + 3] = 0
        assert np.array_equal(found.trans, determinise(nfa, -1, Limits()).trans), pattern
        n_smaller += found.n_states > 3
    assert n_chained > 50
    assert n_smaller > 100


@pytest.mark.parametrize(
    ("pattern", "n_states"),
    [(r"^(.{1,63}\.)+$", 67), (r"^([a-z]+[-.]?){1,50}$", 102), (r"^(?:.{1,200}a)+$", 204)],
)
def test_overlapping_counts_stay_small(pattern: str, n_states: int) -> None:
    assert compile_regex(pattern, dialect="ecma", anchored=False).n_states == n_states


def _is_host(text: str) -> bool:
    """What HOST says, by the ends of labels (Python's `re` would try exponentially many)."""
    if "://" in text or "\n" in text or not 1 <= len(text) <= 255:
        return False
    ends = {0: 0}  # where labels may end, with the fewest labels before
    for end in range(2, len(text) + 1):
        before = [ends[start] for start in range(max(0, end - 64), end - 1) if start in ends]
        if text[end - 1] == "." and before and min(before) < 127:
            ends[end] = min(before) + 1
    last = re.compile(r"(?![0-9]*\Z)[a-z0-9-]+\.?\Z")
    return any(last.match(text, end) for end in ends if end)


def test_names_of_hosts() -> None:
    """A limit on labels, on their lengths, on the whole: as one automaton it would have millions of states."""
    grammar = Compiler(BYTES).compile_json_schema({"type": "string", "pattern": HOST})
    random = Random(1)
    hosts = [
        "example.com",
        "a.b.",
        "1.2.3.4",
        "a://b.c",
        "." * 9 + "a",
        "x" * 63 + ".a",
        "x" * 64 + ".a",
        "a." * 127 + "b",
    ]
    hosts += ["a." * 127 + "bc", "é.a", "a.b-", "a", "a..", ""]
    hosts += ["".join(random.choices("ab.1-", weights=[9, 9, 5, 1, 1], k=random.randrange(300))) for _ in range(200)]
    n_found = 0
    for host in hosts:
        matcher = grammar.matcher()
        accepted = matcher.accept_bytes(b'"' + host.encode() + b'"') and matcher.is_accepting()
        assert accepted == _is_host(host), host
        n_found += accepted
    assert n_found > 30
