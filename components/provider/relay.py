"""Lets a fork server serve in this process's place, which saves the fifth of a second that `import pulumi` costs.

To the engine nothing is different: this process, its child, prints a port, ends when it is told to, and with it ends
what serves; killed, it takes that along. Where anything is not as it should be, it serves by itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket

from components.provider.handover import DONE, READY, STOP, VARIABLE, Start, address, is_ours, send

_ANSWER_S = 10.0
"""Seconds a fork server may take, which loads everything at the first plugin's start."""


def hand_over(engine: str) -> int | None:
    """Stand in for the process that serves, until its end.

    Args:
        engine: the engine's address.

    Returns:
        The exit code; None where nobody serves in this process's place.
    """
    name = os.environ.pop(VARIABLE, None)  # it is for this start, not for the processes that resources start
    if name is None or not hasattr(os, "pidfd_open"):
        return None
    try:
        parent = os.pidfd_open(os.getppid())
        connection = _connected(name, engine)
    except OSError:
        return None
    return None if connection is None else _accompany(connection, parent)


def _connected(name: str, engine: str) -> socket.socket | None:
    """The connection to the process that has begun to serve."""
    with contextlib.ExitStack() as undo:
        connection = undo.enter_context(socket.socket(socket.AF_UNIX))
        connection.settimeout(_ANSWER_S)
        connection.connect(address(name))
        if not is_ours(connection):
            return None
        send(connection, Start(engine, os.getcwd(), dict(os.environ)), (1, 2))  # noqa: PTH109 - pathlib takes long to load
        if connection.recv(1) != READY:
            return None
        connection.settimeout(None)
        undo.pop_all()
        return connection


def _accompany(connection: socket.socket, parent: int) -> int:
    """Pass on that it is to end, and wait for that."""

    def stop(*_: object) -> None:
        with contextlib.suppress(OSError):
            connection.send(STOP)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    events = select.poll()
    events.register(connection, select.POLLIN)
    events.register(parent, select.POLLIN)
    while connection.fileno() not in dict(events.poll()):
        events.unregister(parent)  # the engine is gone, and only the other side's end is waited for
        stop()
    return 0 if connection.recv(1) == DONE else 1
