"""What can be asked of a launch while it runs, and of an environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

UP = ("up", "dev", "--image", "shop:2.0")


def test_a_running_launch_is_seen_paused_promoted_and_watched(project: Project, before: dict[str, Any]) -> None:
    """Its bake would take an hour: only `promote` ends it."""
    project.edit("launch.yaml", "{ weight: 25, bake: 500ms }", "{ weight: 25, bake: 1h }")
    project.edit("launch.yaml", "timeout_ms: 120000", "timeout_ms: 7200000")
    try:
        command = project.start(*UP)
        command.until_event("bake.started", phase="traffic")
        watching = project.start("watch", "dev")
        watching.until_event("bake.started", phase="traffic")
        status = project.status()
        assert status["state"] == "RUNNING"
        assert sorted((slot["image"], slot["weight"]) for slot in status["traffic"]) == [
            ("shop:1.0", 75),
            ("shop:2.0", 25),
        ]
        project.launch("pause", "dev", check=0)
        assert project.status()["state"] == "PAUSED"
        project.launch("resume", "dev", check=0)
        assert project.status()["state"] == "RUNNING"
        project.launch("promote", "dev", check=0)
        result, watched = command.result(), watching.result()
    finally:
        project.edit("launch.yaml", "{ weight: 25, bake: 1h }", "{ weight: 25, bake: 500ms }")
        project.edit("launch.yaml", "timeout_ms: 7200000", "timeout_ms: 120000")
    assert (result.code, watched.code) == (0, 0), f"{result}\n{watched}"
    assert [event["event"] for event in watched.events] == [event["event"] for event in result.events]
    project.launch("rollback", "dev", check=0)
    assert project.world() == before


def test_abort_rolls_a_running_launch_back(project: Project, before: dict[str, Any]) -> None:
    command = project.start(*UP)
    command.until_event("bake.started", phase="traffic")
    project.launch("abort", "dev", check=0)
    result = command.result()
    assert (result.code, result.ended["reason"]) == (1, "abort was asked for"), result
    assert project.world() == before


@pytest.mark.parametrize("verb", ["abort", "pause", "promote", "resume"])
def test_with_nothing_running_nothing_changes(project: Project, before: dict[str, Any], verb: str) -> None:
    assert "nothing changed" in project.launch(verb, "dev", check=0).stderr
    assert project.world() == before


def test_history_and_pulumi_tell_the_same_story(project: Project) -> None:
    launches = project.launch("history", "dev", check=0).events
    assert [launch["state"] for launch in launches if launch["launch"] == launches[-1]["launch"]] == ["COMPLETED"]
    assert launches[-1]["image"] == "shop:1.0"
    stacks = {update["stack"] for update in launches[-1]["updates"]}
    assert {"dev-migration", "dev-deploy", "dev-traffic"} <= stacks


def test_down_leaves_nothing(make_project: Callable[..., Project]) -> None:
    project = make_project("1.0")
    project.launch("up", "dev", "--image", "shop:1.0", check=0)
    assert project.running() == ["shop:1.0"]
    declined = subprocess.run(
        [sys.executable, "-m", "launch", "down", "dev"],
        cwd=project.root,
        input="n\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "nothing was changed" in declined.stdout
    assert project.running() == ["shop:1.0"]
    project.launch("down", "dev", "--yes", check=0)
    assert (project.running(), project.router(), project.locks()) == ([], None, [])
    assert project.status()["state"] == "IDLE"
