"""What the breaker counts lately, against a model that remembers every single request."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from phases.metrics.base import Sample, SlotCounters
from phases.window import Window, increase


def counters(requests: float, errors: float = 0.0) -> SlotCounters:
    return SlotCounters(requests, errors, {0.1: requests - errors, math.inf: requests})


def window(*samples: tuple[float, float, float], seconds: float = 10.0, least: int = 1) -> Window:
    """A window over the new slot after samples of (when, requests, errors)."""
    made = Window("new", seconds=seconds, least=least)
    for at, requests, errors in samples:
        made.add(Sample(at, {"new": counters(requests, errors)}))
    return made


def test_counting_begins_at_the_first_sample() -> None:
    """What the slot did before it had users is no evidence."""
    seen = window((0, 1000, 500), (1, 1010, 501))
    assert (seen.recent("new").requests, seen.recent("new").errors) == (10, 1)


def test_a_slot_that_was_not_there_yet_begins_at_zero() -> None:
    """The router names a slot when it first gets it: its very first requests count."""
    seen = Window("new", seconds=10, least=1)
    seen.add(Sample(0, {"old": counters(50)}))
    seen.add(Sample(1, {"old": counters(60), "new": counters(7, 3)}))
    assert seen.recent("new").errors == 3


def test_what_is_older_than_the_window_no_longer_counts() -> None:
    seen = window((0, 0, 0), (5, 100, 90), (10, 200, 90), (15, 300, 90))
    assert seen.recent("new") == SlotCounters(200, 0, {0.1: 200, math.inf: 200})


def test_a_gap_between_two_samples_loses_no_request() -> None:
    """The metrics were away for a minute; what the users met meanwhile counts as soon as they are back."""
    seen = window((0, 0, 0), (1, 100, 0), (61, 300, 40), seconds=10)
    assert (seen.recent("new").requests, seen.recent("new").errors) == (200, 40)


def test_reaches_further_back_for_a_service_with_few_users() -> None:
    seen = window(*((float(t), float(t), 0.0) for t in range(100)), seconds=10, least=30)
    assert (seen.recent("new").requests, seen.span()) == (30, 30)


def test_a_router_that_was_restarted_counts_from_zero() -> None:
    seen = window((0, 100, 10), (1, 120, 12), (2, 5, 1))
    assert (seen.recent("new").requests, seen.recent("new").errors) == (25, 3)


def test_a_reset_is_seen_even_where_one_counter_has_grown_past_its_old_value() -> None:
    """More errors in a moment than before in a year: counter by counter, a reset would hide most of them."""
    assert increase(counters(1000, 5), counters(100, 50)) == counters(100, 50)


def test_a_slot_that_leaves_and_comes_back_keeps_what_it_did() -> None:
    seen = Window("new", seconds=10, least=1)
    seen.add(Sample(0, {"new": counters(0)}))
    seen.add(Sample(1, {"new": counters(8, 2)}))
    seen.add(Sample(2, {}))
    assert seen.recent("new").errors == 2
    seen.add(Sample(3, {"new": counters(9, 2)}))
    assert (seen.recent("new").requests, seen.recent("new").errors) == (9, 2)


def test_a_mark_counts_anew_and_forgets_nothing() -> None:
    seen = window((0, 0, 0), (1, 50, 5))
    seen.mark()
    seen.add(Sample(2, {"new": counters(60, 5)}))
    assert seen.since_mark("new").requests == 10
    assert seen.recent("new").errors == 5


def test_says_nothing_before_the_first_sample() -> None:
    seen = Window("new", seconds=10, least=1)
    assert (seen.empty, seen.recent("new"), seen.since_mark("new"), seen.span()) == (
        True,
        SlotCounters(),
        SlotCounters(),
        0.0,
    )


def test_a_bake_of_a_day_without_users_stays_small() -> None:
    seen = Window("new", seconds=10, least=20)
    for second in range(86_400):
        seen.add(Sample(float(second), {"new": counters(second // 10_000), "old": counters(second)}))
    assert len(seen._points) < 40


@dataclass(frozen=True)
class Interval:
    """Between two samples: how long, what the users met, and whether the router began anew first."""

    seconds: float
    good: int
    bad: int
    other: int
    restarted: bool


INTERVALS = st.lists(
    st.builds(
        Interval,
        seconds=st.sampled_from([0.5, 1.0, 1.0, 3.0, 20.0]),
        good=st.integers(0, 30),
        bad=st.integers(0, 5),
        other=st.integers(0, 30),
        restarted=st.booleans(),
    ),
    max_size=40,
)


@given(INTERVALS, st.sampled_from([2.0, 5.0, 10.0]), st.sampled_from([1, 10, 50]))
def test_counts_as_one_who_remembers_every_request(intervals: list[Interval], seconds: float, least: int) -> None:
    seen = Window("new", seconds=seconds, least=least)
    at, raw, other = 0.0, (7, 3), 11
    seen.add(Sample(at, {"new": counters(*raw), "old": counters(other)}))
    history: list[tuple[float, int, int]] = []
    for interval in intervals:
        requests, errors = interval.good + interval.bad, interval.bad
        # Only a restart that shows can be known: one after which the counter is below its old value.
        restarted = interval.restarted and requests < raw[0]
        raw = (requests, errors) if restarted else (raw[0] + requests, raw[1] + errors)
        other += interval.other
        at += interval.seconds
        history.append((at, requests, errors))
        seen.add(Sample(at, {"new": counters(*raw), "old": counters(other)}))

        begin = max(
            (
                start
                for start in (0.0, *(when for when, _, _ in history))
                if start <= at - seconds and sum(r for when, r, _ in history if when > start) >= least
            ),
            default=0.0,
        )
        recent = seen.recent("new")
        assert recent.requests == sum(r for when, r, _ in history if when > begin)
        assert recent.errors == sum(e for when, _, e in history if when > begin)
        assert recent.buckets.get(math.inf, 0.0) == recent.requests
        assert seen.total("old").requests == other - 11


SCRAPES = st.lists(
    st.tuples(
        st.sampled_from([0.3, 1.0, 5.0]),
        st.integers(0, 30),
        st.integers(0, 5),
        st.lists(st.floats(0.001, 0.3), max_size=12),
    ),
    max_size=25,
)


@given(SCRAPES, st.sampled_from([2.0, 10.0]), st.sampled_from([1, 20]))
def test_looking_more_often_than_the_scrape_is_no_evidence(
    scrapes: list[tuple[float, int, int, list[float]]], seconds: float, least: int
) -> None:
    """At any pace, in any rhythm: what counts is what the scrapes counted, once."""
    often = Window("new", seconds=seconds, least=least)
    requests = errors = 0
    at, counted = 0.0, []
    often.add(Sample(at, {"new": counters(0)}, scraped=True))
    for pause, good, bad, looks in scrapes:
        at += pause
        requests, errors = requests + good + bad, errors + bad
        counted.append((at, good + bad, bad))
        for look in (0.0, *sorted(looks)):
            now = at + look * pause
            often.add(Sample(now, {"new": counters(requests, errors)}, scraped=True))
            recent = often.recent("new")
            assert often.total("new").requests == requests
            # Never less than the window holds, so that nothing that went wrong in it is missed...
            assert recent.requests >= sum(r for when, r, _ in counted if when > now - seconds)
            assert recent.errors >= sum(e for when, _, e in counted if when > now - seconds)
            # ... and nothing twice.
            assert recent.requests <= requests
            assert recent.errors <= errors
        at += max((0.0, *looks)) * pause


@given(st.lists(st.floats(0.001, 0.2), min_size=1, max_size=60), st.integers(1, 30))
def test_the_pace_decides_nothing(steps: list[float], least: int) -> None:
    """Whoever looks at every step, and whoever looks at the last one alone, have counted the same since the mark."""
    busy, lazy = (Window("new", seconds=1000, least=least) for _ in range(2))
    for seen in (busy, lazy):
        seen.add(Sample(0, {"new": counters(5)}))
        seen.mark()
    at = 0.0
    for number, step in enumerate(steps, 1):
        at += step
        busy.add(Sample(at, {"new": counters(5 + number // 3)}))
    lazy.add(Sample(at, {"new": counters(5 + len(steps) // 3)}))
    assert busy.since_mark("new") == lazy.since_mark("new")
    assert busy.recent("new") == lazy.recent("new")


def test_a_scrape_from_before_a_move_proves_nothing_after_it() -> None:
    """The first change that is seen after a move holds requests of before it; what follows is the new share's own."""
    seen = Window("new", seconds=60, least=1)
    seen.add(Sample(0, {"new": counters(100)}, scraped=True))
    seen.mark()
    seen.add(Sample(1, {"new": counters(100)}, scraped=True))
    seen.add(Sample(2, {"new": counters(150, 3)}, scraped=True))
    assert seen.since_mark("new").requests == 0
    assert seen.recent("new").errors == 3
    seen.add(Sample(17, {"new": counters(180, 3)}, scraped=True))
    assert seen.since_mark("new").requests == 30


def test_a_slot_that_had_no_users_proves_itself_from_its_first_scrape() -> None:
    seen = Window("new", seconds=60, least=1)
    seen.add(Sample(0, {"old": counters(100)}, scraped=True))
    seen.mark()
    seen.add(Sample(15, {"old": counters(150), "new": counters(20)}, scraped=True))
    assert seen.since_mark("new").requests == 20


def test_ten_looks_a_second_stay_small_between_scrapes() -> None:
    seen = Window("new", seconds=300, least=20)
    for tenth in range(30_000):
        seen.add(Sample(tenth / 10, {"new": counters(tenth // 150)}, scraped=True))
    assert len(seen._points) <= 3010
    assert len({id(point.totals) for point in seen._points}) < 25
