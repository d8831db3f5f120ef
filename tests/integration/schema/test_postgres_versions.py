"""Servers and client programs of several versions, and users who own no more than their database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from components.schema import connections, migrate, postgres, snapshots
from components.schema.database import Database
from components.schema.errors import MigrationCancelled, SchemaError
from tests.integration.postgres import Server, installed, running

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(200)))',
    'op.drop_table("item")',
)
PRICE = ('op.add_column("item", sa.Column("price", sa.Integer))', 'op.drop_column("item", "price")')


def run(url: str, *statements: str) -> None:
    with connections.engine(url).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rehearse_and_restore(url: str, directory: Path, scripts: Path) -> None:
    """A migration, a rehearsal, a snapshot and its restoration."""
    migrate.move_to(url, scripts=scripts, revision="0001")
    # Rows that look like parts of a dump.
    run(url, "INSERT INTO item (name) VALUES ('SET transaction_timeout = 0;'), ('COMMENT ON EXTENSION x'), ('\\.')")
    outcome = Database(url, scripts, "0002").stairway()
    assert outcome.ok, outcome.error
    file = snapshots.take(url, directory)
    migrate.move_to(url, scripts=scripts, revision="0002")
    snapshots.restore(url, file)
    assert migrate.current(url, scripts) == "0001"
    with connections.engine(url).connect() as connection:
        names = connection.execute(text("SELECT name FROM item ORDER BY id")).scalars().all()
    assert names == ["SET transaction_timeout = 0;", "COMMENT ON EXTENSION x", "\\."]


def test_every_server_that_is_installed(
    tmp_path: Path, migrations: Migrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with the newest client programs as well: what they write, an older server does not all understand."""
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    clients = sorted(postgres._installed(), key=lambda each: each.version)
    for number, which in enumerate(installed()):
        with running(which) as server:
            rehearse_and_restore(server.create_database("shop"), tmp_path / f"{number}", scripts)
            with monkeypatch.context() as patched:
                patched.setattr(postgres, "_installed", lambda: iter(clients[-1:]))
                rehearse_and_restore(server.create_database("other"), tmp_path / f"{number}-newest", scripts)


def test_a_user_who_owns_a_database_and_may_create_others(
    postgres_server: Server,
    tmp_path: Path,
    migrations: Migrations,
) -> None:
    admin = postgres_server.url()
    postgres.query(admin, "CREATE ROLE team LOGIN PASSWORD 'team-password-1' CREATEDB", commit=True)
    postgres.query(admin, "CREATE DATABASE team_shop OWNER team", commit=True)
    url = postgres_server.url("team_shop").replace("launch:pg-password-7431", "team:team-password-1")
    try:
        rehearse_and_restore(url, tmp_path, migrations({"0001": ITEM, "0002": PRICE}))
    finally:
        postgres_server.drop_database("team_shop")
        postgres.query(admin, "DROP ROLE team", commit=True)


def test_a_user_who_may_create_none_is_told_what_it_takes(
    postgres_server: Server,
    migrations: Migrations,
) -> None:
    admin = postgres_server.url()
    postgres.query(admin, "CREATE ROLE small LOGIN PASSWORD 'team-password-2'", commit=True)
    postgres.query(admin, "CREATE DATABASE small_shop OWNER small", commit=True)
    url = postgres_server.url("small_shop").replace("launch:pg-password-7431", "small:team-password-2")
    try:
        with pytest.raises(SchemaError, match="needs CREATEDB") as failure:
            Database(url, migrations({"0001": ITEM}), "0001").stairway()
        assert "team-password-2" not in str(failure.value)
    finally:
        postgres_server.drop_database("small_shop")
        postgres.query(admin, "DROP ROLE small", commit=True)


def test_what_a_killed_rehearsal_left_is_dropped_a_day_later(postgres_server: Server, postgres_url: str) -> None:
    day = 24 * 60 * 60
    old, young, other = "launch_scratch_1000_ab12", f"launch_scratch_{1000 + day}_cd34", "launch_scratch_of_mine"
    for name in (old, young, other):
        postgres_server.create_database(name)
    try:
        with postgres.temporary_database(postgres_url, "launch_scratch", now=lambda: 1500.0 + day) as scratched:
            assert postgres.query(scratched, "SELECT 1") == [(1,)]
            left = postgres_server.databases()
        assert old not in left
        assert {young, other} <= left
    finally:
        for name in (old, young, other):
            postgres_server.drop_database(name)


def test_a_snapshot_of_a_large_database_can_be_cancelled(postgres_url: str, tmp_path: Path) -> None:
    run(postgres_url, "CREATE TABLE item AS SELECT n, repeat('x', 500) AS x FROM generate_series(1, 50000) n")
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(MigrationCancelled, match="pg_dump"):
        snapshots.take(postgres_url, tmp_path, cancelled=cancelled)

    assert list(tmp_path.iterdir()) == []


def test_a_rehearsal_does_not_wait_for_a_table_that_somebody_rebuilds(
    postgres_url: str, migrations: Migrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    migrate.move_to(postgres_url, scripts=scripts, revision="0001")
    dump = postgres.dump
    monkeypatch.setattr(postgres, "dump", lambda url, file, **options: dump(url, file, lock_timeout=0.2, **options))

    with connections.engine(postgres_url).begin() as somebody:
        somebody.execute(text("LOCK TABLE item IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(SchemaError, match="statement timeout"):
            Database(postgres_url, scripts, "0002").stairway()
