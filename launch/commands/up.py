"""`launch up`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("up")
@options.environment
@options.asking
@click.option(
    "--on-interrupt",
    type=click.Choice(["rollback", "pause"]),
    help="What Ctrl-C, SIGTERM and a closed terminal do; by default what the environment says (rollback).",
)
@click.option("--supersede", is_flag=True, help="Roll a running launch back first, then launch this one.")
@options.output
@options.directory
@options.trace
def command(
    environment: str,
    config: Path | None,
    image: str | None,
    sets: tuple[str, ...],
    on_interrupt: str | None,
    output: str,
    directory: Path | None,
    *,
    supersede: bool,
) -> int:
    """Launch a release in ENV and return when its users have it, or have the old one back."""
    from launch.display import choose
    from launch.preparation import prepare
    from launch.session import exit_code, start

    asked = options.asked(environment, directory, config=config, image=image, sets=sets)
    if supersede:
        from launch.taking_over import supersede as make_way

        make_way(asked, output)
    prepared = prepare(asked)
    pause = None if on_interrupt is None else on_interrupt == "pause"
    with choose(output, prepared.config.spec, secrets=prepared.config.secrets) as observer:
        record = start(prepared, observers=[observer], pause_on_interrupt=pause)
    return exit_code(record)
