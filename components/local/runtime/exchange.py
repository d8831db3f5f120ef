"""One request on its way through the router."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING

from components.local.runtime.http1 import UNTIL_CLOSE, Request, Response
from components.local.runtime.metrics import CLIENT_CLOSED, ERROR

if TYPE_CHECKING:
    from components.local.runtime.downstream import ClientConnection
    from components.local.runtime.upstream import Slot, UpstreamConnection

logger = logging.getLogger(__name__)

VIA = b"Via: 1.1 launch"
_BAD_GATEWAY = 502
_GATEWAY_TIMEOUT = 504


class Exchange:
    """A request, the slot it goes to, and the response on its way back."""

    __slots__ = (
        "_cookie", "_data", "_deadline", "_half_closed", "_repeatable", "_started", "_status", "_task", "client",
        "ended", "request_sent", "slot", "to_head", "tunnel", "upstream",
    )  # fmt: skip

    def __init__(self, client: ClientConnection, request: Request, slot: Slot, cookie: bytes | None) -> None:
        self.client = client
        self.slot = slot
        self.to_head = request.method == b"HEAD"
        self.tunnel = False
        self.request_sent = False
        """The whole request has come from the client and gone to the slot."""
        self.upstream: UpstreamConnection | None = None
        self.ended = False
        self._cookie = cookie
        self._repeatable = request.idempotent
        self._started = perf_counter()
        self._status = 0
        self._task: asyncio.Task[None] | None = None
        self._data = b""
        self._deadline = 0.0
        self._half_closed = False
        slot.metrics.in_flight += 1

    def now(self) -> float:
        """The router's clock: seconds, exact to about one."""
        return self.client.router.now

    def begin(self, data: bytes, *, whole: bool, websocket: bool) -> None:
        """Send what there is of the request.

        Args:
            data: The head and what has come of the body.
            whole: That is all of it.
            websocket: The connection will be used up by this request.
        """
        self.request_sent = whole
        self._data = data
        # What cannot be sent again need not be kept: a body that is still coming is not.
        self._repeatable = self._repeatable and whole
        self._deadline = self.now() + self.slot.limits.response
        upstream = None if websocket else self.slot.take(self.now(), repeatable=self._repeatable)
        if upstream is None:
            self._connect()
        else:
            self._attach(upstream)

    def send(self, data: bytes, *, last: bool) -> None:
        """Send the next piece of the request's body."""
        self.request_sent = last
        if last:
            self._deadline = self.now() + self.slot.limits.response
        if self.upstream is None:
            self._data += data
        else:
            self.upstream.transport.write(data)

    def interim(self, response: Response) -> None:
        """Pass on a response that announces another (100 Continue, 103 Early Hints)."""
        if not self.client.old:
            self.client.transport.write(b"%b%b\r\n\r\n" % (response.line, b"\r\n".join((*response.fields, VIA))))

    def respond(self, response: Response) -> bytes:
        """The head that the client gets."""
        self._status = response.status
        fields = response.fields
        fields.append(VIA)
        if self._cookie is not None:
            fields.append(self._cookie)
        return self.client.response_head(response.line, fields, until_close=response.length == UNTIL_CLOSE)

    def switch(self, response: Response, rest: bytes) -> None:
        """Become a tunnel: the slot has agreed to speak WebSocket."""
        if not self.client.websocket:
            if self.upstream is not None:
                self.upstream.transport.abort()
            self.upstream_failed("the slot switched protocols without being asked")
            return
        fields = [*response.fields, VIA, b"Connection: Upgrade", b"Upgrade: websocket"]
        if self._cookie is not None:
            fields.append(self._cookie)
        self.slot.metrics.count_status(response.status, perf_counter() - self._started)
        self.tunnel = True
        self.client.transport.write(response.line + b"\r\n".join(fields) + b"\r\n\r\n" + rest)
        self.client.open_tunnel()

    def complete(self) -> None:
        """The last byte of the response has gone to the client."""
        self._end()
        self.slot.metrics.count_status(self._status, perf_counter() - self._started)
        self.client.exchange_done(self.request_sent)

    def upstream_stale(self) -> None:
        """A pooled connection had been closed by the slot before this request came."""
        self.upstream = None
        if self._repeatable:
            self._connect()
        else:
            self.upstream_failed("the slot closed the connection before it answered")

    def upstream_failed(self, reason: str, status: int = _BAD_GATEWAY) -> None:
        """The slot did not give a whole response: that is its error."""
        if self.ended:
            return
        self._end()
        self.slot.metrics.count(ERROR, perf_counter() - self._started)
        self.client.router.note_error(self.slot, reason)
        if self._status:
            self.client.transport.abort()  # the head is out: a broken-off body is all that can tell the client
        else:
            self.client.answer(status, f"slot {self.slot.name}: {reason}", request_sent=self.request_sent)

    def half_close(self, other: asyncio.Transport) -> bool:
        """One end of the tunnel will send no more: tell the other; whether to keep the first open for answers."""
        if self._half_closed or other.is_closing():
            return False
        self._half_closed = True
        other.write_eof()
        return True

    def tunnel_closed(self) -> None:
        """The slot closed its end of the tunnel."""
        self._end()
        self.client.transport.close()

    def client_gone(self) -> None:
        """The client closed its connection: the slot need not go on."""
        if self.ended:
            return
        self._end()
        if not self.tunnel:
            self.slot.metrics.count(CLIENT_CLOSED, perf_counter() - self._started)
        if self._task is not None:
            self._task.cancel()
        if self.upstream is not None:
            self.upstream.exchange = None
            if self.tunnel:
                self.upstream.transport.close()
            else:
                self.upstream.transport.abort()

    def sweep(self, now: float) -> None:
        """Give up on a slot that does not begin to answer."""
        if self.request_sent and not self._status and not self.tunnel and now > self._deadline:
            if self.upstream is not None:
                self.upstream.exchange = None
                self.upstream.transport.abort()
            self.upstream_failed(f"no response within {self.slot.limits.response:g} s", _GATEWAY_TIMEOUT)

    def _connect(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._connect_and_attach())

    async def _connect_and_attach(self) -> None:
        try:
            upstream = await self.slot.connect()
        except TimeoutError:
            self.upstream_failed("it takes no connection", _GATEWAY_TIMEOUT)
        except OSError as error:
            self.upstream_failed(f"it cannot be connected to: {error.strerror or error}")
        else:
            self._task = None
            if self.ended:
                upstream.transport.abort()
            else:
                self._attach(upstream)

    def _attach(self, upstream: UpstreamConnection) -> None:
        self.upstream = upstream
        data = self._data
        if not self._repeatable:
            self._data = b""
        upstream.begin(self, data)
        self.client.update_reading()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self.slot.metrics.in_flight -= 1
