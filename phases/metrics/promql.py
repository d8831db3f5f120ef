"""One query for everything that one sample needs, and its answer taken apart again.

The breaker may sample ten times a second, so all queries of all slots go in one round trip: each is given two labels,
and `or` joins them (https://prometheus.io/docs/prometheus/latest/querying/operators/#logical-set-binary-operators). All
are evaluated at one moment, which two requests would not be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from phases.errors import ConfigurationError
from phases.metrics.base import SourceSettings
from phases.metrics.routers import KINDS, ROUTERS

KIND = "launch_kind"
SLOT = "launch_slot"

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Series:
    """One series of the answer.

    Attributes:
        slot: whose it is.
        kind: one of `KINDS`.
        labels: its own labels.
        value: a number; NaN where Prometheus could not compute one.
    """

    slot: str
    kind: str
    labels: Mapping[str, str]
    value: float


def queries(settings: SourceSettings) -> dict[str, str]:
    """Return the queries that are asked for each slot, by kind, with their placeholders.

    Raises:
        ConfigurationError: a name is unknown, or nothing would be asked.
    """
    if settings.router is not None and settings.router not in ROUTERS:
        raise ConfigurationError(f"there is no router {settings.router!r}; there are {', '.join(ROUTERS)}")
    for kind in settings.queries:
        if kind not in KINDS:
            raise ConfigurationError(f"there is no query {kind!r}; there are {', '.join(KINDS)}")
    router = ROUTERS[settings.router] if settings.router is not None else None
    found = {kind: settings.queries.get(kind) or (router.of(kind) if router is not None else None) for kind in KINDS}
    asked = {kind: query for kind, query in found.items() if query}
    if not asked:
        raise ConfigurationError(f"Prometheus is asked nothing: name a router ({', '.join(ROUTERS)}), or give queries")
    for kind in ("errors", "latency"):
        if kind in asked and "requests" not in asked:
            raise ConfigurationError(f"a query for {kind} needs one for requests: among how many?")
    if "requests" in asked and not {"errors", "error_rate"} & asked.keys():
        raise ConfigurationError("a query for requests needs one for errors or error_rate, or nothing ever fails")
    return asked


def combined(settings: SourceSettings) -> str:
    """Return the one query for all slots.

    Raises:
        ConfigurationError: a query names something that there is not.
    """
    return "\nor ".join(
        f'label_replace(label_replace(\n{filled(query, slot, settings.names)}\n,"{KIND}","{kind}","",""),'
        f'"{SLOT}","{_quoted(slot)}","","")'
        for slot in settings.slots
        for kind, query in queries(settings).items()
    )


def filled(query: str, slot: str, names: Mapping[str, str]) -> str:
    """Return a query for one slot.

    Raises:
        ConfigurationError: it names something that there is not.
    """
    known = {**names, "slot": slot}
    if "service" in names:
        known["workload"] = f"{names['service']}-{slot}"

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in known:
            there = ", ".join(sorted(known))
            raise ConfigurationError(
                f"the query {query!r} names {{{{ {name} }}}}, which there is not; there are {there}"
            )
        return _quoted(known[name])

    return _PLACE.sub(value, query.strip())


def series(answer: Any) -> Iterator[Series]:  # noqa: ANN401
    """Return the series in the decoded answer of an instant query.

    Raises:
        ValueError: it is none.
        KeyError: likewise.
        TypeError: likewise.
    """
    data = answer["data"]
    if data["resultType"] != "vector":
        raise ValueError(f"the query gives a {data['resultType']}, not a vector")
    for one in data["result"]:
        if "value" not in one:
            raise ValueError("a query gives a native histogram; ask for `histogram_quantile` of it as latency_p99_ms")
        labels = dict(one["metric"])
        kind, slot = labels.pop(KIND), labels.pop(SLOT)
        value = float(one["value"][1])
        if kind in ("requests", "errors", "latency") and not 0 <= value < math.inf:
            raise ValueError(f"{kind} of slot {slot} is {value}, which is no count")
        if kind == "latency" and "le" not in labels:
            raise ValueError("the query for latency has no label `le`: it must give a histogram's buckets")
        yield Series(slot, kind, labels, value)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
