"""The local router under load while its weights change ten times a second.

Against the service alone, and against proxy.py, the fastest of the widely used pure-Python proxies (mitmproxy is
better known, but made for looking into traffic and several times slower: being ahead of it would say little). Its
reverse-proxy mode cannot serve a second request on a client's connection, so it is measured in that mode with a new
connection for each request, and with kept connections in its forward mode, where it does least for a request. It runs
with its own defaults - event driven, a worker for each core - and logging off; the router is one process.

Rounds are interleaved, the median of each is taken; all on loopback, the load generator in a process of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measurement import Measurement
from components.local.runtime.router import Backend, configure, stop_router
from components.local.runtime.supervisor import ProcessSpec, Readiness, start, stop

CONNECTIONS = 50
SECONDS = 2.0
ROUNDS = 3
_CHANGE_INTERVAL = 0.1
_WEIGHTS = (0, 1, 10, 50, 90, 100, 50, 10)
_ROOT = Path(__file__).resolve().parents[1]

Result = dict[str, float]


@dataclass(frozen=True, slots=True)
class Target:
    """Something to put under load, and how."""

    name: str
    arguments: tuple[str, ...]


def run() -> Iterator[Measurement]:
    """Requests per second, p99 and errors of each."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        place = Path(scratch)
        urls = [stack.enter_context(_service(place / slot)) for slot in ("old", "new")]
        router = stack.enter_context(_router(place / "router", urls))
        forward = stack.enter_context(_proxy_py(place / "forward"))
        reverse = stack.enter_context(_proxy_py(place / "reverse", origin=urls[0]))
        targets = (
            Target("service", (urls[0],)),
            Target("router", (router,)),
            Target("proxy_py", (urls[0], "--via", forward)),
            Target("service.new_connections", (urls[0], "--once")),
            Target("router.new_connections", (router, "--once")),
            Target("proxy_py.new_connections", (reverse, "--once")),
        )
        rounds = [{target.name: _load(target) for target in targets} for _ in range(ROUNDS)]
    for kind in ("", ".new_connections"):
        yield from _compare(rounds, kind)


def _compare(rounds: list[dict[str, Result]], kind: str) -> Iterator[Measurement]:
    def median(who: str, figure: str) -> float:
        return round(statistics.median(results[who + kind][figure] for results in rounds), 2)

    def errors(who: str) -> float:
        return sum(results[who + kind]["errors"] for results in rounds)

    for figure, unit in (("rps", "requests/s"), ("p50_ms", "ms"), ("p99_ms", "ms")):
        yield Measurement(f"router{kind}.{figure}", median("router", figure), unit, median("proxy_py", figure))
    yield Measurement(f"router{kind}.errors", errors("router"), "requests", errors("proxy_py"))
    yield Measurement(
        f"router{kind}.ratio_to_proxy_py", round(median("router", "rps") / median("proxy_py", "rps"), 2), "ratio"
    )
    for figure, unit in (("rps", "requests/s"), ("p99_ms", "ms")):
        yield Measurement(f"service{kind}.{figure}", median("service", figure), unit)


def _load(target: Target) -> Result:
    command = [sys.executable, "-m", "bench.load", *target.arguments, "--connections", str(CONNECTIONS)]
    command += ["--seconds", str(SECONDS)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, check=True, timeout=SECONDS + 30)
    result: Result = json.loads(done.stdout)
    return result


@contextmanager
def _service(directory: Path) -> Iterator[str]:
    spec = ProcessSpec(
        directory=directory,
        command=(sys.executable, "-m", "bench.origin"),
        environment={},
        cwd=_ROOT,
        readiness=Readiness(path="/"),
    )
    try:
        yield start(spec).url
    finally:
        stop(directory)


@contextmanager
def _router(directory: Path, urls: list[str]) -> Iterator[str]:
    """A router whose weights change all the time."""

    def backends(new: int) -> list[Backend]:
        return [Backend("old", urls[0], 100 - new), Backend("new", urls[1], new)]

    router = configure(directory, backends=backends(0))
    ended = threading.Event()

    def change() -> None:
        for new in itertools.cycle(_WEIGHTS):
            if ended.wait(_CHANGE_INTERVAL):
                return
            configure(directory, backends=backends(new))

    changing = threading.Thread(target=change)
    changing.start()
    try:
        yield router.url
    finally:
        ended.set()
        changing.join()
        stop_router(directory)


@contextmanager
def _proxy_py(directory: Path, *, origin: str | None = None) -> Iterator[str]:
    """proxy.py in front of `origin`, or, without one, as a forward proxy."""
    directory.mkdir()
    port_file = directory / "port"
    reverse = ["--disable-http-proxy", "--enable-reverse-proxy", "--plugins", "bench.proxy_py.Everything"]
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file)]
    command += ["--log-level", "CRITICAL", "--data-dir", str(directory), *(reverse if origin else [])]
    process = subprocess.Popen(
        command,
        cwd=_ROOT,
        env={**os.environ, "BENCH_ORIGIN": origin or "", "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _await_port(process, port_file)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await_port(process: subprocess.Popen[bytes], port_file: Path) -> str:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        text = port_file.read_text().split() if port_file.exists() else []
        if text:
            with socket.create_connection(("127.0.0.1", int(text[0])), timeout=5):
                return f"http://127.0.0.1:{text[0]}"
        time.sleep(0.05)
    raise RuntimeError("proxy.py did not start; install the dependency group bench")
