"""Two launches of one environment: one goes on, the other is told whose turn it is."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_the_second_is_refused_at_once_and_names_the_first(project: Project, before: dict[str, Any]) -> None:
    first = project.start("up", "dev", "--image", "shop:2.0")
    owner = first.until_event("update.started")["launch"]
    second = project.launch("up", "dev", "--image", "shop:2.0", check=4)
    assert owner in second.stderr
    assert [item["event"] for item in second.events] == ["error"]
    assert first.result().code == 0
    assert project.running() == ["shop:2.0"]
    project.launch("rollback", "dev", check=0)
    assert project.world() == before


@pytest.mark.parametrize("attempt", range(2))
def test_two_that_start_at_the_same_moment_have_one_winner(
    project: Project, before: dict[str, Any], attempt: int
) -> None:
    del before, attempt
    image = "shop:2.0"
    results = [command.result() for command in [project.start("up", "dev", "--image", image) for _ in range(2)]]
    winner, loser = sorted(results, key=lambda result: result.code)
    assert (winner.code, loser.code) == (0, 4), f"{winner}\n{loser}"
    assert winner.events[0]["launch"] in loser.stderr
    assert winner.ended["state"] == "COMPLETED"
    assert (project.running(), project.answered_by()) == ([image], [image.removeprefix("shop:")])
    assert project.locks() == []


def test_a_dead_launch_keeps_its_environment_and_the_next_says_how_to_go_on(
    project: Project, before: dict[str, Any]
) -> None:
    dead = project.start("up", "dev", "--image", "shop:2.0")
    owner = dead.until_event("bake.started")["launch"]
    dead.send(signal.SIGKILL)
    dead.result()
    refused = project.launch("up", "dev", "--image", "shop:2.0", check=4)
    assert owner in refused.stderr
    assert "launch resume dev" in refused.stderr
    assert project.launch("abort", "dev", check=0).ended["state"] == "ROLLED_BACK"
    assert project.world() == before


def test_a_newer_release_may_supersede_one_that_runs(project: Project, before: dict[str, Any]) -> None:
    """The first is rolled back, so the second starts against what users had before both."""
    first = project.start("up", "dev", "--image", "shop:2.0")
    first.until_event("bake.started", phase="traffic")
    second = project.launch("up", "dev", "--image", "shop:1.0", "--supersede", check=0)
    ended = first.result()
    assert (ended.code, ended.ended["state"]) == (1, "ROLLED_BACK")
    assert second.all("launch.started")[-1]["previous"] == "shop:1.0"
    assert second.ended["state"] == "COMPLETED"
    assert project.world() == before


def test_a_newer_release_may_supersede_one_that_is_dead(project: Project, before: dict[str, Any]) -> None:
    dead = project.start("up", "dev", "--image", "shop:2.0")
    dead.until_event("bake.started", phase="traffic")
    dead.send(signal.SIGKILL)
    dead.result()
    second = project.launch("up", "dev", "--image", "shop:1.0", "--supersede", check=0)
    assert [event["state"] for event in second.all("launch.ended")] == ["ROLLED_BACK", "COMPLETED"]
    assert project.world() == before
