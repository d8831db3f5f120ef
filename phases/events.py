"""What happens in a launch, as frozen values. Display, JSON lines, the record and tests are observers of these.

The names and fields are a contract others script against (`--output json`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from phases.states import LaunchState, PhaseState
from phases.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; `name` is its name in JSON."""

    name: ClassVar[str] = ""
    time: datetime
    launch: str
    environment: str

    def to_json(self) -> dict[str, Any]:
        """Return the event as the JSON object that the contract promises."""
        body: dict[str, Any] = {
            "time": self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "launch": self.launch,
            "environment": self.environment,
            "event": self.name,
        }
        for field in fields(self):
            if field.name not in ("time", "launch", "environment"):
                body[field.name.rstrip("_")] = _plain(getattr(self, field.name))
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchStarted(Event):
    """The launch owns the environment."""

    name: ClassVar[str] = "launch.started"
    release: str
    digest: str
    previous: str | None
    by: str
    resumed: bool = False
    phases: tuple[str, ...] = ()
    slot: str = ""
    """The new slot."""
    previous_slot: str | None = None
    """The slot that users are on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseMoved(Event):
    """A phase moved from one state to another."""

    name: ClassVar[str] = "phase.moved"
    phase: str
    from_: PhaseState
    to: PhaseState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchMoved(Event):
    """The launch as a whole moved (paused, running again, rolling back)."""

    name: ClassVar[str] = "launch.moved"
    from_: LaunchState
    to: LaunchState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChecked(Event):
    """A gate answered."""

    name: ClassVar[str] = "gate.checked"
    phase: str
    gate: str
    verdict: Verdict
    evidence: Mapping[str, Any]
    reason: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStarted(Event):
    """A stack update began."""

    name: ClassVar[str] = "update.started"
    phase: str | None
    stack: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateApplied(Event):
    """A stack update was applied."""

    name: ClassVar[str] = "update.applied"
    phase: str | None
    stack: str
    message: str
    changes: Mapping[str, int]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFailedEvent(Event):
    """A stack update failed; the reason names the resource."""

    name: ClassVar[str] = "update.failed"
    phase: str | None
    stack: str
    message: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepApplied(Event):
    """A step of a phase is done; the marker has moved."""

    name: ClassVar[str] = "step.applied"
    phase: str
    step: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShifted(Event):
    """The weights, or the flags, are now these."""

    name: ClassVar[str] = "traffic.shifted"
    phase: str
    weights: Mapping[str, int]
    flags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeStarted(Event):
    """A step bakes: the breaker watches for `seconds`, of which `spent` are over already."""

    name: ClassVar[str] = "bake.started"
    phase: str
    step: str
    seconds: float
    spent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsRead(Event):
    """What the breaker saw, once an interval; `limits` has the same keys as `values`."""

    name: ClassVar[str] = "metrics.read"
    phase: str
    values: Mapping[str, float | None]
    limits: Mapping[str, float]
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTripped(Event):
    """The breaker tripped: `value` of `metric` is over `limit`."""

    name: ClassVar[str] = "breaker.tripped"
    phase: str
    metric: str
    value: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackStarted(Event):
    """What really ran is being undone, newest first."""

    name: ClassVar[str] = "rollback.started"
    phase: str
    reason: str
    undo: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Event):
    """Something a person should know that stops nothing."""

    name: ClassVar[str] = "warning"
    phase: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchEnded(Event):
    """The launch is over."""

    name: ClassVar[str] = "launch.ended"
    state: LaunchState
    seconds: float
    reason: str
    left: tuple[str, ...] = ()
    next_command: str | None = None


Observer = Callable[[Event], None]
"""Called on the loop's own thread, in order; an exception in one is a bug that shows."""


def parse(body: Mapping[str, Any]) -> Event:
    """Return the event that a JSON object of the contract describes; the inverse of `Event.to_json`.

    Raises:
        ValueError: it is none, or one of a newer version.
    """
    kinds = {kind.name: kind for kind in Event.__subclasses__()}
    kind = kinds.get(str(body.get("event")))
    if kind is None:
        raise ValueError(f"unknown event {body.get('event')!r}")
    values: dict[str, Any] = {}
    for field in fields(kind):
        key = field.name.rstrip("_")
        if key in body:
            values[field.name] = _typed(kind, field.name, body[key])
    return kind(**values)


def _typed(kind: type[Event], name: str, value: Any) -> Any:  # noqa: ANN401
    if name == "time":
        return datetime.fromisoformat(value)
    if name == "verdict":
        return Verdict(value)
    if name in ("from_", "to"):
        return PhaseState(value) if kind is PhaseMoved else LaunchState(value)
    if name == "state":
        return LaunchState(value)
    return tuple(value) if isinstance(value, list) else value


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 4)
    return value
