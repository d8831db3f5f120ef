"""`launch logs`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("logs")
@options.environment
@click.option("--slot", help="Which slot; by default all.")
@click.option("--lines", "-n", "count", default=50, show_default=True, help="How many of the last lines of each.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes.")
@options.output
@options.directory
@options.trace
def command(
    environment: str, slot: str | None, count: int, output: str, directory: Path | None, *, follow: bool
) -> int:
    """Show what the processes in ENV's slots print."""
    from launch.log_view import print_logs
    from launch.overview import overview
    from launch.taking_over import Standing

    del output
    standing = Standing(options.asked(environment, directory))
    return print_logs(standing, overview(standing), slot=slot, count=count, follow=follow)
