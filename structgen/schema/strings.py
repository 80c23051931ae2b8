"""From string constraints to automata, and cheap answers where no automaton is needed.

In: `String` alternatives, patterns, texts. Out: the CharDfa of the decoded strings (escapes count as what they mean), or a verdict
(is it empty? does this text match?). Automata are cached per process; a cap (`Limits`) on their states and the work holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from structgen.errors import Limits, RegexError, SchemaError
from structgen.lexemes.cache import cached_by_cells
from structgen.schema.alternatives import String
from structgen.schema.options import JsonOptions
from structgen.schema.shapes import shape_of

if TYPE_CHECKING:
    from structgen.lexemes.dfa import CharDfa

# the formats of structgen.lexemes.formats, by name, so that a schema is read without its automata
FORMATS = frozenset(
    "date-time date time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference uri-template iri "
    "iri-reference uuid json-pointer relative-json-pointer regex".split()
)
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


def pattern_language(pattern: str, limits: Limits) -> CharDfa:
    """The strings in which an ECMA-262 pattern is found. Raises RegexError, LimitExceeded."""
    from structgen.lexemes.regex import compile_regex

    return compile_regex(pattern, dialect="ecma", anchored=False, limits=limits)


@cached_by_cells(4_000_000)
def string_core(alternative: String, options: JsonOptions, limits: Limits) -> CharDfa:
    """All decoded strings that satisfy the patterns and formats, whatever their length. Raises RegexError, LimitExceeded."""
    from structgen.lexemes.dfa import any_string

    language: CharDfa | None = None
    for pattern in alternative.patterns:
        one = pattern_language(pattern, limits)
        language = one if language is None else language.intersect(one, limits)
    for name in alternative.formats:
        one = _format_language(name, options)
        language = one if language is None else language.intersect(one, limits)
    return any_string() if language is None else language


@cached_by_cells(4_000_000)
def string_language(alternative: String, options: JsonOptions, limits: Limits) -> CharDfa:
    """All decoded strings of the alternative: lengths, patterns and formats together.

    Raises RegexError for an invalid pattern, LimitExceeded when the automaton would be too large (a state per length and state of
    `string_core`; a caller that counts characters itself can do with that).
    """
    from structgen.lexemes.dfa import length_between

    language = string_core(alternative, options, limits)
    if language.is_empty():
        return language
    low, high = alternative.min_length, alternative.max_length
    if low and language.min_length() >= low:
        low = 0
    if high is not None:
        longest = language.max_length()
        if longest is not None and longest <= high:
            high = None
    if low or high is not None:
        language = language.intersect(length_between(low, high, limits), limits)
    cap = options.max_string_length
    if cap is not None and alternative.max_length is None and language.max_length() is None:
        capped = language.intersect(length_between(0, max(cap, alternative.min_length), limits), limits)
        if not capped.is_empty():
            language = capped
    return language


def _format_language(name: str, options: JsonOptions) -> CharDfa:
    from structgen.lexemes.formats import format_dfa

    found = format_dfa(name, options.draft or "draft2020-12")
    if found is None:
        raise SchemaError(f"format {name!r} has no automaton", "", "format")
    return found


def string_is_simple(alternative: String) -> bool:
    """True when only the length matters, so that the machine can count instead of building an automaton."""
    return not alternative.patterns and not alternative.formats


def string_is_empty(alternative: String, options: JsonOptions, limits: Limits) -> bool:
    """Whether no string satisfies the alternative. Exact; builds an automaton only for combinations that need one."""
    low, high = alternative.min_length, alternative.max_length
    if high is not None and high < low:
        return True
    if not alternative.patterns and not alternative.formats:
        return False
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
    from structgen.lexemes.dfa import length_between

    language = string_core(alternative, options, limits)
    if language.is_empty():
        return True
    if language.min_length() < low:
        language = language.intersect(
            length_between(low, None, limits), limits
        )  # never a state per length up to `high`
    return language.is_empty() or (high is not None and language.min_length() > high)


def pattern_matches(pattern: str, text: str, limits: Limits) -> bool:
    """Whether the pattern is found in the text (ECMA-262)."""
    shape = shape_of(pattern)
    if shape is not None:
        return shape.found_in(text)
    return bool(pattern_language(pattern, limits).matches(text))


def string_matches(alternative: String, text: str, options: JsonOptions, limits: Limits) -> bool:
    """Whether a text is one of the alternative's strings (a `max_string_length` of the options does not apply to given texts)."""
    if len(text) < alternative.min_length:
        return False
    if alternative.max_length is not None and len(text) > alternative.max_length:
        return False
    return all(pattern_matches(pattern, text, limits) for pattern in alternative.patterns) and all(
        _format_language(name, options).matches(text) for name in alternative.formats
    )


def check_pattern(pattern: str, limits: Limits) -> None:
    """Raise RegexError if the pattern is invalid or has no automaton. Parses only."""
    if shape_of(pattern) is not None:
        return
    from structgen.lexemes.regex import check_regex

    check_regex(pattern, "ecma", limits)


__all__ = [
    "FORMATS",
    "RegexError",
    "check_pattern",
    "pattern_language",
    "pattern_matches",
    "string_core",
    "string_is_empty",
    "string_is_simple",
    "string_language",
    "string_matches",
]
