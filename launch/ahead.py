"""Which stacks' next updates are armed, and what they may become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from launch.arms import Arms
from launch.programs import Programs
from launch.seats import Wording
from launch.situation import Situation
from phases.errors import EngineError
from phases.kinds import PhaseKind
from phases.plan import PhasePlan, Plan, Step
from phases.verbs import Deploy, DisableTraffic, Migrate, RunProgram, ShiftTraffic
from phases.work import ApplyProgram, Replay, Retire, SwitchFlags
from stacks.arming import ArmedUpdate, Next, WayBack, arm
from stacks.ledger import Vault

_TRAFFIC = (ShiftTraffic, SwitchFlags, DisableTraffic)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Looks ahead in the plan.

    Attributes:
        launch: its id.
        arms: where the armed updates are.
    """

    launch: str
    plan: Plan
    programs: Programs
    situation: Situation
    vault: Vault
    arms: Arms

    @property
    def traffic(self) -> str | None:
        """Return the stack that decides where users go."""
        return next((phase.stack for phase in self.plan.phases if phase.spec.kind is PhaseKind.TRAFFIC), None)

    def prepare(self, upcoming: Sequence[Step], running: Step | None, *, soon: bool) -> None:
        """Arm the stack that users depend on, and the one that changes next.

        Args:
            upcoming: what comes after, in order.
            running: the step that is about to change its stack, which therefore is busy.
            soon: the first of the upcoming steps follows at once; arming it would take as long as doing it.
        """
        busy = self.plan.phase(running.phase).stack if running is not None else None
        wanted: dict[str, Step | None] = {}
        following = next((step for step in upcoming if step.changes_stack), None)
        if self.traffic not in (None, busy) and self._users_moved(upcoming) and self._verdict_ahead(upcoming):
            wanted[str(self.traffic)] = self._next_of(str(self.traffic), upcoming)
        if following is not None:
            stack = self._stack(following)
            if stack != busy and self._known(following):
                wanted.setdefault(stack, following)
        if soon and following is not None and following is upcoming[0]:
            wanted.pop(self._stack(following), None)
        for stack, step in wanted.items():
            self._seat(stack, step)

    def _users_moved(self, upcoming: Sequence[Step]) -> bool:
        """Whether this launch has changed the traffic already: then there is a way back."""
        waiting = {step.id for step in upcoming}
        moves = [step for step in self.plan.steps() if isinstance(step.work, _TRAFFIC)]
        return bool(moves) and moves[0].id not in waiting

    def _verdict_ahead(self, upcoming: Sequence[Step]) -> bool:
        """Whether anything can still turn out bad: a bake, or a gate."""
        steps = list(self.plan.steps())
        now = steps[len(steps) - len(upcoming) - 1]
        phases = {now.phase, *(step.phase for step in upcoming)}
        gates = any(self.plan.phase(phase).spec.validators for phase in phases)
        return gates or any(step.bake for step in (now, *upcoming))

    def _next_of(self, stack: str, upcoming: Sequence[Step]) -> Step | None:
        step = next((step for step in upcoming if step.changes_stack and self._stack(step) == stack), None)
        return step if step is not None and self._known(step) else None

    def _stack(self, step: Step) -> str:
        return self.plan.phase(step.phase).stack or ""

    def _known(self, step: Step) -> bool:
        """Whether all is known that the step's program needs."""
        match step.work:
            case ShiftTraffic() | DisableTraffic() | SwitchFlags():
                return self.situation.slot_url is not None
            case Migrate("up"):
                return self.programs.of(step, self.plan.phase(step.phase)) is not None
            case Deploy() | Retire() | ApplyProgram():
                return True
            case _:
                return False

    def _seat(self, stack: str, step: Step | None) -> None:
        if self.arms.armed(stack, step.id if step is not None else None):
            return
        phase = self._owner(stack, step)
        handle = self.programs.handle(phase)
        back = self._way_back(phase)
        wording = self._wording(phase, step)
        doubt = wording.either(forward=step is not None, back=back is not None)

        def make() -> ArmedUpdate | None:
            following = None
            if step is not None:
                late = isinstance(step.work, ApplyProgram)
                program = self.programs.of(step, phase)
                if program is None:
                    return None
                following = Next(program, late=late)
            return arm(handle, message=doubt, step=following, back=back, sound=stack in self.arms.sound)

        self.arms.seat(stack, step.id if step is not None else None, wording, handle.reword, make)

    def _owner(self, stack: str, step: Step | None) -> PhasePlan:
        if step is not None:
            return self.plan.phase(step.phase)
        return next(phase for phase in reversed(self.plan.phases) if phase.stack == stack)

    def _way_back(self, phase: PhasePlan) -> WayBack | None:
        old = (self.situation.slots.get(self.situation.old or "") or {}).get("image")
        if not goes_back(phase, old):
            return None
        try:
            before = self.vault.parachute(phase.stack or "", self.launch)
        except EngineError:
            return None
        return WayBack(before, self.programs.marker(phase.undo))

    def _wording(self, phase: PhasePlan, step: Step | None) -> Wording:
        title = step.title if step is not None else phase.id
        return Wording(self.launch, title, phase.undo.title, phase.id)


def goes_back(phase: PhasePlan, previous: str | None) -> bool:
    """Return whether the phase's undo brings its stack's whole state from before the launch back.

    Every verb that names that state does, and so does no verb at all: the checkpoint holds all of it, configuration
    and secrets included.

    Args:
        phase: the phase.
        previous: the image that users had before.
    """
    match phase.undo.work:
        case Replay() | Migrate():
            return True
        case RunProgram():
            return False
        case DisableTraffic():
            return phase.spec.kind is PhaseKind.TRAFFIC
        case Deploy(image):
            return image in ("", previous)
        case ShiftTraffic(percent):
            return percent == 0
        case _:
            return True
