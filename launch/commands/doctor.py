"""`launch doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from launch import options


@click.command("doctor")
@options.output
@options.directory
@options.trace
def command(output: str, directory: Path | None) -> int:
    """Show what is installed, what is missing, and how to get it. Exit code 2 where anything is missing."""
    from launch.doctor import examine

    missing = False
    for finding in examine(options.project(directory), os.environ):
        missing = missing or not finding.ok
        options.show(output, finding.to_json(), [finding.line])
    return 2 if missing else 0
