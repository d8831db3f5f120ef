"""The log file of a child: written by the child itself, kept within limits by its supervisor.

The child appends to the file directly, not through a pipe: so it goes on printing, and working, when its
supervisor is killed. To limit the size the supervisor copies the file aside and truncates it; lines printed
between these two steps (microseconds) can be lost.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
"""Size at which a log is put aside as `NAME.1` (which replaces the one before)."""

_TAIL_BYTES = 16 * 1024
_SHORTEST_SECRET = 4


def open_log(path: Path) -> int:
    """A descriptor that appends to `path`, readable by the user alone."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def rotate(path: Path, max_bytes: int = MAX_BYTES) -> bool:
    """Put the log aside if it has grown over `max_bytes`; return whether it had."""
    try:
        if path.stat().st_size <= max_bytes:
            return False
    except FileNotFoundError:
        return False
    with suppress(OSError):  # a full disk: giving up the old lines makes room
        aside = path.with_name(f"{path.name}.1")
        shutil.copyfile(path, aside)
        aside.chmod(0o600)
    os.truncate(path, 0)
    return True


def size(path: Path) -> int:
    """Bytes in a log, 0 if there is no log."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def tail(path: Path, lines: int = 10, *, since: int = 0) -> list[str]:
    """The last `lines` lines of a log, but none from before byte `since`; none if there is no log."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - _TAIL_BYTES, since if since <= end else 0))  # smaller: it was put aside since
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:]


def redact(lines: list[str], environment: Mapping[str, str]) -> list[str]:
    """Put `${NAME}` in place of every environment value in `lines`: any of them may be a secret."""
    values = sorted(
        ((value, name) for name, value in environment.items() if len(value) >= _SHORTEST_SECRET),
        key=lambda pair: -len(pair[0]),
    )
    for value, name in values:
        lines = [line.replace(value, f"${{{name}}}") for line in lines]
    return lines
