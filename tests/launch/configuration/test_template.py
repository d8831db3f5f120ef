"""The template of the documentation is a launch, word for word."""

from __future__ import annotations

import pytest

from launch.config import Config
from phases import verbs
from phases.kinds import PhaseKind
from tests.launch.configuration.project import Project


@pytest.fixture
def template(project: Project) -> Config:
    return project.load(image="shop:2.0", previous_image="shop:1.0")


def test_its_phases_come_in_their_order(template: Config) -> None:
    assert [phase.kind for phase in template.spec.phases] == [
        PhaseKind.MIGRATION,
        PhaseKind.DEPLOY,
        PhaseKind.HEALTH,
        PhaseKind.TRAFFIC,
    ]
    assert [phase.timeout_ms for phase in template.spec.phases] == [30_000, 60_000, 45_000, 120_000]
    assert template.spec.phases[3].title == "Traffic Shift & Feature Activation"


def test_its_verbs_become_actions_with_the_images_filled_in(template: Config) -> None:
    actions = [(phase.actions.execute, phase.actions.rollback) for phase in template.spec.phases]
    assert actions == [
        (verbs.Migrate("up"), verbs.Migrate("down")),
        (verbs.Deploy("shop:2.0"), verbs.Deploy("shop:1.0")),
        (verbs.SyntheticTests(), verbs.DisableTraffic()),
        (verbs.ShiftTraffic(100), verbs.ShiftTraffic(0)),
    ]
    assert template.image == "shop:2.0"
    assert template.variables == {"IMAGE_TAG": "shop:2.0", "PREVIOUS_IMAGE_TAG": "shop:1.0"}


def test_its_thresholds_hold_in_every_phase(template: Config) -> None:
    for phase in template.spec.phases:
        assert phase.thresholds is not None
        assert phase.thresholds.error_rate == 0.02
        assert phase.thresholds.latency_p99_ms == 800
        assert phase.thresholds.health_check_failures == 3


def test_its_gates_have_their_settings(template: Config) -> None:
    gates = [phase.validators[0] for phase in template.spec.phases]
    assert [gate.type for gate in gates] == [
        "schema_compatibility",
        "image_digest",
        "http_status",
        "feature_flag_evaluation",
    ]
    assert gates[1].config.registry == "ecr"
    assert gates[3].config.flags[0].key == "new_checkout"


def test_a_first_launch_has_nothing_to_deploy_back(project: Project) -> None:
    assert project.load(image="shop:2.0").spec.phases[1].actions.rollback == verbs.Deploy("")


def test_without_an_image_the_message_says_how_to_name_one(project: Project) -> None:
    assert project.problem() == (
        "launch.yaml:26: launch.phases[1].actions.execute: ${IMAGE_TAG} has no value; give it one with --image NAME:TAG"
    )


def test_without_an_environment_that_defines_them_its_names_are_unknown(project: Project) -> None:
    project.write("Pulumi.dev.yaml", "config: {}\n")
    assert project.problems(image="shop:2.0") == [
        (
            "launch.yaml:8: launch.phases[0]: the phase migrates a schema, and Pulumi.dev.yaml has no launch:database; "
            "write there launch:database: {url: ...}"
        ),
        (
            'launch.yaml:24: launch.phases[1].validators[0].config.registry: found "ecr"; the registries are local; '
            "launch:registry: {aliases: [ecr]} in the environment's settings adds this name"
        ),
        (
            'launch.yaml:44: launch.phases[3].validators[0].config.flags[0]: found "new_checkout"; the flags of '
            "launch.flags and launch:flags are none"
        ),
    ]
