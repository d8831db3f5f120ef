"""The circuit breaker: watches the new slot while users are at risk, so that nobody has to be awake.

The rules:

- A limit is broken by a value over it, never by one equal to it. Whoever breaks one stays broken.
- Rates and percentiles say nothing below `min_requests`; `phases/window.py` tells over which time they are taken.
- An outage of the metrics is not a bad release, and silence is not a good one: both are inconclusive. The slot's own
  health check counts in an outage too.
- What went wrong before a move of the traffic still counts after it; what went well does not: each share of the traffic
  has to prove itself with `min_requests` of its own.
- A figure that the source computed itself goes before its counters. Where the source counts no requests at all, a
  figure stands for itself, and none is silence.
- Metrics are read often while it matters (`phases/pace.py`); health is asked for at `interval`, whatever the pace.
- `error_ratio` is the new slot's error rate over the old one's. An old rate below one error in the smaller of both
  numbers of requests counts as that, so that one failed request against a spotless old slot is not "infinitely worse".
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping

from phases.clock import Clock
from phases.durations import show
from phases.figures import ERROR_RATE, HEALTH, LATENCY, RATIO, figure, name, shown
from phases.metrics.base import MetricsSource, MetricsUnavailable, SlotCounters, SlotGauges
from phases.pace import Pace
from phases.quantiles import quantile
from phases.reading import Reading, Trip
from phases.thresholds import Thresholds
from phases.verdict import GateResult, Verdict, failed, inconclusive, passed
from phases.window import Window

logger = logging.getLogger(__name__)

_P99 = 0.99
_IN_TIME = 0.95
_NO_GAUGES = SlotGauges()


class Breaker:
    """Compares the new slot with its limits, one observation at a time. Its methods may be called from any thread.

    Args:
        thresholds: the limits.
        source: where the counters are.
        new_slot: whom to watch.
        old_slot: whom to compare it with; None on a first launch.
        clock: dates the readings.
        health: the new slot's own health check; it answers in time and never raises. Where it returns None, the answer
            is not there yet and it is asked for it at the next observation. None: there is none.
    """

    def __init__(
        self,
        thresholds: Thresholds,
        *,
        source: MetricsSource,
        new_slot: str,
        old_slot: str | None,
        clock: Clock,
        health: Callable[[], bool | None] | None = None,
    ) -> None:
        self._thresholds = thresholds
        self._source = source
        self._new, self._old = new_slot, old_slot
        self._clock = clock
        self._health = health
        self._limits = _limits(thresholds, ratio=old_slot is not None, health=health is not None)
        self._window = Window(new_slot, seconds=thresholds.window, least=thresholds.min_requests)
        self._lock = threading.Lock()
        self._pace = Pace(thresholds)
        self._begun = False
        self._sick: int | None = None
        self._asking = False
        self._health_due = -math.inf
        self._gauges: Mapping[str, SlotGauges] = {}
        self._counted = True
        self._shown: tuple[Mapping[str, SlotCounters], Mapping[str, SlotGauges]] | None = None
        self._outage: str | None = None
        self._reading: Reading | None = None

    @property
    def interval(self) -> float:
        """Return the seconds until the next observation."""
        return self._pace.seconds(self._clock.monotonic())

    def moved(self) -> None:
        """Say that the traffic is about to move: call it right before each move of the weights.

        Counting begins at the first call, or at the first `tick` where there was none. Never raises for an outage.
        """
        with self._lock:
            self._sample()
            self._window.mark()
            self._begun = True
            self._pace.moved(self._clock.monotonic())
            if self._reading is not None and self._reading.tripped is None:
                self._reading = None

    def tick(self) -> Reading:
        """Observe once: read the counters, ask for the slot's health. Never raises for an outage."""
        now = self._clock.monotonic()
        asked = HEALTH in self._limits and self._health is not None and now >= self._health_due
        healthy = self._health() if asked and self._health is not None else None
        with self._lock:
            if asked:
                self._hear(healthy, now)
            if not self._begun:  # the traffic moved in the phase before, or before the launch was resumed
                self._begun = True
                self._pace.moved(now)
            self._sample()
            reading = self._read(self._reading.tripped if self._reading else None)
            if self._reading is None or reading.verdict is not self._reading.verdict:
                logger.info("breaker: %s: %s", reading.verdict.value, reading.reason)
            self._reading = reading
        return reading

    def conclusion(self) -> GateResult:
        """Return what a bake that ends now has shown."""
        with self._lock:
            return self._conclude()

    def _conclude(self) -> GateResult:
        reading = self._reading or Reading(self._clock.monotonic(), 0)
        counted = self._window.since_mark(self._new)
        evidence = {
            "values": dict(reading.values),
            "limits": dict(reading.limits),
            "requests": int(counted.requests),
            "errors": int(counted.errors),
        }
        if reading.tripped is not None:
            return failed(reading.reason, evidence)
        if not self._limits:
            warning = "no limit is set: the breaker watches nothing"
            return passed("there is no limit to break", evidence, warnings=(warning,))
        if reading.verdict is Verdict.INCONCLUSIVE:
            return inconclusive(reading.reason, evidence)
        if self._few(counted):
            return inconclusive(self._too_few(counted, "since the traffic moved"), evidence)
        if self._sick:
            return inconclusive(f"the last health checks failed ({self._sick} in a row)", evidence)
        return passed(reading.reason, evidence)

    def _hear(self, healthy: bool | None, now: float) -> None:
        self._asking = healthy is None
        if healthy is not None:
            self._sick = 0 if healthy else (self._sick or 0) + 1
            # A little early is in time: two observations are never exactly an interval apart.
            self._health_due = now + _IN_TIME * self._thresholds.interval

    def _sample(self) -> None:
        if not self._rates():
            return
        try:
            sample = self._source.sample()
        except MetricsUnavailable as error:
            self._outage = str(error)
        else:
            self._outage = None
            if sample.scraped:
                news = (sample.slots, sample.gauges) != self._shown
                self._pace.looked(self._clock.monotonic(), news=news and self._shown is not None)
                self._shown = (sample.slots, sample.gauges)
            self._gauges, self._counted = sample.gauges, sample.counted
            self._window.add(sample)

    def _rates(self) -> bool:
        return any(metric != HEALTH for metric in self._limits)

    def _few(self, counted: SlotCounters) -> bool:
        """Whether rates and percentiles say nothing yet."""
        return self._counted and self._rates() and counted.requests < self._thresholds.min_requests

    def _read(self, trip: Trip | None) -> Reading:
        counted = self._window.recent(self._new)
        values = self._values(counted)
        for metric, limit in self._limits.items():
            value = values[metric]
            if trip is None and value is not None and value > limit:
                trip = Trip(metric, value, limit)
        unjudged = counted.errors > 0 and self._few(counted)
        self._pace.saw(values, self._limits, failing=unjudged or self._asking or bool(self._sick))
        verdict, reason = self._judge(trip, values, counted)
        return Reading(self._clock.monotonic(), int(counted.requests), values, self._limits, verdict, trip, reason)

    def _values(self, new: SlotCounters) -> dict[str, float | None]:
        values: dict[str, float | None] = dict.fromkeys(self._limits)
        if HEALTH in values:
            values[HEALTH] = None if self._sick is None else float(self._sick)
        if self._outage is not None or self._few(new):
            return values
        gauges = self._gauges.get(self._new, _NO_GAUGES)
        if ERROR_RATE in values:
            values[ERROR_RATE] = _rate(gauges, new)
        if LATENCY in values:
            values[LATENCY] = gauges.latency_p99_ms
            if values[LATENCY] is None and new.buckets.get(math.inf):
                seconds = quantile(_P99, new.buckets)
                values[LATENCY] = None if seconds is None else seconds * 1000
        if RATIO in values:
            values[RATIO] = self._ratio(gauges, new)
        return values

    def _ratio(self, gauges: SlotGauges, new: SlotCounters) -> float | None:
        """How many times the old slot's error rate the new one's is; None without enough of the old one's requests.

        Once the old slot has hardly any users left, all it did since the traffic began to move stands for it.
        """
        least = self._thresholds.min_requests
        old_gauges = self._gauges.get(self._old or "", _NO_GAUGES)
        old = self._window.recent(self._old or "")
        if old.requests < least:
            old = self._window.total(self._old or "")
        if old.requests < least and (self._counted or old_gauges.error_rate is None):
            return None
        rate, old_rate = _rate(gauges, new), _rate(old_gauges, old)
        if rate is None or old_rate is None:
            return None
        return rate / max(old_rate, 1 / (min(old.requests, new.requests) or least))

    def _judge(self, trip: Trip | None, values: Mapping[str, float | None], new: SlotCounters) -> tuple[Verdict, str]:
        if trip is not None:
            return (
                Verdict.FAILED,
                f"{shown(trip.metric, trip.value)} is over the limit of {figure(trip.metric, trip.limit)}",
            )
        if self._outage is not None:
            return Verdict.INCONCLUSIVE, self._outage
        if self._few(new):
            return Verdict.INCONCLUSIVE, self._too_few(new, f"in {show(self._window.span())}")
        unknown = [metric for metric, value in values.items() if value is None]
        # Nobody to compare with does not stop a release that its own limits speak for.
        if unknown and (unknown != [RATIO] or len(values) == 1):
            return Verdict.INCONCLUSIVE, f"{', '.join(map(name, unknown))} cannot be told from these metrics"
        known = ", ".join(shown(metric, value) for metric, value in values.items() if value is not None)
        return Verdict.PASSED, f"within all limits: {known or 'there is none'}"

    def _too_few(self, counted: SlotCounters, when: str) -> str:
        number = int(counted.requests)
        requests = "no request" if not number else "1 request" if number == 1 else f"{number} requests"
        return f"{requests} {when}; at least {self._thresholds.min_requests} are needed to tell"


def _rate(gauges: SlotGauges, counted: SlotCounters) -> float | None:
    if gauges.error_rate is not None:
        return gauges.error_rate
    return counted.errors / counted.requests if counted.requests else None


def _limits(thresholds: Thresholds, *, ratio: bool, health: bool) -> dict[str, float]:
    limits = {
        ERROR_RATE: thresholds.error_rate,
        LATENCY: thresholds.latency_p99_ms,
        HEALTH: thresholds.health_check_failures if health else None,
        RATIO: thresholds.max_ratio if ratio else None,
    }
    return {metric: float(limit) for metric, limit in limits.items() if limit is not None}
