"""`launch:kubernetes`: what it may say, and what the platform is told."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.kubernetes import permissions
from components.kubernetes import settings as platform
from launch.configuration import kubernetes as written
from launch.configuration.kubernetes import KubernetesSettings


def settings(**given: Any) -> KubernetesSettings:  # noqa: ANN401
    return KubernetesSettings.model_validate(given, context={"root": Path("/project"), "by_hand": True})


def test_nothing_said_is_what_the_platform_does_by_itself() -> None:
    assert settings().to_platform() == platform.KubernetesSettings()


def test_what_is_said_reaches_the_platform() -> None:
    made = settings(
        context="prod",
        namespace="shops",
        replicas=3,
        resources={"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}},
        autoscaling={"minimum": 3, "maximum": 30, "memory": 80},
        spread=[{"key": "zone", "required": True}],
        security={"read_only": True, "user": 1000},
        router={"gateway": "public", "hostnames": ["shop.example"], "match": {"header": "x-beta", "value": "yes"}},
        migration={"kind": "job", "timeout": "15m", "keep": "1h"},
        adopt={"deployment": "shop", "service": "shop-svc"},
        progress_deadline="2m",
    ).to_platform()
    assert (made.context, made.namespace) == ("prod", "shops")
    assert made.slot.replicas == 3
    assert made.slot.progress_deadline == 120
    assert made.slot.resources == platform.ResourceSettings({"cpu": "500m"}, {"memory": "1Gi"})
    assert made.slot.autoscaling == platform.AutoscalingSettings(3, 30, 70, 80)
    assert made.slot.spread == (platform.SpreadSettings("zone", required=True),)
    assert made.slot.security == platform.SecuritySettings(user=1000, read_only=True)
    assert made.router.match == platform.MatchSettings(header="x-beta", value="yes")
    assert made.router.hostnames == ("shop.example",)
    assert (made.migration.timeout, made.migration.keep) == (900.0, 3600)
    assert made.adopt == platform.AdoptSettings("shop", "shop-svc")


def test_a_kubeconfig_is_found_from_the_project_or_at_the_home_of_whoever_looks() -> None:
    assert settings(kubeconfig="kube/config").kubeconfig == "/project/kube/config"
    assert settings(kubeconfig="~/.kube/other").kubeconfig == "~/.kube/other"
    assert settings(kubeconfig="/etc/kube").kubeconfig == "/etc/kube"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"replicas": 0}, "greater than or equal to 1"),
        ({"namespace": "Shops"}, "pattern"),
        ({"resources": {"requests": {"cpu": "lots"}}}, "pattern"),
        ({"autoscaling": {"minimum": 5, "maximum": 2}}, "minimum 5 is more than maximum 2"),
        ({"autoscaling": {"cpu": None}}, "at least one of cpu and memory"),
        ({"router": {"match": {"header": "a", "cookie": "b"}}}, "exactly one of header and cookie"),
        ({"router": {"kind": "haproxy"}}, "Input should be 'gateway'"),
        ({"router": {"url": "shop.example"}}, "pattern"),
        ({"min_available": "half"}, "pattern"),
        ({"drain": 30}, "drain 30 must be less than termination_grace 30"),
        ({"replica": 3}, "Extra inputs"),
        ({"migration": {"timeout": 5}}, "duration with its unit"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_mistake_is_said(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        settings(**given)


def test_secrets_of_the_migration_are_not_shown_by_accident() -> None:
    assert "hunter2" not in repr(settings(migration={"environment": {"PASSWORD": "hunter2"}}))


def test_the_platform_is_told_everything_that_can_be_said() -> None:
    """A key that is written and reaches nobody would be worse than one that is refused."""
    told = set(platform.KubernetesSettings.__slots__) | set(platform.SlotSettings.__slots__)
    assert set(KubernetesSettings.model_fields) == told - {"slot"}


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (written.KubernetesRouterSettings, platform.RouterSettings),
        (written.KubernetesMigrationSettings, platform.MigrationSettings),
        (written.ResourceSettings, platform.ResourceSettings),
        (written.AutoscalingSettings, platform.AutoscalingSettings),
        (written.SpreadSettings, platform.SpreadSettings),
        (written.SecuritySettings, platform.SecuritySettings),
        (written.MatchSettings, platform.MatchSettings),
        (written.AdoptSettings, platform.AdoptSettings),
    ],
)
def test_every_group_of_settings_reaches_the_platform(group: type[Any], told: type[Any]) -> None:
    assert set(group.model_fields) == set(told.__slots__)


PAGE = Path(__file__).parents[3] / "docs" / "platforms" / "kubernetes.md"


def examples() -> list[Any]:
    """The YAML of the page on Kubernetes, in order."""
    texts = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [yaml.safe_load(textwrap.dedent(text)) for text in texts]


def test_the_role_of_the_page_is_the_one_that_is_printed_for_its_settings() -> None:
    first = examples()[0]["config"]["launch:kubernetes"]
    documented = next(example for example in examples() if example.get("kind") == "Role")
    printed = yaml.safe_load(permissions.role(permissions.needs(settings(**first).to_platform())))

    def rules(role: Any) -> list[Any]:  # noqa: ANN401
        return sorted(role["rules"], key=str)

    assert (rules(documented), documented["metadata"]) == (rules(printed), printed["metadata"])


def test_every_example_of_the_page_can_be_written() -> None:
    given = [
        example.get("config", example)["launch:kubernetes"]
        for example in examples()
        if "launch:kubernetes" in example.get("config", example)
    ]
    assert len(given) >= 2
    for one in given:
        settings(**one)
