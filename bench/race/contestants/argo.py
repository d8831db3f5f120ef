"""Argo Rollouts: a canary with background analysis, which nginx's canary annotations send half of the users to.

Three entries: its analysis once a second, its analysis as often as it can, and somebody outside who aborts the rollout
(which is what a person does who types `kubectl argo rollouts abort`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from bench.peers.build import ARGO_ROLLOUTS
from bench.race.actors.actor import Actor
from bench.race.conditions import LIMIT, QUERY, WEIGHT
from bench.race.controllers import Controller
from bench.race.objects import PORT, service, template
from bench.race.sight import Moments, Sight
from bench.race.stage import Stage
from tests.cluster.processes import free_ports
from tests.cluster.rest import MERGE
from tests.cluster.waiting import wait_until

_GROUP = "apis/argoproj.io/v1alpha1"
_WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
_CANARY = "shop-shop-canary"
"""The name that the controller gives to the canary's Ingress."""


class Argo:
    """Its own analysis, once a second."""

    name: ClassVar[str] = "argo"
    settle: ClassVar[float] = 1.0
    patience: ClassVar[float] = 60.0
    interval: ClassVar[str] = "1s"

    def __init__(self) -> None:
        self._controller: Controller | None = None
        self._verdicts = Moments()
        self._number = 0

    def open(self, stage: Stage) -> None:
        """Start the controller and run the first version."""
        self._stage, self._rest = stage, stage.cluster.rest
        metrics, health = free_ports(2)
        self._controller = Controller(
            ARGO_ROLLOUTS,
            stage.cluster,
            [
                "--leader-elect=false",
                f"--metricsPort={metrics}",
                f"--healthzPort={health}",
                "--loglevel=warn",
                "--namespaced",
                f"--namespace={stage.namespace}",
            ],
            {"POD_NAMESPACE": stage.namespace},
        )
        self._objects()
        self._watch()
        wait_until(lambda: self._get().get("status", {}).get("phase") == "Healthy")

    def bake(self) -> None:
        """Ask for another version."""
        self._number += 1
        patch = {"spec": {"template": template("shop", f"bad-{self._number}")}}
        self._rest.patch(self._path, patch, MERGE)

    def verdict(self, since: float) -> float | None:
        """Return when an API watch saw the analysis fail."""
        return self._verdicts.wait(bool, since=since, limit=30.0, what="the verdict")

    def rest(self) -> None:
        """Nothing: an aborted rollout takes the next version."""
        wait_until(lambda: self._get()["status"].get("phase") == "Degraded")

    def close(self) -> None:
        """End the controller."""
        if self._controller is not None:
            self._controller.stop()

    def _watch(self) -> None:
        namespace = self._stage.namespace

        def analysed(run: dict[str, Any], at: float) -> None:
            if run.get("status", {}).get("phase") == "Failed":
                self._verdicts.add(run["metadata"]["name"], at)

        Sight(self._rest, f"/{_GROUP}/namespaces/{namespace}/analysisruns", analysed)
        self._stage.watch_route(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", _canary_weight)

    @property
    def _path(self) -> str:
        return f"/{_GROUP}/namespaces/{self._stage.namespace}/rollouts/shop"

    def _get(self) -> dict[str, Any]:
        found: dict[str, Any] = self._rest.get(self._path)
        return found

    def _objects(self) -> None:
        space = f"namespaces/{self._stage.namespace}"
        for name in ("stable", "canary"):
            self._rest.post(f"/api/v1/{space}/services", service(f"shop-{name}", "shop"))
        self._rest.post(f"/apis/networking.k8s.io/v1/{space}/ingresses", _ingress())
        if self.interval:
            self._rest.post(f"/{_GROUP}/{space}/analysistemplates", self._analysis())
        self._rest.post(f"/{_GROUP}/{space}/rollouts", self._rollout())

    def _rollout(self) -> dict[str, Any]:
        canary = {
            "stableService": "shop-stable",
            "canaryService": "shop-canary",
            "trafficRouting": {"nginx": {"stableIngress": "shop"}},
            "steps": [{"setWeight": WEIGHT}, {"pause": {}}],
        }
        if self.interval:
            canary["analysis"] = {"templates": [{"templateName": "errors"}]}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "shop"},
            "spec": {
                "replicas": 1,
                "revisionHistoryLimit": 1,
                "selector": {"matchLabels": {"app": "shop"}},
                "template": template("shop", "good"),
                "strategy": {"canary": canary},
            },
        }

    def _analysis(self) -> dict[str, Any]:
        metric = {
            "name": "errors",
            "interval": self.interval,
            "failureLimit": 0,
            "successCondition": f"len(result) == 0 || result[0] <= {LIMIT:f}",
            "provider": {"prometheus": {"address": self._stage.prometheus.url, "query": QUERY}},
        }
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "metadata": {"name": "errors"},
            "spec": {"metrics": [metric]},
        }


class ArgoFast(Argo):
    """Its own analysis at its shortest interval."""

    name: ClassVar[str] = "argo-fast"
    interval: ClassVar[str] = "0.1s"


class ArgoAborted(Argo):
    """No analysis of its own: a loop outside polls the metric and aborts the rollout."""

    name: ClassVar[str] = "argo-abort"
    interval: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._actor: Actor | None = None

    def bake(self) -> None:
        """Ask for another version, and start the loop."""
        super().bake()
        self._actor = Actor(
            "patching",
            {
                "prometheus": self._stage.prometheus.url,
                "kubeconfig": str(self._stage.cluster.kubeconfig),
                "path": f"{self._path}/status",
                "body": {"status": {"abort": True}},
            },
        )
        self._actor.hear()

    def rest(self) -> None:
        """End the loop."""
        self._stop()
        super().rest()

    def close(self) -> None:
        """End the loop and the controller."""
        self._stop()
        super().close()

    def _watch(self) -> None:
        super()._watch()

        def rolled(rollout: dict[str, Any], at: float) -> None:
            self._verdicts.add(
                rollout["metadata"]["generation"] if rollout.get("status", {}).get("abort") else None, at
            )

        Sight(self._rest, f"/{_GROUP}/namespaces/{self._stage.namespace}/rollouts", rolled)

    def _stop(self) -> None:
        if self._actor is not None:
            self._actor.stop()
            self._actor = None


def _canary_weight(ingress: dict[str, Any]) -> float | None:
    weight = ingress["metadata"].get("annotations", {}).get(_WEIGHT)
    return float(weight) if ingress["metadata"]["name"] == _CANARY and weight is not None else None


def _ingress() -> dict[str, Any]:
    backend = {"service": {"name": "shop-stable", "port": {"number": PORT}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "metadata": {"name": "shop", "annotations": {"kubernetes.io/ingress.class": "nginx"}},
        "spec": {"rules": [{"host": "shop.example", "http": {"paths": [path]}}]},
    }
