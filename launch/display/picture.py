"""The picture of a launch that its events draw, one after the other; views only read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from phases import events
from phases.events import Event
from phases.gates.base import Moment
from phases.spec import LaunchSpec
from phases.states import LaunchState, PhaseState
from phases.verdict import Verdict

ACTIVE = (PhaseState.VALIDATING, PhaseState.EXECUTING)
NEWEST = 50
"""So many warnings are kept; a launch that waits for hours repeats itself."""


@dataclass(slots=True)
class GateSeen:
    """What a gate answered last."""

    phase: str
    gate: str
    verdict: Verdict
    reason: str
    seconds: float


@dataclass(slots=True)
class PhaseSeen:
    """A phase, as far as it is."""

    id: str
    title: str
    state: PhaseState = PhaseState.PENDING
    reason: str = ""
    entered: datetime | None = None
    ended: datetime | None = None
    waiting: tuple[str, ...] = ()
    """Gates that are asked now, the first of them under way."""
    asked: datetime | None = None
    """Since when the first of them is asked."""

    def seconds(self, now: datetime) -> float | None:
        """Return how long it took, or takes so far."""
        if self.entered is None:
            return None
        return max(((self.ended or now) - self.entered).total_seconds(), 0.0)


@dataclass(slots=True)
class BakeSeen:
    """A bake under way."""

    phase: str
    seconds: float
    spent: float
    since: datetime | None
    """None while paused."""

    def left(self, now: datetime) -> float:
        """Return the seconds that are left; 0 where it holds."""
        running = (now - self.since).total_seconds() if self.since is not None else 0.0
        return max(self.seconds - self.spent - max(running, 0.0), 0.0)


@dataclass(slots=True)
class UpdateSeen:
    """An update under way."""

    title: str
    since: datetime


@dataclass(slots=True)
class Picture:
    """All that a view shows."""

    spec: LaunchSpec
    started: events.LaunchStarted | None = None
    state: LaunchState = LaunchState.RUNNING
    reason: str = ""
    phases: dict[str, PhaseSeen] = field(default_factory=dict)
    gates: dict[tuple[str, str], GateSeen] = field(default_factory=dict)
    updates: dict[str, UpdateSeen] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    metrics: events.MetricsRead | None = None
    bake: BakeSeen | None = None
    tripped: events.BreakerTripped | None = None
    refused: GateSeen | None = None
    """The gate that failed first, before the rollback."""
    exposed: int | None = 0
    """The largest percentage of users that the new version had before the rollback; None: begun in another process."""
    rollback: events.RollbackStarted | None = None
    rollback_since: datetime | None = None
    warnings: list[str] = field(default_factory=list)
    ended: events.LaunchEnded | None = None

    def __post_init__(self) -> None:
        for phase in self.spec.phases:
            self.phases[phase.id] = PhaseSeen(phase.id, phase.title)

    def phase(self, phase_id: str) -> PhaseSeen:
        """Return what is known of a phase; one that the sequence lacks by now (`watch`) gets its id as title."""
        return self.phases.setdefault(phase_id, PhaseSeen(phase_id, phase_id))

    @property
    def current(self) -> PhaseSeen | None:
        """Return the phase that is under way."""
        return next((phase for phase in self.phases.values() if phase.state in ACTIVE), None)

    def apply(self, event: Event) -> None:  # noqa: C901 - one case an event
        """Take in what happened."""
        if self.started is not None and self.started.resumed:
            self._catch_up(event)
        match event:
            case events.LaunchStarted():
                self._start(event)
            case events.PhaseMoved():
                self._move(event)
            case events.LaunchMoved():
                self._pause(event)
            case events.GateChecked():
                self._gate(event)
            case events.UpdateStarted():
                self.bake = None
                if event.phase in self.phases:
                    self.phases[event.phase].waiting = ()  # another step, so the exit gates were not asked yet
                self.updates[event.stack] = UpdateSeen(title(event.message), event.time)
            case events.UpdateApplied() | events.UpdateFailedEvent():
                self.updates.pop(event.stack, None)
                if isinstance(event, events.UpdateFailedEvent):
                    self._warn(f"{event.stack}: {title(event.message)} failed: {event.reason}")
            case events.StepApplied():
                self._ask_exit(event.phase, event.time)
            case events.TrafficShifted():
                self.weights, self.flags = event.weights, event.flags
                if self.rollback is None:
                    self.exposed = max(self.exposed or 0, self.share)
            case events.BakeStarted():
                self.phase(event.phase).waiting = ()
                self.bake = BakeSeen(event.phase, event.seconds, event.spent, event.time)
            case events.MetricsRead():
                self.metrics = event
            case events.BreakerTripped():
                self.tripped = event
            case events.RollbackStarted():
                self.rollback, self.rollback_since, self.bake = event, event.time, None
                for phase in self.phases.values():
                    phase.waiting = ()
            case events.Warned():
                self._warn(f"{event.phase}: {event.reason}" if event.phase else event.reason)
            case events.LaunchEnded():
                self.ended, self.state, self.reason = event, event.state, event.reason
                self.updates, self.bake = {}, None
            case _:
                pass

    @property
    def share(self) -> int:
        """Return the percentage of users that the new version has."""
        return round(self.weights.get(self.started.slot, 0)) if self.started is not None else 0

    def image(self, slot: str) -> str:
        """Return what runs in a slot, or nothing where it is not known."""
        if self.started is None:
            return ""
        if slot == self.started.slot:
            return self.started.release
        return (self.started.previous or "") if slot == self.started.previous_slot else ""

    def _start(self, event: events.LaunchStarted) -> None:
        self.started = event
        known = self.phases
        ordered = {name: known.get(name, PhaseSeen(name, name)) for name in event.phases}
        self.phases = ordered or known
        self.exposed = None if event.resumed else 0
        if not event.resumed and event.previous_slot and event.slot:
            self.weights = {event.previous_slot: 100, event.slot: 0}

    def _move(self, event: events.PhaseMoved) -> None:
        phase = self.phase(event.phase)
        phase.state, phase.reason = event.to, event.reason
        phase.waiting, phase.asked = (), event.time
        match event.to:
            case PhaseState.VALIDATING:
                phase.entered, phase.ended = event.time, None
                phase.waiting = self._validators(event.phase, Moment.ENTRY)
            case PhaseState.EXECUTING:
                phase.entered = phase.entered or event.time
            case _:
                phase.ended = event.time
                self.bake = None

    def _catch_up(self, event: Event) -> None:
        """Know of the phases that another process went through before this one took the launch up."""
        if isinstance(event, events.RollbackStarted):
            touched = set(event.undo)
        elif isinstance(event, events.PhaseMoved | events.BakeStarted | events.GateChecked | events.UpdateStarted):
            names = list(self.phases)
            touched = set(names[: names.index(event.phase)]) if event.phase in self.phases else set()
            if isinstance(event, events.BakeStarted | events.UpdateStarted) and self.rollback is None:
                self._seen_elsewhere(event.phase, PhaseState.EXECUTING)
        else:
            return
        if self.rollback is None:
            for name in touched:
                self._seen_elsewhere(name, PhaseState.VERIFIED)

    def _seen_elsewhere(self, phase_id: str | None, state: PhaseState) -> None:
        phase = self.phases.get(phase_id or "")
        if phase is not None and phase.state is PhaseState.PENDING:
            phase.state, phase.reason = state, "before the restart"

    def _validators(self, phase_id: str, moment: Moment) -> tuple[str, ...]:
        spec = next((phase for phase in self.spec.phases if phase.id == phase_id), None)
        if spec is None:
            return ()
        return tuple(item.type for item in spec.validators if item.asked_at(spec.kind, moment))

    def _ask_exit(self, phase_id: str, now: datetime) -> None:
        phase = self.phase(phase_id)
        phase.waiting, phase.asked = self._validators(phase_id, Moment.EXIT), now

    def _gate(self, event: events.GateChecked) -> None:
        self.bake = None if self.bake is not None and self.bake.phase == event.phase else self.bake
        seen = GateSeen(event.phase, event.gate, event.verdict, event.reason, event.seconds)
        self.gates.pop((event.phase, event.gate), None)
        self.gates[event.phase, event.gate] = seen
        if event.verdict is Verdict.FAILED and self.rollback is None and self.refused is None:
            self.refused = seen
        phase = self.phase(event.phase)
        if event.gate in phase.waiting and event.verdict is not Verdict.INCONCLUSIVE:
            phase.waiting = phase.waiting[phase.waiting.index(event.gate) + 1 :]
            phase.asked = event.time

    def _pause(self, event: events.LaunchMoved) -> None:
        self.state, self.reason = event.to, event.reason
        if self.bake is None:
            return
        if event.to is LaunchState.PAUSED:
            self.bake.spent = self.bake.seconds - self.bake.left(event.time)
            self.bake.since = None
        elif event.to is LaunchState.RUNNING and self.bake.since is None:
            self.bake.since = event.time

    def _warn(self, text: str) -> None:
        if text in self.warnings:
            self.warnings.remove(text)
        self.warnings.append(text)
        del self.warnings[:-NEWEST]


def title(message: str) -> str:
    """Return an update's message without the launch's id in front."""
    return message.split(" ", 1)[-1]
