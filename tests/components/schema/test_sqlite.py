"""Copies of SQLite databases, and what is different between two schemas."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from components.schema import describe, locks, migrate, sqlite
from components.schema.errors import DatabaseBusy, MigrationFailed, SchemaError
from components.schema.fingerprint import differences, fingerprint

WriteScripts = Callable[..., Path]


def make(file: Path, *statements: str) -> Path:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return file


def test_a_copy_is_whole_and_private(tmp_path: Path) -> None:
    source = make(tmp_path / "a.db", "CREATE TABLE item (id INTEGER)", "INSERT INTO item VALUES (1)")

    sqlite.copy(source, tmp_path / "b.db")

    with contextlib.closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        assert connection.execute("SELECT id FROM item").fetchall() == [(1,)]
    assert (tmp_path / "b.db").stat().st_mode & 0o077 == 0


def test_a_copy_onto_a_locked_database_gives_up_in_time(tmp_path: Path) -> None:
    """Python's own loop would try forever."""
    source = make(tmp_path / "a.db", "CREATE TABLE item (id INTEGER)")
    target = make(tmp_path / "b.db", "CREATE TABLE line (id INTEGER)")
    ticks = itertools.count()
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as service:
        service.execute("BEGIN IMMEDIATE")
        with pytest.raises((DatabaseBusy, SchemaError), match="locked"):
            sqlite.copy(source, target, wait=0.0, clock=lambda: float(next(ticks)))
        service.execute("ROLLBACK")
        assert service.execute("SELECT name FROM sqlite_master").fetchall() == [("line",)]


def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all, but long enough to be looked at" * 20)

    with pytest.raises(SchemaError, match="not a database"):
        sqlite.copy(tmp_path / "a.db", tmp_path / "b.db")
    with pytest.raises(SchemaError, match="there is no database"):
        sqlite.copy(tmp_path / "nowhere.db", tmp_path / "b.db")


def test_removing_takes_the_journals_with_it(tmp_path: Path) -> None:
    for name in ("a.db", "a.db-wal", "a.db-shm", "a.db-journal", "other.db"):
        (tmp_path / name).touch()

    sqlite.remove(tmp_path / "a.db")
    sqlite.remove(tmp_path / "a.db")

    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]


ITEM = (
    "CREATE TABLE item (id INTEGER PRIMARY KEY, name VARCHAR(20) DEFAULT 'x' NOT NULL, "
    "kind INTEGER REFERENCES kind (id) ON DELETE CASCADE, CONSTRAINT once UNIQUE (name), CHECK (id > 0))"
)
FULL = (
    "CREATE TABLE kind (id INTEGER PRIMARY KEY)",
    ITEM,
    "CREATE INDEX ix ON item (name)",
    "CREATE INDEX part ON item (name) WHERE kind IS NULL",
    "CREATE VIEW v AS SELECT id FROM item",
    "CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM kind; END",
)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE TABLE line (id INTEGER)", "table line is left over"),
        ("DROP VIEW v", "view v is gone"),
        ("DROP TRIGGER t", "trigger t is gone"),
        ("DROP INDEX ix", "table item: index ix is gone"),
        ("DROP INDEX part", "index part is gone"),
        ("ALTER TABLE kind ADD COLUMN name TEXT", "table kind: column name is left over"),
        ("ALTER TABLE item RENAME COLUMN name TO title", "table item: column name is gone"),
    ],
)
def test_every_difference_has_a_name(tmp_path: Path, statement: str, expected: str) -> None:
    file = make(tmp_path / "a.db", *FULL)
    before = fingerprint(f"sqlite:///{file}")
    make(file, statement)

    assert expected in differences(before, fingerprint(f"sqlite:///{file}"))


@pytest.mark.parametrize(
    "changed",
    [
        FULL[1].replace("VARCHAR(20)", "VARCHAR(30)"),
        FULL[1].replace("DEFAULT 'x'", "DEFAULT 'y'"),
        FULL[1].replace("'x' NOT NULL", "'x'"),
        FULL[1].replace(" ON DELETE CASCADE", ""),
        FULL[1].replace("CHECK (id > 0)", "CHECK (id > 1)"),
        FULL[1].replace("UNIQUE (name)", "UNIQUE (kind)"),
        FULL[1].replace("id INTEGER PRIMARY KEY", "id INTEGER"),
    ],
)
def test_so_has_every_detail_of_a_table(tmp_path: Path, changed: str) -> None:
    one = make(tmp_path / "a.db", FULL[0], FULL[1])
    other = make(tmp_path / "b.db", FULL[0], changed)

    assert differences(fingerprint(f"sqlite:///{one}"), fingerprint(f"sqlite:///{other}"))


def test_the_order_of_columns_does_not_count(tmp_path: Path) -> None:
    one = make(tmp_path / "a.db", "CREATE TABLE item (id INTEGER PRIMARY KEY, a TEXT, b TEXT)")
    other = make(tmp_path / "b.db", "CREATE TABLE item (id INTEGER PRIMARY KEY, b TEXT, a TEXT)")

    assert differences(fingerprint(f"sqlite:///{one}"), fingerprint(f"sqlite:///{other}")) == ()


def test_a_schema_is_described_by_its_own_statements(tmp_path: Path) -> None:
    found = describe.described(f"sqlite:///{make(tmp_path / 'a.db', *FULL)}")

    assert FULL[1] in found
    assert FULL[2] in found


def test_a_waiting_migration_is_told_apart_from_a_failed_one(tmp_path: Path, write_scripts: WriteScripts) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    scripts = write_scripts({"0001": "def upgrade():\n    raise ValueError('no')\n"})

    with pytest.raises(MigrationFailed, match="ValueError: no"):
        migrate.upgrade(url, scripts, "0001")
    with locks.exclusive(url), pytest.raises(DatabaseBusy):
        migrate.upgrade(url, scripts, "0001", lock_timeout=0.0)
