"""A value that is not finished yet: its finished parts, as plain JSON and as a typed object.

In: the events of `ValueEvents`. Out: `PartialValue`. An event costs a constant time, amortised; the typed object is made when it is
asked for, and what is finished is read by pydantic once.

Limits: only finished parts are there; a string that is being written is not. Turned down: `model_construct` for the typed object (it
fills in defaults, which could not be told from what was generated, and calls the model's own `model_post_init`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from structgen.generation.events import Complete, Event, EventsError
from structgen.generation.parts import Part, Place
from structgen.generation.shapes import Branch, Container, Shape, Typed


class _Open:
    """A container that is still open and of which a part is finished."""

    __slots__ = ("parts", "place", "plain")

    def __init__(self, place: Place, is_object: bool) -> None:
        self.place = place
        self.plain: Any = {} if is_object else []
        self.parts: dict[str | int, Part] = {}  # finished members or items, in the order of the text


class PartialValue:
    """The finished parts of one value. typed: as for `ValueEvents`."""

    def __init__(self, typed: Typed | Shape | None = None) -> None:
        self._shape = typed if typed is None or isinstance(typed, Shape) else Shape.of(typed)
        self._open: list[_Open] = []  # from the whole value to the innermost container that has a finished part
        self._whole: Part | None = None
        self._value: Any = None

    @property
    def value(self) -> Any:
        """The finished parts as plain JSON; None if there are none. An open container is there as soon as a part of it is.

        The same object grows with every event: copy what is to be kept.
        """
        return self._value

    @property
    def is_complete(self) -> bool:
        """True once the whole value is finished."""
        return self._whole is not None

    def add(self, event: Event) -> None:
        """Take in an event; they must come in order, none left out. Text deltas and started fields change nothing.

        Raises EventsError for an event that cannot come next, and LimitExceeded for integers too long for Python.
        """
        if isinstance(event, Complete):
            self._put(event.part)

    def extend(self, events: Iterable[Event]) -> None:
        """Take in what `feed` or `finish` gave."""
        for event in events:
            self.add(event)

    def model(self) -> Any:
        """The finished parts as a typed object; as `event.value` of the whole once that is finished.

        Pydantic models have the attributes of their finished fields only (the others raise AttributeError), also in
        `model_fields_set`; no validator of the model has seen them. Other open objects are dicts of their finished members, open arrays
        lists, tuples or sets of their finished items; so are open values of a union whose branch is not known. Without any
        finished part: an empty model where the type is one, None for all else.

        Raises what the validators of the finished parts raise (pydantic.ValidationError).
        """
        if self._whole is not None:
            return self._whole.value
        if not self._open:
            container = None if self._shape is None else self._shape.container("{")
            return _typed(container, {}, True) if _model(container) is not None else None
        inner: Any = None
        for i in range(len(self._open) - 1, -1, -1):
            values = {key: part.value for key, part in self._open[i].parts.items()}
            if i + 1 < len(self._open):
                values[self._open[i + 1].place.key] = inner
            inner = _typed(_container(self._open[i]), values, isinstance(self._open[i].plain, dict))
        return inner

    def _put(self, part: Part) -> None:
        place, stack = part.place, self._open
        if self._whole is not None:
            if self._whole is part:  # the event Done repeats nothing
                return
            raise EventsError("the value was finished: make another PartialValue for another one")
        # A container that nothing has opened is empty, so reading its text costs as little as reading a leaf's.
        plain = stack.pop().plain if stack and stack[-1].place is place else part.plain
        if place.parent is None:
            if stack:
                raise EventsError(f"events were left out: {stack[-1].place.pointer!r} is still open")
            self._whole, self._value = part, plain
            return
        self._reach(place.parent, isinstance(place.key, str))
        parent = stack[-1]
        parent.parts[place.key] = part
        _set(parent.plain, place.key, plain)

    def _reach(self, place: Place, is_object: bool) -> None:
        """Make a place the innermost open container. Every place is opened once, so this is constant time, amortised."""
        stack = self._open
        missing: list[tuple[Place, bool]] = []
        step: Place | None = place
        while step is not None and not (stack and stack[-1].place is step):
            missing.append((step, is_object))
            is_object = isinstance(step.key, str)
            step = step.parent
        if step is None and stack:
            raise EventsError(
                f"events were left out, or are of another value: {stack[-1].place.pointer!r} is still open"
            )
        for opened, opened_is_object in reversed(missing):
            entry = _Open(opened, opened_is_object)
            if stack:
                _set(stack[-1].plain, opened.key, entry.plain)
            else:
                self._value = entry.plain
            stack.append(entry)


def _set(container: Any, key: str | int, value: Any) -> None:
    if isinstance(container, list) and key == len(container):
        container.append(value)
    else:
        container[key] = value  # a member, or an item that was there while it was open


def _container(entry: _Open) -> Container | None:
    """What is known of the types of an open container, by the members that are finished."""
    shape = entry.place.shape
    if shape is None:
        return None
    if not isinstance(entry.plain, dict):
        return shape.container("[")
    container = shape.container("{")
    if container is not None and len(container.branches) > 1:
        for key, part in entry.parts.items():
            if not part.is_container:
                container = container.narrowed(key, part.text)
    return container


def _model(container: Container | None) -> Branch | None:
    """The branch of the one model that an object may be, if it is one."""
    if container is None or len(container.branches) != 1 or container.branches[0].cls is None:
        return None
    return container.branches[0]


def _typed(container: Container | None, values: dict[str | int, Any], is_object: bool) -> Any:
    if not is_object:
        kind = list if container is None or len(container.branches) != 1 else container.branches[0].kind
        return kind(values.values())
    branch = _model(container)
    if branch is None or branch.cls is None:
        return values
    fields = {slot.field_name: values[key] for key, slot in branch.fields.items() if key in values}
    extras = {str(key): value for key, value in values.items() if key not in branch.fields}
    cls: Any = branch.cls
    model = cls.__new__(cls)
    # The attributes that pydantic's own constructors set, past the model's __setattr__ (a frozen model has one that refuses).
    object.__setattr__(model, "__dict__", fields)
    object.__setattr__(model, "__pydantic_fields_set__", {*fields, *(extras if branch.rest is not None else ())})
    object.__setattr__(model, "__pydantic_extra__", extras if branch.rest is not None else None)
    object.__setattr__(model, "__pydantic_private__", {} if cls.__private_attributes__ else None)
    return model


__all__ = ["PartialValue"]
