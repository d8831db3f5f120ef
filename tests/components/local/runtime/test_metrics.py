"""What Prometheus reads of the router, and what its admin listener answers."""

from __future__ import annotations

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.local.runtime.admin import Admin
from components.local.runtime.proxy import Router
from components.local.runtime.routing import Backend, RouterConfig

CONFIG = RouterConfig.build(
    [Backend("blue", "http://127.0.0.1:8001", 90), Backend("green", "http://127.0.0.1:8002", 10)], None
)


class Recorder:
    """Keeps what is saved."""

    def __init__(self) -> None:
        self.saved: list[RouterConfig] = []

    def __call__(self, config: RouterConfig) -> None:
        self.saved.append(config)


@pytest.fixture
def router() -> Router:
    return Router(CONFIG)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def admin(router: Router, recorder: Recorder) -> Admin:
    return Admin(router, recorder)


def samples(admin: Admin) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    status, kind, text = admin.respond(b"GET", b"/metrics", b"")
    assert status == 200
    assert kind.startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_every_series_is_there_before_the_first_request(admin: Admin) -> None:
    """A counter that first appears with value 1 hides its first error from a rate."""
    found = samples(admin)
    for slot in ("blue", "green"):
        for code in ("1xx", "2xx", "3xx", "4xx", "5xx", "error", "client_closed"):
            assert found["launch_router_requests_total", (("code", code), ("slot", slot))] == 0
    assert found["launch_router_weight", (("slot", "blue"),)] == 90
    assert found["launch_router_in_flight", (("slot", "green"),)] == 0
    assert found["launch_router_unrouted_total", ()] == 0


def test_requests_are_counted_by_class_and_duration(router: Router, admin: Admin) -> None:
    blue = next(metrics for metrics in router.metrics() if metrics.slot == "blue")
    blue.count_status(201, 0.004)
    blue.count_status(503, 0.5)
    blue.count("error", 99)
    found = samples(admin)
    assert found["launch_router_requests_total", (("code", "2xx"), ("slot", "blue"))] == 1
    assert found["launch_router_requests_total", (("code", "5xx"), ("slot", "blue"))] == 1
    assert found["launch_router_requests_total", (("code", "error"), ("slot", "blue"))] == 1
    buckets = {
        labels[0][1]: value
        for (name, labels), value in found.items()
        if name == "launch_router_request_duration_seconds_bucket" and labels[1][1] == "blue"
    }
    assert (buckets["0.005"], buckets["0.4"], buckets["0.5"], buckets["10.0"], buckets["+Inf"]) == (1, 1, 2, 2, 3)
    assert found["launch_router_request_duration_seconds_count", (("slot", "blue"),)] == 3
    assert found["launch_router_request_duration_seconds_sum", (("slot", "blue"),)] == pytest.approx(99.504)


def test_new_weights_are_saved_and_then_in_force(router: Router, admin: Admin, recorder: Recorder) -> None:
    wanted = RouterConfig.build([Backend("green", "http://127.0.0.1:8002", 100)], None)
    status, _, body = admin.respond(b"PUT", b"/config", json.dumps(wanted.to_json()).encode())
    assert status == 200
    assert RouterConfig.from_json(json.loads(body)) == router.config == wanted
    assert recorder.saved == [wanted]
    assert admin.respond(b"GET", b"/config", b"")[2] == body
    found = samples(admin)
    assert found["launch_router_weight", (("slot", "blue"),)] == 0
    assert found["launch_router_weight", (("slot", "green"),)] == 100


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"backends": [{"slot": "a", "url": "http://h:1", "weight": 7}]}'])
def test_a_bad_configuration_changes_nothing(router: Router, admin: Admin, recorder: Recorder, body: bytes) -> None:
    status, _, text = admin.respond(b"PUT", b"/config", body)
    assert status == 400
    assert text.strip()
    assert router.config == CONFIG
    assert recorder.saved == []


def test_a_configuration_that_cannot_be_saved_is_not_in_force(router: Router) -> None:
    def full(config: RouterConfig) -> None:
        raise OSError(28, f"no space for {config}")

    with pytest.raises(OSError, match="no space"):
        Admin(router, full).respond(b"PUT", b"/config", b'{"backends": []}')
    assert router.config == CONFIG


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        (b"GET", b"/healthz", 200),
        (b"GET", b"/healthz?x", 200),
        (b"POST", b"/config", 405),
        (b"PUT", b"/metrics", 405),
        (b"GET", b"/", 404),
        (b"GET", b"/configs", 404),
    ],
)
def test_the_admin_listener_answers(admin: Admin, method: bytes, path: bytes, status: int) -> None:
    assert admin.respond(method, path, b"")[0] == status
