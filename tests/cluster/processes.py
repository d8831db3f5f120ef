"""The servers of one control plane: started through the guard, looked at, stopped together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from tests.cluster.waiting import wait_until

_GUARD = Path(__file__).with_name("guard.py")
_LOG_TAIL_BYTES = 4000
_STOP_SECONDS = 30.0


class ServerDied(RuntimeError):
    """A server ended that should be running; the message has the end of its log."""


class Processes:
    """Server processes in a directory of their own. All of them end with `stop`, or with this process.

    Attributes:
        directory: removed when the servers are stopped.
        pids: process id of each server by name.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="launch-cluster-"))
        self.pids: dict[str, int] = {}
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is for pytest, which then stops this in order
        )

    def start(self, name: str, argv: Sequence[str | Path]) -> None:
        """Starts a server whose output goes to `NAME.log`.

        Raises:
            ServerDied: there is no such program, or the guard is gone.
        """
        order = {
            "argv": [str(part) for part in argv],
            "log": str(self.directory / f"{name}.log"),
            "cwd": str(self.directory),
            "env": {"PATH": os.defpath, "HOME": str(self.directory)},
        }
        try:
            _pipe(self._guard.stdin).write(json.dumps(order).encode() + b"\n")
            _pipe(self._guard.stdin).flush()
            answer: dict[str, Any] = json.loads(
                _pipe(self._guard.stdout).readline() or '{"error": "the guard is gone"}'
            )
        except BrokenPipeError:
            answer = {"error": "the guard is gone"}
        if "error" in answer:
            raise ServerDied(f"{name} was not started: {answer['error']}")
        self.pids[name] = answer["pid"]

    def check(self) -> None:
        """Raises ServerDied if a server that was started is not running."""
        for name, pid in self.pids.items():
            if not is_running(pid):
                raise ServerDied(f"{name} ended; its last words:\n{self.log(name)}")

    def log(self, name: str) -> str:
        """The end of a server's log."""
        text = (self.directory / f"{name}.log").read_bytes()
        return text[-_LOG_TAIL_BYTES:].decode(errors="replace")

    def freeze(self, name: str) -> None:
        """Holds a server still; when this returns it does.

        A stop is only noted by `kill`: on a busy machine some of the server's threads go on for a moment, and that is
        enough for an answer.

        Raises:
            AssertionError: it still runs after a while.
        """
        pid = self.pids[name]
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: _is_frozen(pid))

    def thaw(self, name: str) -> None:
        """Lets a frozen server go on."""
        os.kill(self.pids[name], signal.SIGCONT)

    def memory(self) -> dict[str, int]:
        """Resident bytes of each server."""
        return {name: psutil.Process(pid).memory_info().rss for name, pid in self.pids.items()}

    @property
    def guard_pid(self) -> int:
        """Process id of the guard."""
        return self._guard.pid

    def stop(self) -> None:
        """Ends all servers and removes the directory."""
        _pipe(self._guard.stdin).close()
        self._guard.wait(_STOP_SECONDS)
        _pipe(self._guard.stdout).close()
        shutil.rmtree(self.directory, ignore_errors=True)  # in case the guard was killed


def is_running(pid: int) -> bool:
    """Whether a process is there, and more than an entry that its parent has not read yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_frozen(pid: int) -> bool:
    """Whether each thread of a process is stopped; a process as such says so when only the first of them is."""
    states = (task.read_text(encoding="utf-8") for task in Path(f"/proc/{pid}/task").glob("*/status"))
    return all("State:\tT" in state for state in states)


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nobody listens on; all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
