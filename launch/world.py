"""The world as the loop sees it: each step is an update of a phase's stack."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from launch.ahead import Ahead, goes_back
from launch.arms import Arms
from launch.config import Config
from launch.programs import Programs
from launch.seats import Seat
from launch.situation import Situation
from phases import synthetic
from phases.clock import Clock
from phases.errors import EngineError, LaunchError
from phases.events import TrafficShifted, UpdateApplied, UpdateFailedEvent, UpdateStarted
from phases.gates import command
from phases.gates.base import GateContext, Moment
from phases.kinds import PhaseKind
from phases.plan import PhasePlan, Plan, Step
from phases.run import Control, Watching
from phases.verbs import DisableTraffic, Migrate, RunProgram, SyntheticTests
from phases.verdict import GateResult, Verdict
from phases.work import Replay
from stacks import going_back
from stacks.armed import BACK, FORWARD, Applied
from stacks.engine import Update
from stacks.ledger import Vault

log = logging.getLogger(__name__)


@dataclass(slots=True)
class StackWorld:
    """Does the steps of one launch.

    Attributes:
        launch: id of the launch.
        contexts: makes what gates may know; see `launch/contexts.py`.
        breakers: makes breakers; see `launch/watching.py`.
    """

    launch: str
    config: Config
    plan: Plan
    programs: Programs
    clock: Clock
    vault: Vault
    situation: Situation
    contexts: Callable[[StackWorld, PhasePlan, Moment, Control], GateContext]
    breakers: Callable[[StackWorld, PhasePlan], Watching | None]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    arms: Arms = field(default_factory=Arms)

    def perform(self, step: Step, control: Control) -> GateResult | None:
        """Do the step; return what it found, where it is a test."""
        phase = self.plan.phase(step.phase)
        match step.work:
            case SyntheticTests():
                return self._synthetic(phase, control)
            case RunProgram(argv):
                return command.perform(argv, self.context(phase, Moment.EXIT, control))
            case Replay() | Migrate("down"):
                self._restore(step, phase, control)
            case _:
                self._update(step, phase, control)
        return None

    def prepare(self, upcoming: Sequence[Step], running: Step | None, *, soon: bool) -> None:
        """Arm the stacks whose updates may come next; returns at once."""
        try:
            self._ahead.prepare(upcoming, running, soon=soon)
        except LaunchError as error:
            log.info("nothing is armed: %s", error)

    def pull(self) -> None:
        """Let the armed update of the traffic go back, if there is one."""
        stack = self._ahead.traffic
        if stack is not None:
            self.arms.pull(stack)

    def recorded(self, step: Step) -> bool:
        """Return whether the engine has recorded what the step did, or could not."""
        stack = self.plan.phase(step.phase).stack
        return stack is None or self.arms.recorded(stack)

    def settle(self, step: Step, control: Control) -> None:
        """Wait until the engine has recorded what the step did."""
        del control  # the second try, if there is one, has the bounds of the first
        stack = self.plan.phase(step.phase).stack
        if stack is not None:
            self.arms.settle(stack)

    def rest(self) -> None:
        """Let go of all armed updates."""
        self.arms.rest()

    def close(self) -> None:
        """End whatever an exception left behind."""
        self.arms.give_up()

    @property
    def _ahead(self) -> Ahead:
        return Ahead(self.launch, self.plan, self.programs, self.situation, self.vault, self.arms)

    def preview(self, step: Step, control: Control) -> Mapping[str, int]:
        """Return what the step's update would change, by operation."""
        phase = self.plan.phase(step.phase)
        program = self.programs.of(step, phase)
        if program is None:
            return {}
        return self.programs.handle(phase).preview(program, stop=control.stop).changes

    def undo(self, phase: PhasePlan, control: Control) -> None:
        """Put back what the phase changed."""
        step = phase.undo
        match step.work:
            case RunProgram(argv):
                result = command.perform(argv, self.context(phase, Moment.ROLLBACK, control))
                if result.verdict is not Verdict.PASSED:
                    raise EngineError(result.reason)
            case DisableTraffic() if phase.spec.kind is not PhaseKind.TRAFFIC:
                self._no_users(phase, control)
            case _ if phase.stack is None:
                pass
            case _ if goes_back(phase, self._previous_image()):
                self._restore(step, phase, control)
            case _:
                self.perform(step, control)

    def context(self, phase: PhasePlan, moment: Moment, control: Control) -> GateContext:
        """Return what the phase's gates may know."""
        return self.contexts(self, phase, moment, control)

    def breaker(self, phase: PhasePlan) -> Watching | None:
        """Return a breaker for the phase; None where nothing is to be watched."""
        return self.breakers(self, phase)

    def _previous_image(self) -> str | None:
        return (self.situation.slots.get(self.situation.old or "") or {}).get("image")

    def _no_users(self, phase: PhasePlan, control: Control) -> None:
        """Take users off the new slot from a phase that is not the traffic's own; mostly nobody is on it."""
        owner = next((item for item in self.plan.phases if item.spec.kind is PhaseKind.TRAFFIC), None)
        if owner is not None and self.situation.weights.get(self.situation.new, 0) > 0:
            title = f"{phase.id} undo: no users on the new slot"
            self.perform(Step(f"{phase.id}.undo", owner.id, DisableTraffic(), title), control)

    def _synthetic(self, phase: PhasePlan, control: Control) -> GateResult:
        settings = self.config.settings
        file = phase.spec.synthetic or settings.synthetic
        url = self.situation.slot_url
        if url is None:
            raise EngineError("the synthetic tests have nothing to ask: no phase deployed the new slot")
        with self.programs.platform.reach(settings.service.name)(url) as reached:
            report = synthetic.run(
                synthetic.load(self.config.root / file) if file else None,
                reached,
                runs=phase.spec.synthetic_runs,
                health_path=settings.service.health,
                clock=self.clock,
                deadline=control.deadline,
                stop=control.stop,
                secrets=self.secrets,
            )
        return report.to_result()

    def _restore(self, step: Step, phase: PhasePlan, control: Control) -> None:
        if phase.stack is None:
            return
        handle, marker, message = self.programs.handle(phase), self.programs.marker(step), self._message(step)
        before = self.vault.parachute(phase.stack, self.launch)

        def restore() -> Update | None:
            left = self._left(control)
            return going_back.restore(handle, before, marker=marker, message=message, deadline=left, stop=control.stop)

        self._decide(step, phase, control, BACK, restore)
        self.arms.settle(phase.stack)  # what is undone is done: nothing goes on before it is recorded

    def _update(self, step: Step, phase: PhasePlan, control: Control) -> None:
        armed = phase.stack is not None and self.arms.armed(phase.stack, step.id)
        if not armed and self.programs.of(step, phase) is None:
            return

        def update() -> Update | None:
            program = self.programs.of(step, phase)
            if program is None:
                return None
            handle, message = self.programs.handle(phase), self._message(step)
            return handle.update(program, message=message, deadline=self._left(control), stop=control.stop)

        self._decide(step, phase, control, FORWARD, update)

    def _decide(
        self, step: Step, phase: PhasePlan, control: Control, outcome: str, plainly: Callable[[], Update | None]
    ) -> None:
        """Let the armed update do it, or else a plain one."""
        assert phase.stack is not None  # noqa: S101 - callers looked
        name, message = self.programs.handle(phase).name, self._message(step)
        control.emit(UpdateStarted, phase=phase.id, stack=name, message=message)
        began = self.clock.monotonic()
        try:
            taken = self._take(step, phase.stack, outcome, control)
            done = plainly() if taken is None else None
        except LaunchError as error:
            self.arms.sound.discard(phase.stack)
            control.emit(UpdateFailedEvent, phase=phase.id, stack=name, message=message, reason=str(error))
            raise
        seconds = self.clock.monotonic() - began
        if done is not None or taken is not None:
            self.arms.sound.add(phase.stack)
        if taken is None:
            changes = dict(done.changes) if done is not None else {}
        else:
            changes = dict(taken[1].changes)
            self.arms.record(phase.stack, taken[0], lambda: self._again(phase, control, plainly))
        control.emit(UpdateApplied, phase=phase.id, stack=name, message=message, changes=changes, seconds=seconds)
        self._learn(phase, control, dict(taken[1].outputs) if taken is not None else self._outputs(phase))

    def _take(self, step: Step, stack: str, outcome: str, control: Control) -> tuple[Seat, Applied] | None:
        """Return what the armed update applied; None where the stack is free for a plain one."""
        wanted = step.id if outcome == FORWARD else None
        taken = self.arms.take(stack, wanted, outcome, self._left(control), control.stop)
        if taken is None:
            self.arms.settle(stack)
        return taken

    def _again(self, phase: PhasePlan, control: Control, plainly: Callable[[], Update | None]) -> None:
        """Make an update once more whose first try was applied and then not recorded."""
        plainly()
        self._learn(phase, control, self._outputs(phase))

    def _outputs(self, phase: PhasePlan) -> dict[str, Any]:
        return self.programs.handle(phase).outputs()

    def _learn(self, phase: PhasePlan, control: Control, outputs: dict[str, Any]) -> None:
        """Take in what the phase's stack says after its update."""
        situation = self.situation
        situation.outputs[phase.id] = outputs
        if phase.spec.kind is PhaseKind.TRAFFIC:
            situation.learn_traffic(outputs)
            control.emit(TrafficShifted, phase=phase.id, weights=situation.weights, flags=situation.variants)
        elif phase.spec.kind is PhaseKind.DEPLOY and phase.id == self._main_deploy():
            situation.learn_deploy(outputs)
        elif phase in self.programs.parts:
            situation.learn_part(phase.id, outputs)

    def _main_deploy(self) -> str | None:
        return next((item.id for item in self.plan.phases if item.spec.kind is PhaseKind.DEPLOY), None)

    def _left(self, control: Control) -> float:
        return max(control.deadline - self.clock.monotonic(), 0.1)

    def _message(self, step: Step) -> str:
        return f"{self.launch} {step.title}"
