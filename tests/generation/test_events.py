"""Events of values against json.loads and pydantic, for random values, spellings and cuts into tokens."""

from __future__ import annotations

import dataclasses
import enum
import gc
import json
import random
import sys
import types
import uuid
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NotRequired, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    ValidationError,
    create_model,
    field_validator,
)
from typing_extensions import TypedDict

from structgen.errors import LimitExceeded, StructgenError
from structgen.generation import events as events_module
from structgen.generation import parts as parts_module
from structgen.generation.events import (
    Complete,
    Done,
    Event,
    EventsError,
    FieldComplete,
    FieldStarted,
    ItemComplete,
    TextDelta,
    ValueEvents,
)
from structgen.generation.partial import PartialValue
from structgen.generation.shapes import Shape

LAW = settings(max_examples=150, deadline=None)
FEW = settings(max_examples=60, deadline=None)

names = st.text(max_size=5) | st.sampled_from(["a", "~", "/", "~1", "", "é", "😀", "0"])
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=20
)


class Expected(NamedTuple):
    """An event as the writer of the text knows it: the byte that shows it (an index into the bytes; their number: the end)."""

    kind: type[Event]
    pointer: str
    text: str
    value: Any
    shown_by: int


class Writer:
    """Spells a value at random and notes what events that makes; it knows nothing of the scanner."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.text = ""
        self.expected: list[tuple[type[Event], str, int, int, Any, int]] = []

    def blank(self) -> None:
        if self.rng.random() < 0.3:
            self.text += "".join(self.rng.choices(" \t\n\r", k=self.rng.randrange(3)))

    def string(self, value: str) -> None:
        out = ""
        for character in value:
            if self.rng.random() < 0.2 or character in '"\\' or ord(character) < 32:
                escaped = json.dumps(character)[1:-1]
                units = character.encode("utf-16-be", "surrogatepass")
                long = "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
                short = escaped if escaped.startswith("\\") and len(escaped) == 2 else long
                out += self.rng.choice([short, long, long.upper().replace("\\U", "\\u")])
            else:
                out += character
        self.text += f'"{out}"'

    def value(self, value: Any, pointer: str) -> bool:
        """Write; True if the text is a number, which the next character ends."""
        if isinstance(value, str):
            self.string(value)
        elif isinstance(value, dict):
            self.text += "{"
            self.blank()
            for i, (name, member) in enumerate(value.items()):
                self.text += "," if i else ""
                self.blank()
                start = len(self.text)
                self.string(name)
                inner = pointer + "/" + name.replace("~", "~0").replace("/", "~1")
                self.expected.append((FieldStarted, inner, start, len(self.text), None, len(self.text) - 1))
                self.blank()
                self.text += ":"
                self.member(FieldComplete, member, inner)
            self.text += "}"
        elif isinstance(value, list):
            self.text += "["
            self.blank()
            for i, item in enumerate(value):
                self.text += "," if i else ""
                self.member(ItemComplete, item, f"{pointer}/{i}")
            self.text += "]"
        else:
            self.text += json.dumps(value)
            return isinstance(value, int | float) and not isinstance(value, bool)
        return False

    def member(self, kind: type[Event], value: Any, pointer: str) -> None:
        self.blank()
        start = len(self.text)
        is_number = self.value(value, pointer)
        end = len(self.text)
        self.expected.append((kind, pointer, start, end, value, end if is_number else end - 1))
        self.blank()

    def finish(self) -> list[Expected]:
        ends = [0]
        for character in self.text:
            ends.append(ends[-1] + len(character.encode()))
        return [
            Expected(kind, pointer, self.text[start:end], value, ends[at + 1] - 1 if at < len(self.text) else ends[-1])
            for kind, pointer, start, end, value, at in self.expected
        ]


def spelled(value: Any, seed: int) -> tuple[str, list[Expected]]:
    writer = Writer(random.Random(seed))
    writer.blank()
    writer.value(value, "")
    writer.blank()
    return writer.text, writer.finish()


def cut(data: bytes, seed: int, mean: int = 4) -> list[bytes]:
    """Tokens of random lengths, 0 included."""
    rng = random.Random(seed)
    tokens, i = [], 0
    while i < len(data):
        n = rng.randrange(2 * mean)
        tokens.append(data[i : i + n])
        i += n
    return tokens


def run(tokens: list[bytes], typed: Any = None) -> Iterator[Event]:
    events = ValueEvents(typed)
    for i, token in enumerate(tokens):
        yield from events.feed(token, i + 1)
    yield from events.finish()


def all_events(text: str, typed: Any = None, seed: int = 0) -> list[Event]:
    return list(run(cut(text.encode(), seed), typed))


def complete(text: str, typed: Any = None) -> dict[str, Any]:
    """The typed value of every part by its pointer."""
    return {event.pointer: event.value for event in all_events(text, typed) if isinstance(event, Complete)}


def resolve(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step.replace("~1", "/").replace("~0", "~")]
    return value


def same(left: Any, right: Any) -> bool:
    """Equal, and of equal types all the way down (1, 1.0 and True differ)."""
    return bool(left == right) and repr(left) == repr(right)


@LAW
@given(values, st.integers(0, 2**32), st.integers(0, 2**32))
def test_events_come_in_order_once_and_with_the_token_that_shows_them(value: Any, spelling: int, cuts: int) -> None:
    text, expected = spelled(value, spelling)
    whole = json.loads(text)
    tokens = cut(text.encode(), cuts)
    ends = [sum(map(len, tokens[: i + 1])) for i in range(len(tokens))]
    found = [event for event in run(tokens) if not isinstance(event, TextDelta)]
    assert isinstance(found[-1], Done)
    assert same(found[-1].value, whole)
    assert found[-1].text == text
    assert found[-1].n_tokens == len(tokens)
    assert len(found) - 1 == len(expected)
    for event, wanted in zip(found[:-1], expected, strict=True):
        assert type(event) is wanted.kind
        assert isinstance(event, FieldStarted | Complete)
        assert event.pointer == wanted.pointer
        assert event.n_tokens == 1 + next((i for i, end in enumerate(ends) if end > wanted.shown_by), len(tokens))
        if isinstance(event, Complete):
            assert event.text == wanted.text
            assert same(event.value, wanted.value)
            assert same(event.plain, wanted.value)
            assert same(event.value, resolve(whole, event.pointer))


@LAW
@given(values, st.integers(0, 2**32), st.integers(0, 2**32))
def test_deltas_join_to_the_text_and_come_as_soon_as_they_are_final(value: Any, spelling: int, cuts: int) -> None:
    text, _ = spelled(value, spelling)
    events, fed, joined = ValueEvents(), b"", ""
    for i, token in enumerate(cut(text.encode(), cuts)):
        fed += token
        deltas = [event for event in events.feed(token, i) if isinstance(event, TextDelta)]
        assert len(deltas) <= 1
        joined += "".join(delta.text for delta in deltas)
        assert joined == fed.decode(errors="ignore") == events.text
    assert joined == text


@LAW
@given(values, st.integers(0, 2**32))
def test_a_partial_value_holds_what_is_finished_and_nothing_else(value: Any, spelling: int) -> None:
    text, _ = spelled(value, spelling)
    partial, events = PartialValue(), ValueEvents()
    finished: set[str] = set()
    whole = json.loads(text)
    for i, byte in enumerate(text.encode()):
        fresh = events.feed(bytes([byte]), i)
        partial.extend(fresh)
        finished |= {event.pointer for event in fresh if isinstance(event, Complete)}
        wanted = pruned(whole, finished)
        assert same(partial.value, None if wanted is MISSING else wanted)
        assert same(partial.model(), partial.value)
    partial.extend(events.finish())
    assert same(partial.value, json.loads(text))
    assert partial.is_complete
    assert same(partial.model(), json.loads(text))


MISSING = object()


def pruned(whole: Any, finished: set[str], pointer: str = "") -> Any:
    """The finished parts of a value, top down; MISSING if there are none."""
    if pointer in finished:
        return whole
    if isinstance(whole, dict):
        inner = {
            name: pruned(member, finished, pointer + "/" + name.replace("~", "~0").replace("/", "~1"))
            for name, member in whole.items()
        }
        kept: Any = {name: member for name, member in inner.items() if member is not MISSING}
        return kept or MISSING
    if isinstance(whole, list):
        items = [pruned(item, finished, f"{pointer}/{i}") for i, item in enumerate(whole)]
        return [item for item in items if item is not MISSING] or MISSING
    return MISSING


def steps_of(n: int) -> tuple[int, int]:
    """(lines executed, events) for a text of n characters that come one by one."""
    text = '{"a":[' + ",".join(['"x\\u0041y"', "-12.5e3", "true", '{"b": {}}'] * (n // 30)) + "]}"
    n_lines = n_events = 0

    def trace(frame: Any, kind: str, _: Any) -> Any:
        nonlocal n_lines
        if kind == "line":
            n_lines += 1
        return trace if frame.f_code.co_filename in (events_module.__file__, parts_module.__file__) else None

    events = ValueEvents()
    tokens = [character.encode() for character in text]
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for i, token in enumerate(tokens):
            n_events += len(events.feed(token, i))
    finally:
        sys.settrace(before)
    return n_lines, n_events


def test_work_grows_with_the_text_and_not_faster() -> None:
    lines, events = steps_of(1_500)
    many_lines, many_events = steps_of(15_000)
    assert 9.9 < many_events / events < 10.1
    assert many_lines < 10.1 * lines


def test_no_text_is_read_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names apart: they are read once each, when they end."""
    spans: list[int] = []
    text_class = parts_module.Text
    original = text_class.span
    monkeypatch.setattr(text_class, "span", lambda self, a, b: spans.append(b - a) or original(self, a, b))
    monkeypatch.setattr(text_class, "whole", lambda self: spans.append(self.length) or "")
    text = json.dumps({"names": [{"a": "x" * 50, "b": [1, 2, 3]}] * 20})
    events = ValueEvents()
    for i, character in enumerate(text):
        events.feed(character.encode(), i)
    assert sum(spans) == len('"names"') + 20 * len('"a""b"')


SHARED = (type, types.FunctionType, types.ModuleType, int, str)


def test_the_state_is_the_open_containers_and_the_text() -> None:
    def n_objects(events: ValueEvents) -> int:
        """Objects that are held, the text and what is shared with others (classes, functions, small integers) apart."""
        seen: set[int] = {id(events._text)}
        stack: list[Any] = [events]
        while stack:
            held = stack.pop()
            if id(held) not in seen and not isinstance(held, SHARED):
                seen.add(id(held))
                stack += gc.get_referents(held)
        return len(seen)

    events, item = ValueEvents(TypeAdapter(list[Everything])), json.dumps(EVERYTHING)
    sizes = []
    for i in range(4):
        events.feed((("," if i else "[") + item).encode(), i)
        sizes.append(n_objects(events))
    assert sizes[1:] == sizes[1:2] * 3  # the first object makes the tree of types


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_values_do_not_recurse(opening: str, closing: str) -> None:
    depth = 10_000
    text = opening * depth + "1" + closing * depth
    events, partial = ValueEvents(), PartialValue()
    for i in range(0, len(text), 7):
        for event in events.feed(text[i : i + 7].encode(), i):
            partial.add(event)
    (done,) = events.finish()
    partial.add(done)
    assert isinstance(done, Done)
    for value in (done.value, partial.value, partial.model()):
        found = 0
        while isinstance(value, dict | list):
            value, found = value["a"] if isinstance(value, dict) else value[0], found + 1
        assert (value, found) == (1, depth)


@pytest.mark.parametrize("typed", [None, TypeAdapter(list[Any]), TypeAdapter(int)])
def test_a_number_ends_where_the_text_shows_it(typed: Any) -> None:
    events = ValueEvents(typed)
    assert [type(event) for event in events.feed(b"12", 1)] == [TextDelta]
    assert events.is_complete
    assert [type(event) for event in events.feed(b"3", 2)] == [TextDelta]
    if typed is not None and typed.core_schema["type"] == "list":
        (done,) = events.finish()
        with pytest.raises(ValidationError):
            _ = done.value  # type: ignore[attr-defined]
    else:
        (done,) = events.finish()
        assert done.value == 123  # type: ignore[attr-defined]
    assert done.n_tokens == 2


def test_events_of_a_token_that_spans_members() -> None:
    found = ValueEvents().feed(b'{"a": [1, 2], "b": 3}', 7)
    assert [repr(event) for event in found] == [
        'TextDelta(n_tokens=7, text=\'{"a": [1, 2], "b": 3}\')',
        "FieldStarted(7, '/a')",
        "ItemComplete(7, '/a/0', '1')",
        "ItemComplete(7, '/a/1', '2')",
        "FieldComplete(7, '/a', '[1, 2]')",
        "FieldStarted(7, '/b')",
        "FieldComplete(7, '/b', '3')",
    ]
    assert found[4] == found[4]
    assert len(set(found)) == len(found)


def test_a_leading_space_is_taken_off_once() -> None:
    events = ValueEvents(leading_space=True)
    found = [*events.feed(b"", 1), *events.feed(b"  [", 2), *events.feed(b" ]", 3), *events.finish()]
    assert "".join(event.text for event in found if isinstance(event, TextDelta)) == " [ ]"
    assert found[-1].text == " [ ]"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("data", "reason", "position"),
    [
        (b'{"a" 1}', "\":\" expected, not '1'", 5),
        (b"[1,]", "a value expected, not ']'", 3),
        (b'{"a":1,}', "a name expected, not '}'", 7),
        (b"{a:1}", "a name or", 1),
        (b"[01]", '"," or "]" expected, not \'1\'', 2),
        (b"[1}", '"," or "]"', 2),
        (b'{"a":1]', '"," or "}"', 6),
        (b"[-]", "a number ends before", 2),
        (b"[1.]", "a number ends before", 3),
        (b"[1e+]", "a number ends before", 4),
        (b"tru ", '"e" expected', 3),
        (b"NaN", "a value expected", 0),
        (b"1 2", "nothing after the value", 2),
        (b'["\\x"]', "after the backslash", 3),
        (b'["\\u00g0"]', "hexadecimal", 6),
        (b'["\n"]', "an escape", 2),
        ('"é'.encode() + b'\xff"', "no UTF-8", 3),
        (b'"\xed\xa0\x80"', "no UTF-8", 1),
        (b'\xef\xbb\xbf"a"', "a value expected", 0),
        (b"", "the text ends", 0),
        (b'{"a": [', "the text ends", 7),
        (b'"\xc3', "no UTF-8", 1),
        (b"-", "a number ends before", 1),
    ],
)
@pytest.mark.parametrize("mean", [1, 40])
def test_what_is_no_json_is_refused_and_the_error_says_where(
    data: bytes, reason: str, position: int, mean: int
) -> None:
    events = ValueEvents()

    def feed() -> None:
        for i in range(0, len(data), mean):
            events.feed(data[i : i + mean], i)
        events.finish()

    with pytest.raises(EventsError) as raised:
        feed()
    assert isinstance(raised.value, StructgenError)
    assert reason in str(raised.value)
    assert raised.value.position == position
    with pytest.raises(EventsError):
        events.feed(b"1", 9)


@LAW
@given(values, st.integers(0, 2**32), st.integers(0, 2**32), st.binary(min_size=1, max_size=2))
def test_texts_that_python_cannot_read_are_refused(value: Any, spelling: int, place: int, noise: bytes) -> None:
    """Strictly: json.loads takes NaN and Infinity as well."""
    text, _ = spelled(value, spelling)
    data = text.encode()
    at = place % (len(data) + 1)
    data = data[:at] + noise + data[at:]
    try:
        wanted = json.loads(data.decode(), parse_constant=lambda name: pytest.fail(name))
    except ValueError:
        with pytest.raises(EventsError):
            list(run(cut(data, place)))
    else:
        assert same(list(run(cut(data, place)))[-1].value, wanted)  # type: ignore[attr-defined]


def test_a_finished_value_takes_nothing_more() -> None:
    events = ValueEvents()
    events.feed(b"1", 1)
    events.finish()
    with pytest.raises(EventsError, match="another ValueEvents"):
        events.feed(b" ", 2)
    with pytest.raises(EventsError, match="another ValueEvents"):
        events.finish()


def test_a_token_must_be_bytes() -> None:
    events = ValueEvents()
    with pytest.raises(EventsError, match="bytes, not str"):
        events.feed("1", 1)  # type: ignore[arg-type]
    assert events.feed(b"1", 1) == [TextDelta(1, "1")]


def test_an_integer_too_long_for_python_is_refused_when_it_is_read() -> None:
    (item, *_) = [event for event in all_events("[" + "9" * 5000 + "]") if isinstance(event, ItemComplete)]
    assert len(item.text) == 5000
    with pytest.raises(LimitExceeded, match="digits"):
        _ = item.value


def test_of_a_name_that_comes_twice_the_last_value_stays() -> None:
    text = '{"a": {"x": 1}, "b": 2, "a": {"y": [3, {}]}}'
    partial = PartialValue()
    found = all_events(text)
    partial.extend(found)
    assert partial.value == json.loads(text) == partial.model()
    assert [event.pointer for event in found if isinstance(event, FieldComplete)] == [
        "/a/x",
        "/a",
        "/b",
        "/a/y",
        "/a",
    ]


# Typed values.


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(NamedTuple):
    x: int
    y: Decimal = Decimal(0)


@dataclasses.dataclass
class Size:
    width: float
    when: date | None = None


class Options(TypedDict):
    level: Literal[1, 2, 3]
    tag: NotRequired[uuid.UUID]


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float


class Label(BaseModel):
    kind: Literal["label", "text"]
    radius: str


class Node(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    name: str = Field(alias="node name")
    children: list[Node] = []
    extra: dict[str, date] = {}

    @field_validator("name")
    @classmethod
    def check(cls, value: str, info: Any) -> str:
        return f"{info.field_name}:{value.upper()}"


class Everything(BaseModel):
    model_config = ConfigDict(frozen=True)
    colour: Colour
    point: Point
    size: Size
    options: Options
    shape: Annotated[Circle | Label, Field(discriminator="kind")]
    untagged: Circle | Label | None
    root: RootModel[list[Decimal]]
    pair: tuple[int, date]
    row: tuple[date, ...]
    members: set[int]
    frozen: frozenset[Colour]
    by_choice: int = Field(validation_alias=AliasChoices("choice", "other"))
    price: Annotated[Decimal, Field(max_digits=12)]
    node: Node
    anything: Any
    either: int | str
    maybe: uuid.UUID | None
    blob: bytes
    bounds: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=3)]


EVERYTHING = {
    "colour": "red",
    "point": [1, "2.50"],
    "size": {"width": 2, "when": "2024-02-29"},
    "options": {"level": 2, "tag": "12345678-1234-5678-1234-567812345678"},
    "shape": {"kind": "text", "radius": "3"},
    "untagged": {"kind": "label", "radius": "4"},
    "root": ["1.10", 2],
    "pair": [1, "2024-01-01"],
    "row": ["2024-01-01", "2024-01-02"],
    "members": [1, 2],
    "frozen": ["blue"],
    "choice": 5,
    "price": 12.5,
    "node": {
        "node name": " a ",
        "children": [{"node name": "b", "extra": {"~/": "2024-03-01"}}, {"node name": "c", "children": []}],
    },
    "anything": {"a": [1, {"b": 2.5}]},
    "either": "7",
    "maybe": None,
    "blob": "xyz",
    "bounds": [0, 10**30],
}


def test_fields_have_the_values_that_pydantic_gives_them() -> None:
    text = json.dumps(EVERYTHING)
    adapter = TypeAdapter(Everything)
    found = complete(text, adapter)
    whole = adapter.validate_json(text)
    aliases = {"by_choice": "choice"}
    for name in Everything.model_fields:
        assert same(found["/" + aliases.get(name, name)], getattr(whole, name)), name
    assert same(found[""], whole)
    assert same(found["/point/1"], Decimal("2.50"))
    assert same(found["/size/when"], date(2024, 2, 29))
    assert same(found["/options/tag"], uuid.UUID("12345678-1234-5678-1234-567812345678"))
    assert same(found["/shape/radius"], "3")
    assert same(found["/untagged/radius"], "4")
    assert same(found["/root/0"], Decimal("1.10"))
    assert same(found["/pair/1"], date(2024, 1, 1))
    assert same(found["/row/1"], date(2024, 1, 2))
    assert same(found["/frozen/0"], Colour.BLUE)
    assert same(found["/node/node name"], "name:A")
    assert same(found["/node/children/0/node name"], "name:B")
    assert same(found["/node/children/0/extra/~0~1"], date(2024, 3, 1))
    assert same(found["/anything/a/1/b"], 2.5)
    assert same(found["/bounds/1"], 10**30)
    size = whole.size
    assert same((found["/size/width"], found["/size/when"]), (size.width, size.when))


def test_a_partial_model_has_the_finished_fields_only() -> None:
    text = json.dumps(EVERYTHING)
    adapter = TypeAdapter(Everything)
    whole = adapter.validate_json(text)
    events, partial = ValueEvents(adapter), PartialValue(adapter)
    order = list(Everything.model_fields)
    n_finished = 0
    assert partial.model().model_fields_set == set()
    for i, byte in enumerate(text.encode()):
        fresh = events.feed(bytes([byte]), i)
        partial.extend(fresh)
        n_finished += sum(isinstance(event, FieldComplete) and event.place.depth == 1 for event in fresh)
        model = partial.model()
        assert type(model) is Everything
        for name in order[:n_finished]:
            assert same(getattr(model, name), getattr(whole, name))
        assert model.model_fields_set <= set(order[: n_finished + 1])
        for name in set(order) - model.model_fields_set:
            with pytest.raises(AttributeError):
                getattr(model, name)
    partial.extend(events.finish())
    assert partial.model() == whole


def test_a_nested_partial_model() -> None:
    events, partial = ValueEvents(TypeAdapter(Node)), PartialValue(TypeAdapter(Node))
    partial.extend(events.feed(b'{"node name": "a", "children": [{"node name": "b"}, {"node name": "c", "extra": {', 1))
    assert repr(partial.model()) == (
        "Node(name='name:A', children=[Node(name='name:B', children=[], extra={}), Node(name='name:C')])"
    )
    assert partial.value == {"node name": "a", "children": [{"node name": "b"}, {"node name": "c"}]}


def test_events_that_are_left_out_are_noticed() -> None:
    found = [event for event in all_events('{"a": {"b": 1}, "c": 2}') if isinstance(event, Complete)]
    partial = PartialValue()
    partial.add(found[0])
    with pytest.raises(EventsError, match="left out"):
        partial.add(found[2])


class Tone(enum.StrEnum):  # pydantic reads a Literal of members out of JSON for such enums only
    RED = "red"
    BLUE = "blue"


class Red(BaseModel):
    kind: Literal[Tone.RED]
    n: int


class Blue(BaseModel):
    kind: Literal[Tone.BLUE] = Field(alias="sort")
    n: str
    m: int = 0


class Green(BaseModel):
    kind: Annotated[str, Field(pattern="green")]
    n: float


@pytest.mark.parametrize("tagged", [False, True])
def test_a_union_is_known_by_what_is_finished(tagged: bool) -> None:
    union: Any = Red | Label
    adapter = TypeAdapter(Annotated[union, Field(discriminator="kind")] if tagged else union)
    assert same(complete('{"kind": "red", "n": 1}', adapter)["/n"], 1)
    assert same(complete('{"kind": "text", "radius": "1"}', adapter)["/radius"], "1")
    other = TypeAdapter(Red | Blue | Green)
    assert same(complete('{"sort": "blue", "n": "1"}', other)["/n"], "1")
    assert same(complete('{"kind": "red", "n": 1}', other)["/kind"], Tone.RED)


def test_a_literal_is_compared_as_pydantic_compares() -> None:
    class Version(BaseModel):
        version: Literal[1]
        n: date

    class Other(BaseModel):
        version: Literal[2]
        n: str

    adapter: Any = TypeAdapter(Version | Other)
    text = '{"version": 1.0, "n": "2024-01-01"}'
    found = {event.pointer: event for event in all_events(text, adapter) if isinstance(event, FieldComplete)}
    assert found["/n"].value == date(2024, 1, 1)


def test_a_partial_value_of_a_union_is_a_model_once_one_is_left() -> None:
    adapter: Any = TypeAdapter(Union[Red, Label])  # noqa: UP007
    events, partial = ValueEvents(adapter), PartialValue(adapter)
    assert partial.model() is None
    partial.extend(events.feed(b'{"kind": "red"', 1))
    assert type(partial.model()) is Red
    assert partial.model().model_fields_set == {"kind"}
    adapter = TypeAdapter(Union[Red, Size])  # noqa: UP007
    events, partial = ValueEvents(adapter), PartialValue(adapter)
    partial.extend(events.feed(b'{"width": 1, "when": "2024-01-01"', 1))
    assert partial.model() == {"width": 1.0, "when": date(2024, 1, 1)}


def test_a_tag_tells_branches_apart_that_their_fields_do_not() -> None:
    adapter: Any = TypeAdapter(Any)

    def model(name: str, tp: str) -> dict[str, Any]:
        fields = {"kind": {"type": "model-field", "schema": {"type": "str"}}}
        fields["n"] = {"type": "model-field", "schema": {"type": tp}}
        cls = type(name, (BaseModel,), {})
        return {"type": "model", "cls": cls, "schema": {"type": "model-fields", "fields": fields}}

    class Tagged:
        core_schema: ClassVar[Any] = {
            "type": "tagged-union",
            "discriminator": "kind",
            "choices": {"i": model("I", "int"), "s": model("S", "str"), Colour.RED: model("R", "float")},
        }
        validate_json = adapter.validate_json

    for tag, wanted in (("i", 1), ("s", "1"), ("red", 1.0)):
        text = json.dumps({"kind": tag, "n": "1"})
        assert same(complete(text, Tagged())["/n"], wanted)


def test_what_a_validator_objects_to_is_raised_when_it_is_read() -> None:
    class Even(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("odd")
            return value

    (field,) = [event for event in all_events('{"n": 3}', TypeAdapter(Even)) if isinstance(event, FieldComplete)]
    with pytest.raises(ValidationError, match="odd") as raised:
        _ = field.value
    assert raised.value.errors()[0]["loc"] == ("n",)


class Span(BaseModel):
    first: int = Field(alias="from")
    last: int
    note: str = ""

    @field_validator("last")
    @classmethod
    def after_first(cls, value: int, info: Any) -> int:
        if value < info.data.get("first", value):
            raise ValueError("too small")
        return value

    @field_validator("note")
    @classmethod
    def signed(cls, value: str, info: Any) -> str:
        return f"{value} {sorted(info.data.items())}"


@pytest.mark.parametrize(
    "typed", [TypeAdapter(list[Span]), TypeAdapter(list[Span | int]), TypeAdapter(list[Node | Span])]
)
def test_field_validators_see_the_fields_before(typed: Any) -> None:
    text = '[{"from": 1, "last": 2, "note": "a"}, {"note": "b", "last": 4, "from": 3}]'
    found = complete(text, typed)
    whole = typed.validate_json(text)
    assert found["/0/note"] == whole[0].note == "a [('first', 1), ('last', 2)]"
    assert found["/0/last"] == 2
    assert found["/1/note"] == "b []"  # written before them
    assert found["/1"] == whole[1]


def test_field_validators_see_no_field_that_is_declared_later() -> None:
    class Seen(BaseModel):
        a: int
        b: Any
        c: int

        @field_validator("b")
        @classmethod
        def see(cls, value: Any, info: Any) -> Any:
            return sorted(info.data)

    text = '{"a": 1, "c": 3, "b": 2}'
    assert complete(text, TypeAdapter(Seen))["/b"] == Seen.model_validate_json(text).b == ["a"]


def test_field_validators_object_to_a_field_in_view_of_another() -> None:
    found = {
        event.pointer: event
        for event in all_events('{"from": 5, "last": 2, "note": "a"}', TypeAdapter(Span))
        if isinstance(event, FieldComplete)
    }
    assert found["/note"].value == "a [('first', 5)]"
    with pytest.raises(ValidationError, match="too small"):
        _ = found["/last"].value


LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)),
    (str, st.text(max_size=5)),
    (bool, st.booleans()),
    (date, st.dates().map(str)),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str)),
    (uuid.UUID, st.uuids().map(str)),
    (Colour, st.sampled_from(["red", "blue"])),
    (Literal["a", 1, True], st.sampled_from(["a", 1, True])),
    (Any, scalars),
]


@st.composite
def typed_values(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    """A random type, and a strategy for JSON values of it."""
    kinds = ["leaf"] if depth == 0 else ["leaf", "model", "list", "dict", "tuple", "optional", "union", "dataclass"]
    kind = draw(st.sampled_from(kinds))
    if kind == "leaf":
        return draw(st.sampled_from(LEAVES))
    if kind in ("model", "union", "dataclass"):
        return draw(records(depth, kind))
    tp, inner = draw(typed_values(depth - 1))
    if kind == "list":
        return list[tp], st.lists(inner, max_size=3)
    if kind == "dict":
        return dict[str, tp], st.dictionaries(names, inner, max_size=3)
    if kind == "tuple":
        other, second = draw(typed_values(depth - 1))
        return tuple[tp, other], st.tuples(inner, second).map(list)
    return tp | None if tp is not Any else Any, inner | st.none()


@st.composite
def records(draw: st.DrawFn, depth: int, kind: str) -> tuple[Any, st.SearchStrategy[Any]]:
    if kind == "union":  # told apart by their tags, which come first
        branches = [draw(records(depth, "model")) for _ in range(2)]
        made, inner = [], []
        for i, (model, strategy) in enumerate(branches):
            made.append(create_model(f"Tagged{i}", **fields_of(model, {"tag": (Literal[f"t{i}"], ...)})))
            inner.append(strategy.map(lambda value, i=i: {"tag": f"t{i}", **value}))
        union: Any = Union[tuple(made)]  # noqa: UP007
        if draw(st.booleans()):
            union = Annotated[union, Field(discriminator="tag")]
        return union, st.one_of(inner)
    parts = {f"f{i}": draw(typed_values(depth - 1)) for i in range(draw(st.integers(1, 3)))}
    value = st.fixed_dictionaries({name: strategy for name, (_, strategy) in parts.items()})
    if kind == "dataclass":
        return dataclasses.make_dataclass("Made", [(name, tp) for name, (tp, _) in parts.items()]), value
    fields: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    for name, (tp, _) in parts.items():
        alias = draw(st.none() | st.sampled_from(["a/b", "~", "ü"]).map(lambda text, name=name: text + name))
        fields[name] = (tp, Field(alias=alias) if alias else ...)
        aliases[name] = alias or name
    model = create_model("Made", **fields)
    return model, value.map(lambda members: {aliases[name]: member for name, member in members.items()})


def fields_of(model: Any, more: dict[str, Any]) -> dict[str, Any]:
    return more | {name: (info.annotation, info) for name, info in model.model_fields.items()}


def members_of(value: Any) -> dict[str, Any] | None:
    """JSON keys and values of what pydantic made; None for a value without members."""
    if isinstance(value, BaseModel):
        return {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return {str(i): item for i, item in enumerate(value)}
    return None


def parts_of(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    yield pointer, value
    for key, member in (members_of(value) or {}).items():
        yield from parts_of(member, pointer + "/" + key.replace("~", "~0").replace("/", "~1"))


@FEW
@given(st.data(), st.integers(0, 2**32))
def test_values_of_random_types_are_those_of_pydantic(data: st.DataObject, seed: int) -> None:
    tp, strategy = data.draw(typed_values(depth=3))
    adapter = TypeAdapter(tp)
    shape = Shape.of(adapter)
    for i in range(2):
        text, _ = spelled(data.draw(strategy), seed + i)
        whole = adapter.validate_json(text)
        found = [event for event in all_events(text, shape, seed + i) if isinstance(event, Complete)]
        wanted = dict(parts_of(whole))
        assert {event.pointer for event in found} == set(wanted)
        for event in found:
            assert same(event.value, wanted[event.pointer]), (event, wanted[event.pointer])
        partial = PartialValue(shape)
        for event in found[:-1]:
            partial.add(event)
            partial.model()
        partial.add(found[-1])
        assert same(partial.model(), whole)
        assert same(partial.value, json.loads(text))
