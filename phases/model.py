"""The base of every model a user writes: frozen, and strict about unknown keys."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationInfo

BY_HAND = {"by_hand": True}
"""The validation context of what a person wrote, as opposed to what a record holds."""


def written_by_hand(info: ValidationInfo) -> bool:
    """Return whether a person wrote what is being validated."""
    return bool((info.context or {}).get("by_hand"))


class Misplaced(ValueError):
    """Something wrong further inside a value that is otherwise well formed.

    Attributes:
        at: keys and indices from the validated value to the place.
        found: what is there.
    """

    def __init__(self, message: str, *, at: Sequence[str | int], found: object) -> None:
        super().__init__(message)
        self.at = tuple(at)
        self.found = found


class Settings(BaseModel):
    """Something a user configures. An unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
