"""What Prometheus is asked for each router, word for word, and what its answers mean."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from phases.errors import ConfigurationError
from phases.metrics.base import MetricsUnavailable, Sample, SlotGauges, SourceSettings
from phases.metrics.prometheus import PrometheusMetrics
from phases.metrics.promql import combined
from phases.metrics.routers import KINDS, ROUTERS

ACCEPT = os.environ.get("LAUNCH_ACCEPT") == "1"  # read before the tests' environment is emptied
DATA = Path(__file__).parent / "data"
NAMES = {"service": "shop", "namespace": "prod"}


def settings(**changes: Any) -> SourceSettings:  # noqa: ANN401
    usual: dict[str, Any] = {"address": "http://prometheus:9090", "slots": ("green",), "names": NAMES}
    return SourceSettings(**{**usual, "router": "launch", **changes})


@pytest.mark.parametrize("router", ROUTERS)
def test_asks_each_router_in_its_own_words(router: str) -> None:
    """`LAUNCH_ACCEPT=1` writes the files anew; read what changed before it is committed."""
    path = DATA / f"{router}.promql"
    query = combined(settings(router=router, slots=("blue", "green"))) + "\n"
    if ACCEPT:
        path.write_text(query, encoding="utf-8")
    assert query == path.read_text(encoding="utf-8")


def test_the_guide_tells_of_each_router_and_each_query() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "metrics.md").read_text(encoding="utf-8")
    for router in ROUTERS:
        assert f"| `{router}` |" in guide
    for kind in KINDS:
        assert f"    {kind}: " in guide


def test_a_query_of_ones_own_goes_before_the_routers() -> None:
    query = combined(settings(queries={"errors": 'my_errors{pod=~"{{workload}}-.*"} # ours'}))
    assert 'my_errors{pod=~"shop-green-.*"} # ours\n,' in query
    assert "launch_router_requests_total" in query
    assert "5xx" not in query


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"router": "squid"}, "there is no router 'squid'; there are launch, istio"),
        ({"queries": {"request": "up"}}, "there is no query 'request'; there are requests, errors"),
        ({"router": None}, "Prometheus is asked nothing"),
        ({"router": None, "queries": {"errors": "e"}}, "errors needs one for requests"),
        ({"router": None, "queries": {"latency": "l"}}, "latency needs one for requests"),
        ({"router": None, "queries": {"requests": "r"}}, "needs one for errors or error_rate"),
        ({"queries": {"requests": "up{a='{{ tenant }}'}"}}, "{{ tenant }}, which there is not; there are namespace"),
    ],
    ids=["router", "query", "nothing", "errors alone", "latency alone", "requests alone", "placeholder"],
)
def test_what_cannot_be_asked_is_found_before_a_launch(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        PrometheusMetrics(settings(**changes))
    assert message in str(error.value)


def test_names_cannot_leave_their_quotes() -> None:
    query = combined(settings(router="pods", names={"service": 'a"} or vector(1) #', "namespace": "prod"}))
    assert 'a\\"} or vector(1)' in query


def vector(*series: tuple[str, str, dict[str, str], str]) -> dict[str, Any]:
    """An answer with series of (slot, kind, labels, value)."""
    result: list[dict[str, Any]] = []
    for slot, kind, labels, value in series:
        metric: dict[str, str] = {"launch_slot": slot, "launch_kind": kind, **labels}
        result.append({"metric": metric, "value": [1, value]})
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


class Story:
    """A Prometheus that answers what a test says."""

    def __init__(self, **changes: Any) -> None:  # noqa: ANN401
        self.source = PrometheusMetrics(settings(**changes))
        self.status = 200
        self.source._ask = lambda: (self.status, self.body)  # type: ignore[method-assign]
        self.body = b""

    def answer(self, *series: tuple[str, str, dict[str, str], str]) -> Sample:
        return self.raw(json.dumps(vector(*series)).encode())

    def raw(self, body: bytes, status: int = 200) -> Sample:
        self.body, self.status = body, status
        return self.source.sample()


A, B = {"pod": "a"}, {"pod": "b"}
END = ("green", "latency", {"le": "+Inf"}, "9")


def test_adds_up_what_several_processes_count() -> None:
    slots = (
        Story()
        .answer(
            ("green", "requests", A, "90"),
            ("green", "requests", B, "10"),
            ("green", "errors", B, "3"),
            ("green", "latency", {**A, "le": "0.5"}, "80"),
            ("green", "latency", {**A, "le": "+Inf"}, "90"),
            ("blue", "requests", A, "7"),
        )
        .slots
    )
    assert (slots["green"].requests, slots["green"].errors) == (100, 3)
    assert slots["green"].buckets == {0.5: 80, math.inf: 90}
    assert (slots["blue"].requests, slots["blue"].errors) == (7, 0)


def test_the_counters_are_as_old_as_their_scrape() -> None:
    assert Story().answer().scraped


def test_a_router_that_leaves_takes_nothing_back() -> None:
    """Its sum falls, which is no restart: nothing of what the others did before counts a second time."""
    story = Story()
    story.answer(("green", "requests", A, "5000"), ("green", "requests", B, "4000"))
    story.answer(("green", "requests", A, "5010"))
    slots = story.answer(("green", "requests", A, "5020"), ("green", "requests", B, "4001")).slots
    assert slots["green"].requests == 9000 + 20 + 1


def test_a_pod_that_started_anew_counts_from_zero() -> None:
    story = Story()
    story.answer(("green", "requests", A, "5000"), ("green", "errors", A, "50"), ("green", "requests", B, "100"))
    slots = story.answer(("green", "requests", A, "20"), ("green", "requests", B, "110")).slots
    assert (slots["green"].requests, slots["green"].errors) == (5100 + 20 + 10, 50)


def test_errors_that_are_missing_for_a_moment_are_no_restart() -> None:
    story = Story()
    story.answer(("green", "requests", A, "100"), ("green", "errors", A, "5"))
    story.answer(("green", "requests", A, "110"))
    slots = story.answer(("green", "requests", A, "120"), ("green", "errors", A, "6")).slots
    assert (slots["green"].requests, slots["green"].errors) == (120, 6)


def test_nothing_known_is_no_request_yet() -> None:
    assert Story().answer().slots == {}


def test_milliseconds_become_seconds() -> None:
    """Istio and Envoy measure in milliseconds."""
    slots = Story(router="istio").answer(("green", "latency", {"le": "250"}, "8"), END).slots
    assert slots["green"].buckets == {0.25: 8, math.inf: 9}


def test_the_unit_of_ones_own_query_is_ones_own() -> None:
    story = Story(router="istio", queries={"latency": "my_bucket"})
    slots = story.answer(("green", "latency", {"le": "2"}, "8"), END).slots
    assert slots["green"].buckets == {2: 8, math.inf: 9}


def test_half_a_histogram_is_an_outage() -> None:
    with pytest.raises(MetricsUnavailable, match="the histogram of slot green has no bucket"):
        Story().answer(("green", "latency", {"le": "2"}, "8"))


FIGURES = {"error_rate": "job:error_rate", "latency_p99_ms": "job:p99"}


def test_finished_figures_are_taken_as_they_are() -> None:
    sample = Story(router=None, queries=FIGURES).answer(
        ("green", "error_rate", {}, "0.03"), ("green", "latency_p99_ms", A, "120"), ("green", "latency_p99_ms", B, "90")
    )
    assert sample.gauges == {"green": SlotGauges(0.03, 120)}
    assert not sample.counted


def test_a_figure_of_nothing_is_none() -> None:
    """No request divided by no request is NaN."""
    assert Story(router=None, queries=FIGURES).answer(("green", "error_rate", {}, "NaN")).gauges == {}


def test_percents_are_not_taken_for_a_rate() -> None:
    with pytest.raises(MetricsUnavailable, match="error_rate gives 3, and it must be from 0 to 1"):
        Story(router=None, queries=FIGURES).answer(("green", "error_rate", {}, "3"))


BAD_QUERY = b'{"status":"error","errorType":"bad_data","error":"1:3: parse error: unexpected <op:*>"}'


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, BAD_QUERY, "status 400: 1:3: parse error"),
        (200, b"<html>log in</html>", "no vector of counts"),
        (401, b"<html>log in</html>", "status 401; the token is missing or wrong"),
        (503, b"", "status 503"),
        (200, b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}', "gives a scalar"),
        (200, b"[]", "no vector of counts"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}', "native histogram"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}', "KIND"),
    ],
    ids=["bad query", "html", "no token", "down", "scalar", "list", "native", "foreign"],
)
def test_what_is_no_answer_is_an_outage(status: int, body: bytes, message: str) -> None:
    with pytest.raises(MetricsUnavailable) as error:
        Story().raw(body, status)
    assert message.replace("KIND", "launch_kind") in str(error.value)
    assert "Prometheus at http://prometheus:9090" in str(error.value)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1"])
def test_what_is_no_count_is_an_outage(value: str) -> None:
    with pytest.raises(MetricsUnavailable, match="no count"):
        Story().answer(("green", "requests", A, value))


def test_a_token_is_never_shown() -> None:
    made = settings(address="https://anna:hunter2@prometheus/p/", headers={"Authorization": "Bearer s3cret"})
    assert "s3cret" not in repr(made)
    source = PrometheusMetrics(made)
    source._ask = lambda: (500, b"")  # type: ignore[method-assign]
    with pytest.raises(MetricsUnavailable) as error:
        source.sample()
    assert str(error.value) == "Prometheus at https://prometheus/p answers with status 500"
