"""Structural tags: triggers in free text that switch a constraint on, and its end off again.

    tag("<call>", json_schema(Call), "</call>")
    structural_tags([...])      free text, tag, free text, tag, ..., free text

Free text never holds a trigger but where a tag begins: what the trigger announces must come. A trigger is a text, or a special token; a
`marker` is a special token where the vocabulary has one of this name, and else the text.

The value is the list of what came: a `str` for each piece of free text that is not empty, a `TagValue` for each tag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from structgen.errors import SchemaError
from structgen.syntax.constraints import (
    Both,
    Constraint,
    FreeText,
    InSequence,
    Late,
    Named,
    OneOf,
    Repeated,
    SpecialToken,
    Text,
    constraint,
    shadowing,
)
from structgen.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class TagValue:
    """A tag that came. begin: how it began; value: of its body."""

    begin: str
    value: Any


@dataclass(frozen=True, slots=True)
class Tag:
    """One kind of tag. begin: how it begins; trigger: the part of `begin` from which on the tag must come (None: all of it, or the special
    token that it begins with); end: how it ends, "" where the body says it."""

    begin: tuple[Constraint, ...]
    body: Constraint
    end: Constraint
    trigger: str | None = None


def marker(name: str) -> Constraint:
    """The special token of this name where the vocabulary has it, else the text."""

    def make(vocabulary: Vocabulary) -> Constraint:
        return SpecialToken(name) if name in vocabulary.special_tokens else Text(name)

    return Late(make)


def tag(begin: str | Constraint, body: Any, end: str | Constraint = "", *, trigger: str | None = None) -> Tag:
    """A tag that begins with a text, a special token, a `marker`, or one of these and a text (`marker("<x>") + " "`).

    trigger: where `begin` is a text, its beginning from which on the tag must come; tags may share one. Raises SchemaError.
    """
    whole = constraint(begin)
    parts = whole.parts if isinstance(whole, InSequence) else (whole,)
    if not all(isinstance(part, Text | SpecialToken | Late) for part in parts) or (
        isinstance(whole, Text) and not whole.text
    ):
        raise SchemaError("a tag begins with a text, a special token or a marker")
    if trigger is not None and not (isinstance(whole, Text) and trigger and whole.text.startswith(trigger)):
        raise SchemaError(f"the trigger {trigger!r} is no beginning of the tag's text")
    return Tag(parts, constraint(body), constraint(end), trigger)


def structural_tags(
    tags: Sequence[Tag], *, least: int = 0, most: int | None = None, text: bool = True, between: str = ""
) -> Constraint:
    """Free text with tags in it: at least `least`, at most `most`.

    text: whether there is free text at all; without it the tags follow each other, with the text `between` between them.
    Raises SchemaError for no tags, bounds that are no counts, and triggers that hide each other.
    """
    if not tags or not all(isinstance(one, Tag) for one in tags):
        raise SchemaError("structural_tags takes a list of at least one tag")
    whole = Late(lambda vocabulary: _tagged([_known(one, vocabulary) for one in tags], least, most, text, between))
    Repeated.check(least, most)
    return whole


def _known(one: Tag, vocabulary: Vocabulary) -> Tag:
    begin = [part.make(vocabulary) if isinstance(part, Late) else part for part in one.begin]
    joined: list[Constraint] = []
    for part in begin:
        if isinstance(part, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(joined[-1].text + part.text)
        else:
            joined.append(part)
    return replace(one, begin=tuple(joined))


def _tagged(tags: Sequence[Tag], least: int, most: int | None, text: bool, between: str) -> Constraint:
    triggers = tuple(
        dict.fromkeys(trigger for trigger, is_text in map(_trigger, tags) if is_text and isinstance(trigger, str))
    )
    shadowing(triggers)
    if not text:
        alone = OneOf(tuple(_with_end(one, InSequence(one.begin)) for one in tags))
        return Named("", Repeated(alone, least, most, Text(between) if between else None), _flat)
    kinds = []
    by_trigger: dict[tuple[str | int, bool], list[Tag]] = {}
    for one in tags:
        by_trigger.setdefault(_trigger(one), []).append(one)
    for (trigger, is_text), own in by_trigger.items():
        if is_text and isinstance(trigger, str):
            before: Constraint = Named("text", FreeText(triggers, trigger, 0, False))
            rests = [_with_end(one, InSequence((Text(_text(one)[len(trigger) :]), *one.begin[1:]))) for one in own]
        else:
            before = InSequence((Named("text", FreeText(triggers, None, 0, False)), SpecialToken(trigger)))
            rests = [_with_end(one, InSequence(one.begin[1:])) for one in own]
        kinds.append(InSequence((before, Named("tag", OneOf(tuple(rests))))))
    rest = Named("rest", FreeText(triggers, None, 0, False))
    pieces = Named("pieces", Repeated(OneOf(tuple(kinds)), least, most, None))
    return Named("", InSequence((pieces, rest)), _pieces)


def _text(one: Tag) -> str:
    return one.begin[0].text if isinstance(one.begin[0], Text) else ""


def _trigger(one: Tag) -> tuple[str | int, bool]:
    """The trigger, and whether it is a text."""
    first = one.begin[0]
    if isinstance(first, SpecialToken):
        return first.token, False
    return one.trigger if one.trigger is not None else _text(one), True


def _with_end(one: Tag, begin: Constraint) -> Constraint:
    name = "".join(part.text if isinstance(part, Text) else str(part.token) for part in one.begin)  # type: ignore[attr-defined]
    # the end is plain text, a special token, or a marker
    return Named("", InSequence((begin, Named("body", one.body), Named("", one.end, lambda _: None))), _tag_value(name))


def _tag_value(name: str) -> Callable[[Any], TagValue]:
    return lambda parts: TagValue(name, parts["body"])


def _flat(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list) else []


def _pieces(parts: dict[str, Any]) -> list[str | TagValue]:
    out: list[str | TagValue] = []
    for piece in parts["pieces"]:
        out += [piece["text"], piece["tag"]] if piece["text"] else [piece["tag"]]
    return [*out, parts["rest"]] if parts["rest"] else out


def resolved(one: Constraint, vocabulary: Vocabulary) -> Constraint:
    """The constraint with all that depends on the vocabulary made; the same object where nothing does."""
    if isinstance(one, Late):
        return resolved(one.make(vocabulary), vocabulary)
    if isinstance(one, Named):
        body = resolved(one.body, vocabulary)
        return one if body is one.body else Named(one.name, body, one.convert)
    if isinstance(one, InSequence | OneOf):
        old = one.parts if isinstance(one, InSequence) else one.options
        parts = tuple(resolved(part, vocabulary) for part in old)
        return one if all(a is b for a, b in zip(parts, old, strict=True)) else type(one)(parts)
    if isinstance(one, Both):
        left, right = resolved(one.left, vocabulary), resolved(one.right, vocabulary)
        return one if left is one.left and right is one.right else Both(left, right)
    if isinstance(one, Repeated):
        body = resolved(one.body, vocabulary)
        gap = None if one.separator is None else resolved(one.separator, vocabulary)
        return (
            one
            if body is one.body and gap is one.separator
            else Repeated(body, one.least, one.most, gap, is_list=one.is_list)
        )
    return one
