"""`TrafficSplit`: users' requests spread over slots by weight, by the router that the cluster has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.kubernetes import names
from components.kubernetes.provider import provider
from components.kubernetes.routers import router
from components.kubernetes.routers.base import Backend, Manifest, Route
from components.kubernetes.settings import KubernetesSettings, RouterSettings
from components.platform import BackendSpec, Placed, SplitSpec


@dataclass(frozen=True, slots=True)
class TrafficSplitArgs:
    """Where users come in and where they go.

    Attributes:
        service: whose users.
        route: slots and weights.
        force: take fields back that another field manager has changed.
        after: what moves before the users do, such as their flags.
    """

    service: str
    route: Route
    force: bool = True
    after: pulumi.Resource | None = None


class TrafficSplit(pulumi.ComponentResource):
    """A weighted route in front of slots; see `components.kubernetes.routers` for what each router makes of it.

    Attributes:
        objects: the route's objects, in the order in which they change.
        url: where users reach the service; None where only the Gateway knows.

    Raises:
        UnsupportedRoute: the router cannot do what is asked for.
    """

    objects: tuple[CustomResource, ...]
    url: pulumi.Output[str | None]

    def __init__(self, name: str, args: TrafficSplitArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        route = args.route
        manifests = router(route.settings, cookie=route.cookie).manifests(route)
        super().__init__("launch:kubernetes:TrafficSplit", name, None, opts)
        made: list[CustomResource] = []
        # Said of each object, since a component's own dependencies are not recorded with its objects.
        before = [args.after] if args.after is not None else []
        for manifest in manifests:
            # A route that was there before is never deleted: whoever made it has other plans for it than we.
            adopted = route.settings.adopt is not None
            opts = pulumi.ResourceOptions(parent=self, depends_on=[*before, *made], retain_on_delete=adopted or None)
            made.append(_registered(manifest, args, opts))
        self.objects = tuple(made)
        self.url = made[0].id.apply(lambda _: users_url(route.settings))
        self.register_outputs({"url": self.url})


def _registered(manifest: Manifest, args: TrafficSplitArgs, opts: pulumi.ResourceOptions) -> CustomResource:
    metadata = ObjectMetaArgs(
        name=manifest.name,
        namespace=args.route.namespace,
        labels=names.of_service(args.service),
        annotations=names.merged(
            args.route.settings.annotations, manifest.annotations, names.PATCH_FORCE if args.force else {}
        ),
    )
    return CustomResource(manifest.name, manifest.api_version, manifest.kind, manifest.spec, metadata, opts)


def users_url(settings: RouterSettings) -> str | None:
    """Return where users come in, as far as the settings tell."""
    if settings.url:
        return settings.url.rstrip("/")
    host = next((host for host in settings.hostnames if not host.startswith("*")), None)
    if host is None:
        return None
    return f"{'https' if settings.tls_secret else 'http'}://{host}{settings.path.rstrip('/')}"


def backend(spec: BackendSpec) -> Backend:
    """Return the Service behind a slot's URL.

    Raises:
        ValueError: the URL is none of a Service.
    """
    url = urlsplit(spec.url)
    parts = (url.hostname or "").split(".")
    if len(parts) < 3 or parts[2] != "svc":
        raise ValueError(
            f"slot {spec.slot!r} is at {spec.url!r}, which is no Service of a cluster "
            "(http://SERVICE.NAMESPACE.svc:PORT); was it deployed on another platform? "
            "Let `launch down` remove it there first"
        )
    return Backend(parts[0], parts[1], url.port or 80, spec.weight)


def place(settings: KubernetesSettings, spec: SplitSpec, *, after: Placed | None) -> Placed:
    """Register the route of a service; outputs `url`, and `admin`, which is None: Prometheus has the metrics.

    Raises:
        UnsupportedRoute: the router cannot do what is asked for.
        ValueError: a slot is not in this cluster.
    """
    rules = _rules(settings.router, spec)
    if spec.header is not None:
        router(rules, cookie=spec.cookie, header=spec.header)
    backends = {each.slot: backend(each) for each in sorted(spec.backends, key=lambda each: each.slot)}
    stable = backends.get(spec.stable) if spec.stable is not None else None
    route = Route(
        name=rules.adopt or spec.service,
        namespace=settings.namespace,
        backends=tuple(backends.values()),
        settings=rules,
        stable=stable.service if stable else None,
        cookie=spec.cookie,
    )
    made = TrafficSplit(
        spec.service,
        TrafficSplitArgs(
            spec.service, route, force=settings.force_conflicts, after=after.component if after is not None else None
        ),
        pulumi.ResourceOptions(providers=[provider(settings)]),
    )
    return Placed(made, {"url": made.url, "admin": pulumi.Output.from_input(None)})


def _rules(settings: RouterSettings, spec: SplitSpec) -> RouterSettings:
    """Return the router's settings as they are for one of several services."""
    if spec.own:
        return settings
    return replace(
        settings,
        hostnames=spec.hostnames or settings.hostnames,
        path=spec.path or settings.path,
        url=None,
        adopt=None,
    )
