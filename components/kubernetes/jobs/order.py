"""Which of two revisions is the later one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

BASE = "base"
"""The empty schema: below every revision."""
Direction = Literal["up", "down"]

_NUMBERED = re.compile(r"(\d+)(?:[_.-].*)?\Z")


class OrderUnknown(Exception):
    """Nothing tells which of two revisions is the later; `str()` says what would."""


def direction(since: str, target: str, *histories: Sequence[str]) -> Direction:
    """Return which way leads from one revision to another.

    The histories come first: lists of revisions, oldest first. Without one that has both, two revisions that begin with
    a number of the same length (`0002`, `0003_price`, `20261125_orders`) are in the order of their numbers. Nothing
    else is guessed: hexadecimal ids, as Alembic makes them, have no order of their own.

    Args:
        since: where the schema is.
        target: where it is to go; another one.
        histories: what is known of the order.

    Raises:
        OrderUnknown: neither the histories nor the names tell.
    """
    if target == BASE:
        return "down"
    if since == BASE:
        return "up"
    for history in histories:
        if since in history and target in history:
            return "up" if history.index(since) < history.index(target) else "down"
    before, after = _NUMBERED.match(since), _NUMBERED.match(target)
    if before and after and len(before[1]) == len(after[1]) and before[1] != after[1]:
        return "up" if int(before[1]) < int(after[1]) else "down"
    raise OrderUnknown(
        f"nothing tells whether revision {target} comes before or after {since}: list all revisions, oldest first, "
        "under `revisions` of the migration's settings, or let names begin with numbers of one length (0001, 0002)"
    )


def reported(log: str, known: Sequence[str] = ()) -> str:
    """Return the revision that a `current` command printed, `base` where it printed none.

    It stands alone on its line, as `alembic current` prints it: a revision, perhaps followed by `(head)` and the like.
    Everything else, such as log lines, is passed over; of several the last one counts, known ones before others.
    """
    found = [match[1] for line in log.splitlines() if (match := _REPORTED.match(line.strip()))]
    return next((each for each in reversed(found) if each in known), found[-1] if found else BASE)


_REPORTED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*)(?:\s+\([a-z, ]+\))*\Z")
