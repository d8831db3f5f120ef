"""`launch status`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("status")
@options.environment
@options.output
@options.directory
@options.trace
def command(environment: str, output: str, directory: Path | None) -> int:
    """Show what runs in ENV, who has it, and where its launch is."""
    from launch.overview import lines, overview
    from launch.taking_over import Standing

    standing = Standing(options.asked(environment, directory))
    seen = overview(standing)
    options.show(output, seen, lines(seen, standing))
    return 0
