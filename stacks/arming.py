"""Arms the next update of a stack: reads what is, and puts the outcomes together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from stacks import replay
from stacks.armed import BACK, FORWARD, STAY, ArmedUpdate, Outcome, forward, replayed
from stacks.checkpoint import Checkpoint
from stacks.going_back import read
from stacks.handle import StackHandle
from stacks.likeness import Key
from stacks.marker import KEY, Marker
from stacks.replay_changes import unprotected

__all__ = ["BACK", "FORWARD", "STAY", "ArmedUpdate", "Next", "WayBack", "arm"]


@dataclass(frozen=True, slots=True)
class Next:
    """The step that may come next.

    Attributes:
        program: its inline program.
        late: it has side effects, so that it may only run once it is decided.
    """

    program: Callable[[], Any]
    late: bool = False


@dataclass(frozen=True, slots=True)
class WayBack:
    """The state that may have to be brought back.

    Attributes:
        before: the stack's checkpoint from before the launch; None: it held nothing.
        marker: what the stack says afterwards.
    """

    before: Checkpoint | None
    marker: Marker


def arm(
    handle: StackHandle, *, message: str, step: Next | None, back: WayBack | None, sound: bool = False
) -> ArmedUpdate | None:
    """Start the stack's next update; what it does is decided later.

    Args:
        handle: the stack.
        message: of the update.
        step: what may come next.
        back: what may have to be brought back.
        sound: the stack is known to exist and to be whole, so that the engine can be started before it is read.

    Returns:
        The update, on its way; None where the stack has to be updated in the ordinary way: it does not exist yet, an
        update of it was interrupted, or it has resource hooks (the engine knows each by one name only).

    Raises:
        EngineError: the stack could not be read.
    """
    if handle.doubtful:
        return None
    # It may have to go back, and must not wait for its turn behind updates that go forward.
    update = ArmedUpdate(partial(handle.update, urgent=True), message=message, locks=handle.locks)
    if not sound:
        return _provided(update, read(handle), step, back)
    update.start()
    try:
        provided = _provided(update, read(handle), step, back)
    except BaseException:
        update.cancel()
        raise
    if provided is None:
        update.cancel()
    return provided


def _provided(
    update: ArmedUpdate, now: Checkpoint | None, step: Next | None, back: WayBack | None
) -> ArmedUpdate | None:
    """Return the update with its outcomes, started; None where there are none."""
    if now is None or now.interrupted or any(resource.hooks for resource in now.live):
        return None
    holds = keys(now, providers=False)
    outcomes: dict[str, Outcome] = {STAY: replayed(STAY, replay.program(now, current=now), keys(now))}
    if step is not None:
        outcomes[FORWARD] = forward(step.program, holds, late=step.late)
    if back is not None:
        found = _back(back, now)
        if found is not None:
            outcomes[BACK] = found
    if len(outcomes) == 1:
        return None
    return update.provide(outcomes, holds=holds).start()


def _back(back: WayBack, now: Checkpoint) -> Outcome | None:
    """Return the outcome that goes back; None where there is nothing to go back to, or one update cannot do it."""
    target = back.before or Checkpoint()
    if back.before is not None and now.resources == target.resources:
        return None
    if any(resource.hooks for resource in target.live) or unprotected(target, now) is not None:
        return None
    program = replay.program(target, outputs={KEY: back.marker.to_output()}, current=now)
    return replayed(BACK, program, keys(target))


def keys(checkpoint: Checkpoint, *, providers: bool = True) -> frozenset[Key]:
    """Return what names the resources that a replay of a checkpoint registers."""
    found = (
        Key(resource.type, resource.name, resource.parent)
        for resource in checkpoint.live
        if resource.registered and not resource.external
    )
    return frozenset(key for key in found if providers or not key.is_provider)
