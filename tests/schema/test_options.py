"""Options are validated when they are made."""

from __future__ import annotations

from typing import Any

import pytest

from structgen.errors import StructgenError
from structgen.schema.options import JsonOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"property_order": "random"},
        {"whitespace": "["},
        {"whitespace": None},
        {"integers": "float"},
        {"formats": True},
        {"draft": "draft5"},
        {"draft": 7},
        {"extra_properties": "open"},
        {"escapes": ""},
        {"max_integer_digits": 0},
        {"max_integer_digits": True},
        {"max_fraction_digits": -1},
        {"max_string_length": -1},
        {"max_string_length": 1.0},
        {"openapi": "3.0"},
        {"content": True},
    ],
)
def test_values_that_do_not_exist_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(StructgenError, match=next(iter(wrong))) as caught:
        JsonOptions(**wrong)
    assert isinstance(caught.value, ValueError)


def test_options_are_values() -> None:
    assert JsonOptions(whitespace=" ?", draft="2020-12") == JsonOptions(whitespace=" ?", draft="2020-12")
    assert len({JsonOptions(), JsonOptions(integers="plain"), JsonOptions(integers="spec")}) == 2
    with pytest.raises(TypeError):
        JsonOptions(indent=2)  # type: ignore[call-arg]
