"""Each mistake in launch.yaml: file, line, key path, what was found, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from phases.gates.registry import GATES
from tests.launch.configuration.project import Project

MISTAKES = yaml.safe_load((Path(__file__).parents[2] / "data" / "launch-mistakes.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place_and_its_remedy(project: Project, mistake: str) -> None:
    written = MISTAKES[mistake]
    project.launch(written.get("phases", "- id: health"), head=written.get("head", ""))
    assert project.problem() == written["says"].replace("{gates}", ", ".join(GATES))


def test_all_mistakes_are_named_at_once_in_the_order_of_the_files(project: Project) -> None:
    project.settings("launch:platform: moon", "launch:tier: gold")
    project.launch(
        "- id: health\n  timeout_ms: soon\n"
        "- id: traffic\n  steps: [{weight: 10}, {weight: 5}]\n  name: ${WHO}\n  zap: 1"
    )
    assert [line.split(": ")[0] for line in project.problems()] == [
        "Pulumi.dev.yaml:2",
        "Pulumi.dev.yaml:3",
        "launch.yaml:4",
        "launch.yaml:6",
        "launch.yaml:7",
        "launch.yaml:8",
    ]


def test_transactions_that_are_wrong_are_found_before_anything_is_changed(project: Project) -> None:
    project.write("checks.yaml", "- name: home\n  path: /\n  expekt: {}\n")
    project.launch("- id: health\n  synthetic: checks.yaml")
    assert project.problem().startswith("checks.yaml:3: ")


def test_an_environment_and_a_stack_of_another_may_not_be_one(project: Project) -> None:
    project.write("Pulumi.dev-health.yaml", "config: {}\n")
    project.launch("- id: health")
    message = (
        'launch.yaml:3: launch.phases[0].id: found "health"; the stack of this phase and the environment dev-health '
        "would be the same; give one of them another name"
    )
    assert project.problem() == message
    assert project.problem("dev-health") == message


def test_what_cannot_be_judged_is_not_judged(project: Project) -> None:
    """A variable without a value is one problem, not also that its name is no number."""
    project.launch("- id: traffic\n  steps: [{weight: '${FIRST}'}, {weight: 100}]")
    assert len(project.problems()) == 1
