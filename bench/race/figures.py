"""From single breaches to figures: a median and a 95th percentile of everything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.measurement import Measurement
from bench.race.conditions import RATE


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach, as an observer saw it. Times are seconds of the system's clock.

    Attributes:
        contestant: who was to end it.
        breached: from here on the new version failed.
        visible: Prometheus showed it.
        verdict: the contestant knew it; None where it never said so.
        safe: an API watch saw the new version's weight at 0.
        weights: the new version's percent of the users, from when on; in order.
    """

    contestant: str
    breached: float
    visible: float
    verdict: float | None
    safe: float
    weights: tuple[tuple[float, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it with everything that follows from it."""
        return {**asdict(self), **self.figures()}

    def figures(self) -> dict[str, float]:
        """Return what is measured, by name."""
        found = {
            "breach_to_zero": self.safe - self.breached,
            "visible_to_zero": self.safe - self.visible,
            "bad_requests": self.bad_requests(self.breached),
            "bad_requests_once_visible": self.bad_requests(self.visible),
        }
        if self.verdict is not None:
            found["verdict_to_zero"] = self.safe - self.verdict
        return found

    def bad_requests(self, since: float) -> float:
        """Return how many of a constant load's requests the new version would have got since then."""
        ends = [at for at, _ in self.weights[1:]] + [math.inf]
        return sum(
            RATE * weight / 100 * max(0.0, min(end, self.safe) - max(at, since))
            for (at, weight), end in zip(self.weights, ends, strict=True)
        )


UNITS = {
    "verdict_to_zero": "s",
    "visible_to_zero": "s",
    "breach_to_zero": "s",
    "bad_requests": "requests",
    "bad_requests_once_visible": "requests",
}
"""Of each figure."""


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


QUANTILES = {"median": 0.5, "p95": 0.95}
"""What is printed of each figure."""


def measurements(breaches: Sequence[Breach], limit: Sequence[Breach] = ()) -> Iterator[Measurement]:
    """Return the figures of one contestant, beside those of the one that nobody can beat."""
    for figure, unit in UNITS.items():
        values = [found[figure] for found in map(Breach.figures, breaches) if figure in found]
        beside = [found[figure] for found in map(Breach.figures, limit) if figure in found]
        for name, share in QUANTILES.items() if values else ():
            baseline = quantile(beside, share) if beside else None
            yield Measurement(f"race.{breaches[0].contestant}.{figure}.{name}", quantile(values, share), unit, baseline)
    if breaches:
        yield Measurement(f"race.{breaches[0].contestant}.breaches", len(breaches), "breaches")
