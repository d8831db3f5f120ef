"""The one loop: it takes a release through the plan, and back where something goes wrong.

A return value says how the launch ended; an exception says that the loop could not do its job.
"""

from __future__ import annotations

from phases.ahead import note, note_when_recorded, prepare_after, prepare_from
from phases.asking import ask_all
from phases.baking import bake, look
from phases.deadline import Deadline
from phases.errors import LaunchError, UpdateStopped
from phases.events import LaunchEnded, LaunchStarted, StepApplied, Warned
from phases.gates.base import Moment
from phases.plan import PhasePlan, Step
from phases.record import LaunchRecord
from phases.run import Run, Watching
from phases.safe_point import safe_point, while_working
from phases.states import LaunchState, PhaseState
from phases.trouble import Cause, PauseExit, Trouble
from phases.undoing import roll_back
from phases.verbs import ShiftTraffic
from phases.verdict import Verdict


def run(run: Run, *, resumed: bool = False) -> LaunchRecord:
    """Take the launch from where its record says it is to its end, and return the record.

    The record is RUNNING when this begins: the lock is taken before the loop.

    Raises:
        Abandoned: a second interrupt; the record still owns the environment and `resume` finishes.
        LaunchError: the record could not be kept.
    """
    try:
        return _through(run, resumed=resumed)
    except BaseException:
        run.world.close()
        raise


def _through(run: Run, *, resumed: bool) -> LaunchRecord:
    release = run.record.release
    run.emit(
        LaunchStarted,
        release=release.image,
        digest=release.digest,
        previous=run.record.previous.image if run.record.previous else None,
        by=run.record.by,
        resumed=resumed,
        phases=tuple(phase.id for phase in run.plan.phases),
        slot=run.record.slot,
        previous_slot=run.record.old_slot,
    )
    if run.record.rolling_back:
        return _back(run, run.record.reason or "a rollback had begun", at=_last(run), resumed=True)
    for phase in run.plan.phases:
        if run.record.phase(phase.id).state is PhaseState.VERIFIED:
            continue
        try:
            _phase(run, phase)
        except PauseExit:
            return _end(run, run.record.reason)
        except Trouble as trouble:
            return _ended_badly(run, phase, trouble, resumed=resumed)
    for step in run.plan.closing:
        _close(run, step)
    run.record = run.record.model_copy(update={"state": LaunchState.COMPLETED, "reason": "all phases are verified"})
    return _end(run, run.record.reason)


def _phase(run: Run, phase: PhasePlan) -> None:
    deadline = Deadline.start(run.clock, phase.id, phase.spec.timeout_ms)
    record = run.record.phase(phase.id)
    if record.state is PhaseState.PENDING:
        safe_point(run, deadline)
        run.move(phase, PhaseState.VALIDATING, "its entry gates are asked")
    prepare_from(run, phase)
    if run.record.phase(phase.id).state is PhaseState.VALIDATING:
        ask_all(run, phase, Moment.ENTRY, deadline)
        run.move(phase, PhaseState.EXECUTING, "its entry gates passed")
    breaker = run.world.breaker(phase)
    for step in phase.steps:
        if step.id not in run.record.phase(phase.id).done:
            safe_point(run, deadline)
            prepare_after(run, step, running=True)
            _perform(run, phase, step, deadline, breaker)
            note_when_recorded(run, phase, step, deadline)
            run.emit(StepApplied, phase=phase.id, step=step.id, reason=step.title)
        prepare_after(run, step, running=False)
        if step.bake:
            bake(run, phase, step, deadline, breaker)
        note(run, phase, step, deadline)
    ask_all(run, phase, Moment.EXIT, deadline)
    run.move(phase, PhaseState.VERIFIED, "its gates passed" if phase.spec.validators else "its steps are applied")


def _perform(run: Run, phase: PhasePlan, step: Step, deadline: Deadline, breaker: Watching | None) -> None:
    began = run.clock.monotonic()
    if breaker is not None and isinstance(step.work, ShiftTraffic):
        breaker.moved()
    try:
        result = while_working(
            run,
            lambda: run.world.perform(step, run.control(deadline.at)),
            deadline,
            watch=lambda: look(run, phase, breaker),
            every=breaker.interval if breaker is not None else 1.0,
        )
    except UpdateStopped as stopped:
        if stopped.timed_out:
            raise deadline.trouble(step.title) from stopped
        safe_point(run, deadline)  # says what it was that stopped it
        raise Trouble(f"{step.title} was stopped: {stopped}") from stopped
    except TimeoutError as error:
        raise deadline.trouble(step.title) from error
    except LaunchError as error:
        raise Trouble(str(error)) from error
    if result is not None:
        run.note_gate(phase, step.title.removeprefix(f"{phase.id} "), result, run.clock.monotonic() - began)
        if result.verdict is Verdict.INCONCLUSIVE:
            _say_what_stopped_it(run, step, deadline)
        if result.verdict is not Verdict.PASSED:
            raise Trouble(result.reason)


def _say_what_stopped_it(run: Run, step: Step, deadline: Deadline) -> None:
    """Return where it was neither a person nor the time that was up."""
    if run.signals.stop.is_set():
        safe_point(run, deadline)
    deadline.check(step.title)


def _ended_badly(run: Run, phase: PhasePlan, trouble: Trouble, *, resumed: bool) -> LaunchRecord:
    reason = str(trouble)
    if trouble.cause is Cause.INTERRUPTED:
        run.record = run.record.model_copy(update={"interrupted": True})
    if not phase.spec.rollback_on_failure and trouble.cause in (Cause.FAILED, Cause.TIMEOUT):
        run.move(phase, PhaseState.FAILED, reason)
        left = (f"{phase.id}: {reason} (rollback_on_failure is false)",)
        run.record = run.record.model_copy(update={"state": LaunchState.FAILED, "reason": reason, "left": left})
        return _end(run, reason)
    return _back(run, reason, at=phase.id, resumed=resumed)


def _back(run: Run, reason: str, *, at: str, resumed: bool) -> LaunchRecord:
    left = roll_back(run, reason, at=at, resumed=resumed)
    state = LaunchState.FAILED if left else LaunchState.ROLLED_BACK
    update = {"state": state, "reason": reason, "left": left, "rolling_back": bool(left)}
    run.record = run.record.model_copy(update=update)
    return _end(run, reason)


def _close(run: Run, step: Step) -> None:
    deadline = Deadline.start(run.clock, step.phase, round(run.rollback_timeout * 1000))
    try:
        while_working(run, lambda: run.world.perform(step, run.control(deadline.at)), deadline)
        while_working(run, lambda: run.world.settle(step, run.control(deadline.at)), deadline)
    except (LaunchError, TimeoutError) as error:
        run.emit(Warned, phase=step.phase, reason=f"{step.title} failed, the next launch does it: {error}")


def _end(run: Run, reason: str) -> LaunchRecord:
    run.world.rest()  # the next command finds every lock free
    ended = run.clock.now()
    run.record = run.record.model_copy(update={"ended": None if run.record.owns else ended})
    run.save(durable=True)
    command = None
    if run.record.owns or run.record.left:
        command = f"python -m launch resume {run.record.environment}"
    run.emit(
        LaunchEnded,
        state=run.record.state,
        seconds=(ended - run.record.started).total_seconds(),
        reason=reason,
        left=run.record.left,
        next_command=command,
    )
    return run.record


def _last(run: Run) -> str:
    entered = [phase.id for phase in run.record.phases if phase.state is not PhaseState.PENDING]
    return entered[-1] if entered else run.record.phases[0].id
