"""Options and arguments that several commands share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from phases.errors import EngineError

if TYPE_CHECKING:
    from launch.asked import Asked
    from launch.taking_over import Standing
    from phases.record import LaunchRecord

F = TypeVar("F", bound=Callable[..., Any])


def environment(command: F) -> F:
    """Add the argument ENV."""
    return click.argument("environment", metavar="ENV", shell_complete=_environments)(command)


def _environments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the environments of the project here, for a shell's completion."""
    del param
    root = project(ctx.params.get("directory"))
    names = (path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in sorted(root.glob("Pulumi.?*.yaml")))
    return [name for name in names if name.startswith(incomplete)]


def directory(command: F) -> F:
    """Add the option that says where the project is."""
    return click.option(
        "--directory",
        "-C",
        "directory",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="The project's directory; by default this one, or the nearest above it with a Pulumi.yaml.",
    )(command)


def output(command: F) -> F:
    """Add the option that says how results are written."""
    return click.option(
        "--output",
        "-o",
        type=click.Choice(["auto", "live", "plain", "json"]),
        default="auto",
        show_default=True,
        help="json: one object a line and nothing else; auto: a live view in a terminal, plain lines elsewhere.",
    )(command)


def trace(command: F) -> F:
    """Add the option that shows tracebacks."""
    return click.option("--traceback", is_flag=True, help="Show the traceback of an error.", expose_value=False)(
        command
    )


def asking(command: F) -> F:
    """Add what says which release is launched by which sequence."""
    for option in (
        click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A variable of launch.yaml."),
        click.option("--image", metavar="REF", help="What to launch: name:tag or name@sha256:..."),
        click.option(
            "--config",
            type=click.Path(dir_okay=False, path_type=Path),
            help="The sequence; by default launch.yaml in the project's directory.",
        ),
    ):
        command = option(command)
    return command


def asked(
    environment: str,
    directory: Path | None,
    *,
    config: Path | None = None,
    image: str | None = None,
    sets: tuple[str, ...] = (),
) -> Asked:
    """Return what the options ask for.

    Raises:
        click.UsageError: a `--set` that is not NAME=VALUE.
    """
    from launch.asked import Asked

    chosen: dict[str, str] = {}
    for item in sets:
        name, equals, value = item.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise click.UsageError(f"--set {item!r} must be NAME=VALUE, for example --set IMAGE_TAG=shop:2.0")
        chosen[name] = value
    return Asked(environment, project(directory), config=config, image=image, sets=chosen)


def project(directory: Path | None) -> Path:
    """Return the project's directory: the one that was named, or the nearest with a Pulumi.yaml from here upwards."""
    if directory is not None:
        return directory.absolute()
    here = Path.cwd()
    return next((path for path in (here, *here.parents) if (path / "Pulumi.yaml").exists()), here)


def show(output: str, seen: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print a result: as one JSON object, or as lines for people."""
    if output == "json":
        click.echo(json.dumps(seen))
    else:
        for line in lines:
            if line:
                click.echo(line)


def say(output: str, text: str) -> None:
    """Tell people something that is no result: with JSON it goes to stderr."""
    click.echo(text, err=output == "json")


def _nothing(environment: str, record: LaunchRecord | None, output: str) -> None:
    """Say that there is no launch to do that with."""
    if record is None:
        say(output, f"nothing was ever launched in {environment}; nothing changed")
    else:
        say(
            output, f"no launch is running in {environment} (the last, {record.id}, is {record.state}); nothing changed"
        )


def running(environment: str, directory: Path | None, output: str) -> tuple[Standing, LaunchRecord] | None:
    """Return the launch that runs in a process of this machine; None, and say so, where no launch owns ENV.

    Raises:
        EngineError: one does, but its process cannot be asked.
    """
    found = unfinished(environment, directory, output, only=lambda record: record.owns)
    if found is None:
        return None
    standing, record = found
    if not standing.is_here:
        raise EngineError(f"launch {record.id} runs on {record.host} (pid {record.pid}); ask it there")
    if not standing.alive:
        raise EngineError(
            f"the process of launch {record.id} (pid {record.pid}) is gone; `python -m launch resume {environment}` "
            f"goes on, `python -m launch abort {environment}` goes back"
        )
    return standing, record


def unfinished(
    environment: str,
    directory: Path | None,
    output: str,
    *,
    only: Callable[[LaunchRecord], bool] = lambda _: True,
) -> tuple[Standing, LaunchRecord] | None:
    """Return the launch of ENV that owns it or was left half undone; None, and say so, where there is none.

    Args:
        environment: ENV.
        directory: where the project is.
        output: how to say it.
        only: which of those launches are meant.
    """
    from launch.taking_over import Standing

    standing = Standing(asked(environment, directory))
    record = standing.record
    if record is None or not standing.unfinished or not only(record):
        _nothing(environment, record, output)
        return None
    return standing, record
