"""The resource `launch:schema:Revision`, as the engine uses it, on real databases."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from components.provider.resource import Context, PartialFailure, ResourceFailure
from components.provider.resources.revision import Revision
from components.schema import changes, connections, locks, migrate
from components.schema.urls import SQLITE, database_file, dialect_of

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]
Inputs = Callable[..., dict[str, Any]]

RESOURCE = Revision()
CONTEXT = Context()

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))',
    'op.drop_table("item")',
)
PRICE = ('op.add_column("item", sa.Column("price", sa.Integer))', 'op.drop_column("item", "price")')
LOSES = ('op.drop_column("item", "name")', "raise NotImplementedError")
BROKEN = ('op.execute("INSERT INTO nowhere VALUES (1)")', "pass")


@pytest.fixture
def inputs(url: str, tmp_path: Path) -> Inputs:
    """Inputs as a program gives them."""

    def make(scripts: Path, revision: str, *, snapshot: bool = False) -> dict[str, Any]:
        return {
            "url": url,
            "scripts": str(scripts),
            "revision": revision,
            "snapshot": snapshot,
            "directory": str(tmp_path / "state"),
        }

    return make


def columns(url: str) -> set[str]:
    with connections.engine(url).connect() as connection:
        found = inspect(connection)
        return {column["name"] for column in found.get_columns("item")} if found.has_table("item") else set()


def insert(url: str, name: str) -> None:
    with connections.engine(url).begin() as connection:
        connection.execute(text("INSERT INTO item (name) VALUES (:name)"), {"name": name})


def create(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return RESOURCE.create(inputs, CONTEXT)


def update(id_: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return RESOURCE.update(id_, old, new, CONTEXT)


def test_a_first_launch_leaves_nothing_when_it_is_undone(url: str, migrations: Migrations, inputs: Inputs) -> None:
    given = inputs(migrations({"0001": ITEM, "0002": PRICE}), "0002")
    assert RESOURCE.check(given, None) == []

    id_, outputs = create(given)
    assert (outputs["revision"], outputs["previous"], outputs["initial"]) == ("0002", "base", "base")
    assert outputs["created"] is (dialect_of(url) == SQLITE)
    assert "pg-password" not in id_
    RESOURCE.delete(id_, outputs, CONTEXT)

    if dialect_of(url) == SQLITE:
        assert not database_file(url).exists()
        assert not locks.lock_file(url).exists()
    else:
        assert columns(url) == set()
    assert not Path(given["directory"]).exists()
    RESOURCE.delete(id_, outputs, CONTEXT)  # again: nothing to remove is no error


def test_a_database_that_was_there_is_brought_back_to_where_it_was(
    url: str, migrations: Migrations, inputs: Inputs
) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    migrate.move_to(url, scripts=scripts, revision="0001")
    insert(url, "tea")

    id_, outputs = create(inputs(scripts, "0002"))
    assert (outputs["previous"], outputs["initial"], outputs["created"]) == ("0001", "0001", False)
    RESOURCE.delete(id_, outputs, CONTEXT)

    assert migrate.current(url, scripts) == "0001"
    assert columns(url) == {"id", "name"}


def test_going_back_to_an_older_release_whose_scripts_do_not_know_the_newer(
    url: str, migrations: Migrations, inputs: Inputs
) -> None:
    older = inputs(migrations({"0001": ITEM}, name="older"), "0001")
    newer = inputs(migrations({"0001": ITEM, "0002": PRICE}, name="newer"), "0002")
    id_, first = create(older)
    second = update(id_, first, newer)
    assert second["previous"] == "0001"
    assert RESOURCE.diff(second, newer).changed == {}

    third = update(id_, second, older)

    assert (third["revision"], third["previous"]) == ("0001", "0002")
    assert columns(url) == {"id", "name"}


def test_the_way_down_outlives_the_artifact(url: str, migrations: Migrations, inputs: Inputs) -> None:
    older = inputs(migrations({"0001": ITEM}, name="older"), "0001")
    newer = inputs(migrations({"0001": ITEM, "0002": PRICE}, name="newer"), "0002")
    id_, first = create(older)
    second = update(id_, first, newer)
    shutil.rmtree(newer["scripts"])
    shutil.rmtree(older["scripts"])

    assert RESOURCE.check(older, newer) == []
    third = update(id_, second, older)
    assert columns(url) == {"id", "name"}
    RESOURCE.delete(id_, third, CONTEXT)
    assert dialect_of(url) == SQLITE or columns(url) == set()


def test_scripts_that_were_changed_since_are_not_used_on_the_way_down(
    url: str, migrations: Migrations, inputs: Inputs
) -> None:
    """The copy is what went up; what has the same path by now may be another release."""
    given = inputs(migrations({"0001": ITEM, "0002": PRICE}), "0002")
    id_, outputs = create(given)
    migrations({"0001": ITEM})  # the path holds another release now
    (Path(given["scripts"]) / "versions" / "0002_step.py").unlink()

    update(id_, outputs, {**given, "revision": "0001"})

    assert columns(url) == {"id", "name"}


@pytest.mark.parametrize("killed_at", ["before", "halfway", "after"])
def test_a_create_that_was_killed_is_taken_up_again(
    url: str, tmp_path: Path, migrations: Migrations, inputs: Inputs, killed_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it finds then is its own doing, and not what was there before."""
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    change = changes.change

    def killed(*args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever it is given
        if killed_at != "before":
            change(*args, **{**options, "revision": "0001" if killed_at == "halfway" else "0002"})
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(changes, "change", killed)
        with pytest.raises(KeyboardInterrupt):
            create(inputs(scripts, "0002"))

    id_, outputs = create(inputs(scripts, "0002"))

    assert (outputs["revision"], outputs["previous"], outputs["initial"]) == ("0002", "base", "base")
    assert outputs["created"] is (dialect_of(url) == SQLITE)
    RESOURCE.delete(id_, outputs, CONTEXT)
    assert not (tmp_path / "shop.db").exists()
    assert dialect_of(url) == SQLITE or columns(url) == set()


def test_a_killed_update_can_be_undone_after_a_refresh(url: str, migrations: Migrations, inputs: Inputs) -> None:
    """The record still names the older scripts, which do not know where the schema is."""
    older = inputs(migrations({"0001": ITEM}, name="older"), "0001")
    newer = inputs(migrations({"0001": ITEM, "0002": PRICE}, name="newer"), "0002")
    id_, first = create(older)
    update(id_, first, newer)  # and killed before it was recorded
    shutil.rmtree(newer["scripts"])

    found = RESOURCE.read(id_, first, older)
    assert found is not None
    assert found.outputs["revision"] == "0002"
    assert set(RESOURCE.diff(found.outputs, older).changed) == {"revision"}
    update(id_, found.outputs, older)

    assert columns(url) == {"id", "name"}


def test_a_killed_update_is_seen_without_a_refresh_too(url: str, migrations: Migrations, inputs: Inputs) -> None:
    """Replaying the state before would be `same` otherwise, and leave the newer schema."""
    older = inputs(migrations({"0001": ITEM}, name="older"), "0001")
    newer = inputs(migrations({"0001": ITEM, "0002": PRICE}, name="newer"), "0002")
    id_, first = create(older)
    update(id_, first, newer)  # and killed before it was recorded

    assert set(RESOURCE.diff(first, older).changed) == {"revision"}
    again = update(id_, first, older)

    assert columns(url) == {"id", "name"}
    assert RESOURCE.diff(again, older).changed == {}


def test_work_by_hand_is_left_alone_until_a_refresh(url: str, migrations: Migrations, inputs: Inputs) -> None:
    """Nobody expects an update that changes nothing to take back what a person did."""
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    given = inputs(scripts, "0001")
    _, outputs = create(given)
    migrate.move_to(url, scripts=scripts, revision="0002")

    assert RESOURCE.diff(outputs, given).changed == {}


def test_a_failing_migration_says_what_is_there_now(url: str, migrations: Migrations, inputs: Inputs) -> None:
    first = inputs(migrations({"0001": ITEM}, name="first"), "0001")
    id_, outputs = create(first)
    given = inputs(migrations({"0001": ITEM, "0002": PRICE, "0003": BROKEN}, name="second"), "0003")

    with pytest.raises(PartialFailure, match="nowhere") as failure:
        update(id_, outputs, given)

    assert failure.value.outputs["revision"] == "0002"
    assert failure.value.outputs["previous"] == "0001"
    update(id_, failure.value.outputs, first)
    assert columns(url) == {"id", "name"}


def test_a_first_migration_that_fails_leaves_nothing(url: str, migrations: Migrations, inputs: Inputs) -> None:
    given = inputs(migrations({"0001": BROKEN}), "0001")

    with pytest.raises(ResourceFailure, match="nowhere") as failure:
        create(given)

    assert not isinstance(failure.value, PartialFailure)
    if dialect_of(url) == SQLITE:
        assert not database_file(url).exists()
        assert not locks.lock_file(url).exists()
    assert not Path(given["directory"]).exists()
    assert "pg-password-7431" not in str(failure.value)


def test_a_snapshot_stands_in_for_a_missing_way_down(url: str, migrations: Migrations, inputs: Inputs) -> None:
    first = inputs(migrations({"0001": ITEM}, name="first"), "0001", snapshot=True)
    id_, outputs = create(first)
    insert(url, "tea")
    second = update(id_, outputs, inputs(migrations({"0001": ITEM, "0002": LOSES}), "0002", snapshot=True))
    assert columns(url) == {"id"}
    assert second["snapshotRevision"] == "0001"

    third = update(id_, second, first)

    assert third["revision"] == "0001"
    assert "snapshotFile" not in third
    with connections.engine(url).connect() as connection:
        assert connection.execute(text("SELECT name FROM item")).scalars().all() == ["tea"]


def test_without_a_snapshot_going_down_is_refused_before_anything_changes(
    url: str, migrations: Migrations, inputs: Inputs
) -> None:
    first = inputs(migrations({"0001": ITEM}, name="first"), "0001")
    id_, outputs = create(first)
    last = migrations({"0001": ITEM, "0002": LOSES, "0003": PRICE})
    second = update(id_, outputs, inputs(last, "0003"))

    with pytest.raises(ResourceFailure, match=r"0002: its downgrade only raises.*`snapshot: true`"):
        update(id_, second, first)

    assert migrate.current(url, last) == "0003"


def test_a_partly_applied_release_is_undone_by_its_snapshot(url: str, migrations: Migrations, inputs: Inputs) -> None:
    first = inputs(migrations({"0001": ITEM}, name="first"), "0001")
    id_, outputs = create(first)
    insert(url, "tea")
    given = inputs(migrations({"0001": ITEM, "0002": LOSES, "0003": BROKEN}), "0003", snapshot=True)

    with pytest.raises(PartialFailure) as failure:
        update(id_, outputs, given)
    update(id_, failure.value.outputs, first)

    assert columns(url) == {"id", "name"}


def test_a_refresh_sees_a_migration_by_hand(url: str, migrations: Migrations, inputs: Inputs) -> None:
    scripts = migrations({"0001": ITEM, "0002": PRICE})
    given = inputs(scripts, "0002")
    id_, outputs = create(given)
    migrate.move_to(url, scripts=scripts, revision="0001")

    found = RESOURCE.read(id_, outputs, given)

    assert found is not None
    assert found.outputs["revision"] == "0001"
    assert set(RESOURCE.diff(found.outputs, given).changed) == {"revision"}


def test_a_refresh_sees_that_the_database_is_gone(sqlite_url: str, tmp_path: Path, migrations: Migrations) -> None:
    given = {
        "url": sqlite_url,
        "scripts": str(migrations({"0001": ITEM})),
        "revision": "0001",
        "snapshot": False,
        "directory": str(tmp_path / "state"),
    }
    id_, outputs = create(given)
    database_file(sqlite_url).unlink()

    assert RESOURCE.read(id_, outputs, given) is None


def test_a_resource_that_was_renamed_does_not_take_the_schema_down(
    url: str, migrations: Migrations, inputs: Inputs
) -> None:
    """The engine creates it under its new name first, and deletes the old one then."""
    given = inputs(migrations({"0001": ITEM}), "0001")
    id_, old = create(given)
    create(given)

    RESOURCE.delete(id_, old, CONTEXT)

    assert columns(url) == {"id", "name"}


def test_another_database_is_migrated_and_the_first_left_alone(
    sqlite_url: str, tmp_path: Path, migrations: Migrations
) -> None:
    given = {
        "url": sqlite_url,
        "scripts": str(migrations({"0001": ITEM})),
        "revision": "0001",
        "snapshot": False,
        "directory": str(tmp_path / "state"),
    }
    id_, old = create(given)
    moved = f"sqlite:///{tmp_path / 'other.db'}"

    outputs = update(id_, old, {**given, "url": moved})

    assert columns(sqlite_url) == columns(moved) == {"id", "name"}
    assert (outputs["initial"], outputs["created"]) == ("base", True)


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"url": "nonsense"}, "url", "cannot be read"),
        ({"url": "sqlite:///relative.db"}, "url", "absolute"),
        ({"url": "sqlite://"}, "url", "outlives"),
        ({"url": "mysql://u:hunter22@h/d"}, "url", "for mysql"),
        ({"revision": "9999"}, "revision", "there are base, 0001"),
        ({"revision": "head"}, "revision", "give '0001'"),
        ({"scripts": "/nowhere/migrations"}, "scripts", "is gone"),
    ],
)
def test_mistakes_are_found_by_check(
    tmp_path: Path, migrations: Migrations, change: dict[str, Any], path: str, reason: str
) -> None:
    given = {
        "url": f"sqlite:///{tmp_path}/shop.db",
        "scripts": str(migrations({"0001": ITEM})),
        "revision": "0001",
        "snapshot": False,
        "directory": str(tmp_path / "state"),
    }

    failures = RESOURCE.check({**given, **change}, None)

    assert [failure.path for failure in failures] == [path]
    assert reason in failures[0].reason
    assert "hunter22" not in failures[0].reason
    assert not (tmp_path / "shop.db").exists()
