"""Going back: the stack as it was before the launch."""

from __future__ import annotations

import threading
from collections.abc import Callable

from stacks import replay
from stacks.checkpoint import Checkpoint
from stacks.engine import ResourceEvent, StackHandle, Update
from stacks.marker import KEY, Marker
from stacks.replay_changes import unprotected


def read(handle: StackHandle) -> Checkpoint | None:
    """Return the stack's state now; None where there is nothing."""
    deployment = handle.checkpoint()
    return Checkpoint.from_deployment(deployment) if deployment is not None else None


def restore(
    handle: StackHandle,
    before: Checkpoint | None,
    *,
    marker: Marker,
    message: str,
    deadline: float,
    stop: threading.Event | None = None,
    on_event: Callable[[ResourceEvent], None] | None = None,
) -> Update | None:
    """Replay `before` on the stack; for None take everything away that the stack holds.

    Returns:
        The update; None where the stack is as it was and nothing had to be done.

    Raises:
        EngineError: the update failed.
    """
    handle.settle(message=message, deadline=deadline, stop=stop)
    now = read(handle)
    if now is None:
        return None
    if before is not None and now.resources == before.resources and not now.pending:
        return None
    if before is None and now.empty and not now.pending:
        return None
    target = before or Checkpoint()
    freed = unprotected(target, now)
    if freed is not None:
        # What the launch added may be protected, and the engine deletes nothing that is.
        first = replay.program(freed, current=now)
        title = f"{message} (unprotect)"
        handle.update(first, message=title, deadline=deadline, stop=stop, on_event=on_event, urgent=True)
        now = read(handle)
    program = replay.program(target, outputs={KEY: marker.to_output()}, current=now)
    return handle.update(program, message=message, deadline=deadline, stop=stop, on_event=on_event, urgent=True)
