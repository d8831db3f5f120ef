"""A phase's time limit. Time spent paused does not count."""

from __future__ import annotations

from dataclasses import dataclass

from phases import durations
from phases.clock import Clock
from phases.trouble import Cause, Trouble


@dataclass(slots=True)
class Deadline:
    """When the phase's time is up, in the clock's monotonic seconds."""

    clock: Clock
    phase: str
    seconds: float
    at: float

    @classmethod
    def start(cls, clock: Clock, phase: str, timeout_ms: int) -> Deadline:
        """Begin now."""
        seconds = timeout_ms / 1000
        return cls(clock, phase, seconds, clock.monotonic() + seconds)

    def extend(self, seconds: float) -> None:
        """Move the limit: that much time was spent paused."""
        self.at += seconds

    def check(self, doing: str) -> None:
        """Return while there is time left.

        Raises:
            Trouble: there is none.
        """
        if self.clock.monotonic() >= self.at:
            raise self.trouble(doing)

    def trouble(self, doing: str) -> Trouble:
        """Return the outcome of a phase whose time is up."""
        limit = durations.show(self.seconds)
        return Trouble(f"{doing} did not end within the timeout of {limit}", cause=Cause.TIMEOUT)
