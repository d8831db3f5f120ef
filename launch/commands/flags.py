"""`launch flags`."""

from __future__ import annotations

from pathlib import Path

import click

from launch import options


@click.group("flags")
def command() -> None:
    """Show the feature flags, who owns them and what is owed."""


@command.command("list")
@options.environment
@options.output
@options.directory
@options.trace
def list_(environment: str, output: str, directory: Path | None) -> int:
    """Show every flag of ENV with its state, owner, age and expiry."""
    _rows(environment, output, directory)
    return 0


@command.command("audit")
@options.environment
@options.output
@options.directory
@options.trace
def audit(environment: str, output: str, directory: Path | None) -> int:
    """Show what is owed for ENV's flags; exit code 1 where anything is."""
    return 1 if _rows(environment, output, directory, only_owing=True) else 0


def _rows(environment: str, output: str, directory: Path | None, *, only_owing: bool = False) -> int:
    from launch.flags_view import rows
    from launch.tables import print_table
    from phases.flag_audit import HEADINGS

    found = [row for row in rows(options.asked(environment, directory)) if row.owed or not only_owing]
    if output == "json":
        for row in found:
            options.show(output, row.to_json(), ())
    elif found:
        print_table(HEADINGS, [row.cells() for row in found])
    else:
        click.echo("no flag owes anything" if only_owing else "no flags are defined")
    return len(found)
