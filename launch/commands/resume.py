"""`launch resume`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("resume")
@options.environment
@click.option("--take-over", is_flag=True, help="Also where the launch's process, on another machine, may still run.")
@options.output
@options.directory
@options.trace
def command(environment: str, output: str, directory: Path | None, *, take_over: bool) -> int:
    """Take up ENV's launch that was paused, interrupted or killed, on this machine or another."""
    from launch.display import choose
    from launch.session import exit_code
    from launch.taking_over import ENDED, adopt, go_on
    from phases.signals import Request
    from phases.states import LaunchState

    found = options.unfinished(environment, directory, output)
    if found is None:
        return 0
    standing, record = found
    if standing.alive and record.state is LaunchState.PAUSED:
        standing.ask(Request.RESUME)
        standing.follow((LaunchState.RUNNING, *ENDED), seconds=60)
        options.say(output, f"launch {record.id} goes on in its own process (pid {record.pid})")
        return 0
    if not record.owns and not record.rolling_back:
        options.say(
            output,
            f"launch {record.id} of {record.release.image} FAILED in a phase that does not roll back: {record.reason}. "
            f"`python -m launch abort {environment}` rolls it back, `python -m launch up {environment}` tries again",
        )
        return 3
    prepared, taken = adopt(standing, force=take_over, back=False)
    with choose(output, prepared.config.spec, secrets=prepared.config.secrets) as observer:
        return exit_code(go_on(standing, prepared, taken, observers=[observer]))
