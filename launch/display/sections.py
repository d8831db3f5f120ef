"""The parts of the live view, each as a list of lines; `screen.py` makes them fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rich.text import Text

from launch.display import words
from launch.display.picture import ACTIVE, PhaseSeen, Picture
from launch.display.terminal import Symbols
from phases.states import LaunchState, PhaseState
from phases.verdict import Verdict

NEAR = 0.6
"""From this share of its limit on, a metric is shown as near it."""

_MARKS = {
    PhaseState.PENDING: ("pending", "dim"),
    PhaseState.VALIDATING: ("active", "cyan"),
    PhaseState.EXECUTING: ("active", "cyan"),
    PhaseState.VERIFIED: ("done", "green"),
    PhaseState.ROLLED_BACK: ("undone", "yellow"),
    PhaseState.FAILED: ("failed", "bold red"),
}
_VERDICTS = {
    Verdict.PASSED: ("done", "green"),
    Verdict.FAILED: ("failed", "bold red"),
    Verdict.INCONCLUSIVE: ("unsure", "yellow"),
}
_STATES = {
    LaunchState.COMPLETED: "bold green",
    LaunchState.ROLLED_BACK: "bold yellow",
    LaunchState.FAILED: "bold red",
    LaunchState.PAUSED: "bold yellow",
}


@dataclass(slots=True)
class Section:
    """Lines that belong together.

    Attributes:
        importance: where there is no room, the least important section loses lines first.
        focus: index of the line that goes last; those farthest from it go first.
    """

    importance: int
    lines: list[Text]
    title: str = ""
    focus: int = 0


@dataclass(frozen=True, slots=True)
class Pen:
    """How things are drawn."""

    width: int
    now: datetime
    symbols: Symbols
    hint: str = field(default="")

    def mark(self, name: str, style: str) -> Text:
        """Return one of the symbols in its colour."""
        return Text(f" {getattr(self.symbols, name)} ", style=style)

    def bar(self, share: float, width: int, style: str) -> Text:
        """Return a bar that is filled by a share from 0 to 1; a little is never shown as nothing."""
        filled = min(max(round(share * width), 1 if share > 0 else 0), width)
        return Text(self.symbols.full * filled, style=style) + Text(self.symbols.empty * (width - filled), style="dim")


def header(picture: Picture, pen: Pen) -> Section:
    """Return what is launched where, and the launch's state and time."""
    started = picture.started
    if started is None:
        return Section(9, [Text("launch is being prepared", style="bold")])
    seconds = picture.ended.seconds if picture.ended else max((pen.now - started.time).total_seconds(), 0.0)
    state = "ROLLING BACK" if picture.rollback and not picture.ended else words.verdict(picture.state)
    style = "bold red" if state == "ROLLING BACK" else _STATES.get(picture.state, "bold cyan")
    left = Text.assemble((started.release, "bold"), f" {pen.symbols.arrow} ", (started.environment, "bold"))
    left.append(f"   after {started.previous}" if started.previous else "   the first launch here", style="dim")
    right = Text.assemble((state, style), f"  {words.elapsed(seconds)}")
    gap = pen.width - left.cell_len - right.cell_len
    first = left + Text(" " * gap) + right if gap >= 2 else Text.assemble(right, "  ", left)
    word = ", resumed" if started.resumed else ""
    return Section(9, [first, Text(f"launch {started.launch}{word}, by {started.by}", style="dim")])


def rollback(picture: Picture, pen: Pen) -> Section | None:
    """Return what is undone, why, and what protected the users; None where nothing is."""
    if picture.rollback is None:
        return None
    word = "ROLLED BACK: " if picture.ended else "ROLLING BACK: "
    lines = [
        Text.assemble(pen.mark("failed", "bold red"), (word, "bold red"), picture.rollback.reason),
        Text.assemble("   ", words.progress(picture)),
    ]
    protected = words.protection(picture)
    if protected is not None:
        lines.append(Text.assemble("   protected by: ", (protected, "bold")))
    return Section(8, lines)


def phases(picture: Picture, pen: Pen) -> Section:
    """Return a line for each phase."""
    known = list(picture.phases.values())
    names = min(max((len(phase.title) for phase in known), default=0), max(pen.width // 2 - 8, 10))
    lines = []
    focus = 0
    for index, phase in enumerate(known):
        if phase.state is not PhaseState.PENDING:
            focus = index
        mark, style = _MARKS[phase.state]
        name = Text(phase.title, style="bold" if phase.state in ACTIVE else "dim" if mark == "pending" else "")
        name.truncate(names, overflow="ellipsis" if pen.symbols.ellipsis == "…" else "crop", pad=True)
        seconds = phase.seconds(pen.now)
        took = f"{words.elapsed(seconds):>7}" if seconds is not None else " " * 7
        lines.append(Text.assemble(pen.mark(mark, style), name, took, "  ", (sentence(picture, phase, pen), style)))
    current = picture.current
    if current is not None and picture.rollback is None:
        focus = known.index(current)
    return Section(7, lines, focus=focus)


def sentence(picture: Picture, phase: PhaseSeen, pen: Pen) -> str:
    """Return what a phase does now, or how it ended."""
    if phase.state is PhaseState.PENDING:
        return ""
    if phase.state not in ACTIVE or picture.rollback is not None:
        return phase.state.replace("_", " ") if phase.state not in ACTIVE else "to be undone"
    if picture.state is LaunchState.PAUSED:
        return "PAUSED; resume goes on"
    if phase.waiting and phase.asked is not None:
        return f"{phase.state}: asking {phase.waiting[0]}, {words.elapsed((pen.now - phase.asked).total_seconds())}"
    if picture.bake is not None and picture.bake.phase == phase.id:
        left = picture.bake.left(pen.now)
        return f"{phase.state}: watching, {words.elapsed(left)} left" if left else f"{phase.state}: holding"
    update = next(iter(picture.updates.values()), None)
    return f"{phase.state}: {update.title.removeprefix(phase.id + ' ')}" if update is not None else str(phase.state)


def users(picture: Picture, pen: Pen) -> Section | None:
    """Return the weights as bars, and the flags."""
    if not picture.weights:
        return None
    names = {slot: f"{picture.image(slot)} ({slot})".lstrip() for slot in picture.weights}
    width = min(max(map(len, names.values())), max(pen.width // 3, 8))
    room = max(min(pen.width - width - 10, 60), 4)
    lines = []
    for slot, weight in picture.weights.items():
        if picture.ended is not None and not weight:
            continue  # most likely the slot is gone
        new = picture.started is not None and slot == picture.started.slot
        style = ("red" if picture.rollback else "cyan") if new else "green"
        name = Text(names[slot][:width].ljust(width), style="bold" if new else "")
        lines.append(Text.assemble("   ", name, " ", pen.bar(weight / 100, room, style), f"{weight:>4}%"))
    if picture.flags:
        flags = "  ".join(f"{key} {variant}" for key, variant in picture.flags.items())
        lines.append(Text.assemble("   flags: ", flags))
    return Section(6, lines, title="Users")


def metrics(picture: Picture, pen: Pen) -> Section | None:
    """Return each metric against its limit, and how long the bake still is."""
    seen = picture.metrics
    if seen is None:
        return None
    names = max((len(words.metric(name)) for name in seen.limits), default=0)
    lines = [_metric(name, seen.values.get(name), limit, names, pen) for name, limit in seen.limits.items()]
    title = f"Breaker, {seen.requests} requests of the new version"
    bake = picture.bake
    if bake is not None:
        left = bake.left(pen.now)
        done = 1 - left / bake.seconds if bake.seconds else 1.0
        text = f"{words.elapsed(left)} of {words.elapsed(bake.seconds)} left" if left else "holding: it cannot tell yet"
        if bake.since is None:
            text = f"paused, {text}"
        bar = pen.bar(done, max(min(pen.width - names - 38, 30), 4), "blue")
        lines.insert(0, Text.assemble("   ", "watching".ljust(names), "  ", bar, f"  {text}"))
    return Section(5, lines, title=title)


def _metric(name: str, value: float | None, limit: float, names: int, pen: Pen) -> Text:
    share = (value or 0.0) / limit if limit else 0.0
    style = "bold red" if value is not None and value > limit else "yellow" if share >= NEAR else "green"
    bar = pen.bar(min(share, 1.0), max(min(pen.width - names - 38, 30), 4), style)
    shown = words.amount(name, value) if value is not None else "too few yet"
    line = Text.assemble("   ", words.metric(name).ljust(names), "  ", bar, "  ")
    line.append(f"{shown:>11}", style=style if value is not None else "dim")
    line.append(f"  limit {words.amount(name, limit)}", style="dim")
    return line


def gates(picture: Picture, pen: Pen) -> Section | None:
    """Return the verdicts, the newest last, and the gate that is asked now."""
    lines = []
    for seen in picture.gates.values():
        mark, style = _VERDICTS[seen.verdict]
        text = f"{seen.reason} ({words.elapsed(seen.seconds)})" if seen.seconds >= 1 else seen.reason
        lines.append(Text.assemble(pen.mark(mark, style), (seen.gate, "bold"), f"  {text}"))
    current = picture.current
    if current is not None and current.waiting and current.asked is not None:
        took = words.elapsed((pen.now - current.asked).total_seconds())
        lines.append(Text.assemble(pen.mark("active", "cyan"), (current.waiting[0], "bold"), f"  asked for {took}"))
    return Section(3, lines, title="Gates", focus=len(lines)) if lines else None


def updates(picture: Picture, pen: Pen) -> Section | None:
    """Return the stack updates under way."""
    lines = [
        Text.assemble(
            pen.mark("active", "cyan"), (stack, "bold"), f"  {update.title}, ",
            words.elapsed(max((pen.now - update.since).total_seconds(), 0.0)),
        )
        for stack, update in picture.updates.items()
    ]  # fmt: skip
    return Section(4, lines, title="Updates under way") if lines else None


def warnings(picture: Picture, pen: Pen) -> Section | None:
    """Return the newest warnings."""
    lines = [Text.assemble(pen.mark("warning", "bold yellow"), text) for text in picture.warnings[-3:]]
    return Section(4, lines, focus=len(lines)) if lines else None


def hint(pen: Pen) -> Section | None:
    """Return what Ctrl-C does."""
    return Section(2, [Text(pen.hint, style="dim")]) if pen.hint else None


def everything(picture: Picture, pen: Pen) -> Iterator[Section]:
    """Return every section that has something to say, from top to bottom."""
    parts = (header, rollback, phases, users, metrics, gates, updates, warnings)
    yield from (section for part in parts if (section := part(picture, pen)) is not None)
    below = hint(pen)
    if below is not None:
        yield below


def remains(picture: Picture, pen: Pen) -> Iterator[Section]:
    """Return what stays on the screen above the summary, which says the rest in sentences."""
    yield from (section for part in (header, phases, users, warnings) if (section := part(picture, pen)) is not None)
