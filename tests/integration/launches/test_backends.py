"""A launch whose state lies elsewhere: in another directory, and in a bucket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration import s3
from tests.integration.launches.conftest import Project
from tests.integration.launches.leaks import own_backend, pulumi
from tests.integration.s3 import KEYS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", autouse=True)
def bucket() -> Iterator[str]:
    """The URL of a bucket on a private S3 server; it outlives what is launched with it."""
    with s3.bucket() as url:
        yield url


@pytest.fixture(params=["directory", "bucket"])
def elsewhere(
    request: pytest.FixtureRequest, bucket: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path | None]:
    if request.param == "bucket":
        return bucket, None
    directory = tmp_path_factory.mktemp("state")
    return f"file://{directory}", directory


def test_a_launch_keeps_its_state_where_it_is_told(
    make_project: Callable[..., Project], elsewhere: tuple[str, Path | None]
) -> None:
    url, directory = elsewhere
    project = make_project()
    project.environ |= KEYS
    own_backend(project, url)
    ids = []
    for image in ("shop:1.0", "shop:2.0"):
        result = project.launch("up", "dev", "--image", image, check=0)
        assert result.ended["state"] == "COMPLETED"
        ids.append(result.ended["launch"])
    assert (project.answered_by(), project.revision(), project.running()) == (["2.0"], "0002", ["shop:2.0"])
    told = project.launch("history", "dev", check=0).events
    assert [(item["launch"], item["image"], item["state"]) for item in told] == [
        (ids[1], "shop:2.0", "COMPLETED"),
        (ids[0], "shop:1.0", "COMPLETED"),
    ]
    by_pulumi: list[dict[str, Any]] = json.loads(
        pulumi(project, "stack", "history", "--stack", "dev-traffic", "--json")
    )
    ours = [step["message"] for item in told for step in reversed(item["updates"]) if step["stack"] == "dev-traffic"]
    assert [entry["message"].partition(" ")[2] for entry in by_pulumi] == ours
    assert not (project.root / ".launch" / "state").exists()
    if directory is not None:
        assert list(directory.rglob("dev-traffic.json*"))
