"""The server that plays Prometheus answers launch's own source of metrics as scripted."""

from __future__ import annotations

import math

import pytest
import urllib3

from phases.metrics.base import MetricsUnavailable, SourceSettings
from phases.metrics.prometheus import PrometheusMetrics
from tests.cluster.scripted_prometheus import ScriptedPrometheus

pytestmark = pytest.mark.integration

_NAMES = {"service": "shop", "namespace": "test"}


def _source(prometheus: ScriptedPrometheus, *, timeout: float = 5.0, router: str = "istio") -> PrometheusMetrics:
    return PrometheusMetrics(
        SourceSettings(prometheus.url, slots=("blue", "green"), names=_NAMES, router=router, timeout=timeout)
    )


def test_a_slots_requests_are_counted_on(prometheus: ScriptedPrometheus) -> None:
    prometheus.latency_unit = "ms"
    green = prometheus.slot("green")
    source = _source(prometheus)
    source.sample()
    green.add(100, errors=7)
    found = source.sample().slots["green"]
    assert (found.requests, found.errors) == (100, 7)
    green.add(50)
    assert source.sample().slots["green"].requests == 150
    assert found.buckets[math.inf] == 100
    assert found.buckets[0.01] == 100


def test_counters_that_begin_again_are_no_negative_requests(prometheus: ScriptedPrometheus) -> None:
    green = prometheus.slot("green")
    source = _source(prometheus)
    green.add(100)
    source.sample()
    green.restart()
    green.add(20)
    assert source.sample().slots["green"].requests == 120


def test_traffic_grows_by_itself(prometheus: ScriptedPrometheus) -> None:
    prometheus.slot("blue").change(rate=1e9, error_share=0.5)
    source = _source(prometheus)
    first, second = source.sample().slots["blue"], source.sample().slots["blue"]
    assert second.requests > first.requests
    assert second.errors > first.errors


def test_an_answer_goes_before_a_slots_traffic(prometheus: ScriptedPrometheus) -> None:
    prometheus.slot("green").add(100)
    prometheus.answer('destination_service_name="shop-green",response_code', 3.0)
    found = _source(prometheus).sample().slots["green"]
    assert (found.requests, found.errors) == (100, 3)


def test_no_series_is_no_slot(prometheus: ScriptedPrometheus) -> None:
    assert not _source(prometheus).sample().slots


def test_failures_and_silence_are_outages_and_end(prometheus: ScriptedPrometheus) -> None:
    source = _source(prometheus, timeout=0.5)
    prometheus.fail(503, "overloaded")
    with pytest.raises(MetricsUnavailable, match="overloaded"):
        source.sample()
    prometheus.recover()
    prometheus.hang()
    with pytest.raises(MetricsUnavailable, match="in time"):
        source.sample()
    prometheus.recover()
    source.sample()


def test_it_says_that_it_is_ready_and_which(prometheus: ScriptedPrometheus) -> None:
    http = urllib3.PoolManager()
    assert http.request("GET", f"{prometheus.url}/-/ready").status == 200
    info = http.request("GET", f"{prometheus.url}/api/v1/status/buildinfo").json()
    assert info["data"]["version"].startswith("3.")
    http.clear()
