"""Recorded launches, and what each renderer is expected to make of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from phases.events import Event, parse
from phases.model import BY_HAND
from phases.spec import LaunchSpec

EVENTS = Path(__file__).parents[2] / "data" / "events"
ACCEPT = os.environ.get("LAUNCH_ACCEPT") == "1"  # read before the tests' environment is emptied
LAUNCHES = sorted(path.stem for path in EVENTS.glob("*.jsonl"))


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let clocks in expected texts be those of nobody's office."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="session")
def spec() -> LaunchSpec:
    """Return the sequence that the recorded launches ran."""
    body = yaml.safe_load((EVENTS / "launch.yaml").read_text(encoding="utf-8"))
    return LaunchSpec.model_validate(body["launch"], context=BY_HAND)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], list[Event]]:
    """Return what reads the events of a recorded launch."""

    def read(name: str) -> list[Event]:
        text = (EVENTS / f"{name}.jsonl").read_text(encoding="utf-8")
        return [parse(json.loads(line)) for line in text.splitlines()]

    return read


@pytest.fixture(params=LAUNCHES)
def launch(request: pytest.FixtureRequest) -> str:
    """Return the name of each recorded launch in turn."""
    return str(request.param)


@pytest.fixture
def expect() -> Callable[[str, str], None]:
    """Return what compares a text with the expected one beside the events; LAUNCH_ACCEPT=1 writes it instead."""

    def compare(name: str, text: str) -> None:
        path = EVENTS / name
        if ACCEPT:
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; LAUNCH_ACCEPT=1 accepts what there is now"

    return compare
