"""`launch:schema:Revision` through the real engine: up, down, refresh, failures and secrets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from components.schema import connections, migrate
from phases.errors import UpdateFailed
from stacks.engine import Engine, StackHandle

pytestmark = [
    pytest.mark.integration,
    # The Automation API leaves an event loop open after an update that fails.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Migrations = Callable[..., Path]
PASSWORD = "pg-password-7431"

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))',
    'op.drop_table("item")',
)
PRICE = ('op.add_column("item", sa.Column("price", sa.Integer))', 'op.drop_column("item", "price")')
LOSES = ('op.drop_column("item", "name")', "raise NotImplementedError")
BROKEN = ('op.execute("INSERT INTO nowhere VALUES (1)")', "pass")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "backend").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    return root


@pytest.fixture
def stack(project: Path) -> StackHandle:
    engine = Engine(project="shop", root=project, backend=f"file://{project / 'backend'}", environ={**os.environ})
    return engine.stack("dev-migration")


@pytest.fixture
def program(url: str, project: Path) -> Callable[..., Callable[[], None]]:
    """A migration phase's program: the component `Migration`, its URL a secret."""

    def make(scripts: Path, revision: str, *, snapshot: bool = False) -> Callable[[], None]:
        def run() -> None:
            import pulumi

            from components.local.migration import Migration, MigrationArgs

            args = MigrationArgs(
                url=pulumi.Output.secret(url),
                scripts=str(scripts),
                revision=revision,
                directory=str(project / "schema"),
                snapshot=snapshot,
            )
            moved = Migration("shop", args)
            pulumi.export("revision", moved.revision)
            pulumi.export("previous", moved.previous)

        return run

    return make


def columns(url: str) -> set[str]:
    with connections.engine(url).connect() as connection:
        found = inspect(connection)
        return {column["name"] for column in found.get_columns("item")} if found.has_table("item") else set()


def changes(stack: StackHandle, program: Callable[[], None]) -> dict[str, int]:
    return dict(stack.update(program, message="a test").changes)


def test_the_schema_follows_the_stack(
    url: str, stack: StackHandle, migrations: Migrations, program: Callable[..., Callable[[], None]], project: Path
) -> None:
    older = migrations({"0001": ITEM}, name="older")
    newer = migrations({"0001": ITEM, "0002": PRICE}, name="newer")

    changes(stack, program(older, "0001"))
    assert columns(url) == {"id", "name"}
    assert changes(stack, program(older, "0001")).get("update") is None
    assert changes(stack, program(newer, "0002"))["update"] == 1
    assert columns(url) == {"id", "name", "price"}
    assert (stack.outputs()["revision"], stack.outputs()["previous"]) == ("0002", "0001")

    assert changes(stack, program(older, "0001"))["update"] == 1
    assert columns(url) == {"id", "name"}

    migrate.move_to(url, scripts=newer, revision="0002")  # by hand
    assert dict(stack.refresh().changes)["update"] == 1
    assert changes(stack, program(older, "0001"))["update"] == 1
    assert columns(url) == {"id", "name"}

    for file in project.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file

    stack.destroy(message="the end")
    assert "sqlite" in url or columns(url) == set()
    assert not (project / "schema").exists()


def test_a_failure_halfway_is_recorded_and_undone(
    url: str, stack: StackHandle, migrations: Migrations, program: Callable[..., Callable[[], None]]
) -> None:
    older = migrations({"0001": ITEM}, name="older")
    broken = migrations({"0001": ITEM, "0002": PRICE, "0003": BROKEN}, name="broken")
    changes(stack, program(older, "0001"))

    with pytest.raises(UpdateFailed, match="nowhere") as failure:
        changes(stack, program(broken, "0003"))
    assert PASSWORD not in str(failure.value)
    assert columns(url) == {"id", "name", "price"}

    assert changes(stack, program(older, "0001"))["update"] == 1
    assert columns(url) == {"id", "name"}


def test_a_first_migration_that_fails_leaves_nothing_to_undo(
    url: str, stack: StackHandle, migrations: Migrations, program: Callable[..., Callable[[], None]]
) -> None:
    with pytest.raises(UpdateFailed, match="nowhere"):
        changes(stack, program(migrations({"0001": BROKEN}), "0001"))

    stack.destroy(message="nothing is left")
    assert "sqlite" in url or columns(url) == set()


def test_a_snapshot_brings_back_what_has_no_way_down(
    url: str, stack: StackHandle, migrations: Migrations, program: Callable[..., Callable[[], None]]
) -> None:
    older = migrations({"0001": ITEM}, name="older")
    newer = migrations({"0001": ITEM, "0002": LOSES}, name="newer")
    changes(stack, program(older, "0001", snapshot=True))
    with connections.engine(url).begin() as connection:
        connection.execute(text("INSERT INTO item (name) VALUES ('tea')"))

    changes(stack, program(newer, "0002", snapshot=True))
    assert columns(url) == {"id"}
    changes(stack, program(older, "0001", snapshot=True))

    with connections.engine(url).connect() as connection:
        assert connection.execute(text("SELECT name FROM item")).scalars().all() == ["tea"]


def test_a_wrong_revision_is_refused_before_anything_happens(
    url: str, stack: StackHandle, migrations: Migrations, program: Callable[..., Callable[[], None]]
) -> None:
    with pytest.raises(UpdateFailed, match="there are base, 0001"):
        changes(stack, program(migrations({"0001": ITEM}), "0007"))

    assert "sqlite" in url or columns(url) == set()
