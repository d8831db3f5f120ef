"""A version that misbehaves under load is stopped by its guard, and users never notice the traffic being shifted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.launches.conftest import ROOT, Project, Result

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BREAKERS = {"2.1": "error_rate", "2.2": "latency_p99_ms"}
"""Which metric stops which version once it has users."""
GATES = {"2.3": ("health", "http_status"), "2.4": ("migration", "schema_compatibility")}
"""Which phase's gate stops which version before it has any."""
BAD = (*BREAKERS, *GATES)


@pytest.fixture(scope="module")
def shop(make_project: Callable[..., Project]) -> Project:
    """A project in which users have shop:2.0, watched closely."""
    project = make_project("1.0", "2.0", *BAD)
    for image in ("shop:1.0", "shop:2.0"):
        project.launch("up", "dev", "--image", image, check=0)
    project.edit(
        "launch.yaml",
        "{ error_rate: 0.02, latency_p99_ms: 800, health_check_failures: 3 }",
        "{ error_rate: 0.01, latency_p99_ms: 800, health_check_failures: 3, min_requests: 20, window: 5s }",
    )
    project.edit("launch.yaml", "{ weight: 25, bake: 500ms }", "{ weight: 50, bake: 2s }")
    project.edit("launch.yaml", "{ weight: 100, bake: 500ms }", "{ weight: 100, bake: 2s }")
    return project


@contextmanager
def crowd(project: Project) -> Iterator[dict[str, Any]]:
    """Play users; what they met is known afterwards."""
    url = project.router()
    assert url is not None
    met: dict[str, Any] = {}
    users = subprocess.Popen(
        [sys.executable, "-m", "examples.load", url, "--rate", "100"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        yield met
        users.terminate()
        met.update(json.loads(users.communicate()[0]))
    finally:
        if users.poll() is None:
            users.kill()
            users.wait()
        if users.stdout is not None:
            users.stdout.close()


def guard(result: Result) -> tuple[str, str]:
    """Return who stopped a launch: the breaker and its metric, or a phase and its gate."""
    tripped = result.all("breaker.tripped")
    if tripped:
        assert tripped[0]["phase"] in ("traffic", "post_launch")
        return "breaker", str(tripped[0]["metric"])
    failed = [gate for gate in result.all("gate.checked") if gate["verdict"] == "failed"]
    assert len(failed) == 1, result
    return str(failed[0]["phase"]), str(failed[0]["gate"])


@pytest.mark.parametrize("version", BAD)
def test_a_bad_version_is_rolled_back_and_shifting_costs_no_request(shop: Project, version: str) -> None:
    before = shop.world()
    with crowd(shop) as users:
        result = shop.launch("up", "dev", "--image", f"shop:{version}", check=1)
    assert result.ended["state"] == "ROLLED_BACK"
    assert guard(result) == (("breaker", BREAKERS[version]) if version in BREAKERS else GATES[version]), result
    assert shop.world() == before
    assert users["on_the_way"] == 0, users
    assert users["versions"]["2.0"]["requests"] > 0
    assert users["versions"]["2.0"]["failed"] == 0, users
    # Only a version that the breaker stopped ever had users.
    assert (version in users["versions"]) == (version in BREAKERS), users
