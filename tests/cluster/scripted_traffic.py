"""Counters of a slot that grow as if users came: so many a second, so many of them failing, at this latency."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Of the latency histogram's buckets, in seconds."""


class ScriptedTraffic:
    """The requests that one slot gets.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since = clock()
        self._rate = 0.0
        self._error_share = 0.0
        self._latency = 0.01
        self._requests = 0
        self._errors = 0
        self._by_bound = dict.fromkeys(BOUNDS, 0)
        # What has come of the next request, and of the next that fails: only whole ones are counted, everywhere alike.
        self._coming = self._failing = 0.0

    def change(
        self, *, rate: float | None = None, error_share: float | None = None, latency: float | None = None
    ) -> None:
        """Changes what comes from now on; counters go on from where they are.

        Args:
            rate: requests a second.
            error_share: from 0 to 1.
            latency: of every request, in seconds.
        """
        with self._lock:
            self._settle()
            self._rate = self._rate if rate is None else rate
            self._error_share = self._error_share if error_share is None else error_share
            self._latency = self._latency if latency is None else latency

    def add(self, requests: int, errors: int = 0) -> None:
        """Counts requests that came this very moment, and how many of them failed."""
        with self._lock:
            self._settle()
            self._count(requests, errors)

    def restart(self) -> None:
        """Counters begin at zero again, as when whoever counts was started anew."""
        with self._lock:
            self._since = self._clock()
            self._requests = self._errors = 0
            self._by_bound = dict.fromkeys(BOUNDS, 0)

    def series(self, kind: str, unit: str = "s") -> list[tuple[dict[str, str], float]]:
        """Labels and values of `requests`, `errors` or `latency` now, in whole numbers; nothing for other kinds.

        Args:
            kind: what launch asks for.
            unit: of the histogram's bounds, `s` or `ms`, which depends on the router that counts.
        """
        with self._lock:
            self._settle()
            if kind == "requests":
                return [({}, float(self._requests))]
            if kind == "errors":
                return [({}, float(self._errors))]
            if kind == "latency":
                factor = 1000 if unit == "ms" else 1
                buckets = [({"le": f"{bound * factor:g}"}, float(count)) for bound, count in self._by_bound.items()]
                return [*buckets, ({"le": "+Inf"}, float(self._requests))]
            return []

    def _settle(self) -> None:
        now = self._clock()
        came, self._coming = divmod(self._coming + (now - self._since) * self._rate, 1)
        failed, self._failing = divmod(self._failing + came * self._error_share, 1)
        self._since = now
        self._count(int(came), int(failed))

    def _count(self, requests: int, errors: int) -> None:
        self._requests += requests
        self._errors += errors
        for bound in BOUNDS:
            if self._latency <= bound:
                self._by_bound[bound] += requests
