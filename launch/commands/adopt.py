"""`launch adopt`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("adopt")
@options.environment
@options.asking
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
) -> int:
    """Take what already runs in ENV as its first slot, untouched: the next launch starts from it and can go back."""
    from launch.adopting import adopt

    asked = options.asked(environment, directory, config=config, image=image, sets=sets)
    if not adopt(asked, lambda told: options.say(output, told)):
        options.say(output, f"{environment} has a slot with users already; nothing to adopt")
    return 0
