"""Runs the Pulumi CLI so that it can be stopped, and so that it never outlives the process that wanted it.

Each run leads a session of its own: Ctrl-C in the terminal does not reach it, since the launch decides what an
interrupt means, and its plugins can be found again by the session's number.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stacks import reaper

_AFTER_EXIT_S = 5.0
"""How long output is still read after the CLI ended, in case something else holds its end of the pipe."""

_LET_GO_S = 2.0
"""How long the end of a helper is waited for that has nothing left to do; else it ends without us."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run left behind.

    Attributes:
        code: the exit code, negative for the signal that ended it.
        stdout: everything it wrote to standard output.
        stderr: everything it wrote to standard error.
    """

    code: int
    stdout: str
    stderr: str


class CliRun:
    """One running CLI process.

    Attributes:
        pid: its process id, which is also the id of its session.
        timed_out: whether it was killed because it took longer than it was given.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        orphans: OrphanGuard | None = None,
    ) -> None:
        """Starts the process; with `orphans`, it is ended when this process dies."""
        self._started = time.monotonic()
        self._orphans = orphans
        self._process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.timed_out = False
        if orphans is not None:
            orphans.watch(self.pid)

    def wait(self, limit: float | None = None) -> Finished:
        """Waits for the end and returns what was written; it returns soon after the end whoever holds the pipes.

        Args:
            limit: seconds after which it is killed.
        """
        try:
            out, err = self._communicate(limit)
        finally:
            if self._process.poll() is None:
                self.kill()
                self._process.wait()
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
            if self._orphans is not None:
                self._orphans.forget(self.pid)
        code = self._process.returncode
        if code < 0:
            reaper.kill_session(self.pid)
        log.debug("pulumi (process %s) ended with %s after %.2f s", self.pid, code, self.seconds)
        return Finished(code, _text(out), _text(err))

    @property
    def seconds(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started

    def interrupt(self) -> None:
        """Asks the engine to cancel; asked a second time, it terminates without waiting for its resources."""
        if self._process.poll() is None:
            reaper.send(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kills it and every plugin of its session."""
        reaper.kill_session(self.pid)

    def _communicate(self, limit: float | None) -> tuple[bytes, bytes]:
        ended_at: float | None = None
        while True:
            try:
                return self._process.communicate(timeout=1.0)
            except subprocess.TimeoutExpired as waiting:
                if self._process.poll() is None:
                    if limit is not None and self.seconds > limit:
                        self.timed_out = True
                        self.kill()
                    continue
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > _AFTER_EXIT_S:
                    return waiting.output or b"", waiting.stderr or b""


class OrphanGuard:
    """The helper process that ends our CLI runs if we die (see `stacks.reaper`); started with the first run.

    Nobody lets it go when this process ends in order: it would interrupt engines whose programs still run in here.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._helper: subprocess.Popen[bytes] | None = None
        self._watched: set[int] = set()

    def watch(self, pid: int) -> None:
        """From now on, our death ends the CLI run `pid`."""
        with self._lock:
            self._watched.add(pid)
            if self._helper is not None and self._tell(f"+{pid}\n"):
                return
            self._drop_helper()
            self._helper = _start_helper()
            for each in self._watched:
                self._tell(f"+{each}\n")

    def forget(self, pid: int) -> None:
        """The CLI run `pid` has ended by itself."""
        with self._lock:
            self._watched.discard(pid)
            if self._helper is not None:
                self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Lets the helper go; it ends what it still watches."""
        with self._lock:
            self._drop_helper()

    def _drop_helper(self) -> None:
        helper, self._helper = self._helper, None
        if helper is not None:
            let_go(helper)

    def _tell(self, line: str) -> bool:
        """Whether the helper is there to hear it."""
        if self._helper is None or self._helper.stdin is None:
            return False
        try:
            self._helper.stdin.write(line.encode())
            self._helper.stdin.flush()
        except OSError as error:
            log.warning("The guard of the engine's processes is gone (%s)", error)
            return False
        return True


def let_go(helper: subprocess.Popen[bytes]) -> None:
    """Tells a helper that ends with its standard input that we are gone; it may have things to finish without us."""
    if helper.stdin is not None:
        with contextlib.suppress(OSError):
            helper.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        helper.wait(_LET_GO_S)


def _start_helper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(reaper.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=os.sep,
        env={"PATH": os.environ.get("PATH", os.defpath)},
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
