"""`launch plan`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("plan")
@options.environment
@options.asking
@click.option("--preview/--no-preview", default=True, help="Ask Pulumi what each update would change.")
@options.output
@options.directory
@options.trace
def command(
    environment: str,
    config: Path | None,
    image: str | None,
    sets: tuple[str, ...],
    output: str,
    directory: Path | None,
    *,
    preview: bool,
) -> int:
    """Show the steps that a launch of ENV would take, in order, and Pulumi's preview of each. Nothing is changed."""
    from launch.planning import describe
    from launch.preparation import prepare

    prepared = prepare(options.asked(environment, directory, config=config, image=image, sets=sets))
    for entry in describe(prepared, preview=preview):
        options.show(output, entry.to_json(), [entry.line])
    return 0
