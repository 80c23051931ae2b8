"""How JSON text is spelled and how a schema is read: one frozen value, `JsonOptions`.

In: keyword arguments of the caller. Out: validated settings that every stage below reads. Nothing here changes what a schema
*means*, except `formats`, `draft`, `extra_properties`, `openapi` and `content`, which say how it is to be read.

Turned down: per-keyword switches (they make "is it enforced?" a question with many answers) and free-form dictionaries
(a misspelt option must be an error, not a silent default).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from structgen.errors import StructgenError
from structgen.schema.dialects import Dialect, dialect_by_name

_CHOICES: dict[str, tuple[str, ...]] = {
    "property_order": ("schema", "any"),
    "integers": ("plain", "spec"),
    "formats": ("assert", "annotate"),
    "extra_properties": ("schema", "closed"),
    "escapes": ("minimal", "any"),
    "content": ("annotate", "assert"),
}
_FLAGS = ("openapi",)
WHITESPACE_STYLES = ("flexible", "compact", "any")


class OptionsError(StructgenError, ValueError):
    """An option of `JsonOptions` has a value that does not exist."""


@dataclass(frozen=True, slots=True)
class JsonOptions:
    """Settings of one JSON grammar. Raises `OptionsError` (a `ValueError`) for a value that does not exist.

    property_order: "schema" = declared properties in their order, then required undeclared ones, then extras; "any" = every order.
    whitespace: "flexible" = every usual style, bounded; "compact" = none; "any" = unbounded; other text = a regex for the white
        space between two tokens of JSON.
    integers: "plain" = an integer has no fraction or exponent; "spec" = 1.0 is an integer too.
    formats: "assert" = `format` constrains; "annotate" = it does not.
    draft: dialect of schemas without `$schema`: "draft4", "draft6", "draft7", "draft2019-09", "draft2020-12" (also "draft-07",
        "2020-12", ...); None = 2020-12, with the forms of older drafts read as they were meant.
    extra_properties: "schema" = as the schema says; "closed" = an object admits no name that is not declared, unless its schema
        has `additionalProperties` or a matching `patternProperties`.
    max_integer_digits, max_fraction_digits: digits of a number before and after the point. A bound or `multipleOf` with more
        digits of its own raises the cap for its value.
    max_string_length: length in characters of strings for which the schema gives no longer one; None = no bound.
    escapes: "minimal" = one spelling for every character of a string; "any" = every spelling that JSON has.
    openapi: True = `nullable` and `discriminator` of OpenAPI 3.0 constrain: `nullable` adds null to the `type` beside it, and
        `discriminator` makes objects name their branch of `oneOf` or `anyOf`. False = both are annotations.
    content: "annotate" = `contentEncoding` does not constrain, as the specification has it; "assert" = strings are well-formed
        "base64", "base64url", "base32", "base32hex", "base16", "quoted-printable" or "7bit". `contentMediaType` and
        `contentSchema` never constrain.
    """

    property_order: Literal["schema", "any"] = "schema"
    whitespace: str = "flexible"
    integers: Literal["plain", "spec"] = "plain"
    formats: Literal["assert", "annotate"] = "assert"
    draft: str | None = None
    extra_properties: Literal["schema", "closed"] = "schema"
    max_integer_digits: int = 40
    max_fraction_digits: int = 40
    max_string_length: int | None = None
    escapes: Literal["minimal", "any"] = "minimal"
    openapi: bool = False
    content: Literal["annotate", "assert"] = "annotate"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise OptionsError(f"JsonOptions.{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")
        for name in _FLAGS:
            if type(getattr(self, name)) is not bool:
                raise OptionsError(f"JsonOptions.{name} must be True or False, not {getattr(self, name)!r}")
        if type(self.whitespace) is not str:
            raise OptionsError(f"JsonOptions.whitespace must be a string, not {self.whitespace!r}")
        if self.whitespace not in WHITESPACE_STYLES:
            _check_whitespace(self.whitespace)
        if self.draft is not None:
            try:
                dialect_by_name(self.draft)
            except ValueError as error:
                raise OptionsError(f"JsonOptions.draft: {error}") from error
        for name, least in (("max_integer_digits", 1), ("max_fraction_digits", 0)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= 1000:
                raise OptionsError(f"JsonOptions.{name} must be an integer from {least} to 1000, not {value!r}")
        length = self.max_string_length
        if length is not None and (type(length) is not int or length < 0):
            raise OptionsError(
                f"JsonOptions.max_string_length must be None or an integer of at least 0, not {length!r}"
            )

    @property
    def dialect(self) -> Dialect | None:
        """The dialect that `draft` names, or None."""
        return None if self.draft is None else dialect_by_name(self.draft)


def _check_whitespace(pattern: str) -> None:
    """A whitespace regex must be a regex; that it matches only JSON white space is checked where its automaton is built."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise OptionsError(f"JsonOptions.whitespace is neither a style nor a valid regex: {error}") from error
