"""The marker in every stack's outputs: which launch brought it to where it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

KEY = "launch"
"""The stack output that holds it."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A launch, its phase, and the step that was applied last."""

    id: str
    phase: str
    step: str

    def to_output(self) -> dict[str, str]:
        """Return what the stack output holds."""
        return asdict(self)
