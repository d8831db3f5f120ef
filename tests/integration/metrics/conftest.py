"""Servers that the sources read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """An HTTP server that answers what a test says.

    Attributes:
        url: where it is.
        status: of the answer.
        body: of the answer.
        instead: answers in its own way.
        asked: the requests it got, as `(method, path, body, headers)`.
        connections: how many were opened.
    """

    url: str = ""
    status: int = 200
    body: str = ""
    instead: Answer | None = None
    asked: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    """Start servers; they end with the test."""
    with ExitStack() as stack:

        def start() -> Server:
            server = Server()

            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def setup(self) -> None:
                    server.connections += 1
                    super().setup()

                def do_GET(self) -> None:
                    self._answer()

                def do_POST(self) -> None:
                    self._answer()

                def _answer(self) -> None:
                    sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                    server.asked.append((self.command, self.path, sent, dict(self.headers)))
                    if server.instead is not None:
                        server.instead(self)
                        return
                    body = server.body.encode()
                    self.send_response(server.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

                def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                    pass

            http = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            http.daemon_threads = True
            http.block_on_close = False
            thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(http.shutdown)
            server.url = f"http://127.0.0.1:{http.server_port}"
            return server

        yield start
