"""What the slots' processes print."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import click

from launch.survey import stack_name
from launch.taking_over import Standing
from phases.errors import ConfigurationError
from phases.kinds import PhaseKind

POLL_SECONDS = 0.2


def print_logs(standing: Standing, seen: Mapping[str, Any], *, slot: str | None, count: int, follow: bool) -> int:
    """Print the last lines of each slot's log, and with `follow` all that comes after.

    Raises:
        ConfigurationError: there is no such slot.
    """
    logs = _logs(standing)
    if slot is not None and slot not in logs:
        known = ", ".join(logs) or "none"
        raise ConfigurationError(f"{seen['environment']} has no slot {slot!r}; there are: {known}")
    if not logs:
        click.echo(f"nothing runs in {seen['environment']}", err=True)
        return 0
    chosen = {name: path for name, path in logs.items() if slot in (None, name)}
    files: dict[str, IO[str]] = {}
    for name, path in chosen.items():
        if path.exists():
            files[name] = path.open(encoding="utf-8", errors="replace")
            for line in deque(files[name], count):
                click.echo(f"{name}: {line.rstrip()}")
    while follow:
        for name, file in files.items():
            while line := file.readline():
                click.echo(f"{name}: {line.rstrip()}")
        time.sleep(POLL_SECONDS)
    return 0


def _logs(standing: Standing) -> dict[str, Path]:
    record = standing.record
    found: dict[str, Path] = {}
    for phase in record.phases if record is not None else ():
        if phase.kind is PhaseKind.DEPLOY:
            outputs = standing.engine.stack(stack_name(standing.asked.environment, phase.id)).outputs()
            slots = outputs.get("slots") or {}
            found.update({name: Path(entry["log"]) for name, entry in sorted(slots.items()) if entry.get("log")})
    return found
