"""More services than one deploy stack may hold: they are spread over several, and all is as with one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

NAMES = ("cart", "depot", "till")
PARTS = ("dev-deploy", "dev-deploy_part2")


def settings(**versions: str) -> str:
    every = {name: {"image": f"{name}:{version}"} for name, version in versions.items()}
    return f"  launch:services_per_stack: 2\n  launch:services: {json.dumps(every)}\n"


ALL_OLD = settings(cart="1.0", depot="1.0", till="1.0")


@pytest.fixture(scope="module")
def fleet(make_project: Callable[..., Project]) -> Project:
    """The shop and three other shops, two services a stack."""
    project = make_project("1.0", "2.0", "2.3")
    project.look_often()
    for name in NAMES:
        shutil.copytree(project.root / "registry" / "shop", project.root / "registry" / name)
    environment = project.root / "Pulumi.dev.yaml"
    environment.write_text(environment.read_text(encoding="utf-8") + ALL_OLD, encoding="utf-8")
    project.launch("up", "dev", "--image", "shop:1.0", check=0)
    return project


def everywhere(version: str, *names: str) -> dict[str, list[tuple[str, int]]]:
    return {name: [(f"{name}:{version}", 100)] for name in ("shop", *(names or NAMES))}


def test_each_stack_has_its_services_and_all_have_their_users(fleet: Project) -> None:
    assert fleet.services() == everywhere("1.0")
    fleet.edit("Pulumi.dev.yaml", ALL_OLD, settings(cart="2.0", depot="2.0", till="2.0"))
    try:
        result = fleet.launch("up", "dev", "--image", "shop:2.0", check=0)
        deployed = [event["stack"] for event in result.all("update.applied") if "-deploy" in event["stack"]]
        assert deployed == [*PARTS, *PARTS], "each is deployed, and each lets go of its old slots"
        assert fleet.services() == everywhere("2.0")

        fleet.launch("rollback", "dev", check=0)
        assert fleet.services() == everywhere("1.0")
    finally:
        fleet.edit("Pulumi.dev.yaml", settings(cart="2.0", depot="2.0", till="2.0"), ALL_OLD)


def test_a_bad_one_in_the_last_stack_takes_all_of_them_back(fleet: Project) -> None:
    before = fleet.world()
    bad = settings(cart="2.0", depot="2.0", till="2.3")
    fleet.edit("Pulumi.dev.yaml", ALL_OLD, bad)
    try:
        result = fleet.launch("up", "dev", "--image", "shop:2.0", check=1)
    finally:
        fleet.edit("Pulumi.dev.yaml", bad, ALL_OLD)
    assert "till" in result.ended["reason"], result
    assert fleet.services() == everywhere("1.0")
    assert fleet.world() == before


def test_killed_between_two_stacks_it_is_finished(fleet: Project) -> None:
    new = settings(cart="2.0", depot="2.0", till="2.0")
    fleet.edit("Pulumi.dev.yaml", ALL_OLD, new)
    try:
        fleet.killed("phase.moved deploy_part2 EXECUTING", "up", "dev", "--image", "shop:2.0")
        fleet.launch("resume", "dev", check=0)
        assert fleet.services() == everywhere("2.0")
        fleet.launch("rollback", "dev", check=0)
        assert fleet.services() == everywhere("1.0")
    finally:
        fleet.edit("Pulumi.dev.yaml", new, ALL_OLD)


def test_a_service_that_goes_leaves_its_stack_and_one_that_comes_finds_room(fleet: Project) -> None:
    fewer = settings(cart="1.0", till="1.0")
    fleet.edit("Pulumi.dev.yaml", ALL_OLD, fewer)
    fleet.launch("up", "dev", "--image", "shop:2.0", check=0)
    assert fleet.services() == {**everywhere("1.0", "cart", "till"), "shop": [("shop:2.0", 100)]}

    fleet.edit("Pulumi.dev.yaml", fewer, ALL_OLD)
    fleet.launch("up", "dev", "--image", "shop:1.0", check=0)
    assert fleet.services() == everywhere("1.0")


def test_down_lets_go_of_every_stack(fleet: Project) -> None:
    fleet.launch("down", "dev", "--yes", check=0)

    assert not [path for path in (fleet.root / ".launch" / "state").glob("**/stacks/**/dev*.json") if path.exists()]
