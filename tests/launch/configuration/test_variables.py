"""`${NAME}` in launch.yaml: where values come from, and what a value can never do."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.configuration.variables import Variables, fill
from launch.configuration.yaml_source import parse
from phases import verbs
from phases.errors import ConfigurationError
from tests.launch.configuration.project import Project

NAMES = "- id: health\n  name: ${WHO}"


def filled(text: str, **values: str) -> Any:  # noqa: ANN401
    made = fill(parse(text, name="launch.yaml"), Variables(sets=values))
    assert made.problems == ()
    return made.tree.data


def test_a_value_comes_from_the_command_line_then_the_process_then_the_environments_file(project: Project) -> None:
    project.launch(NAMES)
    project.settings("launch:variables: {WHO: file}")
    assert project.load().spec.phases[0].name == "file"
    assert project.load(environ={"WHO": "process"}).spec.phases[0].name == "process"
    assert project.load(environ={"WHO": "process"}, sets={"WHO": "set"}).spec.phases[0].name == "set"


def test_the_image_comes_from_the_command_line_then_the_process(project: Project) -> None:
    assert project.load(image="shop:3", environ={"IMAGE_TAG": "shop:2"}).image == "shop:3"
    assert project.load(sets={"IMAGE_TAG": "shop:3"}, environ={"IMAGE_TAG": "shop:2"}).image == "shop:3"
    assert project.load(environ={"IMAGE_TAG": "shop:2"}).image == "shop:2"


def test_an_image_variable_that_is_exported_empty_is_no_image(project: Project) -> None:
    assert "--image NAME:TAG" in project.problem(environ={"IMAGE_TAG": ""})


def test_two_images_are_one_too_many(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="give one of the two"):
        project.load(image="shop:3", sets={"IMAGE_TAG": "shop:2"})


def test_the_previous_image_is_what_runs_and_nothing_else(project: Project) -> None:
    config = project.load(image="shop:2", previous_image="shop:1", environ={"PREVIOUS_IMAGE_TAG": "shop:9"})
    assert config.spec.phases[1].actions.rollback == verbs.Deploy("shop:1")
    with pytest.raises(ConfigurationError, match="cannot be set"):
        project.load(image="shop:2", previous_image="shop:1", sets={"PREVIOUS_IMAGE_TAG": "shop:9"})


def test_a_launch_that_is_resumed_sets_what_it_used(project: Project) -> None:
    first = project.load(image="shop:2", previous_image="shop:1")
    again = project.load(image=first.image, previous_image="shop:1", sets=first.variables)
    assert again.spec == first.spec


def test_a_set_variable_that_nothing_uses_is_a_slip(project: Project) -> None:
    project.launch(NAMES)
    assert project.problem(sets={"WO": "x"}) == (
        "--set WO: launch.yaml uses no ${WO} (did you mean WHO?); the variables it uses are WHO."
    )


def test_a_name_that_is_none_is_refused(project: Project) -> None:
    assert "is not a name" in project.problem(sets={"a-b": "x"})


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("shop", '--image: found "shop"; an image is written NAME:TAG'),
        ("shop:", '--image: found "shop:"'),
        ("shop@sha256:abc", '--image: found "shop@sha256:abc"'),
        ("shop:2.0 --x", "--image: found"),
    ],
)
def test_an_image_is_a_tag_or_a_digest(project: Project, image: str, said: str) -> None:
    assert project.problem(image=image).startswith(said)


@pytest.mark.parametrize(
    "image", ["shop:2.0", "shop@sha256:" + "a" * 64, "registry.example:5000/team/shop:2.0-rc.1", "a/b_c/d:x"]
)
def test_every_usual_name_of_an_image_is_one(project: Project, image: str) -> None:
    assert project.load(image=image).image == image


def test_a_wrong_image_of_the_process_is_named_as_such(project: Project) -> None:
    assert project.problem(environ={"IMAGE_TAG": "shop"}).startswith("the environment variable IMAGE_TAG: found")


def test_an_image_that_the_file_fixes_cannot_be_asked_for(project: Project) -> None:
    project.launch("- id: deploy\n  actions: {execute: deploy --image shop:1}")
    assert project.load().image == "shop:1"
    assert project.load(image="shop:1").image == "shop:1"
    assert project.problem(image="shop:2") == (
        "launch.yaml:4: launch.phases[0].actions.execute: found the image shop:1, so that --image shop:2 would change "
        "nothing; write deploy --image ${IMAGE_TAG} here, or leave --image away"
    )


def test_going_back_takes_the_place_of_the_image_that_the_file_fixes(project: Project) -> None:
    project.launch("- id: deploy\n  actions: {execute: deploy --image shop:2}")
    config = project.load(image="shop:1", image_wins=True)
    assert config.image == "shop:1"
    assert config.spec.phases[0].actions.execute == verbs.Deploy("shop:1")


def test_a_deploy_phase_without_a_verb_deploys_the_image_that_was_asked_for(project: Project) -> None:
    project.launch("- id: deploy")
    assert project.load(image="shop:2").image == "shop:2"
    assert project.load(environ={"IMAGE_TAG": "shop:2"}).image == "shop:2"


def test_a_launch_that_deploys_nothing_is_about_what_runs(project: Project) -> None:
    project.launch("- id: traffic")
    assert project.load(previous_image="shop:1").image == "shop:1"
    assert project.load().image == ""


def test_nothing_is_asked_for_where_nothing_is_deployed(project: Project) -> None:
    """`flags list` reads the same file without an image."""
    config = project.load(image_needed=False)
    assert config.image == ""
    assert config.spec.flag("new_checkout") is not None


def test_a_default_stands_in_for_no_value_and_for_an_empty_one() -> None:
    assert filled("${X:-a}") == "a"
    assert filled("${X:-a}", X="") == "a"
    assert filled("${X:-a}", X="b") == "b"
    assert filled("${X:-}") == ""


def test_a_doubled_dollar_is_a_plain_one() -> None:
    assert filled("$${X} costs $5 or $(echo) or $$") == "${X} costs $5 or $(echo) or $$"


def test_a_plain_scalar_that_is_one_variable_is_typed_and_a_quoted_one_is_text() -> None:
    assert filled("[ '${N}', \"${N}\" ]", N="5") == ["5", "5"]
    assert filled("a: ${N}\nb: '${N}'\nc: ${N}ms", N="5") == {"a": 5, "b": "5", "c": "5ms"}
    assert filled("a: ${N}", N="true") == {"a": True}
    assert filled("a: ${N}", N="") == {"a": ""}
    assert filled("a: ${N}", N="2024-01-01") == {"a": "2024-01-01"}


def test_a_number_may_be_a_variable(project: Project) -> None:
    project.launch("- id: health\n  timeout_ms: ${LIMIT:-45000}")
    assert project.load().spec.phases[0].timeout_ms == 45_000
    assert project.load(sets={"LIMIT": "500"}).spec.phases[0].timeout_ms == 500
    assert project.problem(sets={"LIMIT": "soon"}).startswith(
        'launch.yaml:4: launch.phases[0].timeout_ms: found "soon"; it must be a whole number'
    )


def test_a_whole_verb_may_be_a_variable(project: Project) -> None:
    project.launch("- id: traffic\n  actions: {execute: '${SHIFT}'}")
    shift = project.load(sets={"SHIFT": "shift_traffic --percent 100"}).spec.phases[0].actions.execute
    assert shift == verbs.ShiftTraffic(100)


def test_a_program_gets_its_words_as_they_are(project: Project) -> None:
    project.launch("- id: custom\n  actions: {execute: {run: [sh, -c, 'echo \"$1\" $${HOME}', '${WHO}']}}")
    run = project.load(sets={"WHO": "a b; c"}).spec.phases[0].actions.execute
    assert run == verbs.RunProgram(("sh", "-c", 'echo "$1" ${HOME}', "a b; c"))


@given(st.text())
def test_a_value_never_becomes_structure(value: str) -> None:
    assert filled("a: x${V}\nb: ['${V}']", V=value) == {"a": f"x{value}", "b": [value]}


@given(st.text())
def test_a_value_never_becomes_a_second_word_of_a_verb(value: str) -> None:
    tree = filled("actions: {execute: 'deploy --image ${V}', rollback: \"deploy --image '${V}'\"}", V=value)
    for verb in tree["actions"].values():
        assert shlex.split(verb) == ["deploy", "--image", value]
        assert verbs.parse(verb) == verbs.Deploy(value)


@given(st.text())
def test_a_value_is_not_filled_in_again(value: str) -> None:
    assert filled("a: '<${V}>'", V="${" + value + "}") == {"a": "<${" + value + "}>"}


@given(st.text().filter(lambda text: "${" not in text))
def test_text_without_variables_stays_as_it_is(text: str) -> None:
    tree = parse("a: x", name="launch.yaml")
    made = fill(type(tree)({"a": text, text: [text]}, tree.marks), Variables())
    assert made.tree.data == {"a": text, text: [text]}
    assert made.used == {}


@given(st.text(), st.text())
def test_escaping_gives_back_any_text(before: str, after: str) -> None:
    text = f"{before}${{{after}"
    escaped = text.replace("${", "$${")
    tree = parse("a: x", name="launch.yaml")
    made = fill(type(tree)({"a": escaped}, tree.marks), Variables())
    assert made.problems == ()
    assert made.tree.data == {"a": text}
