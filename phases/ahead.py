"""Being ahead of the verdict: what may come next is prepared while a step bakes, and noted when it is really there."""

from __future__ import annotations

from phases.deadline import Deadline
from phases.errors import LaunchError, UpdateStopped
from phases.plan import PhasePlan, Step
from phases.run import Run
from phases.safe_point import safe_point, while_working
from phases.trouble import Trouble


def prepare_from(run: Run, phase: PhasePlan) -> None:
    """Prepare what comes when the phase's entry gates have passed."""
    steps = tuple(run.plan.steps())
    first = next((number for number, step in enumerate(steps) if step.phase == phase.id and not _done(run, step)), None)
    if first is not None:
        run.world.prepare(steps[first:], None, soon=not phase.spec.validators)


def prepare_after(run: Run, step: Step, *, running: bool) -> None:
    """Prepare what comes after a step.

    Args:
        run: the run.
        step: the step.
        running: it is about to change its stack, so only the stacks of others can be prepared meanwhile.
    """
    steps = tuple(run.plan.steps())
    upcoming = steps[steps.index(step) + 1 :]
    soon = not running and not step.bake and not _gates_between(run, step, upcoming)
    run.world.prepare(upcoming, step if running else None, soon=soon)


def note_when_recorded(run: Run, phase: PhasePlan, step: Step, deadline: Deadline) -> None:
    """Note that a step is done, once the engine has recorded what it did. Until then a restart does it again."""
    if not _done(run, step) and run.world.recorded(step):
        note(run, phase, step, deadline)


def note(run: Run, phase: PhasePlan, step: Step, deadline: Deadline) -> None:
    """Wait until a step is recorded, and note that it is done.

    Raises:
        Trouble: it could not be recorded.
    """
    if _done(run, step):
        return
    try:
        while_working(run, lambda: run.world.settle(step, run.control(deadline.at)), deadline)
    except UpdateStopped as stopped:
        if stopped.timed_out:
            raise deadline.trouble(step.title) from stopped
        safe_point(run, deadline)
        raise Trouble(f"{step.title} was stopped: {stopped}") from stopped
    except TimeoutError as error:
        raise deadline.trouble(step.title) from error
    except LaunchError as error:
        raise Trouble(str(error)) from error
    run.note_step(phase, step)


def _gates_between(run: Run, step: Step, upcoming: tuple[Step, ...]) -> bool:
    """Whether gates may be asked after the step and before the next one."""
    if upcoming and upcoming[0].phase == step.phase:
        return False
    phases = [step.phase, *(following.phase for following in upcoming[:1])]
    return any(run.plan.phase(phase).spec.validators for phase in phases)


def _done(run: Run, step: Step) -> bool:
    return step.id in run.record.phase(step.phase).done
