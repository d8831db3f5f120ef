"""`python -m launch`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

WORK = "launch-work"
"""The name of the threads in `phases/runner.py`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    from launch.edge import run

    # A pipeline may close what it does not read, and Python then has no stream at all; libraries expect one.
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open for good
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open for good
    code = run(sys.argv[1:] if argv is None else list(argv))
    if any(thread.name == WORK for thread in threading.enumerate()):
        # Nobody waits for this work any more. Python's own way out would wait for a part of it, and break the rest
        # with tracebacks; the engine's processes are ended in order by their guard as soon as we are gone.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
