"""The program of a deploy phase: slots beside each other, each with its release.

A slot that stays is described again from its own recorded description, word for word, so that its update is `same`
and nobody touches a process that users are on, whatever the configuration says by now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from components.platform import Platform, SlotSpec
from stacks.checkpoint import Checkpoint
from stacks.marker import KEY, Marker

SLOTS = "slots"
"""Stack output: by slot its image, digest, url, log, and (secret) its whole description."""
COMPANIONS = "companions"
"""Stack output: by service the same, for the services that are launched together with the one `SLOTS` is about."""
PARTS = "parts"
"""Stack output: over how many stacks all those services are spread, where it is more than one."""


def program(
    platform: Platform,
    *,
    service: str | None,
    marker: Marker,
    kept: Sequence[SlotSpec],
    new: Sequence[SlotSpec] = (),
    parts: int = 1,
) -> Callable[[], None]:
    """Return the program that leaves the kept slots as they are and starts the new ones; all others go away.

    Args:
        platform: where they run.
        service: whose slots are the stack's `SLOTS`; None where all are other services'.
        marker: which step this is.
        kept: as they were recorded.
        new: what is started.
        parts: over how many stacks the services are spread, this one included.
    """

    def run() -> None:
        import pulumi

        slots: dict[str, dict[str, Any]] = {service: {}} if service is not None else {}
        for spec in (*kept, *new):
            placed = platform.service(spec)
            slots.setdefault(spec.service, {})[spec.slot] = {
                "service": spec.service,
                "image": spec.image,
                "digest": spec.digest,
                "url": placed.outputs["url"],
                "log": placed.outputs["log"],
                "spec": pulumi.Output.secret(spec.to_json()),
            }
        if service is not None:
            pulumi.export(SLOTS, slots.pop(service))
        if slots:
            pulumi.export(COMPANIONS, slots)
        if parts > 1:
            pulumi.export(PARTS, parts)
        pulumi.export(KEY, marker.to_output())

    return run


def recorded_slots(checkpoint: Checkpoint | None) -> Mapping[str, Mapping[str, str]]:
    """Return the service's slots that a checkpoint's outputs describe, secrets in plain text."""
    found = _recorded(checkpoint, SLOTS)
    return found if isinstance(found, Mapping) else {}


def recorded_companions(checkpoint: Checkpoint | None) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the other services' slots likewise, by service."""
    found = _recorded(checkpoint, COMPANIONS)
    return found if isinstance(found, Mapping) else {}


def described(checkpoint: Checkpoint | None, *slots: str) -> tuple[SlotSpec, ...]:
    """Return the descriptions of all services in those of the slots that a checkpoint's outputs hold.

    Slots of a team's own program have none: nobody but that program can make them again.
    """
    services = (recorded_slots(checkpoint), *recorded_companions(checkpoint).values())
    found = (recorded[slot] for recorded in services for slot in slots if slot in recorded)
    return tuple(SlotSpec.from_json(slot["spec"]) for slot in found if "spec" in slot)


def _recorded(checkpoint: Checkpoint | None, key: str) -> object:
    from stacks.replay_values import plain

    return plain(checkpoint.outputs.get(key)) if checkpoint is not None else None
