"""Each mistake ends with exit code 2 before anything is changed, and says where it is and what would be right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.launches.conftest import LAUNCH, Project

pytestmark = pytest.mark.integration

STEP = "{ weight: 25, bake: 500ms }"
MISTAKES = {
    "a wrong key": (STEP, "{ wieght: 25, bake: 500ms }", "wieght", "did you mean weight"),
    "a missing variable": ("${IMAGE_TAG}", "${NO_SUCH_TAG}", "${NO_SUCH_TAG} has no value", "--set NO_SUCH_TAG="),
    "an unknown verb": ("execute: run_synthetic_tests", "execute: run_tests", "run_tests", "the verbs are"),
    "a weight over 100": (STEP, "{ weight: 125, bake: 500ms }", "found 125", "from 0 to 100"),
    "steps that go down": ("{ weight: 100, bake: 500ms }", "{ weight: 20 }", "found 20", "weights must go up"),
    "a bake longer than the timeout": (STEP, "{ weight: 25, bake: 5m }", "takes 5m", "raise timeout_ms"),
    "a flag nobody defined": ("flags: [new_checkout]", "flags: [new_chekout]", "new_chekout", "mean new_checkout"),
    "a word for a number": ("timeout_ms: 120000", "timeout_ms: soon", 'found "soon"', "whole number"),
}


@pytest.fixture(scope="module")
def untouched(make_project: Callable[..., Project]) -> Project:
    """A project in which nothing was ever launched."""
    return make_project()


def refused(project: Project, *arguments: str) -> str:
    """Launch, and return what was said; it must have been refused and nothing made."""
    result = project.launch(*arguments, check=2)
    assert not (project.root / ".launch" / "state").exists()
    assert not (project.root / ".launch" / "environments").exists()
    assert result.all("launch.started") == []
    return " ".join(result.stderr.split())


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_launch_is_told_with_its_line(untouched: Project, mistake: str) -> None:
    old, new, found, right = MISTAKES[mistake]
    wrong = LAUNCH.replace(old, new, 1)
    line = next(number for number, text in enumerate(wrong.splitlines(), 1) if new in text)
    file = untouched.root / "launch.yaml"
    file.write_text(wrong, encoding="utf-8")
    try:
        said = refused(untouched, "up", "dev", "--image", "shop:1.0")
    finally:
        file.write_text(LAUNCH, encoding="utf-8")
    # Steps that do not fit are told at the list they are in.
    lines = (line, line - 1) if mistake == "a bake longer than the timeout" else (line,)
    assert any(f"launch.yaml:{number}: " in said for number in lines), said
    assert found in said
    assert right in said


def test_an_unknown_platform_is_told_with_its_line(untouched: Project) -> None:
    untouched.edit("Pulumi.dev.yaml", "platform: local", "platform: moon")
    try:
        said = refused(untouched, "up", "dev", "--image", "shop:1.0")
    finally:
        untouched.edit("Pulumi.dev.yaml", "platform: moon", "platform: local")
    assert 'Pulumi.dev.yaml:2: launch:platform: found "moon"' in said
    assert "local" in said


def test_an_image_that_is_not_there_is_told_with_those_that_are(untouched: Project) -> None:
    said = refused(untouched, "up", "dev", "--image", "shop:9.9")
    assert "shop:9.9" in said
    assert "2.0" in said


def test_an_unknown_environment_is_told_with_its_file(untouched: Project) -> None:
    said = refused(untouched, "up", "prod", "--image", "shop:1.0")
    assert "Pulumi.prod.yaml" in said
