"""`launch init`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("init")
@click.option("--scenario", default="standard", show_default=True, help="Which sequence to begin with.")
@click.option("--platform", default="local", show_default=True, help="Where it runs.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@click.option("--directory", "-C", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@options.trace
def command(scenario: str, platform: str, directory: Path, *, force: bool) -> int:
    """Write launch.yaml, Pulumi.dev.yaml, and where there are none Pulumi.yaml and .gitignore, into this directory."""
    from launch.scaffold import IGNORED, OWN, files, next_steps, unignored
    from phases.errors import ConfigurationError

    found = files(directory.absolute(), scenario, platform)
    there = [path.name for path in found if path.exists()]
    if there and not force:
        raise ConfigurationError(f"{', '.join(there)} exist already; nothing was written. --force writes over them")
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")
        click.echo(f"wrote {path.name}")
    if unignored(directory.absolute()):
        click.echo(f"add {OWN} to {IGNORED}: it holds state, and the key to its secrets")
    click.echo(f"next: {next_steps(platform)}")
    return 0
