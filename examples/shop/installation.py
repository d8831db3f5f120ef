"""`launch` and the load generator as the demo uses them: programs with an exit code."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

PROJECT = Path(__file__).parents[2]
ENVIRONMENT = "dev"
EVENTS = Path(".launch/run") / ENVIRONMENT / "events.jsonl"
RATE = 120
"""Users' requests a second: enough for the breaker to tell within seconds, little enough for two cores."""
_LAST_USERS_SECONDS = 60


class DemoError(Exception):
    """The demo cannot go on; the message says why, and what to do."""


class Launch:
    """`python -m launch` in a project.

    Args:
        project: its directory.
    """

    def __init__(self, project: Path) -> None:
        self.project = project

    def up(self, image: str) -> int:
        """Launch an image, its live view in this terminal, and return the exit code."""
        return _in_foreground([*_python("launch"), "up", ENVIRONMENT, "--image", image], self.project)

    def status(self) -> dict[str, Any]:
        """Return what runs and who has it.

        Raises:
            DemoError: it cannot be told.
        """
        done = subprocess.run(
            [*_python("launch"), "status", ENVIRONMENT, "--output", "json"],
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DemoError(done.stderr.strip() or f"launch status ended with exit code {done.returncode}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def reason(self) -> str:
        """Return why the last launch ended as it did, from its events; empty where they do not tell."""
        try:
            events = (self.project / EVENTS).read_text(encoding="utf-8").splitlines()
            ends = [event for event in map(json.loads, events) if event["event"] == "launch.ended"]
        except (OSError, ValueError):
            return ""
        return str(ends[-1]["reason"]) if ends else ""


class Crowd:
    """Users under way, in a process of their own.

    Args:
        url: where they come in.
        stats: file for their figures.
    """

    def __init__(self, url: str, stats: Path) -> None:
        self._stats = stats
        stats.parent.mkdir(parents=True, exist_ok=True)
        stats.unlink(missing_ok=True)
        # A session of its own: Ctrl-C is meant for the launch, and users stay while it goes back.
        self._process = subprocess.Popen(
            [*_python("examples.load"), url, "--rate", str(RATE), "--stats", str(stats)],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def arrive(self) -> None:
        """Wait until the first of them were served.

        Raises:
            DemoError: none was.
        """
        for _ in range(100):
            if self.figures().get("requests", 0) > 0:
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise DemoError("the load generator does not get going; `python -m examples.load URL` shows why")

    def leave(self) -> dict[str, Any]:
        """Let the last of them finish, and return what all of them met."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_LAST_USERS_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self.figures()

    def figures(self) -> dict[str, Any]:
        """Return what they met so far; nothing where they have not come yet."""
        try:
            found: dict[str, Any] = json.loads(self._stats.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _in_foreground(command: list[str], directory: Path) -> int:
    """Run a command that has the terminal. Ctrl-C is its business: it ends in a known state, and so do we after it."""
    process = subprocess.Popen(command, cwd=directory)
    with _passing_on(process):
        return process.wait()


@contextlib.contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    def terminate(number: int, frame: FrameType | None) -> None:
        del frame
        process.send_signal(number)

    def nothing(number: int, frame: FrameType | None) -> None:
        """The terminal has sent it to the launch too."""

    before = {signal.SIGTERM: terminate, signal.SIGINT: nothing}
    saved = {number: signal.signal(number, handler) for number, handler in before.items()}
    try:
        yield
    finally:
        for number, handler in saved.items():
            signal.signal(number, handler)
