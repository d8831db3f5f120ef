"""The view fits every window, at every moment of every launch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.display.picture import Picture
from launch.display.screen import screen
from launch.display.terminal import ASCII, UNICODE, can_move_cursor, symbols
from phases.events import Event
from phases.spec import LaunchSpec

Read = Callable[[str], list[Event]]


@given(data=st.data(), width=st.integers(1, 260), height=st.integers(1, 60), ascii_only=st.booleans())
def test_it_is_never_wider_or_higher_than_the_window(
    data: st.DataObject, width: int, height: int, ascii_only: bool, recorded: Read, spec: LaunchSpec
) -> None:
    events = recorded(data.draw(st.sampled_from(["breaker", "gate", "first", "resumed", "undo"])))
    seen = data.draw(st.integers(0, len(events)))
    picture = Picture(spec)
    for event in events[:seen]:
        picture.apply(event)
    chosen = ASCII if ascii_only else UNICODE
    lines = screen(picture, width=width, height=height, now=events[-1].time, symbols=chosen, hint="Ctrl-C rolls back")
    assert 1 <= len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
    assert all("\n" not in line.plain for line in lines)
    if ascii_only:
        assert all(line.plain.isascii() for line in lines)


@pytest.mark.parametrize("height", range(3, 24))
def test_what_runs_now_stays_in_the_smallest_window(height: int, recorded: Read, spec: LaunchSpec) -> None:
    """A launch of the first phases' time: the state and the phase at work go last."""
    picture = Picture(spec)
    for event in recorded("breaker")[:30]:
        picture.apply(event)
    lines = [line.plain for line in screen(picture, width=80, height=height, now=event.time, symbols=UNICODE)]
    assert "RUNNING" in lines[0]
    assert any("Traffic Shift" in line for line in lines)


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", UNICODE), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("?", ASCII)]
)
def test_characters_are_those_the_terminal_can_show(encoding: str | None, expected: object) -> None:
    assert symbols(encoding) is expected


class _Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("term", "expected"), [("xterm", True), ("dumb", False), ("unknown", False)])
def test_a_dumb_terminal_gets_plain_lines(term: str, expected: bool) -> None:
    assert can_move_cursor(_Terminal(), {"TERM": term}) is expected  # type: ignore[arg-type]
