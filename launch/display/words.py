"""Sentences about a launch that several views say alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from launch.display.picture import Picture
from phases.durations import show
from phases.states import LaunchState, PhaseState

METRICS: Final = {
    "error_rate": "errors",
    "latency_p99_ms": "p99 latency",
    "health_check_failures": "failed health checks",
    "error_ratio": "errors, times the old",
}


def metric(name: str) -> str:
    """Return what people call a metric."""
    return METRICS.get(name, name.replace("_", " "))


def amount(name: str, value: float | None) -> str:
    """Return a metric's value with its unit; a dash where it cannot be told."""
    if value is None:
        return "-"
    match name:
        case "error_rate":
            return f"{value * 100:.3g}%"
        case "latency_p99_ms":
            return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"
        case "error_ratio":
            return f"{value:.2g}x"
        case _:
            return f"{value:g}"


def elapsed(seconds: float) -> str:
    """Return a running duration: one digit after the point below a minute, so that it moves but does not flicker."""
    return f"{seconds:.1f}s" if seconds < 60 else show(seconds)


def people(percent: int) -> str:
    """Return how many users that are."""
    return {0: "no user", 100: "all users"}.get(percent, f"{percent}% of users")


def protection(picture: Picture) -> str | None:
    """Return what protected the users of a launch that is undone; None where it is none."""
    if picture.rollback is None or picture.started is None:
        return None
    if picture.tripped is not None:
        trip = picture.tripped
        value, limit = amount(trip.metric, trip.value), amount(trip.metric, trip.limit)
        what = f"the breaker: {metric(trip.metric)} {value}, limit {limit}"
    elif picture.refused is not None:
        what = f"gate {picture.refused.gate} of {picture.refused.phase}"
    elif "interrupted" in picture.rollback.reason or "abort" in picture.rollback.reason:
        what = "a person stopped it"
    elif picture.started.resumed:
        return None  # what it was happened in another process
    else:
        what = f"phase {picture.rollback.phase} failed"
    exposed = picture.exposed
    if exposed is None:
        return what
    if exposed == 0:
        return f"{what}, before any user had it"
    return f"{what}, while {people(exposed)} had it"


def progress(picture: Picture) -> str:
    """Return how far a rollback is."""
    assert picture.rollback is not None  # noqa: S101 - asked only during one
    undo = picture.rollback.undo
    if not undo:
        return "nothing had been changed"
    done = [name for name in undo if picture.phase(name).state is PhaseState.ROLLED_BACK]
    failed = [name for name in undo if picture.phase(name).state is PhaseState.FAILED]
    text = f"{len(done)} of {len(undo)} undone, newest first: {', '.join(undo)}"
    return text + (f"; could not undo {', '.join(failed)}" if failed else "")


def users_have(picture: Picture) -> str:
    """Return what users have when a launch is over, in a sentence."""
    started = picture.started
    if started is None:
        return "nothing was begun"
    match picture.state:
        case LaunchState.COMPLETED:
            flags = ", ".join(f"{key} {variant}" for key, variant in picture.flags.items())
            return f"users have {started.release}" + (f", flags: {flags}" if flags else "")
        case LaunchState.ROLLED_BACK if started.previous is None:
            return f"nothing is left of {started.release}, and nothing ran before it"
        case LaunchState.ROLLED_BACK:
            return f"users have {started.previous}, as before the launch"
        case _:
            pass
    shares = [
        f"{people(weight)} {'have' if weight else 'has'} {picture.image(slot) or slot}"
        for slot, weight in picture.weights.items()
        if weight
    ]
    return ", ".join(shares) or "no user has the new version"


def verdict(state: LaunchState) -> str:
    """Return what a launch's last state means."""
    return {
        LaunchState.COMPLETED: "COMPLETED",
        LaunchState.ROLLED_BACK: "ROLLED BACK",
        LaunchState.FAILED: "FAILED, a person is needed",
        LaunchState.PAUSED: "PAUSED",
    }.get(state, state.value)


def what_next(picture: Picture) -> Iterator[str]:
    """Return what to do after the launch: commands, each with a comment that a shell skips."""
    ended, started = picture.ended, picture.started
    if ended is None or started is None:
        return
    environment = started.environment
    if ended.next_command:
        if ended.state is LaunchState.PAUSED:
            yield f"{ended.next_command}  # goes on"
            yield f"python -m launch abort {environment}  # goes back"
        else:
            yield f"{ended.next_command}  # finishes the rollback"
    elif ended.state is LaunchState.COMPLETED:
        yield f"python -m launch status {environment}  # what runs, and where"
        if started.previous is not None:
            yield f"python -m launch rollback {environment}  # back to {started.previous}"
    else:
        yield f"python -m launch history {environment}  # what each update changed"
        yield f"python -m launch up {environment} --image {started.release}  # tries again"
