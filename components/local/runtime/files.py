"""Where a runtime directory keeps what, and how its files are written.

Every file is private to the user (0600 in a 0700 directory) and replaced atomically, so a reader sees the old
content or the new, never half of it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """The files in the runtime directory of one slot or of one router."""

    directory: Path

    @property
    def state(self) -> Path:
        """What the supervisor last said of itself and of its child."""
        return self.directory / "state.json"

    @property
    def address(self) -> Path:
        """The ports that belong to this directory; outlives a stop."""
        return self.directory / "address.json"

    @property
    def command_lock(self) -> Path:
        """Held by the command that starts, stops or configures."""
        return self.directory / "command.lock"

    @property
    def life_lock(self) -> Path:
        """Held by a supervisor from before its birth until its death."""
        return self.directory / "life.lock"

    @property
    def stop(self) -> Path:
        """How long a stop, just asked for, may take."""
        return self.directory / "stop.json"

    @property
    def router(self) -> Path:
        """The weights in force, for a router that comes back."""
        return self.directory / "router.json"

    @property
    def log(self) -> Path:
        """What the child prints."""
        return self.directory / "output.log"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor has to say; usually little."""
        return self.directory / "supervisor.log"

    def create(self) -> None:
        """Make the directory, private to the user."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`, or None where there is none or it is damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace `path` atomically by `value`, readable by the user alone."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")
    scratch.replace(path)
