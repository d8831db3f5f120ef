"""Real slots, a real router and raw connections to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from components.local.runtime.router import Backend, RouterStatus, Sticky, configure, stop_router

PATIENCE = 20.0


def eventually(condition: Callable[[], object], what: str = "it") -> None:
    """Wait until a condition holds; fail if it does not for a long time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:g} s"
        time.sleep(0.01)


class Origin(ThreadingHTTPServer):
    """A slot whose every response can be staged."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, name: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        self.go = threading.Event()
        """Lets a response that waits go on."""
        self.seen = threading.Event()
        """Set when a request has got as far as its test wants to see."""
        self.drop_reused = False
        """Close the next connection that is used a second time, without an answer."""
        self.connections = 0
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def end(self) -> None:
        """Stop listening."""
        self.go.set()
        self.shutdown()
        self.server_close()
        self.thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Connections that break are what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    """Does what the path says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # it writes head and body apart, and would wait 40 ms in between
    timeout = PATIENCE
    server: Origin

    def setup(self) -> None:
        super().setup()
        self.served = 0
        self.server.connections += 1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.served and self.server.drop_reused:
            self.server.drop_reused = False
            self.close_connection = True
            return False
        self.served += 1
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        return True

    def do_GET(self) -> None:
        getattr(self, "get_" + self.path.strip("/").partition("?")[0].replace("/", "_"), self.get_)()

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def do_POST(self) -> None:
        getattr(self, "post_" + self.path.strip("/"))()

    do_PUT = do_POST  # noqa: N815

    def reply(self, body: bytes, status: int = 200, **fields: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Slot", self.server.name)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def get_(self) -> None:
        self.reply(self.server.name.encode())

    def get_wait(self) -> None:
        self.server.seen.set()
        self.server.go.wait(PATIENCE)
        self.reply(b"waited")

    def get_empty(self) -> None:
        self.send_response(204)
        self.end_headers()

    def get_same(self) -> None:
        self.send_response(304)
        self.send_header("Content-Length", "1000")
        self.end_headers()

    def get_missing(self) -> None:
        self.reply(b"missing", 404)

    def get_fault(self) -> None:
        self.reply(b"fault", 500)

    def get_hints(self) -> None:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n")
        self.reply(b"hinted")

    def get_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nfirst\r\n")
        self.server.go.wait(PATIENCE)
        self.wfile.write(b"6\r\nsecond\r\n0\r\nX-Sum: 1\r\n\r\n")

    def get_until_close(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"no length ")
        self.wfile.write(b"at all")
        self.close_connection = True

    def get_endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(2**40))
        self.end_headers()
        sent = 0
        with suppress(OSError):
            self.connection.settimeout(1)
            while sent < 2**40:
                sent += self.connection.send(b"x" * 65536)
        self.server.requests.append(("sent", {"bytes": str(sent)}))
        self.server.seen.set()
        self.close_connection = True

    def get_broken(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True

    def get_nonsense(self) -> None:
        self.wfile.write(b"what?\r\n\r\n")
        self.close_connection = True

    def get_silent(self) -> None:
        self.close_connection = True

    def get_hang(self) -> None:
        self.server.seen.set()
        with suppress(OSError):
            self.connection.recv(1)
        self.server.go.set()  # the other end is gone
        self.close_connection = True

    def post_echo(self) -> None:
        self.reply(self.body())

    def post_slowly(self) -> None:
        assert self.rfile.read(5) == b"first"
        self.server.seen.set()
        self.reply(self.rfile.read(int(self.headers["Content-Length"]) - 5))

    def post_refuse(self) -> None:
        self.reply(b"too much", 413, Connection="close")
        self.close_connection = True

    def get_ws(self) -> None:
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: x\r\n\r\nwelcome"
        )
        with suppress(OSError):
            while data := self.connection.recv(65536):
                self.connection.sendall(data.upper())
            self.connection.sendall(b"bye")
            self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True


class Peer:
    """A client's raw connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=PATIENCE)
        self.buffer = b""

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, path: str = "/", *lines: str, method: str = "GET", body: bytes = b"") -> tuple[int, str, bytes]:
        """Send a request and read its response."""
        self.send_request(path, *lines, method=method, body=body)
        return self.response(to_head=method == "HEAD")

    def send_request(self, path: str, *lines: str, method: str = "GET", body: bytes = b"") -> None:
        length = (f"Content-Length: {len(body)}",) if body else ()
        head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: shop", *lines, *length))
        self.send(f"{head}\r\n\r\n".encode() + body)

    def until(self, mark: bytes) -> bytes:
        """Everything up to and including a mark."""
        while mark not in self.buffer:
            data = self.socket.recv(65536)
            assert data, f"closed after {self.buffer!r}"
            self.buffer += data
        end = self.buffer.index(mark) + len(mark)
        found, self.buffer = self.buffer[:end], self.buffer[end:]
        return found

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            assert data, f"closed after {self.buffer!r}"
            self.buffer += data
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def rest(self) -> bytes:
        """Everything until the other side closes."""
        while data := self.socket.recv(65536):
            self.buffer += data
        found, self.buffer = self.buffer, b""
        return found

    def response(self, *, to_head: bool = False) -> tuple[int, str, bytes]:
        """Status, head and body of a response with a length or in chunks (which are left as they are)."""
        head = self.until(b"\r\n\r\n").decode("latin-1")
        status = int(head.split(" ", 2)[1])
        low = head.lower()
        if to_head or status < 200 or status in {204, 304}:
            return status, head, b""
        if "transfer-encoding: chunked" in low:
            return status, head, self.until(b"0\r\n\r\n")
        return status, head, self.exactly(int(low.partition("content-length:")[2].partition("\r\n")[0]))


class Routed:
    """A router in front of slots that tests can stage."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.origins: dict[str, Origin] = {}
        self.peers: list[Peer] = []
        self.status: RouterStatus

    def slot(self, name: str) -> Origin:
        origin = self.origins[name] = Origin(name)
        return origin

    def weigh(self, sticky: Sticky | None = None, /, **weights: int) -> RouterStatus:
        backends = [Backend(name, self.origins[name].url, weight) for name, weight in weights.items()]
        self.status = configure(self.directory, backends=backends, sticky=sticky)
        return self.status

    def peer(self) -> Peer:
        peer = Peer(self.status.url)
        self.peers.append(peer)
        return peer

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        with closing(urlopen(f"{self.status.admin}/metrics", timeout=PATIENCE)) as response:  # noqa: S310
            families = text_string_to_metric_families(response.read().decode())
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def count(self, code: str, slot: str = "blue") -> float:
        return self.metric("launch_router_requests_total", code=code, slot=slot)

    def end(self) -> None:
        for peer in self.peers:
            peer.close()
        stop_router(self.directory)
        for origin in self.origins.values():
            origin.end()
