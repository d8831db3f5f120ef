"""How often the breaker looks: many times a second while it matters, and only then."""

from __future__ import annotations

from phases.breaker import Breaker
from phases.metrics.base import MetricsUnavailable, Sample, SlotCounters
from phases.thresholds import Thresholds
from tests.phases.conftest import FakeClock

LIMITS = Thresholds(error_rate=0.1, min_requests=20, settle=10.0)
FAST, SLOW = LIMITS.fast_interval, LIMITS.interval


class Router:
    """Counters that a test sets."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.new, self.outage = clock, SlotCounters(), False

    def sample(self) -> Sample:
        if self.outage:
            raise MetricsUnavailable("away")
        return Sample(self.clock.seconds, {"new": self.new})


class Story:
    """A breaker whose traffic moved long ago."""

    def __init__(self, thresholds: Thresholds = LIMITS, health: bool | None = True) -> None:
        self.clock = FakeClock()
        self.router = Router(self.clock)
        self.healthy = health
        self.asked = 0
        self.breaker = Breaker(
            thresholds, source=self.router, new_slot="new", old_slot=None, clock=self.clock, health=self._health
        )
        self.breaker.moved()
        self.clock.sleep(60)

    def _health(self) -> bool | None:
        self.asked += 1
        return self.healthy

    def after(self, seconds: float, requests: int = 0, errors: int = 0) -> float:
        """Let users meet this and observe; return the time to the next observation."""
        self.clock.sleep(seconds)
        old = self.router.new
        self.router.new = SlotCounters(old.requests + requests, old.errors + errors)
        self.breaker.tick()
        return self.breaker.interval


def test_looks_now_and_then_while_all_is_well() -> None:
    assert Story().after(1, 100, 5) == SLOW


def test_looks_often_while_a_metric_is_near_its_limit() -> None:
    story = Story()
    assert story.after(1, 100, 6) == FAST
    assert story.after(0.1, 900) == SLOW


def test_looks_often_while_the_traffic_has_just_moved() -> None:
    story = Story()
    story.breaker.moved()
    assert story.breaker.interval == FAST
    assert story.after(9.9, 100) == FAST
    assert story.after(0.2, 100) == SLOW


def test_looks_often_at_first_where_somebody_else_moved_the_traffic() -> None:
    """A `post_launch` phase begins right after the last shift; a launch that is resumed may have moved it just now."""
    clock = FakeClock()
    breaker = Breaker(LIMITS, source=Router(clock), new_slot="new", old_slot=None, clock=clock)
    breaker.tick()
    assert breaker.interval == FAST
    clock.sleep(11)
    breaker.tick()
    assert breaker.interval == SLOW


def test_looks_often_while_errors_are_too_few_to_judge() -> None:
    assert Story().after(1, 10, 1) == FAST
    assert Story().after(1, 10, 0) == SLOW


def test_looks_often_while_the_slot_is_sick_or_does_not_answer() -> None:
    limits = LIMITS.model_copy(update={"health_check_failures": 3})
    assert Story(limits, health=False).after(1, 100) == FAST
    assert Story(limits, health=None).after(1, 100) == FAST
    assert Story(limits, health=True).after(1, 100) == SLOW


def test_an_outage_alone_is_no_reason_to_press() -> None:
    story = Story()
    story.router.outage = True
    assert story.after(1) == SLOW


def test_never_looks_less_often_than_told() -> None:
    assert Story(LIMITS.model_copy(update={"interval": 0.05})).after(1, 100, 6) == 0.05


def test_looking_often_does_not_make_three_failed_checks_of_one() -> None:
    """`health_check_failures` counts checks an interval apart, at whatever pace the metrics are read."""
    story = Story(LIMITS.model_copy(update={"health_check_failures": 3}), health=False)
    for _ in range(11):
        story.after(0.1)
    assert story.asked == 2
    assert story.breaker.tick().tripped is None


def test_a_check_that_has_not_answered_is_asked_for_again_at_once() -> None:
    story = Story(LIMITS.model_copy(update={"health_check_failures": 3}), health=None)
    story.after(0.1, 100)
    assert "failed health checks cannot be told" in story.breaker.conclusion().reason
    story.healthy = True
    story.after(0.1)
    assert story.asked == 2
    assert story.breaker.conclusion().reason.startswith("within all limits")
