"""The live state of one object, for refresh and import."""

from __future__ import annotations

from copy import deepcopy

from . import checkpoint, managers, objects, readying
from .api import ApiError, Unreachable
from .difference import pruned
from .errors import Failed, NotReady, Partial
from .normal import is_built_in, normalized
from .operations import Place
from .rest import NoSuchKind
from .values import Object, mark_secrets, plain

_UNREADABLE = "failed to read resource state due to unreachable cluster"
_DESERTED = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the "
    'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)


def read(place: Place, resource_id: str, state: Object, given: Object) -> tuple[str, Object, Object] | None:
    """Return the id, outputs and inputs of an object as it is, or None where there is none.

    Args:
        place: where.
        resource_id: `NAMESPACE/NAME` or `NAME`.
        state: what is recorded of it; empty where it is imported.
        given: the recorded inputs; empty where it is imported.

    Raises:
        Failed: it cannot be read.
        Partial: it is not ready.
    """
    namespace, name = objects.parse_id(resource_id)
    if not name:
        raise Failed(
            f"failed to read resource because of a failure to parse resource name from request ID: {resource_id}"
        )
    inputs, imported = _identified(place.urn, namespace, name, state, given)
    live = _live(place, inputs, name)
    if live is None:
        return None
    wrong: NotReady | None = None
    try:
        if not imported:
            readying.check(place.api, inputs, live)
    except NotReady as error:
        wrong = error
    now = _imported(live, inputs) if imported else pruned(live, inputs)
    version, manager = checkpoint.recorded_api_version(state, inputs), managers.manager_of(inputs, state)
    outputs = checkpoint.checkpoint(now, live, given, version, manager)
    now = deepcopy(now)
    mark_secrets(now, given)
    if wrong is not None:
        raise Partial(resource_id, outputs, [str(wrong), *wrong.details], now) from wrong
    return resource_id, outputs, now


def _imported(live: Object, identity: Object) -> Object:
    inputs: Object = pruned(live, identity)
    if is_built_in(live):
        inputs |= {name: value for name, value in live.items() if name != "status"}
    inputs = normalized(deepcopy(inputs))
    for name in ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"):
        (objects.at(inputs, "metadata", "annotations") or {}).pop(name, None)
    return inputs


def _identified(urn: str, namespace: str, name: str, state: Object, given: Object) -> tuple[Object, bool]:
    """Return inputs that say what and where the object is, and whether nothing was known of it."""
    inputs = normalized(plain(given))
    recorded = checkpoint.recorded(state)[1]
    if inputs.get("kind"):
        return inputs, False
    imported = not recorded.get("kind")
    kind = objects.kind_of_type(objects.type_of(urn)) if imported else objects.kind_of(recorded)
    inputs = {**inputs, "apiVersion": kind.api_version, "kind": kind.name.removesuffix("Patch")}
    held = objects.metadata(inputs)
    held.setdefault("name", name)
    if namespace:
        held.setdefault("namespace", namespace)
    return inputs, imported


def _live(place: Place, inputs: Object, name: str) -> Object | None:
    try:
        return place.api.get(inputs, name)
    except NoSuchKind:
        return None
    except ApiError as error:
        if error.code == 404:
            return None
        raise Failed(str(error)) from error
    except Unreachable as error:
        raise Failed(f"{_UNREADABLE}: {error}. {_DESERTED}") from error
