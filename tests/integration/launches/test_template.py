"""The template of the documentation launches the demo, word for word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TEMPLATE = Path(__file__).parents[2] / "data" / "launch-template.yaml"
FLAGS = '  launch:flags: [{ key: new_checkout, owner: checkout, created: "2026-11-01", expires: "2030-12-31" }]\n'


def test_the_template_launches_the_demo_word_for_word(make_project: Callable[..., Project]) -> None:
    """Its registry `ecr` is answered by the local one, and its flag is defined, in the environment's settings."""
    project = make_project()
    (project.root / "launch.yaml").write_bytes(TEMPLATE.read_bytes())
    with (project.root / "Pulumi.dev.yaml").open("a", encoding="utf-8") as settings:
        settings.write(FLAGS)
    for image in ("shop:1.0", "shop:2.0"):
        ended = project.launch("up", "dev", "--image", image, check=0).ended
        assert ended["state"] == "COMPLETED"
    assert project.answered_by() == ["2.0"]
    assert project.running() == ["shop:2.0"]
    assert project.revision() == "0002"
    assert project.flags()["new_checkout"] is True
    assert [slot["image"] for slot in project.status()["traffic"] if slot["weight"] == 100] == ["shop:2.0"]
