"""How long to wait before a crashed process is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential back-off that forgets after a stable run.

    The first crash after a stable run is followed by a restart at once, the next by `first` seconds, then twice
    as long each time, up to `longest`.
    """

    first: float = 0.2
    longest: float = 10.0
    stable: float = 10.0
    """Seconds that a process has to run for its earlier crashes to be forgotten."""
    crashes: int = 0

    def after(self, ran: float) -> float:
        """Seconds to wait after a process that ran for `ran` seconds has crashed."""
        self.crashes = 1 if ran >= self.stable else self.crashes + 1
        if self.crashes == 1:
            return 0.0
        return float(min(self.longest, self.first * 2 ** min(self.crashes - 2, 32)))
