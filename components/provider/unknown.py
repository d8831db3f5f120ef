"""The value that only exists once another resource has been created."""

from __future__ import annotations

from typing import Final


class Unknown:
    """The type of `UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""Seen in check, diff and preview, never in create and update."""


def has_unknown(value: object) -> bool:
    """Whether `value` is, or contains, something unknown."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return isinstance(value, Unknown)
