"""From string constraints to automata, and cheap answers where no automaton is needed.

In: `String` alternatives, patterns, texts. Out: the CharDfa of the decoded strings (escapes count as what they mean), or a verdict
(is it empty? does this text match?). Automata are cached per process; a cap (`Limits`) on their states and the work holds.
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from structgen.errors import LimitExceeded, Limits, RegexError, SchemaError
from structgen.lexemes.cache import cached_by_cells
from structgen.schema.alternatives import String, StringEnum
from structgen.schema.options import JsonOptions
from structgen.schema.pattern_bounds import split_lengths, within
from structgen.schema.shapes import shape_of

if TYPE_CHECKING:
    from structgen.lexemes.dfa import CharDfa

# the formats of structgen.lexemes.formats, by name, so that a schema is read without its automata
FORMATS = frozenset(
    "date-time date time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference uri-template iri "
    "iri-reference uuid json-pointer relative-json-pointer regex".split()
)
# What the automaton of two patterns may take where it only saves work.
_FEW_STATES, _FEW_STEPS = 2_000, 100_000
# a string of each, so that "has this a value at all?" seldom needs an automaton
EXAMPLES = {
    "date-time": "2000-01-01T00:00:00Z",
    "date": "2000-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "a@b.co",
    "idn-email": "a@b.co",
    "hostname": "a",
    "idn-hostname": "a",
    "ipv4": "0.0.0.0",
    "ipv6": "::",
    "uri": "a:b",
    "uri-reference": "a",
    "uri-template": "a",
    "iri": "a:b",
    "iri-reference": "a",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "json-pointer": "/a",
    "relative-json-pointer": "0",
    "regex": "a",
}
_LONGEST = 100_000  # longest text that `string_values` makes up
_FIRST = 0x21
_TRIED = 1_000  # longest text that is tried before an automaton is built


def pattern_language(pattern: str, limits: Limits) -> CharDfa:
    """The strings in which an ECMA-262 pattern is found. Raises RegexError, LimitExceeded."""
    from structgen.lexemes.regex import compile_regex

    return compile_regex(pattern, dialect="ecma", anchored=False, limits=limits)


@cached_by_cells(4_000_000)
def string_core(alternative: String, options: JsonOptions, limits: Limits, denied: bool = False) -> CharDfa:
    """All decoded strings that satisfy the patterns and formats and are not excluded, whatever their length.

    denied: for what is excluded, a format stands for every string that anyone may take to be of it.
    Raises RegexError, LimitExceeded.
    """
    from structgen.lexemes.dfa import any_string, literals

    language: CharDfa | None = None
    for pattern in alternative.patterns:
        one = pattern_language(pattern, limits)
        language = one if language is None else language.intersect(one, limits)
    for name in alternative.formats:
        one = _format_language(name, options, denied)
        language = one if language is None else language.intersect(one, limits)
    if language is None:
        language = any_string()
    for hole in alternative.excluded:
        language = language.subtract(_with_lengths(string_core(hole, options, limits, True), hole, limits), limits)
    if alternative.without:
        language = language.subtract(literals(sorted(alternative.without), limits), limits)
    return language


def _with_lengths(language: CharDfa, alternative: String, limits: Limits) -> CharDfa:
    """The strings of a language whose length an alternative admits."""
    from structgen.lexemes.dfa import length_between

    low, high = alternative.min_length, alternative.max_length
    if language.is_empty():
        return language
    if low and language.min_length() >= low:
        low = 0
    if high is not None:
        longest = language.max_length()
        if longest is not None and longest <= high:
            high = None
    return language.intersect(length_between(low, high, limits), limits) if low or high is not None else language


@cached_by_cells(4_000_000)
def string_language(alternative: String, options: JsonOptions, limits: Limits) -> CharDfa:
    """All decoded strings of the alternative: lengths, patterns, formats and exclusions together.

    Raises RegexError for an invalid pattern, LimitExceeded when the automaton would be too large (a state per length and state of
    `string_core`; a caller that counts characters itself can do with that).
    """
    from structgen.lexemes.dfa import length_between

    language = _with_lengths(string_core(alternative, options, limits), alternative, limits)
    cap = options.max_string_length
    if cap is not None and alternative.max_length is None and not language.is_empty() and language.max_length() is None:
        capped = language.intersect(length_between(0, max(cap, alternative.min_length), limits), limits)
        if not capped.is_empty():
            language = capped
    return language


def _format_language(name: str, options: JsonOptions, denied: bool = False) -> CharDfa:
    from structgen.lexemes.formats import format_dfa, format_superset

    found = (format_superset if denied else format_dfa)(name, options.draft or "draft2020-12")
    if found is None:
        raise SchemaError(f"format {name!r} has no automaton", "", "format")
    return found


def string_is_simple(alternative: String) -> bool:
    """True when only the length matters, so that the machine can count instead of building an automaton."""
    return not (alternative.patterns or alternative.formats or alternative.excluded or alternative.without)


def string_is_empty(alternative: String, options: JsonOptions, limits: Limits) -> bool:
    """Whether no string satisfies the alternative. Exact; builds an automaton only for combinations that need one."""
    low, high = alternative.min_length, alternative.max_length
    if high is not None and high < low:
        return True
    if string_is_simple(alternative):
        return False
    if alternative.excluded or alternative.without:
        folded = folded_string(alternative, options, limits)
        return folded is None or _is_used_up(folded, options, limits)
    if alternative.formats:
        example = EXAMPLES[alternative.formats[0]]
        if len(alternative.formats) == 1 and low <= len(example) and (high is None or len(example) <= high):
            if all(pattern_matches(pattern, example, limits) for pattern in alternative.patterns):
                return False
    elif len(alternative.patterns) == 1:
        shape = shape_of(alternative.patterns[0])
        verdict = None if shape is None else shape.allows_length(low, high)
        if verdict is not None:
            return not verdict
    return next(_shortest_words(alternative, 1, options, limits), None) is None


def _shortest_words(alternative: String, cap: int, options: JsonOptions, limits: Limits) -> Iterator[str]:
    """At most `cap` strings of an alternative, the shortest first; never a state per length up to `max_length`."""
    from structgen.lexemes.dfa import length_between

    low, high = alternative.min_length, alternative.max_length
    language = string_core(replace(alternative, min_length=0, max_length=None), options, limits)
    if not language.is_empty() and language.min_length() < low:
        language = language.intersect(length_between(low, None, limits), limits)
    for word in language.words(cap):
        if high is not None and len(word) > high:
            return
        yield word


def _is_used_up(alternative: String, options: JsonOptions, limits: Limits) -> bool:
    """Whether a folded alternative has no string, exclusions heeded."""
    low = alternative.min_length
    tries = [EXAMPLES[name] for name in alternative.formats]
    tries += [character * length for length in {low, low + 1, low + 2} for character in "a0Aé \x00"]
    if any(string_matches(alternative, text, options, limits) for text in tries if len(text) < _TRIED):
        return False
    return next(_shortest_words(alternative, 1, options, limits), None) is None


def string_values(
    alternative: String | StringEnum, cap: int, options: JsonOptions, limits: Limits
) -> tuple[list[str], bool]:
    """(values, complete): at most `cap` distinct strings, the shortest, and whether these are all.

    `JsonOptions.max_string_length` does not apply. Raises RegexError, LimitExceeded.
    """
    if isinstance(alternative, StringEnum):
        return list(alternative.values[:cap]), len(alternative.values) <= cap
    low, high = alternative.min_length, alternative.max_length
    if high is not None and high < low:
        return [], True
    if high != 0 and not alternative.patterns and not alternative.formats and not alternative.excluded:
        return _counted_words(alternative, cap), False  # a million for each character
    found = list(_shortest_words(alternative, cap + 1, options, limits))
    return found[:cap], len(found) <= cap


def _counted_words(alternative: String, cap: int) -> list[str]:
    """`cap` strings of a length above 0 that only `without` excludes; `cap` and the excluded ones are far fewer than characters."""
    length = max(alternative.min_length, 1)
    if length > _LONGEST:
        raise LimitExceeded(length, _LONGEST, hint="distinct strings of so many characters are not counted")
    characters = (chr(point) for point in range(_FIRST, sys.maxunicode + 1) if not 0xD800 <= point <= 0xDFFF)
    words = (character + "a" * (length - 1) for character in characters)
    return list(itertools.islice((word for word in words if word not in alternative.without), cap))


def folded_string(alternative: String, options: JsonOptions, limits: Limits) -> String | None:
    """The canonical form: the same strings with as few exclusions as can be seen without an automaton; None if there are none for sure.

    Excluded lengths become bounds; what an exclusion shares with the alternative itself is left out of it, and so are exclusions that
    another covers. Raises RegexError, LimitExceeded.
    """
    low, high = alternative.min_length, alternative.max_length
    if high is not None and high < low:
        return None
    if not alternative.excluded and not alternative.without:
        return alternative
    while True:
        holes = {hole for given in alternative.excluded if (hole := _hole(given, low, high, alternative)) is not None}
        lengths = [hole for hole in holes if not hole.patterns and not hole.formats]
        if any(not hole.min_length and hole.max_length is None for hole in lengths):
            return None
        bounds = low, high
        for hole in lengths:
            if not hole.min_length and hole.max_length is not None:
                low = max(low, hole.max_length + 1)
            elif hole.max_length is None:
                high = hole.min_length - 1 if high is None else min(high, hole.min_length - 1)
        if not low and "" in alternative.without:
            low = 1
        if high is not None and high < low:
            return None
        if (low, high) == bounds:
            break
    kept = [hole for hole in holes if not any(_covers(other, hole) for other in holes if other is not hole)]
    if alternative.patterns:
        base = String(patterns=alternative.patterns)
        kept = [hole for hole in kept if not hole.patterns or _may_share(base, hole, limits)]
    kept.sort(
        key=lambda hole: (hole.patterns, hole.formats, hole.min_length, hole.max_length is None, hole.max_length or 0)
    )
    folded = replace(alternative, min_length=low, max_length=high, excluded=tuple(kept), without=frozenset())
    without = frozenset(text for text in alternative.without if string_matches(folded, text, options, limits))
    return replace(folded, without=without)


def _hole(given: String, low: int, high: int | None, alternative: String) -> String | None:
    """What an exclusion takes from an alternative of these lengths, without what both ask for; None = nothing.

    A bound that goes at least as far as the alternative's is left out.
    """
    least, most = given.min_length, given.max_length
    if (most is not None and (most < least or most < low)) or (high is not None and least > high):
        return None
    return String(
        0 if least <= low else least,
        None if most is None or (high is not None and most >= high) else most,
        tuple(sorted(set(given.patterns).difference(alternative.patterns))),
        tuple(sorted(set(given.formats).difference(alternative.formats))),
    )


@functools.lru_cache(maxsize=20_000)
def _may_share(a: String, b: String, limits: Limits) -> bool:
    """Whether a string may satisfy the patterns of both; taken for granted where that needs too large an automaton."""
    small = replace(
        limits,
        max_dfa_states=min(_FEW_STATES, limits.max_dfa_states),
        max_dfa_steps=min(_FEW_STEPS, limits.max_dfa_steps),
    )
    try:
        both = pattern_language(a.patterns[0], limits)
        for pattern in (*a.patterns[1:], *b.patterns):
            both = both.intersect(pattern_language(pattern, limits), small)
    except LimitExceeded:
        return True  # what is kept in vain costs time, no more
    return not both.is_empty()


def _covers(wide: String, narrow: String) -> bool:
    """Whether every string of one exclusion is obviously one of another's."""
    if not (set(wide.patterns) <= set(narrow.patterns) and set(wide.formats) <= set(narrow.formats)):
        return False
    if wide.min_length > narrow.min_length:
        return False
    return wide.max_length is None or (narrow.max_length is not None and narrow.max_length <= wide.max_length)


def pattern_matches(pattern: str, text: str, limits: Limits) -> bool:
    """Whether the pattern is found in the text (ECMA-262)."""
    shape = shape_of(pattern)
    if shape is not None:
        return shape.found_in(text)
    return bool(pattern_language(pattern, limits).matches(text))


def string_matches(alternative: String, text: str, options: JsonOptions, limits: Limits, denied: bool = False) -> bool:
    """Whether a text is one of the alternative's strings (a `max_string_length` of the options does not apply to given texts).

    denied: as in `string_core`.
    """
    if len(text) < alternative.min_length:
        return False
    if alternative.max_length is not None and len(text) > alternative.max_length:
        return False
    if text in alternative.without:
        return False
    if not all(pattern_matches(pattern, text, limits) for pattern in alternative.patterns):
        return False
    if not all(_format_language(name, options, denied).matches(text) for name in alternative.formats):
        return False
    return not any(string_matches(hole, text, options, limits, True) for hole in alternative.excluded)


def check_pattern(pattern: str, limits: Limits, *, of_values: bool) -> None:
    """Raise RegexError if the pattern is invalid or has no automaton. Parses only, but for look-around.

    of_values: whether it is for string values, whose lengths are counted apart (`pattern_bounds`), not for the names of members.
    """
    if shape_of(pattern) is not None:
        return
    from structgen.lexemes.regex import check_regex

    if of_values:
        pattern, _, longest = split_lengths(pattern)
        if longest is not None:
            pattern = within(pattern, longest)
    check_regex(pattern, "ecma", limits)


__all__ = [
    "FORMATS",
    "RegexError",
    "check_pattern",
    "folded_string",
    "pattern_language",
    "pattern_matches",
    "string_core",
    "string_is_empty",
    "string_is_simple",
    "string_language",
    "string_matches",
    "string_values",
]
