"""Several services that are launched together: each has its breaker, and any of them stops the launch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from phases.clock import Clock
from phases.reading import Reading, Trip
from phases.run import Watching
from phases.verdict import GateResult, Verdict

T = TypeVar("T")

_AT_ONCE = 8
"""How many services' metrics are read at the same time: enough that slow ones do not add up, and no flood for whoever
answers."""


class Breakers:
    """The service's own breaker, with those of its companions.

    The service's own is read at every observation, each companion's whenever its own interval is over. What is shown
    are the service's figures; a companion that breaks a limit is named with it, `cart:error_rate`.

    Args:
        own: the service's.
        companions: by service.
        clock: tells which are due.
    """

    def __init__(self, own: Watching, companions: Mapping[str, Watching], *, clock: Clock) -> None:
        self._own = own
        self._companions = dict(companions)
        self._clock = clock
        self._due = dict.fromkeys(self._companions, float("-inf"))
        self._tripped: Trip | None = None

    @property
    def interval(self) -> float:
        """Return the seconds until the next observation of any."""
        now = self._clock.monotonic()
        return min([self._own.interval, *(max(due - now, 0.0) for due in self._due.values())])

    def moved(self) -> None:
        """Say that the traffic is about to move."""
        self._all(list(self._companions), lambda watching: watching.moved())
        self._own.moved()
        self._due = dict.fromkeys(self._companions, float("-inf"))

    def tick(self) -> Reading:
        """Observe once. Never raises for an outage."""
        now = self._clock.monotonic()
        due = [name for name, when in self._due.items() if when <= now]
        for name, reading in self._all(due, lambda watching: watching.tick()).items():
            self._due[name] = now + self._companions[name].interval
            if reading.tripped is not None and self._tripped is None:
                trip = reading.tripped
                self._tripped = Trip(f"{name}:{trip.metric}", trip.value, trip.limit)
        reading = self._own.tick()
        if reading.tripped is None and self._tripped is not None:
            reason = f"{self._tripped.metric} {self._tripped.value:.4g} is over {self._tripped.limit:.4g}"
            reading = dataclasses.replace(reading, verdict=Verdict.FAILED, tripped=self._tripped, reason=reason)
        return reading

    def conclusion(self) -> GateResult:
        """Return the worst of what all bakes say: failed before inconclusive before passed."""
        worst = self._own.conclusion()
        for name, watching in self._companions.items():
            result = watching.conclusion()
            if _RANK[result.verdict] > _RANK[worst.verdict]:
                worst = dataclasses.replace(result, reason=f"{name}: {result.reason}")
        return worst

    def _all(self, names: Sequence[str], do: Callable[[Watching], T]) -> dict[str, T]:
        if not names:
            return {}
        with ThreadPoolExecutor(min(len(names), _AT_ONCE), thread_name_prefix="launch-metrics") as pool:
            return dict(zip(names, pool.map(lambda name: do(self._companions[name]), names), strict=True))


_RANK = {Verdict.PASSED: 0, Verdict.INCONCLUSIVE: 1, Verdict.FAILED: 2}
