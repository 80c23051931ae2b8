"""Text-to-JSON tasks for training and measuring the embedded model.

Purpose: `TaskMaker(seed, held)` yields `Example`s: a prompt, the JSON Schema of the answer and the answer itself.
In: a seed and the half of the split; out: examples, the same ones for the same seed.
Kinds of prompt: (a) text only, answered with the fields that the text states under the family's own names; (b) text only with an
arbitrary schema, where the key names are not in the prompt and only a constraint can supply them (`keys_known` is False: the
trainer puts no loss on keys); (c) text and a list of wanted fields (renamed, reordered, some absent from the text).
Held-out examples use phrases and values that training never sees (see tasks_families.py and tasks_words.py).
Limits: English prose; answers of at most about 150 tokens.
Turned down: prompts that hold the whole JSON Schema as the only format (long, and a small model reads names better than syntax).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from structgen.tiny import tasks_words as lists
from structgen.tiny.tasks_calls import OPINION_CLAIMS, OPINION_FRAMES, OPINIONS, TOOL_NOTES, TOOLS, Tool
from structgen.tiny.tasks_families import (
    ASIDES,
    CHATTER,
    FIELD_NOTES,
    GENERIC,
    INSTRUCTION_PARTS,
    INSTRUCTIONS,
    NOTE_PARTS,
    QUESTIONS,
    Family,
    Field,
    phrases,
)
from structgen.tiny.tasks_phrases import expand, more, repeats_held_out, training_families, training_tools
from structgen.tiny.tasks_things import ALL_FAMILIES
from structgen.tiny.tasks_values import BOOLEAN, ENUMS, STRING, Fact, Json, Scene, draw, join, new_scene
from structgen.tiny.tasks_words import Words

__all__ = ["Example", "TaskMaker", "dump"]

ENUMS.setdefault("mode", [(name, [name]) for name in ("car", "train", "bus", "bike", "foot")])
ENUMS.setdefault(
    "room", [(name, [name]) for name in ("kitchen", "bedroom", "office", "bathroom", "living room", "garage")]
)

# Pairs of fields whose phrases would read the same.
EXCLUSIVE = (("city", "address"), ("city", "shipping_address"), ("color", "colors"), ("stock", "in_stock"),
             ("street", "address"), ("location", "venue"), ("price", "free"))  # fmt: skip
GROUPS = ("details", "info", "data", "contact", "profile", "meta", "entry", "record", "summary", "result")
TYPE_WORDS = {
    "string": ("string", "str", "text"),
    "integer": ("integer", "int", "whole number"),
    "number": ("number", "float", "decimal"),
    "boolean": ("boolean", "bool", "true/false"),
    "array": ("array", "list"),
    "object": ("object",),
}
GENERIC_KINDS = ("word", "phrase", "count", "small", "float", "letter_code", "money", "date", "color", "city", "other_person", "year", "percent", "name_word", "product", "words", "time", "country", "company")  # fmt: skip
# Draws of a training pattern that happen to equal a held-out one, in a row, before a pattern of the module is taken.
_ATTEMPTS = 20
ADJECTIVES = "max min total average main first last start end current previous new old local net gross home work primary target".split()


@dataclass(slots=True)
class Example:
    """A task. `answer` is the JSON value; `keys_known` says whether the prompt determines the key names."""

    prompt: str
    schema: dict[str, Json]
    answer: Json
    family: str
    keys_known: bool


@dataclass(slots=True)
class Wanted:
    """A field of the answer: key, fact, the name in prose."""

    key: str
    fact: Fact
    label: str


def dump(value: Json) -> str:
    """The spelling that the model learns: json.dumps defaults with real Unicode characters."""
    return json.dumps(value, ensure_ascii=False)


def closed(properties: dict[str, Json], required: Sequence[str]) -> dict[str, Json]:
    """A closed object schema."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def restyle(key: str, style: int) -> str:
    """A key in snake_case, camelCase, PascalCase, kebab-case or with spaces."""
    parts = key.split("_")
    if style == 1:
        return parts[0] + "".join(part.capitalize() for part in parts[1:])
    if style == 2:
        return "".join(part.capitalize() for part in parts)
    if style == 3:
        return "-".join(parts)
    if style == 4:
        return " ".join(parts)
    if style == 5:
        return " ".join(part.capitalize() for part in parts)
    return key


class TaskMaker:
    """An endless, reproducible stream of examples of one half of the split."""

    def __init__(self, seed: int, held: bool, pieces: Sequence[str] = ()) -> None:
        self.rng = random.Random(seed)
        self.held = held
        self.words = Words(self.rng, held)
        self.words.pieces = pieces
        self.families = ALL_FAMILIES if held else training_families()
        self.tools = TOOLS if held else training_tools()

    def __iter__(self) -> Iterator[Example]:
        while True:
            yield self.example()

    def example(self, only: str = "") -> Example:
        """One example; `only` fixes the family ("person", "call", "generic", "value", "several", "opinion", ...)."""
        roll = self.rng.random()
        if only in ("call", "generic", "value", "several", "opinion"):
            name = only
        elif only:
            return self._record(next(family for family in self.families if family.name == only))
        elif roll < 0.10:
            name = "call"
        elif roll < 0.18:
            name = "generic"
        elif roll < 0.23:
            name = "value"
        elif roll < 0.27:
            name = "several"
        elif roll < 0.29:
            name = "opinion"
        else:
            family = self.families[0] if self.rng.random() < 0.14 else self.rng.choice(self.families)
            return self._record(family)
        made: Example = getattr(self, f"_{name}")()
        return made

    # -- records ---------------------------------------------------------------------------------------------------

    def _pick(self, options: tuple[str, ...], name: str = "") -> str:
        """One of the patterns of this half; `name` is that of the list of further training patterns."""
        pool = phrases(options, self.held)
        if self.held:
            return self.rng.choice(pool)
        if name:
            pool = pool + more(name)
        for _ in range(_ATTEMPTS):
            text = expand(self.rng.choice(pool), self.rng)
            if not repeats_held_out(text, options):
                return text
        return phrases(options, False)[0]

    def _told(self, name: str) -> str:
        """An instruction; training makes half of them from parts."""
        if self.held or self.rng.random() < 0.5:
            text = self._pick(INSTRUCTIONS, "instructions")
        else:
            text = "".join(self.rng.choice(options) for options in INSTRUCTION_PARTS)
        text = text.replace("{family}", name if name not in ("generic", "several") else "data")
        return text.lower() if self.rng.random() < 0.1 else text

    def _note(self, fields: str) -> str:
        """The sentence that lists the wanted fields; training makes half of them from parts."""
        if self.held or self.rng.random() < 0.5:
            text = self._pick(FIELD_NOTES, "field_notes")
        else:
            text = "".join(self.rng.choice(options) for options in NOTE_PARTS)
            text = text[0].upper() + text[1:] if self.rng.random() < 0.8 else text
        return text.replace("{fields}", fields)

    def _blur(self, text: str) -> str:
        """Training only: now and then another word in a phrase, so that the model also goes by the kind of value."""
        if self.held or self.rng.random() > 0.2:
            return text
        parts = text.split(" ")
        spots = [number for number, part in enumerate(parts) if "{" not in part and part.isalpha()]
        if len(spots) < 2:
            return text
        pool = self.rng.choice((lists.HOBBIES, lists.FILLER, lists.TOPICS, lists.NOUNS))
        parts[self.rng.choice(spots)] = (
            self.words.invented(1, capital=False) if self.rng.random() < 0.4 else self.rng.choice(pool)
        )
        return " ".join(parts)

    def _noise(self, text: str) -> str:
        """Typing errors in the fixed part of a phrase (values stay intact)."""
        out = []
        for part in text.split(" "):
            if "{" not in part and len(part) > 3 and self.rng.random() < 0.15:
                spot = self.rng.randrange(1, len(part) - 1)
                if self.rng.random() < 0.5:
                    part = part[:spot] + part[spot + 1] + part[spot] + part[spot + 2 :]
                else:
                    part = part[:spot] + part[spot + 1 :]
            out.append(part)
        return " ".join(out)

    def _draw(self, field: Field, scene: Scene) -> Fact:
        if field.kind == "bool":
            return Fact(self.rng.random() < 0.5, "", BOOLEAN)
        return draw(field.kind, self.words, scene)

    def _facts(self, family: Family, scene: Scene) -> tuple[str, dict[str, Fact]]:
        """An opener (or '') and the facts of the fields to be stated, in family order."""
        rng = self.rng
        names = {field.key: field for field in family.fields}
        opener = self._pick(family.openers) if rng.random() < 0.55 else ""
        chosen = [key for key in names if "{" + key + "}" in opener]
        n_more = rng.choice((0, 0, 1, 1, 2, 3)) if opener else rng.choice((1, 2, 2, 3, 3, 4, 5))
        if not opener and (rng.random() < 0.9):
            chosen.append(family.fields[0].key)
        pool = [key for key in names if key not in chosen]
        rng.shuffle(pool)
        for key in pool:
            if n_more == 0:
                break
            if any((key in pair) and any(other in pair for other in chosen) for pair in EXCLUSIVE):
                continue
            chosen.append(key)
            n_more -= 1
        return opener, {key: self._draw(names[key], scene) for key in names if key in chosen}

    def _predicate(self, field: Field, fact: Fact) -> str:
        if field.kind == "bool":
            return self._pick(field.preds if fact.value else field.negatives)
        return self._blur(self._pick(field.preds)).replace("{v}", fact.text)

    def _prose(self, family: Family, opener: str, facts: dict[str, Fact], noisy: bool) -> str:
        rng = self.rng
        fields = {field.key: field for field in family.fields}
        sentences: list[str] = []
        stated: set[str] = set()
        main = family.fields[0].key
        if opener:
            text = self._noise(opener) if noisy else self._blur(opener)
            for key, fact in facts.items():
                if "{" + key + "}" in text:
                    text = text.replace("{" + key + "}", fact.text)
                    stated.add(key)
            sentences.append(text)
            subject = rng.choice(family.pronouns)
            if main in facts and main not in stated:
                subject = self._pick(family.subjects).replace("{main}", facts[main].text)
        elif main in facts:
            subject = self._pick(family.subjects).replace("{main}", facts[main].text)
        else:
            subject = family.nameless
        rest = [key for key in facts if key not in stated and key != main]
        rng.shuffle(rest)
        if main in facts and main not in stated and not rest:
            sentences.append(f"{family.nameless} {self._predicate(fields[main], facts[main])}.")
        while rest:
            count = rng.choice((1, 1, 2, 2, 3))
            parts = [self._predicate(fields[key], facts[key]) for key in rest[:count]]
            if noisy:
                parts = [
                    part if facts[key].text else self._noise(part)
                    for key, part in zip(rest[:count], parts, strict=True)
                ]
            rest = rest[count:]
            sentences.append(f"{subject} {join(parts, self.words)}.")
            subject = rng.choice(family.pronouns)
        return " ".join(sentences)

    def _labelled(self, family: Family, facts: dict[str, Fact]) -> str:
        """`Name: Ada` lines or `name=Ada; age=36`."""
        rng = self.rng
        colon = (
            rng.choice((" - ", " -> ", ": "))
            if self.held
            else rng.choice((": ", ": ", ": ", ":", " = ", "=", "\t", " : ", " is ", " ", "; "))
        )
        gap = rng.choice(("\n", "\n", ", ", "; ", " | ", ". "))
        style = rng.choice((0, 4, 5, 5))
        rows = []
        for field in family.fields:
            if field.key in facts:
                fact = facts[field.key]
                name = field.key if rng.random() < 0.6 else rng.choice(field.aliases)
                value = fact.text or rng.choice(("yes", "true") if fact.value else ("no", "false"))
                rows.append(restyle(name, style) + colon + value)
        return gap.join(rows)

    def _fragments(self, family: Family, facts: dict[str, Fact]) -> str:
        """`Ada Lovelace, 36 years old, London`."""
        rng = self.rng
        parts = []
        for number, field in enumerate(family.fields):
            if field.key not in facts:
                continue
            fact = facts[field.key]
            if number == 0:
                parts.append(fact.text)
            elif field.frags and (field.kind != "bool" or fact.value):
                parts.append(self._pick(field.frags).replace("{v}", fact.text))
            else:
                parts.append(self._predicate(field, fact))
        if rng.random() < 0.2:
            head, tail = parts[:1], parts[1:]
            rng.shuffle(tail)
            parts = head + tail
        return rng.choice((", ", ", ", "; ", " - ", " / ")).join(parts)

    def _record(self, family: Family) -> Example:
        rng = self.rng
        scene = new_scene(self.words)
        opener, facts = self._facts(family, scene)
        roll = rng.random()
        if roll < 0.74:
            text = self._prose(family, opener, facts, noisy=rng.random() < 0.12)
        elif roll < 0.87:
            text = self._labelled(family, facts)
        else:
            text = self._fragments(family, facts)
        if rng.random() < 0.12:
            chatter = self._pick(CHATTER, "chatter")
            text = chatter + " " + text if rng.random() < 0.5 else text + " " + chatter
        if rng.random() < 0.05:
            text = text.rstrip(".")
        if rng.random() < 0.1:
            text = self._with_aside(text)
        available = self._available(family, facts, scene)
        return self._ask(family.name, text, available, family, scene)

    def _with_aside(self, text: str) -> str:
        """`text` with a sentence about something else before or after it."""
        rng, words = self.rng, self.words
        aside = (
            self._pick(ASIDES, "asides").replace("{city}", words.city()).replace("{person}", " ".join(words.person()))
        )
        aside = aside.replace("{n}", str(rng.randint(2, 60))).replace(
            "{time}", f"{rng.randint(6, 22)}:{rng.choice(('00', '15', '30'))}"
        )
        return f"{aside} {text}" if rng.random() < 0.4 else f"{text} {aside}"

    def _available(self, family: Family, facts: dict[str, Fact], scene: Scene) -> dict[str, tuple[Field, Fact]]:
        """Stated fields and those that follow from them (parts of a name, the currency of a price)."""
        found = {field.key: (field, facts[field.key]) for field in family.fields if field.key in facts}
        if any(field.kind in ("money", "salary") for field, _ in found.values()) and "currency" not in found:
            currency = Field("currency", "currency", ("currency_code",), ())
            found["currency"] = (currency, Fact(scene.currency, scene.currency, STRING))
        if "name" in found and found["name"][0].kind == "person" and self.rng.random() < 0.5:
            first, last = (scene.first.lower(), scene.last.lower()) if scene.lower else (scene.first, scene.last)
            found["first_name"] = (
                Field("first_name", "first", ("given_name", "firstname", "forename"), ()),
                Fact(first, first, STRING),
            )
            found["last_name"] = (
                Field("last_name", "last", ("surname", "lastname", "family_name"), ()),
                Fact(last, last, STRING),
            )
        return found

    def _ask(
        self, name: str, text: str, available: dict[str, tuple[Field, Fact]], family: Family | None, scene: Scene
    ) -> Example:
        """Choose the wanted fields and the form of the prompt."""
        rng = self.rng
        derived = ("first_name", "last_name") + (
            () if family and any(f.key == "currency" for f in family.fields) else ("currency",)
        )
        mode = rng.random()
        if mode < 0.25:
            wanted = [
                Wanted(key, fact, key)
                for key, (_, fact) in available.items()
                if key not in derived and (key != "currency" or fact.text in text)
            ]
            return self._finish(name, text, wanted, listed=False, known=True)
        keys = list(available)
        rng.shuffle(keys)
        keys = keys[: rng.choice((1, 2, 2, 3, 3, 4, 5, 6))]
        style = rng.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5))
        listed = mode > 0.45
        wanted = []
        taken: set[str] = set()
        for key in keys:
            field, fact = available[key]
            title = key if rng.random() < 0.6 else rng.choice(field.aliases)
            if rng.random() < 0.02 and type(fact.value) is int:
                fact = Fact(str(fact.value), fact.text, STRING)
            if title not in taken and not taken.intersection({key}):
                taken.add(title)
                wanted.append(Wanted(restyle(title, style), fact, title.replace("_", " ")))
        if family and rng.random() < (0.22 if listed else 0.1):
            absent = [field for field in family.fields if field.key not in available and field.key not in taken]
            if absent:
                field = rng.choice(absent)
                fact = self._missing(field, scene)
                if field.key not in taken:
                    wanted.append(Wanted(restyle(field.key, style), fact, field.key.replace("_", " ")))
        if rng.random() < 0.5:
            order = {key: number for number, key in enumerate(available)}
            wanted.sort(key=lambda w: order.get(w.key, 99))
        else:
            rng.shuffle(wanted)
        if listed and len(wanted) > 2 and rng.random() < 0.12:
            count = rng.randint(2, len(wanted))
            inner = wanted[:count]
            properties = {w.key: w.fact.schema for w in inner}
            group = Fact({w.key: w.fact.value for w in inner}, "", closed(properties, list(properties)))
            title = restyle(rng.choice(GROUPS), style)
            if title not in {w.key for w in wanted}:
                wanted = [Wanted(title, group, title), *wanted[count:]]
        return self._finish(name, text, wanted, listed, known=listed)

    def _missing(self, field: Field, scene: Scene) -> Fact:
        """What the answer holds for a field that the text does not state."""
        if field.kind == "bool":
            return Fact(False, "", BOOLEAN)
        schema = self._draw(field, scene).schema
        if schema.get("type") == "array":
            return Fact([], "", schema)
        return Fact(None, "", {"anyOf": [schema, {"type": "null"}]})

    def _finish(self, name: str, text: str, wanted: list[Wanted], listed: bool, known: bool) -> Example:
        rng = self.rng
        properties = {w.key: w.fact.schema for w in wanted}
        schema = closed(properties, list(properties))
        answer = {w.key: w.fact.value for w in wanted}
        parts: list[str] = []
        told = ""
        if rng.random() < (0.4 if listed else 0.3):
            told = self._told(name)
        if listed:
            note = self._note(self._field_list(schema))
            head = rng.random()
            if head < 0.5:
                parts = [told, text, note] if rng.random() < 0.5 else [text, told, note]
            else:
                quoted = rng.choice((text, "Text: " + text, "Text: " + text, "Input: " + text, '"' + text + '"'))
                parts = [told, note, quoted]
        else:
            parts = [told, text] if rng.random() < 0.6 else [text, told]
        gap = rng.choice((" ", "\n", "\n", "\n\n"))
        prompt = gap.join(part for part in parts if part)
        return Example(prompt, schema, answer, name, known)

    def _type_name(self, schema: dict[str, Json]) -> str:
        if "enum" in schema:
            return "|".join(str(option) for option in schema["enum"])
        if "anyOf" in schema:
            return self._type_name(schema["anyOf"][0]) + self.rng.choice((" or null", "?", ", optional"))
        return self.rng.choice(TYPE_WORDS[schema["type"]])

    def _field_list(self, schema: dict[str, Json]) -> str:
        """The wanted fields in one of ten notations; nested objects in braces."""
        rng = self.rng
        if rng.random() < 0.03:
            return dump(schema)
        form = rng.choice((0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8))
        return self._notation(schema, form)

    def _notation(self, schema: dict[str, Json], form: int) -> str:
        rows: list[str] = []
        for key, sub in schema["properties"].items():
            inner = sub
            while inner.get("type") == "array":
                inner = inner["items"]
            nested = inner.get("type") == "object"
            if nested:
                body = self._notation(inner, 0 if form in (1, 6, 7, 8) else form)
                if form not in (4, 5):
                    body = "{" + body + "}"
                body = f"[{body}]" if sub.get("type") == "array" else body
                rows.append(
                    f'"{key}": {body}' if form in (4, 5, 6) else f"{key}: {body}" if form == 3 else f"{key} {body}"
                )
            elif form == 2:
                rows.append(f"{key} ({self._type_name(sub)})")
            elif form == 3:
                rows.append(f"{key}: {self._type_name(sub)}")
            elif form == 4:
                rows.append(f'"{key}": {self._type_name(sub)}')
            elif form == 5:
                rows.append(f'"{key}": "{self._type_name(sub)}"')
            elif form == 6:
                rows.append(f'"{key}"')
            elif form == 7:
                rows.append(f"`{key}`")
            else:
                rows.append(key)
        if form == 1:
            return rows[0] if len(rows) == 1 else ", ".join(rows[:-1]) + " and " + rows[-1]
        if form == 8:
            return "\n" + "\n".join("- " + row for row in rows)
        text = ", ".join(rows)
        if form in (4, 5):
            return "{" + text + "}"
        return f"[{text}]" if form == 6 else text

    # -- other tasks -----------------------------------------------------------------------------------------------

    def _noun(self) -> tuple[str, ...]:
        rng = self.rng
        for _ in range(60):
            noun = rng.choice(lists.NOUNS) if rng.random() < 0.7 else self.words.invented(capital=False)
            if lists.is_held_word(noun) == self.held and noun.isalpha():
                return (rng.choice(ADJECTIVES), noun) if rng.random() < 0.3 else (noun,)
        return ("thing",)

    def _generic(self) -> Example:
        """Facts about invented attributes: the key names occur in the text."""
        rng = self.rng
        scene = new_scene(self.words)
        available: dict[str, tuple[Field, Fact]] = {}
        sentences = []
        noun_of: dict[str, str] = {}
        for _ in range(rng.choice((1, 2, 3, 3, 4, 5))):
            noun = self._noun()
            key = "_".join(noun)
            if key in available:
                continue
            kind = rng.choice(GENERIC_KINDS)
            fact = draw(kind, self.words, scene)
            available[key] = (Field(key, kind, (key,), ()), fact)
            noun_of[key] = " ".join(noun)
        form = rng.random()
        if form < 0.6:
            for key, (_, fact) in available.items():
                sentences.append(
                    self._pick(GENERIC, "generic").replace("{noun}", noun_of[key]).replace("{v}", fact.text)
                )
            text = rng.choice((". ", ", ", "; ", "\n", ". ")).join(sentences)
            text = text + "." if rng.random() < 0.6 else text
        else:
            colon = rng.choice((": ", " = ", "=", " is ", " "))
            text = rng.choice((", ", "\n", "; ", " and ")).join(
                noun_of[key] + colon + fact.text for key, (_, fact) in available.items()
            )
        if rng.random() < 0.3:
            text = f"{self.words.invented()}: " + text
        return self._ask("generic", text, available, None, scene)

    def _value(self) -> Example:
        """A single value as the whole answer."""
        rng = self.rng
        family = rng.choice(self.families)
        scene = new_scene(self.words)
        opener, facts = self._facts(family, scene)
        text = self._prose(family, opener, facts, noisy=False) if rng.random() < 0.8 else self._labelled(family, facts)
        key = rng.choice(list(facts))
        label = (
            key.replace("_", " ")
            if rng.random() < 0.7
            else rng.choice(next(f for f in family.fields if f.key == key).aliases).replace("_", " ")
        )
        question = self._pick(QUESTIONS, "questions").replace("{label}", label)
        question = question[0].upper() + question[1:]
        prompt = rng.choice((" ", "\n")).join((text, question) if rng.random() < 0.6 else (question, text))
        return Example(prompt, facts[key].schema, facts[key].value, "value", True)

    def _several(self) -> Example:
        """A list of small records of one family."""
        rng = self.rng
        family = rng.choice(
            [
                family
                for family in self.families
                if family.name in ("person", "person", "product", "book", "trip", "film", "car", "pet", "song")
            ]
        )
        good = [
            field
            for field in family.fields[1:]
            if field.frags
            and field.kind
            not in ("bool", "items", "address", "languages", "hobbies", "colors", "words", "people", "ingredients")
        ]
        chosen = [family.fields[0], *rng.sample(good, rng.choice((1, 1, 2, 3)))]
        chosen.sort(key=family.fields.index)
        frags = {field.key: self._pick(field.frags) if field.frags else "{v}" for field in chosen}
        form = rng.randrange(4) if not self.held else rng.choice((1, 4))
        rows, texts = [], []
        for _ in range(rng.choice((2, 2, 3, 4))):
            scene = new_scene(self.words)
            facts = {field.key: self._draw(field, scene) for field in chosen}
            rows.append(facts)
            head = facts[chosen[0].key].text
            tail = [frags[field.key].replace("{v}", facts[field.key].text) for field in chosen[1:]]
            texts.append(
                (
                    f"{head} ({', '.join(tail)})",
                    ", ".join([head, *tail]),
                    f"{head}: {', '.join(tail)}",
                    head + " " + " and ".join(self._predicate(field, facts[field.key]) for field in chosen[1:]),
                    f"{head} - {', '.join(tail)}",
                )[form]
            )
        gap = rng.choice(("; ", "\n", ". ", "\n- ")) if form in (1, 2, 3) else rng.choice((", ", "\n", "; ", " and "))
        text = gap.join(texts)
        renamed = {field.key: field.key if rng.random() < 0.7 else rng.choice(field.aliases) for field in chosen}
        listed = rng.random() < 0.6
        if len(set(renamed.values())) < len(renamed) or not listed:
            renamed = {field.key: field.key for field in chosen}
        properties = {renamed[key]: fact.schema for key, fact in rows[0].items()}
        line = closed(properties, list(properties))
        array: dict[str, Json] = {"type": "array", "items": line}
        value = [{renamed[key]: fact.value for key, fact in facts.items()} for facts in rows]
        plural = {"person": "people"}.get(family.name, family.name + "s")
        plural = plural if rng.random() < 0.7 else rng.choice(("items", "results", "entries", "records", "list"))
        schema = closed({plural: array}, [plural])
        fact_list = [Wanted(plural, Fact(value, "", array), plural)]
        if rng.random() < 0.25:
            note = self._notation(line, rng.choice((0, 2, 4)))
            prompt = rng.choice(
                (f"List of {note}:\n{text}", f"{text}\nArray of objects: {note}", f"{text}\nList with {note}")
            )
            return Example(prompt, array, value, "several", True)
        made = self._finish("several", text, fact_list, listed, known=listed or plural.endswith(family.name + "s"))
        made.schema = schema
        return made

    def _call(self) -> Example:
        """A function call; the prompt may list the functions."""
        rng = self.rng
        tool = rng.choice(self.tools)
        others = rng.sample([other for other in self.tools if other is not tool], rng.randint(0, 3))
        tools = [tool, *others]
        rng.shuffle(tools)
        listed = rng.random() < 0.55
        names = {t.name: t.name if not listed or rng.random() < 0.6 else rng.choice(t.aliases) for t in tools}
        request = self._pick(tool.requests)
        scene = new_scene(self.words)
        arguments: dict[str, Json] = {}
        schemas: dict[str, dict[str, Json]] = {}
        for t in tools:
            properties: dict[str, Json] = {}
            used: list[str] = []
            for key, kind in t.arguments:
                if kind.startswith("bool:"):
                    _, yes, no = kind.split(":")
                    truth = rng.random() < 0.5
                    fact = Fact(truth, yes if truth else no, BOOLEAN)
                else:
                    fact = draw(kind, self.words, new_scene(self.words) if kind == "currency" else scene)
                properties[key] = fact.schema
                if t is tool and "{" + key + "}" in request:
                    request = request.replace("{" + key + "}", fact.text)
                    arguments[key] = fact.value
                    used.append(key)
            schemas[t.name] = closed(properties, used if t is tool else list(properties)[:1])
        outer = (
            rng.choice(
                (
                    ("name", "arguments"),
                    ("name", "arguments"),
                    ("function", "arguments"),
                    ("tool", "args"),
                    ("name", "parameters"),
                )
            )
            if listed
            else ("name", "arguments")
        )
        branches = [closed({outer[0]: {"const": names[t.name]}, outer[1]: schemas[t.name]}, list(outer)) for t in tools]
        schema = branches[0] if len(branches) == 1 else {"anyOf": branches}
        answer = {outer[0]: names[tool.name], outer[1]: arguments}
        if rng.random() < 0.15:
            request = request[0].lower() + request[1:].rstrip(".?")
        if not listed:
            return Example(request, schema, answer, "call", True)
        note = self._pick(TOOL_NOTES, "tool_notes").replace("{tools}", self._signatures(tools, names))
        if outer != ("name", "arguments"):
            note += f"\nAnswer with {outer[0]} and {outer[1]}."
        parts = (
            (note, rng.choice(("User: ", "", "", "Request: ")) + request) if rng.random() < 0.75 else (request, note)
        )
        return Example("\n".join(parts), schema, answer, "call", True)

    def _signatures(self, tools: list[Tool], names: dict[str, str]) -> str:
        form = self.rng.randrange(3)
        texts = []
        for tool in tools:
            keys = [key for key, _ in tool.arguments]
            if form == 2:
                texts.append(names[tool.name])
            else:
                texts.append(f"{names[tool.name]}({', '.join(keys)})")
        return self.rng.choice((", ", "; ", "\n")).join(texts)

    def _opinion(self) -> Example:
        """Classification of an opinion, as a bare value or as one field."""
        rng = self.rng
        label = rng.choice(list(OPINIONS))
        options = OPINIONS[label].split()
        if not self.held:
            options += more(f"opinion_words.{label}")
        texts = []
        thing = rng.choice(lists.PRODUCT_NOUNS) if rng.random() < 0.6 else self.words.product()
        frame = self._pick(OPINION_FRAMES, "opinion_frames")
        word = rng.choice(options)
        text = frame.replace("{thing}", thing).replace(
            "{word}", word if not frame.startswith("{word}") else word.capitalize()
        )
        if rng.random() < 0.4:
            text = self._pick(OPINION_CLAIMS[label], f"opinion_claims.{label}").replace("{thing}", thing)
        texts.append(text)
        if rng.random() < 0.3:
            texts.append(rng.choice(("I use it every day.", "It came last week.", "My brother has one too.")))
        text = " ".join(texts)
        classes = list(OPINIONS)
        rng.shuffle(classes)
        schema: dict[str, Any] = {"enum": classes}
        ask = rng.choice(("Classify the sentiment", "Sentiment", "What is the sentiment", "How does the writer feel"))
        tail = rng.choice((f": {', '.join(classes)}", "?", ".", ""))
        if not self.held and rng.random() < 0.7:
            ask, tail = expand(rng.choice(more("opinion_asks")), rng), rng.choice((f" {', '.join(classes)}", ""))
        prompt = "\n".join((text, ask + tail) if rng.random() < 0.5 else (ask + tail, text))
        if rng.random() < 0.5:
            return Example(prompt, schema, label, "opinion", True)
        answer: dict[str, Json] = {"sentiment": label}
        properties: dict[str, Json] = {"sentiment": schema}
        if rng.random() < 0.5:
            answer = {"product": thing, **answer}
            properties = {"product": STRING, **properties}
            if rng.random() < 0.5:
                answer, properties = dict(reversed(answer.items())), dict(reversed(properties.items()))
        note = f"Fields: {', '.join(properties)}" if rng.random() < 0.7 else ""
        prompt = f"{text}\n{note}" if note else text
        return Example(prompt, closed(properties, list(properties)), answer, "opinion", bool(note))
