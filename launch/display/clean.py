"""Events without secrets, before anything of them is shown."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Final

from phases.events import Event
from phases.redact import redact

_NAMES: Final = frozenset({"launch", "environment", "time", "phase", "phases", "undo", "step", "slot", "previous_slot"})
"""Fields that name things of the sequence. What a short secret happens to share with them must not garble them."""


def clean(event: Event, secrets: tuple[str, ...]) -> Event:
    """Return the event with every secret in its texts replaced.

    States and verdicts are no texts: they stay what the contract says.
    """
    if not secrets:
        return event
    changes = {
        field.name: redact(value, secrets)
        for field in dataclasses.fields(event)
        if field.name not in _NAMES and not isinstance(value := getattr(event, field.name), Enum)
    }
    return dataclasses.replace(event, **changes)
