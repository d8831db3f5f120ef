"""Start, look at and stop a process that is kept alive by a supervisor daemon of its own.

The daemon is detached: it outlives the command and its terminal. One runtime directory holds one process.
"""

from __future__ import annotations

from pathlib import Path

from components.local.runtime import daemon
from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout
from components.local.runtime.locks import exclusive
from components.local.runtime.logs import size
from components.local.runtime.readiness import await_ready
from components.local.runtime.spec import Order, Port, ProcessSpec, Readiness, digest, inherited, matches
from components.local.runtime.state import ProcessStatus, Record

__all__ = ["ProcessSpec", "ProcessStatus", "Readiness", "RuntimeFailure", "start", "status", "stop"]

_HOST = "127.0.0.1"
_LOCK_TIMEOUT = 120.0
"""Seconds to wait for another command that works on the same directory."""


def start(spec: ProcessSpec) -> ProcessStatus:
    """See to it that the process runs as `spec` says, and is ready.

    The same spec running already: nothing is touched. Another spec: it is stopped and the new one started on the
    same port. A supervisor that was killed: replaced, and the process it left goes on without interruption if
    its spec is the same. A `start` that was killed midway: taken over.

    Raises:
        RuntimeFailure: The process ended at once, or was not ready in time; then nothing is left running. Or
            its port is taken, or another command has been at work on the directory for two minutes.
    """
    layout = Layout(spec.directory)
    layout.create()
    with exclusive(layout.command_lock, timeout=_LOCK_TIMEOUT):
        record = Record.read(layout)
        same = record is not None and matches(spec, record.digest)
        if record is not None and same and record.supervised() and record.phase == "running" and record.child_alive():
            return record.status(layout)
        since = size(layout.log)
        if record is None or not same or not record.supervised():
            record = _replace(spec, layout, record if same else None)
        try:
            record = await_ready(
                layout,
                record,
                spec.readiness,
                environment=spec.environment,
                since=since,
            )
        except BaseException:
            daemon.halt(layout, grace=spec.stop_grace)
            raise
        daemon.confirm(record)
        return record.status(layout)


def status(directory: Path) -> ProcessStatus | None:
    """What really runs for a directory, or None if nothing was started there (or it was stopped)."""
    layout = Layout(directory)
    record = Record.read(layout)
    return None if record is None or not record.ports else record.status(layout)


def stop(directory: Path, *, grace: float = 5.0) -> None:
    """Stop the process and its supervisor, if they run. Logs and the port's number are kept.

    Args:
        directory: The runtime directory.
        grace: Seconds between SIGTERM and SIGKILL.

    Raises:
        RuntimeFailure: Another command has been at work on the directory for two minutes.
    """
    layout = Layout(directory)
    if not directory.is_dir():
        return
    with exclusive(layout.command_lock, timeout=_LOCK_TIMEOUT):
        daemon.halt(layout, grace=grace)


def _replace(spec: ProcessSpec, layout: Layout, orphaned: Record | None) -> Record:
    adopt = orphaned.child if orphaned is not None and orphaned.child_alive() else None
    if adopt is None:
        daemon.halt(layout, grace=None)
    return daemon.launch(
        Order(
            directory=spec.directory,
            command=spec.command,
            environment={**inherited(), **spec.environment},
            cwd=spec.cwd,
            ports=(Port(_HOST, spec.port, listen=False),),
            stop_grace=spec.stop_grace,
            digest=digest(spec),
            life_lock=-1,
            adopt=None if adopt is None else adopt.as_json(),
        )
    )
