"""Sources of metrics by name."""

from __future__ import annotations

from phases.metrics.base import SourceSettings
from phases.metrics.prometheus import PrometheusMetrics
from phases.metrics.registry import SOURCES
from phases.metrics.router import RouterMetrics


def test_the_routers_metrics_are_there() -> None:
    assert isinstance(SOURCES["router"](SourceSettings("http://127.0.0.1:1")), RouterMetrics)


def test_any_prometheus_is_there() -> None:
    settings = SourceSettings("http://127.0.0.1:1", slots=("new",), router="launch")
    assert isinstance(SOURCES["prometheus"](settings), PrometheusMetrics)
