"""Which objects are waited for, and how."""

from __future__ import annotations

from . import objects, workloads
from .api import Api
from .conditions import ConditionReadiness, expressions
from .deployments import DeploymentReadiness
from .errors import NotReady
from .following import Log, Patience, Readiness, until_ready
from .jobs import JobReadiness
from .services import ServiceReadiness
from .values import Object

# Kinds whose deletion is not waited for either where `pulumi.com/skipAwait` says so.
_DELETED_UNSEEN = frozenset(
    {
        "apps/v1/DaemonSet",
        "apps/v1/Deployment",
        "apps/v1/StatefulSet",
        "batch/v1/Job",
        "v1/Namespace",
        "v1/Pod",
        "v1/ReplicationController",
    }
)


def readiness(api: Api, live: Object, *, settle: bool = True) -> Readiness | None:
    """Return what knows when an object is ready, or None where it is so at once.

    Args:
        api: where to look.
        live: the object.
        settle: whether a Service's endpoints are given time.
    """
    match str(objects.kind_of(live)):
        case "apps/v1/Deployment":
            return DeploymentReadiness(api)
        case "batch/v1/Job":
            return JobReadiness(api)
        case "v1/Service":
            return ServiceReadiness(api) if settle else ServiceReadiness(api, settle=0.0)
        case _:
            return workloads.readiness(api, objects.kind_of(live))


def wait(api: Api, inputs: Object, live: Object, patience: Patience, log: Log) -> Object:
    """Wait until an object that was applied is ready, as its kind or its annotations say, and return its state.

    Raises:
        NotReady: it did not become so.
    """
    if objects.is_annotated(inputs, objects.SKIP_AWAIT):
        return live
    knows: Readiness | None
    if wanted := objects.annotation(live, objects.WAIT_FOR):
        try:
            knows = ConditionReadiness(expressions(wanted))
        except ValueError as error:
            raise NotReady(str(error), live) from error
    else:
        knows = readiness(api, live)
    return live if knows is None else until_ready(api, live, knows, patience, log)


def check(api: Api, inputs: Object, live: Object) -> None:
    """Look whether an object that was read is ready.

    Raises:
        NotReady: it is not.
    """
    if objects.is_annotated(inputs, objects.SKIP_AWAIT):
        return
    knows = readiness(api, live, settle=False)
    if isinstance(knows, workloads.ClaimReadiness) or knows is None or knows.ready(live):
        return
    text = f"Resource '{objects.object_name(live)}' was created but failed to initialize"
    raise NotReady(text, live, knows.explain(live))


def is_deletion_awaited(inputs: Object) -> bool:
    """Whether to wait until an object is gone."""
    skipped = objects.is_annotated(inputs, objects.SKIP_AWAIT)
    return not (skipped and str(objects.kind_of(inputs)) in _DELETED_UNSEEN)
