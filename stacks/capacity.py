"""How many engines work at once on this machine, whoever started them, and in which order they get their turn.

A working engine costs one to one and a half seconds of CPU an update and, with its plugins, some 260 MiB; more of them
than twice the cores finish no sooner and only take memory. So hundreds of launches share the machine's turns: each run
of the CLI waits for one. Who came first goes first, and a rollback goes before everything that goes forward.

The turns are file locks in a private directory, so the kernel gives them back when a process dies. A waiter is a file
whose name is its place in the queue and which its owner keeps locked: one that nobody holds is of a dead process and
is passed over.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from phases.errors import ConfigurationError
from stacks.workdir import private_directory

LIMIT = "LAUNCH_MAX_ENGINES"
"""Environment variable with the number of engines that may work at once on this machine."""

_POLL_S = 0.01
_count = itertools.count()


class Full(Exception):
    """There was no turn before the caller's patience ended."""


class Turn:
    """A turn that was taken.

    Args:
        lock: the file whose lock it is.
    """

    def __init__(self, lock: IO[bytes]) -> None:
        self._lock = lock

    def give_back(self) -> None:
        """Let somebody else have it; a second time nothing happens."""
        self._lock.close()


class Capacity:
    """The turns of one machine.

    Args:
        directory: where the locks are; the same for all who share the machine.
        limit: how many turns there are.
        clock: monotonic seconds.
        wait: waits that many seconds.
    """

    def __init__(
        self,
        directory: Path,
        limit: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.directory = directory
        self.limit = limit
        self._clock = clock
        self._wait = wait

    @contextlib.contextmanager
    def turn(
        self, *, urgent: bool = False, patience: float | None = None, given_up: Callable[[], bool] = lambda: False
    ) -> Iterator[Turn]:
        """Wait for a turn and keep it until the block ends, or until it is given back.

        Args:
            urgent: go before everybody who is not; a rollback does.
            patience: seconds to wait at most; None: for ever.
            given_up: asked now and then whether the turn is still wanted.

        Raises:
            Full: the patience ended, or the turn was given up.
        """
        end = None if patience is None else self._clock() + patience
        with self._place(urgent=urgent) as place:
            taken = self._take(place)
            while taken is None:
                if given_up() or (end is not None and self._clock() >= end):
                    raise Full(f"no turn of {self.limit} became free")
                self._wait(_POLL_S)
                taken = self._take(place)
        turn = Turn(taken)
        try:
            yield turn
        finally:
            turn.give_back()

    def _take(self, place: Path) -> IO[bytes] | None:
        """Return a free turn if it is this waiter's."""
        if self._first() != place.name:
            return None
        for number in range(self.limit):
            lock = (self.directory / f"turn-{number}").open("ab")
            if _locked(lock):
                return lock
            lock.close()
        return None

    def _first(self) -> str | None:
        """Return the waiter whose turn is next; those whose process is dead are cleared away."""
        for name in sorted(path.name for path in self._queue.iterdir()):
            try:
                file = (self._queue / name).open("rb")
            except FileNotFoundError:
                continue
            with file:
                if not _locked(file):
                    return name  # its owner holds it
                with contextlib.suppress(FileNotFoundError):
                    (self._queue / name).unlink()
        return None

    @contextlib.contextmanager
    def _place(self, *, urgent: bool) -> Iterator[Path]:
        for directory in (self.directory.parent, self.directory, self._queue):
            private_directory(directory)
        name = f"{0 if urgent else 1}-{time.time_ns():020d}-{os.getpid()}-{threading.get_ident()}-{next(_count)}"
        scratch = self.directory / f"new-{name}"
        with scratch.open("ab") as file:
            _locked(file)
            path = self._queue / name
            scratch.rename(path)  # nobody may see a place that is not locked yet
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    @property
    def _queue(self) -> Path:
        return self.directory / "queue"


def of_machine(environ: Mapping[str, str], kind: str) -> Capacity:
    """Return the turns of this machine for this user: twice the cores, or what `LAUNCH_MAX_ENGINES` says.

    Args:
        environ: the environment of the launch.
        kind: `updates`, or `reads`: short commands have turns of their own, since an update may wait for one.

    Raises:
        ConfigurationError: the variable is no positive whole number.
    """
    given = environ.get(LIMIT, "")
    if given and (not given.isdigit() or int(given) < 1):
        raise ConfigurationError(f"{LIMIT} is {given!r}; write how many engines may work at once, such as 4")
    limit = int(given) if given else 2 * (os.cpu_count() or 1)
    return Capacity(Path(tempfile.gettempdir()) / f"pulumi-launch-{os.getuid()}" / kind, limit)


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
