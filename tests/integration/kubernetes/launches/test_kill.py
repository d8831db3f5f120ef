"""`kill -9` of a launch on Kubernetes, then `resume`: the cluster ends as if nothing had happened.

The points are a few of those that tests/integration/launches/test_kill.py names: what differs here are the objects that
an update was making when it died.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.kubernetes.launches.conftest import ClusterProject

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

UP = ("up", "dev", "--image", "shop:2.0")


@pytest.mark.parametrize(
    ("point", "seconds"),
    [
        ("update.started deploy shop:2.0", 1.2),
        ("update.started traffic 0% -> 25%", 1.0),
        ("bake.started traffic.1", 0.5),
        ("traffic.shifted traffic (2)", 0.0),
    ],
)
def test_a_launch_that_is_killed_is_finished_by_resume(
    shop: ClusterProject, before: dict[str, Any], point: str, seconds: float
) -> None:
    shop.killed(point, *UP, delay=seconds)
    shop.launch("resume", "dev", check=0)
    now = shop.world()
    assert now["real weights"] == {"shop-green": 100}
    assert list(now["running"]) == ["shop-green"]
    assert (now["real schema"], now["real flags"]) == ("0002", {"new_checkout": True})
    assert (now["locks"], now["engines"]) == ([], [])
    shop.launch("rollback", "dev", check=0)
    assert shop.world() == before


@pytest.mark.parametrize("point", ["rollback.started traffic", "update.applied traffic undo"])
def test_a_rollback_that_is_killed_is_finished_by_resume(
    shop: ClusterProject, before: dict[str, Any], point: str
) -> None:
    pods = shop.pods("blue") | shop.pods("green")
    shop.prometheus.slot(_other(shop)).change(error_share=0.5)
    shop.killed(point, *UP)
    shop.launch("resume", "dev", check=1)
    assert shop.world() == before
    assert shop.pods("blue") | shop.pods("green") == pods


def _other(shop: ClusterProject) -> str:
    """The slot that the next release gets."""
    return "green" if "shop-blue" in shop.weights() else "blue"
