"""Reading metrics over a real socket: what answers, what does not, and what answers something else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from phases.clock import SystemClock
from phases.health import http_health
from phases.metrics.base import MetricsUnavailable
from phases.metrics.router import RouterMetrics

pytestmark = pytest.mark.integration

TEXT = (
    "# TYPE launch_router_requests_total counter\n"
    'launch_router_requests_total{slot="new",code="2xx"} 90\n'
    'launch_router_requests_total{slot="new",code="5xx"} 10\n'
)


class Admin(ThreadingHTTPServer):
    """An admin address that answers what a test says."""

    status = 200
    text = TEXT


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Admin)
        body = self.server.text.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def admin() -> Iterator[Admin]:
    with Admin(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(server: Admin) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_reads_the_counters_of_now(admin: Admin) -> None:
    source = RouterMetrics(url(admin))
    before = SystemClock().monotonic()
    sample = source.sample()
    assert (sample.slots["new"].requests, sample.slots["new"].errors) == (100, 10)
    assert before <= sample.at <= SystemClock().monotonic()


def test_a_router_that_is_gone_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(MetricsUnavailable, match="cannot be read"):
        RouterMetrics(f"http://127.0.0.1:{port}").sample()


def test_a_router_that_hangs_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = RouterMetrics(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        with pytest.raises(MetricsUnavailable, match="cannot be read"):
            source.sample()


def test_an_error_is_an_outage(admin: Admin) -> None:
    admin.status = 500
    with pytest.raises(MetricsUnavailable, match="status 500"):
        RouterMetrics(url(admin)).sample()


def test_another_program_on_that_port_is_an_outage(admin: Admin) -> None:
    admin.text = "hello\n"
    with pytest.raises(MetricsUnavailable, match="does not answer with the router's metrics"):
        RouterMetrics(url(admin)).sample()


def test_the_source_recovers_by_itself(admin: Admin) -> None:
    source = RouterMetrics(url(admin))
    admin.status = 503
    with pytest.raises(MetricsUnavailable):
        source.sample()
    admin.status = 200
    assert source.sample().slots["new"].requests == 100


def test_health_is_the_expected_status(admin: Admin) -> None:
    healthy = http_health(url(admin))
    assert healthy()
    admin.status = 503
    assert not healthy()


def test_a_slot_that_is_gone_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert not http_health(f"http://127.0.0.1:{port}", timeout=0.5)()
