"""The breaker of a whole launch reads a Prometheus, and what that knows decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.cluster import scripted_prometheus
from tests.cluster.scripted_prometheus import ScriptedPrometheus
from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def prometheus() -> Iterator[ScriptedPrometheus]:
    with scripted_prometheus.running() as script:
        yield script


@pytest.fixture(scope="module")
def shop(make_project: Callable[..., Project], prometheus: ScriptedPrometheus) -> Project:
    """A project whose users a Prometheus counts."""
    project = make_project("1.0", "2.0")
    metrics = f"  launch:metrics: {{ address: '{prometheus.url}' }}\n  launch:registry:"
    project.edit("Pulumi.dev.yaml", "  launch:registry:", metrics)
    prometheus.slot("blue").change(rate=1000)
    prometheus.slot("green").change(rate=1000)
    project.launch("up", "dev", "--image", "shop:1.0", check=0)
    project.edit("Pulumi.dev.yaml", "{ on_inconclusive: continue }", "{ on_inconclusive: rollback }")
    return project


def test_errors_that_prometheus_counted_take_the_launch_back(shop: Project, prometheus: ScriptedPrometheus) -> None:
    for slot in ("blue", "green"):  # whichever is the new one; both are as bad, and `max_ratio` is not set
        prometheus.slot(slot).change(error_share=0.5)
    result = shop.launch("up", "dev", "--image", "shop:2.0")
    assert result.code == 1, result
    assert [event["metric"] for event in result.all("breaker.tripped")] == ["error_rate"]
    assert prometheus.queries[-1].startswith("label_replace")


def test_a_prometheus_that_is_away_is_not_a_good_release(shop: Project, prometheus: ScriptedPrometheus) -> None:
    prometheus.fail()
    result = shop.launch("up", "dev", "--image", "shop:2.0")
    prometheus.recover()
    assert result.code == 1, result
    assert not result.all("breaker.tripped")
    assert "it cannot be told whether the new version is good: Prometheus at" in result.stdout


def test_users_who_are_well_let_it_through(shop: Project, prometheus: ScriptedPrometheus) -> None:
    for slot in ("blue", "green"):
        prometheus.slot(slot).change(error_share=0.0)
    result = shop.launch("up", "dev", "--image", "shop:2.0")
    assert result.code == 0, result
    read = [event for event in result.all("metrics.read") if event["requests"] >= 20]
    assert read, result
    assert read[-1]["values"]["error_rate"] == 0
