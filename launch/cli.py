"""The commands, by name. A command's module is imported only when it runs, so that `--help` answers at once."""

from __future__ import annotations

import difflib
import importlib
from typing import Final

import click

from launch import __version__

COMMANDS: Final[dict[str, str]] = {
    "up": "Launch a release.",
    "check": "Check configuration, plugins, access and the way back; change nothing.",
    "plan": "Show the steps, and Pulumi's preview of each.",
    "adopt": "Take what already runs as the first slot, untouched.",
    "status": "Show what runs, who has it, and where a launch is.",
    "history": "Show the launches and the updates they made.",
    "watch": "Follow a launch that runs elsewhere.",
    "resume": "Take up a launch that was paused, interrupted or killed.",
    "pause": "Let the running launch wait at its next safe point.",
    "promote": "Go to the next step without waiting for the rest of the bake.",
    "abort": "Roll the running launch back.",
    "rollback": "Go back to an earlier completed launch, gates included.",
    "down": "Destroy what the environment owns, after asking.",
    "flags": "Show the feature flags, who owns them and what is owed.",
    "logs": "Show what a slot's processes print.",
    "init": "Write launch.yaml and Pulumi.dev.yaml.",
    "doctor": "Show what is installed, what is missing, and how to get it.",
    "completion": "Print the completion script for your shell.",
}
"""One module in `launch/commands/` for each."""


class Lazy(click.Group):
    """A group that knows its commands' names and imports them one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which people need them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"launch.commands.{cmd_name}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that was asked for; a typo is answered with what was probably meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"The commands are {', '.join(COMMANDS)}."
            ctx.fail(f"There is no command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' list without importing one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="launch")
def cli() -> None:
    """Take a release to its users phase by phase; every change is a Pulumi update, and there is a way back.

    Exit codes: 0 completed; 1 failed and rolled back; 2 wrong usage or configuration, nothing changed; 3 rollback
    incomplete, a person is needed; 4 another launch owns the environment; 130 interrupted.
    """
