"""Ctrl-C, SIGTERM and a closed terminal: every launch ends in a known state."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

UP = ("up", "dev", "--image", "shop:2.0")


@pytest.mark.parametrize(
    ("phase", "event", "number"),
    [
        ("migration", "update.started", signal.SIGINT),
        ("deploy", "update.started", signal.SIGTERM),
        ("health", "phase.moved", signal.SIGINT),
        ("traffic", "bake.started", signal.SIGINT),
        ("traffic", "update.started", signal.SIGINT),
        ("post_launch", "bake.started", signal.SIGTERM),
        ("traffic", "update.started", signal.SIGHUP),
    ],
)
def test_an_interrupt_in_any_phase_leaves_everything_as_it_was(
    project: Project, before: dict[str, Any], phase: str, event: str, number: signal.Signals
) -> None:
    command = project.start(*UP)
    command.until_event(event, phase=phase)
    command.send(number)
    result = command.result()
    assert (result.code, result.ended["state"]) == (130, "ROLLED_BACK"), result
    assert project.world() == before


@pytest.mark.parametrize(("phase", "number"), [("deploy", signal.SIGTERM), ("traffic", signal.SIGINT)])
def test_an_interrupt_may_pause_and_resume_completes(
    project: Project, before: dict[str, Any], phase: str, number: signal.Signals
) -> None:
    del before
    command = project.start(*UP, "--on-interrupt", "pause")
    command.until_event("update.started", phase=phase)
    command.send(number)
    result = command.result()
    assert (result.code, result.ended["state"]) == (130, "PAUSED"), result
    assert project.status()["state"] == "PAUSED"
    assert project.launch("resume", "dev", check=0).ended["state"] == "COMPLETED"
    assert project.running() == ["shop:2.0"]


def test_a_second_interrupt_ends_the_wait_and_resume_finishes(project: Project, before: dict[str, Any]) -> None:
    """It goes on with the rollback that the first one began."""
    command = project.start(*UP)
    command.until_event("bake.started", phase="traffic")
    command.send(signal.SIGINT)
    command.until_event("rollback.started")
    command.send(signal.SIGINT)
    result = command.result()
    assert result.code == 130, result
    assert "launch resume" in result.stderr
    assert result.all("launch.ended") == []
    assert project.launch("resume", "dev").ended["state"] == "ROLLED_BACK"
    assert project.world() == before


IN_ITS_TERMINAL = """
import os, runpy, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))  # the first terminal that a session's leader opens is the session's own
sys.argv[0] = "launch"
runpy.run_module("launch", run_name="__main__")
"""


@pytest.mark.parametrize(("pause", "state"), [((), "ROLLED_BACK"), (("--on-interrupt", "pause"), "PAUSED")])
def test_a_window_that_is_closed_leaves_a_known_state(
    project: Project, before: dict[str, Any], pause: tuple[str, ...], state: str
) -> None:
    """The live view has nowhere to draw any more, and whoever started the launch cannot see how it ends."""
    window, terminal = pty.openpty()
    events = project.root / ".launch" / "run" / "dev" / "events.jsonl"
    events.unlink(missing_ok=True)
    command = subprocess.Popen(
        [sys.executable, "-c", IN_ITS_TERMINAL, *UP, *pause],
        cwd=project.root,
        env={**project.environ, "TERM": "xterm"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    try:
        os.close(terminal)
        while '"event": "bake.started", "phase": "traffic"' not in (events.read_text() if events.exists() else ""):
            os.read(window, 65536)  # ends with an error where the command ended too early
        os.close(window)
        code = command.wait(120)
    finally:
        command.kill()
        command.wait()
    assert (code, project.status()["state"]) == (130, state)
    if state == "PAUSED":
        project.launch("abort", "dev", check=0)
    assert project.world() == before
