"""`launch:kubernetes:JobRevision`: a schema at a revision, moved there by Jobs in a cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from components.provider.diff import compare
from components.provider.resource import (
    Cancelled,
    Change,
    Context,
    Edit,
    Failure,
    Found,
    PartialFailure,
    ResourceFailure,
    Values,
)
from components.provider.shape import Anything, ListOf, MapOf, Number, Properties, Property, String
from components.provider.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from components.kubernetes.jobs.cluster import Cluster
    from components.kubernetes.jobs.moving import Moved

_log = logging.getLogger(__name__)

_COMMAND = "`${REVISION}`, `${DIRECTION}` (`up` or `down`) and `${PREVIOUS}` are filled in."


class JobRevision:
    """A schema that Jobs move up and down, and bring back to where it was found."""

    description: ClassVar[str] = (
        "A database's schema at one revision, moved by a Job for each change. An update goes up or down, whichever it "
        "takes, with the image that knows the way; deleting brings the schema back to the revision it was found at. "
        "Commands may be run again: a Job that was interrupted is."
    )
    inputs: ClassVar[Properties] = {
        "kubeconfig": Property(String(), "Path of a kubeconfig; none: as kubectl finds one.", required=False),
        "context": Property(String(), "The kubeconfig's context; none: its current one.", required=False),
        "namespace": Property(String(), "Where the Jobs run."),
        "service": Property(String(), "Whose schema; Jobs are named after it."),
        "revision": Property(String(), "The revision the schema is to have, or `base` for an empty one."),
        "image": Property(String(), "The image of the release, which knows the way to `revision` and back."),
        "up": Property(ListOf(String(), minimum=1), f"The command that goes up. {_COMMAND}"),
        "down": Property(ListOf(String()), f"The command that goes down; none: there is no way back. {_COMMAND}"),
        "current": Property(
            ListOf(String()),
            "A command that prints the revision of the schema, alone on a line, or nothing for an empty schema.",
            required=False,
        ),
        "startsAt": Property(
            String(), "The revision before the first update, `base` for an empty schema.", required=False
        ),
        "revisions": Property(
            ListOf(String()), "What is known of the order of revisions, oldest first.", required=False
        ),
        "environment": Property(MapOf(String()), "Environment variables that are no secrets.", required=False),
        "secrets": Property(ListOf(String()), "Secrets whose keys become environment variables.", required=False),
        "timeoutSeconds": Property(Number(minimum=1), "How long a Job may take.", default=600),
        "retries": Property(Number(minimum=0, whole=True), "How often a failed pod is tried again.", default=0),
        "keepSeconds": Property(Number(minimum=0, whole=True), "How long a finished Job stays.", default=86400),
        "logLines": Property(Number(minimum=0, whole=True), "How many last lines of its log are kept.", default=50),
        "annotations": Property(MapOf(String()), "Annotations of the pods.", required=False),
        "resources": Property(MapOf(Anything()), "The container's `resources`.", required=False),
        "podSecurity": Property(MapOf(Anything()), "The pod's `securityContext`.", required=False),
        "containerSecurity": Property(MapOf(Anything()), "The container's `securityContext`.", required=False),
        "serviceAccount": Property(String(), "The pod's ServiceAccount.", required=False),
        "imagePullSecrets": Property(ListOf(String()), "Secrets that pull the image.", required=False),
    }
    outputs: ClassVar[Properties] = {
        "previous": Property(String(), "The revision before the last change."),
        "initial": Property(String(), "The revision that the schema was found at; deleting goes back there."),
        "attempted": Property(
            String(), "A revision that a Job was to go to and may not have reached; none after success.", required=False
        ),
        "serial": Property(Number(whole=True), "How many moves there were."),
        "knows": Property(
            MapOf(Anything()),
            "Of the inputs, those of the release that knows the way from where the schema is.",
            derived=("environment",),
        ),
        "owner": Property(String(), "The mark of this resource's Jobs."),
        "job": Property(String(), "The Job of the last change.", required=False),
        "log": Property(String(), "The last lines of its log, without secrets.", required=False),
    }

    def check(self, inputs: Values, old: Values | None) -> list[Failure]:
        """Look at the commands, and whether anything tells where the schema is at the beginning."""
        from components.kubernetes.jobs.manifest import BadCommand, filled

        failures = []
        for name in ("up", "down", "current"):
            template = inputs.get(name) or []
            if isinstance(template, Unknown) or any(isinstance(part, Unknown) for part in template):
                continue
            try:
                filled(template, revision="", direction="up", previous="")
            except BadCommand as error:
                failures.append(Failure(name, str(error)))
        if old is None and not inputs.get("current") and not inputs.get("startsAt"):
            reason = (
                "is missing, and so is `current`: nothing tells where the schema is before the first Job, so nothing "
                "could bring it back there; give `base` for an empty schema, or a command that prints the revision"
            )
            failures.append(Failure("startsAt", reason))
        return failures

    def diff(self, old: Values, new: Values) -> Change:
        """Everything changes in place: replacing a schema would mean to take it down first.

        Where the last move did not end well, or was never recorded since the update was killed, going back to what is
        recorded is a change although nothing differs.
        """
        change = compare(self.inputs, old, new)
        if change.changed or not (old.get("attempted") or _is_elsewhere(old)):
            return change
        return Change({"revision": Edit.UPDATE})

    def preview(self, inputs: Values, old: Values | None) -> Values:
        """The revision before is the one that is recorded now."""
        if old is None:
            return {**inputs, **dict.fromkeys(self.outputs, UNKNOWN)}
        kept = {name: old[name] for name in self.outputs if name in old}
        if inputs["revision"] == old.get("revision") and not old.get("attempted"):
            return {**inputs, **kept}
        changed = {"previous": old.get("revision", UNKNOWN), "serial": UNKNOWN, "job": UNKNOWN, "log": UNKNOWN}
        return {**inputs, **kept, **changed}

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        """Go to the revision from wherever the schema is, and remember where that was."""
        from components.kubernetes.jobs.moving import mark

        owner = mark(context.urn)
        name = f"{inputs['namespace']}/{inputs['service']}-schema-{owner}"
        with _cluster(inputs, owner) as cluster:
            return name, _moved(inputs, {}, cluster, context, name)

    def read(self, id: str, outputs: Values, inputs: Values) -> Found | None:  # noqa: A002
        """Ask the database, where there is a command that asks it; else the record of the Jobs."""
        from components.kubernetes.jobs import moving

        if not inputs:
            message = f"{id} cannot be imported: let `pulumi up` make it, which finds the schema where it is"
            raise ResourceFailure(message)
        with _cluster(outputs, outputs["owner"]) as cluster:
            return Found(moving.found(outputs, cluster))

    def update(self, id: str, old: Values, new: Values, context: Context) -> Values:  # noqa: A002
        """Go up or down to the new revision; going down, the image and the command are those of the later release."""
        with _cluster(new, old["owner"]) as cluster:
            return _moved(new, old, cluster, context, id)

    def delete(self, id: str, outputs: Values, context: Context) -> None:  # noqa: A002
        """Bring the schema back to where it was found, unless a newer resource has it now; then remove the Jobs."""
        from components.kubernetes.jobs import moving

        with _cluster(outputs, outputs["owner"]) as cluster:
            if moving.has_successor(outputs, cluster):
                _log.info("%s: a newer resource moves this schema; it stays where it is", id)
            else:
                back = {**outputs, "revision": outputs["initial"]}
                _moved(back, outputs, cluster, context, id, only_down=True)
            cluster.forget()


def _is_elsewhere(old: Values) -> bool:
    """Whether the cluster has a Job of a move that was never recorded."""
    from components.kubernetes.client import ClusterUnavailable
    from components.kubernetes.jobs.cluster import ClusterRefused

    try:
        with _cluster(old, old["owner"]) as cluster:
            newest = cluster.newest()
    except (ResourceFailure, ClusterUnavailable, ClusterRefused) as error:
        # The update will say so if it matters; a preview need not reach the cluster.
        _log.warning("the Jobs of the schema could not be asked for: %s", error)
        return False
    return newest is not None and newest.serial > old["serial"]


def _moved(
    new: Values, old: Values, cluster: Cluster, context: Context, name: str, *, only_down: bool = False
) -> Values:
    """Move the schema and return the outputs.

    Raises:
        ResourceFailure: nothing was changed.
        PartialFailure: something may have been.
        Cancelled: the engine asked to stop.
    """
    from components.kubernetes.jobs import moving
    from components.kubernetes.jobs.manifest import BadCommand
    from components.kubernetes.jobs.order import OrderUnknown
    from components.kubernetes.jobs.running import Refused, Stopped

    try:
        done = moving.move(new, old, cluster, cancelled=context.cancelled, limit=context.timeout, only_down=only_down)
    except (OrderUnknown, BadCommand, Refused) as error:
        raise ResourceFailure(str(error)) from error
    except Stopped as error:
        raise Cancelled(str(error)) from error
    except moving.Failed as error:
        left = {**new, **_outputs(error.left, cluster), "revision": error.left.since, "attempted": new["revision"]}
        raise PartialFailure(str(error), outputs=left, id=name) from error
    return {**new, **_outputs(done, cluster)}


def _outputs(done: Moved, cluster: Cluster) -> dict[str, Any]:
    last = {key: value for key, value in (("job", done.job), ("log", done.log)) if value}
    return {
        "previous": done.since,
        "initial": done.initial,
        "serial": done.serial,
        "knows": dict(done.knows),
        "owner": cluster.owner,
        **last,
    }


@contextmanager
def _cluster(inputs: Values, owner: str) -> Iterator[Cluster]:
    """Give the cluster of the inputs; what it refuses is a failure of the resource."""
    from components.kubernetes.client import ClusterUnavailable, api
    from components.kubernetes.jobs.cluster import Cluster, ClusterRefused
    from components.kubernetes.settings import KubernetesSettings

    settings = KubernetesSettings(
        kubeconfig=inputs.get("kubeconfig"), context=inputs.get("context"), namespace=inputs["namespace"]
    )
    try:
        with api(settings) as client:
            yield Cluster(client, settings.namespace, owner)
    except ClusterUnavailable as error:
        raise ResourceFailure(error.reason) from error
    except ClusterRefused as error:
        raise ResourceFailure(str(error)) from error
