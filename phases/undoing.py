"""Rolling back: over what really ran, newest first, each undo bounded, one that fails not stopping the rest."""

from __future__ import annotations

from phases.asking import ask_all
from phases.deadline import Deadline
from phases.errors import LaunchError
from phases.events import RollbackStarted, Warned
from phases.gates.base import Moment
from phases.plan import PhasePlan
from phases.run import Run
from phases.safe_point import while_working
from phases.states import PhaseState
from phases.trouble import Trouble

_TOUCHED = frozenset({PhaseState.VALIDATING, PhaseState.EXECUTING, PhaseState.VERIFIED, PhaseState.FAILED})


def roll_back(run: Run, reason: str, *, at: str, resumed: bool) -> tuple[str, ...]:
    """Undo what ran and return what is left for a person, one sentence each; empty when all is as it was.

    Args:
        run: the run.
        reason: why, for people.
        at: id of the phase in which it went wrong.
        resumed: this process did not see everything itself, so phases whose record may lag behind are undone too.
    """
    run.record = run.record.model_copy(update={"rolling_back": True, "reason": reason})
    run.save()
    touched = [phase for phase in run.plan.phases if run.record.phase(phase.id).state in _TOUCHED]
    run.world.pull()  # flags off and users back before anything else is said or done
    run.signals.begin_rollback()
    run.emit(RollbackStarted, phase=at, reason=reason, undo=tuple(phase.id for phase in reversed(touched)))
    left: list[str] = []
    for phase in reversed(touched):
        problem = _undo(run, phase, reason, resumed=resumed)
        if problem is not None:
            left.append(f"{phase.id}: {problem}")
            if run.record.phase(phase.id).state is not PhaseState.FAILED:
                run.move(phase, PhaseState.FAILED, problem)
    return tuple(left)


def _undo(run: Run, phase: PhasePlan, reason: str, *, resumed: bool) -> str | None:
    began = run.record.phase(phase.id).state is not PhaseState.VALIDATING
    deadline = Deadline.start(run.clock, phase.id, round(run.rollback_timeout * 1000))
    try:
        if began or resumed:
            while_working(run, lambda: run.world.undo(phase, run.control(deadline.at)), deadline)
            ask_all(run, phase, Moment.ROLLBACK, deadline)
    except (LaunchError, Trouble, TimeoutError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it was, the other undos must still run
        run.emit(Warned, phase=phase.id, reason=f"the undo raised {type(error).__name__}: {error}")
        return f"{type(error).__name__}: {error}"
    run.move(phase, PhaseState.ROLLED_BACK, reason if began else "nothing had been changed")
    return None
