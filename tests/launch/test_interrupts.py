"""Which signals a running launch takes as a request, and which it leaves alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from launch.session import interrupts
from phases.signals import Request, Signals


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """What the test runner does with these signals is none of a test's business."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_ctrl_c_termination_and_a_closed_terminal_interrupt_the_launch(number: signal.Signals) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signals = Signals()
    with interrupts(signals):
        signal.raise_signal(number)
    assert signals.take(Request.INTERRUPT)


def test_under_nohup_a_closed_terminal_is_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals = Signals()
    with interrupts(signals):
        signal.raise_signal(signal.SIGHUP)
    assert not signals.pending(Request.INTERRUPT)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_after_the_launch_the_signals_do_what_they_did() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with interrupts(Signals()):
        pass
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
