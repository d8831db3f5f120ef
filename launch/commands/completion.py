"""`launch completion`."""

from __future__ import annotations

import shlex
import sys

import click

_NAMED = {
    "bash": 'command -v launch >/dev/null 2>&1 || launch() {{ {} "$@"; }}',
    "zsh": '(( $+commands[launch] )) || launch() {{ {} "$@" }}',
    "fish": "type -q launch; or function launch; {} $argv; end",
}
"""What makes `launch` a name for this program, where it is none."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for SHELL; for bash: `eval "$(python -m launch completion bash)"`.

    Where there is no `launch` on PATH, the script makes it a name for `python -m launch` with this Python.
    """
    from click.shell_completion import get_completion_class

    from launch.cli import cli
    from launch.edge import COMPLETE_VARIABLE

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the argument names only shells that click knows
    program = f"{shlex.quote(sys.executable)} -m launch"
    source = kind(cli, {}, "launch", COMPLETE_VARIABLE).source()
    # click lets the word that is completed answer, which a function of that name would not do in every shell.
    for word in ("$1", "launch"):
        answers = f"{shell}_complete {word}" if shell != "fish" else f"COMP_CWORD=(commandline -t) {word}"
        source = source.replace(answers, answers.removesuffix(word) + program)
    source = source.replace("    (( ! $+commands[launch] )) && return 1\n", "")
    click.echo(f"{_NAMED[shell].format(program)}\n{source}")
    return 0
