"""Scrapes come at their time, and are looked for then."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.cadence import Cadence

PACE = 0.1
LOOK = 0.004
"""How long a look takes."""


@dataclass
class Story:
    """Numbers that are new at some times, and somebody who looks as the cadence says."""

    scrapes: list[float]
    looks: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    """By scrape, how long after it was seen."""

    def run(self, until: float) -> Story:
        cadence, now, seen = Cadence(PACE), 0.0, 0
        while now < until:
            now += LOOK
            self.looks.append(now)
            there = sum(scrape <= now for scrape in self.scrapes)
            if there > seen:
                self.late.append(now - self.scrapes[there - 1])
            cadence.saw(now, news=there > seen)
            seen = there
            now += cadence.seconds(now, PACE)
        return self


def every(interval: float, *, first: float = 0.35, count: int = 40, jitter: float = 0.0) -> list[float]:
    return [first + number * interval + jitter * ((number * 7) % 5 - 2) / 2 for number in range(count)]


@given(interval=st.floats(0.5, 15.0), first=st.floats(0.05, 1.0), jitter=st.floats(0.0, 0.005))
def test_once_it_is_known_a_scrape_is_seen_within_a_few_milliseconds(
    interval: float, first: float, jitter: float
) -> None:
    story = Story(every(interval, first=first, jitter=jitter)).run(interval * 38)

    assert max(story.late[12:]) <= 0.016
    assert len(story.looks) <= 38 * interval / PACE + 38 * 20, "a few queries more for each scrape, and not many"


def test_the_first_scrapes_are_seen_at_the_usual_pace() -> None:
    story = Story(every(1.0)).run(4.0)

    assert max(story.late[:3]) <= PACE + 2 * LOOK


def test_what_comes_all_the_time_is_looked_at_at_the_usual_pace() -> None:
    """As with the router of the local platform, which counts and is not scraped."""
    story = Story(every(0.01, count=1000)).run(8.0)

    assert len(story.looks) == pytest.approx(8.0 / (PACE + LOOK), rel=0.05)


def test_what_comes_without_order_is_looked_at_at_the_usual_pace() -> None:
    """Many targets, each scraped at a time of its own."""
    story = Story([0.3, 0.5, 1.9, 2.0, 2.8, 4.4, 4.9, 5.0, 6.6, 7.1]).run(8.0)

    assert len(story.looks) == pytest.approx(8.0 / (PACE + LOOK), rel=0.2)


def test_a_scrape_that_does_not_come_is_not_waited_for_closely() -> None:
    scrapes = every(1.0, count=8)
    before = len(Story(scrapes).run(scrapes[-1] + 0.5).looks)
    after = len(Story(scrapes).run(scrapes[-1] + 10.5).looks)

    assert after - before <= 10.0 / PACE + 20


def test_a_missed_scrape_changes_nothing() -> None:
    scrapes = every(1.0, count=30)
    del scrapes[15]
    story = Story(scrapes).run(28.0)

    assert max(story.late[20:]) <= 0.016
