"""Where the breaker reads the users' experience: `launch:metrics` in `Pulumi.ENV.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from phases.clock import Clock, SystemClock
from phases.durations import Duration
from phases.errors import ConfigurationError
from phases.metrics.base import SourceSettings
from phases.metrics.promql import combined, queries
from phases.metrics.routers import ROUTERS
from phases.model import Settings

COUNTED_AS: Final[Mapping[str, str]] = {"local": "launch", "nginx": "nginx", "istio": "istio", "traefik": "traefik"}
"""How the router of a platform counts, by its kind. Each implementation of the Gateway API counts in its own way."""


def _file(path: Path, info: ValidationInfo) -> Path:
    root = (info.context or {}).get("root")
    return path if root is None or path.is_absolute() else Path(root) / path


Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class MetricsQueries(Settings):
    """PromQL for one slot. `{{ slot }}`, `{{ service }}`, `{{ namespace }}` and `{{ workload }}` are filled in."""

    requests: Query | None = None
    """Counter of requests, one series a counting process: `sum by (pod, instance) (...)`, without `rate`."""
    errors: Query | None = None
    """Counter of those that the slot failed."""
    latency: Query | None = None
    """Buckets of a histogram of durations, with the label `le`."""
    error_rate: Query | None = None
    """A finished error rate, 0 to 1, such as a recording rule's; goes before the counters."""
    latency_p99_ms: Query | None = None
    """A finished 99th percentile in milliseconds; goes before the buckets."""


class MetricsSettings(Settings):
    """Where the breaker reads what users meet; without it, at the router of the local platform."""

    source: Literal["prometheus"] = "prometheus"
    """What answers; also whatever speaks Prometheus' API."""
    address: str = Field(
        pattern="^https?://[^/]", json_schema_extra={"patternErrorMessage": "a URL such as http://prometheus:9090"}
    )
    """Its URL, without `/api/v1`."""
    router: str | None = Field(default=None, json_schema_extra={"enum": [*ROUTERS, None]})
    """Whose names the metrics have; without it, those of the platform's router."""
    queries: MetricsQueries = MetricsQueries()
    """Queries that go before the router's."""
    latency_unit: Literal["s", "ms"] | None = None
    """Unit of the bounds of the buckets that `queries.latency` gives; without it, seconds."""
    headers: Mapping[str, str] = Field(default_factory=dict, repr=False)
    """Headers of every request, such as `Authorization`; the values may be secret."""
    ca: Annotated[Path, AfterValidator(_file), PlainSerializer(str, return_type=str)] | None = None
    """File with the certificates to trust instead of the system's."""
    timeout: Duration = Field(default=2.0, gt=0)
    """Limit of one answer; a later one counts as an outage."""

    @field_validator("router")
    @classmethod
    def _known(cls, router: str | None) -> str | None:
        if router is not None and router not in ROUTERS:
            raise ValueError(f"it must be one of {', '.join(ROUTERS)}")
        return router

    def to_source(
        self, *, slots: tuple[str, ...], names: Mapping[str, str], router: str | None, clock: Clock
    ) -> SourceSettings:
        """Return what the source is made from.

        Args:
            slots: whose metrics are wanted.
            names: what queries may name: `service`, and `namespace` where there is one.
            router: the kind of the platform's router, `local` on the local platform; None: unknown.
            clock: dates the samples.
        """
        chosen = self.router
        given = {name: query for name in MetricsQueries.model_fields if (query := getattr(self.queries, name))}
        if chosen is None and router is not None and not {"requests", "error_rate"} & given.keys():
            chosen = COUNTED_AS.get(router)
        return SourceSettings(
            self.address,
            slots=slots,
            names=names,
            router=chosen,
            queries=given,
            latency_unit=self.latency_unit,
            headers=dict(self.headers),
            ca=self.ca,
            timeout=self.timeout,
            clock=clock,
        )

    def problem(self, *, names: Mapping[str, str], router: str | None) -> str | None:
        """Return why nothing can be asked with these settings on a platform, None where it can."""
        source = self.to_source(slots=("blue",), names=names, router=router, clock=SystemClock())
        if not source.queries and source.router is None:
            return (
                f"every implementation of the Gateway API names its metrics in its own way: say whose they are with "
                f"`router` ({', '.join(ROUTERS)}), or give `queries`"
            )
        try:
            queries(source)
            combined(source)
        except ConfigurationError as error:
            return str(error)
        return None
