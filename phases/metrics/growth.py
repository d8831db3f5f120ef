"""Totals of a slot from the counters of many processes, some of which come, go and start anew.

`sum(counter)` over all of them falls when one leaves, and a counter that fell is taken for one that was reset: all the
others' past would count a second time. So each process is followed by itself, as `sum(rate(...))` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from phases.metrics.base import SlotCounters
from phases.metrics.promql import Series
from phases.window import increase, plus

Process = tuple[str, frozenset[tuple[str, str]]]
"""A slot, and the labels that tell its counting processes apart."""


class Growth:
    """Adds up what every process has counted since it was first seen, and what it had counted before."""

    def __init__(self) -> None:
        self._raw: dict[Process, SlotCounters] = {}
        self._totals: dict[str, SlotCounters] = {}

    def add(self, found: Iterable[Series], *, unit: float) -> dict[str, SlotCounters]:
        """Take what all processes show now; return the totals by slot.

        Args:
            found: series; only counters are looked at.
            unit: seconds of one unit of the buckets' bounds.

        Raises:
            ValueError: they are not the counters of requests.
        """
        for process, shown in _processes(found, unit).items():
            slot = process[0]
            old = self._raw.get(process, SlotCounters())
            new = shown.over(old)
            self._totals[slot] = plus(self._totals.get(slot, SlotCounters()), increase(old, new))
            # A process that is missing for a while keeps its counters: it goes on, or begins again.
            self._raw[process] = new
        return dict(self._totals)


@dataclass(slots=True)
class _Shown:
    """What one process shows; None where it shows nothing."""

    requests: float | None = None
    errors: float | None = None
    buckets: dict[float, float] = field(default_factory=dict)

    def over(self, old: SlotCounters) -> SlotCounters:
        """Return the counters, with the old ones where a series is missing: one that is late is no restart."""
        requests = old.requests if self.requests is None else self.requests
        if requests < old.requests:
            return SlotCounters(requests, self.errors or 0.0, self.buckets)
        errors = old.errors if self.errors is None else self.errors
        return SlotCounters(requests, errors, self.buckets or old.buckets)


def _processes(found: Iterable[Series], unit: float) -> dict[Process, _Shown]:
    processes: dict[Process, _Shown] = {}
    for one in found:
        if one.kind not in ("requests", "errors", "latency"):
            continue
        labels = frozenset(item for item in one.labels.items() if item[0] not in ("le", "__name__"))
        mine = processes.setdefault((one.slot, labels), _Shown())
        if one.kind == "requests":
            mine.requests = (mine.requests or 0.0) + one.value
        elif one.kind == "errors":
            mine.errors = (mine.errors or 0.0) + one.value
        else:
            bound = float(one.labels["le"]) * unit
            mine.buckets[bound] = mine.buckets.get(bound, 0.0) + one.value
    for (slot, _), shown in processes.items():
        if shown.buckets and math.inf not in shown.buckets:
            raise ValueError(f"the histogram of slot {slot} has no bucket +Inf")
    return processes
