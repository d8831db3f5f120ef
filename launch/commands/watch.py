"""`launch watch`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("watch")
@options.environment
@options.output
@options.directory
@options.trace
def command(environment: str, output: str, directory: Path | None) -> int:
    """Follow ENV's launch on this machine from its beginning to its end; Ctrl-C only stops watching."""
    from launch.config import load
    from launch.display import choose
    from launch.following import follow

    asked = options.asked(environment, directory)
    from launch.asked import engine_for

    values = engine_for(asked.root, environment, asked.environ).config(environment)
    config = load(environment, root=asked.root, environ=asked.environ, config_values=values, image_needed=False)
    hint = "Ctrl-C only stops watching; the launch goes on"
    with choose(output, config.spec, secrets=config.secrets, hint=hint) as observer:
        return follow(asked, observer)
