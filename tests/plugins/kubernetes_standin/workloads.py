"""When other objects are ready: StatefulSets, DaemonSets, Pods, claims, Ingresses, quotas."""

from __future__ import annotations

from collections.abc import Callable

from . import objects, pods
from .api import Api, ApiError, Unreachable
from .objects import Kind
from .values import Object


class StatusReadiness:
    """Knows when an object is ready by its own status.

    Args:
        test: whether a state is ready.
        why: what to say where it is not.
        details: what else is known about that.
    """

    tick = 10.0
    timed_out = "'{name}' timed out waiting to be Ready"

    def __init__(
        self, test: Callable[[Object], bool], why: str, details: Callable[[Object], list[str]] | None = None
    ) -> None:
        self._test = test
        self._why = why
        self._details = details

    def ready(self, live: Object) -> bool:
        """Whether it is."""
        return self._test(live)

    def progress(self, live: Object) -> list[tuple[str, str]]:
        """Return what is waited for."""
        del live
        return [("info", self._why)]

    def explain(self, live: Object) -> list[str]:
        """Say what is missing."""
        return [self._why, *(self._details(live) if self._details else [])]

    def good_enough(self, live: Object) -> bool:
        """Whether it counts as ready when the time is up."""
        del live
        return False


def _seen(live: Object) -> bool:
    return bool(objects.at(live, "metadata", "generation") == objects.at(live, "status", "observedGeneration"))


def _count(live: Object, name: str) -> int:
    return int(objects.at(live, "status", name) or 0)


def stateful_set_is_ready(live: Object) -> bool:
    """Whether all replicas are of the current revision and ready."""
    wanted = objects.at(live, "spec", "replicas")
    wanted = 1 if wanted is None else int(wanted)
    status = live.get("status") or {}
    same = status.get("currentRevision") == status.get("updateRevision")
    return _seen(live) and _count(live, "readyReplicas") >= wanted and (same or not wanted)


def daemon_set_is_ready(live: Object) -> bool:
    """Whether every node that should run it runs the new version."""
    wanted = _count(live, "desiredNumberScheduled")
    return _seen(live) and _count(live, "updatedNumberScheduled") >= wanted and _count(live, "numberReady") >= wanted


def pod_is_ready(live: Object) -> bool:
    """Whether it is ready, or has done its work."""
    done = objects.at(live, "status", "phase") == "Succeeded"
    return done or pods.condition(live, "Ready").get("status") == "True"


def quota_is_ready(live: Object) -> bool:
    """Whether the controller counts with it."""
    return bool(objects.at(live, "spec", "hard") == objects.at(live, "status", "hard"))


class ClaimReadiness(StatusReadiness):
    """Knows when a PersistentVolumeClaim is ready: bound, or pending where its first user binds it."""

    def __init__(self, api: Api) -> None:
        super().__init__(self._bound, "Waiting for the PersistentVolumeClaim to be bound")
        self._api = api

    def _bound(self, live: Object) -> bool:
        phase = objects.at(live, "status", "phase")
        if phase == "Bound":
            return True
        name = objects.at(live, "spec", "storageClassName")
        if not name:
            return False
        try:
            storage = self._api.get({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}, name)
        except (ApiError, Unreachable):
            return False
        return phase == "Pending" and storage.get("volumeBindingMode") == "WaitForFirstConsumer"


_NO_ADDRESS = (
    "Ingress .status.loadBalancer field was not updated with a hostname/IP address. "
    "\n    for more information about this error, see https://pulumi.io/xdv72s"
)


def ingress_is_ready(live: Object) -> bool:
    """Whether its controller has given it an address."""
    return bool(objects.at(live, "status", "loadBalancer", "ingress"))


def owned_pods(api: Api, live: Object) -> list[str]:
    """Return what is wrong with the pods of an object."""
    found = pods.owned(api, pods.POD, live, objects.at(live, "spec", "selector", "matchLabels"))
    return [text for pod in found for text in pods.problems(pod)]


def readiness(api: Api, kind: Kind) -> StatusReadiness | None:
    """Return what knows when an object of the kind is ready, or None where it is so at once."""
    match str(kind):
        case "apps/v1/StatefulSet":
            why = "Failed to observe the expected number of ready replicas"
            return StatusReadiness(stateful_set_is_ready, why, lambda live: owned_pods(api, live))
        case "apps/v1/DaemonSet":
            why = "Waiting for the pods of every node to be up to date and ready"
            return StatusReadiness(daemon_set_is_ready, why, lambda live: owned_pods(api, live))
        case "v1/Pod":
            return StatusReadiness(pod_is_ready, "Waiting for the Pod to be ready", pods.problems)
        case "v1/PersistentVolumeClaim":
            return ClaimReadiness(api)
        case "v1/ResourceQuota":
            return StatusReadiness(quota_is_ready, "Waiting for the quota to be counted")
        case "networking.k8s.io/v1/Ingress":
            return StatusReadiness(ingress_is_ready, _NO_ADDRESS)
        case _:
            return None
