"""What the breaker saw: one observation of a slot, and the limit that was broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from phases.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Trip:
    """The limit that was broken first."""

    metric: str
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One observation.

    Attributes:
        at: monotonic seconds.
        requests: of the new slot, within the window.
        values: by metric, for those that have a limit: `error_rate` (0 to 1), `latency_p99_ms`,
            `health_check_failures` (in a row), `error_ratio`; None where it cannot be told.
        limits: by metric, the same ones.
        verdict: failed once the breaker has tripped; inconclusive where too little can be told; else passed.
        tripped: the limit that was broken.
        reason: one sentence for a person.
    """

    at: float
    requests: int
    values: Mapping[str, float | None] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    verdict: Verdict = Verdict.INCONCLUSIVE
    tripped: Trip | None = None
    reason: str = "nothing was observed yet"
