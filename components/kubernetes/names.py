"""Names and labels of what the platform makes."""

from __future__ import annotations

from collections.abc import Mapping

NAME = "app.kubernetes.io/name"
MANAGED_BY = "app.kubernetes.io/managed-by"
SLOT = "launch.dev/slot"
MANAGER = "launch"

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""For what is right as soon as it is stored; the awaiter of a Service sleeps ten seconds otherwise."""
PATCH_FORCE = {"pulumi.com/patchForce": "true"}
"""Takes fields back that another manager owns, instead of failing the update."""

FLAGS_KEY = "flags.flagd.json"
"""The key of the flags' ConfigMap that holds flagd's JSON."""


def flags_name(service: str) -> str:
    """Return the name of a service's ConfigMap, or FeatureFlag, with its flags; slots mount it."""
    return f"{service}-flags"


def of_service(service: str) -> dict[str, str]:
    """Return the labels of everything that belongs to a service."""
    return {NAME: service, MANAGED_BY: MANAGER}


def of_slot(service: str, slot: str) -> dict[str, str]:
    """Return the labels of everything that belongs to a slot."""
    return {**of_service(service), SLOT: slot}


def selector(service: str, slot: str) -> dict[str, str]:
    """Return what tells the pods of a slot from all others; it can never change while the Deployment lives."""
    return {NAME: service, SLOT: slot}


def slot_url(name: str, namespace: str, port: int) -> str:
    """Return where a slot answers inside the cluster."""
    return f"http://{name}.{namespace}.svc:{port}"


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Return several sets of labels or annotations as one."""
    return {key: value for part in parts for key, value in part.items()}
