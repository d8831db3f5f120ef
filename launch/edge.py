"""The edge of the command line: the one place that catches, and turns errors into sentences and exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import click

from phases.errors import EXIT_INTERRUPTED, EXIT_ROLLED_BACK, EXIT_USAGE, LaunchError
from phases.trouble import Abandoned

COMPLETE_VARIABLE = "_LAUNCH_COMPLETE"
"""How a shell asks for completions, whatever name the program has there."""


def run(argv: Sequence[str]) -> int:
    """Run the command line `argv` and return its exit code; expected errors become one message on stderr."""
    from launch.cli import cli

    try:
        result = cli.main(
            args=list(argv), prog_name="python -m launch", complete_var=COMPLETE_VARIABLE, standalone_mode=False
        )
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return EXIT_INTERRUPTED
    except Abandoned:
        _say(
            "interrupted twice: nobody waits for the launch any more. It still owns its environment; "
            "`python -m launch resume ENV` finishes what was begun"
        )
        return EXIT_INTERRUPTED
    except LaunchError as error:
        _show(error, argv)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output went away (`| head`); that is no error, and Python must not write to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ROLLED_BACK
    except Exception as error:  # noqa: BLE001 - the edge: a bug becomes a report and one line, not a page
        return _unexpected(error, argv)
    return result if isinstance(result, int) else 0


def _show(error: LaunchError, argv: Sequence[str]) -> None:
    if "--traceback" in argv:
        traceback.print_exception(error)
    _say(str(error))
    if _wants_json(argv):
        print(json.dumps({"time": _now(), "event": "error", "error": str(error), "code": error.exit_code}))  # noqa: T201


def _unexpected(error: Exception, argv: Sequence[str]) -> int:
    if "--traceback" in argv:
        traceback.print_exception(error)
    report = Path(tempfile.mkdtemp(prefix="launch-")) / "report.txt"
    # The types and places of a traceback, but not the values that its messages may hold.
    frames = "".join(traceback.format_tb(error.__traceback__))
    report.write_text(f"{_now()}\npython {sys.version}\n{frames}{type(error).__name__}\n", encoding="utf-8")
    _say(
        f"this is a bug in launch: {type(error).__name__}: {error}\n"
        f"What it was doing is in {report}; --traceback shows all of it. `python -m launch status ENV` tells where the "
        "launch is, `python -m launch resume ENV` takes it up"
    )
    return EXIT_ROLLED_BACK


def _wants_json(argv: Sequence[str]) -> bool:
    return "--output=json" in argv or any(a in ("--output", "-o") and b == "json" for a, b in pairwise(argv))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal was closed; the exit code still tells
        click.echo(f"launch: {text}", err=True)
