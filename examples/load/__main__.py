"""`python -m examples.load URL`: play users until told to stop.

It ends after `--seconds`, on SIGTERM or SIGINT, or when the process that started it ends; users who are there by then
finish first. `--stats` is written twice a second, whole each time, and a last time at the end with `"running": false`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from examples.load.counting import Counts
from examples.load.users import Users

WRITE_SECONDS = 0.5


def main(argv: list[str] | None = None) -> int:
    """Play users, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m examples.load", description=__doc__)
    parser.add_argument("url", help="where users come in, such as http://127.0.0.1:8420")
    parser.add_argument("--rate", type=float, default=120, help="requests a second (default 120)")
    parser.add_argument("--seconds", type=float, default=900, help="how long at most (default 900)")
    parser.add_argument("--stats", type=Path, help="file for the figures")
    options = parser.parse_args(argv)
    if options.rate <= 0 or options.seconds <= 0:
        parser.error("--rate and --seconds must be above 0")
    print(json.dumps(asyncio.run(_play(options.url, options.rate, options.seconds, options.stats)), indent=2))
    return 0


async def _play(url: str, rate: float, seconds: float, stats: Path | None) -> dict[str, Any]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    counts, started, parent = Counts(), time.monotonic(), os.getppid()

    def figures(users: Users, *, running: bool) -> dict[str, Any]:
        return {
            "running": running,
            "seconds": round(time.monotonic() - started, 1),
            "rate": rate,
            "turned_away": users.turned_away,
            **counts.summary(),
        }

    async with Users(url, rate=rate, tell=counts.add) as users:
        coming = asyncio.create_task(users.come(stop))
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WRITE_SECONDS)
            if time.monotonic() - started >= seconds or os.getppid() != parent:
                stop.set()
            _write(stats, figures(users, running=True))
        await coming
    last = figures(users, running=False)
    _write(stats, last)
    return last


def _write(path: Path | None, figures: dict[str, Any]) -> None:
    if path is not None:
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps(figures), encoding="utf-8")
        scratch.replace(path)


if __name__ == "__main__":
    sys.exit(main())
