"""Traefik: a weighted TraefikService and the IngressRoute that leads to it.

https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/traefikservice/. Where all weights
are 0, Traefik answers 503. The IngressRoute stays as it is while weights move.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from components.kubernetes.routers.base import Backend, Manifest, Route, cookie_pattern
from components.kubernetes.settings import MatchSettings, RouterKind, RouterSettings

API_VERSION = "traefik.io/v1alpha1"


class TraefikRouter:
    """A TraefikService with the weights; with an A/B match a second one, for who takes no part in the test."""

    kind: ClassVar[RouterKind] = "traefik"

    def problems(self, settings: RouterSettings, *, cookie: str | None) -> Sequence[str]:
        """Return what cannot be written as a rule of Traefik."""
        del cookie  # a TraefikService keeps users on a slot itself
        texts = [*settings.hostnames, settings.path]
        if settings.match is not None:
            texts.extend(filter(None, (settings.match.header, settings.match.cookie, settings.match.value)))
        return [f"{text!r} cannot be quoted in a rule of Traefik: leave out the `" for text in texts if "`" in text]

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """Return the TraefikServices, then the IngressRoute."""
        match = route.settings.match
        split = _weighted(route, route.name, route.backends)
        rule = _rule(route.settings)
        if match is None:
            return split, _ingress_route(route, [_entry(rule, split.name)])
        others = _weighted(route, f"{route.name}-others", route.others)
        entries = [_entry(f"{rule} && {_match(match)}", split.name), _entry(rule, others.name)]
        return split, others, _ingress_route(route, entries)


def _weighted(route: Route, name: str, backends: tuple[Backend, ...]) -> Manifest:
    weighted: dict[str, Any] = {
        "services": [
            {
                "name": backend.service,
                **({} if backend.namespace == route.namespace else {"namespace": backend.namespace}),
                "port": backend.port,
                "weight": backend.weight,
            }
            for backend in backends
        ]
    }
    if route.cookie:
        weighted["sticky"] = {"cookie": {"name": route.cookie, "httpOnly": True}}
    return Manifest(API_VERSION, "TraefikService", name, {"weighted": weighted})


def _ingress_route(route: Route, entries: list[dict[str, Any]]) -> Manifest:
    settings = route.settings
    spec: dict[str, Any] = {"entryPoints": list(settings.entry_points), "routes": entries}
    if settings.tls_secret:
        spec["tls"] = {"secretName": settings.tls_secret}
    return Manifest(API_VERSION, "IngressRoute", route.name, spec)


def _entry(rule: str, service: str) -> dict[str, Any]:
    return {"match": rule, "kind": "Rule", "services": [{"name": service, "kind": "TraefikService"}]}


def _rule(settings: RouterSettings) -> str:
    path = f"PathPrefix(`{settings.path}`)"
    if not settings.hostnames:
        return path
    hosts = " || ".join(f"Host(`{host}`)" for host in settings.hostnames)
    return f"({hosts}) && {path}" if len(settings.hostnames) > 1 else f"{hosts} && {path}"


def _match(match: MatchSettings) -> str:
    if match.cookie:
        return f"HeaderRegexp(`Cookie`, `{cookie_pattern(match)}`)"
    matcher = "HeaderRegexp" if match.regex else "Header"
    return f"{matcher}(`{match.header}`, `{match.value}`)"
