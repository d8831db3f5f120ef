"""What a migration would do is known before it is done: its SQL, and whether there is a way back."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from components.schema import connections, migrate
from components.schema.database import Database
from components.schema.errors import MigrationFailed
from components.schema.pending import NotOffline, pending_sql, recorded_sql
from components.schema.scratch import scratch
from components.schema.stairway import stairway
from components.schema.urls import POSTGRES, database_file, dialect_of
from phases.sql.classify import classify_all
from tests.integration.postgres import Server

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))',
    'op.drop_table("item")',
)
PRICE = ('op.add_column("item", sa.Column("price", sa.Integer))', 'op.drop_column("item", "price")')
ASKS = (
    """
count = op.get_bind().execute(sa.text("SELECT count(*) FROM item")).scalar()
op.execute(f"CREATE TABLE counted_{count} (id INTEGER)")
op.get_bind().execute(sa.text("INSERT INTO item (name) VALUES (:name)"), {"name": "pii-4711"})
""",
    """
op.execute("DROP TABLE counted_1")
op.execute("DELETE FROM item WHERE name = 'pii-4711'")
""",
)


def fill(url: str, *names: str) -> None:
    with connections.engine(url).begin() as connection:
        for name in names:
            connection.execute(text("INSERT INTO item (name) VALUES (:name)"), {"name": name})


def names(url: str) -> list[str]:
    with connections.engine(url).connect() as connection:
        return list(connection.execute(text("SELECT name FROM item ORDER BY id")).scalars())


def test_pending_sql_is_told_per_statement_and_revision(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})

    found = pending_sql(url, scripts, "0001", "0002")

    assert next((each.revision, each.sql) for each in found) == ("0002", "ALTER TABLE item ADD COLUMN price INTEGER")
    assert all(each.revision == "0002" for each in found)
    assert {each.revision for each in pending_sql(dialect_of(url), scripts, None, "head")} == {"0001", "0002"}


def test_a_migration_that_asks_the_database_cannot_be_read_offline(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": ASKS})

    with pytest.raises(NotOffline, match="0002 cannot be read offline") as failure:
        pending_sql(url, scripts, None, "0002")

    assert failure.value.revision == "0002"


def test_it_is_recorded_on_a_copy_with_the_real_data_instead(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": ASKS})
    migrate.move_to(url, scripts=scripts, revision="0001")
    fill(url, "tea")

    found = [each.sql for each in Database(url, scripts, "0002").pending()]

    assert "CREATE TABLE counted_1 (id INTEGER)" in found  # it saw the one row
    assert not any("pii-4711" in sql for sql in found)
    kinds = {each.kind for _, each in classify_all(found, Database(url, scripts, "0002").dialect)}  # type: ignore[arg-type]
    assert kinds == {"additive", "data"}
    assert names(url) == ["tea"]
    assert migrate.current(url, scripts) == "0001"


def test_batch_mode_is_judged_by_what_it_changes(sqlite_url: str, migrations: Migrations) -> None:
    """Offline it cannot be written at all; recorded, it is a DROP TABLE that drops nothing."""
    batch = (
        """
with op.batch_alter_table("item", recreate="always") as batch:
    batch.add_column(sa.Column("price", sa.Integer))
    batch.alter_column("name", type_=sa.String(50))
""",
        "pass",
    )
    strict = (
        """
with op.batch_alter_table("item") as batch:
    batch.alter_column("name", nullable=False)
    batch.drop_column("price")
""",
        "pass",
    )
    scripts = migrations({"0001": ITEM, "0002": batch, "0003": strict})
    migrate.move_to(sqlite_url, scripts=scripts, revision="0001")

    def judged(target: str) -> list[tuple[str, str | None]]:
        database = Database(sqlite_url, scripts, target)
        statements = [each.sql for each in database.pending()]
        found = classify_all(statements, "sqlite", existing=database.tables())
        return [(each.kind, each.column) for _, each in found]

    assert judged("0002") == [("additive", "price")]
    migrate.move_to(sqlite_url, scripts=scripts, revision="0002")
    assert sorted(judged("0003"), key=str) == [("breaking", "name"), ("breaking", "price")]


def test_the_existing_schema_makes_classes_exact(postgres_url: str, migrations: Migrations) -> None:
    widen = ('op.alter_column("item", "name", type_=sa.String(50))', "pass")
    narrow = ('op.alter_column("item", "name", type_=sa.String(10))', "pass")
    scripts = migrations({"0001": ITEM, "0002": widen, "0003": narrow})
    migrate.move_to(postgres_url, scripts=scripts, revision="0001")
    database = Database(postgres_url, scripts, "0003")

    found = classify_all([each.sql for each in database.pending()], "postgres", existing=database.tables())

    assert [each.kind for _, each in found] == ["additive", "breaking"]


def test_nothing_is_pending_at_the_target_or_above(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    migrate.move_to(url, scripts=scripts, revision="0002")

    assert Database(url, scripts, "0002").pending() == ()
    assert Database(url, scripts, "0001").pending() == ()
    assert Database(url, scripts, "0001").stairway().ok


def test_a_scratch_copy_has_the_data_and_is_gone_afterwards(
    url: str, request: pytest.FixtureRequest, migrations: Migrations
) -> None:
    scripts = migrations({"0001": ITEM})
    migrate.move_to(url, scripts=scripts, revision="0001")
    fill(url, "tea", "milk")

    with connections.engine(url).begin() as service:  # a service is in the middle of something
        service.execute(text("SELECT * FROM item"))
        with scratch(url) as copy:
            assert names(copy) == ["tea", "milk"]
            fill(copy, "sugar")
            assert migrate.current(copy, scripts) == "0001"
            if dialect_of(url) != POSTGRES:
                mode = stat.S_IMODE(database_file(copy).parent.stat().st_mode)
                assert mode == stat.S_IRWXU

    assert names(url) == ["tea", "milk"]
    if dialect_of(url) == POSTGRES:
        server: Server = request.getfixturevalue("postgres_server")
        assert not any(name.startswith("launch_scratch") for name in server.databases())
    else:
        assert not database_file(copy).exists()


def test_a_large_database_is_rehearsed_without_its_data(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    migrate.move_to(url, scripts=scripts, revision="0001")
    fill(url, "tea")

    with scratch(url, data_limit=1) as copy:
        assert names(copy) == []
        assert migrate.current(copy, scripts) == "0001"
    assert stairway(url, scripts, "0001", "0002", data_limit=1).ok


def test_the_stairway_is_climbed_from_nothing_and_from_where_the_database_is(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})

    assert stairway(url, scripts, None, "0002").ok
    migrate.move_to(url, scripts=scripts, revision="0001")
    fill(url, "tea")
    assert stairway(url, scripts, "0001", "head").ok
    assert migrate.current(url, scripts) == "0001"


def test_a_downgrade_that_forgets_something_is_found(url: str, migrations: Migrations) -> None:
    forgets = (
        'op.add_column("item", sa.Column("price", sa.Integer))\nop.execute("CREATE TABLE extra (id INTEGER)")',
        PRICE[1],
    )
    scripts = migrations({"0001": ITEM, "0002": forgets})

    found = stairway(url, scripts, None, "0002")

    assert (found.ok, found.failed_at, found.direction) == (False, "0002", "down")
    assert "table extra is left over" in str(found.error)


def test_a_downgrade_that_fails_is_found(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": (PRICE[0], 'op.drop_column("item", "prize")')})

    found = stairway(url, scripts, None, "0002")

    assert (found.ok, found.failed_at, found.direction) == (False, "0002", "down")
    assert "prize" in str(found.error)


def test_an_enum_that_a_downgrade_leaves_behind_is_found(postgres_url: str, migrations: Migrations) -> None:
    """The classic: the second time up says that the type exists already."""
    mood = (
        'op.add_column("item", sa.Column("mood", sa.Enum("good", "bad", name="mood")))',
        'op.drop_column("item", "mood")',
    )
    mood = (f'sa.Enum("good", "bad", name="mood").create(op.get_bind())\n{mood[0]}', mood[1])
    scripts = migrations({"0001": ITEM, "0002": mood})

    found = stairway(postgres_url, scripts, None, "0002")

    assert (found.ok, found.failed_at) == (False, "0002")
    assert "enum" in str(found.error)
    assert "mood" in str(found.error)


def test_data_that_breaks_a_migration_is_found_before_the_real_one(url: str, migrations: Migrations) -> None:
    unique = ('op.create_index("ux_name", "item", ["name"], unique=True)', 'op.drop_index("ux_name", "item")')
    scripts = migrations({"0001": ITEM, "0002": unique})
    migrate.move_to(url, scripts=scripts, revision="0001")
    fill(url, "tea", "tea")

    found = stairway(url, scripts, "0001", "0002")

    assert (found.ok, found.failed_at, found.direction) == (False, "0002", "up")
    with pytest.raises(MigrationFailed):
        recorded_sql(url, scripts, "0002")


def test_migrations_without_a_way_down_are_named_and_only_gone_up(url: str, migrations: Migrations) -> None:
    scripts = migrations(
        {
            "0001": ITEM,
            "0002": (PRICE[0], "pass"),
            "0003": ('op.add_column("item", sa.Column("a", sa.Integer))', 'raise NotImplementedError("no")'),
            "0004": ('op.add_column("item", sa.Column("b", sa.Integer))', None),
            "0005": ("pass", "pass"),
        }
    )

    found = stairway(url, scripts, None, "head")

    assert found.ok
    assert [(each.revision, each.reason) for each in found.irreversible] == [
        ("0002", "its downgrade does nothing"),
        ("0003", "its downgrade only raises"),
        ("0004", "it has no downgrade"),
    ]
