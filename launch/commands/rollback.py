"""`launch rollback`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("rollback")
@options.environment
@click.option("--to", metavar="LAUNCH", help="Id of an earlier completed launch; by default the one before the last.")
@options.output
@options.directory
@options.trace
def command(environment: str, to: str | None, output: str, directory: Path | None) -> int:
    """Go back to an earlier completed launch of ENV.

    It is a launch of its own, with all gates: the old release is started and seen healthy first, then the flags and
    the users are moved, and the newer release and its schema are removed last.
    """
    from launch.display import choose
    from launch.earlier import earlier
    from launch.preparation import prepare
    from launch.session import exit_code, start
    from launch.taking_over import Standing
    from phases.errors import ConfigurationError

    asked = options.asked(environment, directory)
    standing = Standing(asked)
    archive = earlier(standing.entry)
    if to is None and not archive:
        raise ConfigurationError(f"environment {environment} keeps no earlier completed launch to go back to")
    prepared = prepare(asked, engine=standing.engine, to=to or archive[0].launch)
    with choose(output, prepared.config.spec, secrets=prepared.config.secrets) as observer:
        return exit_code(start(prepared, observers=[observer]))
