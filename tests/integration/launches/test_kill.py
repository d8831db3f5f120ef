"""`kill -9` at the points that the loop announces, in the middle of updates, and of the children; then `resume`.

The tables name every point of a launch and of its rollback. A real launch takes seconds, so here the process dies at
those marked, and at every one where KILL_EVERYWHERE is set; tests/phases/test_sequence.py does all of them with a
fake world, always.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import pytest

from tests.integration.launches.conftest import Command, Project
from tests.integration.processes import started

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

UP = ("up", "dev", "--image", "shop:2.0")
HERE, ELSEWHERE = True, bool(os.environ.get("KILL_EVERYWHERE"))
WATCHED = "      window: 1s\n"
LATE_GATE = "      validators: [{ type: command, config: { run: [test, -e, good] } }]\n"

FORWARD = {
    "launch.started": HERE,
    "phase.moved migration VALIDATING": ELSEWHERE,
    "gate.checked migration schema_compatibility": ELSEWHERE,
    "phase.moved migration EXECUTING": ELSEWHERE,
    "update.started migration schema to 0002": ELSEWHERE,
    "update.applied migration schema to 0002": HERE,
    "step.applied migration.1": ELSEWHERE,
    "phase.moved migration VERIFIED": ELSEWHERE,
    "phase.moved deploy VALIDATING": ELSEWHERE,
    "gate.checked deploy image_digest": ELSEWHERE,
    "phase.moved deploy EXECUTING": ELSEWHERE,
    "update.started deploy shop:2.0": ELSEWHERE,
    "update.applied deploy shop:2.0": ELSEWHERE,
    "step.applied deploy.1": ELSEWHERE,
    "gate.checked deploy image_digest (2)": ELSEWHERE,
    "phase.moved deploy VERIFIED": ELSEWHERE,
    "phase.moved health VALIDATING": ELSEWHERE,
    "gate.checked health http_status": ELSEWHERE,
    "phase.moved health EXECUTING": ELSEWHERE,
    "gate.checked health synthetic tests": ELSEWHERE,
    "step.applied health.1": ELSEWHERE,
    "phase.moved health VERIFIED": ELSEWHERE,
    "phase.moved traffic VALIDATING": ELSEWHERE,
    "phase.moved traffic EXECUTING": ELSEWHERE,
    "update.started traffic 0% -> 25%": ELSEWHERE,
    "update.applied traffic 0% -> 25%": ELSEWHERE,
    "traffic.shifted traffic": ELSEWHERE,
    "step.applied traffic.1": ELSEWHERE,
    "bake.started traffic.1": ELSEWHERE,
    "warning traffic": ELSEWHERE,
    "update.started traffic 25% -> 100%": ELSEWHERE,
    "update.applied traffic 25% -> 100%": ELSEWHERE,
    "traffic.shifted traffic (2)": HERE,
    "step.applied traffic.2": ELSEWHERE,
    "update.started traffic flags on: new_checkout": ELSEWHERE,
    "update.applied traffic flags on: new_checkout": ELSEWHERE,
    "traffic.shifted traffic (3)": ELSEWHERE,
    "step.applied traffic.3": ELSEWHERE,
    "bake.started traffic.3": ELSEWHERE,
    "warning traffic (2)": ELSEWHERE,
    "gate.checked traffic feature_flag_evaluation": ELSEWHERE,
    "phase.moved traffic VERIFIED": ELSEWHERE,
    "phase.moved post_launch VALIDATING": ELSEWHERE,
    "phase.moved post_launch EXECUTING": ELSEWHERE,
    "step.applied post_launch.1": ELSEWHERE,
    "bake.started post_launch.1": ELSEWHERE,
    "warning post_launch": ELSEWHERE,
    "phase.moved post_launch VERIFIED": HERE,
    "update.started deploy retire shop:1.0": ELSEWHERE,
    "update.applied deploy retire shop:1.0": HERE,
    "launch.ended": ELSEWHERE,
}
"""The points of a launch of 2.0, in their order."""

BACKWARD = {
    "gate.checked post_launch command": ELSEWHERE,
    "rollback.started post_launch": HERE,
    "phase.moved post_launch ROLLED_BACK": ELSEWHERE,
    "update.started traffic undo": ELSEWHERE,
    "update.applied traffic undo": HERE,
    "traffic.shifted traffic (4)": ELSEWHERE,
    "phase.moved traffic ROLLED_BACK": ELSEWHERE,
    "phase.moved health ROLLED_BACK": ELSEWHERE,
    "update.started deploy undo": ELSEWHERE,
    "update.applied deploy undo": HERE,
    "phase.moved deploy ROLLED_BACK": ELSEWHERE,
    "update.started migration undo": ELSEWHERE,
    "update.applied migration undo": ELSEWHERE,
    "phase.moved migration ROLLED_BACK": ELSEWHERE,
    "launch.ended": ELSEWHERE,
}
"""The points of a launch whose last gate fails, from there on."""

MIDDLE = {
    "update.started migration schema to 0002": 0.7,
    "update.started deploy shop:2.0": 0.9,
    "update.started traffic 25% -> 100%": 0.7,
}
"""Updates, and the seconds after which most of them are half done."""


def died_at(table: dict[str, bool]) -> list[str]:
    return [point for point, here in table.items() if here]


@pytest.fixture(scope="module")
def after(project: Project) -> dict[str, Any]:
    """The world that an uninterrupted launch of 2.0 makes; its points are those of the table."""
    points = project.killed("launch.ended", *UP)
    assert points == list(FORWARD)
    world = project.world()
    project.settle(["shop:1.0"])
    return world


@pytest.mark.parametrize("point", died_at(FORWARD))
def test_a_launch_killed_at_any_point_ends_as_if_nothing_had_happened(
    project: Project, after: dict[str, Any], before: dict[str, Any], point: str
) -> None:
    del before
    project.killed(point, *UP)
    project.launch("resume", "dev", check=0)
    assert project.world() == after
    assert project.status()["state"] == "COMPLETED"


@pytest.mark.parametrize(("point", "seconds"), MIDDLE.items())
def test_a_launch_killed_in_the_middle_of_an_update_ends_as_if_nothing_had_happened(
    project: Project, after: dict[str, Any], before: dict[str, Any], point: str, seconds: float
) -> None:
    del before
    project.killed(point, *UP, delay=seconds)
    project.launch("resume", "dev", check=0)
    assert project.world() == after


@pytest.fixture
def fails_late(project: Project) -> Any:  # noqa: ANN401
    """A gate after everything else fails."""
    project.edit("launch.yaml", WATCHED, WATCHED + LATE_GATE)
    yield
    project.edit("launch.yaml", WATCHED + LATE_GATE, WATCHED)


@pytest.mark.usefixtures("fails_late")
def test_the_table_of_a_rollback_is_complete(project: Project, before: dict[str, Any]) -> None:
    points = project.killed("launch.ended", *UP)
    assert points[points.index("gate.checked post_launch command") :] == list(BACKWARD)
    assert project.world() == before


@pytest.mark.usefixtures("fails_late")
@pytest.mark.parametrize("point", died_at(BACKWARD))
def test_a_rollback_killed_at_any_point_is_finished(project: Project, before: dict[str, Any], point: str) -> None:
    project.killed(point, *UP)
    project.launch("resume", "dev", check=1)
    assert project.world() == before
    assert project.status()["state"] == "ROLLED_BACK"


def engine_of(command: Command, message: str = "deploy shop:2.0") -> psutil.Process:
    """Return the engine's process of the update with that message."""
    launch = psutil.Process(command.process.pid)
    while command.process.poll() is None:
        for engine in started(message, launch):
            return engine
    pytest.fail(f"there was no such update:\n{command.result()}")


def plugin_of(command: Command) -> psutil.Process:
    """Return our provider's process of that update."""
    engine = engine_of(command)
    while engine.is_running():
        with suppress(psutil.Error):
            for plugin in started("pulumi-resource-launch", engine):
                return plugin
    pytest.fail(f"the update had no provider:\n{command.result()}")


@pytest.mark.parametrize("victim", [engine_of, plugin_of])
def test_an_update_whose_child_is_killed_is_made_again(
    project: Project, after: dict[str, Any], before: dict[str, Any], victim: Callable[[Command], psutil.Process]
) -> None:
    """The update that waited for its time is replaced by a plain one."""
    del before
    command = project.start(*UP)
    command.until_event("update.started", phase="deploy")
    victim(command).kill()
    result = command.result()
    assert (result.code, result.ended["state"]) == (0, "COMPLETED"), result
    assert project.world() == after


def test_an_update_whose_engine_is_killed_twice_is_rolled_back(project: Project, before: dict[str, Any]) -> None:
    command = project.start(*UP)
    command.until_event("update.started", phase="deploy")
    first = engine_of(command)
    first.kill()
    while (second := engine_of(command)) == first:
        pass
    second.kill()
    result = command.result()
    assert (result.code, result.ended["state"]) == (1, "ROLLED_BACK"), result
    assert project.world() == before


def test_a_killed_update_of_the_ledger_is_tried_again(
    project: Project, after: dict[str, Any], before: dict[str, Any]
) -> None:
    del before
    command = project.start(*UP)
    command.until_event("update.started", phase="migration")
    engine_of(command, "launch RUNNING").kill()
    result = command.result()
    assert (result.code, result.ended["state"]) == (0, "COMPLETED"), result
    assert "it will be tried again" in result.stderr
    assert project.world() == after


def test_users_see_a_killed_router_come_back(project: Project, before: dict[str, Any]) -> None:
    (router,) = project.runtimes("router")
    assert router.child is not None
    router.child.send(signal.SIGKILL)
    project.wait(lambda: next(project.runtimes("router")).restarts > router.restarts)
    project.wait(lambda: project.router() is not None and project.answered_by() == ["1.0"])
    assert project.world() == before
