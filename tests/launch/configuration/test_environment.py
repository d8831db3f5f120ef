"""Pulumi.ENV.yaml: what it may say, what it overrides, and that secrets stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from launch.config import load_environment
from phases.errors import ConfigurationError
from stacks.updates import ConfigValue
from tests.launch.configuration.project import Project

DATA = Path(__file__).parents[2] / "data" / "environment-mistakes.yaml"
MISTAKES = yaml.safe_load(DATA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place_and_its_remedy(project: Project, mistake: str) -> None:
    project.settings(MISTAKES[mistake]["settings"].strip())
    project.launch("- id: health")
    assert project.problem() == MISTAKES[mistake]["says"]


@pytest.mark.parametrize("text", ["[]", "config: 5"])
def test_a_file_that_is_no_configuration_says_what_one_looks_like(project: Project, text: str) -> None:
    project.write("Pulumi.dev.yaml", text)
    assert project.problem().endswith("it must be a mapping of keys to values: launch:platform: local")


def test_an_empty_environment_is_one(project: Project) -> None:
    project.write("Pulumi.dev.yaml", "")
    project.launch("- id: health")
    assert project.load().settings.platform == "local"


def test_keys_of_others_are_left_alone(project: Project) -> None:
    project.settings("aws:region: eu-central-1", "shop:anything: {a: [1]}", "plain: x")
    project.launch("- id: health")
    assert project.load().settings.model_fields_set == {"service", "registry"}


def test_relative_paths_begin_at_the_projects_directory(project: Project) -> None:
    (project.root / "migrations").mkdir()
    project.settings("launch:database: {url: 'sqlite:///data/shop.db', scripts: migrations}", "launch:registry: {}")
    settings = load_environment("dev", root=project.root).settings
    assert settings.database is not None
    assert settings.database.url == f"sqlite:///{project.root}/data/shop.db"
    assert settings.database.scripts == project.root / "migrations"
    assert settings.registry.path == project.root / ".launch/registry"


@pytest.mark.parametrize(
    "url",
    ["sqlite:////var/shop.db", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg://u:p@h:5/d?sslmode=require"],
)
def test_other_urls_stay_as_they_are(project: Project, url: str) -> None:
    project.settings(f"launch:database: {{url: '{url}'}}")
    database = load_environment("dev", root=project.root).settings.database
    assert database is not None
    assert database.url == url


def test_text_written_by_pulumis_command_line_becomes_what_it_means(project: Project) -> None:
    """`pulumi config set launch:history 3` writes a quoted number."""
    project.settings('launch:history: "3"', 'launch:keep_previous: "true"')
    project.launch("- id: health")
    config = project.load()
    assert config.settings.history == 3
    assert config.spec.keep_previous is True


def test_environment_variables_of_the_service_are_text(project: Project) -> None:
    project.settings("launch:service: {environment: {PORT_MAX: 9000, DEBUG: true, NAME: x, OFF: off}}")
    environment = load_environment("dev", root=project.root).settings.service.environment
    assert environment == {"PORT_MAX": "9000", "DEBUG": "true", "NAME": "x", "OFF": "off"}


class TestWhatTheEnvironmentOverrides:
    def test_limits_are_those_of_the_sequence_then_the_tier_then_the_environment_then_the_phase(
        self, project: Project
    ) -> None:
        project.launch(
            "- id: health\n- id: traffic\n  thresholds: {min_requests: 4}\n"
            "- id: post_launch\n  thresholds: {window: 4s}",
            head="rollback_threshold: {error_rate: 0.1, latency_p99_ms: 100, min_requests: 1}\n"
            "tiers: {gold: {latency_p99_ms: 200, min_requests: 2}, silver: {error_rate: 0.9}}",
        )
        project.settings(
            "launch:tier: gold",
            "launch:rollback_threshold: {min_requests: 3, max_ratio: 3}",
            "launch:phases: {post_launch: {thresholds: {window: 5s, error_rate: 0.5}}}",
        )
        spec = project.load().spec
        seen = [
            (limits.error_rate, limits.latency_p99_ms, limits.min_requests, limits.max_ratio, limits.window)
            for limits in (spec.rollback_threshold, *(phase.thresholds for phase in spec.phases))
            if limits is not None
        ]
        assert seen == [
            (0.1, 200, 3, 3, 10),
            (0.1, 200, 3, 3, 10),
            (0.1, 200, 4, 3, 10),
            (0.5, 200, 3, 3, 5),
        ]

    def test_a_limit_set_to_nothing_is_not_watched(self, project: Project) -> None:
        project.launch("- id: traffic", head="rollback_threshold: {latency_p99_ms: 100}")
        project.settings("launch:rollback_threshold: {latency_p99_ms: null}")
        assert project.load().spec.rollback_threshold.latency_p99_ms is None

    def test_the_tier_of_the_file_holds_unless_the_environment_has_one(self, project: Project) -> None:
        project.launch("- id: traffic", head="tier: a\ntiers: {a: {min_requests: 1}, b: {min_requests: 2}}")
        project.settings("launch:platform: local")
        assert project.load().spec.rollback_threshold.min_requests == 1
        project.settings("launch:tier: b")
        assert project.load().spec.rollback_threshold.min_requests == 2

    def test_a_phase_takes_the_timeout_steps_and_runs_of_the_environment(self, project: Project) -> None:
        project.launch(
            "- id: health\n- id: traffic\n  timeout_ms: 3600000\n  steps: [{weight: 1, bake: 10m}, {weight: 100}]"
        )
        project.settings(
            "launch:phases:",
            "  health: {synthetic_runs: 9, on_inconclusive: continue}",
            "  traffic: {timeout_ms: 5000, steps: [{weight: 50, bake: 1s}, {weight: 100}]}",
        )
        health, traffic = project.load().spec.phases
        assert (health.synthetic_runs, health.on_inconclusive) == (9, "continue")
        assert [(step.weight, step.bake) for step in traffic.steps] == [(50, 1.0), (100, 0.0)]
        assert traffic.timeout_ms == 5000

    def test_a_timeout_that_leaves_no_time_for_the_bakes_is_found(self, project: Project) -> None:
        project.launch("- id: traffic\n  steps: [{weight: 1, bake: 1m}, {weight: 100}]")
        project.settings("launch:phases: {traffic: {timeout_ms: 5000}}")
        assert project.problem().startswith("launch.yaml:4: launch.phases[0].steps: the baking of its steps takes 1m")

    def test_a_flag_of_the_environment_replaces_the_one_of_its_key(self, project: Project) -> None:
        project.launch("- id: health", head="flags: [{key: a, owner: x}, {key: b}]")
        project.settings("launch:flags: [{key: c}, {key: a, default: 'on'}]")
        spec = project.load().spec
        assert [(flag.key, flag.owner, flag.default) for flag in spec.flags] == [
            ("a", None, "on"),
            ("b", None, "off"),
            ("c", None, "off"),
        ]

    def test_two_flags_of_one_key_in_one_environment_are_found(self, project: Project) -> None:
        project.launch("- id: health")
        project.settings("launch:flags: [{key: a}, {key: a}]")
        assert project.problem().startswith('Pulumi.dev.yaml:2: launch:flags[1].key: found "a"; each flag needs')

    def test_health_phases_without_transactions_take_those_of_the_environment(self, project: Project) -> None:
        for name in ("mine", "theirs"):
            project.write(f"{name}.yaml", "- name: home\n  path: /\n")
        project.launch("- id: health\n- id: again\n  kind: health\n  synthetic: mine.yaml\n- id: traffic")
        project.settings("launch:synthetic: theirs.yaml")
        assert [phase.synthetic for phase in project.load().spec.phases] == ["theirs.yaml", "mine.yaml", None]


class TestSecrets:
    SERVICE = (
        "launch:service:",
        "  environment:",
        "    PLAIN: visible",
        "    TOKEN:",
        "      secure: v1:abc",
        "launch:database:",
        "  url: {secure: v1:def}",
    )
    URL = "postgresql://shop:p%40ss@db/shop"

    def values(self, **other: ConfigValue) -> dict[str, ConfigValue]:
        service = {"environment": {"PLAIN": "visible", "TOKEN": "hush-hush"}}
        return {
            "launch:service": ConfigValue(service, secret=True),
            "launch:database": ConfigValue({"url": self.URL}, secret=True),
            **other,
        }

    def test_they_arrive_decrypted_and_are_to_be_redacted(self, project: Project) -> None:
        project.settings(*self.SERVICE)
        project.launch("- id: health")
        config = project.load(values=self.values())
        assert config.settings.service.environment == {"PLAIN": "visible", "TOKEN": "hush-hush"}
        assert config.settings.database is not None
        assert config.settings.database.url == self.URL
        assert set(config.secrets) == {"hush-hush", self.URL, "p%40ss", "p@ss"}

    def test_they_are_in_no_representation(self, project: Project) -> None:
        project.settings(*self.SERVICE)
        project.launch("- id: health")
        config = project.load(values=self.values())
        environment = load_environment("dev", root=project.root, config_values=self.values())
        for shown in (repr(config), repr(config.settings), str(config.settings), repr(environment), repr(config.spec)):
            assert "hush" not in shown
            assert "ss@db" not in shown

    def test_they_are_in_no_message(self, project: Project) -> None:
        project.settings("launch:platform: {secure: x}", "launch:tier: {secure: y}", "launch:history: {secure: z}")
        project.launch("- id: health")
        values = {
            "launch:platform": ConfigValue("hush-one", secret=True),
            "launch:tier": ConfigValue("hush-two", secret=True),
            "launch:history": ConfigValue("hush-three", secret=True),
        }
        assert [line.split(": found")[1] for line in project.problems(values=values)] == [
            " [secret]; it must be one of local, kubernetes",
            ' "[secret]"; the tiers of launch.tiers are none',
            " [secret]; it must be a whole number, not below 0",
        ]

    def test_one_that_was_not_decrypted_is_named(self, project: Project) -> None:
        project.settings(*self.SERVICE)
        with pytest.raises(ConfigurationError) as error:
            load_environment("dev", root=project.root)
        assert "Pulumi.dev.yaml:5: launch:service.environment.TOKEN: the value is encrypted and" in str(error.value)

    def test_values_imported_from_elsewhere_count_too(self, project: Project) -> None:
        project.settings("launch:platform: local")
        imported = {"launch:service": ConfigValue({"environment": {"TOKEN": "hush-hush", "N": 12345}}, secret=True)}
        config = load_environment("dev", root=project.root, config_values=imported)
        assert config.settings.service.environment == {"TOKEN": "hush-hush", "N": "12345"}
        assert config.secrets == ("hush-hush", "12345")

    def test_a_mistake_in_an_imported_value_says_that_no_line_holds_it(self, project: Project) -> None:
        project.settings("launch:platform: local")
        with pytest.raises(ConfigurationError) as error:
            load_environment(
                "dev", root=project.root, config_values={"launch:history": ConfigValue("many", secret=False)}
            )
        assert str(error.value) == (
            'Pulumi.dev.yaml:1: launch:history (imported): found "many"; it must be a whole number, not below 0'
        )
