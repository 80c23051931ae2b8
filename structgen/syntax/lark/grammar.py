"""A grammar text to what a compiler needs: the stages of this folder in a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Seq
from dataclasses import replace
from typing import Literal as OneOf
from typing import get_args

from structgen.errors import GrammarSyntaxError, Limits, UnsatisfiableError
from structgen.lexemes.dfa import CharDfa, literal
from structgen.startup import collector_paused
from structgen.syntax.constraints import Constraint, Extension, json_schema, special_token
from structgen.syntax.lark.contexts import Contexts, followers
from structgen.syntax.lark.gbnf import is_gbnf
from structgen.syntax.lark.greibach import Greibach
from structgen.syntax.lark.lalr import lalr
from structgen.syntax.lark.lexing import Entry, Lexing, Scanner
from structgen.syntax.lark.loading import load_grammar
from structgen.syntax.lark.lower import GrammarFrontEnd, Host, LoweredGrammar
from structgen.syntax.lark.rules import Declared, Embedded, Rules, plain_rules
from structgen.syntax.lark.scanners import ContextualLexing
from structgen.syntax.lark.terminals import Terminal

LexerName = OneOf["dynamic", "dynamic_complete", "contextual"]


class LarkGrammar(Extension):
    """Text of a context-free grammar, in Lark's language or in GBNF.

    start: the rule that the whole text is. lexer: what a text means, as Lark's option of that name: "dynamic" (with its Earley parser),
    "dynamic_complete", or "contextual" (with its LALR(1) parser); of no matter in GBNF, which has none. folder: where relative imports
    are looked for. tokens: special tokens of the vocabulary, by name or id, for terminals that `%declare` names. Raises
    GrammarSyntaxError, UnsatisfiableError, LimitExceeded.
    """

    __slots__ = ("_lowered",)

    def __init__(
        self,
        text: str,
        start: str = "start",
        lexer: str = "dynamic",
        *,
        folder: str | None = None,
        tokens: Mapping[str, str | int] | None = None,
        limits: Limits | None = None,
    ) -> None:
        with collector_paused():  # trees of many small objects, none of them garbage
            self._lowered = lower_grammar(text, start, lexer, limits or Limits(), folder, tokens or {})

    def bind(self, host: Host) -> GrammarFrontEnd:
        return GrammarFrontEnd(self._lowered, host, is_whole=host.whole is self)

    def embedded(self) -> Seq[Constraint]:
        return tuple(self._lowered.embedded.values())

    def report(self) -> list[tuple[str, str, str, str]]:
        """The rules of the text as the rows of a report: all are enforced."""
        names = dict.fromkeys(name for name in self._lowered.rules.names if not name.startswith("part "))
        return [(name, "rule", "enforced", "") for name in names]


def grammar(
    text: str,
    start: str = "start",
    lexer: str = "dynamic",
    *,
    folder: str | None = None,
    tokens: Mapping[str, str | int] | None = None,
) -> Constraint:
    """A context-free grammar as a constraint; its value is the text. See `LarkGrammar`."""
    return LarkGrammar(text, start, lexer, folder=folder, tokens=tokens)


def lower_grammar(
    text: str, start: str, lexer: str, limits: Limits, folder: str | None, tokens: Mapping[str, str | int]
) -> LoweredGrammar:
    """Read a grammar, up to what its programs share."""
    if lexer not in get_args(LexerName):
        raise GrammarSyntaxError(f"lexer must be one of {', '.join(get_args(LexerName))}, not {lexer!r}")
    loaded = load_grammar(text, folder)
    if is_gbnf(text):
        lexer = "dynamic_complete"  # it has no lexer
        if start == "start" and start not in loaded.definitions:
            start = "root"
    rules = plain_rules(loaded, start, "lark" if lexer == "contextual" else "nested", limits)
    embedded = _embedded(rules, tokens)
    if lexer == "contextual":
        for number in embedded:
            raise rules.terminals[number].place.error(
                'only terminals of text can stand in a grammar with lexer="contextual"'
            )
        for terminal in rules.terminals:
            if isinstance(terminal, Terminal) and (terminal.heads or terminal.tails):
                raise terminal.place.error(
                    f'terminal {terminal.shown}: look-ahead beyond a match is for lexer="dynamic"'
                )
        made = ContextualLexing(lalr(rules, limits), limits)
        return _lowered(made.rules, made.lexing, made.terminal_of, made.scanner_after, {}, lexer, limits)
    numbers = list(range(len(rules.terminals)))
    used = {~s for alternatives in rules.alternatives for symbols in alternatives for s in symbols if s < 0}
    automata = [t.preferred if isinstance(t, Terminal) else literal("") for t in rules.terminals]
    tried: dict[int, Entry] = {}
    for number, terminal in enumerate(rules.terminals):
        if isinstance(terminal, Terminal):
            heads, tails = _added(automata, terminal.heads), _added(automata, terminal.tails)
            tried[number] = Entry(number, heads=heads, tails=tails)
    entries = {t: [replace(tried[t], longest=lexer == "dynamic")] for t in sorted(used) if t in tried}
    lexing = Lexing(automata, [Scanner(entries, [tried[t] for t in rules.ignored])], limits)
    lexing.narrow(followers(rules, embedded), len(rules.terminals))
    return _lowered(rules, lexing, numbers, [0] * len(numbers), embedded, lexer, limits)


def _added(automata: list[CharDfa], more: Seq[CharDfa]) -> tuple[int, ...]:
    first = len(automata)
    automata += more
    return tuple(range(first, len(automata)))


def _embedded(rules: Rules, tokens: Mapping[str, str | int]) -> dict[int, Constraint]:
    """The constraints that some terminals stand for."""
    out: dict[int, Constraint] = {}
    for number, terminal in enumerate(rules.terminals):
        if isinstance(terminal, Embedded):
            out[number] = json_schema(terminal.schema)
        elif isinstance(terminal, Declared):
            if terminal.name not in tokens:
                raise terminal.place.error(
                    f"the terminal {terminal.name} is only declared: tokens={{{terminal.name!r}: ...}} must say which special token it is"
                )
            out[number] = special_token(tokens[terminal.name])
    return out


def _lowered(
    rules: Rules,
    lexing: Lexing,
    terminal_of: Seq[int],
    scanner_after: Seq[int],
    embedded: dict[int, Constraint],
    name: str,
    limits: Limits,
) -> LoweredGrammar:
    def exits(symbol: int, context: int) -> dict[int, CharDfa]:
        return lexing.exits(terminal_of[~symbol], context, scanner_after[~symbol])

    def ends(symbol: int, context: int) -> Iterable[int]:
        if ~symbol in embedded:
            return {0, *lexing.leading(0)}
        return exits(symbol, context)

    def begins(symbol: int, scanner: int) -> int:
        return 0 if ~symbol in embedded else lexing.begins(terminal_of[~symbol], scanner)

    greibach = Greibach(rules)
    contexts = Contexts(greibach, ends, lexing, begins, lexing.is_single, limits)
    if not contexts.is_single and rules.has_text[rules.start] and not rules.is_nullable[rules.start]:
        before = [0, *lexing.leading(0)]
        if not any(lexing.may_end(end) for context in before for end in contexts.ends_list(rules.start, context)):
            raise UnsatisfiableError(
                f'the grammar has no finite text with lexer="{name}": some terminal always takes what another one needs'
            )
    return LoweredGrammar(rules, greibach, lexing, contexts, exits, terminal_of, embedded, limits)
