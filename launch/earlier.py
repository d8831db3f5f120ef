"""Earlier launches: which one users have, and which can be gone back to."""

from __future__ import annotations

from components.platform import SlotSpec
from launch import parts, survey
from launch.config import Config
from phases.errors import ConfigurationError
from phases.kinds import PhaseKind
from phases.record import LaunchRecord, ReleaseRecord
from stacks.ledger import Archived, Entry


def last_record(entry: Entry) -> LaunchRecord | None:
    """Return the record of the environment's last launch."""
    return LaunchRecord.model_validate(entry.record) if entry.record is not None else None


def running(last: LaunchRecord | None) -> ReleaseRecord | None:
    """Return the release that users have according to the last launch."""
    if last is None:
        return None
    return last.release if last.state == "COMPLETED" else last.previous


def earlier(entry: Entry) -> tuple[Archived, ...]:
    """Return the completed launches that can be gone back to, the newest first."""
    last = last_record(entry)
    current = last.current if last is not None else None
    return tuple(item for item in entry.vault.archive if item.launch != current)


def archived(entry: Entry, to: str, environment: str) -> Archived:
    """Return the launch that `--to` names, by its id or its image.

    Raises:
        ConfigurationError: it is not kept; the message names those that are.
    """
    for item in entry.vault.archive:
        if item.launch == to or item.image == to:
            return item
    known = ", ".join(f"{item.launch} ({item.image})" for item in earlier(entry)) or "none"
    raise ConfigurationError(
        f"environment {environment} keeps no launch {to!r} to go back to; it keeps: {known}. "
        f"`python -m launch history {environment}` shows all launches; `launch:history` says how many are kept"
    )


def release_of(launch: Archived, config: Config) -> ReleaseRecord:
    """Return the release of an earlier launch; which flags it has on is said by its recorded state."""
    from stacks.deploy import recorded_slots

    deploy_phase = survey.first(config.spec, PhaseKind.DEPLOY)
    for slot in recorded_slots(launch.checkpoint(deploy_phase or "")).values():
        if slot["image"] == launch.image:
            if not slot["digest"]:
                raise ConfigurationError(
                    f"launch {launch.launch} adopted {launch.image} when its pods did not tell their digest, so "
                    "nothing says that it would be the same: `up` with that image launches it anew"
                )
            return ReleaseRecord(image=slot["image"], digest=slot["digest"])
    raise ConfigurationError(f"launch {launch.launch} recorded no slot with {launch.image}; launch that image again")


def slots_of(launch: Archived, main: str) -> tuple[SlotSpec, ...]:
    """Return what an earlier launch ran in its slot, in all parts of its deploy phase, the service's own first.

    Nothing where a team's own program made the slot: nobody but that program can make it again.
    """
    from stacks.deploy import described, recorded_slots

    checkpoint = launch.checkpoint(main)
    for name, slot in recorded_slots(checkpoint).items():
        if slot["image"] != launch.image or not slot.get("spec"):
            continue
        found = [*described(checkpoint, name)]
        number = 2
        while (part := parts.part_id(main, number)) in launch.stacks:
            found += described(launch.checkpoint(part), name)
            number += 1
        return tuple(found)
    return ()
