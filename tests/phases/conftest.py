"""A launch without a world: a fake clock, a world that obeys the test, and the real loop between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from phases import events, plan, sequence
from phases.errors import LaunchError
from phases.gates.base import GateContext, Moment, Release
from phases.plan import PhasePlan, Step
from phases.reading import Reading, Trip
from phases.record import LaunchRecord, PhaseRecord, ReleaseRecord
from phases.run import Control, Run
from phases.signals import Request, Signals
from phases.spec import LaunchSpec
from phases.states import LaunchState, PhaseState
from phases.verdict import GateResult, Verdict, inconclusive, passed

T = TypeVar("T")


class FakeClock:
    """Time that moves only when somebody waits or works."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 9, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class FakeSignals(Signals):
    """Signals whose waiting moves the fake clock; `schedule` sends a request when its time has come."""

    def __init__(self, clock: FakeClock, *, pause_on_interrupt: bool = False) -> None:
        super().__init__(pause_on_interrupt=pause_on_interrupt)
        self.clock = clock
        self.scheduled: list[tuple[float, Request]] = []

    def schedule(self, after: float, request: Request) -> None:
        self.scheduled.append((self.clock.seconds + after, request))

    def wait(self, seconds: float) -> None:
        self.clock.sleep(max(seconds, 0.01))
        for entry in list(self.scheduled):
            if entry[0] <= self.clock.seconds:
                self.scheduled.remove(entry)
                self.send(entry[1])


class InlineRunner:
    """Runs the work at once; a test that wants a tick during the work asks the world for it."""

    def __init__(self) -> None:
        self.tick: Callable[[], None] = lambda: None

    def run(self, work: Callable[[], T], *, deadline: float, tick: Callable[[], None]) -> T:
        del deadline
        self.tick = tick
        return work()


@dataclass
class FakeWorld:
    """Remembers what was done and undone, and fails where the test says so."""

    clock: FakeClock
    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    fails: dict[str, LaunchError | Callable[[Control], None]] = field(default_factory=dict)
    undo_fails: dict[str, LaunchError | Callable[[], None]] = field(default_factory=dict)
    finds: dict[str, GateResult] = field(default_factory=dict)
    watch: Any = None
    seconds: float = 1.0
    prepared: list[tuple[list[str], str | None]] = field(default_factory=list)
    pulled: list[float] = field(default_factory=list)
    slow_to_record: dict[str, float] = field(default_factory=dict)
    settle_fails: dict[str, LaunchError] = field(default_factory=dict)
    soon: list[str] = field(default_factory=list)
    rested: int = 0
    closed: bool = False

    def perform(self, step: Step, control: Control) -> GateResult | None:
        self.clock.sleep(self.seconds)
        problem = self.fails.get(step.id)
        if isinstance(problem, LaunchError):
            raise problem
        if problem is not None:
            problem(control)
        self.done.append(step.id)
        return self.finds.get(step.id)

    def undo(self, phase: PhasePlan, control: Control) -> None:
        del control
        self.clock.sleep(self.seconds)
        problem = self.undo_fails.get(phase.id)
        if isinstance(problem, LaunchError):
            raise problem
        if problem is not None:
            problem()
        self.undone.append(phase.id)

    def prepare(self, upcoming: Sequence[Step], running: Step | None, *, soon: bool) -> None:
        if soon:
            self.soon.append(upcoming[0].id if upcoming else "")
        self.prepared.append(([step.id for step in upcoming], running.id if running else None))

    def pull(self) -> None:
        self.pulled.append(self.clock.seconds)

    def recorded(self, step: Step) -> bool:
        return step.id not in self.slow_to_record or self.clock.seconds >= self.slow_to_record[step.id]

    def settle(self, step: Step, control: Control) -> None:
        del control
        if not self.recorded(step):
            self.clock.seconds = self.slow_to_record[step.id]
        problem = self.settle_fails.get(step.id)
        if problem is not None:
            raise problem

    def rest(self) -> None:
        self.rested += 1

    def close(self) -> None:
        self.closed = True

    def context(self, phase: PhasePlan, moment: Moment, control: Control) -> GateContext:
        return GateContext(
            environment="dev",
            phase=phase.id,
            kind=phase.spec.kind,
            moment=moment,
            release=Release("shop:2.0", "sha256:2"),
            root=Path(),
            clock=self.clock,
            deadline=control.deadline,
            stop=control.stop,
        )

    def breaker(self, phase: PhasePlan) -> Any:  # noqa: ANN401
        return self.watch if phase.spec.kind in ("traffic", "post_launch") else None


class FakeBreaker:
    """Says what the test wants, reading by reading; the last one stays."""

    interval = 1.0

    def __init__(
        self, clock: FakeClock, *, trips_after: int | None = None, concludes: GateResult | None = None
    ) -> None:
        self.clock, self.trips_after, self.readings, self.moves = clock, trips_after, 0, 0
        self.concludes = concludes or passed("within all limits")

    def moved(self) -> None:
        self.moves += 1

    def tick(self) -> Reading:
        self.readings += 1
        if self.trips_after is not None and self.readings > self.trips_after:
            trip = Trip("error_rate", 0.05, 0.02)
            return Reading(self.clock.seconds, 100, {"error_rate": 0.05}, {"error_rate": 0.02}, Verdict.FAILED, trip)
        return Reading(self.clock.seconds, 100, {"error_rate": 0.0}, {"error_rate": 0.02}, Verdict.PASSED)

    def conclusion(self) -> GateResult:
        return self.concludes


class MemoryJournal:
    """Keeps every record that was saved."""

    def __init__(self) -> None:
        self.saved: list[LaunchRecord] = []
        self.durable: list[LaunchRecord] = []

    def save(self, record: LaunchRecord, *, durable: bool) -> None:
        self.saved.append(record)
        if durable:
            self.durable.append(record)


class Story:
    """A launch that a test tells: set the scene, run it, look at what happened."""

    def __init__(self, spec: LaunchSpec, *, first: bool = False, pause_on_interrupt: bool = False) -> None:
        self.clock = FakeClock()
        self.signals = FakeSignals(self.clock, pause_on_interrupt=pause_on_interrupt)
        self.world = FakeWorld(self.clock)
        self.journal = MemoryJournal()
        self.runner = InlineRunner()
        self.events: list[events.Event] = []
        self.pause_on_interrupt = pause_on_interrupt
        self.release = Release("shop:2.0", "sha256:2", "0002", ("new_checkout",))
        previous = None if first else "shop:1.0"
        self.plan = plan.build(spec, self.release, plan.Situation(previous_image=previous))
        self.record = LaunchRecord(
            id="01J0000000000000000000TEST",
            environment="dev",
            state=LaunchState.RUNNING,
            release=ReleaseRecord(image="shop:2.0", digest="sha256:2"),
            previous=None if first else ReleaseRecord(image="shop:1.0", digest="sha256:1"),
            started=self.clock.now(),
            phases=tuple(PhaseRecord(id=phase.id, kind=phase.spec.kind) for phase in self.plan.phases),
        )
        self.observers: list[events.Observer] = []

    def launch(self, *, resumed: bool = False) -> LaunchRecord:
        self.record = sequence.run(self._run(), resumed=resumed)
        return self.record

    def die_and_resume(self) -> LaunchRecord:
        """Go on as another process would: from the last record that was saved, with nothing in memory."""
        self.record = self.journal.saved[-1]
        signals = FakeSignals(self.clock, pause_on_interrupt=self.pause_on_interrupt)
        self.signals = signals
        return self.launch(resumed=True)

    def _run(self) -> Run:
        return Run(
            plan=self.plan,
            record=self.record,
            world=self.world,
            journal=self.journal,
            clock=self.clock,
            signals=self.signals,
            runner=self.runner,
            observers=self.observers or [self.events.append],
            pause_on_interrupt=self.pause_on_interrupt,
        )

    def phases(self) -> dict[str, PhaseState]:
        return {phase.id: phase.state for phase in self.record.phases}

    def told(self, kind: type[events.Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def spec() -> Callable[..., LaunchSpec]:
    """Make a sequence of the usual five phases, with what a test wants to differ."""

    def make(changes: Mapping[str, Mapping[str, Any]] | None = None, **top: Any) -> LaunchSpec:  # noqa: ANN401
        phases: list[dict[str, Any]] = [
            {"id": "migration"},
            {"id": "deploy"},
            {"id": "health"},
            {"id": "traffic", "steps": [{"weight": 10, "bake": "10s"}, {"weight": 100, "bake": "10s"}]},
            {"id": "post_launch", "window": "30s"},
        ]
        changed = [{**phase, **(changes or {}).get(phase["id"], {})} for phase in phases]
        return LaunchSpec.model_validate({"phases": changed, **top})

    return make


@pytest.fixture
def could_not_tell() -> GateResult:
    return inconclusive("no samples")
