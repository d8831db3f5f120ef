"""Being ahead: what is prepared and when, who goes back first, and what is noted when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from phases import events
from phases.errors import EngineError, UpdateFailed
from phases.signals import Request
from phases.spec import LaunchSpec
from phases.states import LaunchState, PhaseState
from phases.verdict import passed
from tests.phases.conftest import FakeBreaker, Story
from tests.phases.test_sequence import gate, with_gate

Make = Callable[..., LaunchSpec]


def test_while_a_step_runs_the_steps_after_it_are_prepared_and_again_when_it_is_done(spec: Make) -> None:
    story = Story(spec())
    story.launch()
    ahead = [(steps[0] if steps else None, running) for steps, running in story.world.prepared]
    assert ("deploy.1", "migration.1") in ahead, "the next phase's stack is armed while this one's is updated"
    assert ("traffic.1", None) in ahead
    assert ahead.index(("traffic.2", "traffic.1")) < ahead.index(("traffic.2", None)), "its own stack was busy before"
    assert ("deploy.retire", None) in ahead


def test_it_is_known_which_step_follows_at_once(spec: Make) -> None:
    story = Story(with_gate(spec(), "deploy", gate(passed("as it should be"))))
    story.launch()
    said = set(story.world.soon)
    assert "traffic.3" in said, "the flags follow the weights"
    assert "deploy.1" not in said, "a gate is asked before"
    assert "traffic.2" not in said, "a bake is before it"


def test_during_a_long_bake_it_is_looked_after_that_something_is_still_prepared(spec: Make) -> None:
    story = Story(spec({"post_launch": {"window": "4m", "timeout_ms": 600_000}}))
    story.launch()
    watching = [running for steps, running in story.world.prepared if [*steps] == ["deploy.retire"]]
    assert 30 <= len(watching) <= 200


def test_everything_is_let_go_of_before_the_launch_is_said_to_have_ended(spec: Make) -> None:
    story = Story(spec())
    rested: list[int] = []

    def observe(event: events.Event) -> None:
        if isinstance(event, events.LaunchEnded):
            rested.append(story.world.rested)

    story.observers = [observe]
    story.launch()
    assert rested == [1]


def test_a_pause_that_ends_the_process_lets_go_too(spec: Make) -> None:
    story = Story(spec(), pause_on_interrupt=True)
    story.signals.schedule(5, Request.INTERRUPT)
    assert story.launch().state is LaunchState.PAUSED
    assert story.world.rested == 1


def test_a_pause_keeps_what_is_prepared_and_users_are_pulled_back_from_it(spec: Make) -> None:
    story = Story(spec())
    story.world.watch = FakeBreaker(story.clock, trips_after=20)
    story.signals.schedule(3, Request.PAUSE)
    story.launch()
    assert story.world.pulled
    moved = [event.to for event in story.told(events.LaunchMoved)]
    assert moved == [LaunchState.PAUSED, LaunchState.RUNNING]


def test_when_the_breaker_trips_users_are_pulled_back_before_anybody_is_told(spec: Make) -> None:
    story = Story(spec())
    story.world.watch = FakeBreaker(story.clock, trips_after=4)
    pulls: list[int] = []

    def observe(event: events.Event) -> None:
        story.events.append(event)
        if isinstance(event, events.BreakerTripped):
            pulls.append(len(story.world.pulled))
            assert story.journal.saved[-1].rolling_back, "whoever takes the launch up knows"

    story.observers = [observe]
    story.launch()
    assert pulls == [1]
    assert story.world.undone[0] == "traffic"


def test_users_are_pulled_back_from_the_watch_after_the_launch_too(spec: Make) -> None:
    story = Story(spec())
    story.world.watch = FakeBreaker(story.clock, trips_after=30)
    assert story.launch().state is LaunchState.ROLLED_BACK
    assert story.phases()["post_launch"] is PhaseState.ROLLED_BACK
    assert story.world.pulled


@pytest.mark.parametrize("asked", [Request.ABORT, Request.INTERRUPT])
def test_whoever_ends_the_launch_pulls_users_back_first(spec: Make, asked: Request) -> None:
    story = Story(spec())
    story.signals.schedule(5, asked)
    story.launch()
    assert len(story.world.pulled) == 1


def test_a_phase_that_does_not_roll_back_pulls_nobody(spec: Make) -> None:
    story = Story(spec({"traffic": {"rollback_on_failure": False}}))
    story.world.watch = FakeBreaker(story.clock, trips_after=4)
    assert story.launch().state is LaunchState.FAILED
    assert story.world.pulled == []
    assert not story.record.rolling_back
    assert story.world.rested == 1


def test_a_step_is_noted_when_it_is_recorded_and_the_bake_goes_on_meanwhile(spec: Make) -> None:
    story = Story(spec())
    story.world.slow_to_record["traffic.1"] = story.clock.seconds + 12
    noted: list[float] = []

    def save(record: Any, *, durable: bool) -> None:  # noqa: ANN401
        story.journal.saved.append(record)
        if durable:
            story.journal.durable.append(record)
        if "traffic.1" in record.phase("traffic").done and not noted:
            noted.append(story.clock.seconds)

    began = story.clock.seconds
    story.journal.save = save  # type: ignore[method-assign]
    assert story.launch().state is LaunchState.COMPLETED
    assert noted[0] >= began + 12
    baking = [event.time for event in story.told(events.BakeStarted)]
    assert (baking[0] - story.events[0].time).total_seconds() < 12


def test_killed_before_it_was_recorded_the_step_is_done_again(spec: Make) -> None:
    class Killed(BaseException):
        pass

    story = Story(spec())
    story.world.slow_to_record["traffic.1"] = float("inf")

    def observe(event: events.Event) -> None:
        story.events.append(event)
        if isinstance(event, events.BakeStarted):
            raise Killed

    story.observers = [observe]
    with pytest.raises(Killed):
        story.launch()
    assert story.world.closed
    story.observers, story.world.slow_to_record = [], {}
    assert story.die_and_resume().state is LaunchState.COMPLETED
    assert story.world.done.count("traffic.1") == 2


def test_what_cannot_be_recorded_ends_the_phase(spec: Make) -> None:
    story = Story(spec())
    story.world.slow_to_record["traffic.2"] = story.clock.seconds + 15
    story.world.settle_fails["traffic.2"] = UpdateFailed("the backend is unreachable", stack="dev-traffic")
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert "the backend is unreachable" in record.reason
    assert "traffic.2" not in record.phase("traffic").done


def test_a_retirement_that_cannot_be_recorded_is_left_to_the_next_launch(spec: Make) -> None:
    story = Story(spec())
    story.world.settle_fails["deploy.retire"] = EngineError("the backend is unreachable")
    assert story.launch().state is LaunchState.COMPLETED
    assert any("the next launch does it" in event.reason for event in story.told(events.Warned))


def test_a_breaker_that_reads_ten_times_a_second_is_told_and_kept_once_a_second(spec: Make) -> None:
    story = Story(spec({"traffic": {"steps": [{"weight": 100, "bake": "10s"}]}}))
    story.world.watch = FakeBreaker(story.clock)
    story.world.watch.interval = 0.1
    story.launch()
    told = [event for event in story.told(events.MetricsRead) if event.phase == "traffic"]
    assert 9 <= len(told) <= 13
    assert story.world.watch.readings > 100
    assert len(story.journal.saved) < 100
    assert story.record.phase("traffic").spent == {"traffic.2": 10.0}


def test_a_changed_verdict_is_told_at_once(spec: Make) -> None:
    story = Story(spec({"traffic": {"steps": [{"weight": 100, "bake": "10s"}]}}))
    story.world.watch = FakeBreaker(story.clock, trips_after=13)
    story.world.watch.interval = 0.1
    story.launch()
    told = story.told(events.MetricsRead)
    assert told[-1].values == {"error_rate": 0.05}
    assert (told[-1].time - told[-2].time).total_seconds() < 1.0
