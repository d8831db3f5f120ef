"""What people see of a launch: observers of its events."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from phases.events import Observer
from phases.spec import LaunchSpec


@contextmanager
def choose(
    output: str, spec: LaunchSpec, *, secrets: tuple[str, ...] = (), hint: str | None = None
) -> Iterator[Observer]:
    """Return the observer for an `--output`; it redacts secrets and closes with the launch.

    Args:
        output: `auto`, `live`, `plain` or `json`; a live view needs a terminal, and is plain lines elsewhere.
        spec: the sequence, for titles.
        secrets: values that must not be shown.
        hint: what Ctrl-C does, where it is not what it does to a launch of this process.
    """
    from launch.display.lasting import Lasting

    stream = cast("TextIO", Lasting(sys.stdout))
    if output in ("auto", "live"):
        from launch.display.terminal import can_move_cursor

        output = "live" if can_move_cursor(stream, os.environ) else "plain"
    if output == "json":
        from launch.display.json_lines import JsonLines

        yield JsonLines(stream, secrets=secrets)
    elif output == "plain":
        from launch.display.plain import Plain

        yield Plain(stream, spec, secrets=secrets)
    else:
        from launch.display.live import Live

        with Live(spec, secrets=secrets, stream=stream, hint=hint) as live:
            yield live
