"""The slots behind the router and the connections to them."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from components.local.runtime.http1 import (
    CHUNKED,
    MAX_HEAD,
    UNTIL_CLOSE,
    BadMessage,
    Chunks,
    Response,
    parse_response,
)
from components.local.runtime.limits import Limits
from components.local.runtime.link import Link
from components.local.runtime.metrics import SlotMetrics

if TYPE_CHECKING:
    from components.local.runtime.exchange import Exchange

_SWITCHING = 101
_FINAL = 200
_READ = 64 * 1024


class Slot:
    """Where the requests of one slot go, with the idle connections to it."""

    __slots__ = ("authority", "host", "idle", "limits", "metrics", "name", "port", "retired", "url")

    def __init__(self, name: str, url: str, metrics: SlotMetrics, limits: Limits) -> None:
        parts = urlsplit(url)
        self.name = name
        self.url = url
        self.host = parts.hostname or ""
        self.port = parts.port or 80
        self.authority = parts.netloc.encode()
        self.metrics = metrics
        self.limits = limits
        self.idle: list[UpstreamConnection] = []
        self.retired = False

    def take(self, now: float, *, repeatable: bool) -> UpstreamConnection | None:
        """An idle connection, the one used last, or None if a new one has to be made.

        A server may close an idle connection at the moment it is used again. A request that can be repeated
        takes that risk; another gets a connection that was used a moment ago, or a new one.
        """
        while self.idle:
            connection = self.idle[-1]
            if connection.transport.is_closing():
                self.idle.pop()
                continue
            if not repeatable and now - connection.idle_since >= self.limits.fresh:
                return None
            return self.idle.pop()
        return None

    def give(self, connection: UpstreamConnection, now: float) -> None:
        """Keep a connection for the next request."""
        if self.retired or len(self.idle) >= self.limits.pool or connection.transport.is_closing():
            connection.transport.close()
            return
        connection.idle_since = now
        self.idle.append(connection)

    def sweep(self, now: float) -> None:
        """Close connections that have been idle for too long."""
        keep: list[UpstreamConnection] = []
        for connection in self.idle:
            if now - connection.idle_since < connection.idle_limit:
                keep.append(connection)
            else:
                connection.transport.close()
        self.idle = keep

    def retire(self) -> None:
        """No new request comes here: close what is idle; requests under way go on."""
        self.retired = True
        for connection in self.idle:
            connection.transport.close()
        self.idle = []

    async def connect(self) -> UpstreamConnection:
        """A new connection.

        Raises:
            OSError: The slot refuses it.
            TimeoutError: The slot does not answer in time.
        """
        async with asyncio.timeout(self.limits.connect):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: UpstreamConnection(self), self.host, self.port
            )
        return connection


class UpstreamConnection(Link):
    """A connection to a slot: reads responses, one after the other."""

    __slots__ = (
        "_buffer", "_chunks", "_in_head", "_left", "_response", "answered", "exchange", "idle_limit", "idle_since",
        "slot", "used",
    )  # fmt: skip

    def __init__(self, slot: Slot) -> None:
        super().__init__()
        self.slot = slot
        self.exchange: Exchange | None = None
        self.idle_since = 0.0
        self.idle_limit = slot.limits.idle
        self.used = False
        """It has served a request before: it may turn out to be closed."""
        self.answered = False
        """A byte of the present response has come."""
        self._buffer = b""
        self._in_head = True
        self._left = 0
        self._chunks: Chunks | None = None
        self._response: Response | None = None

    def begin(self, exchange: Exchange, data: bytes) -> None:
        """Send a request and wait for its response."""
        self.exchange = exchange
        self.answered = False
        self._in_head = True
        self.transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection stands."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one without being an instance

    def data_received(self, data: bytes) -> None:
        """Asyncio: the slot sent something."""
        exchange = self.exchange
        if exchange is None:
            self.transport.abort()  # nobody asked it anything
            return
        self.answered = True
        try:
            if exchange.tunnel:
                exchange.client.transport.write(data)
            elif self._in_head:
                self._head(exchange, self._buffer + data if self._buffer else data)
            else:
                self._body(exchange, data, b"")
        except BadMessage as error:
            self.transport.abort()
            exchange.upstream_failed(error.reason)

    def eof_received(self) -> bool:
        """Asyncio: the slot will send no more."""
        exchange = self.exchange
        self.ended = True
        if exchange is not None and exchange.tunnel:
            return exchange.half_close(exchange.client.transport)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection is gone."""
        exchange = self.exchange
        if exchange is None or exchange.ended:
            return
        if exc is not None and not exchange.request_sent and self._read_rest():
            return
        if exchange.tunnel:
            exchange.tunnel_closed()
        elif self._response is not None and self._response.length == UNTIL_CLOSE and not self._in_head and exc is None:
            self._finish(exchange, exchange.client.body_end())
        elif self.used and not self.answered:
            exchange.upstream_stale()
        else:
            exchange.upstream_failed("the slot closed the connection before the end of its response")

    def _read_rest(self) -> bool:
        """Take what the slot sent before it stopped reading the request; whether that was a whole response.

        A slot that refuses a body (413, say) answers and closes. The rest of the body then meets a reset, and asyncio
        gives the connection up without having read the answer, which still lies in the socket.
        """
        descriptor = self.transport.get_extra_info("socket").fileno()
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as rest:
            rest.setblocking(False)
            while not self._over() and (data := rest.recv(_READ)):
                self.data_received(data)
        return self._over()

    def _over(self) -> bool:
        return self.exchange is None or self.exchange.ended

    def pause_writing(self) -> None:
        """Asyncio: the slot reads more slowly than the client sends."""
        self.write_paused = True
        if self.exchange is not None:
            self.exchange.client.update_reading()

    def resume_writing(self) -> None:
        """Asyncio: the slot has caught up."""
        self.write_paused = False
        if self.exchange is not None:
            self.exchange.client.update_reading()

    def _head(self, exchange: Exchange, data: bytes) -> None:
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > MAX_HEAD:
                    raise BadMessage(502, "the head of the slot's response is too long")
                self._buffer = data
                return
            self._buffer = b""
            response = parse_response(data[: end + 2], to_head=exchange.to_head)
            data = data[end + 4 :]
            if response.status == _SWITCHING:
                exchange.switch(response, data)
                return
            if response.status >= _FINAL:
                break
            exchange.interim(response)
            if not data:
                return
        self._in_head = False
        self._response = response
        self._left = response.length
        self._chunks = Chunks() if response.length == CHUNKED else None
        prefix = exchange.respond(response)
        if response.length == 0:
            self._write(exchange, prefix)
            self._finish(exchange, b"", excess=bool(data))
        else:
            self._body(exchange, data, prefix)

    def _body(self, exchange: Exchange, data: bytes, prefix: bytes) -> None:
        client = exchange.client
        if self._left > 0:
            if len(data) < self._left:
                self._left -= len(data)
                self._write(exchange, prefix + data if prefix else data)
                return
            excess = len(data) > self._left
            self._write(exchange, prefix + data[: self._left])
            self._finish(exchange, b"", excess=excess)
        elif self._chunks is not None:
            payload: list[bytes] | None = [] if client.old else None
            end = self._chunks.feed(data, payload)
            passed = b"".join(payload) if payload is not None else data if end < 0 else data[:end]
            if prefix or passed:
                self._write(exchange, prefix + passed)
            if end >= 0:
                self._finish(exchange, b"", excess=end < len(data))
        else:
            self._write(exchange, prefix + (client.body_piece(data) if data else b""))

    def _write(self, exchange: Exchange, data: bytes) -> None:
        exchange.client.transport.write(data)

    def _finish(self, exchange: Exchange, last: bytes, *, excess: bool = False) -> None:
        if last:
            self._write(exchange, last)
        response = self._response
        self._response = None
        self.exchange = None
        self.used = True
        if response is not None and response.idle_limit is not None:
            self.idle_limit = min(self.slot.limits.idle, max(0.0, response.idle_limit - 1))
        keep = response is not None and response.keep_alive and not excess and exchange.request_sent
        self.read(wanted=True)
        exchange.complete()
        if keep and not self.transport.is_closing():
            self.slot.give(self, exchange.now())
        else:
            self.transport.close()
