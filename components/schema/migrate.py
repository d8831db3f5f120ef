"""Where a database's schema is, and how it gets elsewhere."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from components.schema import connections
from components.schema import scripts as script_files
from components.schema.errors import SchemaError, ScriptsError
from components.schema.locks import exclusive
from components.schema.scripts import BASE, head, resolve
from components.schema.urls import SQLITE, database_file, dialect_of, masked

__all__ = ["BASE", "Direction", "Move", "current", "downgrade", "head", "move_to", "resolve", "upgrade"]

_log = logging.getLogger(__name__)

Direction = Literal["up", "down"]


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """What a move did.

    Attributes:
        before: the revision before, None for a database without any.
        after: the revision after.
        down: revisions that were taken back, newest first.
        up: revisions that were applied, oldest first.
    """

    before: str | None
    after: str | None
    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()


def current(url: str, scripts: str | Path) -> str | None:
    """The revision the database is at, or None where no migration has run; changes nothing.

    Raises:
        ScriptsError: the script directory is no good.
        SchemaError: the database cannot be reached, or records several heads.
    """
    if dialect_of(url) == SQLITE and not database_file(url).exists():
        return None  # connecting would create it
    from components.schema.explain import explained
    from components.schema.runner import Progress, read_heads

    with explained(url, Progress(), "read"):
        heads = read_heads(url, scripts)
    if len(heads) > 1:
        raise SchemaError(
            f"{masked(url)} records {len(heads)} revisions at once ({', '.join(sorted(heads))}); a launch "
            "moves one line of revisions: merge them with `alembic merge` and upgrade once by hand"
        )
    return heads[0] if heads else None


def upgrade(
    url: str,
    scripts: str | Path,
    revision: str,
    *,
    lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS,
) -> tuple[str, ...]:
    """Runs the migrations up to a revision; each is a transaction of its own.

    Returns:
        The revisions applied, oldest first.

    Raises:
        ScriptsError: the script directory is no good, or has no such revision above the present one.
        MigrationFailed: a migration raised; those before it stay.
        DatabaseBusy: a lock was not to be had within `lock_timeout` seconds.
    """
    with exclusive(url, wait=lock_timeout):
        return _run(url, scripts, resolve(scripts, revision), "up", lock_timeout)


def downgrade(
    url: str,
    scripts: str | Path,
    revision: str,
    *,
    lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS,
) -> tuple[str, ...]:
    """Takes migrations back down to a revision; each is a transaction of its own.

    Returns:
        The revisions taken back, newest first.

    Raises:
        ScriptsError: the script directory is no good, or has no such revision below the present one.
        MigrationFailed: a migration raised; `irreversible` where it says that it has no way down.
        DatabaseBusy: a lock was not to be had within `lock_timeout` seconds.
    """
    with exclusive(url, wait=lock_timeout):
        return _run(url, scripts, resolve(scripts, revision), "down", lock_timeout)


def move_to(
    url: str,
    *,
    scripts: str | Path,
    revision: str,
    other_scripts: str | Path | None = None,
    cancelled: threading.Event | None = None,
    lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS,
) -> Move:
    """Brings the schema to a revision, whichever way that is; nothing happens where it is there already.

    Args:
        url: the database.
        scripts: the scripts of the release that is wanted; they know `revision`.
        revision: where to go; `base` takes everything back.
        other_scripts: the scripts of the release before. An older release's scripts do not know the
        migrations that
            came after it, so the way down is theirs.
        cancelled: ends the running statement, and with it the move, once it is set.
        lock_timeout: seconds to wait for any lock.

    Raises:
        ScriptsError: no scripts know the way.
        MigrationFailed: a migration raised; the message says how far it came.
        MigrationCancelled: `cancelled` was set; what was running was rolled back.
        DatabaseBusy: a lock was not to be had in time.
    """
    with exclusive(url, wait=lock_timeout):
        return move(
            url,
            scripts=scripts,
            revision=revision,
            other_scripts=other_scripts,
            cancelled=cancelled,
            lock_timeout=lock_timeout,
        )


def move(
    url: str,
    *,
    scripts: str | Path,
    revision: str,
    other_scripts: str | Path | None = None,
    cancelled: threading.Event | None = None,
    lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS,
) -> Move:
    """As `move_to`, for a caller that holds the database's migration lock."""
    target = resolve(scripts, revision)
    before = current(url, scripts)
    if (before or BASE) == target:
        return Move(before, before)
    owner = _owner(before, scripts, other_scripts, url)
    meeting = meeting_point(owner, before, scripts, target)
    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    if meeting != (before or BASE):
        down = _run(url, owner, meeting, "down", lock_timeout, cancelled)
    if meeting != target:
        up = _run(url, scripts, target, "up", lock_timeout, cancelled)
    after = current(url, scripts)
    if (after or BASE) != target:
        raise SchemaError(f"{masked(url)} should be at {target} and is at {after or BASE}; does env.py commit?")
    return Move(before, after, down, up)


def meeting_point(owner: str | Path, before: str | None, scripts: str | Path, target: str) -> str:
    """The newest revision below both, where the way down of one ends and the way up of the other begins."""
    known = set(script_files.path_down(scripts, target))
    return next((revision for revision in script_files.path_down(owner, before) if revision in known), BASE)


def _owner(before: str | None, scripts: str | Path, other_scripts: str | Path | None, url: str) -> str | Path:
    """The scripts that know the present revision, and with it the way down."""
    candidates = [scripts] if other_scripts is None else [scripts, other_scripts]
    return knowing(before or BASE, candidates, url)


def knowing(revision: str, candidates: Sequence[str | Path], url: str) -> str | Path:
    """The first scripts that know a revision, and with it the way down.

    Raises:
        ScriptsError: none does.
    """
    for candidate in candidates:
        if script_files.knows(candidate, revision):
            return candidate
    places = ", ".join(str(place) for place in candidates)
    raise ScriptsError(
        f"{masked(url)} is at revision {revision}, which none of these scripts knows: {places}. Somebody migrated it "
        "from others: bring it to a known revision by hand, or launch from scripts that hold this one"
    )


def _run(
    url: str,
    scripts: str | Path,
    revision: str,
    direction: Direction,
    lock_timeout: float,
    cancelled: threading.Event | None = None,
) -> tuple[str, ...]:
    from components.schema.explain import explained
    from components.schema.runner import Progress, run
    from components.schema.steps import plan

    progress = Progress()
    with explained(url, progress, direction):
        run(url, scripts, plan(revision, direction), progress, cancelled=cancelled, lock_timeout=lock_timeout)
    _log.info("%s: %s %s", masked(url), direction, ", ".join(progress.done) or "nothing to do")
    return tuple(progress.done)
