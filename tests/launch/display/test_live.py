"""The live view on a terminal: it cannot harm the launch, hides secrets, and leaves a summary."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from launch.display import live
from launch.display.live import Live
from phases.events import Event
from phases.spec import LaunchSpec

Read = Callable[[str], list[Event]]


class Terminal(io.StringIO):
    """A terminal that keeps what was written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


def test_the_summary_stays_on_the_screen(terminal: Terminal, recorded: Read, spec: LaunchSpec) -> None:
    with Live(spec, stream=terminal) as view:
        for event in recorded("breaker"):
            view(event)
    end = terminal.getvalue()[-900:]
    assert "ROLLED BACK" in end
    assert "users have shop:1.0, as before the launch" in end
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1  # cursor is back


def test_nothing_is_drawn_before_the_launch_begins(terminal: Terminal, spec: LaunchSpec) -> None:
    with Live(spec, stream=terminal):
        pass
    assert terminal.getvalue() == ""


def test_secrets_are_not_shown(terminal: Terminal, recorded: Read, spec: LaunchSpec) -> None:
    with Live(spec, stream=terminal, secrets=("answered 503", "GET /health")) as view:
        for event in recorded("gate"):
            view(event)
    assert "GET /health" not in terminal.getvalue()
    assert "503" not in terminal.getvalue()


def test_no_colour_where_none_is_wanted(
    terminal: Terminal, recorded: Read, spec: LaunchSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with Live(spec, stream=terminal) as view:
        for event in recorded("first"):
            view(event)
    assert "\x1b[32m" not in terminal.getvalue()
    assert "\x1b[1;32m" not in terminal.getvalue()


def test_an_error_in_drawing_is_seen_and_the_launch_goes_on_in_plain_lines(
    terminal: Terminal,
    recorded: Read,
    spec: LaunchSpec,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug in drawing")

    monkeypatch.setattr(live, "screen", broken)
    with Live(spec, stream=terminal) as view:
        for event in recorded("breaker"):
            view(event)
    assert "ZeroDivisionError: a bug in drawing" in capsys.readouterr().err
    assert "BREAKER TRIPPED: errors 2.27% over the limit of 2%" in terminal.getvalue()
    assert "now: users have shop:1.0, as before the launch" in terminal.getvalue()
