"""`launch promote`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("promote")
@options.environment
@options.output
@options.directory
@options.trace
def command(environment: str, output: str, directory: Path | None) -> int:
    """Let ENV's running launch go to its next step without the rest of the bake. Its gates are still asked."""
    from phases.signals import Request

    found = options.running(environment, directory, output)
    if found is None:
        return 0
    standing, record = found
    standing.ask(Request.PROMOTE)
    options.say(output, f"launch {record.id} goes to its next step")
    return 0
