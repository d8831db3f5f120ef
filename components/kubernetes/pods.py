"""The pods of a slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from components.kubernetes import names
from components.kubernetes.probes import probes
from components.kubernetes.settings import SecuritySettings, SlotSettings
from components.platform import SlotSpec

CONTAINER = "app"
"""The name of the container that is the service."""


def template(
    spec: SlotSpec, slot: SlotSettings, *, sources: list[dict[str, dict[str, str]]], selector: Mapping[str, str]
) -> dict[str, Any]:
    """Return the pod template of a slot.

    Args:
        spec: the release.
        slot: how it is run.
        sources: the `envFrom` of its container.
        selector: the labels that tell its pods from all others.
    """
    mounts, volumes = _volumes(spec.service, slot)
    return {
        "metadata": {
            "labels": {**slot.labels, **names.of_slot(spec.service, spec.slot)},
            **({"annotations": dict(slot.annotations)} if slot.annotations else {}),
        },
        "spec": _without_empty(
            {
                "containers": [_container(spec, slot, sources, mounts)],
                "volumes": volumes,
                "securityContext": pod_security(slot.security),
                "serviceAccountName": slot.service_account,
                "automountServiceAccountToken": slot.mount_token,
                "imagePullSecrets": [{"name": name} for name in slot.image_pull_secrets],
                "terminationGracePeriodSeconds": slot.termination_grace,
                "topologySpreadConstraints": _spread(slot, selector),
                "nodeSelector": dict(slot.node_selector),
                "tolerations": [dict(toleration) for toleration in slot.tolerations],
                "priorityClassName": slot.priority_class,
            }
        ),
    }


def _container(
    spec: SlotSpec, slot: SlotSettings, sources: list[dict[str, dict[str, str]]], mounts: list[dict[str, Any]]
) -> dict[str, Any]:
    port = str(slot.port)
    return _without_empty(
        {
            "name": CONTAINER,
            "image": spec.artifact,
            "imagePullPolicy": "IfNotPresent",  # a digest never means anything else
            "command": [part.replace("${PORT}", port) for part in spec.command],
            "env": [] if "PORT" in spec.environment else [{"name": "PORT", "value": port}],
            "envFrom": sources,
            "ports": [{"name": slot.port_name, "containerPort": slot.port, "protocol": "TCP"}],
            "resources": {key: dict(value) for key, value in asdict(slot.resources).items() if value},
            **probes(spec.readiness, port=slot.port_name, liveness=slot.liveness),
            # Routers learn of a pod's end while it ends: it has to serve on until they have.
            "lifecycle": {"preStop": {"sleep": {"seconds": slot.drain}}} if slot.drain else None,
            "securityContext": container_security(slot.security),
            "volumeMounts": mounts,
        }
    )


def _volumes(service: str, slot: SlotSettings) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    mounts: list[dict[str, Any]] = []
    volumes: list[dict[str, Any]] = []
    if slot.flags_mount is not None:
        # A whole directory, since a single file of a ConfigMap is never brought up to date in a running pod.
        mounts.append({"name": "flags", "mountPath": slot.flags_mount, "readOnly": True})
        volumes.append({"name": "flags", "configMap": {"name": names.flags_name(service), "optional": True}})
    if slot.security.read_only:
        mounts.append({"name": "tmp", "mountPath": "/tmp"})  # noqa: S108
        volumes.append({"name": "tmp", "emptyDir": {}})
    return mounts, volumes


def pod_security(security: SecuritySettings) -> dict[str, Any]:
    """Return the `securityContext` of a pod."""
    return _without_empty(
        {
            "runAsNonRoot": security.non_root or None,
            "runAsUser": security.user,
            "runAsGroup": security.group,
            "fsGroup": security.fs_group,
            "seccompProfile": None if security.seccomp is None else {"type": security.seccomp},
        }
    )


def container_security(security: SecuritySettings) -> dict[str, Any]:
    """Return the `securityContext` of its container."""
    capabilities = _without_empty({"drop": list(security.drop), "add": list(security.add)})
    return _without_empty(
        {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": security.read_only,
            "capabilities": capabilities,
        }
    )


def _spread(slot: SlotSettings, selector: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "topologyKey": spread.key,
            "maxSkew": spread.max_skew,
            "whenUnsatisfiable": "DoNotSchedule" if spread.required else "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(selector)},
        }
        for spread in slot.spread
    ]


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing, as the API server's own answer would."""
    return {key: value for key, value in values.items() if value is not None and value not in ([], {}, "")}
