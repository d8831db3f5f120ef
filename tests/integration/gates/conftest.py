"""A small HTTP server that answers as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    released: threading.Event
    fail_first: int
    seen: list[tuple[str, str, dict[str, str], bytes]]

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        name = self.path.split("?")[0].strip("/").replace("/", "_") or "root"
        getattr(self, f"answer_{name}", self.answer_missing)(body)

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_missing(self, _body: bytes) -> None:
        self.reply(404, b"nothing here")

    def answer_health(self, _body: bytes) -> None:
        self.reply(200, b"ok")

    def answer_broken(self, _body: bytes) -> None:
        self.reply(503, b"broken")

    def answer_flaky(self, _body: bytes) -> None:
        type(self).fail_first -= 1
        self.reply(503 if self.fail_first >= 0 else 200)

    def answer_moved(self, _body: bytes) -> None:
        self.reply(302, Location="/health")

    def answer_circle(self, _body: bytes) -> None:
        self.reply(302, Location="/circle")

    def answer_silent(self, _body: bytes) -> None:
        self.released.wait(30)
        self.close_connection = True

    def answer_drip(self, _body: bytes) -> None:
        """Send a byte now and then, so that no single read ever times out."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        while not self.released.wait(0.02):
            try:
                self.wfile.write(b".")
            except OSError:
                return

    def answer_short(self, _body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"not much")
        self.close_connection = True

    def answer_huge(self, _body: bytes) -> None:
        self.reply(200, b"x" * (5 * 1024 * 1024))

    def answer_slow(self, _body: bytes) -> None:
        time.sleep(0.05)
        self.reply(200, b"ok")

    def answer_login(self, body: bytes) -> None:
        user = json.loads(body)["user"]
        self.reply(200, json.dumps({"auth": {"token": f"t-{user}"}, "ok": True}).encode(), **{"X-Shop": "2.0"})

    def answer_cart(self, body: bytes) -> None:
        if not self.headers.get("Authorization", "").startswith("Bearer t-"):
            self.reply(401, b"who are you")
            return
        self.reply(201, json.dumps({"items": [json.loads(body)], "total": 5}).encode())

    def log_message(self, *_: object) -> None:
        pass


class Server:
    """A running server.

    Attributes:
        url: where it answers.
        handler: its class, whose `seen` and `fail_first` a test may read and set.
    """

    def __init__(self) -> None:
        self.handler: type[Handler] = type(
            "H", (Handler,), {"released": threading.Event(), "fail_first": 0, "seen": []}
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self.handler.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def closed_url() -> str:
    """Return a URL where nobody listens."""
    gone = Server()
    gone.close()
    return gone.url


@pytest.fixture
def later() -> Iterator[Callable[[float, Callable[[], None]], None]]:
    """Return a function that calls something after some seconds."""
    timers: list[threading.Timer] = []

    def start(seconds: float, call: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, call)
        timers.append(timer)
        timer.start()

    yield start
    for timer in timers:
        timer.cancel()
        timer.join()
