"""How the pods of a slot are: whether its Deployment is available, and what keeps it from being so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.kubernetes.client import ClusterUnavailable
from components.kubernetes.settings import KubernetesSettings

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_NOT_FOUND, _FORBIDDEN = 404, 403
_EVENTS = 10
_MESSAGE = 300

# What the kubelet says of a container that waits: the kind, and whether waiting is of no use.
_WAITING: Mapping[str, tuple[str, bool]] = {
    "CrashLoopBackOff": ("crash_loop", True),
    "ErrImagePull": ("image_pull", False),  # tried once; the registry may have been busy
    "ImagePullBackOff": ("image_pull", True),
    "ErrImageNeverPull": ("image_pull", True),
    "InvalidImageName": ("image_pull", True),
    "CreateContainerConfigError": ("configuration", True),
    "CreateContainerError": ("configuration", True),
    "RunContainerError": ("configuration", True),
}
_ORDER = ("image_pull", "configuration", "crash_loop", "quota", "create", "unschedulable", "progress", "paused")


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps pods from running.

    Attributes:
        kind: one of `image_pull`, `configuration`, `crash_loop`, `quota`, `create`, `unschedulable`, `progress`,
            `paused`.
        message: whom it is about and what the cluster says of it.
        lasting: whether it is of no use to wait.
    """

    kind: str
    message: str
    lasting: bool


@dataclass(frozen=True, slots=True)
class Health:
    """How a Deployment is.

    Attributes:
        wanted: pods there shall be.
        available: pods of this release that serve.
        complete: whether it is rolled out, with no other release's pod left.
        restarts: of all containers of its pods.
        problems: what is wrong, the worst first.
        events: the cluster's latest warnings about it and its pods, oldest first.
    """

    wanted: int
    available: int
    complete: bool
    restarts: int = 0
    problems: tuple[Problem, ...] = ()
    events: tuple[str, ...] = ()


class KubernetesRollout:
    """Looks after the slots of a service.

    Args:
        client: a client of the cluster, see `client.api`.
        settings: where the slots are.
        service: whose slots they are.
        deployment: of the slot, where it has a name of its own.
    """

    def __init__(
        self, client: ApiClient, settings: KubernetesSettings, service: str, *, deployment: str | None = None
    ) -> None:
        from kubernetes.client import AppsV1Api, CoreV1Api

        self._plain: Any = client.sanitize_for_serialization
        self._apps: Any = AppsV1Api(client)
        self._core: Any = CoreV1Api(client)
        self._namespace = settings.namespace
        self._service = service
        self._deployment = deployment

    def look(self, slot: str) -> Health:
        """Return how the pods of a slot are now.

        Raises:
            LookupError: there is no such Deployment.
            ClusterUnavailable: the cluster did not answer.
        """
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        name = self._deployment or f"{self._service}-{slot}"
        try:
            deployment = self._plain(self._apps.read_namespaced_deployment(name, self._namespace))
            labels = deployment["spec"]["selector"].get("matchLabels") or {}
            selector = ",".join(f"{key}={value}" for key, value in labels.items())
            pods = [
                self._plain(pod)
                for pod in self._core.list_namespaced_pod(self._namespace, label_selector=selector).items
            ]
            return assess(deployment, pods, self._warnings())
        except ApiException as error:
            if error.status == _NOT_FOUND:
                raise LookupError(f"the namespace {self._namespace!r} has no Deployment {name!r}") from error
            raise ClusterUnavailable(f"the cluster does not show it: {error.status} {error.reason}") from error
        except (HTTPError, OSError) as error:
            raise ClusterUnavailable(f"the cluster does not answer: {error}") from error

    def _warnings(self) -> list[dict[str, Any]]:
        from kubernetes.client import ApiException

        try:
            found = self._core.list_namespaced_event(self._namespace, field_selector="type=Warning", limit=500)
        except ApiException as error:
            if error.status == _FORBIDDEN:  # they would only explain what is known without them
                return []
            raise
        return [self._plain(event) for event in found.items]


def assess(
    deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], warnings: Sequence[Mapping[str, Any]] = ()
) -> Health:
    """Return how a Deployment is, from what the API server has of it.

    Args:
        deployment: the Deployment.
        pods: all that its selector finds.
        warnings: events of its namespace.
    """
    spec, status = deployment["spec"], deployment.get("status", {})
    mine = [pod for pod in pods if _of_this_release(pod, deployment) and "deletionTimestamp" not in pod["metadata"]]
    wanted = spec.get("replicas", 1)
    available = min(status.get("availableReplicas", 0), status.get("updatedReplicas", 0))
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    complete = (
        seen
        and status.get("updatedReplicas", 0) >= wanted
        and available >= wanted
        and status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and _condition(deployment, "Available").get("status") == "True"
    )
    problems = [*_of_deployment(deployment, seen=seen), *(problem for pod in mine for problem in _of_pod(pod))]
    problems.sort(key=lambda problem: (not problem.lasting, _ORDER.index(problem.kind)))
    return Health(
        wanted,
        available,
        complete,
        sum(container.get("restartCount", 0) for pod in mine for container in _containers(pod)),
        tuple(problems),
        tuple(_told(deployment["metadata"]["name"], [pod["metadata"]["name"] for pod in mine], warnings)),
    )


def _of_this_release(pod: Mapping[str, Any], deployment: Mapping[str, Any]) -> bool:
    template = deployment["spec"]["template"]["spec"]["containers"]
    images = {container["name"]: container["image"] for container in pod["spec"]["containers"]}
    return all(images.get(container["name"]) == container["image"] for container in template)


def _of_deployment(deployment: Mapping[str, Any], *, seen: bool) -> Iterator[Problem]:
    name = deployment["metadata"]["name"]
    if deployment["spec"].get("paused"):
        yield Problem("paused", f"the Deployment {name} is paused", lasting=True)
    failure = _condition(deployment, "ReplicaFailure")
    if failure.get("status") == "True":
        message = failure.get("message", "")
        kind = "quota" if "exceeded quota" in message else "create"
        yield Problem(kind, f"pods of {name} cannot be made: {_short(message)}", lasting=False)
    progress = _condition(deployment, "Progressing")
    if seen and progress.get("reason") == "ProgressDeadlineExceeded":
        yield Problem(
            "progress", f"the Deployment {name} made no progress: {_short(progress['message'])}", lasting=True
        )


def _of_pod(pod: Mapping[str, Any]) -> Iterator[Problem]:
    name = pod["metadata"]["name"]
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting") or {}
        if (known := _WAITING.get(waiting.get("reason", ""))) is None:
            continue
        kind, lasting = known
        told = f"pod {name}, container {container['name']}: {waiting['reason']}"
        if kind == "crash_loop":
            told += f" after {container.get('restartCount', 0)} restarts{_end(container)}"
        elif message := waiting.get("message"):
            told += f": {_short(message)}"
        yield Problem(kind, told, lasting)
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("reason") == "Unschedulable":
        yield Problem("unschedulable", f"pod {name} fits on no node: {_short(scheduled['message'])}", lasting=False)


def _end(container: Mapping[str, Any]) -> str:
    """Return how a container ended the last time."""
    ended = container.get("lastState", {}).get("terminated") or {}
    if not ended:
        return ""
    message = f", {_short(ended['message'])}" if ended.get("message") else ""
    return f" (last: {ended.get('reason') or 'ended'}, exit code {ended.get('exitCode', '?')}{message})"


def _told(name: str, pods: Sequence[str], warnings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the latest warnings about a Deployment, its ReplicaSets or its pods, each of them once."""
    found: dict[str, str] = {}
    for event in warnings:
        about = event.get("involvedObject", {})
        kind, whom = about.get("kind"), about.get("name", "")
        mine = (kind, whom) == ("Deployment", name) or (kind == "Pod" and whom in pods)
        if mine or (kind == "ReplicaSet" and whom.rpartition("-")[0] == name):
            when = _when(event)
            text = f"{kind} {whom}: {event.get('reason', 'Warning')}: {_short(event.get('message', ''))}"
            found[text] = max(when, found.get(text, ""))
    return sorted(found, key=lambda text: (found[text], text))[-_EVENTS:]


def _when(event: Mapping[str, Any]) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((time for time in times if time), ""))


def _containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _condition(thing: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        (each for each in thing.get("status", {}).get("conditions") or () if each["type"] == kind), {}
    )
    return found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MESSAGE else line[: _MESSAGE - 3] + "..."
