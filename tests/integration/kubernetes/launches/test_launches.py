"""Launches on Kubernetes: a good one, and each way to fail, with the real command, engine and control plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.kubernetes.launches.conftest import CRASHES, ClusterProject

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_a_good_release_gets_to_its_users_with_schema_flags_and_configuration(
    shop: ClusterProject, before: dict[str, Any]
) -> None:
    assert before["real weights"] == {"shop-blue": 100}
    assert list(before["running"]) == ["shop-blue"]
    shop.edit("Pulumi.dev.yaml", "COLOUR-OF-THE-RELEASE", "violet")
    try:
        result = shop.launch("up", "dev", "--image", "shop:2.0", check=0)
        now = shop.world()
    finally:
        shop.edit("Pulumi.dev.yaml", "violet", "COLOUR-OF-THE-RELEASE")
    assert now["real weights"] == {"shop-green": 100}
    assert list(now["running"]) == ["shop-green"], "the old slot was retired"
    assert "@sha256:" in now["running"]["shop-green"]
    assert now["configuration"]["shop-green"]["COLOUR"] == "violet"
    assert (now["schema"], now["real schema"]) == ("0002", "0002")
    assert now["real flags"] == {"new_checkout": True}
    assert {event["gate"] for event in result.all("gate.checked")} >= {"image_digest", "rollout_health", "http_status"}
    shop.launch("rollback", "dev", check=0)
    back = shop.world()
    assert back["configuration"]["shop-blue"]["COLOUR"] == "COLOUR-OF-THE-RELEASE"
    assert {**back, "running": 0} == {**before, "running": 0}


def test_a_release_that_fails_requests_is_taken_back_with_its_configuration(
    shop: ClusterProject, before: dict[str, Any]
) -> None:
    pods = shop.pods("blue")
    shop.edit("Pulumi.dev.yaml", "COLOUR-OF-THE-RELEASE", "violet")
    try:
        command = shop.start("up", "dev", "--image", "shop:2.0")
        command.until_event("bake.started", phase="traffic")
        shop.prometheus.slot("green").change(error_share=0.3)
        result = command.result()
    finally:
        shop.edit("Pulumi.dev.yaml", "violet", "COLOUR-OF-THE-RELEASE")
    assert (result.code, result.ended["state"]) == (1, "ROLLED_BACK"), result
    assert result.all("breaker.tripped")[0]["metric"] == "error_rate"
    assert shop.world() == before
    assert shop.pods("blue") == pods, "the old slot's pods never noticed"


def test_a_release_that_gets_slow_is_taken_back(shop: ClusterProject, before: dict[str, Any]) -> None:
    command = shop.start("up", "dev", "--image", "shop:2.0")
    command.until_event("bake.started", phase="traffic")
    shop.prometheus.slot("green").change(latency=2.0)
    result = command.result()
    assert result.code == 1, result
    assert result.all("breaker.tripped")[0]["metric"] == "latency_p99_ms"
    assert shop.world() == before


def test_a_release_that_crashes_never_takes_capacity_from_the_old_one(
    shop: ClusterProject, before: dict[str, Any]
) -> None:
    pods = shop.pods("blue")
    shop.edit("Pulumi.dev.yaml", "replicas: 2", "replicas: 2\n    progress_deadline: 5s")
    try:
        result = shop.launch("up", "dev", "--image", CRASHES, check=1)
    finally:
        shop.edit("Pulumi.dev.yaml", "\n    progress_deadline: 5s", "")
    assert "CrashLoopBackOff" in result.ended["reason"], result
    assert not result.all("traffic.shifted")
    assert shop.pods("blue") == pods
    assert shop.world() == before


def test_a_migration_that_the_old_version_cannot_live_with_changes_nothing(
    shop: ClusterProject, before: dict[str, Any]
) -> None:
    result = shop.launch("up", "dev", "--image", "shop:2.4", check=1)
    assert not result.all("update.applied"), result
    assert shop.world() == before


def test_metrics_that_are_down_are_no_bad_release_and_no_good_one(shop: ClusterProject, before: dict[str, Any]) -> None:
    """It holds at the step, and goes on when the metrics are back."""
    command = shop.start("up", "dev", "--image", "shop:2.0")
    command.until_event("bake.started", phase="traffic")
    shop.prometheus.fail()
    command.until(lambda event: event["event"] == "warning" and "holding" in event["reason"])
    shop.prometheus.recover()
    result = command.result()
    assert (result.code, result.ended["state"]) == (0, "COMPLETED"), result
    assert (before["real weights"], shop.weights()) == ({"shop-blue": 100}, {"shop-green": 100})


def test_two_at_once_and_one_goes_on(shop: ClusterProject, before: dict[str, Any]) -> None:
    first = shop.start("up", "dev", "--image", "shop:2.0")
    started = first.until_event("launch.started")
    second = shop.launch("up", "dev", "--image", "shop:2.0", check=4)
    assert started["launch"] in second.stderr
    assert first.result().code == 0
    assert (before["real weights"], shop.weights()) == ({"shop-blue": 100}, {"shop-green": 100})


def test_an_image_that_is_not_in_the_registry_changes_nothing(shop: ClusterProject, before: dict[str, Any]) -> None:
    result = shop.launch("up", "dev", "--image", "shop:9.9", check=2)
    assert "shop:9.9" in result.stderr
    assert shop.world() == before


def test_what_the_user_may_not_do_is_said_before_anything_is_changed(make_shop: Callable[..., ClusterProject]) -> None:
    """With the Role that would allow it."""
    stranger = make_shop()
    kubeconfig = stranger.cluster.kubeconfig_of("stranger")
    stranger.edit("Pulumi.dev.yaml", str(stranger.cluster.kubeconfig), str(kubeconfig))
    result = stranger.launch("up", "dev", "--image", "shop:1.0", check=2)
    assert "kind: Role" in result.stderr
    assert stranger.images() == {}
