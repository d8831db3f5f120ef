"""When new numbers come: metrics that are scraped change once an interval, and between two scrapes there is no news.

Looking ten times a second finds a scrape a twentieth of a second late on average. But scrapes are regular: whoever has
seen some of them knows when the next one is due, and can look closely just then, with hardly more queries.
"""

from __future__ import annotations

import statistics
from collections import deque
from typing import Final

_SCRAPES: Final = 8
"""Over how many gaps the interval is taken."""
_ENOUGH: Final = 3
"""From how many gaps on the next scrape is expected."""
_EARLY_S: Final = 0.02
_LATE_S: Final = 0.05
"""How far from its time a scrape may be; Prometheus keeps its times to a few milliseconds, and then it stores."""
_REGULAR: Final = 0.3
"""A gap that differs from the usual one by more than this share is a scrape that was missed, or another target's."""
_CLOSE_S: Final = 0.01
_WIDEST_S: Final = 0.3
"""Longer than this nobody looks closely: then the time is not known well enough for it to be worth its queries."""


class Cadence:
    """Learns when new numbers come. All times are monotonic seconds.

    Args:
        shortest: seconds; numbers that come nearly as often as that are simply looked at.
    """

    def __init__(self, shortest: float) -> None:
        self._shortest = shortest
        self._gaps: deque[float] = deque(maxlen=_SCRAPES)
        self._looked: float | None = None
        self._came: tuple[float, float] | None = None
        """Between which two looks the newest numbers came."""

    def saw(self, at: float, *, news: bool) -> None:
        """Say that somebody looked, and whether there was anything new."""
        if news:
            if self._came is not None:
                self._gaps.append(at - self._came[1])
            self._came = (at if self._looked is None else self._looked, at)
        self._looked = at

    def _look_closely_from(self, now: float) -> float | None:
        """Return from when on to look closely for the next numbers; None where nothing tells when they come."""
        if self._came is None or len(self._gaps) < _ENOUGH:
            return None
        usual = statistics.median(self._gaps)
        if usual < 3 * self._shortest:
            return None
        regular = [gap for gap in self._gaps if abs(gap - usual) <= _REGULAR * usual]
        if len(regular) < len(self._gaps) - 1:
            return None
        interval = statistics.fmean(regular)
        before, at = self._came
        first, last = max(before, at - self._shortest) + interval - _EARLY_S, at + interval + _LATE_S
        if last - first > _WIDEST_S or now > last:
            return None
        return first

    def seconds(self, now: float, pace: float) -> float:
        """Return how long to wait from now for the next look.

        Args:
            now: the time.
            pace: seconds to wait where nothing is expected.
        """
        first = self._look_closely_from(now)
        if first is None:
            return pace
        return min(_CLOSE_S if now >= first else first - now, pace)
