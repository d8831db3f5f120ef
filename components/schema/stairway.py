"""The stairway: each migration up, down and up again, on a scratch copy of the real database.

After "Stairway test" by Alexander Vasin (github.com/alvassin/alembic-quickstart): it finds what a look at the code does
not - a downgrade that was never run, that forgets an index, a type, or half of what upgrade made.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from components.schema import migrate
from components.schema import scripts as script_files
from components.schema.errors import SchemaError
from components.schema.fingerprint import differences, fingerprint
from components.schema.migrate import Direction
from components.schema.reversible import OneWay, one_way
from components.schema.scratch import DATA_LIMIT_BYTES, scratch
from components.schema.scripts import BASE

_SHOWN = 5
"""Differences that an error names."""


@dataclasses.dataclass(frozen=True, slots=True)
class StairwayResult:
    """How the climb ended.

    Attributes:
        ok: every step went up, down and up again, but for those that have no way down.
        failed_at: the revision where it ended, None where all went well.
        direction: `up` or `down` there.
        error: what happened there.
        irreversible: migrations without a way down; they were only gone up.
    """

    ok: bool
    failed_at: str | None = None
    direction: Direction | None = None
    error: str | None = None
    irreversible: tuple[OneWay, ...] = ()


def stairway(
    url: str,
    scripts: str | Path,
    from_revision: str | None,
    to_revision: str,
    *,
    directory: str | Path | None = None,
    data_limit: int = DATA_LIMIT_BYTES,
) -> StairwayResult:
    """Climbs from where the database is to a revision; the real database is only read.

    Args:
        url: the real database.
        scripts: the script directory.
        from_revision: where the database is, None or `base` for nowhere.
        to_revision: where the release takes it.
        directory: where an SQLite copy goes.
        data_limit: size in bytes up to which the copy has the data as well.

    Raises:
        ScriptsError: the scripts do not lead from one to the other.
        SchemaError: no scratch copy could be made.
    """
    target = script_files.resolve(scripts, to_revision)
    start = from_revision or BASE
    stuck = one_way(scripts, start, target)
    without = {each.revision for each in stuck}
    with scratch(url, directory=directory, data_limit=data_limit) as copy:
        below = start
        for script in script_files.between(scripts, start, target):
            try:
                failure = _step(copy, scripts, below, script.revision, back=script.revision not in without)
            except _StepFailed as failed:
                failure = failed
            if failure is not None:
                return StairwayResult(
                    ok=False,
                    failed_at=script.revision,
                    direction=failure.direction,
                    error=str(failure),
                    irreversible=stuck,
                )
            below = script.revision
    return StairwayResult(ok=True, irreversible=stuck)


class _StepFailed(Exception):
    def __init__(self, message: str, direction: Direction) -> None:
        super().__init__(message)
        self.direction = direction


def _step(copy: str, scripts: str | Path, below: str, revision: str, *, back: bool) -> _StepFailed | None:
    """Goes up one migration, and with `back` down and up again; returns what failed."""
    before = fingerprint(copy)
    _go(copy, scripts, revision, "up")
    if not back:
        return None
    above = fingerprint(copy)
    _go(copy, scripts, below, "down")
    different = differences(before, fingerprint(copy))
    if different:
        return _StepFailed(
            f"after going down from {revision} the schema is not as before: {_listed(different)}", "down"
        )
    _go(copy, scripts, revision, "up")
    different = differences(above, fingerprint(copy))
    if different:
        message = f"the second time up to {revision} made another schema than the first: {_listed(different)}"
        return _StepFailed(message, "up")
    return None


def _go(copy: str, scripts: str | Path, revision: str, direction: Direction) -> None:
    try:
        migrate.move_to(copy, scripts=scripts, revision=revision)
    except SchemaError as error:
        raise _StepFailed(str(error), direction) from error


def _listed(different: tuple[str, ...]) -> str:
    more = f"; and {len(different) - _SHOWN} more" if len(different) > _SHOWN else ""
    return f"{'; '.join(different[:_SHOWN])}{more}"
