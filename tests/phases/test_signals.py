"""What is asked of a running launch reaches the loop, once, and stops only what it should."""

from __future__ import annotations

import pytest

from phases.signals import Request, Signals


def test_an_interrupt_stops_the_work() -> None:
    signals = Signals()
    signals.send(Request.INTERRUPT)
    assert signals.stop.is_set()
    assert signals.take(Request.INTERRUPT)
    assert not signals.take(Request.INTERRUPT)


def test_an_interrupt_that_pauses_lets_the_work_finish() -> None:
    signals = Signals(pause_on_interrupt=True)
    signals.send(Request.INTERRUPT)
    assert not signals.stop.is_set()


def test_the_second_interrupt_abandons() -> None:
    signals = Signals()
    signals.send(Request.INTERRUPT)
    assert not signals.abandoned
    signals.send(Request.INTERRUPT)
    assert signals.abandoned


@pytest.mark.parametrize("request_", [Request.INTERRUPT, Request.ABORT, Request.PAUSE])
def test_nothing_stops_a_rollback(request_: Request) -> None:
    signals = Signals()
    signals.send(Request.ABORT)
    signals.begin_rollback()
    assert not signals.stop.is_set()
    signals.send(request_)
    assert not signals.stop.is_set()
    assert not signals.pending(request_)


def test_resume_takes_a_pause_back() -> None:
    signals = Signals()
    signals.send(Request.PAUSE)
    signals.send(Request.RESUME)
    assert not signals.take(Request.PAUSE)


def test_waiting_ends_when_something_is_asked() -> None:
    signals = Signals()
    signals.send(Request.PROMOTE)
    signals.wait(3600)
    assert signals.take(Request.PROMOTE)


def test_a_closed_terminal_is_one_interrupt_however_often_it_is_told() -> None:
    """The shell tells its jobs, and the system tells the foreground job again."""
    signals = Signals()
    signals.hang_up()
    signals.hang_up()
    assert signals.stop.is_set()
    assert signals.pending(Request.INTERRUPT)
    assert not signals.abandoned


def test_a_terminal_closed_after_ctrl_c_does_not_cut_the_rollback_short() -> None:
    signals = Signals()
    signals.send(Request.INTERRUPT)
    signals.begin_rollback()
    signals.hang_up()
    assert not signals.abandoned
    assert not signals.stop.is_set()


def test_whoever_interrupts_after_the_terminal_was_closed_means_it() -> None:
    signals = Signals()
    signals.hang_up()
    signals.send(Request.INTERRUPT)
    assert signals.abandoned
