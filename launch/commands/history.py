"""`launch history`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("history")
@options.environment
@click.option("--limit", default=20, show_default=True, help="How many launches.")
@options.output
@options.directory
@options.trace
def command(environment: str, limit: int, output: str, directory: Path | None) -> int:
    """Show ENV's launches and the updates they made, as Pulumi's own history has them, the newest first."""
    from launch.asked import engine_for
    from launch.configuration.locate import must_exist
    from launch.past import launches

    asked = options.asked(environment, directory)
    found = launches(engine_for(asked.root, environment, asked.environ), environment)
    for launch in found[:limit]:
        options.show(output, launch.to_json(), launch.lines())
    if not found:
        must_exist(asked.root, environment)
        options.say(output, f"nothing was ever launched in {environment}; `python -m launch up {environment}`")
    return 0
