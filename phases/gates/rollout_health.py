"""`rollout_health`: the new slot's instances run, all of them, and stay up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from phases.durations import Duration, show
from phases.gates.base import Gate, GateContext, Moment, Rollout, RolloutView
from phases.gates.bounds import Unanswered, bounded, left, over, pause
from phases.kinds import PhaseKind
from phases.redact import redact_result
from phases.verdict import GateResult, failed, inconclusive, passed

_POLL_SECONDS = 1.0
_SHOWN = 5


class RolloutHealth(Gate):
    """The platform says that the new slot is rolled out, and nothing of it crashes, hangs or cannot be fetched."""

    type: ClassVar[str] = "rollout_health"

    restarts: int = Field(default=0, ge=0)
    """How often its instances may have been started anew, all together."""
    stable: Duration = 0.0
    """For how long it has to stay so before the gate passes."""
    wait: Duration = 60.0
    """How long it may take to become so; trouble that waiting does not cure fails at once."""

    @classmethod
    def moments(cls, kind: PhaseKind) -> frozenset[Moment]:
        """Return exit in a deploy phase, else entry."""
        return frozenset({Moment.EXIT if kind is PhaseKind.DEPLOY else Moment.ENTRY})

    def check(self, context: GateContext) -> GateResult:
        """Look until the slot is well for long enough, or cannot become so."""
        rollout, slot = context.rollout, context.slot
        if rollout is None:
            return inconclusive(f"the platform of {context.environment} does not tell how the instances of a slot are")
        if slot is None:
            return inconclusive(f"there is no slot to look at, at the {context.moment} of {context.phase}")
        return redact_result(self._watch(context, rollout, slot), context.secrets)

    def _watch(self, context: GateContext, rollout: Rollout, slot: str) -> GateResult:
        began = context.clock.monotonic()
        well_since: float | None = None
        while True:
            view = _look(context, rollout, slot)
            if isinstance(view, GateResult):
                return view
            if (wrong := self._wrong(view)) is not None:
                return failed(f"slot {slot}: {wrong}", _evidence(view))
            now = context.clock.monotonic()
            well = view.complete and not view.problems
            if not well:
                well_since = None
                if now - began >= self.wait:
                    return failed(f"slot {slot} after {show(now - began)}: {_lacking(view)}", _evidence(view))
            else:
                well_since = now if well_since is None else well_since
                if now - well_since >= self.stable:
                    return passed(_well(slot, view), _evidence(view))
            rest = self.stable - (now - well_since) if well_since is not None else _POLL_SECONDS
            if not pause(context, min(_POLL_SECONDS, rest)):
                return self._cut(context, slot, view)

    def _wrong(self, view: RolloutView) -> str | None:
        """Return what waiting does not cure."""
        lasting = [problem for problem in view.problems if problem.lasting]
        if lasting:
            return _told([problem.message for problem in lasting], view.events)
        if view.restarts > self.restarts:
            times = "once" if view.restarts == 1 else f"{view.restarts} times"
            may = "none may" if not self.restarts else f"{self.restarts} may"
            return _told([f"its instances were started anew {times}, {may}"], view.events)
        return None

    def _cut(self, context: GateContext, slot: str, view: RolloutView) -> GateResult:
        reason = over(context) or ("the phase's time was over" if left(context) <= 0 else "it was stopped")
        state = _lacking(view) if not view.complete or view.problems else "it was well so far"
        return inconclusive(f"slot {slot}: {state}, but {reason}", _evidence(view))


def _look(context: GateContext, rollout: Rollout, slot: str) -> RolloutView | GateResult:
    try:
        return bounded(context, lambda: rollout.look(slot))
    except LookupError as error:
        return failed(f"slot {slot} is not there: {error.args[0] if error.args else slot}")
    except Unanswered as reason:
        return inconclusive(f"the platform did not say how slot {slot} is: {reason}")
    except Exception as error:  # noqa: BLE001 - a platform that does not answer is no bad release
        return inconclusive(f"the platform did not say how slot {slot} is: {error}")


def _lacking(view: RolloutView) -> str:
    counted = f"{view.available} of {view.wanted} instances serve"
    return _told([counted, *(problem.message for problem in view.problems)], view.events)


def _well(slot: str, view: RolloutView) -> str:
    restarts = f", started anew {view.restarts} times" if view.restarts else ""
    return f"slot {slot}: {view.available} of {view.wanted} instances serve{restarts}"


def _told(parts: Sequence[str], events: Sequence[str]) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    said = f" (the platform's last warning: {events[-1]})" if events else ""
    return "; ".join(parts[:_SHOWN]) + more + said


def _evidence(view: RolloutView) -> dict[str, Any]:
    evidence: dict[str, Any] = {"wanted": view.wanted, "available": view.available, "restarts": view.restarts}
    if view.problems:
        evidence["problems"] = [
            {"kind": problem.kind, "message": problem.message} for problem in view.problems[: 2 * _SHOWN]
        ]
    if view.events:
        evidence["events"] = list(view.events[-2 * _SHOWN :])
    return evidence
