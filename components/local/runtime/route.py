"""The router daemon: `python -m components.local.runtime.route DIRECTORY`, under a supervisor.

The supervisor holds the listening sockets and hands them on, so while this process is away (killed, restarted)
connections wait instead of being refused.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from components.local.runtime.admin import Admin, AdminConnection
from components.local.runtime.child import FDS
from components.local.runtime.downstream import ClientConnection
from components.local.runtime.files import Layout, read_json, write_json
from components.local.runtime.proxy import Router
from components.local.runtime.routing import RouterConfig

_BACKLOG = 1024


async def serve(layout: Layout, public: socket.socket, admin: socket.socket) -> None:
    """Route what comes in at `public` until SIGTERM, then drain."""
    saved = read_json(layout.router)
    router = Router(RouterConfig(()) if saved is None else RouterConfig.from_json(saved))
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    control = Admin(router, lambda config: write_json(layout.router, config.to_json()))
    ticking = asyncio.create_task(router.tick())
    admins = await loop.create_server(lambda: AdminConnection(control), sock=admin, backlog=_BACKLOG)
    clients = await loop.create_server(lambda: ClientConnection(router), sock=public, backlog=_BACKLOG)
    gc.collect()
    gc.freeze()  # what is there now stays: the collector need not look at it, and stops for less time
    await stop.wait()
    clients.close()
    await router.drain()
    admins.close()
    ticking.cancel()


def main() -> int:
    """Serve on the sockets that the supervisor hands on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    layout = Layout(Path(sys.argv[1]))
    _allow_many_connections()
    public, admin = (socket.socket(fileno=int(number)) for number in os.environ[FDS].split(","))
    for listening in (public, admin):
        listening.setblocking(False)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(layout, public, admin))
    return 0


def _allow_many_connections() -> None:
    """Raise the limit of open files as far as we may: each request under way has two connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems call "unlimited" what they do not allow
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform: slower, but the same
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
