"""What is wrong with pods, in the words that users know: crash loops, image pulls, scheduling."""

from __future__ import annotations

from typing import Any

from . import objects
from .api import Api, ApiError, Unreachable
from .objects import Kind
from .values import Object

POD = Kind("v1", "Pod")


def owned(api: Api, kind: Kind, owner: Object, selector: Object | None = None) -> list[Object]:
    """Return the objects of a kind that belong to another one of the same namespace.

    Args:
        api: where to look.
        kind: of what is looked for.
        owner: whose they are.
        selector: labels that they have.
    """
    path = api.resource(kind).path(objects.namespace_of(owner))
    labels = ",".join(f"{name}={value}" for name, value in (selector or {}).items())
    try:
        found = api.request("GET", path, labelSelector=labels).get("items") or []
    except (ApiError, Unreachable):
        return []  # what cannot be listed explains nothing
    uid = objects.at(owner, "metadata", "uid")
    return [
        {"apiVersion": kind.api_version, "kind": kind.name, **one}
        for one in found
        if any(reference.get("uid") == uid for reference in objects.at(one, "metadata", "ownerReferences") or [])
    ]


def condition(obj: Object, kind: str) -> Object:
    """Return one of the conditions in an object's status; empty where it has none of that type."""
    for one in objects.at(obj, "status", "conditions") or []:
        if one.get("type") == kind:
            found: Object = one
            return found
    return {}


def problems(pod: Object) -> list[str]:
    """Return what is wrong with a pod; nothing where it is ready, or nothing is known yet."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "True":
        return [scheduled["message"]] if scheduled.get("reason") and scheduled.get("message") else []
    for kind in ("Initialized", "Ready"):
        state = condition(pod, kind)
        if not state:
            return []
        if state.get("status") == "True" or (kind == "Ready" and objects.at(pod, "status", "phase") == "Succeeded"):
            continue
        containers = [text for one in objects.at(pod, "status", "containerStatuses") or [] for text in _container(one)]
        message = state.get("message") or ""
        if not containers and not message:
            return []
        shown = message if state.get("reason") else ""
        return [f"[Pod {objects.pod_name(pod)}]: {shown}" + "\n".join(containers)]
    return []


def _container(status: Object) -> list[str]:
    if status.get("ready"):
        return []
    state: Any = status.get("state") or {}
    texts = []
    waiting, ended = state.get("waiting"), state.get("terminated")
    if waiting and waiting.get("reason") != "ContainerCreating":
        texts.append(f"[{waiting.get('reason', '')}] {_trimmed(waiting.get('message', ''))}")
    if ended and ended.get("reason"):
        if ended.get("message"):
            texts.append(f"[{ended['reason']}] {_trimmed(ended['message'])}")
        else:
            texts.append(f'container "{status.get("name")}" completed with exit code {ended.get("exitCode", 0)}')
    last = (status.get("lastState") or {}).get("terminated")
    if last:
        texts.append(
            f'container "{status.get("name")}" terminated at {last.get("finishedAt")} '
            f"({last.get('reason', '')}: exit code {last.get('exitCode', 0)})"
        )
        texts += [last["message"]] if last.get("message") else []
    return texts


def _trimmed(message: str) -> str:
    prefix = "rpc error: code = Unknown desc = Error response from daemon: "
    return message.removeprefix(prefix).removesuffix(": manifest unknown")
