"""A schema goes up and down on real databases."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from components.schema import connections, locks, migrate
from components.schema.errors import DatabaseBusy, MigrationFailed, SchemaError, ScriptsError
from components.schema.urls import database_file, dialect_of

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))',
    'op.drop_table("item")',
)
PRICE = ('op.add_column("item", sa.Column("price", sa.Integer))', 'op.drop_column("item", "price")')
BROKEN = (
    """
op.add_column("item", sa.Column("price", sa.Integer))
op.execute("INSERT INTO nowhere VALUES (1)")
""",
    "pass",
)
STOCK = ('op.add_column("item", sa.Column("stock", sa.Integer))', 'op.drop_column("item", "stock")')


def columns(url: str) -> set[str]:
    from sqlalchemy import inspect

    with connections.engine(url).connect() as connection:
        found = inspect(connection)
        return {column["name"] for column in found.get_columns("item")} if found.has_table("item") else set()


def execute(url: str, statement: str) -> None:
    with connections.engine(url).begin() as connection:
        connection.execute(text(statement))


def test_up_and_down_and_nothing_to_do(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})

    assert migrate.current(url, scripts) is None
    assert migrate.head(scripts) == "0002"
    moved = migrate.move_to(url, scripts=scripts, revision="0002")
    assert moved.up == ("0001", "0002")
    assert columns(url) == {"id", "name", "price"}
    assert migrate.move_to(url, scripts=scripts, revision="head") == migrate.Move("0002", "0002")
    assert migrate.move_to(url, scripts=scripts, revision="0001").down == ("0002",)
    assert columns(url) == {"id", "name"}
    assert migrate.move_to(url, scripts=scripts, revision="base").after is None
    assert columns(url) == set()


def test_reading_creates_nothing(sqlite_url: str, migrations: Migrations) -> None:
    assert migrate.current(sqlite_url, migrations({"0001": ITEM})) is None
    assert not database_file(sqlite_url).exists()


def test_reading_makes_no_version_table(postgres_url: str, migrations: Migrations) -> None:
    assert migrate.current(postgres_url, migrations({"0001": ITEM})) is None
    from sqlalchemy import inspect

    with connections.engine(postgres_url).connect() as connection:
        assert inspect(connection).get_table_names() == []


def test_an_older_release_goes_down_with_the_newer_ones_scripts(url: str, migrations: Migrations) -> None:
    newer = migrations({"0001": ITEM, "0002": PRICE}, name="newer")
    older = migrations({"0001": ITEM}, name="older")
    migrate.move_to(url, scripts=newer, revision="0002")

    moved = migrate.move_to(url, scripts=older, other_scripts=newer, revision="0001")

    assert moved.down == ("0002",)
    assert columns(url) == {"id", "name"}


def test_two_lines_meet_at_their_last_common_revision(url: str, migrations: Migrations) -> None:
    left = migrations({"0001": ITEM, "0002a": PRICE}, name="left")
    right = migrations({"0001": ITEM, "0002b": STOCK}, name="right")
    migrate.move_to(url, scripts=left, revision="0002a")

    moved = migrate.move_to(url, scripts=right, other_scripts=left, revision="0002b")

    assert (moved.down, moved.up) == (("0002a",), ("0002b",))
    assert columns(url) == {"id", "name", "stock"}


def test_scripts_that_do_not_know_where_the_database_is_are_refused(url: str, migrations: Migrations) -> None:
    newer = migrations({"0001": ITEM, "0002": PRICE}, name="newer")
    older = migrations({"0001": ITEM}, name="older")
    migrate.move_to(url, scripts=newer, revision="0002")

    with pytest.raises(ScriptsError, match="0002, which none of these scripts knows"):
        migrate.move_to(url, scripts=older, revision="0001")


def test_a_migration_that_fails_halfway_leaves_the_schema_as_it_was(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": BROKEN})

    with pytest.raises(MigrationFailed, match="nowhere") as failure:
        migrate.move_to(url, scripts=scripts, revision="0002")

    assert failure.value.revision == "0002"
    assert failure.value.direction == "up"
    assert failure.value.statement == "INSERT INTO nowhere VALUES (1)"
    assert "the steps before it stay done (0001)" in str(failure.value)
    assert columns(url) == {"id", "name"}
    assert migrate.current(url, scripts) == "0001"


def test_no_message_shows_the_password_or_a_parameter(postgres_url: str, migrations: Migrations) -> None:
    failing = ('op.get_bind().execute(sa.text("INSERT INTO nowhere VALUES (:x)"), {"x": "pii-4711"})', "pass")
    scripts = migrations({"0001": failing})

    with pytest.raises(MigrationFailed) as failure:
        migrate.move_to(postgres_url, scripts=scripts, revision="0001")

    assert "pg-password-7431" not in str(failure.value)
    assert "pii-4711" not in str(failure.value)
    assert failure.value.__cause__ is None

    with pytest.raises(SchemaError) as unreachable:
        migrate.current(postgres_url.replace(":pg-password-7431@", ":pg-password-wrong@"), scripts)
    assert "pg-password" not in str(unreachable.value)


def test_a_migration_without_a_way_down_says_so(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": (ITEM[0], 'raise NotImplementedError("gone for good")')})
    migrate.move_to(url, scripts=scripts, revision="0001")

    with pytest.raises(MigrationFailed, match="no way down") as failure:
        migrate.move_to(url, scripts=scripts, revision="base")

    assert failure.value.irreversible
    assert migrate.current(url, scripts) == "0001"


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(sqlite_url: str, migrations: Migrations) -> None:
    """With foreign keys on, dropping the old copy would delete them (ON DELETE CASCADE)."""
    tables = (
        """
op.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)")
op.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, item INTEGER REFERENCES item (id) ON DELETE CASCADE)")
""",
        "pass",
    )
    rebuild = (
        """
with op.batch_alter_table("item", recreate="always") as batch:
    batch.add_column(sa.Column("price", sa.Integer))
""",
        "pass",
    )
    scripts = migrations({"0001": tables, "0002": rebuild})
    migrate.move_to(sqlite_url, scripts=scripts, revision="0001")
    execute(sqlite_url, "INSERT INTO item VALUES (1, 'tea')")
    execute(sqlite_url, "INSERT INTO line VALUES (1, 1)")

    migrate.move_to(sqlite_url, scripts=scripts, revision="0002")

    with connections.engine(sqlite_url).connect() as connection:
        assert connection.execute(text("SELECT item FROM line")).all() == [(1,)]
    assert columns(sqlite_url) == {"id", "name", "price"}


def test_a_migration_that_leaves_dangling_references_is_taken_back(sqlite_url: str, migrations: Migrations) -> None:
    tables = (
        """
op.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)")
op.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, item INTEGER REFERENCES item (id))")
""",
        "pass",
    )
    scripts = migrations({"0001": tables, "0002": ('op.execute("DELETE FROM item")', "pass")})
    migrate.move_to(sqlite_url, scripts=scripts, revision="0001")
    execute(sqlite_url, "INSERT INTO item VALUES (1, 'tea')")
    execute(sqlite_url, "INSERT INTO line VALUES (1, 1)")

    with pytest.raises(MigrationFailed, match="foreign key leads nowhere"):
        migrate.move_to(sqlite_url, scripts=scripts, revision="0002")

    with connections.engine(sqlite_url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM item")).scalar() == 1


def test_an_autocommit_block_works_and_what_follows_is_a_transaction_again(url: str, migrations: Migrations) -> None:
    outside = "VACUUM" if dialect_of(url) == "sqlite" else "CREATE INDEX CONCURRENTLY ix ON item (name)"
    block = f'with op.get_context().autocommit_block():\n    op.execute("{outside}")\n'
    step = (f"{block}{BROKEN[0]}", "pass")
    scripts = migrations({"0001": ITEM, "0002": step})

    with pytest.raises(MigrationFailed):
        migrate.move_to(url, scripts=scripts, revision="0002")

    assert columns(url) == {"id", "name"}


def test_only_one_migration_at_a_time(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM})

    with locks.exclusive(url), pytest.raises(DatabaseBusy, match="another migration"):
        migrate.move_to(url, scripts=scripts, revision="0001", lock_timeout=0.1)

    assert migrate.move_to(url, scripts=scripts, revision="0001").after == "0001"


def test_a_migration_gives_up_where_a_service_holds_the_table(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    migrate.move_to(url, scripts=scripts, revision="0001")

    with connections.engine(url).begin() as service:
        service.execute(text("INSERT INTO item (name) VALUES ('tea')"))
        with pytest.raises(DatabaseBusy, match="gave up"):
            migrate.move_to(url, scripts=scripts, revision="0002", lock_timeout=0.2)

    assert migrate.current(url, scripts) == "0001"
    assert migrate.move_to(url, scripts=scripts, revision="0002").after == "0002"


def test_a_service_goes_on_reading_while_a_wal_database_is_migrated(sqlite_url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    migrate.move_to(sqlite_url, scripts=scripts, revision="0001")
    with contextlib.closing(sqlite3.connect(database_file(sqlite_url), isolation_level=None)) as service:
        service.execute("PRAGMA journal_mode = WAL")
        service.execute("INSERT INTO item (name) VALUES ('tea')")
        service.execute("BEGIN")
        assert service.execute("SELECT name FROM item").fetchall() == [("tea",)]

        migrate.move_to(sqlite_url, scripts=scripts, revision="0002")

        assert service.execute("SELECT name FROM item").fetchall() == [("tea",)]
        service.execute("COMMIT")
        assert service.execute("SELECT name, price FROM item").fetchall() == [("tea", None)]
        assert service.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_several_heads_are_explained(migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    other = (scripts / "versions" / "0002_step.py").read_text(encoding="utf-8").replace("'0002'", "'0002b'")
    (scripts / "versions" / "0002b_step.py").write_text(other, encoding="utf-8")

    with pytest.raises(ScriptsError, match="alembic merge -m 'join' 0002 0002b"):
        migrate.head(scripts)


GENERIC_ENV = """
from logging.config import fileConfig

from alembic import context
from sqlalchemy import engine_from_config, pool

import shop_models

config = context.config
fileConfig(config.config_file_name)
assert shop_models.NAME == "shop"


def run_migrations_offline():
    context.configure(url=config.get_main_option("sqlalchemy.url"), literal_binds=True, version_table="shop_version")
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    section = config.get_section(config.config_ini_section, {})
    connectable = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with connectable.connect() as connection:
        context.configure(connection=connection, version_table="shop_version")
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
"""


def test_a_teams_own_environment_is_used_and_made_safe(url: str, tmp_path: Path, migrations: Migrations) -> None:
    """Its version table, its imports from beside the scripts; and a failing migration is taken back there too."""
    scripts = migrations({"0001": ITEM, "0002": BROKEN}, env=GENERIC_ENV)
    (tmp_path / "shop_models.py").write_text('NAME = "shop"\n', encoding="utf-8")

    with pytest.raises(MigrationFailed, match="nowhere"):
        migrate.move_to(url, scripts=scripts, revision="0002")

    assert columns(url) == {"id", "name"}
    assert migrate.current(url, scripts) == "0001"
    with connections.engine(url).connect() as connection:
        assert connection.execute(text("SELECT version_num FROM shop_version")).all() == [("0001",)]
    assert list(tmp_path.rglob("__pycache__")) == []


def test_an_environment_with_a_database_of_its_own_is_refused(url: str, tmp_path: Path, migrations: Migrations) -> None:
    """Else a rehearsal would migrate the real database."""
    env = f"""
from alembic import context
from sqlalchemy import create_engine

with create_engine("sqlite:///{tmp_path}/elsewhere.db").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
    scripts = migrations({"0001": ITEM}, env=env)

    with pytest.raises(SchemaError, match=r"env\.py connected to"):
        migrate.move_to(url, scripts=scripts, revision="0001")

    with contextlib.closing(sqlite3.connect(tmp_path / "elsewhere.db")) as elsewhere:
        assert elsewhere.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_an_environment_whose_imports_are_not_to_be_had_is_stood_in_for(
    url: str, tmp_path: Path, migrations: Migrations
) -> None:
    """The service's packages are not installed beside us, or only a copy of the scripts is left."""
    scripts = migrations({"0001": ITEM, "0002": PRICE}, env=GENERIC_ENV)
    (tmp_path / "shop_models.py").write_text('NAME = "shop"\n', encoding="utf-8")
    migrate.move_to(url, scripts=scripts, revision="0001")
    (tmp_path / "shop_models.py").unlink()

    assert migrate.current(url, scripts) == "0001"  # in the table that env.py names
    migrate.move_to(url, scripts=scripts, revision="0002")

    with connections.engine(url).connect() as connection:
        assert connection.execute(text("SELECT version_num FROM shop_version")).all() == [("0002",)]


def test_it_is_not_where_its_version_table_cannot_be_known(url: str, migrations: Migrations) -> None:
    env = GENERIC_ENV.replace('"shop_version"', "shop_models.VERSION_TABLE")
    scripts = migrations({"0001": ITEM}, env=env)

    with pytest.raises(SchemaError, match="No module named 'shop_models'"):
        migrate.move_to(url, scripts=scripts, revision="0001")
