"""All spellings of one JSON value, as a small graph without cycles: what is taken out of a lexeme when the value is not admitted.

In: a string or a number. Out: a `WordGraph`. A word may be in the graph that the lexeme does not have (nothing is taken out then), so
that one graph serves every lexeme. A string of n characters has about n nodes with minimal escapes and ten times as many with all of them;
a number has about as many as the most digits that its lexeme has. Turned down: lists of words (a number has hundreds of spellings, a
string with every escape 2^n of them).
"""

from __future__ import annotations

from decimal import Decimal

from structgen.lexemes.dfa import Spelling
from structgen.lexemes.scientific import EXPONENT_DIGITS, MAX_EXPONENT, MAX_FRACTION
from structgen.lexemes.text import spell_json

_SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


class WordGraph:
    """A finite set of byte strings. accepts[i]: whether one may end in node i; edges[i]: byte -> node, always of a smaller number.

    The last node is the start.
    """

    def __init__(self) -> None:
        self.accepts: list[bool] = []
        self.edges: list[dict[int, int]] = []

    def add(self, accepts: bool, edges: dict[int, int]) -> int:
        """A new node; returns its number."""
        self.accepts.append(accepts)
        self.edges.append(edges)
        return len(self.edges) - 1

    def prefixed(self, text: bytes, node: int) -> int:
        """A node from which `text` leads to `node`."""
        for byte in reversed(text):
            node = self.add(False, {byte: node})
        return node


def string_words(text: str, spelling: Spelling) -> WordGraph:
    """The spellings of a string, with both quotes, in "json" or "json-any". Raises ValueError for a lone surrogate or "utf8"."""
    graph = WordGraph()
    end = graph.add(True, {})
    if spelling == "json":
        graph.prefixed(spell_json(text), end)
        return graph
    if spelling != "json-any":
        raise ValueError(f"a JSON string is not spelled in {spelling!r}")
    node = graph.prefixed(b'"', end)
    for character in reversed(text):
        node = _any_escape(graph, character, node)
    graph.prefixed(b'"', node)
    return graph


def _any_escape(graph: WordGraph, character: str, end: int) -> int:
    """A node from which every spelling of a character leads to `end`."""
    units = character.encode("utf-16-be")
    node = _escaped_unit(graph, units[-2:], end)
    if len(units) == 4:
        node = _escaped_unit(graph, units[:2], graph.prefixed(b"\\u", node))
    escapes = {ord("u"): node}
    if character in _SHORT:
        escapes[ord(_SHORT[character])] = end
    edges = {ord("\\"): graph.add(False, escapes)}
    if character >= " " and character not in '"\\':
        raw = character.encode()
        edges[raw[0]] = graph.prefixed(raw[1:], end)
    return graph.add(False, edges)


def _escaped_unit(graph: WordGraph, unit: bytes, end: int) -> int:
    """A node from which the four hexadecimal digits of a UTF-16 unit lead to `end`, in either case."""
    for digit in reversed(unit.hex()):
        end = graph.add(False, dict.fromkeys((ord(digit), ord(digit.upper())), end))
    return end


def number_words(value: Decimal | int, max_fraction_digits: int) -> WordGraph:
    """The plain spellings of a number, with so many fraction digits at most, and those of `scientific_dfa`."""
    number = Decimal(value)
    text = format(number.copy_abs(), "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    most = max(len(fraction), max_fraction_digits)
    graph = WordGraph()
    if not number:
        zero = _fraction(graph, "", most, -1, 0)
        first = {ord("0"): graph.add(True, {ord("."): zero})}
        graph.add(False, first | {ord("-"): graph.add(False, dict(first))})
        return graph
    order, significant = number.adjusted(), "".join(map(str, number.as_tuple().digits)).rstrip("0")
    exponent = -1
    if abs(order) <= MAX_EXPONENT and len(significant) <= MAX_FRACTION + 1:
        exponent = _exponent(graph, order)
    if order == 0:
        first = {
            ord(whole): _digits(
                graph, fraction, True, _fraction(graph, fraction, most, exponent, MAX_FRACTION), exponent
            )
        }
    else:
        after = _digits(graph, fraction, True, _fraction(graph, fraction, most, -1, 0), -1)
        first = {ord(whole[0]): graph.prefixed(whole[1:].encode(), after)}
        if exponent >= 0:
            rest = significant[1:]
            mantissa = _digits(graph, rest, False, _fraction(graph, rest, -1, exponent, MAX_FRACTION), exponent)
            # "12" and "1.2e1" share their first digit, "0.12" and "1.2e-1" do not
            shared = first.get(ord(significant[0]))
            if shared is not None:
                mantissa = graph.add(graph.accepts[shared], graph.edges[mantissa] | graph.edges[shared])
            first[ord(significant[0])] = mantissa
    graph.add(False, {ord("-"): graph.add(False, first)} if number < 0 else first)
    return graph


def _digits(graph: WordGraph, fraction: str, plain: bool, point: int, exponent: int) -> int:
    """The node behind the last digit before the point."""
    edges = {ord("."): point}
    if not fraction and exponent >= 0:
        edges |= dict.fromkeys(b"eE", exponent)
    return graph.add(plain and not fraction, edges)


def _fraction(graph: WordGraph, digits: str, most_plain: int, exponent: int, most_scientific: int) -> int:
    """The node behind the point: the digits, then zeros; the number may end there up to `most_plain` digits, or an exponent may follow
    (node `exponent`, -1: none) up to `most_scientific`."""
    most = max(most_plain, most_scientific if exponent >= 0 else 0, len(digits))
    least = max(len(digits), 1)
    node = -1
    for n in range(most, -1, -1):
        edges = {ord(digits[n] if n < len(digits) else "0"): node} if node >= 0 else {}
        if exponent >= 0 and least <= n <= most_scientific:
            edges |= dict.fromkeys(b"eE", exponent)
        node = graph.add(least <= n <= most_plain, edges)
    return node


def _exponent(graph: WordGraph, order: int) -> int:
    """The node behind `e`: signs and leading zeros as `scientific_dfa` has them."""
    digits = str(abs(order)).encode()
    end = graph.add(True, {})
    if order:
        last = graph.prefixed(digits[1:], end)
        node = graph.add(False, {digits[0]: last})
        for _ in range(EXPONENT_DIGITS - len(digits)):
            node = graph.add(False, {digits[0]: last, ord("0"): node})
    else:
        for _ in range(EXPONENT_DIGITS - 1):
            end = graph.add(True, {ord("0"): end})
        node = graph.add(False, {ord("0"): end})
    signs = (b"-" if order <= 0 else b"") + (b"+" if order >= 0 else b"")
    edges = dict(graph.edges[node]) if order >= 0 else {}
    return graph.add(False, edges | dict.fromkeys(signs, node))
