"""A server that plays Prometheus: it answers queries as a test has scripted them.

    with running() as prometheus:
        prometheus.slot("green").change(rate=100, error_share=0.2)  # counters that grow, for launch's own queries
        prometheus.answer("go_goroutines", 12.0)                     # a value for any query that holds this text
        prometheus.answer("errors", lambda: next(values))

An answer goes before a slot's traffic, and the one given last goes first. A query that nothing fits gets an empty
result, as from a Prometheus that has no such series. Trouble can be scripted as well: `fail`, `hang`, `slow`.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cluster.scripted_traffic import ScriptedTraffic

Value = float | Callable[[], float | None] | None

VERSION = "3.5.0"

# How launch puts the queries of all slots into one (phases/metrics/promql.py).
_PART = re.compile(
    r'label_replace\(label_replace\(\n(?P<query>.*?)\n,"launch_kind","(?P<kind>\w+)","",""\),'
    r'"launch_slot","(?P<slot>[^"]*)","",""\)',
    re.DOTALL,
)


@dataclass
class _Answer:
    part: str
    value: Value
    labels: Mapping[str, str]


@dataclass
class ScriptedPrometheus:
    """What the server answers, and what it was asked.

    Attributes:
        url: where it listens.
        queries: every query so far, in order.
        latency_unit: of the histograms of slots, `s` or `ms`, as the router that counts has it.
    """

    url: str = ""
    queries: list[str] = field(default_factory=list)
    latency_unit: str = "s"
    _answers: list[_Answer] = field(default_factory=list)
    _slots: dict[str, ScriptedTraffic] = field(default_factory=dict)
    _failure: tuple[int, str] | None = None
    _delay: float = 0.0
    _moving: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._moving.set()

    def slot(self, name: str) -> ScriptedTraffic:
        """The traffic of a slot, for the queries that launch asks for it; none before this is called."""
        with self._lock:
            return self._slots.setdefault(name, ScriptedTraffic())

    def answer(self, part: str, value: Value, labels: Mapping[str, str] | None = None) -> None:
        """From now on, queries that hold this text get this value; a call of it may return None, for no series.

        Several answers of the same text and different labels make a vector of several series.
        """
        with self._lock:
            wanted = dict(labels or {})
            self._answers = [each for each in self._answers if (each.part, each.labels) != (part, wanted)]
            self._answers.append(_Answer(part, value, wanted))

    def forget(self, part: str) -> None:
        """Takes the answers for this text back."""
        with self._lock:
            self._answers = [each for each in self._answers if each.part != part]

    def fail(self, status: int = 503, error: str = "query timed out in expression evaluation") -> None:
        """From now on, every request fails."""
        self._failure = (status, error)

    def slow(self, seconds: float) -> None:
        """From now on, every answer comes late."""
        self._delay = seconds

    def hang(self) -> None:
        """From now on, requests get no answer, until `recover`."""
        self._moving.clear()

    def recover(self) -> None:
        """Ends all trouble; requests that hang are answered."""
        self._failure, self._delay = None, 0.0
        self._moving.set()

    def result(self, query: str) -> list[dict[str, Any]]:
        """The instant vector that a query gets now."""
        now = time.time()
        parts = list(_PART.finditer(query))
        found = [] if parts else self._answered(query)
        for part in parts:
            slot, kind = part["slot"], part["kind"]
            own = self._answered(part["query"])
            if not own and slot in self._slots:
                own = self._slots[slot].series(kind, self.latency_unit)
            found += [({**labels, "launch_kind": kind, "launch_slot": slot}, value) for labels, value in own]
        return [{"metric": labels, "value": [now, _number(value)]} for labels, value in found]

    def reply(self, path: str, query: str) -> tuple[int, object]:
        """Status and body of an answer; text is sent as it is, anything else as JSON."""
        if self._failure is not None:
            status, error = self._failure
            return status, {"status": "error", "errorType": "timeout", "error": error}
        if path == "/api/v1/query":
            return 200, _success({"resultType": "vector", "result": self.result(query)})
        if path == "/api/v1/status/buildinfo":
            return 200, _success({"version": VERSION, "revision": "scripted"})
        if path in ("/-/ready", "/-/healthy"):
            return 200, "Prometheus Server is Ready.\n"
        return 404, "404 page not found\n"

    def _answered(self, query: str) -> list[tuple[dict[str, str], float]]:
        with self._lock:
            fitting = [each for each in self._answers if each.part in query]
        chosen = [each for each in fitting if each.part == fitting[-1].part]
        values = [(dict(each.labels), each.value() if callable(each.value) else each.value) for each in chosen]
        return [(labels, value) for labels, value in values if value is not None]


@contextlib.contextmanager
def running() -> Iterator[ScriptedPrometheus]:
    """Serves on a port of 127.0.0.1 that the system chooses."""
    script = ScriptedPrometheus()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.recover()
        server.shutdown()
        server.server_close()
        thread.join()


def _number(value: float) -> str:
    """As Prometheus writes it."""
    text = repr(float(value))
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(text, text.removesuffix(".0"))


def _handler(script: ScriptedPrometheus) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go in two packets: without this, the second waits 40 ms for the first to be acknowledged.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._serve("")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _serve(self, form: str) -> None:
            address = urlsplit(self.path)
            query = parse_qs(form or address.query).get("query", [""])[0]
            if address.path == "/api/v1/query":
                script.queries.append(query)
            script._moving.wait()
            time.sleep(script._delay)
            self._send(*script.reply(address.path, query))

        def _send(self, status: int, body: object) -> None:
            text = isinstance(body, str)
            data = str(body).encode() if text else json.dumps(body).encode()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # whoever asked had enough
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8" if text else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            """Says nothing."""

    return Handler


def _success(data: object) -> dict[str, object]:
    return {"status": "success", "data": data}
