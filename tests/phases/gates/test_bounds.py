from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Protocol

import pytest

from phases.clock import Clock
from phases.gates.base import GateContext
from phases.gates.bounds import Unanswered, bounded, left, over, pause

MakeContext = Callable[..., GateContext]


class MovableClock(Clock, Protocol):
    at: float
    slept: list[float]


def test_a_pause_takes_its_time_in_small_sleeps(make_context: MakeContext, clock: MovableClock) -> None:
    assert pause(make_context(), 1.0)
    assert clock.at == pytest.approx(1.0)
    assert max(clock.slept) <= 0.05


def test_a_pause_ends_at_the_deadline(make_context: MakeContext, clock: MovableClock) -> None:
    assert not pause(make_context(deadline=0.3), 1.0)
    assert clock.at == pytest.approx(0.3)


def test_a_pause_ends_at_a_stop(make_context: MakeContext, clock: MovableClock) -> None:
    stop = threading.Event()
    stop.set()
    assert not pause(make_context(stop=stop), 3600.0)
    assert clock.at == 0.0


def test_no_time_is_left_after_the_deadline(make_context: MakeContext, clock: MovableClock) -> None:
    clock.at = 12.0
    context = make_context(deadline=10.0)
    assert left(context) == 0.0
    assert over(context) == "the phase's time was over"
    assert over(make_context()) is None


def test_a_call_returns_what_the_function_returns(make_context: MakeContext) -> None:
    assert bounded(make_context(), lambda: 5) == 5


def test_a_call_raises_what_the_function_raises(make_context: MakeContext) -> None:
    with pytest.raises(ZeroDivisionError):
        bounded(make_context(), lambda: 1 / 0)


def test_an_exit_in_code_that_is_not_ours_does_not_end_the_launch(make_context: MakeContext) -> None:
    with pytest.raises(RuntimeError, match="it ended with SystemExit: 3"):
        bounded(make_context(), lambda: sys.exit(3))


def test_a_call_that_does_not_answer_is_left(make_context: MakeContext, clock: MovableClock) -> None:
    release = threading.Event()

    def block() -> None:
        clock.at = 10.0
        release.wait()

    with pytest.raises(Unanswered, match="time was over"):
        bounded(make_context(deadline=5.0), block)
    release.set()
