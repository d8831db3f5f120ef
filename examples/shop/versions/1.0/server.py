"""shop, a small HTTP service: the process. It needs nothing but Python's standard library (psycopg for Postgres).

Environment:
    PORT: where it listens on 127.0.0.1.
    DATABASE_URL: sqlite:////absolute/path.db or postgresql://user:password@host/name.
    FLAGD_FILE: feature flags in flagd's JSON; without it every flag is off.

On SIGTERM it answers what it has begun, says goodbye on idle connections, and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

from database import Database
from flags import Flags
from release import VERSION
from shop import Answer, Shop

MAX_BODY = 64 * 1024
IDLE_SECONDS = 75


class Server(ThreadingHTTPServer):
    """Serves the shop; knows which of its connections are idle, so that it can end without breaking one off."""

    request_queue_size = 512
    daemon_threads = False

    def __init__(self, port: int, shop: Shop) -> None:
        self.shop = shop
        self.stopping = False
        self._idle: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up the machine's name here, which may take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def idle(self, connection: socket.socket, waiting: bool) -> None:
        with self._lock:
            if not waiting:
                self._idle.discard(connection)
            elif self.stopping:
                _no_more(connection)
            else:
                self._idle.add(connection)

    def stop(self, *_: int | FrameType | None) -> None:
        with self._lock:
            self.stopping = True
            for connection in self._idle:
                _no_more(connection)
        # serve_forever runs on this thread and cannot be waited for here.
        threading.Thread(target=self.shutdown).start()


def _no_more(connection: socket.socket) -> None:
    """Let a thread that waits for the next request see the end of the connection."""
    with contextlib.suppress(OSError):  # the other side was quicker
        connection.shutdown(socket.SHUT_RD)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = f"shop/{VERSION}"
    timeout = IDLE_SECONDS
    wbufsize = -1  # head and body in one packet: else Nagle's algorithm delays the second by 40 ms
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        self.server.idle(self.connection, waiting=True)
        super().handle_one_request()

    def parse_request(self) -> bool:
        self.server.idle(self.connection, waiting=False)
        return super().parse_request()

    def finish(self) -> None:
        self.server.idle(self.connection, waiting=False)
        super().finish()

    def do_GET(self) -> None:
        self._answer(self.server.shop.get(self.path.partition("?")[0]))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._answer(Answer(413 if length.isdecimal() else 411, {"error": f"a body of at most {MAX_BODY} bytes"}))
            return
        self._answer(self.server.shop.post(self.path.partition("?")[0], self.rfile.read(int(length))))

    def _answer(self, answer: Answer) -> None:
        body = json.dumps(answer.content).encode() + b"\n"
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Shop-Version", VERSION)
        if self.server.stopping:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing for each request: the router counts them."""


def main() -> int:
    database = Database(os.environ["DATABASE_URL"])
    server = Server(int(os.environ["PORT"]), Shop(database, Flags(os.environ.get("FLAGD_FILE"))))
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    print(f"shop {VERSION} listens on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()  # waits for the requests under way
    print(f"shop {VERSION} ended", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
