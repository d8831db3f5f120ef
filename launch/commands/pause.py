"""`launch pause`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("pause")
@options.environment
@options.output
@options.directory
@options.trace
def command(environment: str, output: str, directory: Path | None) -> int:
    """Let ENV's running launch wait at its next safe point, until `resume`."""
    from launch.taking_over import ENDED
    from phases.signals import Request
    from phases.states import LaunchState

    found = options.running(environment, directory, output)
    if found is None:
        return 0
    standing, _ = found
    standing.ask(Request.PAUSE)
    reached = standing.follow((LaunchState.PAUSED, *ENDED), seconds=600)
    options.say(output, f"launch {reached.id} is {reached.state}")
    return 0
