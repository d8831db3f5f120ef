"""When the breaker trips."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from phases.durations import Duration
from phases.model import Settings


class OnInconclusive(StrEnum):
    """What to do when it cannot be told whether a release is good."""

    HOLD = "hold"
    """Wait, and roll back when the phase's timeout ends."""
    ROLLBACK = "rollback"
    """Roll back at once."""
    CONTINUE = "continue"
    """Go on as if it were good."""


class Thresholds(Settings):
    """Limits for the new slot. A limit that is not set is not watched."""

    error_rate: float | None = Field(default=None, ge=0, le=1)
    """Share of the new slot's requests that may fail (5xx or no answer), 0 to 1."""
    latency_p99_ms: float | None = Field(default=None, gt=0)
    """The new slot's 99th percentile of latency, in milliseconds."""
    health_check_failures: int | None = Field(default=None, ge=1)
    """Health checks of the new slot that may fail in a row before the breaker trips."""
    max_ratio: float | None = Field(default=None, gt=0)
    """How many times the old slot's error rate the new slot's may be."""
    min_requests: int = Field(default=20, ge=1)
    """Requests within the window below which rates and percentiles say nothing yet."""
    window: Duration = Field(default=10.0, gt=0)
    """The sliding window over which rates and percentiles are taken."""
    interval: Duration = Field(default=1.0, gt=0)
    """How often the metrics are read, and the slot's health is asked for."""
    fast_interval: Duration = Field(default=0.1, gt=0)
    """How often the metrics are read while one is near its limit, or the traffic has just moved."""
    near: float = Field(default=0.5, ge=0, le=1)
    """The share of a limit above which a metric is near it, 0 to 1."""
    settle: Duration = 30.0
    """For how long after a move of the traffic the metrics are read at `fast_interval`: about two scrapes."""
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD
    """What to do when metrics cannot be read, or too few requests arrived, by the end of a bake."""

    def over(self, other: Thresholds) -> Thresholds:
        """Return these thresholds with every one that `other` sets taken from it."""
        return self.model_copy(update={name: getattr(other, name) for name in other.model_fields_set})
