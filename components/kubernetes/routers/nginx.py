"""NGINX Ingress: an Ingress and its canary, by annotations.

https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary

The first leads to the slot that users were on before the launch, the second, by weight, to the new one; while weights
move only an annotation of the second differs. Once all users are on one slot, that one is the first. In which order the
two are then changed matters, since two objects never change at once: the first leads, and at no moment is a slot served
that neither the state before nor the one after would serve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from components.kubernetes.names import SKIP_AWAIT
from components.kubernetes.routers.base import FULL, Manifest, Route
from components.kubernetes.settings import MatchSettings, RouterKind, RouterSettings

API_VERSION = "networking.k8s.io/v1"
_PREFIX = "nginx.ingress.kubernetes.io/"
_COOKIE_VALUE = "always"
"""The one value of a cookie that a canary goes by."""


class NginxRouter:
    """Two Ingresses; nginx answers 503 for the Service without endpoints that stands for "nobody"."""

    kind: ClassVar[RouterKind] = "nginx"

    def problems(self, settings: RouterSettings, *, cookie: str | None) -> Sequence[str]:
        """Return what canary annotations cannot say."""
        del cookie  # nginx keeps users on a slot itself
        match = settings.match
        if match is None or not match.cookie or (match.value == _COOKIE_VALUE and not match.regex):
            return []
        found = (
            f"the router 'nginx' goes by a cookie whose value is {_COOKIE_VALUE!r} and by no other: set the cookie "
            f"{match.cookie!r} to {_COOKIE_VALUE!r}, or match a header"
        )
        return [found]

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """Return the Ingress, then its canary."""
        primary = route.primary
        second = next((backend for backend in route.backends if backend is not primary), None)
        open_ = primary is not None and route.total > 0
        served = (primary.service, primary.port) if primary is not None and open_ else (f"{route.name}-nobody", 80)
        first = _ingress(route, route.name, served, _sticky(route))
        if second is None:
            return (first,)
        canary = _canary(second.weight, route.settings.match)
        return first, _ingress(route, f"{route.name}-canary", (second.service, second.port), canary)


def _canary(weight: int, match: MatchSettings | None) -> dict[str, str]:
    """Return the annotations that send so many users, or those of an A/B test, to the canary.

    The canary of an A/B test gets all users of the test from the first percent on: weights and matches of nginx are
    alternatives, they cannot be combined.
    """
    if match is None or weight in {0, FULL}:
        return {f"{_PREFIX}canary": "true", f"{_PREFIX}canary-weight": str(weight)}
    chosen = {f"{_PREFIX}canary": "true", f"{_PREFIX}canary-weight": "0"}
    if match.cookie:
        return {**chosen, f"{_PREFIX}canary-by-cookie": match.cookie}
    value = "canary-by-header-pattern" if match.regex else "canary-by-header-value"
    return {**chosen, f"{_PREFIX}canary-by-header": match.header or "", f"{_PREFIX}{value}": match.value}


def _sticky(route: Route) -> dict[str, str]:
    if route.cookie is None:
        return {}
    return {
        f"{_PREFIX}affinity": "cookie",
        f"{_PREFIX}affinity-canary-behavior": "sticky",
        f"{_PREFIX}session-cookie-name": route.cookie,
    }


def _ingress(route: Route, name: str, backend: tuple[str, int], annotations: Mapping[str, str]) -> Manifest:
    settings = route.settings
    service, port = backend
    paths = [
        {
            "path": settings.path,
            "pathType": "Prefix",
            "backend": {"service": {"name": service, "port": {"number": port}}},
        }
    ]
    http = {"http": {"paths": paths}}
    spec: dict[str, Any] = {"rules": [{"host": host, **http} for host in settings.hostnames] or [http]}
    if settings.ingress_class:
        spec["ingressClassName"] = settings.ingress_class
    if settings.tls_secret:
        spec["tls"] = [{"hosts": list(settings.hostnames), "secretName": settings.tls_secret}]
    # An Ingress counts as ready once it has an address, which a canary never gets.
    return Manifest(API_VERSION, "Ingress", name, spec, {**SKIP_AWAIT, **annotations})
