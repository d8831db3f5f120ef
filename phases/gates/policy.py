"""`policy`: rules of the organisation, written in Rego, over the whole launch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from phases.durations import Duration, show
from phases.gates.base import Gate, GateContext
from phases.gates.bounds import Unanswered, bounded, over
from phases.policy.engine import Decision, EngineLost, PolicyBroken, evaluate
from phases.policy.files import STARTER, PolicyFile, PolicyFileError, read
from phases.redact import redact_result
from phases.verdict import GateResult, failed, inconclusive, passed

_SHOWN = 20
_CHECK_SECONDS = 30.0
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""As Rego's `time.weekday` has them; `strftime` would ask the machine's language."""


def _zone(name: str) -> str:
    try:
        _tz(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone here; write one such as UTC or Europe/Berlin") from error
    return name


def _tz(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)  # UTC needs no time zone database


class Policy(Gate):
    """Evaluates Rego policies: what `deny` holds stops the launch, what `warn` holds is shown."""

    type: ClassVar[str] = "policy"

    paths: tuple[str, ...] = ()
    """Files or folders of `.rego` files, in the project. Without any, the starter policies."""
    starter: bool = False
    """The starter policies too, beside `paths`."""
    data: Mapping[str, Any] = Field(default_factory=dict)
    """What the policies find under `data`, such as `settings` of the starter policies."""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Where it is what time: for `input.clock`."""
    timeout: Duration = Field(default=10.0, gt=0)
    """After this the evaluation is ended, and the gate is inconclusive."""

    def problems(self, root: Path) -> tuple[str, ...]:
        """Return what is wrong with the policies: missing files, and what does not compile, with file and line."""
        try:
            # Over nothing, and not strict: only what is wrong with every document is wrong with the policy.
            evaluate(self._files(root), {}, data=self.data, strict=False, expired=_within(_CHECK_SECONDS))
        except (PolicyFileError, PolicyBroken, EngineLost) as error:
            return (str(error),)
        return ()

    def check(self, context: GateContext) -> GateResult:
        """Evaluate the policies over the launch."""
        return redact_result(self._judge(context), context.secrets)

    def _files(self, root: Path) -> tuple[PolicyFile, ...]:
        starter = (str(STARTER),) if self.starter or not self.paths else ()
        return read((*self.paths, *starter), root)

    def _judge(self, context: GateContext) -> GateResult:
        try:
            files = self._files(context.root)
            document = bounded(context, context.document)
        except PolicyFileError as error:
            return failed(str(error))
        except Unanswered as reason:
            return inconclusive(f"the launch could not be described to the policies: {reason}")
        except Exception as error:  # noqa: BLE001 - a database that does not answer is not a launch against the rules
            return inconclusive(f"the launch could not be described to the policies: {error}")
        evidence: dict[str, Any] = {"policies": [file.name for file in files]}
        limit = context.clock.monotonic() + self.timeout

        def expired() -> str | None:
            late = context.clock.monotonic() >= limit
            return over(context) or (f"the timeout of {show(self.timeout)} was over" if late else None)

        described = {**document, "clock": _clock(context.clock.now(), self.timezone)}
        try:
            decision = evaluate(files, described, data=self.data, expired=expired)
        except PolicyBroken as error:
            return failed(f"a policy cannot be evaluated: {error}", evidence)
        except EngineLost as error:
            return inconclusive(str(error), evidence)
        return _verdict(decision, evidence)


def _verdict(decision: Decision, evidence: dict[str, Any]) -> GateResult:
    for name, messages in (("deny", decision.deny), ("warn", decision.warn)):
        if messages:
            evidence[name] = list(messages[:_SHOWN])
            evidence[f"{name}_count"] = len(messages)
    warnings = decision.warn[:_SHOWN]
    if decision.deny:
        more = f" (and {len(decision.deny) - 1} more)" if len(decision.deny) > 1 else ""
        return failed(f"denied: {decision.deny[0]}{more}", evidence, warnings=warnings)
    return passed(f"{len(evidence['policies'])} policy file(s) deny nothing", evidence, warnings=warnings)


def _clock(now: datetime, timezone: str) -> dict[str, Any]:
    """Return the time in parts: not every Rego interpreter knows time zones."""
    local = now.astimezone(_tz(timezone))
    return {
        "weekday": _WEEKDAYS[local.weekday()],
        "date": local.date().isoformat(),
        "hour": local.hour,
        "minute": local.minute,
        "timezone": timezone,
    }


def _within(seconds: float) -> Callable[[], str | None]:
    end = time.monotonic() + seconds
    return lambda: f"{show(seconds)} were over" if time.monotonic() >= end else None
