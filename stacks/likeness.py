"""When two registrations of one resource mean the same to the engine.

A program and a replay say the same thing in different words: the program leaves out what is empty, has positions in
its source, and lets the engine choose a default provider; a replay repeats what the state recorded. What is compared
is what the engine would do with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stacks.recorded import PROVIDER_PREFIX

if TYPE_CHECKING:
    from pulumi.runtime.proto import resource_pb2

_OF_THE_ENGINE = ("version", "pluginDownloadURL", "__internal")
"""Keys of a provider resource's recorded inputs that a program gives as options, or not at all."""


@dataclass(frozen=True, slots=True)
class Key:
    """What names a resource within one update: its URN is made of these."""

    type: str
    name: str
    parent: str

    @property
    def is_provider(self) -> bool:
        """Whether it is a provider resource."""
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def is_default_provider(self) -> bool:
        """Whether the engine makes it itself for a program that names no provider."""
        return self.is_provider and not self.parent and self.name.startswith("default")


def key_of(request: resource_pb2.RegisterResourceRequest) -> Key:
    """Return the key of the resource that a request registers."""
    return Key(request.type, request.name, request.parent)


def default_provider_of(request: resource_pb2.RegisterResourceRequest) -> str | None:
    """Return the name of the default provider that the engine would take; None where it would take none."""
    if request.provider or not request.custom or request.packageRef or request.pluginDownloadURL:
        return None
    if request.type.startswith((PROVIDER_PREFIX, "pulumi:")):
        return None
    version: str = request.version
    return "default_" + "".join(c if c.isalnum() else "_" for c in version) if version else "default"


def alike(one: resource_pb2.RegisterResourceRequest, other: resource_pb2.RegisterResourceRequest) -> bool:
    """Return whether the engine would do the same for both."""
    return _same_provider(one, other) and all(meaning(one) == meaning(other) for meaning in _MEANINGS)


def _same_provider(one: resource_pb2.RegisterResourceRequest, other: resource_pb2.RegisterResourceRequest) -> bool:
    """Compare the providers; one request may leave the choice of a default provider to the engine."""
    if one.provider == other.provider:
        return one.version == other.version or bool(one.provider) or not one.custom or _is_provider(one)
    chosen, named = (one, other) if not one.provider else (other, one)
    wanted = default_provider_of(chosen)
    if wanted is None or chosen.provider:
        return False
    package = chosen.type.partition(":")[0]
    return f"::{PROVIDER_PREFIX}{package}::{wanted}::" in named.provider


def _is_provider(request: resource_pb2.RegisterResourceRequest) -> bool:
    return request.type.startswith(PROVIDER_PREFIX)


def _inputs(request: resource_pb2.RegisterResourceRequest) -> object:
    if not _is_provider(request):
        return _without_nulls(request.object)
    said = _without_nulls(request.object)
    version = request.version or said.get("version", "")
    url = request.pluginDownloadURL or said.get("pluginDownloadURL", "")
    return {key: value for key, value in said.items() if key not in _OF_THE_ENGINE}, version, url


def _without_nulls(values: Any) -> dict[str, Any]:  # noqa: ANN401 - a protobuf Struct
    from stacks.replay_requests import from_struct

    return {key: value for key, value in from_struct(values).items() if value is not None}


def _dependencies(request: resource_pb2.RegisterResourceRequest) -> Mapping[str, frozenset[str]]:
    return {key: frozenset(found.urns) for key, found in request.propertyDependencies.items() if found.urns}


def _timeouts(request: resource_pb2.RegisterResourceRequest) -> tuple[str, str, str]:
    limits = request.customTimeouts
    return limits.create, limits.update, limits.delete


_MEANINGS: tuple[Callable[[Any], object], ...] = (
    lambda request: (request.type, request.name, request.parent, request.custom, request.remote),
    _inputs,
    lambda request: frozenset(request.dependencies),
    _dependencies,
    lambda request: (bool(request.protect), bool(request.retainOnDelete), request.importId),
    lambda request: frozenset(request.ignoreChanges),
    lambda request: frozenset(request.additionalSecretOutputs),
    lambda request: frozenset(request.replaceOnChanges),
    lambda request: frozenset(request.hideDiffs),
    lambda request: (request.deletedWith, frozenset(request.replace_with)),
    _timeouts,
    lambda request: request.replacement_trigger.SerializeToString(deterministic=True),
    lambda request: request.hooks.SerializeToString(deterministic=True),
    lambda request: [alias.SerializeToString(deterministic=True) for alias in request.aliases],
    lambda request: (list(request.aliasURNs), len(request.transforms), request.packageRef),
    lambda request: sorted(request.envVarMappings.items()),
)
