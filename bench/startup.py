"""How fast the command line answers, and how much memory a launch takes, all processes of the tool together."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil

from bench.measurement import Measurement
from bench.project import project

RUNS = 10


def run() -> Iterator[Measurement]:
    """Time `--help` and `check` beside a bare interpreter, and watch the memory of one launch."""
    bare = _median([sys.executable, "-c", "pass"])
    yield Measurement("startup.help", _median([sys.executable, "-m", "launch", "--help"]), "s", bare)
    with project(versions=("1.0", "2.0")) as shop:
        shop.completed("shop:1.0")
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            shop.launch("check", "dev", "--image", "shop:2.0")
            times.append(time.perf_counter() - began)
        yield Measurement("startup.check", statistics.median(times), "s", bare)
        peak = _Peak()
        with peak:
            shop.completed("shop:2.0")
        yield Measurement("memory.launch_peak", peak.bytes / 2**20, "MiB (sum of USS)")


def _median(argv: list[str]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


class _Peak:
    """The most memory that this process's descendants had at once, without what they share."""

    def __init__(self) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        own = psutil.Process()
        while not self._stop.wait(0.05):
            total = 0
            for child in own.children(recursive=True):
                try:
                    total += child.memory_full_info().uss
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            self.bytes = max(self.bytes, total)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
