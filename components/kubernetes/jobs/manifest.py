"""A migration Job as an object of the cluster, and what it records about itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from components.kubernetes import names
from components.kubernetes.jobs.order import Direction

OWNER = "launch.dev/migration"
"""Label: which resource's Jobs these are."""
RECORD = "launch.dev/record"
"""Annotation: what the Job is to do and what would be needed to take it back, as JSON without secrets."""
MOVES, ASKS = "migration", "revision"
"""Names of the container that moves the schema, and of one that only asks where it is."""
_VARIABLE = re.compile(r"\$\{([A-Z_]+)\}")
_LONGEST_NAME = 63
_SEEN = 60
"""Seconds that a finished Job stays at least."""
_GRACE = 30
"""Seconds that the cluster waits longer than we do: it removes the pods of a Job whose time is over, and their logs."""
_REMEMBERED = ("image", "up", "down", "current", "revisions", "environment", "secrets", "revision", "service")
"""Inputs that the way back may need when the update that started the Job was never recorded."""

Purpose = Literal["up", "down", "current"]


class BadCommand(ValueError):
    """A command's template cannot be filled in; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a schema.

    Attributes:
        owner: the resource's mark.
        serial: counts the moves of a resource: a second move to the same revision is another Job.
        since: the revision before.
        target: the revision after.
        direction: which way that is.
        initial: the revision that the resource found the database at.
    """

    owner: str
    serial: int
    since: str
    target: str
    direction: Direction
    initial: str


def filled(template: Sequence[str], *, revision: str, direction: Purpose, previous: str) -> list[str]:
    """Return a command with `${REVISION}`, `${DIRECTION}` and `${PREVIOUS}` filled in.

    Raises:
        BadCommand: it names another variable.
    """
    values = {"REVISION": revision, "DIRECTION": direction, "PREVIOUS": previous}

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            known = ", ".join(f"${{{name}}}" for name in values)
            raise BadCommand(f"{found[0]} in the command {' '.join(template)!r} is unknown; there are {known}")
        return values[found[1]]

    return [_VARIABLE.sub(value, part) for part in template]


def content(inputs: Mapping[str, Any], move: Move) -> str:
    """Return a digest of what a Job does, as part of its name: the same move of the same release is the same Job."""
    does = {name: inputs.get(name) for name in ("image", move.direction, "environment", "secrets")}
    record = [move.owner, move.serial, move.since, move.target, move.direction, does]
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:10]


def name_of(inputs: Mapping[str, Any], move: Move) -> str:
    """Return the name of the Job of a move."""
    return _named(inputs["service"], f"schema-{move.direction}-{move.serial}-{content(inputs, move)}")


def remembered(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those inputs that the way back may need when nobody else has them any more."""
    return {name: inputs[name] for name in _REMEMBERED if name in inputs}


def mover(inputs: Mapping[str, Any], move: Move, *, does: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Job of a move.

    Args:
        inputs: the resource's inputs: how Jobs are run.
        move: what it does.
        does: the inputs of the release whose image and command do it; going down, that is the later one.
    """
    command = filled(does[move.direction], revision=move.target, direction=move.direction, previous=move.since)
    record = {
        "serial": move.serial,
        "since": move.since,
        "target": move.target,
        "direction": move.direction,
        "initial": move.initial,
        "inputs": remembered(does),
    }
    variables = {"REVISION": move.target, "DIRECTION": move.direction, "PREVIOUS": move.since}
    metadata = {"name": name_of(does, move), "annotations": {RECORD: json.dumps(record, sort_keys=True)}}
    return _job(inputs, does, MOVES, command, variables, metadata, owner=move.owner)


def asker(inputs: Mapping[str, Any], owner: str, nonce: str) -> dict[str, Any]:
    """Return a Job that prints the schema's revision."""
    command = filled(inputs["current"], revision="", direction="current", previous="")
    metadata = {"name": _named(inputs["service"], f"schema-current-{nonce}")}
    return _job(inputs, inputs, ASKS, command, {"DIRECTION": "current"}, metadata, owner=owner)


def _named(service: str, rest: str) -> str:
    return f"{service[: _LONGEST_NAME - len(rest) - 1].rstrip('-.')}-{rest}"


def _job(
    inputs: Mapping[str, Any],
    does: Mapping[str, Any],
    container_name: str,
    command: list[str],
    variables: Mapping[str, str],
    metadata: Mapping[str, Any],
    *,
    owner: str,
) -> dict[str, Any]:
    environment = {**does.get("environment", {}), **variables}
    labels = {**names.of_service(inputs["service"]), OWNER: owner}
    container: dict[str, Any] = {
        "name": container_name,
        "image": does["image"],
        "command": command,
        "env": [{"name": key, "value": value} for key, value in sorted(environment.items())],
        "envFrom": [{"secretRef": {"name": name}} for name in does.get("secrets", [])],
        # Where logs cannot be read, the end of a failed one is in the pod's status.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": inputs.get("resources", {}),
        "securityContext": inputs.get("containerSecurity", {}),
    }
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [container],
        "securityContext": inputs.get("podSecurity", {}),
        "imagePullSecrets": [{"name": name} for name in inputs.get("imagePullSecrets", [])],
    }
    if inputs.get("serviceAccount"):
        pod["serviceAccountName"] = inputs["serviceAccount"]
    else:
        pod["automountServiceAccountToken"] = False  # nobody's in particular: then it needs none
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"labels": labels, **metadata},
        "spec": {
            "backoffLimit": inputs["retries"],
            # For when nobody watches any more; who does stops it earlier, with its log.
            "activeDeadlineSeconds": max(1, round(inputs["timeoutSeconds"])) + _GRACE,
            # Never at once: whoever waits for it has to see how it ended.
            "ttlSecondsAfterFinished": max(inputs["keepSeconds"], _SEEN),
            "template": {
                "metadata": {
                    "labels": {names.MANAGED_BY: names.MANAGER, OWNER: owner},
                    "annotations": inputs.get("annotations", {}),
                },
                "spec": pod,
            },
        },
    }
