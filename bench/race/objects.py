"""The objects that several contestants have: slots, their Services, and a route between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROUTES = "apis/gateway.networking.k8s.io/v1"
PORT = 8080
IMAGE = "registry.example/shop"


def http_route(name: str, namespace: str, weights: Mapping[str, int]) -> dict[str, Any]:
    """Return a route that splits users among Services by weight."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [rule(weights)]},
    }


def rule(weights: Mapping[str, int]) -> dict[str, Any]:
    """Return the only rule of a route."""
    backends = [{"name": service, "port": PORT, "weight": weight} for service, weight in weights.items()]
    return {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": backends}


def route_weight(route: Mapping[str, Any], service: str) -> float | None:
    """Return the percent of the users that a Service gets from a route; None where the route has no backend yet."""
    backends = [each for rule in route["spec"].get("rules", ()) for each in rule.get("backendRefs", ())]
    total = sum(each.get("weight", 1) for each in backends)
    own = sum(each.get("weight", 1) for each in backends if each["name"] == service)
    return 100.0 * own / total if total else None


def template(app: str, version: str) -> dict[str, Any]:
    """Return the pods of a version."""
    ports = [{"name": "http", "containerPort": PORT}]
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [{"name": "shop", "image": f"{IMAGE}:{version}", "ports": ports}]},
    }


def service(name: str, app: str) -> dict[str, Any]:
    """Return a Service in front of an application's pods."""
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return {"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": ports}}
