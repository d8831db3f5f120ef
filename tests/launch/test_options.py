"""Which launch a command is about, and what is said where there is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from launch import options
from launch.options import running, unfinished
from phases.errors import EngineError


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A launch that runs on this machine; a test changes what it wants to differ."""
    record = SimpleNamespace(id="01J", state="RUNNING", owns=True, host="build-7", pid=42)
    made = SimpleNamespace(record=record, unfinished=True, alive=True, is_here=True)
    monkeypatch.setattr("launch.taking_over.Standing", lambda _: made)
    return made


def test_a_running_launch_is_asked_in_its_own_process(standing: Any) -> None:  # noqa: ANN401
    assert running("dev", None, "auto") == (standing, standing.record)


def test_a_launch_whose_process_is_gone_cannot_be_asked_and_the_way_on_is_told(standing: Any) -> None:  # noqa: ANN401
    standing.alive = False
    with pytest.raises(EngineError, match=r"launch resume dev` goes on, `python -m launch abort dev` goes back"):
        running("dev", None, "auto")
    assert unfinished("dev", None, "auto") == (standing, standing.record)


def test_a_launch_on_another_machine_is_asked_there(standing: Any) -> None:  # noqa: ANN401
    standing.is_here = standing.alive = False
    with pytest.raises(EngineError, match=r"runs on build-7 \(pid 42\); ask it there"):
        running("dev", None, "auto")


def test_what_a_failed_launch_left_can_be_taken_up_but_not_paused(
    standing: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    standing.record.owns, standing.record.state = False, "FAILED"
    assert unfinished("dev", None, "auto") is not None
    assert running("dev", None, "auto") is None
    assert capsys.readouterr().out == "no launch is running in dev (the last, 01J, is FAILED); nothing changed\n"


@pytest.mark.parametrize("find", [options.running, options.unfinished])
def test_where_nothing_was_launched_nothing_changes_and_json_stays_empty(
    find: Any,  # noqa: ANN401
    standing: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    standing.record = None
    assert find("dev", None, "json") is None
    assert capsys.readouterr() == ("", "nothing was ever launched in dev; nothing changed\n")
