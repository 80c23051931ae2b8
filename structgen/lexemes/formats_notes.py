"""Where the automaton of a format differs from the format's specification, in one sentence each, and the bounds that the sentences name.

Loads nothing, so that a report can be written without any automaton.
"""

from __future__ import annotations

# groups in groups that the format `regex` holds
REGEX_DEPTH = 4

# The most characters of a label of an internationalised host name, so that its Punycode is surely short enough: with any mix of
# characters, of one script, right-to-left, and of Latin letters, where it is a weight and one beyond ASCII counts `LATIN_LETTER`.
MOST = 12
MOST_OF_BLOCK = {"cyrillic": 22, "greek": 23, "georgian": 23, "kana": 22}
MOST_RIGHT_TO_LEFT = 19
LATIN_WEIGHT, LATIN_LETTER = 55, 4

_NOTES = {
    "date": "the year 0000 is left out: Python's dates begin with 0001",
    "time": "leap seconds are left out: Python's times have none",
    "date-time": "leap seconds and the year 0000 are left out: Python's dates have neither",
    "duration": "a unit may be left out between two others (P1Y1D), as ISO 8601 has it and RFC 3339 does not",
    "email": "the lengths of RFC 5321 section 4.5.3.1 are not counted",
    "idn-email": "the lengths of RFC 5321 section 4.5.3.1 are not counted; labels of the domain are as in idn-hostname",
    "hostname": "labels that begin with xn-- are not decoded",
    "idn-hostname": (
        f"approximate, as it is not regular: A-labels (xn--) are left out, labels beyond ASCII have at most {MOST} characters "
        f"({min(MOST_OF_BLOCK.values())} in Cyrillic, Greek, Georgian or kana, {MOST_RIGHT_TO_LEFT} right-to-left, {LATIN_WEIGHT} in "
        f"Latin letters of which one beyond ASCII counts {LATIN_LETTER}), names about 7 labels, or 4 with labels beyond ASCII; some "
        "orders of combining marks are left out"
    ),
    "iri": "marks of direction are left out, as RFC 3987 section 4.1 has it and its grammar does not",
    "iri-reference": "marks of direction are left out, as RFC 3987 section 4.1 has it and its grammar does not",
    "uri-template": "prefixes are below 1,000 and no variable begins with a percent sign: jsonschema's checker takes no others",
    "relative-json-pointer": "numbers with a digit after a zero are left out: jsonschema's checker takes none",
    "regex": (
        f"approximate, as it is not regular: groups nest up to {REGEX_DEPTH}, and only what ECMA-262 and Python read alike is used (no "
        "look-behind, names, back-references, property escapes)"
    ),
}


def format_notes(name: str) -> str | None:
    """Where the automaton of a format differs from its specification, and why; None if it does not (or the format is unknown)."""
    return _NOTES.get(name)
