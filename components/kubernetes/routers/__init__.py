"""All routers by the kind that the settings name. A new one is one file and one line here."""

from __future__ import annotations

from typing import Final

from components.kubernetes.routers.base import Router, UnsupportedRoute, match_problems
from components.kubernetes.routers.gateway import GatewayRouter
from components.kubernetes.routers.grpc import GrpcRouter
from components.kubernetes.routers.istio import IstioRouter
from components.kubernetes.routers.nginx import NginxRouter
from components.kubernetes.routers.traefik import TraefikRouter
from components.kubernetes.settings import RouterSettings

ROUTERS: Final[dict[str, Router]] = {
    "gateway": GatewayRouter(),
    "grpc": GrpcRouter(),
    "istio": IstioRouter(),
    "nginx": NginxRouter(),
    "traefik": TraefikRouter(),
}


def problems(settings: RouterSettings, *, cookie: str | None = None, header: str | None = None) -> tuple[str, ...]:
    """Return what cannot be done of what the settings ask for, each as a sentence; changes nothing and asks nobody.

    Args:
        settings: where users come in.
        cookie: the cookie that is to keep a user on one slot, if any.
        header: the header that is to, if any.
    """
    router = ROUTERS.get(settings.kind)
    if router is None:
        return (f"there is no router {settings.kind!r}; there are {', '.join(sorted(ROUTERS))}",)
    found = [*match_problems(settings.match), *router.problems(settings, cookie=cookie)]
    if header is not None:
        found.append(f"no router of Kubernetes keeps a user on one slot by the header {header!r}: use a cookie")
    if cookie is not None and settings.match is not None:
        found.append("an A/B match and a cookie that keeps users on a slot contradict each other: choose one")
    return tuple(found)


def router(settings: RouterSettings, *, cookie: str | None = None, header: str | None = None) -> Router:
    """Return the router that the settings name.

    Raises:
        UnsupportedRoute: there is none, or it cannot do what is asked for.
    """
    if found := problems(settings, cookie=cookie, header=header):
        raise UnsupportedRoute("; ".join(found))
    return ROUTERS[settings.kind]
