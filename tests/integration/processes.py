"""Processes that tests look for. Any of them may end while it is looked at."""

from __future__ import annotations

import psutil


def words(process: psutil.Process) -> str:
    """Its command line; empty where it has ended, also where nobody has waited for it yet."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def started(part: str, by: psutil.Process | None = None) -> list[psutil.Process]:
    """Processes that this one (or another) started, and those started by them, by a part of their command line."""
    return [child for child in (by or psutil.Process()).children(recursive=True) if part in words(child)]
