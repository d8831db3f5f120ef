"""When a Deployment is ready: the new ReplicaSet is complete and the Deployment is available."""

from __future__ import annotations

from . import objects, pods
from .api import Api, ApiError, Unreachable
from .objects import Kind
from .values import Object

_REVISION = "deployment.kubernetes.io/revision"
_REPLICA_SET = Kind("apps/v1", "ReplicaSet")


class DeploymentReadiness:
    """Knows when a Deployment is ready.

    Args:
        api: where to look for its ReplicaSets, pods and volumes.
    """

    tick = 10.0
    timed_out = "'{name}' timed out waiting to be Ready"

    def __init__(self, api: Api) -> None:
        self._api = api
        self._said = ""

    def ready(self, live: Object) -> bool:
        """Whether the controller has seen it, it is available, and the ReplicaSet of its revision is complete."""
        if not _observed(live):
            return False
        revision = objects.annotation(live, _REVISION)
        if not revision or not self._available(live) or not (revision == "1" or self._progressed(live)):
            return False
        return self._complete(self._replica_set(live)) and not self._unbound(live)

    def _available(self, live: Object) -> bool:
        return pods.condition(live, "Available").get("status") == "True"

    def _progressed(self, live: Object) -> bool:
        state = pods.condition(live, "Progressing")
        return state.get("status") == "True" and state.get("reason") == "NewReplicaSetAvailable"

    def _replica_set(self, live: Object) -> Object | None:
        revision = objects.annotation(live, _REVISION)
        selector = objects.at(live, "spec", "selector", "matchLabels")
        for one in pods.owned(self._api, _REPLICA_SET, live, selector):
            if objects.annotation(one, _REVISION) == revision:
                return one
        return None

    def _complete(self, replica_set: Object | None) -> bool:
        if replica_set is None:
            return False
        wanted, have = _counts(replica_set)
        return have >= wanted

    def _unbound(self, live: Object) -> list[str]:
        volumes = objects.at(live, "spec", "template", "spec", "volumes") or []
        names = [one["persistentVolumeClaim"]["claimName"] for one in volumes if one.get("persistentVolumeClaim")]
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"namespace": objects.namespace_of(live)},
        }
        unbound = []
        for name in names:
            try:
                phase = objects.at(self._api.get(claim, name), "status", "phase")
            except (ApiError, Unreachable):
                continue  # the pods will say what is missing
            unbound += [name] if phase != "Bound" else []
        return unbound

    def progress(self, live: Object) -> list[tuple[str, str]]:
        """Return how many pods are there, and once that stays the same what keeps others."""
        replica_set = self._replica_set(live) if _observed(live) else None
        if replica_set is None:
            return []
        wanted, have = _counts(replica_set)
        text = f"Waiting for app ReplicaSet to be available ({have}/{wanted} Pods available)"
        same, self._said = text == self._said, text
        return [
            ("info", text),
            *(("warning", problem) for problem in (self._pod_problems(replica_set) if same else ())),
        ]

    def _pod_problems(self, replica_set: Object) -> list[str]:
        selector = objects.at(replica_set, "spec", "selector", "matchLabels")
        return [text for pod in pods.owned(self._api, pods.POD, replica_set, selector) for text in pods.problems(pod)]

    def explain(self, live: Object) -> list[str]:
        """Say what the conditions say, what was not reached, and what is wrong with the pods."""
        reasons = []
        for kind in ("Progressing", "Available"):
            state = pods.condition(live, kind)
            if state and state.get("status") != "True" and state.get("reason") and state.get("message"):
                reasons.append(f"[{state['reason']}] {state['message']}")
        if unbound := self._unbound(live):
            reasons.append(f'Failed to bind PersistentVolumeClaim(s): "{",".join(unbound)}"')
        replica_set = self._replica_set(live)
        if not self._available(live):
            reasons.append("Minimum number of live Pods was not attained")
        elif objects.annotation(live, _REVISION) != "1" and not self._progressed(live):
            reasons.append("Minimum number of Pods to consider the application live was not attained")
        elif not self._complete(replica_set):
            reasons.append(
                "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"
            )
        return reasons + (self._pod_problems(replica_set) if replica_set else [])

    def good_enough(self, live: Object) -> bool:
        """Whether it counts as ready when the time is up."""
        del live
        return False


def _observed(live: Object) -> bool:
    return bool(objects.at(live, "metadata", "generation") == objects.at(live, "status", "observedGeneration"))


def _counts(replica_set: Object) -> tuple[int, int]:
    wanted = objects.at(replica_set, "spec", "replicas")
    return (1 if wanted is None else int(wanted)), int(objects.at(replica_set, "status", "readyReplicas") or 0)
