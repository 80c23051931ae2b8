"""Random words of automata and near misses of strings."""

from __future__ import annotations

import random
from collections.abc import Iterator

from structgen.lexemes.dfa import CharDfa

MISSES = "0123456789abfzTZ:.-/%@#?[]~ é{}()*+\\|^$\"'\n_,PS"


def random_words(dfa: CharDfa, rng: random.Random, lengths: list[int]) -> Iterator[str]:
    """Words by random walks that turn to the nearest end after so many characters."""
    least = dfa._least_lengths()
    ranges = dfa.class_ranges()
    live = [[(c, t) for c, t in enumerate(row) if t] for row in dfa.trans.tolist()]
    for length in lengths:
        state, out = dfa.start, ""
        while True:
            options = live[state]
            if dfa.tags[state] >= 0 and (len(out) >= length or not options or rng.random() < 0.1):
                break
            if len(out) >= length:
                options = [(c, t) for c, t in options if least[t] < least[state]]
            c, state = rng.choice(options)
            pair = 2 * rng.randrange(len(ranges[c]) // 2)
            out += chr(rng.randint(ranges[c][pair], ranges[c][pair + 1]))
        yield out


def mutants(text: str, rng: random.Random, count: int, characters: str = MISSES) -> list[str]:
    """Near misses of a string: one or two characters more, fewer or others."""
    out = []
    for _ in range(count):
        chars = list(text)
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(len(chars) + 1)
            new = rng.choice(text + characters)
            kind = rng.randrange(3)
            if kind == 0:
                chars.insert(at, new)
            elif chars and kind == 1:
                chars[min(at, len(chars) - 1)] = new
            elif chars:
                del chars[min(at, len(chars) - 1)]
        out.append("".join(chars))
    return out
