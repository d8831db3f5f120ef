"""From the verdict until the router has the decided weights: an armed update, and a plain one, in turn in one run.

What is measured is what the launch does when its breaker trips, on the local platform: the engine, the provider
plugin, the flags first, then the router. The router is asked for its weights all the time by a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from bench.measurement import Measurement
from bench.project import ROOT
from components.local.platform import LocalPlatform
from components.platform import BackendSpec, FlagsSpec, SplitSpec
from stacks import going_back, traffic
from stacks.arming import BACK, FORWARD, Next, WayBack, arm
from stacks.checkpoint import Checkpoint
from stacks.engine import Engine, StackHandle
from stacks.marker import Marker

ROUNDS = 15
ALL, NONE = 100, 0
UNDO = Marker("bench", "traffic", "traffic.undo")
WATCH = """
import http.client, json, sys, time
from urllib.parse import urlsplit
where, slot, wanted = urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3])
router = http.client.HTTPConnection(where.hostname, where.port)
print("watching", flush=True)
while True:
    router.request("GET", "/config")
    found = json.loads(router.getresponse().read())["backends"]
    if any(backend["slot"] == slot and backend["weight"] == wanted for backend in found):
        print(time.monotonic(), flush=True)
        break
    time.sleep(0.001)
"""


def program(weight: int, *, flag: bool) -> Callable[[], None]:
    """Return the traffic's program with that much for the new slot."""
    split = SplitSpec(
        "bench",
        (
            BackendSpec("blue", "http://127.0.0.1:9", 100 - weight),
            BackendSpec("green", "http://127.0.0.1:9", weight),
        ),
    )
    variant = "on" if flag else "off"
    flags = {"new": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": variant}}
    platform = LocalPlatform(Path(os.environ["BENCH_PLATFORM"]))
    marker = Marker("bench", "traffic", f"to {weight}")
    return traffic.program(
        platform, split=split, flags=FlagsSpec("bench", flags), variants={"new": variant}, marker=marker
    )


def run() -> Iterator[Measurement]:
    """Shift, and go back, again and again."""
    with _stack() as handle:
        handle.update(program(NONE, flag=False), message="before the launch")
        before = going_back.read(handle)
        figures: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for name, seconds in _round(handle, before):
                figures.setdefault(name, []).append(1000 * seconds)
    for outcome in ("forward", "back"):
        armed, plain = figures[f"{outcome}.armed"], figures[f"{outcome}.plain"]
        for label, of in (("median", statistics.median), ("p95", _p95)):
            yield Measurement(f"armed.verdict_to_router.{outcome}.{label}", of(armed), "ms", of(plain))
    yield Measurement("armed.ready_after", statistics.median(figures["ready"]), "ms")
    yield Measurement("armed.recorded_after", statistics.median(figures["recorded"]), "ms")


def _round(handle: StackHandle, before: Checkpoint | None) -> Iterator[tuple[str, float]]:
    admin = str(handle.outputs()["admin"])
    for outcome, weight in ((FORWARD, 50), (BACK, NONE)):
        began = time.monotonic()
        update = arm(handle, message="bench", step=Next(program(50, flag=True)), back=WayBack(before, UNDO))
        if update is None:  # where nothing was changed yet, there is a way forward only
            raise RuntimeError("the stack could not be armed")
        update.wait_ready(60)
        yield "ready", time.monotonic() - began
        time.sleep(0.5)  # a bake is longer
        with _router(admin, weight) as changed:
            decided = time.monotonic()
            update.fire(outcome)
            yield f"{outcome}.armed", changed() - decided
            update.wait_end()
            yield "recorded", time.monotonic() - decided
    with _router(admin, 50) as changed:
        decided = time.monotonic()
        handle.update(program(50, flag=True), message="plain")
        yield "forward.plain", changed() - decided
    with _router(admin, NONE) as changed:
        decided = time.monotonic()
        going_back.restore(handle, before, marker=UNDO, message="plain", deadline=60)
        yield "back.plain", changed() - decided


@contextmanager
def _router(admin: str, weight: int) -> Iterator[Callable[[], float]]:
    """Watch the router; the function answers when it had the weight (monotonic seconds, the same in all processes)."""
    watcher = subprocess.Popen(
        [sys.executable, "-c", WATCH, admin, "green", str(weight)], stdout=subprocess.PIPE, text=True
    )
    output = cast("IO[str]", watcher.stdout)
    output.readline()
    try:
        yield lambda: float(output.readline())
    finally:
        watcher.kill()
        watcher.communicate()


@contextmanager
def _stack() -> Iterator[StackHandle]:
    with tempfile.TemporaryDirectory(prefix="launch-bench-") as directory:
        root = Path(directory)
        (root / "Pulumi.yaml").write_text(json.dumps({"name": "bench", "runtime": "python"}), encoding="utf-8")
        os.environ["BENCH_PLATFORM"] = str(root / "platform")
        path = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ["PATH"]])
        handle = Engine(project="bench", root=root, environ={**os.environ, "PATH": path}).stack("bench-traffic")
        try:
            yield handle
        finally:
            handle.destroy(message="the end")


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]
