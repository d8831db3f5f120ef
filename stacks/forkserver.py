"""Starts the fork server of our provider's plugins when the first of them asks for it, and ends it with this process.

The socket listens before there is a server: a launch whose stacks do not need our provider never starts one. What
asks before the server is there waits for it, and where it cannot start, or was killed, the plugins serve by
themselves (`components.provider.relay`).
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import select
import socket
import subprocess
import sys
import threading

from components.provider.handover import VARIABLE, address
from stacks.processes import let_go

_BACKLOG = 128

log = logging.getLogger(__name__)


class Forkserver:
    """The fork server of this process, shared by all its stacks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._environ: dict[str, str] | None = None

    @property
    def environ(self) -> dict[str, str]:
        """What tells the plugins of it; empty where the system has no abstract sockets or no pidfd."""
        with self._lock:
            if self._environ is None:
                name = _listen() if sys.platform.startswith("linux") and hasattr(os, "pidfd_open") else None
                self._environ = {} if name is None else {VARIABLE: name}
            return self._environ


def _listen() -> str | None:
    """Listens, and returns under which name; None where it may not."""
    name = f"launch-{secrets.token_hex(16)}"
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(address(name))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        log.info("each plugin of the launch's provider is loaded anew, since there can be no fork server: %s", error)
        return None
    threading.Thread(target=_start_when_asked, args=(listener,), name="provider fork server", daemon=True).start()
    return name


def _start_when_asked(listener: socket.socket) -> None:
    with listener:  # ours is closed then: with the server's end, nobody waits for an answer any more
        select.select([listener], [], [])
        try:
            server = subprocess.Popen(
                [sys.executable, "-P", "-m", "components.provider.forkserver", str(listener.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                start_new_session=True,
                cwd=os.sep,
            )
        except OSError as error:
            log.warning("the fork server of the launch's provider cannot start: %s", error)
            return
    atexit.register(let_go, server)
