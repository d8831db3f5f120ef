"""The objects of a slot, as the API has them, but for the pods themselves."""

from __future__ import annotations

import math
from typing import Any

from components.kubernetes import names, pods
from components.kubernetes.release_config import ReleaseConfig
from components.kubernetes.settings import SlotSettings
from components.platform import SlotSpec

_WITHOUT_READINESS = 600
"""Seconds that a slot without a readiness check may take to run."""


def metadata(
    spec: SlotSpec,
    slot: SlotSettings,
    namespace: str,
    *,
    name: str | None = None,
    annotations: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Return the metadata of an object of a slot."""
    return {
        "name": name or spec.name,
        "namespace": namespace,
        "labels": {**slot.labels, **names.of_slot(spec.service, spec.slot)},
        "annotations": names.merged(slot.annotations, names.PATCH_FORCE, annotations or {}),
    }


def waiting(spec: SlotSpec) -> int:
    """Return how many seconds the slot has to become available."""
    return _WITHOUT_READINESS if spec.readiness is None else max(1, math.ceil(spec.readiness.timeout))


def deployment(spec: SlotSpec, slot: SlotSettings, config: ReleaseConfig) -> dict[str, Any]:
    """Return the `spec` of the Deployment.

    Raises:
        ValueError: the image is not named by its digest, or its readiness cannot be asked.
    """
    if "@sha256:" not in spec.artifact:
        raise ValueError(f"a slot runs an image by its digest, NAME@sha256:..., not {spec.artifact!r}")
    selector = names.selector(spec.service, spec.slot)
    found: dict[str, Any] = {
        "selector": {"matchLabels": selector},
        # Each slot is a Deployment of its own; this only matters where one is made anew in a slot that is still up.
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": slot.max_surge},
        },
        "progressDeadlineSeconds": slot.progress_deadline or waiting(spec),
        "revisionHistoryLimit": 2,
        "template": pods.template(spec, slot, sources=config.sources, selector=selector),
    }
    if slot.autoscaling is None:  # else the number of pods is the autoscaler's
        found["replicas"] = slot.replicas
    return found


def service(spec: SlotSpec, slot: SlotSettings) -> dict[str, Any]:
    """Return the `spec` of the Service."""
    port = {"name": slot.port_name, "port": slot.service_port, "targetPort": slot.port_name, "protocol": "TCP"}
    if slot.app_protocol is not None:
        port["appProtocol"] = slot.app_protocol
    return {"type": "ClusterIP", "selector": names.selector(spec.service, spec.slot), "ports": [port]}


def disruption_budget(spec: SlotSpec, slot: SlotSettings) -> dict[str, Any] | None:
    """Return the `spec` of the PodDisruptionBudget; None where it would only keep nodes from being drained."""
    pods_at_least = slot.replicas if slot.autoscaling is None else slot.autoscaling.minimum
    if slot.min_available is None or pods_at_least < 2:
        return None
    return {
        "selector": {"matchLabels": names.selector(spec.service, spec.slot)},
        "minAvailable": slot.min_available,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",  # a crash-looping pod holds up no node
    }


def autoscaler(spec: SlotSpec, slot: SlotSettings) -> dict[str, Any] | None:
    """Return the `spec` of the HorizontalPodAutoscaler; None where the number of pods is fixed."""
    scaling = slot.autoscaling
    if scaling is None:
        return None
    targets = {"cpu": scaling.cpu, "memory": scaling.memory}
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": spec.name},
        "minReplicas": scaling.minimum,
        "maxReplicas": scaling.maximum,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}},
            }
            for name, percent in targets.items()
            if percent is not None
        ],
    }
