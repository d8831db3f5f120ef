"""When a Service is ready: its endpoints have been quiet for ten seconds and none of them is pending."""

from __future__ import annotations

import time
from collections.abc import Callable

from . import objects
from .api import Api, ApiError, Unreachable
from .values import Object

_SETTLED = 10.0
_NO_PODS = (
    "Service does not target any Pods. Selected Pods may not be ready, or "
    "field '.spec.selector' may not match labels on any Pods"
)


class ServiceReadiness:
    """Knows when a Service is ready.

    Args:
        api: where to look for its endpoints.
        settle: seconds that each change of the endpoints is given; none for a look at how things are.
        clock: monotonic, in seconds.
    """

    tick = 1.0
    timed_out = "'{name}' timed out waiting to be Ready"

    def __init__(self, api: Api, *, settle: float = _SETTLED, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._settle = settle
        self._clock = clock
        self._version = ""
        self._changes: list[float] = []
        self._some_ready = False
        self._pending = False

    def ready(self, live: Object) -> bool:
        """Whether it is: at once where it selects no pods, else when its endpoints have settled."""
        if not _selects(live):
            return self._reachable(live)
        self._look(live)
        return self._reachable(live) and self._settled() and not self._pending

    def _look(self, live: Object) -> None:
        same = {"metadata": {"namespace": objects.namespace_of(live)}}
        try:
            found = self._api.get({"apiVersion": "v1", "kind": "Endpoints", **same}, objects.object_name(live))
        except (ApiError, Unreachable):
            return  # there are none yet
        version = str(objects.at(found, "metadata", "resourceVersion"))
        if version != self._version:
            self._version = version
            self._changes.append(self._clock())
        subsets = found.get("subsets") or []
        self._some_ready = any(subset.get("addresses") for subset in subsets)
        self._pending = any(subset.get("notReadyAddresses") for subset in subsets)

    def _settled(self) -> bool:
        if not self._changes:
            return not self._settle
        # Every change is given its time anew; settled is from when one of those times ends to the next change.
        ends = [change + self._settle for change in self._changes]
        return any(self._changes[-1] <= end <= self._clock() for end in ends)

    def _reachable(self, live: Object) -> bool:
        if objects.at(live, "spec", "type") != "LoadBalancer":
            return True
        return bool(objects.at(live, "status", "loadBalancer", "ingress"))

    def progress(self, live: Object) -> list[tuple[str, str]]:
        """Return what is waited for."""
        if self._some_ready and not self._reachable(live):
            return [("info", "[2/3] Attempting to allocate IP address to Service")]
        return [("info", "[1/3] Finding Pods to direct traffic to")]

    def explain(self, live: Object) -> list[str]:
        """Say what is missing."""
        if objects.at(live, "spec", "clusterIP") == "None" or objects.at(live, "spec", "type") == "ExternalName":
            return []
        reasons = [] if self._some_ready else [_NO_PODS]
        if not self._reachable(live):
            reasons.append("Service was not allocated an IP address; does your cloud provider support this?")
        return reasons

    def good_enough(self, live: Object) -> bool:
        """Whether no endpoint is pending, however recent that is."""
        return self._reachable(live) and not self._pending


def _selects(live: Object) -> bool:
    spec = live.get("spec") or {}
    return bool(spec.get("selector")) and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName"
