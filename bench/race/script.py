"""The metrics that everybody reads: a service under constant load, computed and not served.

Whenever it is read, the counters are what a router would have counted by then: so many requests a second, dealt by the
weights, the new slot failing a share of its own from some moment on. The names are those of our own router.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OLD, NEW = "blue", "green"
"""The slots."""

_BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10")
_LATENCY = 0.02
"""Seconds that every request takes."""


@dataclass
class Script:
    """Counters of both slots.

    Attributes:
        rate: requests a second, of both slots together.
        at: when the counters were last brought up to date, in seconds of any clock.
        weights: percent of the requests by slot.
        failing: the share of the new slot's requests that fail, 0 to 1.
    """

    rate: float
    at: float
    weights: Mapping[str, float] = field(default_factory=lambda: {OLD: 100.0, NEW: 0.0})
    failing: float = 0.0
    _good: dict[str, float] = field(default_factory=lambda: {OLD: 0.0, NEW: 0.0})
    _bad: dict[str, float] = field(default_factory=lambda: {OLD: 0.0, NEW: 0.0})

    def change(self, now: float, *, weights: Mapping[str, float] | None = None, failing: float | None = None) -> None:
        """Change what comes from `now` on; counters go on from where they are."""
        self._settle(now)
        self.weights = self.weights if weights is None else dict(weights)
        self.failing = self.failing if failing is None else failing

    def text(self, now: float) -> str:
        """Return the counters as of `now` in Prometheus' text format."""
        self._settle(now)
        lines = ["# TYPE launch_router_requests_total counter"]
        for slot in (OLD, NEW):
            for code, counted in (("2xx", self._good[slot]), ("5xx", self._bad[slot])):
                lines.append(f'launch_router_requests_total{{slot="{slot}",code="{code}"}} {int(counted)}')
        lines.append("# TYPE launch_router_request_duration_seconds histogram")
        for slot in (OLD, NEW):
            counted = int(self._good[slot]) + int(self._bad[slot])
            name = "launch_router_request_duration_seconds"
            for bound in _BOUNDS:
                within = counted if float(bound) >= _LATENCY else 0
                lines.append(f'{name}_bucket{{slot="{slot}",le="{bound}"}} {within}')
            lines.append(f'{name}_bucket{{slot="{slot}",le="+Inf"}} {counted}')
            lines.append(f'{name}_sum{{slot="{slot}"}} {counted * _LATENCY:.3f}')
            lines.append(f'{name}_count{{slot="{slot}"}} {counted}')
        return "\n".join(lines) + "\n"

    def _settle(self, now: float) -> None:
        seconds = max(now - self.at, 0.0)
        self.at = max(now, self.at)
        for slot in (OLD, NEW):
            came = seconds * self.rate * self.weights.get(slot, 0.0) / 100
            bad = came * self.failing if slot == NEW else 0.0
            self._good[slot] += came - bad
            self._bad[slot] += bad
