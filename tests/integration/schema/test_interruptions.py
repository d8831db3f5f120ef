"""A migration may be cancelled, killed, or begun twice at once; the schema is at one revision or the other."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import inspect

from components.provider.resource import Cancelled, Context
from components.provider.resources.revision import Revision
from components.schema import connections, migrate
from components.schema.errors import MigrationCancelled
from components.schema.urls import dialect_of

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]
ROOT = Path(__file__).parents[3]

ITEM = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))',
    'op.drop_table("item")',
)
FOREVER = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}

MOVE = """
import sys
from components.schema import migrate
url, scripts, revision = sys.argv[1:]
print(migrate.move_to(url, scripts=scripts, revision=revision).after, flush=True)
"""


def forever(url: str, mark: Path) -> tuple[str, str]:
    """A migration that changes something, says that it did, and never ends."""
    statement = FOREVER[dialect_of(url)]
    up = f"""
import pathlib
op.add_column("item", sa.Column("price", sa.Integer))
pathlib.Path({str(mark)!r}).touch()
op.execute({statement!r})
"""
    return up, 'op.drop_column("item", "price")'


def columns(url: str) -> set[str]:
    with connections.engine(url).connect() as connection:
        found = inspect(connection)
        return {column["name"] for column in found.get_columns("item")} if found.has_table("item") else set()


def appears(mark: Path) -> None:
    """Waits until a migration is in the middle of its work."""
    waiter = threading.Event()
    while not mark.exists():
        waiter.wait(0.01)


def sets(cancelled: threading.Event, mark: Path) -> None:
    """Cancels in the middle of a migration."""
    appears(mark)
    cancelled.set()


@contextmanager
def moving(url: str, scripts: Path, revision: str) -> Iterator[subprocess.Popen[str]]:
    """A process that migrates."""
    process = subprocess.Popen(
        [sys.executable, "-c", MOVE, url, str(scripts), revision],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_killed_migration_leaves_the_schema_as_it_was_and_no_lock(
    url: str, tmp_path: Path, migrations: Migrations
) -> None:
    scripts = migrations({"0001": ITEM, "0002": forever(url, tmp_path / "mark")})
    migrate.move_to(url, scripts=scripts, revision="0001")

    with moving(url, scripts, "0002") as process:
        appears(tmp_path / "mark")
        process.kill()
        process.wait()

    price = ('op.add_column("item", sa.Column("price", sa.Integer))', "pass")
    good = migrations({"0001": ITEM, "0002": price}, name="good")
    assert migrate.current(url, good) == "0001"
    # On Postgres the server has to notice first, and is asked to look.
    assert migrate.move_to(url, scripts=good, revision="0002").after == "0002"
    assert columns(url) == {"id", "name", "price"}


def test_a_cancelled_migration_ends_at_once_and_is_rolled_back(
    url: str, tmp_path: Path, migrations: Migrations
) -> None:
    mark = tmp_path / "mark"
    scripts = migrations({"0001": ITEM, "0002": forever(url, mark)})
    migrate.move_to(url, scripts=scripts, revision="0001")
    cancelled = threading.Event()
    canceller = threading.Thread(target=sets, args=(cancelled, mark))
    canceller.start()

    with pytest.raises(MigrationCancelled, match=r"0002 \(up\) .* was cancelled"):
        migrate.move_to(url, scripts=scripts, revision="0002", cancelled=cancelled)

    canceller.join()
    assert columns(url) == {"id", "name"}
    assert migrate.current(url, scripts) == "0001"


def test_the_engine_is_told_that_it_was_cancelled(url: str, tmp_path: Path, migrations: Migrations) -> None:
    mark = tmp_path / "mark"
    context = Context()
    inputs = {
        "url": url,
        "scripts": str(migrations({"0001": ITEM})),
        "revision": "0001",
        "snapshot": False,
        "directory": str(tmp_path / "state"),
    }
    id_, outputs = Revision().create(inputs, context)
    later = {**inputs, "scripts": str(migrations({"0001": ITEM, "0002": forever(url, mark)})), "revision": "0002"}
    canceller = threading.Thread(target=sets, args=(context.cancelled, mark))
    canceller.start()

    with pytest.raises(Cancelled):
        Revision().update(id_, outputs, later, context)

    canceller.join()
    assert columns(url) == {"id", "name"}


def test_a_launch_that_is_cancelled_already_begins_nothing(url: str, migrations: Migrations) -> None:
    scripts = migrations({"0001": ITEM})
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(MigrationCancelled):
        migrate.move_to(url, scripts=scripts, revision="0001", cancelled=cancelled)

    assert columns(url) == set()


def test_two_processes_at_once_both_find_the_schema_where_they_want_it(url: str, migrations: Migrations) -> None:
    steps = {f"{number:04}": (f'op.execute("CREATE TABLE t{number} (id INTEGER)")', "pass") for number in range(1, 20)}
    scripts = migrations(steps)

    with moving(url, scripts, "head") as one, moving(url, scripts, "head") as other:
        answers = [process.communicate() for process in (one, other)]

    assert [out.strip() for out, _ in answers] == ["0019", "0019"], [error for _, error in answers]


def test_threads_of_one_process_do_not_get_into_each_others_way(tmp_path: Path, migrations: Migrations) -> None:
    """Alembic keeps the running migration in module-level state."""
    steps = {f"{number:04}": (f'op.execute("CREATE TABLE t{number} (id INTEGER)")', "pass") for number in range(1, 5)}
    scripts = migrations(steps)
    urls = [f"sqlite:///{tmp_path / f'{number}.db'}" for number in range(6)]
    found: dict[str, str | None] = {}

    def move(url: str) -> None:
        found[url] = migrate.move_to(url, scripts=scripts, revision="head").after

    threads = [threading.Thread(target=move, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == dict.fromkeys(urls, "0004")
