"""`launch down`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("down")
@options.environment
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.output
@options.directory
@options.trace
def command(environment: str, output: str, directory: Path | None, *, yes: bool) -> int:
    """Destroy everything that ENV owns: slots, router, flags, and the schema as launches made it."""
    from launch.demolition import demolish, owned
    from launch.taking_over import Standing

    standing = Standing(options.asked(environment, directory))
    stacks = owned(standing)
    if not stacks:
        options.say(output, f"{environment} owns nothing; nothing to do")
        return 0
    if not yes:
        click.echo(
            f"This destroys the stacks {', '.join(stacks)} of {environment}: users get nothing any more, and the"
        )
        click.echo("schema goes back to what it was before the first launch, with the data in it.")
        if not click.confirm("Destroy them?"):
            click.echo("nothing was changed")
            return 0
    for name in stacks:
        demolish(standing, name)
        options.say(output, f"{name} is gone")
    return 0
