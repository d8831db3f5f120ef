"""Real databases for migrations: an SQLite file, and databases of a real Postgres server."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.postgres import Server, running

_names = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server for all tests of a session."""
    with running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """An empty database of its own, with a password in its URL."""
    name = f"shop_{next(_names)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Either database: what is expected of a migration holds on both."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def migrations(tmp_path: Path) -> Callable[..., Path]:
    """Writes a script directory from `{revision: (upgrade, downgrade)}`, one after the other."""

    def write(steps: dict[str, tuple[str, str | None]], *, name: str = "migrations", env: str | None = None) -> Path:
        versions = tmp_path / name / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        before: str | None = None
        for revision, (up, down) in steps.items():
            text = f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision = {revision!r}\n"
            text += f"down_revision = {before!r}\n\n\ndef upgrade():\n{_indented(up)}\n"
            if down is not None:
                text += f"\n\ndef downgrade():\n{_indented(down)}\n"
            (versions / f"{revision}_step.py").write_text(text, encoding="utf-8")
            before = revision
        if env is not None:
            (versions.parent / "env.py").write_text(env, encoding="utf-8")
        return versions.parent

    return write


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines())
