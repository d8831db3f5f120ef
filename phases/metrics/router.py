"""The metrics of a local router, read from its admin address in Prometheus text format.

Families: `launch_router_requests_total{slot,code}`, with code `2xx`, `5xx`, `error` and the like, and the histogram
`launch_router_request_duration_seconds{slot}`
(https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from phases.clock import Clock, SystemClock
from phases.metrics.base import MetricsUnavailable, Sample, SlotCounters, SourceSettings

if TYPE_CHECKING:
    from urllib3 import PoolManager

_REQUESTS = "launch_router_requests_total"
_BUCKET = "launch_router_request_duration_seconds_bucket"
_ERRORS = frozenset({"5xx", "error"})
"""What the slot failed. 4xx is the user's mistake; a user who went away (`client_closed`) only shows in latency."""
_OK = 200


class RouterMetrics:
    """Reads a router of the local platform.

    Args:
        admin: URL of the router's admin address, without `/metrics`.
        timeout: seconds within which it has to answer; it is on this machine.
        clock: dates the samples.
    """

    def __init__(self, admin: str, *, timeout: float = 2.0, clock: Clock | None = None) -> None:
        self._url = admin.rstrip("/") + "/metrics"
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._pool: PoolManager | None = None

    @classmethod
    def of(cls, settings: SourceSettings) -> RouterMetrics:
        """Return the source for these settings."""
        return cls(settings.address, timeout=settings.timeout, clock=settings.clock)

    def sample(self) -> Sample:
        """Read the counters as of now.

        Raises:
            MetricsUnavailable: the router does not answer, or says something else than metrics.
        """
        from urllib3 import PoolManager
        from urllib3.exceptions import HTTPError

        if self._pool is None:
            self._pool = PoolManager(maxsize=1)
        try:
            answer = self._pool.request("GET", self._url, timeout=self._timeout, retries=False)
        except HTTPError as error:
            raise MetricsUnavailable(f"the router's metrics at {self._url} cannot be read: {error}") from error
        if answer.status != _OK:
            raise MetricsUnavailable(f"the router's metrics at {self._url} answer with status {answer.status}")
        try:
            return Sample(self._clock.monotonic(), parse(answer.data.decode()))
        except (ValueError, KeyError) as error:
            raise MetricsUnavailable(f"{self._url} does not answer with the router's metrics: {error}") from error


def parse(text: str) -> dict[str, SlotCounters]:
    """Return the counters in the router's exposition, by slot.

    Raises:
        ValueError: it is not Prometheus text, the router's families are not in it, or a count is none.
        KeyError: a sample has no such label.
    """
    from prometheus_client.parser import text_string_to_metric_families

    requests: dict[str, float] = defaultdict(float)
    errors: dict[str, float] = defaultdict(float)
    buckets: dict[str, dict[float, float]] = defaultdict(dict)
    families = set()
    for family in text_string_to_metric_families(text):
        families.add(family.name)
        for sample in family.samples:
            if sample.name in (_REQUESTS, _BUCKET) and not 0 <= sample.value < math.inf:
                raise ValueError(f"{sample.name} is {sample.value}, which is no count")
            if sample.name == _REQUESTS:
                slot = sample.labels["slot"]
                requests[slot] += sample.value
                errors[slot] += sample.value if sample.labels["code"] in _ERRORS else 0.0
            elif sample.name == _BUCKET:
                buckets[sample.labels["slot"]][float(sample.labels["le"])] = sample.value
    if _REQUESTS.removesuffix("_total") not in families:
        raise ValueError(f"there is no metric {_REQUESTS}")
    return {slot: SlotCounters(requests[slot], errors[slot], buckets[slot]) for slot in requests}
