"""Launches as stories, told to the real loop with a fake world and a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytest

from phases import events
from phases.errors import EngineError, UpdateFailed, UpdateStopped
from phases.gates.base import Gate, GateContext, Moment
from phases.gates.registry import ValidatorBase
from phases.kinds import PhaseKind
from phases.run import Control
from phases.signals import Request
from phases.spec import LaunchSpec
from phases.states import LaunchState, PhaseState
from phases.thresholds import OnInconclusive, Thresholds
from phases.trouble import Abandoned
from phases.verdict import GateResult, failed, inconclusive, passed
from tests.phases.conftest import FakeBreaker, Story

Make = Callable[..., LaunchSpec]


class Scripted(Gate):
    """Answers what the test says, one answer after the other; the last one stays."""

    type: ClassVar[str] = "scripted"
    moment: Moment = Moment.ENTRY
    answers: Any = ()
    asked: Any = None

    def check(self, context: GateContext) -> GateResult:
        del context
        self.asked.append(1)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, GateResult)
        return answer


def gate(
    *answers: GateResult | Exception, when: Literal["entry", "exit"] = "entry", policy: OnInconclusive | None = None
) -> ValidatorBase:
    scripted = Scripted.model_construct(answers=answers, asked=[])
    return ValidatorBase.model_construct(type="scripted", config=scripted, when=when, on_inconclusive=policy)


def with_gate(spec: LaunchSpec, phase: str, validator: ValidatorBase) -> LaunchSpec:
    phases = tuple(
        item.model_copy(update={"validators": (validator,)}) if item.id == phase else item for item in spec.phases
    )
    return spec.model_copy(update={"phases": phases})


def test_a_good_release_goes_through_all_phases(spec: Make) -> None:
    story = Story(spec())
    record = story.launch()
    assert record.state is LaunchState.COMPLETED
    assert set(story.phases().values()) == {PhaseState.VERIFIED}
    assert story.world.done == [
        "migration.1", "deploy.1", "health.1", "traffic.1", "traffic.2", "traffic.3", "post_launch.1", "deploy.retire",
    ]  # fmt: skip
    assert story.world.undone == []


def test_every_phase_moves_through_its_states_in_order(spec: Make) -> None:
    story = Story(spec())
    story.launch()
    moves = [(move.from_, move.to) for move in story.told(events.PhaseMoved) if move.phase == "deploy"]
    assert moves == [
        (PhaseState.PENDING, PhaseState.VALIDATING),
        (PhaseState.VALIDATING, PhaseState.EXECUTING),
        (PhaseState.EXECUTING, PhaseState.VERIFIED),
    ]


def test_a_first_launch_goes_to_everybody_at_once_and_retires_nobody(spec: Make) -> None:
    story = Story(spec(), first=True)
    assert story.launch().state is LaunchState.COMPLETED
    weights = [step.work for step in story.plan.steps() if step.id.startswith("traffic")]
    assert [getattr(work, "percent", None) for work in weights] == [100, None]
    assert "deploy.retire" not in story.world.done


def test_a_failed_entry_gate_changes_nothing_and_starts_no_later_phase(spec: Make) -> None:
    story = Story(with_gate(spec(), "deploy", gate(failed("wrong digest"))))
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert story.world.done == ["migration.1"]
    assert story.world.undone == ["migration"]
    assert story.phases() == {
        "migration": PhaseState.ROLLED_BACK,
        "deploy": PhaseState.ROLLED_BACK,
        "health": PhaseState.PENDING,
        "traffic": PhaseState.PENDING,
        "post_launch": PhaseState.PENDING,
    }
    assert "wrong digest" in record.reason


def test_a_failed_exit_gate_undoes_its_own_phase_first(spec: Make) -> None:
    story = Story(with_gate(spec(), "deploy", gate(failed("not what was launched"), when="exit")))
    story.launch()
    assert story.world.done == ["migration.1", "deploy.1"]
    assert story.world.undone == ["deploy", "migration"]


def test_a_failed_update_rolls_back_what_it_may_have_half_done(spec: Make) -> None:
    story = Story(spec())
    story.world.fails["traffic.2"] = UpdateFailed("router: port taken", stack="dev-traffic")
    assert story.launch().state is LaunchState.ROLLED_BACK
    assert story.world.undone == ["traffic", "health", "deploy", "migration"]


def test_a_failed_synthetic_test_is_evidence_and_rolls_back(spec: Make) -> None:
    story = Story(spec())
    story.world.finds["health.1"] = failed("POST /checkout answered 500", {"runs": 3})
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert record.phase("health").gates[0].evidence == {"runs": 3}


def test_the_breaker_trips_and_nobody_has_to_be_awake(spec: Make) -> None:
    story = Story(spec())
    story.world.watch = FakeBreaker(story.clock, trips_after=4)
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert [event.metric for event in story.told(events.BreakerTripped)] == ["error_rate"]
    assert story.world.done[-1] == "traffic.1"
    assert story.world.undone[0] == "traffic"


def test_the_breaker_watches_after_the_launch_too(spec: Make) -> None:
    story = Story(spec())
    story.world.watch = FakeBreaker(story.clock, trips_after=30)
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert story.phases()["post_launch"] is PhaseState.ROLLED_BACK
    assert "deploy.retire" not in story.world.done, "users must have somewhere to go back to"


def test_the_breaker_trips_while_an_update_runs_and_the_update_is_stopped(spec: Make) -> None:
    story = Story(spec())
    breaker = FakeBreaker(story.clock)
    story.world.watch = breaker

    def meanwhile(control: Control) -> None:
        breaker.trips_after = 0
        story.clock.sleep(5)
        story.runner.tick()
        assert control.stop.is_set()
        raise UpdateStopped("stopped", stack="dev-traffic", timed_out=False)

    story.world.fails["traffic.2"] = meanwhile
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert "breaker" in record.reason
    assert not story.signals.stop.is_set(), "the undo must not be stopped by what stopped the update"


def test_a_phase_that_runs_into_its_timeout_is_rolled_back(spec: Make) -> None:
    story = Story(spec({"deploy": {"timeout_ms": 5000}}))
    story.world.fails["deploy.1"] = UpdateStopped("deadline", stack="dev-deploy", timed_out=True)
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert "timeout of 5s" in record.reason


def test_an_undo_that_fails_does_not_stop_the_rest(spec: Make) -> None:
    story = Story(spec())
    story.world.fails["traffic.1"] = UpdateFailed("no", stack="dev-traffic")
    story.world.undo_fails["deploy"] = EngineError("backend unreachable")
    record = story.launch()
    assert record.state is LaunchState.FAILED
    assert story.world.undone == ["traffic", "health", "migration"]
    assert story.phases()["deploy"] is PhaseState.FAILED
    assert record.left == ("deploy: backend unreachable",)
    assert story.told(events.LaunchEnded)[0].next_command == "python -m launch resume dev"


def test_resume_finishes_an_incomplete_rollback(spec: Make) -> None:
    story = Story(spec())
    story.world.fails["traffic.1"] = UpdateFailed("no", stack="dev-traffic")
    story.world.undo_fails["deploy"] = EngineError("backend unreachable")
    story.launch()
    story.world.undo_fails.clear()
    story.world.undone.clear()
    story.record = story.record.model_copy(update={"state": LaunchState.RUNNING, "left": ()})
    assert story.launch(resumed=True).state is LaunchState.ROLLED_BACK
    assert story.world.undone == ["deploy"]


def test_a_phase_without_rollback_leaves_everything_for_a_person(spec: Make) -> None:
    story = Story(spec({"traffic": {"rollback_on_failure": False}}))
    story.world.fails["traffic.1"] = UpdateFailed("no", stack="dev-traffic")
    record = story.launch()
    assert record.state is LaunchState.FAILED
    assert story.world.undone == []
    assert story.phases()["traffic"] is PhaseState.FAILED


def test_an_interrupt_rolls_back_and_says_so(spec: Make) -> None:
    story = Story(spec())
    story.signals.schedule(5, Request.INTERRUPT)
    record = story.launch()
    assert (record.state, record.interrupted) == (LaunchState.ROLLED_BACK, True)
    assert story.world.undone == ["traffic", "health", "deploy", "migration"]


def test_an_interrupt_that_stops_an_update_is_an_interrupt_and_no_failure(spec: Make) -> None:
    story = Story(spec())

    def interrupted(control: Control) -> None:
        story.signals.send(Request.INTERRUPT)
        assert control.stop.is_set()
        raise UpdateStopped("stopped", stack="dev-deploy", timed_out=False)

    story.world.fails["deploy.1"] = interrupted
    record = story.launch()
    assert (record.state, record.reason) == (LaunchState.ROLLED_BACK, "interrupted")


def test_an_interrupt_that_stops_a_test_is_an_interrupt_and_no_failure(spec: Make) -> None:
    """Synthetic tests and programs end when they are stopped, and then they cannot tell."""
    story = Story(spec())
    story.world.fails["health.1"] = lambda _: story.signals.send(Request.INTERRUPT)
    story.world.finds["health.1"] = inconclusive("sleep was ended: it was stopped")
    record = story.launch()
    assert (record.state, record.reason, record.interrupted) == (LaunchState.ROLLED_BACK, "interrupted", True)


def test_an_interrupt_that_stops_a_gate_is_an_interrupt_whatever_its_policy(spec: Make) -> None:
    class Interrupted(Scripted):
        def check(self, context: GateContext) -> GateResult:
            story.signals.send(Request.INTERRUPT)
            return super().check(context)

    config = Interrupted.model_construct(answers=(inconclusive("it was stopped"),), asked=[])
    asked = gate(policy=OnInconclusive.ROLLBACK).model_copy(update={"config": config})
    story = Story(with_gate(spec(), "deploy", asked))
    record = story.launch()
    assert (record.reason, record.interrupted) == ("interrupted", True)


def test_a_test_that_the_timeout_cuts_short_says_which_and_what_the_limit_was(spec: Make) -> None:
    story = Story(spec({"health": {"timeout_ms": 20_000}}))
    story.world.fails["health.1"] = lambda _: story.clock.sleep(30)
    story.world.finds["health.1"] = inconclusive("sleep was ended")
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert record.reason == "health synthetic tests did not end within the timeout of 20s"


def test_a_second_interrupt_ends_the_wait_and_leaves_the_launch_to_resume(spec: Make) -> None:
    story = Story(spec())

    def twice(_: Control) -> None:
        story.signals.send(Request.INTERRUPT)
        story.signals.send(Request.INTERRUPT)
        story.runner.tick()

    story.world.fails["deploy.1"] = twice
    with pytest.raises(Abandoned):
        story.launch()
    assert story.journal.saved[-1].owns
    story.world.fails.clear()
    assert story.die_and_resume().state is LaunchState.COMPLETED


def test_a_second_interrupt_during_the_rollback_is_no_failed_undo(spec: Make) -> None:
    story = Story(spec())
    story.signals.schedule(5, Request.INTERRUPT)

    def again() -> None:
        story.signals.send(Request.INTERRUPT)
        story.runner.tick()

    story.world.undo_fails["deploy"] = again
    with pytest.raises(Abandoned):
        story.launch()
    last = story.journal.saved[-1]
    assert (last.owns, last.rolling_back, last.left) == (True, True, ())
    story.world.undo_fails.clear()
    assert story.die_and_resume().state is LaunchState.ROLLED_BACK


def test_an_interrupt_may_pause_instead_and_resume_goes_on(spec: Make) -> None:
    story = Story(spec(), pause_on_interrupt=True)
    story.signals.schedule(5, Request.INTERRUPT)
    record = story.launch()
    assert record.state is LaunchState.PAUSED
    assert story.world.undone == []
    done = list(story.world.done)
    story.journal.saved[-1] = record.model_copy(update={"state": LaunchState.RUNNING})
    assert story.die_and_resume().state is LaunchState.COMPLETED
    assert story.world.done[: len(done)] == done
    assert len(story.world.done) == len(set(story.world.done)), "no step is taken twice"


def test_abort_rolls_back(spec: Make) -> None:
    story = Story(spec())
    story.signals.schedule(8, Request.ABORT)
    record = story.launch()
    assert (record.state, record.interrupted) == (LaunchState.ROLLED_BACK, False)


def test_time_spent_paused_does_not_count_against_the_timeout(spec: Make) -> None:
    story = Story(spec({"traffic": {"timeout_ms": 40_000}}))
    story.signals.schedule(3, Request.PAUSE)
    story.signals.schedule(3600, Request.RESUME)
    assert story.launch().state is LaunchState.COMPLETED
    states = [move.to for move in story.told(events.LaunchMoved)]
    assert states == [LaunchState.PAUSED, LaunchState.RUNNING]


def test_the_breaker_goes_on_watching_while_paused(spec: Make) -> None:
    story = Story(spec())
    story.world.watch = FakeBreaker(story.clock, trips_after=20)
    story.signals.schedule(3, Request.PAUSE)
    assert story.launch().state is LaunchState.ROLLED_BACK


def test_promote_skips_the_rest_of_a_bake_but_no_gate(spec: Make) -> None:
    never = gate(failed("not yet"), when="exit")
    story = Story(with_gate(spec({"traffic": {"steps": [{"weight": 100, "bake": "500s"}]}}), "traffic", never))
    story.signals.schedule(5, Request.PROMOTE)
    began = story.clock.seconds
    assert story.launch().state is LaunchState.ROLLED_BACK
    assert story.clock.seconds - began < 100


def test_a_gate_that_cannot_tell_holds_until_it_can(spec: Make) -> None:
    story = Story(with_gate(spec(), "health", gate(inconclusive("no answer"), inconclusive("no answer"), passed("ok"))))
    assert story.launch().state is LaunchState.COMPLETED
    verdicts = [event.verdict.value for event in story.told(events.GateChecked)]
    assert verdicts == ["inconclusive", "passed"], "the same answer is told once"


def test_a_gate_that_never_can_tell_is_rolled_back_at_the_timeout(spec: Make) -> None:
    story = Story(with_gate(spec({"health": {"timeout_ms": 20_000}}), "health", gate(inconclusive("no answer"))))
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert "timeout of 20s" in record.reason


@pytest.mark.parametrize(
    ("policy", "state"),
    [(OnInconclusive.CONTINUE, LaunchState.COMPLETED), (OnInconclusive.ROLLBACK, LaunchState.ROLLED_BACK)],
)
def test_a_policy_decides_at_once_for_a_gate_that_cannot_tell(
    spec: Make, policy: OnInconclusive, state: LaunchState
) -> None:
    story = Story(with_gate(spec(), "health", gate(inconclusive("no answer"), policy=policy)))
    assert story.launch().state is state


def test_a_gate_that_raises_is_no_verdict_on_the_release(spec: Make) -> None:
    story = Story(with_gate(spec(), "health", gate(RuntimeError("bug in the gate"), passed("ok"))))
    assert story.launch().state is LaunchState.COMPLETED


def test_silence_at_the_end_of_a_bake_holds_and_then_rolls_back(spec: Make, could_not_tell: GateResult) -> None:
    story = Story(spec({"traffic": {"timeout_ms": 60_000}}))
    story.world.watch = FakeBreaker(story.clock, concludes=could_not_tell)
    record = story.launch()
    assert record.state is LaunchState.ROLLED_BACK
    assert story.world.done[-1] == "traffic.1"


def test_silence_may_be_good_enough_where_the_environment_says_so(spec: Make, could_not_tell: GateResult) -> None:
    limits = Thresholds(on_inconclusive=OnInconclusive.CONTINUE)
    story = Story(spec({"traffic": {"thresholds": limits}, "post_launch": {"thresholds": limits}}))
    story.world.watch = FakeBreaker(story.clock, concludes=could_not_tell)
    assert story.launch().state is LaunchState.COMPLETED
    assert any("without knowing" in event.reason for event in story.told(events.Warned))


def test_a_release_that_is_retired_badly_is_still_launched(spec: Make) -> None:
    story = Story(spec())
    story.world.fails["deploy.retire"] = UpdateFailed("old slot hangs", stack="dev-deploy")
    assert story.launch().state is LaunchState.COMPLETED
    assert story.world.undone == []


def test_time_spent_baking_survives_a_restart(spec: Make) -> None:
    class Killed(BaseException):
        pass

    story = Story(spec())
    breaker = FakeBreaker(story.clock)

    def look_and_die() -> Any:  # noqa: ANN401
        breaker.readings += 1
        if breaker.readings == 30:
            raise Killed
        return FakeBreaker(story.clock).tick()

    breaker.tick = look_and_die  # type: ignore[method-assign]
    story.world.watch = breaker
    with pytest.raises(Killed):
        story.launch()
    spent = story.journal.saved[-1].phase("post_launch").spent["post_launch.1"]
    assert 5 < spent < 30
    story.clock.sleep(86_400)  # the night in between is not watched, so it is no bake
    assert story.die_and_resume().state is LaunchState.COMPLETED
    last = [event for event in story.told(events.BakeStarted) if event.phase == "post_launch"][-1]
    assert last.spent == spent


def test_the_record_is_durable_before_the_end_is_told(spec: Make) -> None:
    story = Story(spec())
    story.launch()
    assert story.journal.durable[-1].state is LaunchState.COMPLETED
    assert isinstance(story.events[-1], events.LaunchEnded)


@pytest.mark.parametrize("good", [True, False])
def test_a_kill_at_any_announcement_ends_as_if_nothing_had_happened(spec: Make, *, good: bool) -> None:
    """The loop announces every point at which it can die; from each, `resume` brings the same end."""

    def tell() -> Story:
        story = Story(with_gate(spec(), "post_launch", gate(passed("ok") if good else failed("bad"), when="exit")))
        story.world.watch = FakeBreaker(story.clock)
        return story

    whole = tell()
    ending = whole.launch()

    class Killed(BaseException):
        pass

    for point in range(len(whole.events) - 1):
        story = tell()

        def observe(event: events.Event, story: Story = story, point: int = point) -> None:
            story.events.append(event)
            if len(story.events) == point + 1:
                raise Killed

        story.observers = [observe]
        with pytest.raises(Killed):
            story.launch()
        if story.journal.saved and not story.journal.saved[-1].owns:
            continue  # it was over already, only nobody had been told
        if not story.journal.saved:
            story.journal.saved.append(story.record)
        story.observers = []
        record = story.die_and_resume()
        assert record.state is ending.state, f"killed after {whole.events[point]}"
        assert story.phases() == {phase.id: phase.state for phase in ending.phases}


def test_kinds_without_work_are_plans_without_stacks(spec: Make) -> None:
    plan = Story(spec()).plan
    assert {phase.id: phase.stack for phase in plan.phases} == {
        "migration": "migration",
        "deploy": "deploy",
        "health": None,
        "traffic": "traffic",
        "post_launch": None,
    }
    assert plan.phase("health").spec.kind is PhaseKind.HEALTH
