"""Undos that fail and phases that hang."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

UP = ("up", "dev", "--image", "shop:2.0")
WATCHED = "      window: 1s\n"


@contextmanager
def edited(project: Project, old: str, new: str) -> Iterator[None]:
    """Edit launch.yaml for a while."""
    project.edit("launch.yaml", old, new)
    try:
        yield
    finally:
        project.edit("launch.yaml", new, old)


def test_an_undo_that_fails_leaves_the_rest_undone_and_says_how_to_finish(
    project: Project, before: dict[str, Any]
) -> None:
    gate = WATCHED + "      validators: [{ type: command, when: exit, config: { run: [test, -e, good] } }]\n"
    own = WATCHED.replace("1s", "1s\n      actions: { rollback: { run: [test, -e, mended] } }")
    with edited(project, WATCHED, own + gate.removeprefix(WATCHED)):
        result = project.launch(*UP, check=3)
    ended = result.ended
    assert (ended["state"], ended["next_command"]) == ("FAILED", "python -m launch resume dev")
    assert [item.partition(":")[0] for item in ended["left"]] == ["post_launch"]
    assert {phase["id"]: phase["state"] for phase in project.status()["phases"]} == {
        "migration": "ROLLED_BACK",
        "deploy": "ROLLED_BACK",
        "health": "ROLLED_BACK",
        "traffic": "ROLLED_BACK",
        "post_launch": "FAILED",
    }
    assert project.world() == before
    (project.root / "mended").touch()
    assert project.launch(*ended["next_command"].split()[3:], check=1).ended["state"] == "ROLLED_BACK"
    (project.root / "mended").unlink()
    assert project.world() == before


def test_an_update_that_cannot_be_undone_is_finished_after_its_cause_is_mended(
    project: Project, before: dict[str, Any]
) -> None:
    """The database is not to be had when its schema has to go back."""
    gate = WATCHED + "      validators: [{ type: command, config: { run: [sh, break.sh] } }]\n"
    kept = project.root / "kept"
    database = project.root / ".launch" / "dev" / "shop.db"
    (project.root / "break.sh").write_text(f"mv {database} {kept} && mkdir {database}; exit 1\n", encoding="utf-8")
    with edited(project, WATCHED, gate):
        result = project.launch(*UP, check=3)
    assert [item.partition(":")[0] for item in result.ended["left"]] == ["migration"], result
    shutil.rmtree(database)
    kept.rename(database)
    assert project.launch(*result.ended["next_command"].split()[3:], check=1).ended["state"] == "ROLLED_BACK"
    assert project.world() == before


def test_a_command_that_hangs_ends_with_its_phase(project: Project, before: dict[str, Any]) -> None:
    hanging = "actions: { execute: { run: [sleep, '1000'] }, rollback: disable_traffic }"
    short = "      timeout_ms: 4000\n      validators:\n        - { type: http_status"
    whole = "      timeout_ms: 60000\n      validators:\n        - { type: http_status"
    with (
        edited(project, "actions: { execute: run_synthetic_tests, rollback: disable_traffic }", hanging),
        edited(project, whole, short),
    ):
        result = project.launch(*UP, check=1)
    assert result.ended["reason"] == "health run sleep 1000 did not end within the timeout of 4s", result
    assert project.world() == before


def test_a_slot_that_does_not_become_ready_ends_with_its_phase(project: Project, before: dict[str, Any]) -> None:
    name = "  launch:service: { name: shop }"
    project.edit("Pulumi.dev.yaml", name, "  launch:service: { name: shop, command: [sleep, '1000'] }")
    short = "    - id: deploy\n      timeout_ms: 5000"
    try:
        with edited(project, "    - id: deploy\n      timeout_ms: 60000", short):
            result = project.launch(*UP, check=1)
    finally:
        project.edit("Pulumi.dev.yaml", "  launch:service: { name: shop, command: [sleep, '1000'] }", name)
    assert "timeout of 5s" in result.ended["reason"], result
    assert project.world() == before
