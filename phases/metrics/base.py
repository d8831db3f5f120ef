"""What the breaker asks of a source of metrics: cumulative counters for each slot, as Prometheus has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from phases.clock import Clock, SystemClock
from phases.errors import LaunchError


class MetricsUnavailable(LaunchError):
    """The metrics cannot be read now: an outage of theirs, which says nothing about the release."""


@dataclass(frozen=True, slots=True)
class SlotCounters:
    """What was counted for one slot since its source started. Counters only grow, or begin again at 0."""

    requests: float = 0.0
    """Requests that have ended."""
    errors: float = 0.0
    """Those of them that the slot failed: a status 5xx, or no whole answer."""
    buckets: Mapping[float, float] = field(default_factory=dict)
    """Cumulative counts of durations by inclusive upper bound in seconds, `inf` among them."""


@dataclass(frozen=True, slots=True)
class SlotGauges:
    """What a source computed itself for one slot, over a window of its own; None where it cannot tell."""

    error_rate: float | None = None
    """0 to 1."""
    latency_p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The counters of every slot at one moment."""

    at: float
    """Monotonic seconds."""
    slots: Mapping[str, SlotCounters]
    """By slot. A slot that is not there has had no request yet."""
    gauges: Mapping[str, SlotGauges] = field(default_factory=dict)
    """By slot; what is there goes before what its counters say."""
    counted: bool = True
    """Whether the source counts requests at all; False: there are only gauges."""
    scraped: bool = False
    """Whether the counters are as of an earlier moment: the next change of them may begin before this sample."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What a source is made from; each takes what it needs."""

    address: str
    """URL of whoever has the metrics."""
    slots: tuple[str, ...] = ()
    """Whose metrics are wanted."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What queries may name, such as `service` and `namespace`."""
    router: str | None = None
    """Whose names the metrics have."""
    queries: Mapping[str, str] = field(default_factory=dict)
    """By what they tell; each goes before that of `router`."""
    latency_unit: Literal["s", "ms"] | None = None
    """Unit of the bounds of a query for buckets; None: the router's, else seconds."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers of every request; they may be secret."""
    ca: Path | None = None
    """Certificates to trust instead of the system's."""
    timeout: float = 2.0
    """Seconds for one whole answer."""
    clock: Clock = field(default_factory=SystemClock)
    """Dates the samples."""


class MetricsSource(Protocol):
    """Whoever has the counters."""

    def sample(self) -> Sample:
        """Read the counters as of now.

        Raises:
            MetricsUnavailable: they cannot be read; the message says why.
        """
        ...
