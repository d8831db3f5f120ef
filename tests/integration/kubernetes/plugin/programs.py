"""Objects, the programs that register them, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stacks.engine import StackHandle

Object = dict[str, Any]
Program = Callable[[], None]

ROUTE = "gateway.networking.k8s.io/v1/httproutes/shop"


def config_map(name: str | None = "settings", **data: str) -> Object:
    metadata: Object = {} if name is None else {"metadata": {"name": name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": data, **metadata}


def register(body: Object, opts: Any) -> None:  # noqa: ANN401 - the SDK is imported where it is used
    """Register one object by the SDK's class for it, or as a custom resource; its own name is its Pulumi name."""
    import pulumi_kubernetes as k8s

    given = {"stringData": "string_data"}
    rest = {given.get(key, key): value for key, value in body.items() if key not in ("apiVersion", "kind")}
    name = body.get("metadata", {}).get("name") or body["kind"].lower()
    known: dict[str, Any] = {
        "ConfigMap": k8s.core.v1.ConfigMap,
        "Deployment": k8s.apps.v1.Deployment,
        "DeploymentPatch": k8s.apps.v1.DeploymentPatch,
        "Job": k8s.batch.v1.Job,
        "Secret": k8s.core.v1.Secret,
        "Service": k8s.core.v1.Service,
    }
    if body["kind"] in known:
        known[body["kind"]](name, opts=opts, **rest)
    else:
        k8s.apiextensions.CustomResource(name, api_version=body["apiVersion"], kind=body["kind"], opts=opts, **rest)


def path(namespace: str, what: str) -> str:
    """Return the path of `[GROUP/VERSION/]PLURAL[/NAME]`."""
    core = what.split("/", maxsplit=1)[0] in {"configmaps", "events", "pods", "secrets", "services"}
    if core:
        return f"/api/v1/namespaces/{namespace}/{what}"
    group, version, rest = what.split("/", 2)
    return f"/apis/{group}/{version}/namespaces/{namespace}/{rest}"


def resources(stack: StackHandle) -> dict[str, Any]:
    """Return what is recorded of each resource, by its name."""
    checkpoint = stack.checkpoint()
    assert checkpoint is not None
    return {resource["urn"].rpartition("::")[2]: resource for resource in checkpoint["resources"]}
