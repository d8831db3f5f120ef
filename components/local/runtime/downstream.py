"""The connections of clients to the router."""

from __future__ import annotations

import asyncio
import http
import ipaddress
from typing import TYPE_CHECKING, cast

from components.local.runtime.exchange import VIA, Exchange
from components.local.runtime.http1 import CHUNKED, MAX_HEAD, BadMessage, Chunks, Request, parse_request
from components.local.runtime.link import Link

if TYPE_CHECKING:
    from components.local.runtime.proxy import Router
    from components.local.runtime.upstream import Slot

_HEAD, _BODY, _WAIT, _TUNNEL, _LINGER = range(5)
"""What a connection is about: a request's head, its body, its response, a tunnel, or an end that the client has
yet to notice."""

_MAX_AHEAD = 64 * 1024
"""Bytes of further requests that a client may send ahead."""

_FORWARDED_FOR = b"x-forwarded-for"
_FORWARDED_PROTO = b"x-forwarded-proto"
_FORWARDED_HOST = b"x-forwarded-host"
FORWARDED = frozenset({_FORWARDED_FOR, _FORWARDED_PROTO, _FORWARDED_HOST})


class ClientConnection(Link):
    """A client's connection: reads requests, one after the other, and gets their responses."""

    __slots__ = (
        "_buffer", "_chunked_out", "_chunks", "_deadline", "_exchange", "_keep_alive", "_left", "_local", "_peer",
        "_state", "_to_head", "old", "router", "websocket",
    )  # fmt: skip

    def __init__(self, router: Router) -> None:
        super().__init__()
        self.router = router
        self.old = False
        """The present request is HTTP/1.0."""
        self.websocket = False
        """The present request asks for a WebSocket."""
        self._state = _HEAD
        self._buffer = b""
        self._exchange: Exchange | None = None
        self._keep_alive = True
        self._left = 0
        self._chunks: Chunks | None = None
        self._chunked_out = False
        self._deadline = 0.0
        self._peer = b""
        self._local = False
        self._to_head = False

    # -- asyncio ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: a client has connected."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one without being an instance
        address = (transport.get_extra_info("peername") or ("unknown",))[0]
        self._peer = address.encode()
        self._local = _is_loopback(address)
        self._deadline = self.router.now + self.router.limits.head
        self.router.clients.add(self)

    def data_received(self, data: bytes) -> None:
        """Asyncio: the client sent something."""
        state = self._state
        if state == _HEAD:
            self._read_head(self._buffer + data if self._buffer else data)
        elif state == _BODY:
            self._deadline = self.router.now + self.router.limits.stall
            self._read_body(data)
        elif state == _WAIT:
            self._buffer += data
            self.update_reading()
        elif state == _TUNNEL and self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.transport.write(data)

    def eof_received(self) -> bool:
        """Asyncio: the client will send no more."""
        exchange = self._exchange
        if exchange is None or exchange.upstream is None or not exchange.tunnel:
            return False
        self.ended = True
        return exchange.half_close(exchange.upstream.transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Asyncio: the client is gone."""
        self.router.clients.discard(self)
        if self._exchange is not None:
            self._exchange.client_gone()
            self._exchange = None

    def pause_writing(self) -> None:
        """Asyncio: the client reads more slowly than the slot sends."""
        self.write_paused = True
        if self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.read(wanted=False)

    def resume_writing(self) -> None:
        """Asyncio: the client has caught up."""
        self.write_paused = False
        if self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.read(wanted=True)

    # -- the request -----------------------------------------------------------------------------------------

    def _read_head(self, data: bytes) -> None:
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > MAX_HEAD:
            if data.startswith(b"\r\n"):
                data = data.lstrip(b"\r\n")  # RFC 9112, 2.2: tolerate an empty line before a request
            if data and not self._buffer:
                self._deadline = self.router.now + self.router.limits.head
            self._buffer = data
            if len(data) > MAX_HEAD:
                self._refuse(431, "the head of the request is too long")
            return
        if data.startswith(b"\r\n"):
            self._buffer = b""
            self._read_head(data.lstrip(b"\r\n"))
            return
        self._buffer = b""
        try:
            request = parse_request(data[: end + 2], self.router.looked_at)
            self._begin(request, data[end + 4 :])
        except BadMessage as error:
            self._refuse(error.status, error.reason)

    def _begin(self, request: Request, rest: bytes) -> None:
        self.old = request.old
        self._to_head = request.method == b"HEAD"
        self._keep_alive = request.keep_alive and not self.router.draining
        self._chunked_out = False
        self.websocket = request.websocket
        body = self._first_of_body(request.length, rest)
        slot, cookie = self.router.choose(request)
        if slot is None:
            self.router.unrouted += 1
            self.answer(503, "no slot takes traffic at present", request_sent=self._state == _WAIT)
            return
        exchange = self._exchange = Exchange(self, request, slot, cookie)
        exchange.begin(
            self._request_head(request, slot) + body, whole=self._state == _WAIT, websocket=request.websocket
        )
        self.update_reading()

    def _first_of_body(self, length: int, rest: bytes) -> bytes:
        """Split what came behind the head into body and what follows it; the state says if the body is whole."""
        self._state = _WAIT
        if length == 0:
            self._buffer = rest
            return b""
        self._deadline = self.router.now + self.router.limits.stall
        if length == CHUNKED:
            self._chunks = Chunks()
            end = self._chunks.feed(rest)
        else:
            self._chunks = None
            end = length if len(rest) >= length else -1
            self._left = length - len(rest)
        if end >= 0:
            self._buffer = rest[end:]
            return rest[:end]
        self._state = _BODY
        return rest

    def _read_body(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if self._chunks is not None:
            try:
                end = self._chunks.feed(data)
            except BadMessage as error:
                exchange.client_gone()
                self._exchange = None
                self._refuse(error.status, error.reason)
                return
        else:
            end = self._left if len(data) >= self._left else -1
            self._left -= len(data)
        if end >= 0:
            self._state = _WAIT
            self._buffer = data[end:]
            data = data[:end]
        exchange.send(data, last=end >= 0)
        self.update_reading()

    def _request_head(self, request: Request, slot: Slot) -> bytes:
        named = request.named
        # Only a proxy on this machine (one that ends TLS, say) is believed; others could pretend anything.
        trusted = named if self._local else {}
        before = trusted.get(_FORWARDED_FOR)
        host = request.host or b""
        fields = [line for line in request.fields if not _is_forwarded(line)] if named else request.fields
        fields.append(b"X-Forwarded-For: " + (before + b", " + self._peer if before else self._peer))
        fields.append(b"X-Forwarded-Proto: " + trusted.get(_FORWARDED_PROTO, b"http"))
        fields.append(b"X-Forwarded-Host: " + trusted.get(_FORWARDED_HOST, host))
        fields.append(VIA)
        if request.websocket:
            fields.append(b"Connection: Upgrade\r\nUpgrade: websocket")
        elif request.host is None:
            fields.append(b"Host: " + slot.authority)
        return b"%b %b HTTP/1.1\r\n%b\r\n\r\n" % (request.method, request.target, b"\r\n".join(fields))

    # -- the response ----------------------------------------------------------------------------------------

    def response_head(self, line: bytes, fields: list[bytes], *, until_close: bool) -> bytes:
        """A response's head for this client.

        Args:
            line: The status line.
            fields: The slot's fields.
            until_close: The slot's body ends with its connection.
        """
        if self.old:
            # Chunks are unknown to HTTP/1.0: the body is sent without, and ends with the connection.
            chunked = any(field[:18].lower() == b"transfer-encoding:" for field in fields)
            if chunked:
                fields = [field for field in fields if field[:18].lower() != b"transfer-encoding:"]
            self._keep_alive = self._keep_alive and not chunked and not until_close
            fields.append(b"Connection: keep-alive" if self._keep_alive else b"Connection: close")
        else:
            if until_close:
                self._chunked_out = True
                fields.append(b"Transfer-Encoding: chunked")
            if self.router.draining or self._state == _BODY:
                self._keep_alive = False
            if not self._keep_alive:
                fields.append(b"Connection: close")
        return line + b"\r\n".join(fields) + b"\r\n\r\n"

    def body_piece(self, data: bytes) -> bytes:
        """A piece of a body that the slot ends by closing, as this client gets it."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked_out else data

    def body_end(self) -> bytes:
        """What ends such a body."""
        return b"0\r\n\r\n" if self._chunked_out else b""

    def exchange_done(self, request_sent: bool) -> None:
        """The response is out: go on with the next request, or end."""
        self._exchange = None
        if not request_sent:
            self._linger()
        elif not self._keep_alive:
            self.transport.close()
        else:
            self._state = _HEAD
            self._deadline = self.router.now + self.router.limits.keep_alive
            if self._buffer:
                asyncio.get_running_loop().call_soon(self._next)
            if not self.reading:
                self.read(wanted=True)

    def answer(self, status: int, text: str, *, request_sent: bool) -> None:
        """Answer in the router's own name."""
        self._exchange = None
        if not request_sent:
            self._keep_alive = False
        body = f"{status} {http.HTTPStatus(status).phrase}: {text}\n".encode()
        self.transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n%b\r\n%b\r\n\r\n%b"
            % (
                status,
                http.HTTPStatus(status).phrase.encode(),
                len(body),
                VIA,
                b"Connection: keep-alive" if self._keep_alive else b"Connection: close",
                b"" if self._to_head else body,
            )
        )
        self.exchange_done(request_sent)

    def open_tunnel(self) -> None:
        """Pass on bytes as they come from now on."""
        self._state = _TUNNEL
        self._deadline = 0.0
        if self._buffer and self._exchange is not None and self._exchange.upstream is not None:
            self._exchange.upstream.transport.write(self._buffer)
            self._buffer = b""
        self.update_reading()

    # -- patience --------------------------------------------------------------------------------------------

    def update_reading(self) -> None:
        """Read from the client if there is somewhere to put what it sends."""
        state = self._state
        if state == _WAIT:
            self.read(len(self._buffer) < _MAX_AHEAD)
        elif state in {_BODY, _TUNNEL}:
            upstream = self._exchange.upstream if self._exchange is not None else None
            self.read(upstream is not None and not upstream.write_paused)
            if upstream is not None and self.write_paused:
                upstream.read(wanted=False)
        else:
            self.read(wanted=True)

    def sweep(self, now: float) -> None:
        """Give up on a client that has been silent for too long, or on its slot."""
        if self._exchange is not None:
            self._exchange.sweep(now)
        if self._state in {_HEAD, _LINGER} and now > self._deadline:
            self.transport.close()
        elif self._state == _BODY and now > self._deadline and self.reading:
            self.transport.abort()

    def drain(self) -> bool:
        """Close if nothing is under way; whether something is."""
        if self._exchange is None:
            self.transport.close()
            return False
        return self._state != _TUNNEL

    def _next(self) -> None:
        if self._state == _HEAD and self._buffer and not self.transport.is_closing():
            data, self._buffer = self._buffer, b""
            self._read_head(data)

    def _refuse(self, status: int, reason: str) -> None:
        self._keep_alive = False
        self.answer(status, reason, request_sent=False)

    def _linger(self) -> None:
        """End, but not by a reset: that could destroy the answer before the client has read it (RFC 9112, 9.6)."""
        self._state = _LINGER
        self._buffer = b""
        self._deadline = self.router.now + self.router.limits.linger
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.read(wanted=True)


def _is_forwarded(line: bytes) -> bool:
    return line[:12].lower() == b"x-forwarded-" and line.partition(b":")[0].lower() in FORWARDED


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
