"""What users met, and whose fault it was.

A request that a version of shop answered carries `X-Shop-Version`; an answer that was not right is then that
version's own doing: it *earned* the failure. A request that failed without such an answer - refused, broken off, late,
or answered by the router - failed *on the way*: that is what shifting traffic must never cause.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EXAMPLES = 10
"""Failures that are told in full."""


class Failure(StrEnum):
    """How a request failed."""

    REFUSED = "refused"
    """No connection."""
    BROKEN = "broken"
    """The connection ended before the answer did."""
    LATE = "late"
    """No whole answer in time."""
    GATEWAY = "gateway"
    """An answer of the router's own."""
    EARNED = "earned"
    """A wrong answer of the version itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one request met.

    Attributes:
        at: when it ended, in seconds since 1970.
        request: such as `POST /checkout`.
        seconds: how long it took.
        version: who answered; None where no version of shop did.
        failure: how it failed, if it did.
        detail: the status or the error, for a failure.
    """

    at: float
    request: str
    seconds: float
    version: str | None = None
    failure: Failure | None = None
    detail: str = ""


@dataclass(slots=True)
class VersionCounts:
    """What users met at one version."""

    first_at: float
    last_at: float
    failed: int = 0
    seconds: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return {
            "requests": len(self.seconds),
            "failed": self.failed,
            "first_at": round(self.first_at, 3),
            "last_at": round(self.last_at, 3),
            **_latency(self.seconds),
        }


class Counts:
    """What all users met."""

    def __init__(self) -> None:
        self._versions: dict[str, VersionCounts] = {}
        self._on_the_way: Counter[str] = Counter()
        self._seconds: list[float] = []
        self._examples: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """Count a request that has ended."""
        self._seconds.append(outcome.seconds)
        if outcome.version is not None:
            version = self._versions.setdefault(outcome.version, VersionCounts(outcome.at, outcome.at))
            version.last_at = max(version.last_at, outcome.at)
            version.seconds.append(outcome.seconds)
            version.failed += outcome.failure is not None
        if outcome.failure is None:
            return
        if outcome.failure is not Failure.EARNED:
            self._on_the_way[outcome.failure.value] += 1
        if len(self._examples) < EXAMPLES:
            self._examples.append(outcome)

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        earned = sum(version.failed for version in self._versions.values())
        on_the_way = sum(self._on_the_way.values())
        return {
            "requests": len(self._seconds),
            "failed": earned + on_the_way,
            "earned": earned,
            "on_the_way": on_the_way,
            "on_the_way_by_kind": dict(sorted(self._on_the_way.items())),
            **_latency(self._seconds),
            "versions": {name: counts.summary() for name, counts in sorted(self._versions.items())},
            "examples": [
                {
                    "at": round(each.at, 3),
                    "request": each.request,
                    "version": each.version,
                    "failure": each.failure,
                    "detail": each.detail,
                }
                for each in self._examples
            ],
        }


def judge(request: str, status: int, expected: int, version: str | None) -> tuple[Failure | None, str]:
    """Return how a request with that answer failed, if it did, and a word on it."""
    if version is None:
        return Failure.GATEWAY, f"{request} answered with {status}, by no version of shop"
    if status != expected:
        return Failure.EARNED, f"status {status}"
    return None, ""


def percentile(q: float, values: Sequence[float]) -> float:
    """Return the `q`-quantile by the nearest rank: the smallest value that at least that share does not exceed.

    Raises:
        ValueError: there are no values, or `q` is not above 0 and at most 1.
    """
    if not values or not 0 < q <= 1:
        raise ValueError("a percentile needs values, and a share above 0 and at most 1")
    return sorted(values)[math.ceil(q * len(values)) - 1]


def _latency(seconds: Sequence[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50_ms": None, "p99_ms": None, "max_ms": None}
    figures = {"p50_ms": percentile(0.5, seconds), "p99_ms": percentile(0.99, seconds), "max_ms": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in figures.items()}
