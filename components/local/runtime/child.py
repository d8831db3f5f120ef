"""The process under a supervisor: one that it started, or one that an earlier supervisor left."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from socket import socket
from typing import Protocol

from components.local.runtime.files import Layout
from components.local.runtime.identity import Identity
from components.local.runtime.logs import open_log
from components.local.runtime.spec import Order

FDS = "LAUNCH_LISTEN_FDS"
"""The environment variable that names the listening sockets a child inherits, as 3,4,..."""


class Child(Protocol):
    """A running process and how it ended."""

    identity: Identity

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""


class Started:
    """A child of this very process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        # The child is a zombie at worst until it is waited for, so its id is its own; one that is a zombie
        # already has no start time to be found, and needs none.
        self.identity = Identity.of(process.pid) or Identity(process.pid, "ended")

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        if code < 0:
            return f"was ended by {_signal_name(-code)}"
        return f"exited with code {code}"


class Adopted:
    """A process that an earlier supervisor, killed since, had started."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs. Nobody but its parent learns the exit code."""
        return None if self.identity.alive() else "ended (its exit code went to the supervisor that was killed)"


def spawn(order: Order, layout: Layout, ports: Sequence[int], sockets: Sequence[socket]) -> Started:
    """Start the command of an order in a process group of its own, its output in the log.

    Raises:
        OSError: The program or the working directory is not there, or may not be used.
    """
    environment = {**order.environment, "PORT": str(ports[0])}
    descriptors = tuple(held.fileno() for held in sockets)
    if descriptors:
        environment[FDS] = ",".join(map(str, descriptors))
    log = open_log(layout.log)
    try:
        process = subprocess.Popen(
            [part.replace("${PORT}", str(ports[0])) for part in order.command],
            cwd=order.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            process_group=0,
        )
    finally:
        os.close(log)
    return Started(process)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
