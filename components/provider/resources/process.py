"""`launch:local:Process`: one supervised process, running its own copy of an artifact."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from components.local.artifact import DIGEST_PATTERN, ArtifactError, copy, digest
from components.provider import ownership
from components.provider.diff import compare
from components.provider.resource import (
    Change,
    Context,
    Failure,
    Found,
    PartialFailure,
    ResourceFailure,
    Values,
)
from components.provider.resources.starting import start
from components.provider.shape import ListOf, MapOf, Number, Object, Properties, Property, String, child
from components.provider.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from components.local.runtime.supervisor import ProcessSpec, ProcessStatus

_ARTIFACTS = "artifacts"
"""Folder of a slot's copies, one for each digest: the one that runs and the one before."""

_READINESS = Object(
    "launch:local:Readiness",
    {
        "path": Property(String("/.*", "a path that begins with /"), "URL path to ask.", default="/health"),
        "status": Property(Number(100, 599, whole=True), "Status code of a ready process.", default=200),
        "timeoutSeconds": Property(Number(minimum=0), "How long it may take to get ready.", default=15.0),
        "intervalSeconds": Property(Number(minimum=0.01), "Pause between two tries.", default=0.1),
    },
    "When a process is ready: GET `path` answers `status`.",
)


class Process:
    """A process that outlives the command and is restarted when it crashes."""

    description: ClassVar[str] = (
        "A supervised process of one release. It runs its own copy of the artifact, so that a change in the "
        "registry never reaches a running release. Digest, command and environment change in place, on the same port."
    )
    inputs: ClassVar[Properties] = {
        "directory": Property(
            String("/.*", "an absolute path"), "Absolute runtime directory of this slot alone.", replaces=True
        ),
        "artifact": Property(String("/.*", "an absolute path"), "The file or directory to run a copy of."),
        "digest": Property(String(DIGEST_PATTERN, "sha256:HEX"), "What the artifact has to be, `sha256:HEX`."),
        "command": Property(
            ListOf(String(), minimum=1),
            "Program and arguments; `${PORT}` and `${ARTIFACT}` (the path of the copy) are filled in.",
        ),
        "environment": Property(
            MapOf(String()), "Environment variables, secrets among them; PORT is added.", required=False
        ),
        "readiness": Property(_READINESS, "When it counts as ready; none: at once.", required=False),
    }
    outputs: ClassVar[Properties] = {
        "port": Property(Number(whole=True), "The port that the system gave it."),
        "url": Property(String(), "Where it answers, `http://127.0.0.1:PORT`."),
        "pid": Property(Number(whole=True), "The supervisor's process id."),
        "log": Property(String(), "File with what it prints."),
        "owner": Property(String(), "Tells this resource from an earlier one in the same directory."),
    }

    def check(self, inputs: Values, old: Values | None) -> list[Failure]:
        """Compare a new artifact with its digest, and look at the names of variables."""
        environment = inputs.get("environment")
        names = list(environment) if isinstance(environment, dict) else []
        failures = [
            Failure(child("environment", name), "is no name for an environment variable")
            for name in names
            if not name or "=" in name or "\0" in name
        ]
        if "PORT" in names:
            failures.append(Failure("environment.PORT", "is set by the supervisor; leave it out"))
        same = old is not None and all(old.get(name) == inputs.get(name) for name in ("artifact", "digest"))
        return failures if same else [*failures, *_artifact_failures(inputs)]

    def diff(self, old: Values, new: Values) -> Change:
        """A change of `directory` replaces; where the artifact lies does not matter as long as it is the same."""
        return compare(self.inputs, old, new, ignore=("artifact",))

    def preview(self, inputs: Values, old: Values | None) -> Values:
        """Port and log stay where they are; a changed process gets a new supervisor."""
        if old is None:
            return {**inputs, **dict.fromkeys(self.outputs, UNKNOWN)}
        kept = {name: old.get(name, UNKNOWN) for name in self.outputs}
        return {**inputs, **kept, "pid": UNKNOWN}

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        """Copy the artifact and start it; what an earlier, killed try left there is taken over."""
        directory = Path(inputs["directory"])
        if ownership.foreign(directory):
            message = f"directory: {directory} holds other files; name a directory that is new or empty"
            raise ResourceFailure(message)
        owner = ownership.claim(directory / ownership.NAME)
        try:
            return str(directory), _run(directory, inputs, {"owner": owner}, context)
        except PartialFailure as failure:
            _stop(directory)
            failure.id = str(directory)
            raise
        except ResourceFailure:
            self.delete(str(directory), {"owner": owner}, context)
            raise

    def read(self, id: str, outputs: Values, inputs: Values) -> Found | None:  # noqa: A002
        """A process whose supervisor does not run is gone; one that was restarted has other numbers."""
        from components.local.runtime.supervisor import status

        if not inputs:
            message = f"{id} cannot be imported: its environment is in no file. Let `pulumi up` make it"
            raise ResourceFailure(message)
        found = status(Path(id))
        return None if found is None or not _lives(found) else Found({**outputs, **_numbers(found)})

    def update(self, id: str, old: Values, new: Values, context: Context) -> Values:  # noqa: A002
        """Start the new command in place of the old, on the same port."""
        return _run(Path(id), new, {name: old.get(name) for name in self.outputs}, context)

    def delete(self, id: str, outputs: Values, context: Context) -> None:  # noqa: A002, ARG002
        """Stop it and remove its directory, unless a newer resource has it now."""
        directory = Path(id)
        if not directory.is_dir() or not ownership.owned(directory / ownership.NAME, outputs.get("owner")):
            return
        _stop(directory)
        ownership.remove(directory)


def _run(directory: Path, inputs: Values, known: Values, context: Context) -> Values:
    """Make the slot's copy, start the process, and tell what came out.

    Args:
        directory: of the slot.
        inputs: what is to run.
        known: the outputs so far; what stays of them if the process does not start, its address among them.
        context: of the operation.

    Raises:
        ResourceFailure: before anything was changed.
        PartialFailure: the process does not run.
    """
    target = _copy_of(directory, Path(inputs["artifact"]), inputs["digest"])
    try:
        copy(Path(inputs["artifact"]), target, expected=inputs["digest"])
    except ArtifactError as error:
        message = f"digest: {error}"
        raise ResourceFailure(message) from error
    try:
        status = start(_spec(directory, target, inputs), context)
    except ResourceFailure as failure:
        message = f"slot {directory.name} is not ready: {failure}"
        nowhere = {"port": 0, "url": "", "log": ""}
        raise PartialFailure(message, outputs={**inputs, **nowhere, **known, "pid": 0}) from failure
    _forget_older(target.parent)
    return {**inputs, **_numbers(status), "owner": known["owner"]}


def _spec(directory: Path, target: Path, inputs: Values) -> ProcessSpec:
    from components.local.runtime.supervisor import ProcessSpec, Readiness

    readiness = inputs.get("readiness")
    return ProcessSpec(
        directory=directory,
        command=tuple(part.replace("${ARTIFACT}", str(target)) for part in inputs["command"]),
        environment=inputs.get("environment", {}),
        cwd=target if target.is_dir() else target.parent,
        readiness=None
        if readiness is None
        else Readiness(
            path=readiness["path"],
            status=readiness["status"],
            timeout=readiness["timeoutSeconds"],
            interval=readiness["intervalSeconds"],
        ),
    )


def _stop(directory: Path) -> None:
    from components.local.runtime.errors import RuntimeFailure
    from components.local.runtime.supervisor import stop

    try:
        stop(directory)
    except RuntimeFailure as error:
        raise ResourceFailure(str(error)) from error


def _lives(found: ProcessStatus) -> bool:
    return found.state != "stopped"


def _numbers(found: ProcessStatus) -> dict[str, Any]:
    return {"port": found.port, "url": found.url, "pid": found.supervisor_pid, "log": str(found.log)}


def _artifact_failures(inputs: Values) -> list[Failure]:
    names = ("directory", "artifact", "digest")
    if any(isinstance(inputs[name], Unknown) for name in names):
        return []
    path, wanted = Path(inputs["artifact"]), inputs["digest"]
    if _copy_of(Path(inputs["directory"]), path, wanted).exists():
        return []  # the slot has it already, so going back to it does not need the registry
    try:
        found = digest(path)
    except ArtifactError as error:
        return [Failure("artifact", str(error))]
    if found != wanted:
        return [Failure("digest", f"is {wanted}, but {path} has {found}: it was changed after it was pinned")]
    return []


def _copy_of(directory: Path, artifact: Path, wanted: str) -> Path:
    """Where a slot keeps its copy of an artifact. The name stays: programs look at their own."""
    return directory / _ARTIFACTS / wanted.removeprefix("sha256:") / artifact.name


def _forget_older(kept: Path) -> None:
    """Remove all copies but the running one and the newest of the others, which a rollback wants."""
    others = sorted(
        (path for path in kept.parent.iterdir() if path != kept),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in others[1:]:
        shutil.rmtree(path, ignore_errors=True)
