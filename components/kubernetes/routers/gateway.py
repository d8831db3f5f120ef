"""Gateway API: an HTTPRoute whose `backendRefs` have weights, https://gateway-api.sigs.k8s.io/api-types/httproute/.

A rule all of whose weights are 0 answers every request with 500, by the specification, and reaches no slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from components.kubernetes.routers.base import Backend, Manifest, Route, cookie_pattern, unsticky
from components.kubernetes.settings import MatchSettings, RouterKind, RouterSettings

API_VERSION = "gateway.networking.k8s.io/v1"


class GatewayRouter:
    """An HTTPRoute; with an A/B match, its first rule is for the users of the test."""

    kind: ClassVar[RouterKind] = "gateway"

    def problems(self, settings: RouterSettings, *, cookie: str | None) -> Sequence[str]:
        """Return that the Gateway is missing, or what HTTPRoute has no field for."""
        return [*without_gateway(settings), *unsticky(self.kind, cookie)]

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """Return the HTTPRoute."""
        path = {"path": {"type": "PathPrefix", "value": route.settings.path}}
        match = route.settings.match
        everybody = {"matches": [path], "backendRefs": backend_refs(route.others, route.namespace)}
        split = backend_refs(route.backends, route.namespace)
        if match is None:
            rules = [{**everybody, "backendRefs": split}]
        else:
            rules = [{"matches": [{**path, "headers": [_header(match)]}], "backendRefs": split}, everybody]
        return (Manifest(API_VERSION, "HTTPRoute", route.name, {**attachment(route.settings), "rules": rules}),)


def without_gateway(settings: RouterSettings) -> list[str]:
    """Return that no Gateway is named, if so."""
    if settings.gateway:
        return []
    return [f"the router {settings.kind!r} attaches its route to a Gateway: name one with `gateway`"]


def attachment(settings: RouterSettings) -> dict[str, Any]:
    """Return where a route is attached and which hosts it is for."""
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": settings.gateway,
        "namespace": settings.gateway_namespace,
        "sectionName": settings.section,
    }
    hosts = {"hostnames": list(settings.hostnames)} if settings.hostnames else {}
    return {"parentRefs": [{key: value for key, value in parent.items() if value is not None}], **hosts}


def backend_refs(backends: tuple[Backend, ...], namespace: str) -> list[dict[str, Any]]:
    """Return the Services with their weights."""
    return [
        {
            "group": "",
            "kind": "Service",
            "name": backend.service,
            **({} if backend.namespace == namespace else {"namespace": backend.namespace}),
            "port": backend.port,
            "weight": backend.weight,
        }
        for backend in backends
    ]


def header_match(name: str, value: str, *, regex: bool) -> dict[str, str]:
    """Return the match of one header."""
    return {"type": "RegularExpression" if regex else "Exact", "name": name, "value": value}


def _header(match: MatchSettings) -> dict[str, str]:
    if match.cookie:
        return header_match("Cookie", cookie_pattern(match), regex=True)
    return header_match(match.header or "", match.value, regex=match.regex)
