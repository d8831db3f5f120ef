"""A snapshot is a whole database that can be put back, while services use it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from components.schema import connections, migrate, postgres, snapshots
from components.schema.errors import DatabaseBusy, SchemaError
from components.schema.fingerprint import differences, fingerprint
from components.schema.urls import SQLITE, dialect_of

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))',
    'op.drop_table("item")',
)
DESTROYS = ('op.execute("CREATE TABLE line (id INTEGER)")\nop.drop_table("item")', "raise NotImplementedError")


def run(url: str, *statements: str) -> None:
    with connections.engine(url).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_what_a_migration_destroyed_is_back(url: str, tmp_path: Path, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": DESTROYS})
    migrate.move_to(url, scripts=scripts, revision="0001")
    run(url, "INSERT INTO item (name) VALUES ('tea')")
    before = fingerprint(url)

    file = snapshots.take(url, tmp_path / "kept", name="0001")
    migrate.move_to(url, scripts=scripts, revision="0002")
    snapshots.restore(url, file)

    assert differences(before, fingerprint(url)) == ()
    assert migrate.current(url, scripts) == "0001"
    with connections.engine(url).connect() as connection:
        assert connection.execute(text("SELECT name FROM item")).scalars().all() == ["tea"]
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_postgres_comes_back_with_all_that_is_not_a_table(postgres_url: str, tmp_path: Path) -> None:
    """Views, types, functions, sequences, other schemas, and nothing that came later."""
    run(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE DOMAIN price AS integer CHECK (VALUE > 0)",
        "CREATE TABLE item (id serial PRIMARY KEY, mood mood, price price)",
        "CREATE VIEW good AS SELECT * FROM item WHERE mood = 'good'",
        "CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM item",
        "CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2'",
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER stamps BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION stamp()",
        "CREATE SCHEMA stock",
        "CREATE TABLE stock.place (id integer)",
        "INSERT INTO item (mood, price) VALUES ('good', 3)",
    )
    before = fingerprint(postgres_url)
    assert {"function twice(integer)", "enum mood", "domain price", "table stock.place"} <= set(before)

    file = snapshots.take(postgres_url, tmp_path)
    run(
        postgres_url,
        "DROP TABLE item CASCADE",
        "DROP SCHEMA stock CASCADE",
        "CREATE TABLE line (id integer)",
        "CREATE SCHEMA later",
        "CREATE FUNCTION thrice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 3'",
        "ALTER TYPE mood ADD VALUE 'mixed'",
    )
    snapshots.restore(postgres_url, file)

    assert differences(before, fingerprint(postgres_url)) == ()
    assert postgres.query(postgres_url, "SELECT mood::text, price::integer FROM good") == [("good", 3)]
    assert postgres.query(postgres_url, "INSERT INTO item (mood) VALUES ('bad') RETURNING id") == [(2,)]


def test_a_snapshot_that_cannot_be_restored_changes_nothing(postgres_url: str, tmp_path: Path) -> None:
    run(postgres_url, "CREATE TABLE item (id integer)", "INSERT INTO item VALUES (1)")
    import gzip

    broken = tmp_path / "broken.sql.gz"
    with gzip.open(broken, "wt") as out:
        out.write("CREATE TABLE line (id integer);\nINSERT INTO nowhere VALUES (1);\n")

    with pytest.raises(SchemaError, match="nowhere") as failure:
        snapshots.restore(postgres_url, broken)

    assert "pg-password-7431" not in str(failure.value)
    assert postgres.query(postgres_url, "SELECT id FROM item") == [(1,)]


def test_restoring_gives_up_where_somebody_holds_the_database(url: str, tmp_path: Path) -> None:
    run(url, "CREATE TABLE item (id integer)")
    file = snapshots.take(url, tmp_path)

    with connections.engine(url).begin() as service:
        service.execute(text("INSERT INTO item VALUES (1)"))
        with pytest.raises(DatabaseBusy if dialect_of(url) == SQLITE else SchemaError, match=r"lock"):
            snapshots.restore(url, file, lock_timeout=0.2)

    with connections.engine(url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM item")).scalar() == 1


def test_a_snapshot_that_is_gone_is_an_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="is gone"):
        snapshots.restore(url, tmp_path / "nothing.sqlite")


def test_without_a_fitting_pg_dump_it_says_what_is_missing(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_installed", lambda: iter([postgres.Programs(tmp_path, 9)]))

    with pytest.raises(SchemaError, match=r"pg_dump .* of version \d+ or newer .* found only version 9"):
        snapshots.take(postgres_url, tmp_path)
