"""The whole tree of processes is killed in the middle of a migration; replaying the state before brings it back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import inspect

from components.schema import connections, migrate
from stacks.engine import Engine, StackHandle

pytestmark = pytest.mark.integration

Migrations = Callable[..., Path]
ROOT = Path(__file__).parents[3]

ITEM = ('op.create_table("item", sa.Column("id", sa.Integer, primary_key=True))', 'op.drop_table("item")')
PRICE = ('op.add_column("item", sa.Column("price", sa.Integer))', 'op.drop_column("item", "price")')
STUCK = """
import pathlib, time
pathlib.Path({mark!r}).touch()
while True:
    time.sleep(0.1)
"""

PROGRAM = """
import os, sys
from pathlib import Path

import pulumi

from components.local.migration import Migration, MigrationArgs
from stacks.engine import Engine

root, url, scripts, revision = sys.argv[1:]


def program():
    Migration("shop", MigrationArgs(url=url, scripts=scripts, revision=revision, directory=f"{root}/schema"))


engine = Engine(project="shop", root=Path(root), backend=f"file://{root}/backend", environ={**os.environ})
engine.stack("dev-migration").update(program, message="a test")
"""


@contextlib.contextmanager
def updating(project: Path, url: str, scripts: Path, revision: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that updates the stack; it and all that it started are killed at the end."""
    command = [sys.executable, "-c", PROGRAM, str(project), url, str(scripts), revision]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        tree = psutil.Process(process.pid)
        for each in [*tree.children(recursive=True), tree]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


@pytest.fixture
def stack(tmp_path: Path) -> StackHandle:
    (tmp_path / "backend").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    engine = Engine(project="shop", root=tmp_path, backend=f"file://{tmp_path / 'backend'}", environ={**os.environ})
    return engine.stack("dev-migration")


def test_the_state_before_is_replayed(url: str, tmp_path: Path, stack: StackHandle, migrations: Migrations) -> None:
    older = migrations({"0001": ITEM}, name="older")
    newer = migrations(
        {"0001": ITEM, "0002": PRICE, "0003": (STUCK.format(mark=str(tmp_path / "mark")), "pass")}, name="newer"
    )

    def program() -> None:
        from components.local.migration import Migration, MigrationArgs

        directory = str(tmp_path / "schema")
        Migration("shop", MigrationArgs(url=url, scripts=str(older), revision="0001", directory=directory))

    stack.update(program, message="before")
    with updating(tmp_path, url, newer, "0003") as process:
        waiter = threading.Event()
        while not (tmp_path / "mark").exists():
            assert process.poll() is None
            waiter.wait(0.05)
    assert migrate.current(url, newer) == "0002"  # its first migration was through

    stack.cancel()
    result = stack.update(program, message="after")

    assert dict(result.changes)["update"] == 1
    assert migrate.current(url, older) == "0001"
    with connections.engine(url).connect() as connection:
        assert {column["name"] for column in inspect(connection).get_columns("item")} == {"id"}
