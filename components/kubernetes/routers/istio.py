"""Istio: a VirtualService, https://istio.io/latest/docs/reference/config/networking/virtual-service/.

Istio ignores the weight of a single destination and refuses weights that are all 0: the first is sent 100, and where
nobody is to be let in, the route answers 503 itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from components.kubernetes.routers.base import FULL, Backend, Manifest, Route, cookie_pattern, unsticky
from components.kubernetes.settings import MatchSettings, RouterKind, RouterSettings

API_VERSION = "networking.istio.io/v1"
_CLOSED = {"directResponse": {"status": 503}}


class IstioRouter:
    """A VirtualService at a Gateway, or without one for the services of the mesh."""

    kind: ClassVar[RouterKind] = "istio"

    def problems(self, settings: RouterSettings, *, cookie: str | None) -> Sequence[str]:
        """Return what a VirtualService has no field for."""
        found = unsticky(self.kind, cookie)
        if settings.gateway and not settings.hostnames:
            found.append(f"a VirtualService at the Gateway {settings.gateway!r} needs `hostnames`")
        return found

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """Return the VirtualService."""
        settings = route.settings
        path: dict[str, Any] = {"uri": {"prefix": settings.path}}
        everybody = {"name": "all", "match": [path]}
        match = settings.match
        if match is None:
            http = [{**everybody, **_destinations(route.backends)}]
        else:
            test = {"name": "test", "match": [{**path, "headers": _header(match)}]}
            http = [{**test, **_destinations(route.backends)}, {**everybody, **_destinations(route.others)}]
        return (Manifest(API_VERSION, "VirtualService", route.name, {**_entrance(route), "http": http}),)


def _entrance(route: Route) -> dict[str, Any]:
    settings = route.settings
    if not settings.gateway:
        return {"hosts": list(settings.hostnames or (route.name,))}
    gateway = f"{settings.gateway_namespace}/{settings.gateway}" if settings.gateway_namespace else settings.gateway
    return {"hosts": list(settings.hostnames), "gateways": [gateway]}


def _destinations(backends: tuple[Backend, ...]) -> dict[str, Any]:
    if not any(backend.weight for backend in backends):
        return dict(_CLOSED)
    alone = len(backends) == 1
    return {
        "route": [
            {
                "destination": {
                    "host": f"{backend.service}.{backend.namespace}.svc.cluster.local",
                    "port": {"number": backend.port},
                },
                "weight": FULL if alone else backend.weight,
            }
            for backend in backends
        ]
    }


def _header(match: MatchSettings) -> dict[str, dict[str, str]]:
    if match.cookie:
        return {"cookie": {"regex": cookie_pattern(match)}}
    # Istio wants header names in lower case.
    return {(match.header or "").lower(): {"regex" if match.regex else "exact": match.value}}
