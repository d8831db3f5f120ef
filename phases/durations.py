"""Durations as people write them: `500ms`, `30s`, `5m`, `1h`, `1h30m`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from phases.model import written_by_hand

_NUMBER = r"\d+(?:\.\d+)?"
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# Every unit at most once, the larger ones first, at least one of them.
_PATTERN = re.compile(r"^(?=\d)" + "".join(rf"(?:({_NUMBER}){unit}(?![a-z]))?" for unit in _UNITS) + "$")
_FORMS = "500ms, 30s, 5m, 1h or 1h30m"


def parse(text: object) -> float:
    """Return the seconds that `text` means.

    Raises:
        ValueError: it is no duration; the message shows the forms there are.
    """
    match = _PATTERN.fullmatch(text) if isinstance(text, str) and text.isascii() else None
    if match is None:
        raise ValueError(f"it must be a duration with its unit, such as {_FORMS}")
    return sum(float(number) * unit for number, unit in zip(match.groups(), _UNITS.values(), strict=True) if number)


def show(seconds: float) -> str:
    """Return the shortest common form: `250ms`, `1.5s`, `2m`, `1h30m`."""
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"


def _duration(value: object, info: ValidationInfo) -> float:
    # A record holds plain seconds; a person writes the unit, for 5 may mean minutes to one and seconds to another.
    if isinstance(value, int | float) and not isinstance(value, bool) and not written_by_hand(info):
        return float(value)
    return parse(value)


Duration = Annotated[
    float,
    BeforeValidator(_duration),
    PlainSerializer(float, return_type=float),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _PATTERN.pattern,
            "patternErrorMessage": f"A duration has a unit: {_FORMS}.",
            "examples": ["500ms", "30s", "5m", "1h"],
        }
    ),
]
"""Seconds, written with a unit."""
