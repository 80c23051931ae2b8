"""Lexemes: the regular pieces of a constraint, as automata over characters and bytes.

`charclass` (sets of code points) -> `dfa` (automata and their operations) -> `regex_syntax`, `nfa`, `regex` (patterns),
`numbers`, `formats`, `text`. Nothing is imported here, so that a schema can be read before numpy and numba are loaded.
"""

from __future__ import annotations
