"""Create, update and delete of one object."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

from . import checkpoint, managers, objects, readying
from .api import Api, ApiError, Unreachable
from .errors import Failed, NotReady, Partial
from .following import Cancellation, Cancelled, Log, Patience, until_gone
from .naming import unique
from .normal import normalized
from .options import Options
from .rest import NoSuchKind
from .values import Object, has_unknown, plain

_TRIES = 5
_CRD = "CustomResourceDefinition"
_EXISTS = (
    "\n\nThe resource already exists in the cluster. Give a renamed resource an alias, use a Patch resource, `pulumi "
    "import`, or `upsertExistingObjects` of the provider."
)
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where a resource is and how it is treated.

    Attributes:
        urn: of the resource.
        api: the cluster.
        options: of the provider.
        cancellation: ends all waiting.
        log: shows passing messages.
    """

    urn: str
    api: Api
    options: Options
    cancellation: Cancellation
    log: Log


def _has_kind(api: Api, inputs: Object) -> bool:
    try:
        api.resource(objects.kind_of(inputs))
    except NoSuchKind:
        return False
    return True


def create(place: Place, given: Object, *, preview: bool, seconds: float) -> tuple[str, Object]:
    """Create an object and wait until it is ready.

    Args:
        place: where.
        given: the inputs.
        preview: whether to change nothing.
        seconds: how long it may take, as the resource's option says; 0 for what its annotation says.

    Returns:
        The id (empty in a preview) and the outputs; in a preview that is not possible, the inputs.

    Raises:
        Failed: it was not created.
        Partial: it was, and is not ready.
    """
    inputs: Object = plain(given)
    patch = objects.is_patch(place.urn, inputs)
    if preview and (has_unknown(inputs) or patch or not _has_kind(place.api, inputs)):
        return "", given
    manager = managers.manager_of(inputs, {})
    upsert = place.options.upsert or patch
    try:
        live = _created(place, inputs, manager, upsert=upsert, preview=preview)
    except _NoPreview:
        return "", given
    except NoSuchKind as error:
        raise Failed(
            f'creation of resource "{place.urn}" with kind {objects.kind_of(inputs)} failed because the Kubernetes API '
            "server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have "
            f"been created: {error}"
        ) from error
    except (ApiError, Unreachable, Cancelled) as error:
        exists = _EXISTS if isinstance(error, ApiError) and error.reason == "AlreadyExists" else ""
        told = managers.conflict_text(manager, str(error)) if upsert and _is_conflict(error) else f"{error}{exists}"
        text = f'resource "{place.urn}" was not successfully created by the Kubernetes API server: {told}'
        raise Failed(text) from error
    version = str(inputs.get("apiVersion"))
    if preview:
        live.pop("status", None)
        return "", checkpoint.checkpoint(inputs, live, given, version, manager)
    try:
        live = readying.wait(place.api, inputs, live, _patience(place, inputs, seconds), place.log)
    except NotReady as error:
        text = (
            f'resource "{place.urn}" was successfully created, but the Kubernetes API server reported that it failed '
            f"to fully initialize or become live: {error}"
        )
        outputs = checkpoint.checkpoint(inputs, error.live, given, version, manager)
        raise Partial(objects.full_name(error.live), outputs, [text, *error.details]) from error
    return objects.full_name(live), checkpoint.checkpoint(inputs, live, given, version, manager)


class _NoPreview(Exception):
    """What would happen cannot be known."""


def _is_conflict(error: BaseException) -> bool:
    return isinstance(error, ApiError) and error.code == 409 and error.reason == "Conflict"


def _patience(place: Place, inputs: Object, seconds: float) -> Patience:
    return Patience.of(place.cancellation, objects.time_limit(inputs, seconds))


def _created(place: Place, inputs: Object, manager: str, *, upsert: bool, preview: bool) -> Object:
    def once() -> Object:
        if not upsert:
            return place.api.create(inputs, managers.OF_CREATION, dry_run=preview)
        force = managers.forces(inputs, None, always=place.options.force, preview=preview)
        try:
            return place.api.apply(inputs, manager, force=force, dry_run=preview)
        except ApiError as error:
            if not (preview and error.reason == "Invalid" and "field is immutable" in str(error)):
                raise
            # It will be replaced, which a dry run cannot show under the same name.
            other = deepcopy(inputs)
            objects.metadata(other)["name"] = unique(objects.object_name(inputs))
            return place.api.apply(other, manager, force=force, dry_run=True)

    try:
        return once() if preview else _patiently(place, once)
    except ApiError as error:
        missing_namespace = error.code == 404 and (error.status.get("details") or {}).get("kind") == "namespaces"
        if preview and (error.code == 403 or error.reason == "AlreadyExists" or missing_namespace):
            raise _NoPreview from error
        raise


def _patiently(place: Place, once: Callable[[], T]) -> T:
    """Try again for a while what needs something that is about to come: a namespace, a CustomResourceDefinition."""
    for turn in range(_TRIES):
        try:
            return once()
        except NoSuchKind as error:
            place.log("info", f"Retry #{turn}; creation failed: {error}")
        except ApiError as error:
            if error.code != 404:
                raise
            place.log("info", f"Retry #{turn}; creation failed: {error}")
        place.cancellation.pause(2.0**turn)
    return once()


def update(place: Place, state: Object, given: Object, ignored: list[str], *, preview: bool, seconds: float) -> Object:
    """Make an object have new inputs, wait until it is ready, and return its outputs.

    Args:
        place: where.
        state: what is recorded of it.
        given: the new inputs.
        ignored: paths that are left as they are.
        preview: whether to change nothing.
        seconds: how long it may take, as the resource's option says; 0 for what its annotation says.

    Raises:
        Failed: it could not be done, and the object cannot be read.
        Partial: it could not be done, or it is not ready.
    """
    inputs = normalized(plain(given))
    if preview and (has_unknown(inputs) or not _has_kind(place.api, inputs)):
        return given
    old_inputs, recorded = checkpoint.recorded(state)
    name = objects.object_name(recorded)
    manager, manager_before = managers.manager_of(inputs, state), managers.manager_of(old_inputs, state)
    version = checkpoint.recorded_api_version(state, old_inputs)
    failed: Exception
    try:
        before = place.api.get(inputs, name)
        live = _applied(place, inputs, before, manager, ignored, preview=preview)
        if not preview:
            live = readying.wait(place.api, inputs, live, _patience(place, inputs, seconds), place.log)
            if manager != manager_before:
                relinquish(place.api, live, manager_before)
        return checkpoint.checkpoint(inputs, live, given, version, manager)
    except NoSuchKind as error:
        raise Failed(
            f'update of resource "{place.urn}" failed because the Kubernetes API server reported that the apiVersion '
            f"for this resource does not exist. Verify that any required CRDs have been created: {error}"
        ) from error
    except (ApiError, Unreachable, NotReady) as error:
        if preview and isinstance(error, ApiError) and error.code == 403:
            return given
        failed = error
    told = managers.conflict_text(manager, str(failed)) if _is_conflict(failed) else str(failed)
    try:
        live = place.api.get(inputs, name)
    except (ApiError, Unreachable) as error:
        text = f'update of resource "{place.urn}" failed: {told}\nunable to get cluster state: {error}'
        raise Failed(text) from failed
    full = objects.full_name(live)
    text = f'the Kubernetes API server reported that "{full}" failed to fully initialize or become live: {told}'
    details = failed.details if isinstance(failed, NotReady) else []
    outputs = checkpoint.checkpoint(inputs, live, given, version, manager)
    raise Partial(full, outputs, [text, *details]) from failed


def _applied(
    place: Place, inputs: Object, before: Object, manager: str, ignored: list[str], *, preview: bool
) -> Object:
    name = objects.object_name(before)
    if inputs.get("kind") == _CRD:
        replacement = deepcopy(inputs)
        objects.metadata(replacement)["resourceVersion"] = objects.at(before, "metadata", "resourceVersion")
        return place.api.replace(replacement, manager, name=name, dry_run=preview)
    if not preview and managers.entries(before) and not objects.is_patch(place.urn, inputs):
        # The real plugin sends this request also where there is nothing to take over; so it takes as long.
        before = place.api.patch(inputs, managers.takeover(before, manager), name)
    wanted = managers.without_ignored(inputs, before, manager, ignored) if ignored else inputs
    force = managers.forces(inputs, before, always=place.options.force, preview=preview)
    return place.api.apply(wanted, manager, name=name, force=force, dry_run=preview)


def relinquish(api: Api, live: Object, manager: str) -> None:
    """Give up all fields that a manager has; what nobody else has goes away.

    Raises:
        ApiError: the object would not be valid without them.
    """
    identity = {name: live.get(name) for name in ("apiVersion", "kind")}
    held = {name: objects.at(live, "metadata", name) for name in ("name", "namespace")}
    api.apply({**identity, "metadata": {name: value for name, value in held.items() if value}}, manager)


def delete(place: Place, resource_id: str, state: Object, *, seconds: float) -> None:
    """Delete an object and wait until it is gone; a Patch resource gives up its fields.

    Raises:
        Failed: it could not be done.
        Partial: the object is still there.
    """
    inputs, recorded = checkpoint.recorded(state)
    name = objects.parse_id(resource_id)[1]
    manager = managers.manager_of(inputs, state)
    try:
        if objects.is_patch(place.urn, inputs):
            relinquish(place.api, recorded, manager)
            return
        answer = place.api.delete(recorded, name, objects.propagation(inputs))
        if answer.get("kind") != "Status" and readying.is_deletion_awaited(inputs):
            until_gone(place.api, answer, _patience(place, inputs, seconds))
    except NoSuchKind:
        return
    except NotReady as error:
        version = checkpoint.recorded_api_version(state, inputs)
        outputs = checkpoint.checkpoint(recorded, error.live, state, version, manager)
        raise Partial(objects.full_name(error.live), outputs, [str(error), *error.details]) from error
    except (ApiError, Unreachable) as error:
        if isinstance(error, ApiError) and error.code == 404:
            return
        if isinstance(error, ApiError) and "Required value" in str(error) and error.reason == "Invalid":
            raise Failed(
                "this Patch resource is currently managing a required field, so it can't be deleted directly. Either "
                f"set the `retainOnDelete` resource option, or transfer ownership of the field before deleting: {error}"
            ) from error
        raise Failed(str(error)) from error
