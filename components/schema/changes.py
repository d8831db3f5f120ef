"""A move of the schema with a safety net: a snapshot before going up, and restored where there is no way down."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from components.schema import connections, migrate, snapshots
from components.schema import scripts as script_files
from components.schema.errors import MigrationFailed
from components.schema.locks import exclusive
from components.schema.reversible import OneWay, one_way
from components.schema.scripts import BASE
from components.schema.urls import SQLITE, database_file, dialect_of, masked

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the database.

    Attributes:
        file: where it is.
        revision: what the schema was at.
    """

    file: Path
    revision: str


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """What happened.

    Attributes:
        before: the revision before, `base` for none.
        after: the revision after.
        taken: the snapshot that was taken, if one was.
        restored: the snapshot that was restored, if one was.
    """

    before: str
    after: str
    taken: Snapshot | None = None
    restored: Snapshot | None = None


def change(
    url: str,
    *,
    revision: str,
    scripts: str | Path,
    other_scripts: Sequence[str | Path] = (),
    take_into: str | Path | None = None,
    since: str | None = None,
    fall_back: Snapshot | None = None,
    cancelled: threading.Event | None = None,
    lock_timeout: float = connections.LOCK_TIMEOUT_SECONDS,
) -> Changed:
    """Brings the schema to a revision, up or down.

    Args:
        url: the database.
        revision: where to go; `base` takes everything back.
        scripts: the scripts that know `revision`.
        other_scripts: further scripts that may know the present revision, and with it the way down; the first that
            does is taken.
        take_into: where to put a snapshot before going up; None for no snapshot.
        since: the revision that this change was first begun at, where an earlier try was killed: the snapshot which
            that try took is the right one, and not one of what it left.
        fall_back: the snapshot to restore if a migration on the way down has no way down. What was written since it
            was taken is lost then.
        cancelled: ends the running statement, and with it the change, once it is set.
        lock_timeout: seconds to wait for any lock.

    Raises:
        ScriptsError: no scripts know the way.
        MigrationCancelled: `cancelled` was set; what was running was rolled back.
        MigrationFailed: a migration raised, or has no way down and there is no snapshot for it.
        DatabaseBusy: a lock was not to be had in time.
    """
    with exclusive(url, wait=lock_timeout):
        target = script_files.resolve(scripts, revision)
        before = migrate.current(url, scripts) or BASE
        owner = migrate.knowing(before, (scripts, *other_scripts), url)
        meeting = migrate.meeting_point(owner, before, scripts, target)
        if meeting == before:
            copy = None
            if take_into is not None:
                copy = _earlier(url, take_into, since, before, owner, target)
                if copy is None and target != before and _exists(url):
                    copy = Snapshot(
                        snapshots.take(url, take_into, name=_name(before, target), cancelled=cancelled), before
                    )
            migrate.move(url, scripts=scripts, revision=target, cancelled=cancelled, lock_timeout=lock_timeout)
            return Changed(before, target, taken=copy)
        usable = fall_back if _reaches(fall_back, owner, meeting) else None
        stuck = one_way(owner, meeting, before)
        if not stuck:
            try:
                migrate.move(
                    url,
                    scripts=scripts,
                    other_scripts=owner,
                    revision=target,
                    cancelled=cancelled,
                    lock_timeout=lock_timeout,
                )
            except MigrationFailed as failure:
                if usable is None or not failure.irreversible:
                    raise
            else:
                return Changed(before, target)
        elif usable is None:
            raise _no_way_down(url, before, meeting, stuck)
        _log.warning(
            "%s: restoring the snapshot of revision %s, since there is no way down; what was written since it "
            "was taken is lost",
            masked(url),
            usable.revision,
        )
        snapshots.restore(url, usable.file, lock_timeout=lock_timeout)
        migrate.move(
            url, scripts=scripts, other_scripts=owner, revision=target, cancelled=cancelled, lock_timeout=lock_timeout
        )
        return Changed(before, target, restored=usable)


def taken(url: str, directory: str | Path, since: str, target: str) -> Snapshot | None:
    """The snapshot that was taken before the schema left `since` for `target`, if one was."""
    file = snapshots.snapshot_file(url, directory, _name(since, target))
    return Snapshot(file, since) if file.is_file() else None


def _name(revision: str, target: str) -> str:
    return f"{revision}-to-{target}"


def _earlier(
    url: str, directory: str | Path, since: str | None, before: str, owner: str | Path, target: str
) -> Snapshot | None:
    """The snapshot of an earlier try of the same change, which came no further than to `before`."""
    if since is None or since == before or since not in {BASE, *script_files.path_down(owner, before)}:
        return None
    return taken(url, directory, since, target)


def _no_way_down(url: str, before: str, meeting: str, stuck: Sequence[OneWay]) -> MigrationFailed:
    reasons = "; ".join(f"{each.revision}: {each.reason}" for each in stuck)
    return MigrationFailed(
        f"{masked(url)} cannot go from {before} down to {meeting} ({reasons}), and there is no snapshot of the schema "
        "before it. Nothing was changed. Write the missing downgrade, or launch such migrations with `snapshot: true`",
        revision=stuck[-1].revision,
        direction="down",
        irreversible=True,
    )


def _reaches(snapshot: Snapshot | None, owner: str | Path, meeting: str) -> bool:
    """Whether a snapshot is at, or below, the revision that has to be reached."""
    if snapshot is None or not snapshot.file.is_file():
        return False
    return snapshot.revision in {BASE, *script_files.path_down(owner, meeting)}


def _exists(url: str) -> bool:
    return dialect_of(url) != SQLITE or database_file(url).exists()
