"""The record of a launch: what the ledger holds, what `status` and `history` show, what `resume` goes on from.

Frozen and free of secrets. It moves forward by `replace`, one copy an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from phases.kinds import PhaseKind
from phases.states import OWNING, LaunchState, PhaseState
from phases.verdict import Verdict


class _Frozen(BaseModel):
    # Unknown keys are kept out but not refused: an older command must be able to read a newer record.
    model_config = ConfigDict(frozen=True, extra="ignore")


class GateRecord(_Frozen):
    """What a gate answered."""

    gate: str
    verdict: Verdict
    reason: str
    evidence: Mapping[str, Any] = Field(default_factory=dict)
    at: datetime


class PhaseRecord(_Frozen):
    """How far a phase is."""

    id: str
    kind: PhaseKind
    state: PhaseState = PhaseState.PENDING
    reason: str = ""
    entered: datetime | None = None
    ended: datetime | None = None
    done: tuple[str, ...] = ()
    """Ids of the steps that were applied."""
    spent: Mapping[str, float] = Field(default_factory=dict)
    """Seconds of bake that are over, by step."""
    gates: tuple[GateRecord, ...] = ()


class ReleaseRecord(_Frozen):
    """A release, as the record names it."""

    image: str
    digest: str
    revision: str | None = None
    flags: tuple[str, ...] = ()
    companions: Mapping[str, ReleaseRecord] = Field(default_factory=dict)
    """The services that are launched together with it, by name."""


class LaunchRecord(_Frozen):
    """One launch of one environment."""

    id: str
    environment: str
    state: LaunchState = LaunchState.IDLE
    reason: str = ""
    release: ReleaseRecord
    previous: ReleaseRecord | None = None
    previous_launch: str | None = None
    """Id of the completed launch that brought `previous`."""
    slot: str = ""
    """The new slot."""
    old_slot: str | None = None
    schema_last: bool = False
    started: datetime
    ended: datetime | None = None
    rolling_back: bool = False
    interrupted: bool = False
    by: str = ""
    """user@host"""
    host: str = ""
    pid: int = 0
    process_started: float = 0.0
    """When the process was created (seconds since the epoch): with the pid, it names one process only."""
    source: str = ""
    """Where it was started from: a pipeline's URL, a commit, or a directory."""
    phases: tuple[PhaseRecord, ...] = ()
    left: tuple[str, ...] = ()
    """What an incomplete rollback left for a person."""

    @property
    def owns(self) -> bool:
        """Return whether this launch owns its environment."""
        return self.state in OWNING

    @property
    def current(self) -> str | None:
        """Return the id of the completed launch that users have, once this one is over."""
        return self.id if self.state is LaunchState.COMPLETED else self.previous_launch

    def phase(self, phase_id: str) -> PhaseRecord:
        """Return the record of that phase."""
        return next(phase for phase in self.phases if phase.id == phase_id)

    def with_phase(self, phase: PhaseRecord) -> LaunchRecord:
        """Return the record with that phase's record replaced."""
        phases = tuple(phase if old.id == phase.id else old for old in self.phases)
        return self.model_copy(update={"phases": phases})
