"""One run of the loop: the record as it moves, the observers, and the few things the loop needs of the world."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event as Flag
from threading import RLock
from typing import Any, Protocol, TypeVar

from phases import events
from phases.clock import Clock
from phases.gates.base import GateContext, Moment
from phases.plan import PhasePlan, Plan, Step
from phases.reading import Reading
from phases.record import GateRecord, LaunchRecord
from phases.signals import Signals
from phases.states import LaunchState, PhaseState, move_launch, move_phase
from phases.verdict import GateResult

log = logging.getLogger(__name__)

T = TypeVar("T")
Emit = Callable[..., None]

TELL_SECONDS = 1.0
"""How often what changes all the time is told and kept, however often it is read."""


class Watching(Protocol):
    """The circuit breaker as the loop uses it."""

    @property
    def interval(self) -> float:
        """Return the seconds between two readings."""
        ...

    def moved(self) -> None:
        """Say that the traffic is about to move."""
        ...

    def tick(self) -> Reading:
        """Read the metrics once. Never raises for an outage."""
        ...

    def conclusion(self) -> GateResult:
        """Return what the whole bake says."""
        ...


@dataclass(frozen=True, slots=True)
class Control:
    """How a piece of work is bounded, and where it tells what it does."""

    deadline: float
    """In the clock's monotonic seconds."""
    stop: Flag
    emit: Emit
    """`emit(EventClass, **fields)`"""


class World(Protocol):
    """All that the loop can do to the world and ask of it; `launch/world.py` is the one that uses stacks."""

    def perform(self, step: Step, control: Control) -> GateResult | None:
        """Do the step; return what it found, where it is a test.

        Raises:
            LaunchError: it could not be done; what it changed so far is undone by the phase's undo.
        """
        ...

    def undo(self, phase: PhasePlan, control: Control) -> None:
        """Put back what the phase changed. Idempotent.

        Raises:
            LaunchError: it could not be done.
        """
        ...

    def prepare(self, upcoming: Sequence[Step], running: Step | None, *, soon: bool) -> None:
        """Start what may come next, so that it only has to be let go of when its time has come.

        Returns at once and never raises: what cannot be prepared is done in the ordinary way.

        Args:
            upcoming: the steps that come after, in order.
            running: the step that is about to change the world now.
            soon: the first of the upcoming steps follows at once: no bake and no gate is between.
        """
        ...

    def pull(self) -> None:
        """Take the users back now, where that is prepared; `undo` waits for it. Returns at once and never raises."""
        ...

    def recorded(self, step: Step) -> bool:
        """Return whether `settle` of a performed step would have nothing to wait for."""
        ...

    def settle(self, step: Step, control: Control) -> None:
        """Return when what the step did is recorded too: `perform` returns as soon as it is applied.

        Raises:
            LaunchError: it could not be recorded, and could not be done again either.
        """
        ...

    def rest(self) -> None:
        """Let go of everything that was prepared, changing nothing. Never raises."""
        ...

    def close(self) -> None:
        """End whatever still runs, as quickly as possible: the loop could not do its job. Never raises."""
        ...

    def context(self, phase: PhasePlan, moment: Moment, control: Control) -> GateContext:
        """Return what the phase's gates may know."""
        ...

    def breaker(self, phase: PhasePlan) -> Watching | None:
        """Return a breaker for the phase; None where nothing is to be watched."""
        ...


class Journal(Protocol):
    """Where the record is kept."""

    def save(self, record: LaunchRecord, *, durable: bool) -> None:
        """Keep the record; with `durable`, return only when a crash cannot lose it any more."""
        ...


class Runner(Protocol):
    """How work runs while the loop keeps its eyes open."""

    def run(self, work: Callable[[], T], *, deadline: float, tick: Callable[[], None]) -> T:
        """Return what `work` returns; call `tick` now and then meanwhile.

        Raises:
            TimeoutError: the work ignored its deadline and was left behind.
        """
        ...


@dataclass(slots=True)
class Run:
    """The state of one run of the loop."""

    plan: Plan
    record: LaunchRecord
    world: World
    journal: Journal
    clock: Clock
    signals: Signals
    runner: Runner
    observers: Sequence[events.Observer] = ()
    pause_on_interrupt: bool = False
    rollback_timeout: float = 120.0
    _lock: RLock = field(default_factory=RLock)
    _told: dict[str, tuple[float, object]] = field(default_factory=dict)
    _spent_saved: float = float("-inf")

    def emit(self, event: type[events.Event], *, at: datetime | None = None, **fields: Any) -> None:  # noqa: ANN401
        """Tell every observer, one event at a time, in order.

        Args:
            event: what happened.
            at: when; now, where it is told at once.
            fields: of the event.
        """
        made = event(time=at or self.clock.now(), launch=self.record.id, environment=self.record.environment, **fields)
        with self._lock:
            for observer in self.observers:
                observer(made)

    def control(self, deadline: float) -> Control:
        """Return the bounds of a piece of work."""
        return Control(deadline, self.signals.stop, self.emit)

    def save(self, *, durable: bool = False) -> None:
        """Keep the record as it is now."""
        self.journal.save(self.record, durable=durable)

    def move(self, phase: PhasePlan, new: PhaseState, reason: str, **changes: Any) -> None:  # noqa: ANN401
        """Move a phase, record it, and tell."""
        old = self.record.phase(phase.id)
        now = self.clock.now()
        stamps: dict[str, Any] = {}
        if new is PhaseState.VALIDATING:
            stamps["entered"] = now
        if new in (PhaseState.VERIFIED, PhaseState.ROLLED_BACK, PhaseState.FAILED):
            stamps["ended"] = now
        update = {"state": move_phase(old.state, new), "reason": reason, **stamps, **changes}
        self.record = self.record.with_phase(old.model_copy(update=update))
        self.save()
        self.emit(events.PhaseMoved, phase=phase.id, from_=old.state, to=new, reason=reason)

    def move_launch(self, new: LaunchState, reason: str, **changes: Any) -> None:  # noqa: ANN401
        """Move the launch and record it durably."""
        old = self.record.state
        update = {"state": move_launch(old, new), "reason": reason, **changes}
        self.record = self.record.model_copy(update=update)
        self.save(durable=True)
        self.emit(events.LaunchMoved, from_=old, to=new, reason=reason)

    def note_step(self, phase: PhasePlan, step: Step) -> None:
        """Move the marker: this step is applied."""
        old = self.record.phase(phase.id)
        self.record = self.record.with_phase(old.model_copy(update={"done": (*old.done, step.id)}))
        self.save()

    def alarm(self, phase: PhasePlan, reason: str) -> None:
        """Users have to go back now: note that a rollback has begun, and let go of what is prepared for it."""
        if not phase.spec.rollback_on_failure:
            return
        self.record = self.record.model_copy(update={"rolling_back": True, "reason": reason})
        # Whoever takes this launch up must know before the world changes; it costs about a millisecond.
        self.save()
        self.world.pull()

    def tell_metrics(self, phase: PhasePlan, reading: Reading) -> None:
        """Tell a reading, unless another one that said the same was told within the last second."""
        before, said = self._told.get(phase.id, (float("-inf"), None))
        now, says = self.clock.monotonic(), (reading.verdict, reading.tripped)
        if now - before < TELL_SECONDS and says == said:
            return
        self._told[phase.id] = (now, says)
        self.emit(
            events.MetricsRead,
            phase=phase.id,
            values=reading.values,
            limits=reading.limits,
            requests=reading.requests,
        )

    def note_spent(self, phase: PhasePlan, step: Step, seconds: float) -> None:
        """Remember how much of a bake is over; it is kept once a second and when the bake is over."""
        old = self.record.phase(phase.id)
        spent: Mapping[str, float] = {**old.spent, step.id: seconds}
        self.record = self.record.with_phase(old.model_copy(update={"spent": spent}))
        now = self.clock.monotonic()
        if now - self._spent_saved >= TELL_SECONDS or seconds >= step.bake:
            self._spent_saved = now
            self.save()

    def note_gate(self, phase: PhasePlan, gate: str, result: GateResult, seconds: float) -> None:
        """Record a gate's answer and tell."""
        old = self.record.phase(phase.id)
        entry = GateRecord(
            gate=gate, verdict=result.verdict, reason=result.reason, evidence=result.evidence, at=self.clock.now()
        )
        others = tuple(known for known in old.gates if known.gate != gate)
        self.record = self.record.with_phase(old.model_copy(update={"gates": (*others, entry)}))
        self.emit(
            events.GateChecked,
            phase=phase.id,
            gate=gate,
            verdict=result.verdict,
            evidence=result.evidence,
            reason=result.reason,
            seconds=seconds,
        )
        for warning in result.warnings:
            self.emit(events.Warned, phase=phase.id, reason=f"{gate}: {warning}")
