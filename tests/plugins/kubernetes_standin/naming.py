"""Names that nobody chose."""

from __future__ import annotations

import hashlib
import secrets

from . import objects
from .values import Object


def unique(prefix: str, seed: bytes = b"") -> str:
    """Return the prefix and eight hexadecimal digits: the same ones for the same seed."""
    tail = hashlib.sha256(prefix.encode() + seed).hexdigest()[:8] if seed else secrets.token_hex(4)
    return prefix + tail


def name_if_nameless(obj: Object, urn: str, seed: bytes, proposed: str | None, *, disabled: bool = False) -> None:
    """Give an object that has no name one, and mark it so that its replacement may have another.

    Args:
        obj: the inputs, changed in place.
        urn: of the resource, whose name begins the made-up one.
        seed: of this operation, from the engine.
        proposed: the engine's own proposal where the user configured how names are made.
        disabled: whether the user configured that none are made.

    Raises:
        ValueError: the user wants to choose all names.
    """
    if objects.is_named(obj) or objects.at(obj, "metadata", "generateName"):
        return
    if disabled:
        raise ValueError("autonaming is disabled, resource requires the .metadata.name field to be set")
    objects.metadata(obj)["name"] = proposed or unique(f"{objects.name_of(urn)}-", seed)
    objects.annotate(obj, objects.AUTONAMED)


def adopt_name(obj: Object, old: Object) -> None:
    """Keep the name that was made up for it earlier."""
    if not objects.is_named(obj) and objects.is_annotated(old, objects.AUTONAMED):
        objects.metadata(obj)["name"] = objects.object_name(old)
        objects.annotate(obj, objects.AUTONAMED)
