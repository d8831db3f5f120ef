"""Which properties cannot be changed in place, so that a change of them replaces the object.

The same ones as the real plugin has: https://github.com/pulumi/pulumi-kubernetes (provider, force-new properties).
`[*]` stands for any position of a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import objects
from .values import Object

_IDENTITY = ("metadata.name", "metadata.namespace")
_SELECTOR = ("spec.selector",)
_JOB = ("spec.completions", "spec.parallelism", "spec.selector", "spec.template")
_ROLE_BINDING = ("roleRef",)
_CLAIM = ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName")
_STATEFUL_SET = (
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
)
_CONTAINER_FIELDS = (
    *("args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe"),
    *(
        "resources",
        "securityContext",
        "stdin",
        "stdinOnce",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
    ),
    *("volumeDevices", "volumeMounts", "workingDir"),
)
_POD_FIELDS = (
    *("affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases"),
    *("hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead"),
    *("preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName"),
    *("schedulerName", "securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace"),
    *("subdomain", "terminationGracePeriodSeconds", "volumes"),
)
_POD = (
    *(f"spec.{name}" for name in _POD_FIELDS),
    *(f"spec.{group}[*].{name}" for group in ("containers", "initContainers") for name in _CONTAINER_FIELDS),
)

_OF_KIND: dict[str, tuple[str, ...]] = {
    "apps/v1/DaemonSet": _SELECTOR,
    "apps/v1/Deployment": _SELECTOR,
    "apps/v1/StatefulSet": _STATEFUL_SET,
    "batch/v1/Job": _JOB,
    "policy/v1beta1/PodDisruptionBudget": ("spec",),
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": _ROLE_BINDING,
    "rbac.authorization.k8s.io/v1/RoleBinding": _ROLE_BINDING,
    "storage.k8s.io/v1/StorageClass": ("parameters", "provisioner"),
    "v1/PersistentVolumeClaim": _CLAIM,
    "v1/Pod": _POD,
    "v1/ResourceQuota": ("spec.scopes",),
    "v1/Secret": ("type",),
    "v1/Service": ("spec.clusterIP",),
}


def immutable_paths(
    obj: Object, *, patch: bool = False, config_map_mutable: bool = False, secret_mutable: bool = False
) -> tuple[str, ...]:
    """Return the paths of an object's immutable properties.

    Args:
        obj: the new inputs.
        patch: whether the resource only patches the object: then only its identity counts.
        config_map_mutable: whether the provider may change the data of ConfigMaps in place.
        secret_mutable: the same of Secrets.
    """
    if patch:
        return _IDENTITY
    kind = str(objects.kind_of(obj))
    fixed = obj.get("immutable") is True
    if kind == "v1/Secret" and (fixed or not secret_mutable):
        return (*_IDENTITY, "type", "stringData", "data")
    if kind == "v1/ConfigMap" and (fixed or not config_map_mutable):
        return (*_IDENTITY, "binaryData", "data")
    return (*_IDENTITY, *_OF_KIND.get(kind, ()))


def replaces(path: tuple[str | int, ...], value: Any, immutable: Iterable[str]) -> bool:  # noqa: ANN401
    """Whether a change replaces the object: it is within an immutable property, or brings or takes one along.

    Args:
        path: of the property that changes.
        value: its new value, or None where it is deleted.
        immutable: the paths of the immutable properties.
    """
    return any(_touches(path, value, _steps(text)) for text in immutable)


def _steps(text: str) -> tuple[str, ...]:
    return tuple(text.replace("[*]", ".*").split("."))


def _touches(path: tuple[str | int, ...], value: Any, steps: tuple[str, ...]) -> bool:  # noqa: ANN401
    for have, want in zip(path, steps, strict=False):
        if want != "*" and have != want:
            return False
    return len(path) >= len(steps) or _holds(value, steps[len(path) :])


def _holds(value: Any, steps: tuple[str, ...]) -> bool:  # noqa: ANN401
    if not steps:
        return True
    if steps[0] == "*":
        return isinstance(value, list) and any(_holds(item, steps[1:]) for item in value)
    return isinstance(value, dict) and steps[0] in value and _holds(value[steps[0]], steps[1:])
