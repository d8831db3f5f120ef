"""Launches of 1, 10, 100 and 1,000 services in one environment on a real control plane, through the whole command.

Each size is launched twice: what is measured is the second launch, with an old slot beside the new one. kwok's pods
become ready at once, so what takes time is the launch, the engine, its plugin and the API server. SCALE_SIZES=1,10 runs
those sizes alone, SCALE_PER_STACK=8 has so many services in a deploy stack.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from bench.measurement import Measurement
from bench.race.plugin import with_plugin
from tests.cluster.cluster import running
from tests.registry.oci_registry_standin import registry
from tests.registry.pushing import Pusher

ROOT = Path(__file__).parent.parent
SIZES = (1, 10, 100, 1000)
SAMPLE_SECONDS = 0.2

SEQUENCE = """
launch:
  rollback_threshold: { on_inconclusive: continue }
  phases:
    - { id: deploy, timeout_ms: 3600000 }
    - { id: traffic, timeout_ms: 3600000, steps: [{ weight: 50 }, { weight: 100 }] }
"""


@dataclass(frozen=True)
class Seen:
    """What a launch took."""

    seconds: float
    memory: float
    """Peak of all processes of the tool together, in MiB."""
    engines: int
    """The most CLI processes at once."""


def run() -> Iterator[Measurement]:
    """Launch each size twice and print what the second launch took."""
    sizes = [int(size) for size in os.environ.get("SCALE_SIZES", "").split(",") if size] or SIZES
    with running() as cluster, registry() as images:
        for version in ("1.0", "2.0"):
            Pusher(images.host, "svc").image(version, labels={"version": version})
        alone: float | None = None
        for size in sizes:
            with cluster.namespace() as namespace:
                seen = _launched(size, namespace, images.host, str(cluster.kubeconfig))
            yield Measurement(f"scale.{size}.launch", seen.seconds, "s")
            yield Measurement(f"scale.{size}.each", seen.seconds / size, "s for each service", alone)
            yield Measurement(f"scale.{size}.memory", seen.memory, "MiB")
            yield Measurement(f"scale.{size}.engines", seen.engines, "CLI processes at once")
            alone = alone if alone is not None else seen.seconds


def _launched(size: int, namespace: str, images: str, kubeconfig: str) -> Seen:
    with tempfile.TemporaryDirectory(prefix="launch-scale-") as directory:
        root = Path(directory)
        (root / "Pulumi.yaml").write_text("name: scale\nruntime: python\n", encoding="utf-8")
        (root / "launch.yaml").write_text(SEQUENCE, encoding="utf-8")
        (root / ".tools").symlink_to(ROOT / ".tools")
        try:
            _set(root, _environment(size, "1.0", namespace, images, kubeconfig))
            _up(root, "svc:1.0")
            _set(root, _environment(size, "2.0", namespace, images, kubeconfig))
            return _up(root, "svc:2.0")
        finally:
            _command(root, "down", "dev", "--yes", output=subprocess.DEVNULL).wait()


def _set(root: Path, environment: str) -> None:
    (root / "Pulumi.dev.yaml").write_text(environment, encoding="utf-8")


def _environment(size: int, version: str, namespace: str, images: str, kubeconfig: str) -> str:
    services = {
        f"svc-{number}": {"image": f"svc:{version}", "hostnames": [f"svc-{number}.example"]}
        for number in range(1, size)
    }
    per_stack = os.environ.get("SCALE_PER_STACK")
    settings = {
        "launch:platform": "kubernetes",
        "launch:service": {"name": "svc", "environment": {"VERSION": version}},
        "launch:services": services,
        **({"launch:services_per_stack": int(per_stack)} if per_stack else {}),
        "launch:registry": {"prefix": images},
        "launch:kubernetes": {
            "kubeconfig": kubeconfig,
            "namespace": namespace,
            "replicas": 1,
            "router": {"kind": "gateway", "gateway": "users", "hostnames": ["svc.example"]},
        },
    }
    return json.dumps({"config": settings})  # JSON is YAML


def _command(root: Path, *arguments: str, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    environ = {**with_plugin(os.environ), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", "launch", *arguments], cwd=root, env=environ, stdout=output)


def _up(root: Path, image: str) -> Seen:
    began = time.perf_counter()
    told = root / "events.jsonl"
    with told.open("wb") as output:
        process = _command(root, "up", "dev", "--image", image, "--output", "json", output=output)
        watched = _Watched(process.pid)
        code = process.wait()
    seconds = time.perf_counter() - began
    watched.stop()
    if code != 0:  # what failed early must not be measured as fast
        raise RuntimeError(f"the launch of {image} ended with {code}: {told.read_text().splitlines()[-1:]}")
    return Seen(seconds, watched.memory, watched.engines)


class _Watched:
    """Looks at a process and all below it until told to stop."""

    def __init__(self, pid: int) -> None:
        self.memory, self.engines = 0.0, 0
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            with suppress(psutil.Error):
                self._count([self._root, *self._root.children(recursive=True)])

    def _count(self, processes: Sequence[psutil.Process]) -> None:
        memory, engines = 0, 0
        for process in processes:
            with suppress(psutil.Error):
                memory += process.memory_info().rss
                engines += process.name() == "pulumi"
        self.memory, self.engines = max(self.memory, memory / 2**20), max(self.engines, engines)
