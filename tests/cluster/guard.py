"""Starts the servers of a test's control plane, and ends them when whoever asked for them is gone.

Runs as a small process of its own, `python -I -S guard.py DIRECTORY`, and is the parent of every server, so that
none can be started without somebody who ends it. Each line on standard input is one order in JSON; each is answered
by one line with the process id, or with what went wrong. The end of standard input, or the death of the parent, is
the end of everything: the servers are killed (there is nothing that they would have to save) and DIRECTORY is removed.

Should the guard itself be killed, the kernel kills its children (Linux; elsewhere they stay).

Standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

_PARENT_POLL_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> Callable[[], None] | None:
    """What a new process does to be killed with its parent; looked up before the fork, where it is safe."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask


def _start(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    with open(order["log"], "ab") as log:  # noqa: PTH123 - without site, without pathlib: this starts in milliseconds
        return subprocess.Popen(
            order["argv"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=order["cwd"],
            env=order["env"],
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - this process has one thread
        )


def _orders(parent: int) -> Any:  # noqa: ANN401 - an iterator of decoded JSON
    """Each order as it comes, until standard input ends or the parent is another one."""
    rest = b""
    while os.getppid() == parent:
        ready, _, _ = select.select([0], [], [], _PARENT_POLL_SECONDS)
        if not ready:
            continue
        data = os.read(0, 65536)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


def main(directory: str) -> None:
    """Follows orders until there can be none any more."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its owner, and never sooner
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for order in _orders(os.getppid()):
            try:
                servers.append(_start(order))
                answer: dict[str, Any] = {"pid": servers[-1].pid}
            except OSError as error:
                answer = {"error": str(error)}
            os.write(1, json.dumps(answer).encode() + b"\n")
            servers = [server for server in servers if server.poll() is None]
    finally:
        for server in servers:
            server.kill()
        for server in servers:
            server.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
