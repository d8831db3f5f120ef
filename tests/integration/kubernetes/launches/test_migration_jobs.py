"""Launches whose schema is moved by a Job of the release's own image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.kubernetes.jobs.manifest import MOVES
from tests.integration.kubernetes.launches.conftest import ClusterProject

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

URL = "postgresql://shop:hunter2@db.example/shop"
PHASES = """\
launch:
  flags:
    - { key: new_checkout, owner: checkout, created: 2026-11-01, expires: 2030-12-31, cleanup: PR-1 }
  phases:
    - { id: migration, timeout_ms: 90000 }
    - { id: deploy, timeout_ms: 90000, validators: [{ type: rollout_health }] }
    - id: health
      timeout_ms: 60000
      validators: [{ type: http_status, config: { endpoint: /PATH, expected: 200, retries: 1 } }]
    - { id: traffic, timeout_ms: 90000, steps: [{ weight: 100 }] }
"""


def moves(shop: ClusterProject) -> list[tuple[str, ...]]:
    """Commands of the Jobs that moved the schema, in their order."""
    jobs = shop.items("apis/batch/v1", "jobs")
    jobs.sort(key=lambda job: int(job["metadata"]["name"].split("-")[-2]))
    return [tuple(job["spec"]["template"]["spec"]["containers"][0]["command"][1:]) for job in jobs]


def images(shop: ClusterProject) -> set[str]:
    jobs = shop.items("apis/batch/v1", "jobs")
    return {job["spec"]["template"]["spec"]["containers"][0]["image"] for job in jobs}


def test_jobs_take_the_schema_up_and_with_a_failed_launch_down_again(
    make_shop: Callable[..., ClusterProject],
) -> None:
    shop = make_shop()
    shop.cluster.serve_logs(shop.namespace, "Running upgrade\npassword hunter2", container=MOVES)
    shop.edit("Pulumi.dev.yaml", "sqlite:///.launch/dev/shop.db", URL)
    shop.edit("Pulumi.dev.yaml", ", scripts: migrations", "")
    job = "    migration: { kind: job, current: [], starts_at: base, timeout: 60s }\n"
    shop.edit("Pulumi.dev.yaml", "    replicas: 2\n", f"    replicas: 1\n{job}")
    launch_yaml = shop.root / "launch.yaml"
    launch_yaml.write_text(PHASES.replace("PATH", "health"), encoding="utf-8")
    shop.launch("up", "dev", "--image", "shop:1.0", check=0)
    assert moves(shop) == [("upgrade", "0001")]
    (image,) = images(shop)
    assert "/shop@sha256:" in image
    before: dict[str, Any] = {"schema": shop.status()["schema"], "images": shop.images(), "weights": shop.weights()}
    assert before["schema"]["revision"] == "0001"

    launch_yaml.write_text(PHASES.replace("PATH", "health").replace("200", "204"), encoding="utf-8")
    result = shop.launch("up", "dev", "--image", "shop:2.0", check=1)
    assert result.ended["state"] == "ROLLED_BACK"
    assert moves(shop) == [("upgrade", "0001"), ("upgrade", "0002"), ("downgrade", "0001")]
    after = {"schema": shop.status()["schema"], "images": shop.images(), "weights": shop.weights()}
    assert after == before
    assert "hunter2" not in str(result)
