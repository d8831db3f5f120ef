"""The metrics of any router, read from Prometheus or what speaks its API (Thanos, Mimir, VictoriaMetrics).

One instant query a sample (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries), on a
connection that is kept.
"""

from __future__ import annotations

import json
import logging
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit

from phases.clock import Clock
from phases.durations import show
from phases.metrics.base import MetricsUnavailable, Sample, SlotGauges, SourceSettings
from phases.metrics.growth import Growth
from phases.metrics.promql import Series, combined, queries, series
from phases.metrics.routers import ROUTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urllib3 import BaseHTTPResponse, PoolManager

logger = logging.getLogger(__name__)

_OK = 200
_LONG = 6000
"""Bytes of a query beyond which it is sent as a form: proxies refuse URLs much longer than that."""
_LIMIT = 8 * 1024 * 1024
_CHUNK = 64 * 1024
_SHOWN = 300


class PrometheusMetrics:
    """Reads the counters of every slot from a Prometheus.

    Args:
        settings: where it is and what to ask; see `phases/metrics/routers.py` for the queries there are.

    Raises:
        ConfigurationError: the queries cannot be asked.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._url, self._shown, self._headers = _address(settings)
        self._clock: Clock = settings.clock
        self._query = combined(settings)
        asked = queries(settings)
        self._counted = "requests" in asked
        unit = settings.latency_unit
        if unit is None and settings.router is not None and "latency" not in settings.queries:
            unit = ROUTERS[settings.router].unit
        self._unit = 0.001 if unit == "ms" else 1.0
        self._growth = Growth()
        self._pool: PoolManager | None = None
        self._silent = False

    @property
    def query(self) -> str:
        """Return what is asked, for a person who wants to ask it too."""
        return self._query

    def sample(self) -> Sample:
        """Ask for the counters of every slot.

        Raises:
            MetricsUnavailable: Prometheus does not answer, or with something that is no count.
        """
        if not self._query:
            return Sample(self._clock.monotonic(), {}, counted=self._counted, scraped=True)
        status, body = self._ask()
        at = self._clock.monotonic()
        try:
            answer = json.loads(body)
            if status != _OK or answer["status"] != "success":
                raise MetricsUnavailable(f"{self._shown} answers with status {status}: {answer['error'][:_SHOWN]}")
            found = tuple(series(answer))
            slots = self._growth.add(found, unit=self._unit)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            hint = "; the token is missing or wrong" if status in (401, 403) else ""
            what = f"status {status}{hint}" if status != _OK else f"what is no vector of counts: {error}"
            raise MetricsUnavailable(f"{self._shown} answers with {what}") from error
        self._notice(answer, found)
        return Sample(at, slots, _gauges(found, self._shown), self._counted, scraped=True)

    def _notice(self, answer: Any, found: Sequence[Series]) -> None:  # noqa: ANN401
        for warning in answer.get("warnings") or ():
            logger.warning("%s: %s", self._shown, warning)
        if not found and not self._silent:
            logger.info("%s knows no series for %s:\n%s", self._shown, ", ".join(self._settings.slots), self._query)
        self._silent = not found

    def _ask(self) -> tuple[int, bytes]:
        from urllib3.exceptions import HTTPError, ProtocolError

        from phases.http import explain

        deadline = self._clock.monotonic() + self._settings.timeout
        try:
            try:
                return self._read(deadline)
            except ProtocolError:
                # A kept connection may be closed by the other side in the very moment it is used again.
                return self._read(deadline)
        except (HTTPError, OSError) as error:
            reason = explain(error)
            late = f" ({show(self._settings.timeout)})" if "in time" in reason else ""
            raise MetricsUnavailable(f"{self._shown} cannot be read: {reason}{late}") from error

    def _read(self, deadline: float) -> tuple[int, bytes]:
        import urllib3

        if self._pool is None:
            ca = self._settings.ca
            self._pool = urllib3.PoolManager(maxsize=1, ca_certs=str(ca) if ca is not None else None)
        left = max(deadline - self._clock.monotonic(), 0.001)
        form = urlencode({"query": self._query, "timeout": f"{self._settings.timeout:g}"})
        long = len(form) > _LONG
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"} if long else self._headers
        response = self._pool.request(
            "POST" if long else "GET",
            self._url if long else f"{self._url}?{form}",
            body=form if long else None,
            headers=headers,
            timeout=urllib3.Timeout(total=left),
            retries=False,
            preload_content=False,
        )
        return response.status, self._body(response, deadline)

    def _body(self, response: BaseHTTPResponse, deadline: float) -> bytes:
        """Return the whole body; socket timeouts bound each read, not all of them."""
        parts: list[bytes] = []
        size = 0
        while chunk := response.read1(_CHUNK):
            parts.append(chunk)
            size += len(chunk)
            if self._clock.monotonic() >= deadline or size > _LIMIT:
                response.close()
                if size > _LIMIT:
                    raise MetricsUnavailable(f"{self._shown} answers with more than {_LIMIT >> 20} MiB: ask for less")
                raise TimeoutError
        response.release_conn()
        return b"".join(parts)


def _gauges(found: Sequence[Series], where: str) -> dict[str, SlotGauges]:
    """Return the finished figures; NaN is none, and of several the worst counts."""
    figures: dict[str, dict[str, float]] = {}
    for one in found:
        if one.kind not in ("error_rate", "latency_p99_ms") or math.isnan(one.value):
            continue
        if one.value < 0 or (one.kind == "error_rate" and one.value > 1):
            right = "it must be from 0 to 1" if one.kind == "error_rate" else "it must not be negative"
            raise MetricsUnavailable(f"{where}: the query for {one.kind} gives {one.value:g}, and {right}")
        mine = figures.setdefault(one.slot, {})
        mine[one.kind] = max(one.value, mine.get(one.kind, 0.0))
    return {slot: SlotGauges(**mine) for slot, mine in figures.items()}


def _address(settings: SourceSettings) -> tuple[str, str, dict[str, str]]:
    """Return the URL to ask, the address to show, and the headers: a password in the URL becomes one of them."""
    from urllib3.util import make_headers

    parts = urlsplit(settings.address)
    headers = dict(settings.headers)
    host = parts.netloc.rpartition("@")[2]
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = {**make_headers(basic_auth=user), **headers}
    shown = f"{parts.scheme}://{host}{parts.path}".rstrip("/")
    return f"{shown}/api/v1/query", f"Prometheus at {shown}", headers
