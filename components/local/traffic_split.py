"""`TrafficSplit`: users' requests spread over slots by weight, by a real router on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.local.resources import Router


@dataclass(frozen=True, slots=True)
class BackendArgs:
    """A slot behind the router.

    Attributes:
        slot: its name, a label of its metrics.
        url: where it answers.
        weight: percent of the traffic; together 100, or all 0: then every request gets 503.
    """

    slot: pulumi.Input[str]
    url: pulumi.Input[str]
    weight: pulumi.Input[int]


@dataclass(frozen=True, slots=True)
class StickyArgs:
    """What keeps a user on one slot; give one of the two.

    Attributes:
        cookie: name of a cookie.
        header: name of a request header.
    """

    cookie: str | None = None
    header: str | None = None


@dataclass(frozen=True, slots=True)
class TrafficSplitArgs:
    """Where users come in and where they go.

    Attributes:
        backends: the slots.
        directory: absolute runtime directory of this router alone.
        host: address to listen on.
        port: port to listen on; 0: the system picks one, which then stays.
        sticky: what keeps a user on one slot; None: every request is on its own.
    """

    backends: Sequence[BackendArgs]
    directory: pulumi.Input[str]
    host: pulumi.Input[str] = "127.0.0.1"
    port: pulumi.Input[int] = 0
    sticky: StickyArgs | None = None


class TrafficSplit(pulumi.ComponentResource):
    """A weighted router in front of slots.

    Attributes:
        router: the resource behind it.
        url: where users reach the service.
        admin: URL of the router's own API: `/metrics`, `/config`.
    """

    router: Router
    url: pulumi.Output[str]
    admin: pulumi.Output[str]

    def __init__(self, name: str, args: TrafficSplitArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:local:TrafficSplit", name, None, opts)
        sticky = args.sticky
        self.router = Router(
            name,
            {
                "directory": args.directory,
                "host": args.host,
                "port": args.port,
                "backends": [
                    {"slot": backend.slot, "url": backend.url, "weight": backend.weight} for backend in args.backends
                ],
                "sticky": None if sticky is None else {"cookie": sticky.cookie, "header": sticky.header},
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.url = self.router.url
        self.admin = self.router.admin
        self.register_outputs({"url": self.url, "admin": self.admin})
