"""A fresh `pulumi up`: the same poll, and then the Automation API, as a script would use it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from bench.race.actors.actor import Actor
from bench.race.conditions import WEIGHT
from bench.race.objects import ROUTES, http_route, route_weight
from bench.race.plugin import with_plugin
from bench.race.script import NEW, OLD
from bench.race.stage import Stage


class FreshUp:
    """A stack of one route."""

    name: ClassVar[str] = "fresh-up"
    settle: ClassVar[float] = 1.0
    patience: ClassVar[float] = 60.0

    def __init__(self) -> None:
        self._actor: Actor | None = None
        self._directory: Path | None = None

    def open(self, stage: Stage) -> None:
        """Make room for the stack's state."""
        self._stage = stage
        self._directory = Path(tempfile.mkdtemp(prefix="launch-race-"))
        (self._directory / "state").mkdir()
        self._environ = {"PULUMI_HOME": str(self._directory / "home"), **with_plugin(os.environ)}
        collection = f"/{ROUTES}/namespaces/{stage.namespace}/httproutes"
        stage.watch_route(collection, lambda found: route_weight(found, NEW))

    def bake(self) -> None:
        """Start the script; its first `up` moves the users."""
        routes = {
            str(weight): http_route("shop", self._stage.namespace, {OLD: 100 - weight, NEW: weight})
            for weight in (0, WEIGHT)
        }
        self._actor = Actor(
            "updating",
            {
                "prometheus": self._stage.prometheus.url,
                "kubeconfig": str(self._stage.cluster.kubeconfig),
                "backend": f"file://{self._directory}/state",
                "routes": routes,
            },
            self._environ,
        )
        self._actor.hear(120.0)

    def verdict(self, since: float) -> float | None:  # noqa: ARG002
        """Ask the script; it answers when its `up` has returned."""
        return float(self._actor.hear()["at"]) if self._actor else None

    def rest(self) -> None:
        """End the script."""
        if self._actor is not None:
            self._actor.stop()
            self._actor = None

    def close(self) -> None:
        """Forget the state; the namespace goes with everything in it."""
        self.rest()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
