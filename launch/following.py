"""Following a launch that runs in another process, by the events that it keeps."""

from __future__ import annotations

import json
import time

from launch import identity
from launch.asked import Asked
from launch.journal import recall
from launch.paths import Paths
from launch.session import exit_code
from phases.errors import EngineError
from phases.events import LaunchEnded, Observer, parse

POLL_SECONDS = 0.1


def follow(asked: Asked, observer: Observer) -> int:
    """Show the launch's events to the observer until it ends; return the exit code that it had.

    Raises:
        EngineError: nothing was launched on this machine, or its process ended without a word.
    """
    paths = Paths(asked.root, asked.environment)
    if not paths.events.exists():
        raise EngineError(f"nothing was launched in {asked.environment} from this machine and directory")
    with paths.events.open(encoding="utf-8") as file:
        rest = ""
        while True:
            rest += file.readline()
            if rest.endswith("\n"):
                event = parse(json.loads(rest))
                rest = ""
                observer(event)
                if isinstance(event, LaunchEnded):
                    record = recall(paths.journal)
                    return exit_code(record) if record is not None else 0
                continue
            record = recall(paths.journal)
            if record is not None and not identity.is_alive(record):
                environment = asked.environment
                raise EngineError(
                    f"the launch's process (pid {record.pid}) is gone; `python -m launch resume {environment}` goes on"
                )
            time.sleep(POLL_SECONDS)
