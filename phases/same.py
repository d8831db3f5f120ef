"""Equality of JSON values, as their writer means it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def same(left: Any, right: Any) -> bool:  # noqa: ANN401
    """Return whether two JSON values are the same.

    Unlike in Python, `true` is not 1 and `false` is not 0. A number is its value: 1 and 1.0 are the same, as in JSON.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
