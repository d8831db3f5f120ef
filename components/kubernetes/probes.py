"""When a pod counts as started, as ready and as alive."""

from __future__ import annotations

import math
from typing import Any

from components.platform import ReadinessSpec

_SUCCESS = range(200, 400)
"""What a kubelet takes for success; it cannot be told another."""


def probes(readiness: ReadinessSpec | None, *, port: str, liveness: str | None) -> dict[str, Any]:
    """Return the probes of a container.

    The startup probe gives the process the readiness timeout to answer for the first time; only then the others begin.
    The liveness probe asks less and more patiently than the readiness probe: a service whose database is away should
    get no users, but restarting it helps nobody.

    Raises:
        ValueError: a status is asked for that Kubernetes counts as a failure.
    """
    if readiness is None:
        return {"livenessProbe": _alive(liveness, port)}
    if readiness.status not in _SUCCESS:
        raise ValueError(
            f"service.readiness.status is {readiness.status}, but Kubernetes takes only 200 to 399 for ready:"
            " ask a path that answers one of these"
        )
    period = max(1, math.ceil(readiness.interval))
    get = {"path": readiness.path, "port": port}
    return {
        "startupProbe": {
            "httpGet": get,
            "periodSeconds": period,
            "failureThreshold": max(1, math.ceil(readiness.timeout / period)),
        },
        "readinessProbe": {"httpGet": get, "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": 3},
        "livenessProbe": _alive(liveness, port),
    }


def _alive(path: str | None, port: str) -> dict[str, Any]:
    how = {"tcpSocket": {"port": port}} if path is None else {"httpGet": {"path": path, "port": port}}
    return {**how, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3}
