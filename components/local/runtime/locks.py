"""Two file locks: one between commands, one that says whether a supervisor lives.

Both are `flock` locks: they belong to an open file, the kernel drops them when the last process that holds it
ends, however it ends, and a descriptor handed to a child carries the lock along.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.local.runtime.errors import RuntimeFailure

_POLL = 0.02
"""Seconds between two tries for a lock that is held."""


def try_lock(path: Path) -> int | None:
    """An open descriptor that holds the lock on `path`, or None if somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def wait_lock(path: Path, timeout: float) -> int | None:
    """As `try_lock`, but try for up to `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (descriptor := try_lock(path)) is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock on `path`."""
    if not path.exists():
        return False
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


@contextmanager
def exclusive(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the lock on `path` for the length of the block.

    Raises:
        RuntimeFailure: Another command has held it for `timeout` seconds.
    """
    descriptor = wait_lock(path, timeout)
    if descriptor is None:
        raise RuntimeFailure(
            f"another command has been working on {path.parent} for {timeout:g} s; wait for it to end, or stop it"
        )
    try:
        yield
    finally:
        os.close(descriptor)
