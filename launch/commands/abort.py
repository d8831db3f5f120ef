"""`launch abort`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("abort")
@options.environment
@click.option("--take-over", is_flag=True, help="Also where the launch's process, on another machine, may still run.")
@options.output
@options.directory
@options.trace
def command(environment: str, output: str, directory: Path | None, *, take_over: bool) -> int:
    """Roll ENV's running launch back. With nothing running, nothing changes."""
    from launch.display import choose
    from launch.session import exit_code
    from launch.taking_over import ENDED, adopt, go_on
    from phases.signals import Request
    from phases.states import LaunchState

    found = options.unfinished(environment, directory, output)
    if found is None:
        return 0
    standing, record = found
    if standing.alive:
        standing.ask(Request.ABORT)
        options.say(output, f"launch {record.id} of {record.release.image} is being rolled back")
        ended = standing.follow(ENDED, seconds=3600)
        options.say(output, f"launch {ended.id} is {ended.state}: {ended.reason}")
        return 0 if ended.state is LaunchState.ROLLED_BACK else exit_code(ended)
    prepared, taken = adopt(standing, force=take_over, back=True)
    with choose(output, prepared.config.spec, secrets=prepared.config.secrets) as observer:
        ended = go_on(standing, prepared, taken, observers=[observer])
    return 0 if ended.state is LaunchState.ROLLED_BACK else exit_code(ended)
