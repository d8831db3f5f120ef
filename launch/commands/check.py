"""`launch check`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.command("check")
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
    """Check what a launch of ENV would need: configuration, plugins, access, the way back. Nothing is changed."""
    from launch.checking import check
    from launch.preparation import prepare

    prepared = prepare(options.asked(environment, directory, config=config, image=image, sets=sets))
    problems = tuple(check(prepared))
    release = prepared.resolved.release
    options.show(
        output,
        {
            "environment": environment,
            "image": release.image,
            "digest": release.digest,
            "revision": release.revision,
            "previous": prepared.previous.image if prepared.previous else None,
            "problems": list(problems),
        },
        [
            f"{environment}: {release.image} ({release.digest[:19]}) "
            + (f"after {prepared.previous.image}" if prepared.previous else "as the first launch"),
            *(f"problem: {problem}" for problem in problems),
            "" if problems else "everything a launch needs is there, and it could be undone",
        ],
    )
    return 2 if problems else 0
