"""Plain lines, for pipelines and files: what is slow is named before it begins, and its duration told afterwards."""

from __future__ import annotations

from typing import TextIO

from launch.display.clean import clean
from launch.display.picture import Picture, title
from launch.display.summary import summary
from launch.display.terminal import one_line
from launch.display.words import amount, metric
from phases import events
from phases.durations import show
from phases.events import Event
from phases.spec import LaunchSpec


class Plain:
    """Writes a line for every event a person cares about, and a summary when the launch is over.

    Args:
        stream: where to.
        spec: the sequence, for titles.
        secrets: values that must not be shown.
        picture: what happened so far, where these lines take over from another view.
    """

    def __init__(
        self, stream: TextIO, spec: LaunchSpec, *, secrets: tuple[str, ...] = (), picture: Picture | None = None
    ) -> None:
        self._stream, self._secrets = stream, secrets
        self._picture = picture or Picture(spec)

    def __call__(self, event: Event) -> None:
        """Write the event's line, if it has one."""
        event = clean(event, self._secrets)
        self._picture.apply(event)
        begun = self._picture.rollback
        text = line(event, told=begun.reason if begun is not None else None)
        if text is not None:
            clock = event.time.astimezone().strftime("%H:%M:%S")
            self._stream.write(f"{clock} {one_line(text)}\n")
            self._stream.flush()
        if isinstance(event, events.LaunchEnded):
            self._end()

    def _end(self) -> None:
        label = ""
        for number, (name, words) in enumerate(summary(self._picture)):
            label = name or label
            self._stream.write(f"{'' if number == 0 else '  '}{label}: {one_line(words)}\n")
        self._stream.flush()


def line(event: Event, *, told: str | None = None) -> str | None:  # noqa: C901 - one case an event
    """Return what to say about an event; None for those that say too much too often.

    Args:
        event: what happened.
        told: the reason of the rollback, which is not told again with every phase that it undoes.
    """
    match event:
        case events.PhaseMoved(reason=reason) if reason == told:
            return f"{event.phase}: {event.to}"
        case events.LaunchEnded(reason=reason) if reason == told:
            return f"launch {event.state} after {show(event.seconds)}"
        case events.LaunchStarted():
            before = f", {event.previous} runs now" if event.previous else ", the first launch here"
            word = "resumed" if event.resumed else "started"
            return f"launch {event.launch} {word}: {event.release} in {event.environment}{before}"
        case events.PhaseMoved():
            return f"{event.phase}: {event.to} ({event.reason})"
        case events.LaunchMoved():
            return f"launch: {event.to} ({event.reason})"
        case events.GateChecked():
            took = f" ({show(event.seconds)})" if event.seconds >= 1 else ""
            return f"{event.phase}: gate {event.gate} {event.verdict}: {event.reason}{took}"
        case events.UpdateStarted():
            return f"{event.stack}: {title(event.message)} ..."
        case events.UpdateApplied():
            changes = ", ".join(f"{count} {op}" for op, count in event.changes.items()) or "nothing to do"
            return f"{event.stack}: {title(event.message)}: {changes} ({show(event.seconds)})"
        case events.UpdateFailedEvent():
            return f"{event.stack}: {title(event.message)}: FAILED: {event.reason}"
        case events.TrafficShifted():
            shares = ", ".join(f"{slot} {weight}%" for slot, weight in event.weights.items()) or "nobody anywhere"
            flags = "".join(f", {key} {variant}" for key, variant in event.flags.items())
            return f"{event.phase}: users are on {shares}{flags}"
        case events.BakeStarted():
            return f"{event.phase}: watching for {show(max(event.seconds - event.spent, 0.0))} ..."
        case events.BreakerTripped():
            value, limit = amount(event.metric, event.value), amount(event.metric, event.limit)
            return f"{event.phase}: BREAKER TRIPPED: {metric(event.metric)} {value} over the limit of {limit}"
        case events.RollbackStarted():
            return f"ROLLING BACK {', '.join(event.undo) or 'nothing'}: {event.reason}"
        case events.Warned():
            return f"{event.phase + ': ' if event.phase else ''}warning: {event.reason}"
        case events.LaunchEnded():
            return f"launch {event.state} after {show(event.seconds)}: {event.reason}"
        case _:
            return None
