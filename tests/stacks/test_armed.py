"""One armed update, with an engine that does as the test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phases.errors import UpdateFailed, UpdateStopped
from stacks import armed as module
from stacks.armed import BACK, FORWARD, STAY, ArmedLost, ArmedUpdate, Outcome
from stacks.gate import Side
from stacks.likeness import Key
from stacks.updates import ResourceEvent, Update

ROUTER = Key("launch:local:Router", "shop", "urn:parent")
OUTCOMES = {name: Outcome(lambda: None, Side(name), 1) for name in (FORWARD, BACK, STAY)}
PATIENCE = 20.0


class Engine:
    """An update that goes as far as the test lets it."""

    def __init__(self) -> None:
        self.program: Any = None
        self.started, self.end = threading.Event(), threading.Event()
        self.fails: Exception | None = None
        self.asked_to_stop = False

    def update(self, program: Any, *, message: str, stop: threading.Event, on_event: Any) -> Update:  # noqa: ANN401
        self.program, self.tell = program, on_event
        self.started.set()
        while not self.end.wait(0.01):
            if stop.is_set():
                self.asked_to_stop = True
                raise UpdateStopped("it was asked to stop", stack="dev-traffic", timed_out=False)
        if self.fails is not None:
            raise self.fails
        return Update("dev-traffic", message, {"update": 1}, 1.0, ())

    def applies(self, *keys: Key, **outputs: Any) -> None:  # noqa: ANN401
        """The decided program has registered everything."""
        self.program.registered = {key: f"urn:{key.name}" for key in keys}
        self.program.outputs = outputs
        self.program._tell("applied")


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.end.set()


def arm(engine: Engine, **options: Any) -> ArmedUpdate:  # noqa: ANN401
    holds = options.pop("holds", frozenset())
    update = ArmedUpdate(engine.update, message="01J traffic, or back", **options).start()
    update.provide(OUTCOMES, holds=holds)
    assert engine.started.wait(PATIENCE)
    return update


def test_it_is_applied_before_it_is_recorded(engine: Engine) -> None:
    update = arm(engine, holds=frozenset({ROUTER}))
    engine.program._tell("ready")
    assert update.wait_ready(PATIENCE)
    assert update.fire(BACK) == BACK
    engine.tell(ResourceEvent("done", "urn:shop", "launch:local:Router", "shop", op="update"))
    engine.tell(ResourceEvent("done", "urn:p", "pulumi:providers:launch", "default", op="same"))
    engine.applies(ROUTER, weights={"blue": 100})
    applied = update.wait_applied(PATIENCE)
    assert (applied.outputs, applied.changes) == ({"weights": {"blue": 100}}, {"update": 1})
    assert not update.ended
    engine.end.set()
    assert update.wait_end().changes == {"update": 1}


def test_what_is_deleted_in_the_end_is_only_then_applied(engine: Engine) -> None:
    update = arm(engine, holds=frozenset({ROUTER, Key("launch:local:Router", "new", "")}))
    update.fire(BACK)
    engine.applies(ROUTER)
    waiting = threading.Timer(0.2, engine.end.set)
    waiting.start()
    update.wait_applied(PATIENCE)
    assert update.ended


def test_an_engine_that_died_is_known_and_nothing_can_be_decided(engine: Engine) -> None:
    update = arm(engine)
    engine.fails = UpdateFailed("the plugin died", stack="dev-traffic")
    engine.end.set()
    with pytest.raises(ArmedLost, match="the plugin died"):
        update.wait_ready(PATIENCE)
    assert update.dead == "the plugin died"
    with pytest.raises(ArmedLost, match="the plugin died"):
        update.fire(BACK)


def test_an_update_that_ended_without_a_word_is_no_armed_one(engine: Engine) -> None:
    update = arm(engine)
    engine.end.set()
    update.wait_end()
    with pytest.raises(ArmedLost, match="by itself"):
        update.fire(BACK)


def test_a_lock_that_somebody_took_away_makes_it_end_unchanged(engine: Engine, tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    lock.touch()
    update = arm(engine, locks=lambda: frozenset({lock}))
    engine.program._tell("ready")
    assert update.dead is None
    lock.unlink()
    with pytest.raises(ArmedLost, match="the stack's lock is gone"):
        update.fire(BACK)
    with pytest.raises(ArmedLost):
        update.wait_end(PATIENCE)
    assert engine.asked_to_stop


def test_a_lock_that_cannot_be_seen_is_taken_for_held(engine: Engine) -> None:
    update = arm(engine)
    engine.program._tell("ready")
    assert update.fire(STAY) == STAY


def test_what_could_not_be_applied_is_for_a_plain_update_to_say(engine: Engine) -> None:
    update = arm(engine)
    update.fire(BACK)
    engine.fails = UpdateFailed("router: port taken", stack="dev-traffic")
    engine.end.set()
    with pytest.raises(ArmedLost, match="port taken"):
        update.wait_applied(PATIENCE)


def test_what_was_applied_and_not_recorded_is_told_at_the_end(engine: Engine) -> None:
    update = arm(engine, holds=frozenset({ROUTER}))
    update.fire(BACK)
    engine.applies(ROUTER)
    engine.fails = UpdateFailed("the backend is gone", stack="dev-traffic")
    engine.end.set()
    update.wait_applied(PATIENCE)
    with pytest.raises(ArmedLost, match="the backend is gone"):
        update.wait_end()


def test_a_verdict_that_is_not_applied_in_time_is_an_update_that_was_stopped(engine: Engine) -> None:
    update = arm(engine)
    update.fire(FORWARD)
    with pytest.raises(UpdateStopped) as caught:
        update.wait_applied(0.0)
    assert caught.value.timed_out
    assert engine.asked_to_stop


def test_what_takes_a_moment_is_finished_though_somebody_said_stop(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    stop.set()
    update = arm(engine)
    update.fire(FORWARD)
    threading.Timer(0.1, lambda: engine.applies(ROUTER)).start()
    assert update.wait_applied(PATIENCE, stop).seconds > 0
    monkeypatch.setattr(module, "_STOP_S", 0.0)
    other = Engine()
    slow = arm(other)
    slow.fire(FORWARD)
    with pytest.raises(UpdateStopped) as caught:
        slow.wait_applied(PATIENCE, stop)
    assert not caught.value.timed_out
    assert other.asked_to_stop


def test_the_verdict_may_come_before_the_program_runs_and_the_first_one_counts(engine: Engine) -> None:
    update = arm(engine)
    assert [update.fire(BACK), update.fire(FORWARD)] == [BACK, BACK]
    assert update.decided == BACK
    with pytest.raises(KeyError):
        update.fire("sideways")


def test_where_nobody_waits_it_is_ended(engine: Engine) -> None:
    update = arm(engine)
    update.give_up(PATIENCE)
    assert update.ended
    assert engine.asked_to_stop
