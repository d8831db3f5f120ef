"""Flagger: a Canary with Gateway API routes, whose only metric is ours."""

from __future__ import annotations

from typing import Any, ClassVar

from bench.peers.build import FLAGGER
from bench.race.conditions import LIMIT, QUERY, WEIGHT, WINDOW_SECONDS
from bench.race.controllers import Controller
from bench.race.objects import PORT, ROUTES, route_weight, template
from bench.race.sight import Moments, Sight
from bench.race.stage import Stage
from tests.cluster.processes import free_ports
from tests.cluster.rest import MERGE
from tests.cluster.waiting import wait_until

_GROUP = "apis/flagger.app/v1beta1"
_DEPLOYMENTS = "apis/apps/v1"


class Flagger:
    """Analyses every ten seconds, which is as often as it can; one failed check is enough."""

    name: ClassVar[str] = "flagger"
    settle: ClassVar[float] = 1.0
    patience: ClassVar[float] = 120.0

    def __init__(self) -> None:
        self._controller: Controller | None = None
        self._verdicts = Moments()
        self._number = 0

    def open(self, stage: Stage) -> None:
        """Start the controller and run the first version."""
        self._stage, self._rest = stage, stage.cluster.rest
        (port,) = free_ports(1)
        self._controller = Controller(
            FLAGGER,
            stage.cluster,
            [
                "-mesh-provider=gatewayapi:v1",
                f"-metrics-server={stage.prometheus.url}",
                "-control-loop-interval=1s",
                f"-namespace={stage.namespace}",
                f"-port={port}",
                "-log-level=info",
            ],
        )
        space = f"namespaces/{stage.namespace}"
        self._rest.post(f"/{_DEPLOYMENTS}/{space}/deployments", _deployment())
        self._rest.post(f"/{_GROUP}/{space}/metrictemplates", self._metric())
        self._rest.post(f"/{_GROUP}/{space}/canaries", _canary())

        def checked(canary: dict[str, Any], at: float) -> None:
            self._verdicts.add(canary.get("status", {}).get("failedChecks", 0), at)

        routes = f"/{ROUTES}/{space}/httproutes"
        Sight(self._rest, f"/{_GROUP}/{space}/canaries", checked)
        stage.watch_route(routes, lambda found: route_weight(found, "shop-canary"))
        wait_until(lambda: self._phase() == "Initialized", 120.0)

    def bake(self) -> None:
        """Deploy another version."""
        self._number += 1
        patch = {"spec": {"template": template("shop", f"bad-{self._number}")}}
        self._rest.patch(f"/{_DEPLOYMENTS}/namespaces/{self._stage.namespace}/deployments/shop", patch, MERGE)

    def verdict(self, since: float) -> float | None:
        """Return when an API watch saw the failed check."""
        return self._verdicts.wait(bool, since=since, limit=30.0, what="the verdict")

    def rest(self) -> None:
        """Wait until it has given the version up."""
        wait_until(lambda: self._phase() == "Failed", 120.0)

    def close(self) -> None:
        """End the controller."""
        if self._controller is not None:
            self._controller.stop()

    def _phase(self) -> str:
        found = self._rest.get(f"/{_GROUP}/namespaces/{self._stage.namespace}/canaries/shop")
        return str(found.get("status", {}).get("phase", ""))

    def _metric(self) -> dict[str, Any]:
        provider = {"type": "prometheus", "address": self._stage.prometheus.url}
        return {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "MetricTemplate",
            "metadata": {"name": "errors"},
            "spec": {"provider": provider, "query": QUERY},
        }


def _deployment() -> dict[str, Any]:
    return {
        "metadata": {"name": "shop"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": template("shop", "good"),
        },
    }


def _canary() -> dict[str, Any]:
    metric = {
        "name": "errors",
        "templateRef": {"name": "errors"},
        "thresholdRange": {"max": LIMIT},
        "interval": f"{WINDOW_SECONDS}s",
    }
    analysis = {
        "interval": "10s",
        "threshold": 1,
        # It promotes after its last step, so there is one more that it never gets to.
        "stepWeights": [WEIGHT, WEIGHT + 1, WEIGHT + 2],
        "metrics": [metric],
    }
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": "shop"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
            "progressDeadlineSeconds": 60,
            "service": {"port": PORT, "targetPort": PORT, "gatewayRefs": [{"name": "gateway"}]},
            "analysis": analysis,
        },
    }
