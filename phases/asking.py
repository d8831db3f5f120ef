"""Asking the gates of a phase."""

from __future__ import annotations

import logging

from phases.deadline import Deadline
from phases.events import Warned
from phases.gates.base import Moment
from phases.gates.registry import ValidatorBase
from phases.plan import PhasePlan
from phases.run import Run
from phases.safe_point import safe_point, while_working
from phases.thresholds import OnInconclusive
from phases.trouble import Trouble
from phases.verdict import GateResult, Verdict, inconclusive

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""Between two questions to a gate that could not tell."""


def ask_all(run: Run, phase: PhasePlan, moment: Moment, deadline: Deadline) -> None:
    """Ask every gate of that moment, in order; return when all passed.

    Raises:
        Trouble: one failed, or could not tell for as long as its policy allows.
    """
    for validator in phase.spec.validators:
        if validator.asked_at(phase.spec.kind, moment):
            _ask(run, phase, validator, moment, deadline)


def _ask(run: Run, phase: PhasePlan, validator: ValidatorBase, moment: Moment, deadline: Deadline) -> None:
    policy = validator.on_inconclusive or phase.spec.on_inconclusive
    told = ""
    while True:
        safe_point(run, deadline)
        began = run.clock.monotonic()
        result = _check(run, phase, validator, moment, deadline)
        if result.verdict is not Verdict.INCONCLUSIVE or result.reason != told:
            run.note_gate(phase, validator.type, result, run.clock.monotonic() - began)
            told = result.reason
        if result.verdict is Verdict.PASSED:
            return
        if result.verdict is Verdict.FAILED:
            raise Trouble(f"gate {validator.type} failed: {result.reason}")
        if run.signals.stop.is_set():
            safe_point(run, deadline)  # says who stopped it: that is no verdict, whatever the policy
        if policy is OnInconclusive.CONTINUE:
            run.emit(Warned, phase=phase.id, reason=f"gate {validator.type} could not tell: {result.reason}")
            return
        if policy is OnInconclusive.ROLLBACK:
            raise Trouble(f"gate {validator.type} could not tell: {result.reason}")
        if run.clock.monotonic() + RETRY_SECONDS >= deadline.at:
            raise deadline.trouble(f"gate {validator.type} could not tell ({result.reason}) and")
        run.signals.wait(RETRY_SECONDS)


def _check(run: Run, phase: PhasePlan, validator: ValidatorBase, moment: Moment, deadline: Deadline) -> GateResult:
    context = run.world.context(phase, moment, run.control(deadline.at))
    try:
        return while_working(run, lambda: validator.gate.check(context), deadline)
    except TimeoutError:
        return inconclusive("it did not answer")
    except Trouble:
        raise
    except Exception as error:  # a broken gate is no verdict on the release, and the launch must end in a known state
        log.exception("gate %s raised", validator.type)
        return inconclusive(f"it raised {type(error).__name__}: {error}")
