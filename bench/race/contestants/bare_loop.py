"""The limit: a loop that polls the metric and patches the route, and is nothing else."""

from __future__ import annotations

from typing import ClassVar

from bench.race.actors.actor import Actor
from bench.race.conditions import WEIGHT
from bench.race.kept import MERGE
from bench.race.objects import ROUTES, http_route, route_weight, rule
from bench.race.script import NEW, OLD
from bench.race.stage import Stage

_ROUTE = "shop"


class BareLoop:
    """Knows nothing of what it changes, keeps no record, and has no way back but this one."""

    name: ClassVar[str] = "bare-loop"
    settle: ClassVar[float] = 1.0
    patience: ClassVar[float] = 30.0

    def __init__(self) -> None:
        self._actor: Actor | None = None

    def open(self, stage: Stage) -> None:
        """Make the route."""
        self._stage = stage
        collection = f"/{ROUTES}/namespaces/{stage.namespace}/httproutes"
        self._path = f"{collection}/{_ROUTE}"
        stage.cluster.rest.post(collection, http_route(_ROUTE, stage.namespace, {OLD: 100, NEW: 0}))
        stage.watch_route(collection, lambda found: route_weight(found, NEW))

    def bake(self) -> None:
        """Start the loop."""
        back = {"spec": {"rules": [rule({OLD: 100, NEW: 0})]}}
        self._stage.cluster.rest.patch(self._path, {"spec": {"rules": [rule({OLD: 100 - WEIGHT, NEW: WEIGHT})]}}, MERGE)
        self._actor = Actor(
            "patching",
            {
                "prometheus": self._stage.prometheus.url,
                "kubeconfig": str(self._stage.cluster.kubeconfig),
                "path": self._path,
                "body": back,
            },
        )
        self._actor.hear()

    def verdict(self, since: float) -> float | None:  # noqa: ARG002
        """Ask the loop."""
        return float(self._actor.hear()["at"]) if self._actor else None

    def rest(self) -> None:
        """End the loop."""
        self.close()

    def close(self) -> None:
        """End the loop."""
        if self._actor is not None:
            self._actor.stop()
            self._actor = None
