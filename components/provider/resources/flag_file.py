"""`launch:local:FlagFile`: a file of feature flags in flagd's format."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from components.provider import ownership
from components.provider.diff import compare
from components.provider.resource import (
    Change,
    Context,
    Failure,
    Found,
    ResourceFailure,
    Values,
)
from components.provider.shape import Anything, MapOf, Object, Properties, Property, String, child
from components.provider.unknown import UNKNOWN, Unknown, has_unknown

SCHEMA_URL = "https://flagd.dev/schema/v0/flags.json"

_FLAG = Object(
    "launch:local:Flag",
    {
        "state": Property(String("ENABLED|DISABLED", "ENABLED or DISABLED"), "`ENABLED` or `DISABLED`."),
        "variants": Property(MapOf(Anything()), "The values by variant name; all of one type."),
        "defaultVariant": Property(
            String(), "The variant where no rule applies; none: the caller's own default.", required=False
        ),
        "targeting": Property(MapOf(Anything()), "A JsonLogic rule that yields the name of a variant.", required=False),
        "metadata": Property(MapOf(Anything()), "Whatever belongs to the flag: owner, expiry.", required=False),
    },
    "A feature flag as flagd defines it, see https://flagd.dev/reference/flag-definitions/.",
)


class FlagFile:
    """A flag file, owned as a whole and replaced atomically."""

    description: ClassVar[str] = (
        "A file of feature flags in flagd's format. The resource owns the file: it is replaced atomically, "
        "and removed with the resource."
    )
    inputs: ClassVar[Properties] = {
        "path": Property(String("/.*", "an absolute path"), "Absolute path of the file.", replaces=True),
        "flags": Property(MapOf(_FLAG), "The flags by key."),
    }
    outputs: ClassVar[Properties] = {
        "digest": Property(String(), "SHA-256 of the file, `sha256:HEX`.", derived=("flags",)),
        "owner": Property(String(), "Tells this resource from an earlier one at the same path."),
    }

    def check(self, inputs: Values, old: Values | None) -> list[Failure]:  # noqa: ARG002 - nothing outside counts
        """Look at the variants of each flag."""
        flags = inputs["flags"]
        if isinstance(flags, Unknown):
            return []
        return [failure for key, flag in flags.items() for failure in _failures(child("flags", key), flag)]

    def diff(self, old: Values, new: Values) -> Change:
        """A change of `path` replaces."""
        return compare(self.inputs, old, new)

    def preview(self, inputs: Values, old: Values | None) -> Values:
        """The digest follows from the flags."""
        known = not has_unknown(inputs["flags"])
        return {
            **inputs,
            "digest": _digest(content(inputs["flags"])) if known else UNKNOWN,
            "owner": UNKNOWN if old is None else old.get("owner"),
        }

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:  # noqa: ARG002 - it does not wait
        """Write the file; one that is there is taken over only if an earlier resource of ours wrote it."""
        path = Path(inputs["path"])
        if path.exists() and not _marker(path).exists():
            message = f"{path} exists and is not ours: remove it, name another path, or use `pulumi import`"
            raise ResourceFailure(message)
        try:
            owner = ownership.claim(_marker(path))
            digest = _write(path, inputs["flags"])
        except OSError as error:
            message = f"cannot write {path}: {error.strerror}"
            raise ResourceFailure(message) from error
        return str(path), {**inputs, "digest": digest, "owner": owner}

    def read(self, id: str, outputs: Values, inputs: Values) -> Found | None:  # noqa: A002
        """Read the file back. A file that is no flag file any more reads as one without flags."""
        path = Path(id)
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        flags = _parse(text)
        found = {"path": id, "flags": flags, "digest": _digest(text), "owner": outputs.get("owner", "")}
        if inputs:
            return Found(found)
        # An import: from now on the file is ours.
        return Found({**found, "owner": ownership.claim(_marker(path))}, {"path": id, "flags": flags})

    def update(self, id: str, old: Values, new: Values, context: Context) -> Values:  # noqa: A002, ARG002
        """Replace the file."""
        path = Path(id)
        try:
            digest = _write(path, new["flags"])
        except OSError as error:
            message = f"cannot write {path}: {error.strerror}"
            raise ResourceFailure(message) from error
        return {**new, "digest": digest, "owner": old.get("owner", "")}

    def delete(self, id: str, outputs: Values, context: Context) -> None:  # noqa: A002, ARG002
        """Remove the file, unless a newer resource has it now."""
        path = Path(id)
        if ownership.owned(_marker(path), outputs.get("owner")):
            path.unlink(missing_ok=True)
            _marker(path).unlink(missing_ok=True)


def content(flags: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The file's bytes, the same for the same flags."""
    document = {"$schema": SCHEMA_URL, "flags": {key: _numbered(flag) for key, flag in flags.items()}}
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def _numbered(flag: Mapping[str, Any]) -> dict[str, Any]:
    """The flag with whole numbers written as such.

    The engine knows doubles only, but OpenFeature tells an integer flag from a floating-point one. A flag all of
    whose numbers are whole is an integer flag.
    """
    variants = flag["variants"].values()
    fractions = any(isinstance(value, float) and not value.is_integer() for value in variants)
    return {name: value if name == "variants" and fractions else _whole(value) for name, value in flag.items()}


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _failures(path: str, flag: Any) -> list[Failure]:  # noqa: ANN401 - any property value
    if isinstance(flag, Unknown) or isinstance(flag["variants"], Unknown):
        return []
    failures = []
    variants = flag["variants"]
    kinds = {_kind(value) for value in variants.values() if not isinstance(value, Unknown)}
    if not variants:
        failures.append(Failure(f"{path}.variants", "is empty; a flag needs at least one variant"))
    if len(kinds) > 1:
        reason = f"mixes {' and '.join(sorted(kinds))}; all variants of a flag have one type"
        failures.append(Failure(f"{path}.variants", reason))
    default = flag.get("defaultVariant")
    if isinstance(default, str) and default not in variants:
        reason = f"is {default!r}, but the variants are {', '.join(map(repr, variants))}"
        failures.append(Failure(f"{path}.defaultVariant", reason))
    return failures


def _kind(value: object) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _parse(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    flags = document.get("flags") if isinstance(document, dict) else None
    return flags if isinstance(flags, dict) else {}


def _write(path: Path, flags: dict[str, Any]) -> str:
    """Replace the file so that a reader sees the old flags or the new, also after a power failure."""
    text = content(flags)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return _digest(text)


def _digest(text: bytes) -> str:
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def _marker(path: Path) -> Path:
    return path.with_name(f".{path.name}{ownership.NAME}")
