"""All sources of metrics. A new one is one module, one test, and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from phases.metrics.base import MetricsSource, SourceSettings
from phases.metrics.prometheus import PrometheusMetrics
from phases.metrics.router import RouterMetrics

SOURCES: Final[dict[str, Callable[[SourceSettings], MetricsSource]]] = {
    "prometheus": PrometheusMetrics,
    "router": RouterMetrics.of,
}
"""By name."""
