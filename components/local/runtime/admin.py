"""The router's admin listener: configuration and metrics, on loopback."""

from __future__ import annotations

import asyncio
import http
import json
from collections.abc import Callable
from typing import cast

from components.local.runtime.http1 import CHUNKED, MAX_HEAD, BadMessage, parse_request
from components.local.runtime.metrics import Exposition
from components.local.runtime.proxy import Router
from components.local.runtime.routing import RouterConfig

_MAX_BODY = 1024 * 1024
_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


class Admin:
    """Answers GET /metrics, /config and /healthz, and PUT /config."""

    def __init__(self, router: Router, save: Callable[[RouterConfig], None]) -> None:
        """Serve for `router`; `save` keeps a configuration for a router that comes back."""
        self._router = router
        self._save = save
        self._exposition = Exposition(router)

    def respond(self, method: bytes, path: bytes, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body for a request."""
        match method, path.partition(b"?")[0]:
            case b"GET", b"/metrics":
                return 200, Exposition.content_type, self._exposition.text()
            case b"GET", b"/healthz":
                return 200, _TEXT, b"ok\n"
            case b"GET", b"/config":
                return 200, _JSON, self._config()
            case b"PUT", b"/config":
                return self._put(body)
            case _, b"/metrics" | b"/healthz" | b"/config":
                return 405, _TEXT, b"this method is not for this path\n"
            case _:
                return 404, _TEXT, b"there are /metrics, /config and /healthz\n"

    def _put(self, body: bytes) -> tuple[int, str, bytes]:
        try:
            config = RouterConfig.from_json(json.loads(body))
        except ValueError as error:
            return 400, _TEXT, f"{error}\n".encode()
        self._save(config)  # first: what is in force must survive this process
        self._router.apply(config)
        return 200, _JSON, self._config()

    def _config(self) -> bytes:
        return json.dumps(self._router.config.to_json()).encode() + b"\n"


class AdminConnection(asyncio.Protocol):
    """One connection to the admin listener."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: somebody has connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without being an instance

    def data_received(self, data: bytes) -> None:
        """Asyncio: somebody asks something."""
        self._buffer += data
        try:
            while not self._transport.is_closing() and self._next():
                pass
        except BadMessage as error:
            self._write(error.status, _TEXT, f"{error.reason}\n".encode(), keep_alive=False)

    def _next(self) -> bool:
        """Answer the next request if it is whole; whether it was."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadMessage(431, "the head of the request is too long")
            return False
        request = parse_request(self._buffer[: end + 2])
        if request.length == CHUNKED or request.length > _MAX_BODY:
            raise BadMessage(413, "a body needs a Content-Length, of 1 MiB at most")
        whole = end + 4 + request.length
        if len(self._buffer) < whole:
            return False
        body = self._buffer[end + 4 : whole]
        self._buffer = self._buffer[whole:]
        try:
            answer = self._admin.respond(request.method, request.target, body)
        except OSError as error:  # the configuration could not be written: it is not in force either
            answer = 500, _TEXT, f"{error}\n".encode()
        self._write(*answer, keep_alive=request.keep_alive)
        return True

    def _write(self, status: int, kind: str, body: bytes, *, keep_alive: bool) -> None:
        head = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)
        if not keep_alive:
            self._transport.close()
