"""A slot that hangs keeps nobody from watching the others' figures."""

from __future__ import annotations

import threading

from phases.health import Aside


def test_a_quick_answer_is_there_at_once() -> None:
    assert Aside(lambda: True, patience=60)() is True
    assert Aside(lambda: False, patience=60)() is False


def test_an_answer_that_takes_its_time_is_asked_for_later() -> None:
    answers, started = threading.Event(), []

    def slow() -> bool:
        started.append(1)
        return answers.wait(60)

    health = Aside(slow, patience=0)
    assert health() is None
    assert health() is None
    assert len(started) == 1
    answers.set()
    while (answer := health()) is None:
        pass
    assert answer is True


def test_a_check_that_breaks_is_no_sign_of_health() -> None:
    def broken() -> bool:
        raise RuntimeError("no")

    assert Aside(broken, patience=60)() is False
