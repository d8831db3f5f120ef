"""Many launches share one machine: how many engines work at once, and who is next."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from phases.errors import ConfigurationError
from stacks.capacity import Capacity, Full, of_machine


def never_waits(seconds: float) -> None:
    raise AssertionError(f"nobody should wait here, least of all {seconds} s")


def capacity(directory: Path, limit: int = 1) -> Capacity:
    return Capacity(directory / "turns", limit, wait=lambda _: None)


def test_as_many_as_there_are_turns_work_at_once_and_the_next_waits(tmp_path: Path) -> None:
    turns = capacity(tmp_path, 2)
    with turns.turn(), turns.turn(), pytest.raises(Full, match="no turn of 2"), turns.turn(given_up=lambda: True):
        pytest.fail("there is no third")
    with turns.turn(), turns.turn():
        pass  # they were given back


def test_nobody_waits_while_there_is_a_turn(tmp_path: Path) -> None:
    with Capacity(tmp_path, 1, wait=never_waits).turn():
        pass


def test_patience_ends(tmp_path: Path) -> None:
    now = iter(range(100))
    turns = Capacity(tmp_path, 1, clock=lambda: next(now), wait=lambda _: None)
    with turns.turn(), pytest.raises(Full), turns.turn(patience=10):
        pytest.fail("it was taken")


def test_a_rollback_goes_before_those_who_came_earlier(tmp_path: Path) -> None:
    turns = capacity(tmp_path)
    with turns._place(urgent=False) as earlier, turns._place(urgent=True) as rollback:
        assert turns._take(earlier) is None
        taken = turns._take(rollback)
        assert taken is not None
        taken.close()


def test_who_came_first_goes_first(tmp_path: Path) -> None:
    turns = capacity(tmp_path)
    with turns._place(urgent=False) as first, turns._place(urgent=False) as second:
        assert turns._take(second) is None
        taken = turns._take(first)
        assert taken is not None
        taken.close()


def test_a_waiter_that_died_holds_nobody_up(tmp_path: Path) -> None:
    turns = capacity(tmp_path)
    with turns.turn():
        dead = turns._queue / "0-00000000000000000001-1-1-1"
        dead.touch()
    with Capacity(turns.directory, 1, wait=never_waits).turn():
        assert not dead.exists()


def test_a_crowd_is_never_more_than_the_turns(tmp_path: Path) -> None:
    turns = capacity(tmp_path, 3)
    working, most, lock = 0, 0, threading.Lock()

    def launch() -> None:
        nonlocal working, most
        for _ in range(10):
            with turns.turn():
                with lock:
                    working += 1
                    most = max(most, working)
                with lock:
                    working -= 1

    crowd = [threading.Thread(target=launch) for _ in range(8)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert 1 <= most <= 3


def test_the_limit_is_said_by_the_environment() -> None:
    assert of_machine({"LAUNCH_MAX_ENGINES": "7"}, "updates").limit == 7
    assert of_machine({}, "updates").limit >= 2
    with pytest.raises(ConfigurationError, match="how many engines"):
        of_machine({"LAUNCH_MAX_ENGINES": "many"}, "updates")


def test_who_waits_without_working_gives_its_turn_back(tmp_path: Path) -> None:
    turns = Capacity(tmp_path / "turns", 1, wait=never_waits)
    with turns.turn() as armed:
        armed.give_back()
        with turns.turn():
            pass
