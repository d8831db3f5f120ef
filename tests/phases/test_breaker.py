"""The breaker: when it trips, when it lets a release pass, and when it says that it cannot tell."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from phases.breaker import Breaker
from phases.metrics.base import MetricsUnavailable, Sample, SlotCounters, SlotGauges
from phases.reading import Reading, Trip
from phases.thresholds import Thresholds
from phases.verdict import GateResult, Verdict

FAST = 0.04
SLOW = 1.7
BOUNDS = (0.05, 0.1, 0.5, 1.0, 2.0, math.inf)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Users:
    """Users and the router that counts them; a test says what they meet, second by second."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.slots: dict[str, SlotCounters] = {}
        self.outage = False

    def meet(self, slot: str, requests: int, *, errors: int = 0, slow: int = 0) -> None:
        old = self.slots.get(slot, SlotCounters())
        buckets = {
            bound: old.buckets.get(bound, 0.0)
            + (requests - slow if bound >= FAST else 0)
            + (slow if bound >= SLOW else 0)
            for bound in BOUNDS
        }
        self.slots[slot] = SlotCounters(old.requests + requests, old.errors + errors, buckets)

    def sample(self) -> Sample:
        if self.outage:
            raise MetricsUnavailable("the metrics cannot be read")
        return Sample(self.time.at, dict(self.slots))


class Story:
    """A launch under the breaker's eyes."""

    def __init__(
        self, thresholds: Thresholds, *, old: str | None = "old", health: Callable[[], bool] | None = None
    ) -> None:
        self.time = Time()
        self.users = Users(self.time)
        self.breaker = Breaker(
            thresholds, source=self.users, new_slot="new", old_slot=old, clock=self.time, health=health
        )

    def second(self, new: int = 0, *, errors: int = 0, slow: int = 0, old: int = 0, old_errors: int = 0) -> Reading:
        """Let a second pass in which users meet this, and observe."""
        self.users.meet("new", new, errors=errors, slow=slow)
        self.users.meet("old", old, errors=old_errors)
        self.time.sleep(1.0)
        return self.breaker.tick()

    def end(self) -> GateResult:
        return self.breaker.conclusion()


LIMITS = Thresholds(error_rate=0.02, latency_p99_ms=800, min_requests=20)


def test_a_good_release_passes() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    reading = story.second(100)
    assert reading.verdict is Verdict.PASSED
    assert reading.values["error_rate"] == 0
    assert reading.values.keys() == reading.limits.keys() == {"error_rate", "latency_p99_ms"}
    assert story.end().verdict is Verdict.PASSED
    assert story.end().evidence["requests"] == 100


def test_trips_when_too_many_requests_fail() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    reading = story.second(100, errors=3)
    assert reading.tripped == Trip("error_rate", 0.03, 0.02)
    assert "error rate 3.00% is over the limit of 2.00%" in reading.reason
    assert story.end().verdict is Verdict.FAILED


def test_a_value_at_its_limit_does_not_break_it() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    assert story.second(100, errors=2).tripped is None
    assert story.end().verdict is Verdict.PASSED


def test_trips_when_the_slowest_hundredth_is_too_slow() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    reading = story.second(100, slow=4)
    assert reading.tripped is not None
    assert reading.tripped.metric == "latency_p99_ms"
    assert 1000 < reading.tripped.value < 2000


def test_one_bad_request_of_a_few_says_nothing_yet() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    reading = story.second(19, errors=19)
    assert (reading.verdict, reading.values["error_rate"]) == (Verdict.INCONCLUSIVE, None)
    assert "19 requests" in reading.reason


def test_few_users_that_all_fail_trip_it_as_soon_as_there_are_enough() -> None:
    """Two requests a second never reach the minimum within the window; the last twenty of them do."""
    story = Story(LIMITS.model_copy(update={"window": 5.0}))
    story.breaker.moved()
    readings = [story.second(2, errors=2) for _ in range(10)]
    assert [bool(reading.tripped) for reading in readings] == [False] * 9 + [True]


def test_stays_tripped_when_the_errors_stop() -> None:
    """The loop has begun to roll back: a lull must not turn the verdict."""
    story = Story(LIMITS)
    story.breaker.moved()
    story.second(100, errors=50)
    reading = [story.second(100) for _ in range(30)][-1]
    assert reading.verdict is Verdict.FAILED
    assert reading.tripped == Trip("error_rate", 0.5, 0.02)
    story.breaker.moved()
    assert story.second(100).verdict is Verdict.FAILED


def test_errors_that_are_older_than_the_window_are_forgiven() -> None:
    story = Story(LIMITS.model_copy(update={"min_requests": 1000}))
    story.breaker.moved()
    story.second(500, errors=20)
    reading = [story.second(500) for _ in range(11)][-1]
    assert reading.values["error_rate"] == 0


def test_silence_is_not_success() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    for _ in range(5):
        story.second(0, old=100)
    assert story.end().verdict is Verdict.INCONCLUSIVE
    assert "no request in" in story.end().reason


def test_nothing_observed_is_inconclusive() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    assert story.end().verdict is Verdict.INCONCLUSIVE


def test_an_outage_of_the_metrics_is_not_a_bad_release() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    story.second(100)
    story.users.outage = True
    reading = story.second(100, errors=100)
    assert reading.verdict is Verdict.INCONCLUSIVE
    assert reading.values["error_rate"] is None
    assert story.end().reason == "the metrics cannot be read"


def test_what_happened_in_an_outage_counts_once_it_is_over() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    story.users.outage = True
    story.second(100, errors=60)
    story.users.outage = False
    assert story.second(0).tripped == Trip("error_rate", 0.6, 0.02)


def test_an_outage_from_the_start_begins_to_count_when_it_is_over() -> None:
    story = Story(LIMITS)
    story.users.outage = True
    story.breaker.moved()
    story.second(100, errors=100)
    story.users.outage = False
    assert story.second(0).verdict is Verdict.INCONCLUSIVE
    assert story.second(50).verdict is Verdict.PASSED


def test_what_the_slot_did_before_it_had_users_does_not_count() -> None:
    story = Story(LIMITS)
    story.users.meet("new", 500, errors=400)
    story.breaker.moved()
    assert story.second(50).values["error_rate"] == 0


def test_each_share_of_the_traffic_proves_itself() -> None:
    """A hundred good requests at 1% say nothing about 50%: without users there, it is silence."""
    story = Story(LIMITS)
    story.breaker.moved()
    story.second(100)
    assert story.end().verdict is Verdict.PASSED
    story.breaker.moved()
    assert story.end().verdict is Verdict.INCONCLUSIVE
    story.second(5)
    assert story.end().verdict is Verdict.INCONCLUSIVE
    assert "5 requests since the traffic moved" in story.end().reason
    story.second(15)
    assert story.end().verdict is Verdict.PASSED


def test_errors_from_before_a_move_still_count_after_it() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    story.second(60, errors=1)
    story.breaker.moved()
    assert story.second(40, errors=2).tripped == Trip("error_rate", 0.03, 0.02)


def test_trips_when_more_health_checks_fail_in_a_row_than_may() -> None:
    story = Story(Thresholds(health_check_failures=3), health=lambda: False)
    story.breaker.moved()
    readings = [story.second() for _ in range(4)]
    assert [bool(reading.tripped) for reading in readings] == [False, False, False, True]
    assert readings[-1].tripped == Trip("health_check_failures", 4, 3)


def test_health_checks_that_recover_begin_to_count_anew() -> None:
    answers = iter([False, False, False, True, False, False, False])
    story = Story(Thresholds(health_check_failures=3), health=lambda: next(answers))
    story.breaker.moved()
    assert not any(story.second().tripped for _ in range(7))


def test_a_bake_does_not_end_well_on_a_failing_health_check() -> None:
    healthy = [True, False]
    story = Story(Thresholds(health_check_failures=3), health=lambda: healthy.pop(0))
    story.breaker.moved()
    story.second()
    assert story.end().verdict is Verdict.PASSED
    story.second()
    assert story.end().verdict is Verdict.INCONCLUSIVE


def test_health_alone_needs_no_metrics() -> None:
    story = Story(Thresholds(health_check_failures=3), health=lambda: True)
    story.users.outage = True
    story.breaker.moved()
    story.second()
    assert story.end().verdict is Verdict.PASSED


def test_a_sick_slot_trips_it_in_an_outage_of_the_metrics_too() -> None:
    story = Story(LIMITS.model_copy(update={"health_check_failures": 1}), health=lambda: False)
    story.users.outage = True
    story.breaker.moved()
    story.second()
    assert story.second().tripped == Trip("health_check_failures", 2, 1)


RATIO = Thresholds(max_ratio=3, min_requests=20)


def test_trips_when_the_new_slot_fails_more_often_than_the_old_one() -> None:
    story = Story(RATIO)
    story.breaker.moved()
    reading = story.second(100, errors=8, old=1000, old_errors=20)
    assert reading.tripped == Trip("error_ratio", 4, 3)


def test_an_environment_that_is_bad_for_both_slots_does_not_trip_it() -> None:
    """The database is down for everybody: the new version is not the culprit."""
    story = Story(RATIO)
    story.breaker.moved()
    assert story.second(100, errors=50, old=1000, old_errors=500).tripped is None


def test_one_error_beside_a_spotless_old_slot_does_not_trip_it() -> None:
    story = Story(RATIO)
    story.breaker.moved()
    reading = story.second(20, errors=1, old=100_000)
    assert reading.values["error_ratio"] == 1
    tripped = story.second(80, errors=4, old=100_000).tripped
    assert tripped is not None
    assert tripped.value == pytest.approx(5.0)


def test_an_old_slot_without_users_is_judged_by_what_it_did_when_it_had_some() -> None:
    story = Story(RATIO.model_copy(update={"window": 2.0}))
    story.breaker.moved()
    story.second(50, old=1000, old_errors=100)
    story.breaker.moved()
    reading = [story.second(100, errors=20) for _ in range(6)][-1]
    assert reading.values["error_ratio"] == pytest.approx(2.0)


def test_nobody_to_compare_with_does_not_stop_what_its_own_limits_speak_for() -> None:
    story = Story(Thresholds(max_ratio=3, error_rate=0.02))
    story.breaker.moved()
    reading = story.second(100, errors=1)
    assert (reading.verdict, reading.values["error_ratio"]) == (Verdict.PASSED, None)


def test_nobody_to_compare_with_is_inconclusive_where_nothing_else_is_watched() -> None:
    story = Story(RATIO)
    story.breaker.moved()
    assert story.second(100).verdict is Verdict.INCONCLUSIVE


def test_a_first_launch_is_not_compared_with_anything() -> None:
    story = Story(Thresholds(max_ratio=3, error_rate=0.02), old=None)
    story.breaker.moved()
    assert story.second(100).limits == {"error_rate": 0.02}


def test_a_source_without_durations_cannot_tell_latency() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    story.users.slots["new"] = SlotCounters(100)
    assert "p99 latency cannot be told" in story.breaker.tick().reason


def test_half_a_histogram_cannot_tell_latency() -> None:
    story = Story(LIMITS)
    story.breaker.moved()
    story.users.slots["new"] = SlotCounters(100, 0, {0.1: 90})
    assert story.breaker.tick().values["latency_p99_ms"] is None


def test_says_so_where_nothing_is_watched() -> None:
    story = Story(Thresholds())
    story.breaker.moved()
    story.second(100, errors=100)
    assert story.end().verdict is Verdict.PASSED
    assert story.end().warnings == ("no limit is set: the breaker watches nothing",)


def test_without_a_call_before_the_move_the_first_observation_is_the_beginning() -> None:
    """A launch that is resumed in the middle of a bake."""
    story = Story(LIMITS)
    story.users.meet("new", 1000, errors=900)
    story.breaker.tick()
    assert story.second(100).values["error_rate"] == 0


class Recorded:
    """A source that knows finished figures; a test says which."""

    def __init__(self, *, counted: bool = False) -> None:
        self.counted = counted
        self.gauges: dict[str, SlotGauges] = {}
        self.slots: dict[str, SlotCounters] = {}

    def sample(self) -> Sample:
        return Sample(0.0, dict(self.slots), dict(self.gauges), counted=self.counted, scraped=True)


def watched(source: Recorded, limits: Thresholds = LIMITS, old: str | None = "old") -> Breaker:
    breaker = Breaker(limits, source=source, new_slot="new", old_slot=old, clock=Time())
    breaker.moved()
    return breaker


def test_a_recorded_figure_is_compared_as_it_is() -> None:
    source = Recorded()
    breaker = watched(source)
    source.gauges = {"new": SlotGauges(error_rate=0.01, latency_p99_ms=700)}
    assert breaker.tick().verdict is Verdict.PASSED
    assert breaker.conclusion().verdict is Verdict.PASSED
    source.gauges = {"new": SlotGauges(error_rate=0.01, latency_p99_ms=900)}
    assert breaker.tick().tripped == Trip("latency_p99_ms", 900, 800)


def test_no_figure_is_silence() -> None:
    breaker = watched(Recorded())
    assert breaker.tick().verdict is Verdict.INCONCLUSIVE
    assert breaker.conclusion().reason == "error rate, p99 latency cannot be told from these metrics"


def test_a_figure_over_too_few_requests_says_nothing_where_they_are_counted() -> None:
    source = Recorded(counted=True)
    breaker = watched(source)
    source.gauges = {"new": SlotGauges(error_rate=1, latency_p99_ms=5)}
    source.slots = {"new": SlotCounters(19)}
    assert breaker.tick().verdict is Verdict.INCONCLUSIVE
    source.slots = {"new": SlotCounters(20)}
    assert breaker.tick().tripped == Trip("error_rate", 1, 0.02)


def test_figures_of_both_slots_are_compared() -> None:
    source = Recorded()
    breaker = watched(source, RATIO)
    source.gauges = {"new": SlotGauges(error_rate=0.2), "old": SlotGauges(error_rate=0.1)}
    assert breaker.tick().values["error_ratio"] == pytest.approx(2)
    source.gauges = {"new": SlotGauges(error_rate=0.2), "old": SlotGauges(error_rate=0)}
    tripped = breaker.tick().tripped
    assert tripped is not None
    assert tripped.value == pytest.approx(4)
