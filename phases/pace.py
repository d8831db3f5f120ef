"""How often the breaker looks: many times a second while it matters, now and then otherwise.

It matters while traffic has just moved, while a metric is near its limit, and while errors come in of which it cannot
be told yet whether they are many. Looking more often than the metrics are scraped costs a query and finds out a scrape
sooner; it makes nothing of the same numbers (see `phases/window.py`). Where scrapes are regular, the next one is looked
for closely at its time (see `phases/cadence.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from phases.cadence import Cadence
from phases.thresholds import Thresholds


class Pace:
    """The seconds between two looks.

    Args:
        thresholds: both intervals, and what is near.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._slow = thresholds.interval
        self._fast = min(thresholds.fast_interval, thresholds.interval)
        self._near, self._settle = thresholds.near, thresholds.settle
        self._cadence = Cadence(self._fast)
        self._settled = 0.0
        self._close = False

    def moved(self, at: float) -> None:
        """Say when the traffic moves, in monotonic seconds."""
        self._settled = at + self._settle

    def looked(self, at: float, *, news: bool) -> None:
        """Say that the metrics were read, at a time in monotonic seconds, and whether they had changed."""
        self._cadence.saw(at, news=news)

    def saw(self, values: Mapping[str, float | None], limits: Mapping[str, float], *, failing: bool) -> None:
        """Say what was seen.

        Args:
            values: by metric; None where it cannot be told.
            limits: by metric.
            failing: whether something failed of which no value tells yet.
        """
        near = any(value is not None and value > self._near * limits[metric] for metric, value in values.items())
        self._close = near or failing

    def seconds(self, now: float) -> float:
        """Return how long to wait from now, a time in monotonic seconds."""
        pace = self._fast if self._close or now < self._settled else self._slow
        return self._cadence.seconds(now, pace)
