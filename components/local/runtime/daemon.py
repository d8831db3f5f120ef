"""Bring a supervisor daemon into the world, and out of it; shared by processes and the router."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout, write_json
from components.local.runtime.identity import Identity
from components.local.runtime.locks import is_locked, try_lock, wait_lock
from components.local.runtime.logs import open_log, tail
from components.local.runtime.spec import Order, inherited
from components.local.runtime.state import Record

MODULE = "components.local.runtime.supervise"

ROOT = Path(__file__).resolve().parents[3]
"""Where `components` is imported from: the daemon starts there, so that it finds itself from anywhere."""
_BIRTH = 10.0
"""Seconds a supervisor may take from its start to its first state file."""
_DEATH = 3.0
"""Seconds a supervisor may take to end once its child has."""
_POLL = 0.01

logger = logging.getLogger(__name__)


def launch(order: Order) -> Record:
    """Start a supervisor for `order` and return its first record; the caller holds the command lock.

    Whatever ran in the directory before is stopped first, except the child that `order` adopts.

    Raises:
        RuntimeFailure: The supervisor did not start.
    """
    layout = Layout(order.directory)
    lock = wait_lock(layout.life_lock, 0)
    if lock is None:  # a supervisor lives, or is about to: nobody waits for it any more
        halt(layout, grace=None)
        lock = wait_lock(layout.life_lock, _DEATH)
    if lock is None:
        raise RuntimeFailure(
            f"an earlier supervisor of {layout.directory} does not end; find it with: ps -ef | grep {layout.directory}"
        )
    try:
        layout.state.unlink(missing_ok=True)
        _spawn(replace(order, life_lock=lock), layout)
    finally:
        os.close(lock)  # the supervisor has inherited it: from here on it says that the supervisor lives
    return _await_birth(layout)


def halt(layout: Layout, *, grace: float | None) -> None:
    """Stop the supervisor and the child of a directory, if there are any; the caller holds the command lock.

    Args:
        layout: The directory's files.
        grace: Seconds between SIGTERM and SIGKILL for the child; None: what it was started with.
    """
    record = Record.read(layout)
    if record is None or not record.supervised():
        record = _unborn(layout) or record
    if record is None:
        _kill_hidden(layout)
        return
    patience = 60.0 if grace is None else grace + _DEATH
    if grace is not None:
        write_json(layout.stop, {"grace": grace})
    try:
        record.supervisor.send(signal.SIGTERM)
        _wait(lambda: not record.supervised(), patience)
        if record.supervised():
            logger.warning("the supervisor %s of %s had to be killed", record.supervisor.pid, layout.directory)
            record.supervisor.send(signal.SIGKILL)
            _wait(lambda: not record.supervised(), _DEATH)
        _stop_orphan(Record.read(layout) or record, grace)
        _kill_hidden(layout)
    finally:
        layout.stop.unlink(missing_ok=True)
    layout.state.unlink(missing_ok=True)


def confirm(record: Record) -> None:
    """Tell a supervisor that its child was seen ready: from now on a crash is followed by a restart."""
    record.supervisor.send(signal.SIGUSR1)


def _spawn(order: Order, layout: Layout) -> None:
    log = open_log(layout.supervisor_log)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, str(order.directory)],
            cwd=ROOT,
            env=inherited(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=(order.life_lock,),
            start_new_session=True,
        )
    finally:
        os.close(log)
    try:
        process.communicate(order.to_json(), timeout=_BIRTH)  # it forks, and this first process ends
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise RuntimeFailure(f"the supervisor of {order.directory} did not start within {_BIRTH:g} s") from error


def _await_birth(layout: Layout) -> Record:
    deadline = time.monotonic() + _BIRTH
    while time.monotonic() < deadline:
        record = Record.read(layout)
        if record is not None:
            return record
        if not is_locked(layout.life_lock):
            record = Record.read(layout)  # it may have written in between
            if record is not None:
                return record
            break
        time.sleep(_POLL)
    _kill_hidden(layout)
    lines = "\n".join(tail(layout.supervisor_log))
    raise RuntimeFailure(f"the supervisor of {layout.directory} ended while it started:\n{lines}")


def _unborn(layout: Layout) -> Record | None:
    """The record of a supervisor that is about to write it, its starter having been killed."""
    deadline = time.monotonic() + _BIRTH
    while is_locked(layout.life_lock) and time.monotonic() < deadline:
        record = Record.read(layout)
        if record is not None and record.supervised():
            return record
        time.sleep(_POLL)
    return None


def _stop_orphan(record: Record, grace: float | None) -> None:
    child = record.child
    if child is None:
        return
    if child.alive():
        child.send_group(signal.SIGTERM)
        _wait(lambda: not child.alive(), 5.0 if grace is None else grace)
    child.kill_group()
    _wait(lambda: not child.alive(), _DEATH)


def _kill_hidden(layout: Layout) -> None:
    """Kill a supervisor that holds the life lock but left no usable record: found by its command line."""
    lock = try_lock(layout.life_lock) if layout.life_lock.exists() else None
    if lock is not None:
        os.close(lock)
        return
    if not layout.life_lock.exists():
        return
    import psutil

    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if command[1:] == ["-m", MODULE, str(layout.directory)]:
            identity = Identity.of(process.info["pid"])
            for child in process.children(recursive=True):
                child.kill()
            if identity is not None:
                identity.send(signal.SIGKILL)
    wait_and_drop = wait_lock(layout.life_lock, _DEATH)
    if wait_and_drop is not None:
        os.close(wait_and_drop)


def _wait(condition: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(_POLL)
