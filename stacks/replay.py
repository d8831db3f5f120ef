"""A checkpoint as an inline Pulumi program: it redeploys exactly that state.

See `docs/decisions/0003-replay.md` for what this is and is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from stacks.checkpoint import Checkpoint
from stacks.replay_hooks import Hook


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    """The stack outputs as one opaque value: the SDK would take a plain map apart."""

    values: Mapping[str, Any]


def program(
    checkpoint: Checkpoint,
    *,
    outputs: Mapping[str, Any] | None = None,
    current: Checkpoint | None = None,
    hooks: Mapping[str, Hook] | None = None,
) -> Callable[[], None]:
    """The inline program that brings a stack back to a checkpoint.

    Run it on the stack the checkpoint came from, as the program of an update or a preview. What the checkpoint does
    not hold is deleted, what is missing is created, what differs is updated or replaced, and what depends on a
    resource that got a new id or address is given the new one.

    Args:
        checkpoint: what is to be; an empty one leaves nothing but the stack itself.
        outputs: stack outputs to set besides, or instead of, the recorded ones; any Pulumi input, None to leave out.
        current: what the stack holds now, from an export just before. With it renamed resources keep their identity,
            and resources that were let go of (`retainOnDelete`) are taken over again.
        hooks: the code of resource hooks by name. The state has only their names: one that is not given here does
            nothing but say so, since a rollback must not fail for want of a notification.

    Returns:
        A function to pass as `program`. It only begins the replay; the engine waits for it.
    """
    chosen = dict(outputs or {})
    code = dict(hooks or {})

    def run() -> None:
        import pulumi

        recorded = [key for key in checkpoint.outputs if key not in chosen]
        running: Awaitable[_Answer] = _replay(checkpoint, current, code)
        answer: pulumi.Output[_Answer] = pulumi.Output.from_input(running)
        for key in recorded:
            pulumi.export(key, answer.apply(partial(_pick, key)))
        for key, value in chosen.items():
            if value is not None:
                pulumi.export(key, value)

    return run


def _pick(key: str, found: _Answer) -> Any:  # noqa: ANN401 - any property value
    return found.values[key]


async def _replay(checkpoint: Checkpoint, current: Checkpoint | None, hooks: Mapping[str, Hook]) -> _Answer:
    import pulumi
    from pulumi.runtime import get_root_resource, is_dry_run
    from pulumi.runtime.settings import get_monitor

    from stacks.replay_hooks import register_hooks
    from stacks.replay_run import Replay

    root = get_root_resource()
    monitor = get_monitor()
    if root is None or monitor is None:
        msg = "a replay runs as the program of an update"
        raise pulumi.RunError(msg)
    await register_hooks((*checkpoint.live, *(current.live if current else ())), hooks)
    urn = await pulumi.Output.from_input(root.urn).future()
    if checkpoint.root is not None and checkpoint.root.urn != urn:
        msg = (
            f"the checkpoint is of {checkpoint.root.urn} and this is {urn}: its resources would be made a second time; "
            "replay it on the stack it came from"
        )
        raise pulumi.RunError(msg)
    replay = Replay(checkpoint, monitor, root=str(urn), preview=is_dry_run(), current=current)
    return _Answer(await replay.run())
