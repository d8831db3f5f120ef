"""Starts a supervised process so that the engine can stop the wait for its readiness."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

from components.provider.resource import Cancelled, Context, ResourceFailure

if TYPE_CHECKING:
    from pathlib import Path

    from components.local.runtime.supervisor import ProcessSpec, ProcessStatus

_LOOK_EVERY = 0.05
"""Seconds between two looks once the wait is to end: the supervisor may just be starting."""


def start(spec: ProcessSpec, context: Context) -> ProcessStatus:
    """`supervisor.start`, ended early by a cancellation or by the user's own time limit.

    The runtime's `start` sees that its supervisor has ended, cleans up and fails; so ending the supervisor is
    all that is needed.

    Raises:
        ResourceFailure: the process does not run; nothing of it is left.
        Cancelled: because the engine asked.
    """
    from components.local.runtime import supervisor

    done = threading.Event()
    reason: list[str] = []

    def watch() -> None:
        deadline = time.monotonic() + context.timeout if context.timeout else None
        while not done.wait(_LOOK_EVERY):
            if context.cancelled.is_set():
                reason.append("the update was cancelled")
            elif deadline is not None and time.monotonic() >= deadline:
                reason.append(f"the operation's own limit of {context.timeout:g} s has passed")
            else:
                continue
            while not done.wait(_LOOK_EVERY):
                _end(spec.directory)

    watcher = threading.Thread(target=watch, name=f"start {spec.directory.name}", daemon=True)
    watcher.start()
    try:
        return supervisor.start(spec)
    except supervisor.RuntimeFailure as error:
        if context.cancelled.is_set():
            message = "the update was cancelled before the process was ready"
            raise Cancelled(message) from error
        raise ResourceFailure(f"{reason[0]}; {error}" if reason else str(error)) from error
    finally:
        done.set()
        watcher.join()


def _end(directory: Path) -> None:
    from components.local.runtime.files import Layout
    from components.local.runtime.state import Record

    record = Record.read(Layout(directory))
    if record is not None:
        record.supervisor.send(signal.SIGTERM)
