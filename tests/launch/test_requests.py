"""What one command asks reaches the launch that runs in another."""

from __future__ import annotations

from pathlib import Path

from launch.requests import Listener, ask
from phases.signals import Request, Signals


def test_a_request_is_taken_once(tmp_path: Path) -> None:
    signals = Signals()
    with Listener(tmp_path, signals):
        path = ask(tmp_path, Request.PAUSE)
        signals.wait(10)
        assert signals.take(Request.PAUSE)
        assert not path.exists()


def test_what_was_asked_of_an_earlier_launch_is_forgotten(tmp_path: Path) -> None:
    ask(tmp_path, Request.ABORT)
    signals = Signals()
    with Listener(tmp_path, signals):
        pass
    assert not signals.take(Request.ABORT)
    assert not list(tmp_path.iterdir())
