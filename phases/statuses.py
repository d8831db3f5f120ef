"""HTTP statuses as a setting: one, or a list of those that are right."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_LOWEST, _HIGHEST = 100, 599
_ONE = {"type": "integer", "minimum": _LOWEST, "maximum": _HIGHEST}


def _statuses(value: object) -> object:
    values = list(value) if isinstance(value, list | tuple) else [value]
    for status in values:
        if isinstance(status, bool) or not isinstance(status, int) or not _LOWEST <= status <= _HIGHEST:
            raise ValueError(f"{status!r} is no HTTP status; write a number such as 200, or a list of them")
    return tuple(values)


Statuses = Annotated[
    tuple[int, ...],
    Field(min_length=1),
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1}]}),
]
"""The HTTP statuses that are right: a number, or a list of numbers."""


def either(statuses: tuple[int, ...]) -> str:
    """Return them for a sentence: `200 or 204`."""
    return " or ".join(map(str, statuses))
