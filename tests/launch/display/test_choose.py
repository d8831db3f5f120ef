"""Who reads, and who stops reading, is the watcher's business, never the launch's."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import pytest

from launch.display import choose
from phases.events import Event
from phases.spec import LaunchSpec

Read = Callable[[str], list[Event]]


class Leaving(io.StringIO):
    """A pipe whose reader goes away after a few lines, as `head` does."""

    def write(self, text: str) -> int:
        if self.getvalue().count("\n") >= 3:
            raise BrokenPipeError
        return super().write(text)


@pytest.mark.parametrize("output", ["auto", "plain", "json", "live"])
def test_a_launch_goes_on_when_nobody_reads_any_more(
    output: str,
    recorded: Read,
    spec: LaunchSpec,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipe = Leaving()
    monkeypatch.setattr(sys, "stdout", pipe)
    with choose(output, spec) as observer:
        for event in recorded("breaker"):
            observer(event)
    assert pipe.getvalue().count("\n") == 3
    assert capsys.readouterr().err.count("nobody reads the output any more") == 1


def test_a_closed_output_is_nobody_too(recorded: Read, spec: LaunchSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with choose("json", spec) as observer:
        stream.close()
        for event in recorded("first"):
            observer(event)


def test_secrets_are_in_no_output(recorded: Read, spec: LaunchSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    for output in ("plain", "json"):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        with choose(output, spec, secrets=("answered 503", "launch")) as observer:
            for event in recorded("gate"):
                observer(event)
        assert "answered 503" not in stream.getvalue()
        if output == "json":
            # A short secret does not garble what scripts go by.
            assert json.loads(stream.getvalue().splitlines()[0])["event"] == "launch.started"
