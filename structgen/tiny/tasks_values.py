"""Typed values and the ways a text writes them.

Purpose: `draw(kind, words, scene)` gives a `Fact`: the JSON value that the answer must hold, how the prompt writes it, and
its JSON Schema. In: a kind name such as "person", "money" or "date"; out: the fact.
Limits: dates are written unambiguously (no 3/4/2024); money is in one currency per scene.
Turned down: locale libraries; a dozen formats written here are enough for a small model.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from structgen.tiny import tasks_words as lists
from structgen.tiny.tasks_words import Words

__all__ = ["KINDS", "NUMBER_WORDS", "Fact", "Scene", "draw"]

Json = Any

NUMBER_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty""".split()
MONTHS = """January February March April May June July August September October November December""".split()
CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CHF": "", "SEK": "", "INR": "₹", "CAD": "", "PLN": ""}
CURRENCY_WORDS = {"USD": "dollars", "EUR": "euros", "GBP": "pounds", "JPY": "yen", "CHF": "francs", "INR": "rupees"}

ENUMS: dict[str, list[tuple[str, list[str]]]] = {
    "order_status": [
        ("pending", ["pending", "still pending"]),
        ("shipped", ["shipped", "already shipped"]),
        ("delivered", ["delivered", "already delivered"]),
        ("cancelled", ["cancelled"]),
        ("processing", ["processing", "still processing"]),
        ("returned", ["returned"]),
    ],
    "priority": [
        ("low", ["low"]),
        ("medium", ["medium"]),
        ("high", ["high"]),
        ("urgent", ["urgent"]),
    ],
    "ticket_status": [
        ("open", ["open", "still open"]),
        ("closed", ["closed"]),
        ("pending", ["pending"]),
        ("resolved", ["resolved"]),
    ],
    "ticket_category": [
        ("billing", ["billing"]),
        ("technical", ["technical"]),
        ("shipping", ["shipping"]),
        ("account", ["account"]),
        ("other", ["other"]),
    ],
    "product_category": [
        (name, [name]) for name in ("kitchen", "office", "garden", "sports", "toys", "clothing", "electronics", "books")
    ],
    "unit": [("celsius", ["celsius", "Celsius"]), ("fahrenheit", ["fahrenheit", "Fahrenheit"])],
    "size": [(name, [name]) for name in ("small", "medium", "large", "extra large")],
    "gender": [(name, [name]) for name in ("female", "male", "other")],
    "genre": [(name, [name]) for name in ("fantasy", "crime", "comedy", "drama", "horror", "romance", "thriller")],
}


@dataclass(slots=True)
class Scene:
    """What the facts of one record share."""

    first: str
    last: str
    currency: str
    lower: bool = False
    style: int = 0
    extra: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Fact:
    """One value: what the answer holds, how the text says it, and its schema."""

    value: Json
    text: str
    schema: dict[str, Json]


STRING: dict[str, Json] = {"type": "string"}
INTEGER: dict[str, Json] = {"type": "integer"}
NUMBER: dict[str, Json] = {"type": "number"}
BOOLEAN: dict[str, Json] = {"type": "boolean"}


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _grouped(number: int, words: Words) -> str:
    return f"{number:,}" if number >= 1000 and words.rng.random() < 0.4 else str(number)


def join(parts: list[str], words: Words, last: str = "and") -> str:
    """'a', 'a and b', 'a, b and c' (sometimes with the Oxford comma)."""
    if len(parts) < 2:
        return parts[0] if parts else "none"
    comma = "," if len(parts) > 2 and words.rng.random() < 0.4 else ""
    return ", ".join(parts[:-1]) + f"{comma} {last} " + parts[-1]


def _money(words: Words, scene: Scene, high: float = 0.0) -> Fact:
    rng = words.rng
    top = high or rng.choice((10, 50, 100, 500, 3000))
    if rng.random() < 0.3:
        value: float = rng.randint(1, int(top))
        text = _grouped(int(value), words)
        if rng.random() < 0.2:
            text += ".00"
    else:
        value = round(rng.uniform(0.5, top), 2)
        text = f"{value:.2f}" if rng.random() < 0.7 else _plain(value)
    number: float | int = int(value) if float(value).is_integer() else value
    mark = CURRENCIES[scene.currency]
    style = scene.style % 4
    if style == 0 or (style == 1 and not mark) or (style == 2 and scene.currency not in CURRENCY_WORDS):
        text = f"{text} {scene.currency}"
    elif style == 1:
        text = mark + text
    elif style == 2:
        text = f"{text} {CURRENCY_WORDS[scene.currency]}"
    else:
        text = f"{scene.currency} {text}"
    return Fact(number, text, NUMBER)


def _date(words: Words, scene: Scene, past: bool = False) -> Fact:
    rng = words.rng
    day = datetime.date(rng.randint(1940, 2005) if past else rng.randint(2015, 2032), rng.randint(1, 12), 1)
    day += datetime.timedelta(days=rng.randint(0, 27))
    month = MONTHS[day.month - 1]
    if rng.random() < 0.2 and len(month) > 4:
        month = month[:3]
    ends = {1: "st", 2: "nd", 3: "rd"}
    nth = f"{day.day}{'th' if 10 < day.day < 20 else ends.get(day.day % 10, 'th')}"
    text = rng.choice(
        (
            day.isoformat(),
            day.isoformat(),
            day.isoformat(),
            f"{day.day} {month} {day.year}",
            f"{month} {day.day}, {day.year}",
            f"{nth} of {month} {day.year}",
            f"{month} {nth}, {day.year}",
        )
    )
    return Fact(day.isoformat(), text, {"type": "string", "format": "date"} if rng.random() < 0.6 else STRING)


def _time(words: Words) -> Fact:
    rng = words.rng
    hour, minute = rng.randint(0, 23), rng.choice((0, 0, 0, 15, 30, 30, 45, rng.randint(0, 59)))
    twelve = hour % 12 or 12
    half = "am" if hour < 12 else "pm"
    text = rng.choice(
        (
            f"{hour:02d}:{minute:02d}",
            f"{hour:02d}:{minute:02d}",
            f"{hour:02d}:{minute:02d}",
            f"{twelve}:{minute:02d} {half}" if minute else f"{twelve} {half}",
            f"{twelve}{half}" if not minute else f"{twelve}:{minute:02d}{half}",
        )
    )
    return Fact(f"{hour:02d}:{minute:02d}", text, STRING)


def _integer(words: Words, low: int, high: int, spelled: float = 0.08) -> Fact:
    value = words.rng.randint(low, high)
    if value <= 20 and words.rng.random() < spelled:
        return Fact(value, NUMBER_WORDS[value], INTEGER)
    return Fact(value, _grouped(value, words), INTEGER)


def _float(words: Words, low: float, high: float) -> Fact:
    digits = words.rng.choice((1, 1, 2, 3))
    value = round(words.rng.uniform(low, high), digits)
    number: float | int = int(value) if value.is_integer() else value
    return Fact(number, _plain(value), NUMBER)


def _enum(words: Words, name: str) -> Fact:
    options = ENUMS[name]
    value, texts = words.rng.choice(options)
    schema = {"enum": [v for v, _ in options]} if words.rng.random() < 0.6 else STRING
    return Fact(value, words.rng.choice(texts), schema)


def _text(value: str, lower: bool = False) -> Fact:
    value = value.lower() if lower else value
    return Fact(value, value, STRING)


def _list(words: Words, scene: Scene, kind: str, low: int = 1, high: int = 4) -> Fact:
    items: list[Fact] = []
    for _ in range(words.rng.randint(low, high)):
        fact = draw(kind, words, scene)
        if fact.value not in [other.value for other in items]:
            items.append(fact)
    return Fact(
        [fact.value for fact in items],
        join([fact.text for fact in items], words),
        {"type": "array", "items": items[0].schema if items else STRING},
    )


def _pool(words: Words, pool: list[str]) -> Fact:
    """A lower-case word of an open list, sometimes an invented one."""
    word = words.listed(pool) if words.rng.random() < 0.8 else words.invented()
    return _text(word)


def _job(words: Words) -> Fact:
    rng = words.rng
    job = rng.choice(lists.JOBS)
    if rng.random() < 0.35:
        job = rng.choice(lists.JOB_MARKS) + " " + job
    elif rng.random() < 0.15:
        job = words.invented(capital=False) + " " + job
    return _text(job)


def _items(words: Words, scene: Scene) -> Fact:
    """Order lines: a list of objects with product, quantity and price."""
    rng = words.rng
    with_price = rng.random() < 0.55
    parts, values = [], []
    form = rng.randrange(4) if not words.held else 4
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        product = words.product()
        quantity = _integer(words, 1, 12, 0.12)
        price = _money(words, scene, rng.choice((10, 60, 400)))
        tail = f" at {price.text} each" if with_price else ""
        parts.append(
            (
                f"{quantity.text} {product}{tail}",
                f"{quantity.text} x {product}{tail}",
                f"{product} ({quantity.text} pcs{', ' + price.text if with_price else ''})",
                f"{quantity.text} of the {product}{' for ' + price.text if with_price else ''}",
                f"{quantity.value}x {product}{' @ ' + price.text if with_price else ''}",
            )[form]
        )
        line: dict[str, Json] = {"product": product, "quantity": quantity.value}
        if with_price:
            line["price"] = price.value
        values.append(line)
    properties: dict[str, Json] = {"product": STRING, "quantity": INTEGER}
    if with_price:
        properties["price"] = NUMBER
    schema = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    }
    return Fact(values, join(parts, words), schema)


def _address(words: Words, scene: Scene) -> Fact:
    """A nested postal address."""
    rng = words.rng
    street = f"{rng.randint(1, 300)} {words.street()}"
    city, postcode = words.city(), words.postcode()
    form = rng.randrange(4) if not words.held else 4
    value: dict[str, Json] = {"street": street, "city": city}
    with_code = rng.random() < 0.7
    if with_code:
        value["zip"] = postcode
    code = postcode if with_code else ""
    text = (
        f"{street}, {city} {code}",
        f"{street}, {code} {city}" if code else f"{street}, {city}",
        f"{street} in {city} {code}",
        f"{street}, {city}, {code}" if code else f"{street} in {city}",
        f"{street} in {code} {city}" if code else f"{street} - {city}",
    )[form].strip()
    schema = {
        "type": "object",
        "properties": dict.fromkeys(value, STRING),
        "required": list(value),
        "additionalProperties": False,
    }
    return Fact(value, text, schema)


def _currency(words: Words, scene: Scene) -> Fact:
    word = CURRENCY_WORDS.get(scene.currency, scene.currency)
    return Fact(scene.currency, scene.currency if words.rng.random() < 0.8 else word, STRING)


def _country(words: Words, scene: Scene) -> Fact:
    return _text(words.listed(lists.COUNTRIES) if words.rng.random() < 0.85 else words.invented())


KINDS: dict[str, Callable[[Words, Scene], Fact]] = {
    "person": lambda w, s: _text(f"{s.first} {s.last}", s.lower),
    "other_person": lambda w, s: _text(" ".join(w.person()), s.lower),
    "first": lambda w, s: _text(w.first_name(), s.lower),
    "city": lambda w, s: _text(w.city(), s.lower),
    "country": _country,
    "company": lambda w, s: _text(w.company()),
    "street": lambda w, s: _text(f"{w.rng.randint(1, 300)} {w.street()}"),
    "postcode": lambda w, s: _text(w.postcode()),
    "address": _address,
    "email": lambda w, s: Fact(
        address := w.email(s.first, s.last),
        address,
        {"type": "string", "format": "email"} if w.rng.random() < 0.4 else STRING,
    ),
    "phone": lambda w, s: _text(w.phone()),
    "job": lambda w, s: _job(w),
    "brand": lambda w, s: _text(w.invented()),
    "product": lambda w, s: _text(w.product()),
    "title": lambda w, s: _text(w.title()),
    "phrase": lambda w, s: _text(w.phrase(w.rng.randint(1, 3))),
    "sentence": lambda w, s: _text(w.rng.choice(lists.PROBLEMS) if w.rng.random() < 0.6 else "the " + w.phrase(3)),
    "code": lambda w, s: _text(w.code()),
    "letter_code": lambda w, s: _text(w.rng.choice("ABCDEFGHKLMNPQRSTVWXZ") + w.code()),
    "version": lambda w, s: _text(".".join(str(w.rng.randint(0, 20)) for _ in range(w.rng.choice((2, 3, 3))))),
    "word": lambda w, s: _text(w.invented()),
    "name_word": lambda w, s: _text(w.invented(capital=False)),
    "color": lambda w, s: _text(w.rng.choice(lists.COLORS) if w.rng.random() < 0.8 else w.invented(capital=False)),
    "colors": lambda w, s: _list(w, s, "color"),
    "language": lambda w, s: _pool(w, lists.LANGUAGES),
    "languages": lambda w, s: _list(w, s, "language"),
    "ingredient": lambda w, s: _text(w.rng.choice(lists.FOODS) if w.rng.random() < 0.8 else w.invented(capital=False)),
    "ingredients": lambda w, s: _list(w, s, "ingredient", 2, 5),
    "species": lambda w, s: _text(w.rng.choice(lists.SPECIES) if w.rng.random() < 0.8 else w.invented(capital=False)),
    "sky": lambda w, s: _text(w.rng.choice(lists.SKIES)),
    "website": lambda w, s: _text(
        w.rng.choice(("www.", "https://", ""))
        + w.invented(capital=False)
        + w.rng.choice((".com", ".org", ".net", ".io", ".de"))
    ),
    "distance": lambda w, s: _integer(w, 1000, 300_000, 0.0),
    "oven": lambda w, s: _text_int(w.rng.randrange(100, 260, 5)),
    "degrees": lambda w, s: _text_int(w.rng.randint(-30, 45)) if w.rng.random() < 0.7 else _float(w, -30, 45),
    "hobby": lambda w, s: _text(w.rng.choice(lists.HOBBIES) if w.rng.random() < 0.75 else w.phrase(1)),
    "hobbies": lambda w, s: _list(w, s, "hobby"),
    "people": lambda w, s: _list(w, s, "other_person"),
    "firsts": lambda w, s: _list(w, s, "first", 1, 5),
    "words": lambda w, s: _list(w, s, "name_word"),
    "cities": lambda w, s: _list(w, s, "city"),
    "products": lambda w, s: _list(w, s, "product"),
    "numbers": lambda w, s: _list(w, s, "small", 2, 5),
    "items": _items,
    "age": lambda w, s: _integer(w, 1, 99),
    "small": lambda w, s: _integer(w, 0, 40, 0.12),
    "centimetres": lambda w, s: _text_int(w.rng.randint(45, 215)),
    "salary": lambda w, s: _money(w, s, w.rng.choice((4000, 90000))),
    "count": lambda w, s: _integer(w, 2, w.rng.choice((12, 60, 500, 9000))),
    "year": lambda w, s: _text_int(w.rng.randint(1850, 2030)),
    "minutes": lambda w, s: _text_int(w.rng.choice((15, 20, 30, 40, 45, 60, 75, 90, 120, w.rng.randint(5, 240)))),
    "float": lambda w, s: _float(w, 0, w.rng.choice((1, 10, 100, 1000))),
    "rating": lambda w, s: _float(w, 1, 5),
    "money": lambda w, s: _money(w, s),
    "percent": lambda w, s: _percent(w),
    "currency": _currency,
    "date": lambda w, s: _date(w, s),
    "birth": lambda w, s: _date(w, s, past=True),
    "time": lambda w, s: _time(w),
}


def _text_int(value: int) -> Fact:
    return Fact(value, str(value), INTEGER)


def _percent(words: Words) -> Fact:
    value = words.rng.randint(1, 99)
    return Fact(value, f"{value}%", NUMBER)


def draw(kind: str, words: Words, scene: Scene) -> Fact:
    """A fact of `kind`; kinds of the form `enum:name` draw from a closed list. Raises KeyError on an unknown kind."""
    if kind.startswith("enum:"):
        return _enum(words, kind[5:])
    return KINDS[kind](words, scene)


def new_scene(words: Words) -> Scene:
    """The shared facts of a new record."""
    first, last = words.person()
    rng = words.rng
    currency = rng.choice(("USD", "USD", "EUR", "EUR", "GBP", "JPY", "CHF", "SEK", "INR", "CAD", "PLN"))
    return Scene(first, last, currency, lower=rng.random() < 0.03, style=rng.randrange(12))
