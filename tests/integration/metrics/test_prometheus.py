"""Prometheus over real sockets: servers that misbehave, and a real Prometheus where there is one."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import urllib3

from phases.breaker import Breaker
from phases.clock import SystemClock
from phases.metrics.base import MetricsUnavailable, Sample, SourceSettings
from phases.metrics.prometheus import PrometheusMetrics
from phases.metrics.routers import ROUTERS
from phases.reading import Trip
from phases.thresholds import Thresholds
from phases.verdict import Verdict
from tests.cluster import scripted_prometheus
from tests.cluster.scripted_prometheus import ScriptedPrometheus
from tests.integration.metrics.conftest import Server

pytestmark = pytest.mark.integration

EMPTY = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})


def source(url: str, **changes: Any) -> PrometheusMetrics:  # noqa: ANN401
    names = {"service": "shop", "namespace": "prod"}
    settings = {"slots": ("new", "old"), "router": "launch", "names": names, "timeout": 30.0}
    return PrometheusMetrics(SourceSettings(url, **{**settings, **changes}))


def test_one_request_a_sample_on_one_connection(serve: Callable[[], Server]) -> None:
    server = serve()
    server.body = EMPTY
    prometheus = source(server.url, headers={"Authorization": "Bearer s3cret"})
    for _ in range(5):
        assert prometheus.sample().slots == {}
    assert [method for method, *_ in server.asked] == ["GET"] * 5
    assert server.connections == 1
    _, path, _, headers = server.asked[0]
    assert path.startswith("/api/v1/query?query=label_replace")
    assert headers["Authorization"] == "Bearer s3cret"


def test_a_long_query_goes_as_a_form(serve: Callable[[], Server]) -> None:
    server = serve()
    server.body = EMPTY
    source(server.url, queries={"requests": "up" + " or up" * 2000}).sample()
    method, path, sent, _ = server.asked[0]
    assert (method, path) == ("POST", "/api/v1/query")
    assert sent.startswith("query=label_replace")


def test_a_connection_that_was_closed_meanwhile_is_opened_again(serve: Callable[[], Server]) -> None:
    """A proxy ends connections after some requests without a word."""
    server = serve()
    server.body = EMPTY
    prometheus = source(server.url)
    prometheus.sample()

    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        server.instead = None
        handler.close_connection = True

    server.instead = hang_up
    assert prometheus.sample().slots == {}
    assert server.connections == 2


def test_a_server_that_drips_is_given_up(serve: Callable[[], Server]) -> None:
    server = serve()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" ")
                time.sleep(0.02)
        except OSError:
            handler.close_connection = True

    server.instead = drip
    with pytest.raises(MetricsUnavailable, match=r"no whole answer in time \(300ms\)"):
        source(server.url, timeout=0.3).sample()


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        prometheus = source(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        with pytest.raises(MetricsUnavailable, match=r"cannot be read: no whole answer in time \(200ms\)"):
            prometheus.sample()


def test_a_server_that_is_not_there_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(MetricsUnavailable, match="cannot be read: connection refused"):
        source(f"http://127.0.0.1:{port}").sample()


# --- the breaker, through a scripted one ----------------------------------------------------------------------------


LIMITS = Thresholds(error_rate=0.02, latency_p99_ms=800, min_requests=20)


@pytest.fixture
def scripted() -> Iterator[ScriptedPrometheus]:
    with scripted_prometheus.running() as script:
        yield script


def watch(scripted: ScriptedPrometheus, *, timeout: float = 30.0) -> Breaker:
    metrics = source(scripted.url, timeout=timeout)
    breaker = Breaker(LIMITS, source=metrics, new_slot="new", old_slot="old", clock=SystemClock())
    breaker.moved()
    return breaker


def test_a_breach_trips_the_breaker(scripted: ScriptedPrometheus) -> None:
    scripted.slot("old").add(1000)
    breaker = watch(scripted)
    scripted.slot("new").add(100)
    assert breaker.tick().verdict is Verdict.PASSED
    scripted.slot("new").add(50, errors=50)
    tripped = breaker.tick().tripped
    assert tripped is not None
    assert (tripped.metric, round(tripped.value, 3)) == ("error_rate", 0.333)


@pytest.mark.parametrize("trouble", ["fail", "hang"])
def test_what_happens_in_an_outage_counts_afterwards(scripted: ScriptedPrometheus, trouble: str) -> None:
    breaker = watch(scripted, timeout=1.0)
    scripted.slot("new").add(100)
    assert breaker.tick().verdict is Verdict.PASSED
    getattr(scripted, trouble)()
    scripted.slot("new").add(100, errors=100)
    reading = breaker.tick()
    assert (reading.verdict, reading.tripped) == (Verdict.INCONCLUSIVE, None)
    assert f"Prometheus at {scripted.url}" in reading.reason
    scripted.recover()
    _until(lambda: breaker.tick().tripped == Trip("error_rate", 0.5, 0.02))


def test_a_router_that_is_started_anew_is_no_breach(scripted: ScriptedPrometheus) -> None:
    breaker = watch(scripted)
    scripted.slot("new").add(100)
    breaker.tick()
    scripted.slot("new").restart()
    scripted.slot("new").add(50)
    assert breaker.tick().requests == 150


# --- a real Prometheus ------------------------------------------------------------------------------------------------

PROMETHEUS = os.environ.get("PROMETHEUS", "") or shutil.which("prometheus")
real = pytest.mark.skipif(not PROMETHEUS, reason="there is no `prometheus` on PATH (Debian's package of that name)")


@pytest.fixture
def exporter(serve: Callable[[], Server]) -> Server:
    server = serve()
    server.body = exposition()
    return server


@pytest.fixture
def prometheus(exporter: Server, tmp_path: Path) -> Iterator[str]:
    """A real Prometheus that scrapes the exporter many times a second."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    target = exporter.url.removeprefix("http://")
    (tmp_path / "prometheus.yml").write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
                "scrape_configs": [{"job_name": "router", "static_configs": [{"targets": [target]}]}],
            }
        )
    )
    url = f"http://127.0.0.1:{port}"
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [
            str(PROMETHEUS),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=log,
        stderr=log,
    )
    try:
        _until(lambda: _ready(url), tmp_path / "log")
        yield url
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _ready(url: str) -> bool:
    try:
        answer = urllib3.request("GET", f"{url}/-/ready", retries=False, timeout=5)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


def _until(true: Callable[[], bool], log: Path | None = None) -> None:
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit, log.read_text() if log else "it took too long"
        time.sleep(0.05)


def exposition(good: int = 0, bad: int = 0) -> str:
    """What a router shows after so many requests of the new slot, and a hundred of the old one."""
    return "\n".join(
        (
            "# TYPE launch_router_requests_total counter",
            f'launch_router_requests_total{{slot="new",code="2xx"}} {good}',
            f'launch_router_requests_total{{slot="new",code="5xx"}} {bad}',
            'launch_router_requests_total{slot="old",code="2xx"} 100',
            "# TYPE launch_router_request_duration_seconds histogram",
            f'launch_router_request_duration_seconds_bucket{{slot="new",le="0.1"}} {good}',
            f'launch_router_request_duration_seconds_bucket{{slot="new",le="+Inf"}} {good + bad}',
            "",
        )
    )


def _seen(prometheus: PrometheusMetrics, requests: int) -> Sample:
    samples: list[Sample] = []

    def there() -> bool:
        samples.append(prometheus.sample())
        new = samples[-1].slots.get("new")
        return new is not None and new.requests == requests

    _until(there)
    return samples[-1]


@real
def test_reads_what_a_real_one_scraped(prometheus: str, exporter: Server) -> None:
    exporter.body = exposition(90, 10)
    sample = _seen(source(prometheus), 100)
    assert sample.slots["new"].errors == 10
    assert sample.slots["new"].buckets == {0.1: 90, math.inf: 100}
    assert sample.slots["old"].requests == 100


@real
def test_a_breach_trips_the_breaker_through_a_real_one(prometheus: str, exporter: Server) -> None:
    metrics = source(prometheus)
    _seen(metrics, 0)
    limits = Thresholds(error_rate=0.02, min_requests=20)
    breaker = Breaker(limits, source=metrics, new_slot="new", old_slot="old", clock=SystemClock())
    breaker.moved()
    exporter.body = exposition(100)
    _until(lambda: breaker.tick().verdict is Verdict.PASSED)
    assert breaker.interval == limits.fast_interval
    exporter.body = exposition(150, 50)
    _until(lambda: breaker.tick().tripped is not None)
    assert breaker.tick().tripped == Trip("error_rate", 0.25, 0.02)


@real
def test_a_restarted_router_is_seen_as_one(prometheus: str, exporter: Server) -> None:
    metrics = source(prometheus)
    exporter.body = exposition(1000, 10)
    _seen(metrics, 1010)
    exporter.body = exposition(5, 1)
    assert _seen(metrics, 1016).slots["new"].errors == 11


@real
@pytest.mark.parametrize("router", ROUTERS)
def test_a_real_one_understands_the_query_for_each_router(prometheus: str, router: str) -> None:
    assert source(prometheus, router=router).sample().scraped


@real
def test_figures_of_recording_rules_are_read(prometheus: str, exporter: Server) -> None:
    del exporter
    mine = {
        "error_rate": 'vector(0.5) and on() launch_router_requests_total{slot="{{ slot }}",code="2xx"}',
        "latency_p99_ms": "vector(0) / 0",
    }
    metrics = source(prometheus, router=None, queries=mine)
    _until(lambda: len(metrics.sample().gauges) == 2)
    gauges = metrics.sample().gauges["new"]
    assert (gauges.error_rate, gauges.latency_p99_ms) == (0.5, None)


@real
def test_a_mistake_in_a_query_is_told_in_prometheus_words(prometheus: str) -> None:
    with pytest.raises(MetricsUnavailable, match=r"status 400: .*parse error"):
        source(prometheus, queries={"requests": "sum(up"}).sample()
