"""The plugin's process: serves one engine, and ends with it."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2_grpc

from .host import Host
from .servicer import Servicer

_THREADS = 256
"""Operations at once; each that waits for a rollout has a thread. They are made when needed."""

_LARGEST = 400 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.max_send_message_length", _LARGEST),
    ("grpc.so_reuseport", 0),
)


def main(arguments: list[str]) -> None:
    """Serve until the engine ends or says so.

    Args:
        arguments: of the command line: the engine's address, after flags that only its Go plugins know.
    """
    address = next((word for word in reversed(arguments) if not word.startswith("-")), "")
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(Host(address)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    threading.Thread(target=_watch_parent, args=(os.getppid(), told), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    told.wait()
    # Whatever still waits is not finished, as in a Go program that is told to end.
    os._exit(0)


def _watch_parent(parent: int, told: threading.Event) -> None:
    """Tell when the engine is gone: killed, it ends no plugin."""
    try:
        ended = os.pidfd_open(parent)
    except (AttributeError, OSError):
        while os.getppid() == parent and not told.wait(1.0):
            pass
    else:
        # A parent that ended before it could be watched leaves this process to another one.
        while os.getppid() == parent and not select.select([ended], [], [], 60.0)[0]:
            pass
    told.set()
