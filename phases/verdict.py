"""What a gate answers. "Bad" is not "could not tell"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The answer of a gate."""

    PASSED = "passed"
    """The condition holds."""
    FAILED = "failed"
    """The condition does not hold: rollback starts at once."""
    INCONCLUSIVE = "inconclusive"
    """It could not be told (no samples, a backend that does not answer); `on_inconclusive` decides."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """A verdict, the sentence that explains it, and what was seen.

    Attributes:
        verdict: passed, failed or inconclusive.
        reason: one sentence for a person.
        evidence: JSON-able, free of secrets; recorded with the launch.
        warnings: sentences that are shown and stop nothing.
    """

    verdict: Verdict
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def passed(reason: str, evidence: Mapping[str, Any] | None = None, *, warnings: tuple[str, ...] = ()) -> GateResult:
    """Return a result that passed."""
    return GateResult(Verdict.PASSED, reason, evidence or {}, warnings)


def failed(reason: str, evidence: Mapping[str, Any] | None = None, *, warnings: tuple[str, ...] = ()) -> GateResult:
    """Return a result that failed."""
    return GateResult(Verdict.FAILED, reason, evidence or {}, warnings)


def inconclusive(
    reason: str, evidence: Mapping[str, Any] | None = None, *, warnings: tuple[str, ...] = ()
) -> GateResult:
    """Return a result that could not tell."""
    return GateResult(Verdict.INCONCLUSIVE, reason, evidence or {}, warnings)
