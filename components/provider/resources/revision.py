"""`launch:schema:Revision`: a database's schema at a revision of its Alembic migrations."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from components.provider import ownership
from components.provider.diff import compare
from components.provider.resource import (
    Cancelled,
    Change,
    Context,
    Edit,
    Failure,
    Found,
    PartialFailure,
    ResourceFailure,
    Values,
)
from components.provider.shape import Boolean, Properties, Property, String
from components.provider.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from components.schema.changes import Snapshot
    from components.schema.errors import SchemaError

_log = logging.getLogger(__name__)

_SNAPSHOTS = "snapshots"


class Revision:
    """A schema that is moved up and down, and brought back to where it was found."""

    description: ClassVar[str] = (
        "A database's schema at one revision of its Alembic migrations, on SQLite or Postgres. An update goes up or "
        "down, whichever it takes; deleting brings the schema back to the revision it was found at. Script "
        "directories are copied, so that there is a way down when the release they came with is gone."
    )
    inputs: ClassVar[Properties] = {
        "url": Property(String(), "SQLAlchemy URL of the database. A change of user or password changes nothing else."),
        "scripts": Property(
            String("/.*", "an absolute path"), "Alembic script directory that knows `revision`; holds `versions/`."
        ),
        "revision": Property(String(), "Full id of the revision, or `base` for an empty schema."),
        "snapshot": Property(
            Boolean(),
            "Copy the whole database before going up, and restore the copy where a migration has no way down; "
            "restoring loses what was written since.",
            default=False,
        ),
        "directory": Property(
            String("/.*", "an absolute path"), "Absolute directory of this resource alone, for copies and snapshots."
        ),
    }
    outputs: ClassVar[Properties] = {
        "previous": Property(String(), "The revision before the last change."),
        "initial": Property(String(), "The revision that the database was found at; deleting goes back there."),
        "created": Property(Boolean(), "The SQLite file was made by this resource, and is removed with it."),
        "snapshotFile": Property(String(), "The last snapshot that was taken.", required=False),
        "snapshotRevision": Property(String(), "What the schema was at in that snapshot.", required=False),
        "scriptsDigest": Property(String(), "SHA-256 of the script directory, `sha256:HEX`."),
        "owner": Property(String(), "Tells this resource from an earlier one in the same directory."),
    }

    def check(self, inputs: Values, old: Values | None) -> list[Failure]:
        """Look whether the URL can be read, and whether new scripts know the revision."""
        from components.schema.errors import SchemaError
        from components.schema.urls import SQLITE, database_file, parse

        failures = []
        url = inputs["url"]
        if not isinstance(url, Unknown):
            try:
                if parse(url).get_backend_name() == SQLITE and not database_file(url).is_absolute():
                    failures.append(Failure("url", "names a relative file; give it an absolute path (four slashes)"))
            except SchemaError as error:
                failures.append(Failure("url", str(error)))
        same = old is not None and all(old.get(name) == inputs.get(name) for name in ("scripts", "revision"))
        return failures if same else [*failures, *_revision_failures(inputs)]

    def diff(self, old: Values, new: Values) -> Change:
        """Everything changes in place: replacing a schema would mean to take it down first.

        Where an update was killed after it had moved the schema, the record is behind the world. Going back to what is
        recorded would then be no change, so the database is asked.
        """
        change = compare(self.inputs, old, new)
        if change.changed or not _is_elsewhere(old):
            return change
        return Change({"revision": Edit.UPDATE})

    def preview(self, inputs: Values, old: Values | None) -> Values:
        """The revision before is the one that is recorded now."""
        if old is None:
            return {**inputs, **dict.fromkeys(self.outputs, UNKNOWN)}
        known: Values = {name: old[name] for name in ("initial", "created", "owner") if name in old}
        return {**inputs, **dict.fromkeys(self.outputs, UNKNOWN), **known, "previous": old.get("revision", UNKNOWN)}

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        """Go to the revision from wherever the database is, and remember where that was."""
        from components.schema import origin
        from components.schema.errors import SchemaError

        directory, url = Path(inputs["directory"]), inputs["url"]
        fresh = not directory.exists()
        with _failures():
            name = origin.identity(url)
            try:
                owner = ownership.claim(directory / ownership.NAME)
                return name, _go(inputs, {}, name, owner, context)
            except SchemaError:  # nothing was changed, so nothing is left
                if fresh:
                    shutil.rmtree(directory, ignore_errors=True)
                raise

    def read(self, id: str, outputs: Values, inputs: Values) -> Found | None:  # noqa: A002
        """Ask the database for its revision, so that a migration by hand is seen."""
        from components.schema import migrate
        from components.schema.scripts import BASE
        from components.schema.urls import SQLITE, database_file, dialect_of

        if not inputs:
            message = f"{id} cannot be imported: let `pulumi up` make it, which finds the schema where it is"
            raise ResourceFailure(message)
        with _failures():
            url = outputs["url"]
            if dialect_of(url) == SQLITE and not database_file(url).exists():
                return None
            scripts = _usable(outputs)
            return Found({**outputs, "revision": migrate.current(url, scripts) or BASE})

    def update(self, id: str, old: Values, new: Values, context: Context) -> Values:  # noqa: A002
        """Go up or down to the new revision; the old scripts know the way down from the old one."""
        with _failures():
            directory = Path(new["directory"])
            owner = old.get("owner", "")
            if new["directory"] != old.get("directory"):
                owner = ownership.claim(directory / ownership.NAME)
            return _go(new, old, id, owner, context)

    def delete(self, id: str, outputs: Values, context: Context) -> None:  # noqa: A002, ARG002
        """Bring the schema back to where it was found, unless a newer resource has it now."""
        from components.schema import kept, locks, origin, sqlite
        from components.schema.urls import database_file

        directory = Path(outputs["directory"])
        if not ownership.owned(directory / ownership.NAME, outputs.get("owner")):
            return
        with _failures():
            if outputs.get("created"):
                with locks.exclusive(outputs["url"]):
                    sqlite.remove(database_file(outputs["url"]))
                locks.lock_file(outputs["url"]).unlink(missing_ok=True)
            else:
                _return(outputs, context)
            origin.forget(directory)
            kept.discard(directory)
        shutil.rmtree(directory / _SNAPSHOTS, ignore_errors=True)
        (directory / ownership.NAME).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty: somebody else's files
            directory.rmdir()


def _is_elsewhere(old: Values) -> bool:
    """Whether an update that was never recorded has left the schema at another revision."""
    from components.schema import migrate, origin
    from components.schema.errors import SchemaError
    from components.schema.scripts import BASE

    try:
        if origin.is_settled(old["url"], old["directory"], old["revision"]):
            return False
        now = migrate.current(old["url"], _usable(old)) or BASE
    except SchemaError as error:
        # The update will say so if it matters; a preview need not reach the database.
        _log.warning("where the schema is could not be asked: %s", error)
        return False
    return bool(now != old["revision"])


def _go(new: Values, old: Values, name: str, owner: str, context: Context) -> Values:
    """Moves the schema and tells what came out.

    Raises:
        SchemaError: before anything was changed.
        PartialFailure: some migrations were applied, and one was not.
    """
    from components.schema import changes, kept, origin
    from components.schema.errors import SchemaError

    url, directory = new["url"], Path(new["directory"])
    scripts = kept.secure(new["scripts"], directory)
    if old and origin.identity(old["url"]) == origin.identity(url):
        initial, created, since = old["initial"], old["created"], old["revision"]
        fall_back = _snapshot(old)
    else:  # another database is left as it is
        first = origin.remember(url, scripts.path, directory)
        initial, created, since = first.revision, first.created, first.revision
        fall_back = None
    outputs = {
        **new,
        "previous": since,
        "initial": initial,
        "created": created,
        "scriptsDigest": scripts.digest,
        "owner": owner,
    }
    origin.begin(url, directory, new["revision"])
    others = _other_scripts(old, directory)
    try:
        done = changes.change(
            url,
            revision=new["revision"],
            scripts=_knowing(new["revision"], scripts.path, others),
            other_scripts=[scripts.path, *others],
            take_into=directory / _SNAPSHOTS if new.get("snapshot") else None,
            since=since,
            fall_back=fall_back,
            cancelled=context.cancelled,
        )
    except SchemaError as error:
        raise _partial(error, outputs, scripts.path, since, name) from error
    return {**outputs, **_snapshot_outputs(done.taken)}


def _partial(error: SchemaError, outputs: Values, scripts: Path, since: str, name: str) -> Exception:
    """The error as it is where nothing has changed, else one that lets the engine record what is there now."""
    from components.schema import changes, locks, migrate, origin, sqlite
    from components.schema.errors import SchemaError
    from components.schema.scripts import BASE
    from components.schema.urls import database_file

    url = outputs["url"]
    try:
        now = migrate.current(url, scripts) or BASE
    except SchemaError:
        return error  # the database is not reachable: nothing to be said about it
    if now != since:
        taken = changes.taken(url, Path(outputs["directory"]) / _SNAPSHOTS, since, outputs["revision"])
        left = {**outputs, **_snapshot_outputs(taken if outputs.get("snapshot") else None), "revision": now}
        return PartialFailure(str(error), outputs=left, id=name)
    if outputs["created"] and outputs["initial"] == now == BASE:
        sqlite.remove(database_file(url))
        locks.lock_file(url).unlink(missing_ok=True)
        origin.forget(outputs["directory"])
    return error


def _other_scripts(old: Values, directory: Path) -> list[Path]:
    """Whoever may know the way down: the scripts before, then every copy there is.

    Which one is needed is not certain: a killed update may have moved the schema without a record of it.
    """
    from components.schema import kept
    from components.schema.errors import ScriptsError

    found: list[Path] = []
    if old:
        with contextlib.suppress(ScriptsError):
            found.append(_usable(old))
        if old["directory"] != str(directory):
            found.extend(kept.copies(old["directory"]))
    return [*found, *kept.copies(directory)]


def _knowing(revision: str, scripts: Path, others: list[Path]) -> Path:
    """The scripts that know the revision to go to: after a refresh the state may name one of another release."""
    from components.schema.scripts import knows

    return next((path for path in (scripts, *others) if knows(path, revision)), scripts)


def _return(outputs: Values, context: Context) -> None:
    """Brings the schema back to where it was found; never up."""
    from components.schema import changes, migrate
    from components.schema import scripts as script_files
    from components.schema.scripts import BASE

    scripts, initial = _usable(outputs), outputs["initial"]
    others = _other_scripts(outputs, Path(outputs["directory"]))
    now = migrate.current(outputs["url"], scripts) or BASE
    owner = migrate.knowing(now, [scripts, *others], outputs["url"])
    if now == initial or initial not in {BASE, *script_files.path_down(owner, now)}:
        return
    changes.change(
        outputs["url"],
        revision=initial,
        scripts=owner,
        fall_back=_snapshot(outputs),
        cancelled=context.cancelled,
    )


def _usable(outputs: Values) -> Path:
    from components.schema import kept

    return kept.usable(outputs["scripts"], outputs["directory"], digest=outputs.get("scriptsDigest"))


def _snapshot(outputs: Values) -> Snapshot | None:
    from components.schema.changes import Snapshot

    file, revision = outputs.get("snapshotFile"), outputs.get("snapshotRevision")
    return Snapshot(Path(file), revision) if file and revision else None


def _snapshot_outputs(taken: Snapshot | None) -> dict[str, Any]:
    """Only the snapshot of the last change counts: to restore an older one would lose more than anyone expects."""
    return {} if taken is None else {"snapshotFile": str(taken.file), "snapshotRevision": taken.revision}


def _revision_failures(inputs: Values) -> list[Failure]:
    from components.schema import kept
    from components.schema import scripts as script_files
    from components.schema.errors import ScriptsError
    from components.schema.scripts import BASE

    names = ("scripts", "revision", "directory")
    if any(isinstance(inputs[name], Unknown) for name in names):
        return []
    try:
        scripts = kept.usable(inputs["scripts"], inputs["directory"])
        script_files.directory(scripts)
    except ScriptsError as error:
        return [Failure("scripts", str(error))]
    try:
        found = script_files.resolve(scripts, inputs["revision"])
    except ScriptsError as error:
        known = ", ".join((BASE, *sorted(script_files.all_revisions(scripts))))
        return [Failure("revision", f"{error}; there are {known}")]
    if found != inputs["revision"]:
        return [Failure("revision", f"is {inputs['revision']!r}, which may come to mean another: give {found!r}")]
    return []


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turns what the schema package raises into what the provider reports."""
    from components.schema.errors import MigrationCancelled, SchemaError

    try:
        yield
    except MigrationCancelled as error:
        raise Cancelled(str(error)) from error
    except SchemaError as error:
        raise ResourceFailure(str(error)) from error
    except OSError as error:
        message = f"{error.filename or 'a file'} cannot be used: {error.strerror or error}"
        raise ResourceFailure(message) from error
