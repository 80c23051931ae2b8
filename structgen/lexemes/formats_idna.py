"""Internationalised host names (RFC 5890-5893) and mail addresses (RFC 6531) as far as an automaton can know them.

Out: `idn_hostname`, `idn_email`. Every word is valid; what is left out is said in formats_notes.py. What each rule becomes:

    permitted characters    derived from `unicodedata` (idna_tables.py); upper case in labels that are all ASCII
    contextual rules        each by its neighbours; a Katakana middle dot beside Hiragana, Katakana or Han; a non-joiner after a virama or
                            between two joining Arabic letters without marks
    normal form C           in a coarsened canonical order; after a character that composes with some mark only marks that compose with
                            none; where no mark stands, exact
    direction (RFC 5893)    a label is right-to-left from its first character on, or holds no such character; marks and joiners only
                            before its first digit
    hyphens                 not at an end, not at places 3 and 4, hence no A-labels (their Punycode cannot be checked); in labels beyond
                            ASCII no two in a row
    63 octets of a label    Punycode's length is not regular; it is bounded by the number of characters: labels with any mix of
                            characters have at most `MOST`, those of one script `MOST_OF_BLOCK`, those of Latin letters a weight of
                            `LATIN_WEIGHT` where one beyond ASCII weighs `LATIN_LETTER`. tests/lexemes/test_formats_idna.py computes the
                            longest Punycode under each bound: 62 octets at most
    253 octets of a name    counted in units of `UNIT` before the first label beyond ASCII, and in labels of 62 octets from there on

A label is described by `_after`, the step of one character; the name is made of copies of the label's automaton, one per length used.
Turned down: exact normal form (6,000 states for one label) and exact lengths (a state per octet for each of them).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from structgen.lexemes.charclass import Ranges
from structgen.lexemes.dfa import CharDfa, char_dfa, partition
from structgen.lexemes.formats_grammar import LIMITS, whole
from structgen.lexemes.formats_notes import LATIN_LETTER, LATIN_WEIGHT, MOST, MOST_OF_BLOCK, MOST_RIGHT_TO_LEFT
from structgen.lexemes.formats_text import ADDRESS_LITERAL, local_part
from structgen.lexemes.idna_tables import MARK_ORDER, RIGHT_TO_LEFT_MARK_ORDER, Kind, characters_by_kind

UNIT = 32
_LABEL, _NAME = 63, 253
_IDN_LABEL = 62

_SEPARATORS: Ranges = (0x2E, 0x2E, 0x3002, 0x3002, 0xFF0E, 0xFF0E, 0xFF61, 0xFF61)
_ASCII: dict[Kind, Ranges] = {
    "hyphen": (0x2D, 0x2D),
    "digit": (0x30, 0x39),
    "upper": (0x41, 0x5A),
    "l": (0x6C, 0x6C),
    "lower": (0x61, 0x6B, 0x6D, 0x7A),
}
_GREEK = frozenset({"greek", "greek extended"})
_JAPANESE = frozenset({"kana", "han"})
# what the general part calls a character: composing or not
_PLAIN: dict[Kind, str] = {
    "letter": "letter", "composing": "composing", "m-letter": "letter", "m-composing": "composing", "latin": "composing",
    "greek": "composing", "greek extended": "composing", "cyrillic": "composing", "georgian": "letter", "kana": "japanese",
    "han": "japanese", "extended arabic digit": "letter", "lower": "composing", "digit": "composing", "l": "l",
}  # fmt: skip

State = tuple[str | int, ...]
START: State = ("start",)
Int32Array = npt.NDArray[np.int32]


def _rises(order: tuple[tuple[int, int], ...], before: int, place: int) -> bool:
    return before < place or (before == place and order[place][0] == order[place][1])


def _accepts(state: State) -> bool:
    return state[0] != "start" and state[-1] not in ("hyphen", "middle dot", "keraia", "unconfirmed dot", "non-joiner")


def _after(state: State, kind: Kind) -> State | None:
    """The state of a label after one more character, None if none of its continuations is valid (or known to be)."""
    part = state[0]
    if part == "start":
        return _first(kind)
    if part == "ascii" or part == "upper":
        return _after_ascii(state, kind)
    if part == "latin":
        return _after_latin(int(state[1]), str(state[2]), kind)
    if part == "right-to-left":
        return _after_right_to_left(int(state[1]), str(state[2]), state[3], kind)
    if part == "general":
        return _general(int(state[1]), state[2], kind)
    return _after_block(str(part), int(state[1]), str(state[2]), kind)


def _first(kind: Kind) -> State | None:
    if kind in ("lower", "digit", "l"):
        return "ascii", 1, "l" if kind == "l" else "letter"
    if kind == "upper":
        return "upper", 1, "letter"
    if kind == "latin":
        return "latin", LATIN_LETTER, "letter"
    if kind in MOST_OF_BLOCK:
        return str(kind), 1, "letter"
    if kind in ("m-letter", "m-composing", "hyphen"):
        return None
    return _right_to_left_letter(0, kind) or _general(0, "letter", kind, is_first=True)


def _after_ascii(state: State, kind: Kind) -> State | None:
    part, n, last = str(state[0]), int(state[1]), str(state[2])
    if kind in _ASCII:
        if n == _LABEL or (n == 3 and kind == last == "hyphen"):
            return None
        if kind == "upper" or part == "upper":
            return "upper", n + 1, "hyphen" if kind == "hyphen" else "letter"
        return part, n + 1, str(kind) if kind in ("hyphen", "l") else "letter"
    if part == "upper":
        return None
    if kind == "latin" or (kind == "middle dot" and last == "l"):
        return _latin(n + LATIN_LETTER, "letter" if kind == "latin" else "middle dot")
    if kind in MOST_OF_BLOCK:
        return _block(str(kind), n + 1, "letter")
    return _general(n, "composing" if last == "letter" else last, kind)


def _latin(weight: int, last: str) -> State | None:
    return ("latin", weight, last) if weight <= LATIN_WEIGHT else None


def _after_latin(weight: int, last: str, kind: Kind) -> State | None:
    """Latin letters beyond ASCII among ASCII ones. The weight is at least the number of characters, and stands for it elsewhere."""
    if last == "middle dot":
        return _latin(weight + 1, "l") if kind == "l" else None
    if kind == "latin":
        return _latin(weight + LATIN_LETTER, "letter")
    if kind == "middle dot":
        return _latin(weight + LATIN_LETTER, "middle dot") if last == "l" else None
    if kind in ("lower", "digit", "l"):
        return _latin(weight + 1, "l" if kind == "l" else "letter")
    if kind == "hyphen":
        return _latin(weight + 1, "hyphen") if last != "hyphen" else None
    return _general(weight, "composing" if last == "letter" else last, kind)


def _block(name: str, n: int, last: str) -> State | None:
    return (name, n, last) if n <= MOST_OF_BLOCK[name] else None


def _after_block(name: str, n: int, last: str, kind: Kind) -> State | None:
    """Letters of one script among ASCII ones."""
    if kind == name or kind in ("lower", "digit", "l"):
        return _block(name, n + 1, "letter" if kind == name else "ascii")
    if kind == "hyphen":
        return _block(name, n + 1, "hyphen") if last != "hyphen" else None
    return _general(
        n, "japanese" if name == "kana" and last == "letter" else "hyphen" if last == "hyphen" else "composing", kind
    )


def _general(n: int, last: str | int, kind: Kind, is_first: bool = False) -> State | None:
    """Any characters but right-to-left ones. `last` is the place of a mark, or a kind of what stands before."""
    if n >= MOST:
        return None
    if last == "middle dot":
        return ("general", n + 1, "l") if kind == "l" else None
    if last == "keraia":
        if kind == "keraia":  # which is Greek itself
            return "general", n + 1, "keraia"
        return ("general", n + 1, "composing") if kind in _GREEK else None
    if last == "unconfirmed dot" and kind not in _JAPANESE and kind != "katakana middle dot":
        return None
    following: str | int | None = None
    if isinstance(kind, tuple):
        name, place = kind
        if name == "mark" and not is_first and last != "joiner":
            if not isinstance(last, int) or _rises(MARK_ORDER, last, place):
                following = place
        elif name == "joining mark" and not is_first and last == "letter":
            following = place
    elif kind == "vowel sign":
        if not is_first and (last == "letter" or isinstance(last, int)):
            following = "letter"
    elif kind == "hyphen":
        following = "hyphen" if last != "hyphen" else None
    elif kind == "middle dot":
        following = "middle dot" if last == "l" else None
    elif kind == "keraia":
        following = "keraia"
    elif kind == "katakana middle dot":
        following = "confirmed dot" if last in ("japanese", "confirmed dot") else "unconfirmed dot"
    elif kind in ("non-joiner", "joiner"):
        # only after a virama: its place in the order is that of class 9 alone
        following = "joiner" if isinstance(last, int) and MARK_ORDER[last] == (9, 9) else None
    else:
        following = _PLAIN.get(kind)
    return None if following is None else ("general", n + 1, following)


def _right_to_left(n: int, number: str, last: str | int) -> State | None:
    return ("right-to-left", n, number, last) if n <= MOST_RIGHT_TO_LEFT else None


def _right_to_left_letter(n: int, kind: Kind) -> State | None:
    if kind == "hebrew letter":
        return _right_to_left(n + 1, "none", "hebrew")
    if isinstance(kind, str):
        joins, _, composing = kind.partition(" ")
        if joins in ("dual-joining", "right-joining", "right-to-left") and composing in ("letter", "composing"):
            return _right_to_left(n + 1, "none", f"{'joins ' if joins == 'dual-joining' else ''}{composing}")
    return None


def _after_right_to_left(n: int, number: str, last: str | int, kind: Kind) -> State | None:
    """A right-to-left label; `number` is the kind of digits in it, of which there may be one."""
    if isinstance(kind, tuple):
        name, place = kind
        if number != "none" or last in ("hyphen", "non-joiner"):
            return None
        if name == "right-to-left mark":
            if not isinstance(last, int) or _rises(RIGHT_TO_LEFT_MARK_ORDER, last, place):
                return _right_to_left(n + 1, number, place)
        elif name == "right-to-left joining mark" and last in ("letter", "joins letter", "hebrew"):
            return _right_to_left(n + 1, number, place)
        return None
    if kind in ("digit", "extended arabic digit", "arabic digit"):
        digits = "arabic" if kind == "arabic digit" else "european"
        return _right_to_left(n + 1, digits, "digit") if number in ("none", digits) and last != "non-joiner" else None
    if kind == "hyphen":
        return _right_to_left(n + 1, number, "hyphen") if last not in ("hyphen", "non-joiner") else None
    if kind == "geresh":
        return _right_to_left(n + 1, number, "hebrew") if last == "hebrew" else None
    if kind == "non-joiner":
        joins = last in ("joins letter", "joins composing")
        return _right_to_left(n + 1, number, "non-joiner") if joins and number == "none" else None
    letter = _right_to_left_letter(n, kind)
    if letter is None or (
        last == "non-joiner" and str(kind).partition(" ")[0] not in ("dual-joining", "right-joining")
    ):
        return None
    if number == "none":
        return letter
    return _right_to_left(n + 1, number, "hebrew" if letter[3] == "hebrew" else "letter")


class _Label:
    """The automaton of one label over kinds: state 0 is dead, 1 the start; column 0 of `trans` is for characters of no kind.

    trans: int32 [n, 1 + kinds]; accept, is_ascii: bool [n]; n_characters: int [n], exact where is_ascii.
    """

    def __init__(self, kinds: list[Kind]) -> None:
        states: list[State] = [START]
        number = {START: 1}
        rows = [[0] * (len(kinds) + 1)]
        for state in states:  # grows
            row = [0]
            for kind in kinds:
                following = _after(state, kind)
                if following is None:
                    row.append(0)
                    continue
                if following not in number:
                    states.append(following)
                    number[following] = len(states)
                row.append(number[following])
            rows.append(row)
        self.trans = np.array(rows, np.int32)
        self.accept = np.array([False, *map(_accepts, states)])
        self.is_ascii = np.array([False, *(state[0] in ("start", "ascii", "upper") for state in states)])
        self.is_upper = np.array([False, *(state[0] == "upper" for state in states)])
        self.n_characters = np.array([0, *(int(state[1]) if len(state) > 1 else 0 for state in states)])


def _kinds() -> tuple[list[Kind], list[Ranges]]:
    found = {**_ASCII, **characters_by_kind()}
    return list(found), list(found.values())


def _copy(keep: npt.NDArray[np.bool_], offset: int) -> tuple[Int32Array, int]:
    """(number of each kept state in a copy that begins at `offset`, 0 for the others; where the copy ends)."""
    count = int(keep.sum())
    numbers = np.zeros(keep.shape[0], np.int32)
    numbers[keep] = np.arange(offset, offset + count)
    return numbers, offset + count


def idn_hostname() -> CharDfa:
    """Names of labels. 0.13 s once per process, 0.08 s of it for the tables of characters; 0.1 s more for its bytes."""
    kinds, sets = _kinds()
    label = _Label(kinds)
    n_kinds = len(kinds)
    starts_and_ascii = label.is_ascii & (np.arange(label.trans.shape[0]) != 0)
    octets = _NAME + 1  # a dot behind each label
    # in a name beyond ASCII each label takes 62 octets and its dot
    wide = _IDN_LABEL + 1
    rooms = octets // wide
    end = 1
    narrow_copies: list[tuple[int, Int32Array]] = []
    for used in range(0, octets - 1, UNIT):
        keep = starts_and_ascii & (used + label.n_characters + 1 <= octets)
        numbers, end = _copy(keep, end)
        narrow_copies.append((used, numbers))
    beyond = ~label.is_upper & (label.n_characters <= _IDN_LABEL)
    beyond[0] = False
    wide_copies: list[Int32Array] = []
    for _ in range(rooms):
        numbers, end = _copy(beyond, end)
        wide_copies.append(numbers)
    trans = np.zeros((end, n_kinds + 2), np.int32)
    tags = np.full(end, -1, np.int32)
    for copy, (used, numbers) in enumerate(narrow_copies):
        room = (octets - used) // wide  # labels of 62 octets that fit from here on
        target = numbers[label.trans]
        if room:
            target = np.where(
                target, target, np.where(label.is_ascii[label.trans], 0, wide_copies[room - 1][label.trans])
            )
        rows = numbers > 0
        trans[numbers[rows], :-1] = target[rows]
        tags[numbers[rows & label.accept]] = 0
        units = -(-(label.n_characters + 1) // UNIT)
        for state in np.flatnonzero(rows & label.accept):
            if copy + units[state] < len(narrow_copies):
                trans[numbers[state], -1] = narrow_copies[copy + units[state]][1][1]
    for room, numbers in enumerate(wide_copies):
        rows = numbers > 0
        trans[numbers[rows], :-1] = numbers[label.trans][rows]
        tags[numbers[rows & label.accept]] = 0
        if room:
            trans[numbers[rows & label.accept], -1] = wide_copies[room - 1][1]
    bounds, classes, members = partition([*sets, _SEPARATORS])
    columns = [member.bit_length() for member in members]
    return char_dfa(bounds, classes, trans[:, columns], tags, 1)


def idn_email() -> CharDfa:
    """Mailboxes whose domain is made of labels as in `idn_hostname`, their number not limited, or an address literal."""
    kinds, sets = _kinds()
    label = _Label(kinds)
    beyond_ascii = "\\x80-\\U0010ffff"
    local = whole(f"{local_part(beyond_ascii)}@")
    bounds, classes, members = partition([*sets, (0x2E, 0x2E), *local.class_ranges()])
    n_kinds, n_local = len(kinds), local.n_states
    points = [bounds[classes.index(c)] for c in range(len(members))]
    of_label = [(member & ((2 << n_kinds) - 1)).bit_length() for member in members]
    domain = np.zeros((label.trans.shape[0], n_kinds + 2), np.int32)
    domain[:, :-1] = label.trans
    domain[label.accept, -1] = 1
    domain = np.where(domain, domain + n_local - 1, 0)[1:, of_label]
    before = local.trans[:, [local.class_of(point) for point in points]]
    # the @ ends the local part: what accepted it is the start of the domain, the first state behind it
    before = np.where(local.accept[before], n_local, before)
    tags = np.concatenate([np.full(n_local, -1), np.where(label.accept[1:], 0, -1)])
    mailbox = char_dfa(bounds, classes, np.concatenate([before, domain]), tags, local.start)
    return mailbox.unite(whole(f"{local_part(beyond_ascii)}@{ADDRESS_LITERAL}"), LIMITS)
