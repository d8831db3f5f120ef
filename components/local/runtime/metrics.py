"""What the router counts for each slot, in Prometheus text format.

The counts are plain integers that cost well under a microsecond a request; prometheus_client turns them into
text when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0,
    3.0, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds in seconds: fine where the usual limits for p99 are, so that an interpolation is near the truth."""

ERROR = "error"
"""The code of a request that the slot failed: refused, closed, timed out, or broken off."""
CLIENT_CLOSED = "client_closed"
"""The code of a request whose user went away before the last byte."""
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class SlotMetrics:
    """The counts of one slot."""

    __slots__ = ("buckets", "codes", "in_flight", "seconds", "slot", "weight")

    def __init__(self, slot: str) -> None:
        self.slot = slot
        self.weight = 0
        self.in_flight = 0
        # Every code from the start: a counter that appears with its first error hides that error from rate().
        self.codes = dict.fromkeys((*_CLASSES, ERROR, CLIENT_CLOSED), 0)
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def count(self, code: str, seconds: float) -> None:
        """Count a request that has ended."""
        self.codes[code] += 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def count_status(self, status: int, seconds: float) -> None:
        """Count a request that was answered with this status."""
        self.count(_CLASSES[status // 100 - 1], seconds)


class Source(Protocol):
    """Whoever has the counts."""

    @property
    def unrouted(self) -> int:
        """Requests that no slot was there for."""

    def metrics(self) -> Iterable[SlotMetrics]:
        """The counts of every slot."""


class _Slots(Collector):
    def __init__(self, source: Source) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "launch_router_requests", "Requests by slot and class of status code.", labels=["slot", "code"]
        )
        duration = HistogramMetricFamily(
            "launch_router_request_duration_seconds",
            "Seconds from a request's head to the last byte of its response.",
            labels=["slot"],
        )
        in_flight = GaugeMetricFamily("launch_router_in_flight", "Requests under way.", labels=["slot"])
        weight = GaugeMetricFamily("launch_router_weight", "Percent of the traffic.", labels=["slot"])
        for slot in self._source.metrics():
            for code, count in slot.codes.items():
                requests.add_metric([slot.slot, code], count)
            duration.add_metric([slot.slot], _cumulative(slot.buckets), sum_value=slot.seconds)
            in_flight.add_metric([slot.slot], slot.in_flight)
            weight.add_metric([slot.slot], slot.weight)
        unrouted = CounterMetricFamily(
            "launch_router_unrouted",
            "Requests answered with 503 because no slot had weight.",
            value=self._source.unrouted,
        )
        yield from (requests, duration, in_flight, weight, unrouted)


class Exposition:
    """The text that Prometheus scrapes."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, source: Source) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Slots(source))

    def text(self) -> bytes:
        """All slots' counts as of now."""
        return generate_latest(self._registry)


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    result: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
        total += count
        result.append((bound, total))
    return result
