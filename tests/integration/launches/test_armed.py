"""Whole launches whose next updates wait for their verdicts: what happens to them meanwhile changes no outcome."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.launches.conftest import Command, Project
from tests.integration.processes import started, words

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

UP = ("up", "dev", "--image", "shop:2.0")
BAKE_S = 12
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Project]) -> Project:
    """A project whose first step bakes long enough for something to happen meanwhile."""
    made = make_project()
    made.edit("launch.yaml", "{ weight: 25, bake: 500ms }", f"{{ weight: 25, bake: {BAKE_S}s }}")
    made.launch("up", "dev", "--image", "shop:1.0", check=0)
    return made


def armed(command: Command) -> psutil.Process:
    """Wait until the first step bakes and the next update of the traffic is up; return its engine."""
    command.until_event("bake.started", step="traffic.1")
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        for process in psutil.Process(command.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if process.name() == "pulumi" and Path(process.cwd()).name == "dev-traffic" and _waits(process):
                    return process
        time.sleep(0.05)
    pytest.fail("nothing was armed")


def _waits(engine: psutil.Process) -> bool:
    """Whether it is the update of the next step (the first may still be recorded), and has loaded the provider."""
    return "25% -> 100%, or back" in words(engine) and bool(started("pulumi-resource-launch", engine))


def messages(project: Project) -> list[str]:
    """What the newest launch did with the traffic, as the history tells it."""
    newest = project.launch("history", "dev", check=0).events[0]
    return [update["message"] for update in newest["updates"] if update["stack"] == "dev-traffic"]


def test_a_good_launch_tells_what_was_decided(project: Project, before: dict[str, Any]) -> None:
    del before
    result = project.launch(*UP, check=0)
    shifts = [event["weights"] for event in result.all("traffic.shifted")]
    assert [sorted(weights.values()) for weights in shifts] == [[25, 75], [0, 100], [0, 100]]
    assert messages(project) == [
        "traffic 0% -> 25%",
        "traffic 25% -> 100%",
        "traffic flags on: new_checkout",
        "traffic stays as it is",
    ]
    assert project.running() == ["shop:2.0"]
    assert (project.locks(), project.engines()) == ([], [])


def test_abort_goes_back_in_the_update_that_waited(project: Project, before: dict[str, Any]) -> None:
    command = project.start(*UP)
    armed(command)
    project.launch("abort", "dev", check=0)
    result = command.result()
    assert (result.code, result.ended["state"]) == (1, "ROLLED_BACK"), result
    assert messages(project) == ["traffic 0% -> 25%", "traffic undo"]
    assert project.world() == before


def test_promote_goes_forward_in_it(project: Project, before: dict[str, Any]) -> None:
    del before
    command = project.start(*UP)
    armed(command)
    project.launch("promote", "dev", check=0)
    result = command.result()
    assert result.code == 0, result
    assert messages(project)[:2] == ["traffic 0% -> 25%", "traffic 25% -> 100%"]


def test_killed_while_it_waits_the_launch_is_taken_up_where_it_was(project: Project, before: dict[str, Any]) -> None:
    del before
    command = project.start(*UP)
    engine = armed(command)
    command.send(signal.SIGKILL)
    command.result()
    project.wait(lambda: not engine.is_running())
    weights = {slot["image"]: slot["weight"] for slot in project.status()["traffic"]}
    assert weights == {"shop:1.0": 75, "shop:2.0": 25}, "nothing was decided"
    assert project.launch("resume", "dev", check=0).ended["state"] == "COMPLETED"
    assert project.running() == ["shop:2.0"]
    assert (project.locks(), project.engines()) == ([], [])


@pytest.mark.parametrize("what", ["its engine is killed", "a person cancels it"])
@pytest.mark.parametrize("good", [True, False], ids=["forward", "back"])
def test_what_happens_to_it_while_it_waits_changes_no_outcome(
    project: Project, before: dict[str, Any], what: str, *, good: bool
) -> None:
    command = project.start(*UP)
    engine = armed(command)
    if what == "its engine is killed":
        engine.kill()
    else:  # what `pulumi cancel` does on a directory
        for lock in project.locks():
            if Path(lock).parent.name == "dev-traffic":
                Path(lock).unlink()
    project.launch("promote" if good else "abort", "dev", check=0)
    result = command.result()
    assert result.code == (0 if good else 1), result
    assert (project.locks(), project.engines()) == ([], [])
    if good:
        assert project.running() == ["shop:2.0"]
        assert project.answered_by() == ["2.0"]
    else:
        assert project.world() == before
