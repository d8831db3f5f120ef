"""Adopting what already runs: a Deployment and its Service become the first slot, untouched.

Both are imported into the deploy stack as they are, so that nothing of them changes: no pod is restarted, no address
moves, no request is lost. From then on they are the old slot of an ordinary launch: what there is to go back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.kubernetes import names
from components.kubernetes.client import ClusterUnavailable
from components.kubernetes.settings import AdoptSettings, KubernetesSettings
from components.platform import ADOPTED, PlatformError, SlotSpec

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_SERVERS_OWN = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "selfLink")
_NOBODYS = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
_PINNED = "@sha256:"


class CannotAdopt(PlatformError):
    """What is to be adopted is not there, or is not what a slot is; `str()` says what and why."""


@dataclass(frozen=True, slots=True)
class Running:
    """What runs, as the API server has it.

    Attributes:
        deployment: the Deployment.
        service: the Service.
        pods: the pods that the Service leads to.
    """

    deployment: Mapping[str, Any]
    service: Mapping[str, Any]
    pods: tuple[Mapping[str, Any], ...]


def look(client: ApiClient, settings: KubernetesSettings) -> Running:
    """Return what the settings name, asked of the cluster; nothing is changed.

    Raises:
        CannotAdopt: it is not there, or the settings name nothing.
        ClusterUnavailable: the cluster did not answer.
    """
    from kubernetes.client import ApiException, AppsV1Api, CoreV1Api
    from urllib3.exceptions import HTTPError

    wanted, namespace = _wanted(settings), settings.namespace
    plain: Any = client.sanitize_for_serialization
    core: Any = CoreV1Api(client)
    apps: Any = AppsV1Api(client)
    try:
        deployment = plain(apps.read_namespaced_deployment(wanted.deployment, namespace))
        service = plain(core.read_namespaced_service(wanted.service, namespace))
        selector = ",".join(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())
        pods = core.list_namespaced_pod(namespace, label_selector=selector).items if selector else []
    except ApiException as error:
        if error.status == 404:
            raise CannotAdopt(
                f"launch:kubernetes.adopt names the Deployment {wanted.deployment!r} and the Service"
                f" {wanted.service!r}, but the namespace {namespace!r} has not both: correct the names, or leave"
                " `adopt` out for a launch that starts from nothing"
            ) from error
        raise ClusterUnavailable(
            f"the cluster does not show what is to be adopted: {error.status} {error.reason}"
        ) from error
    except (HTTPError, OSError) as error:
        raise ClusterUnavailable(f"the cluster does not answer: {error}") from error
    return Running(deployment, service, tuple(plain(pod) for pod in pods))


def describe(settings: KubernetesSettings, running: Running, *, service: str, slot: str) -> SlotSpec:
    """Return what runs as a slot, to be registered like any other by `KubernetesPlatform.service`.

    Args:
        settings: what is to be adopted, and where.
        running: what was found there.
        service: the name of the service in launch.
        slot: the slot that it becomes.

    Raises:
        CannotAdopt: the Service does not lead to the pods of the Deployment, or they have no single image.
    """
    wanted = _wanted(settings)
    _belong_together(running, wanted)
    _apart_from_slots(running, wanted, names.of_slot(service, slot) | dict(settings.slot.labels))
    container = _container(running, wanted)
    image = str(container["image"])
    return SlotSpec(
        service=service,
        slot=slot,
        image=image,
        digest=_digest(running, container["name"], image),
        artifact=image,
        options={
            ADOPTED: {
                "deployment": _inputs(running.deployment),
                "service": _inputs(running.service),
                "port": int(running.service["spec"]["ports"][0]["port"]),
                "retire": wanted.retire,
            }
        },
    )


def _wanted(settings: KubernetesSettings) -> AdoptSettings:
    if settings.adopt is None:
        raise CannotAdopt("launch:kubernetes.adopt names nothing that could be adopted")
    return settings.adopt


def _belong_together(running: Running, wanted: AdoptSettings) -> None:
    selector = running.service["spec"].get("selector") or {}
    labels = running.deployment["spec"]["template"]["metadata"].get("labels") or {}
    if not selector or any(labels.get(key) != value for key, value in selector.items()):
        raise CannotAdopt(
            f"the Service {wanted.service!r} selects {selector or 'nothing'}, but the pods of the Deployment"
            f" {wanted.deployment!r} are labelled {labels}: name the Service that leads to them"
        )
    if not running.service["spec"].get("ports"):
        raise CannotAdopt(f"the Service {wanted.service!r} has no port that a route could lead to")
    others = {
        owner["name"]
        for pod in running.pods
        for owner in pod["metadata"].get("ownerReferences") or ()
        if owner.get("controller") and owner["name"].rpartition("-")[0] != wanted.deployment
    }
    if others:
        raise CannotAdopt(
            f"the Service {wanted.service!r} also leads to pods of {', '.join(sorted(others))}: users would be on more"
            f" than the Deployment {wanted.deployment!r}; make the Service's selector narrower first"
        )


def _apart_from_slots(running: Running, wanted: AdoptSettings, labels: Mapping[str, str]) -> None:
    """See to it that a new slot's pods get no users through the adopted Service, whatever the route says."""
    selectors = {
        f"Service {wanted.service!r}": running.service["spec"]["selector"],
        f"Deployment {wanted.deployment!r}": running.deployment["spec"]["selector"].get("matchLabels") or {},
    }
    for name, selector in selectors.items():
        if selector and all(labels.get(key) == value for key, value in selector.items()):
            raise CannotAdopt(
                f"the {name} selects {dict(selector)}, which the pods of new slots have too, so that it would lead"
                " users to a new version at once: give the service another name in launch (launch:service: {name: ...})"
            )


def _container(running: Running, wanted: AdoptSettings) -> Mapping[str, Any]:
    containers: list[Mapping[str, Any]] = running.deployment["spec"]["template"]["spec"]["containers"]
    by_name = {container["name"]: container for container in containers}
    if wanted.container is not None:
        if wanted.container not in by_name:
            raise CannotAdopt(
                f"the Deployment {wanted.deployment!r} has no container {wanted.container!r}; it has"
                f" {', '.join(sorted(by_name))}"
            )
        return by_name[wanted.container]
    target = running.service["spec"]["ports"][0].get("targetPort")
    for container in containers:
        ports = container.get("ports") or ()
        if any(target in (port.get("name"), port.get("containerPort")) for port in ports):
            return container
    if len(containers) > 1:
        raise CannotAdopt(
            f"the Deployment {wanted.deployment!r} has the containers {', '.join(sorted(by_name))}, and the Service's"
            " port does not tell which is the service: name it as launch:kubernetes.adopt.container"
        )
    return containers[0]


def _digest(running: Running, container: str, image: str) -> str:
    """Return the digest that the pods run; empty where neither they nor the image's name tell, or they differ."""
    if _PINNED in image:
        return "sha256:" + image.partition(_PINNED)[2]
    found = {
        "sha256:" + status["imageID"].rpartition("sha256:")[2]
        for pod in running.pods
        for status in (pod.get("status") or {}).get("containerStatuses") or ()
        if status["name"] == container and _PINNED in (status.get("imageID") or "")
    }
    return found.pop() if len(found) == 1 else ""


def _inputs(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return `metadata` and `spec` of a live object as what one would write to get it: the diff against it is empty."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in _SERVERS_OWN}
    annotations = {
        key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key not in _NOBODYS
    }
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": live["spec"]}
