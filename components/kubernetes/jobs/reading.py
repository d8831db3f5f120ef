"""What the status of a Job and of its pods says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from components.kubernetes.jobs.manifest import RECORD
from components.kubernetes.jobs.order import Direction

HOPELESS = frozenset(
    {"InvalidImageName", "ErrImageNeverPull", "ImagePullBackOff", "CreateContainerConfigError", "CreateContainerError"}
)
"""Why a container waits that will never start without somebody's help."""


STOPPED = "Stopped"
"""The reason of a Job that was stopped before its end; it is no word of Kubernetes."""


class State(Enum):
    """How far a Job is."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    """Or stopped before its end: what it did is not known."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A Job that moves, or moved, the schema.

    Attributes:
        name: the Job's.
        state: how far it is.
        serial: which move of the resource it is.
        since: the revision before.
        target: the revision after.
        direction: `up` or `down`.
        initial: the revision that the resource found the database at.
        inputs: the inputs of the release that it moves.
        reason: of a failed one, in Kubernetes' word.
    """

    name: str
    state: State
    serial: int
    since: str
    target: str
    direction: Direction
    initial: str
    inputs: Mapping[str, Any] = field(repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a Job.

    Attributes:
        complete: it succeeded.
        reason: why not.
        began: whether any of its containers ran; if none did, nothing was changed.
        running: it is not over, only the time for it is.
    """

    complete: bool
    reason: str = ""
    began: bool = True
    running: bool = False


def state_of(job: Any) -> tuple[State, str]:  # noqa: ANN401
    """Return how far a Job is, and why it failed.

    `FailureTarget` and `SuccessCriteriaMet` come before its pods have ended, and do not count.
    """
    for condition in job.status.conditions or []:
        if condition.status != "True":
            continue
        if condition.type == "Complete":
            return State.COMPLETE, ""
        if condition.type == "Failed":
            return State.FAILED, condition.reason or "Failed"
    if job.spec.suspend:
        return State.FAILED, STOPPED
    return State.RUNNING, ""


def recorded(job: Any) -> Recorded | None:  # noqa: ANN401
    """Return what a Job records about itself; None for one that moves nothing, or is being removed."""
    text = (job.metadata.annotations or {}).get(RECORD)
    if text is None or job.metadata.deletion_timestamp is not None:
        return None
    state, reason = state_of(job)
    raw = json.loads(text)
    return Recorded(name=job.metadata.name, state=state, reason=reason, **raw)


def _statuses(pod: Any) -> list[Any]:  # noqa: ANN401
    return [status.state for status in pod.status.container_statuses or [] if status.state is not None]


def terminated(pod: Any) -> list[Any]:  # noqa: ANN401
    """Return the ends of a pod's containers."""
    return [state.terminated for state in _statuses(pod) if state.terminated is not None]


def began(pod: Any) -> bool:  # noqa: ANN401
    """Whether a container of the pod ran."""
    return any(state.running is not None or state.terminated is not None for state in _statuses(pod))


def waiting(pod: Any) -> str:  # noqa: ANN401
    """Return why a container of the pod does not run yet."""
    return next((state.waiting.reason or "" for state in _statuses(pod) if state.waiting is not None), "")


def explained(reason: str, pods: Sequence[Any]) -> str:
    """Return why a Job failed: its own word, and those of its pods."""
    details: list[str] = []
    for pod in pods:
        for state in _statuses(pod):
            if state.terminated is not None and state.terminated.exit_code:
                details.append(f"exit code {state.terminated.exit_code}")
            if state.waiting is not None and state.waiting.reason:
                details.append(": ".join(filter(None, (state.waiting.reason, state.waiting.message))))
        details.extend(
            condition.message or condition.reason or "it was not scheduled"
            for condition in pod.status.conditions or []
            if condition.type == "PodScheduled" and condition.status == "False"
        )
    unique = [each for each in dict.fromkeys(details) if each != reason]
    if any(each.startswith(f"{reason}: ") for each in unique):
        return "; ".join(unique)
    return f"{reason} ({'; '.join(unique)})" if unique else reason
