"""A launch with Postgres, whose password nobody sees."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration import postgres
from tests.integration.launches.conftest import Project
from tests.integration.launches.leaks import leaks, with_secrets

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SQLITE = '  launch:database: { url: "sqlite:///.launch/dev/shop.db" }\n'


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[postgres.Server]:
    """A server that outlives what is launched with it."""
    with postgres.running() as running:
        yield running


def revision(url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    return str(row[0])


def test_postgres_instead_of_sqlite_has_the_same_result(
    make_project: Callable[..., Project], server: postgres.Server
) -> None:
    project = make_project()
    # The service is started with `python`, which must be one that has a driver.
    project.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{project.environ['PATH']}"
    project.edit("Pulumi.dev.yaml", SQLITE, "")
    url = server.create_database("shop")
    with_secrets(project, database__url=url)
    for arguments, image, schema in (
        (("up", "dev", "--image", "shop:1.0"), "shop:1.0", "0001"),
        (("up", "dev", "--image", "shop:2.0"), "shop:2.0", "0002"),
        (("rollback", "dev"), "shop:1.0", "0001"),
    ):
        result = project.launch(*arguments, check=0)
        assert (revision(url), project.status()["schema"]["revision"]) == (schema, schema)
        assert project.answered_by() == [image.removeprefix("shop:")]
        assert project.running() == [image]
        assert postgres.PASSWORD not in str(result)
        assert leaks(project.root, postgres.PASSWORD) == []
