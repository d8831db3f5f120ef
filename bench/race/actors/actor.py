"""A process of the race: told what to do on its standard input, it says what it did on its standard output, in JSON."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any, Self

from bench.project import ROOT

_STOP_SECONDS = 20.0


class Actor:
    """Runs `python -m bench.race.actors.NAME` from now on.

    Args:
        name: of the module.
        orders: what it is told first.
        environ: of the process.

    Raises:
        RuntimeError: it ended before it was ready.
    """

    def __init__(self, name: str, orders: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> None:
        self._name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"bench.race.actors.{name}"],
            cwd=ROOT,
            env=None if environ is None else dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.tell(orders)

    def tell(self, what: Mapping[str, Any]) -> None:
        """Send it one object."""
        stream = _pipe(self._process.stdin)
        stream.write(json.dumps(what).encode() + b"\n")
        stream.flush()

    def hear(self, limit: float = 60.0) -> dict[str, Any]:
        """Return what it says next.

        Raises:
            RuntimeError: it ended, or says nothing for so many seconds.
        """
        try:
            said = self._said.get(timeout=limit)
        except queue.Empty:
            said = None
        if said is None:
            raise RuntimeError(f"{self._name} says nothing more (exit code {self._process.poll()})")
        return said

    def stop(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._reader.join()
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self) -> None:
        for line in _pipe(self._process.stdout):
            self._said.put(json.loads(line))
        self._said.put(None)


def heard() -> dict[str, Any]:
    """Return what this process is told next; the process ends where nobody is left to tell it anything."""
    line = sys.stdin.readline()
    if not line:
        os._exit(0)
    found: dict[str, Any] = json.loads(line)
    return found


def say(**what: object) -> None:
    """Say something to whoever runs this process."""
    print(json.dumps(what), flush=True)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("there is no pipe")
    return stream
