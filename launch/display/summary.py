"""What stays on the screen when a launch is over."""

from __future__ import annotations

from collections.abc import Iterator

from launch.display.picture import Picture
from launch.display.words import progress, protection, users_have, verdict, what_next
from phases.durations import show
from phases.states import LaunchState


def summary(picture: Picture) -> Iterator[tuple[str, str]]:
    """Return pairs of a label and a text; empty where the launch is not over."""
    ended, started = picture.ended, picture.started
    if ended is None or started is None:
        return
    yield verdict(ended.state), f"{started.release} in {started.environment}, after {show(ended.seconds)}"
    yield "why", ended.reason
    protected = protection(picture)
    if protected is not None and ended.state is not LaunchState.COMPLETED:
        yield "protected by", protected
        yield "undone", progress(picture)
    yield "now", users_have(picture)
    for item in ended.left:
        yield "left", item
    for number, text in enumerate(what_next(picture)):
        yield "next" if number == 0 else "", text
