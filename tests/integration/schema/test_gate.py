"""The gate `schema_compatibility` with a real database behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from components.schema import connections, migrate
from components.schema.database import Database
from launch.schema import GateDatabase
from phases.gates.base import GateContext, Moment, Release
from phases.gates.schema_compatibility import SchemaCompatibility
from phases.kinds import PhaseKind
from phases.verdict import GateResult, Verdict

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))',
    'op.drop_table("item")',
)
PRICE = ('op.add_column("item", sa.Column("price", sa.Integer))', 'op.drop_column("item", "price")')
REQUIRED = (
    """
with op.batch_alter_table("item") as batch:
    batch.alter_column("name", existing_type=sa.String(20), nullable=False)
""",
    """
with op.batch_alter_table("item") as batch:
    batch.alter_column("name", existing_type=sa.String(20), nullable=True)
""",
)

COPIED = """
op.add_column("item", sa.Column("price", sa.Integer))
op.execute("CREATE TABLE copied (name VARCHAR(20) NOT NULL)")
op.execute("INSERT INTO copied SELECT name FROM item")
"""


def ask(url: str, scripts: Path, target: str, *, snapshot: bool = False) -> GateResult:
    context = GateContext(
        environment="dev",
        phase="migration",
        kind=PhaseKind.MIGRATION,
        moment=Moment.ENTRY,
        release=Release(image="shop:2.0", digest="sha256:0", revision=target),
        root=scripts.parent,
        database=GateDatabase(Database(url, scripts, target, snapshot=snapshot)),
    )
    return SchemaCompatibility().check(context)


def test_additive_passes_and_nothing_is_changed_by_asking(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    migrate.move_to(url, scripts=scripts, revision="0001")

    result = ask(url, scripts, "0002")

    assert (result.verdict, result.warnings) == (Verdict.PASSED, ())
    assert [each["class"] for each in result.evidence["statements"]] == ["additive"]
    assert migrate.current(url, scripts) == "0001"
    assert ask(url, scripts, "0001").reason == "no migration in this release"


def test_a_first_release_is_additive_altogether(url: str, migrations: Migrations) -> None:
    result = ask(url, migrations({"0001": ITEM, "0002": PRICE}), "0002")

    assert result.verdict is Verdict.PASSED, result.reason
    assert migrate.current(url, migrations({"0001": ITEM})) is None


def test_a_stricter_column_fails_on_both_databases(url: str, migrations: Migrations) -> None:
    """On SQLite it is a new table, a copy, a drop and a rename; on Postgres one ALTER COLUMN."""
    scripts = migrations({"0001": ITEM, "0002": REQUIRED})
    migrate.move_to(url, scripts=scripts, revision="0001")

    result = ask(url, scripts, "0002")

    assert result.verdict is Verdict.FAILED
    assert "may write NULL into item.name" in result.reason


def test_real_rows_fail_the_rehearsal_before_the_real_migration(url: str, migrations: Migrations) -> None:
    fails = (COPIED, f'op.drop_table("copied")\n{PRICE[1]}')
    scripts = migrations({"0001": ITEM, "0002": fails})
    migrate.move_to(url, scripts=scripts, revision="0001")
    assert ask(url, scripts, "0002").verdict is Verdict.PASSED
    with connections.engine(url).begin() as connection:
        connection.execute(text("INSERT INTO item (name) VALUES (NULL)"))

    result = ask(url, scripts, "0002")

    assert result.verdict is Verdict.FAILED
    assert "0002 (up)" in result.reason


def test_no_way_down_fails_without_a_snapshot(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM, "0002": (PRICE[0], "raise NotImplementedError")})

    assert ask(url, scripts, "0002").verdict is Verdict.FAILED
    assert ask(url, scripts, "0002", snapshot=True).verdict is Verdict.PASSED


def test_a_database_that_does_not_answer_is_inconclusive(postgres_url: str, migrations: Migrations) -> None:
    wrong = postgres_url.replace("pg-password-7431", "pg-password-wrong")

    result = ask(wrong, migrations({"0001": ITEM}), "0001")

    assert result.verdict is Verdict.INCONCLUSIVE
    assert "pg-password" not in result.reason
