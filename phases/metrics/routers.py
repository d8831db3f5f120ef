"""The names under which routers count requests in Prometheus: router -> queries.

Each query is a plain selector, summed by the process that counts (`pod` and `instance`): a sum over all of them would
fall when one of several is replaced, and look like a restart of all. `{{ slot }}`, `{{ service }}`, `{{ namespace }}`
and `{{ workload }}` (`SERVICE-SLOT`, the slot's Deployment and Service) are filled in.

Sources of the names: https://istio.io/latest/docs/reference/config/metrics/,
https://kubernetes.github.io/ingress-nginx/user-guide/monitoring/,
https://doc.traefik.io/traefik/observability/metrics/overview/,
https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats (Contour names a
cluster `NAMESPACE_SERVICE_PORT`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

KINDS: Final = ("requests", "errors", "latency", "error_rate", "latency_p99_ms")
"""What a query may tell: three kinds of counters (`latency` are a histogram's buckets), and two finished figures."""


@dataclass(frozen=True, slots=True)
class RouterQueries:
    """How a router counts the requests of one slot."""

    requests: str
    errors: str
    """Those that the slot failed; 4xx is the user's mistake."""
    latency: str | None
    """Buckets of a histogram."""
    unit: Literal["s", "ms"] = "s"
    """Of the buckets' bounds."""

    def of(self, kind: str) -> str | None:
        """Return the query for one of `KINDS`."""
        return {"requests": self.requests, "errors": self.errors, "latency": self.latency}.get(kind)


def _counted(requests: str, errors: str, latency: str | None, unit: Literal["s", "ms"] = "s") -> RouterQueries:
    by = "sum by (pod, instance)"
    buckets = None if latency is None else f"sum by (pod, instance, le) ({latency})"
    return RouterQueries(f"{by} ({requests})", f"{by} ({errors})", buckets, unit)


def _labelled(
    name: str, selector: str, error: str, histogram: str | None, unit: Literal["s", "ms"] = "s"
) -> RouterQueries:
    buckets = None if histogram is None else f"{histogram}_bucket{{{selector}}}"
    return _counted(f"{name}{{{selector}}}", f"{name}{{{selector},{error}}}", buckets, unit)


def _nginx() -> RouterQueries:
    # A canary's requests carry the main Ingress' service, and their own only in `canary`: NAMESPACE-SERVICE-PORT.
    canary = 'namespace="{{ namespace }}",canary=~"{{ namespace }}-{{ workload }}-[^-]+"'
    main = 'namespace="{{ namespace }}",service="{{ workload }}",canary=""'

    def either(name: str, more: str = "") -> str:
        return f"{name}{{{canary}{more}}} or {name}{{{main}{more}}}"

    requests, duration = "nginx_ingress_controller_requests", "nginx_ingress_controller_request_duration_seconds_bucket"
    return _counted(either(requests), either(requests, ',status=~"5.."'), either(duration))


ROUTERS: Final[dict[str, RouterQueries]] = {
    # Our own router on the local platform, scraped.
    "launch": _labelled(
        "launch_router_requests_total",
        'slot="{{ slot }}"',
        'code=~"5xx|error"',
        "launch_router_request_duration_seconds",
    ),
    # Istio, by whoever sends: it knows also of requests that never reached the slot.
    "istio": _labelled(
        "istio_requests_total",
        'reporter="source",destination_service_namespace="{{ namespace }}",destination_service_name="{{ workload }}"',
        'response_code=~"5.."',
        "istio_request_duration_milliseconds",
        "ms",
    ),
    # Contour, with Gateway API or its own resources.
    "contour": _labelled(
        "envoy_cluster_upstream_rq",
        'envoy_cluster_name=~"{{ namespace }}_{{ workload }}_[0-9a-zA-Z-]+"',
        'envoy_response_code=~"5.."',
        "envoy_cluster_upstream_rq_time",
        "ms",
    ),
    "nginx": _nginx(),
    "traefik": _labelled(
        "traefik_service_requests_total",
        'service=~"{{ namespace }}-{{ workload }}-[^-]+@kubernetes.*"',
        'code=~"5.."',
        "traefik_service_request_duration_seconds",
    ),
    # What the service's own pods count with a client library; works behind every Gateway.
    "pods": _counted(
        'http_requests_total{namespace="{{ namespace }}",pod=~"{{ workload }}-[0-9a-z]+-[0-9a-z]+"}',
        'http_requests_total{namespace="{{ namespace }}",pod=~"{{ workload }}-[0-9a-z]+-[0-9a-z]+",status=~"5.."} or '
        'http_requests_total{namespace="{{ namespace }}",pod=~"{{ workload }}-[0-9a-z]+-[0-9a-z]+",code=~"5.."}',
        'http_request_duration_seconds_bucket{namespace="{{ namespace }}",pod=~"{{ workload }}-[0-9a-z]+-[0-9a-z]+"}',
    ),
}
"""By name; a new one is an entry here, and its text in the golden test."""
