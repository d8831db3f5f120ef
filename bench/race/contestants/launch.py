"""`launch`, the whole product: the command line as a pipeline has it, with everything that is on by default."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO, Any, ClassVar

from bench.project import ROOT
from bench.race.conditions import LIMIT, WEIGHT, WINDOW_SECONDS
from bench.race.objects import ROUTES, route_weight
from bench.race.plugin import with_plugin
from bench.race.script import NEW
from bench.race.sight import Moments
from bench.race.stage import Stage
from tests.registry.oci_registry_standin import registry
from tests.registry.pushing import Pusher

_ENVIRONMENT = "race"
_SERVICE = "shop"
_ROLLED_BACK = 1
_END_SECONDS = 180.0

SEQUENCE = {
    "launch": {
        "rollback_threshold": {"error_rate": LIMIT, "window": f"{WINDOW_SECONDS}s", "min_requests": 20},
        "phases": [
            {"id": "deploy"},
            {
                "id": "traffic",
                "timeout_ms": 300000,
                "steps": [{"weight": WEIGHT, "bake": "2m"}, {"weight": 100}],
            },
        ],
    }
}


class Launch:
    """`python -m launch up` of a bad version, again and again; the first version keeps its users."""

    name: ClassVar[str] = "launch"
    settle: ClassVar[float] = 5.0
    patience: ClassVar[float] = 60.0

    def __init__(self) -> None:
        self._resources = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._said = Moments()
        self._last: dict[str, Any] = {}

    def open(self, stage: Stage) -> None:
        """Make a project with two images in a registry, and launch the first."""
        self._root = Path(tempfile.mkdtemp(prefix="launch-race-"))
        self._resources.callback(shutil.rmtree, self._root, ignore_errors=True)
        host = self._resources.enter_context(registry()).host
        for version in ("1.0", "2.0"):
            Pusher(host, f"team/{_SERVICE}").image(version, labels={"version": version})
        files = {"Pulumi.yaml": {"name": "bench", "runtime": "python"}, "launch.yaml": SEQUENCE}
        files[f"Pulumi.{_ENVIRONMENT}.yaml"] = _settings(stage, f"{host}/team")
        for name, body in files.items():
            (self._root / name).write_text(json.dumps(body), encoding="utf-8")  # JSON is YAML
        (self._root / ".tools").symlink_to(ROOT / ".tools")
        routes = f"/{ROUTES}/namespaces/{stage.namespace}/httproutes"
        stage.watch_route(routes, lambda found: route_weight(found, f"{_SERVICE}-{NEW}"))
        self._start("1.0")
        self._ended(0)

    def bake(self) -> None:
        """Begin a launch of the second version."""
        self._start("2.0")

    def verdict(self, since: float) -> float | None:
        """Return the time of the launch's own event."""
        return self._said.wait(
            lambda event: event == "breaker.tripped", since=since - 1, limit=30.0, what="breaker.tripped"
        )

    def rest(self) -> None:
        """Wait until the launch has ended, and all it made is gone."""
        self._ended(_ROLLED_BACK)

    def close(self) -> None:
        """End a launch that still runs, and forget the project; the namespace goes with everything in it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._reader.join()
        self._resources.close()

    def _start(self, version: str) -> None:
        self._errors = (self._root / "errors").open("w+b")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "launch",
                "up",
                _ENVIRONMENT,
                "--image",
                f"{_SERVICE}:{version}",
                "--output",
                "json",
            ],
            cwd=self._root,
            env={**with_plugin(os.environ), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                event = json.loads(line)
                self._said.add(event["event"], datetime.fromisoformat(event["time"]).timestamp())
                self._last = event

    def _ended(self, code: int) -> None:
        """Wait for the end of a launch.

        Raises:
            RuntimeError: it ended otherwise than it should.
        """
        if self._process is None:
            return
        found = self._process.wait(_END_SECONDS)
        self._reader.join()
        self._process = None
        with self._errors as errors:
            if found != code:
                errors.seek(0)
                raise RuntimeError(f"launch ended with {found}: {self._last}\n{errors.read().decode(errors='replace')}")


def _settings(stage: Stage, prefix: str) -> dict[str, Any]:
    cluster = {
        "kubeconfig": str(stage.cluster.kubeconfig),
        "namespace": stage.namespace,
        "replicas": 1,
        "router": {"kind": "gateway", "gateway": "gateway"},
    }
    return {
        "config": {
            "launch:platform": "kubernetes",
            "launch:service": {"name": _SERVICE},
            "launch:registry": {"kind": "oci", "prefix": prefix},
            "launch:kubernetes": cluster,
            "launch:metrics": {"address": stage.prometheus.url, "router": "launch"},
        }
    }
