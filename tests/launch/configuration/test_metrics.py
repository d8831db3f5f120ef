"""`launch:metrics`: what it may say, and what it asks for on which platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from launch.configuration.metrics import MetricsSettings
from phases.clock import SystemClock
from phases.metrics.base import SourceSettings
from phases.metrics.prometheus import PrometheusMetrics
from phases.metrics.registry import SOURCES

NAMES = {"service": "shop", "namespace": "prod"}
ADDRESS = "http://prometheus:9090"


def settings(**given: Any) -> MetricsSettings:  # noqa: ANN401
    return MetricsSettings.model_validate({"address": ADDRESS, **given}, context={"root": Path("/project")})


def source(made: MetricsSettings, router: str | None = "istio") -> SourceSettings:
    return made.to_source(slots=("blue", "green"), names=NAMES, router=router, clock=SystemClock())


def test_an_address_is_enough_where_the_platform_knows_its_router() -> None:
    made = source(settings())
    assert (made.router, made.slots, made.timeout) == ("istio", ("blue", "green"), 2)
    assert isinstance(SOURCES[settings().source](made), PrometheusMetrics)


def test_whose_names_they_are_can_be_said() -> None:
    assert source(settings(router="contour"), "gateway").router == "contour"


def test_a_gateway_must_be_told_whose_names_they_are() -> None:
    problem = settings().problem(names=NAMES, router="gateway")
    assert problem is not None
    assert "say whose they are with `router` (launch, istio, contour" in problem
    assert settings(router="pods").problem(names=NAMES, router="gateway") is None


def test_recording_rules_need_no_router() -> None:
    made = settings(queries={"error_rate": 'job:errors:rate{pod=~"{{ workload }}-.*"}'}, headers={"X-Scope-OrgID": "a"})
    assert source(made).router is None
    assert source(made).queries.keys() == {"error_rate"}
    assert source(made).headers == {"X-Scope-OrgID": "a"}
    assert made.problem(names=NAMES, router="gateway") is None


def test_a_query_that_names_what_is_not_there_is_found() -> None:
    made = settings(queries={"error_rate": "x{tenant='{{ tenant }}'}"})
    assert "{{ tenant }}, which there is not" in str(made.problem(names=NAMES, router="gateway"))


@pytest.mark.parametrize(
    "given",
    [
        {"address": "prometheus:9090"},
        {"router": "squid"},
        {"queries": {"request": "e"}},
        {"timeout": "0s"},
        {"source": "datadog"},
    ],
    ids=["address", "router", "query", "timeout", "source"],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**given)


def test_errors_among_nobody_knows_how_many_are_found() -> None:
    assert "among how many?" in str(settings(queries={"errors": "e"}).problem(names=NAMES, router="gateway"))


def test_a_token_is_not_shown() -> None:
    made = settings(headers={"Authorization": "Bearer s3cret"}, ca="certs/ca.pem")
    assert "s3cret" not in repr(made) + repr(source(made))
    assert made.ca == Path("/project/certs/ca.pem")
