"""What is decided before anything is done: checked inputs, and what differs from what is recorded."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

from . import checkpoint, naming, objects
from .api import Api, ApiError, Unreachable
from .difference import Change, Difference, differences, not_ignored, pruned
from .errors import Failed, NotReady
from .immutable import immutable_paths
from .jobs import JobReadiness
from .normal import is_built_in, normalized
from .options import Options
from .rest import NoSuchKind
from .values import Object, mark_secrets, plain


@dataclass(frozen=True)
class Naming:
    """How names are made up.

    Attributes:
        seed: of this operation.
        proposed: the engine's own proposal, if any.
        disabled: whether none are made up.
    """

    seed: bytes = b""
    proposed: str | None = None
    disabled: bool = False


@dataclass(frozen=True)
class Plan:
    """What an update would do.

    Attributes:
        found: the properties that differ.
        replaces: the paths of those that the object is replaced for.
        delete_first: whether the old object goes before the new one comes.
    """

    found: list[Difference] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    delete_first: bool = False


def is_namespaced(api: Api | None, obj: Object) -> bool:
    """Whether objects of this kind live in namespaces; those that nobody knows are taken to."""
    try:
        return api is None or api.resource(objects.kind_of(obj)).namespaced
    except NoSuchKind:
        return True


def checked(urn: str, old: Object, given: Object, names: Naming, api: Api | None, namespace: str) -> Object:
    """Return the inputs to use: normalized, named, and in a namespace.

    Args:
        urn: of the resource.
        old: the inputs used so far; empty for a new resource.
        given: the program's.
        names: how names are made up.
        api: the cluster, or None where it is not reached.
        namespace: for objects that name none.

    Raises:
        Failed: they cannot be used.
    """
    inputs = normalized(plain(given))
    if objects.is_patch(urn, inputs) and not objects.is_named(inputs):
        raise Failed("patch resources require the `.metadata.name` field to be set")
    if old:
        naming.adopt_name(inputs, plain(old))
    else:
        try:
            naming.name_if_nameless(inputs, urn, names.seed, names.proposed, disabled=names.disabled)
        except ValueError as error:
            raise Failed(str(error)) from error
    if objects.at(inputs, "metadata", "generateName") and not objects.is_named(inputs):
        raise Failed("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
    if namespace and objects.at(inputs, "metadata", "namespace") in (None, "") and is_namespaced(api, inputs):
        objects.metadata(inputs)["namespace"] = namespace
    mark_secrets(inputs, given)
    return inputs


def plan(urn: str, state: Object, given: Object, ignored: list[str], api: Api | None, options: Options) -> Plan:
    """Return what an update to these inputs would do.

    Args:
        urn: of the resource.
        state: what is recorded of it.
        given: the new inputs.
        ignored: paths whose changes do not count.
        api: the cluster, or None where it is not reached.
        options: of the provider.
    """
    old_inputs, live = checkpoint.recorded(state)
    new = normalized(plain(given))
    old = deepcopy(pruned(live, normalized(old_inputs)))
    _align(old, new, live, namespaced=is_namespaced(api, new))
    patch = objects.is_patch(urn, new)
    immutable = immutable_paths(
        new, patch=patch, config_map_mutable=options.config_map_mutable, secret_mutable=options.secret_mutable
    )
    found = not_ignored(differences(old, new, immutable, built_in=is_built_in(new)), ignored)
    replaces = [
        one.text for one in found if one.replaces or (one.change is Change.DELETE and one.path == ("metadata",))
    ]
    if objects.is_annotated(new, objects.REPLACE_UNREADY) and api is not None and not _is_ready(api, live):
        replaces.append(f'.metadata.annotations["{objects.REPLACE_UNREADY}"]')
    same_place = objects.object_name(new) == objects.object_name(live) and (
        objects.namespace_of(new) == objects.namespace_of(live)
    )
    chosen = objects.is_named(new) and not objects.is_annotated(new, objects.AUTONAMED)
    return Plan(found, replaces, delete_first=bool(replaces) and chosen and same_place)


def _is_ready(api: Api, recorded: Object) -> bool:
    """Whether a Job is complete now; other kinds are taken to be ready, as are those that cannot be read."""
    if objects.kind_of(recorded).name != "Job":
        return True
    try:
        return JobReadiness(api).ready(api.get(recorded))
    except NotReady:
        return False
    except (ApiError, Unreachable):
        return True


def _align(old: Object, new: Object, live: Object, *, namespaced: bool) -> None:
    """Make both speak of the namespace, and of the name that the object really has."""
    for obj in (old, new):
        held = objects.metadata(obj)
        held.pop("resourceVersion", None)
        if namespaced:
            held["namespace"] = held.get("namespace") or "default"
        else:
            held.pop("namespace", None)
    if objects.object_name(new):
        objects.metadata(old)["name"] = objects.object_name(live)
    for name in ("apiVersion", "kind"):
        old.setdefault(name, new.get(name))
