"""A load generator: `python -m bench.load URL` prints one JSON object.

Closed loop: each user sends the next request on having the whole response to the last. It runs in a process of its
own and does as little as possible for a request, so that it measures the other side.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop

_PATIENCE = 10.0
"""Seconds after the end in which the last responses may come."""


class Tally:
    """What all users saw."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.seconds: list[float] = []
        self.errors: list[str] = []

    def over(self) -> bool:
        """Whether it is time to end."""
        return time.perf_counter() >= self.until


class User(asyncio.Protocol):
    """A connection that repeats one request until time is up, or after one response if told `once`."""

    def __init__(self, request: bytes, tally: Tally, *, once: bool) -> None:
        self._request = request
        self._tally = tally
        self._once = once
        self._buffer = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Asyncio: take a response, send the next request."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = head[head.find(b"\r\ncontent-length:") + 17 :].partition(b"\r\n")[0]
        if len(self._buffer) < end + 4 + int(length):
            return
        if not head.startswith(b"http/1.1 200"):
            self._tally.errors.append(head.partition(b"\r\n")[0].decode())
        self._tally.seconds.append(time.perf_counter() - self._sent)
        self._buffer = self._buffer[end + 4 + int(length) :]
        if self._once or self._tally.over():
            self._end()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the other side has closed; an error unless we are done."""
        if not self.done.done():
            self._tally.errors.append(f"connection lost: {exc}")
            self._end()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()


async def _user(host: str, port: int, request: bytes, tally: Tally, *, once: bool) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            _, user = await loop.create_connection(lambda: User(request, tally, once=once), host, port)
            await asyncio.wait_for(user.done, tally.until - time.perf_counter() + _PATIENCE)
        except OSError as error:  # a TimeoutError is one
            tally.errors.append(repr(error))
        if not once or tally.over():
            return


async def _run(arguments: argparse.Namespace) -> dict[str, object]:
    origin, to = urlsplit(arguments.url), urlsplit(arguments.via or arguments.url)
    target = arguments.url if arguments.via else origin.path or "/"
    close = "Connection: close\r\n" if arguments.once else ""
    request = f"GET {target} HTTP/1.1\r\nHost: {origin.netloc}\r\nUser-Agent: bench\r\nAccept: */*\r\n{close}\r\n"
    begun = time.perf_counter()
    tally = Tally(begun + arguments.seconds)
    users = (
        _user(to.hostname or "", to.port or 80, request.encode(), tally, once=arguments.once)
        for _ in range(arguments.connections)
    )
    await asyncio.gather(*users)
    took = time.perf_counter() - begun
    seconds = sorted(tally.seconds) or [0.0]
    return {
        "rps": len(tally.seconds) / took,
        "p50_ms": 1000 * seconds[len(seconds) // 2],
        "p99_ms": 1000 * seconds[len(seconds) * 99 // 100],
        "errors": len(tally.errors),
        "examples": tally.errors[:3],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--via", help="a forward proxy to ask instead")
    parser.add_argument("--once", action="store_true", help="a new connection for each request")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3.0)
    print(json.dumps(uvloop.run(_run(parser.parse_args()))))
