"""The files of a project: which there must be, and what is said where one is not."""

from __future__ import annotations

import pytest

from launch.config import load_environment
from phases.errors import ConfigurationError
from tests.launch.configuration.project import Project


def test_an_unknown_environment_names_those_there_are(project: Project) -> None:
    project.write("Pulumi.prod.yaml", "")
    assert project.problem("pord", image="shop:2") == (
        "Pulumi.pord.yaml: there is no such file (did you mean prod?); the environments here are dev, prod. "
        "`python -m launch init` writes Pulumi.dev.yaml; any other is a file beside it, and an empty one will do."
    )


@pytest.mark.parametrize("name", ["", "../dev", "a b", "-x", "a" * 61])
def test_a_name_that_no_stack_can_have_is_refused(project: Project, name: str) -> None:
    assert "cannot be an environment" in project.problem(name, image="shop:2")


def test_without_a_launch_file_the_message_says_how_to_get_one(project: Project) -> None:
    (project.root / "launch.yaml").unlink()
    assert project.problem() == (
        "launch.yaml: there is no such file. `python -m launch init` writes one; `--config FILE` names another."
    )


def test_another_launch_file_is_called_by_its_own_name(project: Project) -> None:
    path = project.write("launches/canary.yaml", "launch:\n  phases: []\n")
    assert project.problem(config=path).startswith("launches/canary.yaml:2: launch.phases: ")


def test_a_launch_file_holds_a_launch(project: Project) -> None:
    project.write("launch.yaml", "")
    assert project.problem() == "launch.yaml:1: the key launch is missing; it holds the phases: launch: {phases: [...]}"
    project.write("launch.yaml", "[]")
    assert project.problem() == "launch.yaml:1: the file must hold a mapping with the key launch"
    project.write("launch.yaml", "launch: 5")
    assert project.problem().startswith("launch.yaml:1: launch: found 5; it must be a mapping with keys of environment")
    project.write("launch.yaml", "launsh:\n  phases: []")
    assert project.problem() == (
        "launch.yaml:1: launsh: there is no such key (did you mean launch?); a launch file has the key launch, and for "
        "values that anchors name, keys that begin with x-"
    )


def test_anchors_may_be_kept_under_keys_of_their_own(project: Project) -> None:
    project.write("launch.yaml", "x-limits: &l {timeout_ms: 500}\nlaunch:\n  phases:\n  - {id: health, <<: *l}\n")
    assert project.load().spec.phases[0].timeout_ms == 500


def test_a_project_has_a_name(project: Project) -> None:
    project.write("Pulumi.yaml", "runtime: python\n")
    assert project.problem(image="shop:2").startswith("Pulumi.yaml:1: name: this key is missing; it is the project's")
    project.write("Pulumi.yaml", "runtime: python\nname: [a]\n")
    assert project.problem(image="shop:2") == (
        'Pulumi.yaml:2: name: found ["a"]; it must be a name of letters, digits, _, - and ., at most 100'
    )
    (project.root / "Pulumi.yaml").unlink()
    assert "two lines will do" in project.problems(image="shop:2")[0]


def test_settings_of_a_launch_are_not_the_projects(project: Project) -> None:
    """Pulumi has defaults for all environments in Pulumi.yaml; ours would be overlooked there."""
    project.write("Pulumi.yaml", "name: shop\nconfig:\n  aws:region: x\n  launch:platform: local\n")
    assert project.problem(image="shop:2") == (
        "Pulumi.yaml:4: config.launch:platform: settings of a launch are an environment's; write it in Pulumi.ENV.yaml"
    )


def test_the_service_is_called_like_the_project_unless_it_has_a_name(project: Project) -> None:
    project.write("Pulumi.yaml", "name: My_Shop.io\n")
    project.settings("launch:platform: local")
    project.launch("- id: health")
    assert project.load().settings.service.name == "my-shop-io"


def test_an_environment_can_be_read_without_a_launch_file(project: Project) -> None:
    (project.root / "launch.yaml").unlink()
    config = load_environment("dev", root=project.root)
    assert (config.project, config.environment, config.settings.service.name) == ("shop", "dev", "shop")
    with pytest.raises(ConfigurationError, match=r"Pulumi\.prod\.yaml"):
        load_environment("prod", root=project.root)


def test_a_launch_goes_on_with_the_files_it_began_with(project: Project) -> None:
    """`resume` hands in the pinned environment, and what that refers to may be gone by now."""
    pinned = project.write("pinned/Pulumi.dev.yaml", "config:\n  launch:synthetic: gone.yaml\n")
    project.launch("- id: health")
    assert project.load(environment_source=pinned).spec.phases[0].synthetic == "gone.yaml"
