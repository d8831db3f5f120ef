"""Notices when the engine that started this plugin is gone.

The engine ends its plugins when it ends, but not when it is killed with SIGKILL. Linux could send a signal at
the parent's death (PR_SET_PDEATHSIG), but means the parent *thread* there, and threads of the engine's Go
runtime come and go. So the parent process is watched: by a pidfd, which becomes readable when the process
ends (https://man7.org/linux/man-pages/man2/pidfd_open.2.html), and elsewhere by looking now and then.
"""

from __future__ import annotations

import asyncio
import os

_LOOK_EVERY = 1.0
"""Seconds between two looks where the system has no pidfd."""


async def gone() -> None:
    """Return once the parent process has ended."""
    parent = os.getppid()
    descriptor = _pidfd(parent)
    if descriptor is None:
        while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(_LOOK_EVERY)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        # It may have ended before the pidfd was opened, which then stands for nobody or for somebody else.
        if os.getppid() == parent:
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _pidfd(pid: int) -> int | None:
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        return int(opener(pid))
    except OSError:
        return None
