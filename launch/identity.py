"""Who started a launch, where from, and whether that process still lives."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from phases.record import LaunchRecord

_PIPELINES = (
    # The variables by which pipelines tell the address of the running job.
    "LAUNCH_SOURCE",
    "BUILD_URL",
    "CI_JOB_URL",
    "CIRCLE_BUILD_URL",
    "BUILDKITE_BUILD_URL",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """This process, as the record names it."""

    by: str
    host: str
    pid: int
    process_started: float
    source: str


def own(environ: Mapping[str, str], root: Path) -> Identity:
    """Return this process's identity."""
    import psutil

    host = socket.gethostname()
    try:
        user = environ.get("LAUNCH_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    source = next((environ[name] for name in _PIPELINES if environ.get(name)), None)
    if source is None and environ.get("GITHUB_RUN_ID"):
        server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
        source = f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    pid = os.getpid()
    return Identity(f"{user}@{host}", host, pid, psutil.Process(pid).create_time(), source or str(root))


def is_here(record: LaunchRecord) -> bool:
    """Return whether the launch was started on this machine."""
    return record.host == socket.gethostname()


def is_alive(record: LaunchRecord) -> bool:
    """Return whether the process of a launch that was started on this machine still runs."""
    import psutil

    try:
        started = psutil.Process(record.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    # A pid is used again some day; the moment of creation tells two processes apart.
    return abs(started - record.process_started) < 1.0
