"""The updates that wait for their verdict, one a stack, and what becomes of them whatever happens."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from launch.arms import MOST, MOST_DEATHS, Arms
from launch.seats import Wording
from phases.errors import EngineError, UpdateStopped
from stacks.armed import BACK, FORWARD, STAY, Applied, ArmedLost

WORDING = Wording("01J", "traffic 10% -> 50%", "traffic undo", "traffic")


class Update:
    """An armed update that does as the test says."""

    def __init__(self, *outcomes: str) -> None:
        self.outcomes = frozenset(outcomes or (FORWARD, BACK, STAY))
        self.message = "01J traffic 10% -> 50%, or back"
        self.decided: str | None = None
        self.dead: str | None = None
        self.not_applied: EngineError | None = None
        self.not_recorded: ArmedLost | None = None
        self.ended = False
        self.given_up = False

    def fire(self, outcome: str) -> str:
        if self.dead is not None and self.decided is None:
            raise ArmedLost(self.dead)
        self.decided = self.decided or outcome
        return self.decided

    def wait_applied(self, seconds: float, stop: threading.Event | None = None) -> Applied:
        del seconds, stop
        if self.not_applied is not None:
            raise self.not_applied
        return Applied({"weights": {"green": 50}}, {"update": 1}, 0.03)

    def wait_end(self) -> None:
        self.ended = True
        if self.not_recorded is not None:
            raise self.not_recorded

    def cancel(self) -> None:
        self.ended = True

    def give_up(self, seconds: float) -> None:
        del seconds
        self.given_up = True


class Scene:
    """The arms of a launch, and the history's last words."""

    def __init__(self) -> None:
        self.arms = Arms()
        self.words: list[str] = []
        self.made: list[Update] = []

    def arm(self, update: Update | Exception | None, step: str | None = "traffic.2", stack: str = "traffic") -> None:
        def make() -> Any:  # noqa: ANN401
            if isinstance(update, Exception):
                raise update
            if update is not None:
                self.made.append(update)
            return update

        self.arms.seat(stack, step, WORDING, self.say, make)
        assert self.arms._seats[stack]._made.wait(20.0)

    def say(self, *, old: str, new: str) -> None:
        assert old == "01J traffic 10% -> 50%, or back"
        self.words.append(new)

    def take(self, outcome: str = FORWARD, step: str | None = "traffic.2") -> Any:  # noqa: ANN401
        return self.arms.take("traffic", step, outcome, 20.0, None)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("outcome", [FORWARD, BACK])
def test_what_was_decided_is_applied_then_recorded_and_the_history_says_it(scene: Scene, outcome: str) -> None:
    update = Update()
    scene.arm(update)
    taken = scene.take(outcome)
    assert (update.decided, taken[1].changes) == (outcome, {"update": 1})
    scene.arms.record("traffic", taken[0], lambda: pytest.fail("it was recorded"))
    assert not scene.arms.recorded("traffic")
    scene.arms.settle("traffic")
    assert scene.arms.recorded("traffic")
    assert scene.words == [f"01J {'traffic 10% -> 50%' if outcome == FORWARD else 'traffic undo'}"]


def test_what_could_not_be_recorded_is_done_again(scene: Scene) -> None:
    update, again = Update(), []
    update.not_recorded = ArmedLost("the backend is unreachable")
    scene.arm(update)
    taken = scene.take()
    scene.arms.record("traffic", taken[0], lambda: again.append(1))
    scene.arms.settle("traffic")
    assert again == [1]


def test_and_what_could_not_be_done_again_is_told(scene: Scene) -> None:
    update = Update()
    update.not_recorded = ArmedLost("the backend is unreachable")
    scene.arm(update)
    taken = scene.take()

    def again() -> None:
        raise EngineError("still unreachable")

    scene.arms.record("traffic", taken[0], again)
    with pytest.raises(EngineError, match="still unreachable"):
        scene.arms.settle("traffic")


def test_an_update_that_is_gone_leaves_it_to_a_plain_one(scene: Scene) -> None:
    update = Update()
    scene.arm(update)
    update.dead = "the engine died"
    assert scene.take() is None
    assert update.ended, "its lock is free"


def test_one_that_fails_when_it_is_decided_leaves_it_to_a_plain_one(scene: Scene) -> None:
    update = Update()
    update.not_applied = ArmedLost("the provider refused")
    scene.arm(update)
    assert scene.take() is None
    assert update.ended


def test_one_that_takes_too_long_is_an_update_that_was_stopped(scene: Scene) -> None:
    update = Update()
    update.not_applied = UpdateStopped("its time was over", stack="dev-traffic", timed_out=True)
    scene.arm(update)
    with pytest.raises(UpdateStopped):
        scene.take()


def test_another_step_makes_it_let_go(scene: Scene) -> None:
    update = Update()
    scene.arm(update)
    assert scene.take(FORWARD, "health.undo") is None
    assert (update.decided, update.ended, scene.words) == (STAY, True, ["01J traffic stays as it is"])


def test_a_way_back_that_it_does_not_have_is_gone_in_the_ordinary_way(scene: Scene) -> None:
    update = Update(FORWARD, STAY)
    scene.arm(update)
    scene.arms.pull("traffic")
    assert not update.decided, "nothing is decided by asking for what there is not"
    assert scene.take(BACK, None) is None
    assert [update.decided, update.ended] == [STAY, True]


def test_users_are_pulled_back_at_once_and_the_undo_finds_it_done(scene: Scene) -> None:
    update = Update()
    scene.arm(update)
    scene.arms.pull("traffic")
    assert update.decided == BACK
    assert scene.take(BACK, None) is not None


def test_users_are_pulled_back_as_soon_as_the_update_is_there(scene: Scene) -> None:
    update, may_arm = Update(), threading.Event()

    def make() -> Any:  # noqa: ANN401
        assert may_arm.wait(20.0)
        return update

    scene.arms.seat("traffic", "traffic.2", WORDING, scene.say, make)
    scene.arms.pull("traffic")
    may_arm.set()
    assert scene.take(BACK, None) is not None
    assert update.decided == BACK


def test_after_a_pull_nothing_goes_forward(scene: Scene) -> None:
    update = Update()
    scene.arm(update)
    scene.arms.pull("traffic")
    assert scene.take(FORWARD) is None
    assert update.decided == BACK


@pytest.mark.parametrize("problem", [EngineError("backend unreachable"), KeyError("spec")])
def test_a_stack_that_cannot_be_armed_is_updated_in_the_ordinary_way(scene: Scene, problem: Exception) -> None:
    """Whatever it was: nobody waits for an update that never comes."""
    scene.arm(problem)
    assert scene.take() is None
    scene.arm(None)
    assert scene.take() is None


@pytest.mark.parametrize("back", [True, False], ids=["armed to go back", "with nothing to go back to"])
def test_one_that_is_still_on_its_way_when_somebody_says_stop_is_there_for_the_rollback(
    scene: Scene, *, back: bool
) -> None:
    """It comes all the same, and holds the stack's lock."""
    update, may_arm, stop = Update(FORWARD, STAY, *([BACK] if back else [])), threading.Event(), threading.Event()

    def make() -> Any:  # noqa: ANN401
        assert may_arm.wait(20.0)
        return update

    scene.arms.seat("traffic", "traffic.2", WORDING, scene.say, make)
    stop.set()
    with pytest.raises(UpdateStopped) as caught:
        scene.arms.take("traffic", "traffic.2", FORWARD, 20.0, stop)
    assert not caught.value.timed_out
    threading.Timer(0.3, may_arm.set).start()
    taken = scene.take(BACK, None)
    assert (taken is not None, update.decided, update.ended) == (back, BACK if back else STAY, not back)


def test_one_that_is_still_on_its_way_when_nobody_waits_any_more_is_ended_when_it_comes(scene: Scene) -> None:
    update, may_arm = Update(), threading.Event()

    def make() -> Any:  # noqa: ANN401
        assert may_arm.wait(20.0)
        return update

    scene.arms.seat("traffic", "traffic.2", WORDING, scene.say, make)
    seat = scene.arms._seats["traffic"]
    scene.arms.give_up()
    may_arm.set()
    assert seat._made.wait(20.0)
    assert update.given_up


def test_what_is_applied_is_recorded_before_the_end(scene: Scene) -> None:
    update = Update()
    scene.arm(update)
    scene.arms.record("traffic", scene.take()[0], lambda: None)
    scene.arms.rest()
    assert update.ended


def test_never_more_than_two_wait(scene: Scene) -> None:
    for number in range(MOST):
        scene.arm(Update(), stack=f"stack{number}")
    scene.arms.seat("one more", "x.1", WORDING, scene.say, lambda: pytest.fail("that is too many"))
    assert not scene.arms.armed("one more", "x.1")


def test_the_same_is_not_armed_twice_and_another_step_makes_room(scene: Scene) -> None:
    first, second = Update(), Update()
    scene.arm(first)
    scene.arms.seat("traffic", "traffic.2", WORDING, scene.say, lambda: pytest.fail("it is armed"))
    scene.arm(second, "traffic.3")
    assert (first.decided, first.ended, second.decided) == (STAY, True, None)


def test_one_that_died_is_armed_again_but_not_for_ever(scene: Scene) -> None:
    for _ in range(MOST_DEATHS + 1):
        update = Update()
        scene.arm(update)
        update.dead = "killed"
        assert not scene.arms.armed("traffic", "traffic.2")
    scene.arms.seat("traffic", "traffic.2", WORDING, scene.say, lambda: pytest.fail("often enough"))


def test_in_the_end_every_lock_is_free_and_nothing_was_changed(scene: Scene) -> None:
    updates = Update(), Update(FORWARD, STAY)
    scene.arm(updates[0])
    scene.arm(updates[1], "deploy.retire", "deploy")
    scene.arms.rest()
    assert [(update.decided, update.ended) for update in updates] == [(STAY, True), (STAY, True)]
    scene.arms.seat("traffic", "traffic.2", WORDING, scene.say, lambda: pytest.fail("it is over"))


def test_where_nobody_waits_any_more_everything_is_ended(scene: Scene) -> None:
    waiting, recording = Update(), Update()
    scene.arm(recording)
    taken = scene.take()
    scene.arms.record("traffic", taken[0], lambda: None)
    scene.arm(waiting, "deploy.retire", "deploy")
    scene.arms.give_up()
    assert waiting.given_up
    assert recording.given_up


def test_the_message_tells_both_until_it_is_decided() -> None:
    assert WORDING.either(forward=True, back=True) == "01J traffic 10% -> 50%, or back"
    assert WORDING.either(forward=True, back=False) == "01J traffic 10% -> 50%, or nothing"
    assert WORDING.either(forward=False, back=True) == "01J traffic undo, or nothing"
