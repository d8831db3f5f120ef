"""A bake: the breaker watches while users are on the new version, and nobody has to be awake."""

from __future__ import annotations

from phases.ahead import note_when_recorded, prepare_after
from phases.deadline import Deadline
from phases.events import BakeStarted, BreakerTripped, Warned
from phases.plan import PhasePlan, Step
from phases.run import Run, Watching
from phases.safe_point import safe_point
from phases.signals import Request
from phases.thresholds import OnInconclusive
from phases.trouble import Trouble
from phases.verdict import GateResult, Verdict

PREPARE_SECONDS = 5.0


def bake(run: Run, phase: PhasePlan, step: Step, deadline: Deadline, breaker: Watching | None) -> None:
    """Watch for as long as the step says, less what was watched before a restart.

    Raises:
        Trouble: the breaker tripped, or could not tell for as long as its policy allows.
    """
    spent = run.record.phase(phase.id).spent.get(step.id, 0.0)
    if spent >= step.bake:
        return
    run.emit(BakeStarted, phase=phase.id, step=step.id, seconds=step.bake, spent=spent)
    policy = phase.spec.thresholds.on_inconclusive if phase.spec.thresholds else OnInconclusive.HOLD
    last = run.clock.monotonic()
    held = False
    prepare_at = last + PREPARE_SECONDS
    while True:
        before = run.clock.monotonic()
        safe_point(run, deadline, watch=lambda: look(run, phase, breaker))
        last += run.clock.monotonic() - before  # a pause is no bake
        if run.signals.take(Request.PROMOTE):
            run.emit(Warned, phase=phase.id, reason="promoted: the rest of the bake is skipped")
            break
        look(run, phase, breaker)
        note_when_recorded(run, phase, step, deadline)
        now = run.clock.monotonic()
        if now >= prepare_at:
            prepare_after(run, step, running=False)  # what was prepared may have died meanwhile
            prepare_at = now + PREPARE_SECONDS
        spent, last = spent + now - last, now
        run.note_spent(phase, step, min(spent, step.bake))
        if spent >= step.bake:
            result = breaker.conclusion() if breaker is not None else None
            if _enough(run, phase, result, policy):
                break
            if not held and result is not None:
                run.emit(Warned, phase=phase.id, reason=f"holding: {result.reason}")
                held = True
        deadline.check(f"step {step.title}" + (" (held: it cannot be told whether it is good)" if held else ""))
        interval = breaker.interval if breaker is not None else 1.0
        run.signals.wait(min(interval, max(step.bake - spent, 0.05)) if spent < step.bake else interval)
    run.note_spent(phase, step, step.bake)


def look(run: Run, phase: PhasePlan, breaker: Watching | None) -> None:
    """Read the metrics once.

    Raises:
        Trouble: the breaker tripped.
    """
    if breaker is None:
        return
    reading = breaker.tick()
    if reading.tripped is None:
        run.tell_metrics(phase, reading)
        return
    trip, at = reading.tripped, run.clock.now()
    trouble = Trouble(f"the breaker tripped: {trip.metric} {trip.value:.4g} is over {trip.limit:.4g}")
    run.alarm(phase, str(trouble))  # before anybody is told: users are at risk
    run.tell_metrics(phase, reading)
    run.emit(BreakerTripped, at=at, phase=phase.id, metric=trip.metric, value=trip.value, limit=trip.limit)
    raise trouble


def _enough(run: Run, phase: PhasePlan, result: GateResult | None, policy: OnInconclusive) -> bool:
    if result is None or result.verdict is Verdict.PASSED:
        return True
    if result.verdict is Verdict.FAILED:
        raise Trouble(result.reason)
    if policy is OnInconclusive.ROLLBACK:
        raise Trouble(f"it cannot be told whether the new version is good: {result.reason}")
    if policy is OnInconclusive.CONTINUE:
        run.emit(Warned, phase=phase.id, reason=f"went on without knowing: {result.reason}")
        return True
    return False
