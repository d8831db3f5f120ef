"""Names, namespaces, annotations and identities of Kubernetes objects that are plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .values import UNKNOWN, Object

AUTONAMED = "pulumi.com/autonamed"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
PATCH_FORCE = "pulumi.com/patchForce"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
WAIT_FOR = "pulumi.com/waitFor"

PACKAGE = "kubernetes"


@dataclass(frozen=True)
class Kind:
    """What an object is: `apps/v1` and `Deployment`, `v1` and `Service`."""

    api_version: str
    name: str

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]

    def __str__(self) -> str:
        """As Kubernetes prints it."""
        return f"{self.api_version}/{self.name}"


def kind_of(obj: Object) -> Kind:
    """Return what an object says that it is."""
    api_version = str(obj.get("apiVersion") or "").removeprefix("core/")
    return Kind(api_version, str(obj.get("kind") or ""))


def type_of(urn: str) -> str:
    """Return the type token of a URN, without the types of its parents."""
    return urn.split("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """Return the name of a URN."""
    return urn.split("::", 3)[3]


def kind_of_type(token: str) -> Kind:
    """Return what objects of a resource type are, such as `kubernetes:core/v1:ServicePatch`.

    Raises:
        ValueError: it is no type of an object.
    """
    parts = token.split(":")
    if len(parts) != 3 or parts[0] != PACKAGE or parts[1].count("/") != 1:
        raise ValueError(f"unrecognized resource type: {token!r} for this provider")
    return Kind(parts[1].removeprefix("core/"), parts[2])


def is_patch(urn: str, obj: Object) -> bool:
    """Whether the resource manages some fields of an object that somebody else made."""
    return type_of(urn).rpartition(":")[2] == f"{obj.get('kind')}Patch"


def at(obj: Any, *path: str) -> Any:  # noqa: ANN401
    """Return what is at a path of keys, or None."""
    for key in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(key)
    return obj


def metadata(obj: Object) -> Object:
    """Return the metadata, made where there is none."""
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    held: Object = obj["metadata"]
    return held


def object_name(obj: Object) -> str:
    """Return the name, or nothing where there is none or it is not known yet."""
    name = at(obj, "metadata", "name")
    return name if isinstance(name, str) else ""


def is_named(obj: Object) -> bool:
    """Whether somebody gave it a name, known yet or not."""
    return at(obj, "metadata", "name") is UNKNOWN or bool(object_name(obj))


def namespace_of(obj: Object) -> str:
    """Return the namespace, or nothing."""
    namespace = at(obj, "metadata", "namespace")
    return namespace if isinstance(namespace, str) else ""


def full_name(obj: Object) -> str:
    """Return the id of an object: `NAMESPACE/NAME`, or the name where it has no namespace."""
    namespace = namespace_of(obj)
    return f"{namespace}/{object_name(obj)}" if namespace else object_name(obj)


def parse_id(resource_id: str) -> tuple[str, str]:
    """Return namespace (maybe empty) and name of an id."""
    first, slash, rest = resource_id.partition("/")
    return (first, rest) if slash else ("", first)


def annotation(obj: Object, name: str) -> str:
    """Return an annotation, or nothing."""
    value = at(obj, "metadata", "annotations", name)
    return value if isinstance(value, str) else ""


def is_annotated(obj: Object, name: str) -> bool:
    """Whether an annotation is `true`."""
    return annotation(obj, name).lower() == "true"


def annotate(obj: Object, name: str) -> None:
    """Set an annotation to `true`."""
    held = metadata(obj)
    if not isinstance(held.get("annotations"), dict):
        held["annotations"] = {}
    held["annotations"][name] = "true"


def pod_name(obj: Object) -> str:
    """Return how messages name an object: without the namespace where that is the default one."""
    return full_name(obj).removeprefix("default/")


def propagation(obj: Object) -> str:
    """Return what becomes of dependents when the object is deleted."""
    words = {"orphan": "Orphan", "background": "Background"}
    return words.get(annotation(obj, DELETION_PROPAGATION).lower(), "Foreground")


def time_limit(obj: Object, custom: float) -> float:
    """Return how many seconds its readiness may take: as the resource option or the annotation says, or ten minutes."""
    if custom:
        return custom
    try:
        return float(int(annotation(obj, TIMEOUT)))
    except ValueError:
        return 600.0
