"""What can go wrong with the local platform's processes."""

from __future__ import annotations


class RuntimeFailure(Exception):
    """A process or the router could not be brought to the state that was asked for.

    The message says what was seen (an exit code, the last HTTP status, the last lines of the log), why that is
    a failure, and where to look.
    """
