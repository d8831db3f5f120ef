"""Forks, from one process that has loaded everything, those that serve the plugins of a launch.

`python -m components.provider.forkserver LISTENER`: the file descriptor of a socket that listens; it ends with its
standard input. A launch of five phases starts the plugin a dozen times, and loading it takes ten times as long as
forking. The loaded process has no thread, no event loop and no connection, so that forking it is safe: gRPC starts its
own with the first server, in the child.
"""

from __future__ import annotations

import asyncio
import gc
import os
import select
import signal
import socket
import sys
import traceback
from importlib import metadata

from components.provider import handover
from components.provider.server import run


def main() -> int:
    """Fork a process for each connection until standard input ends; the exit code."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    version = metadata.version("pulumi-launch")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    gc.collect()
    gc.freeze()  # what is loaded is shared with the children as long as nobody writes to it, not even the collector
    events = select.poll()
    events.register(0, select.POLLIN)
    events.register(listener, select.POLLIN)
    while 0 not in dict(events.poll()):
        connection, _ = listener.accept()
        if handover.is_ours(connection) and os.fork() == 0:
            listener.close()
            _be_the_plugin(connection, version)
        connection.close()
    return 0


def _be_the_plugin(connection: socket.socket, version: str) -> None:
    """Serve in its place, and end with it."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        start = _put_on(connection)
        connection.send(handover.READY)
        connection.setblocking(False)
        run(version, start.engine, lambda: _told(connection))
        connection.send(handover.DONE)
    except Exception:  # noqa: BLE001 - it goes to the engine's log
        traceback.print_exc()
    finally:
        # The threads of operations that did not answer in time would keep the process, and nobody waits for them.
        os._exit(0)


def _put_on(connection: socket.socket) -> handover.Start:
    """Take over the environment, the directory and the output of the plugin that was started."""
    start, output = handover.receive(connection)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, descriptor in enumerate((nothing, *output)):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(start.environ)
    os.chdir(start.directory)
    return start


async def _told(connection: socket.socket) -> None:
    """Return once the plugin was told to end; end with it where it was killed."""
    if await asyncio.get_running_loop().sock_recv(connection, 1) != handover.STOP:
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
