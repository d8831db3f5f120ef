"""Objects for tests of the control plane itself, as short as the API takes them."""

from __future__ import annotations

from typing import Any

from tests.cluster.stages import ANNOTATION


def deployment(name: str, *, replicas: int = 2, behave: str = "ready") -> dict[str, Any]:
    """A Deployment whose pods behave as told."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": _pods(name, behave),
        },
    }


def job(name: str, *, behave: str = "complete") -> dict[str, Any]:
    """A Job of one pod that is tried once."""
    template = _pods(name, behave)
    template["spec"]["restartPolicy"] = "Never"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template},
    }


def http_route(name: str, weights: dict[str, int]) -> dict[str, Any]:
    """A route that splits traffic among Services."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"name": "gateway"}],
            "rules": [
                {
                    "backendRefs": [
                        {"name": service, "port": 8080, "weight": weight} for service, weight in weights.items()
                    ]
                }
            ],
        },
    }


def condition(found: dict[str, Any], kind: str) -> str:
    """Status of a condition of an object: `True`, `False`, `Unknown`, or nothing."""
    conditions = found.get("status", {}).get("conditions", [])
    return next((str(each["status"]) for each in conditions if each["type"] == kind), "")


def _pods(app: str, behave: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": app}, "annotations": {ANNOTATION: behave}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/shop:1"}]},
    }
