"""The history of launches: Pulumi's own, of all the environment's stacks, by the launch ids in the messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from launch.survey import THREADS
from phases.durations import show
from stacks.engine import Engine
from stacks.updates import HistoryEntry

_ID = re.compile(r"^(?P<id>[0-9A-HJKMNP-TV-Z]{26}) (?P<text>.*)$")
_STATE = re.compile(r"^launch (?P<state>[A-Z_]+)(?: (?P<image>\S+))?")


@dataclass(frozen=True, slots=True)
class PastUpdate:
    """One update of a launch."""

    stack: str
    text: str
    entry: HistoryEntry


@dataclass(frozen=True, slots=True)
class PastLaunch:
    """A launch, as its updates tell it."""

    id: str
    state: str
    image: str
    updates: tuple[PastUpdate, ...]

    @property
    def started(self) -> datetime:
        """Return when its first update began."""
        return self.updates[0].entry.started

    def to_json(self) -> dict[str, Any]:
        """Return the launch as one JSON object."""
        return {
            "launch": self.id,
            "state": self.state,
            "image": self.image,
            "started": self.started.isoformat(),
            "updates": [
                {
                    "stack": update.stack,
                    "message": update.text,
                    "result": update.entry.result,
                    "changes": dict(update.entry.changes),
                    "started": update.entry.started.isoformat(),
                }
                for update in self.updates
            ],
        }

    def lines(self) -> Iterator[str]:
        """Return the launch for people."""
        clock = self.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        yield f"{self.id}  {clock}  {self.state:<11}  {self.image}"
        for update in self.updates:
            entry = update.entry
            seconds = show((entry.ended - entry.started).total_seconds()) if entry.ended else "running"
            changed = ", ".join(f"{count} {op}" for op, count in entry.changes.items() if op != "same") or "no change"
            mark = "" if entry.result == "succeeded" else f" {entry.result.upper()}"
            yield f"    {update.stack:<20} {update.text}: {changed} ({seconds}){mark}"


def launches(engine: Engine, environment: str) -> list[PastLaunch]:
    """Return the environment's launches, the newest first."""
    names = [name for name in engine.stacks() if name == environment or name.startswith(f"{environment}-")]
    with ThreadPoolExecutor(THREADS) as pool:
        histories = pool.map(lambda name: engine.stack(name).history(1000), names)
        found: dict[str, list[PastUpdate]] = {}
        for name, entries in zip(names, histories, strict=True):
            for entry in entries:
                match = _ID.match(entry.message)
                if match is not None:
                    found.setdefault(match["id"], []).append(PastUpdate(name, match["text"], entry))
    # ULIDs sort by time.
    return [_launch(key, found[key], environment) for key in sorted(found, reverse=True)]


def _launch(key: str, updates: list[PastUpdate], environment: str) -> PastLaunch:
    ordered = sorted(updates, key=lambda update: (update.entry.started, update.entry.version))
    state, image = "RUNNING", ""
    for update in ordered:
        match = _STATE.match(update.text) if update.stack == environment else None
        if match is not None:
            state, image = match["state"], match["image"] or image
    # What the ledger itself wrote is the record of the story, not a part of it.
    story = tuple(update for update in ordered if update.stack != environment) or tuple(ordered)
    return PastLaunch(key, state, image.rstrip(","), story)
