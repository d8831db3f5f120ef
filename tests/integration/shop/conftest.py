"""The demo service as a real process on a real database."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.schema import migrate
from examples.shop.build import build
from phases.http import probe

ORDER = {"product": "tea", "quantity": 2, "customer": "ann"}


@dataclass
class Shop:
    """A running version."""

    process: subprocess.Popen[str]
    url: str
    flag_file: Path

    def ask(self, path: str, order: object = None) -> tuple[int, Any]:
        """Send a request; a checkout if there is an order."""
        body = None if order is None else json.dumps(order).encode()
        answer = probe(self.url + path, method="GET" if body is None else "POST", body=body, timeout=10)
        if answer.status is None:
            raise ConnectionError(answer.error)
        return answer.status, json.loads(answer.body)

    def switch(self, variant: str) -> None:
        """Switch the flag, as launch does it: a whole new file in the old one's place."""
        flag = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": variant}
        scratch = self.flag_file.with_suffix(".part")
        scratch.write_text(json.dumps({"flags": {"new_checkout": flag}}))
        scratch.replace(self.flag_file)


@dataclass
class World:
    """A database, and the versions that run on it."""

    root: Path
    url: str
    running: list[Shop]

    def migrate(self, version: str) -> None:
        """Move the schema up to what a version wants."""
        migrate.upgrade(self.url, build(version, self.root) / "migrations", "head")

    def down(self, version: str, revision: str) -> None:
        """Move the schema down, with the scripts of a version."""
        migrate.downgrade(self.url, build(version, self.root) / "migrations", revision)

    def start(self, version: str) -> Shop:
        """Start a version and wait until it says that it is ready."""
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
        flag_file = self.root / "flags.json"
        process = subprocess.Popen(
            [sys.executable, "server.py"],
            cwd=build(version, self.root),
            env={
                "PATH": os.environ["PATH"],
                "PORT": str(port),
                "DATABASE_URL": self.url,
                "FLAGD_FILE": str(flag_file),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        shop = Shop(process, f"http://127.0.0.1:{port}", flag_file)
        self.running.append(shop)
        for _ in range(200):
            try:
                if shop.ask("/ready")[0] == 200:
                    return shop
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"shop {version} did not start")


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[[str], World]]:
    """Worlds on databases of one's choice; what runs in them is stopped in the end."""
    running: list[Shop] = []
    yield lambda url: World(tmp_path, url, running)
    for shop in running:
        if shop.process.poll() is None:
            shop.process.send_signal(signal.SIGKILL)
        shop.process.wait()
        if shop.process.stdout is not None:
            shop.process.stdout.close()


@pytest.fixture
def world(make_world: Callable[[str], World], tmp_path: Path) -> World:
    """A world on SQLite."""
    return make_world(f"sqlite:///{tmp_path / 'shop.db'}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real Postgres server; a helper beside this folder runs it, and tests are no packages."""
    file = Path(__file__).parents[1] / "postgres.py"
    spec = importlib.util.spec_from_file_location("tests_integration_shop_postgres", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    with module.running() as server:
        yield server
