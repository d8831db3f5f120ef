"""Remembers how a database was before anybody of ours touched it, so that it can be brought back there.

A record in the engine would come too late: a process that is killed after the migration and before its record would
find the schema at the target on its next try, and take that for what was there before.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from components.schema import migrate
from components.schema.kept import write_json
from components.schema.scripts import BASE
from components.schema.urls import SQLITE, database_file, parse

_NAME = "origin.json"
_MOVE = "last-move.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """A database as it was found.

    Attributes:
        database: `identity` of the database.
        revision: its schema revision then, `base` for none.
        created: there was no such SQLite file, so whoever removes the schema removes the file.
    """

    database: str
    revision: str
    created: bool


def identity(url: str) -> str:
    """A short name for a database that stays when user, password, driver or parameters change."""
    parsed = parse(url)
    if parsed.get_backend_name() == SQLITE:
        place = str(database_file(url).resolve())
    else:
        # A socket directory stands where a host would.
        host = parsed.host or parsed.query.get("host") or "localhost"
        place = f"{host}:{parsed.port or 5432}/{parsed.database or parsed.username or ''}"
    digest = hashlib.sha256(f"{parsed.get_backend_name()}:{place}".encode()).hexdigest()
    return f"{parsed.get_backend_name()}-{digest[:12]}"


def remember(url: str, scripts: str | Path, directory: str | Path) -> Origin:
    """Writes down how the database is now, unless that was done before; returns how it was the first time.

    Raises:
        SchemaError: the database cannot be reached.
    """
    known = recall(url, directory)
    if known is not None:
        return known
    created = parse(url).get_backend_name() == SQLITE and not database_file(url).exists()
    origin = Origin(identity(url), migrate.current(url, scripts) or BASE, created)
    Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(Path(directory) / _NAME, dataclasses.asdict(origin))
    return origin


def recall(url: str, directory: str | Path) -> Origin | None:
    """What `remember` wrote down about this database, if it did."""
    try:
        found = json.loads((Path(directory) / _NAME).read_text(encoding="utf-8"))
        origin = Origin(**found)
    except (OSError, ValueError, TypeError):
        return None
    return origin if origin.database == identity(url) else None


def forget(directory: str | Path) -> None:
    """Removes the notes; from now on the database counts as untouched."""
    (Path(directory) / _NAME).unlink(missing_ok=True)
    (Path(directory) / _MOVE).unlink(missing_ok=True)


def begin(url: str, directory: str | Path, revision: str) -> None:
    """Writes down where the database is about to be moved."""
    write_json(Path(directory) / _MOVE, {"database": identity(url), "revision": revision})


def is_settled(url: str, directory: str | Path, recorded: str) -> bool:
    """Whether the last move that was begun is the one that the engine has recorded.

    If not, a process was killed between them, and where the schema is only the database can tell.
    """
    try:
        found = json.loads((Path(directory) / _MOVE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    mine = isinstance(found, dict) and found.get("database") == identity(url)
    return not mine or found.get("revision") == recorded
