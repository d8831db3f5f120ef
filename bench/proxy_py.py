"""proxy.py as a reverse proxy for everything, to what BENCH_ORIGIN names; its plugin interface asks for this class."""

from __future__ import annotations

import os

from proxy.http import Url
from proxy.http.parser import HttpParser
from proxy.http.server import ReverseProxyBasePlugin


class Everything(ReverseProxyBasePlugin):  # type: ignore[misc,unused-ignore] # as proxy.py is there or not
    """Pass on every path as it is."""

    def routes(self) -> list[str | tuple[str, list[bytes]]]:
        """Every path."""
        return [r"/.*"]

    def handle_route(self, request: HttpParser, pattern: object) -> Url:  # noqa: ARG002 - the interface
        """The origin, with the request's own path."""
        return Url.from_bytes(os.environ["BENCH_ORIGIN"].encode() + (request.path or b"/"))
