"""Gateway API for gRPC: a GRPCRoute, https://gateway-api.sigs.k8s.io/api-types/grpcroute/."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from components.kubernetes.routers.base import Manifest, Route, unsticky
from components.kubernetes.routers.gateway import (
    API_VERSION,
    attachment,
    backend_refs,
    header_match,
    without_gateway,
)
from components.kubernetes.settings import RouterKind, RouterSettings


class GrpcRouter:
    """A GRPCRoute; with an A/B match, its first rule is for the callers of the test."""

    kind: ClassVar[RouterKind] = "grpc"

    def problems(self, settings: RouterSettings, *, cookie: str | None) -> Sequence[str]:
        """Return that the Gateway is missing, or what gRPC has no notion of."""
        found = [*without_gateway(settings), *unsticky(self.kind, cookie)]
        if settings.match is not None and settings.match.cookie:
            found.append("gRPC has no cookies: let the router 'grpc' match a header (request metadata)")
        if settings.path not in {"", "/"}:
            found.append(
                f"a GRPCRoute matches methods, not the path {settings.path!r}: name `grpc_service` and `grpc_method`"
            )
        if settings.grpc_method and not settings.grpc_service:
            found.append(f"`grpc_method` {settings.grpc_method!r} needs its `grpc_service`")
        return found

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """Return the GRPCRoute."""
        settings = route.settings
        method = _method(settings)
        everybody: dict[str, Any] = {
            **({"matches": [method]} if method else {}),
            "backendRefs": backend_refs(route.others, route.namespace),
        }
        split = backend_refs(route.backends, route.namespace)
        match = settings.match
        if match is None:
            rules = [{**everybody, "backendRefs": split}]
        else:
            header = header_match(match.header or "", match.value, regex=match.regex)
            rules = [{"matches": [{**method, "headers": [header]}], "backendRefs": split}, everybody]
        return (Manifest(API_VERSION, "GRPCRoute", route.name, {**attachment(settings), "rules": rules}),)


def _method(settings: RouterSettings) -> dict[str, Any]:
    if not settings.grpc_service:
        return {}
    names = {"service": settings.grpc_service, **({"method": settings.grpc_method} if settings.grpc_method else {})}
    return {"method": {"type": "Exact", **names}}
