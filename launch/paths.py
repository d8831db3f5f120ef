"""Where things of an environment lie on this machine, below the project's private directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The private places of one environment."""

    root: Path
    """The project's directory."""
    environment: str

    @property
    def home(self) -> Path:
        """Return the project's private directory."""
        return self.root / ".launch"

    @property
    def platform(self) -> Path:
        """Return where the local platform keeps its processes, flags and snapshots."""
        return self.home / "environments" / self.environment

    @property
    def run(self) -> Path:
        """Return where a running launch keeps its journal, its events and what is asked of it."""
        return self.home / "run" / self.environment

    @property
    def journal(self) -> Path:
        """Return the copy of the record that is written at every change."""
        return self.run / "journal.json"

    @property
    def events(self) -> Path:
        """Return the events of the last launch, one JSON object a line."""
        return self.run / "events.jsonl"

    @property
    def requests(self) -> Path:
        """Return where other commands leave what they ask of the running launch."""
        return self.run / "requests"
