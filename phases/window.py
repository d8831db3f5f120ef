"""The sliding window: what was counted for each slot lately, from counters that only grow or begin again.

A counter that fell was reset - its process was restarted - and what it shows now was counted since, as Prometheus'
`rate` and `increase` have it (https://prometheus.io/docs/prometheus/latest/querying/functions/#rate). Here all
counters of a slot are taken together: where one fell, all were reset, also those that have grown past their old value
already.

The window begins at the newest sample that is at least `seconds` old, so that a pause between two samples loses no
request. Where it would hold fewer than `least` requests of the new slot, it begins as much earlier as it takes, though
never before the first sample: a service with few users is watched over its last `least` requests, not never.

Samples may come at any pace, also many between two scrapes: the same counters once more are no request more, so they
are no evidence either.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from phases.metrics.base import Sample, SlotCounters

_NONE = SlotCounters()


@dataclass(frozen=True, slots=True)
class _Point:
    """Totals since the first sample."""

    at: float
    totals: Mapping[str, SlotCounters]

    def of(self, slot: str) -> SlotCounters:
        return self.totals.get(slot, _NONE)


class Window:
    """What was counted in the last seconds.

    Args:
        slot: the slot whose requests decide how far back the window reaches.
        seconds: its length.
        least: requests of `slot` for which it reaches further back.
    """

    def __init__(self, slot: str, *, seconds: float, least: int) -> None:
        self._slot = slot
        self._seconds = seconds
        self._least = least
        self._raw: Mapping[str, SlotCounters] | None = None
        self._points: list[_Point] = []
        self._mark = _Point(0.0, {})
        self._scraped = self._mark_late = False

    @property
    def empty(self) -> bool:
        """Whether there was no sample yet."""
        return not self._points

    def add(self, sample: Sample) -> None:
        """Take a sample. The first one is where counting begins."""
        if self._raw is None:
            self._points = [_Point(sample.at, {})]
        else:
            newest = self._points[-1].totals
            grown = {
                slot: plus(newest.get(slot, _NONE), increase(self._raw.get(slot, _NONE), counters))
                for slot, counters in sample.slots.items()
                if counters != self._raw.get(slot, _NONE)
            }
            # A slot that left the source keeps its totals: they are history, not a reset. Where nothing changed, the
            # points share their totals, so that many samples between two scrapes take no room.
            self._points.append(_Point(sample.at, {**newest, **grown} if grown else newest))
            if grown and self._mark_late:
                self._mark, self._mark_late = self._points[-1], False
            self._forget()
        # It also keeps its counters: should it come back, they went on or began again, which `increase` can tell.
        self._raw = {**(self._raw or {}), **sample.slots}
        self._scraped = sample.scraped

    def mark(self) -> None:
        """Begin to count anew for `since_mark`.

        Counters that were scraped are older than now: what their next change holds may be from before the mark, so
        counting begins after it, unless the slot had nothing to count yet.
        """
        self._mark = self._points[-1] if self._points else _Point(0.0, {})
        self._mark_late = self._scraped and self._slot in (self._raw or {})

    def recent(self, slot: str) -> SlotCounters:
        """Return what was counted for a slot within the window."""
        if not self._points:
            return _NONE
        return _minus(self._points[-1].of(slot), self._points[self._start()].of(slot))

    def since_mark(self, slot: str) -> SlotCounters:
        """Return what was counted for a slot since the last mark, or the first sample."""
        return _minus(self._points[-1].of(slot), self._mark.of(slot)) if self._points else _NONE

    def total(self, slot: str) -> SlotCounters:
        """Return what was counted for a slot since the first sample."""
        return self._points[-1].of(slot) if self._points else _NONE

    def span(self) -> float:
        """Return the seconds between the window's begin and its last sample."""
        return self._points[-1].at - self._points[self._start()].at if self._points else 0.0

    def _start(self) -> int:
        newest = self._points[-1]
        old_enough = bisect_right(self._points, newest.at - self._seconds, key=_at)
        for index in range(old_enough - 1, 0, -1):
            if newest.of(self._slot).requests - self._points[index].of(self._slot).requests >= self._least:
                return index
        return 0

    def _forget(self) -> None:
        """Drop what no window will begin at, so that a bake of days stays small.

        Before the window's begin nothing is needed, and of its points that are older than `seconds` only those with
        another number of requests than the one before: at most `least` of them.
        """
        del self._points[: self._start()]
        horizon = self._points[-1].at - self._seconds
        # Only the points that are followed by another one before the horizon; all later ones stay.
        outlived = max(bisect_right(self._points, horizon, key=_at) - 1, 0)
        kept = [
            point
            for point, following in pairwise(self._points[: outlived + 1])
            if following.of(self._slot).requests != point.of(self._slot).requests
        ]
        self._points[:outlived] = kept


def _at(point: _Point) -> float:
    return point.at


def increase(old: SlotCounters, new: SlotCounters) -> SlotCounters:
    """Return what was counted between two readings of the same counters."""
    fell = (
        new.requests < old.requests
        or new.errors < old.errors
        or any(new.buckets.get(bound, 0.0) < count for bound, count in old.buckets.items())
    )
    return new if fell else _minus(new, old)


def _minus(new: SlotCounters, old: SlotCounters) -> SlotCounters:
    buckets = {bound: count - old.buckets.get(bound, 0.0) for bound, count in new.buckets.items()}
    return SlotCounters(new.requests - old.requests, new.errors - old.errors, buckets)


def plus(one: SlotCounters, other: SlotCounters) -> SlotCounters:
    """Return both together."""
    bounds = {*one.buckets, *other.buckets}
    buckets = {bound: one.buckets.get(bound, 0.0) + other.buckets.get(bound, 0.0) for bound in bounds}
    return SlotCounters(one.requests + other.requests, one.errors + other.errors, buckets)
