"""Real launches, replayed: what people saw of each, in a small window, a large one, and a file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from launch.display.json_lines import JsonLines
from launch.display.picture import Picture
from launch.display.plain import Plain
from launch.display.screen import remains, screen
from launch.display.summary import summary
from launch.display.terminal import UNICODE
from phases.events import BakeStarted, Event, GateChecked, RollbackStarted, UpdateStarted
from phases.spec import LaunchSpec

Read = Callable[[str], list[Event]]
Expect = Callable[[str, str], None]

TOLD = (BakeStarted, GateChecked, RollbackStarted, UpdateStarted)
"""A frame is drawn half a second after each of these."""


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
def test_the_live_view(launch: str, recorded: Read, spec: LaunchSpec, expect: Expect, width: int, height: int) -> None:
    picture = Picture(spec)
    frames: list[str] = []
    for event in recorded(launch):
        picture.apply(event)
        if isinstance(event, TOLD):
            now = event.time + timedelta(seconds=0.5)
            lines = screen(picture, width=width, height=height, now=now, symbols=UNICODE, hint="Ctrl-C rolls back")
            frames.append(f"===== {event.name}\n" + "".join(f"{line.plain.rstrip()}\n" for line in lines))
    last = remains(picture, width=width, now=recorded(launch)[-1].time, symbols=UNICODE)
    rows = [f"{label}: {text}" for label, text in summary(picture)]
    frames.append("===== what stays\n" + "".join(f"{line.plain.rstrip()}\n" for line in last) + "\n".join(rows) + "\n")
    expect(f"{launch}.{width}x{height}.txt", "".join(frames))


def test_plain_lines(launch: str, recorded: Read, spec: LaunchSpec, expect: Expect) -> None:
    stream = io.StringIO()
    plain = Plain(stream, spec)
    for event in recorded(launch):
        plain(event)
    text = stream.getvalue()
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    expect(f"{launch}.plain.txt", text)


def test_json_lines_are_the_events_and_nothing_else(launch: str, recorded: Read) -> None:
    stream = io.StringIO()
    json_lines = JsonLines(stream)
    events = recorded(launch)
    for event in events:
        json_lines(event)
    objects = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert objects == [event.to_json() for event in events]
    assert all(list(body)[:4] == ["time", "launch", "environment", "event"] for body in objects)
